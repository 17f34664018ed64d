//! Standard output that nobody reads any more, or that does not fit on the disk: for every command that writes to it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::{CommandOutput, Pipeline, jackfield, run_command, wait};

/// A pipeline in which there is something for every command to say.
const PIPELINE: &str = r#"
[pipeline]
name = "said"

[input]
use = "inline"
items = [{ text = "Ann: Hello.\nBo: Bye." }]

[cache.kept]
tiers = [{ use = "sqlite", with = { path = "kept.sqlite" } }]

[stages.t]
use = "transcript"
in = { text = "input.text" }
cache = "kept"

[[tests]]
name = "Ann speaks"
input = { text = "Ann: Hello." }
expect = { t = { segments = [{ speaker = "Ann" }] } }
"#;

/// A command with standard output and standard error of its own.
fn command(args: &[&str], place: &Path) -> Command {
    let mut command = jackfield();
    command.args(args).current_dir(place).stdin(Stdio::null());
    command
}

/// Runs a command that writes where it is told to; what it says on standard error goes through a file.
fn run(args: &[&str], place: &Path, stdout: Stdio) -> (Option<i32>, String) {
    let heard = place.join("stderr");
    let stderr = fs::File::create(&heard).expect("a file");
    let mut child = command(args, place).stdout(stdout).stderr(stderr).spawn().expect("started");
    let code = wait(&mut child, Duration::from_secs(60)).expect("it ends");
    (code, fs::read_to_string(heard).expect("what it said"))
}

/// Standard output whose reader has gone away.
fn nobody() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// Standard output on a full disk.
fn full() -> Stdio {
    fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk").into()
}

/// A place with a run that has been made, a recorded call and a pair of keys.
fn place() -> (Pipeline, String) {
    let pipeline = Pipeline::new(PIPELINE);
    let run = ["run", ".", "--record", "calls"];
    run_command(&mut command(&run, pipeline.path())).expect_code(0);
    let keys = ["plugins", "keygen", "key", "--no-password"];
    run_command(&mut command(&keys, pipeline.path())).expect_code(0);
    let calls: Vec<PathBuf> = fs::read_dir(pipeline.path().join("calls"))
        .expect("calls")
        .map(|entry| entry.expect("a file").path())
        .collect();
    let call = calls.first().expect("a call").to_string_lossy().into_owned();
    (pipeline, call)
}

/// Every command, as it writes to standard output and ends with code 0.
fn commands(call: &str) -> Vec<Vec<&str>> {
    let lines = "
        run .
        run . --json
        check . --json
        test .
        test . --json
        graph .
        graph . --format mermaid
        plugins list
        plugins list --json
        plugins info transcript
        plugins info transcript --json
        plugins verify --json
        plugins diff --json
        plugins sign pipeline.toml --key key.key
        plugins test --bundled topics --json
        cache stats .
        cache stats . --json
        cache export .
        routes show . --json
        why last t
        why last t --json
        show last 1
        show last 1 --color always
        show last 1 --json
        runs list
        runs list --json
        runs show last
        runs show last --json
        runs compare last last
        runs compare last last --json
        report last
        results last
        results last --format csv
        results last --format jsonl
        doctor .
        schema
        completions bash
        --help
        run --help
        --version";
    let mut all: Vec<Vec<&str>> =
        lines.lines().map(|line| line.split_whitespace().collect()).filter(|line: &Vec<_>| !line.is_empty()).collect();
    all.push(vec!["plugins", "replay", call]);
    all.push(vec!["plugins", "replay", call, "--json"]);
    all
}

#[test]
fn a_reader_that_has_gone_away_changes_no_code() {
    let (pipeline, call) = place();
    for args in commands(&call) {
        let (code, said) = run(&args, pipeline.path(), nobody());
        assert_eq!(code, Some(0), "{args:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("error:"), "{args:?}: {said}");
    }
    // Those that make something can be run once.
    let new = ["plugins", "new", "mine", "--lang", "rust"];
    let (code, said) = run(&new, pipeline.path(), nobody());
    assert!(code == Some(0) && !said.contains("panicked"), "{said}");
    let (code, said) = run(&["plugins", "keygen", "other", "--no-password"], pipeline.path(), nobody());
    assert!(code == Some(0) && !said.contains("panicked"), "{said}");
}

#[test]
fn a_full_disk_is_an_error_of_every_command_that_writes() {
    let (pipeline, call) = place();
    for args in commands(&call) {
        let (code, said) = run(&args, pipeline.path(), full());
        assert_eq!(code, Some(1), "{args:?}: {said}");
        assert!(said.contains("error: cannot write to standard output: No space left on device"), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
}

#[test]
fn what_went_wrong_before_keeps_its_code() {
    let pipeline = Pipeline::new("[pipeline]\nnam = \"x\"\n");
    for stdout in [nobody(), full()] {
        let (code, said) = run(&["check", ".", "--json"], pipeline.path(), stdout);
        assert!(code == Some(2) && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_closed_standard_error_is_ignored_and_a_full_disk_under_it_is_an_error() {
    let (pipeline, _) = place();
    for args in [&["check", "."] as &[&str], &["run", "."], &["test", "."], &["-vv", "check", "."]] {
        let end = |stderr: Stdio| {
            let mut child =
                command(args, pipeline.path()).stdout(Stdio::null()).stderr(stderr).spawn().expect("started");
            wait(&mut child, Duration::from_secs(60)).expect("it ends")
        };
        assert_eq!(end(nobody()), Some(0), "{args:?}");
        assert_eq!(end(full()), Some(1), "{args:?}");
    }
}

#[test]
fn the_path_of_a_run_is_for_programs_as_it_is() {
    let (pipeline, _) = place();
    let odd = "odd\u{200d}runs";
    let CommandOutput { stdout, .. } =
        run_command(&mut command(&["run", ".", "--out", odd], pipeline.path())).expect_code(0);
    assert!(stdout.starts_with(&format!("{odd}/said-")), "{stdout:?}");
    assert!(pipeline.path().join(stdout.trim_end()).is_dir(), "{stdout:?}");
}
