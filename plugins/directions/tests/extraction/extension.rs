//! The extractors as a host calls them: tensors by reference in, a tensor and what is known of each layer out.

use std::fs;

use jackfield_directions::{Method, Options};
use jackfield_plugin_api::{
    Captured, Completion, Directions, Failure, FailureKind, Kind, Message, TensorRef, linked_extension,
    testing::{FakeHost, call},
};
use serde_json::{Value, json};

use crate::{
    reference::{error, golden_path, set},
    support::{Set, extract_sets, layer_details},
};

impl Set {
    /// The reference of these residuals, which the host holds from now on.
    fn held_by(&self, host: &FakeHost) -> TensorRef {
        let shape = [self.shape.prompts, self.shape.layers, self.shape.width].map(|length| length as u64);
        host.add_tensor(&shape, &self.values)
    }
}

fn extract(name: &str, config: Value, positive: &Set, negative: &Set) -> Result<(Directions, Vec<f32>), Failure> {
    let host = FakeHost::default();
    let input = json!({ "positive": positive.held_by(&host), "negative": negative.held_by(&host) });
    let answer = call(Kind::DirectionExtractor, name, config, input, &host)?;
    let found: Directions = serde_json::from_value(answer).expect("directions");
    let elements = host.tensor(&found.directions).expect("the host keeps what was answered");
    Ok((found, elements.to_vec()))
}

#[test]
fn an_extension_answers_what_the_library_finds() {
    let (positive, negative) = (Set::random(9, 5, 12, 1, 0.7), Set::random(9, 5, 12, 2, 0.0));
    let cases = [
        ("mean-difference", json!({}), Options::new(Method::MeanDifference)),
        (
            "mean-difference",
            json!({ "winsorize": 0.9, "project": false }),
            Options { method: Method::MeanDifference, winsorize: 0.9, project: false },
        ),
        ("pca", json!({}), Options::new(Method::Pca { pairs: None })),
        (
            "pca",
            json!({ "pairs": 4, "project": true }),
            Options { project: true, ..Options::new(Method::Pca { pairs: Some(4) }) },
        ),
        ("logistic", json!({}), Options::new(Method::Logistic { l2: 0.01 })),
        ("logistic", json!({ "l2": 2.0 }), Options::new(Method::Logistic { l2: 2.0 })),
    ];
    for (name, config, options) in cases {
        let (found, elements) = extract(name, config.clone(), &positive, &negative).expect("directions");
        let expected = extract_sets(&positive, &negative, &options);
        assert_eq!(found.directions.shape, [5, 12], "{name} {config}");
        assert_eq!(elements, expected.directions, "{name} {config}");
        assert_eq!(found.layers, expected.layers, "{name} {config}");
        assert_eq!(layer_details(&found.layers[1]).probe.is_some(), name == "logistic");
    }
}

#[test]
fn a_layer_without_a_direction_is_flagged_and_its_row_is_zero() {
    let mut sets = [Set::random(4, 2, 3, 1, 0.7), Set::random(4, 2, 3, 2, 0.0)];
    for set in &mut sets {
        set.values.chunks_exact_mut(6).for_each(|prompt| prompt[..3].copy_from_slice(&[0.5, -1.0, 2.0]));
    }
    for name in ["mean-difference", "pca", "logistic"] {
        let (found, elements) = extract(name, json!({}), &sets[0], &sets[1]).expect("directions");
        assert_eq!(elements[..3], [0.0; 3], "{name}");
        assert_eq!([found.layers[0].degenerate, found.layers[1].degenerate], [true, false], "{name}");
        let written = serde_json::to_value(&found.layers[0]).expect("JSON");
        assert_eq!(written.get("silhouette"), None, "{name}: what is undefined is absent");
        assert_eq!(written.get("cos_direction_difference"), None, "{name}");
        assert!(!written.to_string().contains("null"), "{name}: {written}");
    }
}

