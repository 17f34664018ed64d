//! What whole-system tests share.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jackfield_loader::Digest;
use serde_json::Value;
use tempfile::TempDir;

/// No command of a test takes longer than this.
const LONGEST: Duration = Duration::from_secs(120);

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace").to_owned()
}

/// The folder that cargo builds into.
fn target() -> PathBuf {
    let exe = std::env::current_exe().expect("the test's own path");
    exe.ancestors().nth(3).expect("target/PROFILE/deps/test").to_owned()
}

/// An artifact made by `tests/build-fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    let path = target().join("fixtures").join(name);
    assert!(path.is_file(), "`{}` is missing: run tests/build-fixtures first", path.display());
    path
}

/// The table of a plugin that is a fixture: a native library by its digest, or a component with these grants.
pub fn plugin_table(name: &str, file: &str, grants: &[&str]) -> String {
    let path = fixture(file);
    let digest = Digest::of_file(&path).expect("an artifact");
    let trust = if file.ends_with(".so") { "allow_native = true".to_owned() } else { format!("grant = {grants:?}") };
    format!("[plugins.{name}]\npath = {path:?}\nsha256 = \"{digest}\"\n{trust}\n")
}

/// The table of a native plugin, `odd`, with an analyzer that shows what it is given.
pub fn odd_plugin() -> String {
    plugin_table("odd", "jackfield_test_invalid_plugin.so", &[])
}

/// A folder of the data that the project's developers share, and that no clone has. Tests that need it are marked
/// `#[ignore = "needs ../shared/data"]`: `tests/run` runs them where the data is.
#[track_caller]
pub fn shared_data(folder: &str) -> PathBuf {
    let path = root().join("../shared/data").join(folder);
    assert!(path.is_dir(), "{} is missing", path.display());
    path
}

/// The meetings to test on, as a pattern of files: those of the developers where they are, those of the example elsewhere.
pub fn meetings() -> String {
    let shared = root().join("../shared/data/meetings");
    let files = if shared.is_dir() { shared.join("*.json") } else { root().join("examples/transcripts/data/*") };
    files.to_string_lossy().into_owned()
}

/// Puts on record that the current test leaves something out on this machine, and why: `tests/run` shows it at its end.
pub fn not_tested(why: &str) {
    eprintln!("{why}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("not-tested");
    fs::create_dir_all(&folder).expect("made");
    let test = std::thread::current().name().expect("the thread of a test has its name").replace("::", ".");
    fs::write(folder.join(test), format!("{why}\n")).expect("written");
}

/// The program, with a cache of compiled plugins that the tests share.
pub fn jackfield() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    command.env("JACKFIELD_CACHE_DIR", target().join("test-cache")).env("NO_COLOR", "1").env_remove("JACKFIELD_LOG");
    command
}

/// What a command did.
#[derive(Debug)]
pub struct CommandOutput {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl CommandOutput {
    /// The one JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:#?}"))
    }

    /// The run folder of `run --json`.
    #[track_caller]
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(self.json()["dir"].as_str().expect("a folder"))
    }

    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// Runs a command to its end; one that does not end is killed, and the test fails.
#[track_caller]
pub fn run_command(command: &mut Command) -> CommandOutput {
    run_command_within(command, LONGEST)
}

/// As [`run_command`], with another limit.
#[track_caller]
pub fn run_command_within(command: &mut Command, longest: Duration) -> CommandOutput {
    run_command_reading(command, Stdio::null(), longest)
}

/// As [`run_command_within`], with something on its standard input.
#[track_caller]
pub fn run_command_reading(command: &mut Command, stdin: impl Into<Stdio>, longest: Duration) -> CommandOutput {
    let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let stdout = reader(child.stdout.take().expect("standard output"));
    let stderr = reader(child.stderr.take().expect("standard error"));
    let ended = wait(&mut child, longest);
    let (stdout, stderr) = (stdout.join().expect("read"), stderr.join().expect("read"));
    assert!(ended.is_some(), "it did not end within {longest:?}:\n{stdout}\n{stderr}");
    CommandOutput { code: ended.flatten(), stdout, stderr }
}

