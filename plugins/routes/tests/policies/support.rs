//! Arms, questions and outcomes.

use jackfield_plugin_api::{
    Arm, Attempt, Decision, Instance, Kind, Outcome, PolicyState, Question, linked_extension, testing,
};
use jackfield_routes as _;
use serde_json::{Value, json};
use std::sync::Arc;

/// Arms that are a name alone.
pub(crate) fn arms(names: &[&str]) -> Vec<Arm> {
    names.iter().map(|&name| Arm { name: name.to_owned(), with: json!({}) }).collect()
}

/// Arms that differ in a number `alpha`.
pub(crate) fn alphas(alphas: &[f64]) -> Vec<Arm> {
    alphas.iter().map(|alpha| Arm { name: format!("alpha={alpha}"), with: json!({ "alpha": alpha }) }).collect()
}

pub(crate) fn question(context: &str, arms: &[Arm], seed: u64) -> Question {
    Question { context: context.to_owned(), arms: arms.into(), tried: Vec::new(), pending: Vec::new(), seed }
}

/// The item used this arm, and had this reward.
pub(crate) fn rewarded(context: &str, arm: &str, reward: impl Into<Option<f64>>) -> Outcome {
    let attempts = vec![Attempt { arm: arm.to_owned(), failed: false }];
    Outcome { context: context.to_owned(), attempts, reward: reward.into(), ..Outcome::default() }
}

/// These arms failed, and the last one, if there is one, was used.
pub(crate) fn attempted(failed: &[&str], used: Option<&str>) -> Outcome {
    let failed = failed.iter().map(|arm| Attempt { arm: (*arm).to_owned(), failed: true });
    let used = used.map(|arm| Attempt { arm: arm.to_owned(), failed: false });
    Outcome { attempts: failed.chain(used).collect(), ..Outcome::default() }
}

pub(crate) fn open(name: &str, config: &Value) -> Arc<dyn Instance> {
    let extension = linked_extension(Kind::RoutingPolicy, name).expect("a policy");
    extension.open(&config.to_string()).expect("an instance")
}

pub(crate) fn policy(name: &str, config: Value, arms: &[Arm]) -> Box<dyn PolicyState> {
    testing::policy(name, &config, arms).unwrap_or_else(|failure| panic!("{name}: {failure}"))
}

/// Name of the arm that is picked.
pub(crate) fn picked<'a>(policy: &dyn PolicyState, context: &str, arms: &'a [Arm], seed: u64) -> &'a str {
    let Decision { arm, .. } = policy.decide(&question(context, arms, seed)).expect("a decision");
    &arms[arm as usize].name
}

pub(crate) fn learn(policy: &mut dyn PolicyState, outcomes: &[Outcome]) {
    for outcome in outcomes {
        policy.learn(outcome).expect("learned");
    }
}
