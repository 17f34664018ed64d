//! Models that can be looked into, by plugins in every form.

use std::{path::PathBuf, sync::Arc};

use insta::assert_snapshot;
use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Options, Silent, open_stages};
use jackfield_loader::{
    Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, Registry,
    sandbox::{Grants, Limits},
};
use jackfield_pipeline::{Plan, Request as PipelineRequest};
use jackfield_plugin_api::{
    __private::{extension_of, extension_of_model},
    Extension, Instance, PROTOCOL, Result as CallResult,
    prelude::*,
};
use jackfield_services::open_services;
use jackfield_store::{RunFolder, RunJson};
use serde_json::Value;

use crate::support::{Pipeline, fixture, jackfield, results, run_command, same_outcome};

#[path = "plugins/invalid_plugin/src/dice.rs"]
mod dice;
#[path = "plugins/invalid_plugin/src/look.rs"]
mod look;

struct Direct(Arc<dyn Extension>);

impl ExtensionFactory for Direct {
    fn open(&self, config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        self.0.open(config)
    }
}

/// Asks for a model, and looks into it without having asked for that.
#[derive(Config)]
struct Uninvited {}

impl Analyzer for Uninvited {
    const NAME: &'static str = "uninvited";
    type Input = dice::Asked;
    type Output = dice::Said;

    fn permissions() -> Vec<Permission> {
        vec![Permission { name: "model".to_owned(), reason: "to ask it".to_owned() }]
    }

    async fn analyze(&self, input: dice::Asked, host: &Host<'_>) -> CallResult<dice::Said> {
        let messages = vec![Message::user(input.text)];
        let request = CompletionRequest { capture: Some(Capture::default()), ..CompletionRequest::new(messages) };
        Ok(dice::Said { text: host.complete(request).await?.text })
    }
}

/// The bundled plugins, and `mine` of the same source as the compiled ones, linked in.
fn registry() -> Registry {
    let entry = |extension: Arc<dyn Extension>| {
        let descriptor = Arc::new(extension.descriptor().clone());
        let grants = Arc::new(Grants::all("mine", &descriptor));
        ExtensionEntry { descriptor, factory: Arc::new(Direct(extension)), grants }
    };
    let extensions = [
        extension_of::<look::Look>("0.1.0"),
        extension_of::<dice::Ask>("0.1.0"),
        extension_of::<Uninvited>("0.1.0"),
        extension_of_model::<dice::Dice>("0.1.0"),
    ];
    let mine = Plugin {
        alias: "mine".into(),
        linkage: Linkage::LinkedIn,
        path: None,
        digest: Digest::of("mine"),
        protocol: PROTOCOL,
        extensions: extensions.into_iter().map(entry).collect(),
    };
    Registry::new(vec![bundled(), mine])
}

/// Runs a pipeline with `mine` linked in.
fn run_linked_in(pipeline: &Pipeline) -> PathBuf {
    run_with_jobs(pipeline, 2, "linked")
}

