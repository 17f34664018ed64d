//! A pipeline as it is written: typed, with places, and nothing looked up yet.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::Kind;

use super::{
    faults::{Fault, Faults},
    plan::{OnError, Policy},
    route_draft::RouteDraft,
    search_draft::SearchDraft,
    service_draft::{CacheDraft, ModelDraft},
    source::{SourceId, Sources, Span, Spanned},
    suggest,
    test_draft::TestDraft,
    tree::{Key, Node},
    wire::WireText,
};
use crate::plugin::{
    Digest,
    lock::Signers,
    sandbox::{Grant, Limits},
};

/// A pipeline that was read, with the faults found so far. The plugins that it names are to be loaded next; then
/// [`check`](super::check) turns it into a plan, or reports every fault at once.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(super) sources: Sources,
    pub(super) faults: Vec<Fault>,
    pub(super) folder: PathBuf,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) seed: u64,
    pub(super) max_in_flight: usize,
    pub(super) sandbox_memory: Option<Spanned<u64>>,
    pub(super) tensor_storage: Option<u64>,
    pub(super) plugins: Vec<PluginEntry>,
    /// Whether some plugin could not be read or loaded, so that an unknown extension may be its.
    pub(super) plugins_missing: bool,
    pub(super) signers: Option<Signers>,
    pub(super) input: Option<InputDraft>,
    pub(super) output: OutputDraft,
    pub(super) models: Vec<ModelDraft>,
    pub(super) caches: Vec<CacheDraft>,
    pub(super) stages: Vec<StageDraft>,
    pub(super) search: Option<SearchDraft>,
    pub(super) tests: Vec<TestDraft>,
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
    /// What it may do besides, by word of the command line: for this time, and so beyond any lockfile.
    pub granted_now: Vec<Grant>,
    /// Where the path stands.
    pub span: Span,
}

/// Where items come from.
#[derive(Clone, Debug)]
pub(super) struct InputDraft {
    pub(super) source: Option<ItemSource>,
}

/// The item sources; a list of patterns is absolute.
#[derive(Clone, Debug)]
pub(super) enum ItemSource {
    Files { patterns: Vec<String>, max_item_size: u64 },
    Jsonl { patterns: Vec<String>, id: Option<String>, max_item_size: u64 },
    Json { patterns: Vec<String>, item_keys: Vec<String>, id: Option<String>, max_item_size: u64 },
    Csv { patterns: Vec<String>, id: Option<String>, delimiter: u8, max_item_size: u64 },
    Inline { items: Vec<serde_json::Value>, id: Option<Spanned<String>> },
    Trials { count: u64 },
}

/// What is written for each item.
#[derive(Clone, Debug, Default)]
pub(super) struct OutputDraft {
    pub(super) item_files: Option<bool>,
    pub(super) files: Vec<(Key, WireRef)>,
    pub(super) merged: Vec<(Key, WireRef)>,
    pub(super) show: Vec<(Key, WireRef)>,
}

/// A stage.
#[derive(Clone, Debug)]
pub(super) struct StageDraft {
    pub(super) name: Key,
    /// Reference to an extension; none if it is missing or no string.
    pub(super) uses: Option<Spanned<String>>,
    /// Kind of the extension, where it is written.
    pub(super) kind: Option<Kind>,
    pub(super) input: Option<(Span, Expr)>,
    pub(super) with: Option<(Span, Node)>,
    pub(super) for_each: Option<WireRef>,
    pub(super) repeat: Option<u32>,
    pub(super) policy: Policy,
    pub(super) limits: Limits,
    /// Where the limit on memory is written, if it is.
    pub(super) memory_at: Option<Span>,
    pub(super) model: Option<Spanned<String>>,
    pub(super) cache: Option<Spanned<String>>,
    pub(super) store: Option<Spanned<String>>,
    pub(super) deferred: bool,
    pub(super) route: Option<RouteDraft>,
    /// Where `export = true` stands, if it does.
    pub(super) export: Option<Span>,
}

/// What a call gets.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Wire(WireRef),
    List(Vec<Expr>, Span),
    Table(Vec<(Key, Expr)>, Span),
    /// Neither; already reported.
    Bad,
}

/// A wire in its string.
#[derive(Clone, Debug)]
pub(super) struct WireRef {
    /// The parsed wire; none if it is none, which is already reported.
    pub(super) text: Option<WireText>,
    /// The text of the string.
    pub(super) raw: String,
    /// Where the string stands.
    pub(super) span: Span,
}

/// The policy of a stage that says nothing of it is made here alone.
pub(super) fn on_error(text: Option<&str>) -> OnError {
    match text {
        Some("fail") => OnError::Fail,
        Some("drop") => OnError::Drop,
        _ => OnError::Continue,
    }
}
