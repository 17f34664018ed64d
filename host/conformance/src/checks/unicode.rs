//! Strange texts.

use jackfield_loader::{Linkage, sandbox::size};
use jackfield_plugin_api::{Document, Kind, Result};

use crate::{
    Outcome,
    bench::LATE,
    host::Script,
    inputs::{STRANGE, Sample, lengthened, replaced, with_lone_surrogates},
    subject::Subject,
};

/// Length of a long text.
const LONG: usize = 1 << 20;
/// Length of a long text where time is short.
const SHORTER: usize = 1 << 16;

pub(crate) fn unicode(subject: &Subject<'_>) -> Outcome {
    let (mut findings, mut tried, mut note) = (Vec::new(), 0, None);
    let length = if subject.settings.quick { SHORTER } else { LONG };
    let long_text = format!("a text of {}", size(length as u64));
    for setup in &subject.setups {
        let values: Vec<_> = setup.samples.iter().take(4).map(Sample::value).collect();
        let mut samples = Vec::new();
        let mut names = Vec::new();
        for value in &values {
            for (name, text) in STRANGE {
                if let Some(made) = replaced(value, &subject.input, text) {
                    samples.push(Sample::new(2000 + samples.len() as u64, &made));
                    names.push(name);
                }
            }
        }
        let results = subject.call_each(&setup.instance, &samples, &Script::default());
        tried += samples.len();
        findings.extend(results.iter().zip(names).filter_map(|(result, name)| subject.fault(name, result)));
        for value in &values {
            let Some(json) = with_lone_surrogates(value, &subject.input) else { continue };
            tried += 1;
            let results = subject.call(&setup.instance, &[Sample::raw(2900, json)]);
            findings.extend(results.iter().filter_map(|result| subject.fault("half a surrogate pair", result)));
        }
        // One long text is enough: it is the length that matters.
        let long = values.iter().find_map(|value| lengthened(value, &subject.input, length));
        if let Some(made) = long.filter(|_| subject.kind() != Kind::CacheBackend) {
            tried += 1;
            let results = subject.call(&setup.instance, &[Sample::new(2999, &made)]);
            match results.first() {
                Some(result) if is_late(result) && subject.linkage == Linkage::Wasm => {
                    note = Some(format!("{long_text} takes longer than a call may take"));
                }
                Some(result) => findings.extend(subject.fault(&long_text, result)),
                None => {}
            }
        }
    }
    match note {
        _ if tried == 0 => Outcome::not_applicable("its input holds no text"),
        Some(note) if findings.is_empty() => Outcome::noted(note),
        _ => Outcome::of(findings),
    }
}

/// Whether a call was ended for its time.
fn is_late(result: &Result<Document>) -> bool {
    result.as_ref().is_err_and(|failure| failure.message().starts_with(LATE))
}
