//! The conformance run: what is bundled passes, and each check fails for an extension that breaks its promise.

mod flawed;
mod flawed_kinds;
mod flawed_searches;
mod flawed_services;
mod program;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use insta::assert_snapshot;
use jackfield_conformance::{ExtensionReport, Level, Outcome, Settings, every_check, examine};
use jackfield_loader::{Linkage, Plugin};

use self::{
    flawed::{Flaw, plugin},
    flawed_kinds::{extractor, policy},
    flawed_searches::search,
    flawed_services::{cache, model},
};

fn quick() -> Settings {
    Settings { quick: true, ..Settings::default() }
}

/// How much memory is taken is asked of the whole process: one examination at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn report(plugin: &Plugin, again: &Plugin, imports: &[&str], settings: &Settings) -> ExtensionReport {
    let imports: Vec<String> = imports.iter().map(|name| (*name).to_owned()).collect();
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut report = examine(plugin, again, &imports, settings).expect("a report");
    report.extensions.remove(0)
}

/// The level, and what the checks found.
fn lines(report: &ExtensionReport) -> String {
    let mut text = report.level.to_string();
    for check in &report.checks {
        for finding in check.outcome.findings() {
            text.push_str(&format!(
                "\n{} {}: expected {}; seen {}; mend: {}",
                check.outcome.name(),
                check.id,
                finding.expected,
                finding.seen,
                finding.fix
            ));
        }
    }
    text
}

#[test]
fn an_extension_without_a_flaw_passes_every_check() {
    for (form, level) in [
        (Linkage::LinkedIn, Level::Deterministic),
        (Linkage::Native, Level::Deterministic),
        (Linkage::Wasm, Level::SandboxClean),
    ] {
        let plugin = plugin(Flaw::None, form);
        let report = report(&plugin, &plugin, &[], &Settings::default());
        assert_eq!(report.level, level, "{report:#?}");
        assert!(report.checks.iter().all(|check| check.outcome.findings().is_empty()), "{report:#?}");
    }
    for plugin in [model(""), cache(""), extractor(""), policy(""), search("")] {
        let report = report(&plugin, &plugin, &[], &quick());
        assert_eq!(report.level, Level::Deterministic, "{report:#?}");
        let found: Vec<_> = report.checks.iter().filter(|check| !check.outcome.findings().is_empty()).collect();
        assert!(found.iter().all(|check| ["examples", "descriptions"].contains(&check.id.as_str())), "{found:#?}");
    }
}

/// Every flaw, with what it is called below.
fn flaws() -> Vec<(String, ExtensionReport)> {
    use Flaw::*;
    let mut found = Vec::new();
    let native = [
        Unnamed,
        OddPermissions,
        BrokenSchema,
        OldSchema,
        OpenConfig,
        Undescribed,
        NoExamples,
        WrongExample,
        MisfitExample,
        PanicsAtOpening,
        TakesAnyConfig,
        TakesAnyInput,
        FailsTogether,
        AnswersNothing,
        LosesOrder,
        CountsBatch,
        CutsBytes,
        HatesLong,
        Sulks,
        UnwrapsModel,
        UnwrapsCache,
        FetchesUnasked,
        Leaks,
        Clocks,
        Remembers,
    ];
    for flaw in native {
        let plugin = plugin(flaw, Linkage::LinkedIn);
        found.push((format!("{flaw:?}"), report(&plugin, &plugin, &[], &quick())));
    }
    let short = Settings { longest: Duration::from_millis(200), ..quick() };
    for flaw in [Stubborn, Hangs] {
        let plugin = plugin(flaw, Linkage::LinkedIn);
        found.push((format!("{flaw:?}"), report(&plugin, &plugin, &[], &short)));
    }
    let (moody, later) = (plugin(Moody, Linkage::LinkedIn), plugin(Moody, Linkage::LinkedIn));
    found.push(("Moody".to_owned(), report(&moody, &later, &[], &quick())));
    let imports = ["jackfield:plugin/host@0.1.0", "wasi:io/streams@0.2.6", "wasi:sockets/tcp@0.2.6"];
    for flaw in [Gluttonous, NeedsUngranted] {
        let plugin = plugin(flaw, Linkage::Wasm);
        found.push((format!("{flaw:?}"), report(&plugin, &plugin, &imports, &quick())));
    }
    for flaw in ["mute", "boastful", "greedy", "away", "chatty", "picky", "deaf", "coy", "gossips"] {
        let plugin = model(flaw);
        found.push((format!("model: {flaw}"), report(&plugin, &plugin, &[], &quick())));
    }
    for flaw in ["long", "nan", "blind", "trusting", "backwards", "headstrong", "stray"] {
        let plugin = extractor(flaw);
        found.push((format!("extractor: {flaw}"), report(&plugin, &plugin, &[], &quick())));
    }
    for flaw in ["beyond", "moody", "forgetful", "strict", "stubborn", "diary"] {
        let plugin = policy(flaw);
        found.push((format!("policy: {flaw}"), report(&plugin, &plugin, &[], &quick())));
    }
    for flaw in ["beyond", "moody", "forgetful", "strict", "talkative", "diary"] {
        let plugin = search(flaw);
        found.push((format!("search: {flaw}"), report(&plugin, &plugin, &[], &quick())));
    }
    for flaw in ["texts", "hoards", "sweeps", "lists", "races"] {
        let plugin = cache(flaw);
        found.push((format!("cache: {flaw}"), report(&plugin, &plugin, &[], &quick())));
    }
    found
}

#[test]
fn each_flaw_is_found_by_its_check_with_its_message() {
    let flaws = flaws();
    let mut text = String::new();
    for (name, report) in &flaws {
        let _ = writeln!(text, "--- {name}: {}", lines(report));
    }
    // How much leaks in how many instances, and where a counter stands, is the machine's affair.
    insta::with_settings!({ filters => [
        (r"for \d+ instances", "for [n] instances"),
        (r"seen [0-9.]+ [KM]iB more", "seen [size] more"),
        (r#"([a-z])\d+""#, "$1[n]\""),
        (r"threads/\w+/\d+`", "threads/[key]`"),
    ]}, { assert_snapshot!(text) });
    let failing = |outcome: &Outcome| !outcome.findings().is_empty();
    let seen: BTreeSet<&str> = flaws
        .iter()
        .flat_map(|(_, report)| &report.checks)
        .filter(|check| failing(&check.outcome))
        .map(|check| check.id.as_str())
        .collect();
    let all: BTreeSet<&str> = every_check().iter().map(|check| check.id).collect();
    assert_eq!(seen, all, "a check that nothing fails proves nothing");
}
