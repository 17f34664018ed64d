//! A request that is being computed: what it reads of each pass, and its results so far.

use std::sync::Arc;

use jackfield_plugin_api::{Failure, Result};
use tokio::sync::oneshot;

use super::{
    job::{Job, LogProbsToKeep},
    prompt::ModelText,
};
use crate::{Edits, RunError, Sampler, Sequence, Transformer, lanes::rms_norm, log_probabilities};

/// What was found for a request.
#[derive(Debug, Default)]
pub(super) struct JobResult {
    /// Hidden states, of shape `[positions, layers, hidden]`.
    pub(super) hidden: Vec<f32>,
    pub(super) embedding: Vec<f32>,
    /// What the model says: up to the text that ended it.
    pub(super) text: String,
    /// Whether it said all it had to say.
    pub(super) is_complete: bool,
    /// How many tokens were drawn, the one that ended the reply included.
    pub(super) drawn: usize,
    pub(super) logs: Vec<TokenLog>,
    /// All log-probabilities of each of `logs`, one after the other, where they are asked for.
    pub(super) distribution: Vec<f32>,
}

/// The log-probability of a token, and the likeliest in its place.
#[derive(Debug)]
pub(super) struct TokenLog {
    pub(super) token: u32,
    pub(super) logprob: f64,
    pub(super) top: Vec<(u32, f64)>,
}

/// A request on its way. Its prompt was read, or is read in the pass at hand.
pub(super) struct Active {
    pub(super) job: Job,
    pub(super) answer: oneshot::Sender<Result<JobResult>>,
    pub(super) edits: Option<Arc<Edits>>,
    pub(super) writer: Option<Writer>,
    /// Reads the reply whose log-probabilities are asked for, until it was read.
    pub(super) reader: Option<Reader>,
    found: JobResult,
    /// Sum of the normed last layer over the prompt.
    sum: Vec<f64>,
    failure: Option<Failure>,
}

/// Writes a reply.
pub(super) struct Writer {
    /// Absent before the prompt was read.
    pub(super) sequence: Option<Sequence>,
    pub(super) unread: u32,
    sampler: Sampler,
    /// How many tokens the reply has.
    length: usize,
    /// What they say.
    said: Vec<u8>,
    ended: bool,
}

/// Reads a reply.
pub(super) struct Reader {
    /// Absent before the prompt was read.
    pub(super) sequence: Option<Sequence>,
}

