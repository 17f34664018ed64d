//! Searches with the outcomes that they know, as a host holds them: in whichever form the policy comes.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    Failure, Instance, Outcome, Result, SearchAnswer, SearchCalls, SearchDecision, SearchQuestion, SearchRequest,
    Study, Values, search_policy::check_values,
};

/// A search with the outcomes that it knows, as a host holds it: in whichever form the policy comes.
pub trait SearchState: Send {
    /// Adds the outcome of the next trial.
    fn learn(&mut self, outcome: Outcome);

    /// The outcomes so far.
    fn known(&self) -> &[Outcome];

    /// The values of a trial, from all outcomes so far.
    ///
    /// # Errors
    /// The policy's own failure.
    fn suggest(&mut self, question: &SearchQuestion) -> Result<Values>;

    /// Whether a trial is to be stopped, from the first `known` outcomes.
    ///
    /// # Errors
    /// The policy's own failure.
    fn stop(&mut self, known: usize, question: &SearchQuestion) -> Result<bool>;
}

/// A search that is linked in, with the outcomes that it knows.
pub struct LinkedInSearch {
    policy: Arc<dyn Instance>,
    study: Study,
    known: Vec<Outcome>,
}

impl LinkedInSearch {
    /// A search of this study that knows nothing.
    ///
    /// # Errors
    /// The reason why the policy refuses the study; [`Failure::Internal`] if it is not a search policy.
    pub fn new(study: &Study, policy: Arc<dyn Instance>) -> Result<Self> {
        let search = Self { policy, study: study.clone(), known: Vec::new() };
        search.with(|policy, study, _| policy.check(study))?;
        Ok(search)
    }

    fn with<T>(&self, ask: impl FnOnce(&dyn SearchCalls, &Study, &[Outcome]) -> Result<T>) -> Result<T> {
        match self.policy.as_search() {
            Some(policy) => ask(policy, &self.study, &self.known),
            None => Err(Failure::Internal("it is not a search policy".to_owned())),
        }
    }
}

impl SearchState for LinkedInSearch {
    fn learn(&mut self, outcome: Outcome) {
        self.known.push(outcome);
    }

    fn known(&self) -> &[Outcome] {
        &self.known
    }

    fn suggest(&mut self, question: &SearchQuestion) -> Result<Values> {
        self.with(|policy, study, known| policy.suggest(study, known, question))
    }

    fn stop(&mut self, known: usize, question: &SearchQuestion) -> Result<bool> {
        self.with(|policy, study, all| policy.stop(study, all.get(..known).unwrap_or(all), question))
    }
}

/// A search that is asked by documents: how a host uses one in a component or a native library.
pub struct SearchByDocuments<A> {
    name: String,
    study: Study,
    known: Vec<Outcome>,
    /// An entry for each of the first outcomes; the others are learned with the next question.
    entries: Vec<Value>,
    ask: A,
}

impl<A: Fn(SearchRequest) -> Result<SearchAnswer> + Send> SearchByDocuments<A> {
    /// A search of this study that knows nothing; `ask` has it answer a document.
    ///
    /// # Errors
    /// The reason why the policy refuses the study.
    pub fn new(name: &str, study: &Study, ask: A) -> Result<Self> {
        ask(SearchRequest { study: study.clone(), ..SearchRequest::default() })?;
        let (name, study) = (name.to_owned(), study.clone());
        Ok(Self { name, study, known: Vec::new(), entries: Vec::new(), ask })
    }

    /// Asks one question, with the outcomes of the first `known` trials.
    fn ask_one(&mut self, known: usize, question: &SearchQuestion) -> Result<SearchDecision> {
        let known = known.min(self.known.len());
        let learned_before = known.min(self.entries.len());
        let request = SearchRequest {
            study: self.study.clone(),
            state: self.entries[..learned_before].to_vec(),
            learn: self.known[learned_before..known].to_vec(),
            decide: vec![question.clone()],
        };
        let learned = request.learn.len();
        let SearchAnswer { append, mut decisions } = (self.ask)(request)?;
        let fault = |what: &str| Err(Failure::Internal(format!("the policy `{}` {what}", self.name)));
        if append.len() != learned {
            return fault("did not append one entry for each outcome");
        }
        let Some(decision) = decisions.pop().filter(|_| decisions.is_empty()) else {
            return fault("did not answer one question with one decision");
        };
        self.entries.extend(append);
        Ok(decision)
    }
}

impl<A: Fn(SearchRequest) -> Result<SearchAnswer> + Send> SearchState for SearchByDocuments<A> {
    fn learn(&mut self, outcome: Outcome) {
        self.known.push(outcome);
    }

    fn known(&self) -> &[Outcome] {
        &self.known
    }

    fn suggest(&mut self, question: &SearchQuestion) -> Result<Values> {
        let decision = self.ask_one(usize::MAX, question)?;
        check_values(&self.name, &self.study, decision.values)
    }

    fn stop(&mut self, known: usize, question: &SearchQuestion) -> Result<bool> {
        Ok(self.ask_one(known, question)?.stop)
    }
}
