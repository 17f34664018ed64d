//! The space that a search picks values from, and what the search is about.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Failure, Result};

/// Values by the names of their dimensions; a dimension whose condition does not hold has no value.
pub type Values = BTreeMap<String, Value>;

/// One dimension of a space: a range (`min`, `max`) or a list of `choices`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// The name, such as `ablation.max_weight`.
    pub name: String,
    /// The least value, which is one of the range; finite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest value, which is one of the range; finite, at least `min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Whether the logarithm is what is searched evenly: `min` is above 0 then.
    #[serde(default)]
    pub log: bool,
    /// The distance of one value to the next, counted from `min`; above 0. Any value of the range without it. Not beside `log`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// Whether values are integers: `min` and `max` are, and `step`, which is 1 by default.
    #[serde(default)]
    pub integer: bool,
    /// What to choose from, each once: at least one; empty for a range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Value>,
    /// The condition for the dimension to have a value. A dimension without a condition always has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
}

/// A condition on the value of another dimension, which stands earlier in the space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Name of the other dimension.
    pub name: String,
    /// The values of the other dimension for which the condition holds. It does not hold where that has no value.
    #[serde(rename = "is")]
    pub values: Vec<Value>,
}

impl Condition {
    /// Whether the condition holds, given the values of other dimensions.
    #[must_use]
    pub fn holds(&self, values: &Values) -> bool {
        values.get(&self.name).is_some_and(|value| self.values.contains(value))
    }
}

/// The set of values that a dimension has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain<'a> {
    /// Any number from `min` to `max`, both included.
    Float {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
        /// Whether the logarithm is searched evenly.
        log: bool,
    },
    /// `min`, `min + step`, … up to `max`.
    Steps {
        /// The least.
        min: f64,
        /// The distance of one to the next.
        step: f64,
        /// How many there are, at least 1.
        count: u64,
        /// Whether they are integers.
        integer: bool,
    },
    /// Every integer from `min` to `max`, the logarithm of which is searched evenly.
    LogIntegers {
        /// The least, at least 1.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// One of these.
    Choices(&'a [Value]),
}

/// The largest integer to which every integer is a 64-bit float.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Dimension {
    /// The set of values of the dimension.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the dimension is not valid: it says what is missing, too much or out of range.
    pub fn domain(&self) -> Result<Domain<'_>> {
        let invalid = |what: &str| Err(Failure::InvalidConfig(format!("`{}` of the space: {what}", self.name)));
        let (min, max) = match (self.min, self.max, self.choices.as_slice()) {
            (None, None, []) => return invalid("has neither a range (`min` and `max`) nor choices"),
            (None, None, choices) => {
                if self.log || self.step.is_some() || self.integer {
                    return invalid("`log`, `step` and `integer` are for ranges, and it has choices");
                }
                return Ok(Domain::Choices(choices));
            }
            (Some(min), Some(max), []) => (min, max),
            (_, _, []) => return invalid("has one end of a range, and needs both"),
            _ => return invalid("has both a range and choices"),
        };
        if !(min.is_finite() && max.is_finite() && min <= max) {
            return invalid("`min` is not at most `max`");
        }
        if !(max - min).is_finite() {
            return invalid("its range is wider than any number");
        }
        if self.log && min <= 0.0 {
            return invalid("`log` needs a range above 0");
        }
        if self.log && self.step.is_some() {
            return invalid("has both `log` and `step`");
        }
        let whole = |number: f64| number.fract() == 0.0 && number.abs() <= EXACT;
        if self.integer && !(whole(min) && whole(max) && self.step.is_none_or(whole)) {
            return invalid("is of integers, but an end or the step of its range is not an integer");
        }
        if self.log {
            return Ok(if self.integer {
                Domain::LogIntegers { min: min as i64, max: max as i64 }
            } else {
                Domain::Float { min, max, log: true }
            });
        }
        let Some(step) = self.step.or(self.integer.then_some(1.0)) else {
            return Ok(Domain::Float { min, max, log: false });
        };
        if !(step.is_finite() && step > 0.0) {
            return invalid("`step` is not above 0");
        }
        // The end of the range counts even if rounding leaves it a last bit short of a whole number of steps.
        let steps = ((max - min) / step + 1e-9).floor();
        if steps > EXACT {
            return invalid("has too many steps");
        }
        Ok(Domain::Steps { min, step, count: steps as u64 + 1, integer: self.integer })
    }

    /// Whether the same choice is listed twice.
    pub(crate) fn repeats_a_choice(&self) -> bool {
        let mut seen = BTreeSet::new();
        self.choices.iter().any(|choice| !seen.insert(choice.to_string()))
    }

    /// Whether the dimension has a value, given the values of other dimensions.
    #[must_use]
    pub fn applies(&self, values: &Values) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(values))
    }

    /// Whether this is one of its values.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        let number = value.as_f64();
        let between = |least: f64, greatest: f64| number.is_some_and(|number| (least..=greatest).contains(&number));
        match self.domain() {
            Ok(Domain::Choices(choices)) => choices.contains(value),
            Ok(Domain::Float { min, max, .. }) => between(min, max),
            Ok(Domain::LogIntegers { min, max }) => value.as_i64().is_some_and(|number| (min..=max).contains(&number)),
            Ok(Domain::Steps { min, step, count, integer }) => {
                if integer && value.as_i64().is_none() {
                    return false;
                }
                let Some(number) = number else { return false };
                let at = ((number - min) / step).round();
                at >= 0.0 && at < count as f64 && (number - step_value(min, step, at as u64)).abs() <= step * 1e-6
            }
            Err(_) => false,
        }
    }
}

