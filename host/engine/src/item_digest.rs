//! What tells an item of a resumed run from the one that it was.

use jackfield_pipeline::InputPlan;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// SHA-256 of an item. Where a file lies is no part of it: the folder of a pipeline may be moved.
pub(super) fn item_digest(input: &InputPlan, document: &str) -> [u8; 32] {
    #[derive(Deserialize)]
    struct File<'a> {
        #[serde(borrow)]
        name: &'a RawValue,
        #[serde(borrow)]
        text: &'a RawValue,
    }
    let file = matches!(input, InputPlan::Files { .. }).then(|| serde_json::from_str::<File<'_>>(document));
    match file {
        Some(Ok(File { name, text })) => {
            let mut digest = Sha256::new();
            digest.update(name.get());
            digest.update(text.get());
            digest.finalize().into()
        }
        _ => Sha256::digest(document).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_moved_is_the_same_and_one_that_changed_is_not() {
        let file = |path: &str, name: &str, text: &str| {
            let document = serde_json::json!({ "path": path, "name": name, "text": text }).to_string();
            item_digest(&InputPlan::Files { patterns: Vec::new(), max_item_size: 1 }, &document)
        };
        assert_eq!(file("/one/a", "a", "x"), file("/two/a", "a", "x"));
        assert_ne!(file("/one/a", "a", "x"), file("/one/b", "b", "x"));
        assert_ne!(file("/one/a", "a", "x"), file("/one/a", "a", "y"));
        let line = |document: &str| {
            item_digest(&InputPlan::Jsonl { patterns: Vec::new(), id: None, max_item_size: 1 }, document)
        };
        assert_ne!(line(r#"{"name":"a","path":"1","text":"x"}"#), line(r#"{"name":"a","path":"2","text":"x"}"#));
    }
}
