//! What stages asked of models for an item, and what they were answered.

use jackfield_pipeline::{Plan, Scope};
use jackfield_store::{Db, Exchange, RunJson, StoreError};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    texts::{ShownText, TextId, Texts},
    value_text::value_text,
};
use crate::units::{usd, with_commas};

/// The most exchanges of an item that are on the page.
const MOST: usize = 40;

/// The exchanges of an item, in order.
#[derive(Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct ItemExchanges(Vec<PageExchange>);

/// An exchange, as the page has it.
#[derive(Serialize)]
struct PageExchange {
    /// Name of the stage.
    stage: TextId,
    /// Which model, from where, how many tokens, at what cost.
    note: TextId,
    /// The role and the text of each message.
    messages: Vec<(TextId, TextId)>,
    /// What else was asked for: a schema, a temperature.
    settings: Option<TextId>,
    reasoning: Option<TextId>,
    answer: Option<TextId>,
    failure: Option<TextId>,
}

/// Whether the same was asked and answered, whatever it cost.
impl PartialEq for PageExchange {
    fn eq(&self, other: &Self) -> bool {
        let words = |one: &Self| (one.stage, one.settings, one.reasoning, one.answer, one.failure);
        words(self) == words(other) && self.messages == other.messages
    }
}

impl ItemExchanges {
    /// Reads what is on record for the item at a position.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub(super) fn read(run: &RunJson, db: &Db, item: u64, texts: &mut Texts) -> Result<Self, StoreError> {
        let plan = &run.plan;
        let exchanges = db.exchanges_of(item as i64)?;
        let of_items = |exchange: &&Exchange| {
            plan.stages.get(exchange.stage as usize).is_some_and(|stage| stage.scope == Scope::Item)
        };
        let shown = exchanges.iter().filter(of_items).take(MOST);
        Ok(Self(shown.map(|exchange| PageExchange::of(plan, exchange, texts)).collect()))
    }

    /// None if they are those of the other run as well.
    pub(super) fn unless_as_in(self, others: &Self) -> Self {
        if self == *others { Self::default() } else { self }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PageExchange {
    fn of(plan: &Plan, exchange: &Exchange, texts: &mut Texts) -> Self {
        // What is not JSON was cut, and is shown as it is.
        let mut request: Map<String, Value> = serde_json::from_str(&exchange.request).unwrap_or_default();
        let messages = match request.remove("messages") {
            Some(Value::Array(messages)) => messages.iter().map(|message| message_of(message, texts)).collect(),
            _ => vec![(texts.add_name("request"), texts.add(&exchange.request))],
        };
        request.retain(|name, value| name != "replicate" || *value != 0);
        let answer: Option<Value> =
            exchange.answer.as_deref().map(|answer| serde_json::from_str(answer).unwrap_or_else(|_| answer.into()));
        let part = |name: &str| {
            answer.as_ref().and_then(|answer| answer.get(name)).and_then(Value::as_str).filter(|text| !text.is_empty())
        };
        let said = answer.as_ref().map(|answer| match answer.get("text").and_then(Value::as_str) {
            Some(text) => answer_text(text),
            None => value_text(answer),
        });
        let failure = exchange
            .failure
            .as_ref()
            .map(|kind| texts.add(&format!("{kind}: {}", exchange.message.as_deref().unwrap_or_default())));
        Self {
            stage: texts.add_name(&plan.stages[exchange.stage as usize].name),
            note: texts.add_name(&note(exchange)),
            messages,
            settings: (!request.is_empty()).then(|| texts.add_shown(&value_text(&Value::Object(request)))),
            reasoning: part("reasoning").map(|text| texts.add(text)),
            answer: said.map(|text| texts.add_shown(&text)),
            failure,
        }
    }
}

/// An answer: what is JSON is shown as the value that it is.
fn answer_text(text: &str) -> ShownText {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value_text(&value),
        _ => {
            let mut shown = ShownText::default();
            shown.push(text);
            shown
        }
    }
}

fn message_of(message: &Value, texts: &mut Texts) -> (TextId, TextId) {
    let role = texts.add_name(message["role"].as_str().unwrap_or("message"));
    let content = &message["content"];
    let mut text = match content.as_str() {
        Some(text) => {
            let mut shown = ShownText::default();
            shown.push(text);
            shown
        }
        None => value_text(content),
    };
    // Parts beside the text, such as images, are told in short.
    let others =
        message.as_object().into_iter().flatten().filter(|(name, _)| !matches!(name.as_str(), "role" | "content"));
    for (name, value) in others {
        text.push("\n");
        text.push_name(name);
        text.push(&value.to_string().chars().take(400).collect::<String>());
    }
    (role, texts.add_shown(&text))
}

fn note(exchange: &Exchange) -> String {
    let mut parts = vec![exchange.model.clone()];
    match (exchange.source.as_str(), &exchange.tier) {
        ("cache", Some(tier)) => parts.push(format!("from the cache ({tier})")),
        ("cache", None) => parts.push("from the cache".to_owned()),
        ("shared", _) => parts.push("shared with an equal request".to_owned()),
        _ => {
            let tokens = &exchange.tokens;
            parts.push(format!("{} → {} tokens", with_commas(tokens.tokens_in), with_commas(tokens.tokens_out)));
            if exchange.usd > 0.0 {
                parts.push(usd(exchange.usd));
            }
            if exchange.tries > 1 {
                parts.push(format!("{} tries", exchange.tries));
            }
        }
    }
    parts.join(" · ")
}
