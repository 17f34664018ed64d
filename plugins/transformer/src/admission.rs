//! Decides which requests are computed together, within the available memory: what a request needs is reserved before it joins.
//!
//! One that does not fit beside those under way waits for them, and the batch is halved: that is reported, and done at most
//! three times. One that does not fit with nothing else under way is refused: by itself, if it needs more than others of its
//! model ([`Failure::InvalidInput`]); or as the sign that the model has too little memory ([`Failure::OverBudget`]), upon
//! which a host stops the run, to be resumed with more.

use std::{mem, sync::Arc};

use jackfield_plugin_api::Failure;

use crate::{Architecture, BatchShape, MemoryBudget, MemoryPlan, MemoryShort, Reservation};

/// How often a batch is halved.
const MOST_HALVINGS: u32 = 3;

/// What a request needs, as far as its memory depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestNeed {
    /// How many tokens its sequences have room for, together.
    pub capacity: usize,
    /// How many tokens are read in its largest pass.
    pub tokens: usize,
    /// At how many positions that pass gives logits.
    pub logits: usize,
    /// How many hidden states are kept, of all positions and layers.
    pub hidden_states: usize,
    /// How many distributions over the vocabulary are kept.
    pub distributions: usize,
}

/// Whether a request joins those under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joining {
    /// It does: what it needs is reserved.
    Joins,
    /// Not before some of those under way have left.
    Waits,
    /// It never does.
    Refused(Failure),
}

/// Lets requests join a batch.
#[derive(Debug)]
pub struct Admission {
    budget: Arc<MemoryBudget>,
    reserved: Reservation,
    architecture: Architecture,
    threads: usize,
    batch: usize,
    halvings: u32,
    warnings: Vec<String>,
}

impl Admission {
    /// For a model whose weights are reserved. At most `batch` requests are side by side.
    #[must_use]
    pub fn new(budget: &Arc<MemoryBudget>, architecture: &Architecture, threads: usize, batch: usize) -> Self {
        Self {
            budget: Arc::clone(budget),
            reserved: budget.passing(),
            architecture: architecture.clone(),
            threads,
            batch,
            halvings: 0,
            warnings: Vec::new(),
        }
    }

    /// Most requests side by side at present.
    #[must_use]
    pub const fn batch(&self) -> usize {
        self.batch
    }

    /// How many bytes are reserved for those under way.
    #[must_use]
    pub const fn reserved(&self) -> u64 {
        self.reserved.bytes()
    }

    /// What has come up since this was last asked, for whoever runs the model to know.
    pub fn take_warnings(&mut self) -> Vec<String> {
        mem::take(&mut self.warnings)
    }

    /// Whether a request joins those under way. Where other models of this process leave no memory for it, and nothing else
    /// is under way here, this waits for them. A model that does not have the memory for `usual` tokens, of a prompt and its
    /// answer together, has too little, whatever is asked of it.
    pub fn join(&mut self, under_way: &[RequestNeed], new: RequestNeed, usual: usize) -> Joining {
        if under_way.len() >= self.batch {
            return Joining::Waits;
        }
        let (alone, beside) = (self.bytes(&[], Some(new)), self.bytes(under_way, Some(new)));
        let (Some(alone), Some(beside)) = (alone, beside) else {
            return Joining::Refused(Failure::InvalidInput(
                "the request needs more memory than can be counted".to_owned(),
            ));
        };
        if let Some(short) = self.budget.short_even_alone(alone) {
            return Joining::Refused(self.refusal(new, usual, &short));
        }
        loop {
            match self.reserved.resize(beside) {
                Ok(()) => return Joining::Joins,
                Err(short) if !under_way.is_empty() => {
                    self.halve(under_way.len(), &short);
                    return Joining::Waits;
                }
                Err(_) if self.budget.wait_for_others() => {}
                // Others may have given back all they had before it was asked whether they have any.
                Err(_) => {
                    return match self.reserved.resize(beside) {
                        Ok(()) => Joining::Joins,
                        Err(short) => Joining::Refused(too_little(new, &short)),
                    };
                }
            }
        }
    }

    /// Gives back what those who left had reserved.
    pub fn keep(&mut self, under_way: &[RequestNeed]) {
        if let Some(bytes) = self.bytes(under_way, None).filter(|bytes| *bytes < self.reserved.bytes()) {
            // To give back never fails.
            let _ = self.reserved.resize(bytes);
        }
    }

    /// What requests need side by side, in bytes; none for more than can be counted.
    fn bytes(&self, requests: &[RequestNeed], more: Option<RequestNeed>) -> Option<u64> {
        let all = || requests.iter().chain(&more);
        if all().next().is_none() {
            return Some(0);
        }
        let sum =
            |count_of: fn(&RequestNeed) -> usize| all().try_fold(0_usize, |sum, need| sum.checked_add(count_of(need)));
        let plan = MemoryPlan::of(
            &self.architecture,
            &BatchShape {
                capacities: &[sum(|need| need.capacity)?],
                tokens: sum(|need| need.tokens)?,
                logits: sum(|need| need.logits)?,
                hidden_states: sum(|need| need.hidden_states)?,
                distributions: sum(|need| need.distributions)?,
                threads: self.threads,
            },
        )?;
        // Tokens are drawn from two copies of a distribution, with indices or in twice the precision.
        let drawing = 4 * size_of::<f64>() as u64 * self.architecture.vocabulary as u64;
        plan.batch().checked_add(drawing)
    }

