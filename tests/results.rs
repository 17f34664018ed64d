//! `jackfield results`: what a run has answered, as a table.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{CommandOutput, Pipeline, jackfield, odd_plugin, run_command, run_command_within, wait};

/// A pipeline whose stage answers `{files, given}`, where `given` is the item.
fn pipeline(lines: &str) -> Pipeline {
    let plugin = odd_plugin();
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "table"
{plugin}[input]
use = "jsonl"
path = "items.jsonl"
id = "id"
[stages.shown]
use = "odd/texts"
in = "input.answer"
with = {{ from = "more.txt" }}
"#,
    ))
    .with("items.jsonl", lines)
    .with("more.txt", "")
}

/// Items of all types, one of which has no answer.
fn mixed() -> Pipeline {
    pipeline(concat!(
        r#"{"id": "a", "text": "one, \"two\"\nthree", "answer": {"label": "=1+1", "score": 1, "ok": true, "tags": ["x", "y"]}}"#,
        "\n",
        r#"{"id": "b", "text": "", "answer": {"label": null, "score": 0.25, "ok": false, "tags": [], "by": {"who": "ann"}}}"#,
        "\n",
        r#"{"id": "c", "text": "no answer"}"#,
        "\n",
    ))
}

fn results(pipeline: &Pipeline, args: &[&str]) -> CommandOutput {
    let mut command = jackfield();
    run_command(command.arg("results").args(args).arg("--out").arg(pipeline.out()).current_dir(pipeline.path()))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn members_are_columns_and_the_input_and_what_failed_stand_beside_them() {
    let pipeline = mixed();
    pipeline.run().expect_code(3);
    let csv = results(&pipeline, &["last", "--format", "csv"]).expect_code(0);
    insta::assert_snapshot!(csv.stdout.replace("\r\n", "<CR>\n"));
    assert_eq!(csv.stderr, "");
    let typed = lines(&results(&pipeline, &["last", "--format", "jsonl"]).expect_code(0).stdout);
    assert_eq!(typed.len(), 3);
    assert_eq!(typed[1]["shown.given.score"], 0.25);
    assert_eq!(typed[1]["shown.given.ok"], false);
    assert_eq!(typed[0]["shown.given.tags"], json!(["x", "y"]));
    assert_eq!(typed[2]["shown.given.score"], Value::Null);
}

#[test]
fn a_table_for_a_person_is_cut_and_says_what_it_leaves_out() {
    let lines: String = (0..30)
        .map(|at| {
            let text = "long ".repeat(40);
            format!(
                "{{\"id\": \"i{at}\", \"text\": \"{text}\", \"answer\": {{\"score\": {at}, \"why\": \"{text}\"}}}}\n"
            )
        })
        .collect();
    let pipeline = pipeline(&lines);
    pipeline.run().expect_code(0);
    let table = results(&pipeline, &["last", "--columns", "item,shown.given.score,input.text,shown.given.why"]);
    let table = table.expect_code(0);
    insta::assert_snapshot!(format!("{}--\n{}", table.stdout, table.stderr));
    let two = results(&pipeline, &["last", "--column", "item", "--column", "shown.given.score", "--limit", "2"]);
    assert_eq!(two.stdout.lines().count(), 3, "{two:#?}");
}

#[test]
fn a_column_that_is_not_there_is_refused_with_what_was_meant() {
    let pipeline = mixed();
    let done = pipeline.run().expect_code(3).json();
    let said = |columns: &str| pipeline.said(&results(&pipeline, &["last", "--columns", columns]).expect_code(2));
    let said = ["shown.given.scor", "show.given", "input.txt", "shown.given[0", "shown.given.label.x"].map(said);
    insta::assert_snapshot!(said.join("--\n").replace(done["run"].as_str().expect("a run"), "[run]"));
}

#[test]
fn each_element_of_a_list_has_a_row_of_its_own() {
    let pipeline = mixed();
    pipeline.run().expect_code(3);
    let rows = results(
        &pipeline,
        &[
            "last",
            "--each",
            "shown.given.tags",
            "--columns",
            "item,element,shown.given.tags,shown.given.score",
            "--format",
            "jsonl",
        ],
    );
    let rows = lines(&rows.expect_code(0).stdout);
    let wanted = [("a", json!(0), json!("x"), json!(1)), ("a", json!(1), json!("y"), json!(1))];
    let empty = [("b", Value::Null, Value::Null, json!(0.25)), ("c", Value::Null, Value::Null, Value::Null)];
    let wanted: Vec<Value> = wanted
        .into_iter()
        .chain(empty)
        .map(|(item, element, tag, score)| {
            json!({ "item": item, "element": element, "shown.given.tags": tag, "shown.given.score": score })
        })
        .collect();
    assert_eq!(rows, wanted);
    let refused = pipeline.said(&results(&pipeline, &["last", "--each", "shown"]).expect_code(2));
    assert!(refused.contains("makes one call for an item"), "{refused}");
}

#[test]
fn a_stage_over_a_list_has_a_row_a_call_with_the_failures_of_that_call() {
    let plugin = odd_plugin();
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "calls"
{plugin}[input]
use = "jsonl"
path = "items.jsonl"
id = "id"
[stages.shown]
use = "odd/texts"
for_each = "input.list"
in = "each.value"
with = {{ from = "more.txt" }}
"#,
    ))
    .with("items.jsonl", "{\"id\": \"a\", \"list\": [{\"value\": 1}, {}, {\"value\": 3}]}\n")
    .with("more.txt", "");
    pipeline.run().expect_code(3);
    let rows = results(&pipeline, &["last", "--each", "shown,input.list", "--format", "jsonl"]).expect_code(0);
    let rows = lines(&rows.stdout);
    let given: Vec<&Value> = rows.iter().map(|row| &row["shown.given"]).collect();
    assert_eq!(given, [&json!(1), &Value::Null, &json!(3)]);
    assert_eq!(rows[2]["input.list.value"], 3);
    let errors: Vec<bool> = rows.iter().map(|row| row["error"].is_null()).collect();
    assert_eq!(errors, [true, false, true]);
}

