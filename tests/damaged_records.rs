//! Records, caches and what routes have learned, damaged in many ways: each damage is noticed, or has no effect.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, EngineError, Event, Observer, Options, Silent, open_stages};
use jackfield_loader::{ExtensionEntry, Registry, sandbox::Limits};
use jackfield_pipeline::{Plan, Request};
use jackfield_plugin_api::{Failure, Instance, Kind, Random};
use jackfield_services::{Cache, TierParts, open_services};
use jackfield_store::{RunFolder, STORE, StoreError, peek, read_record};
use rusqlite::Connection;

use crate::support::{Pipeline, SmallFileSystem, claim_stages, jackfield, outcome, results, run_command, same_outcome};

/// A run of every kind of row, but for routes: its pipeline, its plan, and its folder.
struct Whole {
    pipeline: Pipeline,
    registry: Registry,
    plan: Plan,
    folder: PathBuf,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let items: Vec<String> = (0..8).map(|number| format!("{{ claim = \"Claim {number}.\" }}")).collect();
    let stages = claim_stages(50);
    let text = format!(
        r#"
[pipeline]
name = "small"
[input]
use = "inline"
items = [{}]
[output]
item_files = true
files = {{ "claim.txt" = "input.claim" }}
[model.judge]
use = "mock"
price = {{ input = 1.0, output = 2.0 }}
{stages}[stages.estimate]
use = "claim-estimate"
in = {{ plan = "plan", samples = "sample" }}
"#,
        items.join(", ")
    );
    let pipeline = Pipeline::new(&text).with_bank();
    let folder = pipeline.run().expect_code(0).folder();
    let registry = Registry::new(vec![bundled()]);
    let path = pipeline.path().join("pipeline.toml");
    let draft = jackfield_pipeline::parse(Request { path: &path, set: &[], input: &[] }).expect("a draft");
    let plan = jackfield_pipeline::check(&draft, &registry).expect("a plan");
    Whole { pipeline, registry, plan, folder }
});

impl Whole {
    /// The run once more, in a folder of its own.
    fn copy(&self) -> (tempfile::TempDir, PathBuf) {
        let out = tempfile::tempdir().expect("a folder");
        let copy = out.path().join(self.folder.file_name().expect("a name"));
        for (name, content) in crate::support::tree(&self.folder) {
            let path = copy.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, content).expect("written");
        }
        (out, copy)
    }

    /// Goes on with a copy.
    fn resume(&self, folder: &Path) -> Result<(), EngineError> {
        self.resume_seen(folder, &mut Silent)
    }

    fn resume_seen(&self, folder: &Path, observer: &mut dyn Observer) -> Result<(), EngineError> {
        let held = RunFolder::hold(folder.to_owned())?;
        let run = held.read_run()?;
        let services = open_services(&self.plan, &self.registry).expect("services");
        let instances = open_stages(&self.plan, &self.registry).expect("stages");
        let options = Options { jobs: 2, retry_failed: false, ..Options::default() };
        let engine =
            Engine { plan: &self.plan, registry: &self.registry, instances, services, inputs: &BundledInputs, options };
        engine.run(held, run, &Cancel::default(), observer).map(drop)
    }

    /// Looks at a copy as those commands do that show something of it.
    fn look(folder: &Path) -> Result<(), StoreError> {
        let (_, run) = peek(folder.parent().expect("a folder"), &folder.to_string_lossy())?;
        read_record(folder, &run)?.verify(&run)
    }
}

/// Copies a run's folder at the first event: as it would be if the process were killed there.
struct Snapshot {
    of: PathBuf,
    to: PathBuf,
    taken: bool,
}

impl Observer for Snapshot {
    fn on(&mut self, _event: &Event<'_>) {
        if !std::mem::replace(&mut self.taken, true) {
            for (name, content) in crate::support::tree(&self.of) {
                let path = self.to.join(name);
                fs::create_dir_all(path.parent().expect("a folder")).expect("made");
                fs::write(path, content).expect("written");
            }
        }
    }
}

