//! How clearly one sentence takes on or hands out a task, by its words and by how others take it.

use crate::{
    action_cues::{COUNTER_CUES, CUES, Doer, TASKS},
    dialogue,
    due::due,
    talk::Talk,
    task::{Task, find_task, forms},
    when_cues::LATER,
};

/// A sentence that scores less does not state a task by itself.
const THRESHOLD: f64 = 2.2;

/// How clearly the sentence takes on or hands out a task, in log odds, and the task; nothing without one.
pub(crate) fn stated_action(talk: &Talk<'_>, sentence: usize) -> Option<(f64, Task)> {
    let parts = &talk.sentences[sentence];
    let words = talk.words(sentence);
    if !(4..=60).contains(&words.len()) || parts.broken || talk.terms(sentence).is_empty() {
        return None;
    }
    let dated = words.iter().any(|word| matches!(*word, "by" | "before" | "until"));
    if TASKS.find(&words).is_empty() && CUES.find(&words).is_empty() && !dated {
        return None;
    }
    let raw = talk.raw(sentence);
    let task = find_task(&raw, &forms(&raw), &talk.names, talk.speaker(sentence))?;
    let against: f64 = COUNTER_CUES.find(&words).iter().map(|cue| cue.value).sum();
    let later = LATER.find(&words).iter().map(|cue| cue.value).fold(0.0, f64::max);
    let reception = dialogue::reception(talk, sentence);
    let mut score = task.cue_weight + task.task_weight + later - against - 0.8 * doubt(&words, &task);
    if due(&raw).is_some() {
        score += 0.7;
    }
    score += match task.doer {
        Doer::Addressee => 0.6 * reception.agreement - 0.5 * reception.refusal,
        _ => 0.3 * reception.agreement - 0.3 * reception.refusal,
    };
    // A request is a question; any other question asks what is.
    if parts.question && task.doer != Doer::Addressee {
        score -= 1.5;
    }
    if task.doer == Doer::Addressee && addressee(talk, sentence).is_some() {
        score += 0.5;
    }
    if talk.terms(sentence).len() < 2 {
        score -= 0.7;
    }
    score -= (words.len() as f64 - 25.0).max(0.0) / 15.0;
    let position = parts.segment() as f64 / talk.segments.len() as f64;
    score += 0.5 * (position - 0.5);
    Some((score - THRESHOLD, task))
}

/// Doubt about the task, but for the cue's own words (`could you`) and for what is to be found out (`ask whether`).
fn doubt(words: &[&str], task: &Task) -> f64 {
    let before = &words[..task.cue_start.min(words.len())];
    let after = &words[task.verb.min(words.len())..];
    let asks = after.first().is_some_and(|verb| matches!(*verb, "ask" | "check" | "find" | "see" | "test" | "confirm"));
    let after: Vec<&str> =
        after.iter().copied().filter(|word| !(asks && matches!(*word, "whether" | "if" | "they" | "can"))).collect();
    (dialogue::doubt(before) + dialogue::doubt(&after)).min(2.5)
}

/// Who is addressed by name, but for the speaker.
pub(crate) fn addressee(talk: &Talk<'_>, sentence: usize) -> Option<usize> {
    talk.names.addressed(&talk.raw(sentence)).filter(|&person| talk.speaker(sentence) != Some(person))
}
