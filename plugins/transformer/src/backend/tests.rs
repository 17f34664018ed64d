//! A backend in double precision, of plain loops. That a pass on it gives what the reference gives shows that the trait is all
//! that a pass needs, and that the order of operations is right to the last digit that the reference has.

use std::path::Path;

use jackfield_plugin_api::{Component, RowNormalization};
use serde_json::{Value, from_value};

use super::*;
use crate::{
    EditSpec, Observer, Positions, Transformer,
    forward::{Reading, pass},
    matrix::Matrix,
    weights::Layer,
};

/// Far closer than what is computed in single precision comes, which is good for 1e-5.
const BAR: f64 = 1e-6;

/// Vectors of all rows, one by one.
type Rows = Vec<Vec<f64>>;

struct Double<'a> {
    model: &'a Transformer,
    rows: Vec<Row>,
    states: Rows,
    /// What the next product reads.
    inputs: Rows,
    /// What the last one made.
    products: Rows,
}

/// Keys and values of each position, of each block.
type Memory = Vec<(Rows, Rows)>;

fn row(matrix: &Matrix, output: usize) -> Vec<f64> {
    let mut weights = vec![0.0; matrix.inputs()];
    matrix.row(output, &mut weights);
    weights.into_iter().map(f64::from).collect()
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(x, y)| x * y).sum()
}

fn wide(row: &[f32]) -> Vec<f64> {
    row.iter().map(|&x| f64::from(x)).collect()
}

fn narrow(row: &[f64]) -> Vec<f32> {
    row.iter().map(|&x| x as f32).collect()
}

impl Double<'_> {
    fn layer(&self, layer: usize) -> &Layer {
        &self.model.weights.layers[layer]
    }

    fn normed(&self, state: &[f64], gain: &[f32]) -> Vec<f64> {
        let mean = dot(state, state) / state.len() as f64;
        let scale = (mean + f64::from(self.model.architecture.epsilon)).sqrt();
        state.iter().zip(gain).map(|(x, &gain)| x / scale * f64::from(gain)).collect()
    }

    /// Turns the pairs of each head of a row of queries or keys.
    fn turned(&self, heads: &[f64], position: usize) -> Vec<f64> {
        let half = self.model.architecture.head / 2;
        let mut turned = heads.to_vec();
        for head in turned.chunks_exact_mut(2 * half) {
            for (pair, frequency) in self.model.frequencies.iter().enumerate() {
                let (sine, cosine) = f64::from(position as f32 * frequency).sin_cos();
                let (x, y) = (head[pair], head[half + pair]);
                (head[pair], head[half + pair]) = (x * cosine - y * sine, y * cosine + x * sine);
            }
        }
        turned
    }

    /// What a row of queries attends to.
    fn attended(&self, queries: &[f64], (keys, values): &(Rows, Rows), length: usize) -> Vec<f64> {
        let &crate::Architecture { head, heads, key_value_heads, .. } = &self.model.architecture;
        let mut attended = Vec::new();
        for (index, query) in queries.chunks_exact(head).enumerate() {
            let shared = index * key_value_heads / heads * head;
            let score = |keys: &Vec<f64>| (dot(query, &keys[shared..][..head]) / (head as f64).sqrt()).exp();
            let scores: Vec<f64> = keys[..length].iter().map(score).collect();
            let sum: f64 = scores.iter().sum();
            attended.extend((shared..shared + head).map(|component| {
                scores.iter().zip(values).map(|(score, values)| score / sum * values[component]).sum::<f64>()
            }));
        }
        attended
    }
}

