//! Pipelines that search, and the plans that they give.

use std::{path::Path, time::Duration};

use jackfield_plugin_api::{Condition, Values};
use serde_json::{Value, json};

use super::compile;
use crate::{InputPlan, Plan, Scope, SearchStop, SearchTarget, Source, StudyFile, check::tests_of, json_schema};

const SEARCHED: &str = r#"
[pipeline]
name = "searched"

[input]
use = "trials"
count = 40

[search]
use = "tpe"
with = { startup = 10 }
minimize = ["kl.rate"]
maximize = { hits = "count.words" }
in_flight = 4
points = [{ "edit.weight" = 1, "edit.how.kind" = "all", "early.min_len" = 3, "edit.layers" = 4 }]
study = "letters"
stop = { time = "10m", unchanged = 30 }

[search.space]
"edit.how.share" = { min = 0.25, max = 1.0, when = { "edit.how.kind" = "some" } }
"edit.weight" = { min = 0.5, max = 1.5 }
"edit.how.kind" = ["all", "some"]
"edit.layers" = { min = 1, max = 64, log = true, integer = true }
"early.min_len" = { min = 1, max = 9, step = 2, integer = true }

[stages.save]
use = "merge"
in = { edit = "edit", values = "input.params" }
export = true

[stages.early]
use = "word-count"
in = { text = "text.label" }
with = { mode = "exact" }

[stages.text]
use = "score"
with = { weight = 1.0 }

[stages.edit]
use = "score"
in = "early"

[stages.kl]
use = "score"
in = { edit = "edit", weight = "input.params.\"edit.weight\"" }
with = { weight = 0.0 }

[stages.count]
use = "word-count"
in = { text = "edit.label" }

[[tests]]
name = "one trial"
input = { trial = 0, params = { "edit.weight" = 0.5, "edit.how.kind" = "all", "early.min_len" = 3, "edit.layers" = 2 } }
expect = { "kl.rate" = 0.5 }
"#;

fn compiled(set: &[&str]) -> Plan {
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    compile(SEARCHED, &set, &[]).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

fn values(values: Value) -> Values {
    serde_json::from_value(values).expect("values")
}

#[test]
fn a_search_is_lowered_with_what_a_condition_is_on_first() {
    let plan = compiled(&[]);
    let search = plan.search.as_ref().expect("a search");
    let names: Vec<&str> = search.study.space.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["edit.how.kind", "edit.how.share", "edit.weight", "edit.layers", "early.min_len"]);
    let when = Some(Condition { name: "edit.how.kind".into(), values: vec![json!("some")] });
    assert_eq!(search.study.space[1].when, when);
    let goals: Vec<_> = search.study.goals.iter().map(|goal| (goal.name.as_str(), goal.minimize)).collect();
    assert_eq!(goals, [("kl.rate", true), ("hits", false)]);
    assert_eq!(search.objectives.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["kl.rate", "hits"]);
    assert_eq!((search.in_flight, search.study.reports, search.extension.name.as_str()), (4, 0, "tpe"));
    assert_eq!(search.config, json!({ "startup": 10 }));
    let stop = SearchStop { time: Some(Duration::from_secs(600)), cost_usd: None, unchanged: Some(30) };
    assert_eq!(search.stop, stop);
    let path = Path::new("/some/p/.jackfield/studies/letters.json").to_owned();
    assert_eq!(search.keep, Some(StudyFile { name: "letters".into(), path }));
    // A point has the values that the policy would have given.
    let point = json!({ "edit.weight": 1.0, "edit.how.kind": "all", "early.min_len": 3, "edit.layers": 4 });
    assert_eq!(search.points, [values(point)]);
    let stage = |name: &str| plan.stages.iter().position(|stage| stage.name == name).expect("a stage");
    let target = |stage: usize, dimension: &str, path: &[&str]| SearchTarget {
        stage,
        dimension: dimension.into(),
        path: path.iter().map(ToString::to_string).collect(),
    };
    let targets = [
        target(stage("edit"), "edit.how.kind", &["how", "kind"]),
        target(stage("edit"), "edit.how.share", &["how", "share"]),
        target(stage("edit"), "edit.weight", &["weight"]),
        target(stage("edit"), "edit.layers", &["layers"]),
        target(stage("early"), "early.min_len", &["min_len"]),
    ];
    assert_eq!(search.targets, targets);
    assert_eq!(search.study.space.iter().filter(|key| key.domain().is_ok()).count(), 5);
}

#[test]
fn what_is_searched_and_what_reads_it_runs_once_a_trial() {
    let plan = compiled(&[]);
    let scopes: Vec<_> = plan.stages.iter().map(|stage| (stage.name.as_str(), stage.scope)).collect();
    let expected = [
        ("text", Scope::Run),
        ("early", Scope::Item),
        ("edit", Scope::Item),
        ("kl", Scope::Item),
        ("count", Scope::Item),
    ];
    assert_eq!(scopes, expected);
    assert_eq!(plan.input, InputPlan::Trials { count: 40 });
}

