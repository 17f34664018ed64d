//! Routing policies that pick values from a space, by the documents of the contract.

use jackfield_plugin_api::{
    Failure, FailureKind, Outcome as TrialOutcome, SearchAnswer, SearchQuestion, SearchRequest, Study,
};
use serde_json::Value;

use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, Setup, excerpt, short},
    inputs::Sample,
    studies::{outcome, question, studies},
};

const FIX: &str = "answer what the contract calls a `SearchAnswer`: one of `append` for each outcome, one of `decisions` for each question";
/// Outcomes that are known in most checks: more than a search draws at random in the beginning.
const KNOWN: u64 = 16;

fn request(study: &Study, state: &[Value], learn: Vec<TrialOutcome>, decide: Vec<SearchQuestion>) -> SearchRequest {
    SearchRequest { study: study.clone(), state: state.to_vec(), learn, decide }
}

/// What a search answers.
fn ask(
    extension: &ExtensionUnderTest<'_>,
    setup: &Setup,
    number: u64,
    request: &SearchRequest,
) -> Result<SearchAnswer, Failure> {
    let value = serde_json::to_value(request).unwrap_or_default();
    let document = extension.call(&setup.instance, &[Sample::new(number, &value)]).swap_remove(0)?;
    serde_json::from_str(&document.json)
        .map_err(|error| Failure::InvalidOutput(format!("{}: {error}", excerpt(&document.json))))
}

fn failed(expected: &str, failure: &Failure) -> Finding {
    Finding::new(expected, short(failure), FIX)
}

/// The state after so many outcomes.
fn learned(
    extension: &ExtensionUnderTest<'_>,
    setup: &Setup,
    study: &Study,
    count: u64,
) -> Result<Vec<Value>, Finding> {
    let learn = (0..count).map(|trial| outcome(study, trial)).collect();
    let answer = ask(extension, setup, 8000, &request(study, &[], learn, Vec::new()));
    answer.map(|answer| answer.append).map_err(|failure| failed("outcomes to be learned from", &failure))
}

/// Looks at each configuration, with each study that it takes.
fn each(
    extension: &ExtensionUnderTest<'_>,
    look: impl Fn(&Setup, &Study) -> Result<Option<Finding>, Finding>,
) -> Outcome {
    let (mut reason, mut looked) = (None, false);
    let mut findings = Vec::new();
    for setup in &extension.setups {
        for study in studies() {
            // Not every space can be searched in every way: a grid has an end.
            match ask(extension, setup, 8050, &request(&study, &[], Vec::new(), Vec::new())) {
                Err(failure) if failure.kind() == FailureKind::InvalidConfig => {
                    reason = Some(format!("it takes other studies ({})", short(&failure)));
                }
                _ => {
                    looked = true;
                    findings.extend(look(setup, &study).unwrap_or_else(Some));
                }
            }
        }
    }
    // One study is enough to show it.
    findings.dedup_by(|one, other| one.expected == other.expected);
    match reason {
        Some(reason) if !looked => Outcome::not_applicable(reason),
        _ => Outcome::from_findings(findings),
    }
}

pub(crate) fn values_of_the_space(extension: &ExtensionUnderTest<'_>) -> Outcome {
    const QUESTIONS: u64 = 5;
    each(extension, |setup, study| {
        for known in [0, KNOWN] {
            let state = learned(extension, setup, study, known)?;
            let questions = (known..known + QUESTIONS).map(|trial| question(study, trial, trial - known)).collect();
            let answer = ask(extension, setup, 8100, &request(study, &state, Vec::new(), questions))
                .map_err(|failure| failed("values for each question", &failure))?;
            if answer.decisions.len() as u64 != QUESTIONS {
                let seen = format!("{} decisions for {QUESTIONS} questions", answer.decisions.len());
                return Ok(Some(Finding::new("a decision for each question", seen, FIX)));
            }
            if let Some(failure) = answer.decisions.iter().find_map(|decision| study.check(&decision.values).err()) {
                return Ok(Some(Finding::new(
                    "a value of each key of the space that has one, and of no other",
                    excerpt(failure.message()),
                    "keep to the ranges, steps and choices; leave out what a condition leaves out",
                )));
            }
        }
        Ok(None)
    })
}

pub(crate) fn pure(extension: &ExtensionUnderTest<'_>) -> Outcome {
    each(extension, |setup, study| {
        let state = learned(extension, setup, study, KNOWN)?;
        let questions: Vec<SearchQuestion> =
            (KNOWN..KNOWN + 4).map(|trial| question(study, trial, trial - KNOWN)).collect();
        let whole = |failure: Failure| failed("values for each question", &failure);
        let together = request(study, &state, Vec::new(), questions.clone());
        let together = ask(extension, setup, 8200, &together).map_err(whole)?;
        for (number, asked) in questions.iter().enumerate() {
            // Another item, another seed of the context: what decides is the question.
            let alone = request(study, &state, Vec::new(), vec![asked.clone()]);
            let alone = ask(extension, setup, 8300 + number as u64, &alone).map_err(whole)?;
            let shown = |answer: &SearchAnswer, at: usize| {
                let values = answer.decisions.get(at).map(|decision| &decision.values);
                excerpt(&serde_json::to_string(&values).unwrap_or_default())
            };
            let (expected, seen) = (shown(&together, number), shown(&alone, 0));
            if expected != seen {
                return Ok(Some(Finding::new(
                    format!("the same values alone as among others: {expected}"),
                    seen,
                    "let nothing but the outcomes, the question and its seed decide",
                )));
            }
        }
        Ok(None)
    })
}

