//! Variables of the environment: in the values of `[params]`, and nowhere else, `${env:NAME:-default}` stands for one.
//!
//! So a reader finds at the top of a file all that it takes from outside. The type follows the default: with a number, the value
//! has to be a number too, and a default in single quotes is a text. Without a default, a value that reads as a number or a
//! truth value is one.

use std::{ffi::OsString, ops::Range};

use super::{
    tree::{Node, Table, Value},
    wire::span_within,
};
use crate::{
    diagnostics::{Diagnostic, Sources, Span},
    plan::EnvironmentVariable,
};
use jackfield_loader::{escape_untrusted, is_secret_name, secret_ranges};

/// What the environment says of a name.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The last words of names whose values are taken for secrets, besides those that [`is_secret_name`] knows.
const SECRET_ENDINGS: [&str; 4] = ["KEY", "TOKEN", "SECRET", "PASSWORD"];

/// The most characters of a value in a message.
const MOST_CHARS: usize = 60;

/// What the values of `[params]` were filled with.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    pub(crate) found: Vec<EnvironmentVariable>,
    /// The parameters that have no value, since a variable has none; that is reported.
    pub(crate) without_value: Vec<String>,
}

/// Puts variables into the values of `[params]`. Elsewhere a reference to one is a fault.
pub(crate) fn fill(
    sources: &Sources,
    environment: Environment<'_>,
    root: &mut Table,
    diagnostics: &mut Vec<Diagnostic>,
) -> Variables {
    let has_params = root.get("params").and_then(Node::as_table).is_some();
    let mut filler = VariableFiller { sources, environment, diagnostics, found: Variables::default(), has_params };
    for (key, node) in &mut root.0 {
        match &mut node.value {
            Value::Table(params) if key.text == "params" => {
                for (name, node) in &mut params.0 {
                    filler.parameter(&name.text, node);
                }
            }
            _ => filler.outside(node),
        }
    }
    filler.found
}

/// Whether what stands in `${…}` is a variable of the environment.
pub(super) fn is_variable(reference: &str) -> bool {
    reference.trim_start().starts_with(PREFIX)
}

const PREFIX: &str = "env:";

/// A piece of a string.
enum Piece<'a> {
    Text(&'a str),
    /// What stands between `env:` and `}`, and the range of the whole.
    Variable(&'a str, Range<usize>),
    /// A `${env:` without its `}`.
    Open(Range<usize>),
}

/// A reference, read.
struct Reference<'a> {
    name: &'a str,
    default: Option<Default<'a>>,
}

struct Default<'a> {
    text: &'a str,
    is_quoted: bool,
}

struct VariableFiller<'a> {
    sources: &'a Sources,
    environment: Environment<'a>,
    diagnostics: &'a mut Vec<Diagnostic>,
    found: Variables,
    has_params: bool,
}

