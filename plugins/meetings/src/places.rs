//! The places of a talk where something is decided or taken on, found from the scores of its turns.
//!
//! A place is one turn with content and two or three turns close by that are most of it too: the proposal, who takes it up, who
//! settles it. How sure a place is follows from the scores of its turns against those around and those of the whole talk.

use jackfield_text::logistic;

use crate::learning::Target;

/// The other turns of a place lie within so many turns.
const REACH: usize = 5;
/// No other place is looked for within so many turns, unless a turn clearly states something of its own.
const APART: usize = 5;

/// Readers never agree more often than this.
const SUREST: f64 = 0.95;
/// What is decided outright is at least this sure, in log odds: some six in ten of what rules for single sentences find are right.
const OUTRIGHT: f64 = 0.5;
/// A talk of fewer turns is short: there is not much around a place.
const SHORT: usize = 60;

/// How many signals a place has.
pub const PLACE_SIGNALS: usize = 8;
/// Their names.
pub(crate) const PLACE_NAMES: [&str; PLACE_SIGNALS] =
    ["turn", "highest", "second", "mean-of-5", "mean-of-9", "mean-of-33", "mean-of-all", "short"];

/// What is to be known of a turn besides its score.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// Whether it has words.
    pub spoken: bool,
    /// Whether it says enough to be shown.
    pub content: bool,
    /// Whether it states something in so many words, so that it stands for itself.
    pub stated: bool,
    /// Whether it says outright that something is decided, and tells no tale.
    pub outright: bool,
    /// Its content words' stems, in order of number.
    pub terms: Vec<u32>,
}

/// A turn where something is decided or taken on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// The turn to show.
    pub(crate) turn: usize,
    /// The other turns that are part of it, in order.
    pub(crate) others: Vec<usize>,
    /// How sure it is, 0 to 1.
    pub(crate) confidence: f64,
}

/// The scores of a talk's turns.
#[derive(Clone, Debug)]
pub struct Scores<'a> {
    outlines: &'a [Outline],
    /// How many other turns a place has at most.
    others: usize,
    scores: Vec<f64>,
    /// How well each turn shows what is decided or taken on.
    shown: Vec<f64>,
    /// Sums of the scores before each turn.
    sums: Vec<f64>,
}

impl<'a> Scores<'a> {
    /// Takes what is known of each turn, its score, and how well it shows what is decided or taken on.
    #[must_use]
    pub fn new(target: Target, outlines: &'a [Outline], scores: Vec<f64>, shown: Vec<f64>) -> Self {
        // A request has its answer; a proposal is taken up by more than one, and settled.
        let others = match target {
            Target::Decisions => 3,
            Target::Actions => 2,
        };
        let mut sums = vec![0.0];
        for score in &scores {
            sums.push(sums[sums.len() - 1] + score);
        }
        Self { outlines, others, scores, shown, sums }
    }

    /// The mean score of the turns up to `reach` turns away.
    fn mean(&self, turn: usize, reach: usize) -> f64 {
        let (first, end) =
            (turn.saturating_sub(reach), (turn + reach.min(self.scores.len()) + 1).min(self.scores.len()));
        (self.sums[end] - self.sums[first]) / (end - first) as f64
    }

    /// The turns close by that are most of what is decided in a turn, in order, but for those that are `taken`. One that states
    /// something for itself is no part of another place.
    #[must_use]
    pub fn others(&self, turn: usize, taken: &[bool]) -> Vec<usize> {
        let end = (turn + REACH + 1).min(self.scores.len());
        let is_free = |&other: &usize| {
            let is_taken = taken.get(other).is_some_and(|taken| *taken);
            other != turn && self.outlines[other].spoken && !is_taken && !self.stands_alone(turn, other)
        };
        let mut near: Vec<usize> = (turn.saturating_sub(REACH)..end).filter(is_free).collect();
        near.sort_by(|&a, &b| self.scores[b].total_cmp(&self.scores[a]).then(a.cmp(&b)));
        near.truncate(self.others);
        near.sort_unstable();
        near
    }

    /// Whether the other turn clearly states something, and something else.
    fn stands_alone(&self, turn: usize, other: usize) -> bool {
        let (one, two) = (&self.outlines[turn], &self.outlines[other]);
        let shared = two.terms.iter().filter(|term| one.terms.binary_search(term).is_ok()).count();
        let of_its_own = two.terms.len() - shared;
        two.stated && (of_its_own >= 2 || of_its_own > shared)
    }

