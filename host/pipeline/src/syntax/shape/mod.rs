//! The pass that compares the tree with the tables of keys: unknown keys, missing keys, wrong types, bad values.

mod messages;
mod name;
mod number;
mod text;
mod value;

use crate::{
    diagnostics::{Diagnostic, Sources, Span, suggest},
    keys::{KeySpec, Names, Shape, Table},
    syntax::tree::{self, Key, Node, Value},
};
use messages::{ADD_A_STAGE, missing_key, unknown_key};

/// The pass over all tables of the file.
pub(crate) struct ShapeCheck<'a> {
    pub(crate) sources: &'a Sources,
    /// The pipeline's file: values of the command line are meant for keys that the file has.
    pub(crate) file: Span,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
}

impl ShapeCheck<'_> {
    /// Checks a table; `span` is where a missing key is reported, `what` what the table is called.
    pub(crate) fn table(&mut self, table: &tree::Table, spec: &'static Table, what: &str, span: Option<Span>) {
        let choices = spec.key("use").map(|key| key.shape);
        // If `use` is wrong, it is not known which keys belong to it.
        let used = table.get("use").and_then(Node::as_str).filter(|used| match choices {
            Some(Shape::Choice(choices)) => choices.contains(used),
            _ => true,
        });
        for (key, node) in &table.0 {
            match spec.key(&key.text) {
                Some(known) => {
                    self.fits_use(key, known, used);
                    self.value(key, node, &known.shape);
                }
                None => self.diagnostics.push(unknown_key(key, spec, used, what)),
            }
        }
        let unknown: Vec<&str> =
            table.0.iter().map(|(key, _)| key.text.as_str()).filter(|key| spec.key(key).is_none()).collect();
        for key in spec.keys {
            let misspelled = || unknown.iter().any(|name| suggest::nearest(name, [key.name]).is_some());
            if key.need.is_required(used) && table.get(key.name).is_none() && !misspelled() {
                self.diagnostics.push(missing_key(key, what, span));
            }
        }
    }

    /// A key that is for other values of `use`.
    fn fits_use(&mut self, key: &Key, spec: &KeySpec, used: Option<&str>) {
        if let (Some(uses), Some(used)) = (spec.need.only_for(), used)
            && !uses.contains(&used)
        {
            let message = format!("`{}` cannot be used with `use = \"{used}\"`", key.text);
            self.diagnostics.push(
                Diagnostic::at("misplaced-key", key.span, message)
                    .hint(format!("it belongs to {}", suggest::list(uses.iter().copied()))),
            );
        }
    }

    pub(crate) fn map(&mut self, map_key: &Key, table: &tree::Table, of: &Shape, names: Names) {
        if table.0.is_empty() && map_key.text == "stages" {
            let diagnostic =
                Diagnostic::at("missing-key", map_key.span, "the pipeline has no stages").label("nothing in here");
            self.diagnostics.push(diagnostic.hint(ADD_A_STAGE.to_owned()));
        }
        for (key, node) in &table.0 {
            self.name(key, names);
            match (of, &node.value, names) {
                (Shape::Table(spec), Value::Table(inner), Names::Words { what, .. }) => {
                    // A stage that is named only on the command line is a misspelled one.
                    if key.span.source != self.file.source
                        && ["use", "path", "tiers"].iter().all(|key| inner.get(key).is_none())
                    {
                        let known_keys =
                            table.0.iter().map(|(key, _)| key).filter(|key| key.span.source == self.file.source);
                        let hint = suggest::hint_for(
                            &key.text,
                            &format!("known {what}s"),
                            known_keys.map(|key| key.text.as_str()),
                        );
                        let message = format!("the pipeline has no {what} `{}`", key.text);
                        self.diagnostics.push(Diagnostic::at("unknown-name", key.span, message).hint(hint));
                    } else {
                        self.table(inner, spec, &format!("{what} `{}`", key.text), Some(key.span));
                    }
                }
                _ => self.value(key, node, of),
            }
        }
    }
}
