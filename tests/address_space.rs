//! Where the address space is limited (`ulimit -v`), a run completes, or says what it lacks; no plugin is blamed for it.

use std::process::Command;

use crate::{
    bad_plugins::component::Hand,
    support::{CommandOutput, Pipeline, jackfield, root, run_command},
};

/// The program under a limit, in MiB. The shell sets it, and is replaced by the program.
fn limited(mib: u64, arguments: &[&str]) -> CommandOutput {
    let program = jackfield();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {} && exec \"$0\" \"$@\"", mib << 10)]);
    command.arg(program.get_program()).args(arguments);
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    run_command(&mut command)
}

/// A component that takes 60 MiB in each call, and traps where it does not get them.
fn demanding() -> Pipeline {
    let call = "(if (i32.eq (memory.grow (i32.const 960)) (i32.const -1)) (then unreachable))
        (local.set $one (i32.const 131072))
        (loop $on
          (i32.store (local.get $one) (i32.const 1))
          (local.set $one (i32.add (local.get $one) (i32.const 4096)))
          (br_if $on (i32.lt_u (local.get $one) (i32.const 62914560))))
        (i32.store offset=8 (i32.const 40000) (i32.const 512)) (i32.store offset=12 (i32.const 40000) (i32.const 2))
        (i32.store (i32.const 256) (i32.const 40000)) (i32.store (i32.const 260) (local.get $count)) (i32.const 256)";
    let toml = r#"
[pipeline]
name = "demanding"
[plugins.hand]
path = "hand.wasm"
[input]
use   = "trials"
count = 8
[stages.takes]
use = "hand/hand"
in = { n = "input.trial" }
batch = 1
"#;
    Pipeline::new(toml).with("hand.wasm", Hand { call: Some(call.to_owned()), ..Hand::default() }.bytes())
}

#[test]
fn components_run_within_little_address_space_or_say_what_they_lack() {
    let pipeline = demanding();
    let (path, out) = (pipeline.path().to_string_lossy().into_owned(), pipeline.out().to_string_lossy().into_owned());
    let run =
        |mib, more: &[&str]| limited(mib, &[&["run", &path, "--out", &out, "--json", "--jobs", "4"], more].concat());
    // What is left is for the plugins, not for what allocators would reserve: more than a gibibyte.
    for mib in [900, 1500] {
        let run = run(mib, &[]).expect_code(0);
        assert_eq!(run.json()["items"]["ok"], 8, "{run:#?}");
    }
    // More is asked for than there is.
    let run = run(450, &["--set", "pipeline.sandbox_memory=\"8GiB\"", "--set", "stages.takes.limits.traps=0"]);
    for line in run.stderr.lines().filter(|line| line.starts_with("failed:")) {
        assert!(line.contains("unavailable: no addresses are left for its instance"), "{line}");
    }
    assert!(matches!(run.code, Some(0 | 1 | 3)), "{run:#?}");
    // An instance that could not be is refused, with the limit that is in the way.
    let refused = limited(350, &["check", &path]).expect_code(2);
    assert!(refused.stderr.contains("of address space that are left (`ulimit -v`)"), "{refused:#?}");
    assert!(refused.stderr.contains("; or raise the limit (`ulimit -v`)"), "{refused:#?}");
}

#[test]
fn threads_that_are_not_started_are_named_with_the_limit_that_they_met() {
    let root = root().join("examples/transcripts");
    let out = tempfile::tempdir().expect("a folder");
    let (path, out) = (root.to_string_lossy(), out.path().to_string_lossy());
    let refused = limited(600, &["run", &path, "--out", &out, "--jobs", "1024"]).expect_code(1);
    assert!(refused.stderr.contains("error: failed to start workers: "), "{refused:#?}");
    assert!(
        refused.stderr.contains(
            "hint: the address space of a process is limited to 600 MiB: raise that (`ulimit -v`) or the \
             number of processes and threads"
        ),
        "{refused:#?}"
    );
}
