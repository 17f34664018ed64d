//! A pipeline that was loaded: parsed, its plugins admitted, checked, and opened.

use std::{
    mem,
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use jackfield_plugin_api::sync;

use crate::{
    compile::{Compiled, MissingGrant, compile, pipeline_file},
    error::Error,
    items::{GivenItems, Item},
    on_thread::{is_in_runtime, on_own_thread, on_own_thread_async},
    options::{LoadOptions, RunOptions},
    parts::Parts,
    run::{Run, RunningRun},
};

/// A pipeline that was loaded: its file parsed, its plugins admitted as its lockfile, trust and grants allow, its wires and
/// settings checked, and all of it opened. Cheap to clone; clones are the same pipeline.
#[derive(Clone)]
pub struct Pipeline(Arc<LoadedPipeline>);

/// What a loaded pipeline holds. Plugins hold runtimes, which must not be dropped on a thread of an async runtime: they are
/// dropped on a thread of their own then.
struct LoadedPipeline {
    parts: Option<Arc<Parts>>,
}

impl Pipeline {
    /// Loads a pipeline: a file, or the folder that holds `pipeline.toml`.
    ///
    /// It may be called from async code, and then blocks the calling thread for as long as plugins take to load;
    /// [`load_async`](Self::load_async) does not.
    ///
    /// # Errors
    /// All that is wrong with the pipeline and its plugins, at once, as `jackfield check` prints it.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::load_with(path, &LoadOptions::new())
    }

    /// Loads a pipeline, with something different about it.
    ///
    /// # Errors
    /// As those of [`load`](Self::load).
    pub fn load_with(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, Error> {
        let (path, options) = (path.as_ref().to_owned(), options.clone());
        // Loading a plugin blocks on a runtime of its own, which cannot be done on a thread of another.
        if is_in_runtime() { on_own_thread("load", move || load(&path, &options))? } else { load(&path, &options) }
    }

    /// Loads a pipeline on a thread of its own.
    ///
    /// # Errors
    /// As those of [`load`](Self::load).
    pub async fn load_async(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, Error> {
        let (path, options) = (path.as_ref().to_owned(), options.clone());
        on_own_thread_async("load", move || load(&path, &options)).await?
    }

    /// The name of the pipeline.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.parts().plan.name
    }

    /// The names of the stages, in the order of the plan.
    pub fn stages(&self) -> impl Iterator<Item = &str> {
        self.parts().plan.stages.iter().map(|stage| stage.name.as_str())
    }

    /// The permissions that plugins ask for and do not have.
    #[must_use]
    pub fn missing_grants(&self) -> &[MissingGrant] {
        &self.parts().missing_grants
    }

    /// Runs the pipeline over its own input, to the end.
    ///
    /// # Errors
    /// What ended the run before its end. Items that fail are results, not errors.
    pub fn run(&self, options: RunOptions) -> Result<Run, Error> {
        self.start(options)?.wait()
    }

    /// Runs the pipeline over items of the caller's, in place of its input, to the end. They are taken as they are needed, and
    /// have to have the shape of the pipeline's own: `{"path": …, "text": …}` where its input is files.
    ///
    /// # Errors
    /// As those of [`run`](Self::run).
    pub fn run_items<I>(&self, items: I, options: RunOptions) -> Result<Run, Error>
    where
        I: IntoIterator<IntoIter: Send + 'static, Item: Into<Item> + 'static>,
    {
        self.start_items(items, options)?.wait()
    }

    /// Starts a run over the pipeline's own input, on a thread of its own.
    ///
    /// # Errors
    /// The run cannot begin: there is no input, its folder cannot be made, or the run to go on with is of another plan.
    pub fn start(&self, options: RunOptions) -> Result<RunningRun, Error> {
        RunningRun::start(Arc::clone(self.parts()), None, options)
    }

    /// Starts a run over items of the caller's, on a thread of its own: see [`run_items`](Self::run_items).
    ///
    /// # Errors
    /// As those of [`start`](Self::start).
    pub fn start_items<I>(&self, items: I, options: RunOptions) -> Result<RunningRun, Error>
    where
        I: IntoIterator<IntoIter: Send + 'static, Item: Into<Item> + 'static>,
    {
        let items = GivenItems::new(Box::new(items.into_iter().map(Into::into)));
        RunningRun::start(Arc::clone(self.parts()), Some(items), options)
    }

    fn parts(&self) -> &Arc<Parts> {
        self.0.parts.as_ref().expect("a pipeline has its parts until it is dropped")
    }
}

fn load(path: &Path, options: &LoadOptions) -> Result<Pipeline, Error> {
    let mut compiled = compile(path, options)?;
    let opened = Mutex::new(Some(compiled.open()?));
    let missing = compiled.missing_grants();
    let Compiled { plan, registry, .. } = compiled;
    let parts = Parts { plan, registry, file: pipeline_file(path), missing_grants: missing, opened };
    Ok(Pipeline(Arc::new(LoadedPipeline { parts: Some(Arc::new(parts)) })))
}

impl Drop for LoadedPipeline {
    fn drop(&mut self) {
        drop_outside_of_runtimes(mem::take(&mut self.parts));
    }
}

/// Drops something that may hold a runtime.
fn drop_outside_of_runtimes<T: Send + 'static>(value: T) {
    if is_in_runtime() {
        // Where no thread can be started, leaking it is better than a panic.
        let held = Arc::new(Mutex::new(Some(value)));
        let taken = Arc::clone(&held);
        if thread::Builder::new().name("drop".to_owned()).spawn(move || drop(sync::lock(&taken).take())).is_err() {
            mem::forget(held);
        }
    }
}
