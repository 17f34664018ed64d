//! A policy behind documents: what a native library or a component offers.

use std::{
    cell::OnceCell,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_plugin_api::{
    Arm, Context, Decision, Document, Failure, FromDocument as _, HostCalls, Instance, Level, Outcome, PolicyAnswer,
    PolicyQuestion, PolicyRequest, PolicyState, Question, Request, Result, guarded,
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::telemetry::plugin_line;

/// A policy that is asked by documents, and its state, which goes with each of them.
pub(super) struct Documents {
    name: String,
    policy: Arc<dyn Instance>,
    arms: Arc<[Arm]>,
    state: Option<Value>,
    /// Where its calls wait; made with the first of them. Locked for the sake of those who only look.
    runtime: Mutex<OnceCell<Runtime>>,
}

impl Documents {
    pub(super) fn new(name: String, policy: Arc<dyn Instance>, arms: Arc<[Arm]>, state: Option<Value>) -> Self {
        Self { name, policy, arms, state, runtime: Mutex::default() }
    }

    /// What is learned, by a request that has the arms and the state checked.
    pub(super) fn snapshot_with_arms(&self) -> Result<Value> {
        self.ask(Vec::new(), Vec::new(), false).map(|answer| answer.state)
    }

    fn ask(&self, learn: Vec<Outcome>, decide: Vec<PolicyQuestion>, again: bool) -> Result<PolicyAnswer> {
        let questions = decide.len();
        let request = PolicyRequest { state: self.state.clone(), arms: self.arms.to_vec(), learn, decide, again };
        let text = serde_json::to_string(&request).map_err(|error| Failure::Internal(error.to_string()))?;
        let context = Context { stage: "".into(), item: "".into(), element: 0, replicate: 0, seed: 0 };
        let batch = [Request { document: Document::new(text), context }];
        let host = Alone { policy: &self.name };
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = match runtime.get() {
            Some(runtime) => runtime,
            None => {
                let made = Builder::new_current_thread().enable_time().build();
                let made = made.map_err(|error| Failure::Internal(format!("no runtime: {error}")))?;
                runtime.get_or_init(|| made)
            }
        };
        let mut answers = guarded("call", || runtime.block_on(self.policy.call(&batch, &host)))?;
        let answer = match answers.pop() {
            Some(answer) if answers.is_empty() => PolicyAnswer::from_document(answer?)?,
            _ => return Err(self.wrong("did not answer one document with one")),
        };
        if answer.decisions.len() != questions {
            return Err(self.wrong("did not answer each question once"));
        }
        Ok(answer)
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::InvalidOutput(format!("the policy `{}` {what}", self.name))
    }

    fn one(&self, question: &Question, again: bool) -> Result<Option<Decision>> {
        let Question { context, tried, seed, .. } = question;
        let asked = PolicyQuestion { context: context.clone(), tried: tried.clone(), seed: *seed };
        let decision = self.ask(Vec::new(), vec![asked], again)?.decisions.pop().flatten();
        let fits = |decision: &Decision| {
            let arm = decision.arm as usize;
            arm < self.arms.len()
                && !question.tried.contains(&decision.arm)
                && (decision.scores.is_empty() || decision.scores.len() == self.arms.len())
        };
        match decision {
            Some(decision) if !fits(&decision) => Err(self.wrong("picked an arm that it was not asked about")),
            decision => Ok(decision),
        }
    }
}

impl PolicyState for Documents {
    fn decide(&self, question: &Question) -> Result<Decision> {
        self.one(question, false)?.ok_or_else(|| self.wrong("picked no arm"))
    }

    fn again(&self, question: &Question) -> Result<Option<Decision>> {
        self.one(question, true)
    }

    fn learn(&mut self, outcome: &Outcome) -> Result<()> {
        self.state = Some(self.ask(vec![outcome.clone()], Vec::new(), false)?.state);
        Ok(())
    }

    fn snapshot(&self) -> Result<Value> {
        match &self.state {
            Some(state) => Ok(state.clone()),
            None => self.snapshot_with_arms(),
        }
    }
}

/// A host that takes log lines, and has nothing else to give.
struct Alone<'a> {
    policy: &'a str,
}

impl HostCalls for Alone<'_> {
    fn log(&self, level: Level, _target: &str, message: &str) {
        plugin_line(level, None, Some(self.policy), message);
    }

    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}
