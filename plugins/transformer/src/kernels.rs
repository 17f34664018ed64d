//! Products of rows with matrices of weights. A result is a sum over the inputs, from the first to the last, in blocks whose
//! sums are added up: it has the same bits alone and in any batch, and whichever outputs are computed beside it. Blocks keep
//! rounding errors small.
//!
//! There are two sums, and either has the same bits on each processor. In a fused one, product and sum are rounded once, which
//! not every processor can do; in a portable one, they are rounded apart. What is used of the processor's instructions beyond
//! that makes it faster, and no different.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "vector instructions beyond those that each processor of the architecture has")
)]

use std::ops::Range;

use crate::{
    lanes::LANES,
    matrix::{Lanes, Matrix},
};

/// How products are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Product and sum are rounded once: faster, and more accurate. Only where the processor has the instruction.
    Fused,
    /// Product and sum are rounded apart: runs, with the same bits, on each processor.
    Portable,
}

impl Kernel {
    /// The kernel for this processor: fused where it can be.
    #[must_use]
    pub fn best() -> Self {
        if Self::Fused.is_available() { Self::Fused } else { Self::Portable }
    }

    /// Whether this processor can run it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            Self::Fused => cfg!(target_arch = "aarch64") || has_avx2(),
        }
    }

    /// What tells results of one kernel from those of another: `fused` or `portable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fused => "fused",
            Self::Portable => "portable",
        }
    }
}

/// Most rows that go through a panel side by side: as many as have room in the registers of AVX2.
const GROUP: usize = 6;
/// How many products are summed before their sum is added to that of the blocks before.
const BLOCK: usize = 16;
/// Groups that go through all panels before the next ones do: their inputs stay in the second-level cache.
const GROUPS_AT_ONCE: usize = 32;

/// Rows of inputs, laid out for products: groups of up to six rows, in which the values of one input lie side by side.
#[derive(Debug, Default)]
pub(crate) struct PackedRows {
    values: Vec<f32>,
    rows: usize,
    inputs: usize,
}

impl PackedRows {
    /// Takes in rows of this many inputs, in place of what was there.
    pub(crate) fn pack(&mut self, rows: &[f32], inputs: usize) {
        (self.rows, self.inputs) = (rows.len() / inputs, inputs);
        self.values.clear();
        self.values.reserve_exact(rows.len());
        self.values.resize(rows.len(), 0.0);
        for (first, size) in groups(self.rows) {
            let group = &rows[first * inputs..][..size * inputs];
            let packed = &mut self.values[first * inputs..][..size * inputs];
            match size {
                1 => packed.copy_from_slice(group),
                2 => interleave::<2>(group, packed),
                4 => interleave::<4>(group, packed),
                _ => interleave::<GROUP>(group, packed),
            }
        }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes of memory are held.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<f32>()
    }
}

/// Puts the values of one input side by side.
fn interleave<const ROWS: usize>(group: &[f32], packed: &mut [f32]) {
    let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &group[group.len() / ROWS * row..][..group.len() / ROWS]);
    for (input, packed) in packed.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
        for row in 0..ROWS {
            packed[row] = rows[row][input];
        }
    }
}

/// First row and number of rows of each group.
fn groups(rows: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
    let mut first = 0;
    std::iter::from_fn(move || {
        let size = match rows - first {
            0 => return None,
            1 => 1,
            2 | 3 => 2,
            4 | 5 => 4,
            _ => GROUP,
        };
        first += size;
        Some((first - size, size))
    })
}

/// The products of rows with the outputs of some panels. A row of results begins at each multiple of `stride` in `results`.
pub(crate) fn product(
    kernel: Kernel,
    rows: &PackedRows,
    matrix: &Matrix,
    panels: Range<usize>,
    results: &mut [f32],
    stride: usize,
) {
    assert_eq!(rows.inputs, matrix.inputs(), "rows of the matrix's width");
    assert!(kernel.is_available(), "a kernel that this processor has");
    let tile = Tile { fused: kernel == Kernel::Fused, has_avx2: has_avx2() };
    let mut left = groups(rows.rows);
    loop {
        let block: [Option<(usize, usize)>; GROUPS_AT_ONCE] = std::array::from_fn(|_| left.next());
        if block[0].is_none() {
            return;
        }
        for (column, panel) in panels.clone().enumerate() {
            let weights = matrix.panel(panel);
            for (first, size) in block.into_iter().flatten() {
                let group = &rows.values[first * rows.inputs..][..size * rows.inputs];
                let results = &mut results[first * stride + column * LANES..][..(size - 1) * stride + LANES];
                match size {
                    1 => tile.run::<1>(group, weights, results, stride),
                    2 => tile.run::<2>(group, weights, results, stride),
                    4 => tile.run::<4>(group, weights, results, stride),
                    _ => tile.run::<GROUP>(group, weights, results, stride),
                }
            }
        }
    }
}

