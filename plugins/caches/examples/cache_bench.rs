//! What a get and a put cost, by backend, with values of 1 KB.
//!
//! ```text
//! cargo run --release -p jackfield-caches --example cache_bench
//! ```
//!
//! Needs `redis-server`, which it starts and stops by itself. The figures beside ours are medians of other libraries on
//! the same kind of machine.
#![forbid(unsafe_code)]

use std::{
    error::Error,
    hint::black_box,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use futures::executor::block_on;
use jackfield_caches::{Memory, Redis, Sqlite};
use jackfield_plugin_api::testing::no_host;
use jackfield_plugin_api::{CacheBackend, CacheValue, Failure};
use serde_json::json;

const KEYS: usize = 1000;
const CALLS: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let _server = Server::start(port)?;
    let memory: Memory = open(json!({}))?;
    let sqlite: Sqlite = open(json!({ "path": folder.path().join("cache") }))?;
    let redis = || open::<Redis>(json!({ "url": format!("redis://127.0.0.1:{port}") }));

    println!("{:<34}{:>10}{:>10}   peers", "", "get (us)", "put (us)");
    row("memory", one_by_one(&memory)?, "get: moka 0.75-0.86, DashMap 0.15, cachetools 0.97");
    row("sqlite", one_by_one(&sqlite)?, "get: SQLite 8, diskcache 12.6; put: SQLite 12, diskcache 281, redb 3800");
    row("redis", one_by_one(&redis()?)?, "get: redis-rs 21-24, redis-py 76-91");
    row("sqlite, 64 at once, per call", many_at_once(sqlite)?, "");
    row("redis, 64 at once, per call", many_at_once(redis()?)?, "get: redis-rs, pipelined by 100: 2.3");
    let started = Instant::now();
    let _again: Sqlite = open(json!({ "path": folder.path().join("cache") }))?;
    println!("sqlite, opened in {:.2} ms", started.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

fn row(name: &str, (get, put): (f64, f64), peers: &str) {
    println!("{name:<34}{get:>10.2}{put:>10.2}   {peers}");
}

fn open<B: CacheBackend>(config: serde_json::Value) -> Result<B, Box<dyn Error>> {
    Ok(serde_json::from_value::<B>(config)?.open()?)
}

fn key(index: usize) -> String {
    format!("stage/{:060x}", index.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Medians, in microseconds, of a get and of a put.
fn one_by_one(cache: &impl CacheBackend) -> Result<(f64, f64), Failure> {
    let value: CacheValue = vec![7; 1024].into();
    let keys: Vec<String> = (0..KEYS).map(key).collect();
    let median = |call: &dyn Fn(&str) -> Result<(), Failure>| -> Result<f64, Failure> {
        // A clock costs as much as the quickest call: time ten of them.
        let mut times = Vec::new();
        for round in 0..CALLS / 10 {
            let started = Instant::now();
            for index in 0..10 {
                call(&keys[(round * 10 + index) * 7 % KEYS])?;
            }
            times.push(started.elapsed().as_secs_f64() * 1e5);
        }
        times.sort_unstable_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    };
    let put = median(&|key| block_on(cache.put(key, Arc::clone(&value), Some(Duration::from_secs(3600)), &no_host())))?;
    let get = median(&|key| block_on(cache.get(key, &no_host())).map(|value| drop(black_box(value))))?;
    Ok((get, put))
}

/// Microseconds of the wall per get and per put, with 64 tasks on two threads.
fn many_at_once(cache: impl CacheBackend) -> Result<(f64, f64), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let cache = Arc::new(cache);
    let value: CacheValue = vec![7; 1024].into();
    let per_call = |is_put: bool| -> Result<f64, Box<dyn Error>> {
        let started = Instant::now();
        let task = |task: usize| {
            let (cache, value) = (Arc::clone(&cache), Arc::clone(&value));
            async move {
                for index in 0..CALLS / 64 {
                    let key = key((task * 37 + index) % KEYS);
                    if is_put {
                        cache.put(&key, Arc::clone(&value), None, &no_host()).await?;
                    } else {
                        black_box(cache.get(&key, &no_host()).await?);
                    }
                }
                Ok::<(), Failure>(())
            }
        };
        let tasks: Vec<_> = (0..64).map(|number| runtime.spawn(task(number))).collect();
        for task in tasks {
            runtime.block_on(task)??;
        }
        Ok(started.elapsed().as_secs_f64() * 1e6 / CALLS as f64)
    };
    let put = per_call(true)?;
    Ok((per_call(false)?, put))
}

struct Server(Child);

impl Server {
    fn start(port: u16) -> Result<Self, Box<dyn Error>> {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("this needs the program `redis-server`: {error}"))?;
        let server = Self(child);
        for _ in 0..1000 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err("redis-server does not start".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
