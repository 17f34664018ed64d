//! Jackfield plugin: analyzers that read a transcript alone.
//!
//! Each analyzer has a module of its own and makes a `talk` of the transcript first: sentences put together across
//! interruptions, words as numbers, speakers by index. All are deterministic, and their work grows with the length of
//! the transcript, not with its square.
#![forbid(unsafe_code)]

mod action_cues;
mod actions;
mod decision_cues;
mod decisions;
mod dialogue;
mod due;
mod instruction;
mod key_points;
mod keyphrases;
mod participation;
mod questions;
mod segment;
mod talk;
mod terms;
mod topics;
mod when_cues;

use jackfield_plugin_api::prelude::*;

use jackfield_text::vectors::{Sparse, cosine};

pub use actions::{Action, ActionList, Actions};
pub use decisions::{DecisionList, Decisions};
pub use key_points::{KeyPointList, KeyPoints};
pub use keyphrases::{Keyphrase, KeyphraseList, Keyphrases};
pub use participation::{Part, Participation, ParticipationReport, Reply};
pub use questions::{Question, QuestionList, Questions};
pub use topics::{Topic, TopicList, Topics};

/// A sentence for a reader: cleaned, and cut at a comma where it goes on and on.
fn readable(talk: &talk::Talk<'_>, sentence: usize) -> String {
    const LONGEST: usize = 60;
    let text = talk.clean(sentence);
    let Some((limit, _)) = text.match_indices(' ').nth(LONGEST) else { return text };
    let head = &text[..limit];
    let cut = head.rfind([',', ';', '–']).filter(|&cut| cut > limit / 2).unwrap_or(limit);
    format!("{} …", head[..cut].trim_end())
}

/// Refuses a setting that does not lie between 0 and 1.
fn check_share(name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Failure::InvalidConfig(format!("`{name}` is {value}: it must lie between 0 and 1")))
}

/// The candidates of greatest confidence, so many at most and each only once said, in order of the transcript.
fn best(talk: &talk::Talk<'_>, mut candidates: Vec<decisions::Candidate>, most: usize) -> Vec<decisions::Candidate> {
    /// Two sentences more alike than this (cosine) say the same thing.
    const SAME: f64 = 0.7;
    candidates.sort_by(|a, b| b.sure.total_cmp(&a.sure).then(a.sentence.cmp(&b.sentence)));
    let mut chosen: Vec<(Sparse, decisions::Candidate)> = Vec::new();
    for candidate in candidates {
        if chosen.len() == most {
            break;
        }
        let vector = Sparse::counts(talk.terms(candidate.sentence));
        // Those of like confidence that come next to be compared are many in a long talk: look at the last ones chosen.
        if chosen.iter().rev().take(200).all(|(other, _)| cosine(other, &vector) < SAME) {
            chosen.push((vector, candidate));
        }
    }
    let mut chosen: Vec<_> = chosen.into_iter().map(|(_, candidate)| candidate).collect();
    chosen.sort_by_key(|candidate| candidate.sentence);
    chosen
}

export_plugin!(Actions, Decisions, KeyPoints, Keyphrases, Participation, Questions, Topics);

#[cfg(test)]
mod tests;
