//! Edits: what a component adds to the residual stream, without a direction, as if the component's weights were changed.
//! Nothing is changed: the difference is computed from what the component reads and what it writes.
//!
//! With `W` the component's matrix, `n` the norms of its rows, `v` the unit direction, `w` the weight, `x` what the component
//! reads and `y = W x`:
//!
//! | normalisation | what is written instead of `y` |
//! | --- | --- |
//! | none | `y - w v (v·y)` |
//! | pre | `y - w (n∘v) (a·x)`, with `a` the sum of all rows of `W`, each times `v_i / n_i` |
//! | full | as pre, times `s`, with `s_i = 1 / sqrt(1 - 2 w v_i (W_i·a) / n_i + w² v_i² |a|²)` |

use std::collections::HashMap;

use jackfield_plugin_api::{Component, RowNormalization};

use crate::{
    Architecture, RunError,
    lanes::{add_scaled, dot},
    matrix::Matrix,
    weights::Weights,
};

/// How far the length of a direction may be from 1.
const UNIT: f64 = 1e-3;

/// An edit of a component of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct EditSpec<'a> {
    /// The component.
    pub component: Component,
    /// The block, from 0.
    pub layer: usize,
    /// A unit vector, as long as a hidden state.
    pub direction: &'a [f32],
    /// How much of the direction to take out: 0 leaves everything exactly as it is, 1 takes all of it.
    pub weight: f64,
    /// How the norms of the matrix's rows are treated.
    pub normalization: RowNormalization,
}

/// Edits made ready for a model. Rows under different edits, and under none, go through the model together.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    by_target: HashMap<(Component, usize), Vec<PreparedEdit>>,
}

/// An edit made ready.
#[derive(Clone, Debug)]
pub(crate) struct PreparedEdit {
    pub(crate) weight: f32,
    pub(crate) direction: Vec<f32>,
    pub(crate) saved_norms: Option<SavedRowNorms>,
}

/// What an edit needs that keeps the norms of rows.
#[derive(Clone, Debug)]
pub(crate) struct SavedRowNorms {
    /// `n∘v`.
    pub(crate) written: Vec<f32>,
    /// `a`.
    pub(crate) read: Vec<f32>,
    /// `s`; absent where rows are not given their norms again.
    pub(crate) scales: Option<Vec<f32>>,
}

impl Edits {
    /// Makes edits ready.
    pub(crate) fn new(
        architecture: &Architecture,
        weights: &Weights,
        specs: &[EditSpec<'_>],
    ) -> Result<Self, RunError> {
        let mut edits = Self::default();
        for spec in specs {
            check(architecture, spec)?;
            if spec.weight == 0.0 {
                continue;
            }
            let layer = &weights.layers[spec.layer];
            let matrix = match spec.component {
                Component::AttentionOutput => &layer.attention_output,
                Component::MlpDown => &layer.down,
            };
            let others = edits.by_target.entry((spec.component, spec.layer)).or_default();
            let keeps = |ready: &PreparedEdit| ready.saved_norms.is_some();
            if !others.is_empty() && (spec.normalization != RowNormalization::None || others.iter().any(keeps)) {
                return Err(RunError::EditedTwice { layer: spec.layer });
            }
            others.push(PreparedEdit {
                weight: spec.weight as f32,
                direction: spec.direction.to_vec(),
                saved_norms: match spec.normalization {
                    RowNormalization::None => None,
                    RowNormalization::Pre => Some(SavedRowNorms::new(matrix, spec, false)),
                    RowNormalization::Full => Some(SavedRowNorms::new(matrix, spec, true)),
                },
            });
        }
        Ok(edits)
    }

    /// Whether they leave everything as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_target.is_empty()
    }

