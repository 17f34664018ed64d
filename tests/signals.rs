//! Signals that ask to stop, sent to the real program: it drains, it leaves, it waits for nothing that may take long.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    path::PathBuf,
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    model_server::{ModelServer, Reply},
    support::{Pipeline, jackfield, results, run_command, wait},
};

/// What ends when it is asked to ends within this, on a busy machine too.
const PROMPT: Duration = Duration::from_secs(20);

/// Items that each ask a model once, one after the other; `extra` is more of the model, `top` of the file.
pub fn pipeline(count: usize, model: &str, top: &str) -> Pipeline {
    let items: Vec<String> = (0..count).map(|item| format!(r#"{{ text = "Ann: Number {item}." }}"#)).collect();
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "asked"
{top}

[input]
use = "inline"
items = [{}]

[output]
item_files = true

[model.m]
{model}

[stages.t]
use = "transcript"
in = {{ text = "input.text" }}

[stages.q]
use = "lens"
in = {{ transcript = "t" }}
with = {{ prompt = "lens.md" }}
model = "m"
"#,
        items.join(", ")
    ))
    .with("lens.md", LENS)
}

const LENS: &str = r#"# Number

Say how many people speak.

## Answer

```json
{ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"], "additionalProperties": false }
```
"#;

/// A model that takes so long, one call at a time.
fn slow(latency_ms: u64) -> String {
    format!("use = \"mock\"\nconcurrency = 1\nwith = {{ latency_ms = {latency_ms} }}")
}

/// A run that has been started.
struct Run {
    child: Child,
    said: BufReader<ChildStderr>,
    heard: String,
}

impl Run {
    fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started");
        let said = BufReader::new(child.stderr.take().expect("standard error"));
        Self { child, said, heard: String::new() }
    }

    /// Waits until it says something.
    fn says(&mut self, what: &str) {
        while !self.heard.contains(what) {
            let read = self.said.read_line(&mut self.heard).expect("text");
            assert!(read > 0, "it never said {what:?}: {}", self.heard);
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    /// Waits for its end: the code, and all that it said.
    fn end(mut self) -> (Option<i32>, String) {
        let code = wait(&mut self.child, PROMPT);
        self.said.read_to_string(&mut self.heard).expect("text");
        (code.unwrap_or_else(|| panic!("it did not end: {}", self.heard)), self.heard)
    }
}

fn runs(pipeline: &Pipeline) -> Vec<PathBuf> {
    let runs = glob::glob(&format!("{}/*/run.json", pipeline.out().display())).expect("a pattern");
    runs.map(|path| path.expect("a path").parent().expect("a folder").to_owned()).collect()
}

/// Waits until something is so.
#[track_caller]
fn until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < PROMPT, "it did not come to pass");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until some item is done.
#[track_caller]
fn first_item(pipeline: &Pipeline) {
    until(|| glob::glob(&format!("{}/*/items/*", pipeline.out().display())).expect("a pattern").next().is_some());
}

fn state(pipeline: &Pipeline) -> Value {
    let text = fs::read_to_string(runs(pipeline)[0].join("run.json")).expect("run.json");
    serde_json::from_str::<Value>(&text).expect("JSON")["state"].clone()
}

/// The first signal drains: what the model works on ends, what waits for it is left, and a resume does the rest.
#[track_caller]
fn drains(signal: &str) {
    let pipeline = pipeline(30, &slow(50), "");
    let mut run = Run::start(&mut pipeline.command());
    run.says("run asked-");
    first_item(&pipeline);
    run.signal(signal);
    let (code, said) = run.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("stopping: what is under way ends first"), "{said}");
    assert!(!said.contains("failed:") && !said.contains("panicked"), "{said}");
    assert_eq!(state(&pipeline), "interrupted");
    let folder = runs(&pipeline).remove(0);
    let lines = results(&folder);
    let before = lines.iter().filter(|line| line["state"] == "ok").count();
    assert!((1..30).contains(&before), "{before} of 30 were done");
    assert!(lines.iter().all(|line| line["state"] != "failed"), "{lines:?}");

    let resumed = run_command(pipeline.command().args(["--resume", "last"])).expect_code(0).json();
    assert_eq!(resumed["items"]["ok"], 30);
    let made = resumed["session"]["models"]["m"]["calls"].as_u64().expect("calls");
    assert_eq!(made, 30 - before as u64, "what was done is not asked for again");
}

#[test]
fn sigterm_drains_as_ctrl_c_does() {
    drains("TERM");
}

#[test]
fn sighup_drains_as_ctrl_c_does() {
    drains("HUP");
}

#[test]
fn ctrl_c_leaves_what_only_waits_for_its_turn() {
    drains("INT");
}

#[test]
fn under_nohup_the_end_of_the_terminal_is_ignored() {
    let pipeline = pipeline(10, &slow(50), "");
    let command = pipeline.command();
    let mut ignoring = Command::new("sh");
    ignoring.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    let mut run = Run::start(&mut ignoring);
    run.says("run asked-");
    first_item(&pipeline);
    run.signal("HUP");
    let (code, said) = run.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(state(&pipeline), "complete");
}

