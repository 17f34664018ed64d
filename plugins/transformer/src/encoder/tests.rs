use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bert")
}

fn expected() -> (Vec<String>, Vec<Vec<f64>>) {
    let text = fs::read(folder().join("expected.json")).expect("the fixture is there");
    let made: Value = serde_json::from_slice(&text).expect("the fixture is JSON");
    let texts = serde_json::from_value(made["texts"].clone()).expect("texts");
    (texts, serde_json::from_value(made["vectors"].clone()).expect("vectors"))
}

fn encoder(kernel: Kernel) -> SentenceEncoder {
    SentenceEncoder::load_with(&folder(), None, kernel).expect("the fixture is a model")
}

fn kernels() -> impl Iterator<Item = Kernel> {
    [Kernel::Fused, Kernel::Portable].into_iter().filter(|kernel| kernel.is_available())
}

fn embed(encoder: &SentenceEncoder, texts: &[&str], threads: usize) -> Vec<Vec<f32>> {
    let threads = NonZero::new(threads).expect("there is a thread");
    let vectors = encoder.embed(texts, threads).expect("the model is sound");
    vectors.chunks_exact(encoder.dimensions()).map(<[f32]>::to_vec).collect()
}

#[test]
fn vectors_are_those_of_the_reference_alone_and_together() {
    let (texts, expected) = expected();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for kernel in kernels() {
        let encoder = encoder(kernel);
        let together = embed(&encoder, &texts, 2);
        for (index, text) in texts.iter().enumerate() {
            for vector in [&together[index], &embed(&encoder, &[text], 1)[0]] {
                let differences = vector.iter().zip(&expected[index]).map(|(x, y)| (f64::from(*x) - y).abs());
                let furthest = differences.fold(0.0, f64::max);
                assert!(furthest < 1e-6, "{kernel:?} {text:?}: {furthest}");
            }
        }
    }
}

#[test]
fn a_vector_has_the_same_bits_whatever_stands_beside_it_and_at_any_number_of_threads() {
    let (texts, _) = expected();
    for kernel in kernels() {
        let encoder = encoder(kernel);
        let alone: Vec<Vec<f32>> = texts.iter().map(|text| embed(&encoder, &[text], 1).remove(0)).collect();
        // Enough for several parts, cut in different places for each count and number of threads.
        for count in [1, 2, 7, 60, 400] {
            let many: Vec<&str> = texts.iter().map(String::as_str).cycle().take(count).collect();
            for threads in [1, 2, 3, 8] {
                for (row, vector) in embed(&encoder, &many, threads).into_iter().enumerate() {
                    assert_eq!(vector, alone[row % texts.len()], "{kernel:?} {count} {threads} {row}");
                }
            }
        }
    }
}

#[test]
fn parts_hold_every_text_once_and_share_the_work() {
    let texts: Vec<Vec<u32>> = (0..100).map(|index| vec![0; index % 13]).collect();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    for threads in [1, 2, 3, 8] {
        let parts = parts(&texts, threads);
        assert_eq!(parts.concat(), texts);
        assert!(parts.len() >= threads, "{threads}");
        assert!(parts.iter().all(|part| part.concat().len() < layers::ROWS_AT_ONCE + 13));
    }
    assert!(parts(&[], 2).is_empty());
    assert_eq!(parts(&[&[], &[]], 2).len(), 1);
    assert!(embed(&encoder(Kernel::Portable), &[], 2).is_empty());
}

#[test]
fn a_text_is_read_up_to_the_longest() {
    let encoder = SentenceEncoder::load(&folder(), Some(8)).expect("the fixture is a model");
    // `hunts` is two tokens: with both ends that makes eight.
    let rows = embed(&encoder, &["the owl hunts at night", "the owl hunts at night by day by day"], 1);
    assert_eq!(rows[0], rows[1]);
    let long = "the owl hunts at night ".repeat(400);
    let rows = embed(&encoder, &[&long, &long[..long.len() / 2]], 1);
    assert_eq!(rows[0], rows[1]);
    let whole = SentenceEncoder::load(&folder(), None).expect("the fixture is a model");
    assert_ne!(whole.identity(), encoder.identity());
    assert_ne!(encoder.identity(), SentenceEncoder::load(&folder(), Some(9)).expect("it is a model").identity());
}

/// The fixture with one file written anew.
fn with(name: &str, made: impl FnOnce(Vec<u8>) -> Vec<u8>) -> TempDir {
    let new = TempDir::new().expect("a folder");
    for file in [CONFIG, TOKENIZER, WEIGHTS] {
        fs::copy(folder().join(file), new.path().join(file)).expect("the fixture is there");
    }
    let path = new.path().join(name);
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
    fs::write(&path, made(fs::read(&path).unwrap_or_default())).expect("it can be written");
    new
}

