//! Turns completion requests into jobs of the worker.

use std::sync::Arc;

use jackfield_plugin_api::{
    Capture, CompletionRequest, Component, Edit, Failure, Host, LogProbsOn, Result, RowNormalization,
};

use super::prompt::ModelText;
use crate::{RequestNeed, RunError, Sampling};

/// What the worker does for a request.
#[derive(Debug)]
pub(super) struct Job {
    /// At least one token, if there is work.
    pub(super) prompt: Vec<u32>,
    pub(super) edits: Vec<KeyedEdit>,
    pub(super) capture: Option<CaptureJob>,
    /// Whether the mean of the prompt's last layer is asked for.
    pub(super) embed: bool,
    /// A reply whose log-probabilities are asked for.
    pub(super) reply: Option<Vec<u32>>,
    pub(super) logs: LogProbsToKeep,
    pub(super) writing: Option<ReplyToWrite>,
    /// Tokens of a prompt and its answer that a model must have memory for to be of use.
    pub(super) usual: usize,
}

/// Hidden states that are asked for.
#[derive(Clone, Debug)]
pub(super) struct CaptureJob {
    /// In the order of the answer: 0 is the embeddings.
    pub(super) layers: Vec<usize>,
    /// In the order of the answer, from 0.
    pub(super) positions: Vec<usize>,
}

/// Which log-probabilities are kept of a token.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LogProbsToKeep {
    /// Of how many tokens of what the model itself writes.
    pub(super) first: usize,
    /// How many of the likeliest tokens.
    pub(super) top: usize,
    /// Whether all are kept.
    pub(super) distribution: bool,
}

/// A reply that the model writes.
#[derive(Clone, Debug)]
pub(super) struct ReplyToWrite {
    /// The most tokens, at least 1.
    pub(super) most: usize,
    pub(super) sampling: Sampling,
    /// Texts that end it.
    pub(super) stop: Vec<String>,
}

/// An edit with its direction.
#[derive(Clone, Debug)]
pub(super) struct KeyedEdit {
    pub(super) key: EditKey,
    pub(super) direction: Arc<[f32]>,
}

/// What tells an edit from others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EditKey {
    pub(super) component: Component,
    pub(super) layer: usize,
    /// SHA-256 of the tensor that holds the direction.
    pub(super) tensor: String,
    pub(super) row: u32,
    /// The bits of the weight, which is not 0.
    pub(super) weight: u64,
    pub(super) normalization: RowNormalization,
}

/// What of a job is needed to write the answer.
#[derive(Clone, Debug)]
pub(super) struct JobShape {
    pub(super) prompt: Vec<u32>,
    pub(super) capture: Option<CaptureJob>,
}

impl Job {
    /// Whether the model's weights are needed.
    pub(super) fn is_work(&self) -> bool {
        self.capture.is_some() || self.embed || self.reply.is_some() || self.writing.is_some()
    }

    pub(super) fn shape(&self) -> JobShape {
        JobShape { prompt: self.prompt.clone(), capture: self.capture.clone() }
    }

    /// What it needs, as far as its memory depends on it.
    pub(super) fn need(&self) -> RequestNeed {
        let reply = self.reply.as_ref().map_or(0, Vec::len);
        // The reply that is read and the one that is written go on in sequences of their own.
        let sequences = 1 + usize::from(reply > 0 && self.writing.is_some());
        let captured = self.capture.as_ref().map_or(0, |capture| capture.positions.len() * capture.layers.len());
        RequestNeed {
            capacity: self.capacity() * sequences,
            tokens: self.prompt.len() + reply,
            logits: reply.max(1),
            hidden_states: captured,
            distributions: if self.logs.distribution { reply.max(self.logs.first) } else { 0 },
        }
    }

    /// How many tokens a sequence needs room for. The last token of a reply is not read.
    pub(super) fn capacity(&self) -> usize {
        let written = self.writing.as_ref().map_or(0, |writing| writing.most - 1);
        let read = self.reply.as_ref().map_or(0, |reply| reply.len().saturating_sub(1));
        self.prompt.len() + written.max(read)
    }
}

/// A request, and what the configuration says of it.
pub(super) struct RequestWithDefaults<'a> {
    pub(super) request: &'a CompletionRequest,
    pub(super) sampling: Sampling,
    /// Most tokens where the request does not say.
    pub(super) max_tokens: usize,
    /// Most tokens of prompt and answer together.
    pub(super) context: usize,
}

