//! What holds for any extension, asked of cache backends by their operations: they are called with no documents.

use std::time::Instant;

use jackfield_loader::sandbox::{Limits, size};
use jackfield_plugin_api::{FailureKind, Result};

use super::cache::{Answer, Operation, answers_with, get, instance, key, operate, put, value_in_words};
use crate::{
    Finding, Outcome,
    call_runner::Opened,
    extension_under_test::{ExtensionUnderTest, short},
    host::{SCRIPTED, Script, Service},
};

/// The smallest limit on memory that is tried.
const SMALLEST: u64 = 1 << 20;

/// Some of each operation, whose answers depend on nothing that was there before.
fn sample_operations(check: &str) -> Vec<Operation> {
    let name = |name: &str| key(check, name);
    vec![
        Operation::Clear(name("")),
        put(&name("one"), b"first", None),
        put(&name("one"), b"second", None),
        put(&name("two"), &[0; 4096], None),
        get(&name("one")),
        get(&name("two")),
        get(&name("three")),
        Operation::Remove(name("two")),
        get(&name("two")),
        Operation::Clear(name("")),
        get(&name("one")),
    ]
}

/// Answers as they are compared.
fn compared(answers: &[Answer]) -> Vec<(String, u64)> {
    answers.iter().map(|answer| (value_in_words(answer.value.as_deref()), answer.entries)).collect()
}

/// The same operations, in two fresh instances.
pub(super) fn again(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let Some(setup) = extension.setups.first() else { return Outcome::not_applicable("it does not open") };
    let mut all = Vec::new();
    for _ in 0..2 {
        let opened = match extension.open(&setup.config) {
            Ok(opened) => opened,
            Err(failure) => return Outcome::not_applicable(format!("it does not open again: {}", short(&failure))),
        };
        match operate(extension, &opened, &sample_operations("again")) {
            // What the first clears may have been left by a run before.
            Ok(answers) => all.push(compared(&answers[1..])),
            Err(outcome) => return outcome,
        }
    }
    let differ = all[0].iter().zip(&all[1]).find(|(one, other)| one != other);
    let finding = differ.map(|(one, other)| {
        let shown = |(value, entries): &(String, u64)| format!("{value}, {entries}");
        Finding::new(
            format!("the same answer to the same operations: {}", shown(one)),
            shown(other),
            "let nothing but the operations decide what is answered",
        )
    });
    Outcome::from_findings(finding.into_iter().collect())
}

/// A server fails in each way.
pub(super) fn failures(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let Some(opened) = instance(extension) else { return Outcome::not_applicable("it does not open") };
    let mut findings = Vec::new();
    let mut asks = false;
    for kind in FailureKind::ALL {
        let script = Script { failing_service: Some((Service::Fetch(String::new()), kind)), ..Script::default() };
        let operations = [put(&key("failures", "one"), b"one", None), get(&key("failures", "one"))];
        let (results, services) = answers_with(extension, opened, &operations, script);
        asks |= services.iter().any(|service| matches!(service, Service::Fetch(_)));
        // Handing the host's own failure on is an honest answer.
        let own = |result: &&Result<Answer>| {
            result
                .as_ref()
                .is_err_and(|failure| failure.kind() == FailureKind::Internal && !failure.message().contains(SCRIPTED))
        };
        if let Some(Err(failure)) = results.iter().find(own) {
            findings.push(Finding::new(
                "an answer without the host's, or a failure that says why there is none",
                format!("{}, when `fetch` fails as `{}`", short(failure), kind.name()),
                "handle each failure of a host call: hand it on, or go on without it",
            ));
        }
    }
    match findings.is_empty() {
        true if asks => Outcome::noted("with `fetch` failing in each way"),
        true => Outcome::not_applicable("it asks nothing of the host"),
        false => Outcome::from_findings(findings),
    }
}

/// The default limits are enough, and how much memory is.
pub(super) fn within_limits(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let Some(setup) = extension.setups.first() else { return Outcome::not_applicable("it does not open") };
    let operations = sample_operations("limits");
    let began = Instant::now();
    let wanted = match operate(extension, &setup.instance, &operations) {
        Ok(answers) => compared(&answers[1..]),
        Err(outcome) => return outcome,
    };
    let each = began.elapsed() / u32::try_from(operations.len()).unwrap_or(1);
    let enough = |opened: &Opened| {
        operate(extension, opened, &operations).is_ok_and(|answers| compared(&answers[1..]) == wanted)
    };
    let default = Limits::of_cache().memory;
    let mut memory = SMALLEST;
    while memory < default {
        let limits = Limits { memory, ..Limits::of_cache() };
        let opened = extension.call_runner.open(&extension.entry.factory, &setup.config, &limits);
        if opened.is_ok_and(|opened| enough(&opened)) {
            break;
        }
        memory *= 2;
    }
    let each = each.as_secs_f64() * 1e3;
    Outcome::noted(format!("works within {} of memory, {each:.3} ms an operation", size(memory)))
}
