//! A pipeline as it is written: typed, with spans, and with no name resolved yet.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    condition::ParsedRequirement,
    input::{ItemSource, ParsedInput},
    output::ParsedOutput,
    plugin::PluginEntry,
    search::ParsedSearch,
    seen_items::SeenItems,
    service::{ParsedCache, ParsedModel},
    stage::ParsedStage,
    test::ParsedTest,
};
use crate::diagnostics::{Diagnostic, Diagnostics, SourceId, Sources, Span, Spanned, suggest};
use crate::{
    plan::{EnvironmentVariable, RecordedCalls},
    syntax::Node,
};
use jackfield_loader::{lock::Signers, sandbox::Grant};

/// A pipeline that was read, with the diagnostics found so far. The plugins that it names are to be loaded next; then
/// [`check`](crate::check()) turns it into a plan, or reports every diagnostic at once.
#[derive(Clone, Debug)]
pub struct ParsedPipeline {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) seed: u64,
    pub(crate) max_in_flight: usize,
    pub(crate) sandbox_memory: Option<Spanned<u64>>,
    pub(crate) tensor_storage: Option<u64>,
    pub(crate) keep_runs: Option<u64>,
    pub(crate) max_usd: Option<Spanned<f64>>,
    pub(crate) recorded_calls: RecordedCalls,
    pub(crate) plugins: Vec<PluginEntry>,
    /// Whether some plugin could not be read or loaded, so that an unknown extension may be one of its extensions.
    pub(crate) plugins_missing: bool,
    pub(crate) signers: Option<Signers>,
    pub(crate) input: Option<ParsedInput>,
    /// What was seen of the items, if somebody looked.
    pub(crate) seen_items: Option<SeenItems>,
    pub(crate) output: ParsedOutput,
    pub(crate) models: Vec<ParsedModel>,
    pub(crate) caches: Vec<ParsedCache>,
    pub(crate) stages: Vec<ParsedStage>,
    pub(crate) search: Option<ParsedSearch>,
    pub(crate) requirements: Vec<ParsedRequirement>,
    pub(crate) tests: Vec<ParsedTest>,
    /// The variables of the environment that it takes values from.
    pub(crate) variables: Vec<EnvironmentVariable>,
    /// The strings whose references could not be replaced, which is reported.
    pub(crate) unfilled: Vec<Span>,
}

impl ParsedPipeline {
    /// Name of the pipeline; empty if it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the pipeline is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The folder that paths in the pipeline are relative to, absolute.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The stages that keep no results: those without a `cache`.
    pub fn stages_without_cache(&self) -> impl Iterator<Item = &str> {
        self.stages.iter().filter(|stage| stage.cache.is_none()).map(|stage| stage.name.text.as_str())
    }

    /// Whether there is a cache of this name.
    #[must_use]
    pub fn has_cache(&self, name: &str) -> bool {
        self.caches.iter().any(|cache| cache.name.text == name)
    }

