//! The examples that an extension declares.

use jackfield_pipeline::output_schema;
use jackfield_plugin_api::{Example, Kind};
use serde_json::Value;

use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, excerpt, short},
    host::{Script, Service},
    inputs::Sample,
    schema::Schema,
};

pub(crate) fn examples(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let descriptor = extension.descriptor();
    if descriptor.examples.is_empty() {
        match descriptor.kind {
            Kind::CacheBackend => {
                return Outcome::not_applicable("what a cache answers depends on what it was told before");
            }
            Kind::DirectionExtractor => {
                return Outcome::not_applicable("its inputs are tensors, which no example can hold");
            }
            _ => {}
        }
    }
    if descriptor.examples.is_empty() {
        return Outcome::warning(vec![Finding::new(
            "a worked example at least: it documents the extension, and shows that it works",
            "none",
            "declare one in `examples`: summary, config, input and output",
        )]);
    }
    if extension.settings.config.is_some() {
        return Outcome::not_applicable("another configuration was asked for with --config");
    }
    let mut findings = Vec::new();
    let mut by_schema = 0;
    for (number, example) in descriptor.examples.iter().enumerate() {
        match compare(extension, number as u64, example) {
            Ok(Compared::Whole) => {}
            Ok(Compared::BySchema) => by_schema += 1,
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() && by_schema > 0 {
        let count = descriptor.examples.len();
        return Outcome::noted(format!("{by_schema} of {count} held to the schema alone: the host's answers decide"));
    }
    Outcome::from_findings(findings)
}

/// How an example's answer was compared.
enum Compared {
    /// With the answer that is declared.
    Whole,
    /// What a model or a server says is part of it, which no example can know.
    BySchema,
}

fn compare(extension: &ExtensionUnderTest<'_>, number: u64, example: &Example) -> Result<Compared, Finding> {
    let name = format!("example {} ({})", number + 1, excerpt(&example.summary));
    let wrong = |expected: &str, seen: String, fix: &str| Finding::new(expected, format!("{name}: {seen}"), fix);
    let output = Schema::new(output_schema(&extension.descriptor().output, &example.config).into_owned());
    for (what, schema, value) in [
        ("config", &extension.config, &example.config),
        ("input", &extension.input, &example.input),
        ("output", &output, &example.output),
    ] {
        if let Some(fault) = schema.fault(value) {
            let expected = format!("an {what} that fits the {what} schema").replace("an config", "a config");
            return Err(wrong(&expected, excerpt(&fault), "fix the example or the schema"));
        }
    }
    let instance = extension.open(&extension.prepared(&example.config)).map_err(|failure| {
        wrong("a config that opens", short(&failure), "give the example a config that makes sense")
    })?;
    let batch = extension.requests(&[Sample::new(number, &example.input)]);
    let host = extension.host(Script::default(), &batch);
    let recorded = host.own_recorder();
    let mut results = extension.call_runner.call(&instance, batch, host);
    let document = results.swap_remove(0).map_err(|failure| {
        wrong("the answer that is declared", short(&failure), "fix the extension, or declare an example that works")
    })?;
    if let Some(misfit) = extension.misfit(&document) {
        return Err(wrong("an answer that fits the output schema", misfit, "answer what the output schema says"));
    }
    if recorded.services().iter().any(|service| matches!(service, Service::Complete | Service::Fetch(_))) {
        return Ok(Compared::BySchema);
    }
    let answer: Value = serde_json::from_str(&document.json).unwrap_or_default();
    match difference(&example.output, &answer, "") {
        None => Ok(Compared::Whole),
        Some(Difference { part, declared, found }) => Err(wrong(
            "the answer that is declared",
            format!("{part} is {}, not {}", excerpt(&found), excerpt(&declared)),
            "declare what the extension answers now, or fix what it answers",
        )),
    }
}

/// A part of an answer that differs from what is declared.
#[derive(Debug, PartialEq)]
struct Difference {
    /// Which part, for messages.
    part: String,
    declared: String,
    found: String,
}

/// The first part in which two values differ. Numbers may differ by a billionth.
fn difference(declared: &Value, found: &Value, path: &str) -> Option<Difference> {
    let member = |key: &str| format!("{path}/{key}");
    match (declared, found) {
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
            let missing = Value::from("(nothing)");
            keys.map(|key| (key, one.get(key), other.get(key))).find_map(|(key, one, other)| match (one, other) {
                (Some(one), Some(other)) => difference(one, other, &member(key)),
                (one, other) => {
                    let text = |value: Option<&Value>| value.unwrap_or(&missing).to_string();
                    Some(Difference { part: format!("`{}`", member(key)), declared: text(one), found: text(other) })
                }
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(index, (one, other))| difference(one, other, &member(&index.to_string())))
        }
        (Value::Number(one), Value::Number(other)) if nearly(one.as_f64(), other.as_f64()) => None,
        (one, other) if one == other => None,
        (one, other) => {
            let part = if path.is_empty() { "the answer".to_owned() } else { format!("`{path}`") };
            Some(Difference { part, declared: one.to_string(), found: other.to_string() })
        }
    }
}

fn nearly(one: Option<f64>, other: Option<f64>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Difference, difference};

    #[test]
    fn numbers_may_differ_by_a_billionth_and_nothing_else_may() {
        let same = |one, other| difference(&one, &other, "").is_none();
        assert!(same(json!({ "a": [1, 0.3] }), json!({ "a": [1.0, 0.300_000_000_01] })));
        assert!(!same(json!(0.3), json!(0.300_001)));
        assert!(!same(json!([1, 2]), json!([1])));
        assert_eq!(
            difference(&json!({ "a": { "b": 1 } }), &json!({ "a": {} }), ""),
            Some(Difference { part: "`/a/b`".to_owned(), declared: "1".to_owned(), found: "\"(nothing)\"".to_owned() })
        );
    }
}
