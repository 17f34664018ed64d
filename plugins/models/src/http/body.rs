//! Bodies of calls, written straight from the request.

use jackfield_plugin_api::{Failure, Message};
use serde::Serialize;
use serde_json::{Map, Value};

/// The body of a call as JSON text; the messages say about how long it gets.
///
/// # Errors
/// [`Failure::InvalidInput`] for what JSON cannot say.
pub(crate) fn body_of(messages: &[Message], body: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let text = messages.iter().map(|message| message.content.len()).sum::<usize>();
    let mut json = Vec::with_capacity(text + text / 16 + 512);
    match serde_json::to_writer(&mut json, body) {
        Ok(()) => Ok(json),
        Err(error) => Err(Failure::InvalidInput(format!("the request cannot be written as JSON: {error}"))),
    }
}

/// Refuses further keys of a request's body that the model sets itself.
///
/// # Errors
/// [`Failure::InvalidConfig`] if `body` has one of these keys.
pub(crate) fn refuse_own_keys(body: &Map<String, Value>, own_keys: &[&str]) -> Result<(), Failure> {
    match own_keys.iter().find(|&&key| body.contains_key(key)) {
        Some(key) => Err(Failure::InvalidConfig(format!("`body.{key}` cannot be set"))),
        None => Ok(()),
    }
}
