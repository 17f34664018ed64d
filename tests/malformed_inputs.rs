//! Inputs that are malformed, empty or huge: the other items are analysed, and the failure says what is wrong.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use insta::assert_snapshot;

use crate::support::{Pipeline, result, results, run_command};

const TRANSCRIPTS: &str = r#"
[pipeline]
name = "odd"
[input]
use = "files"
path = "data/*"
[stages.transcript]
use = "transcript"
in = { text = "input.text", name = "input.name" }
on_error = "fail"
[stages.participation]
use = "participation"
in = "transcript"
[stages.decisions]
use = "decisions"
in = "transcript"
"#;

const GOOD: &str = "Ann: We decided to ship on Friday.\nBob: Agreed, Friday it is.\n";

/// Runs one odd file beside a good one; gives the odd one's fault or failures.
fn beside_a_good_one(name: &str, content: impl AsRef<[u8]>) -> String {
    let pipeline = Pipeline::new(TRANSCRIPTS).with("data/good.txt", GOOD).with(&format!("data/{name}"), content);
    let run = pipeline.run().expect_code(3);
    assert_eq!(result(&run.folder(), "good")["state"], "ok", "the good one is unharmed");
    let odd = result(&run.folder(), name.split('.').next().expect("a stem"));
    assert_eq!(odd["state"], "failed");
    let text = match odd["fault"].as_str() {
        Some(fault) => fault.to_owned(),
        None => odd["failures"]["transcript"][0].to_string(),
    };
    text.replace(&*pipeline.path().to_string_lossy(), "[folder]")
}

#[test]
fn an_empty_file() {
    assert_snapshot!(beside_a_good_one("odd.txt", ""));
}

#[test]
fn a_file_of_white_space() {
    assert_snapshot!(beside_a_good_one("odd.txt", " \n\t\n"));
}

#[test]
fn a_binary_file() {
    assert_snapshot!(beside_a_good_one("odd.bin", b"\x7fELF\x02\x01\x01\x00\x00"));
}

#[test]
fn a_file_that_is_not_utf_8() {
    assert_snapshot!(beside_a_good_one("odd.txt", b"Ann: caf\xe9 au lait"));
}

