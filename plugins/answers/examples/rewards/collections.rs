//! Collections of which it is known what answers their queries.

use std::{fs, path::Path};

use jackfield_retrieval::{collection::Passage, metrics::Judgements};
use serde_json::Value;

use crate::{Error, cranfield};

/// Turns of a meeting that are one passage.
const TURNS: usize = 6;

/// A query of which it is known what answers it.
pub(crate) struct Query {
    pub(crate) text: String,
    /// What it is about, by those who made the collection; empty where they do not say.
    pub(crate) domain: String,
    /// Grades of the documents that answer it.
    pub(crate) judgements: Judgements,
}

/// Queries, and the documents that are searched for them.
pub(crate) struct Part {
    pub(crate) passages: Vec<Passage>,
    pub(crate) queries: Vec<Query>,
}

/// Judged queries, with the collections that each of them is asked of.
pub(crate) struct Judged {
    pub(crate) name: String,
    pub(crate) parts: Vec<Part>,
}

impl Judged {
    /// Reads what the path holds, told by its files: Cranfield, CLINC150, exam questions, meetings of QMSum, TruthfulQA, or a
    /// folder as that of `examples/answers`.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let parts = if path.file_name().is_some_and(|name| name == "mmlu.csv") {
            vec![exams(path)?]
        } else if path.extension().is_some_and(|extension| extension == "csv") {
            vec![truthfulqa(path)?]
        } else if path.join("domains.json").exists() && path.join("data.json").exists() {
            vec![clinc(&path.join("data.json"))?]
        } else if path.join("cran.qry").exists() {
            vec![cranfield(path)?]
        } else if path.join("documents.jsonl").exists() {
            vec![folder(path)?]
        } else {
            meetings(path)?
        };
        Ok(Self { name, parts })
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, Error> {
    value[key].as_str().ok_or_else(|| format!("no text `{key}` in {value}").into())
}

fn equal_grades(ids: impl IntoIterator<Item = String>) -> Judgements {
    ids.into_iter().map(|id| (id, 1.0)).collect()
}

fn cranfield(path: &Path) -> Result<Part, Error> {
    let cranfield::Collection { passages, queries } = cranfield::Collection::read(path)?;
    let query =
        |query: cranfield::Judged| Query { text: query.text, domain: String::new(), judgements: query.judgements };
    Ok(Part { passages, queries: queries.into_iter().map(query).collect() })
}

/// A folder with `documents.jsonl` and `queries.jsonl`; queries that nothing answers are left out.
fn folder(path: &Path) -> Result<Part, Error> {
    let mut part = Part { passages: Vec::new(), queries: Vec::new() };
    for line in read(&path.join("documents.jsonl"))?.lines() {
        let document: Value = serde_json::from_str(line)?;
        part.passages.push(Passage {
            id: text(&document, "id")?.to_owned(),
            title: document["title"].as_str().map(str::to_owned),
            text: text(&document, "text")?.to_owned(),
        });
    }
    for line in read(&path.join("queries.jsonl"))?.lines() {
        let query: Value = serde_json::from_str(line)?;
        let relevant: Vec<String> = serde_json::from_value(query["relevant"].clone())?;
        if !relevant.is_empty() {
            part.queries.push(Query {
                text: text(&query, "text")?.to_owned(),
                domain: query["domain"].as_str().unwrap_or_default().to_owned(),
                judgements: equal_grades(relevant),
            });
        }
    }
    Ok(part)
}

