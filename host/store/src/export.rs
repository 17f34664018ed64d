//! Plain files made from the record.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::Path,
    time::Duration,
};

use jackfield_pipeline::{Plan, Scope};
use jackfield_plugin_api::Values;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    Spend, StoreError,
    atomic::{Durable, write_in_held_folder},
    clock,
    db::Db,
    plain::make_folder,
    record::{Answer, OF_RUN, OVER_ALL},
    rows::{ItemRow, ResultRow},
    spend,
};
use crate::ItemState;

/// A line of `results.jsonl`. It holds nothing that differs between two runs of the same plan.
#[derive(Serialize)]
struct Line<'a> {
    item: &'a str,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
    /// The values of a trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Values>,
    outputs: BTreeMap<&'a str, Output<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    failures: BTreeMap<&'a str, Vec<Value>>,
    /// The stages that were off.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    off: BTreeSet<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Output<'a> {
    One(&'a RawValue),
    List(Vec<&'a RawValue>),
}

/// The outcome of an item, as its line in `results.jsonl` has it.
pub fn item_json(db: &Db, plan: &Plan, item: &ItemRow) -> Result<Value, StoreError> {
    Ok(result_json(plan, item, params_of(db, plan, item)?, db.results(item.index as i64)?))
}

/// The outcome of an item, as its line in `results.jsonl` has it: from its row, the values of its trial, and its results, by
/// stage and call.
#[must_use]
pub fn result_json(plan: &Plan, item: &ItemRow, params: Option<Values>, mut results: Vec<ResultRow>) -> Value {
    results.retain(|row| item.stopped_by.is_none_or(|stop| row.stage <= stop));
    let state = item.state.as_deref().unwrap_or("running");
    let mut line = line_of(plan, &item.id, state, item.fault.as_deref(), &results);
    line.params = params;
    if item.was_read() && item.state.is_some() {
        empty_lists(plan, item.stopped_by, &results, &mut line);
    }
    serde_json::to_value(&line).unwrap_or_default()
}

/// What the stages gave that do not run once an item: `outputs`, `failures` and `off`, as an item's line has them.
pub fn run_json(db: &Db, plan: &Plan) -> Result<Value, StoreError> {
    let mut rows = db.results(OF_RUN)?;
    rows.extend(db.results(OVER_ALL)?);
    let line = line_of(plan, "", "", None, &rows);
    let mut value = serde_json::to_value(&line).unwrap_or_default();
    value.as_object_mut().into_iter().for_each(|value| value.retain(|key, _| key != "item" && key != "state"));
    Ok(value)
}

/// Writes `results.jsonl`: a line for each item that is done, in order.
pub fn export_results(db: &Db, plan: &Plan, path: &Path) -> Result<(), StoreError> {
    let mut record_error = None;
    let _snapshot = db.snapshot()?;
    write_in_held_folder(path, Durable::Yes, |file| {
        let result = db.each_item(|item| {
            let mut written = Ok(());
            let found = with_line(db, plan, &item, |line| written = write_line(file, line));
            found.and_then(|()| written.map_err(|source| StoreError::file("write", path, source)))
        });
        result.map_err(|error| {
            record_error = Some(error);
            io::Error::other("the record could not be read")
        })
    })
    .map_err(|error| record_error.unwrap_or(error))
}

/// Adds the line of an item that is done to `text`, with its end; of one that is not, nothing.
pub(super) fn add_result_line(db: &Db, plan: &Plan, item: &ItemRow, text: &mut Vec<u8>) -> Result<(), StoreError> {
    let mut written = Ok(());
    with_line(db, plan, item, |line| written = write_line(text, line))?;
    written.map_err(|source| StoreError::file("write", &db.path, source))
}

fn write_line(file: &mut dyn Write, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line).map_err(io::Error::from)?;
    file.write_all(b"\n")
}

