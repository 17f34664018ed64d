//! What is asked of a model's extension, and what is made of its answers.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use jackfield_loader::{Digest, Linkage, sandbox::Limits};
use jackfield_pipeline::{Budget, Concurrency, ExtensionRef, ModelPlan, Rate};
use jackfield_plugin_api::{
    Ability, BoxFuture, Capture, Captured, Completion, CompletionRequest, Context, Document, Failure, FailureKind,
    Host, HostCalls, Instance, Kind, LogProbs, LogProbsOn, Message, ModelCalls, Offers, Request, Result, Token, Usage,
    sync::lock,
};
use serde_json::{Value, json};

use super::{Caller, Model, ModelParts, PendingCompletions};
use crate::Http;

type Answers = Box<dyn Fn(&CompletionRequest, &Host<'_>) -> Result<Completion> + Send + Sync>;

/// An extension that answers by a script, and keeps what it is asked.
struct Scripted {
    answers: Answers,
    asked: Mutex<Vec<(CompletionRequest, Context)>>,
}

impl Instance for Scripted {
    fn call<'a>(&'a self, _batch: &'a [Request], _host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async { Vec::new() })
    }

    fn as_model(&self) -> Option<&dyn ModelCalls> {
        Some(self)
    }
}

impl ModelCalls for Scripted {
    fn complete<'a>(&'a self, request: CompletionRequest, host: Host<'a>) -> BoxFuture<'a, Result<Completion>> {
        Box::pin(async move {
            let answer = (self.answers)(&request, &host);
            let mut asked = lock(&self.asked);
            asked.push((request, host.context().clone()));
            answer
        })
    }
}

impl Scripted {
    fn asked(&self) -> Vec<(CompletionRequest, Context)> {
        lock(&self.asked).clone()
    }
}

fn plan(config: Value, timeout: Option<Duration>, record: Option<PathBuf>) -> ModelPlan {
    let extension = ExtensionRef {
        plugin: "p".to_owned(),
        linkage: Linkage::LinkedIn,
        kind: Kind::Model,
        name: "tiny".to_owned(),
        version: "1.0.0".to_owned(),
        digest: Digest::of("p"),
    };
    ModelPlan {
        name: "judge".to_owned(),
        extension,
        config,
        paths: Default::default(),
        local: timeout.is_none(),
        concurrency: Concurrency { start: 1, max: 1 },
        rate: Rate::default(),
        budget: Budget::default(),
        price: None,
        timeout,
        attempts: 1,
        backoff: Duration::ZERO,
        longest_wait: Duration::from_secs(120),
        cache: None,
        record,
        limits: Limits::default(),
    }
}

fn parts(instance: Arc<dyn Instance>, offers: Offers) -> ModelParts {
    ModelParts {
        instance,
        grants: Arc::default(),
        offers,
        cache: None,
        http: Arc::new(Http::default()),
        secrets: Vec::new(),
    }
}

