//! What a run may spend: calls reserve what they are likely to cost, and settle what they did cost.

use std::sync::{Mutex, MutexGuard};

use jackfield_pipeline::{Budget as Bounds, Price};
use jackfield_plugin_api::{Failure, Result, Usage, sync::lock};
use tokio::sync::Notify;

/// What tokens cost, in US dollars; nothing without a price.
pub(super) fn price_of(price: Option<Price>, usage: Usage) -> f64 {
    price.map_or(0.0, |price| price.of(usage))
}

/// Answers of fewer tokens than this say little about how long others are.
const SHORT_ANSWER: u64 = 64;

/// What was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spent {
    pub(super) tokens: u64,
    pub(super) usd: f64,
}

impl Spent {
    fn add(&mut self, other: Self) {
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.usd += other.usd;
    }

    fn take(&mut self, other: Self) {
        self.tokens = self.tokens.saturating_sub(other.tokens);
        self.usd = (self.usd - other.usd).max(0.0);
    }
}

/// What of a budget is spent and reserved, and what is known of how long answers are.
#[derive(Default)]
struct BudgetLedger {
    spent: Spent,
    /// What calls under way have reserved.
    reserved: Spent,
    /// Calls that have reserved and not settled.
    open: u64,
    /// Tokens written by an answer, as an exponential moving average.
    usual_output: Option<f64>,
    /// The longest answer so far, in tokens.
    longest_output: Option<u64>,
    /// By how many tokens, at the most, a server counted more of a request than was estimated: it may add words of its own.
    excess_input: u64,
    /// Whether a call was refused: no further one is made.
    exhausted: bool,
}

/// The budget of a model.
pub(super) struct Budget {
    model: String,
    bounds: Bounds,
    price: Option<Price>,
    ledger: Mutex<BudgetLedger>,
    /// Wakes those that wait for room when a call settles.
    settled: Notify,
}

impl Budget {
    pub(super) fn new(model: &str, bounds: Bounds, price: Option<Price>) -> Self {
        Self { model: model.to_owned(), bounds, price, ledger: Mutex::default(), settled: Notify::new() }
    }

    fn ledger(&self) -> MutexGuard<'_, BudgetLedger> {
        lock(&self.ledger)
    }

    /// Whether there is any bound, so that a call has to be measured before it is made.
    pub(super) fn is_bounded(&self) -> bool {
        self.bounds.usd.is_some() || self.bounds.tokens.is_some()
    }

    /// What tokens cost, in US dollars.
    pub(super) fn price_of(&self, usage: Usage) -> f64 {
        price_of(self.price, usage)
    }

    /// The most that tokens can cost of which nothing further is known, in US dollars.
    pub(super) fn most_of(&self, usage: Usage) -> f64 {
        price_of(self.price.map(|price| price.highest()), usage)
    }

    /// Counts what earlier sessions of the run spent.
    pub(super) fn carry_over(&self, tokens: u64, usd: f64) {
        self.ledger().spent.add(Spent { tokens, usd });
    }

    /// Whether a call was refused: no further one can be made.
    pub(super) fn is_exhausted(&self) -> bool {
        self.ledger().exhausted
    }

    /// Reserves what a call is likely to cost. `bytes` is the length of what is sent, which no count of its tokens exceeds:
    /// only where that does not fit are they counted. Where calls under way leave no room, it waits for them to settle.
    ///
    /// # Errors
    /// [`Failure::OverBudget`] if there is no room with nothing under way.
    pub(super) async fn reserve(
        &self,
        bytes: u64,
        max_output: Option<u32>,
        count: impl Fn() -> u64,
    ) -> Result<Reservation<'_>> {
        let mut counted = None;
        loop {
            let settled = self.settled.notified();
            {
                let mut ledger = self.ledger();
                let mut input = counted.unwrap_or(bytes);
                let mut likely = self.likely(&ledger, input, max_output);
                if !self.fits(&ledger, likely) && counted.is_none() {
                    input = count();
                    counted = Some(input);
                    likely = self.likely(&ledger, input, max_output);
                }
                if self.fits(&ledger, likely) {
                    ledger.reserved.add(likely);
                    ledger.open += 1;
                    // Four bytes a token is what most texts have.
                    let read = counted.unwrap_or(bytes / 4);
                    let (estimate, sent, settled) = (Usage::new(input, 0), false, false);
                    let mut reservation =
                        Reservation { budget: self, likely, read, input, max_output, estimate, sent, settled };
                    reservation.estimate = reservation.estimated(&ledger);
                    return Ok(reservation);
                }
                if ledger.open == 0 || ledger.exhausted {
                    ledger.exhausted = true;
                    return Err(Failure::OverBudget(self.refusal(ledger.spent)));
                }
            }
            settled.await;
        }
    }

    fn likely(&self, ledger: &BudgetLedger, input: u64, max_output: Option<u32>) -> Spent {
        let output = ledger.usual_output.unwrap_or(input as f64).ceil() as u64;
        let output = max_output.map_or(output, |most| output.min(u64::from(most)));
        Spent { tokens: input.saturating_add(output), usd: self.most_of(Usage::new(input, output)) }
    }

    fn fits(&self, ledger: &BudgetLedger, likely: Spent) -> bool {
        let tokens = ledger.spent.tokens.saturating_add(ledger.reserved.tokens).saturating_add(likely.tokens);
        let usd = ledger.spent.usd + ledger.reserved.usd + likely.usd;
        self.bounds.tokens.is_none_or(|most| tokens <= most) && self.bounds.usd.is_none_or(|most| usd <= most)
    }

    /// What is said once the budget is used up.
    fn refusal(&self, spent: Spent) -> String {
        let mut spent_of_bounds = Vec::new();
        if let Some(most) = self.bounds.usd {
            spent_of_bounds.push(format!("{:.4} of {most} USD", spent.usd));
        }
        if let Some(most) = self.bounds.tokens {
            spent_of_bounds.push(format!("{} of {most} tokens", spent.tokens));
        }
        format!(
            "the budget of model `{}` is used up: {} spent, and the next call may cost more than is left",
            self.model,
            spent_of_bounds.join(", ")
        )
    }
}

