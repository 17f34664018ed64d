//! One pass of a batch through the model. Every row, a token of a sequence, is computed by itself but for the products,
//! whose sums do not depend on other rows either: results have the same bits in any batch, at any number of threads, and
//! whether a sequence is read at once or token by token.

use std::{ops::Range, sync::Arc};

use jackfield_plugin_api::Component;

use crate::{
    Architecture, Edits, RunError, Sequence, Transformer,
    attention::{Heads, Queries},
    kernels::{PackedRows, product},
    lanes::{LANES, add, gated, rms_norm},
    matrix::Matrix,
    sequence::LayerCache,
    team::{Team, cut},
    weights::Layer,
};

/// Most rows that go through the blocks at once. More take memory and gain nothing.
pub(crate) const ROWS_AT_ONCE: usize = 512;
/// Most rows whose logits are computed at once.
pub(crate) const LOGITS_AT_ONCE: usize = 64;

/// Fewest multiplications that are worth sharing with a helper, whose waking costs as much as a hundred thousand.
pub(crate) const WORTH_SHARING: usize = 4 << 20;

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

/// A token on its way.
#[derive(Clone, Copy, Debug)]
struct Row {
    step: usize,
    position: usize,
    token: u32,
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
        let rows: Vec<Row> = steps
            .iter()
            .enumerate()
            .flat_map(|(index, step)| {
                let positions = step.sequence.length()..;
                step.tokens.iter().zip(positions).map(move |(&token, position)| Row { step: index, position, token })
            })
            .collect();
        Team::of(self.threads, |team| {
            let mut pass = Pass::new(self, team);
            for rows in rows.chunks(ROWS_AT_ONCE) {
                pass.read(steps, rows, observer);
            }
        });
        steps.iter_mut().for_each(|step| step.sequence.advance(step.tokens.len()));
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

/// Memory of a pass, and what it works with.
pub(crate) struct Pass<'env, 'team> {
    model: &'env Transformer,
    team: &'team Team<'env>,
    packed: Arc<PackedRows>,
    queries: Arc<Queries>,
    /// The residual stream.
    states: Vec<f32>,
    /// What a block's part reads.
    normed: Vec<f32>,
    attended: Vec<f32>,
    gates: Vec<f32>,
    activated: Vec<f32>,
    /// What a block's part writes.
    written: Vec<f32>,
    logits: Vec<f32>,
    /// Cosine and sine of each pair of components, for each row.
    turns: Vec<(f32, f32)>,
}

impl<'env, 'team> Pass<'env, 'team> {
    pub(crate) fn new(model: &'env Transformer, team: &'team Team<'env>) -> Self {
        Self {
            model,
            team,
            packed: Arc::default(),
            queries: Arc::default(),
            states: Vec::new(),
            normed: Vec::new(),
            attended: Vec::new(),
            gates: Vec::new(),
            activated: Vec::new(),
            written: Vec::new(),
            logits: Vec::new(),
            turns: Vec::new(),
        }
    }

