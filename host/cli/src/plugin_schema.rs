//! The schemas of an extension as text for people: each field with its type, its bounds and what it is, and the fields inside it
//! below it.

use std::fmt::Write as _;

use jackfield_loader::{TensorShape, X_TENSOR, escape_untrusted};
use jackfield_plugin_api::X_FROM_CONFIG;
use serde_json::Value;

/// The most lines that are shown of a schema: a stranger's may have any size.
const MOST_LINES: usize = 400;
/// How deep fields are shown that lie inside others.
const MOST_LEVELS: usize = 8;
/// The most values of a field that are listed.
const MOST_VALUES: usize = 12;

/// The fields of a schema, two lines for each, and those inside them, indented by four spaces more.
pub(super) fn described_fields(schema: &Value) -> String {
    let mut writer = Writer { root: schema, lines: Vec::new(), within: Vec::new() };
    writer.fields(schema, 0);
    if writer.lines.is_empty() {
        // What is not an object may be a list of objects, or one of several.
        let kind = writer.kind(schema);
        let is_open = schema.get("additionalProperties") == Some(&Value::Bool(true));
        if (kind == "anything" || kind == "object") && !is_open {
            return "  (nothing)\n".to_owned();
        }
        writer.line(0, &if is_open { "(any fields)".to_owned() } else { format!("({kind})") });
        if let Some(about) = about(schema).filter(|_| is_open) {
            writer.line(1, &about);
        }
        writer.inside(schema, 1);
    }
    if let Some(at) = from_config(schema) {
        writer.line(0, &format!("(with `{at}`: what that schema describes)"));
    }
    let left_out = writer.lines.len() > MOST_LINES;
    writer.lines.truncate(MOST_LINES);
    if left_out {
        writer.lines.push("  … and more: `--json` shows all".to_owned());
    }
    writer.lines.join("\n") + "\n"
}

/// The key of a configuration whose schema stands in place of this one.
fn from_config(schema: &Value) -> Option<String> {
    let mark = schema.get(X_FROM_CONFIG)?;
    let at = mark.as_str().or_else(|| mark["at"].as_str())?;
    Some(at.trim_start_matches('/').replace('/', "."))
}

struct Writer<'s> {
    root: &'s Value,
    lines: Vec<String>,
    /// The definitions whose fields are being written: one that holds itself is not written again inside itself.
    within: Vec<&'s str>,
}

impl<'s> Writer<'s> {
    /// Adds a line of text of the plugin, escaped, so that it cannot begin a line of its own.
    fn line(&mut self, level: usize, text: &str) {
        if self.lines.len() <= MOST_LINES {
            self.lines.push(format!("{:1$}{2}", "", 2 + 4 * level, escape_untrusted(text)));
        }
    }

