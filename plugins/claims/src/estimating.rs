//! What the answers about a claim add up to.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::{
    estimate::{Options, Samples, estimate},
    planning::run_name,
    record::{Aggregates, Aggregation, Execution, Plan, PromptQuality, Sample, Status},
    score, seed,
};

/// The fewest valid answers that an estimate is made from.
const FEWEST: usize = 3;

/// Estimates how likely a model holds a claim to be, with an interval of 95 %.
///
/// Template means in logit space, their 20 % trimmed mean, and a clustered bootstrap of both stages. With fewer draws than
/// the plan asks for the interval is a fast one; the final one is kept in the cache (`store`), if there is one.
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
        let reason = "to keep the final estimate, where the stage has a `store`".to_owned();
        vec![Permission { name: "cache".to_owned(), reason }]
    }

    async fn analyze(&self, input: Answers, host: &Host<'_>) -> Result<Execution> {
        if let Some(found) = input.plan.found {
            return Ok(found);
        }
        let draws = self.draws.unwrap_or(input.plan.draws);
        let is_final = draws >= input.plan.draws;
        let execution = execution(&input.plan, &input.samples, draws, is_final)?;
        if is_final {
            host.cache_put_json(&run_name(&input.plan.run_key), &execution).await?;
        }
        Ok(execution)
    }
}

fn execution(plan: &Plan, samples: &[Sample], draws: u32, is_final: bool) -> Result<Execution> {
    let valid: Vec<(&str, f64)> =
        samples.iter().filter_map(|sample| Some((sample.prompt_sha256.as_str(), sample.prob_true?))).collect();
    let attempted = plan.slots.len();
    if valid.len() < FEWEST {
        let why = samples.iter().find_map(|sample| sample.invalid.as_deref());
        let why = why.map_or(String::new(), |why| format!("; the first that is not: {why}"));
        let count = valid.len();
        return Err(Failure::InvalidOutput(format!(
            "{count} of {attempted} answers are valid, {FEWEST} are needed{why}"
        )));
    }
    let mut hashes: Vec<String> = valid.iter().map(|(hash, _)| (*hash).to_owned()).collect();
    let counts_by_template = hashes.iter().fold(BTreeMap::new(), |mut counts, hash| {
        *counts.entry(hash.clone()).or_insert(0) += 1;
        counts
    });
    hashes.sort_unstable();
    hashes.dedup();
    let derived = seed::Plan {
        model: &plan.model,
        prompt_version: &plan.prompt_version,
        claim: &plan.claim,
        slots: plan.sampling.slots,
        replicates: plan.sampling.replicates,
        trim: 0.2,
        draws,
        template_hashes: &hashes,
    };
    let bootstrap_seed = plan.seed.unwrap_or_else(|| derived.seed());
    let options = Options::new(draws, bootstrap_seed);
    let found = estimate(&Samples::group(valid.iter().copied()), &options)
        .map_err(|error| Failure::InvalidInput(error.to_string()))?;
    let compliance_rate = valid.len() as f64 / attempted as f64;
    let quality = score::PromptQuality::of(found.stability_score, found.ci_width, compliance_rate);
    let phase = if is_final { "final" } else { "fast" };
    let [low, high] = found.ci95;
    Ok(Execution {
        run_id: plan.run_key.chars().take(16).collect(),
        claim: plan.claim.clone(),
        model: plan.model.clone(),
        provider: plan.provider.clone(),
        prompt_version: plan.prompt_version.clone(),
        sampling: plan.sampling,
        aggregation: Aggregation {
            method: "clustered bootstrap of template means in logit space".to_owned(),
            draws,
            center: if found.counts_by_template.len() < 5 { "mean" } else { "trimmed" }.to_owned(),
            trim: options.trim,
            bootstrap_seed,
            seed_origin: plan.seed_origin.clone(),
            n_templates: found.counts_by_template.len(),
            counts_by_template,
            imbalance_ratio: plan.imbalance_ratio,
            template_iqr_logit: found.template_iqr_logit,
        },
        aggregates: Aggregates {
            prob_true: found.prob_true,
            ci95: found.ci95,
            ci_width: found.ci_width,
            stability_score: found.stability_score,
            stability_band: match found.stability_band {
                score::Band::High => "high",
                score::Band::Medium => "medium",
                score::Band::Low => "low",
            }
            .to_owned(),
            is_stable: found.is_stable,
            compliance_rate,
        },
        prompt_quality: PromptQuality {
            score: quality.score,
            compliance_passes: quality.compliance_passes,
            stability_passes: quality.stability_passes,
            width_passes: quality.width_passes,
        },
        ci_status: Status { phase: phase.to_owned(), draws },
        from_run_cache: false,
        summary: format!("{:.3} [{low:.3}, {high:.3}] ({phase}, B = {draws})", found.prob_true),
    })
}
