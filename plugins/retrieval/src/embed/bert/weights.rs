//! Tensors of a safetensors file, each with the shape that is asked of it.

use ndarray::{Array1, Array2};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// The tensors of a model. Nothing is copied before its shape is known to be right, so that no number in another file
/// decides how much memory is taken.
pub(super) struct Weights<'a> {
    tensors: SafeTensors<'a>,
    /// What all names begin with: models with a task's head on top keep the encoder under `bert.`.
    prefix: &'static str,
}

impl<'a> Weights<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let tensors =
            SafeTensors::deserialize(bytes).map_err(|error| format!("it is not a whole safetensors file ({error})"))?;
        let under = tensors.names().iter().any(|name| name.starts_with("bert."));
        Ok(Self { tensors, prefix: if under { "bert." } else { "" } })
    }

    pub(super) fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Array2<f32>, String> {
        let values = self.values(name, &[rows, columns])?;
        Array2::from_shape_vec((rows, columns), values).map_err(|error| format!("the tensor `{name}`: {error}"))
    }

    pub(super) fn vector(&self, name: &str, length: usize) -> Result<Array1<f32>, String> {
        self.values(name, &[length]).map(Array1::from_vec)
    }

    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let name = format!("{}{name}", self.prefix);
        let tensor = self.tensors.tensor(&name).map_err(|_| format!("it has no tensor `{name}`"))?;
        if tensor.shape() != shape {
            let found = tensor.shape();
            return Err(format!("the tensor `{name}` has the shape {found:?}, but config.json makes it {shape:?}"));
        }
        let values = numbers(&tensor).ok_or_else(|| {
            format!("the tensor `{name}` holds {:?}: only F32, F16 and BF16 are read", tensor.dtype())
        })?;
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(format!("the tensor `{name}` holds something that is no finite number"))
        }
    }
}

fn numbers(tensor: &TensorView<'_>) -> Option<Vec<f32>> {
    let words = || tensor.data().as_chunks().0.iter().map(|&word| u16::from_le_bytes(word));
    match tensor.dtype() {
        Dtype::F32 => Some(tensor.data().as_chunks().0.iter().map(|&word| f32::from_le_bytes(word)).collect()),
        Dtype::F16 => Some(words().map(half).collect()),
        Dtype::BF16 => Some(words().map(|word| f32::from_bits(u32::from(word) << 16)).collect()),
        _ => None,
    }
}

/// A binary16 number (IEEE 754).
fn half(word: u16) -> f32 {
    let (sign, exponent, fraction) = (word >> 15, (word >> 10) & 31, f32::from(word & 1023));
    let size = match exponent {
        0 => fraction * f32::from_bits((127 - 24) << 23),
        31 => f32::INFINITY,
        _ => f32::from_bits(((u32::from(exponent) + 112) << 23) | (u32::from(word & 1023) << 13)),
    };
    if sign == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_read_as_the_standard_has_it() {
        // One, the largest, the least normal, the least of all, minus two, a third.
        for (word, value) in [
            (0x3c00, 1.0),
            (0x7bff, 65504.0),
            (0x0400, 2f32.powi(-14)),
            (0x0001, 2f32.powi(-24)),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x8000, 0.0),
        ] {
            assert!(half(word) == value, "{word:x}: {} is not {value}", half(word));
        }
        assert!(!half(0x7c00).is_finite() && !half(0x7e01).is_finite());
    }
}
