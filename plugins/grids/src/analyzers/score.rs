//! The analyzer `grid-score`, which scores programs on the demonstrations of a task.

use std::rc::Rc;

use jackfield_plugin_api::prelude::*;

use super::{
    examples,
    settings::{LimitTable, SetOrder, options},
};
use crate::{
    evaluate::{self, Forest, Options, Verdict},
    fault::Fault,
    program::{Canonical, canonical, parse},
    record::{Program, Row, Score, Stop, TextFault},
    task::Demo,
};

/// What `grid-score` reads.
#[derive(Document, Clone, Debug)]
pub struct ScoreInput {
    /// The demonstrations of the task. Tests do not belong here: no score depends on them.
    #[serde(deserialize_with = "crate::task::read_demos")]
    pub demos: Vec<Demo>,
    /// The candidates.
    pub programs: Vec<Program>,
}

/// What `grid-score` answers.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Scores {
    /// A score for each program, in order: which programs fail which demonstrations.
    #[schemars(extend("x-view" = "outcomes"))]
    pub scores: Vec<Score>,
    /// How many programs get every demonstration right.
    pub equal: u32,
    /// The programs that cannot be read, each with the line, the column and what is wrong there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-view" = "outcomes"))]
    pub faults: Vec<Row>,
    /// The programs that end without a result, each with the line and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-view" = "outcomes"))]
    pub stops: Vec<Row>,
    /// Nodes of the graph of all programs, and of each on its own taken together.
    pub nodes: Nodes,
}

/// How much the programs have in common.
#[derive(Document, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// Nodes that are evaluated, at most, for an input.
    pub shared: u32,
    /// Nodes of all programs, one after the other.
    pub separate: u32,
}

/// Runs programs on the demonstrations of a task and scores them, 0 to 1000.
///
/// The programs of a task are evaluated as one graph, demonstration by demonstration. A program that can no longer be among
/// the best `keep`, whatever the remaining demonstrations bring, is not run on these; which those are does not depend on order
/// or speed.
#[derive(Config)]
pub struct GridScore {
    /// How many programs are kept later: the least that no early exit may touch.
    #[config(default = 3)]
    #[schemars(range(min = 1, max = 100_000))]
    pub keep: usize,
    /// Whether a program that cannot be kept any more is left alone.
    #[config(default = true)]
    pub early_exit: bool,
    /// Whether programs share the evaluation of what they have in common. Nothing but time depends on it.
    #[config(default = true)]
    pub shared: bool,
    /// Whether `objects`, `partition` and `fgpartition` of an input are kept. Nothing but time depends on it.
    #[config(default = true)]
    pub kept_primitives: bool,
    /// The order of sets.
    #[serde(default)]
    pub order: SetOrder,
    /// What a program may take on one input.
    #[serde(default)]
    pub limits: LimitTable,
}

/// Programs that are run between two looks at whether the call is to end.
const ASKED_EVERY: usize = 16;

/// What came of a body on demonstrations, in the course of scoring and then.
pub(crate) struct Scored {
    /// The mean over the demonstrations, in the end; before, the sum.
    pub(crate) score: u32,
    /// What came of each demonstration.
    pub(crate) outcomes: Vec<String>,
    /// Whether it cannot be kept any more.
    out: bool,
    /// The first demonstration that it ends on without a result, why, and in which line.
    stop: Option<(usize, Fault, u32)>,
}

