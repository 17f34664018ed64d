//! Routed stages: who decides what, in which order, and what is learned and kept.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, EngineError, Event, Observer, Options, RunOutcome, Silent, open_stages};
use jackfield_loader::{Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, Registry, sandbox::Limits};
use jackfield_pipeline::{Plan, Request as PipelineRequest};
use jackfield_plugin_api::{
    BoxFuture, Descriptor, Document, Failure, HostCalls, Instance, Kind, Random, Request, Result as CallResult,
    Stability,
};
use jackfield_services::{PolicyStateFile, open_services};
use jackfield_store::{Db, RouteCount, RunFolder, RunJson, RunState, Summary, timestamp};
use serde_json::{Value, json};

use crate::support::{jackfield, run_command, same_outcome};

/// Opens a stage that is paid by chance: `quality` is the probability of a reward, by context.
struct Slot;

struct Opened {
    quality: f64,
    fails: bool,
    slow: bool,
}

impl ExtensionFactory for Slot {
    fn open(&self, config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        let config: Value = serde_json::from_str(config).expect("JSON");
        Ok(Arc::new(Opened {
            quality: config["quality"].as_f64().unwrap_or(0.5),
            fails: config["fails"] == json!(true),
            slow: config["slow"] == json!(true),
        }))
    }
}

impl Instance for Opened {
    fn call<'a>(&'a self, batch: &'a [Request], _host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<CallResult<Document>>> {
        Box::pin(async move {
            let mut answers = Vec::new();
            for request in batch {
                let mut random = Random::new(request.context.seed);
                let reward = random.next_f64() < self.quality;
                if self.slow {
                    // Not by the seed: another time, another order.
                    let noise = timestamp()
                        .bytes()
                        .fold(u64::from(request.context.seed as u32), |a, b| a.wrapping_mul(31) ^ u64::from(b));
                    tokio::time::sleep(Duration::from_micros(Random::new(noise).below(3000))).await;
                }
                answers.push(match self.fails {
                    true => Err(Failure::InvalidInput("out of order".into())),
                    false => Ok(Document::new(
                        json!({ "reward": f64::from(u8::from(reward)), "cost": 1.0 - self.quality }).to_string(),
                    )),
                });
            }
            answers
        })
    }
}

fn registry() -> Registry {
    let descriptor = Descriptor {
        kind: Kind::Analyzer,
        name: "slot".into(),
        version: "0.0.0".into(),
        summary: "Pays by chance".into(),
        config: json!({ "type": "object" }),
        input: json!({}),
        output: json!({ "type": "object", "required": ["reward"], "properties": { "reward": { "type": "number" }, "cost": { "type": "number" } } }),
        permissions: Vec::new(),
        examples: Vec::new(),
        stability: Stability::Experimental,
    };
    let slot = Plugin {
        alias: "slot".into(),
        linkage: Linkage::LinkedIn,
        path: None,
        digest: Digest::of("slot"),
        protocol: jackfield_plugin_api::PROTOCOL,
        extensions: vec![ExtensionEntry {
            descriptor: Arc::new(descriptor),
            factory: Arc::new(Slot),
            grants: Arc::default(),
        }],
    };
    Registry::new(vec![bundled(), slot])
}

const PIPELINE: &str = r#"
[pipeline]
name = "slots"
seed = 11
max_in_flight = 64

[input]
use = "trials"
count = 400

[stages.play]
use = "slot"
in = "input"
with = { slow = true }
on_error = "fail"
route = { use = "thompson", reward = "play.reward", arms = [{ quality = 0.2 }, { quality = 0.5 }, { quality = 0.8 }], in_flight = 8, state = "play" }
"#;

struct Place {
    folder: tempfile::TempDir,
    plan: Plan,
}

impl Place {
    fn new(text: &str, set: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("pipeline.toml"), text).expect("written");
        let plan = plan(folder.path(), set).unwrap_or_else(|faults| panic!("{faults}"));
        Self { folder, plan }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What the route keeps.
    fn kept(&self) -> jackfield_services::SavedPolicyState {
        PolicyStateFile::at(
            self.plan.stages[0].route.as_ref().and_then(|route| route.state.as_deref()).expect("a state"),
        )
        .read()
        .expect("read")
    }

