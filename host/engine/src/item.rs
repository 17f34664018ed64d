//! An item in flight.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use jackfield_pipeline::{Plan, Scope, Source, StagePlan, Step};
use jackfield_plugin_api::Document;
use jackfield_store::{Answer, ItemState, OF_RUN, OVER_ALL, Spend};

use super::{
    index::{ArmIdx, CallIdx, PerStage, StageIdx},
    input::SourceValue,
    predecessors::Predecessors,
    search::Trial,
};

/// Results of an earlier session, by stage and call. Each is taken out when its call would be made.
pub(super) type EarlierAnswers = BTreeMap<(StageIdx, CallIdx), Answer>;

/// What stages an item consists of.
#[derive(Clone, Copy)]
pub(super) struct ItemStages<'a> {
    pub(super) plan: &'a Plan,
    /// For which stages each stage waits.
    pub(super) predecessors: &'a Predecessors,
    /// The stages that the item runs.
    pub(super) scope: Scope,
}

/// Which item it is.
pub(super) struct ItemIdentity {
    /// Position among all items; [`OF_RUN`] for the run itself, [`OVER_ALL`] for all items together.
    pub(super) index: i64,
    /// Its id; empty for the run itself, and for all items together.
    pub(super) id: Arc<str>,
    /// [`name_of`](super::seed::name_of) its id.
    pub(super) seed: u64,
}

impl ItemIdentity {
    /// The run itself, for the stages that depend on no item.
    pub(super) fn run() -> Self {
        Self { index: OF_RUN, id: "".into(), seed: 0 }
    }

    /// All items together, for the stages that run over all of them.
    pub(super) fn all_items() -> Self {
        Self { index: OVER_ALL, id: "".into(), seed: 0 }
    }
}

/// An item in flight, or the run itself for the stages that depend on no item, or all items together. It lives from when it is admitted until it is
/// finished: recorded and counted.
pub(super) struct Item {
    /// Position among all items; [`OF_RUN`] for the run itself, [`OVER_ALL`] for all items together.
    pub(super) index: i64,
    /// Its id; empty for the run itself, and for all items together.
    pub(super) id: Arc<str>,
    /// Name of its folder, where it gets one.
    pub(super) folder: String,
    /// [`name_of`](super::seed::name_of) its id.
    pub(super) seed: u64,
    /// When it was admitted.
    pub(super) admitted: Instant,
    /// What it holds.
    pub(super) document: Document,
    /// For all items together: what is read of each, by column. None of one that is too long.
    pub(super) columns: Vec<Option<Document>>,
    /// The stages that are not run, whatever they read; empty if that is none.
    pub(super) left_out: PerStage<bool>,
    /// How each stage stands. A stage only ever moves forward: from waiting through running to one of the ends.
    pub(super) stages: PerStage<StageState>,
    /// Stages that have not ended.
    pub(super) open_stages: usize,
    /// Those of them that are not deferred: the item is reported once there are none.
    pub(super) open_before_report: usize,
    /// Whether each line of the plan's list of what is shown was shown.
    pub(super) shown: Vec<bool>,
    /// Calls that are ready or in a batch, or wait to be made again.
    pub(super) pending_calls: usize,
    /// The first stage, in the plan's order, whose failure stops the item.
    pub(super) stopped_by: Option<StageIdx>,
    /// What earlier sessions found out.
    pub(super) earlier: EarlierAnswers,
    /// The trial that it is, where there is a search.
    pub(super) trial: Option<Trial>,
    /// The arms of its routed stages, once they are picked.
    pub(super) routed: BTreeMap<StageIdx, Routed>,
    /// What its stages spent, where that is shown; empty otherwise.
    pub(super) spend: PerStage<Spend>,
}

/// With which arms an item runs a stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Routed {
    /// What the item has in common with others that the policy may learn from.
    pub(super) context: String,
    /// The arms to try, in order; never empty.
    pub(super) arms: Vec<ArmIdx>,
    /// How many of them have failed: the index, among them, of the one in use.
    pub(super) failed: usize,
    /// What the arms were compared by.
    pub(super) scores: Vec<Option<f64>>,
}

impl Routed {
    /// The arm in use.
    pub(super) fn arm(&self) -> ArmIdx {
        *self.arms.get(self.failed).expect("a routed item has an arm in use")
    }

    /// Whether there is an arm left to try after the one in use.
    pub(super) fn has_next_arm(&self) -> bool {
        self.failed + 1 < self.arms.len()
    }
}

/// How a stage stands for an item.
pub(super) enum StageState {
    /// It belongs to another scope: it runs once a run, and the item does not.
    OtherScope,
    /// It waits for this many stages.
    Waiting(usize),
    /// Its one call is being made.
    Running,
    /// Its calls are being made.
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
    /// It has no result.
    Failed,
    /// It was not run, since a stage that it reads has no result, or since the item was stopped before it began.
    Skipped,
    /// It was not run, since its condition does not hold, or since a stage that it needs is off.
    Off,
}

impl StageState {
    /// Whether nothing more will come of the stage for its item.
    const fn has_ended(&self) -> bool {
        !matches!(self, Self::Waiting(_) | Self::Running | Self::Gathering { .. })
    }

