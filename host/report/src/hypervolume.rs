//! The hypervolume: how much of the space of objectives a set of points dominates.

use super::pareto_front::distinct_pareto_front;

/// The most comparisons of points for one hypervolume: the time that it takes grows exponentially with the number of objectives.
const MOST_STEPS: u64 = 20_000_000;

/// The volume that these points dominate, up to a reference point. Less is better in every coordinate; a point that is not better
/// than the reference in all of them adds nothing. None if there are too many points of too many objectives to compute it.
pub(crate) fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> Option<f64> {
    hypervolume_in_steps(MOST_STEPS, points, reference)
}

fn hypervolume_in_steps(mut steps_left: u64, points: &[Vec<f64>], reference: &[f64]) -> Option<f64> {
    let is_within = |point: &&Vec<f64>| point.iter().zip(reference).all(|(value, limit)| value < limit);
    let front = distinct_pareto_front(points.iter().filter(is_within).cloned().collect(), &mut steps_left)?;
    volume(front, reference, &mut steps_left)
}

/// While, Bradstreet and Barone 2012 (WFG): what each point dominates alone, once those after it are limited to the region that it dominates.
fn volume(mut points: Vec<Vec<f64>>, reference: &[f64], steps_left: &mut u64) -> Option<f64> {
    match reference.len() {
        0 => return Some(0.0),
        1 => return Some(points.iter().map(|point| reference[0] - point[0]).fold(0.0, f64::max)),
        2 => return Some(area(points, reference)),
        _ => {}
    }
    // The points that are worst in the last coordinate come first: they reduce the others the most.
    points.sort_by(|a, b| b[reference.len() - 1].total_cmp(&a[reference.len() - 1]));
    let mut sum = 0.0;
    for (index, point) in points.iter().enumerate() {
        let own_box: f64 = point.iter().zip(reference).map(|(value, limit)| limit - value).product();
        let limited = |other: &Vec<f64>| other.iter().zip(point).map(|(a, b)| a.max(*b)).collect();
        let others = distinct_pareto_front(points[index + 1..].iter().map(limited).collect(), steps_left)?;
        sum += own_box - volume(others, reference, steps_left)?;
    }
    Some(sum)
}

/// The area that points in a plane dominate. None of them dominates another.
fn area(mut points: Vec<Vec<f64>>, reference: &[f64]) -> f64 {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut above = reference[1];
    let mut sum = 0.0;
    for point in points {
        let high = (above - point[1]).max(0.0);
        sum += (reference[0] - point[0]) * high;
        above -= high;
    }
    sum
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Random;

    use super::*;

    fn close(found: Option<f64>, wanted: f64) {
        assert!(found.is_some_and(|found| (found - wanted).abs() < 1e-12), "{found:?}, not {wanted}");
    }

    #[test]
    fn a_volume_is_that_of_boxes_joined() {
        let plane = [vec![1.0, 3.0], vec![2.0, 2.0], vec![3.0, 1.0], vec![3.0, 3.0], vec![9.0, 0.0], vec![2.0, 2.0]];
        close(hypervolume(&plane, &[4.0, 4.0]), 3.0 + 2.0 + 1.0);
        close(hypervolume(&[vec![0.25], vec![0.75]], &[1.0]), 0.75);
        close(hypervolume(&[], &[1.0, 1.0]), 0.0);
        // Three slabs of 1 x 3 x 3, all of which hold the cube of 1 and pairs of which hold 1 x 1 x 3.
        let slabs = [vec![2.0, 0.0, 0.0], vec![0.0, 2.0, 0.0], vec![0.0, 0.0, 2.0]];
        close(hypervolume(&slabs, &[3.0; 3]), 3.0 * 9.0 - 3.0 * 3.0 + 1.0);
        // A coordinate in which all are alike is a factor.
        let flat: Vec<Vec<f64>> = slabs.iter().map(|point| [point.as_slice(), &[0.5]].concat()).collect();
        close(hypervolume(&flat, &[3.0, 3.0, 3.0, 1.0]), 19.0 * 0.5);
    }

    #[test]
    fn a_volume_is_what_counting_cells_gives() {
        // Corners of cells of a grid.
        let mut random = Random::new(7);
        let mut next = |below: u64| random.below(below);
        for dimensions in 2..=4_u32 {
            let points: Vec<Vec<f64>> = (0..9).map(|_| (0..dimensions).map(|_| next(6) as f64).collect()).collect();
            let cells = (0..6_u32.pow(dimensions)).filter(|cell| {
                let corner: Vec<f64> = (0..dimensions).map(|at| f64::from(cell / 6_u32.pow(at) % 6)).collect();
                points.iter().any(|point| point.iter().zip(&corner).all(|(value, corner)| value <= corner))
            });
            close(hypervolume(&points, &vec![6.0; dimensions as usize]), cells.count() as f64);
        }
    }

    #[test]
    fn what_would_take_for_ever_is_left_out() {
        let mut random = Random::new(9);
        let points: Vec<Vec<f64>> = (0..60).map(|_| (0..9).map(|_| random.next_f64()).collect()).collect();
        assert_eq!(hypervolume_in_steps(10_000, &points, &[1.0; 9]), None);
    }
}
