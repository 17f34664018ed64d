//! The connection: made when it is needed, made again when it is lost.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Cmd, FromRedisValue, RedisError, Value,
    aio::ConnectionLike,
    cluster_async::ClusterConnection,
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr},
    from_redis_value,
};
use jackfield_plugin_api::prelude::*;
use tokio::{
    runtime::{self, Runtime},
    sync::Mutex,
    time::{Timeout, timeout},
};

use super::{
    address::{Address, Door},
    circuit::Circuit,
    connection::{BoundedConnection, Wire},
    trouble,
};

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) connect: Duration,
    pub(super) answer: Duration,
}

/// One node of what holds the values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    /// The only one, or the one of a cluster that has the command's keys.
    Fitting,
    /// The primary that has this slot.
    OfSlot(u16),
}

/// Why a request had no answer.
struct Trouble {
    why: Failure,
    /// Other requests would fare the same.
    is_of_all: bool,
    /// The connection had served before, and was found dead.
    was_lost: bool,
}

#[derive(Clone)]
enum Connection {
    Single(BoundedConnection),
    Cluster(ClusterConnection<BoundedConnection>),
}

/// The way to the server. All calls share one connection, on which requests follow each other without waiting.
pub(super) struct Link {
    door: Door,
    wire: Wire,
    shown: String,
    patience: Patience,
    circuit: Circuit,
    /// With a number that tells it from those before it.
    connection: RwLock<Option<(u64, Connection)>>,
    connecting: Mutex<u64>,
    /// Ours, because the futures may be polled anywhere; there until the link is dropped.
    runtime: Option<Runtime>,
    /// Time-outs have a runtime of their own: they come also while a server keeps the other one busy.
    timers: Option<Runtime>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("shown", &self.shown).field("circuit", &self.circuit).finish_non_exhaustive()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // May be in the midst of another runtime, where waiting is not allowed.
        self.runtime.take().into_iter().chain(self.timers.take()).for_each(Runtime::shutdown_background);
    }
}

impl Link {
    /// Connects nowhere. Values are `longest` bytes at the most.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the address makes no sense.
    pub(super) fn new(address: Address, patience: Patience, longest: u64) -> Result<Self> {
        let wire = Wire { tls: address.tls()?, longest };
        let of_threads = wire.clone();
        let mut threads = runtime::Builder::new_multi_thread();
        threads.worker_threads(1).enable_all();
        let none = |error| Failure::Unavailable(format!("no thread for the connection to redis: {error}"));
        let timers = threads.thread_name("jackfield-redis-time").build().map_err(none)?;
        let runtime =
            threads.thread_name("jackfield-redis").on_thread_start(move || of_threads.keep()).build().map_err(none)?;
        Ok(Self {
            door: address.door(patience)?,
            wire,
            shown: address.shown(),
            patience,
            circuit: Circuit::default(),
            connection: RwLock::new(None),
            connecting: Mutex::new(0),
            runtime: Some(runtime),
            timers: Some(timers),
        })
    }

