//! A transcript read for places where something is decided or taken on.

use jackfield_text::{Evidence, Transcript, words};

use crate::{
    acts::Act,
    decision_cues::LEADS,
    learning::Target,
    places::{Outline, Place, Scores},
    signals::{Row, Scene},
    stated_actions::stated_action,
    stated_decisions::stated_decision,
    talk::Talk,
    turns::{NOT_STATED, Turn, turns},
    weights::Weights,
};

/// A turn of fewer words is not shown as a finding.
const LEAST_WORDS: usize = 3;
/// From this on, in log odds, a sentence states something for itself.
const STATED: f64 = 0.0;
/// What a question begins with that asks what is the case.
const ASKING: &[&str] = &["did", "do", "does", "is", "are", "was", "were", "have", "has", "had"];
/// What asks for a fact, wherever it stands in a question.
const WH_WORDS: &[&str] = &["what", "how", "why", "who", "whose", "where", "which"];
/// From this on, in log odds, a sentence says outright that something is decided.
const OUTRIGHT: f64 = 0.8;
/// So many findings of one turn are made at most.
const MOST_OF_A_TURN: usize = 4;

/// A transcript with its turns.
pub(crate) struct Reading<'a> {
    pub(crate) talk: Talk<'a>,
    turns: Vec<Turn>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(transcript: &'a Transcript) -> Self {
        let mut talk = Talk::new(transcript);
        let turns = turns(&mut talk);
        Self { talk, turns }
    }

    /// The signals of every turn.
    pub(crate) fn signals(&self) -> Vec<Vec<f64>> {
        let scene = Scene::new(&self.talk, &self.turns);
        let signals = |turn| {
            let mut row = Row::default();
            scene.signals(turn, &mut row);
            row.values
        };
        (0..self.turns.len()).map(signals).collect()
    }

    pub(crate) fn outlines(&self, target: Target) -> Vec<Outline> {
        let outline = |turn: &Turn| Outline {
            spoken: !turn.words.is_empty(),
            content: turn.words.len() >= LEAST_WORDS && !turn.only_assents,
            stated: stated_of(turn, target) >= STATED,
            outright: target == Target::Decisions && turn.decision >= OUTRIGHT,
            terms: turn.terms.clone(),
        };
        self.turns.iter().map(outline).collect()
    }

    /// The places of at least this confidence, in order.
    pub(crate) fn places(&self, target: Target, weights: &Weights, least: f64) -> Vec<Place> {
        let outlines = self.outlines(target);
        let scene = Scene::new(&self.talk, &self.turns);
        let mut row = Row::default();
        let (mut scored, mut shown) = (Vec::with_capacity(self.turns.len()), Vec::with_capacity(self.turns.len()));
        for turn in 0..self.turns.len() {
            row.values.clear();
            scene.signals(turn, &mut row);
            scored.push(weights.score(&row.values));
            shown.push(weights.shown_score(&row.values));
        }
        let scores = Scores::new(target, &outlines, scored, shown);
        scores.places(|signals| weights.place_score(signals), least)
    }

    /// The sentences to show of a place: of its turn each that states something for itself, else the one that says most, else
    /// the one of its other turns that says most; one that breaks off comes last. None where nothing is left of them once they
    /// are cleaned.
    pub(crate) fn shown(&self, place: &Place, target: Target) -> Vec<usize> {
        let sentences: Vec<usize> =
            self.sentences_in(place.turn).into_iter().filter(|&sentence| self.says_something(sentence)).collect();
        let is_stated = |&sentence: &usize| self.stated(sentence, target) >= STATED;
        let stated: Vec<usize> = sentences.iter().copied().filter(is_stated).take(MOST_OF_A_TURN).collect();
        if !stated.is_empty() {
            return stated;
        }
        let is_whole = |&sentence: &usize| self.says_something(sentence) && !self.talk.sentences[sentence].broken;
        let whole: Vec<usize> = sentences.iter().copied().filter(is_whole).collect();
        let of_others: Vec<usize> = self.sentences_of_others(&place.others).into_iter().filter(is_whole).collect();
        let may_show = |sentence: &usize| {
            may_show(&self.turns[self.talk.sentences[*sentence].segment()], target)
                && !self.asks_for_information(*sentence)
        };
        let best =
            [&whole, &of_others].map(|list| list.iter().copied().filter(|one| may_show(one)).collect::<Vec<_>>());
        let lists = best.into_iter().chain([whole, of_others, sentences]);
        lists.into_iter().find_map(|list| self.most(list, target)).into_iter().collect()
    }

    /// Whether a sentence asks what is the case, rather than what the others think of something: `Did you keep the receipts?`,
    /// but not `Could we use the small hall?` or `What about Friday?`.
    pub(crate) fn asks_for_information(&self, sentence: usize) -> bool {
        let words = self.talk.words(sentence);
        let proposes = |at: usize| {
            let next = words.get(at + 1).copied().unwrap_or_default();
            matches!((words[at], next), ("what" | "how", "about") | ("why", "don't" | "not" | "don"))
        };
        let first = words.iter().find(|word| !LEADS.contains(word)).copied().unwrap_or_default();
        self.talk.sentences[sentence].question
            && (ASKING.contains(&first) || words.iter().any(|word| WH_WORDS.contains(word)))
            && !(0..words.len()).any(proposes)
    }

    /// The sentence that says most, of equal ones the first.
    fn most(&self, sentences: Vec<usize>, target: Target) -> Option<usize> {
        let most = sentences.into_iter().map(|sentence| (self.worth(sentence, target), sentence));
        most.reduce(|most, next| if next.0 > most.0 { next } else { most }).map(|(_, sentence)| sentence)
    }

    /// Whether a sentence has words with content left once it is cleaned.
    fn says_something(&self, sentence: usize) -> bool {
        let text = self.talk.readable(sentence);
        let has_content = |word: &str| word.len() > 1 && !words::is_stop_word(word);
        words::count(&text) >= LEAST_WORDS && words::tokens(&text).iter().any(|word| has_content(word))
    }

    /// The sentences of the other turns of a place.
    pub(crate) fn sentences_of_others(&self, others: &[usize]) -> Vec<usize> {
        others.iter().flat_map(|&turn| self.talk.sentences_of(turn)).collect()
    }

    /// What another turn of a place says, as evidence.
    pub(crate) fn evidence_of(&self, turn: usize, target: Target) -> Option<Evidence> {
        let sentence = self.most(self.sentences_in(turn), target)?;
        let piece = self.talk.sentences[sentence].pieces.iter().find(|piece| piece.segment == turn)?;
        let evidence = self.talk.quote(turn, piece.range.clone());
        evidence.quote.contains(char::is_alphanumeric).then_some(evidence)
    }

    /// The turns of some evidence, each once, in the order of the evidence.
    pub(crate) fn turns_of(&self, evidence: &[Evidence]) -> Vec<usize> {
        let mut turns: Vec<usize> = Vec::new();
        for one in evidence {
            let turn = self.talk.segments.iter().position(|segment| segment.id == one.segment);
            turns.extend(turn.filter(|turn| !turns.contains(turn)));
        }
        turns
    }

    /// The sentences of which a part is said in a turn.
    fn sentences_in(&self, turn: usize) -> Vec<usize> {
        let own = self.talk.sentences_of(turn);
        let is_continued =
            |&sentence: &usize| self.talk.sentences[sentence].pieces.iter().any(|piece| piece.segment == turn);
        let before = own.start.saturating_sub(8)..own.start;
        before.filter(is_continued).chain(own).collect()
    }

    fn stated(&self, sentence: usize, target: Target) -> f64 {
        let score = match target {
            Target::Decisions => stated_decision(&self.talk, sentence),
            Target::Actions => stated_action(&self.talk, sentence).map(|(score, _)| score),
        };
        score.unwrap_or(NOT_STATED)
    }

    /// How much a sentence says of what is decided or to be done.
    fn worth(&self, sentence: usize, target: Target) -> f64 {
        let terms = self.talk.terms(sentence).len().min(5) as f64;
        let words = self.talk.words(sentence).len().min(12) as f64;
        let broken = f64::from(u8::from(self.talk.sentences[sentence].broken));
        0.5 * self.stated(sentence, target).max(NOT_STATED) + 0.5 * terms + 0.1 * words - 0.5 * broken
    }
}

/// Whether a turn has any word of what is sought. A decision may be put in any words; a task has someone or something that it
/// is handed to, taken on by, or put off for.
fn may_show(turn: &Turn, target: Target) -> bool {
    let acts = [Act::Commit, Act::Request, Act::Errand, Act::Role, Act::Defer];
    target == Target::Decisions || acts.iter().any(|&act| turn.does(act)) || turn.names > 0 || turn.dated || turn.later
}

fn stated_of(turn: &Turn, target: Target) -> f64 {
    match target {
        Target::Decisions => turn.decision,
        Target::Actions => turn.action,
    }
}
