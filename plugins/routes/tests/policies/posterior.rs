//! What `thompson` believes, against closed forms, and what it picks then.

use jackfield_plugin_api::{Arm, Outcome, PolicyState};
use serde_json::{Value, json};

use crate::support::{alphas, arms, attempted, learn, open, picked, policy, question, rewarded};

/// Mean and variance of what is drawn for each arm.
fn moments(policy: &dyn PolicyState, context: &str, arms: &[Arm]) -> Vec<(f64, f64)> {
    const DRAWS: u32 = 20_000;
    let mut sums = vec![(0.0, 0.0); arms.len()];
    let mut question = question(context, arms, 0);
    for seed in 0..DRAWS {
        question.seed = u64::from(seed);
        let decision = policy.decide(&question).expect("a decision");
        for (sum, score) in sums.iter_mut().zip(decision.scores) {
            let score = score.expect("a draw");
            *sum = (sum.0 + score, sum.1 + score * score);
        }
    }
    let count = f64::from(DRAWS);
    sums.into_iter().map(|(sum, squares)| (sum / count, squares / count - (sum / count).powi(2))).collect()
}

fn assert_beta((mean, variance): (f64, f64), a: f64, b: f64) {
    let expected = a / (a + b);
    assert!((mean - expected).abs() < 0.01, "mean {mean}, not {expected} of Beta({a}, {b})");
    let expected = expected * (1.0 - expected) / (a + b + 1.0);
    assert!((variance / expected - 1.0).abs() < 0.1, "variance {variance}, not {expected} of Beta({a}, {b})");
}

fn evidence(policy: &dyn PolicyState, context: &str, arm: &str) -> Value {
    policy.snapshot().expect("a snapshot")["contexts"][context][arm].clone()
}

#[test]
fn fractional_rewards_add_up_to_the_posterior_of_their_context_alone() {
    let arms = arms(&["a", "b"]);
    let mut policy = policy("thompson", json!({ "successes": 2.0, "failures": 3.0 }), &arms);
    let rewards = [0.25, 1.0, 0.75, 0.0, 0.5, 1.0];
    learn(&mut *policy, &rewards.map(|reward| rewarded("finance", "b", reward)));
    assert_eq!(
        evidence(&*policy, "finance", "b"),
        json!({ "successes": 3.5, "failures": 2.5, "squares": 2.875, "rewards": 6 })
    );
    let found = moments(&*policy, "finance", &arms);
    assert_beta(found[0], 2.0, 3.0);
    assert_beta(found[1], 5.5, 5.5);
    for found in moments(&*policy, "health", &arms) {
        assert_beta(found, 2.0, 3.0);
    }
}

#[test]
fn a_discount_leaves_a_geometric_sum() {
    let arms = arms(&["a", "b"]);
    let mut policy = policy("thompson", json!({ "discount": 0.5 }), &arms);
    learn(&mut *policy, &[rewarded("", "a", 1.0), rewarded("", "b", 0.5), rewarded("", "a", 1.0)]);
    assert_eq!(
        evidence(&*policy, "", "a"),
        json!({ "successes": 1.25, "failures": 0.0, "squares": 1.25, "rewards": 2 })
    );
    assert_eq!(
        evidence(&*policy, "", "b"),
        json!({ "successes": 0.25, "failures": 0.25, "squares": 0.125, "rewards": 1 })
    );
    // Toward the prior, and all the way.
    learn(&mut *policy, &vec![rewarded("", "b", 1.0); 60]);
    assert_eq!(evidence(&*policy, "", "a"), json!({ "successes": 0.0, "failures": 0.0, "squares": 0.0, "rewards": 2 }));
    assert_beta(moments(&*policy, "", &arms)[0], 1.0, 1.0);
}

