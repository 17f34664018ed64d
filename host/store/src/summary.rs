//! Counts and times of a run.

use std::{collections::BTreeMap, path::PathBuf};

use jackfield_plugin_api::Outcome;
use serde::{Deserialize, Serialize};

use super::{ItemState, RunState, Spend, UnwrittenItems};

/// Items by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemCounts {
    /// All items that are done, well or not.
    pub total: u64,
    /// Every stage done.
    pub ok: u64,
    /// Trials of a search that were stopped before their end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pruned: u64,
    /// Some stage failed.
    pub partial: u64,
    /// Stopped, or nothing done.
    pub failed: u64,
    /// Begun, and left to a later session: the run stopped before their end. Not part of the total.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unfinished: u64,
    /// In the input, and not begun, since the run stopped before; 0 where it is not known how many there are. Not part of the
    /// total.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_begun: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ItemCounts {
    /// Counts an item.
    pub fn add(&mut self, state: ItemState) {
        self.add_many(state, 1);
    }

    /// Counts items that ended the same way.
    pub fn add_many(&mut self, state: ItemState, count: u64) {
        self.total += count;
        *match state {
            ItemState::Ok => &mut self.ok,
            ItemState::Pruned => &mut self.pruned,
            ItemState::Partial => &mut self.partial,
            ItemState::Failed => &mut self.failed,
        } += count;
    }

    /// How a run with these items stands that has nothing left to spend.
    #[must_use]
    pub const fn state_if_exhausted(&self) -> RunState {
        if self.ok + self.pruned + self.partial == 0 { RunState::Failed } else { RunState::Partial }
    }

    /// How a run with these items ended.
    pub fn state(&self) -> RunState {
        if self.partial == 0 && self.failed == 0 {
            RunState::Complete
        } else if self.ok + self.pruned + self.partial == 0 {
            RunState::Failed
        } else {
            RunState::Partial
        }
    }
}

/// Counts and times of a stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageStats {
    /// Calls made to the plugin, retries not counted.
    pub calls: u64,
    /// Calls that failed for good.
    pub failed: u64,
    /// Calls made again.
    pub retries: u64,
    /// Calls not made because a source had failed.
    pub skipped: u64,
    /// Calls not made because the stage was off.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub off: u64,
    /// In a session: results of its items that were taken from an earlier one. In a whole run: none.
    pub resumed: u64,
    /// Results taken from the memo.
    pub memo_hits: u64,
    /// Calls that ended the sandboxed instance that made them: traps and limits.
    #[serde(default)]
    pub traps: u64,
    /// Median time of a call, in milliseconds.
    pub p50_ms: f64,
    /// 95th percentile of the time of a call, in milliseconds.
    pub p95_ms: f64,
    /// 99th percentile of the time of a call, in milliseconds.
    pub p99_ms: f64,
    /// Time in the plugin in all, in milliseconds.
    pub total_ms: f64,
    /// Time that the stage's own cache took to find and to keep results, in milliseconds. It is no part of the times above; what a
    /// model's cache takes is, as is all that a call waits for.
    #[serde(default)]
    pub cache_ms: f64,
}

/// How long operations of a kind took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeStats {
    /// How many there were.
    pub count: u64,
    /// The median, in milliseconds.
    pub p50_ms: f64,
    /// The 95th percentile, in milliseconds.
    pub p95_ms: f64,
    /// The 99th percentile, in milliseconds.
    pub p99_ms: f64,
    /// All of them together, in milliseconds.
    pub total_ms: f64,
}

/// Counts of a route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RouteCount {
    /// Items that were routed, and are done as are all before them.
    pub outcomes: u64,
    /// Those of them with a reward.
    pub rewarded: u64,
    /// Mean of the rewards; 0 without any.
    pub reward: f64,
    /// How many items used each arm.
    pub arms: BTreeMap<String, u64>,
    /// How many attempts failed, by arm.
    pub failed: BTreeMap<String, u64>,
    /// What the policy has learned, in its own form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<serde_json::Value>,
}

impl RouteCount {
    /// Counts the outcome of an item.
    pub fn add(&mut self, outcome: &Outcome) {
        self.outcomes += 1;
        if let Some(reward) = outcome.reward {
            self.rewarded += 1;
            self.reward += (reward - self.reward) / self.rewarded as f64;
        }
        if let Some(arm) = outcome.used() {
            *self.arms.entry(arm.to_owned()).or_default() += 1;
        }
        for arm in outcome.failed() {
            *self.failed.entry(arm.to_owned()).or_default() += 1;
        }
    }
}

/// Counts of a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchCount {
    /// Trials of earlier runs of its study.
    pub before: u64,
    /// Trials of this run that are done.
    pub trials: u64,
    /// Those of them that have all their objectives.
    pub complete: u64,
    /// Those of them that were stopped before their end.
    pub pruned: u64,
    /// Those of them without all their objectives.
    pub failed: u64,
    /// Complete trials, of this run and of those before, that no other is at least as good as in everything and better than in
    /// something.
    pub front: u64,
    /// Why no further trial was begun, if one was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

/// What one session did of a run that has several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionPart {
    /// Items that it brought to their end.
    pub items: u64,
    /// Stages by name: its calls, and the results that its items took from earlier sessions.
    pub stages: BTreeMap<String, StageStats>,
    /// Models by name: what it asked of them.
    pub models: BTreeMap<String, ModelCount>,
    /// Caches by name: how often it asked each tier.
    pub caches: BTreeMap<String, Vec<TierCount>>,
    /// Its wall-clock time, in milliseconds.
    pub wall_ms: f64,
}

