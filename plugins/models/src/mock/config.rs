//! The configuration of the model `mock`, and its answers.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::{Ability, Offers};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    belief::Belief,
    generate::answer,
    insight::{Insight, is_asked},
    network::Network,
    prompt::Prompt,
    script::Script,
    tokenizer::{FEWEST_TOKENS, MOST_TOKENS},
};
use crate::json::canonical;

/// Answers from a seed, out of the prompt's own words, following the schema.
///
/// An answer depends on `seed` and on the request's messages, schema, replicate, seed and temperature, and on nothing
/// else. Its words are a verbatim part of the last user message; a property `quote` is taken from a line of the form
/// `[id] Speaker: text`, whose id and speaker are the properties `segment` and `speaker` beside it. Numbers named
/// `confidence` or `prob…` spread around a centre that belongs to those of the message's words that the instructions do
/// not hold. Schemas are followed as
/// far as types, bounds, lengths, counts, choices and references go; `pattern`, `format`, `not` and conditions are not
/// looked at. Usage is an estimate: four tokens for three words.
///
/// It can be looked into like a large model, for which a small network is drawn from the seed: hidden states, of which
/// prompts that share words have near ones, log-probabilities, tokens, and vectors that stand for prompts. Under edits, an
/// answer has other words where the edits make its own less likely; one that follows a schema is another one.
#[derive(Clone, Debug, Config)]
pub struct Mock {
    /// Seed of all answers.
    #[config(default = 0)]
    pub seed: u64,
    /// How long an answer takes, in milliseconds. A component has no clock to wait by: there, it has to be 0.
    #[config(default = 0)]
    pub latency_ms: u64,
    /// Share of requests that fail as `unavailable`, 0 to 1. The same request always fails, however often it is tried.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub fail_rate: f64,
    /// Blocks of the network: a prompt has a hidden state more at each of its tokens.
    #[config(default = 4)]
    #[schemars(range(min = 1, max = 32))]
    pub layers: u32,
    /// Components of a hidden state.
    #[config(default = 16)]
    #[schemars(range(min = 2, max = 256))]
    pub width: u32,
    /// How many tokens the vocabulary has. Words without a token of their own share them.
    #[config(default = 256)]
    #[schemars(range(min = 16, max = 10004))]
    pub vocabulary: u32,
    /// Whether it passes for a model that runs on this machine: the number of calls at a time is fixed then, and a call may
    /// take as long as it takes.
    #[config(default = false)]
    pub local: bool,
    /// Answers that are given instead of the seed's, for pipelines whose results are to mean something without a model: JSON
    /// Lines of `{"contains": …, "answer": …}`. The first line answers of which each text (one, or a list) occurs in the last
    /// user message; an answer that is no text is given as JSON.
    pub script: Option<DigestedPath>,
    #[serde(skip)]
    scripted: Script,
    #[serde(skip)]
    network: OnceLock<Arc<Network>>,
}

impl Model for Mock {
    const NAME: &'static str = "mock";
    const STABILITY: Stability = Stability::Beta;

    fn open(mut self) -> Result<Self> {
        if !(0.0..=1.0).contains(&self.fail_rate) {
            return Err(Failure::InvalidConfig("`fail_rate` lies outside 0 to 1".to_owned()));
        }
        if cfg!(target_family = "wasm") && self.latency_ms > 0 {
            return Err(Failure::InvalidConfig(
                "`latency_ms` has to be 0: a component has no clock to wait by".to_owned(),
            ));
        }
        for (name, value, least, most) in [
            ("layers", self.layers, 1, 32),
            ("width", self.width, 2, 256),
            ("vocabulary", self.vocabulary, FEWEST_TOKENS, MOST_TOKENS),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Failure::InvalidConfig(format!("`{name}` lies outside {least} to {most}")));
            }
        }
        if let Some(script) = &self.script {
            self.scripted = Script::read(&script.path)?;
        }
        Ok(self)
    }

    async fn complete(&self, request: CompletionRequest, host: &Host<'_>) -> Result<Completion> {
        if self.latency_ms > 0 {
            wait(Duration::from_millis(self.latency_ms)).await;
        }
        if !is_asked(&request) {
            return self.answer(&request, 0);
        }
        let network = self.network.get_or_init(|| {
            let [layers, width, vocabulary] = [self.layers, self.width, self.vocabulary].map(|size| size as usize);
            Arc::new(Network::new(self.seed, layers, width, vocabulary))
        });
        let insight = Insight::new(network, (self.layers, self.width, self.vocabulary), &request, host)?;
        let effect = if request.schema.is_some() { insight.effect() } else { 0 };
        let mut answer = self.answer(&request, effect)?;
        if request.schema.is_none() {
            answer.text = insight.text(&answer.text);
        }
        insight.fill(&request, &mut answer, host)?;
        if request.max_tokens == Some(0) {
            answer.text.clear();
            answer.finish = FinishReason::Length;
        }
        let read = answer.usage.unwrap_or_default().input;
        answer.usage = Some(Usage::new(read, tokens(&answer.text)));
        Ok(answer)
    }

    fn offers() -> Offers {
        use Ability::{Capture, Complete, Edits, Embed, Local, LogProbs, Tokenize};
        Offers::always(&[Complete, Capture, Edits, LogProbs, Tokenize, Embed]).and_if(Local, "/local")
    }

    fn examples() -> Vec<Example> {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["quote", "segment", "confidence"],
            "properties": {
                "quote": { "type": "string" },
                "segment": { "type": "string" },
                "confidence": { "type": "number", "minimum": 0, "maximum": 1 },
            },
        });
        let content = "What was decided?\n[s1] Ann: Then we take the early train.";
        let text = r#"{"confidence":0.651,"quote":"Then we take the early train.","segment":"s1"}"#;
        vec![Example {
            summary: "an answer that follows a schema and quotes a line".to_owned(),
            config: json!({ "seed": 1 }),
            input: json!({ "messages": [{ "role": "user", "content": content }], "schema": schema }),
            output: json!({
                "text": text, "finish": "stop", "usage": { "input": 14, "output": 16 }, "model": "mock",
                "cached": false, "usd": 0.0,
            }),
        }]
    }
}

