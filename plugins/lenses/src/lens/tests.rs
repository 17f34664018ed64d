use std::{future::Future as _, pin::pin, task};

use jackfield_plugin_api::{Context, Document, FromDocument as _, IntoDocument as _};
use serde_json::json;

use super::*;
use crate::testing::{ScriptedModel, citation, finding, transcript};

const DOUBTS: &str =
    "# Doubts\n\nFind doubts.\n\n## Answer\n\n```json\n{\"type\":\"object\",\"properties\":{\"doubts\":{}}}\n```\n";

fn config(with: Value) -> Result<Lens> {
    let mut config = json!({ "prompt": { "path": "doubts.md", "text": DOUBTS } });
    config.as_object_mut().expect("an object").extend(with.as_object().expect("an object").clone());
    let lens: Lens = serde_json::from_value(config).map_err(|error| Failure::InvalidConfig(error.to_string()))?;
    lens.open()
}

fn call(lens: &Lens, input: LensInput, model: &ScriptedModel) -> Result<LensOutput> {
    call_in("doubts", lens, input, model)
}

fn call_in(stage: &str, lens: &Lens, input: LensInput, model: &ScriptedModel) -> Result<LensOutput> {
    let context = Context { stage: stage.into(), item: "item".into(), element: 0, replicate: 0, seed: 7 };
    let host = Host::new(model, &context, 0);
    let future = pin!(lens.analyze(input, &host));
    match future.poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(result) => result,
        task::Poll::Pending => panic!("the model never waits"),
    }
}

fn doubt(text: &str, segment: &str, quote: &str) -> Value {
    json!({ "doubts": [{ "id": "Q1", "statement": text, "confidence": 0.8, "evidence": [citation(segment, quote)] }] })
}

fn over(turns: &[(&str, &str)]) -> LensInput {
    LensInput { transcript: Some(transcript(turns)), findings: None }
}

#[test]
fn a_transcript_is_put_before_the_model_and_its_answer_becomes_findings() {
    let model = ScriptedModel::answering([Ok(doubt("Bo doubts the bus.", "s1", "is the bus on time"))]);
    let input = over(&[("Ann", "We take the bus."), ("Bo", "Is the bus on time?")]);
    let output = call(&config(json!({ "temperature": 0.5, "max_tokens": 900 })).expect("a lens"), input, &model)
        .expect("an answer");

    let asked = model.requests.lock().expect("a lock").remove(0);
    assert!(asked.messages[0].content.starts_with("# Doubts\n\nFind doubts.\n"));
    assert_eq!(asked.messages[1].content, "Transcript\n\n[s1] Ann: We take the bus.\n[s2] Bo: Is the bus on time?\n");
    assert_eq!((asked.schema.expect("a schema")["type"].as_str(), asked.validate), (Some("object"), true));
    assert_eq!((asked.max_tokens, asked.temperature), (Some(900), Some(0.5)));

    assert_eq!((output.title.as_str(), output.chunks, output.unsupported), ("Doubts", 1, 0));
    assert_eq!(output.answer["doubts"][0]["evidence"][0], citation("s2", "is the bus on time"), "the right segment");
    let found = &output.findings[0];
    assert_eq!(
        (found.id.as_str(), found.kind.as_str(), found.text.as_str()),
        ("doubts-1", "doubt", "Bo doubts the bus.")
    );
    assert_eq!(found.evidence[0].speaker.as_deref(), Some("Bo"));
    assert_eq!((output.tokens_in, output.tokens_out), (100, 10));
}

#[test]
fn a_long_transcript_is_read_whole_in_parts_and_answered_as_one() {
    let turns: Vec<String> = (1..=120).map(|n| format!("Sentence number {n} of a long talk about the bus.")).collect();
    let turns: Vec<(&str, &str)> = turns.iter().map(|text| ("Ann", text.as_str())).collect();
    let model =
        ScriptedModel::answering((1..=9).map(|n| Ok(doubt(&format!("Doubt {n}"), "s1", "sentence number 1 of"))));
    let lens = config(json!({ "context": 1200 })).expect("a lens");
    let output = call(&lens, over(&turns), &model).expect("an answer");

    let messages = model.user_messages();
    assert!(messages.len() > 2 && messages[0].starts_with("Transcript (part 1 of "));
    let all = messages.concat();
    assert!((1..=120).all(|n| all.contains(&format!("[s{n}] Ann: Sentence number {n} of"))));
    let requests = model.requests.lock().expect("a lock");
    let cost =
        |request: &CompletionRequest| request.messages.iter().map(|message| tokens(&message.content)).sum::<usize>();
    assert!(requests.iter().all(|request| cost(request) <= 1200));

    assert_eq!((output.chunks as usize, output.findings.len()), (messages.len(), messages.len()));
    assert_eq!(output.answer["doubts"][1]["id"], "Q1-2");
    assert_eq!(output.tokens_in as usize, messages.len() * 100);
}

