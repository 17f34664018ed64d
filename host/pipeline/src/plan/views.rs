//! The parts of a value that are drawn for a person: those that a schema marks with `x-view`.
//!
//! ```json
//! { "type": "array", "items": { "type": "array", "items": { "type": "integer" } }, "x-view": "grid" }
//! ```
//!
//! Only the marks are kept, not the schema: they go on the record of a run, so that its items can be drawn when the plugins
//! are not at hand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wire::{InputExpr, Source, Wire};
use crate::{schema::resolve, step::Step};

/// The keyword.
const X_VIEW: &str = "x-view";

/// More subschemas than this are not looked at: references can fan out without end.
const MOST_SUBSCHEMAS: usize = 20_000;

/// Subschemas deeper than this are not looked at.
const DEEPEST: usize = 48;

/// How a value is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewKind {
    /// A list of equally long lists of integers from 0 to 9: cells, row by row, each number a colour.
    Grid,
    /// A list of `{name, outcomes: [text]}`: what came of each of several programs in each of several cases.
    Outcomes,
    /// A list of objects with numbers: a line for each number.
    Series,
}

impl ViewKind {
    /// As `x-view` names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Outcomes => "outcomes",
            Self::Series => "series",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Grid, Self::Outcomes, Self::Series].into_iter().find(|kind| kind.name() == name)
    }
}

/// The marked parts of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewMarks {
    /// How the value itself is drawn, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewKind>,
    /// The marked parts of its members, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, ViewMarks>,
    /// The marked parts of members of other names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_members: Option<Box<ViewMarks>>,
    /// The marked parts of its elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elements: Option<Box<ViewMarks>>,
}

impl ViewMarks {
    /// The parts that a schema marks. Of a schema that refers to itself, each is visited once.
    #[must_use]
    pub fn of_schema(schema: &Value) -> Self {
        MarkReader { root: schema, open: Vec::new(), left: MOST_SUBSCHEMAS }.marks(schema)
    }

    /// Whether nothing is marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The marked parts of a member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        self.members.get(name).or(self.other_members.as_deref())
    }

    /// The same of a list of such values.
    #[must_use]
    pub fn in_list(self) -> Self {
        let elements = (!self.is_empty()).then(|| Box::new(self));
        Self { elements, ..Self::default() }
    }

    /// Adds marks of the same value. Where both say how something is drawn, the first stays.
    pub fn add(&mut self, other: Self) {
        self.view = self.view.or(other.view);
        for (name, marks) in other.members {
            self.add_member(name, marks);
        }
        add_to(&mut self.other_members, other.other_members);
        add_to(&mut self.elements, other.elements);
    }

    fn add_member(&mut self, name: String, marks: Self) {
        if !marks.is_empty() {
            self.members.entry(name).or_default().add(marks);
        }
    }

    /// The marks of a source, where these are the marks of what a path takes from it.
    fn through_path(self, path: &[Step]) -> Self {
        let mut marks = Self::default();
        match path.split_first() {
            None => return self,
            Some((Step::Field(name), rest)) => marks.add_member(name.clone(), self.through_path(rest)),
            // All elements of a list are drawn in the same way.
            Some((Step::Index(_), rest)) => return self.through_path(rest).in_list(),
            Some((Step::All, rest)) => {
                let each = self.elements.map(|elements| *elements).unwrap_or_default();
                return each.through_path(rest).in_list();
            }
        }
        marks
    }

    /// Calls `report` with the marks of each source that an input is made of, where these are the marks of the input.
    /// `for_each` is where the element of a stage comes from.
    pub(crate) fn for_each_source(
        &self,
        input: &InputExpr,
        for_each: Option<&Wire>,
        report: &mut impl FnMut(Source, Self),
    ) {
        match input {
            InputExpr::Wire(wire) => {
                let marks = self.clone().through_path(&wire.path);
                match (wire.source, for_each) {
                    (Source::Each, Some(list)) => report(list.source, marks.in_list().through_path(&list.path)),
                    (source, _) => report(source, marks),
                }
            }
            InputExpr::List(parts) => {
                let Some(elements) = &self.elements else { return };
                parts.iter().for_each(|part| elements.for_each_source(part, for_each, report));
            }
            InputExpr::Table(entries) => {
                for entry in entries {
                    let Some(member) = self.member(&entry.key) else { continue };
                    member.for_each_source(&entry.value, for_each, report);
                }
            }
            InputExpr::Constant(_) => {}
        }
    }
}

fn add_to(marks: &mut Option<Box<ViewMarks>>, other: Option<Box<ViewMarks>>) {
    if let Some(other) = other.filter(|other| !other.is_empty()) {
        marks.get_or_insert_default().add(*other);
    }
}

/// Reads a schema.
struct MarkReader<'a> {
    root: &'a Value,
    /// The subschemas that are being read.
    open: Vec<*const Value>,
    /// How many more may be looked at.
    left: usize,
}

