//! The claims pipeline: from claims to intervals.

use std::{collections::BTreeSet, fs, path::Path, sync::Mutex, time::Duration};

use jackfield_plugin_api::Random;
use serde_json::{Value, json};

use crate::{
    model_server::{ModelServer, Reply},
    support::{Pipeline, fixture, outcome, results, root, run_command, shared_data},
};

/// The example in a folder of its own, so that its caches are the test's.
fn example() -> Pipeline {
    let text = fs::read_to_string(root().join("examples/claims/pipeline.toml")).expect("the example");
    let pipeline = Pipeline::new(&text);
    for file in ["bank.toml", "claims.csv"] {
        fs::copy(root().join("examples/claims").join(file), pipeline.path().join(file)).expect("copied");
    }
    pipeline
}

/// Executions of a stage, by item.
fn executions(folder: &Path, stage: &str) -> Vec<Value> {
    results(folder).iter().map(|line| line["outputs"][stage].clone()).collect()
}

/// An execution without where it comes from.
fn lasting(mut execution: Value) -> Value {
    for key in ["from_run_cache", "summary"] {
        execution.as_object_mut().expect("an execution").remove(key);
    }
    execution
}

/// What a stage spent, in all sessions of a run.
fn spent(folder: &Path, stage: &str) -> Value {
    let run: Value = serde_json::from_slice(&fs::read(folder.join("run.json")).expect("read")).expect("JSON");
    run["spend"][stage].clone()
}

#[test]
fn the_fast_interval_is_shown_first_and_the_final_one_has_the_same_estimate() {
    let pipeline = example();
    let mut command = pipeline.command();
    let people: Vec<_> = command.get_args().filter(|arg| *arg != "--json").map(ToOwned::to_owned).collect();
    let shown = run_command(crate::support::jackfield().args(people)).expect_code(0);
    let first = |what: &str| shown.stderr.find(what).unwrap_or_else(|| panic!("no `{what}`: {}", shown.stderr));
    assert!(first("moon-light: fast: ") < first("moon-light: final: "));
    let run = run_command(&mut command).expect_code(0);
    for (fast, last) in executions(&run.folder(), "fast").iter().zip(executions(&run.folder(), "final")) {
        assert_eq!(fast["aggregates"]["prob_true"], last["aggregates"]["prob_true"]);
    }
}

#[test]
fn one_switch_makes_the_fast_interval_the_final_one() {
    let pipeline = example();
    let intervals = |run: &crate::support::CommandOutput, stage: &str| -> Vec<(Value, Value)> {
        let of = |execution: &Value| (execution["aggregates"]["ci95"].clone(), execution["ci_status"].clone());
        executions(&run.folder(), stage).iter().map(of).collect()
    };
    let switched = run_command(pipeline.command().args(["--set", "params.draws=1000"])).expect_code(0);
    let usual = pipeline.run().expect_code(0);
    assert_eq!(intervals(&switched, "fast"), intervals(&switched, "final"));
    let (fast, last) = (intervals(&usual, "fast"), intervals(&usual, "final"));
    for ((now, usual), last) in intervals(&switched, "final").iter().zip(&fast).zip(&last) {
        assert_eq!(now.1["phase"], "final");
        assert_eq!(now.0, usual.0, "the fast interval is the same");
        assert_ne!(now.0, last.0, "and the final one is another");
    }
}

#[test]
fn a_second_run_is_answered_from_the_run_cache_and_costs_nothing() {
    let pipeline = example();
    let first = pipeline.run().expect_code(0);
    assert_eq!(first.json()["models"]["judge"]["calls"], 160);
    assert!(first.json()["models"]["judge"]["usd"].as_f64().expect("a price") > 0.0);
    let second = pipeline.run().expect_code(0);
    let models = &second.json()["models"]["judge"];
    assert_eq!((&models["calls"], &models["cached"], &models["usd"]), (&json!(0), &json!(0), &json!(0.0)));
    assert_eq!(second.json()["stages"]["sample"]["calls"], 0);
    assert_eq!(spent(&first.folder(), "sample")["calls"], 160);
    assert_eq!(spent(&second.folder(), "sample"), Value::Null);
    assert_eq!(spent(&second.folder(), "plan")["cache_hit_rate"], 1.0);
    let before = executions(&first.folder(), "final");
    let after = executions(&second.folder(), "final");
    assert_eq!(before.len(), 10);
    for (before, after) in before.into_iter().zip(after) {
        assert_eq!(after["from_run_cache"], true);
        assert_eq!(lasting(before), lasting(after));
    }
    // More draws are another execution, of the same answers.
    let third = run_command(pipeline.command().args(["--set", "params.draws=6000"])).expect_code(0);
    assert_eq!(third.json()["models"]["judge"]["calls"], 0);
    let sample = spent(&third.folder(), "sample");
    assert_eq!(
        (&sample["calls"], &sample["tokens_in"], &sample["cache_hit_rate"]),
        (&json!(0), &json!(0), &json!(1.0))
    );
    // Another replicate is not in the sample cache.
    let fourth = run_command(pipeline.command().args(["--set", "stages.plan.with.replicates=3"])).expect_code(0);
    assert_eq!(fourth.json()["models"]["judge"]["calls"], 80);
}