#[test]
fn a_second_signal_of_any_kind_leaves_without_a_panic() {
    for (first, second) in [("INT", "INT"), ("TERM", "HUP"), ("HUP", "TERM")] {
        let server =
            ModelServer::start(Duration::ZERO, |_| Reply::After(Duration::from_secs(600), Reply::text("").into()));
        let openai = format!("use = \"openai\"\nwith = {}", server.model("api_key_env = \"NONE\""));
        // One model answers by a timer of the engine's own, one by a socket.
        for model in [slow(600_000), openai] {
            let pipeline = pipeline(3, &model, "");
            let before = server.count();
            let mut run = Run::start(pipeline.command().env("NONE", "none"));
            run.says("run asked-");
            // The stage before the model's is on the record once the model is asked.
            until(|| !runs(&pipeline).is_empty());
            if model.contains("openai") {
                until(|| server.count() > before);
            } else {
                std::thread::sleep(Duration::from_millis(200));
            }
            run.signal(first);
            run.says("stopping:");
            if (first, second) == ("INT", "INT") && model.contains("openai") {
                run.says("waiting for what is under way to end: a second signal leaves it to the resume (3 s)");
            }
            run.signal(second);
            let (code, said) = run.end();
            assert_eq!(code, Some(130), "{said}");
            assert!(!said.contains("panicked") && !said.contains("Tokio"), "{said}");
            assert_eq!(state(&pipeline), "interrupted");
        }
    }
}

#[test]
fn a_wait_of_an_hour_that_a_server_asks_for_is_reported_at_once_and_ends_with_a_signal() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::error(429, "retry-after: 3600\r\n"));
    let patient = "use = \"openai\"\nretry = { longest_wait = \"2h\" }";
    let model = format!("{patient}\nwith = {}", server.model("api_key_env = \"NONE\""));
    let pipeline = pipeline(3, &model, "");
    let mut run = Run::start(pipeline.command().env("NONE", "none"));
    run.says("the server limits the rate and asks to wait 1h before the next call");
    run.signal("TERM");
    let (code, said) = run.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.matches("asks to wait").count() == 1 && !said.contains("failed:"), "{said}");
    assert_eq!(state(&pipeline), "interrupted");
}

#[test]
fn a_delay_before_another_try_is_reported_and_ends_with_a_signal() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::error(429, "retry-after: 3600\r\n"));
    // The model gives up at once; the stage tries again.
    let model = format!(
        "use = \"openai\"\nretry = {{ attempts = 1, longest_wait = \"2h\" }}\nwith = {}",
        server.model("api_key_env = \"NONE\"")
    );
    let pipeline = pipeline(1, &model, "");
    let mut run = Run::start(
        pipeline
            .command()
            .args(["--set", "stages.q.retry={ attempts = 3, longest_wait = \"2h\" }"])
            .env("NONE", "none"),
    );
    run.says("waiting: stage `q` tries again in 1h");
    run.signal("INT");
    let (code, said) = run.end();
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(state(&pipeline), "interrupted");
}

#[test]
fn a_paid_answer_is_kept_though_its_call_was_to_be_left() {
    // The first answer does not fit its schema, so that it is asked for once more: the call is not left in between.
    let server = ModelServer::start(Duration::from_millis(300), |asked| {
        Reply::text(if asked.number == 0 { "none" } else { "{ \"n\": 1 }" })
    });
    let model = format!("use = \"openai\"\nconcurrency = 1\nwith = {}", server.model("api_key_env = \"NONE\""));
    let pipeline = pipeline(4, &model, "");
    let mut run = Run::start(pipeline.command().env("NONE", "none"));
    run.says("run asked-");
    until(|| server.count() > 0);
    run.signal("TERM");
    let (code, said) = run.end();
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(server.count(), 2, "{said}");
    let done = results(&runs(&pipeline)[0]).iter().filter(|line| line["state"] == "ok").count();
    assert_eq!(done, 1, "the item whose model was at work");
}

#[test]
fn a_collector_that_hangs_is_waited_for_reported_and_left_with_a_signal() {
    // Connections are made, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", silent.local_addr().expect("an address"));
    let pipeline = pipeline(1, "use = \"mock\"", "");
    let mut run = Run::start(pipeline.command().env("OTEL_EXPORTER_OTLP_ENDPOINT", &address));
    run.says(&format!("waiting for the last spans to reach the collector at {address}/v1/traces (3 s)"));
    run.signal("TERM");
    let (code, said) = run.end();
    // The run was done before.
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("spans did not reach the collector"), "{said}");
    assert_eq!(state(&pipeline), "complete");
}

#[test]
fn commands_that_hold_nothing_open_end_by_the_signal_itself() {
    // The runs of a test are on no record.
    let more = "\n[[tests]]\nname = \"slow\"\ninput = { text = \"Ann: Hi.\" }\nexpect = { q = { title = \"none\" } }\n";
    let pipeline = pipeline(1, &slow(600_000), "");
    let file = pipeline.path().join("pipeline.toml");
    let text = fs::read_to_string(&file).expect("read") + more;
    fs::write(&file, text).expect("written");
    let run = Run::start(jackfield().arg("test").arg(pipeline.path()));
    std::thread::sleep(Duration::from_millis(300));
    run.signal("TERM");
    let (code, said) = run.end();
    // No code: it was ended by the signal, which a shell shows as 143.
    assert_eq!(code, None, "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
