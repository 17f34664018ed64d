//! Parzen estimators: a mixture of products of kernels, one kernel a trial and one for what is believed before any.

use std::f64::consts::FRAC_1_SQRT_2;

use jackfield_plugin_api::{Domain, Random};

use crate::{
    normal::{LOG_ROOT_2PI, below, log_between, quantile},
    space::Axis,
};

/// A density over some axes of a space. The last kernel is the prior one.
pub(crate) struct Mixture {
    /// What each kernel weighs; 1 in sum.
    pub(crate) weights: Vec<f64>,
    /// The kernels' factors, by axis.
    pub(crate) factors: Vec<Factor>,
}

/// The kernels of one axis.
pub(crate) enum Factor {
    /// Normals that are cut off at the ends of the range.
    Normals(Normals),
    /// Choices, of which a kernel prefers one.
    Choices(Choices),
}

/// Normals that are cut off at both ends, all as wide but for the prior one.
pub(crate) struct Normals {
    /// Whether the centres are logarithms of values.
    is_log: bool,
    /// How far the cell of a value reaches to either side of it, where values are apart; 0 where they are not.
    half: f64,
    low: f64,
    high: f64,
    /// Where the kernels are, the prior one last: in the middle.
    pub(crate) centres: Vec<f64>,
    /// How wide the kernels of trials are.
    pub(crate) sigma: f64,
    /// How wide the prior kernel is: as the range.
    pub(crate) prior_sigma: f64,
    /// Which share of each whole normal is below the low end and above the high one.
    cut: Vec<[f64; 2]>,
}

/// What a kernel of a trial with one of some choices gives to each.
pub(crate) struct Choices {
    choices: usize,
    /// The trials' choices.
    taken: Vec<f64>,
    /// The chance of a trial's own choice and of any other one; the prior kernel has all choices alike.
    own: f64,
    other: f64,
}

impl Mixture {
    /// A mixture of what was observed: a column of numbers for each axis, and a weight for each row of them.
    pub(crate) fn of(axes: &[Axis], observed: &[Vec<f64>], weights: &[f64]) -> Self {
        let sum: f64 = weights.iter().sum::<f64>() + 1.0;
        let weights = weights.iter().chain(&[1.0]).map(|weight| weight / sum).collect();
        let factor = |(axis, column): (&Axis, &Vec<f64>)| match axis.domain {
            Domain::Choices(choices) => Factor::Choices(Choices::of(choices.len(), column)),
            _ => Factor::Normals(Normals::of(axis, axes.len(), column)),
        };
        Self { weights, factors: axes.iter().zip(observed).map(factor).collect() }
    }

    /// Numbers, one an axis.
    pub(crate) fn draw(&self, axes: &[Axis], random: &mut Random) -> Vec<f64> {
        let mut share = random.next_f64();
        let covers = |weight: &f64| {
            share -= weight;
            share < 0.0
        };
        let kernel = self.weights.iter().position(covers).unwrap_or(self.weights.len() - 1);
        let draw = |(axis, factor): (&Axis, &Factor)| match factor {
            Factor::Normals(normals) => axis.nearest(normals.draw(kernel, random.next_f64())),
            Factor::Choices(choices) => choices.draw(kernel, random.next_f64()),
        };
        axes.iter().zip(&self.factors).map(draw).collect()
    }

    /// The logarithm of the density at points that are given by a column of numbers for each axis.
    pub(crate) fn log_densities(&self, columns: &[Vec<f64>]) -> Vec<f64> {
        let mut base: Vec<f64> = self.weights.iter().map(|weight| libm::log(*weight)).collect();
        let mut terms = Vec::with_capacity(self.factors.len());
        for (factor, column) in self.factors.iter().zip(columns) {
            terms.push(factor.terms(&mut base, column));
        }
        let mut row = vec![0.0; base.len()];
        (0..columns.first().map_or(0, Vec::len))
            .map(|point| {
                row.copy_from_slice(&base);
                terms.iter().for_each(|terms| terms.add(point, &mut row));
                log_of_sum(&row)
            })
            .collect()
    }
}

