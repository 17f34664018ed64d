//! Where one topic ends and the next begins.
//!
//! Each turn has log odds that a topic begins there, from trained weights of its signals. The division is the one of greatest
//! sum of these odds and of a prior on the length of topics, found exactly by dynamic programming. How many topics are likely
//! follows from how one talks, for a hearing of long statements is divided into more topics than a conversation of as many
//! words; where the odds do not bear that many out, there are fewer, by a fifth at most.

use std::ops::RangeInclusive;

use crate::{
    boundary_signals::{Signals, spread},
    boundary_weights::{COUNT, SETTINGS, SETTINGS_OF_ANY_LANGUAGE, WEIGHTS, WEIGHTS_OF_ANY_LANGUAGE},
    talk::Talk,
};

/// A topic is hardly ever shorter than so many words, nor than so many turns.
const LEAST_WORDS: f64 = 400.0;
const LEAST_TURNS: f64 = 6.0;
/// A topic is hardly ever longer than so many words.
const MOST_WORDS: f64 = 6000.0;
/// Turns of this many words on average are the longest that the number of topics was learned from.
const MOST_WORDS_A_TURN: f64 = 90.0;
/// More topics than this do not give an overview.
const MOST_TOPICS: usize = 200;
/// There are so many of the likely number of topics at least, as a share.
const FEWEST: f64 = 0.8;
/// A topic may begin at a turn whose odds are the best of so many on either side.
const APART: usize = 3;
/// So many of these turns are considered, those of best odds, so that the work does not grow with the square of the length.
const MOST_CANDIDATES: usize = 600;

/// How the odds are turned into a division.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Weight of the prior on a topic's length, which is log-normal about the mean: the greater, the more even.
    pub evenness: f64,
    /// Odds count for the turns around them as well: half of them are spread by a normal curve of this deviation, in turns.
    pub spread: f64,
    /// A topic more is worth it where the odds are so many standard deviations above their mean.
    pub distinct: f64,
}

/// How many topics there are to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counts {
    /// As many as this on average: the mean length of a topic follows.
    pub(crate) likely: f64,
    /// No fewer and no more than these.
    pub(crate) range: RangeInclusive<usize>,
}

impl Counts {
    /// This many.
    pub(crate) fn exactly(count: usize) -> Self {
        Self { likely: count as f64, range: count..=count }
    }

    /// Whether there is one topic, whatever is said.
    pub(crate) fn is_one(&self) -> bool {
        *self.range.end() < 2
    }

    /// As many as are likely, or fewer.
    pub(crate) fn about(likely: f64) -> Self {
        let rounded = |count: f64| (count.round() as usize).clamp(1, MOST_TOPICS);
        Self { likely, range: rounded(FEWEST * likely)..=rounded(likely) }
    }
}

/// How the number of topics follows from how one talks: the logarithm of it for turns of one word, and what each factor of e
/// in the mean length of a turn adds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CountModel {
    pub(crate) base: f64,
    pub(crate) by_turn_length: f64,
}

impl CountModel {
    /// How many topics a talk of so many words in so many turns is likely to have; 1 at least.
    pub(crate) fn likely(self, words: f64, turns: f64) -> f64 {
        let turn_length = turn_length(words, turns);
        let learned = libm::exp(self.base + self.by_turn_length * libm::log(turn_length));
        learned.max(words / MOST_WORDS).min(words / LEAST_WORDS).min(turns / LEAST_TURNS).clamp(1.0, MOST_TOPICS as f64)
    }
}

/// Mean length of a turn in words, within the range that the number of topics was learned from.
pub(crate) fn turn_length(words: f64, turns: f64) -> f64 {
    (words / turns.max(1.0)).clamp(1.0, MOST_WORDS_A_TURN)
}

/// How many topics a talk is to have: so many, or for 0 as many as are likely.
pub(crate) fn counts(talk: &Talk<'_>, count: usize) -> Counts {
    match count {
        0 => Counts::about(COUNT.likely(talk.word_count() as f64, talk.segments.len() as f64)),
        count => Counts::exactly(count),
    }
}

/// Indices of the segments where topics begin, but for the first. `vectors` are those of the talk's
/// [units](crate::boundary_likeness::unit_texts), where a model embeds them.
pub(crate) fn boundaries(talk: &Talk<'_>, counts: &Counts, vectors: Option<&[Vec<f32>]>) -> Vec<usize> {
    if counts.is_one() {
        return Vec::new();
    }
    let signals = Signals::new(talk, vectors);
    if signals.is_english {
        divide(&signals, &WEIGHTS, SETTINGS, counts)
    } else {
        divide(&signals, &WEIGHTS_OF_ANY_LANGUAGE, SETTINGS_OF_ANY_LANGUAGE, counts)
    }
}

/// The best division of a talk into so many topics, or into as many as it has turns if these are fewer: the turns where
/// topics begin, but for the first.
pub(crate) fn divide(signals: &Signals, weights: &[f64], settings: Settings, counts: &Counts) -> Vec<usize> {
    let turns = signals.turns();
    let cuts = |count: usize| count.min(turns).saturating_sub(1);
    let range = cuts(*counts.range.start())..=cuts(*counts.range.end());
    if *range.end() == 0 {
        return Vec::new();
    }
    let sharp = signals.weighed(weights);
    let least = mean(&sharp) + settings.distinct * deviation(&sharp);
    let odds = soft_odds(&sharp, settings.spread);
    let candidates = candidates(signals, &odds, *range.end());
    let stretches = Stretches::new(signals, &candidates, counts.likely, settings.evenness);
    stretches.best_cuts(&odds, range, least)
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len().max(1) as f64
}

