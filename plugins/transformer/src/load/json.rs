//! Keys of a JSON object that is a configuration, each with what it must be.

use serde_json::{Map, Value};

use super::LoadFault;

/// A JSON object whose keys are read.
#[derive(Clone, Copy)]
pub(crate) struct Keys<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Keys<'a> {
    /// What is there, unless it is `null`.
    pub(crate) fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// A whole number in a range.
    pub(crate) fn whole(self, key: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, LoadFault> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.as_u64().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(key, value, &format!("a whole number from {} to {}", range.start(), range.end()))),
        }
    }

    /// A finite number above zero.
    pub(crate) fn positive(self, key: &str) -> Result<Option<f64>, LoadFault> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.as_f64().filter(|number| *number as f32 > 0.0 && (*number as f32).is_finite()) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(key, value, "a number above 0")),
        }
    }

    /// A truth.
    pub(crate) fn truth(self, key: &str) -> Result<Option<bool>, LoadFault> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| wrong(key, value, "true or false"))
    }

    /// A text.
    pub(crate) fn text(self, key: &str) -> Result<Option<&'a str>, LoadFault> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| wrong(key, value, "a text"))
    }

    /// A token, or several.
    pub(crate) fn tokens(self, key: &str) -> Result<Vec<u32>, LoadFault> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let listed = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let tokens = listed.iter().map(|token| token.as_u64().and_then(|token| u32::try_from(token).ok()));
        tokens.collect::<Option<_>>().ok_or_else(|| wrong(key, value, "a token or a list of tokens"))
    }
}

fn wrong(key: &str, value: &Value, wanted: &str) -> LoadFault {
    let mut found: String = value.to_string();
    if let Some((end, _)) = found.char_indices().nth(40) {
        found.truncate(end);
        found.push('…');
    }
    LoadFault::WrongKey { key: key.to_owned(), why: format!("it is {found}, and must be {wanted}") }
}

/// The error for a key that must be there.
pub(crate) fn missing(key: &str) -> LoadFault {
    LoadFault::WrongKey { key: key.to_owned(), why: "it is missing".to_owned() }
}
