//! How clearly one sentence states or proposes a decision, by its words and by how others take it.

use crate::{
    decision_cues::{COUNTER_CUES, CUES, LEADS, PROPOSALS},
    dialogue,
    talk::Talk,
};

/// A sentence that scores less does not state a decision by itself.
const THRESHOLD: f64 = 1.9;
/// From this weight on a cue states a decision by itself.
const STATED: f64 = 2.6;
/// A proposal to which nobody clearly agrees loses so much.
const NOT_TAKEN_UP: f64 = 1.2;

/// How clearly the sentence states or proposes a decision, in log odds; nothing without any word for it.
pub(crate) fn stated_decision(talk: &Talk<'_>, sentence: usize) -> Option<f64> {
    let sentence_parts = &talk.sentences[sentence];
    let words = talk.words(sentence);
    if !(4..=60).contains(&words.len()) || sentence_parts.broken {
        return None;
    }
    let ids = talk.word_ids(sentence);
    let is_content = |index: usize| talk.vocabulary.term(ids[index]).is_some();
    let mut cues = CUES.find(&words);
    // `the method we'll use`, `what we decided`: a relative clause states nothing.
    for cue in &mut cues {
        let relative = cue.start.checked_sub(1).is_some_and(|before| match words[before] {
            "which" | "what" | "how" | "way" | "where" | "whether" | "when" | "if" | "until" | "before" => true,
            "that" => before > 0 && is_content(before - 1),
            _ => is_content(before) && !LEADS.contains(&words[before]),
        });
        if relative && words[cue.start] == "we" {
            cue.value *= 0.4;
        }
    }
    let head = words.iter().take_while(|word| LEADS.contains(word)).count();
    let settling = head > 0 || follows_assent(talk, sentence);
    // `Okay. We release the features.`: what is done, said as it is.
    let plain = settling
        && words.get(head) == Some(&"we")
        && head + 1 < words.len()
        && is_content(head + 1)
        && !words[head + 1].ends_with("ed")
        && !words[head + 1].ends_with("ing");
    let stated = cues.iter().map(|cue| cue.value).fold(if plain { 1.4 } else { 0.0 }, f64::max);
    let proposed = PROPOSALS.find(&words).iter().map(|cue| cue.value).fold(0.0, f64::max);
    let strongest = stated.max(proposed);
    let terms = talk.terms(sentence).len();
    if strongest == 0.0 || terms == 0 || (terms < 2 && strongest < STATED) {
        return None;
    }
    let further_cues = (cues.iter().map(|cue| cue.value).sum::<f64>() - stated).clamp(0.0, 1.0);
    let against: f64 = COUNTER_CUES.find(&words).iter().map(|cue| cue.value).sum();
    let reception = dialogue::reception(talk, sentence);
    let mut score = strongest + 0.4 * further_cues - against - 0.8 * dialogue::doubt(&words);
    score += reception.agreement - 0.8 * reception.refusal;
    let early = cues.iter().any(|cue| cue.start <= head + 2 && cue.value == stated);
    if settling && stated >= proposed && (plain || early) {
        score += 0.7;
        // What others have just agreed to is settled by saying it again.
        score += if dialogue::agreed_before(talk, sentence) { 0.4 } else { 0.0 };
    }
    if proposed > stated && reception.agreement < 0.8 {
        score -= NOT_TAKEN_UP;
    }
    if sentence_parts.question {
        score -= 2.0;
    }
    // The end of a meeting is where things are settled.
    let position = sentence_parts.segment() as f64 / talk.segments.len() as f64;
    score += 0.4 * (position - 0.5);
    if terms < 3 && strongest < STATED {
        score -= 0.6;
    }
    // A long sentence mentions much in passing.
    score -= (words.len() as f64 - 30.0).max(0.0) / 20.0;
    Some(score - THRESHOLD)
}

/// Whether the sentence before it, by the same speaker in the same turn, is `Okay.` or the like.
fn follows_assent(talk: &Talk<'_>, sentence: usize) -> bool {
    let Some(before) = sentence.checked_sub(1) else { return false };
    let words = talk.words(before);
    talk.sentences[before].segment() == talk.sentences[sentence].segment()
        && (1..=3).contains(&words.len())
        && words.iter().all(|word| LEADS.contains(word))
}
