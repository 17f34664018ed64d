//! The directions of the blocks of a model, and the direction for an index between two blocks.

use jackfield_plugin_api::prelude::*;

/// A sum of two directions with a smaller norm has no direction of its own: they cancel each other out.
const SHORTEST_MIX: f64 = 1e-6;

/// A direction of unit length for each block that has one.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitDirections {
    /// The direction of each block; `None` for one whose direction is degenerate.
    directions: Vec<Option<Vec<f32>>>,
}

/// The direction for an index.
#[derive(Clone, Debug, PartialEq)]
pub enum PickedDirection {
    /// That of a block, as it is.
    Block(usize),
    /// One between those of two blocks, of unit length.
    Between(Vec<f32>),
}

impl UnitDirections {
    /// Directions by block, in order.
    #[must_use]
    pub const fn new(directions: Vec<Option<Vec<f32>>>) -> Self {
        Self { directions }
    }

    /// How many blocks there are.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.directions.len()
    }

    /// Whether a block has a direction.
    #[must_use]
    pub fn has_direction(&self, block: usize) -> bool {
        self.directions.get(block).is_some_and(Option::is_some)
    }

    /// The direction at an index, 0 for the first block: between two blocks their directions are mixed linearly, and the mix is
    /// brought to unit length. A block without a direction is never picked: between it and one that has one, that one counts,
    /// and between two without, the nearest that has one, of two that are as near the later.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] if no block has a direction.
    pub fn at(&self, index: f64) -> Result<PickedDirection> {
        let last = self.directions.len().saturating_sub(1);
        let index = index.clamp(0.0, last as f64);
        let block_below = index.floor() as usize;
        let (block_above, share) = ((block_below + 1).min(last), index - block_below as f64);
        let direction_of = |block: usize| self.directions.get(block).and_then(Option::as_deref);
        match (direction_of(block_below), direction_of(block_above)) {
            (Some(_), _) if share == 0.0 => Ok(PickedDirection::Block(block_below)),
            (Some(below), Some(above)) => {
                let nearer = if share < 0.5 { block_below } else { block_above };
                Ok(mix_directions(below, above, share).map_or(PickedDirection::Block(nearer), PickedDirection::Between))
            }
            (Some(_), None) => Ok(PickedDirection::Block(block_below)),
            (None, Some(_)) if share > 0.0 => Ok(PickedDirection::Block(block_above)),
            _ => self.nearest(index).map(PickedDirection::Block),
        }
    }

    fn nearest(&self, index: f64) -> Result<usize> {
        let distance_to = |block: &usize| (*block as f64 - index).abs();
        let blocks = (0..self.directions.len()).rev().filter(|block| self.has_direction(*block));
        let no_direction =
            || Failure::InvalidInput("no layer has a direction: the prompts of both sets are alike".to_owned());
        // Of equals, the first counts, which is the later block.
        blocks.min_by(|first, second| distance_to(first).total_cmp(&distance_to(second))).ok_or_else(no_direction)
    }
}

/// A mix of two directions, of unit length; none if they cancel each other out.
fn mix_directions(below: &[f32], above: &[f32], share: f64) -> Option<Vec<f32>> {
    let sum: Vec<f64> =
        below.iter().zip(above).map(|(x, y)| f64::from(*x) * (1.0 - share) + f64::from(*y) * share).collect();
    let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    (norm > SHORTEST_MIX).then(|| sum.into_iter().map(|x| (x / norm) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directions(rows: &[Option<[f32; 2]>]) -> UnitDirections {
        UnitDirections::new(rows.iter().map(|row| row.map(|row| row.to_vec())).collect())
    }

    #[test]
    fn between_blocks_directions_are_mixed_and_of_unit_length() {
        let found = directions(&[Some([1.0, 0.0]), Some([0.0, 1.0])]);
        assert_eq!(found.at(0.0), Ok(PickedDirection::Block(0)));
        assert_eq!(found.at(1.0), Ok(PickedDirection::Block(1)));
        let half = 0.5_f32.sqrt();
        assert_eq!(found.at(0.5), Ok(PickedDirection::Between(vec![half, half])));
        let Ok(PickedDirection::Between(mix)) = found.at(0.25) else { panic!("between") };
        assert!((mix[0] / mix[1] - 3.0).abs() < 1e-6 && (mix[0].hypot(mix[1]) - 1.0).abs() < 1e-6, "{mix:?}");
    }

    #[test]
    fn a_block_without_a_direction_is_never_picked() {
        let found = directions(&[None, Some([1.0, 0.0]), None, None, None, Some([0.0, 1.0])]);
        let picked = |index| found.at(index).expect("there is one");
        for (index, block) in
            [(0.0, 1), (0.01, 1), (0.99, 1), (1.5, 1), (2.0, 1), (2.4, 1), (3.0, 5), (3.5, 5), (4.9, 5)]
        {
            assert_eq!(picked(index), PickedDirection::Block(block), "{index}");
        }
        assert!(directions(&[None, None]).at(0.5).is_err());
        assert!(directions(&[]).at(0.5).is_err());
    }

    #[test]
    fn directions_that_cancel_each_other_out_are_not_mixed() {
        let found = directions(&[Some([1.0, 0.0]), Some([-1.0, 0.0])]);
        assert_eq!(found.at(0.5), Ok(PickedDirection::Block(1)));
        assert!(matches!(found.at(0.25), Ok(PickedDirection::Between(_))));
    }
}
