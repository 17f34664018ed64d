//! What a plugin marks to be looked at is drawn, by `show` and on the page; no plugin is at hand for it any more.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use insta::assert_snapshot;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Options, Silent, open_stages};
use jackfield_loader::{Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, Registry, sandbox::Limits};
use jackfield_pipeline::Request as PipelineRequest;
use jackfield_plugin_api::{
    BoxFuture, Descriptor, Document, Failure, HostCalls, Instance, Kind, Request, Result as CallResult, Stability,
};
use jackfield_services::open_services;
use jackfield_store::{RunFolder, RunJson};
use serde_json::{Value, json};

use crate::{
    report::browser::{View, look},
    support::{CommandOutput, Pipeline, jackfield, run_command},
};

/// An analyzer that answers what its configuration says; `fails` names the items that it fails for.
struct Sayer;

struct Opened(Value);

impl ExtensionFactory for Sayer {
    fn open(&self, config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        Ok(Arc::new(Opened(serde_json::from_str(config).expect("JSON"))))
    }
}

impl Instance for Opened {
    fn call<'a>(&'a self, batch: &'a [Request], _host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<CallResult<Document>>> {
        let answer = |request: &Request| {
            let fails = self.0["fails"].as_array().into_iter().flatten();
            if fails.into_iter().any(|item| item == &*request.context.item) {
                return Err(Failure::InvalidInput("no grid \u{1b}[31mhere".to_owned()));
            }
            let input: Value = serde_json::from_str(&request.document.json).expect("JSON");
            let says = self.0["says"].get(&*request.context.item).unwrap_or(&self.0["says"]["others"]);
            Ok(Document::new(if says.is_null() { input["echo"].to_string() } else { says.to_string() }))
        };
        Box::pin(async move { batch.iter().map(answer).collect() })
    }
}

fn registry() -> Registry {
    let pair = json!({ "type": "object", "properties": {
        "input": { "$ref": "#/$defs/grid" },
        "output": { "anyOf": [{ "$ref": "#/$defs/grid" }, { "type": "null" }] }
    } });
    let grid = json!({ "type": "array", "x-view": "grid" });
    let wrong = json!({ "type": "object", "properties": {
        "pair": { "type": "integer" }, "expected": { "$ref": "#/$defs/grid" }, "got": { "$ref": "#/$defs/grid" }
    } });
    let kept = json!({ "type": "object", "properties": { "differences": { "type": "array", "items": wrong } } });
    let input = json!({
        "$defs": { "grid": grid, "pair": pair },
        "type": "object",
        "properties": { "demos": { "type": "array", "items": { "$ref": "#/$defs/pair" } }, "echo": {} }
    });
    let output = json!({
        "$defs": { "grid": grid },
        "properties": {
            "kept": { "type": "array", "items": kept },
            "matrix": { "type": "array", "x-view": "outcomes" },
            "generations": { "type": "array", "x-view": "series" }
        }
    });
    let descriptor = Descriptor {
        kind: Kind::Analyzer,
        name: "sayer".into(),
        version: "0.0.0".into(),
        summary: "Says what it is told to".into(),
        config: json!({ "type": "object" }),
        input,
        output,
        permissions: Vec::new(),
        examples: Vec::new(),
        stability: Stability::Experimental,
    };
    let entry = ExtensionEntry { descriptor: Arc::new(descriptor), factory: Arc::new(Sayer), grants: Arc::default() };
    let plugin = Plugin {
        alias: "mine".into(),
        linkage: Linkage::LinkedIn,
        path: None,
        digest: Digest::of("mine"),
        protocol: jackfield_plugin_api::PROTOCOL,
        extensions: vec![entry],
    };
    Registry::new(vec![plugin])
}

const PIPELINE: &str = r#"
[pipeline]
name = "tasks"

[input]
use = "jsonl"
path = "tasks.jsonl"
id = "id"

[stages.keep]
use = "sayer"
in = { demos = "input.train" }

[stages.keep.with]
fails = ["bad"]

[stages.keep.with.says.others]
kept = [{ name = "solve_a", score = 500, differences = [{ pair = 1, expected = [[3, 3], [0, 4]], got = [[3, 3, 3], [0, 5, 3]] }] }]
matrix = [{ name = "solve_a", outcomes = ["equal", "grid:00ff", "skipped"] }, { name = "<b>solve_b", outcomes = ["error:type", "limit:steps", "equal"] }]
generations = [{ generation = 0, best = 250, mean = 120.5, distinct = 9 }, { generation = 1, best = 500, mean = 250.25, distinct = 8 }, { generation = 2, best = 1000, mean = 700, distinct = 9 }]

