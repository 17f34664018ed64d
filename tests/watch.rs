//! `jackfield run --watch`: what a change touches is run again, and nothing else.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use jackfield_loader::Digest;

use crate::support::{Pipeline, fixture, jackfield, outcome, run_command, wait};

/// No round takes longer than this.
const LONGEST: Duration = Duration::from_secs(60);

/// A program that watches.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(pipeline: &Pipeline, more: &[&str]) -> Self {
        let mut command = jackfield();
        command.arg("run").arg(pipeline.path()).arg("--watch").arg("--out").arg(pipeline.out()).args(more);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started");
        let (send, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("standard error"));
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));
        Self { child, lines }
    }

    /// What it says until it watches again.
    #[track_caller]
    fn round(&self) -> String {
        let mut said = String::new();
        loop {
            match self.lines.recv_timeout(LONGEST) {
                Ok(line) if line.starts_with("watching ") => return said,
                Ok(line) => said += &format!("{line}\n"),
                Err(error) => panic!("it does not watch ({error}):\n{said}"),
            }
        }
    }

    /// Calls made and calls kept, as its last line says.
    #[track_caller]
    fn counts(&self) -> (u64, u64) {
        let said = self.round();
        let number = |after: &str| {
            let end = said.rfind(after).unwrap_or_else(|| panic!("no `{after}` in {said}"));
            said[..end].trim_end().rsplit([' ', ',']).next().and_then(|word| word.parse().ok()).expect("a number")
        };
        (number(if said.contains(" calls made") { "calls made" } else { "call made" }), number("from the memo"))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LENS: &str = "# Doubts\n\nLook for doubts.\n\n## Answer\n\n```json\n{ \"type\": \"object\", \"additionalProperties\": false, \"required\": [\"doubts\"], \"properties\": { \"doubts\": { \"type\": \"array\", \"items\": { \"type\": \"string\" } } } }\n```\n";

fn pipeline() -> Pipeline {
    Pipeline::new(
        r#"
[pipeline]
name = "watched"

[input]
use  = "files"
path = "data/*.txt"

[model.writer]
use = "mock"

[stages.transcript]
use = "transcript"
in  = { text = "input.text" }

[stages.decisions]
use = "decisions"
in  = "transcript"

[stages.lens]
use   = "lens"
in    = { transcript = "transcript" }
with  = { prompt = "lens.md" }
model = "writer"
"#,
    )
    .with("lens.md", LENS)
    .with("data/a.txt", "Ann: We decided to wait.\n")
    .with("data/b.txt", "Bo: Then we decided to go.\n")
}

#[test]
fn only_what_a_change_touches_is_run_again() {
    let pipeline = pipeline();
    let watching = Watching::start(&pipeline, &[]);
    assert_eq!(watching.counts(), (6, 0));
    // One of two files.
    fs::write(pipeline.path().join("data/a.txt"), "Ann: We decided to stay.\n").expect("written");
    assert_eq!(watching.counts(), (3, 3));
    // A file that `with` names.
    fs::write(pipeline.path().join("lens.md"), LENS.replace("Look for doubts", "Look for hopes")).expect("written");
    assert_eq!(watching.counts(), (2, 4));
    // A file that was not there.
    fs::write(pipeline.path().join("data/c.txt"), "Cy: We decided to sleep.\n").expect("written");
    assert_eq!(watching.counts(), (3, 6));
    // The pipeline itself.
    let path = pipeline.path().join("pipeline.toml");
    let text = fs::read_to_string(&path).expect("read");
    fs::write(&path, text.replace("[stages.decisions]", "[stages.decisions]\nwith = { max = 3 }")).expect("written");
    assert_eq!(watching.counts(), (3, 6));
    drop(watching);

    // What was kept changed nothing: a plain run has the same results.
    let mut runs: Vec<PathBuf> =
        fs::read_dir(pipeline.out()).expect("runs").map(|entry| entry.expect("an entry").path()).collect();
    runs.retain(|path| path.join("run.json").exists());
    assert_eq!(runs.len(), 5);
    let plain = outcome(&pipeline.run().expect_code(0).folder());
    // The last two rounds: that there may be three decisions at the most changes nothing here.
    assert_eq!(runs.iter().filter(|run| outcome(run) == plain).count(), 2);
}

#[test]
fn random_numbers_are_the_same_as_without_a_memo() {
    // `claim-plan` draws with its seed and asks for no `random`.
    let bank = crate::support::root().join("examples/claims/bank.toml");
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "chance"
seed = 7

[input]
use   = "inline"
items = [{{ claim = "Water is wet." }}, {{ claim = "Water is dry." }}]

[model.judge]
use = "mock"

[cache.samples]
tiers = [{{ use = "memory" }}]

[stages.plan]
use   = "claim-plan"
in    = {{ claim = "input.claim" }}
with  = {{ bank = {bank:?}, slots = 3, replicates = 2 }}
model = "judge"
store = "samples"
"#
    ));
    let plain = outcome(&pipeline.run().expect_code(0).folder());
    let watching = Watching::start(&pipeline, &[]);
    assert_eq!(watching.counts(), (2, 0));
    drop(watching);
    let folders = fs::read_dir(pipeline.out()).expect("runs").map(|entry| entry.expect("an entry").path());
    let folders: Vec<PathBuf> = folders.filter(|path| path.join("run.json").exists()).collect();
    assert_eq!(folders.len(), 2);
    assert!(folders.iter().all(|folder| outcome(folder) == plain));
}

