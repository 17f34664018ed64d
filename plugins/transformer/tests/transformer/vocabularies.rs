//! Vocabularies of GGUF files, tokenizers that are damaged, and texts that are meant to take long.

use std::{fs, path::Path};

use jackfield_transformer::{ChatTemplate, RunError, Tokenizer};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{fixture, json};

/// A value of a file's metadata.
#[derive(Clone)]
enum Entry {
    Text(String),
    Texts(Vec<Vec<u8>>),
    Wholes(Vec<i32>),
    Numbers(Vec<f32>),
    Whole(u32),
    /// A list of so many texts, none of which is there.
    Promised(u64),
}

fn text(text: &str) -> Entry {
    Entry::Text(text.to_owned())
}

fn texts(texts: &[&str]) -> Entry {
    Entry::Texts(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u64).to_le_bytes(), bytes].concat()
}

fn list(kind: u32, entries: Vec<Vec<u8>>) -> Vec<u8> {
    let count = (entries.len() as u64).to_le_bytes();
    [&9_u32.to_le_bytes()[..], &kind.to_le_bytes(), &count, &entries.concat()].concat()
}

/// A GGUF file with these metadata and no tensors.
fn file(entries: &[(&str, Entry)]) -> (TempDir, std::path::PathBuf) {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend([0_u64, entries.len() as u64].map(u64::to_le_bytes).concat());
    for (name, value) in entries {
        bytes.extend(sized(name.as_bytes()));
        bytes.extend(match value {
            Entry::Text(text) => [&8_u32.to_le_bytes()[..], &sized(text.as_bytes())].concat(),
            Entry::Texts(texts) => list(8, texts.iter().map(|text| sized(text)).collect()),
            Entry::Wholes(numbers) => list(5, numbers.iter().map(|number| number.to_le_bytes().to_vec()).collect()),
            Entry::Numbers(numbers) => list(6, numbers.iter().map(|number| number.to_le_bytes().to_vec()).collect()),
            Entry::Whole(number) => [4_u32.to_le_bytes(), number.to_le_bytes()].concat(),
            Entry::Promised(count) => [&9_u32.to_le_bytes()[..], &8_u32.to_le_bytes(), &count.to_le_bytes()].concat(),
        });
    }
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("model.gguf");
    fs::write(&path, bytes).expect("it can be written");
    (folder, path)
}

fn read(entries: &[(&str, Entry)]) -> Result<Tokenizer, String> {
    let (_folder, path) = file(entries);
    Tokenizer::load(&path, 16).map_err(|error| {
        assert!(error.to_string().starts_with("cannot load `/"), "{error}");
        error.to_string()
    })
}

const TOKENS: &str = "tokenizer.ggml.tokens";

/// Bytes that are put together in pairs.
fn pairs() -> Vec<(&'static str, Entry)> {
    vec![
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("gpt-2")),
        (
            TOKENS,
            texts(&["<|end|>", "1", "2", "12", "a", "Ġ", "Ġ1", "!", "!!", "a!", "<mark>", "", "1212", "Ċ", "ĊĊ", "A"]),
        ),
        ("tokenizer.ggml.token_type", Entry::Wholes(vec![3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 5, 1, 1, 1, 1])),
        ("tokenizer.ggml.merges", texts(&["1 2", "Ġ 1", "! !", "a !", "12 12", "Ċ Ċ"])),
    ]
}

/// Characters whose pairs are put together by score.
fn scored() -> Vec<(&'static str, Entry)> {
    vec![
        ("tokenizer.ggml.model", text("llama")),
        (TOKENS, texts(&["<unk>", "<s>", "</s>", "<0x41>", "▁", "a", "b", "ab", "▁a", "ba", "<mark>"])),
        ("tokenizer.ggml.token_type", Entry::Wholes(vec![2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 4])),
        ("tokenizer.ggml.scores", Entry::Numbers(vec![0., 0., 0., 0., -9., -9., -9., -2., -3., -1., 0.])),
        ("tokenizer.ggml.bos_token_id", Entry::Whole(1)),
    ]
}

