//! Cache backends linked in, as native libraries and as components: the same values, the same results, and no harm done by
//! one that goes away or misbehaves.

mod operations;

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    bad_plugins::component::{Described, Hand},
    caches,
    key_value_server::KeyValueServer,
    support::{CommandOutput, Pipeline, fixture, jackfield, outcome, run_command, same_outcome, tree},
};

const FORMS: [&str; 2] = ["so", "wasm"];

/// The table of the plugin `mine`, from this file.
fn plugin(file: &Path, grants: &[&str]) -> String {
    let native = if file.extension().is_some_and(|extension| extension == "so") { "allow_native = true" } else { "" };
    format!("[plugins.mine]\npath = {file:?}\n{native}\ngrant = {grants:?}\n")
}

/// The test plugin in one of its forms, with these grants where it is in a sandbox.
fn invalid_plugin(form: &str, grants: &[&str]) -> String {
    let grants = if form == "wasm" { grants } else { &[] };
    plugin(&fixture(&format!("jackfield_test_invalid_plugin.{form}")), grants)
}

/// Pins the plugins, as what is native has to be.
fn locked(pipeline: Pipeline) -> Pipeline {
    run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
    pipeline
}

#[test]
fn a_backend_of_ones_own_serves_a_pipeline_and_may_be_killed_in_mid_run() {
    let models = caches::server();
    let calm = caches::pipeline(&models, "[{ use = \"memory\" }]");
    let plain = calm.run().expect_code(0);
    for form in FORMS {
        let (models, server) = (caches::server(), KeyValueServer::start());
        let tiers = format!(
            "[{{ use = \"mine/key-value\", with = {{ url = \"{}\" }}, ttl = \"1h\" }}]\n{}",
            server.url(),
            invalid_plugin(form, &[&format!("http:{}", server.address)])
        );
        let pipeline = locked(caches::pipeline(&models, &tiers));
        let first = pipeline.run().expect_code(0);
        assert_eq!(models.count(), 120, "{form}");
        assert_eq!(server.len(), 120, "{form}");
        same_outcome(&plain.folder(), &first.folder());
        let second = pipeline.run().expect_code(0);
        assert_eq!(models.count(), 120, "{form}: every answer was there");
        let tiers = second.json()["caches"]["samples"].as_array().expect("tiers").clone();
        let counted: Vec<Value> =
            tiers.iter().map(|tier| json!([tier["tier"], tier["hits"], tier["misses"], tier["errors"]])).collect();
        assert_eq!(counted, [json!(["key-value", 120, 0, 0])], "{form}");
        same_outcome(&plain.folder(), &second.folder());

        run_command(jackfield().args(["cache", "clear"]).arg(pipeline.path())).expect_code(0);
        assert_eq!(server.len(), 0, "{form}");
        let mut child = pipeline.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        while models.count() < 150 {
            assert!(child.try_wait().expect("a child").is_none(), "it ended early");
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(server);
        let output = child.wait_with_output().expect("ended");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{form}: {said}");
        assert_eq!(said.matches("the cache is passed over").count(), 1, "{form}: {said}");
        let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(summary["caches"]["samples"][0]["errors"].as_u64() > Some(0), "{form}: {summary:#}");
        same_outcome(&plain.folder(), Path::new(summary["dir"].as_str().expect("a folder")));
    }
}

/// Five texts, whose transcripts are kept in these tiers.
fn kept(tiers: &str, more: &str) -> Pipeline {
    let items: Vec<String> = (0..5).map(|n| format!("{{ text = \"Ann: Good morning, {n}.\" }}")).collect();
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "kept"
max_in_flight = 1
{more}
[input]
use   = "inline"
items = [{}]
[cache.kept]
tiers = [{tiers}]
[stages.read]
use   = "transcript"
in    = {{ text = "input.text" }}
cache = "kept"
"#,
        items.join(", ")
    ))
}

/// Counts of the tiers: hits, misses and errors.
fn counts(run: &CommandOutput) -> Vec<[u64; 3]> {
    let tiers = run.json()["caches"]["kept"].as_array().expect("tiers").clone();
    let count = |tier: &Value, name: &str| tier[name].as_u64().expect("a count");
    tiers.iter().map(|tier| ["hits", "misses", "errors"].map(|name| count(tier, name))).collect()
}

/// A message without how much memory was asked for, which depends on how the component was built.
fn without_size(message: &str) -> String {
    match message.split_once("asked for ").and_then(|(before, rest)| Some((before, rest.split_once(" of memory")?.1))) {
        Some((before, after)) => format!("{before}asked for [size] of memory{after}"),
        None => message.to_owned(),
    }
}

