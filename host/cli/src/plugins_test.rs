//! `jackfield plugins test` checks whether a plugin keeps the promises of the contract, and prints the level that it reaches.

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf, sync::Arc, time::Duration};

use clap::ArgGroup;
use jackfield::bundled;
use jackfield_conformance::{ExtensionReport, Level, Outcome, Report, Servers, Settings, every_check, examine};
use jackfield_loader::{
    Linkage, LoadError, Plugin, escape_untrusted, imports,
    sandbox::{Grant, GrantError, Limits, Permission},
};
use jackfield_plugin_api::Kind;
use jackfield_services::Http;
use serde_json::{Value, json};

use super::{
    exit::{Exit, print_error},
    load::print_json,
    plugin_files::{load_file, load_hint},
    table::{counted, table},
};
use crate::terminal::output;

/// The levels and the checks, for `--help`.
fn help() -> String {
    let mut text = "\
Levels, each of which needs those before it:
  broken         it cannot be loaded, or not be described
  loads          it can
  conforming     it opens with some configuration, and no check of the contract failed
  deterministic  the same input and seed gave the same bytes (what is linked in or native
                 ends here)
  sandbox-clean  a component that works in the default limits, with nothing granted but
                 what it asks for

A plugin has the lowest level among its extensions, but for those that no configuration is known
to open, as long as there are others. Warnings lower no level. The exit code is 0 from
`conforming` on, and 1 below it.

Checks:"
        .to_owned();
    for check in every_check() {
        let only = check.kind.map_or_else(String::new, |kind| format!(", for the kind {kind}"));
        let _ = write!(text, "\n  {} ({}{only})", check.id, check.level);
        let mut column = usize::MAX;
        for word in check.promise.split(' ') {
            if column.saturating_add(word.len()) > HELP_WIDTH {
                text.push_str("\n     ");
                column = 5;
            }
            text.push(' ');
            text.push_str(word);
            column += 1 + word.len();
        }
    }
    text
}

/// The columns of the list of checks in the help.
const HELP_WIDTH: usize = 90;

fn grant(text: &str) -> Result<Grant, GrantError> {
    Grant::parse(text, &std::env::current_dir().unwrap_or_default())
}

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("what").required(true).args(["path", "bundled"]), after_long_help = help())]
pub(super) struct Args {
    /// A plugin file: a component (`.wasm`) or a native library (`.so`).
    path: Option<PathBuf>,

    /// Test what is linked into this program: all of it, or the extensions of this name.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    bundled: Option<String>,

    /// Grant a component something that it asks for: `clock`, `http:api.example.org`, `read:corpus=data`.
    #[arg(long = "grant", value_name = "PERMISSION", value_parser = grant, requires = "path")]
    grants: Vec<Grant>,

    /// Run native code. Only for files that you trust: a fault in it can end this program.
    #[arg(long)]
    allow_native: bool,

    /// Only extensions of this kind, such as `analyzer` or `direction-extractor`.
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,

    /// Only extensions of this name.
    #[arg(long)]
    name: Option<String>,

    /// Test with this configuration, the JSON of a `with` table, rather than with those of the examples.
    #[arg(long, value_name = "JSON", value_parser = object)]
    config: Option<Value>,

    /// The longest that a call may take; of a component, the CPU time that it may use.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    timeout: Duration,

    /// Smaller batches and fewer repetitions.
    #[arg(long)]
    quick: bool,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_name(text).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("there are {}", known.join(", "))
    })
}

fn object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value.is_object() { Ok(value) } else { Err("it is not a JSON object".to_owned()) }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration < Duration::from_millis(100) {
        return Err("a call needs 100ms at least".to_owned());
    }
    Ok(duration)
}

/// The permissions that sandboxed cache backends are tested with although nobody granted them, as they could keep nothing otherwise:
/// scratch folders, which are empty and are removed after the test, and a clock.
fn grants_for_caches(plugin: &Plugin) -> Vec<Grant> {
    let caches = plugin.extensions.iter().filter(|entry| entry.descriptor.kind == Kind::CacheBackend);
    let missing = caches.flat_map(|entry| entry.grants.missing()).map(|(permission, _)| permission);
    let given = missing.filter(|permission| matches!(permission, Permission::Scratch(_) | Permission::Clock));
    let given: BTreeSet<&Permission> = given.collect();
    given
        .into_iter()
        .map(|permission| Grant { permission: permission.clone(), folder: None, private: false, server: None })
        .collect()
}

/// The servers of this world, each for those to whom it is granted.
fn servers() -> Servers {
    let http = Arc::new(Http::default());
    Servers(Arc::new(move |grants, request| {
        let http = Arc::clone(&http);
        Box::pin(async move { http.fetch(&grants, request, Limits::default().output).await })
    }))
}

