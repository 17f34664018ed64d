//! The policy `pareto`, which picks the arm of the Pareto front that is nearest to the ideal point.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::{
    arm_statistics::{Average, greatest, in_context},
    decision_random::DecisionRandom,
    epsilon_greedy::uniform_arm,
    name_map::NameMap,
    pareto_front::pareto_front,
    reward::check_share,
};

/// Picks the arm that comes nearest to the ideal point, of those that no other arm dominates.
///
/// Each context keeps the mean of every objective by arm. Of the arms on the front of the preference's objectives, the one
/// at the least weighted Euclidean distance from the ideal point (compromise programming: Zeleny 1973) is picked, where each
/// objective runs from 0 at the best arm to 1 at the worst; ties go by name. An arm that has no value for an objective is
/// worst in it. Of two arms, each is best or worst in everything: the preference then says which objective matters more, and
/// not how much, unless `spans` says what a difference is worth. Scores are 1 - distance. Arms without so many trials come
/// first, those with the fewest of them before others.
#[derive(Clone, Debug, Config)]
pub struct Pareto {
    /// How much each objective counts, such as `{ cost = 0.3, quality = 0.6, diversity = 0.1 }`: 0 or more, and in relation
    /// to the others alone. What it does not name is kept for the record, and counts for nothing.
    pub preference: BTreeMap<String, f64>,
    /// How far each objective runs from best to worst, such as `{ cost = 1.0, quality = 0.2 }`, above 0: a difference between
    /// arms is held against this, and a small one counts for little. What it does not name runs as far as the arms do.
    #[config(default)]
    pub spans: BTreeMap<String, f64>,
    /// How many outcomes or failures an arm has in a context before it is compared; at least 1. More are better where an
    /// objective is as noisy as right and wrong.
    #[config(default = 1)]
    #[schemars(range(min = 1))]
    pub trials: u32,
    /// How likely any arm is picked instead, 0 to 1, so that means stay true where arms change.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub epsilon: f64,
}

/// What `pareto` has measured.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Measures {
    /// For each objective, whether less of it is better.
    #[serde(default)]
    pub minimize: BTreeMap<String, bool>,
    /// The arms of each context.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Measured>>")]
    pub contexts: BTreeMap<String, NameMap<Measured>>,
}

/// What is known of an arm in a context.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Measured {
    /// Outcomes that had objectives, and failures.
    pub trials: u64,
    /// The objectives.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Average>")]
    pub objectives: NameMap<Average>,
}

impl Pareto {
    /// Each arm's objectives, those of the preference in order of their names: 0 is the best of all arms, 1 the worst, or as far
    /// from the best as `spans` says.
    fn normalized_points(&self, minimize: &BTreeMap<String, bool>, measured: &[Option<&Measured>]) -> Vec<Vec<f64>> {
        let mut points = vec![Vec::with_capacity(self.preference.len()); measured.len()];
        for (index, name) in self.preference.keys().enumerate() {
            let sign = if minimize.get(name).copied().unwrap_or_default() { 1.0 } else { -1.0 };
            let value = |arm: &Option<&Measured>| Some(sign * arm.as_ref()?.objectives.get(name, index)?.mean);
            let values: Vec<Option<f64>> = measured.iter().map(value).collect();
            let known_values = || values.iter().flatten().copied();
            let best = known_values().fold(f64::INFINITY, f64::min);
            let worst = known_values().fold(f64::NEG_INFINITY, f64::max);
            // Halved: the span of two finite numbers may be infinite.
            let half_range = worst / 2.0 - best / 2.0;
            let half_span = self.spans.get(name).map_or(half_range, |span| span / 2.0);
            let scaled = |half_distance: f64| if half_distance <= 0.0 { 0.0 } else { half_distance / half_span };
            for (point, value) in points.iter_mut().zip(values) {
                point.push(value.map_or_else(|| scaled(half_range).max(1.0), |value| scaled(value / 2.0 - best / 2.0)));
            }
        }
        points
    }

    /// 1 less the distance from the ideal point, which is 0 in each objective.
    fn nearness(&self, point: &[f64]) -> f64 {
        let total: f64 = self.preference.values().sum();
        let squares = self.preference.values().zip(point).map(|(weight, share)| weight / total * share * share);
        1.0 - squares.sum::<f64>().sqrt()
    }
}

impl RoutingPolicy for Pareto {
    const NAME: &'static str = "pareto";
    const STABILITY: Stability = Stability::Beta;
    const LEARNS: Learns = Learns::Objectives;
    type State = Measures;

    fn open(self) -> Result<Self> {
        if let Some((name, weight)) = self.preference.iter().find(|(_, weight)| !(0.0..=1e9).contains(*weight)) {
            let found = format!("`preference.{name}` is {weight}: it must be 0 to 1e9");
            return Err(Failure::InvalidConfig(found));
        }
        if let Some((name, span)) = self.spans.iter().find(|(_, span)| !(**span > 0.0 && **span <= 1e9)) {
            let found = format!("`spans.{name}` is {span}: it must be above 0 and at most 1e9");
            return Err(Failure::InvalidConfig(found));
        }
        if let Some(name) = self.spans.keys().find(|name| !self.preference.contains_key(*name)) {
            return Err(Failure::InvalidConfig(format!("`spans` has `{name}`, which `preference` does not have")));
        }
        if self.preference.values().sum::<f64>() <= 0.0 {
            return Err(Failure::InvalidConfig("`preference` gives no objective a weight above 0".to_owned()));
        }
        if self.trials == 0 {
            return Err(Failure::InvalidConfig("`trials` is at least 1".to_owned()));
        }
        check_share("epsilon", self.epsilon)?;
        Ok(self)
    }

