//! The analyzer `claim-sample`: one answer about a claim.

use std::sync::Arc;

use jackfield_plugin_api::prelude::*;
use serde_json::json;

use crate::{
    bank::Bank,
    bank_file::{ParsedBank, example_bank},
    names::{ModelLabel, sample_cache_name},
    record::{Sample, Slot},
    validity,
};

/// How often an answer is asked for until one is valid.
const ATTEMPTS: u32 = 2;
/// Added to the replicate number of every further attempt, so that it is another request. The replicates of a plan stay
/// below it.
const ATTEMPT_STRIDE: u32 = 1 << 15;

/// Asks a model once how likely a claim is, and says whether the answer is valid.
///
/// An answer that is not valid, such as one that holds a link which is not in the claim, is asked for once more. With a cache (`store`), valid answers are kept; an answer that is
/// not valid never is.
#[derive(Config)]
#[schemars(extend("x-needs" = "model"))]
pub struct ClaimSample {
    /// The prompt bank of the plan.
    pub bank: TextFile,
    /// The bank, parsed once.
    #[serde(skip)]
    parsed_bank: ParsedBank,
}

impl Analyzer for ClaimSample {
    const NAME: &'static str = "claim-sample";
    const STABILITY: Stability = Stability::Beta;
    type Input = Slot;
    type Output = Sample;

    fn open(self) -> Result<Self> {
        self.parsed_bank.get(&self.bank)?;
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let [model, cache] =
            ["to ask how likely a claim is", "to keep valid answers, where the stage has a `store`"].map(str::to_owned);
        vec![
            Permission { name: "model".to_owned(), reason: model },
            Permission { name: "cache".to_owned(), reason: cache },
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
        let name = sample_cache_name(&slot, &ModelLabel::of_stage(host)?);
        if let Some(earlier) = host.cache_get_json::<Sample>(&name).await? {
            return Ok(earlier);
        }
        let sample = self.ask(&slot, host).await?;
        if sample.prob_true.is_some() {
            host.cache_put_json(&name, &sample).await?;
        }
        Ok(sample)
    }
}

impl ClaimSample {
    /// Asks until an answer is valid, [`ATTEMPTS`] times at most.
    async fn ask(&self, slot: &Slot, host: &Host<'_>) -> Result<Sample> {
        let request = request(self.parsed_bank.get(&self.bank)?, slot)?;
        let mut sample = Sample {
            template: slot.template,
            prompt_sha256: slot.prompt_sha256.clone(),
            replicate: slot.replicate,
            prob_true: None,
            label: None,
            refused: false,
            invalid: None,
        };
        for attempt in 0..ATTEMPTS {
            let replicate = slot.replicate + attempt * ATTEMPT_STRIDE;
            let completion = match host.complete(CompletionRequest { replicate, ..request.clone() }).await {
                Ok(completion) => completion,
                // The model refused or its output cannot be used: that is an invalid answer, not a failed call.
                Err(Failure::InvalidOutput(reason)) => {
                    sample.invalid = Some(reason);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            match validity::parse(&completion.text, &slot.claim) {
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

/// The request for a slot. The schema is sent for servers that follow it; whether an answer counts is decided by
/// [`validity`] alone.
fn request(bank: &Bank, slot: &Slot) -> Result<CompletionRequest> {
    let prompt = bank
        .prompt(slot.template, &slot.claim)
        .filter(|prompt| prompt.sha256() == slot.prompt_sha256)
        .ok_or_else(|| Failure::InvalidConfig("the prompt bank is not that of the plan".to_owned()))?;
    if slot.replicate >= ATTEMPT_STRIDE {
        return Err(Failure::InvalidInput(format!("more than {ATTEMPT_STRIDE} answers to one template")));
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
