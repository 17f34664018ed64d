//! What a model makes of prompts: hidden states, and the likelihood of replies.

use crate::{Edits, Observer, Positions, RunError, Sequence, Step, Transformer, log_probabilities};

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
    /// The hidden states of prompts, which are read together: of each, an array of shape `[positions, layers, hidden]`.
    ///
    /// # Errors
    /// [`RunError`] for a position, a layer or a token that there is not.
    pub fn capture(&self, requests: &[CaptureRequest<'_>]) -> Result<Vec<Vec<f32>>, RunError> {
        let layers = self.architecture.layers + 1;
        for request in requests {
            if let Some(&layer) = request.layers.iter().find(|layer| **layer >= layers) {
                return Err(RunError::UnknownLayer { layer, layers });
            }
            let positions = request.prompt.len();
            if let Some(&position) = request.positions.iter().find(|position| **position >= positions) {
                return Err(RunError::UnknownPosition { position, positions });
            }
        }
        let hidden = self.architecture.hidden;
        let size = |request: &CaptureRequest<'_>| request.positions.len() * request.layers.len() * hidden;
        let captured = requests.iter().map(|request| vec![0.0; size(request)]).collect();
        let mut observer = Captured { requests, captured };
        let mut sequences = self.sequences(requests.iter().map(|request| request.prompt.len()))?;
        let steps = requests.iter().zip(&mut sequences).map(|(request, sequence)| Step {
            sequence,
            tokens: request.prompt,
            edits: request.edits,
            hidden: Positions::These(request.positions),
            logits: Positions::None,
        });
        self.forward(&mut steps.collect::<Vec<_>>(), &mut observer)?;
        Ok(observer.captured)
    }

    /// The natural logarithm of the probability of each token of replies, given all before it: negative infinity for one
    /// that cannot come. The logits in the place of each token are handed on with the indices of request and token.
    ///
    /// # Errors
    /// [`RunError`] for a token that there is not, and for logits that are not numbers.
    pub fn score(
        &self,
        requests: &[ScoreRequest<'_>],
        observe: &mut dyn FnMut(usize, usize, &[f32]),
    ) -> Result<Vec<Vec<f64>>, RunError> {
        let vocabulary = self.architecture.vocabulary;
        let mut tokens = Vec::with_capacity(requests.len());
        for request in requests {
            if request.prompt.is_empty() {
                return Err(RunError::NoTokens);
            }
            // The last token is not read, but it is looked up.
            if let Some(&token) = request.reply.iter().find(|token| **token as usize >= vocabulary) {
                return Err(RunError::UnknownToken { token, vocabulary });
            }
            let read = request.reply.split_last().map_or(request.reply, |(_, read)| read);
            tokens.push([request.prompt, read].concat());
        }
        let mut sequences = self.sequences(tokens.iter().map(Vec::len))?;
        let all = requests.iter().zip(&tokens).zip(&mut sequences);
        let steps =
            all.filter(|((request, _), _)| !request.reply.is_empty()).map(|((request, tokens), sequence)| Step {
                sequence,
                tokens,
                edits: request.edits,
                hidden: Positions::None,
                logits: Positions::From(request.prompt.len() - 1),
            });
        let mut steps: Vec<Step<'_>> = steps.collect();
        let indices = (0..requests.len()).filter(|&index| !requests[index].reply.is_empty()).collect();
        let scores = requests.iter().map(|request| Vec::with_capacity(request.reply.len())).collect();
        let mut scored = Scored { requests, indices, scores, observe, failure: None };
        self.forward(&mut steps, &mut scored)?;
        match scored.failure {
            Some(position) => Err(RunError::NotFinite { position }),
            None => Ok(scored.scores),
        }
    }

    /// An empty sequence for each capacity.
    pub(crate) fn sequences(&self, capacities: impl Iterator<Item = usize>) -> Result<Vec<Sequence>, RunError> {
        capacities.map(|capacity| self.sequence(capacity)).collect()
    }
}

struct Captured<'a> {
    requests: &'a [CaptureRequest<'a>],
    captured: Vec<Vec<f32>>,
}

impl Observer for Captured<'_> {
    fn hidden(&mut self, step: usize, position: usize, layer: usize, state: &[f32]) {
        let CaptureRequest { positions, layers, .. } = self.requests[step];
        for (row, _) in positions.iter().enumerate().filter(|(_, wanted)| **wanted == position) {
            for (column, _) in layers.iter().enumerate().filter(|(_, wanted)| **wanted == layer) {
                let begin = (row * layers.len() + column) * state.len();
                self.captured[step][begin..][..state.len()].copy_from_slice(state);
            }
        }
    }
}

struct Scored<'a> {
    requests: &'a [ScoreRequest<'a>],
    /// Of each step, the index of its request.
    indices: Vec<usize>,
    scores: Vec<Vec<f64>>,
    observe: &'a mut dyn FnMut(usize, usize, &[f32]),
    /// The first position whose logits are not numbers.
    failure: Option<usize>,
}

impl Observer for Scored<'_> {
    fn logits(&mut self, step: usize, position: usize, logits: &[f32]) {
        let request = self.indices[step];
        let index = position + 1 - self.requests[request].prompt.len();
        let Some(all) = log_probabilities(logits) else {
            self.failure.get_or_insert(position);
            return;
        };
        self.scores[request].push(all[self.requests[request].reply[index] as usize]);
        (self.observe)(request, index, logits);
    }
}
