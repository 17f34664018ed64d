//! The plane of the first two principal components of a few vectors.

/// Rounds of the iteration: far more than points that are drawn need.
const ROUNDS: usize = 200;

/// Vectors as points in the plane of their first two principal components.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plane {
    /// A point a vector, about their mean.
    pub(super) points: Vec<(f64, f64)>,
    /// The share of the variance that lies along each component, 0 to 1.
    pub(super) shares: [f64; 2],
}

/// The plane of vectors of the same length; none of fewer than two, of vectors that are all alike, or not finite.
///
/// The eigenvectors of the vectors' inner products are found by orthogonal iteration from a fixed start: with far fewer vectors
/// than dimensions, that is the cheap way.
pub(super) fn plane(vectors: &[Vec<f64>]) -> Option<Plane> {
    let count = vectors.len();
    let length = vectors.first()?.len();
    if count < 2 || vectors.iter().flatten().any(|value| !value.is_finite()) {
        return None;
    }
    let mean: Vec<f64> =
        (0..length).map(|at| vectors.iter().map(|vector| vector[at]).sum::<f64>() / count as f64).collect();
    let centred: Vec<Vec<f64>> =
        vectors.iter().map(|vector| vector.iter().zip(&mean).map(|(value, mean)| value - mean).collect()).collect();
    let mut products = vec![vec![0.0; count]; count];
    for row in 0..count {
        for column in 0..=row {
            let product = dot(&centred[row], &centred[column]);
            products[row][column] = product;
            products[column][row] = product;
        }
    }
    let total: f64 = (0..count).map(|at| products[at][at]).sum();
    if !(total > 0.0 && total.is_finite()) {
        return None;
    }
    // Any start that is not orthogonal to what is looked for will do.
    let mut first: Vec<f64> = (0..count).map(|at| 1.0 + (at * 7_919 % 101) as f64 / 101.0).collect();
    let mut second: Vec<f64> = (0..count).map(|at| ((at * 104_729 + 13) % 103) as f64 / 103.0 - 0.5).collect();
    let mut values = [0.0; 2];
    for _ in 0..ROUNDS {
        let (mut one, mut two) = (times(&products, &first), times(&products, &second));
        values[0] = unit(&mut one);
        let along = dot(&one, &two);
        two.iter_mut().zip(&one).for_each(|(value, one)| *value -= along * one);
        values[1] = unit(&mut two);
        let moved = 2.0 - dot(&one, &first).abs() - dot(&two, &second).abs();
        (first, second) = (one, two);
        if moved.abs() < 1e-13 {
            break;
        }
    }
    let [along, across] = values.map(|value| value.max(0.0).sqrt());
    let points = first.iter().zip(&second).map(|(one, two)| (one * along, two * across)).collect();
    Some(Plane { points, shares: values.map(|value| (value / total).clamp(0.0, 1.0)) })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn times(matrix: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| dot(row, vector)).collect()
}

/// Brings a vector to length 1 and gives its length; what is almost nothing becomes nothing.
fn unit(vector: &mut [f64]) -> f64 {
    let length = dot(vector, vector).sqrt();
    let scale = if length > f64::MIN_POSITIVE { 1.0 / length } else { 0.0 };
    vector.iter_mut().for_each(|value| *value *= scale);
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_keeps_the_distances_of_points_that_lie_in_one() {
        // Points of a plane in five dimensions, longer than wide.
        let corners = [(0.0, 0.0), (6.0, 0.0), (6.0, 1.0), (0.0, 1.0), (3.0, 2.5)];
        let vectors: Vec<Vec<f64>> = corners.iter().map(|(x, y)| vec![0.6 * x, 0.8 * x, *y, 4.0, -1.0]).collect();
        let Plane { points, shares } = plane(&vectors).expect("a plane");
        let far = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).hypot(a.1 - b.1);
        for a in 0..corners.len() {
            for b in 0..a {
                assert!((far(points[a], points[b]) - far(corners[a], corners[b])).abs() < 1e-6, "{a} {b}");
            }
        }
        assert!((shares[0] + shares[1] - 1.0).abs() < 1e-9 && shares[0] > 0.8, "{shares:?}");
    }

    #[test]
    fn what_has_no_plane_has_none() {
        assert_eq!(plane(&[]), None);
        assert_eq!(plane(&[vec![1.0, 2.0]]), None);
        assert_eq!(plane(&[vec![1.0, 2.0], vec![1.0, 2.0]]), None);
        assert_eq!(plane(&[vec![1.0, f64::NAN], vec![1.0, 2.0]]), None);
        // On a line, nothing lies across.
        let line = plane(&[vec![0.0, 0.0], vec![3.0, 4.0], vec![6.0, 8.0]]).expect("a line");
        assert!(line.points.iter().all(|(_, across)| across.abs() < 1e-5), "{line:?}");
        assert!((line.shares[0] - 1.0).abs() < 1e-9);
    }
}