/// Runs a pipeline with `mine` linked in, so many items at a time, in a folder of this name.
pub fn run_with_jobs(pipeline: &Pipeline, jobs: usize, name: &str) -> PathBuf {
    let registry = registry();
    let plan = plan(pipeline, &registry).unwrap_or_else(|faults| panic!("{faults}"));
    let folder = RunFolder::create(&pipeline.out(), name).expect("a folder");
    let path = folder.path().to_owned();
    let record = RunJson::new(&folder, &plan, pipeline.path().join("pipeline.toml"), Vec::new());
    let instances = open_stages(&plan, &registry).expect("opened");
    let services = open_services(&plan, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
    let options = Options { jobs, retry_failed: false, ..Options::default() };
    let engine = Engine { plan: &plan, registry: &registry, instances, services, inputs: &BundledInputs, options };
    engine.run(folder, record, &Cancel::default(), &mut Silent).expect("a run");
    path
}

fn plan(pipeline: &Pipeline, registry: &Registry) -> Result<Plan, jackfield_pipeline::Diagnostics> {
    let draft = jackfield_pipeline::parse(PipelineRequest { path: pipeline.path(), set: &[], input: &[] })?;
    jackfield_pipeline::check(&draft, registry)
}

/// Runs it with `mine` in a file of this form.
fn run_compiled(text: &str, form: &str) -> (Pipeline, PathBuf) {
    let path = fixture(&format!("jackfield_test_invalid_plugin.{form}"));
    let allowed = if form == "so" { "allow_native = true" } else { "" };
    let text = format!("{text}\n[plugins.mine]\npath = {:?}\n{allowed}", path.to_str().expect("UTF-8"));
    let pipeline = Pipeline::new(&text);
    run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
    let run = pipeline.run().expect_code(0).folder();
    (pipeline, run)
}

const LOOK: &str = r#"
[pipeline]
name = "look"

[input]
use = "inline"
items = [
    { text = "Letter by letter, write a letter.", other = "Number by number, add a number.", reply = "A letter, then." },
    { text = "Write a letter of a letter.", other = "Add a number of a number.", reply = "Dear letter", amiss = "twice" },
    { text = "A letter, one more letter.", other = "A number, one more number.", reply = "No.", amiss = "beyond" },
    { text = "A letter, one more letter.", other = "A number, one more number.", reply = "No.", amiss = "nothing" },
]

[model.small]
use = "mock"
with = { seed = 5, layers = 3, width = 8, vocabulary = 64, local = true }

[stages.look]
use = "mine/look"
in = "input"
model = "small"
"#;

#[test]
fn hidden_states_are_the_same_bytes_in_every_form() {
    let pipeline = Pipeline::new(LOOK);
    let linked = run_linked_in(&pipeline);
    let answers: Vec<Value> = results(&linked).into_iter().map(|result| result["outputs"]["look"].clone()).collect();
    let first = &answers[0];
    assert_eq!(first["states"]["shape"], serde_json::json!([1, 4, 8]));
    assert_eq!(first["directions"]["shape"], serde_json::json!([4, 8]));
    assert_eq!(first["embedding"]["shape"], serde_json::json!([8]));
    assert!(first["divergence"].as_f64().expect("a number") > 0.0, "{first}");
    assert!(first["logprobs"][0] != first["logprobs"][1], "{first}");
    let tokens: String =
        first["tokens"].as_array().expect("tokens").iter().filter_map(|token| token.as_str()).collect();
    assert_eq!(tokens, "<|user|>Letter by letter, write a letter.<|end|><|assistant|>");
    let refused: Vec<&str> = answers[1..].iter().filter_map(|one| one["refused"].as_str()).collect();
    assert_snapshot!(refused.join("\n"), @r"
    invalid-input: `capture.layers` of the completion request: 1 is there twice
    invalid-input: there is no layer 999 to capture: they go from 0 to 3
    invalid-input: `max_tokens` of the completion request: 0 takes something else to answer: `capture`, `logprobs`, `tokenize` or `embed`
    ");
    for form in ["so", "wasm"] {
        let (_pipeline, compiled) = run_compiled(LOOK, form);
        same_outcome(&linked, &compiled);
    }
}

#[test]
fn the_seed_of_a_model_depends_on_the_request_and_not_on_the_stage() {
    let text = r#"
[pipeline]
name = "dice"

[input]
use = "inline"
items = [{ text = "roll" }, { text = "roll" }, { text = "roll", replicate = 1 }, { text = "again" }]

[model.dice]
use = "mine/dice"
with = { seed = 9 }

[stages.one]
use = "mine/ask"
in = "input"
model = "dice"

[stages.two]
use = "mine/ask"
in = "input"
model = "dice"
repeat = 2
"#;
    let pipeline = Pipeline::new(text);
    let linked = run_linked_in(&pipeline);
    let said = |item: usize| {
        let result = &results(&linked)[item]["outputs"];
        let of = |value: &Value| value["text"].as_str().expect("a text").to_owned();
        let two = &result["two"];
        [of(&result["one"]), of(&two[0]), of(&two[1])]
    };
    let [one, first, second] = said(0);
    assert!(one.ends_with(" for `` `` 0 0"), "{one}");
    assert_eq!(one, first, "whichever stage asks");
    assert_ne!(first, second, "replicates of a stage have answers of their own");
    assert_eq!(said(1), [one.clone(), first, second], "whichever item asks");
    assert_ne!(said(2)[0], one, "and so have replicates of a request");
    assert_ne!(said(3)[0], one);
    for form in ["so", "wasm"] {
        let (_pipeline, compiled) = run_compiled(text, form);
        same_outcome(&linked, &compiled);
    }
}

#[test]
fn hidden_states_are_refused_to_a_stage_that_does_not_ask_for_them() {
    let pipeline = Pipeline::new(
        "[pipeline]\nname = \"peek\"\n[input]\nuse = \"inline\"\nitems = [{ text = \"x\" }]\n\
         [model.small]\nuse = \"mock\"\n\
         [stages.peek]\nuse = \"mine/uninvited\"\nin = \"input\"\nmodel = \"small\"\n",
    );
    let run = run_linked_in(&pipeline);
    let failure = &results(&run)[0]["failures"];
    assert_snapshot!(failure, @r#"{"peek":[{"kind":"invalid-config","message":"plugin `mine` does not ask for `model:capture` in its descriptor, so it cannot be granted"}]}"#);
}

#[test]
fn a_stage_that_reads_hidden_states_of_a_model_without_them_is_refused_by_check() {
    let pipeline = Pipeline::new(&LOOK.replace(
        "use = \"mock\"\nwith = { seed = 5, layers = 3, width = 8, vocabulary = 64, local = true }",
        "use = \"mine/dice\"",
    ));
    let faults = plan(&pipeline, &registry()).expect_err("a fault");
    assert_snapshot!(faults.to_string().replace(&*pipeline.path().to_string_lossy(), "[folder]"), @r#"
    error[model-lacks]: stage `look`: `look` asks for `model:capture`, `model:edits`, `model:logprobs`, `model:tokenize`, `model:embed`, which model `small` (`dice`) does not offer
        ,-[ [folder]/pipeline.toml:20:9 ]
        |
     20 | model = "small"
        |         ^^^|^^^
        |            `----- here
    ----'

    hint: known models that offer all of it: `mock`, `transformer`
    "#);
}
