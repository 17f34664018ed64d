//! Routing policies, by the documents of the contract.

use jackfield_plugin_api::{
    Arm, Attempt, Failure, FailureKind, Objective, Outcome as RoutingOutcome, PolicyAnswer, PolicyQuestion,
    PolicyRequest,
};
use serde_json::{Map, Value};

use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, Setup, excerpt, short},
    inputs::Sample,
};

const NAMES: [&str; 3] = ["cheap", "middling", "dear"];
const CONTEXTS: [&str; 3] = ["questions", "poems", ""];
const FIX: &str = "answer what the contract calls a `PolicyAnswer`: `state`, and one of `decisions` for each question";

fn arms(count: usize) -> Vec<Arm> {
    NAMES[..count].iter().map(|name| Arm { name: (*name).to_owned(), with: Value::Object(Map::new()) }).collect()
}

fn question(number: u64, tried: &[u32]) -> PolicyQuestion {
    let context = CONTEXTS[number as usize % CONTEXTS.len()].to_owned();
    PolicyQuestion { context, tried: tried.to_vec(), pending: Vec::new(), seed: number.wrapping_mul(0x9e37_79b9_7f4a) }
}

/// What came of the item of this number, whatever a policy learns from.
fn outcome(number: u64) -> RoutingOutcome {
    let objective = |name: &str, value: f64, minimize: bool| Objective { name: name.to_owned(), value, minimize };
    let share = (number % 10) as f64 / 10.0;
    RoutingOutcome {
        context: CONTEXTS[number as usize % CONTEXTS.len()].to_owned(),
        attempts: vec![Attempt { arm: NAMES[number as usize / 3 % NAMES.len()].to_owned(), failed: false }],
        reward: Some(share),
        objectives: vec![objective("cost", 1.0 - share, true), objective("quality", share, false)],
        ..RoutingOutcome::default()
    }
}

fn decision_request(state: Option<&Value>, arms: Vec<Arm>, decide: Vec<PolicyQuestion>) -> PolicyRequest {
    PolicyRequest { state: state.cloned(), arms, learn: Vec::new(), decide, again: false }
}

fn outcome_request(state: Option<&Value>, learn: Vec<RoutingOutcome>) -> PolicyRequest {
    PolicyRequest { state: state.cloned(), arms: Vec::new(), learn, decide: Vec::new(), again: false }
}

/// What a policy answers.
fn ask(
    extension: &ExtensionUnderTest<'_>,
    setup: &Setup,
    number: u64,
    request: &PolicyRequest,
) -> Result<PolicyAnswer, Failure> {
    let value = serde_json::to_value(request).unwrap_or_default();
    let document = extension.call(&setup.instance, &[Sample::new(number, &value)]).swap_remove(0)?;
    serde_json::from_str(&document.json)
        .map_err(|error| Failure::InvalidOutput(format!("{}: {error}", excerpt(&document.json))))
}

fn failed(expected: &str, failure: &Failure, fix: &str) -> Finding {
    Finding::new(expected, short(failure), fix)
}

/// The state after so many outcomes.
fn learned(extension: &ExtensionUnderTest<'_>, setup: &Setup, count: u64) -> Result<Value, Finding> {
    let request = outcome_request(None, (0..count).map(outcome).collect());
    let answer = ask(extension, setup, 7000, &request);
    answer.map(|answer| answer.state).map_err(|failure| failed("outcomes to be learned from", &failure, FIX))
}

/// Looks at each configuration.
fn each(extension: &ExtensionUnderTest<'_>, look: impl Fn(&Setup) -> Result<Option<Finding>, Finding>) -> Outcome {
    let (mut reason, mut looked) = (None, false);
    let mut findings = Vec::new();
    for setup in &extension.setups {
        // One that is configured for arms of its own does not take those of a conformance run.
        match ask(extension, setup, 7050, &decision_request(None, arms(NAMES.len()), vec![question(0, &[])])) {
            Err(failure) if failure.kind() == FailureKind::InvalidConfig => {
                reason = Some(format!("it takes other arms ({})", short(&failure)));
            }
            _ => {
                looked = true;
                findings.extend(look(setup).unwrap_or_else(Some));
            }
        }
    }
    match reason {
        Some(reason) if !looked => Outcome::not_applicable(reason),
        _ => Outcome::from_findings(findings),
    }
}