fn reader(mut pipe: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits for a process; kills it and gives `None` when it takes longer. The inner value is the exit code, if it has one.
pub fn wait(child: &mut Child, longest: Duration) -> Option<Option<i32>> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return Some(status.code());
        }
        if began.elapsed() > longest {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Held by a test while it builds plugins in Rust with cargo: such tests share a target folder, so that what all plugins depend on
/// is built once. It keeps apart the tests of one process, as `cargo test` runs them; with nextest, where each test is a
/// process, the group `builds-with-cargo` in `.config/nextest.toml` does.
pub fn builds_with_cargo() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stages that plan three wordings of `input.claim` and ask the model `judge` about each; more keys of the last, `sample`, may
/// follow. The pipeline needs [a bank](Pipeline::with_bank).
pub fn claim_stages(draws: u32) -> String {
    format!(
        r#"[stages.plan]
use = "claim-plan"
in = {{ claim = "input.claim" }}
with = {{ bank = "bank.toml", slots = 3, replicates = 1, draws = {draws} }}
model = "judge"
[stages.sample]
use = "claim-sample"
for_each = "plan.slots"
in = "each"
with = {{ bank = "bank.toml" }}
model = "judge"
"#
    )
}

/// A folder with a pipeline and its data.
pub struct Pipeline {
    pub folder: TempDir,
}

impl Pipeline {
    /// A folder that holds this `pipeline.toml`.
    pub fn new(toml: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("pipeline.toml"), toml).expect("written");
        Self { folder }
    }

    /// Adds a file.
    pub fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
        self
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds the bank of the example of claims, `bank.toml`.
    pub fn with_bank(self) -> Self {
        self.with("bank.toml", fs::read(root().join("examples/claims/bank.toml")).expect("a bank"))
    }

    /// Where its runs go.
    pub fn out(&self) -> PathBuf {
        self.path().join("runs")
    }

    /// `jackfield run` on it, as a command to add to.
    pub fn command(&self) -> Command {
        let mut command = jackfield();
        command.arg("run").arg(self.path()).arg("--out").arg(self.out()).arg("--json");
        command
    }

    /// Runs it.
    #[track_caller]
    pub fn run(&self) -> CommandOutput {
        run_command(&mut self.command())
    }

    /// What it said, with the folder's path taken out.
    pub fn said(&self, done: &CommandOutput) -> String {
        done.stderr.replace(&*self.path().to_string_lossy(), "[folder]")
    }
}

/// The lines of a run's `results.jsonl`.
#[track_caller]
pub fn results(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("results.jsonl")).expect("results");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

/// The result of one item.
#[track_caller]
pub fn result(folder: &Path, item: &str) -> Value {
    let found = results(folder).into_iter().find(|line| line["item"] == item);
    found.unwrap_or_else(|| panic!("no item `{item}` in {}", folder.display()))
}

/// What a stage answered that runs over all items, or once a run.
#[track_caller]
pub fn over_all(folder: &Path, stage: &str) -> Value {
    let text = fs::read_to_string(folder.join("run").join(format!("{stage}.json"))).expect("an answer");
    serde_json::from_str(&text).expect("JSON")
}

/// Everything below a folder, as (relative path, content), sorted.
pub fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                open.push(entry);
            } else {
                let name = entry.strip_prefix(folder).expect("below").to_owned();
                let mut content = Vec::new();
                fs::File::open(&entry).and_then(|mut file| file.read_to_end(&mut content)).expect("read");
                found.push((name, content));
            }
        }
    }
    found.sort();
    found
}

/// What must be the same in two runs of the same plan: `results.jsonl` and the files of items.
pub fn outcome(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = tree(folder)
        .into_iter()
        .filter(|(path, _)| path.starts_with("items") || path.as_os_str() == "results.jsonl")
        .collect();
    files.sort();
    files
}

/// Fails with the first file that two runs of the same plan differ in.
pub fn same_outcome(calm: &Path, other: &Path) {
    let (left, right) = (outcome(calm), outcome(other));
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<BTreeSet<_>>();
    let odd: Vec<PathBuf> = names(&left).symmetric_difference(&names(&right)).cloned().collect();
    assert!(odd.is_empty(), "only one of the runs has {odd:?}");
    for ((path, left), (_, right)) in left.iter().zip(&right) {
        let (left, right) = (String::from_utf8_lossy(left), String::from_utf8_lossy(right));
        let first = left.lines().zip(right.lines()).find(|(left, right)| left != right);
        assert!(left == right, "{} differs: {first:?}", path.display());
    }
}

/// A small file system of its own; unmounted when it is dropped.
pub struct SmallFileSystem<'a>(&'a Path);

impl<'a> SmallFileSystem<'a> {
    /// `None` where mounting is not allowed.
    pub fn mount(at: &'a Path, size: &str) -> Option<Self> {
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(at));
        }
        not_tested("no permission to mount a small file system: a full disk is not tested");
        None
    }

    pub fn grow(&self, size: &str) {
        let grown =
            Command::new("mount").args(["-o", &format!("remount,size={size}")]).arg(self.0).status().expect("mount");
        assert!(grown.success());
    }
}

impl Drop for SmallFileSystem<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}
