//! Direction extractors in pipelines: on tensors by reference, in every form, held to the shapes of their kind.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Options, Silent, open_stages};
use jackfield_loader::{
    Artifact, Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, Registry, Trust, load,
    sandbox::{Grants, Limits},
};
use jackfield_pipeline::Request as PipelineRequest;
use jackfield_plugin_api::{
    __private::{extension_of, extension_of_extractor},
    Extension, Instance, PROTOCOL, Result as CallResult,
    prelude::*,
};
use jackfield_services::open_services;
use jackfield_store::{RunFolder, RunJson};
use serde_json::Value;

use crate::support::{Pipeline, fixture, jackfield, outcome, results, run_command, tree};

/// What `sets` reads.
#[derive(Document)]
struct Trial {
    trial: u64,
}

/// What `sets` answers: its schema says no more than that both are tensors.
#[derive(Document)]
struct Pair {
    positive: TensorRef,
    negative: TensorRef,
}

/// Makes two sets of residuals, by chance, of these shapes: those of a trial. Layer 0 is the same for all prompts.
#[derive(Config)]
struct Sets {
    /// For each trial, the shape of the positive set and of the negative one.
    shapes: Vec<[Vec<u64>; 2]>,
    /// An element of the negative set that is no number.
    #[config(default)]
    no_number: Option<u64>,
}

impl Analyzer for Sets {
    const NAME: &'static str = "sets";
    type Input = Trial;
    type Output = Pair;

    async fn analyze(&self, trial: Trial, host: &Host<'_>) -> CallResult<Pair> {
        let [positive, negative] = &self.shapes[trial.trial as usize];
        let mut random = Random::new(trial.trial + 1);
        let mut set = |shape: &[u64], shift: f32, no_number: Option<u64>| {
            let count: u64 = shape.iter().product();
            let (layers, width) = (*shape.get(1).unwrap_or(&1), *shape.last().unwrap_or(&1));
            let element = |index: u64| match index / width % layers {
                _ if no_number == Some(index) => f32::NAN,
                0 => 0.25,
                _ => random.next_f64() as f32 + if index.is_multiple_of(width) { shift } else { 0.0 },
            };
            host.keep_tensor(shape, (0..count).map(element).collect::<Vec<f32>>())
        };
        Ok(Pair { positive: set(positive, 0.5, None)?, negative: set(negative, 0.0, self.no_number)? })
    }
}

/// Answers a direction for all layers, whatever its kind promises.
#[derive(Config)]
struct Liar {}

impl DirectionExtractor for Liar {
    const NAME: &'static str = "liar";

    async fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> CallResult<Directions> {
        let [_, _, width] = contrast.positive.dimensions()?;
        let directions = host.keep_tensor(&[width], vec![0.0; width as usize])?;
        Ok(Directions { directions, layers: Vec::new() })
    }
}

/// An analyzer that is called as an extractor of the same plugin is.
#[derive(Config)]
struct EvenNumbers {}

impl Analyzer for EvenNumbers {
    const NAME: &'static str = "even";
    type Input = Pair;
    type Output = Trial;

    async fn analyze(&self, pair: Pair, _host: &Host<'_>) -> CallResult<Trial> {
        Ok(Trial { trial: pair.positive.shape[0] })
    }
}

/// Finds the same direction in each layer.
#[derive(Config)]
struct Even {}

impl DirectionExtractor for Even {
    const NAME: &'static str = "even";

    async fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> CallResult<Directions> {
        let [_, layers, width] = contrast.positive.dimensions()?;
        let component = (1.0 / width as f32).sqrt();
        let directions = host.keep_tensor(&[layers, width], vec![component; (layers * width) as usize])?;
        Ok(Directions { directions, layers: vec![LayerDirection::default(); layers as usize] })
    }
}

struct Direct(Arc<dyn Extension>);

impl ExtensionFactory for Direct {
    fn open(&self, config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        self.0.open(config)
    }
}

/// How `plugins/directions` comes in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loaded {
    LinkedIn,
    Native,
    Component,
}

