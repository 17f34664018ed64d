//! The commands that look, accept and sign.

use std::{fs, os::unix::fs::PermissionsExt as _};

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{ONE, hand, locked, lockfile, original, plain, plugins, run, with_password};
use crate::support::{Pipeline, jackfield, run_command, tree};

const TWO: &str = r#"
[pipeline]
name = "two"

[plugins.zither]
path = "zither.wasm"

[plugins.hand]
path = "hand.wasm"

[input]
use   = "inline"
items = [{}]

[stages.one]
use = "hand/hand"
in  = "input"
"#;

fn two() -> Pipeline {
    Pipeline::new(TWO).with("hand.wasm", original()).with("zither.wasm", hand(b"0.2.0", &[]))
}

#[test]
fn what_is_locked_is_shown_and_the_same_is_locked_with_the_same_bytes() {
    let pipeline = two();
    let done = plugins(&pipeline, &["lock"]).expect_code(0);
    assert_snapshot!(plain(&pipeline, &format!("{}--\n{}", done.stdout, done.stderr)));
    let text = fs::read(lockfile(&pipeline)).expect("a lockfile");
    let again = plugins(&pipeline, &["lock"]).expect_code(0);
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", "`./jackfield.lock` is up to date\n"));
    // From elsewhere, with the plugins in another order.
    let reordered = TWO.replace("zither", "later").replace("hand", "zither").replace("later", "hand");
    let other = Pipeline::new(&reordered.replace("zither/zither", "hand/hand"));
    let other = other.with("hand.wasm", original()).with("zither.wasm", hand(b"0.2.0", &[]));
    done_of(jackfield().args(["plugins", "lock"]).arg(other.path().join("pipeline.toml")));
    assert_eq!(fs::read(lockfile(&other)).expect("a lockfile"), text);
    run(&pipeline).expect_code(0);
}

#[track_caller]
fn done_of(command: &mut std::process::Command) {
    run_command(command).expect_code(0);
}

