//! Caches that go away while a run needs them: the run goes on.

use std::{
    fs,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    model_server::{ModelServer, Reply},
    redis::{Redis, free_port},
    support::{Pipeline, SmallFileSystem, jackfield, outcome, run_command},
};

/// Claims against a server, with answers in these tiers.
pub fn pipeline(server: &ModelServer, tiers: &str) -> Pipeline {
    let items: Vec<String> = (0..40).map(|number| format!("{{ claim = \"Claim {number}.\" }}")).collect();
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "cached"

[input]
use = "inline"
items = [{}]

[model.judge]
use = "openai"
with = {}
concurrency = 4

[cache.samples]
tiers = {tiers}

[stages.plan]
use = "claim-plan"
in = {{ claim = "input.claim" }}
with = {{ bank = "bank.toml", slots = 3, replicates = 1, draws = 100 }}
model = "judge"

[stages.sample]
use = "claim-sample"
for_each = "plan.slots"
in = "each"
with = {{ bank = "bank.toml" }}
model = "judge"
store = "samples"

[stages.estimate]
use = "claim-estimate"
in = {{ plan = "plan", samples = "sample" }}
"#,
        items.join(", "),
        server.model("")
    ));
    fs::copy(crate::support::root().join("examples/claims/bank.toml"), pipeline.path().join("bank.toml"))
        .expect("copied");
    pipeline
}

pub fn server() -> ModelServer {
    ModelServer::start(Duration::from_millis(20), |_| Reply::text("{\"prob_true\": 0.4}"))
}

#[test]
fn redis_killed_and_restarted_in_the_middle_of_a_run_changes_nothing() {
    // The cache is asked again after a delay that is no longer than it was away: the last answers wait for that long.
    let settled = Arc::new(Mutex::new(None::<Instant>));
    let wait = Arc::clone(&settled);
    let server = ModelServer::start(Duration::from_millis(20), move |asked| {
        if asked.number >= 100 {
            while wait.lock().expect("no panic").is_none_or(|settled| Instant::now() < settled) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Reply::text("{\"prob_true\": 0.4}")
    });
    let folder = tempfile::tempdir().expect("a folder");
    let redis = Redis::start(folder.path(), None);
    let tiers = format!("[{{ use = \"redis\", with = {{ url = \"{}\" }} }}]", redis.url());
    let pipeline = pipeline(&server, &tiers);
    let mut child = pipeline.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    while server.count() < 30 {
        assert!(child.try_wait().expect("a child").is_none(), "it ended early");
        std::thread::sleep(Duration::from_millis(5));
    }
    let port = redis.kill();
    let killed = Instant::now();
    while server.count() < 60 {
        assert!(child.try_wait().expect("a child").is_none(), "it ended early");
        std::thread::sleep(Duration::from_millis(5));
    }
    let redis = Redis::start(folder.path(), Some(port));
    *settled.lock().expect("no panic") = Some(Instant::now() + killed.elapsed() + Duration::from_millis(300));
    let output = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("the cache is passed over").count(), 1, "it warns once: {said}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(summary["items"]["ok"], 40);
    assert_eq!(server.count(), 120);
    // What was put after the restart is there.
    let again = pipeline.run().expect_code(0);
    let calls = again.json()["models"]["judge"]["calls"].as_u64().expect("a count");
    assert!(calls > 0 && calls < 120, "{calls}");
    drop(redis);
}

#[test]
fn redis_that_is_away_from_the_start_leaves_the_other_tiers() {
    let server = server();
    let port = free_port();
    let tiers =
        format!("[{{ use = \"redis\", with = {{ url = \"redis://127.0.0.1:{port}\" }} }}, {{ use = \"sqlite\" }}]");
    let pipeline = pipeline(&server, &tiers);
    let first = pipeline.run().expect_code(0);
    assert_eq!(first.stderr.matches("the cache is passed over").count(), 1, "{}", first.stderr);
    let second = pipeline.run().expect_code(0);
    assert_eq!(second.json()["models"]["judge"]["calls"], 0);
    assert_eq!(second.json()["caches"]["samples"][1]["hits"], 120);
}

#[test]
fn a_full_disk_under_the_cache_file_harms_nothing() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let Some(_disk) = SmallFileSystem::mount(folder.path(), "100k") else { return };
    let full = format!("[{{ use = \"sqlite\", with = {{ path = \"{}/cache.sqlite\" }} }}]", folder.path().display());
    let pipeline = pipeline(&server, &full);
    let run = pipeline.run().expect_code(0);
    assert_eq!(run.json()["items"]["ok"], 40);
    assert!(run.stderr.contains("the cache is"), "{}", run.stderr);
}

#[test]
fn two_processes_share_one_cache_file() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let tiers = format!("[{{ use = \"sqlite\", with = {{ path = \"{}/cache.sqlite\" }} }}]", folder.path().display());
    let pipelines = [pipeline(&server, &tiers), pipeline(&server, &tiers)];
    let children = pipelines
        .each_ref()
        .map(|one| one.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started"));
    let folders = children.map(|child| {
        let output = child.wait_with_output().expect("ended");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(summary["caches"]["samples"][0]["errors"], json!(0));
        std::path::PathBuf::from(summary["dir"].as_str().expect("a folder"))
    });
    assert_eq!(outcome(&folders[0]).len(), outcome(&folders[1]).len());
    let third = run_command(&mut pipelines[0].command()).expect_code(0);
    assert_eq!(third.json()["models"]["judge"]["calls"], 0);
}

#[test]
fn redis_keeps_the_contract_and_leaves_the_keys_of_others_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let redis = Redis::start(folder.path(), None);
    let cli = |arguments: &[&str]| {
        let run = Command::new("redis-cli").args(["-p", &redis.port.to_string()]).args(arguments).output();
        String::from_utf8_lossy(&run.expect("redis-cli").stdout).trim().to_owned()
    };
    cli(&["set", "jackfield:mine", "kept"]);
    let config = json!({ "url": redis.url() }).to_string();
    let mut test = jackfield();
    test.args(["plugins", "test", "--bundled", "redis", "--quick", "--json", "--config", &config]);
    let report = run_command(&mut test).expect_code(0).json();
    assert_eq!(report["level"], "deterministic", "{report:#}");
    assert_eq!((cli(&["dbsize"]), cli(&["get", "jackfield:mine"])), ("1".to_owned(), "kept".to_owned()));
}
