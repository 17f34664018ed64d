//! The prompt bank: the wordings in which a claim is put to a model, read from a file.

use std::collections::HashMap;
use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::seed::prompt_sha256;

/// What stands for the claim in a paraphrase.
pub const PLACEHOLDER: &str = "{CLAIM}";

/// A checked prompt bank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BankFile")]
pub struct Bank {
    version: String,
    system: String,
    answer_schema: String,
    /// `answer_schema`, parsed.
    #[serde(skip)]
    schema: Arc<Value>,
    user_template: String,
    paraphrases: Vec<String>,
}

/// The file as written, unchecked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BankFile {
    version: String,
    system: String,
    answer_schema: String,
    user_template: String,
    paraphrases: Vec<String>,
}

/// The two messages of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Who the model is to be, and the schema of the answer.
    pub system: String,
    /// The paraphrase with the claim in it, and what follows every paraphrase.
    pub user: String,
}

impl Prompt {
    /// [`prompt_sha256`] of the two messages.
    #[must_use]
    pub fn sha256(&self) -> String {
        prompt_sha256(&self.system, &self.user)
    }
}

/// What is wrong with a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankError {
    /// The text is not TOML of this form; the reason names the line.
    Toml(String),
    /// The field of this name is blank.
    Blank(&'static str),
    /// `answer_schema` is not a JSON object; with the reason.
    Schema(String),
    /// `user_template` or `system` holds the placeholder, which is filled in paraphrases only.
    Misplaced(&'static str),
    /// There is no paraphrase.
    NoParaphrases,
    /// The paraphrase of this number, from 1, holds the placeholder so many times instead of once.
    Placeholder(usize, usize),
    /// The paraphrases of these numbers, from 1, are the same: they would count as two templates.
    Repeated(usize, usize),
}

impl fmt::Display for BankError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Toml(reason) => write!(out, "{reason}"),
            Self::Blank(field) => write!(out, "{field} is blank"),
            Self::Schema(reason) => write!(out, "answer_schema is not a JSON object: {reason}"),
            Self::Misplaced(field) => write!(out, "{field} holds {PLACEHOLDER}, which belongs into paraphrases only"),
            Self::NoParaphrases => write!(out, "paraphrases is empty; a bank needs at least one"),
            Self::Placeholder(number, times) => {
                write!(out, "paraphrase {number} holds {PLACEHOLDER} {times} times; it must hold it once")
            }
            Self::Repeated(first, second) => write!(out, "paraphrases {first} and {second} are the same"),
        }
    }
}

impl std::error::Error for BankError {}

impl TryFrom<BankFile> for Bank {
    type Error = BankError;

    fn try_from(file: BankFile) -> Result<Self, BankError> {
        let BankFile { version, system, answer_schema, user_template, paraphrases } = file;
        for (field, text) in [("version", &version), ("system", &system), ("user_template", &user_template)] {
            if text.trim().is_empty() {
                return Err(BankError::Blank(field));
            }
            if text.contains(PLACEHOLDER) {
                return Err(BankError::Misplaced(field));
            }
        }
        let schema = serde_json::from_str::<Map<String, Value>>(&answer_schema)
            .map_err(|error| BankError::Schema(error.to_string()))?;
        if paraphrases.is_empty() {
            return Err(BankError::NoParaphrases);
        }
        let mut seen = HashMap::new();
        for (text, number) in paraphrases.iter().zip(1..) {
            let times = text.matches(PLACEHOLDER).count();
            if times != 1 {
                return Err(BankError::Placeholder(number, times));
            }
            if let Some(first) = seen.insert(text, number) {
                return Err(BankError::Repeated(first, number));
            }
        }
        Ok(Self {
            version,
            system,
            answer_schema: answer_schema.trim().to_owned(),
            schema: Arc::new(schema.into()),
            user_template,
            paraphrases,
        })
    }
}

impl Bank {
    /// Reads a bank from TOML: `version`, `system`, `answer_schema` (JSON in a string), `user_template` and
    /// `paraphrases`, one or more, each with `{CLAIM}` exactly once.
    ///
    /// # Errors
    /// See [`BankError`].
    pub fn from_toml(text: &str) -> Result<Self, BankError> {
        let file: BankFile = toml::from_str(text).map_err(|error| BankError::Toml(error.to_string()))?;
        file.try_into()
    }

