//! Bodies: of calls, written straight from the request; of answers, read chunk by chunk and never beyond a limit.

use jackfield_plugin_api::{Failure, Message};
use reqwest::Response;
use serde::Serialize;

/// Longest answer, in bytes.
pub(crate) const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// How much of an answer that is no success is read, in bytes.
pub(crate) const MAX_COMPLAINT: usize = 64 * 1024;
/// Most that is set aside before anything has come, in bytes.
const MAX_RESERVED: u64 = 256 * 1024;

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is longer than the limit.
    TooLong,
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

/// Reads the whole body. What is longer than `limit` bytes is left unread.
pub(crate) async fn read(response: &mut Response, limit: usize) -> Result<Vec<u8>, Unread> {
    let announced = response.content_length().unwrap_or_default();
    if announced > limit as u64 {
        return Err(Unread::TooLong);
    }
    let mut body = Vec::with_capacity(announced.min(MAX_RESERVED) as usize);
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(Unread::TooLong);
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
