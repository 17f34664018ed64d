//! What the command line changes: `--set stages.lens.timeout=5m` and `--input 'data/*.txt'`.
//!
//! `--set T={…}` changes the keys of table T that it names, and those of its tables likewise. Where it changes `use`, what
//! configured the extension before means nothing to the new one, so `with` is replaced whole. `--set T:={…}` replaces T.

use toml::de::{DeTable, DeValue};

use super::tree::{self, Key, Node, Table, Value};
use crate::diagnostics::{Diagnostic, SourceId, Sources, Span};

/// Name of the sources that stand for `--input`.
pub(crate) const INPUT: &str = "--input";

/// What a table does to the table that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Override {
    /// `=`: the keys that it names are changed.
    Merge,
    /// `:=`: it replaces the table.
    Replace,
}

/// Applies `KEY=VALUE` or `KEY:=VALUE`: VALUE is TOML if it can be read as such, a string otherwise.
pub(crate) fn set(sources: &mut Sources, root: &mut Table, argument: &str, diagnostics: &mut Vec<Diagnostic>) {
    let equals = end_of_key(argument);
    let before = &argument[..equals.unwrap_or(argument.len())];
    let (before, mut mode) = match before.strip_suffix(':') {
        Some(before) if equals.is_some() => (before, Override::Replace),
        _ => (before, Override::Merge),
    };
    let name = before.trim();
    let source = sources.add(format!("--set {name}").trim_end(), argument);
    let Some(equals) = equals else {
        let diagnostic = Diagnostic::at("bad-override", sources.whole(source), "an override without `=`");
        diagnostics.push(diagnostic.hint("overrides are written `--set stages.NAME.with.KEY=VALUE`".to_owned()));
        return;
    };
    let span = span_in(sources, source, 0, before.len().max(1));
    let Some(keys) = parse_dotted_key(span, before, diagnostics) else { return };
    let raw = &argument[equals + 1..];
    let text = raw.trim();
    let at = equals + 1 + (raw.len() - raw.trim_start().len());
    let span = span_in(sources, source, at, at + text.len());
    let Some(node) = value(span, text, diagnostics) else { return };
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
    set_at_path(root, &keys, node, mode, diagnostics);
}

