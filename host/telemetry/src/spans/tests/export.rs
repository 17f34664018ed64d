//! What a collector gets, and what happens without one.

use std::{
    io::Write,
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant, UNIX_EPOCH},
};

use opentelemetry_proto::tonic::{
    common::v1::any_value::Value,
    trace::v1::{span::SpanKind as Kind, status::StatusCode},
};

use super::super::{
    AttributeValue, Span, SpanCounts, SpanKind, Spans,
    destination::Destination,
    export::{BATCH, MAX_WAITING},
    names,
};
use super::{
    collector::{Collector, attribute, of_resource, spans},
    noon, span,
};

const ENOUGH: Duration = Duration::from_secs(20);

#[test]
fn a_collector_gets_ids_parents_times_and_attributes() {
    let collector = Collector::answering(&[]);
    let sender = Spans::to("transcripts-1", &collector.destination()).unwrap();
    sender.record(Span {
        id: 0x0102_0304_0506_0708,
        parent: Some(9),
        name: "chat qwen2.5-7b".into(),
        kind: SpanKind::Model,
        start: noon(),
        took: Duration::from_micros(1500),
        attributes: vec![
            (names::GEN_AI_REQUEST_MODEL, "qwen2.5-7b".into()),
            (names::GEN_AI_USAGE_INPUT_TOKENS, 700_u64.into()),
            (names::GEN_AI_RESPONSE_FINISH_REASONS, AttributeValue::Texts(vec!["stop".into()])),
            (names::USD, 0.25.into()),
            ("yes", true.into()),
            (names::ITEM, String::from("Zoë.txt").into()),
        ],
        error: Some("the server is away".to_owned()),
    });
    sender.record(Span { kind: SpanKind::Run, name: "run".into(), ..span(9) });
    assert_eq!(sender.finish(ENOUGH), SpanCounts { sent: 2, lost: 0, dropped: 0 });

    let posts = collector.posts();
    assert_eq!(posts[0].headers["content-type"], "application/x-protobuf");
    assert_eq!(of_resource(&posts[0], names::RUN), Some(Value::StringValue("transcripts-1".into())));
    let got = spans(&posts);
    let (model, run) = (&got[0], &got[1]);
    assert_eq!(model.span_id, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(model.parent_span_id, [0, 0, 0, 0, 0, 0, 0, 9]);
    assert_eq!((model.name.as_str(), model.kind()), ("chat qwen2.5-7b", Kind::Client));
    let start = noon().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    assert_eq!((model.start_time_unix_nano, model.end_time_unix_nano), (start, start + 1_500_000));
    let of_model = |name| attribute(&model.attributes, name);
    assert_eq!(of_model(names::KIND), Some(Value::StringValue("model".into())));
    assert_eq!(of_model("gen_ai.request.model"), Some(Value::StringValue("qwen2.5-7b".into())));
    assert_eq!(of_model("gen_ai.usage.input_tokens"), Some(Value::IntValue(700)));
    assert_eq!(of_model(names::USD), Some(Value::DoubleValue(0.25)));
    assert_eq!(of_model("yes"), Some(Value::BoolValue(true)));
    assert_eq!(of_model(names::ITEM), Some(Value::StringValue("Zoë.txt".into())));
    let Some(Value::ArrayValue(reasons)) = of_model("gen_ai.response.finish_reasons") else { panic!("{model:?}") };
    assert_eq!(reasons.values[0].value, Some(Value::StringValue("stop".into())));
    let status = model.status.as_ref().unwrap();
    assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "the server is away"));

    assert!(run.parent_span_id.is_empty() || run.parent_span_id == [0; 8], "{run:?}");
    assert_eq!(
        (run.kind(), run.status.as_ref().map_or(StatusCode::Unset, |status| status.code())),
        (Kind::Internal, StatusCode::Unset)
    );
    assert_eq!(run.trace_id, model.trace_id);
    let hex: String = run.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, sender.trace_id());
}

#[test]
fn the_trace_is_the_digest_of_the_run() {
    let collector = Collector::answering(&[]);
    let trace = |run| Spans::to(run, &collector.destination()).unwrap().trace_id();
    // printf abc | sha256sum
    assert_eq!(trace("abc"), "ba7816bf8f01cfea414140de5dae2223");
    assert_ne!(trace("abc"), trace("abd"));
}

