//! The analyzer `lens`.

use std::collections::BTreeMap;

use futures::future::join_all;
use jackfield_plugin_api::prelude::*;
use jackfield_text::Transcript;
use serde_json::{Map, Value, json};

use crate::{
    excerpt::{ExcerptOf, excerpt},
    findings::{LensFinding, LensFindingSet, findings_of},
    findings_text::findings_text,
    merge::{Answer, merge},
    parts::{parts, tokens},
    prompt::Prompt,
    quotes::QuoteIndex,
    request::{Material, Part, on_findings, on_transcript, request, system, with_excerpt},
};

/// What `lens` reads.
#[derive(Clone, Debug, Default, Document)]
pub struct LensInput {
    /// The transcript. With findings beside it, quotes are looked up in it, and the model reads the findings alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Transcript>,
    /// Answers of other stages, of any kind of finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<LensFindingSet>>,
}

/// What `lens` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct LensOutput {
    /// Title of the lens.
    pub title: String,
    /// The answer, as the lens's own schema has it; a citation of what was never said has `unsupported: true` in it.
    #[schemars(extend("x-from-config" = { "at": "/prompt", "loose": true }))]
    pub answer: Map<String, Value>,
    /// The entries of the answer's lists as findings.
    pub findings: Vec<LensFinding>,
    /// How many quotes were never said.
    pub unsupported: u64,
    /// In how many parts the transcript was read; 1 for findings.
    pub chunks: u64,
    /// How many findings of each source had no room in the budget; a source that is not named lost none.
    pub left_out: BTreeMap<String, u64>,
    /// Tokens that the model read, as its server counts them, whether or not the answer came from a cache.
    pub tokens_in: u64,
    /// Tokens that the model wrote.
    pub tokens_out: u64,
}

/// Reads a transcript, or findings, through a lens: a prompt file with the schema of its answer.
///
/// A transcript is read whole: one that is too long for a call is read in parts, and the answers are put together. Of
/// findings as many are read as the budget has room for: all, or a fair share of each source, the surest first. Whatever
/// the model quotes is looked up in the transcript; a finding whose quotes are not there is marked `unsupported`. The stage
/// needs a model.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-needs" = "model"))]
pub struct Lens {
    /// The lens file: a title, instructions, and a section `## Answer` with a JSON Schema in a `json` block.
    pub prompt: TextFile,
    /// Most tokens that a call on a transcript reads, instructions included, in the tokenizer `o200k`.
    #[config(default = 8000)]
    #[schemars(range(min = 500))]
    pub context: usize,
    /// Most tokens of findings that a call reads.
    #[config(default = 8000)]
    #[schemars(range(min = 100))]
    pub budget: usize,
    /// What each source of findings may spend before the rest is shared; lowered when the floors alone do not fit.
    #[config(default = 500)]
    pub floor: usize,
    /// Most findings of each source that a call reads, the surest first; all that fit without it. Those beyond it are counted
    /// as left out.
    #[schemars(range(min = 1))]
    pub max_per_source: Option<usize>,
    /// The parts of the answer that are asked for, by their names in the lens's schema; all of them without it.
    #[schemars(length(min = 1))]
    pub keys: Option<Vec<String>>,
    /// With findings, so many tokens of the transcript are read besides them; 0 for none. The stage then reads the transcript
    /// too.
    #[config(default = 0)]
    pub excerpt: usize,
    /// Which part of the transcript the excerpt is.
    #[config(default)]
    pub excerpt_of: ExcerptOf,
    /// Most tokens of an answer; the server's default without it.
    pub max_tokens: Option<u32>,
    /// Temperature of sampling; the server's default without it.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f64>,
    /// The lens file, parsed.
    #[serde(skip)]
    #[schemars(skip)]
    lens: Prompt,
}

/// A call on a transcript has at least this much room for it.
const LEAST_ROOM: usize = 200;
/// Tokens of a call besides the instructions and the part of the transcript: the head of the part, and what a server adds
/// to each message.
const MESSAGE_OVERHEAD: usize = 200;

impl Analyzer for Lens {
    const NAME: &'static str = "lens";
    const STABILITY: Stability = Stability::Experimental;
    type Input = LensInput;
    type Output = LensOutput;

    fn open(mut self) -> Result<Self> {
        let path = &self.prompt.path;
        self.lens = Prompt::parse(&self.prompt.text)
            .map_err(|error| Failure::InvalidConfig(format!("`{path}` is not a lens: {error}")))?;
        if let Some(keys) = &self.keys {
            self.lens =
                self.lens.with_keys(keys).map_err(|error| Failure::InvalidConfig(format!("`keys`: {error}")))?;
        }
        if self.max_per_source == Some(0) {
            return Err(Failure::InvalidConfig("`max_per_source` is at least 1".to_owned()));
        }
        let least = self.instruction_tokens() + LEAST_ROOM;
        if self.context < least {
            let context = self.context;
            return Err(Failure::InvalidConfig(format!(
                "`context` is {context} tokens, but `{path}` needs {least}: its instructions, and room for a transcript"
            )));
        }
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let reason = "to have the transcript, or the findings, read".to_owned();
        vec![Permission { name: "model".to_owned(), reason }]
    }

