//! The conditions under which keys are searched: what they are on, and in which order that puts the keys.

use jackfield_plugin_api::Condition;
use serde_json::Value;

use super::domain::{allowed, canonical};
use crate::{
    check::{checker::Checker, found::SearchedKey},
    diagnostics::{Fault, suggest},
    draft::SearchDraft,
    syntax::{Key, Value as Toml},
};

impl Checker<'_> {
    /// What has to hold for a key to be searched.
    pub(crate) fn conditions(&mut self, search: &SearchDraft, keys: &mut [SearchedKey]) {
        for at in 0..keys.len() {
            let Some((span, entries)) = &search.space[keys[at].draft].when else { continue };
            let name = keys[at].dimension.name.clone();
            let [(key, node)] = entries.as_slice() else {
                let message = format!("`when` of `{name}` names {} keys, and it is a condition on one", entries.len());
                let hint = "such as `when = { \"STAGE.KEY\" = \"value\" }`";
                self.faults.push(Fault::at("bad-search", *span, message).hint(hint.to_owned()));
                continue;
            };
            let Some(on) = self.condition_on(search, keys, &name, key) else { continue };
            let before = self.faults.len();
            let value = node.to_json(&mut self.faults);
            if self.faults.len() > before {
                continue;
            }
            let on = &keys[on].dimension;
            let listed = match (&value, &node.value) {
                (Value::Array(values), Toml::List(nodes)) if canonical(on, &value).is_none() => {
                    values.iter().cloned().zip(nodes.iter().map(|node| node.span)).collect()
                }
                _ => vec![(value, node.span)],
            };
            let mut is = Vec::new();
            for (value, span) in &listed {
                match canonical(on, value) {
                    Some(value) => is.push(value),
                    None => {
                        let message = format!("`{name}` depends on `{}` being {value}, which it never is", on.name);
                        self.faults.push(Fault::at("bad-search", *span, message).hint(allowed(on)));
                    }
                }
            }
            if listed.is_empty() {
                let message = format!("`when` of `{name}` has no value for which it holds");
                self.faults.push(Fault::at("bad-search", node.span, message));
            }
            let name = on.name.clone();
            keys[at].dimension.when = Some(Condition { name, values: is });
        }
    }

    /// The key that a condition is on.
    fn condition_on(&mut self, search: &SearchDraft, keys: &[SearchedKey], name: &str, key: &Key) -> Option<usize> {
        if key.text == name {
            let message = format!("`{name}` depends on itself");
            let hint = "name another key of the space in `when`";
            self.faults.push(Fault::at("bad-search", key.span, message).hint(hint.to_owned()));
            return None;
        }
        let found = keys.iter().position(|other| other.dimension.name == key.text);
        // One that is wrong is reported where it stands.
        if found.is_none() && !search.space.iter().any(|other| other.name.raw == key.text) {
            let message = format!("`{name}` depends on `{}`, which is not a key of the space", key.text);
            let others = keys.iter().map(|other| other.dimension.name.as_str()).filter(|other| *other != name);
            let hint = suggest::hint_for(&key.text, "other keys of the space", others);
            self.faults.push(Fault::at("bad-search", key.span, message).hint(hint));
        }
        found
    }

    /// The keys with what a condition is on before what depends on it, and else as they stand.
    pub(crate) fn conditions_first(&mut self, keys: Vec<SearchedKey>) -> Vec<SearchedKey> {
        let on = |at: usize| {
            let when = keys[at].dimension.when.as_ref()?;
            keys.iter().position(|other| other.dimension.name == when.name)
        };
        let (mut order, mut placed) = (Vec::new(), vec![false; keys.len()]);
        for start in 0..keys.len() {
            let mut chain = Vec::new();
            let mut next = Some(start);
            while let Some(at) = next.filter(|at| !placed[*at]) {
                if let Some(first) = chain.iter().position(|seen| *seen == at) {
                    let names = chain[first..].iter().chain([&at]).map(|at| keys[*at].dimension.name.as_str());
                    let names: Vec<&str> = names.collect();
                    let message =
                        format!("keys of the space depend on each other in a circle: `{}`", names.join(" -> "));
                    let hint = "take `when` off one of them".to_owned();
                    self.faults.push(Fault::at("cycle", keys[at].span, message).hint(hint));
                    break;
                }
                chain.push(at);
                next = on(at);
            }
            for at in chain.into_iter().rev() {
                if !std::mem::replace(&mut placed[at], true) {
                    order.push(at);
                }
            }
        }
        let mut keys: Vec<Option<SearchedKey>> = keys.into_iter().map(Some).collect();
        order.into_iter().filter_map(|at| keys[at].take()).collect()
    }
}