#[test]
fn results_do_not_depend_on_concurrency() {
    let runs = ["1", "64"].map(|concurrency| {
        let pipeline = example();
        let set = format!("model.judge.concurrency={concurrency}");
        let run = run_command(pipeline.command().args(["--set", &set, "--jobs", "4"])).expect_code(0);
        (outcome(&run.folder()), pipeline)
    });
    assert_eq!(runs[0].0, runs[1].0);
}

/// Whether two values are the same, but for the last digits of numbers.
fn near(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(1.0),
            _ => a == b,
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| near(a, b)))
        }
        _ => one == other,
    }
}

#[test]
fn the_stages_work_as_native_libraries_and_as_components() {
    let linked = example();
    let linked_folder = linked.run().expect_code(0).folder();
    let expected = outcome(&linked_folder);
    for form in ["so", "wasm"] {
        let pipeline = example();
        let file = fixture(&format!("jackfield_claims.{form}"));
        let mut text = fs::read_to_string(pipeline.path().join("pipeline.toml")).expect("read");
        text = text.replace("\"claim-", "\"mine/claim-");
        let native = if form == "so" {
            let digest = jackfield_loader::Digest::of(fs::read(&file).expect("read"));
            format!("allow_native = true\nsha256 = \"{digest}\"\n")
        } else {
            String::new()
        };
        text.push_str(&format!("\n[plugins.mine]\npath = \"{}\"\n{native}", file.display()));
        fs::write(pipeline.path().join("pipeline.toml"), text).expect("written");
        let run = pipeline.run().expect_code(0);
        if form == "so" {
            assert_eq!(outcome(&run.folder()), expected, "{form}");
        }
        // A component brings its own logarithm and exponential, whose last digit may differ.
        for (one, other) in results(&run.folder()).iter().zip(results(&linked_folder)) {
            assert!(near(one, &other), "{form}: {one}\n{other}");
        }
        assert_eq!(run.json()["models"]["judge"]["calls"], 160, "{form}");
    }
}

/// A model that gives the answers of the specification's golden check, template after template.
fn golden() -> ModelServer {
    ModelServer::start(Duration::ZERO, |asked| {
        let text = asked.body["messages"][1]["content"].as_str().unwrap_or_default();
        let template: usize = text.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
        let answer = [".27", ".23", ".25", ".23", ".26", ".27"][template];
        Reply::text(&format!("{{\"belief\": {{\"prob_true\": 0{answer}, \"label\": \"unlikely\"}}}}"))
    })
}

#[test]
fn the_golden_figures_come_out_of_the_whole_pipeline_to_the_last_digit() {
    // The order of templates is the rotated bank's, so the paraphrases are numbered for a claim whose offset is known.
    let server = golden();
    let bank = |order: [usize; 6]| {
        let lines: Vec<String> = order.iter().map(|number| format!("\"Template {number}: {{CLAIM}}\"")).collect();
        format!(
            "version = \"golden\"\nsystem = \"Judge.\"\nanswer_schema = '{{\"type\": \"object\"}}'\nuser_template = \"Answer.\"\nparaphrases = [{}]\n",
            lines.join(", ")
        )
    };
    let claim = "Water is wet.";
    let offset = jackfield_claims::worklist::offset(claim, "tiny", "golden", 6);
    let mut order = [0; 6];
    for number in 0..6 {
        order[(offset + number) % 6] = number;
    }
    let pipeline = example();
    fs::write(pipeline.path().join("bank.toml"), bank(order)).expect("written");
    fs::write(pipeline.path().join("claims.csv"), format!("id,claim\none,{claim}\n")).expect("written");
    let model = format!("model.judge={{ use = \"openai\", with = {} }}", server.model(""));
    let with = "stages.plan.with={ bank = \"bank.toml\", slots = 6, replicates = 2, draws = \"${draws}\", seed = 777 }";
    let draws = "params.draws=500";
    let sets = ["--set", &model, "--set", with, "--set", draws];
    let run = run_command(pipeline.command().args(sets)).expect_code(0);
    let execution = &executions(&run.folder(), "final")[0]["aggregates"];
    assert_eq!(execution["prob_true"], 0.252_206_503_341_423_1);
    assert_eq!(execution["ci95"], json!([0.234_892_842_820_294_46, 0.267_477_409_153_660_6]));
    assert_eq!(execution["stability_score"], 0.560_292_452_834_051_5);
}

