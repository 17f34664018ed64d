//! Which arm `pareto` picks.

use jackfield_plugin_api::{Failure, Kind, Objective, Outcome, linked_extension};
use serde_json::{Value, json};

use crate::support::{arms, attempted, learn, picked, policy, question};

/// Cost is to be low, quality and diversity high.
fn measured(context: &str, arm: &str, cost: f64, quality: f64, diversity: f64) -> Outcome {
    let objective = |name: &str, value, minimize| Objective { name: name.to_owned(), value, minimize };
    Outcome {
        context: context.to_owned(),
        objectives: vec![
            objective("cost", cost, true),
            objective("quality", quality, false),
            objective("diversity", diversity, false),
        ],
        ..attempted(&[], Some(arm))
    }
}

fn preference(cost: f64, quality: f64, diversity: f64) -> Value {
    json!({ "preference": { "cost": cost, "quality": quality, "diversity": diversity } })
}

fn known() -> Vec<Outcome> {
    vec![
        measured("", "cheap", 1.0, 0.5, 0.2),
        measured("", "middle", 2.0, 0.8, 0.4),
        measured("", "dear", 9.0, 1.0, 0.3),
        measured("", "waste", 9.0, 0.7, 0.1),
    ]
}

#[test]
fn the_preference_decides_among_arms_that_no_other_dominates() {
    let arms = arms(&["dear", "waste", "cheap", "middle"]);
    for (config, expected) in [
        (preference(1.0, 0.0, 0.0), "cheap"),
        (preference(0.0, 1.0, 0.0), "dear"),
        (preference(0.0, 0.0, 1.0), "middle"),
        (preference(0.3, 0.6, 0.1), "middle"),
        (preference(0.05, 0.95, 0.0), "dear"),
        // In proportion: as the one above.
        (preference(5.0, 95.0, 0.0), "dear"),
    ] {
        let mut policy = policy("pareto", config.clone(), &arms);
        learn(&mut *policy, &known());
        assert_eq!(picked(&*policy, "", &arms, 0), expected, "{config}");
    }
}

#[test]
fn scores_are_one_less_the_weighted_distance_after_normalisation() {
    let arms = arms(&["cheap", "middle", "dear", "waste"]);
    let mut policy = policy("pareto", preference(0.3, 0.6, 0.1), &arms);
    learn(&mut *policy, &known());
    let scores = policy.decide(&question("", &arms, 0)).expect("a decision").scores;
    // Shares of the way from the best arm to the worst: cost, quality, diversity.
    let shares = [[0.0, 1.0, 2.0 / 3.0], [0.125, 0.4, 0.0], [1.0, 0.0, 1.0 / 3.0], [1.0, 0.6, 1.0]];
    for (score, [cost, quality, diversity]) in scores.into_iter().zip(shares) {
        let expected = 1.0 - f64::sqrt(0.3 * cost * cost + 0.6 * quality * quality + 0.1 * diversity * diversity);
        assert!((score.expect("a score") - expected).abs() < 1e-12, "{score:?} {expected}");
    }
}

#[test]
fn with_spans_the_preference_says_how_much_a_difference_is_worth() {
    let arms = arms(&["cheap", "dear"]);
    let config = |quality: f64, span: Value| json!({ "preference": { "cost": 1.0 - quality, "quality": quality }, "spans": span });
    let measured = |cost: f64, quality: f64, arm: &str| measured("", arm, cost, quality, 0.0);
    // A dear call costs the whole span of 1: it is worth it from a gap in quality of sqrt(0.1 / 0.9) = 1/3 of its span on.
    for (gap, expected) in [(0.3, "cheap"), (0.36, "dear")] {
        let mut policy = policy("pareto", config(0.9, json!({ "cost": 1.0, "quality": 1.0 })), &arms);
        learn(&mut *policy, &[measured(0.0, 0.5, "cheap"), measured(1.0, 0.5 + gap, "dear")]);
        assert_eq!(picked(&*policy, "", &arms, 0), expected, "{gap}");
        let scores = policy.decide(&question("", &arms, 0)).expect("a decision").scores;
        for (score, expected) in scores.into_iter().zip([1.0 - gap * 0.9_f64.sqrt(), 1.0 - 0.1_f64.sqrt()]) {
            assert!((score.expect("a score") - expected).abs() < 1e-12, "{score:?} {expected}");
        }
    }
    // Without them any gap is the whole way from best to worst; one of two may be given.
    for spans in [json!({}), json!({ "cost": 1.0 })] {
        let mut policy = policy("pareto", config(0.9, spans), &arms);
        learn(&mut *policy, &[measured(0.0, 0.5, "cheap"), measured(1.0, 0.501, "dear")]);
        assert_eq!(picked(&*policy, "", &arms, 0), "dear");
    }
}

