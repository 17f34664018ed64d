//! The steps of a path into a value: a field, an element, or every element.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A step on the way into a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// `.name`
    Field(String),
    /// `[3]`
    Index(usize),
    /// `[*]`: every element; what follows is applied to each.
    All,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) if !name.is_empty() && name.chars().all(is_plain) => write!(f, ".{name}"),
            Self::Field(name) => write!(f, "[{}]", serde_json::Value::from(name.as_str())),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::All => f.write_str("[*]"),
        }
    }
}

pub(crate) fn is_plain(char: char) -> bool {
    char.is_alphanumeric() || char == '-' || char == '_'
}
