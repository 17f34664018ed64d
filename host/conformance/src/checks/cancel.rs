//! Calls that are no longer wanted.

use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, is_internal, shown},
    host::Script,
};

pub(crate) fn cancellation(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let mut findings = Vec::new();
    for setup in &extension.setups {
        let script = Script { cancelled: true, ..Script::default() };
        let results = extension.call_each(&setup.instance, &setup.samples, &script);
        // What fails in any case is for other checks to say.
        let wanted = || extension.call_each(&setup.instance, &setup.samples, &Script::default());
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
    Outcome::from_findings(findings)
}
