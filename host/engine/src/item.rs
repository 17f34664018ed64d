//! An item in work.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use jackfield_pipeline::{Plan, Scope, Source, StagePlan, Step};
use jackfield_plugin_api::Document;
use jackfield_store::ItemState;
use jackfield_store::{Answer, Spend};

use super::{input::Given, search::Trial};

/// Results of an earlier session, by stage and call.
pub(super) type Earlier = BTreeMap<(u32, u32), Answer>;

/// An item in work, or the run itself for the stages that depend on no item.
pub(super) struct Item {
    /// Position among all items; -1 for the run itself.
    pub(super) index: i64,
    /// Its id; empty for the run itself.
    pub(super) id: Arc<str>,
    /// Name of its folder, where it gets one.
    pub(super) folder: String,
    /// [`name_of`](super::seed::name_of) its id.
    pub(super) seed: u64,
    /// When it was taken up.
    pub(super) taken: Instant,
    /// What it holds.
    pub(super) document: Document,
    /// A slot a stage of the plan.
    pub(super) slots: Vec<Slot>,
    /// Stages that are not done.
    pub(super) open: usize,
    /// Those of them that the item is not reported without.
    pub(super) open_now: usize,
    /// What was shown of it, by place in the plan's list.
    pub(super) shown: Vec<bool>,
    /// Calls that are not answered.
    pub(super) pending: usize,
    /// The first stage, in the plan's order, whose failure stops the item.
    pub(super) stopped_by: Option<usize>,
    /// What earlier sessions found out.
    pub(super) earlier: Earlier,
    /// The trial that it is, where there is a search.
    pub(super) trial: Option<Trial>,
    /// The arms of its routed stages, once they are picked.
    pub(super) routed: BTreeMap<usize, Routed>,
    /// What its stages spent, where that is shown; empty otherwise.
    pub(super) spend: Vec<Spend>,
}

/// With which arms an item runs a stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Routed {
    pub(super) context: String,
    /// The arms to try, in order.
    pub(super) arms: Vec<u32>,
    /// Index of the one at work among them.
    pub(super) tried: usize,
    /// What the arms were compared by.
    pub(super) scores: Vec<Option<f64>>,
}

impl Routed {
    /// The arm at work.
    pub(super) fn arm(&self) -> u32 {
        self.arms.get(self.tried).copied().unwrap_or(0)
    }
}

/// How a stage stands for an item.
pub(super) enum Slot {
    /// It is none of the item's stages: it runs once a run.
    Elsewhere,
    /// It waits for this many stages.
    Waiting(usize),
    /// Its one call is under way.
    Running,
    /// Its calls are under way.
    Gathering {
        /// The answers so far; a call that failed leaves nothing.
        answers: Vec<Option<Document>>,
        /// Calls that are not answered.
        left: usize,
        /// Whether some call failed.
        failed: bool,
    },
    /// It has a result. `flawed` when some of its calls failed.
    Done { document: Document, flawed: bool },
    /// It has none.
    Failed,
    /// It was not run, since a stage that it reads has no result.
    Skipped,
}

impl Item {
    /// An item whose stages are all before it.
    pub(super) fn new(
        (plan, waits): (&Plan, &[Vec<usize>]),
        scope: Scope,
        (index, id, seed): (i64, Arc<str>, u64),
        document: Document,
    ) -> Self {
        let slots: Vec<Slot> = plan
            .stages
            .iter()
            .zip(waits)
            .map(|(stage, waits)| {
                if stage.scope != scope {
                    return Slot::Elsewhere;
                }
                // Stages of the run are done before the first item is taken up.
                Slot::Waiting(waits.iter().filter(|read| plan.stages[**read].scope == scope).count())
            })
            .collect();
        let waiting = |(slot, _): &(&Slot, &StagePlan)| matches!(slot, Slot::Waiting(_));
        let open = slots.iter().zip(&plan.stages).filter(waiting).count();
        let open_now = slots.iter().zip(&plan.stages).filter(waiting).filter(|(_, stage)| !stage.deferred).count();
        Self {
            index,
            id,
            folder: String::new(),
            seed,
            taken: Instant::now(),
            document,
            slots,
            open,
            open_now,
            shown: vec![false; plan.output.show.len()],
            pending: 0,
            stopped_by: None,
            earlier: Earlier::new(),
            trial: None,
            routed: BTreeMap::new(),
            spend: Vec::new(),
        }
    }

    /// Whether a stage is still wanted.
    pub(super) fn wants(&self, stage: usize) -> bool {
        self.stopped_by.is_none_or(|stop| stage <= stop) && !self.is_left_out(stage)
    }

    /// What a source has to give. `run` holds the slots of the stages that run once a run.
    pub(super) fn given<'a>(&'a self, run: &'a [Slot], each: Option<&'a Document>, source: Source) -> Given<'a> {
        match source {
            Source::Input if self.index < 0 => Given::Absent,
            Source::Input => Given::Value(&self.document),
            Source::Each => each.map_or(Given::Absent, Given::Value),
            Source::Spend => Given::Absent,
            Source::Stage(stage) => {
                let slot = match &self.slots[stage] {
                    Slot::Elsewhere => run.get(stage),
                    own => Some(own),
                };
                match slot {
                    Some(Slot::Done { document, .. }) => Given::Value(document),
                    _ => Given::Absent,
                }
            }
        }
    }

    /// What the stages spent, as a document, once all of those that a wire looks at are done.
    pub(super) fn spent(&self, plan: &Plan, path: &[Step]) -> Option<Document> {
        let looks_at = |name: &str| !matches!(path.first(), Some(Step::Field(wanted)) if wanted != name);
        let ended = |slot: &Slot| !matches!(slot, Slot::Waiting(_) | Slot::Running | Slot::Gathering { .. });
        let mut stages = serde_json::Map::new();
        for ((stage, slot), spend) in plan.stages.iter().zip(&self.slots).zip(&self.spend) {
            if looks_at(&stage.name) && !ended(slot) {
                return None;
            }
            stages.insert(stage.name.clone(), serde_json::to_value(spend).ok()?);
        }
        Some(Document::new(serde_json::Value::from(stages).to_string()))
    }

    /// How it ended, once nothing is open.
    pub(super) fn state(&self) -> ItemState {
        if self.stopped_by.is_some() {
            return ItemState::Failed;
        }
        let (mut done, mut flawed) = (0, 0);
        for (stage, slot) in self.slots.iter().enumerate() {
            match slot {
                Slot::Skipped if self.is_left_out(stage) => {}
                Slot::Done { flawed: false, .. } => done += 1,
                Slot::Done { flawed: true, .. } => {
                    done += 1;
                    flawed += 1;
                }
                Slot::Elsewhere => {}
                _ => flawed += 1,
            }
        }
        match (done, flawed) {
            (_, 0) if self.trial.as_ref().is_some_and(|trial| trial.pruned) => ItemState::Pruned,
            (_, 0) => ItemState::Ok,
            (0, _) => ItemState::Failed,
            _ => ItemState::Partial,
        }
    }
}
