//! The grader `contains`.

use jackfield_plugin_api::prelude::*;

use crate::{
    grade::{Answered, Grade},
    plain::{any_of, expected_texts, nothing_expected, quoted, text_of},
};

/// How many of the expected texts an answer has to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// One of them.
    #[default]
    Any,
    /// Each of them; the score is the share of those that it has.
    All,
}

/// An answer passes that has one of the expected texts in it, or all of them, and none of those that are unwanted.
#[derive(Clone, Debug, Config)]
pub struct Contains {
    /// Whether one of the texts is enough (`any`) or each is needed (`all`).
    #[config(default)]
    pub need: Need,
    /// Texts that are expected of each answer, besides those of the item's `expected`, which may be missing then.
    #[config(default)]
    pub texts: Vec<String>,
    /// Texts that no answer may have.
    #[config(default)]
    pub unwanted: Vec<String>,
    /// Whether capital and small letters are the same.
    #[config(default = false)]
    pub ignore_case: bool,
    /// Whether a text counts only where no letter or digit touches it: `cat` is not in `concatenate` then.
    #[config(default = false)]
    pub whole_words: bool,
}

impl Contains {
    fn fold(&self, text: &str) -> String {
        if self.ignore_case { text.to_lowercase() } else { text.to_owned() }
    }

    fn has(&self, answer: &str, text: &str) -> bool {
        let text = self.fold(text);
        if !self.whole_words {
            return answer.contains(&text);
        }
        has_words(answer, &text)
    }
}

/// Whether a text stands in another so that no letter and no digit touches it.
pub(crate) fn has_words(whole: &str, part: &str) -> bool {
    whole.match_indices(part).any(|(start, _)| {
        let before = whole[..start].chars().next_back();
        let after = whole[start + part.len()..].chars().next();
        let touches = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
        !touches(before) && !touches(after)
    })
}

impl Analyzer for Contains {
    const NAME: &'static str = "contains";
    type Input = Answered;
    type Output = Grade;

    fn open(self) -> Result<Self> {
        for (name, texts) in [("texts", &self.texts), ("unwanted", &self.unwanted)] {
            if texts.iter().any(String::is_empty) {
                return Err(Failure::InvalidConfig(format!("`{name}` has an empty text, which every answer has")));
            }
        }
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "one of two texts that are both needed".to_owned(),
            config: json!({ "need": "all", "ignore_case": true }),
            input: json!({ "answer": "It opens at nine.", "expected": ["Nine", "Monday"] }),
            output: json!({ "score": 0.5, "passed": false, "reason": "it does not have \"Monday\"" }),
        }]
    }

    async fn analyze(&self, input: Answered, _: &Host<'_>) -> Result<Grade> {
        let mut wanted = self.texts.clone();
        if let Some(expected) = input.expected.as_ref() {
            wanted.extend(expected_texts(Some(expected))?);
        }
        if wanted.is_empty() && self.unwanted.is_empty() {
            return Err(nothing_expected());
        }
        let Some(answer) = text_of(&input.answer) else { return Ok(Grade::no_answer()) };
        let answer = self.fold(&answer);
        if let Some(found) = self.unwanted.iter().find(|text| self.has(&answer, text)) {
            return Ok(Grade::of(false, format!("it has {}, which is unwanted", quoted(found))));
        }
        let (found, missing): (Vec<String>, Vec<String>) = wanted.into_iter().partition(|text| self.has(&answer, text));
        Ok(match (self.need, &*found, &*missing) {
            (_, [], []) => Grade::of(true, "it has nothing that is unwanted"),
            (Need::All, _, []) => Grade::of(true, format!("it has all of {} texts", found.len())),
            (Need::Any, [first, ..], _) => Grade::of(true, format!("it has {}", quoted(first))),
            (Need::Any, [], _) => Grade::of(false, format!("it does not have {}", any_of(&missing))),
            (Need::All, _, [first, ..]) => Grade {
                score: crate::grade::six_places(found.len() as f64 / (found.len() + missing.len()) as f64),
                passed: false,
                reason: match missing.len() - 1 {
                    0 => format!("it does not have {}", quoted(first)),
                    others => format!("it does not have {} and {others} other texts", quoted(first)),
                },
            },
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
        check_examples(Kind::Analyzer, "contains", &FakeHost::default());
    }

    #[test]
    fn one_text_is_enough_unless_all_are_needed() {
        let input = json!({ "answer": "red and blue", "expected": ["red", "green"] });
        assert_eq!(verdict("contains", json!({}), input.clone()), (true, "it has \"red\"".to_owned()));
        assert!(!verdict("contains", json!({ "need": "all" }), input).0);
        let (passed, reason) =
            verdict("contains", json!({}), json!({ "answer": "grey", "expected": ["red", "green"] }));
        assert_eq!((passed, &*reason), (false, "it does not have \"red\" or \"green\""));
    }

    #[test]
    fn whole_words_and_unwanted_texts() {
        let grade = |config: Value| verdict("contains", config, json!({ "answer": "concatenate it" }));
        assert!(grade(json!({ "texts": ["cat"] })).0);
        assert!(!grade(json!({ "texts": ["cat"], "whole_words": true })).0);
        assert!(grade(json!({ "texts": ["it"], "whole_words": true })).0);
        assert_eq!(
            grade(json!({ "texts": ["it"], "unwanted": ["cat"] })),
            (false, "it has \"cat\", which is unwanted".into())
        );
        assert!(grade(json!({ "unwanted": ["sorry"] })).0, "nothing has to be there");
        let empty = run("contains", json!({ "unwanted": [""] }), json!({ "answer": "x" })).unwrap_err();
        assert!(empty.message().contains("`unwanted` has an empty text"));
    }
}
