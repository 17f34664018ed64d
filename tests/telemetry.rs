//! What a run tells machines: metrics, spans, the summary.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::Duration,
};

use crate::support::{Pipeline, run_command, tree};

fn pipeline() -> Pipeline {
    let pipeline = Pipeline::new(
        r#"
[pipeline]
name = "told"

[input]
use = "inline"
items = [{ claim = "One." }, { claim = "Two." }]

[model.judge]
use = "mock"
with = { latency_ms = 20 }
price = { input = 1.0, output = 2.0 }

[cache.samples]
tiers = [{ use = "memory" }]

[stages.plan]
use = "claim-plan"
in = { claim = "input.claim" }
with = { bank = "bank.toml", slots = 4, replicates = 1, draws = 100 }
model = "judge"

[stages.sample]
use = "claim-sample"
for_each = "plan.slots"
in = "each"
with = { bank = "bank.toml" }
model = "judge"
store = "samples"

[stages.estimate]
use = "claim-estimate"
in = { plan = "plan", samples = "sample" }
"#,
    );
    let bank = crate::support::root().join("examples/claims/bank.toml");
    std::fs::copy(bank, pipeline.path().join("bank.toml")).expect("copied");
    pipeline
}

#[test]
fn the_metrics_file_counts_what_happened() {
    let pipeline = pipeline();
    let file = pipeline.path().join("run.prom");
    run_command(pipeline.command().arg("--metrics-file").arg(&file)).expect_code(0);
    let text = std::fs::read_to_string(&file).expect("the metrics");
    for line in [
        "jackfield_items_total{state=\"ok\"} 2",
        "jackfield_stage_calls_total{stage=\"sample\",outcome=\"ok\"} 8",
        "jackfield_model_calls_total{model=\"judge\",outcome=\"ok\"} 8",
        "jackfield_cache_requests_total{cache=\"samples\",tier=\"memory\",outcome=\"miss\"} 8",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
}

#[test]
fn metrics_are_served_while_the_run_lasts() {
    let pipeline = pipeline();
    let address = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut child = pipeline
        .command()
        .args(["--metrics", &address.to_string(), "--set", "model.judge.with.latency_ms=1500"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("started");
    let mut answer = String::new();
    for _ in 0..200 {
        std::thread::sleep(Duration::from_millis(25));
        let Ok(mut stream) = TcpStream::connect(address) else { continue };
        let asked = stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        if asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains("jackfield_stage") {
            break;
        }
    }
    child.wait().expect("ended");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn spans_go_to_the_collector_of_the_environment() {
    let pipeline = pipeline();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (send, posts) = mpsc::channel::<Vec<u8>>();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream: TcpStream = stream;
            let send = send.clone();
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let mut chunk = [0; 65536];
                loop {
                    let read = stream.read(&mut chunk).unwrap_or(0);
                    if read == 0 {
                        return;
                    }
                    bytes.extend_from_slice(&chunk[..read]);
                    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
                    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                    let length: usize = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                        .unwrap_or(0);
                    if bytes.len() >= end + 4 + length {
                        let _ = send.send(bytes[end + 4..end + 4 + length].to_vec());
                        bytes.clear();
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
                    }
                }
            });
        }
    });
    let endpoint = format!("http://{address}");
    run_command(pipeline.command().env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)).expect_code(0);
    let mut all = Vec::new();
    while let Ok(post) = posts.recv_timeout(Duration::from_millis(500)) {
        all.extend(post);
    }
    let text = String::from_utf8_lossy(&all);
    for name in ["stage sample", "chat mock", "item", "run", "jackfield.outcome", "gen_ai.usage.input_tokens"] {
        assert!(text.contains(name), "no `{name}` among the spans");
    }
    // A collector that is away harms nothing.
    let away = run_command(pipeline.command().env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")).expect_code(0);
    assert_eq!(away.json()["items"]["ok"], 2);
}

#[test]
fn the_summary_is_on_the_record_with_tokens_costs_and_percentiles() {
    let pipeline = pipeline();
    let run = pipeline.run().expect_code(0);
    let files = tree(&run.folder());
    let events = files.iter().find(|(path, _)| path.ends_with("events.jsonl")).expect("events");
    let events = String::from_utf8_lossy(&events.1).into_owned();
    let line = events.lines().find(|line| line.contains("run-summary")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let summary = &summary["summary"];
    assert_eq!(summary["models"]["judge"]["calls"], 8);
    assert!(summary["models"]["judge"]["usd"].as_f64().expect("a price") > 0.0);
    assert_eq!(summary["caches"]["samples"][0]["misses"], 8);
    assert!(summary["stages"]["sample"]["p99_ms"].as_f64().expect("a time") >= 20.0);
}