    fn decide(&self, state: &Measures, question: &Question) -> Result<Decision> {
        let arms = &question.arms;
        let context_measures = state.contexts.get(&question.context);
        let measured: Vec<Option<&Measured>> = (arms.iter().enumerate())
            .map(|(index, arm)| context_measures.and_then(|measures| measures.get(&arm.name, index)))
            .collect();
        let points = self.normalized_points(&state.minimize, &measured);
        let mut scores = Vec::with_capacity(arms.len());
        // The fewer trials an arm has, the greater is its score; none for an arm with enough of them.
        let mut untried_scores = Vec::with_capacity(arms.len());
        for (arm, point) in measured.iter().zip(&points) {
            let has_objectives = arm.is_some_and(|arm| arm.objectives.iter().next().is_some());
            scores.push(has_objectives.then(|| self.nearness(point)));
            let trials = arm.map_or(0, |arm| arm.trials);
            untried_scores.push((trials < u64::from(self.trials)).then_some(-(trials as f64)));
        }
        if let Some(arm) = greatest(arms, &untried_scores) {
            return Ok(Decision { arm, scores });
        }
        if self.epsilon > 0.0 && DecisionRandom::new(question.seed).uniform() < self.epsilon {
            return Ok(Decision { arm: uniform_arm(question).unwrap_or_default(), scores });
        }
        let is_on_front = pareto_front(&points);
        let front_scores: Vec<_> =
            scores.iter().zip(is_on_front).map(|(score, is_on)| score.filter(|_| is_on)).collect();
        // Where only failures are known, the first name is as good as any.
        let arm = greatest(arms, &front_scores).or_else(|| greatest(arms, &vec![Some(0.0); arms.len()]));
        Ok(Decision { arm: arm.unwrap_or_default(), scores })
    }

    fn learn(&self, state: &mut Measures, outcome: &Outcome) -> Result<()> {
        self.check_outcome(outcome)?;
        for arm in outcome.failed() {
            let arm = in_context(&mut state.contexts, &outcome.context).entry(arm);
            arm.trials = arm.trials.saturating_add(1);
        }
        let Some(arm) = outcome.used().filter(|_| !outcome.objectives.is_empty()) else { return Ok(()) };
        let arm = in_context(&mut state.contexts, &outcome.context).entry(arm);
        arm.trials = arm.trials.saturating_add(1);
        for objective in &outcome.objectives {
            arm.objectives.entry(&objective.name).add(objective.value);
            state.minimize.insert(objective.name.clone(), objective.minimize);
        }
        Ok(())
    }

    fn examples() -> Vec<Example> {
        let outcome = |arm: &str, cost: f64, quality: f64| {
            let cost = json!({ "name": "cost", "value": cost, "minimize": true });
            json!({ "attempts": [{ "arm": arm }], "objectives": [cost, { "name": "quality", "value": quality }] })
        };
        let known = |cost: f64, quality: f64| {
            let average = |mean: f64| json!({ "count": 1, "mean": mean });
            json!({ "trials": 1, "objectives": { "cost": average(cost), "quality": average(quality) } })
        };
        let names = ["cheap", "dear", "poor"];
        vec![Example {
            summary: "the dear arm is the better one, and `poor` is worse than `cheap` at the same cost".to_owned(),
            config: json!({ "preference": { "cost": 0.1, "quality": 0.9 } }),
            input: json!({
                "arms": names.map(|name| json!({ "name": name, "with": {} })),
                "learn": [outcome("cheap", 1.0, 0.5), outcome("dear", 5.0, 1.0), outcome("poor", 1.0, 0.0)],
                "decide": [{ "seed": 0 }],
            }),
            output: json!({
                "state": {
                    "minimize": { "cost": true, "quality": false },
                    "contexts": { "": { "cheap": known(1.0, 0.5), "dear": known(5.0, 1.0), "poor": known(1.0, 0.0) } },
                },
                "decisions": [{ "arm": 1, "scores": [1.0 - 0.225_f64.sqrt(), 1.0 - 0.1_f64.sqrt(), 1.0 - 0.9_f64.sqrt()] }],
            }),
        }]
    }
}

impl Pareto {
    /// Whether the outcome can be learned from: before anything is, so that it is as a whole or not at all.
    fn check_outcome(&self, outcome: &Outcome) -> Result<()> {
        let objectives = &outcome.objectives;
        if let Some(wrong) = objectives.iter().find(|objective| !objective.value.is_finite()) {
            let found = format!("the objective `{}` is {}: it must be finite", wrong.name, wrong.value);
            return Err(Failure::InvalidInput(found));
        }
        if !objectives.is_empty() && !objectives.iter().any(|found| self.preference.contains_key(&found.name)) {
            let found: Vec<_> = objectives.iter().map(|objective| format!("`{}`", objective.name)).collect();
            let wanted: Vec<_> = self.preference.keys().map(|name| format!("`{name}`")).collect();
            return Err(Failure::InvalidInput(format!(
                "the preference is about {}, the outcome about {}",
                wanted.join(", "),
                found.join(", ")
            )));
        }
        Ok(())
    }
}