pub(super) fn test(args: &Args) -> Exit {
    let name = args.bundled.clone().filter(|name| !name.is_empty()).or_else(|| args.name.clone());
    let settings = Settings {
        kind: args.kind,
        name,
        config: args.config.clone(),
        // Whoever gives a configuration means the servers that it names.
        servers: args.config.is_some().then(servers),
        quick: args.quick,
        longest: args.timeout,
    };
    let loaded = match &args.path {
        None => Ok((bundled(), bundled(), Vec::new())),
        Some(path) => load_file(path, args.allow_native, args.grants.clone()).and_then(|plugin| {
            let (grants, more) = (args.grants.clone(), grants_for_caches(&plugin));
            let grants: Vec<Grant> = grants.into_iter().chain(more).collect();
            let plugin = load_file(path, args.allow_native, grants.clone())?;
            let again = load_file(path, args.allow_native, grants)?;
            let imports = if plugin.linkage == Linkage::Wasm { imports(path)? } else { Vec::new() };
            Ok((plugin, again, imports))
        }),
    };
    let (plugin, again, imports) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return report_broken(args, error),
    };
    if let Some(exit) = nothing_to_test(&plugin, &settings) {
        return exit;
    }
    match examine(&plugin, &again, &imports, &settings) {
        Err(error) => {
            print_error(format!("cannot test here: {error}"), None);
            Exit::Failed
        }
        Ok(report) => {
            if args.json {
                print_json(&report);
            } else {
                output().lines(report_text(&report));
            }
            if report.level >= Level::Conforming { Exit::Success } else { Exit::Failed }
        }
    }
}

/// Reports a file that cannot be loaded. It has the lowest level, unless it could not be read or may not be run.
fn report_broken(args: &Args, error: LoadError) -> Exit {
    let hint = load_hint(&error);
    if !matches!(error, LoadError::NotAllowed { .. } | LoadError::Read { .. }) {
        let level = Level::Broken;
        if args.json {
            print_json(&json!({ "path": args.path, "level": level, "error": error.to_string(), "hint": hint }));
        } else {
            output().line(format!("level: {level}"));
        }
    }
    print_error(error, hint);
    Exit::Failed
}

fn nothing_to_test(plugin: &Plugin, settings: &Settings) -> Option<Exit> {
    let of_kind =
        || plugin.extensions.iter().filter(|entry| settings.kind.is_none_or(|kind| kind == entry.descriptor.kind));
    let names = || of_kind().map(|entry| entry.descriptor.name.as_str());
    if names().any(|name| settings.name.as_deref().is_none_or(|wanted| wanted == name)) {
        return None;
    }
    let kind = settings.kind.map_or("extension", Kind::name);
    match &settings.name {
        Some(name) => {
            print_error(
                format!("there is no {kind} `{name}`"),
                jackfield_pipeline::hint_for(name, "extensions", names()),
            );
        }
        None => print_error(format!("there is no {kind} in it"), None),
    }
    Some(Exit::Usage)
}

/// The report as text.
fn report_text(report: &Report) -> String {
    let mut text = format!("{} ({}, protocol {})\n", report.plugin, report.linkage, report.protocol);
    if let Some(path) = &report.path {
        let _ = writeln!(text, "file    {}\nsha256  {}", path.display(), report.sha256);
    }
    for extension in &report.extensions {
        text.push('\n');
        text.push_str(&extension_text(extension));
    }
    if report.extensions.len() > 1 {
        text.push('\n');
        text.push_str(&overview_table(&report.extensions));
    }
    let _ = writeln!(text, "\nlevel: {}", report.level);
    text
}

fn extension_text(extension: &ExtensionReport) -> String {
    let mut text = format!("{} {} {}\n", extension.kind, extension.name, extension.version);
    let rows = extension.checks.iter().map(|check| {
        let (outcome, note) = match &check.outcome {
            Outcome::Passed { note } => ("passed", note.clone().unwrap_or_default()),
            Outcome::Warning { findings } => ("warning", counted(findings.len() as u64, "finding")),
            Outcome::Failed { findings } => ("FAILED", counted(findings.len() as u64, "finding")),
            Outcome::NotApplicable { reason } => ("-", reason.clone()),
        };
        vec![format!("  {}", check.id), outcome.to_owned(), note]
    });
    text.push_str(&table(&["  check", "outcome", ""], rows.collect()));
    text.push('\n');
    for check in &extension.checks {
        for finding in check.outcome.findings() {
            let what = if check.outcome.is_failed() { "failed" } else { "warning" };
            let _ = writeln!(
                text,
                "\n  {what}: {}\n    promised  {}\n    expected  {}\n    seen      {}\n    fix       {}",
                check.id,
                check.promise,
                escape_untrusted(&finding.expected),
                escape_untrusted(&finding.seen),
                finding.fix
            );
        }
    }
    let stops = extension.stops.as_ref().map_or_else(String::new, |why| format!(" ({})", escape_untrusted(why)));
    let _ = writeln!(text, "\n  level: {}{stops}", extension.level);
    text
}

fn overview_table(extensions: &[ExtensionReport]) -> String {
    let rows = extensions.iter().map(|extension| {
        let count =
            |name: &str| extension.checks.iter().filter(|check| check.outcome.name() == name).count().to_string();
        let [passed, warnings, failed, other] = ["passed", "warning", "failed", "not-applicable"].map(count);
        let (kind, level) = (extension.kind.to_string(), extension.level.to_string());
        vec![extension.name.clone(), kind, passed, warnings, failed, other, level]
    });
    let header = ["name", "kind", "passed", "warnings", "failed", "not applicable", "level"];
    format!("{}\n", table(&header, rows.collect()))
}
