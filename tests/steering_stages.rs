//! The stages of a steering pipeline, from prompts to scores: linked in, as a native library and as a component, the same bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{Pipeline, fixture, jackfield, results, root, run_command};

const PROMPTS: &str = r#"{
    "letter": { "positive": ["the cat sat", "a fat cat", "that hat"], "negative": ["12 hats", "the mat 3", "a 7"] },
    "neutral": ["the other cat", "a mat"]
}"#;

const STAGES: [&str; 10] =
    ["neutral", "residuals", "directions", "ablation", "base", "steered", "keyword-rate", "kl", "asked", "length"];

/// The stages up to those that are under edits.
const EDITS: &str = r#"
[model.small]
use = "transformer"
concurrency = 16
with = { path = MODEL, kernel = "portable" }

[stages.positive]
use = "ALIASprompts"
with = { path = "prompts.json", at = "letter.positive" }

[stages.negative]
use = "ALIASprompts"
with = { path = "prompts.json", at = "letter.negative" }

[stages.neutral]
use = "ALIASprompts"
with = { path = "prompts.json", at = "neutral" }

[stages.residuals]
use = "contrast-residuals"
in = { positive = "positive.prompts", negative = "negative.prompts" }
model = "small"

[stages.directions]
use = "mean-difference"
in = "residuals"

[stages.ablation]
use = "ALIASablation"
in = "directions"
with = { scope = "global", index = 0.4, row_normalization = "full", attention = {}, mlp = { max_weight = 0.5 } }

[stages.base]
use = "ALIASreply"
in = { prompts = "neutral.prompts" }
model = "small"
with = { max_tokens = 4, distributions = 4 }
"#;

const STEERED: &str = r#"
[stages.steered]
use = "ALIASreply"
in = { prompts = "neutral.prompts", edits = "ablation.edits", base = "base.replies" }
model = "small"
with = { max_tokens = 6, short = 2, distributions = 4 }

[stages.keyword-rate]
use = "ALIASkeyword-rate"
in = "steered"
with = { markers = ["t", "ca"] }

[stages.kl]
use = "ALIASkl"
in = { base = "base.replies", edited = "steered.replies" }

[stages.length]
use = "ALIASreply-length"
in = "steered"
"#;

/// The same divergence, of a model that is asked itself.
const ASKED: &str = r#"
[stages.asked]
use = "ALIASkl"
in = { base = "base.replies", prompts = "neutral.prompts", edits = "ablation.edits" }
model = "small"
"#;

/// The pipeline, with the plugin of the stages in a file or, without one, linked in.
fn pipeline(file: Option<&str>) -> Pipeline {
    let head = "[pipeline]\nname = \"steered\"\n[input]\nuse = \"inline\"\nitems = [{ n = 1 }]\n";
    with_plugin(file, &format!("{head}{EDITS}{STEERED}{ASKED}"))
}

fn with_plugin(file: Option<&str>, text: &str) -> Pipeline {
    let model = root().join("plugins/transformer/fixtures/talking");
    let text = text.replace("MODEL", &format!("{model:?}")).replace("ALIAS", if file.is_some() { "mine/" } else { "" });
    let Some(file) = file else { return Pipeline::new(&text).with("prompts.json", PROMPTS) };
    let allowed = if file.ends_with(".so") { "allow_native = true\n" } else { "" };
    let path = fixture(file);
    let text = format!("{text}\n[plugins.mine]\npath = {path:?}\n{allowed}");
    let pipeline = Pipeline::new(&text).with("prompts.json", PROMPTS);
    run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
    pipeline
}

/// The files of a run's tensors, by name, with their lengths.
fn blobs(run: &Path) -> BTreeMap<String, u64> {
    let blob = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("an entry");
        (entry.file_name().into_string().expect("a name"), entry.metadata().expect("a file").len())
    };
    fs::read_dir(run.join("blobs")).expect("the run's tensors").map(blob).collect()
}

/// The names of the tensors that a text of JSON names.
fn named(text: &str) -> BTreeSet<String> {
    text.split("\"$tensor\"").skip(1).map(|rest| rest.split('"').nth(1).expect("a name").to_owned()).collect()
}

/// The names of the tensors that the results of a run name.
fn named_by_results(run: &Path) -> BTreeSet<String> {
    let of_run = fs::read_dir(run.join("run")).expect("answers").map(|entry| entry.expect("an entry").path());
    let read = |path: PathBuf| fs::read_to_string(path).expect("text");
    of_run.chain([run.join("results.jsonl")]).flat_map(|path| named(&read(path))).collect()
}

/// What the stages answered, as it stands in the run's folder, and the names of its tensors.
fn answers(run: &Path) -> (BTreeMap<&'static str, Value>, Vec<String>) {
    let answer = |name: &'static str| {
        let text = fs::read(run.join("run").join(format!("{name}.json"))).expect("the stage answered");
        let value: Value = serde_json::from_slice(&text).expect("JSON");
        (name, value)
    };
    let blobs: Vec<String> = blobs(run).into_keys().collect();
    assert_eq!(BTreeSet::from_iter(blobs.clone()), named_by_results(run));
    (STAGES.into_iter().map(answer).collect(), blobs)
}

