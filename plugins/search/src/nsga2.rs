//! The search `nsga2`, a genetic algorithm that sorts trials by the Pareto fronts they are on.

use jackfield_plugin_api::{Outcome, SearchPolicy, SearchQuestion, Study, Values, prelude::*};

use crate::{
    examples::outcomes,
    history::{History, Trial},
    pareto_front::pareto_ranks,
    pruning::Pruning,
    space::Space,
};

/// Crosses and mutates the best trials of earlier generations: the non-dominated sorting genetic algorithm (Deb and others 2002),
/// for one objective or several.
///
/// The first `population` trials are the first generation, drawn evenly, and so on. The parents of a generation are the best of
/// the one before and of its own parents: those on the better fronts, and on the last front that fits those with the fewest
/// others around them. Each of two parents is the better of two that are drawn. A trial takes each value from either parent, and
/// some values are drawn uniformly instead. Trials that failed, were stopped or are still running are not parents.
#[derive(Clone, Debug, Config)]
pub struct Nsga2 {
    /// How many trials are a generation, and how many are parents of one, 2 to 100,000.
    #[config(default = 20)]
    #[schemars(range(min = 2, max = 100_000))]
    pub population: u32,
    /// How likely a trial has two parents and not one, 0 to 1.
    #[config(default = 0.9)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub crossover: f64,
    /// How likely a value is the second parent's, 0 to 1.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub swap: f64,
    /// How likely a value is drawn evenly, whatever the parents', 0 to 1; one in as many as there are dimensions where it is absent.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub mutation: Option<f64>,
    /// When trials that report are stopped.
    #[config(default)]
    pub prune: Pruning,
}

/// A trial that others derive from.
#[derive(Clone, Debug, PartialEq)]
struct Parent {
    /// Index of the trial in the history.
    trial: usize,
    /// How many fronts are better.
    rank: usize,
    /// How far apart its neighbours on its front are; more is better.
    distance: f64,
}

impl Parent {
    fn is_better_than(&self, other: &Self) -> bool {
        self.rank.cmp(&other.rank).then(other.distance.total_cmp(&self.distance)).is_lt()
    }
}

/// The best of the trials in the pool, at most `size`, the best first.
fn best_parents(history: &History, pool: &[usize], size: usize) -> Vec<Parent> {
    let losses: Vec<&[f64]> = pool.iter().map(|&trial| history.trials[trial].completed_losses()).collect();
    let ranks = pareto_ranks(&losses, size);
    let mut best = Vec::with_capacity(size);
    for rank in 0..=ranks.iter().copied().max().unwrap_or_default() {
        let front: Vec<usize> = (0..pool.len()).filter(|&position| ranks[position] == rank).collect();
        let distances = crowding_distances(&front.iter().map(|&position| losses[position]).collect::<Vec<_>>());
        let parent = |(&position, distance): (&usize, f64)| Parent { trial: pool[position], rank, distance };
        let mut front: Vec<Parent> = front.iter().zip(distances).map(parent).collect();
        front.sort_by(|a, b| b.distance.total_cmp(&a.distance).then(a.trial.cmp(&b.trial)));
        best.extend(front);
        if best.len() >= size {
            break;
        }
    }
    best.truncate(size);
    best
}

/// The crowding distance of each point: how far apart its two neighbours are, summed over the measures, as shares of the range.
fn crowding_distances(points: &[&[f64]]) -> Vec<f64> {
    let mut distances = vec![0.0; points.len()];
    for measure in 0..points.first().map_or(0, |point| point.len()) {
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&a, &b| points[a][measure].total_cmp(&points[b][measure]));
        let value = |position: usize| points[order[position]][measure];
        let last = points.len() - 1;
        if value(0) == value(last) {
            continue;
        }
        // Halved: the difference of two finite numbers may be infinite.
        let reach = value(last) / 2.0 - value(0) / 2.0;
        distances[order[0]] = f64::INFINITY;
        distances[order[last]] = f64::INFINITY;
        for position in 1..last {
            distances[order[position]] += (value(position + 1) / 2.0 - value(position - 1) / 2.0) / reach;
        }
    }
    distances
}

impl Nsga2 {
    /// The parents of this generation; none for the first one.
    fn parents(&self, history: &History, generation: u64) -> Vec<Parent> {
        let size = u64::from(self.population);
        let mut parents: Vec<Parent> = Vec::new();
        let mut next = 0;
        while next < history.numbers.len() && history.numbers[next] / size < generation {
            let current_generation = history.numbers[next] / size;
            let end = history.numbers[next..].partition_point(|number| number / size == current_generation) + next;
            let completed = (next..end).filter(|&trial| matches!(history.trials[trial], Trial::Completed(_)));
            let pool: Vec<usize> = completed.chain(parents.iter().map(|parent| parent.trial)).collect();
            parents = best_parents(history, &pool, self.population as usize);
            next = end;
        }
        parents
    }