impl Mock {
    /// The answer, at once. What edits make of one that follows a schema is another one, by this number.
    fn answer(&self, request: &CompletionRequest, effect: u64) -> Result<Completion> {
        let digest = self.digest(request);
        let number = |from: usize| u64::from_le_bytes(std::array::from_fn(|index| digest[from + index]));
        // 53 bits: every share of 0 to 1 that differs from its neighbours.
        if ((number(8) >> 11) as f64) < self.fail_rate * (1_u64 << 53) as f64 {
            return Err(Failure::Unavailable(format!(
                "the mock fails this request: `fail_rate` is {}",
                self.fail_rate
            )));
        }
        let asked = request.messages.iter().rev().find(|message| message.role == Role::User);
        let asked = asked.or(request.messages.last()).map_or("", |message| message.content.as_str());
        let prompt = Prompt::new(asked);
        let mut random = Random::new(number(0) ^ effect);
        let text = match &request.schema {
            _ if let Some(scripted) = self.scripted.answer(asked) => scripted.to_owned(),
            Some(schema) => {
                let system = request.messages.iter().filter(|message| message.role == Role::System);
                let instructions: String = system.map(|message| message.content.as_str()).collect();
                canonical(&answer(schema, &prompt, Belief::about(asked, &instructions), random))
            }
            None => prompt.text(&mut random),
        };
        let read = request.messages.iter().map(|message| tokens(&message.content)).sum();
        let usage = Usage::new(read, tokens(&text));
        Ok(Completion { text, usage: Some(usage), model: Some("mock".to_owned()), ..Completion::default() })
    }

    /// What the answer depends on, and nothing else. Every part has its length before it, so that no two lists of parts
    /// read the same.
    fn digest(&self, request: &CompletionRequest) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut put = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        put(&self.seed.to_le_bytes());
        for message in &request.messages {
            put(match message.role {
                Role::System => b"system",
                Role::User => b"user",
                Role::Assistant => b"assistant",
            });
            put(message.content.as_bytes());
        }
        put(request.schema.as_deref().map(canonical).unwrap_or_default().as_bytes());
        put(&request.replicate.to_le_bytes());
        put(request.seed.map(u64::to_le_bytes).as_ref().map_or(&[], |seed| seed.as_slice()));
        put(request.temperature.map(f64::to_le_bytes).as_ref().map_or(&[], |temperature| temperature.as_slice()));
        hash.finalize().into()
    }
}

/// Four tokens for three words: an estimate.
fn tokens(text: &str) -> u64 {
    let mut words = 0;
    let mut within = false;
    for character in text.chars() {
        let word = character.is_alphanumeric();
        words += u64::from(word && !within);
        within = word;
    }
    words * 4 / 3
}

/// Lets time pass, without holding a thread where the host's timers are in reach.
#[cfg(not(target_family = "wasm"))]
async fn wait(time: Duration) {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => tokio::time::sleep(time).await,
        Err(_) => std::thread::sleep(time),
    }
}