/// Why a folder is refused; the reason names the file.
fn fault(folder: &TempDir, file: &str) -> String {
    let error = SentenceEncoder::load(folder.path(), None).expect_err("it is wrong").to_string();
    assert!(error.contains(file), "{file}: {error}");
    error
}

fn with_key(key: &str, value: Value) -> TempDir {
    with(CONFIG, |text| {
        let mut config: Value = serde_json::from_slice(&text).expect("the fixture is JSON");
        config[key] = value;
        config.to_string().into_bytes()
    })
}

#[test]
fn numbers_that_do_not_make_a_model_are_named_and_take_no_memory() {
    let lengths = ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"];
    for key in lengths {
        for value in [json!(0), json!(-1), json!(1.5), json!("8"), json!(null), json!(u64::MAX)] {
            assert!(fault(&with_key(key, value), CONFIG).contains(key), "{key}");
        }
    }
    assert!(fault(&with_key("num_attention_heads", json!(3)), CONFIG).contains("must divide"));
    for (key, tensor) in [
        ("hidden_size", "embeddings.word_embeddings.weight"),
        ("max_position_embeddings", "embeddings.position_embeddings.weight"),
        ("type_vocab_size", "embeddings.token_type_embeddings.weight"),
        ("intermediate_size", "encoder.layer.0.intermediate.dense.weight"),
        ("num_hidden_layers", "encoder.layer.2.attention.self.query.weight"),
        ("vocab_size", "embeddings.word_embeddings.weight"),
    ] {
        let why = fault(&with_key(key, json!(4_000_000_000_u64)), WEIGHTS);
        assert!(why.contains(tensor), "{key}: {why}");
    }
    for (key, value) in [
        ("model_type", json!("roberta")),
        ("hidden_act", json!("relu")),
        ("position_embedding_type", json!("relative_key")),
        ("layer_norm_eps", json!(-1)),
    ] {
        assert!(fault(&with_key(key, value), CONFIG).contains(key));
    }
    let why = fault(&with_key("max_position_embeddings", json!(7)), "");
    assert!(why.contains("cannot read a sentence"), "{why}");
}

#[test]
fn a_file_that_is_missing_or_cut_off_is_named() {
    let failure = SentenceEncoder::load(Path::new("/nowhere"), None).expect_err("it is not there").to_string();
    assert!(failure.contains("/nowhere/config.json"), "{failure}");
    let length = fs::metadata(folder().join(WEIGHTS)).expect("the fixture is there").len() as usize;
    for keep in [0, 7, 8, 100, 4000, length - 1] {
        fault(&with(WEIGHTS, |bytes| bytes[..keep].to_vec()), WEIGHTS);
    }
    for name in [CONFIG, TOKENIZER] {
        fault(&with(name, |bytes| bytes[..bytes.len() / 2].to_vec()), name);
    }
    for name in ["sentence_bert_config.json", "1_Pooling/config.json"] {
        fault(&with(name, |_| b"[]".to_vec()), name);
    }
}

#[test]
fn a_weight_that_is_not_a_number_is_refused() {
    let broken = with(WEIGHTS, |mut bytes| {
        let end = bytes.len() - 4;
        bytes[end..].copy_from_slice(&f32::NAN.to_le_bytes());
        bytes
    });
    assert!(fault(&broken, WEIGHTS).contains("is not finite"));
}

#[test]
fn weights_that_exceed_floats_give_an_error_and_never_a_vector() {
    let broken = with(WEIGHTS, |mut bytes| {
        let end = bytes.len() - 4;
        bytes[end..].copy_from_slice(&f32::MAX.to_le_bytes());
        let header = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        for word in bytes[8 + header..].as_chunks_mut::<4>().0 {
            *word = f32::MAX.to_le_bytes();
        }
        bytes
    });
    let encoder = SentenceEncoder::load(broken.path(), None).expect("the numbers are finite");
    let found = encoder.embed(&["the owl"], NonZero::<usize>::MIN);
    assert_eq!(found, Err(RunError::VectorNotFinite { text: 0 }));
}

#[test]
fn files_that_checksums_list_are_compared_with_them() {
    let sound = with(crate::CHECKSUMS, |_| crate::checksums(&folder()).expect("it can be read").into_bytes());
    for name in ["expected.json", "tokens.json"] {
        fs::copy(folder().join(name), sound.path().join(name)).expect("the fixture is there");
    }
    SentenceEncoder::load(sound.path(), None).expect("nothing was changed");
    let path = sound.path().join(CONFIG);
    let mut text = fs::read(&path).expect("it is there");
    text.push(b'\n');
    fs::write(&path, text).expect("it can be written");
    assert!(fault(&sound, CONFIG).contains("SHA-256"));
}

/// The fixture's weights with the header's text changed; the data stay where they are.
fn with_header(change: impl FnOnce(String) -> String) -> TempDir {
    with(WEIGHTS, |bytes| {
        let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        let header = change(String::from_utf8(bytes[8..8 + length].to_vec()).expect("the header is text"));
        let mut changed = (header.len() as u64).to_le_bytes().to_vec();
        changed.extend(header.as_bytes());
        changed.extend(&bytes[8 + length..]);
        changed
    })
}

