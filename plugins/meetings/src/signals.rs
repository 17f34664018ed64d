//! What is known of a turn in its surroundings, as numbers: the signals that the trained weights of `decisions` and `actions`
//! are for.
//!
//! A decision is seldom said in so many words: someone proposes, others take it up, someone settles it. So a turn is described
//! by what it does itself, by what the turns just before and after it do, by whom they are, and by the words that come back.

use jackfield_text::{Segment, Transcript};

use crate::{
    action_cues::Doer,
    acts::{ACT_NAMES, ACTS, Act},
    talk::Talk,
    turns::{NOT_STATED, Turn, turns},
};

/// Reactions are looked for in so many turns with words.
const REACH: usize = 5;
/// What is talked of lately: so many turns with words on either side.
const AROUND: usize = 8;
/// A talk of fewer turns has no beginning and no end to speak of.
const SHORT: usize = 60;

/// A list of numbers, with their names where these are asked for.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) names: Option<Vec<String>>,
    pub(crate) values: Vec<f64>,
}

impl Row {
    fn add(&mut self, group: &str, name: &str, value: f64) {
        if let Some(names) = &mut self.names {
            names.push(format!("{group}:{name}"));
        }
        self.values.push(value);
    }

    fn flag(&mut self, group: &str, name: &str, value: bool) {
        self.add(group, name, f64::from(u8::from(value)));
    }

    /// Whether each act is done at all.
    fn acts(&mut self, group: &str, acts: Option<&[f64; ACTS]>) {
        for (act, name) in ACT_NAMES.iter().enumerate() {
            self.flag(group, name, acts.is_some_and(|acts| acts[act] > 0.0));
        }
    }
}

/// The names of the signals, in order.
pub(crate) fn signal_names() -> Vec<String> {
    let segment = Segment { id: String::new(), speaker: None, text: String::new(), start: None };
    let transcript = Transcript { title: None, segments: vec![segment] };
    let mut talk = Talk::new(&transcript);
    let turns = turns(&mut talk);
    let mut row = Row { names: Some(Vec::new()), values: Vec::new() };
    Scene::new(&talk, &turns).signals(0, &mut row);
    row.names.unwrap_or_default()
}

/// A talk with its turns and what holds for the whole of it.
pub(crate) struct Scene<'t, 's> {
    pub(crate) talk: &'t Talk<'s>,
    pub(crate) turns: &'t [Turn],
    /// Indices of the turns that have words, in order.
    spoken: Vec<usize>,
    /// For each turn, how many of the turns with words come before it.
    rank: Vec<usize>,
    /// Each speaker's share of the words.
    share: Vec<f64>,
    /// Who leads: a chair or manager by the label, else who speaks first.
    lead: Option<usize>,
    /// Words a turn, of turns with words.
    mean_length: f64,
}

impl<'t, 's> Scene<'t, 's> {
    pub(crate) fn new(talk: &'t Talk<'s>, turns: &'t [Turn]) -> Self {
        let mut rank = Vec::with_capacity(turns.len());
        let mut spoken = Vec::new();
        let mut said = vec![0.0; talk.speakers.len()];
        for (index, turn) in turns.iter().enumerate() {
            rank.push(spoken.len());
            if turn.words.is_empty() {
                continue;
            }
            spoken.push(index);
            if let Some(speaker) = talk.speaker_of[index] {
                said[speaker] += turn.words.len() as f64;
            }
        }
        let all: f64 = said.iter().sum();
        let count = spoken.len().max(1) as f64;
        let leads = |label: &str| {
            let label = label.to_lowercase();
            ["manager", "chair", "professor", "moderator", "president"].iter().any(|title| label.contains(title))
        };
        let lead = talk.speakers.iter().position(|label| leads(label));
        Self {
            share: said.iter().map(|words| words / all.max(1.0)).collect(),
            lead: lead.or_else(|| spoken.first().and_then(|&first| talk.speaker_of[first])),
            mean_length: all / count,
            rank,
            spoken,
            talk,
            turns,
        }
    }