/// No time ever passes in a component, which is refused at `open`.
#[cfg(target_family = "wasm")]
async fn wait(_time: Duration) {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    fn mock(seed: u64) -> Mock {
        let config = json!({ "seed": seed });
        serde_json::from_value(config).unwrap()
    }

    fn asked() -> CompletionRequest {
        CompletionRequest::new(vec![
            Message::system("Find what matters."),
            Message::user("Read this:\n[s1] Ann: We take the early train to Lyon. It is cheap.\n[s2] Bo: Fine by me."),
        ])
    }

    #[test]
    fn the_same_request_has_the_same_answer_and_another_one_another() {
        let schema = json!({ "type": "array", "items": { "type": "number" }, "minItems": 4 });
        let base = asked().with_schema(schema);
        let answer = |request: &CompletionRequest, seed| mock(seed).answer(request, 0).unwrap().text;
        assert_eq!(answer(&base, 0), answer(&base.clone(), 0));
        let mut answers = HashSet::from([answer(&base, 0), answer(&base, 1)]);
        answers.insert(answer(&CompletionRequest { replicate: 1, ..base.clone() }, 0));
        answers.insert(answer(&CompletionRequest { seed: Some(0), ..base.clone() }, 0));
        answers.insert(answer(&CompletionRequest { temperature: Some(0.5), ..base.clone() }, 0));
        let mut longer = base.clone();
        longer.messages[0].content.push('!');
        answers.insert(answer(&longer, 0));
        assert_eq!(answers.len(), 6);
        let same = CompletionRequest { max_tokens: Some(5), cached: false, validate: false, ..base.clone() };
        assert_eq!(answer(&base, 0), answer(&same, 0));
    }

    #[test]
    fn a_text_is_made_of_the_last_user_message() {
        for seed in 0..20 {
            let completion = mock(seed).answer(&asked(), 0).unwrap();
            for sentence in completion.text.split_inclusive('.') {
                assert!(asked().messages[1].content.contains(sentence.trim()), "{sentence}");
            }
            assert!(!completion.text.contains('['), "{}", completion.text);
        }
        let completion = mock(0).answer(&asked(), 0).unwrap();
        assert_eq!(completion.usage.unwrap().input, 29);
        assert!(completion.usage.unwrap().output > 0);
    }

    #[test]
    fn the_examples_are_exact() {
        for example in Mock::examples() {
            let mock: Mock = serde_json::from_value(example.config).unwrap();
            let request: CompletionRequest = serde_json::from_value(example.input).unwrap();
            assert_eq!(serde_json::to_value(mock.answer(&request, 0).unwrap()).unwrap(), example.output);
        }
    }

    #[test]
    fn a_script_answers_before_the_seed_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script.jsonl");
        std::fs::write(&file, r#"{"contains": "early train", "answer": {"label": "cheap"}}"#).unwrap();
        let scripted: Mock = serde_json::from_value(json!({ "script": file })).unwrap();
        let scripted = scripted.open().unwrap();
        let answer = |text: &str| scripted.answer(&CompletionRequest::new(vec![Message::user(text)]), 0).unwrap();
        assert_eq!(answer("Is the early train full?").text, r#"{"label":"cheap"}"#);
        assert!(answer("Is the early train full?").usage.unwrap().output > 0);
        assert_eq!(
            answer("Is the ferry full?").text,
            mock(0).answer(&CompletionRequest::new(vec![Message::user("Is the ferry full?")]), 0).unwrap().text
        );
    }

    #[test]
    fn a_request_without_words_has_an_answer_too() {
        for messages in [vec![], vec![Message::user("")], vec![Message::assistant("…")]] {
            let request = CompletionRequest::new(messages);
            assert!(!mock(0).answer(&request, 0).unwrap().text.is_empty());
            let request = request.with_schema(json!({ "properties": { "quote": { "type": "string" } } }));
            let value: Value = serde_json::from_str(&mock(0).answer(&request, 0).unwrap().text).unwrap();
            assert!(value["quote"].is_string());
        }
    }

    #[test]
    fn the_share_that_fails_is_the_one_configured_and_always_the_same() {
        let failing = Mock { fail_rate: 0.3, ..mock(0) };
        let fails = |replicate| failing.answer(&CompletionRequest { replicate, ..asked() }, 0).is_err();
        let failed = (0..1000).filter(|&replicate| fails(replicate)).count();
        assert!((250..350).contains(&failed), "{failed}");
        assert_eq!(failed, (0..1000).filter(|&replicate| fails(replicate)).count());
        assert!(Mock { fail_rate: 1.0, ..mock(0) }.answer(&asked(), 0).unwrap_err().kind().is_retryable());
        assert!(Mock { fail_rate: 1.5, ..mock(0) }.open().is_err());
        assert!(Mock { fail_rate: f64::NAN, ..mock(0) }.open().is_err());
    }
}
