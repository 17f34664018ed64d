//! Tensors that travel by reference.

use serde_json::Value;

use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, is_internal},
    host::Script,
    tensors::references,
};

pub(crate) fn own(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let mut findings = Vec::new();
    let mut named = false;
    for setup in &extension.setups {
        let batch = extension.requests(&setup.samples);
        named |= setup.samples.iter().any(|sample| !references(&sample.value()).is_empty());
        let host = extension.host(Script::default(), &batch);
        let results = extension.call_runner.call(&setup.instance, batch, std::sync::Arc::clone(&host) as _);
        for (result, index) in results.iter().zip(0..).filter(|(result, _)| !is_internal(result)) {
            let answer: Value =
                result.as_ref().ok().and_then(|document| serde_json::from_str(&document.json).ok()).unwrap_or_default();
            let answered = references(&answer);
            named |= !answered.is_empty();
            let stray = answered.iter().find(|tensor| !host.has_declared(index, tensor));
            findings.extend(stray.map(|tensor| {
                Finding::new(
                    "an answer that names no tensor but those of its input and those that were made for it",
                    format!("{} in the answer to request {index} of a batch", tensor.sha256),
                    "hand on what the input named, or keep what was made, by the host of the call",
                )
            }));
        }
    }
    if let Some(stray) = extension.shared.recorder.undeclared_tensors().first() {
        findings.push(Finding::new(
            "no tensor opened but those that the input named and those that were made for it",
            format!("{stray}, opened on behalf of a request that did not name it"),
            "open a tensor by the host of the call whose input names it, and keep no reference for later calls",
        ));
    }
    if !named && findings.is_empty() {
        return Outcome::not_applicable("neither its input nor its answers name tensors");
    }
    Outcome::from_findings(findings)
}
