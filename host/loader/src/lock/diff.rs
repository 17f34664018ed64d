//! What is there against what is locked.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_plugin_api::{Kind, Permission};
use serde::Serialize;

use super::{
    format::{Entry, FILE_NAME, LockedExtension, linkage_name, quoted},
    verify::{Found, Undescribed},
};
use crate::Digest;

/// What an entry says of a plugin.
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
    /// What an extension asks for.
    Permission,
    /// What the pipeline grants.
    Grant,
    /// By whom it is signed.
    Signature,
}

/// One thing that differs. What is on one side alone is `None` on the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What differs.
    pub part: Part,
    /// What the lockfile holds.
    pub locked: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// Whether it stops a run. What was taken away stops none, and neither does a file that only moved.
    pub stops: bool,
}

/// All that differs between an entry and what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The plugin.
    pub alias: String,
    /// Whether the lockfile has an entry for it.
    pub locked: bool,
    /// What differs.
    pub changes: Vec<Change>,
    /// Why protocol, extensions and permissions were not compared, if they were not.
    pub undescribed: Option<String>,
    /// Whether its signature does not hold, so that it cannot be accepted either.
    pub wrongly_signed: bool,
}

impl Difference {
    /// Compares what is there with its entry, if it has one.
    #[must_use]
    pub fn between(locked: Option<&Entry>, found: &Found) -> Self {
        let mut changes = Changes(Vec::new());
        let there = &found.entry;
        let described = found.undescribed.is_none();
        let before = |read: fn(&Entry) -> String| locked.map(read);
        changes.one(Part::Path, before(path), Some(path(there)), locked.is_none());
        changes.one(Part::Linkage, before(linkage), Some(linkage(there)), true);
        changes.one(Part::Sha256, before(sha256), Some(sha256(there)), true);
        changes.one(Part::Size, before(size), Some(size(there)), true);
        let none = BTreeMap::new();
        changes.dependencies(locked.map_or(&none, |locked| &locked.dependencies), &there.dependencies);
        if described {
            changes.one(Part::Protocol, before(protocol), Some(protocol(there)), true);
            changes.extensions(locked.map_or(&[], |locked| &locked.extensions), &there.extensions);
        }
        changes.grants(locked.map_or(&[], |locked| &locked.grants), &there.grants);
        // A signature that is new gives no cause for alarm; one that is gone or another's does.
        let signer = |entry: &Entry| entry.signed_by.map(|key| format!("signed by {key}"));
        let was = locked.and_then(signer);
        let stops = was.is_some();
        changes.one(Part::Signature, was, signer(there), stops);
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

    /// Whether this differs.
    fn has(&self, part: Part) -> bool {
        self.changes.iter().any(|change| change.part == part)
    }

    /// The difference, a line each: `- ` what is locked, `+ ` what is there.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for change in &self.changes {
            lines.extend(change.locked.as_ref().map(|was| format!("- {was}")));
            lines.extend(change.found.as_ref().map(|is| format!("+ {is}")));
        }
        let entry = |part: &Part| matches!(part, Part::Protocol | Part::Extension | Part::Permission);
        let (changed, same_offer) = (self.has(Part::Sha256), !self.changes.iter().any(|change| entry(&change.part)));
        match &self.undescribed {
            Some(why) => lines.push(format!("  what it offers and asks for is not shown: {why}")),
            None if changed && same_offer => lines.push("  what it offers and asks for is the same".to_owned()),
            None => {}
        }
        lines
    }

    /// What it comes to, as the predicate of a sentence about the plugin.
    #[must_use]
    pub fn summary(&self) -> String {
        let widened = |part: Part| {
            let more = |change: &Change| change.part == part && change.stops && change.found.is_some();
            self.changes.iter().any(more)
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
        let part = |part: Part| self.changes.iter().any(|change| change.part == part && change.stops);
        if self.wrongly_signed {
            "get the original file back: one whose signature does not hold cannot be accepted".to_owned()
        } else if !self.locked {
            format!("if it may run, accept it: `{lock}`")
        } else if part(Part::Sha256) || part(Part::Dependency) {
            format!("if the change is yours, accept it: `{update}`; if not, get the original file back")
        } else if part(Part::Signature) {
            format!("get its signature back; or, if it may go without, accept that: `{update}`")
        } else if part(Part::Grant) && !part(Part::Permission) && !part(Part::Extension) {
            format!("if it may have that, accept it: `{update}`; if not, take it out of the pipeline")
        } else {
            format!("`{FILE_NAME}` was changed: get the original back, or accept what is there: `{update}`")
        }
    }
}

/// Whether the file is the one that was locked, so that what it offers need not be asked.
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

/// The changes found so far.
struct Changes(Vec<Change>);

impl Changes {
    /// Compares one thing.
    fn one(&mut self, part: Part, locked: Option<String>, found: Option<String>, stops: bool) {
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
        for ((kind, name), [was, is]) in both {
            let version = |one: &LockedExtension| format!("{kind} {} {}", quoted(name), quoted(&one.version));
            self.one(Part::Extension, was.map(version), is.map(version), true);
            let asked = |one: Option<&LockedExtension>| -> BTreeMap<String, Vec<String>> {
                let mut asked = BTreeMap::<String, Vec<String>>::new();
                for Permission { name, reason } in one.into_iter().flat_map(|one| &one.permissions) {
                    asked.entry(name.clone()).or_default().push(reason.clone());
                }
                asked
            };
            let (was, is) = (asked(was), asked(is));
            let line = |permission: &str, reasons: &Vec<String>| {
                let reasons: Vec<String> = reasons.iter().map(|reason| quoted(reason)).collect();
                format!("{kind} {} asks for {} ({})", quoted(name), quoted(permission), reasons.join(", "))
            };
            for (permission, reasons) in &was {
                let now = is.get(permission).map(|now| line(permission, now));
                self.one(Part::Permission, Some(line(permission, reasons)), now, false);
            }
            for (permission, reasons) in is.iter().filter(|(permission, _)| !was.contains_key(*permission)) {
                self.one(Part::Permission, None, Some(line(permission, reasons)), true);
            }
        }
    }

    fn dependencies(&mut self, locked: &BTreeMap<String, Digest>, found: &BTreeMap<String, Digest>) {
        let line = |name: &str, digest: &Digest| format!("loaded with {} sha256 \"{digest}\"", quoted(name));
        let names: BTreeSet<&String> = locked.keys().chain(found.keys()).collect();
        for name in names {
            let side = |side: &BTreeMap<String, Digest>| side.get(name).map(|digest| line(name, digest));
            self.one(Part::Dependency, side(locked), side(found), found.contains_key(name));
        }
    }

    fn grants(&mut self, locked: &[String], found: &[String]) {
        let line = |grant: &String| format!("granted {}", quoted(grant));
        for grant in locked.iter().filter(|grant| !found.contains(grant)) {
            self.one(Part::Grant, Some(line(grant)), None, false);
        }
        for grant in found.iter().filter(|grant| !locked.contains(grant)) {
            self.one(Part::Grant, None, Some(line(grant)), true);
        }
    }
}
