//! `jackfield plugins replay` repeats a recorded call of a plugin without the host, and compares the answer and the host calls with the
//! record.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use jackfield::bundled;
use jackfield_engine::{Difference, is_same};
use jackfield_loader::{
    Artifact, Digest, Linkage, LoadError, Plugin, Trust, escape_untrusted, hint_for_threads, load, regular_file,
    sandbox::{Grant, Permission},
    start_runtime,
};
use jackfield_plugin_api::{Instance, Request, catch_panic};
use jackfield_services::{Divergence, RecordedAnswer, RecordedCall, Replayer};
use serde::Serialize;
use serde_json::Value;

use super::{
    exit::{Exit, print_error},
    load::print_json,
    table::{counted, cut},
};
use crate::terminal::{output, terminal};

#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// A file that `jackfield run --record` wrote.
    file: PathBuf,

    /// Make the call with this plugin file, in place of the recorded one: to try a fix.
    #[arg(long, value_name = "PATH")]
    plugin: Option<PathBuf>,

    /// Run native code. Only for files that you trust.
    #[arg(long)]
    allow_native: bool,

    /// Grant something of this machine that the recorded call had: `env:NAME`, `read:NAME=FOLDER`, `scratch:NAME`.
    #[arg(long = "grant", value_name = "PERMISSION")]
    grant: Vec<String>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// How the repeated call compares with the record.
#[derive(Serialize)]
struct Outcome {
    same: bool,
    extension: String,
    plugin: String,
    requests: usize,
    host_calls: usize,
    /// The host calls that differ from the record.
    divergences: Vec<Divergence>,
    /// Where the answer first differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Difference>,
    /// Whether there is an answer on the record.
    answer_recorded: bool,
}

pub(super) fn replay(args: &ReplayArgs) -> Result<(), Exit> {
    let usage = |message: String| {
        print_error(message, None);
        Exit::Usage
    };
    let path = args.file.display();
    let read = regular_file::read_text(&args.file, regular_file::MOST_BYTES);
    let text = read.map_err(|error| usage(format!("cannot read `{path}`: {error}")))?;
    let call = RecordedCall::parse(&text).map_err(|error| usage(format!("cannot read `{path}`: {error}")))?;
    let requests = call.to_requests().map_err(|error| usage(format!("cannot read `{path}`: {error}")))?;

    let plugin = find_plugin(args, &call)?;
    let entry = plugin
        .extensions
        .iter()
        .find(|entry| entry.descriptor.name == call.extension && entry.descriptor.kind == call.kind);
    let Some(entry) = entry.filter(|entry| entry.descriptor.kind.is_for_stages()) else {
        let names = plugin.extensions.iter().map(|entry| entry.descriptor.name.as_str());
        let hint = jackfield_pipeline::hint_for(&call.extension, "it offers", names);
        print_error(format!("the plugin offers no {} `{}`", call.kind, call.extension), hint);
        return Err(Exit::Usage);
    };
    let replayer = Replayer::new(&call, &entry.grants).with_tensors_beside(&args.file).map_err(|error| {
        print_error(&error, error.hint());
        Exit::Failed
    })?;
    // A plugin that refuses the configuration gives an answer that is compared like any other.
    let opened =
        catch_panic("open", || entry.factory.open(&call.config.to_string(), &call.limits)).and_then(|opened| opened);
    let answered = match opened {
        Ok(instance) => repeat_call(&*instance, &requests, &replayer)?,
        Err(failure) => RecordedAnswer::from_results(&Err(failure)),
    };
    let difference = call.answer.as_ref().and_then(|recorded| {
        is_same(&serde_json::to_value(recorded).unwrap_or_default(), &replayer.as_recorded(&answered)).err()
    });
    let divergences = replayer.divergences();
    let outcome = Outcome {
        same: divergences.is_empty() && difference.is_none(),
        extension: call.extension.clone(),
        plugin: plugin.path.as_ref().map_or_else(|| plugin.alias.clone(), |path| path.display().to_string()),
        requests: requests.len(),
        host_calls: call
            .host_calls
            .iter()
            .filter(|entry| entry.call != "cancelled" && entry.call != "model-name")
            .count(),
        divergences,
        difference,
        answer_recorded: call.answer.is_some(),
    };
    if args.json {
        print_json(&outcome);
    } else {
        output().lines(outcome_text(&outcome));
    }
    if outcome.same { Ok(()) } else { Err(Exit::Failed) }
}

/// Repeats the call.
fn repeat_call(instance: &dyn Instance, requests: &[Request], replayer: &Replayer<'_>) -> Result<RecordedAnswer, Exit> {
    let runtime = start_runtime("io").map_err(|error| {
        print_error(format!("failed to start workers: {error}"), Some(hint_for_threads()));
        Exit::Failed
    })?;
    let answered = runtime.block_on(async {
        let future = catch_panic("call", || instance.call(requests, replayer))?;
        jackfield_plugin_api::CatchPanic::new("call", future).await
    });
    Ok(RecordedAnswer::from_results(&answered))
}

