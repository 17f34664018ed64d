//! The folder that a page is worked through in.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::output::{fits, plain};
use crate::support::{root, run_command_within};

/// No command takes longer, on a machine that has others to do.
const LONGEST: Duration = Duration::from_secs(400);

pub(super) struct Sandbox {
    page: String,
    /// Where the reader begins, with nothing there; pages call it `/home/you`.
    home: PathBuf,
    /// Where the reader is.
    cwd: PathBuf,
}

impl Sandbox {
    /// An empty folder. It stays after the test, for those who look, and goes before the next.
    pub(super) fn new(page: &str) -> Self {
        // Not below this project's folder, whose workspace would claim a reader's crates; always the same, so that what is
        // built there stays fresh.
        let mut hasher = DefaultHasher::new();
        env!("CARGO_TARGET_TMPDIR").hash(&mut hasher);
        let base = std::env::temp_dir().join(format!("jackfield-documented-{:016x}", hasher.finish()));
        let home = base.join(page.replace(['/', '.'], "-"));
        if home.exists() {
            fs::remove_dir_all(&home).expect("removed");
        }
        fs::create_dir_all(home.join(".bin")).expect("made");
        symlink(env!("CARGO_BIN_EXE_jackfield"), home.join(".bin/jackfield")).expect("linked");
        Self { page: page.to_owned(), cwd: home.clone(), home }
    }

    /// Puts what a clone of the project has into a folder.
    pub(super) fn clone_project(&self, folder: &str) {
        let folder = self.cwd.join(folder);
        fs::create_dir(&folder).expect("made");
        for part in ["Cargo.toml", "Cargo.lock", "host", "plugin-api", "plugins"] {
            symlink(root().join(part), folder.join(part)).expect("linked");
        }
        let examples = Command::new("cp").arg("-r").arg(root().join("examples")).arg(&folder).status();
        assert!(examples.is_ok_and(|status| status.success()), "the examples cannot be copied");
    }

    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.cwd.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }

    #[track_caller]
    pub(super) fn run(&mut self, line: usize, command: &str, exit: i32, output: &[String]) {
        let place = format!("{}:{line}: `{command}`", self.page);
        // What a plugin is built of is built once for all tests.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("documented/target");
        if self.cwd.join("Cargo.toml").exists() && self.cwd.join("target").symlink_metadata().is_err() {
            fs::create_dir_all(&target).expect("made");
            symlink(target, self.cwd.join("target")).expect("linked");
        }
        let meant = command.replace("cargo run --release -- ", "jackfield ");
        let before = if meant.ends_with("./build") { builds_components() } else { String::new() };
        let script = format!("exec 2>&1\n{before}\n{meant}\ncode=$?\npwd >\"$HERE\"\nexit $code");
        let here = self.home.join(".here");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(script).current_dir(&self.cwd).env("HERE", &here);
        bash.env("PATH", format!("{}:{path}", self.home.join(".bin").display()));
        bash.envs([("NO_COLOR", "1"), ("COLUMNS", "100"), ("CARGO_NET_OFFLINE", "true"), ("CARGO_INCREMENTAL", "0")]);
        // What is built need not be fast: that it builds, and what it answers, is the question.
        bash.envs([("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"), ("CARGO_PROFILE_RELEASE_BUILD_OVERRIDE_OPT_LEVEL", "0")]);
        bash.env("CARGO_PROFILE_DEV_DEBUG", "false");
        bash.env("JACKFIELD_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("documented/cache"));
        for name in
            ["JACKFIELD_LOG", "CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER"]
        {
            bash.env_remove(name);
        }
        let done = run_command_within(&mut bash, LONGEST);
        let said = done.stdout;
        assert_eq!(done.code, Some(exit), "{place} ended otherwise:\n{said}");
        self.cwd = PathBuf::from(fs::read_to_string(&here).expect("a folder").trim_end());
        if output.is_empty() {
            return;
        }

        let said = said.replace(&*self.home.to_string_lossy(), "/home/you");
        // How far a run has come, and what it waits for, is said when it takes its time, on a machine that has others to do.
        let is_talk = |line: &&str| {
            line.starts_with("progress: ") || line.starts_with("compiling ") || line.starts_with("waiting for ")
        };
        let said: Vec<String> = said.lines().filter(|line| !is_talk(line)).map(str::to_owned).collect();
        let (wanted, found) = (output.iter().map(|line| plain(line)), said.iter().map(|line| plain(line)));
        let (wanted, found): (Vec<_>, Vec<_>) = (wanted.collect(), found.collect());
        assert!(
            fits(&wanted, &found),
            "{place} prints something else.\n--- the page\n{}\n--- the program\n{}",
            output.join("\n"),
            said.join("\n")
        );
    }
}

/// Shell lines that let Rust build components, into the folder where those of the tests are built.
fn builds_components() -> String {
    let environment = Command::new(root().join("tests/build-wasm")).arg("--env").current_dir(root()).output();
    let environment = environment.expect("tests/build-wasm");
    assert!(environment.status.success(), "{}", String::from_utf8_lossy(&environment.stderr));
    let guests = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("wasm-guests");
    format!("{}\nexport CARGO_TARGET_DIR='{}'", String::from_utf8_lossy(&environment.stdout), guests.display())
}