impl VariableFiller<'_> {
    fn parameter(&mut self, parameter: &str, node: &mut Node) {
        let Some(text) = node.as_str().filter(|text| text.contains("${")).map(str::to_owned) else { return };
        let pieces = pieces(&text);
        let (sources, whole) = (self.sources, node.span);
        let at = |range: Range<usize>| span_within(sources, whole, &text, range);
        if let [Piece::Variable(inner, range)] = pieces.as_slice() {
            match self.value(inner, at(range.clone()), parameter) {
                Some(value) => node.value = value,
                None => self.found.without_value.push(parameter.to_owned()),
            }
            return;
        }
        let mut filled = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Open(range) => {
                    let span = at(range);
                    let hint = "write `${env:NAME:-default}` for a variable, and `$${env:` for the characters `${env:`";
                    self.report(Diagnostic::at("bad-variable", span, "a `${env:` is not closed").hint(hint.to_owned()));
                    self.found.without_value.push(parameter.to_owned());
                }
                // Inside of a text it is text, as it is written.
                Piece::Variable(inner, range) => {
                    match self.value(inner, at(range), parameter).and_then(|value| value.text_of_scalar()) {
                        Some(text) => filled.push_str(&text),
                        None => self.found.without_value.push(parameter.to_owned()),
                    }
                }
            }
        }
        node.value = Value::String(filled);
    }

    /// The value of a variable; none if there is none, which is reported.
    fn value(&mut self, inner: &str, span: Span, parameter: &str) -> Option<Value> {
        let reference = match reference(inner) {
            Ok(reference) => reference,
            Err((message, hint)) => {
                self.report(Diagnostic::at("bad-variable", span, message).hint(hint));
                return None;
            }
        };
        let Reference { name, default } = reference;
        if is_secret(name) {
            let message = format!("the variable `{name}` may hold a secret, and a pipeline is kept with its runs");
            let hint = format!("where a model needs it, give it the name of the variable: `api_key_env = \"{name}\"`");
            self.report(Diagnostic::at("secret-variable", span, message).hint(hint));
            return None;
        }
        let given = match (self.environment)(name).map(OsString::into_string) {
            Some(Ok(text)) if text.is_empty() => None,
            Some(Ok(text)) => Some(text),
            Some(Err(_)) => {
                let message = format!("the value of the variable `{name}` is not UTF-8");
                self.report(Diagnostic::at("bad-variable", span, message));
                return None;
            }
            None => None,
        };
        if given.as_deref().is_some_and(|text| !secret_ranges(text).is_empty()) {
            let message =
                format!("the value of the variable `{name}` looks like a secret, and a pipeline is kept with its runs");
            let hint = "a model's key is given by the name of its variable, as `api_key_env`; an address without a password or a key"
                .to_owned();
            self.report(Diagnostic::at("secret-variable", span, message).hint(hint));
            return None;
        }
        let default_text = default.as_ref().map_or("", |default| default.text);
        let default_value = default.as_ref().map(|default| match default.is_quoted {
            true => Value::String(default.text.to_owned()),
            false => scalar(default.text),
        });
        let value = match (&given, &default_value) {
            (None, None) => {
                let is_empty = (self.environment)(name).is_some();
                let what = if is_empty { "is empty" } else { "is not set" };
                let message = format!("the variable `{name}` {what}, and has no default");
                let hint = format!("set it, or write a default: `${{env:{name}:-...}}`");
                self.report(Diagnostic::at("no-variable", span, message).label(what).hint(hint));
                return None;
            }
            (None, Some(default)) => default.clone(),
            (Some(text), None) => scalar(text.trim()),
            (Some(text), Some(Value::String(_))) => Value::String(text.clone()),
            (Some(text), Some(default)) => {
                let value = scalar(text.trim());
                if class(&value) != class(default) {
                    let expected = class(default);
                    let shown: String = text.chars().take(MOST_CHARS).collect();
                    let cut = if text.chars().count() > MOST_CHARS { "…" } else { "" };
                    let shown = escape_untrusted(&shown);
                    let message =
                        format!("the variable `{name}` is `{shown}{cut}`, expected {expected} as its default is");
                    // One in quotes is a text, and has been dealt with.
                    let hint = format!(
                        "where it is meant to be a text, put the default in quotes: `${{env:{name}:-'{default_text}'}}`"
                    );
                    self.report(Diagnostic::at("bad-variable", span, message).hint(hint));
                    return None;
                }
                value
            }
        };
        let json = |value: &Value| Node { span, value: value.clone() }.to_json(&mut Vec::new());
        self.note(EnvironmentVariable {
            name: name.to_owned(),
            value: json(&value),
            is_set: given.is_some(),
            default: default_value.as_ref().map(json),
            parameters: vec![parameter.to_owned()],
            used_by: Vec::new(),
        });
        Some(value)
    }

    /// A variable that several parameters name is one.
    fn note(&mut self, variable: EnvironmentVariable) {
        let same = |known: &&mut EnvironmentVariable| {
            (&known.name, &known.value, &known.default) == (&variable.name, &variable.value, &variable.default)
        };
        match self.found.found.iter_mut().find(same) {
            Some(known) if known.parameters.ends_with(&variable.parameters) => {}
            Some(known) => known.parameters.extend(variable.parameters),
            None => self.found.found.push(variable),
        }
    }

    /// Reports references where there may be none.
    fn outside(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::List(list) => list.iter_mut().for_each(|node| self.outside(node)),
            Value::Table(table) => table.0.iter_mut().for_each(|(_, node)| self.outside(node)),
            Value::String(text) if text.contains("${") => {
                let found = pieces(text);
                for piece in &found {
                    let Piece::Variable(inner, range) = piece else { continue };
                    // In a pipeline without parameters, `${` is a text like any other, as far as it can be.
                    let Ok(Reference { name, .. }) = reference(inner) else { continue };
                    let span = span_within(self.sources, node.span, text, range.clone());
                    let parameter = name.to_ascii_lowercase();
                    let written = text[range.clone()].replace('"', "\\\"");
                    let message = "a variable of the environment outside of `[params]`".to_owned();
                    let hint = format!(
                        "write `{parameter} = \"{written}\"` in `[params]`, and `${{{parameter}}}` here; for the characters themselves, write `$${{env:`"
                    );
                    self.diagnostics.push(Diagnostic::at("variable-outside", span, message).hint(hint));
                }
                // With parameters, the pass that fills them in takes the escapes away.
                if !self.has_params {
                    let escaped = found.iter().any(|piece| matches!(piece, Piece::Text(text) if *text == ESCAPED));
                    if escaped && found.iter().all(|piece| matches!(piece, Piece::Text(_))) {
                        let parts = found.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "" });
                        let plain: String = parts.collect();
                        *text = plain;
                    }
                }
            }
            _ => {}
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// What an escape stands for.
const ESCAPED: &str = "${env:";