    /// Whether it has no result, or one that is not whole, though it is on.
    pub(super) const fn is_flawed(&self) -> bool {
        matches!(self, Self::Failed | Self::Skipped | Self::Done { flawed: true, .. })
    }

    /// What the stage gave.
    pub(super) const fn value(&self) -> SourceValue<'_> {
        match self {
            Self::Done { document, .. } => SourceValue::Present(document),
            Self::Off => SourceValue::Off,
            _ => SourceValue::Absent,
        }
    }
}

impl Item {
    /// An item whose stages are all before it.
    pub(super) fn new(stages: ItemStages<'_>, identity: ItemIdentity, document: Document) -> Self {
        let ItemStages { plan, predecessors, scope } = stages;
        let stages: PerStage<StageState> = plan
            .stages
            .iter()
            .zip(predecessors.iter())
            .map(|(stage, predecessors)| {
                if stage.scope != scope {
                    return StageState::OtherScope;
                }
                // Stages of the run are done before the first item is admitted.
                let waits = predecessors.iter().filter(|before| plan.stages[before.get()].scope == scope).count();
                StageState::Waiting(waits)
            })
            .collect();
        let waiting = |(state, _): &(&StageState, &StagePlan)| matches!(state, StageState::Waiting(_));
        let open_stages = stages.iter().zip(&plan.stages).filter(waiting).count();
        let open_before_report =
            stages.iter().zip(&plan.stages).filter(waiting).filter(|(_, stage)| !stage.deferred).count();
        let ItemIdentity { index, id, seed } = identity;
        Self {
            index,
            id,
            folder: String::new(),
            seed,
            admitted: Instant::now(),
            document,
            columns: Vec::new(),
            left_out: PerStage::default(),
            stages,
            open_stages,
            open_before_report,
            shown: vec![false; plan.output.show.len()],
            pending_calls: 0,
            stopped_by: None,
            earlier: EarlierAnswers::new(),
            trial: None,
            routed: BTreeMap::new(),
            spend: PerStage::default(),
        }
    }

    /// Whether nothing is left to do for it.
    pub(super) const fn is_done(&self) -> bool {
        self.open_stages == 0 && self.pending_calls == 0
    }

    /// Whether a stage is still wanted: no failure before it stops the item, and its trial was not stopped before it began.
    pub(super) fn wants(&self, stage: StageIdx) -> bool {
        self.stopped_by.is_none_or(|stop| stage <= stop)
            && !self.is_left_out(stage)
            && self.left_out.get(stage).is_none_or(|left_out| !left_out)
    }

    /// Whether its trial was stopped before this stage began.
    fn is_left_out(&self, stage: StageIdx) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.pruned)
            && matches!(self.stages[stage], StageState::Waiting(_) | StageState::Skipped)
    }

    /// The failure of this stage stops the item. Of several, the first in the plan's order counts, whichever failed first.
    pub(super) fn stop_by(&mut self, stage: StageIdx) {
        self.stopped_by = Some(self.stopped_by.map_or(stage, |stop| stop.min(stage)));
    }

    /// What a source holds, as far as the item's end counts it: a stage after the one that stopped it gave nothing.
    pub(super) fn counted_value<'a>(&'a self, run: &'a PerStage<StageState>, source: Source) -> SourceValue<'a> {
        match source {
            Source::Stage(stage) if !self.wants(StageIdx::new(stage)) => SourceValue::Absent,
            source => self.source_value(run, None, source),
        }
    }

    /// What a source holds. `run` has the stages that run once a run; `element` is that of a `for_each`.
    pub(super) fn source_value<'a>(
        &'a self,
        run: &'a PerStage<StageState>,
        element: Option<&'a Document>,
        source: Source,
    ) -> SourceValue<'a> {
        match source {
            Source::Input if self.index < 0 => SourceValue::Absent,
            Source::Input => SourceValue::Present(&self.document),
            Source::Each => element.map_or(SourceValue::Absent, SourceValue::Present),
            Source::Spend => SourceValue::Absent,
            Source::Column(column) => {
                let document = self.columns.get(column).and_then(Option::as_ref);
                document.map_or(SourceValue::Absent, SourceValue::Present)
            }
            Source::Stage(stage) => {
                let stage = StageIdx::new(stage);
                let state = match &self.stages[stage] {
                    StageState::OtherScope => run.get(stage),
                    own => Some(own),
                };
                state.map_or(SourceValue::Absent, StageState::value)
            }
        }
    }

    /// What the stages spent, as a document, once all of those that a wire looks at are done.
    pub(super) fn spent(&self, plan: &Plan, path: &[Step]) -> Option<Document> {
        let looks_at = |name: &str| !matches!(path.first(), Some(Step::Field(wanted)) if wanted != name);
        let mut stages = serde_json::Map::new();
        for ((stage, state), spend) in plan.stages.iter().zip(self.stages.iter()).zip(self.spend.iter()) {
            if looks_at(&stage.name) && !state.has_ended() {
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
        for (stage, state) in self.stages.enumerate() {
            match state {
                StageState::Skipped if self.is_left_out(stage) => {}
                StageState::Done { flawed: false, .. } => done += 1,
                StageState::Done { flawed: true, .. } => {
                    done += 1;
                    flawed += 1;
                }
                StageState::OtherScope | StageState::Off => {}
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
