//! The search `random`, which draws values uniformly.

use jackfield_plugin_api::{Outcome, SearchPolicy, SearchQuestion, Study, Values, prelude::*};

use crate::{pruning::Pruning, space::Space};

/// Picks any values, evenly: what a search has to beat.
///
/// Ranges that are searched by their logarithm are drawn evenly by it. Nothing is learned, but for when to stop a trial.
#[derive(Clone, Debug, Config)]
pub struct RandomSearch {
    /// When trials that report are stopped.
    #[config(default)]
    pub prune: Pruning,
}

impl SearchPolicy for RandomSearch {
    const NAME: &'static str = "random";
    const STABILITY: Stability = Stability::Beta;

    fn open(self) -> Result<Self> {
        self.prune.check_settings()?;
        Ok(self)
    }

    fn check(&self, study: &Study) -> Result<()> {
        self.prune.check(study)
    }

    fn suggest(&self, study: &Study, _known: &[Outcome], question: &SearchQuestion) -> Result<Values> {
        Ok(Space::of(study)?.uniform(&mut Random::new(question.seed)))
    }

    fn stop(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool> {
        Ok(self.prune.should_stop(study, known, question))
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "a layer and a scope".to_owned(),
            config: json!({}),
            input: json!({
                "study": {
                    "space": [
                        { "name": "ablation.layer", "min": 0, "max": 30, "integer": true },
                        { "name": "ablation.scope", "choices": ["global", "per layer"] },
                    ],
                    "goals": [{ "name": "kl.mean", "minimize": true }],
                },
                "decide": [{ "trial": 0, "seed": 1 }, { "trial": 1, "seed": 2 }],
            }),
            output: json!({
                "decisions": [
                    { "values": { "ablation.layer": 17, "ablation.scope": "per layer" }, "stop": false },
                    { "values": { "ablation.layer": 18, "ablation.scope": "per layer" }, "stop": false },
                ],
            }),
        }]
    }
}
