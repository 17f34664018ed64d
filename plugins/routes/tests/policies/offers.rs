//! What the crate offers to a host, and what it refuses.

use jackfield_plugin_api::{Failure, Kind, Learns, linked_extensions, testing};
use serde_json::json;

use crate::support::{alphas, arms, learn, policy, rewarded};

#[test]
fn seven_policies_say_what_they_learn_from() {
    let found: Vec<_> = linked_extensions()
        .iter()
        .map(|extension| {
            let descriptor = extension.descriptor();
            assert_eq!(descriptor.kind, Kind::RoutingPolicy);
            assert!(!descriptor.examples.is_empty(), "{}", descriptor.name);
            (descriptor.name.clone(), Learns::from_descriptor(descriptor).expect("`x-learns`").name())
        })
        .collect();
    let expected = [
        ("epsilon-greedy", "reward"),
        ("fallback", "nothing"),
        ("fixed", "nothing"),
        ("pareto", "objectives"),
        ("round-robin", "nothing"),
        ("thompson", "reward"),
        ("ucb1", "reward"),
    ];
    assert_eq!(found, expected.map(|(name, learns)| (name.to_owned(), learns)));
}

#[test]
fn examples_are_exact() {
    for extension in linked_extensions() {
        testing::check_examples(Kind::RoutingPolicy, &extension.descriptor().name, &testing::FakeHost::default());
    }
}

#[test]
fn configurations_without_sense_are_refused_by_what_is_wrong() {
    for (name, config, part) in [
        ("thompson", json!({ "successes": 0.0 }), "`successes` is 0"),
        ("thompson", json!({ "failures": -1.0 }), "`failures` is -1"),
        ("thompson", json!({ "discount": 0.0 }), "`discount`"),
        ("thompson", json!({ "discount": 1.5 }), "`discount` is 1.5"),
        ("thompson", json!({ "hints": { "key": "alpha", "strength": 0.0 } }), "`hints.strength`"),
        ("thompson", json!({ "likelihood": "normal" }), "unknown variant `normal`"),
        (
            "thompson",
            json!({ "likelihood": "gaussian", "failures": 2.0 }),
            "`successes` and `failures` are of a Beta prior",
        ),
        ("thompson", json!({ "hints": { "key": "alpha", "contests": {} } }), "unknown field `contests`"),
        ("ucb1", json!({ "exploration": -1.0 }), "`exploration` is -1"),
        ("ucb1", json!({ "failure_reward": 2.0 }), "`failure_reward` is 2"),
        ("epsilon-greedy", json!({ "epsilon": 1.1 }), "`epsilon` is 1.1"),
        ("epsilon-greedy", json!({ "decay": -0.1 }), "`decay` is -0.1"),
        ("pareto", json!({}), "missing field `preference`"),
        ("pareto", json!({ "preference": { "cost": 0.0 } }), "no objective a weight above 0"),
        ("pareto", json!({ "preference": { "cost": -1.0, "quality": 2.0 } }), "`preference.cost` is -1"),
        ("pareto", json!({ "preference": { "cost": 1.0 }, "trials": 0 }), "`trials`"),
        ("fallback", json!({ "failures": 0 }), "`failures`"),
        ("fixed", json!({}), "missing field `arm`"),
        ("fixed", json!({ "arm": "c" }), "no arm `c` (there are: `a`, `b`)"),
        ("fixed", json!({ "arm": "2" }), "no arm `2`"),
        ("round-robin", json!({ "start": 1 }), "unknown field `start`"),
    ] {
        match testing::policy(name, &config, &arms(&["a", "b"])) {
            Err(Failure::InvalidConfig(message)) => assert!(message.contains(part), "{name}: {message}"),
            Err(other) => panic!("{name} {config}: {other}"),
            Ok(_) => panic!("{name} takes {config}"),
        }
    }
}

#[test]
fn hints_about_a_number_that_an_arm_lacks_name_the_arm() {
    let mut arms = alphas(&[0.2, 0.5]);
    arms[1].with = json!({ "alpha": "half" });
    let config = json!({ "hints": { "key": "alpha", "other": 0.4 } });
    let failure = testing::policy("thompson", &config, &arms).err().expect("refused");
    let message = "`hints.key` is `alpha`, for which the arm `alpha=0.5` has no number";
    assert_eq!(failure, Failure::InvalidConfig(message.to_owned()));
}

#[test]
fn rewards_out_of_range_are_refused_and_leave_the_state_as_it_was() {
    let two = arms(&["a", "b"]);
    for (name, rewards) in [
        ("thompson", &[85.0, -0.1, f64::NAN, f64::INFINITY][..]),
        ("ucb1", &[1.1, f64::NEG_INFINITY]),
        ("epsilon-greedy", &[f64::NAN, f64::INFINITY]),
    ] {
        let mut policy = policy(name, json!({}), &two);
        learn(&mut *policy, &[rewarded("", "a", 0.5)]);
        let before = policy.snapshot();
        for &reward in rewards {
            // A failed attempt stands in the same outcome, and must not be taken in alone.
            let mut outcome = rewarded("", "b", reward);
            outcome.attempts.insert(0, jackfield_plugin_api::Attempt { arm: "a".to_owned(), failed: true });
            assert!(matches!(policy.learn(&outcome), Err(Failure::InvalidInput(_))), "{name} takes {reward}");
            assert_eq!(policy.snapshot(), before, "{name} {reward}");
        }
        policy.learn(&rewarded("", "a", 1.0 + 1e-12)).expect("what rounding does is no fault");
    }
}
