//! The lockfile's text.

use std::{collections::BTreeMap, fs};

use insta::assert_snapshot;
use jackfield_loader::{
    Digest, Linkage,
    lock::{Claim, Entry, KeyId, Lock, LockedExtension, NativeCode, Refusal, Signers, admit, examine, parse},
};
use jackfield_plugin_api::{Kind, Permission};
use proptest::prelude::*;

use super::{edit, locked, lockfile, plain, plugins, refused};

#[test]
fn a_lockfile_reads_like_this() {
    let pipeline = locked();
    assert_snapshot!(plain(&pipeline, &fs::read_to_string(lockfile(&pipeline)).expect("a lockfile")));
}

/// What is said of a pipeline whose lockfile is this.
#[track_caller]
fn malformed(text: impl AsRef<[u8]>) -> String {
    let pipeline = locked();
    fs::write(lockfile(&pipeline), &text).expect("written");
    for command in ["lock", "verify", "diff", "update"] {
        let done = plugins(&pipeline, &[command]).expect_code(2);
        assert_eq!(done.stdout, "", "{done:#?}");
    }
    assert_eq!(fs::read(lockfile(&pipeline)).expect("a lockfile"), text.as_ref(), "it was overwritten");
    refused(&pipeline)
}

#[test]
fn all_faults_of_a_lockfile_are_reported_at_once_with_their_positions() {
    assert_snapshot!(malformed(
        r#"
version = 1
colour = "red"

[[plugin]]
alias = "hand"
path = 7
form = "linked-in"
sha256 = "abc"
size = -1
protocol = "1"
grants = "clock"
signed_by = "the author"
licence = "MIT"

[[plugin.extension]]
kind = "analyser"
name = ""
permissions = [{ name = "clock" }, "net"]

[[plugin]]
path = "other.wasm"
grants = ["", 1]
extension = 3
"#
    ));
}

#[test]
fn an_entry_that_is_there_twice_is_refused() {
    let pipeline = locked();
    let text = fs::read_to_string(lockfile(&pipeline)).expect("a lockfile");
    let (_, entry) = text.split_once("[[plugin]]").expect("an entry");
    let extension = entry.split_once("[[plugin.extension]]").expect("an extension").1;
    let said = malformed(format!("{text}\n[[plugin.extension]]{extension}\n[[plugin]]{entry}"));
    assert_snapshot!(said);
}

#[test]
fn a_lockfile_of_a_newer_version_asks_for_a_newer_program() {
    assert_snapshot!(malformed("version = 2\n\n[artifacts]\nhand = \"...\"\n"));
}

#[test]
fn a_lockfile_that_was_merged_with_conflicts_says_so() {
    let pipeline = locked();
    let text = fs::read_to_string(lockfile(&pipeline)).expect("a lockfile");
    let line = text.lines().find(|line| line.starts_with("sha256")).expect("a digest");
    let zeros = format!("sha256 = \"{}\"", "0".repeat(64));
    let merged = format!("<<<<<<< HEAD\n{line}\n=======\n{zeros}\n>>>>>>> their-branch");
    assert_snapshot!(malformed(text.replace(line, &merged)));
}

#[test]
fn a_file_that_is_no_lockfile_says_what_it_is() {
    let said = ["", "version = \"1\"\n", "version = 1\n[[plugin]\n", "version = 1\nversion = 1\n"].map(malformed);
    let not_text = malformed(b"version = 1\n\xff\n");
    assert_snapshot!(format!("{}\n{not_text}", said.join("\n")));
}