    fn halve(&mut self, under_way: usize, short: &MemoryShort) {
        while self.batch > under_way && self.batch > 1 && self.halvings < MOST_HALVINGS {
            let before = self.batch;
            self.batch /= 2;
            self.halvings += 1;
            self.warnings.push(format!(
                "{} requests do not fit into memory side by side ({short}): from now on at most {} are computed at once, not \
                 {before}; {}, or lower `batch`, `max_tokens` or `context`",
                under_way + 1,
                self.batch,
                short.advice()
            ));
        }
    }

    /// What is said to a request that does not fit even alone.
    fn refusal(&self, new: RequestNeed, usual: usize, short: &MemoryShort) -> Failure {
        let usual = usual.min(self.architecture.context);
        let usual = RequestNeed { capacity: usual, tokens: usual, logits: 1, ..RequestNeed::default() };
        let usual = self.bytes(&[usual], None).unwrap_or(u64::MAX);
        if self.budget.short_even_alone(usual).is_some() {
            return too_little(new, short);
        }
        Failure::InvalidInput(format!(
            "{}: shorten the prompt, lower `max_tokens`, or {} and go on with --retry-failed",
            message_of_shortage(new, short),
            short.advice()
        ))
    }
}

fn too_little(new: RequestNeed, short: &MemoryShort) -> Failure {
    Failure::OverBudget(format!("{}: {}, or lower `max_tokens`", message_of_shortage(new, short), short.advice()))
}

fn message_of_shortage(new: RequestNeed, short: &MemoryShort) -> String {
    format!("a request of {} tokens does not fit into memory, with nothing else under way: {short}", new.capacity)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jackfield_plugin_api::FailureKind;

    use super::*;

    fn tiny() -> Architecture {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tiny");
        Architecture::read(&folder).expect("the fixture is a model")
    }

    fn need(tokens: usize) -> RequestNeed {
        RequestNeed { capacity: tokens, tokens, logits: 1, ..RequestNeed::default() }
    }

    /// A model that has the memory for so many requests of 32 tokens side by side, with a batch of so many.
    fn admission(room: usize, batch: usize) -> Admission {
        let architecture = tiny();
        let unbounded = Admission::new(&MemoryBudget::new(None), &architecture, 1, batch);
        let bytes = unbounded.bytes(&vec![need(32); room], None).expect("it can be counted");
        Admission::new(&MemoryBudget::new(Some(bytes)), &architecture, 1, batch)
    }

    /// Lets requests join until one does not; how many did, and what became of that one.
    fn fill(admission: &mut Admission) -> (usize, Joining) {
        let mut under_way = Vec::new();
        loop {
            match admission.join(&under_way, need(32), 32) {
                Joining::Joins => under_way.push(need(32)),
                other => return (under_way.len(), other),
            }
        }
    }

    #[test]
    fn what_does_not_fit_waits_and_halves_the_batch_at_most_three_times() {
        let mut admission = admission(3, 32);
        assert_eq!(fill(&mut admission), (3, Joining::Waits));
        assert_eq!(admission.batch(), 4);
        let warnings = admission.take_warnings();
        assert_eq!(warnings.len(), 3);
        assert!(
            warnings[0].starts_with("4 requests do not fit into memory side by side (")
                && warnings[0].contains("that the model may have (`memory`)")
                && warnings[0].contains("at most 16 are computed at once, not 32; raise `memory`, or lower `batch`"),
            "{}",
            warnings[0]
        );
        admission.keep(&[need(32); 2]);
        assert_eq!(admission.join(&[need(32); 2], need(32), 32), Joining::Joins);
        admission.keep(&[]);
        assert_eq!((admission.reserved(), fill(&mut admission)), (0, (3, Joining::Waits)));
        assert_eq!((admission.batch(), admission.take_warnings().len()), (4, 0), "it was halved as often as it may be");
    }

    #[test]
    fn a_full_batch_that_fits_is_left_as_it_is() {
        let mut admission = admission(4, 4);
        assert_eq!(fill(&mut admission), (4, Joining::Waits));
        assert_eq!((admission.batch(), admission.take_warnings().len()), (4, 0));
    }

    #[test]
    fn a_request_that_never_fits_is_refused_by_itself_and_too_little_memory_is_another_matter() {
        let mut ample = admission(1, 8);
        let Joining::Refused(failure) = ample.join(&[], need(64), 32) else { panic!("it does not fit") };
        assert_eq!(failure.kind(), FailureKind::InvalidInput);
        let message = failure.message();
        assert!(
            message.starts_with("a request of 64 tokens does not fit into memory, with nothing else under way"),
            "{message}"
        );
        assert!(message.ends_with("lower `max_tokens`, or raise `memory` and go on with --retry-failed"), "{message}");
        assert_eq!((ample.batch(), ample.join(&[], need(32), 32)), (8, Joining::Joins), "others are not concerned");

        let mut scarce = admission(0, 8);
        let Joining::Refused(failure) = scarce.join(&[], need(16), 32) else { panic!("nothing fits") };
        assert_eq!(failure.kind(), FailureKind::OverBudget);
        assert!(failure.message().ends_with(": raise `memory`, or lower `max_tokens`"), "{failure}");

        let endless = RequestNeed { hidden_states: usize::MAX, ..need(1) };
        let beyond = RequestNeed { capacity: usize::MAX, ..need(1) };
        for new in [endless, beyond] {
            assert!(matches!(ample.join(&[], new, 32), Joining::Refused(Failure::InvalidInput(_))));
        }
    }
}
