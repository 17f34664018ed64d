//! Native libraries and the lockfile.

use std::{fs, path::Path};

use insta::assert_snapshot;

use super::{edit, lockfile, plain, plugins, refused, run};
use crate::{
    bad_plugins::native::{library, note},
    support::{Pipeline, fixture, jackfield, run_command},
};

const NATIVE: &str = r#"
[pipeline]
name = "native"

[plugins.mine]
path         = "mine.so"
allow_native = true

[input]
use   = "inline"
items = [{ text = "a" }]

[stages.one]
use = "mine/echo"
in  = "input"
"#;

fn misbehaving() -> Vec<u8> {
    fs::read(fixture("misbehaving.so")).expect("a library")
}

/// A library whose constructor leaves a file.
fn leaving(file: &Path) -> Vec<u8> {
    let constructor = format!(
        "#include <fcntl.h>
         __attribute__((constructor)) static void run(void) {{ creat(\"{}\", 0600); }}\n",
        file.display()
    );
    library(&(constructor + &note(0, 1)))
}

#[test]
fn a_locked_library_needs_no_pin_in_the_pipeline_and_still_the_permission() {
    let pipeline = Pipeline::new(NATIVE).with("mine.so", misbehaving());
    // Without a lockfile, as ever: allowed is not pinned.
    let said = refused(&pipeline);
    assert!(said.contains("is not allowed"), "{said}");
    plugins(&pipeline, &["lock"]).expect_code(0);
    run(&pipeline).expect_code(0);
    assert_snapshot!(plugins(&pipeline, &["verify"]).expect_code(0).stdout, @"mine: ok, native");
    let pipeline = pipeline.with("pipeline.toml", NATIVE.replace("allow_native = true", ""));
    assert_snapshot!(refused(&pipeline));
}

#[test]
fn a_library_is_not_run_to_be_locked_unless_it_is_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = folder.path().join("ran");
    let pipeline = Pipeline::new(&NATIVE.replace("allow_native = true", "")).with("mine.so", leaving(&ran));
    let done = plugins(&pipeline, &["lock"]).expect_code(1);
    assert_snapshot!(plain(&pipeline, &done.stderr));
    assert!(!lockfile(&pipeline).exists() && !ran.exists());
}

#[test]
fn nothing_of_a_library_that_is_not_the_locked_one_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = folder.path().join("ran");
    let pipeline = Pipeline::new(NATIVE).with("mine.so", misbehaving());
    plugins(&pipeline, &["lock"]).expect_code(0);
    let before = fs::read(lockfile(&pipeline)).expect("a lockfile");
    let leaving = leaving(&ran);
    let pipeline = pipeline.with("mine.so", &leaving);
    let size = |text: String, bytes: &[u8]| text.replace(&format!("size = {}\n", bytes.len()), "size = [bytes]\n");
    assert_snapshot!(size(size(refused(&pipeline), &misbehaving()), &leaving));
    plugins(&pipeline, &["verify"]).expect_code(1);
    plugins(&pipeline, &["diff", "--exit-code"]).expect_code(1);
    plugins(&pipeline, &["lock"]).expect_code(1);
    assert!(!ran.exists(), "its constructor ran");
    // To accept it is to run it: the check above could have failed.
    plugins(&pipeline, &["update", "mine"]).expect_code(1);
    assert!(ran.exists());
    assert_eq!(fs::read(lockfile(&pipeline)).expect("a lockfile"), before, "it is no plugin, and is not locked");
}

#[test]
fn one_file_that_was_tampered_with_keeps_the_others_from_running_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = folder.path().join("ran");
    let two = NATIVE.replace("[input]", "[plugins.other]\npath = \"other.so\"\nallow_native = true\n[input]");
    let pipeline = Pipeline::new(&two).with("mine.so", misbehaving()).with("other.so", misbehaving());
    plugins(&pipeline, &["lock"]).expect_code(0);
    // `other` is locked by its new digest, so that nothing but `mine` stands in its way.
    let leaving = leaving(&ran);
    let text = fs::read_to_string(lockfile(&pipeline)).expect("a lockfile");
    let (first, second) = text.split_at(text.rfind("[[plugin]]").expect("two entries"));
    let digest = |bytes: &[u8]| jackfield_loader::Digest::of(bytes).to_string();
    let size = |bytes: &[u8]| format!("size = {}\n", bytes.len());
    let second = second.replace(&digest(&misbehaving()), &digest(&leaving));
    let second = second.replace(&size(&misbehaving()), &size(&leaving));
    fs::write(lockfile(&pipeline), format!("{first}{second}")).expect("written");
    let pipeline = pipeline.with("other.so", &leaving).with("mine.so", b"\x7fELF and no more");
    let said = refused(&pipeline);
    assert!(said.contains("plugin `mine` is not the file") && !said.contains("`other`"), "{said}");
    assert!(!ran.exists(), "the constructor of the other ran");
    // With `mine` as it was, `other` gets as far as its constructor.
    let pipeline = pipeline.with("mine.so", misbehaving());
    run(&pipeline).expect_code(2);
    assert!(ran.exists());
}

#[test]
fn a_lockfile_that_describes_the_same_library_otherwise_is_refused_once_it_is_loaded() {
    let pipeline = Pipeline::new(NATIVE).with("mine.so", misbehaving());
    plugins(&pipeline, &["lock"]).expect_code(0);
    edit(&pipeline, "name = \"echo\"", "name = \"ecco\"");
    let said = refused(&pipeline);
    assert!(said.contains("though the file is the same") && said.contains("+ analyzer \"echo\""), "{said}");
    // What a person accepts is all that differs.
    let done = run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "update", "mine"])).expect_code(0);
    assert!(done.stdout.contains("+ analyzer \"echo\""), "{done:#?}");
    run(&pipeline).expect_code(0);
}