/// Scores bodies on demonstrations; `keep` is how many are kept, nothing if all are run to the end.
///
/// # Errors
/// [`Failure::Cancelled`] as soon as the host wants the call to end.
pub(crate) fn scored(
    demos: &[Demo],
    bodies: &[Canonical],
    options: Options,
    keep: Option<usize>,
    host: &Host<'_>,
) -> Result<(Vec<Scored>, Nodes)> {
    let mut forest = Forest::new(options);
    let programs: Vec<usize> = bodies.iter().map(|body| forest.add(body)).collect();
    let fresh = || Scored { score: 0, outcomes: Vec::with_capacity(demos.len()), out: false, stop: None };
    let mut candidates: Vec<Scored> = bodies.iter().map(|_| fresh()).collect();
    for (at, demo) in demos.iter().enumerate() {
        let (input, expected) = (Rc::new(demo.input.to_grid()), demo.output.to_grid());
        forest.set_input(&input);
        for (turn, (program, candidate)) in programs.iter().zip(&mut candidates).enumerate() {
            if turn % ASKED_EVERY == 0 && host.cancelled() {
                return Err(Failure::Cancelled("the scoring was stopped".to_owned()));
            }
            if candidate.out {
                candidate.outcomes.push("skipped".to_owned());
                continue;
            }
            let result = forest.run(*program);
            if let evaluate::Result::Fault(fault, line) = &result {
                candidate.stop.get_or_insert((at, *fault, *line));
            }
            let verdict = Verdict::of(&result, &expected);
            candidate.score += verdict.score(&expected);
            candidate.outcomes.push(verdict.outcome());
        }
        let Some(keep) = keep else { continue };
        if candidates.len() <= keep {
            continue;
        }
        let mut sums: Vec<u32> = candidates.iter().map(|candidate| candidate.score).collect();
        // At least `keep` programs end with no less than this.
        let (_, least, _) = sums.select_nth_unstable_by(keep - 1, |one, other| other.cmp(one));
        let remaining = 1000 * (demos.len() - at - 1) as u32;
        for candidate in &mut candidates {
            candidate.out |= candidate.score + remaining < *least;
        }
    }
    let pairs = demos.len().max(1) as u32;
    candidates.iter_mut().for_each(|candidate| candidate.score /= pairs);
    let separate = bodies.iter().map(Canonical::size).sum();
    Ok((candidates, Nodes { shared: forest.size() as u32, separate }))
}

/// Scores programs on demonstrations, as [`scored`] does.
fn score(
    demos: &[Demo],
    programs: Vec<Program>,
    options: Options,
    keep: Option<usize>,
    host: &Host<'_>,
) -> Result<Scores> {
    let mut bodies = Vec::with_capacity(programs.len());
    let mut faults: Vec<Option<TextFault>> = Vec::with_capacity(programs.len());
    for program in &programs {
        faults.push(body_of(&program.text).map(|body| bodies.push(body)).err());
    }
    let (scored, nodes) = scored(demos, &bodies, options, keep, host)?;
    let mut scored = scored.into_iter();
    let scores: Vec<Score> = programs
        .into_iter()
        .zip(faults)
        .map(|(Program { name, .. }, fault)| {
            let scored = if fault.is_none() { scored.next() } else { None };
            let (score, outcomes, stop) =
                scored.map_or((0, Vec::new(), None), |scored| (scored.score, scored.outcomes, scored.stop));
            let stop = stop.map(|(at, fault, line)| Stop {
                pair: format!("train[{at}]"),
                outcome: fault.outcome(),
                line,
                message: fault.to_string(),
            });
            Score { name, score, outcomes, fault, stop }
        })
        .collect();
    let right = |score: &&Score| !demos.is_empty() && score.fault.is_none() && score.score == 1000;
    let equal = scores.iter().filter(right).count() as u32;
    let faults = scores.iter().filter_map(|score| Some(score.fault.as_ref()?.row(&score.name))).collect();
    let stops = scores.iter().filter_map(|score| Some(score.stop.as_ref()?.row(&score.name))).collect();
    Ok(Scores { scores, equal, faults, stops, nodes })
}

/// The body of a program, or the first thing that is wrong with its text.
pub(crate) fn body_of(text: &str) -> Result<Canonical, TextFault> {
    match parse(text) {
        Ok(program) => Ok(canonical(&program)),
        Err(faults) => {
            let fault = &faults[0];
            Err(TextFault {
                kind: fault.kind.name().to_owned(),
                line: fault.line,
                column: fault.column,
                message: fault.message.clone(),
            })
        }
    }
}

impl Analyzer for GridScore {
    const NAME: &'static str = "grid-score";
    const STABILITY: Stability = Stability::Beta;
    type Input = ScoreInput;
    type Output = Scores;

    fn examples() -> Vec<Example> {
        examples::score()
    }

    async fn analyze(&self, input: ScoreInput, host: &Host<'_>) -> Result<Scores> {
        if input.demos.is_empty() {
            return Err(Failure::InvalidInput(
                "the task has no demonstrations: there is nothing to score by".to_owned(),
            ));
        }
        let options = options(self.order, self.limits, self.shared, self.kept_primitives);
        score(&input.demos, input.programs, options, self.early_exit.then_some(self.keep), host)
    }
}
