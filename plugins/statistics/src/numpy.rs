//! NumPy's `default_rng(seed)`, bit for bit, so that an interval computed there is the interval computed here.
//!
//! Three published parts, in the way NumPy joins them:
//!
//! - `SeedSequence`: O'Neill 2015, "Developing a `seed_seq` Alternative"; constants of `numpy/random/bit_generator.pyx`;
//! - PCG64, XSL-RR 128/64: O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for
//!   Random Number Generation"; 32-bit numbers are halves of a 64-bit one, the low half first;
//! - bounded integers: Lemire 2019, "Fast Random Integer Generation in an Interval", on 32 bits where the bound allows.

/// Multiplier of the 128-bit state.
const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// The generator behind `numpy.random.default_rng(seed)`.
///
/// ```
/// use jackfield_statistics::numpy::Generator;
///
/// let mut rng = Generator::new(777_u64);
/// let drawn: Vec<u64> = (0..6).map(|_| rng.below(6)).collect();
/// assert_eq!(drawn, [5, 3, 2, 2, 0, 3], "numpy.random.default_rng(777).integers(0, 6, size=6)");
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    state: u128,
    increment: u128,
    /// The high half of the last 64 bits, when only the low half was used.
    half: Option<u32>,
}

impl Generator {
    /// The generator of `numpy.random.default_rng(seed)`, for any seed of up to 128 bits.
    #[must_use]
    pub fn new(seed: impl Into<u128>) -> Self {
        let [state_high, state_low, stream_high, stream_low] = seed_words(seed.into());
        let start = u128::from(state_high) << 64 | u128::from(state_low);
        let stream = u128::from(stream_high) << 64 | u128::from(stream_low);
        let increment = stream << 1 | 1;
        let state = increment.wrapping_add(start).wrapping_mul(MULTIPLIER).wrapping_add(increment);
        Self { state, increment, half: None }
    }

    /// The next 64 bits. A half kept by [`Generator::next_u32`] stays kept, as in NumPy.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    /// The next 32 bits: the low half of fresh 64 bits, then their high half.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if let Some(half) = self.half.take() {
            return half;
        }
        let fresh = self.next_u64();
        self.half = Some((fresh >> 32) as u32);
        fresh as u32
    }

    /// A float in [0, 1), of 53 random bits: NumPy's `random()`.
    #[inline]
    pub fn next_double(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An integer in `0..bound` without bias: NumPy's `integers(0, bound)`.
    ///
    /// A bound of 1 draws nothing; a bound of 0, which NumPy refuses, gives 0 and draws nothing either.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        match u32::try_from(bound) {
            Ok(bound) => u64::from(self.below_u32(bound)),
            Err(_) if bound == 1 << 32 => u64::from(self.next_u32()),
            Err(_) => self.below_wide(bound),
        }
    }

    /// [`Generator::below`] for a bound of 32 bits.
    #[inline]
    pub fn below_u32(&mut self, bound: u32) -> u32 {
        if bound <= 1 {
            return 0;
        }
        let mut product = u64::from(self.next_u32()) * u64::from(bound);
        if (product as u32) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u32) < threshold {
                product = u64::from(self.next_u32()) * u64::from(bound);
            }
        }
        (product >> 32) as u32
    }

    /// Integers in `0..bound`, one after the other: NumPy's `integers(0, bound, size=numbers.len())`.
    #[inline]
    pub fn fill_below(&mut self, bound: u32, numbers: &mut [u32]) {
        for number in numbers {
            *number = self.below_u32(bound);
        }
    }

    /// Lemire's method on 64 bits, for a bound above 2^32.
    fn below_wide(&mut self, bound: u64) -> u64 {
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }
}

/// NumPy's `SeedSequence(seed).generate_state(4, uint64)`.
///
/// NumPy cuts the seed into as few 32-bit words as it needs and fills the pool of four with zeros, so that four words
/// always are the same thing.
fn seed_words(seed: u128) -> [u64; 4] {
    let mut constant = 0x43b0_d7e5_u32;
    let mut hashed = |word: u32| hash(word, &mut constant, 0x931e_8875);
    let mut pool: [u32; 4] = std::array::from_fn(|word| hashed((seed >> (32 * word)) as u32));
    for source in 0..4 {
        for target in (0..4).filter(|target| *target != source) {
            let left = pool[target].wrapping_mul(0xca01_f9dd);
            let mixed = left.wrapping_sub(hashed(pool[source]).wrapping_mul(0x4973_f715));
            pool[target] = mixed ^ mixed >> 16;
        }
    }
    let mut constant = 0x8b51_f9dd_u32;
    let mut word = |index: usize| u64::from(hash(pool[index % 4], &mut constant, 0x58f3_8ded));
    std::array::from_fn(|pair| word(2 * pair) | word(2 * pair + 1) << 32)
}

/// One step of the running hash: `constant` moves on by `multiplier`.
fn hash(word: u32, constant: &mut u32, multiplier: u32) -> u32 {
    let keyed = word ^ *constant;
    *constant = constant.wrapping_mul(multiplier);
    let scattered = keyed.wrapping_mul(*constant);
    scattered ^ scattered >> 16
}

#[cfg(test)]
mod tests {
    use super::Generator;

    #[test]
    fn one_option_draws_nothing() {
        let (mut drew, mut fresh) = (Generator::new(3_u64), Generator::new(3_u64));
        assert_eq!((drew.below(1), drew.below(0)), (0, 0));
        let mut numbers = [9; 5];
        drew.fill_below(1, &mut numbers);
        assert_eq!(numbers, [0; 5]);
        assert_eq!(drew.next_u64(), fresh.next_u64());
    }

    #[test]
    fn halves_come_low_first_and_survive_whole_words() {
        let mut whole = Generator::new(5_u64);
        let (first, second) = (whole.next_u64(), whole.next_u64());
        let mut halves = Generator::new(5_u64);
        assert_eq!(halves.next_u32(), first as u32);
        assert_eq!(halves.next_u64(), second);
        assert_eq!(halves.next_u32(), (first >> 32) as u32);
    }
}
