//! How many tokens a CPU-second a model reads and writes: `bench MODEL [THREADS] [portable] [asked]`.
//!
//! `asked` takes one measurement for each line of the input that names it, so that something else can be measured in between;
//! `tests/benches/language_model.py` does that.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::{
    env,
    error::Error,
    io::{self, BufRead},
    path::Path,
};

use jackfield_transformer::{Kernel, Observer, Positions, RunOptions, Sequence, Step, Transformer};
use rustix::time::{ClockId, clock_gettime};

/// Rounds of each measurement; the median counts.
const ROUNDS: usize = 5;

/// Sequences that are read, and then written on token by token.
struct Measurement {
    name: &'static str,
    sequences: u32,
    /// Tokens of each that are read.
    read: usize,
    /// Tokens of each that are written.
    written: usize,
}

const MEASUREMENTS: [Measurement; 3] = [
    Measurement { name: "prompt", sequences: 1, read: 64, written: 0 },
    Measurement { name: "batch", sequences: 32, read: 64, written: 8 },
    Measurement { name: "reply", sequences: 1, read: 1, written: 16 },
];

struct Nothing;

impl Observer for Nothing {}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let folder = arguments.first().ok_or("usage: bench MODEL [THREADS] [portable] [asked]")?;
    let threads = arguments.get(1).map_or(Ok(1), |threads| threads.parse())?;
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let kernel = if has("portable") { Kernel::Portable } else { Kernel::best() };
    let begin = cpu_seconds();
    let model = Transformer::load(Path::new(folder))?.with(RunOptions { kernel, threads })?;
    println!("load: {:.2} CPU-s; kernel {}, threads {threads}", cpu_seconds() - begin, kernel.name());
    if has("asked") {
        for name in io::stdin().lock().lines() {
            let name = name?;
            let asked = MEASUREMENTS.iter().find(|measurement| measurement.name == name.trim());
            let (read, written) = rates(&model, asked.ok_or("no measurement of this name")?)?;
            println!("{read} {written}");
        }
        return Ok(());
    }
    for measurement in &MEASUREMENTS {
        let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| rates(&model, measurement)).collect::<Result<_, _>>()?;
        let (read, written): (Vec<f64>, Vec<f64>) = rounds.into_iter().unzip();
        println!(
            "{}: {} sequences, {} tokens read at {:.1} tokens a CPU-second, {} written at {:.1} (median of {ROUNDS})",
            measurement.name,
            measurement.sequences,
            measurement.read,
            median(read),
            measurement.written,
            median(written)
        );
    }
    Ok(())
}

/// Tokens read and tokens written in a CPU-second.
fn rates(model: &Transformer, measurement: &Measurement) -> Result<(f64, f64), Box<dyn Error>> {
    let (sequences, read, written) = (measurement.sequences, measurement.read, measurement.written);
    let vocabulary = model.architecture().vocabulary as u32;
    let prompt = |row: u32| (0..read as u32).map(|index| (100 + index * 7 + row) % vocabulary).collect::<Vec<u32>>();
    let prompts: Vec<Vec<u32>> = (0..sequences).map(prompt).collect();
    let one: Vec<Vec<u32>> = prompts.iter().map(|prompt| prompt[..1].to_vec()).collect();
    let room = |_| model.sequence(read + written);
    let mut all = (0..sequences).map(room).collect::<Result<Vec<Sequence>, _>>()?;
    let begin = cpu_seconds();
    pass(model, &mut all, &prompts)?;
    let middle = cpu_seconds();
    for _ in 0..written {
        pass(model, &mut all, &one)?;
    }
    let rate = |tokens: usize, seconds: f64| (sequences as usize * tokens) as f64 / seconds;
    Ok((rate(read, middle - begin), rate(written, cpu_seconds() - middle)))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn pass(model: &Transformer, sequences: &mut [Sequence], tokens: &[Vec<u32>]) -> Result<(), Box<dyn Error>> {
    let steps = sequences.iter_mut().zip(tokens).map(|(sequence, tokens)| Step {
        sequence,
        tokens,
        edits: None,
        hidden: Positions::None,
        logits: Positions::Last,
    });
    Ok(model.forward(&mut steps.collect::<Vec<_>>(), &mut Nothing)?)
}

/// Time that this process and its threads have had, in seconds.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
