//! Worked examples of the analyzers, all of one small task: turn the grid by a quarter.

use jackfield_plugin_api::prelude::*;
use serde_json::{Value as Json, json};

const TURN: &str = "def solve_turn(I):\n    x1 = rot270(I)\n    O = rot180(x1)\n    return O\n";
const MIRROR: &str = "def solve_turn(I):\n    O = vmirror(I)\n    return O\n";
const TURN_BODY: &str = "def solve(I):\n    x1 = rot270(I)\n    O = rot180(x1)\n    return O\n";
const TURN_DIGEST: &str = "6bad63aae70b6991113d5bfdbc63cd050940de020cce6aac5327486f67045153";
const MIRROR_OUTCOME: &str = "grid:65a38fb8271b7823";

fn demos() -> Json {
    json!([{ "input": [[1, 2], [3, 4]], "output": [[3, 1], [4, 2]] }])
}

fn programs() -> Json {
    json!([{ "name": "turn", "text": TURN }, { "name": "mirror", "text": MIRROR }])
}

fn scores() -> Json {
    json!([
        { "name": "turn", "score": 1000, "outcomes": ["equal"] },
        { "name": "mirror", "score": 499, "outcomes": [MIRROR_OUTCOME] },
    ])
}

fn body() -> Json {
    json!({ "name": "turn", "digest": TURN_DIGEST, "body": TURN_BODY, "size": 2, "score": 1000 })
}

fn result() -> Json {
    json!({ "digest": TURN_DIGEST, "train": ["equal"], "test": ["equal"] })
}

fn kept() -> Json {
    json!({
        "name": "turn", "digest": TURN_DIGEST, "body": TURN_BODY, "size": 2, "score": 1000,
        "train": ["equal"], "test": ["equal"],
    })
}

fn example(summary: &str, config: Json, input: Json, output: Json) -> Vec<Example> {
    vec![Example { summary: summary.to_owned(), config, input, output }]
}

pub(super) fn candidates() -> Vec<Example> {
    example(
        "a program of the list that belongs to the task, and one that does not",
        json!({ "list": [TURN, "def solve_other(I):\n    O = rot90(I)\n    return O\n"] }),
        json!({ "task": "turn" }),
        json!({ "programs": [{ "name": "list/0", "text": TURN }] }),
    )
}

pub(super) fn score() -> Vec<Example> {
    example(
        "one program turns the grid as the demonstration does, the other mirrors it",
        json!({}),
        json!({ "demos": demos(), "programs": programs() }),
        json!({ "scores": scores(), "equal": 1, "nodes": { "shared": 3, "separate": 3 } }),
    )
}

pub(super) fn canonical() -> Vec<Example> {
    example(
        "two programs that say the same are one",
        json!({}),
        json!({
            "id": "turn",
            "programs": [
                { "name": "turn", "text": TURN },
                {
                    "name": "again",
                    "text": "def solve_turn(I):\n    x7 = rot270(I)\n    x8 = height(I)\n    O = rot180(x7)\n    return O\n",
                },
            ],
            "scores": [
                { "name": "turn", "score": 1000, "outcomes": ["equal"] },
                { "name": "again", "score": 1000, "outcomes": ["equal"] },
            ],
        }),
        json!({ "bodies": [body()], "same": 1 }),
    )
}

pub(super) fn validate() -> Vec<Example> {
    example(
        "a program on the demonstration and the test",
        json!({}),
        json!({
            "id": "turn", "train": demos(), "test": [{ "input": [[5, 0]], "output": [[5], [0]] }], "bodies": [body()],
        }),
        json!({ "results": [result()] }),
    )
}

pub(super) fn keep() -> Vec<Example> {
    example(
        "the only program is the best",
        json!({}),
        json!({ "demos": demos(), "bodies": [body()], "results": [result()] }),
        json!({
            "kept": [kept()], "solved": true, "tests_right": true,
            "summary": "turn: right on the demonstration, right on the tests",
            "matrix": [{ "name": "turn", "outcomes": ["equal", "equal"] }],
        }),
    )
}

pub(super) fn evolve() -> Vec<Example> {
    example(
        "a primitive on its own does it, and nothing has to evolve",
        json!({ "keep": 1 }),
        json!({ "demos": demos() }),
        json!({
            "programs": [{ "name": "evolved/0", "text": "def solve_task(I):\n    O = rot90(I)\n    return O\n" }],
            "solved": true, "stopped": "solved",
            "generations": [{ "generation": 0, "best": 1000, "mean": 95.14285714285714, "distinct": 15, "evaluations": 79 }],
        }),
    )
}

pub(super) fn generalise() -> Vec<Example> {
    example(
        "turned demonstrations are turned alike; mirrored ones are not",
        json!({ "permutations": 0 }),
        json!({ "train": demos(), "kept": [kept()] }),
        json!({
            "programs": [{
                "name": "turn", "digest": TURN_DIGEST, "held": 3, "tried": 7, "share": 0.428_571_428_571_428_55,
                "failures": [
                    { "guise": "hmirror", "pair": 0, "outcome": "grid:6cf7de60498ae79e" },
                    { "guise": "vmirror", "pair": 0, "outcome": "grid:34b3def6e97f3e1d" },
                    { "guise": "dmirror", "pair": 0, "outcome": "grid:65a38fb8271b7823" },
                    { "guise": "cmirror", "pair": 0, "outcome": "grid:862003c1d63b84b3" },
                ],
            }],
            "guises": ["rot90", "rot180", "rot270", "hmirror", "vmirror", "dmirror", "cmirror"],
            "contradicted": [],
            "matrix": [{ "name": "turn", "outcomes": [
                "equal", "equal", "equal",
                "hmirror, demonstration 1: grid:6cf7de60498ae79e",
                "vmirror, demonstration 1: grid:34b3def6e97f3e1d",
                "dmirror, demonstration 1: grid:65a38fb8271b7823",
                "cmirror, demonstration 1: grid:862003c1d63b84b3",
            ] }],
        }),
    )
}

pub(super) fn submission() -> Vec<Example> {
    example(
        "the answer of the one program that is kept, and none beside it",
        json!({}),
        json!({ "id": "turn", "test": [{ "input": [[5, 0]] }], "kept": [kept()] }),
        json!({ "submission": { "turn": [{ "attempt_1": [[5], [0]], "attempt_2": [[0]] }] }, "answers": 1 }),
    )
}
