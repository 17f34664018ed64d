//! Where one topic ends and the next begins.
//!
//! Text segmentation by dynamic programming over the lexical cohesion of whole segments (the objective of Alemi &
//! Ginsparg 2015 with exact search as in Utiyama & Isahara 2001): a topic is worth the length of the sum of its units'
//! vectors, which is long where they point the same way. A unit is a few turns; its vector holds tf-idf weights of
//! content words, and who speaks, for a presentation or a round of questions has its speaker.

use jackfield_text::vectors::{Sparse, inverse_frequencies};

use crate::talk::Talk;

/// A unit has at least so many content words.
const UNIT: usize = 12;
/// A longer transcript gets longer units, so that the work stays linear in its length.
const MOST_UNITS: usize = 600;
/// A unit's vector keeps so many of its weightiest terms.
const MOST_TERMS: usize = 200;
/// Weight of who speaks against what is said, as squares of vector lengths.
const SPEAKER: f64 = 0.3;
/// Weight of the prior on a topic's length: log-normal about the mean, as published spans of topics are.
const EVENNESS: f64 = 0.5;
/// The number of topics grows with the root of the length: one in so many words, four in sixteen times as many.
const WORDS_PER_TOPIC: f64 = 500.0;
/// More topics than this do not give an overview.
const MOST_TOPICS: usize = 200;

/// How many topics a talk of so many words is likely to have.
pub(crate) fn likely_count(words: usize) -> usize {
    ((words as f64 / WORDS_PER_TOPIC).sqrt().round() as usize).clamp(1, MOST_TOPICS)
}

/// A few turns that are not divided.
struct Unit {
    /// Its first segment.
    start: usize,
    terms: Vec<u32>,
    /// Words of each speaker.
    speakers: Vec<(u32, f64)>,
}

/// Indices of the segments where topics begin, but for the first.
pub(crate) fn boundaries(talk: &Talk<'_>, count: usize) -> Vec<usize> {
    let units = units(talk);
    let count = count.min(units.len());
    if count < 2 {
        return Vec::new();
    }
    let worth = Worth::new(talk, &units);
    best_cuts(units.len(), count, &worth).into_iter().map(|cut| units[cut].start).collect()
}

/// The units of a talk, in order; none without segments.
fn units(talk: &Talk<'_>) -> Vec<Unit> {
    let content: usize = (0..talk.sentences.len()).map(|sentence| talk.terms(sentence).len()).sum();
    let least = UNIT.max(content / MOST_UNITS);
    let mut units: Vec<Unit> = Vec::new();
    for segment in 0..talk.segments.len() {
        let full = units.last().is_none_or(|unit| unit.terms.len() >= least && !talk.listening[segment]);
        if full {
            units.push(Unit { start: segment, terms: Vec::new(), speakers: Vec::new() });
        }
        let unit = units.last_mut().expect("the first segment begins a unit");
        for sentence in talk.sentences_of(segment) {
            unit.terms.extend(talk.terms(sentence));
            if let Some(speaker) = talk.speaker_of[segment] {
                unit.speakers.push((speaker as u32, talk.word_ids(sentence).len() as f64));
            }
        }
    }
    units
}

/// What any stretch of units is worth as one topic, from prefix sums.
struct Worth {
    /// `gram[a][b]`: sum of the inner products of the units before `a` with those before `b`.
    gram: Vec<Vec<f64>>,
    /// Share of the content words said before each unit.
    position: Vec<f64>,
}

impl Worth {
    fn new(talk: &Talk<'_>, units: &[Unit]) -> Self {
        let weights = inverse_frequencies(units.iter().map(|unit| &unit.terms[..]), talk.vocabulary.term_count());
        let vectors: Vec<(Sparse, Sparse)> = units
            .iter()
            .map(|unit| {
                let by_terms =
                    Sparse::counts(unit.terms.iter().copied()).weighted(&weights).strongest(MOST_TERMS).normalized();
                (by_terms, Sparse::sums(unit.speakers.iter().copied()).normalized())
            })
            .collect();
        let n = units.len();
        let mut gram = vec![vec![0.0; n + 1]; n + 1];
        for a in 0..n {
            for b in 0..=a {
                let product = vectors[a].0.dot(&vectors[b].0) + SPEAKER * vectors[a].1.dot(&vectors[b].1);
                gram[a + 1][b + 1] = product;
                gram[b + 1][a + 1] = product;
            }
        }
        for a in 1..=n {
            for b in 1..=n {
                gram[a][b] += gram[a - 1][b] + gram[a][b - 1] - gram[a - 1][b - 1];
            }
        }
        let total: usize = units.iter().map(|unit| unit.terms.len()).sum();
        let mut position = vec![0.0; n + 1];
        for (index, unit) in units.iter().enumerate() {
            position[index + 1] = position[index] + unit.terms.len() as f64 / total.max(1) as f64;
        }
        Self { gram, position }
    }

    /// Worth of the units from `a` up to but not with `b`, the whole talk being worth 100.
    fn cohesion(&self, a: usize, b: usize) -> f64 {
        let all = self.gram.last().and_then(|row| row.last()).copied().unwrap_or_default();
        let square = self.gram[b][b] - 2.0 * self.gram[a][b] + self.gram[a][a];
        if all > 0.0 { 100.0 * (square.max(0.0) / all).sqrt() } else { 0.0 }
    }

    /// Worth of the units from `a` up to but not with `b` as one of `count` topics: their cohesion, less for an unusual
    /// length.
    fn as_topic(&self, a: usize, b: usize, count: usize) -> f64 {
        let relative = ((self.position[b] - self.position[a]) * count as f64).max(1e-3);
        let log = libm::log(relative);
        self.cohesion(a, b) - EVENNESS * log * log
    }
}

/// The best division of `n` units into `count` stretches: the unit that each begins with, but for the first.
fn best_cuts(n: usize, count: usize, worth: &Worth) -> Vec<usize> {
    let mut best = vec![f64::NEG_INFINITY; n + 1];
    best[0] = 0.0;
    // Where the last of `k` stretches that end before a unit begins, for each `k` from 1.
    let mut starts_by_count: Vec<Vec<usize>> = Vec::with_capacity(count);
    // The worth of a stretch is needed once for each number of stretches: it is computed once.
    let table: Vec<Vec<f64>> = (0..n).map(|a| (a + 1..=n).map(|b| worth.as_topic(a, b, count)).collect()).collect();
    for k in 1..=count {
        let mut next = vec![f64::NEG_INFINITY; n + 1];
        let mut starts = vec![0; n + 1];
        for b in k..=n {
            for a in k - 1..b {
                let value = best[a] + table[a][b - a - 1];
                if value > next[b] {
                    next[b] = value;
                    starts[b] = a;
                }
            }
        }
        best = next;
        starts_by_count.push(starts);
    }
    let mut cuts = Vec::new();
    let mut end = n;
    for starts in starts_by_count.iter().skip(1).rev() {
        end = starts[end];
        cuts.push(end);
    }
    cuts.reverse();
    cuts
}
