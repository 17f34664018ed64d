//! The kernel that gives each block its weight: how much of a direction is taken out of the block.

use jackfield_plugin_api::prelude::*;

/// How much of the direction a component of each block loses, by how far the block is from the one that loses most.
///
/// With `l` the number of the last block, `D` the distance of a block to `max_weight_position * l` and `R` the larger of
/// `min_weight_distance * l` and 1: nothing where `D` is above `R`, else
/// `max_weight + D / R * (min_weight * max_weight - max_weight)`. The form is that of Heretic (p-e-w/heretic), whose
/// parameters are the same.
#[derive(Clone, Copy, Debug, PartialEq, Config)]
pub struct ComponentKernel {
    /// Weight at the position: 0 leaves the component as it is, 1 takes all of the direction out, more turns it round. One
    /// below 0 counts as 0, so that a search can leave a component out.
    #[config(default = 1.0)]
    #[schemars(range(min = -1000.0, max = 1000.0))]
    pub max_weight: f64,
    /// Where the weight is largest: 0 is the first block, 1 the last.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_weight_position: f64,
    /// Weight at the greatest distance, as a share of `max_weight`.
    #[config(default = 1.0)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_weight: f64,
    /// Beyond this distance, nothing is taken out: as a share of the distance from the first block to the last, and never
    /// less than from one block to the next.
    #[config(default = 1.0)]
    #[schemars(range(min = 0.0))]
    pub min_weight_distance: f64,
}

impl ComponentKernel {
    /// The most that a weight may be.
    const GREATEST_WEIGHT: f64 = 1000.0;

    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`], which names the key.
    pub fn check(&self, component: &str) -> Result<()> {
        let share = 0.0..=1.0;
        for (key, value, is_in_range, range) in [
            ("max_weight", self.max_weight, self.max_weight.abs() <= Self::GREATEST_WEIGHT, "-1000 to 1000"),
            ("max_weight_position", self.max_weight_position, share.contains(&self.max_weight_position), "0 to 1"),
            ("min_weight", self.min_weight, share.contains(&self.min_weight), "0 to 1"),
            (
                "min_weight_distance",
                self.min_weight_distance,
                self.min_weight_distance >= 0.0 && self.min_weight_distance.is_finite(),
                "0 or more",
            ),
        ] {
            if !is_in_range {
                return Err(Failure::InvalidConfig(format!("`{component}.{key}` is {value}: it must be {range}")));
            }
        }
        Ok(())
    }

    /// The weight of each block.
    #[must_use]
    pub fn weights(&self, blocks: usize) -> Vec<f64> {
        let last = blocks.saturating_sub(1) as f64;
        let (position, distance) = (self.max_weight_position * last, (self.min_weight_distance * last).max(1.0));
        (0..blocks).map(|block| self.weight(block as f64, position, distance)).collect()
    }

    /// The weight of a block, with position and distance counted in blocks; `distance` is above 0.
    #[must_use]
    pub fn weight(&self, block: f64, position: f64, distance: f64) -> f64 {
        let max_weight = self.max_weight.max(0.0);
        let offset = (block - position).abs();
        if offset > distance {
            0.0
        } else {
            max_weight + offset / distance * (self.min_weight * max_weight - max_weight)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(max_weight: f64, position: f64, min_weight: f64, distance: f64) -> ComponentKernel {
        ComponentKernel { max_weight, max_weight_position: position, min_weight, min_weight_distance: distance }
    }

    #[test]
    fn a_weight_falls_from_the_position_to_the_distance_and_ends_there() {
        assert_eq!(kernel(1.0, 0.5, 0.5, 0.25).weights(9), [0.0, 0.0, 0.5, 0.75, 1.0, 0.75, 0.5, 0.0, 0.0]);
        // Twice as many blocks, the same shape.
        let deep = kernel(1.0, 0.5, 0.5, 0.25).weights(17);
        assert_eq!(deep.iter().step_by(2).copied().collect::<Vec<_>>(), kernel(1.0, 0.5, 0.5, 0.25).weights(9));
    }

    #[test]
    fn a_distance_is_at_least_a_block_and_one_block_is_its_own_position() {
        assert_eq!(kernel(2.0, 1.0, 0.25, 0.0).weights(4), [0.0, 0.0, 0.5, 2.0]);
        assert_eq!(kernel(2.0, 1.0, 0.25, 0.0).weights(1), [2.0]);
        assert_eq!(kernel(2.0, 1.0, 0.25, 0.0).weights(0), [0.0; 0]);
    }

    #[test]
    fn a_weight_below_zero_leaves_the_component_as_it_is() {
        assert_eq!(kernel(-0.25, 1.0, 0.5, 1.0).weights(3), [0.0; 3]);
    }

    #[test]
    fn values_out_of_range_are_named() {
        let message_of = |kernel: ComponentKernel| kernel.check("mlp").expect_err("out of range").message().to_owned();
        assert_eq!(message_of(kernel(1.0, 1.5, 0.0, 1.0)), "`mlp.max_weight_position` is 1.5: it must be 0 to 1");
        assert_eq!(message_of(kernel(f64::NAN, 1.0, 0.0, 1.0)), "`mlp.max_weight` is NaN: it must be -1000 to 1000");
        assert_eq!(message_of(kernel(1.0, 1.0, -0.1, 1.0)), "`mlp.min_weight` is -0.1: it must be 0 to 1");
        assert_eq!(
            message_of(kernel(1.0, 1.0, 0.0, f64::INFINITY)),
            "`mlp.min_weight_distance` is inf: it must be 0 or more"
        );
        assert_eq!(kernel(-0.25, 0.0, 1.0, 0.0).check("mlp"), Ok(()));
    }
}
