//! The tensors that a document names: JSON values `{"$tensor": "<sha256>", "shape": […], "dtype": "f32"}`, wherever they
//! stand in it.

use std::fmt;

use jackfield_plugin_api::{MAX_DIMENSIONS, TensorRef, element_count, from_hex};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The key that marks a reference.
const MARK: &str = "$tensor";
/// What a reference looks like, for messages.
const FORM: &str = "{\"$tensor\": \"<sha256>\", \"shape\": […], \"dtype\": \"f32\"}";

/// SHA-256 of a tensor's elements as little-endian bytes.
pub type BlobKey = [u8; 32];

/// A tensor that a document names: which bytes, and how many elements they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NamedTensor {
    /// Which tensor.
    pub key: BlobKey,
    /// How many elements it has.
    pub count: u64,
}

impl NamedTensor {
    /// The tensor that a reference stands for.
    ///
    /// # Errors
    /// What is wrong with the reference.
    pub fn of(tensor: &TensorRef) -> Result<Self, String> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let hex = tensor.sha256.len() == 64 && tensor.sha256.bytes().all(is_hex);
        let key = from_hex(&tensor.sha256).filter(|_| hex).and_then(|bytes| BlobKey::try_from(bytes).ok());
        let key = key.ok_or("its `$tensor` is not 64 lower-case hexadecimal digits")?;
        if tensor.shape.len() > MAX_DIMENSIONS {
            return Err(format!("it has {} dimensions, more than {MAX_DIMENSIONS}", tensor.shape.len()));
        }
        let count = element_count(&tensor.shape).filter(|count| count.checked_mul(4).is_some());
        let count = count.ok_or_else(|| format!("its shape {:?} is too large", tensor.shape))?;
        Ok(Self { key, count })
    }

    /// Length of its elements in bytes.
    pub fn bytes(self) -> u64 {
        self.count * 4
    }
}

/// Whether a text may name tensors. Where it may not, it need not be read: most documents name none.
pub fn may_name_tensors(json: &str) -> bool {
    // A letter may be written by its number, and all of the mark are below U+0080.
    json.contains(MARK) || json.contains("\\u00")
}

/// The tensors that a JSON text names, in order, as often as it names them.
///
/// # Errors
/// What is wrong with a reference, or with the text.
pub fn named_tensors(json: &str) -> Result<Vec<NamedTensor>, String> {
    let mut found = Vec::new();
    if may_name_tensors(json) {
        let mut reader = serde_json::Deserializer::from_str(json);
        Walk { found: &mut found }.deserialize(&mut reader).map_err(|error| {
            // The place in a text that nobody sees helps nobody.
            let text = error.to_string();
            text.split(" at line ").next().unwrap_or_default().to_owned()
        })?;
    }
    Ok(found)
}

/// What of a value may be part of a reference.
enum Part {
    Text(String),
    Lengths(Vec<u64>),
    Length(u64),
    Other,
}

