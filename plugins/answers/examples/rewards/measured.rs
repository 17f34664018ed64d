//! What came of each query with each weight.

use jackfield_answers as _;
use jackfield_plugin_api::{
    Kind,
    testing::{FakeHost, call},
};
use jackfield_retrieval::{
    bm25::Parameters,
    embed::EmbedderConfig,
    fuse::Fusion,
    index::{Index, Search},
    metrics::{ndcg, recall},
};
use serde_json::{Value, json};

use crate::{
    Error,
    collections::{Judged, Part, Query},
};

/// The weights of the words that `examples/answers` chooses from.
pub(crate) const ALPHAS: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];
/// How many documents are found.
const TOP: usize = 10;
/// The measures of `grade`, without judgements, that a reward can be made of.
pub(crate) const MEASURES: [&str; 6] = ["groundedness", "readability", "diversity", "ranking", "cited", "agreement"];

/// A query with one weight.
#[derive(Clone)]
pub(crate) struct Outcome {
    pub(crate) ndcg: f64,
    pub(crate) recall: f64,
    /// The reward of `grade` as it is, of an answer that nobody judged.
    pub(crate) reward: f64,
    /// The same where it is known what is relevant.
    pub(crate) judged_reward: f64,
    /// The reward as it is without a measure of the ranking.
    pub(crate) blind_reward: f64,
    /// Those of [`MEASURES`], as far as they are defined.
    pub(crate) measures: [Option<f64>; MEASURES.len()],
}

/// Queries of one domain, each with an outcome for each of [`ALPHAS`].
pub(crate) struct Measured {
    /// Of the collection.
    pub(crate) collection: String,
    pub(crate) domain: String,
    pub(crate) queries: Vec<Vec<Outcome>>,
}

impl Measured {
    /// The domains of a collection, in order of their names; one without a name where it tells none apart, or too many.
    pub(crate) fn by_domain(judged: Judged) -> Result<Vec<Self>, Error> {
        const MOST: usize = 4;
        let mut domains: Vec<String> =
            judged.parts.iter().flat_map(|part| &part.queries).map(|query| query.domain.clone()).collect();
        domains.sort();
        domains.dedup();
        if domains.len() > MOST {
            domains = vec![String::new()];
        }
        let empty = |domain: String| Self { collection: judged.name.clone(), domain, queries: Vec::new() };
        let mut found: Vec<Self> = domains.into_iter().map(empty).collect();
        for part in &judged.parts {
            let index = Index::new(
                part.passages.clone(),
                &EmbedderConfig::default(),
                Parameters { k1: 1.2, b: 0.75, stem: true },
            )?;
            for query in &part.queries {
                let outcomes = outcomes(part, &index, query)?;
                let own = found.iter_mut().position(|measured| measured.domain == query.domain);
                found[own.unwrap_or(0)].queries.push(outcomes);
            }
        }
        Ok(found)
    }

    /// A mean over the queries, by weight.
    pub(crate) fn means(&self, of: impl Fn(&Outcome) -> f64) -> Vec<f64> {
        let mean =
            |arm: usize| self.queries.iter().map(|query| of(&query[arm])).sum::<f64>() / self.queries.len() as f64;
        (0..ALPHAS.len()).map(mean).collect()
    }
}

fn outcomes(part: &Part, index: &Index, query: &Query) -> Result<Vec<Outcome>, Error> {
    let vectors = index.embed(&[query.text.as_str()])?;
    let outcome = |alpha: f64| {
        let search = Search { alpha, fusion: Fusion::Weighted, mmr: None, candidates: 50, top: TOP };
        let found = index.searchable().search(&query.text, vectors.row(0), &search);
        let ids = || found.iter().map(|found| part.passages[found.document].id.as_str());
        let hit = |found: &jackfield_retrieval::index::Found| {
            let passage = &part.passages[found.document];
            let (id, title, text) = (&passage.id, &passage.title, &passage.text);
            json!({ "id": id, "title": title, "text": text, "score": found.score, "bm25": found.bm25, "vector": found.vector })
        };
        let hits: Vec<Value> = found.iter().map(hit).collect();
        let run = |name: &str, config: Value, input: Value| {
            call(Kind::Analyzer, name, config, input, &FakeHost::default())
                .map_err(|failure| format!("{name}: {failure}"))
        };
        let answer = run("answer", json!({}), json!({ "query": query.text, "hits": hits }))?;
        let graded = |weights: Value, relevant: Option<Vec<&String>>| {
            let input = json!({ "query": query.text, "answer": answer, "hits": hits, "relevant": relevant });
            run("grade", json!({ "weights": weights }), input)
        };
        let grades = graded(json!({}), None)?;
        let judged = graded(json!({}), Some(query.judgements.keys().collect()))?;
        let blind = graded(json!({ "ranking": 0.0, "diversity": 0.1 }), None)?;
        let reward = |grades: &Value| grades["reward"].as_f64().ok_or("no reward");
        Ok(Outcome {
            ndcg: ndcg(ids(), &query.judgements, TOP).unwrap_or_default(),
            recall: recall(ids(), &query.judgements, TOP).unwrap_or_default(),
            reward: reward(&grades)?,
            judged_reward: reward(&judged)?,
            blind_reward: reward(&blind)?,
            measures: MEASURES.map(|name| {
                // The reward has the reading ease within 0 to 1.
                let value = grades[name].as_f64();
                if name == "readability" { value.map(|ease| (ease / 100.0).clamp(0.0, 1.0)) } else { value }
            }),
        })
    };
    ALPHAS.into_iter().map(outcome).collect()
}
