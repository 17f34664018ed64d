//! Which extension each stage runs, and which each service is made of.

use std::collections::BTreeSet;

use jackfield_plugin_api::{Kind, Picks};

use super::checker::Checker;
use crate::{
    diagnostics::{Diagnostic, Span, Spanned, suggest},
    plan::ExtensionRef,
};
use jackfield_loader::{ExtensionEntry, Plugin, Registry};

impl<'a> Checker<'a> {
    /// Looks up the extension of each stage.
    pub(crate) fn look_up_extensions(&mut self, registry: &'a Registry) {
        self.check_aliases(registry);
        let parsed = self.parsed;
        for stage in &parsed.stages {
            let kinds = match stage.kind {
                Some(kind) => vec![kind],
                None => stage_kinds(),
            };
            let found = self.look_up(registry, &kinds, stage.uses.as_ref());
            self.extensions.push(found);
        }
    }

    /// Looks up one extension of these kinds; diagnostics say what is wrong with the reference.
    pub(crate) fn look_up(
        &mut self,
        registry: &'a Registry,
        kinds: &[Kind],
        uses: Option<&Spanned<String>>,
    ) -> Option<(&'a Plugin, &'a ExtensionEntry)> {
        let uses = uses?;
        let found = registry.find_all(kinds, &uses.value);
        match found.as_slice() {
            [] => self.report_missing(registry, kinds, uses),
            [only] => return Some(*only),
            several => self.diagnostics.push(ambiguous(several, uses)),
        }
        None
    }

    /// Reports two plugins of the same name, as references to them would be ambiguous.
    fn check_aliases(&mut self, registry: &Registry) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for plugin in registry.plugins() {
            let entry = self.parsed.plugins.iter().find(|entry| entry.alias == plugin.alias);
            if !seen.insert(&plugin.alias)
                && let Some(entry) = entry
            {
                let message = format!("two plugins are called `{}`", plugin.alias);
                self.diagnostics.push(Diagnostic::at("duplicate-plugin", entry.span, message));
            }
        }
    }

    fn report_missing(&mut self, registry: &Registry, kinds: &[Kind], uses: &Spanned<String>) {
        let diagnostic = |at: Span, message: String| Diagnostic::at("unknown-extension", at, message);
        let kind = joined(kinds.iter().map(Kind::to_string), "or");
        // A stage that says its kind may have said the wrong one.
        let others: Vec<Kind> = stage_kinds().into_iter().filter(|other| !kinds.contains(other)).collect();
        let other = if kinds.iter().all(|kind| kind.is_for_stages()) {
            registry.find_all(&others, &uses.value)
        } else {
            Vec::new()
        };
        if let Some((_, entry)) = other.first() {
            let other_kind = entry.descriptor.kind;
            let message = format!("there is no {kind} `{}`", uses.value);
            let hint = format!(
                "`{}` is {} {other_kind}: leave `kind` out, or say `kind = \"{other_kind}\"`",
                uses.value,
                article(other_kind)
            );
            return self.diagnostics.push(diagnostic(uses.span, message).hint(hint));
        }
        if let Some((alias, name)) = uses.value.split_once('/') {
            let at = self.span_of_part(uses, alias);
            match registry.plugins().iter().find(|plugin| plugin.alias == alias) {
                Some(plugin) => {
                    let descriptors = plugin.extensions.iter().map(|entry| &entry.descriptor);
                    let extensions = descriptors.filter(|descriptor| kinds.contains(&descriptor.kind));
                    let names = extensions.map(|entry| entry.name.as_str());
                    let at = self.span_of_part(uses, name);
                    self.diagnostics.push(diagnostic(at, format!("plugin `{alias}` offers no {kind} `{name}`")).hint(
                        suggest::hint_for(name, &format!("its {}", joined(kinds.iter().map(plural), "and")), names),
                    ));
                }
                // It is in the pipeline, so it could not be loaded, which is reported.
                None if self.parsed.plugins.iter().any(|entry| entry.alias == alias) => {}
                None => {
                    let aliases = registry.plugins().iter().map(|plugin| plugin.alias.as_str());
                    self.diagnostics.push(
                        diagnostic(at, format!("there is no plugin `{alias}`")).hint(suggest::hint_for(
                            alias,
                            "known plugins",
                            aliases,
                        )),
                    );
                }
            }
            return;
        }
        let extensions = kinds.iter().flat_map(|kind| registry.extensions(*kind));
        let names: BTreeSet<&str> = extensions.map(|(_, entry)| entry.descriptor.name.as_str()).collect();
        // A plugin that failed to load may be the one that offers it.
        if self.parsed.plugins_missing && suggest::nearest(&uses.value, names.iter().copied()).is_none() {
            return;
        }
        self.diagnostics.push(diagnostic(uses.span, format!("there is no {kind} `{}`", uses.value)).hint(
            suggest::hint_for(&uses.value, &format!("known {}", joined(kinds.iter().map(plural), "and")), names),
        ));
    }

    /// The span of a part of a string.
    fn span_of_part(&self, string: &Spanned<String>, part: &str) -> Span {
        let raw = self.parsed.sources.text(string.span);
        let found = raw
            .find(&string.value)
            .and_then(|_| if string.value.starts_with(part) { raw.find(part) } else { raw.rfind(part) });
        match found {
            Some(at) if !part.is_empty() => string.span.part(at..at + part.len()),
            _ => string.span,
        }
    }
}

