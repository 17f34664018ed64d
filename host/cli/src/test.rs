//! `jackfield test` runs the tests that a pipeline file holds, and prints which of them failed and why.

use std::{path::PathBuf, time::Instant};

use jackfield::internal::{BundledInputs, Compiled};
use jackfield_engine::{Cancel, Difference, Engine, Event, Observer, Options, is_part, open_stages};
use jackfield_loader::{Registry, escape_untrusted};
use jackfield_pipeline::{OnError, TestPlan, Wire, hint_for, tests_of};
use jackfield_services::open_services;
use serde::Serialize;

use super::{
    exit::{Exit, codes_of, print_error},
    load::{OutputFormat, PipelineArgs, compile, print_json, report},
    table::{counted, ms},
};
use crate::terminal::{output, terminal};

#[derive(Debug, clap::Args)]
#[command(after_long_help = codes_of("test"))]
pub(super) struct Args {
    /// A pipeline file, or the folder that holds `pipeline.toml`.
    #[arg(default_value = ".")]
    path: PathBuf,

    /// Run the tests whose names hold this text.
    filter: Option<String>,

    /// Change a value of the pipeline: `stages.brief.with.budget=4000`. The value is TOML, or else a string.
    /// A table `T={…}` changes the keys that it names (another `use` drops the old `with`); `T:={…}` replaces T.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Grant a sandboxed plugin something that it asks for: `scorer=clock`.
    #[arg(long = "grant", value_name = "PLUGIN=PERMISSION")]
    grant: Vec<String>,

    /// Fail if the pipeline names plugin files and there is no `jackfield.lock` beside it.
    #[arg(long)]
    locked: bool,

