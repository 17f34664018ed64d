//! Checks the points of the space that are tried first.

use jackfield_plugin_api::Values;

use super::domain::{allowed, canonical};
use crate::{
    check::{checker::Checker, found::SpaceFound},
    diagnostics::{Diagnostic, suggest},
    parsed::ParsedSearch,
};

impl Checker<'_> {
    /// The points that are tried first.
    pub(crate) fn check_points(&mut self, search: &ParsedSearch, space: &SpaceFound) -> Vec<Values> {
        let mut points = Vec::new();
        let names: Vec<&str> = space.keys.iter().map(|key| key.dimension.name.as_str()).collect();
        for node in &search.points {
            let mut values = Values::new();
            let before = self.diagnostics.len();
            for (key, node) in node.as_table().into_iter().flat_map(|table| &table.0) {
                let value = node.to_json(&mut self.diagnostics);
                let Some(found) = space.keys.iter().find(|found| found.dimension.name == key.text) else {
                    if !search.space.iter().any(|other| other.name.raw == key.text) {
                        let message = format!("a point has a value of `{}`, which is not a key of the space", key.text);
                        let hint = suggest::hint_for(&key.text, "keys of the space", names.iter().copied());
                        self.diagnostics.push(Diagnostic::at("bad-search", key.span, message).hint(hint));
                    }
                    continue;
                };
                match canonical(&found.dimension, &value) {
                    Some(value) => drop(values.insert(key.text.clone(), value)),
                    None => {
                        let message = format!("`{}` of a point cannot be {value}", key.text);
                        self.diagnostics
                            .push(Diagnostic::at("bad-search", node.span, message).hint(allowed(&found.dimension)));
                    }
                }
            }
            if self.diagnostics.len() > before || !space.whole {
                continue;
            }
            for key in &space.keys {
                let dimension = &key.dimension;
                let name = &dimension.name;
                match (dimension.applies(&values), values.contains_key(name)) {
                    (true, false) => {
                        let message = format!("a point has no value of `{name}`");
                        self.diagnostics
                            .push(Diagnostic::at("bad-search", node.span, message).hint(allowed(dimension)));
                    }
                    (false, true) => {
                        let message = format!("a point has a value of `{name}`, whose `when` does not hold there");
                        self.diagnostics
                            .push(Diagnostic::at("bad-search", node.span, message).hint("leave it out".to_owned()));
                    }
                    _ => {}
                }
            }
            points.push(values);
        }
        points
    }
}