impl<'a> MarkReader<'a> {
    fn marks(&mut self, schema: &'a Value) -> ViewMarks {
        let mut marks = ViewMarks::default();
        let here = std::ptr::from_ref(schema);
        let Some(map) = schema.as_object() else { return marks };
        if self.left == 0 || self.open.len() >= DEEPEST || self.open.contains(&here) {
            return marks;
        }
        self.left -= 1;
        self.open.push(here);
        marks.view = map.get(X_VIEW).and_then(Value::as_str).and_then(ViewKind::parse);
        for (name, property) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let member = self.marks(property);
            marks.add_member(name.clone(), member);
        }
        let patterns = map.get("patternProperties").and_then(Value::as_object);
        for others in
            map.get("additionalProperties").into_iter().chain(patterns.into_iter().flat_map(|map| map.values()))
        {
            let others = self.marks(others);
            add_to(&mut marks.other_members, Some(Box::new(others)));
        }
        let prefix = map.get("prefixItems").and_then(Value::as_array).into_iter().flatten();
        for elements in prefix.chain(map.get("items")) {
            let elements = self.marks(elements);
            add_to(&mut marks.elements, Some(Box::new(elements)));
        }
        if let Some(target) = map.get("$ref").and_then(Value::as_str).and_then(|to| resolve(self.root, to)) {
            let target = self.marks(target);
            marks.add(target);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for part in map.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                let part = self.marks(part);
                marks.add(part);
            }
        }
        self.open.pop();
        marks
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::TableEntry;

    fn grid() -> ViewMarks {
        ViewMarks { view: Some(ViewKind::Grid), ..ViewMarks::default() }
    }

    fn of(marks: Value) -> ViewMarks {
        serde_json::from_value(marks).expect("marks")
    }

    #[test]
    fn the_marks_of_a_schema_are_found_wherever_they_stand() {
        let schema = json!({
            "$defs": {
                "grid": { "type": "array", "x-view": "grid" },
                "pair": { "properties": {
                    "input": { "$ref": "#/$defs/grid" },
                    "output": { "anyOf": [{ "$ref": "#/$defs/grid" }, { "type": "null" }] },
                    "text": { "type": "string" }
                } }
            },
            "allOf": [{ "properties": { "curve": { "x-view": "series" } } }],
            "properties": {
                "train": { "items": { "$ref": "#/$defs/pair" } },
                "both": { "prefixItems": [{ "type": "string" }, { "$ref": "#/$defs/grid" }] },
                "by_name": { "additionalProperties": { "items": { "oneOf": [{ "$ref": "#/$defs/grid" }, true] } } },
                "odd": { "x-view": "hologram" },
                "wrong": { "x-view": 7 }
            }
        });
        let pair = json!({ "members": { "input": { "view": "grid" }, "output": { "view": "grid" } } });
        let wanted = of(json!({ "members": {
            "train": { "elements": pair },
            "both": { "elements": { "view": "grid" } },
            "by_name": { "other_members": { "elements": { "view": "grid" } } },
            "curve": { "view": "series" }
        } }));
        assert_eq!(ViewMarks::of_schema(&schema), wanted);
        assert!(ViewMarks::of_schema(&json!(true)).is_empty());
    }

    #[test]
    fn a_schema_that_goes_round_or_fans_out_is_read_to_an_end() {
        let tree = json!({ "properties": { "value": { "x-view": "grid" }, "left": { "$ref": "#" }, "right": { "$ref": "#" } } });
        let marks = ViewMarks::of_schema(&tree);
        assert_eq!(marks.members.keys().collect::<Vec<_>>(), ["value"]);
        let twice = |next: usize| json!({ "allOf": [{ "$ref": format!("#/$defs/{next}") }, { "$ref": format!("#/$defs/{next}") }] });
        let chain: serde_json::Map<String, Value> = (0..40).map(|at| (at.to_string(), twice(at + 1))).collect();
        let fans = json!({ "$ref": "#/$defs/0", "$defs": chain, "properties": { "a": { "x-view": "grid" } } });
        assert_eq!(ViewMarks::of_schema(&fans).members["a"], grid());
    }

    #[test]
    fn a_place_that_is_wired_to_a_mark_is_marked() {
        let wire = |source, path: &[Step]| Wire { source, path: path.to_vec() };
        let field = |name: &str| Step::Field(name.to_owned());
        let marks = of(json!({ "members": {
            "demos": { "elements": { "members": { "input": { "view": "grid" } } } },
            "all": { "elements": { "view": "grid" } },
            "one": { "view": "grid" }
        } }));
        let entry = |key: &str, value| TableEntry { key: key.to_owned(), required: true, value };
        let input = InputExpr::Table(vec![
            entry("demos", InputExpr::Wire(wire(Source::Input, &[field("train")]))),
            entry("all", InputExpr::Wire(wire(Source::Input, &[field("test"), Step::All, field("input")]))),
            entry("one", InputExpr::Wire(wire(Source::Each, &[field("best")]))),
            entry("unmarked", InputExpr::Wire(wire(Source::Input, &[field("id")]))),
        ]);
        let (mut item, mut stage) = (ViewMarks::default(), ViewMarks::default());
        let list = wire(Source::Stage(3), &[field("kept")]);
        marks.for_each_source(&input, Some(&list), &mut |source, marks| match source {
            Source::Input => item.add(marks),
            _ => stage.add(marks),
        });
        assert_eq!(
            item,
            of(json!({ "members": {
                "train": { "elements": { "members": { "input": { "view": "grid" } } } },
                "test": { "elements": { "members": { "input": { "view": "grid" } } } }
            } }))
        );
        assert_eq!(
            stage,
            of(json!({ "members": { "kept": { "elements": { "members": { "best": { "view": "grid" } } } } } }))
        );
    }
}
