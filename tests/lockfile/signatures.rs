//! Signatures beside plugin files.

use std::{fs, path::Path};

use insta::assert_snapshot;
use jackfield_loader::lock::{NewKey, SignatureError, Signers, SigningKey, TrustedKey, generate_key};

use super::{ONE, flip, hand, lockfile, original, plain, plugins, refused, run};
use crate::{
    bad_plugins::{
        component::Hand,
        native::{library, note},
    },
    support::Pipeline,
};

// What the `minisign` of Debian made: a key, and two signatures of one text, the second of the kind before 0.10.
const KEY: &str = "RWRLzfWoA+NNS87AHPfOReYB3Cag7/+mh2AxaUk2VIS2uWT+qlRO6Lfo";
const TEXT: &[u8] = b"not a plugin, but signed\n";
const SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RURLzfWoA+NNSydaG/A2lfiUCrrQzIaH/aPXjWwnevquK50fP/2QpGkJ6mD17+tEHWZdKlJoVFs6Yq8roscWn5JgBteNzLurOws=
trusted comment: for the tests of jackfield
zrbeLW4qTL0iKeStXvC/YX40qBQ37l2Z9eoE6azv3Ye12XLRRj4Ay3w6A3BpBl4FiXnXWnh91fhwyRn+QyEJDA==
";
const LEGACY: &str = "untrusted comment: signature from minisign secret key
RWRLzfWoA+NNS5KcBJDoIh6Qr/JeYCWFrwEtMKpx/8wsQglU1sP0lAi7KJinhWSLF0TkDTON0wcv1umSGa3ie/Hn9hHb+IcAEgU=
trusted comment: legacy
/Vo1ZABnYixY1hkmI9UjE6pizkjBO3YeIjTB16+OBBxUDyBT8Wcth4w+w9O9gFFU98FzZwYdueAku7QX0XNkCQ==
";

#[test]
fn signatures_of_minisign_itself_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let check = |content: &[u8], signature: &str| {
        fs::write(folder.path().join("file.minisig"), signature).expect("written");
        let signers = Signers { keys: vec![TrustedKey::parse(KEY).expect("a key")], required: true };
        signers.check(&file, content)
    };
    let signed = check(TEXT, SIGNATURE).expect("it holds").expect("it is there");
    assert_eq!((signed.key.to_string().as_str(), &*signed.comment), ("4B4DE303A8F5CD4B", "for the tests of jackfield"));
    check(TEXT, &SIGNATURE.replace('\n', "\r\n")).expect("it holds with other ends of lines");
    assert!(matches!(check(b"another text", SIGNATURE), Err(SignatureError::Wrong { .. })));
    assert!(matches!(check(TEXT, LEGACY), Err(SignatureError::Legacy { .. })));
    let forged = SIGNATURE.replace("for the tests", "for all uses");
    assert!(matches!(check(TEXT, &forged), Err(SignatureError::Wrong { .. })));
}

/// A pipeline with a component, signed, that trusts these keys.
fn pipeline(keys: &[&NewKey], more: &str) -> Pipeline {
    let lines: Vec<String> = keys.iter().map(|key| format!("\"{}\"", key.line)).collect();
    let trust = format!("[trust]\nkeys = [{}]\n{more}\n[input]", lines.join(", "));
    Pipeline::new(&ONE.replace("[input]", &trust)).with("hand.wasm", original())
}

fn key() -> NewKey {
    generate_key(None).expect("a key")
}

fn sign(folder: &Path, file: &str, key: &NewKey) {
    let content = fs::read(folder.join(file)).expect("a file");
    let signing = SigningKey::open(&key.secret, None).expect("opened");
    let signature = signing.sign(&content, &format!("timestamp:1795275977\tfile:{file}\thashed")).expect("signed");
    fs::write(folder.join(format!("{file}.minisig")), signature).expect("written");
}

fn signed(keys: &[&NewKey], by: &NewKey, more: &str) -> Pipeline {
    let pipeline = pipeline(keys, more);
    sign(pipeline.path(), "hand.wasm", by);
    pipeline
}

