//! `jackfield why` shows the parts of the key under which a stage's result is cached, compares them with those of an earlier run, and
//! so explains why the result was computed again or was not.

use std::path::{Path, PathBuf};

use jackfield_engine::common_parts;
use jackfield_loader::{Digest, MASK, holds_secrets, mask_secrets};
use jackfield_pipeline::hint_for;
use jackfield_store::{MemoNote, RunJson, StoreError, list_runs, peek, read_record};
use serde_json::{Value, json};

use super::{
    exit::{Exit, print_error},
    load::print_json,
    table::table,
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

/// A stage's call in a run, as far as its cache key is concerned.
struct RecordedStageCall {
    run: RunJson,
    item: String,
    parts: Vec<(&'static str, Value)>,
    memo: Option<MemoNote>,
}

fn explain(args: &Args) -> Result<Exit, StoreError> {
    let (folder, run) = peek(&args.out, &args.run)?;
    let Some(stage) = run.plan.stages.iter().find(|stage| stage.name == args.stage) else {
        let stages = run.plan.stages.iter().map(|stage| stage.name.as_str());
        print_error(
            format!("run `{}` has no stage `{}`", run.run, args.stage),
            hint_for(&args.stage, "its stages", stages),
        );
        return Ok(Exit::Usage);
    };
    if stage.cache.is_none() {
        print_error(
            format!("stage `{}` keeps no results, so each of its calls is made", args.stage),
            Some(format!("give it a cache: `cache = \"NAME\"` in `[stages.{}]`", args.stage)),
        );
        return Ok(Exit::Usage);
    }
    let Some(now) = read_call(run, &folder, &args.stage, args.item.as_deref())? else {
        let what = args.item.as_deref().map_or("any item".to_owned(), |item| format!("item `{item}`"));
        print_error(format!("stage `{}` has no result for {what}", args.stage), None);
        return Ok(Exit::Usage);
    };
    let before = earlier(args, &now)?;
    let rows = rows(&now, before.as_ref());
    if args.json {
        print_json(&report(&now, before.as_ref(), &rows, args));
    } else {
        print_explanation(&now, before.as_ref(), &rows, args);
    }
    Ok(Exit::Success)
}

/// Reads what is recorded of a stage's call for an item, or for the first item if `id` is none. Returns none if there is no result.
fn read_call(
    run: RunJson,
    folder: &Path,
    name: &str,
    id: Option<&str>,
) -> Result<Option<RecordedStageCall>, StoreError> {
    let Some(index_of_stage) = run.plan.stages.iter().position(|stage| stage.name == name) else { return Ok(None) };
    let stage = &run.plan.stages[index_of_stage];
    let db = read_record(folder, &run)?;
    let item = match (id, stage.scope) {
        (_, jackfield_pipeline::Scope::Run) => Some((-1, String::new())),
        (Some(id), _) => db.item_by_id(id)?.map(|row| (row.index as i64, row.id)),
        (None, _) => db.item(0)?.map(|row| (row.index as i64, row.id)),
    };
    let Some((index, item)) = item else { return Ok(None) };
    db.verify_item(index, &run)?;
    let memo = db.memo_notes(index, index_of_stage as u32)?.into_iter().next().map(|(_, note)| note);
    // The configuration with the values that the search chose for this trial.
    let trial = run.plan.search.as_ref().and_then(|search| Some((search, u64::try_from(index).ok()?)));
    let trial = trial.map(|(search, item)| db.trial(item).map(|trial| (search, trial))).transpose()?;
    let parts = match trial {
        Some((search, Some(trial))) => {
            common_parts(&run.plan, &stage.with_values(search, index_of_stage, &trial.outcome.values))
        }
        _ => common_parts(&run.plan, stage),
    };
    Ok(memo.is_some().then_some(RecordedStageCall { item, parts, memo, run }))
}

/// The newest earlier run of the pipeline in which the stage had a result for the item.
fn earlier(args: &Args, now: &RecordedStageCall) -> Result<Option<RecordedStageCall>, StoreError> {
    let (runs, _) = list_runs(&args.out);
    let is_earlier =
        |run: &RunJson| run.pipeline == now.run.pipeline && (&run.began, &run.run) < (&now.run.began, &now.run.run);
    let mut before: Vec<(PathBuf, RunJson)> = runs.into_iter().filter(|(_, run)| is_earlier(run)).collect();
    before.sort_by(|(_, a), (_, b)| (&b.began, &b.run).cmp(&(&a.began, &a.run)));
    for (folder, run) in before {
        let stage = run.plan.stages.iter().any(|stage| stage.name == args.stage && stage.cache.is_some());
        let item = Some(now.item.as_str()).filter(|item| !item.is_empty());
        if stage && let Some(seen) = read_call(run, &folder, &args.stage, item)? {
            return Ok(Some(seen));
        }
    }
    Ok(None)
}

/// A part of the key.
struct KeyPart {
    name: &'static str,
    value: String,
    /// How it differs from the earlier run, or none if it does not.
    change: Option<String>,
    /// Whether there is an earlier run to compare with.
    compared: bool,
}

fn rows(now: &RecordedStageCall, before: Option<&RecordedStageCall>) -> Vec<KeyPart> {
    let digest = |seen: &RecordedStageCall| {
        seen.memo.as_ref().map(|memo| jackfield_plugin_api::to_hex(&memo.input)).unwrap_or_default()
    };
    let mut rows: Vec<KeyPart> = now
        .parts
        .iter()
        .map(|(name, value)| {
            let old = before.and_then(|before| before.parts.iter().find(|(old, _)| old == name)).map(|(_, old)| old);
            let change = match (before, old) {
                (None, _) => None,
                (Some(_), Some(old)) => (old != value).then(|| difference(old, value)),
                (Some(_), None) => Some("was absent".to_owned()),
            };
            KeyPart { name, value: short(value), change, compared: before.is_some() }
        })
        .collect();
    let input = digest(now);
    let change = before.and_then(|before| {
        let old = digest(before);
        (old != input).then(|| format!("was sha256 {}…", &old[..12.min(old.len())]))
    });
    rows.push(KeyPart {
        name: "input",
        value: format!("sha256 {}…", &input[..12.min(input.len())]),
        change,
        compared: before.is_some(),
    });
    rows
}

/// The first difference between two values, in words.
fn difference(old: &Value, new: &Value) -> String {
    if let (Value::Object(old), Value::Object(new)) = (old, new) {
        let keys = old.keys().chain(new.keys());
        for key in keys {
            match (old.get(key), new.get(key)) {
                (a, b) if a != b && holds_secrets(key) => return format!("{key} changed"),
                (Some(a), Some(b)) if a != b && file_digest(a).is_some() && file_digest(b).is_some() => {
                    let short = |value| file_digest(value).map(|digest| &digest[..12.min(digest.len())]);
                    let (old_digest, new_digest) = (short(a).unwrap_or_default(), short(b).unwrap_or_default());
                    return format!(
                        "what lies at the path `{key}` changed: sha256 was {old_digest}…, is {new_digest}…"
                    );
                }
                (Some(Value::Object(a)), Some(Value::Object(b))) if a != b => {
                    return format!("{key}: {}", difference(&old[key], &new[key]));
                }
                (Some(a), Some(b)) if a != b => return format!("{key} was {}, is {}", short(a), short(b)),
                (Some(a), None) => return format!("{key} was {}, is absent", short(a)),
                (None, Some(b)) => return format!("{key} was absent, is {}", short(b)),
                _ => {}
            }
        }
    }
    format!("was {}", short(old))
}

/// The digest of a value that stands for the content of a path.
fn file_digest(value: &Value) -> Option<&str> {
    value.as_object().filter(|map| map.len() == 1)?.get("sha256")?.as_str()
}

/// The value with `********` in place of what may be a secret.
fn masked(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                let value = if holds_secrets(key) { Value::from(MASK) } else { masked(value) };
                (key.clone(), value)
            };
            map.iter().map(entry).collect()
        }
        Value::Array(list) => list.iter().map(masked).collect(),
        Value::String(text) => Value::from(mask_secrets(text)),
        other => other.clone(),
    }
}

