//! Batches.

use jackfield_plugin_api::Kind;

use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, Setup, is_internal, same, shown},
    inputs::Sample,
    value_generator,
};

/// Different documents of a big batch.
const DIFFERENT: usize = 40;

pub(crate) fn empty(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let findings = extension.setups.iter().filter_map(|setup| {
        let results = extension.call(&setup.instance, &[]);
        let first = results.first()?;
        Some(Finding::new("no result", shown(first), "answer one result per request: an empty list for an empty list"))
    });
    Outcome::from_findings(findings.collect())
}

/// Inputs of a setup, with made-up ones so that there are enough.
fn enough(extension: &ExtensionUnderTest<'_>, setup: &Setup, count: usize) -> Vec<Sample> {
    let mut samples = setup.samples.clone();
    let missing = count.saturating_sub(samples.len());
    let more = value_generator::distinct_values(&extension.input, 0xb16, missing);
    samples.extend(more.iter().zip(1000..).map(|(value, number)| Sample::new(number, value)));
    samples
}

pub(crate) fn big(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let Some(setup) = extension.setups.first() else { return Outcome::not_applicable("it does not open") };
    let different = enough(extension, setup, DIFFERENT);
    if different.is_empty() {
        return Outcome::not_applicable("no input is known that fits the schema");
    }
    let count = if extension.settings.quick { 100 } else { 1000 };
    let small = extension.call(&setup.instance, &different);
    let batch: Vec<Sample> = different.iter().cycle().take(count).cloned().collect();
    let results = extension.call(&setup.instance, &batch);
    if results.len() != count {
        return Outcome::from_findings(vec![Finding::new(
            format!("{count} results"),
            results.first().map_or_else(|| "none".to_owned(), shown),
            "answer one result per request",
        )]);
    }
    let faults = || results.iter().filter(|result| is_internal(result) || extension.kind() == Kind::CacheBackend);
    if let Some(fault) = faults().find_map(|result| extension.fault(&format!("a batch of {count}"), result)) {
        return Outcome::from_findings(vec![fault]);
    }
    if extension.kind() == Kind::CacheBackend {
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
    Outcome::from_findings(finding.into_iter().collect())
}

pub(crate) fn one_by_one(extension: &ExtensionUnderTest<'_>) -> Outcome {
    if extension.kind() == Kind::CacheBackend {
        return Outcome::not_applicable("what a cache answers depends on what it was told before");
    }
    let mut findings = Vec::new();
    for setup in &extension.setups {
        let samples = enough(extension, setup, if extension.settings.quick { 6 } else { 12 });
        let together = extension.call(&setup.instance, &samples);
        if let Some(fault) = together.iter().find(|result| is_internal(result)) {
            findings.extend(extension.fault(&format!("a batch of {}", samples.len()), fault));
            continue;
        }
        for (sample, found) in samples.iter().zip(&together) {
            let alone = extension.call(&setup.instance, std::slice::from_ref(sample));
            if let Some(alone) = alone.first().filter(|alone| !same(alone, found)) {
                findings.push(Finding::new(
                    format!("as alone: {}", shown(alone)),
                    format!("in a batch of {}: {}", samples.len(), shown(found)),
                    "keep nothing from one document to the next",
                ));
            }
        }
    }
    Outcome::from_findings(findings)
}
