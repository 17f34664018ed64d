//! `jackfield why` shows what a stage's result depends on, compares that with an earlier run, and so explains why the result was
//! computed again or was not; and it shows which answers of models the result is made of.

mod answers;
mod parts;
mod recorded;

use std::path::PathBuf;

use jackfield_pipeline::hint_for;
use jackfield_store::StoreError;
use serde_json::{Value, json};

use self::{
    answers::{answers_json, answers_text},
    parts::{InputDifference, KeyPart, key_parts},
    recorded::RecordedStageCalls,
};
use super::{
    chosen_run::chosen_run,
    exit::{Exit, print_error},
    load::print_json,
    table::{counted, table},
};
use crate::terminal::output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, the beginning of it, its folder, or `last`.
    run: String,

    /// The stage.
    stage: String,

    /// Id of the item; the first one if it is not given.
    item: Option<String>,

    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn why(args: &Args) -> Exit {
    explain(args).unwrap_or_else(|error| {
        print_error(&error, error.hint());
        Exit::Failed
    })
}

fn explain(args: &Args) -> Result<Exit, StoreError> {
    let (folder, run) = chosen_run(&args.out, &args.run)?;
    if run.plan.stages.iter().all(|stage| stage.name != args.stage) {
        let stages = run.plan.stages.iter().map(|stage| stage.name.as_str());
        print_error(
            format!("run `{}` has no stage `{}`", run.run, args.stage),
            hint_for(&args.stage, "its stages", stages),
        );
        return Ok(Exit::Usage);
    }
    let Some(now) = RecordedStageCalls::read(run, &folder, &args.stage, args.item.as_deref())? else {
        let what = args.item.as_deref().map_or("any item".to_owned(), |item| format!("item `{item}`"));
        print_error(format!("stage `{}` has no result for {what}", args.stage), None);
        return Ok(Exit::Usage);
    };
    if !now.keeps_results() && now.answers.is_empty() && now.skipped.is_none() {
        print_error(
            format!("stage `{}` keeps no results, so each of its calls is made", args.stage),
            Some(format!("give it a cache: `cache = \"NAME\"` in `[stages.{}]`", args.stage)),
        );
        return Ok(Exit::Usage);
    }
    let before = now.before(&args.out)?;
    let (parts, input) = key_parts(&now, before.as_ref());
    let explained = Explained { now, before, parts, input };
    if args.json {
        print_json(&explained.to_json());
    } else {
        explained.print();
    }
    Ok(Exit::Success)
}

/// Why calls were made of which all parts are the same as those of an earlier run.
fn of_same_parts(failed_then: bool) -> &'static str {
    if failed_then {
        "no part differs: the call failed then, and failures are not kept"
    } else {
        "no part differs: the earlier result was not in the cache any more"
    }
}

/// A stage's calls for an item, and what came of comparing them with those of an earlier run.
struct Explained {
    now: RecordedStageCalls,
    before: Option<RecordedStageCalls>,
    parts: Vec<KeyPart>,
    input: Option<InputDifference>,
}

impl Explained {
    fn first_change(&self) -> Option<&KeyPart> {
        self.parts.iter().find(|part| part.change.is_some())
    }

    fn to_json(&self) -> Value {
        let Self { now, before, parts, input } = self;
        let parts: Vec<Value> =
            parts.iter().map(|part| json!({ "part": part.name, "value": part.value, "change": part.change })).collect();
        json!({
            "run": now.run.run, "stage": now.stage().name, "item": now.item,
            "calls": now.calls, "hits": now.hits(), "hit": now.hits() > 0 && now.hits() == now.notes.len(),
            "skipped": now.skipped,
            "key": now.notes.first().map(|note| jackfield_plugin_api::to_hex(&note.key)),
            "compared_with": before.as_ref().map(|before| &before.run.run),
            "parts": parts,
            "first_difference": self.first_change().map(|part| part.name),
            "input_difference": input.as_ref().map(InputDifference::to_json),
            "answers": answers_json(now),
        })
    }

    /// What was done: a call made, a result taken from the cache, or some of each; or nothing at all.
    fn what_was_done(&self) -> String {
        if let Some(why) = &self.now.skipped {
            return format!("it was not called, since {why}");
        }
        let (calls, hits) = (self.now.notes.len().max(self.now.calls), self.now.hits());
        match (calls, hits) {
            (1, 0) => "the call was made".to_owned(),
            (1, _) => "its result was taken from the cache".to_owned(),
            (calls, 0) => format!("its {} were made", counted(calls as u64, "call")),
            (calls, hits) if calls == hits => format!("its {calls} results were taken from the cache"),
            (calls, hits) => {
                format!("{hits} of its {calls} results were taken from the cache, the other calls were made")
            }
        }
    }

    fn print(&self) {
        let Self { now, before, parts, .. } = self;
        let item = if now.item.is_empty() { String::new() } else { format!(" for item `{}`", now.item) };
        output().line(format!("stage `{}`{item} in run {}: {}", now.stage().name, now.run.run, self.what_was_done()));
        match before {
            Some(before) => output().line(format!("compared with run {}", before.run.run)),
            None => output().line("there is no earlier run to compare with"),
        }
        let shown = parts.iter().map(|part| {
            let change = match (&part.change, part.compared) {
                (Some(change), _) => change.clone(),
                (None, true) => "same".to_owned(),
                (None, false) => String::new(),
            };
            vec![part.name.to_owned(), part.value.clone(), change]
        });
        output().line("");
        output().lines(table(&["part", "value", "change"], shown.collect()));
        if let Some(answers) = answers_text(now) {
            output().line("");
            output().lines(answers);
        }
        if let Some(reason) = self.reason() {
            output().line("");
            output().line(reason);
        }
    }

    /// Why the calls were made, in a sentence.
    fn reason(&self) -> Option<String> {
        let Self { now, before, input, .. } = self;
        if now.skipped.is_some() {
            return None;
        }
        if let Some(part) = self.first_change() {
            let of_call = match input {
                Some(input) if part.name == "input" && now.calls > 1 => {
                    format!(" of call {} of {}", input.call + 1, now.calls)
                }
                _ => String::new(),
            };
            let change = part.change.as_deref().unwrap_or_default();
            return Some(format!("the first part that differs: {}{of_call} ({change})", part.name));
        }
        let before = before.as_ref()?;
        if now.keeps_results() {
            return (now.hits() < now.notes.len()).then(|| of_same_parts(before.failed).to_owned());
        }
        let was_called = |calls: &RecordedStageCalls| {
            calls.answers.iter().find(|(answer, _)| answer.source == "call").map(|(answer, _)| answer.model.clone())
        };
        let model = was_called(now)?;
        Some(match now.cache_of_model(&model) {
            None => format!("no part differs: model `{model}` has no cache, so each answer is made"),
            Some(_) if now.lookups == 0 => {
                format!("no part differs: the stage wants new answers of model `{model}`, and asks no cache for them")
            }
            Some(cache) if before.run.plan.models.iter().any(|known| known.name == model && known.cache.is_none()) => {
                format!("no part differs: model `{model}` had no cache then, and keeps its answers in `{cache}` now")
            }
            Some(cache) => format!(
                "no part differs: the answer of model `{model}` was not in the cache `{cache}` any more, or failed then"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_failed_before_is_not_said_to_have_left_the_cache() {
        assert!(of_same_parts(true).contains("failures are not kept"));
        assert!(of_same_parts(false).contains("not in the cache any more"));
    }
}
