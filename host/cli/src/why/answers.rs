//! The answers of models that a stage's result is made of: where each came from, and what it took.

use jackfield_store::CompletionRow;
use serde_json::{Value, json};

use super::recorded::RecordedStageCalls;
use crate::table::{ms, table};

/// Where an answer came from, in words.
fn origin(answer: &CompletionRow) -> String {
    match (answer.source.as_str(), &answer.tier) {
        ("cache", Some(tier)) => format!("cache ({tier})"),
        ("cache", None) => "cache".to_owned(),
        ("shared", _) => "an equal request".to_owned(),
        _ => "the model".to_owned(),
    }
}

/// The name by which the server knows a model, where its configuration has one.
fn served_name<'a>(calls: &'a RecordedStageCalls, model: &str) -> Option<&'a str> {
    calls.run.plan.models.iter().find(|known| known.name == model)?.config["name"].as_str()
}

/// A table of the answers, if there are any.
pub(super) fn answers_text(calls: &RecordedStageCalls) -> Option<String> {
    if calls.answers.is_empty() {
        return None;
    }
    let rows = calls.answers.iter().map(|(answer, failure)| {
        let model = match served_name(calls, &answer.model) {
            Some(served) => format!("{} ({served})", answer.model),
            None => answer.model.clone(),
        };
        let outcome = failure.clone().unwrap_or_else(|| "ok".to_owned());
        vec![
            model,
            origin(answer),
            outcome,
            answer.tries.to_string(),
            answer.tokens_in.to_string(),
            answer.tokens_out.to_string(),
            format!("{:.4}", answer.usd),
            ms(answer.took_us as f64 / 1000.0),
        ]
    });
    let header = ["model", "answer from", "outcome", "calls", "tokens in", "tokens out", "USD", "took"];
    Some(table(&header, rows.collect()))
}

/// The same for a program. `calls` counts the tries, and the repair of an answer that did not fit.
pub(super) fn answers_json(calls: &RecordedStageCalls) -> Value {
    let answer = |(answer, failure): &(CompletionRow, Option<String>)| {
        json!({
            "model": answer.model, "served_as": served_name(calls, &answer.model), "source": answer.source,
            "tier": answer.tier, "failure": failure, "calls": answer.tries, "tokens_in": answer.tokens_in,
            "tokens_out": answer.tokens_out, "usd": answer.usd, "took_ms": answer.took_us as f64 / 1000.0,
        })
    };
    calls.answers.iter().map(answer).collect()
}