/// The logarithm of the sum of what the logarithms are of.
fn log_of_sum(logarithms: &[f64]) -> f64 {
    let greatest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !greatest.is_finite() {
        return greatest;
    }
    // What is less by more than this would not change the sum.
    let counts = |far: f64| far > -42.0;
    let sum: f64 = logarithms.iter().map(|x| x - greatest).filter(|far| counts(*far)).map(libm::exp).sum();
    greatest + libm::log(sum)
}

/// What an axis adds to the logarithms of the kernels' densities at some points.
enum Terms<'a> {
    /// Less the square of how far apart: of the points, and of the kernels, the prior one apart.
    Squares { points: Vec<[f64; 2]>, kernels: Vec<f64>, prior: f64 },
    /// A row for each of some numbers, in order; and which of them each point has.
    Rows { rows: Vec<Vec<f64>>, points: Vec<usize> },
    /// One number for a trial's own choice and another one for others.
    Choices { points: &'a [f64], taken: &'a [f64], own: f64, other: f64, prior: f64 },
}

impl Terms<'_> {
    fn add(&self, point: usize, row: &mut [f64]) {
        match self {
            Terms::Squares { points, kernels, prior } => {
                let [scaled, for_prior] = points[point];
                for (sum, kernel) in row.iter_mut().zip(kernels) {
                    let far = scaled - kernel;
                    *sum -= far * far;
                }
                let far = for_prior - prior;
                row[kernels.len()] -= far * far;
            }
            Terms::Rows { rows, points } => {
                row.iter_mut().zip(&rows[points[point]]).for_each(|(sum, term)| *sum += term);
            }
            Terms::Choices { points, taken, own, other, prior } => {
                for (sum, choice) in row.iter_mut().zip(*taken) {
                    *sum += if *choice == points[point] { own } else { other };
                }
                row[taken.len()] += prior;
            }
        }
    }
}

impl Factor {
    /// What is the same at all points is added to the kernels at once.
    fn terms<'a>(&'a self, kernels: &mut [f64], points: &'a [f64]) -> Terms<'a> {
        match self {
            Factor::Normals(normals) => normals.terms(kernels, points),
            Factor::Choices(Choices { choices, taken, own, other }) => Terms::Choices {
                points,
                taken,
                own: libm::log(*own),
                other: libm::log(*other),
                prior: -libm::log(*choices as f64),
            },
        }
    }
}

impl Normals {
    fn of(axis: &Axis, axes: usize, column: &[f64]) -> Self {
        let (is_log, half, min, max) = match axis.domain {
            Domain::Float { min, max, log } => (log, 0.0, min, max),
            Domain::Steps { step, .. } => {
                (false, step / 2.0, axis.nearest(f64::NEG_INFINITY), axis.nearest(f64::INFINITY))
            }
            Domain::LogIntegers { min, max } => (true, 0.5, min as f64, max as f64),
            Domain::Choices(choices) => (false, 0.5, 0.0, (choices.len() - 1) as f64),
        };
        let scale = |x: f64| if is_log { libm::log(x) } else { x };
        let (low, high) = (scale(min - half), scale(max + half));
        let (range, kernels) = (high - low, column.len() as f64 + 1.0);
        // Scott's rule for as many dimensions, of a fifth of the range; not so narrow that trials stand alone.
        let power = libm::pow(column.len().max(1) as f64, -1.0 / (axes as f64 + 4.0));
        let sigma = (0.2 * power * range).clamp(range / (1.0 + kernels).min(100.0), range);
        let middle = 0.5 * (low + high);
        let centres: Vec<f64> = column.iter().map(|x| scale(*x)).chain([middle]).collect();
        let width = |kernel: usize| if kernel < column.len() { sigma } else { range };
        let cut = centres.iter().enumerate().map(|(kernel, centre)| {
            let width = width(kernel);
            [below((low - centre) / width), below((centre - high) / width)]
        });
        let cut = cut.collect();
        Self { is_log, half, low, high, centres, sigma, prior_sigma: range, cut }
    }

    fn scale(&self, x: f64) -> f64 {
        if self.is_log { libm::log(x) } else { x }
    }

    fn sigma(&self, kernel: usize) -> f64 {
        if kernel + 1 < self.centres.len() { self.sigma } else { self.prior_sigma }
    }

