//! What completions cost, by stage and model.

use std::collections::BTreeMap;

use jackfield_store::CompletionRow;

use super::times::Times;

/// The completions of a stage by one model.
pub(super) struct Spend {
    /// Completions that the model was called for.
    pub(super) calls: u64,
    /// Completions from the cache, by tier.
    pub(super) cached: BTreeMap<String, u64>,
    /// Completions that shared the call of an equal one.
    pub(super) shared: u64,
    /// Completions that failed for good.
    pub(super) failed: u64,
    /// Calls that were made again after a failure.
    pub(super) retries: u64,
    pub(super) tokens_in: u64,
    pub(super) tokens_out: u64,
    /// Tokens read that the server had in its own cache of prompts, those that it put there, and those that the model thought in.
    pub(super) token_parts: [u64; 3],
    pub(super) usd: f64,
    /// Times of completions that the model was called for.
    pub(super) made: Times,
    /// Times of completions from the cache.
    pub(super) hits: Times,
}

impl Spend {
    fn new() -> Self {
        let (made, hits) = (Times::new(), Times::new());
        let (cached, usd) = (BTreeMap::new(), 0.0);
        let token_parts = [0; 3];
        Self {
            calls: 0,
            cached,
            shared: 0,
            failed: 0,
            retries: 0,
            tokens_in: 0,
            tokens_out: 0,
            token_parts,
            usd,
            made,
            hits,
        }
    }

    fn add(&mut self, row: &CompletionRow) {
        self.retries = self.retries.saturating_add(row.tries.saturating_sub(1));
        self.tokens_in = self.tokens_in.saturating_add(row.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(row.tokens_out);
        let parts = [row.tokens_cached, row.tokens_cache_write, row.tokens_reasoning];
        self.token_parts.iter_mut().zip(parts).for_each(|(sum, part)| *sum = sum.saturating_add(part));
        self.usd += row.usd;
        if row.failed {
            self.failed += 1;
            return;
        }
        match (row.source.as_str(), &row.tier) {
            ("cache", tier) => {
                *self.cached.entry(tier.clone().unwrap_or_default()).or_default() += 1;
                self.hits.record(row.took_us);
            }
            ("shared", _) => self.shared += 1,
            _ => {
                self.calls += 1;
                self.made.record(row.took_us);
            }
        }
    }

    pub(super) fn cache_hits(&self) -> u64 {
        self.cached.values().sum()
    }

    /// Completions that were answered, whoever answered them.
    pub(super) fn answered(&self) -> u64 {
        self.calls + self.cache_hits() + self.shared
    }
}

/// What completions cost, by stage and model.
#[derive(Default)]
pub(super) struct Spending(pub(super) BTreeMap<(u32, String), Spend>);

impl Spending {
    pub(super) fn add(&mut self, row: &CompletionRow) {
        self.0.entry((row.stage, row.model.clone())).or_insert_with(Spend::new).add(row);
    }

    /// Tokens read, and tokens written, of all stages.
    pub(super) fn tokens(&self) -> (u64, u64) {
        let sum = |count: fn(&Spend) -> u64| self.0.values().map(count).fold(0, u64::saturating_add);
        (sum(|spend| spend.tokens_in), sum(|spend| spend.tokens_out))
    }

    /// Tokens read from the servers' own caches of prompts, those put there, and those that models thought in, of all stages.
    pub(super) fn token_parts(&self) -> [u64; 3] {
        let sum = |part: usize| self.0.values().map(|spend| spend.token_parts[part]).fold(0, u64::saturating_add);
        [sum(0), sum(1), sum(2)]
    }

    /// US dollars of all stages.
    pub(super) fn usd(&self) -> f64 {
        self.0.values().map(|spend| spend.usd).sum()
    }

    /// What a stage spent, in US dollars.
    pub(super) fn stage_usd(&self, stage: usize) -> f64 {
        self.0.iter().filter(|((other, _), _)| *other as usize == stage).map(|(_, spend)| spend.usd).sum()
    }
}
