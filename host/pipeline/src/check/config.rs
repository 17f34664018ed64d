//! Checks `with` tables against the schemas of their extensions.

use std::collections::BTreeSet;

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind, paths::LocationSegment};
use serde_json::{Map, Value};

use super::{
    checker::Checker,
    files,
    found::{CheckedConfig, TemplateUse},
    output_schemas::schema_faults,
    templates::Templates,
};
use crate::{
    diagnostics::{Diagnostic, Span, suggest},
    plan::PathIdentities,
    schema::{Type, View, first_sentence},
    step::Step,
    syntax::{Node, tree},
};
use jackfield_loader::ExtensionEntry;

impl Checker<'_> {
    /// Checks the configuration of every stage, and keeps it as JSON.
    pub(crate) fn check_configs(&mut self) {
        let parsed = self.parsed;
        let names = parsed.search.iter().flat_map(|search| &search.space).filter_map(|key| key.name.text.as_ref());
        let searched: BTreeSet<&str> = names.map(|name| name.source.as_str()).collect();
        for (index, stage) in parsed.stages.iter().enumerate() {
            // What is searched need not stand in the stage: its table is checked with the search.
            let config = match searched.contains(stage.name.text.as_str()) {
                true => CheckedConfig::default(),
                false => self.check_config(index),
            };
            self.configs.push(config);
        }
    }

    fn check_config(&mut self, index: usize) -> CheckedConfig {
        let stage = &self.parsed.stages[index];
        let entry = self.extensions[index].map(|(_, entry)| entry);
        let uses = stage.uses.as_ref().map_or(stage.name.span, |uses| uses.span);
        self.with_table(stage.with.as_ref(), entry, stage.name.span, uses)
    }

    /// A `with` table as JSON, checked against the schema of its extension, with the files that it names. Where a
    /// table is absent, what is missing from it is reported at `span`.
    pub(crate) fn with_table(
        &mut self,
        with: Option<&(Span, Node)>,
        entry: Option<&ExtensionEntry>,
        span: Span,
        uses: Span,
    ) -> CheckedConfig {
        let before = self.diagnostics.len();
        let mut config = CheckedConfig {
            value: match with {
                Some((_, node)) => node.to_json(&mut self.diagnostics),
                None => Value::Object(Map::new()),
            },
            paths: PathIdentities::new(),
            templates: None,
        };
        let Some(entry) = entry.filter(|_| self.diagnostics.len() == before) else { return config };
        let schema = &entry.descriptor.config;
        let span = with.map_or(span, |(key, _)| *key);
        let node = with.map(|(_, node)| node);
        match jsonschema::validator_for(schema) {
            Ok(validator) => {
                self.against_schema(&config.value, ConfigSchema { entry, validator: &validator }, node, span)
            }
            Err(error) => {
                let extension = entry.descriptor.name.as_str();
                let message = format!("the schema of what configures `{extension}` is not a JSON Schema: {error}");
                self.diagnostics.push(Diagnostic::at("bad-extension", uses, message));
            }
        }
        if self.diagnostics.len() == before {
            let files = files::ConfigFiles { folder: &self.parsed.folder, schema, node, span };
            config.paths = files.fill(&mut config.value, &mut self.diagnostics);
        }
        if self.diagnostics.len() == before {
            self.diagnostics.extend(schema_faults(&entry.descriptor.output, &config.value, node, span));
            config.templates = self.templates_of(schema, node, &config.value, span);
        }
        config
    }

    /// The templates of a configuration; none if one of them is wrong, which is reported.
    pub(crate) fn templates_of(
        &mut self,
        schema: &Value,
        node: Option<&Node>,
        value: &Value,
        span: Span,
    ) -> Option<Vec<TemplateUse>> {
        let before = self.diagnostics.len();
        let sources = &self.parsed.sources;
        let mut templates = Templates { schema, sources, span, diagnostics: &mut self.diagnostics, found: Vec::new() };
        templates.visit(schema, node, value);
        let found = templates.found;
        (self.diagnostics.len() == before).then_some(found)
    }

    /// Checks a configuration against the schema of its extension. What is missing is reported at `span`.
    pub(crate) fn against_schema(&mut self, config: &Value, schema: ConfigSchema<'_>, node: Option<&Node>, span: Span) {
        let ConfigSchema { entry, validator } = schema;
        let (extension, schema) = (entry.descriptor.name.as_str(), &entry.descriptor.config);
        let mut pass = ConfigCheck { extension, schema, span, node, diagnostics: &mut self.diagnostics };
        for error in validator.iter_errors(config) {
            pass.error(&error);
        }
    }
}

/// The extension whose schema a configuration has to satisfy, and the validator of that schema.
#[derive(Clone, Copy)]
pub(crate) struct ConfigSchema<'a> {
    pub(crate) entry: &'a ExtensionEntry,
    pub(crate) validator: &'a Validator,
}

