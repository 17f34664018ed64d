//! Models and caches as they are written.

use std::{path::Path, time::Duration};

use super::{
    keys,
    plan::{Budget, Concurrency, Price, Rate},
    service_keys,
    source::{Span, Spanned},
    syntax::Fields,
    tree::{Key, Node, Value},
};
use crate::plugin::sandbox::Limits;

/// A model.
#[derive(Clone, Debug)]
pub(super) struct ModelDraft {
    pub(super) name: Key,
    pub(super) uses: Option<Spanned<String>>,
    pub(super) with: Option<(Span, Node)>,
    pub(super) concurrency: Concurrency,
    /// Whether that is written, and not what is usual.
    pub(super) concurrency_given: bool,
    pub(super) rate: Rate,
    /// The budget, and where it stands.
    pub(super) budget: (Budget, Span),
    pub(super) price: Option<Price>,
    /// The longest that a try may take, where that is written.
    pub(super) timeout: Option<Duration>,
    pub(super) attempts: u32,
    pub(super) backoff: Duration,
    pub(super) cache: Option<Spanned<String>>,
    pub(super) record: Option<std::path::PathBuf>,
    pub(super) limits: Limits,
    /// Where the limit on memory is written, if it is.
    pub(super) memory_at: Option<Span>,
}

/// A cache.
#[derive(Clone, Debug)]
pub(super) struct CacheDraft {
    pub(super) name: Key,
    pub(super) tiers: Vec<TierDraft>,
}

/// A tier of a cache.
#[derive(Clone, Debug)]
pub(super) struct TierDraft {
    pub(super) uses: Option<Spanned<String>>,
    pub(super) with: Option<(Span, Node)>,
    pub(super) ttl: Option<Duration>,
    pub(super) limits: Limits,
    /// Where the limit on memory is written, if it is.
    pub(super) memory_at: Option<Span>,
    /// Where the tier stands.
    pub(super) span: Span,
}

fn within<'a>(fields: &Fields<'a>, key: &str, spec: &'static keys::Table) -> Fields<'a> {
    Fields { table: fields.get(key).and_then(Node::as_table), spec }
}

fn with(fields: &Fields<'_>) -> Option<(Span, Node)> {
    let entry = fields.entry("with").filter(|(_, node)| node.as_table().is_some());
    entry.map(|(key, node)| (key.span, node.clone()))
}

fn number(fields: &Fields<'_>, key: &str) -> Option<f64> {
    match fields.get(key)?.value {
        Value::Integer(value) => Some(value as f64),
        Value::Float(value) => Some(value),
        _ => None,
    }
}

/// Lowers a model.
pub(super) fn model(folder: &Path, name: &Key, node: &Node) -> ModelDraft {
    let fields = Fields { table: node.as_table(), spec: &service_keys::MODEL };
    let rate = within(&fields, "rate", &service_keys::RATE);
    let budget = within(&fields, "budget", &service_keys::BUDGET);
    let price = within(&fields, "price", &service_keys::PRICE);
    let retry = within(&fields, "retry", &keys::RETRY_MODEL);
    let bounds = within(&fields, "concurrency", &service_keys::CONCURRENCY);
    let limits = within(&fields, "limits", &keys::LIMITS);
    let count = |count: Option<u64>| count.unwrap_or(1).max(1) as u32;
    let concurrency = match fields.get("concurrency").map(|node| &node.value) {
        Some(Value::Integer(fixed)) => {
            let fixed = u32::try_from(*fixed).unwrap_or(1).max(1);
            Concurrency { start: fixed, max: fixed }
        }
        _ => {
            let max = count(bounds.integer("max"));
            Concurrency { start: count(bounds.integer("start")).min(max), max }
        }
    };
    ModelDraft {
        name: name.clone(),
        uses: fields.text("use").filter(|reference| !reference.value.is_empty()),
        with: with(&fields),
        concurrency,
        concurrency_given: fields.get("concurrency").is_some(),
        rate: Rate {
            requests_per_second: number(&rate, "requests_per_second").filter(|rate| *rate > 0.0),
            tokens_per_minute: rate.integer("tokens_per_minute"),
        },
        budget: (
            Budget { usd: number(&budget, "usd"), tokens: budget.integer("tokens") },
            fields.entry("budget").map_or(name.span, |(key, _)| key.span),
        ),
        price: number(&price, "input").zip(number(&price, "output")).map(|(input, output)| Price { input, output }),
        timeout: fields.get("timeout").and_then(|_| fields.duration("timeout")),
        attempts: count(retry.integer("attempts")),
        backoff: retry.duration("backoff").unwrap_or_default(),
        cache: fields.text("cache"),
        record: fields.text("record").map(|path| folder.join(path.value)),
        limits: limits.limits(),
        memory_at: limits.get("memory").map(|node| node.span),
    }
}

/// Lowers a cache.
pub(super) fn cache(name: &Key, node: &Node) -> CacheDraft {
    let fields = Fields { table: node.as_table(), spec: &service_keys::CACHE };
    let tiers = match fields.get("tiers").map(|node| &node.value) {
        Some(Value::List(tiers)) => tiers.as_slice(),
        _ => &[],
    };
    let tier = |node: &Node| {
        let fields = Fields { table: node.as_table(), spec: &service_keys::TIER };
        let limits = within(&fields, "limits", &keys::LIMITS_TIER);
        TierDraft {
            uses: fields.text("use").filter(|reference| !reference.value.is_empty()),
            with: with(&fields),
            ttl: fields.duration("ttl"),
            limits: limits.limits_or(Limits::of_cache()),
            memory_at: limits.get("memory").map(|node| node.span),
            span: node.span,
        }
    };
    CacheDraft { name: name.clone(), tiers: tiers.iter().map(tier).collect() }
}
