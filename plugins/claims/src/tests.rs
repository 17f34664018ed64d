//! The three analyzers after one another, as a pipeline runs them.

use jackfield_plugin_api::{
    Kind,
    prelude::*,
    testing::{FakeHost, call},
};
use serde_json::{Value, json};

use crate::bank_file::example_bank;

/// A model that answers every prompt with this text.
fn answering(text: &'static str) -> FakeHost {
    FakeHost::default().with_model(move |_| Ok(Completion { text: text.to_owned(), ..Completion::default() }))
}

fn plan(host: &FakeHost) -> Result<Value> {
    let config = json!({ "bank": example_bank(), "slots": 2, "replicates": 2, "draws": 200, "seed": 7 });
    call(Kind::Analyzer, "claim-plan", config, json!({ "claim": " Tea is wet. " }), host)
}

fn samples(plan: &Value, host: &FakeHost) -> Result<Vec<Value>> {
    let config = json!({ "bank": example_bank() });
    let slots = plan["slots"].as_array().expect("a list of slots");
    slots.iter().map(|slot| call(Kind::Analyzer, "claim-sample", config.clone(), slot.clone(), host)).collect()
}

fn estimate(plan: &Value, samples: &[Value], host: &FakeHost) -> Result<Value> {
    let input = json!({ "plan": plan, "samples": samples });
    call(Kind::Analyzer, "claim-estimate", json!({}), input, host)
}

#[test]
fn a_sample_is_asked_for_twice_until_its_answer_is_valid() {
    let host = answering(r#"{"prob_true": 0.25}"#);
    let plan = plan(&host).unwrap();
    let sample = samples(&plan, &host).unwrap().remove(0);
    assert_eq!((&sample["prob_true"], &sample["invalid"]), (&json!(0.25), &Value::Null));
    assert_eq!(host.requests().len(), 4, "one request for each of two slots and two replicates");

    let refusing = answering("I would rather not say.");
    let sample = samples(&plan, &refusing).unwrap().remove(0);
    assert_eq!(sample["invalid"], "the answer holds no JSON object");
    assert_eq!(refusing.requests().len(), 8);
    let replicates: Vec<u32> = refusing.requests().iter().take(2).map(|request| request.replicate).collect();
    assert_eq!(replicates, [0, 1 << 15]);
}

#[test]
fn fewer_answers_than_an_estimate_takes_are_refused_before_any_is_asked_for() {
    let host = answering("{}");
    for (slots, replicates) in [(1, 1), (1, 2), (2, 1)] {
        let config = json!({ "bank": example_bank(), "slots": slots, "replicates": replicates });
        let failure = call(Kind::Analyzer, "claim-plan", config, json!({ "claim": "Tea is wet." }), &host).unwrap_err();
        let reason = format!(
            "`slots` = {slots} times `replicates` = {replicates} asks for too few answers: an estimate takes 3, so raise \
             one of them"
        );
        assert_eq!(failure, Failure::InvalidConfig(reason));
    }
}

#[test]
fn what_a_single_wording_leaves_open_is_said() {
    let host = answering(r#"{"prob_true": 0.25}"#);
    let config = json!({ "bank": example_bank(), "slots": 1, "replicates": 3, "draws": 200, "seed": 7 });
    let plan = call(Kind::Analyzer, "claim-plan", config, json!({ "claim": "Tea is wet." }), &host).unwrap();
    let execution = estimate(&plan, &samples(&plan, &host).unwrap(), &host).unwrap();
    assert_eq!(execution["summary"], "0.250 [0.250, 0.250] (final, B = 200), one wording: stability not known");
    let (aggregates, quality) = (&execution["aggregates"], &execution["prompt_quality"]);
    assert_eq!((&aggregates["stability_score"], &aggregates["stability_band"]), (&Value::Null, &json!("unknown")));
    assert_eq!((&quality["score"], &quality["stability_passes"]), (&Value::Null, &Value::Null));
    assert_eq!(execution["aggregation"]["template_iqr_logit"], Value::Null);
}

#[test]
fn answers_that_agree_are_an_interval_of_one_point() {
    let host = answering(r#"{"prob_true": 0.25}"#);
    let plan = plan(&host).unwrap();
    let execution = estimate(&plan, &samples(&plan, &host).unwrap(), &host).unwrap();
    assert_eq!(execution["summary"], "0.250 [0.250, 0.250] (final, B = 200)");
    assert_eq!(execution["aggregation"]["center"], "mean");
    assert_eq!(
        (&execution["aggregation"]["bootstrap_seed"], &execution["ci_status"]["phase"]),
        (&json!(7), &json!("final"))
    );
    assert_eq!(
        (&execution["aggregates"]["compliance_rate"], &execution["prompt_quality"]["score"]),
        (&json!(1.0), &json!(100))
    );
}

#[test]
fn too_few_valid_answers_are_a_failure_that_says_why() {
    let host = answering("no");
    let plan = plan(&host).unwrap();
    let failure = estimate(&plan, &samples(&plan, &host).unwrap(), &host).unwrap_err();
    assert_eq!(
        failure,
        Failure::InvalidOutput(
            "0 of 4 answers are valid, 3 are needed; the first that is not: the answer holds no JSON object".to_owned()
        )
    );
}

#[test]
fn an_execution_that_was_stored_is_found_and_nothing_is_asked_again() {
    let host = answering(r#"{"prob_true": 0.25}"#).with_cache();
    let first = plan(&host).unwrap();
    let answers = samples(&first, &host).unwrap();
    assert_eq!(samples(&first, &host).unwrap(), answers, "samples come from the cache");
    assert_eq!(host.requests().len(), 4);
    estimate(&first, &answers, &host).unwrap();
    let second = plan(&host).unwrap();
    assert_eq!((&second["found"]["from_run_cache"], &second["slots"]), (&json!(true), &json!([])));
    let found = estimate(&second, &[], &host).unwrap();
    assert_eq!(found["summary"], "0.250 [0.250, 0.250] (final, B = 200), from the run cache");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let host = answering("{}");
    let refused = |name: &str, config: Value, input: Value| {
        call(Kind::Analyzer, name, config, input, &host).unwrap_err().message().to_owned()
    };
    let bank = example_bank();
    let claim = || json!({ "claim": "Tea is wet." });
    assert!(refused("claim-plan", json!({ "bank": bank, "templates": 3 }), claim()).contains("more than the bank has"));
    assert_eq!(refused("claim-plan", json!({ "bank": bank }), json!({ "claim": " " })), "the claim is empty");
    let broken = json!({ "path": "bank.toml", "text": "version = 1" });
    assert!(refused("claim-plan", json!({ "bank": broken }), claim()).starts_with("the prompt bank `bank.toml`: "));
    let mut slot = plan(&host).unwrap()["slots"][0].clone();
    slot["prompt_sha256"] = json!("other");
    assert!(refused("claim-sample", json!({ "bank": bank }), slot).contains("not that of the plan"));
    let no_model = call(Kind::Analyzer, "claim-plan", json!({ "bank": bank }), claim(), &FakeHost::default());
    assert!(no_model.unwrap_err().message().contains("needs to know its model"));
}
