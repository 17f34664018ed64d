//! The analyzer `grid-keep`, which keeps the best programs of a task.

use std::{collections::HashMap, rc::Rc};

use jackfield_plugin_api::prelude::*;

use super::{
    examples,
    score::body_of,
    settings::{LimitTable, SetOrder, options},
};
use crate::{
    evaluate::{self, Forest, Options},
    record::{Body, Difference, Kept, Row, Validation},
    task::{Cells, Demo, Test},
    value::Grid,
};

/// What `grid-keep` reads.
#[derive(Document, Clone, Debug)]
pub struct KeepInput {
    /// The demonstrations.
    #[serde(deserialize_with = "crate::task::read_demos")]
    pub demos: Vec<Demo>,
    /// The tests, where what a program gives for them is to be shown beside what was to come.
    #[serde(default)]
    pub test: Vec<Test>,
    /// The programs.
    pub bodies: Vec<Body>,
    /// What came of them, in the same order.
    pub results: Vec<Validation>,
}

/// What `grid-keep` answers.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Best {
    /// The best programs, the best first.
    pub kept: Vec<Kept>,
    /// Whether the best one gets every demonstration right.
    pub solved: bool,
    /// Whether one of the best two gets every test right; nothing where outputs of tests are not known. No rank depends on it.
    pub tests_right: Option<bool>,
    /// The best program in a word, for a screen: its name, what came of the demonstrations and of the tests, and the second best
    /// where that one is right on the tests.
    pub summary: String,
    /// Which programs fail which pairs, demonstrations first.
    #[schemars(extend("x-view" = "outcomes"))]
    pub matrix: Vec<Row>,
}

/// Keeps the best programs of a task: those with the best score on the demonstrations, then the smallest, then by their text.
///
/// What came of tests is reported, and never ranked by. For each pair that a kept program gets wrong, what it gives stands beside what
/// was to come.
#[derive(Config)]
pub struct GridKeep {
    /// How many are kept.
    #[config(default = 3)]
    #[schemars(range(min = 1, max = 100_000))]
    pub keep: usize,
    /// The order of sets.
    #[serde(default)]
    pub order: SetOrder,
    /// What a program may take on one input.
    #[serde(default)]
    pub limits: LimitTable,
}

impl Analyzer for GridKeep {
    const NAME: &'static str = "grid-keep";
    const STABILITY: Stability = Stability::Beta;
    type Input = KeepInput;
    type Output = Best;

    fn examples() -> Vec<Example> {
        examples::keep()
    }

    async fn analyze(&self, input: KeepInput, _host: &Host<'_>) -> Result<Best> {
        let KeepInput { demos, test: tests, mut bodies, results } = input;
        let pairs = KnownPairs::of(&demos, &tests);
        let mut results: HashMap<String, Validation> =
            results.into_iter().map(|validation| (validation.digest.clone(), validation)).collect();
        bodies.sort_by(|one, other| one.rank().cmp(&other.rank()));
        bodies.dedup_by(|one, other| one.digest == other.digest);
        let mut matrix = Vec::with_capacity(bodies.len());
        for body in &bodies {
            let validation = results.get(&body.digest).ok_or_else(|| {
                Failure::InvalidInput(format!(
                    "there is no result for the program `{}`; wire `results` of the \
                                               stage that validated it",
                    body.name
                ))
            })?;
            let outcomes = validation.train.iter().chain(&validation.test).cloned().collect();
            matrix.push(Row { name: body.name.clone(), outcomes });
        }
        bodies.truncate(self.keep);
        let options = options(self.order, self.limits, true, true);
        let kept: Vec<Kept> = bodies
            .into_iter()
            .filter_map(|body| {
                let validation = results.remove(&body.digest)?;
                let differences = differences(&pairs, &body.body, &validation, options);
                let Body { name, digest, body, size, score } = body;
                let Validation { train, test, .. } = validation;
                Some(Kept { name, digest, body, size, score, train, test, differences })
            })
            .collect();
        let solved = kept.first().is_some_and(|best| all_equal(&best.train));
        let is_known = kept.iter().all(|kept| !kept.test.is_empty() && !kept.test.iter().any(|test| test == "unknown"));
        let tests_right = (is_known && !kept.is_empty()).then(|| kept.iter().take(2).any(|kept| all_equal(&kept.test)));
        let summary = summary(&kept, solved, tests_right);
        Ok(Best { kept, solved, tests_right, summary, matrix })
    }
}

