//! Which files are items, and what is read of them: hidden files, names in other spellings, packed files, other encodings,
//! standard input.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Write as _,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};

use crate::support::{
    CommandOutput, Pipeline, jackfield, result, results, run_command, run_command_reading, same_outcome,
};

const TALK: &str = "Ann: We decided to ship on Friday.\nBo: Agreed.\n";

fn talks(input: &str) -> Pipeline {
    Pipeline::new(&format!(
        "[pipeline]\nname = \"talks\"\n[input]\n{input}\n[stages.transcript]\nuse = \"transcript\"\n\
         in = {{ text = \"input.text\" }}\n"
    ))
}

fn ids(run: &CommandOutput) -> Vec<String> {
    results(&run.folder()).iter().map(|line| line["item"].as_str().expect("an id").to_owned()).collect()
}

fn packed(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_ref()).and_then(|()| encoder.finish()).expect("packed")
}

#[test]
fn what_begins_with_a_dot_is_an_item_only_where_the_pattern_writes_the_dot() {
    let pipeline = talks("use = \"files\"\npath = \"data/**/*\"")
        .with("data/a.txt", TALK)
        .with("data/.DS_Store", "\0\0")
        .with("data/.cache/b.txt", TALK)
        .with("data/sub/.c.txt", TALK);
    let ran = |pattern: &str| {
        let mut command = pipeline.command();
        ids(&run_command(command.args(["--set", &format!("input.path={pattern}")])).expect_code(0))
    };
    assert_eq!(ids(&pipeline.run().expect_code(0)), ["a"]);
    assert_eq!(ran("data/sub/.*"), [".c"]);
    assert_eq!(ran("data/.cache/*"), ["b"]);
}

#[test]
fn a_name_is_found_however_its_letters_are_composed_and_ids_have_one_spelling() {
    let pipeline = talks("use = \"files\"\npath = \"caf\u{e9}.txt\"").with("cafe\u{301}.txt", TALK);
    let run = pipeline.run().expect_code(0);
    assert_eq!(ids(&run), ["caf\u{e9}"]);
    // Whichever spelling is asked for, it is the same item.
    for item in ["caf\u{e9}", "cafe\u{301}"] {
        let mut show = jackfield();
        run_command(show.arg("show").arg(run.folder()).arg(item)).expect_code(0);
        let only = run_command(pipeline.command().args(["--only", item])).expect_code(0);
        assert_eq!(ids(&only), ["caf\u{e9}"]);
    }
}

#[test]
fn a_file_whose_name_is_not_unicode_can_be_named() {
    let pipeline = talks("use = \"files\"\npath = \"data/*\"");
    fs::create_dir(pipeline.path().join("data")).expect("made");
    let name = OsStr::from_bytes(b"caf\xe9.txt");
    let path = pipeline.path().join("data").join(name);
    fs::write(&path, TALK).expect("written");
    assert_eq!(ids(&pipeline.run().expect_code(0)), ["caf\u{fffd}"]);
    let mut command = pipeline.command();
    assert_eq!(ids(&run_command(command.arg("--input").arg(&path)).expect_code(0)), ["caf\u{fffd}"]);
}

#[test]
fn a_name_with_wildcards_in_it_is_that_file_where_it_is_there() {
    let pipeline = talks("use = \"files\"\npath = \"none\"").with("what?[1.txt", TALK).with("whatx[1.txt", TALK);
    let mut command = pipeline.command();
    let run = run_command(command.current_dir(pipeline.path()).args(["--input", "what?[1.txt"])).expect_code(0);
    assert_eq!(ids(&run), ["what?[1"]);
}