[stages.keep.with.says.good]
kept = []
matrix = [{ name = "solve_a", outcomes = ["equal", "equal"] }]

[stages.again]
use = "sayer"
in = { echo = "keep.matrix" }
"#;

fn task(id: &str) -> Value {
    json!({
        "id": id, "note": "from \u{1b}[2Jsomewhere",
        "train": [{ "input": [[0, 1], [2, 3]], "output": [[4, 5, 6]] }, { "input": [[7, 8, 9]], "output": null }],
    })
}

/// A run with the sayer linked in.
fn run(items: &[Value]) -> (Pipeline, PathBuf) {
    let lines: Vec<String> = items.iter().map(Value::to_string).collect();
    let pipeline = Pipeline::new(PIPELINE).with("tasks.jsonl", lines.join("\n"));
    let registry = registry();
    let request = PipelineRequest { path: pipeline.path(), set: &[], input: &[] };
    let draft = jackfield_pipeline::parse(request).unwrap_or_else(|faults| panic!("{faults}"));
    let plan = jackfield_pipeline::check(&draft, &registry).unwrap_or_else(|faults| panic!("{faults}"));
    let folder = RunFolder::create(&pipeline.out(), "tasks").expect("a folder");
    let path = folder.path().to_owned();
    let record = RunJson::new(&folder, &plan, pipeline.path().join("pipeline.toml"), Vec::new());
    let instances = open_stages(&plan, &registry).expect("opened");
    let services = open_services(&plan, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
    let options = Options { jobs: 2, retry_failed: false, ..Options::default() };
    let engine = Engine { plan: &plan, registry: &registry, instances, services, inputs: &BundledInputs, options };
    engine.run(folder, record, &Cancel::default(), &mut Silent).expect("a run");
    (pipeline, path)
}

#[track_caller]
fn show(run: &Path, arguments: &[&str], code: i32) -> CommandOutput {
    run_command(jackfield().arg("show").arg(run).args(arguments)).expect_code(code)
}

fn id(run: &Path) -> String {
    run.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn an_item_is_drawn_with_its_input_and_what_stages_answered() {
    let (pipeline, run) = run(&[task("first"), task("bad")]);
    let drawn = |arguments: &[&str]| {
        let CommandOutput { stdout, stderr, .. } = show(&run, arguments, 0);
        assert_eq!(stderr, "");
        stdout.replace(&id(&run), "[run]")
    };
    assert_snapshot!("drawn", drawn(&["first"]));
    assert_snapshot!("drawn_failed", drawn(&["bad", "--width", "60"]));
    assert_snapshot!("drawn_stage", drawn(&["first", "--stage", "again", "--color", "always"]).replace('\u{1b}', "^"));
    let colored = drawn(&["first", "--color", "always"]);
    assert!(colored.contains("\u{1b}[48;2;46;204;64m") && !colored.contains("\u{1b}[2J"), "{colored}");

    let json = show(&run, &["first", "--json"], 0).json();
    assert_eq!(json["input"]["train"][0]["output"], json!([[4, 5, 6]]));
    assert_eq!(json["views"][0], json!({ "stage": null, "path": "train[0]", "view": "grid", "fault": null }));
    assert_eq!(json["state"], "ok");
    let json = show(&run, &["bad", "--json", "--stage", "keep"], 0).json();
    assert_eq!((&json["input"], &json["failures"]["again"]), (&Value::Null, &Value::Null));
    assert_eq!(json["failures"]["keep"][0]["kind"], "invalid-input");

    // What the input was is known by its digest.
    fs::write(pipeline.path().join("tasks.jsonl"), "{\"id\": \"first\", \"train\": []}\n").expect("written");
    let changed = drawn(&["first"]);
    assert!(changed.contains("input: not shown: it is not in the input of the run any more"), "{changed}");
    fs::remove_file(pipeline.path().join("tasks.jsonl")).expect("removed");
    assert!(drawn(&["first"]).contains("input: not shown: "));
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let (_pipeline, run) = run(&[task("first")]);
    let told = |arguments: &[&str]| {
        let CommandOutput { stdout, stderr, .. } = show(&run, arguments, 2);
        format!("{arguments:?}\n{stdout}{stderr}").replace(&id(&run), "[run]")
    };
    let all = [told(&["frist"]), told(&["first", "--stage", "kep"]), told(&["a\u{1b}[2Jb"])];
    assert_snapshot!("refused", all.join("\n"));
}

#[test]
fn a_run_without_marks_is_shown_as_text_and_says_so() {
    let (_pipeline, run) = run(&[task("first")]);
    // As an older program would have recorded it.
    let text = fs::read_to_string(run.join("run.json")).expect("read");
    let mut older: Value = serde_json::from_str(&text).expect("JSON");
    older["plan"].as_object_mut().expect("a plan").remove("item_views");
    for stage in older["plan"]["stages"].as_array_mut().expect("stages") {
        stage.as_object_mut().expect("a stage").remove("views");
    }
    older["format"] = json!(1);
    older.as_object_mut().expect("an object").remove("checksum");
    fs::write(run.join("run.json"), older.to_string()).expect("written");
    let CommandOutput { stdout, stderr, .. } = show(&run, &["first"], 0);
    assert_snapshot!("older", format!("{stdout}{stderr}").replace(&id(&run), "[run]"));
    let page = page(&run);
    assert!(!page.contains("To look at") && !page.contains(".k9"));
}

/// Writes the page of a run and gives its text.
#[track_caller]
fn page(run: &Path) -> String {
    run_command(jackfield().arg("report").arg(run)).expect_code(0);
    fs::read_to_string(run.join("report.html")).expect("a page")
}

#[test]
fn the_page_draws_the_items_that_did_not_come_out_well_before_others() {
    let (pipeline, run) = run(&[task("good"), task("one"), task("bad"), task("two")]);
    let drawn = page(&run);
    let section =
        drawn.split("<section id=\"look\"").nth(1).and_then(|text| text.split("</section>").next()).expect("a section");
    let items: Vec<&str> =
        section.split("<summary>").skip(1).map(|text| text.split("</span>").next().unwrap_or_default()).collect();
    let wanted = [
        "bad <span class=\"bad\">partial",
        "one <span class=\"bad\">unsolved",
        "two <span class=\"bad\">unsolved",
        "good <span class=\"note\">ok",
    ];
    assert_eq!(items, wanted);
    let texts = [
        "aria-label=\"input 2 rows by 2 columns: 01 23\"",
        "aria-label=\"3 of 6 cells differ: row 1 column 3, row 2 column 2, row 2 column 3\"",
        "kept[0].differences[0] · solve_a · pair 1",
        "title=\"limit:steps\">c</td>",
        "&lt;b&gt;solve_b",
        "mean from 120.5 to 700",
    ];
    for text in texts {
        assert!(section.contains(text), "{text}\n{section}");
    }
    assert_eq!(drawn, page(&run), "the same record is the same page");

    let file = run.join("report.html");
    for (picture, is_dark) in [("looks-light.png", false), ("looks-dark.png", true)] {
        let dom = look(&file, &View { picture, window: (1240, 3200), is_dark });
        assert!(dom.contains("data-script=\"ready\"") && !dom.contains("data-violation"));
    }

    fs::remove_file(pipeline.path().join("tasks.jsonl")).expect("removed");
    let CommandOutput { stderr, .. } = run_command(jackfield().arg("report").arg(&run)).expect_code(0);
    assert!(stderr.contains("note: the input of the run is not drawn: "), "{stderr}");
    let without = fs::read_to_string(&file).expect("a page");
    assert!(without.contains("The input is not drawn") && !without.contains(&*pipeline.path().to_string_lossy()));
}

#[test]
fn a_page_is_bounded_however_much_there_is_to_look_at() {
    let cell = |place: usize| (place * place + place / 7) % 10;
    let grid: Vec<Vec<usize>> = (0..64).map(|row| (0..64).map(|column| cell(row * 71 + column)).collect()).collect();
    let pairs: Vec<Value> = (0..30).map(|_| json!({ "input": grid, "output": grid })).collect();
    let items: Vec<Value> = (0..40).map(|item| json!({ "id": format!("t{item}"), "train": pairs })).collect();
    let (_pipeline, run) = run(&items);
    let page = page(&run);
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(page.contains("which the page has no room for") && page.contains("12 of 40 items"));
}
