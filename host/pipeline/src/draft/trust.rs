//! `[trust]`: whose signatures of plugin files count.

use jackfield_loader::lock::{Signers, TrustedKey};

use super::fields::Fields;
use crate::{
    diagnostics::Fault,
    keys::{REQUIRED, TRUST, WHEN_PRESENT},
    syntax::{Node, Value},
};

/// Reads the table. None if anything in it is wrong: nothing can be let in then.
pub(crate) fn signers(node: Option<&Node>, faults: &mut Vec<Fault>) -> Option<Signers> {
    let Some(node) = node else { return Some(Signers::default()) };
    let table = node.as_table()?;
    let fields = Fields { table: Some(table), spec: &TRUST };
    let mut keys = Vec::new();
    let texts = fields.texts("keys");
    for text in &texts {
        match TrustedKey::parse(&text.value) {
            Some(key) => keys.push(key),
            None if text.value.is_empty() => {}
            None => faults.push(
                Fault::at("bad-value", text.span, "this is no public key of minisign")
                    .label(format!("{} characters", text.value.chars().count()))
                    .hint("a public key is the second line of its file, 56 characters that start with `RW`".to_owned()),
            ),
        }
    }
    let policy = fields.get("signatures").map_or(Some(WHEN_PRESENT), Node::as_str);
    let required = match policy {
        Some(WHEN_PRESENT) => false,
        Some(REQUIRED) => true,
        _ => return None,
    };
    let known = table.0.iter().all(|(key, _)| TRUST.key(&key.text).is_some());
    let whole = known && !keys.is_empty() && keys.len() == listed(fields.get("keys"));
    whole.then_some(Signers { keys, required })
}

/// How many values there are, whatever they are.
fn listed(node: Option<&Node>) -> usize {
    match node.map(|node| &node.value) {
        Some(Value::List(list)) => list.len(),
        Some(_) => 1,
        None => 0,
    }
}