impl Backend for Double<'_> {
    type Memory = Memory;

    fn embed(&mut self, rows: &[Row]) {
        self.rows = rows.to_vec();
        self.states = rows.iter().map(|asked| row(&self.model.weights.embedding, asked.token as usize)).collect();
    }

    fn normalize(&mut self, layer: usize, component: Component) {
        let layer = self.layer(layer);
        let gain = match component {
            Component::AttentionOutput => &layer.attention_norm,
            Component::MlpDown => &layer.mlp_norm,
        };
        self.inputs = self.states.iter().map(|state| self.normed(state, gain)).collect();
    }

    fn multiply(&mut self, layer: usize, product: Product) {
        let layer = self.layer(layer);
        let matrix = match product {
            Product::QueriesKeysValues => &layer.queries_keys_values,
            Product::AttentionOutput => &layer.attention_output,
            Product::GateUp => &layer.gate_up,
            Product::Down => &layer.down,
        };
        let weights: Rows = (0..matrix.outputs()).map(|output| row(matrix, output)).collect();
        let product = |inputs: &Vec<f64>| weights.iter().map(|weights| dot(weights, inputs)).collect();
        self.products = self.inputs.iter().map(product).collect();
    }

    fn attend(&mut self, layer: usize, memories: &mut [&mut Memory]) {
        let (queries, keys) = (self.model.architecture.queries(), self.model.architecture.keys());
        let mut attended = Vec::new();
        for (row, product) in self.rows.iter().zip(&self.products) {
            let memory = &mut memories[row.step][layer];
            memory.0.push(self.turned(&product[queries..][..keys], row.position));
            memory.1.push(product[queries + keys..].to_vec());
            attended.push(self.attended(&self.turned(&product[..queries], row.position), memory, row.position + 1));
        }
        self.inputs = attended;
    }

    fn gate(&mut self) {
        let gate = |both: &Vec<f64>| {
            let (gates, rest) = both.split_at(both.len() / 2);
            gates.iter().zip(rest).map(|(gate, x)| gate / (1.0 + (-gate).exp()) * x).collect()
        };
        self.inputs = self.products.iter().map(gate).collect();
    }

    fn add(&mut self, layer: usize, component: Component, edits: &[Option<&Edits>]) {
        let all = self.rows.iter().zip(&self.inputs).zip(&mut self.products).zip(&mut self.states);
        for (((row, inputs), written), state) in all {
            for edit in edits[row.step].into_iter().flat_map(|edits| edits.at(component, layer)) {
                let weight = f64::from(edit.weight);
                let (along, direction) = match &edit.saved_norms {
                    Some(kept) => (dot(&wide(&kept.read), inputs), wide(&kept.written)),
                    None => (dot(&wide(&edit.direction), written), wide(&edit.direction)),
                };
                written.iter_mut().zip(direction).for_each(|(x, direction)| *x -= weight * along * direction);
                let scales = edit.saved_norms.iter().filter_map(|kept| kept.scales.as_ref()).flatten();
                written.iter_mut().zip(scales).for_each(|(x, &scale)| *x *= f64::from(scale));
            }
            state.iter_mut().zip(written).for_each(|(state, x)| *state += *x);
        }
    }

    fn hidden(&mut self, rows: &[usize], show: &mut dyn FnMut(usize, &[f32])) {
        rows.iter().for_each(|&row| show(row, &narrow(&self.states[row])));
    }

    fn logits(&mut self, rows: &[usize], show: &mut dyn FnMut(usize, &[f32])) {
        let (head, gain) = (self.model.weights.head(), &self.model.weights.final_norm);
        for &asked in rows {
            let normed = self.normed(&self.states[asked], gain);
            let logits: Vec<f64> = (0..head.outputs()).map(|output| dot(&row(head, output), &normed)).collect();
            show(asked, &narrow(&logits));
        }
    }
}

/// What a pass shows of one sequence.
#[derive(Default)]
struct Seen {
    /// Of the last position, layer by layer.
    hidden: Vec<Vec<f32>>,
    /// Position by position.
    logits: Vec<Vec<f32>>,
}

/// Of each step.
struct All(Vec<Seen>);

impl Observer for All {
    fn hidden(&mut self, step: usize, _: usize, layer: usize, state: &[f32]) {
        assert_eq!(layer, self.0[step].hidden.len());
        self.0[step].hidden.push(state.to_vec());
    }

    fn logits(&mut self, step: usize, position: usize, logits: &[f32]) {
        assert_eq!(position, self.0[step].logits.len());
        self.0[step].logits.push(logits.to_vec());
    }
}

