//! Domain detection on CLINC150 (Larson et al. 2019): learned from its training part, judged on its validation part, with its
//! ten domains and with its 150 intents as domains.
//!
//! `cargo run --release -p jackfield-retrieval --example clinc -- FOLDER [LEARNER]` reads `data.json` and `domains.json`. With
//! `PEERS_PYTHON` naming a Python that has scikit-learn, its TF-IDF and linear support vector machine learn and answer the same
//! in the same run. With `--features models` and the folder of a sentence encoder in `MINILM`, that is measured too; with a
//! second word, only learners whose names begin so are. Prints Markdown; all but the times is deterministic.

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Instant};

use jackfield_plugin_api::{DigestedPath, Random};
use jackfield_retrieval::{
    classify::{Classifier, GENERAL, Verdict},
    embed::EmbedderConfig,
    examples::{Believing, Examples},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

type Error = Box<dyn std::error::Error>;
type Labelled = Vec<(String, String)>;

/// Samples of the bootstrap.
const SAMPLES: usize = 2000;

/// What is learned from and what is asked.
struct Task {
    what: &'static str,
    per_intent: usize,
    examples: BTreeMap<String, Vec<String>>,
    /// Of no domain.
    general: Vec<String>,
    /// Queries with the domain of each.
    inside: Labelled,
    outside: Vec<String>,
}

/// What scikit-learn answers, by its script beside this file.
#[derive(Deserialize)]
struct Peer {
    name: String,
    learned: f64,
    single: f64,
    each: f64,
    labels: Vec<String>,
}

fn main() -> Result<(), Error> {
    let folder = std::env::args().nth(1).ok_or("usage: clinc FOLDER [LEARNER]")?;
    let wanted = std::env::args().nth(2).unwrap_or_default();
    let tasks = tasks(Path::new(&folder))?;
    let mut learners: Vec<(String, Option<EmbedderConfig>)> = vec![
        ("words (default)".to_owned(), None),
        ("hashing, 1024".to_owned(), Some(EmbedderConfig::Hashing { dimensions: Some(1024), idf: true })),
    ];
    if let Some(folder) = std::env::var_os("MINILM") {
        let folder = DigestedPath::without_digest(folder);
        learners.push(("bert (MINILM)".to_owned(), Some(EmbedderConfig::Bert { folder, max_tokens: None })));
    }
    learners.retain(|(name, _)| name.starts_with(&wanted));

    println!(
        "| domains | examples of an intent | learner | accuracy, 95 % | less scikit-learn's | right and kept, of those right | confidence less accuracy | out of scope: recall | AUROC | weights, MB | learn, s | single, ms p50 | of all, ms a query |"
    );
    println!("| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
    for task in &tasks {
        let peers = match std::env::var("PEERS_PYTHON") {
            Ok(python) => peers(&python, task)?,
            Err(_) => Vec::new(),
        };
        let best =
            peers.iter().map(|peer| hits(task, peer.labels.iter().map(String::as_str))).max_by_key(|hits| count(hits));
        for (name, embedder) in &learners {
            // Vectors of so many examples and classes take minutes.
            if embedder.is_none() || task.per_intent <= 10 {
                println!("{}", without_general(task, name, embedder.as_ref(), best.as_deref())?);
            }
        }
        for peer in &peers {
            let hits = hits(task, peer.labels.iter().map(String::as_str));
            println!(
                "| {} | {} | scikit-learn, {} | {} | | | | | | | {:.2} | {:.3} | {:.3} |",
                task.what,
                shown(task.per_intent),
                peer.name,
                interval(&hits),
                peer.learned,
                peer.single,
                peer.each
            );
        }
    }
    println!("\nWith 100 examples of no domain (`general`):\n");
    println!(
        "| domains | examples of an intent | learner | threshold | accuracy | in scope, answered rightly | out of scope: recall | precision | F1 | AUROC | recall where as many in scope stay as with hashing | learn, s |"
    );
    println!("| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
    for task in tasks.iter().filter(|task| task.what == "10 domains" || task.per_intent == 10) {
        let mut answered = None;
        // What is compared with comes first.
        for (name, embedder) in learners.iter().rev() {
            if embedder.is_none() || task.what == "10 domains" {
                with_general(task, name, embedder.as_ref(), &mut answered)?;
            }
        }
    }
    Ok(())
}

fn tasks(folder: &Path) -> Result<Vec<Task>, Error> {
    let data: BTreeMap<String, Labelled> = read(folder, "data.json")?;
    let domains: BTreeMap<String, Vec<String>> = read(folder, "domains.json")?;
    let part = |name: &str| data.get(name).ok_or_else(|| format!("data.json has no part `{name}`"));
    let mut tasks = Vec::new();
    for (what, sizes) in [("10 domains", [2, 10, usize::MAX]), ("150 intents", [2, 10, usize::MAX])] {
        let name_of = |intent: &str| {
            let domain = domains.iter().find(|(_, intents)| intents.iter().any(|name| name == intent));
            if what == "10 domains" { domain.map_or("?", |found| found.0).to_owned() } else { intent.to_owned() }
        };
        let inside: Labelled = part("val")?.iter().map(|(text, intent)| (text.clone(), name_of(intent))).collect();
        for per_intent in sizes {
            let mut examples: BTreeMap<String, Vec<String>> = BTreeMap::new();
            let mut of_intent: BTreeMap<&str, usize> = BTreeMap::new();
            for (text, intent) in part("train")? {
                let taken = of_intent.entry(intent).or_default();
                *taken += 1;
                if *taken <= per_intent {
                    examples.entry(name_of(intent)).or_default().push(text.clone());
                }
            }
            let texts = |name: &str| Ok::<_, Error>(part(name)?.iter().map(|pair| pair.0.clone()).collect());
            let (general, outside) = (texts("oos_train")?, texts("oos_val")?);
            tasks.push(Task { what, per_intent, examples, general, inside: inside.clone(), outside });
        }
    }
    Ok(tasks)
}

fn learned(task: &Task, general: bool, embedder: Option<&EmbedderConfig>) -> Result<(Classifier, f64), Error> {
    let mut examples = task.examples.clone();
    if general {
        examples.insert(GENERAL.to_owned(), task.general.clone());
    }
    let start = Instant::now();
    let classifier = Classifier::learn(&Examples::new(&examples, Believing::default())?, embedder)?;
    Ok((classifier, start.elapsed().as_secs_f64()))
}

/// The verdicts on queries in scope and on those out of it.
fn verdicts(classifier: &Classifier, task: &Task) -> Result<(Vec<Verdict>, Vec<Verdict>), Error> {
    let inside: Vec<&str> = task.inside.iter().map(|pair| pair.0.as_str()).collect();
    let outside: Vec<&str> = task.outside.iter().map(String::as_str).collect();
    Ok((classifier.classify(&inside)?, classifier.classify(&outside)?))
}

fn without_general(
    task: &Task,
    name: &str,
    embedder: Option<&EmbedderConfig>,
    best_peer: Option<&[bool]>,
) -> Result<String, Error> {
    let (classifier, seconds) = learned(task, false, embedder)?;
    let mut single = Vec::new();
    for (text, _) in task.inside.iter().step_by(10) {
        let start = Instant::now();
        classifier.classify(&[text])?;
        single.push(start.elapsed().as_secs_f64() * 1e3);
    }
    single.sort_by(f64::total_cmp);
    let start = Instant::now();
    let (inside, outside) = verdicts(&classifier, task)?;
    let each = start.elapsed().as_secs_f64() * 1e3 / (inside.len() + outside.len()) as f64;
    let hits = hits(task, inside.iter().map(|verdict| verdict.scores[0].0.as_str()));
    let kept = inside.iter().zip(&hits).filter(|(verdict, hit)| **hit && verdict.label != GENERAL).count();
    let confidence = inside.iter().map(|verdict| verdict.confidence).sum::<f64>() / inside.len() as f64;
    let weights = match &classifier {
        Classifier::Words(ngrams, _) => {
            format!("{:.1}", 4e-6 * ((ngrams.dimensions() + 1) * task.examples.len()) as f64)
        }
        Classifier::Embedded(..) => String::new(),
    };
    Ok(format!(
        "| {} | {} | {name} | {} | {} | {:.1} | {:+.1} | {:.1} | {:.3} | {weights} | {seconds:.2} | {:.3} | {each:.3} |",
        task.what,
        shown(task.per_intent),
        interval(&hits),
        best_peer.map_or(String::new(), |peer| difference(&hits, peer)),
        100.0 * kept as f64 / count(&hits).max(1) as f64,
        100.0 * confidence - percent(&hits),
        share_withheld(&outside),
        auroc(&inside, &outside),
        single[single.len() / 2],
    ))
}

fn with_general(
    task: &Task,
    name: &str,
    embedder: Option<&EmbedderConfig>,
    answered: &mut Option<usize>,
) -> Result<(), Error> {
    let (classifier, seconds) = learned(task, true, embedder)?;
    let (inside, outside) = verdicts(&classifier, task)?;
    let hits = hits(task, inside.iter().map(|verdict| verdict.scores[0].0.as_str()));
    let kept = inside.iter().zip(&hits).filter(|(verdict, hit)| **hit && verdict.label != GENERAL).count();
    let withheld = |verdicts: &[Verdict]| verdicts.iter().filter(|verdict| verdict.label == GENERAL).count();
    let caught = withheld(&outside) as f64;
    let (recall, precision) = (caught / outside.len() as f64, caught / (caught + withheld(&inside) as f64).max(1.0));
    if name.starts_with("hashing") {
        *answered = Some(inside.len() - withheld(&inside));
    }
    let at_equal = answered.map_or(String::new(), |answered| {
        let mut confidences: Vec<f64> = inside.iter().map(|verdict| verdict.confidence).collect();
        confidences.sort_by(f64::total_cmp);
        let threshold = confidences[(confidences.len() - answered).min(confidences.len() - 1)];
        let below = outside.iter().filter(|verdict| verdict.confidence < threshold).count();
        format!("{:.1}", 100.0 * below as f64 / outside.len() as f64)
    });
    println!(
        "| {} | {} | {name} | {:.3} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.3} | {at_equal} | {seconds:.2} |",
        task.what,
        shown(task.per_intent),
        classifier.threshold(),
        interval(&hits),
        100.0 * kept as f64 / inside.len() as f64,
        100.0 * recall,
        100.0 * precision,
        200.0 * recall * precision / (recall + precision).max(f64::MIN_POSITIVE),
        auroc(&inside, &outside),
    );
    Ok(())
}

fn peers(python: &str, task: &Task) -> Result<Vec<Peer>, Error> {
    let of = |(name, texts): (&String, &Vec<String>)| {
        texts.iter().map(|text| (text.clone(), name.clone())).collect::<Labelled>()
    };
    let (texts, labels): (Vec<String>, Vec<String>) = task.examples.iter().flat_map(of).unzip();
    let queries: Vec<&str> = task.inside.iter().map(|pair| pair.0.as_str()).collect();
    let timed: Vec<&str> = queries.iter().copied().step_by(10).collect();
    let path = std::env::temp_dir().join(format!("clinc-{}.json", std::process::id()));
    fs::write(&path, json!({ "texts": texts, "labels": labels, "queries": queries, "timed": timed }).to_string())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clinc_peer.py");
    let output = Command::new(python).arg(script).arg(&path).output()?;
    fs::remove_file(&path)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Which queries are told rightly.
fn hits<'a>(task: &Task, labels: impl Iterator<Item = &'a str>) -> Vec<bool> {
    labels.zip(&task.inside).map(|(label, (_, gold))| label == gold).collect()
}

fn count(hits: &[bool]) -> usize {
    hits.iter().filter(|&&hit| hit).count()
}

fn percent(hits: &[bool]) -> f64 {
    100.0 * count(hits) as f64 / hits.len() as f64
}

fn shown(per_intent: usize) -> usize {
    per_intent.min(100)
}

/// The mean of values in percent, with its bootstrap interval over queries.
fn bootstrapped(values: &[f64]) -> (f64, f64, f64) {
    let mut random = Random::new(1);
    let count = values.len();
    let mean = |sum: f64| 100.0 * sum / count as f64;
    let mut means: Vec<f64> =
        (0..SAMPLES).map(|_| mean((0..count).map(|_| values[random.below(count as u64) as usize]).sum())).collect();
    means.sort_by(f64::total_cmp);
    (mean(values.iter().sum()), means[SAMPLES / 40], means[SAMPLES - 1 - SAMPLES / 40])
}

fn interval(hits: &[bool]) -> String {
    let (mean, low, high) = bootstrapped(&hits.iter().map(|&hit| f64::from(u8::from(hit))).collect::<Vec<_>>());
    format!("{mean:.1} [{low:.1}, {high:.1}]")
}

fn difference(hits: &[bool], other: &[bool]) -> String {
    let value = |hit: &bool| f64::from(u8::from(*hit));
    let values: Vec<f64> = hits.iter().zip(other).map(|(hit, other)| value(hit) - value(other)).collect();
    let (mean, low, high) = bootstrapped(&values);
    format!("{mean:+.1} [{low:+.1}, {high:+.1}]")
}

fn share_withheld(verdicts: &[Verdict]) -> f64 {
    100.0 * verdicts.iter().filter(|verdict| verdict.label == GENERAL).count() as f64 / verdicts.len() as f64
}

/// The share of pairs in which the query in scope has the greater confidence; pairs of equals count half.
fn auroc(inside: &[Verdict], outside: &[Verdict]) -> f64 {
    let mut won = 0.0;
    for within in inside {
        for beyond in outside {
            let (high, low) = (within.confidence, beyond.confidence);
            won += if high > low { 1.0 } else { 0.5 * f64::from(u8::from(high == low)) };
        }
    }
    won / (inside.len() * outside.len()) as f64
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, Error> {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}