/// Text and variables in turn. What else begins with `${` is text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = text[at..].find("${") {
        let start = at + found;
        at = start + 2;
        let rest = &text[at..];
        if !is_variable(rest) {
            continue;
        }
        let after = at + (rest.len() - rest.trim_start().len()) + PREFIX.len();
        if text[..start].ends_with('$') && start > from {
            if start - 1 > from {
                pieces.push(Piece::Text(&text[from..start - 1]));
            }
            pieces.push(Piece::Text(ESCAPED));
            (from, at) = (after, after);
            continue;
        }
        if start > from {
            pieces.push(Piece::Text(&text[from..start]));
        }
        let Some(close) = text[after..].find('}') else {
            pieces.push(Piece::Open(start..text.len()));
            return pieces;
        };
        let end = after + close;
        pieces.push(Piece::Variable(text[after..end].trim(), start..end + 1));
        (from, at) = (end + 1, end + 1);
    }
    if from < text.len() {
        pieces.push(Piece::Text(&text[from..]));
    }
    pieces
}

/// Reads what stands between `env:` and `}`: `NAME`, or `NAME:-default`.
fn reference(inner: &str) -> Result<Reference<'_>, (String, String)> {
    let hint = || "write `${env:NAME}`, or `${env:NAME:-default}`".to_owned();
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name.trim(), Some(default.trim())),
        None => (inner.trim(), None),
    };
    let is_name = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    if !is_name {
        let message = match name.split_once([':', '-', '=', '?']) {
            Some(_) if default.is_none() => format!("`{}` has no default that can be read", escape_untrusted(name)),
            _ if name.is_empty() => "a variable without a name".to_owned(),
            _ => format!("`{}` is not the name of a variable: letters, digits and `_`", escape_untrusted(name)),
        };
        return Err((message, hint()));
    }
    let default = default.map(|text| {
        let quoted = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        Default { text: quoted.unwrap_or(text), is_quoted: quoted.is_some() }
    });
    Ok(Reference { name, default })
}

/// A text as the number or the truth value that it reads as; `007` is a text, as are `inf` and `0x10`.
fn scalar(text: &str) -> Value {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let has_leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let is_numeric = digits.starts_with(|char: char| char.is_ascii_digit()) && !has_leading_zero;
    match text {
        "true" => return Value::Boolean(true),
        "false" => return Value::Boolean(false),
        _ if !is_numeric => {}
        _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            // Beyond what TOML allows, it is a text.
            if let Some(value) =
                text.parse().ok().filter(|value| i64::try_from(*value).is_ok() || u64::try_from(*value).is_ok())
            {
                return Value::Integer(value);
            }
        }
        _ if digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) && !text.ends_with('.') => {
            if let Some(value) = text.parse().ok().filter(|value: &f64| value.is_finite()) {
                return Value::Float(value);
            }
        }
        _ => {}
    }
    Value::String(text.to_owned())
}

