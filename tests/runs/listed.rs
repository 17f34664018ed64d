//! `jackfield runs list` and `jackfield runs show`.

use super::{ask, talks};

#[test]
fn runs_are_listed_the_newest_first_with_what_came_of_them() {
    let pipeline = talks("").with("data/island.txt", b"Ann: caf\xe9?\nBo: Yes.\n");
    ask(&pipeline, &["run", "."]).expect_code(3);
    ask(&pipeline, &["run", ".", "--only", "ferry"]).expect_code(0);
    let list = ask(&pipeline, &["runs", "list"]).expect_code(0);
    let lines: Vec<Vec<&str>> = list.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["run", "state", "items", "failed", "time", "USD"]);
    assert_eq!(lines[1][1..4], ["complete", "1", "0"], "{}", list.stdout);
    assert_eq!(lines[2][1..4], ["partial", "4", "1"], "{}", list.stdout);
    assert!(list.stdout.lines().all(|line| line.chars().count() <= 80), "{}", list.stdout);
    let json = ask(&pipeline, &["runs", "list", "--json"]).expect_code(0).json();
    assert_eq!(json["runs"][1]["items"]["failed"], 1, "{json}");
    assert!(json["runs"][0]["wall_ms"].as_f64() > Some(0.0), "{json}");

    let shown = ask(&pipeline, &["runs", "show", lines[2][0]]).expect_code(0);
    for expected in ["state     partial", "items     1 failed, 3 ok", "time      ", "failed"] {
        assert!(shown.stdout.contains(expected), "{expected}: {}", shown.stdout);
    }
    assert!(shown.stdout.contains("island"), "the item that failed: {}", shown.stdout);
    let json = ask(&pipeline, &["runs", "show", lines[2][0], "--json"]).expect_code(0).json();
    assert_eq!(json["failures"][0]["first_item"], "island", "{json}");
    let only = ask(&pipeline, &["runs", "show", "last"]).expect_code(0);
    assert!(only.stdout.contains("only      ferry"), "{}", only.stdout);
}

#[test]
fn a_folder_that_is_named_and_not_there_is_refused() {
    let pipeline = talks("");
    ask(&pipeline, &["runs", "list"]).expect_code(0);
    for args in [&["runs", "list", "--out", "rnus"][..], &["runs", "prune", "--keep", "1", "--out", "rnus"]] {
        let refused = ask(&pipeline, args).expect_code(2);
        assert!(refused.stderr.contains("there is no folder `rnus`"), "{}", refused.stderr);
    }
}

#[test]
fn a_name_that_fits_several_runs_is_refused_with_their_names() {
    let pipeline = talks("");
    ask(&pipeline, &["run", "."]).expect_code(0);
    ask(&pipeline, &["run", "."]).expect_code(0);
    let ambiguous = ask(&pipeline, &["runs", "show", "talks-"]);
    assert_ne!(ambiguous.code, Some(0));
    assert!(ambiguous.stderr.contains("`talks-` could be any of 2 runs in `runs`"), "{}", ambiguous.stderr);
    assert!(ambiguous.stderr.contains("hint: write more of its name: `talks-"), "{}", ambiguous.stderr);
    let unknown = ask(&pipeline, &["runs", "show", "tolks-20"]);
    assert!(unknown.stderr.contains("hint: did you mean `talks-"), "{}", unknown.stderr);
}