#[test]
fn a_pipeline_with_faults_is_shown_and_fixed() {
    let pipeline = pipeline();
    let path = pipeline.path().join("pipeline.toml");
    let good = fs::read_to_string(&path).expect("read");
    fs::write(&path, "[pipeline").expect("written");
    let watching = Watching::start(&pipeline, &[]);
    assert!(watching.round().contains("this is not TOML"));
    fs::write(&path, good.replace("\"decisions\"", "\"decision\"")).expect("written");
    let said = watching.round();
    assert!(said.contains("round 2: changed pipeline.toml") && said.contains("did you mean `decisions`?"), "{said}");
    fs::rename(pipeline.path().join("lens.md"), pipeline.path().join("away.md")).expect("moved");
    fs::write(&path, good).expect("written");
    let said = watching.round();
    assert!(said.contains("cannot read the file `lens.md`"), "{said}");
    fs::rename(pipeline.path().join("away.md"), pipeline.path().join("lens.md")).expect("moved");
    assert_eq!(watching.counts(), (6, 0));
}

#[test]
fn a_plugin_that_is_built_anew_is_loaded_anew() {
    for form in ["native", "wasm"] {
        let (name, trust) = match form {
            "native" => ("jackfield_transcript.so", "allow_native = true\n"),
            _ => ("jackfield_transcript.wasm", ""),
        };
        let bytes = fs::read(fixture(name)).expect("an artifact");
        let pin = if form == "native" { format!("sha256 = \"{}\"\n", Digest::of(&bytes)) } else { String::new() };
        let pipeline = Pipeline::new(&format!(
            "[pipeline]\nname = \"plugin\"\n[plugins.own]\npath = \"{name}\"\n{trust}{pin}\
             [input]\nuse = \"files\"\npath = \"*.txt\"\n\
             [stages.own]\nuse = \"own/transcript\"\nin = {{ text = \"input.text\" }}\n\
             [stages.other]\nuse = \"bundled/transcript\"\nin = {{ text = \"input.text\" }}\n"
        ))
        .with(name, &bytes)
        .with("a.txt", "Ann: Yes.\n");
        let watching = Watching::start(&pipeline, &["--allow-native"]);
        assert_eq!(watching.counts(), (2, 0), "{form}");
        // A custom section that says nothing, or bytes after the end: another file that does the same.
        let more: &[u8] = if form == "native" { b"\0" } else { b"\0\x02\x01x" };
        fs::write(pipeline.path().join(name), [bytes.as_slice(), more].concat()).expect("written");
        assert_eq!(watching.counts(), (1, 1), "{form}");
        // Half a file is no reason to stop.
        fs::write(pipeline.path().join(name), &bytes[..bytes.len() / 2]).expect("written");
        let said = watching.round();
        assert!(said.contains("plugin `own` cannot be loaded"), "{said}");
        fs::write(pipeline.path().join(name), &bytes).expect("written");
        assert_eq!(watching.counts(), (0, 2), "{form}");
    }
}

#[test]
fn a_native_plugin_has_to_match_its_pin_unless_that_is_lifted() {
    let bytes = fs::read(fixture("jackfield_transcript.so")).expect("an artifact");
    let pipeline = Pipeline::new(&format!(
        "[pipeline]\nname = \"plugin\"\n[plugins.own]\npath = \"own.so\"\nallow_native = true\nsha256 = \"{}\"\n\
         [stages.own]\nuse = \"own/transcript\"\nin = {{ text = \"input.text\" }}\n\
         [input]\nuse = \"inline\"\nitems = [{{ text = \"Ann: Yes.\" }}]\n",
        Digest::of(&bytes)
    ))
    .with("own.so", &bytes);
    let watching = Watching::start(&pipeline, &[]);
    assert_eq!(watching.counts(), (1, 0));
    fs::write(pipeline.path().join("own.so"), [bytes.as_slice(), b"\0"].concat()).expect("written");
    assert!(watching.round().contains("error[plugin]"));
}

#[test]
fn ctrl_c_ends_it() {
    let pipeline = pipeline();
    let mut watching = Watching::start(&pipeline, &[]);
    watching.round();
    let killed = Command::new("kill").args(["-INT", &watching.child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    assert_eq!(wait(&mut watching.child, LONGEST), Some(Some(0)));
    // What it kept is in the folder of the runs, and is no run.
    assert!(pipeline.out().join(".watch/memo.sqlite").exists());
    let listed = run_command(jackfield().args(["runs", "list", "--out"]).arg(pipeline.out())).expect_code(0);
    assert!(!listed.stdout.contains(".watch"), "{}", listed.stdout);
}
