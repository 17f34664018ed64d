//! What stages asked of models, word for word, and what they were answered.
//!
//! The exchanges of a call go on the record with its result: those of its last try, which is the one that counts. They are no part
//! of a result.

use jackfield_plugin_api::{Completion, CompletionRequest, Failure, Usage};
use rusqlite::{params, types::ValueRef};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    AnswerSource, CompletionRecord, Db, StoreError,
    tables::{self, integer, optional_text, text},
};

/// The most bytes of a request or an answer that are kept.
const MOST_BYTES: usize = 1 << 20;
/// The shortest that texts are cut to.
const SHORTEST_CUT: usize = 16;

/// What was asked of a model on behalf of a call, and what came of it.
#[derive(Clone, Debug)]
pub struct ExchangeRecord {
    /// Its position among those of the call, from 0, in the order in which they were asked.
    pub seq: u32,
    /// What was asked.
    pub request: CompletionRequest,
    /// What was answered.
    pub answer: Result<Completion, Failure>,
    /// What is counted of it.
    pub completion: CompletionRecord,
}

/// A request to a model that is on the record, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exchange {
    /// Position of the stage in the plan.
    pub stage: u32,
    /// Position of the call in the stage: element x repeat + replicate.
    pub call: u32,
    /// Its position among those of the call, from 0, in the order in which they were asked.
    pub seq: u32,
    /// Name of the model.
    pub model: String,
    /// The request, as JSON (`CompletionRequest`). A long text in it is cut, and ends in `… [cut: N bytes in all]`.
    pub request: String,
    /// The answer, as JSON (`Completion`), without what it said in tensors; none if it failed.
    pub answer: Option<String>,
    /// The kind of the failure, if it failed.
    pub failure: Option<String>,
    /// What went wrong.
    pub message: Option<String>,
    /// Where the answer came from: `call`, `cache`, `shared`.
    pub source: String,
    /// The tier of the cache that had it, if one had.
    pub tier: Option<String>,
    /// Calls made to the model for it.
    pub tries: u64,
    /// Tokens that were paid for.
    #[serde(flatten)]
    pub tokens: TokenCounts,
    /// US dollars.
    pub usd: f64,
    /// How long it took, waiting included, in microseconds.
    pub took_us: u64,
}

/// Tokens of completions, as they are counted on the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TokenCounts {
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// Those of `tokens_in` that the server read from its own cache of prompts.
    pub tokens_cached: u64,
    /// Those of `tokens_in` that the server put into its own cache of prompts.
    pub tokens_cache_write: u64,
    /// Those of `tokens_out` that the model thought in.
    pub tokens_reasoning: u64,
}

impl From<Usage> for TokenCounts {
    fn from(Usage { input, output, cached_input, cache_write, reasoning }: Usage) -> Self {
        Self {
            tokens_in: input,
            tokens_out: output,
            tokens_cached: cached_input,
            tokens_cache_write: cache_write,
            tokens_reasoning: reasoning,
        }
    }
}

impl Db {
    /// Records an exchange of a call. It replaces the one that the call had at this position.
    pub(super) fn put_exchange(
        &self,
        session: i64,
        (item, stage, call): (i64, u32, u32),
        exchange: &ExchangeRecord,
    ) -> Result<(), StoreError> {
        let ExchangeRecord { seq, request, answer, completion } = exchange;
        let request = bounded_json(request);
        let (answer, failure) = match answer {
            Ok(answer) => (Some(bounded_json(&without_tensors(answer))), None),
            Err(failure) => (None, Some(failure)),
        };
        let message = failure.map(|failure| cut(failure.message(), MOST_BYTES));
        let (source, tier) = completion.source.columns();
        let sql = "INSERT OR REPLACE INTO exchanges (item, stage, call, seq, session, model, request, answer, failure, message, \
             source, tier, tries, tokens_in, tokens_out, tokens_cached, tokens_cache_write, tokens_reasoning, usd, took_us, sum)
             VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
        let values = [
            integer(item),
            integer(stage),
            integer(call),
            integer(*seq),
            integer(session),
            text(&completion.model),
            text(&request),
            optional_text(answer.as_deref()),
            optional_text(failure.map(|failure| failure.kind().name())),
            optional_text(message.as_deref()),
            text(source),
            optional_text(tier),
            integer(completion.tries),
            integer(completion.usage.input),
            integer(completion.usage.output),
            integer(completion.usage.cached_input),
            integer(completion.usage.cache_write),
            integer(completion.usage.reasoning),
            ValueRef::Real(completion.finite_usd()),
            integer(completion.took.as_micros()),
        ];
        self.run(|db| tables::EXCHANGES.write(db, sql, &values).map(drop))
    }

