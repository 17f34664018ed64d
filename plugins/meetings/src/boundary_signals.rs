//! What speaks for a topic beginning at a turn, as numbers that do not depend on how long a talk is.
//!
//! Four things do: words that come up and words that are used no more (lexical chains, as in LCseg of Galley et al. 2003), talk
//! that is unlike the talk before it, another speaker who takes over, and what a chair says to pass on (only where the talk is
//! in English).

use jackfield_text::language::Language;

use crate::{
    boundary_cues::{Cues, GROUP_NAMES, GROUPS},
    boundary_likeness::{self, STRETCHES},
    talk::Talk,
};

/// A chain of uses of a word breaks where it is not used for so many words.
const HIATUSES: [f64; 2] = [600.0, 1500.0];
/// Chains that begin and end are counted within so many words.
const CHAIN_WINDOWS: [f64; 2] = [150.0, 400.0];
/// Who speaks is compared over so many words before and after.
const SPEAKER_WINDOWS: [f64; 3] = [120.0, 300.0, 700.0];
/// Who takes over is looked for within the first two of these.
const TAKING_OVER: usize = 2;
/// Over so many of the turns that follow, their length is averaged.
const LENGTH_WINDOWS: [usize; 2] = [4, 15];
/// The longest turn is looked for among so many.
const LONGEST_OF: usize = 5;
/// No window has more turns on one side, however few words these have.
const MOST_TURNS: usize = 400;
/// Cues count for the turns around them, by a normal curve of this deviation.
const CUE_SPREAD: f64 = 1.7;
/// Beyond so many turns they do not.
const CUE_REACH: usize = 4;

/// Signals that are known of a talk in any language.
pub(crate) const OF_ANY_LANGUAGE: usize = 2 * HIATUSES.len() * CHAIN_WINDOWS.len()
    + STRETCHES.len()
    + SPEAKER_WINDOWS.len()
    + TAKING_OVER
    + LENGTH_WINDOWS.len()
    + 1;
/// Signals of cues around a turn: each group of them, then markers, `now`, and announcements counted in two ways.
const OF_CUES: usize = GROUPS + 4;
/// Signals of who leads the talk.
const OF_CHAIR: usize = 4;
/// Signals that are made of English words.
const OF_ENGLISH: usize = OF_CUES + OF_CHAIR;
/// How many signals a turn has.
pub(crate) const SIGNALS: usize = OF_ANY_LANGUAGE + OF_ENGLISH;

/// What each signal is called.
pub(crate) fn names() -> Vec<String> {
    let mut names = Vec::with_capacity(SIGNALS);
    for hiatus in HIATUSES {
        for window in CHAIN_WINDOWS {
            names.push(format!("chains of hiatus {hiatus} that begin within {window} words"));
            names.push(format!("chains of hiatus {hiatus} that end within {window} words"));
        }
    }
    names.extend(STRETCHES.map(|units| format!("unlikeness of {units} units")));
    names.extend(SPEAKER_WINDOWS.map(|window| format!("other speakers within {window} words")));
    names
        .extend(SPEAKER_WINDOWS[..TAKING_OVER].iter().map(|window| format!("a speaker takes over for {window} words")));
    names.extend(LENGTH_WINDOWS.map(|turns| format!("length of the next {turns} turns")));
    names.push(format!("longest of {LONGEST_OF} turns"));
    names.extend(GROUP_NAMES.map(|group| format!("cues of {group}")));
    names.extend(["discourse markers", "now", "announcements, weighed", "announcements"].map(str::to_owned));
    names
        .extend(["the chair", "the chair beside", "the chair with a marker", "the chair announces"].map(str::to_owned));
    names
}

/// A talk as far as its division is concerned.
pub(crate) struct Signals {
    /// Each signal of every turn, in the order of [`names`].
    columns: Vec<Vec<f64>>,
    /// Words said before each turn, with one entry more for the end.
    pub(crate) words_before: Vec<f64>,
    /// Whether each turn only shows that its speaker listens.
    pub(crate) listening: Vec<bool>,
    /// Whether the signals of English words are known.
    pub(crate) is_english: bool,
}

