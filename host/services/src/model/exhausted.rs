//! What a model has no more of, so that a run stops before its end and can be resumed.

use std::{fmt, sync::Arc};

/// A model that has no more of something that a run needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Exhausted {
    /// Its name in the pipeline; empty where it is the run that has no more.
    pub model: Arc<str>,
    /// What it has no more of.
    pub resource: ExhaustedResource,
}

/// What a model can have no more of.
#[derive(Clone, Debug, PartialEq)]
pub enum ExhaustedResource {
    /// Its budget, in tokens or US dollars.
    Budget,
    /// What the run may cost, in US dollars, all its models together.
    RunBudget(f64),
    /// Memory of this process, for a model that runs in it; with what the model says of it.
    Memory(String),
}

impl Exhausted {
    /// What to do before the run is resumed. None where the message says so itself: a model knows what of it takes memory.
    #[must_use]
    pub const fn advice(&self) -> Option<&'static str> {
        match self.resource {
            ExhaustedResource::Budget => Some("raise it with --set and go on"),
            ExhaustedResource::RunBudget(_) => Some("raise it with --max-usd and go on"),
            ExhaustedResource::Memory(_) => None,
        }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            ExhaustedResource::Budget => write!(f, "the budget of model `{}` is used up", self.model),
            ExhaustedResource::RunBudget(most) => write!(f, "the {most} USD that the run may cost are used up"),
            ExhaustedResource::Memory(why) => write!(f, "there is not enough memory for model `{}`: {why}", self.model),
        }
    }
}