#[test]
fn residuals_that_are_no_numbers_are_an_input_named_by_set_prompt_and_layer() {
    let good = Set::random(4, 3, 5, 1, 0.0);
    let mut bad = good.clone();
    bad.values[2 * 15 + 5 + 3] = f32::NAN;
    for name in ["mean-difference", "pca", "logistic"] {
        let failure = extract(name, json!({}), &good, &bad).expect_err("not a number");
        let message = "the residual of prompt 2 of the negative set at layer 1 is not finite: component 3 is NaN";
        assert_eq!(failure, Failure::InvalidInput(message.to_owned()), "{name}");
    }
}

#[test]
fn options_out_of_range_are_refused_before_any_call() {
    for (name, config) in [
        ("mean-difference", json!({ "winsorize": 0.0 })),
        ("logistic", json!({ "l2": 0.0 })),
        ("logistic", json!({ "winsorize": 1.5 })),
        ("pca", json!({ "pair": 3 })),
    ] {
        let extension = linked_extension(Kind::DirectionExtractor, name).expect("it is there");
        let failure = extension.open(&config.to_string()).err().expect("out of range");
        assert_eq!(failure.kind(), FailureKind::InvalidConfig, "{name} {config}: {failure:?}");
    }
}

/// Needs the reference data of the project's developers beside the checkout.
#[test]
#[ignore = "needs ../shared/data"]
fn the_extensions_reproduce_a_tiny_transformers_directions() {
    let path = golden_path();
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let golden = serde_json::from_str::<Value>(&text).expect("JSON")["extraction"].clone();
    let (positive, negative) = (set(&golden["residuals_positive"], None), set(&golden["residuals_negative"], None));
    for expected in golden["mean_difference"].as_array().expect("cases") {
        let config = json!({ "winsorize": expected["winsorize"], "project": expected["project"] });
        let (found, elements) = extract("mean-difference", config, &positive, &negative).expect("directions");
        assert!(error(&elements, &expected["direction"]) < 1e-5);
        for (layer, known) in found.layers.iter().enumerate() {
            let silhouette = golden["diagnostics"]["silhouette_euclidean"][layer].as_f64();
            assert!((known.silhouette.expect("apart") - silhouette.expect("a number")).abs() < 1e-5);
        }
    }
    let expected = &golden["pca_paired_uncentred"];
    let (_, elements) =
        extract("pca", json!({ "pairs": expected["pairs"] }), &positive, &negative).expect("directions");
    assert!(error(&elements, &expected["direction"]) < 1e-5);
}

/// A host whose model answers the n-th prompt with hidden states that are n, in a tensor of this shape.
fn model(shapes: &'static [[u64; 3]]) -> FakeHost {
    // The model's own tensors are the host's: one that is like it gives the same references.
    let twin = FakeHost::default();
    let answers: Vec<TensorRef> = shapes.iter().enumerate().map(|(n, shape)| hold(&twin, n, shape)).collect();
    let host = FakeHost::default().with_model(move |request| {
        let last = &request.messages.last().expect("a message").content;
        let hidden_states = answers[last.len() - 1].clone();
        Ok(Completion {
            captured: Some(Captured { hidden_states, layers: vec![0, 1], positions: vec![7] }),
            ..Completion::default()
        })
    });
    for (n, shape) in shapes.iter().enumerate() {
        hold(&host, n, shape);
    }
    host
}

fn hold(host: &FakeHost, n: usize, shape: &[u64; 3]) -> TensorRef {
    host.add_tensor(shape, &vec![n as f32; shape.iter().product::<u64>() as usize])
}

#[test]
fn residuals_are_those_of_each_prompt_in_order() {
    let host = model(&[[1, 2, 3], [1, 2, 3], [1, 2, 3]]);
    let conversation = json!([{ "role": "system", "content": "be brief" }, { "role": "user", "content": "aa" }]);
    let input = json!({ "prompts": ["aaa", conversation, "a"] });
    let answer = call(Kind::Analyzer, "residuals", json!({}), input, &host).expect("residuals");
    let tensor: TensorRef = serde_json::from_value(answer["residuals"].clone()).expect("a tensor");
    assert_eq!(tensor.shape, [3, 2, 3]);
    let elements = host.tensor(&tensor).expect("kept");
    assert_eq!(elements.chunks(6).map(|row| row[0]).collect::<Vec<_>>(), [2.0, 1.0, 0.0]);
    let requests = host.requests();
    assert!(requests.iter().all(|request| request.max_tokens == Some(0) && request.capture.is_some()));
    assert_eq!(requests[1].messages, [Message::system("be brief"), Message::user("aa")]);
}