/// Words of each turn.
fn lengths(talk: &Talk<'_>) -> Vec<f64> {
    let words = |turn: usize| talk.sentences_of(turn).map(|sentence| talk.word_ids(sentence).len()).sum::<usize>();
    (0..talk.segments.len()).map(|turn| words(turn) as f64).collect()
}

/// Words said before each turn, with one entry more for the end.
pub(crate) fn words_before(talk: &Talk<'_>) -> Vec<f64> {
    let mut before = vec![0.0];
    for length in lengths(talk) {
        before.push(before[before.len() - 1] + length);
    }
    before
}

impl Signals {
    /// `vectors` are those of the talk's [units](boundary_likeness::unit_texts), where a model embeds them.
    pub(crate) fn new(talk: &Talk<'_>, vectors: Option<&[Vec<f32>]>) -> Self {
        let turns = talk.segments.len();
        let (lengths, words_before) = (lengths(talk), words_before(talk));
        let ruler = Ruler { words_before: &words_before };
        let mut columns: Vec<Vec<f64>> = Vec::with_capacity(SIGNALS);
        for hiatus in HIATUSES {
            let chains = Chains::new(talk, &ruler, hiatus);
            for window in CHAIN_WINDOWS {
                columns.push(scaled((0..turns).map(|turn| chains.begin(&ruler, turn, window)).collect()));
                columns.push(scaled((0..turns).map(|turn| chains.end(&ruler, turn, window)).collect()));
            }
        }
        columns.append(&mut boundary_likeness::unlikeness(talk, &words_before, vectors));
        speakers(talk, &ruler, &lengths, &mut columns);
        turn_lengths(&lengths, &mut columns);
        let is_english = talk.language == Language::English;
        if is_english {
            cues(talk, &mut columns);
        }
        Self { columns, words_before, listening: talk.listening.clone(), is_english }
    }

    pub(crate) fn turns(&self) -> usize {
        self.listening.len()
    }

    /// The signals of one turn; of a talk in another language than English those of English words are 0.
    pub(crate) fn row(&self, turn: usize) -> Vec<f64> {
        let mut row: Vec<f64> = self.columns.iter().map(|column| column[turn]).collect();
        row.resize(SIGNALS, 0.0);
        row
    }

    /// For each turn, the sum of its signals by their weights.
    pub(crate) fn weighed(&self, weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.turns()];
        for (column, weight) in self.columns.iter().zip(weights) {
            sums.iter_mut().zip(column).for_each(|(sum, signal)| *sum += signal * weight);
        }
        sums
    }
}

/// Measures distances in words.
struct Ruler<'a> {
    words_before: &'a [f64],
}

impl Ruler<'_> {
    fn turns(&self) -> usize {
        self.words_before.len() - 1
    }

    /// The first turn of those that lie within so many words before a turn; that before it at least, where there is one.
    fn start(&self, turn: usize, words: f64) -> usize {
        let from = self.words_before[turn] - words;
        let first = self.words_before[..=turn].partition_point(|&before| before < from);
        first.min(turn.saturating_sub(1)).max(turn.saturating_sub(MOST_TURNS))
    }

    /// The end of those that lie within so many words from a turn on; that turn at least.
    fn end(&self, turn: usize, words: f64) -> usize {
        let to = self.words_before[turn] + words;
        let end = turn + self.words_before[turn..].partition_point(|&before| before < to);
        end.max(turn + 1).min(self.turns()).min(turn + MOST_TURNS)
    }
}

/// Where words come up and where they are used no more: running sums of what the chains weigh.
struct Chains {
    begun: Vec<f64>,
    ended: Vec<f64>,
}

