//! When stages were at work and on which items, aggregated by steps of time and groups of items.

use std::collections::BTreeMap;

use jackfield_store::{CallEnd, CallRow};

/// How many steps the axis of time is divided into.
pub(super) const BINS: usize = 260;
/// The most items that are drawn one by one.
pub(super) const MAX_SINGLE_ITEMS: u64 = 24;
/// The most calls that are drawn one by one.
const MAX_SINGLE_CALLS: usize = 3000;
/// The most stages that are drawn side by side.
pub(super) const STAGES: usize = 150;
/// The most groups of items that are drawn side by side, and cells in all.
const GROUPS: usize = 120;
const CELLS: usize = 12_000;

/// A session, on an axis of time on which it begins where the one before ended.
pub(super) struct Session {
    pub(super) id: i64,
    /// When it began (RFC 3339).
    pub(super) began: String,
    /// Where it begins on the axis, in microseconds.
    pub(super) from_us: u64,
    pub(super) length_us: u64,
}

/// A call that is drawn by itself.
pub(super) struct Bar {
    pub(super) stage: usize,
    pub(super) from_us: u64,
    pub(super) took_us: u64,
    pub(super) end: CallEnd,
    pub(super) hit: bool,
}

/// The calls of a stage for a group of items.
#[derive(Clone, Default)]
pub(super) struct Cell {
    pub(super) calls: u64,
    pub(super) total_us: u64,
    pub(super) failed: u64,
}

impl Cell {
    fn add(&mut self, call: &CallRow) {
        self.calls += 1;
        self.total_us = self.total_us.saturating_add(call.took_us);
        self.failed += u64::from(call.end == CallEnd::Failed);
    }
}

/// A stage that is drawn.
pub(super) struct Lane {
    /// Microseconds at work within each step of time.
    pub(super) busy: Vec<f64>,
    /// Failures that ended in each step of time.
    pub(super) failed: Vec<u64>,
    /// The stage over groups of items.
    pub(super) cells: Vec<Cell>,
}

impl Lane {
    fn new(groups: usize) -> Self {
        Self { busy: vec![0.0; BINS], failed: vec![0; BINS], cells: vec![Cell::default(); groups] }
    }

    fn add(&mut self, call: &CallRow, step: f64, (from, to): (u64, u64)) {
        spread(&mut self.busy, step, (from, to));
        if call.end == CallEnd::Failed {
            self.failed[((to as f64 / step) as usize).min(BINS - 1)] += 1;
        }
    }
}

/// An item whose calls are being added.
struct OpenItem {
    /// Its position, -1 for the run itself.
    item: i64,
    /// On the axis of time.
    began_us: u64,
    done_us: u64,
}

/// When stages were at work, and on which items.
pub(super) struct Flow {
    pub(super) sessions: Vec<Session>,
    /// The stages that are drawn: the first [`STAGES`] that were called.
    lanes: BTreeMap<usize, Lane>,
    stages: usize,
    /// Microseconds that items were in work within each step of time.
    pub(super) in_work: Vec<f64>,
    /// The calls of each item by its position, -1 for those of the run itself; none if there are too many.
    pub(super) bars: Option<BTreeMap<i64, Vec<Bar>>>,
    bar_count: usize,
    /// How many items there are.
    pub(super) items: u64,
    /// How many groups of items there are.
    pub(super) groups: usize,
    /// The item whose calls are being added.
    open: Option<OpenItem>,
}

impl Flow {
    pub(super) fn new(sessions: Vec<Session>, stages: usize, items: u64) -> Self {
        let groups = (items as usize).min(GROUPS).min(CELLS / stages.clamp(1, STAGES)).max(1);
        Self {
            sessions,
            lanes: BTreeMap::new(),
            stages,
            in_work: vec![0.0; BINS],
            bars: (items <= MAX_SINGLE_ITEMS).then(BTreeMap::new),
            bar_count: 0,
            items,
            groups,
            open: None,
        }
    }

    /// The axis' length in microseconds, at least 1.
    pub(super) fn length_us(&self) -> u64 {
        self.sessions.last().map_or(0, |last| last.from_us.saturating_add(last.length_us)).max(1)
    }

    /// How many microseconds a step of time has.
    pub(super) fn step_us(&self) -> f64 {
        self.length_us() as f64 / BINS as f64
    }

    /// The first item of a group, and the first one after it.
    pub(super) fn group(&self, group: usize) -> (u64, u64) {
        let groups = self.groups as u128;
        let edge = |group: usize| (u128::from(self.items) * group as u128).div_ceil(groups) as u64;
        (edge(group), edge(group + 1))
    }

    /// A stage, if it is drawn.
    pub(super) fn lane(&self, stage: usize) -> Option<&Lane> {
        self.lanes.get(&stage)
    }

    /// How many stages are drawn.
    pub(super) fn lane_count(&self) -> usize {
        self.lanes.len()
    }

