//! What a run may cost in all: the calls of all its models reserve the most that they are likely to cost, and settle what they did
//! cost.

use std::sync::{Arc, Mutex, MutexGuard};

use jackfield_plugin_api::{Failure, Result, sync::lock};
use tokio::sync::Notify;

/// The bound on what a run costs, which all its models share. Calls of models without a price cost nothing.
#[derive(Debug)]
pub struct RunBudget {
    /// US dollars.
    most: f64,
    ledger: Mutex<Costs>,
    /// Wakes those that wait for room when a call settles.
    settled: Notify,
}

/// What is spent and reserved, in US dollars.
#[derive(Debug, Default)]
struct Costs {
    spent: f64,
    reserved: f64,
    /// Calls that have reserved and not settled.
    open: u64,
    /// Whether a call was refused: no further one is made.
    exhausted: bool,
}

impl RunBudget {
    /// A bound of so many US dollars, of which nothing is spent.
    #[must_use]
    pub fn new(most: f64) -> Arc<Self> {
        Arc::new(Self { most, ledger: Mutex::default(), settled: Notify::new() })
    }

    fn ledger(&self) -> MutexGuard<'_, Costs> {
        lock(&self.ledger)
    }

    /// The bound, in US dollars.
    #[must_use]
    pub const fn most(&self) -> f64 {
        self.most
    }

    /// Counts what earlier sessions of the run spent.
    pub fn carry_over(&self, usd: f64) {
        self.ledger().spent += usd;
    }

    /// Whether a call was refused: no further one can be made.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.ledger().exhausted
    }

    /// Reserves the most that a call is likely to cost: `rough`, or where that does not fit, what `exact` makes of it. Where
    /// calls under way leave no room, it waits for them to settle.
    ///
    /// # Errors
    /// [`Failure::OverBudget`] if there is no room with nothing under way.
    pub(super) async fn reserve(self: &Arc<Self>, rough: f64, exact: impl Fn() -> f64) -> Result<RunReservation> {
        let (mut usd, mut is_exact) = (rough, false);
        loop {
            let settled = self.settled.notified();
            {
                let mut costs = self.ledger();
                if !is_exact && costs.spent + costs.reserved + usd > self.most {
                    (usd, is_exact) = (exact(), true);
                }
                // What costs nothing can always be had.
                if usd <= 0.0 || costs.spent + costs.reserved + usd <= self.most {
                    costs.reserved += usd;
                    costs.open += 1;
                    return Ok(RunReservation { budget: Arc::clone(self), reserved: usd, sent: None });
                }
                if costs.open == 0 || costs.exhausted {
                    costs.exhausted = true;
                    return Err(Failure::OverBudget(format!(
                        "the run may cost {} USD and has cost {:.4}: the next call may cost more than is left",
                        self.most, costs.spent
                    )));
                }
            }
            settled.await;
        }
    }
}

/// What a call may cost of the bound of a run, until it settles. One that is dropped on its way may have been answered: it counts
/// by an estimate.
#[derive(Debug)]
pub(super) struct RunReservation {
    budget: Arc<RunBudget>,
    reserved: f64,
    /// What the call counts for if nobody ever hears of it again, once it went out.
    sent: Option<f64>,
}

impl RunReservation {
    /// The call goes out: from now on it may cost so much, in US dollars.
    pub(super) fn sent(&mut self, estimate: f64) {
        self.sent = Some(estimate);
    }

    /// Counts what the call did cost, in US dollars.
    pub(super) fn settle(mut self, usd: f64) {
        self.sent = Some(usd);
    }
}

impl Drop for RunReservation {
    fn drop(&mut self) {
        {
            let mut costs = self.budget.ledger();
            costs.reserved = (costs.reserved - self.reserved).max(0.0);
            costs.open -= 1;
            costs.spent += self.sent.unwrap_or_default();
        }
        self.budget.settled.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_calls_of_all_models_together_keep_to_the_bound() {
        let budget = RunBudget::new(1.0);
        budget.carry_over(0.25);
        let first = budget.reserve(4.0, || 0.5).await.expect("room");
        let second = budget.reserve(0.5, || 0.5);
        let ends = async {
            tokio::task::yield_now().await;
            first.settle(0.125);
        };
        let (second, ()) = tokio::join!(second, ends);
        drop(second.expect("the first one cost less than it reserved"));
        assert!(!budget.is_exhausted());
        let refused = budget.reserve(0.75, || 0.75).await.map(drop).expect_err("no room");
        assert_eq!(
            refused.message(),
            "the run may cost 1 USD and has cost 0.3750: the next call may cost more than is left"
        );
        assert!(budget.is_exhausted());
        budget.reserve(0.0, || 0.0).await.map(drop).expect("a call that costs nothing");
    }
}
