//! Directions and diagnostics as NumPy and SciPy find them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jackfield_directions::{Method, Options, Shape};
use jackfield_plugin_api::LayerDirection;
use serde_json::Value;

use crate::support::{Set, extract_sets, layer_details};

/// Residuals of a tensor written as nested lists; of the first `prompts` of it, where that is given.
pub(crate) fn set(tensor: &Value, prompts: Option<usize>) -> Set {
    let list = |value: &Value| value.as_array().unwrap().clone();
    let mut all = list(tensor);
    all.truncate(prompts.unwrap_or(all.len()));
    let layers = list(&all[0]);
    let shape = Shape { prompts: all.len(), layers: layers.len(), width: list(&layers[0]).len() };
    let values = all.iter().flat_map(numbers).map(|x| x as f32).collect();
    Set { shape, values }
}

/// All numbers of nested lists.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        _ => vec![value.as_f64().unwrap()],
    }
}

/// The greatest difference from what is expected.
pub(crate) fn error(found: &[f32], expected: &Value) -> f64 {
    let expected = numbers(expected);
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(x, y)| (f64::from(*x) - y).abs()).fold(0.0, f64::max)
}

fn optional_error(found: Option<f64>, expected: &Value) -> f64 {
    assert_eq!(found.is_none(), expected.is_null(), "{found:?} {expected}");
    found.map_or(0.0, |x| (x - expected.as_f64().unwrap()).abs())
}

fn diagnostics_error(found: &LayerDirection, expected: impl Fn(&str) -> Value) -> f64 {
    let more = layer_details(found);
    [
        optional_error(Some(found.norm_mean_positive), &expected("norm_mean_positive")),
        optional_error(Some(found.norm_mean_negative), &expected("norm_mean_negative")),
        optional_error(Some(found.norm_difference), &expected("norm_difference")),
        optional_error(found.cos_means, &expected("cos_means")),
        optional_error(more.cos_positive_direction, &expected("cos_positive_direction")),
        optional_error(more.cos_negative_direction, &expected("cos_negative_direction")),
        optional_error(found.silhouette, &expected("silhouette")),
    ]
    .into_iter()
    .fold(0.0, f64::max)
}

fn options(expected: &Value) -> Options {
    let method = match expected["method"].as_str().unwrap() {
        "mean-difference" => Method::MeanDifference,
        "pca" => Method::Pca { pairs: expected["pairs"].as_u64().map(|pairs| pairs as usize) },
        "logistic" => Method::Logistic { l2: expected["l2"].as_f64().unwrap() },
        other => panic!("{other}"),
    };
    let (winsorize, project) = (expected["winsorize"].as_f64().unwrap(), expected["project"].as_bool().unwrap());
    Options { method, winsorize, project }
}

#[test]
fn directions_and_diagnostics_equal_those_of_numpy_and_scipy() {
    let text = include_str!("../../fixtures/extraction.json");
    let cases = serde_json::from_str::<Value>(text).unwrap()["cases"].clone();
    let mut methods = [0; 3];
    for case in cases.as_array().unwrap() {
        let (positive, negative) = (set(&case["positive"], None), set(&case["negative"], None));
        for expected in case["directions"].as_array().unwrap() {
            let options = options(expected);
            let found = extract_sets(&positive, &negative, &options);
            let error = error(&found.directions, &expected["direction"]);
            assert!(error < 2e-7, "{options:?}: {error}");
            for (layer, known) in found.layers.iter().enumerate() {
                let error = diagnostics_error(known, |name| case["diagnostics"][layer][name].clone());
                assert!(error < 1e-8, "{options:?}, layer {layer}: {error}");
                assert_eq!(known.degenerate, layer == 0, "{options:?}, layer {layer}");
                let probe = &expected["probe"][layer];
                assert_eq!(layer_details(known).probe.is_none(), probe.is_null(), "{options:?}, layer {layer}");
                if let Some(known) = &layer_details(known).probe {
                    assert!((known.objective - probe["objective"].as_f64().unwrap()).abs() < 2e-9, "{options:?}");
                    assert!((known.accuracy - probe["accuracy"].as_f64().unwrap()).abs() < 1e-8, "{options:?}");
                }
            }
            methods[match options.method {
                Method::MeanDifference => 0,
                Method::Pca { .. } => 1,
                Method::Logistic { .. } | Method::Random { .. } => 2,
            }] += 1;
        }
    }
    assert_eq!(methods, [12, 12, 36]);
}

/// The reference data of the project's developers.
pub(crate) fn golden_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/steering/tiny-llama/golden.json")
}

/// Needs the reference data of the project's developers beside the checkout.
#[test]
#[ignore = "needs ../shared/data"]
fn directions_of_a_tiny_transformer_equal_its_reference() {
    let path = golden_path();
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let golden = serde_json::from_str::<Value>(&text).unwrap()["extraction"].clone();
    let (positive, negative) = (set(&golden["residuals_positive"], None), set(&golden["residuals_negative"], None));
    for expected in golden["mean_difference"].as_array().unwrap() {
        let (winsorize, project) = (expected["winsorize"].as_f64().unwrap(), expected["project"].as_bool().unwrap());
        let options = Options { method: Method::MeanDifference, winsorize, project };
        let found = extract_sets(&positive, &negative, &options);
        assert!(error(&found.directions, &expected["direction"]) < 1e-6, "{options:?}");
        for (layer, known) in found.layers.iter().enumerate() {
            let name =
                |name: &str| if name == "silhouette" { "silhouette_euclidean".to_owned() } else { name.to_owned() };
            let error = diagnostics_error(known, |key| golden["diagnostics"][name(key)][layer].clone());
            assert!(error < 1e-6, "{options:?}, layer {layer}: {error}");
        }
    }
    let expected = &golden["pca_paired_uncentred"];
    let pairs = expected["pairs"].as_u64().unwrap() as usize;
    let found = extract_sets(&positive, &negative, &Options::new(Method::Pca { pairs: Some(pairs) }));
    assert!(error(&found.directions, &expected["direction"]) < 1e-6);
    let first = set(&golden["residuals_positive"], Some(pairs));
    let found = extract_sets(&first, &negative, &Options::new(Method::Pca { pairs: None }));
    assert!(error(&found.directions, &expected["direction"]) < 1e-6);
}