#[test]
fn a_backend_that_misbehaves_counts_as_unreachable_and_the_next_tier_answers() {
    let without = kept("{ use = \"memory\" }", "");
    let calm = without.run().expect_code(0);
    // It hangs for as long as it may each time, unless it is left alone.
    let all = [
        ("wasm", "panic", "traps = 0"),
        ("wasm", "hang", "time = \"20ms\", traps = 2"),
        ("wasm", "hoard", "memory = \"16MiB\", traps = 0"),
        ("wasm", "garbage", ""),
        ("wasm", "huge", "memory = \"256MiB\", traps = 0"),
        ("so", "panic", "traps = 0"),
        ("so", "hang", "wall = \"50ms\", traps = 2"),
        ("so", "garbage", ""),
    ];
    let mut said = String::new();
    for (form, does, limits) in all {
        let bad = format!("{{ use = \"mine/shelf\", with = {{ does = \"{does}\" }}, limits = {{ {limits} }} }}");
        let next = "{ use = \"sqlite\" }";
        let pipeline = locked(kept(&format!("{bad}, {next}"), &invalid_plugin(form, &[])));
        let first = pipeline.run().expect_code(0);
        same_outcome(&calm.folder(), &first.folder());
        let second = pipeline.run().expect_code(0);
        same_outcome(&calm.folder(), &second.folder());
        assert_eq!(counts(&first)[1], [0, 5, 0], "{form} {does}: {first:#?}");
        assert_eq!(counts(&second)[1], [5, 0, 0], "{form} {does}: {second:#?}");
        // What is left alone is not given values either, of which there are four.
        let [hits, misses, errors] = counts(&second)[0];
        let most = if does == "hang" { 6..=9 } else { 5..=5 };
        assert!((hits, misses) == (0, 0) && most.contains(&errors), "{form} {does}: {second:#?}");
        let told = |run: &CommandOutput, what: &str| run.stderr.matches(what).count();
        if does == "hang" {
            assert_eq!((told(&second, "passed over"), told(&second, "answers again")), (1, 0), "{second:#?}");
        }
        let warned = second.stderr.lines().find(|line| line.contains("WARN")).unwrap_or_default();
        let warned = warned.split_once("WARN").map_or(warned, |(_, rest)| rest).trim();
        said += &format!("{form} {does}: {}\n", without_size(warned));
    }
    assert_snapshot!(said);
}

#[test]
fn a_guest_in_c_keeps_values_in_its_scratch_folder() {
    let guest = fixture("red_team/shelf.wasm");
    let temporary = tempfile::tempdir().expect("a folder");
    let tier = "{ use = \"mine/shelf-c\", ttl = \"1h\" }";
    // The folder that the host makes is there for as long as the run is: the same call is not made again within it.
    let passing = kept(tier, &plugin(&guest, &["scratch:values", "clock"]));
    let path = passing.path().join("pipeline.toml");
    let text = fs::read_to_string(&path).expect("read").replace("Good morning, 4", "Good morning, 0");
    fs::write(&path, text).expect("written");
    for _ in 0..2 {
        let run = run_command(passing.command().env("TMPDIR", temporary.path())).expect_code(0);
        assert_eq!(counts(&run), [[1, 4, 0]], "{run:#?}");
        assert!(tree(temporary.path()).is_empty(), "nothing of it is left");
    }
    // A folder that was given outlives the process.
    fs::create_dir(temporary.path().join("values")).expect("made");
    let grant = format!("scratch:values={}/values", temporary.path().display());
    let lasting = kept(tier, &plugin(&guest, &[&grant, "clock"]));
    let first = lasting.run().expect_code(0);
    let second = lasting.run().expect_code(0);
    assert_eq!((counts(&first), counts(&second)), (vec![[0, 5, 0]], vec![[5, 0, 0]]));
    assert_eq!(outcome(&first.folder()), outcome(&second.folder()));

    let command = |what: &str| run_command(jackfield().args(["cache", what]).arg(lasting.path())).expect_code(0);
    let exported = command("export").stdout;
    assert_eq!(exported.lines().count(), 5, "{exported}");
    let line: Value = serde_json::from_str(exported.lines().next().expect("a line")).expect("JSON");
    assert!(line["key"].as_str().expect("a key").starts_with("memo/") && line["ttl_s"].as_u64() > Some(3000), "{line}");
    assert!(command("stats").stdout.contains("shelf-c        5"), "{}", command("stats").stdout);
    assert!(command("clear").stderr.contains("kept: shelf-c: 5 cleared"));
    assert_eq!(tree(&temporary.path().join("values")), []);
}

