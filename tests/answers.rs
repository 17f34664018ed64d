//! The answers pipeline: from queries to answers with citations, with routes that learn and layers that are cached.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    model_server::{ModelServer, Reply},
    redis::Redis,
    support::{CommandOutput, Pipeline, fixture, jackfield, results, root, run_command, same_outcome, shared_data},
};

/// The example in a folder of its own, so that its caches and what it learns are the test's.
fn example() -> Pipeline {
    example_of("data")
}

/// The example over one of its collections.
fn example_of(collection: &str) -> Pipeline {
    let folder = root().join("examples/answers");
    let mut pipeline = Pipeline::new(&fs::read_to_string(folder.join("pipeline.toml")).expect("the example"));
    for file in ["documents.jsonl", "queries.jsonl", "domains.json"] {
        let content = fs::read(folder.join(collection).join(file)).expect("a file of the example");
        pipeline = pipeline.with(&format!("data/{file}"), content);
    }
    pipeline
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a file of JSON lines");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

/// The answers, by item.
fn answers(folder: &Path) -> BTreeMap<String, Value> {
    let of = |line: &Value| (line["item"].as_str().expect("an id").to_owned(), line["outputs"]["answer"].clone());
    results(folder).iter().map(of).collect()
}

/// Share of look-ups in a cache that some tier answered.
fn hit_rate(summary: &Value, cache: &str) -> f64 {
    let tiers = summary["caches"][cache].as_array().expect("tiers");
    let sum = |what: &str| tiers.iter().map(|tier| tier[what].as_u64().expect("a count")).sum::<u64>();
    // Whoever misses the first tier asks the next one.
    let asked = tiers[0]["hits"].as_u64().expect("a count")
        + tiers[0]["misses"].as_u64().expect("a count")
        + tiers[0]["errors"].as_u64().expect("a count");
    sum("hits") as f64 / asked as f64
}

#[test]
fn every_query_is_answered_with_words_that_stand_in_the_passages_it_cites() {
    let pipeline = example();
    let run = pipeline.run().expect_code(0);
    let documents = lines(&pipeline.path().join("data/documents.jsonl"));
    let of = |document: &Value, field: &str| document[field].as_str().expect("a text").to_owned();
    let words: BTreeMap<String, String> = documents
        .iter()
        .map(|d| (of(d, "id"), format!("{}\n{}", of(d, "title"), of(d, "text")).to_lowercase()))
        .collect();
    let results = results(&run.folder());
    assert_eq!(results.len(), lines(&pipeline.path().join("data/queries.jsonl")).len());
    let mut quotes = 0;
    for line in &results {
        let answer = &line["outputs"]["answer"];
        if answer["mode"] == "extractive" {
            assert!(!answer["sentences"].as_array().expect("sentences").is_empty(), "{line:#}");
        }
        for citation in answer["sentences"].as_array().into_iter().flatten().flat_map(|s| s["citations"].as_array()) {
            for citation in citation {
                let (id, quote) = (citation["id"].as_str().expect("an id"), citation["quote"].as_str().expect("words"));
                assert!(words[id].contains(&quote.to_lowercase()), "`{quote}` is not in `{id}`");
                quotes += usize::from(!quote.is_empty());
            }
        }
    }
    assert!(quotes >= results.len() / 2, "only {quotes} quotes");
}

#[test]
fn domains_are_recognised_and_the_right_documents_are_found() {
    let pipeline = example();
    let run = pipeline.run().expect_code(0);
    let queries = lines(&pipeline.path().join("data/queries.jsonl"));
    let results = results(&run.folder());
    let labelled =
        queries.iter().zip(&results).filter(|(query, line)| query["domain"] == line["outputs"]["domain"]["label"]);
    assert!(labelled.count() * 10 >= queries.len() * 6, "most domains are told");
    let recalls: Vec<f64> = results.iter().filter_map(|line| line["outputs"]["grade"]["recall"].as_f64()).collect();
    assert_eq!(recalls.len(), queries.iter().filter(|query| query["relevant"] != json!([])).count());
    let mean = recalls.iter().sum::<f64>() / recalls.len() as f64;
    assert!(mean > 0.8, "recall of the ten best is {mean}");
}

#[test]
fn a_search_over_all_queries_weighs_both_legs_of_retrieval() {
    let folder = root().join("examples/answers");
    let search = fs::read_to_string(folder.join("search.toml")).expect("the search of the example");
    let legs = "[search]\npoints = [{ \"retrieve.alpha\" = 0.0, \"retrieve.top\" = 3 }, { \"retrieve.alpha\" = 1.0, \"retrieve.top\" = 3 }]";
    let mut pipeline = Pipeline::new(&search.replace("[search]", legs).replace("count = 60", "count = 24"));
    for file in ["documents.jsonl", "queries.jsonl"] {
        let name = format!("data/{file}");
        let content = fs::read(folder.join(&name)).expect("a file of the example");
        pipeline = pipeline.with(&name, content);
    }
    let trials = results(&pipeline.run().expect_code(0).folder());
    let quality = |trial: &Value| {
        let quality = &trial["outputs"]["quality"];
        assert_eq!(quality["queries"], 110);
        ["recall", "hits"].map(|key| quality[key].as_f64().expect("a number"))
    };
    let [vectors, words] = [&trials[0], &trials[1]].map(|trial| quality(trial)[0]);
    let [best, read] = trials
        .iter()
        .map(quality)
        .filter(|[_, read]| *read <= 3.0)
        .max_by(|one, other| one[0].total_cmp(&other[0]))
        .expect("a trial");
    assert!(best > vectors && best > words && best > 0.9, "{best} of {read}, {vectors} by vectors, {words} by words");
}

#[test]
fn feedback_that_counts_moves_the_reward() {
    let pipeline = example();
    let run = pipeline.run().expect_code(0);
    let rated: Vec<Value> = results(&run.folder())
        .into_iter()
        .map(|line| line["outputs"].clone())
        .filter(|outputs| outputs["feedback"]["rating"].is_number())
        .collect();
    assert!(rated.len() >= 10, "{} queries have feedback that counts", rated.len());
    let dropped: u64 =
        rated.iter().map(|outputs| outputs["feedback"]["dropped"]["too_old"].as_u64().expect("a count")).sum();
    assert!(dropped > 0, "stale feedback is dropped");
}

#[test]
fn routes_learn_for_each_domain_and_remember_it() {
    let pipeline = example();
    pipeline.run().expect_code(0);
    let show = |more: &[&str]| {
        run_command(jackfield().args(["routes", "show"]).arg(pipeline.path()).args(more)).expect_code(0)
    };
    let shown = show(&[]).stdout;
    for word in ["retrieval-weights", "answer-forms", "healthcare", "finance", "travel", "general"] {
        assert!(shown.contains(word), "no `{word}` in: {shown}");
    }
    let before = show(&["--json"]).json();
    pipeline.run().expect_code(0);
    assert_ne!(before, show(&["--json"]).json(), "a second run adds to what the first learned");
}

#[test]
fn domains_that_want_opposite_weights_learn_them_within_a_hundred_queries_each() {
    let pipeline = example_of("workshop");
    let mut command = pipeline.command();
    command.args(["--set", "stages.retrieve.with.top=10"]);
    run_command(&mut command).expect_code(0);
    let shown = run_command(jackfield().args(["routes", "show", "--json"]).arg(pipeline.path())).expect_code(0).json();
    let routes = shown["routes"].as_array().expect("routes");
    let learned =
        routes.iter().find_map(|route| route["learned"]["contexts"].get("parts").and(Some(&route["learned"])));
    let times = |domain: &str, alphas: [&str; 2]| {
        let arms = &learned.expect("what is learned of `parts`")["contexts"][domain];
        let rewards = |alpha: &str| arms[format!("alpha={alpha}")]["rewards"].as_u64().unwrap_or(0);
        alphas.map(rewards).iter().sum::<u64>()
    };
    let (few, many) = (["0.1", "0.3"], ["0.7", "0.9"]);
    assert!(times("parts", many) > 2 * times("parts", few), "words are right for parts: {shown:#}");
    assert!(times("advice", few) > 2 * times("advice", many), "parts of words are right for advice: {shown:#}");
}

#[test]
fn the_workshop_is_what_its_program_makes() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = root().join("examples/answers/make-workshop");
    let made = Command::new(program).arg(folder.path()).status().expect("Python 3.9");
    assert!(made.success());
    for file in ["documents.jsonl", "queries.jsonl", "domains.json"] {
        let [made, kept] = [folder.path().join(file), root().join("examples/answers/workshop").join(file)]
            .map(|path| fs::read_to_string(path).expect("a file of the collection"));
        assert!(made == kept, "{file} is not as `make-workshop` makes it: run it again");
    }
}

