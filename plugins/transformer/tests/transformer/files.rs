//! Files that are wrong are refused with an error that names the file and the fault.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jackfield_transformer::{Architecture, LoadError, LoadFault, Transformer, checksums};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{fixture, load, read};

const CONFIG: &str = "config.json";
const INDEX: &str = "model.safetensors.index.json";
const FIRST: &str = "model-00001-of-00002.safetensors";

/// A copy of the folder, without checksums, to do damage to.
fn copy() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for entry in fs::read_dir(fixture("tiny")).expect("the fixture") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name");
        if name != "checksums.json" {
            fs::copy(&path, folder.path().join(name)).expect("a copy");
        }
    }
    folder
}

fn refused(path: &Path) -> LoadError {
    Transformer::load(path).map(|_| ()).expect_err("it is wrong")
}

/// What is said of the folder once a file of JSON is changed.
fn fault(name: &str, change: impl FnOnce(&mut Value)) -> String {
    let folder = copy();
    let path = folder.path().join(name);
    let mut value: Value = serde_json::from_slice(&fs::read(&path).expect("it is there")).expect("it is JSON");
    change(&mut value);
    fs::write(&path, value.to_string()).expect("it can be written");
    refused(folder.path()).to_string()
}

/// What is said of the folder once the bytes of a file are changed.
fn damaged(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> LoadError {
    let folder = copy();
    let path = folder.path().join(name);
    let mut bytes = fs::read(&path).expect("it is there");
    change(&mut bytes);
    fs::write(&path, bytes).expect("it can be written");
    refused(folder.path())
}

fn gguf(change: impl FnOnce(&mut Vec<u8>)) -> Result<Transformer, LoadError> {
    let mut bytes = fs::read(fixture("tiny.gguf")).expect("the fixture");
    change(&mut bytes);
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("model.gguf");
    fs::write(&path, bytes).expect("it can be written");
    Transformer::load(&path)
}

#[test]
fn a_configuration_that_cannot_be_is_refused_by_key() {
    for (key, value, wanted) in [
        ("num_attention_heads", json!(0), "`num_attention_heads`: it is 0, and must be a whole number from 1 to"),
        ("num_hidden_layers", json!(1_000_000_000_000_u64), "`num_hidden_layers`: it is 1000000000000, and must be"),
        ("num_hidden_layers", json!(3), "the tensor `model.layers.2.input_layernorm.weight` is missing"),
        ("num_hidden_layers", json!(1), "is not one of the Llama architecture"),
        ("num_attention_heads", json!(5), "5 heads do not share a hidden state of 32 evenly"),
        ("num_attention_heads", json!(32), "heads of 1 components do not make pairs"),
        ("num_key_value_heads", json!(3), "4 heads do not share 3 heads of keys evenly"),
        ("num_key_value_heads", json!(4), "has the shape [16, 32], but the configuration makes it [32, 32]"),
        (
            "vocab_size",
            json!(49),
            "`model.embed_tokens.weight` has the shape [48, 32], but the configuration makes it [49, 32]",
        ),
        ("vocab_size", json!(-1), "`vocab_size`: it is -1"),
        ("hidden_size", json!(1_u64 << 40), "`hidden_size`: it is 1099511627776"),
        ("intermediate_size", Value::Null, "`intermediate_size`: it is missing"),
        ("rms_norm_eps", json!(0), "`rms_norm_eps`: it is 0, and must be a number above 0"),
        ("rms_norm_eps", json!(1e-300), "`rms_norm_eps`: it is 1e-300, and must be a number above 0"),
        ("model_type", json!("mamba"), "the architecture `mamba` does not run here"),
        (
            "architectures",
            json!(["LlamaForSequenceClassification"]),
            "the architecture `LlamaForSequenceClassification`",
        ),
        ("attention_bias", json!(true), "the architecture `llama with attention_bias` does not run here"),
        ("hidden_act", json!("relu"), "the architecture `llama with relu` does not run here"),
        ("quantization_config", json!({"quant_method": "awq"}), "the type `awq` is not read here"),
        ("rope_scaling", json!({"rope_type": "yarn"}), "the position encoding `yarn` does not run here"),
        ("rope_scaling", json!({"type": "llama3"}), "`low_freq_factor`: it is missing"),
        ("rope_scaling", json!(7), "`rope_scaling`: it must be a table"),
        ("partial_rotary_factor", json!(0.5), "the position encoding `partial_rotary_factor` does not run here"),
        ("eos_token_id", json!(48), "there is no token 48 in a vocabulary of 48"),
        ("eos_token_id", json!("</s>"), "`eos_token_id`: it is \\\"</s>\\\", and must be a token"),
        ("tie_word_embeddings", json!(false), "the tensor `lm_head.weight` is missing"),
    ] {
        let found = fault(CONFIG, |config| config[key] = value.clone());
        assert!(found.contains(wanted), "{key} {value}: {found}");
        assert!(found.starts_with("cannot load `/"), "{found}");
    }
    let two = json!({"rope_type": "llama3", "factor": 1, "low_freq_factor": 4, "high_freq_factor": 4});
    assert!(fault(CONFIG, |config| config["rope_scaling"] = two).contains("it must be above low_freq_factor"));
    let long = damaged(CONFIG, |bytes| bytes.resize(5 << 20, b' '));
    assert!(matches!(long.fault, LoadFault::TooMany { what: "bytes", .. }), "{long}");
    assert!(damaged(CONFIG, |bytes| bytes.truncate(40)).to_string().contains("it is not the JSON it should be"));
}

#[test]
fn an_index_that_does_not_fit_its_files_is_refused() {
    let shard = |value: &str| {
        let value = json!(value);
        fault(INDEX, |index| index["weight_map"]["model.norm.weight"] = value)
    };
    assert!(shard("../x.safetensors").contains("`../x.safetensors` is not the plain name of a file"));
    assert!(shard("/etc/passwd").contains("is not the plain name of a file"));
    assert!(shard("gone.safetensors").contains("gone.safetensors`: cannot read it"));
    assert!(shard(FIRST).contains("`model.norm.weight`: the index does not list the tensor under this file"));
    let extra = fault(INDEX, |index| index["weight_map"]["more"] = json!(FIRST));
    assert!(extra.contains("the tensor `more` is missing"), "{extra}");
    let gone = copy();
    fs::remove_file(gone.path().join(FIRST)).expect("it was there");
    let found = refused(gone.path()).to_string();
    assert!(found.contains(FIRST) && found.contains("cannot read it"), "{found}");
    fs::remove_file(gone.path().join(INDEX)).expect("it was there");
    assert!(refused(gone.path()).to_string().contains("model.safetensors`: cannot read it"));
    fs::remove_file(gone.path().join(CONFIG)).expect("it was there");
    assert!(refused(gone.path()).to_string().contains("config.json`: cannot read it: the file is missing"));
}

#[test]
fn weights_that_are_cut_short_or_not_finite_are_refused() {
    let whole = fs::read(fixture("tiny").join(FIRST)).expect("the fixture");
    for keep in [0, 7, 8, 100, whole.len() - 1] {
        let found = damaged(FIRST, |bytes| bytes.truncate(keep));
        assert!(found.path.ends_with(FIRST), "{found}");
        assert!(
            matches!(found.fault, LoadFault::Truncated { .. } | LoadFault::OutOfRange { .. } | LoadFault::NotJson(_)),
            "{keep}: {found}"
        );
    }
    // The last number of the file, whose type has 16 bits, becomes a NaN.
    let found = damaged(FIRST, |bytes| {
        let end = bytes.len();
        bytes[end - 2..].copy_from_slice(&[0xff, 0xff]);
    });
    assert!(matches!(found.fault, LoadFault::NotFinite { .. }), "{found}");
    assert!(found.to_string().contains("is not finite at row"), "{found}");
}

#[test]
fn checksums_are_compared_before_anything_is_read() {
    let folder = copy();
    let text = checksums(folder.path()).expect("it can be read");
    let sums: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(sums["files"].as_object().expect("an object").len(), 4);
    let write = |sums: &Value| fs::write(folder.path().join("checksums.json"), sums.to_string()).expect("it can be");
    write(&sums);
    assert!(read(&load(folder.path()), &[(&[1, 2], None)]) == read(&load(&fixture("tiny")), &[(&[1, 2], None)]));
    for (change, wanted) in [
        (json!({"algorithm": "md5", "files": {}}), "`algorithm`: it is"),
        (json!({"algorithm": "sha256", "files": {}}), "it does not list `model-0000"),
        (json!({"algorithm": "sha256"}), "it is not the JSON it should be"),
    ] {
        write(&change);
        let found = refused(folder.path()).to_string();
        assert!(found.contains(wanted) && found.contains("checksums.json`"), "{found}");
    }
    let mut outside = sums.clone();
    outside["files"]["../x"] = json!("00");
    write(&outside);
    assert!(refused(folder.path()).to_string().contains("`../x` is not the plain name of a file"));
    let mut wrong = sums.clone();
    wrong["files"][FIRST] = json!("00");
    write(&wrong);
    let found = refused(folder.path());
    assert!(found.path.ends_with(FIRST) && matches!(found.fault, LoadFault::WrongChecksum { .. }), "{found}");
}

#[test]
fn a_gguf_file_that_cannot_be_is_refused_by_its_fault() {
    let fault = |change: &dyn Fn(&mut Vec<u8>)| gguf(change).map(|_| ()).expect_err("it is wrong").fault;
    let set = |place: usize, new: &'static [u8]| {
        move |bytes: &mut Vec<u8>| bytes[place..place + new.len()].copy_from_slice(new)
    };
    let swap = |old: &'static str, new: &'static str| {
        assert_eq!(old.len(), new.len());
        move |bytes: &mut Vec<u8>| {
            let found = bytes.windows(old.len()).position(|part| part == old.as_bytes()).expect("it is there");
            bytes[found..found + old.len()].copy_from_slice(new.as_bytes());
        }
    };
    assert!(matches!(fault(&set(0, b"GGML")), LoadFault::BadMagic(magic) if magic == *b"GGML"));
    assert!(matches!(fault(&set(4, &[1, 0, 0, 0])), LoadFault::UnknownVersion(1)));
    assert!(matches!(fault(&set(4, &[0, 0, 0, 3])), LoadFault::UnknownVersion(50_331_648)));
    assert!(matches!(fault(&set(8, &[0xff; 8])), LoadFault::TooMany { what: "tensors", .. }));
    assert!(matches!(fault(&set(16, &[0xff; 8])), LoadFault::TooMany { what: "entries of metadata", .. }));
    assert!(matches!(fault(&set(24, &[0xff; 8])), LoadFault::TooMany { what: "bytes of a name", .. }));
    assert!(
        matches!(fault(&swap("blk.0.attn_q", "blk.0.attn_k")), LoadFault::Twice(name) if name == "blk.0.attn_k.weight")
    );
    assert!(
        matches!(fault(&swap("blk.0.attn_q", "blk.0.attn_x")), LoadFault::MissingTensor(name) if name == "blk.0.attn_q.weight")
    );
    assert!(
        matches!(fault(&swap("general.architecture", "general.architectura")), LoadFault::WrongKey { key, .. } if key == "general.architecture")
    );
    assert!(
        matches!(fault(&swap("llama.block_count", "llama.black_count")), LoadFault::WrongKey { key, .. } if key == "llama.block_count")
    );
    let named = |bytes: &mut Vec<u8>| {
        let place = bytes.windows(5).position(|part| part == b"llama").expect("it is there");
        bytes[place..place + 5].copy_from_slice(b"gemma");
    };
    assert!(matches!(fault(&named), LoadFault::UnknownArchitecture(name) if name == "gemma"));
    let kind = |new: u8| {
        move |bytes: &mut Vec<u8>| {
            let name = b"blk.1.ffn_up.weight";
            let place = bytes.windows(name.len()).position(|part| part == name).expect("it is there");
            // After the name: the number of dimensions, two of them, the type, the offset.
            bytes[place + name.len() + 20] = new;
        }
    };
    assert!(matches!(fault(&kind(16)), LoadFault::UnknownQuantization(name) if name == "IQ2_XXS"));
    assert!(matches!(fault(&kind(99)), LoadFault::UnknownQuantization(name) if name == "type 99"));
    let offset = |new: u64| {
        move |bytes: &mut Vec<u8>| {
            let name = b"blk.1.ffn_up.weight";
            let place = bytes.windows(name.len()).position(|part| part == name).expect("it is there");
            bytes[place + name.len() + 24..][..8].copy_from_slice(&new.to_le_bytes());
        }
    };
    assert!(matches!(fault(&offset(1)), LoadFault::Unaligned { begin: 1, alignment: 32, .. }));
    assert!(matches!(fault(&offset(0)), LoadFault::Overlap { .. }));
    assert!(matches!(fault(&offset(1 << 40)), LoadFault::OutOfRange { .. }));
    assert!(matches!(fault(&offset(u64::MAX - 31)), LoadFault::OutOfRange { .. }));
    let whole = fs::metadata(fixture("tiny.gguf")).expect("the fixture").len() as usize;
    for keep in (0..whole).step_by(97) {
        let found = fault(&|bytes| bytes.truncate(keep));
        assert!(matches!(found, LoadFault::Truncated { .. } | LoadFault::OutOfRange { .. }), "{keep}: {found}");
    }
    let missing = Transformer::load(Path::new("/nowhere/model.gguf")).map(|_| ()).expect_err("it is not there");
    assert!(missing.to_string().starts_with("cannot load `/nowhere/model.gguf`: cannot read it"), "{missing}");
}

