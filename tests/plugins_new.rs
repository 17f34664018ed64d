//! From `jackfield plugins new` to a run, with nothing typed but the commands that it prints, in every language.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use jackfield_plugin_api::{FailureKind, Random};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Done, builds_with_cargo, done_within, jackfield, meetings, result, results, root, tree};

mod transcript;

use transcript::plain;

/// What a command of a project may take: the first build of a component fetches its tools.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(600);

/// A folder to make a project in, and what its commands run with.
struct Place {
    folder: TempDir,
    /// For every command.
    env: Vec<(&'static str, PathBuf)>,
    /// Shell lines that go before `./build`.
    before_build: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bin = folder.path().join(".bin");
        fs::create_dir(&bin).expect("made");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jackfield"), bin.join("jackfield")).expect("linked");
        // What is built of a project is not built again: its compiled form need not outlive the test.
        let cache = folder.path().join(".compiled");
        Self { folder, env: vec![("JACKFIELD_CACHE_DIR", cache)], before_build: String::new() }
    }

    fn sh(&self, folder: &Path, command: &str) -> Done {
        let before = if command == "./build" { &*self.before_build } else { "" };
        let path =
            format!("{}:{}", self.folder.path().join(".bin").display(), std::env::var("PATH").unwrap_or_default());
        let mut sh = Command::new("sh");
        sh.arg("-c").arg(format!("exec 2>&1\n{before}\n{command}\ncode=$?\npwd >\"$HERE\"\nexit $code"));
        sh.current_dir(folder).env("PATH", path).env("HERE", self.folder.path().join(".here"));
        sh.envs(self.env.iter().map(|(name, value)| (name, value)));
        sh.envs([("NO_COLOR", "1"), ("COLUMNS", "100"), ("RUST_TEST_THREADS", "1"), ("CARGO_NET_OFFLINE", "true")]);
        for name in [
            "JACKFIELD_LOG",
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTC_WORKSPACE_WRAPPER",
            "VIRTUAL_ENV",
            "PYTHONPATH",
            "NODE_OPTIONS",
        ] {
            sh.env_remove(name);
        }
        done_within(&mut sh, LONGEST)
    }
}

/// A project that was made, tested, built and run.
struct Made {
    place: Place,
    folder: PathBuf,
    /// What was typed and what came of it.
    transcript: String,
}

/// Types `jackfield plugins new` and then what it prints.
#[track_caller]
fn follow(place: Place, name: &str, kind: &str, lang: &str) -> Made {
    follow_until(place, name, kind, lang, "")
}

/// Types `jackfield plugins new` and then what it prints, up to a command that takes long.
#[track_caller]
fn follow_until(place: Place, name: &str, kind: &str, lang: &str, end: &str) -> Made {
    let command = format!("jackfield plugins new {name} --kind {kind} --lang {lang}");
    let mut new = jackfield();
    new.args(command.split(' ').skip(1)).arg("--into").arg(root().join("examples/transcripts"));
    new.current_dir(place.folder.path());
    let made = done_within(&mut new, LONGEST).expect_code(0);
    let (printed, into) = made.stdout.trim_end().rsplit_once('\n').expect("commands");
    let mut transcript = format!("$ {command}\n{}{printed}\n", plain(&made.stderr));
    let mut folder = place.folder.path().to_owned();
    let all = printed.lines().all(|command| command != end);
    for command in printed.lines().take_while(|command| *command != end) {
        let done = place.sh(&folder, command);
        assert_eq!(done.code, Some(0), "`{command}`:\n{}", done.stdout);
        transcript += &format!("$ {command}\n{}", plain(&done.stdout));
        folder = fs::read_to_string(place.folder.path().join(".here")).expect("a folder").trim_end().into();
    }
    if all {
        reads_the_example(&place, &folder, into, name);
    }
    Made { place, folder, transcript }
}

/// The last command that is printed runs the example with the plugin in it: the plugin reads each transcript, and the
/// stages of the example answer as ever.
#[track_caller]
fn reads_the_example(place: &Place, folder: &Path, command: &str, name: &str) {
    let done = place.sh(folder, command);
    assert_eq!(done.code, Some(0), "`{command}`:\n{}", done.stdout);
    let runs = fs::read_dir(folder.join("runs")).expect("runs").map(|run| run.expect("a run").path());
    let run =
        runs.into_iter().find(|run| run.to_string_lossy().contains("/transcripts-")).expect("a run of the example");
    let lines = results(&run);
    assert_eq!(lines.len(), 6);
    for line in lines {
        assert!(!line["outputs"][name].is_null() && !line["outputs"]["brief"].is_null(), "{line}");
    }
}

