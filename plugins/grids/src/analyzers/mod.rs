//! The analyzers that this plugin offers to the stages of a pipeline.

mod candidates;
mod canonical;
mod evolve;
mod examples;
mod generalise;
mod keep;
mod score;
mod settings;
mod submission;
mod validate;

pub use candidates::GridCandidates;
pub use canonical::GridCanonical;
pub use evolve::GridEvolve;
pub use generalise::GridGeneralise;
pub use keep::GridKeep;
pub use score::GridScore;
pub use settings::{LimitTable, SetOrder};
pub use submission::GridSubmission;
pub use validate::GridValidate;