#[test]
fn a_plugin_that_is_signed_by_a_trusted_key_runs_and_verify_shows_by_whom() {
    let (key, other) = (key(), key());
    let pipeline = signed(&[&other, &key], &key, "signatures = \"required\"");
    run(&pipeline).expect_code(0);
    plugins(&pipeline, &["lock"]).expect_code(0);
    run(&pipeline).expect_code(0);
    let said = plugins(&pipeline, &["verify"]).expect_code(0).stdout;
    assert_snapshot!(plain(&pipeline, &said), @r#"hand: ok, wasm, signed by [key 1]: "timestamp:[time 1]\tfile:hand.wasm\thashed""#);
    let text = fs::read_to_string(lockfile(&pipeline)).expect("a lockfile");
    assert!(text.contains(&format!("signed_by = \"{}\"\n", key.id)), "{text}");
}

#[test]
fn a_signature_that_the_file_was_changed_under_is_refused() {
    let key = key();
    let pipeline = signed(&[&key], &key, "");
    flip(&pipeline.path().join("hand.wasm"), 8000);
    assert_snapshot!(refused(&pipeline));
}

#[test]
fn a_signature_of_another_file_is_refused() {
    let key = key();
    let pipeline = pipeline(&[&key], "").with("foot.wasm", hand(b"2.0.0", &[]));
    sign(pipeline.path(), "foot.wasm", &key);
    fs::rename(pipeline.path().join("foot.wasm.minisig"), pipeline.path().join("hand.wasm.minisig")).expect("moved");
    assert_snapshot!(refused(&pipeline));
}

#[test]
fn a_signature_by_a_key_that_is_not_trusted_is_refused() {
    let (key, other) = (key(), key());
    assert_snapshot!(refused(&signed(&[&key], &other, "")));
    // The same key by its name alone: anyone can make one.
    let mut forged = KEY.to_owned();
    forged.replace_range(20..30, "AAAAAAAAAA");
    let toml = ONE.replace("[input]", &format!("[trust]\nkeys = \"{forged}\"\n[input]"));
    let pipeline = Pipeline::new(&toml).with("hand.wasm", TEXT).with("hand.wasm.minisig", SIGNATURE);
    let said = refused(&pipeline);
    assert!(said.contains("is not what the key") && !said.contains("it is text"), "{said}");
}

#[test]
fn a_signature_that_is_cut_short_or_damaged_is_refused_wherever_it_was_cut() {
    let key = key();
    let pipeline = signed(&[&key], &key, "");
    let file = pipeline.path().join("hand.wasm.minisig");
    let whole = fs::read_to_string(&file).expect("a signature");
    let lines: Vec<&str> = whole.lines().collect();
    let cut = |text: &str| {
        fs::write(&file, text).expect("written");
        refused(&pipeline)
    };
    assert_snapshot!([cut(""), cut(lines[0]), cut(&lines[..3].join("\n")), cut(&whole[..whole.len() - 3])].join("\n"));
    let content = original();
    let signers = Signers { keys: vec![TrustedKey::parse(&key.line).expect("a key")], required: false };
    for end in 0..whole.len() - 1 {
        fs::write(&file, &whole[..end]).expect("written");
        let refused = signers.check(&pipeline.path().join("hand.wasm"), &content);
        assert!(refused.is_err(), "cut at {end}: {refused:?}");
    }
    // Any bit, but for the untrusted comment's own words and the case of nothing else.
    for bit in 8 * (lines[0].len() + 1)..8 * (whole.len() - 1) {
        let mut bytes = whole.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, bytes).expect("written");
        let refused = signers.check(&pipeline.path().join("hand.wasm"), &content);
        assert!(refused.is_err(), "bit {bit}: {refused:?}");
    }
}

#[test]
fn a_signature_that_is_not_there_is_missed_only_where_it_is_required() {
    let key = key();
    let lenient = pipeline(&[&key], "signatures = \"when-present\"");
    run(&lenient).expect_code(0);
    plugins(&lenient, &["lock"]).expect_code(0);
    assert_snapshot!(plugins(&lenient, &["verify"]).expect_code(0).stdout, @"hand: ok, wasm, not signed");
    // A signature that comes later is no cause for alarm.
    sign(lenient.path(), "hand.wasm", &key);
    run(&lenient).expect_code(0);
    assert_snapshot!(refused(&pipeline(&[&key], "signatures = \"required\"")));
}

