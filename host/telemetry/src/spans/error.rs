//! Why spans cannot be sent.

use std::io;

use opentelemetry_otlp::ExporterBuildError;

/// Why spans cannot be sent. None of these errors comes from the run or the collector: the environment asks for something
/// that is not available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpansError {
    /// The endpoint is not an HTTP address.
    #[error("`{variable}` is not an `http://` or `https://` address: {value:?}")]
    Endpoint {
        /// The variable that gave it.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The protocol is not supported.
    #[error(
        "`{variable}` asks for {value:?}; spans are sent by `http/protobuf` alone, to port 4318 of most collectors"
    )]
    Protocol {
        /// The variable that gave it.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The exporter refused its settings.
    #[error("failed to set up the export of spans")]
    Exporter(#[from] ExporterBuildError),
    /// No HTTP client could be made, such as where the system has no certificates.
    #[error("failed to set up the HTTP client for spans")]
    Client(#[from] reqwest::Error),
    /// The thread or its runtime could not be started.
    #[error("failed to begin the export of spans")]
    Thread(#[from] io::Error),
}
