//! What the crate offers to a host, and what it refuses.

use insta::assert_snapshot;
use jackfield_plugin_api::{
    Dimension, Failure, Kind, Learns, Outcome, Picks, Values, linked_extension, linked_extensions, testing,
};
use serde_json::{Value, json};

use crate::problems::{choices, open, question, range, study};

#[test]
fn four_searches_say_that_they_pick_values_and_learn_from_objectives() {
    let found: Vec<_> = linked_extensions()
        .iter()
        .map(|extension| {
            let descriptor = extension.descriptor();
            assert_eq!(descriptor.kind, Kind::RoutingPolicy);
            assert!(!descriptor.examples.is_empty(), "{}", descriptor.name);
            (descriptor.name.clone(), Picks::from_descriptor(descriptor), Learns::from_descriptor(descriptor))
        })
        .collect();
    let expected = ["grid", "nsga2", "random", "tpe"];
    assert_eq!(found, expected.map(|name| (name.to_owned(), Picks::Values, Some(Learns::Objectives))));
}

#[test]
fn examples_are_exact() {
    for extension in linked_extensions() {
        testing::check_examples(Kind::RoutingPolicy, &extension.descriptor().name, &testing::FakeHost::default());
    }
}

#[test]
fn configurations_without_sense_are_refused_by_what_is_wrong() {
    let refused = [
        ("tpe", json!({ "candidates": 0 })),
        ("tpe", json!({ "startup": -1 })),
        ("tpe", json!({ "gamma": 0.1 })),
        ("tpe", json!({ "prune": { "percentile": 101 } })),
        ("nsga2", json!({ "population": 1 })),
        ("nsga2", json!({ "crossover": 1.5 })),
        ("nsga2", json!({ "swap": -0.5 })),
        ("nsga2", json!({ "mutation": 2.0 })),
        ("random", json!({ "prune": { "median": true } })),
        ("grid", json!({ "points": 1 })),
    ];
    let message = |(name, config): &(&str, Value)| {
        let extension = linked_extension(Kind::RoutingPolicy, name).expect("a search");
        format!("{name}: {}", extension.open(&config.to_string()).err().expect("refused"))
    };
    assert_snapshot!(refused.iter().map(message).collect::<Vec<_>>().join("\n"), @r"
    tpe: invalid-config: `candidates` is 0: it must be 1 to 100,000
    tpe: invalid-config: invalid value: integer `-1`, expected u32 at line 1 column 13
    tpe: invalid-config: unknown field `gamma`, expected one of `startup`, `candidates`, `constant_liar`, `prune` at line 1 column 8
    tpe: invalid-config: `prune.percentile` is 101: it must be 0 to 100
    nsga2: invalid-config: `population` is 1: it must be 2 to 100,000
    nsga2: invalid-config: `crossover` is 1.5: it must be 0 to 1
    nsga2: invalid-config: `swap` is -0.5: it must be 0 to 1
    nsga2: invalid-config: `mutation` is 2: it must be 0 to 1
    random: invalid-config: unknown field `median`, expected one of `startup`, `warmup`, `percentile` at line 1 column 18
    grid: invalid-config: `points` is 1: it must be 2 to 1,000,000
    ");
}

#[test]
fn studies_that_a_search_cannot_search_are_refused() {
    let refusal = |name: &str, config: Value, space: Vec<Dimension>, goals: usize, reports: u32| {
        let study = jackfield_plugin_api::Study { reports, ..study(space, goals) };
        let search = open(name, &config);
        let failure = search.as_search().expect("a search").check(&study).expect_err("refused");
        assert!(matches!(failure, Failure::InvalidConfig(_)));
        format!("{name}: {failure}")
    };
    let unit = || vec![range("x", 0.0, 1.0), range("y", 0.0, 1.0), choices("kind", &["a"])];
    let mut refusals: Vec<String> =
        ["tpe", "nsga2", "random"].map(|name| refusal(name, json!({}), unit(), 2, 1)).to_vec();
    refusals.push(refusal("grid", json!({}), unit(), 1, 0));
    refusals.push(refusal("grid", json!({ "points": 3 }), unit(), 2, 1));
    assert_snapshot!(refusals.join("\n"), @r"
    tpe: invalid-config: trials are stopped by what they report of one objective, and there are 2: `0`, `1`; leave out `report`, or all objectives but one
    nsga2: invalid-config: trials are stopped by what they report of one objective, and there are 2: `0`, `1`; leave out `report`, or all objectives but one
    random: invalid-config: trials are stopped by what they report of one objective, and there are 2: `0`, `1`; leave out `report`, or all objectives but one
    grid: invalid-config: a grid needs a list of values, and `x`, `y` have any of a range: give each a `step`, or the grid `points`, such as `with = { points = 5 }`
    grid: invalid-config: trials are stopped by what they report of one objective, and there are 2: `0`, `1`; leave out `report`, or all objectives but one
    ");
}

#[test]
fn a_grid_says_when_nothing_is_left() {
    let study = study(vec![choices("kind", &["a", "b"])], 1);
    let search = open("grid", &json!({}));
    let tried = |kind: &str| Outcome { values: [("kind".to_owned(), json!(kind))].into(), ..Outcome::default() };
    let pending: Values = [("kind".to_owned(), json!("b"))].into();
    let question_with_pending = jackfield_plugin_api::SearchQuestion { pending: vec![pending], ..question(1, 2) };
    let failure = search
        .as_search()
        .expect("a search")
        .suggest(&study, &[tried("a")], &question_with_pending)
        .expect_err("no value");
    assert_snapshot!(failure.to_string(), @"over-budget: all 2 combinations of the grid are tried");
}
