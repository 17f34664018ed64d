//! Studies that a search is asked about, and trials of them.

use jackfield_plugin_api::{
    Condition, Dimension, Domain, Goal, Objective, Outcome, SearchQuestion, SearchRequest, Study, Values, step_value,
};
use serde_json::{Value, json};

/// Spaces of every sort of range, choice and condition, with one goal, with several, and with reports.
pub(super) fn studies() -> Vec<Study> {
    let range = |name: &str, min: f64, max: f64| Dimension {
        name: name.to_owned(),
        min: Some(min),
        max: Some(max),
        ..Dimension::default()
    };
    let choice = |name: &str, choices: Value| Dimension {
        name: name.to_owned(),
        choices: choices.as_array().cloned().unwrap_or_default(),
        ..Dimension::default()
    };
    let when = |name: &str, is: Value| Some(Condition { name: name.to_owned(), values: vec![is] });
    let wide = vec![
        choice("edit.kind", json!(["none", "all", "some"])),
        range("edit.weight", -0.5, 1.5),
        Dimension { log: true, ..range("edit.rate", 1e-4, 1.0) },
        Dimension { step: Some(0.25), ..range("edit.share", 0.0, 1.0) },
        Dimension { integer: true, ..range("edit.layers", 1.0, 12.0) },
        Dimension { integer: true, log: true, ..range("edit.width", 1.0, 1024.0) },
        Dimension { when: when("edit.kind", json!("some")), ..range("edit.depth", 0.0, 10.0) },
        Dimension { when: when("edit.kind", json!("all")), ..choice("edit.mode", json!([true, false, null])) },
    ];
    // A grid has an end.
    let narrow = vec![
        choice("edit.mode", json!(["a", "b"])),
        Dimension { integer: true, step: Some(2.0), ..range("edit.layers", 1.0, 99.0) },
    ];
    let goal = |name: &str, minimize: bool| Goal { name: name.to_owned(), minimize };
    let two = vec![goal("kl.mean", true), goal("rate", false)];
    let one = vec![goal("kl.mean", true)];
    [(wide.clone(), two.clone(), 0), (wide, one.clone(), 3), (narrow.clone(), two, 0), (narrow, one, 2)]
        .map(|(space, goals, reports)| Study { space, goals, reports })
        .into()
}

/// The values of the trial of this number, one for each dimension that applies.
pub(super) fn values(study: &Study, trial: u64) -> Values {
    let mut values = Values::new();
    for (index, dimension) in study.space.iter().enumerate() {
        let number = trial.wrapping_mul(7).wrapping_add(index as u64 * 3);
        let share = (number % 11) as f64 / 10.0;
        let value = match dimension.domain() {
            Ok(Domain::Choices(choices)) => choices.get(number as usize % choices.len().max(1)).cloned(),
            Ok(Domain::Float { min, max, .. }) => Some(json!(min + (max - min) * share)),
            Ok(Domain::LogIntegers { min, max }) => Some(json!(min + (number as i64) % (max - min + 1))),
            Ok(Domain::Steps { min, step, count, integer }) => {
                let value = step_value(min, step, number % count);
                Some(if integer { json!(value as i64) } else { json!(value) })
            }
            Err(_) => None,
        };
        if let Some(value) = value.filter(|_| dimension.applies(&values)) {
            values.insert(dimension.name.clone(), value);
        }
    }
    values
}

/// What came of the trial of this number.
pub(super) fn outcome(study: &Study, trial: u64) -> Outcome {
    let measure = |at: usize| ((trial * 5 + at as u64 * 3) % 13) as f64 / 13.0;
    let objective =
        |(at, goal): (usize, &Goal)| Objective { name: goal.name.clone(), value: measure(at), minimize: goal.minimize };
    Outcome {
        objectives: study.goals.iter().enumerate().map(objective).collect(),
        trial: Some(trial),
        values: values(study, trial),
        reports: (0..study.reports).map(|report| measure(0) + f64::from(report)).collect(),
        ..Outcome::default()
    }
}

/// Asks for the values of the trial of this number.
pub(super) fn question(study: &Study, trial: u64, pending: u64) -> SearchQuestion {
    SearchQuestion {
        trial,
        pending: (trial.saturating_sub(pending)..trial).map(|earlier| values(study, earlier)).collect(),
        seed: trial.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a),
        reports: Vec::new(),
    }
}

/// A search is asked before anything is known, and after.
pub(super) fn requests() -> Vec<SearchRequest> {
    let studies = studies();
    let fresh = |study: &Study| SearchRequest {
        study: study.clone(),
        decide: vec![question(study, 0, 0), question(study, 1, 1)],
        ..SearchRequest::default()
    };
    let with_outcomes = |study: &Study| SearchRequest {
        study: study.clone(),
        learn: (0..4).map(|trial| outcome(study, trial)).collect(),
        decide: vec![question(study, 4, 0)],
        ..SearchRequest::default()
    };
    studies.iter().take(2).map(fresh).chain(studies.iter().take(2).map(with_outcomes)).collect()
}
