//! The analyzer that every template holds counts words: all languages count the same.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::project::MadeProject;
use crate::support::{meetings, results};

/// Runs the project over texts of every sort and over the meetings, and compares each answer with the reference.
#[track_caller]
pub(super) fn counts_as_all_do(made: &MadeProject) {
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

/// The files that a pattern such as `FOLDER/*.txt` means.
fn glob(pattern: &str) -> Vec<PathBuf> {
    let (folder, ending) = pattern.split_once("/*").expect("a pattern");
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_file() && path.to_string_lossy().ends_with(ending)).collect()
}
