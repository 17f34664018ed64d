//! Strange texts.

use jackfield_loader::{Linkage, sandbox::size};
use jackfield_plugin_api::{Document, Kind, Result};

use crate::{
    Outcome,
    call_runner::NO_ANSWER_WITHIN,
    extension_under_test::ExtensionUnderTest,
    host::Script,
    inputs::{STRANGE_TEXTS, Sample, lengthened, replaced, with_lone_surrogates},
};

/// Length of a long text.
const LONG: usize = 1 << 20;
/// Length of a long text where time is short.
const SHORTER: usize = 1 << 16;

pub(crate) fn unicode(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let (mut findings, mut tried, mut note) = (Vec::new(), 0, None);
    let length = if extension.settings.quick { SHORTER } else { LONG };
    let long_text = format!("a text of {}", size(length as u64));
    for setup in &extension.setups {
        let values: Vec<_> = setup.samples.iter().take(4).map(Sample::value).collect();
        let mut samples = Vec::new();
        let mut names = Vec::new();
        for value in &values {
            for (name, text) in STRANGE_TEXTS {
                if let Some(made) = replaced(value, &extension.input, text) {
                    samples.push(Sample::new(2000 + samples.len() as u64, &made));
                    names.push(name);
                }
            }
        }
        let results = extension.call_each(&setup.instance, &samples, &Script::default());
        tried += samples.len();
        findings.extend(results.iter().zip(names).filter_map(|(result, name)| extension.fault(name, result)));
        for value in &values {
            let Some(json) = with_lone_surrogates(value, &extension.input) else { continue };
            tried += 1;
            let results = extension.call(&setup.instance, &[Sample::raw(2900, json)]);
            findings.extend(results.iter().filter_map(|result| extension.fault("half a surrogate pair", result)));
        }
        // One long text is enough: it is the length that matters.
        let long = values.iter().find_map(|value| lengthened(value, &extension.input, length));
        if let Some(made) = long.filter(|_| extension.kind() != Kind::CacheBackend) {
            tried += 1;
            let results = extension.call(&setup.instance, &[Sample::new(2999, &made)]);
            match results.first() {
                Some(result) if is_late(result) && extension.linkage == Linkage::Wasm => {
                    note = Some(format!("{long_text} takes longer than a call may take"));
                }
                Some(result) => findings.extend(extension.fault(&long_text, result)),
                None => {}
            }
        }
    }
    match note {
        _ if tried == 0 => Outcome::not_applicable("its input holds no text"),
        Some(note) if findings.is_empty() => Outcome::noted(note),
        _ => Outcome::from_findings(findings),
    }
}

/// Whether a call was ended for its time.
fn is_late(result: &Result<Document>) -> bool {
    result.as_ref().is_err_and(|failure| failure.message().starts_with(NO_ANSWER_WITHIN))
}