/// The counts of a text, as the README of the template has them: the reference for every language.
fn counts(text: &str, min_length: usize) -> Value {
    let (mut words, mut longest, mut length) = (0, 0, 0);
    for character in text.chars().chain([' ']) {
        if !matches!(character, ' ' | '\t' | '\r' | '\n') {
            length += 1;
        } else if length > 0 {
            if length >= min_length {
                words += 1;
                longest = longest.max(length);
            }
            length = 0;
        }
    }
    json!({ "words": words, "characters": text.chars().count(), "longest": longest })
}

/// Runs the project over texts of every sort and over the meetings, and compares each answer with the reference.
#[track_caller]
fn counts_as_all_do(made: &Made) {
    let odd = made.place.folder.path().join("odd");
    fs::create_dir(&odd).expect("made");
    let texts = [
        ("scripts", "Καλημέρα κόσμε, 日本語 テキスト, नमस्ते दुनिया, שלום עולם"),
        ("marks", "e\u{301}tude \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{1f1e9}\u{1f1ea} a\u{200b}b"),
        ("spaces", "\u{a0}no\u{2009}break\u{2028}line\u{85}next\u{3000}wide\u{b}tab\u{c}feed\t\tx\r\n\r\ny "),
        ("escapes", "\"quoted\" \\back\\ /slash/ \u{1}\u{1f}\u{7f} {\"json\": [1e400]}"),
        ("edge", "\u{10ffff}\u{e000}\u{d7ff}\u{ffff} \u{80}"),
    ];
    for (name, text) in texts {
        fs::write(odd.join(name).with_extension("txt"), text).expect("written");
    }
    for input in [odd.join("*.txt").to_string_lossy().into_owned(), meetings()] {
        for min_length in [1_usize, 4] {
            let command = format!(
                "jackfield run . --json --out runs/compared --set 'input={{ use = \"files\", path = \"{input}\" }}' \\\n \
                 --set stages.count.with.min_length={min_length} 2>/dev/null"
            );
            let done = made.place.sh(&made.folder, &command).expect_code(0);
            let lines = results(&made.folder.join(done.folder()));
            let paths = glob(&input);
            assert_eq!(lines.len(), paths.len(), "{input}");
            for line in lines {
                let item = line["item"].as_str().expect("an item");
                let path = paths.iter().find(|path| path.file_stem().is_some_and(|stem| *stem == *item));
                let text = fs::read_to_string(path.expect("the item's file")).expect("read");
                let wanted = counts(&text, min_length);
                let found = &line["outputs"]["count"];
                assert_eq!(*found, wanted, "{item}");
                // The same bytes, too.
                assert_eq!(found.to_string(), wanted.to_string());
            }
        }
    }
}

/// The files that a pattern such as `FOLDER/*.txt` means.
fn glob(pattern: &str) -> Vec<PathBuf> {
    let (folder, ending) = pattern.split_once("/*").expect("a pattern");
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_file() && path.to_string_lossy().ends_with(ending)).collect()
}

/// The component imports the contract and nothing else: no clock, no files, no environment.
#[track_caller]
fn imports_the_contract_alone(made: &Made, name: &str) {
    let bytes = fs::read(made.folder.join(name).with_extension("wasm")).expect("a component");
    let names = imports(&bytes);
    assert!(!names.is_empty());
    for name in names {
        assert!(name.starts_with("jackfield:plugin/"), "it imports {name}");
    }
}

/// The names that a component imports. A component is a row of sections after eight bytes: an id, a length, its content; in
/// that of imports (10), each name follows a zero or one and its length.
fn imports(component: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 8;
    while at < component.len() {
        let id = component[at];
        let (length, begin) = number(component, at + 1);
        let section = &component[begin..begin + length];
        if id == 10 {
            let (count, mut at) = number(section, 0);
            for _ in 0..count {
                let (length, begin) = number(section, at + 1);
                found.push(String::from_utf8(section[begin..begin + length].to_vec()).expect("a name"));
                // What is imported: an instance (5) of the type with this number.
                assert_eq!(section[begin + length], 5, "an import that is no instance: {found:?}");
                at = number(section, begin + length + 1).1;
            }
        }
        at = begin + length;
    }
    found
}

