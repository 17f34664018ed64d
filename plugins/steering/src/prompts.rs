//! The analyzer `prompts`, which reads a file into a list of texts.

use jackfield_plugin_api::prelude::*;

use crate::text_files::{FileFormat, Selection, read_texts};

/// What is read by an analyzer that reads nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Document)]
pub struct NoInput {}

/// What `prompts` answers.
#[derive(Clone, Debug, PartialEq, Eq, Document)]
pub struct PromptTexts {
    /// The texts, in the order of the file; at least one.
    pub prompts: Vec<String>,
}

/// Gives the texts of a file, such as prompts. The stage reads nothing (leave out `in`), and so runs once a run.
///
/// A file that changed is a change of the configuration: what was made of it is made again.
#[derive(Clone, Debug, Config)]
pub struct ReadPrompts {
    /// The file: UTF-8 text of at most 16 MiB.
    pub path: TextFile,
    /// How the file is written; by default what the ending of its name says: `.txt`, `.jsonl`, `.csv` or `.json`.
    pub format: Option<FileFormat>,
    /// The key, or the column, that holds the text. Not needed where each line is a text, or there is one column. A key within
    /// a key is written with a dot.
    pub field: Option<String>,
    /// Where in a JSON file the list is, such as `axes.letter.positive`. Not needed where the file is the list.
    pub at: Option<String>,
    /// How many texts are left out at the beginning.
    #[config(default = 0)]
    pub skip: u64,
    /// The most texts that are taken after that; all by default.
    #[schemars(range(min = 1))]
    pub limit: Option<u64>,
    /// The texts.
    #[serde(skip)]
    #[schemars(skip)]
    texts: Vec<String>,
}

impl Analyzer for ReadPrompts {
    const NAME: &'static str = "prompts";
    type Input = NoInput;
    type Output = PromptTexts;

    fn open(mut self) -> Result<Self> {
        let TextFile { path, text } = &self.path;
        let shown_path = path.escape_debug();
        let Some(format) = self.format.or_else(|| FileFormat::of(path)) else {
            return Err(Failure::InvalidConfig(format!(
                "the name of `{shown_path}` does not say how the file is written: set `format` to `text`, `jsonl`, `csv` or `json`"
            )));
        };
        let unusable_keys = match format {
            FileFormat::Text => [("field", self.field.is_some()), ("at", self.at.is_some())],
            FileFormat::Jsonl | FileFormat::Csv => [("at", self.at.is_some()), ("at", false)],
            FileFormat::Json => [("field", false), ("at", false)],
        };
        if let Some((key, _)) = unusable_keys.into_iter().find(|(_, is_set)| *is_set) {
            let usable_in = if key == "at" { "in a JSON file alone" } else { "in JSON, JSONL and CSV files alone" };
            return Err(Failure::InvalidConfig(format!(
                "`{key}` says where texts are {usable_in}; `{shown_path}` is another kind"
            )));
        }
        if self.limit == Some(0) {
            return Err(Failure::InvalidConfig("`limit` is 0: it must be 1 or more".to_owned()));
        }
        let selection =
            Selection { field: self.field.as_deref(), at: self.at.as_deref(), skip: self.skip, limit: self.limit };
        self.texts = read_texts(path, text, format, &selection)?;
        // The text of the file is not needed any more, and may be large.
        self.path.text = String::new();
        Ok(self)
    }

    async fn analyze(&self, _: NoInput, _: &Host<'_>) -> Result<PromptTexts> {
        Ok(PromptTexts { prompts: self.texts.clone() })
    }

    fn examples() -> Vec<Example> {
        let file = json!({ "path": "axes.json", "text": "{ \"letter\": { \"positive\": [\"a\", \"b\", \"c\"] } }" });
        vec![Example {
            summary: "two entries of a list in a JSON file".to_owned(),
            config: json!({ "path": file, "at": "letter.positive", "skip": 1, "limit": 2 }),
            input: json!({}),
            output: json!({ "prompts": ["b", "c"] }),
        }]
    }
}
