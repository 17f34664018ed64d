//! When trials are stopped, and what becomes of those that were.

use jackfield_plugin_api::{Objective, Outcome, Random, SearchQuestion, Study};
use serde_json::{Value, json};

use crate::problems::{open, question, range, study};

fn reporting(minimize: bool) -> Study {
    let mut study = Study { reports: 2, ..study(vec![range("x", 0.0, 1.0)], 1) };
    study.goals[0].minimize = minimize;
    study
}

fn completed(trial: u64, reports: &[f64]) -> Outcome {
    let objectives = vec![Objective { name: "0".to_owned(), value: 0.5, minimize: true }];
    Outcome { trial: Some(trial), objectives, reports: reports.to_vec(), ..Outcome::default() }
}

fn stops(name: &str, config: &Value, minimize: bool, known: &[Outcome], reports: &[f64]) -> bool {
    let search = open(name, config);
    let question_with_reports = SearchQuestion { reports: reports.to_vec(), ..question(1, known.len() as u64) };
    search.as_search().expect("a search").stop(&reporting(minimize), known, &question_with_reports).expect("an answer")
}

#[test]
fn a_trial_stops_where_its_report_is_worse_than_the_median_of_those_that_completed() {
    let known: Vec<Outcome> = (0..5).map(|trial| completed(trial, &[trial as f64, 10.0 * trial as f64])).collect();
    for name in ["tpe", "nsga2", "random", "grid"] {
        let stops = |minimize: bool, reports: &[f64]| stops(name, &json!({}), minimize, &known, reports);
        assert!(stops(true, &[2.1]) && !stops(true, &[2.0]), "{name}");
        assert!(stops(false, &[1.9]) && !stops(false, &[2.0]), "{name}");
        // The last report counts, held against those of the same place.
        assert!(stops(true, &[0.0, 20.1]) && !stops(true, &[9.0, 20.0]), "{name}");
    }
}

#[test]
fn trials_go_on_until_enough_completed() {
    let mut known: Vec<Outcome> = (0..4).map(|trial| completed(trial, &[0.0, 0.0])).collect();
    let failed = Outcome { trial: Some(4), ..Outcome::default() };
    let stopped = Outcome { pruned: true, reports: vec![0.0], trial: Some(5), ..Outcome::default() };
    known.extend([failed, stopped]);
    assert!(!stops("tpe", &json!({}), true, &known, &[1.0]));
    assert!(stops("tpe", &json!({ "prune": { "startup": 4 } }), true, &known, &[1.0]));
    assert!(!stops("tpe", &json!({ "prune": { "startup": 4, "warmup": 1 } }), true, &known, &[1.0]));
    assert!(stops("tpe", &json!({ "prune": { "startup": 4, "warmup": 1 } }), true, &known, &[0.0, 1.0]));
    assert!(!stops("tpe", &json!({ "prune": { "startup": 0 } }), true, &[], &[1.0]));
}

#[test]
fn a_percentile_says_how_many_are_stopped() {
    let known: Vec<Outcome> = (0..11).map(|trial| completed(trial, &[trial as f64])).collect();
    let bound = |percentile: f64, report: f64| {
        stops("random", &json!({ "prune": { "percentile": percentile } }), true, &known, &[report])
    };
    assert!(bound(20.0, 2.1) && !bound(20.0, 2.0));
    assert!(bound(75.0, 7.6) && !bound(75.0, 7.5));
    assert!(bound(100.0, 10.1) && !bound(100.0, 10.0));
}

#[test]
fn tpe_learns_from_stopped_trials_too() {
    // All trials were stopped: those near 0.8 after two reports, the others after one.
    let mut random = Random::new(3);
    let mut stopped = |trial: u64| {
        let (x, reports) = if trial.is_multiple_of(5) { (0.8, vec![1.0, 1.0]) } else { (random.next_f64(), vec![0.1]) };
        Outcome {
            trial: Some(trial),
            values: [("x".to_owned(), json!(x))].into(),
            reports,
            pruned: true,
            ..Outcome::default()
        }
    };
    let known: Vec<Outcome> = (0..60).map(&mut stopped).collect();
    let search = open("tpe", &json!({ "startup": 60 }));
    let picked = |trial: u64| {
        let values = search.as_search().expect("a search").suggest(&reporting(true), &known, &question(1, trial));
        values.expect("values")["x"].as_f64().expect("a number")
    };
    let near = (60..80).filter(|&trial| (picked(trial) - 0.8).abs() < 0.2).count();
    assert!(near >= 16, "{near} of 20");
}
