//! What stages ask of their models, and what these offer.

use std::{sync::Arc, time::Duration};

use insta::assert_snapshot;
use jackfield_plugin_api::{Kind, Permission};
use serde_json::{Value, json};

use super::{Diagnostics, Digest, ExtensionEntry, Linkage, Plan, Registry, check, entry, parsed, plugin};
use crate::Concurrency;

fn model(name: &str, offers: Value) -> ExtensionEntry {
    let mut made = entry(name, json!(true), json!({ "type": "object" }), json!(true));
    let descriptor = Arc::make_mut(&mut made.descriptor);
    descriptor.kind = Kind::Model;
    if offers != json!(null) {
        descriptor.input["x-offers"] = offers;
    }
    made
}

fn asking(name: &str, permissions: &[&str]) -> ExtensionEntry {
    let mut made = entry(name, json!(true), json!(true), json!(true));
    let asked = |name: &&str| Permission { name: (*name).to_owned(), reason: "to look".to_owned() };
    Arc::make_mut(&mut made.descriptor).permissions = permissions.iter().map(asked).collect();
    made
}

/// Asks for something where it is configured to.
fn asking_if(name: &str) -> ExtensionEntry {
    let mut made = asking(name, &["cache", "model:embed"]);
    Arc::make_mut(&mut made.descriptor).config = json!({
        "type": "object", "additionalProperties": false,
        "properties": { "how": { "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "here" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "asked" } }, "required": ["kind"], "x-needs": "model:embed" },
        ] } },
    });
    made
}

/// Asks for something where it is given what it is for.
fn asking_with(name: &str) -> ExtensionEntry {
    let mut made = asking(name, &["model", "model:edits"]);
    Arc::make_mut(&mut made.descriptor).input = json!({
        "type": "object", "properties": { "text": true, "edits": { "x-needs": "model:edits" } },
    });
    made
}

fn compile(text: &str) -> Result<Plan, Diagnostics> {
    let offers = vec![
        model("open", json!({ "complete": true, "capture": true, "edits": true, "local": "/here" })),
        model("shut", json!(null)),
        model("embeds", json!({ "embed": true })),
        model("maybe", json!({ "complete": true, "capture": "/deep/look", "embed": true })),
        asking("alone", &["clock"]),
        asking("plain", &["model"]),
        asking("looks", &["model:capture"]),
        asking("steers", &["model", "model:capture", "model:edits"]),
        asking("scores", &["model:logprobs"]),
        asking_if("embeds-if"),
        asking_with("steers-with"),
    ];
    let registry = Registry::new(vec![plugin("bundled", Linkage::LinkedIn, offers)]);
    let begin = "[pipeline]\nname = \"p\"\n[input]\nuse = \"inline\"\nitems = [1]\n";
    check(&parsed(format!("{begin}{text}").as_bytes(), &[], &[])?, &registry)
}

