//! Reads prompts: captures their hidden states, and scores replies to them.

use crate::{Edits, Observer, Positions, RunError, Step, Transformer, log_probabilities};

/// A prompt whose hidden states are asked for.
#[derive(Clone, Copy, Debug)]
pub struct CaptureRequest<'a> {
    /// At least one token.
    pub prompt: &'a [u32],
    /// The edits to read under.
    pub edits: Option<&'a Edits>,
    /// The positions, in this order.
    pub positions: &'a [usize],
    /// The layers, in this order: 0 is the embeddings, n what the n-th block hands on.
    pub layers: &'a [usize],
}

/// A reply whose likelihood is asked for, read as if the model had said it.
#[derive(Clone, Copy, Debug)]
pub struct ScoreRequest<'a> {
    /// At least one token.
    pub prompt: &'a [u32],
    /// The reply's tokens.
    pub reply: &'a [u32],
    /// The edits to read under.
    pub edits: Option<&'a Edits>,
}

impl Transformer {
    /// The hidden states of prompts, which are read together: of each, an array of shape `[positions, layers, hidden]`, or
    /// what is wrong with the request, which changes nothing for the others.
    ///
    /// # Errors
    /// Of a request, [`RunError`] for a position, a layer or a token that there is not, and for states that are not numbers.
    pub fn capture(&self, requests: &[CaptureRequest<'_>]) -> Vec<Result<Vec<f32>, RunError>> {
        let hidden = self.architecture.hidden;
        let mut captured = Vec::with_capacity(requests.len());
        let mut sequences = Vec::with_capacity(requests.len());
        for request in requests {
            let sequence = self.check_capture(request).and_then(|()| self.sequence(request.prompt.len()));
            captured.push(match sequence {
                Ok(sequence) => {
                    sequences.push((captured.len(), sequence));
                    Ok(vec![0.0; request.positions.len() * request.layers.len() * hidden])
                }
                Err(error) => Err(error),
            });
        }
        let indices: Vec<usize> = sequences.iter().map(|(index, _)| *index).collect();
        let steps = sequences.iter_mut().map(|(index, sequence)| Step {
            sequence,
            tokens: requests[*index].prompt,
            edits: requests[*index].edits,
            hidden: Positions::These(requests[*index].positions),
            logits: Positions::None,
        });
        let mut steps: Vec<Step<'_>> = steps.collect();
        let mut observer = Captured { requests, indices: &indices, captured };
        let read = self.forward(&mut steps, &mut observer);
        with_failure(observer.captured, &indices, read)
    }

    fn check_capture(&self, request: &CaptureRequest<'_>) -> Result<(), RunError> {
        self.check_prompt(request.prompt)?;
        let (layers, positions) = (self.architecture.layers + 1, request.prompt.len());
        if let Some(&layer) = request.layers.iter().find(|layer| **layer >= layers) {
            return Err(RunError::UnknownLayer { layer, layers });
        }
        match request.positions.iter().find(|position| **position >= positions) {
            Some(&position) => Err(RunError::UnknownPosition { position, positions }),
            None => Ok(()),
        }
    }

    /// The natural logarithm of the probability of each token of replies, given all before it: negative infinity for one
    /// that cannot come. What is wrong with a request changes nothing for the others. The logits in the place of each token
    /// are handed on with the indices of request and token.
    ///
    /// # Errors
    /// Of a request, [`RunError`] for a token that there is not, and for logits that are not numbers.
    pub fn score(
        &self,
        requests: &[ScoreRequest<'_>],
        observe: &mut dyn FnMut(usize, usize, &[f32]),
    ) -> Vec<Result<Vec<f64>, RunError>> {
        let mut scores = Vec::with_capacity(requests.len());
        let mut readings = Vec::with_capacity(requests.len());
        for request in requests {
            // The last token is not read, but it is looked up.
            let read = request.reply.split_last().map_or(request.reply, |(_, read)| read);
            let tokens = [request.prompt, read].concat();
            let sequence = self
                .check_prompt(request.prompt)
                .and_then(|()| self.check_tokens(request.reply))
                .and_then(|()| self.sequence(tokens.len()));
            scores.push(match sequence {
                Ok(sequence) => {
                    if !request.reply.is_empty() {
                        readings.push((scores.len(), tokens, sequence));
                    }
                    Ok(Vec::with_capacity(request.reply.len()))
                }
                Err(error) => Err(error),
            });
        }
        let indices: Vec<usize> = readings.iter().map(|(index, ..)| *index).collect();
        let steps = readings.iter_mut().map(|(index, tokens, sequence)| Step {
            sequence,
            tokens,
            edits: requests[*index].edits,
            hidden: Positions::None,
            logits: Positions::From(requests[*index].prompt.len() - 1),
        });
        let mut steps: Vec<Step<'_>> = steps.collect();
        let mut scored = Scored { requests, indices: &indices, scores, observe };
        let read = self.forward(&mut steps, &mut scored);
        with_failure(scored.scores, &indices, read)
    }

    /// Whether a prompt can be read at all.
    pub(crate) fn check_prompt(&self, prompt: &[u32]) -> Result<(), RunError> {
        if prompt.is_empty() {
            return Err(RunError::NoTokens);
        }
        if prompt.len() > self.architecture.context {
            return Err(RunError::TooLong { tokens: prompt.len(), most: self.architecture.context });
        }
        self.check_tokens(prompt)
    }

    fn check_tokens(&self, tokens: &[u32]) -> Result<(), RunError> {
        let vocabulary = self.architecture.vocabulary;
        match tokens.iter().find(|token| **token as usize >= vocabulary) {
            Some(&token) => Err(RunError::UnknownToken { token, vocabulary }),
            None => Ok(()),
        }
    }
}

/// Results, where those of a pass that was not made are its error.
fn with_failure<T>(
    mut results: Vec<Result<T, RunError>>,
    indices: &[usize],
    read: Result<(), RunError>,
) -> Vec<Result<T, RunError>> {
    if let Err(error) = read {
        for &index in indices {
            results[index] = Err(error.clone());
        }
    }
    results
}

struct Captured<'a> {
    requests: &'a [CaptureRequest<'a>],
    /// Of each step, the index of its request.
    indices: &'a [usize],
    captured: Vec<Result<Vec<f32>, RunError>>,
}

