//! The analyzer `prompt`, and plain texts where transcripts are read.

use serde_json::{Value, json};

use crate::support::{Pipeline, jackfield, results, run_command, same_outcome};

/// Reviews, and a pipeline that asks a prompt of each.
fn reviews(stages: &str) -> Pipeline {
    let text = format!(
        "[pipeline]\nname = \"reviews\"\n[input]\nuse = \"csv\"\npath = \"reviews.csv\"\nid = \"id\"\n\
         [model.judge]\nuse = \"mock\"\n{stages}"
    );
    let rows = "id,review\nr1,\"The kettle boils fast. Can it be quieter?\"\nr2,\"The lid of the kettle broke.\"\n\
                r3,\"The lid is \"\"fine\"\", and <so> is the kettle & its {{ cable }}.\"\n";
    Pipeline::new(&text).with("reviews.csv", rows)
}

const SENTIMENT: &str = r#"
[stages.sentiment]
use   = "prompt"
in    = { review = "input.review" }
model = "judge"
[stages.sentiment.with]
system   = "You judge reviews."
user     = { file = "user.txt" }
examples = [{ review = "It works.", answer = { sentiment = "positive" } }]
limits   = { review = 200 }
[stages.sentiment.with.schema]
type                 = "object"
required             = ["sentiment"]
additionalProperties = false
properties           = { sentiment = { enum = ["positive", "negative"] } }
"#;

fn with_sentiment(more: &str) -> Pipeline {
    reviews(&format!("{SENTIMENT}{more}")).with("user.txt", "Judge this review.\n\n{{ review }}\n")
}

#[test]
fn answers_have_the_type_of_the_schema_and_can_be_read_by_the_next_stage() {
    let next = "[stages.why]\nuse = \"prompt\"\nin = { review = \"input.review\", is = \"sentiment\" }\nmodel = \"judge\"\n\
                with = { user = \"Why is this {{ is.sentiment }}?\\n{{ review }}\" }\n";
    let pipeline = with_sentiment(next);
    let done = pipeline.run().expect_code(0);
    let lines = results(&done.folder());
    assert_eq!(lines.len(), 3);
    for line in &lines {
        let sentiment = &line["outputs"]["sentiment"];
        assert!([json!("positive"), json!("negative")].contains(&sentiment["sentiment"]), "{line}");
        assert_eq!(sentiment.as_object().map(serde_json::Map::len), Some(1));
        assert!(line["outputs"]["why"]["text"].is_string(), "{line}");
    }
    let again = run_command(pipeline.command().args(["--set", "pipeline.max_in_flight=1"])).expect_code(0);
    same_outcome(&done.folder(), &again.folder());
}

#[test]
fn what_is_wrong_with_a_prompt_is_found_before_anything_is_asked() {
    let next = "[stages.why]\nuse = \"prompt\"\nin = { reviews = \"input.review\", stars = \"input.stars\" }\nmodel = \"judge\"\n\
                with = { user = \"{{ review }} {{ stars }}\" }\n\
                [stages.read]\nuse = \"keyphrases\"\nin = \"sentiment.sentimnt\"\n";
    let pipeline = with_sentiment(next);
    let done = run_command(jackfield().arg("check").arg(pipeline.path())).expect_code(2);
    insta::assert_snapshot!(pipeline.said(&done));
}

#[test]
fn a_plain_text_is_read_where_a_transcript_is() {
    let all = ["actions", "decisions", "key-points", "keyphrases", "participation", "questions", "topics"];
    let stages = |input: &str| {
        let stages = all.map(|name| format!("[stages.{name}]\nuse = \"{name}\"\nin = {input}\n"));
        reviews(&stages.concat())
    };
    let outcome = |input: &str| {
        let pipeline = stages(input);
        results(&pipeline.run().expect_code(0).folder())
    };
    let (one, other) = (outcome("\"input.review\""), outcome("{ text = \"input.review\" }"));
    let outputs = |lines: &[Value]| lines.iter().map(|line| line["outputs"].clone()).collect::<Vec<_>>();
    assert_eq!(outputs(&one), outputs(&other));
    let question = &one[0]["outputs"]["questions"]["findings"][0];
    assert_eq!(question["evidence"][0], json!({ "segment": "s1", "quote": "Can it be quieter?" }), "{}", one[0]);
}
