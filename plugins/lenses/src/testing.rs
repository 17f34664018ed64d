//! What the unit tests share.

use std::sync::Mutex;

use jackfield_plugin_api::{BoxFuture, HostCalls, prelude::*};
use jackfield_text::{Evidence, Segment, Transcript};
use serde_json::{Value, json};

use crate::findings::LensFinding;

/// A host whose model gives prepared answers, one after the other, and keeps the requests.
#[derive(Default)]
pub(crate) struct ScriptedModel {
    pub(crate) answers: Mutex<Vec<Result<Value>>>,
    pub(crate) requests: Mutex<Vec<CompletionRequest>>,
}

impl ScriptedModel {
    pub(crate) fn answering(answers: impl IntoIterator<Item = Result<Value>>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), requests: Mutex::default() }
    }

    /// The user's message of each request.
    pub(crate) fn user_messages(&self) -> Vec<String> {
        self.requests.lock().expect("a lock").iter().map(|request| request.messages[1].content.clone()).collect()
    }
}

impl HostCalls for ScriptedModel {
    fn log(&self, _level: Level, _target: &str, _message: &str) {}
    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}
    fn cancelled(&self) -> bool {
        false
    }

    fn complete<'a>(&'a self, _index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion>> {
        self.requests.lock().expect("a lock").push(request);
        let answer = self.answers.lock().expect("a lock").remove(0);
        let usage = Some(Usage::new(100, 10));
        Box::pin(
            async move { answer.map(|value| Completion { text: value.to_string(), usage, ..Completion::default() }) },
        )
    }
}

/// A citation as a model writes it.
pub(crate) fn citation(segment: &str, quote: &str) -> Value {
    json!({ "segment": segment, "quote": quote })
}

/// A finding of kind `fact` from this source, on the segment of its number, that quotes its own text.
pub(crate) fn finding(source: &str, number: usize, text: &str) -> LensFinding {
    let (segment, speaker) = (format!("s{number}"), Some("Ann".to_owned()));
    LensFinding {
        id: format!("{source}-{number}"),
        kind: "fact".into(),
        text: text.into(),
        confidence: 0.5,
        source: source.into(),
        evidence: vec![Evidence { segment, speaker, start: None, quote: text.into() }],
        ..LensFinding::default()
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
