//! Reads the text of a lockfile, and reports all faults in it with their positions.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use jackfield_plugin_api::{Kind, Permission};
use toml::de::{DeTable, DeValue};

use super::{
    format::{Entry, Lock, LockedExtension, VERSION, linkage_name},
    reader::{LockFault, Reader, TableInFile, integer},
    signature::KeyId,
};
use crate::{Digest, Linkage};

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
    let mut reader = Reader::default();
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

impl Reader {
    fn lock(&mut self, root: &DeTable<'_>) -> Lock {
        let mut lock = Lock::default();
        let table = TableInFile { table: root, what: "the lockfile", at: 0..0 };
        for (at, table) in self.tables(&table, "plugin", false) {
            if let Some(entry) = self.entry(at, table) {
                lock.insert(entry);
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
}
