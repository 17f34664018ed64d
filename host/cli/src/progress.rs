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
use serde_json::{Value, json};

use super::{pace::Pace, table::counted};
use crate::terminal::{Severity, terminal};

/// The most failures that are printed one by one. Further ones are counted.
const MOST_FAILURES: usize = 20;
/// The most results that are printed.
const MOST_RESULTS: usize = 200;
/// A delay before another attempt is printed if it is at least this long.
const LONG_DELAY: Duration = Duration::from_secs(5);
/// The least time between two plain lines of progress: a run by night is not to fill its log.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// How often the time that has gone is drawn anew.
const TICK_EVERY: Duration = Duration::from_millis(500);

/// The widest bar, in columns.
const WIDEST_BAR: usize = 30;
/// A bar narrower than this shows nothing, and is left out.
const NARROWEST_BAR: usize = 6;

/// Shows a person the progress of a run.
pub(super) struct Progress {
    stages: Vec<String>,
    bars: Vec<ProgressBar>,
    items: Option<ProgressBar>,
    pace: Pace,
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
        let shows_bars = terminal().shows_bars() && !quiet;
        let Templates { stage, items } = Templates::new(&stages, terminal().width());
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> ")
        };
        let bars = if shows_bars {
            let add = |name: &String| terminal().bar(ProgressBar::new(0), style(&stage), name);
            stages.iter().map(add).collect()
        } else {
            Vec::new()
        };
        let items = shows_bars.then(|| {
            let bar = terminal().bar(ProgressBar::new_spinner(), style(&items), "items");
            // The time goes on while nothing else happens.
            bar.enable_steady_tick(TICK_EVERY);
            bar
        });
        Self {
            delayed: vec![None; stages.len()],
            stages,
            bars,
            items,
            pace: Pace::new(Instant::now()),
            last_plain: Instant::now(),
            printed_failures: 0,
            results: 0,
            other_failures: BTreeMap::new(),
            other_unreadable: 0,
            quiet,
        }
    }

    fn print_failure(&mut self, stage: usize, line: String, fields: &Value) {
        if self.printed_failures < MOST_FAILURES {
            self.printed_failures += 1;
            terminal().say_with(Severity::Error, line, fields);
        } else {
            *self.other_failures.entry(self.stages[stage].clone()).or_default() += 1;
        }
    }

    /// Shows how far the items have come, if there is a line for it.
    fn show_items(&self) {
        if let Some(bar) = &self.items {
            bar.set_message(self.pace.text(Instant::now()));
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
            terminal().say_failure(format!("  {} more items could not be read", self.other_unreadable));
        }
        for (stage, count) in self.other_failures {
            terminal().say_failure(format!("  {stage}: {count} more failed"));
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
                let fields = json!({
                    "stage": self.stages[*stage], "item": item, "kind": kind, "failure": failure.message(),
                });
                self.print_failure(*stage, line, &fields);
            }
            Event::Items { total } => {
                self.pace.total = *total;
                self.show_items();
            }
            Event::Unreadable { item, fault } => {
                if self.printed_failures < MOST_FAILURES {
                    self.printed_failures += 1;
                    terminal().say_failure(format!("failed: item `{item}`: {fault}"));
                } else {
                    self.other_unreadable += 1;
                }
            }
            Event::Retry { stage, item, failure, after } => {
                self.print_delay(*stage, failure, *after);
                tracing::info!(stage = self.stages[*stage], item, ?after, "tries again: {failure}");
            }
            Event::ItemDone { admitted, counts, .. } => {
                self.pace.count(counts, admitted.is_some());
                if self.items.is_some() {
                    self.show_items();
                } else if !self.quiet && self.last_plain.elapsed() >= PLAIN_EVERY {
                    self.last_plain = Instant::now();
                    let now = Instant::now();
                    let line = format!("progress: {}", self.pace.text(now));
                    terminal().say_with(Severity::Note, line, &self.pace.fields(now));
                }
            }
            Event::Completion { completion, .. } => {
                self.pace.usd += completion.usd.max(0.0);
                self.show_items();
            }
            Event::Called { .. } => {}
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

/// What the lines of progress are made of.
#[derive(Debug, PartialEq, Eq)]
struct Templates {
    stage: String,
    items: String,
}

impl Templates {
    /// For stages of these names, on a terminal with so many columns: long names are cut, and bars get what is left.
    fn new(stages: &[String], columns: usize) -> Self {
        let longest = stages.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("items".len());
        let name = longest.min((columns / 3).max("items".len()));
        // Two spaces, a space, brackets, a space, and two numbers of up to five digits.
        let bar = columns.saturating_sub(name + 17).min(WIDEST_BAR);
        let bar = if bar < NARROWEST_BAR { String::new() } else { format!(" [{{bar:{bar}}}]") };
        Self {
            stage: format!("  {{prefix:{name}!}}{bar} {{pos}}/{{len}}"),
            items: format!("  {{prefix:{name}!}} {{elapsed}} {{wide_msg}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Templates;

    #[test]
    fn a_narrow_terminal_gets_shorter_bars_or_none() {
        let stages = ["transcript".to_owned(), "a-stage-with-a-very-long-name".to_owned()];
        let stage = |columns| Templates::new(&stages, columns).stage;
        assert_eq!(stage(120), "  {prefix:29!} [{bar:30}] {pos}/{len}");
        assert_eq!(stage(40), "  {prefix:13!} [{bar:10}] {pos}/{len}");
        assert_eq!(stage(20), "  {prefix:6!} {pos}/{len}");
        assert_eq!(Templates::new(&stages, 40).items, "  {prefix:13!} {elapsed} {wide_msg}");
    }
}
