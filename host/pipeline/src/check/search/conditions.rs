//! Checks the conditions under which keys are searched, and orders the keys by them.

use jackfield_plugin_api::Condition;
use serde_json::Value;

use super::domain::{allowed, canonical};
use crate::{
    check::{checker::Checker, found::SearchedKey},
    diagnostics::{Diagnostic, suggest},
    parsed::ParsedSearch,
    syntax::{Key, Value as Toml},
};

impl Checker<'_> {
    /// Checks the condition of each key that has one.
    pub(crate) fn check_conditions(&mut self, search: &ParsedSearch, keys: &mut [SearchedKey]) {
        for index in 0..keys.len() {
            let Some((span, entries)) = &search.space[keys[index].parsed].when else { continue };
            let name = keys[index].dimension.name.clone();
            let [(key, node)] = entries.as_slice() else {
                let message = format!("`when` of `{name}` names {} keys, and it is a condition on one", entries.len());
                let hint = "such as `when = { \"STAGE.KEY\" = \"value\" }`";
                self.diagnostics.push(Diagnostic::at("bad-search", *span, message).hint(hint.to_owned()));
                continue;
            };
            let Some(named_key) = self.condition_on(search, keys, &name, key) else { continue };
            let before = self.diagnostics.len();
            let value = node.to_json(&mut self.diagnostics);
            if self.diagnostics.len() > before {
                continue;
            }
            let named_key = &keys[named_key].dimension;
            let listed_values = match (&value, &node.value) {
                (Value::Array(values), Toml::List(nodes)) if canonical(named_key, &value).is_none() => {
                    values.iter().cloned().zip(nodes.iter().map(|node| node.span)).collect()
                }
                _ => vec![(value, node.span)],
            };
            let mut values_of_named = Vec::new();
            for (value, span) in &listed_values {
                match canonical(named_key, value) {
                    Some(value) => values_of_named.push(value),
                    None => {
                        let message =
                            format!("`{name}` depends on `{}` being {value}, which it never is", named_key.name);
                        self.diagnostics.push(Diagnostic::at("bad-search", *span, message).hint(allowed(named_key)));
                    }
                }
            }
            if listed_values.is_empty() {
                let message = format!("`when` of `{name}` has no value for which it holds");
                self.diagnostics.push(Diagnostic::at("bad-search", node.span, message));
            }
            let name = named_key.name.clone();
            keys[index].dimension.when = Some(Condition { name, values: values_of_named });
        }
    }

    /// The index of the key that a condition names.
    fn condition_on(&mut self, search: &ParsedSearch, keys: &[SearchedKey], name: &str, key: &Key) -> Option<usize> {
        if key.text == name {
            let message = format!("`{name}` depends on itself");
            let hint = "name another key of the space in `when`";
            self.diagnostics.push(Diagnostic::at("bad-search", key.span, message).hint(hint.to_owned()));
            return None;
        }
        let found = keys.iter().position(|other| other.dimension.name == key.text);
        // A key that is wrong is reported where it is written.
        if found.is_none() && !search.space.iter().any(|other| other.name.raw == key.text) {
            let message = format!("`{name}` depends on `{}`, which is not a key of the space", key.text);
            let others = keys.iter().map(|other| other.dimension.name.as_str()).filter(|other| *other != name);
            let hint = suggest::hint_for(&key.text, "other keys of the space", others);
            self.diagnostics.push(Diagnostic::at("bad-search", key.span, message).hint(hint));
        }
        found
    }

    /// The keys in their order, except that a key which a condition names comes before the key that has the condition.
    pub(crate) fn named_keys_first(&mut self, keys: Vec<SearchedKey>) -> Vec<SearchedKey> {
        let named_key = |index: usize| {
            let when = keys[index].dimension.when.as_ref()?;
            keys.iter().position(|other| other.dimension.name == when.name)
        };
        let (mut order, mut placed) = (Vec::new(), vec![false; keys.len()]);
        for start in 0..keys.len() {
            let mut chain = Vec::new();
            let mut next = Some(start);
            while let Some(index) = next.filter(|index| !placed[*index]) {
                if let Some(first) = chain.iter().position(|seen| *seen == index) {
                    let names = chain[first..].iter().chain([&index]).map(|index| keys[*index].dimension.name.as_str());
                    let names: Vec<&str> = names.collect();
                    let message =
                        format!("keys of the space depend on each other in a circle: `{}`", names.join(" -> "));
                    let hint = "remove `when` from one of them".to_owned();
                    self.diagnostics.push(Diagnostic::at("cycle", keys[index].span, message).hint(hint));
                    break;
                }
                chain.push(index);
                next = named_key(index);
            }
            for index in chain.into_iter().rev() {
                if !std::mem::replace(&mut placed[index], true) {
                    order.push(index);
                }
            }
        }
        let mut keys: Vec<Option<SearchedKey>> = keys.into_iter().map(Some).collect();
        order.into_iter().filter_map(|index| keys[index].take()).collect()
    }
}
