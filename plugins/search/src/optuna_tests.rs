//! Compares each step of `tpe` with that of Optuna 4.8.0 on the same trials.

use std::{fs, path::Path};

use jackfield_plugin_api::{Dimension, Goal, Objective, Outcome, Study, prelude::*};
use serde_json::from_value;

use crate::{
    history::History,
    mixture::{Factor, Mixture},
    pareto_front::pareto_ranks,
    space::Space,
    split::split_trials,
    tpe::Estimate,
};

const BAR: f64 = 1e-9;

#[track_caller]
fn floats(value: &Value) -> Vec<f64> {
    from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn whole(value: &Value) -> Vec<usize> {
    from_value(value.clone()).expect("whole numbers")
}

#[track_caller]
fn check_near(what: &str, found: &[f64], expected: &[f64], bar: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= bar * expected.abs().max(1.0), "{what}, {at}: {found} and not {expected}");
    }
}

/// The estimates of each group of axes that is open, in order, with the split's numbers of trials.
fn estimates(study: &Study, known: &[Outcome], check: impl Fn(&[&str], &Estimate)) -> [Vec<u64>; 2] {
    let space = Space::of(study).expect("a space");
    let history = History::of(&space, study, known);
    let split = split_trials(&history.trials);
    for group in space.groups() {
        let open: Vec<usize> = group.into_iter().filter(|&axis| !space.axes[axis].is_fixed()).collect();
        let names: Vec<&str> = open.iter().map(|&axis| space.axes[axis].name).collect();
        check(&names, &Estimate::of(&space, &open, &history, &split, &[]));
    }
    [&split.below, &split.above].map(|trials| trials.iter().map(|&trial| history.numbers[trial]).collect())
}

fn check_densities(what: &str, estimate: &Estimate, points: &[Vec<f64>], expected: &Value) {
    check_near(what, &estimate.below.log_densities(points), &floats(&expected["log_below"]), BAR);
    check_near(what, &estimate.above.log_densities(points), &floats(&expected["log_above"]), BAR);
    assert_eq!(json!(estimate.pick(points)), expected["chosen"], "{what}");
}

fn check_mixture(what: &str, mixture: &Mixture, expected: &Value) {
    check_near(&format!("{what}, weights"), &mixture.weights, &floats(&expected["weights"]), BAR);
    let axes = expected["axes"].as_array().expect("axes");
    assert_eq!(mixture.factors.len(), axes.len(), "{what}");
    for (factor, axis) in mixture.factors.iter().zip(axes) {
        match factor {
            Factor::Normals(normals) => {
                check_near(what, &normals.centres, &floats(&axis["centres"]), BAR);
                let first = if normals.centres.len() > 1 { normals.sigma } else { normals.prior_sigma };
                check_near(what, &[first, normals.prior_sigma], &floats(&axis["sigmas"]), BAR);
            }
            Factor::Choices(choices) => {
                let rows = axis["chances"].as_array().expect("rows");
                rows.iter()
                    .enumerate()
                    .for_each(|(kernel, row)| check_near(what, &choices.chances(kernel), &floats(row), BAR));
            }
        }
    }
}

#[test]
fn small_studies_are_taken_as_optuna_takes_them() {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/tpe.json")).expect("JSON");
    let cases = fixture["cases"].as_array().expect("cases");
    assert!(cases.len() >= 10);
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let study: Study = from_value(case["study"].clone()).expect("a study");
        let known: Vec<Outcome> = from_value(case["known"].clone()).expect("outcomes");
        let groups = case["groups"].as_array().expect("groups");
        let checked = std::cell::Cell::new(0);
        let split = estimates(&study, &known, |names, estimate| {
            let Some(group) = groups.iter().find(|group| group["names"] == json!(names)) else {
                assert!(names.is_empty(), "{name}: {names:?} are not drawn together");
                return;
            };
            let what = format!("{name}: {names:?}");
            check_mixture(&format!("{what}, below"), &estimate.below, &group["below"]);
            check_mixture(&format!("{what}, above"), &estimate.above, &group["above"]);
            let points: Vec<Vec<f64>> = from_value(group["points"].clone()).expect("points");
            check_densities(&what, estimate, &points, group);
            checked.set(checked.get() + 1);
        });
        assert_eq!(json!(split), json!([case["below"], case["above"]]), "{name}");
        assert_eq!(checked.get(), groups.len(), "{name}");
    }
}

