//! What `mock` answers to those who look into it: hidden states, log-probabilities, tokens, a vector, and a text under edits.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::{
    Capture, Captured, Edit, LikelyToken, LogProbs, LogProbsOn, TensorRef, Token, TokenLogProb, TokenLogProbs,
};

use super::{
    network::{Edited, Network, NetworkEdit},
    tokenizer::Tokenizer,
};

/// By how much less likely, in nats, edits have to make a word before another stands in its place.
const LESS_LIKELY: f64 = 0.25;

/// Whether a request asks for any of this.
pub(super) fn is_asked(request: &CompletionRequest) -> bool {
    request.capture.is_some()
        || !request.edits.is_empty()
        || request.logprobs.is_some()
        || request.tokenize
        || request.embed
}

/// What is seen of the network for one request.
pub(super) struct Insight<'a> {
    network: &'a Network,
    tokenizer: Tokenizer,
    layers: usize,
    width: usize,
    prompt: Vec<Token>,
    edits: Vec<NetworkEdit>,
}

impl<'a> Insight<'a> {
    /// Reads the prompt and the edits of a request.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] for an edit of a layer that there is not, or by a direction of another width.
    pub(super) fn new(
        network: &'a Network,
        (layers, width, vocabulary): (u32, u32, u32),
        request: &CompletionRequest,
        host: &Host<'_>,
    ) -> Result<Self> {
        let tokenizer = Tokenizer { vocabulary };
        let mut edits = Vec::new();
        for edit in &request.edits {
            edits.extend(read_edit(edit, (layers, width), host)?);
        }
        let prompt = tokenizer.prompt(&request.messages);
        Ok(Self { network, tokenizer, layers: layers as usize, width: width as usize, prompt, edits })
    }

    /// The answer under the edits: each word that they make less likely gives way to the one that they favour most.
    pub(super) fn text(&self, unedited: &str) -> String {
        if self.edits.is_empty() {
            return unedited.to_owned();
        }
        let tokens = self.tokenizer.tokens(unedited);
        let plain = self.network.edited(&[]);
        let before = self.rows_before(&tokens, &plain);
        let edited = self.edited();
        let after = self.rows_before(&tokens, &edited);
        let mut text = String::new();
        for ((token, before), after) in tokens.iter().zip(&before).zip(&after) {
            let (before, after) = (plain.logprobs(before), edited.logprobs(after));
            let id = token.id as usize;
            if before[id] - after[id] <= LESS_LIKELY || !token.text.contains(char::is_alphanumeric) {
                text.push_str(&token.text);
                continue;
            }
            let gains = after.iter().zip(&before).map(|(after, before)| after - before).enumerate().skip(4);
            let most = gains.fold((id, f64::NEG_INFINITY), |most, gain| if gain.1 > most.1 { gain } else { most });
            let space = token.text.len() - token.text.trim_start().len();
            text.push_str(&token.text[..space]);
            text.push_str(Tokenizer::text(most.0 as u32).trim_start());
        }
        text
    }

    /// A number that stands for what the edits make of the prompt; 0 where they change nothing.
    pub(super) fn effect(&self) -> u64 {
        if self.edits.is_empty() {
            return 0;
        }
        let [before, after] = [self.network.edited(&[]), self.edited()].map(|network| self.rows_before(&[], &network));
        if before == after {
            return 0;
        }
        let bits = after.iter().flatten().map(|element| element.to_bits());
        bits.fold(1, |hash, bits| Random::new(hash ^ bits).next_u64())
    }

    /// Answers what was asked for beside the text.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] for a layer or a position that there is not; whatever keeps the host from keeping tensors.
    pub(super) fn fill(&self, request: &CompletionRequest, answer: &mut Completion, host: &Host<'_>) -> Result<()> {
        if let Some(capture) = &request.capture {
            answer.captured = Some(self.capture(capture, host)?);
        }
        if let Some(logprobs) = &request.logprobs {
            answer.logprobs = Some(self.logprobs(logprobs, &answer.text, host)?);
        }
        if request.embed {
            answer.embedding = Some(self.embedding(host)?);
        }
        if request.tokenize {
            answer.tokens = Some(self.prompt.clone());
        }
        Ok(())
    }

