//! What is linked into the program is as old as the program: another build is another plugin.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use insta::assert_snapshot;
use object::{Object as _, read::elf::ElfFile64};

use crate::support::{Pipeline, run_command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_jackfield");

/// The program as another build: the same code under another build id.
fn another_build(folder: &Path) -> std::path::PathBuf {
    let mut bytes = fs::read(PROGRAM).expect("the program");
    let id = ElfFile64::<object::Endianness>::parse(&*bytes).expect("a program").build_id().expect("notes");
    let id = id.expect("a build id").to_vec();
    let at = bytes.windows(id.len()).position(|window| window == id).expect("it stands there");
    bytes[at] ^= 1;
    let path = folder.join("jackfield");
    fs::write(&path, bytes).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
    path
}

#[test]
fn a_run_is_not_resumed_by_another_build_and_takes_nothing_that_one_has_kept() {
    let pipeline = Pipeline::new(
        "[pipeline]\nname = \"x\"\n[input]\nuse = \"inline\"\nitems = [{ text = \"The budget is short.\" }]\n\
         [cache.kept]\ntiers = [{ use = \"sqlite\", with = { path = \"kept.sqlite\" } }]\n\
         [stages.one]\nuse = \"transcript\"\nin = { text = \"input.text\" }\ncache = \"kept\"\n",
    );
    let other = another_build(pipeline.path());
    let run = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.arg("run").arg(pipeline.path()).arg("--out").arg(pipeline.out()).args(["--json"]).args(arguments);
        run_command(command.env("NO_COLOR", "1"))
    };
    let hits =
        |done: &crate::support::CommandOutput| done.json()["stages"]["one"]["memo_hits"].as_u64().expect("a number");
    let first = run(Path::new(PROGRAM), &[]).expect_code(0);
    let folder = first.folder();
    let id = folder.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
    let refused = run(&other, &["--resume", &id]).expect_code(2);
    assert_snapshot!(refused.stderr.replace(&id, "[run]"), @r"
    error: run `[run]` was made by another version of the pipeline or its plugins

    hint: stage `one`: it is part of the program, and this program is another build than the one that made the run; start a new run, or restore what was
    ");
    assert_eq!(hits(&run(&other, &[]).expect_code(0)), 0, "it is another build");
    assert_eq!(hits(&run(Path::new(PROGRAM), &[]).expect_code(0)), 1, "it is the same");
    run(Path::new(PROGRAM), &["--resume", &id]).expect_code(0);
}