pub(crate) fn arms_there(extension: &ExtensionUnderTest<'_>) -> Outcome {
    const QUESTIONS: u64 = 20;
    each(extension, |setup| {
        let some = learned(extension, setup, 30)?;
        for count in 1..=NAMES.len() {
            for state in [None, Some(&some)] {
                let questions: Vec<PolicyQuestion> = (0..QUESTIONS).map(|number| question(number, &[])).collect();
                let request = decision_request(state, arms(count), questions);
                let answer = match ask(extension, setup, 7100, &request) {
                    Ok(answer) => answer,
                    // There may be too few to choose from.
                    Err(failure) if count < NAMES.len() && failure.kind() == FailureKind::InvalidConfig => continue,
                    Err(failure) => return Err(failed("a decision for each question", &failure, FIX)),
                };
                if answer.decisions.len() as u64 != QUESTIONS {
                    let seen = format!("{} decisions for {QUESTIONS} questions", answer.decisions.len());
                    return Ok(Some(Finding::new("a decision for each question", seen, FIX)));
                }
                let decided = |decision: &Option<_>| match decision {
                    None => Some(format!("no decision, of {count} arms")),
                    Some(decision) => unfit(decision, count),
                };
                if let Some(seen) = answer.decisions.iter().find_map(decided) {
                    return Ok(Some(Finding::new(
                        "an arm of the list for each question, and a finite score for each arm, or none",
                        seen,
                        "pick an index of `arms`; leave `scores` out, or give one for each arm",
                    )));
                }
            }
        }
        Ok(None)
    })
}

/// What is wrong with a decision between so many arms.
fn unfit(decision: &jackfield_plugin_api::Decision, count: usize) -> Option<String> {
    let (arm, scores) = (decision.arm, decision.scores.len());
    if arm as usize >= count {
        return Some(format!("arm {arm} of {count}"));
    }
    (scores != 0 && scores != count).then(|| format!("{scores} scores of {count} arms"))
}

pub(crate) fn pure(extension: &ExtensionUnderTest<'_>) -> Outcome {
    each(extension, |setup| {
        let state = learned(extension, setup, 25)?;
        let questions: Vec<PolicyQuestion> = (0..8).map(|number| question(number, &[])).collect();
        let whole = |failure: Failure| failed("a decision for each question", &failure, FIX);
        let request = decision_request(Some(&state), arms(3), questions.clone());
        let together = ask(extension, setup, 7200, &request).map_err(whole)?;
        if together.state != state {
            return Ok(Some(Finding::new(
                format!("the state as it was, as nothing was to be learned: {}", excerpt(&state.to_string())),
                excerpt(&together.state.to_string()),
                "change the state by outcomes alone: what a question changes is forgotten",
            )));
        }
        for (number, asked) in questions.iter().enumerate() {
            // Another item, another seed of the context: what decides is the question.
            let request = decision_request(Some(&state), arms(3), vec![asked.clone()]);
            let alone = ask(extension, setup, 7300 + number as u64, &request).map_err(whole)?;
            if alone.decisions.first() != together.decisions.get(number) {
                let shown = |decision: Option<&_>| excerpt(&serde_json::to_string(&decision).unwrap_or_default());
                return Ok(Some(Finding::new(
                    format!("the same decision alone as among others: {}", shown(together.decisions.get(number))),
                    shown(alone.decisions.first()),
                    "let nothing but state, question and the question's seed decide",
                )));
            }
        }
        Ok(None)
    })
}

pub(crate) fn state(extension: &ExtensionUnderTest<'_>) -> Outcome {
    const COUNT: u64 = 12;
    each(extension, |setup| {
        let at_once = learned(extension, setup, COUNT)?;
        let mut one_by_one = None;
        for number in 0..COUNT {
            let request = outcome_request(one_by_one.as_ref(), vec![outcome(number)]);
            let answer = ask(extension, setup, 7400 + number, &request);
            let fix = "read back the state that was answered";
            let answer = answer.map_err(|failure| failed("its own state to be taken up", &failure, fix))?;
            one_by_one = Some(answer.state);
        }
        if one_by_one.as_ref() == Some(&at_once) {
            return Ok(None);
        }
        Ok(Some(Finding::new(
            format!("the same state from outcomes one by one as at once: {}", excerpt(&at_once.to_string())),
            excerpt(&one_by_one.unwrap_or_default().to_string()),
            "keep all that is learned in `state`, and nothing beside it",
        )))
    })
}

