//! Redis servers of the tests: real ones, each in a folder of its own, gone with the test.

use std::{
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::run;

/// A port that nobody listens at, nor at the one of a cluster's bus, 10,000 above.
pub(crate) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        if port < 55_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) folder: TempDir,
    arguments: Vec<String>,
    child: Child,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let number = port.to_string();
        let arguments = ["--port", &number].into_iter().chain(arguments.iter().copied());
        Self::with(port, folder, arguments.map(str::to_owned).collect())
    }

    /// With TLS alone, a certificate for 127.0.0.1, and the authority's certificate in `ca.crt`.
    pub(crate) fn start_tls(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name).to_str().expect("a plain name").to_owned();
        let openssl = |arguments: &[&str]| run("openssl", arguments);
        let (ca, ca_key, crt, key, csr) = (file("ca.crt"), file("ca.key"), file("r.crt"), file("r.key"), file("r.csr"));
        let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let authority = ["req", "-x509", "-days", "2", "-subj", "/CN=test", "-keyout", &ca_key, "-out", &ca];
        openssl(&[&authority[..], &new_key].concat());
        openssl(&[&["req", "-subj", "/CN=127.0.0.1", "-keyout", &key, "-out", &csr][..], &new_key].concat());
        let extensions = file("extensions");
        std::fs::write(&extensions, "subjectAltName=IP:127.0.0.1\n").expect("a file");
        openssl(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-in",
            &csr,
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-CAcreateserial",
            "-extfile",
            &extensions,
            "-out",
            &crt,
        ]);
        let port = free_port();
        let number = port.to_string();
        let tls = ["--port", "0", "--tls-port", &number, "--tls-cert-file", &crt, "--tls-key-file", &key];
        let more = ["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"];
        let arguments = tls.iter().chain(&more).chain(arguments).map(|word| (*word).to_owned()).collect();
        Self::with(port, folder, arguments)
    }

    fn with(port: u16, folder: TempDir, arguments: Vec<String>) -> Self {
        let child = Self::spawn(&folder, &arguments);
        let server = Self { port, folder, arguments, child };
        server.await_port();
        server
    }

    fn spawn(folder: &TempDir, arguments: &[String]) -> Child {
        Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("this test needs the program `redis-server`, which `tests/run` installs")
    }

    fn await_port(&self) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "redis-server {:?} does not start", self.arguments);
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// With SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Again, at the same port, empty.
    pub(crate) fn restart(&mut self) {
        self.child = Self::spawn(&self.folder, &self.arguments);
        self.await_port();
    }

    /// What `redis-cli` says.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        run("redis-cli", &[&["-p", &port][..], arguments].concat())
    }

    /// Stops it, or lets it go on: it listens, and does not answer.
    pub(crate) fn freeze(&self, is_frozen: bool) {
        let signal = if is_frozen { "-STOP" } else { "-CONT" };
        run("kill", &[signal, &self.child.id().to_string()]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed by the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Three primaries.
pub(crate) fn cluster() -> Vec<Server> {
    let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
    let servers: Vec<Server> = (0..3).map(|_| Server::start(&arguments)).collect();
    let nodes: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    run("redis-cli", &[&["--cluster", "create"][..], &nodes, &["--cluster-replicas", "0", "--cluster-yes"]].concat());
    let started = Instant::now();
    while !servers.iter().all(|server| server.cli(&["cluster", "info"]).contains("cluster_state:ok")) {
        assert!(started.elapsed() < Duration::from_secs(20), "the cluster does not come up");
        thread::sleep(Duration::from_millis(50));
    }
    servers
}
