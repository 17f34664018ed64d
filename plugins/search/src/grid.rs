//! The search `grid`, which tries every combination of values once.

use std::collections::BTreeSet;

use jackfield_plugin_api::{Domain, Outcome, SearchPolicy, SearchQuestion, Study, Values, prelude::*};

use crate::{
    combinations::Combinations,
    examples::outcomes,
    pruning::Pruning,
    space::{Axis, Space},
};

/// Picks every combination of values once, in the order of the space: the last dimension changes fastest.
///
/// A trial has the first combination that no earlier one has had, given and failed ones among them. When there is none left,
/// suggesting fails. Ranges are of steps or integers, or cut into `points`; of integers that are searched by their logarithm, all
/// are tried.
#[derive(Clone, Debug, Config)]
pub struct Grid {
    /// How many values a range without steps is cut into, evenly, both ends among them: 2 to 1,000,000. By the logarithm, where
    /// that is what is searched evenly.
    #[schemars(range(min = 2, max = 1_000_000))]
    pub points: Option<u32>,
    /// When trials that report are stopped.
    #[config(default)]
    pub prune: Pruning,
}

impl SearchPolicy for Grid {
    const NAME: &'static str = "grid";
    const STABILITY: Stability = Stability::Beta;

    fn open(self) -> Result<Self> {
        if let Some(points) = self.points.filter(|points| !(2..=1_000_000).contains(points)) {
            let found = format!("`points` is {points}: it must be 2 to 1,000,000");
            return Err(Failure::InvalidConfig(found));
        }
        self.prune.check_settings()?;
        Ok(self)
    }

    fn check(&self, study: &Study) -> Result<()> {
        let space = Space::of(study)?;
        let is_continuous = |axis: &&Axis| matches!(axis.domain, Domain::Float { .. }) && !axis.is_fixed();
        let continuous_axes: Vec<_> =
            space.axes.iter().filter(is_continuous).map(|axis| format!("`{}`", axis.name)).collect();
        if self.points.is_none() && !continuous_axes.is_empty() {
            return Err(Failure::InvalidConfig(format!(
                "a grid needs a list of values, and {} have any of a range: give each a `step`, or the grid `points`, such as \
                 `with = {{ points = 5 }}`",
                continuous_axes.join(", ")
            )));
        }
        self.prune.check(study)
    }

    fn suggest(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values> {
        let space = Space::of(study)?;
        let combinations = Combinations::of(&space, self.points);
        let earlier = known.iter().map(|outcome| &outcome.values).chain(&question.pending);
        let tried_ranks: BTreeSet<u64> = earlier.filter_map(|values| combinations.rank(values)).collect();
        let total = combinations.combinations_from(0, &mut Values::new());
        match (0..total)
            .zip(tried_ranks.iter().map(Some).chain(std::iter::repeat(None)))
            .find(|(rank, tried_ranks)| Some(rank) != *tried_ranks)
        {
            Some((rank, _)) => Ok(combinations.combination(rank)),
            None => Err(Failure::OverBudget(format!("all {total} combinations of the grid are tried"))),
        }
    }

    fn stop(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool> {
        Ok(self.prune.should_stop(study, known, question))
    }

    fn examples() -> Vec<Example> {
        let learn = outcomes("ablation.layer", "kl.mean", &[(json!(10), 0.4)]);
        vec![Example {
            summary: "what follows upon the first of three layers".to_owned(),
            config: json!({}),
            input: json!({
                "study": {
                    "space": [{ "name": "ablation.layer", "min": 10, "max": 20, "step": 5, "integer": true }],
                    "goals": [{ "name": "kl.mean", "minimize": true }],
                },
                "learn": learn,
                "decide": [{ "trial": 1, "seed": 1 }, { "trial": 2, "pending": [{ "ablation.layer": 15 }], "seed": 2 }],
            }),
            output: json!({
                "append": learn,
                "decisions": [
                    { "values": { "ablation.layer": 15 }, "stop": false },
                    { "values": { "ablation.layer": 20 }, "stop": false },
                ],
            }),
        }]
    }
}
