//! From a plugin to a report.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_loader::{ExtensionEntry, Linkage, Plugin, sandbox::Grants};
use jackfield_plugin_api::{BoxFuture, HttpRequest, HttpResponse, Kind, Picks, Result};
use serde_json::Value;

use super::{
    CheckReport, ExtensionReport, Finding, Level, Outcome, Report,
    catalogue::{CHECKS, Check},
    extension_under_test::ExtensionUnderTest,
};

/// Asks real servers on behalf of an extension with these grants.
#[derive(Clone)]
pub struct Servers(pub Arc<Ask>);

/// Makes a request for an extension with these grants.
pub type Ask = dyn Fn(Arc<Grants>, HttpRequest) -> BoxFuture<'static, Result<HttpResponse>> + Send + Sync;

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Servers")
    }
}

/// How an examination is made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Only extensions of this kind.
    pub kind: Option<Kind>,
    /// Only extensions of this name.
    pub name: Option<String>,
    /// The configuration to use in place of those of the examples.
    pub config: Option<Value>,
    /// The servers that a given configuration names. Without them, a script answers whatever is fetched.
    pub servers: Option<Servers>,
    /// Smaller batches and fewer repetitions.
    pub quick: bool,
    /// The longest that a call may take, 1 s at least.
    pub longest: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { kind: None, name: None, config: None, servers: None, quick: false, longest: Duration::from_secs(10) }
    }
}

impl Settings {
    fn wants(&self, entry: &ExtensionEntry) -> bool {
        let descriptor = &entry.descriptor;
        self.kind.is_none_or(|kind| kind == descriptor.kind)
            && self.name.as_ref().is_none_or(|name| *name == descriptor.name)
    }
}

/// Puts the extensions of a plugin through every check. `again` is the same plugin, loaded once more; `imports` are the
/// interfaces that a component imports.
///
/// # Errors
/// If this machine gives no threads or no temporary folder.
pub fn examine(plugin: &Plugin, again: &Plugin, imports: &[String], settings: &Settings) -> std::io::Result<Report> {
    let (mut extensions, mut opened) = (Vec::new(), Vec::new());
    for entry in plugin.extensions.iter().filter(|entry| settings.wants(entry)) {
        let same = |other: &&ExtensionEntry| {
            (other.descriptor.kind, &other.descriptor.name) == (entry.descriptor.kind, &entry.descriptor.name)
        };
        let again = again.extensions.iter().find(same).map(|entry| &*entry.descriptor);
        let extension = ExtensionUnderTest::new(plugin.linkage, entry, again, imports, settings)?;
        let report = examine_extension(&extension);
        let failed = report.checks.iter().any(|check| check.outcome.is_failed());
        if failed || extension.unopened().is_none() {
            opened.push(report.level);
        }
        extensions.push(report);
    }
    // One that wants files which nobody named says nothing of the others.
    let level = opened.into_iter().min().unwrap_or(Level::Loads);
    Ok(Report {
        plugin: plugin.alias.clone(),
        linkage: plugin.linkage,
        path: plugin.path.clone(),
        sha256: plugin.digest.clone(),
        protocol: format!("{}.{}", plugin.protocol.0, plugin.protocol.1),
        level,
        extensions,
    })
}

fn examine_extension(extension: &ExtensionUnderTest<'_>) -> ExtensionReport {
    let descriptor = extension.descriptor();
    let sandboxed = extension.linkage == Linkage::Wasm;
    let applies = |check: &&Check| {
        check.kind.is_none_or(|kind| kind == descriptor.kind)
            && check.picks.is_none_or(|picks| picks == Picks::from_descriptor(descriptor))
            && (sandboxed || check.level != Level::SandboxClean)
    };
    let checks: Vec<CheckReport> = CHECKS.iter().filter(applies).map(|check| run_check(check, extension)).collect();
    let (level, stops) = level(&checks, extension);
    ExtensionReport {
        kind: descriptor.kind,
        name: descriptor.name.clone(),
        version: descriptor.version.clone(),
        level,
        stops,
        checks,
    }
}

fn run_check(check: &Check, extension: &ExtensionUnderTest<'_>) -> CheckReport {
    let began = Instant::now();
    let began_stuck = extension.call_runner.is_stuck();
    let longest = humantime::format_duration(extension.call_runner.longest());
    let outcome = if began_stuck {
        Outcome::not_applicable(format!("earlier calls did not come back within {longest}"))
    } else if let Some(reason) = extension.unopened().filter(|_| check.calls) {
        Outcome::not_applicable(reason)
    } else {
        (check.run)(extension)
    };
    let hung = !began_stuck && extension.call_runner.is_stuck() && !outcome.is_failed();
    let outcome = if hung {
        Outcome::from_findings(vec![Finding::new(
            format!("every call to end within {longest}"),
            "calls that do not end",
            "ask the host now and then whether to stop, and bound the work; --timeout gives more time",
        )])
    } else {
        outcome
    };
    tracing::debug!(extension = extension.descriptor().name, check = check.id, took = ?began.elapsed(), "checked");
    CheckReport { id: check.id.to_owned(), promise: check.promise.to_owned(), level: check.level, outcome }
}

/// The level reached, and why it is no higher one.
fn level(checks: &[CheckReport], extension: &ExtensionUnderTest<'_>) -> (Level, Option<String>) {
    let of = |level: Level| checks.iter().filter(move |check| check.level == level);
    let failed = |level: Level| {
        let failed: Vec<String> =
            of(level).filter(|check| check.outcome.is_failed()).map(|check| format!("`{}`", check.id)).collect();
        (!failed.is_empty()).then(|| format!("failed: {}", failed.join(", ")))
    };
    if let Some(why) = failed(Level::Conforming).or_else(|| extension.unopened()) {
        return (Level::Loads, Some(why));
    }
    // Bytes that were never seen are not known to be the same.
    let unknown = of(Level::Deterministic).find_map(|check| match &check.outcome {
        Outcome::NotApplicable { reason } => Some(reason.clone()),
        _ => None,
    });
    if let Some(why) = failed(Level::Deterministic).or(unknown) {
        return (Level::Conforming, Some(why));
    }
    match extension.linkage {
        Linkage::LinkedIn => {
            return (Level::Deterministic, Some("what is linked in runs outside any sandbox".to_owned()));
        }
        Linkage::Native => return (Level::Deterministic, Some("native code runs outside any sandbox".to_owned())),
        Linkage::Wasm => {}
    }
    match failed(Level::SandboxClean) {
        Some(why) => (Level::Deterministic, Some(why)),
        None => (Level::SandboxClean, None),
    }
}