/// What values may stand for one another, with the article.
fn class(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "`true` or `false`",
        _ => "a text",
    }
}

/// Whether a variable of this name is taken for a secret.
fn is_secret(name: &str) -> bool {
    let last = name.rsplit('_').find(|word| !word.is_empty()).unwrap_or_default();
    is_secret_name(name) || SECRET_ENDINGS.iter().any(|ending| last.to_ascii_uppercase().ends_with(ending))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;
    use toml::de::DeTable;

    use super::*;
    use crate::syntax::{params, tree};

    struct Filled {
        json: Json,
        variables: Vec<EnvironmentVariable>,
        faults: Vec<String>,
    }

    fn filled_with(file: &str, environment: Environment<'_>) -> Filled {
        let mut sources = Sources::default();
        let mut diagnostics = Vec::new();
        let source = sources.add("file", file);
        let (parsed, _) = DeTable::parse_recoverable(file);
        let mut root = tree::table(source, 0, parsed.get_ref(), &mut diagnostics);
        let mut variables = fill(&sources, environment, &mut root, &mut diagnostics);
        params::fill(&mut root, &[], &mut variables, &mut diagnostics);
        let json = Node { span: sources.whole(source), value: Value::Table(root) }.to_json(&mut diagnostics);
        Filled {
            json,
            variables: variables.found,
            faults: diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect(),
        }
    }

    fn filled(file: &str, set: &[(&str, &str)]) -> Filled {
        filled_with(file, &|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn a_variable_has_the_type_of_its_default() {
        let file = "a = ['${n}', { x = '${n} of ${s}' }, '${f}', '${b}', '${s}', '${u}']\n[params]\n\
                    n = '${env:N:-5000}'\nf = '${ env:F :- 1.5 }'\nb = '${env:B:-false}'\ns = '${env:S:-07}'\n\
                    u = 'http://${env:HOST:-localhost}:${env:N:-5000}/v1'";
        let of = |set: &[(&str, &str)]| {
            let Filled { json, faults, .. } = filled(file, set);
            assert!(faults.is_empty(), "{faults:?}");
            json["a"].clone()
        };
        assert_eq!(
            of(&[]),
            serde_json::json!([5000, { "x": "5000 of 07" }, 1.5, false, "07", "http://localhost:5000/v1"])
        );
        assert_eq!(
            of(&[("N", " 12 "), ("F", "2"), ("B", "true"), ("S", "12"), ("HOST", "h${n}")]),
            serde_json::json!([12, { "x": "12 of 12" }, 2, true, "12", "http://h${n}:12/v1"]),
            "what a variable holds is no reference"
        );
        // An empty variable is one that is not set.
        assert_eq!(of(&[("N", ""), ("S", "")])[0], 5000);
    }

    #[test]
    fn without_a_default_a_value_is_what_it_reads_as() {
        let file = "a = '${x}'\n[params]\nx = '${env:X}'";
        let of = |value: &str| filled(file, &[("X", value)]).json["a"].clone();
        assert_eq!(of("12"), 12);
        assert_eq!(of("-1.5e3"), -1500.0);
        assert_eq!(of("true"), true);
        for text in ["007", "1.", "inf", "0x10", "1_000", "99999999999999999999", "1e999", "-", "True", "a b", "--1"] {
            assert_eq!(of(text), text);
        }
        let quoted = "a = '${x}'\n[params]\nx = \"${env:X:-'12'}\"";
        assert_eq!(filled(quoted, &[]).json["a"], "12");
        assert_eq!(filled(quoted, &[("X", "13")]).json["a"], "13");
    }

    #[test]
    fn variables_are_listed_with_their_values_and_the_keys_that_they_reach() {
        let file = "[params]\nn = '${env:N:-1}'\nm = '${env:N:-1}'\nt = '${env:T}'\n[stages.\"a b\"]\nwith = { x = ['${n}', '${m}'] }\n\
                    [pipeline]\nname = '${t}-${n}'";
        let Filled { variables, faults, .. } = filled(file, &[("T", "x")]);
        assert!(faults.is_empty(), "{faults:?}");
        let shown: Vec<_> = variables.iter().map(|one| (one.name.as_str(), one.is_set, one.value.clone())).collect();
        assert_eq!(shown, [("N", false, Json::from(1)), ("T", true, Json::from("x"))]);
        assert_eq!(variables[0].parameters, ["n", "m"]);
        assert_eq!(variables[0].used_by, ["stages[\"a b\"].with.x[0]", "stages[\"a b\"].with.x[1]", "pipeline.name"]);
        assert_eq!(variables[1].used_by, ["pipeline.name"]);
    }

    #[test]
    fn what_cannot_be_read_is_reported_once() {
        let file = "a = '${n}${t}${k}${e}${o}${w}${z}'\n[params]\nn = '${env:N:-1}'\nt = '${env:T}'\nk = '${env:API_KEY:-x}'\n\
                    e = '${env:E}'\no = '${env:O'\nw = '${env:W:5}'\nz = '${env:Z:-1}'";
        let Filled { faults, .. } =
            filled(file, &[("N", "many"), ("E", ""), ("Z", "sk-proj-0a1B2c3D4e5F6g7H"), ("API_KEY", "s3")]);
        assert_eq!(
            faults,
            [
                "the variable `N` is `many`, expected a number as its default is",
                "the variable `T` is not set, and has no default",
                "the variable `API_KEY` may hold a secret, and a pipeline is kept with its runs",
                "the variable `E` is empty, and has no default",
                "a `${env:` is not closed",
                "`W:5` has no default that can be read",
                "the value of the variable `Z` looks like a secret, and a pipeline is kept with its runs",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf8_is_a_fault() {
        use std::os::unix::ffi::OsStringExt as _;
        let file = "a = '${x}'\n[params]\nx = '${env:X:-1}'";
        let Filled { faults, .. } = filled_with(file, &|_| Some(OsString::from_vec(vec![b'a', 0xff])));
        assert_eq!(faults, ["the value of the variable `X` is not UTF-8"]);
    }

    #[test]
    fn a_variable_stands_in_parameters_alone() {
        let Filled { json, faults, .. } = filled("a = ['${env:X:-1}', '$${env:X}', '${env:1}', '${x}']", &[]);
        assert_eq!(faults, ["a variable of the environment outside of `[params]`"]);
        assert_eq!(json["a"][1], "${env:X}");
        let Filled { json, faults, .. } =
            filled("a = ['${env:X:-1}', '$${env:X}', '${p}']\n[params]\np = 'a $${env:X} $${x} ${'", &[]);
        assert_eq!(faults, ["a variable of the environment outside of `[params]`"]);
        assert_eq!((json["a"][1].as_str(), json["a"][2].as_str()), (Some("${env:X}"), Some("a ${env:X} $${x} ${")));
        // Keys are what they are.
        let Filled { json, .. } = filled("'${env:X}' = 1\n[params]", &[]);
        assert_eq!(json["${env:X}"], 1);
    }

    #[test]
    fn names_of_secrets_are_known_by_their_last_word() {
        for name in ["OPENAI_KEY", "APIKEY", "GITHUB_TOKEN", "DB_PASSWORD", "X_SECRET", "secret_", "authorization"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["CLAIMS_DRAWS", "MAX_TOKENS", "KEYS_PER_ROW", "TOKENIZER", "HOST", "_"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_without_references_is_itself(text in "[a${}:env ]{0,24}") {
            let joined: String = pieces(&text)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(ESCAPED) => text.as_str()[..0].to_owned(),
                    Piece::Text(part) => part.to_owned(),
                    Piece::Variable(_, range) | Piece::Open(range) => text[range].to_owned(),
                })
                .collect();
            prop_assert!(text.contains("$${") || joined == text, "{joined}");
        }

        #[test]
        fn a_value_is_a_number_or_itself(text in "[0-9.eE+-]{0,8}") {
            match scalar(&text) {
                Value::String(same) => prop_assert_eq!(same, text),
                Value::Integer(value) => prop_assert_eq!(value.to_string(), text.replace("-0", "0")),
                Value::Float(value) => prop_assert!(value.is_finite()),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
