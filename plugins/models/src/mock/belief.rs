//! Probabilities that look as if someone believed them.

use std::collections::{BTreeSet, HashSet};

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
    /// What is believed of the claim in a message. Each of its words speaks for or against it, long ones louder; words that
    /// the instructions hold too say nothing. So the wording moves an answer a little, and the claim a lot.
    pub(super) fn about(message: &str, instructions: &str) -> Self {
        let common: HashSet<String> = words(instructions).collect();
        let telling: BTreeSet<String> = words(message).filter(|word| !common.contains(word)).collect();
        let (mut sum, mut weights) = (0.0, 0.0);
        for word in &telling {
            let digest = Sha256::digest(word.as_bytes());
            let seed = u64::from_le_bytes(std::array::from_fn(|index| digest[index]));
            let weight = word.chars().count() as f64;
            sum += weight * normal(&mut Random::new(seed));
            weights += weight * weight;
        }
        let centre = if weights > 0.0 { BETWEEN * sum / libm::sqrt(weights) } else { 0.0 };
        Self { centre }
    }

    /// An answer: a probability in thousandths, neither 0 nor 1.
    pub(super) fn answer(self, random: &mut Random) -> f64 {
        let odds = libm::exp(self.centre + WITHIN * normal(random));
        (odds / (1.0 + odds) * 1000.0).round().clamp(1.0, 999.0) / 1000.0
    }
}

/// The words of a text that are long enough to mean something.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| word.chars().count() >= 4)
        .map(str::to_lowercase)
}

/// Whether a property of this name holds a probability.
pub(super) fn is_belief(name: &str) -> bool {
    name.starts_with("prob") || name == "confidence" || name.ends_with("_confidence")
}

/// Standard normal, near enough: a sum of twelve even ones.
pub(super) fn normal(random: &mut Random) -> f64 {
    (0..12).map(|_| random.next_f64()).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(message: &str) -> Vec<f64> {
        (0..400).map(|seed| Belief::about(message, "Judge this number quite").answer(&mut Random::new(seed))).collect()
    }

    #[test]
    fn answers_spread_around_the_centre_of_the_claim() {
        let spread = |answers: &[f64]| {
            let odds = answers.iter().map(|p| (p / (1.0 - p)).ln()).collect::<Vec<_>>();
            let mean = odds.iter().sum::<f64>() / odds.len() as f64;
            (mean, (odds.iter().map(|odds| (odds - mean).powi(2)).sum::<f64>() / odds.len() as f64).sqrt())
        };
        let claims = (0..200).map(|index| answers(&format!("Judge this.\nThe word{index}")));
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
    fn words_of_the_instructions_say_nothing_and_others_do() {
        let centre = |message: &str| Belief::about(message, "What is the probability of a claim?").centre;
        assert_eq!(centre("Claim: tortoises swim."), centre("What PROBABILITY has it: tortoises swim"));
        assert_ne!(centre("Tortoises swim."), centre("Tortoises fly rockets."));
        assert_eq!(centre(""), 0.0);
    }
}
