//! A run begins, or goes on: its folder is made or taken, and held.

use std::path::{Path, PathBuf};

use jackfield_engine::look_at_kept;
use jackfield_loader::Registry;
use jackfield_pipeline::Plan;
use jackfield_store::{PluginJson, RunFolder, RunJson, RunState};

use crate::{error::Error, resume::what_differs};

/// A run that is about to be made.
pub struct BegunRun {
    /// Its folder, held by this process.
    pub folder: RunFolder,
    /// What is known of it so far.
    pub run: RunJson,
    /// Whether an earlier session has left nothing to do.
    pub is_complete: bool,
}

/// Which run is made.
#[derive(Clone, Copy, Debug)]
pub struct RunPlace<'a> {
    /// The folder that holds the folders of runs.
    pub runs: &'a Path,
    /// The run to go on with: its name, the beginning of it, its folder, or `last`. None for a new run.
    pub resume: Option<&'a str>,
}

/// Makes the folder of a new run, or takes that of one that goes on.
///
/// # Errors
/// The folder cannot be made or read, or is another process's, or the run was made by another plan.
pub fn begin_run(plan: &Plan, registry: &Registry, file: PathBuf, place: RunPlace<'_>) -> Result<BegunRun, Error> {
    let Some(name) = place.resume else {
        look_at_kept(plan)?;
        let folder = RunFolder::create(place.runs, &plan.name)?;
        let run = new_run(&folder, plan, registry, file);
        return Ok(BegunRun { folder, run, is_complete: false });
    };
    let folder = RunFolder::open(place.runs, name)?;
    let run = folder.read_run()?;
    if run.digest != plan.digest {
        return Err(Error::changed(run.run, what_differs(&run.plan, plan)));
    }
    let trials = |plan: &Plan| (plan.input.clone(), plan.search.as_ref().map(|search| search.stop));
    let is_complete = matches!(run.state, RunState::Complete) && trials(&run.plan) == trials(plan);
    Ok(BegunRun { folder, run, is_complete })
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
