//! The tokens of a vocabulary, and the rank of each.

use std::{hash::Hasher as _, io::Read as _};

use flate2::read::DeflateDecoder;
use rustc_hash::FxHasher;

/// How many places the table has: a power of two, and enough that most tokens lie where they are looked for first.
const PLACES: usize = 1 << 19;

/// Where a token stands among all tokens. Of two pairs that can be merged, the one whose token has the lower rank is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(u32);

/// The tokens of a vocabulary.
pub(crate) struct Vocabulary {
    /// Each token as one byte with its length and then its bytes, in the order of ranks. Where a token begins can
    /// therefore stand for its rank.
    tokens: Vec<u8>,
    /// A hash table of `PLACES` places: 0, or one more than where a token begins. A token whose place is taken lies in the
    /// next one that is free.
    places: Vec<u32>,
}

impl Vocabulary {
    /// The vocabulary `o200k`.
    pub(crate) fn o200k() -> Self {
        let stored = include_bytes!(concat!(env!("OUT_DIR"), "/o200k.deflate"));
        let mut tokens = Vec::new();
        DeflateDecoder::new(stored.as_slice())
            .read_to_end(&mut tokens)
            .expect("the dictionary is as the build script compressed it");
        Self::new(tokens)
    }

    /// A vocabulary of distinct tokens, each as one byte with its length and then its bytes, in the order of ranks.
    fn new(tokens: Vec<u8>) -> Self {
        let mut places = vec![0; PLACES];
        let mut begin = 0;
        while begin < tokens.len() {
            let token = token(&tokens, begin);
            let mut place = first_place(token);
            while places[place] != 0 {
                place = (place + 1) % PLACES;
            }
            places[place] = u32::try_from(begin + 1).expect("the dictionary is shorter than 4 GiB");
            begin += 1 + token.len();
        }
        Self { tokens, places }
    }

    /// The rank of a token; nothing where the bytes are not a token.
    pub(crate) fn rank(&self, bytes: &[u8]) -> Option<Rank> {
        let mut place = first_place(bytes);
        loop {
            let begin = self.places[place].checked_sub(1)?;
            if token(&self.tokens, begin as usize) == bytes {
                return Some(Rank(begin));
            }
            place = (place + 1) % PLACES;
        }
    }
}

/// The token that begins at `begin`.
fn token(tokens: &[u8], begin: usize) -> &[u8] {
    &tokens[begin + 1..][..usize::from(tokens[begin])]
}

/// The place where a token is looked for first.
fn first_place(token: &[u8]) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(token);
    hasher.finish() as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_rank_and_other_bytes_have_none() {
        let vocabulary = Vocabulary::new(b"\x01a\x02ab\x03abc".to_vec());
        let rank = |bytes: &[u8]| vocabulary.rank(bytes);
        assert!(rank(b"a").expect("a token") < rank(b"ab").expect("a token"));
        assert!(rank(b"ab").expect("a token") < rank(b"abc").expect("a token"));
        assert_eq!([rank(b""), rank(b"b"), rank(b"abcd"), rank(&[b'a'; 300])], [None; 4]);
    }

    #[test]
    fn every_byte_is_a_token_of_o200k() {
        let vocabulary = Vocabulary::o200k();
        assert!((0..=u8::MAX).all(|byte| vocabulary.rank(&[byte]).is_some()));
    }
}
