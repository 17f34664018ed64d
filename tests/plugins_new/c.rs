//! Projects in C.

use std::{fs, path::Path, process::Command};

use super::{
    LONGEST,
    component::imports_the_contract_alone,
    counts::counts_as_all_do,
    needs,
    probe::probe,
    project::{WorkFolder, follow},
    surroundings::surroundings,
    the_guide_shows,
};
use crate::support::{jackfield, run_command_within};

const C: (&str, &str) =
    (concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/wasm-clang"), "a clang that builds for WebAssembly");

#[test]
fn an_analyzer() {
    needs(C.0, C.1);
    let place = WorkFolder::new();
    // Compilers that cannot do it, wherever they stand, are passed over.
    for name in ["clang", "clang-99"] {
        older_clang(&place.folder.path().join(".bin").join(name));
    }
    let made = follow(place, "word-count", "analyzer", "c");
    insta::assert_snapshot!(made.transcript);
    the_guide_shows("write-a-plugin-in-c.md", &made);
    imports_the_contract_alone(&made, "word-count");
    counts_as_all_do(&made);
}

/// A clang as it is on an older machine: it reads the headers of wasi-libc, and has no library of its own for WebAssembly.
fn older_clang(path: &Path) {
    let script = "#!/bin/sh\ncase \"$*\" in\n*--version*) echo 'Debian clang version 14.0.6' ;;\n*-print-*) echo none/such.a ;;\n\
                  *-E*|*-fsyntax-only*) ;;\n*) echo 'wasm-ld: error: cannot open libclang_rt.builtins-wasm32.a' >&2; exit 1 ;;\nesac\n";
    fs::write(path, script).expect("written");
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
}

#[test]
fn where_clang_is_too_old_the_build_says_what_to_install() {
    let place = WorkFolder::new();
    let mut new = jackfield();
    run_command_within(new.args(["plugins", "new", "old", "--lang", "c"]).current_dir(place.folder.path()), LONGEST)
        .expect_code(0);
    // What the build calls, and an older clang.
    let bin = place.folder.path().join("few");
    fs::create_dir(&bin).expect("made");
    for tool in ["sh", "sed", "grep", "sort", "head", "mkdir", "dirname", "rustc"] {
        let found =
            run_command_within(Command::new("sh").args(["-c", &format!("command -v {tool}")]), LONGEST).expect_code(0);
        std::os::unix::fs::symlink(found.stdout.trim(), bin.join(tool)).expect("linked");
    }
    older_clang(&bin.join("clang"));
    let build = |variables: &[(&str, &str)]| {
        let mut command = Command::new(place.folder.path().join("old/build"));
        command.env("PATH", &bin).env_remove("CLANG").env_remove("WASI_SDK_PATH").envs(variables.iter().copied());
        run_command_within(&mut command, LONGEST).expect_code(1).stderr
    };
    insta::assert_snapshot!(build(&[]), @r"
    build: there is no C compiler for WebAssembly here.
      clang is Debian clang version 14.0.6: it cannot build for WebAssembly here:
        wasm-ld: error: cannot open libclang_rt.builtins-wasm32.a
    build: Any of these will do:
    build:   apt install clang-22 wasi-libc libclang-rt-22-dev-wasm32    (Debian; 19 or newer)
    build:   python3 -m venv .venv && .venv/bin/pip install ziglang      (no root needed)
    build:   WASI_SDK_PATH=/path/to/wasi-sdk ./build
    ");
    insta::assert_snapshot!(build(&[("CLANG", "clang")]), @r"
    build: CLANG cannot be used:
      clang is Debian clang version 14.0.6: it cannot build for WebAssembly here:
        wasm-ld: error: cannot open libclang_rt.builtins-wasm32.a
    ");
    insta::assert_snapshot!(build(&[("CLANG", "clang-none")]), @"build: CLANG cannot be used: there is no clang-none");
    // So says the doctor.
    let mut doctor = jackfield();
    doctor.args(["doctor", "--json"]).current_dir(place.folder.path()).env("PATH", &bin).env_remove("CLANG");
    let told = run_command_within(&mut doctor, LONGEST).json()["groups"].take();
    let findings =
        told.as_array().expect("groups").iter().flat_map(|group| group["findings"].as_array().expect("findings"));
    let clang = findings.into_iter().find(|finding| finding["name"] == "clang").expect("clang");
    insta::assert_snapshot!(clang, @r#"{"detail":"`clang` is Debian clang version 14.0.6, which cannot build for WebAssembly here","hint":"apt-get install clang-22 wasi-libc libclang-rt-22-dev-wasm32: needed for plugins in C","name":"clang","state":"missing"}"#);
}

#[test]
fn a_model() {
    needs(C.0, C.1);
    let made = follow(WorkFolder::new(), "polly", "model", "c");
    insta::assert_snapshot!(made.transcript);
}

#[test]
fn an_analyzer_reaches_all_that_the_host_offers() {
    needs(C.0, C.1);
    let (place, folder) = probe("c", "analyzer.c", &["./build"], true, "unreachable");
    surroundings(&place, &folder);
}
