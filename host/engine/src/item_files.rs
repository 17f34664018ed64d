//! The files of an item: JSON that a person can read.

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
