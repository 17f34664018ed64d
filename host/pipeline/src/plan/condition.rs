//! Conditions on values: when a stage is on, and what a run requires.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::wire::Wire;

/// When a stage is on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhenPlan {
    /// The value that decides.
    pub wire: Wire,
    /// What has to hold of it.
    pub condition: Condition,
}

/// What a run requires of a value of all its items together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequirementPlan {
    /// The value: a wire into a stage that runs over all items, or once a run.
    pub wire: Wire,
    /// What has to hold of it; never [`Condition::True`].
    pub condition: Condition,
}

/// What has to hold of a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It is `true`.
    True,
    /// It is this. Numbers are compared as numbers.
    Equals(Value),
    /// It is not this.
    Not(Value),
    /// It is a number within these bounds, which count as within; one of them may be absent.
    Within {
        /// The least.
        at_least: Option<Number>,
        /// The most.
        at_most: Option<Number>,
    },
}

impl Condition {
    /// Whether it holds of a value. `null` is neither true nor a number within bounds.
    ///
    /// # Errors
    /// If the value is of another type than the condition speaks of; in words that follow "it is …".
    pub fn holds(&self, value: &Value) -> Result<bool, &'static str> {
        match (self, value) {
            (Self::Equals(wanted), value) => Ok(is_equal(wanted, value)),
            (Self::Not(unwanted), value) => Ok(!is_equal(unwanted, value)),
            (Self::True | Self::Within { .. }, Value::Null) => Ok(false),
            (Self::True, Value::Bool(value)) => Ok(*value),
            (Self::True, _) => Err("neither `true` nor `false`"),
            (Self::Within { at_least, at_most }, Value::Number(value)) => {
                let number = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
                let value = number(value);
                let above = at_least.as_ref().is_none_or(|least| value >= number(least));
                Ok(above && at_most.as_ref().is_none_or(|most| value <= number(most)))
            }
            (Self::Within { .. }, _) => Err("not a number"),
        }
    }

    /// The condition in the words of a pipeline file: `equals "billing"`, `at least 0.5 and at most 1`, `true`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::True => "true".to_owned(),
            Self::Equals(value) => format!("equals {value}"),
            Self::Not(value) => format!("not {value}"),
            Self::Within { at_least, at_most } => {
                let bounds = [("at least", at_least), ("at most", at_most)];
                let words = bounds.iter().filter_map(|(word, bound)| Some(format!("{word} {}", bound.as_ref()?)));
                words.collect::<Vec<_>>().join(" and ")
            }
        }
    }

    /// The keys of a pipeline file that say it, without the wire.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::True => Vec::new(),
            Self::Equals(value) => vec![("equals", value.clone())],
            Self::Not(value) => vec![("not", value.clone())],
            Self::Within { at_least, at_most } => {
                let bounds = [("at_least", at_least), ("at_most", at_most)];
                bounds.iter().filter_map(|(key, bound)| Some((*key, Value::Number((*bound).clone()?)))).collect()
            }
        }
    }
}

/// Whether two values are the same; 1 and 1.0 are.
fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| is_equal(left, right)))
        }
        (left, right) => left == right,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_holds_or_does_not_or_speaks_of_another_type() {
        let within = |least: Option<i64>, most: Option<i64>| Condition::Within {
            at_least: least.map(Number::from),
            at_most: most.map(Number::from),
        };
        assert_eq!(Condition::True.holds(&json!(true)), Ok(true));
        assert_eq!(Condition::True.holds(&json!(false)), Ok(false));
        assert_eq!(Condition::True.holds(&json!(null)), Ok(false));
        assert!(Condition::True.holds(&json!("true")).is_err());
        assert_eq!(Condition::Equals(json!(1)).holds(&json!(1.0)), Ok(true));
        assert_eq!(Condition::Equals(json!({ "a": [1] })).holds(&json!({ "a": [1.0] })), Ok(true));
        assert_eq!(Condition::Not(json!("a")).holds(&json!(null)), Ok(true));
        assert_eq!(Condition::Not(json!("a")).holds(&json!("a")), Ok(false));
        assert_eq!(within(Some(1), Some(2)).holds(&json!(2)), Ok(true));
        assert_eq!(within(Some(1), None).holds(&json!(0.999)), Ok(false));
        assert_eq!(within(None, Some(2)).holds(&json!(null)), Ok(false));
        assert!(within(None, Some(2)).holds(&json!("2")).is_err());
        assert_eq!(within(Some(1), Some(2)).words(), "at least 1 and at most 2");
    }
}
