//! Runs as a user sees them: found, listed, gone on with, restricted to items, and removed.

mod go_on;
mod listed;
mod only;
mod removed;

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::support::{CommandOutput, Pipeline, jackfield, run_command};

/// Notes of three talks, read by one stage. `more` is added to the pipeline file.
fn talks(more: &str) -> Pipeline {
    let toml = format!(
        "[pipeline]\nname = \"talks\"\n[input]\nuse = \"files\"\npath = \"data/*.txt\"\n\
         [stages.transcript]\nuse = \"transcript\"\nin = {{ text = \"input.text\" }}\n{more}"
    );
    ["ferry", "garden", "harbour"].into_iter().fold(Pipeline::new(&toml), |pipeline, name| {
        pipeline.with(&format!("data/{name}.txt"), format!("Ann: The {name} opens at noon.\nBo: Good.\n"))
    })
}

/// `jackfield` in the folder of a pipeline, with this command line.
fn in_folder(pipeline: &Pipeline, arguments: &[&str]) -> Command {
    let mut command = jackfield();
    command.current_dir(pipeline.path()).args(arguments);
    command
}

fn ask(pipeline: &Pipeline, arguments: &[&str]) -> CommandOutput {
    run_command(&mut in_folder(pipeline, arguments))
}

/// The names of the folders below `runs`, whatever they are.
fn folders(pipeline: &Pipeline) -> Vec<String> {
    let entries = fs::read_dir(pipeline.out()).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What `run.json` says.
fn run_json(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("run.json")).expect("run.json");
    serde_json::from_str(&text).expect("JSON")
}