/// How a group of rows goes through a panel.
#[derive(Clone, Copy)]
struct Tile {
    fused: bool,
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "other processors have no AVX2"))]
    has_avx2: bool,
}

impl Tile {
    #[inline]
    fn run<const ROWS: usize>(self, group: &[f32], weights: &[Lanes], results: &mut [f32], stride: usize) {
        #[cfg(target_arch = "x86_64")]
        if self.has_avx2 {
            // SAFETY: the processor has the instructions: `has_avx2` asked it.
            return unsafe {
                if self.fused {
                    tile_avx2::<true, ROWS>(group, weights, results, stride);
                } else {
                    tile_avx2::<false, ROWS>(group, weights, results, stride);
                }
            };
        }
        if self.fused {
            tile_plain::<true, ROWS>(group, weights, results, stride);
        } else {
            tile_plain::<false, ROWS>(group, weights, results, stride);
        }
    }
}

fn tile_plain<const FUSED: bool, const ROWS: usize>(
    group: &[f32],
    weights: &[Lanes],
    results: &mut [f32],
    stride: usize,
) {
    for row in 0..ROWS {
        let mut totals = [0.0; LANES];
        for (inputs, weights) in group.as_chunks::<ROWS>().0.chunks(BLOCK).zip(weights.chunks(BLOCK)) {
            let mut sums = [0.0; LANES];
            for (inputs, lanes) in inputs.iter().zip(weights) {
                for (sum, weight) in sums.iter_mut().zip(lanes.0) {
                    *sum = if FUSED { inputs[row].mul_add(weight, *sum) } else { *sum + inputs[row] * weight };
                }
            }
            totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
        results[row * stride..][..LANES].copy_from_slice(&totals);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn tile_avx2<const FUSED: bool, const ROWS: usize>(
    group: &[f32],
    weights: &[Lanes],
    results: &mut [f32],
    stride: usize,
) {
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_fmadd_ps, _mm256_load_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_setzero_ps,
        _mm256_storeu_ps,
    };
    const HALF: usize = LANES / 2;
    let mut totals = [[_mm256_setzero_ps(); 2]; ROWS];
    for (inputs, weights) in group.as_chunks::<ROWS>().0.chunks(BLOCK).zip(weights.chunks(BLOCK)) {
        let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
        for (inputs, lanes) in inputs.iter().zip(weights) {
            let first = lanes.0.as_ptr();
            // SAFETY: `Lanes` is sixteen floats, aligned to 64 bytes: both halves are inside it, and aligned to 32.
            let halves = unsafe { [_mm256_load_ps(first), _mm256_load_ps(first.add(HALF))] };
            for row in 0..ROWS {
                let input = _mm256_set1_ps(inputs[row]);
                for half in 0..2 {
                    sums[row][half] = if FUSED {
                        _mm256_fmadd_ps(input, halves[half], sums[row][half])
                    } else {
                        _mm256_add_ps(sums[row][half], _mm256_mul_ps(input, halves[half]))
                    };
                }
            }
        }
        for (totals, sums) in totals.iter_mut().zip(sums) {
            for half in 0..2 {
                totals[half] = _mm256_add_ps(totals[half], sums[half]);
            }
        }
    }
    for (row, totals) in totals.into_iter().enumerate() {
        for (half, total) in totals.into_iter().enumerate() {
            let eight: &mut [f32; HALF] = results[row * stride + half * HALF..].first_chunk_mut().expect("a result");
            // SAFETY: the reference is to eight floats.
            unsafe { _mm256_storeu_ps(eight.as_mut_ptr(), total) };
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
const fn has_avx2() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Random;

    use super::*;

    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed);
        (0..count).map(|_| (random.next_f64() * 2.0 - 1.0) as f32).collect()
    }

    fn matrix(outputs: usize, inputs: usize) -> Matrix {
        let mut matrix = Matrix::zeros(outputs, inputs).expect("it is small");
        for (output, row) in numbers(outputs * inputs, 1).chunks(inputs).enumerate() {
            matrix.set_row(output, row);
        }
        matrix
    }

    fn all(kernel: Kernel, rows: &[f32], matrix: &Matrix) -> Vec<u32> {
        let mut packed = PackedRows::default();
        packed.pack(rows, matrix.inputs());
        let mut results = vec![0.0; packed.rows() * matrix.width()];
        product(kernel, &packed, matrix, 0..matrix.panels(), &mut results, matrix.width());
        results.into_iter().map(f32::to_bits).collect()
    }

    fn kernels() -> impl Iterator<Item = Kernel> {
        [Kernel::Fused, Kernel::Portable].into_iter().filter(|kernel| kernel.is_available())
    }

    #[test]
    fn a_row_has_the_same_bits_alone_and_in_any_batch() {
        let (matrix, rows) = (matrix(40, 37), numbers(240 * 37, 2));
        for kernel in kernels() {
            let whole = all(kernel, &rows, &matrix);
            for (first, count) in [(0, 1), (239, 1), (0, 2), (5, 3), (7, 4), (9, 5), (1, 6), (0, 7), (3, 200)] {
                let part = all(kernel, &rows[first * 37..][..count * 37], &matrix);
                assert_eq!(part, whole[first * 48..][..count * 48], "{kernel:?} {first} {count}");
            }
        }
    }

    #[test]
    fn panels_computed_apart_are_those_of_the_whole() {
        let (matrix, rows) = (matrix(40, 5), numbers(9 * 5, 3));
        let mut packed = PackedRows::default();
        packed.pack(&rows, 5);
        for kernel in kernels() {
            let whole = all(kernel, &rows, &matrix);
            let mut part = vec![0.0; 9 * 32];
            product(kernel, &packed, &matrix, 1..3, &mut part, 32);
            for row in 0..9 {
                let bits: Vec<u32> = part[row * 32..][..32].iter().map(|x| x.to_bits()).collect();
                assert_eq!(bits, whole[row * 48 + 16..][..32]);
            }
        }
    }

    #[test]
    fn what_the_processor_has_changes_no_bit() {
        let (matrix, rows) = (matrix(16, 33), numbers(GROUP * 33, 4));
        let mut packed = PackedRows::default();
        packed.pack(&rows, 33);
        for fused in [false, true] {
            let run = |has_avx2| {
                let mut results = vec![0.0; GROUP * LANES];
                Tile { fused, has_avx2 }.run::<GROUP>(&packed.values, matrix.panel(0), &mut results, LANES);
                results
            };
            assert_eq!(run(false), run(has_avx2()));
        }
    }

    #[test]
    fn a_product_has_these_bits_on_each_processor() {
        let (matrix, row) = (matrix(20, 37), numbers(37, 6));
        for kernel in kernels() {
            let wanted = match kernel {
                Kernel::Fused => [3_214_282_566, 3_230_624_248, 1_066_325_421, 1_062_454_986],
                Kernel::Portable => [3_214_282_566, 3_230_624_249, 1_066_325_421, 1_062_454_986],
            };
            let found = all(kernel, &row, &matrix);
            assert_eq!([0, 1, 15, 19].map(|output| found[output]), wanted, "{kernel:?}");
        }
    }

    #[test]
    fn sums_go_from_the_first_input_to_the_last_block_by_block() {
        const INPUTS: usize = 2 * BLOCK + 5;
        let (matrix, row) = (matrix(3, INPUTS), numbers(INPUTS, 5));
        let mut weights = vec![0.0; INPUTS];
        for kernel in kernels() {
            let found = all(kernel, &row, &matrix);
            for (output, found) in found.iter().enumerate().take(3) {
                matrix.row(output, &mut weights);
                let add = |sum: f32, (x, w): (&f32, &f32)| match kernel {
                    Kernel::Fused => x.mul_add(*w, sum),
                    Kernel::Portable => sum + x * w,
                };
                let blocks = row.chunks(BLOCK).zip(weights.chunks(BLOCK));
                let wanted = blocks.fold(0.0, |total, (row, weights)| total + row.iter().zip(weights).fold(0.0, add));
                assert_eq!(*found, wanted.to_bits(), "{kernel:?}");
            }
        }
    }
}
