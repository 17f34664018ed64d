//! Which run a command is about: by its name, or the last one of the pipeline in the current folder.

use std::path::{Path, PathBuf};

use jackfield::internal::pipeline_file;
use jackfield_pipeline::{Request, parse};
use jackfield_store::{LastOf, PipelineOfRun, RunJson, StoreError, find_run, peek_of};

/// Reads the record of a run without taking hold of it: named by its path, or by its name, the beginning of it or `last` below
/// `out`. `last` is the newest run of the pipeline in the current folder, or, where there is none, of all.
pub(super) fn chosen_run(out: &Path, name: &str) -> Result<(PathBuf, RunJson), StoreError> {
    with_last(name, |last| peek_of(out, name, last))
}

/// The folder of a run that is to be removed: named by its path, or by its name, the beginning of it or `last` below `out`. In
/// the folder of a pipeline, `last` is a run of that pipeline, and of no other.
pub(super) fn folder_to_remove(out: &Path, name: &str) -> Result<PathBuf, StoreError> {
    with_last(name, |last| {
        let of_pipeline_alone = match last {
            LastOf::PipelineOrFolder(pipeline) => LastOf::Pipeline(pipeline),
            other => other,
        };
        find_run(out, name, of_pipeline_alone)
    })
}

fn with_last<T>(name: &str, look: impl FnOnce(LastOf<'_>) -> T) -> T {
    let here = Path::new(".");
    let is_needed = name == "last" && here.join("pipeline.toml").is_file();
    // A pipeline that cannot be read is as good as none: the command is about a run.
    let parsed = is_needed.then(|| parse(Request { path: here, set: &[], input: &[] }).ok()).flatten();
    match parsed {
        Some(parsed) if !parsed.name().is_empty() => {
            let file = pipeline_file(here);
            look(LastOf::PipelineOrFolder(PipelineOfRun { name: parsed.name(), file: &file }))
        }
        _ => look(LastOf::Folder),
    }
}