impl Loaded {
    /// What stands before the name of an extension.
    fn alias(self) -> &'static str {
        if self == Self::LinkedIn { "bundled" } else { "mine" }
    }

    fn registry(self) -> Registry {
        let entry = |extension: Arc<dyn Extension>| {
            let descriptor = Arc::new(extension.descriptor().clone());
            let grants = Arc::new(Grants::all("test", &descriptor));
            ExtensionEntry { descriptor, factory: Arc::new(Direct(extension)), grants }
        };
        let test = Plugin {
            alias: "test".into(),
            linkage: Linkage::LinkedIn,
            path: None,
            digest: Digest::of("test"),
            protocol: PROTOCOL,
            extensions: [
                extension_of::<Sets>("0.1.0"),
                extension_of::<EvenNumbers>("0.1.0"),
                extension_of_extractor::<Even>("0.1.0"),
                extension_of_extractor::<Liar>("0.1.0"),
            ]
            .map(entry)
            .into(),
        };
        let mut plugins = vec![bundled(), test];
        if self != Self::LinkedIn {
            let path =
                fixture(if self == Self::Native { "jackfield_directions.so" } else { "jackfield_directions.wasm" });
            let digest = Artifact::read(&path).expect("read").whole_digest();
            let trust = Trust { allow_native: self == Self::Native, sha256: Some(digest), ..Trust::default() };
            plugins.push(load("mine", &path, &trust).unwrap_or_else(|error| panic!("{error}")));
        }
        Registry::new(plugins)
    }

    /// Runs a pipeline in whose text `ALIAS` stands for that of the plugin; gives the run's folder.
    fn run(self, text: &str) -> (Pipeline, PathBuf) {
        let pipeline = Pipeline::new(&text.replace("ALIAS", self.alias()));
        let path = self.run_again(&pipeline);
        (pipeline, path)
    }

    /// Runs a pipeline of this form.
    fn run_again(self, pipeline: &Pipeline) -> PathBuf {
        let registry = self.registry();
        let draft =
            jackfield_pipeline::parse(PipelineRequest { path: pipeline.path(), set: &[], input: &[] }).expect("read");
        let plan = jackfield_pipeline::check(&draft, &registry).unwrap_or_else(|faults| panic!("{faults}"));
        let folder = RunFolder::create(&pipeline.out(), "run").expect("a folder");
        let path = folder.path().to_owned();
        let record = RunJson::new(&folder, &plan, pipeline.path().join("pipeline.toml"), Vec::new());
        let instances = open_stages(&plan, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
        let services = open_services(&plan, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
        let options = Options { jobs: 2, retry_failed: false, ..Options::default() };
        let engine = Engine { plan: &plan, registry: &registry, instances, services, inputs: &BundledInputs, options };
        engine.run(folder, record, &Cancel::default(), &mut Silent).expect("a run");
        path
    }
}

/// Makes so many pairs of sets, with stages that read them.
fn sets(shapes: &str, stages: &str) -> String {
    let count = shapes.matches("[[").count();
    format!(
        "[pipeline]\nname = \"sets\"\n[input]\nuse = \"trials\"\ncount = {count}\n[stages.sets]\nuse = \"sets\"\nin = \"input\"\n\
         with = {{ shapes = [{shapes}] }}\n{stages}"
    )
}

/// The tensors of a run, by name.
fn blobs(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(run.join("blobs")).expect("the run's tensors").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| (entry.file_name().into_string().expect("a name"), fs::read(entry.path()).expect("read")))
        .collect()
}

/// The elements of a tensor of a run.
fn elements(run: &Path, tensor: &Value) -> Vec<f32> {
    let tensor: TensorRef = serde_json::from_value(tensor.clone()).expect("a reference");
    let bytes = fs::read(run.join("blobs").join(tensor.sha256)).expect("the tensor");
    bytes.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four"))).collect()
}

fn failure(result: &Value, stage: &str) -> String {
    let failure = &result["failures"][stage][0];
    format!("{}: {}", failure["kind"].as_str().unwrap_or("?"), failure["message"].as_str().unwrap_or("?"))
}

#[test]
fn directions_are_the_same_bytes_in_every_form() {
    let stages = r#"
[stages.mean]
use = "ALIAS/mean-difference"
in = "sets"
with = { winsorize = 0.95 }
[stages.component]
use = "ALIAS/pca"
in = "sets"
with = { pairs = 7 }
[stages.probe]
use = "ALIAS/logistic"
in = "sets"
"#;
    let text = sets("[[9, 3, 33], [9, 3, 33]], [[40, 4, 5], [7, 4, 5]]", stages);
    let (_linked, run) = Loaded::LinkedIn.run(&text);
    let (expected, tensors) = (results(&run), blobs(&run));
    assert_eq!(expected.len(), 2);
    for result in &expected {
        assert_eq!(result["failures"], Value::Null, "{result}");
        for stage in ["mean", "component", "probe"] {
            let found = &result["outputs"][stage];
            assert_eq!(found["layers"][0]["degenerate"], true, "{result}");
            let elements = elements(&run, &found["directions"]);
            let shape = found["directions"]["shape"].as_array().expect("a shape");
            let width = shape[1].as_u64().expect("a length") as usize;
            let lengths: Vec<f64> = elements
                .chunks(width)
                .map(|row| row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt())
                .collect();
            assert_eq!(lengths[0], 0.0, "the layer that is the same for all");
            assert!(lengths[1..].iter().all(|length| (length - 1.0).abs() < 1e-6), "{lengths:?}");
        }
    }
    for form in [Loaded::Native, Loaded::Component] {
        let (_pipeline, run) = form.run(&text);
        assert_eq!(results(&run), expected, "{form:?}");
        assert!(blobs(&run) == tensors, "{form:?}: other bytes");
    }
}

