//! Searches: the same bytes however a run is made, cut short and gone on with; and what can go wrong with a trial.

use std::{path::Path, process::Stdio, time::Duration};

use jackfield_plugin_api::Random;
use serde_json::{Value, json};

use crate::support::{CommandOutput, Pipeline, fixture, jackfield, results, run_command, same_outcome, wait};

/// The forms of the plugin that is searched, and whose policy searches.
const FORMS: [&str; 2] = ["so", "wasm"];

/// A search of the valley of `tests/plugins/invalid_plugin`: with these keys of `[search]`, and further lines at the end.
struct Valley {
    form: &'static str,
    count: u64,
    search: String,
    space: &'static str,
    stages: &'static str,
}

impl Default for Valley {
    fn default() -> Self {
        Self {
            form: "so",
            count: 16,
            search: TPE.to_owned(),
            space: "\"place.x\" = { min = 0.0, max = 0.9 }\n\"place.side\" = [\"low\", \"high\"]\n\
                    \"place.depth\" = { min = 1, max = 8, integer = true, when = { \"place.side\" = \"low\" } }",
            stages: PLACE,
        }
    }
}

const TPE: &str = "use = \"tpe\"\nwith = { startup = 6, candidates = 16 }\nminimize = [\"place.loss\", \"place.cost\"]";
const PLACE: &str = "[stages.place]\nuse = \"odd/landscape\"\nin = { trial = \"input.trial\" }\nwith = { x = 0.5 }";
/// Two stages, each slow enough to be killed in: the second is left out of a trial that is pruned.
const SLOW: &str = "[stages.place]\nuse = \"odd/landscape\"\nin = { trial = \"input.trial\" }\nwith = { x = 0.5, milliseconds = 10 }\n\
                    [stages.late]\nuse = \"odd/landscape\"\nin = { trial = \"input.trial\" }\nwith = { x = 0.5, milliseconds = 10 }";

impl Valley {
    fn toml(&self) -> String {
        let file = fixture(&format!("jackfield_test_invalid_plugin.{}", self.form));
        let native = if self.form == "so" { "allow_native = true" } else { "" };
        let Self { count, search, space, stages, .. } = self;
        format!(
            "[pipeline]\nname = \"valley\"\n[plugins.odd]\npath = {:?}\n{native}\n[input]\nuse = \"trials\"\ncount = {count}\n\
             [search]\n{search}\n[search.space]\n{space}\n{stages}\n",
            file.to_str().expect("UTF-8"),
        )
    }

    fn pipeline(&self) -> Pipeline {
        let pipeline = Pipeline::new(&self.toml());
        run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
        pipeline
    }
}

/// Runs a pipeline with further arguments.
fn run(pipeline: &Pipeline, more: &[&str]) -> CommandOutput {
    run_command(pipeline.command().args(more))
}

fn name(folder: &Path) -> String {
    folder.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned()
}

/// A message without the line of the source that panicked.
fn without_place(message: &str) -> String {
    match (message.find("panicked at "), message.find(":\n")) {
        (Some(from), Some(to)) => format!("{}panicked{}", &message[..from], &message[to..]),
        _ => message.to_owned(),
    }
}

fn params(folder: &Path) -> Vec<Value> {
    results(folder).iter().map(|line| line["params"].clone()).collect()
}

#[test]
fn values_are_the_same_at_any_concurrency_and_in_any_form() {
    for in_flight in [1, 4] {
        let search = format!("{TPE}\nin_flight = {in_flight}");
        let of = |form, jobs: &str| {
            let valley = Valley { form, search: search.clone(), ..Valley::default() };
            let pipeline = valley.pipeline();
            let folder = run(&pipeline, &["--jobs", jobs]).expect_code(0).folder();
            (pipeline, folder)
        };
        let (_calm, calm) = of("so", "1");
        for (form, jobs) in [("so", "16"), ("wasm", "1"), ("wasm", "16")] {
            let (_other, other) = of(form, jobs);
            same_outcome(&calm, &other);
        }
        let tried = params(&calm);
        assert_eq!(tried.len(), 16);
        // A key whose condition does not hold has no value.
        for values in &tried {
            assert_eq!(values.get("place.depth").is_some(), values["place.side"] == "low", "{values}");
        }
    }
}

