//! The search `grid`.

use std::collections::BTreeSet;

use jackfield_plugin_api::{Domain, Outcome, SearchPolicy, SearchQuestion, Study, Values, prelude::*, step_value};

use crate::{
    examples::outcomes,
    pruning::Pruning,
    space::{Axis, Space},
};

/// Picks every combination of values once, in the order of the space: the last dimension changes fastest.
///
/// A trial has the first combination that no earlier one has had, given and failed ones among them. When there is none left,
/// picking fails. Ranges are of steps or integers, or cut into `points`; of integers that are searched by their logarithm, all
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

/// A space, and the combinations of its values in order.
struct Combinations<'a> {
    space: &'a Space<'a>,
    points: u64,
    /// For each axis, the places of the values that a condition names: what follows depends on whether it is one of those.
    named: Vec<Vec<u64>>,
}

/// How many combinations follow upon the values of an axis.
struct Following {
    /// Places of the values that conditions name, in order, with how many follow upon each.
    named: Vec<(u64, u64)>,
    /// How many follow upon any other.
    other: u64,
}

impl<'a> Combinations<'a> {
    fn of(space: &'a Space<'a>, points: Option<u32>) -> Self {
        let mut combinations =
            Self { space, points: points.map_or(1, u64::from), named: vec![Vec::new(); space.axes.len()] };
        for (at, axis) in space.axes.iter().enumerate() {
            let values = space.axes.iter().filter_map(|other| other.when).filter(|when| when.name == axis.name);
            let values = values.flat_map(|when| &when.values).filter_map(|value| axis.number(value));
            let mut places: Vec<u64> = values.filter_map(|number| combinations.place(axis, number)).collect();
            places.sort_unstable();
            places.dedup();
            combinations.named[at] = places;
        }
        combinations
    }

    /// How many values an axis has.
    fn count(&self, axis: &Axis) -> u64 {
        match axis.domain {
            Domain::Float { .. } if axis.is_fixed() => 1,
            Domain::Float { .. } => self.points,
            Domain::Steps { count, .. } => count,
            Domain::LogIntegers { min, max } => max.abs_diff(min) + 1,
            Domain::Choices(choices) => choices.len() as u64,
        }
    }

    fn number(&self, axis: &Axis, place: u64) -> f64 {
        match axis.domain {
            Domain::Float { min, max, log } => {
                let share = place as f64 / (self.points - 1).max(1) as f64;
                let number = if log {
                    let (low, high) = (libm::log(min), libm::log(max));
                    libm::exp(low + (high - low) * share)
                } else {
                    min + (max - min) * share
                };
                // An end is exactly that.
                if place == 0 {
                    min
                } else if place + 1 == self.points {
                    max
                } else {
                    axis.nearest(number)
                }
            }
            Domain::Steps { min, step, .. } => step_value(min, step, place),
            Domain::LogIntegers { min, .. } => min as f64 + place as f64,
            Domain::Choices(_) => place as f64,
        }
    }

    /// Which of the axis' values a number is.
    fn place(&self, axis: &Axis, number: f64) -> Option<u64> {
        let place = match axis.domain {
            Domain::Float { min, max, log } => {
                let scale = |x: f64| if log { libm::log(x) } else { x };
                let share = (scale(number) - scale(min)) / (scale(max) - scale(min));
                if axis.is_fixed() { 0.0 } else { share * (self.points - 1) as f64 }
            }
            Domain::Steps { min, step, .. } => (number - min) / step,
            Domain::LogIntegers { min, .. } => number - min as f64,
            Domain::Choices(_) => number,
        };
        let place = place.round().max(0.0) as u64;
        let found = self.number(axis, place);
        (place < self.count(axis) && (found - number).abs() <= 1e-9 * found.abs().max(number.abs())).then_some(place)
    }

    fn put(&self, values: &mut Values, at: usize, place: u64) {
        let axis = &self.space.axes[at];
        values.insert(axis.name.to_owned(), axis.value(self.number(axis, place)));
    }

    /// How many combinations of the axes from this one on there are beside these values of the ones before.
    fn total(&self, at: usize, values: &mut Values) -> u64 {
        let Some(axis) = self.space.axes.get(at) else { return 1 };
        if !axis.applies(values) {
            return self.total(at + 1, values);
        }
        let Following { named, other } = self.following(at, values);
        let others = (self.count(axis) - named.len() as u64).saturating_mul(other);
        named.iter().fold(others, |sum, (_, count)| sum.saturating_add(*count))
    }

