//! Holds a sentence encoder against vectors made elsewhere (`plugins/transformer/fixtures/bert.py FOLDER OUT.json`) and times
//! it: a text alone and in batches, in milliseconds of the clock and of all processors together.
//!
//! `cargo run --release -p jackfield-retrieval --features models --example embed -- FOLDER OUT.json`

use std::time::Instant;

use jackfield_plugin_api::DigestedPath;
use jackfield_retrieval::embed::{Embedder, EmbedderConfig};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

const ROUNDS: usize = 41;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: embed FOLDER OUT.json";
    let (folder, made) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
    let made: Value = serde_json::from_str(&std::fs::read_to_string(made)?)?;
    let texts: Vec<String> = serde_json::from_value(made["texts"].clone())?;
    let vectors: Vec<Vec<f64>> = serde_json::from_value(made["vectors"].clone())?;

    let start = Instant::now();
    let config = EmbedderConfig::Bert { folder: DigestedPath::without_digest(folder), max_tokens: None };
    let embedder = Embedder::open(&config, [])?;
    println!("opened in {:.2} s", start.elapsed().as_secs_f64());
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = embedder.embed(&texts)?;
    for ((text, expected), found) in texts.iter().zip(&vectors).zip(found.rows()) {
        let furthest = found.iter().zip(expected).map(|(x, y)| (f64::from(*x) - y).abs()).fold(0.0, f64::max);
        let cosine: f64 = found.iter().zip(expected).map(|(x, y)| f64::from(*x) * y).sum();
        println!("cosine {cosine:.9}, furthest number {furthest:.1e}: {text:?}");
    }
    println!("| texts x tokens | ms a text, p50 | p95 | least | CPU ms a text, p50 | p95 | least |");
    println!("| --- | --: | --: | --: | --: | --: | --: |");
    for (words, count) in [(13, 1), (13, 10), (120, 1), (120, 10)] {
        let text = "owl ".repeat(words);
        let batch = vec![text.as_str(); count];
        let (mut clock, mut cpu) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (start, begin) = (Instant::now(), cpu_seconds());
            embedder.embed(&batch)?;
            cpu.push((cpu_seconds() - begin) * 1e3 / count as f64);
            clock.push(start.elapsed().as_secs_f64() * 1e3 / count as f64);
        }
        println!("| {count} x {} | {} | {} |", words + 2, summary(&mut clock), summary(&mut cpu));
    }
    Ok(())
}

fn summary(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    format!("{:.2} | {:.2} | {:.2}", times[ROUNDS / 2], times[ROUNDS * 95 / 100], times[0])
}

/// Time of all threads of this process.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
