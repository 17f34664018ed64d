//! The turns of a talk as they are looked at one by one: what each does, what it is about, and how it ends.

use jackfield_text::vocabulary::{TermId, WordId};

use crate::{
    action_cues::Doer,
    acts::{ACTS, Act, acts},
    due::due,
    stated_actions::stated_action,
    stated_decisions::stated_decision,
    talk::Talk,
    when_cues::LATER,
};

/// A reaction shows what it is by so many words at its head.
const HEAD: usize = 10;

/// Content words by which people agree, without saying to what.
const ASSENTING: &[&str] = &[
    "accept",
    "accepted",
    "agree",
    "agreed",
    "agreement",
    "aye",
    "carried",
    "excellent",
    "fair",
    "favour",
    "hmm",
    "idea",
    "objection",
    "objections",
    "perfect",
    "sense",
    "sounds",
    "uh-huh",
];

/// What one turn says.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// Its words, fillers left out.
    pub(crate) words: Vec<WordId>,
    /// Its content words' stems, each once, in order of number.
    pub(crate) terms: Vec<TermId>,
    /// How often it does each [`Act`].
    pub(crate) acts: [f64; ACTS],
    /// The same of its first words.
    pub(crate) head: [f64; ACTS],
    /// Whether any of its sentences is a question.
    pub(crate) question: bool,
    /// Whether it ends in a question.
    pub(crate) ends_in_question: bool,
    /// Whether it breaks off.
    pub(crate) broken: bool,
    /// Whether it has no content but that its speaker agrees: `Yes, good idea, I agree.`
    pub(crate) only_assents: bool,
    /// How many sentences start in it.
    pub(crate) sentences: usize,
    /// How often it names another speaker.
    pub(crate) names: usize,
    /// How clearly a sentence of it states a decision, in log odds; [`NOT_STATED`] without any word for it.
    pub(crate) decision: f64,
    /// How clearly a sentence of it takes on or hands out a task, likewise.
    pub(crate) action: f64,
    /// Who is to do that task.
    pub(crate) doer: Option<Doer>,
    /// Whether that task is given to someone by name.
    pub(crate) is_for_named: bool,
    /// Whether it names a time at which something may be due.
    pub(crate) dated: bool,
    /// Whether it points beyond the meeting.
    pub(crate) later: bool,
}

/// What a sentence counts that has no word of a decision or of a task.
pub(crate) const NOT_STATED: f64 = -4.0;

impl Turn {
    pub(crate) fn does(&self, act: Act) -> bool {
        self.acts[act as usize] > 0.0
    }

    /// Whether it opens with assent or agreement.
    pub(crate) fn assents(&self) -> bool {
        self.head[Act::Assent as usize] > 0.0 || self.head[Act::Agree as usize] > 0.0
    }

    /// Whether it opens with a refusal.
    pub(crate) fn refuses(&self) -> bool {
        self.head[Act::Refuse as usize] > 0.0
    }

    /// Nothing but a few words of assent.
    pub(crate) fn is_bare_assent(&self) -> bool {
        self.assents() && self.words.len() <= 3 && self.terms.is_empty()
    }
}

/// Reads every turn of a talk.
pub(crate) fn turns(talk: &mut Talk<'_>) -> Vec<Turn> {
    (0..talk.segments.len()).map(|segment| turn(talk, segment)).collect()
}

fn turn(talk: &mut Talk<'_>, segment: usize) -> Turn {
    let text = &talk.segments[segment].text;
    let mut words = Vec::new();
    talk.vocabulary.read(text, &mut words);
    let mut terms: Vec<TermId> = words.iter().filter_map(|&id| talk.vocabulary.term(id)).collect();
    terms.sort_unstable();
    terms.dedup();
    let talk = &*talk;
    let spoken: Vec<&str> = words.iter().map(|&id| talk.vocabulary.word(id)).collect();
    let sentences = talk.sentences_of(segment);
    let speaker = talk.speaker_of[segment];
    let mentions = talk.names.mentions(text);
    let decision = sentences.clone().filter_map(|sentence| stated_decision(talk, sentence)).fold(NOT_STATED, f64::max);
    let mut action = (NOT_STATED, None);
    for (score, task) in sentences.clone().filter_map(|sentence| stated_action(talk, sentence)) {
        if score > action.0 {
            action = (score, Some(task));
        }
    }
    Turn {
        acts: acts(&spoken),
        head: acts(&spoken[..spoken.len().min(HEAD)]),
        question: sentences.clone().any(|sentence| talk.sentences[sentence].question),
        ends_in_question: text.trim_end().ends_with('?'),
        broken: text.trim_end().ends_with("{disfmarker}") || text.trim_end().ends_with(['—', '–', '-']),
        only_assents: words
            .iter()
            .all(|&id| talk.vocabulary.term(id).is_none() || ASSENTING.contains(&talk.vocabulary.word(id))),
        sentences: sentences.len(),
        names: mentions.iter().filter(|mention| Some(mention.speaker) != speaker).count(),
        decision,
        action: action.0,
        doer: action.1.as_ref().map(|task| task.doer),
        is_for_named: action.1.is_some_and(|task| task.named.is_some()),
        dated: due(text).is_some(),
        later: !LATER.find(&spoken).is_empty(),
        words,
        terms,
    }
}
