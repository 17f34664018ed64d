//! The configuration of the model `replay`, and its answers.

use std::{fs, sync::OnceLock};

use jackfield_plugin_api::prelude::*;

use super::{
    format::Recording,
    nearest::{Index, difference},
};

/// Answers as recorded.
///
/// A request is looked up by all that its answer depends on, and by its replicate. One that was not recorded fails as
/// `invalid-input` and shows what in the nearest recorded request differs.
#[derive(Debug, Config)]
pub struct Replay {
    /// Recorded answers: JSON Lines of `{"request": …, "replicate": 0, "completion": …}`.
    pub file: DigestedPath,
    #[serde(skip)]
    recording: Recording,
    #[serde(skip)]
    index: OnceLock<Index>,
}

impl Model for Replay {
    const NAME: &'static str = "replay";
    const STABILITY: Stability = Stability::Beta;

    fn open(mut self) -> Result<Self> {
        let path = self.file.path.display();
        let text = fs::read_to_string(&self.file.path).map_err(|error| {
            Failure::InvalidConfig(format!("failed to read recorded answers from `{path}`: {error}"))
        })?;
        self.recording = Recording::parse(&text)
            .map_err(|reason| Failure::InvalidConfig(format!("`{path}` holds no recorded answer in {reason}")))?;
        Ok(self)
    }

    async fn complete(&self, request: CompletionRequest, _host: &Host<'_>) -> Result<Completion> {
        let Some(recorded) = self.recording.find(&request) else {
            return Err(Failure::InvalidInput(self.unknown(&request)));
        };
        recorded.answers.get(&request.replicate).cloned().ok_or_else(|| {
            let mut replicates = recorded.answers.keys().copied().collect::<Vec<_>>();
            replicates.sort_unstable();
            let shown = replicates.iter().take(8).map(u32::to_string).collect::<Vec<_>>().join(", ");
            Failure::InvalidInput(format!(
                "replicate {} of this request is not recorded in `{}`; of it, {} are: {shown}{}",
                request.replicate,
                self.file.path.display(),
                replicates.len(),
                if replicates.len() > 8 { ", …" } else { "" },
            ))
        })
    }
}

impl Replay {
    /// The message about a request that was not recorded.
    fn unknown(&self, request: &CompletionRequest) -> String {
        let (path, count) = (self.file.path.display(), self.recording.answer_count());
        let index =
            self.index.get_or_init(|| Index::new(self.recording.requests.iter().map(|recorded| &recorded.request)));
        match index.nearest(request).and_then(|place| self.recording.requests.get(place)) {
            None => format!("this request is not recorded in `{path}`, which holds no answers"),
            Some(nearest) => format!(
                "this request is not recorded in `{path}`, which holds {count} answers; the nearest, of line {}, differs in {}",
                nearest.line,
                difference(request, &nearest.request),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::line, *};
    use crate::testing::ask;

    fn asked(text: &str) -> CompletionRequest {
        CompletionRequest::new(vec![Message::system("Be brief."), Message::user(text)])
    }

    fn said(text: &str) -> Completion {
        Completion { text: text.into(), ..Completion::default() }
    }

    fn opened(lines: &[String]) -> (tempfile::TempDir, Result<Replay>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("answers.jsonl");
        fs::write(&file, lines.join("\n")).unwrap();
        let replay = Replay {
            file: DigestedPath::without_digest(file),
            recording: Recording::default(),
            index: OnceLock::new(),
        };
        (folder, replay.open())
    }

    #[tokio::test]
    async fn a_recorded_request_has_its_answer_per_replicate() {
        let (_folder, replay) = opened(&[
            line(&asked("Why?"), 0, &said("old")),
            line(&asked("Why?"), 1, &said("one")),
            line(&asked("How?"), 0, &said("two")),
            line(&asked("Why?"), 0, &said("zero")),
        ]);
        let replay = replay.unwrap();
        for (text, replicate, answer) in [("Why?", 0, "zero"), ("Why?", 1, "one"), ("How?", 0, "two")] {
            let request = CompletionRequest { replicate, validate: false, ..asked(text) };
            assert_eq!(ask(&replay, request).await, Ok(said(answer)));
        }
        let failure = ask(&replay, CompletionRequest { replicate: 7, ..asked("Why?") }).await.unwrap_err();
        assert!(failure.message().starts_with("replicate 7 of this request is not recorded in `/"), "{failure:?}");
        assert!(failure.message().ends_with("of it, 2 are: 0, 1"), "{failure:?}");
    }

    #[tokio::test]
    async fn an_unknown_request_is_shown_beside_the_nearest_one() {
        let (_folder, replay) = opened(&[
            line(&asked("Is the sky green?"), 0, &said("no")),
            line(&asked("First line.\nIs the late train to Lyon full?"), 0, &said("yes")),
        ]);
        let failure = ask(&replay.unwrap(), asked("First line.\nIs the early train to Lyon full?")).await.unwrap_err();
        let Failure::InvalidInput(message) = failure else { panic!("{failure:?}") };
        assert!(
            message.ends_with(
                "answers.jsonl`, which holds 2 answers; the nearest, of line 2, differs in message 2, line 2: \
                 asked `Is the early train to Lyon full?`, recorded `Is the late train to Lyon full?`"
            ),
            "{message}"
        );
        let (_folder, empty) = opened(&[]);
        let failure = ask(&empty.unwrap(), asked("Why?")).await.unwrap_err();
        assert!(failure.message().ends_with("which holds no answers"));
    }

    #[test]
    fn a_file_that_is_missing_or_broken_fails_when_the_model_is_opened() {
        let gone = Replay {
            file: DigestedPath::without_digest("/no/such/answers.jsonl"),
            recording: Recording::default(),
            index: OnceLock::new(),
        };
        let Err(Failure::InvalidConfig(message)) = gone.open() else { panic!() };
        assert!(message.starts_with("failed to read recorded answers from `/no/such/answers.jsonl`: "));
        let (_folder, broken) = opened(&[line(&asked("Why?"), 0, &said("x")), "{".to_owned()]);
        let Err(Failure::InvalidConfig(message)) = broken else { panic!() };
        assert!(message.contains("answers.jsonl` holds no recorded answer in line 2, column 1: "), "{message}");
    }
}