    /// The turns with words before a turn, the nearest first.
    fn before(&self, turn: usize) -> impl Iterator<Item = usize> {
        self.spoken[..self.rank[turn]].iter().rev().copied()
    }

    /// The turns with words after a turn, the nearest first.
    fn after(&self, turn: usize) -> impl Iterator<Item = usize> {
        let own = usize::from(!self.turns[turn].words.is_empty());
        self.spoken[self.rank[turn] + own..].iter().copied()
    }

    fn same_speaker(&self, one: usize, other: usize) -> bool {
        self.talk.speaker_of[one].is_some() && self.talk.speaker_of[one] == self.talk.speaker_of[other]
    }

    /// How much of the content of a turn is in another one, 0 to 1, and how many words.
    fn shared(&self, one: usize, other: usize) -> f64 {
        let (a, b) = (&self.turns[one].terms, &self.turns[other].terms);
        a.iter().filter(|term| b.binary_search(term).is_ok()).count() as f64
    }

    /// Appends the signals of a turn.
    pub(crate) fn signals(&self, index: usize, row: &mut Row) {
        let turn = &self.turns[index];
        let length = turn.words.len() as f64;
        row.acts("own", Some(&turn.acts));
        for (act, name) in ACT_NAMES.iter().enumerate() {
            row.add("dense", name, turn.acts[act] * 10.0 / length.max(10.0));
        }
        self.own(index, row);
        self.stated(index, row);
        self.neighbours(index, row);
        self.echoes(index, row);
        self.surroundings(index, row);
        self.place(index, row);
    }

    fn own(&self, index: usize, row: &mut Row) {
        let turn = &self.turns[index];
        let length = turn.words.len();
        for (name, from, to) in [
            ("0", 0, 0),
            ("1", 1, 1),
            ("2", 2, 3),
            ("4", 4, 7),
            ("8", 8, 15),
            ("16", 16, 30),
            ("31", 31, 80),
            ("81", 81, usize::MAX),
        ] {
            row.flag("words", name, (from..=to).contains(&length));
        }
        for (name, from, to) in [("0", 0, 0), ("1", 1, 1), ("2", 2, 3), ("4", 4, 7), ("8", 8, usize::MAX)] {
            row.flag("terms", name, (from..=to).contains(&turn.terms.len()));
        }
        row.add("own", "length", libm::log(1.0 + length as f64));
        row.add("own", "sentences", libm::log(1.0 + turn.sentences as f64));
        row.flag("own", "question", turn.question);
        row.flag("own", "ends-in-question", turn.ends_in_question);
        row.flag("own", "broken", turn.broken);
        row.flag("own", "bare-assent", turn.is_bare_assent());
        row.flag("own", "assents", turn.assents());
        row.flag("own", "assents-with-content", turn.assents() && !turn.terms.is_empty());
        row.flag("own", "names", turn.names > 0);
        let speaker = self.talk.speaker_of[index];
        row.flag("own", "lead", speaker.is_some() && speaker == self.lead);
        row.add("own", "share", speaker.map_or(0.0, |speaker| self.share[speaker]));
        for act in [Act::Settle, Act::Recap, Act::Request, Act::Role, Act::Propose, Act::Exclude] {
            row.flag("lead", ACT_NAMES[act as usize], speaker == self.lead && turn.does(act));
        }
    }

