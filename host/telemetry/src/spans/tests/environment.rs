//! The environment of a process can not be changed from within, so these tests run themselves again.

use std::{process::Command, time::Duration};

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::super::Spans;
use super::{
    collector::{Collector, of_resource, spans},
    span,
};

/// Runs by itself what `child` does, with these variables.
fn run_child(variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    // The harness has no crate in its names.
    let (_, child) = concat!(module_path!(), "::child").split_once("::").unwrap();
    command.args(["--exact", child, "--nocapture"]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    let output = command.env("CHILD_OF_SPANS", "yes").envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Does nothing unless it is called by [`run_child`].
#[test]
fn child() {
    if std::env::var_os("CHILD_OF_SPANS").is_some()
        && let Some(spans) = Spans::from_env("run-1").unwrap()
    {
        spans.record(span(7));
        assert_eq!(spans.finish(Duration::from_secs(10)).sent, 1);
    }
}

#[test]
fn the_standard_variables_are_followed() {
    let collector = Collector::answering(&[]);
    run_child(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20me,x-team=blue"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_SERVICE_NAME", "nightly"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=lab"),
    ]);
    let posts = collector.posts();
    assert_eq!(spans(&posts).len(), 1);
    assert_eq!(posts[0].line, "POST /v1/traces HTTP/1.1");
    assert_eq!(posts[0].headers["authorization"], "Bearer me");
    assert_eq!(posts[0].headers["x-team"], "blue");
    assert_eq!(posts[0].headers["content-encoding"], "gzip");
    assert_eq!(of_resource(&posts[0], "service.name"), Some(Value::StringValue("nightly".into())));
    assert_eq!(of_resource(&posts[0], "deployment.environment.name"), Some(Value::StringValue("lab".into())));
}

#[test]
fn the_special_endpoint_goes_first_and_is_taken_as_it_is() {
    let (general, special) = (Collector::answering(&[]), Collector::answering(&[]));
    run_child(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &general.url()),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &format!("{}/here", special.url())),
        // There is none on that port: what is for this machine does not go there.
        ("HTTP_PROXY", "http://127.0.0.1:9"),
    ]);
    assert!(general.posts().is_empty());
    let posts = special.posts();
    assert_eq!(posts[0].line, "POST /here HTTP/1.1");
    assert_eq!(of_resource(&posts[0], "service.name"), Some(Value::StringValue("jackfield".into())));
}

#[test]
fn without_an_endpoint_there_are_no_spans() {
    run_child(&[("OTEL_SERVICE_NAME", "nightly")]);
}
