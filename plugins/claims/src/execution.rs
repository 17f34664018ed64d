//! The record of one claim, made from its plan and the answers to it.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::{
    estimate::{Estimate, Options, Samples, estimate},
    record::{Aggregates, Aggregation, Execution, Plan, PromptQuality, Sample, Status},
    score, seed,
};

/// The fewest valid answers that an estimate is made from.
pub(crate) const FEWEST_ANSWERS: usize = 3;

/// Below so many templates their plain mean is the centre, since nothing is trimmed from so few.
const FEWEST_TRIMMED_TEMPLATES: usize = 5;

/// Whether the interval is made with all the draws that the plan asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Fewer draws than planned.
    Fast,
    /// As many draws as planned, or more.
    Final,
}

impl Phase {
    const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Final => "final",
        }
    }
}

/// A valid answer.
struct ValidAnswer<'a> {
    prompt_sha256: &'a str,
    probability: f64,
}

/// Estimates from the valid answers and records how that was done.
///
/// # Errors
/// [`Failure::InvalidOutput`] if fewer than [`FEWEST_ANSWERS`] answers are valid, [`Failure::InvalidInput`] if the plan
/// asks for more draws than can be made.
pub(crate) fn execution(plan: &Plan, samples: &[Sample], draws: u32, phase: Phase) -> Result<Execution> {
    let attempted = plan.slots.len();
    let answers = valid_answers(samples, attempted)?;
    let counts_by_template = counts_by_template(&answers);
    let options = Options::new(draws, bootstrap_seed(plan, draws, &counts_by_template));
    let grouped = Samples::group(answers.iter().map(|answer| (answer.prompt_sha256, answer.probability)));
    let estimate = estimate(&grouped, &options).map_err(|error| Failure::InvalidInput(error.to_string()))?;
    let compliance_rate = answers.len() as f64 / attempted as f64;
    Ok(Execution {
        run_id: plan.run_key.chars().take(16).collect(),
        claim: plan.claim.clone(),
        model: plan.model.clone(),
        provider: plan.provider.clone(),
        prompt_version: plan.prompt_version.clone(),
        sampling: plan.sampling,
        aggregation: aggregation(plan, &options, &estimate, counts_by_template),
        aggregates: aggregates(&estimate, compliance_rate),
        prompt_quality: prompt_quality(&estimate, compliance_rate),
        ci_status: Status { phase: phase.name().to_owned(), draws },
        from_run_cache: false,
        summary: summary(&estimate, phase, draws),
    })
}

/// The answers that are valid, in order. Too few are a failure that says why the first other one is not.
fn valid_answers(samples: &[Sample], attempted: usize) -> Result<Vec<ValidAnswer<'_>>> {
    let answers: Vec<ValidAnswer<'_>> = samples
        .iter()
        .filter_map(|sample| Some(ValidAnswer { prompt_sha256: &sample.prompt_sha256, probability: sample.prob_true? }))
        .collect();
    if answers.len() >= FEWEST_ANSWERS {
        return Ok(answers);
    }
    let first_reason = match samples.iter().find_map(|sample| sample.invalid.as_deref()) {
        Some(reason) => format!("; the first that is not: {reason}"),
        None => String::new(),
    };
    let count = answers.len();
    Err(Failure::InvalidOutput(format!(
        "{count} of {attempted} answers are valid, {FEWEST_ANSWERS} are needed{first_reason}"
    )))
}

/// Valid answers by the digest of their prompt.
fn counts_by_template(answers: &[ValidAnswer<'_>]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.prompt_sha256.to_owned()).or_insert(0) += 1;
    }
    counts
}

/// The seed of the plan, or else the one that is derived from what was asked.
fn bootstrap_seed(plan: &Plan, draws: u32, counts_by_template: &BTreeMap<String, usize>) -> u64 {
    if let Some(seed) = plan.seed {
        return seed;
    }
    let template_hashes: Vec<String> = counts_by_template.keys().cloned().collect();
    seed::Plan {
        model: &plan.model,
        prompt_version: &plan.prompt_version,
        claim: &plan.claim,
        slots: plan.sampling.slots,
        replicates: plan.sampling.replicates,
        trim: 0.2,
        draws,
        template_hashes: &template_hashes,
    }
    .seed()
}

fn aggregation(
    plan: &Plan,
    options: &Options,
    estimate: &Estimate,
    counts_by_template: BTreeMap<String, usize>,
) -> Aggregation {
    let n_templates = estimate.counts_by_template.len();
    Aggregation {
        method: "clustered bootstrap of template means in logit space".to_owned(),
        draws: options.draws,
        center: if n_templates < FEWEST_TRIMMED_TEMPLATES { "mean" } else { "trimmed" }.to_owned(),
        trim: options.trim,
        bootstrap_seed: options.seed,
        seed_origin: plan.seed_origin.clone(),
        n_templates,
        counts_by_template,
        imbalance_ratio: plan.imbalance_ratio,
        template_iqr_logit: estimate.template_iqr_logit,
    }
}

fn aggregates(estimate: &Estimate, compliance_rate: f64) -> Aggregates {
    let stability_band = match estimate.stability_band {
        Some(score::Band::High) => "high",
        Some(score::Band::Medium) => "medium",
        Some(score::Band::Low) => "low",
        None => "unknown",
    };
    Aggregates {
        prob_true: estimate.prob_true,
        ci95: estimate.ci95,
        ci_width: estimate.ci_width,
        stability_score: estimate.stability_score,
        stability_band: stability_band.to_owned(),
        is_stable: estimate.is_stable,
        compliance_rate,
    }
}

fn prompt_quality(estimate: &Estimate, compliance_rate: f64) -> PromptQuality {
    let quality = score::PromptQuality::of(estimate.stability_score, estimate.ci_width, compliance_rate);
    PromptQuality {
        score: quality.score,
        compliance_passes: quality.compliance_passes,
        stability_passes: quality.stability_passes,
        width_passes: quality.width_passes,
    }
}

/// The estimate on one line: `0.252 [0.235, 0.267] (final, B = 5000)`, with a word on what a single wording leaves open.
fn summary(estimate: &Estimate, phase: Phase, draws: u32) -> String {
    let [low, high] = estimate.ci95;
    let (probability, phase) = (estimate.prob_true, phase.name());
    let unknown = if estimate.stability_band.is_none() { ", one wording: stability not known" } else { "" };
    format!("{probability:.3} [{low:.3}, {high:.3}] ({phase}, B = {draws}){unknown}")
}
