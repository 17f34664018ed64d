//! How unlike what is said before a turn is to what is said from it on, though the words differ.
//!
//! Two stretches need not share a word to be about one thing: they are alike if they are like the same other stretches of the
//! talk (similarity of the second order, in the spirit of the latent semantic analysis of Choi, Wiemer-Hastings & Moore 2001).
//! So the talk is cut into units of a few turns, each is described by its cosines with all of them, and these descriptions
//! are compared. Where a model embeds the units, its vectors describe them instead.

use jackfield_text::{
    clean::without_marks,
    vectors::{Sparse, inverse_frequencies},
};

use crate::talk::Talk;

/// A unit has so many words at least.
const UNIT: f64 = 60.0;
/// A longer talk gets longer units, so that the work does not grow with the square of its length.
const MOST_UNITS: f64 = 600.0;
/// Stretches of so many units before and after are compared.
pub(crate) const STRETCHES: [usize; 3] = [3, 6, 12];

/// For each length of a stretch, the unlikeness at every turn, in standard deviations from the mean over the talk. `vectors`
/// are those of the [units](units) by a model, one each and all of one length.
pub(crate) fn unlikeness(talk: &Talk<'_>, words_before: &[f64], vectors: Option<&[Vec<f32>]>) -> Vec<Vec<f64>> {
    let turns = words_before.len() - 1;
    let starts = units(words_before);
    if starts.len() < 2 {
        return vec![vec![0.0; turns]; STRETCHES.len()];
    }
    let descriptions = match vectors {
        Some(vectors) => centred(vectors.iter().map(|vector| vector.iter().map(|&x| f64::from(x)).collect()).collect()),
        None => centred(cosines(talk, &starts)),
    };
    let sums = running_sums(&descriptions);
    let at: Vec<f64> = starts.iter().map(|&start| words_before[start]).collect();
    let of_stretch = |stretch: usize| {
        let mut of_units: Vec<f64> = (0..starts.len()).map(|unit| unlikeness_at(&sums, unit, stretch)).collect();
        let others = (of_units.len() - 1) as f64;
        of_units[0] = of_units[1..].iter().sum::<f64>() / others;
        standardize(&mut of_units);
        (0..turns).map(|turn| interpolated(&at, &of_units, words_before[turn])).collect()
    };
    STRETCHES.map(of_stretch).into()
}

/// What is said in each unit.
pub(crate) fn unit_texts(talk: &Talk<'_>, words_before: &[f64]) -> Vec<String> {
    let starts = units(words_before);
    let text = |unit: usize| {
        let segments = &talk.segments[starts[unit]..end_of(&starts, unit, talk.segments.len())];
        without_marks(&segments.iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(" "))
    };
    (0..starts.len()).map(text).collect()
}

/// The turn after the last one of a unit.
fn end_of(starts: &[usize], unit: usize, turns: usize) -> usize {
    starts.get(unit + 1).copied().unwrap_or(turns)
}

/// The first turns of the units.
fn units(words_before: &[f64]) -> Vec<usize> {
    let turns = words_before.len() - 1;
    let least = UNIT.max(words_before[turns] / MOST_UNITS);
    let mut starts: Vec<usize> = Vec::new();
    for turn in 0..turns {
        if starts.last().is_none_or(|&start| words_before[turn] - words_before[start] >= least) {
            starts.push(turn);
        }
    }
    starts
}

/// Each unit's cosines with all others, by the words of both.
fn cosines(talk: &Talk<'_>, starts: &[usize]) -> Vec<Vec<f64>> {
    let count = starts.len();
    let terms: Vec<Vec<u32>> = (0..count)
        .map(|unit| {
            let turns = starts[unit]..end_of(starts, unit, talk.segments.len());
            turns.flat_map(|turn| talk.sentences_of(turn)).flat_map(|sentence| talk.terms(sentence)).collect()
        })
        .collect();
    let weights = inverse_frequencies(terms.iter().map(|terms| &terms[..]), talk.vocabulary.term_count());
    let vectors: Vec<Sparse> =
        terms.iter().map(|terms| Sparse::counts(terms.iter().copied()).weighted(&weights).normalized()).collect();
    let mut rows = vec![vec![0.0; count]; count];
    for a in 0..count {
        for b in 0..a {
            let cosine = vectors[a].dot(&vectors[b]);
            rows[a][b] = cosine;
            rows[b][a] = cosine;
        }
    }
    rows
}

/// The rows less their mean, each made to be of length 1.
fn centred(mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let count = rows.len() as f64;
    let mut means = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in &rows {
        means.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / count);
    }
    for row in &mut rows {
        row.iter_mut().zip(&means).for_each(|(x, mean)| *x -= mean);
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 0.0 {
            row.iter_mut().for_each(|x| *x /= norm);
        }
    }
    rows
}

/// Before each row the sum of those before it, and last the sum of all.
fn running_sums(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut sums = vec![vec![0.0; rows.first().map_or(0, Vec::len)]];
    for row in rows {
        sums.push(sums[sums.len() - 1].iter().zip(row).map(|(sum, x)| sum + x).collect());
    }
    sums
}

/// The cosine of what lies before a unit with what lies from it on, with its sign changed.
fn unlikeness_at(sums: &[Vec<f64>], unit: usize, stretch: usize) -> f64 {
    let start = &sums[unit.saturating_sub(stretch)];
    let end = &sums[(unit + stretch).min(sums.len() - 1)];
    let (mut product, mut before_square, mut after_square) = (0.0, 0.0, 0.0);
    for ((start, here), end) in start.iter().zip(&sums[unit]).zip(end) {
        let (before, after) = (here - start, end - here);
        product += before * after;
        before_square += before * before;
        after_square += after * after;
    }
    let norms = (before_square * after_square).sqrt();
    if norms > 0.0 { -product / norms } else { 0.0 }
}

/// The numbers, less their mean and divided by their standard deviation.
fn standardize(numbers: &mut [f64]) {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let deviation = (numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count).sqrt();
    numbers.iter_mut().for_each(|x| *x = if deviation > 0.0 { (*x - mean) / deviation } else { 0.0 });
}

/// The number at a place between two places where it is known.
fn interpolated(at: &[f64], numbers: &[f64], place: f64) -> f64 {
    let next = at.partition_point(|&known| known <= place);
    if next == 0 {
        return numbers[0];
    }
    if next == at.len() {
        return numbers[next - 1];
    }
    let share = (place - at[next - 1]) / (at[next] - at[next - 1]);
    numbers[next - 1] + share * (numbers[next] - numbers[next - 1])
}