fn short(value: &Value) -> String {
    let value = &masked(value);
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let digest = value.as_str().and_then(Digest::parse).is_some();
    match text.char_indices().nth(if digest { 12 } else { 60 }) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn hit(seen: &RecordedStageCall) -> bool {
    seen.memo.as_ref().is_some_and(|memo| memo.hit)
}

fn report(now: &RecordedStageCall, before: Option<&RecordedStageCall>, rows: &[KeyPart], args: &Args) -> Value {
    let parts: Vec<Value> =
        rows.iter().map(|row| json!({ "part": row.name, "value": row.value, "change": row.change })).collect();
    json!({
        "run": now.run.run, "stage": args.stage, "item": now.item, "hit": hit(now),
        "key": now.memo.as_ref().map(|memo| jackfield_plugin_api::to_hex(&memo.key)),
        "compared_with": before.map(|before| &before.run.run),
        "parts": parts,
        "first_difference": rows.iter().find(|row| row.change.is_some()).map(|row| row.name),
    })
}

fn print_explanation(now: &RecordedStageCall, before: Option<&RecordedStageCall>, rows: &[KeyPart], args: &Args) {
    let item = if now.item.is_empty() { String::new() } else { format!(" for item `{}`", now.item) };
    let how = if hit(now) { "its result was taken from the cache" } else { "the call was made" };
    output().line(format!("stage `{}`{item} in run {}: {how}", args.stage, now.run.run));
    match before {
        Some(before) => output().line(format!("compared with run {}", before.run.run)),
        None => output().line("there is no earlier run to compare with"),
    }
    let shown = rows.iter().map(|row| {
        let change = match (&row.change, row.compared) {
            (Some(change), _) => change.clone(),
            (None, true) => "same".to_owned(),
            (None, false) => String::new(),
        };
        vec![row.name.to_owned(), row.value.clone(), change]
    });
    output().line("");
    output().lines(table(&["part", "value", "change"], shown.collect()));
    let reason = match (rows.iter().find(|row| row.change.is_some()), before) {
        (Some(row), _) => {
            format!("the first part that differs: {} ({})", row.name, row.change.as_deref().unwrap_or_default())
        }
        (None, Some(_)) if !hit(now) => "no part differs: the earlier result was not in the cache any more".to_owned(),
        _ => return,
    };
    output().line("");
    output().line(reason);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{difference, short};

    #[test]
    fn a_configuration_is_shown_without_its_secrets() {
        let config = json!({ "api_key": "hidden", "url": "http://me:hidden@h", "in": [{ "token": 7 }], "n": 1 });
        assert_eq!(short(&config["url"]), "http://********@h");
        assert!(!short(&config).contains("hidden"), "{}", short(&config));
        let mut other = config.clone();
        other["api_key"] = json!("hidden too");
        assert_eq!(difference(&config, &other), "api_key changed");
    }

    #[test]
    fn a_file_that_changed_is_named() {
        let config = |digest: &str| json!({ "embedder": { "kind": "bert", "folder": { "sha256": digest } } });
        assert_eq!(
            difference(&config("aaaabbbbccccdddd"), &config("0000111122223333")),
            "embedder: what lies at the path `folder` changed: sha256 was aaaabbbbcccc…, is 000011112222…"
        );
    }
}
