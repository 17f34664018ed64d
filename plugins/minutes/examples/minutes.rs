//! Writes the minutes of one transcript without a host: every analyzer of the reference pipeline, in order.
//!
//! ```text
//! cargo run -p jackfield-minutes --example minutes -- MEETING.json [brief | dashboard | csv | STAGE]
//! ```
#![forbid(unsafe_code)]

use std::{collections::BTreeMap, env, error::Error, fs, future::Future, path::Path, pin::pin, sync::Arc, task};

// Linked for the extensions that they register.
use jackfield_meetings as _;
use jackfield_minutes as _;
use jackfield_plugin_api::{Context, Document, Extension, HostCalls, Level, Request, linked_extensions};
use jackfield_transcript as _;
use serde_json::{Map, Value, json};

struct Alone;

impl HostCalls for Alone {
    fn log(&self, _level: Level, target: &str, message: &str) {
        eprintln!("{target}: {message}");
    }
    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}
    fn cancelled(&self) -> bool {
        false
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().ok_or("which transcript?")?;
    let wanted = arguments.next().unwrap_or_else(|| "brief".to_owned());
    let extensions: BTreeMap<String, Arc<dyn Extension>> =
        linked_extensions().into_iter().map(|extension| (extension.descriptor().name.clone(), extension)).collect();
    let run = |name: &str, input: &Value| -> Result<Value, Box<dyn Error>> {
        let instance = extensions.get(name).ok_or_else(|| format!("no extension `{name}`"))?;
        let config = if matches!(name, "decisions" | "actions" | "questions") { r#"{ "max": 25 }"# } else { "{}" };
        let instance = instance.open(config)?;
        let context = Context { stage: name.into(), item: path.as_str().into(), element: 0, replicate: 0, seed: 1 };
        let batch = [Request { document: Document::new(input.to_string()), context }];
        let future = pin!(instance.call(&batch, &Alone));
        let task::Poll::Ready(results) = future.poll(&mut task::Context::from_waker(task::Waker::noop())) else {
            return Err("the analyzer waits for something".into());
        };
        let document = results.into_iter().next().ok_or("no result")??;
        Ok(serde_json::from_str(&document.json)?)
    };

    let text = fs::read_to_string(&path)?;
    let transcript = run(
        "transcript",
        &json!({ "text": text, "name": Path::new(&path).file_stem().and_then(|name| name.to_str()) }),
    )?;
    let mut answers = Map::new();
    for name in ["participation", "topics", "key-points", "decisions", "actions", "questions", "keyphrases"] {
        answers.insert(name.to_owned(), run(name, &transcript)?);
    }
    let gathered = |names: &[&str], answers: &Map<String, Value>| -> Vec<Value> {
        names.iter().filter_map(|name| answers.get(*name).cloned()).collect()
    };
    for name in ["risks", "agreements"] {
        let findings = gathered(&["key-points", "decisions", "actions", "questions"], &answers);
        answers.insert(name.to_owned(), run(name, &json!({ "transcript": transcript, "findings": findings }))?);
    }
    let brief = json!({
        "transcript": transcript,
        "participation": answers["participation"],
        "topics": answers["topics"],
        "keyphrases": answers["keyphrases"],
        "agreements": answers["agreements"],
        "findings": gathered(&["key-points", "decisions", "actions", "questions", "risks"], &answers),
    });
    let brief = run("brief", &brief)?;
    let dashboard = run("dashboard", &json!({ "findings": gathered(&["decisions", "actions", "risks"], &answers) }))?;
    let shown = match wanted.as_str() {
        "brief" => brief["markdown"].clone(),
        "dashboard" => dashboard["markdown"].clone(),
        "csv" => dashboard["csv"].clone(),
        "counts" => json!({ "tokens": brief["tokens"], "included": brief["included"], "left out": brief["left_out"] }),
        "transcript" => transcript,
        stage => answers.get(stage).cloned().ok_or_else(|| format!("no stage `{stage}`"))?,
    };
    match shown {
        Value::String(text) => print!("{text}"),
        value => println!("{value:#}"),
    }
    Ok(())
}