impl Chains {
    fn new(talk: &Talk<'_>, ruler: &Ruler<'_>, hiatus: f64) -> Self {
        /// A chain of one sentence is taken to be so long.
        const SHORTEST: f64 = 20.0;
        let turns = ruler.turns();
        let total = ruler.words_before[turns];
        let mut begun = vec![0.0; turns + 1];
        let mut ended = vec![0.0; turns + 1];
        // Of each term, the chain that it is in: its first turn, its last one, and how often it is used.
        let mut open: Vec<Option<(usize, usize, usize)>> = vec![None; talk.vocabulary.term_count()];
        let mut close = |(first, last, uses): (usize, usize, usize)| {
            if uses > 1 {
                let length = (ruler.words_before[last + 1] - ruler.words_before[first]).max(SHORTEST);
                // A chain weighs more where it is denser (Galley et al. 2003).
                let weight = uses as f64 * libm::log((total / length).max(1.0));
                begun[first + 1] += weight;
                ended[last + 1] += weight;
            }
        };
        for turn in 0..turns {
            for term in talk.sentences_of(turn).flat_map(|sentence| talk.terms(sentence)) {
                let chain = &mut open[term as usize];
                *chain = match *chain {
                    Some((first, last, uses)) if ruler.words_before[turn] - ruler.words_before[last] <= hiatus => {
                        Some((first, turn, uses + 1))
                    }
                    before => {
                        before.into_iter().for_each(&mut close);
                        Some((turn, turn, 1))
                    }
                };
            }
        }
        open.into_iter().flatten().for_each(&mut close);
        for sums in [&mut begun, &mut ended] {
            for at in 1..sums.len() {
                sums[at] += sums[at - 1];
            }
        }
        Self { begun, ended }
    }

    /// Chains that begin from a turn on, less those that begin before it.
    fn begin(&self, ruler: &Ruler<'_>, turn: usize, window: f64) -> f64 {
        let (start, end) = (ruler.start(turn, window), ruler.end(turn, window));
        (self.begun[end] - self.begun[turn]) - (self.begun[turn] - self.begun[start])
    }

    /// Chains that end before a turn, less those that end from it on.
    fn end(&self, ruler: &Ruler<'_>, turn: usize, window: f64) -> f64 {
        let (start, end) = (ruler.start(turn, window), ruler.end(turn, window));
        (self.ended[turn] - self.ended[start]) - (self.ended[end] - self.ended[turn])
    }
}

/// The numbers divided by their standard deviation.
fn scaled(mut numbers: Vec<f64>) -> Vec<f64> {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let deviation = (numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count).sqrt();
    if deviation > 0.0 {
        numbers.iter_mut().for_each(|x| *x /= deviation);
    }
    numbers
}

/// By how much the shares of the speakers differ before and after each turn (total variation, 0 to 1), and by how much the
/// share of the one who says most after it grows.
fn speakers(talk: &Talk<'_>, ruler: &Ruler<'_>, lengths: &[f64], columns: &mut Vec<Vec<f64>>) {
    let turns = ruler.turns();
    let mut differ = vec![vec![0.0; turns]; SPEAKER_WINDOWS.len()];
    let mut grows = vec![vec![0.0; turns]; SPEAKER_WINDOWS.len()];
    // Words of each speaker before and after; only those of `met` are not 0.
    let mut said = vec![[0.0; 2]; talk.speakers.len()];
    let mut met: Vec<usize> = Vec::new();
    for (at, window) in SPEAKER_WINDOWS.into_iter().enumerate() {
        for turn in 1..turns {
            let sides = [ruler.start(turn, window)..turn, turn..ruler.end(turn, window)];
            let mut totals = [0.0; 2];
            for (side, range) in sides.into_iter().enumerate() {
                for near in range {
                    let Some(speaker) = talk.speaker_of[near] else { continue };
                    if said[speaker] == [0.0; 2] {
                        met.push(speaker);
                    }
                    said[speaker][side] += lengths[near];
                    totals[side] += lengths[near];
                }
            }
            let (mut variation, mut most, mut growth) = (0.0, 0.0, 0.0);
            for &speaker in &met {
                let [before, after] = [0, 1].map(|side| said[speaker][side] / totals[side].max(1.0));
                if after > most {
                    most = after;
                    growth = after - before;
                }
                variation += (after - before).abs() / 2.0;
                said[speaker] = [0.0; 2];
            }
            met.clear();
            differ[at][turn] = variation;
            grows[at][turn] = growth;
        }
    }
    grows.truncate(TAKING_OVER);
    columns.append(&mut differ);
    columns.append(&mut grows);
}

