//! Plugins that mean harm (`guests`, in C, and components written by hand). Each is stopped, and says why; the other stages,
//! plugins and items of the same run come out right, and the run ends in time.

mod describing;
mod files;
mod floods;
mod keeping;
mod memory_and_time;
mod network;
mod replies;
mod resident;
mod server;
mod sockets;

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    bad_plugins::component::Hand,
    support::{CommandOutput, Pipeline, fixture, results, run_command},
};

/// The texts of the five items.
const TEXTS: [&str; 5] = ["one", "two", "bad", "four", "five"];
/// A run with an attack in it takes no longer, on a machine that is busy with other tests.
const IN_TIME: Duration = Duration::from_secs(60);

/// An attack: the analyzer of this name of `hostile.wasm`, which makes it where the text is `bad`. It is the stage `tried`,
/// next to a stage of the same plugin and one of another.
struct Attack {
    name: &'static str,
    grants: Vec<String>,
    /// Further keys of the stage.
    stage: String,
    /// Further tables of the pipeline.
    tables: String,
    files: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    /// Whether nothing is said of the answers to the other items.
    others: bool,
    jobs: Option<usize>,
}

/// What came of an attack.
struct Outcome {
    run: CommandOutput,
    /// What the bad item has of the stage `tried`: an output, or kind and message of its failure.
    said: Result<Value, String>,
    /// The outputs of `tried` of all items.
    outputs: Vec<Option<Value>>,
    pipeline: Pipeline,
}

fn attack(name: &'static str) -> Attack {
    Attack {
        name,
        grants: Vec::new(),
        stage: String::new(),
        tables: String::new(),
        files: Vec::new(),
        variables: Vec::new(),
        others: true,
        jobs: None,
    }
}

impl Attack {
    fn granted(mut self, grants: &[&str]) -> Self {
        self.grants.extend(grants.iter().map(|grant| (*grant).to_owned()));
        self
    }

    /// What the attack is aimed at.
    fn target(self, target: &str) -> Self {
        self.stage(&format!("with = {{ target = {target:?} }}"))
    }

    fn limits(self, limits: &str) -> Self {
        self.stage(&format!("limits = {{ {limits} }}"))
    }

    fn stage(mut self, line: &str) -> Self {
        self.stage = format!("{}{line}\n", self.stage);
        self
    }

    fn tables(mut self, tables: &str) -> Self {
        self.tables = format!("{}{tables}\n", self.tables);
        self
    }

    fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The other items are no `echo`: an attack that answers each of them.
    fn on_all(mut self) -> Self {
        self.others = false;
        self
    }

    fn pipeline(&self) -> Pipeline {
        let items: Vec<String> = TEXTS.iter().map(|text| format!("{{ text = {text:?} }}")).collect();
        let mut toml = format!(
            r#"
[pipeline]
name = "harm"

[plugins.hostile]
path = {path:?}
grant = {grants:?}

[plugins.other]
path = "other.wasm"

[input]
use   = "inline"
items = [{items}]

[stages.tried]
use = "hostile/{name}"
in  = {{ text = "input.text" }}
{stage}
[stages.steady]
use = "hostile/echo"
in  = {{ text = "input.text" }}

[stages.other]
use = "other/hand"
in  = {{ text = "input.text" }}

{tables}"#,
            path = fixture("red_team/hostile.wasm").to_str().expect("UTF-8"),
            grants = self.grants,
            items = items.join(", "),
            name = self.name,
            stage = self.stage,
            tables = self.tables,
        );
        if !toml.ends_with('\n') {
            toml.push('\n');
        }
        let pipeline = Pipeline::new(&toml).with("other.wasm", Hand::default().bytes());
        self.files.iter().fold(pipeline, |pipeline, (name, content)| pipeline.with(name, content))
    }

    #[track_caller]
    fn run(self) -> Outcome {
        let pipeline = self.pipeline();
        self.run_in(pipeline)
    }

    fn command(&self, pipeline: &Pipeline) -> Command {
        let mut command = pipeline.command();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(jobs) = self.jobs {
            command.args(["--jobs", &jobs.to_string()]);
        }
        command
    }

    #[track_caller]
    fn run_in(self, pipeline: Pipeline) -> Outcome {
        let mut command = self.command(&pipeline);
        let began = Instant::now();
        let run = run_command(&mut command);
        assert!(began.elapsed() < IN_TIME, "it took {:?}: {run:#?}", began.elapsed());
        assert!(matches!(run.code, Some(0 | 3)), "{run:#?}");
        let lines = results(&run.folder());
        assert_eq!(lines.len(), TEXTS.len(), "{run:#?}");
        let mut said = None;
        let mut outputs = Vec::new();
        for (line, text) in lines.iter().zip(TEXTS) {
            assert_eq!(line["outputs"]["steady"], json!({ "got": text }), "the same plugin is unharmed: {line:#}");
            assert_eq!(line["outputs"]["other"], json!({}), "the other plugin is unharmed: {line:#}");
            outputs.push(line["outputs"].get("tried").cloned());
            if text == "bad" {
                said = Some(line["outputs"].get("tried").cloned().ok_or_else(|| failure(line)));
            } else if self.others {
                assert_eq!(line["outputs"]["tried"], json!({ "got": text }), "the other items are unharmed: {line:#}");
            }
        }
        Outcome { run, said: said.expect("the bad one is among them"), outputs, pipeline }
    }

    /// Kind and message of the failure of the bad item.
    #[track_caller]
    fn stopped(self) -> String {
        let name = self.name;
        let outcome = self.run();
        match outcome.said {
            Err(said) => outcome.pipeline.path().to_str().map_or(said.clone(), |path| said.replace(path, "[folder]")),
            Ok(answer) => panic!("{name} was not stopped: {answer}"),
        }
    }

    /// What the bad item was answered.
    #[track_caller]
    fn answered(self) -> String {
        match self.run().said {
            Ok(answer) => answer["got"].as_str().expect("a text").to_owned(),
            Err(said) => panic!("it was stopped: {said}"),
        }
    }

    /// The faults of a stage that cannot even be set up.
    #[track_caller]
    fn refused(self) -> String {
        let pipeline = self.pipeline();
        let began = Instant::now();
        let run = pipeline.run().expect_code(2);
        assert!(began.elapsed() < IN_TIME, "it took {:?}", began.elapsed());
        let faults = run.json()["faults"].as_array().expect("faults").clone();
        let said = faults.iter().map(|fault| fault["message"].as_str().expect("a message").to_owned());
        said.collect::<Vec<_>>().join("\n")
    }
}

/// Kind and message of the failure of an item in the stage `tried`.
#[track_caller]
fn failure(line: &Value) -> String {
    let failures = line["failures"]["tried"].as_array().unwrap_or_else(|| panic!("no failure in {line:#}"));
    assert_eq!(failures.len(), 1, "{line:#}");
    let part = |name: &str| failures[0][name].as_str().expect("text");
    format!("{}: {}", part("kind"), part("message"))
}

/// Several messages, one below the other.
fn lines(said: impl IntoIterator<Item = String>) -> String {
    said.into_iter().collect::<Vec<_>>().join("\n")
}

/// A folder with a file to keep a plugin from, and below it the folder `data` that it may read.
fn with_secret(attack: Attack) -> Attack {
    attack.file("secret.txt", "the secret").file("data/note.txt", "a note").file("data/inner/deep.txt", "deep")
}

/// What a file holds.
#[track_caller]
fn read(pipeline: &Pipeline, name: &str) -> String {
    fs::read_to_string(pipeline.path().join(name)).expect("read")
}
