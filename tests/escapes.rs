//! Whatever a document, a model, a file's name or a foreign record says, nothing of it moves a terminal.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use jackfield_store::{RunFolder, RunJson};
use serde_json::Value;

use crate::{
    model_server::{ModelServer, Reply},
    signals,
    support::{CommandOutput, Pipeline, jackfield, not_tested, run_command},
};

/// Clears the screen, colours, sets a title, beeps, goes back, deletes, the same with C1, turns the reading direction,
/// begins lines, tags.
const HOSTILE: &str = "\u{1b}[2J\u{1b}[31m\u{1b}]0;owned\u{7}\r\u{8}\u{7f}\u{9b}31m\u{9d}0;owned\u{9c}\
                       \u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\u{2029}\u{200b}\u{feff}\u{e0041}";

/// Whether a terminal would do something with it.
fn acts(char: char) -> bool {
    let marks = "\u{61c}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{feff}";
    let moves = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}');
    char != '\n' && (char.is_control() || moves || marks.contains(char))
}

#[track_caller]
fn harmless(done: &CommandOutput) {
    for (name, text) in [("output", &done.stdout), ("error", &done.stderr)] {
        if let Some(line) = text.lines().find(|line| line.chars().any(acts)) {
            panic!("standard {name} has {line:?}");
        }
    }
}

fn command(pipeline: &Pipeline, args: &[&str]) -> Command {
    let mut command = jackfield();
    command.args(args).current_dir(pipeline.path());
    command
}

#[track_caller]
fn harmless_run(pipeline: &Pipeline, args: &[&str]) -> CommandOutput {
    let done = run_command(&mut command(pipeline, args));
    harmless(&done);
    assert!(done.code.is_some_and(|code| code <= 3), "{done:#?}");
    done
}

/// Items with hostile ids and texts, one of which fails; a model that answers hostile words; all of it is shown.
fn hostile_pipeline() -> Pipeline {
    let items = [("good", "Ann: Hi."), ("other", "Ann: So.\u{1b}[2J Yes."), ("bad", "")];
    let line = |(id, text): (&str, &str)| {
        let text = if text.is_empty() { String::new() } else { format!("{text} {HOSTILE}{}", " word".repeat(200)) };
        serde_json::json!({ "id": format!("{id}\nerror: forged{HOSTILE}"), "text": text }).to_string()
    };
    let lines: Vec<String> = items.into_iter().map(line).collect();
    Pipeline::new(
        r#"
[pipeline]
name = "hostile"

[input]
use = "jsonl"
path = "items.jsonl"
id = "id"

[cache.kept]
tiers = [{ use = "sqlite", with = { path = "kept.sqlite" } }]

[output.show]
said = "t.segments"
first = "t.segments[0].text"

[stages.t]
use = "transcript"
in = { text = "input.text" }
cache = "kept"
"#,
    )
    .with("items.jsonl", lines.join("\n"))
}

#[test]
fn items_and_what_is_shown_of_them_are_written_out() {
    let pipeline = hostile_pipeline();
    let run = harmless_run(&pipeline, &["run", "."]);
    assert!(run.stderr.contains("\\u{1b}[2J") && run.stderr.contains("\\u{202e}"), "{}", run.stderr);
    assert!(!run.stderr.lines().any(|line| line.starts_with("error: forged")), "{}", run.stderr);
    for args in [&["-vvv", "run", "."] as &[&str], &["-vvv", "--log-format", "json", "run", "."]] {
        harmless_run(&pipeline, args);
    }
    let id = format!("good\nerror: forged{HOSTILE}");
    harmless_run(&pipeline, &["why", "last", "t", &id]);
    harmless_run(&pipeline, &["why", "last", "t", HOSTILE]);
    let json = harmless_run(&pipeline, &["why", "last", "t", &id, "--json"]);
    assert_eq!(json.json()["item"], id, "the data is what it was");
    for item in ["good", "other", "bad"] {
        let id = format!("{item}\nerror: forged{HOSTILE}");
        harmless_run(&pipeline, &["show", "last", &id]);
        let json = harmless_run(&pipeline, &["show", "last", &id, "--json"]);
        assert_eq!(json.json()["input"]["id"], id, "the data is what it was");
    }
    harmless_run(&pipeline, &["show", "last", HOSTILE]);
    let exported = harmless_run(&pipeline, &["cache", "export", "."]);
    exported.stdout.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).expect("JSON")));
    harmless_run(&pipeline, &["report", "last"]);
}

