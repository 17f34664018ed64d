//! What `mock` shows of itself.

use jackfield_plugin_api::{
    Capture, Component, Context, Edit, LogProbs, LogProbsOn, RowNormalization, TensorRef, prelude::*, testing::FakeHost,
};
use serde_json::json;

use super::Mock;

fn mock(config: serde_json::Value) -> Mock {
    serde_json::from_value::<Mock>(config).unwrap().open().unwrap()
}

async fn ask(request: CompletionRequest, host: &FakeHost) -> Result<Completion> {
    let context = Context { stage: "".into(), item: "".into(), element: 0, replicate: 0, seed: 0 };
    mock(json!({ "seed": 3 })).complete(request, &Host::new(host, &context, 0)).await
}

fn asked(text: &str) -> CompletionRequest {
    CompletionRequest::new(vec![Message::user(text)])
}

/// Hidden states of every layer, `[positions, layers, width]`, as a request captures them.
async fn states(request: CompletionRequest, positions: Option<Vec<i64>>) -> (Vec<u64>, Vec<f32>) {
    let host = FakeHost::default();
    let captured = capture(request, None, positions, &host).await.unwrap();
    let elements = host.tensor(&captured.hidden_states).unwrap();
    (captured.hidden_states.shape, elements.to_vec())
}

async fn capture(
    request: CompletionRequest,
    layers: Option<Vec<u32>>,
    positions: Option<Vec<i64>>,
    host: &FakeHost,
) -> Result<jackfield_plugin_api::Captured> {
    let request = CompletionRequest { capture: Some(Capture { layers, positions }), max_tokens: Some(0), ..request };
    Ok(ask(request, host).await?.captured.unwrap())
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f32>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}

/// The unit direction from the mean last state of some prompts to that of others, at a layer.
async fn direction(to: &[&str], from: &[&str], layer: usize) -> Vec<f32> {
    let mut sum = [0.0_f32; 16];
    for (prompts, sign) in [(to, 1.0), (from, -1.0)] {
        for prompt in prompts {
            let (_, state) = states(asked(prompt), None).await;
            sum.iter_mut().zip(&state[layer * 16..]).for_each(|(sum, element)| *sum += sign * element);
        }
    }
    let length = sum.iter().map(|element| element * element).sum::<f32>().sqrt();
    sum.iter().map(|element| element / length).collect()
}

fn edits(direction: &TensorRef, weight: f64, row_normalization: RowNormalization) -> Vec<Edit> {
    let edit = |layer| {
        [Component::AttentionOutput, Component::MlpDown].map(|component| Edit {
            component,
            layer,
            direction: direction.clone(),
            row: 0,
            weight,
            row_normalization,
        })
    };
    (0..4).flat_map(edit).collect()
}

#[tokio::test]
async fn whoever_looks_has_the_answer_of_one_who_does_not() {
    let host = FakeHost::default();
    let plain = ask(asked("We take the early train to Lyon."), &host).await.unwrap();
    let looked = CompletionRequest {
        capture: Some(Capture::default()),
        logprobs: Some(LogProbs { top: 2, distribution: true, on: LogProbsOn::First(3) }),
        tokenize: true,
        embed: true,
        ..asked("We take the early train to Lyon.")
    };
    let looked = ask(looked, &host).await.unwrap();
    assert_eq!((&looked.text, looked.usage, looked.finish), (&plain.text, plain.usage, plain.finish));
    assert!(plain.captured.is_none() && plain.logprobs.is_none() && plain.tokens.is_none());
    assert!(looked.captured.is_some() && looked.logprobs.is_some() && looked.embedding.is_some());
    let prompt: String = looked.tokens.unwrap().into_iter().map(|token| token.text).collect();
    assert_eq!(prompt, "<|user|>We take the early train to Lyon.<|end|><|assistant|>");
}

#[tokio::test]
async fn states_have_the_shape_that_was_asked_for_and_the_layers_and_positions_in_its_order() {
    let host = FakeHost::default();
    let all: Vec<i64> = (0..9).collect();
    let (shape, whole) = states(asked("We take the early train."), Some(all)).await;
    assert_eq!(shape, [9, 5, 16]);
    let (shape, last) = states(asked("We take the early train."), None).await;
    assert_eq!((shape.as_slice(), last.as_slice()), ([1, 5, 16].as_slice(), &whole[8 * 80..]));
    let some =
        capture(asked("We take the early train."), Some(vec![4, 0]), Some(vec![-1, 0, -9]), &host).await.unwrap();
    assert_eq!((some.layers, some.positions), (vec![4, 0], vec![8, 0, 0]));
    let elements = host.tensor(&some.hidden_states).unwrap();
    assert_eq!(elements[..16], whole[8 * 80 + 64..8 * 80 + 80]);
    assert_eq!(elements[16..32], whole[8 * 80..8 * 80 + 16]);
    assert_eq!(elements[32..64], elements[64..96]);
    for (layers, positions, message) in [
        (Some(vec![5]), None, "no layer 5 to capture: they go from 0 to 4"),
        (None, Some(vec![9]), "no position 9 to capture: the prompt has 9 tokens"),
        (None, Some(vec![-10]), "no position -10 to capture"),
        (None, Some(vec![i64::MIN]), "no position"),
    ] {
        let failure = capture(asked("We take the early train."), layers, positions, &host).await.unwrap_err();
        assert!(matches!(&failure, Failure::InvalidInput(what) if what.contains(message)), "{failure:?}");
    }
}