#[test]
fn invalid_answers_are_asked_for_once_more_and_never_kept() {
    let seen = Mutex::new(BTreeSet::new());
    let server = ModelServer::start(Duration::ZERO, move |asked| {
        // The first answer to each prompt has a link in it; every fifth prompt never gets better.
        let text = asked.body["messages"].to_string();
        let stubborn = text.len() % 5 == 0;
        if seen.lock().expect("no panic").insert(text) || stubborn {
            Reply::text("{\"prob_true\": 0.9, \"reasons\": [\"see https://example.org\"]}")
        } else {
            Reply::text("{\"prob_true\": 0.9}")
        }
    });
    let pipeline = example();
    let model = format!("model.judge={{ use = \"openai\", concurrency = 1, with = {} }}", server.model(""));
    let run = run_command(pipeline.command().args(["--set", &model])).expect_code(0);
    let first = server.count();
    let compliance = |run: &crate::support::CommandOutput| {
        let rates = executions(&run.folder(), "final");
        rates.iter().map(|one| one["aggregates"]["compliance_rate"].as_f64().expect("a rate")).sum::<f64>() / 10.0
    };
    assert!((0.5..1.0).contains(&compliance(&run)), "{}", compliance(&run));
    // The second time only what was never valid is asked again; a run with an estimate is not.
    let again = run_command(pipeline.command().args(["--set", &model, "--set", "params.draws=5001"])).expect_code(0);
    assert!(server.count() > first, "invalid answers were kept");
    assert!(server.count() - first < first / 2, "valid answers were not kept");
    assert!(compliance(&again) >= compliance(&run));
}

#[test]
fn too_few_valid_answers_are_a_clear_failure_of_the_claim_alone() {
    let server = ModelServer::start(Duration::ZERO, |asked| {
        let moon = asked.body["messages"].to_string().contains("Moon");
        Reply::text(if moon { "I would rather not say." } else { "{\"prob_true\": 0.4}" })
    });
    let pipeline = example();
    let model = format!("model.judge={{ use = \"openai\", with = {} }}", server.model(""));
    let run = run_command(pipeline.command().args(["--set", &model])).expect_code(3);
    assert_eq!(run.json()["items"]["ok"], 9);
    assert!(run.stderr.contains("0 of 16 answers are valid, 3 are needed"), "{}", run.stderr);
}

#[test]
fn killed_at_any_moment_claims_come_out_the_same_and_no_spending_is_forgotten() {
    let start = || ModelServer::start(Duration::from_millis(3), |_| Reply::text("{\"prob_true\": 0.4}"));
    let sets = |server: &ModelServer| {
        let model = format!("model.judge={{ use = \"openai\", concurrency = 8, with = {} }}", server.model(""));
        // Intervals that take a while.
        ["--set".to_owned(), model, "--set".to_owned(), "params.draws=20000".to_owned()]
    };
    let (calm, quiet) = (example(), start());
    let calm = run_command(calm.command().args(sets(&quiet))).expect_code(0).folder();
    assert_eq!(spent(&calm, "sample")["tokens_in"], 16_000);

    let (pipeline, server) = (example(), start());
    let mut random = Random::new(14);
    let quiet = std::process::Stdio::null;
    let mut cut_short = 0;
    for kill in 0..8 {
        let mut command = pipeline.command();
        command.args(sets(&server));
        let folder = fs::read_dir(pipeline.out()).into_iter().flatten().flatten().next().map(|entry| entry.path());
        if let Some(folder) = folder.filter(|folder| folder.join("run.json").exists()) {
            command.args(["--resume".into(), folder]);
        } else {
            let _ = fs::remove_dir_all(pipeline.out());
        }
        let mut child = command.stdout(quiet()).stderr(quiet()).spawn().expect("started");
        // From the start of the process to well into its calls.
        let moment = Duration::from_millis(20 + 15 * kill + random.below(40));
        cut_short += usize::from(crate::support::wait(&mut child, moment).is_none());
    }
    assert!(cut_short >= 4, "only {cut_short} of 8 kills came before the end");
    let mut command = pipeline.command();
    let resumed = run_command(command.args(sets(&server)).args(["--resume", "last"])).expect_code(0);
    crate::support::same_outcome(&calm, &resumed.folder());
    // The server says 100 and 10 tokens of each request, whether or not anybody was left to hear it.
    let (sample, served) = (spent(&resumed.folder(), "sample"), server.count() as u64);
    let least = |member: &str| sample[member].as_u64().expect("a number");
    assert!(least("tokens_in") >= served * 100, "{served} requests, and on the record {sample}");
    assert!(least("tokens_out") >= served * 10, "{served} requests, and on the record {sample}");
    // An item's own, as far as the host knows it, beside what came of it.
    let show = ["runs", "show", "last", "--item", "moon-light", "--json", "--out"];
    let shown = run_command(crate::support::jackfield().args(show).arg(pipeline.out())).expect_code(0).json();
    assert_eq!(shown["outputs"]["final"], executions(&resumed.folder(), "final")[item_of(&calm, "moon-light")]);
    assert!(
        shown["spend"]["sample"]["calls"].as_u64().expect("calls")
            + shown["spend"]["sample"]["cache_hits"].as_u64().expect("hits")
            >= 16
    );
}

