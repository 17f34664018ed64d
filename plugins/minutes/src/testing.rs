//! What the unit tests share.

use std::{future::Future, pin::pin, sync::Arc, task};

use jackfield_plugin_api::{Analyzer, Context, Example, IntoDocument, prelude::*, testing::FakeHost};
use jackfield_text::{Evidence, Finding, Segment, Transcript};
use proptest::prelude::*;

/// Calls an analyzer as a stage that has the analyzer's name.
pub(crate) fn call<A: Analyzer>(analyzer: &A, input: A::Input) -> Result<A::Output> {
    call_on(analyzer, input, &FakeHost::default())
}

/// The same, with this host.
pub(crate) fn call_on<A: Analyzer>(analyzer: &A, input: A::Input, host: &FakeHost) -> Result<A::Output> {
    let context = Context { stage: A::NAME.into(), item: "item".into(), element: 0, replicate: 0, seed: 7 };
    let host = Host::new(host, &context, 0);
    let future = pin!(analyzer.analyze(input, &host));
    match future.poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(result) => result,
        task::Poll::Pending => panic!("an analyzer of this crate never waits"),
    }
}

/// Runs an example through JSON and back, as the test kit does.
pub(crate) fn check_example<A: Analyzer>(example: Example) {
    let config: A = serde_json::from_value(example.config).expect("the example's config is valid");
    let analyzer = config.open().expect("the example's config makes sense");
    let document = jackfield_plugin_api::Document::new(Arc::<str>::from(example.input.to_string()));
    let input = jackfield_plugin_api::FromDocument::from_document(document).expect("the example's input is valid");
    let output = call(&analyzer, input).and_then(IntoDocument::into_document).expect("the example has an answer");
    let output: serde_json::Value = serde_json::from_str(&output.json).expect("answers are JSON");
    assert_eq!(output, example.output, "got:\n{output:#}");
}

pub(crate) fn evidence(segment: &str, speaker: Option<&str>, quote: &str) -> Evidence {
    Evidence { segment: segment.into(), speaker: speaker.map(Into::into), start: None, quote: quote.into() }
}

/// A finding of `kind` from the stage `<kind>s`.
pub(crate) fn finding(kind: &str, number: usize, text: &str, confidence: f64) -> Finding {
    Finding {
        id: format!("{kind}s-{number}"),
        kind: kind.into(),
        text: text.into(),
        confidence,
        source: format!("{kind}s"),
        evidence: vec![evidence(&format!("s{number}"), Some("Ann"), text)],
        owner: None,
        due: None,
        priority: None,
    }
}

pub(crate) fn transcript(turns: &[(&str, &str)]) -> Transcript {
    let segments = turns.iter().enumerate().map(|(index, (speaker, text))| Segment {
        id: format!("s{}", index + 1),
        speaker: (!speaker.is_empty()).then(|| (*speaker).to_owned()),
        text: (*text).to_owned(),
        start: None,
    });
    Transcript { title: None, segments: segments.collect() }
}

/// Scraps of talk, and anything else that a text can hold.
fn any_text() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "We take the bus.",
        "Yes.",
        "I disagree with the bus.",
        "Any objections?",
        "No.",
        "I'm worried that the bus is too late.",
        "I can live with it.",
        "It depends on the budget, maybe.",
        "Ann will call by Friday.",
        "Who drives the bus?",
    ]);
    prop_oneof![
        3 => prop::collection::vec(scrap, 1..4).prop_map(|scraps| scraps.join(" ")),
        1 => "\\PC{0,40}",
        1 => "[a-z |*<\\n]{0,200}",
    ]
}

pub(crate) fn any_transcript() -> impl Strategy<Value = Transcript> {
    let turn = (prop::sample::select(vec!["", "Ann", "Bo", "Cy"]), any_text());
    prop::collection::vec(turn, 0..20).prop_map(|turns| {
        let turns: Vec<(&str, &str)> = turns.iter().map(|(speaker, text)| (*speaker, text.as_str())).collect();
        transcript(&turns)
    })
}

pub(crate) fn any_findings() -> impl Strategy<Value = Vec<Finding>> {
    let kinds = vec!["decision", "action", "question", "key-point", "risk", "agreement", "proposal", "insight", ""];
    let texts = || prop::option::of(any_text());
    let one =
        (prop::sample::select(kinds), any_text(), 0.0..1.0, 0_usize..25, any_text(), texts(), texts(), 0_usize..3);
    let one = one.prop_map(|(kind, text, confidence, segment, quote, owner, due, places)| {
        let place = evidence(&format!("s{segment}"), Some("Ann"), &quote);
        let priority = Some(["high", "medium", "low"][places].to_owned());
        Finding { evidence: vec![place; places], owner, due, priority, ..finding(kind, segment, &text, confidence) }
    });
    prop::collection::vec(one, 0..40)
}
