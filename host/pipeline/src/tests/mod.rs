//! Whole pipelines, good and bad, against made-up extensions.

mod abilities;
mod bad;
mod constants;
mod good;
mod search;
mod seen_items;
mod templates;
mod variables;

use std::{path::Path, sync::Arc};

use jackfield_plugin_api::{
    ContrastSet, Descriptor, Directions, FILE_PATH_FORMAT, Failure, FromDocument, Instance, IntoDocument, Kind,
    Result as PluginResult,
};
use serde_json::{Value, json};

use super::{Diagnostics, ParsedPipeline, Plan, check, parsed, syntax};
use jackfield_loader::{Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, Registry, sandbox::Limits};

/// Nothing is ever run here.
struct Never;

impl ExtensionFactory for Never {
    fn open(&self, _config: &str, _limits: &Limits) -> PluginResult<Arc<dyn Instance>> {
        Err(Failure::Internal("never opened".to_owned()))
    }
}

fn entry(name: &str, config: Value, input: Value, output: Value) -> ExtensionEntry {
    entry_of(Kind::Analyzer, name, config, input, output)
}

/// A direction extractor, with the schemas of its kind.
fn extractor(name: &str) -> ExtensionEntry {
    let (input, output) = (<ContrastSet as FromDocument>::schema(), <Directions as IntoDocument>::schema());
    let nothing = json!({ "type": "object", "additionalProperties": false });
    entry_of(Kind::DirectionExtractor, name, nothing, input, output)
}

fn entry_of(kind: Kind, name: &str, config: Value, input: Value, output: Value) -> ExtensionEntry {
    let descriptor = Descriptor {
        kind,
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        summary: String::new(),
        config,
        input,
        output,
        permissions: Vec::new(),
        examples: Vec::new(),
        stability: Default::default(),
    };
    ExtensionEntry { descriptor: Arc::new(descriptor), factory: Arc::new(Never), grants: Arc::default() }
}

fn plugin(alias: &str, linkage: Linkage, extensions: Vec<ExtensionEntry>) -> Plugin {
    Plugin { alias: alias.to_owned(), linkage, path: None, digest: Digest::of(alias), protocol: (0, 1), extensions }
}

