//! What an extension asks of its host.

use jackfield_plugin_api::{FailureKind, Kind, Result};

use super::cache_runs;
use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, is_internal, short},
    host::{SCRIPTED, Script, Service},
};

/// The services that the answers to the samples take.
fn used(extension: &ExtensionUnderTest<'_>) -> Vec<Service> {
    let mut used = Vec::new();
    for setup in &extension.setups {
        let batch = extension.requests(&setup.samples);
        let host = extension.host(Script::default(), &batch);
        let own = host.own_recorder();
        let _ = extension.call_runner.call(&setup.instance, batch, host);
        used.extend(own.services());
    }
    used.sort();
    used.dedup_by_key(|service| service.call());
    used
}

pub(crate) fn failures(extension: &ExtensionUnderTest<'_>) -> Outcome {
    if extension.kind() == Kind::CacheBackend {
        return cache_runs::failures(extension);
    }
    let used = used(extension);
    if used.is_empty() {
        return Outcome::not_applicable("it asks nothing of the host");
    }
    let mut findings = Vec::new();
    for service in &used {
        for kind in FailureKind::ALL {
            let script = Script { failing_service: Some((service.clone(), kind)), ..Script::default() };
            for setup in &extension.setups {
                let samples = &setup.samples[..setup.samples.len().min(3)];
                let results = extension.call_each(&setup.instance, samples, &script);
                // Handing the host's own failure on is an honest answer.
                let own = |result: &&Result<_>| {
                    let handed_on = result.as_ref().is_err_and(|failure| failure.message().contains(SCRIPTED));
                    is_internal(result) && !(handed_on && kind == FailureKind::Internal)
                };
                if let Some(Err(failure)) = results.iter().find(own) {
                    findings.push(Finding::new(
                        "an answer without the host's, or a failure that says why there is none",
                        format!("{}, when `{}` fails as `{}`", short(failure), service.call(), kind.name()),
                        "handle each failure of a host call: hand it on, or go on without it",
                    ));
                }
            }
        }
    }
    if findings.is_empty() {
        let names: Vec<String> = used.iter().map(|service| format!("`{}`", service.call())).collect();
        return Outcome::noted(format!("with {} failing in each way", names.join(", ")));
    }
    Outcome::from_findings(findings)
}

pub(crate) fn ungranted(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let services = extension.shared.recorder.services();
    let mut findings: Vec<Finding> = services
        .iter()
        .filter(|service| !service.is_asked_for(extension.descriptor()))
        .map(|service| {
            Finding::new(
                "host calls that the descriptor asks for, and no others",
                format!("`{}`, which takes `{}`", service.call(), service.permission()),
                format!("ask for `{}` in `permissions`, with a reason", service.permission()),
            )
        })
        .collect();
    findings.dedup_by(|one, other| one.fix == other.fix);
    if findings.is_empty() && !services.is_empty() {
        let mut names: Vec<String> = services.iter().map(|service| format!("`{}`", service.permission())).collect();
        names.dedup();
        return Outcome::noted(format!("used: {}", names.join(", ")));
    }
    Outcome::from_findings(findings)
}
