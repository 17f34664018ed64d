//! Ten thousand stages: what is done once a stage is done once a stage, and a report of them stays small.

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use jackfield::bundled;
use jackfield_loader::Registry;
use jackfield_pipeline::Request;
use jackfield_store::{Answer, CallRecord, Record, RunFolder, RunJson, Writer, WriterSession, export_results};

use crate::support::{Pipeline, jackfield, run_command_within};

const STAGES: usize = 10_000;

/// Far more than it takes, far less than what grows with the square of the stages would.
const SOON: Duration = Duration::from_secs(60);

/// Stages that each read the one before, after one of this name.
fn chain(stages: usize, read: &str) -> Pipeline {
    let mut toml = String::from(
        "[pipeline]\nname = \"large\"\n[input]\nuse = \"inline\"\nitems = [{ text = \"Ann: Hi.\" }]\n\
         [stages.s0]\nuse = \"transcript\"\nin = { text = \"input.text\" }\n",
    );
    for stage in 1..stages {
        let read = if stage == 1 { read.to_owned() } else { format!("s{}", stage - 1) };
        let _ =
            write!(toml, "[stages.s{stage}]\nuse = \"transcript\"\nin = {{ text = \"{read}.segments[0].text\" }}\n");
    }
    Pipeline::new(&toml)
}

#[test]
fn a_chain_of_many_stages_is_run() {
    let pipeline = chain(1_000, "s0");
    let run = run_command_within(&mut pipeline.command(), SOON).expect_code(0);
    assert_eq!(run.json()["stages"].as_object().expect("stages").len(), 1_000);
}

#[test]
fn ten_thousand_stages_are_drawn_and_reported_in_little_memory() {
    let pipeline = chain(STAGES, "s0");
    let graph = run_command_within(jackfield().arg("graph").arg(pipeline.path()), SOON).expect_code(0);
    assert_eq!(graph.stdout.lines().count(), STAGES + 1);
    assert!(graph.stdout.len() < 2_000_000, "not set in further and further: {} bytes", graph.stdout.len());

    // What a run of it would leave.
    let draft = jackfield_pipeline::parse(Request { path: pipeline.path(), set: &[], input: &[] }).expect("a draft");
    let plan = jackfield_pipeline::check(&draft, &Registry::new(vec![bundled()])).expect("a plan");
    let folder = RunFolder::create(&pipeline.out(), &plan.name).expect("a run folder");
    let run = RunJson::new(&folder, &plan, pipeline.path().join("pipeline.toml"), Vec::new());
    let db = folder.db().expect("a store");
    let session = db.begin_session(&run.began).expect("a session");
    let began = Instant::now();
    let of = WriterSession { session, resumed: false, stages: Vec::new(), began, partial_results: None };
    let items = folder.path().join("items");
    let writer = Writer::start(folder.db().expect("a store"), of, folder.guard(), items).expect("a writer");
    let record = |stage: usize| {
        let answer = Answer::Ok { json: "{}".into(), tensors: Vec::new() };
        let (stage, took_us) = (stage as u32, stage as u64 * 1000);
        Record::Call(CallRecord {
            item: 0,
            stage,
            call: 0,
            answer,
            attempts: 1,
            began_us: 0,
            took_us,
            memo: None,
            exchanges: Vec::new(),
        })
    };
    writer.put((0..STAGES).map(record).collect()).expect("written");
    writer.finish().expect("written");
    folder.write_run(&run).expect("written");
    export_results(&db, &plan, &folder.path().join("results.jsonl")).expect("exported");

    // A histogram for each stage would take several times what the program is given here.
    let mut report = std::process::Command::new("prlimit");
    report.args(["--as=1500000000", env!("CARGO_BIN_EXE_jackfield"), "report"]).arg(folder.path());
    run_command_within(&mut report, SOON).expect_code(0);
    let page = fs::read_to_string(folder.path().join("report.html")).expect("a page");
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    for said in
        ["10,000 stages are too many to draw", "And 9,850 more stages.", "And 9,500 more stages that took less time"]
    {
        assert!(page.contains(said), "the page does not say `{said}`");
    }
}

#[test]
fn ten_thousand_faults_are_reported_in_time() {
    let pipeline = chain(STAGES, "so");
    let toml = fs::read_to_string(pipeline.path().join("pipeline.toml")).expect("a pipeline");
    fs::write(pipeline.path().join("pipeline.toml"), toml.replace("\"s", "\"z")).expect("written");
    let faults = run_command_within(jackfield().arg("check").arg(pipeline.path()).arg("--json"), SOON).expect_code(2);
    assert_eq!(faults.json()["faults"].as_array().expect("faults").len(), STAGES - 1);
}
