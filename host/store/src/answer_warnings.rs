//! Warnings in answers: what a stage could not read, and so may have missed, though its call did not fail.

use serde_json::Value;

/// What the list `warnings` of an answer says: its members are texts, or objects with a member `text`. An answer of another
/// shape says nothing.
pub fn warnings_of(answer: &Value) -> impl Iterator<Item = &str> {
    let warnings = answer["warnings"].as_array().map_or(&[][..], Vec::as_slice);
    warnings.iter().filter_map(|warning| warning.as_str().or_else(|| warning["text"].as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::warnings_of;

    #[test]
    fn warnings_are_texts_or_have_one() {
        let answer = json!({ "warnings": ["plain", { "source": "s", "text": "said" }, 7, { "source": "s" }] });
        assert_eq!(warnings_of(&answer).collect::<Vec<_>>(), ["plain", "said"]);
        for other in [json!({}), json!([1]), json!({ "warnings": "none" }), json!(null)] {
            assert_eq!(warnings_of(&other).count(), 0, "{other}");
        }
    }
}
