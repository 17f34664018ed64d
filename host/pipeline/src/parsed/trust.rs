//! `[trust]`: whose signatures of plugin files count.

use super::fields::Fields;
use crate::{
    diagnostics::Diagnostic,
    keys::{REQUIRED, TRUST, WHEN_PRESENT},
    syntax::{Node, Value},
};
use jackfield_loader::lock::{Signers, TrustedKey};

/// Reads the table. None if anything in it is wrong: then no file may be loaded.
pub(crate) fn signers(node: Option<&Node>, diagnostics: &mut Vec<Diagnostic>) -> Option<Signers> {
    let Some(node) = node else { return Some(Signers::default()) };
    let table = node.as_table()?;
    let fields = Fields::new(Some(table), &TRUST);
    let mut keys = Vec::new();
    let texts = fields.texts("keys");
    for text in &texts {
        match TrustedKey::parse(&text.value) {
            Some(key) => keys.push(key),
            None if text.value.is_empty() => {}
            None => diagnostics.push(
                Diagnostic::at("bad-value", text.span, "this is not a minisign public key")
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
    let whole = known && !keys.is_empty() && keys.len() == value_count(fields.get("keys"));
    whole.then_some(Signers { keys, required })
}

/// How many values there are, of any type.
fn value_count(node: Option<&Node>) -> usize {
    match node.map(|node| &node.value) {
        Some(Value::List(list)) => list.len(),
        Some(_) => 1,
        None => 0,
    }
}
