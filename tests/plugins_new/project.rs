//! A project made by `jackfield plugins new`, and the commands that are typed in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{LONGEST, transcript::plain};
use crate::support::{CommandOutput, jackfield, results, root, run_command_within};

/// A folder to make a project in, and what its commands run with.
pub(super) struct WorkFolder {
    pub(super) folder: TempDir,
    /// For every command.
    pub(super) env: Vec<(&'static str, PathBuf)>,
    /// Shell lines that go before `./build`.
    pub(super) before_build: String,
}

impl WorkFolder {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bin = folder.path().join(".bin");
        fs::create_dir(&bin).expect("made");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jackfield"), bin.join("jackfield")).expect("linked");
        // What is built of a project is not built again: its compiled form need not outlive the test.
        let cache = folder.path().join(".compiled");
        Self { folder, env: vec![("JACKFIELD_CACHE_DIR", cache)], before_build: String::new() }
    }

    pub(super) fn sh(&self, folder: &Path, command: &str) -> CommandOutput {
        let before = if command == "./build" { &*self.before_build } else { "" };
        let path =
            format!("{}:{}", self.folder.path().join(".bin").display(), std::env::var("PATH").unwrap_or_default());
        let mut sh = Command::new("sh");
        sh.arg("-c").arg(format!("exec 2>&1\n{before}\n{command}\ncode=$?\npwd >\"$HERE\"\nexit $code"));
        sh.current_dir(folder).env("PATH", path).env("HERE", self.folder.path().join(".here"));
        sh.envs(self.env.iter().map(|(name, value)| (name, value)));
        sh.envs([("NO_COLOR", "1"), ("COLUMNS", "100"), ("RUST_TEST_THREADS", "1"), ("CARGO_NET_OFFLINE", "true")]);
        // Nobody debugs what is built here.
        sh.env("CARGO_PROFILE_DEV_DEBUG", "false");
        for name in [
            "JACKFIELD_LOG",
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTC_WORKSPACE_WRAPPER",
            "VIRTUAL_ENV",
            "PYTHONPATH",
            "NODE_OPTIONS",
        ] {
            sh.env_remove(name);
        }
        run_command_within(&mut sh, LONGEST)
    }
}

/// A project that was made, tested, built and run.
pub(super) struct MadeProject {
    pub(super) place: WorkFolder,
    pub(super) folder: PathBuf,
    /// What was typed and what came of it.
    pub(super) transcript: String,
}

/// Types `jackfield plugins new` and then what it prints.
#[track_caller]
pub(super) fn follow(place: WorkFolder, name: &str, kind: &str, lang: &str) -> MadeProject {
    follow_until(place, name, kind, lang, "")
}

/// Types `jackfield plugins new` and then what it prints, up to a command that takes long.
#[track_caller]
pub(super) fn follow_until(place: WorkFolder, name: &str, kind: &str, lang: &str, end: &str) -> MadeProject {
    let command = format!("jackfield plugins new {name} --kind {kind} --lang {lang}");
    let mut new = jackfield();
    new.args(command.split(' ').skip(1)).arg("--into").arg(root().join("examples/transcripts"));
    new.current_dir(place.folder.path());
    let made = run_command_within(&mut new, LONGEST).expect_code(0);
    let (printed, into) = made.stdout.trim_end().rsplit_once('\n').expect("commands");
    let mut transcript = format!("$ {command}\n{}{printed}\n", plain(&made.stderr));
    let mut folder = place.folder.path().to_owned();
    let all = printed.lines().all(|command| command != end);
    for command in printed.lines().take_while(|command| *command != end) {
        let done = place.sh(&folder, command);
        assert_eq!(done.code, Some(0), "`{command}`:\n{}", done.stdout);
        transcript += &format!("$ {command}\n{}", plain(&done.stdout));
        folder = fs::read_to_string(place.folder.path().join(".here")).expect("a folder").trim_end().into();
    }
    if all {
        reads_the_example(&place, &folder, into, name);
    }
    MadeProject { place, folder, transcript }
}

/// The last command that is printed runs the example with the plugin in it: the plugin reads each transcript, and the
/// stages of the example answer as ever.
#[track_caller]
pub(super) fn reads_the_example(place: &WorkFolder, folder: &Path, command: &str, name: &str) {
    let done = place.sh(folder, command);
    assert_eq!(done.code, Some(0), "`{command}`:\n{}", done.stdout);
    let runs = fs::read_dir(folder.join("runs")).expect("runs").map(|run| run.expect("a run").path());
    let run =
        runs.into_iter().find(|run| run.to_string_lossy().contains("/transcripts-")).expect("a run of the example");
    let lines = results(&run);
    assert_eq!(lines.len(), 6);
    for line in lines {
        assert!(!line["outputs"][name].is_null() && !line["outputs"]["brief"].is_null(), "{line}");
    }
}

/// Makes a project of a kind in a folder of this name, called as its kind.
#[track_caller]
pub(super) fn made(place: &WorkFolder, kind: &str, lang: &str, folder: &str) -> PathBuf {
    let folder = place.folder.path().join(folder);
    let mut new = jackfield();
    new.args(["plugins", "new", &format!("the-{kind}"), "--kind", kind, "--lang", lang, "--dir"]).arg(&folder);
    run_command_within(&mut new, LONGEST).expect_code(0);
    folder
}

/// Kinds besides `analyzer`.
pub(super) const OTHER_KINDS: [&str; 4] = ["model", "cache-backend", "routing-policy", "direction-extractor"];

/// A project whose plugin offers what the project of each kind in this language offers: one build holds all of them. It is
/// that of a cache backend, whose world has all that a component can export. `tests` is what tests a project.
#[track_caller]
pub(super) fn every_kind(place: &WorkFolder, lang: &str, tests: &str) -> PathBuf {
    let all = made(place, "cache-backend", lang, "every-kind");
    for kind in OTHER_KINDS {
        let folder = if kind == "cache-backend" { all.clone() } else { made(place, kind, lang, kind) };
        let done = place.sh(&folder, tests);
        assert_eq!(done.code, Some(0), "`{tests}` of a {kind}:\n{}", done.stdout);
        let name = match lang {
            "python" => format!("{}.py", kind.replace('-', "_")),
            _ => format!("{kind}.js"),
        };
        match (lang, kind) {
            // Its place is taken by one that offers all.
            ("python", "cache-backend") => fs::rename(folder.join(&name), all.join("shelf.py")).expect("moved"),
            (_, "cache-backend") => {}
            _ => drop(fs::copy(folder.join(&name), all.join(&name)).expect("copied")),
        }
    }
    all
}

/// The extension of each kind is as clean as a plugin in the sandbox can be.
#[track_caller]
pub(super) fn conforms(place: &WorkFolder, folder: &Path, component: &str) {
    let done = place.sh(folder, &format!("jackfield plugins test {component} --quick --json 2>/dev/null"));
    let report: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{}", done.stdout));
    let extensions = report["extensions"].as_array().expect("extensions");
    for kind in OTHER_KINDS {
        let name = format!("the-{kind}");
        let found =
            extensions.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"));
        assert_eq!(found["level"], "sandbox-clean", "{name}: {found:#}");
    }
}
