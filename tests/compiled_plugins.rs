//! The compiled code of components: announced, kept, and never used where it is not what it was.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use insta::assert_snapshot;

use crate::{
    bad_plugins::component::Hand,
    support::{CommandOutput, Pipeline, jackfield, run_command},
};

/// A pipeline with one component, and a folder for compiled code of its own.
struct Bench {
    pipeline: Pipeline,
}

impl Bench {
    fn new(component: &[u8]) -> Self {
        let toml = "[pipeline]\nname = \"x\"\n[plugins.mine]\npath = \"mine.wasm\"\n[input]\nuse = \"inline\"\n\
                    items = [{}]\n[stages.one]\nuse = \"mine/hand\"\nin = \"input\"\n";
        Self { pipeline: Pipeline::new(toml).with("mine.wasm", component) }
    }

    fn folder(&self) -> PathBuf {
        self.pipeline.path().join("cache/compiled")
    }

    fn check_with(&self, variables: &[(&str, &str)]) -> CommandOutput {
        let mut command = jackfield();
        command.env("JACKFIELD_CACHE_DIR", self.pipeline.path().join("cache")).envs(variables.iter().copied());
        run_command(command.args(["check", "--json"]).arg(self.pipeline.path()))
    }

    /// What `check` says on standard error of a pipeline that is in order.
    fn said(&self) -> String {
        self.plain(&self.check_with(&[]).expect_code(0))
    }

    fn plain(&self, done: &CommandOutput) -> String {
        let mut said = self.pipeline.said(done);
        for file in self.files() {
            said = said.replace(&*file.file_name().expect("a name").to_string_lossy(), "[file]");
        }
        said.lines().map(|line| line.trim().to_owned() + "\n").collect()
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder()).into_iter().flatten();
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }
}

/// The component with a section that means nothing.
fn padded(bytes: usize) -> Vec<u8> {
    let mut component = Hand::default().bytes();
    let length = bytes + 2;
    // A length in five bytes of seven bits each.
    let digits = (0..5).map(|index| (length >> (7 * index)) as u8 & 0x7f | if index < 4 { 0x80 } else { 0 });
    component.push(0);
    component.extend(digits);
    component.extend([1, b'x']);
    component.extend(vec![0; bytes]);
    component
}

#[test]
fn what_takes_long_to_compile_is_announced_once_and_only_to_people() {
    let bench = Bench::new(&padded(3 << 20));
    let checked = bench.check_with(&[]).expect_code(0);
    assert_snapshot!(checked.stderr, @"compiling mine (3.0 MiB) …");
    checked.json();
    assert_eq!(bench.said(), "", "it is kept");
    assert_eq!(Bench::new(&padded(10)).said(), "", "small ones need no line");
}

#[test]
fn code_that_was_damaged_is_made_anew_and_that_is_said() {
    let bench = Bench::new(&Hand::default().bytes());
    assert_eq!(bench.said(), "");
    let [file] = bench.files().try_into().expect("one file");
    let mut bytes = fs::read(&file).expect("kept");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&file, bytes).expect("written");
    assert_snapshot!(bench.said(), @"WARN jackfield_loader::wasm::compile: the compiled code that is kept of `mine` is not used, and is made anew: `[folder]/cache/compiled/[file]` is damaged: its content does not have the SHA-256 that it says");
    assert_eq!(bench.said(), "", "it was replaced");
}

#[test]
fn a_folder_that_is_open_to_others_is_not_used() {
    let bench = Bench::new(&Hand::default().bytes());
    bench.said();
    fs::set_permissions(bench.folder(), fs::Permissions::from_mode(0o755)).expect("opened");
    fs::remove_file(&bench.files()[0]).expect("removed");
    assert_snapshot!(bench.said(), @"WARN jackfield_loader::wasm::compile: compiled plugins are not kept: `[folder]/cache/compiled` is open to others (mode 0755), and is not used: if only you have written to it, close it to others: chmod 700 [folder]/cache/compiled");
    assert!(bench.files().is_empty(), "something was written there");
}

#[test]
fn the_folder_is_held_to_the_size_that_is_asked_for() {
    let bench = Bench::new(&Hand::default().bytes());
    let said = bench.check_with(&[("JACKFIELD_CACHE_SIZE", "1KiB")]).expect_code(0).stderr;
    assert_eq!((said.as_str(), bench.files().len()), ("", 0), "it has more than that");
    bench.check_with(&[("JACKFIELD_CACHE_SIZE", "1GiB")]).expect_code(0);
    assert_eq!(bench.files().len(), 1);
    let wrong = bench.check_with(&[("JACKFIELD_CACHE_SIZE", "much")]).expect_code(0);
    assert_snapshot!(bench.plain(&wrong), @"WARN jackfield_loader::wasm::compile: JACKFIELD_CACHE_SIZE is not a size such as `512MiB`: `much`: unknown unit `much`; 1 GiB it is");
}

#[test]
fn a_component_that_would_take_too_much_to_compile_is_refused_by_check() {
    // Functions of two bytes each.
    let functions = "(func)".repeat(50_001);
    let text = Hand::default().text().replacen("(component\n", &format!("(component (core module {functions})\n"), 1);
    let bench = Bench::new(&wat::parse_str(text).expect("a component"));
    let refused = bench.check_with(&[]).expect_code(2);
    let faults = refused.json()["faults"][0].clone();
    let message = faults["message"].as_str().expect("a message");
    let message = message.replace(&*bench.pipeline.path().to_string_lossy(), "[folder]");
    assert_snapshot!(format!("{message}\nhint: {}", faults["hint"].as_str().expect("a hint")), @r"
    plugin `mine` cannot be loaded: `[folder]/mine.wasm` is not compiled: it has 50001 functions or more; 50000 at most are compiled
    hint: build it with optimisation and without debug information, or split it into several plugins
    ");
}
