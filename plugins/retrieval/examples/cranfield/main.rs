//! Retrieval on the Cranfield collection: each leg alone, both at a fixed weight, by reciprocal ranks, and at a learned
//! weight.
//!
//! `cargo run --release -p jackfield-retrieval --example cranfield -- FOLDER [BM25.json]` reads `cran.all.1400`, `cran.qry`
//! and `cranqrel_corrected`, and prints Markdown. With `--features models` and the folder of a sentence encoder in
//! `MINILM`, that is measured too. With a second argument, the unstemmed BM25 scores go to that file, for
//! `fixtures/cranfield.py` to hold against rank_bm25. Everything is deterministic but the times.
//!
//! Intervals are those of a paired bootstrap over queries (Efron 1979; B = 10,000, percentiles 2.5 and 97.5).

mod collection;
mod compare;
mod learn;

use std::{path::PathBuf, time::Instant};

use collection::Collection;
use compare::{Row, print};
use jackfield_plugin_api::DigestedPath;
use jackfield_retrieval::{
    bm25::{Bm25, Parameters},
    collection::Passage,
    embed::EmbedderConfig,
    fuse::Fusion,
    index::{Index, Search},
    metrics::{average_precision, ndcg, recall},
};
use serde_json::json;

type Error = Box<dyn std::error::Error>;

/// What `retrieve` has by default, but for the depth that average precision needs.
const PARAMETERS: Parameters = Parameters { k1: 1.2, b: 0.75, stem: true };
const CANDIDATES: usize = 50;
/// Weights of the keyword leg that can be learned.
const ARMS: usize = 11;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: cranfield FOLDER [BM25.json]")?;
    let collection = Collection::read(PathBuf::from(folder).as_path())?;
    let (documents, queries) = (collection.passages.len(), collection.queries.len());
    println!("{documents} documents, {queries} queries; grades 4 to 1 as gains, the rest as 0\n");
    if let Some(path) = arguments.next() {
        write_scores(&collection, &path)?;
    }
    let mut embedders: Vec<(String, EmbedderConfig)> = [1024, 4096, 16_384]
        .map(|length| (format!("hashing, {length}"), EmbedderConfig::Hashing { dimensions: Some(length), idf: true }))
        .into();
    if let Some(folder) = std::env::var_os("MINILM") {
        let folder = DigestedPath::without_digest(folder);
        embedders.push(("bert (MINILM)".to_owned(), EmbedderConfig::Bert { folder, max_tokens: None }));
    }
    for (name, embedder) in embedders {
        let start = Instant::now();
        let index = Index::new(collection.passages.clone(), &embedder, PARAMETERS)?;
        println!("## {name}\n\nindexed in {:.1} s", start.elapsed().as_secs_f64());
        measure(&collection, &index)?;
    }
    Ok(())
}

fn measure(collection: &Collection, index: &Index) -> Result<(), Error> {
    let texts: Vec<&str> = collection.queries.iter().map(|query| query.text.as_str()).collect();
    let start = Instant::now();
    let vectors = index.embed(&texts)?;
    let embedding = start.elapsed().as_secs_f64() * 1e3 / texts.len() as f64;
    let run = |search: Search| -> Vec<[f64; 3]> {
        let one = |(at, text): (usize, &&str)| {
            let found = index.searchable().search(text, vectors.row(at), &search);
            let judged = &collection.queries[at].judgements;
            let ids = || found.iter().map(|found| index.searchable().passages()[found.document].id.as_str());
            [ndcg(ids(), judged, 10), recall(ids(), judged, 10), average_precision(ids(), judged)]
                .map(Option::unwrap_or_default)
        };
        texts.iter().enumerate().map(one).collect()
    };
    let base = Search { alpha: 0.5, fusion: Fusion::Weighted, mmr: None, candidates: CANDIDATES, top: CANDIDATES * 2 };
    let arms: Vec<Vec<[f64; 3]>> =
        (0..ARMS).map(|arm| run(Search { alpha: arm as f64 / (ARMS - 1) as f64, ..base })).collect();
    let start = Instant::now();
    let rrf = run(Search { fusion: Fusion::Rrf, ..base });
    let searching = start.elapsed().as_secs_f64() * 1e3 / texts.len() as f64;
    println!("a query: {embedding:.2} ms embedded, {searching:.2} ms searched\n");

    let (learned, chosen) = learn::held_out(&arms, collection.queries.len());
    let online = learn::online(&arms, collection.queries.len());
    let middle = ARMS / 2;
    print(
        &[
            Row { name: "BM25 alone", values: &arms[ARMS - 1] },
            Row { name: "vectors alone", values: &arms[0] },
            Row { name: "alpha .5", values: &arms[middle] },
            Row { name: "reciprocal ranks", values: &rrf },
            Row { name: "alpha learned from nDCG@10, five folds", values: &learned },
            Row { name: "alpha learned from nDCG@10, first pass", values: &online },
        ],
        2,
    );
    println!("\nlearned on four fifths: {chosen}");
    let by_arm: Vec<String> =
        arms.iter().map(|arm| format!("{:.3}", arm.iter().map(|v| v[0]).sum::<f64>() / arm.len() as f64)).collect();
    println!("nDCG@10 at alpha 0, .1 … 1: {}\n", by_arm.join(" "));
    Ok(())
}

fn write_scores(collection: &Collection, path: &str) -> Result<(), Error> {
    let texts: Vec<String> = collection.passages.iter().map(Passage::searched).collect();
    let index = Bm25::new(texts.iter().map(String::as_str), Parameters { stem: false, ..PARAMETERS });
    let start = Instant::now();
    let scores: Vec<Vec<f32>> = collection.queries.iter().map(|query| index.scores(&query.text)).collect();
    let micros = start.elapsed().as_secs_f64() * 1e6 / scores.len() as f64;
    println!("BM25 scores of all documents: {micros:.1} us a query; written to {path}\n");
    let terms = jackfield_retrieval::words::Terms::plain();
    let words = |text: &str| {
        let mut found = Vec::new();
        terms.each(text, |term| found.push(term.to_owned()));
        found
    };
    let documents: Vec<Vec<String>> = texts.iter().map(|text| words(text)).collect();
    let queries: Vec<Vec<String>> = collection.queries.iter().map(|query| words(&query.text)).collect();
    std::fs::write(path, json!({ "documents": documents, "queries": queries, "scores": scores }).to_string())?;
    Ok(())
}
