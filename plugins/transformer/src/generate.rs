//! Replies, token by token. Several are written at once; each is what it would be alone.

use std::ops::ControlFlow;

use crate::{Edits, Observer, Positions, RunError, Sampler, Sampling, Sequence, Step, Transformer};

/// A prompt to reply to.
#[derive(Clone, Copy, Debug)]
pub struct GenerateRequest<'a> {
    /// At least one token.
    pub prompt: &'a [u32],
    /// The edits to read and write under.
    pub edits: Option<&'a Edits>,
    /// The most tokens of the reply.
    pub most: usize,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// The tokens that end the reply; they are not part of it.
    pub ends: &'a [u32],
}

/// A token of a reply, as it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Drawn<'a> {
    /// Index of the request.
    pub request: usize,
    /// Index of the token in the reply.
    pub index: usize,
    /// The token.
    pub token: u32,
    /// The logits that it was drawn from.
    pub logits: &'a [f32],
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its tokens, without the one that ended it.
    pub tokens: Vec<u32>,
    /// Why it ended.
    pub ended: Ended,
}

/// Why a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The model drew this token, which ends a reply.
    By(u32),
    /// Whoever watched it ended it.
    Stopped,
    /// It has as many tokens as it may have, or the model's context is full.
    Length,
}

impl Transformer {
    /// Replies to prompts, together: of each request the reply, or what is wrong with it, which changes nothing for the
    /// others. `watch` sees each token as it is drawn, the one that ends a reply included, and may end the reply after it:
    /// that is how a reply ends at a text.
    ///
    /// # Errors
    /// Of a request, [`RunError`] for a prompt or an option that cannot be, and for logits that are not numbers.
    pub fn generate(
        &self,
        requests: &[GenerateRequest<'_>],
        watch: &mut dyn FnMut(Drawn<'_>) -> ControlFlow<()>,
    ) -> Vec<Result<Reply, RunError>> {
        let mut writers: Vec<Result<Writer, RunError>> = requests.iter().map(|request| self.writer(request)).collect();
        let is_going = |writer: &Result<Writer, RunError>| writer.as_ref().is_ok_and(|writer| writer.ended.is_none());
        while writers.iter().any(is_going) {
            let mut round = DrawingObserver { drawn: Vec::new(), samplers: Vec::new(), watch };
            let mut steps = Vec::new();
            for (index, writer) in writers.iter_mut().enumerate() {
                let Some(writer) = writer.as_mut().ok().filter(|writer| writer.ended.is_none()) else { continue };
                round.samplers.push((index, writer.tokens.len(), &mut writer.sampler));
                steps.push(Step {
                    sequence: &mut writer.sequence,
                    tokens: &writer.unread,
                    edits: requests[index].edits,
                    hidden: Positions::None,
                    logits: Positions::Last,
                });
            }
            let read = self.forward(&mut steps, &mut round);
            let drawn = round.drawn;
            if let Err(error) = read {
                for writer in writers.iter_mut().filter(|writer| is_going(writer)) {
                    *writer = Err(error.clone());
                }
            }
            for (index, token) in drawn {
                match token {
                    Ok((token, flow)) => {
                        if let Ok(writer) = &mut writers[index] {
                            writer.take(token, flow, &requests[index]);
                        }
                    }
                    Err(error) => writers[index] = Err(error),
                }
            }
        }
        writers.into_iter().map(|writer| writer.map(Writer::reply)).collect()
    }

    fn writer(&self, request: &GenerateRequest<'_>) -> Result<Writer, RunError> {
        self.check_prompt(request.prompt)?;
        let context = self.architecture.context;
        // The last token that is drawn is not read.
        let room = request.prompt.len().saturating_add(request.most.saturating_sub(1));
        Ok(Writer {
            sequence: self.sequence(room.min(context))?,
            sampler: request.sampling.begin()?,
            unread: request.prompt.to_vec(),
            tokens: Vec::new(),
            ended: (request.most == 0).then_some(Ended::Length),
        })
    }
}

struct Writer {
    sequence: Sequence,
    sampler: Sampler,
    unread: Vec<u32>,
    tokens: Vec<u32>,
    ended: Option<Ended>,
}

impl Writer {
    fn take(&mut self, token: u32, flow: ControlFlow<()>, request: &GenerateRequest<'_>) {
        if request.ends.contains(&token) {
            self.ended = Some(Ended::By(token));
            return;
        }
        self.tokens.push(token);
        self.unread = vec![token];
        if flow.is_break() {
            self.ended = Some(Ended::Stopped);
        } else if self.tokens.len() >= request.most || self.sequence.length() >= self.sequence.capacity() {
            self.ended = Some(Ended::Length);
        }
    }

    fn reply(self) -> Reply {
        Reply { tokens: self.tokens, ended: self.ended.unwrap_or(Ended::Length) }
    }
}

/// A token, and whether the reply goes on after it; or why there is none.
type Draw = Result<(u32, ControlFlow<()>), RunError>;

/// One token for each reply that goes on.
struct DrawingObserver<'a> {
    /// Of each step: index of the request, index of the token, and who draws.
    samplers: Vec<(usize, usize, &'a mut Sampler)>,
    /// By the index of the request.
    drawn: Vec<(usize, Draw)>,
    watch: &'a mut dyn FnMut(Drawn<'_>) -> ControlFlow<()>,
}

impl Observer for DrawingObserver<'_> {
    fn logits(&mut self, step: usize, position: usize, logits: &[f32]) {
        let (request, index, sampler) = &mut self.samplers[step];
        let token = sampler.next(logits).ok_or(RunError::NotFinite { position });
        let draw = token.map(|token| (token, (self.watch)(Drawn { request: *request, index: *index, token, logits })));
        self.drawn.push((*request, draw));
    }
}
