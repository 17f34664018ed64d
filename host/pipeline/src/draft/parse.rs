//! Reads the file of a pipeline, and lowers its tree into types.

use std::{io, path::Path};

use jackfield_loader::regular_file;

use super::{
    fields::Fields,
    input::{InputDraft, input},
    output::output,
    parsed_pipeline::Draft,
    plugin::plugin,
    search, service,
    stage::stage,
    test, trust,
};
use crate::{
    diagnostics::{Fault, Faults, Sources, Spanned},
    syntax::{self, Document, Key, Node, Text},
};

/// What to compile.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The file, or a folder that holds a `pipeline.toml`.
    pub path: &'a Path,
    /// Overrides, `dotted.key=VALUE`.
    pub set: &'a [String],
    /// Glob patterns in place of the pipeline's own, relative to the current folder.
    pub input: &'a [String],
}

/// Reads a pipeline. Faults of single values are kept in the draft, so that [`check`](crate::check()) can report them with
/// its own.
///
/// # Errors
/// If nothing can be read: no such file, no UTF-8, no TOML.
pub fn parse(request: Request<'_>) -> Result<Draft, Faults> {
    let alone = |fault| Faults::new(Sources::default(), vec![fault]);
    let mut path = request.path.to_owned();
    if path.is_dir() {
        path.push("pipeline.toml");
        if !path.exists() {
            let message = format!("the folder `{}` holds no `pipeline.toml`", request.path.display());
            let hint = "name the pipeline's file, or a folder that holds a `pipeline.toml`".to_owned();
            return Err(alone(Fault::new("no-pipeline", message).hint(hint)));
        }
    }
    let bytes = regular_file::read(&path, regular_file::MOST_TEXT).map_err(|error| {
        let why = if error.kind() == io::ErrorKind::NotFound { "no such file".to_owned() } else { error.to_string() };
        alone(Fault::new("no-pipeline", format!("cannot read `{}`: {why}", path.display())))
    })?;
    let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    let current = std::env::current_dir().unwrap_or_default();
    parse_text(&Text {
        name: &path.display().to_string(),
        bytes: &bytes,
        folder: absolute.parent().unwrap_or(Path::new("/")),
        current: &current,
        set: request.set,
        input: request.input,
    })
}

/// Reads a pipeline that is already in memory.
pub(crate) fn parse_text(given: &Text<'_>) -> Result<Draft, Faults> {
    Ok(lower(given, syntax::read(given)?))
}

/// Lowers the tree: what the pass over shapes has reported is left out.
fn lower(given: &Text<'_>, document: Document) -> Draft {
    let Document { sources, file, root, mut faults } = document;
    let pipeline = Fields::of(root.get("pipeline"), "pipeline");
    let named = |key: &str| root.get(key).and_then(Node::as_table).map(|table| table.0.as_slice()).unwrap_or_default();
    let mut plugins_missing = false;
    let mut plugins = Vec::new();
    for (alias, node) in named("plugins") {
        match plugin(given.folder, alias, node) {
            Some(entry) if alias.text != "bundled" => plugins.push(entry),
            _ => plugins_missing = true,
        }
    }
    // As below: a service that only the command line speaks of is a slip of the pen.
    let services = |key: &str| {
        let there = |(name, node): &&(Key, Node)| {
            name.span.source == file
                || node.as_table().is_some_and(|service| service.get("use").or(service.get("tiers")).is_some())
        };
        named(key).iter().filter(there).map(|(name, node)| (name, node))
    };
    let mut stages = Vec::new();
    for (name, node) in named("stages") {
        // The pass over shapes has reported these.
        let slip = name.span.source != file && node.as_table().is_some_and(|stage| stage.get("use").is_none());
        let reserved = name.text == "input" || name.text == "each";
        if !slip && !reserved && node.as_table().is_some() {
            stages.push(stage(name, node));
        }
    }
    Draft {
        folder: given.folder.to_owned(),
        name: pipeline.text("name").map(|name| name.value).unwrap_or_default(),
        description: pipeline.text("description").map(|text| text.value),
        seed: pipeline.integer("seed").unwrap_or_default(),
        max_in_flight: pipeline.integer("max_in_flight").unwrap_or_default() as usize,
        sandbox_memory: pipeline
            .size("sandbox_memory")
            .zip(pipeline.get("sandbox_memory"))
            .map(|(value, node)| Spanned { value, span: node.span }),
        tensor_storage: pipeline.size("tensor_storage"),
        plugins,
        plugins_missing,
        signers: trust::signers(root.get("trust"), &mut faults),
        input: root.get("input").map(|node| InputDraft { source: input(given, &sources, node, &mut faults) }),
        output: output(root.get("output")),
        models: services("model").map(|(name, node)| service::model(given.folder, name, node)).collect(),
        caches: services("cache").map(|(name, node)| service::cache(name, node)).collect(),
        stages,
        search: root
            .entry("search")
            .filter(|(_, node)| node.as_table().is_some())
            .map(|(key, node)| search::search(key.span, node)),
        tests: test::tests(root.get("tests"), &mut faults),
        sources,
        faults,
    }
}