#[test]
fn the_common_start_of_replies_is_what_the_model_has_said_so_far() {
    let host = model(&[[1, 2, 3]]);
    let input = json!({ "prompts": ["hello"], "append": "D" });
    call(Kind::Analyzer, "residuals", json!({}), input, &host).expect("residuals");
    assert_eq!(host.requests()[0].messages, [Message::user("hello"), Message::assistant("D")]);
}

#[test]
fn both_sets_are_read_where_the_replies_to_all_prompts_begin_to_differ() {
    let twin = FakeHost::default();
    let state = hold(&twin, 3, &[1, 2, 3]);
    let host = FakeHost::default().with_model(move |request| {
        let last = request.messages.last().expect("a message");
        if request.capture.is_none() {
            let text = format!("Well, {}", last.content);
            return Ok(Completion { text, ..Completion::default() });
        }
        let captured = Captured { hidden_states: state.clone(), layers: vec![0, 1], positions: vec![7] };
        Ok(Completion { captured: Some(captured), ..Completion::default() })
    });
    hold(&host, 3, &[1, 2, 3]);
    let prompts = json!({ "positive": ["a", "b", "c"], "negative": ["d"] });
    let read = |config| call(Kind::Analyzer, "contrast-residuals", config, prompts.clone(), &host).expect("residuals");
    let answer = read(json!({}));
    assert_eq!(answer["common_start"], "Well,");
    assert_eq!((&answer["positive"]["shape"], &answer["negative"]["shape"]), (&json!([3, 2, 3]), &json!([1, 2, 3])));
    let requests = host.requests();
    assert_eq!(requests.len(), 8);
    assert!(requests[..4].iter().all(|request| request.max_tokens == Some(8) && request.temperature == Some(0.0)));
    assert_eq!(requests[7].messages, [Message::user("d"), Message::assistant("Well,")]);
    let answer = read(json!({ "start_tokens": 0 }));
    assert_eq!((&answer["common_start"], host.requests().len()), (&json!(""), 12));
    assert_eq!(host.requests()[11].messages, [Message::user("d")]);
    let none = json!({ "positive": ["a"], "negative": [] });
    let message = call(Kind::Analyzer, "contrast-residuals", json!({}), none, &host).expect_err("no prompts");
    assert_eq!(message, Failure::InvalidInput("there are no negative prompts".to_owned()));
}

#[test]
fn what_a_model_answers_otherwise_is_told_with_its_prompt() {
    let message = |host: &FakeHost, prompts: Value| {
        let failure = call(Kind::Analyzer, "residuals", json!({}), json!({ "prompts": prompts }), host);
        let failure = failure.expect_err("nothing to answer");
        format!("{:?}: {}", failure.kind(), failure.message())
    };
    let texts = json!(["a", "aa"]);
    let none = FakeHost::default().with_model(|_| Ok(Completion::default()));
    let all = [
        message(&none, json!([])),
        message(&none, json!(["a", []])),
        message(&none, texts.clone()),
        message(&model(&[[1, 2, 3], [2, 2, 3]]), texts.clone()),
        message(&model(&[[1, 2, 3], [1, 3, 3]]), texts),
    ];
    assert_eq!(
        all,
        [
            "InvalidInput: there are no prompts",
            "InvalidInput: prompt 1 has no messages",
            "InvalidOutput: the model answered prompt 0 without hidden states",
            "InvalidOutput: the model answered prompt 1 with hidden states of shape [2, 2, 3], not [1, layers, d]: one \
             position was asked for",
            "InvalidOutput: the model answered prompt 1 with hidden states of shape [1, 3, 3], and those before it with \
             [1, 2, 3]",
        ]
    );
}
