//! The order of sets of locations.

use std::cmp::Ordering;

use super::{Indices, Shape};

/// How two sets compare as the lists of their sorted members.
pub(crate) enum Compared {
    /// Both have the same members.
    Equal,
    /// At the first place where they differ, both have a member: the order of these.
    Differ(Ordering),
    /// The one set has the first members of the other and no more: `Less` for the shorter one.
    Part(Ordering),
}

impl Indices {
    /// Compares as lists of sorted members. The least location that is in one set alone decides: it is less than what the
    /// other set has there, unless that has no more.
    pub(crate) fn compare(&self, other: &Indices) -> Compared {
        if self.top != other.top {
            return Compared::Differ(self.top.cmp(&other.top));
        }
        let (Shape::Rows(rows), Shape::Rows(others)) = (&self.shape, &other.shape) else {
            return self.compare_each(other);
        };
        let shift = self.left - other.left;
        if !(-63..=63).contains(&shift) {
            return self.compare_each(other);
        }
        let (mine, theirs) = (shift.max(0) as u32, (-shift).max(0) as u32);
        for at in 0..rows.len().max(others.len()) {
            let mask = |rows: &[u64], by: u32| u128::from(rows.get(at).copied().unwrap_or(0)) << by;
            let (row, other) = (mask(rows, mine), mask(others, theirs));
            let bit = (row ^ other).trailing_zeros();
            if bit == 128 {
                continue;
            }
            return if row >> bit & 1 == 1 {
                let more = other >> bit != 0 || at + 1 < others.len();
                if more { Compared::Differ(Ordering::Less) } else { Compared::Part(Ordering::Greater) }
            } else {
                let more = row >> bit != 0 || at + 1 < rows.len();
                if more { Compared::Differ(Ordering::Greater) } else { Compared::Part(Ordering::Less) }
            };
        }
        Compared::Equal
    }

    fn compare_each(&self, other: &Indices) -> Compared {
        let (mut one, mut two) = (self.iter(), other.iter());
        loop {
            match (one.next(), two.next()) {
                (None, None) => return Compared::Equal,
                (None, Some(_)) => return Compared::Part(Ordering::Less),
                (Some(_), None) => return Compared::Part(Ordering::Greater),
                (Some(one), Some(two)) if one != two => return Compared::Differ(one.cmp(&two)),
                _ => {}
            }
        }
    }
}

/// Compared as the lists of their sorted members, the shorter first.
impl Ord for Indices {
    fn cmp(&self, other: &Indices) -> Ordering {
        match self.compare(other) {
            Compared::Equal => Ordering::Equal,
            Compared::Differ(order) | Compared::Part(order) => order,
        }
    }
}

impl PartialOrd for Indices {
    fn partial_cmp(&self, other: &Indices) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{
        testing,
        value::{Indices, Object},
    };

    proptest! {
        #[test]
        fn sets_compare_as_the_lists_of_their_members(
            one in proptest::collection::vec(testing::locations(), 1..12),
            other in proptest::collection::vec(testing::locations(), 1..12),
            shared in 0..12_usize,
            colors in proptest::collection::vec(0..3_i32, 24),
        ) {
            // Both begin with the same locations, so that they differ late or one is a part of the other.
            let other = [&one[..shared.min(one.len())], &other[..]].concat();
            let set = |cells: &[(i32, i32)]| Indices::from_cells(cells.to_vec()).expect("there are locations");
            for other in [&other[..], &one[..one.len().div_ceil(2)], &one] {
                let (one, other) = (set(&one), set(other));
                prop_assert_eq!(one.cmp(&other), one.iter().cmp(other.iter()));
                prop_assert_eq!(other.cmp(&one), other.iter().cmp(one.iter()));
            }
            let object = |cells: &[(i32, i32)]| {
                let cells = colors.iter().copied().cycle().zip(cells.iter().copied());
                Object::from_cells(cells.collect()).expect("there are cells")
            };
            for other in [&other[..], &one[..one.len().div_ceil(2)], &one] {
                let (one, other) = (object(&one), object(other));
                prop_assert_eq!(one.cmp(&other), one.iter().cmp(other.iter()));
                prop_assert_eq!(other.cmp(&one), other.iter().cmp(one.iter()));
            }
        }
    }
}
