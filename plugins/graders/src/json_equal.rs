//! The grader `json-equal`.

use std::fmt::Write as _;

use jackfield_plugin_api::{json_of_answer, prelude::*};

use crate::{
    grade::{Grade, six_places},
    plain::{nothing_expected, quoted},
};

/// What `json-equal` reads.
#[derive(Clone, Debug, Document)]
pub struct JsonAnswered {
    /// The answer: a JSON value, or a text that is JSON or has it in a block, as models write it. Null did not pass.
    #[serde(default)]
    #[schemars(extend("x-never-off" = true))]
    pub answer: Value,
    /// The value that it should be. A text that is a JSON object or list is read as that.
    #[serde(default)]
    pub expected: Value,
}

/// An answer passes that is the expected JSON value, as a whole or at some paths. The reason names the first difference.
///
/// The order of an object's members does not count, and 1 is 1.0.
#[derive(Clone, Debug, Config)]
pub struct JsonEqual {
    /// Paths that are compared, such as `customer.name` or `items[0].price`; the whole value without any. The score is the share
    /// of paths at which both are equal.
    #[config(default)]
    pub paths: Vec<String>,
    /// Whether objects of the answer may have members that are not expected.
    #[config(default = false)]
    pub allow_more: bool,
    /// Whether the elements of a list may come in any order.
    #[config(default = false)]
    pub any_order: bool,
    /// By how much numbers may differ.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0))]
    pub tolerance: f64,
    /// The paths, taken apart.
    #[serde(skip)]
    #[schemars(skip)]
    steps: Vec<Vec<Step>>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Member(String),
    Element(usize),
}

/// Takes a path apart.
fn steps_of(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        if name.is_empty() && (rest.is_empty() || !steps.is_empty()) {
            return None;
        }
        if !name.is_empty() {
            steps.push(Step::Member(name.to_owned()));
        }
        while !rest.is_empty() {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(Step::Element(index.parse().ok()?));
            rest = after;
        }
    }
    Some(steps)
}

/// What is at a path; none where there is nothing.
fn at<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Element(index) => value.get(index),
    })
}

/// The JSON value that a value is, if it is a text that has one.
fn parsed(value: &Value) -> Option<Value> {
    serde_json::from_str(json_of_answer(value.as_str()?)?).ok()
}

/// A value as a reason shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()).trim_matches('"').replace("\\\"", "\""),
    }
}

impl JsonEqual {
    /// The first difference between what is found and what is expected, at this path: none if they are equal.
    fn difference(&self, path: &str, found: &Value, expected: &Value) -> Option<String> {
        let here = if path.is_empty() { "it".to_owned() } else { format!("`{path}`") };
        match (found, expected) {
            (Value::Number(one), Value::Number(other)) => {
                // Whole numbers beyond 2^53 are compared as such.
                let near = match (one.as_f64(), other.as_f64()) {
                    (Some(one), Some(other)) => (one - other).abs() <= self.tolerance,
                    _ => false,
                };
                let whole = one.is_f64() || other.is_f64() || self.tolerance > 0.0;
                let equal = if whole { near } else { one == other };
                (!equal).then(|| format!("{here} is {one}, not {other}"))
            }
            (Value::Object(one), Value::Object(other)) => {
                let member = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                for (name, expected) in other {
                    match one.get(name) {
                        None => return Some(format!("`{}` is missing", member(name))),
                        Some(found) => {
                            if let Some(difference) = self.difference(&member(name), found, expected) {
                                return Some(difference);
                            }
                        }
                    }
                }
                let more = one.keys().find(|name| !other.contains_key(*name)).filter(|_| !self.allow_more)?;
                Some(format!("`{}` is not expected", member(more)))
            }
            (Value::Array(one), Value::Array(other)) if one.len() != other.len() => {
                Some(format!("{here} has {} elements, not {}", one.len(), other.len()))
            }
            (Value::Array(one), Value::Array(other)) if self.any_order => self.unordered(&here, one, other),
            (Value::Array(one), Value::Array(other)) => {
                one.iter().zip(other).enumerate().find_map(|(index, (found, expected))| {
                    self.difference(&format!("{path}[{index}]"), found, expected)
                })
            }
            (one, other) if one == other => None,
            (one, other) => Some(format!("{here} is {}, not {}", shown(one), shown(other))),
        }
    }

    /// Pairs each expected element with one that is found and equal, by the first that is left: with a tolerance or members that
    /// are allowed beyond, a better pairing may exist, which is not looked for.
    fn unordered(&self, here: &str, found: &[Value], expected: &[Value]) -> Option<String> {
        let mut left: Vec<&Value> = found.iter().collect();
        for value in expected {
            match left.iter().position(|found| self.difference("", found, value).is_none()) {
                Some(index) => _ = left.swap_remove(index),
                None => return Some(format!("{here} does not have the element {}", shown(value))),
            }
        }
        None
    }
}

impl Analyzer for JsonEqual {
    const NAME: &'static str = "json-equal";
    type Input = JsonAnswered;
    type Output = Grade;

