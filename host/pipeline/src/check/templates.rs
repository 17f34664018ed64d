//! Templates in configurations: whether they are ones, and whether a stage's `in` gives what they use, and no more.

use jackfield_plugin_api::X_TEMPLATE;
use jackfield_templates::{Variable, variables};
use serde_json::Value;

use super::{checker::Checker, files::alternatives, found::TemplateUse};
use crate::{
    diagnostics::{Diagnostic, Sources, Span, suggest},
    parsed::{Expr, WireRef},
    schema::{PathErrorReason, Type, text_file},
    step::Step,
    syntax::{Node, tree},
};

/// Finds the templates of a configuration whose files are read.
pub(crate) struct Templates<'a> {
    /// The schema of the configuration, which says what is a template.
    pub(crate) schema: &'a Value,
    pub(crate) sources: &'a Sources,
    /// Where a template is reported that is not written here.
    pub(crate) span: Span,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
    pub(crate) found: Vec<TemplateUse>,
}

impl<'a> Templates<'a> {
    /// Adds the templates in a value.
    pub(crate) fn visit(&mut self, schema: &'a Value, node: Option<&Node>, value: &Value) {
        let schemas = alternatives(self.schema, schema);
        if schemas.iter().any(|schema| schema[X_TEMPLATE] == true) {
            let span = node.map_or(self.span, |node| node.span);
            match (value.as_str(), text_file(value)) {
                // A file that is not read stands in a configuration that a search only tries.
                (Some(_), _) if schemas.iter().any(|schema| schema.get("format").is_some()) => return,
                (Some(text), _) => return self.add(text, span, None),
                (_, Some((path, text))) => return self.add(text, span, Some(path)),
                _ => {}
            }
        }
        match value {
            Value::Object(map) => {
                let properties = schemas.iter().filter_map(|schema| schema["properties"].as_object()).flatten();
                for (name, schema) in properties {
                    if let Some(value) = map.get(name) {
                        let node = node.and_then(Node::as_table).and_then(|table| table.get(name));
                        self.visit(schema, node, value);
                    }
                }
            }
            Value::Array(list) => {
                for schema in schemas.iter().filter_map(|schema| schema.get("items")) {
                    for (index, value) in list.iter().enumerate() {
                        let node = match node.map(|node| &node.value) {
                            Some(tree::Value::List(list)) => list.get(index),
                            _ => None,
                        };
                        self.visit(schema, node, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str, span: Span, file: Option<&str>) {
        match variables(text) {
            Ok(variables) => {
                let variables = variables
                    .into_iter()
                    .map(|variable| {
                        let place = Place { text, span, file }.of(self.sources, variable.start..variable.end);
                        (variable, place)
                    })
                    .collect();
                self.found.push(TemplateUse { file: file.map(str::to_owned), variables });
            }
            Err(fault) => {
                let what = file.map_or_else(|| "this".to_owned(), |file| format!("`{file}`"));
                let message = format!("{what} is not a template: {}", fault.message);
                let mut diagnostic = match (&fault.range, file) {
                    (Some(range), None) => {
                        Diagnostic::at("bad-template", in_literal(self.sources, span, text, range.clone()), message)
                    }
                    _ => Diagnostic::at("bad-template", span, message),
                };
                if let Some(line) = fault.line {
                    diagnostic = diagnostic.label(format!("line {line} of the template"));
                }
                self.diagnostics.push(diagnostic);
            }
        }
    }
}

/// A template where it is written.
struct Place<'a> {
    text: &'a str,
    span: Span,
    file: Option<&'a str>,
}

impl Place<'_> {
    /// Where a part of it is: a span of the pipeline, and in a file its line.
    fn of(&self, sources: &Sources, range: std::ops::Range<usize>) -> (Span, Option<usize>) {
        match self.file {
            None => (in_literal(sources, self.span, self.text, range), None),
            Some(_) => (self.span, Some(self.text[..range.start].matches('\n').count() + 1)),
        }
    }
}

/// The part of a string literal that holds a part of its text: the same words, as often after the same words.
fn in_literal(sources: &Sources, literal: Span, text: &str, range: std::ops::Range<usize>) -> Span {
    let (raw, part) = (sources.text(literal), &text[range.clone()]);
    if part.is_empty() {
        return literal;
    }
    let before = text[..range.start].matches(part).count();
    match raw.match_indices(part).nth(before) {
        Some((at, _)) => literal.part(at..at + part.len()),
        None => literal,
    }
}

/// What a stage's `in` gives to its templates.
enum Given<'t> {
    /// Fields by name.
    Fields(Vec<(&'t str, Type<'t>, Option<&'t WireRef>)>),
    /// Whatever a value has.
    Value(Type<'t>),
}

impl<'a> Checker<'a> {
    /// Compares what templates use with what stages give them.
    pub(crate) fn check_templates(&mut self) {
        let parsed = self.parsed;
        let item = self.item.clone();
        for (index, stage) in parsed.stages.iter().enumerate() {
            let Some(templates) = self.configs[index].templates.take().filter(|templates| !templates.is_empty()) else {
                continue;
            };
            let given = match &stage.input {
                None => Given::Fields(Vec::new()),
                Some((_, Expr::Table(table, _))) => Given::Fields(
                    table
                        .iter()
                        .map(|(key, expr)| match expr {
                            Expr::Wire(wire) => (key.text.as_str(), self.quiet_type(index, wire, &item), Some(wire)),
                            _ => (key.text.as_str(), Type::Unknown, None),
                        })
                        .collect(),
                ),
                Some((_, Expr::Wire(wire))) => Given::Value(self.quiet_type(index, wire, &item)),
                Some(_) => continue,
            };
            let mut found = Vec::new();
            let mut absent: Vec<&WireRef> = Vec::new();
            for template in &templates {
                for (variable, place) in &template.variables {
                    let fault = self.fault_of_variable(index, &given, template, variable, *place);
                    if let Some(fault) = fault.filter(|fault| !found.contains(fault)) {
                        found.push(fault);
                    }
                    if let Given::Fields(fields) = &given
                        && let Some((_, _, Some(wire))) = fields.iter().find(|(name, ..)| *name == variable.name())
                        && !variable.is_optional
                        && self.leads_nowhere_in_items(wire, &item)
                        && !absent.iter().any(|known| known.span == wire.span)
                    {
                        absent.push(wire);
                    }
                }
            }
            let misspelled: Vec<String> = found.iter().filter_map(|fault| fault.hint.clone()).collect();
            self.diagnostics.extend(found);
            // A field that a reader can do without may be absent from all items; what a template uses may not.
            for wire in absent {
                self.wire_type(Some(index), wire, &item);
            }
            if let Some((_, Expr::Table(table, _))) = &stage.input {
                let uses = |name: &str| {
                    templates.iter().flat_map(|one| &one.variables).any(|(variable, _)| variable.name() == name)
                };
                for (key, _) in table.iter().filter(|(key, _)| !uses(&key.text)) {
                    // The name that is misspelled is reported where it is used.
                    if misspelled.iter().any(|hint| hint.contains(&format!("did you mean `{}`", key.text))) {
                        continue;
                    }
                    let message = format!("no template of stage `{}` uses `{}`", stage.name.text, key.text);
                    let hint = format!("leave it out, or use it: `{{{{ {} }}}}`", key.text);
                    self.diagnostics
                        .push(Diagnostic::at("unknown-input", key.span, message).label("not used").hint(hint));
                }
            }
        }
    }

    /// The type at the end of a wire; what is wrong with it is reported elsewhere.
    fn quiet_type<'t>(&mut self, stage: usize, wire: &WireRef, item: &'t Value) -> Type<'t>
    where
        'a: 't,
    {
        let known = self.diagnostics.len();
        let ty = self.wire_type(Some(stage), wire, item);
        self.diagnostics.truncate(known);
        ty
    }

    /// What is wrong with a variable, or a field of one, that a template uses.
    fn fault_of_variable(
        &self,
        stage: usize,
        given: &Given<'_>,
        template: &TemplateUse,
        variable: &Variable,
        (span, line): (Span, Option<usize>),
    ) -> Option<Diagnostic> {
        let name = variable.name();
        let place = |message: String| match (&template.file, line) {
            (Some(file), Some(line)) => format!("line {line} of `{file}`: {message}"),
            _ => message,
        };
        let known = |names: Vec<&str>| suggest::hint_for(name, "`in` gives", names);
        let missing = |hint: Option<String>| {
            let stage = &self.parsed.stages[stage].name.text;
            let message = place(format!("`in` of stage `{stage}` does not give `{name}`, which the template uses"));
            Diagnostic::at("missing-input", span, message).label("not given").hint(hint)
        };
        let (ty, from) = match given {
            Given::Fields(fields) => match fields.iter().find(|(field, ..)| *field == name) {
                Some((_, ty, _)) => (ty.clone(), 1),
                None if fields.is_empty() => return Some(missing(Some(format!("add `in = {{ {name} = \"...\" }}`")))),
                None => return Some(missing(known(fields.iter().map(|(field, ..)| *field).collect()))),
            },
            Given::Value(ty) => (ty.clone(), 0),
        };
        // An element of a list is a number here, and a step of another kind in a wire.
        let steps = variable.path[from..].iter().take_while(|step| !step.starts_with(|c: char| c.is_ascii_digit()));
        let steps: Vec<Step> = steps.map(|step| Step::Field(step.clone())).collect();
        let error = ty.follow(&steps).err()?;
        if from == 0 && error.step == 0 {
            return Some(match error.reason {
                PathErrorReason::NoField(names) => missing(known(names.iter().map(String::as_str).collect())),
                _ => missing(None).label(format!("`in` gives `{}`", error.found)),
            });
        }
        let before = variable.path[..from + error.step].join(".");
        let field = &variable.path[from + error.step];
        Some(match error.reason {
            PathErrorReason::NoField(names) => {
                let message = place(format!("`{before}` has no field `{field}`"));
                let hint = suggest::hint_for(field, "its fields", names.iter().map(String::as_str));
                Diagnostic::at("unknown-field", span, message).hint(hint)
            }
            _ => {
                let message = place(format!("`{before}` has no fields"));
                Diagnostic::at("type-clash", span, message).label(format!("`{before}` is `{}`", error.found))
            }
        })
    }
}
