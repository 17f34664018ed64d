//! Files of a run that hold the members of what every item gave: `[output.merged]`.

use std::{fs, path::Path};

use crate::support::{Pipeline, odd_plugin, run_command};

fn pipeline(lines: &str) -> Pipeline {
    let plugin = odd_plugin();
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "merged"
{plugin}[input]
use = "jsonl"
path = "items.jsonl"
id = "id"
[output.merged]
"submission.json" = "shown.given.members"
[stages.shown]
use = "odd/texts"
in = "input"
with = {{ from = "pipeline.toml" }}
"#,
    ))
    .with("items.jsonl", lines)
}

fn submission(run: &Path) -> String {
    fs::read_to_string(run.join("submission.json")).expect("a file")
}

#[test]
fn the_objects_of_all_items_are_one_whatever_is_done_at_a_time_and_again_after_a_resume() {
    let lines: String = (0..40)
        .map(|at| format!("{{\"id\": \"i{at}\", \"members\": {{\"z{at}\": [{at}], \"a{at}\": null}}}}\n"))
        .collect();
    let pipeline = pipeline(&lines);
    let calm = run_command(pipeline.command().args(["--jobs", "1"])).expect_code(0);
    let wanted: Vec<String> = (0..40).map(|at| format!("\"a{at}\":null,\n\"z{at}\":[{at}]")).collect();
    assert_eq!(submission(&calm.folder()), format!("{{\n{}\n}}\n", wanted.join(",\n")));
    assert!(!calm.stderr.contains("submission.json"), "{}", calm.stderr);
    let busy = run_command(pipeline.command().args(["--jobs", "16"])).expect_code(0);
    assert_eq!(submission(&busy.folder()), submission(&calm.folder()));
    fs::write(busy.folder().join("submission.json"), "{").expect("written");
    let again = run_command(pipeline.command().arg("--resume").arg(busy.folder())).expect_code(0);
    assert_eq!(submission(&again.folder()), submission(&calm.folder()));
}

#[test]
fn items_without_an_object_are_left_out_and_repeated_keys_are_reported() {
    let lines = [
        r#"{"id": "b", "members": {"x": 1.5, "\u001b": {}}}"#,
        "{",
        r#"{"id": "c", "members": {"y": 2, "x": 3}}"#,
        r#"{"id": "d", "members": 4}"#,
        r#"{"id": "e"}"#,
        r#"{"id": "f", "members": {}}"#,
    ];
    let pipeline = pipeline(&lines.join("\n"));
    let run = pipeline.run().expect_code(3);
    assert_eq!(submission(&run.folder()), "{\n\"\\u001b\":{},\n\"x\":1.5,\n\"y\":2\n}\n");
    let told: Vec<&str> =
        run.stderr.lines().filter_map(|line| line.find("`submission.json`").map(|at| &line[at..])).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    `submission.json` has nothing of 3 of 6 items: `2`, which failed; `d`, as `4` is not an object; `e`, as there is no field `members` in `{"id":"e"}`
    `submission.json`: 1 key came again, and the first value stays: `x` of `c`, which `b` gave before
    "#);
}
