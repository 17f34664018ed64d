//! Hashed features: an embedding without a model.

use jackfield_text::words::written_words;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use crate::postings::Element;

/// Slots in which frequencies of features are counted; two features that share one are counted together.
const SLOTS: usize = 1 << 18;
/// Name of the features and of what they weigh.
const FEATURES: &str = "hashing 2";
/// A pair of words says more than its words, but is rarely met again.
const PAIR: f64 = 0.7;
/// Parts of words join forms of a word and its misspellings.
const PART: f64 = 0.4;
/// Lengths of the parts.
const PARTS: std::ops::RangeInclusive<usize> = 3..=5;

/// A text's features: a hash each, how often it is met, and how much its sort weighs.
#[derive(Clone, Debug, Default)]
pub struct Features(FxHashMap<u64, (u32, f64)>);

impl Features {
    /// The words of a text, pairs of neighbours, and parts of 3 to 5 characters with the word's ends marked (Bojanowski,
    /// Grave, Joulin and Mikolov 2017).
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut found = Self::default();
        let mut before: Option<u64> = None;
        let mut marked = String::new();
        let mut ends = Vec::new();
        written_words(text, |word| {
            let hash = hash(0, word.as_bytes());
            found.add(hash, 1.0);
            if let Some(before) = before {
                found.add(mixed(before.rotate_left(17) ^ hash), PAIR);
            }
            before = Some(hash);
            marked.clear();
            marked.extend(['<'].into_iter().chain(word.chars()).chain(['>']));
            ends.clear();
            ends.extend(marked.char_indices().map(|(at, _)| at));
            ends.push(marked.len());
            for length in PARTS {
                // The word itself, ends and all, is counted already.
                for span in ends.windows(length + 1).take(if length + 1 < ends.len() { usize::MAX } else { 0 }) {
                    found.add(self::hash(length as u64, &marked.as_bytes()[span[0]..span[length]]), PART);
                }
            }
        });
        found
    }

    fn add(&mut self, hash: u64, weight: f64) {
        self.0.entry(hash).or_insert((0, weight)).0 += 1;
    }

    /// The features in order of their hashes: sums over them are then the same in every run.
    fn sorted(self) -> Vec<(u64, u32, f64)> {
        let mut all: Vec<_> = self.0.into_iter().map(|(hash, (count, weight))| (hash, count, weight)).collect();
        all.sort_unstable_by_key(|feature| feature.0);
        all
    }
}

/// Signed feature hashing (Weinberger, Dasgupta, Langford, Smola and Attenberg 2009): each feature adds
/// `± weight * (1 + ln count) * idf` to the dimension that its hash names, the sign being another bit of the hash.
pub struct Hashing {
    dimensions: usize,
    /// `ln((1 + N) / (1 + n)) + 1` per slot; none where nothing was learned.
    idf: Vec<f32>,
    /// Digest of the above.
    identity: [u8; 32],
}

impl Hashing {
    /// Vectors of so many dimensions, every feature as telling as any.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        let dimensions = dimensions.max(1);
        Self { dimensions, idf: Vec::new(), identity: digest(dimensions, 0, &[]) }
    }

    /// Learns from texts how telling features are.
    pub fn fit<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        let mut holding = vec![0u32; SLOTS];
        let mut count = 0u32;
        for text in texts {
            count += 1;
            let mut slots: Vec<usize> = Features::of(text).0.keys().map(|&hash| slot(hash)).collect();
            slots.sort_unstable();
            slots.dedup();
            slots.into_iter().for_each(|slot| holding[slot] += 1);
        }
        let idf = |holding: u32| libm::log((1.0 + f64::from(count)) / (1.0 + f64::from(holding))) + 1.0;
        self.identity = digest(self.dimensions, count, &holding);
        self.idf = if count == 0 { Vec::new() } else { holding.into_iter().map(|n| idf(n) as f32).collect() };
    }

    /// Digest of all that a vector depends on besides the text.
    #[must_use]
    pub fn identity(&self) -> &[u8] {
        &self.identity
    }

    /// Length of a vector.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The vector of a text, of length 1; zero for a text without words.
    #[must_use]
    pub fn embed(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0f32; self.dimensions];
        for (dimension, value) in self.embed_sparse(text) {
            vector[dimension as usize] = value;
        }
        vector
    }

    /// The elements of that vector that are not 0.
    #[must_use]
    pub fn embed_sparse(&self, text: &str) -> Vec<Element> {
        let mut vector: Vec<Element> = Vec::new();
        for (hash, count, weight) in Features::of(text).sorted() {
            let idf = self.idf.get(slot(hash)).copied().map_or(1.0, f64::from);
            let value = weight * (1.0 + libm::log(f64::from(count))) * idf;
            // The high bits choose the dimension, the lowest the sign: the slot takes bits in between.
            let dimension = ((u128::from(hash) * self.dimensions as u128) >> 64) as u32;
            let value = if hash & 1 == 0 { value } else { -value } as f32;
            // In order of their hashes, features are in order of their dimensions.
            match vector.last_mut() {
                Some(last) if last.0 == dimension => last.1 += value,
                _ => vector.push((dimension, value)),
            }
        }
        let norm = vector.iter().map(|&(_, x)| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|(_, x)| *x = (f64::from(*x) / norm) as f32);
        vector.retain(|(_, x)| x.is_normal());
        vector
    }
}

