//! The first place at which two values differ.

use std::fmt;

use serde_json::{Number, Value};

/// Numbers with a fraction are the same if they differ by no more than this, in proportion to the larger.
const TOLERANCE: f64 = 1e-9;

/// How two values differ.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Difference {
    /// The place inside the values, such as `.items[2].title`; empty for the values themselves.
    pub place: String,
    /// What is expected there; none if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// What is found there; none if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Value>,
}

impl Difference {
    fn at(place: &str, expected: Option<&Value>, found: Option<&Value>) -> Self {
        Self { place: place.to_owned(), expected: expected.cloned(), found: found.cloned() }
    }

    /// What is expected, and what is found, in words; a long value is cut.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        (words(self.expected.as_ref()), words(self.found.as_ref()))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, found) = self.words();
        let place = if self.place.is_empty() { "the value" } else { self.place.trim_start_matches('.') };
        write!(f, "{place}: expected {expected}, found {found}")
    }
}

fn words(value: Option<&Value>) -> String {
    const MOST: usize = 200;
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Whether `expected` is part of `found`: of an object the fields that are expected, of a list every element; numbers
/// with a fraction may differ by a billionth.
///
/// # Errors
/// The first place at which it is not.
pub fn is_part(expected: &Value, found: &Value) -> Result<(), Difference> {
    compare(expected, found, true, &mut String::new())
}

/// Whether two values are the same.
///
/// # Errors
/// The first place at which they are not.
pub fn is_same(expected: &Value, found: &Value) -> Result<(), Difference> {
    compare(expected, found, false, &mut String::new())
}

fn compare(expected: &Value, found: &Value, part: bool, place: &mut String) -> Result<(), Difference> {
    let before = place.len();
    match (expected, found) {
        (Value::Object(wanted), Value::Object(there)) => {
            for (key, wanted) in wanted {
                push_field(place, key);
                match there.get(key) {
                    Some(there) => compare(wanted, there, part, place)?,
                    None => return Err(Difference::at(place, Some(wanted), None)),
                }
                place.truncate(before);
            }
            if !part && let Some((key, there)) = there.iter().find(|(key, _)| !wanted.contains_key(*key)) {
                push_field(place, key);
                return Err(Difference::at(place, None, Some(there)));
            }
            Ok(())
        }
        (Value::Array(wanted), Value::Array(there)) => {
            for at in 0..wanted.len().max(there.len()) {
                place.push_str(&format!("[{at}]"));
                match (wanted.get(at), there.get(at)) {
                    (Some(wanted), Some(there)) => compare(wanted, there, part, place)?,
                    (wanted, there) => return Err(Difference::at(place, wanted, there)),
                }
                place.truncate(before);
            }
            Ok(())
        }
        (Value::Number(wanted), Value::Number(there)) if part && is_near(wanted, there) => Ok(()),
        (wanted, there) if wanted == there => Ok(()),
        (wanted, there) => Err(Difference::at(place, Some(wanted), Some(there))),
    }
}

fn push_field(place: &mut String, key: &str) {
    if !key.is_empty() && key.chars().all(|char| char.is_alphanumeric() || char == '-' || char == '_') {
        place.push('.');
        place.push_str(key);
    } else {
        place.push_str(&format!("[{}]", Value::from(key)));
    }
}

fn is_near(wanted: &Number, there: &Number) -> bool {
    if !wanted.is_f64() && !there.is_f64() {
        return wanted == there;
    }
    let (Some(wanted), Some(there)) = (wanted.as_f64(), there.as_f64()) else { return false };
    (wanted - there).abs() <= TOLERANCE * wanted.abs().max(there.abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{is_part, is_same};

    #[test]
    fn a_part_of_an_object_and_all_of_a_list_are_held() {
        let found = json!({ "items": [{ "title": "a", "n": 1 }, { "title": "b" }], "x": 0.3 });
        assert_eq!(is_part(&json!({ "items": [{ "title": "a" }, {}] }), &found), Ok(()));
        let told = |expected: Value| is_part(&expected, &found).map_err(|difference| difference.to_string());
        assert_eq!(
            told(json!({ "items": [{}] })),
            Err(r#"items[1]: expected nothing, found {"title":"b"}"#.to_owned())
        );
        assert_eq!(told(json!({ "items": [{}, {}, 3] })), Err("items[2]: expected 3, found nothing".to_owned()));
        assert_eq!(
            told(json!({ "items": [{ "title": "A" }, {}] })),
            Err(r#"items[0].title: expected "A", found "a""#.to_owned())
        );
        assert_eq!(told(json!({ "odd key": 1 })), Err(r#"["odd key"]: expected 1, found nothing"#.to_owned()));
        assert!(is_same(&json!({ "items": found["items"] }), &found).is_err());
    }

    #[test]
    fn numbers_may_differ_by_a_billionth_and_whole_ones_not_at_all() {
        assert_eq!(is_part(&json!(0.3), &json!(0.1 + 0.2)), Ok(()));
        assert_eq!(is_part(&json!(3), &json!(3.0)), Ok(()));
        assert!(is_part(&json!(0.3), &json!(0.300_000_001)).is_err());
        assert!(is_part(&json!(10_000_000_000_u64), &json!(10_000_000_001_u64)).is_err());
        assert!(is_same(&json!(0.3), &json!(0.1 + 0.2)).is_err());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_are_the_same_if_and_only_if_they_are_equal(left in value(), right in value()) {
            prop_assert_eq!(is_same(&left, &left), Ok(()));
            prop_assert_eq!(is_part(&left, &left), Ok(()));
            prop_assert_eq!(is_same(&left, &right).is_ok(), left == right);
            if is_same(&left, &right).is_ok() {
                prop_assert!(is_part(&left, &right).is_ok());
            }
        }
    }
}
