//! The differences between a plugin file that was found and its entry in the lockfile.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_plugin_api::{Kind, Permission};
use serde::Serialize;

use super::{
    format::{Entry, FILE_NAME, LockedExtension, linkage_name, quoted},
    found::{Found, Undescribed},
};
use crate::Digest;

/// A part of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Where the file lies.
    Path,
    /// Native or WebAssembly.
    #[serde(rename = "form")]
    Linkage,
    /// Digest of the file.
    Sha256,
    /// Length of the file.
    Size,
    /// A library that is loaded with it.
    Dependency,
    /// Version of the contract.
    Protocol,
    /// An extension and its version.
    Extension,
    /// A permission that an extension asks for.
    Permission,
    /// A grant of the pipeline.
    Grant,
    /// The key of its signature.
    Signature,
}

/// One difference. What is on one side only is `None` on the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What differs.
    pub part: Part,
    /// The part as the lockfile has it.
    pub locked: Option<String>,
    /// The part as it was found.
    pub found: Option<String>,
    /// Whether it stops a run. A permission or grant that was removed does not, and neither does a file that only moved.
    pub stops: bool,
}

/// All differences between a file that was found and its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The plugin.
    pub alias: String,
    /// Whether the lockfile has an entry for it.
    pub locked: bool,
    /// The differences.
    pub changes: Vec<Change>,
    /// Why protocol, extensions and permissions were not compared, if they were not.
    pub undescribed: Option<String>,
    /// Whether its signature does not hold, so that it cannot be accepted either.
    pub wrongly_signed: bool,
}

impl Difference {
    /// Compares a file that was found with its entry, if it has one.
    #[must_use]
    pub fn between(locked: Option<&Entry>, found: &Found) -> Self {
        let mut changes = Changes(Vec::new());
        let there = &found.entry;
        let described = found.undescribed.is_none();
        let in_lock = |read: fn(&Entry) -> String| locked.map(read);
        changes.compare(Part::Path, in_lock(path), Some(path(there)), locked.is_none());
        changes.compare(Part::Linkage, in_lock(linkage), Some(linkage(there)), true);
        changes.compare(Part::Sha256, in_lock(sha256), Some(sha256(there)), true);
        changes.compare(Part::Size, in_lock(size), Some(size(there)), true);
        let none = BTreeMap::new();
        changes.dependencies(locked.map_or(&none, |locked| &locked.dependencies), &there.dependencies);
        if described {
            changes.compare(Part::Protocol, in_lock(protocol), Some(protocol(there)), true);
            changes.extensions(locked.map_or(&[], |locked| &locked.extensions), &there.extensions);
        }
        changes.grants(locked.map_or(&[], |locked| &locked.grants), &there.grants);
        // A signature where there was none is harmless; one that is gone, or is by another key, is not.
        let signer = |entry: &Entry| entry.signed_by.map(|key| format!("signed by {key}"));
        let locked_signer = locked.and_then(signer);
        let stops = locked_signer.is_some();
        changes.compare(Part::Signature, locked_signer, signer(there), stops);
        Self {
            alias: there.alias.clone(),
            locked: locked.is_some(),
            changes: changes.0,
            undescribed: found.undescribed.as_ref().filter(|_| !same_file(locked, there)).map(ToString::to_string),
            wrongly_signed: matches!(found.undescribed, Some(Undescribed::WronglySigned)),
        }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether it stops a run.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.changes.iter().any(|change| change.stops)
    }

    /// Whether a part differs.
    fn has(&self, part: Part) -> bool {
        self.changes.iter().any(|change| change.part == part)
    }

    /// The differences, a line each: `- ` before what is locked, `+ ` before what was found.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for change in &self.changes {
            lines.extend(change.locked.as_ref().map(|locked| format!("- {locked}")));
            lines.extend(change.found.as_ref().map(|found| format!("+ {found}")));
        }
        let is_description = |part: &Part| matches!(part, Part::Protocol | Part::Extension | Part::Permission);
        let changed = self.has(Part::Sha256);
        let same_description = !self.changes.iter().any(|change| is_description(&change.part));
        match &self.undescribed {
            Some(why) => lines.push(format!("  what it offers and asks for is not shown: {why}")),
            None if changed && same_description => lines.push("  what it offers and asks for is the same".to_owned()),
            None => {}
        }
        lines
    }

    /// A summary, as the predicate of a sentence about the plugin.
    #[must_use]
    pub fn summary(&self) -> String {
        let widened = |part: Part| {
            self.changes.iter().any(|change| change.part == part && change.stops && change.found.is_some())
        };
        if self.is_empty() {
            format!("is what `{FILE_NAME}` holds")
        } else if !self.locked {
            format!("is not in `{FILE_NAME}`")
        } else if widened(Part::Sha256) {
            let more = if widened(Part::Permission) { ", and asks for more than that did" } else { "" };
            format!("is not the file that `{FILE_NAME}` holds{more}")
        } else if widened(Part::Dependency) {
            format!("would be loaded with another library than `{FILE_NAME}` holds")
        } else if self
            .changes
            .iter()
            .any(|change| change.stops && !matches!(change.part, Part::Grant | Part::Signature))
        {
            format!("is not what `{FILE_NAME}` says of it, though the file is the same")
        } else if widened(Part::Grant) {
            format!("is granted more than `{FILE_NAME}` holds")
        } else if self.stops() {
            format!("does not come with the signature that `{FILE_NAME}` holds")
        } else {
            format!("differs from `{FILE_NAME}` in what does no harm")
        }
    }

    /// What can be done about it; `update` and `lock` are the commands that accept it.
    #[must_use]
    pub fn hint(&self, update: &str, lock: &str) -> String {
        let stops = |part: Part| self.changes.iter().any(|change| change.part == part && change.stops);
        if self.wrongly_signed {
            "get the original file back: one whose signature does not hold cannot be accepted".to_owned()
        } else if !self.locked {
            format!("if it may run, accept it: `{lock}`")
        } else if stops(Part::Sha256) || stops(Part::Dependency) {
            format!("if the change is yours, accept it: `{update}`; if not, get the original file back")
        } else if stops(Part::Signature) {
            format!("get its signature back; or, if it may go without, accept that: `{update}`")
        } else if stops(Part::Grant) && !stops(Part::Permission) && !stops(Part::Extension) {
            format!("if it may have that, accept it: `{update}`; if not, take it out of the pipeline")
        } else {
            format!("`{FILE_NAME}` was changed: get the original back, or accept what is there: `{update}`")
        }
    }
}