/// Makes the line of an item, if it is done.
fn with_line(db: &Db, plan: &Plan, item: &ItemRow, use_line: impl FnOnce(&Line<'_>)) -> Result<(), StoreError> {
    let Some(state) = &item.state else { return Ok(()) };
    let mut results = db.results(item.index as i64)?;
    // Whether a later stage was done when its item was stopped is a matter of chance.
    results.retain(|row| item.stopped_by.is_none_or(|stop| row.stage <= stop));
    let mut line = line_of(plan, &item.id, state, item.fault.as_deref(), &results);
    line.params = params_of(db, plan, item)?;
    if item.was_read() {
        empty_lists(plan, item.stopped_by, &results, &mut line);
    }
    use_line(&line);
    Ok(())
}

fn line_of<'a>(
    plan: &'a Plan,
    id: &'a str,
    state: &'a str,
    fault: Option<&'a str>,
    results: &'a [ResultRow],
) -> Line<'a> {
    let mut line = Line {
        item: id,
        state,
        fault,
        params: None,
        outputs: BTreeMap::new(),
        failures: BTreeMap::new(),
        off: BTreeSet::new(),
    };
    for row in results {
        let Some(stage) = plan.stages.get(row.stage as usize) else { continue };
        let name = stage.name.as_str();
        let call = stage.is_list().then_some(row.call);
        match &row.answer {
            Answer::Ok { json, .. } => {
                let Ok(value) = serde_json::from_str::<&RawValue>(json) else { continue };
                if stage.is_list() {
                    match line.outputs.entry(name).or_insert_with(|| Output::List(Vec::new())) {
                        Output::List(list) => list.push(value),
                        Output::One(_) => {}
                    }
                } else {
                    line.outputs.insert(name, Output::One(value));
                }
            }
            Answer::Failed { kind, message } => {
                line.failures.entry(name).or_default().push(failure_of(kind, message, call));
            }
            Answer::Off { .. } => {
                line.off.insert(name);
            }
            Answer::Skipped { message } => {
                line.failures.entry(name).or_default().push(failure_of("skipped", message, call));
            }
        }
    }
    line
}

/// The values of a trial; none where nothing is searched.
fn params_of(db: &Db, plan: &Plan, item: &ItemRow) -> Result<Option<Values>, StoreError> {
    if plan.search.is_none() {
        return Ok(None);
    }
    Ok(db.trial(item.index)?.map(|trial| trial.outcome.values))
}

/// A stage over an empty list made no call and has no row: its result is the empty list.
fn empty_lists<'a>(plan: &'a Plan, stopped_by: Option<u32>, results: &[ResultRow], line: &mut Line<'a>) {
    // Of a trial that was stopped, what has no row was left out.
    if line.state == ItemState::Pruned.name() {
        return;
    }
    for (index, stage) in plan.stages.iter().enumerate() {
        let wanted = stage.scope == Scope::Item && stopped_by.is_none_or(|stop| index as u32 <= stop);
        if wanted && stage.is_list() && !results.iter().any(|row| row.stage == index as u32) {
            line.outputs.insert(&stage.name, Output::List(Vec::new()));
        }
    }
}

/// A member of an object.
pub struct Member {
    /// Its key.
    pub key: String,
    /// Its value, as it was given.
    pub value: Box<RawValue>,
}

/// Writes a JSON object, a member a line, of the members that `members_of` gives for each item, in order.
pub fn export_object(
    db: &Db,
    path: &Path,
    mut members_of: impl FnMut(&ItemRow) -> Result<Vec<Member>, StoreError>,
) -> Result<(), StoreError> {
    let mut record_error = None;
    let _snapshot = db.snapshot()?;
    write_in_held_folder(path, Durable::Yes, |file| {
        file.write_all(b"{")?;
        let mut before = "\n";
        let result = db.each_item(|item| {
            for Member { key, value } in members_of(&item)? {
                let written = write!(file, "{before}{}:{value}", Value::from(key));
                written.map_err(|source| StoreError::file("write", path, source))?;
                before = ",\n";
            }
            Ok(())
        });
        result.map_err(|error| {
            record_error = Some(error);
            io::Error::other("the record could not be read")
        })?;
        file.write_all(b"\n}\n")
    })
    .map_err(|error| record_error.unwrap_or(error))
}

/// Writes `run/<stage>.json` for each stage that runs once a run, or over all items. That of an earlier session is removed where the
/// stage has no result now.
pub fn export_run_stages(db: &Db, plan: &Plan, folder: &Path) -> Result<(), StoreError> {
    let mut rows = db.results(OF_RUN)?;
    rows.extend(db.results(OVER_ALL)?);
    let line = line_of(plan, "", "", None, &rows);
    for (stage, output) in &line.outputs {
        make_folder(folder)?;
        let text = serde_json::to_string_pretty(output).unwrap_or_default() + "\n";
        write_in_held_folder(&folder.join(format!("{stage}.json")), Durable::No, |file| {
            file.write_all(text.as_bytes())
        })?;
    }
    let over_all = plan.stages.iter().filter(|stage| stage.scope == Scope::All);
    for stage in over_all.filter(|stage| !line.outputs.contains_key(stage.name.as_str())) {
        let path = folder.join(format!("{}.json", stage.name));
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::file("remove", path, source));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A line of `spend.jsonl`: what the stages spent for an item. It is not part of the results, since it depends on what caches
/// held and on when the run was stopped.
#[derive(Serialize)]
struct SpendLine<'a> {
    item: &'a str,
    spend: BTreeMap<String, Spend>,
}

