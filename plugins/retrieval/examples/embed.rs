//! Holds the sentence encoder against vectors made elsewhere (`fixtures/bert.py FOLDER OUT.json`) and times it.
//!
//! `cargo run --release -p jackfield-retrieval --features models --example embed -- FOLDER OUT.json`

use std::time::Instant;

use jackfield_plugin_api::DigestedPath;
use jackfield_retrieval::embed::{Embedder, EmbedderConfig};
use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: embed FOLDER OUT.json";
    let (folder, made) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
    let made: Value = serde_json::from_str(&std::fs::read_to_string(made)?)?;
    let texts: Vec<String> = serde_json::from_value(made["texts"].clone())?;
    let vectors: Vec<Vec<f64>> = serde_json::from_value(made["vectors"].clone())?;

    let start = Instant::now();
    let config = EmbedderConfig::Bert { folder: DigestedPath::unseen(folder), max_tokens: None };
    let embedder = Embedder::open(&config, [])?;
    println!("opened in {:.2} s", start.elapsed().as_secs_f64());
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = embedder.embed(&texts)?;
    for ((text, expected), found) in texts.iter().zip(&vectors).zip(found.rows()) {
        let furthest = found.iter().zip(expected).map(|(x, y)| (f64::from(*x) - y).abs()).fold(0.0, f64::max);
        let cosine: f64 = found.iter().zip(expected).map(|(x, y)| f64::from(*x) * y).sum();
        println!("cosine {cosine:.9}, furthest number {furthest:.1e}: {text:?}");
    }
    for (words, count) in [(13, 1), (13, 10), (120, 1)] {
        let text = "owl ".repeat(words);
        let batch = vec![text.as_str(); count];
        let mut times = Vec::new();
        for _ in 0..21 {
            let start = Instant::now();
            embedder.embed(&batch)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        println!("{count} x {} tokens: median {:.2} ms, least {:.2} ms", words + 2, times[10], times[0]);
    }
    Ok(())
}
