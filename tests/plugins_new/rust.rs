//! Projects in Rust.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    component::imports_the_contract_alone,
    counts::counts_as_all_do,
    project::{MadeProject, OTHER_KINDS, WorkFolder, conforms, follow, made},
    the_guide_shows,
};
use crate::support::{builds_with_cargo, root};

/// Where projects in Rust are built: with what the guides build, so that what all depend on is built once.
fn rust_target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("documented/target")
}

/// A place whose Rust can build for WebAssembly.
fn place_for_rust() -> WorkFolder {
    let mut place = WorkFolder::new();
    place.env.push(("CARGO_TARGET_DIR", rust_target()));
    let environment = Command::new(root().join("tests/build-wasm")).arg("--env").current_dir(root()).output();
    let environment = environment.expect("tests/build-wasm");
    assert!(environment.status.success(), "{}", String::from_utf8_lossy(&environment.stderr));
    // What the components of the tests are built of, in the folder where it was built for them.
    let guests = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("wasm-guests");
    place.before_build =
        format!("{}\nexport CARGO_TARGET_DIR='{}'", String::from_utf8_lossy(&environment.stdout), guests.display());
    place
}

#[test]
fn an_analyzer_in_two_forms() {
    let _lock = builds_with_cargo();
    let made = follow(place_for_rust(), "word-count", "analyzer", "rust");
    insta::assert_snapshot!(made.transcript);
    the_guide_shows("write-a-plugin-in-rust.md", &made);
    imports_the_contract_alone(&made, "word-count");
    counts_as_all_do(&made);

    // The same as a native library.
    let library = rust_target().join("debug/libword_count_plugin.so");
    made.place.sh(&made.folder, "cargo build --quiet").expect_code(0);
    let native = format!(
        "sed -i 's|^path = .*|path = \"{0}\"\\nallow_native = true\\nsha256 = \"'$(sha256sum {0} | cut -c-64)'\"|' pipeline.toml",
        library.display()
    );
    made.place.sh(&made.folder, &native).expect_code(0);
    counts_as_all_do(&MadeProject { place: again(&made.place), ..made });
}

/// The same place with a folder of its own for odd texts.
fn again(place: &WorkFolder) -> WorkFolder {
    WorkFolder { env: place.env.clone(), ..WorkFolder::new() }
}

#[test]
fn every_kind() {
    let _lock = builds_with_cargo();
    let place = place_for_rust();
    // A crate for all of them, so that what they depend on is built once.
    let all = made(&place, "cache-backend", "rust", "every-kind");
    let mut modules = String::new();
    for kind in OTHER_KINDS {
        let source = made(&place, kind, "rust", &format!("of-{kind}")).join("src/lib.rs");
        let module = kind.replace('-', "_");
        fs::copy(source, all.join(format!("src/{module}.rs"))).expect("copied");
        modules += &format!("pub mod {module};\n");
    }
    fs::write(all.join("src/lib.rs"), modules).expect("written");
    for command in ["cargo test", "./build"] {
        let done = place.sh(&all, command);
        assert_eq!(done.code, Some(0), "`{command}`:\n{}", done.stdout);
    }
    conforms(&place, &all, "the-cache-backend.wasm");
}
