//! The connection to a server or a cluster: made when it is needed, and made again when it is lost.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::RwLock,
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Cmd, FromRedisValue, RedisError, Value,
    aio::ConnectionLike,
    cluster_async::ClusterConnection,
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr},
    from_redis_value,
};
use jackfield_plugin_api::{
    prelude::*,
    sync::{read, write},
};
use tokio::{
    runtime::{self, Runtime},
    sync::Mutex,
    time::{Timeout, timeout},
};

use super::{
    address::{Address, Endpoint},
    circuit::Circuit,
    connector::{BoundedConnection, Connector},
    error,
};

/// How long to wait for a connection and for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    pub(super) answer: Duration,
}

/// One node of what holds the values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    /// The only one, or the one of a cluster that has the command's keys.
    Any,
    /// The primary that has this slot.
    OfSlot(u16),
}

/// Why a request was not answered.
struct RequestError {
    reason: Failure,
    /// Whether other requests would fail in the same way.
    affects_all: bool,
    /// Whether a connection that had been there before was found to be closed.
    was_lost: bool,
}

#[derive(Clone)]
enum Handle {
    Single(BoundedConnection),
    Cluster(ClusterConnection<BoundedConnection>),
}

/// All calls share one connection, on which requests follow each other without waiting.
pub(super) struct RedisConnection {
    endpoint: Endpoint,
    connector: Connector,
    shown: String,
    timeouts: Timeouts,
    circuit: Circuit,
    /// With a number that no connection before it has. A lock for readers and writers: every request reads it, and only a
    /// new connection writes it.
    connection: RwLock<Option<(u64, Handle)>>,
    /// The number of the last connection. It is locked while a new one is made, so that all who wait get the same.
    connecting: Mutex<u64>,
    /// Of our own, because the futures may be polled anywhere; there until the connection is dropped.
    runtime: Option<Runtime>,
    /// Time-outs have a runtime of their own: they come also while a server keeps the other one busy.
    timers: Option<Runtime>,
}

impl fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConnection")
            .field("shown", &self.shown)
            .field("circuit", &self.circuit)
            .finish_non_exhaustive()
    }
}

impl Drop for RedisConnection {
    fn drop(&mut self) {
        // May be in the midst of another runtime, where waiting is not allowed.
        self.runtime.take().into_iter().chain(self.timers.take()).for_each(Runtime::shutdown_background);
    }
}

impl RedisConnection {
    /// Connects nowhere. Values are `longest` bytes at the most.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the address makes no sense.
    pub(super) fn new(address: Address, timeouts: Timeouts, longest: u64) -> Result<Self> {
        let connector = Connector { tls: address.tls()?, longest };
        let for_threads = connector.clone();
        let mut threads = runtime::Builder::new_multi_thread();
        threads.worker_threads(1).enable_all();
        let none = |error| Failure::Unavailable(format!("no thread for the connection to redis: {error}"));
        let timers = threads.thread_name("jackfield-redis-time").build().map_err(none)?;
        let runtime = threads
            .thread_name("jackfield-redis")
            .on_thread_start(move || for_threads.use_on_this_thread())
            .build()
            .map_err(none)?;
        Ok(Self {
            endpoint: address.endpoint(timeouts)?,
            connector,
            shown: address.shown(),
            timeouts,
            circuit: Circuit::default(),
            connection: RwLock::new(None),
            connecting: Mutex::new(0),
            runtime: Some(runtime),
            timers: Some(timers),
        })
    }

