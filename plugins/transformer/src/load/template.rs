//! Templates of conversations: what a model was trained to read instead of a list of messages.

use std::path::Path;

use jackfield_plugin_api::{Message, Role};
use minijinja::{Environment, Error, ErrorKind, context};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde_json::{Map, Value};

use super::{
    LoadError, LoadFault,
    config::object,
    folder::{LONGEST_CONFIG, small_file},
};
use crate::RunError;

const FILE: &str = "chat_template.jinja";
const CONFIG: &str = "tokenizer_config.json";
/// Most steps of a template: enough for a thousand turns, and an end to one that has none.
const STEPS: u64 = 1_000_000;
const NAME: &str = "chat";

/// The template of a model's conversations.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    /// The texts of special tokens that templates may name.
    tokens: Map<String, Value>,
}

impl ChatTemplate {
    /// Reads the template of a model's folder: `chat_template.jinja`, or what `tokenizer_config.json` has. None if there is
    /// neither.
    ///
    /// # Errors
    /// [`LoadError`] for one that cannot be read.
    pub fn load(folder: &Path) -> Result<Option<Self>, LoadError> {
        let path = folder.join(CONFIG);
        let config = match small_file(&path, LONGEST_CONFIG)? {
            Some(text) => object(&text).map_err(|fault| fault.of(&path))?,
            None => Map::new(),
        };
        let (path, text) = match small_file(&folder.join(FILE), LONGEST_CONFIG)? {
            Some(text) => {
                let path = folder.join(FILE);
                let wrong = |_| LoadFault::WrongTemplate("it is not UTF-8".to_owned()).of(&path);
                let text = String::from_utf8(text).map_err(wrong)?;
                (path, Some(text))
            }
            None => (path, listed(config.get("chat_template"))),
        };
        text.map(|text| Self::new(text, &config).map_err(|fault| fault.of(&path))).transpose()
    }

    fn new(text: String, config: &Map<String, Value>) -> Result<Self, LoadFault> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(STEPS));
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.add_function("raise_exception", |why: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, why))
        });
        let wrong = |error: Error| LoadFault::WrongTemplate(error.to_string());
        environment.add_template_owned(NAME, text).map_err(wrong)?;
        let mut tokens = Map::new();
        for key in ["bos_token", "eos_token", "unk_token", "pad_token"] {
            // Either the text, or an object with the text.
            let text = config.get(key).and_then(|token| token.as_str().or_else(|| token.get("content")?.as_str()));
            tokens.insert(key.to_owned(), Value::from(text.unwrap_or_default()));
        }
        Ok(Self { environment, tokens })
    }

    /// What the model reads for a conversation. With `answer`, it ends where the model's turn begins.
    ///
    /// # Errors
    /// [`RunError::NotRendered`] for a conversation that the template refuses, such as one with roles that it does not know.
    pub fn render(&self, messages: &[Message], answer: bool) -> Result<String, RunError> {
        let turns: Vec<Value> = messages
            .iter()
            .map(|message| {
                let role = match message.role {
                    Role::System => "system",
                    Role::User => "user",
                    Role::Assistant => "assistant",
                };
                serde_json::json!({ "role": role, "content": message.content })
            })
            .collect();
        let template = self.environment.get_template(NAME);
        let text = template.and_then(|template| {
            let tokens = minijinja::Value::from_serialize(&self.tokens);
            template.render(context! { messages => turns, add_generation_prompt => answer, ..tokens })
        });
        text.map_err(|error| RunError::NotRendered { why: error.to_string() })
    }
}

/// The template of a configuration: one, or the one of several that is for everything.
fn listed(template: Option<&Value>) -> Option<String> {
    let template = template?;
    let of = |entry: &Value| Some(entry.get("template")?.as_str()?.to_owned());
    match template {
        Value::String(text) => Some(text.clone()),
        Value::Array(named) => {
            let usual = named.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some("default"));
            usual.and_then(of)
        }
        _ => None,
    }
}