/// Reads a value to its end, every entry of it: of two entries of one name a reader may take either.
struct Walk<'f> {
    found: &'f mut Vec<NamedTensor>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Part;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Part, E> {
        Ok(Part::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Part, E> {
        Ok(Part::Length(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Part, E> {
        Ok(Part::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Part, E> {
        Ok(Part::Other)
    }

    fn visit_unit<E>(self) -> Result<Part, E> {
        Ok(Part::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Part, E> {
        // Long texts are parts of no reference.
        Ok(if text.len() <= 64 { Part::Text(text.to_owned()) } else { Part::Other })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Part, A::Error> {
        let mut lengths = Some(Vec::new());
        while let Some(part) = list.next_element_seed(Walk { found: &mut *self.found })? {
            match (&mut lengths, part) {
                // One more than a shape may have is enough to tell that it has too many.
                (Some(lengths), Part::Length(length)) if lengths.len() <= MAX_DIMENSIONS => lengths.push(length),
                (Some(_), Part::Length(_)) => {}
                _ => lengths = None,
            }
        }
        Ok(lengths.map_or(Part::Other, Part::Lengths))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
        let (mut sha256, mut shape, mut dtype) = (None, None, None);
        let (mut marked, mut entries) = (false, 0_usize);
        while let Some(key) = map.next_key::<String>()? {
            entries += 1;
            marked |= key == MARK;
            let part = map.next_value_seed(Walk { found: &mut *self.found })?;
            match (key.as_str(), part) {
                (MARK, Part::Text(text)) => sha256 = Some(text),
                ("shape", Part::Lengths(lengths)) => shape = Some(lengths),
                ("dtype", Part::Text(text)) => dtype = Some(text),
                _ => {}
            }
        }
        if !marked {
            return Ok(Part::Other);
        }
        let wrong = |what: String| serde::de::Error::custom(format!("not a reference of a tensor, {FORM}: {what}"));
        let (Some(sha256), Some(shape), 3) = (sha256, shape, entries) else {
            return Err(wrong("it has other keys or values".to_owned()));
        };
        match dtype.as_deref() {
            Some("f32") => {}
            Some(_) => return Err(wrong("its `dtype` is not `f32`".to_owned())),
            None => return Err(wrong("it has no `dtype`".to_owned())),
        }
        let named = NamedTensor::of(&TensorRef { sha256, shape, dtype: Default::default() }).map_err(wrong)?;
        self.found.push(named);
        Ok(Part::Other)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reference(digit: &str, shape: &[u64]) -> serde_json::Value {
        json!({ "$tensor": digit.repeat(64), "shape": shape, "dtype": "f32" })
    }

    #[test]
    fn every_tensor_that_a_document_names_is_found_wherever_it_stands() {
        let document =
            json!({ "a": reference("1", &[2, 3]), "b": [[reference("2", &[])], { "c": reference("3", &[0]) }] });
        let counts: Vec<u64> =
            named_tensors(&document.to_string()).expect("references").iter().map(|n| n.count).collect();
        assert_eq!(counts, [6, 1, 0]);
        assert_eq!(named_tensors(r#"{"tensor": "$", "text": "\u00e4", "n": [1.5, -1, null]}"#), Ok(Vec::new()));
        // Behind an escape, and in an entry that a later one of the same name hides.
        let sha = "1".repeat(64);
        for hidden in [
            format!(r#"{{"\u0024tensor": "{sha}", "shape": [1], "dtype": "f32"}}"#),
            format!(r#"{{"a": {{"$tensor": "{sha}", "shape": [1], "dtype": "f32"}}, "a": 1}}"#),
        ] {
            assert_eq!(named_tensors(&hidden).expect("a reference").len(), 1, "{hidden}");
        }
    }

    #[test]
    fn what_is_marked_as_a_reference_and_is_none_is_refused() {
        let sha = "1".repeat(64);
        let twice = format!(r#"{{"$tensor": "{sha}", "$tensor": "{sha}", "shape": [1], "dtype": "f32"}}"#);
        let mut texts = vec![twice, "{\"$tensor\": ".to_owned()];
        for (key, value) in [
            ("$tensor", json!("A".repeat(64))),
            ("$tensor", json!("1".repeat(63))),
            ("$tensor", json!(1)),
            ("shape", json!([1.5])),
            ("shape", json!([-1])),
            ("shape", json!(3)),
            ("shape", json!(vec![1; 9])),
            ("shape", json!([u64::MAX, 2])),
            ("shape", json!([1_u64 << 62])),
            ("dtype", json!("f64")),
            ("more", json!(1)),
        ] {
            let mut wrong = reference("1", &[2]);
            wrong[key] = value;
            texts.push(json!([wrong]).to_string());
        }
        for text in texts {
            assert!(named_tensors(&text).is_err(), "{text}");
        }
    }
}
