//! `jackfield plugins lock`, `verify`, `diff` and `update` write the lockfile of a pipeline, and compare the plugin files with it.

use std::path::PathBuf;

use jackfield::internal::indented;
use jackfield_loader::lock::{Difference, Entry, Lock, NativeCode, Refusal, quoted};
use jackfield_pipeline::{PluginEntry, hint_for};
use serde_json::{Value, json};

use super::{
    exit::{Exit, print_error},
    load::{OutputFormat, print_json},
    lock_status::{LockStatus, PluginStatus},
    table::counted,
};
use crate::terminal::{output, terminal};

/// The pipeline whose plugins are meant.
#[derive(Debug, clap::Args)]
struct PipelineSelection {
    /// A pipeline file, or the folder that holds `pipeline.toml`.
    #[arg(default_value = ".")]
    pipeline: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct LockArgs {
    #[command(flatten)]
    selection: PipelineSelection,
}

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    selection: PipelineSelection,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    #[command(flatten)]
    selection: PipelineSelection,

    /// End with code 1 if anything differs.
    #[arg(long)]
    exit_code: bool,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct UpdateArgs {
    /// The plugins to accept, by their names in the pipeline; all of them if none is named. One that the pipeline no
    /// longer names is taken out of the lockfile.
    #[arg(value_name = "ALIAS")]
    aliases: Vec<String>,

    /// A pipeline file, or the folder that holds `pipeline.toml`.
    #[arg(long, value_name = "PATH", default_value = ".")]
    pipeline: PathBuf,
}

pub(super) fn lock(args: &LockArgs) -> Result<(), Exit> {
    let status = LockStatus::read(&args.selection.pipeline, OutputFormat::Human)?;
    let lock = status.lock.clone().unwrap_or_default();
    let (there, new): (Vec<&PluginEntry>, Vec<_>) =
        status.plugins().iter().partition(|entry| lock.get(&entry.alias).is_some());
    let changed: Vec<(&str, PluginStatus)> = there
        .into_iter()
        .map(|entry| (entry.alias.as_str(), status.look(entry, NativeCode::MustNotRun)))
        .filter(|(_, seen)| !matches!(seen, Ok((_, difference)) if difference.is_empty()))
        .collect();
    for (alias, seen) in &changed {
        match seen {
            Ok((_, difference)) => print_error(
                format!("plugin `{alias}` {}:\n{}", difference.summary(), indented(&difference.lines())),
                Some(difference.hint(&status.accept.update(alias), &status.accept.lock())),
            ),
            Err(refusal) => print_refusal(alias, refusal),
        }
    }
    if !changed.is_empty() {
        print_error("`lock` overwrites nothing that was accepted before; nothing was written", None);
        return Err(Exit::Failed);
    }
    if new.is_empty() {
        let path = status.path.display();
        terminal().say(match &status.lock {
            Some(_) => format!("`{path}` is up to date"),
            None => "the pipeline names no plugin files: there is nothing to lock".to_owned(),
        });
        return Ok(());
    }
    let accepted = accept_all(&status, &new)?;
    write(&status, lock, accepted)
}

pub(super) fn update(args: &UpdateArgs) -> Result<(), Exit> {
    let status = LockStatus::read(&args.pipeline, OutputFormat::Human)?;
    let mut lock = status.lock.clone().unwrap_or_default();
    let named = |alias: &String| status.plugins().iter().find(|entry| entry.alias == *alias);
    if let Some(unknown) = args.aliases.iter().find(|alias| named(alias).is_none() && lock.get(alias).is_none()) {
        let known = status.plugins().iter().map(|entry| entry.alias.as_str()).chain(status.unnamed());
        let hint = hint_for(unknown, "known plugins", known);
        print_error(format!("neither the pipeline nor its lockfile names a plugin `{unknown}`"), hint);
        return Err(Exit::Usage);
    }
    let chosen: Vec<&PluginEntry> = match args.aliases.as_slice() {
        [] => status.plugins().iter().collect(),
        aliases => aliases.iter().filter_map(named).collect(),
    };
    let accepted = accept_all(&status, &chosen)?;
    let gone = args.aliases.iter().filter(|alias| named(alias).is_none()).filter_map(|alias| lock.remove(alias));
    let gone: Vec<_> = gone.collect();
    if accepted.is_empty() && gone.is_empty() {
        terminal().say(format!("`{}` is up to date", status.path.display()));
        return Ok(());
    }
    write(&status, lock, accepted)?;
    for entry in gone {
        output().line(format!("{}: is no longer locked", entry.alias));
    }
    Ok(())
}

/// Writes what was accepted, and prints it after it is written.
fn write(status: &LockStatus, mut lock: Lock, accepted: Vec<(Entry, Difference)>) -> Result<(), Exit> {
    let (entries, differences): (Vec<Entry>, Vec<Difference>) = accepted.into_iter().unzip();
    entries.into_iter().for_each(|entry| lock.insert(entry));
    status.write(&lock)?;
    differences.iter().for_each(show);
    status.conclude(&lock, differences.len());
    Ok(())
}

/// The entries of those plugins that differ from what is locked. If one of them cannot be accepted, nothing is.
fn accept_all(status: &LockStatus, entries: &[&PluginEntry]) -> Result<Vec<(Entry, Difference)>, Exit> {
    let (mut accepted, mut failed) = (Vec::new(), false);
    for entry in entries {
        match status.look_to_accept(entry) {
            Ok(seen) => accepted.extend(seen.map(|(found, difference)| (found.entry, difference))),
            Err(refusal) => {
                print_refusal(&entry.alias, &refusal);
                failed = true;
            }
        }
    }
    if failed {
        print_error("nothing was written", None);
        return Err(Exit::Failed);
    }
    Ok(accepted)
}

fn print_refusal(alias: &str, refusal: &Refusal) {
    print_error(format!("plugin `{alias}` cannot be accepted: {refusal}"), hint(refusal));
}

fn hint(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::Load(error) => error.hint(),
        Refusal::Signature(error) => error.hint(),
        Refusal::Locked(_) => None,
    }
}

