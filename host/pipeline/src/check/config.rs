//! `with` tables against the schemas of their extensions.

use std::collections::BTreeSet;

use jackfield_loader::Offer;
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind, paths::LocationSegment};
use serde_json::{Map, Value};

use super::{checker::Checker, files, found::CheckedConfig};
use crate::{
    diagnostics::{Fault, Span, suggest},
    plan::PathIdentities,
    schema::{Type, View, first_sentence},
    step::Step,
    syntax::{Node, tree},
};

impl Checker<'_> {
    /// Checks the configuration of every stage, and keeps it as JSON.
    pub(crate) fn configs(&mut self) {
        let draft = self.draft;
        let names = draft.search.iter().flat_map(|search| &search.space).filter_map(|key| key.name.text.as_ref());
        let searched: BTreeSet<&str> = names.map(|name| name.source.as_str()).collect();
        for (index, stage) in draft.stages.iter().enumerate() {
            // What is searched need not stand in the stage: its table is checked with the search.
            let config = match searched.contains(stage.name.text.as_str()) {
                true => CheckedConfig::default(),
                false => self.config(index),
            };
            self.configs.push(config);
        }
    }

    fn config(&mut self, index: usize) -> CheckedConfig {
        let stage = &self.draft.stages[index];
        let offer = self.offers[index].map(|(_, offer)| offer);
        let uses = stage.uses.as_ref().map_or(stage.name.span, |uses| uses.span);
        self.with_table(stage.with.as_ref(), offer, stage.name.span, uses)
    }

    /// A `with` table as JSON, held to the schema of its extension, with the files that it names. `place` is where a table
    /// that is absent is missed.
    pub(crate) fn with_table(
        &mut self,
        with: Option<&(Span, Node)>,
        offer: Option<&Offer>,
        place: Span,
        uses: Span,
    ) -> CheckedConfig {
        let before = self.faults.len();
        let mut config = CheckedConfig {
            value: match with {
                Some((_, node)) => node.to_json(&mut self.faults),
                None => Value::Object(Map::new()),
            },
            paths: PathIdentities::new(),
        };
        let Some(offer) = offer.filter(|_| self.faults.len() == before) else { return config };
        let schema = &offer.descriptor.config;
        let place = with.map_or(place, |(key, _)| *key);
        let node = with.map(|(_, node)| node);
        match jsonschema::validator_for(schema) {
            Ok(validator) => self.against_schema(&config.value, (offer, &validator), node, place),
            Err(error) => {
                let extension = offer.descriptor.name.as_str();
                let message = format!("the schema of what configures `{extension}` is not a JSON Schema: {error}");
                self.faults.push(Fault::at("bad-extension", uses, message));
            }
        }
        if self.faults.len() == before {
            config.paths = files::fill(&self.draft.folder, schema, (node, place), &mut config.value, &mut self.faults);
        }
        config
    }

    /// Holds a configuration against the schema of its extension, which this validator is of. `place` is where a key that is
    /// absent is missed.
    pub(crate) fn against_schema(
        &mut self,
        config: &Value,
        (offer, validator): (&Offer, &Validator),
        node: Option<&Node>,
        place: Span,
    ) {
        let (extension, schema) = (offer.descriptor.name.as_str(), &offer.descriptor.config);
        let mut pass = Config { extension, schema, place, node, faults: &mut self.faults };
        for error in validator.iter_errors(config) {
            pass.error(&error);
        }
    }
}

/// One `with` table.
struct Config<'a> {
    extension: &'a str,
    schema: &'a Value,
    /// Where what is missing is reported: the key `with`, or the stage.
    place: Span,
    node: Option<&'a Node>,
    faults: &'a mut Vec<Fault>,
}

/// A value of the table.
struct Spot<'a> {
    /// Such as `lens.prompts[2]`; empty for the table itself.
    name: String,
    /// Its key, or the value itself in a list.
    key: Span,
    value: Span,
    table: Option<&'a tree::Table>,
    steps: Vec<Step>,
    node: Option<&'a Node>,
}

