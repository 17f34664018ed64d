//! What a call of `openai` costs in the client: `cargo run --release --example calls`.
//!
//! A server in another process answers every request after 50 ms. The client asks with 64 and with 256 calls at once;
//! its processor time per call and the calls per second are printed.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use jackfield_models::OpenAi;
use jackfield_plugin_api::{Context, prelude::*, testing::FakeHost};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// How long the server takes.
const LATENCY: Duration = Duration::from_millis(50);
/// Calls per measurement.
const CALLS: u32 = 20_000;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return runtime.block_on(serve());
    }
    let program = std::env::current_exe().expect("the program has a path");
    let mut server = Command::new(program).arg("serve").stdout(Stdio::piped()).spawn().expect("the server starts");
    let mut address = String::new();
    let stdout = server.stdout.take().expect("the server has an output");
    BufReader::new(stdout).read_line(&mut address).expect("the server says its address");
    for concurrency in [64, 256] {
        runtime.block_on(measure(address.trim(), concurrency));
    }
    server.kill().expect("the server ends");
    server.wait().expect("the server has ended");
}

async fn measure(address: &str, concurrency: u32) {
    let config = serde_json::json!({ "base_url": format!("http://{address}/v1"), "name": "tiny" });
    let model: OpenAi = serde_json::from_value(config).expect("the configuration is one");
    let model = Arc::new(model.open().expect("the model opens"));
    // Connections are made before the measurement.
    ask(&model, concurrency, concurrency * 2).await;
    let (began, spent) = (Instant::now(), processor_time());
    ask(&model, concurrency, CALLS).await;
    let (took, spent) = (began.elapsed(), processor_time() - spent);
    println!(
        "{concurrency:>4} at once: {:>6.0} calls/s, {:>5.1} us of processor a call",
        f64::from(CALLS) / took.as_secs_f64(),
        spent.as_secs_f64() * 1e6 / f64::from(CALLS),
    );
}

/// Makes this many calls, with so many under way at any time.
async fn ask(model: &Arc<OpenAi>, concurrency: u32, calls: u32) {
    let next = Arc::new(AtomicU32::new(0));
    let workers = (0..concurrency).map(|_| {
        let (model, next) = (Arc::clone(model), Arc::clone(&next));
        tokio::spawn(async move {
            let context = Context { stage: "s".into(), item: "i".into(), element: 0, replicate: 0, seed: 0 };
            while next.fetch_add(1, Ordering::Relaxed) < calls {
                let messages =
                    vec![Message::system("Be brief. ".repeat(20)), Message::user("Why is it so? ".repeat(80))];
                let request = CompletionRequest { temperature: Some(0.0), ..CompletionRequest::new(messages) };
                let answer = model.complete(request, &Host::new(&FakeHost::default(), &context, 0)).await;
                assert!(answer.is_ok_and(|answer| answer.text.len() > 100), "the server answers");
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no worker panics");
    }
}

/// Processor time of this process so far, in steps of 10 ms.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().collect::<Vec<_>>();
    let ticks: u64 = fields[11..13].iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    println!("{}", listener.local_addr().expect("the listener has an address"));
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream));
    }
}

async fn converse(mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let text = "Because it is. ".repeat(30);
    let body = format!(
        r#"{{"id":"x","object":"chat.completion","created":1,"model":"tiny","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":400,"completion_tokens":120,"total_tokens":520}}}}"#
    );
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
    let mut bytes = Vec::with_capacity(16 * 1024);
    loop {
        bytes.clear();
        let end = loop {
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())?;
        while bytes.len() < end + length {
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
        tokio::time::sleep(LATENCY).await;
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}