#[test]
fn a_list_without_end_is_not_read_for_ever() {
    let tier = "{ use = \"mine/shelf\", with = { does = \"circle\" } }";
    let pipeline = locked(kept(tier, &invalid_plugin("wasm", &[])));
    let began = Instant::now();
    let export = run_command(jackfield().args(["cache", "export"]).arg(pipeline.path())).expect_code(1);
    assert!(export.stderr.contains("it lists a key that was not asked for, or not in order"), "{export:#?}");
    assert_eq!(export.stdout.lines().count(), 1, "{export:#?}");
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_a_run_would_refuse_of_a_tier_is_refused_before_it() {
    let offered = Described { kind: b"cache-backend", ..Described::default() };
    let hand = Hand { offers: vec![offered], ..Hand::default() };
    let lacks =
        kept("{ use = \"mine/hand\" }", "[plugins.mine]\npath = \"hand.wasm\"\n").with("hand.wasm", hand.bytes());
    let large = kept(
        "{ use = \"mine/shelf\", with = { does = \"circle\" }, limits = { memory = \"1GiB\" } }",
        &format!("sandbox_memory = \"512MiB\"\n{}", invalid_plugin("wasm", &[])),
    );
    let odd = kept(
        "{ use = \"mine/shelf\", with = { does = \"circles\" }, limits = { tensors = \"1GiB\", wall = 5 } }",
        &invalid_plugin("wasm", &[]),
    );
    let mut said = String::new();
    for pipeline in [lacks, large, odd] {
        let check = run_command(jackfield().arg("check").arg(pipeline.path())).expect_code(2);
        let run = pipeline.run().expect_code(2);
        let plain = pipeline.said(&check).replace(
            &*fixture("jackfield_test_invalid_plugin.wasm").parent().expect("a folder").to_string_lossy(),
            "[fixtures]",
        );
        assert!(!run.stdout.contains("\"dir\""), "{run:#?}");
        said += &plain;
        said += "---\n";
    }
    assert_snapshot!(said);
}

#[test]
fn a_tier_that_is_granted_nothing_says_so_and_what_would_grant_it() {
    let server = KeyValueServer::start();
    let tier = format!("{{ use = \"mine/key-value\", with = {{ url = \"{}\" }} }}", server.url());
    let pipeline = kept(&tier, &invalid_plugin("wasm", &[]));
    let check = run_command(jackfield().arg("check").arg(pipeline.path())).expect_code(0);
    let note = "note: `mine/key-value` asks for `http` and does not have it: to reach the server that `url` names";
    assert!(check.stderr.contains(note), "{}", check.stderr);
    let run = pipeline.run().expect_code(0);
    assert!(run.stderr.contains("add `grant = [\"http:127.0.0.1"), "{}", run.stderr);
    assert_eq!((counts(&run), server.count()), (vec![[0, 0, 10]], 0));
}

#[test]
fn a_backend_is_tested_in_every_form() {
    let of = |file: &str, name: &str, config: &str| {
        let path = fixture(file);
        let mut command = jackfield();
        command.args([
            "plugins",
            "test",
            "--kind",
            "cache-backend",
            "--name",
            name,
            "--quick",
            "--json",
            "--allow-native",
        ]);
        if !config.is_empty() {
            command.args(["--config", config]);
        }
        let run = run_command(command.arg(&path)).expect_code(0);
        let extension = run.json()["extensions"][0].clone();
        let outcome = |check: &Value| {
            let note = check["note"].as_str().map_or(String::new(), |note| format!(" ({note})"));
            format!("{} {}{note}", check["id"].as_str().expect("an id"), check["outcome"].as_str().expect("an outcome"))
        };
        let checks = extension["checks"].as_array().expect("checks").iter().map(outcome);
        let told = ["cache-", "host-failures", "same-again", "within-limits"];
        let checks: Vec<String> = checks.filter(|line| told.iter().any(|told| line.starts_with(told))).collect();
        format!("{file} {}\n  {}\n", extension["level"], checks.join("\n  "))
    };
    let away = "{\"url\":\"http://127.0.0.1:9\"}";
    let said = [
        of("red_team/shelf.wasm", "shelf-c", ""),
        of("jackfield_test_invalid_plugin.wasm", "key-value", away),
        of("jackfield_test_invalid_plugin.so", "key-value", away),
    ];
    // How long an operation takes is the machine's affair.
    insta::with_settings!({ filters => [(r"[0-9.]+ ms an operation", "[time] an operation")]}, {
        assert_snapshot!(said.concat());
    });
}
