//! Connections whose replies have limits, and which end when nobody holds them.

use std::{cell::RefCell, io, sync::Arc};

use ::redis::{
    AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline, RedisError,
    RedisFuture, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster_async::Connect,
};
use futures::FutureExt as _;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    task::AbortHandle,
};
use tokio_rustls::TlsConnector;

use super::bounded::Bounded;

/// How connections are made.
#[derive(Clone)]
pub(super) struct Connector {
    /// How to encrypt, where the address asks for it.
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
    /// The longest value, in bytes.
    pub(super) longest: u64,
}

thread_local! {
    /// What a cluster's connections are made with: the library makes them by itself, and hands nothing on.
    static CONNECTOR: RefCell<Option<Connector>> = const { RefCell::new(None) };
}

impl Connector {
    /// Makes this what the thread's connections are made with, until the guard is dropped.
    pub(super) fn enter(&self) -> Entered {
        Entered(CONNECTOR.replace(Some(self.clone())))
    }

    /// Makes this what all connections of the thread are made with.
    pub(super) fn use_on_this_thread(&self) {
        CONNECTOR.set(Some(self.clone()));
    }

    /// Connects, and greets the server.
    pub(super) async fn connect(
        &self,
        info: &ConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> RedisResult<BoundedConnection> {
        let redis = info.redis_settings();
        match info.addr() {
            ConnectionAddr::Tcp(host, port) => self.greet(tcp(host, *port).await?, redis, config).await,
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                Err((ErrorKind::InvalidClientConfig, "a certificate is always looked at: leave `#insecure` out").into())
            }
            ConnectionAddr::TcpTls { host, port, .. } => {
                let tls = self.tls.clone().ok_or((ErrorKind::InvalidClientConfig, "TLS is not set up"))?;
                let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
                let stream = TlsConnector::from(tls).connect(name, tcp(host, *port).await?).await?;
                self.greet(stream, redis, config).await
            }
            ConnectionAddr::Unix(path) => self.greet(UnixStream::connect(path).await?, redis, config).await,
            _ => Err((ErrorKind::InvalidClientConfig, "an address of an unknown form").into()),
        }
    }

    async fn greet(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        redis: &::redis::RedisConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> RedisResult<BoundedConnection> {
        let stream = Bounded::new(stream, self.longest);
        let (inner, driver) = MultiplexedConnection::new_with_config(redis, stream, config).await?;
        let driver = Arc::new(Driver(tokio::spawn(driver).abort_handle()));
        Ok(BoundedConnection { inner, _driver: driver })
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    // An address of version 6 stands in brackets.
    let stream = TcpStream::connect((host.trim_start_matches('[').trim_end_matches(']'), port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Puts back what was there before.
pub(super) struct Entered(Option<Connector>);

impl Drop for Entered {
    fn drop(&mut self) {
        CONNECTOR.set(self.0.take());
    }
}

/// The task that reads and writes; it ends with the last handle, whatever the server is about to send.
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A handle on a connection.
#[derive(Clone)]
pub(super) struct BoundedConnection {
    inner: MultiplexedConnection,
    _driver: Arc<Driver>,
}

impl ConnectionLike for BoundedConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        self.inner.req_packed_command(command)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.inner.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}

impl Connect for BoundedConnection {
    fn connect_with_config<'a, T>(info: T, config: AsyncConnectionConfig) -> RedisFuture<'a, Self>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        let connector = CONNECTOR.with_borrow(Clone::clone);
        async move {
            let connector =
                connector.ok_or_else(|| RedisError::from((ErrorKind::Client, "a connection out of place")))?;
            connector.connect(&info.into_connection_info()?, config).await
        }
        .boxed()
    }
}
