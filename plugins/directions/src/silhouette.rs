//! Computes the silhouette: how well the two sets are separated.

use crate::{rows::Rows, vectors::distance};

/// The mean silhouette of all rows under the Euclidean distance (Rousseeuw 1987): for a row whose mean distance to the
/// others of its own set is `a` and to the other set is `b`, `(b - a) / max(a, b)`.
///
/// For sets of two rows and more each, not all of which are alike.
pub(crate) fn silhouette(rows: &Rows) -> f64 {
    let positive = rows.positive;
    let count = rows.values.len() / rows.width;
    // For each row, the sums of its distances to its own set and to the other.
    let (mut own, mut other) = (vec![0.0; count], vec![0.0; count]);
    for (i, left) in rows.iter().enumerate() {
        for (j, right) in rows.iter().enumerate().skip(i + 1) {
            let sums = if (i < positive) == (j < positive) { &mut own } else { &mut other };
            let distance = distance(left, right);
            sums[i] += distance;
            sums[j] += distance;
        }
    }
    let mut sum = 0.0;
    for i in 0..count {
        let (own_size, other_size) =
            if i < positive { (positive, count - positive) } else { (count - positive, positive) };
        let (a, b) = (own[i] / (own_size - 1) as f64, other[i] / other_size as f64);
        // A row on which all others lie counts 0.
        if a.max(b) > 0.0 {
            sum += (b - a) / a.max(b);
        }
    }
    sum / count as f64
}