#[test]
fn tensors_are_found_under_any_name_and_those_of_other_types_that_nobody_needs_are_passed_over() {
    let wanted = embed(&encoder(Kernel::best()), &["the owl hunts"], 1);
    for prefix in ["bert.", "model.encoder_of_sentences."] {
        let named = with_header(|header| {
            header
                .replace("\"embeddings.", &format!("\"{prefix}embeddings."))
                .replace("\"encoder.", &format!("\"{prefix}encoder."))
        });
        let encoder = SentenceEncoder::load(named.path(), None).expect("it is the same model");
        assert_eq!(embed(&encoder, &["the owl hunts"], 1), wanted);
    }
    let numbered = with_header(|header| {
        let rest = header.trim_start().strip_prefix('{').expect("an object").to_owned();
        format!(r#"{{"embeddings.position_ids":{{"dtype":"I64","shape":[1,0],"data_offsets":[0,0]}},{rest}"#)
    });
    let encoder = SentenceEncoder::load(numbered.path(), None).expect("it is the same model");
    assert_eq!(embed(&encoder, &["the owl hunts"], 1), wanted);
    let twice = with_header(|header| {
        let rest = header.trim_start().strip_prefix('{').expect("an object").to_owned();
        let more = r#""dtype":"F32","shape":[0],"data_offsets":[0,0]"#;
        format!(r#"{{"bert.embeddings.word_embeddings.weight":{{{more}}},{rest}"#)
    });
    assert!(fault(&twice, WEIGHTS).contains("stands there twice"));
}

#[test]
fn the_vector_is_what_the_folder_says() {
    let pools = |modes: Value| with("1_Pooling/config.json", |_| modes.to_string().into_bytes());
    let text = "the owl hunts at night";
    let encoder = encoder(Kernel::best());
    let tokens = encoder.pieces.tokens(text, 32).expect("it becomes tokens");
    let mut pass = Pass::new(&encoder.settings, &encoder.weights, encoder.kernel);
    let rows: Vec<Vec<f32>> = pass.read(&[&tokens]).chunks_exact(encoder.dimensions()).map(<[f32]>::to_vec).collect();
    let unit = |row: Vec<f32>| {
        let norm = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
        row.iter().map(|x| (f64::from(*x) / norm) as f32).collect::<Vec<f32>>()
    };
    let greatest = (0..8).map(|at| rows.iter().map(|row| row[at]).fold(f32::NEG_INFINITY, f32::max)).collect();
    let plain = embed(&encoder, &[text], 1).remove(0);
    let mut identities = vec![*encoder.identity()];
    for (mode, wanted) in [("cls_token", unit(rows[0].clone())), ("max_tokens", unit(greatest))] {
        let folder = pools(json!({ format!("pooling_mode_{mode}"): true, "pooling_mode_mean_tokens": false }));
        let other = SentenceEncoder::load(folder.path(), None).expect("the mode is known");
        assert_eq!(embed(&other, &[text], 1)[0], wanted, "{mode}");
        assert_ne!(wanted, plain);
        identities.push(*other.identity());
    }
    let mean = pools(json!({ "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true }));
    let mean = SentenceEncoder::load(mean.path(), None).expect("the mode is known");
    assert_eq!((embed(&mean, &[text], 1).remove(0), mean.identity()), (plain, encoder.identity()));
    identities.sort_unstable();
    identities.dedup();
    assert_eq!(identities.len(), 3);
    for modes in [
        json!({ "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": true }),
        json!({ "pooling_mode_lasttoken": true }),
        json!({}),
    ] {
        assert!(fault(&pools(modes), "1_Pooling").contains("must be one of"));
    }
}

#[test]
fn the_activation_is_what_the_folder_says() {
    let text = "the owl hunts at night";
    let exact = embed(&encoder(Kernel::best()), &[text], 1).remove(0);
    let tangent = SentenceEncoder::load(with_key("hidden_act", json!("gelu_new")).path(), None).expect("it is known");
    let tangent = embed(&tangent, &[text], 1).remove(0);
    let furthest = exact.iter().zip(&tangent).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(furthest > 0.0 && furthest < 1e-2, "{furthest}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_file_holds_nothing_panics(index in 0_usize..4000, bit in 0_u8..8, file in 0_usize..3) {
        let changed = with([WEIGHTS, CONFIG, TOKENIZER][file], |mut bytes| {
            let index = index % bytes.len();
            bytes[index] ^= 1 << bit;
            bytes
        });
        if let Ok(encoder) = SentenceEncoder::load(changed.path(), None)
            && let Ok(vectors) = encoder.embed(&["the owl hunts"], NonZero::<usize>::MIN)
        {
            prop_assert_eq!(vectors.len(), encoder.dimensions());
        }
    }
}
