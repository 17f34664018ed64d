//! The probe: an analyzer that calls all that the host offers, in each language.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::{FailureKind, Random};
use serde_json::json;

use super::{
    project::{WorkFolder, conforms, every_kind, made},
    surroundings::surroundings,
};
use crate::support::{result, root};

/// Puts the probe into a project of every kind in this language, builds it and runs it: every call of the host, tensors,
/// failures. A crash is told in such words.
#[track_caller]
pub(super) fn probe_of_every_kind(lang: &str, tests: &str, build: &[&str], exact_seed: bool, crash: &str) {
    let place = WorkFolder::new();
    let folder = every_kind(&place, lang, tests);
    let sources = root().join("tests/plugins_new");
    for file in fs::read_dir(sources.join(format!("every_kind_{lang}"))).expect("sources") {
        let file = file.expect("a file");
        fs::copy(file.path(), folder.join(file.file_name())).expect("copied");
    }
    let ending = if lang == "python" { "py" } else { "js" };
    fs::copy(sources.join("probe").with_extension(ending), folder.join("probe").with_extension(ending))
        .expect("copied");
    probe_in(&place, &folder, "the-cache-backend.wasm", build, exact_seed, crash);
    surroundings(&place, &folder);
    conforms(&place, &folder, "probe.wasm");
}

/// Makes a project, puts the probe in place of its source, and runs it.
#[track_caller]
pub(super) fn probe(lang: &str, source: &str, build: &[&str], exact_seed: bool, crash: &str) -> (WorkFolder, PathBuf) {
    let place = WorkFolder::new();
    let folder = made(&place, "analyzer", lang, "probe");
    let sources = root().join("tests/plugins_new");
    let ending = Path::new(source).extension().expect("an ending").to_string_lossy().into_owned();
    fs::copy(sources.join("probe").with_extension(ending), folder.join(source)).expect("copied");
    probe_in(&place, &folder, "the-analyzer.wasm", build, exact_seed, crash);
    (place, folder)
}

/// Builds a project that holds the probe, and runs it.
#[track_caller]
fn probe_in(place: &WorkFolder, folder: &Path, component: &str, build: &[&str], exact_seed: bool, crash: &str) {
    let sources = root().join("tests/plugins_new");
    for pipeline in ["probe.toml", "fail.toml"] {
        fs::copy(sources.join(pipeline), folder.join(pipeline)).expect("copied");
    }
    for command in build {
        let done = place.sh(folder, command);
        assert_eq!(done.code, Some(0), "`{command}`:\n{}", done.stdout);
    }
    fs::rename(folder.join(component), folder.join("probe.wasm")).expect("built");

    let run = place.sh(folder, "jackfield run probe.toml --json 2>said").expect_code(0);
    let mut outputs = result(&folder.join(run.folder()), "1")["outputs"].take();
    let seed: u64 = outputs["probe"]["report"]["seed"].as_str().and_then(|seed| seed.parse().ok()).expect("a seed");
    let mut random = Random::new(seed);
    let drawn =
        json!([random.next_u64().to_string(), random.below(1000).to_string(), format!("{:.6}", random.next_f64())]);
    assert_eq!(outputs["probe"]["report"]["random"], drawn);
    assert_eq!(seed.is_multiple_of(1 << 11), !exact_seed, "{seed}");
    for stage in ["probe", "alone"] {
        let report = outputs[stage]["report"].as_object_mut().expect("a report");
        assert!(report.remove("seed").is_some() && report.remove("random").is_some());
    }
    let wanted = json!({
        "probe": { "report": {
            "word": "yes", "stage": "probe", "item": "1", "cancelled": false, "model": "echo", "answer": "ähm 🦀",
            "before": "nothing", "put": null, "after": "ü", "fetch": "invalid-config",
        } },
        "alone": { "report": {
            "word": "no", "stage": "alone", "item": "1", "cancelled": false, "model": null, "answer": "invalid-config",
            "before": "invalid-config", "put": "invalid-config", "after": "invalid-config", "fetch": "invalid-config",
        } },
        "give": {},
        "take": { "shape": [2, 3], "sum": "31.5" },
    });
    assert_eq!(outputs, wanted);
    let said = fs::read_to_string(folder.join("said")).expect("read");
    assert!(said.contains("said in probe"), "{said}");

    let run = place.sh(folder, "jackfield run fail.toml --json 2>/dev/null").expect_code(1);
    let run = folder.join(run.folder());
    for kind in FailureKind::ALL {
        let message = match kind {
            FailureKind::RateLimited => "slowly".to_owned(),
            kind => format!("told so: {}", kind.name()),
        };
        let wanted = json!([{ "kind": kind.name(), "message": message }]);
        assert_eq!(result(&run, kind.name())["failures"]["fail"], wanted);
    }

    let crashed = "jackfield run fail.toml --json --set 'input.items=[{ kind = \"crash\" }]' 2>/dev/null";
    let run = place.sh(folder, crashed).expect_code(1);
    let failure = result(&folder.join(run.folder()), "crash")["failures"]["fail"][0].take();
    assert_eq!(failure["kind"], "internal");
    assert!(failure["message"].as_str().is_some_and(|message| message.contains(crash)), "{failure}");

    // What `open` refuses is told before anything runs.
    let refused = place.sh(folder, "jackfield run probe.toml --set stages.probe.with.word=bad").expect_code(2);
    assert!(refused.stdout.contains("invalid-config: `word` is bad"), "{}", refused.stdout);
    let refused = place.sh(folder, "jackfield run probe.toml --set stages.probe.with.wrod=bad").expect_code(2);
    assert!(refused.stdout.contains("wrod"), "{}", refused.stdout);
}
