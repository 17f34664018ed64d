//! Writes the dictionary that the crate embeds: the tokens of the `o200k` vocabulary in the order of their ranks, each as
//! one byte with its length and then its bytes, compressed with deflate.

use std::{env, fs::File, io::Write as _, path::Path};

use flate2::{Compression, write::DeflateEncoder};

/// How many tokens the vocabulary has, apart from those with a special meaning, which no text contains.
const TOKENS: usize = 199_998;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let vocabulary = tiktoken_rs::o200k_base().expect("the crate tiktoken-rs brings the vocabulary along");
    let tokens: Vec<Vec<u8>> = (0..).map_while(|rank| vocabulary.decode_bytes(&[rank]).ok()).collect();
    assert_eq!(tokens.len(), TOKENS, "the vocabulary has a rank without a token");

    let folder = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for a build script");
    let file = File::create(Path::new(&folder).join("o200k.deflate")).expect("the build folder can be written to");
    let mut encoder = DeflateEncoder::new(file, Compression::best());
    for token in tokens {
        let length = u8::try_from(token.len()).expect("the longest token has 128 bytes");
        encoder.write_all(&[length]).and_then(|()| encoder.write_all(&token)).expect("the dictionary can be written");
    }
    encoder.finish().expect("the dictionary can be written");
}