    /// How many bytes of memory are held.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        let vectors = [
            &self.states,
            &self.normed,
            &self.attended,
            &self.gates,
            &self.activated,
            &self.written,
            &self.logits,
            &self.queries.values,
        ];
        let floats: usize = vectors.into_iter().map(Vec::capacity).sum();
        floats * size_of::<f32>()
            + self.turns.capacity() * size_of::<(f32, f32)>()
            + self.queries.places.capacity() * size_of::<(usize, usize)>()
            + self.packed.bytes()
    }

    /// Takes rows through all blocks.
    fn read(&mut self, steps: &mut [Step<'_>], rows: &[Row], observer: &mut dyn Observer) {
        let (model, architecture) = (self.model, &self.model.architecture);
        let hidden = architecture.hidden;
        self.begin(rows);
        observe_hidden(steps, rows, 0, self.states.chunks_exact(hidden), observer);
        for (index, layer) in model.weights.layers.iter().enumerate() {
            self.attention(steps, rows, index, layer);
            self.mlp(steps, rows, index, layer);
            observe_hidden(steps, rows, index + 1, self.states.chunks_exact(hidden), observer);
        }
        let wanted: Vec<usize> = (0..rows.len())
            .filter(|&row| {
                let (step, position) = (&steps[rows[row].step], rows[row].position);
                step.logits.has(position, step.sequence.length() + step.tokens.len() - 1)
            })
            .collect();
        for wanted in wanted.chunks(LOGITS_AT_ONCE) {
            fit(&mut self.normed, wanted.len() * hidden);
            for (&row, normed) in wanted.iter().zip(self.normed.chunks_exact_mut(hidden)) {
                let state = &self.states[row * hidden..][..hidden];
                rms_norm(normed, state, &model.weights.final_norm, architecture.epsilon);
            }
            let head = model.weights.head();
            let inputs = &self.normed[..wanted.len() * hidden];
            multiply(self.team, model, &mut self.packed, inputs, head, &mut self.logits);
            for (&row, logits) in wanted.iter().zip(self.logits.chunks_exact(head.width())) {
                observer.logits(rows[row].step, rows[row].position, &logits[..head.outputs()]);
            }
        }
    }

    /// Looks up embeddings and angles.
    fn begin(&mut self, rows: &[Row]) {
        let hidden = self.model.architecture.hidden;
        fit(&mut self.states, rows.len() * hidden);
        for (row, state) in rows.iter().zip(self.states.chunks_exact_mut(hidden)) {
            self.model.weights.embedding.row(row.token as usize, state);
        }
        self.turns.clear();
        self.turns.reserve_exact(rows.len() * self.model.frequencies.len());
        for row in rows {
            self.turns.extend(self.model.frequencies.iter().map(|frequency| {
                let (sine, cosine) = libm::sincos(f64::from(row.position as f32 * frequency));
                (cosine as f32, sine as f32)
            }));
        }
    }

    fn attention(&mut self, steps: &mut [Step<'_>], rows: &[Row], index: usize, layer: &'env Layer) {
        let model = self.model;
        let architecture = &model.architecture;
        self.normalize(rows.len(), &layer.attention_norm);
        let queries = Arc::get_mut(&mut self.queries).expect("no helper holds queries between products");
        queries.stride = layer.queries_keys_values.width();
        queries.places.clear();
        queries.places.reserve_exact(rows.len());
        queries.places.extend(rows.iter().map(|row| (row.step, row.position)));
        let inputs = &self.normed[..rows.len() * architecture.hidden];
        let matrix = &layer.queries_keys_values;
        multiply(self.team, model, &mut self.packed, inputs, matrix, &mut queries.values);
        let (width, keys) = (architecture.queries(), architecture.keys());
        let turns = self.turns.chunks_exact(architecture.head / 2);
        for ((row, turns), values) in rows.iter().zip(turns).zip(queries.values.chunks_exact_mut(queries.stride)) {
            for head in values[..width + keys].chunks_exact_mut(architecture.head) {
                turn(head, turns);
            }
            let (keys, values) = values[width..][..2 * keys].split_at(keys);
            steps[row.step].sequence.push(index, keys, values);
        }
        let caches: Vec<Arc<LayerCache>> = steps.iter().map(|step| Arc::clone(&step.sequence.layers[index])).collect();
        fit(&mut self.attended, rows.len() * width);
        let attended = &mut self.attended[..rows.len() * width];
        Heads::of(architecture).attend(self.team, model.worth_sharing, &self.queries, caches, attended);
        multiply(self.team, model, &mut self.packed, attended, &layer.attention_output, &mut self.written);
        let place = (Component::AttentionOutput, index);
        residual(steps, rows, place, attended, &mut self.written, &layer.attention_output, &mut self.states);
    }

    fn mlp(&mut self, steps: &[Step<'_>], rows: &[Row], index: usize, layer: &'env Layer) {
        let model = self.model;
        let (hidden, inner) = (model.architecture.hidden, model.architecture.inner);
        self.normalize(rows.len(), &layer.mlp_norm);
        let inputs = &self.normed[..rows.len() * hidden];
        multiply(self.team, model, &mut self.packed, inputs, &layer.gate_up, &mut self.gates);
        fit(&mut self.activated, rows.len() * inner);
        let activated = &mut self.activated[..rows.len() * inner];
        let both = self.gates.chunks_exact(layer.gate_up.width());
        for (activated, both) in activated.chunks_exact_mut(inner).zip(both) {
            gated(activated, &both[..inner], &both[inner..]);
        }
        multiply(self.team, model, &mut self.packed, activated, &layer.down, &mut self.written);
        let place = (Component::MlpDown, index);
        residual(steps, rows, place, activated, &mut self.written, &layer.down, &mut self.states);
    }

    fn normalize(&mut self, rows: usize, gain: &[f32]) {
        let hidden = gain.len();
        fit(&mut self.normed, rows * hidden);
        let states = self.states[..rows * hidden].chunks_exact(hidden);
        for (normed, state) in self.normed.chunks_exact_mut(hidden).zip(states) {
            rms_norm(normed, state, gain, self.model.architecture.epsilon);
        }
    }
}

/// Makes a vector at least so long.
fn fit(vector: &mut Vec<f32>, length: usize) {
    if vector.len() < length {
        vector.reserve_exact(length - vector.len());
        vector.resize(length, 0.0);
    }
}

/// The products of rows with a matrix, whose outputs the team shares.
fn multiply<'env>(
    team: &Team<'env>,
    model: &'env Transformer,
    packed: &mut Arc<PackedRows>,
    inputs: &[f32],
    matrix: &'env Matrix,
    results: &mut Vec<f32>,
) {
    let rows = Arc::get_mut(packed).expect("no helper holds rows between products");
    rows.pack(inputs, matrix.inputs());
    let (count, width) = (rows.rows(), matrix.width());
    fit(results, count * width);
    let kernel = model.kernel;
    if team.threads() == 1 || count * matrix.inputs() * width < model.worth_sharing {
        return product(kernel, packed, matrix, 0..matrix.panels(), results, width);
    }
    let work = {
        let packed = Arc::clone(packed);
        move |panels: Range<usize>| {
            let stride = panels.len() * LANES;
            let mut part = vec![0.0; count * stride];
            product(kernel, &packed, matrix, panels.clone(), &mut part, stride);
            (panels, part)
        }
    };
    let parts = cut((0..matrix.panels()).map(|_| 1), team.threads());
    for (panels, part) in team.each(&parts, &work) {
        let stride = panels.len() * LANES;
        for (result, part) in results.chunks_exact_mut(width).zip(part.chunks_exact(stride)) {
            result[panels.start * LANES..][..stride].copy_from_slice(part);
        }
    }
}

/// Turns the pairs of a head's components.
fn turn(head: &mut [f32], turns: &[(f32, f32)]) {
    let (first, second) = head.split_at_mut(turns.len());
    for ((x, y), &(cosine, sine)) in first.iter_mut().zip(second).zip(turns) {
        (*x, *y) = (*x * cosine - *y * sine, *y * cosine + *x * sine);
    }
}

/// Adds what a component wrote to the residual stream, under each row's edits.
fn residual(
    steps: &[Step<'_>],
    rows: &[Row],
    (component, layer): (Component, usize),
    inputs: &[f32],
    written: &mut [f32],
    matrix: &Matrix,
    states: &mut [f32],
) {
    let all = rows.iter().zip(inputs.chunks_exact(matrix.inputs()));
    let all = all.zip(written.chunks_exact_mut(matrix.width())).zip(states.chunks_exact_mut(matrix.outputs()));
    for (((row, inputs), written), state) in all {
        let written = &mut written[..matrix.outputs()];
        if let Some(edits) = steps[row.step].edits {
            edits.apply(component, layer, inputs, written);
        }
        add(state, written);
    }
}

fn observe_hidden<'a>(
    steps: &[Step<'_>],
    rows: &[Row],
    layer: usize,
    states: impl Iterator<Item = &'a [f32]>,
    observer: &mut dyn Observer,
) {
    if steps.iter().all(|step| step.hidden == Positions::None) {
        return;
    }
    for (row, state) in rows.iter().zip(states) {
        let step = &steps[row.step];
        if step.hidden.has(row.position, step.sequence.length() + step.tokens.len() - 1) {
            observer.hidden(row.step, row.position, layer, state);
        }
    }
}

/// How many bytes a pass of so many rows takes, of which so many give logits, at so many threads.
pub(crate) fn pass_bytes(architecture: &Architecture, rows: usize, logits: usize, threads: usize) -> Option<u64> {
    let filled = |size: usize| (size as u64).next_multiple_of(LANES as u64);
    let (rows, logits) = (rows.min(ROWS_AT_ONCE) as u64, logits.min(rows).min(LOGITS_AT_ONCE) as u64);
    let (hidden, inner) = (architecture.hidden as u64, architecture.inner as u64);
    let queries = architecture.queries() as u64;
    let projected = filled(architecture.queries() + 2 * architecture.keys());
    let (written, gates) = (filled(architecture.hidden), filled(2 * architecture.inner));
    let widest_input = hidden.max(inner).max(queries);
    let row = [2 * hidden, projected, queries, gates, inner, written, widest_input];
    let mut floats = row.into_iter().sum::<u64>().checked_mul(rows)?;
    floats = floats.checked_add(filled(architecture.vocabulary).checked_mul(logits)?)?;
    if threads > 1 {
        // Each thread makes its part of the results apart.
        let vocabulary = filled(architecture.vocabulary).checked_mul(logits)?;
        floats = floats.checked_add(projected.max(gates).checked_mul(rows)?.max(vocabulary))?;
    }
    let turns = rows * (architecture.head as u64 / 2) * size_of::<(f32, f32)>() as u64;
    let places = rows * size_of::<(usize, usize)>() as u64;
    floats.checked_mul(size_of::<f32>() as u64)?.checked_add(turns + places)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{BatchShape, MemoryPlan};

    struct Nothing;

    impl Observer for Nothing {}

    #[test]
    fn a_pass_takes_the_memory_that_was_planned() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tiny");
        let model = Transformer::load(&folder).expect("the fixture is a model");
        for (sequences, tokens) in [(1, 1), (3, 7), (5, 60)] {
            let prompt: Vec<u32> = (0..tokens as u32).map(|token| token % 48).collect();
            let mut all: Vec<Sequence> =
                (0..sequences).map(|_| model.sequence(tokens).expect("it fits the context")).collect();
            let steps = all.iter_mut().map(|sequence| Step {
                sequence,
                tokens: &prompt,
                edits: None,
                hidden: Positions::None,
                logits: Positions::Last,
            });
            let mut steps: Vec<Step<'_>> = steps.collect();
            let rows = (0..sequences).flat_map(|step| {
                prompt.iter().enumerate().map(move |(position, &token)| Row { step, position, token })
            });
            let rows: Vec<Row> = rows.collect();
            steps.iter_mut().try_for_each(|step| step.sequence.make_room()).expect("there is memory");
            let held = Team::of(1, |team| {
                let mut pass = Pass::new(&model, team);
                pass.read(&mut steps, &rows, &mut Nothing);
                pass.bytes() as u64
            });
            drop(steps);
            let capacities = vec![tokens; sequences];
            let batch = BatchShape {
                capacities: &capacities,
                tokens: sequences * tokens,
                logits: sequences,
                hidden_states: 2,
                distributions: 3,
                threads: 1,
            };
            let plan = MemoryPlan::of(&model.architecture, &batch).expect("it can be counted");
            assert_eq!(held, plan.pass, "{sequences} {tokens}");
            let floats = |sequence: &Sequence| {
                sequence.layers.iter().map(|layer| layer.keys.capacity() + layer.values.capacity()).sum::<usize>()
            };
            assert_eq!(all.iter().map(floats).sum::<usize>() as u64 * 4, plan.sequences);
            assert_eq!(plan.kept, (2 * 32 + 3 * 48) * 4);
            assert_eq!(plan.total(), plan.weights + plan.sequences + plan.pass + plan.kept);
        }
    }

    /// Keeps all that a pass shows, as bits.
    #[derive(Default)]
    struct Bits(Vec<u32>);

    impl Observer for Bits {
        fn hidden(&mut self, _: usize, _: usize, _: usize, state: &[f32]) {
            self.0.extend(state.iter().map(|x| x.to_bits()));
        }

        fn logits(&mut self, _: usize, _: usize, logits: &[f32]) {
            self.0.extend(logits.iter().map(|x| x.to_bits()));
        }
    }

    #[test]
    fn work_that_is_shared_gives_the_same_bits_as_work_that_is_not() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tiny");
        let mut model = Transformer::load(&folder).expect("the fixture is a model");
        let prompts: Vec<Vec<u32>> = (1..34).map(|length| (0..length).map(|token| token % 48).collect()).collect();
        let mut read = |threads, worth_sharing| {
            (model.threads, model.worth_sharing) = (threads, worth_sharing);
            let mut sequences: Vec<Sequence> =
                prompts.iter().map(|prompt| model.sequence(prompt.len()).expect("it fits the context")).collect();
            let steps = prompts.iter().zip(&mut sequences).map(|(tokens, sequence)| Step {
                sequence,
                tokens,
                edits: None,
                hidden: Positions::From(0),
                logits: Positions::From(0),
            });
            let mut bits = Bits::default();
            model.forward(&mut steps.collect::<Vec<_>>(), &mut bits).expect("it can be read");
            bits.0
        };
        let alone = read(1, WORTH_SHARING);
        for threads in [2, 3, 7] {
            assert!(read(threads, 0) == alone, "{threads}");
        }
    }

    #[test]
    fn what_cannot_be_counted_is_not_planned() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tiny");
        let mut architecture = Architecture::read(&folder).expect("the fixture is a model");
        let batch = |hidden_states| BatchShape {
            capacities: &[usize::MAX; 3],
            tokens: 1,
            logits: 1,
            hidden_states,
            distributions: 0,
            threads: 2,
        };
        assert_eq!(MemoryPlan::of(&architecture, &batch(0)), None);
        let batch = BatchShape { capacities: &[], ..batch(usize::MAX) };
        assert_eq!(MemoryPlan::of(&architecture, &batch), None);
        architecture.layers = usize::MAX;
        assert_eq!(architecture.weight_bytes(), None);
    }
}
