//! What wires read of items that somebody looked at.

use serde_json::{Value, json};

use super::{check, parsed, registry};
use crate::{Diagnostic, SeenItems, Style};

/// The faults of stages that read items with these fields.
fn faults(fields: &[&str], hint: Option<&str>, more: &str) -> String {
    faults_of(fields, None, hint, more)
}

fn faults_of(fields: &[&str], schema: Option<Value>, hint: Option<&str>, more: &str) -> String {
    let text = format!("[pipeline]\nname = \"a\"\n[input]\nuse = \"csv\"\npath = \"a.csv\"\nid = \"key\"\n{more}");
    let mut parsed = parsed(text.as_bytes(), &[], &[]).expect("a pipeline");
    parsed.see_items(SeenItems {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        schema,
        lacking: "`a.csv` has no column".to_owned(),
        known: "its columns",
        hint: hint.map(str::to_owned),
    });
    check(&parsed, &registry()).map_or_else(|diagnostics| diagnostics.render(Style::PLAIN), |_| String::new())
}

#[test]
fn a_field_that_no_item_has_is_reported_at_the_wire() {
    let stages = "[stages.count]\nuse = \"word-count\"\nin = { text = \"input.txet\" }\n\
                  [stages.elements]\nuse = \"echo\"\nin = \"each\"\nfor_each = \"input.list\"\n\
                  [output.show]\nid = \"input.id\"\n";
    insta::assert_snapshot!(faults(&["text", "id"], None, stages));
    insta::assert_snapshot!(faults(&["text;id"], Some("set `delimiter`"), stages));
}

#[test]
fn a_field_that_a_stage_can_do_without_may_be_absent() {
    let stages = "[stages.transcript]\nuse = \"transcript\"\nin = { text = \"input.text\" }\n\
                  [stages.lens]\nuse = \"lens\"\nin = { transcript = \"transcript\", findings = \"input.findings\" }\n\
                  with = { prompt = \"p\" }\n";
    assert_eq!(faults(&["text"], None, stages), "");
}

#[test]
fn a_test_has_items_of_its_own() {
    let stages = "[stages.count]\nuse = \"word-count\"\nin = { text = \"input.text\" }\n\
                  [[tests]]\nname = \"t\"\ninput = { text = \"one two\", more = \"x\" }\n\
                  expect = { \"count.words\" = 2, \"input.more\" = \"x\" }\n";
    assert_eq!(faults(&["text"], None, stages), "");
}

#[test]
fn what_is_wrong_with_the_input_is_reported_at_its_key() {
    let text = "[pipeline]\nname = \"a\"\n[input]\nuse = \"csv\"\npath = \"a.csv\"\nid = \"key\"\n\
                [stages.a]\nuse = \"merge\"\nin = \"input\"\n";
    let mut parsed = parsed(text.as_bytes(), &[], &[]).expect("a pipeline");
    assert!(parsed.reads_items());
    for key in ["path", "id"] {
        parsed.report_at_input(key, Diagnostic::new("bad-input", format!("the {key} is wrong")));
    }
    let diagnostics = parsed.diagnostics().expect("faults");
    let lines: Vec<_> = diagnostics.records().iter().map(|record| (record.line, record.column)).collect();
    assert_eq!(lines, [(Some(5), Some(8)), (Some(6), Some(6))]);
}

#[test]
fn where_all_items_were_seen_their_values_are_known_too() {
    let schema = SeenItems::schema_of(&[json!({ "text": 7, "m": { "b": "x" } }), json!({ "text": 8, "m": {} })]);
    let faults = |stages: &str| faults_of(&["text", "m"], Some(schema.clone()), None, stages);
    insta::assert_snapshot!(faults(
        "[stages.number]\nuse = \"word-count\"\nin = { text = \"input.text\" }\n\
         [stages.inner]\nuse = \"word-count\"\nin = { text = \"input.m.c\" }\n"
    ));
    assert_eq!(faults("[stages.a]\nuse = \"word-count\"\nin = { text = \"input.m.b\" }\n"), "");
    let optional = "[stages.t]\nuse = \"transcript\"\nin = { text = \"input.m.b\" }\n[stages.lens]\nuse = \"lens\"\n\
                    in = { transcript = \"t\", findings = \"input.m.c\" }\nwith = { prompt = \"p\" }\n";
    assert_eq!(faults(optional), "");
}
