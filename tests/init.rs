//! `jackfield init`: each template makes a folder whose pipeline is in order, passes its tests and runs, with nothing changed.

use std::fs;

use serde_json::Value;

use crate::support::{jackfield, root, run_command, tree};

/// The templates, as the sources have them.
fn templates() -> Vec<String> {
    let folder = root().join("host/cli/templates/pipelines");
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the templates")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_template_checks_passes_its_tests_and_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = templates();
    assert!(names.len() >= 4, "{names:?}");
    for name in &names {
        let made = run_command(jackfield().current_dir(folder.path()).args(["init", name, "--template", name]));
        let made = made.expect_code(0);
        let next: Vec<&str> = made.stdout.lines().collect();
        assert_eq!(next.len(), 3, "{}", made.stdout);
        for command in next {
            let words = command.split(' ').skip(1);
            let done = run_command(jackfield().current_dir(folder.path()).args(words)).expect_code(0);
            assert!(!done.stderr.contains("note: "), "{command}: {}", done.stderr);
        }
        // The commands of its README, from inside: those that an empty folder can follow.
        let readme = fs::read_to_string(folder.path().join(name).join("README.md")).expect("a README");
        let block = readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("commands");
        let script = format!("set -e\n{block}");
        let program = jackfield();
        let bin = std::path::Path::new(program.get_program()).parent().expect("a folder").to_owned();
        let path = std::env::join_paths(
            [bin].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        let mut shell = std::process::Command::new("sh");
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.args(["-c", &script]).current_dir(folder.path().join(name)).env("PATH", path.expect("a path"));
        run_command(&mut shell).expect_code(0);
    }
}

#[test]
fn the_schema_beside_a_pipeline_is_the_one_that_editors_need() {
    let folder = tempfile::tempdir().expect("a folder");
    run_command(jackfield().current_dir(folder.path()).args(["init", "--template", "empty"])).expect_code(0);
    let read = |path: &str| fs::read_to_string(folder.path().join(path)).expect("a file");
    let schema: Value = serde_json::from_str(&read("pipeline.schema.json")).expect("JSON");
    let pipeline: Value = toml::from_str(&read("pipeline.toml")).expect("TOML");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&pipeline));
    assert_eq!(read(".gitignore").lines().last(), Some("/runs/"));
}

#[test]
fn a_folder_in_use_is_left_alone_and_an_unknown_template_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("mine.txt"), "mine").expect("written");
    let before = tree(folder.path());
    let refused = run_command(jackfield().current_dir(folder.path()).arg("init")).expect_code(2);
    assert!(refused.stderr.contains("not an empty folder"), "{}", refused.stderr);
    assert!(refused.stderr.contains("jackfield init reviews"), "{}", refused.stderr);
    let unknown = run_command(jackfield().current_dir(folder.path()).args(["init", "new", "--template", "transcript"]));
    let unknown = unknown.expect_code(2);
    for wanted in ["'transcripts'", "empty", "search"] {
        assert!(unknown.stderr.contains(wanted), "{wanted}: {}", unknown.stderr);
    }
    assert_eq!(tree(folder.path()), before);
    let help = run_command(jackfield().args(["init", "--help"])).expect_code(0).stdout;
    templates().iter().for_each(|name| assert!(help.contains(name), "{name} is not in the help"));
}
