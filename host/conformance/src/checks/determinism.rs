//! The same, again.

use jackfield_plugin_api::{Document, Kind, Result};

use super::cache_runs;
use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, Setup, same, shown},
    inputs::Sample,
    value_generator,
};

/// Made-up inputs beside the samples.
const MORE: usize = 10;

/// Why the answers of this extension may differ, if it says so itself.
pub(super) fn says_so(extension: &ExtensionUnderTest<'_>) -> Option<Outcome> {
    let asks = |name: &str| extension.descriptor().permissions.iter().any(|permission| permission.name == name);
    let name = ["random", "clock"].into_iter().find(|name| asks(name))?;
    Some(Outcome::not_applicable(format!("it asks for `{name}`: its answers may differ from time to time")))
}

fn inputs(extension: &ExtensionUnderTest<'_>, setup: &Setup) -> Vec<Sample> {
    let more = value_generator::distinct_values(&extension.input, 0xd37, MORE);
    let more = more.iter().zip(4000..).map(|(value, number)| Sample::new(number, value));
    setup.samples.iter().cloned().chain(more).collect()
}

/// The answers of a fresh instance.
fn fresh(extension: &ExtensionUnderTest<'_>, setup: &Setup, samples: &[Sample]) -> Vec<Result<Document>> {
    match extension.open(&setup.config) {
        Ok(instance) => extension.call(&instance, samples),
        Err(failure) => vec![Err(failure); samples.len()],
    }
}

fn compared(
    extension: &ExtensionUnderTest<'_>,
    compare: impl Fn(&Setup, &[Sample], &[Result<Document>]) -> Option<Finding>,
) -> Outcome {
    if let Some(outcome) = says_so(extension) {
        return outcome;
    }
    let mut findings = Vec::new();
    let mut answers = 0;
    for setup in &extension.setups {
        let samples = inputs(extension, setup);
        let first = fresh(extension, setup, &samples);
        answers += first.iter().filter(|result| result.is_ok()).count();
        findings.extend(compare(setup, &samples, &first));
    }
    if answers == 0 {
        return Outcome::not_applicable(
            "nothing was answered that could be compared: give an example that works, or --config",
        );
    }
    Outcome::from_findings(findings)
}

pub(crate) fn again(extension: &ExtensionUnderTest<'_>) -> Outcome {
    if extension.kind() == Kind::CacheBackend {
        return cache_runs::again(extension);
    }
    compared(extension, |setup, samples, first| {
        // Twice, as a coin that falls the same way once is no proof.
        (0..2).find_map(|_| {
            let second = fresh(extension, setup, samples);
            let mut pairs = first.iter().zip(&second);
            let (one, other) = pairs.find(|(one, other)| !same(one, other))?;
            let (one, other) = where_they_part(one, other);
            Some(Finding::new(
                format!("the same bytes again: {one}"),
                other,
                "let nothing but config, input and seed decide: no time, no own random numbers, no order of a hash map",
            ))
        })
    })
}

/// Two answers from shortly before the place where they differ on.
fn where_they_part(one: &Result<Document>, other: &Result<Document>) -> (String, String) {
    let (Ok(one_text), Ok(other_text)) = (one, other) else { return (shown(one), shown(other)) };
    let (one_text, other_text) = (&one_text.json, &other_text.json);
    let common = one_text.chars().zip(other_text.chars()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| -> String {
        let start = common.saturating_sub(40);
        let dots = if start > 0 { "…" } else { "" };
        format!("{dots}{}", text.chars().skip(start).take(120).collect::<String>())
    };
    (from(one_text), from(other_text))
}

pub(crate) fn any_order(extension: &ExtensionUnderTest<'_>) -> Outcome {
    if extension.kind() == Kind::CacheBackend {
        return Outcome::passed();
    }
    compared(extension, |setup, samples, first| {
        let backwards: Vec<Sample> = samples.iter().rev().cloned().collect();
        let mut second = fresh(extension, setup, &backwards);
        second.reverse();
        let mut pairs = first.iter().zip(&second);
        let (one, other) = pairs.find(|(one, other)| !same(one, other))?;
        let (one, other) = where_they_part(one, other);
        Some(Finding::new(
            format!("the same whatever came before: {one}"),
            format!("{other}, with the documents in the opposite order"),
            "keep nothing from one document to the next",
        ))
    })
}
