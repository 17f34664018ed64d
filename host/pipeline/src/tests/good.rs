//! Good pipelines and the plans that they give.

use serde_json::{Value, json};

use super::compile;
use crate::{InputExpr, InputPlan, OnError, Plan, Scope, Source, Step, json_schema, keys};
use jackfield_loader::sandbox::Limits;

const TRANSCRIPTS: &str = r#"
[pipeline]
name = "transcripts"
seed = 18446744073709551615

[input]
use = "files"
path = "data/*.txt"

[output.files]
"brief.md" = "brief.markdown"

[stages.brief]
use = "brief"
in = { findings = ["decisions", "again[0]"] }

[stages.lens]
use = "bundled/lens"
in = { transcript = "transcript", findings = ["decisions"] }
with = { prompt = "lenses/say-means.md" }
timeout = "2m"
retry = { attempts = 5 }
on_error = "fail"
limits = { memory = "64MiB", fuel = 1_000 }

[stages.transcript]
use = "transcript"
in = { text = "input.text" }

[stages.decisions]
use = "decisions"
in = "transcript"

[stages.again]
use = "decisions"
in = "transcript"
repeat = 3

[stages.count]
use = "word-count"
for_each = "transcript.segments"
in = { text = "each.text" }

[stages.once]
use = "merge"
"#;

fn plan(text: &str) -> Plan {
    compile(text, &[], &[]).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_whole_pipeline() {
    let plan = plan(TRANSCRIPTS);
    let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["transcript", "decisions", "lens", "again", "brief", "count", "once"]);
    assert_eq!(
        plan.input,
        InputPlan::Files { patterns: vec!["/some/p/data/*.txt".to_owned()], max_item_size: 64 << 20 }
    );
    assert_eq!((plan.seed, plan.max_in_flight, plan.output.item_files), (u64::MAX, 256, true));
    assert_eq!(plan.output.files[0].1.source, Source::Stage(4));
    let brief = &plan.stages[4];
    assert_eq!(brief.reads, [1, 3]);
    let InputExpr::Table(entries) = &brief.input else { panic!("{:?}", brief.input) };
    assert!(entries[0].required);
    let lens = &plan.stages[2];
    assert_eq!((lens.policy.attempts, lens.policy.backoff.as_millis(), lens.policy.on_error), (5, 200, OnError::Fail));
    assert_eq!(lens.policy.timeout.map(|timeout| timeout.as_secs()), Some(120));
    assert_eq!(lens.limits, Limits { memory: 64 << 20, fuel: Some(1000), ..Limits::default() });
    let InputExpr::Table(entries) = &lens.input else { panic!("{:?}", lens.input) };
    assert_eq!(entries.iter().map(|entry| entry.required).collect::<Vec<_>>(), [true, false]);
    let count = &plan.stages[5];
    assert_eq!(count.for_each.as_ref().map(|wire| &wire.path), Some(&vec![Step::Field("segments".to_owned())]));
    assert!(plan.stages[..6].iter().all(|stage| stage.scope == Scope::Item));
    let once = &plan.stages[6];
    assert_eq!((once.scope, &once.input), (Scope::Run, &InputExpr::Table(Vec::new())));
}

