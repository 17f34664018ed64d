//! The result of a stage that makes several calls: the list of their documents.

use jackfield_plugin_api::Document;

/// The list of documents. A tensor of an element is named by the element's position: `0.name`.
pub(super) fn list_of(documents: &[&Document]) -> Document {
    let text = list_text(documents.iter().map(|document| &*document.json));
    let mut tensors = Vec::new();
    for (position, document) in documents.iter().enumerate() {
        tensors.extend(document.tensors.iter().map(|tensor| {
            let mut tensor = tensor.clone();
            tensor.name = format!("{position}.{}", tensor.name);
            tensor
        }));
    }
    Document { json: text.into(), tensors }
}

/// The list of values that are given as JSON text.
pub(super) fn list_text<'a>(values: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut text = String::with_capacity(values.clone().map(|value| value.len() + 1).sum::<usize>() + 2);
    text.push('[');
    for (position, value) in values.enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(value);
    }
    text.push(']');
    text
}
