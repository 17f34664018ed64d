//! Holds a model of 135 million parameters to its reference, where there is one:
//! `JACKFIELD_SMOLLM2=FOLDER cargo run --release -p jackfield-transformer --example real_model`, with its folder or
//! its GGUF file.

#[path = "../tests/transformer/support.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod support;

use std::{env, ops::ControlFlow, path::Path};

use jackfield_plugin_api::{Component, Message, RowNormalization};
use jackfield_transformer::{
    CaptureRequest, ChatTemplate, EditSpec, GenerateRequest, Sampling, ScoreRequest, TextEnds, Tokenizer, Transformer,
    log_probabilities,
};
use serde_json::{Value, from_value};

use support::{floats, json, load, tokens};

fn model() -> Transformer {
    let path = env::var_os("JACKFIELD_SMOLLM2").expect("JACKFIELD_SMOLLM2 is a folder or a GGUF file");
    load(Path::new(&path))
}

/// The prompts of the edits, with the usual template, as tokens: what comes before the question, and after it.
const BEFORE: [u32; 24] = [
    1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407, 19712, 8182, 2, 198,
    1, 4093, 198,
];
const AFTER: [u32; 6] = [2, 198, 1, 520, 9531, 198];

fn edited_prompt(user: &str) -> Vec<u32> {
    let question: &[u32] = match user {
        "Write an email to my aunt about her cake." => &[19161, 354, 4106, 288, 957, 31164, 563, 874, 16253, 30],
        "What is the capital of Japan?" => &[1780, 314, 260, 3575, 282, 3085, 47],
        other => panic!("the tokens of {other:?} are not known here"),
    };
    [&BEFORE, question, &AFTER].concat()
}

fn golden(name: &str) -> Value {
    json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/steering").join(name))
}

fn last_logits(model: &Transformer, prompt: &[u32], edits: Option<&jackfield_transformer::Edits>) -> Vec<f32> {
    let mut found = Vec::new();
    let request = ScoreRequest { prompt, reply: &[0], edits };
    let scores = model.score(&[request], &mut |_, _, logits| found = logits.to_vec()).remove(0);
    scores.expect("it can be read");
    found
}

fn logits_hidden_states_and_greedy_replies_are_those_of_the_reference() {
    let model = model();
    for prompt in golden("smollm2_golden.json")["prompts"].as_array().expect("a list") {
        let ids = tokens(&prompt["ids"]);
        let logits = last_logits(&model, &ids, None);
        for pair in prompt["top20"].as_array().expect("a list") {
            let (token, wanted) = (pair[0].as_u64().expect("a token"), pair[1].as_f64().expect("a logit"));
            let found = f64::from(logits[token as usize]);
            assert!((found - wanted).abs() < 1e-4, "{token}: {found} {wanted}");
        }
        let layers: Vec<usize> = (0..31).collect();
        let positions = [ids.len() - 1];
        let request = CaptureRequest { prompt: &ids, edits: None, positions: &positions, layers: &layers };
        let states = model.capture(&[request]).remove(0).expect("it can be read");
        for (state, wanted) in states.chunks(576).zip(prompt["residuals"].as_array().expect("a list")) {
            let norm = state.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
            let wanted_norm = wanted["norm"].as_f64().expect("a number");
            assert!((norm - wanted_norm).abs() < 1e-4 * wanted_norm, "{norm} {wanted_norm}");
            for (found, wanted) in state.iter().zip(floats(&wanted["first8"])) {
                assert!((f64::from(*found) - wanted).abs() < 1e-3, "{found} {wanted}");
            }
        }
        let wanted = tokens(&prompt["greedy_ids"]);
        let request = GenerateRequest { prompt: &ids, edits: None, most: 24, sampling: Sampling::GREEDY, ends: &[] };
        let reply =
            model.generate(&[request], &mut |_| ControlFlow::Continue(())).remove(0).expect("it can be answered");
        assert_eq!(reply.tokens[..wanted.len()], wanted);
    }
}

