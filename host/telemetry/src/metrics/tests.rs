use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use super::{Endpoint, Metrics};

/// The value of the one sample with this name and these labels.
fn sample(text: &str, series: &str) -> f64 {
    let mut found = text.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = found.next().unwrap_or_else(|| panic!("no {series} in\n{text}"));
    assert_eq!(found.next(), None, "{series} is there twice");
    value.parse().unwrap()
}

/// A metrics object in which everything has happened.
fn busy() -> Metrics {
    let metrics = Metrics::new();
    metrics.item("ok");
    metrics.item("failed");
    metrics.items_in_flight(3);
    let stage = metrics.stage("lens");
    stage.call("ok", Duration::from_millis(2));
    stage.call("timed-out", Duration::from_secs(2));
    stage.spared("skipped", 4);
    let model = metrics.model("writer");
    model.call("ok", Duration::from_millis(300));
    model.tokens("input", 700);
    model.tokens("output", 42);
    model.usd(0.25);
    model.usd(0.5);
    model.retry("rate-limited");
    model.concurrency(5, 8);
    metrics.cache("answers", "memory").requests("hit", 1);
    metrics.cache("answers", "sqlite").requests("miss", 1);
    metrics
}

fn ask(endpoint: &Endpoint, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(endpoint.addr()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

fn serve(metrics: &Metrics) -> Endpoint {
    metrics.serve("127.0.0.1:0".parse().unwrap()).unwrap()
}

#[test]
fn everything_is_counted_under_its_name() {
    let text = busy().encode();
    for (series, value) in [
        (r#"jackfield_items_total{state="ok"}"#, 1.0),
        (r#"jackfield_items_total{state="failed"}"#, 1.0),
        ("jackfield_items_in_flight", 3.0),
        (r#"jackfield_stage_calls_total{stage="lens",outcome="ok"}"#, 1.0),
        (r#"jackfield_stage_calls_total{stage="lens",outcome="timed-out"}"#, 1.0),
        (r#"jackfield_stage_calls_total{stage="lens",outcome="skipped"}"#, 4.0),
        (r#"jackfield_stage_seconds_count{stage="lens"}"#, 2.0),
        (r#"jackfield_stage_seconds_sum{stage="lens"}"#, 2.002),
        (r#"jackfield_stage_seconds_bucket{le="0.0025",stage="lens"}"#, 1.0),
        (r#"jackfield_stage_seconds_bucket{le="+Inf",stage="lens"}"#, 2.0),
        (r#"jackfield_model_calls_total{model="writer",outcome="ok"}"#, 1.0),
        (r#"jackfield_model_seconds_count{model="writer"}"#, 1.0),
        (r#"jackfield_model_tokens_total{model="writer",direction="input"}"#, 700.0),
        (r#"jackfield_model_tokens_total{model="writer",direction="output"}"#, 42.0),
        (r#"jackfield_model_usd_total{model="writer"}"#, 0.75),
        (r#"jackfield_model_retries_total{model="writer",reason="rate-limited"}"#, 1.0),
        (r#"jackfield_model_concurrency{model="writer",of="in-use"}"#, 5.0),
        (r#"jackfield_model_concurrency{model="writer",of="limit"}"#, 8.0),
        (r#"jackfield_cache_requests_total{cache="answers",tier="memory",outcome="hit"}"#, 1.0),
        (r#"jackfield_cache_requests_total{cache="answers",tier="sqlite",outcome="miss"}"#, 1.0),
    ] {
        assert!((sample(&text, series) - value).abs() < 1e-9, "{series} in\n{text}");
    }
}

#[test]
fn each_sample_is_declared_under_its_own_name_in_the_classic_format() {
    let text = busy().encode();
    assert!(text.contains(
        "# HELP jackfield_items_total Items done, by how they ended.\n# TYPE jackfield_items_total counter\n"
    ));
    assert!(text.contains("# TYPE jackfield_stage_seconds histogram\n"), "{text}");
    let mut declared = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            declared = rest.split_once(' ').unwrap().0;
        } else if !line.starts_with('#') {
            assert!(line.starts_with(declared), "{line} stands under {declared}");
        }
    }
    assert!(!text.contains("# EOF"), "{text}");
}

#[test]
fn the_memory_of_the_process_and_what_bounds_it_are_there_as_they_are_now() {
    let text = Metrics::new().encode();
    let (now, peak) = (
        sample(&text, r#"jackfield_memory_bytes{of="resident"}"#),
        sample(&text, r#"jackfield_memory_bytes{of="peak"}"#),
    );
    assert!(0.0 < now && now <= peak, "{now} {peak}");
    let bound = |of: &str| sample(&text, &format!(r#"jackfield_memory_bound_bytes{{bound="machine",of="{of}"}}"#));
    assert!(bound("left") < bound("limit") && peak < bound("limit"), "{text}");
}

#[test]
fn openmetrics_declares_the_family_and_says_where_it_ends() {
    let text = busy().encode_open();
    assert!(text.contains("# TYPE jackfield_items counter\n") && text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn labels_are_escaped() {
    let metrics = Metrics::new();
    metrics.stage("a\"b\\c\nd # HELP x").spared("ok", 2);
    let text = metrics.encode();
    assert_eq!(sample(&text, r#"jackfield_stage_calls_total{stage="a\"b\\c\nd # HELP x",outcome="ok"}"#), 2.0);
}

#[test]
fn an_outcome_nobody_knew_of_is_counted_all_the_same() {
    let metrics = Metrics::new();
    let stage = metrics.stage("lens");
    stage.call("melted", Duration::ZERO);
    stage.call("melted", Duration::ZERO);
    assert_eq!(sample(&metrics.encode(), r#"jackfield_stage_calls_total{stage="lens",outcome="melted"}"#), 2.0);
}

#[test]
fn two_handles_of_one_name_count_into_the_same() {
    let metrics = Metrics::new();
    metrics.stage("lens").call("ok", Duration::ZERO);
    metrics.clone().stage("lens").call("ok", Duration::ZERO);
    assert_eq!(sample(&metrics.encode(), r#"jackfield_stage_calls_total{stage="lens",outcome="ok"}"#), 2.0);
}

#[test]
fn a_cost_that_is_none_is_passed_over() {
    let metrics = Metrics::new();
    let model = metrics.model("writer");
    for cost in [0.5, -1.0, f64::NAN, f64::INFINITY] {
        model.usd(cost);
    }
    assert_eq!(sample(&metrics.encode(), r#"jackfield_model_usd_total{model="writer"}"#), 0.5);
}

#[test]
fn a_textfile_is_whole_readable_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jackfield.prom");
    std::fs::write(&path, "what was there before, and longer ".repeat(1000)).unwrap();
    let metrics = busy();
    metrics.write_textfile(&path).unwrap();
    assert_eq!(sample(&std::fs::read_to_string(&path).unwrap(), "jackfield_items_in_flight"), 3.0);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o444, 0o444);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left aside");
}

#[test]
fn a_textfile_that_can_not_be_written_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Metrics::new().write_textfile(&folder.path().join("gone/jackfield.prom")).is_err());
    let taken = folder.path().join("taken.prom");
    std::fs::create_dir(&taken).unwrap();
    assert!(Metrics::new().write_textfile(&taken).is_err());
    let socket = folder.path().join("socket");
    let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = Metrics::new().write_textfile(&socket).unwrap_err().to_string();
    assert_eq!(error, "it is a socket, not a regular file", "and it stays what it is");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left aside");
}

#[test]
fn the_endpoint_gives_what_is_counted_now() {
    let metrics = busy();
    let endpoint = serve(&metrics);
    let request = "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n";
    let (head, body) = ask(&endpoint, request);
    assert!(head.starts_with("http/1.1 200 ok") && head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert_eq!(sample(&body, r#"jackfield_items_total{state="ok"}"#), 1.0);
    metrics.item("ok");
    assert_eq!(sample(&ask(&endpoint, request).1, r#"jackfield_items_total{state="ok"}"#), 2.0);
}

#[test]
fn the_endpoint_speaks_openmetrics_with_whoever_asks_for_it() {
    let endpoint = serve(&busy());
    let accept = "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2";
    let (head, body) = ask(&endpoint, &format!("GET /metrics HTTP/1.1\r\nHost: here\r\n{accept}\r\n\r\n"));
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.ends_with("# EOF\n"), "{body}");
}

#[test]
fn the_endpoint_knows_one_path_and_two_methods() {
    let endpoint = serve(&busy());
    let (head, body) = ask(&endpoint, "HEAD /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
    assert!(head.starts_with("http/1.1 200 ok") && head.contains("content-length: ") && body.is_empty(), "{head}");
    assert!(ask(&endpoint, "GET / HTTP/1.1\r\nHost: here\r\n\r\n").0.starts_with("http/1.1 404 "));
    let (head, _) = ask(&endpoint, "POST /metrics HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n");
    assert!(head.starts_with("http/1.1 405 ") && head.contains("allow: get, head"), "{head}");
}

#[test]
fn a_client_that_says_nothing_does_not_hold_up_others_nor_the_end() {
    let endpoint = serve(&busy());
    let silent = TcpStream::connect(endpoint.addr()).unwrap();
    assert!(ask(&endpoint, "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n").0.starts_with("http/1.1 200 "));
    let addr = endpoint.addr();
    let began = Instant::now();
    drop(endpoint);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(TcpStream::connect(addr).is_err());
    drop(silent);
}

#[test]
fn a_scrape_beside_many_clients_that_ask_nothing_is_answered_at_once() {
    let endpoint = serve(&busy());
    let mut idle = Vec::new();
    for number in 0..150 {
        let mut stream = TcpStream::connect(endpoint.addr()).unwrap();
        // Some say nothing, some break off within the head.
        let said: &[u8] = if number % 2 == 0 { b"" } else { b"GET /metrics HTTP/1.1\r\nx: " };
        stream.write_all(said).unwrap();
        idle.push(stream);
        if number % 50 == 49 {
            let began = Instant::now();
            let (head, _) = ask(&endpoint, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
            assert!(head.starts_with("http/1.1 200"), "{head}");
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        }
    }
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let endpoint = serve(&Metrics::new());
    assert_eq!(Metrics::new().serve(endpoint.addr()).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}
