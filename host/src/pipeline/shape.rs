//! The pass that holds the tree against the tables of keys: unknown keys, missing keys, wrong types, bad values.

use std::path::Path;

use super::{
    faults::Fault,
    keys::{COUNT, KeySpec, Names, Need, Shape, Table},
    source::{Sources, Span},
    suggest,
    tree::{self, Key, Node, Value},
    values, wire,
};
use crate::plugin::{Digest, escape_untrusted, sandbox::Grant};

/// Where the pass is, for messages: `stage `lens``.
pub(super) struct Pass<'a> {
    pub(super) sources: &'a Sources,
    /// The pipeline's file: what came from elsewhere was meant for something that is there.
    pub(super) file: Span,
    pub(super) faults: &'a mut Vec<Fault>,
}

impl Pass<'_> {
    /// Checks a table; `place` is where a missing key is reported, `what` what the table is called.
    pub(super) fn table(&mut self, table: &tree::Table, spec: &'static Table, what: &str, place: Option<Span>) {
        let choices = spec.key("use").map(|key| key.shape);
        // What a wrong `use` would want cannot be told.
        let used = table.get("use").and_then(Node::as_str).filter(|used| match choices {
            Some(Shape::Choice(choices)) => choices.contains(used),
            _ => true,
        });
        for (key, node) in &table.0 {
            match spec.key(&key.text) {
                Some(known) => {
                    self.fits_use(key, known, used);
                    self.value(key, node, &known.shape);
                }
                None => self.faults.push(unknown_key(key, spec, used, what)),
            }
        }
        let unknown: Vec<&str> =
            table.0.iter().map(|(key, _)| key.text.as_str()).filter(|key| spec.key(key).is_none()).collect();
        for key in spec.keys {
            let misspelt = || unknown.iter().any(|name| suggest::nearest(name, [key.name]).is_some());
            if key.need.is_required(used) && table.get(key.name).is_none() && !misspelt() {
                self.faults.push(missing_key(key, what, place));
            }
        }
    }

    /// A key that is for other values of `use`.
    fn fits_use(&mut self, key: &Key, spec: &KeySpec, used: Option<&str>) {
        if let (Some(uses), Some(used)) = (spec.need.only_for(), used)
            && !uses.contains(&used)
        {
            let message = format!("`{}` means nothing for `use = \"{used}\"`", key.text);
            self.faults.push(
                Fault::at("misplaced-key", key.span, message)
                    .hint(format!("it belongs to {}", suggest::list(uses.iter().copied()))),
            );
        }
    }

    /// Checks a value. A fault names the key, as lists and tables stand on many lines.
    fn value(&mut self, key: &Key, node: &Node, shape: &Shape) {
        match (shape, &node.value) {
            (Shape::Text, Value::String(text)) => {
                if text.is_empty() {
                    self.faults.push(Fault::at("bad-value", node.span, format!("`{}` is empty", key.text)));
                }
            }
            (Shape::Name, Value::String(text)) => {
                if let Some(why) = values::wrong_pipeline_name(text) {
                    let message = format!("`{}` cannot be `{}`: {why}", key.text, escape_untrusted(&clipped(text)));
                    self.faults.push(
                        Fault::at("bad-name", node.span, message)
                            .note(format!(
                                "it becomes the name of folders: letters, digits, `-`, `_` and, but for the first, `.`; \
                                 at most {} bytes",
                                values::LONGEST_PIPELINE_NAME
                            ))
                            .hint(values::as_name(text).map(|better| format!("such as `{better}`"))),
                    );
                }
            }
            (Shape::Any, _)
            | (Shape::Scalar, Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_))
            | (Shape::Flag, Value::Boolean(_))
            | (Shape::List | Shape::ListOr(_), Value::List(_))
            | (Shape::Free, Value::Table(_)) => {}
            (Shape::Integer { min, max }, Value::Integer(value)) => self.range(key, node.span, *value, *min, *max),
            (Shape::Number, Value::Integer(value)) => self.range(key, node.span, *value, 0, u64::MAX),
            (Shape::Number, Value::Float(value)) => {
                // No more than an integer: sums, and products with counts, stay finite, and JSON holds nothing else.
                self.range(key, node.span, if *value >= 0.0 { *value as i128 } else { -1 }, 0, u64::MAX);
            }
            (Shape::Real, Value::Integer(value)) => {
                // Such as a 64-bit float holds exactly.
                if value.unsigned_abs() > 1 << 53 {
                    let message = format!("`{}` is out of range", key.text);
                    self.faults.push(Fault::at("out-of-range", node.span, message).label("expected -2^53 to 2^53"));
                }
            }
            (Shape::Real, Value::Float(value)) => {
                if !value.is_finite() {
                    let message = format!("`{}` is out of range", key.text);
                    self.faults.push(Fault::at("out-of-range", node.span, message).label("expected a finite number"));
                }
            }
            (Shape::Duration, Value::String(text)) => {
                if let Err(why) = values::duration(text) {
                    self.bad(key, node.span, "a duration", &why, "durations are written like `200ms`, `30s`, `1h 30m`");
                }
            }
            (Shape::Duration, Value::Integer(value)) => {
                let hint = format!("add a unit, such as `{} = \"{value}s\"`", key.text);
                self.wrong_type(key, node, "a duration in quotes", Some(hint));
            }
            (Shape::Size, Value::String(text)) => {
                if let Err(why) = values::size(text) {
                    self.bad(
                        key,
                        node.span,
                        "a size",
                        &why,
                        "sizes are written like `256MiB`, `10MB` or, in bytes, `4096`",
                    );
                }
            }
            (Shape::Size, Value::Integer(value)) => self.range(key, node.span, *value, 0, u64::MAX),
            (Shape::Choice(choices), Value::String(text)) => {
                if !choices.contains(&text.as_str()) {
                    let message = format!("`{}` cannot be `{text}`", key.text);
                    let mut fault = Fault::at("bad-value", node.span, message)
                        .label(format!("expected one of {}", suggest::list(choices.iter().copied())));
                    fault.hint =
                        suggest::nearest(text, choices.iter().copied()).map(|near| format!("did you mean `{near}`?"));
                    self.faults.push(fault);
                }
            }
            (Shape::Character, Value::String(text)) => {
                if text.len() != 1 || !text.is_ascii() {
                    self.bad(key, node.span, "one ASCII character", "", "such as `,` or `;` or, for a tab, `\\t`");
                }
            }
            (Shape::Texts, Value::String(text)) if !text.is_empty() => {}
            (Shape::Texts, Value::List(list)) if !list.is_empty() => {
                for element in list {
                    self.value(key, element, &Shape::Text);
                }
            }
            (Shape::Texts, Value::String(_) | Value::List(_)) => {
                self.faults.push(Fault::at("bad-value", node.span, format!("`{}` is empty", key.text)));
            }
            (Shape::Grants, Value::List(list)) => {
                for element in list {
                    match element.as_str().map(|text| Grant::parse(text, Path::new(""))) {
                        Some(Ok(_)) => {}
                        Some(Err(error)) => {
                            self.faults.push(Fault::at("bad-grant", element.span, error.to_string()));
                        }
                        None => self.value(key, element, &Shape::Text),
                    }
                }
            }
            (Shape::Digest, Value::String(text)) => {
                if Digest::parse(text).is_none() {
                    let label = format!("{} characters", text.chars().count());
                    let message = format!("`{}` is not 64 hexadecimal digits", key.text);
                    self.faults.push(Fault::at("bad-value", node.span, message).label(label));
                }
            }
            (Shape::Wire, Value::String(text)) => self.wire(node, text),
            (Shape::Wires, Value::String(text)) => self.wire(node, text),
            (Shape::Wires, Value::List(list)) => list.iter().for_each(|element| self.value(key, element, shape)),
            (Shape::Wires, Value::Table(table)) => table.0.iter().for_each(|(key, node)| self.value(key, node, shape)),
            (Shape::Table(spec), Value::Table(table)) => self.table(table, spec, spec.what, Some(key.span)),
            (Shape::ListOr(spec), Value::Table(table)) => {
                self.table(table, spec, &format!("`{}`", key.text), Some(key.span));
            }
            (Shape::CountOr(spec), Value::Table(table)) => self.table(table, spec, spec.what, Some(key.span)),
            (Shape::CountOr(_), Value::Integer(_)) => self.value(key, node, &COUNT),
            (Shape::Tables(spec), Value::List(list)) if !list.is_empty() => {
                for element in list {
                    self.value(&Key { text: key.text.clone(), span: element.span }, element, &Shape::Table(spec));
                }
            }
            (Shape::Overlays, Value::List(list)) if !list.is_empty() => {
                for element in list {
                    self.value(&Key { text: key.text.clone(), span: element.span }, element, &Shape::Free);
                }
            }
            (Shape::Tables(_) | Shape::Overlays, Value::List(_)) => {
                self.faults.push(Fault::at("bad-value", node.span, format!("`{}` is empty", key.text)));
            }
            (Shape::Map { of, names }, Value::Table(table)) => self.map(key, table, of, *names),
            (expected, _) => {
                // What lacks only its quotes can be said exactly.
                let quoted = match (expected, &node.value) {
                    (
                        Shape::Text | Shape::Name | Shape::Texts | Shape::Choice(_),
                        Value::Integer(_) | Value::Float(_) | Value::Boolean(_),
                    ) => Some(format!("put it in quotes: `{} = \"{}\"`", key.text, self.sources.text(node.span))),
                    (Shape::Integer { .. } | Shape::Flag, Value::String(text))
                        if text.parse::<u64>().is_ok() || text == "true" || text == "false" =>
                    {
                        Some(format!("drop the quotes: `{} = {text}`", key.text))
                    }
                    _ => None,
                };
                self.wrong_type(key, node, &describe(expected), quoted);
            }
        }
    }

    fn map(&mut self, place: &Key, table: &tree::Table, of: &Shape, names: Names) {
        if table.0.is_empty() && place.text == "stages" {
            let fault = Fault::at("missing-key", place.span, "the pipeline has no stages").label("nothing in here");
            self.faults.push(fault.hint(ADD_A_STAGE.to_owned()));
        }
        for (key, node) in &table.0 {
            self.name(key, names);
            match (of, &node.value, names) {
                (Shape::Table(spec), Value::Table(inner), Names::Words { what, .. }) => {
                    // A stage that only the command line speaks of is a slip of the pen.
                    if key.span.source != self.file.source
                        && ["use", "path", "tiers"].iter().all(|key| inner.get(key).is_none())
                    {
                        let there =
                            table.0.iter().map(|(key, _)| key).filter(|key| key.span.source == self.file.source);
                        let hint =
                            suggest::hint_for(&key.text, &format!("known {what}s"), there.map(|key| key.text.as_str()));
                        let message = format!("the pipeline has no {what} `{}`", key.text);
                        self.faults.push(Fault::at("unknown-name", key.span, message).hint(hint));
                    } else {
                        self.table(inner, spec, &format!("{what} `{}`", key.text), Some(key.span));
                    }
                }
                _ => self.value(key, node, of),
            }
        }
    }

    /// Checks a name that the author chose.
    fn name(&mut self, key: &Key, names: Names) {
        let name = &key.text;
        match names {
            Names::Words { what, reserved } => {
                if let Some((_, meaning)) = reserved.iter().find(|(word, _)| word == name) {
                    let message = format!("a {what} cannot be called `{name}`");
                    self.faults
                        .push(Fault::at("reserved-name", key.span, message).label(format!("it stands for {meaning}")));
                } else if !values::is_name(name) {
                    let message = format!("`{name}` cannot be the name of a {what}");
                    self.faults.push(
                        Fault::at("bad-name", key.span, message)
                            .note("names start with a lower-case letter; lower-case letters, digits, `-` and `_` may follow")
                            .hint(values::as_name(name).map(|better| format!("such as `{better}`"))),
                    );
                } else if name.len() > values::LONGEST_NAME {
                    let message = format!("`{}` cannot be the name of a {what}: it is too long", clipped(name));
                    let label = format!("{} characters, at most {} are allowed", name.len(), values::LONGEST_NAME);
                    self.faults.push(Fault::at("bad-name", key.span, message).label(label));
                }
            }
            Names::Wires => {
                let node = Node { span: key.span, value: Value::String(name.clone()) };
                self.wire(&node, name);
            }
            Names::Files | Names::RunFiles => {
                let plain = !name.is_empty()
                    && name != "."
                    && name != ".."
                    && !name.chars().any(|char| matches!(char, '/' | '\\' | ':') || char.is_control());
                if !plain {
                    let message = format!("`{name}` is not a plain file name");
                    let whose = if names == Names::RunFiles { "the run" } else { "its item" };
                    self.faults.push(
                        Fault::at("bad-name", key.span, message)
                            .note(format!("the file is written into the folder of {whose}")),
                    );
                } else if name.len() > values::LONGEST_FILE_NAME {
                    let message = format!("`{}` is too long for the name of a file", clipped(name));
                    let label = format!("{} bytes, at most {} are allowed", name.len(), values::LONGEST_FILE_NAME);
                    self.faults.push(Fault::at("bad-name", key.span, message).label(label));
                }
            }
        }
    }

    fn wire(&mut self, node: &Node, text: &str) {
        if let Err(error) = wire::parse(text) {
            let place = wire::within(self.sources, node.span, text, error.at.clone());
            self.faults.push(
                Fault::at("bad-wire", place, format!("`{}` is not a wire: {}", clipped(text), error.message))
                    .label(error.label)
                    .hint(
                        error
                            .hint
                            .or_else(|| Some("a wire is written like `stage.field[0].items[*].title`".to_owned())),
                    ),
            );
        }
    }

    fn range(&mut self, key: &Key, place: Span, value: i128, min: u64, max: u64) {
        if value < i128::from(min) || value > i128::from(max) {
            let bounds = match (min, max) {
                (min, max) if max >= u64::from(u32::MAX) && value < i128::from(min) => {
                    format!("expected at least {min}")
                }
                (min, max) => format!("expected {min} to {max}"),
            };
            let message = format!("`{}` is out of range", key.text);
            self.faults.push(Fault::at("out-of-range", place, message).label(bounds));
        }
    }

    fn bad(&mut self, key: &Key, place: Span, what: &str, why: &str, hint: &str) {
        let message = format!("`{}` is not {what}", key.text);
        self.faults.push(Fault::at("bad-value", place, message).label(why).hint(hint.to_owned()));
    }

    fn wrong_type(&mut self, key: &Key, node: &Node, expected: &str, hint: Option<String>) {
        let message = format!("`{}` is {}, expected {expected}", key.text, node.type_name());
        self.faults.push(Fault::at("wrong-type", node.span, message).label(node.type_name()).hint(hint));
    }
}

