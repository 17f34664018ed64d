//! From the command line to a checked plan with its plugins.

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;
use jackfield::bundled;
use jackfield_engine::{StageInstances, open_stages};
use jackfield_loader::{Registry, escape_untrusted};
use jackfield_pipeline::{Diagnostics, ExtensionRef, ParsedPipeline, Plan, Request, Style};
use jackfield_services::{Services, open_services};

use super::{
    exit::{Exit, complain},
    table::counted,
    vet::load_plugins,
};
use crate::terminal::{output, terminal};

/// Which pipeline, and what is different about it this time.
#[derive(Debug, Args)]
pub(super) struct PipelineArgs {
    /// A pipeline file, or the folder that holds `pipeline.toml`.
    pub(super) path: PathBuf,

    /// Change a value of the pipeline: `stages.brief.with.budget=4000`. The value is TOML, or else a string.
    /// A table `T={…}` changes the keys that it names (another `use` drops the old `with`); `T:={…}` replaces T.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,

    /// Read these files in place of the pipeline's own input; a glob, relative to the current folder.
    #[arg(long = "input", value_name = "GLOB")]
    pub(super) input: Vec<String>,

    /// Grant a sandboxed plugin something that it asks for: `scorer=http:api.example.org`, `scorer=read:corpus=data`.
    #[arg(long = "grant", value_name = "PLUGIN=PERMISSION")]
    pub(super) grant: Vec<String>,

    /// Fail if the pipeline names plugin files and there is no `jackfield.lock` beside it.
    #[arg(long)]
    pub(super) locked: bool,
}

/// A pipeline, ready to run.
pub(super) struct Loaded {
    pub(super) plan: Plan,
    pub(super) registry: Registry,
    pub(super) instances: Vec<StageInstances>,
    pub(super) services: Services,
    /// The pipeline file, absolute.
    pub(super) file: PathBuf,
}

/// How faults are printed.
#[derive(Clone, Copy)]
pub(super) enum Talk {
    /// Blocks on standard error.
    People,
    /// One JSON object on standard output.
    Json,
}

/// Reads, loads, checks and opens; says all that is wrong.
pub(super) fn load_pipeline(args: &PipelineArgs, talk: Talk) -> Result<Loaded, Exit> {
    let (mut draft, plan, registry) = compile(args, talk)?;
    let instances = open_stages(&plan, &registry).unwrap_or_else(|refused| {
        for fault in refused {
            draft.report_at_stage(&fault.stage, fault.failure.to_string());
        }
        Vec::new()
    });
    // They run at export, and what would fail then fails now.
    for stage in &plan.exports {
        if let Err(failure) = stage.extension.open(&stage.config, &stage.limits, &registry) {
            draft.report_at_stage(&stage.name, failure.to_string());
        }
    }
    let services = open_services(&plan, &registry).unwrap_or_else(|refused| {
        for fault in refused {
            draft.report_at_service(&fault.service, fault.failure.to_string());
        }
        Services::default()
    });
    if let Some(faults) = draft.diagnostics() {
        report(&faults, talk);
        return Err(Exit::Usage);
    }
    let file = if args.path.is_dir() { args.path.join("pipeline.toml") } else { args.path.clone() };
    let file = std::path::absolute(&file).unwrap_or(file);
    Ok(Loaded { plan, registry, instances, services, file })
}

/// Reads, loads and checks; says all that is wrong. Nothing is opened.
pub(super) fn load_plan(args: &PipelineArgs, talk: Talk) -> Result<(Plan, Registry), Exit> {
    compile(args, talk).map(|(_, plan, registry)| (plan, registry))
}

/// As [`load_plan`], with the draft.
pub(super) fn compile(args: &PipelineArgs, talk: Talk) -> Result<(ParsedPipeline, Plan, Registry), Exit> {
    let request = Request { path: &args.path, set: &args.set, input: &args.input };
    let wrong = |faults: &Diagnostics| {
        report(faults, talk);
        Exit::Usage
    };
    let mut draft = jackfield_pipeline::parse(request).map_err(|faults| wrong(&faults))?;
    let current = std::env::current_dir().unwrap_or_default();
    args.grant.iter().for_each(|grant| draft.grant(grant, &current));
    let mut registry = Registry::new(vec![bundled()]);
    load_plugins(&mut draft, args.path.as_path(), args.locked, &mut registry);
    let plan = jackfield_pipeline::check(&draft, &registry).map_err(|faults| wrong(&faults))?;
    tell_missing(&plan, &registry);
    Ok((draft, plan, registry))
}

/// Says what the plugins of stages, models and caches ask for in vain: they may do without, but perhaps not well.
fn tell_missing(plan: &Plan, registry: &Registry) {
    let mut told = BTreeSet::new();
    let extensions = plan.stages.iter().chain(&plan.exports).map(|stage| &stage.extension);
    let tiers = plan.caches.iter().flat_map(|cache| &cache.tiers).map(|tier| &tier.extension);
    for extension in extensions.chain(plan.models.iter().map(|model| &model.extension)).chain(tiers) {
        let Some(offer) = extension.offer(registry) else { continue };
        for (permission, reason) in offer.grants.missing() {
            let ExtensionRef { plugin, name, .. } = extension;
            if told.insert((plugin, name, permission)) {
                let line = format!(
                    "note: `{plugin}/{name}` asks for `{permission}` and has it not: {}",
                    escape_untrusted(reason)
                );
                terminal().say(line);
            }
        }
    }
}

pub(super) fn report(faults: &Diagnostics, talk: Talk) {
    match talk {
        Talk::People => {
            let style = Style { color: terminal().color(), unicode: terminal().interactive() };
            terminal().say_styled(faults.render(style));
            let faults = counted(faults.list().len() as u64, "fault");
            complain(format!("the pipeline has {faults}; nothing was run"), None);
        }
        Talk::Json => print_json(&serde_json::json!({ "faults": faults.records() })),
    }
}

/// Prints one JSON object on standard output.
pub(super) fn print_json(value: &impl serde::Serialize) {
    output().json(value);
}