    /// Writes the fields of an object.
    fn fields(&mut self, schema: &'s Value, level: usize) {
        let required = |name: &str| {
            schema["required"].as_array().into_iter().flatten().any(|required| required.as_str() == Some(name))
        };
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let mut kind = self.kind(field);
            if let Some(default) = field.get("default").filter(|default| !default.is_null()) {
                let _ = write!(kind, ", default {default}");
            } else if !required(name) {
                kind.push_str(", optional");
            }
            self.line(level, &format!("{name} ({kind})"));
            let about = about(field).or_else(|| about(self.resolved(field)));
            if let Some(about) = about {
                self.line(level + 1, &about);
            }
            self.inside(field, level + 1);
        }
    }

    /// Writes the fields of the objects that a field holds: its own, those of the elements of a list or a map, and those of each
    /// form that it may have.
    fn inside(&mut self, schema: &'s Value, level: usize) {
        if level > MOST_LEVELS || self.lines.len() > MOST_LINES || schema.get(X_TENSOR).is_some() {
            return;
        }
        if let Some(name) = definition(schema) {
            if !self.within.contains(&name) {
                self.within.push(name);
                self.inside(self.resolved(schema), level);
                self.within.pop();
            }
            return;
        }
        self.fields(schema, level);
        for key in ["items", "additionalProperties"] {
            if schema[key].is_object() {
                self.inside(&schema[key], level);
            }
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.inside(part, level);
        }
        for form in forms(schema) {
            // A form of its own name is said by name; values are listed in the type.
            let fixed =
                form["properties"].as_object().into_iter().flatten().any(|(_, field)| field.get("const").is_some());
            if fixed {
                self.line(level, "one form:");
                self.inside(form, level + 1);
            } else {
                self.inside(form, level);
            }
        }
    }

    /// What a reference refers to, within the same schema; a schema without one is itself.
    fn resolved(&self, schema: &'s Value) -> &'s Value {
        let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(schema)
    }

    /// The type of a field, with its bounds or its values.
    fn kind(&self, schema: &'s Value) -> String {
        self.kind_within(schema, MOST_LEVELS)
    }

    fn kind_within(&self, schema: &'s Value, levels: usize) -> String {
        let Some(levels) = levels.checked_sub(1) else { return "…".to_owned() };
        if let Some(tensor) = schema.get(X_TENSOR).and_then(|keyword| TensorShape::read(keyword).ok()) {
            return tensor.to_string();
        }
        if let Some(name) = definition(schema) {
            let resolved = self.resolved(schema);
            let values = values(resolved);
            return if values.is_empty() { name.to_owned() } else { format!("{name}: {}", one_of(&values)) };
        }
        if let Some(values) = Some(values(schema)).filter(|values| !values.is_empty()) {
            return one_of(&values);
        }
        let (kind, bounds) = match &schema["type"] {
            Value::String(name) => (self.kind_of_type(name, schema, levels), bounds(schema)),
            Value::Array(names) => {
                let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
                let kinds = names.map(|name| self.kind_of_type(name, schema, levels)).collect::<Vec<_>>();
                (kinds.join(" or "), bounds(schema))
            }
            _ => {
                let forms = forms(schema).map(|form| self.kind_within(form, levels)).filter(|kind| kind != "null");
                let mut kinds: Vec<String> = forms.collect();
                kinds.dedup();
                if kinds.is_empty() && schema["properties"].is_object() {
                    ("object".to_owned(), String::new())
                } else if kinds.is_empty() {
                    let part = schema["allOf"].as_array().into_iter().flatten().next();
                    let kind = part.map_or("anything".to_owned(), |part| self.kind_within(part, levels));
                    (kind, bounds(schema))
                } else {
                    (kinds.join(" or "), String::new())
                }
            }
        };
        kind + &bounds
    }

    fn kind_of_type(&self, name: &str, schema: &'s Value, levels: usize) -> String {
        match name {
            "array" => format!("list of {}", self.kind_within(&schema["items"], levels)),
            "object" if schema["additionalProperties"].is_object() && schema["properties"].is_null() => {
                format!("map of {}", self.kind_within(&schema["additionalProperties"], levels))
            }
            name => name.to_owned(),
        }
    }
}

/// The name of the definition that a schema refers to.
fn definition(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str().map(|reference| reference.rsplit('/').next().unwrap_or_default())
}