    fn edited(&self) -> Edited<'_> {
        self.network.edited(&self.edits)
    }

    fn prompt_ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.prompt.iter().map(|token| token.id)
    }

    /// The last row of the residual stream before each of some tokens that follow the prompt, and before the one after them
    /// where there are none.
    fn rows_before(&self, tokens: &[Token], network: &Edited<'_>) -> Vec<Vec<f64>> {
        let first = self.prompt.len() - 1;
        let followed = tokens.len().saturating_sub(1);
        let ids = self.prompt_ids().chain(tokens[..followed].iter().map(|token| token.id));
        let mut rows = Vec::new();
        network.read(ids, |position, stream| {
            if position >= first {
                rows.push(stream[self.layers].clone());
            }
        });
        rows
    }

    fn capture(&self, capture: &Capture, host: &Host<'_>) -> Result<Captured> {
        let layers = capture.layers.clone().unwrap_or_else(|| (0..=self.layers as u32).collect());
        if let Some(beyond) = layers.iter().find(|layer| **layer as usize > self.layers) {
            let most = self.layers;
            return Err(Failure::InvalidInput(format!(
                "there is no layer {beyond} to capture: they go from 0 to {most}"
            )));
        }
        let count = self.prompt.len();
        let place = |position: &i64| {
            let from_front = if *position < 0 { *position + count as i64 } else { *position };
            let there = usize::try_from(from_front).ok().filter(|position| *position < count);
            there.ok_or_else(|| {
                Failure::InvalidInput(format!(
                    "there is no position {position} to capture: the prompt has {count} tokens"
                ))
            })
        };
        let positions: Vec<usize> =
            capture.positions.as_deref().unwrap_or(&[-1]).iter().map(place).collect::<Result<_>>()?;
        let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, position) in positions.iter().enumerate() {
            wanted.entry(*position).or_default().push(at);
        }
        let row = layers.len() * self.width;
        let mut elements = vec![0.0_f32; positions.len() * row];
        self.edited().read(self.prompt_ids(), |position, stream| {
            for at in wanted.get(&position).into_iter().flatten() {
                let into = elements[at * row..(at + 1) * row].chunks_mut(self.width);
                for (into, layer) in into.zip(&layers) {
                    into.iter_mut().zip(&stream[*layer as usize]).for_each(|(into, element)| *into = *element as f32);
                }
            }
        });
        let shape = [positions.len() as u64, layers.len() as u64, self.width as u64];
        let hidden_states = host.keep_tensor(&shape, elements)?;
        let positions = positions.into_iter().map(|position| position as u32).collect();
        Ok(Captured { hidden_states, layers, positions })
    }

    fn logprobs(&self, asked: &LogProbs, text: &str, host: &Host<'_>) -> Result<TokenLogProbs> {
        let mut tokens = match &asked.on {
            LogProbsOn::First(_) => self.tokenizer.tokens(text),
            LogProbsOn::Reply(reply) => self.tokenizer.tokens(reply),
        };
        if let LogProbsOn::First(first) = asked.on {
            tokens.truncate(first as usize);
        }
        let network = self.edited();
        let rows = self.rows_before(&tokens, &network);
        let (mut found, mut whole) = (Vec::new(), Vec::new());
        for (token, row) in tokens.into_iter().zip(&rows) {
            let all = network.logprobs(row);
            let mut likely: Vec<u32> = (0..all.len() as u32).collect();
            likely.sort_by(|one, other| all[*other as usize].total_cmp(&all[*one as usize]).then(one.cmp(other)));
            let likely = likely.into_iter().take(asked.top as usize).map(|id| {
                let token = Token { id, text: Tokenizer::text(id) };
                LikelyToken { token, logprob: all[id as usize] }
            });
            let logprob = Some(all[token.id as usize]);
            found.push(TokenLogProb { token, logprob, top: likely.collect() });
            if asked.distribution {
                whole.extend(all.iter().map(|logprob| *logprob as f32));
            }
        }
        let shape = [found.len() as u64, u64::from(self.tokenizer.vocabulary)];
        let distribution = if asked.distribution { Some(host.keep_tensor(&shape, whole)?) } else { None };
        Ok(TokenLogProbs { tokens: found, distribution })
    }

    /// The mean of the last row of the residual stream over the prompt, of length 1.
    fn embedding(&self, host: &Host<'_>) -> Result<TensorRef> {
        let mut sum = vec![0.0; self.width];
        self.edited().read(self.prompt_ids(), |_, stream| {
            sum.iter_mut().zip(&stream[self.layers]).for_each(|(sum, element)| *sum += element);
        });
        let length = libm::sqrt(sum.iter().map(|element| element * element).sum());
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        let elements: Vec<f32> = sum.iter().map(|element| (element * scale) as f32).collect();
        host.keep_tensor(&[self.width as u64], elements)
    }
}

/// An edit with its direction; none if its weight is 0.
fn read_edit(edit: &Edit, (layers, width): (u32, u32), host: &Host<'_>) -> Result<Option<NetworkEdit>> {
    if edit.layer >= layers {
        let what = format!("there is no layer {} to edit: there are {layers}, counted from 0", edit.layer);
        return Err(Failure::InvalidInput(what));
    }
    if edit.direction.shape.last() != Some(&u64::from(width)) {
        let what = format!("a direction of shape {:?} for a model that is {width} wide", edit.direction.shape);
        return Err(Failure::InvalidInput(what));
    }
    if edit.weight == 0.0 {
        return Ok(None);
    }
    let mut direction = vec![0.0_f32; width as usize];
    host.tensor(&edit.direction)?.read(u64::from(edit.row) * u64::from(width), &mut direction)?;
    if direction.iter().any(|element| !element.is_finite()) {
        return Err(Failure::InvalidInput("a direction has a component that is not a finite number".to_owned()));
    }
    Ok(Some(NetworkEdit {
        component: edit.component,
        layer: edit.layer as usize,
        direction: direction.into_iter().map(f64::from).collect(),
        weight: edit.weight,
        row_normalization: edit.row_normalization,
    }))
}
