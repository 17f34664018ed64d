//! Calls that are no longer wanted.

use std::time::Instant;

use crate::conformance::{
    Finding, Outcome,
    host::Script,
    subject::{Subject, is_internal, shown},
};

pub(in crate::conformance) fn cancellation(subject: &Subject<'_>) -> Outcome {
    let mut findings = Vec::new();
    for setup in &subject.setups {
        let began = Instant::now();
        let script = Script { cancelled: true, ..Script::default() };
        let results = subject.call_each(&setup.instance, &setup.samples, &script);
        let late = began.elapsed() >= subject.bench.longest();
        if let Some(fault) = results.iter().find(|result| is_internal(result)).filter(|_| !late || subject.bench.is_stuck())
        {
            findings.push(Finding::new(
                "any answer, or `cancelled`",
                format!("{}, when the host says that the batch is no longer wanted", shown(fault)),
                "answer `cancelled` when the host says so, and let nothing panic",
            ));
        }
    }
    Outcome::of(findings)
}