impl Observer for Captured<'_> {
    fn hidden(&mut self, step: usize, position: usize, layer: usize, state: &[f32]) {
        let request = self.indices[step];
        let CaptureRequest { positions, layers, .. } = self.requests[request];
        let Ok(captured) = &mut self.captured[request] else { return };
        if !layers.contains(&layer) {
            return;
        }
        if state.iter().any(|component| !component.is_finite()) {
            self.captured[request] = Err(RunError::StateNotFinite { position, layer });
            return;
        }
        for (row, _) in positions.iter().enumerate().filter(|(_, wanted)| **wanted == position) {
            for (column, _) in layers.iter().enumerate().filter(|(_, wanted)| **wanted == layer) {
                let begin = (row * layers.len() + column) * state.len();
                captured[begin..][..state.len()].copy_from_slice(state);
            }
        }
    }
}

struct Scored<'a> {
    requests: &'a [ScoreRequest<'a>],
    /// Of each step, the index of its request.
    indices: &'a [usize],
    scores: Vec<Result<Vec<f64>, RunError>>,
    observe: &'a mut dyn FnMut(usize, usize, &[f32]),
}

impl Observer for Scored<'_> {
    fn logits(&mut self, step: usize, position: usize, logits: &[f32]) {
        let request = self.indices[step];
        let Ok(scores) = &mut self.scores[request] else { return };
        let index = position + 1 - self.requests[request].prompt.len();
        match log_probabilities(logits) {
            Some(all) => {
                scores.push(all[self.requests[request].reply[index] as usize]);
                (self.observe)(request, index, logits);
            }
            None => self.scores[request] = Err(RunError::NotFinite { position }),
        }
    }
}
