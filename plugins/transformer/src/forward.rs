//! One pass of a batch through the model: what is done to each row, a token of a sequence, and in which order. A
//! [backend](crate::backend) does it. Every row is computed by itself but for the products, whose sums do not depend on other
//! rows either: results have the same bits in any batch, at any number of threads, and whether a sequence is read at once or
//! token by token.

use jackfield_plugin_api::Component;

use crate::{
    Edits, RunError, Sequence, Transformer,
    backend::{Backend, Product, Row},
    cpu::Cpu,
    team::Team,
};

/// Most rows that go through the blocks at once. More take memory and gain nothing.
pub(crate) const ROWS_AT_ONCE: usize = 512;

/// Tokens to read on in a sequence.
#[derive(Debug)]
pub struct Step<'a> {
    /// The sequence; it is longer by the tokens afterwards.
    pub sequence: &'a mut Sequence,
    /// At least one token.
    pub tokens: &'a [u32],
    /// The edits to read under, made ready by the same model. Those under which earlier tokens were read are not known here.
    pub edits: Option<&'a Edits>,
    /// The positions, of those read now, whose hidden states are observed.
    pub hidden: Positions<'a>,
    /// The positions, of those read now, whose logits are observed.
    pub logits: Positions<'a>,
}

/// Positions of a sequence, counted from 0 at its first token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Positions<'a> {
    /// None.
    #[default]
    None,
    /// The last that is read.
    Last,
    /// All from this one on.
    From(usize),
    /// These.
    These(&'a [usize]),
}

impl Positions<'_> {
    fn has(self, position: usize, last: usize) -> bool {
        match self {
            Self::None => false,
            Self::Last => position == last,
            Self::From(first) => position >= first,
            Self::These(listed) => listed.contains(&position),
        }
    }
}

/// Takes what a pass shows. `step` is the index in the batch; positions of a sequence come in order.
pub trait Observer {
    /// A hidden state: layer 0 is the embeddings, layer n what the n-th block hands on.
    fn hidden(&mut self, step: usize, position: usize, layer: usize, state: &[f32]) {
        let _ = (step, position, layer, state);
    }

    /// The logits of the token after a position, one for each token of the vocabulary.
    fn logits(&mut self, step: usize, position: usize, logits: &[f32]) {
        let _ = (step, position, logits);
    }
}

/// What is read of a sequence in a pass, apart from its memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    /// The position of the first token.
    pub(crate) first: usize,
    pub(crate) tokens: &'a [u32],
    pub(crate) edits: Option<&'a Edits>,
    pub(crate) hidden: Positions<'a>,
    pub(crate) logits: Positions<'a>,
}

impl<'a> Step<'a> {
    fn split(&mut self) -> (Reading<'a>, &mut Sequence) {
        let &mut Step { ref mut sequence, tokens, edits, hidden, logits } = self;
        (Reading { first: sequence.length(), tokens, edits, hidden, logits }, sequence)
    }
}

/// Takes the tokens of all readings through the model, which has so many blocks. There is a memory for each.
pub(crate) fn pass<'a, B: Backend>(
    backend: &mut B,
    layers: usize,
    readings: &[Reading<'a>],
    memories: &mut [&mut B::Memory],
    observer: &mut dyn Observer,
) {
    let rows = readings.iter().enumerate().flat_map(|(step, reading)| {
        let tokens = reading.tokens.iter().zip(reading.first..);
        tokens.map(move |(&token, position)| Row { step, position, token })
    });
    let rows: Vec<Row> = rows.collect();
    let edits: Vec<Option<&Edits>> = readings.iter().map(|reading| reading.edits).collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let asked_for = |positions: fn(&Reading<'a>) -> Positions<'a>| -> Vec<usize> {
            let is_asked_for = |row: &Row| {
                let reading = &readings[row.step];
                positions(reading).has(row.position, reading.first + reading.tokens.len() - 1)
            };
            (0..rows.len()).filter(|index| is_asked_for(&rows[*index])).collect()
        };
        let (hidden, logits) = (asked_for(|reading| reading.hidden), asked_for(|reading| reading.logits));
        let mut observe_hidden = |backend: &mut B, layer| {
            if !hidden.is_empty() {
                backend.hidden(&hidden, &mut |row, state| {
                    observer.hidden(rows[row].step, rows[row].position, layer, state);
                });
            }
        };
        backend.embed(rows);
        observe_hidden(backend, 0);
        for layer in 0..layers {
            backend.normalize(layer, Component::AttentionOutput);
            backend.multiply(layer, Product::QueriesKeysValues);
            backend.attend(layer, memories);
            backend.multiply(layer, Product::AttentionOutput);
            backend.add(layer, Component::AttentionOutput, &edits);
            backend.normalize(layer, Component::MlpDown);
            backend.multiply(layer, Product::GateUp);
            backend.gate();
            backend.multiply(layer, Product::Down);
            backend.add(layer, Component::MlpDown, &edits);
            observe_hidden(backend, layer + 1);
        }
        if !logits.is_empty() {
            backend.logits(&logits, &mut |row, logits| observer.logits(rows[row].step, rows[row].position, logits));
        }
    }
}

impl Transformer {
    /// Reads tokens in several sequences, each of which must be there once.
    ///
    /// # Errors
    /// [`RunError`] if a step cannot be; nothing was read then.
    pub fn forward(&self, steps: &mut [Step<'_>], observer: &mut dyn Observer) -> Result<(), RunError> {
        for step in &*steps {
            self.check(step)?;
        }
        for step in &mut *steps {
            step.sequence.make_room()?;
        }
        let (readings, mut sequences): (Vec<_>, Vec<_>) = steps.iter_mut().map(Step::split).unzip();
        Team::of(self.threads, |team| {
            pass(&mut Cpu::new(self, team), self.architecture.layers, &readings, &mut sequences, observer);
        });
        for (sequence, reading) in sequences.into_iter().zip(readings) {
            sequence.advance(reading.tokens.len());
        }
        Ok(())
    }

    fn check(&self, step: &Step<'_>) -> Result<(), RunError> {
        let sequence = &*step.sequence;
        if !sequence.fits(&self.architecture) {
            return Err(RunError::OtherModel);
        }
        if step.tokens.is_empty() {
            return Err(RunError::NoTokens);
        }
        let vocabulary = self.architecture.vocabulary;
        if let Some(&token) = step.tokens.iter().find(|token| **token as usize >= vocabulary) {
            return Err(RunError::UnknownToken { token, vocabulary });
        }
        let tokens = sequence.length().saturating_add(step.tokens.len());
        if tokens > sequence.capacity() {
            return Err(RunError::TooLong { tokens, most: sequence.capacity() });
        }
        Ok(())
    }
}
