//! `jackfield routes` shows what the routes of a pipeline have learned and keep from run to run, or deletes it.

use clap::Subcommand;
use jackfield_pipeline::Plan;
use jackfield_services::{PolicyStateError, PolicyStateFile, SavedPolicyState};
use serde_json::{Value, json};

use super::{
    exit::{Exit, print_error},
    load::{OutputFormat, PipelineArgs, load_plan, print_json},
    table::{counted, table},
};
use crate::terminal::{output, terminal};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what the routes of a pipeline have learned and keep from run to run.
    Show {
        #[command(flatten)]
        selection: RouteSelection,

        /// Print one JSON object, with each policy's state in its own form.
        #[arg(long)]
        json: bool,
    },
    /// Forget what the routes of a pipeline have learned.
    Reset {
        #[command(flatten)]
        selection: RouteSelection,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct RouteSelection {
    #[command(flatten)]
    pipeline: PipelineArgs,

    /// Only the route that keeps what it learns under this name.
    #[arg(long, value_name = "NAME")]
    state: Option<String>,
}

/// A route that keeps what it learns.
struct LearningRoute<'a> {
    stage: &'a str,
    policy: &'a str,
    state: String,
    state_file: PolicyStateFile,
}

pub(super) fn routes(command: &Command) -> Exit {
    let (selection, format) = match command {
        Command::Show { selection, json: true } => (selection, OutputFormat::Json),
        Command::Show { selection, .. } | Command::Reset { selection } => (selection, OutputFormat::Human),
    };
    let plan = match load_plan(&selection.pipeline, format) {
        Ok((plan, _)) => plan,
        Err(exit) => return exit,
    };
    let named = match named(&plan, selection.state.as_deref()) {
        Ok(named) => named,
        Err(exit) => return exit,
    };
    match command {
        Command::Show { json, .. } => show(&named, *json),
        Command::Reset { .. } => reset(&named),
    }
}

fn named<'a>(plan: &'a Plan, only: Option<&str>) -> Result<Vec<LearningRoute<'a>>, Exit> {
    let all: Vec<LearningRoute<'a>> = plan
        .stages
        .iter()
        .filter_map(|stage| {
            let route = stage.route.as_ref()?;
            let path = route.state.as_deref()?;
            let state = path.file_stem()?.to_string_lossy().into_owned();
            Some(LearningRoute {
                stage: &stage.name,
                policy: &route.extension.name,
                state,
                state_file: PolicyStateFile::at(path),
            })
        })
        .collect();
    let Some(only) = only else { return Ok(all) };
    if !all.iter().any(|named| named.state == only) {
        let known = all.iter().map(|named| named.state.as_str());
        let hint = jackfield_pipeline::hint_for(only, "names under which routes keep what they learn", known);
        print_error(format!("no route of the pipeline keeps what it learns as `{only}`"), hint);
        return Err(Exit::Usage);
    }
    Ok(all.into_iter().filter(|named| named.state == only).collect())
}

fn show(routes: &[LearningRoute<'_>], as_json: bool) -> Exit {
    let (mut objects, mut exit) = (Vec::new(), Exit::Success);
    for LearningRoute { stage, policy, state, state_file } in routes {
        match state_file.read_for(policy) {
            Ok(learned) if as_json => objects.push(json!({
                "state": state, "stage": stage, "policy": policy, "outcomes": learned.outcomes,
                "runs": learned.runs.len(), "learned": learned.state,
            })),
            Ok(learned) => print_tables(stage, policy, state, &learned),
            Err(error) => {
                exit = Exit::Failed;
                print_state_error(&error);
            }
        }
    }
    if as_json {
        print_json(&json!({ "routes": objects }));
    } else if routes.is_empty() {
        terminal().say("no route of the pipeline keeps what it learns: `state = \"NAME\"` would");
    }
    exit
}

/// Prints what was learned as tables, if the policy's state has that form: a table for each context, with a row for each arm.
fn print_tables(stage: &str, policy: &str, state: &str, learned: &SavedPolicyState) {
    let (outcomes, runs) = (counted(learned.outcomes, "outcome"), counted(learned.runs.len() as u64, "run"));
    output().line(format!("{state}: {policy} of stage `{stage}`, {outcomes} of {runs}"));
    let contexts = learned.state.as_ref().and_then(|state| state.get("contexts")).and_then(Value::as_object);
    for (context, held) in contexts.into_iter().flatten() {
        let arms = held.get("arms").unwrap_or(held);
        let Some(arms) = arms.as_object().filter(|arms| arms.values().all(Value::is_object)) else { continue };
        let fields: Vec<&str> = arms
            .values()
            .next()
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
            .collect();
        let cell = |value: Option<&Value>| match value {
            Some(Value::Number(number)) => {
                let number = number.as_f64().unwrap_or_default();
                if number.fract() == 0.0 { format!("{number}") } else { format!("{number:.3}") }
            }
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let rows = arms.iter().map(|(arm, held)| {
            [arm.clone()].into_iter().chain(fields.iter().map(|field| cell(held.get(field)))).collect::<Vec<_>>()
        });
        let header: Vec<&str> = ["arm"].into_iter().chain(fields.iter().copied()).collect();
        if !context.is_empty() {
            output().line("");
            output().line(context);
        }
        output().lines(table(&header, rows.collect()));
    }
}

fn reset(routes: &[LearningRoute<'_>]) -> Exit {
    let mut exit = Exit::Success;
    for LearningRoute { state, state_file, .. } in routes {
        match state_file.reset() {
            Ok(true) => terminal().say(format!("{state}: forgotten")),
            Ok(false) => terminal().say(format!("{state}: there was nothing")),
            Err(error) => {
                exit = Exit::Failed;
                print_state_error(&error);
            }
        }
    }
    if routes.is_empty() {
        terminal().say("no route of the pipeline keeps what it learns");
    }
    exit
}

fn print_state_error(error: &PolicyStateError) {
    print_error(error, error.hint());
}
