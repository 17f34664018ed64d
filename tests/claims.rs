//! The claims pipeline: from claims to intervals.

use std::{collections::BTreeSet, fs, path::Path, sync::Mutex, time::Duration};

use serde_json::{Value, json};

use crate::{
    model_server::{ModelServer, Reply},
    support::{Pipeline, done, fixture, outcome, results, root, shared_data},
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

/// An execution without what it cost this time.
fn lasting(mut execution: Value) -> Value {
    for key in ["tokens_in", "tokens_out", "cost_usd", "from_run_cache", "summary"] {
        execution.as_object_mut().expect("an execution").remove(key);
    }
    execution["aggregates"]["cache_hit_rate"] = json!(null);
    execution
}

#[test]
fn the_fast_interval_is_shown_first_and_the_final_one_has_the_same_estimate() {
    let pipeline = example();
    let mut command = pipeline.command();
    let people: Vec<_> = command.get_args().filter(|arg| *arg != "--json").map(ToOwned::to_owned).collect();
    let shown = done(crate::support::jackfield().args(people)).expect_code(0);
    let first = |what: &str| shown.stderr.find(what).unwrap_or_else(|| panic!("no `{what}`: {}", shown.stderr));
    assert!(first("moon-light: fast: ") < first("moon-light: final: "));
    let run = done(&mut command).expect_code(0);
    for (fast, last) in executions(&run.folder(), "fast").iter().zip(executions(&run.folder(), "final")) {
        assert_eq!(fast["aggregates"]["prob_true"], last["aggregates"]["prob_true"]);
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
    let before = executions(&first.folder(), "final");
    let after = executions(&second.folder(), "final");
    assert_eq!(before.len(), 10);
    for (before, after) in before.into_iter().zip(after) {
        assert_eq!((&after["tokens_in"], &after["cost_usd"]), (&json!(0), &json!(0.0)));
        assert_eq!(after["from_run_cache"], true);
        assert_eq!(lasting(before), lasting(after));
    }
    // More draws are another execution, of the same answers.
    let third = done(pipeline.command().args(["--set", "stages.plan.with.draws=6000"])).expect_code(0);
    assert_eq!(third.json()["models"]["judge"]["calls"], 0);
    assert_eq!(executions(&third.folder(), "final")[0]["aggregates"]["cache_hit_rate"], 1.0);
    // Another replicate is not in the sample cache.
    let fourth = done(pipeline.command().args(["--set", "stages.plan.with.replicates=3"])).expect_code(0);
    assert_eq!(fourth.json()["models"]["judge"]["calls"], 80);
}

#[test]
fn results_do_not_depend_on_concurrency() {
    let runs = ["1", "64"].map(|concurrency| {
        let pipeline = example();
        let set = format!("model.judge.concurrency={concurrency}");
        let run = done(pipeline.command().args(["--set", &set, "--jobs", "4"])).expect_code(0);
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
            let digest = jackfield::plugin::Digest::of(fs::read(&file).expect("read"));
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
    let with = "stages.plan.with={ bank = \"bank.toml\", slots = 6, replicates = 2, draws = 500, seed = 777 }";
    let run = done(pipeline.command().args(["--set", &model, "--set", with])).expect_code(0);
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
    let run = done(pipeline.command().args(["--set", &model])).expect_code(0);
    let first = server.count();
    let compliance = |run: &crate::support::Done| {
        let rates = executions(&run.folder(), "final");
        rates.iter().map(|one| one["aggregates"]["compliance_rate"].as_f64().expect("a rate")).sum::<f64>() / 10.0
    };
    assert!((0.5..1.0).contains(&compliance(&run)), "{}", compliance(&run));
    // The second time only what was never valid is asked again; a run with an estimate is not.
    let again = done(pipeline.command().args(["--set", &model, "--set", "stages.plan.with.draws=5001"])).expect_code(0);
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
    let run = done(pipeline.command().args(["--set", &model])).expect_code(3);
    assert_eq!(run.json()["items"]["ok"], 9);
    assert!(run.stderr.contains("0 of 16 answers are valid, 3 are needed"), "{}", run.stderr);
}

#[test]
fn killed_between_fast_and_final_a_resume_finishes_without_a_call() {
    let server = ModelServer::start(Duration::from_millis(2), |_| Reply::text("{\"prob_true\": 0.4}"));
    let pipeline = example();
    let model = format!("model.judge={{ use = \"openai\", with = {} }}", server.model(""));
    // Final intervals that take long, after fast ones.
    let sets = ["--set", model.as_str(), "--set", "stages.plan.with.draws=1000000"];
    let quiet = std::process::Stdio::null;
    let mut child = pipeline.command().args(sets).stdout(quiet()).stderr(quiet()).spawn().expect("started");
    let folder = || Some(fs::read_dir(pipeline.out()).ok()?.filter_map(Result::ok).next()?.path());
    let store = |folder: &Path| jackfield::store::Db::open(&folder.join("store.sqlite")).ok();
    let reported = || {
        // Whoever opens the store makes it: that is for the run to do.
        let folder = folder().filter(|folder| folder.join("run.json").exists())?;
        let (mut count, db) = (0, store(&folder)?);
        db.each_event(|_, _, event| {
            count += usize::from(event.contains("item-reported"));
            Ok(())
        })
        .ok()?;
        Some(count)
    };
    let began = std::time::Instant::now();
    while reported().unwrap_or(0) < 10 {
        assert!(began.elapsed() < Duration::from_secs(60), "no item was reported");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("killed");
    child.wait().expect("a child");
    assert_eq!(server.count(), 160);
    let plan = jackfield::store::peek(&pipeline.out(), "last").expect("a run").1.plan;
    let last = plan.stages.iter().position(|stage| stage.name == "final").expect("a stage") as u32;
    let counts = store(&folder().expect("a run")).expect("a store").stage_counts().expect("counts");
    let done_before = counts.iter().find(|(stage, _)| *stage == last).map_or(0, |(_, counts)| counts.ok);
    assert!(done_before < 10, "it was killed too late to tell");
    // Nobody is there to be asked any more.
    drop(server);
    let resumed = done(pipeline.command().args(["--resume", "last"]).args(sets)).expect_code(0);
    assert_eq!(resumed.json()["models"]["judge"]["calls"], 0);
    for (fast, last) in executions(&resumed.folder(), "fast").iter().zip(executions(&resumed.folder(), "final")) {
        assert_eq!(fast["aggregates"]["prob_true"], last["aggregates"]["prob_true"]);
        assert_eq!(last["ci_status"]["phase"], "final");
    }
}

#[test]
fn claims_of_truthfulqa_run_against_a_server_at_full_concurrency() {
    let Some(folder) = shared_data("claims") else { return };
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
    let run = done(pipeline.command().args(["--set", &model])).expect_code(0);
    assert_eq!(run.json()["models"]["judge"]["calls"], 640);
    assert_eq!(server.count(), 640);
    assert!(server.most_at_once() <= 64, "{}", server.most_at_once());
    assert!(server.most_at_once() >= 48, "{}", server.most_at_once());
}
