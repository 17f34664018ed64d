//! The backend on the CPU: vectors of all rows in the memory of the process, products shared by a team of threads.

use std::{ops::Range, sync::Arc};

use jackfield_plugin_api::Component;

use crate::{
    Architecture, Edits, Sequence, Transformer,
    attention::{Heads, Queries},
    backend::{Backend, Product, Row},
    forward::ROWS_AT_ONCE,
    kernels::{PackedRows, product},
    lanes::{LANES, add, gated, rms_norm},
    matrix::Matrix,
    sequence::LayerCache,
    team::{Team, cut},
};

/// Most rows whose logits are computed at once.
const LOGITS_AT_ONCE: usize = 64;

/// Fewest multiplications that are worth sharing with a helper, whose waking costs as much as a hundred thousand.
pub(crate) const WORTH_SHARING: usize = 4 << 20;

const QUERIES_ARE_FREE: &str = "no helper holds queries between products";

/// Memory of a pass, and what it works with. Vectors may be longer than the rows there are: those before needed more.
pub(crate) struct Cpu<'env, 'team> {
    model: &'env Transformer,
    team: &'team Team<'env>,
    packed: Arc<PackedRows>,
    /// With the place of each row.
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
    rotations: Vec<(f32, f32)>,
}

impl<'env, 'team> Cpu<'env, 'team> {
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
            rotations: Vec::new(),
        }
    }

    fn rows(&self) -> usize {
        self.queries.places.len()
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
            + self.rotations.capacity() * size_of::<(f32, f32)>()
            + self.queries.places.capacity() * size_of::<(usize, usize)>()
            + self.packed.bytes()
    }
}

impl Backend for Cpu<'_, '_> {
    type Memory = Sequence;

    fn embed(&mut self, rows: &[Row]) {
        let model = self.model;
        let hidden = model.architecture.hidden;
        fit(&mut self.states, rows.len() * hidden);
        for (row, state) in rows.iter().zip(self.states.chunks_exact_mut(hidden)) {
            model.weights.embedding.row(row.token as usize, state);
        }
        self.rotations.clear();
        self.rotations.reserve_exact(rows.len() * model.frequencies.len());
        for row in rows {
            self.rotations.extend(model.frequencies.iter().map(|frequency| {
                let (sine, cosine) = libm::sincos(f64::from(row.position as f32 * frequency));
                (cosine as f32, sine as f32)
            }));
        }
        let queries = Arc::get_mut(&mut self.queries).expect(QUERIES_ARE_FREE);
        let places = &mut queries.places;
        places.clear();
        places.reserve_exact(rows.len());
        places.extend(rows.iter().map(|row| (row.step, row.position)));
    }

    fn normalize(&mut self, layer: usize, component: Component) {
        let (rows, layer) = (self.rows(), &self.model.weights.layers[layer]);
        let gain = match component {
            Component::AttentionOutput => &layer.attention_norm,
            Component::MlpDown => &layer.mlp_norm,
        };
        let hidden = gain.len();
        fit(&mut self.normed, rows * hidden);
        let states = self.states[..rows * hidden].chunks_exact(hidden);
        for (normed, state) in self.normed.chunks_exact_mut(hidden).zip(states) {
            rms_norm(normed, state, gain, self.model.architecture.epsilon);
        }
    }

    fn multiply(&mut self, layer: usize, product: Product) {
        let (model, rows) = (self.model, self.rows());
        let layer = &model.weights.layers[layer];
        let (inputs, matrix, results) = match product {
            Product::QueriesKeysValues => {
                let queries = Arc::get_mut(&mut self.queries).expect(QUERIES_ARE_FREE);
                queries.stride = layer.queries_keys_values.width();
                (&self.normed, &layer.queries_keys_values, &mut queries.values)
            }
            Product::AttentionOutput => (&self.attended, &layer.attention_output, &mut self.written),
            Product::GateUp => (&self.normed, &layer.gate_up, &mut self.gates),
            Product::Down => (&self.activated, &layer.down, &mut self.written),
        };
        multiply(self.team, model, &mut self.packed, &inputs[..rows * matrix.inputs()], matrix, results);
    }