/// The one object that `run --json` prints: of the whole run, all its sessions together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Id of the run.
    pub run: String,
    /// The run folder.
    pub dir: PathBuf,
    /// How it ended.
    pub state: RunState,
    /// Items by outcome.
    pub items: ItemCounts,
    /// How long items took in this session, from being taken up to being done. None if no item was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_times: Option<TimeStats>,
    /// Items that were done in this session, for each second of it.
    #[serde(default)]
    pub items_per_second: f64,
    /// Stages by name.
    pub stages: BTreeMap<String, StageStats>,
    /// Models by name.
    pub models: BTreeMap<String, ModelCount>,
    /// Stages by name: what they spent, in all sessions. Empty for a run without a record.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spend: BTreeMap<String, Spend>,
    /// Caches by name: how often each tier was asked.
    #[serde(default)]
    pub caches: BTreeMap<String, Vec<TierCount>>,
    /// Routes by the name of their stage.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, RouteCount>,
    /// The search, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchCount>,
    /// What the stages that run over all items made of them, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_items: Option<AllItems>,
    /// What the pipeline requires of the run, and whether it is met. Empty for a run that stopped before its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<RequirementOutcome>,
    /// Why it stopped before its end, if it did: `interrupted`, or what a model has no more of, its budget or memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What to do before it is resumed, if it stopped for want of something. Not part of the record.
    #[serde(skip)]
    pub advice: Option<&'static str>,
    /// Wall-clock time, in milliseconds: of all sessions, the time between them left out.
    pub wall_ms: f64,
    /// What the last session did of it, if there was one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Box<SessionPart>>,
    /// What is known of the last session alone. Not part of the record.
    #[serde(skip)]
    pub last_session: LastSession,
}

/// What is known of the last session of a run as it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastSession {
    /// Items that it brought to their end.
    pub items: u64,
    /// How many items there are in the input, where that is known.
    pub known_items: Option<u64>,
    /// How the items ended that alone were asked for, where some were that the run has on record.
    pub selected: Option<RunState>,
    /// Whether a stage that runs over all items has no result, or one that is not whole, though it is on.
    pub all_items_flawed: bool,
}

impl Summary {
    /// What the run does not meet of what is required of it.
    pub fn unmet(&self) -> impl Iterator<Item = &RequirementOutcome> {
        self.requirements.iter().filter(|requirement| !requirement.met)
    }

    /// Counts items as failed whose files could not be written: that shows only once they are done.
    pub fn count_unwritten(&mut self, UnwrittenItems { ok, pruned, partial }: UnwrittenItems) {
        self.items.ok = self.items.ok.saturating_sub(ok);
        self.items.pruned = self.items.pruned.saturating_sub(pruned);
        self.items.partial = self.items.partial.saturating_sub(partial);
        self.items.failed += ok + pruned + partial;
        if ok + pruned + partial > 0 && self.stopped.is_none() {
            self.state = self.items.state();
        }
    }
}

/// What the stages that run over all items made of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AllItems {
    /// The items that they saw: those that are done, well or not.
    pub over: u64,
    /// How many items there are, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// What they answered, by name; an answer of more than 16 KiB is in `run/NAME.json` alone.
    pub results: BTreeMap<String, serde_json::Value>,
    /// Why others have no result, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub without: BTreeMap<String, String>,
}

impl AllItems {
    /// How many items there are, if not all of them were seen.
    #[must_use]
    pub fn stopped_before(&self) -> Option<u64> {
        self.of.filter(|of| *of != self.over)
    }
}

/// Something that a pipeline requires of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequirementOutcome {
    /// The wire, such as `summary.mean`.
    pub wire: String,
    /// What is required, in words, such as `at least 0.9`.
    pub required: String,
    /// The value; none if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// Whether it is met.
    pub met: bool,
    /// Why there is no value, or none that can be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl RequirementOutcome {
    /// What is not met, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { wire, required, value, why, .. } = self;
        match (value, why) {
            (_, Some(why)) => format!("`{wire}`: {why}; required: {required}"),
            (Some(value), None) => format!("`{wire}` is {value}; required: {required}"),
            (None, None) => format!("`{wire}` has no value; required: {required}"),
        }
    }
}

/// Counts of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelCount {
    /// Completions that the model was called for.
    pub calls: u64,
    /// Completions that came from a cache, or shared the call of an equal one.
    pub cached: u64,
    /// Completions that failed for good.
    #[serde(default)]
    pub failed: u64,
    /// Calls made again.
    #[serde(default)]
    pub retries: u64,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// Those of `tokens_in` that the server read from its own cache of prompts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens_cached: u64,
    /// Those of `tokens_in` that the server put into its own cache of prompts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens_cache_write: u64,
    /// Those of `tokens_out` that the model thought in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens_reasoning: u64,
    /// US dollars.
    pub usd: f64,
}

/// How often a tier was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TierCount {
    /// The extension.
    pub tier: String,
    /// Found.
    pub hits: u64,
    /// Not found.
    pub misses: u64,
    /// Unreachable, or broken: it did not answer, or not with what was put there.
    pub errors: u64,
    /// How long it took to look a value up.
    #[serde(default)]
    pub get: TimeStats,
    /// How long it took to keep a value.
    #[serde(default)]
    pub put: TimeStats,
}
