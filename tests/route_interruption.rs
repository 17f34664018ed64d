//! Routed runs that are killed: no outcome is lost, and none is learned twice.

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use jackfield_plugin_api::Random;

use crate::{
    model_server::ModelServer,
    routed::{POLICIES, Policy, command, kept, pipeline, server, table},
    support::{Pipeline, run_command, same_outcome, wait},
};

const CLAIMS: usize = 240;
/// Time that an answer takes at most: two of them an item, eight items at a time.
const LONGEST: Duration = Duration::from_millis(25);

/// A pipeline with a run behind it, so that there is something to go on with.
fn begun(server: &ModelServer, policy: Policy) -> Pipeline {
    let pipeline = pipeline(server, policy, "", 30);
    run_command(&mut command(&pipeline, &[])).expect_code(0);
    let longer = self::pipeline(server, policy, "", CLAIMS);
    let claims = std::fs::read(longer.path().join("claims.jsonl")).expect("read");
    pipeline.with("claims.jsonl", claims)
}

/// The run folders of a pipeline, oldest first.
fn runs(pipeline: &Pipeline) -> Vec<PathBuf> {
    let found = glob::glob(&format!("{}/*/store.sqlite", pipeline.out().display())).expect("a pattern");
    found.map(|path| path.expect("a path").parent().expect("a folder").to_owned()).collect()
}

/// Kills a run, with SIGKILL and at moments of chance, until it is at its end: how often it was killed, and how many times
/// there was an item that was decided about and not yet learned from.
fn killed(server: &ModelServer, pipeline: &Pipeline, seed: u64) -> (PathBuf, u32, u32) {
    let mut random = Random::new(seed);
    let before = runs(pipeline);
    let (mut kills, mut between, mut run) = (0, 0, None::<PathBuf>);
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(100), "the run makes no progress: killed {kills} times");
        let id = run.as_ref().and_then(|run| Some(run.file_name()?.to_str()?.to_owned()));
        let more: Vec<&str> = id.as_ref().map_or(Vec::new(), |id| vec!["--resume", id]);
        let asked = server.count();
        let mut child = command(pipeline, &more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        // To be killed at work, a session needs to have begun with it.
        while server.count() == asked && child.try_wait().expect("a child").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let ended = wait(&mut child, Duration::from_micros(random.below(120_000)));
        let found = run.get_or_insert_with(|| {
            let new = runs(pipeline).into_iter().find(|run| !before.contains(run));
            new.expect("a session that asks has a record")
        });
        match ended {
            Some(code) => {
                assert_eq!(code, Some(0));
                return (found.clone(), kills, between);
            }
            None => kills += 1,
        }
        // The last column says whether the item was done.
        between += u32::from(table(found, "routes").iter().any(|row| row.ends_with("Integer(0)]")));
    }
}

#[test]
fn kills_between_decision_and_outcome_lose_no_reward_and_learn_none_twice() {
    let server = server(LONGEST);
    for (policy, seed) in POLICIES.into_iter().zip(1..) {
        let calm = begun(&server, policy);
        let undisturbed = run_command(&mut command(&calm, &[])).expect_code(0).folder();
        let pipeline = begun(&server, policy);
        let (run, kills, between) = killed(&server, &pipeline, seed);
        assert!(kills >= 5, "{policy:?}: only {kills} kills before the end");
        assert!(between >= 3, "{policy:?}: only {between} of {kills} kills were between decision and outcome");
        for name in ["routes", "route_starts"] {
            assert_eq!(table(&run, name), table(&undisturbed, name), "{policy:?}: {name} after {kills} kills");
        }
        assert_eq!(table(&run, "routes").len(), CLAIMS);
        same_outcome(&undisturbed, &run);
        assert_eq!(kept(&pipeline), kept(&calm), "{policy:?}");
        assert_eq!(kept(&pipeline).2, 30 + CLAIMS as u64);
        // A run that is at its end adds nothing.
        let id = run.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        run_command(&mut command(&pipeline, &["--resume", &id])).expect_code(0);
        assert_eq!(kept(&pipeline), kept(&calm), "{policy:?}");
    }
}