#[test]
fn spans_go_in_batches_and_none_is_lost() {
    let collector = Collector::answering(&[]);
    let sender = Spans::to("run", &collector.destination()).unwrap();
    let all = 3 * BATCH as u64 + 10;
    for id in 1..=all {
        sender.record(span(id));
    }
    assert_eq!(sender.finish(ENOUGH), SpanCounts { sent: all, lost: 0, dropped: 0 });
    let posts = collector.posts();
    assert!(posts.iter().all(|post| spans(std::slice::from_ref(post)).len() <= BATCH));
    let mut ids: Vec<_> =
        spans(&posts).into_iter().map(|span| u64::from_be_bytes(span.span_id.try_into().unwrap())).collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(1..=all));
}

#[test]
fn a_lone_span_is_sent_after_a_while() {
    let collector = Collector::answering(&[]);
    let sender = Spans::to("run", &collector.destination()).unwrap();
    sender.record(span(1));
    let began = Instant::now();
    while sender.counts().sent == 0 {
        assert!(began.elapsed() < ENOUGH);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(spans(&collector.posts()).len(), 1);
}

#[test]
fn a_busy_collector_is_asked_again() {
    let collector = Collector::answering(&[503, 429]);
    let sender = Spans::to("run", &collector.destination()).unwrap();
    sender.record(span(1));
    assert_eq!(sender.finish(ENOUGH), SpanCounts { sent: 1, lost: 0, dropped: 0 });
    assert_eq!(collector.posts().len(), 3);
}

#[test]
fn three_tries_are_enough() {
    let collector = Collector::answering(&[503; 9]);
    let sender = Spans::to("run", &collector.destination()).unwrap();
    sender.record(span(1));
    assert_eq!(sender.finish(ENOUGH), SpanCounts { sent: 0, lost: 1, dropped: 0 });
    assert_eq!(collector.posts().len(), 3);
}

#[test]
fn a_refusal_is_not_tried_again() {
    let collector = Collector::answering(&[400]);
    let sender = Spans::to("run", &collector.destination()).unwrap();
    sender.record(span(1));
    assert_eq!(sender.finish(ENOUGH), SpanCounts { sent: 0, lost: 1, dropped: 0 });
    assert_eq!(collector.posts().len(), 1);
}

#[test]
fn a_collector_that_hangs_does_not_hold_up_the_end_nor_the_run() {
    // Connections are made, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/traces", silent.local_addr().unwrap());
    let sender = Spans::to("run", &Destination::new(url.parse().unwrap())).unwrap();
    let all = MAX_WAITING as u64 + 2 * BATCH as u64;
    let began = Instant::now();
    for id in 1..=all {
        sender.record(span(id));
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let counts = sender.finish(Duration::from_millis(200));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(counts.sent == 0 && counts.dropped >= BATCH as u64, "{counts:?}");
    assert_eq!(counts.lost + counts.dropped, all);
}

#[test]
fn who_asks_to_stop_does_not_wait_for_a_collector_that_hangs() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/traces", silent.local_addr().unwrap());
    let sender = Spans::to("run", &Destination::new(url.parse().unwrap())).unwrap();
    sender.record(span(1));
    let (stop, stopped) = crossbeam_channel::bounded(1);
    stop.send(()).unwrap();
    // If it waited, it would be for longer than a test may take.
    let counts = sender.finish_unless(Duration::from_secs(3600), &stopped);
    assert_eq!(counts, SpanCounts { sent: 0, lost: 1, dropped: 0 });
}

#[test]
fn after_the_end_spans_are_dropped_and_a_second_end_is_quick() {
    let collector = Collector::answering(&[]);
    let sender = Spans::to("run", &collector.destination()).unwrap();
    sender.record(span(1));
    assert_eq!(sender.finish(ENOUGH).sent, 1);
    sender.record(span(2));
    assert_eq!(sender.finish(ENOUGH), SpanCounts { sent: 1, lost: 0, dropped: 1 });
}

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_collector_that_is_away_is_told_once_without_its_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _log = tracing::subscriber::set_default(log);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut destination = Destination::new(format!("http://me:secret@{gone}/v1/traces").parse().unwrap());
    destination.backoff = Duration::from_millis(10);
    let sender = Spans::to("run", &destination).unwrap();
    for id in 1..=3 * BATCH as u64 {
        sender.record(span(id));
    }
    let counts = sender.finish(ENOUGH);
    assert_eq!(counts, SpanCounts { sent: 0, lost: 3 * BATCH as u64, dropped: 0 });
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let about: Vec<_> = lines.lines().filter(|line| line.contains(&gone.to_string())).collect();
    assert_eq!(about.len(), 1, "{lines}");
    assert!(
        about[0].contains("WARN") && about[0].contains("the run goes on") && !about[0].contains("secret"),
        "{lines}"
    );
}