impl<'a> Config<'a> {
    /// The value that an error is about.
    fn spot(&self, error: &ValidationError<'_>) -> Spot<'a> {
        let mut spot = Spot {
            name: String::new(),
            key: self.place,
            value: self.node.map_or(self.place, |node| node.span),
            table: self.node.and_then(Node::as_table),
            steps: Vec::new(),
            node: self.node,
        };
        for segment in error.instance_path().iter() {
            let next = match (&segment, spot.node.map(|node| &node.value)) {
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
            spot.name.push_str(&step.to_string());
            spot.steps.push(step);
            (spot.key, spot.value, spot.node, spot.table) = (key, node.span, Some(node), node.as_table());
        }
        spot.name = spot.name.trim_start_matches('.').to_owned();
        spot
    }

    /// The schema of a value.
    fn view(&self, steps: &[Step]) -> Option<View<'a>> {
        Type::of(self.schema).follow(steps).ok()?.view()
    }

    fn error(&mut self, error: &ValidationError<'_>) {
        let spot = self.spot(error);
        let name = if spot.name.is_empty() { "with" } else { &spot.name };
        let name = format!("`{name}` of `{}`", self.extension);
        let range =
            |label: String| Fault::at("out-of-range", spot.value, format!("{name} is out of range")).label(label);
        let fault = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for key in unexpected {
                    self.unknown(&spot, key);
                }
                return;
            }
            // A schema without any property says no to each.
            ValidationErrorKind::FalseSchema if spot.table.is_some() => {
                let known = self.view(&spot.steps).map(|view| view.names()).unwrap_or_default();
                let keys = spot.table.into_iter().flat_map(|table| &table.0).map(|(key, _)| key.text.as_str());
                for key in keys.filter(|key| !known.contains(key)) {
                    self.unknown(&spot, key);
                }
                return;
            }
            ValidationErrorKind::Required { property } => {
                return self.missing(&spot, property.as_str().unwrap_or_default());
            }
            ValidationErrorKind::Type { .. } => self.wrong_type(&spot, &name),
            ValidationErrorKind::Enum { options } => {
                let options: Vec<&Value> = options.as_array().into_iter().flatten().collect();
                self.choice(&spot, &name, &options)
            }
            ValidationErrorKind::Constant { expected_value } => self.choice(&spot, &name, &[expected_value]),
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                return self.alternatives(&spot, &name, context);
            }
            ValidationErrorKind::Minimum { limit } => range(format!("expected at least {limit}")),
            ValidationErrorKind::Maximum { limit } => range(format!("expected at most {limit}")),
            ValidationErrorKind::ExclusiveMinimum { limit } => range(format!("expected more than {limit}")),
            ValidationErrorKind::ExclusiveMaximum { limit } => range(format!("expected less than {limit}")),
            ValidationErrorKind::MinLength { limit: 1 } | ValidationErrorKind::MinItems { limit: 1 } => {
                Fault::at("bad-value", spot.value, format!("{name} is empty"))
            }
            ValidationErrorKind::MinLength { limit } => range(format!("expected at least {limit} characters")),
            ValidationErrorKind::MaxLength { limit } => range(format!("expected at most {limit} characters")),
            ValidationErrorKind::MinItems { limit } => range(format!("expected at least {limit} elements")),
            ValidationErrorKind::MaxItems { limit } => range(format!("expected at most {limit} elements")),
            ValidationErrorKind::Pattern { pattern } => {
                Fault::at("bad-value", spot.value, format!("{name} is not of the form `{pattern}`"))
            }
            _ => Fault::at("bad-value", spot.value, format!("{name} is not valid: {error}")),
        };
        self.faults.push(fault);
    }

    fn unknown(&mut self, spot: &Spot<'a>, key: &str) {
        let at = spot.table.and_then(|table| table.entry(key)).map_or(spot.key, |(key, _)| key.span);
        let known = self.view(&spot.steps).map(|view| view.names()).unwrap_or_default();
        let place = if spot.name.is_empty() { String::new() } else { format!(" in `{}`", spot.name) };
        let message = if known.is_empty() && spot.name.is_empty() {
            format!("`{}` has no key `{key}`: it takes no configuration", self.extension)
        } else {
            format!("`{}` has no key `{key}`{place}", self.extension)
        };
        self.faults.push(Fault::at("unknown-key", at, message).hint(suggest::hint_for(key, "known keys", known)));
    }

    fn missing(&mut self, spot: &Spot<'a>, key: &str) {
        // A misspelt key is reported as such.
        let known = self.view(&spot.steps).map(|view| view.names()).unwrap_or_default();
        let keys = spot.table.into_iter().flat_map(|table| &table.0).map(|(key, _)| key.text.as_str());
        if keys.filter(|name| !known.contains(name)).any(|name| suggest::nearest(name, [key]).is_some()) {
            return;
        }
        let place = if spot.name.is_empty() { String::new() } else { format!(" in `{}`", spot.name) };
        let message = format!("`{}` needs the key `{key}`{place}", self.extension);
        let mut steps = spot.steps.clone();
        steps.push(Step::Field(key.to_owned()));
        let mut fault = Fault::at("missing-key", spot.key, message);
        if let Some(view) = self.view(&steps) {
            fault = fault.note(match view.doc() {
                Some(doc) => format!("`{key}` is `{view}`: {}", first_sentence(doc)),
                None => format!("`{key}` is `{view}`"),
            });
        }
        if self.node.is_none() {
            fault.hint = Some(format!("add `with = {{ {key} = ... }}`"));
        }
        self.faults.push(fault);
    }

    fn wrong_type(&self, spot: &Spot<'a>, name: &str) -> Fault {
        let found = spot.node.map_or("a table", Node::type_name);
        let wanted = self.view(&spot.steps).map_or_else(|| "something else".to_owned(), |view| format!("`{view}`"));
        Fault::at("wrong-type", spot.value, format!("{name} is {found}, expected {wanted}")).label(found)
    }

    fn choice(&self, spot: &Spot<'a>, name: &str, options: &[&Value]) -> Fault {
        let texts: Vec<&str> = options.iter().filter_map(|option| option.as_str()).collect();
        let found = spot.node.and_then(Node::as_str);
        let Some(found) = found.filter(|_| !texts.is_empty()) else { return self.wrong_type(spot, name) };
        let hint = suggest::nearest(found, texts.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        Fault::at("bad-value", spot.value, format!("{name} cannot be `{found}`"))
            .label(format!("expected one of {}", suggest::list(texts)))
            .hint(hint)
    }

    /// A value that fits none of several alternatives: the faults of the one that was meant, if that shows.
    fn alternatives(&mut self, spot: &Spot<'a>, name: &str, context: &[Vec<ValidationError<'static>>]) {
        let here = |error: &ValidationError<'_>| error.instance_path().iter().count() == spot.steps.len();
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
            let at = self.spot(first);
            let name = format!("`{}` of `{}`", at.name, self.extension);
            let options: Vec<&Value> = choices.iter().flat_map(|(_, options)| options.iter().copied()).collect();
            let fault = self.choice(&at, &name, &options);
            self.faults.push(fault);
            return;
        }
        let fault = self.wrong_type(spot, name);
        self.faults.push(fault);
    }
}
