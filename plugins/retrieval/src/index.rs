//! A collection, ready to be searched by words and by vectors.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, Weak},
};

use jackfield_plugin_api::{prelude::*, sync::lock};
use sha2::{Digest, Sha256};

use crate::{
    bm25::{Bm25, Parameters},
    collection::{self, Passage},
    embed::{Embedder, EmbedderConfig},
    fuse::{Fusion, diverse, min_max, reciprocal, weighted},
    ivf::InvertedFile,
    postings::{Postings, sparse_dot},
    rank::{Ranked, best, numbered},
    vectors::{Vectors, dot},
};

/// Length of hashed vectors unless the configuration says another: shorter ones cost no less, as only elements that are not 0 are
/// kept, and longer ones gain nothing more.
const DIMENSIONS: usize = 16_384;
/// Up to so many documents the search looks at every vector, unless most of its elements are 0: then it always does.
const MOST_EXACT: usize = 100_000;
/// Texts that are embedded together while a collection is indexed.
#[cfg(feature = "models")]
const BATCH: usize = 256;

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Weight of the keyword leg, 0 to 1; the vector leg has the rest.
    pub alpha: f64,
    /// How the legs become one ranking.
    pub fusion: Fusion,
    /// With a value, how much relevance counts against diversity, 0 to 1.
    pub mmr: Option<f64>,
    /// How many documents each leg puts forward.
    pub candidates: usize,
    /// How many are kept.
    pub top: usize,
}

/// A document that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Its index in the collection.
    pub document: usize,
    /// What it was ranked by: the fused score.
    pub score: f64,
    /// Its BM25 score.
    pub bm25: f64,
    /// Cosine of its vector and the query's.
    pub vector: f64,
}

/// A collection that can be searched by words.
pub struct Texts {
    passages: Vec<Passage>,
    bm25: Bm25,
}

/// A collection with both its indexes.
pub struct Searchable {
    texts: Arc<Texts>,
    rows: Rows,
}

/// The vectors of the documents.
enum Rows {
    /// Those of a model, and their cells where there are very many.
    Dense(Vectors, Option<InvertedFile>),
    /// Hashed ones.
    Sparse(Postings),
}

/// A collection with both its indexes, and an embedder in the process for queries.
pub struct Index {
    embedder: Embedder,
    searchable: Searchable,
}

/// Indexes in use. The arms of a route differ in how they search, not in what: they share one index.
static OPEN: Mutex<Option<HashMap<[u8; 32], Weak<Index>>>> = Mutex::new(None);

impl Index {
    /// Reads and indexes a collection, or shares the index with whoever has it open.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the documents or the embedder cannot be read.
    pub fn open(file: &TextFile, embedder: &EmbedderConfig, parameters: Parameters) -> Result<Arc<Self>> {
        let mut about = String::new();
        let _ = write!(about, "{embedder:?} {parameters:?} {}", file.path);
        let digest = Sha256::new().chain_update(&about).chain_update([0]).chain_update(&file.text).finalize();
        // Locked while a collection is indexed, so that nobody indexes the same one at the same time.
        let mut open = lock(&OPEN);
        let open = open.get_or_insert_default();
        if let Some(index) = open.get(digest.as_slice()).and_then(Weak::upgrade) {
            return Ok(index);
        }
        open.retain(|_, index| index.strong_count() > 0);
        let index = Arc::new(Self::new(collection::read(file)?, embedder, parameters)?);
        open.insert(digest.into(), Arc::downgrade(&index));
        Ok(index)
    }

    /// Indexes documents.
    ///
    /// # Errors
    /// As those of [`Embedder::open`] and [`Embedder::embed`].
    pub fn new(passages: Vec<Passage>, embedder: &EmbedderConfig, parameters: Parameters) -> Result<Self> {
        let texts = Arc::new(Texts::new(passages, parameters));
        let searched = texts.searched();
        let searched: Vec<&str> = searched.iter().map(String::as_str).collect();
        let embedder = Embedder::open(&embedder.or_dimensions(DIMENSIONS), searched.iter().copied())?;
        let searchable = match &embedder {
            Embedder::Hashing(hashing) => {
                let rows = searched.iter().map(|text| hashing.embed_sparse(text));
                Searchable { texts, rows: Rows::Sparse(Postings::new(hashing.dimensions(), rows)) }
            }
            #[cfg(feature = "models")]
            Embedder::Bert(_) => {
                let mut vectors = embedder.embed(&[])?;
                for batch in searched.chunks(BATCH) {
                    vectors.append(&embedder.embed(batch)?);
                }
                Searchable::new(texts, vectors)
            }
        };
        Ok(Self { embedder, searchable })
    }

    /// The vectors of queries.
    ///
    /// # Errors
    /// As those of [`Embedder::embed`].
    pub fn embed(&self, queries: &[&str]) -> Result<Vectors> {
        self.embedder.embed(queries)
    }

    /// What makes vectors of queries.
    #[must_use]
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// The collection.
    #[must_use]
    pub fn searchable(&self) -> &Searchable {
        &self.searchable
    }
}

impl Texts {
    /// Indexes documents by their words.
    #[must_use]
    pub fn new(passages: Vec<Passage>, parameters: Parameters) -> Self {
        let searched: Vec<String> = passages.iter().map(Passage::searched).collect();
        let bm25 = Bm25::new(searched.iter().map(String::as_str), parameters);
        Self { passages, bm25 }
    }

    /// The documents, in the order of the file.
    #[must_use]
    pub fn passages(&self) -> &[Passage] {
        &self.passages
    }

