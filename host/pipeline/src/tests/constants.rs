//! Constants among what stages get.

use serde_json::json;

use super::{Diagnostics, compile};
use crate::{InputExpr, Plan, Scope, Style};

fn compiled(stages: &str) -> Result<Plan, Diagnostics> {
    compile(format!("[pipeline]\nname = \"a\"\n[input]\nuse = \"inline\"\nitems = [{{ n = 1 }}]\n{stages}"), &[], &[])
}

#[test]
fn numbers_booleans_and_tables_with_const_are_constants() {
    let plan = compiled(
        "[stages.a]\nuse = \"merge\"\nin = { limit = 7, share = 0.5, on = true, text = { const = \"a text\" }, \
         list = [1, { const = [2] }], const = \"input.n\", inner = { const = { const = \"x\" } } }\n\
         [stages.b]\nuse = \"word-count\"\nin = { text = { const = \"once\" } }\n\
         [stages.c]\nuse = \"merge\"\nin = { const = { text = \"whole\" } }\n",
    );
    let plan = plan.unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let InputExpr::Table(entries) = &plan.stages[0].input else { panic!("{:?}", plan.stages[0].input) };
    let constants: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.value {
            InputExpr::Constant(value) => Some((entry.key.as_str(), value.clone())),
            _ => None,
        })
        .collect();
    let wanted = [
        ("limit", json!(7)),
        ("share", json!(0.5)),
        ("on", json!(true)),
        ("text", json!("a text")),
        ("inner", json!({ "const": "x" })),
    ];
    assert_eq!(constants, wanted);
    let list = InputExpr::List(vec![InputExpr::Constant(json!(1)), InputExpr::Constant(json!([2]))]);
    assert!(entries.iter().any(|entry| entry.key == "list" && entry.value == list), "{entries:?}");
    assert!(entries.iter().any(|entry| entry.key == "const" && matches!(entry.value, InputExpr::Wire(_))));
    // What reads nothing else does not depend on any item.
    assert_eq!([plan.stages[1].scope, plan.stages[2].scope], [Scope::Run, Scope::Run]);
    assert_eq!(plan.stages[2].input, InputExpr::Constant(json!({ "text": "whole" })));
    assert_eq!(serde_json::from_str::<Plan>(&serde_json::to_string(&plan).expect("JSON")).expect("a plan"), plan);
}

#[test]
fn a_constant_is_part_of_the_digest_of_a_pipeline() {
    let digest = |value: &str| {
        compiled(&format!("[stages.a]\nuse = \"merge\"\nin = {{ n = {value} }}\n")).expect("a plan").digest
    };
    assert_eq!(digest("1"), digest("{ const = 1 }"));
    assert_ne!(digest("1"), digest("2"));
    assert_ne!(digest("1"), digest("{ const = \"1\" }"));
    assert_ne!(digest("\"input\""), digest("{ const = \"input\" }"));
}

#[test]
fn a_constant_that_does_not_fit_is_reported_where_it_stands() {
    let faults = compiled(
        "[stages.a]\nuse = \"word-count\"\nin = { text = 7 }\n\
         [stages.b]\nuse = \"sum\"\nin = { numbers = [1, \"input.n\", { const = \"two\" }] }\n\
         [stages.c]\nuse = \"brief\"\nin = { findings = [{ const = { items = [{ id = \"x\" }] } }] }\n\
         [stages.d]\nuse = \"merge\"\nin = { when = 2026-01-01, size = nan, text = \"not a wire\" }\n",
    );
    insta::assert_snapshot!(faults.expect_err("faults").render(Style::PLAIN));
}

#[test]
fn what_has_to_be_a_wire_is_no_constant() {
    let faults = compiled(
        "[stages.a]\nuse = \"score\"\nin = \"input\"\nwith = { weight = 1 }\nfor_each = { const = [1] }\n\
         route = { use = \"bandit\", arms = [{ weight = 0 }, { weight = 1 }], maximize = 7, context = 1 }\n",
    );
    insta::assert_snapshot!(faults.expect_err("faults").render(Style::PLAIN));
}