#[test]
fn what_was_never_said_is_flagged_in_the_answer_and_in_the_finding() {
    let model = ScriptedModel::answering([Ok(doubt("Bo doubts the plane.", "s1", "is the plane on time"))]);
    let output =
        call(&config(json!({})).expect("a lens"), over(&[("Bo", "Is the bus on time?")]), &model).expect("an answer");
    assert_eq!((output.unsupported, &output.answer["doubts"][0]["evidence"][0]["unsupported"]), (1, &json!(true)));
    assert_eq!((output.findings[0].kind.as_str(), output.findings[0].unsupported), ("unsupported-doubt", true));
    assert_eq!(output.findings[0].confidence, 0.2);
}

#[test]
fn findings_are_read_in_place_of_the_transcript_and_quotes_looked_up_in_it() {
    let sets = |findings: Vec<LensFinding>| Some(vec![LensFindingSet { findings }]);
    let found = vec![finding("facts", 1, "The bus is late."), finding("facts", 2, "It rains.")];
    let answers = || ScriptedModel::answering([Ok(doubt("Doubt", "s1", "never on a Monday"))]);
    let lens = config(json!({})).expect("a lens");

    let model = answers();
    let talk = transcript(&[("Ann", "The bus is late, but never on a Monday.")]);
    let output =
        call(&lens, LensInput { transcript: Some(talk), findings: sets(found.clone()) }, &model).expect("an answer");
    assert!(
        model.user_messages()[0]
            .starts_with("Findings\n\n## facts\n\n- facts-1, fact, confidence 0.50: The bus is late.\n")
    );
    assert_eq!((output.unsupported, output.chunks), (0, 1));

    let output = call(&lens, LensInput { transcript: None, findings: sets(found) }, &answers()).expect("an answer");
    assert_eq!(output.unsupported, 1, "without a transcript, what findings quote is all that was said");
}

#[test]
fn findings_without_room_are_counted() {
    let many = (1..=60).map(|n| finding("facts", n, "The bus is late again, and nobody knows why.")).collect();
    let input = LensInput { transcript: None, findings: Some(vec![LensFindingSet { findings: many }]) };
    let model = ScriptedModel::answering([Ok(json!({ "doubts": [] }))]);
    let output = call(&config(json!({ "budget": 300 })).expect("a lens"), input, &model).expect("an answer");
    let shown = model.user_messages()[0].matches("- facts-").count() as u64;
    assert!(shown > 0 && tokens(&model.user_messages()[0]) < 320);
    assert_eq!(output.left_out["facts"], 60 - shown);
}

#[test]
fn no_findings_are_told_as_such() {
    let model = ScriptedModel::answering([Ok(json!({ "doubts": [] }))]);
    let input = LensInput { transcript: None, findings: Some(Vec::new()) };
    assert!(call(&config(json!({})).expect("a lens"), input, &model).is_ok());
    assert_eq!(model.user_messages(), ["Findings\n\nThe analyses found nothing.\n"]);
}

#[test]
fn a_failure_of_the_model_is_passed_on() {
    let failure = Failure::Unavailable("the server is down".into());
    let model = ScriptedModel::answering([Err(failure.clone())]);
    assert_eq!(call(&config(json!({})).expect("a lens"), over(&[("Ann", "Hello.")]), &model), Err(failure));
    let model = ScriptedModel::answering([Ok(json!(["no object"]))]);
    let failed = call(&config(json!({})).expect("a lens"), over(&[("Ann", "Hello.")]), &model);
    assert!(matches!(failed, Err(Failure::InvalidOutput(_))));
}

#[test]
fn nothing_to_read_is_refused() {
    let lens = config(json!({})).expect("a lens");
    let model = ScriptedModel::default();
    let nothing = call(&lens, LensInput::default(), &model);
    assert_eq!(nothing, Err(Failure::InvalidInput("neither a transcript nor findings to read".into())));
    let empty = call(&lens, over(&[("Ann", " \n")]), &model);
    assert_eq!(empty, Err(Failure::InvalidInput("the transcript holds no words".into())));
}