#[test]
fn spans_that_make_no_sense_are_refused() {
    for (spans, said) in [
        (json!({ "cost": 0.0 }), "`spans.cost` is 0: it must be above 0 and at most 1e9"),
        (json!({ "price": 1.0 }), "`spans` has `price`, which `preference` does not have"),
    ] {
        let extension = linked_extension(Kind::RoutingPolicy, "pareto").expect("a policy");
        let config = json!({ "preference": { "cost": 1.0 }, "spans": spans }).to_string();
        let Err(Failure::InvalidConfig(message)) = extension.open(&config) else { panic!("{config} is taken") };
        assert_eq!(message, said);
    }
}

#[test]
fn an_arm_that_is_dominated_is_not_picked_though_it_comes_as_near() {
    let arms = arms(&["a", "b"]);
    let mut policy = policy("pareto", preference(0.0, 1.0, 0.0), &arms);
    // As good where it counts, worse where it does not: `a` would win by its name.
    learn(&mut *policy, &[measured("", "a", 2.0, 1.0, 0.0), measured("", "b", 1.0, 1.0, 0.0)]);
    let decision = policy.decide(&question("", &arms, 0)).expect("a decision");
    assert_eq!((decision.arm, decision.scores), (1, vec![Some(1.0), Some(1.0)]));
    // Their means become equal: then the name decides.
    learn(&mut *policy, &[measured("", "b", 3.0, 1.0, 0.0)]);
    assert_eq!(picked(&*policy, "", &arms, 0), "a");
}

#[test]
fn arms_have_their_trials_first_in_each_context() {
    let arms = arms(&["b", "a"]);
    let config = json!({ "preference": { "cost": 1.0 }, "trials": 2 });
    let mut policy = policy("pareto", config, &arms);
    let mut order = Vec::new();
    for _ in 0..4 {
        let arm = picked(&*policy, "x", &arms, 0);
        order.push(arm);
        learn(&mut *policy, &[measured("x", arm, if arm == "a" { 2.0 } else { 1.0 }, 0.0, 0.0)]);
    }
    assert_eq!(order, ["a", "b", "a", "b"]);
    assert_eq!(picked(&*policy, "x", &arms, 0), "b");
    assert_eq!(picked(&*policy, "y", &arms, 0), "a");
}

#[test]
fn an_arm_that_always_fails_has_had_its_trial_and_is_worst() {
    let arms = arms(&["a", "b"]);
    let mut policy = policy("pareto", preference(0.5, 0.5, 0.0), &arms);
    learn(&mut *policy, &[attempted(&["a"], None)]);
    assert_eq!(picked(&*policy, "", &arms, 0), "b");
    learn(&mut *policy, &[attempted(&["b"], None)]);
    assert_eq!(picked(&*policy, "", &arms, 0), "a", "nothing but failures: by name");
    learn(&mut *policy, &[measured("", "b", 5.0, 0.0, 0.0)]);
    assert_eq!(picked(&*policy, "", &arms, 0), "b");
}

#[test]
fn now_and_then_any_arm_is_picked_if_so_told() {
    let arms = arms(&["cheap", "middle", "dear", "waste"]);
    let config = json!({ "preference": { "cost": 1.0 }, "epsilon": 0.2 });
    let mut policy = policy("pareto", config, &arms);
    learn(&mut *policy, &known());
    let others = (0..4_000).filter(|&seed| picked(&*policy, "", &arms, seed) != "cheap").count();
    // 0.2 x 3/4 of 4,000 is 600, give or take four deviations.
    assert!((510..690).contains(&others), "{others}");
}

#[test]
fn outcomes_about_something_else_and_infinite_ones_are_refused() {
    let arms = arms(&["a", "b"]);
    let mut policy = policy("pareto", json!({ "preference": { "price": 1.0 } }), &arms);
    let Err(Failure::InvalidInput(message)) = policy.learn(&measured("", "a", 1.0, 1.0, 1.0)) else { panic!("taken") };
    assert_eq!(message, "the preference is about `price`, the outcome about `cost`, `quality`, `diversity`");
    let mut outcome = measured("", "a", f64::NAN, 1.0, 1.0);
    outcome.objectives[1].name = "price".to_owned();
    let Err(Failure::InvalidInput(message)) = policy.learn(&outcome) else { panic!("taken") };
    assert_eq!(message, "the objective `cost` is NaN: it must be finite");
    assert_eq!(policy.snapshot().expect("a snapshot"), json!({ "minimize": {}, "contexts": {} }));
}
