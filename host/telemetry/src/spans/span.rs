//! A span as the engine reports it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// What a span is the time of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// A session of a run, from its start to its end.
    Run,
    /// An item, from its first stage to its last.
    Item,
    /// A call of a stage, with its retries.
    Stage,
    /// A call of a model.
    Model,
}

impl SpanKind {
    /// The name in the attribute [`KIND`](super::names::KIND).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Item => "item",
            Self::Stage => "stage",
            Self::Model => "model",
        }
    }
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// A text that is shared, such as the name of a stage.
    Text(Arc<str>),
    /// A text known beforehand, such as an outcome.
    Static(&'static str),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Several texts, such as the reasons why a model stopped.
    Texts(Vec<Arc<str>>),
}

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its id: not zero, and of no other span of the run. See [`SpanIds`](super::SpanIds).
    pub id: u64,
    /// The id of the span it is part of.
    pub parent: Option<u64>,
    /// What it is called: of few different values, as collectors group by it. Never the id of an item.
    pub name: Arc<str>,
    /// What it is the time of.
    pub kind: SpanKind,
    /// When it began.
    pub start: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// What else is known; see [`names`](super::names).
    pub attributes: Vec<(&'static str, AttributeValue)>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl From<Arc<str>> for AttributeValue {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&'static str> for AttributeValue {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for AttributeValue {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for AttributeValue {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<f64> for AttributeValue {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for AttributeValue {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}
