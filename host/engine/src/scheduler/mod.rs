//! The one thread that knows how everything stands. It never waits for a plugin.

mod answer;
mod begin;
mod routing;
mod searching;
mod send;
mod state;
mod timers;
mod turn;

pub(super) use answer::list_of;
pub(super) use routing::Routing;
pub(super) use searching::Searching;
pub(super) use state::{Keep, Parts, Scheduler};
pub(super) use turn::Turn;
