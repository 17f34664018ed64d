//! The scheduler without plugins: batches go to a script that answers at once, or never.

use std::{cell::RefCell, sync::Arc, time::Duration, time::Instant};

use jackfield_loader::{Digest, Linkage, sandbox::Limits};
use jackfield_pipeline::{
    ExtensionRef, InputExpr, InputPlan, OnError, OutputPlan, Plan, Policy, Scope, Source, StagePlan, Step, Wire,
};
use jackfield_plugin_api::{BoxFuture, Document, Failure, HostCalls, Instance, Kind, Request, Result as CallResult};
use jackfield_services::Services;
use jackfield_store::{Answer, Blobs, ItemState, Record, StageStats};

use super::{Polled, Scheduler, SchedulerParts, executor::BatchExecutor};
use crate::{
    batch::{Batch, BatchAnswers},
    cancel::Cancel,
    index::{CallIdx, PerStage, StageIdx},
    item::{Item, ItemIdentity, ItemStages},
    observe::{Event, Observer, Silent},
    pool::Job,
    predecessors::{Predecessors, predecessors_of},
    stage_runtime::{SessionParts, StageRuntime},
};

/// A stage that reads these sources and passes on what the script answers.
fn stage(name: &str, reads: &[Source]) -> StagePlan {
    let wire = |source: &Source| InputExpr::Wire(Wire { source: *source, path: Vec::new() });
    StagePlan {
        name: name.to_owned(),
        extension: ExtensionRef {
            plugin: "bundled".to_owned(),
            linkage: Linkage::LinkedIn,
            kind: Kind::Analyzer,
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            digest: Digest::of(name),
        },
        config: serde_json::json!({}),
        paths: Default::default(),
        input: match reads {
            [source] => wire(source),
            _ => InputExpr::List(reads.iter().map(wire).collect()),
        },
        scope: Scope::Item,
        for_each: None,
        when: None,
        repeat: None,
        reads: reads
            .iter()
            .filter_map(|source| if let Source::Stage(stage) = source { Some(*stage) } else { None })
            .collect(),
        policy: Policy {
            timeout: None,
            attempts: 1,
            backoff: Duration::ZERO,
            longest_wait: Duration::from_secs(120),
            on_error: OnError::Continue,
            concurrency: None,
            batch: 64,
        },
        limits: Limits::default(),
        model: None,
        cache: None,
        store: None,
        deferred: false,
        route: None,
        views: Default::default(),
        output: None,
    }
}

fn plan(stages: Vec<StagePlan>) -> Plan {
    Plan {
        name: "test".to_owned(),
        digest: Digest::of("test"),
        seed: 7,
        input: InputPlan::Inline { items: Vec::new(), id: None },
        output: OutputPlan { item_files: false, files: Vec::new(), merged: Vec::new(), show: Vec::new() },
        max_in_flight: 64,
        sandbox_memory: None,
        tensor_storage: None,
        keep_runs: None,
        max_usd: None,
        recorded_calls: Default::default(),
        models: Vec::new(),
        caches: Vec::new(),
        stages,
        columns: Vec::new(),
        requirements: Vec::new(),
        search: None,
        item_views: Default::default(),
        exports: Vec::new(),
        variables: Vec::new(),
    }
}

/// Reads nothing but the item.
fn first(name: &str) -> StagePlan {
    stage(name, &[Source::Input])
}

/// What stands in place of a plugin, which is never called.
struct NoPlugin;

impl Instance for NoPlugin {
    fn call<'a>(&'a self, _: &'a [Request], _: &'a dyn HostCalls) -> BoxFuture<'a, Vec<CallResult<Document>>> {
        unreachable!("the script answers in place of plugins")
    }
}

/// What a call is answered, by the name of its stage and its request; none for a call that is never answered.
type Script<'s> = &'s dyn Fn(&str, &Request) -> Option<CallResult<Document>>;