/// What a field is, as one line.
fn about(schema: &Value) -> Option<String> {
    let text = schema["description"].as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// The forms that a value may have.
fn forms(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"].into_iter().filter_map(move |key| schema[key].as_array()).flatten()
}

/// The values that a schema allows, if it lists them.
fn values(schema: &Value) -> Vec<&Value> {
    if let Some(value) = schema.get("const") {
        return vec![value];
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().filter(|value| !value.is_null()).collect();
    }
    let forms: Vec<&Value> = forms(schema).filter(|form| form["type"] != "null").collect();
    let of_each: Vec<Vec<&Value>> = forms.iter().map(|form| values_of_form(form)).collect();
    if of_each.iter().any(Vec::is_empty) { Vec::new() } else { of_each.concat() }
}

fn values_of_form(form: &Value) -> Vec<&Value> {
    match form.get("const") {
        Some(value) => vec![value],
        None => form["enum"].as_array().into_iter().flatten().collect(),
    }
}

/// Values as one phrase: `"a", "b" or "c"`.
fn one_of(values: &[&Value]) -> String {
    let shown: Vec<String> = values.iter().take(MOST_VALUES).map(ToString::to_string).collect();
    match shown.split_last() {
        _ if values.len() > MOST_VALUES => {
            format!("{} or one of {} more", shown.join(", "), values.len() - MOST_VALUES)
        }
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => shown.concat(),
    }
}

/// The bounds of a number, a text or a list, as the end of a phrase.
fn bounds(schema: &Value) -> String {
    let bound = |key: &str| schema.get(key).filter(|bound| bound.is_number());
    let mut text = match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) if least.as_f64() == Some(0.0) && bound("exclusiveMaximum").is_none() => {
            ", 0 or more".to_owned()
        }
        (Some(least), None) => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => String::new(),
    };
    for (key, phrase) in [
        ("exclusiveMinimum", "above"),
        ("exclusiveMaximum", "below"),
        ("multipleOf", "a multiple of"),
        ("minLength", "characters, at least"),
        ("maxLength", "characters, at most"),
        ("minItems", "elements, at least"),
        ("maxItems", "elements, at most"),
    ] {
        if let Some(bound) = bound(key) {
            let _ = match phrase.split_once(", ") {
                Some((things, phrase)) => {
                    let things = if bound.as_u64() == Some(1) { things.trim_end_matches('s') } else { things };
                    write!(text, ", {phrase} {bound} {things}")
                }
                None => write!(text, ", {phrase} {bound}"),
            };
        }
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        let _ = write!(text, ", matching `{pattern}`");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_inside_fields_are_shown_with_their_values_and_bounds() {
        let schema = json!({
            "type": "object",
            "required": ["shelves", "size"],
            "properties": {
                "shelves": {
                    "type": "array", "minItems": 1, "description": "The shelves,\n  top first.",
                    "items": { "$ref": "#/$defs/Shelf" },
                },
                "size": {
                    "type": "object", "required": ["width"],
                    "properties": {
                        "width": { "type": "number", "minimum": 0.5, "maximum": 3, "description": "In metres." },
                        "depth": { "type": ["number", "null"], "exclusiveMinimum": 0, "default": 0.3 },
                    },
                },
                "labels": { "type": "object", "additionalProperties": { "$ref": "#/$defs/Label" } },
                "wood": { "$ref": "#/$defs/Wood", "default": "oak" },
                "finish": { "anyOf": [{ "$ref": "#/$defs/Wood" }, { "type": "null" }] },
                "code": { "type": "string", "pattern": "^[A-Z]+$", "maxLength": 4 },
                "count": { "enum": [1, 2, 3] },
            },
            "$defs": {
                "Shelf": {
                    "type": "object", "required": ["books"],
                    "properties": {
                        "books": { "type": "array", "items": { "type": "string" } },
                        "below": { "$ref": "#/$defs/Shelf", "description": "The shelf below it." },
                    },
                },
                "Label": { "type": "object", "properties": { "text": { "type": "string" } } },
                "Wood": {
                    "description": "A kind of wood.",
                    "oneOf": [{ "const": "oak", "description": "Hard." }, { "const": "pine", "description": "Soft." }],
                },
            },
        });
        insta::assert_snapshot!(described_fields(&schema), @r#"
        code (string, at most 4 characters, matching `^[A-Z]+$`, optional)
        count (1, 2 or 3, optional)
        finish (Wood: "oak" or "pine", optional)
        labels (map of Label, optional)
            text (string, optional)
        shelves (list of Shelf, at least 1 element)
            The shelves, top first.
            below (Shelf, optional)
                The shelf below it.
            books (list of string)
        size (object)
            depth (number, above 0, default 0.3)
            width (number, 0.5 to 3)
                In metres.
        wood (Wood: "oak" or "pine", default "oak")
            A kind of wood.
        "#);
    }

    #[test]
    fn forms_lists_and_nothing() {
        let forms = json!({
            "properties": { "use": { "oneOf": [
                { "properties": { "kind": { "const": "a" }, "x": { "type": "integer", "minimum": 0 } } },
                { "properties": { "kind": { "const": "b" }, "y": { "type": "boolean" } } },
            ] } },
        });
        let list = json!({ "type": "array", "items": { "properties": { "id": { "type": "string" } } } });
        let all = [
            described_fields(&forms),
            described_fields(&list),
            described_fields(&json!({})),
            described_fields(&json!(true)),
        ];
        insta::assert_snapshot!(all.join("--\n"), @r#"
          use (object, optional)
              one form:
                  kind ("a", optional)
                  x (integer, 0 or more, optional)
              one form:
                  kind ("b", optional)
                  y (boolean, optional)
        --
          (list of object)
              id (string, optional)
        --
          (nothing)
        --
          (nothing)
        "#);
    }

    #[test]
    fn a_strangers_schema_is_cut_and_escaped() {
        let mut deep = json!({ "type": "string" });
        for _ in 0..100 {
            deep = json!({ "properties": { "\u{1b}[2Jin": deep } });
        }
        let text = described_fields(&deep);
        assert!(text.lines().count() <= MOST_LEVELS + 2 && !text.contains('\u{1b}'), "{text}");
        let many: serde_json::Map<String, Value> = (0..2000).map(|n| (format!("f{n}"), json!({}))).collect();
        let text = described_fields(&json!({ "properties": many }));
        assert_eq!(text.lines().count(), MOST_LINES + 1);
        assert!(text.ends_with("shows all\n"), "{}", &text[text.len() - 100..]);
        // Definitions that hold each other end.
        let circle = json!({ "$ref": "#/$defs/A", "$defs": { "A": { "properties": { "b": { "$ref": "#/$defs/B" } } },
            "B": { "properties": { "a": { "$ref": "#/$defs/A" } } } } });
        assert!(described_fields(&circle).lines().count() < 10);
    }
}
