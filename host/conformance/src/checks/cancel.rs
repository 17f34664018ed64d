//! Calls that are no longer wanted.

use crate::{
    Finding, Outcome,
    host::Script,
    subject::{Subject, is_internal, shown},
};

pub(crate) fn cancellation(subject: &Subject<'_>) -> Outcome {
    let mut findings = Vec::new();
    for setup in &subject.setups {
        let script = Script { cancelled: true, ..Script::default() };
        let results = subject.call_each(&setup.instance, &setup.samples, &script);
        // What fails in any case is for other checks to say.
        let wanted = || subject.call_each(&setup.instance, &setup.samples, &Script::default());
        if results.iter().any(is_internal)
            && let Some((fault, _)) =
                results.iter().zip(&wanted()).find(|(one, other)| is_internal(one) && !is_internal(other))
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
