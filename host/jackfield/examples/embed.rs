//! Runs a pipeline from a program of one's own: `cargo run --release -p jackfield --example embed -- examples/transcripts`.

use jackfield::{Pipeline, RunOptions};

fn main() -> Result<(), jackfield::Error> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "examples/transcripts".to_owned());
    let pipeline = Pipeline::load(path)?;
    let run = pipeline.run(RunOptions::in_memory())?;
    for item in run.results()? {
        let item = item?;
        println!("{}: {} decisions", item.id, item.outputs["decisions"]["findings"].as_array().map_or(0, Vec::len));
    }
    Ok(())
}