#[test]
fn a_file_that_is_no_lens_and_a_context_too_small_are_refused_before_any_call() {
    let no_lens = config(json!({ "prompt": { "path": "x.md", "text": "Find doubts." } })).expect_err("no lens");
    assert_eq!(
        no_lens,
        Failure::InvalidConfig("`x.md` is not a lens: line 1: a lens begins with its title, `# …`".into())
    );
    let small = config(json!({ "context": 500 })).expect_err("too small");
    assert!(
        matches!(&small, Failure::InvalidConfig(why) if why.starts_with("`context` is 500 tokens, but `doubts.md` needs"))
    );
    assert!(config(json!({ "lens": {} })).is_err(), "the file, read, is no key");
}

#[test]
fn an_answer_is_a_set_of_findings_to_any_other_analyzer() {
    let model = ScriptedModel::answering([Ok(doubt("Bo doubts the bus.", "s1", "the bus"))]);
    let output = call(&config(json!({})).expect("a lens"), over(&[("Bo", "The bus?")]), &model).expect("an answer");
    let document = output.into_document().expect("JSON");
    let set = jackfield_text::FindingSet::from_document(Document::new(document.json)).expect("findings");
    assert_eq!((set.findings[0].kind.as_str(), set.findings[0].source.as_str()), ("doubt", "doubts"));
}

#[test]
fn the_worked_example_is_exact_for_a_model_that_answers_so() {
    let example = Lens::examples().remove(0);
    let model = ScriptedModel::answering([Ok(example.output["answer"].clone())]);
    let lens: Lens = serde_json::from_value(example.config).expect("a config");
    let input = LensInput::from_document(Document::new(example.input.to_string())).expect("an input");
    let output = call_in(Lens::NAME, &lens.open().expect("a lens"), input, &model).expect("an answer");
    let output: Value = serde_json::from_str(&output.into_document().expect("a document").json).expect("JSON");
    assert_eq!(output, example.output);
}

#[test]
fn beside_findings_an_excerpt_of_the_transcript_is_read_where_it_is_asked_for() {
    let input = || LensInput {
        transcript: Some(transcript(&[("Ann", "We take the bus."), ("Bo", "Is the bus on time?")])),
        findings: Some(vec![LensFindingSet { findings: vec![finding("a", 2, "The bus may be late.")] }]),
    };
    let asked = |with: Value| {
        let model = ScriptedModel::answering([Ok(json!({ "doubts": [] }))]);
        call(&config(with).expect("a lens"), input(), &model).expect("an answer");
        let request = model.requests.lock().expect("a lock").remove(0);
        (request.messages[0].content.clone(), request.messages[1].content.clone())
    };
    let (plain_system, plain) = asked(json!({}));
    let (system, message) = asked(json!({ "excerpt": 100 }));
    assert!(!plain_system.contains("excerpt") && system.contains("an excerpt of the transcript"));
    let excerpt = "\n## Excerpt of the transcript\n\n[s1] Ann: We take the bus.\n[s2] Bo: Is the bus on time?\n";
    assert_eq!(message, format!("{plain}{excerpt}"));
    let (_, around) = asked(json!({ "excerpt": 14, "excerpt_of": "findings" }));
    assert_eq!(around, format!("{plain}\n## Excerpt of the transcript\n\n[s2] Bo: Is the bus on time?\n"));

    let model = ScriptedModel::answering([]);
    let without = LensInput { transcript: None, ..input() };
    let failure = call(&config(json!({ "excerpt": 100 })).expect("a lens"), without, &model);
    assert!(matches!(failure, Err(Failure::InvalidInput(_))), "{failure:?}");
}

#[test]
fn a_model_is_asked_for_the_chosen_parts_of_the_answer_alone() {
    let text = DOUBTS.replace("\"doubts\":{}", "\"doubts\":{},\"notes\":{}");
    let with = |keys: Value| config(json!({ "prompt": { "path": "doubts.md", "text": text }, "keys": keys }));
    let model = ScriptedModel::answering([Ok(json!({ "notes": [] }))]);
    call(&with(json!(["notes"])).expect("a lens"), over(&[("Ann", "We take the bus.")]), &model).expect("an answer");
    let request = model.requests.lock().expect("a lock").remove(0);
    assert_eq!(request.schema.expect("a schema")["properties"], json!({ "notes": {} }));
    assert!(!request.messages[0].content.contains("\"doubts\""));
    assert!(with(json!(["note"])).is_err());
    assert!(config(json!({ "max_per_source": 0 })).is_err());
}
