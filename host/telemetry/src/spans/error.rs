//! What can be wrong with where spans go.

use std::io;

use opentelemetry_otlp::ExporterBuildError;

/// Why spans can not be sent. None of it comes from the run or the collector: it is the environment that asks for something
/// that is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpansError {
    /// The endpoint is no HTTP address.
    #[error("`{variable}` is not an `http://` or `https://` address: {value:?}")]
    Endpoint {
        /// The variable that gave it.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The protocol is not spoken here.
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
    /// There is no HTTP client, such as where the system has no certificates.
    #[error("failed to set up the HTTP client for spans")]
    Client(#[from] reqwest::Error),
    /// The thread or its runtime could not be had.
    #[error("failed to begin the export of spans")]
    Thread(#[from] io::Error),
}
