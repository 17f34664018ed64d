//! The keyword `x-tensor` of a schema, which gives the shape of a tensor by reference.

use std::fmt;

use jackfield_plugin_api::MAX_DIMENSIONS;
use serde_json::Value;

/// The keyword.
pub const X_TENSOR: &str = "x-tensor";

/// A dimension in a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A length that is the same for all dimensions of this name in an input and its answer.
    Name(String),
    /// A fixed length.
    Length(u64),
    /// Any length.
    Any,
}

/// The shape of a tensor in a schema: its dimensions, in row-major order, the slowest first; none for any shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorShape(pub Option<Vec<Dimension>>);

impl TensorShape {
    /// Reads the value of the keyword: `{"shape": ["prompts", "layers", 576, null]}`, or `{}` for any shape.
    ///
    /// # Errors
    /// What is wrong with the keyword, as a fragment: `has …`.
    pub fn read(keyword: &Value) -> Result<Self, String> {
        let keyword = keyword.as_object().ok_or("is not an object")?;
        if let Some(key) = keyword.keys().find(|key| *key != "shape") {
            return Err(format!("has a key `{key}`: there is `shape` alone"));
        }
        let Some(shape) = keyword.get("shape") else { return Ok(Self(None)) };
        let shape = shape.as_array().ok_or("has a `shape` that is not a list")?;
        if shape.len() > MAX_DIMENSIONS {
            return Err(format!("has {} dimensions: the most are {MAX_DIMENSIONS}", shape.len()));
        }
        let dimensions: Result<Vec<Dimension>, String> = shape.iter().map(dimension).collect();
        dimensions.map(|dimensions| Self(Some(dimensions)))
    }

    /// Whether a tensor of shape `given` fits where this shape is wanted; none if that depends on the tensor. Names of different
    /// extensions are independent: each of them stands for any length.
    pub fn takes(&self, given: &Self) -> Option<bool> {
        let (Some(wanted), given) = (&self.0, &given.0) else { return Some(true) };
        let given = given.as_ref()?;
        if wanted.len() != given.len() {
            return Some(false);
        }
        let differ = |(wanted, given): (&Dimension, &Dimension)| match (wanted, given) {
            (Dimension::Length(wanted), Dimension::Length(given)) => wanted != given,
            _ => false,
        };
        if wanted.iter().zip(given).any(differ) {
            return Some(false);
        }
        let is_certain = |(wanted, given): (&Dimension, &Dimension)| {
            !matches!((wanted, given), (Dimension::Length(_), Dimension::Name(_) | Dimension::Any))
        };
        wanted.iter().zip(given).all(is_certain).then_some(true)
    }
}

fn dimension(value: &Value) -> Result<Dimension, String> {
    match value {
        Value::Null => Ok(Dimension::Any),
        Value::Number(number) => {
            let length = number.as_u64().ok_or_else(|| format!("has a dimension of length {number}"))?;
            Ok(Dimension::Length(length))
        }
        Value::String(name) => {
            let fits = !name.is_empty()
                && name.len() <= 64
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            let wrong = || format!("has a dimension `{name}`: a name is letters, digits, `_` and `-`, at most 64");
            if fits { Ok(Dimension::Name(name.clone())) } else { Err(wrong()) }
        }
        other => Err(format!("has a dimension `{other}`: there are names, lengths and null")),
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Length(length) => length.fmt(f),
            Self::Any => f.write_str("*"),
        }
    }
}

/// In the form in which types are printed: `tensor[prompts, layers, d]`.
impl fmt::Display for TensorShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tensor")?;
        let Some(dimensions) = &self.0 else { return Ok(()) };
        let names: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
        write!(f, "[{}]", names.join(", "))
    }
}

/// Checks every `x-tensor` in a schema.
///
/// # Errors
/// The first fault, as a message.
pub(crate) fn check_keywords(schema: &Value) -> Result<(), String> {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match key.as_str() {
                    X_TENSOR => drop(TensorShape::read(value).map_err(|why| format!("an `{X_TENSOR}` {why}"))?),
                    // These have values, not schemas.
                    "const" | "enum" | "default" | "examples" | "required" => {}
                    // The keys of these are names, not keywords.
                    "properties" | "patternProperties" | "dependentSchemas" | "$defs" | "definitions" => {
                        value.as_object().into_iter().flat_map(|map| map.values()).try_for_each(check_keywords)?;
                    }
                    _ => check_keywords(value)?,
                }
            }
            Ok(())
        }
        Value::Array(list) => list.iter().try_for_each(check_keywords),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(dimensions: Value) -> TensorShape {
        TensorShape::read(&json!({ "shape": dimensions })).expect("a shape")
    }

    #[test]
    fn a_shape_prints_as_types_do() {
        assert_eq!(shape(json!(["prompts", 31, null])).to_string(), "tensor[prompts, 31, *]");
        assert_eq!(shape(json!([])).to_string(), "tensor[]");
        assert_eq!(TensorShape::read(&json!({})).expect("any").to_string(), "tensor");
    }

    #[test]
    fn what_is_not_a_shape_is_reported() {
        for (bad, expected) in [
            (json!(3), "is not an object"),
            (json!({ "shapes": [] }), "has a key `shapes`"),
            (json!({ "shape": "d" }), "not a list"),
            (json!({ "shape": [1, 1, 1, 1, 1, 1, 1, 1, 1] }), "has 9 dimensions"),
            (json!({ "shape": [-1] }), "length -1"),
            (json!({ "shape": [1.5] }), "length 1.5"),
            (json!({ "shape": ["a b"] }), "`a b`"),
            (json!({ "shape": [""] }), "dimension ``"),
            (json!({ "shape": [true] }), "`true`"),
        ] {
            let error = TensorShape::read(&bad).expect_err(expected);
            assert!(error.contains(expected), "{bad}: {error}");
            let schema = json!({ "properties": { "x-tensor": { "items": { "x-tensor": bad } } } });
            assert!(check_keywords(&schema).expect_err(expected).contains(expected), "{bad}");
        }
        let schema = json!({ "properties": { "x-tensor": { "type": "string" } }, "default": { "x-tensor": 3 } });
        assert_eq!(check_keywords(&schema), Ok(()));
    }

    #[test]
    fn ranks_and_lengths_decide_whether_a_tensor_fits() {
        let any = TensorShape(None);
        let cases = [
            (json!(["a", "b"]), json!(["layers", "d"]), Some(true)),
            (json!(["a", "b"]), json!(["prompts", "layers", "d"]), Some(false)),
            (json!(["a", 576]), json!(["layers", 576]), Some(true)),
            (json!(["a", 576]), json!(["layers", 32]), Some(false)),
            (json!(["a", 576]), json!(["layers", "d"]), None),
            (json!([null, 1]), json!([4, null]), None),
            (json!([]), json!([]), Some(true)),
        ];
        for (wanted, given, expected) in cases {
            assert_eq!(shape(wanted.clone()).takes(&shape(given.clone())), expected, "{wanted} {given}");
            assert_eq!(any.takes(&shape(given)), Some(true));
            assert_eq!(shape(wanted).takes(&any), None);
        }
    }
}
