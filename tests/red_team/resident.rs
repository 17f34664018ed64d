//! All attacks in one process, over and over: the memory of the host comes back to where it was.

use std::{fmt::Write as _, process::Command};

use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Options, Silent, open_stages};
use jackfield_loader::{Registry, Trust, load, sandbox::Grant};
use jackfield_pipeline::Request;
use jackfield_services::open_services;

use crate::support::{Pipeline, fixture, run_command};

/// What the memory in use may have grown by, in bytes.
const SLACK: usize = 32 << 20;
/// Set in the process that makes the attacks.
const ALONE: &str = "JACKFIELD_TEST_ALONE";
/// Those that end when the stage is set up.
const NOT_SET_UP: [&str; 2] = ["loop-open", "sleep-open"];

/// Bytes of memory that this process holds.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: usize = text.split(' ').nth(1).expect("a number").parse().expect("a number");
    pages * 4096
}

#[test]
fn memory_of_the_host_comes_back_to_where_it_was() {
    if std::env::var_os(ALONE).is_some() {
        return all_attacks_four_times();
    }
    // In a process of its own: other tests use memory, too. Threads that wait for files come and go: without
    // the setting, the test's allocator keeps some for each of them, up to 30 MiB more in a round than in another.
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let this = "red_team::resident::memory_of_the_host_comes_back_to_where_it_was";
    let run = run_command(command.args(["--exact", this, "--nocapture"]).env(ALONE, "1").env("MALLOC_ARENA_MAX", "2"));
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("1 passed"), "{}", run.stdout);
}

fn all_attacks_four_times() {
    let path = fixture("red_team/hostile.wasm");
    let base = tempfile::tempdir().expect("a folder");
    std::fs::write(base.path().join("note.txt"), "a note").expect("written");
    let grants = ["clock", "random", "read:data=.", "scratch:work", "http:127.0.0.1"];
    let grants = grants.map(|grant| Grant::parse(grant, base.path()).expect(grant)).to_vec();
    let plugin = load("hostile", &path, &Trust { grants, ..Trust::default() }).expect("loaded");
    let mut toml = "
[pipeline]
name = \"harm\"
[input]
use   = \"inline\"
items = [{ text = \"bad\" }]
[cache.kept]
tiers = [{ use = \"memory\", with = { max_bytes = 4_000_000 } }]
[model.mock]
use = \"mock\"
"
    .to_owned();
    let names = plugin.extensions.iter().map(|entry| entry.descriptor.name.clone());
    let names: Vec<String> = names.filter(|name| !NOT_SET_UP.contains(&name.as_str())).collect();
    for name in &names {
        // A check refuses what is given to those that do not ask for it.
        let asks = !name.ends_with("-unasked");
        let more = match name {
            name if name.starts_with("fetch") => "with = { target = \"GET http://127.0.0.1:1/\" }",
            name if asks && name.starts_with("cache") => "store = \"kept\"",
            name if asks && name.starts_with("model") => "model = \"mock\"",
            _ => "",
        };
        let limits =
            "memory = \"96MiB\", time = \"500ms\", wall = \"3s\", scratch = \"8MiB\", host_calls = 20_000, traps = 0";
        writeln!(
            toml,
            "[stages.{name}]\nuse = \"hostile/{name}\"\nin = {{ text = \"input.text\" }}\nlimits = {{ {limits} }}\n{more}"
        )
        .expect("written");
    }
    assert!(names.len() >= 50, "{names:?}");
    let pipeline = Pipeline::new(&toml);
    let file = pipeline.path().join("pipeline.toml");
    let registry = Registry::new(vec![bundled(), plugin]);
    let draft = jackfield_pipeline::parse(Request { path: &file, set: &[], input: &[] }).expect("a draft");
    let plan = jackfield_pipeline::check(&draft, &registry).unwrap_or_else(|faults| panic!("{:?}", faults.records()));
    let mut held = Vec::new();
    for _ in 0..4 {
        let services = open_services(&plan, &registry).unwrap_or_else(|_| panic!("no services"));
        let instances = open_stages(&plan, &registry).unwrap_or_else(|_| panic!("no stages"));
        let options = Options { jobs: 2, retry_failed: false, ..Options::default() };
        let engine = Engine { plan: &plan, registry: &registry, instances, services, inputs: &BundledInputs, options };
        let outcome = engine.run_unrecorded(&Cancel::default(), &mut Silent).expect("a run");
        assert!(outcome.summary.stages.len() >= 50);
        held.push(resident());
    }
    println!("{} attacks, {held:?} bytes", names.len());
    // A round may end with more than another, whatever went before: what stays is in the lesser of two.
    assert!(held[2].min(held[3]) < held[1] + SLACK, "it grows: {held:?} bytes");
}