fn summary(kept: &[Kept], solved: bool, tests_right: Option<bool>) -> String {
    let Some(best) = kept.first() else { return "no program".to_owned() };
    let right = best.train.iter().filter(|outcome| *outcome == "equal").count();
    let demos = match (solved, best.train.len()) {
        (true, 1) => "right on the demonstration".to_owned(),
        (true, pairs) => format!("right on all {pairs} demonstrations"),
        (false, pairs) => format!("right on {right} of {pairs} demonstrations, score {}", best.score),
    };
    let tests = match (tests_right, kept.get(1)) {
        (Some(true), _) if all_equal(&best.test) => ", right on the tests".to_owned(),
        // The one that is named is not the one that is right.
        (Some(true), Some(second)) => format!(", wrong on the tests; {} is right on them", second.name),
        (Some(_), _) => ", wrong on the tests".to_owned(),
        (None, _) => String::new(),
    };
    format!("{}: {demos}{tests}", best.name)
}

fn all_equal(outcomes: &[String]) -> bool {
    !outcomes.is_empty() && outcomes.iter().all(|outcome| outcome == "equal")
}

/// The most rows or columns of a grid that is shown as what a program gives.
const MOST_SHOWN: u32 = 100;

fn is_drawn(grid: &Rc<Grid>) -> bool {
    grid.height() <= MOST_SHOWN && grid.width() <= MOST_SHOWN
}

/// A pair whose output is known.
struct Pair<'a> {
    name: String,
    input: &'a Cells,
    output: &'a Cells,
}

/// The pairs of a task, each at its index: `None` for a pair whose output is not known.
struct KnownPairs<'a> {
    demos: Vec<Option<Pair<'a>>>,
    tests: Vec<Option<Pair<'a>>>,
}

impl<'a> KnownPairs<'a> {
    fn of(demos: &'a [Demo], tests: &'a [Test]) -> Self {
        let demo_pair = |(index, demo): (usize, &'a Demo)| {
            Some(Pair { name: format!("train[{index}]"), input: &demo.input, output: &demo.output })
        };
        let test_pair = |(index, test): (usize, &'a Test)| {
            Some(Pair { name: format!("test[{index}]"), input: &test.input, output: test.output.as_ref()? })
        };
        Self {
            demos: demos.iter().enumerate().map(demo_pair).collect(),
            tests: tests.iter().enumerate().map(test_pair).collect(),
        }
    }
}

/// What a program gives for the pairs that it gets wrong.
fn differences(pairs: &KnownPairs<'_>, body: &str, validation: &Validation, options: Options) -> Vec<Difference> {
    let train_outcomes = pairs.demos.iter().zip(&validation.train);
    let outcomes = train_outcomes.chain(pairs.tests.iter().zip(&validation.test));
    let wrong_pairs: Vec<(&Pair<'_>, &String)> = outcomes
        .filter(|(_, outcome)| *outcome != "equal")
        .filter_map(|(pair, outcome)| Some((pair.as_ref()?, outcome)))
        .collect();
    let Ok(body) = body_of(body) else { return Vec::new() };
    if wrong_pairs.is_empty() {
        return Vec::new();
    }
    let mut forest = Forest::new(options);
    let program = forest.add(&body);
    let mut answer_to = |input: &Cells| {
        forest.set_input(&Rc::new(input.to_grid()));
        match forest.run(program) {
            evaluate::Result::Value(value) => value.as_grid().filter(is_drawn).map(|grid| Cells::from(&grid)),
            evaluate::Result::Fault(..) => None,
        }
    };
    let difference_at = |(pair, outcome): (&Pair<'_>, &String)| Difference {
        pair: pair.name.clone(),
        expected: pair.output.clone(),
        got: if outcome.starts_with("grid:") { answer_to(pair.input) } else { None },
        outcome: outcome.clone(),
    };
    wrong_pairs.into_iter().map(difference_at).collect()
}
