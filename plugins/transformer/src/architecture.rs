//! The architecture of a model of the Llama family, apart from its weights.

/// Sizes and constants of a model, checked: each is within its range, and they fit each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// How many blocks there are, 1 to 4,096.
    pub layers: usize,
    /// Length of a hidden state, 1 to 1,048,576.
    pub hidden: usize,
    /// How many heads attention has, 1 to 65,536.
    pub heads: usize,
    /// How many heads keys and values have: a divisor of `heads`.
    pub key_value_heads: usize,
    /// Length of a head's vectors: even, 2 to 65,536.
    pub head: usize,
    /// Length of the MLP's inner vectors, 1 to 4,194,304.
    pub inner: usize,
    /// How many tokens there are, 1 to 16,777,216.
    pub vocabulary: usize,
    /// The most tokens of a sequence, 1 to 16,777,216.
    pub context: usize,
    /// Added to mean squares before their root is taken.
    pub epsilon: f32,
    /// Base of the position encoding.
    pub rope_base: f32,
    /// How the frequencies of the position encoding are scaled.
    pub rope_scaling: RopeScaling,
    /// Whether the head is the matrix of embeddings.
    pub tied: bool,
    /// The token that begins a sequence, where the files say so.
    pub begin: Option<u32>,
    /// The tokens that end a reply, as far as the files say so.
    pub ends: Vec<u32>,
}

/// How the frequencies of the position encoding are scaled.
#[derive(Clone, Debug, PartialEq)]
pub enum RopeScaling {
    /// They are not.
    None,
    /// As in Llama 3.1: low frequencies are divided by `factor`, high ones are left, those between are blended.
    Llama3 {
        /// What low frequencies are divided by.
        factor: f32,
        /// A wave longer than the original context over this is of low frequency.
        low_frequency: f32,
        /// A wave shorter than the original context over this is of high frequency.
        high_frequency: f32,
        /// The context before the model was made to read longer texts.
        original_context: f32,
    },
    /// Each frequency is divided by a number of its own, as GGUF files have it.
    Factors(Vec<f32>),
}

impl Architecture {
    /// Length of a row of queries: those of all heads.
    #[must_use]
    pub const fn queries(&self) -> usize {
        self.heads * self.head
    }

    /// Length of a row of keys, or of values: those of all heads that have them.
    #[must_use]
    pub const fn keys(&self) -> usize {
        self.key_value_heads * self.head
    }

    /// The frequencies of the position encoding: that of each pair of components of a head, in radians a position.
    #[must_use]
    pub fn frequencies(&self) -> Vec<f32> {
        let pairs = self.head / 2;
        (0..pairs)
            .map(|pair| {
                let exponent = (2 * pair) as f32 / self.head as f32;
                let frequency = 1.0 / libm::pow(f64::from(self.rope_base), f64::from(exponent)) as f32;
                self.rope_scaling.scaled(frequency, pair)
            })
            .collect()
    }
}

impl RopeScaling {
    fn scaled(&self, frequency: f32, pair: usize) -> f32 {
        match self {
            Self::None => frequency,
            Self::Factors(factors) => factors.get(pair).map_or(frequency, |factor| frequency / factor),
            &Self::Llama3 { factor, low_frequency, high_frequency, original_context } => {
                let length = 2.0 * std::f32::consts::PI / frequency;
                if length < original_context / high_frequency {
                    frequency
                } else if length > original_context / low_frequency {
                    frequency / factor
                } else {
                    let blend = (original_context / length - low_frequency) / (high_frequency - low_frequency);
                    (1.0 - blend) * frequency / factor + blend * frequency
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama_3_scaling_leaves_high_frequencies_and_divides_low_ones() {
        let scaling =
            RopeScaling::Llama3 { factor: 8.0, low_frequency: 1.0, high_frequency: 4.0, original_context: 8192.0 };
        assert_eq!(scaling.scaled(1.0, 0), 1.0);
        assert_eq!(scaling.scaled(1e-5, 0), 1e-5 / 8.0);
        // A wave of 4096 positions: the original context is twice as long, a third of the way from 1 to 4.
        let between = scaling.scaled((2.0 * std::f64::consts::PI / 4096.0) as f32, 0);
        let wanted = 2.0 * std::f64::consts::PI / 4096.0 * (2.0 / 3.0 / 8.0 + 1.0 / 3.0);
        assert!((f64::from(between) - wanted).abs() < 1e-9, "{between} {wanted}");
        assert_eq!(RopeScaling::Factors(vec![1.0, 4.0]).scaled(2.0, 1), 0.5);
    }
}