/// What is shown of a record: everything but times.
fn shown(folder: &Path) -> String {
    let (_, run) = peek(folder, &folder.to_string_lossy()).expect("run.json");
    let db = read_record(folder, &run).expect("a record");
    let spend = (db.spent().expect("spent"), db.spend_by_stage().expect("spent"));
    let counts = (db.item_counts().expect("items"), db.stage_counts().expect("stages"));
    format!("{:?} {spend:?} {counts:?} {:?}", run.plan.digest, run.summary)
}

/// Damages one of the files of a run, and says how.
fn damage(folder: &Path, random: &mut Random) -> String {
    let files = [STORE, STORE, STORE, STORE, "run.json", "results.jsonl", "items/1/estimate.json", "items/4/claim.txt"];
    let name = files[random.below(files.len() as u64) as usize];
    let path = folder.join(name);
    let mut bytes = fs::read(&path).expect("a file");
    let length = bytes.len() as u64;
    let at = random.below(length) as usize;
    let what = match random.below(8) {
        0..4 => {
            let bit = random.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        4 => {
            let from = at / 4096 * 4096;
            let end = bytes.len().min(from + 4096);
            bytes[from..end].fill(0);
            format!("page at {from} zeroed")
        }
        5 => {
            let (from, other) = (at / 4096 * 4096, random.below(length.div_ceil(4096)) as usize * 4096);
            let size = 4096.min(bytes.len() - from).min(bytes.len() - other);
            let page = bytes[from..from + size].to_vec();
            bytes.copy_within(other..other + size, from);
            bytes[other..other + size].copy_from_slice(&page);
            format!("pages at {from} and {other} swapped")
        }
        6 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        _ => {
            bytes[at..].iter_mut().take(16).for_each(|byte| *byte = random.below(256) as u8);
            format!("16 bytes at {at} written over")
        }
    };
    fs::write(&path, bytes).expect("written");
    format!("{name}: {what}")
}

#[test]
fn a_hundred_damages_of_a_run_are_noticed_or_without_effect() {
    let whole = &*WHOLE;
    let before = shown(&whole.folder);
    let (mut noticed, mut mended, mut refused) = (0, 0, 0);
    // Where things lie in the file differs from run to run, and so does what a damage hits: more are made until enough do.
    for seed in 0..1000 {
        if seed >= 100 && noticed >= 40 && mended >= 30 {
            break;
        }
        let (_out, copy) = whole.copy();
        let what = damage(&copy, &mut Random::new(seed));
        match Whole::look(&copy) {
            Err(_) => noticed += 1,
            // What is not noticed is not there.
            Ok(()) => assert_eq!(shown(&copy), before, "{seed}: {what}"),
        }
        match whole.resume(&copy) {
            Err(_) => refused += 1,
            Ok(()) => {
                mended += 1;
                let (calm, other) = (outcome(&whole.folder), outcome(&copy));
                assert!(calm == other, "{seed}: {what}: the results are others");
                Whole::look(&copy).unwrap_or_else(|error| panic!("{seed}: {what}: not mended: {error}"));
            }
        }
    }
    assert!(noticed >= 40, "{noticed} noticed: most of these damages hit something");
    assert!(mended >= 30, "{mended} made again, {refused} refused");
}

/// Changes the record of a copy.
fn sql(folder: &Path, sql: &str) {
    Connection::open(folder.join(STORE)).and_then(|db| db.execute_batch(sql)).expect(sql);
}

#[test]
fn a_damaged_row_is_made_again_and_reported() {
    let whole = &*WHOLE;
    for (change, told) in [
        (
            "UPDATE results SET output = replace(output, '0.', '1.') WHERE stage = 2 AND item = 3",
            "the result of stage `estimate` for item 4",
        ),
        ("UPDATE items SET id = 'other' WHERE idx = 1", "an item (2)"),
        ("UPDATE items SET state = 'failed' WHERE idx = 1", "the end of an item (2)"),
        ("UPDATE model_calls SET tokens_in = 1 WHERE seq = 2", "a completion"),
        ("UPDATE sessions SET began = '1999-01-01T00:00:00.000Z'", "a session"),
        ("UPDATE events SET event = '{}' WHERE seq = 1", "an event"),
        (
            "DELETE FROM items WHERE idx = 99; UPDATE results SET took_us = took_us + 1 WHERE stage = 0 AND item = 7",
            "stage `plan` for item 8",
        ),
        // A row with the content of another.
        (
            "UPDATE results SET output = (SELECT output FROM results AS other WHERE other.stage = results.stage AND other.item = 1 - results.item AND other.call = results.call) WHERE item < 2 AND stage = 2",
            "the result of stage `estimate` for item 1",
        ),
    ] {
        let (out, copy) = whole.copy();
        sql(&copy, change);
        let shown = run_command(jackfield().args(["runs", "show", "last", "--out"]).arg(out.path())).expect_code(1);
        assert!(shown.stdout.is_empty() && shown.stderr.contains(told), "{change}: {}", shown.stderr);
        assert!(shown.stderr.contains("hint: go on with the run (--resume)"), "{}", shown.stderr);
        whole.resume(&copy).unwrap_or_else(|error| panic!("{change}: {error}"));
        same_outcome(&whole.folder, &copy);
        Whole::look(&copy).unwrap_or_else(|error| panic!("{change}: {error}"));
    }
    // What was killed while it was made again goes on, too.
    let (out, copy) = whole.copy();
    sql(&copy, "UPDATE results SET output = '{}' WHERE stage = 2 AND item = 3");
    let killed = out.path().join("killed").join(copy.file_name().expect("a name"));
    let mut observer = Snapshot { of: copy.clone(), to: killed.clone(), taken: false };
    whole.resume_seen(&copy, &mut observer).expect("mended");
    assert!(observer.taken);
    whole.resume(&killed).expect("it goes on");
    same_outcome(&whole.folder, &killed);
    // The program says so.
    let (out, copy) = whole.copy();
    sql(&copy, "UPDATE results SET output = '{}' WHERE stage = 2 AND item = 3");
    let resume = |copy: &Path| {
        run_command(
            jackfield().arg("run").arg(whole.pipeline.path()).arg("--out").arg(out.path()).arg("--resume").arg(copy),
        )
    };
    let resumed = resume(&copy).expect_code(0);
    assert!(
        resumed.stderr.contains("the record is damaged: the result of stage `estimate` for item 4"),
        "{}",
        resumed.stderr
    );
    fs::write(copy.join("items/2/plan.json"), "{}").expect("written");
    let resumed = resume(&copy).expect_code(0);
    assert!(resumed.stderr.contains("items/2` are not as they were written"), "{}", resumed.stderr);
    same_outcome(&whole.folder, &copy);
    let again = resume(&copy).expect_code(0);
    assert!(!again.stderr.contains("again"), "{}", again.stderr);
}

#[test]
fn a_record_that_is_not_the_runs_is_refused_before_anything_is_paid_again() {
    let whole = &*WHOLE;
    let refused = |change: &dyn Fn(&Path)| {
        let (_out, copy) = whole.copy();
        change(&copy);
        let looked = Whole::look(&copy).expect_err("refused").to_string();
        let resumed = whole.resume(&copy).expect_err("refused");
        assert_eq!(resumed.to_string(), looked);
        let path = copy.to_string_lossy().into_owned();
        format!("{looked}\nhint: {}", resumed.hint().unwrap_or_default()).replace(&path, "RUN")
    };
    let other = whole.pipeline.run().expect_code(0).folder();
    let told = [
        refused(&|copy| sql(copy, "DELETE FROM results; DELETE FROM items; DELETE FROM model_calls;")),
        refused(&|copy| sql(copy, "DELETE FROM results")),
        refused(&|copy| fs::remove_file(copy.join(STORE)).expect("removed")),
        refused(&|copy| fs::copy(other.join(STORE), copy.join(STORE)).map(drop).expect("copied")),
        refused(&|copy| sql(copy, "PRAGMA user_version = 7")),
        refused(&|copy| {
            let text = fs::read_to_string(copy.join("run.json")).expect("read");
            fs::write(copy.join("run.json"), text.replacen("\"format\": 2", "\"format\": 3", 1)).expect("written");
        }),
        refused(&|copy| {
            let text = fs::read_to_string(copy.join("run.json")).expect("read");
            fs::write(copy.join("run.json"), text.replace("\"total\": 8", "\"total\": 9")).expect("written");
        }),
        refused(&|copy| {
            let text = fs::read(copy.join("run.json")).expect("read");
            fs::write(copy.join("run.json"), &text[..text.len() / 2]).expect("written");
        }),
    ];
    let fewer = refused(&|copy| sql(copy, "DELETE FROM events WHERE seq = (SELECT MAX(seq) FROM events)"));
    assert!(fewer.contains("events, `run.json` counts"), "{fewer}");
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let told = told.join("\n\n").replace(&name(&other), "OTHER").replace(&name(&whole.folder), "MINE");
    // Where a file that was cut ends depends on the times in it.
    let cut = |line: &str| {
        line.split_once("EOF while parsing").map_or(line.to_owned(), |(before, _)| format!("{before}EOF …"))
    };
    insta::assert_snapshot!(told.lines().map(cut).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_record_of_an_older_program_is_read_and_brought_up_to_date() {
    let whole = &*WHOLE;
    let (out, copy) = whole.copy();
    // As the program before wrote it: the tables without what came since, and `run.json` without a checksum.
    let dropped: String = [
        ("sessions", "sum"),
        ("sessions", "end_sum"),
        ("items", "sum"),
        ("items", "rows"),
        ("items", "rows_sum"),
        ("items", "files_sum"),
        ("items", "end_sum"),
        ("results", "sum"),
        ("model_calls", "open"),
        ("model_calls", "sum"),
        ("events", "sum"),
        ("routes", "sum"),
        ("route_starts", "sum"),
    ]
    .map(|(table, column)| format!("ALTER TABLE {table} DROP COLUMN {column};"))
    .concat();
    let indices = "DROP INDEX IF EXISTS model_calls_by_item; DROP INDEX IF EXISTS lookups_by_item;";
    sql(
        &copy,
        &format!(
            "{indices} DROP TABLE meta; DROP TABLE lookups; DROP TABLE trials; DROP TABLE exchanges; DROP TABLE completion_tokens; DROP TABLE item_values; {dropped} PRAGMA user_version = 2;"
        ),
    );
    let text = fs::read_to_string(copy.join("run.json")).expect("read");
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("  \"checksum\"")).collect();
    lines[1] = "  \"format\": 1,";
    fs::write(copy.join("run.json"), lines.join("\n")).expect("written");

    let before = fs::read(copy.join(STORE)).expect("read");
    let show = run_command(jackfield().args(["runs", "show", "last", "--json", "--out"]).arg(out.path()))
        .expect_code(0)
        .json();
    assert_eq!(show["items"]["ok"], 8);
    assert_eq!(show["spend"]["sample"]["calls"], 24);
    assert!(fs::read(copy.join(STORE)).expect("read") == before, "to look is not to change");

    whole.resume(&copy).expect("it goes on");
    same_outcome(&whole.folder, &copy);
    Whole::look(&copy).expect("it has checksums now");
    sql(&copy, "UPDATE results SET output = '{}' WHERE item = 0");
    Whole::look(&copy).expect_err("and they are looked at");
}

#[test]
fn readers_make_and_change_nothing_and_need_no_place_to_write() {
    let whole = &*WHOLE;
    let (out, copy) = whole.copy();
    let before = crate::support::tree(out.path());
    run_command(jackfield().args(["runs", "show", "last", "--out"]).arg(out.path())).expect_code(0);
    run_command(jackfield().args(["runs", "show", "last", "--item", "1", "--json", "--out"]).arg(out.path()))
        .expect_code(0);
    let page = tempfile::NamedTempFile::new().expect("a file");
    let report = &mut jackfield();
    run_command(report.args(["report", "last", "--output"]).arg(page.path()).arg("--out").arg(out.path()))
        .expect_code(0);
    assert!(crate::support::tree(out.path()) == before, "something was written");

    // What a killed process leaves behind: a write-ahead log that was not taken over.
    let killed = Connection::open(copy.join(STORE)).expect("opened");
    killed
        .execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 6; CREATE TABLE other (number);")
        .expect("written");
    let mounted = tempfile::tempdir().expect("a folder");
    let Some(_disk) = SmallFileSystem::mount(mounted.path(), "4m") else { return };
    let run = mounted.path().join(copy.file_name().expect("a name"));
    fs::create_dir(&run).expect("made");
    for name in ["run.json", STORE, "store.sqlite-wal"] {
        fs::copy(copy.join(name), run.join(name)).expect("copied");
    }
    let remount = ["-o", "remount,ro"];
    let status = std::process::Command::new("mount").args(remount).arg(mounted.path()).status().expect("mount");
    assert!(status.success());
    let show =
        run_command(jackfield().args(["runs", "show", "last", "--json", "--out"]).arg(mounted.path())).expect_code(0);
    assert_eq!(show.json()["items"]["ok"], 8);
    let told = run_command(jackfield().args(["report", "last", "--out"]).arg(mounted.path())).expect_code(1);
    assert!(told.stderr.contains("failed to write"), "{}", told.stderr);
}

#[test]
fn no_link_in_the_folder_of_a_run_is_followed() {
    let whole = &*WHOLE;
    for name in
        [".lock", "run.json", STORE, "store.sqlite-wal", "store.sqlite-shm", "items", "results.jsonl", "calls", "run"]
    {
        let (out, copy) = whole.copy();
        let outside = out.path().join("outside");
        fs::create_dir(&outside).expect("made");
        let target = outside.join("target");
        if ["items", "calls", "run"].contains(&name) {
            fs::create_dir(&target).expect("made");
        } else {
            fs::write(&target, fs::read(copy.join(name)).unwrap_or_else(|_| b"precious".to_vec())).expect("written");
        }
        let _ = fs::remove_dir_all(copy.join(name)).or_else(|_| fs::remove_file(copy.join(name)));
        symlink(&target, copy.join(name)).expect("a link");
        let before = crate::support::tree(&outside);
        let looked = Whole::look(&copy).expect_err(name).to_string();
        assert!(looked.contains("is a symbolic link"), "{name}: {looked}");
        let resumed = whole.resume(&copy).expect_err(name).to_string();
        assert!(resumed.contains("is a symbolic link"), "{name}: {resumed}");
        assert!(crate::support::tree(&outside) == before, "{name}: it was followed");
    }
    // Deeper down, and where a file is made before it has its name.
    let (out, copy) = whole.copy();
    let outside = out.path().join("outside");
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("file"), "precious").expect("written");
    fs::remove_dir_all(copy.join("items/2")).expect("removed");
    symlink(&outside, copy.join("items/2")).expect("a link");
    assert!(whole.resume(&copy).expect_err("refused").to_string().contains("items/2` is a symbolic link"));
    fs::remove_file(copy.join("items/2")).expect("removed");
    symlink(outside.join("file"), copy.join("items/3/.plan.json.tmp")).expect("a link");
    fs::remove_file(copy.join("items/3/plan.json")).expect("removed");
    // The item fails, or is made again without the link; what it leads to is left alone.
    whole.resume(&copy).expect("the run goes on");
    assert_eq!(fs::read_to_string(outside.join("file")).expect("read"), "precious");
    assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 1);
}

