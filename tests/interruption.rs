//! Runs that are stopped in the middle, gently or not.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use jackfield_plugin_api::Random;
use jackfield_store::{Answer, Db};

use crate::support::{jackfield, meetings, root, run_command, same_outcome, wait};

/// Enough meetings to be in the middle of for a while: several copies of those that there are.
/// At least so many meetings, and so many bytes in all.
fn many_meetings(folder: &Path, least: usize, whole: u64) -> String {
    let files: Vec<PathBuf> = glob::glob(&meetings()).expect("a pattern").map(|path| path.expect("a path")).collect();
    let bytes: u64 = files.iter().map(|file| fs::metadata(file).expect("a file").len()).sum();
    let copies = least.div_ceil(files.len()).max((whole / bytes.max(1)).min(60) as usize);
    for copy in 0..copies {
        for file in &files {
            let name = format!("{copy}-{}", file.file_name().expect("a name").to_string_lossy());
            fs::copy(file, folder.join(name)).expect("copied");
        }
    }
    folder.join("*").to_string_lossy().into_owned()
}

fn command(input: &str, out: &Path, more: &[&str]) -> Command {
    let mut command = jackfield();
    command
        .arg("run")
        .arg(root().join("examples/transcripts"))
        .args(["--json", "--input", input, "--out"])
        .arg(out)
        .args(more);
    command
}

/// The calls on the record that were answered: (item, stage, call) and the session that made them.
fn answered(run: &Path) -> BTreeMap<(i64, u32, u32), i64> {
    let db = Db::open(&run.join("store.sqlite")).expect("the record");
    let mut items = vec![-1];
    db.each_item(|item| {
        items.push(item.index as i64);
        Ok(())
    })
    .expect("items");
    let mut found = BTreeMap::new();
    for item in items {
        for row in db.results(item).expect("results") {
            if matches!(row.answer, Answer::Ok { .. }) {
                found.insert((item, row.stage, row.call), row.session);
            }
        }
    }
    found
}

#[test]
fn twenty_kills_lose_nothing_and_repeat_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let input_folder = folder.path().join("input");
    fs::create_dir(&input_folder).expect("made");
    let input = many_meetings(&input_folder, 120, 12_000_000);
    let calm = run_command(&mut command(&input, &folder.path().join("calm"), &[])).expect_code(0);

    let out = folder.path().join("killed");
    let mut random = Random::new(20_26);
    let mut before = BTreeMap::new();
    let mut cut_short = 0;
    for kill in 0..20 {
        let more: &[&str] = if kill == 0 { &[] } else { &["--resume", "last"] };
        let mut child =
            command(&input, &out, more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        // The first is left alone until it has a record to resume.
        while kill == 0 && glob::glob(&format!("{}/*/store.sqlite", out.display())).expect("a pattern").next().is_none()
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        let moment = Duration::from_micros(random.below(250_000));
        if wait(&mut child, moment).is_none() {
            cut_short += 1;
        }
        let run =
            glob::glob(&format!("{}/*", out.display())).expect("a pattern").next().expect("a run").expect("a path");
        let now = answered(&run);
        for (call, session) in &before {
            assert_eq!(now.get(call), Some(session), "kill {kill}: a finished call was lost or made again: {call:?}");
        }
        before = now;
    }
    assert!(cut_short >= 10, "only {cut_short} of 20 kills came before the end: the input is too small");

    let last = run_command(&mut command(&input, &out, &["--resume", "last"])).expect_code(0);
    let (summary, run) = (last.json(), last.folder());
    let after = answered(&run);
    for (call, session) in &before {
        assert_eq!(after.get(call), Some(session), "a finished call was made again: {call:?}");
    }
    // The calls that the last session made are those on the record in its name, no more.
    let newest = after.values().max().copied().unwrap_or_default();
    let made: u64 = summary["session"]["stages"]
        .as_object()
        .expect("stages")
        .values()
        .map(|stage| stage["calls"].as_u64().expect("calls"))
        .sum();
    let recorded = after.values().filter(|session| **session == newest).count() as u64;
    if made > 0 {
        assert_eq!(made, recorded);
    }
    let all: u64 = calm.json()["stages"]
        .as_object()
        .expect("stages")
        .values()
        .map(|stage| stage["calls"].as_u64().expect("calls"))
        .sum();
    assert_eq!(after.len() as u64, all, "each call is on the record once");
    same_outcome(&calm.folder(), &run);
}

#[test]
fn ctrl_c_ends_what_is_under_way_and_the_run_can_be_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let input_folder = folder.path().join("input");
    fs::create_dir(&input_folder).expect("made");
    let input = many_meetings(&input_folder, 30, 1_000_000);
    // On a busy machine a run may be at its end before the signal is there: then it is tried again.
    let resumed = (0..20).find_map(|attempt| {
        let out = folder.path().join(format!("runs-{attempt}"));
        let mut child =
            command(&input, &out, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        while glob::glob(&format!("{}/*/items/*", out.display())).expect("a pattern").next().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
        assert!(interrupted.success());
        let code = wait(&mut child, Duration::from_secs(60)).flatten();
        assert!(code == Some(130) || code == Some(0), "{code:?}");
        let resumed = run_command(&mut command(&input, &out, &["--resume", "last"])).expect_code(0);
        let stages = resumed.json()["session"]["stages"].clone();
        let taken =
            stages.as_object().expect("stages").values().filter_map(|stage| stage["calls"].as_u64()).sum::<u64>();
        (code == Some(130) && taken > 0).then_some(resumed)
    });
    let resumed = resumed.expect("no run was interrupted before its end");
    let summary = resumed.json();
    assert_eq!(summary["items"]["ok"], summary["items"]["total"]);
    let calm = run_command(&mut command(&input, &folder.path().join("calm"), &[])).expect_code(0);
    same_outcome(&calm.folder(), &resumed.folder());
}

#[test]
fn a_changed_input_or_pipeline_is_not_resumed_silently() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.txt");
    fs::write(&file, "").expect("written");
    let out = folder.path().join("runs");
    let input = file.to_string_lossy().into_owned();
    run_command(&mut command(&input, &out, &[])).expect_code(1);

    fs::write(&file, "Ann: We decided to ship on Friday.\nBob: Good.\n").expect("written");
    let changed = run_command(&mut command(&input, &out, &["--resume", "last"])).expect_code(1);
    assert!(changed.stderr.contains("error: item `a` has changed since run `"), "{}", changed.stderr);
    assert!(changed.stderr.contains("hint: start a new run, or restore the input"), "{}", changed.stderr);

    let other =
        run_command(&mut command(&input, &out, &["--resume", "last", "--set", "stages.brief.with.budget=4000"]))
            .expect_code(2);
    assert!(
        other.stderr.contains("stage `brief`: its `with` table changed: `budget` was 8000, now it is 4000"),
        "{}",
        other.stderr
    );
}
