//! What was predicted against what was expected.

use std::collections::BTreeMap;

/// How often each label was predicted where each was expected. Labels are numbers, below the number of labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    labels: usize,
    /// By expected and predicted label. Only what occurs is kept: labels may be many.
    counts: BTreeMap<(u32, u32), u64>,
}

/// How well one label is predicted, or the average of several. Where there is nothing to divide by it is 0, as in scikit-learn
/// with `zero_division=0`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LabelScores {
    /// Of the predictions of the label, the share that is right.
    pub precision: f64,
    /// Of the items that have it, the share that is found.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// How many items have it.
    pub expected: u64,
    /// How often it was predicted.
    pub predicted: u64,
}

impl Confusion {
    /// Counts pairs of an expected and a predicted label.
    ///
    /// # Panics
    /// If a label is not below `labels`.
    #[must_use]
    pub fn new(labels: usize, pairs: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut counts = BTreeMap::new();
        for (expected, predicted) in pairs {
            assert!(expected.max(predicted) < labels as u32, "a label is below their number");
            *counts.entry((expected, predicted)).or_insert(0) += 1;
        }
        Self { labels, counts }
    }

    /// How often each pair of an expected and a predicted label occurred, in order; pairs that did not are left out.
    pub fn counts(&self) -> impl Iterator<Item = ((u32, u32), u64)> {
        self.counts.iter().map(|(pair, count)| (*pair, *count))
    }

    /// How many items there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The share of items whose label is right. It is also precision, recall and F1 if those are averaged over items (`micro`).
    /// None without items.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        let total = self.total();
        let right: u64 = self.counts.iter().filter(|((a, b), _)| a == b).map(|(_, count)| count).sum();
        (total > 0).then(|| right as f64 / total as f64)
    }

    /// How well each label is predicted, in order.
    #[must_use]
    pub fn by_label(&self) -> Vec<LabelScores> {
        let mut scores = vec![LabelScores::default(); self.labels];
        let mut right = vec![0_u64; self.labels];
        for (&(expected, predicted), count) in &self.counts {
            scores[expected as usize].expected += count;
            scores[predicted as usize].predicted += count;
            if expected == predicted {
                right[expected as usize] += count;
            }
        }
        for (label, right) in scores.iter_mut().zip(right) {
            let share = |of: u64, all: u64| if all == 0 { 0.0 } else { of as f64 / all as f64 };
            label.precision = share(right, label.predicted);
            label.recall = share(right, label.expected);
            label.f1 = share(2 * right, label.predicted + label.expected);
        }
        scores
    }

    /// The plain mean of the labels' scores, whatever their size (`macro`). `expected` and `predicted` are the sums. None
    /// without labels.
    #[must_use]
    pub fn macro_average(&self) -> Option<LabelScores> {
        let scores = self.by_label();
        let mean = |value: fn(&LabelScores) -> f64| scores.iter().map(value).sum::<f64>() / scores.len() as f64;
        (!scores.is_empty()).then(|| LabelScores {
            precision: mean(|label| label.precision),
            recall: mean(|label| label.recall),
            f1: mean(|label| label.f1),
            expected: self.total(),
            predicted: self.total(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Confusion;
    use crate::fixtures::{fixtures, near};

    #[test]
    fn scores_are_those_of_scikit_learn() {
        let cases = fixtures().confusion;
        assert!(cases.len() >= 4);
        for case in cases {
            let confusion = Confusion::new(case.labels, case.expected.into_iter().zip(case.predicted));
            near(confusion.accuracy().unwrap(), case.accuracy, "accuracy");
            let by_label = confusion.by_label();
            for (label, (precision, recall, f1, support)) in by_label.iter().zip(&case.by_label) {
                near(label.precision, *precision, "precision");
                near(label.recall, *recall, "recall");
                near(label.f1, *f1, "F1");
                assert_eq!(label.expected, *support);
            }
            assert_eq!(by_label.len(), case.by_label.len());
            let average = confusion.macro_average().unwrap();
            near(average.precision, case.macro_average.0, "macro precision");
            near(average.recall, case.macro_average.1, "macro recall");
            near(average.f1, case.macro_average.2, "macro F1");
        }
    }

    #[test]
    fn nothing_has_no_scores() {
        let none = Confusion::new(0, []);
        assert_eq!((none.accuracy(), none.macro_average(), none.total()), (None, None, 0));
    }
}