fn model_of(
    plan: &ModelPlan,
    offers: &[Ability],
    answers: impl Fn(&CompletionRequest, &Host<'_>) -> Result<Completion> + Send + Sync + 'static,
) -> (Model, Arc<Scripted>) {
    let scripted = Arc::new(Scripted { answers: Box::new(answers), asked: Mutex::default() });
    let instance: Arc<dyn Instance> = scripted.clone();
    (Model::new(plan, parts(instance, Offers::always(offers))).expect("a model"), scripted)
}

fn model(
    offers: &[Ability],
    answers: impl Fn(&CompletionRequest, &Host<'_>) -> Result<Completion> + Send + Sync + 'static,
) -> (Model, Arc<Scripted>) {
    model_of(&plan(json!({}), Some(Duration::from_secs(60)), None), offers, answers)
}

fn caller(stage: &str, item: &str, replicate: u32) -> Context {
    Context { stage: stage.into(), item: item.into(), element: 7, replicate, seed: 1 }
}

async fn ask(model: &Model, request: CompletionRequest) -> Result<Completion> {
    ask_as(model, request, &caller("stage", "item", 0)).await
}

async fn ask_as(model: &Model, request: CompletionRequest, context: &Context) -> Result<Completion> {
    let pending = PendingCompletions::default();
    let (answer, _) = model.complete(request, Caller { context, pending: &pending.begin() }).await;
    answer.map(|held| held.completion)
}

fn answer(text: &str) -> Completion {
    Completion { text: text.to_owned(), usage: Some(Usage::new(1, 1)), ..Completion::default() }
}

fn hello() -> CompletionRequest {
    CompletionRequest::new(vec![Message::user("hello")])
}

fn tokens(count: usize) -> Option<Vec<Token>> {
    Some((0..count as u32).map(|id| Token { id, text: "x".to_owned() }).collect())
}

#[tokio::test]
async fn what_a_model_does_not_offer_is_refused_before_it_is_asked() {
    let (model, scripted) = model(&[Ability::Complete, Ability::Tokenize], |_, _| Ok(answer("hi")));
    for (request, ability) in [
        (CompletionRequest { capture: Some(Capture::default()), ..hello() }, "capture"),
        (CompletionRequest { embed: true, tokenize: true, ..hello() }, "embed"),
    ] {
        let refused = ask(&model, request).await;
        let what = format!("model `judge` (`tiny`) does not offer `{ability}`");
        assert_eq!(refused, Err(Failure::InvalidConfig(what)));
    }
    let twice = Capture { layers: Some(vec![1, 1]), positions: None };
    let refused = ask(&model, CompletionRequest { capture: Some(twice), ..hello() }).await;
    assert!(matches!(refused, Err(Failure::InvalidInput(_))), "{refused:?}");
    assert!(scripted.asked().is_empty());
    assert_eq!(ask(&model, hello()).await.map(|answer| answer.text), Ok("hi".to_owned()));

    let (embeds, scripted) = self::model(&[Ability::Embed], |_, _| Ok(answer("hi")));
    let refused = ask(&embeds, CompletionRequest { embed: true, ..hello() }).await;
    assert_eq!(refused, Err(Failure::InvalidConfig("model `judge` (`tiny`) does not offer `complete`".to_owned())));
    assert!(scripted.asked().is_empty());
}

#[tokio::test]
async fn a_model_knows_neither_stage_nor_item_and_draws_from_the_request() {
    let (model, scripted) = model(&[Ability::Complete], |_, _| Ok(answer("hi")));
    for (stage, item, replicate) in [("a", "x", 0), ("b", "y", 0), ("a", "x", 1)] {
        ask_as(&model, hello(), &caller(stage, item, replicate)).await.expect("an answer");
    }
    let seeds: Vec<u64> = scripted
        .asked()
        .into_iter()
        .map(|(_, context)| {
            assert_eq!((&*context.stage, &*context.item, context.element, context.replicate), ("", "", 0, 0));
            context.seed
        })
        .collect();
    assert_eq!(seeds[0], seeds[1]);
    assert_ne!(seeds[0], seeds[2]);
}

#[tokio::test]
async fn an_answer_without_what_was_asked_for_is_a_fault_of_the_model() {
    let (model, _) = model(&[Ability::Complete, Ability::Capture], |_, host| {
        let hidden_states = host.keep_tensor(&[1, 3, 4], vec![0.0; 12])?;
        let captured = Some(Captured { hidden_states, layers: vec![0, 1], positions: vec![5] });
        Ok(Completion { captured, ..answer("hi") })
    });
    for (request, why) in [
        (CompletionRequest { capture: Some(Capture::default()), ..hello() }, "expected a tensor of shape [1, 2, n]"),
        (hello(), "was not asked for"),
    ] {
        let Err(Failure::InvalidOutput(message)) = ask(&model, request).await else { panic!("an answer") };
        assert!(message.starts_with("model `judge` answered") && message.contains(why), "{message}");
    }
}

#[tokio::test]
async fn tokens_are_counted_by_the_models_own_tokenizer_where_it_says_no_number() {
    // A token a character, and three around each message.
    let answers = |request: &CompletionRequest, _: &Host<'_>| {
        let read = request.messages.iter().map(|message| message.content.chars().count() + 3).sum();
        let text = if request.max_tokens == Some(0) { "" } else { "good day" };
        let found = request.tokenize.then(|| tokens(read)).flatten();
        Ok(Completion { text: text.to_owned(), tokens: found, ..Completion::default() })
    };
    let (own, scripted) = model(&[Ability::Complete, Ability::Tokenize], answers);
    let usage = ask(&own, hello()).await.expect("an answer").usage;
    assert_eq!(usage, Some(Usage::new(8, 8)));
    assert!(scripted.asked()[1..].iter().all(|(request, _)| request.tokenize && request.max_tokens == Some(0)));
    let before = scripted.asked().len();
    let usage = ask(&own, CompletionRequest { tokenize: true, ..hello() }).await.expect("an answer").usage;
    assert_eq!(usage, Some(Usage::new(8, 8)));
    assert_eq!(scripted.asked().len() - before, 2, "the prompt's tokens are known, and what is around an answer too");

    let (plain, scripted) = model(&[Ability::Complete], answers);
    let usage = ask(&plain, hello()).await.expect("an answer").usage.expect("counted");
    assert!(usage != Usage::new(8, 8) && usage.input > 0 && usage.output > 0, "{usage:?}");
    assert_eq!(scripted.asked().len(), 1);

    let (silent, _) = model(&[Ability::Complete, Ability::Tokenize], |request, _| match request.tokenize {
        true => Err(Failure::Internal("out of order".to_owned())),
        false => Ok(Completion { text: "good day".to_owned(), ..Completion::default() }),
    });
    let counted = ask(&silent, hello()).await.expect("an answer").usage;
    assert_eq!(counted, Some(usage), "by the host, then");
}

#[tokio::test]
async fn a_repair_does_not_ask_again_for_what_is_known() {
    let answers = |request: &CompletionRequest, _: &Host<'_>| {
        let text = if request.messages.len() == 1 { "no JSON" } else { "[1]" };
        let found = if request.tokenize { tokens(5) } else { None };
        let reasoning = Some(format!("thought of {text}"));
        Ok(Completion { tokens: found, reasoning, ..answer(text) })
    };
    let (model, scripted) = model(&[Ability::Complete, Ability::Tokenize], answers);
    let request = CompletionRequest { tokenize: true, ..hello() }.with_schema(json!({ "type": "array" }));
    let answer = ask(&model, request).await.expect("an answer");
    assert_eq!((answer.text.as_str(), answer.tokens.map(|tokens| tokens.len())), ("[1]", Some(5)));
    assert_eq!(answer.reasoning.as_deref(), Some("thought of [1]"), "of the answer that is given");
    let asked: Vec<bool> = scripted.asked().into_iter().map(|(request, _)| request.tokenize).collect();
    assert_eq!(asked, [true, false]);
}