    /// How many bytes they take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let floats = |ready: &PreparedEdit| {
            let saved_norms = ready.saved_norms.as_ref();
            let scales = saved_norms.and_then(|saved_norms| saved_norms.scales.as_ref()).map_or(0, Vec::len);
            ready.direction.len()
                + saved_norms.map_or(0, |saved_norms| saved_norms.written.len() + saved_norms.read.len())
                + scales
        };
        self.by_target.values().flatten().map(floats).sum::<usize>() * size_of::<f32>()
    }

    /// Those of a component of a block, in the order in which they are made.
    pub(crate) fn at(&self, component: Component, layer: usize) -> &[PreparedEdit] {
        self.by_target.get(&(component, layer)).map_or(&[], Vec::as_slice)
    }

    /// The matrix of a component of a block with its edits in it, row by row: its product is what is written under the edits.
    /// None where there is no edit.
    pub(crate) fn baked(&self, component: Component, layer: usize, matrix: &Matrix) -> Option<Vec<f32>> {
        let edits = self.at(component, layer);
        if edits.is_empty() {
            return None;
        }
        let inputs = matrix.inputs();
        let mut row = vec![0.0; inputs];
        let mut rows = Vec::with_capacity(matrix.outputs() * inputs);
        for output in 0..matrix.outputs() {
            matrix.row(output, &mut row);
            rows.extend(row.iter().map(|&weight| f64::from(weight)));
        }
        edits.iter().for_each(|ready| ready.bake(inputs, &mut rows));
        Some(rows.into_iter().map(|weight| weight as f32).collect())
    }

    /// Changes what a component of a block writes, having read `inputs`.
    pub(crate) fn apply(&self, component: Component, layer: usize, inputs: &[f32], outputs: &mut [f32]) {
        for ready in self.at(component, layer) {
            ready.apply(inputs, outputs);
        }
    }
}

impl PreparedEdit {
    fn apply(&self, inputs: &[f32], outputs: &mut [f32]) {
        let Some(saved_norms) = &self.saved_norms else {
            let along = dot(&self.direction, outputs);
            return add_scaled(outputs, -(self.weight * along), &self.direction);
        };
        let along = dot(&saved_norms.read, inputs);
        add_scaled(outputs, -(self.weight * along), &saved_norms.written);
        for (output, scale) in outputs.iter_mut().zip(saved_norms.scales.iter().flatten()) {
            *output *= scale;
        }
    }
}

impl PreparedEdit {
    /// Changes rows of so many weights as [`Ready::apply`] changes their product.
    fn bake(&self, inputs: usize, rows: &mut [f64]) {
        let weight = f64::from(self.weight);
        let Some(saved_norms) = &self.saved_norms else {
            let mut along = vec![0.0; inputs];
            for (&v, row) in self.direction.iter().zip(rows.chunks_exact(inputs)) {
                along.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(v) * x);
            }
            for (&v, row) in self.direction.iter().zip(rows.chunks_exact_mut(inputs)) {
                row.iter_mut().zip(&along).for_each(|(x, along)| *x -= weight * f64::from(v) * along);
            }
            return;
        };
        for (index, row) in rows.chunks_exact_mut(inputs).enumerate() {
            let written = weight * f64::from(saved_norms.written[index]);
            let scale = saved_norms.scales.as_ref().map_or(1.0, |scales| f64::from(scales[index]));
            row.iter_mut().zip(&saved_norms.read).for_each(|(x, read)| *x = (*x - written * f64::from(*read)) * scale);
        }
    }
}

impl SavedRowNorms {
    fn new(matrix: &Matrix, spec: &EditSpec<'_>, full: bool) -> Self {
        let norms = matrix.row_norms();
        let direction = || spec.direction.iter().map(|&x| f64::from(x));
        // A row of zeros has nothing to take out.
        let factors: Vec<f64> =
            direction().zip(&norms).map(|(v, &norm)| if norm > 0.0 { v / norm } else { 0.0 }).collect();
        let read = matrix.combination(&factors);
        let scales = full.then(|| {
            let square = read.iter().map(|x| x * x).sum::<f64>();
            let along = matrix.product_with(&read);
            let scale = |((v, norm), along): ((f64, &f64), f64)| {
                if *norm == 0.0 {
                    return 1.0;
                }
                let left = 1.0 - 2.0 * spec.weight * v * along / norm + (spec.weight * v).powi(2) * square;
                // A row of which nothing is left does not get its norm again.
                if left > 1e-12 { (1.0 / left.sqrt()) as f32 } else { 0.0 }
            };
            direction().zip(&norms).zip(along).map(scale).collect()
        });
        let written = direction().zip(&norms).map(|(v, norm)| (v * norm) as f32).collect();
        Self { written, read: read.into_iter().map(|x| x as f32).collect(), scales }
    }
}

fn check(architecture: &Architecture, spec: &EditSpec<'_>) -> Result<(), RunError> {
    if spec.layer >= architecture.layers {
        return Err(RunError::UnknownLayer { layer: spec.layer, layers: architecture.layers });
    }
    if spec.direction.len() != architecture.hidden {
        return Err(RunError::WrongDirection { length: spec.direction.len(), hidden: architecture.hidden });
    }
    let norm = spec.direction.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if norm.is_nan() || (norm - 1.0).abs() > UNIT {
        return Err(RunError::NotUnit { norm });
    }
    if !(spec.weight as f32).is_finite() {
        return Err(RunError::WrongWeight { weight: spec.weight });
    }
    Ok(())
}