    fn run(&self, folder: RunFolder, jobs: usize, cancel: &Cancel, observer: &mut dyn Observer) -> Summary {
        self.try_run(folder, jobs, cancel, observer).expect("a run").summary
    }

    fn try_run(
        &self,
        folder: RunFolder,
        jobs: usize,
        cancel: &Cancel,
        observer: &mut dyn Observer,
    ) -> Result<RunOutcome, EngineError> {
        let (plan, registry) = (&self.plan, registry());
        let instances = open_stages(plan, &registry).expect("opened");
        let services = open_services(plan, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
        let record = RunJson::new(&folder, plan, self.path().join("pipeline.toml"), Vec::new());
        let options = Options { jobs, retry_failed: false, ..Options::default() };
        let engine = Engine { plan, registry: &registry, instances, services, inputs: &BundledInputs, options };
        engine.run(folder, record, cancel, observer)
    }

    fn fresh(&self, name: &str, jobs: usize) -> (PathBuf, Summary) {
        let folder = RunFolder::create(&self.path().join(name), "slots").expect("a folder");
        let path = folder.path().to_owned();
        (path, self.run(folder, jobs, &Cancel::default(), &mut Silent))
    }
}

fn plan(folder: &Path, set: &[&str]) -> Result<Plan, jackfield_pipeline::Diagnostics> {
    let set: Vec<String> = set.iter().map(|&set| set.to_owned()).collect();
    let draft = jackfield_pipeline::parse(PipelineRequest { path: folder, set: &set, input: &[] })?;
    jackfield_pipeline::check(&draft, &registry())
}

/// What was decided and came of it, by item.
fn decided(run: &Path) -> Vec<Value> {
    let db = Db::open(&run.join("store.sqlite")).expect("the record");
    let mut all = Vec::new();
    db.each_outcome(0, |record| {
        all.push(json!([record.item, record.outcome, record.scores]));
        Ok(())
    })
    .expect("outcomes");
    all
}

#[test]
fn what_is_decided_and_learned_does_not_depend_on_what_is_done_first() {
    let place = Place::new(PIPELINE, &[]);
    let (serial, first) = place.fresh("serial", 1);
    let learned = first.routes["play"].clone();
    assert_eq!((first.state, learned.outcomes, learned.rewarded), (RunState::Complete, 400, 400));
    // It has learned: the best arm is used most of the time.
    assert!(learned.arms["quality=0.8"] > 300, "{learned:?}");
    for round in 0..3 {
        let other = Place::new(PIPELINE, &[]);
        let (many, summary) = other.fresh("many", 4);
        same_outcome(&serial, &many);
        assert_eq!(decided(&serial), decided(&many), "round {round}");
        assert_eq!(summary.routes["play"], learned, "round {round}");
        assert_eq!(other.kept().state, place.kept().state);
    }
    // Items one after the other, as far as the engine goes: the same.
    let one = Place::new(PIPELINE, &["pipeline.max_in_flight=1"]);
    assert_eq!(one.fresh("one", 1).1.routes["play"], learned);
}

/// Damages a file when the first item is done.
struct Damage(PathBuf);

impl Observer for Damage {
    fn on(&mut self, event: &Event<'_>) {
        if let Event::ItemDone { counts, .. } = event
            && counts.total == 1
        {
            fs::create_dir_all(self.0.parent().expect("a folder")).expect("made");
            fs::write(&self.0, "{ half a").expect("written");
        }
    }
}

#[test]
fn a_state_that_is_damaged_meanwhile_costs_the_run_nothing_and_a_resume_keeps_what_was_learned() {
    let place = Place::new(PIPELINE, &[]);
    let folder = RunFolder::create(&place.path().join("runs"), "slots").expect("a folder");
    let path = folder.path().to_owned();
    let route = place.plan.stages[0].route.as_ref().expect("a route");
    let state = PathBuf::from(route.state.as_deref().expect("a state"));
    let ended = place.try_run(folder, 2, &Cancel::default(), &mut Damage(state.clone()));
    assert!(matches!(ended, Err(EngineError::Route(_))), "{ended:?}");
    assert_eq!(fs::read_to_string(path.join("results.jsonl")).expect("results").lines().count(), 400);
    fs::remove_file(&state).expect("removed");
    let folder = RunFolder::hold(path).expect("the run");
    place.run(folder, 2, &Cancel::default(), &mut Silent);
    assert_eq!(place.kept().outcomes, 400);
}

/// Aborts after so many items.
struct Abort<'a> {
    after: u64,
    cancel: &'a Cancel,
}

