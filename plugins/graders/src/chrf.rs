//! chrF (Popović 2015) and chrF++ (Popović 2017), as sacreBLEU computes them of one text.

use rustc_hash::FxHashMap;

use crate::overlap::Overlap;

/// The longest run of characters that is counted.
const CHARACTERS: usize = 6;
/// The longest run of words that chrF++ counts.
const WORDS: usize = 2;
/// Recall weighs so many times what precision does.
const BETA: f64 = 2.0;

/// How much of the runs of characters of two texts is the same, white space left out; with `words` chrF++, which counts runs of
/// words as well.
pub(crate) fn chrf(answer: &str, expected: &str, words: bool) -> Overlap {
    let mut means = Means::default();
    let [one, other] = [answer, expected].map(|text| text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>());
    for order in 1..=CHARACTERS {
        means.add(&one, &other, order);
    }
    if words {
        let [one, other] = [answer, expected].map(words_of);
        for order in 1..=WORDS {
            means.add(&one, &other, order);
        }
    }
    means.overlap()
}

/// Sums over the orders that both texts are long enough for.
#[derive(Default)]
struct Means {
    precision: f64,
    recall: f64,
    orders: f64,
}

impl Means {
    fn add<T: std::hash::Hash + Eq>(&mut self, one: &[T], other: &[T], order: usize) {
        if one.len() < order || other.len() < order {
            return;
        }
        let mut counts: FxHashMap<&[T], usize> = FxHashMap::default();
        for run in other.windows(order) {
            *counts.entry(run).or_default() += 1;
        }
        let mut matches = 0_usize;
        for run in one.windows(order) {
            if let Some(left) = counts.get_mut(run).filter(|left| **left > 0) {
                *left -= 1;
                matches += 1;
            }
        }
        self.precision += matches as f64 / (one.len() - order + 1) as f64;
        self.recall += matches as f64 / (other.len() - order + 1) as f64;
        self.orders += 1.0;
    }

    fn overlap(&self) -> Overlap {
        if self.orders == 0.0 || self.precision + self.recall == 0.0 {
            return Overlap::default();
        }
        let (precision, recall) = (self.precision / self.orders, self.recall / self.orders);
        let squared = BETA * BETA;
        let score = (1.0 + squared) * precision * recall / (squared * precision + recall);
        Overlap { score, precision, recall }
    }
}

/// The words of a text, where one sign of punctuation at the end of a word, or else at its beginning, is a word of its own.
fn words_of(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let (mut first, mut last) = (word.char_indices(), word.char_indices());
        let ((_, first), Some((end, last))) = (first.next().unwrap_or_default(), last.next_back()) else { continue };
        if end == 0 {
            words.push(word);
        } else if last.is_ascii_punctuation() {
            words.extend([&word[..end], &word[end..]]);
        } else if first.is_ascii_punctuation() {
            words.extend([&word[..1], &word[1..]]);
        } else {
            words.push(word);
        }
    }
    words
}
