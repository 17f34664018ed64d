//! Tensors that travel by reference.

use std::{borrow::Cow, fmt, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Failure, Result};

/// The most dimensions of a tensor.
pub const MAX_DIMENSIONS: usize = 8;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ElementType {
    /// 32-bit floats, little-endian where they are bytes.
    #[default]
    F32,
}

/// A tensor by reference: what stands in a document for elements that the host holds. As JSON
/// `{"$tensor": "<sha256>", "shape": [512, 31, 576], "dtype": "f32"}`.
///
/// A field of an input or an output declares its shape by a list of names and lengths. Dimensions with the same name have
/// the same length throughout an input and the answer to it, and `null` is any length:
/// `#[schemars(extend("x-tensor" = { "shape": ["prompts", "layers", "d"] }))]`. The host checks inputs and answers against it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorRef {
    /// SHA-256 of the elements as little-endian bytes, in lower-case hexadecimal digits.
    #[serde(rename = "$tensor")]
    pub sha256: String,
    /// Length of each dimension, the slowest first; at most [`MAX_DIMENSIONS`].
    pub shape: Vec<u64>,
    /// Type of the elements.
    pub dtype: ElementType,
}

impl TensorRef {
    /// How many elements it has; none if no machine can count them.
    #[must_use]
    pub fn element_count(&self) -> Option<u64> {
        element_count(&self.shape)
    }

    /// Its lengths, where it has as many dimensions.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] if it has another number of dimensions.
    pub fn dimensions<const N: usize>(&self) -> Result<[u64; N]> {
        let wrong = |_| {
            Failure::InvalidInput(format!("expected a tensor of {N} dimensions, but its shape is {:?}", self.shape))
        };
        <[u64; N]>::try_from(self.shape.clone()).map_err(wrong)
    }
}

impl JsonSchema for TensorRef {
    fn schema_name() -> Cow<'static, str> {
        "TensorRef".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "properties": {
                "$tensor": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                "shape": {
                    "type": "array", "items": { "type": "integer", "minimum": 0 }, "maxItems": MAX_DIMENSIONS
                },
                "dtype": { "enum": ["f32"] },
            },
            "required": ["$tensor", "shape", "dtype"],
            "additionalProperties": false,
            "x-tensor": {},
        })
    }
}

/// How many elements a tensor of this shape has; none if no machine can count them.
#[must_use]
pub fn element_count(shape: &[u64]) -> Option<u64> {
    shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length))
}

/// The elements of a tensor, or the way to them.
pub enum TensorElements<'a> {
    /// In memory that the host and the plugin share.
    Shared(Arc<[f32]>),
    /// In memory that the host lends for the time of the call.
    Lent(&'a [f32]),
    /// At the host: read a slice at a time.
    Remote(Box<dyn ReadElements + 'a>),
}

impl TensorElements<'_> {
    /// How many there are, where they are in memory.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Shared(elements) => Some(elements.len() as u64),
            Self::Lent(elements) => Some(elements.len() as u64),
            Self::Remote(_) => None,
        }
    }
}

impl From<Arc<[f32]>> for TensorElements<'_> {
    fn from(elements: Arc<[f32]>) -> Self {
        Self::Shared(elements)
    }
}

impl From<Vec<f32>> for TensorElements<'_> {
    fn from(elements: Vec<f32>) -> Self {
        Self::Shared(elements.into())
    }
}

impl<'a> From<&'a [f32]> for TensorElements<'a> {
    fn from(elements: &'a [f32]) -> Self {
        Self::Lent(elements)
    }
}

/// Elements that the host holds.
pub trait ReadElements: Send + Sync {
    /// Fills `into` with the elements from the one at `offset` on. The caller has made sure that they are there.
    ///
    /// # Errors
    /// Whatever keeps the host from giving them.
    fn read(&self, offset: u64, into: &mut [f32]) -> Result<()>;
}

impl fmt::Debug for TensorElements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared(elements) => write!(f, "Shared({} elements)", elements.len()),
            Self::Lent(elements) => write!(f, "Lent({} elements)", elements.len()),
            Self::Remote(_) => f.write_str("Remote"),
        }
    }
}

/// A tensor that can be read, for the time of a call. Made by [`Host::tensor`](crate::Host::tensor).
#[derive(Debug)]
pub struct TensorReader<'a> {
    shape: Vec<u64>,
    count: u64,
    elements: TensorElements<'a>,
}

impl<'a> TensorReader<'a> {
    /// A tensor of this shape.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] if there are not as many elements as the shape says.
    pub fn new(shape: Vec<u64>, elements: TensorElements<'a>) -> Result<Self> {
        let count = checked_shape(&shape)?;
        match elements.count() {
            Some(there) if there != count => {
                Err(Failure::InvalidInput(format!("a tensor of shape {shape:?} has {count} elements, not {there}")))
            }
            _ => Ok(Self { shape, count, elements }),
        }
    }