/// The kinds of extension that a stage may run.
fn stage_kinds() -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|kind| kind.is_for_stages()).collect()
}

/// Names of kinds in a row: `analyzer or direction-extractor`.
fn joined(names: impl Iterator<Item = String>, word: &str) -> String {
    names.collect::<Vec<_>>().join(&format!(" {word} "))
}

fn plural(kind: &Kind) -> String {
    if *kind == Kind::RoutingPolicy { "routing-policies".to_owned() } else { format!("{kind}s") }
}

fn article(kind: Kind) -> &'static str {
    if kind == Kind::Analyzer { "an" } else { "a" }
}

/// The diagnostic of a reference that can mean several extensions.
fn ambiguous(several: &[(&Plugin, &ExtensionEntry)], uses: &Spanned<String>) -> Diagnostic {
    let name = uses.value.rsplit('/').next().unwrap_or_default();
    let mut kinds: Vec<Kind> = several.iter().map(|(_, entry)| entry.descriptor.kind).collect();
    kinds.dedup();
    let mut plugins: Vec<String> = several.iter().map(|(plugin, _)| format!("`{}/{name}`", plugin.alias)).collect();
    plugins.dedup();
    let (message, ways) = match kinds.as_slice() {
        [kind] => (format!("several plugins offer {} {kind} `{name}`", article(*kind)), plugins),
        kinds => {
            let each = several.iter().map(|(plugin, entry)| {
                let kind = entry.descriptor.kind;
                format!("{} {kind} of plugin `{}`", article(kind), plugin.alias)
            });
            let message = format!("`{name}` is the name of {}", each.collect::<Vec<_>>().join(" and of "));
            let mut ways: Vec<String> = kinds.iter().map(|kind| format!("`kind = \"{kind}\"`")).collect();
            let mut aliases: Vec<&str> = several.iter().map(|(plugin, _)| plugin.alias.as_str()).collect();
            aliases.sort_unstable();
            aliases.dedup();
            if aliases.len() == several.len() {
                ways.extend(plugins);
            }
            (message, ways)
        }
    };
    let hint = format!("say which: {}", ways.join(" or "));
    Diagnostic::at("ambiguous-extension", uses.span, message).hint(hint)
}

/// A reference to an extension, pinned by the digest of its plugin.
pub(crate) fn extension_ref(plugin: &Plugin, entry: &ExtensionEntry) -> ExtensionRef {
    let descriptor = &entry.descriptor;
    ExtensionRef {
        plugin: plugin.alias.clone(),
        linkage: plugin.linkage,
        kind: descriptor.kind,
        name: descriptor.name.clone(),
        version: descriptor.version.clone(),
        digest: plugin.digest.clone(),
    }
}

/// A hint that names the policies which pick arms, or values.
pub(crate) fn policies(registry: &Registry, picks: Picks) -> Option<String> {
    let names: BTreeSet<&str> = registry
        .extensions(Kind::RoutingPolicy)
        .filter(|(_, entry)| Picks::from_descriptor(&entry.descriptor) == picks)
        .map(|(_, entry)| entry.descriptor.name.as_str())
        .collect();
    let what = if picks == Picks::Values { "values" } else { "arms" };
    (!names.is_empty()).then(|| format!("policies that pick {what}: {}", suggest::list(names)))
}