#[test]
fn nothing_of_a_wrongly_signed_plugin_runs_not_even_to_show_what_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = folder.path().join("ran");
    let key = key();
    // A component that was locked: its like would be asked what it offers, and this one would trap over it.
    let component = signed(&[&key], &key, "");
    plugins(&component, &["lock"]).expect_code(0);
    let traps = Hand { describe: Some("unreachable".to_owned()), ..Hand::default() };
    let component = component.with("hand.wasm", traps.bytes());
    let said = refused(&component);
    assert_snapshot!(said);
    assert!(!said.contains("trapped"), "{said}");
    // A library, allowed and pinned by the pipeline itself.
    let constructor = format!(
        "#include <fcntl.h>
         __attribute__((constructor)) static void run(void) {{ creat(\"{}\", 0600); }}\n",
        ran.display()
    );
    let library = library(&(constructor + &note(0, 1)));
    let pinned = format!(
        "allow_native = true\nsha256 = \"{}\"\n[trust]\nkeys = [\"{}\"]\nsignatures = \"required\"\n[input]",
        jackfield_loader::Digest::of(&library),
        key.line
    );
    let native = Pipeline::new(&ONE.replace("hand.wasm\"\n", "hand.so\"\n").replace("[input]", &pinned));
    let native = native.with("hand.so", &library);
    refused(&native);
    assert!(!ran.exists(), "its constructor ran");
    // Signed, it gets as far as its constructor.
    sign(native.path(), "hand.so", &key);
    run(&native).expect_code(2);
    assert!(ran.exists());
}

#[test]
fn a_signature_that_was_locked_may_not_go_missing_or_change_hands() {
    let (key, other) = (key(), key());
    let pipeline = signed(&[&key, &other], &key, "");
    plugins(&pipeline, &["lock"]).expect_code(0);
    sign(pipeline.path(), "hand.wasm", &other);
    let by_another = refused(&pipeline);
    fs::remove_file(pipeline.path().join("hand.wasm.minisig")).expect("removed");
    let gone = refused(&pipeline);
    assert_snapshot!([by_another, gone].join("\n"));
    // To trust nobody any more is no way round it.
    let pipeline = pipeline.with("pipeline.toml", ONE);
    let untrusting = refused(&pipeline);
    assert!(untrusting.contains("does not come with the signature"), "{untrusting}");
    plugins(&pipeline, &["update"]).expect_code(0);
    run(&pipeline).expect_code(0);
}

#[test]
fn a_plugin_whose_signature_does_not_hold_cannot_be_accepted() {
    let key = key();
    let pipeline = signed(&[&key], &key, "");
    flip(&pipeline.path().join("hand.wasm"), 8000);
    for command in ["lock", "update"] {
        let done = plugins(&pipeline, &[command]).expect_code(1);
        assert!(done.stderr.contains("is not what the key"), "{done:#?}");
        assert!(!lockfile(&pipeline).exists());
    }
}

#[test]
fn what_is_wrong_with_the_trusted_keys_has_its_place_and_nothing_is_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = folder.path().join("ran");
    let constructor = format!(
        "#include <fcntl.h>
         __attribute__((constructor)) static void run(void) {{ creat(\"{}\", 0600); }}\n",
        ran.display()
    );
    let library = library(&(constructor + &note(0, 1)));
    let said = |trust: &str| {
        let pinned = format!(
            "allow_native = true\nsha256 = \"{}\"\n[trust]\n{trust}\n[input]",
            jackfield_loader::Digest::of(&library)
        );
        let toml = ONE.replace("hand.wasm\"\n", "hand.so\"\n").replace("[input]", &pinned);
        let said = refused(&Pipeline::new(&toml).with("hand.so", &library));
        assert!(!ran.exists(), "its constructor ran: {said}");
        said
    };
    let wrong = said(&format!(
        "keys = [\"{KEY}\", \"RWnonsense\", 3, \"{}\"]\nsignatures = \"required?\"\nkey = \"\"",
        KEY.replace("RWR", "QUJ")
    ));
    let none = said("keys = []\nsignatures = \"required\"");
    let missing = said("signatures = \"required\"");
    assert_snapshot!([wrong, none, missing].join("\n"));
    said(&format!("keys = \"{KEY}\"\nsignature = \"required\""));
    said("keys = [\"\"]");
    said("keys = 3");
}
