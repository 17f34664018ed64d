//! The analyzer `grid-validate`, which runs programs on every pair of a task.

use std::{collections::BTreeMap, rc::Rc, sync::OnceLock};

use jackfield_plugin_api::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{
    examples,
    score::body_of,
    settings::{LimitTable, SetOrder, options},
};
use crate::{
    LANGUAGE,
    evaluate::{self, Forest, Options, Verdict},
    record::{Body, Validation},
    task::{Cells, Demo, Test},
};

/// What `grid-validate` reads.
#[derive(Document, Clone, Debug)]
pub struct ValidateInput {
    /// The task's id.
    pub id: String,
    /// The demonstrations.
    #[serde(deserialize_with = "crate::task::read_demos")]
    pub train: Vec<Demo>,
    /// The tests, with their outputs where these are known.
    #[serde(deserialize_with = "crate::task::read_tests")]
    pub test: Vec<Test>,
    /// The programs.
    pub bodies: Vec<Body>,
}

/// What `grid-validate` answers.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Validations {
    /// What came of each program, in order.
    pub results: Vec<Validation>,
}

/// Runs programs on every pair of a task, tests among them, and says what came of each.
///
/// It is the first that sees what the tests' outputs are. With a cache (`store`) outcomes are kept by task, program, version of the
/// language, order and limits, in one value a task; a limit that was reached is no result, and is not kept.
#[derive(Config)]
pub struct GridValidate {
    /// Whether outcomes are looked for and kept in the stage's `store`. Nothing but time depends on it.
    #[config(default = true)]
    pub cache: bool,
    /// Whether the programs of a task are run together. Nothing but time depends on it.
    #[config(default = true)]
    pub batch: bool,
    /// Whether `objects`, `partition` and `fgpartition` of an input are kept. Nothing but time depends on it.
    #[config(default = true)]
    pub kept_primitives: bool,
    /// The order of sets.
    #[serde(default)]
    pub order: SetOrder,
    /// What a program may take on one input.
    #[serde(default)]
    pub limits: LimitTable,
    /// Outputs of tests by the task's id, where the tasks do not have them: a JSON file with an object of lists of grids.
    pub solutions: Option<TextFile>,
    /// The solutions, read once.
    #[serde(skip)]
    read: OnceLock<BTreeMap<String, Vec<Cells>>>,
}

impl GridValidate {
    fn solutions(&self) -> Result<&BTreeMap<String, Vec<Cells>>> {
        if let Some(read) = self.read.get() {
            return Ok(read);
        }
        let read = match &self.solutions {
            None => BTreeMap::new(),
            Some(file) => serde_json::from_str(&file.text).map_err(|error| {
                let path = &file.path;
                Failure::InvalidConfig(format!(
                    "the solutions in `{path}` are not an object of lists of grids, by the task's id: {error}"
                ))
            })?,
        };
        Ok(self.read.get_or_init(|| read))
    }

    /// The tests with what is known of their outputs.
    fn with_solutions(&self, id: &str, mut tests: Vec<Test>) -> Result<Vec<Test>> {
        let Some(outputs) = self.solutions()?.get(id) else { return Ok(tests) };
        if outputs.len() != tests.len() {
            let (tests, outputs) = (tests.len(), outputs.len());
            let found = format!(
                "tests of the task and solutions of it are not as many: {tests} tests, {outputs} in `solutions`"
            );
            return Err(Failure::InvalidInput(found));
        }
        for (test, output) in tests.iter_mut().zip(outputs) {
            test.output.get_or_insert_with(|| output.clone());
        }
        Ok(tests)
    }

    fn run(&self, train: &[Demo], test: &[Test], bodies: &[&Body]) -> Vec<Validation> {
        let options = options(self.order, self.limits, self.batch, self.kept_primitives);
        if self.batch {
            return validate(train, test, bodies, options);
        }
        bodies.iter().flat_map(|body| validate(train, test, &[body], options)).collect()
    }
}