/// Extensions with the schemas that Rust types give.
fn registry() -> Registry {
    let string = json!({ "type": "string" });
    let text = json!({
        "title": "Text", "type": "object",
        "properties": { "text": { "description": "Any text. Of any length.", "type": "string" } }, "required": ["text"]
    });
    let segment = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" }, "speaker": { "type": ["string", "null"] }, "text": { "type": "string" },
            "start": { "type": ["number", "null"], "format": "double" }
        },
        "required": ["id", "text"]
    });
    let transcript = json!({
        "title": "Transcript", "type": "object",
        "properties": { "title": string, "segments": { "type": "array", "items": { "$ref": "#/$defs/Segment" } } },
        "required": ["title", "segments"],
        "$defs": { "Segment": segment }
    });
    let finding = json!({
        "type": "object",
        "properties": { "id": string, "title": string, "confidence": { "type": "number", "minimum": 0, "maximum": 1 } },
        "required": ["id", "title", "confidence"]
    });
    let findings = json!({
        "title": "Findings", "type": "object",
        "properties": { "items": { "type": "array", "items": { "$ref": "#/$defs/Finding" } } },
        "required": ["items"],
        "$defs": { "Finding": finding }
    });
    let nothing = json!({ "type": "object", "additionalProperties": false });
    let table = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let count = table(
        json!({
            "min_len": { "type": "integer", "minimum": 0, "maximum": 50, "default": 1 },
            "mode": { "enum": ["fast", "exact"] },
            "ignore": { "type": "array", "items": { "type": "string" } },
            "weights": table(json!({ "title": { "type": "number" }, "body": { "type": "number" } }), json!([])),
        }),
        json!([]),
    );
    let prompt = json!({ "prompt": { "type": "string", "description": "Path of the prompt. It is a file." } });
    let plot = json!({ "$defs": { "Mark": { "oneOf": [
        table(json!({ "kind": { "const": "bar" }, "width": { "type": "number" } }), json!(["kind", "width"])),
        table(json!({ "kind": { "const": "line" }, "dashed": { "type": "boolean" } }), json!(["kind"])),
    ] } } });
    let mut plot_config = table(
        json!({ "mark": { "$ref": "#/$defs/Mark" }, "scale": { "anyOf": [{ "enum": ["log", "linear"] }, { "type": "null" }] } }),
        json!(["mark"]),
    );
    plot_config["$defs"] = plot["$defs"].clone();
    let lens_input = json!({
        "type": "object",
        "properties": {
            "transcript": { "$ref": "#/$defs/Transcript", "description": "What was said." },
            "findings": { "type": ["array", "null"], "items": { "$ref": "#/$defs/Findings" } }
        },
        "required": ["transcript"],
        "$defs": {
            "Transcript": transcript, "Segment": transcript["$defs"]["Segment"],
            "Findings": findings, "Finding": findings["$defs"]["Finding"]
        }
    });
    let brief_input = json!({
        "type": "object",
        "properties": { "findings": { "type": "array", "items": { "$ref": "#/$defs/Findings" } } },
        "required": ["findings"],
        "$defs": { "Findings": findings, "Finding": findings["$defs"]["Finding"] }
    });
    let any = json!(true);
    let bundled = vec![
        entry("transcript", nothing.clone(), text.clone(), transcript.clone()),
        entry("decisions", nothing.clone(), transcript, findings),
        entry("word-count", count, text, table(json!({ "words": { "type": "integer" } }), json!(["words"]))),
        entry("lens", table(prompt, json!(["prompt"])), lens_input, json!({ "type": "object" })),
        entry("brief", nothing.clone(), brief_input, table(json!({ "markdown": string }), json!(["markdown"]))),
        entry("plot", plot_config, any.clone(), any.clone()),
        entry("merge", nothing.clone(), any.clone(), any.clone()),
        entry("echo", nothing.clone(), any.clone(), any.clone()),
        entry("broken", json!({ "type": "no-such-type" }), any.clone(), any.clone()),
        entry("twin", nothing.clone(), any.clone(), any.clone()),
    ];
    let tensor = |shape: Value| {
        table(json!({ "states": { "type": "object", "x-tensor": { "shape": shape } } }), json!(["states"]))
    };
    let numbers = json!({ "type": "array", "items": { "type": "number" } });
    let steering = vec![
        extractor("median"),
        extractor("twin"),
        extractor("both"),
        entry("both", nothing.clone(), any.clone(), any.clone()),
        entry("states", nothing.clone(), any.clone(), tensor(json!(["prompts", "layers", "d"]))),
        entry("narrow", nothing.clone(), tensor(json!([null, 31, 576])), tensor(json!(["prompts", 31, 32]))),
        entry("sum", nothing.clone(), table(json!({ "numbers": numbers }), json!(["numbers"])), any.clone()),
    ];
    let extra =
        vec![entry("echo", nothing.clone(), any.clone(), any.clone()), entry("shout", nothing, any.clone(), any)];
    let score = table(
        json!({
            "weight": { "type": "number", "minimum": 0, "maximum": 1.5 },
            "layers": { "type": "integer", "minimum": 1 },
            "file": { "type": "string", "format": FILE_PATH_FORMAT },
            "how": { "oneOf": [
                table(json!({ "kind": { "const": "all" } }), json!(["kind"])),
                table(json!({ "kind": { "const": "some" }, "share": { "type": "number" } }), json!(["kind", "share"])),
            ] },
        }),
        json!(["weight"]),
    );
    let scores = table(
        json!({ "rate": { "type": "number" }, "label": string, "all": { "type": "array", "items": { "type": "number" } } }),
        json!(["rate", "label", "all"]),
    );
    let policy = |name: &str, picks: &str| {
        let config = table(json!({ "startup": { "type": "integer" } }), json!([]));
        entry_of(Kind::RoutingPolicy, name, config, json!({ "x-picks": picks, "x-learns": "objectives" }), json!(true))
    };
    let searching = vec![policy("tpe", "values"), policy("bandit", "arms"), entry("score", score, json!(true), scores)];
    Registry::new(vec![
        plugin("searching", Linkage::LinkedIn, searching),
        plugin("bundled", Linkage::LinkedIn, bundled),
        plugin("extra", Linkage::Wasm, extra),
        plugin("steering", Linkage::Wasm, steering),
    ])
}

/// Reads a pipeline as if it stood in `/some/p`, with the command run in `/home`.
fn parsed(bytes: &[u8], set: &[String], input: &[String]) -> Result<ParsedPipeline, Diagnostics> {
    let (folder, current) = (Path::new("/some/p"), Path::new("/home"));
    let environment = &|name: &str| (name == "SOME_COUNT").then(|| "7".into());
    parsed::parse_text(&syntax::Text { name: "pipeline.toml", bytes, folder, current, set, input, environment })
}

fn compile(text: impl AsRef<[u8]>, set: &[String], input: &[String]) -> Result<Plan, Diagnostics> {
    check(&parsed(text.as_ref(), set, input)?, &registry())
}
