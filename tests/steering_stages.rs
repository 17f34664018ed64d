//! The stages of a steering pipeline, from prompts to scores: linked in, as a native library and as a component, the same bytes.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::support::{Pipeline, done, fixture, jackfield, root};

const PROMPTS: &str = r#"{
    "letter": { "positive": ["the cat sat", "a fat cat", "that hat"], "negative": ["12 hats", "the mat 3", "a 7"] },
    "neutral": ["the other cat", "a mat"]
}"#;

const STAGES: [&str; 9] =
    ["neutral", "residuals", "directions", "ablation", "base", "steered", "keyword-rate", "kl", "length"];

/// The pipeline, with the plugin of the stages in a file or, without one, linked in.
fn pipeline(file: Option<&str>) -> Pipeline {
    let model = root().join("plugins/transformer/fixtures/talking");
    let text = r#"
[pipeline]
name = "steered"

[input]
use = "inline"
items = [{ n = 1 }]

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
    let text = text.replace("MODEL", &format!("{model:?}")).replace("ALIAS", if file.is_some() { "mine/" } else { "" });
    let Some(file) = file else { return Pipeline::new(&text).with("prompts.json", PROMPTS) };
    let allowed = if file.ends_with(".so") { "allow_native = true\n" } else { "" };
    let path = fixture(file);
    let text = format!("{text}\n[plugins.mine]\npath = {path:?}\n{allowed}");
    let pipeline = Pipeline::new(&text).with("prompts.json", PROMPTS);
    done(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
    pipeline
}

/// What the stages answered, as it stands in the run's folder, and the names of its tensors.
fn answers(run: &Path) -> (BTreeMap<&'static str, Value>, Vec<String>) {
    let answer = |name: &'static str| {
        let text = fs::read(run.join("run").join(format!("{name}.json"))).expect("the stage answered");
        let value: Value = serde_json::from_slice(&text).expect("JSON");
        (name, value)
    };
    let blobs = fs::read_dir(run.join("blobs")).expect("the run's tensors");
    let mut blobs: Vec<String> =
        blobs.map(|blob| blob.expect("an entry").file_name().into_string().expect("a name")).collect();
    blobs.sort_unstable();
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
    assert!(output("keyword-rate")["short"]["rate"].is_number());
    assert!(output("length")["mean"].is_number());
    for file in ["jackfield_steering.so", "jackfield_steering.wasm"] {
        let (found, own) = answers(&pipeline(Some(file)).run().expect_code(0).folder());
        assert_eq!(found, expected, "{file}");
        assert_eq!(own, tensors, "{file}");
    }
}

#[test]
fn a_bad_file_is_refused_by_check_with_its_line() {
    let check = |name: &str, text: &str, more: &str| {
        let pipeline = format!(
            "[pipeline]\nname = \"p\"\n[input]\nuse = \"inline\"\nitems = [1]\n\
             [stages.prompts]\nuse = \"prompts\"\nwith = {{ path = \"{name}\"{more} }}\n"
        );
        let pipeline = Pipeline::new(&pipeline).with(name, text);
        done(jackfield().current_dir(pipeline.path()).args(["check", "."])).expect_code(2).stderr
    };
    let bad = check("p.jsonl", "\"one\"\n{\n", "");
    assert!(bad.contains("p.jsonl:2:1`: not JSON: EOF while parsing an object"), "{bad}");
    let column = check("p.csv", "a,b\n1,2\n", ", field = \"c\"");
    assert!(column.contains("p.csv:1`: there is no column `c`; there are `a`, `b`"), "{column}");
}
