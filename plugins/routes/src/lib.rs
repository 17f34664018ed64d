//! Routing policies: which arm a stage runs with, per item, and what to learn from what came of it.
//!
//! | policy | learns from | picks |
//! | --- | --- | --- |
//! | `thompson` | rewards, 0 to 1 | the arm with the greatest draw from what is believed of it |
//! | `ucb1` | rewards, 0 to 1 | the arm with the greatest upper confidence bound |
//! | `epsilon-greedy` | rewards | the best arm so far, and now and then any |
//! | `pareto` | objectives | the arm nearest to the ideal point, of those that no other is better than in everything |
//! | `fallback` | failures | the first arm that has not failed too often lately |
//! | `round-robin` | nothing | each arm in turn |
//! | `fixed` | nothing | always the same arm |
//!
//! A policy that learns keeps apart what it learns in each context. Beliefs stand under the names of the arms, so a run can go
//! on with other arms than those of the run before; but for `fallback` and `round-robin`, which go by the order of the arms,
//! that order changes no decision. An arm that failed for good counts as one with a reward of `failure_reward`; an outcome
//! without a failure and without a reward changes nothing.
#![forbid(unsafe_code)]

mod belief;
mod by_name;
mod chance;
mod epsilon_greedy;
mod fallback;
mod fixed;
pub mod front;
mod pareto;
mod reward;
mod round_robin;
mod thompson;
mod ucb1;

pub use belief::{Average, Averages, Evidence};
pub use by_name::ByName;
pub use chance::Chance;
pub use epsilon_greedy::EpsilonGreedy;
pub use fallback::{Circuit, Circuits, Fallback};
pub use fixed::Fixed;
pub use front::front;
pub use pareto::{Measured, Measures, Pareto};
pub use round_robin::{RoundRobin, Turns};
pub use thompson::{Beliefs, Hints, Thompson};
pub use ucb1::Ucb1;

jackfield_plugin_api::export_plugin!(
    policies: Thompson, Ucb1, EpsilonGreedy, Pareto, Fallback, RoundRobin, Fixed
);
