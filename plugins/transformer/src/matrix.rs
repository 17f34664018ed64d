//! Matrices of weights, laid out for products.

use crate::lanes::LANES;

/// The weights of sixteen outputs for one input. Aligned, so that no load crosses a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Lanes(pub(crate) [f32; LANES]);

/// A matrix of weights, of shape `[outputs, inputs]`. Sixteen outputs make a panel, in which the weights of one input lie
/// side by side. The last panel is filled up with zeros.
#[derive(Debug, Default)]
pub(crate) struct Matrix {
    /// Panel by panel, input by input.
    lanes: Vec<Lanes>,
    outputs: usize,
    inputs: usize,
}

impl Matrix {
    /// A matrix of zeros; nothing if it does not fit into memory.
    pub(crate) fn zeros(outputs: usize, inputs: usize) -> Option<Self> {
        let length = outputs.div_ceil(LANES).checked_mul(inputs)?;
        let mut lanes = Vec::new();
        lanes.try_reserve_exact(length).ok()?;
        lanes.resize(length, Lanes([0.0; LANES]));
        Some(Self { lanes, outputs, inputs })
    }

    /// How many bytes a matrix takes; nothing for more than can be counted.
    pub(crate) fn bytes_of(outputs: u64, inputs: u64) -> Option<u64> {
        outputs.div_ceil(LANES as u64).checked_mul(inputs)?.checked_mul(size_of::<Lanes>() as u64)
    }

    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many panels there are.
    pub(crate) fn panels(&self) -> usize {
        self.outputs.div_ceil(LANES)
    }

    /// How many floats a row of results takes: the outputs, filled up to whole panels.
    pub(crate) fn width(&self) -> usize {
        self.panels() * LANES
    }

    /// The weights of the sixteen outputs from `16 * panel` on, input by input.
    pub(crate) fn panel(&self, panel: usize) -> &[Lanes] {
        &self.lanes[panel * self.inputs..][..self.inputs]
    }

    /// Sets the weights of an output.
    pub(crate) fn set_row(&mut self, output: usize, weights: &[f32]) {
        assert!(output < self.outputs && weights.len() == self.inputs, "a row of the matrix");
        let panel = &mut self.lanes[output / LANES * self.inputs..][..self.inputs];
        for (lanes, &weight) in panel.iter_mut().zip(weights) {
            lanes.0[output % LANES] = weight;
        }
    }

    /// Makes it a matrix of zeros of this shape, in the memory that it has.
    pub(crate) fn reset(&mut self, outputs: usize, inputs: usize) {
        (self.outputs, self.inputs) = (outputs, inputs);
        self.lanes.clear();
        self.lanes.resize(outputs.div_ceil(LANES) * inputs, Lanes([0.0; LANES]));
    }

    /// Sets the weights of an input.
    pub(crate) fn set_column(&mut self, input: usize, weights: &[f32]) {
        assert!(input < self.inputs && weights.len() == self.outputs, "a column of the matrix");
        for (panel, weights) in weights.chunks(LANES).enumerate() {
            self.lanes[panel * self.inputs + input].0[..weights.len()].copy_from_slice(weights);
        }
    }

    /// Copies the weights of an output.
    pub(crate) fn row(&self, output: usize, weights: &mut [f32]) {
        assert!(output < self.outputs && weights.len() == self.inputs, "a row of the matrix");
        for (lanes, weight) in self.panel(output / LANES).iter().zip(weights) {
            *weight = lanes.0[output % LANES];
        }
    }

    /// The Euclidean norm of each output's weights.
    pub(crate) fn row_norms(&self) -> Vec<f64> {
        let square = |lanes: &Lanes, sums: &mut [f64; LANES]| {
            for (sum, weight) in sums.iter_mut().zip(lanes.0) {
                *sum += f64::from(weight) * f64::from(weight);
            }
        };
        let norms = self.over_panels(|_, lanes, sums| square(lanes, sums));
        norms.into_iter().map(f64::sqrt).collect()
    }

    /// The product with one row of inputs, in double precision.
    pub(crate) fn product_with(&self, inputs: &[f64]) -> Vec<f64> {
        self.over_panels(|input, lanes, sums| {
            for (sum, weight) in sums.iter_mut().zip(lanes.0) {
                *sum += inputs[input] * f64::from(weight);
            }
        })
    }

    /// The sum of all rows, each with a factor, in double precision.
    pub(crate) fn combination(&self, factors: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.inputs];
        for (panel, factors) in factors.chunks(LANES).enumerate() {
            for (sum, lanes) in sums.iter_mut().zip(self.panel(panel)) {
                *sum += lanes.0.iter().zip(factors).map(|(&weight, factor)| f64::from(weight) * factor).sum::<f64>();
            }
        }
        sums
    }

    /// A sum over the inputs for each output.
    fn over_panels(&self, mut add: impl FnMut(usize, &Lanes, &mut [f64; LANES])) -> Vec<f64> {
        let mut all = Vec::with_capacity(self.width());
        for panel in 0..self.panels() {
            let mut sums = [0.0; LANES];
            for (input, lanes) in self.panel(panel).iter().enumerate() {
                add(input, lanes, &mut sums);
            }
            all.extend(sums);
        }
        all.truncate(self.outputs);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(outputs: usize, inputs: usize) -> Matrix {
        let mut matrix = Matrix::zeros(outputs, inputs).expect("it is small");
        for output in 0..outputs {
            let row: Vec<f32> = (0..inputs).map(|input| (output * 10 + input) as f32).collect();
            matrix.set_row(output, &row);
        }
        matrix
    }

    #[test]
    fn rows_come_back_as_they_were_set() {
        let matrix = matrix(19, 3);
        assert_eq!((matrix.panels(), matrix.width(), matrix.outputs(), matrix.inputs()), (2, 32, 19, 3));
        for output in 0..19 {
            let mut row = [0.0; 3];
            matrix.row(output, &mut row);
            assert_eq!(row, [0.0, 1.0, 2.0].map(|input| (output * 10) as f32 + input));
        }
        assert_eq!(Matrix::bytes_of(19, 3), Some(2 * 3 * 64));
    }

    #[test]
    fn columns_are_set_in_the_place_of_what_was_there() {
        let mut matrix = matrix(19, 3);
        matrix.reset(18, 2);
        matrix.set_column(1, &[5.0; 18]);
        for output in 0..18 {
            let mut row = [1.0; 2];
            matrix.row(output, &mut row);
            assert_eq!(row, [0.0, 5.0]);
        }
        assert_eq!(matrix.panel(1)[1].0[2..], [0.0; 14]);
    }

    #[test]
    fn sums_over_rows_and_columns_are_exact_for_small_integers() {
        let matrix = matrix(19, 3);
        assert_eq!(matrix.product_with(&[1.0, 2.0, 3.0])[18], 180.0 + 2.0 * 181.0 + 3.0 * 182.0);
        assert_eq!(matrix.row_norms()[1], f64::from(10 * 10 + 11 * 11 + 12 * 12).sqrt());
        let mut factors = vec![0.0; 19];
        (factors[0], factors[18]) = (1.0, 2.0);
        assert_eq!(matrix.combination(&factors), [360.0, 363.0, 366.0]);
    }

    #[test]
    fn one_that_cannot_be_is_not_made() {
        assert!(Matrix::zeros(usize::MAX, usize::MAX).is_none());
        assert!(Matrix::zeros(usize::MAX / 64, 64).is_none());
        assert_eq!(Matrix::bytes_of(u64::MAX, u64::MAX), None);
    }
}
