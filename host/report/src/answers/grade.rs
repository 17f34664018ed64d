//! Answers of graders: a score, whether it is enough, and why.

use serde_json::Value;

use super::{texts::ShownText, value_text::value_text};

/// A grade.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Grade {
    pub(super) score: f64,
    /// Whether the answer passed; of several, whether all did.
    pub(super) passed: bool,
}

/// The grade that an answer is, if it is one: an object with a number `score` and a boolean `passed`. Of a list of grades, their
/// mean.
pub(super) fn grade_of(answer: &Value) -> Option<Grade> {
    if let Value::Array(grades) = answer {
        let grades: Vec<Grade> = grades.iter().map(grade_of).collect::<Option<_>>()?;
        let score = grades.iter().map(|grade| grade.score).sum::<f64>() / grades.len() as f64;
        return (!grades.is_empty())
            .then(|| Grade { score: rounded(score), passed: grades.iter().all(|grade| grade.passed) });
    }
    let (score, passed) = (answer.get("score")?.as_f64()?, answer.get("passed")?.as_bool()?);
    Some(Grade { score: rounded(score), passed })
}

/// What a grade says beside its score: the reason, and what else there is.
pub(super) fn grade_text(answer: &Value) -> ShownText {
    match answer {
        Value::Object(members) => {
            let mut rest = members.clone();
            rest.retain(|name, _| name != "score" && name != "passed");
            if rest.is_empty() { ShownText::default() } else { value_text(&Value::Object(rest)) }
        }
        other => value_text(other),
    }
}

/// As many digits as anybody compares.
pub(super) fn rounded(number: f64) -> f64 {
    let rounded = (number * 1e6).round() / 1e6;
    if rounded.is_finite() { rounded } else { number }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_grade_is_known_by_its_members() {
        let good = json!({ "score": 1, "passed": true, "reason": "equal" });
        let poor = json!({ "score": 0.25, "passed": false, "reason": "", "overlap": 0.5 });
        assert_eq!(grade_of(&good), Some(Grade { score: 1.0, passed: true }));
        assert_eq!(grade_of(&json!([good, poor])), Some(Grade { score: 0.625, passed: false }));
        assert_eq!(grade_of(&json!([])), None);
        assert_eq!(grade_of(&json!({ "score": "high", "passed": true })), None);
        assert_eq!(grade_text(&good).lines().collect::<Vec<_>>(), [(None, "equal")]);
        assert!(grade_text(&json!({ "score": 1, "passed": true })).is_empty());
        assert!(grade_text(&poor).lines().any(|line| line == (Some("overlap"), "0.5")));
    }
}
