//! The grader `similarity`.

use jackfield_plugin_api::prelude::*;

use crate::{
    grade::{Answered, Grade, check_share, six_places},
    plain::{expected_texts, quoted, text_of},
};

/// An answer passes that means something like the expected text, or like one of several: the score is the cosine of their
/// vectors, which the model of the stage makes; at least 0.
///
/// The model (`model = "name"`) has to offer `embed`, as `openai-embeddings` and `transformer` do. How alike two texts are that
/// say the same differs from model to model: look at some scores before you set the threshold.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-needs" = "model:embed"))]
pub struct Similarity {
    /// The least score that passes.
    #[config(default = 0.8)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: f64,
}

/// The cosine of two vectors; 0 where one of them has no direction, none if they are not of one length.
fn cosine(one: &[f32], other: &[f32]) -> Option<f64> {
    if one.len() != other.len() {
        return None;
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let lengths = dot(one, one).sqrt() * dot(other, other).sqrt();
    Some(if lengths > 0.0 { dot(one, other) / lengths } else { 0.0 })
}

impl Analyzer for Similarity {
    const NAME: &'static str = "similarity";
    type Input = Answered;
    type Output = Grade;

    fn open(self) -> Result<Self> {
        check_share("threshold", self.threshold)?;
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let reason = "to have vectors made of the answer and of what is expected".to_owned();
        vec![Permission { name: "model:embed".to_owned(), reason }]
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "an answer that is not there; of others the model decides".to_owned(),
            config: json!({}),
            input: json!({ "answer": null, "expected": "An owl hunts at night." }),
            output: json!({ "score": 0.0, "passed": false, "reason": "there is no answer" }),
        }]
    }

    async fn analyze(&self, input: Answered, host: &Host<'_>) -> Result<Grade> {
        let expected = expected_texts(input.expected.as_ref())?;
        let Some(answer) = text_of(&input.answer) else { return Ok(Grade::no_answer()) };
        if answer.trim().is_empty() {
            return Ok(Grade::of(false, "the answer is empty"));
        }
        let vector = host.embed(&answer).await?;
        let mut best: Option<(f64, &String)> = None;
        for text in &expected {
            let other = host.embed(text).await?;
            let cosine = cosine(&vector, &other).ok_or_else(|| {
                let lengths = format!("{} elements, and with one of {}", other.len(), vector.len());
                Failure::InvalidOutput(format!("the model answered with a vector of {lengths} before"))
            })?;
            if best.is_none_or(|(best, _)| cosine > best) {
                best = Some((cosine, text));
            }
        }
        let (cosine, text) = best.expect("something is expected");
        // Rounding may take it beyond 1.
        let score = six_places(cosine.clamp(0.0, 1.0));
        Ok(Grade {
            score,
            passed: score >= self.threshold,
            reason: format!("its similarity to {} is {score}", quoted(text)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, call, check_examples},
    };

    use super::*;

    #[test]
    fn examples_hold() {
        check_examples(Kind::Analyzer, "similarity", &FakeHost::default());
    }

    /// A model that makes vectors of how often the letters a and b occur.
    fn host() -> FakeHost {
        let tensors = FakeHost::default();
        let known: Vec<(String, TensorRef)> = ["a", "ab", "b", "aab", "-"]
            .iter()
            .map(|text| {
                let count = |letter: char| text.chars().filter(|c| *c == letter).count() as f32;
                ((*text).to_owned(), tensors.add_tensor(&[2], &[count('a'), count('b')]))
            })
            .collect();
        let known = Arc::new(known);
        tensors.with_model(move |request| {
            let text = &request.messages[0].content;
            let tensor = known.iter().find(|(known, _)| known == text).map(|(_, tensor)| tensor.clone());
            Ok(Completion { embedding: tensor, ..Completion::default() })
        })
    }

    #[test]
    fn the_cosine_to_the_nearest_expected_text_is_the_score() {
        let grade = |expected: Value| {
            call(Kind::Analyzer, "similarity", json!({}), json!({ "answer": "ab", "expected": expected }), &host())
                .unwrap()
        };
        assert_eq!(grade(json!(["b", "aab"]))["score"], json!(0.948_683));
        assert_eq!(grade(json!("ab"))["passed"], true);
        assert_eq!(
            (&grade(json!("a"))["score"], &grade(json!("a"))["passed"]),
            (&json!(six_places(0.5_f64.sqrt())), &json!(false))
        );
        assert_eq!(grade(json!("-"))["score"], 0.0);
    }

    #[test]
    fn a_model_without_vectors_is_a_failure() {
        let input = json!({ "answer": "ab", "expected": "unknown" });
        let failure = call(Kind::Analyzer, "similarity", json!({}), input, &host()).unwrap_err();
        assert_eq!(failure.message(), "the model answered without a vector");
    }
}