/// The value that is `at` steps from `min`, without the digits that rounding adds: 0.3 and not 0.30000000000000004, so that it
/// equals the number that a pipeline would state.
#[must_use]
pub fn step_value(min: f64, step: f64, at: u64) -> f64 {
    let value = min + step * at as f64;
    // Thirteen digits are more than a step of a range is written with, and fewer than rounding changes.
    let short: f64 = format!("{value:.12e}").parse().unwrap_or(value);
    // Where they are too few, as with a small step far from 0, the value is left as it was computed.
    if (short - value).abs() <= step * 1e-9 { short } else { value }
}

/// An objective that is to be minimized or maximized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Name of the objective, such as `kl.mean`.
    pub name: String,
    /// Whether less is better.
    pub minimize: bool,
}

/// The definition of a search: the same for all its trials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// The dimensions, at least one. The condition of a dimension is on an earlier one.
    pub space: Vec<Dimension>,
    /// The objectives, at least one.
    pub goals: Vec<Goal>,
    /// How many reports a trial makes before it is done, where it may be stopped at each of them; 0 where trials are never
    /// stopped. The numbers that are reported measure the one goal.
    #[serde(default)]
    pub reports: u32,
}

impl Study {
    /// The least value, or the first choice, of each dimension that has a value beside those before it.
    #[must_use]
    pub fn first_values(&self) -> Values {
        let mut values = Values::new();
        for dimension in self.space.iter() {
            if !dimension.applies(&values) {
                continue;
            }
            let value = match dimension.domain() {
                Ok(Domain::Choices([first, ..])) => first.clone(),
                Ok(Domain::LogIntegers { min, .. }) => min.into(),
                Ok(Domain::Steps { min, integer: true, .. }) => (min as i64).into(),
                Ok(Domain::Steps { min, .. } | Domain::Float { min, .. }) => min.into(),
                Ok(Domain::Choices([])) | Err(_) => continue,
            };
            values.insert(dimension.name.clone(), value);
        }
        values
    }

    /// Checks values against the space: each dimension that applies must have one of its values, and there must be no others.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] that names the first value that does not fit.
    pub fn check(&self, values: &Values) -> Result<()> {
        let invalid = |what: String| Err(Failure::InvalidInput(what));
        for dimension in &self.space {
            let name = &dimension.name;
            match (dimension.applies(values), values.get(name)) {
                (true, None) => return invalid(format!("there is no value of `{name}`")),
                (false, Some(_)) => {
                    return invalid(format!("there is a value of `{name}`, whose condition does not hold"));
                }
                (true, Some(value)) if !dimension.contains(value) => {
                    return invalid(format!("{value} is not a value of `{name}`"));
                }
                _ => {}
            }
        }
        match values.keys().find(|name| !self.space.iter().any(|dimension| dimension.name == **name)) {
            Some(name) => invalid(format!("there is no dimension `{name}`")),
            None => Ok(()),
        }
    }
}
