//! The graph of a plan as nodes and columns, and the curves between them. These functions know nothing of markup.

use jackfield_pipeline::{Plan, StagePlan};

use super::layout::{Layout, NODE_WIDTH, layout};

/// The nodes of a plan: its stages in their order, and the input after them if a stage reads it.
pub(super) struct Graph {
    /// The column of each node, from 0 at the left.
    columns: Vec<usize>,
    /// For each node the nodes that it reads.
    reads: Vec<Vec<usize>>,
    /// Position of the input among the nodes; there is no such node if no stage reads the input.
    pub(super) input: usize,
}

impl Graph {
    fn has_input(&self) -> bool {
        self.columns.len() > self.input
    }

    pub(super) fn layout(&self) -> Layout {
        layout(&self.columns, &self.reads, self.has_input())
    }
}

pub(super) fn graph(plan: &Plan) -> Graph {
    let has_input = plan.stages.iter().any(StagePlan::reads_input);
    let mut columns: Vec<usize> = plan.layers().iter().map(|layer| layer + usize::from(has_input)).collect();
    let input = columns.len();
    let reads = plan.stages.iter().map(|stage| {
        let read_input = stage.reads_input().then_some(input);
        stage.reads.iter().copied().chain(read_input).collect()
    });
    let mut reads: Vec<Vec<usize>> = reads.collect();
    if has_input {
        columns.push(0);
        reads.push(Vec::new());
    }
    Graph { columns, reads, input }
}

/// A step of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CurveStep {
    /// The curve begins here.
    Move((f64, f64)),
    /// A level line to this x: the way through a column.
    Level(f64),
    /// A curve from one column to the next, with two control points.
    Bend { first_control: (f64, f64), second_control: (f64, f64), end: (f64, f64) },
}

/// The curve through the points of an edge: between columns it bends, and through a column it is straight.
pub(super) fn curve(points: &[(f64, f64)]) -> Vec<CurveStep> {
    let mut steps = Vec::with_capacity(points.len());
    for (index, pair) in points.windows(2).enumerate() {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if index == 0 {
            steps.push(CurveStep::Move((x0, y0)));
        }
        let is_through_column = index % 2 == 1;
        steps.push(if is_through_column {
            CurveStep::Level(x1)
        } else {
            let half = (x1 - x0) * 0.55;
            CurveStep::Bend { first_control: (x0 + half, y0), second_control: (x1 - half, y1), end: (x1, y1) }
        });
    }
    steps
}

/// The bar in a node that shows the stage's share of the time.
pub(super) struct ShareBar {
    pub(super) width: f64,
    pub(super) filled: f64,
}

impl ShareBar {
    /// A share from 0 to 1. However small it is, it can be seen unless it is 0.
    pub(super) fn of(share: f64) -> Self {
        // 12 pixels are left at each side, and 42 for the share as a number.
        let width = NODE_WIDTH - 24.0 - 42.0;
        let filled = if share > 0.0 { (share * width).max(1.5) } else { 0.0 };
        Self { width, filled }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_bends_between_columns_and_is_level_within_one() {
        let steps = curve(&[(0.0, 5.0), (100.0, 25.0), (180.0, 25.0), (280.0, 5.0)]);
        let bend = |x: f64, y0: f64, y1: f64| CurveStep::Bend {
            first_control: (x + 100.0 * 0.55, y0),
            second_control: (x + 100.0 - 100.0 * 0.55, y1),
            end: (x + 100.0, y1),
        };
        let wanted =
            [CurveStep::Move((0.0, 5.0)), bend(0.0, 5.0, 25.0), CurveStep::Level(180.0), bend(180.0, 25.0, 5.0)];
        assert_eq!(steps, wanted);
        assert!(curve(&[(0.0, 0.0)]).is_empty());
    }

    #[test]
    fn a_small_share_can_be_seen_and_none_cannot() {
        let width = ShareBar::of(1.0).width;
        let filled = |share: f64| ShareBar::of(share).filled;
        assert_eq!([filled(0.0), filled(1e-9), filled(0.5), filled(1.0)], [0.0, 1.5, width / 2.0, width]);
    }
}