/// How long the turns are that follow, against all turns, on a scale of logarithms: a presentation or a statement stands out.
fn turn_lengths(lengths: &[f64], columns: &mut Vec<Vec<f64>>) {
    let turns = lengths.len();
    let logs: Vec<f64> = lengths.iter().map(|&length| libm::log1p(length)).collect();
    let mean = logs.iter().sum::<f64>() / turns.max(1) as f64;
    for window in LENGTH_WINDOWS {
        let of_turn = |turn: usize| {
            let next = &logs[turn..turns.min(turn + window)];
            next.iter().sum::<f64>() / next.len().max(1) as f64 - mean
        };
        columns.push((0..turns).map(of_turn).collect());
    }
    let longest = |turn: usize| logs[turn..turns.min(turn + LONGEST_OF)].iter().fold(0.0, |a: f64, &b| a.max(b)) - mean;
    columns.push((0..turns).map(longest).collect());
}

/// The cues of the turns around each one, and what the chair does in it.
fn cues(talk: &Talk<'_>, columns: &mut Vec<Vec<f64>>) {
    let turns = talk.segments.len();
    let cues: Vec<Cues> = (0..turns)
        .map(|turn| {
            let words: Vec<&str> = talk.sentences_of(turn).flat_map(|sentence| talk.words(sentence)).collect();
            Cues::of(&words)
        })
        .collect();
    let mut around = vec![vec![0.0; turns]; OF_CUES];
    for (turn, cues) in cues.iter().enumerate() {
        let (announcing, marked) = (cues.announcing(), flag(cues.marked));
        let weighed = announcing.min(4) as f64 * (1.0 + marked);
        let values = cues.groups.map(flag).into_iter().chain([marked, flag(cues.now), weighed, flag(announcing >= 2)]);
        around.iter_mut().zip(values).for_each(|(column, value)| column[turn] = value);
    }
    columns.extend(around.iter().map(|column| spread(column, CUE_SPREAD, CUE_REACH)));

    let chair = chair(talk, &cues);
    let leads = |turn: usize| chair.is_some() && talk.speaker_of[turn] == chair;
    let beside = |turn: usize| (turn > 0 && leads(turn - 1)) || (turn + 1 < turns && leads(turn + 1));
    columns.push((0..turns).map(|turn| flag(leads(turn))).collect());
    columns.push((0..turns).map(|turn| flag(beside(turn))).collect());
    columns.push((0..turns).map(|turn| flag(leads(turn) && cues[turn].marked)).collect());
    columns.push((0..turns).map(|turn| flag(leads(turn) && cues[turn].announcing() > 0)).collect());
}

/// Who leads the talk: who announces most, of two who announce as much the one who spoke first. Nobody where nobody does.
fn chair(talk: &Talk<'_>, cues: &[Cues]) -> Option<usize> {
    let mut announced = vec![0; talk.speakers.len()];
    for (speaker, cues) in talk.speaker_of.iter().zip(cues) {
        if let Some(speaker) = *speaker
            && cues.marked
        {
            announced[speaker] += cues.announcing();
        }
    }
    (0..announced.len())
        .filter(|&speaker| announced[speaker] > 0)
        .max_by_key(|&speaker| (announced[speaker], usize::MAX - speaker))
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

/// Each number's share of those around it: a normal curve of this deviation, cut off at `reach`.
pub(crate) fn spread(numbers: &[f64], deviation: f64, reach: usize) -> Vec<f64> {
    let weights: Vec<f64> = (0..=reach)
        .map(|distance| {
            let relative = distance as f64 / deviation;
            libm::exp(-0.5 * relative * relative)
        })
        .collect();
    let total = 2.0 * weights.iter().sum::<f64>() - weights[0];
    let around = |at: usize| {
        let near = at.saturating_sub(reach)..numbers.len().min(at + reach + 1);
        near.map(|other| weights[at.abs_diff(other)] * numbers[other]).sum::<f64>() / total
    };
    (0..numbers.len()).map(around).collect()
}
