//! Extracts the directions of all layers, reading the residuals a few layers at a time.

use std::ops::Range;

use jackfield_plugin_api::LayerDirection;

use crate::{ExtractError, ExtractedLayer, Extractor, Options, PromptSet, ResidualSet, Residuals, Shape};

/// How many bytes of residuals are read before they are worked on, where one layer is not more. Many short reads cost a
/// sandboxed plugin more than few long ones.
const READ_AHEAD: usize = 4 << 20;

/// The directions of all layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Extraction {
    /// How many components a direction has.
    pub width: usize,
    /// `[layers, width]`, row-major: a unit vector for each layer, all zeros where it is degenerate.
    pub directions: Vec<f32>,
    /// What is known of each layer.
    pub layers: Vec<LayerDirection>,
}

impl Extraction {
    /// The direction of a layer, or nothing where there is no such layer or it is degenerate.
    #[must_use]
    pub fn direction(&self, layer: usize) -> Option<&[f32]> {
        let usable = self.layers.get(layer).is_some_and(|known| !known.degenerate);
        usable.then(|| &self.directions[layer * self.width..(layer + 1) * self.width])
    }
}

/// Extracts the direction of each layer.
///
/// Memory is that of one layer of all prompts in `f64`, some 4 MiB read ahead (or one layer in `f32`, where that is more),
/// and for `pca` a square matrix of the pairs or of the components, whichever are fewer.
pub fn extract(
    positive: &mut dyn Residuals,
    negative: &mut dyn Residuals,
    options: &Options,
) -> Result<Extraction, ExtractError> {
    let extractor = Extractor::new(*options)?;
    let mut found = Extraction { width: positive.shape().width, directions: Vec::new(), layers: Vec::new() };
    extract_each(&extractor, positive, negative, |layer| {
        found.directions.extend_from_slice(&layer.direction);
        found.layers.push(layer.known);
        Ok::<(), ExtractError>(())
    })?;
    Ok(found)
}

/// Extracts the direction of each layer, and hands them on one by one, in order. Nothing of the outcome is kept.
///
/// # Errors
/// What is wrong with the residuals, and what `each` says.
pub(crate) fn extract_each<E: From<ExtractError>>(
    extractor: &Extractor,
    positive: &mut dyn Residuals,
    negative: &mut dyn Residuals,
    mut each: impl FnMut(ExtractedLayer) -> Result<(), E>,
) -> Result<(), E> {
    let (positive_shape, negative_shape) = (positive.shape(), negative.shape());
    extractor.check(positive_shape, negative_shape)?;
    let Shape { layers, width, .. } = positive_shape;
    let too_large = || ExtractError::TooLarge { positive: positive_shape, negative: negative_shape };

    let prompts = positive_shape.prompts.checked_add(negative_shape.prompts);
    let layer_bytes = prompts.and_then(|prompts| prompts.checked_mul(width)?.checked_mul(size_of::<f32>()));
    let at_a_time = (READ_AHEAD / layer_bytes.ok_or_else(too_large)?).clamp(1, layers);
    let (mut positive_values, mut negative_values) = (Vec::new(), Vec::new());
    for first in (0..layers).step_by(at_a_time) {
        let chunk = first..(first + at_a_time).min(layers);
        let read = |set, residuals: &mut dyn Residuals, values| {
            read_chunk(set, residuals, chunk.clone(), values)?.ok_or_else(too_large)
        };
        let positive_shape = read(PromptSet::Positive, positive, &mut positive_values)?;
        let negative_shape = read(PromptSet::Negative, negative, &mut negative_values)?;
        let positive_chunk = ResidualSet::new(positive_shape, &positive_values)?;
        let negative_chunk = ResidualSet::new(negative_shape, &negative_values)?;
        for layer in chunk.clone() {
            each(extractor.layer(layer, positive_chunk.layer(layer - first), negative_chunk.layer(layer - first))?)?;
        }
    }
    Ok(())
}

/// Reads the rows of all prompts at `layers` into `values`, and answers their shape; nothing where there is no room.
fn read_chunk(
    set: PromptSet,
    residuals: &mut dyn Residuals,
    layers: Range<usize>,
    values: &mut Vec<f32>,
) -> Result<Option<Shape>, ExtractError> {
    let shape = Shape { layers: layers.len(), ..residuals.shape() };
    let Some(length) = shape.values() else { return Ok(None) };
    if values.try_reserve_exact(length.saturating_sub(values.len())).is_err() {
        return Ok(None);
    }
    values.resize(length, 0.0);
    for (prompt, rows) in values.chunks_exact_mut(shape.layers * shape.width).enumerate() {
        residuals.read(prompt, layers.clone(), rows).map_err(|failure| ExtractError::Unreadable {
            set,
            prompt,
            failure,
        })?;
    }
    Ok(Some(shape))
}
