//! The best of many scores.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A score and whose it is. Greater is better; of two alike, the lower number is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Number of the document.
    pub document: u32,
    /// Its score.
    pub score: f32,
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        // `+ 0.0`: the two zeros are one score.
        (self.score + 0.0).total_cmp(&(other.score + 0.0)).then_with(|| other.document.cmp(&self.document))
    }
}

/// The `most` best, best first.
#[must_use]
pub fn best(scores: impl IntoIterator<Item = Ranked>, most: usize) -> Vec<Ranked> {
    if most == 0 {
        return Vec::new();
    }
    let mut heap: BinaryHeap<Reverse<Ranked>> = BinaryHeap::new();
    for ranked in scores {
        if heap.len() < most {
            heap.push(Reverse(ranked));
        } else if let Some(mut least) = heap.peek_mut()
            && least.0 < ranked
        {
            *least = Reverse(ranked);
        }
    }
    let mut best: Vec<Ranked> = heap.into_iter().map(|Reverse(ranked)| ranked).collect();
    best.sort_unstable_by(|left, right| right.cmp(left));
    best
}

/// The documents with these scores, numbered in order.
pub fn numbered(scores: &[f32]) -> impl Iterator<Item = Ranked> + '_ {
    scores.iter().enumerate().map(|(document, &score)| Ranked { document: document as u32, score })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_equal_scores_the_first_document_is_better() {
        let found: Vec<u32> = best(numbered(&[1.0, 3.0, -0.0, 3.0, 0.0]), 4).iter().map(|r| r.document).collect();
        assert_eq!(found, [1, 3, 0, 2]);
    }

    proptest! {
        #[test]
        fn the_best_are_the_head_of_all_sorted(scores in prop::collection::vec(-3i8..4, 0..60), most in 0usize..70) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let mut all: Vec<Ranked> = numbered(&scores).collect();
            all.sort_by(|left, right| right.cmp(left));
            all.truncate(most);
            prop_assert_eq!(best(numbered(&scores), most), all);
        }
    }
}
