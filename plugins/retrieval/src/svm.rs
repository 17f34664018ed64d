//! A linear classifier: one support vector machine a class, each against all others.
//!
//! Each minimises `|weights|^2 / 2 + cost * sum of max(0, 1 - y * margin)^2` over weights and offset, y being 1 for rows of the
//! class and -1 for others, by dual coordinate descent with shrinking (Hsieh, Chang, Lin, Keerthi and Sundararajan 2008:
//! algorithm 3). The function is strictly convex, so that there is one answer; rows are taken in an order that is drawn anew
//! in each pass by a generator of a fixed seed, so that it is found alike in every run.

use jackfield_plugin_api::Random;

use crate::rows::Rows;

/// What a row on the wrong side costs.
const COST: f64 = 1.0;
/// Passes over the rows at most.
const PASSES: usize = 200;
/// The answer is found when no coordinate wants to move by more than this, in units of the margin.
const EXACT: f64 = 0.01;
/// Without a part of the rows, those of the others that lie further than this beyond their margin are not looked at again: a
/// few rows less hardly move a margin by more.
const NEAR: f64 = 0.5;
/// Where the order of rows starts from.
const SEED: u64 = 1;

/// Weights per dimension and class, and an offset per class.
#[derive(Clone, Debug)]
pub struct LinearSvm {
    classes: usize,
    /// `(dimensions + 1) * classes`: the classes of each dimension side by side, the offsets last.
    weights: Vec<f32>,
}

/// What the classifier says of rows that it has not seen: see [`LinearSvm::fit_and_judge`].
#[derive(Clone, Debug)]
pub struct UnseenMargins {
    classes: usize,
    margins: Vec<f32>,
}

impl UnseenMargins {
    /// The margins of the row at `index`, one a class.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        &self.margins[index * self.classes..][..self.classes]
    }
}

impl LinearSvm {
    /// Learns from rows and their classes, numbered below `classes`. `folds` says of each row in which part it is judged: its
    /// margins are those that the rows of all other parts teach. A row of no part has margins of zero.
    #[must_use]
    pub fn fit_and_judge(
        rows: &Rows,
        labels: &[usize],
        classes: usize,
        folds: &[Option<usize>],
    ) -> (Self, UnseenMargins) {
        let count = rows.len().min(labels.len()).min(folds.len());
        let parts = folds.iter().flatten().max().map_or(0, |last| last + 1);
        let mut found = Self { classes, weights: vec![0.0; (rows.dimensions() + 1) * classes] };
        let mut unseen = UnseenMargins { classes, margins: vec![0.0; count * classes] };
        let squares: Vec<f64> = (0..count).map(|row| 1.0 + square(rows.row(row))).collect();
        for class in 0..classes {
            let mut whole = Machine::new(rows, labels, class, &squares);
            whole.settle((0..count as u32).collect());
            for (weights, weight) in found.weights.chunks_exact_mut(classes).zip(&whole.weights) {
                weights[class] = *weight as f32;
            }
            let near = if parts > 0 { whole.near() } else { Vec::new() };
            for part in 0..parts {
                // What is known without a part is little else: from there it is a few passes.
                let mut rest = whole.clone();
                let is_judged = |row: usize| folds[row] == Some(part);
                (0..count).filter(|&row| is_judged(row)).for_each(|row| rest.forget(row));
                rest.settle(near.iter().copied().filter(|&row| !is_judged(row as usize)).collect());
                for row in (0..count).filter(|&row| is_judged(row)) {
                    unseen.margins[row * classes + class] = rest.margin(rows.row(row)) as f32;
                }
            }
        }
        (found, unseen)
    }

    /// The margin of each class: above 0 on its side, 1 and more for what is clearly of it.
    #[must_use]
    pub fn margins(&self, row: &[(u32, f32)]) -> Vec<f64> {
        let offsets = self.weights.len() - self.classes;
        let mut margins: Vec<f64> = self.weights[offsets..].iter().copied().map(f64::from).collect();
        for &(dimension, value) in row {
            let start = dimension as usize * self.classes;
            let (weights, value) = (&self.weights[start..start + self.classes], f64::from(value));
            margins.iter_mut().zip(weights).for_each(|(margin, weight)| *margin += f64::from(*weight) * value);
        }
        margins
    }
}

/// The machine of one class while it learns. The offset is the weight of one more dimension, in which every row is 1.
#[derive(Clone)]
struct Machine<'a> {
    rows: &'a Rows,
    labels: &'a [usize],
    class: usize,
    /// Of each row the square of its length.
    squares: &'a [f64],
    /// How much each row pulls; weights are the sum of rows, each by its pull and its side.
    pulls: Vec<f64>,
    weights: Vec<f64>,
}

impl<'a> Machine<'a> {
    fn new(rows: &'a Rows, labels: &'a [usize], class: usize, squares: &'a [f64]) -> Self {
        let (pulls, weights) = (vec![0.0; squares.len()], vec![0.0; rows.dimensions() + 1]);
        Self { rows, labels, class, squares, pulls, weights }
    }

    fn side(&self, row: usize) -> f64 {
        if self.labels[row] == self.class { 1.0 } else { -1.0 }
    }

    fn margin(&self, entries: &[(u32, f32)]) -> f64 {
        let weights = &self.weights;
        let offset = weights[weights.len() - 1];
        entries.iter().map(|&(dimension, value)| weights[dimension as usize] * f64::from(value)).sum::<f64>() + offset
    }