fn with(
    mut entries: Vec<(&'static str, Entry)>,
    name: &'static str,
    value: Option<Entry>,
) -> Vec<(&'static str, Entry)> {
    entries.retain(|(other, _)| *other != name);
    entries.extend(value.map(|value| (name, value)));
    entries
}

#[test]
fn a_vocabulary_that_cannot_be_is_refused_by_key() {
    let (model, split, kinds) = ("tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.token_type");
    let (merges, scores) = ("tokenizer.ggml.merges", "tokenizer.ggml.scores");
    let many = vec![b"x".to_vec(); 17];
    for (entries, name, value, wanted) in [
        (pairs(), model, None, "`tokenizer.ggml.model`: it is missing"),
        (pairs(), model, Some(text("bert")), "vocabularies of the model `bert` are not read here; `gpt2` and `llama`"),
        (pairs(), model, Some(Entry::Whole(1)), "`tokenizer.ggml.model`: it must be a text"),
        (
            pairs(),
            split,
            Some(text("viking")),
            "`tokenizer.ggml.pre`: texts are split as `viking` has it, which is not",
        ),
        (pairs(), TOKENS, None, "`tokenizer.ggml.tokens`: it is missing"),
        (pairs(), TOKENS, Some(Entry::Wholes(vec![1])), "`tokenizer.ggml.tokens`: it must be a list of texts"),
        (pairs(), TOKENS, Some(Entry::Texts(many)), "it has 17 tokens, but the model has 16 of them"),
        (pairs(), TOKENS, Some(texts(&["a"])), "`tokenizer.ggml.token_type`: it has 16 entries for 1 tokens"),
        (pairs(), TOKENS, Some(Entry::Promised(1_000_000_000)), "it is cut short: a list needs 8000000000 bytes"),
        (pairs(), TOKENS, Some(Entry::Promised(u64::MAX)), "it is cut short: a list needs"),
        (pairs(), kinds, Some(Entry::Wholes(vec![9; 16])), "`tokenizer.ggml.token_type`: there is no kind 9 of tokens"),
        (pairs(), merges, None, "`tokenizer.ggml.merges`: it does not have merges"),
        (pairs(), merges, Some(texts(&[])), "`tokenizer.ggml.merges`: it does not have merges"),
        (pairs(), merges, Some(texts(&["12"])), "a merge is not a pair of tokens"),
        (pairs(), merges, Some(texts(&["2 2"])), "the merge `2 2` makes a token that there is not"),
        (pairs(), merges, Some(Entry::Texts(vec![vec![0xff]])), "`tokenizer.ggml.merges`: it must be a list of texts"),
        (scored(), scores, None, "`tokenizer.ggml.scores`: it is missing"),
        (scored(), scores, Some(Entry::Numbers(vec![0.0])), "`tokenizer.ggml.scores`: it has 1 entries for 11 tokens"),
        (scored(), "tokenizer.ggml.bos_token_id", Some(Entry::Whole(11)), "there is no token 11 in a vocabulary of 11"),
        (scored(), "tokenizer.ggml.add_bos_token", Some(text("no")), "it must be true or false"),
    ] {
        let found = read(&with(entries, name, value)).map(|_| ()).expect_err("it is wrong");
        assert!(found.contains(wanted), "{name}: {found}");
    }
    let mut wrong = pairs();
    if let (_, Entry::Texts(texts)) = &mut wrong[2] {
        texts[1] = vec![0xff];
    }
    let found = read(&wrong).map(|_| ()).expect_err("it is wrong");
    assert!(found.contains("`tokenizer.ggml.tokens`: token 1 is not UTF-8"), "{found}");
}

#[test]
fn texts_are_split_as_the_name_of_the_split_says() {
    let of = |split: Option<&str>, text: &str| {
        let entries = with(pairs(), "tokenizer.ggml.pre", split.map(|split| Entry::Text(split.to_owned())));
        read(&entries).expect("it is known").encode(text, true).expect("it can be written")
    };
    for (split, text, wanted) in [
        // Numbers stay whole, are cut into threes, or into digits.
        (Some("gpt-2"), "1212", &[12][..]),
        (Some("llama-bpe"), "1212", &[3, 1, 2]),
        (Some("qwen2"), "1212", &[1, 2, 1, 2]),
        (Some("smollm"), "1212", &[1, 2, 1, 2]),
        (Some("tekken"), "12", &[1, 2]),
        (None, "1212", &[3, 1, 2]),
        // A space belongs to the number after it, or does not.
        (Some("gpt-2"), " 1", &[6]),
        (Some("llama-bpe"), " 1", &[5, 1]),
        (Some("smollm"), " 1", &[5, 1]),
        // Ends of lines and marks.
        (Some("gpt-2"), "a!!\n\n", &[4, 8, 14]),
        // The marks and the ends of the lines are one text there, which pairs may cross.
        (Some("llama-bpe"), "a!!\n\n", &[4, 8, 14]),
        (Some("gpt-2"), "a<mark>1<|end|>2", &[4, 10, 1, 0, 2]),
        // A capital after a small letter begins a text of its own.
        (Some("tekken"), "aA", &[4, 15]),
    ] {
        assert_eq!(of(split, text), wanted, "{split:?} {text:?}");
    }
}

#[test]
fn pairs_of_the_highest_score_come_first_and_what_is_not_there_becomes_bytes_or_unknown() {
    let of = |entries: &[(&str, Entry)], text: &str| {
        read(entries).expect("it can be read").encode(text, true).expect("it can be written")
    };
    // "▁aba": "ba" before "▁a" and "ab".
    assert_eq!(of(&scored(), "aba"), [8, 9]);
    assert_eq!(of(&scored(), "A"), [4, 3]);
    assert_eq!(of(&scored(), "a<mark><s>b"), [8, 10, 1, 4, 6]);
    // Both bytes of the letter are unknown, and as one.
    assert_eq!(of(&scored(), "é"), [4, 0]);
    let turned = Entry::Numbers(vec![0., 0., 0., 0., -9., -9., -9., -1., -2., -3., 0.]);
    assert_eq!(of(&with(scored(), "tokenizer.ggml.scores", Some(turned)), "aba"), [4, 7, 5]);
}

/// What is read of a tokenizer after one change, and the text that it could not write.
fn changed(change: &dyn Fn(&mut Value), sample: &str) -> Result<Result<Vec<u32>, RunError>, String> {
    let mut value = json(&fixture("tokenizer/tokenizer.json"));
    change(&mut value);
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("tokenizer.json"), value.to_string()).expect("it can be written");
    let tokenizer = Tokenizer::load(folder.path(), 300).map_err(|error| error.to_string())?;
    Ok(tokenizer.encode(sample, true))
}

