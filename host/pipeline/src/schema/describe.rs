//! Descriptions of types in few words: `string`, `[{id, text}]`, `integer | null`, `tensor[layers, d]`.

use std::fmt;

use serde_json::Value;

use super::{
    expand::{Alternative, JsonType, alternatives},
    view::{Type, View},
};

/// Deeper than this a type is only named.
const DEEPEST: usize = 2;

/// More fields, alternatives or values than this are cut.
const MOST: usize = 5;

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_type(self, 0))
    }
}

impl fmt::Display for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_view(self, 0))
    }
}

fn describe_type(ty: &Type<'_>, depth: usize) -> String {
    match ty {
        Type::Unknown => "anything".to_owned(),
        Type::Schema(view) => describe_view(view, depth),
        Type::List(element) => list(&describe_type(element, depth + 1)),
        Type::Either(types) => alternatives_in_words(types.iter().map(|ty| describe_type(ty, depth)).collect()),
    }
}

fn describe_view(view: &View<'_>, depth: usize) -> String {
    let alternatives = alternatives(view);
    if alternatives.is_empty() {
        return "nothing".to_owned();
    }
    alternatives_in_words(alternatives.iter().map(|alternative| describe_alternative(alternative, depth)).collect())
}

pub(crate) fn describe_alternative(alternative: &Alternative<'_>, depth: usize) -> String {
    if let Some(values) = alternative.values() {
        return alternatives_in_words(values.into_iter().map(Value::to_string).collect());
    }
    if let Some(tensor) = alternative.tensor() {
        return tensor.to_string();
    }
    match alternative.ty {
        None => "anything".to_owned(),
        Some(JsonType::Array) if depth < DEEPEST => match alternative.element(0) {
            Some(element) => list(&describe_view(&element, depth + 1)),
            None => "list".to_owned(),
        },
        Some(JsonType::Object) if depth < DEEPEST => {
            let names = alternative.properties();
            if names.is_empty() {
                return "object".to_owned();
            }
            // The fields that are always there say most.
            let required = alternative.required();
            let (always, perhaps): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| required.contains(**name));
            let mut shown: Vec<&str> = always.into_iter().chain(perhaps).take(MOST).collect();
            if shown.len() < names.len() {
                shown.push("..");
            }
            format!("{{{}}}", shown.join(", "))
        }
        Some(ty) => ty.name().to_owned(),
    }
}

fn list(element: &str) -> String {
    if element == "anything" { "list".to_owned() } else { format!("[{element}]") }
}

fn alternatives_in_words(mut names: Vec<String>) -> String {
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    if names.iter().any(|name| name == "anything") {
        return "anything".to_owned();
    }
    if names.len() > MOST {
        names.truncate(MOST);
        names.push("..".to_owned());
    }
    names.join(" | ")
}

/// The first sentence of a description, on one line.
pub(crate) fn first_sentence(doc: &str) -> String {
    let paragraph = doc.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let end = paragraph.find(". ").unwrap_or(paragraph.len());
    paragraph[..end].trim_end_matches('.').to_owned()
}