    /// The values of a trial that derives from these parents.
    fn child(&self, space: &Space, history: &History, parents: &[Parent], random: &mut Random) -> Values {
        let random_parent = |random: &mut Random, parents: &[Parent]| random.below(parents.len() as u64) as usize;
        let has_two = random.next_f64() < self.crossover && parents.len() > 1;
        let rows = if has_two {
            let tournament = |random: &mut Random, parents: &[Parent]| {
                let (first_drawn, second_drawn) = (random_parent(random, parents), random_parent(random, parents));
                if parents[first_drawn].is_better_than(&parents[second_drawn]) { first_drawn } else { second_drawn }
            };
            let first = tournament(random, parents);
            let others: Vec<Parent> = [&parents[..first], &parents[first + 1..]].concat();
            let second = tournament(random, &others);
            [parents[first].trial, others[second].trial]
        } else {
            [parents[random_parent(random, parents)].trial; 2]
        };
        let rows = rows.map(|trial| history.row(trial));
        let open_axes = space.axes.iter().filter(|axis| !axis.is_fixed()).count();
        let mutation = self.mutation.unwrap_or(1.0 / open_axes.max(1) as f64);
        let mut values = Values::new();
        for (axis_index, axis) in space.axes.iter().enumerate() {
            if !axis.applies(&values) {
                continue;
            }
            let is_second = random.next_f64() < self.swap;
            let is_mutated = random.next_f64() < mutation;
            let pair = if is_second {
                [rows[1][axis_index], rows[0][axis_index]]
            } else {
                [rows[0][axis_index], rows[1][axis_index]]
            };
            // A parent has no value where the condition did not hold for it.
            let inherited = pair.into_iter().find(|number| !number.is_nan() && !is_mutated);
            let number = inherited.unwrap_or_else(|| axis.uniform(random));
            values.insert(axis.name.to_owned(), axis.value(number));
        }
        values
    }
}

impl SearchPolicy for Nsga2 {
    const NAME: &'static str = "nsga2";
    const STABILITY: Stability = Stability::Beta;

    fn open(self) -> Result<Self> {
        if !(2..=100_000).contains(&self.population) {
            let found = format!("`population` is {}: it must be 2 to 100,000", self.population);
            return Err(Failure::InvalidConfig(found));
        }
        let shares = [("crossover", Some(self.crossover)), ("swap", Some(self.swap)), ("mutation", self.mutation)];
        if let Some((name, Some(share))) =
            shares.iter().find(|(_, share)| share.is_some_and(|share| !(0.0..=1.0).contains(&share)))
        {
            return Err(Failure::InvalidConfig(format!("`{name}` is {share}: it must be 0 to 1")));
        }
        self.prune.check_settings()?;
        Ok(self)
    }

    fn check(&self, study: &Study) -> Result<()> {
        self.prune.check(study)
    }

    fn suggest(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values> {
        let space = Space::of(study)?;
        let history = History::of(&space, study, known);
        let parents = self.parents(&history, question.trial / u64::from(self.population));
        let mut random = Random::new(question.seed);
        if parents.is_empty() {
            return Ok(space.uniform(&mut random));
        }
        Ok(self.child(&space, &history, &parents, &mut random))
    }

    fn stop(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool> {
        Ok(self.prune.should_stop(study, known, question))
    }

    fn examples() -> Vec<Example> {
        let known = [(3, 0.4), (4, 0.1)];
        let learn = outcomes("ablation.layer", "kl.mean", &known.map(|(layer, found)| (json!(layer), found)));
        vec![Example {
            summary: "without mutations, the third trial is a child of the first two".to_owned(),
            config: json!({ "population": 2, "crossover": 0.0, "mutation": 0.0 }),
            input: json!({
                "study": {
                    "space": [{ "name": "ablation.layer", "min": 0, "max": 30, "integer": true }],
                    "goals": [{ "name": "kl.mean", "minimize": true }],
                },
                "learn": learn,
                "decide": [{ "trial": 2, "seed": 1 }, { "trial": 3, "seed": 2 }],
            }),
            output: json!({
                "append": learn,
                "decisions": [
                    { "values": { "ablation.layer": 3 }, "stop": false },
                    { "values": { "ablation.layer": 3 }, "stop": false },
                ],
            }),
        }]
    }
}