/// Digest of what frequencies follow from: the slots that some text has are few. Change [`FEATURES`] with whatever changes a
/// text's features.
fn digest(dimensions: usize, count: u32, holding: &[u32]) -> [u8; 32] {
    let mut digest = Sha256::new().chain_update(FEATURES);
    digest.update((dimensions as u64).to_le_bytes());
    digest.update(count.to_le_bytes());
    for (slot, n) in holding.iter().enumerate().filter(|(_, n)| **n > 0) {
        digest.update((slot as u32).to_le_bytes());
        digest.update(n.to_le_bytes());
    }
    digest.finalize().into()
}

fn slot(hash: u64) -> usize {
    (hash >> 8) as usize % SLOTS
}

/// FNV-1a (Fowler, Noll and Vo), its bits mixed at the end.
fn hash(sort: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ sort.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed(bytes.iter().fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood 2014).
fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vectors::dot;

    fn cosine(left: &str, right: &str) -> f32 {
        let hashing = Hashing::new(1024);
        dot(&hashing.embed(left), &hashing.embed(right))
    }

    #[test]
    fn texts_that_share_words_or_parts_of_words_are_near() {
        let (same, form, other) = ("pay my card bill", "paying the bills of my cards", "how warm is it outside");
        assert!((cosine(same, same) - 1.0).abs() < 1e-6);
        assert!(cosine(same, form) > 0.2, "{}", cosine(same, form));
        assert!(cosine(same, other) < 0.1, "{}", cosine(same, other));
    }

    #[test]
    fn common_words_count_less_once_learned() {
        let texts = ["the wing of the plane", "the heat of the plate", "the flow of the gas", "the shock of the wave"];
        let mut learned = Hashing::new(1024);
        learned.fit(texts);
        let near = |hashing: &Hashing| dot(&hashing.embed("the lift of the wing"), &hashing.embed(texts[1]));
        assert!(near(&learned) < near(&Hashing::new(1024)) * 0.8);
    }

    #[test]
    fn the_vector_of_a_word_follows_from_its_definition() {
        let (found, wanted) = (Hashing::new(16).embed("ab"), definition());
        assert!(found.iter().zip(&wanted).all(|(left, right)| (left - right).abs() < 1e-6), "{found:?} {wanted:?}");
    }

    /// `ab` has three features: the word, and the parts `<ab` and `ab>`; `<ab>` is the word again.
    fn definition() -> Vec<f32> {
        let mut vector = [0f64; 16];
        for (sort, text, weight) in [(0u64, "ab", 1.0), (3, "<ab", PART), (3, "ab>", PART)] {
            let mut hash = 0xcbf2_9ce4_8422_2325u64 ^ sort.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for byte in text.bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            hash = mixed(hash);
            vector[(hash >> 60) as usize] += if hash & 1 == 0 { weight } else { -weight };
        }
        let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        vector.iter().map(|x| (x / norm) as f32).collect()
    }

    proptest! {
        #[test]
        fn any_text_has_a_vector_of_length_one_or_zero(text in "\\PC{0,60}", dimensions in 16usize..300) {
            let vector = Hashing::new(dimensions).embed(&text);
            let norm: f32 = vector.iter().map(|x| x * x).sum();
            prop_assert!((norm - 1.0).abs() < 1e-4 || norm == 0.0, "{}", norm);
        }
    }
}
