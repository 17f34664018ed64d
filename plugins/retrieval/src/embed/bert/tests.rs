use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::vectors::dot;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bert")
}

fn expected() -> (Vec<String>, Vec<Vec<f64>>) {
    let made: Value = serde_json::from_slice(&fs::read(folder().join("expected.json")).unwrap()).unwrap();
    (serde_json::from_value(made["texts"].clone()).unwrap(), serde_json::from_value(made["vectors"].clone()).unwrap())
}

#[test]
fn vectors_are_those_of_the_reference_alone_and_together() {
    let (texts, expected) = expected();
    let bert = Bert::open(&folder(), None).unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = bert.embed(&texts).unwrap();
    for (at, text) in texts.iter().enumerate() {
        let alone = bert.embed(&[text]).unwrap();
        for vector in [together.row(at), alone.row(0)] {
            let furthest = vector.iter().zip(&expected[at]).map(|(x, y)| (f64::from(*x) - y).abs()).fold(0.0, f64::max);
            assert!(furthest < 1e-5, "{text:?}: {furthest}");
            assert!((dot(vector, vector) - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn a_vector_is_the_same_to_the_last_bit_whatever_stands_beside_it() {
    let (texts, _) = expected();
    let bert = Bert::open(&folder(), None).unwrap();
    // Enough for several threads, the parts cut in different places for each length.
    for count in [1, 2, 7, 60, 400] {
        let many: Vec<&str> = texts.iter().map(String::as_str).cycle().take(count).collect();
        for (row, text) in bert.embed(&many).unwrap().rows().zip(&many) {
            assert_eq!(row, bert.embed(&[text]).unwrap().row(0), "{count}: {text:?}");
        }
    }
}

#[test]
fn parts_hold_every_text_once_and_share_the_work() {
    let texts: Vec<Vec<u32>> = (0..100).map(|at| vec![0; at % 13]).collect();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    for threads in [1, 2, 3, 8] {
        let parts = parts(&texts, threads);
        assert_eq!(parts.concat(), texts);
        assert!(parts.len() >= threads, "{threads}");
        assert!(parts.iter().all(|part| part.concat().len() < AT_ONCE + 13));
    }
    assert!(parts(&[], 2).is_empty());
    assert_eq!(parts(&[&[], &[]], 2).len(), 1);
}

#[test]
fn a_text_is_read_up_to_the_longest() {
    let bert = Bert::open(&folder(), Some(8)).unwrap();
    let rows = bert.embed(&["the owl hunts at night", "the owl hunts at night by day by day"]).unwrap();
    // `hunts` is two tokens: with both ends that makes eight.
    assert_eq!(rows.row(0), rows.row(1));
    let long = "the owl hunts at night ".repeat(40);
    let rows = bert.embed(&[&long, &long[..long.len() / 2]]).unwrap();
    assert_eq!(rows.row(0), rows.row(1));
}

#[test]
fn stages_with_one_folder_share_the_model() {
    let (left, right) = (Bert::open(&folder(), None).unwrap(), Bert::open(&folder(), None).unwrap());
    assert!(Arc::ptr_eq(&left, &right));
    assert!(bert_rows(&left, &[]).is_empty());
}

fn bert_rows(bert: &Bert, texts: &[&str]) -> Vectors {
    bert.embed(texts).unwrap()
}

#[test]
fn a_folder_that_lacks_a_file_is_named() {
    let failure = Bert::open(Path::new("/nowhere"), None).err().unwrap();
    assert!(matches!(&failure, Failure::InvalidConfig(why) if why.contains("/nowhere/model.safetensors")), "{failure}");
}

/// The fixture with one file written anew.
fn with(name: &str, made: impl FnOnce(Vec<u8>) -> Vec<u8>) -> TempDir {
    let new = TempDir::new().unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(folder().join(file), new.path().join(file)).unwrap();
    }
    let path = new.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, made(fs::read(&path).unwrap_or_default())).unwrap();
    new
}

/// Why a folder is refused; the reason names the file.
fn fault(folder: &TempDir, file: &str) -> String {
    match Bert::open(folder.path(), None).err() {
        Some(Failure::InvalidConfig(why)) if why.contains(file) => why,
        other => panic!("{file}: {other:?}"),
    }
}

fn with_number(key: &str, value: Value) -> TempDir {
    with("config.json", |bytes| {
        let mut config: Value = serde_json::from_slice(&bytes).unwrap();
        config[key] = value;
        config.to_string().into_bytes()
    })
}

#[test]
fn numbers_that_make_no_model_are_named_and_take_no_memory() {
    for key in ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"] {
        for value in [json!(0), json!(-1), json!(1.5), json!("8"), json!(null)] {
            assert!(fault(&with_number(key, value), "config.json").contains(key), "{key}");
        }
    }
    assert!(fault(&with_number("num_attention_heads", json!(3)), "config.json").contains("has to divide"));
    for (key, tensor) in [
        ("vocab_size", "embeddings.word_embeddings.weight"),
        ("hidden_size", "embeddings.word_embeddings.weight"),
        ("max_position_embeddings", "embeddings.position_embeddings.weight"),
        ("type_vocab_size", "embeddings.token_type_embeddings.weight"),
        ("intermediate_size", "encoder.layer.0.intermediate.dense.weight"),
        ("num_hidden_layers", "encoder.layer.2.attention.self.query.weight"),
    ] {
        for value in [json!(1_000_000_000_000u64), json!(u64::MAX - 1)] {
            let why = fault(&with_number(key, value), "model.safetensors");
            assert!(why.contains(tensor), "{key}: {why}");
        }
    }
    for (key, value) in [
        ("model_type", json!("roberta")),
        ("hidden_act", json!("relu")),
        ("position_embedding_type", json!("relative_key")),
        ("layer_norm_eps", json!(-1)),
    ] {
        assert!(fault(&with_number(key, value), "config.json").contains(key));
    }
}

#[test]
fn a_file_that_is_cut_off_is_no_model() {
    let length = fs::metadata(folder().join("model.safetensors")).unwrap().len() as usize;
    for keep in [0, 7, 8, 100, 4000, length - 1] {
        let cut = with("model.safetensors", |bytes| bytes[..keep].to_vec());
        assert!(fault(&cut, "model.safetensors").contains("not a whole safetensors file"), "{keep}");
    }
    // A header that is said to be larger than any machine's memory.
    let vast = with("model.safetensors", |mut bytes| {
        bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        bytes
    });
    fault(&vast, "model.safetensors");
    for name in ["config.json", "tokenizer.json"] {
        fault(&with(name, |bytes| bytes[..bytes.len() / 2].to_vec()), name);
    }
}

#[test]
fn a_weight_that_is_no_number_is_refused() {
    let broken = with("model.safetensors", |mut bytes| {
        let end = bytes.len() - 4;
        bytes[end..].copy_from_slice(&f32::NAN.to_le_bytes());
        bytes
    });
    assert!(fault(&broken, "model.safetensors").contains("no finite number"));
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let other = with("tokenizer.json", |bytes| {
        let mut file: Value = serde_json::from_slice(&bytes).unwrap();
        file["model"]["vocab"]["zebra"] = json!(20_000);
        file.to_string().into_bytes()
    });
    assert!(fault(&other, "tokenizer.json").contains("a token 20000"));
}

#[test]
fn the_first_token_is_the_vector_where_the_folder_says_so() {
    let pools = |modes: Value| with("1_Pooling/config.json", |_| modes.to_string().into_bytes());
    let (first, mean) = (
        pools(json!({ "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false, "include_prompt": true })),
        pools(json!({ "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true })),
    );
    let text = "the owl hunts at night";
    let bert = Bert::open(first.path(), None).unwrap();
    let tokens = bert.tokenizer.tokens(text, 32);
    let mut row = bert.encoder.forward(&[&tokens]).row(0).to_vec();
    normalize(&mut row);
    assert_eq!(bert.embed(&[text]).unwrap().row(0), row);
    assert_ne!(Bert::open(mean.path(), None).unwrap().embed(&[text]).unwrap().row(0), row);
    let other = pools(json!({ "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": true }));
    assert!(fault(&other, "1_Pooling").contains("max_tokens"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_file_holds_nothing_panics(at in 0usize..4000, bit in 0u8..8, file in 0usize..3) {
        let name = ["model.safetensors", "config.json", "tokenizer.json"][file];
        let changed = with(name, |mut bytes| {
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            bytes
        });
        if let Ok(bert) = Bert::open(changed.path(), None) {
            prop_assert_eq!(bert.embed(&["the owl hunts"]).unwrap().len(), 1);
        }
    }
}
