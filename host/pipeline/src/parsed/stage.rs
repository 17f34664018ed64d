//! A stage as it is written.

use jackfield_plugin_api::Kind;

use super::{
    condition::{self, ParsedWhen},
    expr::{Expr, WireRef, input_expr, wire_ref},
    fields::Fields,
    route::{self, ParsedRoute},
};
use crate::{
    diagnostics::{Diagnostic, Span, Spanned},
    keys,
    plan::{OnError, Policy},
    syntax::{Key, Node},
};
use jackfield_loader::sandbox::Limits;

/// A stage.
#[derive(Clone, Debug)]
pub(crate) struct ParsedStage {
    pub(crate) name: Key,
    /// Reference to an extension; none if it is missing or not a string.
    pub(crate) uses: Option<Spanned<String>>,
    /// Kind of the extension, where it is written.
    pub(crate) kind: Option<Kind>,
    pub(crate) input: Option<(Span, Expr)>,
    pub(crate) with: Option<(Span, Node)>,
    pub(crate) for_each: Option<WireRef>,
    pub(crate) when: Option<ParsedWhen>,
    pub(crate) repeat: Option<u32>,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    /// Where the limit on memory is written, if it is.
    pub(crate) memory_at: Option<Span>,
    pub(crate) model: Option<Spanned<String>>,
    pub(crate) cache: Option<Spanned<String>>,
    pub(crate) store: Option<Spanned<String>>,
    pub(crate) deferred: bool,
    pub(crate) route: Option<ParsedRoute>,
    /// The span of the key `export`, if it is `true`.
    pub(crate) export: Option<Span>,
}

pub(crate) fn stage(name: &Key, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> ParsedStage {
    let fields = Fields::of_file_table(Some(node), "stages");
    let retry = fields.inside("retry", &keys::RETRY);
    let limits = fields.inside("limits", &keys::LIMITS);
    let route = fields.entry("route").filter(|(_, node)| node.as_table().is_some());
    let route = route.map(|(key, node)| route::route(key.span, node));
    let asks = fields.get("model").is_some() || route.as_ref().is_some_and(|route| !route.models.is_empty());
    ParsedStage {
        name: name.clone(),
        uses: fields.reference(),
        kind: fields.text("kind").and_then(|kind| Kind::from_name(&kind.value)),
        input: fields.entry("in").map(|(key, node)| (key.span, input_expr(node))),
        with: fields.with_table(),
        for_each: fields.get("for_each").map(wire_ref),
        when: fields.entry("when").and_then(|(key, node)| condition::when(key.span, node, diagnostics)),
        repeat: fields.integer("repeat").map(|count| count as u32),
        policy: Policy {
            timeout: fields.duration("timeout"),
            attempts: retry.integer("attempts").unwrap_or(1) as u32,
            backoff: retry.duration("backoff").unwrap_or_default(),
            longest_wait: retry.duration("longest_wait").unwrap_or_default(),
            on_error: on_error(fields.text("on_error").as_ref().map(|text| text.value.as_str())),
            concurrency: fields.integer("concurrency").map(|count| count as u32),
            batch: fields.integer("batch").unwrap_or(if asks { 1 } else { 64 }) as u32,
        },
        limits: limits.limits(),
        memory_at: limits.get("memory").map(|node| node.span),
        model: fields.text("model"),
        cache: fields.text("cache"),
        store: fields.text("store"),
        deferred: fields.flag("deferred").unwrap_or_default(),
        route,
        export: fields.entry("export").filter(|_| fields.flag("export") == Some(true)).map(|(key, _)| key.span),
    }
}

/// What a failure means; the item goes on if the stage does not say it.
pub(crate) fn on_error(text: Option<&str>) -> OnError {
    match text {
        Some("fail") => OnError::Fail,
        Some("drop") => OnError::Drop,
        _ => OnError::Continue,
    }
}