    fn add(&mut self, row: usize, factor: f64) {
        let offset = self.weights.len() - 1;
        for &(dimension, value) in self.rows.row(row) {
            self.weights[dimension as usize] += factor * f64::from(value);
        }
        self.weights[offset] += factor;
    }

    /// Rows that teach something, or would if they were a little nearer.
    fn near(&self) -> Vec<u32> {
        let is_near =
            |row: usize| self.pulls[row] > 0.0 || self.side(row) * self.margin(self.rows.row(row)) < 1.0 + NEAR;
        (0..self.pulls.len()).filter(|&row| is_near(row)).map(|row| row as u32).collect()
    }

    /// Takes away what a row has taught.
    fn forget(&mut self, row: usize) {
        let pull = std::mem::take(&mut self.pulls[row]);
        if pull != 0.0 {
            self.add(row, -pull * self.side(row));
        }
    }

    /// Learns from these rows.
    fn settle(&mut self, mut rows: Vec<u32>) {
        let ridge = 0.5 / COST;
        let mut random = Random::new(SEED);
        let mut active = rows.len();
        let mut shrink_above = f64::INFINITY;
        for _ in 0..PASSES {
            for at in 0..active {
                let other = at + random.below((active - at) as u64) as usize;
                rows.swap(at, other);
            }
            let (mut most, mut least) = (f64::NEG_INFINITY, f64::INFINITY);
            let mut at = 0;
            while at < active {
                let row = rows[at] as usize;
                let (side, pull) = (self.side(row), self.pulls[row]);
                let slope = side * self.margin(self.rows.row(row)) - 1.0 + ridge * pull;
                if pull == 0.0 && slope > shrink_above {
                    // It lies well on its side and will hardly pull again.
                    active -= 1;
                    rows.swap(at, active);
                    continue;
                }
                let wanted = if pull == 0.0 { slope.min(0.0) } else { slope };
                most = most.max(wanted);
                least = least.min(wanted);
                if wanted.abs() > 1e-12 {
                    let next = (pull - slope / (self.squares[row] + ridge)).max(0.0);
                    self.pulls[row] = next;
                    self.add(row, (next - pull) * side);
                }
                at += 1;
            }
            if most - least <= EXACT {
                if active == rows.len() {
                    break;
                }
                // Whatever was left aside is looked at once more.
                active = rows.len();
                shrink_above = f64::INFINITY;
                continue;
            }
            shrink_above = if most > 0.0 { most } else { f64::INFINITY };
        }
    }
}

fn square(entries: &[(u32, f32)]) -> f64 {
    entries.iter().map(|(_, value)| f64::from(*value) * f64::from(*value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(of: &[[f32; 2]]) -> Rows {
        let mut rows = Rows::new(2);
        of.iter().for_each(|row| rows.push(crate::rows::entries_of(row)));
        rows
    }

    #[test]
    fn the_answer_is_that_of_the_closed_form() {
        // Two rows at ±1: by symmetry no offset, and w minimises w^2 / 2 + 2 (1 - w)^2, which is at 4 / 5.
        let rows = rows(&[[1.0, 0.0], [-1.0, 0.0]]);
        let (svm, _) = LinearSvm::fit_and_judge(&rows, &[0, 1], 2, &[None, None]);
        let margins = svm.margins(&[(0, 1.0)]);
        assert!((margins[0] - 0.8).abs() < 0.01 && (margins[1] + 0.8).abs() < 0.01, "{margins:?}");
    }

    #[test]
    fn classes_that_a_line_parts_are_learned() {
        let of = [[1.0, 0.1], [0.9, -0.2], [0.0, 1.0], [0.2, 0.9], [-1.0, -1.0], [-0.8, -1.1]];
        let labels = [0, 0, 1, 1, 2, 2];
        let (svm, _) = LinearSvm::fit_and_judge(&rows(&of), &labels, 3, &[None; 6]);
        for (row, label) in of.iter().zip(labels) {
            let margins = svm.margins(&crate::rows::entries_of(row).collect::<Vec<_>>());
            assert!((0..3).all(|class| class == label || margins[class] < margins[label]), "{margins:?}");
        }
    }

    #[test]
    fn a_row_is_judged_by_what_the_other_parts_teach() {
        let of = [[1.0, 0.0], [0.9, 0.3], [-1.0, 0.1], [-0.8, 0.4], [0.7, -0.9], [-0.6, -0.8]];
        let labels = [0, 0, 1, 1, 0, 1];
        let folds = [Some(0), Some(1), Some(0), Some(1), None, None];
        let (_, unseen) = LinearSvm::fit_and_judge(&rows(&of), &labels, 2, &folds);
        for part in 0..2 {
            let others: Vec<usize> = (0..6).filter(|&row| folds[row] != Some(part)).collect();
            let those: Vec<[f32; 2]> = others.iter().map(|&row| of[row]).collect();
            let (alone, _) = LinearSvm::fit_and_judge(
                &rows(&those),
                &others.iter().map(|&row| labels[row]).collect::<Vec<_>>(),
                2,
                &[None; 4],
            );
            for row in (0..6).filter(|&row| folds[row] == Some(part)) {
                let wanted = alone.margins(&crate::rows::entries_of(&of[row]).collect::<Vec<_>>());
                let found = unseen.row(row);
                assert!((f64::from(found[0]) - wanted[0]).abs() < 0.02, "{found:?} {wanted:?}");
            }
        }
        assert_eq!(unseen.row(5), [0.0, 0.0]);
    }
}