#[test]
fn a_plan_survives_being_written_down() {
    let plan = plan(TRANSCRIPTS);
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn the_digest_is_of_what_can_change_a_result() {
    let digest = |set: &[&str]| {
        compile(TRANSCRIPTS, &strings(set), &[]).unwrap_or_else(|diagnostics| panic!("{diagnostics}")).digest
    };
    let usual = digest(&[]);
    for same in [
        "input.path=elsewhere/*",
        "pipeline.max_in_flight=1",
        "stages.lens.concurrency=2",
        "stages.lens.batch=1",
        "stages.lens.timeout=9s",
        "stages.lens.retry.attempts=1",
        "pipeline.description=x",
        "output.item_files=false",
    ] {
        assert_eq!(digest(&[same]), usual, "{same}");
    }
    for other in [
        "pipeline.name=x",
        "pipeline.seed=1",
        "stages.lens.with.prompt=x",
        "stages.again.repeat=2",
        "stages.lens.use=merge",
        "stages.brief.in.findings.0=again[1]",
        "stages.once.in=input",
        "stages.count.for_each=again[*].items[0]",
    ] {
        assert_ne!(
            compile(TRANSCRIPTS, &strings(&[other]), &[]).map_or_else(|_| None, |plan| Some(plan.digest)),
            Some(usual.clone()),
            "{other}"
        );
    }
}

#[test]
fn the_order_of_the_text_is_no_part_of_the_digest() {
    let (head, tail) = TRANSCRIPTS.split_once("[stages.lens]").unwrap();
    let (brief_at, _) = head.match_indices("[stages.brief]").next().unwrap();
    let moved = format!("{}[stages.lens]{tail}{}", &head[..brief_at], &head[brief_at..]);
    assert_eq!(plan(&moved).digest, plan(TRANSCRIPTS).digest);
}

#[test]
fn patterns_are_relative_to_where_they_were_said() {
    let input = |set: &[&str], input: &[&str]| compile(TRANSCRIPTS, &strings(set), &strings(input)).unwrap().input;
    let files = |patterns: &[&str]| InputPlan::Files { patterns: strings(patterns), max_item_size: 64 << 20 };
    assert_eq!(input(&[], &["a*", "/b/*"]), files(&["/home/a*", "/b/*"]));
    assert_eq!(input(&["input.path=[\"a\", \"b\"]"], &[]), files(&["/some/p/a", "/some/p/b"]));
}

#[test]
fn every_item_source() {
    let input = |text: &str| {
        plan(&format!("[pipeline]\nname = \"a\"\n[input]\n{text}\n[stages.a]\nuse = \"merge\"\nin = \"input\"")).input
    };
    let patterns = vec!["/some/p/a".to_owned()];
    let id = Some("n".to_owned());
    assert_eq!(
        input("use = \"jsonl\"\npath = \"a\"\nid = \"n\""),
        InputPlan::Jsonl { patterns: patterns.clone(), id: id.clone(), max_item_size: 64 << 20 }
    );
    assert_eq!(
        input("use = \"json\"\npath = \"a\"\nid = \"n\"\nitem_keys = [\"x\"]"),
        InputPlan::Json {
            patterns: patterns.clone(),
            item_keys: vec!["x".to_owned()],
            id: id.clone(),
            max_item_size: 64 << 20
        }
    );
    assert_eq!(
        input("use = \"csv\"\npath = \"a\"\ndelimiter = \"\\t\"\nmax_item_size = \"1KiB\""),
        InputPlan::Csv { patterns, id: None, delimiter: b'\t', max_item_size: 1024 }
    );
    assert_eq!(
        input("use = \"inline\"\nitems = [{ n = \"1\" }, { n = \"2\" }]\nid = \"n\""),
        InputPlan::Inline { items: vec![json!({ "n": "1" }), json!({ "n": "2" })], id }
    );
    assert_eq!(input("use = \"trials\"\ncount = 3"), InputPlan::Trials { count: 3 });
}

#[test]
fn overrides_reach_everything() {
    let text = "[pipeline]\nname = \"a\"\n[stages.a]\nuse = \"merge\"\n";
    let set = strings(&[
        "stages.b.use=word-count",
        "stages.b.in.text=a.x",
        "stages.b.with.ignore=[\"x\"]",
        "pipeline.seed=7",
    ]);
    let plan = compile(text, &set, &[]).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    assert_eq!((plan.seed, plan.stages.len()), (7, 2));
    assert_eq!(plan.stages[1].config, json!({ "ignore": ["x"] }));
}

#[test]
fn the_schema_and_the_compiler_agree() {
    let schema = json_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let json = |text: &str| -> Value { serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap() };
    // A seed beyond 63 bits is more than the plain TOML reader takes.
    let good = json(&TRANSCRIPTS.replace("18446744073709551615", "1"));
    assert!(
        validator.is_valid(&good),
        "{:?}",
        validator.iter_errors(&good).map(|error| error.to_string()).collect::<Vec<_>>()
    );

    // Every key that the schema lists is known to the compiler, at the same place, and the other way round.
    fn keys_of(table: &keys::Table) -> Vec<&'static str> {
        let mut names: Vec<_> = table.keys.iter().map(|key| key.name).collect();
        names.sort_unstable();
        names
    }
    fn walk(table: &keys::Table, schema: &Value) {
        let tables: Vec<&Value> =
            schema["oneOf"].as_array().map_or_else(|| vec![schema], |tables| tables.iter().collect());
        let mut names: Vec<_> = tables
            .iter()
            .flat_map(|table| table["properties"].as_object().unwrap().keys().map(String::as_str))
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, keys_of(table), "{}", table.what);
        for key in table.keys {
            let property =
                tables.iter().map(|table| &table["properties"][key.name]).find(|property| !property.is_null());
            let property = property.expect("a property");
            assert!(property["description"].is_string(), "{}", key.name);
            match key.shape {
                keys::Shape::Table(inner) => walk(inner, property),
                keys::Shape::Map { of: keys::Shape::Table(inner), .. } => {
                    walk(inner, &property["additionalProperties"])
                }
                _ => {}
            }
        }
    }
    walk(&keys::FILE, &schema);

    // What the schema calls good or bad, the compiler does too, as far as shapes go.
    let base = "[pipeline]\nname = \"a\"\n[stages.a]\nuse = \"merge\"\n";
    for (line, good) in [
        ("timeout = \"2m\"", true),
        ("timeout = 2", false),
        ("batch = 0", false),
        ("batch = 4096", true),
        ("repeat = 0", false),
        ("on_error = \"stop\"", false),
        ("in = []", true),
        ("in = 3", false),
        ("retry = { attempts = 101 }", false),
        ("retry = { tries = 1 }", false),
        ("with = 1", false),
        ("limits = { memory = 5, time = \"1s\" }", true),
        ("[output]\nfiles = { \"a/b\" = \"a\" }", false),
        ("[stages.input]\nuse = \"merge\"", false),
        ("[stages.Upper]\nuse = \"merge\"", false),
        ("[plugins.x]\npath = \"x\"\nsha256 = \"12\"", false),
        ("[input]\nuse = \"trials\"\ncount = 2", true),
        ("[input]\nuse = \"trials\"\npath = \"x\"\ncount = 2", false),
        ("[input]\nuse = \"files\"", false),
        ("[input]\nuse = \"csv\"\npath = [\"x\"]\ndelimiter = \";;\"", false),
    ] {
        let text = format!("{base}{line}\n");
        assert_eq!(validator.is_valid(&json(&text)), good, "schema: {line}");
        assert_eq!(compile(&text, &[], &[]).is_ok(), good, "compiler: {line}");
    }
}

