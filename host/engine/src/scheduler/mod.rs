//! The one thread that knows how everything stands. It never waits for a plugin.
//!
//! [`Scheduler::poll_once`](state::Scheduler::poll_once) is the loop's body: what is ready is sent, then one event is waited for
//! and handled. An event is turned into a decision, a value, by the pure functions of [`decide`]; what follows from it is done by
//! the scheduler.
//!
//! - An item is admitted: [`propagate`](state::Scheduler::propagate) begins the stages that wait for nothing.
//! - A stage begins: its calls get their inputs and become ready ([`begin`]).
//! - Ready calls are sent in batches ([`send`]) to whatever computes them ([`executor`]).
//! - A batch is answered ([`answer`]): each call is accepted, made again, or has failed for good. A stage whose calls are all
//!   answered has ended, and the stages that read it begin.
//! - A timer fires ([`deadlines`]): a call is made again, or a batch has run out of time.

mod answer;
mod begin;
mod call;
mod deadlines;
mod decide;
mod executor;
mod items;
mod poll;
mod record_buffer;
mod routes;
mod search_in_progress;
mod send;
mod stage_queue;
mod state;
#[cfg(test)]
mod tests;
mod timers;
mod trials;

pub(super) use executor::PoolExecutor;
pub(super) use poll::Polled;
pub(super) use record_buffer::RecordSink;
pub(super) use search_in_progress::SearchInProgress;
pub(super) use state::{Scheduler, SchedulerParts, Totals};
