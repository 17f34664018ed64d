//! From `jackfield plugins new` to a run, with nothing typed but the commands that it prints, in every language.

use std::{fs, process::Command};

use crate::support::{jackfield, root, run_command_within, tree};

mod c;
mod component;
mod counts;
mod javascript;
mod probe;
mod project;
mod python;
mod rust;
mod surroundings;
mod transcript;

use project::MadeProject;

/// What a command of a project may take: the first build of a component fetches its tools.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(600);

/// Without its tools a language cannot be tested: `tests/run` installs them.
#[track_caller]
fn needs(probe: &str, what: &str) {
    let found = run_command_within(Command::new("sh").args(["-c", probe]), LONGEST);
    assert_eq!(found.code, Some(0), "{what} is missing here: tests/run installs it where apt is there");
}

/// The guide shows the very commands, and parts of the very files.
#[track_caller]
fn the_guide_shows(page: &str, made: &MadeProject) {
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
        let done = run_command_within(&mut command, LONGEST).expect_code(2);
        assert_eq!(done.stdout, "");
        said += &format!("$ jackfield plugins new {}\n{}\n", arguments.join(" "), done.stderr);
    }
    assert_eq!(tree(folder.path()), before);
    insta::assert_snapshot!(said);
}