/// A number in LEB128, and where it ends.
fn number(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        value |= usize::from(bytes[at] & 0x7f) << shift;
        at += 1;
        shift += 7;
        if bytes[at - 1] & 0x80 == 0 {
            return (value, at);
        }
    }
}

/// The guide shows the very commands, and parts of the very files.
#[track_caller]
fn the_guide_shows(page: &str, made: &Made) {
    let text = fs::read_to_string(root().join("docs/guides").join(page)).expect("a page");
    for shown in text.split("\n```").filter(|block| block.lines().next().is_some_and(|info| info.contains(" from="))) {
        let (info, part) = shown.split_once('\n').expect("a block");
        let file = info.split_once(" from=").expect("a file").1;
        // A page that shows two languages shows files of one.
        if let Ok(whole) = fs::read_to_string(made.folder.join(file)) {
            assert!(whole.contains(part.trim_end()), "{page}: {file} holds no such lines:\n{part}");
        }
    }
    let mut rest = text.as_str();
    for command in made.transcript.lines().filter(|line| line.starts_with("$ ")) {
        let at = rest.find(&format!("{command}\n"));
        rest = &rest[at.unwrap_or_else(|| panic!("{page} does not show `{command}` in its place"))..];
    }
}

/// Without its tools a language cannot be tested: `tests/run` installs them.
#[track_caller]
fn needs(probe: &str, what: &str) {
    let found = done_within(Command::new("sh").args(["-c", probe]), LONGEST);
    assert_eq!(found.code, Some(0), "{what} is missing here: tests/run installs it where apt is there");
}

const PYTHON: (&str, &str) = ("python3 -c 'import ensurepip, venv'", "Python with venv");
const NODE: (&str, &str) = ("node --version && npm --version", "Node.js with npm");
const C: (&str, &str) = (
    "for clang in clang-23 clang-22 clang-21 clang-20 clang-19; do \
     printf '#include <stdlib.h>\\n' | $clang --target=wasm32-wasi -Wno-deprecated -E -x c - && exit; done; exit 1",
    "clang with wasi-libc",
);

#[test]
fn an_analyzer_in_python() {
    needs(PYTHON.0, PYTHON.1);
    let made = follow(Place::new(), "word-count", "analyzer", "python");
    insta::assert_snapshot!(made.transcript);
    the_guide_shows("write-a-plugin-in-python.md", &made);
    imports_the_contract_alone(&made, "word-count");
    counts_as_all_do(&made);
}

#[test]
fn a_model_in_python() {
    needs(PYTHON.0, PYTHON.1);
    // Building one takes a minute of computing: the analyzer is built, and the probe, which holds a model.
    let made = follow_until(Place::new(), "polly", "model", "python", "./build");
    insta::assert_snapshot!(made.transcript);
}

#[test]
fn an_analyzer_in_javascript() {
    needs(NODE.0, NODE.1);
    let made = follow(Place::new(), "word-count", "analyzer", "javascript");
    insta::assert_snapshot!(made.transcript);
    the_guide_shows("write-a-plugin-in-javascript.md", &made);
    imports_the_contract_alone(&made, "word-count");
    counts_as_all_do(&made);
}

#[test]
fn a_model_in_javascript() {
    needs(NODE.0, NODE.1);
    let made = follow(Place::new(), "polly", "model", "javascript");
    insta::assert_snapshot!(made.transcript);
}

/// Every command that is printed for a project of this kind is typed; building one in JavaScript takes seconds.
#[track_caller]
fn a_project_in_javascript(name: &str, kind: &str) -> String {
    needs(NODE.0, NODE.1);
    follow(Place::new(), name, kind, "javascript").transcript
}

#[test]
fn a_cache_backend_in_javascript() {
    insta::assert_snapshot!(a_project_in_javascript("shelf", "cache-backend"));
}

#[test]
fn a_routing_policy_in_javascript() {
    insta::assert_snapshot!(a_project_in_javascript("greedy", "routing-policy"));
}

#[test]
fn a_direction_extractor_in_javascript() {
    insta::assert_snapshot!(a_project_in_javascript("median", "direction-extractor"));
}

#[test]
fn an_analyzer_in_typescript() {
    needs(NODE.0, NODE.1);
    let made = follow(Place::new(), "word-count", "analyzer", "typescript");
    insta::assert_snapshot!(made.transcript);
    the_guide_shows("write-a-plugin-in-javascript.md", &made);
    imports_the_contract_alone(&made, "word-count");
    counts_as_all_do(&made);
}