    fn following(&self, at: usize, values: &mut Values) -> Following {
        let named = &self.named[at];
        let mut upon = |place: u64| {
            self.put(values, at, place);
            let total = self.total(at + 1, values);
            values.remove(&self.space.axes[at].name.to_owned());
            total
        };
        let any = (0..).find(|place| !named.contains(place)).filter(|place| *place < self.count(&self.space.axes[at]));
        Following { named: named.iter().map(|&place| (place, upon(place))).collect(), other: any.map_or(0, &mut upon) }
    }

    /// The combination of this rank, which is less than the total.
    fn combination(&self, mut rank: u64) -> Values {
        let mut values = Values::new();
        for at in 0..self.space.axes.len() {
            if !self.space.axes[at].applies(&values) {
                continue;
            }
            let Following { named, other } = self.following(at, &mut values);
            let mut place = 0;
            for (until, count) in named {
                let before = (until - place).saturating_mul(other);
                if rank < before {
                    break;
                }
                rank -= before;
                place = until;
                if rank < count {
                    break;
                }
                rank -= count;
                place += 1;
            }
            if !self.named[at].contains(&place) && other > 0 {
                place += rank / other;
                rank %= other;
            }
            self.put(&mut values, at, place);
        }
        values
    }

    /// The rank of a combination; none of values that are not one.
    fn rank(&self, given: &Values) -> Option<u64> {
        let mut values = Values::new();
        let mut rank: u64 = 0;
        for (at, axis) in self.space.axes.iter().enumerate() {
            if !axis.applies(&values) {
                continue;
            }
            let place = self.place(axis, axis.number(given.get(axis.name)?)?)?;
            let Following { named, other } = self.following(at, &mut values);
            let before = named.iter().filter(|(named, _)| *named < place);
            let others = place - before.clone().count() as u64;
            let skipped = before.fold(others.saturating_mul(other), |sum, (_, count)| sum.saturating_add(*count));
            rank = rank.saturating_add(skipped);
            self.put(&mut values, at, place);
        }
        Some(rank)
    }
}

impl SearchPolicy for Grid {
    const NAME: &'static str = "grid";
    const STABILITY: Stability = Stability::Beta;

    fn open(self) -> Result<Self> {
        if let Some(points) = self.points.filter(|points| !(2..=1_000_000).contains(points)) {
            let found = format!("`points` is {points}, and lies outside 2 to 1,000,000");
            return Err(Failure::InvalidConfig(found));
        }
        self.prune.open()?;
        Ok(self)
    }

    fn check(&self, study: &Study) -> Result<()> {
        let space = Space::of(study)?;
        let is_endless = |axis: &&Axis| matches!(axis.domain, Domain::Float { .. }) && !axis.is_fixed();
        let endless: Vec<_> = space.axes.iter().filter(is_endless).map(|axis| format!("`{}`", axis.name)).collect();
        if self.points.is_none() && !endless.is_empty() {
            return Err(Failure::InvalidConfig(format!(
                "a grid needs a list of values, and {} have any of a range: give each a `step`, or the grid `points`, such as \
                 `with = {{ points = 5 }}`",
                endless.join(", ")
            )));
        }
        self.prune.check(study)
    }

    fn suggest(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values> {
        let space = Space::of(study)?;
        let combinations = Combinations::of(&space, self.points);
        let earlier = known.iter().map(|outcome| &outcome.values).chain(&question.pending);
        let tried: BTreeSet<u64> = earlier.filter_map(|values| combinations.rank(values)).collect();
        let total = combinations.total(0, &mut Values::new());
        match (0..total)
            .zip(tried.iter().map(Some).chain(std::iter::repeat(None)))
            .find(|(rank, tried)| Some(rank) != *tried)
        {
            Some((rank, _)) => Ok(combinations.combination(rank)),
            None => Err(Failure::OverBudget(format!("all {total} combinations of the grid are tried"))),
        }
    }

    fn stop(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool> {
        Ok(self.prune.stops(study, known, question))
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
