//! Batches.

use jackfield_plugin_api::Kind;

use crate::{
    Finding, Outcome, generate,
    inputs::Sample,
    subject::{Setup, Subject, is_internal, same, shown},
};

/// Different documents of a big batch.
const DIFFERENT: usize = 40;

pub(crate) fn empty(subject: &Subject<'_>) -> Outcome {
    let findings = subject.setups.iter().filter_map(|setup| {
        let results = subject.call(&setup.instance, &[]);
        let first = results.first()?;
        Some(Finding::new("no result", shown(first), "answer one result per request: an empty list for an empty list"))
    });
    Outcome::of(findings.collect())
}

/// Inputs of a setup, with made-up ones so that there are enough.
fn enough(subject: &Subject<'_>, setup: &Setup, count: usize) -> Vec<Sample> {
    let mut samples = setup.samples.clone();
    let missing = count.saturating_sub(samples.len());
    let more = generate::several(&subject.input, 0xb16, missing);
    samples.extend(more.iter().zip(1000..).map(|(value, number)| Sample::new(number, value)));
    samples
}

pub(crate) fn big(subject: &Subject<'_>) -> Outcome {
    let Some(setup) = subject.setups.first() else { return Outcome::not_applicable("it does not open") };
    let different = enough(subject, setup, DIFFERENT);
    if different.is_empty() {
        return Outcome::not_applicable("no input is known that fits the schema");
    }
    let count = if subject.settings.quick { 100 } else { 1000 };
    let small = subject.call(&setup.instance, &different);
    let batch: Vec<Sample> = different.iter().cycle().take(count).cloned().collect();
    let results = subject.call(&setup.instance, &batch);
    if results.len() != count {
        return Outcome::of(vec![Finding::new(
            format!("{count} results"),
            results.first().map_or_else(|| "none".to_owned(), shown),
            "answer one result per request",
        )]);
    }
    let faults = || results.iter().filter(|result| is_internal(result) || subject.kind() == Kind::CacheBackend);
    if let Some(fault) = faults().find_map(|result| subject.fault(&format!("a batch of {count}"), result)) {
        return Outcome::of(vec![fault]);
    }
    if subject.kind() == Kind::CacheBackend {
        return Outcome::passed();
    }
    let differs = results.iter().zip(small.iter().cycle()).position(|(found, wanted)| !same(found, wanted));
    let finding = differs.map(|at| {
        Finding::new(
            format!("for document {} of {count}: {}", at + 1, shown(&small[at % small.len()])),
            shown(&results[at]),
            "answer the documents in their order, each by itself, however many there are",
        )
    });
    Outcome::of(finding.into_iter().collect())
}

pub(crate) fn one_by_one(subject: &Subject<'_>) -> Outcome {
    if subject.kind() == Kind::CacheBackend {
        return Outcome::not_applicable("what a cache answers depends on what it was told before");
    }
    let mut findings = Vec::new();
    for setup in &subject.setups {
        let samples = enough(subject, setup, if subject.settings.quick { 6 } else { 12 });
        let together = subject.call(&setup.instance, &samples);
        if let Some(fault) = together.iter().find(|result| is_internal(result)) {
            findings.extend(subject.fault(&format!("a batch of {}", samples.len()), fault));
            continue;
        }
        for (sample, found) in samples.iter().zip(&together) {
            let alone = subject.call(&setup.instance, std::slice::from_ref(sample));
            if let Some(alone) = alone.first().filter(|alone| !same(alone, found)) {
                findings.push(Finding::new(
                    format!("as alone: {}", shown(alone)),
                    format!("in a batch of {}: {}", samples.len(), shown(found)),
                    "keep nothing from one document to the next",
                ));
            }
        }
    }
    Outcome::of(findings)
}
