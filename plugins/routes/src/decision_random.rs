//! Seeded random draws: what is drawn for an arm depends on the seed and the arm's name, and on nothing else.

use std::convert::Infallible;

use jackfield_plugin_api::Random;
use rand_core::TryRng;
use rand_distr::{Distribution as _, Gamma};

/// A seeded generator with the draws that policies make.
///
/// Numbers come from SplitMix64 and distributions from `rand_distr`: the same draws on every platform, but for the last bit
/// of the few that need an exponential or a logarithm of the platform's own.
#[derive(Clone, Debug)]
pub struct DecisionRandom(Random);

impl DecisionRandom {
    /// The generator of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// The generator of an arm under this seed: other arms, and their order, do not change it.
    #[must_use]
    pub fn of_arm(seed: u64, name: &str) -> Self {
        // Words of eight bytes, each mixed in by the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
        let mut state = first_number(seed).wrapping_add((name.len() as u64).wrapping_mul(SPLITMIX_INCREMENT));
        for chunk in name.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            state = first_number(state ^ u64::from_le_bytes(word));
        }
        Self::new(state)
    }

    /// A number in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0.next_f64()
    }

    /// A number in [0, 1], of Beta(a, b), for `a` and `b` above 0: X / (X + Y) of two gamma variates (Marsaglia and Tsang
    /// 2000), which is exact.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        let share = x / (x + y);
        if share.is_nan() {
            // Both variates are too small for a float, as they can be for shapes near 0, where the distribution is all at its
            // two ends; or both are infinite.
            let mean = a / (a + b);
            return if self.uniform() < mean { 1.0 } else { 0.0 };
        }
        share
    }

    /// A number of Student's t distribution with these degrees of freedom, above 0, by the polar method of Bailey (1994), which
    /// is exact. Its functions are those of `libm`: the same to the last bit on every platform.
    pub fn student_t(&mut self, degrees: f64) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (degrees * libm::expm1(-2.0 / degrees * libm::log(square)) / square).sqrt();
            }
        }
    }

    /// A gamma variate of this shape and scale 1; 0 where the shape is not above 0.
    fn gamma(&mut self, shape: f64) -> f64 {
        Gamma::new(shape, 1.0).map_or(0.0, |gamma| gamma.sample(self))
    }
}

/// The increment of SplitMix64: 2^64 over the golden ratio.
const SPLITMIX_INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;

/// The first number of the generator that starts here.
fn first_number(start: u64) -> u64 {
    Random::new(start).next_u64()
}

impl TryRng for DecisionRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0.next_u64() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.next_u64().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
