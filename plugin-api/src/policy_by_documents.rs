//! Routing policies that are asked by documents.

use serde_json::Value;

use crate::{
    Arm, Decision, Failure, Outcome, PendingDecision, PolicyAnswer, PolicyQuestion, PolicyRequest, PolicyState,
    Question, Result, policy::check_decision,
};

/// A policy that is asked by documents, each of which carries the state: how a host uses one in a component or a native
/// library.
pub struct PolicyByDocuments<A> {
    name: String,
    state: Value,
    ask: A,
}

impl<A: Fn(PolicyRequest) -> Result<PolicyAnswer> + Send> PolicyByDocuments<A> {
    /// A policy with what it has learned. `ask` sends it a document and gives its answer.
    ///
    /// # Errors
    /// The reason why the policy refuses the arms or the state.
    pub fn new(name: &str, arms: &[Arm], state: Option<Value>, ask: A) -> Result<Self> {
        let request = PolicyRequest { state, arms: arms.to_vec(), learn: Vec::new(), decide: Vec::new(), again: false };
        let state = ask(request)?.state;
        Ok(Self { name: name.to_owned(), state, ask })
    }

    fn ask_one(&self, question: &Question, again: bool) -> Result<Option<Decision>> {
        let Question { context, arms, tried, pending, seed } = question.clone();
        let pending = pending.iter().map(|decision| PendingDecision::clone(decision)).collect();
        let decide = vec![PolicyQuestion { context, tried, pending, seed }];
        let request =
            PolicyRequest { state: Some(self.state.clone()), arms: arms.to_vec(), learn: Vec::new(), decide, again };
        let mut decisions = (self.ask)(request)?.decisions;
        match decisions.pop() {
            Some(decision) if decisions.is_empty() => {
                decision.map(|decision| check_decision(&self.name, decision, question)).transpose()
            }
            _ => Err(Failure::Internal(format!("the policy `{}` did not answer one question with one", self.name))),
        }
    }
}

impl<A: Fn(PolicyRequest) -> Result<PolicyAnswer> + Send> PolicyState for PolicyByDocuments<A> {
    fn decide(&self, question: &Question) -> Result<Decision> {
        match self.ask_one(question, false)? {
            Some(decision) => Ok(decision),
            None => Err(Failure::Internal(format!("the policy `{}` picked no arm", self.name))),
        }
    }

    fn decide_again(&self, question: &Question) -> Result<Option<Decision>> {
        self.ask_one(question, true)
    }

    fn learn(&mut self, outcome: &Outcome) -> Result<()> {
        let (state, learn) = (Some(self.state.clone()), vec![outcome.clone()]);
        let request = PolicyRequest { state, arms: Vec::new(), learn, decide: Vec::new(), again: false };
        self.state = (self.ask)(request)?.state;
        Ok(())
    }

    fn snapshot(&self) -> Result<Value> {
        Ok(self.state.clone())
    }
}
