//! The types of numbers that weights are stored as, and what they are as 32-bit floats.

use super::{LoadFault, blocks};

/// A type that weights are stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

impl Stored {
    /// How many numbers a block holds, and how many bytes it takes.
    pub(crate) const fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::BF16 => (1, 2),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q4K => (256, 144),
            Self::Q5K => (256, 176),
            Self::Q6K => (256, 210),
        }
    }

    /// The type that safetensors calls so.
    pub(crate) fn of_safetensors(name: &str) -> Result<Self, LoadFault> {
        match name {
            "F32" => Ok(Self::F32),
            "F16" => Ok(Self::F16),
            "BF16" => Ok(Self::BF16),
            _ => Err(LoadFault::UnknownQuantization(name.to_owned())),
        }
    }

    /// The type that GGUF gives this number.
    pub(crate) fn of_gguf(number: u32) -> Result<Self, LoadFault> {
        Ok(match number {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            12 => Self::Q4K,
            13 => Self::Q5K,
            14 => Self::Q6K,
            30 => Self::BF16,
            _ => return Err(LoadFault::UnknownQuantization(gguf_name(number))),
        })
    }

    /// How many bytes a tensor of this shape takes, whose last dimension lies together; none for one that cannot be: its
    /// rows are not of whole blocks, or it is too large.
    pub(crate) fn bytes(self, shape: &[u64]) -> Option<u64> {
        let (numbers, bytes) = self.block();
        if let Some(row) = shape.last()
            && !row.is_multiple_of(numbers as u64)
        {
            return None;
        }
        let elements = shape.iter().try_fold(1_u64, |product, &length| product.checked_mul(length))?;
        (elements / numbers as u64).checked_mul(bytes as u64)
    }

    /// Writes the numbers of whole blocks.
    pub(crate) fn decode(self, bytes: &[u8], numbers: &mut [f32]) {
        let (count, size) = self.block();
        assert!(bytes.len().is_multiple_of(size) && bytes.len() / size * count == numbers.len(), "whole blocks");
        match self {
            Self::F32 => each(bytes, numbers, |&word| f32::from_le_bytes(word)),
            Self::F16 => each(bytes, numbers, |&word| half(u16::from_le_bytes(word))),
            Self::BF16 => each(bytes, numbers, |&word| f32::from_bits(u32::from(u16::from_le_bytes(word)) << 16)),
            Self::Q4_0 => blocks::each(bytes, numbers, blocks::q4_0),
            Self::Q4_1 => blocks::each(bytes, numbers, blocks::q4_1),
            Self::Q5_0 => blocks::each(bytes, numbers, blocks::q5_0),
            Self::Q5_1 => blocks::each(bytes, numbers, blocks::q5_1),
            Self::Q8_0 => blocks::each(bytes, numbers, blocks::q8_0),
            Self::Q4K => blocks::each(bytes, numbers, blocks::q4_k),
            Self::Q5K => blocks::each(bytes, numbers, blocks::q5_k),
            Self::Q6K => blocks::each(bytes, numbers, blocks::q6_k),
        }
    }
}

fn each<const SIZE: usize>(bytes: &[u8], numbers: &mut [f32], decode: impl Fn(&[u8; SIZE]) -> f32) {
    for (word, number) in bytes.as_chunks().0.iter().zip(numbers) {
        *number = decode(word);
    }
}

/// A binary16 number (IEEE 754).
pub(super) fn half(word: u16) -> f32 {
    let (exponent, fraction) = ((word >> 10) & 31, u32::from(word & 1023));
    let size = match exponent {
        0 => fraction as f32 * f32::from_bits((127 - 24) << 23),
        31 => f32::from_bits(0x7f80_0000 | (fraction << 13)),
        _ => f32::from_bits(((u32::from(exponent) + 112) << 23) | (fraction << 13)),
    };
    if word >> 15 == 0 { size } else { -size }
}

/// What GGUF calls a type that is not read here.
fn gguf_name(number: u32) -> String {
    let known = match number {
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        _ => return format!("type {number}"),
    };
    known.to_owned()
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
        assert!(half(0x7c00) == f32::INFINITY && half(0x7e01).is_nan());
    }

    #[test]
    fn rows_are_of_whole_blocks_and_sizes_are_counted_without_overflow() {
        assert_eq!(Stored::Q4_0.bytes(&[3, 64]), Some(3 * 2 * 18));
        assert_eq!(Stored::Q6K.bytes(&[2, 255]), None);
        assert_eq!(Stored::F32.bytes(&[u64::MAX, 2]), None);
        assert_eq!(Stored::F32.bytes(&[u64::MAX / 2]), None);
        assert_eq!(Stored::F16.bytes(&[0, 7]), Some(0));
        assert_eq!(Stored::F32.bytes(&[]), Some(4));
    }
}
