//! The arithmetic of training: products of matrices, and the few functions that are needed. All of it is made of additions,
//! multiplications, divisions and roots in a fixed order, so that the result does not depend on the machine.

/// Rows of `A` that are computed together.
const ROWS: usize = 4;
/// Columns of `B` that are computed together.
const COLUMNS: usize = 8;

/// A matrix within a slice: the element of row `i` and column `j` is `data[i * row + j * column]`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    data: &'a [f32],
    row: usize,
    column: usize,
}

impl<'a> View<'a> {
    /// A matrix whose rows lie `row` elements apart.
    pub fn new(data: &'a [f32], row: usize) -> Self {
        Self { data, row, column: 1 }
    }

    /// The same with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self { data: self.data, row: self.column, column: self.row }
    }
}

/// Adds the product of `a`, `[rows, inner]`, and `b`, `[inner, columns]`, to `c`, whose rows lie `step` elements apart.
pub fn add_product([rows, columns, inner]: [usize; 3], a: View<'_>, b: View<'_>, c: &mut [f32], step: usize) {
    let packed_a = packed::<ROWS>(a, rows, inner);
    let packed_b = packed::<COLUMNS>(b.transposed(), columns, inner);
    for (block, panel_b) in packed_b.chunks_exact(COLUMNS * inner).enumerate() {
        let column = block * COLUMNS;
        let width = COLUMNS.min(columns - column);
        for (block, panel_a) in packed_a.chunks_exact(ROWS * inner).enumerate() {
            let row = block * ROWS;
            let sums = block_product(panel_a, panel_b);
            for (offset, sums) in sums.iter().take(rows - row).enumerate() {
                let start = (row + offset) * step + column;
                for (out, sum) in c[start..start + width].iter_mut().zip(sums) {
                    *out += sum;
                }
            }
        }
    }
}

/// The product of a block of rows and a block of columns. With arrays of known lengths, the compiler keeps the sums in
/// vector registers.
#[inline(never)]
fn block_product(rows: &[f32], columns: &[f32]) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (a, b) in rows.as_chunks::<ROWS>().0.iter().zip(columns.as_chunks::<COLUMNS>().0) {
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                sums[row][column] += a[row] * b[column];
            }
        }
    }
    sums
}

/// The rows of a matrix in blocks of `SIDE`, the elements of a column of a block side by side; rows that there are not are 0.
fn packed<const SIDE: usize>(matrix: View<'_>, rows: usize, inner: usize) -> Vec<f32> {
    let mut packed = vec![0.0; rows.div_ceil(SIDE) * SIDE * inner];
    for row in 0..rows {
        let block = row / SIDE * SIDE * inner + row % SIDE;
        for at in 0..inner {
            packed[block + at * SIDE] = matrix.data[row * matrix.row + at * matrix.column];
        }
    }
    packed
}

/// e to the power of `x`, 0 below -87 and that of 88 above 88.
pub fn exp(x: f32) -> f32 {
    if x < -87.0 {
        return 0.0;
    }
    let x = f64::from(x.min(88.0));
    let whole = (x * std::f64::consts::LOG2_E).round();
    let rest = x - whole * std::f64::consts::LN_2;
    // Horner's scheme of the series up to the tenth power; |rest| is at most 0.35.
    let series = (1..=10).rev().fold(1.0, |sum, power| 1.0 + rest / f64::from(power) * sum);
    let two_to_whole = f64::from_bits(((whole as i64 + 1023) as u64) << 52);
    (series * two_to_whole) as f32
}

/// Sine and cosine of an angle from 0 to a few hundred.
pub fn sine_and_cosine(angle: f64) -> (f64, f64) {
    let turns = (angle / std::f64::consts::TAU).round();
    // A sixteenth of the angle, by its series, doubled four times.
    let small = (angle - turns * std::f64::consts::TAU) / 16.0;
    let square = small * small;
    let mut sine = (1..=6).rev().fold(1.0, |sum, n| 1.0 - square / f64::from(2 * n * (2 * n + 1)) * sum) * small;
    let mut cosine = (1..=6).rev().fold(1.0, |sum, n| 1.0 - square / f64::from(2 * n * (2 * n - 1)) * sum);
    for _ in 0..4 {
        (sine, cosine) = (2.0 * sine * cosine, cosine * cosine - sine * sine);
    }
    (sine, cosine)
}

/// The bits of the half-precision number nearest to `x`, to even in the middle. `x` is below 65,504 in size.
pub fn half(x: f32) -> u16 {
    let sign = ((x.to_bits() >> 16) & 0x8000) as u16;
    let size = x.abs();
    if size < 6.103_515_6e-5 {
        // Below the smallest normal number they lie 2^-24 apart.
        return sign | (size * 16_777_216.0).round_ties_even() as u16;
    }
    let bits = size.to_bits();
    let rounded = bits + 0x0FFF + ((bits >> 13) & 1);
    sign | ((rounded - (112 << 23)) >> 13) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_plain_loop() {
        let number = |at: usize| ((at * 37 % 101) as f32 - 50.0) / 16.0;
        let (rows, columns, inner) = (7, 11, 5);
        let a: Vec<f32> = (0..rows * inner).map(number).collect();
        let b: Vec<f32> = (0..columns * inner).map(|at| number(at + 13)).collect();
        let mut c = vec![1.0; rows * columns];
        add_product([rows, columns, inner], View::new(&a, inner), View::new(&b, inner).transposed(), &mut c, columns);
        for row in 0..rows {
            for column in 0..columns {
                let wanted: f32 = (0..inner).map(|at| a[row * inner + at] * b[column * inner + at]).sum();
                assert_eq!(c[row * columns + column], 1.0 + wanted);
            }
        }
    }

    #[test]
    fn functions_are_those_of_the_standard_library() {
        for step in -800..800 {
            let x = step as f32 / 10.0;
            assert!((exp(x) - x.exp()).abs() <= x.exp() * 1e-6, "exp {x}");
            let (sine, cosine) = sine_and_cosine(f64::from(x));
            assert!((sine - f64::from(x).sin()).abs() < 1e-12 && (cosine - f64::from(x).cos()).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn halves_are_the_nearest() {
        for (number, bits) in [
            (0.0, 0x0000),
            (-0.0, 0x8000),
            (1.0, 0x3C00),
            (-2.0, 0xC000),
            (65504.0, 0x7BFF),
            (0.333_251_95, 0x3555),
            (1.000_488_3, 0x3C00),
            (1.001_464_8, 0x3C02),
            (5.960_464_5e-8, 0x0001),
            (6.097_555e-5, 0x03FF),
        ] {
            assert_eq!(half(number), bits, "{number}");
        }
    }
}