#[tokio::test]
async fn a_wait_that_is_longer_than_is_allowed_is_told_at_once() {
    let asked_to_wait = |milliseconds| {
        let mut plan = plan(json!({}), Some(Duration::from_secs(60)), None);
        (plan.attempts, plan.longest_wait) = (3, Duration::from_millis(40));
        let wait = Duration::from_millis(milliseconds);
        model_of(&plan, &[Ability::Complete], move |_, _| {
            Err(Failure::RateLimited {
                message: "the server limits the rate: daily".to_owned(),
                retry_after: Some(wait),
            })
        })
    };
    let (model, scripted) = asked_to_wait(5_399_700);
    let told = Failure::OverBudget(
        "the server limits the rate: daily (it asks to wait 1h 30m before the next call; model `judge` waits no longer \
         than `retry.longest_wait`, 40ms)"
            .to_owned(),
    );
    for _ in 0..2 {
        assert_eq!(ask(&model, hello()).await, Err(told.clone()));
    }
    assert_eq!(scripted.asked().len(), 2, "neither is tried again, and the second does not wait for the first");

    let (model, scripted) = asked_to_wait(1);
    assert_eq!(ask(&model, hello()).await.map_err(|failure| failure.kind()), Err(FailureKind::RateLimited));
    assert_eq!(scripted.asked().len(), 3);
}

