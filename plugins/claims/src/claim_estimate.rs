//! The analyzer `claim-estimate`: what the answers about a claim add up to.

use jackfield_plugin_api::prelude::*;
use serde_json::json;

use crate::{
    execution::{Phase, execution},
    names::execution_cache_name,
    record::{Execution, Plan, Sample},
};

/// Estimates how likely a model holds a claim to be, with an interval of 95 %.
///
/// Template means in logit space, their 20 % trimmed mean, and a clustered bootstrap of both stages. With fewer draws than
/// the plan asks for the interval is a fast one; the final one is kept in the cache (`store`), if there is one. Give the stage
/// the model of `claim-plan` then: a cache keeps apart what stages of different models put there.
#[derive(Config)]
pub struct ClaimEstimate {
    /// B: draws of the bootstrap; the plan's by default.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub draws: Option<u32>,
}

/// The plan and the answers.
#[derive(Document)]
pub struct Answers {
    /// What was to be asked.
    pub plan: Plan,
    /// What was answered, in order of the plan; calls that failed are not in the list.
    pub samples: Vec<Sample>,
}

impl Analyzer for ClaimEstimate {
    const NAME: &'static str = "claim-estimate";
    const STABILITY: Stability = Stability::Beta;
    type Input = Answers;
    type Output = Execution;

    fn permissions() -> Vec<Permission> {
        let model = "to keep the final estimate where a `claim-plan` of the same model finds it, which is not called";
        let cache = "to keep the final estimate, where the stage has a `store`";
        vec![
            Permission { name: "model".to_owned(), reason: model.to_owned() },
            Permission { name: "cache".to_owned(), reason: cache.to_owned() },
        ]
    }

    fn examples() -> Vec<Example> {
        let (first, second) = (
            "5a774a884ecca1675b7ba9d60561bd980cbe9999643ccbf07f191e004e73a940",
            "71711e49dbec31857b874fa900c0e32997281cf4901716f55bb76cc00eb8cea4",
        );
        let slot = |template: usize, prompt: &str, replicate: u32| {
            json!({
                "claim": "Tea is wet.", "prompt_version": "example-1", "template": template, "prompt_sha256": prompt,
                "replicate": replicate, "temperature": null, "max_tokens": 800,
            })
        };
        let sample = |template: usize, prompt: &str, replicate: u32, probability: f64| {
            json!({
                "template": template, "prompt_sha256": prompt, "replicate": replicate, "prob_true": probability,
                "label": null, "refused": false, "invalid": null,
            })
        };
        let run_key = "0b71056456cdd99d0fdd884ff71a8a793ca45f3eaba6b80c38baf5a268111a1d";
        let plan = json!({
            "claim": "Tea is wet.", "model": "mock", "provider": "mock", "prompt_version": "example-1",
            "sampling": { "K": 2, "R": 2, "T": 2 }, "imbalance_ratio": 1.0, "draws": 5000, "seed": 7,
            "seed_origin": "given", "found": null, "run_key": run_key,
            "slots": [slot(1, second, 0), slot(1, second, 1), slot(0, first, 0), slot(0, first, 1)],
        });
        let samples = [(1, second, 0), (1, second, 1), (0, first, 0), (0, first, 1)];
        let samples = samples.map(|(template, prompt, replicate)| sample(template, prompt, replicate, 0.5));
        vec![Example {
            summary: "four answers to two wordings that agree".to_owned(),
            config: json!({}),
            input: json!({ "plan": plan, "samples": samples }),
            output: json!({
                "run_id": &run_key[..16], "claim": "Tea is wet.", "model": "mock", "provider": "mock",
                "prompt_version": "example-1", "sampling": { "K": 2, "R": 2, "T": 2 },
                "aggregation": {
                    "method": "clustered bootstrap of template means in logit space", "B": 5000, "center": "mean",
                    "trim": 0.2, "bootstrap_seed": 7, "seed_origin": "given", "n_templates": 2,
                    "counts_by_template": { first: 2, second: 2 }, "imbalance_ratio": 1.0, "template_iqr_logit": 0.0,
                },
                "aggregates": {
                    "prob_true": 0.5, "ci95": [0.5, 0.5], "ci_width": 0.0, "stability_score": 1.0,
                    "stability_band": "high", "is_stable": true, "compliance_rate": 1.0,
                },
                "prompt_quality": {
                    "score": 100, "compliance_passes": true, "stability_passes": true, "width_passes": true,
                },
                "ci_status": { "phase": "final", "B_used": 5000 },
                "from_run_cache": false, "summary": "0.500 [0.500, 0.500] (final, B = 5000)",
            }),
        }]
    }

    async fn analyze(&self, input: Answers, host: &Host<'_>) -> Result<Execution> {
        if let Some(earlier) = input.plan.found {
            return Ok(earlier);
        }
        let draws = self.draws.unwrap_or(input.plan.draws);
        let phase = if draws >= input.plan.draws { Phase::Final } else { Phase::Fast };
        let execution = execution(&input.plan, &input.samples, draws, phase)?;
        if phase == Phase::Final {
            host.cache_put_json(&execution_cache_name(&input.plan.run_key), &execution).await?;
        }
        Ok(execution)
    }
}
