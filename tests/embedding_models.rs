//! The stage's model as embedder of `domain` and `retrieve`.

use std::{fs, path::PathBuf};

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Pipeline, fixture, jackfield, results, run_command, same_outcome};

const TEXT: &str = r#"
[pipeline]
name = "embeds"

[input]
use = "inline"
items = [
    { text = "pay my bill from the account" }, { text = "book a flight to Rome" }, { text = "which hotel is near" },
    { text = "freeze my account" }, { text = "pay my bill from the account" }, { text = "why is the sky blue" },
]

[model.small]
use = "mock"
with = { seed = 5, layers = 3, width = 16 }

[cache.vectors]
tiers = [{ use = "sqlite" }]

[stages.domain]
use = "domain"
in = { text = "input.text" }
model = "small"
store = "vectors"

[stages.domain.with]
embedder = { kind = "model" }
threshold = 0.0

[stages.domain.with.domains]
banking = ["pay my bill", "what is in my account", "freeze my card"]
travel = ["book a flight", "find a hotel in Paris"]

[stages.retrieve]
use = "retrieve"
in = { text = "input.text" }
with = { documents = "documents.jsonl", embedder = { kind = "model" }, alpha = 0.3, top = 2 }
model = "small"
store = "vectors"
"#;

const DOCUMENTS: &str = r#"{"id": "a", "text": "A bill is paid from an account."}
{"id": "b", "title": "Flights", "text": "The flight to Rome leaves at noon."}
{"id": "c", "text": "The hotel by the sea has rooms."}
"#;

fn pipeline(text: &str) -> Pipeline {
    Pipeline::new(text).with("documents.jsonl", DOCUMENTS)
}

/// How many calls the model had.
fn calls(summary: &Value) -> u64 {
    summary["models"]["small"]["calls"].as_u64().expect("a count")
}

#[test]
fn domains_and_documents_are_found_by_vectors_of_a_model_in_every_form() {
    let linked = pipeline(TEXT);
    let run = linked.run().expect_code(0);
    let first = run.json();
    // Five examples, three documents, and for each of the two stages five queries that differ: keys of one plugin and one
    // model are shared, so that at most the queries are asked about twice.
    assert!((13..=18).contains(&calls(&first)), "{:#}", first["models"]);
    for result in results(&run.folder()) {
        let outputs = &result["outputs"];
        assert!(outputs["domain"]["confidence"].is_number() && outputs["retrieve"]["hits"].is_array(), "{result:#}");
        let hits = outputs["retrieve"]["hits"].as_array().expect("hits");
        assert!(hits.iter().any(|hit| hit["vector"].as_f64().is_some_and(|cosine| cosine != 0.0)), "{result:#}");
    }
    let again = linked.run().expect_code(0);
    assert_eq!(calls(&again.json()), 0, "every vector is kept");
    same_outcome(&run.folder(), &again.folder());
    for form in ["so", "wasm"] {
        let file = fixture(&format!("jackfield_retrieval.{form}"));
        let digest = jackfield_loader::Digest::of(fs::read(&file).expect("read"));
        let trust = if form == "so" { "allow_native = true" } else { "" };
        let mut text = TEXT.replace("use = \"domain\"", "use = \"mine/domain\"");
        text = text.replace("use = \"retrieve\"", "use = \"mine/retrieve\"");
        text.push_str(&format!("\n[plugins.mine]\npath = \"{}\"\nsha256 = \"{digest}\"\n{trust}\n", file.display()));
        let compiled = pipeline(&text);
        same_outcome(&run.folder(), &compiled.run().expect_code(0).folder());
    }
}

#[test]
fn what_is_answered_depends_neither_on_the_store_nor_on_how_many_are_asked_at_once() {
    let answers = |folder: PathBuf| -> Vec<Value> {
        results(&folder).into_iter().map(|result| result["outputs"].clone()).collect()
    };
    let kept = answers(pipeline(TEXT).run().expect_code(0).folder());
    let bare = pipeline(&TEXT.replace("store = \"vectors\"\n", ""));
    let run = run_command(bare.command().args(["--set", "stages.domain.batch=1", "--set", "stages.retrieve.batch=2"]));
    assert_eq!(answers(run.expect_code(0).folder()), kept);
}

#[test]
fn a_model_that_embeds_nothing_and_a_stage_without_a_model_are_refused_by_check() {
    let text = TEXT.replace(
        "[model.small]\nuse = \"mock\"\nwith = { seed = 5, layers = 3, width = 16 }",
        "[model.small]\nuse = \"openai\"\nwith = { base_url = \"http://127.0.0.1:9\", name = \"x\" }",
    );
    let (before, after) = text.rsplit_once("model = \"small\"\n").expect("the second stage");
    let faulty = pipeline(&format!("{before}{after}"));
    let check = run_command(jackfield().arg("check").arg(faulty.path()));
    assert_snapshot!(faulty.said(&check), @r#"
    error[model-lacks]: stage `domain`: `domain` asks for `model:embed`, which model `small` (`openai`) does not offer
        ,-[ [folder]/pipeline.toml:22:9 ]
        |
     22 | model = "small"
        |         ^^^|^^^
        |            `----- here
    ----'

    hint: known models that offer it: `mock`, `openai-embeddings`, `transformer`

    error[missing-key]: stage `retrieve`: `retrieve` needs a model that offers `embed` as it is configured, and the stage has none
        ,-[ [folder]/pipeline.toml:33:9 ]
        |
     33 | [stages.retrieve]
        |         ^^^^|^^^
        |             `----- not complete
    ----'

    hint: add `model = "NAME"` to the stage

    error: the pipeline has 2 faults; nothing was run
    "#);
    let run = run_command(jackfield().arg("run").arg(faulty.path()));
    assert_eq!((run.code, &run.stderr), (Some(2), &check.stderr));
    // The same stages with an embedder in the process need nothing of the model.
    let here = pipeline(&text.replace("embedder = { kind = \"model\" }", "embedder = { kind = \"hashing\" }"));
    run_command(jackfield().arg("check").arg(here.path())).expect_code(0);
}