impl Active {
    pub(super) fn new(
        job: Job,
        answer: oneshot::Sender<Result<JobResult>>,
        edits: Option<Arc<Edits>>,
        model: &Transformer,
    ) -> Self {
        let hidden = model.architecture.hidden;
        let captured = job.capture.as_ref().map_or(0, |capture| capture.positions.len() * capture.layers.len());
        let found = JobResult { hidden: vec![0.0; captured * hidden], ..JobResult::default() };
        let sum = if job.embed { vec![0.0; hidden] } else { Vec::new() };
        let reader = job.reply.as_ref().filter(|reply| !reply.is_empty()).map(|_| Reader { sequence: None });
        let mut active = Self { job, answer, edits, writer: None, reader, found, sum, failure: None };
        match active.job.writing.as_ref().map(|writing| writing.sampling.begin()).transpose() {
            Ok(sampler) => {
                active.writer = sampler.map(|sampler| Writer {
                    sequence: None,
                    unread: 0,
                    sampler,
                    length: 0,
                    said: Vec::new(),
                    ended: false,
                });
            }
            Err(error) => active.failure = Some(error.into()),
        }
        active
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    /// Whether the logits after the prompt are needed.
    pub(super) fn needs_logits(&self) -> bool {
        self.writer.is_some() || self.reader.is_some()
    }

    /// The first position of the prompt that something is to be shown of.
    pub(super) fn first_observed(&self) -> usize {
        let captured = self.job.capture.iter().flat_map(|capture| capture.positions.iter().copied());
        let summed = self.job.embed.then_some(0);
        captured.chain(summed).fold(self.job.prompt.len().saturating_sub(1), usize::min)
    }

    /// Whether hidden states of the prompt are needed.
    pub(super) fn needs_hidden(&self) -> bool {
        self.job.embed || self.job.capture.is_some()
    }

    /// Whether nothing more is to be computed.
    pub(super) fn is_done(&self) -> bool {
        self.failure.is_some() || (self.reader.is_none() && self.writer.as_ref().is_none_or(|writer| writer.ended))
    }

    /// Whether it writes on.
    pub(super) fn is_writing(&self) -> bool {
        self.failure.is_none() && self.writer.as_ref().is_some_and(|writer| !writer.ended)
    }

    /// How many tokens of the reply that is read are read by the model: all but the last.
    pub(super) fn rest_of_reply(&self) -> &[u32] {
        let reply = self.job.reply.as_deref().filter(|_| self.failure.is_none() && self.reader.is_some());
        reply.and_then(|reply| reply.split_last()).map_or(&[], |(_, rest)| rest)
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// Takes a hidden state of the prompt.
    pub(super) fn take_hidden(&mut self, model: &Transformer, position: usize, layer: usize, state: &[f32]) {
        let embeds = self.job.embed && layer == model.architecture.layers;
        let captures = self
            .job
            .capture
            .as_ref()
            .is_some_and(|capture| capture.positions.contains(&position) && capture.layers.contains(&layer));
        if (embeds || captures) && state.iter().any(|component| !component.is_finite()) {
            self.fail(RunError::StateNotFinite { position, layer }.into());
            return;
        }
        if let Some(capture) = &self.job.capture {
            let columns = capture.layers.len();
            for (row, _) in capture.positions.iter().enumerate().filter(|(_, wanted)| **wanted == position) {
                for (column, _) in capture.layers.iter().enumerate().filter(|(_, wanted)| **wanted == layer) {
                    let begin = (row * columns + column) * state.len();
                    self.found.hidden[begin..][..state.len()].copy_from_slice(state);
                }
            }
        }
        if embeds {
            let mut normed = vec![0.0; state.len()];
            rms_norm(&mut normed, state, &model.weights.final_norm, model.architecture.epsilon);
            self.sum.iter_mut().zip(&normed).for_each(|(sum, &x)| *sum += f64::from(x));
        }
    }

    /// Takes the logits after the prompt.
    pub(super) fn take_first(&mut self, position: usize, logits: &[f32], text: &ModelText) {
        if self.reader.is_some() {
            self.take_of_reply(position, logits);
        }
        if self.writer.is_some() {
            self.draw(position, logits, text);
        }
    }

    /// Takes the logits in the place of a token of the reply that is read.
    pub(super) fn take_of_reply(&mut self, position: usize, logits: &[f32]) {
        let index = position + 1 - self.job.prompt.len();
        if let Some(&token) = self.job.reply.as_ref().and_then(|reply| reply.get(index)) {
            self.log(token, position, logits);
        }
    }

    /// Draws the next token.
    pub(super) fn draw(&mut self, position: usize, logits: &[f32], text: &ModelText) {
        let (Some(writer), Some(writing)) = (&mut self.writer, &self.job.writing) else { return };
        let Some(token) = writer.sampler.next(logits) else {
            self.fail(RunError::NotFinite { position }.into());
            return;
        };
        self.found.drawn += 1;
        if text.ends.ends.contains(&token) {
            writer.ended = true;
            self.found.is_complete = true;
        } else {
            writer.length += 1;
            // What tokens say is what each says, one after the other.
            writer.said.extend(text.bytes(token));
            writer.unread = token;
            writer.ended = writer.length >= writing.most;
        }
        // Looked for after each token, so that nothing is written in vain.
        if writer.ended || !writing.stop.is_empty() {
            let bytes = &writer.said;
            match first_of(bytes, &writing.stop) {
                Some(end) => {
                    writer.ended = true;
                    self.found.is_complete = true;
                    self.found.text = String::from_utf8_lossy(&bytes[..end]).into_owned();
                }
                None if writer.ended => self.found.text = whole(bytes),
                None => {}
            }
        }
        if self.found.drawn <= self.job.logs.first {
            self.log(token, position, logits);
        }
    }

    fn log(&mut self, token: u32, position: usize, logits: &[f32]) {
        let Some(all) = log_probabilities(logits) else {
            self.fail(RunError::NotFinite { position }.into());
            return;
        };
        let LogProbsToKeep { top, distribution, .. } = self.job.logs;
        if distribution {
            self.found.distribution.extend(all.iter().map(|logprob| *logprob as f32));
        }
        self.found.logs.push(TokenLog { token, logprob: all[token as usize], top: likeliest(&all, top) });
    }

    /// Answers, with what was found or what is wrong.
    pub(super) fn finish(mut self, failure: Option<&Failure>) {
        if self.job.embed {
            let length = self.sum.iter().map(|x| x * x).sum::<f64>().sqrt();
            let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
            self.found.embedding = self.sum.iter().map(|x| (x * scale) as f32).collect();
        }
        let result = match self.failure.take().or_else(|| failure.cloned()) {
            Some(failure) => Err(failure),
            None => Ok(self.found),
        };
        // Whoever asked may have left.
        let _ = self.answer.send(result);
    }
}

/// The likeliest tokens, the likeliest first; those that cannot come are not among them.
fn likeliest(all: &[f64], count: usize) -> Vec<(u32, f64)> {
    let mut tokens: Vec<u32> = (0..all.len() as u32).filter(|token| all[*token as usize].is_finite()).collect();
    let order = |a: &u32, b: &u32| all[*b as usize].total_cmp(&all[*a as usize]).then(a.cmp(b));
    if count == 0 {
        return Vec::new();
    }
    if count < tokens.len() {
        tokens.select_nth_unstable_by(count - 1, order);
        tokens.truncate(count);
    }
    tokens.sort_unstable_by(order);
    tokens.into_iter().map(|token| (token, all[token as usize])).collect()
}

/// Where the first of some texts begins.
fn first_of(bytes: &[u8], texts: &[String]) -> Option<usize> {
    let begins = |text: &String| {
        let wanted = text.as_bytes();
        (!wanted.is_empty()).then(|| bytes.windows(wanted.len()).position(|window| window == wanted)).flatten()
    };
    texts.iter().filter_map(begins).min()
}

/// The text, without a character at its end of which only a part is there.
fn whole(bytes: &[u8]) -> String {
    let cut = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    String::from_utf8_lossy(&bytes[..cut]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_before_the_first_of_those_that_end_it_and_after_a_whole_character() {
        let stop = ["day".to_owned(), String::new(), "od".to_owned()];
        assert_eq!(first_of(b"good day", &stop), Some(2));
        assert_eq!(first_of(b"night", &stop), None);
        assert_eq!(whole("caf\u{e9}".as_bytes()), "caf\u{e9}");
        assert_eq!(whole(&"caf\u{e9}".as_bytes()[..4]), "caf");
        assert_eq!(whole(b"a\xff\xc3"), "a\u{fffd}\u{fffd}");
    }

    #[test]
    fn the_likeliest_come_first_and_those_that_cannot_come_never() {
        let all = [-1.0, f64::NEG_INFINITY, -0.5, -1.0];
        assert_eq!(likeliest(&all, 2), [(2, -0.5), (0, -1.0)]);
        assert_eq!(likeliest(&all, 9), [(2, -0.5), (0, -1.0), (3, -1.0)]);
        assert!(likeliest(&all, 0).is_empty());
    }
}