#[test]
fn what_is_no_regular_file_in_a_run_is_refused_and_never_waited_for() {
    let whole = &*WHOLE;
    let fifo = |path: &Path| {
        let _ = fs::remove_file(path);
        assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
    };
    for name in [".lock", "run.json", STORE, "store.sqlite-wal", "store.sqlite-shm", "store.sqlite-journal"] {
        let (_out, copy) = whole.copy();
        fifo(&copy.join(name));
        if name != ".lock" {
            assert!(Whole::look(&copy).is_err(), "{name}");
        }
        let resumed = whole.resume(&copy).expect_err(name).to_string();
        assert!(resumed.contains(name) && resumed.contains("not a regular file"), "{name}: {resumed}");
    }
    // What a file is written to before it has its name.
    let (_out, copy) = whole.copy();
    fifo(&copy.join(".run.json.tmp"));
    assert!(whole.resume(&copy).expect_err("refused").to_string().contains("run.json"));
}

#[test]
fn a_folder_that_is_removed_under_way_does_not_end_well() {
    let out = tempfile::tempdir().expect("a folder");
    let quiet = std::process::Stdio::null;
    let mut command = jackfield();
    command
        .arg("run")
        .arg(WHOLE.pipeline.path())
        .arg("--out")
        .arg(out.path())
        .args(["--set", "model.judge.with.latency_ms=500"]);
    let mut child = command.stdout(quiet()).stderr(quiet()).spawn().expect("started");
    let began = std::time::Instant::now();
    let folder = loop {
        let found = fs::read_dir(out.path()).into_iter().flatten().flatten().next().map(|entry| entry.path());
        if let Some(found) = found.filter(|found| found.join("run.json").exists()) {
            break found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no run");
        std::thread::sleep(Duration::from_millis(2));
    };
    let _ = fs::remove_dir_all(&folder).or_else(|_| fs::remove_dir_all(&folder));
    let ended = crate::support::wait(&mut child, Duration::from_secs(60)).flatten();
    assert_eq!(ended, Some(1));
    assert!(!folder.join("results.jsonl").exists());
}

/// A cache over a SQLite file.
fn cache(path: &Path) -> Result<Cache, Failure> {
    let of = |entry: &&ExtensionEntry| entry.descriptor.kind == Kind::CacheBackend && entry.descriptor.name == "sqlite";
    let plugin = bundled();
    let entry = plugin.extensions.iter().find(of).expect("the backend");
    let config = serde_json::json!({ "path": path }).to_string();
    let instance: Arc<dyn Instance> = entry.factory.open(&config, &Limits::default())?;
    let tier = TierParts {
        name: "sqlite".to_owned(),
        linkage: plugin.linkage,
        instance,
        grants: Arc::default(),
        ttl: None,
        limits: Limits::of_cache(),
    };
    Ok(Cache::new("c", vec![tier], &Arc::default()).expect("a cache backend"))
}

#[tokio::test]
async fn a_hundred_damages_of_a_cache_give_no_wrong_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole.sqlite");
    let filled = cache(&whole).expect("a cache");
    let value = |number: u64| format!("{number}: ").repeat(20 + number as usize).into_bytes();
    for number in 0..60 {
        filled.put(&format!("key {number}"), &value(number), None).await;
    }
    drop(filled);
    let bytes = fs::read(&whole).expect("read");
    let (mut lost, mut unusable) = (0, 0);
    for seed in 0..100 {
        let mut random = Random::new(seed);
        let path = folder.path().join(format!("{seed}.sqlite"));
        let mut damaged = bytes.clone();
        for _ in 0..1 + random.below(8) {
            let at = random.below(damaged.len() as u64) as usize;
            damaged[at] ^= 1 << random.below(8);
        }
        if random.below(10) == 0 {
            damaged.truncate(random.below(bytes.len() as u64) as usize);
        }
        fs::write(&path, damaged).expect("written");
        let Ok(found) = cache(&path) else {
            unusable += 1;
            continue;
        };
        for number in 0..60 {
            match found.get(&format!("key {number}")).await {
                Some((found, _)) => assert!(found[..] == value(number)[..], "{seed}: key {number} has another value"),
                None => lost += 1,
            }
        }
        // What was lost is put again, and is there.
        found.put("key 0", &value(0), None).await;
        if let Some((again, _)) = found.get("key 0").await {
            assert!(again[..] == value(0)[..], "{seed}");
        }
        let _ = fs::remove_file(&path);
    }
    assert!(lost > 0 && unusable < 60, "{lost} lost, {unusable} unusable");
}

