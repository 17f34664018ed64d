//! The pass that holds the tree against the tables of keys: unknown keys, missing keys, wrong types, bad values.

mod messages;
mod name;
mod value;

use messages::ADD_A_STAGE;
use messages::missing_key;
use messages::unknown_key;

use crate::{
    diagnostics::{Fault, Sources, Span, suggest},
    keys::{KeySpec, Names, Shape, Table},
    syntax::tree::{self, Key, Node, Value},
};

/// Where the pass is, for messages: `stage `lens``.
pub(crate) struct Pass<'a> {
    pub(crate) sources: &'a Sources,
    /// The pipeline's file: what came from elsewhere was meant for something that is there.
    pub(crate) file: Span,
    pub(crate) faults: &'a mut Vec<Fault>,
}

impl Pass<'_> {
    /// Checks a table; `place` is where a missing key is reported, `what` what the table is called.
    pub(crate) fn table(&mut self, table: &tree::Table, spec: &'static Table, what: &str, place: Option<Span>) {
        let choices = spec.key("use").map(|key| key.shape);
        // What a wrong `use` would want cannot be told.
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
                None => self.faults.push(unknown_key(key, spec, used, what)),
            }
        }
        let unknown: Vec<&str> =
            table.0.iter().map(|(key, _)| key.text.as_str()).filter(|key| spec.key(key).is_none()).collect();
        for key in spec.keys {
            let misspelt = || unknown.iter().any(|name| suggest::nearest(name, [key.name]).is_some());
            if key.need.is_required(used) && table.get(key.name).is_none() && !misspelt() {
                self.faults.push(missing_key(key, what, place));
            }
        }
    }

    /// A key that is for other values of `use`.
    fn fits_use(&mut self, key: &Key, spec: &KeySpec, used: Option<&str>) {
        if let (Some(uses), Some(used)) = (spec.need.only_for(), used)
            && !uses.contains(&used)
        {
            let message = format!("`{}` means nothing for `use = \"{used}\"`", key.text);
            self.faults.push(
                Fault::at("misplaced-key", key.span, message)
                    .hint(format!("it belongs to {}", suggest::list(uses.iter().copied()))),
            );
        }
    }

    pub(crate) fn map(&mut self, place: &Key, table: &tree::Table, of: &Shape, names: Names) {
        if table.0.is_empty() && place.text == "stages" {
            let fault = Fault::at("missing-key", place.span, "the pipeline has no stages").label("nothing in here");
            self.faults.push(fault.hint(ADD_A_STAGE.to_owned()));
        }
        for (key, node) in &table.0 {
            self.name(key, names);
            match (of, &node.value, names) {
                (Shape::Table(spec), Value::Table(inner), Names::Words { what, .. }) => {
                    // A stage that only the command line speaks of is a slip of the pen.
                    if key.span.source != self.file.source
                        && ["use", "path", "tiers"].iter().all(|key| inner.get(key).is_none())
                    {
                        let there =
                            table.0.iter().map(|(key, _)| key).filter(|key| key.span.source == self.file.source);
                        let hint =
                            suggest::hint_for(&key.text, &format!("known {what}s"), there.map(|key| key.text.as_str()));
                        let message = format!("the pipeline has no {what} `{}`", key.text);
                        self.faults.push(Fault::at("unknown-name", key.span, message).hint(hint));
                    } else {
                        self.table(inner, spec, &format!("{what} `{}`", key.text), Some(key.span));
                    }
                }
                _ => self.value(key, node, of),
            }
        }
    }
}
