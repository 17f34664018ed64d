//! The columns of a table that is made of JSON values: which there are, and of which type. Members of objects are columns of their
//! own; a list is one, as JSON text.

use std::borrow::Cow;

use jackfield_engine::Top;
use jackfield_pipeline::Step;
use serde_json::value::RawValue;

/// An object with more different members than this, over all items, is one column: its members are data rather than names.
const MOST_MEMBERS: usize = 100;

/// Objects within objects have columns of their own down to this depth.
const MOST_DEPTH: usize = 8;

/// The largest whole number up to which every one is a double, too.
const MOST_EXACT: u64 = 1 << 53;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` and `false`.
    Bool,
    /// Whole numbers of 64 bits, all of which are doubles, too.
    Int,
    /// Whole numbers of 64 bits.
    WideInt,
    /// Numbers.
    Double,
    /// Texts.
    Text,
    /// Lists, or values of several types: JSON text.
    Json,
}

impl Kind {
    /// What holds the values of both.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Int, Self::WideInt) | (Self::WideInt, Self::Int) => Self::WideInt,
            (Self::Int, Self::Double) | (Self::Double, Self::Int) => Self::Double,
            _ => Self::Json,
        }
    }

    /// Whether it is a type of numbers.
    pub(crate) const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::WideInt | Self::Double)
    }

    /// The kind of a value that is no object; none for `null`.
    fn of(json: &str) -> Option<Self> {
        match json.as_bytes().first() {
            Some(b't' | b'f') => Some(Self::Bool),
            Some(b'"') => Some(Self::Text),
            Some(b'-' | b'0'..=b'9') => Some(Self::of_number(json)),
            Some(b'n') | None => None,
            Some(_) => Some(Self::Json),
        }
    }

    fn of_number(json: &str) -> Self {
        match json.parse::<i64>() {
            Ok(number) if number.unsigned_abs() <= MOST_EXACT => Self::Int,
            Ok(_) => Self::WideInt,
            // A whole number that is larger still: none of its digits is given up.
            Err(_) if json.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) => Self::Json,
            Err(_) if json.parse::<f64>().is_ok_and(f64::is_finite) => Self::Double,
            Err(_) => Self::Json,
        }
    }
}

/// A value in a column. What it holds is the JSON text of the value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    /// There is none.
    Null,
    Bool(bool),
    Number(&'a str),
    /// A text, as a JSON string.
    Text(&'a str),
    Json(&'a str),
}

impl<'a> Cell<'a> {
    /// The value as a text for a person or a field of CSV; empty for none.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(text) => Cow::Borrowed(text),
            Self::Json(json) => one_line(json),
            // Half a character, which JSON can name and no text can hold, is left as it is named.
            Self::Text(json) => serde_json::from_str(json).map_or(Cow::Borrowed(json), |text: String| text.into()),
        }
    }

    /// The value as JSON on a line.
    pub(crate) fn json(self) -> Cow<'a, str> {
        match self {
            Self::Null => Cow::Borrowed("null"),
            Self::Text(json) => Cow::Borrowed(json),
            Self::Bool(_) | Self::Number(_) | Self::Json(_) => self.text(),
        }
    }
}

impl Cell<'_> {
    /// The number, if it is one; of truth values 1 and 0.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            Self::Bool(true) => Some(1.0),
            Self::Bool(false) => Some(0.0),
            Self::Null | Self::Text(_) | Self::Json(_) => None,
        }
    }
}

/// JSON has line breaks between its parts alone, never within a string.
fn one_line(json: &str) -> Cow<'_, str> {
    if json.contains(['\n', '\r']) { Cow::Owned(json.replace(['\n', '\r'], " ")) } else { Cow::Borrowed(json) }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The wire to it.
    pub(crate) name: String,
    /// What its values are; none if there is none.
    pub(crate) kind: Option<Kind>,
}

/// What is known of the values at one place.
#[derive(Default)]
pub(crate) struct Node {
    /// What there is apart from objects; none if there is nothing.
    kind: Option<Kind>,
    /// Whether there was anything at all, `null` included.
    is_seen: bool,
    /// Whether objects are not taken apart here.
    is_whole: bool,
    members: Vec<(String, Self)>,
    /// The column of what is no object.
    column: Option<usize>,
}

impl Node {
    /// Whether there was anything.
    pub(crate) const fn is_seen(&self) -> bool {
        self.is_seen
    }

    /// Learns of a value.
    pub(crate) fn learn(&mut self, json: &str) {
        self.learn_at(json, 0);
    }

    fn learn_at(&mut self, json: &str, depth: usize) {
        self.is_seen = true;
        if !self.is_whole
            && json.starts_with('{')
            && let Ok(Top::Object(members)) = serde_json::from_str::<Top<'_>>(json)
        {
            for (key, value) in members {
                match self.member(key, depth) {
                    Some(member) => member.learn_at(value.get(), depth + 1),
                    None => break,
                }
            }
        } else {
            let kind = if json.starts_with('{') { Some(Kind::Json) } else { Kind::of(json) };
            self.add_kind(kind);
        }
    }

    fn add_kind(&mut self, kind: Option<Kind>) {
        self.kind = match (self.kind, kind) {
            (Some(known), Some(kind)) => Some(known.with(kind)),
            (known, kind) => known.or(kind),
        };
    }

    /// The node of a member, unless there are too many, in which case the object is not taken apart any more.
    fn member(&mut self, key: String, depth: usize) -> Option<&mut Self> {
        let position = match self.members.iter().position(|(known, _)| *known == key) {
            Some(position) => position,
            None if self.members.len() >= MOST_MEMBERS || depth >= MOST_DEPTH => {
                (self.is_whole, self.kind) = (true, Some(Kind::Json));
                self.members.clear();
                return None;
            }
            None => {
                self.members.push((key, Self::default()));
                self.members.len() - 1
            }
        };
        Some(&mut self.members[position].1)
    }

    /// Forgets what is at the end of a path: it is shown otherwise.
    pub(crate) fn leave_out(&mut self, path: &[Step]) {
        match path {
            [Step::Field(name), rest @ ..] => {
                if let Some(position) = self.members.iter().position(|(known, _)| known == name) {
                    if rest.is_empty() {
                        self.members.remove(position);
                    } else {
                        self.members[position].1.leave_out(rest);
                    }
                }
            }
            [] => *self = Self::default(),
            _ => {}
        }
    }

    /// Adds the columns of this place and all below it. `is_wanted`: whether there is one in any case.
    pub(crate) fn add_columns(&mut self, name: &str, is_wanted: bool, columns: &mut Vec<Column>) {
        let has_own = self.is_whole || self.kind.is_some() || (self.members.is_empty() && (self.is_seen || is_wanted));
        if has_own {
            self.column = Some(columns.len());
            columns.push(Column { name: name.to_owned(), kind: self.kind });
        }
        for (key, member) in &mut self.members {
            member.add_columns(&format!("{name}{}", Step::Field(key.clone())), false, columns);
        }
    }

    /// Puts the parts of a value into their columns.
    pub(crate) fn fill<'a>(&self, json: &'a str, cells: &mut [Cell<'a>]) {
        if !self.is_whole
            && !self.members.is_empty()
            && json.starts_with('{')
            && let Ok(Top::Object(members)) = serde_json::from_str::<Top<'a>>(json)
        {
            for (key, value) in members {
                if let Some((_, member)) = self.members.iter().find(|(known, _)| *known == key) {
                    member.fill(RawValue::get(value), cells);
                }
            }
        } else if let Some(cell) = self.column.and_then(|column| cells.get_mut(column)) {
            *cell = self.cell(json);
        }
    }

    fn cell<'a>(&self, json: &'a str) -> Cell<'a> {
        match (self.kind, json.as_bytes().first()) {
            (None, _) | (_, Some(b'n') | None) => Cell::Null,
            (Some(Kind::Json), _) => Cell::Json(json),
            (_, Some(b't')) => Cell::Bool(true),
            (_, Some(b'f')) => Cell::Bool(false),
            (_, Some(b'"')) => Cell::Text(json),
            (_, Some(b'-' | b'0'..=b'9')) => Cell::Number(json),
            (_, Some(_)) => Cell::Json(json),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Column, Kind, Node};

    fn table(values: &[&str]) -> (Vec<Column>, Vec<Vec<String>>) {
        let mut node = Node::default();
        values.iter().for_each(|value| node.learn(value));
        let mut columns = Vec::new();
        node.add_columns("s", false, &mut columns);
        let rows = values.iter().map(|value| {
            let mut cells = vec![Cell::Null; columns.len()];
            node.fill(value, &mut cells);
            cells.into_iter().map(|cell| cell.json().into_owned()).collect()
        });
        let rows = rows.collect();
        (columns, rows)
    }

    fn column(name: &str, kind: Kind) -> Column {
        Column { name: name.to_owned(), kind: Some(kind) }
    }

    fn kind_of(values: &[&str]) -> Option<Kind> {
        table(values).0[0].kind
    }

    #[test]
    fn members_are_columns_in_the_order_in_which_they_come() {
        let (columns, rows) = table(&[r#"{"b": 1, "a": {"x y": "t", "z": [1]}}"#, r#"{"a": null, "c": true}"#]);
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["s.b", r#"s.a["x y"]"#, "s.a.z", "s.c"]);
        assert_eq!(rows, [vec!["1", "\"t\"", "[1]", "null"], vec!["null", "null", "null", "true"]]);
    }

    #[test]
    fn a_type_holds_all_values_without_loss() {
        assert_eq!(kind_of(&["1", "null", "-7"]), Some(Kind::Int));
        assert_eq!(kind_of(&["1", "0.5"]), Some(Kind::Double));
        assert_eq!(kind_of(&["9007199254740993", "1"]), Some(Kind::WideInt));
        assert_eq!(kind_of(&["9007199254740993", "0.5"]), Some(Kind::Json));
        assert_eq!(kind_of(&["18446744073709551615"]), Some(Kind::Json));
        assert_eq!(kind_of(&["1e999"]), Some(Kind::Json));
        assert_eq!(kind_of(&["true", "1"]), Some(Kind::Json));
        assert_eq!(kind_of(&["\"a\"", "\"b\""]), Some(Kind::Text));
        assert_eq!(kind_of(&["null"]), None);
    }

    #[test]
    fn an_object_of_many_names_is_one_column() {
        let many: Vec<String> = (0..101).map(|at| format!("{{\"w{at}\": {at}}}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (columns, rows) = table(&many);
        assert_eq!(columns, [column("s", Kind::Json)]);
        assert_eq!(rows[7], ["{\"w7\": 7}"]);
        let deep = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
        let (columns, _) = table(&[&deep]);
        assert_eq!(columns.len(), 1);
        assert_eq!(columns[0].name, format!("s{}", ".a".repeat(8)));
    }

    #[test]
    fn an_object_beside_other_values_has_columns_for_both() {
        let (columns, rows) = table(&["3", r#"{"a": 1}"#, "[\n1]"]);
        assert_eq!(columns, [column("s", Kind::Json), column("s.a", Kind::Int)]);
        assert_eq!(rows, [vec!["3", "null"], vec!["null", "1"], vec!["[ 1]", "null"]]);
    }
}