#[test]
fn a_failed_attempt_counts_as_a_reward_of_nothing_unless_told_otherwise() {
    let arms = arms(&["a", "b"]);
    for (config, failures) in [(json!({}), 1.0), (json!({ "failure_reward": 0.5 }), 0.5)] {
        let mut policy = policy("thompson", config, &arms);
        policy.learn(&Outcome { reward: Some(1.0), ..attempted(&["a"], Some("b")) }).expect("learned");
        assert_eq!(evidence(&*policy, "", "a")["failures"], failures);
        assert_eq!(evidence(&*policy, "", "b")["successes"], 1.0);
    }
}

#[test]
fn hints_favour_the_nearest_arm_of_each_context_until_rewards_say_otherwise() {
    let arms = alphas(&[0.2, 0.3, 0.5, 0.7, 0.9]);
    let hints = json!({ "key": "alpha", "contexts": { "healthcare": 0.72, "finance": 0.5 }, "other": 0.4 });
    let mut policy = policy("thompson", json!({ "hints": hints }), &arms);
    for (context, favoured) in [("healthcare", &[3][..]), ("finance", &[2]), ("general", &[1, 2])] {
        for (index, found) in moments(&*policy, context, &arms).into_iter().enumerate() {
            let successes = if favoured.contains(&index) { 3.0 } else { 1.0 };
            assert_beta(found, successes, 1.0);
        }
    }
    learn(&mut *policy, &vec![rewarded("healthcare", "alpha=0.7", 0.0); 30]);
    learn(&mut *policy, &vec![rewarded("healthcare", "alpha=0.2", 1.0); 30]);
    let right = (0..200).filter(|&seed| picked(&*policy, "healthcare", &arms, seed) == "alpha=0.2").count();
    assert!(right > 160, "{right} of 200");
}

#[test]
fn hints_without_another_context_say_nothing_there() {
    let arms = alphas(&[0.2, 0.7]);
    let hints = json!({ "key": "alpha", "contexts": { "healthcare": 0.7 }, "strength": 8.0 });
    let policy = policy("thompson", json!({ "hints": hints }), &arms);
    for found in moments(&*policy, "travel", &arms) {
        assert_beta(found, 1.0, 1.0);
    }
    assert_beta(moments(&*policy, "healthcare", &arms)[1], 9.0, 1.0);
}

#[test]
fn a_gaussian_draw_is_centred_by_the_context_and_narrows_with_the_rewards() {
    let arms = arms(&["a", "b", "c"]);
    let mut policy = policy("thompson", json!({ "likelihood": "gaussian" }), &arms);
    for round in 0..200 {
        let around = |mean: f64| mean + if round % 2 == 0 { 0.01 } else { -0.01 };
        learn(&mut *policy, &[rewarded("", "a", around(0.5)), rewarded("", "b", around(0.54))]);
    }
    let found = moments(&*policy, "", &arms);
    assert!((found[0].0 - 0.5).abs() < 0.001 && (found[1].0 - 0.54).abs() < 0.001, "{found:?}");
    // The arm without rewards is believed to be as the context is, within what its rewards vary by.
    assert!((found[2].0 - 0.52).abs() < 0.002, "{found:?}");
    assert!(found[0].1 < 1e-5 && found[2].1 < 0.002 && found[2].1 > 20.0 * found[0].1, "{found:?}");
}

#[test]
fn evidence_stored_without_squares_is_read_as_that_of_right_and_wrong() {
    let arms = arms(&["a", "b"]);
    let old = json!({ "contexts": { "": { "a": { "successes": 6.0, "failures": 4.0, "rewards": 10 } } } });
    let new =
        json!({ "contexts": { "": { "a": { "successes": 6.0, "failures": 4.0, "squares": 6.0, "rewards": 10 } } } });
    let config = json!({ "likelihood": "gaussian" });
    let restored =
        |state: &Value| open("thompson", &config).as_policy().expect("a policy").restore(state).expect("restored");
    let (mut old, mut new) = (restored(&old), restored(&new));
    assert_eq!(moments(&*old, "", &arms), moments(&*new, "", &arms));
    learn(&mut *old, &[rewarded("", "a", 0.5)]);
    learn(&mut *new, &[rewarded("", "a", 0.5)]);
    assert_eq!(old.snapshot(), new.snapshot());
}
