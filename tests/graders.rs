//! Graders of answers: the same grades in each form of the plugin.

use serde_json::json;

use crate::support::{Pipeline, plugin_table, results, same_outcome};

/// A stage of each grader that needs no more than a model that makes up its answers. `GRADERS/` stands before each name.
const STAGES: &str = r#"
[pipeline]
name = "graders"

[input]
use  = "jsonl"
path = "answers.jsonl"
id   = "id"

[model.judge]
use = "mock"

[stages.exact]
use  = "GRADERS/exact"
in   = { answer = "input.answer", expected = "input.expected" }
with = { normalize = "squad" }

[stages.contains]
use = "GRADERS/contains"
in  = { answer = "input.answer", expected = "input.expected" }

[stages.regex]
use  = "GRADERS/regex"
in   = { answer = "input.answer" }
with = { pattern = '\d+', ignore_case = true }

[stages.number]
use      = "GRADERS/number"
in       = { answer = "input.answer", expected = "input.number" }
with     = { relative = 0.01 }

[stages.json]
use  = "GRADERS/json-equal"
in   = { answer = "input.json", expected = "input.object" }
with = { paths = ["a", "b[1]"] }

[stages.choice]
use  = "GRADERS/choice"
in   = { answer = "input.answer", expected = "input.option" }
with = { options = ["Mercury", "Venus", "Mars"] }

[stages.chrf]
use  = "GRADERS/text-overlap"
in   = { answer = "input.answer", expected = "input.expected" }
with = { measure = "chrf++" }

[stages.rouge]
use  = "GRADERS/text-overlap"
in   = { answer = "input.answer", expected = "input.expected" }
with = { measure = "rouge-l" }

[stages.similarity]
use   = "GRADERS/similarity"
in    = { answer = "input.answer", expected = "input.expected" }
model = "judge"

[stages.judge]
use   = "GRADERS/judge"
in    = { answer = "input.answer", question = "input.id" }
with  = { criteria = "Be right.", threshold = 0.5 }
model = "judge"

[stages.pair]
use   = "GRADERS/judge-pair"
in    = { answer = "input.answer", other = "input.json" }
with  = { criteria = "Be right." }
model = "judge"

# Columns that an item brings: what they are read from makes no difference.
[stages.summary]
use  = "GRADERS/summary"
in   = { values = "input.scores", groups = "input.groups", clusters = "input.groups" }
with = { interval = "bootstrap" }

[stages.agreement]
use  = "GRADERS/agreement"
in   = { a = "input.scores", b = "input.others" }
with = { scale = "ordinal", weights = "linear" }
"#;

/// The pipeline with the graders that are linked in, or with those of a file.
fn pipeline(form: Option<&str>) -> Pipeline {
    let mut text = STAGES.replace("GRADERS/", if form.is_some() { "mine/" } else { "" });
    if let Some(form) = form {
        text.push('\n');
        text.push_str(&plugin_table("mine", &format!("jackfield_graders.{form}"), &["model", "model:embed"]));
    }
    let answers = [
        ("owls", json!("Most owls hunt at night, 7 of 8."), json!(["at night", "in the dark"]), json!(8), "A"),
        ("venus", json!("It is not Mars: the answer is (B)."), json!("Venus"), json!("1 1/2"), "B"),
        ("none", json!(null), json!("anything"), json!(1), "C"),
        ("number", json!("Mars has 2 moons."), json!("two moons"), json!(2), "Mars"),
    ];
    let scores: Vec<_> =
        (0..40).map(|at| if at % 9 == 8 { json!(null) } else { json!(f64::from(at * 7 % 11) / 10.0) }).collect();
    let others: Vec<_> = (0..40).map(|at| f64::from(at * 7 % 11 / 2 * 2) / 10.0).collect();
    let groups: Vec<_> = (0..40).map(|at| at % 7).collect();
    let lines = answers.map(|(id, answer, expected, number, option)| {
        let item = json!({
            "id": id, "answer": answer, "expected": expected, "number": number, "option": option,
            "json": "{\"a\": 1, \"b\": [2, 3]}", "object": { "a": 1, "b": [2, 4] },
            "scores": scores, "others": others, "groups": groups,
        });
        format!("{item}\n")
    });
    Pipeline::new(&text).with("answers.jsonl", lines.concat())
}

#[test]
fn grades_are_the_same_in_every_form() {
    let linked_in = pipeline(None);
    let linked = linked_in.run().expect_code(0).folder();
    let owls = &results(&linked)[0]["outputs"];
    assert_eq!((&owls["contains"]["passed"], &owls["number"]["score"]), (&json!(true), &json!(1.0)), "{owls}");
    assert_eq!(owls["json"]["reason"], "`b[1]` is 3, not 4");
    assert_eq!(owls["summary"]["interval"]["method"], "clustered-bootstrap");
    for form in ["so", "wasm"] {
        let other = pipeline(Some(form));
        same_outcome(&linked, &other.run().expect_code(0).folder());
    }
}