    /// The files that the pipeline depends on besides its own and its input: plugins, and all that the `with` tables of
    /// stages and models may name as a file. They need not exist.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.plugins.iter().map(|entry| entry.path.clone()).collect();
        for entry in &self.plugins {
            files.extend(entry.dependencies.keys().map(|name| entry.path.with_file_name(name)));
        }
        let stages = self.stages.iter().filter_map(|stage| stage.with.as_ref());
        let routes = self.stages.iter().filter_map(|stage| stage.route.as_ref()?.with.as_ref());
        let policies = routes.chain(self.search.iter().filter_map(|search| search.with.as_ref()));
        for (_, node) in stages.chain(policies).chain(self.models.iter().filter_map(|model| model.with.as_ref())) {
            node.each_string(&mut |text| {
                // A text that does not name a file is treated as a file that does not exist.
                if !text.is_empty() && text.len() < 1024 && !text.contains(['\n', '\0']) {
                    files.push(self.folder.join(text));
                }
            });
        }
        files
    }

    /// What the `use` keys of stages, routes, the search, models and tiers of caches name.
    #[must_use]
    pub fn uses(&self) -> BTreeSet<&str> {
        let stages = self
            .stages
            .iter()
            .flat_map(|stage| [stage.uses.as_ref(), stage.route.as_ref().and_then(|route| route.uses.as_ref())]);
        let search = self.search.iter().map(|search| search.uses.as_ref());
        let models = self.models.iter().map(|model| model.uses.as_ref());
        let tiers = self.caches.iter().flat_map(|cache| &cache.tiers).map(|tier| tier.uses.as_ref());
        stages.chain(search).chain(models).chain(tiers).flatten().map(|uses| uses.value.as_str()).collect()
    }

    /// The patterns of the input's files, absolute; none if the items are not in files.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        match self.input.as_ref().and_then(|input| input.source.as_ref()) {
            Some(
                ItemSource::Files { patterns, .. }
                | ItemSource::Jsonl { patterns, .. }
                | ItemSource::Json { patterns, .. }
                | ItemSource::Csv { patterns, .. },
            ) => patterns,
            _ => &[],
        }
    }

    /// The plugins to load, in the order of the text.
    #[must_use]
    pub fn plugins(&self) -> &[PluginEntry] {
        &self.plugins
    }

    /// Grants one more thing, as `ALIAS=PERMISSION`; a folder is relative to `base`. What is wrong with it is reported.
    pub fn grant(&mut self, text: &str, base: &Path) {
        let wrong = |message: String| Diagnostic::new("bad-grant", format!("`--grant {text}`: {message}"));
        let Some((alias, permission)) = text.split_once('=') else {
            let hint = "write `--grant PLUGIN=PERMISSION`, such as `--grant scorer=clock`".to_owned();
            return self.diagnostics.push(wrong("it does not say to which plugin".to_owned()).hint(hint));
        };
        match (self.plugins.iter_mut().find(|entry| entry.alias == alias), Grant::parse(permission, base)) {
            (Some(entry), Ok(grant)) => entry.granted_now.push(grant),
            (_, Err(error)) => self.diagnostics.push(wrong(error.to_string())),
            (None, Ok(_)) => {
                let known = self.plugins.iter().map(|entry| entry.alias.as_str());
                let hint = suggest::hint_for(alias, "plugins of the pipeline", known);
                self.diagnostics.push(wrong(format!("the pipeline does not load a plugin `{alias}`")).hint(hint));
            }
        }
    }

    /// Whose signatures of plugin files count; none if that part of the text is wrong, and then no file may be loaded.
    #[must_use]
    pub fn signers(&self) -> Option<&Signers> {
        self.signers.as_ref()
    }

    /// Adds a diagnostic of a plugin that could not be loaded, at its entry.
    pub fn report_at_plugin(&mut self, alias: &str, message: impl Into<String>, hint: Option<String>) {
        let message = format!("plugin `{alias}` cannot be loaded: {}", message.into());
        self.refuse_plugin(alias, Diagnostic::new("plugin", message).hint(hint));
    }

    /// Adds a diagnostic of a plugin that is not to be loaded, at its entry.
    pub fn refuse_plugin(&mut self, alias: &str, mut diagnostic: Diagnostic) {
        let entry = self.plugins.iter().find(|entry| entry.alias == alias);
        diagnostic.span = entry.map(|entry| entry.span);
        self.diagnostics.push(diagnostic);
        self.plugins_missing = true;
    }

    /// Records that plugins were left out, so that an unknown extension may be one of theirs.
    pub fn leave_plugins_out(&mut self) {
        self.plugins_missing = true;
    }

    /// Adds a text that diagnostics of the caller are about.
    pub fn add_source(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.sources.add(name, text)
    }

    /// Adds a diagnostic of a model, a tier of a cache or a policy whose extension refuses its configuration.
    pub fn report_at_service(&mut self, service: &str, message: impl Into<String>) {
        let found = self.service_spans().into_iter().find(|(name, _)| name == service);
        let mut diagnostic = Diagnostic::new("config", format!("{service} cannot be set up: {}", message.into()));
        diagnostic.span = found.and_then(|(_, span)| span);
        self.diagnostics.push(diagnostic);
    }

    /// The models, tiers of caches and policies by the names that messages give them, each with the span of its `with`, or else
    /// of its `use`.
    fn service_spans(&self) -> Vec<(String, Option<Span>)> {
        let mut spans = Vec::new();
        for model in &self.models {
            let name = format!("model `{}`", model.name.text);
            spans.push((name, config_span(model.with.as_ref(), model.uses.as_ref())));
        }
        for cache in &self.caches {
            for (index, tier) in cache.tiers.iter().enumerate() {
                let name = format!("tier {} of cache `{}`", index + 1, cache.name.text);
                spans.push((name, config_span(tier.with.as_ref(), tier.uses.as_ref())));
            }
        }
        for stage in &self.stages {
            if let Some(route) = &stage.route {
                let policy = extension_name(route.uses.as_ref());
                let name = format!("the policy `{policy}` of the route of stage `{}`", stage.name.text);
                spans.push((name, config_span(route.with.as_ref(), route.uses.as_ref())));
            }
        }
        if let Some(search) = &self.search {
            let name = format!("the policy `{}` of the search", extension_name(search.uses.as_ref()));
            spans.push((name, config_span(search.with.as_ref(), search.uses.as_ref())));
        }
        spans
    }

    /// Adds a diagnostic of a stage whose extension refuses its configuration, at its `with` table.
    pub fn report_at_stage(&mut self, stage: &str, message: impl Into<String>) {
        let found = self.stages.iter().find(|known| known.name.text == stage);
        let message = format!("stage `{stage}` cannot be set up: {}", message.into());
        let mut diagnostic = Diagnostic::new("config", message);
        diagnostic.span = found.map(|stage| stage.with.as_ref().map_or(stage.name.span, |(span, _)| *span));
        self.diagnostics.push(diagnostic);
    }

    /// Adds a diagnostic of the caller.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The texts that spans are in.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The diagnostics found so far; none if there are none.
    #[must_use]
    pub fn diagnostics(&self) -> Option<Diagnostics> {
        (!self.diagnostics.is_empty()).then(|| self.reported(self.diagnostics.clone()))
    }

    /// Diagnostics about these texts, without those that only follow from a reference that could not be replaced.
    pub(crate) fn reported(&self, mut diagnostics: Vec<Diagnostic>) -> Diagnostics {
        let follows = |diagnostic: &Diagnostic| {
            let is_first = ["bad-param", "unknown-param", "variable-outside"].contains(&diagnostic.code);
            let is_unfilled = |span: Span| self.unfilled.iter().any(|unfilled| span.is_within(*unfilled));
            !is_first && diagnostic.span.is_some_and(is_unfilled)
        };
        diagnostics.retain(|diagnostic| !follows(diagnostic));
        Diagnostics::new(self.sources.clone(), diagnostics)
    }
}

/// Where a diagnostic about a configuration is reported: at the key `with`, or else at the reference to the extension.
fn config_span(with: Option<&(Span, Node)>, uses: Option<&Spanned<String>>) -> Option<Span> {
    with.map(|(span, _)| *span).or(uses.map(|uses| uses.span))
}

/// The name of the extension that a reference names, without its plugin; empty without a reference.
fn extension_name(uses: Option<&Spanned<String>>) -> &str {
    uses.and_then(|uses| uses.value.rsplit('/').next()).unwrap_or_default()
}