    /// Whether a turn is the one to show of a place: it has content, and none of the others shows it better.
    #[must_use]
    pub fn is_shown(&self, turn: usize, others: &[usize]) -> bool {
        let is_better = |&other: &usize| {
            let is_free = self.outlines[other].content && !self.stands_alone(other, turn);
            is_free && self.shown[other] > self.shown[turn]
        };
        self.outlines[turn].content && !others.iter().any(is_better)
    }

    /// The signals of a place.
    #[must_use]
    pub fn signals(&self, turn: usize, others: &[usize]) -> [f64; PLACE_SIGNALS] {
        let mut own: Vec<f64> = others.iter().chain([&turn]).map(|&at| self.scores[at]).collect();
        own.sort_by(|a, b| b.total_cmp(a));
        let second = own.get(1).unwrap_or(&own[0]);
        let all = self.mean(turn, self.scores.len());
        let short = f64::from(u8::from(self.scores.len() < SHORT));
        [self.scores[turn], own[0], *second, self.mean(turn, 2), self.mean(turn, 4), self.mean(turn, 16), all, short]
    }

    /// The places of at least this confidence, in order. Of places close to each other the one comes first that is surest and
    /// shows best what it is about, and a turn is part of one place.
    pub(crate) fn places(&self, log_odds: impl Fn(&[f64; PLACE_SIGNALS]) -> f64, least: f64) -> Vec<Place> {
        let place = |turn: usize, taken: &[bool]| {
            let others = self.others(turn, taken);
            let score = log_odds(&self.signals(turn, &others));
            let score = if self.outlines[turn].outright { score.max(OUTRIGHT) } else { score };
            let is_place = logistic(score) >= least && self.is_shown(turn, &others);
            is_place
                .then(|| (score + self.shown[turn], Place { turn, others, confidence: logistic(score).min(SUREST) }))
        };
        let mut open: Vec<(f64, Place)> = (0..self.scores.len()).filter_map(|turn| place(turn, &[])).collect();
        let by_rank = |a: &(f64, Place), b: &(f64, Place)| a.0.total_cmp(&b.0).then(b.1.turn.cmp(&a.1.turn));
        open.sort_by(by_rank);
        let mut taken = vec![false; self.scores.len()];
        let mut chosen: Vec<Place> = Vec::new();
        while let Some((_, best)) = open.pop() {
            let is_near = |other: &&Place| other.turn.abs_diff(best.turn) <= APART;
            if taken[best.turn]
                || chosen.iter().rev().filter(is_near).any(|other| !self.stands_alone(other.turn, best.turn))
            {
                continue;
            }
            if best.others.iter().any(|&other| taken[other]) {
                // What is left of it may do as well, behind others.
                if let Some(rest) = place(best.turn, &taken) {
                    let at = open.partition_point(|other| by_rank(other, &rest).is_lt());
                    open.insert(at, rest);
                }
                continue;
            }
            best.others.iter().chain([&best.turn]).for_each(|&turn| taken[turn] = true);
            chosen.push(best);
        }
        chosen.sort_by_key(|place| place.turn);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::{Outline, Scores};
    use crate::learning::Target;

    fn outlines(stated: &[usize], count: usize) -> Vec<Outline> {
        let outline = |turn: usize| Outline {
            spoken: turn % 4 != 3,
            content: turn.is_multiple_of(4),
            stated: stated.contains(&turn),
            outright: false,
            terms: vec![turn as u32],
        };
        (0..count).map(outline).collect()
    }

    #[test]
    fn a_place_is_a_turn_with_content_and_the_best_turns_around() {
        let outlines = outlines(&[], 20);
        let mut scores = vec![-3.0; 20];
        (scores[8], scores[9], scores[10], scores[11], scores[6]) = (2.0, 1.0, -1.0, 3.0, 0.0);
        let places = Scores::new(Target::Actions, &outlines, scores.clone(), scores).places(|signals| signals[0], 0.5);
        assert_eq!(places.len(), 1);
        assert_eq!((places[0].turn, &places[0].others[..]), (8, &[6, 9][..]));
    }

    #[test]
    fn close_turns_are_one_place_unless_each_states_something() {
        let scores: Vec<f64> =
            (0..20).map(|turn| if turn == 8 { 2.0 } else { f64::from(u8::from(turn == 12)) }).collect();
        let turns = |stated: &[usize]| {
            let outlines = outlines(stated, 20);
            let places = Scores::new(Target::Actions, &outlines, scores.clone(), scores.clone())
                .places(|signals| signals[0], 0.6);
            places.iter().map(|place| place.turn).collect::<Vec<_>>()
        };
        assert_eq!(turns(&[]), [8]);
        assert_eq!(turns(&[12]), [8, 12]);
    }
}