/// Reads prompts on the backend of double precision, side by side: all tokens but the last, and then the last.
fn read(model: &Transformer, prompts: &[(Vec<u32>, Option<Edits>)]) -> Vec<Seen> {
    let layers = model.architecture.layers;
    let mut backend = Double { model, rows: Vec::new(), states: Vec::new(), inputs: Vec::new(), products: Vec::new() };
    let mut memories: Vec<Memory> = prompts.iter().map(|_| vec![(Vec::new(), Vec::new()); layers]).collect();
    let mut memories: Vec<&mut Memory> = memories.iter_mut().collect();
    let mut all = All(prompts.iter().map(|_| Seen::default()).collect());
    for is_last in [false, true] {
        let readings = prompts.iter().map(|(tokens, edits)| {
            let (most, last) = tokens.split_at(tokens.len() - 1);
            let (first, tokens) = if is_last { (most.len(), last) } else { (0, most) };
            let hidden = if is_last { Positions::Last } else { Positions::None };
            Reading { first, tokens, edits: edits.as_ref(), hidden, logits: Positions::From(0) }
        });
        pass(&mut backend, layers, &readings.collect::<Vec<_>>(), &mut memories, &mut all);
    }
    all.0
}

fn distance(found: &[f32], wanted: &Value) -> f64 {
    let wanted: Vec<f64> = from_value(wanted.clone()).expect("a list of numbers");
    assert_eq!(found.len(), wanted.len());
    found.iter().zip(wanted).map(|(&found, wanted)| (f64::from(found) - wanted).abs()).fold(0.0, f64::max)
}

fn edits(model: &Transformer, case: &Value) -> Edits {
    let listed = case["edits"].as_array().expect("a list");
    let directions: Vec<Vec<f32>> =
        listed.iter().map(|edit| from_value(edit["direction"].clone()).expect("a direction")).collect();
    let specs = listed.iter().zip(&directions).map(|(edit, direction)| EditSpec {
        component: from_value(edit["component"].clone()).expect("a component"),
        layer: from_value(edit["layer"].clone()).expect("a layer"),
        direction,
        weight: from_value(edit["weight"].clone()).expect("a weight"),
        normalization: from_value::<RowNormalization>(edit["normalization"].clone()).expect("a normalisation"),
    });
    model.edits(&specs.collect::<Vec<_>>()).expect("they can be made")
}

#[test]
fn a_pass_on_another_backend_gives_what_the_reference_gives() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let text = std::fs::read_to_string(fixtures.join("reference.json")).expect("the fixture is there");
    let reference: Value = serde_json::from_str(&text).expect("the file is JSON");
    for (name, path) in [("folder", "tiny"), ("gguf", "tiny.gguf")] {
        let model = Transformer::load(&fixtures.join(path)).expect("the fixture is a model");
        let list = |of: &str| reference[name][of].as_array().expect("a list").clone();
        let (plain, edited) = (list("sequences"), list("edited"));
        let ids = |case: &Value| from_value(case["ids"].clone()).expect("tokens");
        let prompts: Vec<(Vec<u32>, Option<Edits>)> = plain
            .iter()
            .map(|case| (ids(case), None))
            .chain(edited.iter().map(|case| (ids(case), Some(edits(&model, case)))))
            .collect();
        for (case, seen) in plain.iter().chain(&edited).zip(read(&model, &prompts)) {
            let mut pairs: Vec<(&Vec<f32>, &Value)> =
                seen.hidden.iter().zip(case["residuals"].as_array().expect("a list")).collect();
            let tokens = case["ids"].as_array().expect("a list").len();
            assert_eq!((pairs.len(), seen.logits.len()), (model.architecture.layers + 1, tokens), "all is shown");
            match case["logits"].as_array() {
                Some(logits) => pairs.extend(seen.logits.iter().zip(logits)),
                None => pairs.extend(seen.logits.last().map(|last| (last, &case["logits_last"]))),
            }
            let far = pairs.into_iter().map(|(found, wanted)| distance(found, wanted)).fold(0.0, f64::max);
            assert!(far < BAR, "{name}, {tokens} tokens: {far}");
        }
    }
}
