//! Shows the progress of a run: as bars on a terminal, and as plain lines elsewhere.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use jackfield_engine::{Event, Observer};
use jackfield_loader::escape_untrusted;
use jackfield_pipeline::Plan;
use jackfield_plugin_api::Failure;
use jackfield_store::ItemState;

use super::table::counted;
use crate::terminal::terminal;

/// The most failures that are printed one by one. Further ones are counted.
const MOST_FAILURES: usize = 20;
/// The most results that are printed.
const MOST_RESULTS: usize = 200;
/// A delay before another attempt is printed if it is at least this long.
const LONG_DELAY: Duration = Duration::from_secs(5);
/// The least time between two plain lines of progress.
const PLAIN_EVERY: Duration = Duration::from_secs(2);

/// Shows a person the progress of a run.
pub(super) struct Progress {
    stages: Vec<String>,
    bars: Vec<ProgressBar>,
    items: Option<ProgressBar>,
    last_plain: Instant,
    /// How many failures were printed.
    printed_failures: usize,
    /// How many results the stages had to show, printed or not.
    results: usize,
    /// By stage, the failures that were not printed.
    other_failures: BTreeMap<String, u64>,
    /// How many items could not be read, without those that were printed.
    other_unreadable: u64,
    quiet: bool,
    /// Until when each stage is known to wait before it tries again.
    delayed: Vec<Option<Instant>>,
}

impl Progress {
    pub(super) fn new(plan: &Plan, quiet: bool) -> Self {
        let stages: Vec<String> = plan.stages.iter().map(|stage| stage.name.clone()).collect();
        let width = stages.iter().map(String::len).max().unwrap_or(0).max("items".len());
        let interactive = terminal().interactive() && !quiet;
        let style = |template: &str| {
            ProgressStyle::with_template(&template.replace("WIDTH", &width.to_string()))
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> ")
        };
        let bars = if interactive {
            let add = |name: &String| {
                terminal().bar(ProgressBar::new(0), style("  {prefix:WIDTH} [{bar:30}] {pos}/{len}"), name)
            };
            stages.iter().map(add).collect()
        } else {
            Vec::new()
        };
        let items = interactive.then(|| {
            let style = style("  {prefix:WIDTH} {pos} of {len} done {wide_msg} {elapsed}");
            terminal().bar(ProgressBar::new_spinner(), style, "items")
        });
        Self {
            delayed: vec![None; stages.len()],
            stages,
            bars,
            items,
            last_plain: Instant::now(),
            printed_failures: 0,
            results: 0,
            other_failures: BTreeMap::new(),
            other_unreadable: 0,
            quiet,
        }
    }

    fn print_failure(&mut self, stage: usize, line: String) {
        if self.printed_failures < MOST_FAILURES {
            self.printed_failures += 1;
            terminal().say(line);
        } else {
            *self.other_failures.entry(self.stages[stage].clone()).or_default() += 1;
        }
    }

    /// Prints that a stage waits before it tries again, if the delay is long and ends later than the one that was printed before.
    fn print_delay(&mut self, stage: usize, failure: &Failure, after: Duration) {
        let Some(known) = self.delayed.get_mut(stage).filter(|_| after >= LONG_DELAY) else { return };
        let until = Instant::now() + after;
        if known.is_none_or(|known| until > known + LONG_DELAY) {
            *known = Some(until);
            let (name, seconds) = (&self.stages[stage], Duration::from_secs(after.as_secs()));
            let wait = humantime::format_duration(seconds);
            terminal().say(format!("waiting: stage `{name}` tries again in {wait}: {failure}"));
        }
    }

    /// Removes the bars, and prints how much was not printed.
    pub(super) fn finish(self) {
        for bar in self.bars.iter().chain(&self.items) {
            bar.finish_and_clear();
        }
        if !self.quiet && self.results > MOST_RESULTS {
            let more = counted((self.results - MOST_RESULTS) as u64, "more result");
            terminal().say_message(format!("and {more}, all in results.jsonl"));
        }
        if self.other_unreadable > 0 {
            terminal().say(format!("  {} more items could not be read", self.other_unreadable));
        }
        for (stage, count) in self.other_failures {
            terminal().say(format!("  {stage}: {count} more failed"));
        }
    }
}

impl Observer for Progress {
    fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Stage { stage, known, done } => {
                if let Some(bar) = self.bars.get(*stage) {
                    bar.set_length(*known);
                    bar.set_position(*done);
                }
            }
            Event::CallFailed { stage, item, failure, timed_out } => {
                let of_item = if item.is_empty() { String::new() } else { format!(" of item `{item}`") };
                let kind = if *timed_out { "timed-out" } else { failure.kind().name() };
                let line = format!(
                    "failed: stage `{}`{of_item}: {kind}: {}",
                    self.stages[*stage],
                    escape_untrusted(failure.message())
                );
                self.print_failure(*stage, line);
            }
            Event::Items { total } => {
                if let (Some(bar), Some(total)) = (&self.items, total) {
                    bar.set_length(*total);
                }
            }
            Event::Unreadable { item, fault } => {
                if self.printed_failures < MOST_FAILURES {
                    self.printed_failures += 1;
                    terminal().say(format!("failed: item `{item}`: {fault}"));
                } else {
                    self.other_unreadable += 1;
                }
            }
            Event::Retry { stage, item, failure, after } => {
                self.print_delay(*stage, failure, *after);
                tracing::info!(stage = self.stages[*stage], item, ?after, "tries again: {failure}");
            }
            Event::ItemDone { item, state, counts, .. } => {
                if let Some(bar) = &self.items {
                    bar.set_position(counts.total);
                    if !matches!(state, ItemState::Ok | ItemState::Pruned) {
                        bar.set_message(format!("({} partial, {} failed)", counts.partial, counts.failed));
                    }
                } else if !self.quiet && self.last_plain.elapsed() >= PLAIN_EVERY {
                    self.last_plain = Instant::now();
                    terminal().say(format!("{} done, the last `{item}`", counted(counts.total, "item")));
                }
            }
            Event::Called { .. } | Event::Completion { .. } => {}
            Event::Shown { item, name, text } => {
                self.results += 1;
                if !self.quiet && self.results <= MOST_RESULTS {
                    terminal().say_message(format!("{}: {name}: {text}", escape_untrusted(item)));
                }
            }
            Event::Draining { exhausted: None } => {
                terminal().say("stopping: what is under way ends first; Ctrl-C again to leave it");
            }
            Event::Draining { exhausted: Some(exhausted) } => {
                terminal().say(format!("stopping: {exhausted}; what is under way ends first"));
            }
        }
    }
}
