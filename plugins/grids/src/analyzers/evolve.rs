//! The analyzer `grid-evolve`, which varies programs over generations of mutation, recombination and selection.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
};

use jackfield_plugin_api::prelude::*;

use super::{
    examples,
    score::scored,
    settings::{LimitTable, SetOrder, options},
};
use crate::{
    evaluate::Options,
    primitives::Primitive,
    program::{Program as Parsed, canonical, cross, mutate, parse},
    record::Program,
    task::Demo,
};

/// What `grid-evolve` reads.
#[derive(Document, Clone, Debug)]
pub struct EvolveInput {
    /// The demonstrations of the task.
    #[serde(deserialize_with = "crate::task::read_demos")]
    pub demos: Vec<Demo>,
    /// Programs to begin with; those that cannot be read are left out.
    #[serde(default)]
    pub programs: Vec<Program>,
}

/// A generation.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Generation {
    /// Number of the generation; 0 is what the search begins with.
    pub generation: u32,
    /// The best score, 0 to 1000.
    pub best: u32,
    /// The mean score of those that live.
    pub mean: f64,
    /// Different results on the demonstrations among those that live.
    pub distinct: u32,
    /// Programs that were run so far.
    pub evaluations: u64,
}

/// What `grid-evolve` answers.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Evolved {
    /// The best programs, the best first.
    pub programs: Vec<Program>,
    /// Whether the best one gets every demonstration right.
    pub solved: bool,
    /// What ended the search: `solved`, `generations`, `evaluations`, `exhausted` (no new program was found) or `time`.
    pub stopped: String,
    /// Each generation.
    #[schemars(extend("x-view" = "series"))]
    pub generations: Vec<Generation>,
}

/// Searches for a program that gets the demonstrations of a task right, by generations of mutation, recombination and selection.
///
/// The first generation are the programs that are given and every primitive on its own. The best by score live, then the smallest,
/// then by their text; of programs that do the same on the demonstrations only a few. Each body is run once. All that is drawn derives
/// from the seed of the run and the item, or from `seed`, and nothing depends on speed unless `seconds` ends the search: then
/// `stopped` says so, and `generations` how far it came, which is what to set to have the same again.
#[derive(Config)]
pub struct GridEvolve {
    /// Generations after the first, at most.
    #[config(default = 40)]
    #[schemars(range(min = 1, max = 100_000))]
    pub generations: u32,
    /// Programs that live from one generation to the next, at most.
    #[config(default = 96)]
    #[schemars(range(min = 2, max = 100_000))]
    pub population: usize,
    /// New programs that a generation makes, at most.
    #[config(default = 192)]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub children: usize,
    /// Programs that are run, at most.
    #[config(default = 20_000)]
    #[schemars(range(min = 1))]
    pub evaluations: u64,
    /// Seconds after which no further generation begins; any time without it. Not in a sandbox, which has no clock.
    #[schemars(range(min = 0.001))]
    pub seconds: Option<f64>,
    /// How many programs are answered.
    #[config(default = 4)]
    #[schemars(range(min = 1, max = 100_000))]
    pub keep: usize,
    /// Programs that do the same on the demonstrations and live side by side, at most.
    #[config(default = 3)]
    #[schemars(range(min = 1, max = 100_000))]
    pub alike: usize,
    /// Lines of a program, at most: longer ones do not live.
    #[config(default = 24)]
    #[schemars(range(min = 1, max = 2_000))]
    pub lines: u32,
    /// Seed of what is drawn; that of the run and the item without it.
    pub seed: Option<u64>,
    /// The order of sets.
    #[serde(default)]
    pub order: SetOrder,
    /// What a program may take on one input.
    #[serde(default)]
    pub limits: LimitTable,
}

/// A program that lives.
struct Living {
    program: Parsed,
    score: u32,
    size: u32,
    body: String,
    outcomes: Vec<String>,
}

impl Living {
    fn rank(&self) -> (Reverse<u32>, u32, &str) {
        (Reverse(self.score), self.size, &self.body)
    }
}

/// A search in the course of time.
struct Search<'a> {
    config: &'a GridEvolve,
    demos: &'a [Demo],
    options: Options,
    /// The bodies of all programs so far.
    seen: HashSet<String>,
    living: Vec<Living>,
    evaluations: u64,
}

