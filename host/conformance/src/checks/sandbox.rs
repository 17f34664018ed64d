//! What holds for components alone.

use std::time::Instant;

use jackfield_loader::sandbox::{Limits, size};
use jackfield_plugin_api::{Document, FailureKind, Kind, Result};

use super::cache_runs;
use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, Setup, same, short, shown},
    host::Script,
    inputs::Sample,
};

/// The smallest limit on memory that is tried.
const SMALLEST: u64 = 1 << 20;

pub(crate) fn within_limits(extension: &ExtensionUnderTest<'_>) -> Outcome {
    if extension.kind() == Kind::CacheBackend {
        return cache_runs::within_limits(extension);
    }
    let mut findings = Vec::new();
    let mut notes = Vec::new();
    for setup in &extension.setups {
        let began = Instant::now();
        let results = extension.call(&setup.instance, &setup.samples);
        let each = began.elapsed() / u32::try_from(setup.samples.len().max(1)).unwrap_or(1);
        let beyond = |result: &&Result<Document>| {
            result.as_ref().is_err_and(|failure| failure.kind() == FailureKind::OverBudget)
        };
        if let Some(Err(failure)) = results.iter().find(beyond) {
            findings.push(Finding::new(
                format!(
                    "an answer within the default limits: {} of memory, a minute of CPU time, 100,000 host calls, {} of answer",
                    size(Limits::default().memory),
                    size(Limits::default().output),
                ),
                short(failure),
                "use less, or say in the documentation which `limits` a stage needs",
            ));
        }
        let memory = least_memory(extension, setup, &results);
        notes.push(format!("works within {} of memory, {:.3} ms a document", size(memory), each.as_secs_f64() * 1e3));
    }
    if findings.is_empty() { Outcome::noted(notes.swap_remove(0)) } else { Outcome::from_findings(findings) }
}

/// The smallest power of two that is memory enough for the same answers.
fn least_memory(extension: &ExtensionUnderTest<'_>, setup: &Setup, wanted: &[Result<Document>]) -> u64 {
    let default = Limits::default().memory;
    let mut limit = SMALLEST;
    while limit < default {
        let limits = Limits { memory: limit, ..Limits::default() };
        let enough =
            extension.call_runner.open(&extension.entry.factory, &setup.config, &limits).is_ok_and(|instance| {
                let results = extension.call(&instance, &setup.samples);
                results.iter().zip(wanted).all(|(found, wanted)| same(found, wanted))
            });
        if enough {
            return limit;
        }
        limit *= 2;
    }
    default
}

pub(crate) fn least_grants(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let mut findings = Vec::new();
    for setup in &extension.setups {
        let samples: &[Sample] = &setup.samples;
        let granted = extension.call(&setup.instance, samples);
        let script = Script { granted_to: Some(extension.descriptor().clone()), ..Script::default() };
        let least = extension.call_with(&setup.instance, samples, script);
        let differ = granted.iter().zip(&least).find(|(one, other)| !same(one, other));
        if let Some((one, other)) = differ.filter(|_| extension.kind() != Kind::CacheBackend) {
            findings.push(Finding::new(
                format!("the same answer: {}", shown(one)),
                format!("{}, without what it does not ask for", shown(other)),
                "ask for what is needed in `permissions`, with a reason",
            ));
        }
    }
    Outcome::from_findings(findings)
}

/// System interfaces that a plugin may want to use, and the permission that goes with each.
const SYSTEM: [(&str, &str); 5] = [
    ("wasi:clocks/", "clock"),
    ("wasi:random/", "random"),
    ("wasi:filesystem/", "read"),
    ("wasi:sockets/", "http"),
    ("wasi:http/", "http"),
];

pub(crate) fn imports(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let system: Vec<&String> = extension.imports.iter().filter(|name| !name.starts_with("jackfield:plugin/")).collect();
    if system.is_empty() {
        return Outcome::noted("nothing but the contract");
    }
    // The library of a language imports all of WASI together, whatever a program uses of it. What is not granted then fails, and
    // says what was asked for.
    if system.iter().any(|name| name.starts_with("wasi:cli/")) {
        let count = system.len();
        return Outcome::noted(format!("{count} interfaces of WASI, all that the library of its language has"));
    }
    let asks = |what: &str| {
        extension.descriptor().permissions.iter().any(|permission| permission.name.split(':').next() == Some(what))
    };
    let unasked: Vec<String> = system
        .iter()
        .filter(|name| SYSTEM.iter().any(|(interface, what)| name.starts_with(interface) && !asks(what)))
        .map(|name| format!("`{name}`"))
        .collect();
    if unasked.is_empty() {
        return Outcome::noted(format!("{} interfaces of WASI", system.len()));
    }
    Outcome::warning(vec![Finding::new(
        "no import of clocks, random numbers, files or sockets that is not asked for",
        format!("{}: toolchains import them by habit, and the sandbox has nothing in them", unasked.join(", ")),
        "build without them where the toolchain can (`--stub-wasi`, or a target without WASI)",
    )])
}