    fn examples() -> Vec<Example> {
        let text = "# Doubts\n\nFind doubts.\n\n## Answer\n\n```json\n{ \"type\": \"object\", \"required\": [\"doubts\"], \
                    \"properties\": { \"doubts\": { \"type\": \"array\", \"items\": { \"type\": \"object\" } } } }\n```\n";
        let doubt = json!({
            "statement": "Bo doubts that the bus is on time.", "confidence": 0.8,
            "evidence": [{ "segment": "s2", "quote": "Is the bus on time?" }],
        });
        let finding = json!({
            "id": "lens-1", "kind": "doubt", "text": "Bo doubts that the bus is on time.", "confidence": 0.8,
            "source": "lens", "evidence": [{ "segment": "s2", "speaker": "Bo", "quote": "Is the bus on time?" }],
        });
        vec![Example {
            summary: "a lens for doubts, as a model may answer it".to_owned(),
            config: json!({ "prompt": { "path": "doubts.md", "text": text } }),
            input: json!({ "transcript": { "segments": [
                { "id": "s1", "speaker": "Ann", "text": "We take the bus." },
                { "id": "s2", "speaker": "Bo", "text": "Is the bus on time?" },
            ] } }),
            output: json!({
                "title": "Doubts", "answer": { "doubts": [doubt] }, "findings": [finding], "unsupported": 0,
                "chunks": 1, "left_out": {}, "tokens_in": 100, "tokens_out": 10,
            }),
        }]
    }

    async fn analyze(&self, input: LensInput, host: &Host<'_>) -> Result<LensOutput> {
        let title = input.transcript.as_ref().and_then(|transcript| transcript.title.as_deref());
        let mut output = LensOutput { title: self.lens.title.clone(), ..LensOutput::default() };
        let (quotes, requests) = match (input.findings, &input.transcript) {
            (Some(sets), transcript) => {
                let findings: Vec<LensFinding> = sets.into_iter().flat_map(|set| set.findings).collect();
                let material = findings_text(&findings, self.max_per_source, self.budget, self.floor);
                output.left_out = material.left_out;
                let excerpt = match (self.excerpt, transcript) {
                    (0, _) => None,
                    (room, Some(transcript)) => excerpt(&transcript.segments, &findings, self.excerpt_of, room),
                    (_, None) => {
                        let why = "`excerpt` is set, and there is no transcript to take one from";
                        return Err(Failure::InvalidInput(why.into()));
                    }
                };
                let quotes = match transcript {
                    Some(transcript) => QuoteIndex::of_transcript(transcript),
                    None => QuoteIndex::of_findings(&findings),
                };
                let request = match excerpt {
                    None => self.request(Material::Findings, on_findings(title, &material.text)),
                    Some(excerpt) => {
                        let message = with_excerpt(on_findings(title, &material.text), &excerpt);
                        self.request(Material::FindingsAndExcerpt, message)
                    }
                };
                (quotes, vec![request])
            }
            (None, Some(transcript)) => {
                let parts = parts(&transcript.segments, self.context - self.instruction_tokens());
                let numbered = parts.iter().zip(1..).map(|(text, number)| Part { text, number, count: parts.len() });
                let messages = numbered.map(|part| on_transcript(title, &part));
                let requests = messages.map(|message| self.request(Material::Transcript, message)).collect();
                (QuoteIndex::of_transcript(transcript), requests)
            }
            (None, None) => return Err(Failure::InvalidInput("neither a transcript nor findings to read".into())),
        };
        if requests.is_empty() {
            return Err(Failure::InvalidInput("the transcript holds no words".into()));
        }
        output.chunks = requests.len() as u64;

        let completions = join_all(requests.into_iter().map(|request| host.complete(request))).await;
        let mut answers = Vec::with_capacity(completions.len());
        for completion in completions {
            let completion = completion?;
            // Not `tokens()`: an answer from a cache has to leave the same record.
            let usage = completion.usage.unwrap_or_default();
            output.tokens_in = output.tokens_in.saturating_add(usage.input);
            output.tokens_out = output.tokens_out.saturating_add(usage.output);
            answers.push(parse_answer(&completion.text)?);
        }
        output.answer = merge(answers);
        output.unsupported = quotes.check_fields(&mut output.answer);
        output.findings = findings_of(&output.answer, &quotes, &host.context().stage);
        Ok(output)
    }
}

impl Lens {
    /// Tokens of a call on a transcript besides the transcript.
    fn instruction_tokens(&self) -> usize {
        tokens(&system(&self.lens, Material::Transcript)) + MESSAGE_OVERHEAD
    }

    fn request(&self, material: Material, message: String) -> CompletionRequest {
        let request = request(&self.lens, material, message);
        CompletionRequest { max_tokens: self.max_tokens, temperature: self.temperature, ..request }
    }
}

/// The answer of a model, which the host has validated against the schema.
fn parse_answer(text: &str) -> Result<Answer> {
    serde_json::from_str(text)
        .map_err(|error| Failure::InvalidOutput(format!("the answer is not a JSON object: {error}")))
}

#[cfg(test)]
mod tests;