/// Runs programs on all pairs.
fn validate(train: &[Demo], test: &[Test], bodies: &[&Body], options: Options) -> Vec<Validation> {
    let mut forest = Forest::new(options);
    let programs: Vec<Option<usize>> =
        bodies.iter().map(|body| body_of(&body.body).ok().map(|parsed| forest.add(&parsed))).collect();
    let blank = |body: &&Body| Validation { digest: body.digest.clone(), train: Vec::new(), test: Vec::new() };
    let mut results: Vec<Validation> = bodies.iter().map(blank).collect();
    let demos = train.iter().map(|demo| (&demo.input, Some(&demo.output), true));
    let tests = test.iter().map(|test| (&test.input, test.output.as_ref(), false));
    for (input, output, is_demo) in demos.chain(tests) {
        forest.set_input(&Rc::new(input.to_grid()));
        let expected = output.map(Cells::to_grid);
        for (program, validation) in programs.iter().zip(&mut results) {
            let outcome = match program {
                None => "error:syntax".to_owned(),
                Some(program) => {
                    let result = forest.run(*program);
                    match (&expected, &result) {
                        (Some(expected), result) => Verdict::of(result, expected).outcome(),
                        (None, evaluate::Result::Fault(fault, _)) => fault.outcome(),
                        (None, evaluate::Result::Value(value)) if value.as_grid().is_none() => "not-a-grid".to_owned(),
                        (None, evaluate::Result::Value(_)) => "unknown".to_owned(),
                    }
                }
            };
            if is_demo { validation.train.push(outcome) } else { validation.test.push(outcome) }
        }
    }
    results
}

/// What the outcomes of a task's programs depend on besides the program.
fn task_digest(train: &[Demo], test: &[Test]) -> String {
    let mut digest = Sha256::new();
    for demo in train {
        digest.update([1]);
        demo.input.digest_into(&mut digest);
        demo.output.digest_into(&mut digest);
    }
    for test in test {
        digest.update([2, u8::from(test.output.is_some())]);
        test.input.digest_into(&mut digest);
        if let Some(output) = &test.output {
            output.digest_into(&mut digest);
        }
    }
    jackfield_plugin_api::to_hex(&digest.finalize())
}

impl Analyzer for GridValidate {
    const NAME: &'static str = "grid-validate";
    const STABILITY: Stability = Stability::Beta;
    type Input = ValidateInput;
    type Output = Validations;

    fn open(self) -> Result<Self> {
        self.solutions()?;
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let reason = "to keep outcomes by task and program, where the stage has a `store`";
        vec![Permission { name: "cache".to_owned(), reason: reason.to_owned() }]
    }

    fn examples() -> Vec<Example> {
        examples::validate()
    }

    async fn analyze(&self, input: ValidateInput, host: &Host<'_>) -> Result<Validations> {
        let ValidateInput { id, train, test, bodies } = input;
        let test = self.with_solutions(&id, test)?;
        let name =
            format!("outcomes/{LANGUAGE}/{}/{}/{}", task_digest(&train, &test), self.order.name(), self.limits.key());
        let mut known: BTreeMap<String, (Vec<String>, Vec<String>)> =
            if self.cache { host.cache_get_json(&name).await?.unwrap_or_default() } else { BTreeMap::new() };
        let missing: Vec<&Body> = bodies.iter().filter(|body| !known.contains_key(&body.digest)).collect();
        let mut fresh: BTreeMap<String, Validation> = BTreeMap::new();
        for validation in self.run(&train, &test, &missing) {
            fresh.insert(validation.digest.clone(), validation);
        }
        let results = bodies
            .iter()
            .map(|body| match (fresh.get(&body.digest), known.get(&body.digest)) {
                (Some(validation), _) => validation.clone(),
                (None, Some((train, test))) => {
                    Validation { digest: body.digest.clone(), train: train.clone(), test: test.clone() }
                }
                (None, None) => unreachable!("a body is known or was run"),
            })
            .collect();
        let is_limit = |outcome: &String| outcome.starts_with("limit:");
        fresh.retain(|_, validation| !validation.train.iter().chain(&validation.test).any(is_limit));
        if self.cache && !fresh.is_empty() {
            known.extend(fresh.into_iter().map(|(digest, validation)| (digest, (validation.train, validation.test))));
            host.cache_put_json(&name, &known).await?;
        }
        Ok(Validations { results })
    }
}
