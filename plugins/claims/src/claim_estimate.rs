//! The analyzer `claim-estimate`: what the answers about a claim add up to.

use jackfield_plugin_api::prelude::*;

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