#[test]
fn a_model_in_typescript() {
    needs(NODE.0, NODE.1);
    let made = follow(Place::new(), "polly", "model", "typescript");
    insta::assert_snapshot!(made.transcript);
}

#[test]
fn an_analyzer_in_c() {
    needs(C.0, C.1);
    let place = Place::new();
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
fn a_machine_whose_clang_is_too_old_is_told_what_to_install() {
    let place = Place::new();
    let mut new = jackfield();
    done_within(new.args(["plugins", "new", "old", "--lang", "c"]).current_dir(place.folder.path()), LONGEST)
        .expect_code(0);
    // What the build calls, and an older clang.
    let bin = place.folder.path().join("few");
    fs::create_dir(&bin).expect("made");
    for tool in ["sh", "sed", "grep", "sort", "head", "mkdir", "dirname", "rustc"] {
        let found = done_within(Command::new("sh").args(["-c", &format!("command -v {tool}")]), LONGEST).expect_code(0);
        std::os::unix::fs::symlink(found.stdout.trim(), bin.join(tool)).expect("linked");
    }
    older_clang(&bin.join("clang"));
    let build = |variables: &[(&str, &str)]| {
        let mut command = Command::new(place.folder.path().join("old/build"));
        command.env("PATH", &bin).env_remove("CLANG").env_remove("WASI_SDK_PATH").envs(variables.iter().copied());
        done_within(&mut command, LONGEST).expect_code(1).stderr
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
    let told = done_within(&mut doctor, LONGEST).json()["groups"].take();
    let findings =
        told.as_array().expect("groups").iter().flat_map(|group| group["findings"].as_array().expect("findings"));
    let clang = findings.into_iter().find(|finding| finding["name"] == "clang").expect("clang");
    insta::assert_snapshot!(clang, @r#"{"detail":"`clang` is Debian clang version 14.0.6, which cannot build for WebAssembly here","hint":"apt-get install clang-22 wasi-libc libclang-rt-22-dev-wasm32: needed for plugins in C","name":"clang","state":"missing"}"#);
}

#[test]
fn a_model_in_c() {
    needs(C.0, C.1);
    let made = follow(Place::new(), "polly", "model", "c");
    insta::assert_snapshot!(made.transcript);
}

/// Where projects in Rust are built: with what the guides build, so that what all depend on is built once.
fn rust_target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("documented/target")
}

/// A place whose Rust can build for WebAssembly.
fn place_for_rust() -> Place {
    let mut place = Place::new();
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
fn an_analyzer_in_rust_in_two_forms() {
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
    counts_as_all_do(&Made { place: again(&made.place), ..made });
}

/// The same place with a folder of its own for odd texts.
fn again(place: &Place) -> Place {
    Place { env: place.env.clone(), ..Place::new() }
}

#[test]
fn every_kind_in_rust() {
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

/// Makes a project of a kind in a folder of this name, called as its kind.
#[track_caller]
fn made(place: &Place, kind: &str, lang: &str, folder: &str) -> PathBuf {
    let folder = place.folder.path().join(folder);
    let mut new = jackfield();
    new.args(["plugins", "new", &format!("the-{kind}"), "--kind", kind, "--lang", lang, "--dir"]).arg(&folder);
    done_within(&mut new, LONGEST).expect_code(0);
    folder
}

/// Kinds besides `analyzer`.
const OTHER_KINDS: [&str; 4] = ["model", "cache-backend", "routing-policy", "direction-extractor"];

/// A project whose plugin offers what the project of each kind in this language offers: one build holds all of them. It is
/// that of a cache backend, whose world has all that a component can export. `tests` is what tests a project.
#[track_caller]
fn every_kind(place: &Place, lang: &str, tests: &str) -> PathBuf {
    let all = made(place, "cache-backend", lang, "every-kind");
    for kind in OTHER_KINDS {
        let folder = if kind == "cache-backend" { all.clone() } else { made(place, kind, lang, kind) };
        let done = place.sh(&folder, tests);
        assert_eq!(done.code, Some(0), "`{tests}` of a {kind}:\n{}", done.stdout);
        let name = match lang {
            "python" => format!("{}.py", kind.replace('-', "_")),
            _ => format!("{kind}.js"),
        };
        match (lang, kind) {
            // Its place is taken by one that offers all.
            ("python", "cache-backend") => fs::rename(folder.join(&name), all.join("shelf.py")).expect("moved"),
            (_, "cache-backend") => {}
            _ => drop(fs::copy(folder.join(&name), all.join(&name)).expect("copied")),
        }
    }
    all
}

/// The extension of each kind is as clean as a plugin in the sandbox can be.
#[track_caller]
fn conforms(place: &Place, folder: &Path, component: &str) {
    let done = place.sh(folder, &format!("jackfield plugins test {component} --quick --json 2>/dev/null"));
    let report: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{}", done.stdout));
    let extensions = report["extensions"].as_array().expect("extensions");
    for kind in OTHER_KINDS {
        let name = format!("the-{kind}");
        let found =
            extensions.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"));
        assert_eq!(found["level"], "sandbox-clean", "{name}: {found:#}");
    }
}

/// Puts the probe into a project of every kind in this language, builds it and runs it: every call of the host, tensors,
/// failures. A crash is told in such words.
#[track_caller]
fn probe_of_every_kind(lang: &str, tests: &str, build: &[&str], exact_seed: bool, crash: &str) {
    let place = Place::new();
    let folder = every_kind(&place, lang, tests);
    let sources = root().join("tests/plugins_new");
    for file in fs::read_dir(sources.join(format!("every_kind_{lang}"))).expect("sources") {
        let file = file.expect("a file");
        fs::copy(file.path(), folder.join(file.file_name())).expect("copied");
    }
    let ending = if lang == "python" { "py" } else { "js" };
    fs::copy(sources.join("probe").with_extension(ending), folder.join("probe").with_extension(ending))
        .expect("copied");
    probe_in(&place, &folder, "the-cache-backend.wasm", build, exact_seed, crash);
    conforms(&place, &folder, "probe.wasm");
}

/// Makes a project, puts the probe in place of its source, and runs it.
#[track_caller]
fn probe(lang: &str, source: &str, build: &[&str], exact_seed: bool, crash: &str) {
    let place = Place::new();
    let folder = made(&place, "analyzer", lang, "probe");
    let sources = root().join("tests/plugins_new");
    let ending = Path::new(source).extension().expect("an ending").to_string_lossy().into_owned();
    fs::copy(sources.join("probe").with_extension(ending), folder.join(source)).expect("copied");
    probe_in(&place, &folder, "the-analyzer.wasm", build, exact_seed, crash);
}

/// Builds a project that holds the probe, and runs it.
#[track_caller]
fn probe_in(place: &Place, folder: &Path, component: &str, build: &[&str], exact_seed: bool, crash: &str) {
    let sources = root().join("tests/plugins_new");
    for pipeline in ["probe.toml", "fail.toml"] {
        fs::copy(sources.join(pipeline), folder.join(pipeline)).expect("copied");
    }
    for command in build {
        let done = place.sh(folder, command);
        assert_eq!(done.code, Some(0), "`{command}`:\n{}", done.stdout);
    }
    fs::rename(folder.join(component), folder.join("probe.wasm")).expect("built");

    let run = place.sh(folder, "jackfield run probe.toml --json 2>said").expect_code(0);
    let mut outputs = result(&folder.join(run.folder()), "1")["outputs"].take();
    let seed: u64 = outputs["probe"]["report"]["seed"].as_str().and_then(|seed| seed.parse().ok()).expect("a seed");
    let mut random = Random::new(seed);
    let drawn =
        json!([random.next_u64().to_string(), random.below(1000).to_string(), format!("{:.6}", random.next_f64())]);
    assert_eq!(outputs["probe"]["report"]["random"], drawn);
    assert_eq!(seed.is_multiple_of(1 << 11), !exact_seed, "{seed}");
    for stage in ["probe", "alone"] {
        let report = outputs[stage]["report"].as_object_mut().expect("a report");
        assert!(report.remove("seed").is_some() && report.remove("random").is_some());
    }
    let wanted = json!({
        "probe": { "report": {
            "word": "yes", "stage": "probe", "item": "1", "cancelled": false, "model": "echo", "answer": "ähm 🦀",
            "before": "nothing", "put": null, "after": "ü", "fetch": "invalid-config",
        } },
        "alone": { "report": {
            "word": "no", "stage": "alone", "item": "1", "cancelled": false, "model": null, "answer": "invalid-config",
            "before": "invalid-config", "put": "invalid-config", "after": "invalid-config", "fetch": "invalid-config",
        } },
        "give": {},
        "take": { "shape": [2, 3], "sum": "31.5" },
    });
    assert_eq!(outputs, wanted);
    let said = fs::read_to_string(folder.join("said")).expect("read");
    assert!(said.contains("said in probe"), "{said}");

    let run = place.sh(folder, "jackfield run fail.toml --json 2>/dev/null").expect_code(1);
    let run = folder.join(run.folder());
    for kind in FailureKind::ALL {
        let message = match kind {
            FailureKind::RateLimited => "slowly".to_owned(),
            kind => format!("told so: {}", kind.name()),
        };
        let wanted = json!([{ "kind": kind.name(), "message": message }]);
        assert_eq!(result(&run, kind.name())["failures"]["fail"], wanted);
    }

    let crashed = "jackfield run fail.toml --json --set 'input.items=[{ kind = \"crash\" }]' 2>/dev/null";
    let run = place.sh(folder, crashed).expect_code(1);
    let failure = result(&folder.join(run.folder()), "crash")["failures"]["fail"][0].take();
    assert_eq!(failure["kind"], "internal");
    assert!(failure["message"].as_str().is_some_and(|message| message.contains(crash)), "{failure}");

    // What `open` refuses is told before anything runs.
    let refused = place.sh(folder, "jackfield run probe.toml --set stages.probe.with.word=bad").expect_code(2);
    assert!(refused.stdout.contains("invalid-config: `word` is bad"), "{}", refused.stdout);
    let refused = place.sh(folder, "jackfield run probe.toml --set stages.probe.with.wrod=bad").expect_code(2);
    assert!(refused.stdout.contains("wrod"), "{}", refused.stdout);
}

#[test]
fn the_package_for_python_keeps_to_its_types() {
    needs(PYTHON.0, PYTHON.1);
    let mut tests = Command::new("python3");
    tests.args(["-m", "unittest", "tests/plugins_new/test_package.py"]).current_dir(root());
    tests.env("PYTHONPATH", root().join("plugin-api/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    done_within(&mut tests, LONGEST).expect_code(0);
}

#[test]
fn the_package_for_javascript_keeps_to_its_types() {
    needs(NODE.0, NODE.1);
    let mut tests = Command::new("node");
    tests.args(["--test", "tests/plugins_new/package.test.mjs"]).current_dir(root());
    tests.env("JACKFIELD_PACKAGE", root().join("plugin-api/javascript"));
    done_within(&mut tests, LONGEST).expect_code(0);
}

#[test]
fn python_has_every_kind_and_reaches_all_that_the_host_offers() {
    needs(PYTHON.0, PYTHON.1);
    probe_of_every_kind(
        "python",
        "PYTHONPATH=vendor python3 -m unittest",
        &["./build"],
        true,
        "TypeError: 'Nothing' object is not subscriptable (probe.py:",
    );
}

#[test]
fn javascript_has_every_kind_and_reaches_all_that_the_host_offers() {
    needs(NODE.0, NODE.1);
    // Of a seed, the bindings of QuickJS give 53 bits.
    let build = ["npm install", "npm run build"];
    probe_of_every_kind("javascript", "npm test", &build, false, "TypeError: ");
}

#[test]
fn c_reaches_all_that_the_host_offers() {
    needs(C.0, C.1);
    probe("c", "analyzer.c", &["./build"], true, "unreachable");
}

#[test]
fn what_cannot_be_made_is_refused_and_nothing_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("taken")).expect("made");
    fs::write(folder.path().join("taken/mine.txt"), "mine").expect("written");
    let before = tree(folder.path());
    let too_long = "a".repeat(65);
    let tries: &[&[&str]] = &[
        &["Word-Count", "--lang", "c"],
        &["word_count", "--lang", "c"],
        &["2nd", "--lang", "c"],
        &["words-", "--lang", "c"],
        &["", "--lang", "c"],
        &[&too_long, "--lang", "c"],
        &["taken", "--lang", "c"],
        &["word-count", "--lang", "c", "--dir", "taken"],
        &["word-count", "--lang", "c", "--dir", "taken/mine.txt"],
        &["shelf", "--kind", "cache-backend", "--lang", "c"],
    ];
    let mut said = String::new();
    for arguments in tries {
        let mut command = jackfield();
        command.args(["plugins", "new"]).args(*arguments).current_dir(folder.path());
        let done = done_within(&mut command, LONGEST).expect_code(2);
        assert_eq!(done.stdout, "");
        said += &format!("$ jackfield plugins new {}\n{}\n", arguments.join(" "), done.stderr);
    }
    assert_eq!(tree(folder.path()), before);
    insta::assert_snapshot!(said);
}
