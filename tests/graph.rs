//! What `graph` draws: what stages read, and what the policies of routes and searches are told.

use std::collections::BTreeSet;

use crate::support::{Pipeline, jackfield, root, run_command};

fn graph(pipeline: &Pipeline, format: &str) -> String {
    let mut command = jackfield();
    command.arg("graph").arg(pipeline.path()).args(["--format", format]);
    run_command(&mut command).expect_code(0).stdout
}

#[test]
fn the_wires_into_the_policy_of_a_route_are_dashed_and_named() {
    let pipeline = Pipeline::new(
        r#"
[pipeline]
name = "routed"

[input]
use   = "inline"
items = [{ text = "Ann: Hello.", kind = "short" }]

[stages.talk]
use = "transcript"
in  = { text = "input.text" }

[stages.key-points]
use   = "actions"
in    = "talk"
route = { use = "thompson", context = "input.kind", reward = "share.speakers[0].share", arms = [{ max = 1 }, { max = 2 }] }

[stages.share]
use = "participation"
in  = "talk"
"#,
    );
    let text = graph(&pipeline, "text");
    let line = text.lines().find(|line| line.trim_start().starts_with("key-points")).expect("the stage");
    assert_eq!(
        line.trim(),
        "key-points (actions) <- talk  [route: thompson of 2 arms, context: input.kind, reward: share.speakers[0].share]"
    );
    let mermaid = graph(&pipeline, "mermaid");
    let node = |name: &str| {
        let line = mermaid.lines().find(|line| line.contains(&format!("[\"{name}"))).expect("a node");
        line.trim().split('[').next().expect("its name").to_owned()
    };
    let (talk, points, share) = (node("talk"), node("key-points"), node("share"));
    for arrow in [
        format!("{talk} --> {points}"),
        format!("input -. \"context\" .-> {points}"),
        format!("{share} -. \"reward\" .-> {points}"),
    ] {
        assert!(mermaid.lines().any(|line| line.trim() == arrow), "{arrow}\n{mermaid}");
    }
    let dot = graph(&pipeline, "dot");
    for line in [
        r#""talk" -> "key-points";"#,
        r#""input" -> "key-points" [style=dashed, label="context"];"#,
        r#""share" -> "key-points" [style=dashed, constraint=false, label="reward"];"#,
        r#""key-points" [label="key-points\nroute: thompson of 2 arms"];"#,
    ] {
        assert!(dot.lines().any(|found| found.trim() == line), "{line}\n{dot}");
    }
}

#[test]
fn a_search_is_drawn_with_what_it_learns_from_and_what_it_gives() {
    let mut command = jackfield();
    command.arg("graph").arg(root().join("examples/answers/search.toml")).args(["--format", "mermaid"]);
    let drawn = run_command(&mut command).expect_code(0).stdout;
    assert!(drawn.contains("search{{\"search<br/><i>tpe</i>\"}}"), "{drawn}");
    assert!(drawn.contains("s2_quality -. \"more recall\" .-> search"), "{drawn}");
    assert!(drawn.contains("search -. \"values\" .-> input"), "{drawn}");
}

#[test]
fn stages_whose_names_differ_in_a_hyphen_alone_are_two_nodes() {
    let stage = |name: &str| format!("[stages.{name}]\nuse = \"transcript\"\nin = {{ text = \"input.text\" }}\n");
    let pipeline = Pipeline::new(&format!(
        "[pipeline]\nname = \"p\"\n[input]\nuse = \"inline\"\nitems = [{{ text = \"A: b.\" }}]\n{}{}",
        stage("a-b"),
        stage("a_b")
    ));
    let drawn = graph(&pipeline, "mermaid");
    let nodes: BTreeSet<&str> =
        drawn.lines().filter_map(|line| line.trim().split_once("[\"")).map(|(node, _)| node).collect();
    assert_eq!(nodes.len(), 2, "{drawn}");
}
