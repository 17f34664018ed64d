//! Memory of a model that runs in the process: what does not fit at once is computed in smaller batches, with the same bytes;
//! where there is too little, the run stops and can be resumed with more.

use std::fs;

use crate::support::{CommandOutput, Pipeline, jackfield, results, root, run_command};

/// Twelve short texts and a long one, of which the model in the process makes vectors, with this memory.
fn pipeline(memory: &str) -> Pipeline {
    let mut items: Vec<String> =
        (0..12).map(|number| format!("{{ id = \"t{number}\", text = \"a red cat and {number} cows\" }}")).collect();
    items.push(format!("{{ id = \"long\", text = \"{}\" }}", "a fast car ".repeat(LONG)));
    let toml = format!(
        r#"
[pipeline]
name = "model-memory"
[input]
use = "inline"
id = "id"
items = [{}]
[model.small]
use = "transformer"
with = {{ path = "model.gguf", memory = "{memory}", max_tokens = 16, threads = 1 }}
concurrency = 16
[stages.about]
use = "domain"
in = {{ text = "input.text" }}
model = "small"
[stages.about.with]
embedder = {{ kind = "model" }}
[stages.about.with.domains]
animals = ["the dog", "a cow"]
machines = ["the bus", "a train"]
"#,
        items.join(", ")
    );
    let model = fs::read(root().join("plugins/transformer/fixtures/chat.gguf")).expect("the fixture");
    Pipeline::new(&toml).with("model.gguf", model)
}

const LONG: usize = 4;
/// Enough for all at once.
const AMPLE: &str = "64MiB";

#[test]
fn too_little_memory_stops_the_run_and_a_resume_with_more_ends_with_the_same_bytes() {
    let calm = results(&pipeline(AMPLE).run().expect_code(0).folder());
    // The weights alone take 72 KiB.
    for memory in ["20KiB", "80KiB"] {
        let pipeline = pipeline(memory);
        let mut told = jackfield();
        told.arg("run").arg(pipeline.path()).arg("--out").arg(pipeline.out());
        let stopped = run_command(&mut told).expect_code(1);
        for part in [
            "stopped: there is not enough memory for model `small`: ",
            &format!(" of the {} that the model may have (`memory`)", memory.replace("KiB", " KiB")),
            "raise `memory`, or ",
            "go on with: jackfield run ",
        ] {
            assert!(stopped.stderr.contains(part), "{memory}: {part}: {}", stopped.stderr);
        }
        let resumed = more(&pipeline, &[]).expect_code(0);
        assert!(results(&resumed.folder()) == calm, "{memory}");
    }
    // What was said on the command line is said again.
    let (ample, set) = (pipeline(AMPLE), r#"model.small.with.memory="20KiB""#);
    let mut told = jackfield();
    told.arg("run").arg(ample.path()).args(["--set", set]).arg("--out").arg(ample.out());
    let stopped = run_command(&mut told).expect_code(1).stderr;
    assert!(stopped.contains(&format!(" --set '{set}' --out ")), "{stopped}");
}

#[test]
fn what_does_not_fit_at_once_is_computed_in_smaller_batches_with_the_same_bytes_and_what_never_fits_fails_alone() {
    let calm = results(&pipeline(AMPLE).run().expect_code(0).folder());
    let pipeline = pipeline("150KiB");
    let run = pipeline.run().expect_code(3);
    let halved = " requests do not fit into memory side by side (";
    assert_eq!(run.stderr.matches(halved).count(), 3, "{}", run.stderr);
    assert!(
        run.stderr.contains("from now on at most 4 are computed at once, not 8; raise `memory`, "),
        "{}",
        run.stderr
    );
    let failed = "failed: stage `about` of item `long`: invalid-input: a request of 59 tokens does not fit into memory, with \
                  nothing else under way: ";
    assert!(run.stderr.contains(failed), "{}", run.stderr);
    let found = results(&run.folder());
    assert_eq!((found.len(), calm.len()), (13, 13));
    for (found, calm) in found.iter().zip(&calm).filter(|(found, _)| found["item"] != "long") {
        assert_eq!(found, calm);
    }
    let again = more(&pipeline, &["--retry-failed"]).expect_code(0);
    assert!(results(&again.folder()) == calm);
}

/// Goes on with more memory.
fn more(pipeline: &Pipeline, options: &[&str]) -> CommandOutput {
    let memory = format!("model.small.with.memory=\"{AMPLE}\"");
    run_command(pipeline.command().args(["--resume", "last", "--set", &memory]).args(options))
}