    /// How clearly a decision or a task is stated, in the turn and close by.
    fn stated(&self, index: usize, row: &mut Row) {
        let turn = &self.turns[index];
        let around: Vec<&Turn> =
            self.before(index).take(2).chain(self.after(index).take(2)).map(|other| &self.turns[other]).collect();
        for (name, of) in [("decision", (|turn| turn.decision) as fn(&Turn) -> f64), ("action", |turn| turn.action)] {
            let (own, near) = (of(turn), around.iter().map(|other| of(other)).fold(NOT_STATED, f64::max));
            row.add("stated", name, own.max(NOT_STATED));
            row.flag("stated-weakly", name, own > -1.5);
            row.flag("stated-fairly", name, own > 0.0);
            row.flag("stated-clearly", name, own > 1.0);
            row.add("stated-near", name, near.max(NOT_STATED));
            row.flag("stated-fairly-near", name, near > 0.0);
        }
        for (name, doer) in [
            ("speaker", Doer::Speaker),
            ("addressee", Doer::Addressee),
            ("group", Doer::Group),
            ("unknown", Doer::Unknown),
        ] {
            row.flag("doer", name, turn.doer == Some(doer) && turn.action > -1.5);
        }
        row.flag("doer", "named", turn.is_for_named);
        row.flag("when", "dated", turn.dated);
        row.flag("when", "later", turn.later);
        row.flag("when", "dated-near", around.iter().any(|other| other.dated));
        row.flag("when", "later-near", around.iter().any(|other| other.later));
        row.flag("when", "task-later", (turn.dated || turn.later) && turn.action > -1.5);
        row.flag("when", "errand-later", (turn.dated || turn.later) && turn.does(Act::Errand));
    }

    fn neighbours(&self, index: usize, row: &mut Row) {
        let turn = &self.turns[index];
        let (previous, next) = (self.before(index).next(), self.after(index).next());
        row.acts("previous", previous.map(|other| &self.turns[other].acts));
        row.acts("next", next.map(|other| &self.turns[other].head));
        for (name, other) in [("previous", previous), ("next", next)] {
            let other_turn = other.map(|other| &self.turns[other]);
            row.add(name, "length", other_turn.map_or(0.0, |other| libm::log(1.0 + other.words.len() as f64)));
            row.flag(name, "question", other_turn.is_some_and(|other| other.question));
            row.flag(name, "bare-assent", other_turn.is_some_and(Turn::is_bare_assent));
            row.flag(name, "broken", other_turn.is_some_and(|other| other.broken));
            row.flag(name, "same", other.is_some_and(|other| self.same_speaker(index, other)));
            row.flag(name, "missing", other.is_none());
        }
        let mut taken_up = 0.0;
        let mut refused = 0.0;
        for (name, window) in [
            ("before", self.before(index).take(REACH).collect::<Vec<_>>()),
            ("after", self.after(index).take(REACH).collect()),
        ] {
            let (own, others): (Vec<usize>, Vec<usize>) =
                window.into_iter().partition(|&other| self.same_speaker(index, other));
            for (act, act_name) in ACT_NAMES.iter().enumerate() {
                let count = |list: &[usize]| list.iter().filter(|&&at| self.turns[at].acts[act] > 0.0).count() as f64;
                row.add(if name == "before" { "others-before" } else { "others-after" }, act_name, count(&others));
                row.add(if name == "before" { "own-before" } else { "own-after" }, act_name, count(&own));
            }
            let assents = others.iter().filter(|&&at| self.turns[at].assents()).count() as f64;
            let bare = others.iter().filter(|&&at| self.turns[at].is_bare_assent()).count() as f64;
            let against = others.iter().filter(|&&at| self.turns[at].refuses()).count() as f64;
            let asked = others.iter().filter(|&&at| self.turns[at].question).count() as f64;
            row.add(name, "assents", assents);
            row.add(name, "bare-assents", bare);
            row.add(name, "refusals", against);
            row.add(name, "questions", asked);
            row.flag(name, "assent-unopposed", assents > 0.0 && against == 0.0);
            if name == "after" {
                taken_up = f64::min(assents, 2.0);
                refused = f64::min(against, 2.0);
            }
        }
        for act in [
            Act::Hedge,
            Act::Propose,
            Act::Settle,
            Act::Recap,
            Act::Exclude,
            Act::NegativeQuestion,
            Act::Commit,
            Act::Request,
            Act::Defer,
        ] {
            let does = f64::from(u8::from(turn.does(act) && turn.terms.len() > 1));
            row.add("taken-up", ACT_NAMES[act as usize], does * taken_up);
            row.add("refused", ACT_NAMES[act as usize], does * refused);
        }
        row.add("taken-up", "question", f64::from(u8::from(turn.question)) * taken_up);
        row.add("taken-up", "content", turn.terms.len().min(4) as f64 * taken_up);
    }

