//! The plugins that a pipeline loads, as they are written.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::fields::Fields;
use crate::{
    diagnostics::Span,
    syntax::{Key, Node, Value},
};
use jackfield_loader::{Digest, sandbox::Grant};

/// A plugin to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginEntry {
    /// The name that it has in the pipeline.
    pub alias: String,
    /// The file, absolute.
    pub path: PathBuf,
    /// Whether native code may run.
    pub allow_native: bool,
    /// The digest that the file is pinned to.
    pub sha256: Option<Digest>,
    /// The digests to which the libraries are pinned that a native plugin needs, by their names.
    pub dependencies: BTreeMap<String, Digest>,
    /// What it may do, of what it asks for.
    pub grants: Vec<Grant>,
    /// What it may do besides, because the command line grants it: only this time, and so regardless of the lockfile.
    pub granted_now: Vec<Grant>,
    /// The span of the path.
    pub span: Span,
}

pub(crate) fn plugin(folder: &Path, alias: &Key, node: &Node) -> Option<PluginEntry> {
    let fields = Fields::of_file_table(Some(node), "plugins");
    let path = fields.text("path")?;
    Some(PluginEntry {
        alias: alias.text.clone(),
        path: folder.join(&path.value),
        allow_native: fields.flag("allow_native").unwrap_or_default(),
        sha256: fields.text("sha256").and_then(|digits| Digest::parse(&digits.value)),
        dependencies: dependencies(fields.get("dependencies")),
        granted_now: Vec::new(),
        grants: fields.texts("grant").iter().filter_map(|grant| Grant::parse(&grant.value, folder).ok()).collect(),
        span: path.span,
    })
}

fn dependencies(node: Option<&Node>) -> BTreeMap<String, Digest> {
    let Some(Node { value: Value::Table(table), .. }) = node else { return BTreeMap::new() };
    let pin = |(name, digest): &(Key, Node)| Some((name.text.clone(), Digest::parse(digest.as_str()?)?));
    table.0.iter().filter_map(pin).collect()
}