/// Replaces the patterns of `[input]`; they are relative to the folder that the command runs in.
pub(crate) fn input(sources: &mut Sources, root: &mut Table, patterns: &[String], diagnostics: &mut Vec<Diagnostic>) {
    let mut list = Vec::new();
    for pattern in patterns {
        let source = sources.add(INPUT, pattern);
        list.push(Node { span: sources.whole(source), value: Value::String(pattern.clone()) });
    }
    let Some(span) = list.first().map(|node| node.span) else { return };
    match root.0.iter_mut().find(|(key, _)| key.text == "input") {
        Some((_, Node { value: Value::Table(table), .. })) => {
            let key = Key { text: "path".to_owned(), span };
            table.insert(key, Node { span, value: Value::List(list) });
        }
        // A wrong `input` is reported where it is written.
        Some(_) => {}
        None => diagnostics.push(
            Diagnostic::at("no-input", span, "`--input` is given, but the pipeline has no `[input]`")
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

fn span_in(sources: &Sources, source: SourceId, start: usize, end: usize) -> Span {
    Span { start, end, ..sources.whole(source) }
}

/// The keys of `a.b."c d"`, by the rules of TOML.
fn parse_dotted_key(span: Span, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Vec<Key>> {
    let document = format!("{text}=0");
    let (table, errors) = DeTable::parse_recoverable(&document);
    let is_not_a_key = text.trim().is_empty() || text.contains('\n') || text.trim_start().starts_with('[');
    if is_not_a_key || !errors.is_empty() {
        let diagnostic = Diagnostic::at("bad-override", span, "the key of the override is not a dotted key");
        diagnostics.push(diagnostic.hint("overrides are written `--set stages.NAME.with.KEY=VALUE`".to_owned()));
        return None;
    }
    let mut keys = Vec::new();
    let mut table = tree::table(span.source, span.start, table.get_ref(), diagnostics);
    while let Some((key, node)) = table.0.pop() {
        keys.push(key);
        if let Value::Table(inner) = node.value {
            table = inner;
        }
    }
    Some(keys)
}

fn value(span: Span, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    let (parsed, errors) = DeValue::parse_recoverable(text);
    if errors.is_empty() && !text.is_empty() {
        return Some(tree::node(span.source, span.start, parsed.span(), parsed.get_ref(), diagnostics));
    }
    // A text that starts like a TOML value was meant as TOML.
    if text.starts_with(['[', '{', '"', '\'']) {
        let why = errors.first().map(|error| error.message().to_owned()).unwrap_or_default();
        let at = errors.first().and_then(toml::de::Error::span).map_or(span, |range| span.part(range));
        let diagnostic = Diagnostic::at("bad-override", at, "the value of the override is not TOML").label(why);
        diagnostics.push(diagnostic.hint("to mean a string, put it in quotes: `KEY='\"...\"'`".to_owned()));
        return None;
    }
    Some(Node { span, value: Value::String(text.to_owned()) })
}

/// Sets the value at a path of keys, making the tables on the path.
fn set_at_path(table: &mut Table, keys: &[Key], node: Node, mode: Override, diagnostics: &mut Vec<Diagnostic>) {
    let Some((key, rest)) = keys.split_first() else { return };
    let Some((name, inner)) = table.0.iter_mut().find(|(name, _)| name.text == key.text) else {
        let node = match rest {
            [] => node,
            _ => {
                let mut inner = Table::default();
                set_at_path(&mut inner, rest, node, mode, diagnostics);
                Node { span: key.span, value: Value::Table(inner) }
            }
        };
        table.insert(key.clone(), node);
        return;
    };
    if !rest.is_empty() {
        set_inside(inner, key, rest, node, mode, diagnostics);
    } else if let Some(node) = merge_or_replace(inner, node, mode) {
        (*name, *inner) = (key.clone(), node);
    }
}

/// Sets a value inside what `key` names. An index into a list is a key like any other: `items.0.title`.
fn set_inside(
    inner: &mut Node,
    key: &Key,
    keys: &[Key],
    node: Node,
    mode: Override,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let found = inner.type_name();
    let Some((next, rest)) = keys.split_first() else { return };
    match &mut inner.value {
        Value::Table(table) => set_at_path(table, keys, node, mode, diagnostics),
        Value::List(list) => {
            let length = list.len();
            match next.text.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
                Some(element) if rest.is_empty() => {
                    if let Some(node) = merge_or_replace(element, node, mode) {
                        *element = node;
                    }
                }
                Some(element) => set_inside(element, next, rest, node, mode, diagnostics),
                None => {
                    let message = format!("`{}` is not an index into `{}`, a list of {length}", next.text, key.text);
                    diagnostics.push(Diagnostic::at("bad-override", next.span, message));
                }
            }
        }
        _ => {
            let message = format!("`{}` is {found}, and nothing can be set inside it", key.text);
            diagnostics.push(Diagnostic::at("bad-override", key.span, message));
        }
    }
}

/// Merges a table into the table that is there; otherwise gives back the value that is to replace the old one.
fn merge_or_replace(existing: &mut Node, node: Node, mode: Override) -> Option<Node> {
    match (&mut existing.value, node) {
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
            Some((name, existing)) => {
                if let Some(node) = merge_or_replace(existing, node, Override::Merge) {
                    (*name, *existing) = (key, node);
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
        let mut diagnostics = Vec::new();
        let source = sources.add("file", file);
        let (parsed, _) = DeTable::parse_recoverable(file);
        let mut root = tree::table(source, 0, parsed.get_ref(), &mut diagnostics);
        for argument in arguments {
            set(&mut sources, &mut root, argument, &mut diagnostics);
        }
        let span = sources.whole(source);
        let json = Node { span, value: Value::Table(root) }.to_json(&mut diagnostics);
        (json.to_string(), diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect())
    }

    #[test]
    fn sets_values_of_every_type() {
        let (json, diagnostics) =
            apply("a = 1", &["a=2", "b.c = x y", "b.d=\"q\"", "b.\"e=f\"=[1, 2]", "g={h=true}", "i="]);
        assert_eq!(json, r#"{"a":2,"b":{"c":"x y","d":"q","e=f":[1,2]},"g":{"h":true},"i":""}"#);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
    }

    #[test]
    fn reaches_into_lists() {
        let (json, diagnostics) = apply("a = [1, [2, {b = 3}]]", &["a.0=7", "a.1.1.b=8", "a.1.0=9"]);
        assert_eq!(json, r#"{"a":[7,[9,{"b":8}]]}"#);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
    }

    #[test]
    fn a_table_changes_the_keys_that_it_names() {
        let file = "[m]\nuse = 'mock'\nprice = { input = 1, output = 2 }\nbudget = { usd = 3 }\n[m.with]\na = 1\nb = 2";
        let merged = |sets: &[&str]| apply(file, sets).0;
        assert_eq!(
            merged(&["m={price={input=5}, cache='c', with={b={c=3}}}"]),
            r#"{"m":{"budget":{"usd":3},"cache":"c","price":{"input":5,"output":2},"use":"mock","with":{"a":1,"b":{"c":3}}}}"#
        );
        // The same `use`, given again, does not change the extension.
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
        let (json, diagnostics) =
            apply("m = { a = 1, b = { c = 2 } }\nl = [{ a = 1 }]", &["m:={b={d=1}}", "l.0 := {b=2}"]);
        assert_eq!(json, r#"{"l":[{"b":2}],"m":{"b":{"d":1}}}"#);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
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
        let (json, diagnostics) =
            apply("a = [1]\nb = 2", &["a", "=1", "a.5=1", "a.x=1", "b.c=1", "b=[1", "[b]=1", "a b=1"]);
        assert_eq!(json, r#"{"a":[1],"b":2}"#);
        assert_eq!(diagnostics.len(), 8, "{diagnostics:?}");
    }
}
