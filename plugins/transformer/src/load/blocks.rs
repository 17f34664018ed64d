//! Quantised blocks of GGUF, as numbers: in 32-bit floats, in the order of operations that the format's own tools have, so
//! that results have the same bits.

use super::numbers::half;

/// Decodes block after block.
pub(super) fn each<const SIZE: usize, const COUNT: usize>(
    bytes: &[u8],
    numbers: &mut [f32],
    decode: impl Fn(&[u8; SIZE], &mut [f32; COUNT]),
) {
    for (block, numbers) in bytes.as_chunks().0.iter().zip(numbers.as_chunks_mut().0) {
        decode(block, numbers);
    }
}

fn half_at(block: &[u8], begin: usize) -> f32 {
    half(u16::from_le_bytes([block[begin], block[begin + 1]]))
}

/// Scale, 16 bytes of two numbers each: the first half in the low bits, the second in the high ones.
pub(super) fn q4_0(block: &[u8; 18], numbers: &mut [f32; 32]) {
    let scale = half_at(block, 0);
    for (index, &pair) in block[2..].iter().enumerate() {
        numbers[index] = scale * (f32::from(pair & 15) - 8.0);
        numbers[index + 16] = scale * (f32::from(pair >> 4) - 8.0);
    }
}

/// Scale, least number, pairs as in `q4_0`.
pub(super) fn q4_1(block: &[u8; 20], numbers: &mut [f32; 32]) {
    let (scale, least) = (half_at(block, 0), half_at(block, 2));
    for (index, &pair) in block[4..].iter().enumerate() {
        numbers[index] = scale * f32::from(pair & 15) + least;
        numbers[index + 16] = scale * f32::from(pair >> 4) + least;
    }
}

/// The fifth bits of 32 numbers, from the lowest on.
fn fifth_bits(block: &[u8], begin: usize) -> u32 {
    u32::from_le_bytes([block[begin], block[begin + 1], block[begin + 2], block[begin + 3]])
}

fn with_fifth(low: u8, bits: u32, index: usize) -> f32 {
    f32::from(low | (((bits >> index) & 1) as u8) << 4)
}

/// Scale, fifth bits, pairs as in `q4_0`.
pub(super) fn q5_0(block: &[u8; 22], numbers: &mut [f32; 32]) {
    let (scale, bits) = (half_at(block, 0), fifth_bits(block, 2));
    for (index, &pair) in block[6..].iter().enumerate() {
        numbers[index] = scale * (with_fifth(pair & 15, bits, index) - 16.0);
        numbers[index + 16] = scale * (with_fifth(pair >> 4, bits, index + 16) - 16.0);
    }
}

/// Scale, least number, fifth bits, pairs as in `q4_0`.
pub(super) fn q5_1(block: &[u8; 24], numbers: &mut [f32; 32]) {
    let (scale, least, bits) = (half_at(block, 0), half_at(block, 2), fifth_bits(block, 4));
    for (index, &pair) in block[8..].iter().enumerate() {
        numbers[index] = scale * with_fifth(pair & 15, bits, index) + least;
        numbers[index + 16] = scale * with_fifth(pair >> 4, bits, index + 16) + least;
    }
}

/// Scale, 32 signed bytes.
pub(super) fn q8_0(block: &[u8; 34], numbers: &mut [f32; 32]) {
    let scale = half_at(block, 0);
    for (number, &byte) in numbers.iter_mut().zip(&block[2..]) {
        *number = f32::from(byte as i8) * scale;
    }
}

/// Scales and least numbers of the eight parts of a block, of six bits each in twelve bytes.
fn scales_and_leasts(packed: &[u8]) -> [(u8, u8); 8] {
    std::array::from_fn(|part| match part.checked_sub(4) {
        None => (packed[part] & 63, packed[part + 4] & 63),
        Some(low) => {
            ((packed[low + 8] & 15) | ((packed[low] >> 2) & 48), (packed[low + 8] >> 4) | ((packed[low + 4] >> 2) & 48))
        }
    })
}

