//! What is around a plugin, as programs in its language use it: output, time, chance and the environment.

use std::{fs, path::Path};

use serde_json::Value;

use super::project::WorkFolder;
use crate::support::{result, root};

/// Runs the analyzer `surroundings` of the probe with and without grants. What is printed is logged either way.
#[track_caller]
pub(super) fn surroundings(place: &WorkFolder, folder: &Path) {
    fs::copy(root().join("tests/plugins_new/surroundings.toml"), folder.join("surroundings.toml")).expect("copied");
    let run = "JACKFIELD_PROBE=seen jackfield run surroundings.toml --json -v";
    let all = "--grant mine=clock --grant mine=random --grant mine=env:JACKFIELD_PROBE";

    let denied = place.sh(folder, &format!("{run} 2>said")).expect_code(3);
    let at = folder.join(denied.folder());
    let message =
        |item: &str| result(&at, item)["failures"]["tried"][0]["message"].as_str().unwrap_or("none").to_owned();
    let time = message("time");
    assert!(
        time.starts_with("it asked for the time of day (`wasi:clocks/wall-clock` `now`), and `clock` is not"),
        "{time}"
    );
    assert!(time.contains("add `grant = [\"clock\"]` to `[plugins.mine]`, or run with `--grant mine=clock`"), "{time}");
    let chance = message("chance");
    assert!(
        chance.starts_with("it asked for random bytes (`wasi:random/random` `get-random-bytes`), and `random` is"),
        "{chance}"
    );
    // C answers that there is no such variable, and says no more.
    let variable = message("variable");
    let is_c = folder.join("analyzer.c").is_file();
    assert!(if is_c { variable == "none" } else { variable.contains("`env:JACKFIELD_PROBE`") }, "{variable}");
    let said = fs::read_to_string(folder.join("said")).expect("read");
    for line in ["INFO plugin: one ", "INFO plugin: \\u{1b}[2Jtwo ", "INFO plugin: no end ", "plugin: an error "] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!said.contains("nobody hears"), "{said}");

    let got = || {
        let run = place.sh(folder, &format!("{run} {all} 2>/dev/null")).expect_code(0);
        let at = folder.join(run.folder());
        ["time", "chance", "seeded", "variable"]
            .map(|item| result(&at, item)["outputs"]["tried"]["report"]["got"].take())
    };
    let ([time, one_chance, one_seeded, variable], [_, other_chance, other_seeded, _]) = (got(), got());
    assert_eq!((time, variable), (Value::from(true), Value::from("seen")));
    assert_ne!(one_chance, other_chance);
    assert!(one_seeded.is_string(), "{one_seeded}");
    assert_eq!(one_seeded, other_seeded);
    assert_eq!(one_seeded, result(&at, "seeded")["outputs"]["tried"]["report"]["got"], "without a grant too");
}
