//! Files, folders, links, variables.

use std::{
    os::unix::fs::symlink,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use insta::assert_snapshot;

use super::{IN_TIME, attack, lines, read, with_secret};
use crate::support::{jackfield, run_command};

const READ: &[&str] = &["read:data=data"];

#[test]
fn no_path_leads_out_of_a_folder_by_dots() {
    let said = with_secret(attack("read-dot-dot")).granted(READ).stopped();
    assert_snapshot!(said, @r"internal: read /data/../secret.txt: Operation not permitted; read /data/inner/../../secret.txt: Operation not permitted; read /data/inner/../../../../../../../../etc/passwd: Operation not permitted; open ../secret.txt below folder 3: Operation not permitted; open inner/../../secret.txt below folder 3: Operation not permitted; open ./.././secret.txt below folder 3: Operation not permitted;");
}

#[test]
fn no_absolute_path_leads_out_of_a_folder() {
    let attack = with_secret(attack("read-absolute")).granted(READ);
    let pipeline = attack.pipeline();
    let secret = pipeline.path().join("secret.txt");
    let attack = attack.target(secret.to_str().expect("UTF-8"));
    let aimed = attack.pipeline();
    let outcome = attack.run_in(aimed);
    let said = outcome.said.expect_err("stopped").replace(secret.to_str().expect("UTF-8"), "[secret]");
    assert_snapshot!(said, @r"internal: read [secret]: Capabilities insufficient; read /etc/passwd: Capabilities insufficient; read /proc/self/environ: Capabilities insufficient; open [secret] below folder 3: Operation not permitted; open /etc/passwd below folder 3: Operation not permitted; open / below folder 3: Operation not permitted;");
}

#[test]
fn no_link_of_the_owner_leads_out_of_a_folder() {
    let attack = with_secret(attack("read-owners-link")).granted(READ);
    let pipeline = attack.pipeline();
    let data = pipeline.path().join("data");
    symlink("../secret.txt", data.join("link")).expect("linked");
    symlink("..", data.join("link-to-folder")).expect("linked");
    symlink("link", data.join("link-to-link")).expect("linked");
    assert_snapshot!(attack.run_in(pipeline).said.expect_err("stopped"), @r"internal: read /data/link: Operation not permitted; read /data/link-to-folder/secret.txt: Operation not permitted; read /data/link-to-link: Operation not permitted; open link-to-folder/secret.txt below folder 3: Operation not permitted;");
}

#[test]
fn no_link_that_a_plugin_makes_leads_out_of_its_scratch_folder() {
    let made = attack("scratch-own-link").granted(&["scratch:work"]).stopped();
    let named = with_secret(attack("scratch-own-link")).granted(&["scratch:work=data"]).stopped();
    assert_eq!(made, named);
    assert_snapshot!(made, @r"internal: link to /etc/passwd: Operation not permitted; read /work/up: Operation not permitted; read /work/parent/secret.txt: Operation not permitted; read /work/chain/etc/passwd: Operation not permitted; read /work/moved/etc/passwd: Operation not permitted;");
}

#[test]
fn what_may_be_read_cannot_be_changed_nor_moved_to_where_it_could_be() {
    let attack = with_secret(attack("write-read-only")).granted(&["read:data=data", "scratch:work=work"]);
    let outcome = attack.file("work/mine", "mine").run();
    assert_snapshot!(outcome.said.expect_err("stopped"), @r"internal: create: Operation not permitted; open to write: Operation not permitted; truncate: Operation not permitted; unlink: Operation not permitted; rename: Operation not permitted; mkdir: Operation not permitted; symlink: Operation not permitted; link: Operation not permitted; set times: Operation not permitted; link into the scratch folder: Operation not permitted; move into the scratch folder: Operation not permitted; move out of the scratch folder: Operation not permitted;");
    assert_eq!(read(&outcome.pipeline, "data/note.txt"), "a note");
    let entries = std::fs::read_dir(outcome.pipeline.path().join("data")).expect("a folder").count();
    assert_eq!(entries, 2, "something was added or taken away");
}

#[test]
fn without_a_grant_there_is_no_folder() {
    let said = with_secret(attack("read-ungranted")).stopped();
    assert_snapshot!(said, @r"internal: read /data/note.txt: Capabilities insufficient; read /work/note.txt: Capabilities insufficient; read note.txt: Capabilities insufficient; read .: Capabilities insufficient; write: Capabilities insufficient; list /: Capabilities insufficient;");
}

#[test]
fn only_a_variable_that_was_granted_is_seen() {
    let probe = || {
        attack("env-probe").variable("JACKFIELD_RED_GRANTED", "in the open").variable("JACKFIELD_RED_SECRET", "hidden")
    };
    let said = [probe().answered(), probe().granted(&["env:JACKFIELD_RED_GRANTED"]).answered()];
    assert_snapshot!(lines(said), @r"
    0 arguments, in /
    JACKFIELD_RED_GRANTED=in the open; 0 arguments, in /
    ");
}

#[test]
fn a_scratch_folder_holds_only_so_much() {
    let tried = |name| attack(name).granted(&["scratch:work"]).limits("scratch = \"16MiB\", wall = \"50s\"");
    // Large files and many, files without a name, names without a file of their own, and files of nothing but holes.
    for name in ["scratch-fill", "scratch-litter", "scratch-unlinked", "scratch-names", "scratch-sparse"] {
        assert_eq!(tried(name).stopped(), "over-budget: put more than 16 MiB into its scratch folders", "{name}");
    }
    // What is there counts, not what was.
    assert_eq!(tried("scratch-rewrite").answered(), "wrote 48 MiB");
}

#[test]
fn scratch_folders_of_a_process_that_was_killed_are_gone_with_the_next() {
    let temporary = tempfile::tempdir().expect("a folder");
    let attack = attack("scratch-endless")
        .granted(&["scratch:work"])
        .variable("TMPDIR", temporary.path().to_str().expect("UTF-8"));
    let pipeline = attack.pipeline();
    let folders = || {
        let entries = std::fs::read_dir(temporary.path()).expect("a folder").flatten().map(|entry| entry.path());
        entries.filter(|path| path.join(".lock").exists()).collect::<Vec<_>>()
    };
    let mut child = attack.command(&pipeline).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    let began = Instant::now();
    let filled = |folder: &PathBuf| {
        let calls = std::fs::read_dir(folder).into_iter().flatten().flatten();
        calls.filter(|call| call.path().join("left").exists()).count() > 0
    };
    while !folders().iter().any(filled) {
        assert!(began.elapsed() < IN_TIME, "it makes no scratch folder");
        assert!(child.try_wait().expect("a child").is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Another one that is under way is not disturbed.
    let check =
        || run_command(jackfield().arg("check").arg(pipeline.path()).env("TMPDIR", temporary.path())).expect_code(0);
    check();
    assert_eq!(folders().len(), 1);
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert_eq!(folders().len(), 1, "nobody could have removed it");
    check();
    assert_eq!(folders(), Vec::<PathBuf>::new());
}

#[test]
fn a_scratch_folder_is_new_in_each_call_and_gone_after_it() {
    let temporary = tempfile::tempdir().expect("a folder");
    let attack = attack("scratch-peek")
        .granted(&["scratch:work"])
        .stage("batch = 1")
        .variable("TMPDIR", temporary.path().to_str().expect("UTF-8"))
        .on_all();
    let outcome = attack.run();
    let others: Vec<_> = outcome.outputs.iter().flatten().map(|output| output["got"].clone()).collect();
    assert_eq!(others, ["found nothing"; 4]);
    let left = std::fs::read_dir(temporary.path()).expect("a folder").count();
    assert_eq!(left, 0, "scratch folders were left behind");
}
