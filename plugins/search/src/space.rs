//! The space of a study, with each value as a number.

use jackfield_plugin_api::{Condition, Dimension, Domain, Random, Result, Study, Values, prelude::Value, step_value};

/// A dimension whose values are numbers: those of a range as they are, choices by their index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis<'a> {
    pub(crate) name: &'a str,
    pub(crate) domain: Domain<'a>,
    pub(crate) when: Option<&'a Condition>,
}

impl Axis<'_> {
    /// Whether there is no more than one value.
    pub(crate) fn is_fixed(&self) -> bool {
        match self.domain {
            Domain::Float { min, max, .. } => min == max,
            Domain::Steps { count, .. } => count == 1,
            Domain::LogIntegers { min, max } => min == max,
            Domain::Choices(choices) => choices.len() == 1,
        }
    }

    /// Whether the dimension has a value beside these.
    pub(crate) fn applies(&self, values: &Values) -> bool {
        self.when.is_none_or(|when| when.holds(values))
    }

    /// The number of a value; none for one that is not the dimension's.
    pub(crate) fn number(&self, value: &Value) -> Option<f64> {
        match self.domain {
            Domain::Float { min, max, .. } => value.as_f64().filter(|number| (min..=max).contains(number)),
            Domain::Steps { min, step, count, integer } => {
                if integer && value.as_i64().is_none() {
                    return None;
                }
                let step_index = ((value.as_f64()? - min) / step).round();
                let on_step = |step_index: f64| {
                    let number = step_value(min, step, step_index as u64);
                    value.as_f64().filter(|found| (found - number).abs() <= step * 1e-6).map(|_| number)
                };
                Some(step_index).filter(|step_index| (0.0..count as f64).contains(step_index)).and_then(on_step)
            }
            Domain::LogIntegers { min, max } => {
                value.as_i64().filter(|number| (min..=max).contains(number)).map(|number| number as f64)
            }
            Domain::Choices(choices) => {
                choices.iter().position(|choice| choice == value).map(|step_index| step_index as f64)
            }
        }
    }

    /// The nearest number that a value of the dimension has.
    pub(crate) fn nearest(&self, number: f64) -> f64 {
        match self.domain {
            Domain::Float { min, max, .. } => number.clamp(min, max),
            Domain::Steps { min, step, count, .. } => {
                let step_index = ((number - min) / step).round().clamp(0.0, (count - 1) as f64);
                step_value(min, step, step_index as u64)
            }
            Domain::LogIntegers { min, max } => number.round().clamp(min as f64, max as f64),
            Domain::Choices(choices) => number.clamp(0.0, (choices.len() - 1) as f64),
        }
    }

    /// The value of a number that is one of the dimension's.
    pub(crate) fn value(&self, number: f64) -> Value {
        match self.domain {
            Domain::LogIntegers { .. } | Domain::Steps { integer: true, .. } => (number as i64).into(),
            Domain::Float { .. } | Domain::Steps { .. } => number.into(),
            Domain::Choices(choices) => choices[number as usize].clone(),
        }
    }

    /// A number drawn uniformly from the dimension's; uniformly by its logarithm, where the dimension is searched by that.
    pub(crate) fn uniform(&self, random: &mut Random) -> f64 {
        let interpolate = |low: f64, high: f64, share: f64| low + (high - low) * share;
        match self.domain {
            Domain::Float { min, max, log: false } => self.nearest(interpolate(min, max, random.next_f64())),
            Domain::Float { min, max, log: true } => {
                self.nearest(libm::exp(interpolate(libm::log(min), libm::log(max), random.next_f64())))
            }
            Domain::Steps { min, step, count, .. } => step_value(min, step, random.below(count)),
            Domain::LogIntegers { min, max } => {
                let (low, high) = (libm::log(min as f64 - 0.5), libm::log(max as f64 + 0.5));
                self.nearest(libm::exp(interpolate(low, high, random.next_f64())))
            }
            Domain::Choices(choices) => random.below(choices.len() as u64) as f64,
        }
    }
}

/// The dimensions of a study, in its order.
pub(crate) struct Space<'a> {
    pub(crate) axes: Vec<Axis<'a>>,
    /// Indices of the axes, by name.
    by_name: Vec<usize>,
}

impl<'a> Space<'a> {
    /// # Errors
    /// What is wrong with the first dimension that is not valid.
    pub(crate) fn of(study: &'a Study) -> Result<Self> {
        let axis = |dimension: &'a Dimension| {
            Ok(Axis { name: &dimension.name, domain: dimension.domain()?, when: dimension.when.as_ref() })
        };
        let axes = study.space.iter().map(axis).collect::<Result<Vec<_>>>()?;
        let mut by_name: Vec<_> = (0..axes.len()).collect();
        by_name.sort_unstable_by_key(|&index| axes[index].name);
        Ok(Self { axes, by_name })
    }

    /// The numbers of values, one an axis, in a row; not a number where there is none, or one that is not the dimension's.
    pub(crate) fn row(&self, values: &Values, row: &mut [f64]) {
        row.fill(f64::NAN);
        // Both are in order of their names.
        let mut axes = self.by_name.iter().peekable();
        for (name, value) in values {
            while axes.next_if(|&&axis_index| self.axes[axis_index].name < name.as_str()).is_some() {}
            if let Some(&axis_index) = axes.next_if(|&&axis_index| self.axes[axis_index].name == name) {
                row[axis_index] = self.axes[axis_index].number(value).unwrap_or(f64::NAN);
            }
        }
    }

    /// Values drawn uniformly.
    pub(crate) fn uniform(&self, random: &mut Random) -> Values {
        let mut values = Values::new();
        for axis in &self.axes {
            if axis.applies(&values) {
                values.insert(axis.name.to_owned(), axis.value(axis.uniform(random)));
            }
        }
        values
    }

    /// The axes grouped by their conditions: those of a group have values in the same trials. A group follows the one that its
    /// condition is about.
    pub(crate) fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (index, axis) in self.axes.iter().enumerate() {
            match groups.iter_mut().find(|group| self.axes[group[0]].when == axis.when) {
                Some(group) => group.push(index),
                None => groups.push(vec![index]),
            }
        }
        groups
    }
}
