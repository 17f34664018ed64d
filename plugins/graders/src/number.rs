//! The grader `number`.

use jackfield_plugin_api::prelude::*;

use crate::{
    grade::{Answered, Grade},
    numerals::{Decimal, Reading, numbers},
    plain::{Plain, nothing_expected, quoted, text_of},
};

/// Which number of a text counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The first.
    First,
    /// The last, where a model says its result after its reasons.
    #[default]
    Last,
    /// Any of them.
    Any,
}

/// What a percent sign means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Percent {
    /// A hundredth: 50% is 0.5.
    #[default]
    Hundredth,
    /// Nothing: 50% is 50.
    Ignored,
}

/// An answer passes that has the expected number, or one of several, within a tolerance.
///
/// Numbers in texts may have a sign, groups of thousands (1,234), decimals, an exponent, a percent sign and a sign of currency,
/// and they may be fractions (3/4, 1 1/2). A number touches no letter: GPT4 has none. Expected texts are read by the same
/// rules. A number is within the tolerance if it differs by at most `absolute`, or by at most `relative` times the expected one.
#[derive(Clone, Debug, Config)]
pub struct NumberGrader {
    /// Which number of the answer counts: `first`, `last` or `any`.
    #[config(default)]
    pub which: Which,
    /// By how much it may differ.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0))]
    pub absolute: f64,
    /// By which share of the expected number it may differ.
    #[config(default = 1e-9)]
    #[schemars(range(min = 0.0))]
    pub relative: f64,
    /// Whether decimals follow a point (1,234.5) or a comma (1.234,5).
    #[config(default)]
    pub decimal: Decimal,
    /// Whether 50% is 0.5 (`hundredth`) or 50 (`ignored`).
    #[config(default)]
    pub percent: Percent,
}

/// What `number` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct NumberGrade {
    /// 1 if the answer passed, else 0.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: f64,
    /// Whether it has the expected number.
    pub passed: bool,
    /// Why, in a few words.
    pub reason: String,
    /// The number of the answer that counted; null if it has none.
    pub number: Option<f64>,
}

impl NumberGrader {
    fn read(&self, text: &str) -> Vec<f64> {
        numbers(text, Reading { decimal: self.decimal, hundredths: self.percent == Percent::Hundredth })
    }

    fn expected(&self, value: &Plain) -> Result<f64> {
        match value {
            Plain::Number(number) => number.as_f64(),
            Plain::Text(text) => match self.read(text)[..] {
                [number] => Some(number),
                _ => None,
            },
            Plain::Truth(_) => None,
        }
        .ok_or_else(|| {
            let text = quoted(&value.to_text());
            Failure::InvalidInput(format!("`expected` is {text}: it must be one number"))
        })
    }

    fn is_near(&self, number: f64, expected: f64) -> bool {
        let distance = (number - expected).abs();
        distance <= self.absolute || distance <= self.relative * expected.abs()
    }
}

impl Analyzer for NumberGrader {
    const NAME: &'static str = "number";
    type Input = Answered;
    type Output = NumberGrade;

    fn open(self) -> Result<Self> {
        for (name, value) in [("absolute", self.absolute), ("relative", self.relative)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Failure::InvalidConfig(format!("`{name}` is {value}: it must be a number of 0 or more")));
            }
        }
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "the last number of a text, with thousands".to_owned(),
            config: json!({ "absolute": 0.5 }),
            input: json!({ "answer": "3 boxes of 411.4 make 1,234.2 grams.", "expected": 1234 }),
            output: json!({ "score": 1.0, "passed": true, "reason": "1234.2 is 1234 within the tolerance", "number": 1234.2 }),
        }]
    }

    async fn analyze(&self, input: Answered, _: &Host<'_>) -> Result<NumberGrade> {
        let values = input.expected.as_ref().map(crate::plain::Expected::values).unwrap_or_default();
        let expected = values.iter().map(|value| self.expected(value)).collect::<Result<Vec<f64>>>()?;
        let Some(first) = expected.first() else { return Err(nothing_expected()) };
        let found = match &input.answer {
            Value::Number(number) => number.as_f64().into_iter().collect(),
            other => text_of(other).map(|text| self.read(&text)).unwrap_or_default(),
        };
        let candidates = match self.which {
            Which::First => found.get(..1),
            Which::Last => found.len().checked_sub(1).map(|last| &found[last..]),
            Which::Any => Some(&found[..]),
        };
        let candidates = candidates.unwrap_or_default();
        let hit = candidates.iter().find_map(|number| {
            expected.iter().find(|expected| self.is_near(*number, **expected)).map(|at| (number, at))
        });
        let (grade, number) = match (hit, candidates.last()) {
            (Some((number, at)), _) => {
                let how = if number == at { "" } else { " within the tolerance" };
                (Grade::of(true, format!("{number} is {at}{how}")), Some(*number))
            }
            (None, None) if input.answer.is_null() => (Grade::no_answer(), None),
            (None, None) => (Grade::of(false, "the answer has no number"), None),
            (None, Some(number)) => {
                let reason = match expected.len() {
                    1 => format!("{number} is not {first}"),
                    many => format!("{number} is none of {many} expected numbers, such as {first}"),
                };
                (Grade::of(false, reason), Some(*number))
            }
        };
        Ok(NumberGrade { score: grade.score, passed: grade.passed, reason: grade.reason, number })
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, check_examples},
    };

    use super::*;
    use crate::grade::testing::{run, verdict};

    #[test]
    fn examples_hold() {
        check_examples(Kind::Analyzer, "number", &FakeHost::default());
    }

    #[test]
    fn the_number_that_counts_is_compared() {
        let passes = |config: Value, answer: Value, expected: Value| {
            verdict("number", config, json!({ "answer": answer, "expected": expected })).0
        };
        assert!(passes(json!({}), json!("2 + 2 = 4"), json!(4)));
        assert!(!passes(json!({ "which": "first" }), json!("2 + 2 = 4"), json!(4)));
        assert!(passes(json!({ "which": "any" }), json!("2 + 3 = 5"), json!("3")));
        assert!(passes(json!({}), json!(0.1), json!("0.1")) && passes(json!({}), json!("1e3"), json!([7, 1000])));
        assert!(passes(json!({ "relative": 0.01 }), json!("about 99.5"), json!(100)));
        assert!(passes(json!({}), json!("50%"), json!(0.5)) && passes(json!({}), json!("50%"), json!("1/2")));
        assert!(passes(json!({ "percent": "ignored" }), json!("50 %"), json!(50)));
        assert!(passes(json!({ "decimal": "comma" }), json!("1.234,5 Euro"), json!(1234.5)));
    }

    #[test]
    fn what_is_missing_or_no_number_is_told() {
        let reason = |input: Value| verdict("number", json!({}), input);
        assert_eq!(reason(json!({ "answer": null, "expected": 1 })), (false, "there is no answer".to_owned()));
        assert_eq!(reason(json!({ "answer": "many", "expected": 1 })), (false, "the answer has no number".to_owned()));
        assert_eq!(
            reason(json!({ "answer": "7", "expected": [1, 2] })),
            (false, "7 is none of 2 expected numbers, such as 1".into())
        );
        let failure = run("number", json!({}), json!({ "answer": "1", "expected": "1 or 2" })).unwrap_err();
        assert_eq!(failure.message(), "`expected` is \"1 or 2\": it must be one number");
        let failure = run("number", json!({ "absolute": -1 }), json!({ "answer": "1", "expected": 1 })).unwrap_err();
        assert!(failure.message().contains("absolute"));
    }
}
