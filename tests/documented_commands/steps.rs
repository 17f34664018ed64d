//! What a page holds: files to write and commands to run.

use std::{path::Path, process::Command};

use crate::support::not_tested;

pub(super) enum Step {
    /// Write this file.
    File { path: String, content: String },
    /// Copy this artifact.
    Fixture { name: String, path: String },
    /// Run this command; it ends with `exit` and prints `output`.
    Run { line: usize, command: String, exit: i32, output: Vec<String> },
}

/// What there is to do on a page, from top to bottom.
pub(super) fn steps(page: &str, text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(said) = line.strip_prefix("<!-- fixture ").and_then(|rest| rest.strip_suffix(" -->")) {
            let (name, path) = said.split_once(" at ").expect("fixture NAME at PATH");
            steps.push(Step::Fixture { name: name.to_owned(), path: path.to_owned() });
        }
        let fence = &line[..line.len() - line.trim_start_matches('`').len()];
        let Some(info) = line.strip_prefix(fence).filter(|info| fence.len() >= 3 && !info.is_empty()) else { continue };
        let block: Vec<(usize, &str)> = lines.by_ref().take_while(|(_, line)| *line != fence).collect();
        let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
        if let Some(path) = rest.strip_prefix("file=") {
            let content = block.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
            steps.push(Step::File { path: path.to_owned(), content });
        } else if language == "console" {
            if let Some(target) = rest.strip_prefix("needs=") {
                if !has_target(target) {
                    not_tested(&format!("{page}:{}: not run, as rustc has no target {target}", at + 1));
                    continue;
                }
            } else if let Some(why) = rest.strip_prefix("norun") {
                assert!(why.starts_with(" (") && why.ends_with(')'), "{page}:{}: why is it not run?", at + 1);
                continue;
            }
            let exit = rest.strip_prefix("exit=").map_or(0, |code| code.parse().expect("a code"));
            commands(&block, exit, &mut steps);
        }
    }
    steps
}

/// Whether the toolchain can build for a target.
fn has_target(target: &str) -> bool {
    let rustc = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc");
    Path::new(String::from_utf8_lossy(&rustc.stdout).trim()).join("lib/rustlib").join(target).join("lib").is_dir()
}

fn commands(block: &[(usize, &str)], exit: i32, steps: &mut Vec<Step>) {
    for (at, line) in block {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step::Run { line: at + 1, command: command.to_owned(), exit, output: Vec::new() });
            continue;
        }
        let Some(Step::Run { command, output, .. }) = steps.last_mut() else {
            panic!("output before any command: {line}")
        };
        match command.strip_suffix('\\') {
            Some(begun) if output.is_empty() => *command = format!("{begun}{line}"),
            _ => output.push((*line).to_owned()),
        }
    }
}
