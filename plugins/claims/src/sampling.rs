//! One answer about a claim.

use std::sync::Arc;

use jackfield_plugin_api::prelude::*;
use serde_json::json;

use crate::{
    bank::Bank,
    planning::{ReadOnce, example_bank, provider_and_model},
    record::{Sample, Slot},
    seed, validity,
};

/// Tries at a valid answer.
const TRIES: u32 = 2;
/// Tells the second try from the first: replicates stay below it.
const SECOND_TRY: u32 = 1 << 15;

/// Asks a model once how likely a claim is, and says whether the answer is valid.
///
/// An answer that is not valid is asked for once more. With a cache (`store`), valid answers are kept; an answer that is
/// not valid never is.
#[derive(Config)]
pub struct ClaimSample {
    /// The prompt bank of the plan.
    pub bank: TextFile,
    /// The bank, read once.
    #[serde(skip)]
    read: ReadOnce,
}

impl Analyzer for ClaimSample {
    const NAME: &'static str = "claim-sample";
    const STABILITY: Stability = Stability::Beta;
    type Input = Slot;
    type Output = Sample;

    fn open(self) -> Result<Self> {
        self.read.bank(&self.bank)?;
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let of = |name: &str, reason: &str| Permission { name: name.to_owned(), reason: reason.to_owned() };
        vec![
            of("model", "to ask how likely a claim is"),
            of("cache", "to keep valid answers, where the stage has a `store`"),
        ]
    }

    fn examples() -> Vec<Example> {
        let prompt = "5a774a884ecca1675b7ba9d60561bd980cbe9999643ccbf07f191e004e73a940";
        vec![Example {
            summary: "an answer of the model `mock`".to_owned(),
            config: json!({ "bank": example_bank() }),
            input: json!({
                "claim": "Tea is wet.", "prompt_version": "example-1", "template": 0, "prompt_sha256": prompt,
                "replicate": 0, "temperature": null, "max_tokens": 800,
            }),
            output: json!({
                "template": 0, "prompt_sha256": prompt, "replicate": 0, "prob_true": 0.31, "label": null,
                "refused": false, "invalid": null,
            }),
        }]
    }

    async fn analyze(&self, slot: Slot, host: &Host<'_>) -> Result<Sample> {
        let name = sample_name(&slot, host)?;
        if let Some(kept) = host.cache_get_json::<Sample>(&name).await? {
            return Ok(kept);
        }
        let sample = self.ask(&slot, host).await?;
        if sample.prob_true.is_some() {
            host.cache_put_json(&name, &sample).await?;
        }
        Ok(sample)
    }
}

impl ClaimSample {
    async fn ask(&self, slot: &Slot, host: &Host<'_>) -> Result<Sample> {
        let request = request(self.read.bank(&self.bank)?, slot)?;
        let mut sample = Sample {
            template: slot.template,
            prompt_sha256: slot.prompt_sha256.clone(),
            replicate: slot.replicate,
            prob_true: None,
            label: None,
            refused: false,
            invalid: None,
        };
        for attempt in 0..TRIES {
            let replicate = slot.replicate + attempt * SECOND_TRY;
            let completion = match host.complete(CompletionRequest { replicate, ..request.clone() }).await {
                Ok(completion) => completion,
                // A refusal, or an answer that is none, is an invalid answer.
                Err(Failure::InvalidOutput(why)) => {
                    sample.invalid = Some(why);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            match validity::parse(&completion.text) {
                Ok(answer) => {
                    sample.prob_true = Some(answer.prob_true);
                    sample.label = answer.label;
                    sample.refused = answer.refused;
                    sample.invalid = None;
                    break;
                }
                Err(invalid) => sample.invalid = Some(invalid.to_string()),
            }
        }
        Ok(sample)
    }
}

/// What is asked: the schema goes along for servers that follow it, and the answer is held to the claims' own rules.
fn request(bank: &Bank, slot: &Slot) -> Result<CompletionRequest> {
    let prompt = bank
        .prompt(slot.template, &slot.claim)
        .filter(|prompt| prompt.sha256() == slot.prompt_sha256)
        .ok_or_else(|| Failure::InvalidConfig("the prompt bank is not that of the plan".to_owned()))?;
    if slot.replicate >= SECOND_TRY {
        return Err(Failure::InvalidInput(format!("more than {SECOND_TRY} answers to one template")));
    }
    Ok(CompletionRequest {
        schema: Some(Arc::clone(bank.schema())),
        validate: false,
        cached: false,
        max_tokens: slot.max_tokens,
        temperature: slot.temperature,
        ..CompletionRequest::new(vec![Message::system(prompt.system), Message::user(prompt.user)])
    })
}

/// The name of a sample in its cache: every field that can change the answer. The host adds what tells models apart.
fn sample_name(slot: &Slot, host: &Host<'_>) -> Result<String> {
    let (provider, model) = provider_and_model(host)?;
    let key = json!({
        "claim": slot.claim, "model": model, "provider": provider, "prompt_version": slot.prompt_version,
        "prompt": slot.prompt_sha256, "replicate": slot.replicate,
        "max_tokens": slot.max_tokens, "temperature": slot.temperature,
    });
    Ok(format!("sample/{}", seed::hex_sha256(&key.to_string())))
}
