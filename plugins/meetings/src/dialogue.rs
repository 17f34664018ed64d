//! How others react to a sentence in the next turns: whether they agree with it or refuse it, and who speaks next.

use std::{ops::Range, sync::LazyLock};

use jackfield_text::phrases::Phrases;

use crate::talk::Talk;

/// A reply is looked for in so many turns.
const REACH: usize = 4;
/// A reply shows what it is by its first words.
const HEAD: usize = 8;

static AGREEMENT: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("okay", 0.4),
        ("ok", 0.4),
        ("yeah", 0.4),
        ("yes", 0.5),
        ("yep", 0.4),
        ("sure", 0.6),
        ("right", 0.3),
        ("alright", 0.4),
        ("fine", 0.5),
        ("good", 0.4),
        ("great", 0.5),
        ("exactly", 0.7),
        ("definitely", 0.8),
        ("absolutely", 0.8),
        ("agreed", 1.0),
        ("perfect", 0.8),
        ("i agree", 1.0),
        ("i would agree", 1.0),
        ("sounds good", 1.0),
        ("sounds great", 1.0),
        ("good idea", 1.0),
        ("good point", 0.7),
        ("that s fine", 1.0),
        ("that s good", 0.8),
        ("that s great", 0.8),
        ("that s right", 0.6),
        ("of course", 0.7),
        ("no problem", 0.8),
        ("makes sense", 0.9),
        ("i think so", 0.8),
        ("i will", 0.9),
        ("i ll do", 1.0),
        ("let s do", 1.0),
        ("why not", 0.8),
        ("happy to", 0.8),
        ("me too", 0.6),
        ("cool", 0.5),
        ("i like", 0.6),
        ("in favour", 1.0),
        ("no objection", 1.0),
        ("aye", 0.8),
        ("can do", 0.8),
        ("works for me", 1.0),
        ("fine with me", 1.0),
        ("fine by me", 1.0),
        ("fine with it", 1.0),
        ("i m for", 0.8),
        ("could accept", 0.8),
        ("can live with", 0.9),
        ("with that", 0.2),
    ])
});

static REFUSAL: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("no", 0.6),
        ("nope", 0.7),
        ("but", 0.4),
        ("i don't think", 0.9),
        ("i disagree", 1.0),
        ("not sure", 0.7),
        ("i don't know", 0.7),
        ("i m not", 0.5),
        ("why", 0.4),
        ("or", 0.2),
        ("maybe", 0.3),
        ("actually", 0.3),
        ("however", 0.5),
        ("we can't", 0.7),
        ("i can't", 0.7),
        ("no problem", -0.4),
        ("no objection", -0.8),
        ("yeah but", 0.5),
        ("what", 0.3),
    ])
});

/// How the next turns take a sentence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reception {
    /// Sum of the agreement of other speakers, at most 1.5.
    pub(crate) agreement: f64,
    /// Sum of their refusal, at most 1.5.
    pub(crate) refusal: f64,
    /// The sentence that agrees most clearly.
    pub(crate) agreeing: Option<usize>,
    /// The next other speaker to say anything.
    pub(crate) next_speaker: Option<usize>,
}

/// Reads the turns after a sentence.
pub(crate) fn reception(talk: &Talk<'_>, sentence: usize) -> Reception {
    let speaker = talk.speaker(sentence);
    let mut reception = Reception::default();
    let mut clearest = 0.0;
    for segment in following(talk, sentence) {
        let other = talk.speaker_of[segment];
        if other == speaker {
            continue;
        }
        reception.next_speaker = reception.next_speaker.or(other);
        let Some(first) = talk.sentences_of(segment).next() else { continue };
        if talk.sentences[first].question {
            continue;
        }
        let words = talk.words(first);
        let head = &words[..words.len().min(HEAD)];
        let agrees = AGREEMENT.find(head).iter().map(|found| found.value).fold(0.0, f64::max);
        reception.agreement += agrees;
        reception.refusal += REFUSAL.find(head).iter().map(|found| found.value).fold(0.0, f64::max);
        if agrees > clearest {
            clearest = agrees;
            reception.agreeing = Some(first);
        }
    }
    reception.agreement = reception.agreement.min(1.5);
    reception.refusal = reception.refusal.clamp(0.0, 1.5);
    reception
}

/// The segments after the one where a sentence ends, as far as a reply to it may be.
fn following(talk: &Talk<'_>, sentence: usize) -> Range<usize> {
    let first = talk.sentences[sentence].segment() + 1;
    let end = talk.sentences[sentence].last_segment() + 1 + REACH;
    first..end.min(talk.segments.len())
}

/// Whether another speaker clearly agrees in one of the turns before.
pub(crate) fn agreed_before(talk: &Talk<'_>, sentence: usize) -> bool {
    const CLEARLY: f64 = 0.8;
    let segment = talk.sentences[sentence].segment();
    (segment.saturating_sub(REACH)..segment).any(|earlier| {
        let Some(first) = talk.sentences_of(earlier).next() else { return false };
        let words = talk.words(first);
        let head = &words[..words.len().min(HEAD)];
        talk.speaker_of[earlier] != talk.speaker(sentence)
            && !talk.sentences[first].question
            && AGREEMENT.find(head).iter().any(|found| found.value >= CLEARLY)
    })
}

/// The last other speaker before a sentence.
pub(crate) fn speaker_before(talk: &Talk<'_>, sentence: usize) -> Option<usize> {
    let segment = talk.sentences[sentence].segment();
    let speaker = talk.speaker(sentence);
    (segment.saturating_sub(REACH)..segment)
        .rev()
        .filter_map(|earlier| talk.speaker_of[earlier])
        .find(|&other| Some(other) != speaker)
}

static DOUBT: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("if", 0.8),
        ("maybe", 0.6),
        ("perhaps", 0.6),
        ("might", 0.8),
        ("may", 0.3),
        ("could", 0.4),
        ("would", 0.5),
        ("wouldn't", 0.7),
        ("whether", 0.8),
        ("not", 0.5),
        ("don't", 0.6),
        ("didn't", 0.6),
        ("doesn't", 0.5),
        ("never", 0.5),
        ("haven't", 1.0),
        ("not sure", 1.0),
        ("i guess", 0.4),
        ("i don't know", 1.2),
        ("probably", 0.3),
        ("suppose", 0.5),
        ("wonder", 0.8),
        ("wondering", 0.8),
        ("or", 0.3),
        ("imagine", 0.8),
        ("for example", 0.4),
        ("they", 0.3),
        ("unless", 0.6),
        ("hope", 0.4),
        ("hopefully", 0.3),
        ("used to", 0.8),
        ("can't", 0.6),
        ("couldn't", 0.8),
        ("why", 0.6),
        ("you know", 0.2),
    ])
});

/// How far a sentence is hypothetical, negated or narrated; at most 2.5.
pub(crate) fn doubt(words: &[&str]) -> f64 {
    DOUBT.find(words).iter().map(|found| found.value).sum::<f64>().min(2.5)
}