    fn echoes(&self, index: usize, row: &mut Row) {
        let turn = &self.turns[index];
        let count = turn.terms.len().max(1) as f64;
        for (name, window) in [
            ("before", self.before(index).take(REACH + 1).collect::<Vec<_>>()),
            ("after", self.after(index).take(REACH + 1).collect()),
        ] {
            let best = |same: bool| {
                let shared = window.iter().filter(|&&other| self.same_speaker(index, other) == same);
                shared.map(|&other| self.shared(index, other)).fold(0.0, f64::max)
            };
            let (others, own) = (best(false), best(true));
            row.add("echo", if name == "before" { "others-before" } else { "others-after" }, others.min(3.0));
            row.add("echo", if name == "before" { "own-before" } else { "own-after" }, own.min(3.0));
            row.add("echo", if name == "before" { "share-before" } else { "share-after" }, others / count);
        }
        // What is talked of for long: how many of the turns around have a word of this one.
        let near = self.before(index).take(2 * AROUND).chain(self.after(index).take(2 * AROUND));
        let on_topic = near.filter(|&other| self.shared(index, other) > 0.0).count() as f64;
        row.add("echo", "around", on_topic / 4.0);
    }

    fn surroundings(&self, index: usize, row: &mut Row) {
        let near: Vec<usize> = self.before(index).take(AROUND).chain(self.after(index).take(AROUND)).collect();
        let count = near.len().max(1) as f64;
        let share = |test: &dyn Fn(usize) -> bool| near.iter().filter(|&&at| test(at)).count() as f64 / count;
        for (act, name) in ACT_NAMES.iter().enumerate() {
            row.add("around", name, share(&|at| self.turns[at].acts[act] > 0.0));
        }
        row.add("around", "assents", share(&|at| self.turns[at].is_bare_assent()));
        row.add("around", "questions", share(&|at| self.turns[at].question));
        row.add("around", "broken", share(&|at| self.turns[at].broken));
        row.add("around", "lead", share(&|at| self.talk.speaker_of[at] == self.lead));
        let words: f64 = near.iter().map(|&at| self.turns[at].words.len() as f64).sum();
        row.add("around", "length", libm::log(1.0 + words / count));
        let mut speakers: Vec<_> = near.iter().filter_map(|&at| self.talk.speaker_of[at]).collect();
        speakers.sort_unstable();
        speakers.dedup();
        row.add("around", "speakers", speakers.len() as f64);
    }

    fn place(&self, index: usize, row: &mut Row) {
        let count = self.spoken.len();
        let is_long = count >= SHORT;
        let (rank, left) = (self.rank[index] as f64, count.saturating_sub(self.rank[index] + 1) as f64);
        let position = if is_long { rank / count as f64 } else { 0.5 };
        row.add("place", "position", position);
        row.add("place", "square", (position - 0.5) * (position - 0.5));
        let within = |distance: f64, limit: f64| is_long && distance < limit;
        for limit in [8.0, 20.0, 40.0] {
            row.flag(
                "place",
                if limit < 10.0 {
                    "last-8"
                } else if limit < 30.0 {
                    "last-20"
                } else {
                    "last-40"
                },
                within(left, limit),
            );
            row.flag(
                "place",
                if limit < 10.0 {
                    "first-8"
                } else if limit < 30.0 {
                    "first-20"
                } else {
                    "first-40"
                },
                within(rank, limit),
            );
        }
        row.flag("talk", "short", !is_long);
        row.add("talk", "length", if is_long { libm::log(self.mean_length.max(1.0)) } else { 2.3 });
    }
}