#[test]
fn a_tokenizer_that_would_take_all_memory_or_time_is_refused_or_gives_up() {
    let plain = changed(&|_| (), "the cat").expect("it can be read").expect("it can be written");
    // Padding and cutting are left alone.
    let padding = json!({"strategy": {"Fixed": 4_000_000_000_u64}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "x"});
    let cut = json!({"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0});
    assert_eq!(changed(&|value| value["padding"] = padding.clone(), "the cat"), Ok(Ok(plain.clone())));
    assert_eq!(changed(&|value| value["truncation"] = cut.clone(), "the cat"), Ok(Ok(plain)));
    let bomb = json!({"type": "Replace", "pattern": {"Regex": ""}, "content": "x".repeat(5000)});
    let found = changed(&|value| value["normalizer"] = bomb.clone(), "the").expect_err("it is refused");
    assert!(found.contains("texts could become more than 4096 times as long"), "{found}");
    let step = json!({"type": "Replace", "pattern": {"String": "x"}, "content": "xxxx"});
    let steps = json!({"type": "Sequence", "normalizers": vec![step; 6]});
    let found = changed(&|value| value["normalizer"] = steps.clone(), "the").expect_err("it is refused");
    assert!(found.contains("more than 4096 times as long"), "{found}");
    // An expression that tries all ways of reading a text gives up, and says so.
    let endless =
        json!({"type": "Split", "pattern": {"Regex": "(?:(?=a)a|(?=a)a)*b"}, "behavior": "Isolated", "invert": false});
    let found = changed(&|value| value["pre_tokenizer"]["pretokenizers"][0] = endless.clone(), &"a".repeat(60));
    assert!(matches!(found, Ok(Err(RunError::NotTokenized { .. }))), "{found:?}");
    let broken = json!({"type": "Split", "pattern": {"Regex": "(("}, "behavior": "Isolated", "invert": false});
    let found = changed(&|value| value["pre_tokenizer"]["pretokenizers"][0] = broken.clone(), "a");
    assert!(found.expect_err("it is refused").contains("the tokenizer cannot be used"));
    let same = |value: &mut Value| value["model"]["vocab"]["more"] = json!(5);
    assert!(changed(&same, "a").expect_err("it is refused").contains("the number 5 is that of two tokens"));
    let long = |value: &mut Value| value["model"]["vocab"]["x".repeat(70_000)] = json!(299);
    assert!(changed(&long, "a").expect_err("it is refused").contains("a token has 70000 bytes, more than 65536"));
    let unknown = |value: &mut Value| value["model"]["merges"] = json!([["t", "zz"]]);
    assert!(
        changed(&unknown, "a").expect_err("it is refused").contains("the merge `t zz` makes a token that there is not")
    );
}

#[test]
fn long_texts_without_spaces_are_tokenized() {
    // With work that grows by the square, one of these would not end in an hour.
    for (name, vocabulary) in [("chat.gguf", 300), ("characters.gguf", 309)] {
        let tokenizer = Tokenizer::load(&fixture(name), vocabulary).expect("the fixture is a vocabulary");
        for unit in ["x", "the", "1", "é", "\n", "!"] {
            let text = unit.repeat(150_000 / unit.len());
            let tokens = tokenizer.encode(&text, true).expect("it can be written");
            let back = tokenizer.decode(&tokens, true).expect("they are there");
            assert!(back.ends_with(text.as_bytes()) && back.len() <= text.len() + 1, "{name} {unit:?}");
        }
    }
}

/// Something else in the place of a value.
fn other() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!("x")),
        Just(json!("(")),
        Just(json!("\u{e9}")),
        Just(json!(true)),
        Just(json!(-1)),
        Just(json!(0)),
        Just(json!(1_000_000_000)),
        Just(json!(u64::MAX)),
        Just(json!(1e300)),
        Just(json!([["a", "b"], ["b", "a"]])),
        Just(json!({"type": "Sequence", "normalizers": [], "pretokenizers": [], "decoders": [], "processors": []})),
        Just(json!({"type": "Metaspace", "replacement": "é", "prepend_scheme": "always", "split": true})),
        Just(json!({"type": "Split", "pattern": {"String": ""}, "behavior": "MergedWithNext", "invert": true})),
        Just(json!({"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 7})),
        Just(json!({"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "a", "max_input_chars_per_word": 0,
            "continuing_subword_prefix": ""})),
    ]
}

/// Puts a value in the place of another, found by going down where the numbers say.
fn replace_at(value: &mut Value, path: &[usize], new: Value) {
    let [step, rest @ ..] = path else {
        *value = new;
        return;
    };
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            let index = step % entries.len();
            if let Some(value) = entries.values_mut().nth(index) {
                replace_at(value, rest, new);
            }
        }
        Value::Array(entries) if !entries.is_empty() => {
            let index = step % entries.len();
            replace_at(&mut entries[index], rest, new);
        }
        value => *value = new,
    }
}

