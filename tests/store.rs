//! The record under bad conditions.

use std::{fs, path::Path};

use crate::support::{CommandOutput, SmallFileSystem, jackfield, outcome, root, run_command};

fn run(out: &Path, more: &[&str]) -> CommandOutput {
    let mut command = jackfield();
    command.arg("run").arg(root().join("examples/transcripts")).args(["--json", "--out"]).arg(out).args(more);
    run_command(&mut command)
}

#[test]
fn a_full_disk_stops_the_run_clearly_and_it_can_be_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = SmallFileSystem::mount(folder.path(), "400k") else { return };
    let out = folder.path().join("runs");
    let full = run(&out, &[]).expect_code(1);
    assert!(full.stderr.contains("error: the disk is full at `"), "{}", full.stderr);
    assert!(
        full.stderr.contains("hint: free some space and go on with --resume: nothing finished is lost"),
        "{}",
        full.stderr
    );

    disk.grow("100m");
    let resumed = run(&out, &["--resume", "last"]).expect_code(0);
    let calm_out = tempfile::tempdir().expect("a folder");
    let calm = run(calm_out.path(), &[]).expect_code(0);
    assert!(outcome(&calm.folder()) == outcome(&resumed.folder()), "the results differ from an undisturbed run's");
}

#[test]
fn a_run_in_use_by_another_process_is_left_alone() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = run(out.path(), &[]).expect_code(0).folder();
    let held = jackfield_store::RunFolder::open(out.path(), &folder.to_string_lossy()).expect("the run");
    let second = run(out.path(), &["--resume", "last"]).expect_code(1);
    assert!(second.stderr.contains("is in use by another process"), "{}", second.stderr);
    drop(held);
    run(out.path(), &["--resume", "last"]).expect_code(0);
}

#[test]
fn a_damaged_record_is_reported_and_not_deleted() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = run(out.path(), &[]).expect_code(0).folder();
    let file = folder.join("store.sqlite");
    for side in ["store.sqlite-wal", "store.sqlite-shm"] {
        let _ = fs::remove_file(folder.join(side));
    }
    fs::write(&file, "this is no database, and it is long enough to be looked at as if it were one").expect("written");
    let damaged = run(out.path(), &["--resume", "last"]).expect_code(1);
    assert!(damaged.stderr.contains("is damaged: "), "{}", damaged.stderr);
    assert!(damaged.stderr.contains("hint: nothing was deleted"), "{}", damaged.stderr);
    assert!(file.is_file());
}

#[test]
fn runs_are_listed_and_shown() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = run(out.path(), &[]).expect_code(0).folder();
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let list = run_command(jackfield().args(["runs", "list", "--json", "--out"]).arg(out.path())).expect_code(0).json();
    assert_eq!(list["runs"][0]["run"], name.as_str());
    assert_eq!(list["runs"][0]["state"], "complete");
    let show = run_command(jackfield().args(["runs", "show", "last", "--json", "--out"]).arg(out.path()))
        .expect_code(0)
        .json();
    assert_eq!(show["items"]["ok"], 6);
    assert_eq!(show["stages"]["brief"]["ok"], 6);
    let none = run_command(jackfield().args(["runs", "show", "nothing", "--out"]).arg(out.path())).expect_code(1);
    assert!(none.stderr.contains("error: there is no run `nothing` in `"), "{}", none.stderr);
}
