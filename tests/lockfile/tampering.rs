//! Components that are not what was locked.

use std::{collections::BTreeMap, fs};

use insta::assert_snapshot;
use jackfield_loader::{
    Digest, Linkage,
    lock::{Claim, Entry, Lock, Refusal, Signers, admit},
};

use super::{ONE, edit, flip, hand, locked, lockfile, original, plain, plugins, refused, run};
use crate::{
    bad_plugins::component::{FOR_EVER, Hand},
    support::{Pipeline, jackfield, run_command},
};

#[test]
fn one_bit_flipped_in_a_locked_component_stops_the_run() {
    let pipeline = locked();
    let bytes = original();
    // In a text of its descriptor, so that it is a component still.
    let at = bytes.windows(12).position(|window| window == b"Made by hand").expect("its summary");
    flip(&pipeline.path().join("hand.wasm"), at * 8);
    assert_snapshot!(refused(&pipeline));
}

#[test]
fn a_bit_flipped_anywhere_stops_the_run() {
    let pipeline = locked();
    let file = pipeline.path().join("hand.wasm");
    let bits = original().len() * 8;
    for part in 0..16 {
        let bit = (bits - 1) * part / 15;
        flip(&file, bit);
        let said = refused(&pipeline);
        assert!(said.contains("is not the file that `jackfield.lock` holds"), "bit {bit}: {said}");
        flip(&file, bit);
    }
    run(&pipeline).expect_code(0);
}