impl RequestWithDefaults<'_> {
    /// What the worker has to do.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] for a prompt that is too long, or a layer, a position or a direction that cannot be.
    pub(super) fn job(&self, text: &ModelText, host: &Host<'_>) -> Result<Job> {
        let request = self.request;
        let prompt = text.prompt(request)?;
        let read = prompt.len();
        if read > self.context {
            let larger = match text.architecture.context {
                most if self.context < most => format!(", or set a larger `context`: it can read {most}"),
                _ => String::new(),
            };
            return Err(Failure::InvalidInput(format!(
                "the prompt has {read} tokens, and the model reads {} at the most: shorten it{larger}",
                self.context
            )));
        }
        let (mut logs, mut reply) = (LogProbsToKeep::default(), None);
        if let Some(asked) = &request.logprobs {
            logs = LogProbsToKeep { first: 0, top: asked.top as usize, distribution: asked.distribution };
            match &asked.on {
                LogProbsOn::First(first) => logs.first = *first as usize,
                LogProbsOn::Reply(said) => reply = Some(text.tokenizer.encode(said, false)?),
            }
        }
        let most = match request.max_tokens {
            // What it would say is only wanted for its log-probabilities.
            Some(0) => logs.first,
            Some(most) => most as usize,
            None => self.max_tokens,
        };
        // The last token is not read, so there is room for one more than the context has.
        let most = most.min(self.context - read + 1);
        // No more are written, and room for their distributions is not reserved in vain.
        logs.first = logs.first.min(most);
        let writing = (most > 0).then(|| ReplyToWrite { most, sampling: self.sampling, stop: request.stop.clone() });
        let edits = request.edits.iter().filter(|edit| edit.weight != 0.0);
        let job = Job {
            edits: edits.map(|edit| keyed(edit, text, host)).collect::<Result<_>>()?,
            capture: request.capture.as_ref().map(|capture| positions(capture, text, read)).transpose()?,
            embed: request.embed,
            reply,
            logs,
            writing,
            usual: self.max_tokens.min(self.context),
            prompt,
        };
        if job.is_work() && read == 0 {
            return Err(RunError::NoTokens.into());
        }
        if job.capacity() > self.context {
            return Err(Failure::InvalidInput(format!(
                "the prompt and the reply have {} tokens, and the model reads {} at the most",
                job.capacity() + 1,
                self.context
            )));
        }
        Ok(job)
    }
}

fn positions(capture: &Capture, text: &ModelText, read: usize) -> Result<CaptureJob> {
    let most = text.architecture.layers;
    let layers: Vec<usize> = match &capture.layers {
        Some(layers) => layers.iter().map(|layer| *layer as usize).collect(),
        None => (0..=most).collect(),
    };
    if let Some(beyond) = layers.iter().find(|layer| **layer > most) {
        return Err(Failure::InvalidInput(format!("there is no layer {beyond} to capture: they go from 0 to {most}")));
    }
    let index_of_position = |position: &i64| {
        let from_front = if *position < 0 { position.saturating_add(read as i64) } else { *position };
        let there = usize::try_from(from_front).ok().filter(|position| *position < read);
        there.ok_or_else(|| {
            Failure::InvalidInput(format!("there is no position {position} to capture: the prompt has {read} tokens"))
        })
    };
    let positions =
        capture.positions.as_deref().unwrap_or(&[-1]).iter().map(index_of_position).collect::<Result<_>>()?;
    Ok(CaptureJob { layers, positions })
}

fn keyed(edit: &Edit, text: &ModelText, host: &Host<'_>) -> Result<KeyedEdit> {
    let (layers, hidden) = (text.architecture.layers, text.architecture.hidden);
    if edit.layer as usize >= layers {
        let what = format!("there is no layer {} to edit: there are {layers}, counted from 0", edit.layer);
        return Err(Failure::InvalidInput(what));
    }
    if edit.direction.shape.last() != Some(&(hidden as u64)) {
        let what = format!("a direction of shape {:?} for a model that is {hidden} wide", edit.direction.shape);
        return Err(Failure::InvalidInput(what));
    }
    let mut direction = vec![0.0_f32; hidden];
    host.tensor(&edit.direction)?.read(u64::from(edit.row) * hidden as u64, &mut direction)?;
    let key = EditKey {
        component: edit.component,
        layer: edit.layer as usize,
        tensor: edit.direction.sha256.clone(),
        row: edit.row,
        weight: edit.weight.to_bits(),
        normalization: edit.row_normalization,
    };
    Ok(KeyedEdit { key, direction: direction.into() })
}
