//! Reads the file of a pipeline, and turns its tree into typed values.

use std::{io, path::Path};

use super::{
    condition,
    fields::Fields,
    input::input,
    output::{output, recorded_calls},
    pipeline::ParsedPipeline,
    plugin::plugin,
    search, service,
    stage::stage,
    test, trust,
};
use crate::{
    diagnostics::{Diagnostic, Diagnostics, Sources, Spanned},
    keys::is_reserved_stage,
    syntax::{self, Document, Key, Node, Text},
};
use jackfield_loader::regular_file;

/// What to compile.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The file, or a folder that contains a `pipeline.toml`.
    pub path: &'a Path,
    /// Overrides, `dotted.key=VALUE`.
    pub set: &'a [String],
    /// Glob patterns in place of the pipeline's own, relative to the current folder.
    pub input: &'a [String],
}

/// Reads a pipeline. Diagnostics of single values are kept in the parsed pipeline, so that
/// [`check`](crate::check()) can report them with its own.
///
/// # Errors
/// If the pipeline cannot be read: there is no such file, or it is not UTF-8, or not TOML.
pub fn parse(request: Request<'_>) -> Result<ParsedPipeline, Diagnostics> {
    let single = |diagnostic| Diagnostics::new(Sources::default(), vec![diagnostic]);
    let mut path = request.path.to_owned();
    if path.is_dir() {
        path.push("pipeline.toml");
        if !path.exists() {
            let message = format!("the folder `{}` does not contain a `pipeline.toml`", request.path.display());
            let hint = "name the pipeline's file, or a folder that contains a `pipeline.toml`".to_owned();
            return Err(single(Diagnostic::new("no-pipeline", message).hint(hint)));
        }
    }
    let bytes = regular_file::read(&path, regular_file::MOST_TEXT).map_err(|error| {
        let why = if error.kind() == io::ErrorKind::NotFound { "no such file".to_owned() } else { error.to_string() };
        single(Diagnostic::new("no-pipeline", format!("cannot read `{}`: {why}", path.display())))
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
        environment: &|name| std::env::var_os(name),
    })
}

/// Reads a pipeline that is already in memory.
pub(crate) fn parse_text(given: &Text<'_>) -> Result<ParsedPipeline, Diagnostics> {
    Ok(lower(given, syntax::read(given)?))
}

/// Turns the tree into typed values; what the pass over shapes has reported is left out.
fn lower(given: &Text<'_>, document: Document) -> ParsedPipeline {
    let Document { sources, file, root, variables, unfilled, mut diagnostics } = document;
    let pipeline = Fields::of_file_table(root.get("pipeline"), "pipeline");
    let named = |key: &str| root.get(key).and_then(Node::as_table).map(|table| table.0.as_slice()).unwrap_or_default();
    let mut plugins_missing = false;
    let mut plugins = Vec::new();
    for (alias, node) in named("plugins") {
        match plugin(given.folder, alias, node) {
            Some(entry) if alias.text != "bundled" => plugins.push(entry),
            _ => plugins_missing = true,
        }
    }
    // As below: a service that is named only on the command line is a misspelled one.
    let services = |key: &str| {
        let is_meant = |(name, node): &&(Key, Node)| {
            name.span.source == file
                || node.as_table().is_some_and(|service| service.get("use").or(service.get("tiers")).is_some())
        };
        named(key).iter().filter(is_meant).map(|(name, node)| (name, node))
    };
    let mut stages = Vec::new();
    for (name, node) in named("stages") {
        // The pass over shapes has reported these.
        let misspelled = name.span.source != file && node.as_table().is_some_and(|stage| stage.get("use").is_none());
        let reserved = is_reserved_stage(&name.text);
        if !misspelled && !reserved && node.as_table().is_some() {
            stages.push(stage(name, node, &mut diagnostics));
        }
    }
    ParsedPipeline {
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
        keep_runs: Fields::of_file_table(root.get("runs"), "runs").integer("keep"),
        max_usd: pipeline.get("max_usd").and_then(|node| Some(Spanned { value: node.as_number()?, span: node.span })),
        recorded_calls: recorded_calls(root.get("record")),
        plugins,
        plugins_missing,
        signers: trust::signers(root.get("trust"), &mut diagnostics),
        input: root.get("input").map(|node| input(given, &sources, node, &mut diagnostics)),
        seen_items: None,
        output: output(root.get("output")),
        models: services("model").map(|(name, node)| service::model(given.folder, name, node)).collect(),
        caches: services("cache").map(|(name, node)| service::cache(name, node)).collect(),
        stages,
        search: root
            .entry("search")
            .filter(|(_, node)| node.as_table().is_some())
            .map(|(key, node)| search::search(key.span, node)),
        requirements: condition::requirements(root.get("require"), &mut diagnostics),
        tests: test::tests(root.get("tests"), &mut diagnostics),
        variables,
        unfilled,
        sources,
        diagnostics,
    }
}