#[test]
fn a_change_is_looked_at_and_accepted_for_one_plugin_alone() {
    let pipeline = two();
    plugins(&pipeline, &["lock"]).expect_code(0);
    let before = fs::read_to_string(lockfile(&pipeline)).expect("a lockfile");
    let pipeline = pipeline.with("hand.wasm", hand(b"1.1.0", &[(b"http:api.example.org", b"to look words up")]));
    let pipeline = pipeline.with("zither.wasm", hand(b"0.3.0", &[]));
    let verified = plugins(&pipeline, &["verify"]).expect_code(1);
    assert_snapshot!("verify", plain(&pipeline, &format!("{}--\n{}", verified.stdout, verified.stderr)));
    let shown = plugins(&pipeline, &["diff"]).expect_code(0);
    assert_eq!(plugins(&pipeline, &["diff", "--exit-code"]).expect_code(1).stdout, shown.stdout);
    assert_snapshot!("diff", plain(&pipeline, &shown.stdout));
    let refused = plugins(&pipeline, &["lock"]).expect_code(1);
    assert_snapshot!("lock", plain(&pipeline, &refused.stderr));
    assert_eq!(fs::read_to_string(lockfile(&pipeline)).expect("a lockfile"), before);

    let accepted = plugins(&pipeline, &["update", "hand"]).expect_code(0);
    assert_snapshot!("update", plain(&pipeline, &format!("{}--\n{}", accepted.stdout, accepted.stderr)));
    let verified = plugins(&pipeline, &["verify"]).expect_code(1).stdout;
    assert_snapshot!(verified, @r"
    zither: is not the file that `jackfield.lock` holds
    hand: ok, wasm
    ");
    plugins(&pipeline, &["update"]).expect_code(0);
    run(&pipeline).expect_code(0);
    let done = plugins(&pipeline, &["update"]).expect_code(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", "`./jackfield.lock` is up to date\n"));
}

#[test]
fn programs_get_the_difference_as_json() {
    let pipeline = locked().with("hand.wasm", hand(b"1.1.0", &[]));
    let diff = plugins(&pipeline, &["diff", "--json"]).expect_code(0);
    assert_snapshot!(plain(&pipeline, &diff.stdout));
    let verified = plugins(&pipeline, &["verify", "--json"]).expect_code(1).json();
    assert_eq!((&verified["ok"], &verified["plugins"][0]["state"]), (&Value::Bool(false), &json!("changed")));
    plugins(&pipeline, &["update"]).expect_code(0);
    let verified = plugins(&pipeline, &["verify", "--json"]).expect_code(0).json();
    assert_eq!((&verified["ok"], &verified["plugins"][0]["state"]), (&Value::Bool(true), &json!("ok")));
    assert_eq!(plugins(&pipeline, &["diff", "--json"]).expect_code(0).json()["same"], true);
}

#[test]
fn a_plugin_that_is_gone_from_the_pipeline_stays_locked_until_it_is_named() {
    // Two pipelines may share a folder, and so a lockfile.
    let pipeline = two();
    plugins(&pipeline, &["lock"]).expect_code(0);
    let pipeline = pipeline.with("pipeline.toml", ONE);
    run(&pipeline).expect_code(0);
    plugins(&pipeline, &["update"]).expect_code(0);
    let shown = plugins(&pipeline, &["diff", "--exit-code"]).expect_code(0).stdout;
    assert_snapshot!(shown, @"zither: is locked, and not named by this pipeline");
    let done = plugins(&pipeline, &["update", "zither"]).expect_code(0);
    assert_snapshot!(done.stdout, @"zither: is no longer locked");
    assert!(!fs::read_to_string(lockfile(&pipeline)).expect("a lockfile").contains("zither"));
    let unknown = plugins(&pipeline, &["update", "hnad"]).expect_code(2).stderr;
    assert_snapshot!(unknown, @r"
    error: neither the pipeline nor its lockfile names a plugin `hnad`

    hint: did you mean `hand`?
    ");
}

#[test]
fn what_cannot_be_accepted_leaves_the_lockfile_as_it_was() {
    let pipeline = two();
    plugins(&pipeline, &["lock"]).expect_code(0);
    let before = fs::read(lockfile(&pipeline)).expect("a lockfile");
    let pipeline = pipeline.with("hand.wasm", hand(b"1.1.0", &[])).with("zither.wasm", "gone bad");
    let done = plugins(&pipeline, &["update"]).expect_code(1);
    assert_eq!(done.stdout, "");
    assert_snapshot!(plain(&pipeline, &done.stderr));
    assert_eq!(fs::read(lockfile(&pipeline)).expect("a lockfile"), before);
    let pinned = TWO.replace("\"hand.wasm\"", &format!("\"hand.wasm\"\nsha256 = \"{}\"", "0".repeat(64)));
    let pipeline = pipeline.with("pipeline.toml", pinned);
    let done = plugins(&pipeline, &["update", "hand"]).expect_code(1);
    assert!(done.stderr.contains("the pipeline pins"), "{done:#?}");
    assert!(!tree(pipeline.path()).iter().any(|(path, _)| path.to_string_lossy().contains(".tmp")));
}

#[test]
fn without_a_lockfile_verify_and_diff_say_so() {
    let pipeline = two();
    let verified = plugins(&pipeline, &["verify"]).expect_code(1);
    assert_snapshot!(format!("{}--\n{}", verified.stdout, verified.stderr), @r"
    zither: is not in `jackfield.lock`
    hand: is not in `jackfield.lock`
    --
    error: there is no `./jackfield.lock`

    hint: write it with `jackfield plugins lock`, and look at what it holds
    ");
    let shown = plugins(&pipeline, &["diff", "--exit-code"]).expect_code(1).stdout;
    assert!(shown.contains("+ analyzer \"hand\" \"1.0.0\"") && !shown.contains("\n  - "), "{shown}");
    let none = Pipeline::new("[pipeline]\nname = \"a\"\n[stages.a]\nuse = \"b\"\n");
    plugins(&none, &["verify"]).expect_code(0);
    let done = plugins(&none, &["lock"]).expect_code(0);
    assert_eq!(done.stderr, "the pipeline names no plugin files: there is nothing to lock\n");
    assert!(!lockfile(&none).exists());
}

#[test]
fn a_key_is_made_and_signs_and_no_secret_is_shown() {
    let pipeline = Pipeline::new(ONE).with("hand.wasm", original());
    let command = || with_password(&pipeline, "correct horse");
    let made = run_command(command().args(["keygen", "mine", "--password-env", "SECRET"])).expect_code(0);
    let public = made.stdout.trim().to_owned();
    assert_snapshot!(plain(&pipeline, &format!("{}--\n{}", made.stdout, made.stderr)), @r"
    [public 1]
    --
    `mine.key` signs, keep it to yourself; `mine.pub` is for everyone: the key [key 1]
    ");
    let mode = |name: &str| fs::metadata(pipeline.path().join(name)).expect("a key").permissions().mode() & 0o777;
    assert_eq!((mode("mine.key"), mode("mine.pub") & 0o444), (0o600, 0o444));
    let secret = fs::read_to_string(pipeline.path().join("mine.key")).expect("a key");
    let shared = fs::read_to_string(pipeline.path().join("mine.pub")).expect("a key");
    assert!(shared.ends_with(&format!("\n{public}\n")), "{shared}");

    let sign = ["sign", "hand.wasm", "--key", "mine.key", "--password-env", "SECRET"];
    let signed = run_command(command().args(sign)).expect_code(0);
    assert_snapshot!(plain(&pipeline, &format!("{}--\n{}", signed.stdout, signed.stderr)), @r"
    hand.wasm.minisig
    --
    signed by the key [key 1]; whoever trusts [public 1] can verify it
    ");
    for said in [&made.stdout, &made.stderr, &signed.stdout, &signed.stderr] {
        assert!(!said.contains("correct horse") && !said.contains(secret.lines().nth(1).expect("a key")), "{said}");
    }
    let trust = format!("[trust]\nkeys = \"{public}\"\nsignatures = \"required\"\n[input]");
    let pipeline = pipeline.with("pipeline.toml", ONE.replace("[input]", &trust));
    run(&pipeline).expect_code(0);
}

#[test]
fn keys_that_are_there_or_cannot_be_used_are_left_alone() {
    let pipeline = Pipeline::new(ONE).with("hand.wasm", original()).with("taken.pub", "mine");
    let command = || with_password(&pipeline, "correct horse");
    let said =
        |arguments: &[&str], code| plain(&pipeline, &run_command(command().args(arguments)).expect_code(code).stderr);
    run_command(command().args(["keygen", "mine", "--password-env", "SECRET"])).expect_code(0);
    let secret = fs::read(pipeline.path().join("mine.key")).expect("a key");
    let public = fs::read_to_string(pipeline.path().join("mine.pub")).expect("a key");
    let pipeline_with = |name: &str, content: &str| fs::write(pipeline.path().join(name), content).expect("written");
    pipeline_with("cut.key", &String::from_utf8_lossy(&secret[..150]));
    pipeline_with("short.key", "untrusted comment: nothing else\n");
    let key = |key| ["sign", "hand.wasm", "--key", key, "--password-env", "SECRET"];
    let mut wrong = with_password(&pipeline, "battery staple");
    let wrong = run_command(wrong.args(key("mine.key"))).expect_code(1).stderr;
    let long = "x".repeat(1025);
    let mut long = with_password(&pipeline, &long);
    let long = run_command(long.args(["keygen", "new", "--password-env", "SECRET"])).expect_code(1).stderr;
    let mut empty = with_password(&pipeline, "");
    let empty = run_command(empty.args(["keygen", "new", "--password-env", "SECRET"])).expect_code(2).stderr;
    assert_snapshot!(
        [
            said(&["keygen", "mine", "--password-env", "SECRET"], 1),
            said(&["keygen", "taken", "--no-password"], 1),
            said(&["keygen", "new", "--password-env", "NO_SUCH_VARIABLE"], 2),
            empty,
            long,
            wrong,
            said(&key("cut.key"), 1),
            said(&key("short.key"), 1),
            said(&key("mine.pub"), 1),
            said(&key("no.key"), 1),
            said(&["sign", "no.wasm", "--key", "mine.key"], 1),
            said(&[&key("mine.key")[..], &["--comment", "two\nlines"]].concat(), 1),
        ]
        .join("--\n")
    );
    assert_eq!(fs::read(pipeline.path().join("mine.key")).expect("a key"), secret);
    assert_eq!(fs::read_to_string(pipeline.path().join("mine.pub")).expect("a key"), public);
    let names: Vec<String> =
        tree(pipeline.path()).into_iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["cut.key", "hand.wasm", "mine.key", "mine.pub", "pipeline.toml", "short.key", "taken.pub"]);
}
