//! Reads the text of a lockfile, and reports all faults in it with their positions.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use jackfield_plugin_api::{Kind, Permission};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    format::{Entry, Lock, LockedExtension, VERSION, linkage_name},
    signature::KeyId,
};
use crate::{Digest, Linkage};

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

const REMAKE: &str = "get it back from where it is kept; or remove it, write it anew with `jackfield plugins lock`, and look \
                      at what it holds";

/// Reads a lockfile.
///
/// # Errors
/// All faults, in the order of the text; never empty.
pub fn parse(bytes: &[u8]) -> Result<Lock, Vec<LockFault>> {
    let single_fault = |at, message: String, label: &str, hint: &str| {
        vec![LockFault { at, message, label: label.to_owned(), hint: Some(hint.to_owned()) }]
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let message = format!("the lockfile is not UTF-8: byte 0x{:02x} at offset {at}", bytes[at]);
        single_fault(0..0, message, "", REMAKE)
    })?;
    if let Some(at) = conflict_marker(text) {
        let hint = "keep one side of each conflict, then look at `jackfield plugins diff`, and take what is yours over \
                    with `jackfield plugins update`";
        return Err(single_fault(
            at,
            "the lockfile has an unresolved merge conflict".to_owned(),
            "left by a merge",
            hint,
        ));
    }
    let mut reader = Reader { faults: Vec::new(), aliases: BTreeSet::new() };
    let (parsed, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reader.syntax(text, error);
    }
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    let root = parsed.get_ref();
    // The keys of another version are not known, so nothing else is checked.
    match root.get("version").map(|version| (version.span(), integer(version.get_ref()))) {
        Some((_, Some(VERSION))) => {}
        Some((at, Some(other))) => {
            let message = format!("the lockfile is of version {other}, this jackfield reads version {VERSION}");
            let hint = if other > VERSION { "a newer jackfield is needed" } else { REMAKE };
            return Err(single_fault(at, message, "another version", hint));
        }
        Some((at, None)) => return Err(single_fault(at, "`version` is not an integer".to_owned(), "", REMAKE)),
        None => return Err(single_fault(0..0, "the lockfile has no `version`".to_owned(), "", REMAKE)),
    }
    reader.check_keys(root, "the lockfile", &["version", "plugin"]);
    let lock = reader.lock(root);
    if reader.faults.is_empty() {
        Ok(lock)
    } else {
        reader.faults.sort_by_key(|fault| (fault.at.start, fault.at.end));
        Err(reader.faults)
    }
}

/// The first line that marks a conflict of a merge.
fn conflict_marker(text: &str) -> Option<Range<usize>> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let whole = line.trim_end_matches(['\n', '\r']);
        if whole == "=======" || ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|mark| whole.starts_with(mark)) {
            return Some(at..at + whole.len());
        }
        at += line.len();
    }
    None
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
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

/// A table of the file.
struct TableInFile<'a, 't> {
    table: &'a DeTable<'t>,
    /// What messages call it.
    what: &'static str,
    /// The range at which a missing key is reported.
    at: Range<usize>,
}

struct Reader {
    faults: Vec<LockFault>,
    /// The aliases that were read so far.
    aliases: BTreeSet<String>,
}

impl Reader {
    fn fault(&mut self, at: Range<usize>, message: String, label: &str) {
        let label = if label.is_empty() { "here" } else { label };
        self.faults.push(LockFault { at, message, label: label.to_owned(), hint: None });
    }

