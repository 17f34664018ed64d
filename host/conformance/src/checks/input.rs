//! Inputs that do not fit.

use jackfield_plugin_api::{Document, FailureKind, Kind, Result};
use serde_json::{Value, json};

use crate::{
    Finding, Outcome,
    bench::Opened,
    inputs::Sample,
    subject::{Subject, is_internal, same, short, shown},
};

pub(crate) fn bad(subject: &Subject<'_>) -> Outcome {
    let Some(setup) = subject.setups.first() else { return Outcome::not_applicable("it does not open") };
    let Some(good) = setup.samples.first() else { return Outcome::not_applicable("no input is known to stand beside") };
    let mut tried = vec![("a text that is no JSON".to_owned(), "{\"cut\": ".to_owned())];
    for wrong in [json!(null), json!({}), json!([]), json!("text"), json!(12.5), json!(true)] {
        if !subject.input.allows(&wrong) {
            tried.push((wrong.to_string(), wrong.to_string()));
        }
    }
    if let value @ Value::Object(_) = good.value() {
        let present: Vec<String> = value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        for name in present {
            if let Some(wrong) = subject.input.wrong_for(&value, &name) {
                let mut input = value.clone();
                input[&name] = wrong.clone();
                tried.push((format!("`{name}` = {wrong}"), input.to_string()));
            }
        }
    }
    let next = setup.samples.get(1).unwrap_or(good);
    // What a cache answers depends on what it was told before.
    let neighbours = subject.kind() != Kind::CacheBackend;
    let alone = [good, next].map(|sample| {
        let mut results = subject.call(&setup.instance, std::slice::from_ref(sample));
        results.swap_remove(0)
    });
    let mut findings = Vec::new();
    for (what, [before, bad, after]) in beside(subject, &setup.instance, [good, next], tried) {
        let refused = bad.as_ref().is_err_and(|failure| failure.kind() == FailureKind::InvalidInput);
        if !refused {
            let seen = match &bad {
                Ok(_) => format!("answered: {}", shown(&bad)),
                Err(failure) => short(failure),
            };
            findings.push(Finding::new(
                "`invalid-input`",
                format!("{seen}, for {what}"),
                "read the input by its type, and answer `invalid-input` with what is wrong",
            ));
        }
        let harmed = [(&before, &alone[0]), (&after, &alone[1])].into_iter().find(|(found, alone)| !same(found, alone));
        if let Some((found, alone)) = harmed.filter(|_| neighbours) {
            findings.push(Finding::new(
                format!("the other documents of the batch answered as ever: {}", shown(alone)),
                format!("{}, beside {what}", shown(found)),
                "answer each document of a batch by itself",
            ));
        }
    }
    Outcome::of(findings)
}

/// Each bad input with what was answered to it and to the good ones before and after it. All go as one batch; should that
/// fail as a whole, each bad one goes alone with its neighbours, so that the guilty one is found.
fn beside(
    subject: &Subject<'_>,
    instance: &Opened,
    [before, after]: [&Sample; 2],
    tried: Vec<(String, String)>,
) -> Vec<(String, [Result<Document>; 3])> {
    let trio = |json: &String| [before.clone(), Sample::raw(999, json.as_str()), after.clone()];
    let batch: Vec<Sample> = tried.iter().flat_map(|(_, json)| trio(json)).collect();
    let mut results = subject.call(instance, &batch);
    if results.iter().all(|result| is_internal(result) && *result == results[0]) {
        results = tried.iter().flat_map(|(_, json)| subject.call(instance, &trio(json))).collect();
    }
    let mut results = results.into_iter();
    let trios = tried.into_iter().map_while(|(what, _)| {
        let trio = [results.next()?, results.next()?, results.next()?];
        Some((what, trio))
    });
    trios.collect()
}
