//! The example through lenses, on the model that is always there.

use crate::support::{jackfield, results, root, run_command};

#[test]
fn every_lens_answers_for_every_transcript_and_a_second_run_asks_nothing() {
    let out = tempfile::tempdir().expect("a folder");
    // The example in a folder of its own, so that its cache is the test's.
    let folder = tempfile::tempdir().expect("a folder");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(root().join("examples/transcripts/."))
        .arg(folder.path())
        .status()
        .expect("cp");
    assert!(copied.success());
    let _ = std::fs::remove_dir_all(folder.path().join(".jackfield"));
    let run = || {
        let mut command = jackfield();
        command.arg("run").arg(folder.path().join("lenses.toml")).arg("--json").arg("--out").arg(out.path());
        run_command(&mut command).expect_code(0)
    };
    let first = run();
    let lines = results(&first.folder());
    assert_eq!(lines.len(), 6);
    for line in &lines {
        let outputs = line["outputs"].as_object().expect("outputs");
        assert_eq!(outputs.len(), 11, "the transcript, eight lenses and two notes");
        for (stage, output) in outputs.iter().filter(|(stage, _)| *stage != "transcript") {
            assert!(output["answer"].is_object(), "{stage}: {output}");
        }
        assert!(outputs["meeting-notes"]["answer"]["markdown"].is_string());
    }
    let second = run();
    assert_eq!(second.json()["models"]["writer"]["calls"], 0);
    assert_eq!(crate::support::outcome(&first.folder()), crate::support::outcome(&second.folder()));
}
