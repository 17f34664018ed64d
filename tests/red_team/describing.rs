//! What a component says of itself, before anything runs.

use std::{
    fs,
    time::{Duration, Instant},
};

use insta::assert_snapshot;

use super::lines;
use crate::{
    bad_plugins::component::{Described, FOR_EVER, Hand},
    support::{Pipeline, fixture, jackfield, results, run_command},
};

/// What is said of a component that is refused, in time.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plugin.wasm");
    fs::write(&path, bytes).expect("written");
    let began = Instant::now();
    let error = jackfield_loader::load("bad", &path, &Default::default()).expect_err("refused").to_string();
    assert!(began.elapsed() < Duration::from_secs(40), "it took {:?}", began.elapsed());
    error.replace(path.to_str().expect("UTF-8"), "[file]")
}

#[track_caller]
fn offering(offer: Described) -> String {
    refused(&Hand { offers: vec![offer], ..Hand::default() }.bytes())
}

#[test]
fn a_descriptor_without_end_is_not_waited_for() {
    // A name of a hundred megabytes.
    let long = "(drop (memory.grow (i32.const 1700))) (i32.store (i32.const 1036) (i32.const 100000000))
        (i32.store (i32.const 256) (i32.const 1024)) (i32.store (i32.const 260) (i32.const 1)) (i32.const 256)";
    let describing = |body: &str| refused(&Hand { describe: Some(body.to_owned()), ..Hand::default() }.bytes());
    let said = [
        describing(long),
        refused(&fs::read(fixture("red_team/many.wasm")).expect("read")),
        refused(&Hand { offers: vec![Described::default(); 1001], pages: 8, ..Hand::default() }.bytes()),
        describing(FOR_EVER),
    ];
    assert_snapshot!(lines(said), @r"
    `[file]` failed while being loaded: over-budget: answered more than its limit of 16 MiB
    `[file]` failed while being loaded: over-budget: answered more than its limit of 16 MiB
    `[file]` describes itself wrongly: it offers 1001 extensions, more than 1000
    `[file]` failed while being loaded: over-budget: used up its CPU time of 10s
    ");
}

#[test]
fn a_kind_that_is_claimed_and_not_exported_is_no_plugin() {
    let half = wat::parse_str(
        r#"(component (core module $m (func (export "run"))) (core instance $i (instantiate $m))
             (func $run (canon lift (core func $i "run")))
             (instance $meta (export "run" (func $run)))
             (export "jackfield:plugin/meta@0.1.0" (instance $meta)))"#,
    );
    let said = refused(&half.expect("a component"));
    assert!(
        said.starts_with("`[file]` is not a Jackfield plugin: its exports are not those of the contract: "),
        "{said}"
    );
}