/// Each meeting by itself: its passages are a few turns each, and those answer a query that share a turn with the spans that
/// the annotators gave.
fn meetings(path: &Path) -> Result<Vec<Part>, Error> {
    let mut files: Vec<_> = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Error>>()?;
    files.sort();
    let mut parts = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let meeting: Value = serde_json::from_str(&read(file)?)?;
        let list = |key: &str| meeting[key].as_array().cloned().unwrap_or_default();
        let turns = list("meeting_transcripts");
        let turn = |turn: &Value| Ok(format!("{}: {}", text(turn, "speaker")?, text(turn, "content")?));
        let mut part = Part { passages: Vec::new(), queries: Vec::new() };
        for (index, turns) in turns.chunks(TURNS).enumerate() {
            let lines: Vec<String> = turns.iter().map(turn).collect::<Result<_, Error>>()?;
            part.passages.push(Passage { id: format!("{index:04}"), title: None, text: lines.join("\n") });
        }
        for query in list("specific_query_list") {
            let spans: Vec<[String; 2]> = serde_json::from_value(query["relevant_text_span"].clone())?;
            let mut relevant = Judgements::new();
            for [first, last] in spans {
                let (first, last): (usize, usize) = (first.parse()?, last.parse()?);
                relevant.extend(equal_grades((first / TURNS..=last / TURNS).map(|index| format!("{index:04}"))));
            }
            let domain = file.file_name().unwrap_or_default().to_string_lossy().chars().take(1).collect();
            part.queries.push(Query { text: text(&query, "query")?.to_owned(), domain, judgements: relevant });
        }
        parts.push(part);
    }
    Ok(parts)
}

/// The answers of all questions, right and wrong: the right ones answer their question.
fn truthfulqa(path: &Path) -> Result<Part, Error> {
    let mut part = Part { passages: Vec::new(), queries: Vec::new() };
    let mut reader = csv::Reader::from_path(path)?;
    for record in reader.records() {
        let record = record?;
        let field = |index: usize| record.get(index).unwrap_or_default();
        let mut add = |answers: &str| -> Vec<String> {
            let answers = answers.split(';').map(str::trim).filter(|answer| !answer.is_empty());
            answers
                .map(|answer| {
                    let id = format!("{:05}", part.passages.len());
                    part.passages.push(Passage { id: id.clone(), title: None, text: answer.to_owned() });
                    id
                })
                .collect()
        };
        let right = add(field(4));
        add(field(5));
        part.queries.push(Query {
            text: field(2).to_owned(),
            domain: field(1).to_owned(),
            judgements: equal_grades(right),
        });
    }
    Ok(part)
}

/// Every tenth query of the validation part is asked of every fifth one of the training part: those of its intent answer it.
fn clinc(path: &Path) -> Result<Part, Error> {
    let data: Value = serde_json::from_str(&read(path)?)?;
    let pairs = |part: &str, step: usize| -> Result<Vec<(String, String)>, Error> {
        let all: Vec<(String, String)> = serde_json::from_value(data[part].clone())?;
        Ok(all.into_iter().step_by(step).collect())
    };
    Ok(alike(pairs("train", 5)?, pairs("val", 10)?))
}

/// Every twentieth question of an exam is asked of every fifth of the others: those of its subject answer it. Choices are left
/// out.
fn exams(path: &Path) -> Result<Part, Error> {
    let (mut documents, mut queries) = (Vec::new(), Vec::new());
    for (index, record) in csv::Reader::from_path(path)?.records().enumerate() {
        let record = record?;
        let field = |index: usize| record.get(index).unwrap_or_default();
        let question = field(1).split("\nA. ").next().unwrap_or_default();
        let pair = (question.to_owned(), field(0).to_owned());
        match index % 20 {
            0 => queries.push(pair),
            other if other % 5 == 2 => documents.push(pair),
            _ => {}
        }
    }
    Ok(alike(documents, queries))
}

/// Texts with their labels: of one label, each document answers each query.
fn alike(documents: Vec<(String, String)>, queries: Vec<(String, String)>) -> Part {
    let id = |index: usize| format!("{index:05}");
    let query = |(text, label): (String, String)| {
        let same = documents.iter().enumerate().filter(|(_, document)| document.1 == label);
        Query { text, judgements: equal_grades(same.map(|(index, _)| id(index))), domain: label }
    };
    let queries = queries.into_iter().map(query).collect();
    let passage = |(index, (text, _)): (usize, (String, String))| Passage { id: id(index), title: None, text };
    Part { passages: documents.into_iter().enumerate().map(passage).collect(), queries }
}
