//! Parzen estimators: a mixture of products of kernels, one kernel for each trial and one prior kernel.

use std::f64::consts::FRAC_1_SQRT_2;

use jackfield_plugin_api::{Domain, Random};
use jackfield_statistics::normal::{LOG_ROOT_2PI, beyond, exp_of_negative, log_between, quantile};

use crate::space::Axis;

/// A density over some axes of a space. The last kernel is the prior one.
pub(crate) struct Mixture {
    /// The weight of each kernel; their sum is 1.
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
    /// Half of the step between values, where they are discrete; 0 where they are continuous.
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

/// The probabilities that the kernel of a trial gives to each of some choices.
pub(crate) struct Choices {
    choices: usize,
    /// The trials' choices.
    taken: Vec<f64>,
    /// The probability of a trial's own choice, and of any other one. The prior kernel gives all choices the same.
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
        let is_drawn_kernel = |weight: &f64| {
            share -= weight;
            share < 0.0
        };
        let kernel = self.weights.iter().position(is_drawn_kernel).unwrap_or(self.weights.len() - 1);
        let draw = |(axis, factor): (&Axis, &Factor)| match factor {
            Factor::Normals(normals) => axis.nearest(normals.draw(kernel, random.next_f64())),
            Factor::Choices(choices) => choices.draw(kernel, random.next_f64()),
        };
        axes.iter().zip(&self.factors).map(draw).collect()
    }

    /// The logarithm of the density at points that are given by a column of numbers for each axis.
    pub(crate) fn log_densities(&self, columns: &[Vec<f64>]) -> Vec<f64> {
        let (mut kernels, mut terms) = (Kernels::of(&self.weights), Terms::default());
        for (factor, column) in self.factors.iter().zip(columns) {
            factor.add(&mut kernels, &mut terms, column);
        }
        let base = kernels.logarithms();
        let mut row = vec![0.0; base.len()];
        (0..columns.first().map_or(0, Vec::len))
            .map(|point| {
                row.copy_from_slice(&base);
                terms.add(point, &mut row);
                log_of_sum(&row)
            })
            .collect()
    }
}

/// The part of each kernel's density that is the same at all points.
struct Kernels {
    logarithms: Vec<f64>,
    /// The factors that the densities are divided by.
    divisors: Vec<f64>,
}

impl Kernels {
    fn of(weights: &[f64]) -> Self {
        Self {
            logarithms: weights.iter().map(|weight| libm::log(*weight)).collect(),
            divisors: vec![1.0; weights.len()],
        }
    }

    /// Divides by the share of each whole normal that is left of it.
    fn divide(&mut self, cut: &[[f64; 2]]) {
        for ((divisor, logarithm), [least, beyond]) in self.divisors.iter_mut().zip(&mut self.logarithms).zip(cut) {
            *divisor *= 1.0 - least - beyond;
            // One logarithm for many axes: a share is not less than a third.
            if *divisor < 1e-200 {
                *logarithm -= libm::log(*divisor);
                *divisor = 1.0;
            }
        }
    }

    fn logarithms(self) -> Vec<f64> {
        self.logarithms.iter().zip(&self.divisors).map(|(logarithm, divisor)| logarithm - libm::log(*divisor)).collect()
    }
}

/// The logarithm of the sum of the numbers with these logarithms.
fn log_of_sum(logarithms: &[f64]) -> f64 {
    // Four at a time, which the compiler turns into vector instructions.
    let (fours, rest) = logarithms.as_chunks::<4>();
    let mut lane_maxima = [f64::NEG_INFINITY; 4];
    fours.iter().for_each(|four| {
        (0..4).for_each(|lane| {
            lane_maxima[lane] = if four[lane] > lane_maxima[lane] { four[lane] } else { lane_maxima[lane] }
        })
    });
    let greatest = lane_maxima.iter().chain(rest).copied().fold(f64::NEG_INFINITY, f64::max);
    if !greatest.is_finite() {
        return greatest;
    }
    let mut sums = [0.0; 4];
    fours.iter().for_each(|four| (0..4).for_each(|lane| sums[lane] += exp_of_negative(four[lane] - greatest)));
    let sum: f64 = sums.into_iter().chain(rest.iter().map(|x| exp_of_negative(x - greatest))).sum();
    greatest + libm::log(sum)
}

/// The terms that axes add to the logarithms of the kernels' densities at some points.
#[derive(Default)]
struct Terms<'a> {
    products: Vec<Products>,
    rows: Vec<Rows>,
    choices: Vec<ChoiceTerms<'a>>,
}

/// A product of the point's number and the kernel's, of kernels of trials, and less a square for the prior one: what is left of
/// the square of how far they are apart is the same for all points or all kernels.
struct Products {
    points: Vec<f64>,
    kernels: Vec<f64>,
    /// What is added to every kernel.
    squares: Vec<f64>,
    /// What is added to the prior one.
    prior: Vec<f64>,
}

