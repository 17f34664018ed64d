//! A text cut where a sentence ends, so that it has so many tokens at most.

use jackfield_plugin_api::prelude::*;
use jackfield_text::sentences::sentences;

use crate::settings::Tokenizer;

/// Counts tokens.
pub(crate) struct Counter<'a, 'h> {
    tokenizer: Tokenizer,
    host: &'a Host<'h>,
    /// Tokens of a message without a text, by the model's own tokenizer.
    overhead: Option<usize>,
}

impl<'a, 'h> Counter<'a, 'h> {
    pub(crate) const fn new(tokenizer: Tokenizer, host: &'a Host<'h>) -> Self {
        Self { tokenizer, host, overhead: None }
    }

    async fn count(&mut self, text: &str) -> Result<usize> {
        match self.tokenizer {
            Tokenizer::O200k => Ok(jackfield_tokens::count(text)),
            Tokenizer::Model => {
                let overhead = match self.overhead {
                    Some(overhead) => overhead,
                    None => *self.overhead.insert(self.count_message("").await?),
                };
                Ok(self.count_message(text).await?.saturating_sub(overhead))
            }
        }
    }

    /// Tokens of a message with this text, with those that the model adds to each message.
    async fn count_message(&self, text: &str) -> Result<usize> {
        let request = CompletionRequest {
            tokenize: true,
            max_tokens: Some(0),
            ..CompletionRequest::new(vec![Message::user(text)])
        };
        let tokens = self.host.complete(request).await?.tokens;
        tokens.map(|tokens| tokens.len()).ok_or_else(|| Failure::InvalidOutput("the model gave no tokens".to_owned()))
    }

    /// The value of a variable with so many tokens at most: a text to the end of a sentence, or failing that of a word; of a
    /// list as many elements as there is room for.
    pub(crate) async fn cut(&mut self, name: &str, value: &mut Value, most: usize) -> Result<()> {
        match value {
            Value::String(text) => {
                let end = self.end_within(text, most).await?;
                text.truncate(end);
            }
            Value::Array(list) => {
                let (mut kept, mut spent) = (0, 0);
                for element in list.iter() {
                    let text = element.as_str().map_or_else(|| element.to_string(), str::to_owned);
                    spent += self.count(&text).await?;
                    if spent > most {
                        break;
                    }
                    kept += 1;
                }
                list.truncate(kept);
            }
            Value::Null => {}
            _ => {
                let message =
                    format!("`limits` has `{name}`, which is neither a text nor a list here, so it cannot be cut");
                return Err(Failure::InvalidInput(message));
            }
        }
        Ok(())
    }

    /// Where to end a text.
    async fn end_within(&mut self, text: &str, most: usize) -> Result<usize> {
        // No token is shorter than a byte.
        if text.len() <= most || self.count(text).await? <= most {
            return Ok(text.len());
        }
        for ends_of in [sentence_ends, word_ends, character_ends] as [fn(&str) -> Vec<usize>; 3] {
            let ends = ends_of(text);
            // The most of them that fit: counts grow with the text.
            let (mut fits, mut too_many) = (0, ends.len() + 1);
            while too_many - fits > 1 {
                let middle = fits + (too_many - fits) / 2;
                if self.count(&text[..ends[middle - 1]]).await? <= most {
                    fits = middle;
                } else {
                    too_many = middle;
                }
            }
            if fits > 0 {
                return Ok(ends[fits - 1]);
            }
        }
        Ok(0)
    }
}

fn sentence_ends(text: &str) -> Vec<usize> {
    sentences(text).into_iter().map(|sentence| sentence.end).collect()
}

fn word_ends(text: &str) -> Vec<usize> {
    let mut end = 0;
    text.split_inclusive(char::is_whitespace)
        .filter_map(|word| {
            let start = end;
            end += word.len();
            let length = word.trim_end().len();
            (length > 0).then_some(start + length)
        })
        .collect()
}

fn character_ends(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, character)| at + character.len_utf8()).collect()
}
