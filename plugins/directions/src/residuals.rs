//! Residuals and their shapes, in memory or read in slices.

use std::{fmt, ops::Range};

use jackfield_plugin_api::Failure;

use crate::ExtractError;

/// The shape of the residuals of a set, `[prompts, layers, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// How many prompts there are.
    pub prompts: usize,
    /// How many rows a prompt has: the embeddings, then one for each layer of the model.
    pub layers: usize,
    /// How many components a row has.
    pub width: usize,
}

impl Shape {
    /// How many values there are; nothing where the number is too large for this machine.
    #[must_use]
    pub fn values(self) -> Option<usize> {
        self.prompts.checked_mul(self.layers)?.checked_mul(self.width)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}, {}]", self.prompts, self.layers, self.width)
    }
}

/// The residuals of a set, `[prompts, layers, width]`, read in slices.
pub trait Residuals {
    /// The shape, which does not change.
    fn shape(&self) -> Shape;

    /// Reads the rows of a prompt at `layers`, which lie one after the other in a row-major tensor, into `rows`, whose length
    /// is that of the range times the width.
    fn read(&mut self, prompt: usize, layers: Range<usize>, rows: &mut [f32]) -> Result<(), Failure>;
}

/// Residuals in memory, row-major.
#[derive(Clone, Copy, Debug)]
pub struct ResidualSet<'a> {
    shape: Shape,
    values: &'a [f32],
}

impl<'a> ResidualSet<'a> {
    /// Residuals of this shape.
    pub fn new(shape: Shape, values: &'a [f32]) -> Result<Self, ExtractError> {
        if shape.values() == Some(values.len()) {
            Ok(Self { shape, values })
        } else {
            Err(ExtractError::WrongLength { shape, values: values.len() })
        }
    }

    /// The rows of a layer.
    ///
    /// # Panics
    /// Where there is no such layer.
    #[must_use]
    pub fn layer(&self, layer: usize) -> LayerRows<'a> {
        let Shape { prompts, layers, width } = self.shape;
        assert!(layer < layers, "layer {layer} of {layers}");
        LayerRows { values: self.values, prompts, width, first: layer * width, stride: layers * width }
    }
}

impl Residuals for ResidualSet<'_> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, prompt: usize, layers: Range<usize>, rows: &mut [f32]) -> Result<(), Failure> {
        let Shape { layers: all_layers, width, .. } = self.shape;
        let start = (prompt * all_layers + layers.start) * width;
        rows.copy_from_slice(&self.values[start..start + layers.len() * width]);
        Ok(())
    }
}

/// The rows of a set's prompts at one layer.
#[derive(Clone, Copy, Debug)]
pub struct LayerRows<'a> {
    values: &'a [f32],
    prompts: usize,
    width: usize,
    /// Where the first row starts.
    first: usize,
    /// From the start of a row to the start of the next.
    stride: usize,
}

impl<'a> LayerRows<'a> {
    /// Rows that lie one after the other, `[prompts, width]`.
    pub fn new(prompts: usize, width: usize, values: &'a [f32]) -> Result<Self, ExtractError> {
        ResidualSet::new(Shape { prompts, layers: 1, width }, values).map(|set| set.layer(0))
    }

    /// How many prompts there are.
    #[must_use]
    pub const fn prompts(&self) -> usize {
        self.prompts
    }

    /// How many components a row has.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The row of a prompt.
    pub(crate) fn row(&self, prompt: usize) -> &'a [f32] {
        let start = self.first + prompt * self.stride;
        &self.values[start..start + self.width]
    }
}
