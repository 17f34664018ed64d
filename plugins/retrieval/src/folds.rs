//! Examples in parts, each to be judged by what the others teach.

use rustc_hash::FxHashMap;

use crate::rows::Rows;

/// How many parts there are.
pub const FOLDS: usize = 5;

/// The part of each row, by the rows and their classes. Rows that are the same are in one part. Those of a class are shared out
/// in stretches, as they are listed: what stands side by side is often written side by side, and alike. A class with a single
/// row is judged in no part, because nothing would be known of it then.
#[must_use]
pub fn parts(rows: &Rows, labels: &[usize], classes: usize) -> Vec<Option<usize>> {
    // Of each class the rows that differ, in order; of each row that is met first, its class and place there.
    let mut counts = vec![0usize; classes];
    let mut first: FxHashMap<Vec<(u32, u32)>, (usize, usize)> = FxHashMap::default();
    let mut places = Vec::with_capacity(labels.len());
    for (row, &label) in labels.iter().enumerate() {
        let key = rows.row(row).iter().map(|&(dimension, value)| (dimension, value.to_bits())).collect();
        let place = *first.entry(key).or_insert_with(|| {
            counts[label] += 1;
            (label, counts[label] - 1)
        });
        places.push(place);
    }
    let part = |&(label, place): &(usize, usize)| match counts[label] {
        0 | 1 => None,
        // The first parts are not those of all small classes.
        count => Some((place * FOLDS / count.max(FOLDS) + label) % FOLDS),
    };
    places.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(rows: &[(u32, usize)]) -> Vec<Option<usize>> {
        let mut sparse = Rows::new(100);
        rows.iter().for_each(|row| sparse.push([(row.0, 1.0)]));
        parts(&sparse, &rows.iter().map(|row| row.1).collect::<Vec<_>>(), 3)
    }

    #[test]
    fn a_class_is_shared_out_in_stretches() {
        let rows: Vec<(u32, usize)> = (0..10).map(|row| (row, 0)).collect();
        assert_eq!(parts_of(&rows), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4].map(Some));
    }

    #[test]
    fn rows_that_are_the_same_are_in_one_part_whatever_their_class() {
        let found = parts_of(&[(1, 0), (2, 0), (1, 0), (1, 1), (3, 1), (4, 1)]);
        assert_eq!((found[2], found[3]), (found[0], found[0]));
        assert_ne!(found[0], found[1]);
    }

    #[test]
    fn a_class_of_one_row_is_never_left_out() {
        assert_eq!(parts_of(&[(1, 0), (2, 0), (5, 2), (5, 2)])[2..], [None, None]);
    }
}
