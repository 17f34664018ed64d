//! The analyzer `retrieve`.

use std::sync::Arc;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{normal::composed, six_places, words::has_words};

use crate::{
    bm25::Parameters,
    collection,
    embed::{self, EmbedderConfig, embed_by_model, embed_cached},
    fuse::Fusion,
    index::{Index, Search, Searchable, Texts},
    learning::{LearnedOnce, embed_all},
};

/// What `retrieve` reads.
#[derive(Clone, Debug, Document)]
pub struct Query {
    /// What is asked.
    pub text: String,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Hit {
    /// The document's id.
    pub id: String,
    /// Its title, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its text.
    pub text: String,
    /// What it was ranked by, the fused score: 0 to 1 for `weighted`, at most 2/61 for `rrf`; six decimal places.
    pub score: f64,
    /// Its BM25 score, 0 without a common word.
    pub bm25: f64,
    /// Cosine of its vector and the query's, -1 to 1.
    pub vector: f64,
    /// Its place, from 1.
    pub rank: u64,
}

/// What `retrieve` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Hits {
    /// What was asked.
    pub query: String,
    /// The best documents, best first; none for a query without a word, nor with words that no document has where vectors
    /// are made of words (the embedder `hashing`).
    pub hits: Vec<Hit>,
}

/// Finds the documents that answer a query, by their words and by their meaning.
///
/// Two legs each put their best documents forward: BM25 over words, and cosine over sentence vectors. Their scores become
/// one by a weight on the keyword leg, `alpha`, or by reciprocal ranks. A route that sets `alpha` learns the weight; the
/// stages it makes share one index, unless the stage's model makes the vectors: then each has its own, made when the first
/// document comes.
#[derive(Config)]
pub struct Retrieve {
    /// The documents: a JSON array, one JSON object a line, or a CSV file (`.csv`, `.tsv`) with a header, each with `id`, `text`
    /// and, where there is one, `title`. An `id` may be a number.
    pub documents: TextFile,
    /// Weight of the keyword leg; the vector leg has the rest. By default 0.7 where vectors are made of words too (the embedder
    /// `hashing`), and 0.5 with a sentence encoder or a model, which knows what words do not.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub alpha: Option<f64>,
    /// How the legs become one ranking.
    #[config(default)]
    pub fusion: Fusion,
    /// With a value, the hits are picked one by one for relevance and for being unlike those before (maximal marginal
    /// relevance): 1 is relevance alone, 0 diversity alone.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub mmr: Option<f64>,
    /// How many documents each leg puts forward.
    #[config(default = 50)]
    #[schemars(range(min = 1))]
    pub candidates: usize,
    /// How many hits are answered.
    #[config(default = 10)]
    #[schemars(range(min = 1))]
    pub top: usize,
    /// What makes vectors of texts.
    #[config(default)]
    pub embedder: EmbedderConfig,
    /// BM25: how slowly repetition of a word stops to count.
    #[config(default = 1.2)]
    #[schemars(range(min = 0.0))]
    pub k1: f64,
    /// BM25: how much a document's length counts against it.
    #[config(default = 0.75)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub b: f64,
    /// Whether words of one stem are one word for the keyword leg. The language is the one that the documents are in, as far as
    /// their function words tell it, and else English.
    #[config(default = true)]
    pub stem: bool,
    /// The indexed documents.
    #[serde(skip)]
    #[schemars(skip)]
    indexed: Option<Indexed>,
}

/// The indexed documents.
enum Indexed {
    /// With an embedder in the process, when the stage was opened.
    Opened(Arc<Index>),
    /// With the vectors of the stage's model, when the first query came.
    ByModel(Arc<Texts>, LearnedOnce<Searchable>),
}

impl Analyzer for Retrieve {
    const NAME: &'static str = "retrieve";
    const STABILITY: Stability = Stability::Experimental;
    type Input = Query;
    type Output = Hits;

    fn open(mut self) -> Result<Self> {
        let check_share = |name: &str, value: f64| match value {
            0.0..=1.0 => Ok(()),
            _ => Err(Failure::InvalidConfig(format!("`{name}` is {value}: it must be 0 to 1"))),
        };
        check_share("b", self.b)?;
        for (name, value) in [("alpha", self.alpha), ("mmr", self.mmr)] {
            value.map_or(Ok(()), |value| check_share(name, value))?;
        }
        if !(self.k1 >= 0.0 && self.k1.is_finite()) {
            return Err(Failure::InvalidConfig(format!("`k1` is {}: it must be 0 or more", self.k1)));
        }
        for (name, value) in [("top", self.top), ("candidates", self.candidates)] {
            if value == 0 {
                return Err(Failure::InvalidConfig(format!("`{name}` is 0: it must be 1 or more")));
            }
        }
        let parameters = Parameters { k1: self.k1, b: self.b, stem: self.stem };
        self.indexed = Some(if self.embedder.is_of_stage() {
            Indexed::ByModel(
                Arc::new(Texts::new(collection::read(&self.documents)?, parameters)),
                LearnedOnce::default(),
            )
        } else {
            Indexed::Opened(Index::open(&self.documents, &self.embedder, parameters)?)
        });
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        let documents = "{\"id\": \"fox\", \"title\": \"Foxes\", \"text\": \"A fox sleeps in its den by day.\"}\n\
                         {\"id\": \"owl\", \"text\": \"The owl hunts at night.\"}\n\
                         {\"id\": \"bee\", \"text\": \"Bees dance for each other.\"}\n";
        vec![Example {
            summary: "the hit for a query by its words alone".to_owned(),
            config: json!({
                "documents": { "path": "animals.jsonl", "text": documents }, "alpha": 1.0, "top": 1,
            }),
            input: json!({ "text": "when do owls hunt?" }),
            output: json!({ "query": "when do owls hunt?", "hits": [{
                "id": "owl", "text": "The owl hunts at night.", "score": 1.0, "bm25": 2.146_527, "vector": 0.090_913, "rank": 1,
            }] }),
        }]
    }

