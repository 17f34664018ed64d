//! The one thread that knows how everything stands. It never waits for a plugin.

mod answer;
mod begin;
mod routing;
mod send;
mod state;
mod timers;
mod turn;

pub(super) use routing::Routing;
pub(super) use state::{Keep, Scheduler};
pub(super) use turn::Turn;
