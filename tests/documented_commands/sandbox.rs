//! The folder that a page is worked through in.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::output::{fits, plain, tokens};
use crate::support::{root, run_command_within};

/// No command takes longer, on a machine that has others to do.
const LONGEST: Duration = Duration::from_secs(400);

pub(super) struct Sandbox {
    page: String,
    /// The folder that holds the clone; pages call it `/home/you`.
    home: PathBuf,
    /// Where the reader is.
    cwd: PathBuf,
    /// What the page says, and what it stands for.
    stands_for: Vec<(String, String)>,
}

impl Sandbox {
    /// A folder with what a clone has. It stays after the test, for those who look, and goes before the next.
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
        let cwd = home.join("jackfield");
        fs::create_dir_all(home.join(".bin")).expect("made");
        fs::create_dir_all(&cwd).expect("made");
        symlink(env!("CARGO_BIN_EXE_jackfield"), home.join(".bin/jackfield")).expect("linked");
        for part in ["Cargo.toml", "Cargo.lock", "host", "plugin-api", "plugins"] {
            symlink(root().join(part), cwd.join(part)).expect("linked");
        }
        let examples = Command::new("cp").arg("-r").arg(root().join("examples")).arg(&cwd).status();
        assert!(examples.is_ok_and(|status| status.success()), "the examples cannot be copied");
        Self { page: page.to_owned(), home, cwd, stands_for: Vec::new() }
    }

    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.cwd.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }

    /// A text of the page with the digests and runs that it stands for.
    pub(super) fn meant(&self, text: &str) -> String {
        self.stands_for.iter().fold(text.to_owned(), |text, (said, meant)| text.replace(said, meant))
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
        let meant = self.meant(command).replace("cargo run --release -- ", "jackfield ");
        let script = format!("exec 2>&1\n{meant}\ncode=$?\npwd >\"$HERE\"\nexit $code");
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
        let (shown, real) = (tokens(output), tokens(&said));
        assert!(shown.is_empty() || shown.len() == real.len(), "{place}: {shown:?} stands for {real:?}?");
        for (shown, real) in shown.into_iter().zip(real) {
            self.stands_for.retain(|(before, _)| *before != shown);
            self.stands_for.push((shown, real));
        }
    }
}