    fn attend(&mut self, layer: usize, memories: &mut [&mut Sequence]) {
        let architecture = &self.model.architecture;
        let (rows, width, keys) = (self.rows(), architecture.queries(), architecture.keys());
        let queries = Arc::get_mut(&mut self.queries).expect(QUERIES_ARE_FREE);
        let rotations = self.rotations.chunks_exact(architecture.head / 2);
        let all = queries.places.iter().zip(rotations).zip(queries.values.chunks_exact_mut(queries.stride));
        for ((&(step, _), rotations), values) in all {
            for head in values[..width + keys].chunks_exact_mut(architecture.head) {
                rotate(head, rotations);
            }
            let (keys, values) = values[width..][..2 * keys].split_at(keys);
            memories[step].push(layer, keys, values);
        }
        let caches: Vec<Arc<LayerCache>> =
            memories.iter().map(|sequence| Arc::clone(&sequence.layers[layer])).collect();
        fit(&mut self.attended, rows * width);
        let attended = &mut self.attended[..rows * width];
        Heads::of(architecture).attend(self.team, self.model.worth_sharing, &self.queries, caches, attended);
    }

    fn gate(&mut self) {
        let (rows, inner) = (self.rows(), self.model.architecture.inner);
        fit(&mut self.activated, rows * inner);
        let both = self.gates.chunks_exact((2 * inner).next_multiple_of(LANES));
        for (activated, both) in self.activated[..rows * inner].chunks_exact_mut(inner).zip(both) {
            gated(activated, &both[..inner], &both[inner..]);
        }
    }

    fn add(&mut self, layer: usize, component: Component, edits: &[Option<&Edits>]) {
        let weights = &self.model.weights.layers[layer];
        let (matrix, inputs) = match component {
            Component::AttentionOutput => (&weights.attention_output, &self.attended),
            Component::MlpDown => (&weights.down, &self.activated),
        };
        let all = self.queries.places.iter().zip(inputs.chunks_exact(matrix.inputs()));
        let all = all.zip(self.written.chunks_exact_mut(matrix.width()));
        let all = all.zip(self.states.chunks_exact_mut(matrix.outputs()));
        for (((&(step, _), inputs), written), state) in all {
            let written = &mut written[..matrix.outputs()];
            if let Some(edits) = edits[step] {
                edits.apply(component, layer, inputs, written);
            }
            add(state, written);
        }
    }

    fn hidden(&mut self, rows: &[usize], show: &mut dyn FnMut(usize, &[f32])) {
        let hidden = self.model.architecture.hidden;
        for &row in rows {
            show(row, &self.states[row * hidden..][..hidden]);
        }
    }

    fn logits(&mut self, rows: &[usize], show: &mut dyn FnMut(usize, &[f32])) {
        let model = self.model;
        let (hidden, head) = (model.architecture.hidden, model.weights.head());
        for rows in rows.chunks(LOGITS_AT_ONCE) {
            fit(&mut self.normed, rows.len() * hidden);
            for (&row, normed) in rows.iter().zip(self.normed.chunks_exact_mut(hidden)) {
                let state = &self.states[row * hidden..][..hidden];
                rms_norm(normed, state, &model.weights.final_norm, model.architecture.epsilon);
            }
            let inputs = &self.normed[..rows.len() * hidden];
            multiply(self.team, model, &mut self.packed, inputs, head, &mut self.logits);
            for (&row, logits) in rows.iter().zip(self.logits.chunks_exact(head.width())) {
                show(row, &logits[..head.outputs()]);
            }
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
fn rotate(head: &mut [f32], rotations: &[(f32, f32)]) {
    let (first, second) = head.split_at_mut(rotations.len());
    for ((x, y), &(cosine, sine)) in first.iter_mut().zip(second).zip(rotations) {
        (*x, *y) = (*x * cosine - *y * sine, *y * cosine + *x * sine);
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
    let rotations = rows * (architecture.head as u64 / 2) * size_of::<(f32, f32)>() as u64;
    let places = rows * size_of::<(usize, usize)>() as u64;
    floats.checked_mul(size_of::<f32>() as u64)?.checked_add(rotations + places)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        BatchShape, MemoryPlan, Observer, Positions, Step,
        forward::{Reading, pass},
    };

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
            all.iter_mut().try_for_each(Sequence::make_room).expect("there is memory");
            let reading =
                Reading { first: 0, tokens: &prompt, edits: None, hidden: Positions::None, logits: Positions::Last };
            let mut memories: Vec<&mut Sequence> = all.iter_mut().collect();
            let held = Team::of(1, |team| {
                let mut cpu = Cpu::new(&model, team);
                let layers = model.architecture.layers;
                pass(&mut cpu, layers, &vec![reading; sequences], &mut memories, &mut Nothing);
                cpu.bytes() as u64
            });
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