/// Each string of a record that is not looked up by others, made hostile.
fn poisoned(value: &mut Value) {
    match value {
        Value::String(text) => text.push_str(HOSTILE),
        Value::Array(list) => list.iter_mut().for_each(poisoned),
        Value::Object(map) => map.values_mut().for_each(poisoned),
        _ => {}
    }
}

#[test]
fn what_a_model_says_is_written_out_in_logs_and_failures_too() {
    let server = ModelServer::start(Duration::ZERO, |asked| match asked.number % 3 {
        0 => Reply::json(503, &serde_json::json!({ "error": { "message": HOSTILE } })),
        _ => Reply::text(HOSTILE),
    });
    let with = server.model("api_key_env = \"NONE\"");
    let model = format!("use = \"openai\"\nretry = {{ attempts = 3, backoff = \"1ms\" }}\nwith = {with}");
    let pipeline = signals::pipeline(1, &model, "");
    for format in ["text", "json"] {
        let mut run = command(&pipeline, &["-vvv", "--log-format", format, "run", "."]);
        let done = run_command(run.env("NONE", "none")).expect_code(3);
        harmless(&done);
        let written_out = if format == "json" { "\\u202e" } else { "\\u{202e}" };
        assert!(done.stderr.contains("tries again") && done.stderr.contains(written_out), "{}", done.stderr);
    }
}

#[test]
fn a_record_from_somebody_else_is_written_out() {
    let pipeline = hostile_pipeline();
    harmless_run(&pipeline, &["run", "."]);
    let folder = fs::read_dir(pipeline.out()).expect("runs").next().expect("a run").expect("a run").path();
    let file = folder.join("run.json");
    let mut run: Value = serde_json::from_str(&fs::read_to_string(&file).expect("read")).expect("JSON");
    for key in ["pipeline", "file", "version", "began", "ended"] {
        poisoned(&mut run[key]);
    }
    poisoned(&mut run["plan"]["name"]);
    let stages = run["plan"]["stages"].as_array_mut().expect("stages");
    stages.iter_mut().for_each(|stage| poisoned(&mut stage["name"]));
    let summary = run["summary"]["stages"].as_object_mut().expect("stages");
    let entries: Vec<_> = std::mem::take(summary).into_iter().collect();
    summary.extend(entries.into_iter().map(|(name, stage)| (format!("{name}{HOSTILE}"), stage)));
    // Sealed again, as somebody who forges a record would.
    let run: RunJson = serde_json::from_value(run).expect("a record");
    RunFolder::hold(folder.clone()).expect("the run").write_run(&run).expect("written");
    let stage = format!("t{HOSTILE}");
    let item = format!("good\nerror: forged{HOSTILE}");
    for args in [
        &["runs", "show", "last"] as &[&str],
        &["runs", "compare", "last", "last"],
        &["why", "last", &stage],
        &["why", "last", "t"],
        &["show", "last", &item],
        &["show", "last", &item, "--stage", &stage],
        &["show", "last", &item, "--stage", "t"],
    ] {
        let text = harmless_run(&pipeline, args);
        assert!(format!("{}{}", text.stdout, text.stderr).contains("\\u{1b}[2J"), "{args:?}: {text:#?}");
    }
    for args in [&["runs", "list", "--json"] as &[&str], &["runs", "show", "last", "--json"]] {
        harmless_run(&pipeline, args).json();
    }
    // A list has the names of folders, and nothing of what the records say of themselves.
    let listed = harmless_run(&pipeline, &["runs", "list"]);
    let name = folder.file_name().expect("a name").to_string_lossy();
    assert!(listed.stdout.contains(&*name) && !listed.stdout.contains("\\u{"), "{listed:#?}");
    let hostile = folder.with_file_name(format!("{name}{HOSTILE}"));
    fs::rename(&folder, &hostile).expect("renamed");
    let listed = harmless_run(&pipeline, &["runs", "list"]);
    assert!(listed.stdout.contains("\\u{202e}\\u{2066}"), "{listed:#?}");
    harmless_run(&pipeline, &["runs", "list", "--json"]).json();
    fs::rename(&hostile, &folder).expect("renamed back");
    harmless_run(&pipeline, &["run", ".", "--resume", "last"]);
    fs::write(&file, format!("{{\"{HOSTILE}\"")).expect("written");
    harmless_run(&pipeline, &["runs", "list"]);
}

