//! What the command line changes: `--set stages.lens.timeout=5m` and `--input 'data/*.txt'`.

use toml::de::{DeTable, DeValue};

use super::{
    faults::Fault,
    source::{Sources, Span},
    tree::{self, Key, Node, Table, Value},
};

/// Name of the sources that stand for `--input`.
pub(super) const INPUT: &str = "--input";

/// Applies `KEY=VALUE`: VALUE is TOML if it can be read as such, a string otherwise.
pub(super) fn set(sources: &mut Sources, root: &mut Table, argument: &str, faults: &mut Vec<Fault>) {
    let equals = end_of_key(argument);
    let name = argument[..equals.unwrap_or(argument.len())].trim();
    let source = sources.add(format!("--set {name}").trim_end(), argument);
    let Some(equals) = equals else {
        let fault = Fault::at("bad-override", sources.whole(source), "an override without `=`");
        faults.push(fault.hint("overrides are written `--set stages.NAME.with.KEY=VALUE`".to_owned()));
        return;
    };
    let Some(keys) = dotted(source_span(sources, source, 0, equals.max(1)), &argument[..equals], faults) else {
        return;
    };
    let raw = &argument[equals + 1..];
    let text = raw.trim();
    let at = equals + 1 + (raw.len() - raw.trim_start().len());
    let place = source_span(sources, source, at, at + text.len());
    let Some(node) = value(place, text, faults) else { return };
    put(root, &keys, node, faults);
}

/// Replaces the patterns of `[input]`; they are relative to the folder that the command runs in.
pub(super) fn input(sources: &mut Sources, root: &mut Table, patterns: &[String], faults: &mut Vec<Fault>) {
    let mut list = Vec::new();
    for pattern in patterns {
        let source = sources.add(INPUT, pattern);
        list.push(Node { span: sources.whole(source), value: Value::String(pattern.clone()) });
    }
    let Some(span) = list.first().map(|node| node.span) else { return };
    match root.0.iter_mut().find(|(key, _)| key.text == "input") {
        Some((_, Node { value: Value::Table(table), .. })) => {
            let key = Key { text: "path".to_owned(), span };
            table.put(key, Node { span, value: Value::List(list) });
        }
        // A wrong `input` is reported where it stands.
        Some(_) => {}
        None => faults.push(
            Fault::at("no-input", span, "`--input` is given, but the pipeline has no `[input]`")
                .hint("add `[input]` with `use = \"files\"`".to_owned()),
        ),
    }
}

/// The first `=` outside of quotes.
fn end_of_key(argument: &str) -> Option<usize> {
    let mut quote = None;
    argument.char_indices().find_map(|(at, char)| {
        match (quote, char) {
            (None, '=') => return Some(at),
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), char) if open == char => quote = None,
            _ => {}
        }
        None
    })
}

fn source_span(sources: &Sources, source: super::source::SourceId, start: usize, end: usize) -> Span {
    Span { start, end, ..sources.whole(source) }
}

/// The keys of `a.b."c d"`, by the rules of TOML.
fn dotted(place: Span, text: &str, faults: &mut Vec<Fault>) -> Option<Vec<Key>> {
    let document = format!("{text}=0");
    let (table, errors) = DeTable::parse_recoverable(&document);
    let odd = text.trim().is_empty() || text.contains('\n') || text.trim_start().starts_with('[');
    if odd || !errors.is_empty() {
        let fault = Fault::at("bad-override", place, "the key of the override is not a dotted key");
        faults.push(fault.hint("overrides are written `--set stages.NAME.with.KEY=VALUE`".to_owned()));
        return None;
    }
    let mut keys = Vec::new();
    let mut table = tree::table(place.source, place.start, table.get_ref(), faults);
    while let Some((key, node)) = table.0.pop() {
        keys.push(key);
        if let Value::Table(inner) = node.value {
            table = inner;
        }
    }
    Some(keys)
}

