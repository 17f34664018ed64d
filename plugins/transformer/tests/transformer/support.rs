//! Models to test with, and what a pass shows.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::{Component, RowNormalization};
use jackfield_transformer::{EditSpec, Edits, Kernel, Observer, Positions, RunOptions, Sequence, Step, Transformer};
use serde_json::Value;

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

pub(crate) fn load(path: &Path) -> Transformer {
    Transformer::load(path).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn model(kernel: Kernel, threads: usize) -> Transformer {
    load(&fixture("tiny")).with(RunOptions { kernel, threads }).expect("it can be run so")
}

pub(crate) fn kernels() -> Vec<Kernel> {
    [Kernel::Fused, Kernel::Portable].into_iter().filter(|kernel| kernel.is_available()).collect()
}

pub(crate) fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("the file is JSON")
}

pub(crate) fn floats(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

pub(crate) fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().expect("a list").iter().map(floats).collect()
}

pub(crate) fn tokens(value: &Value) -> Vec<u32> {
    value.as_array().expect("a list").iter().map(|x| x.as_u64().expect("a token") as u32).collect()
}

/// A unit vector.
pub(crate) fn direction(length: usize, seed: u64) -> Vec<f32> {
    let mut random = jackfield_plugin_api::Random::new(seed);
    let raw: Vec<f64> = (0..length).map(|_| random.next_f64() - 0.5).collect();
    let norm = raw.iter().map(|x| x * x).sum::<f64>().sqrt();
    raw.into_iter().map(|x| (x / norm) as f32).collect()
}

/// Edits of all components, each with a direction of its own.
pub(crate) fn edits(model: &Transformer, normalization: RowNormalization, seed: u64) -> Edits {
    let architecture = model.architecture();
    let places =
        (0..architecture.layers).flat_map(|layer| [(Component::AttentionOutput, layer), (Component::MlpDown, layer)]);
    let all: Vec<_> =
        places.enumerate().map(|(index, place)| (place, direction(architecture.hidden, seed + index as u64))).collect();
    let specs: Vec<EditSpec<'_>> = all
        .iter()
        .map(|((component, layer), direction)| EditSpec {
            component: *component,
            layer: *layer,
            direction,
            weight: 0.9,
            normalization,
        })
        .collect();
    model.edits(&specs).expect("they can be made")
}

/// All that a pass shows: hidden states by step, position and layer, and logits by step and position.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) hidden: BTreeMap<(usize, usize, usize), Vec<f32>>,
    pub(crate) logits: BTreeMap<(usize, usize), Vec<f32>>,
}

impl Observer for Seen {
    fn hidden(&mut self, step: usize, position: usize, layer: usize, state: &[f32]) {
        let other = self.hidden.insert((step, position, layer), state.to_vec());
        assert_eq!(other, None, "a state is shown once");
    }

    fn logits(&mut self, step: usize, position: usize, logits: &[f32]) {
        let other = self.logits.insert((step, position), logits.to_vec());
        assert_eq!(other, None, "logits are shown once");
    }
}

/// Reads prompts together, whole, and shows everything.
pub(crate) fn read(model: &Transformer, prompts: &[(&[u32], Option<&Edits>)]) -> Seen {
    let mut sequences: Vec<Sequence> =
        prompts.iter().map(|(tokens, _)| model.sequence(tokens.len()).expect("it fits the context")).collect();
    let steps = prompts.iter().zip(&mut sequences).map(|((tokens, edits), sequence)| Step {
        sequence,
        tokens,
        edits: *edits,
        hidden: Positions::From(0),
        logits: Positions::From(0),
    });
    let mut seen = Seen::default();
    model.forward(&mut steps.collect::<Vec<_>>(), &mut seen).expect("it can be read");
    seen
}

/// How far numbers are from those of the reference, at most.
pub(crate) fn distance(found: &[f32], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    found.iter().zip(wanted).map(|(found, wanted)| (f64::from(*found) - wanted).abs()).fold(0.0, f64::max)
}
