//! Spans in the types of the OpenTelemetry libraries, and the exporter that sends them.

use opentelemetry::{
    Array, InstrumentationScope, Key, KeyValue, StringValue, Value,
    trace::{SpanContext, SpanId, SpanKind as Kind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks},
};
use reqwest::{Client, redirect::Policy};
use sha2::{Digest as _, Sha256};

use super::{AttributeValue, Span, SpanKind, SpansError, destination::Destination, names};

/// Tries after the first.
const RETRIES: usize = 2;

/// The trace of a run: the same for every session of it.
pub(super) fn trace_of(run: &str) -> TraceId {
    let digest = Sha256::digest(run);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    TraceId::from_bytes(bytes)
}

/// The exporter that sends batches to `destination`. Headers and compression it takes from the environment itself.
pub(super) fn exporter(run: &str, destination: &Destination) -> Result<SpanExporter, SpansError> {
    // Whoever has chosen another provider for the process has done so before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder().timeout(destination.timeout).redirect(Policy::none());
    if destination.is_local() {
        client = client.no_proxy();
    }
    if destination.url.scheme() == "http" {
        // To read those of the system takes tens of milliseconds, and there may be none.
        client = client.tls_certs_only([]);
    }
    let retries = RetryPolicy::recommended().with_max_retries(RETRIES).with_initial_delay(destination.backoff);
    let authorization = destination.authorization.iter().map(|value| ("authorization".to_owned(), value.clone()));
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_headers(authorization.collect())
        .with_http_client(client.build()?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(destination.url.as_str())
        .with_timeout(destination.timeout)
        .with_retry_policy(retries)
        .build()?;
    exporter.set_resource(&resource(run));
    Ok(exporter)
}

/// Who speaks: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, or `jackfield`.
fn resource(run: &str) -> Resource {
    const SERVICE: &str = "service.name";
    let given = Resource::builder().build();
    let unnamed =
        given.get(&Key::from_static_str(SERVICE)).is_none_or(|name| name.as_str().starts_with("unknown_service"));
    let mut own =
        vec![KeyValue::new("service.version", env!("CARGO_PKG_VERSION")), KeyValue::new(names::RUN, run.to_owned())];
    if unnamed {
        own.push(KeyValue::new(SERVICE, "jackfield"));
    }
    Resource::builder().with_attributes(own).build()
}

/// The library that spans are said to come from.
pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("jackfield").with_version(env!("CARGO_PKG_VERSION")).build()
}

/// `span` as part of `trace`.
pub(super) fn data(span: Span, trace: TraceId, scope: &InstrumentationScope) -> SpanData {
    let mut attributes = Vec::with_capacity(span.attributes.len() + 1);
    attributes.push(KeyValue::new(names::KIND, span.kind.name()));
    attributes.extend(span.attributes.into_iter().map(|(name, value)| KeyValue::new(name, value)));
    SpanData {
        span_context: SpanContext::new(trace, SpanId::from(span.id), TraceFlags::SAMPLED, false, TraceState::default()),
        parent_span_id: span.parent.map_or(SpanId::INVALID, SpanId::from),
        parent_span_is_remote: false,
        span_kind: match span.kind {
            SpanKind::Model => Kind::Client,
            SpanKind::Run | SpanKind::Item | SpanKind::Stage => Kind::Internal,
        },
        name: span.name.as_ref().to_owned().into(),
        start_time: span.start,
        end_time: span.start.checked_add(span.took).unwrap_or(span.start),
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: span.error.map_or(Status::Unset, Status::error),
        instrumentation_scope: scope.clone(),
    }
}

impl From<AttributeValue> for Value {
    fn from(value: AttributeValue) -> Self {
        match value {
            AttributeValue::Text(text) => text.into(),
            AttributeValue::Static(text) => text.into(),
            AttributeValue::Int(number) => number.into(),
            AttributeValue::Float(number) => number.into(),
            AttributeValue::Bool(yes) => yes.into(),
            AttributeValue::Texts(texts) => {
                Self::Array(Array::String(texts.into_iter().map(StringValue::from).collect()))
            }
        }
    }
}
