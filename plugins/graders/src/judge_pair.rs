//! The grader `judge-pair`: a model compares two answers.

use std::sync::Arc;

use jackfield_plugin_api::prelude::*;

use crate::{
    grade::check_share,
    judge::{MATERIAL, object_of, write_context, write_fenced},
    plain::{Expected, text_of},
};

/// What `judge-pair` reads.
#[derive(Clone, Debug, Document)]
pub struct Pair {
    /// The answer that is graded. If it is null, the other one is better, and no model is asked.
    #[serde(default)]
    #[schemars(extend("x-never-off" = true))]
    pub answer: Value,
    /// The answer that it is compared with, such as that of another model.
    #[serde(default)]
    #[schemars(extend("x-never-off" = true))]
    pub other: Value,
    /// What was asked, if the judge has to know it: any JSON value.
    #[serde(default)]
    pub question: Value,
    /// An answer that would be right, or several, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// Which of two answers is better.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Preferred {
    /// The one that is graded.
    Answer,
    /// The other one.
    Other,
    /// Neither, or it was not the same each time.
    Neither,
}

/// What `judge-pair` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct PairGrade {
    /// 1 if the answer is better, 0 if the other one is, 0.5 if neither is or the judge changed its mind with their order.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: f64,
    /// Whether the score reaches the threshold.
    pub passed: bool,
    /// Why, in the judge's words.
    pub reason: String,
    /// Which is better.
    pub preferred: Preferred,
    /// Whether the judge said the same in both orders.
    pub consistent: bool,
}

/// A model says which of two answers is better, and is asked twice, with the answers in either order: judges prefer what they
/// read first, or last. An answer is better only if it is so both times.
///
/// The texts that are judged stand between fences that they cannot close, as those of `judge`.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-needs" = "model"))]
pub struct JudgePair {
    /// What makes an answer better: in full sentences, as for a person who has never seen one.
    #[schemars(regex(pattern = r"\S"))]
    pub criteria: String,
    /// The least score that passes: 0.5 passes answers that are not worse, 1 only better ones.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: f64,
    /// Temperature of sampling, 0 to 2; the server's default without it.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f64>,
    /// The most tokens of each of the judge's answers.
    #[config(default = Some(1_000))]
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u32>,
}

/// What the judge says of one order.
struct Verdict {
    preferred: Preferred,
    reason: String,
}

impl JudgePair {
    fn request(&self, input: &Pair, first: &str, second: &str) -> CompletionRequest {
        // Members are written in this order, so that what is said last follows from the reason.
        let schema = json!({
            "type": "object", "required": ["reason", "winner"], "additionalProperties": false,
            "properties": {
                "reason": { "type": "string", "description": "why, in one to three sentences" },
                "winner": { "enum": ["A", "B", "tie"] },
            },
        });
        let system = format!(
            "You say which of two answers is better by the criteria below, A or B, or that neither is. Their order means \
             nothing. First give the reason, then the winner that follows from it. {MATERIAL}\n\nCriteria:\n{}\n\nAnswer with \
             one JSON object that fits this JSON Schema, and nothing around it:\n\n{schema}\n",
            self.criteria.trim(),
        );
        let mut message = String::new();
        write_context(&mut message, &input.question, input.expected.as_ref());
        write_fenced(&mut message, "Answer A", first);
        write_fenced(&mut message, "Answer B", second);
        CompletionRequest {
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            ..CompletionRequest::new(vec![Message::system(system), Message::user(message)])
        }
        .with_schema(Arc::new(schema))
    }

    /// What the judge says where the graded answer is A, or else B.
    async fn ask(&self, input: &Pair, answers: (&str, &str), is_first: bool, host: &Host<'_>) -> Result<Verdict> {
        let (answer, other) = answers;
        let (first, second) = if is_first { (answer, other) } else { (other, answer) };
        let judged = object_of(&host.complete(self.request(input, first, second)).await?.text)?;
        let preferred = match (judged["winner"].as_str(), is_first) {
            (Some("A"), true) | (Some("B"), false) => Preferred::Answer,
            (Some("B"), true) | (Some("A"), false) => Preferred::Other,
            (Some("tie"), _) => Preferred::Neither,
            _ => {
                let winner = &judged["winner"];
                return Err(Failure::InvalidOutput(format!("the judge named {winner}, not \"A\", \"B\" or \"tie\"")));
            }
        };
        Ok(Verdict { preferred, reason: judged["reason"].as_str().unwrap_or_default().trim().to_owned() })
    }

    fn grade(&self, preferred: Preferred, consistent: bool, reason: String) -> PairGrade {
        let score = match preferred {
            Preferred::Answer => 1.0,
            Preferred::Other => 0.0,
            Preferred::Neither => 0.5,
        };
        PairGrade { score, passed: score >= self.threshold, reason, preferred, consistent }
    }
}