#[test]
fn an_input_that_has_changed_or_gone_is_said_and_the_rest_is_given() {
    let pipeline = mixed();
    pipeline.run().expect_code(3);
    let path = pipeline.path().join("items.jsonl");
    let text = fs::read_to_string(&path).expect("read");
    fs::write(&path, text.replace("no answer", "another")).expect("written");
    let args = ["last", "--columns", "item,input.text,shown.given.ok", "--format", "jsonl"];
    let changed = results(&pipeline, &args).expect_code(0);
    let rows = lines(&changed.stdout);
    assert_eq!((&rows[1]["input.text"], &rows[2]["input.text"]), (&json!(""), &Value::Null));
    insta::assert_snapshot!(pipeline.said(&changed));
    fs::remove_file(&path).expect("removed");
    let gone = results(&pipeline, &args).expect_code(0);
    assert_eq!(lines(&gone.stdout)[0]["shown.given.ok"], true);
    insta::assert_snapshot!(pipeline.said(&gone));
    // Where no column comes from the input, nothing is read of it.
    let without = results(&pipeline, &["last", "--columns", "item,shown", "--format", "csv"]).expect_code(0);
    assert_eq!(without.stderr, "");
}

#[test]
fn a_file_is_written_whole_by_the_ending_of_its_name() {
    let pipeline = mixed();
    pipeline.run().expect_code(3);
    for (name, begins) in [("t.csv", "item,state"), ("t.jsonl", "{\"item\""), ("t.parquet", "PAR1")] {
        results(&pipeline, &["last", "--output", name]).expect_code(0);
        let bytes = fs::read(pipeline.path().join(name)).expect("a file");
        assert!(bytes.starts_with(begins.as_bytes()), "{name}");
    }
    let refused = pipeline.said(&results(&pipeline, &["last", "--output", "t.xlsx"]).expect_code(2));
    insta::assert_snapshot!(refused);
    let refused = results(&pipeline, &["last", "--output", "no/such/folder/t.csv"]).expect_code(1);
    assert!(refused.stderr.contains("no/such/folder/t.csv"), "{refused:#?}");
    let left: Vec<_> = fs::read_dir(pipeline.path()).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().ends_with(".tmp")), "{left:?}");
}

/// A pipeline whose items take a while, one after the other.
fn slow(count: usize) -> Pipeline {
    let lines: String = (0..count).map(|at| format!("{{\"id\": \"i{at}\", \"messages\": \"say {at}\"}}\n")).collect();
    let plugin = odd_plugin();
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "slow"
{plugin}[input]
use = "jsonl"
path = "items.jsonl"
id = "id"
[model.m]
use = "mock"
with = {{ latency_ms = 40 }}
[stages.said]
use = "odd/ask"
in = {{ text = "input.messages" }}
model = "m"
concurrency = 1
"#,
    ))
    .with("items.jsonl", lines)
}

/// The ids in `results.partial.jsonl`, each line of which must be whole.
fn partial(run: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(run.join("results.partial.jsonl")).ok()?;
    assert!(text.is_empty() || text.ends_with('\n'), "a line is cut");
    Some(lines(&text).iter().map(|line| line["item"].as_str().expect("an id").to_owned()).collect())
}

fn only_run(pipeline: &Pipeline) -> Option<std::path::PathBuf> {
    fs::read_dir(pipeline.out()).ok()?.next().map(|entry| entry.expect("an entry").path())
}

