//! This plugin analyses the transcript of a meeting by rules, word statistics and small learned weights: its topics, keyphrases,
//! key points, decisions, tasks and questions, and who speaks how much. It reads nothing but the transcript, and asks no
//! model unless `topics` is told to have stretches of talk embedded by one.
//!
//! Each analyzer has a module of its own. It prepares the transcript first (module `talk`): sentences are put together
//! across interruptions, words become numbers and speakers indices. All analyzers are deterministic, and their work grows
//! with the length of the transcript, not with its square.
#![forbid(unsafe_code)]

mod action_cues;
mod actions;
mod acts;
mod boundary_cues;
mod boundary_likeness;
mod boundary_signals;
mod boundary_weights;
mod candidates;
mod decision_cues;
mod decisions;
mod dialogue;
mod due;
mod embedding;
mod findings;
mod instruction;
mod key_points;
mod keyphrases;
pub mod learning;
mod noun_cues;
mod participation;
mod places;
mod question_words;
mod questions;
mod reading;
mod segment;
mod shown;
mod signals;
mod stated_actions;
mod stated_decisions;
mod talk;
mod task;
mod terms;
pub mod topic_learning;
mod topics;
mod turns;
mod undecided;
mod weights;
mod when_cues;

use jackfield_plugin_api::prelude::*;

pub use actions::{Action, ActionList, Actions};
pub use decisions::{DecisionList, Decisions};
pub use key_points::{KeyPointList, KeyPoints};
pub use keyphrases::{Keyphrase, KeyphraseList, Keyphrases};
pub use participation::{Part, Participation, ParticipationReport, Reply};
pub use questions::{Question, QuestionList, Questions};
pub use topics::{Topic, TopicEmbedder, TopicList, Topics};

export_plugin!(Actions, Decisions, KeyPoints, Keyphrases, Participation, Questions, Topics);

#[cfg(test)]
mod tests;
