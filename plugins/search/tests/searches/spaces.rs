//! Values are of the space, whatever it is, and the same whoever asks.

use std::collections::BTreeSet;

use jackfield_plugin_api::{
    Condition, Dimension, Kind, LinkedInSearch, Objective, Outcome, SearchByDocuments, SearchQuestion, SearchState,
    Study, Values, testing,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::problems::{choices, open, question, range, study};

/// Any dimension without a condition.
fn dimension() -> impl Strategy<Value = Dimension> {
    let ends = (-1e3..1e3_f64, 0.0..1e3_f64);
    prop_oneof![
        ends.clone().prop_map(|(min, width)| range("", min, min + width)),
        (1e-6..10.0_f64, 1.0..1e6_f64).prop_map(|(min, times)| Dimension { log: true, ..range("", min, min * times) }),
        (ends, 1e-3..300.0_f64)
            .prop_map(|((min, width), step)| Dimension { step: Some(step), ..range("", min, min + width) }),
        (-50_i32..50, 0_i32..100, prop::option::of(1_u8..20)).prop_map(|(min, width, step)| Dimension {
            integer: true,
            step: step.map(f64::from),
            ..range("", f64::from(min), f64::from(min + width))
        }),
        (1_i32..20, 0_i32..1000).prop_map(|(min, width)| Dimension {
            integer: true,
            log: true,
            ..range("", min.into(), (min + width).into())
        }),
        (1_usize..5).prop_map(|count| Dimension {
            choices: [json!("a"), json!(1), json!(true), json!({ "deep": [1.5, null] })][..count.min(4)].to_vec(),
            ..Dimension::default()
        }),
    ]
}

/// Any space, in which some dimensions depend on earlier ones that have choices.
fn space() -> impl Strategy<Value = Vec<Dimension>> {
    prop::collection::vec((dimension(), any::<prop::sample::Index>(), any::<bool>()), 1..7).prop_map(|found| {
        let mut space: Vec<Dimension> = Vec::new();
        for (at, (mut dimension, on, depends)) in found.into_iter().enumerate() {
            // Not in order of their names.
            dimension.name = format!("{}.{at}", ["c", "a", "b"][at % 3]);
            let parents: Vec<&Dimension> = space.iter().filter(|earlier| earlier.choices.len() > 1).collect();
            if depends && !parents.is_empty() {
                let parent = on.get(&parents);
                let is = parent.choices.iter().skip(1).cloned().collect();
                dimension.when = Some(Condition { name: parent.name.clone(), values: is });
            }
            space.push(dimension);
        }
        space
    })
}

/// What came of a trial, without a meaning; every seventh failed.
fn outcome(trial: u64, values: Values, goals: usize) -> Outcome {
    let text = serde_json::to_string(&values).expect("JSON");
    let sum: u64 = text.bytes().map(u64::from).sum();
    let objective = |at: usize| {
        let value = ((sum * (at as u64 + 3)) % 17) as f64;
        Objective { name: at.to_string(), value, minimize: true }
    };
    let objectives = if trial % 7 == 6 { Vec::new() } else { (0..goals).map(objective).collect() };
    Outcome { trial: Some(trial), values, objectives, ..Outcome::default() }
}

fn linked(name: &'static str, config: &Value, study: &Study) -> Box<dyn SearchState> {
    let instance = open(name, config);
    Box::new(LinkedInSearch::new(study, instance).expect("a study"))
}

/// The same through documents, and their text.
fn documented(name: &'static str, config: &Value, study: &Study) -> Box<dyn SearchState> {
    let config = config.clone();
    let ask = move |request: jackfield_plugin_api::SearchRequest| {
        let request: Value = serde_json::from_str(&serde_json::to_string(&request).expect("JSON")).expect("JSON");
        let answer = testing::call(Kind::RoutingPolicy, name, config.clone(), request, &testing::FakeHost::default())?;
        Ok(serde_json::from_str(&answer.to_string()).expect("an answer"))
    };
    Box::new(SearchByDocuments::new(name, study, ask).expect("a study"))
}

/// Searches with few trials of startup and few candidates.
fn quick() -> [(&'static str, Value); 4] {
    [
        ("tpe", json!({ "startup": 4, "candidates": 5 })),
        ("tpe", json!({ "startup": 3, "candidates": 3, "constant_liar": true })),
        ("nsga2", json!({ "population": 3 })),
        ("random", json!({})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn values_are_of_the_space_and_the_same_in_any_form(space in space(), goals in 1_usize..4, seed in any::<u64>(), late in 1_usize..4) {
        let study = study(space, goals);
        for (name, config) in quick() {
            let mut forms = [linked(name, &config, &study), documented(name, &config, &study)];
            let mut trials: Vec<Values> = Vec::new();
            for trial in 0..16_u64 {
                let known = (trial as usize + 1).saturating_sub(late);
                let question_with_pending = SearchQuestion { pending: trials[known.min(trials.len())..].to_vec(), ..question(seed, trial) };
                let [first, second] = forms.each_mut().map(|form| form.suggest(&question_with_pending).expect("values of the space"));
                prop_assert_eq!(&first, &second, "{} {}", name, trial);
                trials.push(first);
                if trials.len() >= late {
                    let done = trials.len() - late;
                    forms.iter_mut().for_each(|form| form.learn(outcome(done as u64, trials[done].clone(), goals)));
                }
            }
        }
    }

    #[test]
    fn a_grid_has_each_combination_once_in_order(space in small_space()) {
        let study = study(space, 1);
        let search = open("grid", &json!({ "points": 3 }));
        let search = search.as_search().expect("a search");
        let mut known: Vec<Outcome> = Vec::new();
        let left = loop {
            let trial = known.len() as u64;
            match search.suggest(&study, &known, &question(1, trial)) {
                Ok(values) => known.push(outcome(trial, values, 1)),
                Err(failure) => break failure,
            }
        };
        let combinations = combinations(&study.space);
        prop_assert_eq!(known.iter().map(|outcome| outcome.values.clone()).collect::<Vec<_>>(), combinations.clone());
        prop_assert!(left.to_string().contains(&format!("all {} combinations", combinations.len())), "{}", left);
    }
}

/// A space with few combinations.
fn small_space() -> impl Strategy<Value = Vec<Dimension>> {
    let kinds = prop::collection::vec((0_usize..4, any::<prop::sample::Index>(), any::<bool>()), 1..6);
    kinds.prop_map(|kinds| {
        let mut space: Vec<Dimension> = Vec::new();
        for (at, (kind, on, depends)) in kinds.into_iter().enumerate() {
            let name = format!("d{at}");
            let mut dimension = match kind {
                0 => range(&name, 0.1, 0.9),
                1 => Dimension { integer: true, ..range(&name, 1.0, 3.0) },
                2 => Dimension { step: Some(0.5), ..range(&name, 0.0, 1.0) },
                _ => choices(&name, &["a", "b"]),
            };
            if depends && !space.is_empty() {
                let parent: &Dimension = on.get(&space);
                let values = levels(parent);
                let is = values.iter().skip(1).take(1).cloned().collect();
                dimension.when = Some(Condition { name: parent.name.clone(), values: is });
            }
            space.push(dimension);
        }
        space
    })
}

fn levels(dimension: &Dimension) -> Vec<Value> {
    match (dimension.integer, dimension.step, dimension.choices.is_empty()) {
        (true, ..) => vec![json!(1), json!(2), json!(3)],
        (_, Some(_), _) => vec![json!(0.0), json!(0.5), json!(1.0)],
        (.., true) => vec![json!(0.1), json!(0.5), json!(0.9)],
        _ => dimension.choices.clone(),
    }
}

/// All combinations of a small space, the last dimension fastest.
fn combinations(space: &[Dimension]) -> Vec<Values> {
    let mut found = vec![Values::new()];
    for dimension in space {
        found = found
            .into_iter()
            .flat_map(|values| {
                if !dimension.applies(&values) {
                    return vec![values];
                }
                let with = |level: Value| values.clone().into_iter().chain([(dimension.name.clone(), level)]).collect();
                levels(dimension).into_iter().map(with).collect()
            })
            .collect();
    }
    found
}

#[test]
fn the_seed_alone_makes_the_difference() {
    let study = study(vec![range("x", 0.0, 1.0), choices("kind", &["a", "b", "c"])], 2);
    for (name, config) in quick() {
        let search = open(name, &config);
        let search = search.as_search().expect("a search");
        let known: Vec<Outcome> = (0..20)
            .map(|trial| {
                let values = search.suggest(&study, &[], &question(9, trial)).expect("values");
                outcome(trial, values, 2)
            })
            .collect();
        let pick = |seed: u64| search.suggest(&study, &known, &question(seed, 20)).expect("values");
        assert_eq!(pick(1), pick(1), "{name}");
        let different: BTreeSet<String> = (0..20).map(|seed| json!(pick(seed)).to_string()).collect();
        assert!(different.len() > 3, "{name}: {different:?}");
    }
}

#[test]
fn a_grid_leaves_out_what_was_given_and_counts_what_is_not_on_it_for_nothing() {
    let study = study(vec![Dimension { integer: true, ..range("n", 1.0, 4.0) }, range("x", 0.0, 1.0)], 1);
    let search = open("grid", &json!({ "points": 2 }));
    let values = |n: i32, x: f64| -> Values { [("n".to_owned(), json!(n)), ("x".to_owned(), json!(x))].into() };
    let known = [values(1, 1.0), values(1, 0.3)].map(|values| Outcome { values, ..Outcome::default() });
    let pick = |pending: Vec<Values>| {
        let question_with_pending = SearchQuestion { pending, ..question(1, 5) };
        search.as_search().expect("a search").suggest(&study, &known, &question_with_pending).expect("values")
    };
    assert_eq!(pick(vec![]), values(1, 0.0));
    assert_eq!(pick(vec![values(1, 0.0)]), values(2, 0.0));
    assert_eq!(pick(vec![values(1, 0.0), values(2, 0.0)]), values(2, 1.0));
}

#[test]
fn a_grid_of_more_combinations_than_can_be_counted_begins_with_the_first() {
    let wide = |at: usize| Dimension { integer: true, ..range(&format!("n{at}"), 0.0, 1e15) };
    let mut space: Vec<Dimension> = (0..6).map(wide).collect();
    space[5].when = Some(Condition { name: "n0".to_owned(), values: vec![json!(7)] });
    let study = study(space, 1);
    let search = open("grid", &json!({}));
    let search = search.as_search().expect("a search");
    let mut known: Vec<Outcome> = Vec::new();
    for trial in 0..3_u64 {
        let values = search.suggest(&study, &known, &question(1, trial)).expect("values");
        assert_eq!(json!(values), json!({ "n0": 0, "n1": 0, "n2": 0, "n3": 0, "n4": trial }));
        known.push(outcome(trial, values, 1));
    }
}

#[test]
fn values_of_an_earlier_space_count_for_nothing() {
    // Half of the trials are of a range that is no longer searched, and were better.
    let study = study(vec![range("x", 0.0, 1.0)], 1);
    let search = open("tpe", &json!({ "startup": 10 }));
    let known: Vec<Outcome> = (0..40_u64)
        .map(|trial| {
            let x = trial as f64 / 20.0;
            let objectives = vec![Objective { name: "0".to_owned(), value: (x - 1.5).abs(), minimize: true }];
            Outcome {
                trial: Some(trial),
                values: [("x".to_owned(), json!(x))].into(),
                objectives,
                ..Outcome::default()
            }
        })
        .collect();
    let values = search.as_search().expect("a search").suggest(&study, &known, &question(1, 40)).expect("values");
    assert!((0.0..=1.0).contains(&values["x"].as_f64().expect("a number")));
}