    fn syntax(&mut self, text: &str, error: &toml::de::Error) {
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
    fn check_keys(&mut self, table: &DeTable<'_>, what: &str, known: &[&str]) {
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

    fn lock(&mut self, root: &DeTable<'_>) -> Lock {
        let mut lock = Lock::default();
        let table = TableInFile { table: root, what: "the lockfile", at: 0..0 };
        for (at, table) in self.tables(&table, "plugin", false) {
            if let Some(entry) = self.entry(at, table) {
                lock.put(entry);
            }
        }
        lock
    }

    /// Reads an entry. None if there is a fault in it, which is reported.
    fn entry(&mut self, at: Range<usize>, table: &DeTable<'_>) -> Option<Entry> {
        let known =
            ["alias", "path", "form", "sha256", "size", "dependencies", "protocol", "grants", "signed_by", "extension"];
        self.check_keys(table, "a plugin", &known);
        let table = TableInFile { table, what: "a plugin", at };
        let alias = self.text(&table, "alias", true).map(|(alias, at)| {
            if !self.aliases.insert(alias.clone()) {
                self.fault(at, format!("plugin `{alias}` is there twice"), "the second one");
            }
            alias
        });
        let path = self.text(&table, "path", true);
        let linkage = self.linkage(&table);
        let sha256 = self.digest(&table);
        let size = self.size(&table);
        let dependencies = self.dependencies(&table);
        let protocol = self.protocol(&table);
        let grants = self.grants(&table);
        let signed_by = self.key(&table);
        let extensions = self.extensions(&table);
        Some(Entry {
            alias: alias?,
            path: path?.0,
            linkage: linkage?,
            sha256: sha256?,
            size: size?,
            dependencies: dependencies?,
            protocol: protocol?,
            extensions: extensions?,
            grants: grants?,
            signed_by: signed_by?,
        })
    }

    fn get<'a, 't>(
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

    fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) {
        let found = type_name(value.get_ref());
        self.fault(value.span(), format!("`{key}` is {found}, expected {expected}"), found);
    }

    /// A string that is not empty, and its range.
    fn text(&mut self, table: &TableInFile<'_, '_>, key: &str, required: bool) -> Option<(String, Range<usize>)> {
        let value = self.get(table, key, required)?;
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => self.fault(value.span(), format!("`{key}` is empty"), ""),
            DeValue::String(text) => return Some((text.to_string(), value.span())),
            _ => self.wrong_type(value, key, "a string"),
        }
        None
    }

    /// A string that `read` understands.
    fn read<T>(
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

    fn linkage(&mut self, table: &TableInFile<'_, '_>) -> Option<Linkage> {
        self.read(table, "form", "`native` or `wasm`", |text| {
            [Linkage::Native, Linkage::Wasm].into_iter().find(|linkage| linkage_name(*linkage) == text)
        })
    }

    fn digest(&mut self, table: &TableInFile<'_, '_>) -> Option<Digest> {
        self.read(table, "sha256", "64 hexadecimal digits", Digest::parse)
    }

    fn size(&mut self, table: &TableInFile<'_, '_>) -> Option<u64> {
        let value = self.get(table, "size", true)?;
        let size = integer(value.get_ref()).and_then(|size| u64::try_from(size).ok());
        if size.is_none() {
            self.wrong_type(value, "size", "a number of bytes");
        }
        size
    }

    /// The libraries that are loaded with it; most plugins have none.
    fn dependencies(&mut self, table: &TableInFile<'_, '_>) -> Option<BTreeMap<String, Digest>> {
        let Some(value) = table.table.get("dependencies") else { return Some(BTreeMap::new()) };
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(value, "dependencies", "a table of digests");
            return None;
        };
        let mut all = Some(BTreeMap::new());
        for (name, digest) in table.iter() {
            let read = match digest.get_ref() {
                DeValue::String(text) => Digest::parse(text),
                _ => None,
            };
            match (read, &mut all) {
                (Some(digest), Some(all)) => _ = all.insert(name.get_ref().to_string(), digest),
                (Some(_), None) => {}
                (None, _) => {
                    self.fault(digest.span(), format!("`{}` is not 64 hexadecimal digits", name.get_ref()), "");
                    all = None;
                }
            }
        }
        all
    }

    fn protocol(&mut self, table: &TableInFile<'_, '_>) -> Option<(u16, u16)> {
        self.read(table, "protocol", "a version such as `0.1`", |text| {
            let (major, minor) = text.split_once('.')?;
            let number = |digits: &str| {
                let plain =
                    digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
                digits.parse().ok().filter(|_| plain)
            };
            Some((number(major)?, number(minor)?))
        })
    }

    fn grants(&mut self, table: &TableInFile<'_, '_>) -> Option<Vec<String>> {
        let value = self.get(table, "grants", true)?;
        let DeValue::Array(list) = value.get_ref() else {
            self.wrong_type(value, "grants", "a list of strings");
            return None;
        };
        let mut grants = Some(Vec::new());
        for element in list.iter() {
            match element.get_ref() {
                DeValue::String(text) if !text.is_empty() => {
                    if let Some(grants) = &mut grants {
                        grants.push(text.to_string());
                    }
                }
                DeValue::String(_) => {
                    self.fault(element.span(), "a grant is empty".to_owned(), "");
                    grants = None;
                }
                _ => {
                    self.wrong_type(element, "grants", "strings");
                    grants = None;
                }
            }
        }
        grants
    }

    /// The key of a signature: `Some(None)` if there is none.
    fn key(&mut self, table: &TableInFile<'_, '_>) -> Option<Option<KeyId>> {
        if table.table.get("signed_by").is_none() {
            return Some(None);
        }
        self.read(table, "signed_by", "a key id of 16 hexadecimal digits", KeyId::parse).map(Some)
    }

    fn extensions(&mut self, table: &TableInFile<'_, '_>) -> Option<Vec<LockedExtension>> {
        let (mut all, mut seen) = (Some(Vec::new()), BTreeSet::new());
        for (at, table) in self.tables(table, "extension", true) {
            match self.extension(at, table) {
                Some((extension, named)) => {
                    if !seen.insert((extension.kind, extension.name.clone())) {
                        let message = format!("the {} `{}` is there twice", extension.kind, extension.name);
                        self.fault(named, message, "the second one");
                        all = None;
                    }
                    if let Some(all) = &mut all {
                        all.push(extension);
                    }
                }
                None => all = None,
            }
        }
        all
    }

    fn extension(&mut self, at: Range<usize>, table: &DeTable<'_>) -> Option<(LockedExtension, Range<usize>)> {
        self.check_keys(table, "an extension", &["kind", "name", "version", "permissions"]);
        let table = TableInFile { table, what: "an extension", at };
        let kinds = Kind::ALL.map(|kind| format!("`{kind}`")).join(", ");
        let kind = self.read(&table, "kind", &format!("a kind of extension: {kinds}"), Kind::from_name);
        let name = self.text(&table, "name", true);
        let version = self.string(&table, "version");
        let permissions = self.permissions(&table);
        let (name, named) = name?;
        Some((LockedExtension { kind: kind?, name, version: version?, permissions: permissions? }, named))
    }

    /// Any string: a plugin may leave its version or its reason empty.
    fn string(&mut self, table: &TableInFile<'_, '_>, key: &str) -> Option<String> {
        let value = self.get(table, key, true)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                self.wrong_type(value, key, "a string");
                None
            }
        }
    }

    fn permissions(&mut self, table: &TableInFile<'_, '_>) -> Option<Vec<Permission>> {
        let mut all = Some(Vec::new());
        for (at, table) in self.tables(table, "permissions", true) {
            self.check_keys(table, "a permission", &["name", "reason"]);
            let table = TableInFile { table, what: "a permission", at };
            let (name, reason) = (self.string(&table, "name"), self.string(&table, "reason"));
            match (name.zip(reason), &mut all) {
                (Some((name, reason)), Some(all)) => all.push(Permission { name, reason }),
                _ => all = None,
            }
        }
        all
    }

    /// The tables of a list, each with its range.
    fn tables<'a, 't>(
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
