//! A routing policy that does what policies should not.
//!
//! It picks the first arm, and after a failure the next one, until it meets the context `bad`: then it does what its
//! configuration says. What the host makes of that is for its tests to say.

use std::hint::spin_loop;

use jackfield_plugin_api::prelude::*;
use serde::{Serializer, ser::Error as _};

/// What goes wrong in the context `bad`.
#[derive(Document, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Adversarial {
    /// A decision panics.
    Panic,
    /// A decision fails, and says why.
    Fail,
    /// A decision never comes.
    Loop,
    /// An arm is picked that there is not.
    OutOfRange,
    /// The arm that failed is picked again.
    Again,
    /// An outcome panics.
    LearnPanic,
    /// An outcome leaves a state that cannot be written as JSON.
    LearnNoJson,
}

/// Picks the first arm, and misbehaves where the context is `bad`.
#[derive(Config)]
pub struct InvalidPolicy {
    /// What goes wrong.
    pub does: Adversarial,
}

/// What `invalid-policy` learns.
#[derive(Document, Clone, Debug, Default)]
pub struct Seen {
    /// How many outcomes there were.
    #[serde(default, serialize_with = "unless_spoilt")]
    pub outcomes: i64,
}

/// A count below 0 stands for a state that cannot be written.
fn unless_spoilt<S: Serializer>(outcomes: &i64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    if *outcomes < 0 {
        return Err(S::Error::custom("this state cannot be written as JSON"));
    }
    serializer.serialize_i64(*outcomes)
}

impl InvalidPolicy {
    fn is_bad(&self, context: &str, does: Adversarial) -> bool {
        context == "bad" && self.does == does
    }
}

impl RoutingPolicy for InvalidPolicy {
    const NAME: &'static str = "invalid-policy";
    const LEARNS: Learns = Learns::Nothing;
    type State = Seen;

    fn decide(&self, _state: &Seen, question: &Question) -> Result<Decision> {
        if question.context != "bad" {
            return Ok(Decision::for_arm(0));
        }
        match self.does {
            Adversarial::Panic => panic!("a decision panics"),
            Adversarial::Fail => Err(Failure::InvalidInput("the policy refuses this context".to_owned())),
            Adversarial::Loop => loop {
                spin_loop();
            },
            Adversarial::OutOfRange => Ok(Decision::for_arm(9)),
            Adversarial::Again | Adversarial::LearnPanic | Adversarial::LearnNoJson => Ok(Decision::for_arm(0)),
        }
    }

    fn decide_again(&self, _state: &Seen, question: &Question) -> Result<Option<Decision>> {
        if self.is_bad(&question.context, Adversarial::Again) {
            return Ok(question.tried.first().copied().map(Decision::for_arm));
        }
        let next = question.tried.len() as u32;
        Ok(((next as usize) < question.arms.len()).then(|| Decision::for_arm(next)))
    }

    fn learn(&self, state: &mut Seen, outcome: &Outcome) -> Result<()> {
        if self.is_bad(&outcome.context, Adversarial::LearnPanic) {
            panic!("an outcome panics");
        }
        state.outcomes =
            if self.is_bad(&outcome.context, Adversarial::LearnNoJson) { -1 } else { state.outcomes.saturating_add(1) };
        Ok(())
    }
}