#[test]
fn faults_quote_a_pipeline_and_the_command_line_harmlessly() {
    let name = "k\u{202e}\u{200b}\u{e0041}\u{9b}";
    let pipeline = Pipeline::new(&format!(
        "[pipeline]\nname = \"x\"\n\"{name}\" = 1 # \u{2066}\n[stages.t]\nuse = \"tr\u{202e}anscript\"\n"
    ));
    let checked = harmless_run(&pipeline, &["check", "."]);
    assert!(checked.stderr.contains("unknown key `k\\u{202e}"), "{}", checked.stderr);
    harmless_run(&pipeline, &["check", ".", "--json"]).json();
    harmless_run(&pipeline, &["check", &format!("none{HOSTILE}")]);
    harmless_run(&pipeline, &["check", ".", "--set", &format!("{HOSTILE}=1")]);
    harmless_run(&pipeline, &[&format!("--none{HOSTILE}")]);
    harmless_run(&pipeline, &["runs", &format!("none{HOSTILE}")]);
    harmless_run(&pipeline, &["runs", "show", &format!("none\nerror: forged{HOSTILE}")]);
    harmless_run(&pipeline, &["plugins", "info", &format!("none{HOSTILE}")]);
    harmless_run(&pipeline, &["plugins", "list", "--file", &format!("none{HOSTILE}")]);
    harmless_run(&pipeline, &["doctor", &format!("none{HOSTILE}")]);
}

#[test]
fn names_of_files_and_answers_of_tests_are_written_out() {
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "files"

[input]
use = "files"
path = "data/*"

[stages.t]
use = "transcript"
in = {{ text = "input.text" }}

[[tests]]
name = "wrong{escaped}"
input = {{ text = "Ann: Hi{escaped}" }}
expect = {{ t = {{ segments = [{{ text = "other{escaped}" }}] }} }}
"#,
        escaped = "\\u001b[2J\\u202e\\r\\nerror: forged"
    ))
    .with("data/a\u{1b}[2J\u{202e}.txt", [0xff, 0xfe, 0x1b]);
    let run = harmless_run(&pipeline, &["run", "."]);
    assert!(run.stderr.contains("\\u{1b}[2J\\u{202e}"), "{}", run.stderr);
    let tested = harmless_run(&pipeline, &["test", "."]);
    assert!(tested.stdout.contains("FAILED") && tested.stdout.contains("\\u{202e}"), "{}", tested.stdout);
    assert!(!tested.stdout.lines().any(|line| line.trim_start().starts_with("error: forged")), "{}", tested.stdout);
}

#[test]
fn on_a_terminal_only_our_own_colours_act() {
    let pipeline = hostile_pipeline();
    // With a terminal of its own, where there is a program that gives one.
    let line = format!("{} run .", env!("CARGO_BIN_EXE_jackfield"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).current_dir(pipeline.path()).env_remove("NO_COLOR");
    let Ok(seen) = script.stdin(Stdio::null()).output() else {
        not_tested("the program `script` is missing: what a terminal shows is not tested");
        return;
    };
    let seen = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(seen.contains("failed: stage `t`"), "{seen:?}");
    for harm in ["\u{1b}[2J", "\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}", "\u{e0041}"] {
        assert!(!seen.contains(harm), "{harm:?} in {seen:?}");
    }
    assert!(seen.contains("\\u{202e}"), "{seen:?}");
}