fn edited_logits_are_those_of_the_reference() {
    let model = model();
    let golden_prompts = golden("smollm2_edited.json");
    let directions = std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/steering/letter_direction.safetensors"),
    )
    .expect("it is there");
    let header_length = u64::from_le_bytes(*directions.first_chunk().expect("a length")) as usize;
    let header: Value = serde_json::from_slice(&directions[8..8 + header_length]).expect("JSON");
    let (_, entry) = header
        .as_object()
        .expect("an object")
        .iter()
        .find(|(name, _)| name.contains("direction"))
        .expect("a direction");
    let begin = 8 + header_length + entry["data_offsets"][0].as_u64().expect("an offset") as usize;
    let row = |row: usize| -> Vec<f64> {
        let bytes = &directions[begin + row * 576 * 4..][..576 * 4];
        bytes.as_chunks().0.iter().map(|&word| f64::from(f32::from_le_bytes(word))).collect()
    };
    let at = |layer: f64| -> Vec<f32> {
        let (below, share) = (layer.floor() as usize + 1, layer.fract());
        let (first, second) = (row(below), row((below + 1).min(30)));
        let mixed: Vec<f64> = first.iter().zip(second).map(|(x, y)| x * (1.0 - share) + y * share).collect();
        let norm = mixed.iter().map(|x| x * x).sum::<f64>().sqrt();
        mixed.into_iter().map(|x| (x / norm) as f32).collect()
    };
    for case in golden_prompts["cases"].as_array().expect("a list") {
        let normalization: RowNormalization = from_value(case["row_normalization"].clone()).expect("a normalisation");
        let mut all = Vec::new();
        for layer in 0..30 {
            let direction = at(case["direction_index"].as_f64().unwrap_or(layer as f64));
            for (name, component) in [("attn", Component::AttentionOutput), ("mlp", Component::MlpDown)] {
                let Some(kernel) = case["kernel"].get(name) else { continue };
                let number = |key: &str| kernel[key].as_f64().expect("a number");
                let far = (layer as f64 - number("max_weight_position")).abs();
                let (most, distance) = (number("max_weight"), number("min_weight_distance"));
                if far <= distance {
                    let least = number("min_weight_fraction") * most;
                    all.push((component, layer, direction.clone(), most + far / distance * (least - most)));
                }
            }
        }
        let specs: Vec<EditSpec<'_>> = all
            .iter()
            .map(|(component, layer, direction, weight)| EditSpec {
                component: *component,
                layer: *layer,
                direction,
                weight: *weight,
                normalization,
            })
            .collect();
        let edits = model.edits(&specs).expect("they can be made");
        for prompt in case["prompts"].as_array().expect("a list") {
            let user = prompt["user"].as_str().expect("a text");
            let ids = edited_prompt(user);
            let edited = last_logits(&model, &ids, Some(&edits));
            for pair in prompt["top10"].as_array().expect("a list") {
                let (token, wanted) = (pair[0].as_u64().expect("a token"), pair[1].as_f64().expect("a logit"));
                assert!((f64::from(edited[token as usize]) - wanted).abs() < 2e-4, "{token}");
            }
            let [base, edited] = [last_logits(&model, &ids, None), edited]
                .map(|logits| log_probabilities(&logits).expect("they are numbers"));
            let kl: f64 = base.iter().zip(&edited).map(|(p, q)| p.exp() * (p - q)).sum();
            assert!((kl - prompt["kl_first_token"].as_f64().expect("a number")).abs() < 1e-4, "{kl}");
        }
    }
}

fn tokens_and_conversations_are_those_of_the_reference() {
    let path = env::var_os("JACKFIELD_SMOLLM2").expect("JACKFIELD_SMOLLM2 is a folder or a GGUF file");
    let path = Path::new(&path);
    let tokenizer = Tokenizer::load(path, 49_152).unwrap_or_else(|error| panic!("{error}"));
    let template = ChatTemplate::load(path).expect("it can be read").expect("there is one");
    for prompt in golden("smollm2_golden.json")["prompts"].as_array().expect("a list") {
        let user = Message::user(prompt["user"].as_str().expect("a text"));
        let text = template.render(&[user], true).expect("it can be rendered");
        assert_eq!(text, prompt["text"].as_str().expect("a text"));
        assert_eq!(tokenizer.encode(&text, true).expect("it can be written"), tokens(&prompt["ids"]));
        let reply = tokenizer.decode(&tokens(&prompt["greedy_ids"]), true).expect("they are there");
        assert_eq!(String::from_utf8_lossy(&reply), prompt["greedy_text"].as_str().expect("a text"));
    }
    let architecture = jackfield_transformer::Architecture::read(path).expect("it can be read");
    let ends = TextEnds::load(path, &architecture, &tokenizer).expect("they can be read");
    assert!(ends.begin.is_none() && ends.ends.contains(&2), "{ends:?}");
}

/// Texts without a space or of one letter, which a careless tokenizer takes a time for that grows by the square. The times
/// of texts of two lengths are compared, of which the longer is eight times the shorter.
fn long_texts_take_a_time_that_grows_with_their_length() {
    let path = env::var_os("JACKFIELD_SMOLLM2").expect("JACKFIELD_SMOLLM2 is a folder or a GGUF file");
    let tokenizer = Tokenizer::load(Path::new(&path), 49_152).unwrap_or_else(|error| panic!("{error}"));
    for unit in ["x", "the", " ", "\n", "1", "é", "!", "ab1"] {
        let time = |length: usize| {
            let text = unit.repeat(length / unit.len());
            let begin = std::time::Instant::now();
            tokenizer.encode(&text, true).expect("it can be written");
            begin.elapsed().as_secs_f64()
        };
        let (short, long) = (time(1 << 16), time(1 << 19));
        assert!(long < 40.0 * short, "{unit:?}: {short} s, and {long} s for eight times the length");
    }
}

fn main() {
    tokens_and_conversations_are_those_of_the_reference();
    long_texts_take_a_time_that_grows_with_their_length();
    logits_hidden_states_and_greedy_replies_are_those_of_the_reference();
    edited_logits_are_those_of_the_reference();
}
