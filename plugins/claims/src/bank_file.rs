//! The prompt bank of a stage's configuration, parsed once.

use std::sync::OnceLock;

use jackfield_plugin_api::prelude::*;
use serde_json::{Value, json};

use crate::bank::Bank;

/// A prompt bank that is parsed when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct ParsedBank(OnceLock<Bank>);

impl ParsedBank {
    /// The bank in this file.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`], with the path of the file, if it is not a prompt bank.
    pub(crate) fn get(&self, file: &TextFile) -> Result<&Bank> {
        if let Some(bank) = self.0.get() {
            return Ok(bank);
        }
        let bank = Bank::from_toml(&file.text)
            .map_err(|error| Failure::InvalidConfig(format!("the prompt bank `{}`: {error}", file.path)))?;
        Ok(self.0.get_or_init(|| bank))
    }
}

/// A prompt bank for examples, in the form in which the host passes a text file to a plugin.
pub(crate) fn example_bank() -> Value {
    let text = r#"
version = "example-1"
system = "Say how likely the claim is to be true, with one JSON object of this schema."
answer_schema = '{ "type": "object", "required": ["prob_true"], "properties": { "prob_true": { "type": "number", "minimum": 0, "maximum": 1 } } }'
user_template = "Answer now."
paraphrases = ["How likely is this: {CLAIM}", "Is it so? {CLAIM}"]
"#;
    json!({ "path": "bank.toml", "text": text })
}
