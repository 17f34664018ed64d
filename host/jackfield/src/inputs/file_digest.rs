//! What tells an item that is a file from the one that it was.

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// SHA-256 of an item that is a file. Where the file lies is no part of it: the folder of a pipeline may be moved.
pub(super) fn digest_of_file(document: &str) -> [u8; 32] {
    #[derive(Deserialize)]
    struct File<'a> {
        #[serde(borrow)]
        name: &'a RawValue,
        #[serde(borrow)]
        text: &'a RawValue,
    }
    match serde_json::from_str::<File<'_>>(document) {
        Ok(File { name, text }) => {
            let mut digest = Sha256::new();
            digest.update(name.get());
            digest.update(text.get());
            digest.finalize().into()
        }
        Err(_) => Sha256::digest(document).into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::inputs::BundledInputs;
    use jackfield_engine::InputReader as _;
    use jackfield_pipeline::InputPlan;

    #[test]
    fn a_file_that_moved_is_the_same_and_one_that_changed_is_not() {
        let file = |path: &str, name: &str, text: &str| {
            let document = serde_json::json!({ "path": path, "name": name, "text": text }).to_string();
            BundledInputs.digest(&InputPlan::Files { patterns: Vec::new(), max_item_size: 1 }, &document)
        };
        assert_eq!(file("/one/a", "a", "x"), file("/two/a", "a", "x"));
        assert_ne!(file("/one/a", "a", "x"), file("/one/b", "b", "x"));
        assert_ne!(file("/one/a", "a", "x"), file("/one/a", "a", "y"));
        let line = |document: &str| {
            BundledInputs.digest(&InputPlan::Jsonl { patterns: Vec::new(), id: None, max_item_size: 1 }, document)
        };
        assert_ne!(line(r#"{"name":"a","path":"1","text":"x"}"#), line(r#"{"name":"a","path":"2","text":"x"}"#));
    }
}
