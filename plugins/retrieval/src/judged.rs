//! The analyzers `judged-queries` and `retrieval-quality`: how good retrieval is over all queries of a collection.

use std::collections::BTreeSet;

use jackfield_plugin_api::prelude::*;
use jackfield_text::six_places;

use crate::{
    metrics::{Judgements, average_precision, ndcg, recall},
    record::{self, Record, as_id},
};
use serde_json::Value;

/// A query of which it is known what answers it.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct JudgedQuery {
    /// Unique among the queries.
    pub id: String,
    /// What is asked.
    pub text: String,
    /// Ids of the documents that answer it, each once.
    pub relevant: Vec<String>,
}

/// What is read by an analyzer that reads nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Document)]
pub struct NoInput {}

/// What `judged-queries` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct JudgedQueries {
    /// The queries, in the order of the file; at least one.
    pub queries: Vec<JudgedQuery>,
}

/// Gives the queries of a file of which it is known what answers them. The stage reads nothing (leave out `in`), and so runs once
/// a run.
#[derive(Clone, Debug, Config)]
pub struct ReadJudgedQueries {
    /// The queries: one JSON object a line with `id`, `text` and `relevant`, ids of the documents that answer the query. Those
    /// without `relevant` are left out, as are other keys.
    pub path: TextFile,
    /// The queries.
    #[serde(skip)]
    #[schemars(skip)]
    queries: Vec<JudgedQuery>,
}

impl Analyzer for ReadJudgedQueries {
    const NAME: &'static str = "judged-queries";
    const STABILITY: Stability = Stability::Experimental;
    type Input = NoInput;
    type Output = JudgedQueries;

    fn open(mut self) -> Result<Self> {
        self.queries = read(&self.path)?;
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        let text = "{\"id\": \"q1\", \"text\": \"when do owls hunt?\", \"relevant\": [\"owl\"]}\n{\"id\": \"q2\", \"text\": \"why?\"}\n";
        vec![Example {
            summary: "a query that is judged, and one that is not".to_owned(),
            config: json!({ "path": { "path": "queries.jsonl", "text": text } }),
            input: json!({}),
            output: json!({ "queries": [{ "id": "q1", "text": "when do owls hunt?", "relevant": ["owl"] }] }),
        }]
    }

    async fn analyze(&self, _: NoInput, _: &Host<'_>) -> Result<JudgedQueries> {
        Ok(JudgedQueries { queries: self.queries.clone() })
    }
}

/// A query of a line, judged or not.
fn query(record: &Value) -> Result<JudgedQuery, String> {
    let id = record::id(record)?;
    let text = record::text(record, "text")?.ok_or_else(|| "missing field `text`".to_owned())?;
    let mut relevant = Vec::new();
    match record::field(record, "relevant")? {
        None | Some(Value::Null) => {}
        Some(Value::Array(ids)) => {
            for value in ids {
                let id = as_id(value)
                    .ok_or_else(|| format!("the id {value} in `relevant` is neither a text nor a number"))?;
                if !relevant.contains(&id) {
                    relevant.push(id);
                }
            }
        }
        Some(_) => return Err("`relevant` is not a list of ids".to_owned()),
    }
    Ok(JudgedQuery { id, text, relevant })
}

/// The judged queries of a file. All lines that are not queries are reported at once.
fn read(file: &TextFile) -> Result<Vec<JudgedQuery>> {
    let invalid =
        |message: String| Err(Failure::InvalidConfig(format!("cannot use the queries in `{}`: {message}", file.path)));
    let text = file.text.trim_start_matches('\u{feff}');
    let (mut queries, mut ids, mut faults) = (Vec::new(), BTreeSet::new(), Vec::new());
    for line in record::lines(text) {
        let read = line.and_then(|Record { place, value }| match query(&value) {
            Ok(query) => Ok((place, query)),
            Err(why) => Err((place, why)),
        });
        match read {
            Err((place, why)) => faults.push(format!("{place}: {why}")),
            Ok((place, query)) if !ids.insert(query.id.clone()) => {
                faults.push(format!("{place}: the id `{}` is there twice", query.id));
            }
            Ok((_, query)) if query.relevant.is_empty() => {}
            Ok((_, query)) => queries.push(query),
        }
    }
    if !faults.is_empty() {
        return invalid(faults.join("; "));
    }
    if queries.is_empty() {
        return invalid("of none is it known what answers it; write ids of documents as `relevant`".to_owned());
    }
    Ok(queries)
}

/// A document that was found, as far as it is judged.
#[derive(Clone, Debug, Document)]
pub struct FoundDocument {
    /// The document's id.
    pub id: String,
}

/// What was found for a query, best first: what `retrieve` answers.
#[derive(Clone, Debug, Document)]
pub struct Found {
    /// The documents, each once.
    pub hits: Vec<FoundDocument>,
}

/// What `retrieval-quality` reads.
#[derive(Clone, Debug, Document)]
pub struct FoundAndJudged {
    /// The queries.
    pub queries: Vec<JudgedQuery>,
    /// What was found for each, in the order of the queries.
    pub found: Vec<Found>,
}