#[test]
fn every_search_in_a_file_picks_what_it_picks_linked_in() {
    for (policy, more) in [
        ("tpe", "with = { startup = 6, candidates = 16 }"),
        ("nsga2", "with = { population = 4 }"),
        ("random", ""),
        ("grid", "with = { points = 3 }"),
    ] {
        let of = |form: Option<&str>| {
            let name = form.map_or_else(|| policy.to_owned(), |_| format!("searches/{policy}"));
            let search =
                format!("use = \"{name}\"\n{more}\nminimize = [\"place.loss\", \"place.cost\"]\nin_flight = 2");
            let file = form.map(|form| {
                let native = if form == "so" { "allow_native = true" } else { "" };
                let path = fixture(&format!("jackfield_search.{form}"));
                format!("[plugins.searches]\npath = {:?}\n{native}\n", path.to_str().expect("UTF-8"))
            });
            let stages = format!("{PLACE}\n{}", file.unwrap_or_default());
            let pipeline = Valley { search, stages: stages.leak(), ..Valley::default() }.pipeline();
            (pipeline.run().expect_code(0).folder(), pipeline)
        };
        let (linked, _kept) = of(None);
        for form in FORMS {
            let (other, _kept) = of(Some(form));
            assert_eq!(params(&linked), params(&other), "{policy} {form}");
            same_outcome(&linked, &other);
        }
    }
}

#[test]
fn a_policy_sees_the_results_of_earlier_trials_alone() {
    let search = "use = \"odd/bounce\"\nminimize = \"place.loss\"\nin_flight = 3".to_owned();
    let [so, wasm] = FORMS.map(|form| Valley { form, search: search.clone(), ..Valley::default() }.pipeline());
    let [native, component] = [&so, &wasm].map(|pipeline| pipeline.run().expect_code(0).folder());
    same_outcome(&native, &component);
    let x: Vec<f64> = params(&native).iter().map(|values| values["place.x"].as_f64().expect("a number")).collect();
    // Exactly the outcomes up to three trials before are known, and the values of those in between.
    assert_eq!(x, (0..16).map(|trial| 0.9 * (f64::from(trial) / 64.0)).collect::<Vec<_>>());
}

