//! How many tokens a CPU-second a model reads and writes: `bench MODEL [THREADS] [portable]`.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::{env, error::Error, path::Path};

use jackfield_transformer::{Kernel, Observer, Positions, RunOptions, Sequence, Step, Transformer};
use rustix::time::{ClockId, clock_gettime};

/// Rounds of each measurement; the median counts.
const ROUNDS: usize = 5;

struct Nothing;

impl Observer for Nothing {}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let folder = arguments.first().ok_or("usage: bench MODEL [THREADS] [portable]")?;
    let threads = arguments.get(1).map_or(Ok(1), |threads| threads.parse())?;
    let kernel = if arguments.iter().any(|word| word == "portable") { Kernel::Portable } else { Kernel::best() };
    let begin = cpu_seconds();
    let model = Transformer::load(Path::new(folder))?.with(RunOptions { kernel, threads })?;
    println!("load: {:.2} CPU-s; kernel {}, threads {threads}", cpu_seconds() - begin, kernel.name());
    let vocabulary = model.architecture().vocabulary as u32;
    let prompt = |row: u32| (0..64).map(|index| (100 + index * 7 + row) % vocabulary).collect::<Vec<u32>>();
    for (name, sequences, read, written) in
        [("prefill 64", 1, 64, 0), ("prefill 32 x 64", 32, 64, 0), ("decode 1", 1, 1, 16), ("decode 32", 32, 1, 8)]
    {
        let prompts: Vec<Vec<u32>> = (0..sequences).map(|row| prompt(row)[..read].to_vec()).collect();
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            let room = |_: &Vec<u32>| model.sequence(read + written);
            let mut all = prompts.iter().map(room).collect::<Result<Vec<Sequence>, _>>()?;
            let begin = cpu_seconds();
            pass(&model, &mut all, &prompts)?;
            let mut begin_of_writing = cpu_seconds();
            if written == 0 {
                begin_of_writing = begin;
            }
            let one: Vec<Vec<u32>> = prompts.iter().map(|prompt| prompt[..1].to_vec()).collect();
            for _ in 0..written {
                pass(&model, &mut all, &one)?;
            }
            let tokens = sequences as usize * if written == 0 { read } else { written };
            rates.push(tokens as f64 / (cpu_seconds() - begin_of_writing));
        }
        rates.sort_by(f64::total_cmp);
        println!("{name}: {:.1} tokens a CPU-second (median of {ROUNDS})", rates[ROUNDS / 2]);
    }
    Ok(())
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
