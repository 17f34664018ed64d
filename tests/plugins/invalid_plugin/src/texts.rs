//! An analyzer that shows the files that it was configured with, and what it was given.

use jackfield_plugin_api::prelude::*;

/// What `texts` answers.
#[derive(Document)]
pub struct Shown {
    /// Path and text of each file.
    pub files: Vec<(String, String)>,
    /// What it was given.
    pub given: Value,
}

/// Shows its files and what it was given.
#[derive(Config)]
pub struct Texts {
    /// A folder of texts, or one file.
    pub from: TextFiles,
    /// More of them.
    pub more: Option<TextFiles>,
}

impl Analyzer for Texts {
    const NAME: &'static str = "texts";
    type Input = Value;
    type Output = Shown;

    async fn analyze(&self, given: Value, _: &Host<'_>) -> Result<Shown> {
        let all = self.from.0.iter().chain(self.more.iter().flat_map(|more| &more.0));
        Ok(Shown { files: all.map(|file| (file.path.clone(), file.text.clone())).collect(), given })
    }
}