#[tokio::test]
async fn a_model_without_a_timeout_takes_as_long_as_it_takes() {
    /// Answers after so long, or never.
    struct Slow(Option<Duration>);
    impl Instance for Slow {
        fn call<'a>(&'a self, _: &'a [Request], _: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
            Box::pin(async {
                match self.0 {
                    Some(takes) => tokio::time::sleep(takes).await,
                    None => std::future::pending().await,
                }
                vec![Ok(Document::new(json!({ "text": "at last" }).to_string()))]
            })
        }
    }
    let slow_model = |takes, timeout| {
        let plan = plan(json!({}), timeout, None);
        let slow: Arc<dyn Instance> = Arc::new(Slow(takes));
        Model::new(&plan, parts(slow, Offers::default())).expect("a model")
    };
    let slow = slow_model(Some(Duration::from_millis(20)), None);
    assert_eq!(ask(&slow, hello()).await.map(|answer| answer.text), Ok("at last".to_owned()));
    let late = ask(&slow_model(None, Some(Duration::from_millis(1))), hello()).await;
    assert!(matches!(late, Err(Failure::Unavailable(_))), "{late:?}");
}

#[tokio::test]
async fn thoughts_and_what_else_was_asked_for_stand_on_the_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.jsonl");
    let plan = plan(json!({}), None, Some(path.clone()));
    let (model, _) = model_of(&plan, &[Ability::Complete, Ability::LogProbs], |_, _| {
        let logprobs = Some(jackfield_plugin_api::TokenLogProbs::default());
        Ok(Completion { reasoning: Some("let me see".to_owned()), logprobs, ..answer("hi") })
    });
    let logprobs = Some(LogProbs { top: 0, distribution: false, on: LogProbsOn::First(1) });
    let answer = ask(&model, CompletionRequest { logprobs, ..hello() }).await.expect("an answer");
    assert_eq!(answer.reasoning.as_deref(), Some("let me see"));
    let line: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("read")).expect("JSON");
    assert_eq!(line["completion"]["reasoning"], "let me see");
    assert_eq!(line["request"]["logprobs"]["on"], json!({ "first": 1 }));
    assert_eq!(line["completion"]["logprobs"], json!({ "tokens": [] }));
}

#[tokio::test]
async fn a_model_in_the_process_that_is_out_of_memory_stops_the_run_and_no_other_failure_does() {
    const WHY: &str = "2 GiB are needed, and 1 GiB is left\u{7}";
    let local = plan(json!({}), None, None);
    let distant = plan(json!({}), Some(Duration::from_secs(60)), None);
    let mut sandboxed = local.clone();
    sandboxed.extension.linkage = Linkage::Wasm;
    let exhausted = async |plan: &ModelPlan, failure: Failure| {
        let (model, _) = model_of(plan, &[Ability::Complete], move |_, _| Err(failure.clone()));
        assert!(ask(&model, hello()).await.is_err() && ask(&model, hello()).await.is_err());
        model.exhausted().map(|exhausted| exhausted.to_string())
    };
    let short = || Failure::OverBudget(WHY.to_owned());
    assert_eq!(
        exhausted(&local, short()).await.as_deref(),
        Some("there is not enough memory for model `judge`: 2 GiB are needed, and 1 GiB is left\\u{7}")
    );
    assert_eq!(exhausted(&local, Failure::InvalidInput(WHY.to_owned())).await, None, "a request that can never fit");
    assert_eq!(exhausted(&distant, short()).await, None, "memory of another machine");
    assert_eq!(exhausted(&sandboxed, short()).await, None, "a limit of the sandbox");

    let mut narrow = local.clone();
    narrow.limits.tensors = 16;
    let (model, _) = model_of(&narrow, &[Ability::Complete], |_, host| {
        host.keep_tensor(&[5], vec![0.0; 5])?;
        Ok(answer("hi"))
    });
    assert_eq!(ask(&model, hello()).await.map_err(|failure| failure.kind()), Err(FailureKind::OverBudget));
    assert_eq!(model.exhausted(), None, "a limit on tensors");
}
