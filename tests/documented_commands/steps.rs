//! What a page holds: files to write and commands to run.

use super::visible::VisibleText;

pub(super) enum Step {
    /// Put what a clone of the project holds into a folder of this name.
    Clone { folder: String },
    /// Write this file, whose name the reader sees or does not see in the text before it.
    File { line: usize, path: String, content: String, named: bool },
    /// Run this command; it ends with `exit` and prints `output`.
    Run { line: usize, command: String, exit: i32, output: Vec<String> },
}

/// What there is to do on a page, from top to bottom.
pub(super) fn steps(page: &str, text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut before = VisibleText::default();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let fence = &line[..line.len() - line.trim_start_matches('`').len()];
        let Some(info) = line.strip_prefix(fence).filter(|info| fence.len() >= 3 && !info.is_empty()) else {
            before.read(line);
            continue;
        };
        let block: Vec<(usize, &str)> = lines.by_ref().take_while(|(_, line)| *line != fence).collect();
        let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
        if let Some(path) = rest.strip_prefix("file=") {
            let content = block.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
            let named = before.ends_with_name(path);
            steps.push(Step::File { line: at + 1, path: path.to_owned(), content, named });
        } else if language == "console" {
            if let Some(why) = rest.strip_prefix("norun") {
                assert!(why.starts_with(" (") && why.ends_with(')'), "{page}:{}: why is it not run?", at + 1);
            } else {
                let exit = rest.strip_prefix("exit=").map_or(0, |code| code.parse().expect("a code"));
                commands(&block, exit, &mut steps);
            }
        }
        before = VisibleText::default();
    }
    steps
}

fn commands(block: &[(usize, &str)], exit: i32, steps: &mut Vec<Step>) {
    for (at, line) in block {
        if let Some(address) = line.strip_prefix("$ git clone --depth 1 https://github.com/") {
            let folder = address.rsplit('/').next().expect("the last part of an address");
            steps.push(Step::Clone { folder: folder.to_owned() });
            continue;
        }
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