impl Observer for Abort<'_> {
    fn on(&mut self, event: &Event<'_>) {
        if let Event::ItemDone { counts, .. } = event
            && counts.total == self.after
        {
            self.cancel.request();
            self.cancel.request();
        }
    }
}

#[test]
fn no_reward_is_lost_or_counted_twice_by_runs_that_are_cut_short() {
    let calm = Place::new(PIPELINE, &[]);
    let (undisturbed, summary) = calm.fresh("calm", 2);
    for after in [1, 7, 60, 230] {
        let place = Place::new(PIPELINE, &[]);
        let folder = RunFolder::create(&place.path().join("runs"), "slots").expect("a folder");
        let path = folder.path().to_owned();
        let cancel = Cancel::default();
        let state = place.run(folder, 2, &cancel, &mut Abort { after, cancel: &cancel }).state;
        assert_eq!(state, RunState::Interrupted);
        let before = place.kept().outcomes;
        assert!(before < 400, "{before}");
        // Again, and then to the end.
        let cancel = Cancel::default();
        let folder = RunFolder::hold(path.clone()).expect("the folder");
        place.run(folder, 2, &cancel, &mut Abort { after: after + 20, cancel: &cancel });
        let folder = RunFolder::hold(path.clone()).expect("the folder");
        let last = place.run(folder, 3, &Cancel::default(), &mut Silent);
        assert_eq!(last.state, RunState::Complete);
        same_outcome(&undisturbed, &path);
        assert_eq!(decided(&undisturbed), decided(&path));
        assert_eq!(last.routes["play"], summary.routes["play"]);
        let (kept, wanted) = (place.kept(), calm.kept());
        assert_eq!((kept.outcomes, &kept.state), (400, &wanted.state));
        // A run that is at its end adds nothing.
        let folder = RunFolder::hold(path).expect("the folder");
        place.run(folder, 1, &Cancel::default(), &mut Silent);
        assert_eq!(place.kept(), kept);
    }
}

#[test]
fn what_is_learned_goes_on_from_run_to_run_until_it_is_forgotten() {
    let place = Place::new(PIPELINE, &["input.count=50"]);
    let (_, first) = place.fresh("runs", 2);
    let (_, second) = place.fresh("runs", 2);
    assert_eq!((first.routes["play"].outcomes, second.routes["play"].outcomes), (50, 50));
    assert_ne!(first.routes["play"].state, second.routes["play"].state);
    let kept = place.kept();
    assert_eq!((kept.outcomes, kept.runs.len(), kept.policy.as_str()), (100, 2, "thompson"));
    assert_eq!(kept.state, second.routes["play"].state, "the second went on from the first");

    // Without a name, nothing is kept.
    let route =
        r#"stages.play.route:={ use = "ucb1", reward = "play.reward", arms = [{ quality = 0.2 }, { quality = 0.8 }] }"#;
    let forgetful = Place::new(PIPELINE, &["input.count=50", route]);
    forgetful.fresh("runs", 2);
    assert!(!forgetful.path().join(".jackfield").exists());

    // Another policy has no use for it.
    let other =
        Place { plan: plan(place.path(), &["stages.play.route.use=ucb1"]).unwrap_or_else(|f| panic!("{f}")), ..place };
    let folder = RunFolder::create(&other.path().join("runs"), "slots").expect("a folder");
    let error = other.try_run(folder, 1, &Cancel::default(), &mut Silent).expect_err("refused");
    assert!(error.to_string().ends_with("holds what the policy `thompson` learned, not `ucb1`"), "{error}");
}

#[test]
fn an_arm_that_fails_gives_way_to_the_next_and_its_circuit_opens() {
    let route = r#"stages.play.route:={ use = "fallback", with = { failures = 3, probe_after = 10 }, in_flight = 1, arms = [{ fails = true }, { quality = 1.0 }] }"#;
    let place = Place::new(PIPELINE, &["input.count=40", route]);
    let (run, summary) = place.fresh("runs", 2);
    let RouteCount { outcomes, arms, failed, .. } = &summary.routes["play"];
    assert_eq!((summary.state, *outcomes, arms["quality=1.0"]), (RunState::Complete, 40, 40));
    // Three failures open the circuit; then it is tried now and then.
    let failures = failed["fails=true"];
    assert!((4..=10).contains(&failures), "{failures}");
    assert_eq!(summary.stages["play"].retries, failures);
    assert_eq!(summary.stages["play"].failed, 0);
    let first = &decided(&run)[0];
    assert_eq!(
        first[1]["attempts"],
        json!([{ "arm": "fails=true", "failed": true }, { "arm": "quality=1.0", "failed": false }])
    );
}

