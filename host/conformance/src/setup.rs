//! Finding configurations that open, and inputs to go with them.

use std::{fs, path::Path};

use jackfield_plugin_api::{
    Arm, Attempt, CompletionRequest, ContrastSet, DIGESTED_PATH_FORMAT, Descriptor, FILE_PATH_FORMAT, Kind, Message,
    Objective, Outcome, PendingDecision, Picks, PolicyQuestion, PolicyRequest,
};
use serde_json::{Value, json};

use super::{inputs::Sample, schema::Schema, studies, tensors::Tensors, value_generator};

/// Inputs of a setup at least, where so many can be made.
const SAMPLES: usize = 6;
/// No server listens at this address: configurations that are made up reach none.
const NOWHERE: &str = "127.0.0.1:9";

/// Where a configuration comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The command line.
    Given,
    /// An example of the extension.
    Example(usize),
    /// Made up: the least that the schema asks for.
    MadeUp,
}

/// A configuration to try.
pub(super) struct Candidate {
    pub(super) origin: Origin,
    pub(super) config: Value,
    pub(super) samples: Vec<Sample>,
}

/// The schemas of an extension that inputs are made up for.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a> {
    pub(super) config: &'a Schema,
    pub(super) input: &'a Schema,
}

/// The configurations to try: the one given, else those of the examples, else one that is made up.
pub(super) fn candidates(
    descriptor: &Descriptor,
    given: Option<&Value>,
    Schemas { config, input }: Schemas<'_>,
    scratch: &Path,
) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |origin, value: Value| {
        if !found.iter().any(|candidate| candidate.config == value) {
            let samples = samples(descriptor, &value, input);
            found.push(Candidate { origin, config: value, samples });
        }
    };
    if let Some(given) = given {
        add(Origin::Given, given.clone());
    } else {
        for (index, example) in descriptor.examples.iter().enumerate() {
            add(Origin::Example(index), example.config.clone());
        }
    }
    if found.is_empty() {
        let value = if config.allows(&json!({})) { Some(json!({})) } else { value_generator::minimal_value(config, 1) };
        let mut value = value.unwrap_or_else(|| json!({}));
        lead_nowhere(&mut value, config);
        let samples = samples(descriptor, &value, input);
        found.push(Candidate { origin: Origin::MadeUp, config: value, samples });
    }
    for candidate in &mut found {
        lead_paths_below(scratch, &mut candidate.config, config, candidate.origin == Origin::MadeUp);
    }
    found
}

/// Replaces addresses, given or by default, with one where nobody listens.
fn lead_nowhere(value: &mut Value, config: &Schema) {
    for (name, property) in config.properties() {
        let scheme =
            property["default"].as_str().and_then(|default| default.split_once("://")).map(|(scheme, _)| scheme);
        if let Some(scheme) = scheme {
            value[name] = json!(format!("{scheme}://{NOWHERE}"));
        }
    }
}

/// Has each path of a configuration lead into a folder, as a pipeline has it lead into its own. Files that are made up
/// are made, and empty.
pub(super) fn lead_paths_below(folder: &Path, value: &mut Value, config: &Schema, made_up: bool) {
    let is_path =
        |property: &Value| property["format"] == FILE_PATH_FORMAT || property["format"] == DIGESTED_PATH_FORMAT;
    for (name, property) in config.properties().filter(|(_, property)| is_path(property)) {
        let given = value[name].as_str().map(str::to_owned);
        let Some(path) = given.as_deref().or(property["default"].as_str()) else { continue };
        let path = folder.join(path);
        if made_up && given.is_some() {
            // A file that cannot be made is missed by the extension, which says so.
            let _ = fs::write(&path, "");
        }
        value[name] = json!(path.to_string_lossy());
    }
}

/// Inputs for a configuration: those of the examples, those that go with the kind, and some that are made up.
fn samples(descriptor: &Descriptor, config: &Value, input: &Schema) -> Vec<Sample> {
    let examples = descriptor.examples.iter().filter(|example| example.config == *config);
    let mut values: Vec<Value> = examples.map(|example| example.input.clone()).collect();
    values.extend(inputs_of_kind(descriptor, &input.tensors));
    let missing = SAMPLES.saturating_sub(values.len());
    values.extend(value_generator::distinct_values(input, 0xa11, missing));
    values.dedup();
    values.iter().enumerate().map(|(number, value)| Sample::new(number as u64, value)).collect()
}

/// Inputs that every extension of a kind knows.
fn inputs_of_kind(descriptor: &Descriptor, tensors: &Tensors) -> Vec<Value> {
    let values: Vec<serde_json::Result<Value>> = match descriptor.kind {
        Kind::Model => {
            let one_message = CompletionRequest::new(vec![Message::user("When does the train leave?")]);
            let two_messages = vec![Message::system("Be brief."), Message::user("[s1] Ann: the train leaves at nine.")];
            [one_message, CompletionRequest::new(two_messages)].iter().map(serde_json::to_value).collect()
        }
        Kind::DirectionExtractor => {
            let contrast = |seed: u64, [positive, negative, layers, d]: [u64; 4]| {
                let positive = tensors.made_up(&[positive, layers, d], seed);
                ContrastSet { positive, negative: tensors.made_up(&[negative, layers, d], seed + 1) }
            };
            let sets = [contrast(0xa1, [6, 5, 3, 8]), contrast(0xb1, [12, 12, 2, 16])];
            sets.iter().map(serde_json::to_value).collect()
        }
        Kind::RoutingPolicy if Picks::from_descriptor(descriptor) == Picks::Values => {
            studies::requests().iter().map(serde_json::to_value).collect()
        }
        Kind::RoutingPolicy => policy_requests().iter().map(serde_json::to_value).collect(),
        _ => Vec::new(),
    };
    values.into_iter().flatten().collect()
}

/// A policy without a state decides, learns from outcomes, and decides again after a failure.
fn policy_requests() -> [PolicyRequest; 3] {
    let arm = |name: &str| Arm { name: name.to_owned(), with: Value::Object(serde_json::Map::new()) };
    let arms = || vec![arm("cheap"), arm("dear")];
    let objective = |name: &str, value: f64, minimize: bool| Objective { name: name.to_owned(), value, minimize };
    let outcome = |name: &str, failed: bool| Outcome {
        context: "questions".to_owned(),
        attempts: vec![Attempt { arm: name.to_owned(), failed }],
        reward: (!failed).then_some(0.75),
        objectives: if failed {
            Vec::new()
        } else {
            vec![objective("cost", 0.2, true), objective("quality", 0.9, false)]
        },
        ..Outcome::default()
    };
    let question = |tried: Vec<u32>, seed: u64| {
        let pending = vec![PendingDecision { context: "questions".to_owned(), arm: "dear".to_owned() }];
        PolicyQuestion { context: "questions".to_owned(), tried, pending, seed }
    };
    [
        PolicyRequest {
            state: None,
            arms: arms(),
            learn: Vec::new(),
            decide: vec![question(Vec::new(), 7)],
            again: false,
        },
        PolicyRequest {
            state: None,
            arms: arms(),
            learn: vec![outcome("cheap", false), outcome("dear", true)],
            decide: vec![question(Vec::new(), 8), question(Vec::new(), 9)],
            again: false,
        },
        PolicyRequest { state: None, arms: arms(), learn: Vec::new(), decide: vec![question(vec![0], 7)], again: true },
    ]
}
