//! Answers what it is told.

use jackfield_plugin_api::prelude::*;

/// A text.
#[derive(Document)]
pub struct Said {
    /// Any text.
    pub text: String,
}

/// Answers what it is told.
#[derive(Config)]
pub struct Echo {}

impl Analyzer for Echo {
    const NAME: &str = "echo";
    type Input = Said;
    type Output = Said;

    async fn analyze(&self, document: Said, _host: &Host<'_>) -> Result<Said> {
        Ok(document)
    }
}

export_plugin!(Echo);
