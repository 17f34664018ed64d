//! The files of items: whatever an item is called, and whatever keeps its files from being written, the others are done.

use std::{collections::BTreeSet, fs, path::Path};

use crate::support::{Pipeline, result, results, run_command, same_outcome};

const LINES: &str = r#"
[pipeline]
name = "item-files"
[input]
use = "jsonl"
path = "a.jsonl"
id = "n"
[output]
item_files = true
[stages.transcript]
use = "transcript"
in = { text = "input.text" }
"#;

fn items(ids: &[&str]) -> Pipeline {
    let line = |(place, id): (usize, &&str)| serde_json::json!({ "n": id, "text": format!("word{place}") }).to_string();
    let lines: Vec<String> = ids.iter().enumerate().map(line).collect();
    Pipeline::new(LINES).with("a.jsonl", lines.join("\n"))
}

fn folders(run: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(run.join("items")).expect("items");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
}

#[test]
fn every_id_has_a_folder_of_its_own_however_long_or_odd_it_is() {
    let (long, longer) = ("会".repeat(92), "会".repeat(93));
    let huge = "x".repeat(100_000);
    let ids = [
        &*long,
        &*longer,
        &*huge,
        "a",
        "A",
        "a/b",
        "a_b",
        "..",
        "../x",
        ".hidden",
        "a.",
        "/",
        "con",
        "e\u{301}",
        "\u{e9}",
        "a\u{0}b",
        "\u{1f980}",
    ];
    let pipeline = items(&ids);
    let run = pipeline.run().expect_code(0);
    let said: Vec<_> =
        results(&run.folder()).iter().map(|line| line["item"].as_str().expect("an id").to_owned()).collect();
    // Two ids of one spelling once their characters are composed: the second has a number.
    let expected: Vec<&str> = ids
        .iter()
        .map(|id| match *id {
            "e\u{301}" => "\u{e9}",
            "\u{e9}" => "\u{e9}#2",
            id => id,
        })
        .collect();
    assert_eq!(said, expected);
    let folders = folders(&run.folder());
    assert_eq!(folders.len(), ids.len(), "{folders:?}");
    assert!(folders.iter().all(|name| name.len() <= 100), "{folders:?}");
    let texts: BTreeSet<String> = folders
        .iter()
        .map(|name| fs::read_to_string(run.folder().join("items").join(name).join("transcript.json")).expect("a file"))
        .collect();
    assert_eq!(texts.len(), ids.len(), "each holds its own item");
}

#[test]
fn an_item_whose_files_cannot_be_written_fails_alone_and_is_written_once_they_can_be() {
    let ids = ["one", "two", "three"];
    let (calm, pipeline) = (items(&ids), items(&ids));
    let whole = calm.run().expect_code(0);
    // An item that cannot be read leaves a run to go on with.
    let lines = fs::read_to_string(pipeline.path().join("a.jsonl")).expect("lines");
    fs::write(pipeline.path().join("a.jsonl"), lines.replace("\"word1\"}", "\"word1\"")).expect("written");
    let broken = pipeline.run().expect_code(3);
    let folder = broken.folder();
    fs::write(pipeline.path().join("a.jsonl"), &lines).expect("written");
    // A file stands where the item's folder would be.
    fs::write(folder.join("items/two"), "").expect("written");
    let resume = || run_command(pipeline.command().arg("--resume").arg(&folder));

    let unwritten = resume().expect_code(3);
    let said = result(&folder, "two");
    assert_eq!(said["state"], "failed");
    assert_eq!(said["fault"], "failed to make `items/two`: File exists (os error 17)");
    assert_eq!(said["outputs"]["transcript"]["segments"][0]["text"], "word1", "what it came to is kept");
    assert_eq!(result(&folder, "three")["state"], "ok");
    assert_eq!(unwritten.json()["items"]["failed"], 1);
    assert_eq!((unwritten.json()["items"]["ok"].as_u64(), &unwritten.json()["state"]), (Some(2), &"partial".into()));
    assert!(unwritten.stderr.contains("its files cannot be written"), "{}", unwritten.stderr);

    fs::remove_file(folder.join("items/two")).expect("removed");
    resume().expect_code(0);
    same_outcome(&whole.folder(), &folder);
}
