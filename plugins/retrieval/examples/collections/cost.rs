//! What hashed vectors cost: time to make and keep them, time to find the nearest, and memory.

use std::time::Instant;

use jackfield_retrieval::{collection::Passage, embed::Hashing, postings::Postings, vectors::Vectors};

use crate::collections::Judged;

/// How many are nearest.
const CANDIDATES: usize = 50;
/// A time is the least of so many.
const ROUNDS: usize = 5;

/// Prints a table: vectors with all their elements, as models make them, and with those that are not 0, as they are kept.
pub(crate) fn print(all: &[Judged]) {
    println!("#### what hashed vectors cost\n");
    println!("| collection | length | kept | us to index a document | us to find the nearest | bytes a document |");
    println!("| --- | --: | --- | --: | --: | --: |");
    for judged in all {
        for (length, sparse) in [(1024, false), (4096, false), (1024, true), (4096, true), (16_384, true)] {
            let (mut indexing, mut asking, mut bytes, mut documents, mut queries) = (0.0, 0.0, 0, 0, 0);
            for part in &judged.parts {
                let texts: Vec<String> = part.passages.iter().map(Passage::searched).collect();
                let mut hashing = Hashing::new(length);
                hashing.fit(texts.iter().map(String::as_str));
                let asked: Vec<Vec<f32>> = part.queries.iter().map(|query| hashing.embed(&query.text)).collect();
                documents += texts.len();
                queries += asked.len();
                let (index_time, ask_time) = if sparse {
                    let (time, postings) =
                        least(|| Postings::new(length, texts.iter().map(|text| hashing.embed_sparse(text))));
                    bytes += postings.bytes();
                    (
                        time,
                        least(|| asked.iter().map(|query| postings.nearest(query, CANDIDATES).len()).sum::<usize>()).0,
                    )
                } else {
                    let (time, vectors) = least(|| {
                        let mut vectors = Vectors::new(length);
                        texts.iter().for_each(|text| vectors.push(&hashing.embed(text)));
                        vectors
                    });
                    bytes += 4 * length * texts.len();
                    (
                        time,
                        least(|| asked.iter().map(|query| vectors.nearest(query, CANDIDATES).len()).sum::<usize>()).0,
                    )
                };
                indexing += index_time;
                asking += ask_time;
            }
            let kept = if sparse { "elements that are not 0" } else { "all elements" };
            let (each, ask) = (indexing / documents.max(1) as f64, asking / queries.max(1) as f64);
            println!("| {} | {length} | {kept} | {each:.1} | {ask:.1} | {} |", judged.name, bytes / documents.max(1));
        }
    }
    println!();
}

/// The least of several times in microseconds, and what was made.
fn least<T>(mut make: impl FnMut() -> T) -> (f64, T) {
    let mut timed = || {
        let start = Instant::now();
        let made = make();
        (start.elapsed().as_secs_f64() * 1e6, made)
    };
    let mut best = timed();
    for _ in 1..ROUNDS {
        let next = timed();
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}