pub(crate) fn state(extension: &ExtensionUnderTest<'_>) -> Outcome {
    each(extension, |setup, study| {
        let at_once = learned(extension, setup, study, KNOWN)?;
        if at_once.len() as u64 != KNOWN {
            let seen = format!("{} entries", at_once.len());
            return Ok(Some(Finding::new(format!("an entry for each of {KNOWN} outcomes"), seen, FIX)));
        }
        let mut known: Vec<Value> = Vec::new();
        for trial in 0..KNOWN {
            let learning = request(study, &known, vec![outcome(study, trial)], Vec::new());
            let answer = ask(extension, setup, 8400 + trial, &learning);
            known.extend(answer.map_err(|failure| failed("its own state to be taken up", &failure))?.append);
        }
        if known != at_once {
            let shown = |state: &[Value]| excerpt(&Value::from(state.to_vec()).to_string());
            return Ok(Some(Finding::new(
                format!("the same entries from outcomes one by one as at once: {}", shown(&at_once)),
                shown(&known),
                "let an entry follow from the outcomes up to its own, and from nothing beside them",
            )));
        }
        Ok(None)
    })
}

pub(crate) fn outcomes(extension: &ExtensionUnderTest<'_>) -> Outcome {
    each(extension, |setup, study| {
        let failed_trial = TrialOutcome { objectives: Vec::new(), reports: Vec::new(), ..outcome(study, 1) };
        let pruned = TrialOutcome { objectives: Vec::new(), pruned: true, ..outcome(study, 2) };
        let mut wide = outcome(study, 3);
        wide.objectives.iter_mut().for_each(|objective| objective.value = 1e300);
        let odd = [
            ("trials that all failed", vec![failed_trial.clone(); 40]),
            ("a trial that was stopped", vec![outcome(study, 0), pruned, failed_trial]),
            ("trials that all came to the same", vec![outcome(study, 5); 40]),
            ("an objective beyond all others", vec![outcome(study, 0), wide, outcome(study, 4)]),
        ];
        for (what, learn) in odd {
            let asked = question(study, learn.len() as u64, 0);
            let seen = match ask(extension, setup, 8500, &request(study, &[], learn, vec![asked])) {
                Err(failure) => Some(short(&failure)),
                Ok(answer) => answer
                    .decisions
                    .first()
                    .and_then(|decision| Some(excerpt(study.check(&decision.values).err()?.message()))),
            };
            if let Some(seen) = seen {
                return Ok(Some(Finding::new(
                    "values of the space, whatever came of the trials before",
                    format!("{seen}, for {what}"),
                    "learn from what is there; a trial that failed is not an error",
                )));
            }
        }
        Ok(None)
    })
}

pub(crate) fn stop(extension: &ExtensionUnderTest<'_>) -> Outcome {
    each(extension, |setup, study| {
        for known in [0, KNOWN] {
            let state = learned(extension, setup, study, known)?;
            for made in 1..=study.reports {
                let reports: Vec<f64> = (0..made).map(|report| 1000.0 + f64::from(report)).collect();
                let asked = SearchQuestion { reports, ..question(study, known, 0) };
                let answer = ask(extension, setup, 8600, &request(study, &state, Vec::new(), vec![asked]))
                    .map_err(|failure| failed("whether the trial goes on", &failure))?;
                let [decision] = answer.decisions.as_slice() else {
                    let seen = format!("{} decisions for one question", answer.decisions.len());
                    return Ok(Some(Finding::new("a decision for each question", seen, FIX)));
                };
                if !decision.values.is_empty() {
                    return Ok(Some(Finding::new(
                        "`stop` alone, where a trial has reported",
                        excerpt(&serde_json::to_string(&decision.values).unwrap_or_default()),
                        "pick values where `reports` of the question is empty, and there alone",
                    )));
                }
            }
        }
        Ok(None)
    })
}

pub(crate) fn bounded(extension: &ExtensionUnderTest<'_>) -> Outcome {
    const SOME: u64 = 400;
    let grown = each(extension, |setup, study| {
        let entries = learned(extension, setup, study, SOME)?;
        let size = |entries: &[Value]| entries.iter().map(|entry| entry.to_string().len()).max().unwrap_or(0);
        let (before, after) = entries.split_at(entries.len().min(40));
        let (before, after) = (size(before), size(after));
        // Digits of the number of the trial, and what few trials leave out.
        let allowed = before + before / 2 + 64;
        Ok((after > allowed).then(|| {
            Finding::new(
                format!("entries that are about as large as the first: {before} bytes"),
                format!("{after} bytes within {SOME} outcomes"),
                "put into an entry what its own outcome adds: all entries go with every question",
            )
        }))
    });
    match grown {
        Outcome::Failed { findings } => Outcome::warning(findings),
        other => other,
    }
}
