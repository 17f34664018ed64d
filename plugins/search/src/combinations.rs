//! The combinations of the values of a space, numbered in order.

use jackfield_plugin_api::{Domain, Values, step_value};

use crate::space::{Axis, Space};

/// A space, and the combinations of its values in order.
pub(crate) struct Combinations<'a> {
    space: &'a Space<'a>,
    points: u64,
    /// For each axis, the indices of the values that a condition names, in order: which axes apply after it depends on them alone.
    named: Vec<Vec<u64>>,
}

/// How many combinations of the later axes there are for each value of an axis.
struct Continuations {
    /// Indices of the values that conditions name, in order, with the number of combinations for each.
    named: Vec<(u64, u64)>,
    /// The number of combinations for each other value.
    other: u64,
}

impl<'a> Combinations<'a> {
    /// The combinations of a space, with ranges cut into so many points.
    pub(crate) fn of(space: &'a Space<'a>, points: Option<u32>) -> Self {
        let mut combinations =
            Self { space, points: points.map_or(1, u64::from), named: vec![Vec::new(); space.axes.len()] };
        for (axis_index, axis) in space.axes.iter().enumerate() {
            let values = space.axes.iter().filter_map(|other| other.when).filter(|when| when.name == axis.name);
            let values = values.flat_map(|when| &when.values).filter_map(|value| axis.number(value));
            let mut indices: Vec<u64> = values.filter_map(|number| combinations.value_index(axis, number)).collect();
            indices.sort_unstable();
            indices.dedup();
            combinations.named[axis_index] = indices;
        }
        combinations
    }

    /// How many values an axis has.
    fn count(&self, axis: &Axis) -> u64 {
        match axis.domain {
            Domain::Float { .. } if axis.is_fixed() => 1,
            Domain::Float { .. } => self.points,
            Domain::Steps { count, .. } => count,
            Domain::LogIntegers { min, max } => max.abs_diff(min) + 1,
            Domain::Choices(choices) => choices.len() as u64,
        }
    }

    /// The value of this index as a number.
    fn number(&self, axis: &Axis, value_index: u64) -> f64 {
        match axis.domain {
            Domain::Float { min, max, log } => {
                let share = value_index as f64 / (self.points - 1).max(1) as f64;
                let number = if log {
                    let (low, high) = (libm::log(min), libm::log(max));
                    libm::exp(low + (high - low) * share)
                } else {
                    min + (max - min) * share
                };
                // An end is exactly that.
                if value_index == 0 {
                    min
                } else if value_index + 1 == self.points {
                    max
                } else {
                    axis.nearest(number)
                }
            }
            Domain::Steps { min, step, .. } => step_value(min, step, value_index),
            Domain::LogIntegers { min, .. } => min as f64 + value_index as f64,
            Domain::Choices(_) => value_index as f64,
        }
    }

    /// Index of the axis' value that a number is.
    fn value_index(&self, axis: &Axis, number: f64) -> Option<u64> {
        let value_index = match axis.domain {
            Domain::Float { min, max, log } => {
                let scale = |x: f64| if log { libm::log(x) } else { x };
                let share = (scale(number) - scale(min)) / (scale(max) - scale(min));
                if axis.is_fixed() { 0.0 } else { share * (self.points - 1) as f64 }
            }
            Domain::Steps { min, step, .. } => (number - min) / step,
            Domain::LogIntegers { min, .. } => number - min as f64,
            Domain::Choices(_) => number,
        };
        let value_index = value_index.round().max(0.0) as u64;
        let found = self.number(axis, value_index);
        (value_index < self.count(axis) && (found - number).abs() <= 1e-9 * found.abs().max(number.abs()))
            .then_some(value_index)
    }

    /// Sets the axis to its value of this index.
    fn insert_value(&self, values: &mut Values, axis_index: usize, value_index: u64) {
        let axis = &self.space.axes[axis_index];
        values.insert(axis.name.to_owned(), axis.value(self.number(axis, value_index)));
    }

    /// How many combinations of the axes from this one on there are, given these values of the axes before it.
    pub(crate) fn combinations_from(&self, axis_index: usize, values: &mut Values) -> u64 {
        let Some(axis) = self.space.axes.get(axis_index) else { return 1 };
        if !axis.applies(values) {
            return self.combinations_from(axis_index + 1, values);
        }
        let Continuations { named, other } = self.continuations(axis_index, values);
        let others = (self.count(axis) - named.len() as u64).saturating_mul(other);
        named.iter().fold(others, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// How many combinations of the later axes there are for each value of this one.
    fn continuations(&self, axis_index: usize, values: &mut Values) -> Continuations {
        let named = &self.named[axis_index];
        let mut combinations_with = |value_index: u64| {
            self.insert_value(values, axis_index, value_index);
            let combinations_from = self.combinations_from(axis_index + 1, values);
            values.remove(&self.space.axes[axis_index].name.to_owned());
            combinations_from
        };
        let other_index = (0..)
            .find(|value_index| !named.contains(value_index))
            .filter(|value_index| *value_index < self.count(&self.space.axes[axis_index]));
        Continuations {
            named: named.iter().map(|&value_index| (value_index, combinations_with(value_index))).collect(),
            other: other_index.map_or(0, &mut combinations_with),
        }
    }

    /// The combination of this rank, which is less than the total.
    pub(crate) fn combination(&self, mut rank: u64) -> Values {
        let mut values = Values::new();
        for axis_index in 0..self.space.axes.len() {
            if !self.space.axes[axis_index].applies(&values) {
                continue;
            }
            let Continuations { named, other } = self.continuations(axis_index, &mut values);
            let mut value_index = 0;
            for (named_index, count) in named {
                let before = (named_index - value_index).saturating_mul(other);
                if rank < before {
                    break;
                }
                rank -= before;
                value_index = named_index;
                if rank < count {
                    break;
                }
                rank -= count;
                value_index += 1;
            }
            if !self.named[axis_index].contains(&value_index) && other > 0 {
                value_index += rank / other;
                rank %= other;
            }
            self.insert_value(&mut values, axis_index, value_index);
        }
        values
    }

    /// The rank of a combination; none of values that are not one.
    pub(crate) fn rank(&self, given: &Values) -> Option<u64> {
        let mut values = Values::new();
        let mut rank: u64 = 0;
        for (axis_index, axis) in self.space.axes.iter().enumerate() {
            if !axis.applies(&values) {
                continue;
            }
            let value_index = self.value_index(axis, axis.number(given.get(axis.name)?)?)?;
            let Continuations { named, other } = self.continuations(axis_index, &mut values);
            let named_before = named.iter().filter(|(named, _)| *named < value_index);
            let others_before = value_index - named_before.clone().count() as u64;
            let skipped =
                named_before.fold(others_before.saturating_mul(other), |sum, (_, count)| sum.saturating_add(*count));
            rank = rank.saturating_add(skipped);
            self.insert_value(&mut values, axis_index, value_index);
        }
        Some(rank)
    }
}
