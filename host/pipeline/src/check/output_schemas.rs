//! The schemas of what stages answer, where their configurations say them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::checker::Checker;
use crate::{
    diagnostics::{Diagnostic, Span},
    schema::{any_of, marks, names_unread_file, output_schema, schema_at, text_file, wire_schema},
    syntax::{Node, tree},
};

/// What is wrong with the schemas in a configuration whose files are read.
pub(crate) fn schema_faults(output: &Value, config: &Value, node: Option<&Node>, span: Span) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let places: BTreeSet<String> = marks(output).into_iter().filter(|mark| !mark.loose).map(|mark| mark.at).collect();
    for at in places {
        let Some(Err(fault)) = schema_at(config, &at) else { continue };
        let (key, found) = node.map_or((span, None), |node| node_at(node, &at, span));
        // A file is one value of the pipeline, wherever in it the fault is.
        let file = config.pointer(&at).and_then(|value| text_file(value).or_else(|| text_file(value.get("file")?)));
        let inside = match (found, file) {
            (Some(found), None) => node_at(found, &fault.inside, key).0,
            _ => key,
        };
        let name = at.trim_start_matches('/').replace('/', ".");
        let what = match file {
            Some((path, _)) => format!("`{path}`"),
            None => format!("`{name}`"),
        };
        let place = match fault.inside.as_str() {
            "" => String::new(),
            inside => format!("`{inside}`: "),
        };
        let message = format!("{what} is not a JSON Schema: {place}{}", fault.message);
        faults.push(Diagnostic::at("bad-schema", inside, message));
    }
    faults
}

/// The value at a JSON pointer, as far as it is written, with the span to report it at.
fn node_at<'n>(node: &'n Node, pointer: &str, span: Span) -> (Span, Option<&'n Node>) {
    let (mut at, mut span) = (node, if pointer.is_empty() { node.span } else { span });
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match &at.value {
            tree::Value::Table(table) => table.get(&step),
            tree::Value::List(list) => step.parse::<usize>().ok().and_then(|index| list.get(index)),
            _ => None,
        };
        let Some(next) = next else { return (span, None) };
        (at, span) = (next, next.span);
    }
    (span, Some(at))
}

impl Checker<'_> {
    /// Sets the schemas that wires into the stages are checked against, where a configuration says them.
    pub(crate) fn set_wire_schemas(&mut self) {
        for index in 0..self.parsed.stages.len() {
            if let Some(schema) =
                self.schema_of_answers(index, |output, config| wire_schema(output, config).into_owned())
            {
                // Each stage is looked at once.
                let _ = self.wire_schemas[index].set(schema);
            }
        }
    }

    /// The schema that a stage's answers are held to, if it is not its extension's own.
    pub(crate) fn answer_schema(&self, index: usize) -> Option<Value> {
        self.schema_of_answers(index, |output, config| output_schema(output, config).into_owned())
    }

    /// A schema of what a stage answers, in whichever arm of its route or trial of the search.
    fn schema_of_answers(&self, index: usize, of_config: impl Fn(&Value, &Value) -> Value) -> Option<Value> {
        let (_, entry) = self.extensions[index]?;
        let output = &entry.descriptor.output;
        let marks = marks(output);
        if marks.is_empty() {
            return None;
        }
        // Files that a search does not pick are read once, and not for each configuration that is tried.
        let is_read = |config: &&Value| !marks.iter().any(|mark| names_unread_file(config, &mark.at));
        let base = &self.configs[index].value;
        let arms = self.routes.get(index).into_iter().flatten().flat_map(|route| route.arms()).map(|arm| &arm.config);
        let searched = self.search.iter().flat_map(|search| search.configs_of(index));
        let mut schemas: Vec<Value> = Vec::new();
        for config in std::iter::once(base).chain(arms).chain(searched).filter(is_read) {
            let schema = of_config(output, config);
            if !schemas.contains(&schema) {
                schemas.push(schema);
            }
        }
        (!schemas.is_empty()).then(|| any_of(schemas))
    }
}
