//! What has no end, or is larger than it may be, fails by itself: nothing waits for ever, and memory stays flat.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
    time::Duration,
};

use crate::support::{CommandOutput, Pipeline, fixture, jackfield, result, results, run_command, run_command_within};

/// Longer than any of this takes; shorter than a FIFO is waited for.
const SOON: Duration = Duration::from_secs(30);

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

fn lines(more: &str, input: &str) -> Pipeline {
    Pipeline::new(&format!(
        "[pipeline]\nname = \"bounds\"\n[input]\n{input}\n[stages.transcript]\nuse = \"transcript\"\nin = {{ text = \"input.text\" }}\n{more}"
    ))
}

fn check(path: &Path) -> CommandOutput {
    run_command_within(jackfield().arg("check").arg(path), SOON)
}

#[test]
fn a_fifo_among_files_fails_alone() {
    let pipeline = lines("", "use = \"files\"\npath = \"data/*\"").with("data/a.txt", "Ann: Hi.");
    fifo(&pipeline.path().join("data/z.txt"));
    let run = run_command_within(&mut pipeline.command(), SOON).expect_code(3);
    assert_eq!(result(&run.folder(), "a")["state"], "ok");
    let fault = result(&run.folder(), "z")["fault"].as_str().expect("a fault").to_owned();
    assert!(fault.ends_with("z.txt`: it is a FIFO, not a regular file"), "{fault}");
}

#[test]
fn a_fifo_as_input_is_reported_before_anything_runs() {
    for source in ["jsonl", "csv"] {
        let pipeline = lines("", &format!("use = \"{source}\"\npath = \"data/*\"")).with("data/a", "text\n");
        fifo(&pipeline.path().join("data/z"));
        let run = run_command_within(&mut pipeline.command(), SOON).expect_code(1);
        assert!(run.stderr.contains("z`: it is a FIFO, not a regular file"), "{}", run.stderr);
        assert!(!pipeline.out().exists());
    }
}

#[test]
fn whatever_file_a_pipeline_names_has_to_be_a_regular_one() {
    let none = "use = \"inline\"\nitems = [{ text = \"Ann: Hi.\" }]";
    let prompt = "[stages.lens]\nuse = \"lens\"\nmodel = \"m\"\nin = \"transcript\"\nwith = { prompt = \"odd\" }\n[model.m]\nuse = \"mock\"\n";
    let key = "[model.m]\nuse = \"openai\"\nwith = { base_url = \"http://127.0.0.1:9\", name = \"n\", api_key_file = \"odd\" }\n";
    let cases = [
        (prompt.to_owned(), "odd", "bad-file"),
        (key.to_owned(), "odd", "bad-file"),
        ("[plugins.odd]\npath = \"odd\"\n".to_owned(), "odd", "plugin"),
        (format!("[plugins.p]\npath = \"{}\"\n", fixture("misbehaving.wasm").display()), "jackfield.lock", "lockfile"),
    ];
    for (more, name, code) in cases {
        let pipeline = lines(&more, none);
        fifo(&pipeline.path().join(name));
        let faults =
            run_command_within(jackfield().arg("check").arg(pipeline.path()).arg("--json"), SOON).expect_code(2).json();
        let faults = faults["faults"].as_array().expect("faults").clone();
        let fault = faults.iter().find(|fault| fault["code"] == code);
        let fault = fault.unwrap_or_else(|| panic!("no `{code}` among {faults:#?}"));
        let message = fault["message"].as_str().expect("a message");
        assert!(message.contains("it is a FIFO, not a regular file"), "{message}");
        run_command_within(jackfield().arg("doctor").arg(pipeline.path()), SOON).expect_code(1);
    }
}

#[test]
fn a_pipeline_is_a_regular_file_of_bounded_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipeline.toml");
    fifo(&path);
    for given in [&*path, folder.path(), Path::new("/dev/zero")] {
        let refused = check(given).expect_code(2);
        assert!(refused.stderr.contains("not a regular file"), "{}", refused.stderr);
    }
    fs::remove_file(&path).expect("removed");
    File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("a file with a hole");
    assert!(check(&path).expect_code(2).stderr.contains("it is larger than 16 MiB"));
}