    /// The text of each document that is searched, and that its vector is made of.
    #[must_use]
    pub fn searched(&self) -> Vec<String> {
        self.passages.iter().map(Passage::searched).collect()
    }
}

impl Searchable {
    /// Adds the vectors of the documents, in their order.
    #[must_use]
    pub fn new(texts: Arc<Texts>, vectors: Vectors) -> Self {
        let ivf = (vectors.len() > MOST_EXACT).then(|| InvertedFile::new(&vectors));
        Self { texts, rows: Rows::Dense(vectors, ivf) }
    }

    /// The documents, in the order of the file.
    #[must_use]
    pub fn passages(&self) -> &[Passage] {
        self.texts.passages()
    }

    /// Length of a vector.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        match &self.rows {
            Rows::Dense(vectors, _) => vectors.dimensions(),
            Rows::Sparse(postings) => postings.dimensions(),
        }
    }

    /// Whether a document has a word of the query, or one that is nearly it.
    #[must_use]
    pub fn knows_a_word_of(&self, query: &str) -> bool {
        self.texts.bm25.knows_a_word_of(query)
    }

    /// The best documents for a query with this vector, best first; of two alike, the lower id. A document that has no word of
    /// the query and no score is not among them.
    #[must_use]
    pub fn search(&self, query: &str, vector: &[f32], search: &Search) -> Vec<Found> {
        let words = self.texts.bm25.scores(query);
        let by_words = best(numbered(&words).filter(|ranked| ranked.score > 0.0), search.candidates);
        let (by_vector, cosine) = self.by_vector(vector, search.candidates);
        // Both legs score every candidate, whichever put it forward.
        let mut found: Vec<Found> =
            by_words.iter().chain(&by_vector).map(|r| found(r.document, &words, &cosine)).collect();
        found.sort_unstable_by(|left, right| self.id(left).cmp(self.id(right)));
        found.dedup_by_key(|found| found.document);

        let scores = |score: fn(&Found) -> f64| found.iter().map(score).collect::<Vec<f64>>();
        let fused = match search.fusion {
            Fusion::Weighted => {
                let (mut words, mut vectors) = (scores(|found| found.bm25), scores(|found| found.vector));
                // Otherwise the weakest candidate is the zero of a leg. Where all documents are candidates, it may well be a
                // document that matches: there the zero of the keyword leg is a document without a word of the query.
                if found.len() == self.passages().len() {
                    words.push(0.0);
                    vectors.push(vectors.iter().copied().fold(f64::INFINITY, f64::min));
                }
                weighted(&words, &vectors, search.alpha)
            }
            Fusion::Rrf => {
                let mut ranks: HashMap<usize, [Option<usize>; 2]> = HashMap::new();
                for (leg, ranked) in [&by_words, &by_vector].into_iter().enumerate() {
                    for (rank, ranked) in ranked.iter().enumerate().filter(|(_, ranked)| ranked.score > 0.0) {
                        ranks.entry(ranked.document as usize).or_default()[leg] = Some(rank + 1);
                    }
                }
                found.iter().map(|found| reciprocal(ranks.get(&found.document).copied().unwrap_or_default())).collect()
            }
        };
        for (found, score) in found.iter_mut().zip(fused) {
            found.score = score;
        }
        // Stable: of two alike the lower id stays first.
        found.sort_by(|left, right| right.score.total_cmp(&left.score));
        let relevance = min_max(&found.iter().map(|found| found.score).collect::<Vec<f64>>());
        // What neither leg has anything to say for is no hit.
        let is_hit = |found: &Found| found.score > 0.0 || found.bm25 > 0.0;
        let mut hits = found.iter().map(is_hit);
        let relevance: Vec<f64> = relevance.into_iter().filter(|_| hits.next() == Some(true)).collect();
        found.retain(is_hit);
        if let Some(lambda) = search.mmr {
            let order = diverse(&relevance, lambda, search.top, self.similarity(&found));
            found = order.into_iter().map(|index| found[index]).collect();
        }
        found.truncate(search.top);
        found
    }

    fn id(&self, found: &Found) -> &str {
        &self.passages()[found.document].id
    }

    /// The nearest documents, best first, and the cosine of any document and the query.
    fn by_vector<'a>(&'a self, vector: &'a [f32], most: usize) -> (Vec<Ranked>, Box<dyn Fn(usize) -> f32 + 'a>) {
        match &self.rows {
            Rows::Dense(vectors, ivf) => {
                let nearest = match ivf {
                    Some(ivf) => ivf.nearest(vectors, vector, most),
                    None => vectors.nearest(vector, most),
                };
                (nearest, Box::new(move |document| dot(vector, vectors.row(document))))
            }
            Rows::Sparse(postings) => {
                let products = postings.products(vector);
                (best(numbered(&products), most), Box::new(move |document| products[document]))
            }
        }
    }

    /// The cosine of two of the documents found, by their places.
    fn similarity<'a>(&'a self, found: &[Found]) -> Box<dyn FnMut(usize, usize) -> f64 + 'a> {
        let documents: Vec<usize> = found.iter().map(|found| found.document).collect();
        match &self.rows {
            Rows::Dense(vectors, _) => {
                Box::new(move |left, right| f64::from(dot(vectors.row(documents[left]), vectors.row(documents[right]))))
            }
            Rows::Sparse(postings) => {
                let rows = postings.rows(&documents);
                Box::new(move |left, right| f64::from(sparse_dot(&rows[left], &rows[right])))
            }
        }
    }
}

fn found(document: u32, words: &[f32], cosine: &dyn Fn(usize) -> f32) -> Found {
    let document = document as usize;
    Found { document, score: 0.0, bm25: f64::from(words[document]), vector: f64::from(cosine(document)) }
}