#[test]
fn every_combination_of_a_space_is_an_arm() {
    let route = r#"stages.play.route:={ use = "round-robin", space = { quality = [0.2, 0.9], slow = [false, true] }, in_flight = 1 }"#;
    let place = Place::new(PIPELINE, &["input.count=8", route]);
    let (_, summary) = place.fresh("runs", 2);
    let arms: Vec<(&str, u64)> =
        summary.routes["play"].arms.iter().map(|(arm, count)| (arm.as_str(), *count)).collect();
    let all = ["quality=0.2,slow=false", "quality=0.2,slow=true", "quality=0.9,slow=false", "quality=0.9,slow=true"];
    assert_eq!(arms, all.map(|arm| (arm, 2)));
}

#[test]
fn round_robin_counts_decisions_whatever_is_in_flight() {
    for (in_flight, count, expected) in [(1, 50, [25, 25]), (32, 50, [25, 25]), (50, 50, [25, 25]), (8, 7, [4, 3])] {
        let route = format!(
            "stages.play.route:={{ use = \"round-robin\", arms = [{{ quality = 0.2 }}, {{ quality = 0.9 }}], in_flight = {in_flight} }}"
        );
        let place = Place::new(PIPELINE, &[&format!("input.count={count}"), &route]);
        let (serial, summary) = place.fresh("serial", 1);
        let arms: Vec<u64> = summary.routes["play"].arms.values().copied().collect();
        assert_eq!(arms, expected, "in_flight = {in_flight}");
        let (many, _) = place.fresh("many", 4);
        assert_eq!(decided(&serial), decided(&many), "in_flight = {in_flight}");
        // Two neighbours never have the same arm.
        let picked: Vec<Value> = decided(&many).iter().map(|row| row[1]["attempts"][0]["arm"].clone()).collect();
        assert!(picked.windows(2).all(|pair| pair[0] != pair[1]), "{picked:?}");
    }
}

#[test]
fn a_run_that_is_cut_short_goes_on_in_turn() {
    let route = "stages.play.route:={ use = \"round-robin\", arms = [{ quality = 0.2 }, { quality = 0.9 }, { quality = 0.5 }] }";
    let set = ["input.count=120", route];
    let calm = Place::new(PIPELINE, &set);
    let (undisturbed, _) = calm.fresh("calm", 2);
    for after in [3, 40, 90] {
        let place = Place::new(PIPELINE, &set);
        let folder = RunFolder::create(&place.path().join("runs"), "slots").expect("a folder");
        let path = folder.path().to_owned();
        let cancel = Cancel::default();
        place.run(folder, 2, &cancel, &mut Abort { after, cancel: &cancel });
        place.run(RunFolder::hold(path.clone()).expect("the run"), 2, &Cancel::default(), &mut Silent);
        assert_eq!(decided(&path), decided(&undisturbed), "after {after}");
    }
}

#[test]
fn several_objectives_are_weighed() {
    let route = r#"stages.play.route:={ use = "pareto", with = { preference = { reward = 0.0, cost = 1.0 } }, maximize = ["play.reward"], minimize = ["play.cost"], arms = [{ quality = 0.2 }, { quality = 0.9 }] }"#;
    let place = Place::new(PIPELINE, &["input.count=200", route]);
    let (_, summary) = place.fresh("runs", 2);
    assert!(summary.routes["play"].arms["quality=0.9"] > 150, "{:?}", summary.routes["play"].arms);
}

