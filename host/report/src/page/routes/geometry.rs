//! Where everything of a route's drawings stands, in pixels. These functions know nothing of markup.

use super::super::super::{
    learned::{Context, Window},
    units::share,
};

pub(super) const WIDTH: f64 = 340.0;
pub(super) const LEFT: f64 = 48.0;
pub(super) const RIGHT: f64 = 18.0;
const TOP: f64 = 12.0;
const SHARES_HEIGHT: f64 = 116.0;
const REWARD_HEIGHT: f64 = 62.0;
/// The room between the two frames.
const GAP: f64 = 30.0;
/// The room for the labels below.
const BELOW: f64 = 24.0;

/// A frame across the drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) top: f64,
    pub(super) height: f64,
}

impl Frame {
    pub(super) fn bottom(self) -> f64 {
        self.top + self.height
    }

    /// The height of the first, the second or the third label: at the top, in the middle, at the bottom.
    pub(super) fn label_y(self, label: usize) -> f64 {
        self.top + self.height * label as f64 / 2.0
    }

    /// The height of a value from 0 at the bottom to 1 at the top.
    fn y(self, part: f64) -> f64 {
        self.top + (1.0 - part) * self.height
    }
}

/// The drawing of a context: the shares of the arms over its items, and the mean reward below, if there are rewards.
pub(super) struct ContextDrawing {
    pub(super) height: f64,
    pub(super) shares: Frame,
    /// A line for each arm that is drawn, in their order.
    pub(super) share_lines: Vec<Vec<(f64, f64)>>,
    pub(super) reward: Option<RewardDrawing>,
}

/// The mean reward over the items of a context.
pub(super) struct RewardDrawing {
    pub(super) frame: Frame,
    /// The rewards at the top and at the bottom of the frame.
    pub(super) highest: f64,
    pub(super) lowest: f64,
    /// The height of the mean over all items.
    pub(super) mean_y: f64,
    pub(super) line: Vec<(f64, f64)>,
}

impl ContextDrawing {
    /// `windows` are those of the context, each joined with those before it; `arms` are positions of the arms that are drawn.
    pub(super) fn of(context: &Context, windows: &[Window], arms: &[usize]) -> Self {
        let ends = window_ends(context);
        let x = |items: f64| LEFT + share(items, context.outcomes as f64) * (WIDTH - LEFT - RIGHT);
        let shares = Frame { top: TOP, height: SHARES_HEIGHT };
        let share_line = |arm: &usize| {
            let part = |window: &Window| share(window.used[*arm] as f64, window.items as f64);
            windows.iter().zip(&ends).map(|(window, end)| (x(*end), shares.y(part(window)))).collect()
        };
        let reward = (context.reward.count > 0).then(|| {
            let frame = Frame { top: shares.bottom() + GAP, height: REWARD_HEIGHT };
            let known = || windows.iter().zip(&ends).filter(|(window, _)| window.reward.count > 0);
            let (lowest, span) = value_range(known().map(|(window, _)| window.reward.mean));
            let y = |mean: f64| frame.y((mean - lowest) / span);
            RewardDrawing {
                frame,
                highest: lowest + span,
                lowest,
                mean_y: y(context.reward.mean),
                line: known().map(|(window, end)| (x(*end), y(window.reward.mean))).collect(),
            }
        });
        let reward_height = if reward.is_some() { GAP + REWARD_HEIGHT } else { 0.0 };
        Self {
            height: TOP + SHARES_HEIGHT + reward_height + BELOW,
            shares,
            share_lines: arms.iter().map(share_line).collect(),
            reward,
        }
    }

    /// The bottom of the lower frame.
    pub(super) fn bottom(&self) -> f64 {
        self.reward.as_ref().map_or(self.shares, |reward| reward.frame).bottom()
    }
}

/// The last item of each window, counted from 1.
fn window_ends(context: &Context) -> Vec<f64> {
    let mut items = 0;
    let end = |window: &Window| {
        items += window.items;
        items as f64
    };
    context.windows.iter().map(end).collect()
}

/// The lower end and the length of an axis for these values: 0 to 1 where they lie within.
fn value_range(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (low, high) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max));
    let is_within_one = low >= 0.0 && high <= 1.0;
    if is_within_one || !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    (low, if high > low { high - low } else { 1.0 })
}

/// The points of a line that have a mark: some along it, and the last. The points differ from series to series, so that marks do
/// not hide one another.
pub(super) fn marked_points(points: &[(f64, f64)], series: usize, series_count: usize) -> Vec<(f64, f64)> {
    let every = (points.len() / 4).max(1);
    let first = every * (series + 1) / (series_count + 1);
    points.iter().skip(first).step_by(every).take(4).chain(points.last()).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A context of windows, each with its items, how many of them used the first of two arms, and the reward of all of them.
    fn context(windows: &[(u64, u64, f64)]) -> Context {
        let mut context = Context::default();
        for (items, used, reward) in windows {
            let mut window = Window { items: *items, used: vec![*used, items - used], ..Window::default() };
            (0..*items).for_each(|_| {
                window.reward.add(*reward);
                context.reward.add(*reward);
            });
            context.outcomes += items;
            context.windows.push(window);
        }
        context
    }

    #[test]
    fn shares_are_points_from_left_to_right_in_their_frame() {
        let context = context(&[(10, 10, 1.0), (10, 5, 2.0), (20, 0, 3.0)]);
        let drawing = ContextDrawing::of(&context, &context.windows, &[0, 1]);
        let x = |part: f64| LEFT + part * (WIDTH - LEFT - RIGHT);
        let (top, bottom) = (drawing.shares.top, drawing.shares.bottom());
        let middle = f64::midpoint(top, bottom);
        assert_eq!(drawing.share_lines[0], [(x(0.25), top), (x(0.5), middle), (x(1.0), bottom)]);
        assert_eq!(drawing.share_lines[1], [(x(0.25), bottom), (x(0.5), middle), (x(1.0), top)]);
        let reward = drawing.reward.as_ref().expect("rewards");
        assert_eq!((reward.lowest, reward.highest), (1.0, 3.0));
        assert_eq!(reward.line[0].1, reward.frame.bottom());
        assert_eq!(reward.line[2].1, reward.frame.top);
        assert!((reward.mean_y - reward.frame.label_y(0) - 0.375 * reward.frame.height).abs() < 1e-9);
        assert_eq!(drawing.height, drawing.bottom() + BELOW);
    }

    #[test]
    fn a_range_of_shares_is_that_from_0_to_1() {
        assert_eq!(value_range([0.2, 0.4].into_iter()), (0.0, 1.0));
        assert_eq!(value_range([-1.0, 3.0].into_iter()), (-1.0, 4.0));
        assert_eq!(value_range([5.0].into_iter()), (5.0, 1.0));
        assert_eq!(value_range(std::iter::empty()), (0.0, 1.0));
    }

    #[test]
    fn lines_have_their_marks_at_different_points() {
        let points: Vec<(f64, f64)> = (0..16).map(|x| (f64::from(x), 0.0)).collect();
        let xs = |series| marked_points(&points, series, 3).into_iter().map(|point| point.0).collect::<Vec<_>>();
        assert_eq!(xs(0), [1.0, 5.0, 9.0, 13.0, 15.0]);
        assert_eq!(xs(1), [2.0, 6.0, 10.0, 14.0, 15.0]);
        assert!(marked_points(&[], 0, 3).is_empty());
    }
}