/// The recorded plugin, or the one that is named in its place.
fn find_plugin(args: &ReplayArgs, call: &RecordedCall) -> Result<Plugin, Exit> {
    let Some(path) = args.plugin.as_ref().or(call.file.as_ref()) else {
        let bundled = bundled();
        if bundled.digest != call.sha256 {
            terminal().say(format!(
                "note: the call was recorded by another build of the program, jackfield {}",
                call.jackfield
            ));
        }
        return Ok(bundled);
    };
    let (sha256, grants) = (pinned(args, call, path), grants(args, call)?);
    let trust = Trust { allow_native: args.allow_native, sha256, grants, ..Trust::default() };
    load(&call.plugin, path, &trust).map_err(|error| {
        let hint = match &error {
            LoadError::Changed { .. } => {
                Some("to make the call with the file as it is now, add `--plugin PATH`".to_owned())
            }
            LoadError::NotAllowed { .. } => Some("if you trust it, add --allow-native".to_owned()),
            LoadError::Read { .. } if args.plugin.is_none() => {
                Some("name another file with `--plugin PATH`".to_owned())
            }
            other => other.hint(),
        };
        print_error(error, hint);
        Exit::Usage
    })
}

/// The digest that the file must have: the recorded one, or that of the file that a person names.
fn pinned(args: &ReplayArgs, call: &RecordedCall, path: &Path) -> Option<Digest> {
    match &args.plugin {
        Some(_) if args.allow_native => Artifact::read(path).ok().map(|artifact| artifact.whole_digest()),
        Some(_) => None,
        None => Some(call.sha256.clone()),
    }
}

/// What the plugin may do: everything that is answered from the record, and what is granted on the command line. A record may come
/// from anyone, so it alone grants nothing of this machine.
fn grants(args: &ReplayArgs, call: &RecordedCall) -> Result<Vec<Grant>, Exit> {
    let current = std::env::current_dir().unwrap_or_default();
    let mut grants = Vec::new();
    for text in &args.grant {
        grants.push(Grant::parse(text, &current).map_err(|error| {
            print_error(format!("`--grant {text}`: {error}"), None);
            Exit::Usage
        })?);
    }
    if call.linkage != Linkage::Wasm {
        return Ok(grants);
    }
    for grant in &call.grants {
        match &grant.permission {
            Permission::Read(_) | Permission::Scratch(_) | Permission::Env(_) => {
                if !grants.iter().any(|given| given.permission == grant.permission) {
                    terminal().say(format!(
                        "note: the recorded call had `{0}`; to grant it, add `--grant {0}`",
                        grant.permission
                    ));
                }
            }
            _ => grants.push(grant.clone()),
        }
    }
    Ok(grants)
}

fn outcome_text(outcome: &Outcome) -> String {
    let what = format!(
        "`{}` of {}: {}, {}",
        escape_untrusted(&outcome.extension),
        escape_untrusted(&outcome.plugin),
        counted(outcome.requests as u64, "request"),
        counted(outcome.host_calls as u64, "host call")
    );
    if outcome.same {
        let same =
            if outcome.answer_recorded { "same answer" } else { "same host calls; there is no answer on the record" };
        return format!("{same}\n  {what}\n");
    }
    let mut text = String::from("not the same\n");
    text.push_str(&format!("  {what}\n"));
    if let Some(divergence) = outcome.divergences.first() {
        text.push_str(&divergence_text(divergence));
        if outcome.divergences.len() > 1 {
            text.push_str(&format!("  {} more host calls differ\n", outcome.divergences.len() - 1));
        }
    }
    if let Some(difference) = &outcome.difference {
        let (then, now) = difference.words();
        text.push_str(&format!(
            "  the answer differs at {}\n    recorded {then}\n    now      {now}\n",
            location(difference)
        ));
    }
    text
}

/// Where two values differ, as text.
fn location(difference: &Difference) -> Cow<'_, str> {
    match difference.place.trim_start_matches('.') {
        "" => "its beginning".into(),
        place => escape_untrusted(place),
    }
}

fn divergence_text(divergence: &Divergence) -> String {
    let Divergence { call, now, then } = divergence;
    match (now, then) {
        (Some(now), Some(then)) => {
            let (location, then, now) = match is_same(then, now) {
                Err(difference) => {
                    let (then, now) = difference.words();
                    (location(&difference).into_owned(), then, now)
                }
                // The same host call was made more often than recorded, or for another request.
                Ok(()) => ("the request that it is made for".to_owned(), then.to_string(), now.to_string()),
            };
            format!(
                "  `{call}` is not on the record; the nearest differs at {location}\n    recorded {then}\n    now      {now}\n"
            )
        }
        (Some(now), None) => {
            format!("  `{call}` is not on the record, nor any other that is left\n    now      {}\n", short(now))
        }
        (None, Some(then)) => format!("  `{call}` is not made any more\n    recorded {}\n", short(then)),
        (None, None) => String::new(),
    }
}

fn short(value: &Value) -> String {
    cut(value.to_string(), 300)
}
