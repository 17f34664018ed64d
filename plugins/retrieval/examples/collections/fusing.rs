//! Other ways to bring the scores of both legs together, at the default weight.

use jackfield_retrieval::{
    embed::EmbedderConfig,
    fuse::{Fusion, min_max},
    index::{Found, Index, Search},
    metrics::ndcg,
};

use crate::{
    Error, PARAMETERS, TOP,
    collections::{Judged, Part, Query},
};

/// Makes scores of one leg comparable with those of the other.
type Scale = fn(&[f64]) -> Vec<f64>;

const SCALES: [(&str, Scale); 3] = [
    ("least and greatest of the pool, as it is", min_max),
    ("zero and the greatest", from_zero),
    ("deviations", deviations),
];

/// Prints nDCG@10 of each way on each collection.
pub(crate) fn print(all: &[Judged], embedder: &EmbedderConfig, alpha: f64) -> Result<(), Error> {
    println!("#### ways to fuse, alpha {alpha}\n");
    let names: Vec<&str> = SCALES.iter().map(|(name, _)| *name).chain(["reciprocal ranks, no weight"]).collect();
    println!("| collection | {} |\n| --- |{}", names.join(" | "), " --: |".repeat(names.len()));
    for judged in all {
        let mut sums = vec![0.0; names.len()];
        let mut count = 0;
        for part in &judged.parts {
            let index = Index::new(part.passages.clone(), embedder, PARAMETERS)?;
            for query in &part.queries {
                count += 1;
                let vectors = index.embed(&[query.text.as_str()])?;
                let all = Search { alpha, fusion: Fusion::Weighted, mmr: None, candidates: 50, top: usize::MAX };
                let search = |search| index.searchable().search(&query.text, vectors.row(0), &search);
                let pool = search(all);
                for (sum, (_, scale)) in sums.iter_mut().zip(SCALES) {
                    *sum += quality(part, query, fused(&pool, scale, alpha));
                }
                let ranks = search(Search { fusion: Fusion::Rrf, ..all });
                *sums.last_mut().expect("a sum for each way") += quality(part, query, ranks);
            }
        }
        let means: Vec<String> = sums.iter().map(|sum| format!("{:.4}", sum / f64::from(count.max(1)))).collect();
        println!("| {} | {} |", judged.name, means.join(" | "));
    }
    println!();
    Ok(())
}

/// The pool in the order of the fused scores.
fn fused(pool: &[Found], scale: Scale, alpha: f64) -> Vec<Found> {
    let words = scale(&pool.iter().map(|found| found.bm25).collect::<Vec<f64>>());
    let vectors = scale(&pool.iter().map(|found| found.vector).collect::<Vec<f64>>());
    let score = |((found, words), vector): ((&Found, f64), f64)| Found {
        score: alpha * words + (1.0 - alpha) * vector,
        ..*found
    };
    let mut ranked: Vec<Found> = pool.iter().zip(words).zip(vectors).map(score).collect();
    ranked.sort_by(|left, right| right.score.total_cmp(&left.score));
    ranked
}

fn quality(part: &Part, query: &Query, ranked: Vec<Found>) -> f64 {
    let ids = ranked.iter().map(|found| part.passages[found.document].id.as_str());
    ndcg(ids, &query.judgements, TOP).unwrap_or_default()
}

/// Zero stays zero, the greatest becomes 1.
fn from_zero(scores: &[f64]) -> Vec<f64> {
    let greatest = scores.iter().copied().fold(0.0, f64::max);
    scores.iter().map(|score| if greatest > 0.0 { score.max(0.0) / greatest } else { 0.0 }).collect()
}

/// The mean becomes 0, the deviation 1.
fn deviations(scores: &[f64]) -> Vec<f64> {
    let count = scores.len().max(1) as f64;
    let mean = scores.iter().sum::<f64>() / count;
    let deviation = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt().max(1e-9);
    scores.iter().map(|score| (score - mean) / deviation).collect()
}