#[test]
fn results_grow_while_a_run_is_at_work_and_outlive_a_kill_without_loss_or_repetition() {
    const LONGEST: Duration = Duration::from_secs(60);
    let pipeline = slow(120);
    let mut child = pipeline.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    let began = Instant::now();
    let seen = loop {
        assert!(began.elapsed() < LONGEST, "nothing came");
        std::thread::sleep(Duration::from_millis(10));
        let ids = only_run(&pipeline).and_then(|run| partial(&run)).unwrap_or_default();
        if ids.len() >= 20 {
            break ids;
        }
    };
    let run = only_run(&pipeline).expect("a run");
    // The command reads the record, which is ahead of the file.
    let table = results(&pipeline, &["last", "--format", "jsonl", "--columns", "item,state,said.text"]).expect_code(0);
    assert!(table.stdout.lines().count() >= seen.len(), "{table:#?}");
    child.kill().expect("killed");
    assert!(wait(&mut child, LONGEST).is_some());
    assert!(!run.join("results.jsonl").exists(), "it was killed before its end");
    let after_kill = partial(&run).expect("it stays");
    let table = results(&pipeline, &["last", "--format", "csv", "--columns", "item"]).expect_code(0);
    assert!(table.stdout.lines().count() > after_kill.len());

    let mut resumed = pipeline.command();
    resumed.arg("--resume").arg(&run).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = resumed.spawn().expect("started");
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < LONGEST, "nothing came");
        // Until the run ends, nothing that was there is missing, and nothing is there twice.
        if run.join("results.jsonl").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
        let Some(ids) = partial(&run) else { continue };
        let mut once = ids.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "{ids:?}");
        let lost: Vec<&String> = after_kill.iter().filter(|id| !ids.contains(id)).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
    assert_eq!(wait(&mut child, LONGEST), Some(Some(0)));
    assert!(partial(&run).is_none(), "results.jsonl has taken its place");
    let all = fs::read_to_string(run.join("results.jsonl")).expect("results");
    assert_eq!(all.lines().count(), 120);
}

#[test]
fn provenance_says_who_answered_and_whether_it_was_cached() {
    let pipeline = slow(2);
    let toml = fs::read_to_string(pipeline.path().join("pipeline.toml")).expect("read");
    let toml = toml.replace("latency_ms = 40 }", "latency_ms = 0 }\ncache = \"kept\"");
    let toml = format!("{toml}\n[cache.kept]\ntiers = [{{ use = \"sqlite\" }}]\n");
    fs::write(pipeline.path().join("pipeline.toml"), toml).expect("written");
    let table = |pipeline: &Pipeline| {
        pipeline.run().expect_code(0);
        let args = ["last", "--columns", "item,provenance.said", "--format", "jsonl"];
        lines(&results(pipeline, &args).expect_code(0).stdout)
    };
    let (cold, warm) = (table(&pipeline), table(&pipeline));
    assert_eq!(cold[0]["provenance.said.model"], "m");
    assert_eq!(cold[0]["provenance.said.cached"], false);
    assert!(cold[0]["provenance.said.tokens_in"].as_u64().expect("tokens") > 0);
    let extension = cold[0]["provenance.said.extension"].as_str().expect("a name");
    assert!(extension.starts_with("odd/ask@"), "{extension}");
    assert_eq!((&warm[1]["provenance.said.cached"], &warm[1]["provenance.said.tokens_in"]), (&json!(true), &json!(0)));
}

/// A Python with the libraries that people read tables with, made once.
fn python_with_tables() -> std::path::PathBuf {
    const LIBRARIES: [&str; 4] = ["duckdb~=2.0", "pandas~=3.1", "polars~=2.1", "pyarrow~=26.0"];
    const LONGEST: Duration = Duration::from_secs(600);
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-with-tables");
    fs::create_dir_all(&place).expect("made");
    // One test makes it, whatever runs at a time.
    let lock = fs::File::create(place.join("lock")).expect("a lock");
    lock.lock().expect("locked");
    let (made, python) = (place.join("made"), place.join("venv/bin/python"));
    let wanted = LIBRARIES.join(" ");
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return python;
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(place.join("venv"));
    run_command_within(&mut venv, LONGEST).expect_code(0);
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(LIBRARIES);
    run_command_within(&mut install, LONGEST).expect_code(0);
    fs::write(&made, wanted).expect("written");
    python
}

#[test]
fn pandas_polars_duckdb_and_pyarrow_read_what_was_written_with_its_types() {
    let pipeline = mixed();
    let path = pipeline.path().join("items.jsonl");
    let text = fs::read_to_string(&path).expect("read");
    let text = text.replace("\"id\": \"a\"", "\"id\": \"a\", \"count\": 9007199254740993");
    let text = text.replace("\"id\": \"b\"", "\"id\": \"b\", \"count\": 2");
    fs::write(&path, text).expect("written");
    pipeline.run().expect_code(3);
    for name in ["t.csv", "t.jsonl", "t.parquet"] {
        results(&pipeline, &["last", "--output", name]).expect_code(0);
    }
    let mut read = Command::new(python_with_tables());
    read.arg(crate::support::root().join("tests/results/read_tables.py")).arg(pipeline.path());
    run_command(&mut read).expect_code(0);
}

#[test]
fn an_input_of_the_run_is_not_written_over() {
    let pipeline = mixed();
    pipeline.run().expect_code(3);
    let before = fs::read(pipeline.path().join("items.jsonl")).expect("items");
    let refused = results(&pipeline, &["last", "--output", "items.jsonl"]).expect_code(2);
    assert!(refused.stderr.contains("items.jsonl` is an input of the run: it is not written over"), "{refused:?}");
    assert_eq!(fs::read(pipeline.path().join("items.jsonl")).expect("items"), before);
}