#[test]
fn a_cache_that_is_no_cache_does_not_stop_a_run_and_doctor_names_it() {
    let pipeline = Pipeline::new(
        "[pipeline]\nname = \"cached\"\n[input]\nuse = \"inline\"\nitems = [{ text = \"Ann: yes.\" }]\n\
         [cache.kept]\ntiers = [{ use = \"sqlite\", with = { path = \"kept.sqlite\" } }]\n\
         [stages.turns]\nuse = \"transcript\"\nin = { text = \"input.text\" }\ncache = \"kept\"\n",
    );
    let calm = pipeline.run().expect_code(0);
    let file = pipeline.path().join("kept.sqlite");
    let doctor = || run_command(jackfield().arg("doctor").arg(pipeline.path())).stdout;
    let warned_of = |what: &str| {
        let told = doctor();
        told.lines().any(|line| line.trim_start().starts_with("warning ") && line.contains(what))
    };
    // What it takes on disk is told of any cache.
    assert!(doctor().contains("kept.sqlite`: ") && !warned_of("kept.sqlite"), "{}", doctor());
    let mut bytes = fs::read(&file).expect("read");
    // Ours, and damaged inside: set aside, and made anew.
    bytes[100..4096].fill(0xa5);
    fs::write(&file, &bytes).expect("written");
    assert!(warned_of("kept.sqlite` is damaged"), "{}", doctor());
    let set_aside = pipeline.run().expect_code(0);
    assert!(set_aside.stderr.contains("kept.sqlite.damaged"), "{}", set_aside.stderr);
    assert!(fs::read(pipeline.path().join("kept.sqlite.damaged")).expect("it is there") == bytes);
    assert_eq!(pipeline.run().json()["stages"]["turns"]["memo_hits"], 1);
    // Anything else is left alone, and named.
    fs::write(&file, "my notes, which are no database at all, and long enough to look at ".repeat(20))
        .expect("written");
    let named = pipeline.run().expect_code(0);
    assert!(named.stderr.contains("kept.sqlite` is not a SQLite file"), "{}", named.stderr);
    assert!(warned_of("kept.sqlite` is not a SQLite file"), "{}", doctor());
    assert!(fs::read_to_string(&file).expect("read").starts_with("my notes"));
    assert_eq!(results(&calm.folder()), results(&named.folder()));
    // A FIFO is not waited for.
    fs::remove_file(&file).expect("removed");
    let log = pipeline.path().join("kept.sqlite-wal");
    let _ = fs::remove_file(&log);
    assert!(std::process::Command::new("mkfifo").arg(&log).status().expect("mkfifo").success());
    let passed_over = pipeline.run().expect_code(0);
    assert!(passed_over.stderr.contains("kept.sqlite-wal` is not a regular file"), "{}", passed_over.stderr);
    assert_eq!(results(&calm.folder()), results(&passed_over.folder()));
    fs::write(&file, "").expect("written");
    let _ = fs::set_permissions(&file, fs::Permissions::from_mode(0o600));
}