/// The standard deviation.
fn deviation(numbers: &[f64]) -> f64 {
    let mean = mean(numbers);
    (numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / numbers.len().max(1) as f64).sqrt()
}

/// Log odds that count for the turns around them as well.
fn soft_odds(sharp: &[f64], deviation: f64) -> Vec<f64> {
    /// Beyond this, odds are as good as certain.
    const MOST: f64 = 20.0;
    let likelihoods: Vec<f64> = sharp.iter().map(|odds| libm::exp(odds.clamp(-MOST, MOST))).collect();
    let soft = spread(&likelihoods, deviation, libm::ceil(3.0 * deviation) as usize);
    sharp.iter().zip(soft).map(|(sharp, soft)| 0.5 * sharp + 0.5 * libm::log(soft.max(1e-9))).collect()
}

/// Turns at which a topic may begin, in order; `least` at least.
fn candidates(signals: &Signals, odds: &[f64], least: usize) -> Vec<usize> {
    let turns = odds.len();
    // A sign of listening opens no topic, unless nothing else is said.
    for (apart, with_listeners) in [(APART, false), (0, false), (0, true)] {
        let may_begin = |turn: &usize| with_listeners || !signals.listening[*turn];
        let is_best = |turn: &usize| {
            let near = turn.saturating_sub(apart).max(1)..turns.min(turn + apart + 1);
            near.filter(may_begin).all(|other| {
                // Of two with the same odds, the first.
                odds[other] < odds[*turn] || (odds[other] == odds[*turn] && other >= *turn)
            })
        };
        let mut found: Vec<usize> = (1..turns).filter(may_begin).filter(is_best).collect();
        if found.len() >= least || with_listeners {
            found.sort_by(|&a, &b| odds[b].total_cmp(&odds[a]).then(a.cmp(&b)));
            found.truncate(MOST_CANDIDATES.max(least));
            found.sort_unstable();
            return found;
        }
    }
    Vec::new()
}

/// The stretches of a talk between turns at which a topic may begin.
struct Stretches<'a> {
    candidates: &'a [usize],
    /// For each place a topic may begin at, what is added for a topic that ends at each of the places after it. The first
    /// place is the beginning of the talk, the last one its end.
    priors: Vec<Vec<f64>>,
}

impl<'a> Stretches<'a> {
    fn new(signals: &Signals, candidates: &'a [usize], likely: f64, evenness: f64) -> Self {
        let turns = signals.turns();
        let words = signals.words_before[turns].max(1.0);
        // A topic is as long as it has words and turns, each as a share of the whole.
        let place = |turn: usize| 0.5 * signals.words_before[turn] / words + 0.5 * turn as f64 / turns as f64;
        let mut places = vec![0.0];
        places.extend(candidates.iter().map(|&turn| place(turn)));
        places.push(1.0);
        let prior = |a: usize, b: usize| {
            let log = libm::log(((places[b] - places[a]) * likely).max(1e-3));
            -evenness * log * log
        };
        let end = places.len() - 1;
        Self { candidates, priors: (0..end).map(|a| (a + 1..=end).map(|b| prior(a, b)).collect()).collect() }
    }

    /// The candidates of greatest worth, so many of them; of two numbers of them, one more has to be worth `least`.
    fn best_cuts(&self, odds: &[f64], range: RangeInclusive<usize>, least: f64) -> Vec<usize> {
        let end = self.priors.len();
        let mut best = vec![f64::NEG_INFINITY; end + 1];
        best[0] = 0.0;
        // Where the last of `k` stretches that end at a place begins, for each `k` from 1.
        let mut starts_by_count: Vec<Vec<usize>> = Vec::with_capacity(range.end() + 1);
        let (mut best_count, mut best_worth) = (*range.start(), f64::NEG_INFINITY);
        for cuts in 0..=*range.end() {
            let mut next = vec![f64::NEG_INFINITY; end + 1];
            let mut starts = vec![0; end + 1];
            for b in cuts + 1..=end {
                let odds = if b == end { 0.0 } else { odds[self.candidates[b - 1]] };
                for (a, before) in best.iter().enumerate().take(b).skip(cuts) {
                    let value = before + self.priors[a][b - a - 1] + odds;
                    if value > next[b] {
                        next[b] = value;
                        starts[b] = a;
                    }
                }
            }
            best = next;
            starts_by_count.push(starts);
            let worth = best[end] - least * cuts as f64;
            if range.contains(&cuts) && worth > best_worth {
                (best_count, best_worth) = (cuts, worth);
            }
        }
        let mut chosen = Vec::with_capacity(best_count);
        let mut at = end;
        for starts in starts_by_count[1..=best_count].iter().rev() {
            at = starts[at];
            chosen.push(self.candidates[at - 1]);
        }
        chosen.reverse();
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_statements_make_more_topics_than_short_turns_and_a_long_talk_more_than_a_short_one() {
        let hearing = COUNT.likely(11_000.0, 150.0);
        let conversation = COUNT.likely(11_000.0, 1100.0);
        assert!(hearing > conversation && conversation > 1.0, "{hearing}, {conversation}");
        assert!(COUNT.likely(100_000.0, 10_000.0) > conversation);
        assert_eq!(Counts::about(COUNT.likely(300.0, 30.0)).range, 1..=1);
        assert_eq!(Counts::about(COUNT.likely(3000.0, 1.0)).range, 1..=1);
        assert_eq!(Counts::about(COUNT.likely(0.0, 0.0)).range, 1..=1);
        assert_eq!(*Counts::about(COUNT.likely(1e9, 1e7)).range.end(), MOST_TOPICS);
    }
}
