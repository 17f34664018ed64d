//! What the policies do, through the contract: one file per concern.

mod bandits;
mod fallback;
mod invariance;
mod offers;
mod pareto;
mod posterior;
mod sampler;
mod support;