/// Scale of the scales, scale of the least numbers, both of the eight parts, and pairs: of each 32 bytes, the low bits are a
/// part, the high bits the next.
pub(super) fn q4_k(block: &[u8; 144], numbers: &mut [f32; 256]) {
    let parts = scales_and_leasts(&block[4..16]);
    k_parts(block, parts, numbers, |part, index| {
        let pair = block[16 + part / 2 * 32 + index];
        if part % 2 == 0 { pair & 15 } else { pair >> 4 }
    });
}

/// As `q4_k`, with the fifth bits of part n in the n-th bits of 32 bytes.
pub(super) fn q5_k(block: &[u8; 176], numbers: &mut [f32; 256]) {
    let parts = scales_and_leasts(&block[4..16]);
    k_parts(block, parts, numbers, |part, index| {
        let pair = block[48 + part / 2 * 32 + index];
        let low = if part % 2 == 0 { pair & 15 } else { pair >> 4 };
        low | ((block[16 + index] >> part) & 1) << 4
    });
}

fn k_parts(block: &[u8], parts: [(u8, u8); 8], numbers: &mut [f32; 256], at: impl Fn(usize, usize) -> u8) {
    let (scales, leasts) = (half_at(block, 0), half_at(block, 2));
    for (part, (scale, least)) in parts.into_iter().enumerate() {
        let (scale, least) = (scales * f32::from(scale), leasts * f32::from(least));
        for index in 0..32 {
            numbers[part * 32 + index] = scale * f32::from(at(part, index)) - least;
        }
    }
}

/// Four low bits of each number, two high bits, sixteen signed scales, scale of the scales.
pub(super) fn q6_k(block: &[u8; 210], numbers: &mut [f32; 256]) {
    let scales = half_at(block, 208);
    for (index, number) in numbers.iter_mut().enumerate() {
        // Each half of the block: 64 bytes of low bits for four parts of 32 numbers, and 32 bytes of high bits.
        let (side, part, place) = (index / 128, index / 32 % 4, index % 32);
        let pair = block[side * 64 + part % 2 * 32 + place];
        let low = if part < 2 { pair & 15 } else { pair >> 4 };
        let high = (block[128 + side * 32 + place] >> (2 * part)) & 3;
        let scale = scales * f32::from(block[192 + index / 16] as i8);
        *number = scale * (f32::from(low | (high << 4)) - 32.0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use crate::load::numbers::Stored;

    #[derive(Deserialize)]
    struct Case {
        r#type: u32,
        bytes: String,
        numbers: String,
    }

    fn unhex(text: &str) -> Vec<u8> {
        let byte = |index| u8::from_str_radix(&text[index..index + 2], 16).expect("hexadecimal digits");
        (0..text.len()).step_by(2).map(byte).collect()
    }

    /// Decodes the blocks of a fixture, and compares them with what the tools of the format make of them.
    fn check(fixture: &str) {
        let cases: BTreeMap<String, Case> = serde_json::from_str(fixture).expect("the fixture is JSON");
        assert_eq!(cases.len(), 8);
        for (name, case) in cases {
            let (bytes, wanted) = (unhex(&case.bytes), unhex(&case.numbers));
            let mut numbers = vec![0.0_f32; wanted.len() / 4];
            Stored::of_gguf(case.r#type).expect("it is read").decode(&bytes, &mut numbers);
            let wanted = wanted.as_chunks().0.iter().map(|word| f32::from_le_bytes(*word));
            for (index, (found, wanted)) in numbers.iter().zip(wanted).enumerate() {
                // What is not a number has bits that depend on the processor.
                let same = found.to_bits() == wanted.to_bits() || (found.is_nan() && wanted.is_nan());
                assert!(same, "{name} {index}: {found:e} {wanted:e}");
            }
        }
    }

    #[test]
    fn each_type_gives_the_numbers_that_the_tools_of_the_format_give_bit_for_bit() {
        check(include_str!("../../fixtures/blocks.json"));
    }

    #[test]
    fn scales_that_are_zeros_the_least_the_largest_or_infinite_are_read_as_the_tools_read_them() {
        check(include_str!("../../fixtures/edges.json"));
    }
}
