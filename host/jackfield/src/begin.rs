//! A run begins, or goes on: its folder is made or taken, and held.

use std::path::{Path, PathBuf};

use jackfield_engine::look_at_kept;
use jackfield_loader::Registry;
use jackfield_pipeline::{Plan, Scope};
use jackfield_store::{LastOf, PipelineOfRun, PluginJson, RunFolder, RunJson, RunState};

use crate::{error::Error, resume::what_differs};

/// A run that is about to be made.
pub struct BegunRun {
    /// Its folder, held by this process.
    pub folder: RunFolder,
    /// What is known of it so far.
    pub run: RunJson,
    /// Whether an earlier session has left nothing to do.
    pub is_complete: bool,
    /// The ids of the items that alone are run; all of them if it is empty.
    pub only: Vec<String>,
    /// Whether these are made again, whatever is on the record of them.
    pub is_redone: bool,
}

/// Which run is made.
#[derive(Clone, Copy, Debug)]
pub struct RunPlace<'a> {
    /// The folder that holds the folders of runs.
    pub runs: &'a Path,
    /// The run to go on with: its name, the beginning of it, its folder, or `last`. None for a new run.
    pub resume: Option<&'a str>,
    /// The ids of the items that alone are to be run, or to be made again in a run that goes on; all of them if it is empty.
    pub only: &'a [String],
}

/// Makes the folder of a new run, or takes that of one that goes on.
///
/// # Errors
/// The folder cannot be made or read, or is another process's, or the run was made by another plan.
pub fn begin_run(plan: &Plan, registry: &Registry, file: PathBuf, place: RunPlace<'_>) -> Result<BegunRun, Error> {
    look_at_selection(plan, place)?;
    let plugins = registry.plugins().iter().filter_map(|plugin| plugin.path.as_deref());
    look_at_paths([&*file, place.runs].into_iter().chain(plugins))?;
    let Some(name) = place.resume else {
        look_at_kept(plan)?;
        let folder = RunFolder::create(place.runs, &plan.name)?;
        let only = place.only.to_vec();
        let run = RunJson { only: only.clone(), ..new_run(&folder, plan, registry, file) };
        return Ok(BegunRun { folder, run, is_complete: false, only, is_redone: false });
    };
    let last = LastOf::Pipeline(PipelineOfRun { name: &plan.name, file: &file });
    let folder = RunFolder::open_of(place.runs, name, last)?;
    let run = folder.read_run()?;
    if run.digest != plan.digest {
        return Err(Error::changed(run.run, what_differs(&run.plan, plan)));
    }
    let trials = |plan: &Plan| (plan.input.clone(), plan.search.as_ref().map(|search| search.stop));
    let is_redone = !place.only.is_empty();
    if let Some(other) = place.only.iter().find(|id| !run.only.is_empty() && !run.only.contains(id)) {
        return Err(Error::selection(
            format!("run `{}` is restricted to other items: `{other}` is not among them", run.run),
            "start a new run for it, without --resume",
        ));
    }
    let is_complete = !is_redone && matches!(run.state, RunState::Complete) && trials(&run.plan) == trials(plan);
    let only = if is_redone { place.only.to_vec() } else { run.only.clone() };
    Ok(BegunRun { folder, run, is_complete, only, is_redone })
}

/// Refuses paths that the record of a run cannot name.
fn look_at_paths<'a>(mut paths: impl Iterator<Item = &'a Path>) -> Result<(), Error> {
    match paths.find(|path| path.to_str().is_none()) {
        Some(path) => Err(Error::selection(
            format!("`{}` is not UTF-8, and the record of a run names it", path.display()),
            "give it another name, or have runs in another folder: `--out`",
        )),
        None => Ok(()),
    }
}

/// Refuses a restriction to some items where what comes of them would not be what it is in a run over all.
pub(crate) fn look_at_selection(plan: &Plan, place: RunPlace<'_>) -> Result<(), Error> {
    if place.only.is_empty() {
        return Ok(());
    }
    if !plan.stages.iter().any(|stage| stage.scope == Scope::Item) {
        return Err(Error::selection(
            format!("pipeline `{}` has no items: all of its stages run once a run", plan.name),
            "run it without --only",
        ));
    }
    if plan.search.is_some() {
        return Err(Error::selection(
            "the items of a search are trials, and what each tries depends on those before it".to_owned(),
            "run it without --only",
        ));
    }
    match plan.stages.iter().find(|stage| stage.route.is_some()) {
        Some(stage) if place.resume.is_some() => Err(Error::selection(
            format!(
                "stage `{}` is routed, and what its policy decided for later items depends on what came of earlier ones",
                stage.name
            ),
            "start a new run for these items, without --resume; a resume without --only makes failed calls again",
        )),
        _ => Ok(()),
    }
}

fn new_run(folder: &RunFolder, plan: &Plan, registry: &Registry, file: PathBuf) -> RunJson {
    let used = |alias: &str| plan.stages.iter().any(|stage| stage.extension.plugin == alias);
    let plugins = registry.plugins().iter().filter(|plugin| used(&plugin.alias)).map(|plugin| PluginJson {
        alias: plugin.alias.clone(),
        linkage: plugin.linkage,
        digest: plugin.digest.clone(),
        path: plugin.path.clone(),
    });
    RunJson::new(folder, plan, file, plugins.collect())
}