/// One `with` table.
struct ConfigCheck<'a> {
    extension: &'a str,
    schema: &'a Value,
    /// Where what is missing is reported: the key `with`, or the stage.
    span: Span,
    node: Option<&'a Node>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

/// A value of the table.
struct ConfigValue<'a> {
    /// Such as `lens.prompts[2]`; empty for the table itself.
    name: String,
    /// Its key, or the value itself in a list.
    key: Span,
    value: Span,
    table: Option<&'a tree::Table>,
    steps: Vec<Step>,
    node: Option<&'a Node>,
}

impl<'a> ConfigCheck<'a> {
    /// The value that an error is about.
    fn config_value(&self, error: &ValidationError<'_>) -> ConfigValue<'a> {
        let mut config_value = ConfigValue {
            name: String::new(),
            key: self.span,
            value: self.node.map_or(self.span, |node| node.span),
            table: self.node.and_then(Node::as_table),
            steps: Vec::new(),
            node: self.node,
        };
        for segment in error.instance_path().iter() {
            let next = match (&segment, config_value.node.map(|node| &node.value)) {
                (LocationSegment::Property(name), Some(tree::Value::Table(table))) => {
                    table.entry(name).map(|(key, node)| (key.span, node))
                }
                (LocationSegment::Index(index), Some(tree::Value::List(list))) => {
                    list.get(*index).map(|node| (node.span, node))
                }
                _ => None,
            };
            let Some((key, node)) = next else { break };
            let step = match segment {
                LocationSegment::Property(name) => Step::Field(name.to_string()),
                LocationSegment::Index(index) => Step::Index(index),
            };
            config_value.name.push_str(&step.to_string());
            config_value.steps.push(step);
            (config_value.key, config_value.value, config_value.node, config_value.table) =
                (key, node.span, Some(node), node.as_table());
        }
        config_value.name = config_value.name.trim_start_matches('.').to_owned();
        config_value
    }

    /// The schema of a value.
    fn view(&self, steps: &[Step]) -> Option<View<'a>> {
        Type::of_schema(self.schema).follow(steps).ok()?.view()
    }