#[test]
fn json_of_another_shape() {
    assert_snapshot!(beside_a_good_one("odd.json", r#"{"speakers": ["Ann"]}"#));
}

#[test]
fn json_cut_short() {
    assert_snapshot!(beside_a_good_one("odd.json", r#"[{"speaker": "Ann", "text": "Hel"#));
}

#[test]
fn a_file_that_cannot_be_read() {
    let pipeline = Pipeline::new(TRANSCRIPTS).with("data/good.txt", GOOD);
    std::os::unix::fs::symlink("/nowhere/at/all", pipeline.path().join("data/odd.txt")).expect("linked");
    let run = pipeline.run().expect_code(3);
    let fault = result(&run.folder(), "odd")["fault"].as_str().expect("a fault").to_owned();
    assert_snapshot!(fault.replace(&*pipeline.path().to_string_lossy(), "[folder]"));
}

/// A file that is odd, but fine: it comes out ok.
fn is_fine(name: &str, content: impl AsRef<[u8]>) -> serde_json::Value {
    let pipeline = Pipeline::new(TRANSCRIPTS).with(&format!("data/{name}"), content);
    let run = pipeline.run().expect_code(0);
    results(&run.folder()).remove(0)
}

#[test]
fn a_byte_order_mark_and_dos_line_ends_change_nothing() {
    let odd = is_fine("a.txt", format!("\u{feff}{}", GOOD.replace('\n', "\r\n")));
    let plain = is_fine("a.txt", GOOD);
    assert_eq!(odd["outputs"], plain["outputs"]);
}

#[test]
fn a_transcript_with_one_speaker_is_analysed() {
    let line = is_fine("a.txt", "Ann: First point.\nAnn: Second point, and we decided to keep it.\n");
    let speakers = line["outputs"]["participation"]["speakers"].as_array().expect("speakers").len();
    assert_eq!(speakers, 1);
}

#[test]
fn a_text_without_speakers_is_a_transcript_all_the_same() {
    let line = is_fine("a.txt", "It rained all day. We stayed in.\n\nThe next day was better.\n");
    let segments = line["outputs"]["transcript"]["segments"].as_array().expect("segments");
    assert!(segments.len() >= 2 && segments.iter().all(|segment| segment.get("speaker").is_none()), "{segments:?}");
}

#[test]
fn tens_of_megabytes_are_analysed_whole() {
    let pipeline = Pipeline::new(
        r#"
[pipeline]
name = "huge"
[input]
use = "files"
path = "huge.txt"
[output]
item_files = false
[stages.transcript]
use = "transcript"
in = { text = "input.text" }
[stages.participation]
use = "participation"
in = "transcript"
"#,
    );
    let mut file = BufWriter::new(File::create(pipeline.path().join("huge.txt")).expect("made"));
    let (mut written, mut turn) = (0, 0_u64);
    while written < 40 << 20 {
        let line =
            format!("Speaker {}: This is turn number {turn}, and it says about as much as turns do say.\n", turn % 7);
        file.write_all(line.as_bytes()).expect("written");
        written += line.len();
        turn += 1;
    }
    drop(file);
    let run = pipeline.run().expect_code(0);
    let line = results(&run.folder()).remove(0);
    let segments = line["outputs"]["transcript"]["segments"].as_array().expect("segments").len() as u64;
    assert_eq!(segments, turn, "nothing is cut off");
    assert_eq!(line["outputs"]["participation"]["speakers"].as_array().expect("speakers").len(), 7);
}

#[test]
fn no_file_at_all() {
    let pipeline = Pipeline::new(TRANSCRIPTS);
    let run = pipeline.run().expect_code(2);
    assert_snapshot!(pipeline.said(&run));
    assert!(!pipeline.out().join("odd").exists());
}

#[test]
fn a_bad_glob() {
    let pipeline = Pipeline::new(&TRANSCRIPTS.replace("data/*", "data/***"));
    let run = pipeline.run().expect_code(2);
    assert_snapshot!(run.json()["faults"][0]["message"].as_str().expect("a message"));
}

#[test]
fn items_of_every_source_reach_the_stages() {
    let sources = [
        ("use = \"jsonl\"\npath = \"a.jsonl\"\nid = \"n\"", "a.jsonl", "{\"n\": \"x\", \"text\": \"Ann: Hi.\"}\n", "x"),
        ("use = \"json\"\npath = \"a.json\"\nid = \"n\"", "a.json", "[{\"n\": \"x\", \"text\": \"Ann: Hi.\"}]\n", "x"),
        ("use = \"csv\"\npath = \"a.csv\"\nid = \"n\"", "a.csv", "n,text\nx,Ann: Hi.\n", "x"),
        ("use = \"inline\"\nitems = [{ n = \"x\", text = \"Ann: Hi.\" }]\nid = \"n\"", "unused", "", "x"),
    ];
    for (input, name, content, id) in sources {
        let pipeline = Pipeline::new(&format!(
            "[pipeline]\nname = \"source\"\n[input]\n{input}\n[stages.transcript]\nuse = \"transcript\"\nin = {{ text = \"input.text\" }}\n"
        ));
        let pipeline = pipeline.with(name, content);
        let run = pipeline.run().expect_code(0);
        let line = result(&run.folder(), id);
        assert_eq!(line["outputs"]["transcript"]["segments"][0]["speaker"], "Ann", "{input}");
    }
}

#[test]
fn a_value_set_on_the_command_line_is_honoured() {
    let pipeline = Pipeline::new(TRANSCRIPTS).with("data/good.txt", "Ann: First.\nAnn: Second.\nBob: Third.\n");
    let segments = |more: &[&str]| {
        let run = run_command(pipeline.command().args(more)).expect_code(0);
        result(&run.folder(), "good")["outputs"]["transcript"]["segments"].as_array().expect("segments").len()
    };
    assert_eq!(segments(&[]), 3);
    assert_eq!(segments(&["--set", "stages.transcript.with.merge=true"]), 2);
}

#[test]
fn a_column_that_is_there_twice_is_reported() {
    let pipeline = Pipeline::new(
        "[pipeline]\nname = \"twice\"\n[input]\nuse = \"csv\"\npath = \"a.csv\"\n[stages.transcript]\nuse = \"transcript\"\nin = { text = \"input.text\" }\n",
    );
    let run = pipeline.with("a.csv", "text,text\nAnn: One.,Ann: Two.\n").run().expect_code(0);
    assert!(run.stderr.contains("a.csv` has the column `text` twice: the last one counts"), "{}", run.stderr);
}
