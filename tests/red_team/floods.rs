//! Too many words, and words that are not what they seem.

use insta::assert_snapshot;

use super::{attack, lines};

#[test]
fn a_flood_of_words_ends_at_a_limit_and_most_of_it_is_not_heard() {
    let mut said = Vec::new();
    for name in ["log-flood", "progress-flood", "cancelled-flood"] {
        let outcome = attack(name).run();
        let heard = outcome.run.stderr.len();
        assert!(heard < 4 << 20, "{name}: {heard} bytes of talk");
        said.push(outcome.said.expect_err("stopped"));
    }
    assert_snapshot!(lines(said), @r"
    over-budget: made more than 100000 host calls
    over-budget: made more than 100000 host calls
    over-budget: made more than 100000 host calls
    ");
}

#[test]
fn a_line_of_megabytes_is_cut() {
    for (name, rest) in [("long-lines", 1), ("long-targets", 1)] {
        let outcome = attack(name).run();
        let longest = outcome.run.stderr.lines().map(str::len).max().unwrap_or_default();
        assert!(longest < 17 << 10, "{name}: a line of {longest} bytes");
        assert!(outcome.run.stderr.len() < 6 << 20, "{name}: {} bytes", outcome.run.stderr.len());
        assert_eq!(outcome.run.stderr.matches("it says too much in one call").count(), rest, "{name}");
    }
}

#[test]
fn what_a_plugin_says_is_one_line_and_moves_nothing() {
    for name in ["fake-lines", "fake-panic"] {
        for format in ["text", "json"] {
            let attack = attack(name).variable("JACKFIELD_LOG", "trace");
            let pipeline = attack.pipeline();
            let mut command = pipeline.command();
            command.env("JACKFIELD_LOG", "info").args(["--log-format", format]);
            let run = crate::support::run_command(&mut command).expect_code(3);
            let harmful = |char: char| (char.is_control() && char != '\n') || ('\u{202a}'..='\u{202e}').contains(&char);
            assert!(!run.stderr.contains(harmful), "{:?}", run.stderr);
            for line in run.stderr.lines().chain(run.stdout.lines()) {
                for fake in ["complete: 5", "error: run", "hidden", "error: all is lost"] {
                    assert!(!line.starts_with(fake), "a made-up line: {line}");
                }
            }
        }
    }
    assert_snapshot!(lines(["fake-lines", "fake-panic"].map(|name| attack(name).stopped())), @r"
    internal: broken\n\u{1b}[2Jcomplete: 5 items\n\u{202e}hidden\r\u{9b}31m\u{7}
    internal: panicked\n\u{1b}[2Jerror: all is lost\n\u{202e}hidden
    ");
}