    /// Forgets the exchanges of a call, whose result is written anew.
    pub(super) fn forget_exchanges(&self, (item, stage, call): (i64, u32, u32)) -> Result<(), StoreError> {
        self.run(|db| {
            let mut delete = db.prepare_cached("DELETE FROM exchanges WHERE item = ?1 AND stage = ?2 AND call = ?3")?;
            delete.execute(params![item, stage, call]).map(drop)
        })
    }

    /// What was asked of models for an item, by stage, call and position; for the run-wide stages for -1. Empty where that was not
    /// recorded.
    pub fn exchanges_of(&self, item: i64) -> Result<Vec<Exchange>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(
                "SELECT stage, call, seq, model, request, answer, failure, message, source, tier, tries, tokens_in, tokens_out,
                   tokens_cached, tokens_cache_write, tokens_reasoning, usd, took_us
                 FROM exchanges WHERE item = ?1 ORDER BY stage, call, seq",
            )?;
            query.query_map([item], exchange)?.collect()
        })
    }
}

fn exchange(row: &rusqlite::Row<'_>) -> rusqlite::Result<Exchange> {
    let count = |at| row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default());
    Ok(Exchange {
        stage: row.get(0)?,
        call: row.get(1)?,
        seq: row.get(2)?,
        model: row.get(3)?,
        request: row.get(4)?,
        answer: row.get(5)?,
        failure: row.get(6)?,
        message: row.get(7)?,
        source: row.get(8)?,
        tier: row.get(9)?,
        tries: count(10)?,
        tokens: TokenCounts {
            tokens_in: count(11)?,
            tokens_out: count(12)?,
            tokens_cached: count(13)?,
            tokens_cache_write: count(14)?,
            tokens_reasoning: count(15)?,
        },
        usd: row.get(16)?,
        took_us: count(17)?,
    })
}

impl AnswerSource {
    /// As it is stored: its name, and that of the tier.
    pub(super) fn columns(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Call => ("call", None),
            Self::Cache(tier) => ("cache", Some(tier)),
            Self::Shared => ("shared", None),
        }
    }
}

/// An answer without the references to tensors: those may be removed with the item's results.
fn without_tensors(answer: &Completion) -> Completion {
    let mut answer = Completion { captured: None, embedding: None, ..answer.clone() };
    answer.logprobs.iter_mut().for_each(|logprobs| logprobs.distribution = None);
    answer
}

/// A value as JSON of bounded length: where it is longer, its texts are cut, and its lists if that does not do.
fn bounded_json(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    if json.len() <= MOST_BYTES {
        return json;
    }
    let value: Value = serde_json::from_str(&json).unwrap_or_default();
    let mut most = MOST_BYTES / 2;
    loop {
        let cut = cut_texts(&value, most).to_string();
        if cut.len() <= MOST_BYTES {
            return cut;
        }
        most /= 2;
        if most < SHORTEST_CUT {
            return without_lists(&value, json.len()).to_string();
        }
    }
}

fn cut_texts(value: &Value, most: usize) -> Value {
    match value {
        Value::String(text) => cut(text, most).into(),
        Value::Array(list) => list.iter().map(|value| cut_texts(value, most)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), cut_texts(value, most))).collect(),
        other => other.clone(),
    }
}

/// What is left of an object that is too long for its many parts: its plain members.
fn without_lists(value: &Value, bytes: usize) -> Value {
    let members = value.as_object().into_iter().flatten();
    let plain = members.filter(|(_, value)| !value.is_array() && !value.is_object());
    let mut left: Map<String, Value> =
        plain.map(|(key, value)| (key.clone(), cut_texts(value, SHORTEST_CUT))).collect();
    left.insert("messages".to_owned(), Value::Array(Vec::new()));
    left.insert("cut".to_owned(), format!("{bytes} bytes in all").into());
    Value::Object(left)
}

/// A text of so many bytes at the most, that says so if it was longer.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most);
    format!("{}… [cut: {} bytes in all]", &text[..end], text.len())
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Message;

    use super::*;

    #[test]
    fn a_request_that_is_too_long_is_cut_and_says_so() {
        let short = CompletionRequest::new(vec![Message::user("hello")]);
        assert_eq!(bounded_json(&short), serde_json::to_string(&short).expect("JSON"));
        let long = CompletionRequest::new(vec![Message::system("be brief"), Message::user("ä".repeat(MOST_BYTES))]);
        let json = bounded_json(&long);
        assert!(json.len() <= MOST_BYTES && json.len() > MOST_BYTES / 4, "{}", json.len());
        let read: CompletionRequest = serde_json::from_str(&json).expect("a request");
        assert_eq!(read.messages[0].content, "be brief");
        assert!(read.messages[1].content.ends_with("ä… [cut: 2097152 bytes in all]"));
        let many = CompletionRequest::new((0..200_000).map(|_| Message::user("x")).collect());
        let read: Value = serde_json::from_str(&bounded_json(&many)).expect("JSON");
        assert!(read["cut"].as_str().is_some_and(|cut| cut.ends_with("bytes in all")), "{read}");
    }
}
