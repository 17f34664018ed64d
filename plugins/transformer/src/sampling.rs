//! Chooses a token by its logit.

use jackfield_plugin_api::Random;

use crate::RunError;

/// How tokens are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// What logits are divided by, 0 to 100. At 0, the likeliest token is taken, and nothing is drawn.
    pub temperature: f64,
    /// Only so many of the likeliest tokens are drawn from; all of them at 0.
    pub top_k: usize,
    /// Only the likeliest tokens are drawn from that together have this probability, above 0 to 1: as few as possible.
    pub top_p: f64,
    /// Where the draws begin. Equal seeds, logits and options give equal tokens, whatever else is in the batch.
    pub seed: u64,
}

impl Sampling {
    /// The likeliest token, always.
    pub const GREEDY: Self = Self { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 0 };

    /// Begins to draw.
    ///
    /// # Errors
    /// [`RunError::WrongSampling`] for a parameter out of range.
    pub fn begin(self) -> Result<Sampler, RunError> {
        if !(0.0..=100.0).contains(&self.temperature) {
            return Err(RunError::WrongSampling { why: "`temperature` must be 0 to 100" });
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return Err(RunError::WrongSampling { why: "`top_p` must be above 0 and at most 1" });
        }
        Ok(Sampler { sampling: self, random: Random::new(self.seed) })
    }
}

/// Draws the tokens of one sequence.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    random: Random,
}

impl Sampler {
    /// The next token; none if the logits are not numbers. Of equally likely tokens, the first comes first.
    pub fn next(&mut self, logits: &[f32]) -> Option<u32> {
        let likeliest = likeliest(logits)?;
        if self.sampling.temperature == 0.0 {
            return Some(likeliest);
        }
        let largest = logits[likeliest as usize];
        let temperature = self.sampling.temperature;
        let weight = |token: u32| libm::exp((f64::from(logits[token as usize]) - f64::from(largest)) / temperature);
        let candidates = self.candidates(logits, &weight);
        let draw = self.random.next_f64() * candidates.iter().map(|&token| weight(token)).sum::<f64>();
        let mut sum = 0.0;
        let chosen = candidates.iter().copied().find(|&token| {
            sum += weight(token);
            draw < sum
        });
        Some(chosen.unwrap_or(likeliest))
    }

    /// The tokens that are drawn from.
    fn candidates(&self, logits: &[f32], weight: &impl Fn(u32) -> f64) -> Vec<u32> {
        let Sampling { top_k, top_p, .. } = self.sampling;
        let mut tokens: Vec<u32> = (0..logits.len() as u32).collect();
        let top_k = if top_k == 0 { tokens.len() } else { top_k.min(tokens.len()) };
        if top_k == tokens.len() && top_p == 1.0 {
            return tokens;
        }
        let order = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b));
        if top_k < tokens.len() {
            tokens.select_nth_unstable_by(top_k - 1, order);
            tokens.truncate(top_k);
        }
        // In order, so that the sum does not depend on how the tokens were selected.
        tokens.sort_unstable();
        let needed = top_p * tokens.iter().map(|&token| weight(token)).sum::<f64>();
        // The likeliest first, more and more of them, until they have the probability.
        let mut sorted = 64.min(tokens.len());
        loop {
            if sorted < tokens.len() {
                tokens.select_nth_unstable_by(sorted - 1, order);
            }
            tokens[..sorted].sort_unstable_by(order);
            let mut sum = 0.0;
            let reached = tokens[..sorted].iter().position(|&token| {
                sum += weight(token);
                sum >= needed
            });
            match reached {
                Some(last) => tokens.truncate(last + 1),
                None if sorted < tokens.len() => {
                    sorted = (sorted * 8).min(tokens.len());
                    continue;
                }
                None => {}
            }
            return tokens;
        }
    }
}

/// The token with the largest logit, the first of several; none if a logit is not a number, or none is finite.
#[must_use]
pub fn likeliest(logits: &[f32]) -> Option<u32> {
    let mut best: Option<(usize, f32)> = None;
    for (token, &logit) in logits.iter().enumerate() {
        if logit.is_nan() || logit == f32::INFINITY {
            return None;
        }
        if best.is_none_or(|(_, largest)| logit > largest) {
            best = Some((token, logit));
        }
    }
    best.filter(|(_, logit)| logit.is_finite()).map(|(token, _)| token as u32)
}

