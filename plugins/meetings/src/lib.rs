//! Jackfield plugin: analyzers that read a transcript alone.
//!
//! Each analyzer has a module of its own and makes a `talk` of the transcript first: sentences put together across
//! interruptions, words as numbers, speakers by index. All are deterministic, and their work grows with the length of
//! the transcript, not with its square.
#![forbid(unsafe_code)]

mod key_points;
mod keyphrases;
mod segment;
mod talk;
mod terms;
mod topics;

use jackfield_plugin_api::prelude::*;

pub use key_points::{KeyPointList, KeyPoints};
pub use keyphrases::{Keyphrase, KeyphraseList, Keyphrases};
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

export_plugin!(KeyPoints, Keyphrases, Topics);
