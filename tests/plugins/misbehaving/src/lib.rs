//! A plugin that does what plugins should not.
//!
//! Every analyzer here answers the text that it reads, and misbehaves where that text is `bad`: what the host makes
//! of it, and that all other texts come out right, is for its tests to say. The crate is built as a native library and as a
//! component (see `tests/build-fixtures`).
#![forbid(unsafe_code)]

mod excess;
mod panics;
mod rude;
mod tensors;

use jackfield_plugin_api::prelude::*;
use serde_json::{Value, json};

/// What the analyzers read and, mostly, what they answer.
#[derive(Document)]
pub struct Text {
    /// Any text; `bad` brings out the worst.
    pub text: String,
}

impl Text {
    fn is_bad(&self) -> bool {
        self.text == "bad"
    }
}

/// Answers what it reads, and never misbehaves.
#[derive(Config)]
pub struct Echo {}

impl Analyzer for Echo {
    const NAME: &str = "echo";
    type Input = Text;
    type Output = Text;

    async fn analyze(&self, input: Text, _host: &Host<'_>) -> Result<Text> {
        Ok(input)
    }

    fn examples() -> Vec<Example> {
        vec![Example { input: json!({ "text": "good" }), output: json!({ "text": "good" }), ..bad(json!({})) }]
    }
}

/// An example that brings out the worst, and says that nothing happens.
fn bad(config: Value) -> Example {
    Example {
        summary: "a text is answered as it is".to_owned(),
        config,
        input: json!({ "text": "bad" }),
        output: json!({ "text": "bad" }),
    }
}

export_plugin!(
    Echo,
    excess::Floods,
    excess::Gushes,
    excess::Hoards,
    excess::Loops,
    excess::Recurses,
    panics::Panics,
    rude::Lies,
    tensors::Makes,
    tensors::Sums,
    tensors::Pries,
    tensors::Carries,
    tensors::Weighs,
);