    /// The version of the wordings; part of what answers are cached under.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many paraphrases there are, 1 or more.
    #[must_use]
    pub fn size(&self) -> usize {
        self.paraphrases.len()
    }

    /// The JSON schema of the answer, as text.
    #[must_use]
    pub fn answer_schema(&self) -> &str {
        &self.answer_schema
    }

    /// The JSON schema of the answer.
    #[must_use]
    pub fn schema(&self) -> &Arc<Value> {
        &self.schema
    }

    /// The messages that put `claim` in the words of the paraphrase at `template`; none beyond [`Bank::size`].
    #[must_use]
    pub fn prompt(&self, template: usize, claim: &str) -> Option<Prompt> {
        // By the first placeholder only, so that a claim which holds one stays as it is.
        let question = self.paraphrases.get(template)?.replacen(PLACEHOLDER, claim, 1);
        Some(Prompt {
            system: format!("{}\n\n{}", self.system, self.answer_schema),
            user: format!("{question}\n\n{}", self.user_template),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Bank, BankError};

    /// The bank of the example that comes along.
    fn example_bank() -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/claims/bank.toml");
        std::fs::read_to_string(path).expect("the repository holds the example")
    }

    fn bank(paraphrases: &str) -> Result<Bank, BankError> {
        let rest = "version = '1'\nsystem = 'Say.'\nanswer_schema = '{}'\nuser_template = 'Now.'";
        Bank::from_toml(&format!("{rest}\nparaphrases = {paraphrases}"))
    }

    #[test]
    fn our_bank_has_sixteen_wordings() {
        let bank = Bank::from_toml(&example_bank()).unwrap();
        assert_eq!((bank.version(), bank.size()), ("claims-1", 16));
        let hashes: std::collections::HashSet<_> =
            (0..16).map(|index| bank.prompt(index, "Tea is wet.").unwrap().sha256()).collect();
        assert_eq!(hashes.len(), 16);
        assert!(bank.prompt(16, "Tea is wet.").is_none());
        let schema: serde_json::Value = serde_json::from_str(bank.answer_schema()).unwrap();
        assert_eq!(schema["properties"]["belief"]["properties"]["prob_true"]["maximum"], 1);
    }

    #[test]
    fn a_prompt_is_system_and_schema_then_paraphrase_and_template() {
        let prompt = bank("['Is it so that {CLAIM}?']").unwrap().prompt(0, "{CLAIM} $1 \\0").unwrap();
        assert_eq!(prompt.system, "Say.\n\n{}");
        assert_eq!(prompt.user, "Is it so that {CLAIM} $1 \\0?\n\nNow.");
        assert_eq!(prompt.sha256(), crate::seed::hex_sha256(&format!("{}\n\n{}", prompt.system, prompt.user)));
    }

    #[test]
    fn a_faulty_bank_says_what_is_wrong() {
        assert_eq!(bank("[]"), Err(BankError::NoParaphrases));
        assert_eq!(bank("['{CLAIM}', 'so?']"), Err(BankError::Placeholder(2, 0)));
        assert_eq!(bank("['{CLAIM} {CLAIM}']").unwrap_err().to_string(), {
            "paraphrase 1 holds {CLAIM} 2 times; it must hold it once"
        });
        assert_eq!(bank("['{CLAIM}', 'a {CLAIM}', '{CLAIM}']"), Err(BankError::Repeated(1, 3)));
        assert_eq!(Bank::from_toml(&example_bank().replace("\"claims-1\"", "' '")), Err(BankError::Blank("version")));
        let misplaced = example_bank().replace("Put the probability", "{CLAIM}: put the probability");
        assert_eq!(Bank::from_toml(&misplaced), Err(BankError::Misplaced("user_template")));
        let unknown = Bank::from_toml(&format!("extra = 1\n{}", example_bank())).unwrap_err().to_string();
        assert!(unknown.contains("extra") && unknown.contains("line 1"), "{unknown}");
        let schema =
            Bank::from_toml(&example_bank().replace("\"type\": \"object\",\n  \"required\"", "\"required\"  : ,"));
        assert!(matches!(schema, Err(BankError::Schema(_))), "{schema:?}");
    }
}
