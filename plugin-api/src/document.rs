//! Documents: JSON text with named tensors.

use std::sync::Arc;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Failure, Result};

/// A named array of 32-bit floats, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The name, unique within its document.
    pub name: String,
    /// Length of each dimension, the slowest first. Their product is the length of `data`.
    pub shape: Vec<u64>,
    /// The elements, row-major.
    pub data: Arc<[f32]>,
}

/// A unit of data between stages: JSON text and tensors. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// One JSON value, as text.
    pub json: Arc<str>,
    /// Named tensors that travel with it.
    pub tensors: Vec<Tensor>,
}

impl Document {
    /// A document without tensors.
    #[must_use]
    pub fn new(json: impl Into<Arc<str>>) -> Self {
        Self { json: json.into(), tensors: Vec::new() }
    }
}

/// Where in a run a document belongs, and the seed that follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Name of the stage that makes the call; empty for a call of a model, which does not know its caller.
    pub stage: Arc<str>,
    /// Id of the item; empty for a stage that runs once a run, and for a call of a model.
    pub item: Arc<str>,
    /// Index of the element, 0 for a stage without `for_each`.
    pub element: u32,
    /// Index of the replicate, 0 for a stage without `repeat`.
    pub replicate: u32,
    /// Derived from (run seed, stage, item, element, replicate): the same in every run with the same seed. For a call of a
    /// model, derived from the request: its messages, schema, temperature, seed, edits and replicate.
    pub seed: u64,
}

/// One document to work on.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The input.
    pub document: Document,
    /// Where it belongs.
    pub context: Context,
}

/// A value together with tensors, for an input or an output that needs them: 64 KiB of them at the most. Larger ones travel
/// by reference ([`TensorRef`](crate::TensorRef)), as does what is to go through paths and lists. The schemas of an input
/// and of an output with tensors say so at their root: `"x-tensors": true`.
#[derive(Clone, Debug, PartialEq)]
pub struct WithTensors<T> {
    /// The JSON part.
    pub value: T,
    /// The tensors.
    pub tensors: Vec<Tensor>,
}

impl<T> WithTensors<T> {
    /// The tensor of this name, or a failure that lists those there are.
    pub fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.tensors.iter().find(|tensor| tensor.name == name).ok_or_else(|| {
            let names: Vec<_> = self.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
            Failure::InvalidInput(format!("no tensor `{name}` (there are: {})", names.join(", ")))
        })
    }
}

/// A typed input. Implemented for every `#[derive(Document)]` type and for [`WithTensors`] around one.
pub trait FromDocument: Sized + Send + 'static {
    /// Reads the typed value.
    fn from_document(document: Document) -> Result<Self>;
    /// JSON Schema of what can be read.
    fn schema() -> Value;
}

/// A typed output. Implemented for every `#[derive(Document)]` type and for [`WithTensors`] around one.
pub trait IntoDocument: Send + 'static {
    /// Writes the value.
    fn into_document(self) -> Result<Document>;
    /// JSON Schema of what is written.
    fn schema() -> Value;
}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> FromDocument for T {
    fn from_document(document: Document) -> Result<Self> {
        serde_json::from_str(&document.json).map_err(|error| Failure::InvalidInput(error.to_string()))
    }

    fn schema() -> Value {
        input_schema::<T>()
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> IntoDocument for T {
    fn into_document(self) -> Result<Document> {
        let json = serde_json::to_string(&self).map_err(|error| Failure::InvalidOutput(error.to_string()))?;
        Ok(Document::new(json))
    }

    fn schema() -> Value {
        let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        generator.into_root_schema_for::<T>().to_value()
    }
}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> FromDocument for WithTensors<T> {
    fn from_document(mut document: Document) -> Result<Self> {
        let tensors = std::mem::take(&mut document.tensors);
        Ok(Self { value: T::from_document(document)?, tensors })
    }

    fn schema() -> Value {
        carrying_tensors(<T as FromDocument>::schema())
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> IntoDocument for WithTensors<T> {
    fn into_document(self) -> Result<Document> {
        let mut document = self.value.into_document()?;
        document.tensors = self.tensors;
        Ok(document)
    }

    fn schema() -> Value {
        carrying_tensors(<T as IntoDocument>::schema())
    }
}

/// Marks a schema of documents that carry tensors with them. A reader of a part of such a document loses the tensors.
fn carrying_tensors(schema: Value) -> Value {
    match schema {
        Value::Object(mut schema) => {
            schema.insert("x-tensors".to_owned(), Value::Bool(true));
            Value::Object(schema)
        }
        // `true`, which takes anything.
        _ => serde_json::json!({ "x-tensors": true }),
    }
}

/// Schema of what deserialising `T` accepts.
pub(crate) fn input_schema<T: JsonSchema>() -> Value {
    let schema: Schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.to_value()
}
