//! Parameters: the values of `[params]` replace `${name}` in strings, so that one override changes every use.

use super::{
    tree::{Node, Table, Value},
    variables::{Variables, is_variable},
};
use crate::{
    diagnostics::{Diagnostic, Span, suggest},
    step::Step,
};

/// Puts parameters into the strings of a pipeline that has any; elsewhere `${` is text like any other.
///
/// A string that is nothing but one reference becomes the value, of whatever type it is. `$${` stands for `${`.
///
/// The variables of the environment learn which keys they reach. The spans of strings whose references could not be replaced
/// come back: what else is wrong with those is not worth a word. `referenced` are the parameters that the file refers to, also
/// where the command line has put something else.
pub(crate) fn fill(
    root: &mut Table,
    referenced: &[String],
    variables: &mut Variables,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Span> {
    let Some(table) = root.get("params").and_then(Node::as_table).cloned() else { return Vec::new() };
    let mut filler = ParameterFiller {
        table: &table,
        used: table.0.iter().map(|(key, _)| referenced.contains(&key.text)).collect(),
        path: Vec::new(),
        variables,
        unfilled: Vec::new(),
        diagnostics,
    };
    for (key, node) in &mut root.0 {
        if key.text != "params" {
            filler.inside(Step::Field(key.text.clone()), node);
        }
    }
    let ParameterFiller { used, unfilled, .. } = filler;
    let unused = table.0.iter().zip(&used).filter(|(_, used)| !**used);
    for ((key, _), _) in unused {
        let others = table.0.iter().zip(&used).filter(|(_, used)| **used).map(|((key, _), _)| key.text.as_str());
        let diagnostic =
            Diagnostic::at("unused-param", key.span, format!("no string refers to the parameter `{}`", key.text));
        let usual_hint = format!("write `${{{}}}` where its value belongs", key.text);
        diagnostics.push(
            diagnostic.hint(suggest::hint_for(&key.text, "parameters that are used", others).unwrap_or(usual_hint)),
        );
    }
    unfilled
}

/// The parameters that strings refer to.
pub(crate) fn referenced(root: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (_, node) in root.0.iter().filter(|(key, _)| key.text != "params") {
        node.each_string(&mut |text| {
            for piece in pieces(text).into_iter().flatten() {
                if let Piece::Reference(name) = piece {
                    found.push(name.to_owned());
                }
            }
        });
    }
    found
}

/// A piece of a string.
enum Piece<'a> {
    Text(&'a str),
    Reference(&'a str),
}

struct ParameterFiller<'a> {
    table: &'a Table,
    used: Vec<bool>,
    /// The keys on the way to the node that is looked at.
    path: Vec<Step>,
    variables: &'a mut Variables,
    unfilled: Vec<Span>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl ParameterFiller<'_> {
    fn inside(&mut self, step: Step, node: &mut Node) {
        self.path.push(step);
        self.node(node);
        self.path.pop();
    }

    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::String(text) if text.contains("${") => {
                let text = std::mem::take(text);
                node.value = self.string(&text, node).unwrap_or_else(|| {
                    self.unfilled.push(node.span);
                    Value::String(text)
                });
            }
            Value::List(list) => {
                list.iter_mut().enumerate().for_each(|(index, node)| self.inside(Step::Index(index), node));
            }
            Value::Table(table) => {
                table.0.iter_mut().for_each(|(key, node)| self.inside(Step::Field(key.text.clone()), node));
            }
            _ => {}
        }
    }

    /// The string with its references replaced; none if a reference cannot be replaced, which is reported.
    fn string(&mut self, text: &str, node: &Node) -> Option<Value> {
        let Some(pieces) = pieces(text) else {
            let diagnostic = Diagnostic::at("bad-param", node.span, "a `${` is not closed");
            self.diagnostics
                .push(diagnostic.hint("write `${name}` for a parameter, and `$${` for the characters `${`".to_owned()));
            return None;
        };
        if let [Piece::Reference(name)] = pieces.as_slice() {
            return self.value(name, node);
        }
        let (mut filled, mut is_whole) = (String::new(), true);
        for piece in pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Reference(name) => match self.value(name, node).and_then(|value| value.text_of_scalar()) {
                    Some(text) => filled.push_str(&text),
                    // That there is none, or that its shape is wrong, is already reported.
                    None => is_whole = false,
                },
            }
        }
        is_whole.then_some(Value::String(filled))
    }

    fn value(&mut self, name: &str, node: &Node) -> Option<Value> {
        if is_variable(name) {
            // That it may not stand here is already reported.
            return None;
        }
        let found = self.table.0.iter().position(|(key, _)| key.text == name);
        let Some(found) = found else {
            let known = || self.table.0.iter().map(|(key, _)| key.text.as_str());
            // The parameter that was probably meant is not also reported as unused.
            if let Some(near) = suggest::nearest(name, known()) {
                known().zip(&mut self.used).filter(|(key, _)| *key == near).for_each(|(_, used)| *used = true);
            }
            let diagnostic = Diagnostic::at("unknown-param", node.span, format!("there is no parameter `{name}`"));
            let usual_hint = suggest::hint_for(name, "parameters of `[params]`", known());
            self.diagnostics
                .push(diagnostic.hint(usual_hint.unwrap_or_else(|| format!("add `{name} = …` to `[params]`"))));
            return None;
        };
        self.used[found] = true;
        let place: String = self.path.iter().map(Step::to_string).collect();
        let place = place.trim_start_matches('.');
        for variable in
            self.variables.found.iter_mut().filter(|variable| variable.parameters.iter().any(|one| one == name))
        {
            if variable.used_by.last().is_none_or(|last| last != place) {
                variable.used_by.push(place.to_owned());
            }
        }
        let value = &self.table.0[found].1.value;
        // A variable that has no value is reported where it is named.
        (!self.variables.without_value.iter().any(|one| one == name)).then(|| value.clone())
    }
}