#[test]
fn a_second_run_finds_most_of_its_work_done() {
    let pipeline = example();
    let first = pipeline.run().expect_code(0).json();
    // Ten queries stand there twice.
    assert!(hit_rate(&first, "embeddings") > 0.0, "{:#}", first["caches"]);
    // Decisions go on changing while the routes learn: what was learned so far is held still.
    let second = pipeline.run().expect_code(0).json();
    for cache in ["evidence", "embeddings"] {
        let rate = hit_rate(&second, cache);
        assert!(rate > 0.6, "{cache}: {rate} of look-ups were answered: {:#}", second["caches"][cache]);
    }
}

#[test]
fn a_sentence_encoder_in_the_process_embeds_each_query_once_for_both_stages() {
    let pipeline = example();
    let encoder = root().join("plugins/transformer/fixtures/bert");
    let mut command = pipeline.command();
    for stage in ["domain", "retrieve"] {
        let embedder = format!("{{ kind = \"bert\", folder = {encoder:?} }}");
        command.args(["--set", &format!("stages.{stage}.with.embedder={embedder}")]);
    }
    let run = run_command(&mut command).expect_code(0).json();
    let queries = lines(&pipeline.path().join("data/queries.jsonl")).len();
    assert_eq!(run["items"]["ok"], queries);
    let memory = &run["caches"]["embeddings"][0];
    let count = |what: &str| memory[what].as_u64().expect("a count");
    // Some queries stand there twice, and hits that are kept need no vector.
    assert!(count("misses") <= queries as u64 && count("hits") * 10 >= 9 * queries as u64, "{memory}");
}