#[tokio::test]
async fn prompts_that_share_words_have_near_states_and_equal_embeddings_at_their_end() {
    let (_, first) = states(asked("Please write a letter to my dear aunt about the garden."), None).await;
    let (_, second) = states(asked("Please write a letter to my dear uncle about the house."), None).await;
    let (_, other) = states(asked("Which integers below nine divide twelve exactly?"), None).await;
    assert_eq!(first[..16], other[..16], "every prompt ends in the same token");
    let top = |states: &[f32]| states[64..].to_vec();
    let (near, far) = (cosine(&top(&first), &top(&second)), cosine(&top(&first), &top(&other)));
    assert!(near > far + 0.1, "{near} {far}");
}

#[tokio::test]
async fn probabilities_sum_to_one_and_the_likeliest_come_first() {
    let host = FakeHost::default();
    let logprobs = Some(LogProbs { top: 3, distribution: true, on: LogProbsOn::Reply("Dear aunt, hello".to_owned()) });
    let answer =
        ask(CompletionRequest { logprobs, ..asked("Write a letter.") }, &host).await.unwrap().logprobs.unwrap();
    let distribution = answer.distribution.unwrap();
    assert_eq!(distribution.shape, [4, 256]);
    let elements = host.tensor(&distribution).unwrap();
    for (token, row) in answer.tokens.iter().zip(elements.chunks(256)) {
        let sum: f64 = row.iter().map(|logprob| f64::from(*logprob).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        assert_eq!(token.logprob.unwrap() as f32, row[token.token.id as usize]);
        let mut sorted = row.to_vec();
        sorted.sort_by(|one, other| other.total_cmp(one));
        assert_eq!(token.top.iter().map(|likely| likely.logprob as f32).collect::<Vec<_>>(), sorted[..3]);
    }
    let reply: String = answer.tokens.into_iter().map(|token| token.token.text).collect();
    assert_eq!(reply, "Dear aunt, hello");
}

#[tokio::test]
async fn tokens_of_its_own_are_those_of_its_answer_even_where_it_gives_none() {
    let host = FakeHost::default();
    let text = ask(asked("We take the early train to Lyon."), &host).await.unwrap().text;
    let first = |max_tokens| CompletionRequest {
        max_tokens,
        logprobs: Some(LogProbs { top: 0, distribution: false, on: LogProbsOn::First(3) }),
        ..asked("We take the early train to Lyon.")
    };
    let long = ask(first(None), &host).await.unwrap();
    let none = ask(first(Some(0)), &host).await.unwrap();
    assert_eq!(long.logprobs, none.logprobs);
    let tokens = long.logprobs.unwrap().tokens;
    assert!(tokens.len() == 3 && tokens.iter().all(|token| token.top.is_empty()));
    let said: String = tokens.into_iter().map(|token| token.token.text).collect();
    assert!(text.starts_with(&said), "{text} {said}");
    assert_eq!((none.text.as_str(), none.finish, none.usage.unwrap().output), ("", FinishReason::Length, 0));
}

const LETTERS: [&str; 3] =
    ["Letter by letter, write a letter.", "A letter, one more letter.", "The letter of a letter."];
const SUMS: [&str; 3] = ["Number by number, add a number.", "A number, one more number.", "The number of a number."];

#[tokio::test]
async fn edits_take_a_word_out_of_states_and_answers_by_their_weight() {
    let host = FakeHost::default();
    let found = direction(&LETTERS, &SUMS, 4).await;
    let tensor = host.add_tensor(&[16], &found);
    let prompt = "This letter is the last letter of a letter writer.";
    let under = |weight, how| CompletionRequest { edits: edits(&tensor, weight, how), ..asked(prompt) };
    let along = |states: &[f32]| states[64..].iter().zip(&found).map(|(one, other)| one * other).sum::<f32>().abs();
    let captured = async |request| {
        let captured = capture(request, None, None, &host).await.unwrap();
        host.tensor(&captured.hidden_states).unwrap().to_vec()
    };
    let plain = captured(asked(prompt)).await;
    assert_eq!(captured(under(0.0, RowNormalization::Full)).await, plain, "a weight of 0 leaves everything as it is");
    let embedded = plain[..16].iter().zip(&found).map(|(one, other)| one * other).sum::<f32>().abs();
    let none = captured(under(1.0, RowNormalization::None)).await;
    assert!((along(&none) - embedded).abs() < 1e-5, "no block adds anything along it");
    let (pre, full) = (under(1.0, RowNormalization::Pre), under(1.0, RowNormalization::Full));
    let (pre, full) = (captured(pre).await, captured(full).await);
    assert!(none != pre && pre != full && none != full);

    let text = async |weight| ask(under(weight, RowNormalization::None), &host).await.unwrap().text;
    let unedited = ask(asked(prompt), &host).await.unwrap().text;
    assert_eq!(text(0.0).await, unedited);
    let edited = text(1.5).await;
    assert!(unedited.contains("letter") && !edited.contains("letter"), "{unedited} | {edited}");
    let logprob = async |weight| {
        let logprobs = Some(LogProbs { top: 0, distribution: false, on: LogProbsOn::Reply(" letter".to_owned()) });
        let request = CompletionRequest { logprobs, ..under(weight, RowNormalization::None) };
        ask(request, &host).await.unwrap().logprobs.unwrap().tokens[0].logprob.unwrap()
    };
    let (none, half, whole) = (logprob(0.0).await, logprob(0.5).await, logprob(1.0).await);
    assert!(none > half && half > whole, "{none} {half} {whole}");
}

#[tokio::test]
async fn an_answer_that_follows_a_schema_follows_it_under_edits_too() {
    let host = FakeHost::default();
    let tensor = host.add_tensor(&[16], &direction(&LETTERS, &SUMS, 4).await);
    let schema = json!({ "type": "array", "items": { "type": "number" }, "minItems": 4 });
    let request = |weight| CompletionRequest {
        edits: edits(&tensor, weight, RowNormalization::Pre),
        ..asked("A letter.").with_schema(schema.clone())
    };
    let plain = ask(asked("A letter.").with_schema(schema.clone()), &host).await.unwrap().text;
    assert_eq!(ask(request(0.0), &host).await.unwrap().text, plain);
    let edited = ask(request(1.0), &host).await.unwrap().text;
    let values: Vec<f64> = serde_json::from_str(&edited).unwrap();
    assert!(values.len() >= 4 && edited != plain);
}

#[tokio::test]
async fn edits_that_do_not_fit_the_model_are_refused() {
    let host = FakeHost::default();
    let narrow = host.add_tensor(&[2, 8], &[0.5; 16]);
    let endless = host.add_tensor(&[16], &[f32::INFINITY; 16]);
    let good = host.add_tensor(&[2, 16], &[0.25; 32]);
    for (direction, layer, message) in [
        (&narrow, 0, "a direction of shape [2, 8] for a model that is 16 wide"),
        (&endless, 0, "not a finite number"),
        (&good, 4, "no layer 4 to edit: there are 4"),
    ] {
        let edit = Edit { layer, row: 0, ..edits(direction, 1.0, RowNormalization::None)[0].clone() };
        let failure = ask(CompletionRequest { edits: vec![edit], ..asked("Hello") }, &host).await.unwrap_err();
        assert!(matches!(&failure, Failure::InvalidInput(what) if what.contains(message)), "{failure:?}");
    }
    let second = Edit { row: 1, ..edits(&good, 1.0, RowNormalization::None)[0].clone() };
    ask(CompletionRequest { edits: vec![second], ..asked("Hello") }, &host).await.unwrap();
}

#[tokio::test]
async fn vectors_have_length_one_and_are_near_for_prompts_that_are_alike() {
    let host = FakeHost::default();
    let embedded = async |text: &str| {
        let answer = ask(CompletionRequest { embed: true, max_tokens: Some(0), ..asked(text) }, &host).await.unwrap();
        host.tensor(&answer.embedding.unwrap()).unwrap().to_vec()
    };
    let (one, other) = (embedded(LETTERS[0]).await, embedded("Write a letter to my uncle.").await);
    assert!((one.iter().map(|element| element * element).sum::<f32>() - 1.0).abs() < 1e-5);
    assert!(cosine(&one, &other) > cosine(&one, &embedded(SUMS[0]).await));
}

#[test]
fn the_network_is_drawn_from_the_seed_within_its_bounds() {
    for (config, message) in [
        (json!({ "layers": 0 }), "`layers` lies outside 1 to 32"),
        (json!({ "width": 1000 }), "`width` lies outside 2 to 256"),
        (json!({ "vocabulary": 4 }), "`vocabulary` lies outside 16 to 10004"),
    ] {
        let failure = serde_json::from_value::<Mock>(config).unwrap().open().unwrap_err();
        assert_eq!(failure.message(), message);
    }
    mock(json!({ "layers": 32, "width": 2, "vocabulary": 10_004, "local": true }));
}

#[tokio::test]
async fn the_states_of_a_prompt_are_the_same_bits_on_every_machine() {
    let (_, states) = states(asked("We take the early train."), None).await;
    let bits =
        states.iter().fold(0_u64, |hash, element| (hash ^ u64::from(element.to_bits())).wrapping_mul(0x0100_0000_01b3));
    assert_eq!(format!("{bits:016x}"), "4d14590bd3a9f33a");
}