    /// Asks, and understands the answer.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        self.ask_node(Node::Fitting, command).await
    }

    /// Asks one node.
    pub(super) async fn ask_node<T: FromRedisValue>(&self, node: Node, command: &Cmd) -> Result<T> {
        let value = self.guarded(node, command).await?;
        self.understand(value)
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.door, Door::Cluster(_))
    }

    pub(super) fn understand<T: FromRedisValue>(&self, value: Value) -> Result<T> {
        from_redis_value(value)
            .map_err(|error| Failure::Unavailable(format!("redis at `{}` answers oddly: {error}", self.shown)))
    }

    /// One request, with everything that can go wrong.
    async fn guarded(&self, node: Node, command: &Cmd) -> Result<Value> {
        let permit = self.circuit.enter()?;
        let work = async {
            match self.once(permit.is_probe(), node, command).await {
                // The server may have been started anew since the last request. All requests may be repeated.
                Err(Trouble { was_lost: true, .. }) => self.once(permit.is_probe(), node, command).await,
                other => other,
            }
        };
        match self.within_runtime(work).await {
            Ok(value) => {
                permit.succeeded();
                Ok(value)
            }
            Err(Trouble { why, is_of_all: true, .. }) => {
                permit.failed(&why);
                Err(why)
            }
            // The server is there: it has an objection to this request.
            Err(Trouble { why, .. }) => {
                permit.succeeded();
                Err(why)
            }
        }
    }

    async fn once(&self, is_probe: bool, node: Node, command: &Cmd) -> Result<Value, Trouble> {
        let was_there = self.current().is_some();
        let of_connecting = |why| Trouble { why, is_of_all: true, was_lost: false };
        let (number, mut connection) = self.connection(is_probe).await.map_err(of_connecting)?;
        let is_single = matches!(connection, Connection::Single(_));
        match self.within(self.patience.answer, connection.send(node, command)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let is_lost = trouble::needs_new_connection(&error);
                if is_lost {
                    self.hang_up(number);
                }
                Err(Trouble {
                    why: trouble::failure(&self.shown, &error),
                    is_of_all: trouble::is_of_all(&error),
                    was_lost: is_lost && was_there,
                })
            }
            Err(_) => {
                // The connection of a cluster knows by itself which of its nodes are well.
                if is_single {
                    self.hang_up(number);
                }
                let millis = self.patience.answer.as_millis();
                let why = Failure::Unavailable(format!("redis at `{}` has not answered for {millis} ms", self.shown));
                Err(Trouble { why, is_of_all: true, was_lost: false })
            }
        }
    }

    /// The connection that is there, or a new one. All who want a new one wait for the same.
    async fn connection(&self, is_probe: bool) -> Result<(u64, Connection)> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        let mut last = self.connecting.lock().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        // Somebody before us in the queue has tried.
        if let Some(trouble) = self.circuit.trouble().filter(|_| !is_probe) {
            return Err(trouble);
        }
        match self.connect().await {
            Ok(connection) => {
                *last += 1;
                *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Some((*last, connection.clone()));
                Ok((*last, connection))
            }
            Err(why) => {
                // Opened before the lock is released, so that those in the queue see it.
                if let Ok(permit) = self.circuit.enter() {
                    permit.failed(&why);
                }
                Err(why)
            }
        }
    }

    async fn connect(&self) -> Result<Connection> {
        let Patience { connect, answer } = self.patience;
        let settings = AsyncConnectionConfig::new().set_connection_timeout(Some(connect)).set_response_timeout(None);
        let connecting = async {
            match &self.door {
                Door::Single(info) => self.wire.connect(info, settings).await.map(Connection::Single),
                Door::Cluster(client) => client.get_async_generic_connection().await.map(Connection::Cluster),
            }
        };
        // A cluster is asked for its nodes too.
        let longest = if self.is_cluster() { connect + answer } else { connect };
        match self.within(longest, connecting).await {
            Ok(connected) => connected.map_err(|error| trouble::failure(&self.shown, &error)),
            Err(_) => {
                let millis = longest.as_millis();
                Err(Failure::Unavailable(format!("redis at `{}` took no connection for {millis} ms", self.shown)))
            }
        }
    }

    fn current(&self) -> Option<(u64, Connection)> {
        self.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the connection of this number; there may be a newer one already.
    fn hang_up(&self, number: u64) {
        let mut connection = self.connection.write().unwrap_or_else(PoisonError::into_inner);
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
            let _within = (self.runtime.as_ref().map(Runtime::enter), self.wire.enter());
            future.as_mut().poll(context)
        })
        .await
    }
}

impl Connection {
    async fn send(&mut self, node: Node, command: &Cmd) -> Result<Value, RedisError> {
        let answer = match (self, node) {
            (Self::Single(connection), _) => connection.req_packed_command(command).await,
            (Self::Cluster(connection), Node::Fitting) => connection.req_packed_command(command).await,
            (Self::Cluster(connection), Node::OfSlot(slot)) => {
                let route = SingleNodeRoutingInfo::SpecificNode(Route::new(slot, SlotAddr::Master));
                connection.route_command(command.clone(), RoutingInfo::SingleNode(route)).await
            }
        };
        answer.and_then(Value::extract_error)
    }
}
