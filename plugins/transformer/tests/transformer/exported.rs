//! Models that are written with edits in their weights, and read again.

use std::{collections::BTreeMap, fs, path::Path};

use jackfield_plugin_api::{Component, Message, RowNormalization};
use jackfield_plugin_api::{
    Failure, FailureKind, Kind,
    testing::{FakeHost, call},
};
use jackfield_transformer::{
    Architecture, ChatTemplate, EditSpec, Kernel, RunOptions, TextEnds, Tokenizer, Transformer, export,
};
use serde_json::{Value, json};

use crate::support::{direction, edits, fixture, json as read_json, load, read};

const NORMALIZATIONS: [RowNormalization; 3] = [RowNormalization::None, RowNormalization::Pre, RowNormalization::Full];
const PROMPT: [u32; 9] = [26, 12, 2, 21, 10, 15, 8, 17, 37];

fn portable(model: Transformer) -> Transformer {
    model.with(RunOptions { kernel: Kernel::Portable, threads: 1 }).expect("it can be run so")
}

/// How far logits are apart at most, over how far the wanted ones are from 0 at most.
fn apart(found: &BTreeMap<(usize, usize), Vec<f32>>, wanted: &[&Vec<f32>]) -> f32 {
    let most = wanted.iter().flat_map(|logits| logits.iter()).fold(0.0_f32, |most, logit| most.max(logit.abs()));
    let pairs = found.values().zip(wanted).flat_map(|(found, wanted)| found.iter().zip(wanted.iter()));
    pairs.map(|(found, wanted)| (found - wanted).abs()).fold(0.0, f32::max) / most
}

fn never() -> bool {
    false
}

#[test]
fn a_written_model_has_the_logits_that_the_model_has_under_the_edits() {
    let folder = tempfile::tempdir().expect("a folder");
    for source in ["tiny", "talking", "chat.gguf"] {
        let model = portable(load(&fixture(source)));
        for (index, normalization) in NORMALIZATIONS.into_iter().enumerate() {
            let edits = edits(&model, normalization, 3);
            let to = folder.path().join(format!("{source}-{index}"));
            let files = export(&model, &fixture(source), &edits, &to, &never).unwrap_or_else(|error| panic!("{error}"));
            assert!(files.contains_key("model.safetensors") && files.contains_key("config.json"), "{files:?}");
            // Its checksums are compared as it is read.
            let written = portable(load(&to));
            let seen = read(&model, &[(&PROMPT, None), (&PROMPT, Some(&edits))]);
            let under: Vec<_> = (0..PROMPT.len()).map(|position| &seen.logits[&(1, position)]).collect();
            let before: Vec<_> = (0..PROMPT.len()).map(|position| &seen.logits[&(0, position)]).collect();
            let found = read(&written, &[(&PROMPT, None)]).logits;
            let far = apart(&found, &under);
            assert!(far < 1e-5, "{source} {normalization:?}: {far}");
            assert!(apart(&found, &before) > 1e-2, "{source} {normalization:?}: the edits change something");
        }
    }
}

