//! The grader `exact`.

use jackfield_plugin_api::prelude::*;

use crate::{
    grade::{Answered, Grade},
    plain::{any_of, expected_texts, quoted, text_of},
    squad,
};

/// How texts are made alike before they are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Not at all.
    #[default]
    None,
    /// As the evaluation of SQuAD does: in lower case, without ASCII punctuation and the articles a, an and the, with one blank
    /// between words.
    Squad,
}

/// An answer passes that is the expected text, or one of several.
///
/// Numbers and truth values are compared as they are written: 1.0 is not 1 here, for which there is `number`.
#[derive(Clone, Debug, Config)]
pub struct Exact {
    /// Whether white space at both ends is left out.
    #[config(default = true)]
    pub trim: bool,
    /// Whether capital and small letters are the same.
    #[config(default = false)]
    pub ignore_case: bool,
    /// How texts are made alike: `none` or `squad`.
    #[config(default)]
    pub normalize: Normalize,
}

impl Exact {
    fn prepare(&self, text: &str) -> String {
        let text = match self.normalize {
            Normalize::None => text.to_owned(),
            Normalize::Squad => squad::normalize(text),
        };
        let text = if self.ignore_case { text.to_lowercase() } else { text };
        if self.trim { text.trim().to_owned() } else { text }
    }
}

impl Analyzer for Exact {
    const NAME: &'static str = "exact";
    type Input = Answered;
    type Output = Grade;

    fn examples() -> Vec<Example> {
        vec![
            Example {
                summary: "one of two acceptable answers, apart from an article and punctuation".to_owned(),
                config: json!({ "normalize": "squad" }),
                input: json!({ "answer": "The Eiffel Tower.", "expected": ["Eiffel tower", "Tour Eiffel"] }),
                output: json!({ "score": 1.0, "passed": true, "reason": "it is \"Eiffel tower\"" }),
            },
            Example {
                summary: "another word".to_owned(),
                config: json!({}),
                input: json!({ "answer": "neutral", "expected": "positive" }),
                output: json!({ "score": 0.0, "passed": false, "reason": "\"neutral\" is not \"positive\"" }),
            },
        ]
    }

    async fn analyze(&self, input: Answered, _: &Host<'_>) -> Result<Grade> {
        let expected = expected_texts(input.expected.as_ref())?;
        let Some(answer) = text_of(&input.answer) else { return Ok(Grade::no_answer()) };
        let prepared = self.prepare(&answer);
        Ok(match expected.iter().find(|text| self.prepare(text) == prepared) {
            Some(text) => Grade::of(true, format!("it is {}", quoted(text))),
            None => Grade::of(false, format!("{} is not {}", quoted(&answer), any_of(&expected))),
        })
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
        check_examples(Kind::Analyzer, "exact", &FakeHost::default());
    }

    #[test]
    fn what_counts_as_the_same_is_up_to_the_settings() {
        let passes = |config: Value, answer: Value, expected: Value| {
            verdict("exact", config, json!({ "answer": answer, "expected": expected })).0
        };
        assert!(passes(json!({}), json!(" yes\n"), json!("yes")));
        assert!(!passes(json!({ "trim": false }), json!(" yes"), json!("yes")));
        assert!(!passes(json!({}), json!("Yes"), json!("yes")));
        assert!(passes(json!({ "ignore_case": true }), json!("JA"), json!("ja")));
        assert!(passes(json!({}), json!(true), json!("true")) && passes(json!({}), json!("7"), json!(7)));
        assert!(passes(json!({}), json!({ "a": 1 }), json!("{\"a\":1}")));
    }

    #[test]
    fn an_answer_that_is_missing_did_not_pass_and_a_missing_expectation_is_a_failure() {
        let none = (false, "there is no answer".to_owned());
        assert_eq!(verdict("exact", json!({}), json!({ "answer": null, "expected": "x" })), none);
        assert_eq!(verdict("exact", json!({}), json!({ "expected": "x" })), none);
        for input in [json!({ "answer": "x" }), json!({ "answer": "x", "expected": [] })] {
            let failure = run("exact", json!({}), input).unwrap_err();
            assert!(matches!(&failure, Failure::InvalidInput(message) if message.contains("`expected` is missing")));
        }
    }
}