#[test]
fn a_record_without_end_fails_alone_and_is_not_held() {
    for (source, head, tail) in [
        (
            "jsonl",
            "{\"n\": \"a\", \"text\": \"Ann: Hi.\"}\n{\"n\": \"",
            "\"}\n{\"n\": \"c\", \"text\": \"Ann: Hi.\"}\n",
        ),
        ("csv", "n,text\na,Ann: Hi.\nb,", "\nc,Ann: Hi.\n"),
    ] {
        // More than the memory that the program is given; records take longer to pass by in a program that is built to be
        // debugged, and are held no more than lines are.
        let hole = if source == "csv" { 16 << 20 } else { 3 << 29 };
        let pipeline = lines("", &format!("use = \"{source}\"\npath = \"a\"\nid = \"n\"\nmax_item_size = \"1MiB\""))
            .with("a", head);
        let mut file = File::options().append(true).open(pipeline.path().join("a")).expect("opened");
        file.set_len(head.len() as u64 + hole).and_then(|()| file.write_all(tail.as_bytes())).expect("written");
        let mut command = Command::new("prlimit");
        let program = pipeline.command();
        command.arg(format!("--as={}", 5_u64 << 28)).arg(program.get_program()).args(program.get_args());
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let run = run_command(&mut command).expect_code(3);
        let states: Vec<_> =
            results(&run.folder()).iter().map(|line| (line["item"].clone(), line["state"].clone())).collect();
        assert_eq!(states, [("a".into(), "ok".into()), ("2".into(), "failed".into()), ("c".into(), "ok".into())]);
        let fault = result(&run.folder(), "2")["fault"].as_str().expect("a fault").to_owned();
        assert!(fault.ends_with("is larger than 1 MiB: see `max_item_size` of `[input]`"), "{fault}");
    }
}

#[test]
fn an_item_with_a_list_that_is_too_long_fails_alone() {
    let more =
        "[stages.many]\nuse = \"transcript\"\nin = { text = \"each\" }\nfor_each = \"input.list\"\nrepeat = 1000\n";
    let list = |length: usize| vec!["Ann: Hi."; length];
    let items: Vec<String> = [1001, 1]
        .iter()
        .map(|length| serde_json::json!({ "n": length, "text": "Ann: Hi.", "list": list(*length) }).to_string())
        .collect();
    let pipeline = lines(more, "use = \"jsonl\"\npath = \"a\"\nid = \"n\"").with("a", items.join("\n"));
    let run = pipeline.run().expect_code(3);
    let long = result(&run.folder(), "1001");
    assert_eq!(long["state"], "partial");
    let message = long["failures"]["many"][0]["message"].as_str().expect("a message");
    assert_eq!(
        message,
        "a wire of stage `many`: `for_each`: the list has 1001 elements, more than the 1000 that a stage may run over"
    );
    assert_eq!(result(&run.folder(), "1")["outputs"]["many"].as_array().expect("a list").len(), 1000);
}

#[test]
fn what_is_nested_deeply_is_refused_or_handed_on_and_overflows_nothing() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let dotted = vec!["a"; 100_000].join(".");
    for more in [
        format!("[params]\na = {}\n", deep("[", "]")),
        format!("[stages.b]\nuse = \"transcript\"\nin = {}\n", deep("{ a = ", "}")),
        format!("[stages.b]\nuse = \"transcript\"\nwith.{dotted} = 1\n"),
        format!("[stages.b]\nuse = \"transcript\"\nin = \"transcript{}\"\n", "[0]".repeat(100_000)),
    ] {
        check(lines(&more, "use = \"inline\"\nitems = [{ text = \"Ann: Hi.\" }]").path()).expect_code(2);
    }
    let shown = "[output.files]\n\"deep.json\" = \"input.deep\"\n[output.show]\ndeep = \"input.deep\"\n";
    let item = format!("{{\"n\": \"a\", \"text\": \"Ann: Hi.\", \"deep\": {}}}", deep("[", "]"));
    let pipeline = lines(shown, "use = \"jsonl\"\npath = \"a\"\nid = \"n\"").with("a", item);
    let run = pipeline.run().expect_code(0);
    assert_eq!(fs::read_to_string(run.folder().join("items/a/deep.json")).expect("a file").len(), 200_000);
}
