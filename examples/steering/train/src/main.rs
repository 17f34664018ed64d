//! Makes the model and the prompts of the example `steering`, from nothing but a seed: texts of several kinds, a vocabulary
//! learned from them, and a model of the Llama family that is trained on them. The same files come out every time.
//!
//! ```sh
//! cargo run --release -- ..     # writes ../model and ../data
//! ```

mod arithmetic;
mod files;
mod language;
mod model;
mod random;
mod tokenizer;
mod training;
mod words;

use std::{env, fmt::Write as _, fs, io, path::Path, process::ExitCode};

use language::HeldOut;
use random::Random;

const SEED: u64 = 14;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder] = arguments.as_slice() else {
        eprintln!("usage: steering-train FOLDER   (`model` and `data` are written into it)");
        return ExitCode::from(2);
    };
    match make(Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: failed to write into {folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(folder: &Path) -> io::Result<()> {
    let mut random = Random::new(SEED);
    let held_out = HeldOut::new(&mut random, 64, 32, 32);
    write_prompts(&folder.join("data"), &held_out)?;
    let (model, weights, tokenizer) = training::train(&mut random, &held_out);
    files::write(&folder.join("model"), &model, &weights, &tokenizer)
}

/// Writes the prompts that the pipeline reads.
fn write_prompts(folder: &Path, held_out: &HeldOut) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut pairs = String::new();
    for [positive, negative] in &held_out.pairs {
        // Writing to a string does not fail; the prompts need no escapes.
        _ = writeln!(pairs, r#"{{"positive": "{positive}", "negative": "{negative}"}}"#);
    }
    fs::write(folder.join("pairs.jsonl"), pairs)?;
    let lines = |prompts: &[String]| prompts.iter().map(|prompt| format!("{prompt}\n")).collect::<String>();
    fs::write(folder.join("letters.txt"), lines(&held_out.letters))?;
    fs::write(folder.join("neutral.txt"), lines(&held_out.neutral))
}