#[test]
fn a_route_that_makes_no_sense_is_refused_before_anything_runs() {
    let place = Place::new(PIPELINE, &[]);
    let refused = |route: &str| match plan(place.path(), &[&format!("stages.play.route:={route}")]) {
        Ok(_) => panic!("{route} is taken"),
        Err(faults) => faults.to_string(),
    };
    let all = [
        r#"{ use = "thompson", arms = [{ quality = 0.2 }] }"#,
        r#"{ use = "pareto", arms = [{ quality = 0.2 }] }"#,
        r#"{ use = "tompson", reward = "play.reward", arms = [{ quality = 0.2 }] }"#,
        r#"{ use = "thompson", reward = "play.reward" }"#,
        r#"{ use = "thompson", reward = "play.reward", arms = [{ quality = 0.2 }], models = ["writer"] }"#,
        r#"{ use = "thompson", reward = "play.reward", models = ["writer"] }"#,
        r#"{ use = "thompson", reward = "play.reward", arms = [{ quality = 0.2 }, { quality = 0.2 }] }"#,
        r#"{ use = "thompson", reward = "plya.reward", context = "play.reward", arms = [{ quality = 0.2 }] }"#,
        r#"{ use = "thompson", reward = "play.reward", arms = [{ quality = 0.2 }], state = "../up" }"#,
        r#"{ use = "pareto", maximize = ["play.reward", "play.reward"], arms = [{ quality = 0.2 }] }"#,
        r#"{ use = "thompson", reward = "play.reward", arms = [], in_flight = 0 }"#,
        r#"{ use = "thompson", reward = "play.reward", space = {} }"#,
        r#"{ use = "thompson", reward = "play.reward", space = { quality = 0.5, slow = [true] } }"#,
        r#"{ use = "thompson", reward = "play.reward", space = { quality = [0.5, 0.5] } }"#,
        r#"{ use = "thompson", reward = "play.reward", space = { quality = [0.5] }, arms = [{ quality = 0.2 }] }"#,
    ];
    let hundred: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let large = format!("{{ use = \"round-robin\", space = {{ a = [{0}], b = [{0}] }} }}", hundred.join(", "));
    assert!(refused(&large).contains("more than 256 combinations"), "{}", refused(&large));
    insta::assert_snapshot!(all.map(|route| format!("{route}\n{}", refused(route))).join("\n\n"));
    let once = plan(place.path(), &["stages.play.in={}", "stages.play.for_each=[]"]);
    assert!(once.is_err());
}

#[test]
fn what_a_route_keeps_is_shown_and_forgotten_by_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = folder.path().join("pipeline.toml");
    fs::write(&pipeline, WORDS).expect("written");
    let run =
        run_command(jackfield().arg("run").arg(&pipeline).args(["--json", "--out"]).arg(folder.path().join("runs")));
    assert_eq!(run.expect_code(0).json()["routes"]["phrases"]["outcomes"], 12);
    let shown = run_command(jackfield().args(["routes", "show"]).arg(&pipeline)).expect_code(0);
    assert!(
        shown.stdout.starts_with("phrases: round-robin of stage `phrases`, 12 outcomes of 1 run\n"),
        "{}",
        shown.stdout
    );
    let json = run_command(jackfield().args(["routes", "show", "--json"]).arg(&pipeline)).expect_code(0).json();
    assert_eq!(json["routes"][0]["outcomes"], 12);
    let odd = run_command(jackfield().args(["routes", "show", "--state", "phrase"]).arg(&pipeline)).expect_code(2);
    insta::assert_snapshot!(odd.stderr);
    // What is damaged is told before anything is made, and can be forgotten.
    fs::write(folder.path().join(".jackfield/routes/phrases.json"), b"{ \xff").expect("written");
    let more = folder.path().join("more");
    for command in [vec!["check"], vec!["run", "--out", more.to_str().expect("UTF-8")]] {
        let refused = run_command(jackfield().args(&command).arg(&pipeline)).expect_code(1).stderr;
        assert!(refused.contains("phrases.json` is damaged: it is not UTF-8 text"), "{refused}");
        assert!(refused.contains("hint: `jackfield routes reset`"), "{refused}");
    }
    assert!(!more.exists());
    let reset = || run_command(jackfield().args(["routes", "reset"]).arg(&pipeline)).expect_code(0).stderr;
    assert_eq!(reset(), "phrases: forgotten\n");
    assert_eq!(reset(), "phrases: there was nothing\n");
}

const WORDS: &str = r#"
[pipeline]
name = "words"

[input]
use = "inline"
items = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]

[stages.transcript]
use = "transcript"
in = { text = "input" }

[stages.phrases]
use = "keyphrases"
in = "transcript"
route = { use = "round-robin", arms = [{ max = 1 }, { max = 2 }], state = "phrases" }
"#;
