//! The messages about keys that are unknown or missing, and descriptions of what a value may be.

use crate::{
    diagnostics::{Diagnostic, Span, suggest},
    keys::{KeySpec, Need, Shape, Table},
    syntax::tree::Key,
};

/// The beginning of a name that is too long to repeat.
pub(crate) fn clipped(name: &str) -> String {
    if name.chars().count() <= 60 { name.to_owned() } else { name.chars().take(60).chain(['…']).collect() }
}

pub(crate) const ADD_A_STAGE: &str = "add one: `[stages.NAME]` with `use = \"...\"`";

pub(crate) fn unknown_key(key: &Key, spec: &Table, used: Option<&str>, what: &str) -> Diagnostic {
    let fits = |need: Need| need.only_for().is_none_or(|uses| used.is_none_or(|used| uses.contains(&used)));
    let known = spec.keys.iter().filter(|key| fits(key.need)).map(|key| key.name);
    Diagnostic::at("unknown-key", key.span, format!("unknown key `{}` in {what}", key.text)).hint(suggest::hint_for(
        &key.text,
        "known keys",
        known,
    ))
}

pub(crate) fn missing_key(key: &KeySpec, what: &str, span: Option<Span>) -> Diagnostic {
    let table = matches!(key.shape, Shape::Table(_) | Shape::Map { .. });
    let message = match (key.name, table) {
        ("stages", _) => format!("{what} has no stages"),
        (name, true) => format!("{what} has no `[{name}]`"),
        (name, false) => format!("{what} has no `{name}`"),
    };
    let hint = match key.name {
        "stages" => ADD_A_STAGE.to_owned(),
        "pipeline" => "add `[pipeline]` with `name = \"...\"`".to_owned(),
        "space" => "add `[search.space]` with `\"STAGE.KEY\" = { min = 0.0, max = 1.0 }`".to_owned(),
        name => format!("add `{name} = {}`", example(&key.shape)),
    };
    let mut diagnostic = Diagnostic::new("missing-key", message).hint(hint);
    diagnostic.span = span;
    diagnostic
}

fn example(shape: &Shape) -> &'static str {
    match shape {
        Shape::Integer { .. } | Shape::Number | Shape::Real => "10",
        Shape::Tables(_) => "[{ use = \"...\" }]",
        Shape::Overlays => "[{ ... }]",
        Shape::List | Shape::Grants => "[...]",
        Shape::Choice(_) | Shape::Text | Shape::Name | Shape::Texts => "\"...\"",
        _ => "...",
    }
}

pub(crate) fn describe(shape: &Shape) -> String {
    match shape {
        Shape::Text | Shape::Name | Shape::Digest => "a string",
        Shape::Flag => "`true` or `false`",
        Shape::Integer { .. } => "an integer",
        Shape::Number | Shape::Real => "a number",
        Shape::CountOr(_) => "an integer or a table",
        Shape::WireOr(_) => "a wire in quotes, such as \"stage.field\", or a table",
        Shape::ListOr(_) => "a list of values or a table with `min` and `max`",
        Shape::Tables(_) | Shape::Overlays => "a list of tables",
        Shape::Duration => "a duration in quotes, such as \"200ms\"",
        Shape::Size => "a size, such as \"256MiB\"",
        Shape::Choice(choices) => return format!("one of {}", suggest::list(choices.iter().copied())),
        Shape::Character => "one character in quotes",
        Shape::Texts => "a string or a list of strings",
        Shape::Wire => "a wire in quotes, such as \"stage.field\"",
        Shape::Wires => "a wire in quotes, or a list or table of wires",
        Shape::Input => "a wire in quotes, or a list or table of wires and constants",
        Shape::Any => "a value",
        Shape::Scalar => "a string, a number or a boolean",
        Shape::List => "a list",
        Shape::Grants => "a list of permissions in quotes",
        Shape::Free | Shape::Table(_) | Shape::Map { .. } => "a table",
    }
    .to_owned()
}
