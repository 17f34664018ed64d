//! Domain detection on CLINC150 (Larson et al. 2019): learned from its training part, judged on its validation part.
//!
//! `cargo run --release -p jackfield-retrieval --example clinc -- FOLDER [EMBEDDER]` reads `data.json` and `domains.json`.
//! With `--features models` and the folder of a sentence encoder in `MINILM`, that is measured too; with a second word, only
//! embedders whose names begin so are. The threshold is fitted as the analyzer fits it: each fifth of the training part judged
//! by what the rest teaches. Prints Markdown; all but the times is deterministic.

use std::{collections::BTreeMap, fs, path::Path, time::Instant};

use jackfield_plugin_api::DigestedPath;
use jackfield_retrieval::{
    classify::{Classifier, GENERAL},
    embed::EmbedderConfig,
};
use rustix::time::{ClockId, clock_gettime};
use serde::de::DeserializeOwned;

type Error = Box<dyn std::error::Error>;
type Labelled = Vec<(String, String)>;

fn main() -> Result<(), Error> {
    let folder = std::env::args().nth(1).ok_or("usage: clinc FOLDER [EMBEDDER]")?;
    let data: BTreeMap<String, Labelled> = read(Path::new(&folder), "data.json")?;
    let domains: BTreeMap<String, Vec<String>> = read(Path::new(&folder), "domains.json")?;
    let domain_of: BTreeMap<&str, &str> = domains
        .iter()
        .flat_map(|(domain, intents)| intents.iter().map(move |i| (i.as_str(), domain.as_str())))
        .collect();
    let part = |name: &str| data.get(name).ok_or_else(|| format!("data.json has no part `{name}`"));

    let mut embedders: Vec<(String, EmbedderConfig)> = [1024, 4096]
        .map(|dimensions| (format!("hashing, {dimensions}"), EmbedderConfig::Hashing { dimensions, idf: true }))
        .into();
    if let Some(folder) = std::env::var_os("MINILM") {
        let folder = DigestedPath::without_digest(folder);
        embedders.push(("bert (MINILM)".to_owned(), EmbedderConfig::Bert { folder, max_tokens: None }));
    }

    if let Some(wanted) = std::env::args().nth(2) {
        embedders.retain(|(name, _)| name.starts_with(&wanted));
    }

    println!(
        "| embedder | examples a domain | learn, s | threshold | accuracy | in scope, answered rightly | out of scope: recall | precision | F1 | AUROC | single ms p50 | p95 | CPU ms p95 | of 10, ms a query p50 | p95 | CPU ms p95 |"
    );
    println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
    for (name, embedder) in &embedders {
        for per_intent in [2, 10, usize::MAX] {
            let mut examples: BTreeMap<String, Vec<String>> = BTreeMap::new();
            let mut of_intent: BTreeMap<&str, usize> = BTreeMap::new();
            for (text, intent) in part("train")? {
                let taken = of_intent.entry(intent).or_default();
                *taken += 1;
                if *taken <= per_intent {
                    let domain = domain_of.get(intent.as_str()).ok_or("an intent without a domain")?;
                    examples.entry((*domain).to_owned()).or_default().push(text.clone());
                }
            }
            let per_domain = examples.values().map(Vec::len).max().unwrap_or(0);
            examples.insert(GENERAL.to_owned(), part("oos_train")?.iter().map(|pair| pair.0.clone()).collect());
            let start = Instant::now();
            let classifier = Classifier::learn(&examples, embedder, None)?;
            let learned = start.elapsed().as_secs_f64();
            let found = judged(&classifier, part("val")?, part("oos_val")?, &domain_of)?;
            println!("| {name} | {per_domain} | {learned:.1} | {:.3} | {found} |", classifier.threshold());
        }
    }
    Ok(())
}

fn judged(
    classifier: &Classifier,
    inside: &Labelled,
    outside: &Labelled,
    domain_of: &BTreeMap<&str, &str>,
) -> Result<String, Error> {
    let texts: Vec<&str> = inside.iter().chain(outside).map(|pair| pair.0.as_str()).collect();
    let gold: Vec<&str> = inside.iter().map(|pair| domain_of.get(pair.1.as_str()).copied().unwrap_or("?")).collect();
    // Spread over the whole list: its intents stand together.
    let sample: Vec<&str> = texts.iter().copied().step_by(7).collect();
    let (mut single, mut single_cpu, mut tens, mut tens_cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for text in &sample {
        let (start, begin) = (Instant::now(), cpu_seconds());
        classifier.classify(&[text])?;
        single_cpu.push((cpu_seconds() - begin) * 1e3);
        single.push(start.elapsed().as_secs_f64() * 1e3);
    }
    for batch in sample.chunks_exact(10) {
        let (start, begin) = (Instant::now(), cpu_seconds());
        classifier.classify(batch)?;
        tens_cpu.push((cpu_seconds() - begin) * 1e2);
        tens.push(start.elapsed().as_secs_f64() * 1e2);
    }
    let mut verdicts = Vec::new();
    for batch in texts.chunks(64) {
        verdicts.extend(classifier.classify(batch)?);
    }
    let (within, beyond) = verdicts.split_at(inside.len());
    let right = within.iter().zip(&gold).filter(|(verdict, gold)| verdict.scores[0].0 == **gold).count() as f64;
    let kept = within.iter().zip(&gold).filter(|(verdict, gold)| verdict.label == **gold).count() as f64;
    let caught = beyond.iter().filter(|verdict| verdict.label == GENERAL).count() as f64;
    let withheld = verdicts.iter().filter(|verdict| verdict.label == GENERAL).count().max(1) as f64;
    let (recall, precision) = (caught / beyond.len() as f64, caught / withheld);
    let f1 = 2.0 * recall * precision / (recall + precision).max(f64::MIN_POSITIVE);
    let share = |count: f64| 100.0 * count / gold.len() as f64;
    let [p50, p95, ten50, ten95] =
        [quantile(&mut single, 0.5), quantile(&mut single, 0.95), quantile(&mut tens, 0.5), quantile(&mut tens, 0.95)];
    let (cpu95, ten_cpu95) = (quantile(&mut single_cpu, 0.95), quantile(&mut tens_cpu, 0.95));
    Ok(format!(
        "{:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.3} | {p50:.3} | {p95:.3} | {cpu95:.3} | {ten50:.3} | {ten95:.3} | {ten_cpu95:.3}",
        share(right),
        share(kept),
        100.0 * recall,
        100.0 * precision,
        100.0 * f1,
        auroc(within.iter().map(|verdict| verdict.confidence), beyond.iter().map(|verdict| verdict.confidence)),
    ))
}

/// Time of all threads of this process.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// The share of pairs in which the query in scope has the greater confidence; pairs of equals count half.
fn auroc(within: impl Iterator<Item = f64>, beyond: impl Iterator<Item = f64> + Clone) -> f64 {
    let (mut won, mut pairs) = (0.0, 0.0);
    for inside in within {
        for outside in beyond.clone() {
            won += if inside > outside { 1.0 } else { 0.5 * f64::from(u8::from(inside == outside)) };
            pairs += 1.0;
        }
    }
    won / pairs
}

fn quantile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let at = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len().max(1)) - 1;
    times.get(at).copied().unwrap_or(f64::NAN)
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, Error> {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}
