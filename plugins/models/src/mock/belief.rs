//! Probabilities that look as if someone believed them.

use jackfield_plugin_api::prelude::*;
use sha2::{Digest, Sha256};

/// How far claims differ from each other, as standard deviation of their centres in log-odds.
const BETWEEN: f64 = 1.3;
/// How far answers to the same claim differ, as standard deviation in log-odds.
const WITHIN: f64 = 0.45;

/// What is believed of a claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Belief {
    /// Centre of the answers, in log-odds.
    centre: f64,
}

impl Belief {
    /// What is believed of the claim in a message: its longest line, so that what else the message says moves an answer
    /// around the centre, and not the centre.
    pub(super) fn about(message: &str) -> Self {
        // The first of the longest.
        let longest = message.lines().map(str::trim).rev().max_by_key(|line| line.len()).unwrap_or_default();
        let digest = Sha256::digest(longest.as_bytes());
        let seed = u64::from_le_bytes(std::array::from_fn(|index| digest[index]));
        Self { centre: BETWEEN * normal(&mut Random::new(seed)) }
    }

    /// An answer: a probability in thousandths, neither 0 nor 1.
    pub(super) fn answer(self, random: &mut Random) -> f64 {
        let odds = libm::exp(self.centre + WITHIN * normal(random));
        (odds / (1.0 + odds) * 1000.0).round().clamp(1.0, 999.0) / 1000.0
    }
}

/// Whether a property of this name holds a probability.
pub(super) fn is_belief(name: &str) -> bool {
    name.starts_with("prob") || name == "confidence" || name.ends_with("_confidence")
}

/// Standard normal, near enough: a sum of twelve even ones.
fn normal(random: &mut Random) -> f64 {
    (0..12).map(|_| random.next_f64()).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(message: &str) -> Vec<f64> {
        (0..400).map(|seed| Belief::about(message).answer(&mut Random::new(seed))).collect()
    }

    #[test]
    fn answers_spread_around_the_centre_of_the_claim() {
        let spread = |answers: &[f64]| {
            let odds = answers.iter().map(|p| (p / (1.0 - p)).ln()).collect::<Vec<_>>();
            let mean = odds.iter().sum::<f64>() / odds.len() as f64;
            (mean, (odds.iter().map(|odds| (odds - mean).powi(2)).sum::<f64>() / odds.len() as f64).sqrt())
        };
        let claims = (0..200).map(|index| answers(&format!("Judge this.\nThe claim, quite long, of number {index}")));
        let centres = claims.map(|answers| {
            let (centre, deviation) = spread(&answers);
            assert!((0.35..0.55).contains(&deviation), "{deviation}");
            centre
        });
        let centres = centres.collect::<Vec<_>>();
        let mean = centres.iter().sum::<f64>() / 200.0;
        let deviation = (centres.iter().map(|centre| (centre - mean).powi(2)).sum::<f64>() / 200.0).sqrt();
        assert!(mean.abs() < 0.4 && (1.0..1.6).contains(&deviation), "{mean} {deviation}");
    }

    #[test]
    fn the_rest_of_the_message_does_not_move_the_centre() {
        let centre = |message: &str| Belief::about(message).centre;
        assert_eq!(centre("a\nthe longest line"), centre("bc\n  the longest line\n"));
        assert_ne!(centre("the longest line"), centre("the longest, line"));
        assert!(centre("").is_finite());
    }
}
