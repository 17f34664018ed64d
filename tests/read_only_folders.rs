//! A pipeline in a folder that one may not write to.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use crate::support::{CommandOutput, Pipeline, not_tested, run_command};

const CACHED: &str = r#"
[pipeline]
name = "theirs"
[input]
use = "inline"
items = [{ text = "Ann: Hi." }]
[cache.kept]
tiers = [{ use = "memory" }, { use = "sqlite" }]
[stages.transcript]
use = "transcript"
in = { text = "input.text" }
cache = "kept"
"#;

/// Runs a command as somebody else, to whom the pipeline's folder is not theirs; none where that cannot be.
fn as_another(command: &Command) -> Option<CommandOutput> {
    let mut other = Command::new("setpriv");
    other.args(["--reuid", "54321", "--regid", "54321", "--clear-groups"]);
    let able = other.arg("true").status().is_ok_and(|status| status.success());
    if !able {
        not_tested("no permission to be another user, or no `setpriv`: a folder of somebody else is not tested");
        return None;
    }
    let mut other = Command::new("setpriv");
    other.args(["--reuid", "54321", "--regid", "54321", "--clear-groups"]).env("HOME", "/nonexistent");
    other.arg(command.get_program()).args(command.get_args()).env("NO_COLOR", "1");
    Some(run_command(&mut other))
}

fn open_to_all(folder: &Path, mode: u32) {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("permitted");
}

#[test]
fn a_cache_that_cannot_be_made_is_skipped_and_a_run_folder_that_cannot_be_made_is_reported_with_a_way_out() {
    let pipeline = Pipeline::new(CACHED);
    open_to_all(pipeline.path(), 0o755);
    let out = pipeline.path().join("out");
    fs::create_dir(&out).expect("made");
    open_to_all(&out, 0o777);
    let run = |out: &Path| {
        let mut command = crate::support::jackfield();
        command.arg("run").arg(pipeline.path()).arg("--json").arg("--out").arg(out);
        as_another(&command)
    };
    let Some(passed_over) = run(&out) else { return };
    let passed_over = passed_over.expect_code(0);
    assert!(passed_over.stderr.contains("the cache is left out"), "{}", passed_over.stderr);
    assert!(passed_over.stderr.contains("with = { path = \"...\" }"), "{}", passed_over.stderr);
    let Some(refused) = run(&pipeline.path().join("runs")) else { return };
    let refused = refused.expect_code(1);
    assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: use --out to name a folder that you may write to"), "{}", refused.stderr);
}