    /// Adds a call. All calls of an item come one after the other.
    pub(super) fn add(&mut self, call: &CallRow) {
        let stage = call.stage as usize;
        if matches!(call.end, CallEnd::Skipped | CallEnd::Off) || stage >= self.stages {
            return;
        }
        let from = self.sessions.iter().find(|session| session.id == call.session).map_or(0, |session| session.from_us);
        let from = from.saturating_add(call.began_us);
        let to = from.saturating_add(call.took_us);
        let step = self.step_us();
        let group =
            u128::try_from(call.item).ok().map(|item| item * self.groups as u128 / u128::from(self.items.max(1)));
        if self.lanes.len() < STAGES || self.lanes.contains_key(&stage) {
            let lane = self.lanes.entry(stage).or_insert_with(|| Lane::new(self.groups));
            lane.add(call, step, (from, to));
            if let Some(cell) = group.and_then(|group| lane.cells.get_mut(usize::try_from(group).ok()?)) {
                cell.add(call);
            }
        }
        match &mut self.open {
            Some(open) if open.item == call.item => {
                open.began_us = open.began_us.min(from);
                open.done_us = open.done_us.max(to);
            }
            _ => {
                self.close_item();
                self.open = Some(OpenItem { item: call.item, began_us: from, done_us: to });
            }
        }
        self.bar_count += 1;
        if self.bar_count > MAX_SINGLE_CALLS {
            self.bars = None;
        }
        if let Some(bars) = &mut self.bars {
            let hit = call.memo_hit == Some(true);
            let bar = Bar { stage, from_us: from, took_us: call.took_us, end: call.end, hit };
            bars.entry(call.item).or_default().push(bar);
        }
    }

    /// Adds the item whose calls were added last: it has no more of them.
    pub(super) fn close_item(&mut self) {
        if let Some(OpenItem { item, began_us, done_us }) = self.open.take()
            && item >= 0
        {
            let step = self.step_us();
            spread(&mut self.in_work, step, (began_us, done_us));
        }
    }
}

/// Adds the time between two moments to the steps that it covers.
fn spread(bins: &mut [f64], step: f64, (from, to): (u64, u64)) {
    let (from, to) = (from as f64, to as f64);
    let first = ((from / step) as usize).min(bins.len() - 1);
    let last = ((to / step) as usize).min(bins.len() - 1);
    for (bin, sum) in bins.iter_mut().enumerate().take(last + 1).skip(first) {
        let (left, right) = (bin as f64 * step, (bin as f64 + 1.0) * step);
        *sum += (to.min(right) - from.max(left)).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: i64, from_us: u64, length_us: u64) -> Session {
        Session { id, began: String::new(), from_us, length_us }
    }

    fn call(item: i64, session: i64, began_us: u64, took_us: u64) -> CallRow {
        CallRow { item, stage: 0, session, end: CallEnd::Ok, attempts: 1, began_us, took_us, memo_hit: None }
    }

    #[test]
    fn time_at_work_is_neither_lost_nor_added() {
        let sessions = vec![session(1, 0, 1_000), session(2, 1_000, 3_000)];
        let mut flow = Flow::new(sessions, 1, 2);
        for row in [call(-1, 1, 0, 50), call(0, 1, 100, 900), call(1, 1, 130, 7), call(1, 2, 0, 3_000)] {
            flow.add(&row);
        }
        flow.close_item();
        assert!((flow.lanes[&0].busy.iter().sum::<f64>() - 3_957.0).abs() < 1e-6);
        // The second item was begun in one session and done in the other.
        assert!((flow.in_work.iter().sum::<f64>() - (900.0 + 3_870.0)).abs() < 1e-6);
        assert_eq!(flow.length_us(), 4_000);
        assert_eq!(flow.bars.expect("few").len(), 3);
    }

    #[test]
    fn every_item_is_in_one_group() {
        for items in [1, 7, 120, 121, 10_000] {
            let mut flow = Flow::new(vec![session(1, 0, 10)], 1, items);
            (0..items as i64).for_each(|item| flow.add(&call(item, 1, 0, 1)));
            let groups = flow.groups;
            assert!(groups <= GROUPS && flow.group(groups - 1).1 == items);
            for group in 0..groups {
                let (first, next) = flow.group(group);
                assert_eq!(flow.lanes[&0].cells[group].calls, next - first, "group {group} of {items} items");
            }
            assert_eq!(flow.bars.is_some(), items <= MAX_SINGLE_ITEMS);
        }
    }

    #[test]
    fn of_many_stages_the_first_that_were_called_are_drawn() {
        let mut flow = Flow::new(vec![session(1, 0, 10)], 10_000, 1_000);
        for stage in (0..10_000).rev() {
            flow.add(&CallRow { stage, ..call(0, 1, 0, 1) });
        }
        flow.close_item();
        assert_eq!((flow.lane_count(), flow.groups), (STAGES, CELLS / STAGES));
        assert!(flow.lane(9_999).is_some() && flow.lane(0).is_none());
    }

    #[test]
    fn nonsense_in_a_damaged_record_does_no_harm() {
        let mut flow = Flow::new(vec![session(1, u64::MAX, u64::MAX)], 1, 0);
        flow.add(&call(i64::MAX, 9, u64::MAX, u64::MAX));
        flow.add(&call(i64::MIN, 1, u64::MAX, u64::MAX));
        flow.close_item();
        let mut empty = Flow::new(Vec::new(), 0, 0);
        empty.add(&call(0, 1, 0, 0));
        empty.close_item();
        assert_eq!(empty.group(0), (0, 0));
    }
}