impl Search<'_> {
    /// Runs those of the programs that are new, as far as the budget goes; says whether there was a new one.
    fn add(&mut self, programs: Vec<Parsed>, host: &Host<'_>) -> Result<bool> {
        let (mut fresh, mut bodies) = (Vec::new(), Vec::new());
        for program in programs {
            if self.evaluations == self.config.evaluations {
                break;
            }
            let body = canonical(&program);
            let size = body.size();
            if size > self.config.lines {
                continue;
            }
            let text = body.text();
            if !self.seen.insert(text.clone()) {
                continue;
            }
            self.evaluations += 1;
            bodies.push(body);
            fresh.push((program, size, text));
        }
        let is_new = !fresh.is_empty();
        let scored = scored(self.demos, &bodies, self.options, None, host)?.0;
        self.living.extend(fresh.into_iter().zip(scored).map(|((program, size, body), scored)| Living {
            program,
            score: scored.score,
            size,
            body,
            outcomes: scored.outcomes,
        }));
        self.select();
        Ok(is_new)
    }

    /// The best live on, of those that do the same a few.
    fn select(&mut self) {
        self.living.sort_by(|one, other| one.rank().cmp(&other.rank()));
        let mut alike: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        let most = self.config.alike;
        self.living.retain(|living| {
            let count = alike.entry(living.outcomes.clone()).or_default();
            *count += 1;
            *count <= most
        });
        self.living.truncate(self.config.population);
    }

    fn best(&self) -> u32 {
        self.living.first().map_or(0, |best| best.score)
    }

    fn generation(&self, generation: u32) -> Generation {
        let sum: u64 = self.living.iter().map(|living| u64::from(living.score)).sum();
        let distinct: HashSet<&Vec<String>> = self.living.iter().map(|living| &living.outcomes).collect();
        Generation {
            generation,
            best: self.best(),
            mean: if self.living.is_empty() { 0.0 } else { sum as f64 / self.living.len() as f64 },
            distinct: distinct.len() as u32,
            evaluations: self.evaluations,
        }
    }

    /// The better of two that are drawn.
    fn parent(&self, random: &mut Random) -> &Parsed {
        let among = self.living.len() as u64;
        let at = random.below(among).min(random.below(among));
        &self.living[at as usize].program
    }

    fn children(&self, random: &mut Random) -> Vec<Parsed> {
        let child = |random: &mut Random| {
            let mut child = match random.below(10) {
                0..=3 => cross(self.parent(random), self.parent(random), random),
                _ => mutate(self.parent(random), random),
            };
            // Now and then more than one thing has to change.
            while random.below(4) == 0 {
                child = mutate(&child, random);
            }
            child
        };
        (0..self.config.children).map(|_| child(random)).collect()
    }
}

/// Every primitive of one argument on its own.
fn singles(task: &str) -> impl Iterator<Item = Parsed> {
    Primitive::all().filter(|primitive| primitive.arity() == 1).filter_map(move |primitive| {
        let name = primitive.row().name;
        parse(&format!("def solve_{task}(I):\n    O = {name}(I)\n    return O\n")).ok()
    })
}

/// A point in time after which no generation begins.
#[cfg(not(target_family = "wasm"))]
struct Deadline(Option<std::time::Instant>);

#[cfg(not(target_family = "wasm"))]
impl Deadline {
    fn after(seconds: Option<f64>) -> Result<Self> {
        let seconds = seconds.map(std::time::Duration::try_from_secs_f64).transpose();
        let seconds = seconds.map_err(|error| Failure::InvalidConfig(format!("`seconds`: {error}")))?;
        Ok(Self(seconds.and_then(|seconds| std::time::Instant::now().checked_add(seconds))))
    }

    fn is_over(&self) -> bool {
        self.0.is_some_and(|end| std::time::Instant::now() >= end)
    }
}

/// A point in time after which no generation begins: there is none in a sandbox.
#[cfg(target_family = "wasm")]
struct Deadline;

#[cfg(target_family = "wasm")]
impl Deadline {
    fn after(seconds: Option<f64>) -> Result<Self> {
        match seconds {
            None => Ok(Self),
            Some(_) => Err(Failure::InvalidConfig("`seconds` needs a clock, and a sandbox has none".to_owned())),
        }
    }

    fn is_over(&self) -> bool {
        false
    }
}

impl Analyzer for GridEvolve {
    const NAME: &'static str = "grid-evolve";
    const STABILITY: Stability = Stability::Beta;
    type Input = EvolveInput;
    type Output = Evolved;

    fn open(self) -> Result<Self> {
        Deadline::after(self.seconds)?;
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        examples::evolve()
    }

    async fn analyze(&self, input: EvolveInput, host: &Host<'_>) -> Result<Evolved> {
        let EvolveInput { demos, programs } = input;
        if demos.is_empty() {
            let found = "the task has no demonstrations: there is nothing to search by".to_owned();
            return Err(Failure::InvalidInput(found));
        }
        let deadline = Deadline::after(self.seconds)?;
        let mut random = self.seed.map_or_else(|| host.random(), Random::new);
        let mut first: Vec<Parsed> = programs.iter().filter_map(|program| parse(&program.text).ok()).collect();
        let task = first.first().map_or_else(|| "task".to_owned(), |program| program.task.clone());
        first.extend(singles(&task));
        let mut search = Search {
            config: self,
            demos: &demos,
            options: options(self.order, self.limits, true, true),
            seen: HashSet::new(),
            living: Vec::new(),
            evaluations: 0,
        };
        search.add(first, host)?;
        let mut generations = vec![search.generation(0)];
        // A generation without a new program is bad luck; several are the end of it.
        let mut barren = 0;
        let stopped = loop {
            let done = generations.len() as u32 - 1;
            if search.best() == 1000 {
                break "solved";
            }
            if search.evaluations == self.evaluations {
                break "evaluations";
            }
            if done == self.generations {
                break "generations";
            }
            if barren == 5 || search.living.is_empty() {
                break "exhausted";
            }
            if deadline.is_over() {
                break "time";
            }
            if host.cancelled() {
                return Err(Failure::Cancelled("the search was stopped".to_owned()));
            }
            host.progress(u64::from(done), Some(u64::from(self.generations)), "generations");
            let children = search.children(&mut random);
            barren = if search.add(children, host)? { 0 } else { barren + 1 };
            generations.push(search.generation(done + 1));
        };
        let named = |(at, living): (usize, &Living)| Program {
            name: format!("evolved/{at}"),
            text: living.program.to_string(),
        };
        Ok(Evolved {
            programs: search.living.iter().take(self.keep).enumerate().map(named).collect(),
            solved: search.best() == 1000,
            stopped: stopped.to_owned(),
            generations,
        })
    }
}