fn use_all(path: &Path, vocabulary: usize) {
    if let Ok(tokenizer) = Tokenizer::load(path, vocabulary) {
        for special in [true, false] {
            if let Ok(tokens) = tokenizer.encode("the cat \u{e9} 12 <|start|>\n  ", special) {
                let _ = tokenizer.decode(&tokens, special);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn tokenizers_with_values_of_other_types_are_refused_or_read(
        changes in prop::collection::vec((prop::collection::vec(0..400_usize, 1..6), other()), 1..4),
        name in prop::sample::select(vec![("tokenizer", 300), ("characters", 309)]),
    ) {
        let mut value = json(&fixture(name.0).join("tokenizer.json"));
        for (path, new) in changes {
            replace_at(&mut value, &path, new);
        }
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("tokenizer.json"), value.to_string()).expect("it can be written");
        use_all(folder.path(), name.1);
    }

    #[test]
    fn damaged_vocabularies_of_gguf_files_are_refused_or_read(
        changes in prop::collection::vec((0.0..1.0, any::<u8>()), 0..6),
        keep in prop_oneof![Just(1.0), 0.0..1.0],
        name in prop::sample::select(vec![("chat.gguf", 300), ("characters.gguf", 309)]),
    ) {
        let mut bytes = fs::read(fixture(name.0)).expect("the fixture");
        // The vocabulary lies in the first 8 KB.
        let length = bytes.len().min(8 << 10);
        for (place, byte) in changes {
            bytes[(place * length as f64) as usize] = byte;
        }
        bytes.truncate((keep * bytes.len() as f64) as usize);
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("model.gguf");
        fs::write(&path, bytes).expect("it can be written");
        use_all(&path, name.1);
        if let Ok(Some(template)) = ChatTemplate::load(&path) {
            let _ = template.render(&[jackfield_plugin_api::Message::user("Hi")], true);
        }
    }
}