#[test]
fn a_search_that_is_killed_and_goes_on_has_the_same_bytes() {
    let search = "use = \"tpe\"\nwith = { startup = 6, candidates = 16 }\nminimize = \"late.loss\"\n\
                  report = [\"place.loss\", \"late.loss\"]\nin_flight = 2"
        .to_owned();
    let valley = Valley { search, count: 40, stages: SLOW, ..Valley::default() };
    let undisturbed = valley.pipeline();
    let calm = undisturbed.run().expect_code(0).folder();
    let pruned = results(&calm).iter().filter(|line| line["state"] == "pruned").count();
    assert!(pruned > 0, "no trial was pruned");

    let pipeline = valley.pipeline();
    let mut random = Random::new(7);
    let (mut kills, mut late, mut begun) = (0, 0, None::<String>);
    loop {
        let mut command = pipeline.command();
        if let Some(run) = &begun {
            command.args(["--resume", run]);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        let left = if kills < 20 {
            Duration::from_micros(40_000 + random.below(60_000) + late)
        } else {
            Duration::from_secs(60)
        };
        if let Some(code) = wait(&mut child, left) {
            assert_eq!(code, Some(0));
            break;
        }
        let found = glob::glob(&format!("{}/*/run.json", pipeline.out().display())).expect("a pattern").next();
        // On a busy machine it may be killed before the run begins: then it gets more time.
        match found {
            Some(_) => kills += 1,
            None => late += 20_000,
        }
        begun = found.map(|path| name(path.expect("a path").parent().expect("a folder")));
    }
    assert!(kills >= 5, "only {kills} kills");
    same_outcome(&calm, &pipeline.out().join(begun.expect("a run")));
}

#[test]
fn further_trials_go_on_as_if_there_had_been_no_end() {
    let whole = Valley { count: 24, ..Valley::default() }.pipeline();
    let long = whole.run().expect_code(0).folder();
    let pipeline = Valley { count: 16, ..Valley::default() }.pipeline();
    let short = pipeline.run().expect_code(0).folder();
    assert_eq!(results(&short).len(), 16);
    let more = run(&pipeline, &["--resume", &name(&short), "--set", "input.count=24"]).expect_code(0);
    assert_eq!(more.json()["items"]["ok"], 24);
    same_outcome(&long, &short);
    let fewer = run(&pipeline, &["--resume", &name(&short), "--set", "input.count=10"]).expect_code(2);
    assert!(
        fewer.stderr.contains("has begun 24 trials, more than the 10 that `input.count` allows"),
        "{}",
        fewer.stderr
    );
    same_outcome(&long, &short);
}

#[test]
fn a_trial_that_is_damaged_on_the_record_is_made_again() {
    let pipeline = Valley::default().pipeline();
    let folder = pipeline.run().expect_code(0).folder();
    let whole = pipeline.run().expect_code(0).folder();
    let db = rusqlite::Connection::open(folder.join("store.sqlite")).expect("opened");
    let change = "UPDATE trials SET outcome = replace(outcome, 'place.loss', 'place.cost') WHERE item = 3";
    assert_eq!(db.execute(change, []).expect("changed"), 1);
    drop(db);
    let shown = run_command(jackfield().args(["front", &name(&folder), "--out"]).arg(pipeline.out())).expect_code(1);
    assert!(shown.stderr.contains("a trial (4) does not have its checksum"), "{}", shown.stderr);
    let again = run(&pipeline, &["--resume", &name(&folder)]).expect_code(0);
    assert_eq!(again.json()["search"]["complete"], 16);
    same_outcome(&whole, &folder);
}

#[test]
fn a_run_that_searches_something_else_is_no_resume() {
    let pipeline = Valley::default().pipeline();
    let folder = pipeline.run().expect_code(0).folder();
    let told = |set: &str| {
        let done = run(&pipeline, &["--resume", &name(&folder), "--set", set]).expect_code(2);
        pipeline.said(&done).replace(&name(&folder), "[run]")
    };
    let told =
        [told("search.in_flight=2"), told("search.with.candidates=9"), told("search.space.\"place.x\"=[0.25, 0.5]")];
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_left_out_of_a_pruned_trial_does_not_depend_on_how_fast_it_is() {
    let search = "use = \"odd/bounce\"\nmaximize = \"late.cost\"\nreport = [\"place.cost\", \"late.cost\"]".to_owned();
    let valley = Valley { search, stages: SLOW, ..Valley::default() };
    let pipeline = valley.pipeline();
    let folder = run(&pipeline, &["--jobs", "8"]).expect_code(0).folder();
    let states: Vec<_> = results(&folder)
        .iter()
        .map(|line| (line["state"].as_str().expect("a state").to_owned(), line["outputs"]["late"].is_object()))
        .collect();
    // The second stage reads nothing of the first one, and yet it waits for what that reports.
    assert_eq!(states[0], ("ok".to_owned(), true));
    assert!(states[1..].iter().all(|state| *state == ("pruned".to_owned(), false)), "{states:?}");
    let summary: Value = run_command(&mut pipeline.command()).expect_code(0).json();
    assert_eq!((&summary["items"]["pruned"], &summary["search"]["pruned"]), (&json!(15), &json!(15)));
}

#[test]
fn a_search_ends_when_it_is_enough_and_stays_at_its_end() {
    let search = "use = \"odd/bounce\"\nminimize = \"place.cost\"\nstop = { unchanged = 4 }".to_owned();
    let pipeline = Valley { search, ..Valley::default() }.pipeline();
    let first = pipeline.run().expect_code(0);
    let (folder, told) = (first.folder(), first.json());
    // The first trial is the best one.
    assert_eq!((&told["items"]["total"], &told["search"]["trials"]), (&json!(5), &json!(5)));
    assert_eq!(told["search"]["stopped"], "the best objective has not moved for 4 trials (`unchanged`)");
    assert_eq!(results(&folder).len(), 5);
    let again = run(&pipeline, &["--resume", &name(&folder)]).expect_code(0).json();
    assert_eq!((&again["items"]["total"], &again["search"]["stopped"]), (&json!(5), &told["search"]["stopped"]));
    // Other limits are other orders.
    let more = run(&pipeline, &["--resume", &name(&folder), "--set", "search.stop.unchanged=7"]).expect_code(0).json();
    assert_eq!(more["items"]["total"], 8);
}

#[test]
fn a_study_is_kept_and_a_run_goes_on_from_it() {
    let search =
        "use = \"odd/bounce\"\nminimize = \"place.loss\"\nstudy = \"valley\"\npoints = [{ \"place.x\" = 0.75, \
                  \"place.side\" = \"high\" }]"
            .to_owned();
    let pipeline = Valley { search, count: 6, ..Valley::default() }.pipeline();
    let first = pipeline.run().expect_code(0).folder();
    let x =
        |folder: &Path| params(folder).iter().map(|values| values["place.x"].as_f64().expect("x")).collect::<Vec<_>>();
    assert_eq!(
        x(&first),
        [0.75, 0.9 / 64.0, 0.9 * (2.0 / 64.0), 0.9 * (3.0 / 64.0), 0.9 * (4.0 / 64.0), 0.9 * (5.0 / 64.0)]
    );
    let second = pipeline.run().expect_code(0);
    assert_eq!(second.json()["search"]["before"], 6);
    // The point was tried, and six outcomes are known.
    assert_eq!(x(&second.folder())[0], 0.9 * (6.0 / 64.0));
    // A resume adds nothing twice.
    run(&pipeline, &["--resume", &name(&second.folder())]).expect_code(0);
    let third = run(&pipeline, &["--set", "input.count=1"]).expect_code(0);
    assert_eq!(third.json()["search"]["before"], 12);

    let told = |set: &str| {
        let done = run(&pipeline, &["--set", set]).expect_code(1);
        pipeline.said(&done)
    };
    insta::assert_snapshot!(
        [
            told("search.minimize=place.cost"),
            told("search.space.\"place.milliseconds\"={ choices = [0, 1], when = { \"place.side\" = \"low\" } }")
        ]
        .join("\n")
    );
}

#[test]
fn a_trial_that_got_no_values_keeps_no_other_from_its_study() {
    let search =
        "use = \"odd/bounce\"\nwith = { does = \"fail\" }\nminimize = \"place.loss\"\nstudy = \"valley\"".to_owned();
    let pipeline = Valley { search, count: 5, ..Valley::default() }.pipeline();
    pipeline.run().expect_code(3);
    let next = run(&pipeline, &["--set", "input.count=1"]).expect_code(0).json();
    assert_eq!(next["search"]["before"], 5);
}

#[test]
fn a_policy_that_misbehaves_costs_its_trial_and_no_other() {
    let mut told = Vec::new();
    for form in FORMS {
        for does in ["panic", "fail", "outside", "over"] {
            let search = format!("use = \"odd/bounce\"\nwith = {{ does = \"{does}\" }}\nminimize = \"place.loss\"");
            let pipeline = Valley { form, search, count: 5, ..Valley::default() }.pipeline();
            let done = pipeline.run();
            let folder = done.folder();
            let states: Vec<String> =
                results(&folder).iter().map(|line| line["state"].as_str().expect("a state").to_owned()).collect();
            let fault = results(&folder).iter().find_map(|line| line["fault"].as_str().map(without_place));
            told.push(format!(
                "{form} {does}: exit {:?}, {states:?}, {fault:?}, {}",
                done.code,
                done.json()["search"]["stopped"]
            ));
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn an_objective_that_is_no_number_fails_its_trial_and_says_so() {
    let stages = "[stages.place]\nuse = \"odd/landscape\"\nin = { trial = \"input.trial\" }\n\
                  with = { x = 0.5, null_at = [2], fail_at = [4] }";
    let pipeline = Valley { stages, count: 8, ..Valley::default() }.pipeline();
    let done = pipeline.run();
    let lines = results(&done.folder());
    let failed: Vec<_> =
        lines.iter().filter(|line| line["state"] != "ok").map(|line| (&line["item"], &line["fault"])).collect();
    insta::assert_snapshot!(format!(
        "exit {:?}\n{failed:?}\n{}\n{}",
        done.code,
        done.json()["search"],
        pipeline.said(&done).lines().skip(1).collect::<Vec<_>>().join("\n")
    ));
}

#[test]
fn a_search_of_which_every_trial_fails_says_that_nothing_was_learned() {
    let stages =
        "[stages.place]\nuse = \"odd/landscape\"\nin = { trial = \"input.trial\" }\nwith = { x = 0.5, fail = true }";
    let pipeline = Valley { stages, count: 4, ..Valley::default() }.pipeline();
    let mut command = jackfield();
    let done = run_command(command.arg("run").arg(pipeline.path()).arg("--out").arg(pipeline.out()));
    let last: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("search:")).collect();
    insta::assert_snapshot!(format!("exit {:?}\n{}", done.code, last.join("\n")));
}

#[test]
fn values_that_an_extension_refuses_cost_the_trial_alone() {
    let points = "points = [{ \"place.x\" = 0.95, \"place.side\" = \"high\" }]";
    let pipeline = Valley {
        search: format!("{TPE}\n{points}"),
        space: "\"place.x\" = { min = 0.0, max = 1.0 }\n\"place.side\" = [\"low\", \"high\"]",
        count: 4,
        ..Valley::default()
    }
    .pipeline();
    let done = pipeline.run().expect_code(3);
    let lines = results(&done.folder());
    assert_eq!(lines[0]["failures"]["place"][0]["message"], "there is no high side beyond 0.9");
    assert!(lines[1..].iter().any(|line| line["outputs"]["place"].is_object()), "{lines:#?}");
}
