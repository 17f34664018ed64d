//! The host, as the plugins behind services see it.

use jackfield_plugin_api::{BoxFuture, HostCalls, HttpRequest, HttpResponse, Level, Result};

use crate::{plugin::sandbox::Grants, service::Http, telemetry::plugin_line};

/// Takes the log lines of a service's plugin and makes its requests.
pub(super) struct ServiceHost<'a> {
    /// Name of the model or the cache.
    pub(super) service: &'a str,
    pub(super) grants: &'a Grants,
    pub(super) http: &'a Http,
    /// The largest answer of a server that it may get, in bytes.
    pub(super) most: u64,
}

impl HostCalls for ServiceHost<'_> {
    fn log(&self, level: Level, _target: &str, message: &str) {
        plugin_line(level, None, Some(self.service), message);
    }

    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}

    fn cancelled(&self) -> bool {
        false
    }

    fn fetch<'a>(&'a self, _index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(self.http.fetch(self.grants, request, self.most))
    }
}