#[test]
fn what_a_model_is_can_be_read_without_its_weights() {
    for (name, base, ends) in [("tiny", 10_000.0, vec![2, 3]), ("tiny.gguf", 10_000.0, vec![2])] {
        let read = Architecture::read(&fixture(name)).expect("the fixture is a model");
        assert_eq!(&read, load(&fixture(name)).architecture());
        assert_eq!((read.layers, read.hidden, read.heads, read.key_value_heads, read.head), (2, 32, 4, 2, 8));
        assert_eq!((read.rope_base, read.begin, read.ends), (base, Some(1), ends));
    }
}

/// A place in the first bytes of a file: that is where numbers stand that everything depends on.
fn place() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..0.2, 0.0..1.0]
}

fn changed(path: PathBuf, changes: &[(f64, u8)], keep: f64) -> Vec<u8> {
    let mut bytes = fs::read(path).expect("the fixture");
    for (place, byte) in changes {
        let place = (place * bytes.len() as f64) as usize;
        bytes[place] = *byte;
    }
    bytes.truncate((keep * bytes.len() as f64) as usize);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_gguf_files_are_refused_or_run(
        changes in prop::collection::vec((place(), any::<u8>()), 0..4),
        keep in prop_oneof![Just(1.0), 0.0..1.0],
    ) {
        let bytes = changed(fixture("tiny.gguf"), &changes, keep);
        let loaded = gguf(|file| *file = bytes);
        if let Ok(model) = loaded {
            read(&model, &[(&[1, 2], None)]);
        }
    }

    #[test]
    fn damaged_files_of_a_folder_are_refused_or_run(
        changes in prop::collection::vec((place(), any::<u8>()), 1..4),
        keep in prop_oneof![Just(1.0), 0.0..1.0],
        name in prop::sample::select(vec![CONFIG, INDEX, FIRST]),
    ) {
        let folder = copy();
        fs::write(folder.path().join(name), changed(fixture("tiny").join(name), &changes, keep)).expect("it can be written");
        if let Ok(model) = Transformer::load(folder.path()) {
            read(&model, &[(&[1, 2], None)]);
        }
    }
}
