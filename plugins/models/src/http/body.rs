//! Bodies: of calls, written straight from the request; of answers, read chunk by chunk and never beyond a limit.

use jackfield_plugin_api::{Failure, Message};
use reqwest::Response;
use serde::Serialize;
use serde_json::{Map, Value};

use super::encoding::DecodeError;

/// Longest answer, in bytes.
pub(crate) const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// How much of an answer other than a success is read, in bytes.
pub(crate) const MAX_ERROR_BODY: usize = 64 * 1024;
/// Most that is set aside before anything has come, in bytes.
const MAX_RESERVED: u64 = 256 * 1024;

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It is longer than the limit.
    TooLong,
    /// It came in a coding, and could not be decoded.
    Decode(DecodeError),
    /// The connection broke.
    Broken(reqwest::Error),
}

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

/// Reads the whole body. What is longer than `limit` bytes is left unread.
pub(crate) async fn read(response: &mut Response, limit: usize) -> Result<Vec<u8>, ReadError> {
    let announced = response.content_length().unwrap_or_default();
    if announced > limit as u64 {
        return Err(ReadError::TooLong);
    }
    let mut body = Vec::with_capacity(announced.min(MAX_RESERVED) as usize);
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(ReadError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads the first `limit` bytes at most, as far as they come.
pub(crate) async fn read_start(response: &mut Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < limit
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
    }
    body
}
