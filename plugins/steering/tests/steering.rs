//! The analyzers as a host calls them, and their reference data where these lie beside the checkout.

use std::{fs, path::Path};

use jackfield_plugin_api::{
    Component, Edit, Failure, FailureKind, Kind, RowNormalization, TensorRef, linked_extension,
    testing::{FakeHost, call, check_examples},
};
use jackfield_steering::{AblationEdits, ComponentKernel, PickedDirection, UnitDirections, has_marker};
use serde_json::{Value, json};

#[test]
fn examples_give_what_they_say() {
    for name in ["prompts", "keyword-rate", "reply-length"] {
        check_examples(Kind::Analyzer, name, &FakeHost::default());
    }
}

/// Directions of four layers, the embeddings first, of which the first two are degenerate.
fn directions(host: &FakeHost) -> (TensorRef, Value) {
    let rows = [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
    let tensor = host.add_tensor(&[4, 2], &rows.concat());
    let layer = |row: &[f32; 2]| {
        json!({
            "degenerate": *row == [0.0; 2], "norm_mean_positive": 1.0, "norm_mean_negative": 1.0, "norm_difference": 1.0,
            "silhouette": 0.5, "said_by_the_extractor": true,
        })
    };
    (tensor.clone(), json!({ "directions": tensor, "layers": rows.iter().map(layer).collect::<Vec<_>>() }))
}

fn ablate(host: &FakeHost, config: Value, input: Value) -> Result<AblationEdits, Failure> {
    let answer = call(Kind::Analyzer, "ablation", config, input, host)?;
    Ok(serde_json::from_value(answer).expect("edits"))
}

#[test]
fn each_block_loses_its_own_direction_and_one_without_is_left_as_it_is() {
    let host = FakeHost::default();
    let (tensor, input) = directions(&host);
    let config = json!({ "attention": {}, "mlp": { "max_weight": -0.25 }, "row_normalization": "full" });
    let found = ablate(&host, config, input).expect("edits");
    let edit = |layer, row| Edit {
        component: Component::AttentionOutput,
        layer,
        direction: tensor.clone(),
        row,
        weight: 1.0,
        row_normalization: RowNormalization::Full,
    };
    assert_eq!(found.edits, [edit(1, 2), edit(2, 3)]);
    assert_eq!((found.attention, found.mlp, found.block), (vec![1.0; 3], vec![0.0; 3], None));
}

#[test]
fn one_direction_for_all_blocks_is_mixed_kept_and_never_a_degenerate_one() {
    let host = FakeHost::default();
    let (tensor, input) = directions(&host);
    let config = |index: f64| {
        let mlp =
            json!({ "max_weight": 1.5, "max_weight_position": 1.0, "min_weight": 0.0, "min_weight_distance": 0.5 });
        json!({ "scope": "global", "index": index, "mlp": mlp })
    };
    let found = ablate(&host, config(0.75), input.clone()).expect("edits");
    assert_eq!((found.block, found.mlp.as_slice()), (Some(1.5), &[0.0, 0.0, 1.5][..]));
    assert_eq!((found.edits.len(), found.edits[0].row, found.edits[0].layer), (1, 0, 2));
    let mixed = host.tensor(&found.edits[0].direction).expect("the host keeps it");
    assert_eq!((&found.edits[0].direction.shape[..], &mixed[..]), (&[2][..], &[0.5_f32.sqrt(); 2][..]));
    // The first block is degenerate: the second counts until the way to the third begins.
    for (index, row) in [(0.0, 2), (0.3, 2), (0.5, 2), (1.0, 3)] {
        let found = ablate(&host, config(index), input.clone()).expect("edits");
        assert_eq!((&found.edits[0].direction, found.edits[0].row), (&tensor, row), "{index}");
    }
}

#[test]
fn directions_that_cannot_be_ablated_are_told() {
    let host = FakeHost::default();
    let layer = json!({
        "degenerate": true, "norm_mean_positive": 1.0, "norm_mean_negative": 1.0, "norm_difference": 0.0,
    });
    let message_of = |config: Value, shape: [u64; 2], elements: &[f32], layers: usize| {
        let input = json!({ "directions": host.add_tensor(&shape, elements), "layers": vec![layer.clone(); layers] });
        ablate(&host, config, input).expect_err("refused").message().to_owned()
    };
    let alike = "no layer has a direction: the prompts of both sets are alike";
    assert_eq!(message_of(json!({ "scope": "global" }), [2, 2], &[0.0; 4], 2), alike);
    assert_eq!(message_of(json!({}), [2, 2], &[0.0; 4], 2), alike);
    assert_eq!(
        message_of(json!({}), [1, 2], &[0.0; 2], 1),
        "there are 1 layers, and the first is the embeddings: no block has a direction"
    );
    assert_eq!(message_of(json!({}), [2, 2], &[0.0; 4], 1), "there are directions of 2 layers, but 1 are described");
    assert_eq!(message_of(json!({}), [2, 1], &[0.0, f32::NAN], 2), "the direction of layer 1 is not finite");
    let none = json!({ "directions": host.add_tensor(&[2], &[0.0; 2]), "layers": [] });
    assert_eq!(ablate(&host, json!({}), none).expect_err("refused").kind(), FailureKind::InvalidInput);
    for config in
        [json!({ "index": 1.5 }), json!({ "mlp": { "min_weight": 2.0 } }), json!({ "mlp": { "weight": 2.0 } })]
    {
        let extension = linked_extension(Kind::Analyzer, "ablation").expect("it is there");
        let failure = extension.open(&config.to_string()).err().expect("out of range");
        assert_eq!(failure.kind(), FailureKind::InvalidConfig, "{config}: {failure:?}");
    }
}

#[test]
fn files_that_do_not_say_how_they_are_written_are_told() {
    let message_of = |config: Value| {
        let extension = linked_extension(Kind::Analyzer, "prompts").expect("it is there");
        extension.open(&config.to_string()).err().expect("refused").message().to_owned()
    };
    let file = |path: &str| json!({ "path": path, "text": "a\n" });
    assert_eq!(
        message_of(json!({ "path": file("prompts") })),
        "the name of `prompts` does not say how the file is written: set `format` to `text`, `jsonl`, `csv` or `json`"
    );
    assert_eq!(
        message_of(json!({ "path": file("a.txt"), "field": "q" })),
        "`field` says where texts are in JSON, JSONL and CSV files alone; `a.txt` is another kind"
    );
    assert_eq!(
        message_of(json!({ "path": file("a.csv"), "at": "q" })),
        "`at` says where texts are in a JSON file alone; `a.csv` is another kind"
    );
    assert_eq!(message_of(json!({ "path": file("a.txt"), "limit": 0 })), "`limit` is 0: it must be 1 or more");
    let found = call(
        Kind::Analyzer,
        "prompts",
        json!({ "path": file("prompts"), "format": "text" }),
        json!({}),
        &FakeHost::default(),
    );
    assert_eq!(found, Ok(json!({ "prompts": ["a"] })));
}

fn golden() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/steering/tiny-llama/golden.json");
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn reference_data_are_met_where_they_are_there() {
    // Where they are not, the tests above stand alone.
    let Some(golden) = golden() else { return };
    let markers: Vec<String> = serde_json::from_value(golden["keyword"]["markers"].clone()).expect("markers");
    let cases: Vec<(String, bool)> = serde_json::from_value(golden["keyword"]["cases"].clone()).expect("cases");
    assert!(!cases.is_empty());
    for (reply, wanted) in cases {
        assert_eq!(has_marker(&reply, &markers), wanted, "{reply:?}");
    }
    let number = |value: &Value| value.as_f64().expect("a number");
    for case in golden["ablation"]["cases"].as_array().expect("cases") {
        for component in ["attn", "mlp"] {
            let parameters = &case["parameters"][component];
            let kernel = ComponentKernel {
                max_weight: number(&parameters["max_weight"]),
                min_weight: number(&parameters["min_weight"]),
                max_weight_position: 0.0,
                min_weight_distance: 0.0,
            };
            let place = |key: &str| number(&parameters[key]);
            for block in 0..2 {
                let weight =
                    kernel.weight(f64::from(block), place("max_weight_position"), place("min_weight_distance"));
                let wanted = number(&case["weights"][format!("{block}.{component}")]);
                assert!((weight - wanted).abs() < 1e-7, "{case}");
            }
        }
    }
    let rows: Vec<Vec<f32>> =
        serde_json::from_value(golden["extraction"]["mean_difference"][0]["direction"].clone()).expect("rows");
    let directions = UnitDirections::new(rows[1..].iter().cloned().map(Some).collect());
    let Ok(PickedDirection::Between(mix)) = directions.at(0.35) else { panic!("between two blocks") };
    let raw: Vec<f64> =
        rows[1].iter().zip(&rows[2]).map(|(x, y)| f64::from(*x) * 0.65 + f64::from(*y) * 0.35).collect();
    let norm = raw.iter().map(|x| x * x).sum::<f64>().sqrt();
    assert!(mix.iter().zip(&raw).all(|(found, raw)| (f64::from(*found) - raw / norm).abs() < 1e-6));
}