#[test]
fn a_lockfile_that_cannot_be_read_stops_the_run() {
    let pipeline = locked();
    fs::remove_file(lockfile(&pipeline)).expect("removed");
    fs::create_dir(lockfile(&pipeline)).expect("made");
    assert_snapshot!(refused(&pipeline), @r"
    error[lockfile]: cannot read `./jackfield.lock`: it is a folder, not a regular file

    error: the pipeline has 1 fault; nothing was run
    ");
}

#[test]
fn the_order_of_entries_and_the_ends_of_lines_do_not_matter() {
    let pipeline = locked();
    let text = fs::read_to_string(lockfile(&pipeline)).expect("a lockfile");
    let (head, entry) = text.split_once("[[plugin]]").expect("an entry");
    let earlier = entry.replace("alias = \"hand\"", "alias = \"zither\"");
    fs::write(lockfile(&pipeline), format!("{head}[[plugin]]{earlier}\n[[plugin]]{entry}").replace('\n', "\r\n"))
        .expect("written");
    let done = plugins(&pipeline, &["verify"]).expect_code(0);
    assert_snapshot!(done.stdout, @r"
    hand: ok, wasm
    zither: locked, and not named by this pipeline
    ");
    // What is written is in order again.
    edit(
        &pipeline,
        "reason = \"to stamp what it answers\" },\r\n]\r\n\r\n[[plugin]]\r\nalias = \"hand\"",
        "reason = \"\" }]\r\n[[plugin]]\r\nalias = \"hand\"",
    );
    plugins(&pipeline, &["update", "zither"]).expect_code(0);
    assert_eq!(fs::read_to_string(lockfile(&pipeline)).expect("a lockfile"), text);
}

/// Any text, with what TOML and people trip over.
fn any_text() -> impl Strategy<Value = String> {
    let odd =
        prop::sample::select(vec!['"', '\\', '\n', '\r', '\t', '\0', '\u{7f}', '\u{202e}', '\u{e0041}', '#', ']', '=']);
    prop::collection::vec(prop_oneof![3 => any::<char>(), 2 => odd], 1..12).prop_map(String::from_iter)
}

fn any_extension() -> impl Strategy<Value = LockedExtension> {
    let permission = (any_text(), any_text()).prop_map(|(name, reason)| Permission { name, reason });
    let kind = prop::sample::select(Kind::ALL.to_vec());
    (kind, any_text(), any_text(), prop::collection::vec(permission, 0..3))
        .prop_map(|(kind, name, version, permissions)| LockedExtension { kind, name, version, permissions })
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let linkage = prop::sample::select(vec![Linkage::Native, Linkage::Wasm]);
    let key = prop::option::of(any::<u64>().prop_map(|id| KeyId::parse(&format!("{id:016x}")).expect("an id")));
    let texts = (any_text(), any_text(), prop::collection::vec(any_text(), 0..3));
    let numbers = (any::<[u8; 4]>(), 0..=i64::MAX as u64, any::<(u16, u16)>());
    (texts, linkage, numbers, prop::collection::vec(any_extension(), 1..3), key).prop_map(
        |((alias, path, grants), linkage, (content, size, protocol), mut extensions, signed_by)| {
            extensions.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
            extensions.dedup_by(|a, b| (a.kind, &a.name) == (b.kind, &b.name));
            // Most have none.
            let names = (0..content[0] % 3).map(|number| format!("lib \"{number}\"{alias}.so.1"));
            let dependencies = names.map(|name| (name.clone(), Digest::of(name))).collect();
            let sha256 = Digest::of(content);
            Entry { alias, path, linkage, sha256, size, dependencies, protocol, extensions, grants, signed_by }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(entries in prop::collection::vec(any_entry(), 0..4)) {
        let mut lock = Lock::default();
        let (forwards, backwards) = (entries.iter().cloned(), entries.iter().rev().cloned());
        forwards.for_each(|entry| lock.insert(entry));
        let text = lock.to_text();
        let read = parse(text.as_bytes());
        prop_assert_eq!(read.as_ref(), Ok(&lock), "{}", text);
        prop_assert!(text.chars().all(|char| char == '\n' || !char.is_control()));
        // The order of their coming does not show, unless one takes another's place.
        let mut other = Lock::default();
        backwards.for_each(|entry| other.insert(entry));
        if lock.plugins().len() == entries.len() {
            prop_assert_eq!(other.to_text(), text);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        entries in prop::collection::vec(any_entry(), 1..3),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        soup in "\\PC{0,60}",
    ) {
        let mut lock = Lock::default();
        entries.into_iter().for_each(|entry| lock.insert(entry));
        let mut bytes = lock.to_text().into_bytes();
        let at = cut.index(bytes.len());
        let cut_short = parse(&bytes[..at]);
        prop_assert!(cut_short != Ok(lock) || at + 2 >= bytes.len());
        bytes[at] = byte;
        for bytes in [bytes.as_slice(), soup.as_bytes(), format!("version = 1\n[[plugin]]\n{soup}").as_bytes()] {
            for fault in parse(bytes).err().into_iter().flatten() {
                prop_assert!(fault.at.start <= fault.at.end && fault.at.end <= bytes.len() && !fault.message.is_empty());
            }
        }
    }

    #[test]
    fn a_file_with_any_one_bit_flipped_is_not_let_in(
        content in prop::collection::vec(any::<u8>(), 0..2000),
        flipped in any::<prop::sample::Index>(),
        native in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plugin");
        let begins: &[u8] = if native { b"\x7fELF" } else { b"\0asm\x0d\0\x01\0" };
        let mut bytes = [begins, &content].concat();
        let locked_path = "plugin".to_owned();
        let claim =
            Claim { alias: "a", path: &path, locked_path, allow_native: true, sha256: None, grants: Vec::new(), dependencies: BTreeMap::new(), granted: Vec::new() };
        let signers = Signers::default();
        fs::write(&path, &bytes).expect("written");
        let mut lock = Lock::default();
        // No plugin, which does not matter here: what it is can be locked before anyone asks.
        lock.insert(examine(&claim, None, &signers, NativeCode::MustNotRun).expect("a file").entry);
        prop_assert!(admit(&claim, &signers, Some(&lock)).is_ok());
        let bit = flipped.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bytes).expect("written");
        let refusals = admit(&claim, &signers, Some(&lock)).expect_err("another file");
        let locked = |refusal: &Refusal| matches!(refusal, Refusal::Locked(difference) if difference.stops());
        prop_assert!(refusals.iter().any(locked), "{:?}", refusals);
    }
}