pub(crate) fn outcomes(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let attempt = |arm: &str, failed: bool| Attempt { arm: arm.to_owned(), failed };
    let odd = [
        ("an outcome without a reward", RoutingOutcome { reward: None, objectives: Vec::new(), ..outcome(1) }),
        (
            "an outcome whose attempts all failed",
            RoutingOutcome {
                attempts: vec![attempt("cheap", true), attempt("dear", true)],
                ..RoutingOutcome::default()
            },
        ),
        (
            "an outcome of an arm that is no longer there",
            RoutingOutcome { attempts: vec![attempt("of an earlier run", false)], ..outcome(2) },
        ),
    ];
    each(extension, |setup| {
        for (what, odd) in &odd {
            let request = PolicyRequest {
                decide: vec![question(1, &[])],
                ..PolicyRequest { arms: arms(3), ..outcome_request(None, vec![outcome(0), odd.clone(), outcome(4)]) }
            };
            if let Err(failure) = ask(extension, setup, 7500, &request) {
                return Ok(Some(Finding::new(
                    "any outcome to be taken in, or passed over",
                    format!("{}, for {what}", short(&failure)),
                    "learn from what is there; an outcome without a reward is not an error",
                )));
            }
        }
        Ok(None)
    })
}

pub(crate) fn again(extension: &ExtensionUnderTest<'_>) -> Outcome {
    each(extension, |setup| {
        let some = learned(extension, setup, 30)?;
        for state in [None, Some(&some)] {
            for tried in [&[0_u32][..], &[1], &[2, 0], &[0, 1, 2]] {
                let questions = (0..6).map(|number| question(number, tried)).collect();
                let request = PolicyRequest { again: true, ..decision_request(state, arms(3), questions) };
                let answer = match ask(extension, setup, 7600, &request) {
                    Ok(answer) => answer,
                    // All were tried: that there is nothing to pick may be said by a failure.
                    Err(failure) if tried.len() == 3 && failure.kind() == FailureKind::InvalidInput => continue,
                    Err(failure) => {
                        let fix = "answer null where no arm is left to try";
                        return Err(failed("another arm, or none", &failure, fix));
                    }
                };
                let wrong = |decision: &jackfield_plugin_api::Decision| {
                    let arm = decision.arm;
                    if tried.contains(&arm) { Some(format!("arm {arm}")) } else { unfit(decision, 3) }
                };
                if let Some(seen) = answer.decisions.iter().flatten().find_map(wrong) {
                    return Ok(Some(Finding::new(
                        "after a failure, an arm of the list that was not tried, or null",
                        format!("{seen}, where {tried:?} were tried"),
                        "leave out what `tried` lists",
                    )));
                }
            }
        }
        Ok(None)
    })
}

pub(crate) fn bounded(extension: &ExtensionUnderTest<'_>) -> Outcome {
    // Longer than a window that a policy may look back over.
    const SOME: u64 = 2000;
    let grown: Result<Vec<Option<Finding>>, Finding> = extension
        .setups
        .iter()
        .map(|setup| {
            let size = |count| Ok(learned(extension, setup, count)?.to_string().len());
            let (before, after): (usize, usize) = (size(SOME)?, size(2 * SOME)?);
            // Digits of numbers that are summed up.
            let allowed = before + before / 4 + 256;
            Ok((after > allowed).then(|| {
                Finding::new(
                    format!("a state that stops growing: {before} bytes after {SOME} outcomes of three arms"),
                    format!("{after} bytes after twice as many"),
                    "sum up what is learned; the state goes with every question, and is written down as it changes",
                )
            }))
        })
        .collect();
    match grown {
        Ok(findings) => Outcome::warning(findings.into_iter().flatten().collect()),
        Err(finding) => Outcome::from_findings(vec![finding]),
    }
}
