//! The grader `regex`.

use jackfield_plugin_api::prelude::*;
use regex_automata::{
    Input,
    meta::{self, Regex},
    util::syntax,
};

use crate::{
    grade::{Answered, Grade},
    plain::{expected_texts, quoted, text_of},
};

/// The most bytes that a compiled expression takes.
const MOST_BYTES: usize = 4 << 20;
/// The longest expression that is compiled, in bytes.
const LONGEST: usize = 10_000;

/// How much of an answer has to match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Some part of it.
    #[default]
    Search,
    /// All of it, apart from white space at its ends.
    Full,
}

/// An answer passes that matches a regular expression: the `pattern` of the configuration, or else one that the item expects.
///
/// Expressions are those of the Rust crate `regex`, without look-around and back-references, so that matching takes linear time.
#[derive(Clone, Debug, Config)]
pub struct MatchesRegex {
    /// The expression. Without it, the item's `expected` is one, or a list of which one has to match.
    pub pattern: Option<String>,
    /// Whether a part of the answer may match (`search`), or all of it has to (`full`).
    #[config(default)]
    pub extent: Extent,
    /// Whether capital and small letters are the same.
    #[config(default = false)]
    pub ignore_case: bool,
    /// The pattern, compiled.
    #[serde(skip)]
    #[schemars(skip)]
    compiled: Option<Regex>,
}

impl MatchesRegex {
    /// # Errors
    /// What is wrong with the expression.
    fn compile(&self, pattern: &str) -> std::result::Result<Regex, String> {
        if pattern.len() > LONGEST {
            return Err(format!("it is {} bytes long, and the most are {LONGEST}", pattern.len()));
        }
        let config = meta::Config::new().nfa_size_limit(Some(MOST_BYTES)).onepass_size_limit(Some(MOST_BYTES));
        let syntax = syntax::Config::new().case_insensitive(self.ignore_case).nest_limit(100);
        // The expression has to be one by itself: `a)|(b` would be one in a group.
        let build = |pattern: &str| {
            let built = Regex::builder().configure(config.clone()).syntax(syntax).build(pattern);
            built.map_err(|error| fault_of(&error))
        };
        let alone = build(pattern)?;
        match self.extent {
            Extent::Search => Ok(alone),
            // On a line of its own, a comment of extended mode does not hide the end of the group.
            Extent::Full => build(&format!(r"\A(?:{pattern})\z")).or_else(|_| build(&format!("\\A(?:{pattern}\n)\\z"))),
        }
    }
}

/// What is wrong, in one line.
fn fault_of(error: &meta::BuildError) -> String {
    let message = match error.syntax_error() {
        Some(error) => error.to_string(),
        None if error.size_limit().is_some() => format!("it would take more than {} MiB", MOST_BYTES >> 20),
        None => error.to_string(),
    };
    // The last line says what is wrong; those before it draw the place.
    message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// Whether it matches, and what of the answer does.
fn matched<'a>(regex: &Regex, answer: &'a str) -> Option<&'a str> {
    regex.find(Input::new(answer)).map(|found| &answer[found.range()])
}

impl Analyzer for MatchesRegex {
    const NAME: &'static str = "regex";
    type Input = Answered;
    type Output = Grade;

    fn open(mut self) -> Result<Self> {
        if let Some(pattern) = &self.pattern {
            let compiled = self.compile(pattern);
            self.compiled = Some(compiled.map_err(|fault| {
                Failure::InvalidConfig(format!("`pattern` is not a regular expression that can be used: {fault}"))
            })?);
        }
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        vec![
            Example {
                summary: "a date somewhere in the answer".to_owned(),
                config: json!({ "pattern": r"\d{4}-\d{2}-\d{2}" }),
                input: json!({ "answer": "It was on 2024-05-17, a Friday." }),
                output: json!({ "score": 1.0, "passed": true, "reason": "\"2024-05-17\" matches" }),
            },
            Example {
                summary: "one word, and nothing else".to_owned(),
                config: json!({ "pattern": "yes|no", "extent": "full", "ignore_case": true }),
                input: json!({ "answer": "Yes, it is." }),
                output: json!({ "score": 0.0, "passed": false, "reason": "\"Yes, it is.\" does not match \"yes|no\"" }),
            },
        ]
    }

    async fn analyze(&self, input: Answered, _: &Host<'_>) -> Result<Grade> {
        let patterns = match &self.pattern {
            Some(pattern) => vec![pattern.clone()],
            None => expected_texts(input.expected.as_ref())?,
        };
        let of_item;
        let compiled = match &self.compiled {
            Some(regex) => std::slice::from_ref(regex),
            None => {
                let compiled = patterns.iter().map(|pattern| {
                    self.compile(pattern).map_err(|fault| {
                        let pattern = quoted(pattern);
                        Failure::InvalidInput(format!(
                            "`expected` has {pattern}, which is not a regular expression that can be used: {fault}"
                        ))
                    })
                });
                of_item = compiled.collect::<Result<Vec<_>>>()?;
                &of_item
            }
        };
        let Some(answer) = text_of(&input.answer) else { return Ok(Grade::no_answer()) };
        let searched = if self.extent == Extent::Full { answer.trim() } else { &answer };
        if let Some(found) = compiled.iter().find_map(|regex| matched(regex, searched)) {
            return Ok(Grade::of(true, format!("{} matches", quoted(found))));
        }
        Ok(Grade::of(false, format!("{} does not match {}", quoted(&answer), crate::plain::any_of(&patterns))))
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
        check_examples(Kind::Analyzer, "regex", &FakeHost::default());
    }

    #[test]
    fn a_whole_answer_or_a_part_of_it_matches() {
        let passes = |config: Value, answer: &str| verdict("regex", config, json!({ "answer": answer })).0;
        assert!(passes(json!({ "pattern": "b+" }), "abbc"));
        assert!(!passes(json!({ "pattern": "b+", "extent": "full" }), "abbc"));
        assert!(passes(json!({ "pattern": "a|abbc", "extent": "full" }), " abbc\n"), "the longer one counts");
        assert!(passes(json!({ "pattern": "(?x) a b # letters", "extent": "full" }), "ab"));
        assert!(passes(json!({ "pattern": "ÄH", "ignore_case": true }), "äh"));
    }

    #[test]
    fn items_may_bring_expressions() {
        let input = json!({ "answer": "42 km", "expected": ["^\\d+ mi$", "^\\d+ km$"] });
        assert_eq!(verdict("regex", json!({}), input), (true, "\"42 km\" matches".to_owned()));
        let failure = run("regex", json!({}), json!({ "answer": "x", "expected": "(" })).unwrap_err();
        assert!(
            matches!(failure, Failure::InvalidInput(_)) && failure.message().contains("unclosed group"),
            "{failure}"
        );
    }

    #[test]
    fn expressions_that_cannot_be_used_are_refused_when_the_stage_opens() {
        for (pattern, fault) in [
            ("a)|(b", "unopened group"),
            ("(?=look)", "look-around"),
            ("(a{1000}){1000}", "MiB"),
            (&*"x".repeat(LONGEST + 1), "bytes long"),
        ] {
            let failure = run("regex", json!({ "pattern": pattern }), json!({ "answer": "x" })).unwrap_err();
            assert!(matches!(failure, Failure::InvalidConfig(_)), "{failure}");
            assert!(failure.message().contains(fault), "{failure}");
            assert!(failure.message().starts_with("`pattern` is not"), "{failure}");
        }
    }
}