#[test]
fn redis_killed_in_the_middle_changes_no_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let still = example();
    let calm = still.run().expect_code(0);

    let redis = Redis::start(folder.path(), None);
    let tiers = format!(r#"[{{ use = "redis", with = {{ url = "{}" }} }}]"#, redis.url());
    let pipeline = example();
    let mut command = pipeline.command();
    for cache in ["evidence", "embeddings", "explanations"] {
        command.args(["--set", &format!("cache.{cache}.tiers={tiers}")]);
    }
    // Slow enough to be caught in the middle.
    command.args(["--set", "pipeline.max_in_flight=1", "--set", "stages.domain.batch=1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let keys = || {
        let size =
            Command::new("redis-cli").args(["-p", &redis.port.to_string(), "dbsize"]).output().expect("redis-cli");
        String::from_utf8_lossy(&size.stdout).trim().parse::<u64>().unwrap_or(0)
    };
    while keys() < 20 {
        assert!(child.try_wait().expect("a child").is_none(), "it ended before it kept anything");
    }
    redis.kill();
    let output = child.wait_with_output().expect("ended");
    let run = CommandOutput {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    let run = run.expect_code(0);
    assert!(run.stderr.contains("the cache is passed over"), "{}", run.stderr);
    assert_eq!(answers(&calm.folder()), answers(&run.folder()));
}

#[test]
fn the_stages_work_as_native_libraries_and_as_components() {
    // A component learns its domains anew for each batch: some of the queries will do.
    let some = |pipeline: Pipeline| {
        let queries = fs::read_to_string(pipeline.path().join("data/queries.jsonl")).expect("queries");
        let some: Vec<&str> = queries.lines().take(40).collect();
        pipeline.with("data/queries.jsonl", some.join("\n"))
    };
    let linked = some(example());
    let linked_run = linked.run().expect_code(0);
    for form in ["so", "wasm"] {
        let pipeline = some(example());
        let path = pipeline.path().join("pipeline.toml");
        let mut text = fs::read_to_string(&path).expect("read");
        for (plugin, grant, stages) in [
            ("retrieval", "cache", &["domain", "retrieve", "feedback"][..]),
            ("answers", "model", &["answer", "grade"]),
        ] {
            let file = fixture(&format!("jackfield_{plugin}.{form}"));
            for stage in stages {
                for gap in ["   ", " "] {
                    text = text.replace(&format!("use{gap}= \"{stage}\""), &format!("use{gap}= \"{plugin}/{stage}\""));
                }
            }
            let digest = jackfield_loader::Digest::of(fs::read(&file).expect("read"));
            let grant = format!("grant = [\"{grant}\"]");
            let trust = if form == "so" { "allow_native = true" } else { &grant };
            text.push_str(&format!(
                "\n[plugins.{plugin}]\npath = \"{}\"\nsha256 = \"{digest}\"\n{trust}\n",
                file.display()
            ));
        }
        fs::write(&path, text).expect("written");
        let run = pipeline.run().expect_code(0);
        same_outcome(&linked_run.folder(), &run.folder());
    }
}

#[test]
fn a_model_server_writes_answers_and_its_false_citations_are_left_out() {
    let server = ModelServer::start(Duration::from_millis(5), |_| {
        let answer = json!({ "answer": [{ "text": "So it is.", "citations": [
            { "passage": 1, "quote": "" }, { "passage": 99, "quote": "nowhere" }, { "passage": 2, "quote": "words that stand nowhere at all" },
        ] }] });
        Reply::text(&answer.to_string())
    });
    let pipeline = example();
    let mut command = pipeline.command();
    command.args([
        "--set",
        &format!(
            "model.writer={{ use = \"openai\", with = {}, price = {{ input = 1.0, output = 2.0 }} }}",
            server.model("")
        ),
    ]);
    command.args([
        "--set",
        "stages.answer.route:={ use = \"fixed\", with = { arm = \"0\" }, arms = [{ mode = \"model\" }] }",
    ]);
    let run = run_command(&mut command).expect_code(0);
    let summary = run.json();
    assert_eq!(summary["models"]["writer"]["calls"].as_u64(), Some(server.count() as u64));
    assert!(summary["models"]["writer"]["usd"].as_f64().expect("a price") > 0.0);
    for (item, answer) in answers(&run.folder()) {
        assert_eq!((&answer["text"], &answer["mode"]), (&json!("So it is."), &json!("model")), "{item}");
        assert_eq!((&answer["dropped_citations"], &answer["misquoted"]), (&json!(1), &json!(1)), "{item}");
    }
}

/// Three documents, two queries and their judgements, as test collections come.
const SMART: [(&str, &str); 3] = [
    (
        "documents",
        ".I 1\n.T\nwings in supersonic flow\n.A\nnobody\n.W\nwings in supersonic flow\nthe lift of a thin wing .\n.I 2\n.T\nheat in boundary layers\n.W\nheat transfer through a laminar boundary layer .\n.I 3\n.T\nbuckling of shells\n.W\nthin shells buckle under load .\n",
    ),
    ("queries", ".I 001\n.W\nlift of a wing\n.I 004\n.W\nhow do shells buckle\n"),
    ("judgements", "1 0 1 1\n2 0 3 2\n"),
];

/// Turns a collection in SMART's form into one that the example reads.
fn converted(options: &[&str], documents: &Path, queries: &Path, judgements: &Path, into: &Path) {
    let mut convert = Command::new(root().join("examples/answers/from-smart"));
    run_command(convert.args(options).args([documents, queries, judgements, into])).expect_code(0);
}

#[test]
fn one_parameter_selects_another_collection() {
    let pipeline = example();
    let pipeline = SMART.iter().fold(pipeline, |pipeline, (name, text)| pipeline.with(name, text));
    let at = |name: &str| pipeline.path().join(name);
    // Three titles are too few to make domains of.
    let domains = at("data/domains.json");
    let options = ["--domains", domains.to_str().expect("UTF-8")];
    converted(&options, &at("documents"), &at("queries"), &at("judgements"), &at("other"));
    let run = run_command(pipeline.command().args(["--set", "params.collection=other"])).expect_code(0);
    let found: Vec<Value> =
        results(&run.folder()).iter().map(|line| line["outputs"]["grade"]["recall"].clone()).collect();
    assert_eq!(found, [json!(1.0), json!(1.0)]);
}

#[test]
#[ignore = "needs ../shared/data"]
fn cranfield_is_answered() {
    let cranfield = shared_data("cranfield");
    let pipeline = example();
    let other = pipeline.path().join("other");
    converted(
        &[],
        &cranfield.join("cran.all.1400"),
        &cranfield.join("cran.qry"),
        &cranfield.join("cranqrel_corrected"),
        &other,
    );
    let set = ["--set", "params.collection=other", "--set", "stages.retrieve.with.top=10"];
    let run = run_command(pipeline.command().args(set)).expect_code(0);
    let results = results(&run.folder());
    assert_eq!(results.len(), 225);
    let recalls: Vec<f64> = results.iter().filter_map(|line| line["outputs"]["grade"]["recall"].as_f64()).collect();
    let mean = recalls.iter().sum::<f64>() / recalls.len() as f64;
    assert!(mean > 0.35, "recall of the ten best is {mean}");
    let domains: BTreeSet<&str> =
        results.iter().filter_map(|line| line["outputs"]["domain"]["label"].as_str()).collect();
    assert!(domains.len() > 1, "{domains:?}");
}