#[test]
fn a_stage_runs_a_direction_extractor_and_says_which_kind_where_a_name_has_two() {
    let plan = plan(
        r#"
        [pipeline]
        name = "directions"
        [stages.states]
        use = "states"
        [stages.found]
        use = "median"
        in = { positive = "states.states", negative = "states.states" }
        [stages.twin]
        use = "twin"
        kind = "direction-extractor"
        in = { positive = "states.states", negative = "states.states" }
        [stages.other-twin]
        use = "twin"
        kind = "analyzer"
        [stages.by-plugin]
        use = "bundled/twin"
        "#,
    );
    let of = |name: &str| {
        let stage = plan.stages.iter().find(|stage| stage.name == name).expect("the stage");
        format!("{} {}/{}", stage.extension.kind, stage.extension.plugin, stage.extension.name)
    };
    assert_eq!(
        ["states", "found", "twin", "other-twin", "by-plugin"].map(of),
        [
            "analyzer steering/states",
            "direction-extractor steering/median",
            "direction-extractor steering/twin",
            "analyzer bundled/twin",
            "analyzer bundled/twin"
        ]
    );
}

#[test]
fn every_kind_that_a_stage_may_run_can_be_said() {
    let keys::Shape::Choice(choices) =
        keys::FILE.key("stages").map(|key| key.shape).and_then(stage_kind).expect("a key")
    else {
        panic!("`kind` is a choice")
    };
    let kinds: Vec<&str> =
        jackfield_plugin_api::Kind::ALL.iter().filter(|kind| kind.is_for_stages()).map(|kind| kind.name()).collect();
    assert_eq!(choices, kinds);
}

/// The shape of a stage's `kind`.
fn stage_kind(stages: keys::Shape) -> Option<keys::Shape> {
    match stages {
        keys::Shape::Map { of: keys::Shape::Table(stage), .. } => stage.key("kind").map(|key| key.shape),
        _ => None,
    }
}
