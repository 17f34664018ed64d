//! Converts values of the generated bindings to those of the host, and back.

use std::time::Duration;

use jackfield_plugin_api::{Descriptor, Document, Example, Failure, Kind, Permission, Request, Stability, Tensor};
use serde_json::Value;

use super::v0_1::jackfield::plugin::types;
use crate::escape_untrusted;

/// The longest message of a failure, in characters; the rest is cut off.
const LONGEST_MESSAGE: usize = 4096;
/// The longest delay before the next attempt that a plugin may ask for.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

pub(super) fn request(request: &Request) -> types::Request {
    let context = &request.context;
    types::Request {
        document: types::Document {
            json: request.document.json.as_bytes().to_vec(),
            tensors: request
                .document
                .tensors
                .iter()
                .map(|tensor| types::Tensor {
                    name: tensor.name.clone(),
                    shape: tensor.shape.clone(),
                    data: tensor.data.to_vec(),
                })
                .collect(),
        },
        context: types::Context {
            stage: context.stage.to_string(),
            item: context.item.to_string(),
            element: context.element,
            replicate: context.replicate,
            seed: context.seed,
        },
    }
}

pub(super) fn document(document: types::Document) -> Result<Document, Failure> {
    let json = String::from_utf8(document.json)
        .map_err(|_| Failure::InvalidOutput("the answer is not UTF-8 text".to_owned()))?;
    let tensors = document.tensors.into_iter();
    Ok(Document {
        json: json.into(),
        tensors: tensors.map(|t| Tensor { name: t.name, shape: t.shape, data: t.data.into() }).collect(),
    })
}

pub(super) fn failure(failure: types::Failure) -> Failure {
    let cut =
        |message: String| escape_untrusted(&message.chars().take(LONGEST_MESSAGE).collect::<String>()).into_owned();
    match failure {
        types::Failure::InvalidConfig(message) => Failure::InvalidConfig(cut(message)),
        types::Failure::InvalidInput(message) => Failure::InvalidInput(cut(message)),
        types::Failure::InvalidOutput(message) => Failure::InvalidOutput(cut(message)),
        types::Failure::Unavailable(message) => Failure::Unavailable(cut(message)),
        types::Failure::RateLimited(limit) => {
            let after = limit.after_ms.map(|after| Duration::from_millis(after).min(LONGEST_DELAY));
            Failure::RateLimited { message: cut(limit.message), retry_after: after }
        }
        types::Failure::Cancelled(message) => Failure::Cancelled(cut(message)),
        types::Failure::OverBudget(message) => Failure::OverBudget(cut(message)),
        types::Failure::Internal(message) => Failure::Internal(cut(message)),
    }
}

/// A failure of the host, as a guest gets it.
pub(super) fn failure_out(failure: Failure) -> types::Failure {
    match failure {
        Failure::InvalidConfig(message) => types::Failure::InvalidConfig(message),
        Failure::InvalidInput(message) => types::Failure::InvalidInput(message),
        Failure::InvalidOutput(message) => types::Failure::InvalidOutput(message),
        Failure::Unavailable(message) => types::Failure::Unavailable(message),
        Failure::RateLimited { message, retry_after: after } => {
            let after_ms = after.map(|after| after.as_millis() as u64);
            types::Failure::RateLimited(types::RateLimit { message, after_ms })
        }
        Failure::Cancelled(message) => types::Failure::Cancelled(message),
        Failure::OverBudget(message) => types::Failure::OverBudget(message),
        Failure::Internal(message) => types::Failure::Internal(message),
    }
}

/// A descriptor; none if it is of a kind that this host does not know.
pub(super) fn descriptor(described: types::Descriptor) -> Result<Option<Descriptor>, String> {
    let Ok(kind) = serde_json::from_value::<Kind>(Value::from(described.kind.as_str())) else { return Ok(None) };
    let name = described.name;
    let json = |what: &str, text: &str| {
        serde_json::from_str::<Value>(text).map_err(|error| format!("{what} of `{name}` is not valid JSON: {error}"))
    };
    let examples = described.examples.iter().map(|example| {
        Ok(Example {
            summary: example.summary.clone(),
            config: json("an example's config", &example.config)?,
            input: json("an example's input", &example.input)?,
            output: json("an example's output", &example.output)?,
        })
    });
    let examples = examples.collect::<Result<Vec<_>, String>>()?;
    Ok(Some(Descriptor {
        kind,
        config: json("the config schema", &described.config_schema)?,
        input: json("the input schema", &described.input_schema)?,
        output: json("the output schema", &described.output_schema)?,
        name,
        version: described.version,
        summary: described.summary,
        permissions: described
            .permissions
            .into_iter()
            .map(|permission| Permission { name: permission.name, reason: permission.reason })
            .collect(),
        examples,
        stability: match described.stability {
            types::Stability::Experimental => Stability::Experimental,
            types::Stability::Beta => Stability::Beta,
            types::Stability::Stable => Stability::Stable,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_of_some_length_and_puts_nothing_off_for_ever() {
        let said = "x\n\u{1b}[2J".to_owned() + &"y".repeat(10_000);
        let failed = failure(types::Failure::Internal(said));
        assert!(failed.message().starts_with("x\\n\\u{1b}[2Jyyy"), "{failed}");
        assert!(failed.message().len() < LONGEST_MESSAGE + 16);
        let limit = types::RateLimit { message: String::new(), after_ms: Some(u64::MAX) };
        assert_eq!(failure(types::Failure::RateLimited(limit)).retry_after(), Some(LONGEST_DELAY));
    }
}
