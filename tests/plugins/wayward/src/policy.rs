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
pub enum Mischief {
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
    /// An outcome leaves a state that is no JSON.
    LearnNoJson,
}

/// Picks the first arm, and does its mischief where the context is `bad`.
#[derive(Config)]
pub struct Wayward {
    /// What goes wrong.
    pub does: Mischief,
}

/// What `wayward` learns.
#[derive(Document, Clone, Debug, Default)]
pub struct Seen {
    /// How many outcomes there were.
    #[serde(default, serialize_with = "unless_spoilt")]
    pub outcomes: i64,
}

/// A count below 0 stands for a state that cannot be written.
fn unless_spoilt<S: Serializer>(outcomes: &i64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    if *outcomes < 0 {
        return Err(S::Error::custom("this state is no JSON"));
    }
    serializer.serialize_i64(*outcomes)
}

impl Wayward {
    fn is_bad(&self, context: &str, does: Mischief) -> bool {
        context == "bad" && self.does == does
    }
}

impl RoutingPolicy for Wayward {
    const NAME: &'static str = "wayward";
    const LEARNS: Learns = Learns::Nothing;
    type State = Seen;

    fn decide(&self, _state: &Seen, question: &Question) -> Result<Decision> {
        if question.context != "bad" {
            return Ok(Decision::for_arm(0));
        }
        match self.does {
            Mischief::Panic => panic!("lost its way"),
            Mischief::Fail => Err(Failure::InvalidInput("it does not care for this context".to_owned())),
            Mischief::Loop => loop {
                spin_loop();
            },
            Mischief::OutOfRange => Ok(Decision::for_arm(9)),
            Mischief::Again | Mischief::LearnPanic | Mischief::LearnNoJson => Ok(Decision::for_arm(0)),
        }
    }

    fn decide_again(&self, _state: &Seen, question: &Question) -> Result<Option<Decision>> {
        if self.is_bad(&question.context, Mischief::Again) {
            return Ok(question.tried.first().copied().map(Decision::for_arm));
        }
        let next = question.tried.len() as u32;
        Ok(((next as usize) < question.arms.len()).then(|| Decision::for_arm(next)))
    }

    fn learn(&self, state: &mut Seen, outcome: &Outcome) -> Result<()> {
        if self.is_bad(&outcome.context, Mischief::LearnPanic) {
            panic!("would not learn");
        }
        state.outcomes =
            if self.is_bad(&outcome.context, Mischief::LearnNoJson) { -1 } else { state.outcomes.saturating_add(1) };
        Ok(())
    }
}