/// Answers by a script, at once.
struct ScriptedExecutor<'s> {
    workers: usize,
    script: Script<'s>,
    /// The stages of the batches, each with its inputs, in the order in which they were started.
    started: RefCell<Vec<(String, Vec<String>)>>,
}

impl BatchExecutor for ScriptedExecutor<'_> {
    fn workers(&self) -> usize {
        self.workers
    }

    fn start(&self, batch: Batch<'_>) -> Job {
        let Batch { id, runtime, requests, control, answers } = batch;
        let stage = runtime.name.to_string();
        let inputs = requests.iter().map(|request| request.document.json.to_string()).collect();
        self.started.borrow_mut().push((stage, inputs));
        control.start_at(0);
        let results: Option<Vec<_>> = requests.iter().map(|request| (self.script)(&runtime.name, request)).collect();
        if let Some(results) = results {
            let (began, took) = (Instant::now(), Duration::from_nanos(1));
            answers
                .send(BatchAnswers {
                    batch: id,
                    results,
                    memo: Vec::new(),
                    began,
                    began_us: 0,
                    took,
                    memo_took: Duration::ZERO,
                })
                .expect("the scheduler listens");
        }
        let (_, job) = async_task::spawn(async {}, |_| {});
        job
    }

    fn replace_worker(&self, _: usize) -> std::io::Result<()> {
        unreachable!("no worker of a script is lost")
    }
}

/// A session of the scheduler over a plan.
struct Harness<'p> {
    plan: &'p Plan,
    predecessors: Predecessors,
    services: Services,
    cancel: Cancel,
    executor: ScriptedExecutor<'p>,
}

impl<'p> Harness<'p> {
    fn new(plan: &'p Plan, workers: usize, script: Script<'p>) -> Self {
        let executor = ScriptedExecutor { workers, script, started: RefCell::default() };
        let (services, cancel) = (Services::default(), Cancel::default());
        Self { plan, predecessors: predecessors_of(plan), services, cancel, executor }
    }

    fn item(&self, index: i64, document: &str) -> Item {
        let stages = ItemStages { plan: self.plan, predecessors: &self.predecessors, scope: Scope::Item };
        let identity = ItemIdentity { index, id: format!("item {index}").into(), seed: index as u64 };
        Item::new(stages, identity, Document::new(document))
    }

    /// The scheduler, with something to be done with it; also gives the totals of its stages.
    fn with<'k, R>(
        &'k self,
        observer: &'k mut dyn Observer,
        records: &'k mut Vec<Record>,
        work: impl FnOnce(&mut Scheduler<'_, '_>) -> R,
    ) -> (R, Vec<(String, StageStats)>) {
        let blobs = Blobs::in_memory(0);
        let session = SessionParts { plan: self.plan, services: &self.services, blobs: &blobs, began: Instant::now() };
        let runtime = |stage| Arc::new(StageRuntime::new(stage, Arc::new(NoPlugin), None, session));
        let runtimes: PerStage<_> = self.plan.stages.iter().map(|stage| vec![runtime(stage)]).collect();
        let mut sink = |group: Vec<Record>| {
            records.extend(group);
            Ok(())
        };
        let mut scheduler = Scheduler::new(SchedulerParts {
            plan: self.plan,
            services: &self.services,
            executor: &self.executor,
            runtimes,
            predecessors: &self.predecessors,
            routes: Default::default(),
            search: None,
            cancel: &self.cancel,
            observer,
            record: Some(&mut sink),
        });
        let result = work(&mut scheduler);
        scheduler.flush().expect("the sink takes everything");
        (result, scheduler.into_totals().stages.into_iter().collect())
    }

    /// Runs these items to their end: the items, and what was recorded of their calls as `stage/call: answer`.
    fn run(&self, items: Vec<Item>) -> (Vec<Item>, Vec<String>) {
        let mut records = Vec::new();
        let (finished, _) = self.with(&mut Silent, &mut records, |scheduler| run_all(scheduler, items));
        (finished, records.iter().filter_map(|record| answer_text(self.plan, record)).collect())
    }

    fn started(&self) -> Vec<(String, Vec<String>)> {
        self.executor.started.borrow().clone()
    }
}