/// 36 MB of residuals of 512 prompts.
#[test]
fn a_component_reads_tensors_that_would_not_fit_into_its_memory() {
    let stage = |memory: &str| {
        format!(
            "[stages.found]\nuse = \"ALIAS/mean-difference\"\nin = \"sets\"\nlimits = {{ memory = \"{memory}\", time = \"90s\" }}\n"
        )
    };
    let shapes = "[[256, 31, 576], [256, 31, 576]]";
    let (_pipeline, run) = Loaded::Component.run(&sets(shapes, &stage("64MiB")));
    let result = &results(&run)[0];
    assert_eq!(result["failures"], Value::Null, "{result}");
    assert_eq!(result["outputs"]["found"]["layers"].as_array().map(Vec::len), Some(31));
    assert_eq!(elements(&run, &result["outputs"]["found"]["directions"]).len(), 31 * 576);
}

#[test]
fn shapes_that_do_not_fit_are_reported_before_the_call_and_the_other_stages_run() {
    let stages = "[stages.found]\nuse = \"ALIAS/mean-difference\"\nin = \"sets\"\n";
    let shapes = "[[4, 3, 6], [5, 3, 6]], [[3, 6], [5, 3, 6]], [[4, 3, 6], [5, 2, 6]], [[4, 3, 6], [5, 3, 6]]";
    for form in [Loaded::LinkedIn, Loaded::Component] {
        let (_pipeline, run) = form.run(&sets(shapes, stages));
        let results = results(&run);
        assert_eq!([0, 3].map(|trial| &results[trial]["failures"]), [&Value::Null; 2]);
        insta::allow_duplicates! {
            insta::assert_snapshot!([1, 2].map(|trial| failure(&results[trial], "found")).join("\n"), @r"
            invalid-input: stage `found` cannot read its input: `positive` is a tensor of shape [3, 6], not tensor[positive_prompts, layers, d]
            invalid-input: stage `found` cannot read its input: `positive` is a tensor of shape [4, 3, 6], not tensor[positive_prompts, layers, d]: `layers` is 2, as in `negative`
            ");
        }
    }
}

#[test]
fn residuals_that_are_not_numbers_are_reported_with_set_prompt_and_layer() {
    let stages = "[stages.found]\nuse = \"ALIAS/logistic\"\nin = \"sets\"\n";
    // Of the negative set: prompt 2, layer 1, component 4.
    let text = sets("[[4, 3, 6], [5, 3, 6]]", stages).replace("shapes =", "no_number = 46, shapes =");
    for form in [Loaded::LinkedIn, Loaded::Component] {
        let (_pipeline, run) = form.run(&text);
        let told = failure(&results(&run)[0], "found");
        let what = "the residual of prompt 2 of the negative set at layer 1 is not finite: component 4 is NaN";
        assert_eq!(told, format!("invalid-input: {what}"), "{form:?}");
    }
}

#[test]
fn an_extractor_that_answers_another_shape_is_refused() {
    let stages = "[stages.found]\nuse = \"liar\"\nin = \"sets\"\n";
    let (_pipeline, run) = Loaded::LinkedIn.run(&sets("[[4, 3, 6], [5, 3, 6]]", stages));
    insta::assert_snapshot!(
        failure(&results(&run)[0], "found"),
        @"invalid-output: `test/liar` broke its own output schema in stage `found`: `directions` is a tensor of shape [6], not tensor[layers, d]"
    );
}

#[test]
fn kept_results_of_an_analyzer_are_not_those_of_an_extractor_of_its_name() {
    let stage = |name: &str, kind: &str| {
        format!("[stages.{name}]\nuse = \"even\"\nkind = \"{kind}\"\nin = \"sets\"\ncache = \"kept\"\n")
    };
    let stages = format!(
        "{}{}[cache.kept]\ntiers = [{{ use = \"sqlite\", ttl = \"1d\" }}]\n",
        stage("analyzed", "analyzer"),
        stage("extracted", "direction-extractor")
    );
    let (pipeline, first) = Loaded::LinkedIn.run(&sets("[[4, 3, 6], [5, 3, 6]]", &stages));
    let second = Loaded::LinkedIn.run_again(&pipeline);
    for run in [first, second] {
        let outputs = &results(&run)[0]["outputs"];
        assert_eq!(outputs["analyzed"], serde_json::json!({ "trial": 4 }));
        assert_eq!(outputs["extracted"]["directions"]["shape"], serde_json::json!([3, 6]), "{outputs}");
    }
}

/// From prompts to directions, on a model that draws its hidden states.
fn steering(alias: &str, plugin: &str) -> Pipeline {
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "steering"

[input]
use = "inline"
items = [{{
    positive = ["Write a letter to the baker.", "Write a letter to the mayor.", "Write a letter to a friend."],
    negative = ["Add the number three.", [{{ role = "user", content = "Name the number four." }}], "Count to number five."],
    start = "Dear",
}}]

[model.small]
use = "mock"
with = {{ layers = 3, width = 8 }}

[cache.kept]
tiers = [{{ use = "memory" }}, {{ use = "sqlite", ttl = "1d" }}]

[stages.positive]
use = "{alias}residuals"
in = {{ prompts = "input.positive", append = "input.start" }}
model = "small"

[stages.negative]
use = "{alias}residuals"
in = {{ prompts = "input.negative" }}
model = "small"

[stages.directions]
use = "{alias}mean-difference"
in = {{ positive = "positive.residuals", negative = "negative.residuals" }}
cache = "kept"

[stages.repeated]
use = "{alias}pca"
kind = "direction-extractor"
in = {{ positive = "positive.residuals", negative = "negative.residuals" }}
repeat = 2

[stages.routed]
use = "{alias}logistic"
in = {{ positive = "positive.residuals", negative = "negative.residuals" }}
route = {{ use = "round-robin", arms = [{{ l2 = 0.01 }}, {{ l2 = 1.0 }}] }}

[[tests]]
name = "there is a direction a layer"
input = {{ positive = ["a b", "b c"], negative = ["d e", "e f"], start = "" }}
expect = {{ "directions.layers[3]" = {{ degenerate = false }} }}
{plugin}"#
    ))
}

