//! What weight of words against vectors serves collections of many kinds, and what the defaults of `retrieve` are worth on each.
//!
//!     cargo run --release -p jackfield-retrieval --example collections -- shared/data/cranfield shared/data/meetings \
//!         shared/data/claims/truthfulqa.csv shared/data/routing/mmlu.csv shared/data/clinc examples/answers/data \
//!         examples/answers/workshop
//!
//! prints Markdown. With `--features models` and the folder of a sentence encoder in `MINILM`, that is measured in place of
//! hashed vectors. Of the collections' documents with equal scores none comes first because of where its file has it: their ids are
//! drawn anew. Everything is deterministic but the times.
//!
//! Intervals are those of a paired bootstrap over queries (Efron 1979; B = 10,000, percentiles 2.5 and 97.5).

#[expect(dead_code, reason = "queries are not told apart by what they are about here")]
#[path = "../../../answers/examples/rewards/collections.rs"]
mod collections;
#[expect(dead_code, reason = "its table is not printed here")]
#[path = "../cranfield/compare.rs"]
mod compare;
mod cost;
#[path = "../cranfield/collection.rs"]
mod cranfield;
mod fusing;

use std::{path::Path, time::Instant};

use collections::{Judged, Part};
use jackfield_plugin_api::{DigestedPath, Random};
use jackfield_retrieval::{
    bm25::Parameters,
    default_alpha,
    embed::EmbedderConfig,
    fuse::Fusion,
    index::{Index, Search},
    metrics::{Judgements, ndcg, recall},
};

type Error = Box<dyn std::error::Error>;

/// What `retrieve` has by default.
const PARAMETERS: Parameters = Parameters { k1: 1.2, b: 0.75, stem: true };
const TOP: usize = 10;
/// Weights of the keyword leg that are compared, in tenths; the last is BM25 alone.
const TENTHS: usize = 11;
const SEED: u64 = 20_260_101;

/// nDCG@10 and Recall@10 of each query.
type Values = Vec<[f64; 2]>;

/// A collection with vectors of one kind.
struct Measured {
    name: String,
    queries: usize,
    documents: usize,
    /// For each weight in tenths.
    by_alpha: Vec<Values>,
    /// Milliseconds to index a document, and to embed and search for a query.
    times: [f64; 2],
}

fn main() -> Result<(), Error> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        return Err("usage: collections COLLECTION…".into());
    }
    let mut all = Vec::new();
    for path in &paths {
        let mut judged = Judged::read(Path::new(path))?;
        judged.parts.iter_mut().for_each(draw_ids);
        all.push(judged);
    }
    let measured = |embedder: &EmbedderConfig| -> Result<Vec<Measured>, Error> {
        all.iter().map(|judged| measure(judged, embedder)).collect()
    };
    if let Some(folder) = std::env::var_os("MINILM") {
        let embedder = EmbedderConfig::Bert { folder: DigestedPath::without_digest(folder), max_tokens: None };
        print("the encoder", &measured(&embedder)?, tenth(default_alpha(&embedder)));
        return Ok(());
    }
    let hashing = |length: usize| EmbedderConfig::Hashing { dimensions: Some(length), idf: true };
    let old = measured(&hashing(1024))?;
    let four = measured(&hashing(4096))?;
    let new = measured(&EmbedderConfig::default())?;
    print("hashing, 1,024", &old, 5);
    print("hashing, 4,096", &four, tenth(default_alpha(&EmbedderConfig::default())));
    print("hashing as it is by default", &new, tenth(default_alpha(&EmbedderConfig::default())));
    fusing::print(&all, &EmbedderConfig::default(), default_alpha(&EmbedderConfig::default()))?;
    cost::print(&all);
    Ok(())
}

fn tenth(alpha: f64) -> usize {
    (alpha * 10.0).round() as usize
}

/// Gives documents ids in an order that says nothing.
fn draw_ids(part: &mut Part) {
    let mut order: Vec<usize> = (0..part.passages.len()).collect();
    let mut random = Random::new(SEED);
    for at in (1..order.len()).rev() {
        order.swap(at, random.below(at as u64 + 1) as usize);
    }
    let mut drawn = std::collections::BTreeMap::new();
    for (passage, number) in part.passages.iter_mut().zip(order) {
        let id = format!("{number:06}");
        drawn.insert(std::mem::replace(&mut passage.id, id.clone()), id);
    }
    for query in &mut part.queries {
        let judgements = std::mem::take(&mut query.judgements);
        // A judgement of a document that the collection lacks stays: nothing can find it.
        let renamed = judgements.into_iter().map(|(id, grade)| (drawn.get(&id).cloned().unwrap_or(id), grade));
        query.judgements = renamed.collect::<Judgements>();
    }
}

