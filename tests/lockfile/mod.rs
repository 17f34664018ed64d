//! `jackfield.lock` and signatures: whatever was changed behind a person's back is refused, before any of it runs, and what
//! changed is shown.

mod accepting;
mod format;
mod native;
mod signatures;
mod tampering;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    bad_plugins::component::{Described, Hand},
    support::{CommandOutput, Pipeline, jackfield, run_command},
};

/// A pipeline with one component made by hand, `hand`.
const ONE: &str = r#"
[pipeline]
name = "one"

[plugins.hand]
path = "hand.wasm"

[input]
use   = "inline"
items = [{}]

[stages.one]
use = "hand/hand"
in  = "input"
"#;

/// The component that is locked, and those that stand in for it.
fn hand(version: &'static [u8], permissions: &'static [(&'static [u8], &'static [u8])]) -> Vec<u8> {
    Hand { offers: vec![Described { version, permissions, ..Described::default() }], ..Hand::default() }.bytes()
}

/// What [`locked`] has locked.
fn original() -> Vec<u8> {
    hand(b"1.0.0", &[(b"clock", b"to stamp what it answers")])
}

/// A pipeline with a component that is locked.
#[track_caller]
fn locked() -> Pipeline {
    let pipeline = Pipeline::new(ONE).with("hand.wasm", original());
    plugins(&pipeline, &["lock"]).expect_code(0);
    run(&pipeline).expect_code(0);
    pipeline
}

/// `jackfield plugins COMMAND` in the pipeline's folder.
#[track_caller]
fn plugins(pipeline: &Pipeline, command: &[&str]) -> CommandOutput {
    run_command(jackfield().current_dir(pipeline.path()).arg("plugins").args(command))
}

/// `jackfield run` in the pipeline's folder.
#[track_caller]
fn run(pipeline: &Pipeline) -> CommandOutput {
    run_command(jackfield().current_dir(pipeline.path()).args(["run", "."]))
}

/// What is said of a pipeline that may not run, after `run` and `check` have both refused it without a trace.
#[track_caller]
fn refused(pipeline: &Pipeline) -> String {
    let runs = || fs::read_dir(pipeline.out()).map_or(0, Iterator::count);
    let before = runs();
    let ran = run(pipeline).expect_code(2);
    assert_eq!(ran.stdout, "");
    assert_eq!(runs(), before, "it left a run folder");
    let checked = run_command(jackfield().current_dir(pipeline.path()).args(["check", "."])).expect_code(2);
    assert_eq!(checked.stderr, ran.stderr);
    plain(pipeline, &ran.stderr)
}

/// A text without what differs from test to test: folders, digests, keys and moments. Equal ones stay equal.
fn plain(pipeline: &Pipeline, text: &str) -> String {
    let mut text = text.replace(&*pipeline.path().to_string_lossy(), "[folder]");
    let mut known: Vec<(String, String)> = Vec::new();
    for (name, fits) in [
        ("sha256", (|word: &str| word.len() == 64 && hex(word)) as fn(&str) -> bool),
        ("key", |word| word.len() == 16 && hex(word) && word == word.to_uppercase()),
        ("public", |word| word.len() == 56 && word.starts_with("RW")),
        ("time", |word| {
            word.len() == 10 && word.starts_with("17") | word.starts_with("18") && word.parse::<u64>().is_ok()
        }),
    ] {
        let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || "+/".contains(char)));
        let mut seen = 0;
        for word in words.filter(|word| fits(word)) {
            if !known.iter().any(|(known, _)| known == word) {
                seen += 1;
                known.push((word.to_owned(), format!("[{name} {seen}]")));
            }
        }
    }
    for (word, name) in known {
        text = text.replace(&word, &name);
    }
    text
}

fn hex(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Flips one bit of a file.
fn flip(path: &Path, bit: usize) {
    let mut bytes = fs::read(path).expect("a file");
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(path, bytes).expect("written");
}

fn lockfile(pipeline: &Pipeline) -> PathBuf {
    pipeline.path().join("jackfield.lock")
}

/// Replaces a text in the lockfile that is there once.
#[track_caller]
fn edit(pipeline: &Pipeline, from: &str, to: &str) {
    let text = fs::read_to_string(lockfile(pipeline)).expect("a lockfile");
    assert_eq!(text.matches(from).count(), 1, "{text}");
    fs::write(lockfile(pipeline), text.replace(from, to)).expect("written");
}

/// A command in the pipeline's folder, with a password in its environment.
fn with_password(pipeline: &Pipeline, password: &str) -> Command {
    let mut command = jackfield();
    command.current_dir(pipeline.path()).arg("plugins").env("SECRET", password);
    command
}
