//! Analyzers of Jackfield that ablate a direction from the residual stream of a model, and score the replies of the model under
//! these edits. They run no model themselves and change no weights: a model of the pipeline computes under the edits.
//!
//! | analyzer | what it does |
//! | --- | --- |
//! | [`ReadPrompts`] (`prompts`) | a file to a list of texts |
//! | [`Ablation`] (`ablation`) | directions and a few parameters to edits of a model |
//! | [`AskReplies`] (`reply`) | what a model replies under edits, and how likely tokens are then |
//! | [`KeywordRate`] (`keyword-rate`) | the share of replies with a marker |
//! | [`Divergence`] (`kl`) | how far a model moved from what it was |
//! | [`ReplyLength`] (`reply-length`) | how long replies are |
//!
//! The numbers have the same bits on each platform and in each form of the plugin: they are sums in a fixed order, in double precision, with
//! functions of `libm`.
#![forbid(unsafe_code)]

mod ablation;
mod kernel;
mod keyword_rate;
mod kl;
mod prompts;
mod replies;
mod reply;
mod reply_length;
mod text_files;
mod unit_directions;

use jackfield_plugin_api::prelude::*;

pub use ablation::{Ablation, AblationEdits, DirectionScope};
pub use kernel::ComponentKernel;
pub use keyword_rate::{KeywordHits, KeywordRate, KeywordScores, ReplyHit, has_marker, normalized};
pub use kl::{BaseAndEdited, Divergence, MeanDivergence, PromptDivergence, divergence};
pub use prompts::{NoInput, PromptTexts, ReadPrompts};
pub use replies::{Replies, Reply};
pub use reply::{AskReplies, PromptsToAsk};
pub use reply_length::{LengthUnit, Lengths, ReplyLength};
pub use text_files::{FileFormat, Selection, read_texts};
pub use unit_directions::{PickedDirection, UnitDirections};

export_plugin!(ReadPrompts, Ablation, AskReplies, KeywordRate, Divergence, ReplyLength);
