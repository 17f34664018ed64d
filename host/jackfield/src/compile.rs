//! From a pipeline file to a checked plan, its plugins, and what is opened of them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use jackfield_engine::{StageInstances, open_stages};
use jackfield_loader::{Registry, escape_untrusted, linked_in_plugin};
use jackfield_pipeline::{Diagnostics, ExtensionRef, ParsedPipeline, Plan, Request};
use jackfield_services::{ServiceFault, Services, open_services};

use crate::{admission::load_plugins, inputs::look_at_input, options::LoadOptions};

/// A pipeline that was read and checked. Nothing is opened.
pub struct Compiled {
    /// The pipeline as it was parsed: what is found later is reported at its places.
    pub parsed: ParsedPipeline,
    /// The plan.
    pub plan: Plan,
    /// The plugins.
    pub registry: Registry,
}

/// What stages and services were opened with their settings.
#[derive(Clone, Default)]
pub struct Opened {
    /// The instances of the stages.
    pub instances: Vec<StageInstances>,
    /// The models, caches and routes.
    pub services: Services,
}

/// A permission that a plugin asks for and does not have: it may do without, but perhaps not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingGrant {
    /// The extension: `PLUGIN/NAME`.
    pub extension: String,
    /// The permission, as a grant names it.
    pub permission: String,
    /// Why it asks for it, in the plugin's words, fit for a terminal.
    pub reason: String,
}

/// Reads a pipeline, admits and loads its plugins, and checks it.
///
/// # Errors
/// All that is wrong with it.
pub fn compile(path: &Path, options: &LoadOptions) -> Result<Compiled, Diagnostics> {
    let request = Request { path, set: &options.set, input: &options.input };
    let mut parsed = jackfield_pipeline::parse(request)?;
    let current = std::env::current_dir().unwrap_or_default();
    options.grants.iter().for_each(|grant| parsed.grant(grant, &current));
    let mut registry = Registry::new(vec![linked_in_plugin()]);
    load_plugins(&mut parsed, path, options.locked, &mut registry);
    look_at_input(&mut parsed, options.look);
    let plan = jackfield_pipeline::check(&parsed, &registry)?;
    Ok(Compiled { parsed, plan, registry })
}

impl Compiled {
    /// Opens stages, exports and services with their settings.
    ///
    /// # Errors
    /// All that refuse to open, at their places in the pipeline.
    pub fn open(&mut self) -> Result<Opened, Diagnostics> {
        self.open_with(open_services).map(|(instances, services)| Opened { instances, services })
    }

    /// Opens stages, exports, and services in this way.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with<S: Default>(
        &mut self,
        services: impl FnOnce(&Plan, &Registry) -> Result<S, Vec<ServiceFault>>,
    ) -> Result<(Vec<StageInstances>, S), Diagnostics> {
        let Self { parsed, plan, registry } = self;
        let instances = open_stages(plan, registry).unwrap_or_else(|refused| {
            for fault in refused {
                parsed.report_at_stage(&fault.stage, fault.failure.to_string());
            }
            Vec::new()
        });
        // They run at export, and what would fail then fails now.
        for stage in &plan.exports {
            if let Err(failure) = stage.extension.open(&stage.config, &stage.limits, registry) {
                parsed.report_at_stage(&stage.name, failure.to_string());
            }
        }
        let services = services(plan, registry).unwrap_or_else(|refused| {
            for fault in refused {
                parsed.report_at_service(&fault.service, fault.failure.to_string());
            }
            S::default()
        });
        match parsed.diagnostics() {
            Some(diagnostics) => Err(diagnostics),
            None => Ok((instances, services)),
        }
    }

    /// What the plugins of stages, models and caches ask for and do not have.
    #[must_use]
    pub fn missing_grants(&self) -> Vec<MissingGrant> {
        let Self { plan, registry, .. } = self;
        let stages = plan.stages.iter().chain(&plan.exports).map(|stage| &stage.extension);
        let models = plan.models.iter().map(|model| &model.extension);
        let tiers = plan.caches.iter().flat_map(|cache| &cache.tiers).map(|tier| &tier.extension);
        let (mut seen, mut missing) = (BTreeSet::new(), Vec::new());
        for extension in stages.chain(models).chain(tiers) {
            let Some(entry) = extension.entry(registry) else { continue };
            let ExtensionRef { plugin, name, .. } = extension;
            for (permission, reason) in entry.grants.missing() {
                if seen.insert((plugin, name, permission)) {
                    missing.push(MissingGrant {
                        extension: format!("{plugin}/{name}"),
                        permission: permission.to_string(),
                        reason: escape_untrusted(reason).into_owned(),
                    });
                }
            }
        }
        missing
    }
}

/// The file of a pipeline that is given as a file, or as the folder that holds `pipeline.toml`: absolute.
#[must_use]
pub fn pipeline_file(path: &Path) -> PathBuf {
    let file = if path.is_dir() { path.join("pipeline.toml") } else { path.to_owned() };
    std::path::absolute(&file).unwrap_or(file)
}