fn show(difference: &Difference) {
    output().line(format!("{}: {}", difference.alias, difference.summary()));
    output().lines(indented(&difference.lines()));
}

pub(super) fn verify(args: &VerifyArgs) -> Result<(), Exit> {
    let status =
        LockStatus::read(&args.selection.pipeline, if args.json { OutputFormat::Json } else { OutputFormat::Human })?;
    let seen: Vec<(&PluginEntry, PluginStatus)> =
        status.plugins().iter().map(|entry| (entry, status.look(entry, NativeCode::MustNotRun))).collect();
    let bad = seen.iter().filter(|(_, seen)| !matches!(seen, Ok((_, difference)) if !difference.stops())).count();
    if args.json {
        let plugins: Vec<Value> = seen.iter().map(|(entry, seen)| seen_json(&entry.alias, seen)).collect();
        print_json(&json!({ "ok": bad == 0, "plugins": plugins, "unnamed": status.unnamed() }));
    } else {
        for (entry, seen) in &seen {
            output().line(format!("{}: {}", entry.alias, verdict(seen, !status.signers.keys.is_empty())));
        }
        for alias in status.unnamed() {
            output().line(format!("{alias}: locked, and not named by this pipeline"));
        }
    }
    if bad == 0 {
        if seen.is_empty() {
            terminal().say("the pipeline names no plugin files");
        }
        return Ok(());
    }
    if status.lock.is_none() {
        let hint = format!("write it with `{}`, and look at what it holds", status.accept.lock());
        print_error(format!("there is no `{}`", status.path.display()), Some(hint));
    } else {
        let hint = format!("`{}` shows what differs", status.accept.command("diff"));
        let all = counted(seen.len() as u64, "plugin");
        print_error(format!("{bad} of {all} would stop a run"), Some(hint));
    }
    Err(Exit::Failed)
}

/// The words of `verify` about a plugin.
fn verdict(seen: &PluginStatus, signatures_count: bool) -> String {
    let (found, difference) = match seen {
        Ok(seen) => seen,
        Err(refusal) => return refusal.to_string(),
    };
    if difference.stops() {
        return difference.summary();
    }
    let mut text = format!("ok, {}", found.entry.linkage);
    match &found.signed {
        Some(signed) => text.push_str(&format!(", signed by {}: {}", signed.key, quoted(&signed.comment))),
        None if signatures_count => text.push_str(", not signed"),
        None => {}
    }
    if !difference.is_empty() {
        text.push_str("; it ");
        text.push_str(&difference.summary());
    }
    text
}

fn seen_json(alias: &str, seen: &PluginStatus) -> Value {
    match seen {
        Err(refusal) => {
            json!({ "alias": alias, "state": "refused", "error": refusal.to_string(), "hint": hint(refusal) })
        }
        Ok((found, difference)) => {
            let state = match difference {
                new if !new.locked => "new",
                changed if changed.stops() => "changed",
                same if same.is_empty() => "ok",
                _ => "harmless",
            };
            json!({
                "alias": alias,
                "state": state,
                "path": found.entry.path,
                "sha256": found.entry.sha256,
                "changes": difference.changes,
                "undescribed": difference.undescribed,
                "signed_by": found.signed.as_ref().map(|signed| signed.key.to_string()),
                "trusted_comment": found.signed.as_ref().map(|signed| &signed.comment),
            })
        }
    }
}

pub(super) fn diff(args: &DiffArgs) -> Result<(), Exit> {
    let status =
        LockStatus::read(&args.selection.pipeline, if args.json { OutputFormat::Json } else { OutputFormat::Human })?;
    let seen: Vec<(&PluginEntry, PluginStatus)> =
        status.plugins().iter().map(|entry| (entry, status.look(entry, NativeCode::MustNotRun))).collect();
    let differs = |seen: &PluginStatus| !matches!(seen, Ok((_, difference)) if difference.is_empty());
    let same = !seen.iter().any(|(_, seen)| differs(seen));
    if args.json {
        let plugins: Vec<Value> = seen.iter().map(|(entry, seen)| seen_json(&entry.alias, seen)).collect();
        print_json(&json!({ "same": same, "plugins": plugins, "unnamed": status.unnamed() }));
    } else {
        for (entry, seen) in seen.iter().filter(|(_, seen)| differs(seen)) {
            match seen {
                Ok((_, difference)) => show(difference),
                Err(refusal) => output().line(format!("{}: {refusal}", entry.alias)),
            }
        }
        for alias in status.unnamed() {
            output().line(format!("{alias}: is locked, and not named by this pipeline"));
        }
        if same {
            terminal().say(format!("nothing differs from `{}`", status.path.display()));
        }
    }
    if args.exit_code && !same { Err(Exit::Failed) } else { Ok(()) }
}
