//! Sentences that sound like a decision and are none: what is still open, and what only moves the meeting on.

use crate::{decision_cues::LEADS, talk::Talk};

/// What is said of a decision that was not made.
const NOT: &[&str] = &["haven't", "hasn't", "not", "never", "didn't", "cannot", "can't", "couldn't"];
/// What one does with a decision.
const SETTLED: &[&str] =
    &["settled", "decided", "agreed", "resolved", "chosen", "finalised", "finalized", "settle", "decide"];
/// So many words may stand between the two.
const BETWEEN: usize = 3;

/// What one does next, and not what was decided on: the first words after `let's`.
const ON_THE_WAY: &[&[&str]] = &[
    &["see"],
    &["hear"],
    &["look"],
    &["continue"],
    &["proceed"],
    &["move", "on"],
    &["get", "started"],
    &["get", "going"],
    &["wrap", "up"],
    &["start", "with"],
    &["begin", "with"],
];
/// Where one goes next.
const NEXT: &[&str] =
    &["meeting", "agenda", "topic", "item", "slide", "presentation", "break", "lunch", "coffee", "dinner", "drink"];
/// A sentence of more words says more than what comes next.
const LONGEST: usize = 10;

/// Whether a sentence says that something is not decided: `We haven't settled the colour yet.`
pub(crate) fn is_open(talk: &Talk<'_>, sentence: usize) -> bool {
    let words = talk.words(sentence);
    words.iter().enumerate().any(|(at, word)| {
        let before = &words[at.saturating_sub(BETWEEN + 1)..at];
        SETTLED.contains(word) && before.iter().any(|word| NOT.contains(word))
    })
}

/// Whether a sentence only says what the meeting does next: `Let's go for our design meeting.`, `Okay, let's move on.`
pub(crate) fn moves_on(talk: &Talk<'_>, sentence: usize) -> bool {
    let words = talk.words(sentence);
    let said: Vec<&str> = words.iter().copied().skip_while(|word| LEADS.contains(word)).collect();
    // `let's` may be one word, or two.
    let rest = match said[..] {
        ["let's", ref rest @ ..] | ["let", "us" | "s", ref rest @ ..] => rest,
        _ => return false,
    };
    let goes_to_next =
        rest.first().is_some_and(|word| matches!(*word, "go" | "get" | "have" | "take" | "head" | "turn"))
            && rest.last().is_some_and(|word| NEXT.contains(word));
    let is_next =
        goes_to_next || matches!(rest, ["start" | "begin"]) || ON_THE_WAY.iter().any(|words| rest.starts_with(words));
    words.len() <= LONGEST && is_next
}
