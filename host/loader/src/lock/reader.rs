//! Reads the values of a lockfile by their types, whatever they mean.

use std::{collections::BTreeSet, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A fault in a lockfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFault {
    /// The range of the text, in bytes; empty, at the start, if the fault is one of the whole file.
    pub at: Range<usize>,
    /// What is wrong, as a fragment in lower case.
    pub message: String,
    /// The label under the range; may be empty.
    pub label: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A table of the file.
pub(super) struct TableInFile<'a, 't> {
    pub(super) table: &'a DeTable<'t>,
    /// What messages call it.
    pub(super) what: &'static str,
    /// The range at which a missing key is reported.
    pub(super) at: Range<usize>,
}

/// Reads values, and collects the faults in them. A value in which there is a fault is none.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) faults: Vec<LockFault>,
    /// The aliases that were read so far.
    pub(super) aliases: BTreeSet<String>,
}

impl Reader {
    pub(super) fn fault(&mut self, at: Range<usize>, message: String, label: &str) {
        let label = if label.is_empty() { "here" } else { label };
        self.faults.push(LockFault { at, message, label: label.to_owned(), hint: None });
    }

    pub(super) fn syntax(&mut self, text: &str, error: &toml::de::Error) {
        let at = error.span().unwrap_or(0..0);
        let (what, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
        if what == "duplicate key" {
            let key = text.get(at.clone()).unwrap_or_default();
            return self.fault(at, format!("`{key}` is there twice"), "the second one");
        }
        // After an error the parser is confused until the end of the line: only the first error of a line helps.
        let line =
            |at: &Range<usize>| text.as_bytes()[..at.start.min(text.len())].iter().filter(|b| **b == b'\n').count();
        if !self.faults.iter().any(|seen| line(&seen.at) == line(&at)) {
            let label = if expected.is_empty() { String::new() } else { format!("expected {expected}") };
            self.fault(at, format!("this is not TOML: {what}"), &label);
        }
    }

    /// Reports unknown keys.
    pub(super) fn check_keys(&mut self, table: &DeTable<'_>, what: &str, known: &[&str]) {
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let list = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            self.faults.push(LockFault {
                at: key.span(),
                message: format!("unknown key `{}` in {what}", key.get_ref()),
                label: "no such key".to_owned(),
                hint: Some(format!("known keys: {list}")),
            });
        }
    }

    pub(super) fn get<'a, 't>(
        &mut self,
        table: &TableInFile<'a, 't>,
        key: &str,
        required: bool,
    ) -> Option<&'a Spanned<DeValue<'t>>> {
        let found = table.table.get(key);
        if found.is_none() && required {
            self.fault(table.at.clone(), format!("{} has no `{key}`", table.what), "not complete");
        }
        found
    }

    pub(super) fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) {
        let found = type_name(value.get_ref());
        self.fault(value.span(), format!("`{key}` is {found}, expected {expected}"), found);
    }

    /// A string that is not empty, and its range.
    pub(super) fn text(
        &mut self,
        table: &TableInFile<'_, '_>,
        key: &str,
        required: bool,
    ) -> Option<(String, Range<usize>)> {
        let value = self.get(table, key, required)?;
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => self.fault(value.span(), format!("`{key}` is empty"), ""),
            DeValue::String(text) => return Some((text.to_string(), value.span())),
            _ => self.wrong_type(value, key, "a string"),
        }
        None
    }

    /// A string that `read` understands.
    pub(super) fn read<T>(
        &mut self,
        table: &TableInFile<'_, '_>,
        key: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (text, at) = self.text(table, key, true)?;
        let value = read(&text);
        if value.is_none() {
            let (count, plural) = (text.chars().count(), if text.chars().count() == 1 { "" } else { "s" });
            self.fault(at, format!("`{key}` is not {expected}"), &format!("{count} character{plural}"));
        }
        value
    }

    /// Any string: a plugin may leave its version or its reason empty.
    pub(super) fn string(&mut self, table: &TableInFile<'_, '_>, key: &str) -> Option<String> {
        let value = self.get(table, key, true)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                self.wrong_type(value, key, "a string");
                None
            }
        }
    }

    /// The tables of a list, each with its range.
    pub(super) fn tables<'a, 't>(
        &mut self,
        table: &TableInFile<'a, 't>,
        key: &str,
        required: bool,
    ) -> Vec<(Range<usize>, &'a DeTable<'t>)> {
        let Some(value) = self.get(table, key, required) else { return Vec::new() };
        let DeValue::Array(list) = value.get_ref() else {
            self.wrong_type(value, key, "a list of tables");
            return Vec::new();
        };
        let mut tables = Vec::new();
        for element in list.iter() {
            match element.get_ref() {
                DeValue::Table(table) => tables.push((element.span(), table)),
                _ => self.wrong_type(element, key, "tables"),
            }
        }
        tables
    }
}

pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    }
}

pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