/// The diagnostics: line, message, hint.
fn rendered(text: &str) -> String {
    let diagnostics = compile(text).expect_err("faults");
    let diagnostics = serde_json::to_value(diagnostics.records()).expect("JSON");
    let model_schema = |diagnostic: &Value| {
        let part = |key: &str| diagnostic[key].as_str().unwrap_or_default();
        format!("{}: {}\n   hint: {}", diagnostic["line"], part("message"), part("hint"))
    };
    diagnostics.as_array().expect("a list").iter().map(model_schema).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_stage_that_asks_for_what_its_model_offers_is_let_through() {
    for stage in [
        "[stages.a]\nuse = \"steers\"\nin = \"input\"\nmodel = \"one\"",
        "[stages.a]\nuse = \"plain\"\nin = \"input\"\nmodel = \"two\"",
        "[stages.a]\nuse = \"looks\"\nin = \"input\"\nmodel = \"three\"",
        "[stages.a]\nuse = \"looks\"\nin = \"input\"",
    ] {
        let models = "[model.one]\nuse = \"open\"\n[model.two]\nuse = \"shut\"\n[model.three]\nuse = \"maybe\"\n\
                      with = { deep = { look = true } }\n";
        compile(&format!("{models}{stage}")).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    }
}

#[test]
fn a_stage_that_asks_for_what_its_model_lacks_is_reported_where_it_names_the_model() {
    assert_snapshot!(rendered(
        "[model.one]\nuse = \"open\"\n[model.two]\nuse = \"shut\"\n\
         [stages.a]\nuse = \"steers\"\nin = \"input\"\nmodel = \"two\"\n\
         [stages.b]\nuse = \"scores\"\nin = \"input\"\nmodel = \"one\""
    ), @r"
    13: stage `a`: `steers` asks for `model:capture`, `model:edits`, which model `two` (`shut`) does not offer
       hint: models of this pipeline that offer all of it: `one`
    17: stage `b`: `scores` asks for `model:logprobs`, which model `one` (`open`) does not offer
       hint: no model that is known here offers it
    ");
    assert_snapshot!(rendered(
        "[model.two]\nuse = \"shut\"\n[model.three]\nuse = \"maybe\"\n\
         [stages.a]\nuse = \"looks\"\nin = \"input\"\nmodel = \"two\"\n\
         [stages.b]\nuse = \"looks\"\nin = \"input\"\nmodel = \"three\""
    ), @r"
    13: stage `a`: `looks` asks for `model:capture`, which model `two` (`shut`) does not offer
       hint: known models that offer it: `open`
    17: stage `b`: `looks` asks for `model:capture`, which model `three` (`maybe`) does not offer
       hint: `maybe` offers it with `deep.look = true` in the model's `with`
    ");
}

#[test]
fn a_model_or_a_cache_for_an_extension_that_asks_for_none_is_reported() {
    assert_snapshot!(rendered(
        "[model.one]\nuse = \"open\"\n[cache.c]\ntiers = []\n\
         [stages.a]\nuse = \"alone\"\nin = \"input\"\nmodel = \"one\"\nstore = \"c\"\n\
         [stages.b]\nuse = \"plain\"\nin = \"input\"\nmodel = \"one\"\nstore = \"c\"\n\
         [stages.c]\nuse = \"embeds-if\"\nin = \"input\"\nmodel = \"one\"\nstore = \"c\""
    ));
}

#[test]
fn a_model_that_does_not_answer_prompts_is_reported_at_a_stage_that_asks_for_answers() {
    let rendered =
        rendered("[model.one]\nuse = \"embeds\"\n[stages.a]\nuse = \"plain\"\nin = \"input\"\nmodel = \"one\"");
    assert_snapshot!(rendered, @r"
    11: stage `a`: `plain` asks for `model`, which model `one` (`embeds`) does not offer
       hint: known models that offer it: `maybe`, `open`, `shut`
    ");
}

#[test]
fn what_is_needed_with_some_configuration_alone_is_missed_with_that_alone() {
    let stage = |more: &str| {
        format!(
            "[model.two]\nuse = \"shut\"\n[model.four]\nuse = \"embeds\"\n[stages.a]\nuse = \"embeds-if\"\nin = \"input\"\n{more}"
        )
    };
    let asked = "with = { how = { kind = \"asked\" } }\n";
    for more in [
        "",
        "model = \"two\"",
        "with = { how = { kind = \"here\" } }\nmodel = \"two\"",
        &format!("{asked}model = \"four\""),
    ] {
        compile(&stage(more)).unwrap_or_else(|diagnostics| panic!("{more}: {diagnostics}"));
    }
    assert_snapshot!(rendered(&stage(&format!("{asked}model = \"two\""))), @r"
    14: stage `a`: `embeds-if` asks for `model:embed`, which model `two` (`shut`) does not offer
       hint: models of this pipeline that offer it: `four`
    ");
    assert_snapshot!(rendered(&stage(asked)), @r#"
    10: stage `a`: `embeds-if` needs a model that offers `embed` as it is configured, and the stage has none
       hint: add `model = "NAME"` to the stage
    "#);
    let route = "route = { use = \"any\", arms = [{ how = { kind = \"here\" } }, { how = { kind = \"asked\" } }] }";
    let missed = rendered(&stage(route));
    assert!(missed.contains("needs a model that offers `embed`"), "{missed}");
}

#[test]
fn what_is_needed_with_some_input_alone_is_missed_where_a_wire_gives_it() {
    let stage = |input: &str, model: &str| {
        let models = "[model.one]\nuse = \"open\"\n[model.two]\nuse = \"shut\"\n";
        format!("{models}[stages.a]\nuse = \"steers-with\"\nin = {input}\nmodel = \"{model}\"")
    };
    for (input, model) in [("{ text = \"input\" }", "two"), ("{ text = \"input\", edits = \"input\" }", "one")] {
        compile(&stage(input, model)).unwrap_or_else(|diagnostics| panic!("{input}: {diagnostics}"));
    }
    assert_snapshot!(rendered(&stage("{ text = \"input\", edits = \"input\" }", "two")), @r"
    13: stage `a`: `steers-with` asks for `model:edits`, which model `two` (`shut`) does not offer
       hint: models of this pipeline that offer it: `one`
    ");
}

#[test]
fn every_model_that_a_route_may_pick_has_to_offer_it() {
    let route = "[model.one]\nuse = \"open\"\n[model.two]\nuse = \"shut\"\n\
                 [stages.a]\nuse = \"looks\"\nin = \"input\"\nroute = { use = \"any\", models = [\"one\", \"two\"] }";
    let rendered = rendered(route);
    assert!(rendered.contains("model `two` (`shut`) does not offer"), "{rendered}");
    assert!(!rendered.contains("model `one` (`open`) does not"), "{rendered}");
}

#[test]
fn a_model_on_this_machine_has_a_fixed_number_of_calls_and_no_timeout_unless_given() {
    let concurrency_of = |model: &str| {
        let text = format!("[model.one]\n{model}\n[stages.a]\nuse = \"plain\"\nin = \"input\"\nmodel = \"one\"");
        let plan = compile(&text).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        let model = &plan.models[0];
        (model.local, model.concurrency, model.timeout)
    };
    let fixed = |count| Concurrency { start: count, max: count };
    let here = "use = \"open\"\nwith = { here = true }\n";
    assert_eq!(concurrency_of(here), (true, fixed(1), None));
    assert_eq!(concurrency_of(&format!("{here}concurrency = 3")), (true, fixed(3), None));
    assert_eq!(concurrency_of(&format!("{here}concurrency = {{ start = 2, max = 9 }}")), (true, fixed(2), None));
    let (_, _, timeout) = concurrency_of(&format!("{here}timeout = \"5m\""));
    assert_eq!(timeout, Some(Duration::from_secs(300)));
    let elsewhere = (false, Concurrency { start: 8, max: 64 }, Some(Duration::from_secs(120)));
    assert_eq!(concurrency_of("use = \"open\"\nwith = { here = false }"), elsewhere);
    assert_eq!(concurrency_of("use = \"shut\""), elsewhere);
}

#[test]
fn neither_a_number_of_calls_nor_a_timeout_changes_the_digest_of_a_plan() {
    let digest = |more: &str| -> Digest {
        let text = format!(
            "[model.one]\nuse = \"open\"\nwith = {{ here = true }}\n{more}\n[stages.a]\nuse = \"plain\"\nin = \"input\"\nmodel = \"one\""
        );
        compile(&text).unwrap_or_else(|diagnostics| panic!("{diagnostics}")).digest
    };
    assert_eq!(digest(""), digest("timeout = \"5m\"\nconcurrency = 4"));
}