    /// Sends a command and parses the answer.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        self.ask_node(Node::Any, command).await
    }

    /// Sends a command to one node and parses the answer.
    pub(super) async fn ask_node<T: FromRedisValue>(&self, node: Node, command: &Cmd) -> Result<T> {
        let value = self.send_guarded(node, command).await?;
        self.parse_answer(value)
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.endpoint, Endpoint::Cluster(_))
    }

    pub(super) fn parse_answer<T: FromRedisValue>(&self, value: Value) -> Result<T> {
        from_redis_value(value).map_err(|error| {
            Failure::Unavailable(format!("redis at `{}` gives an unexpected answer: {error}", self.shown))
        })
    }

    /// One request, through the circuit breaker, and once more on a new connection if the old one was lost.
    async fn send_guarded(&self, node: Node, command: &Cmd) -> Result<Value> {
        let permit = self.circuit.enter()?;
        let work = async {
            match self.send_once(permit.is_probe(), node, command).await {
                // The server may have been started anew since the last request. All requests may be repeated.
                Err(RequestError { was_lost: true, .. }) => self.send_once(permit.is_probe(), node, command).await,
                other => other,
            }
        };
        match self.within_runtime(work).await {
            Ok(value) => {
                permit.succeeded();
                Ok(value)
            }
            Err(RequestError { reason, affects_all: true, .. }) => {
                permit.failed(&reason);
                Err(reason)
            }
            // The server is there: it has an objection to this request.
            Err(RequestError { reason, .. }) => {
                permit.succeeded();
                Err(reason)
            }
        }
    }

    async fn send_once(&self, is_probe: bool, node: Node, command: &Cmd) -> Result<Value, RequestError> {
        let was_connected = self.current().is_some();
        let connecting_failed = |reason| RequestError { reason, affects_all: true, was_lost: false };
        let (number, mut connection) = self.connection(is_probe).await.map_err(connecting_failed)?;
        let is_single = matches!(connection, Handle::Single(_));
        match self.within(self.timeouts.answer, connection.send(node, command)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let is_lost = error::needs_new_connection(&error);
                if is_lost {
                    self.forget_connection(number);
                }
                Err(RequestError {
                    reason: error::failure(&self.shown, &error),
                    affects_all: error::affects_all(&error),
                    was_lost: is_lost && was_connected,
                })
            }
            Err(_) => {
                // The connection of a cluster knows by itself which of its nodes are well.
                if is_single {
                    self.forget_connection(number);
                }
                let millis = self.timeouts.answer.as_millis();
                let reason =
                    Failure::Unavailable(format!("redis at `{}` has not answered for {millis} ms", self.shown));
                Err(RequestError { reason, affects_all: true, was_lost: false })
            }
        }
    }

    /// The connection that is there, or a new one. All who want a new one wait for the same.
    async fn connection(&self, is_probe: bool) -> Result<(u64, Handle)> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        let mut last = self.connecting.lock().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        // Somebody before us in the queue has tried.
        if let Some(reason) = self.circuit.open_reason().filter(|_| !is_probe) {
            return Err(reason);
        }
        match self.connect().await {
            Ok(connection) => {
                *last += 1;
                *write(&self.connection) = Some((*last, connection.clone()));
                Ok((*last, connection))
            }
            Err(reason) => {
                // Opened before the lock is released, so that those in the queue see it.
                if let Ok(permit) = self.circuit.enter() {
                    permit.failed(&reason);
                }
                Err(reason)
            }
        }
    }

    async fn connect(&self) -> Result<Handle> {
        let Timeouts { connect, answer } = self.timeouts;
        let settings = AsyncConnectionConfig::new().set_connection_timeout(Some(connect)).set_response_timeout(None);
        let connecting = async {
            match &self.endpoint {
                Endpoint::Single(info) => self.connector.connect(info, settings).await.map(Handle::Single),
                Endpoint::Cluster(client) => client.get_async_generic_connection().await.map(Handle::Cluster),
            }
        };
        // A cluster is asked for its nodes too.
        let longest = if self.is_cluster() { connect + answer } else { connect };
        match self.within(longest, connecting).await {
            Ok(connected) => connected.map_err(|error| error::failure(&self.shown, &error)),
            Err(_) => {
                let millis = longest.as_millis();
                Err(Failure::Unavailable(format!("redis at `{}` took no connection for {millis} ms", self.shown)))
            }
        }
    }

    fn current(&self) -> Option<(u64, Handle)> {
        read(&self.connection).clone()
    }

    /// Forgets the connection of this number; there may be a newer one already.
    fn forget_connection(&self, number: u64) {
        let mut connection = write(&self.connection);
        if connection.as_ref().is_some_and(|(current, _)| *current == number) {
            *connection = None;
        }
    }

    /// The future, for so long at the most.
    fn within<F: Future>(&self, longest: Duration, future: F) -> Timeout<F> {
        let _within = self.timers.as_ref().map(Runtime::enter);
        timeout(longest, future)
    }

    /// Timers and sockets of the future belong to our runtime, whoever polls it.
    async fn within_runtime<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            let _within = (self.runtime.as_ref().map(Runtime::enter), self.connector.enter());
            future.as_mut().poll(context)
        })
        .await
    }
}

impl Handle {
    async fn send(&mut self, node: Node, command: &Cmd) -> Result<Value, RedisError> {
        let answer = match (self, node) {
            (Self::Single(connection), _) => connection.req_packed_command(command).await,
            (Self::Cluster(connection), Node::Any) => connection.req_packed_command(command).await,
            (Self::Cluster(connection), Node::OfSlot(slot)) => {
                let route = SingleNodeRoutingInfo::SpecificNode(Route::new(slot, SlotAddr::Master));
                connection.route_command(command.clone(), RoutingInfo::SingleNode(route)).await
            }
        };
        answer.and_then(Value::extract_error)
    }
}