fn value(place: Span, text: &str, faults: &mut Vec<Fault>) -> Option<Node> {
    let (parsed, errors) = DeValue::parse_recoverable(text);
    if errors.is_empty() && !text.is_empty() {
        return Some(tree::node(place.source, place.start, parsed.span(), parsed.get_ref(), faults));
    }
    // What opens like TOML was meant as TOML.
    if text.starts_with(['[', '{', '"', '\'']) {
        let why = errors.first().map(|error| error.message().to_owned()).unwrap_or_default();
        let at = errors.first().and_then(toml::de::Error::span).map_or(place, |span| place.part(span));
        let fault = Fault::at("bad-override", at, "the value of the override is not TOML").label(why);
        faults.push(fault.hint("to mean a string, put it in quotes: `KEY='\"...\"'`".to_owned()));
        return None;
    }
    Some(Node { span: place, value: Value::String(text.to_owned()) })
}

/// Puts a value into a table, making the tables on the way to it.
fn put(table: &mut Table, keys: &[Key], node: Node, faults: &mut Vec<Fault>) {
    let Some((key, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        table.put(key.clone(), node);
        return;
    }
    if table.get(&key.text).is_none() {
        table.put(key.clone(), Node { span: key.span, value: Value::Table(Table::default()) });
    }
    if let Some((_, inner)) = table.0.iter_mut().find(|(name, _)| name.text == key.text) {
        put_inside(inner, key, rest, node, faults);
    }
}

/// Puts a value into what `key` names. An index into a list is a key like any other: `items.0.title`.
fn put_inside(inner: &mut Node, key: &Key, keys: &[Key], node: Node, faults: &mut Vec<Fault>) {
    let found = inner.type_name();
    let Some((next, rest)) = keys.split_first() else { return };
    match &mut inner.value {
        Value::Table(table) => put(table, keys, node, faults),
        Value::List(list) => {
            let length = list.len();
            match next.text.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
                Some(element) if rest.is_empty() => *element = node,
                Some(element) => put_inside(element, next, rest, node, faults),
                None => {
                    let message = format!("`{}` is no index into `{}`, a list of {length}", next.text, key.text);
                    faults.push(Fault::at("bad-override", next.span, message));
                }
            }
        }
        _ => {
            let message = format!("`{}` is {found}, there is nothing to set inside it", key.text);
            faults.push(Fault::at("bad-override", key.span, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(file: &str, arguments: &[&str]) -> (String, Vec<String>) {
        let mut sources = Sources::default();
        let mut faults = Vec::new();
        let source = sources.add("file", file);
        let (parsed, _) = DeTable::parse_recoverable(file);
        let mut root = tree::table(source, 0, parsed.get_ref(), &mut faults);
        for argument in arguments {
            set(&mut sources, &mut root, argument, &mut faults);
        }
        let span = sources.whole(source);
        let json = Node { span, value: Value::Table(root) }.to_json(&mut faults);
        (json.to_string(), faults.into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn sets_values_of_every_type() {
        let (json, faults) = apply("a = 1", &["a=2", "b.c = x y", "b.d=\"q\"", "b.\"e=f\"=[1, 2]", "g={h=true}", "i="]);
        assert_eq!(json, r#"{"a":2,"b":{"c":"x y","d":"q","e=f":[1,2]},"g":{"h":true},"i":""}"#);
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn reaches_into_lists() {
        let (json, faults) = apply("a = [1, [2, {b = 3}]]", &["a.0=7", "a.1.1.b=8", "a.1.0=9"]);
        assert_eq!(json, r#"{"a":[7,[9,{"b":8}]]}"#);
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        let (json, faults) = apply("a = [1]\nb = 2", &["a", "=1", "a.5=1", "a.x=1", "b.c=1", "b=[1", "[b]=1", "a b=1"]);
        assert_eq!(json, r#"{"a":[1],"b":2}"#);
        assert_eq!(faults.len(), 8, "{faults:?}");
    }
}