/// What a call is likely to cost, until it settles. One that is dropped on its way may have been answered in full: it counts
/// by an estimate that is rather too high.
pub(super) struct Reservation<'a> {
    budget: &'a Budget,
    likely: Spent,
    /// Tokens that were read if the call failed.
    read: u64,
    /// Tokens that are sent, as far as that was estimated.
    input: u64,
    max_output: Option<u32>,
    /// What the call costs if nobody ever hears of it again.
    estimate: Usage,
    sent: bool,
    settled: bool,
}

impl Reservation<'_> {
    /// The call goes out: from now on it may cost something.
    pub(super) fn sent(&mut self) {
        self.sent = true;
    }

    /// What the call costs if nobody ever hears of it again: no fewer tokens than are sent, and an answer of twice the longest
    /// so far.
    pub(super) fn estimate(&mut self) -> Usage {
        let estimate = self.estimated(&self.budget.ledger());
        self.estimate = estimate;
        estimate
    }

    fn estimated(&self, ledger: &BudgetLedger) -> Usage {
        // Answers under way may be longer than any so far.
        let output = ledger.longest_output.map_or(self.input, |longest| longest.saturating_mul(2).max(SHORT_ANSWER));
        Usage::new(self.input.saturating_add(ledger.excess_input), self.within_limit(output))
    }

    fn within_limit(&self, output: u64) -> u64 {
        self.max_output.map_or(output, |most| output.min(u64::from(most)))
    }

    /// The call failed in a way that costs nothing.
    pub(super) fn not_charged(mut self) -> Usage {
        self.sent = false;
        Usage::default()
    }

    /// The call failed, and what was sent may have been read.
    pub(super) fn was_read(mut self) -> Usage {
        let usage = Usage::new(self.read, 0);
        self.settled = true;
        self.spend(usage);
        usage
    }

    /// The call failed, and an answer like the longest so far may have been made and charged all the same. There is time to
    /// count what was sent.
    pub(super) fn was_answered(mut self, input: u64) -> Usage {
        let longest = self.budget.ledger().longest_output.unwrap_or(self.input);
        let usage = Usage::new(input, self.within_limit(longest));
        self.settled = true;
        self.spend(usage);
        usage
    }

    /// Settles what the call did cost, in US dollars.
    pub(super) fn settle(mut self, usage: Usage) -> f64 {
        self.settled = true;
        let usd = self.spend(usage);
        let mut ledger = self.budget.ledger();
        let written = usage.output as f64;
        ledger.usual_output = Some(ledger.usual_output.map_or(written, |usual| usual * 0.9 + written * 0.1));
        ledger.longest_output = ledger.longest_output.max(Some(usage.output));
        ledger.excess_input = ledger.excess_input.max(usage.input.saturating_sub(self.input));
        usd
    }

    fn spend(&self, usage: Usage) -> f64 {
        let usd = self.budget.price_of(usage);
        self.budget.ledger().spent.add(Spent { tokens: usage.input.saturating_add(usage.output), usd });
        usd
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        {
            let mut ledger = self.budget.ledger();
            ledger.reserved.take(self.likely);
            ledger.open -= 1;
            if self.sent && !self.settled {
                let Usage { input, output, .. } = self.estimate;
                let usd = self.budget.most_of(self.estimate);
                ledger.spent.add(Spent { tokens: input.saturating_add(output), usd });
            }
        }
        self.budget.settled.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(usd: f64) -> Budget {
        let bounds = Bounds { usd: Some(usd), tokens: None };
        Budget::new("writer", bounds, Some(Price::new(1.0, 1.0)))
    }

    async fn reserve(budget: &Budget, tokens: u64, output: u32) -> Result<Reservation<'_>> {
        budget.reserve(tokens * 4, Some(output), || tokens).await
    }

    #[tokio::test]
    async fn what_is_settled_counts_and_what_is_reserved_is_given_back() {
        let budget = budget(3.0);
        let first = reserve(&budget, 500_000, 500_000).await.expect("room");
        assert!((first.settle(Usage::new(500_000, 500_000)) - 1.0).abs() < 1e-9);
        drop(reserve(&budget, 1_000_000, 500_000).await.expect("room"));
        reserve(&budget, 1_000_000, 1_000_000).await.map(|_| ()).expect("what was reserved is free again");
        let refused = reserve(&budget, 2_000_000, 500_000).await.map(|_| ()).expect_err("no room");
        assert!(refused.message().contains("1.0000 of 3 USD"), "{refused}");
        assert!(budget.is_exhausted());
    }

    #[tokio::test]
    async fn a_call_that_does_not_fit_beside_others_waits_for_them() {
        let budget = budget(1.0);
        let first = reserve(&budget, 600_000, 1).await.expect("room");
        let second = async { reserve(&budget, 600_000, 1).await.map(|_| ()) };
        let free = async {
            tokio::task::yield_now().await;
            drop(first);
        };
        let (second, ()) = tokio::join!(second, free);
        second.expect("the first one cost nothing");
    }

    #[tokio::test]
    async fn a_call_dropped_on_its_way_counts_and_one_that_was_refused_does_not() {
        let budget = budget(1.0);
        let mut refused = reserve(&budget, 600_000, 1).await.expect("room");
        refused.sent();
        assert_eq!(refused.not_charged(), Usage::default());
        let mut first = reserve(&budget, 600_000, 1).await.expect("room");
        first.sent();
        drop(first);
        reserve(&budget, 600_000, 1).await.map(|_| ()).expect_err("the first one may have been answered");
    }

    #[tokio::test]
    async fn more_tokens_than_there_can_be_use_a_budget_up_and_do_not_wrap() {
        let bounds = Bounds { usd: None, tokens: Some(1_000) };
        let budget = Budget::new("writer", bounds, None);
        let (first, second) = (reserve(&budget, 10, 1).await, reserve(&budget, 10, 1).await);
        let all = Usage::new(u64::MAX, u64::MAX);
        assert_eq!(first.expect("room").settle(all), 0.0);
        second.expect("room").settle(all);
        reserve(&budget, 1, 1).await.map(|_| ()).expect_err("nothing is left");
    }

    #[tokio::test]
    async fn a_call_that_nobody_hears_of_again_costs_more_than_the_dearest_so_far() {
        let budget = budget(3.0);
        let mut first = reserve(&budget, 100, 500).await.expect("room");
        assert_eq!(first.estimate(), Usage::new(400, 400), "bytes are no fewer than tokens");
        let mut early = reserve(&budget, 100, 500).await.expect("room");
        first.settle(Usage::new(100, 5));
        assert_eq!(early.estimate(), Usage::new(400, 64), "one short answer says little of others");
        // A server may add to what is sent.
        early.settle(Usage::new(450, 100));
        reserve(&budget, 100, 500).await.expect("room").settle(Usage::new(100, 5));
        assert_eq!(reserve(&budget, 100, 500).await.expect("room").estimate(), Usage::new(450, 200));
        assert_eq!(reserve(&budget, 100, 150).await.expect("room").estimate().output, 150);
    }
}
