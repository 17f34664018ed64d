//! Routing policies of Jackfield: they pick the arm that a stage runs with for each item, and learn from the outcomes. They run
//! no stage and compute no reward: the host does the first, and a stage of the pipeline does the second.
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
//! A policy that learns keeps the contexts apart. What it learns is stored under the names of the arms, so a run can continue
//! with other arms than those of the run before. Except for `fallback` and `round-robin`, which go by the order of the arms,
//! that order changes no decision. An arm that failed after all retries counts as one with a reward of `failure_reward`; an outcome
//! without a failure and without a reward changes nothing.
#![forbid(unsafe_code)]

mod arm_statistics;
mod decision_random;
mod epsilon_greedy;
mod fallback;
mod fixed;
mod name_map;
mod pareto;
pub mod pareto_front;
mod posterior;
mod reward;
mod round_robin;
mod thompson;
mod ucb1;

pub use arm_statistics::{Average, Averages, Evidence};
pub use decision_random::DecisionRandom;
pub use epsilon_greedy::EpsilonGreedy;
pub use fallback::{Circuit, Circuits, Fallback};
pub use fixed::Fixed;
pub use name_map::NameMap;
pub use pareto::{Measured, Measures, Pareto};
pub use pareto_front::pareto_front;
pub use posterior::Likelihood;
pub use round_robin::{RoundRobin, Turns};
pub use thompson::{Beliefs, Hints, Thompson};
pub use ucb1::Ucb1;

jackfield_plugin_api::export_plugin!(
    policies: Thompson, Ucb1, EpsilonGreedy, Pareto, Fallback, RoundRobin, Fixed
);
