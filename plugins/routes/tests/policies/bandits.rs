//! How policies fare on arms whose rewards are known.

use jackfield_plugin_api::{Question, Random};
use serde_json::{Value, json};

use crate::support::{arms, learn, picked, policy, rewarded};

const MEANS: [f64; 5] = [0.3, 0.9, 0.5, 0.8, 0.7];
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const BEST: f64 = 0.9;
const ROUNDS: u64 = 10_000;
const SEEDS: u64 = 10;

/// Regret after 1,000 and after 10,000 rounds, averaged over seeds: what the best arm would have given more, in expectation.
fn regret(name: &str, config: &Value, delay: usize) -> (f64, f64) {
    let (mut early, mut late) = (0.0, 0.0);
    for seed in 0..SEEDS {
        let mut policy = policy(name, config.clone(), &arms(&NAMES));
        let mut world = Random::new(1_000 + seed);
        let mut question = Question {
            context: String::new(),
            arms: arms(&NAMES).into(),
            tried: Vec::new(),
            pending: Vec::new(),
            seed: 0,
        };
        let mut pending = std::collections::VecDeque::new();
        for round in 0..ROUNDS {
            question.seed = world.next_u64();
            let arm = policy.decide(&question).expect("a decision").arm as usize;
            late += BEST - MEANS[arm];
            if round < 1_000 {
                early += BEST - MEANS[arm];
            }
            let reward = f64::from(u8::from(world.next_f64() < MEANS[arm]));
            pending.push_back(rewarded("", NAMES[arm], reward));
            if pending.len() > delay {
                policy.learn(&pending.pop_front().expect("an outcome")).expect("learned");
            }
        }
    }
    (early / SEEDS as f64, late / SEEDS as f64)
}

/// The regret of picking any arm: (0.6 + 0 + 0.4 + 0.1 + 0.2) / 5 a round.
const RANDOM: f64 = 0.26 * ROUNDS as f64;

#[test]
fn regret_of_thompson_grows_like_a_logarithm() {
    // The bound of Lai and Robbins (1985) for these arms is 4.9 ln n: 45 at 10,000.
    let (early, late) = regret("thompson", &json!({}), 0);
    assert!(late < 50.0, "{late}");
    assert!(late > 10.0, "{late}: less than can be");
    assert!(late / early < 2.5, "{early} at 1,000, {late} at 10,000");
}

/// Regret after 1,000 rounds on arms that are close, whose rewards are fractions that vary little.
fn regret_of_fractions(config: &Value) -> f64 {
    const MEANS: [f64; 5] = [0.50, 0.52, 0.54, 0.56, 0.58];
    let arms = arms(&NAMES);
    let mut total = 0.0;
    for seed in 0..SEEDS {
        let mut policy = policy("thompson", config.clone(), &arms);
        let mut world = Random::new(seed);
        for _ in 0..1_000 {
            let arm = picked(&*policy, "", &arms, world.next_u64());
            let index = NAMES.iter().position(|name| *name == arm).expect("an arm");
            total += (0.58 - MEANS[index]) / SEEDS as f64;
            // Uniform: a standard deviation of .05.
            let reward = MEANS[index] + 0.05 * 12_f64.sqrt() * (world.next_f64() - 0.5);
            policy.learn(&rewarded("", arm, reward)).expect("learned");
        }
    }
    total
}

#[test]
fn fractions_that_vary_little_are_told_apart_by_their_variance_and_not_by_that_of_right_and_wrong() {
    let beta = regret_of_fractions(&json!({}));
    // Any arm at random loses 40.
    assert!(beta > 20.0, "{beta}");
    for likelihood in ["gaussian", "centered-beta"] {
        let own = regret_of_fractions(&json!({ "likelihood": likelihood }));
        assert!(own < beta / 5.0, "{likelihood}: {own}, {beta} by `beta`");
    }
}

#[test]
fn an_arm_that_varies_more_than_the_others_is_not_given_up_after_bad_luck() {
    let arms = arms(&["steady", "wild"]);
    let mut right = 0;
    for seed in 0..SEEDS {
        let mut policy = policy("thompson", json!({ "likelihood": "gaussian" }), &arms);
        // Steady rewards of .5, and two of the worst of an arm that is better.
        learn(&mut *policy, &vec![rewarded("", "steady", 0.5); 20]);
        learn(&mut *policy, &[rewarded("", "wild", 0.3), rewarded("", "wild", 0.3)]);
        let mut world = Random::new(seed);
        for round in 0..2_000 {
            let arm = picked(&*policy, "", &arms, world.next_u64());
            right += u32::from(round >= 1_000 && arm == "wild");
            let reward = if arm == "steady" { 0.5 } else { 0.3 + 0.6 * world.next_f64() };
            policy.learn(&rewarded("", arm, reward)).expect("learned");
        }
    }
    assert!(right > 9_000, "{right} of 10,000");
}