#[test]
fn a_schema_that_leads_elsewhere_or_is_a_bomb_is_refused() {
    let said = [
        Described { output: br#"{"$ref":"file:///etc/passwd"}"#, ..Described::default() },
        Described { output: br#"{"$ref":"https://example.org/schema"}"#, ..Described::default() },
        Described { output: br##"{"$ref":"#/$defs/missing"}"##, ..Described::default() },
        Described { output: br#"{"type":"string","pattern":"(((("}"#, ..Described::default() },
        Described { output: br#"{"pattern":"(?:(?:(?:a{100}){100}){100}){100}"}"#, ..Described::default() },
    ]
    .map(offering);
    let said = said.map(|said| said.chars().take(200).collect::<String>());
    assert_snapshot!(lines(said), @r#"
    `[file]` describes itself wrongly: the output schema of the analyzer `hand` is not a JSON Schema: Resource 'file:///etc/passwd' is not present in a registry and retrieving it failed: `resolve-file` fe
    `[file]` describes itself wrongly: the output schema of the analyzer `hand` is not a JSON Schema: Resource 'https://example.org/schema' is not present in a registry and retrieving it failed: `resolve-
    `[file]` describes itself wrongly: the output schema of the analyzer `hand` is not a JSON Schema: Pointer '/$defs/missing' does not exist
    `[file]` describes itself wrongly: the output schema of the analyzer `hand` is not a JSON Schema: "((((" is not a "regex"
    `[file]` describes itself wrongly: the output schema of the analyzer `hand` is not a JSON Schema: "(?:(?:(?:a{100}){100}){100}){100}" is not a "regex"
    "#);
    assert_snapshot!(offering(Described { output: exponential().as_bytes(), ..Described::default() }), @r"`[file]` describes itself wrongly: the output schema of the analyzer `hand` is not a JSON Schema: with its references written out, it has more than 100000000 parts");
    let deep = "[".repeat(100_000);
    let deep: &'static str = deep.leak();
    let said = offering(Described { output: deep.as_bytes(), ..Described::default() });
    assert!(said.contains("the output schema of `hand` is not valid JSON: recursion limit exceeded"), "{said}");
}

#[test]
fn a_schema_that_never_comes_to_an_end_ends() {
    // Each of them is checked against the component's own answer: whatever comes of it, the run is over in time.
    for (output, answer) in [
        (r##"{"$ref":"#"}"##, "{}"),
        (r##"{"allOf":[{"$ref":"#"},{"$ref":"#"}]}"##, "{}"),
        (r##"{"not":{"$ref":"#"}}"##, "{}"),
        (r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##, "{}"),
        (
            r#"{"properties":{"a":{"pattern":"^(a|a)*$"}}}"#,
            r#"{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}"#,
        ),
        (
            r#"{"properties":{"a":{"pattern":"^(?=(a+)+b)\\1*$"}}}"#,
            r#"{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}"#,
        ),
        (DOUBLING, nested()),
    ] {
        let offer = Described { output: output.as_bytes(), ..Described::default() };
        let hand = Hand { offers: vec![offer], answer: answer.as_bytes(), ..Hand::default() };
        let toml = "[pipeline]\nname = \"harm\"\n[plugins.hand]\npath = \"hand.wasm\"\n[input]\nuse = \"inline\"\nitems = [{}]\n\
                    [stages.tried]\nuse = \"hand/hand\"\nin = \"input\"\n[stages.next]\nuse = \"hand/hand\"\nin = \"tried\"\n";
        let pipeline = Pipeline::new(toml).with("hand.wasm", hand.bytes());
        let began = Instant::now();
        let run = pipeline.run();
        assert!(matches!(run.code, Some(0..=3)), "{output}: {run:#?}");
        assert!(began.elapsed() < Duration::from_secs(40), "{output}: {:?}", began.elapsed());
    }
}

/// Each definition asks for the next one twice: two to the power of sixty in all.
fn exponential() -> &'static str {
    let one = |n: usize| format!(r##""{n}":{{"allOf":[{{"$ref":"#/$defs/{0}"}},{{"$ref":"#/$defs/{0}"}}]}}"##, n + 1);
    let all: Vec<String> = (0..60).map(one).collect();
    format!(r##"{{"$ref":"#/$defs/0","$defs":{{{},"60":{{"type":"object"}}}}}}"##, all.join(",")).leak()
}

/// The schema of an object within an object, asked for twice at each level.
const DOUBLING: &str = r##"{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}}"##;

/// A hundred objects, each in the other.
fn nested() -> &'static str {
    format!("{}{{}}{}", r#"{"a":"#.repeat(100), "}".repeat(100)).leak()
}

#[test]
fn what_a_plugin_says_of_itself_moves_nothing_on_the_terminal() {
    let summary = "Fine\u{1b}[2J\u{202e}";
    let text = Hand {
        offers: vec![Described {
            config:
                "{\"type\":\"object\",\"properties\":{\"a\\u001b[2J\":{\"description\":\"x\\u001b]0;owned\\u0007\"}}}"
                    .as_bytes(),
            permissions: &[(b"clock", b"to see\x1b[2J\nerror: all is lost")],
            version: summary.as_bytes(),
            ..Described::default()
        }],
        ..Hand::default()
    };
    let toml = "[pipeline]\nname = \"harm\"\n[plugins.hand]\npath = \"hand.wasm\"\n[input]\nuse = \"inline\"\nitems = [{}]\n\
                [stages.tried]\nuse = \"hand/hand\"\nin = \"input\"\n";
    let pipeline = Pipeline::new(toml).with("hand.wasm", text.bytes());
    let file = pipeline.path().join("hand.wasm");
    let file = file.to_str().expect("UTF-8");
    let run = run_command(&mut pipeline.command());
    assert_eq!(results(&run.folder())[0]["outputs"]["tried"], serde_json::json!({}));
    for command in [vec!["plugins", "list", "--file", file], vec!["plugins", "info", "hand", "--file", file]] {
        let said = run_command(jackfield().args(command)).expect_code(0);
        assert_harmless(&said.stdout);
        assert!(said.stdout.contains("\\u{1b}[2J"), "{}", said.stdout);
    }
    assert_harmless(&run.stderr);
    assert!(
        run.stderr.contains("note: `hand/hand` asks for `clock` and does not have it: to see\\u{1b}[2J\\nerror: "),
        "{}",
        run.stderr
    );
}

#[track_caller]
fn assert_harmless(said: &str) {
    let harmful = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
    assert!(!said.contains(harmful), "{said:?}");
}
