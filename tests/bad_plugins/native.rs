//! Native libraries that cannot be loaded.

use std::{fs, path::Path, process::Command};

use insta::assert_snapshot;
use jackfield_loader::{Digest, LoadError, Trust, load};

use super::{plain, refusal, refused, said, trust};
use crate::support::{fixture, jackfield, root, run_command};

fn misbehaving() -> Vec<u8> {
    fs::read(fixture("misbehaving.so")).expect("a library")
}

/// A library made from C.
pub fn library(source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, made) = (folder.path().join("library.c"), folder.path().join("library.so"));
    fs::write(&code, source).expect("written");
    let run = Command::new("cc").args(["-shared", "-fPIC", "-w", "-o"]).arg(&made).arg(&code).output();
    let run = run.expect("a C compiler, `cc`");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    fs::read(made).expect("made")
}

/// C of a note for this version of the protocol.
pub fn note(major: u16, minor: u16) -> String {
    format!(
        "struct {{ char magic[16]; unsigned short major, minor; unsigned char unwinds, reserved[11]; }}
         JACKFIELD_PLUGIN = {{ \"jackfield-plugin\", {major}, {minor}, 1 }};\n"
    )
}

#[test]
fn a_file_that_is_no_library_is_called_what_it_is() {
    let cases: [&[u8]; 8] = [
        b"",
        b"#!/bin/sh\necho a plugin\n",
        b"\x7fEL",
        b"MZ\x90\0",
        b"\xcf\xfa\xed\xfe",
        b"PK\x03\x04",
        b"!<arch>\n",
        b"\xff\xfe\0\0",
    ];
    assert_snapshot!(cases.map(refused).join("\n"), @r"
    `[file]` is not a plugin: it is empty
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a plugin: it is text
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a plugin: it is text
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a plugin: it is a Windows program or library
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a plugin: it is a macOS library
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a plugin: it is a zip archive
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a plugin: it is a static library
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a plugin: it is neither a native library nor a WebAssembly component
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    ");
}

#[test]
fn a_file_that_is_not_there_or_is_a_folder_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let say = |path: &Path| said(&load("bad", path, &Trust::default()).expect_err("nothing to load"));
    let (missing, is_folder) = (say(&folder.path().join("missing.so")), say(folder.path()));
    assert_snapshot!(format!("{missing}\n{is_folder}"), @r"
    cannot read `[file]`: No such file or directory (os error 2)
    cannot read `[file]`: it is a folder, not a regular file
    ");
}

#[test]
fn a_library_that_is_cut_short_is_damaged_wherever_it_was_cut() {
    let whole = misbehaving();
    let said: Vec<String> = [4, 5, 16, 63, 64, 1000, whole.len() / 2, whole.len() - 1]
        .map(|end| {
            refused(&whole[..end])
                .replace(&format!("({end} bytes)"), "([end] bytes)")
                .replace(&format!(" {end} "), " [end] ")
        })
        .into();
    assert_snapshot!(said.join("\n"), @r"
    `[file]` is damaged: its header is cut short at [end] bytes
    hint: build or download it again
    `[file]` is damaged: its header is cut short at [end] bytes
    hint: build or download it again
    `[file]` is damaged: its header is cut short at [end] bytes
    hint: build or download it again
    `[file]` is damaged: its header is cut short at [end] bytes
    hint: build or download it again
    `[file]` is damaged: its segment table lies beyond its end
    hint: build or download it again
    `[file]` is damaged: a segment ends beyond the end of the file ([end] bytes)
    hint: build or download it again
    `[file]` is damaged: a segment ends beyond the end of the file ([end] bytes)
    hint: build or download it again
    `[file]` is damaged: Invalid ELF section header offset/size/alignment
    hint: build or download it again
    ");
    for part in 1..200 {
        let error = refusal(&whole[..whole.len() * part / 200]);
        assert!(matches!(error, LoadError::Damaged { .. }), "cut at {part}/200: {error}");
    }
}

#[test]
fn a_library_for_another_machine_is_refused_as_such() {
    let patched = |at: usize, with: &[u8]| {
        let mut bytes = misbehaving();
        bytes[at..at + with.len()].copy_from_slice(with);
        refused(&bytes)
    };
    // Class, byte order, type and machine are in the first twenty bytes.
    let said =
        [patched(18, &[243, 0]), patched(18, &[22, 0]), patched(4, &[1]), patched(5, &[2]), patched(16, &[2, 0])];
    assert_snapshot!(said.join("\n"), @r"
    `[file]` is built for RISC-V, this host runs [processor]
    hint: build it for this machine, or as a WebAssembly component
    `[file]` is built for another processor (ELF machine 22), this host runs [processor]
    hint: build it for this machine, or as a WebAssembly component
    `[file]` is built for a 32-bit system, this host runs [processor]
    hint: build it for this machine, or as a WebAssembly component
    `[file]` is built for a big-endian system, this host runs [processor]
    hint: build it for this machine, or as a WebAssembly component
    `[file]` is not a Jackfield plugin: it is not a shared library
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    ");
}

#[test]
fn a_library_without_the_symbols_of_a_plugin_is_no_plugin() {
    let without = refused(&library("int answer(void) { return 42; }"));
    let elsewhere =
        refused(&library("extern char JACKFIELD_PLUGIN[32]; int answer(void) { return JACKFIELD_PLUGIN[0]; }"));
    let other = refused(&library("const char JACKFIELD_PLUGIN[32] = \"something of the same name\";"));
    let short = refused(&library("char JACKFIELD_PLUGIN[4];"));
    let note_alone = refused(&library(&note(0, 1)));
    assert_snapshot!([without, elsewhere, other, short].join("\n"), @r"
    `[file]` is not a Jackfield plugin: it lacks the symbol `JACKFIELD_PLUGIN`
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a Jackfield plugin: it lacks the symbol `JACKFIELD_PLUGIN`
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a Jackfield plugin: the symbol `JACKFIELD_PLUGIN` is not what the contract says
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a Jackfield plugin: the symbol `JACKFIELD_PLUGIN` is not what the contract says
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    ");
    // The rest of this message is the dynamic loader's.
    assert!(
        note_alone.contains("not a Jackfield plugin") && note_alone.contains("JACKFIELD_PLUGIN_ABI_0"),
        "{note_alone}"
    );
}

#[test]
fn a_library_of_another_major_is_refused_and_of_a_newer_minor_is_not_for_that() {
    assert_snapshot!(refused(&library(&note(7, 3))), @"`[file]` speaks protocol 7.3, this host serves 0.x: a newer jackfield is needed");
    let newer_minor = refusal(&library(&note(0, 99)));
    assert!(matches!(newer_minor, LoadError::NoEntry { .. }), "{newer_minor}");
}

#[test]
fn a_header_that_is_no_header_is_refused_before_anything_in_it_is_used() {
    let zeros = library(&(note(0, 1) + "const char JACKFIELD_PLUGIN_ABI_0[4096] = {0};"));
    let text = library(&(note(0, 1) + "const char JACKFIELD_PLUGIN_ABI_0[4096] = \"abi stable, they say\";"));
    for error in [refusal(&zeros), refusal(&text)] {
        assert!(matches!(error, LoadError::Layout { .. }), "{error}");
    }
}

#[test]
fn a_library_that_needs_what_nobody_has_is_refused() {
    let said =
        refused(&library(&(note(0, 1) + "int nobody_has_this(void); int answer(void) { return nobody_has_this(); }")));
    assert!(said.contains("failed while being loaded") && said.contains("undefined symbol: nobody_has_this"), "{said}");
}

#[test]
fn a_library_with_another_layout_of_the_contract_is_refused_with_the_first_difference() {
    let bytes = fs::read(fixture("other_layout.so")).expect("a library");
    let error = refusal(&bytes);
    assert!(matches!(error, LoadError::Layout { .. }), "{error}");
    let said = said(&error);
    assert!(said.len() < 1000, "{} bytes", said.len());
    assert_snapshot!(said, @r"
    `[file]` was built with another layout of the contract: incompatible type size Expected: 72 Found: 80
    hint: rebuild it against the host's version of jackfield-plugin-api
    ");
}

/// A library that holds the note of the contract, compiled as a profile with `panic = "abort"` compiles it.
fn aborting_library() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, made) = (folder.path().join("library.rs"), folder.path().join("library.so"));
    let note = root().join("plugin-api/src/native/note.rs");
    let protocol = jackfield_plugin_api::PROTOCOL;
    fs::write(&code, format!("pub const PROTOCOL: (u16, u16) = {protocol:?};\n#[path = {note:?}]\nmod note;\n"))
        .expect("written");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--crate-type=cdylib", "-Cpanic=abort", "-Awarnings", "-o"]).arg(&made).arg(&code);
    run_command(&mut rustc).expect_code(0);
    fs::read(made).expect("made")
}

#[test]
fn a_library_that_aborts_on_panic_is_refused() {
    assert_snapshot!(refused(&aborting_library()), @r#"
    `[file]` is built with panic = "abort": a panic in it would end the host
    hint: build it without `panic = "abort"` in the profile
    "#);
}

#[test]
fn native_code_needs_both_an_allow_and_the_digest_of_the_file() {
    let (path, bytes) = (fixture("misbehaving.so"), misbehaving());
    let say = |trust: Trust| said(&load("bad", &path, &trust).expect_err("it is not allowed"));
    let neither = say(Trust::default());
    assert_snapshot!(neither, @r#"
    `[file]` is native code, which runs with the host's full rights, and is not allowed
    hint: if you trust it, add to its entry: allow_native = true, sha256 = "[sha256]"
    "#);
    assert_eq!(say(Trust { allow_native: true, sha256: None, ..Trust::default() }), neither);
    // What is pinned, by the pipeline or a lockfile, lacks nothing but the permission.
    let pinned = say(Trust { allow_native: false, ..trust(&bytes) });
    assert_eq!(pinned, neither.replace(", sha256 = \"[sha256]\"", ""));
    let hint = load("bad", &path, &Trust::default()).expect_err("it is not allowed").hint().expect("a hint");
    assert!(hint.contains(Digest::of(&bytes).as_str()), "{hint}");
    let plugin = load("bad", &path, &trust(&bytes)).expect("with both it is loaded");
    assert!(plugin.extensions.iter().any(|entry| entry.descriptor.name == "echo"), "{plugin:?}");
}

#[test]
fn a_file_other_than_the_pinned_one_is_refused_whatever_its_form() {
    let mut said_of_both = Vec::new();
    for file in ["misbehaving.so", "misbehaving.wasm"] {
        let trust = Trust { allow_native: true, sha256: Some(Digest::of("an earlier build")), ..Trust::default() };
        let error = load("bad", &fixture(file), &trust).expect_err("it is another file");
        said_of_both.push(said(&error).replace(Digest::of("an earlier build").as_str(), "[pinned]"));
    }
    assert_eq!(said_of_both[0], said_of_both[1]);
    assert_snapshot!(said_of_both[0], @r#"
    `[file]` has sha256 [sha256], the pipeline pins [pinned]
    hint: if the change is yours, pin the new file: sha256 = "[sha256]"
    "#);
}

#[test]
fn nothing_of_a_refused_library_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ran, file) = (folder.path().join("ran"), folder.path().join("library.so"));
    let constructor = format!(
        "#include <fcntl.h>
         __attribute__((constructor)) static void run(void) {{ creat(\"{}\", 0600); }}\n",
        ran.display()
    );
    let other_major = library(&(constructor.clone() + &note(7, 3)));
    refusal(&other_major);
    let current = library(&(constructor + &note(0, 1)));
    fs::write(&file, &current).expect("written");
    load("bad", &file, &Trust::default()).expect_err("it is not allowed");
    assert!(!ran.exists(), "its constructor ran");
    // Allowed and pinned, it gets as far as its constructor: the check above could have failed.
    load("bad", &file, &trust(&current)).expect_err("it lacks the header");
    assert!(ran.exists());
}

#[test]
fn a_library_that_panics_over_its_descriptors_is_refused_with_its_words() {
    let mut command = jackfield();
    command.args(["plugins", "list", "--allow-native", "--file"]).arg(fixture("misbehaving.so"));
    run_command(&mut command).expect_code(0);
    let refused = run_command(command.env("JACKFIELD_TEST_PANIC_IN_DESCRIBE", "1")).expect_code(1);
    assert_eq!(refused.stdout, "");
    assert_snapshot!(plain(&refused.stderr), @"error: `[file]` failed while being loaded: internal: panicked in describe: has nothing to offer");
}
