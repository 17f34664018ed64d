//! What the tables of tokens and cost show, as numbers. These functions know nothing of markup.

use jackfield_pipeline::Budget;

use super::super::super::{
    spend::{Spend, Spending},
    units::share,
};

/// Completions of a stage by a model, or of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    /// Requests for a completion, however they ended.
    pub(super) asked: u64,
    pub(super) called: u64,
    pub(super) cached: u64,
    pub(super) shared: u64,
    pub(super) failed: u64,
    pub(super) retries: u64,
    pub(super) tokens_in: u64,
    pub(super) tokens_out: u64,
}

impl Counts {
    fn of(spend: &Spend) -> Self {
        Self {
            asked: spend.answered() + spend.failed,
            called: spend.calls,
            cached: spend.cache_hits(),
            shared: spend.shared,
            failed: spend.failed,
            retries: spend.retries,
            tokens_in: spend.tokens_in,
            tokens_out: spend.tokens_out,
        }
    }

    /// The sums, which stop at the largest number instead of overflowing.
    pub(super) fn of_all(spending: &Spending) -> Self {
        spending.0.values().map(Self::of).fold(Self::default(), |a, b| Self {
            asked: a.asked.saturating_add(b.asked),
            called: a.called.saturating_add(b.called),
            cached: a.cached.saturating_add(b.cached),
            shared: a.shared.saturating_add(b.shared),
            failed: a.failed.saturating_add(b.failed),
            retries: a.retries.saturating_add(b.retries),
            tokens_in: a.tokens_in.saturating_add(b.tokens_in),
            tokens_out: a.tokens_out.saturating_add(b.tokens_out),
        })
    }

    /// In the order of the columns of the table.
    pub(super) fn columns(self) -> [u64; 8] {
        [self.asked, self.called, self.cached, self.shared, self.failed, self.retries, self.tokens_in, self.tokens_out]
    }
}

/// What the shares are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShareOf {
    Usd,
    /// Of tokens, where nothing has a price.
    Tokens,
}

impl ShareOf {
    pub(super) fn choose(spending: &Spending) -> Self {
        if spending.usd() > 0.0 { Self::Usd } else { Self::Tokens }
    }
}

/// A stage and a model.
pub(super) struct CostRow<'a> {
    /// Position of the stage in the plan.
    pub(super) stage: usize,
    pub(super) model: &'a str,
    pub(super) counts: Counts,
    pub(super) usd: f64,
    /// The median time of the completions that the model was called for, in microseconds.
    pub(super) median_us: u64,
    /// Share of the whole, from 0 to 1.
    pub(super) share: f64,
}

pub(super) fn cost_rows(spending: &Spending, share_of: ShareOf) -> impl Iterator<Item = CostRow<'_>> {
    let (tokens_in, tokens_out) = spending.tokens();
    let (all_tokens, all_usd) = (tokens_in.saturating_add(tokens_out), spending.usd());
    spending.0.iter().map(move |((stage, model), spend)| CostRow {
        stage: *stage as usize,
        model,
        counts: Counts::of(spend),
        usd: spend.usd,
        median_us: spend.made.quantile(0.5),
        share: match share_of {
            ShareOf::Usd => share(spend.usd, all_usd),
            ShareOf::Tokens => share(tokens(spend) as f64, all_tokens as f64),
        },
    })
}

fn tokens(spend: &Spend) -> u64 {
    spend.tokens_in.saturating_add(spend.tokens_out)
}

/// A limit of what a model may spend, and what it spent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BudgetUse {
    Usd { limit: f64, used: f64 },
    Tokens { limit: u64, used: u64 },
}

impl BudgetUse {
    /// How much of the limit is used up, from 0 to 1.
    pub(super) fn share(self) -> f64 {
        match self {
            Self::Usd { limit, used } => share(used, limit),
            Self::Tokens { limit, used } => share(used as f64, limit as f64),
        }
    }
}

/// The limits of a budget, that in US dollars first, each with what all stages together spent on the model.
pub(super) fn budget_uses(spending: &Spending, model: &str, budget: Budget) -> Vec<BudgetUse> {
    let of_model = || spending.0.iter().filter(|((_, name), _)| name == model).map(|(_, spend)| spend);
    let usd = budget.usd.map(|limit| BudgetUse::Usd { limit, used: of_model().map(|spend| spend.usd).sum() });
    let tokens = budget.tokens.map(|limit| {
        let used = of_model().map(tokens).fold(0, u64::saturating_add);
        BudgetUse::Tokens { limit, used }
    });
    usd.into_iter().chain(tokens).collect()
}

#[cfg(test)]
mod tests {
    use jackfield_store::CompletionRow;

    use super::*;

    fn spending(usd: [f64; 2]) -> Spending {
        let mut spending = Spending::default();
        for (stage, usd) in usd.into_iter().enumerate() {
            spending.add(&CompletionRow {
                stage: stage as u32,
                model: "small".to_owned(),
                source: "model".to_owned(),
                tier: None,
                failed: false,
                tries: 2,
                tokens_in: 10,
                tokens_out: 20 + 40 * stage as u64,
                tokens_cached: 0,
                tokens_cache_write: 0,
                tokens_reasoning: 0,
                usd,
                took_us: 1_000,
            });
        }
        spending
    }

    #[test]
    fn shares_are_of_dollars_or_of_tokens_where_nothing_has_a_price() {
        let shares = |spending: &Spending| {
            let share_of = ShareOf::choose(spending);
            (share_of, cost_rows(spending, share_of).map(|row| row.share).collect::<Vec<_>>())
        };
        assert_eq!(shares(&spending([3.0, 1.0])), (ShareOf::Usd, vec![0.75, 0.25]));
        assert_eq!(shares(&spending([0.0, 0.0])), (ShareOf::Tokens, vec![0.3, 0.7]));
    }

    #[test]
    fn counts_of_all_are_the_sums_of_the_rows() {
        let spending = spending([3.0, 1.0]);
        assert_eq!(Counts::of_all(&spending).columns(), [2, 2, 0, 0, 0, 2, 20, 80]);
        let rows: Vec<CostRow<'_>> = cost_rows(&spending, ShareOf::Usd).collect();
        assert_eq!(rows[1].counts.columns(), [1, 1, 0, 0, 0, 1, 10, 60]);
        assert_eq!((rows[1].stage, rows[1].model, rows[1].usd, rows[1].median_us), (1, "small", 1.0, 1_000));
    }

    #[test]
    fn a_budget_is_used_up_by_all_stages_of_its_model() {
        let budget = Budget { usd: Some(8.0), tokens: Some(50) };
        let uses = budget_uses(&spending([3.0, 1.0]), "small", budget);
        assert_eq!(uses, [BudgetUse::Usd { limit: 8.0, used: 4.0 }, BudgetUse::Tokens { limit: 50, used: 100 }]);
        assert_eq!((uses[0].share(), uses[1].share()), (0.5, 1.0));
        assert!(budget_uses(&spending([3.0, 1.0]), "small", Budget::default()).is_empty());
        assert_eq!(budget_uses(&spending([3.0, 1.0]), "large", budget)[0].share(), 0.0);
    }
}