fn item_of(folder: &Path, id: &str) -> usize {
    results(folder).iter().position(|line| line["item"] == id).expect("an item")
}

#[test]
#[ignore = "needs ../shared/data"]
fn claims_of_truthfulqa_run_against_a_server_at_full_concurrency() {
    let folder = shared_data("claims");
    let server = ModelServer::start(Duration::from_millis(50), |_| Reply::text("{\"prob_true\": 0.4}"));
    let pipeline = example();
    let mut reader = csv::Reader::from_path(folder.join("truthfulqa.csv")).expect("the file");
    let column = reader.headers().expect("headers").iter().position(|name| name == "Best Answer").expect("a column");
    let mut claims = String::from("id,claim\n");
    for (number, record) in reader.records().take(40).enumerate() {
        let claim = record.expect("a record")[column].replace('"', "'");
        claims.push_str(&format!("{number},\"{claim}\"\n"));
    }
    fs::write(pipeline.path().join("claims.csv"), claims).expect("written");
    let model = format!("model.judge={{ use = \"openai\", concurrency = 64, with = {} }}", server.model(""));
    let run = run_command(pipeline.command().args(["--set", &model])).expect_code(0);
    assert_eq!(run.json()["models"]["judge"]["calls"], 640);
    assert_eq!(server.count(), 640);
    assert!(server.most_at_once() <= 64, "{}", server.most_at_once());
    assert!(server.most_at_once() >= 48, "{}", server.most_at_once());
}

#[test]
fn settings_come_from_the_environment_and_a_resume_names_the_one_that_differs() {
    let pipeline = example();
    let few = ["--set", "stages.plan.with.slots=4"];
    let told = run_command(
        crate::support::jackfield().env("CLAIMS_DRAWS", "2000").args(["check", "--json"]).arg(pipeline.path()),
    );
    let told = told.expect_code(0).json();
    let draws = &told["variables"]["CLAIMS_DRAWS"];
    assert_eq!((&draws["value"], &draws["set"], &draws["default"]), (&json!(2000), &json!(true), &json!(5000)));
    assert_eq!(draws["used_by"], json!(["stages.plan.with.draws"]));
    assert_eq!(told["stages"]["plan"]["with"]["draws"], 2000);
    assert_eq!(told["variables"]["CLAIMS_CONCURRENCY"]["set"], false);

    let run = run_command(pipeline.command().env("CLAIMS_DRAWS", "2000").args(few)).expect_code(0);
    let name = run.folder().file_name().expect("a name").to_string_lossy().into_owned();
    // What changes no result may differ.
    let resume = |variables: &[(&str, &str)]| {
        let mut command = pipeline.command();
        command.args(few).args(["--resume", &name]).envs(variables.iter().copied());
        run_command(&mut command)
    };
    resume(&[("CLAIMS_DRAWS", "2000"), ("CLAIMS_CONCURRENCY", "3"), ("CLAIMS_OUTPUT_PRICE", "2")]).expect_code(0);
    let refused = resume(&[("CLAIMS_CONCURRENCY", "3")]);
    assert_ne!(refused.code, Some(0));
    let wanted = "set CLAIMS_DRAWS=2000 to go on with this run";
    assert!(refused.stderr.contains("the variable `CLAIMS_DRAWS` was 2000, now it is 5000"), "{}", refused.stderr);
    assert!(refused.stderr.contains(wanted) && !refused.stderr.contains("CONCURRENCY"), "{}", refused.stderr);
}

#[test]
fn a_variable_with_a_secret_is_refused_before_anything_is_written() {
    let pipeline = example();
    let secret = "sk-proj-0a1B2c3D4e5F6g7H";
    let refused = run_command(pipeline.command().env("CLAIMS_MEMORY_TTL", secret)).expect_code(2);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("CLAIMS_MEMORY_TTL") && !said.contains(secret), "{said}");
    assert!(!pipeline.path().join("runs").exists());
}
