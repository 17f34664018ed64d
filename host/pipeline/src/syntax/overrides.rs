//! What the command line changes: `--set stages.lens.timeout=5m` and `--input 'data/*.txt'`.
//!
//! `--set T={…}` changes the keys of table T that it names, and those of its tables likewise. Where it changes `use`, what
//! configured the extension before means nothing to the new one, so `with` is replaced whole. `--set T:={…}` replaces T.

use toml::de::{DeTable, DeValue};

use super::tree::{self, Key, Node, Table, Value};
use crate::diagnostics::{Fault, SourceId, Sources, Span};

/// Name of the sources that stand for `--input`.
pub(crate) const INPUT: &str = "--input";

/// What a table does to the table that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Override {
    /// `=`: the keys that it names are changed.
    Merge,
    /// `:=`: it is put in its place.
    Replace,
}

/// Applies `KEY=VALUE` or `KEY:=VALUE`: VALUE is TOML if it can be read as such, a string otherwise.
pub(crate) fn set(sources: &mut Sources, root: &mut Table, argument: &str, faults: &mut Vec<Fault>) {
    let equals = end_of_key(argument);
    let before = &argument[..equals.unwrap_or(argument.len())];
    let (before, mut mode) = match before.strip_suffix(':') {
        Some(before) if equals.is_some() => (before, Override::Replace),
        _ => (before, Override::Merge),
    };
    let name = before.trim();
    let source = sources.add(format!("--set {name}").trim_end(), argument);
    let Some(equals) = equals else {
        let fault = Fault::at("bad-override", sources.whole(source), "an override without `=`");
        faults.push(fault.hint("overrides are written `--set stages.NAME.with.KEY=VALUE`".to_owned()));
        return;
    };
    let place = source_span(sources, source, 0, before.len().max(1));
    let Some(keys) = dotted(place, before, faults) else { return };
    let raw = &argument[equals + 1..];
    let text = raw.trim();
    let at = equals + 1 + (raw.len() - raw.trim_start().len());
    let place = source_span(sources, source, at, at + text.len());
    let Some(node) = value(place, text, faults) else { return };
    // `[input]` has no `with`: all its keys belong to its `use`.
    if let [Key { text, .. }] = keys.as_slice()
        && text == "input"
        && root
            .get("input")
            .and_then(Node::as_table)
            .zip(node.as_table())
            .is_some_and(|(input, changes)| changes_use(input, changes))
    {
        mode = Override::Replace;
    }
    put(root, &keys, node, mode, faults);
}