#[test]
fn prompts_become_directions_on_a_model_that_shows_its_hidden_states() {
    let linked = steering("", "");
    let run = linked.run().expect_code(0);
    let result = &results(&run.folder())[0];
    let found = |stage: &str| &result["outputs"][stage];
    assert_eq!(found("positive")["residuals"]["shape"], serde_json::json!([3, 4, 8]), "{result}");
    assert_eq!(found("directions")["directions"]["shape"], serde_json::json!([4, 8]));
    assert_eq!(found("repeated")[0], found("repeated")[1], "chance has no part in it");
    assert!(found("routed")["layers"][3]["probe"]["accuracy"].is_number(), "{result}");
    let component = fixture("jackfield_directions.wasm");
    let plugin = format!("[plugins.mine]\npath = {:?}\n", component.to_str().expect("UTF-8"));
    let sandboxed = steering("mine/", &plugin);
    run_command(jackfield().current_dir(sandboxed.path()).args(["plugins", "lock"])).expect_code(0);
    let other = sandboxed.run().expect_code(0);
    assert_eq!(outcome(&other.folder()), outcome(&run.folder()));
    assert!(blobs(&other.folder()) == blobs(&run.folder()), "other bytes");
    // Kept results are the same, tensors and all.
    let again = linked.run().expect_code(0);
    assert_eq!(again.json()["stages"]["directions"]["memo_hits"], 1);
    assert_eq!(outcome(&again.folder()), outcome(&run.folder()));
    assert!(blobs(&again.folder()) == blobs(&run.folder()), "other bytes");
}

#[test]
fn every_command_knows_a_stage_of_an_extractor() {
    let pipeline = steering("", "");
    let said = |args: &[&str]| run_command(jackfield().args(args).current_dir(pipeline.path())).expect_code(0).stdout;
    said(&["check", "."]);
    let graph = said(&["graph", "."]);
    assert!(graph.contains("directions (mean-difference) <- negative, positive"), "{graph}");
    said(&["test", "."]);
    let run = run_command(pipeline.command().arg("--record")).expect_code(0);
    let why = said(&["why", "last", "directions", "1", "--out", "runs"]);
    assert!(why.contains("mean-difference"), "{why}");
    let mut replayed = 0;
    let folder = run.folder().join("calls");
    for (name, content) in
        tree(&folder).into_iter().filter(|(name, _)| name.extension().is_some_and(|end| end == "json"))
    {
        let path = folder.join(name);
        let call: Value = serde_json::from_slice(&content).expect("JSON");
        if call["kind"] == "direction-extractor" {
            let told = said(&["plugins", "replay", path.to_str().expect("UTF-8"), "--json"]);
            assert!(told.contains("\"same\":true") || told.contains("\"same\": true"), "{told}");
            replayed += 1;
        }
    }
    assert_eq!(replayed, 4, "one, two, and one");
    let info = said(&["plugins", "info", "mean-difference"]);
    assert!(info.starts_with("mean-difference ") && info.contains("(direction-extractor, linked in)"), "{info}");
}