#[test]
fn thompson_puts_up_with_rewards_that_come_late() {
    let (_, late) = regret("thompson", &json!({}), 64);
    assert!(late < 70.0, "{late}");
}

#[test]
fn regret_of_ucb1_grows_like_a_logarithm() {
    // The bound of Auer, Cesa-Bianchi and Fischer (2002): 8 ln n of the sum of 1 / gap, and 4.3 times that of the gaps.
    let bound = 8.0 * (ROUNDS as f64).ln() * (1.0 / 0.6 + 1.0 / 0.4 + 1.0 / 0.1 + 1.0 / 0.2) + 4.3 * 1.3;
    let (early, late) = regret("ucb1", &json!({}), 0);
    assert!(late < bound && late < RANDOM / 3.0, "{late}, bound {bound}");
    assert!(late / early < 5.0, "{early} at 1,000, {late} at 10,000");
    let (_, bolder) = regret("ucb1", &json!({ "exploration": 0.5 }), 0);
    assert!(bolder < late / 2.0, "{bolder} with less exploration, {late}");
}

#[test]
fn regret_of_epsilon_greedy_is_linear_in_epsilon_and_falls_with_a_decay() {
    let (_, constant) = regret("epsilon-greedy", &json!({ "epsilon": 0.1 }), 0);
    assert!(constant > 0.08 * RANDOM && constant < 0.2 * RANDOM, "{constant}");
    let (_, decaying) = regret("epsilon-greedy", &json!({ "epsilon": 1.0, "decay": 0.05 }), 0);
    assert!(decaying < constant, "{decaying} with a decay, {constant} without");
}

#[test]
fn a_discount_finds_an_arm_again_that_has_become_the_best() {
    let right_after_change = |config: Value| {
        let arms = arms(&["a", "b"]);
        let mut policy = policy("thompson", config, &arms);
        let mut world = Random::new(3);
        let mut right = 0;
        for round in 0..4_000 {
            let best = if round < 2_000 { "a" } else { "b" };
            let arm = picked(&*policy, "", &arms, world.next_u64());
            let mean = if arm == best { 0.8 } else { 0.3 };
            policy.learn(&rewarded("", arm, f64::from(u8::from(world.next_f64() < mean)))).expect("learned");
            right += u32::from(round >= 2_000 && arm == best);
        }
        right
    };
    let (kept, discounted) = (right_after_change(json!({})), right_after_change(json!({ "discount": 0.99 })));
    assert!(discounted > 1_700 && discounted > kept, "{discounted} of 2,000 with a discount, {kept} without");
}

#[test]
fn arms_without_a_reward_come_first_in_order_of_their_names() {
    for name in ["ucb1", "epsilon-greedy"] {
        let arms = arms(&["c", "a", "b"]);
        let mut policy = policy(name, json!({}), &arms);
        for expected in ["a", "b", "c"] {
            let found = picked(&*policy, "x", &arms, 0);
            assert_eq!(found, expected, "{name}");
            // One that fails is not tried for ever.
            let mut outcome = rewarded("x", expected, None);
            outcome.attempts[0].failed = expected == "a";
            outcome.reward = (expected != "a").then_some(0.5);
            learn(&mut *policy, &[outcome]);
        }
        assert_ne!(picked(&*policy, "x", &arms, 0), "a", "{name}");
        assert_eq!(picked(&*policy, "y", &arms, 0), "a", "{name}");
    }
}

#[test]
fn round_robin_gives_each_arm_its_turn_in_each_context() {
    let arms = arms(&["c", "a", "b"]);
    let mut policy = policy("round-robin", json!({}), &arms);
    let mut turns = Vec::new();
    for round in 0..8 {
        let context = if round % 4 == 3 { "other" } else { "one" };
        let arm = picked(&*policy, context, &arms, round);
        turns.push(arm);
        learn(&mut *policy, &[rewarded(context, arm, None)]);
    }
    assert_eq!(turns, ["c", "a", "b", "c", "c", "a", "b", "a"]);
}

#[test]
fn fixed_goes_by_name_before_it_goes_by_place() {
    let arms = arms(&["one", "0", "1"]);
    for (arm, expected) in [("one", "one"), ("0", "0"), ("1", "1"), ("2", "1")] {
        assert_eq!(picked(&*policy("fixed", json!({ "arm": arm }), &arms), "", &arms, 9), expected);
    }
}