/// Whether the file is the one that was locked, so that no description is needed.
fn same_file(locked: Option<&Entry>, there: &Entry) -> bool {
    locked.is_some_and(|locked| locked.sha256 == there.sha256)
}

fn path(entry: &Entry) -> String {
    format!("path = {}", quoted(&entry.path))
}

fn linkage(entry: &Entry) -> String {
    format!("form = {}", quoted(linkage_name(entry.linkage)))
}

fn sha256(entry: &Entry) -> String {
    format!("sha256 = \"{}\"", entry.sha256)
}

fn size(entry: &Entry) -> String {
    format!("size = {}", entry.size)
}

fn protocol(entry: &Entry) -> String {
    format!("protocol = \"{}.{}\"", entry.protocol.0, entry.protocol.1)
}

/// The permissions that an extension asks for, with their reasons.
fn reasons_by_permission(extension: Option<&LockedExtension>) -> BTreeMap<String, Vec<String>> {
    let mut reasons = BTreeMap::<String, Vec<String>>::new();
    for Permission { name, reason } in extension.into_iter().flat_map(|extension| &extension.permissions) {
        reasons.entry(name.clone()).or_default().push(reason.clone());
    }
    reasons
}

/// The changes found so far.
struct Changes(Vec<Change>);

impl Changes {
    /// Compares one part.
    fn compare(&mut self, part: Part, locked: Option<String>, found: Option<String>, stops: bool) {
        if locked != found {
            self.0.push(Change { part, locked, found, stops });
        }
    }

    fn extensions(&mut self, locked: &[LockedExtension], found: &[LockedExtension]) {
        let mut both: BTreeMap<(Kind, &str), [Option<&LockedExtension>; 2]> = BTreeMap::new();
        for (side, extensions) in [locked, found].into_iter().enumerate() {
            for extension in extensions {
                both.entry((extension.kind, &extension.name)).or_default()[side] = Some(extension);
            }
        }
        for ((kind, name), [locked, found]) in both {
            let version =
                |extension: &LockedExtension| format!("{kind} {} {}", quoted(name), quoted(&extension.version));
            self.compare(Part::Extension, locked.map(version), found.map(version), true);
            let (locked, found) = (reasons_by_permission(locked), reasons_by_permission(found));
            let line = |permission: &str, reasons: &Vec<String>| {
                let reasons: Vec<String> = reasons.iter().map(|reason| quoted(reason)).collect();
                format!("{kind} {} asks for {} ({})", quoted(name), quoted(permission), reasons.join(", "))
            };
            for (permission, reasons) in &locked {
                let now = found.get(permission).map(|reasons| line(permission, reasons));
                self.compare(Part::Permission, Some(line(permission, reasons)), now, false);
            }
            for (permission, reasons) in found.iter().filter(|(permission, _)| !locked.contains_key(*permission)) {
                self.compare(Part::Permission, None, Some(line(permission, reasons)), true);
            }
        }
    }

    fn dependencies(&mut self, locked: &BTreeMap<String, Digest>, found: &BTreeMap<String, Digest>) {
        let line = |name: &str, digest: &Digest| format!("loaded with {} sha256 \"{digest}\"", quoted(name));
        let names: BTreeSet<&String> = locked.keys().chain(found.keys()).collect();
        for name in names {
            let line_in = |entries: &BTreeMap<String, Digest>| entries.get(name).map(|digest| line(name, digest));
            self.compare(Part::Dependency, line_in(locked), line_in(found), found.contains_key(name));
        }
    }

    fn grants(&mut self, locked: &[String], found: &[String]) {
        let line = |grant: &String| format!("granted {}", quoted(grant));
        for grant in locked.iter().filter(|grant| !found.contains(grant)) {
            self.compare(Part::Grant, Some(line(grant)), None, false);
        }
        for grant in found.iter().filter(|grant| !locked.contains(grant)) {
            self.compare(Part::Grant, None, Some(line(grant)), true);
        }
    }
}
