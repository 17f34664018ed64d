//! Models and caches as they are written.

use std::{path::Path, time::Duration};

use super::fields::Fields;
use crate::{
    diagnostics::{Span, Spanned},
    keys,
    plan::{Budget, Concurrency, Price, Rate},
    syntax::{Key, Node, Value},
};
use jackfield_loader::sandbox::Limits;

/// A model.
#[derive(Clone, Debug)]
pub(crate) struct ParsedModel {
    pub(crate) name: Key,
    pub(crate) uses: Option<Spanned<String>>,
    pub(crate) with: Option<(Span, Node)>,
    pub(crate) concurrency: Concurrency,
    /// Whether that is written, and not what is usual.
    pub(crate) concurrency_given: bool,
    pub(crate) rate: Rate,
    pub(crate) budget: Budget,
    /// The span of the key `budget`, or of the name if there is none.
    pub(crate) budget_span: Span,
    pub(crate) price: Option<Price>,
    /// The longest that a try may take, where that is written.
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempts: u32,
    pub(crate) backoff: Duration,
    pub(crate) longest_wait: Duration,
    pub(crate) cache: Option<Spanned<String>>,
    pub(crate) record: Option<std::path::PathBuf>,
    pub(crate) limits: Limits,
    /// Where the limit on memory is written, if it is.
    pub(crate) memory_at: Option<Span>,
}

/// A cache.
#[derive(Clone, Debug)]
pub(crate) struct ParsedCache {
    pub(crate) name: Key,
    pub(crate) tiers: Vec<ParsedTier>,
}

/// A tier of a cache.
#[derive(Clone, Debug)]
pub(crate) struct ParsedTier {
    pub(crate) uses: Option<Spanned<String>>,
    pub(crate) with: Option<(Span, Node)>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) limits: Limits,
    /// Where the limit on memory is written, if it is.
    pub(crate) memory_at: Option<Span>,
    /// The span of the tier.
    pub(crate) span: Span,
}

fn number(fields: &Fields<'_>, key: &str) -> Option<f64> {
    fields.get(key)?.as_number()
}

/// Lowers a model.
pub(crate) fn model(folder: &Path, name: &Key, node: &Node) -> ParsedModel {
    let fields = Fields::new(node.as_table(), &keys::MODEL);
    let rate = fields.inside("rate", &keys::RATE);
    let budget = fields.inside("budget", &keys::BUDGET);
    let price = fields.inside("price", &keys::PRICE);
    let retry = fields.inside("retry", &keys::RETRY_MODEL);
    let bounds = fields.inside("concurrency", &keys::CONCURRENCY);
    let limits = fields.inside("limits", &keys::LIMITS);
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
    ParsedModel {
        name: name.clone(),
        uses: fields.reference(),
        with: fields.with_table(),
        concurrency,
        concurrency_given: fields.get("concurrency").is_some(),
        rate: Rate {
            requests_per_second: number(&rate, "requests_per_second").filter(|rate| *rate > 0.0),
            tokens_per_minute: rate.integer("tokens_per_minute"),
        },
        budget: Budget { usd: number(&budget, "usd"), tokens: budget.integer("tokens") },
        budget_span: fields.entry("budget").map_or(name.span, |(key, _)| key.span),
        price: number(&price, "input").zip(number(&price, "output")).map(|(input, output)| Price {
            input,
            output,
            cached_input: number(&price, "cached_input"),
            cache_write: number(&price, "cache_write"),
            reasoning: number(&price, "reasoning"),
        }),
        timeout: fields.get("timeout").and_then(|_| fields.duration("timeout")),
        attempts: count(retry.integer("attempts")),
        backoff: retry.duration("backoff").unwrap_or_default(),
        longest_wait: retry.duration("longest_wait").unwrap_or_default(),
        cache: fields.text("cache"),
        record: fields.text("record").map(|path| folder.join(path.value)),
        limits: limits.limits(),
        memory_at: limits.get("memory").map(|node| node.span),
    }
}

/// Lowers a cache.
pub(crate) fn cache(name: &Key, node: &Node) -> ParsedCache {
    let fields = Fields::new(node.as_table(), &keys::CACHE);
    let tiers = match fields.get("tiers").map(|node| &node.value) {
        Some(Value::List(tiers)) => tiers.as_slice(),
        _ => &[],
    };
    let tier = |node: &Node| {
        let fields = Fields::new(node.as_table(), &keys::TIER);
        let limits = fields.inside("limits", &keys::LIMITS_TIER);
        ParsedTier {
            uses: fields.reference(),
            with: fields.with_table(),
            ttl: fields.duration("ttl"),
            limits: limits.limits_or(Limits::of_cache()),
            memory_at: limits.get("memory").map(|node| node.span),
            span: node.span,
        }
    };
    ParsedCache { name: name.clone(), tiers: tiers.iter().map(tier).collect() }
}