    fn permissions() -> Vec<Permission> {
        embed::permissions()
    }

    async fn analyze(&self, input: Query, host: &Host<'_>) -> Result<Hits> {
        let mut hits = self.analyze_batch(vec![input], std::slice::from_ref(host)).await;
        hits.pop().expect("one list of hits for one query")
    }

    async fn analyze_batch(&self, inputs: Vec<Query>, hosts: &[Host<'_>]) -> Vec<Result<Hits>> {
        let texts: Vec<_> = inputs.iter().map(|query| composed(&query.text)).collect();
        // The others ask for nothing: no vector is made for them.
        let asked: Vec<usize> = (0..inputs.len()).filter(|&index| self.is_question(&texts[index])).collect();
        let queries: Vec<&str> = asked.iter().map(|&index| &*texts[index]).collect();
        let hosts: Vec<&Host<'_>> = asked.iter().map(|&index| &hosts[index]).collect();
        let found = match self.search(&queries, &hosts).await {
            Ok(found) => found,
            Err(failure) => asked.iter().map(|_| Err(failure.clone())).collect(),
        };
        let mut hits: Vec<Result<Vec<Hit>>> = inputs.iter().map(|_| Ok(Vec::new())).collect();
        for (index, found) in asked.into_iter().zip(found) {
            hits[index] = found;
        }
        let answer = |(query, hits): (Query, Result<Vec<Hit>>)| Ok(Hits { hits: hits?, query: query.text });
        inputs.into_iter().zip(hits).map(answer).collect()
    }
}

impl Retrieve {
    /// Whether there is anything to search for: a word, and where vectors know words alone, one that the documents have.
    fn is_question(&self, query: &str) -> bool {
        let is_known = match &self.indexed {
            Some(Indexed::Opened(index)) if index.embedder().is_of_words() => index.searchable().knows_a_word_of(query),
            _ => true,
        };
        has_words(query) && is_known
    }

    /// The hits for each query, unless all fail.
    async fn search(&self, queries: &[&str], hosts: &[&Host<'_>]) -> Result<Vec<Result<Vec<Hit>>>> {
        match &self.indexed {
            Some(Indexed::Opened(index)) => {
                let vectors = embed_cached(index.embedder(), queries, hosts).await?;
                let hits = |(query, row): (&&str, &[f32])| Ok(self.hits(index.searchable(), query, row));
                Ok(queries.iter().zip(vectors.rows()).map(hits).collect())
            }
            Some(Indexed::ByModel(texts, searchable)) => {
                let Some(host) = hosts.first() else { return Ok(Vec::new()) };
                let searchable = searchable.get(|| index(texts, host)).await?;
                let vectors = embed_by_model(queries, hosts, Some(searchable.dimensions())).await;
                let hits = |(query, row): (&&str, Result<Vec<f32>>)| Ok(self.hits(&searchable, query, &row?));
                Ok(queries.iter().zip(vectors).map(hits).collect())
            }
            None => Err(Failure::Internal("`retrieve` was called before it was opened".to_owned())),
        }
    }

    fn hits(&self, index: &Searchable, query: &str, vector: &[f32]) -> Vec<Hit> {
        let Self { fusion, mmr, candidates, top, .. } = *self;
        let alpha = self.alpha.unwrap_or_else(|| default_alpha(&self.embedder));
        let found = index.search(query, vector, &Search { alpha, fusion, mmr, candidates, top });
        let passages = index.passages();
        let hit = |(rank, found): (usize, &crate::index::Found)| {
            let passage = passages[found.document].clone();
            Hit {
                id: passage.id,
                title: passage.title,
                text: passage.text,
                score: six_places(found.score),
                bm25: six_places(found.bm25),
                vector: six_places(found.vector),
                rank: rank as u64 + 1,
            }
        };
        found.iter().enumerate().map(hit).collect()
    }
}

/// The weight of the keyword leg where none is given. With hashed vectors, any from 0.6 to 0.9 was ahead of BM25 alone on each of
/// seven collections (`examples/collections`); the vectors of a sentence encoder deserve more.
#[must_use]
pub fn default_alpha(embedder: &EmbedderConfig) -> f64 {
    if embedder.is_of_words() { 0.7 } else { 0.5 }
}

/// Indexes the documents with vectors of the stage's model.
async fn index(texts: &Arc<Texts>, host: &Host<'_>) -> Result<Searchable> {
    let searched = texts.searched();
    let searched: Vec<&str> = searched.iter().map(String::as_str).collect();
    let name = |index: usize| format!("the document `{}`", texts.passages()[index].id);
    let vectors = embed_all(&searched, host, "documents", name).await?;
    Ok(Searchable::new(Arc::clone(texts), vectors))
}

#[cfg(test)]
mod tests;
