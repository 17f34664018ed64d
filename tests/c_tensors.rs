//! A plugin in C reads tensors a slice at a time and makes one, natively under the host for its tests and as a component.

use std::{fs, path::Path, process::Command, time::Duration};

use crate::support::{jackfield, root, run_command, run_command_within};

/// What building may take.
const LONGEST: Duration = Duration::from_secs(600);

#[test]
fn tensors_by_reference_are_read_and_made_in_c() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("centre");
    let mut new = jackfield();
    new.args(["plugins", "new", "centre", "--lang", "c", "--dir"]).arg(&folder);
    run_command(&mut new).expect_code(0);
    for entry in fs::read_dir(root().join("tests/c_tensors")).expect("sources") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("copied");
    }
    let run =
        |program: &str| run_command_within(Command::new(Path::new(".").join(program)).current_dir(&folder), LONGEST);

    let tested = run("test").expect_code(0);
    assert_eq!(tested.stdout.lines().last(), Some("ok"), "{}{}", tested.stdout, tested.stderr);

    run("build").expect_code(0);
    let mut test = jackfield();
    test.args(["plugins", "test", "centre.wasm", "--quick", "--json"]).current_dir(&folder);
    let report = run_command(&mut test).expect_code(0).json();
    assert_eq!(report["level"], "sandbox-clean", "{report:#}");
    let checks = report["extensions"][0]["checks"].as_array().expect("checks");
    let opened = checks.iter().find(|check| check["id"] == "tensors-opened").expect("the check");
    assert_eq!(opened["outcome"], "passed", "{report:#}");
}