/// Natural logarithms of the probabilities of all tokens; negative infinity for one that cannot come. None if the logits are
/// not numbers.
#[must_use]
pub fn log_probabilities(logits: &[f32]) -> Option<Vec<f64>> {
    let largest = f64::from(logits[likeliest(logits)? as usize]);
    let sum: f64 = logits.iter().map(|&logit| libm::exp(f64::from(logit) - largest)).sum();
    let whole = largest + libm::log(sum);
    Some(logits.iter().map(|&logit| f64::from(logit) - whole).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(sampling: Sampling, logits: &[f32], count: usize) -> Vec<u32> {
        let mut sampler = sampling.begin().expect("it is in range");
        (0..count).map(|_| sampler.next(logits).expect("they are numbers")).collect()
    }

    const LOGITS: [f32; 5] = [0.0, 2.0, 1.0, 2.0, f32::NEG_INFINITY];

    #[test]
    fn greedy_takes_the_first_of_the_likeliest() {
        assert_eq!(draws(Sampling::GREEDY, &LOGITS, 2), [1, 1]);
        assert_eq!(likeliest(&[f32::NEG_INFINITY; 2]), None);
        assert_eq!(likeliest(&[1.0, f32::NAN]), None);
        assert_eq!(likeliest(&[1.0, f32::INFINITY]), None);
        assert_eq!(likeliest(&[]), None);
    }

    #[test]
    fn draws_have_the_probabilities_of_the_softmax() {
        let sampling = Sampling { temperature: 2.0, seed: 3, ..Sampling::GREEDY };
        let drawn = draws(sampling, &LOGITS, 20_000);
        let weights = [1.0, 1_f64.exp(), 0.5_f64.exp(), 1_f64.exp(), 0.0];
        for (token, weight) in weights.into_iter().enumerate() {
            let wanted = weight / weights.iter().sum::<f64>();
            let found = drawn.iter().filter(|drawn| **drawn as usize == token).count() as f64 / 20_000.0;
            assert!((found - wanted).abs() < 0.015, "{token}: {found} {wanted}");
        }
        assert_eq!(drawn, draws(sampling, &LOGITS, 20_000));
        assert_ne!(drawn, draws(Sampling { seed: 4, ..sampling }, &LOGITS, 20_000));
    }

    #[test]
    fn only_the_likeliest_are_drawn_from() {
        let sampling = Sampling { temperature: 5.0, ..Sampling::GREEDY };
        let of = |sampling| {
            let mut drawn = draws(sampling, &LOGITS, 500);
            drawn.sort_unstable();
            drawn.dedup();
            drawn
        };
        assert_eq!(of(Sampling { top_k: 1, ..sampling }), [1]);
        assert_eq!(of(Sampling { top_k: 3, ..sampling }), [1, 2, 3]);
        assert_eq!(of(Sampling { top_k: 99, ..sampling }), [0, 1, 2, 3]);
        assert_eq!(of(Sampling { top_p: 1e-9, ..sampling }), [1]);
        assert_eq!(of(Sampling { top_p: 0.5, ..sampling }), [1, 3]);
        assert_eq!(of(Sampling { top_p: 0.9, top_k: 3, ..sampling }), [1, 2, 3]);
    }

    #[test]
    fn a_share_of_many_tokens_is_the_same_as_of_all_sorted() {
        let logits: Vec<f32> = (0..3000).map(|token| ((token * 7919) % 3000) as f32 / 1000.0).collect();
        let sampler = Sampling { temperature: 1.0, top_p: 0.5, ..Sampling::GREEDY }.begin().expect("it is in range");
        let weight = |token: u32| libm::exp(f64::from(logits[token as usize]) - 2.999);
        let found = sampler.candidates(&logits, &weight);
        let mut sorted: Vec<u32> = (0..3000).collect();
        sorted.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]));
        assert_eq!(found, sorted[..found.len()]);
        let share = |tokens: &[u32]| tokens.iter().map(|&token| weight(token)).sum::<f64>();
        let all = share(&sorted);
        assert!(share(&found) >= 0.5 * all && share(&found[1..]) < 0.5 * all);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for sampling in [
            Sampling { temperature: -1.0, ..Sampling::GREEDY },
            Sampling { temperature: f64::NAN, ..Sampling::GREEDY },
            Sampling { top_p: 0.0, ..Sampling::GREEDY },
            Sampling { top_p: 1.1, ..Sampling::GREEDY },
        ] {
            assert!(matches!(sampling.begin(), Err(RunError::WrongSampling { .. })), "{sampling:?}");
        }
    }

    #[test]
    fn log_probabilities_sum_to_one_and_keep_what_cannot_come() {
        let found = log_probabilities(&LOGITS).expect("they are numbers");
        assert!((found.iter().map(|x| x.exp()).sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(found[4], f64::NEG_INFINITY);
        assert_eq!(log_probabilities(&[f32::NAN]), None);
    }
}
