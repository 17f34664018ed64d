//! A pipeline as it is written: typed, with places, and nothing looked up yet.

use std::path::{Path, PathBuf};

use jackfield_loader::{lock::Signers, sandbox::Grant};

use super::{
    input::{InputDraft, ItemSource},
    output::OutputDraft,
    plugin::PluginEntry,
    search::SearchDraft,
    service::{CacheDraft, ModelDraft},
    stage::StageDraft,
    test::TestDraft,
};
use crate::diagnostics::{Fault, Faults, SourceId, Sources, Spanned, suggest};

/// A pipeline that was read, with the faults found so far. The plugins that it names are to be loaded next; then
/// [`check`](crate::check()) turns it into a plan, or reports every fault at once.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(crate) sources: Sources,
    pub(crate) faults: Vec<Fault>,
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) seed: u64,
    pub(crate) max_in_flight: usize,
    pub(crate) sandbox_memory: Option<Spanned<u64>>,
    pub(crate) tensor_storage: Option<u64>,
    pub(crate) plugins: Vec<PluginEntry>,
    /// Whether some plugin could not be read or loaded, so that an unknown extension may be its.
    pub(crate) plugins_missing: bool,
    pub(crate) signers: Option<Signers>,
    pub(crate) input: Option<InputDraft>,
    pub(crate) output: OutputDraft,
    pub(crate) models: Vec<ModelDraft>,
    pub(crate) caches: Vec<CacheDraft>,
    pub(crate) stages: Vec<StageDraft>,
    pub(crate) search: Option<SearchDraft>,
    pub(crate) tests: Vec<TestDraft>,
}

impl Draft {
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
    /// stages and models may mean by a file. They need not be there.
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
                // A text that is no file is absent, and stays so.
                if !text.is_empty() && text.len() < 1024 && !text.contains(['\n', '\0']) {
                    files.push(self.folder.join(text));
                }
            });
        }
        files
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

    /// Grants one more thing, as `ALIAS=PERMISSION`; a folder is relative to `base`. What is wrong with it is a fault.
    pub fn grant(&mut self, text: &str, base: &Path) {
        let wrong = |message: String| Fault::new("bad-grant", format!("`--grant {text}`: {message}"));
        let Some((alias, permission)) = text.split_once('=') else {
            let hint = "write `--grant PLUGIN=PERMISSION`, such as `--grant scorer=clock`".to_owned();
            return self.faults.push(wrong("it does not say to which plugin".to_owned()).hint(hint));
        };
        match (self.plugins.iter_mut().find(|entry| entry.alias == alias), Grant::parse(permission, base)) {
            (Some(entry), Ok(grant)) => entry.granted_now.push(grant),
            (_, Err(error)) => self.faults.push(wrong(error.to_string())),
            (None, Ok(_)) => {
                let known = self.plugins.iter().map(|entry| entry.alias.as_str());
                let hint = suggest::hint_for(alias, "plugins of the pipeline", known);
                self.faults.push(wrong(format!("the pipeline loads no plugin `{alias}`")).hint(hint));
            }
        }
    }

    /// Whose signatures of plugin files count; none if what the text says of that is wrong, so that no file may be loaded.
    #[must_use]
    pub fn signers(&self) -> Option<&Signers> {
        self.signers.as_ref()
    }

    /// Adds a fault of a plugin that could not be loaded, at its entry.
    pub fn fault_at_plugin(&mut self, alias: &str, message: impl Into<String>, hint: Option<String>) {
        let message = format!("plugin `{alias}` cannot be loaded: {}", message.into());
        self.refuse_plugin(alias, Fault::new("plugin", message).hint(hint));
    }

    /// Adds a fault of a plugin that is not to be loaded, at its entry.
    pub fn refuse_plugin(&mut self, alias: &str, mut fault: Fault) {
        let entry = self.plugins.iter().find(|entry| entry.alias == alias);
        fault.place = entry.map(|entry| entry.span);
        self.faults.push(fault);
        self.plugins_missing = true;
    }

    /// Says that plugins were left out, so that an extension that is not there may be theirs.
    pub fn leave_plugins_out(&mut self) {
        self.plugins_missing = true;
    }

    /// Adds a text that faults of the caller's are about.
    pub fn add_source(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.sources.add(name, text)
    }

    /// Adds a fault of a model, a tier of a cache or a policy whose extension refuses its configuration.
    pub fn fault_at_service(&mut self, service: &str, message: impl Into<String>) {
        let uses = |uses: &Option<Spanned<String>>| uses.as_ref().map(|uses| uses.span);
        let models =
            self.models.iter().map(|model| (format!("model `{}`", model.name.text), &model.with, uses(&model.uses)));
        let tiers = self.caches.iter().flat_map(|cache| {
            cache.tiers.iter().enumerate().map(move |(place, tier)| {
                (format!("tier {} of cache `{}`", place + 1, cache.name.text), &tier.with, uses(&tier.uses))
            })
        });
        let policy = |uses: &Option<Spanned<String>>| {
            let uses = uses.as_ref().map(|uses| uses.value.as_str()).unwrap_or_default();
            uses.rsplit('/').next().unwrap_or_default().to_owned()
        };
        let routes = self.stages.iter().filter_map(|stage| {
            let route = stage.route.as_ref()?;
            let name = format!("the policy `{}` of the route of stage `{}`", policy(&route.uses), stage.name.text);
            Some((name, &route.with, uses(&route.uses)))
        });
        let search = self.search.iter().map(|search| {
            (format!("the policy `{}` of the search", policy(&search.uses)), &search.with, uses(&search.uses))
        });
        let found = models.chain(tiers).chain(routes).chain(search).find(|(name, ..)| name == service);
        let mut fault = Fault::new("config", format!("{service} cannot be set up: {}", message.into()));
        fault.place = found.and_then(|(_, with, uses)| with.as_ref().map(|(span, _)| *span).or(uses));
        self.faults.push(fault);
    }

    /// Adds a fault of a stage whose extension refuses its configuration, at its `with` table.
    pub fn fault_at_stage(&mut self, stage: &str, message: impl Into<String>) {
        let found = self.stages.iter().find(|draft| draft.name.text == stage);
        let message = format!("stage `{stage}` cannot be set up: {}", message.into());
        let mut fault = Fault::new("config", message);
        fault.place = found.map(|draft| draft.with.as_ref().map_or(draft.name.span, |(span, _)| *span));
        self.faults.push(fault);
    }

    /// Adds a fault of the caller's.
    pub fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The texts that places are in.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The faults found so far; none if there are none.
    #[must_use]
    pub fn faults(&self) -> Option<Faults> {
        (!self.faults.is_empty()).then(|| Faults::new(self.sources.clone(), self.faults.clone()))
    }
}
