//! One request and its answer, where the sockets are served.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::SystemTime,
};

use reqwest::{
    Client, Request, Response,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, DATE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use tokio::task::JoinHandle;

use super::encoding::{DecodeError, decode};

/// Most that is set aside before anything has come, in bytes.
const MAX_RESERVED: u64 = 256 * 1024;

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug)]
pub(super) enum ExchangeError {
    /// Its body is longer than the limit.
    TooLong,
    /// Its body is longer than the limit once it is unpacked.
    TooLongUnpacked,
    /// Its body does not follow the coding of this name that `Content-Encoding` says it has.
    Damaged(String),
    /// There was no connection, or it broke.
    Broken(reqwest::Error),
}

/// Makes the request and reads the answer, whose body is unpacked. One in a coding that is not known here stays as it is, with
/// the header that names the coding.
///
/// All of it is done where the sockets are served, so that whoever waits is woken once, with the outcome, and not at each step.
/// Dropping the future ends it.
pub(super) fn exchange(
    client: Client,
    request: Request,
    limit: usize,
) -> impl Future<Output = Result<Answer, ExchangeError>> {
    Task(tokio::spawn(async move {
        let mut response = client.execute(request).await.map_err(ExchangeError::Broken)?;
        let status = response.status().as_u16();
        let body = read(&mut response, limit).await?;
        let mut headers = std::mem::take(response.headers_mut());
        let body = match decode(&headers, body, limit) {
            Ok((body, is_plain)) => {
                if is_plain && headers.remove(CONTENT_ENCODING).is_some() {
                    headers.remove(CONTENT_LENGTH);
                }
                body
            }
            Err(DecodeError::TooLong) => return Err(ExchangeError::TooLongUnpacked),
            Err(DecodeError::Damaged(coding)) => return Err(ExchangeError::Damaged(coding)),
        };
        // Whoever hands an answer on that has no time adds the time at which it came (RFC 9110, 6.6.1). A wait until some
        // time of day means nothing without it to a plugin that has no clock.
        if headers.contains_key(RETRY_AFTER)
            && !headers.contains_key(DATE)
            && let Ok(now) = HeaderValue::from_str(&httpdate::fmt_http_date(SystemTime::now()))
        {
            headers.insert(DATE, now);
        }
        Ok(Answer { status, headers, body })
    }))
}

/// Reads the whole body. What is longer than `limit` bytes is left unread.
async fn read(response: &mut Response, limit: usize) -> Result<Vec<u8>, ExchangeError> {
    let announced = response.content_length().unwrap_or_default();
    if announced > limit as u64 {
        return Err(ExchangeError::TooLong);
    }
    let mut body = Vec::with_capacity(announced.min(MAX_RESERVED) as usize);
    while let Some(chunk) = response.chunk().await.map_err(ExchangeError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(ExchangeError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A task that ends when nobody waits for it any more.
struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match Pin::new(&mut self.0).poll(context) {
            Poll::Ready(Ok(outcome)) => Poll::Ready(outcome),
            Poll::Ready(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Only a runtime that shuts down ends a task so; with it goes whoever waits for this one.
            _ => Poll::Pending,
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