/// A study in the format of the reference, where dimensions stand by their names.
fn reference_study(space: &Value) -> Study {
    let dimension = |(name, axis): (&String, &Value)| Dimension {
        name: name.clone(),
        min: axis["low"].as_f64(),
        max: axis["high"].as_f64(),
        log: axis["log"] == true,
        integer: axis["kind"] == "int",
        choices: axis["choices"].as_array().cloned().unwrap_or_default(),
        ..Dimension::default()
    };
    let goal = |at: usize| Goal { name: at.to_string(), minimize: true };
    let space = space.as_object().expect("axes").iter().map(dimension).collect();
    Study { space, goals: vec![goal(0), goal(1)], reports: 0 }
}

#[test]
#[ignore = "needs ../shared/data"]
fn reference_steps_are_taken_where_they_are_beside_the_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/steering/tpe_golden_4.8.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reference: Value = serde_json::from_str(&text).expect("JSON");
    let kernels_checked = std::cell::Cell::new(0);
    for case in reference["cases"].as_array().expect("cases") {
        let study = reference_study(&reference["spaces"][case["problem"].as_str().expect("a name")]);
        let trials = case["trials"].as_array().expect("trials");
        let what = format!("{}, {} trials", case["problem"], trials.len());
        let outcome = |(at, trial): (usize, &Value)| Outcome {
            trial: Some(at as u64),
            values: from_value(trial["params"].clone()).expect("values"),
            objectives: (floats(&trial["values"]).into_iter().enumerate())
                .map(|(at, value)| Objective { name: at.to_string(), value, minimize: true })
                .collect(),
            ..Outcome::default()
        };
        let known: Vec<Outcome> = trials.iter().enumerate().map(outcome).collect();

        let losses: Vec<Vec<f64>> = trials.iter().map(|trial| floats(&trial["values"])).collect();
        let found = pareto_ranks(&losses.iter().map(Vec::as_slice).collect::<Vec<_>>(), losses.len());
        let below = whole(&case["below"]);
        for (trial, expected) in whole(&case["ranks"]).into_iter().enumerate() {
            let is_equal = found[trial] == expected || !below.contains(&trial) && found[trial] >= expected;
            assert!(is_equal, "{what}, rank of {trial}: {}, {expected}", found[trial]);
        }
        let split = estimates(&study, &known, |names, estimate| {
            for (side, mixture) in [("below", &estimate.below), ("above", &estimate.above)] {
                let what = format!("{what}, {side}");
                check_near(&what, &mixture.weights, &floats(&case[format!("{side}_weights")]), BAR);
                for (factor, name) in mixture.factors.iter().zip(names) {
                    let Factor::Normals(normals) = factor else { continue };
                    let kernels = &case[format!("{side}_kernels")][name];
                    if kernels.is_null() {
                        continue;
                    }
                    kernels_checked.set(kernels_checked.get() + 1);
                    let mut sigmas = vec![normals.sigma; normals.centres.len()];
                    *sigmas.last_mut().expect("the prior one") = normals.prior_sigma;
                    // They are written with 12 digits.
                    check_near(&what, &normals.centres, &floats(&kernels["mu"]), 1e-11);
                    check_near(&what, &sigmas, &floats(&kernels["sigma"]), 1e-11);
                }
            }
            let points: Vec<Vec<f64>> = names.iter().map(|name| floats(&case["candidates"][name])).collect();
            check_densities(&what, estimate, &points, case);
        });
        assert_eq!(json!(split), json!([case["below"], case["above"]]), "{what}");
    }
    assert!(kernels_checked.get() > 0, "no kernel is in the reference");
}