fn measure(judged: &Judged, embedder: &EmbedderConfig) -> Result<Measured, Error> {
    let mut by_alpha = vec![Values::new(); TENTHS];
    let (mut documents, mut indexing, mut asking) = (0, 0.0, 0.0);
    for part in &judged.parts {
        let start = Instant::now();
        let index = Index::new(part.passages.clone(), embedder, PARAMETERS)?;
        indexing += start.elapsed().as_secs_f64() * 1e3;
        documents += part.passages.len();
        for query in &part.queries {
            let search = |vector: &[f32], tenth: usize| {
                let alpha = tenth as f64 / (TENTHS - 1) as f64;
                let search = Search { alpha, fusion: Fusion::Weighted, mmr: None, candidates: 50, top: TOP };
                index.searchable().search(&query.text, vector, &search)
            };
            let start = Instant::now();
            let vectors = index.embed(&[query.text.as_str()])?;
            search(vectors.row(0), TENTHS / 2);
            asking += start.elapsed().as_secs_f64() * 1e3;
            for (tenth, values) in by_alpha.iter_mut().enumerate() {
                let found = search(vectors.row(0), tenth);
                let ids = || found.iter().map(|found| part.passages[found.document].id.as_str());
                let measures = [ndcg(ids(), &query.judgements, TOP), recall(ids(), &query.judgements, TOP)];
                values.push(measures.map(Option::unwrap_or_default));
            }
        }
    }
    let queries = by_alpha[0].len();
    let name = judged.name.clone();
    let times = [indexing / documents.max(1) as f64, asking / queries.max(1) as f64];
    Ok(Measured { name, queries, documents, by_alpha, times })
}

fn mean(values: &Values, measure: usize) -> f64 {
    values.iter().map(|value| value[measure]).sum::<f64>() / values.len().max(1) as f64
}

/// What a weight gains over BM25 alone, of nDCG@10.
fn gain(measured: &Measured, tenth: usize) -> f64 {
    mean(&measured.by_alpha[tenth], 0) - mean(&measured.by_alpha[TENTHS - 1], 0)
}

/// The weight with the greatest mean gain; of two alike, the lower.
fn best<'a>(among: impl Iterator<Item = &'a Measured> + Clone) -> usize {
    let gain = |tenth: usize| among.clone().map(|measured| gain(measured, tenth)).sum::<f64>();
    (0..TENTHS).fold(0, |best, tenth| if gain(tenth) > gain(best) { tenth } else { best })
}

fn print(what: &str, all: &[Measured], default: usize) {
    println!("#### {what}\n");
    println!(
        "| collection | documents | queries | BM25 alone | alpha {} | less BM25 | Recall@10 less BM25 | best in hindsight | by the \
         other collections | ms to index a document | ms a query |",
        default as f64 / 10.0
    );
    println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
    for (place, measured) in all.iter().enumerate() {
        let by_alpha = &measured.by_alpha;
        let less = |measure: usize| {
            let pairs = by_alpha[default].iter().zip(&by_alpha[TENTHS - 1]);
            let (mean, low, high) =
                compare::interval(&pairs.map(|(x, y)| x[measure] - y[measure]).collect::<Vec<f64>>());
            format!("{mean:+.4} [{low:+.4}, {high:+.4}]")
        };
        let at = |tenth: usize| format!("{:.4} at {:.1}", mean(&by_alpha[tenth], 0), tenth as f64 / 10.0);
        let others = all.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, measured)| measured);
        println!(
            "| {} | {} | {} | {:.4} | {:.4} | {} | {} | {} | {} | {:.2} | {:.2} |",
            measured.name,
            measured.documents,
            measured.queries,
            mean(&by_alpha[TENTHS - 1], 0),
            mean(&by_alpha[default], 0),
            less(0),
            less(1),
            at(best(std::iter::once(measured))),
            at(best(others)),
            measured.times[0],
            measured.times[1],
        );
    }
    let gains = (0..TENTHS).map(|tenth| all.iter().map(|one| gain(one, tenth)).sum::<f64>() / all.len() as f64);
    let is_ahead = |tenth: &usize| all.iter().all(|measured| gain(measured, *tenth) > 0.0);
    let harmless: Vec<String> =
        (0..TENTHS).filter(is_ahead).map(|tenth| format!("{:.1}", tenth as f64 / 10.0)).collect();
    println!(
        "\nmean gain over BM25 at alpha 0, .1 … 1: {}; ahead of it on every collection at: {}\n",
        gains.map(|gain| format!("{gain:+.4}")).collect::<Vec<_>>().join(" "),
        if harmless.is_empty() { "none".to_owned() } else { harmless.join(" ") }
    );
}
