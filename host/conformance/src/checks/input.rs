//! Inputs that do not fit.

use jackfield_plugin_api::{Document, FailureKind, Kind, Result};
use serde_json::{Value, json};

use crate::{
    Finding, Outcome,
    call_runner::Opened,
    extension_under_test::{ExtensionUnderTest, is_internal, same, short, shown},
    inputs::Sample,
};

/// An input that has to be refused.
struct BadInput {
    /// What is wrong with it, for messages.
    what: String,
    json: String,
}

/// What was answered to a bad input, and to the good ones before and after it.
struct AnsweredTrio {
    /// What is wrong with the bad one.
    what: String,
    before: Result<Document>,
    bad: Result<Document>,
    after: Result<Document>,
}

pub(crate) fn bad(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let Some(setup) = extension.setups.first() else { return Outcome::not_applicable("it does not open") };
    let Some(good) = setup.samples.first() else { return Outcome::not_applicable("no input is known to stand beside") };
    let mut tried = vec![BadInput { what: "a text that is not valid JSON".to_owned(), json: "{\"cut\": ".to_owned() }];
    for wrong in [json!(null), json!({}), json!([]), json!("text"), json!(12.5), json!(true)] {
        if !extension.input.allows(&wrong) {
            tried.push(BadInput { what: wrong.to_string(), json: wrong.to_string() });
        }
    }
    if let value @ Value::Object(_) = good.value() {
        let present: Vec<String> = value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        for name in present {
            if let Some(wrong) = extension.input.wrong_for(&value, &name) {
                let mut input = value.clone();
                input[&name] = wrong.clone();
                tried.push(BadInput { what: format!("`{name}` = {wrong}"), json: input.to_string() });
            }
        }
    }
    let next = setup.samples.get(1).unwrap_or(good);
    // What a cache answers depends on what it was told before.
    let neighbours = extension.kind() != Kind::CacheBackend;
    let alone = [good, next].map(|sample| {
        let mut results = extension.call(&setup.instance, std::slice::from_ref(sample));
        results.swap_remove(0)
    });
    let mut findings = Vec::new();
    for AnsweredTrio { what, before, bad, after } in beside(extension, &setup.instance, [good, next], tried) {
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
    Outcome::from_findings(findings)
}

/// Each bad input with what was answered to it and to the good ones before and after it. All go as one batch; should that
/// fail as a whole, each bad one goes alone with its neighbours, so that the one that fails is found.
fn beside(
    extension: &ExtensionUnderTest<'_>,
    instance: &Opened,
    [before, after]: [&Sample; 2],
    tried: Vec<BadInput>,
) -> Vec<AnsweredTrio> {
    let trio = |json: &String| [before.clone(), Sample::raw(999, json.as_str()), after.clone()];
    let batch: Vec<Sample> = tried.iter().flat_map(|bad| trio(&bad.json)).collect();
    let mut results = extension.call(instance, &batch);
    if results.iter().all(|result| is_internal(result) && *result == results[0]) {
        results = tried.iter().flat_map(|bad| extension.call(instance, &trio(&bad.json))).collect();
    }
    let mut results = results.into_iter();
    let trios = tried.into_iter().map_while(|BadInput { what, .. }| {
        Some(AnsweredTrio { what, before: results.next()?, bad: results.next()?, after: results.next()? })
    });
    trios.collect()
}
