//! Whether a value is what its key may hold.

use std::path::Path;

use jackfield_loader::{Digest, escape_untrusted, sandbox::Grant};

use super::{
    Pass,
    messages::{clipped, describe},
};
use crate::{
    diagnostics::{Fault, Span, suggest},
    keys::{COUNT, Shape},
    syntax::{
        tree::{Key, Node, Value},
        values, wire,
    },
};

impl Pass<'_> {
    /// Checks a value. A fault names the key, as lists and tables stand on many lines.
    pub(crate) fn value(&mut self, key: &Key, node: &Node, shape: &Shape) {
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

    pub(crate) fn wire(&mut self, node: &Node, text: &str) {
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
