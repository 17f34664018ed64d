//! A server that keeps values, for the cache backend `key-value` of `tests/plugins/invalid_plugin`, which says what it is asked.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use jackfield_plugin_api::{from_hex, to_hex};

/// Keys with their values and the time at which these expire.
type Values = BTreeMap<Vec<u8>, (Vec<u8>, Option<Instant>)>;

/// The server; it ends when it is dropped, and its values with it.
pub struct KeyValueServer {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    values: Mutex<Values>,
    connections: Mutex<Vec<TcpStream>>,
    count: AtomicUsize,
    is_over: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KeyValueServer {
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address"))
    }

    pub fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::<Shared>::default();
        let server = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.is_over.load(Ordering::Acquire) {
                    return;
                }
                locked(&shared.connections).push(stream.try_clone().expect("a handle"));
                let shared = Arc::clone(&shared);
                // A connection that breaks is the other side's affair.
                thread::spawn(move || drop(serve(&shared, &stream)));
            }
        });
        server
    }

    /// Its address, for `url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.shared.count.load(Ordering::Acquire)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        locked(&self.shared.values).len()
    }
}

impl Drop for KeyValueServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        // The listener is woken, and ends.
        let _ = TcpStream::connect(self.address);
        for connection in locked(&self.shared.connections).drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// Answers what is asked on a connection, until it ends.
fn serve(shared: &Shared, stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (mut length, mut ttl) = (0, None);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim().split_once(':') else { break };
            match &*name.to_ascii_lowercase() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "x-ttl-ms" => ttl = value.trim().parse().ok().map(Duration::from_millis),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        shared.count.fetch_add(1, Ordering::AcqRel);
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, answer) = answer(&mut locked(&shared.values), method, target, (body, ttl));
        let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n", answer.len());
        let mut stream = stream;
        stream.write_all(&[head.as_bytes(), &answer].concat())?;
    }
}

fn answer(values: &mut Values, method: &str, target: &str, (body, ttl): (Vec<u8>, Option<Duration>)) -> (u16, Vec<u8>) {
    let now = Instant::now();
    values.retain(|_, (_, until)| until.is_none_or(|until| until > now));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (what, name) = path[1..].split_once('/').expect("a path of two parts");
    let name = from_hex(name).expect("digits");
    let of = |query: &str, key: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=').map(str::to_owned))
    };
    match (method, what) {
        ("GET", "v") => values.get(&name).map_or((404, Vec::new()), |(value, _)| (200, value.clone())),
        ("PUT", "v") => {
            values.remove(&name);
            if ttl != Some(Duration::ZERO) {
                values.insert(name, (body, ttl.map(|ttl| now + ttl)));
            }
            (204, Vec::new())
        }
        ("DELETE", "v") => {
            values.remove(&name);
            (204, Vec::new())
        }
        ("DELETE", "all") => {
            let before = values.len();
            values.retain(|key, _| !key.starts_with(&name));
            (200, (before - values.len()).to_string().into_bytes())
        }
        ("GET", "size") => {
            let held = values.iter().filter(|(key, _)| key.starts_with(&name));
            let sizes: Vec<usize> = held.map(|(key, (value, _))| key.len() + value.len()).collect();
            (200, format!("{} {}", sizes.len(), sizes.iter().sum::<usize>()).into_bytes())
        }
        ("GET", "list") => {
            let after = of(query, "after").map(|after| from_hex(&after).expect("digits"));
            let limit = of(query, "limit").and_then(|limit| limit.parse().ok()).expect("a number");
            let wanted = |key: &Vec<u8>| key.starts_with(&name) && after.as_ref().is_none_or(|after| key > after);
            let line = |(key, (value, until)): (&Vec<u8>, &(Vec<u8>, Option<Instant>))| {
                let left = until.map_or("-".to_owned(), |until| (until - now).as_millis().to_string());
                format!("{} {} {left}\n", to_hex(key), to_hex(value))
            };
            (200, values.iter().filter(|(key, _)| wanted(key)).take(limit).map(line).collect::<String>().into_bytes())
        }
        _ => (405, Vec::new()),
    }
}
