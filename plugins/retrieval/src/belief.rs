//! What a classifier's margins are worth, learned from margins of examples that it has not seen.

use crate::{softmax::Softmax, vectors::Vectors};

/// The penalty on the slope, shared by all that is learned from.
const PENALTY: f64 = 0.01;
/// Greatest factor by which margins are sharpened: beyond it probabilities are 0 and 1 to six places.
const SHARPEST: f64 = 40.0;
/// Halvings of the interval that the factor is looked for in.
const HALVINGS: usize = 40;
/// Examples that the factor is learned from at most, spread over all.
const MOST: usize = 1500;

/// Makes a probability of a sign that says yes the surer the greater it is: a logistic regression on one number (Platt 1999).
#[derive(Clone, Debug)]
pub struct Belief(Softmax);

impl Belief {
    /// Learns from signs and whether each was followed by a yes. Two more are made up, a no at -1 and a yes at 1, so that few
    /// examples of one kind alone cannot make every sign as sure as any other. Where signs say the opposite of what they
    /// should, the two alone are learned from.
    #[must_use]
    pub fn learn(signs: &[f64], yes: &[bool]) -> Self {
        let fit = |signs: &[f64], yes: &[bool]| {
            let mut rows = Vectors::new(1);
            signs.iter().chain(&[-1.0, 1.0]).for_each(|&sign| rows.push(&[sign as f32]));
            let classes: Vec<usize> = yes.iter().chain(&[false, true]).map(|&yes| usize::from(yes)).collect();
            Self(Softmax::fit(&rows, &classes, 2, PENALTY / classes.len() as f64))
        };
        let learned = fit(signs, yes);
        if learned.probability(1.0) > learned.probability(-1.0) { learned } else { fit(&[], &[]) }
    }

    /// The probability of a yes after this sign; greater signs have no smaller one.
    #[must_use]
    pub fn probability(&self, sign: f64) -> f64 {
        self.0.probabilities(&[sign as f32])[1]
    }
}

/// The factor that margins are multiplied with before [`crate::softmax::probabilities`] makes probabilities of them: that under
/// which the right classes of examples are likeliest (Guo, Pleiss, Sun and Weinberger 2017, there one over a temperature). An
/// example counts as being of any class with the probability `1 / (examples + 2)`, so that examples that are all told rightly
/// do not make the classifier certain.
#[must_use]
pub fn sharpness<'a>(margins: impl Fn(usize) -> &'a [f32], labels: &[(usize, usize)]) -> f64 {
    let step = labels.len().div_ceil(MOST).max(1);
    let share_of_any = 1.0 / (labels.len() as f64 + 2.0);
    // By how much the expected margin is above that of the right class: it grows with the factor.
    let excess = |factor: f64| {
        let mut sum = 0.0;
        for &(row, label) in labels.iter().step_by(step) {
            let margins = margins(row);
            let mut shares: Vec<f64> = margins.iter().map(|margin| factor * f64::from(*margin)).collect();
            crate::softmax::probabilities(&mut shares);
            let expected: f64 = shares.iter().zip(margins).map(|(share, margin)| share * f64::from(*margin)).sum();
            let mean = margins.iter().copied().map(f64::from).sum::<f64>() / margins.len().max(1) as f64;
            let wanted = (1.0 - share_of_any) * f64::from(margins[label]) + share_of_any * mean;
            sum += expected - wanted;
        }
        sum
    };
    let (mut low, mut high) = (0.0, SHARPEST);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if excess(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    // At 0 all classes are alike, which no classifier has learned.
    high.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_that_is_right_three_times_of_four_is_believed_so_far() {
        let signs: Vec<f64> = (0..400).map(|at| if at < 200 { 0.2 } else { -0.4 }).collect();
        let yes: Vec<bool> = (0..400).map(|at| at % 4 != 0 && at < 200 || at % 10 == 0).collect();
        let belief = Belief::learn(&signs, &yes);
        let share = yes[..200].iter().filter(|&&yes| yes).count() as f64 / 200.0;
        assert!((belief.probability(0.2) - share).abs() < 0.02 && (belief.probability(-0.4) - 0.1).abs() < 0.02);
    }

    #[test]
    fn few_examples_of_one_kind_leave_doubt_and_an_order() {
        for yes in [true, false] {
            let belief = Belief::learn(&[0.1, 0.4], &[yes, yes]);
            let (low, high) = (belief.probability(-1.0), belief.probability(1.0));
            assert!(0.0 < low && low < belief.probability(0.2) && belief.probability(0.2) < high && high < 1.0);
        }
        let reversed = Belief::learn(&[0.5, 0.6, -0.5, -0.6], &[false, false, true, true]);
        assert!(reversed.probability(0.5) > reversed.probability(-0.5));
    }

    #[test]
    fn probabilities_after_sharpening_are_as_often_right_as_they_say() {
        // The class with the greater margin is right four times of five: e^(0.5 f) / (1 + e^(0.5 f)) = 0.8.
        let margins = [[0.25f32, -0.25], [-0.25, 0.25]];
        let labels: Vec<(usize, usize)> =
            (0..1000).map(|at| (at % 2, if at % 5 == 0 { 1 - at % 2 } else { at % 2 })).collect();
        let factor = sharpness(|row| &margins[row], &labels);
        assert!((factor - libm::log(4.0) / 0.5).abs() < 0.05, "{factor}");
        let certain: Vec<(usize, usize)> = vec![(0, 0); 3];
        assert!(sharpness(|row| &margins[row], &certain) < 10.0);
    }
}
