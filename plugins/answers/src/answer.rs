//! The analyzer `answer`.

use jackfield_plugin_api::prelude::*;

use crate::{extract::extract, model_answer, passage::Hit, terms::content};

/// Where an answer's words come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The best sentences of the passages, word for word.
    #[default]
    Extractive,
    /// The stage's model, instructed to answer from the passages alone.
    #[schemars(extend("x-needs" = "model"))]
    Model,
}

/// What `answer` reads: a query, and what a search found.
#[derive(Clone, Debug, Document)]
pub struct Question {
    /// What is asked.
    pub query: String,
    /// The passages, best first, as `retrieve` answers them.
    pub hits: Vec<Hit>,
}

/// A passage that bears a sentence out.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Citation {
    /// The passage's id.
    pub id: String,
    /// Words of it; empty where a model quoted words that are not there.
    pub quote: String,
}

/// A sentence of an answer.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Sentence {
    /// The sentence.
    pub text: String,
    /// What bears it out.
    pub citations: Vec<Citation>,
}

/// Tokens of a model's call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
pub struct Tokens {
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
}

/// What `answer` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Answered {
    /// The sentences, joined by spaces; empty without a passage, and for a query that asks for nothing: one without a word but
    /// function words.
    pub text: String,
    /// The sentences.
    pub sentences: Vec<Sentence>,
    /// Where the words come from.
    pub mode: Mode,
    /// The model, where one answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tokens, as the model's server counts them, whether or not the answer came from a cache.
    pub tokens: Tokens,
    /// What such a call costs in USD, whether or not the answer came from a cache.
    pub usd: f64,
    /// How many citations of the model name a passage that does not exist; they are left out.
    pub dropped_citations: u64,
    /// How many quotes of the model are not in the passage that they name; they are left out, the citation stays.
    pub misquoted: u64,
}

/// Answers a query from the passages that a search found, each sentence with its citations.
///
/// By default the answer is made of sentences of the passages. With `mode = "model"` the stage's model writes it; citations
/// that name a passage that does not exist, and quotes that are not in theirs, are left out and counted.
#[derive(Clone, Debug, Config)]
pub struct Answer {
    /// Where the words come from.
    #[config(default)]
    pub mode: Mode,
    /// Most sentences of an extractive answer.
    #[config(default = 3)]
    #[schemars(range(min = 1))]
    pub sentences: usize,
    /// Most characters of an extractive answer.
    #[config(default = 800)]
    #[schemars(range(min = 1))]
    pub max_chars: usize,
    /// Most passages that are read, the best of them.
    #[config(default = 10)]
    #[schemars(range(min = 1))]
    pub passages: usize,
    /// Most tokens of a model's answer; the server's default without it.
    pub max_tokens: Option<u32>,
    /// Temperature of a model's sampling; the server's default without it.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f64>,
}

impl Analyzer for Answer {
    const NAME: &'static str = "answer";
    const STABILITY: Stability = Stability::Experimental;
    type Input = Question;
    type Output = Answered;

    fn open(self) -> Result<Self> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        for (name, value) in [("sentences", self.sentences), ("max_chars", self.max_chars), ("passages", self.passages)]
        {
            if value == 0 {
                return invalid(format!("`{name}` is 0: it must be 1 or more"));
            }
        }
        match self.temperature {
            Some(value) if !(0.0..=2.0).contains(&value) => {
                invalid(format!("`temperature` is {value}: it must be 0 to 2"))
            }
            _ => Ok(self),
        }
    }

    fn permissions() -> Vec<Permission> {
        let reason = "to have an answer written from the passages, with `mode = \"model\"`".to_owned();
        vec![Permission { name: "model".to_owned(), reason }]
    }

    fn examples() -> Vec<Example> {
        let quote = "The owl hunts mice at night.";
        vec![Example {
            summary: "the sentence of a passage that answers the query".to_owned(),
            config: json!({ "sentences": 1 }),
            input: json!({ "query": "When do owls hunt?", "hits": [
                { "id": "owl", "text": format!("Owls are birds. {quote}"), "score": 1.0 },
                { "id": "fox", "text": "Foxes sleep by day.", "score": 0.2 },
            ] }),
            output: json!({
                "text": quote, "sentences": [{ "text": quote, "citations": [{ "id": "owl", "quote": quote }] }],
                "mode": "extractive", "tokens": { "input": 0, "output": 0 }, "usd": 0.0, "dropped_citations": 0,
                "misquoted": 0,
            }),
        }]
    }

    async fn analyze(&self, input: Question, host: &Host<'_>) -> Result<Answered> {
        let hits = &input.hits[..input.hits.len().min(self.passages)];
        let mut answered = Answered { mode: self.mode, ..Answered::default() };
        match self.mode {
            // Whatever was said then would be said of nothing.
            _ if hits.is_empty() || content(&input.query).is_empty() => {}
            Mode::Extractive => {
                for excerpt in extract(&input.query, hits, self.sentences, self.max_chars) {
                    let hit = &hits[excerpt.passage];
                    let text = hit.text[excerpt.range].to_owned();
                    let citations = vec![Citation { id: hit.id.clone(), quote: text.clone() }];
                    answered.sentences.push(Sentence { text, citations });
                }
            }
            Mode::Model => {
                let (max_tokens, temperature) = (self.max_tokens, self.temperature);
                let request =
                    CompletionRequest { max_tokens, temperature, ..model_answer::request(&input.query, hits) };
                let completion = host.complete(request).await?;
                // Not `tokens()`: an answer from a cache has to leave the same record.
                let Usage { input, output, .. } = completion.usage.unwrap_or_default();
                let checked = model_answer::check(&completion.text, hits)?;
                answered.tokens = Tokens { input, output };
                answered.usd = completion.usd;
                answered.model = completion.model.or_else(|| host.model_name());
                answered.sentences = checked.sentences;
                answered.dropped_citations = checked.dropped;
                answered.misquoted = checked.misquoted;
            }
        }
        let texts: Vec<&str> = answered.sentences.iter().map(|sentence| sentence.text.as_str()).collect();
        answered.text = texts.join(" ");
        Ok(answered)
    }
}

#[cfg(test)]
mod tests;