#[test]
fn a_swapped_file_is_shown_with_what_is_different_about_it() {
    let other = Hand { answer: br#"{"other":1}"#, ..Hand::default() };
    let mut other_offer = other.offers[0].clone();
    other_offer.name = b"foot";
    let other = Hand { offers: vec![other_offer], ..other };
    let pipeline = locked().with("hand.wasm", other.bytes());
    assert_snapshot!(refused(&pipeline));
}

#[test]
fn a_component_that_asks_for_more_is_refused_and_what_it_asks_for_is_shown() {
    let wider: &[(&[u8], &[u8])] =
        &[(b"clock", b"to stamp what it answers"), (b"http:api.example.org", b"to look words up")];
    let pipeline = locked().with("hand.wasm", hand(b"1.0.1", wider));
    assert_snapshot!(refused(&pipeline));
}

#[test]
fn words_of_a_component_cannot_forge_lines_of_the_difference() {
    let forging: &[(&[u8], &[u8])] =
        &[(b"clock", b"to stamp\n  - what it answers\x1b[2K\xe2\x80\xae"), (b"net\r", b"\xf3\xa0\x81\x81")];
    let pipeline = locked().with("hand.wasm", hand(b"1.0.0\n", forging));
    let said = refused(&pipeline);
    assert_snapshot!(said);
    assert!(said.chars().all(|char| char == '\n' || !char.is_control()), "{said:?}");
}

#[test]
fn a_component_that_cannot_say_what_it_offers_is_refused_all_the_same() {
    // It neither hangs the host nor is it let in.
    let traps = Hand { describe: Some("unreachable".to_owned()), ..Hand::default() };
    let pipeline = locked().with("hand.wasm", traps.bytes());
    assert_snapshot!(refused(&pipeline));
    let text = locked().with("hand.wasm", "no plugin at all\n");
    let said = refused(&text);
    assert!(said.contains("is not the file that") && said.contains("it is text"), "{said}");
}

#[test]
fn missing_unlocked_and_changed_files_are_reported_together() {
    let three =
        ONE.replace("[input]", "[plugins.gone]\npath = \"gone.wasm\"\n[plugins.new]\npath = \"new.wasm\"\n[input]");
    let changed = hand(b"2.0.0", &[]);
    let pipeline = Pipeline::new(&three).with("hand.wasm", original()).with("gone.wasm", hand(b"1.0.0", &[]));
    let pipeline = pipeline.with("new.wasm", hand(b"3.0.0", &[]));
    plugins(&pipeline, &["lock"]).expect_code(0);
    let text = fs::read_to_string(lockfile(&pipeline)).expect("a lockfile");
    let without_new = &text[..text.find("\n[[plugin]]\nalias = \"new\"").expect("the last entry")];
    fs::write(lockfile(&pipeline), without_new).expect("written");
    fs::remove_file(pipeline.path().join("gone.wasm")).expect("removed");
    let pipeline = pipeline.with("hand.wasm", changed);
    assert_snapshot!(refused(&pipeline));
}

#[test]
fn a_lockfile_that_was_edited_does_not_make_a_plugin_say_otherwise() {
    let permission = "    { name = \"clock\", reason = \"to stamp what it answers\" },\n";
    let pipeline = locked();
    edit(&pipeline, permission, "");
    assert_snapshot!(refused(&pipeline));
    for (from, to) in [
        ("version = \"1.0.0\"", "version = \"1.0.1\""),
        ("name = \"hand\"", "name = \"foot\""),
        ("kind = \"analyzer\"", "kind = \"model\""),
        ("protocol = \"0.1\"", "protocol = \"0.2\""),
        ("form = \"wasm\"", "form = \"native\""),
        ("size = ", "size = 1"),
    ] {
        let pipeline = locked();
        edit(&pipeline, from, to);
        let said = refused(&pipeline);
        assert!(said.contains("is not what `jackfield.lock` says of it, though the file is the same"), "{to}: {said}");
    }
}

#[test]
fn what_a_component_no_longer_asks_for_stops_no_run() {
    let pipeline = locked();
    edit(&pipeline, "permissions = [\n", "permissions = [\n    { name = \"http:a.example\", reason = \"once\" },\n");
    run(&pipeline).expect_code(0);
    let said = |command: &[&str], code| plugins(&pipeline, command).expect_code(code).stdout;
    let (verified, shown) = (said(&["verify"], 0), said(&["diff", "--exit-code"], 1));
    assert_snapshot!(format!("{verified}--\n{shown}"));
}

#[test]
fn a_file_that_only_moved_stops_no_run_and_is_shown() {
    let pipeline = locked();
    let toml = ONE.replace("hand.wasm", "plugins/./moved.wasm");
    fs::remove_file(pipeline.path().join("hand.wasm")).expect("removed");
    let pipeline = pipeline.with("pipeline.toml", toml).with("plugins/moved.wasm", original());
    run(&pipeline).expect_code(0);
    assert_snapshot!(plugins(&pipeline, &["diff", "--exit-code"]).expect_code(1).stdout, @r#"
    hand: differs from `jackfield.lock` in what does no harm
      - path = "hand.wasm"
      + path = "plugins/moved.wasm"
    "#);
    plugins(&pipeline, &["update"]).expect_code(0);
    plugins(&pipeline, &["diff", "--exit-code"]).expect_code(0);
}

#[test]
fn a_pipeline_from_the_command_line_is_checked_against_the_lockfile_too() {
    let pipeline = locked().with("other.wasm", hand(b"9.0.0", &[]));
    let mut command = jackfield();
    command.current_dir(pipeline.path()).args(["check", ".", "--set", "plugins.hand.path=other.wasm"]);
    let said = run_command(&mut command).expect_code(2).stderr;
    assert!(said.contains("is not the file that `jackfield.lock` holds"), "{said}");
    for command in [["graph", "."].as_slice(), &["cache", "stats", "."]] {
        flip(&pipeline.path().join("hand.wasm"), 8 * 100);
        let done = run_command(jackfield().current_dir(pipeline.path()).args(command));
        assert_eq!(done.code, Some(2), "{done:#?}");
        assert!(done.stderr.contains("is not the file"), "{done:#?}");
        flip(&pipeline.path().join("hand.wasm"), 8 * 100);
    }
}

#[test]
fn a_lockfile_that_has_to_be_there_is_missed() {
    let pipeline = Pipeline::new(ONE).with("hand.wasm", original());
    // Without a lockfile all is as it was.
    run(&pipeline).expect_code(0);
    let check = |code| {
        let done =
            run_command(jackfield().current_dir(pipeline.path()).args(["check", ".", "--locked"])).expect_code(code);
        plain(&pipeline, &done.stderr)
    };
    assert_snapshot!(check(2), @r"
    error[lockfile]: `--locked` is given, but there is no `./jackfield.lock`

    hint: write it with `jackfield plugins lock`, look at what it holds, and keep it with the pipeline

    error: the pipeline has 1 fault; nothing was run
    ");
    plugins(&pipeline, &["lock"]).expect_code(0);
    check(0);
    // Where nothing is to be locked, no lockfile is missing.
    let none = Pipeline::new("[pipeline]\nname = \"a\"\n[stages.a]\nuse = \"seed\"\n");
    let said = run_command(jackfield().current_dir(none.path()).args(["check", ".", "--locked"])).stderr;
    assert!(!said.contains("--locked"), "{said}");
}

#[test]
fn faults_of_the_lock_are_records_with_their_difference() {
    let pipeline = locked().with("hand.wasm", hand(b"1.0.0", &[]));
    let done = run_command(jackfield().current_dir(pipeline.path()).args(["check", ".", "--json"])).expect_code(2);
    assert_snapshot!(plain(&pipeline, &done.stdout));
}

/// What is granted is compared in front of everything else: by name, whatever the file.
#[test]
fn a_grant_that_was_not_accepted_stops_the_run_and_one_that_was_taken_away_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hand.wasm");
    fs::write(&path, original()).expect("written");
    let entry = Entry {
        alias: "hand".to_owned(),
        path: "hand.wasm".to_owned(),
        linkage: Linkage::Wasm,
        sha256: Digest::of(original()),
        size: original().len() as u64,
        dependencies: BTreeMap::new(),
        protocol: (0, 1),
        extensions: Vec::new(),
        grants: vec!["clock".to_owned(), "random".to_owned()],
        signed_by: None,
    };
    let mut lock = Lock::default();
    lock.insert(entry);
    let admitted = |grants: &[&str]| {
        let grants = grants.iter().map(|grant| (*grant).to_owned()).collect();
        let locked_path = "hand.wasm".to_owned();
        let claim = Claim {
            alias: "hand",
            path: &path,
            locked_path,
            allow_native: false,
            sha256: None,
            dependencies: BTreeMap::new(),
            grants,
            granted: Vec::new(),
        };
        admit(&claim, &Signers::default(), Some(&lock)).map(|_| ())
    };
    for same_or_less in [["random", "clock"].as_slice(), &["clock"], &[]] {
        assert!(admitted(same_or_less).is_ok(), "{same_or_less:?}");
    }
    let mut refusals = admitted(&["clock", "http:api.example.org"]).expect_err("more than was accepted");
    let Some(Refusal::Locked(difference)) = refusals.pop() else { panic!("{refusals:?}") };
    let hint = difference.hint("jackfield plugins update hand", "jackfield plugins lock");
    assert_snapshot!(format!("{}\n{}\n{hint}", difference.summary(), difference.lines().join("\n")), @r#"
    is granted more than `jackfield.lock` holds
    - granted "random"
    + granted "http:api.example.org"
    if it may have that, accept it: `jackfield plugins update hand`; if not, take it out of the pipeline
    "#);
}

#[test]
fn nothing_of_a_changed_component_is_opened_or_called() {
    // Opening it would hang for as long as its limits allow, a minute.
    let hangs = Hand { open: Some(FOR_EVER.to_owned()), call: Some(FOR_EVER.to_owned()), ..Hand::default() };
    let pipeline = locked().with("hand.wasm", hangs.bytes());
    let began = std::time::Instant::now();
    refused(&pipeline);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}