#[test]
fn a_position_encoding_that_a_folder_cannot_say_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = load(&fixture("tiny.gguf"));
    let to = folder.path().join("model");
    let none = model.edits(&[]).expect("none");
    let error = export(&model, &fixture("tiny.gguf"), &none, &to, &never).expect_err("refused").to_string();
    assert!(error.contains("tiny.gguf` has a divisor for each frequency"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn several_edits_of_a_component_are_made_one_after_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = portable(load(&fixture("tiny")));
    let (one, other) = (direction(32, 1), direction(32, 2));
    let spec = |direction, weight| EditSpec {
        component: Component::MlpDown,
        layer: 1,
        direction,
        weight,
        normalization: RowNormalization::None,
    };
    let edits = model.edits(&[spec(&one, 1.2), spec(&other, 0.7)]).expect("they can be made");
    let to = folder.path().join("new/model");
    export(&model, &fixture("tiny"), &edits, &to, &never).unwrap_or_else(|error| panic!("{error}"));
    let seen = read(&model, &[(&PROMPT, Some(&edits))]);
    let under: Vec<_> = seen.logits.values().collect();
    assert!(apart(&read(&portable(load(&to)), &[(&PROMPT, None)]).logits, &under) < 1e-5);
}

#[test]
fn a_written_model_reads_and_ends_texts_as_the_one_that_it_comes_from() {
    let folder = tempfile::tempdir().expect("a folder");
    for source in ["talking", "chat.gguf"] {
        let (path, to) = (fixture(source), folder.path().join(source));
        let model = load(&path);
        export(&model, &path, &model.edits(&[]).expect("none"), &to, &never).unwrap_or_else(|error| panic!("{error}"));
        let of = |path: &Path| {
            let architecture = Architecture::read(path).expect("a model");
            let tokenizer = Tokenizer::load(path, architecture.vocabulary).expect("a tokenizer");
            let ends = TextEnds::load(path, &architecture, &tokenizer).expect("ends");
            let template = ChatTemplate::load(path).expect("readable").expect("a template");
            let text = template.render(&[Message::user("the cat sat, é 12")], true).expect("a conversation");
            let tokens = tokenizer.encode(&text, true).expect("tokens");
            (architecture, ends, text, tokens)
        };
        assert_eq!(of(&to), of(&path), "{source}");
        let config = read_json(&to.join("config.json"));
        assert_eq!((&config["torch_dtype"], config.get("dtype")), (&json!("float32"), None));
    }
}

#[test]
fn what_is_there_is_left_and_what_fails_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fixture("tiny");
    let model = load(&path);
    let none = model.edits(&[]).expect("none");
    let to = folder.path().join("model");
    let message_of = |to: &Path, cancelled: bool| {
        let error = export(&model, &path, &none, to, &|| cancelled).expect_err("refused");
        error.to_string().replace(&folder.path().display().to_string(), "…")
    };
    assert_eq!(message_of(&to, true), "the model is no longer wanted");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    fs::create_dir(&to).expect("a folder");
    fs::write(to.join("mine"), "text").expect("written");
    let occupied = "`…/model` is there already: name a folder that is empty, or that is not there";
    assert_eq!(message_of(&to, false), occupied);
    fs::write(folder.path().join("file"), "text").expect("written");
    assert_eq!(message_of(&folder.path().join("file"), false), occupied.replace("model", "file"));
    assert!(message_of(&folder.path().join("file/below"), false).starts_with("cannot write `…/file"));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    fs::remove_file(to.join("mine")).expect("removed");
    export(&model, &path, &none, &to, &never).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
}

#[test]
fn the_extension_writes_what_its_edits_say_and_tells_what_it_cannot() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = FakeHost::default();
    let (one, other) = (direction(32, 5), direction(32, 6));
    let tensor = host.add_tensor(&[2, 32], &[one, other.clone()].concat());
    let edit = |more: Value| {
        let mut edit = json!({
            "component": "attention-output", "layer": 1, "direction": tensor, "row": 1, "weight": 0.5,
            "row_normalization": "full",
        });
        for (key, value) in more.as_object().expect("a table") {
            edit[key] = value.clone();
        }
        json!({ "edits": [edit] })
    };
    let write = |config: Value, input: Value| call(Kind::Analyzer, "edited-weights", config, input, &host);
    let to = folder.path().join("model");
    let config = json!({ "model": fixture("tiny"), "to": to });
    let answer = write(config.clone(), edit(json!({}))).expect("written");
    let sums = read_json(&to.join("checksums.json"));
    assert_eq!(answer["files"], sums["files"]);
    let model = portable(load(&fixture("tiny")));
    let spec = EditSpec {
        component: Component::AttentionOutput,
        layer: 1,
        direction: &other,
        weight: 0.5,
        normalization: RowNormalization::Full,
    };
    let edits = model.edits(&[spec]).expect("it can be made");
    let under = read(&model, &[(&PROMPT, Some(&edits))]).logits;
    let written = read(&portable(load(&to)), &[(&PROMPT, None)]).logits;
    assert!(apart(&written, &under.values().collect::<Vec<_>>()) < 1e-5);

    let message_of = |config: Value, input: Value| write(config, input).expect_err("refused");
    assert_eq!(message_of(config.clone(), edit(json!({}))).kind(), FailureKind::InvalidConfig);
    let unset = message_of(json!({ "model": fixture("tiny") }), edit(json!({})));
    let what = "there is no folder to write to: run `jackfield export RUN ITEM --to FOLDER`, or set `to`";
    assert_eq!(unset, Failure::InvalidConfig(what.to_owned()));
    let new = json!({ "model": fixture("tiny"), "to": folder.path().join("other") });
    assert_eq!(message_of(new.clone(), edit(json!({ "layer": 2 }))).kind(), FailureKind::InvalidInput);
    assert_eq!(message_of(new.clone(), edit(json!({ "row": 2 }))).kind(), FailureKind::InvalidInput);
    let narrow = host.add_tensor(&[1], &[1.0]);
    assert_eq!(message_of(new, edit(json!({ "direction": narrow }))).kind(), FailureKind::InvalidInput);
    assert!(!folder.path().join("other").exists());
}
