//! The analyzer `grid-submission`, which makes the answers to the tests of a task.

use std::{collections::BTreeMap, rc::Rc};

use jackfield_plugin_api::prelude::*;

use super::{
    examples,
    score::body_of,
    settings::{LimitTable, SetOrder, options},
};
use crate::{
    evaluate::{self, Forest},
    record::Kept,
    task::{Cells, LARGEST},
    value::Grid,
};

/// What is given of a test.
#[derive(Document, Clone, Debug)]
pub struct TestInput {
    /// What is given.
    #[serde(deserialize_with = "crate::task::read_input")]
    pub input: Cells,
}

/// What `grid-submission` reads.
#[derive(Document, Clone, Debug)]
pub struct SubmissionInput {
    /// The task's id.
    pub id: String,
    /// The tests. Their outputs are not looked at.
    #[serde(deserialize_with = "crate::task::read_tests")]
    pub test: Vec<TestInput>,
    /// The programs that are kept, the best first.
    pub kept: Vec<Kept>,
}

/// Two answers to a test.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Attempts {
    /// What the best program gives.
    pub attempt_1: Cells,
    /// What the best program gives that gives something else.
    pub attempt_2: Cells,
}

/// What `grid-submission` answers.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Submission {
    /// The answers to each test, in order, under the task's id.
    pub submission: BTreeMap<String, Vec<Attempts>>,
    /// How many answers there are: two a test where the programs that are kept differ.
    pub answers: u32,
}

/// Answers the tests of a task by the programs that are kept: two different attempts a test, in the usual form of a submission.
///
/// An attempt that no program has a grid for, of at most 1,000 rows and columns, is the grid `[[0]]`.
#[derive(Config)]
pub struct GridSubmission {
    /// The order of sets.
    #[serde(default)]
    pub order: SetOrder,
    /// What a program may take on one input.
    #[serde(default)]
    pub limits: LimitTable,
}

/// Whether a grid is of a size that tasks have.
fn is_handed_in(grid: &Grid) -> bool {
    grid.height() as usize <= LARGEST && grid.width() as usize <= LARGEST
}

impl Analyzer for GridSubmission {
    const NAME: &'static str = "grid-submission";
    const STABILITY: Stability = Stability::Beta;
    type Input = SubmissionInput;
    type Output = Submission;

    fn examples() -> Vec<Example> {
        examples::submission()
    }

    async fn analyze(&self, input: SubmissionInput, _host: &Host<'_>) -> Result<Submission> {
        let mut forest = Forest::new(options(self.order, self.limits, true, true));
        let bodies = input.kept.iter().filter_map(|kept| body_of(&kept.body).ok());
        let programs: Vec<usize> = bodies.map(|body| forest.add(&body)).collect();
        let mut answers = 0;
        let mut attempts = Vec::with_capacity(input.test.len());
        for test in &input.test {
            forest.set_input(&Rc::new(test.input.to_grid()));
            let mut grids: Vec<Cells> = Vec::with_capacity(2);
            for program in &programs {
                if grids.len() == 2 {
                    break;
                }
                let evaluate::Result::Value(value) = forest.run(*program) else { continue };
                let Some(grid) = value.as_grid().filter(|grid| is_handed_in(grid)).map(|grid| Cells::from(&grid))
                else {
                    continue;
                };
                if !grids.contains(&grid) {
                    grids.push(grid);
                }
            }
            answers += grids.len() as u32;
            let mut grids = grids.into_iter().chain(std::iter::repeat_with(Cells::blank));
            let mut next = || grids.next().expect("there is always a blank one");
            attempts.push(Attempts { attempt_1: next(), attempt_2: next() });
        }
        Ok(Submission { submission: BTreeMap::from([(input.id, attempts)]), answers })
    }
}