#[test]
fn packed_files_and_files_in_utf_16_give_what_plain_ones_give() {
    let utf16: Vec<u8> = "\u{feff}".encode_utf16().chain(TALK.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let pipeline = talks("use = \"files\"\npath = \"data/*\"").with("data/a.txt", TALK);
    let plain = pipeline.run().expect_code(0);
    let outputs = |run: &CommandOutput| result(&run.folder(), "a")["outputs"].clone();
    for (name, content) in [("a.txt.gz", packed(TALK)), ("a.txt", utf16.clone()), ("a.txt.gz", packed(&utf16))] {
        let odd = talks("use = \"files\"\npath = \"data/*\"").with(&format!("data/{name}"), content);
        assert_eq!(outputs(&odd.run().expect_code(0)), outputs(&plain), "{name}");
    }
    let cut = packed(TALK);
    let pipeline = pipeline
        .with("data/cut.txt.gz", &cut[..cut.len() - 9])
        .with("data/unmarked.txt", &utf16[2..])
        .with("data/named.gz", TALK);
    let run = pipeline.run().expect_code(3);
    let fault = |id: &str| {
        let fault = result(&run.folder(), id)["fault"].as_str().expect("a fault").to_owned();
        fault.replace(&*pipeline.path().to_string_lossy(), "[folder]")
    };
    insta::assert_snapshot!(["cut", "unmarked", "named"].map(fault).join("\n"));
}

#[test]
fn a_packed_file_is_as_large_as_what_it_holds() {
    let pipeline = talks("use = \"files\"\npath = \"data/*\"\nmax_item_size = \"64KiB\"")
        .with("data/a.txt", TALK)
        .with("data/bomb.txt.gz", packed(vec![b'a'; 1 << 20]));
    let run = pipeline.run().expect_code(3);
    assert_eq!(result(&run.folder(), "a")["state"], "ok");
    let fault = result(&run.folder(), "bomb")["fault"].as_str().expect("a fault").to_owned();
    assert!(fault.ends_with("is larger than 64 KiB: see `max_item_size` of `[input]`"), "{fault}");
}

#[test]
fn a_folder_of_json_files_may_have_packed_ones() {
    let items = packed("{\"one\": {\"text\": \"Ann: Hi.\"}, \"two\": {\"text\": \"Bo: Hi.\"}}");
    let pipeline = talks("use = \"json\"\npath = \"data\"").with("data/a.json.gz", items);
    assert_eq!(ids(&pipeline.run().expect_code(0)), ["one", "two"]);
}

/// What is on standard input, in a file.
fn piped(folder: &Path, text: &str) -> File {
    let path = folder.join("piped");
    fs::write(&path, text).expect("written");
    File::open(path).expect("opened")
}

const SOON: Duration = Duration::from_secs(60);

#[test]
fn standard_input_is_kept_with_the_run_so_that_it_can_be_resumed_and_shown() {
    let pipeline = talks("use = \"jsonl\"\npath = \"none\"\nid = \"id\"");
    let lines = "{\"id\": \"a\", \"text\": \"Ann: Hi.\"}\n{\"id\": \"b\", \"text\": \"Bo: Hi.\"}\nnot JSON\n";
    let stdin = || piped(pipeline.path(), lines);
    let run = run_command_reading(pipeline.command().args(["--input", "-"]), stdin(), SOON).expect_code(3);
    assert_eq!(ids(&run), ["a", "b", "3"]);
    let mut resume = pipeline.command();
    let again = run_command(resume.args(["--input", "-", "--resume"]).arg(run.folder())).expect_code(3);
    assert_eq!(again.folder(), run.folder());
    let shown = run_command(jackfield().arg("show").arg(run.folder()).arg("b")).expect_code(0);
    assert!(shown.stdout.contains("Bo: Hi."), "{}", shown.stdout);
    // It is the same as the same lines in a file.
    let in_a_file = talks("use = \"jsonl\"\npath = \"a.jsonl\"\nid = \"id\"").with("a.jsonl", lines);
    let from_file = in_a_file.run().expect_code(3);
    let outputs =
        |run: &CommandOutput| results(&run.folder()).iter().map(|line| line["outputs"].clone()).collect::<Vec<_>>();
    assert_eq!(outputs(&run), outputs(&from_file));
}

#[test]
fn one_text_on_standard_input_is_one_item() {
    let pipeline = talks("use = \"files\"\npath = \"-\"");
    let stdin = || piped(pipeline.path(), TALK);
    let run = run_command_reading(&mut pipeline.command(), stdin(), SOON).expect_code(0);
    assert_eq!(ids(&run), ["stdin"]);
    let again = run_command_reading(&mut pipeline.command(), stdin(), SOON).expect_code(0);
    same_outcome(&run.folder(), &again.folder());
    run_command(jackfield().arg("check").arg(pipeline.path())).expect_code(0);
}

#[test]
fn standard_input_is_not_read_beside_files_or_again_and_again() {
    let pipeline = talks("use = \"files\"\npath = \"none\"").with("a.txt", TALK);
    let mut both = pipeline.command();
    let both = run_command(both.current_dir(pipeline.path()).args(["--input", "-", "--input", "a.txt"])).expect_code(2);
    assert!(both.stdout.contains("standard input (`-`) is read alone, or not at all"), "{}", both.stdout);
    let watch = run_command(pipeline.command().args(["--input", "-", "--watch"])).expect_code(2);
    assert!(watch.stderr.contains("standard input can be read once"), "{}", watch.stderr);
}
