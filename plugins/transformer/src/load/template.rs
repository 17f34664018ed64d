//! Chat templates, which turn a list of messages into the text that a model was trained to read.

use std::path::Path;

use jackfield_plugin_api::{Message, Role};
use minijinja::{Environment, Error, ErrorKind, context, value::Kwargs};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde::Serialize;
use serde_json::{
    Map, Value,
    ser::{Formatter, PrettyFormatter, Serializer},
};

use super::{
    LoadError, LoadFault,
    config::object,
    folder::{LONGEST_CONFIG, small_file},
    gguf_metadata,
    gguf_model::Keys,
    gguf_vocabulary::TOKENS,
};
use crate::RunError;

const FILE: &str = "chat_template.jinja";
pub(super) const CONFIG: &str = "tokenizer_config.json";
/// Most steps of a template: enough for a thousand turns, and an end to one that has none.
const STEPS: u64 = 1_000_000;
const NAME: &str = "chat";
/// The special tokens that templates may name.
const NAMED: [&str; 4] = ["bos", "eos", "unk", "pad"];
/// Where GGUF files have the template.
pub(super) const GGUF_TEMPLATE: &str = "tokenizer.chat_template";
/// Where GGUF files have the special tokens that templates may name.
pub(super) const GGUF_TOKENS: [(&str, &str); 4] = [
    ("bos", "tokenizer.ggml.bos_token_id"),
    ("eos", "tokenizer.ggml.eos_token_id"),
    ("unk", "tokenizer.ggml.unknown_token_id"),
    ("pad", "tokenizer.ggml.padding_token_id"),
];
/// What templates that want a date are given: results do not depend on the day they are made.
const DATE: [&str; 3] = ["2024", "07", "26"];

/// The template of a model's conversations.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    /// The texts of special tokens that templates may name.
    tokens: Map<String, Value>,
}

impl ChatTemplate {
    /// Reads the template of a folder, `chat_template.jinja` or what `tokenizer_config.json` has, or of a GGUF file. None if
    /// there is none.
    ///
    /// # Errors
    /// [`LoadError`] for one that cannot be read.
    pub fn load(path: &Path) -> Result<Option<Self>, LoadError> {
        if !path.is_dir() {
            return Self::of_gguf(path).map_err(|fault| fault.of(path));
        }
        let folder = path;
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
            None => {
                let template = config.get("chat_template");
                if template.is_some_and(|template| !(template.is_string() || template.is_array() || template.is_null()))
                {
                    let why = "it must be a text, or a list of templates".to_owned();
                    return Err(LoadFault::WrongKey { key: "chat_template".to_owned(), why }.of(&path));
                }
                let text = listed(template);
                (path, text)
            }
        };
        let special_token = |name: &str| special_text(&config, &format!("{name}_token")).map(str::to_owned);
        text.map(|text| Self::new(text, special_token).map_err(|fault| fault.of(&path))).transpose()
    }

    fn of_gguf(path: &Path) -> Result<Option<Self>, LoadFault> {
        let metadata = gguf_metadata(path, &[TOKENS])?;
        let keys = Keys(&metadata);
        let Some(text) = keys.text(GGUF_TEMPLATE)? else { return Ok(None) };
        if text.len() as u64 > LONGEST_CONFIG {
            let (found, most) = (text.len() as u64, LONGEST_CONFIG);
            return Err(LoadFault::TooMany { what: "bytes of a template", found, most });
        }
        let texts = keys.texts(TOKENS)?;
        let special_token = |name: &str| {
            let (_, key) = GGUF_TOKENS.iter().find(|(token, _)| *token == name)?;
            let token = keys.whole(key, 0..=u64::from(u32::MAX)).ok()??;
            texts?.get(token as usize).map(str::to_owned)
        };
        Self::new(text.to_owned(), special_token).map(Some)
    }

    fn new(text: String, special: impl Fn(&str) -> Option<String>) -> Result<Self, LoadFault> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(STEPS));
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.add_function("raise_exception", |why: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, why))
        });
        environment.add_filter("tojson", to_json);
        // A template that asks whether there is a clock has a date of its own for where there is none.
        let asks = ["strftime_now is defined", "strftime_now is not defined"];
        if !asks.iter().any(|asks| text.contains(asks)) {
            environment.add_function("strftime_now", date);
        }
        let wrong = |error: Error| LoadFault::WrongTemplate(error.to_string());
        environment.add_template_owned(NAME, without_marks(&text)).map_err(wrong)?;
        let token = |name: &&str| (format!("{name}_token"), Value::from(special(name).unwrap_or_default()));
        Ok(Self { environment, tokens: NAMED.iter().map(token).collect() })
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
            // Templates for tools are given none, as the tools of the trade do.
            let none = minijinja::Value::from(());
            template.render(context! {
                messages => turns, add_generation_prompt => answer, tools => none, documents => none, ..tokens
            })
        });
        text.map_err(|error| RunError::NotRendered { why: error.to_string() })
    }
}

/// The text of a special token: an entry of a configuration that is the text, or an object with it.
pub(super) fn special_text<'a>(config: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    let token = config.get(key)?;
    token.as_str().or_else(|| token.get("content")?.as_str())
}

/// The fixed date, in the form asked for: `%Y`, `%m`, `%d`, `%b` and `%B` are known.
fn date(form: &str) -> String {
    let [year, month, day] = DATE;
    let pairs = [("%Y", year), ("%m", month), ("%d", day), ("%b", "Jul"), ("%B", "July")];
    pairs.iter().fold(form.to_owned(), |text, (mark, value)| text.replace(mark, value))
}

/// A template whose marks of what the model says, `generation` and `endgeneration`, which only training reads, are
/// conditions that always hold.
fn without_marks(text: &str) -> String {
    let mut parts = text.split("{%");
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        made.push_str("{%");
        let word = part.trim_start_matches(['-', '+']).trim_start();
        let sign = &part[..part.len() - word.len()];
        let after = |mark: &str| word.strip_prefix(mark).filter(|rest| rest.trim_start().starts_with(['-', '+', '%']));
        match (after("generation"), after("endgeneration")) {
            (Some(rest), _) => made.extend([sign, "if true", rest]),
            (_, Some(rest)) => made.extend([sign, "endif", rest]),
            _ => made.push_str(part),
        }
    }
    made
}

/// Values as JSON, written as Python does, for that is what models were trained to read.
fn to_json(value: minijinja::Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let wrong = |error: serde_json::Error| Error::new(ErrorKind::InvalidOperation, error.to_string());
    let mut text = Vec::new();
    match indent {
        None => value.serialize(&mut Serializer::with_formatter(&mut text, SpacedFormatter)).map_err(wrong)?,
        Some(width) => {
            let indent = " ".repeat(width.min(16));
            let pretty = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut Serializer::with_formatter(&mut text, pretty)).map_err(wrong)?;
        }
    }
    String::from_utf8(text).map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
}

/// JSON on one line, with a space after commas and colons.
struct SpacedFormatter;

impl Formatter for SpacedFormatter {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
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
