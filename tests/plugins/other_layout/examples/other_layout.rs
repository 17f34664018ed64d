//! A plugin that was built with another layout of the contract.
#![forbid(unsafe_code)]

// The derives name the crate of the contract.
extern crate jackfield_test_other_layout as jackfield_plugin_api;

use jackfield_plugin_api::prelude::*;

/// Any text.
#[derive(Document)]
pub struct Text {
    /// The text.
    pub text: String,
}

/// Answers what it reads.
#[derive(Config)]
pub struct Echo {}

impl Analyzer for Echo {
    const NAME: &str = "echo";
    type Input = Text;
    type Output = Text;

    async fn analyze(&self, input: Text, _host: &Host<'_>) -> Result<Text> {
        Ok(input)
    }
}

export_plugin!(Echo);
