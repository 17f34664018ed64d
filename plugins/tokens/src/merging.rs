//! A piece of a text cut into tokens, by byte-pair encoding: the bytes of the piece are its first parts, and of all pairs of
//! neighbouring parts that make a token together, the one whose token has the lowest rank is merged, the first of
//! several, until there is no such pair.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::vocabulary::{Rank, Vocabulary};

/// Where a part that was merged into the part before it ends.
const MERGED: usize = usize::MAX;

/// Cuts pieces into tokens, and keeps its memory from one piece to the next.
#[derive(Default)]
pub(crate) struct Merger {
    /// The parts of the piece; a part lies at the index of its first byte.
    parts: Vec<Part>,
    /// Pairs that make a token together, the one to be merged next on top. Pairs of which a part has been merged with
    /// another are still here, and are passed over.
    pairs: BinaryHeap<Reverse<Pair>>,
}

/// A part of a piece.
struct Part {
    /// The first byte of the part before this one; 0 for the first part.
    previous: usize,
    /// The first byte after this part, or `MERGED`.
    end: usize,
}

/// Two neighbouring parts that make a token together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    rank: Rank,
    /// The first byte of the first part.
    start: usize,
    /// The first byte after the second part.
    end: usize,
}

impl Merger {
    /// How many tokens a piece has.
    pub(crate) fn count(&mut self, vocabulary: &Vocabulary, piece: &[u8]) -> usize {
        self.parts.clear();
        self.parts.extend((0..piece.len()).map(|at| Part { previous: at.saturating_sub(1), end: at + 1 }));
        self.pairs.clear();
        for end in 2..=piece.len() {
            self.add_pair(vocabulary, piece, end - 2, end);
        }

        let mut count = piece.len();
        while let Some(Reverse(Pair { start, end, .. })) = self.pairs.pop() {
            let middle = self.parts[start].end;
            if self.parts.get(middle).is_none_or(|second| second.end != end) {
                continue;
            }
            self.parts[middle].end = MERGED;
            self.parts[start].end = end;
            count -= 1;
            if let Some(next) = self.parts.get_mut(end) {
                next.previous = start;
                let next_end = next.end;
                self.add_pair(vocabulary, piece, start, next_end);
            }
            if start > 0 {
                self.add_pair(vocabulary, piece, self.parts[start].previous, end);
            }
        }
        count
    }

    /// Adds the pair of parts from `start` to `end` if they make a token together.
    fn add_pair(&mut self, vocabulary: &Vocabulary, piece: &[u8], start: usize, end: usize) {
        if let Some(rank) = vocabulary.rank(&piece[start..end]) {
            self.pairs.push(Reverse(Pair { rank, start, end }));
        }
    }
}