/// Text and references in turn; none if a reference is not closed.
fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let before = &rest[..at];
        if let Some(before) = before.strip_suffix('$') {
            pieces.extend([Piece::Text(before), Piece::Text("${")]);
            rest = &rest[at + 2..];
            continue;
        }
        let close = at + rest[at..].find('}')?;
        // The host puts a secret in where it sends it: its name stays.
        if rest[at + 2..close].trim_start().starts_with("secret:") {
            pieces.push(Piece::Text(&rest[..=close]));
            rest = &rest[close + 1..];
            continue;
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Reference(rest[at + 2..close].trim()));
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::de::DeTable;

    use super::*;
    use crate::{diagnostics::Sources, syntax::tree};

    fn filled(file: &str) -> (serde_json::Value, Vec<String>) {
        let mut sources = Sources::default();
        let mut diagnostics = Vec::new();
        let source = sources.add("file", file);
        let (parsed, _) = DeTable::parse_recoverable(file);
        let mut root = tree::table(source, 0, parsed.get_ref(), &mut diagnostics);
        fill(&mut root, &[], &mut Variables::default(), &mut diagnostics);
        root.0.retain(|(key, _)| key.text != "params");
        let json = Node { span: sources.whole(source), value: Value::Table(root) }.to_json(&mut diagnostics);
        (json, diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect())
    }

    #[test]
    fn references_become_values_wherever_strings_are() {
        let file = "a = '${dir}/x'\nb = [{ c = '${n}' }, '${n}${n} of ${ flag }', '$${dir}']\n\
                    [params]\ndir = 'data'\nn = 7\nflag = true";
        let (json, diagnostics) = filled(file);
        assert_eq!(json, serde_json::json!({ "a": "data/x", "b": [{ "c": 7 }, "77 of true", "${dir}"] }));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
    }

    #[test]
    fn the_name_of_a_secret_stays() {
        let (json, diagnostics) = filled("a = 'Bearer ${secret:SOME_KEY} ${n}'\n[params]\nn = 1");
        assert_eq!(json["a"], "Bearer ${secret:SOME_KEY} 1");
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
    }

    #[test]
    fn without_parameters_nothing_is_a_reference() {
        let (json, diagnostics) = filled("a = '${dir} ${'");
        assert_eq!((json["a"].as_str(), diagnostics.len()), (Some("${dir} ${"), 0));
    }

    #[test]
    fn unknown_and_unused_parameters_are_reported() {
        let (_, diagnostics) =
            filled("a = '${dri}'\nb = '${open'\nc = '${used}'\n[params]\ndir = 'x'\nused = 1\nother = 2");
        assert_eq!(
            diagnostics,
            ["there is no parameter `dri`", "a `${` is not closed", "no string refers to the parameter `other`"]
        );
    }

    #[test]
    fn a_parameter_whose_use_was_overridden_is_not_unused() {
        let mut sources = Sources::default();
        let mut diagnostics = Vec::new();
        let file = "a = '${n}'\n[params]\nn = 1\nm = 2";
        let source = sources.add("file", file);
        let (parsed, _) = DeTable::parse_recoverable(file);
        let mut root = tree::table(source, 0, parsed.get_ref(), &mut diagnostics);
        let referenced = referenced(&root);
        root.0[0].1.value = Value::Integer(5);
        fill(&mut root, &referenced, &mut Variables::default(), &mut diagnostics);
        let messages: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        assert_eq!(messages, ["no string refers to the parameter `m`"]);
    }

    proptest! {
        #[test]
        fn a_string_with_every_reference_escaped_is_itself(text in "[a${} ]{0,24}") {
            // `$` before `${` would read as an escape of its own.
            prop_assume!(!text.contains("$${"));
            let escaped = text.replace("${", "$${");
            let table = Table::default();
            let mut diagnostics = Vec::new();
            let mut filler = ParameterFiller {
                table: &table,
                used: Vec::new(),
                path: Vec::new(),
                variables: &mut Variables::default(),
                unfilled: Vec::new(),
                diagnostics: &mut diagnostics,
            };
            let source = Sources::default().add("x", "");
            let node = tree::Node {
                span: crate::diagnostics::Span { source, start: 0, end: 0 },
                value: Value::Boolean(true),
            };
            prop_assert_eq!(filler.string(&escaped, &node), Some(Value::String(text)));
        }
    }
}