/// A row for each of some numbers, in order; and which of them each point has.
struct Rows {
    rows: Vec<Vec<f64>>,
    points: Vec<usize>,
}

/// One number for a trial's own choice and another one for others.
struct ChoiceTerms<'a> {
    points: &'a [f64],
    taken: &'a [f64],
    own: f64,
    other: f64,
    prior: f64,
}

impl Terms<'_> {
    fn add(&self, point: usize, row: &mut [f64]) {
        let (prior, trials) = row.split_last_mut().expect("a mixture has the prior kernel");
        // Four axes at a time: what is summed up is read and written less often.
        let (fours, rest) = self.products.as_chunks::<4>();
        for four in fours {
            let x = four.each_ref().map(|product| product.points[point]);
            let [first, second, third, fourth] = four.each_ref().map(|product| &product.kernels);
            let kernels = first.iter().zip(second).zip(third.iter().zip(fourth));
            for (sum, ((first, second), (third, fourth))) in trials.iter_mut().zip(kernels) {
                *sum += (x[0] * first + x[1] * second) + (x[2] * third + x[3] * fourth);
            }
        }
        for product in rest {
            let x = product.points[point];
            trials.iter_mut().zip(&product.kernels).for_each(|(sum, kernel)| *sum += x * kernel);
        }
        let squares: f64 = self.products.iter().map(|product| product.squares[point]).sum();
        trials.iter_mut().for_each(|sum| *sum -= squares);
        *prior -= self.products.iter().map(|product| product.prior[point]).sum::<f64>();
        for Rows { rows, points } in &self.rows {
            let terms = &rows[points[point]];
            trials.iter_mut().chain([&mut *prior]).zip(terms).for_each(|(sum, term)| *sum += term);
        }
        for ChoiceTerms { points, taken, own, other, prior: of_prior } in &self.choices {
            let choice = points[point];
            trials.iter_mut().zip(*taken).for_each(|(sum, taken)| *sum += if *taken == choice { own } else { other });
            *prior += of_prior;
        }
    }
}

impl Factor {
    /// Adds what is the same at all points to the kernels, and the rest to the terms.
    fn add<'a>(&'a self, kernels: &mut Kernels, terms: &mut Terms<'a>, points: &'a [f64]) {
        match self {
            Factor::Normals(normals) => {
                kernels.divide(&normals.cut);
                if normals.half > 0.0 {
                    terms.rows.push(normals.rows(points));
                } else {
                    terms.products.push(normals.products(&mut kernels.logarithms, points));
                }
            }
            Factor::Choices(Choices { choices, taken, own, other }) => terms.choices.push(ChoiceTerms {
                points,
                taken,
                own: libm::log(*own),
                other: libm::log(*other),
                prior: -libm::log(*choices as f64),
            }),
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
        // Every centre is within the range.
        let cut = centres.iter().enumerate().map(|(kernel, centre)| {
            let width = width(kernel);
            [beyond((centre - low) / width), beyond((high - centre) / width)]
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

    fn products(&self, kernels: &mut [f64], points: &[f64]) -> Products {
        let trials = self.centres.len() - 1;
        let middle = self.centres[trials];
        // From the middle, so that numbers stay small, and a narrow range far from 0 loses no digits.
        let scaled = |x: f64| (x - middle) / self.sigma * FRAC_1_SQRT_2;
        let logs = [self.sigma, self.prior_sigma].map(|sigma| libm::log(sigma) + LOG_ROOT_2PI);
        let centres: Vec<f64> = self.centres[..trials].iter().map(|centre| scaled(*centre)).collect();
        for (sum, centre) in kernels.iter_mut().zip(&centres) {
            *sum -= logs[0] + centre * centre;
        }
        kernels[trials] -= logs[1];
        let points: Vec<f64> = points.iter().map(|x| scaled(self.scale(*x))).collect();
        let width_ratio = self.sigma / self.prior_sigma;
        Products {
            squares: points.iter().map(|x| x * x).collect(),
            prior: points.iter().map(|x| (x * width_ratio) * (x * width_ratio)).collect(),
            kernels: centres.into_iter().map(|centre| 2.0 * centre).collect(),
            points,
        }
    }

    /// The logarithms of the kernels' shares of the points' cells, each once that is the same.
    fn rows(&self, points: &[f64]) -> Rows {
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
        Rows { rows: numbers.iter().map(row).collect(), points }
    }
}

/// The different numbers, in order, and which of them each number is.
fn distinct(numbers: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let mut different = numbers.to_vec();
    different.sort_by(f64::total_cmp);
    different.dedup();
    let position = |number: &f64| different.partition_point(|other| other < number);
    let positions = numbers.iter().map(position).collect();
    (different, positions)
}

impl Choices {
    fn of(choices: usize, column: &[f64]) -> Self {
        // The weight of one trial, spread evenly over all choices and shared by the kernels.
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
        let index = ((share - self.own) / self.other).floor();
        (if index < taken { index } else { index + 1.0 }).min(last)
    }
}
