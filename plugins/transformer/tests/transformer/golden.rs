//! Hidden states, logits and edits, against references in double precision.

use std::path::{Path, PathBuf};

use jackfield_plugin_api::{Component, RowNormalization};
use jackfield_transformer::{EditSpec, RunOptions, Transformer};
use serde_json::{Value, from_value};

use crate::support::{distance, fixture, floats, json, kernels, load, read, rows, tokens};

const BAR: f64 = 1e-5;
const EDITED_BAR: f64 = 2e-4;

/// Data of a second origin, where they lie beside the repository.
fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/steering/tiny-llama");
    folder.is_dir().then_some(folder)
}

fn check_sequences(model: &Transformer, sequences: &Value) {
    for sequence in sequences.as_array().expect("a list") {
        let ids = tokens(&sequence["ids"]);
        let seen = read(model, &[(&ids, None)]);
        for (position, wanted) in rows(&sequence["logits"]).iter().enumerate() {
            let far = distance(&seen.logits[&(0, position)], wanted);
            assert!(far < BAR, "logits at {position} of {}: {far}", ids.len());
        }
        for (layer, wanted) in rows(&sequence["residuals"]).iter().enumerate() {
            let far = distance(&seen.hidden[&(0, ids.len() - 1, layer)], wanted);
            assert!(far < BAR, "hidden state of layer {layer} of {}: {far}", ids.len());
        }
    }
}

/// An edit with a direction of its own.
struct Owned {
    component: Component,
    layer: usize,
    direction: Vec<f32>,
    weight: f64,
    normalization: RowNormalization,
}

fn check_edited(model: &Transformer, case: &Value, edits: &[Owned]) {
    let specs: Vec<EditSpec<'_>> = edits
        .iter()
        .map(|edit| EditSpec {
            component: edit.component,
            layer: edit.layer,
            direction: &edit.direction,
            weight: edit.weight,
            normalization: edit.normalization,
        })
        .collect();
    let edits = model.edits(&specs).expect("they can be made");
    let ids = tokens(&case["ids"]);
    // The same prompt without edits beside it.
    let seen = read(model, &[(&ids, None), (&ids, Some(&edits))]);
    let last = ids.len() - 1;
    let far = distance(&seen.logits[&(1, last)], &floats(&case["logits_last"]));
    assert!(far < EDITED_BAR, "{}: logits {far}", specs[0].normalization as u8);
    assert!(distance(&seen.logits[&(0, last)], &floats(&case["logits_last"])) > 0.01, "the edits change something");
    for (layer, wanted) in rows(&case["residuals"]).iter().enumerate() {
        let far = distance(&seen.hidden[&(1, last, layer)], wanted);
        assert!(far < EDITED_BAR, "hidden state of layer {layer}: {far}");
    }
}

fn own_edits(case: &Value) -> Vec<Owned> {
    let edit = |edit: &Value| Owned {
        component: from_value(edit["component"].clone()).expect("a component"),
        layer: edit["layer"].as_u64().expect("a layer") as usize,
        direction: floats(&edit["direction"]).into_iter().map(|x| x as f32).collect(),
        weight: edit["weight"].as_f64().expect("a weight"),
        normalization: from_value(edit["normalization"].clone()).expect("a normalisation"),
    };
    case["edits"].as_array().expect("a list").iter().map(edit).collect()
}

#[test]
fn a_folder_and_a_gguf_file_give_what_the_reference_gives() {
    let reference = json(&fixture("reference.json"));
    for (name, path) in [("folder", "tiny"), ("gguf", "tiny.gguf")] {
        for kernel in kernels() {
            let model = load(&fixture(path)).with(RunOptions { kernel, threads: 1 }).expect("it can be run so");
            check_sequences(&model, &reference[name]["sequences"]);
            for case in reference[name]["edited"].as_array().expect("a list") {
                check_edited(&model, case, &own_edits(case));
            }
        }
    }
}

#[test]
fn data_of_a_second_origin_are_met_where_they_are_there() {
    // Where they are not, the first test stands alone.
    if let Some(folder) = shared() {
        let (model, golden) = (load(&folder), json(&folder.join("golden.json")));
        check_sequences(&model, &golden["sequences"]);
        let directions = rows(&golden["extraction"]["mean_difference"][0]["direction"]);
        for case in golden["ablation"]["cases"].as_array().expect("a list") {
            let normalization: RowNormalization =
                from_value(case["row_normalization"].clone()).expect("a normalisation");
            let mut edits = Vec::new();
            for layer in 0..2 {
                let direction = at(&directions, case["direction_index"].as_f64().unwrap_or(layer as f64));
                for (name, component) in [("attn", Component::AttentionOutput), ("mlp", Component::MlpDown)] {
                    let weight = case["weights"][format!("{layer}.{name}")].as_f64().expect("a weight");
                    let direction = direction.clone();
                    edits.push(Owned { component, layer, direction, weight, normalization });
                }
            }
            check_edited(&model, case, &edits);
        }
    }
}

/// The direction at a layer, between two of them linearly, with length 1.
fn at(directions: &[Vec<f64>], layer: f64) -> Vec<f32> {
    let (below, share) = (layer.floor() as usize + 1, layer.fract());
    let above = (below + 1).min(directions.len() - 1);
    let pairs = directions[below].iter().zip(&directions[above]);
    let mixed: Vec<f64> = pairs.map(|(x, y)| x * (1.0 - share) + y * share).collect();
    let norm = mixed.iter().map(|x| x * x).sum::<f64>().sqrt();
    mixed.into_iter().map(|x| (x / norm) as f32).collect()
}
