//! Which extension each stage runs.

use std::collections::BTreeSet;

use jackfield_plugin_api::Kind;

use super::Checker;
use crate::{
    pipeline::{
        faults::Fault,
        source::{Span, Spanned},
        suggest,
    },
    plugin::{Lookup, Offer, Plugin, Registry},
};

impl<'a> Checker<'a> {
    /// Looks up the extension of each stage.
    pub(super) fn extensions(&mut self, registry: &'a Registry) {
        self.aliases(registry);
        let draft = self.draft;
        for stage in &draft.stages {
            let found = self.look_up(registry, Kind::Analyzer, stage.uses.as_ref());
            self.offers.push(found);
        }
    }

    /// Looks up one extension; faults say what is wrong with the reference.
    pub(super) fn look_up(
        &mut self,
        registry: &'a Registry,
        kind: Kind,
        uses: Option<&Spanned<String>>,
    ) -> Option<(&'a Plugin, &'a Offer)> {
        let uses = uses?;
        match registry.find(kind, &uses.value) {
            Lookup::Found(plugin, offer) => Some((plugin, offer)),
            Lookup::Missing => {
                self.missing(registry, kind, uses);
                None
            }
            Lookup::Ambiguous(first, second) => {
                let name = uses.value.rsplit('/').next().unwrap_or_default();
                let article = if kind == Kind::Analyzer { "an" } else { "a" };
                let message = format!("several plugins offer {article} {kind} `{name}`");
                let hint = format!("say which: `{}/{name}` or `{}/{name}`", first.alias, second.alias);
                self.faults.push(Fault::at("ambiguous-extension", uses.span, message).hint(hint));
                None
            }
        }
    }

    /// Two plugins of one name could not be told apart.
    fn aliases(&mut self, registry: &Registry) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for plugin in registry.plugins() {
            let entry = self.draft.plugins.iter().find(|entry| entry.alias == plugin.alias);
            if !seen.insert(&plugin.alias)
                && let Some(entry) = entry
            {
                let message = format!("two plugins are called `{}`", plugin.alias);
                self.faults.push(Fault::at("duplicate-plugin", entry.span, message));
            }
        }
    }

    fn missing(&mut self, registry: &Registry, kind: Kind, uses: &Spanned<String>) {
        let fault = |at: Span, message: String| Fault::at("unknown-extension", at, message);
        if let Some((alias, name)) = uses.value.split_once('/') {
            let at = self.inside(uses, alias);
            match registry.plugins().iter().find(|plugin| plugin.alias == alias) {
                Some(plugin) => {
                    let offers = plugin.offers.iter().map(|offer| &offer.descriptor).filter(|offer| offer.kind == kind);
                    let names = offers.map(|offer| offer.name.as_str());
                    let at = self.inside(uses, name);
                    self.faults.push(
                        fault(at, format!("plugin `{alias}` offers no {kind} `{name}`")).hint(suggest::hint_for(
                            name,
                            &format!("its {kind}s"),
                            names,
                        )),
                    );
                }
                // It is in the pipeline, so it could not be loaded, which is reported.
                None if self.draft.plugins.iter().any(|entry| entry.alias == alias) => {}
                None => {
                    let aliases = registry.plugins().iter().map(|plugin| plugin.alias.as_str());
                    self.faults.push(fault(at, format!("there is no plugin `{alias}`")).hint(suggest::hint_for(
                        alias,
                        "known plugins",
                        aliases,
                    )));
                }
            }
            return;
        }
        let names: BTreeSet<&str> = registry.offers(kind).map(|(_, offer)| offer.descriptor.name.as_str()).collect();
        // A plugin that failed to load may be the one that offers it.
        if self.draft.plugins_missing && suggest::nearest(&uses.value, names.iter().copied()).is_none() {
            return;
        }
        self.faults.push(fault(uses.span, format!("there is no {kind} `{}`", uses.value)).hint(suggest::hint_for(
            &uses.value,
            &format!("known {kind}s"),
            names,
        )));
    }

    /// The place of a part of a string.
    fn inside(&self, string: &Spanned<String>, part: &str) -> Span {
        let raw = self.draft.sources.text(string.span);
        let found = raw
            .find(&string.value)
            .and_then(|_| if string.value.starts_with(part) { raw.find(part) } else { raw.rfind(part) });
        match found {
            Some(at) if !part.is_empty() => string.span.part(at..at + part.len()),
            _ => string.span,
        }
    }
}