    fn error(&mut self, error: &ValidationError<'_>) {
        let config_value = self.config_value(error);
        let name = if config_value.name.is_empty() { "with" } else { &config_value.name };
        let name = format!("`{name}` of `{}`", self.extension);
        let range = |label: String| {
            Diagnostic::at("out-of-range", config_value.value, format!("{name} is out of range")).label(label)
        };
        let diagnostic = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for key in unexpected {
                    self.unknown(&config_value, key);
                }
                return;
            }
            // A schema without any properties refuses every key.
            ValidationErrorKind::FalseSchema if config_value.table.is_some() => {
                let known = self.view(&config_value.steps).map(|view| view.names()).unwrap_or_default();
                let keys = config_value.table.into_iter().flat_map(|table| &table.0).map(|(key, _)| key.text.as_str());
                for key in keys.filter(|key| !known.contains(key)) {
                    self.unknown(&config_value, key);
                }
                return;
            }
            ValidationErrorKind::Required { property } => {
                return self.missing(&config_value, property.as_str().unwrap_or_default());
            }
            ValidationErrorKind::Type { .. } => self.wrong_type(&config_value, &name),
            ValidationErrorKind::Enum { options } => {
                let options: Vec<&Value> = options.as_array().into_iter().flatten().collect();
                self.choice(&config_value, &name, &options)
            }
            ValidationErrorKind::Constant { expected_value } => self.choice(&config_value, &name, &[expected_value]),
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                return self.alternatives(&config_value, &name, context);
            }
            ValidationErrorKind::Minimum { limit } => range(format!("expected at least {limit}")),
            ValidationErrorKind::Maximum { limit } => range(format!("expected at most {limit}")),
            ValidationErrorKind::ExclusiveMinimum { limit } => range(format!("expected more than {limit}")),
            ValidationErrorKind::ExclusiveMaximum { limit } => range(format!("expected less than {limit}")),
            ValidationErrorKind::MinLength { limit: 1 } | ValidationErrorKind::MinItems { limit: 1 } => {
                Diagnostic::at("bad-value", config_value.value, format!("{name} is empty"))
            }
            ValidationErrorKind::MinLength { limit } => range(format!("expected at least {limit} characters")),
            ValidationErrorKind::MaxLength { limit } => range(format!("expected at most {limit} characters")),
            ValidationErrorKind::MinItems { limit } => range(format!("expected at least {limit} elements")),
            ValidationErrorKind::MaxItems { limit } => range(format!("expected at most {limit} elements")),
            ValidationErrorKind::Pattern { pattern } => {
                Diagnostic::at("bad-value", config_value.value, format!("{name} is not of the form `{pattern}`"))
            }
            _ => Diagnostic::at("bad-value", config_value.value, format!("{name} is not valid: {error}")),
        };
        self.diagnostics.push(diagnostic);
    }

    fn unknown(&mut self, config_value: &ConfigValue<'a>, key: &str) {
        let at = config_value.table.and_then(|table| table.entry(key)).map_or(config_value.key, |(key, _)| key.span);
        let known = self.view(&config_value.steps).map(|view| view.names()).unwrap_or_default();
        let inside = if config_value.name.is_empty() { String::new() } else { format!(" in `{}`", config_value.name) };
        let message = if known.is_empty() && config_value.name.is_empty() {
            format!("`{}` has no key `{key}`: it takes no configuration", self.extension)
        } else {
            format!("`{}` has no key `{key}`{inside}", self.extension)
        };
        self.diagnostics.push(Diagnostic::at("unknown-key", at, message).hint(suggest::hint_for(
            key,
            "known keys",
            known,
        )));
    }

    fn missing(&mut self, config_value: &ConfigValue<'a>, key: &str) {
        // A misspelled key is reported as such.
        let known = self.view(&config_value.steps).map(|view| view.names()).unwrap_or_default();
        let keys = config_value.table.into_iter().flat_map(|table| &table.0).map(|(key, _)| key.text.as_str());
        if keys.filter(|name| !known.contains(name)).any(|name| suggest::nearest(name, [key]).is_some()) {
            return;
        }
        let inside = if config_value.name.is_empty() { String::new() } else { format!(" in `{}`", config_value.name) };
        let message = format!("`{}` needs the key `{key}`{inside}", self.extension);
        let mut steps = config_value.steps.clone();
        steps.push(Step::Field(key.to_owned()));
        let mut diagnostic = Diagnostic::at("missing-key", config_value.key, message);
        if let Some(view) = self.view(&steps) {
            diagnostic = diagnostic.note(match view.doc() {
                Some(doc) => format!("`{key}` is `{view}`: {}", first_sentence(doc)),
                None => format!("`{key}` is `{view}`"),
            });
        }
        if self.node.is_none() {
            diagnostic.hint = Some(format!("add `with = {{ {key} = ... }}`"));
        }
        self.diagnostics.push(diagnostic);
    }

    fn wrong_type(&self, config_value: &ConfigValue<'a>, name: &str) -> Diagnostic {
        let found = config_value.node.map_or("a table", Node::type_name);
        let wanted =
            self.view(&config_value.steps).map_or_else(|| "something else".to_owned(), |view| format!("`{view}`"));
        Diagnostic::at("wrong-type", config_value.value, format!("{name} is {found}, expected {wanted}")).label(found)
    }

    fn choice(&self, config_value: &ConfigValue<'a>, name: &str, options: &[&Value]) -> Diagnostic {
        let texts: Vec<&str> = options.iter().filter_map(|option| option.as_str()).collect();
        let found = config_value.node.and_then(Node::as_str);
        let Some(found) = found.filter(|_| !texts.is_empty()) else { return self.wrong_type(config_value, name) };
        let hint = suggest::nearest(found, texts.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        Diagnostic::at("bad-value", config_value.value, format!("{name} cannot be `{found}`"))
            .label(format!("expected one of {}", suggest::list(texts)))
            .hint(hint)
    }

    /// A value that fits none of several alternatives: the diagnostics of the one that was meant, if that shows.
    fn alternatives(&mut self, config_value: &ConfigValue<'a>, name: &str, context: &[Vec<ValidationError<'static>>]) {
        let here = |error: &ValidationError<'_>| error.instance_path().iter().count() == config_value.steps.len();
        let is_other = |error: &ValidationError<'_>| match error.kind() {
            // Another type, or another variant of a tagged enum.
            ValidationErrorKind::Type { .. } => here(error),
            ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. } => true,
            _ => false,
        };
        let meant: Vec<_> =
            context.iter().filter(|branch| !branch.is_empty() && !branch.iter().any(is_other)).collect();
        if let [meant] = meant.as_slice() {
            meant.iter().for_each(|error| self.error(error));
            return;
        }
        // One level of tags: `{ kind = "sqare" }`.
        let choices: Vec<(&ValidationError<'_>, Vec<&Value>)> = context
            .iter()
            .flatten()
            .filter_map(|error| match error.kind() {
                ValidationErrorKind::Constant { expected_value } => Some((error, vec![&**expected_value])),
                ValidationErrorKind::Enum { options } => {
                    Some((error, options.as_array().into_iter().flatten().collect()))
                }
                _ => None,
            })
            .collect();
        if let Some((first, _)) = choices.first()
            && meant.is_empty()
            && choices.iter().all(|(error, _)| error.instance_path().as_str() == first.instance_path().as_str())
        {
            let at = self.config_value(first);
            let name = format!("`{}` of `{}`", at.name, self.extension);
            let options: Vec<&Value> = choices.iter().flat_map(|(_, options)| options.iter().copied()).collect();
            let diagnostic = self.choice(&at, &name, &options);
            self.diagnostics.push(diagnostic);
            return;
        }
        let diagnostic = self.wrong_type(config_value, name);
        self.diagnostics.push(diagnostic);
    }
}
