//! Turns conversations into tokens.

use std::{borrow::Cow, path::Path};

use jackfield_plugin_api::{CompletionRequest, Message, Role, Token};
use serde_json::Value;

use crate::{Architecture, ChatTemplate, LoadError, RunError, TextEnds, Tokenizer, load::examine};

/// What is known of a model without its weights: how texts become tokens, and tokens texts.
#[derive(Debug)]
pub(crate) struct ModelText {
    pub(crate) architecture: Architecture,
    pub(crate) tokenizer: Tokenizer,
    pub(super) ends: TextEnds,
    template: Option<ChatTemplate>,
    /// Texts of special tokens, the longest first.
    special: Vec<String>,
}

impl ModelText {
    /// Reads all of a model but its weights, of which it looks whether they can be those of the model.
    pub(super) fn open(path: &Path) -> Result<Self, LoadError> {
        let architecture = examine(path)?;
        let tokenizer = Tokenizer::load(path, architecture.vocabulary)?;
        let ends = TextEnds::load(path, &architecture, &tokenizer)?;
        let template = ChatTemplate::load(path)?;
        let mut special = tokenizer.special_texts();
        special.retain(|text| !text.is_empty());
        special.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        Ok(Self { architecture, tokenizer, ends, template, special })
    }

    /// The tokens of a request's prompt.
    pub(super) fn prompt(&self, request: &CompletionRequest) -> Result<Vec<u32>, RunError> {
        let (messages, continued) = match request.messages.split_last() {
            Some((last, before)) if last.role == Role::Assistant => (before, Some(last.content.as_str())),
            _ => (&request.messages[..], None),
        };
        let Some(template) = self.template.as_ref().filter(|_| !messages.is_empty()) else {
            return self.plain(request);
        };
        let instruction = request.schema.as_ref().map(|schema| schema_instruction(schema));
        let hidden = Hidden::of(&request.messages, instruction.as_deref());
        let mut turns: Vec<Message> = messages.to_vec();
        for turn in &mut turns {
            turn.content = hidden.hide(&turn.content, &self.special).into_owned();
        }
        let mut text = match instruction {
            None => template.render(&turns, true)?,
            Some(instruction) => {
                let instruction = hidden.hide(&instruction, &self.special);
                // A template may know no system messages.
                template
                    .render(&with_instruction_in_system(&turns, &instruction), true)
                    .or_else(|_| template.render(&with_instruction_in_last(&turns, &instruction), true))?
            }
        };
        text.push_str(&hidden.hide(continued.unwrap_or_default(), &self.special));
        self.encode(&text, &hidden)
    }

    /// The messages one after the other, for a model that has no template, or a text that is none's turn.
    fn plain(&self, request: &CompletionRequest) -> Result<Vec<u32>, RunError> {
        let mut turns: Vec<&str> = request.messages.iter().map(|message| message.content.as_str()).collect();
        let instruction = request.schema.as_ref().map(|schema| schema_instruction(schema));
        if let Some(instruction) = &instruction {
            turns.insert(0, instruction);
        }
        let mut tokens: Vec<u32> = self.ends.begin.into_iter().collect();
        tokens.extend(self.tokenizer.encode(&turns.join("\n\n"), false)?);
        Ok(tokens)
    }

    /// The tokens of a rendered conversation. The template's own marks become special tokens; those in messages do not.
    fn encode(&self, text: &str, hidden: &Hidden) -> Result<Vec<u32>, RunError> {
        if !text.contains(hidden.mark) {
            return self.tokenizer.encode(text, true);
        }
        // What is hidden is shown again only in between marks of the template, where no special token is looked for. So
        // tokens end where they do in the whole text.
        let (mut tokens, mut known) = (Vec::new(), String::new());
        for piece in pieces(text, &self.special) {
            if !piece.contains(hidden.mark) {
                known.push_str(piece);
                continue;
            }
            tokens.extend(self.tokenizer.encode(&known, true)?);
            known.clear();
            tokens.extend(self.tokenizer.encode(&hidden.show(piece, &self.special), false)?);
        }
        tokens.extend(self.tokenizer.encode(&known, true)?);
        Ok(tokens)
    }

    /// The bytes of a token that a model says.
    pub(super) fn bytes(&self, token: u32) -> Vec<u8> {
        // The model draws no token that it does not have.
        self.tokenizer.decode(&[token], false).unwrap_or_default()
    }

    /// A token with its text.
    pub(super) fn token(&self, id: u32) -> Token {
        let bytes = self.tokenizer.decode(&[id], true).unwrap_or_default();
        Token { id, text: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

/// The special tokens and what is between them, in order.
fn pieces<'a>(text: &'a str, special: &[String]) -> Vec<&'a str> {
    let (mut pieces, mut begin, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        match special.iter().find(|special| text[at..].starts_with(special.as_str())) {
            Some(special) => {
                pieces.extend([&text[begin..at], &text[at..at + special.len()]]);
                at += special.len();
                begin = at;
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    pieces.push(&text[begin..]);
    pieces
}

/// Hides texts of special tokens in messages and schemas from the template and the tokenizer. Each stands as its number
/// between two marks, a character that none of them has.
struct Hidden {
    mark: char,
}

impl Hidden {
    fn of(messages: &[Message], instruction: Option<&str>) -> Self {
        let has = |mark: char| {
            messages.iter().any(|message| message.content.contains(mark))
                || instruction.is_some_and(|instruction| instruction.contains(mark))
        };
        // There are more characters for private use than a context has tokens.
        let mark = ('\u{e000}'..='\u{f8ff}').chain('\u{f0000}'..='\u{ffffd}').find(|mark| !has(*mark));
        Self { mark: mark.unwrap_or('\u{10fffd}') }
    }

    fn hide<'a>(&self, text: &'a str, special: &[String]) -> Cow<'a, str> {
        let mut hidden = Cow::Borrowed(text);
        for (number, special) in special.iter().enumerate().filter(|(_, special)| text.contains(special.as_str())) {
            let mark = self.mark;
            hidden = hidden
                .split(mark)
                .enumerate()
                .map(|(index, part)| {
                    // Each second part is a number that stands for a text.
                    if index % 2 == 1 {
                        format!("{mark}{part}{mark}")
                    } else {
                        part.replace(special.as_str(), &format!("{mark}{number}{mark}"))
                    }
                })
                .collect::<String>()
                .into();
        }
        hidden
    }

    fn show(&self, text: &str, special: &[String]) -> String {
        let shown = text.split(self.mark).enumerate().map(|(index, part)| {
            let number = part.parse::<usize>().ok().filter(|_| index % 2 == 1);
            number.and_then(|number| special.get(number)).map_or(part, String::as_str)
        });
        shown.collect()
    }
}

/// What a model is told that is to follow a schema.
fn schema_instruction(schema: &Value) -> String {
    format!("Answer with JSON alone, without any other text. It follows this JSON Schema:\n{schema}")
}

fn with_instruction_in_system(turns: &[Message], instruction: &str) -> Vec<Message> {
    let mut turns = turns.to_vec();
    match turns.iter_mut().find(|turn| turn.role == Role::System) {
        Some(system) => system.content = format!("{}\n\n{}", system.content, instruction),
        None => turns.insert(0, Message::system(instruction)),
    }
    turns
}

fn with_instruction_in_last(turns: &[Message], instruction: &str) -> Vec<Message> {
    let mut turns = turns.to_vec();
    if let Some(last) = turns.last_mut() {
        last.content = format!("{}\n\n{}", last.content, instruction);
    }
    turns
}