fn run_all(scheduler: &mut Scheduler<'_, '_>, items: Vec<Item>) -> Vec<Item> {
    items.into_iter().for_each(|item| scheduler.admit(item));
    while !matches!(scheduler.poll_once::<()>(None).expect("nothing fails"), Polled::Idle) {}
    scheduler.take_finished()
}

fn answer_text(plan: &Plan, record: &Record) -> Option<String> {
    let Record::Call(record) = record else { return None };
    let answer = match &record.answer {
        Answer::Ok { json, .. } => json.to_string(),
        Answer::Failed { kind, message } => format!("{kind}: {message}"),
        Answer::Skipped { message } => format!("skipped: {message}"),
        Answer::Off { message } => format!("off: {message}"),
    };
    Some(format!("{}/{} ({}): {answer}", plan.stages[record.stage as usize].name, record.call, record.attempts))
}

fn echo(stage: &str, request: &Request) -> Option<CallResult<Document>> {
    Some(Ok(Document::new(format!("[\"{stage}\",{}]", request.document.json))))
}

fn unavailable() -> Failure {
    Failure::Unavailable("not now".to_owned())
}

#[test]
fn a_stage_begins_once_all_that_it_reads_has_ended() {
    let plan = plan(vec![
        first("top"),
        stage("left", &[Source::Stage(0)]),
        stage("right", &[Source::Stage(0)]),
        stage("bottom", &[Source::Stage(1), Source::Stage(2)]),
    ]);
    let harness = Harness::new(&plan, 1, &echo);
    let (finished, records) = harness.run(vec![harness.item(0, "1")]);
    assert_eq!(finished.iter().map(Item::state).collect::<Vec<_>>(), [ItemState::Ok]);
    insta::assert_snapshot!(records.join("\n"), @r#"
    top/0 (1): ["top",1]
    right/0 (1): ["right",["top",1]]
    left/0 (1): ["left",["top",1]]
    bottom/0 (1): ["bottom",[["left",["top",1]],["right",["top",1]]]]
    "#);
}

#[test]
fn what_reads_a_stage_that_failed_is_skipped_and_the_rest_of_the_item_goes_on() {
    let plan = plan(vec![first("bad"), stage("reader", &[Source::Stage(0)]), first("good")]);
    let script = |stage: &str, request: &Request| match stage {
        "bad" => Some(Err(Failure::InvalidInput("unfit".to_owned()))),
        _ => echo(stage, request),
    };
    let harness = Harness::new(&plan, 1, &script);
    let (finished, records) = harness.run(vec![harness.item(0, "1")]);
    assert_eq!(finished.iter().map(Item::state).collect::<Vec<_>>(), [ItemState::Partial]);
    insta::assert_snapshot!(records.join("\n"), @r#"
    good/0 (1): ["good",1]
    bad/0 (1): invalid-input: unfit
    reader/0 (0): skipped: `bad` has no result
    "#);
}

#[test]
fn a_failure_that_stops_its_item_leaves_the_stages_behind_it_out() {
    let mut stops = first("stops");
    stops.policy.on_error = OnError::Fail;
    let plan = plan(vec![stops, stage("reader", &[Source::Stage(0)]), first("before")]);
    let script = |stage: &str, request: &Request| match stage {
        "stops" => Some(Err(Failure::InvalidInput("unfit".to_owned()))),
        _ => echo(stage, request),
    };
    let harness = Harness::new(&plan, 1, &script);
    let (finished, _) = harness.run(vec![harness.item(0, "1")]);
    assert_eq!(finished.iter().map(Item::state).collect::<Vec<_>>(), [ItemState::Failed]);
    assert_eq!(finished[0].stopped_by, Some(StageIdx::new(0)));
}

#[test]
fn a_failure_that_can_heal_is_tried_again_as_often_as_the_policy_says() {
    let mut flaky = first("flaky");
    flaky.policy.attempts = 3;
    let plan = plan(vec![flaky]);
    let tries = RefCell::new(0);
    let heals = |_: &str, request: &Request| {
        *tries.borrow_mut() += 1;
        if *tries.borrow() < 3 { Some(Err(unavailable())) } else { echo("flaky", request) }
    };
    let harness = Harness::new(&plan, 1, &heals);
    assert_eq!(harness.run(vec![harness.item(0, "1")]).1, [r#"flaky/0 (3): ["flaky",1]"#]);
    let never_heals = |_: &str, _: &Request| Some(Err(unavailable()));
    let harness = Harness::new(&plan, 1, &never_heals);
    assert_eq!(harness.run(vec![harness.item(0, "1")]).1, ["flaky/0 (3): unavailable: not now"]);
}

#[test]
fn the_calls_of_a_batch_that_failed_as_a_whole_are_made_again_one_by_one() {
    let plan = plan(vec![first("work")]);
    let calls = RefCell::new(0);
    // The second batch has three calls, and fails as one.
    let script = |stage: &str, request: &Request| {
        *calls.borrow_mut() += 1;
        if (2..=4).contains(&*calls.borrow()) || &*request.document.json == "3" {
            Some(Err(Failure::Internal("panicked".to_owned())))
        } else {
            echo(stage, request)
        }
    };
    let harness = Harness::new(&plan, 1, &script);
    let mut records = Vec::new();
    let ((), stats) = harness.with(&mut Silent, &mut records, |scheduler| {
        run_all(scheduler, vec![harness.item(0, "1")]);
        run_all(scheduler, vec![harness.item(1, "2"), harness.item(2, "3"), harness.item(3, "4")]);
    });
    let inputs: Vec<_> = harness.started().into_iter().map(|(_, inputs)| inputs.join(" ")).collect();
    assert_eq!(inputs, ["1", "2 3 4", "2", "3", "4"]);
    // A call that is made again by itself is the same call.
    assert_eq!((stats[0].1.calls, stats[0].1.failed), (4, 1));
}

#[test]
fn a_list_has_its_elements_in_order_and_is_flawed_by_a_call_that_failed() {
    let mut each = stage("each", &[Source::Each]);
    each.for_each = Some(Wire { source: Source::Input, path: Vec::new() });
    let mut dropping = each.clone();
    (dropping.name, dropping.policy.on_error) = ("dropping".to_owned(), OnError::Drop);
    let plan = plan(vec![each, dropping]);
    let script = |_: &str, request: &Request| match &*request.document.json {
        "2" => Some(Err(Failure::InvalidInput("unfit".to_owned()))),
        _ => Some(Ok(request.document.clone())),
    };
    let harness = Harness::new(&plan, 1, &script);
    let (finished, _) = harness.run(vec![harness.item(0, "[1,2,3]"), harness.item(1, "[]"), harness.item(2, "7")]);
    let results: Vec<_> = finished
        .iter()
        .map(|item| {
            let result = |stage| match &item.stages[StageIdx::new(stage)] {
                crate::item::StageState::Done { document, flawed } => format!("{} {flawed}", document.json),
                crate::item::StageState::Failed => "failed".to_owned(),
                _ => "open".to_owned(),
            };
            (item.index, result(0), result(1))
        })
        .collect();
    let is = |index: i64| results.iter().find(|result| result.0 == index).map(|result| (&*result.1, &*result.2));
    assert_eq!(is(0), Some(("[1,3] true", "[1,3] false")));
    assert_eq!(is(1), Some(("[] false", "[] false")));
    assert_eq!(is(2), Some(("failed", "failed")));
}

#[test]
fn an_answer_of_an_earlier_session_is_taken_in_place_of_a_call() {
    let plan = plan(vec![first("one"), stage("two", &[Source::Stage(0)])]);
    let harness = Harness::new(&plan, 1, &echo);
    let mut item = harness.item(0, "1");
    let earlier = Answer::Ok { json: "\"earlier\"".into(), tensors: Vec::new() };
    item.earlier.insert((StageIdx::new(0), CallIdx::FIRST), earlier);
    let (_, records) = harness.run(vec![item]);
    assert_eq!(records, [r#"two/0 (1): ["two","earlier"]"#]);
}

#[test]
fn a_batch_that_is_never_answered_runs_out_of_time() {
    let mut slow = first("slow");
    slow.policy.timeout = Some(Duration::from_millis(1));
    let plan = plan(vec![slow]);
    let harness = Harness::new(&plan, 1, &|_, _| None);
    let (finished, records) = harness.run(vec![harness.item(0, "1")]);
    assert_eq!(finished.len(), 1);
    assert_eq!(records, ["slow/0 (1): timed-out: no answer within 1ms"]);
}

#[test]
fn an_item_can_be_reported_before_its_deferred_stages_have_ended() {
    let mut later = first("later");
    later.deferred = true;
    let plan = plan(vec![first("now"), later]);
    let script = |stage: &str, request: &Request| if stage == "later" { None } else { echo(stage, request) };
    let harness = Harness::new(&plan, 2, &script);
    let (reportable, _) = harness.with(&mut Silent, &mut Vec::new(), |scheduler| {
        scheduler.admit(harness.item(0, "1"));
        scheduler.poll_once::<()>(None).expect("nothing fails");
        assert_eq!((scheduler.in_flight(), scheduler.take_finished().len()), (1, 0));
        scheduler.take_reportable().len()
    });
    assert_eq!(reportable, 1);
}

#[test]
fn a_deferred_stage_waits_while_the_only_worker_is_needed() {
    let mut later = first("later");
    later.deferred = true;
    let plan = plan(vec![later, first("now"), stage("then", &[Source::Stage(1)])]);
    let harness = Harness::new(&plan, 1, &echo);
    harness.run(vec![harness.item(0, "1")]);
    let stages: Vec<_> = harness.started().into_iter().map(|(stage, _)| stage).collect();
    assert_eq!(stages, ["now", "then", "later"]);
}

#[test]
fn after_a_request_to_stop_nothing_is_begun_and_open_items_are_not_finished() {
    let plan = plan(vec![first("one"), stage("two", &[Source::Stage(0)])]);
    let harness = Harness::new(&plan, 1, &echo);
    let mut events = EventNames::default();
    let (finished, _) = harness.with(&mut events, &mut Vec::new(), |scheduler| {
        harness.cancel.request();
        run_all(scheduler, vec![harness.item(0, "1")]).len()
    });
    assert_eq!(finished, 0);
    let stages: Vec<_> = harness.started().into_iter().map(|(stage, _)| stage).collect();
    assert_eq!(stages, ["one"]);
    assert!(events.0.contains(&"draining"), "{:?}", events.0);
}

/// The names of some events.
#[derive(Default)]
struct EventNames(Vec<&'static str>);

impl Observer for EventNames {
    fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Draining { .. } => self.0.push("draining"),
            Event::Called { .. } => self.0.push("called"),
            _ => {}
        }
    }
}

#[test]
fn a_path_is_followed_from_the_result_of_another_stage() {
    let mut reader = stage("reader", &[Source::Stage(0)]);
    reader.input = InputExpr::Wire(Wire { source: Source::Stage(0), path: vec![Step::Index(5)] });
    let plan = plan(vec![first("one"), reader]);
    let harness = Harness::new(&plan, 1, &echo);
    let (_, records) = harness.run(vec![harness.item(0, "1")]);
    insta::assert_snapshot!(records.join("\n"), @r#"
    one/0 (1): ["one",1]
    reader/0 (0): invalid-input: a wire of stage `reader`: there is no element [5] in `["one",1]`
    "#);
}