#[test]
fn stages_answer_the_same_bytes_in_every_form() {
    let linked = pipeline(None);
    let (expected, tensors) = answers(&linked.run().expect_code(0).folder());
    let output = |stage: &str| {
        let answer = &expected[stage];
        answer.get("output").or_else(|| answer.get("value")).unwrap_or(answer).clone()
    };
    assert_eq!(output("neutral")["prompts"].as_array().map(Vec::len), Some(2), "{expected:?}");
    assert_eq!(output("residuals")["positive"]["shape"], serde_json::json!([3, 3, 32]));
    assert_eq!(output("ablation")["edits"].as_array().map(Vec::len), Some(4));
    assert_eq!(output("ablation")["block"], 0.4);
    let kl = output("kl");
    assert!(kl["mean"].as_f64().is_some_and(|mean| mean > 0.0), "the edits change something: {kl}");
    assert!(kl["first"].as_f64().is_some_and(|first| first > 0.0), "{kl}");
    assert_eq!(output("asked"), kl, "the model says the same when it is asked itself");
    assert!(output("keyword-rate")["short"]["rate"].is_number());
    assert!(output("length")["mean"].is_number());
    for file in ["jackfield_steering.so", "jackfield_steering.wasm"] {
        let (found, own) = answers(&pipeline(Some(file)).run().expect_code(0).folder());
        assert_eq!(found, expected, "{file}");
        assert_eq!(own, tensors, "{file}");
    }
}

/// A search of so many trials that differ in what they say, with the divergence from the base. The answers of the model are kept.
fn search(trials: u32, storage: u64) -> Pipeline {
    let head = format!(
        r#"
[pipeline]
name = "searched"
tensor_storage = "{storage}B"

[input]
use = "trials"
count = {trials}

[search]
use = "random"
minimize = ["asked.mean"]

[search.space]
"ablation.mlp.max_weight" = {{ min = 0.1, max = 1.5 }}

[cache.answers]
tiers = [{{ use = "sqlite", with = {{ path = "answers.sqlite" }} }}]
"#
    );
    let stages = EDITS.replace("concurrency = 16", "concurrency = 16\ncache = \"answers\"");
    with_plugin(None, &format!("{head}{stages}{ASKED}"))
}

#[test]
fn a_search_of_any_length_takes_the_room_of_one_trial() {
    let short = search(1, 1 << 30);
    let one = short.run().expect_code(0).folder();
    let of_one = blobs(&one);
    let base = fs::read_to_string(one.join("run/base.json")).expect("the base");
    let distributions: u64 = named(&base).iter().map(|name| of_one[name]).sum();
    assert!(distributions > 0);
    // All trials look at the same directions and the same base; what the model says in each of them is in no answer.
    let pipeline = search(12, of_one.values().sum::<u64>() + 2 * distributions);
    // The second run has what the model says from the cache, with its tensors.
    for _ in 0..2 {
        let run = pipeline.run().expect_code(0).folder();
        let scores = results(&run).into_iter().map(|trial| trial["outputs"]["asked"]["mean"].to_string());
        assert_eq!(scores.collect::<BTreeSet<_>>().len(), 12);
        assert_eq!(blobs(&run), of_one);
        assert_eq!(of_one.keys().cloned().collect::<BTreeSet<_>>(), named_by_results(&run));
    }
}

#[test]
fn what_is_compared_is_given_in_one_way_or_the_other() {
    let check = |input: &str| {
        let replies = "replies = [{ text = \"\" }]";
        let pipeline = Pipeline::new(&format!(
            "[pipeline]\nname = \"p\"\n[input]\nuse = \"inline\"\nitems = [{{ {replies}, prompts = [\"a\"], edits = [] }}]\n\
             [stages.kl]\nuse = \"kl\"\nin = {{ {input} }}\n"
        ));
        let checked = run_command(jackfield().current_dir(pipeline.path()).args(["check", "--json", "."])).json();
        let faults = checked["faults"].as_array().cloned().unwrap_or_default();
        faults.iter().map(|fault| fault["message"].as_str().expect("a message").to_owned()).collect::<Vec<_>>()
    };
    let base = "base = \"input.replies\"";
    let edited = "edited = \"input.replies\"";
    let prompts = "prompts = \"input.prompts\"";
    let edits = "edits = \"input.edits\"";
    assert_eq!(check(&format!("{base}, {edited}")), Vec::<String>::new());
    insta::assert_debug_snapshot!([
        check(base),
        check(edited),
        check(&format!("{base}, {edited}, {prompts}")),
        check(&format!("{base}, {edited}, {edits}")),
        check(&format!("{base}, {prompts}, {edits}, edited = \"input.prompts\"")),
        check(&format!("{base}, {prompts}")),
        check(&format!("{base}, edited = \"input.prompts\"")),
    ]);
}

#[test]
fn a_bad_file_is_refused_by_check_with_its_line() {
    let check = |name: &str, text: &str, more: &str| {
        let pipeline = format!(
            "[pipeline]\nname = \"p\"\n[input]\nuse = \"inline\"\nitems = [1]\n\
             [stages.prompts]\nuse = \"prompts\"\nwith = {{ path = \"{name}\"{more} }}\n"
        );
        let pipeline = Pipeline::new(&pipeline).with(name, text);
        run_command(jackfield().current_dir(pipeline.path()).args(["check", "."])).expect_code(2).stderr
    };
    let bad = check("p.jsonl", "\"one\"\n{\n", "");
    assert!(bad.contains("p.jsonl:2:1`: not valid JSON: EOF while parsing an object"), "{bad}");
    let column = check("p.csv", "a,b\n1,2\n", ", field = \"c\"");
    assert!(column.contains("p.csv:1`: there is no column `c`; there are `a`, `b`"), "{column}");
}