    fn open(mut self) -> Result<Self> {
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            let tolerance = self.tolerance;
            return Err(Failure::InvalidConfig(format!(
                "`tolerance` is {tolerance}: it must be a number of 0 or more"
            )));
        }
        for path in &self.paths {
            let steps = steps_of(path).ok_or_else(|| {
                let example = "write names joined by points, and elements by number: `items[0].price`";
                Failure::InvalidConfig(format!("`paths` has {path:?}, which is not a path: {example}"))
            })?;
            self.steps.push(steps);
        }
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        let expected = json!({ "name": "Ada", "born": 1815, "fields": ["mathematics"] });
        vec![
            Example {
                summary: "an answer in a block, of which one of two paths is right".to_owned(),
                config: json!({ "paths": ["name", "born"] }),
                input: json!({ "answer": "```json\n{ \"name\": \"Ada\", \"born\": 1816 }\n```", "expected": expected }),
                output: json!({ "score": 0.5, "passed": false, "reason": "`born` is 1816, not 1815" }),
            },
            Example {
                summary: "the same members in another order".to_owned(),
                config: json!({}),
                input: json!({ "answer": { "born": 1815.0, "fields": ["mathematics"], "name": "Ada" }, "expected": expected }),
                output: json!({ "score": 1.0, "passed": true, "reason": "it is equal" }),
            },
        ]
    }

    async fn analyze(&self, input: JsonAnswered, _: &Host<'_>) -> Result<Grade> {
        // A column of a table holds objects and lists as texts.
        let is_compound = |value: &Value| value.is_object() || value.is_array();
        let expected = parsed(&input.expected).filter(is_compound).unwrap_or(input.expected);
        if expected.is_null() {
            return Err(nothing_expected());
        }
        if input.answer.is_null() {
            return Ok(Grade::no_answer());
        }
        let found = if expected.is_string() { None } else { parsed(&input.answer) };
        let found = found.unwrap_or(input.answer);
        if found.is_string() && is_compound(&expected) {
            return Ok(Grade::of(false, format!("{} is not JSON", shown(&found))));
        }
        if self.paths.is_empty() {
            let difference = self.difference("", &found, &expected);
            return Ok(Grade::of(difference.is_none(), difference.unwrap_or_else(|| "it is equal".to_owned())));
        }
        let (mut equal, mut first) = (0_usize, None);
        for (path, steps) in self.paths.iter().zip(&self.steps) {
            let Some(expected) = at(&expected, steps) else {
                return Err(Failure::InvalidInput(format!("`expected` has nothing at `{path}`")));
            };
            let difference = match at(&found, steps) {
                Some(found) => self.difference(path, found, expected),
                None => Some(format!("`{path}` is missing")),
            };
            equal += usize::from(difference.is_none());
            first = first.or(difference);
        }
        let count = self.paths.len();
        let mut reason = first.unwrap_or_else(|| "it is equal at each path".to_owned());
        if count - equal > 1 {
            let _ = write!(reason, "; {} of {count} paths differ", count - equal);
        }
        Ok(Grade { score: six_places(equal as f64 / count as f64), passed: equal == count, reason })
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
        check_examples(Kind::Analyzer, "json-equal", &FakeHost::default());
    }

    #[test]
    fn the_first_difference_is_named() {
        let reason = |config: Value, answer: Value, expected: Value| {
            verdict("json-equal", config, json!({ "answer": answer, "expected": expected })).1
        };
        let plain = |answer: Value, expected: Value| reason(json!({}), answer, expected);
        assert_eq!(plain(json!({ "a": { "b": 1 } }), json!({ "a": { "b": 2 } })), "`a.b` is 1, not 2");
        assert_eq!(plain(json!({ "a": [1, "x"] }), json!({ "a": [1, "y"] })), "`a[1]` is \"x\", not \"y\"");
        assert_eq!(plain(json!({}), json!({ "a": 1 })), "`a` is missing");
        assert_eq!(plain(json!({ "a": 1, "b": 2 }), json!({ "a": 1 })), "`b` is not expected");
        assert_eq!(plain(json!([1]), json!([1, 2])), "it has 1 elements, not 2");
        assert_eq!(plain(json!({ "a": "1" }), json!({ "a": 1 })), "`a` is \"1\", not 1");
        assert_eq!(plain(json!("no idea"), json!({ "a": 1 })), "\"no idea\" is not JSON");
        assert_eq!(plain(json!(null), json!({ "a": 1 })), "there is no answer");
        let other = reason(json!({ "any_order": true }), json!([1, 2]), json!([2, { "a": 3 }]));
        assert_eq!(other, "it does not have the element {\"a\":3}");
    }

    #[test]
    fn what_may_differ_is_up_to_the_settings() {
        let passes = |config: Value, answer: Value, expected: Value| {
            verdict("json-equal", config, json!({ "answer": answer, "expected": expected })).0
        };
        assert!(passes(json!({ "allow_more": true }), json!({ "a": 1, "b": 2 }), json!({ "a": 1 })));
        assert!(passes(json!({ "any_order": true }), json!([3, 1, 2]), json!([1, 2, 3])));
        assert!(passes(json!({ "tolerance": 0.1 }), json!({ "a": 1.05 }), json!({ "a": 1 })));
        assert!(passes(json!({}), json!("It is {\"a\": 1}, I think: ```json\n{\"a\": 1}\n```"), json!("{\"a\": 1}")));
        assert!(passes(json!({}), json!("7"), json!(7)) && passes(json!({}), json!("7"), json!("7")));
        assert!(!passes(json!({}), json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)));
        assert!(passes(json!({ "paths": ["[1].a"] }), json!([0, { "a": 1 }]), json!([9, { "a": 1 }])));
    }

    #[test]
    fn paths_that_are_none_are_refused_when_the_stage_opens() {
        for path in ["", "a..b", "a[x]", "a[1", "a.[0]b"] {
            let failure =
                run("json-equal", json!({ "paths": [path] }), json!({ "answer": 1, "expected": 1 })).unwrap_err();
            assert!(
                matches!(&failure, Failure::InvalidConfig(_)) && failure.message().contains("not a path"),
                "{path}"
            );
        }
        let input = json!({ "answer": { "a": 1 }, "expected": { "a": 1 } });
        let failure = run("json-equal", json!({ "paths": ["b"] }), input).unwrap_err();
        assert_eq!(failure.message(), "`expected` has nothing at `b`");
    }
}