    /// Print one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// How a test ended.
#[derive(Serialize)]
struct Outcome {
    name: String,
    ok: bool,
    ms: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
}

/// Why a test failed.
#[derive(Serialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
enum Fault {
    /// The value is another than was expected.
    Differs {
        wire: String,
        #[serde(flatten)]
        difference: Difference,
    },
    /// There is no value at the end of the wire.
    Nothing { wire: String, why: String },
    /// A stage failed that should not have.
    Failed { stage: String, message: String },
    /// A stage failed with another message, or not at all.
    DidNotFail {
        stage: String,
        expected: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        found: Option<String>,
    },
    /// The test could not be run.
    NotRun { message: String },
}

pub(super) fn test(args: &Args) -> Exit {
    let format = if args.json { OutputFormat::Json } else { OutputFormat::Human };
    let Args { path, set, grant, locked, .. } = args;
    let (path, set, grant) = (path.clone(), set.clone(), grant.clone());
    let Compiled { parsed: draft, plan, registry } =
        match compile(&PipelineArgs { path, set, input: Vec::new(), grant, locked: *locked }, format) {
            Ok(compiled) => compiled,
            Err(exit) => return exit,
        };
    if let Some(faults) = draft.diagnostics() {
        report(&faults, format);
        return Exit::Usage;
    }
    let all = tests_of(&draft, &plan, &registry);
    let chosen: Vec<&TestPlan> = match &args.filter {
        Some(filter) => all.iter().filter(|test| test.name.contains(filter.as_str())).collect(),
        None => all.iter().collect(),
    };
    if chosen.is_empty() {
        let (message, hint) = match &args.filter {
            Some(filter) if !all.is_empty() => {
                let names = all.iter().map(|test| test.name.as_str());
                (format!("no test has `{filter}` in its name"), hint_for(filter, "tests", names))
            }
            _ => {
                let hint = "add one: `[[tests]]` with `name`, `input` and `expect`".to_owned();
                (format!("`{}` has no tests", args.path.display()), Some(hint))
            }
        };
        print_error(message, hint);
        return Exit::Usage;
    }

    let began = Instant::now();
    let mut outcomes = Vec::new();
    for test in &chosen {
        let outcome = run(test, &registry);
        if !args.json {
            output().lines(outcome_text(&outcome));
        }
        outcomes.push(outcome);
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.ok).count();
    let passed = outcomes.len() - failed;
    if args.json {
        print_json(&serde_json::json!({ "tests": outcomes, "passed": passed, "failed": failed }));
    } else {
        let left = match all.len() - chosen.len() {
            0 => String::new(),
            left => format!(", {left} left out"),
        };
        let took = ms(began.elapsed().as_secs_f64() * 1000.0);
        terminal().say("");
        terminal()
            .say(format!("{}: {passed} passed, {failed} failed{left} in {took}", counted(chosen.len() as u64, "test")));
    }
    if failed == 0 { Exit::Success } else { Exit::Failed }
}

/// The lines about a test.
fn outcome_text(outcome: &Outcome) -> String {
    let mut text = format!(
        "{}  {} ({})\n",
        if outcome.ok { "ok    " } else { "FAILED" },
        escape_untrusted(&outcome.name),
        ms(outcome.ms)
    );
    for fault in &outcome.faults {
        let lines = match fault {
            Fault::Differs { wire, difference } => {
                let (expected, found) = difference.words();
                vec![
                    format!("{wire}{}", difference.place),
                    format!("  expected {expected}"),
                    format!("  found    {found}"),
                ]
            }
            Fault::Nothing { wire, why } => vec![wire.clone(), format!("  found nothing: {why}")],
            Fault::Failed { stage, message } => vec![format!("stage `{stage}` failed"), format!("  {message}")],
            Fault::DidNotFail { stage, expected, found } => {
                let found = found.as_ref().map_or_else(|| "no failure".to_owned(), |found| format!("{found:?}"));
                vec![
                    format!("stage `{stage}`"),
                    format!("  expected a failure with {expected:?}"),
                    format!("  found    {found}"),
                ]
            }
            Fault::NotRun { message } => vec![format!("it could not be run: {message}")],
        };
        lines.iter().for_each(|line| text.push_str(&format!("        {}\n", escape_untrusted(line))));
    }
    text
}

/// Runs a test, with instances and services of its own.
fn run(test: &TestPlan, registry: &Registry) -> Outcome {
    let began = Instant::now();
    let faults = match attempt(test, registry) {
        Ok(faults) => faults,
        Err(message) => vec![Fault::NotRun { message }],
    };
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    Outcome { name: test.name.clone(), ok: faults.is_empty(), ms, faults }
}

fn attempt(test: &TestPlan, registry: &Registry) -> Result<Vec<Fault>, String> {
    let plan = &test.plan;
    let mut failures = Failures::default();
    // A stage that refuses its configuration has failed like any other.
    let instances = match open_stages(plan, registry) {
        Ok(instances) => instances,
        Err(refused) => {
            for fault in refused {
                let stage = plan.stages.iter().position(|stage| stage.name == fault.stage);
                assert!(stage.is_some(), "a stage that was opened is a stage of the plan");
                failures.0.push(CallFailure { stage, message: fault.failure.to_string() });
            }
            return Ok(compare_with_expected(test, &failures, None));
        }
    };
    let services = open_services(plan, registry).map_err(|refused| {
        let messages = refused.iter().map(|fault| format!("{} cannot be set up: {}", fault.service, fault.failure));
        messages.collect::<Vec<_>>().join("; ")
    })?;
    let options = Options { jobs: 1, retry_failed: false, ..Options::default() };
    let engine = Engine { plan, registry, instances, services, inputs: &BundledInputs, options };
    let wires: Vec<Wire> = test.expect.iter().map(|expect| expect.wire.clone()).collect();
    let (outcome, values) =
        engine.run_for(&wires, &Cancel::default(), &mut failures).map_err(|error| error.to_string())?;
    if let Some(stopped) = outcome.summary.stopped {
        return Err(stopped);
    }
    let values = values.into_iter().map(|value| {
        let document = value?;
        serde_json::from_str(&document.json).map_err(|error| format!("it is not valid JSON: {error}"))
    });
    Ok(compare_with_expected(test, &failures, Some(values.collect())))
}

/// The values at the ends of the wires of a test, or why there is none.
type Values = Vec<Result<serde_json::Value, String>>;

/// Compares what happened with what is expected. Without values, nothing was run.
fn compare_with_expected(test: &TestPlan, failures: &Failures, values: Option<Values>) -> Vec<Fault> {
    let stages = &test.plan.stages;
    let mut faults = Vec::new();
    for CallFailure { stage, message } in &failures.0 {
        let expected = test.fails.iter().any(|(expected, _)| Some(*expected) == *stage);
        let stage = stage.map(|stage| &stages[stage]);
        let dropped = stage.is_some_and(|stage| stage.policy.on_error == OnError::Drop);
        if !expected && !dropped {
            let stage = stage.map_or_else(|| "input".to_owned(), |stage| stage.name.clone());
            faults.push(Fault::Failed { stage, message: message.clone() });
        }
    }
    for (stage, part) in &test.fails {
        let failures_of_stage =
            || failures.0.iter().filter(|failure| failure.stage == Some(*stage)).map(|failure| &failure.message);
        if !failures_of_stage().any(|message| message.contains(part.as_str())) {
            let stage = stages[*stage].name.clone();
            faults.push(Fault::DidNotFail {
                stage,
                expected: part.clone(),
                found: failures_of_stage().next().cloned(),
            });
        }
    }
    for (expect, value) in test.expect.iter().zip(values.unwrap_or_default()) {
        let wire = expect.text.clone();
        match value {
            Err(why) => faults.push(Fault::Nothing { wire, why }),
            Ok(found) => {
                if let Err(difference) = is_part(&expect.part, &found) {
                    faults.push(Fault::Differs { wire, difference });
                }
            }
        }
    }
    faults
}

/// The failures of a test's calls.
#[derive(Default)]
struct Failures(Vec<CallFailure>);

struct CallFailure {
    /// The index of the stage, or none if the item could not be read.
    stage: Option<usize>,
    message: String,
}

impl Observer for Failures {
    fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::CallFailed { stage, failure, timed_out, .. } => {
                let kind = if *timed_out { "timed-out" } else { failure.kind().name() };
                let message = format!("{kind}: {}", failure.message());
                self.0.push(CallFailure { stage: Some(*stage), message });
            }
            Event::Unreadable { fault, .. } => {
                self.0.push(CallFailure { stage: None, message: (*fault).to_owned() });
            }
            _ => {}
        }
    }
}