impl Analyzer for JudgePair {
    const NAME: &'static str = "judge-pair";
    type Input = Pair;
    type Output = PairGrade;

    fn open(self) -> Result<Self> {
        if self.criteria.trim().is_empty() {
            return Err(Failure::InvalidConfig("`criteria` is empty: say what makes an answer better".to_owned()));
        }
        check_share("threshold", self.threshold)?;
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        vec![Permission { name: "model".to_owned(), reason: "to compare answers".to_owned() }]
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "one answer that is not there; of two the model decides".to_owned(),
            config: json!({ "criteria": "The better answer is the shorter one." }),
            input: json!({ "answer": "At nine.", "other": null }),
            output: json!({
                "score": 1.0, "passed": true, "reason": "there is no other answer", "preferred": "answer",
                "consistent": true,
            }),
        }]
    }

    async fn analyze(&self, input: Pair, host: &Host<'_>) -> Result<PairGrade> {
        let (answer, other) = match (text_of(&input.answer), text_of(&input.other)) {
            (Some(answer), Some(other)) => (answer, other),
            (Some(_), None) => return Ok(self.grade(Preferred::Answer, true, "there is no other answer".to_owned())),
            (None, Some(_)) => return Ok(self.grade(Preferred::Other, true, "there is no answer".to_owned())),
            (None, None) => {
                return Err(Failure::InvalidInput("both `answer` and `other` are missing".to_owned()));
            }
        };
        if answer == other {
            return Ok(self.grade(Preferred::Neither, true, "both answers are the same".to_owned()));
        }
        let first = self.ask(&input, (&answer, &other), true, host).await?;
        let second = self.ask(&input, (&answer, &other), false, host).await?;
        if first.preferred == second.preferred {
            return Ok(self.grade(first.preferred, true, first.reason));
        }
        let named = |preferred: Preferred| match preferred {
            Preferred::Answer => "this answer",
            Preferred::Other => "the other one",
            Preferred::Neither => "neither",
        };
        let reason = format!(
            "the judge prefers {} where this answer comes first ({}), and {} where it comes second ({})",
            named(first.preferred),
            first.reason,
            named(second.preferred),
            second.reason
        );
        Ok(self.grade(Preferred::Neither, false, reason))
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, call, check_examples},
    };

    use super::*;

    fn compared(judge: fn(&str) -> &'static str, answer: &str, other: &str) -> Result<Value> {
        let host = FakeHost::default().with_model(move |request| {
            let winner = judge(&request.messages[1].content);
            Ok(Completion {
                text: json!({ "reason": "Because.", "winner": winner }).to_string(),
                ..Completion::default()
            })
        });
        let config = json!({ "criteria": "The shorter one." });
        let grade = call(Kind::Analyzer, "judge-pair", config, json!({ "answer": answer, "other": other }), &host);
        if grade.is_ok() {
            assert_eq!(host.requests().len(), if answer == other { 0 } else { 2 });
        }
        grade
    }

    #[test]
    fn examples_hold() {
        check_examples(Kind::Analyzer, "judge-pair", &FakeHost::default());
    }

    #[test]
    fn what_is_better_in_both_orders_is_better() {
        let fair = |message: &str| if message.contains("Answer A:\n```\nshort\n") { "A" } else { "B" };
        let won = compared(fair, "short", "long").unwrap();
        assert_eq!(
            (&won["score"], &won["preferred"], &won["consistent"]),
            (&json!(1.0), &json!("answer"), &json!(true))
        );
        let lost = compared(fair, "long", "short").unwrap();
        assert_eq!(
            (&lost["score"], &lost["preferred"], &lost["reason"]),
            (&json!(0.0), &json!("other"), &json!("Because."))
        );
    }

    #[test]
    fn a_judge_that_goes_by_the_order_prefers_neither_and_that_is_told() {
        let grade = compared(|_| "A", "one", "two").unwrap();
        assert_eq!(
            (&grade["score"], &grade["passed"], &grade["consistent"]),
            (&json!(0.5), &json!(true), &json!(false))
        );
        let reason = grade["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("the judge prefers this answer where this answer comes first (Because.)"),
            "{reason}"
        );
        let tie = compared(|_| "tie", "one", "two").unwrap();
        assert_eq!((&tie["score"], &tie["consistent"]), (&json!(0.5), &json!(true)));
        assert_eq!(compared(|_| "A", "same", "same").unwrap()["reason"], "both answers are the same");
        let failure = compared(|_| "C", "one", "two").unwrap_err();
        assert_eq!(failure.message(), "the judge named \"C\", not \"A\", \"B\" or \"tie\"");
    }
}
