//! The interfaces of the contract that the host implements for an instance: the model, the cache, HTTP, and logging. Those
//! for tensors are in `tensors`.

use std::time::Duration;

use jackfield_plugin_api::{CompletionRequest, Failure, HttpRequest, Level, sync::lock};

use super::{
    bridge::{GuestMessage, HostRequest},
    convert,
    state::State,
    v0_1::jackfield::plugin::{cache, host, http, model, types},
};
use crate::{escape_untrusted, sandbox::size};

/// The longest log line or note, in bytes; the rest is cut off.
pub(super) const LONGEST_LINE: usize = 16 << 10;

fn cut(mut text: String) -> String {
    if text.len() > LONGEST_LINE {
        let end = (0..=LONGEST_LINE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A line of a guest as it is shown: one line, of bounded length, without control characters.
pub(super) fn shown_line(text: String) -> String {
    escape_untrusted(&cut(text)).into_owned()
}

impl types::Host for State {}

impl model::Host for State {
    async fn complete(&mut self, index: u32, request: String) -> wasmtime::Result<Result<String, types::Failure>> {
        let request = match CompletionRequest::from_json(&request) {
            Ok(request) => Box::new(request),
            Err(failure) => {
                self.count_host_call()?;
                return Ok(Err(convert::failure_out(failure)));
            }
        };
        let answer = self.ask(|answer| HostRequest::Complete { index, request, answer }).await?;
        let text = answer.and_then(|completion| {
            serde_json::to_string(&completion).map_err(|error| Failure::Internal(error.to_string()))
        });
        Ok(text.map_err(convert::failure_out))
    }

    fn name(&mut self) -> wasmtime::Result<Option<String>> {
        self.count_host_call()?;
        Ok(lock(&self.bridge.model_name).clone())
    }
}

impl cache::Host for State {
    async fn get(&mut self, index: u32, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, types::Failure>> {
        let found = self.ask(|answer| HostRequest::CacheGet { index, key, answer }).await?;
        Ok(found.map(|value| value.map(|value| value.to_vec())).map_err(convert::failure_out))
    }

    async fn put(
        &mut self,
        index: u32,
        key: String,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        let ttl = ttl_ms.map(Duration::from_millis);
        let value = value.into();
        let stored = self.ask(|answer| HostRequest::CachePut { index, key, value, ttl, answer }).await?;
        Ok(stored.map_err(convert::failure_out))
    }
}

impl http::Host for State {
    async fn fetch(
        &mut self,
        index: u32,
        request: http::HttpRequest,
    ) -> wasmtime::Result<Result<http::HttpResponse, types::Failure>> {
        let request = HttpRequest {
            method: request.method,
            url: request.url,
            headers: request.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            body: request.body,
            timeout: request.timeout_ms.map(Duration::from_millis),
        };
        self.bytes_sent = self.bytes_sent.saturating_add((request.url.len() + request.body.len()) as u64);
        if self.bytes_sent > self.limits.output {
            self.limit_hit = Some(format!("sent more than its limit of {}", size(self.limits.output)));
            return Err(wasmtime::Error::msg("too much sent"));
        }
        let request = Box::new(request);
        let fetched = self.ask(|answer| HostRequest::Fetch { index, request, answer }).await?;
        let response = fetched.map(|response| http::HttpResponse {
            status: response.status,
            headers: response.headers.into_iter().map(|(name, value)| http::Header { name, value }).collect(),
            body: response.body,
        });
        Ok(response.map_err(convert::failure_out))
    }
}

impl host::Host for State {
    fn log(&mut self, level: host::Level, target: String, message: String) -> wasmtime::Result<()> {
        self.count_host_call()?;
        let level = match level {
            host::Level::Error => Level::Error,
            host::Level::Warn => Level::Warn,
            host::Level::Info => Level::Info,
            host::Level::Debug => Level::Debug,
            host::Level::Trace => Level::Trace,
        };
        let message = shown_line(message);
        if target == "panic" {
            *lock(&self.bridge.panic_message) = Some(message);
        } else {
            self.bridge.send(GuestMessage::Log { level, target: cut(target), message });
        }
        Ok(())
    }

    fn progress(&mut self, index: u32, done: u64, total: Option<u64>, note: String) -> wasmtime::Result<()> {
        self.count_host_call()?;
        let note = shown_line(note);
        self.bridge.send(GuestMessage::Progress { index, done, total, note });
        Ok(())
    }

    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        self.count_host_call()?;
        Ok(self.bridge.is_cancelled())
    }
}