#[test]
fn a_stage_of_the_export_is_no_part_of_the_run() {
    let plan = compiled(&[]);
    let [save] = plan.exports.as_slice() else { panic!("{:?}", plan.exports) };
    assert_eq!((save.name.as_str(), save.scope), ("save", Scope::Item));
    let edit = plan.stages.iter().position(|stage| stage.name == "edit").expect("a stage");
    assert_eq!(save.reads, [edit]);
    let crate::InputExpr::Table(entries) = &save.input else { panic!("{:?}", save.input) };
    let sources: Vec<_> = entries
        .iter()
        .map(|entry| match &entry.value {
            crate::InputExpr::Wire(wire) => wire.source,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sources, [Source::Stage(edit), Source::Input]);
    // It changes no result of the run.
    assert_eq!(compiled(&["stages.save.in.edit=text"]).digest, plan.digest);
}

#[test]
fn the_values_of_a_trial_are_laid_over_its_stages() {
    let plan = compiled(&[]);
    let search = plan.search.as_ref().expect("a search");
    let laid = |name: &str, trial: Value| {
        let stage = plan.stages.iter().position(|stage| stage.name == name).expect("a stage");
        plan.stages[stage].with_values(search, stage, &values(trial)).config
    };
    let trial = json!({ "edit.how.kind": "all", "edit.weight": 1.25, "edit.layers": 3, "early.min_len": 5 });
    assert_eq!(laid("edit", trial.clone()), json!({ "how": { "kind": "all" }, "weight": 1.25, "layers": 3 }));
    assert_eq!(laid("early", trial.clone()), json!({ "mode": "exact", "min_len": 5 }));
    assert_eq!(laid("count", trial), json!({}));
    let trial = json!({ "edit.how.kind": "some", "edit.how.share": 0.5, "edit.weight": 1.0, "edit.layers": 1 });
    let edit = json!({ "how": { "kind": "some", "share": 0.5 }, "weight": 1.0, "layers": 1 });
    assert_eq!(laid("edit", trial), edit);
    let first = search.study.first_values();
    let expected = json!({ "edit.how.kind": "all", "edit.weight": 0.5, "edit.layers": 1, "early.min_len": 1 });
    assert_eq!(first, values(expected));
    // What a condition leaves out is as the stage has it, so with those the stage can be opened.
    let edit = plan.stages.iter().find(|stage| stage.name == "edit").expect("a stage");
    assert_eq!(edit.config, json!({ "how": { "kind": "all" }, "weight": 0.5, "layers": 1 }));
}

#[test]
fn further_trials_and_other_stops_are_the_same_search() {
    let digest = |set: &[&str]| compiled(set).digest;
    let usual = digest(&[]);
    for same in ["input.count=80", "search.stop.time=1h", "search.stop.unchanged=3", "search.study=other"] {
        assert_eq!(digest(&[same]), usual, "{same}");
    }
    for other in [
        "search.with.startup=11",
        "search.in_flight=5",
        "search.space.\"edit.weight\".max=1.25",
        "search.space.\"edit.weight\".step=0.25",
        "search.space.\"edit.how.kind\"=[\"some\", \"all\"]",
        "search.space.\"edit.how.share\".max=0.75",
        "search.maximize.hits=edit.rate",
        "search.points.0.\"edit.weight\"=0.75",
        "search.space.\"edit.weight\".log=true",
    ] {
        let set = [other.to_owned()];
        let found = compile(SEARCHED, &set, &[]).unwrap_or_else(|diagnostics| panic!("{other}: {diagnostics}"));
        assert_ne!(found.digest, usual, "{other}");
    }
}

#[test]
fn a_test_of_a_search_gives_the_values_of_its_trial() {
    let parsed = super::parsed(SEARCHED.as_bytes(), &[], &[]).expect("a draft");
    let registry = super::registry();
    let plan = crate::check(&parsed, &registry).expect("a plan");
    let [test] = tests_of(&parsed, &plan, &registry).try_into().expect("one test");
    let names: Vec<&str> = test.plan.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["text", "early", "edit", "kl"]);
    assert!(matches!(&test.plan.input, InputPlan::Inline { items, .. } if items.len() == 1));
    assert!(test.plan.search.is_none());
    let edit = test.plan.stages.iter().find(|stage| stage.name == "edit").expect("a stage");
    assert_eq!((edit.scope, &edit.config["weight"], &edit.config["layers"]), (Scope::Item, &json!(0.5), &json!(2)));
    assert!(test.plan.exports.is_empty());
}

#[test]
fn the_schema_of_the_file_knows_a_search() {
    let schema = json_schema();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let json: Value = serde_json::to_value(toml::from_str::<toml::Table>(SEARCHED).expect("TOML")).expect("JSON");
    let wrong: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    for (key, value) in [("in_flight", json!(0)), ("space", json!({ "a.b": 3 })), ("stop", json!({ "after": 1 }))] {
        let mut bad = json.clone();
        bad["search"][key] = value;
        assert!(!validator.is_valid(&bad), "{key}");
    }
}
