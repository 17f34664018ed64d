//! The result of a stage that makes several calls: the list of their documents.

use jackfield_plugin_api::Document;

/// The list of documents. A tensor of an element is named by the element's position: `0.name`.
pub(super) fn list_of(documents: &[&Document]) -> Document {
    let mut text = String::with_capacity(documents.iter().map(|document| document.json.len() + 1).sum::<usize>() + 2);
    let mut tensors = Vec::new();
    text.push('[');
    for (position, document) in documents.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(&document.json);
        tensors.extend(document.tensors.iter().map(|tensor| {
            let mut tensor = tensor.clone();
            tensor.name = format!("{position}.{}", tensor.name);
            tensor
        }));
    }
    text.push(']');
    Document { json: text.into(), tensors }
}