    /// Length of each dimension, the slowest first.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// All elements, where they are in memory: linked in and in a native library. A sandboxed plugin reads them.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[f32]> {
        match &self.elements {
            TensorElements::Shared(elements) => Some(elements),
            TensorElements::Lent(elements) => Some(elements),
            TensorElements::Remote(_) => None,
        }
    }

    /// Fills `into` with the elements from the one at `offset` on, whatever the form of the plugin.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] for elements beyond the last one.
    pub fn read(&self, offset: u64, into: &mut [f32]) -> Result<()> {
        let end = offset.checked_add(into.len() as u64).filter(|end| *end <= self.count);
        let Some(end) = end else {
            let (wanted, count) = (into.len(), self.count);
            return Err(Failure::InvalidInput(format!(
                "there are no {wanted} elements from {offset} on: the tensor has {count}"
            )));
        };
        match (self.as_slice(), &self.elements) {
            (Some(elements), _) => into.copy_from_slice(&elements[offset as usize..end as usize]),
            (None, TensorElements::Remote(remote)) => remote.read(offset, into)?,
            (None, _) => {}
        }
        Ok(())
    }

    /// All elements, without a copy where they are shared already.
    ///
    /// # Errors
    /// Whatever keeps the host from giving them.
    pub fn into_shared(self) -> Result<Arc<[f32]>> {
        if let TensorElements::Shared(elements) = self.elements {
            return Ok(elements);
        }
        Ok(self.to_elements()?.into())
    }

    /// All elements, borrowed where they are in memory.
    ///
    /// # Errors
    /// Whatever keeps the host from giving them.
    pub fn to_elements(&self) -> Result<Cow<'_, [f32]>> {
        if let Some(elements) = self.as_slice() {
            return Ok(Cow::Borrowed(elements));
        }
        let mut all = vec![0.0; self.count as usize];
        self.read(0, &mut all)?;
        Ok(Cow::Owned(all))
    }
}

/// Takes elements until there are as many as a shape has.
pub trait WriteElements: Send {
    /// Adds elements at the end.
    ///
    /// # Errors
    /// Whatever keeps the host from taking them.
    fn write(&mut self, elements: &[f32]) -> Result<()>;

    /// Ends the tensor.
    ///
    /// # Errors
    /// Whatever keeps the host from keeping it.
    fn finish(self: Box<Self>) -> Result<TensorRef>;
}

/// A tensor that is being made. Made by [`Host::create_tensor`](crate::Host::create_tensor).
pub struct TensorWriter<'a> {
    shape: Vec<u64>,
    count: u64,
    written: u64,
    sink: Box<dyn WriteElements + 'a>,
}

impl fmt::Debug for TensorWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorWriter").field("shape", &self.shape).field("written", &self.written).finish()
    }
}

impl<'a> TensorWriter<'a> {
    /// A tensor of this shape whose elements go into `sink`.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] for a shape that no tensor has.
    pub fn new(shape: &[u64], sink: Box<dyn WriteElements + 'a>) -> Result<Self> {
        let count = checked_shape(shape)?;
        Ok(Self { shape: shape.to_vec(), count, written: 0, sink })
    }

    /// Adds elements at the end.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] if there are then more than the shape says; [`Failure::OverBudget`] beyond a limit.
    pub fn write(&mut self, elements: &[f32]) -> Result<()> {
        let written = self.written.saturating_add(elements.len() as u64);
        if written > self.count {
            return Err(Failure::InvalidInput(format!(
                "a tensor of shape {:?} has {} elements, and {written} were written",
                self.shape, self.count
            )));
        }
        self.written = written;
        self.sink.write(elements)
    }

    /// Ends the tensor and gives its reference, to be put into an answer.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] if elements are missing; [`Failure::OverBudget`] beyond a limit;
    /// [`Failure::Unavailable`] if the host cannot keep it.
    pub fn finish(self) -> Result<TensorRef> {
        if self.written < self.count {
            return Err(Failure::InvalidInput(format!(
                "a tensor of shape {:?} has {} elements, and {} were written",
                self.shape, self.count, self.written
            )));
        }
        self.sink.finish()
    }
}

/// How many elements a tensor of this shape has.
///
/// # Errors
/// [`Failure::InvalidInput`] for one that has too many dimensions, or more elements than can be counted.
pub fn checked_shape(shape: &[u64]) -> Result<u64> {
    if shape.len() > MAX_DIMENSIONS {
        let found = shape.len();
        return Err(Failure::InvalidInput(format!("a tensor of {found} dimensions, more than {MAX_DIMENSIONS}")));
    }
    element_count(shape).ok_or_else(|| Failure::InvalidInput(format!("a tensor of shape {shape:?} is too large")))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn reader<'a>(shape: &[u64], elements: &'a [f32]) -> Result<TensorReader<'a>> {
        TensorReader::new(shape.to_vec(), TensorElements::Lent(elements))
    }

    #[test]
    fn a_reference_is_read_as_it_is_written_and_nothing_else_is_one() {
        let good = json!({ "$tensor": "00".repeat(32), "shape": [2, 3], "dtype": "f32" });
        let read: TensorRef = from_value(good.clone()).expect("a reference");
        assert_eq!(serde_json::to_value(&read).expect("JSON"), good);
        assert_eq!((read.element_count(), read.dimensions::<2>()), (Some(6), Ok([2, 3])));
        assert!(read.dimensions::<3>().is_err());
        for (key, value) in [("dtype", json!("f64")), ("more", json!(1)), ("shape", json!([-1]))] {
            let mut bad = good.clone();
            bad[key] = value;
            assert!(from_value::<TensorRef>(bad).is_err(), "{key}");
        }
    }

    #[test]
    fn slices_are_read_within_the_tensor_and_not_beyond_it() {
        let tensor = reader(&[2, 2], &[1.0, 2.0, 3.0, 4.0]).expect("as many as its shape says");
        let mut two = [0.0; 2];
        tensor.read(1, &mut two).expect("there are");
        assert_eq!(two, [2.0, 3.0]);
        tensor.read(4, &mut []).expect("nothing is there");
        for offset in [3, 5, u64::MAX] {
            assert!(matches!(tensor.read(offset, &mut two), Err(Failure::InvalidInput(_))), "{offset}");
        }
        assert!(reader(&[3], &[1.0]).is_err());
        assert!(reader(&[u64::MAX, 2], &[1.0]).is_err());
    }
}