    /// The number below which this share of a kernel is.
    fn draw(&self, kernel: usize, share: f64) -> f64 {
        let [least, beyond] = self.cut[kernel];
        let within = 1.0 - least - beyond;
        let under = least + share * within;
        // From the nearer tail, where shares are exact.
        let deviation = if under <= 0.5 { quantile(under) } else { -quantile(beyond + (1.0 - share) * within) };
        let x = (self.centres[kernel] + self.sigma(kernel) * deviation).clamp(self.low, self.high);
        if self.is_log { libm::exp(x) } else { x }
    }

    fn terms(&self, kernels: &mut [f64], points: &[f64]) -> Terms<'static> {
        let trials = self.centres.len() - 1;
        for (sum, [least, beyond]) in kernels.iter_mut().zip(&self.cut) {
            *sum -= libm::log1p(-least - beyond);
        }
        if self.half > 0.0 {
            return self.cells(points);
        }
        let logs = [self.sigma, self.prior_sigma].map(|sigma| libm::log(sigma) + LOG_ROOT_2PI);
        kernels[..trials].iter_mut().for_each(|sum| *sum -= logs[0]);
        kernels[trials] -= logs[1];
        // From the low end, so that a narrow range far from 0 loses no digits.
        let scaled = |x: f64, sigma: f64| (x - self.low) / sigma * FRAC_1_SQRT_2;
        let both = |x: &f64| {
            let x = self.scale(*x);
            [scaled(x, self.sigma), scaled(x, self.prior_sigma)]
        };
        Terms::Squares {
            points: points.iter().map(both).collect(),
            kernels: self.centres[..trials].iter().map(|centre| scaled(*centre, self.sigma)).collect(),
            prior: scaled(self.centres[trials], self.prior_sigma),
        }
    }

    /// The logarithms of the kernels' shares of the points' cells, each once that is the same.
    fn cells(&self, points: &[f64]) -> Terms<'static> {
        let trials = self.centres.len() - 1;
        let (numbers, points) = distinct(points);
        let (centres, kernels) = distinct(&self.centres[..trials]);
        let row = |number: &f64| {
            let ends = [self.scale(number - self.half), self.scale(number + self.half)];
            let share = |centre: f64, sigma: f64| log_between((ends[0] - centre) / sigma, (ends[1] - centre) / sigma);
            let shares: Vec<f64> = centres.iter().map(|centre| share(*centre, self.sigma)).collect();
            let prior = share(self.centres[trials], self.prior_sigma);
            kernels.iter().map(|kernel| shares[*kernel]).chain([prior]).collect()
        };
        Terms::Rows { rows: numbers.iter().map(row).collect(), points }
    }
}

/// The different numbers, in order, and which of them each number is.
fn distinct(numbers: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let mut different = numbers.to_vec();
    different.sort_by(f64::total_cmp);
    different.dedup();
    let place = |number: &f64| different.partition_point(|other| other < number);
    let places = numbers.iter().map(place).collect();
    (different, places)
}

impl Choices {
    fn of(choices: usize, column: &[f64]) -> Self {
        // One trial's worth of all choices alike, shared by the kernels.
        let share = 1.0 / (column.len() as f64 + 1.0);
        let sum = 1.0 + share * choices as f64;
        Self { choices, taken: column.to_vec(), own: (1.0 + share) / sum, other: share / sum }
    }

    /// What a kernel gives to each choice.
    #[cfg(test)]
    pub(crate) fn chances(&self, kernel: usize) -> Vec<f64> {
        let chance = |choice: usize| match self.taken.get(kernel) {
            None => 1.0 / self.choices as f64,
            Some(taken) if *taken == choice as f64 => self.own,
            Some(_) => self.other,
        };
        (0..self.choices).map(chance).collect()
    }

    fn draw(&self, kernel: usize, share: f64) -> f64 {
        let last = (self.choices - 1) as f64;
        let Some(&taken) = self.taken.get(kernel) else {
            return (share * self.choices as f64).floor().min(last);
        };
        // The own choice first, then the others in order.
        if share < self.own {
            return taken;
        }
        let place = ((share - self.own) / self.other).floor();
        (if place < taken { place } else { place + 1.0 }).min(last)
    }
}
