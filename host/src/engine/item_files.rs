//! The files of an item: what they are called, and JSON that a person can read.

use std::collections::BTreeMap;

/// JSON for a person to read, with its numbers as they are.
pub(super) fn pretty(json: &str) -> String {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut serializer = serde_json::Serializer::pretty(&mut out);
    let mut reader = serde_json::Deserializer::from_str(json);
    match serde_transcode::transcode(&mut reader, &mut serializer) {
        Ok(()) => String::from_utf8(out).unwrap_or_else(|_| json.to_owned()) + "\n",
        Err(_) => json.to_owned(),
    }
}

/// Names of items' folders: the id made fit for a file system, told apart where two become the same.
#[derive(Default)]
pub(super) struct Folders {
    taken: BTreeMap<String, u64>,
}

impl Folders {
    pub(super) fn name(&mut self, id: &str) -> String {
        let fit: String =
            id.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).take(100).collect();
        let fit = match fit.trim_start_matches('.') {
            "" => "item".to_owned(),
            fit => fit.to_owned(),
        };
        let count = self.taken.entry(fit.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { fit } else { format!("{fit}~{count}") }
    }
}
