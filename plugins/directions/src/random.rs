//! Draws random directions, to compare extracted ones with.

use jackfield_plugin_api::Random;

use crate::vectors::{dot, normalized};

/// A unit vector drawn evenly from the sphere, another one in each layer, on the side of the difference of the means. Normal
/// numbers by Box and Muller (1958), whose direction is even.
pub(crate) fn direction(seed: u64, layer: usize, difference: &[f64]) -> Option<(Vec<f64>, f64)> {
    let mut random = Random::new(Random::new(seed).next_u64() ^ Random::new(layer as u64).next_u64());
    let mut drawn = Vec::with_capacity(difference.len() + 1);
    while drawn.len() < difference.len() {
        // In (0, 1], so that the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - random.next_f64()));
        let angle = std::f64::consts::TAU * random.next_f64();
        drawn.extend([radius * libm::cos(angle), radius * libm::sin(angle)]);
    }
    drawn.truncate(difference.len());
    let (mut direction, _) = normalized(drawn)?;
    let along = dot(&direction, difference);
    if along < 0.0 {
        direction.iter_mut().for_each(|x| *x = -*x);
    }
    Some((direction, along.abs()))
}

#[cfg(test)]
mod tests {
    use super::direction;
    use crate::vectors::{dot, norm};

    #[test]
    fn a_direction_is_its_seed_and_its_layer_and_is_on_the_side_of_the_difference() {
        let difference: Vec<f64> = (0..33).map(|at| f64::from(at) - 11.0).collect();
        let drawn = |seed, layer| direction(seed, layer, &difference).expect("a direction").0;
        let first = drawn(1, 1);
        assert!((norm(&first) - 1.0).abs() < 1e-12 && dot(&first, &difference) >= 0.0);
        assert_eq!(first, drawn(1, 1));
        assert!(dot(&first, &drawn(1, 2)).abs() < 0.9 && dot(&first, &drawn(2, 1)).abs() < 0.9);
        let turned: Vec<f64> = difference.iter().map(|x| -x).collect();
        let other = direction(1, 1, &turned).expect("a direction").0;
        assert!(first.iter().zip(&other).all(|(a, b)| *a == -*b));
    }
}