/// What `retrieval-quality` answers: means over queries, six decimal places.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct RetrievalQuality {
    /// Share of the relevant documents that were found, 0 to 1.
    pub recall: f64,
    /// How early relevant documents come, as normalised discounted cumulative gain, 0 to 1: 1 where all of them come first.
    pub ndcg: f64,
    /// How early relevant documents come, as average precision, 0 to 1.
    pub precision: f64,
    /// How many documents were found: how much there is to read.
    pub hits: f64,
    /// How many queries there were.
    pub queries: u64,
}

/// Measures what was found for queries of which it is known what answers them.
#[derive(Clone, Debug, Config)]
pub struct MeasureRetrieval {}

impl Analyzer for MeasureRetrieval {
    const NAME: &'static str = "retrieval-quality";
    const STABILITY: Stability = Stability::Experimental;
    type Input = FoundAndJudged;
    type Output = RetrievalQuality;

    fn examples() -> Vec<Example> {
        let query = |id: &str, relevant: Value| json!({ "id": id, "text": "?", "relevant": relevant });
        vec![Example {
            summary: "one of two relevant documents found second, and one found first".to_owned(),
            config: json!({}),
            input: json!({
                "queries": [query("q1", json!(["owl", "bat"])), query("q2", json!(["bee"]))],
                "found": [{ "hits": [{ "id": "fox" }, { "id": "owl" }] }, { "hits": [{ "id": "bee" }] }],
            }),
            output: json!({ "recall": 0.75, "ndcg": 0.693_426, "precision": 0.625, "hits": 1.5, "queries": 2 }),
        }]
    }

    async fn analyze(&self, input: FoundAndJudged, _: &Host<'_>) -> Result<RetrievalQuality> {
        let FoundAndJudged { queries, found } = &input;
        if queries.len() != found.len() {
            let (queries, found) = (queries.len(), found.len());
            return Err(Failure::InvalidInput(format!("there are {queries} queries, and hits for {found}")));
        }
        let judged: Vec<(Judgements, Vec<&str>)> = queries
            .iter()
            .zip(found)
            .map(|(query, found)| {
                let judgements = query.relevant.iter().map(|id| (id.clone(), 1.0)).collect();
                (judgements, found.hits.iter().map(|hit| hit.id.as_str()).collect())
            })
            .collect();
        let mean = |what: &str, measure: &dyn Fn(&Judgements, &[&str]) -> Option<f64>| {
            let mut sum = 0.0;
            for (query, (judgements, ranking)) in queries.iter().zip(&judged) {
                sum += measure(judgements, ranking).ok_or_else(|| {
                    Failure::InvalidInput(format!(
                        "the query `{}` has no relevant document, and so no {what}",
                        query.id
                    ))
                })?;
            }
            Ok::<f64, Failure>(six_places(sum / queries.len() as f64))
        };
        if queries.is_empty() {
            return Err(Failure::InvalidInput("there are no queries".to_owned()));
        }
        Ok(RetrievalQuality {
            recall: mean("recall", &|judgements, ranking| recall(ranking.iter().copied(), judgements, usize::MAX))?,
            ndcg: mean("gain", &|judgements, ranking| ndcg(ranking.iter().copied(), judgements, usize::MAX))?,
            precision: mean("precision", &|judgements, ranking| {
                average_precision(ranking.iter().copied(), judgements)
            })?,
            hits: mean("hits", &|_, ranking| Some(ranking.len() as f64))?,
            queries: queries.len() as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, call},
    };

    use super::*;

    #[test]
    fn all_lines_that_are_not_queries_are_named() {
        let refused = |text: &str| {
            let file = TextFile { path: "queries.jsonl".to_owned(), text: text.to_owned() };
            read(&file).expect_err("refused").message().to_owned()
        };
        let line = r#"{"id": "a", "text": "why?", "relevant": ["x"]}"#;
        let message = refused(&format!("{line}\n\n{{}}\nno\n{line}\n"));
        for part in
            ["`queries.jsonl`", "line 3: missing field `id`", "line 4: expected", "line 5: the id `a` is there twice"]
        {
            assert!(message.contains(part), "{part}: {message}");
        }
        let unjudged = refused("{\"id\": \"a\", \"text\": \"why?\"}");
        assert!(unjudged.contains("of none is it known"), "{unjudged}");
    }

    #[test]
    fn ids_may_be_numbers() {
        let text = "{\"id\": 1, \"text\": \"why?\", \"relevant\": [7, \"a\", 7]}\n{\"id\": 2, \"text\": \"who?\", \"relevant\": null}".to_owned();
        let queries = read(&TextFile { path: "queries.jsonl".to_owned(), text }).unwrap();
        assert_eq!(
            queries,
            [JudgedQuery {
                id: "1".to_owned(),
                text: "why?".to_owned(),
                relevant: vec!["7".to_owned(), "a".to_owned()]
            }]
        );
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let refused = |input: Value| {
            call(Kind::Analyzer, "retrieval-quality", json!({}), input, &FakeHost::default())
                .expect_err("refused")
                .message()
                .to_owned()
        };
        let query = json!({ "id": "q", "text": "?", "relevant": [] });
        let messages = [
            refused(json!({ "queries": [query], "found": [] })),
            refused(json!({ "queries": [query], "found": [{ "hits": [] }] })),
            refused(json!({ "queries": [], "found": [] })),
        ];
        let expected = [
            "there are 1 queries, and hits for 0",
            "the query `q` has no relevant document, and so no recall",
            "there are no queries",
        ];
        assert_eq!(messages, expected);
    }
}