/// Writes `spend.jsonl`, for a run that spent anything: a line for each item that did, in order, and before them one without
/// an id for the stages that run once a run or over all items.
pub fn export_spend(db: &Db, plan: &Plan, path: &Path) -> Result<(), StoreError> {
    if db.spend_by_stage()?.is_empty() {
        return Ok(());
    }
    db.index_spend()?;
    let mut record_error = None;
    let _snapshot = db.snapshot()?;
    write_in_held_folder(path, Durable::Yes, |file| {
        let mut line = |id: &str| -> Result<(), StoreError> {
            let spend = spend::by_stage_name(db.spend_of_item(id)?, plan);
            if spend.is_empty() {
                return Ok(());
            }
            let written = serde_json::to_writer(&mut *file, &SpendLine { item: id, spend }).map_err(io::Error::from);
            written.and_then(|()| file.write_all(b"\n")).map_err(|source| StoreError::file("write", path, source))
        };
        line("").and_then(|()| db.each_item(|item| line(&item.id))).map_err(|error| {
            record_error = Some(error);
            io::Error::other("the record could not be read")
        })
    })
    .map_err(|error| record_error.unwrap_or(error))
}

fn failure_of(kind: &str, message: &str, call: Option<u32>) -> Value {
    let mut failure = json!({ "kind": kind, "message": message });
    if let Some(call) = call {
        failure["call"] = call.into();
    }
    failure
}

/// Writes `events.jsonl`: what happened in the run, and for each call of a stage when it began and how it ended, by
/// session and time. `per_call` leaves the calls out of runs over so many items that nobody would read them.
pub fn export_events(db: &Db, plan: &Plan, per_call: bool, path: &Path) -> Result<(), StoreError> {
    let sessions: BTreeMap<i64, std::time::SystemTime> = db
        .sessions()?
        .into_iter()
        .filter_map(|session| Some((session.id, humantime::parse_rfc3339(&session.began).ok()?)))
        .collect();
    let mut lines: Vec<(i64, u64, String)> = Vec::new();
    db.each_event(|session, at, event| {
        lines.push((session, at, event.to_owned()));
        Ok(())
    })?;
    if per_call {
        let mut calls = |item: i64, id: &str| -> Result<(), StoreError> {
            for row in db.results(item)? {
                let Some(stage) = plan.stages.get(row.stage as usize) else { continue };
                lines.extend(call_events(&stage.name, stage.is_list(), id, &row));
            }
            Ok(())
        };
        calls(OF_RUN, "")?;
        calls(OVER_ALL, "")?;
        db.each_item(|item| calls(item.index as i64, &item.id))?;
    }
    lines.sort_by_key(|(session, at, _)| (*session, *at));
    write_in_held_folder(path, Durable::Yes, |file| {
        for (session, at, event) in &lines {
            let began = sessions.get(session).copied().unwrap_or(std::time::UNIX_EPOCH);
            let at = humantime::format_rfc3339_micros(clock::written(began + Duration::from_micros(*at)));
            // The events are objects: the time goes in as their first field.
            writeln!(file, "{{\"at\":\"{at}\",{}", event.trim_start_matches('{'))?;
        }
        Ok(())
    })
}

fn call_events(stage: &str, is_list: bool, item: &str, row: &ResultRow) -> Vec<(i64, u64, String)> {
    let mut base = json!({ "stage": stage });
    if !item.is_empty() {
        base["item"] = item.into();
    }
    if is_list {
        base["call"] = row.call.into();
    }
    let event = |at: u64, name: &str, details: Value| {
        let mut event = json!({ "event": name });
        for part in [&base, &details] {
            for (key, value) in part.as_object().into_iter().flatten() {
                event[key] = value.clone();
            }
        }
        (row.session, at, event.to_string())
    };
    let ended = row.began_us + row.took_us;
    let ms = row.took_us as f64 / 1000.0;
    match &row.answer {
        Answer::Ok { .. } => vec![
            event(row.began_us, "stage-started", json!({})),
            event(ended, "stage-completed", json!({ "ms": ms, "attempts": row.attempts })),
        ],
        Answer::Failed { kind, message } => vec![
            event(row.began_us, "stage-started", json!({})),
            event(
                ended,
                "stage-failed",
                json!({ "ms": ms, "attempts": row.attempts, "kind": kind, "message": message }),
            ),
        ],
        Answer::Off { message } => vec![event(ended, "stage-off", json!({ "message": message }))],
        Answer::Skipped { message } => vec![event(ended, "stage-skipped", json!({ "message": message }))],
    }
}