/// The beginning of a name that is too long to repeat.
fn clipped(name: &str) -> String {
    if name.chars().count() <= 60 { name.to_owned() } else { name.chars().take(60).chain(['…']).collect() }
}

const ADD_A_STAGE: &str = "add one: `[stages.NAME]` with `use = \"...\"`";

fn unknown_key(key: &Key, spec: &Table, used: Option<&str>, what: &str) -> Fault {
    let fits = |need: Need| need.only_for().is_none_or(|uses| used.is_none_or(|used| uses.contains(&used)));
    let known = spec.keys.iter().filter(|key| fits(key.need)).map(|key| key.name);
    Fault::at("unknown-key", key.span, format!("unknown key `{}` in {what}", key.text)).hint(suggest::hint_for(
        &key.text,
        "known keys",
        known,
    ))
}

fn missing_key(key: &KeySpec, what: &str, place: Option<Span>) -> Fault {
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
    let mut fault = Fault::new("missing-key", message).hint(hint);
    fault.place = place;
    fault
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

fn describe(shape: &Shape) -> String {
    match shape {
        Shape::Text | Shape::Name | Shape::Digest => "a string",
        Shape::Flag => "`true` or `false`",
        Shape::Integer { .. } => "an integer",
        Shape::Number | Shape::Real => "a number",
        Shape::CountOr(_) => "an integer or a table",
        Shape::ListOr(_) => "a list of values or a table with `min` and `max`",
        Shape::Tables(_) | Shape::Overlays => "a list of tables",
        Shape::Duration => "a duration in quotes, such as \"200ms\"",
        Shape::Size => "a size, such as \"256MiB\"",
        Shape::Choice(choices) => return format!("one of {}", suggest::list(choices.iter().copied())),
        Shape::Character => "one character in quotes",
        Shape::Texts => "a string or a list of strings",
        Shape::Wire => "a wire in quotes, such as \"stage.field\"",
        Shape::Wires => "a wire in quotes, or a list or table of wires",
        Shape::Any => "a value",
        Shape::Scalar => "a string, a number or a boolean",
        Shape::List => "a list",
        Shape::Grants => "a list of permissions in quotes",
        Shape::Free | Shape::Table(_) | Shape::Map { .. } => "a table",
    }
    .to_owned()
}