/// Replaces the patterns of `[input]`; they are relative to the folder that the command runs in.
pub(crate) fn input(sources: &mut Sources, root: &mut Table, patterns: &[String], faults: &mut Vec<Fault>) {
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

fn source_span(sources: &Sources, source: SourceId, start: usize, end: usize) -> Span {
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
fn put(table: &mut Table, keys: &[Key], node: Node, mode: Override, faults: &mut Vec<Fault>) {
    let Some((key, rest)) = keys.split_first() else { return };
    let Some((name, inner)) = table.0.iter_mut().find(|(name, _)| name.text == key.text) else {
        let node = match rest {
            [] => node,
            _ => {
                let mut inner = Table::default();
                put(&mut inner, rest, node, mode, faults);
                Node { span: key.span, value: Value::Table(inner) }
            }
        };
        table.put(key.clone(), node);
        return;
    };
    if !rest.is_empty() {
        put_inside(inner, key, rest, node, mode, faults);
    } else if let Some(node) = lay(inner, node, mode) {
        (*name, *inner) = (key.clone(), node);
    }
}

/// Puts a value into what `key` names. An index into a list is a key like any other: `items.0.title`.
fn put_inside(inner: &mut Node, key: &Key, keys: &[Key], node: Node, mode: Override, faults: &mut Vec<Fault>) {
    let found = inner.type_name();
    let Some((next, rest)) = keys.split_first() else { return };
    match &mut inner.value {
        Value::Table(table) => put(table, keys, node, mode, faults),
        Value::List(list) => {
            let length = list.len();
            match next.text.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
                Some(element) if rest.is_empty() => {
                    if let Some(node) = lay(element, node, mode) {
                        *element = node;
                    }
                }
                Some(element) => put_inside(element, next, rest, node, mode, faults),
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

/// Merges a table into the table that is there; gives back what is to take the place of the old value otherwise.
fn lay(there: &mut Node, node: Node, mode: Override) -> Option<Node> {
    match (&mut there.value, node) {
        (Value::Table(table), Node { value: Value::Table(changes), .. }) if mode == Override::Merge => {
            merge(table, changes);
            None
        }
        (_, node) => Some(node),
    }
}

/// Changes the keys that `changes` names; tables in it likewise.
fn merge(table: &mut Table, changes: Table) {
    if changes_use(table, &changes) {
        table.0.retain(|(key, _)| key.text != "with");
    }
    for (key, node) in changes.0 {
        match table.0.iter_mut().find(|(name, _)| name.text == key.text) {
            Some((name, there)) => {
                if let Some(node) = lay(there, node, Override::Merge) {
                    (*name, *there) = (key, node);
                }
            }
            None => table.0.push((key, node)),
        }
    }
}

/// Whether laying `changes` over a table gives it another `use`.
fn changes_use(table: &Table, changes: &Table) -> bool {
    changes.get("use").is_some_and(|new| table.get("use").and_then(Node::as_str) != new.as_str())
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
    fn a_table_changes_the_keys_that_it_names() {
        let file = "[m]\nuse = 'mock'\nprice = { input = 1, output = 2 }\nbudget = { usd = 3 }\n[m.with]\na = 1\nb = 2";
        let merged = |sets: &[&str]| apply(file, sets).0;
        assert_eq!(
            merged(&["m={price={input=5}, cache='c', with={b={c=3}}}"]),
            r#"{"m":{"budget":{"usd":3},"cache":"c","price":{"input":5,"output":2},"use":"mock","with":{"a":1,"b":{"c":3}}}}"#
        );
        // The same `use`, said again, is no other one.
        assert_eq!(
            merged(&["m={use='mock', with={a=7}}"]),
            r#"{"m":{"budget":{"usd":3},"price":{"input":1,"output":2},"use":"mock","with":{"a":7,"b":2}}}"#
        );
    }

    #[test]
    fn another_use_leaves_nothing_of_with() {
        let file =
            "[m]\nuse = 'mock'\nwith = { a = 1 }\nbudget = { usd = 3 }\n[[t]]\nuse = 'x'\nttl = 1\nwith = { b = 2 }";
        let merged = |sets: &[&str]| apply(file, sets).0;
        assert_eq!(
            merged(&["m={use='openai', with={name='n'}}", "t.0={use='y'}"]),
            r#"{"m":{"budget":{"usd":3},"use":"openai","with":{"name":"n"}},"t":[{"ttl":1,"use":"y"}]}"#
        );
        // Through the table above it, too; a list is replaced.
        assert_eq!(merged(&["t=[{use='z'}]", "m.budget={usd=4}"]), merged(&["t:=[{use='z'}]", "m.budget.usd=4"]));
        // One key is one key.
        assert_eq!(apply("m = { use = 'a', with = { b = 1 } }", &["m.use=c"]).0, r#"{"m":{"use":"c","with":{"b":1}}}"#);
    }

    #[test]
    fn a_colon_replaces_the_table() {
        let (json, faults) = apply("m = { a = 1, b = { c = 2 } }\nl = [{ a = 1 }]", &["m:={b={d=1}}", "l.0 := {b=2}"]);
        assert_eq!(json, r#"{"l":[{"b":2}],"m":{"b":{"d":1}}}"#);
        assert!(faults.is_empty(), "{faults:?}");
        // A quoted key may end in a colon, and a value may hold one.
        assert_eq!(apply("", &["'a:'=1", "b=:=2", "c:=x"]).0, r#"{"a:":1,"b":":=2","c":"x"}"#);
    }

    #[test]
    fn the_keys_of_an_input_go_with_its_use() {
        let file = "[input]\nuse = 'inline'\nitems = [1]\nid = 'x'";
        assert_eq!(apply(file, &["input={use='files', path='p'}"]).0, r#"{"input":{"path":"p","use":"files"}}"#);
        assert_eq!(apply(file, &["input={id='y'}"]).0, r#"{"input":{"id":"y","items":[1],"use":"inline"}}"#);
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        let (json, faults) = apply("a = [1]\nb = 2", &["a", "=1", "a.5=1", "a.x=1", "b.c=1", "b=[1", "[b]=1", "a b=1"]);
        assert_eq!(json, r#"{"a":[1],"b":2}"#);
        assert_eq!(faults.len(), 8, "{faults:?}");
    }
}
