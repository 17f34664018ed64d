//! Models.

use jackfield_plugin_api::{Completion, CompletionRequest, Document, Failure, FailureKind, Message, Result};
use serde_json::{Value, json};

use crate::conformance::{
    Finding, Outcome,
    inputs::Sample,
    schema::Schema,
    subject::{Subject, excerpt, is_internal, short},
};

/// One request, in the first configuration that opens.
fn ask(subject: &Subject<'_>, request: &CompletionRequest) -> Result<Result<Completion>, Finding> {
    let value = serde_json::to_value(request).unwrap_or_default();
    let mut results: Vec<Result<Document>> = match subject.setups.first() {
        Some(setup) => subject.call(&setup.instance, &[Sample::new(5000, &value)]),
        None => vec![Err(Failure::Unavailable("it does not open".to_owned()))],
    };
    let result = results.swap_remove(0);
    if is_internal(&result) {
        return Err(Finding::new(
            "a completion, or a failure that says why there is none",
            result.err().map_or_else(String::new, |failure| short(&failure)),
            "answer `unavailable` if the server is away, `invalid-config` if it refuses the key",
        ));
    }
    Ok(match result {
        Err(failure) => Err(failure),
        Ok(document) => Ok(serde_json::from_str(&document.json).map_err(|error| {
            Finding::new(
                "a `Completion`: `text`, `finish`, `usage`, `model`",
                format!("{}: {error}", excerpt(&document.json)),
                "answer what the contract calls a `Completion`",
            )
        })?),
    })
}

fn plain() -> CompletionRequest {
    CompletionRequest::new(vec![
        Message::system("Answer in one sentence."),
        Message::user("[s1] Ann: the train leaves at nine, so let us meet at half past eight."),
    ])
}

/// Why a model does not answer here, for those that need a server or a key.
fn away(failure: &Failure) -> Outcome {
    let graceful = !matches!(failure.kind(), FailureKind::Internal);
    let reason = format!("it does not answer here ({}): give --config with a server that does", short(failure));
    if graceful { Outcome::not_applicable(reason) } else { Outcome::of(vec![Finding::new("an answer", reason, "")]) }
}

pub(in crate::conformance) fn answers(subject: &Subject<'_>) -> Outcome {
    let request = plain();
    let completion = match ask(subject, &request) {
        Err(finding) => return Outcome::of(vec![finding]),
        Ok(Err(failure)) => return away(&failure),
        Ok(Ok(completion)) => completion,
    };
    let mut findings = Vec::new();
    if completion.text.is_empty() {
        findings.push(Finding::new("a text", "an empty one", "answer the model's text in `text`"));
    }
    if completion.cached || completion.usd != 0.0 {
        findings.push(Finding::new(
            "`cached` and `usd` left to the host",
            format!("cached {}, usd {}", completion.cached, completion.usd),
            "leave both out: the host knows its caches and prices",
        ));
    }
    if let Some(usage) = completion.usage {
        let read: usize = request.messages.iter().map(|message| message.content.len()).sum();
        // No tokenizer makes more tokens than bytes, save for some around each message.
        let most = |bytes: usize| bytes as u64 + 256;
        let sane = (1..=most(read)).contains(&usage.input) && usage.output <= most(completion.text.len());
        if !sane {
            findings.push(Finding::new(
                "counts of tokens that fit the texts, or none",
                format!(
                    "{} read and {} written, for {read} and {} bytes",
                    usage.input,
                    usage.output,
                    completion.text.len()
                ),
                "hand on the server's counts; leave `usage` out where it gives none",
            ));
        }
    }
    Outcome::of(findings)
}

pub(in crate::conformance) fn schema(subject: &Subject<'_>) -> Outcome {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["quote", "time", "sure"],
        "properties": {
            "quote": { "type": "string" },
            "time": { "enum": ["morning", "evening"] },
            "sure": { "type": "boolean" },
        },
    });
    let completion = match ask(subject, &plain().with_schema(schema.clone())) {
        Err(finding) => return Outcome::of(vec![finding]),
        Ok(Err(failure)) => return away(&failure),
        Ok(Ok(completion)) => completion,
    };
    let seen = match serde_json::from_str::<Value>(&completion.text) {
        Err(error) => format!("{}: {error}", excerpt(&completion.text)),
        Ok(value) => match Schema::new(schema).fault(&value) {
            Some(fault) => format!("{}: {fault}", excerpt(&completion.text)),
            None => return Outcome::passed(),
        },
    };
    Outcome::of(vec![Finding::new(
        "JSON that fits the schema of the request",
        seen,
        "hand `schema` on to the server; the host sends an answer back once that breaks it",
    )])
}

pub(in crate::conformance) fn options(subject: &Subject<'_>) -> Outcome {
    let base = match ask(subject, &plain()) {
        Err(finding) => return Outcome::of(vec![finding]),
        Ok(Err(failure)) => return away(&failure),
        Ok(Ok(completion)) => completion,
    };
    let stop = base.text.split_whitespace().nth(1).unwrap_or("the").to_owned();
    let variants = [
        ("stop", CompletionRequest { stop: vec![stop.clone()], ..plain() }),
        ("max_tokens", CompletionRequest { max_tokens: Some(1), ..plain() }),
        ("temperature", CompletionRequest { temperature: Some(0.0), ..plain() }),
        ("temperature", CompletionRequest { temperature: Some(2.0), ..plain() }),
        ("seed", CompletionRequest { seed: Some(u64::MAX), ..plain() }),
        ("replicate", CompletionRequest { replicate: 1, ..plain() }),
        ("replicate", CompletionRequest { replicate: u32::MAX, seed: Some(7), ..plain() }),
    ];
    let (mut failed, mut ignored) = (Vec::new(), Vec::new());
    for (name, request) in variants {
        let completion = match ask(subject, &request) {
            Err(finding) => {
                failed.push(Finding { seen: format!("{}, with `{name}`", finding.seen), ..finding });
                continue;
            }
            Ok(Err(failure)) => {
                failed.push(Finding::new(
                    "an answer, as without it",
                    format!("{}, with `{name}`", short(&failure)),
                    "leave out on the way to the server what it does not know",
                ));
                continue;
            }
            Ok(Ok(completion)) => completion,
        };
        let kept = match name {
            "stop" => !completion.text.contains(&stop),
            // A token is seldom more than a word.
            "max_tokens" => completion.text.split_whitespace().count() <= 4,
            _ => true,
        };
        if !kept {
            ignored.push(Finding::new(
                format!("an answer that `{name}` ends"),
                excerpt(&completion.text),
                format!("hand `{name}` on to the server, or keep to it"),
            ));
        }
    }
    // Servers differ in what they keep to; that nothing breaks is the promise.
    if failed.is_empty() { Outcome::warning(ignored) } else { Outcome::of(failed) }
}
