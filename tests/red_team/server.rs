//! A server for plugins to be led astray by.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Listens on every address of this machine until it is dropped. What it answers depends on the path.
pub struct Server {
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (asked, ended) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (seen, over) = (Arc::clone(&asked), Arc::clone(&ended));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::Acquire) {
                    return;
                }
                let (seen, over) = (Arc::clone(&seen), Arc::clone(&over));
                thread::spawn(move || answer(stream, &seen, &over));
            }
        });
        Self { port, asked, ended }
    }

    /// The requests so far, as they came.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("requests").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn answer(mut stream: TcpStream, seen: &Mutex<Vec<String>>, over: &AtomicBool) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    if head.is_empty() {
        return;
    }
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<u64>().ok());
    let _ = std::io::copy(&mut (&stream).take(length.unwrap_or_default()), &mut std::io::sink());
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().expect("requests").push(head);
    let mut send = |bytes: &[u8]| stream.write_all(bytes).is_ok();
    match path.split('?').next().unwrap_or_default() {
        "/redirect" => {
            let to = path.split_once('?').map_or("", |(_, to)| to);
            send(format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").as_bytes());
        }
        "/large" => {
            // As long as it is taken, and without saying how long it will be.
            send(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            let block = vec![b'x'; 1 << 20];
            while !over.load(Ordering::Acquire) && send(&block) {}
        }
        "/slow" => {
            send(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            while !over.load(Ordering::Acquire) && send(b".") {
                thread::sleep(Duration::from_millis(50));
            }
        }
        "/headers" => {
            send(b"HTTP/1.1 200 OK\r\n");
            while !over.load(Ordering::Acquire) && send(b"x-header: and another, and another, and another\r\n") {}
        }
        "/bomb" => {
            // A hundred megabytes of nothing, packed into a hundred kilobytes.
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            for _ in 0..100 {
                packed.write_all(&[0; 1 << 20]).expect("packed");
            }
            let packed = packed.finish().expect("packed");
            send(
                format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len())
                    .as_bytes(),
            );
            send(&packed);
        }
        _ => {
            send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret");
        }
    }
}
