//! Which numbers a schema allows.

use serde_json::{Map, Number, Value};

/// Bounds of a number, as a schema gives them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    low: Option<f64>,
    high: Option<f64>,
    low_open: bool,
    high_open: bool,
    step: Option<f64>,
    integer: bool,
}

impl Bounds {
    /// Reads `minimum`, `maximum`, their exclusive forms and `multipleOf`.
    pub(super) fn read(schema: &Map<String, Value>, integer: bool) -> Self {
        let number = |key: &str| schema.get(key).and_then(Value::as_f64);
        let flag = |key: &str| schema.get(key).and_then(Value::as_bool).unwrap_or_default();
        let (closed, open) = (number("minimum"), number("exclusiveMinimum"));
        let low_open = flag("exclusiveMinimum") || open.is_some_and(|open| closed.is_none_or(|closed| open >= closed));
        let low = if open.is_some() && low_open { open } else { closed };
        let (closed, open) = (number("maximum"), number("exclusiveMaximum"));
        let high_open = flag("exclusiveMaximum") || open.is_some_and(|open| closed.is_none_or(|closed| open <= closed));
        let high = if open.is_some() && high_open { open } else { closed };
        let step = number("multipleOf").filter(|step| *step > 0.0);
        let step = if integer { Some(whole(step.unwrap_or(1.0))) } else { step };
        Self { low, high, low_open, high_open, step, integer }
    }

    /// The allowed number at this share, 0 to 1, of the way up. Where one bound is missing, the other is `span` away;
    /// where both are, it is 0 to `span`. Bounds that allow nothing give a number all the same.
    pub(super) fn at(&self, share: f64, span: f64) -> Value {
        let low = self.low.unwrap_or_else(|| self.high.map_or(0.0, |high| (high - span).min(0.0_f64.min(high))));
        let high = self.high.unwrap_or_else(|| (low + span).max(low));
        let number = match self.step {
            Some(step) => self.step_at(share, low, high, step),
            None => {
                let exact = low * (1.0 - share) + high * share;
                let middle = low / 2.0 + high / 2.0;
                let tries = [(exact * 1000.0).round() / 1000.0, exact, middle];
                tries.into_iter().find(|number| self.allows(*number)).unwrap_or(low)
            }
        };
        self.value(number)
    }

    fn step_at(&self, share: f64, low: f64, high: f64, step: f64) -> f64 {
        let mut first = (low / step).ceil();
        let mut last = (high / step).floor();
        if self.low_open && self.low == Some(first * step) {
            first += 1.0;
        }
        if self.high_open && self.high == Some(last * step) {
            last -= 1.0;
        }
        let count = match (first <= last, self.high) {
            (true, _) => (first + (share * (last - first + 1.0)).floor()).min(last),
            (false, Some(_)) => last,
            (false, None) => first,
        };
        let number = count * step;
        let rounded = (number * 1e9).round() / 1e9;
        if number.abs() < 1e5 { rounded } else { number }
    }

    fn allows(&self, number: f64) -> bool {
        number.is_finite()
            && self.low.is_none_or(|low| if self.low_open { number > low } else { number >= low })
            && self.high.is_none_or(|high| if self.high_open { number < high } else { number <= high })
    }

    fn value(&self, number: f64) -> Value {
        // Up to there every whole number is its own float.
        if self.integer && number.abs() <= 9_007_199_254_740_992.0 {
            return Value::from(number as i64);
        }
        Number::from_f64(number).map_or_else(|| Value::from(0), Value::Number)
    }
}

/// The smallest whole number that is a multiple of `step`, if it is no more than a thousand steps away.
fn whole(step: f64) -> f64 {
    (1..=1000).map(|count| f64::from(count) * step).find(|multiple| multiple.fract() == 0.0).unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(schema: Value, share: f64, integer: bool) -> Value {
        Bounds::read(schema.as_object().unwrap(), integer).at(share, 10.0)
    }

    #[test]
    fn bounds_hold_at_their_ends() {
        assert_eq!(at(json!({ "minimum": 3, "maximum": 5 }), 0.0, true), 3);
        assert_eq!(at(json!({ "minimum": 3, "maximum": 5 }), 1.0, true), 5);
        assert_eq!(at(json!({ "exclusiveMinimum": 3, "exclusiveMaximum": 5 }), 0.9, true), 4);
        assert_eq!(at(json!({ "minimum": 2.5 }), 0.0, true), 3);
        assert_eq!(at(json!({ "maximum": -4 }), 1.0, true), -4);
        assert_eq!(at(json!({ "minimum": 0, "maximum": 1 }), 0.25, false), 0.25);
        assert_eq!(at(json!({ "multipleOf": 100, "minimum": 1 }), 0.5, true), 100);
        assert_eq!(at(json!({ "multipleOf": 0.01, "minimum": 0, "maximum": 1 }), 0.29, false), 0.29);
        assert_eq!(at(json!({ "multipleOf": 1.5 }), 0.99, true), 9);
        let inner = at(json!({ "exclusiveMinimum": 0, "exclusiveMaximum": 0.0001 }), 0.0, false).as_f64().unwrap();
        assert!(inner > 0.0 && inner < 0.0001);
    }

    proptest! {
        #[test]
        fn any_bounds_give_a_number(
            low in any::<Option<f64>>(), high in any::<Option<f64>>(), step in any::<Option<f64>>(), share in 0.0..1.0_f64,
            open in any::<bool>(), integer in any::<bool>(),
        ) {
            let low_key = if open { "exclusiveMinimum" } else { "minimum" };
            let value = at(json!({ low_key: low, "maximum": high, "multipleOf": step }), share, integer);
            prop_assert!(value.is_number());
        }
    }
}
