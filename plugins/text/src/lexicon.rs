//! Words of a text in a script without blanks, found in the text itself: what it says again and again is a word.

use std::ops::RangeInclusive;

use rustc_hash::{FxHashMap, FxHashSet};
use unicode_segmentation::UnicodeSegmentation;

use crate::unspaced::{is_ideograph, is_unspaced};

/// A word of Chinese characters has so many at least and at most. Letters of other scripts stand for sounds: it takes more of
/// them to make a word, and two by chance are none.
const SIZES: RangeInclusive<usize> = 2..=6;
/// The same for other scripts.
const SIZES_OF_LETTERS: RangeInclusive<usize> = 4..=20;
/// A stretch of so many Chinese characters that is said once is a word of its own; a longer one is cut into pairs. Of other
/// scripts what is said once is no word.
const LONGEST_ALONE: usize = 4;
/// Words are learned from so many runs of characters, the first ones.
const MOST: usize = 2_000_000;
/// Chinese characters that are words of grammar and seldom part of others: a word ends before and behind them.
const PARTICLES: &str = "的了是我你他她它们这那和就也都吗呢吧啊把被很与及或但说让给着呀嘛咱您這個們嗎對說讓給";

/// Words of scripts without blanks, learned from a text. Words of other scripts it leaves as they are.
#[derive(Debug, Default)]
pub struct Lexicon {
    words: FxHashSet<Box<str>>,
}

impl Lexicon {
    /// Learns from texts that belong together. A word is a run of characters, 2 to 6 of Chinese ones, that comes twice at least,
    /// and not only within a longer one.
    #[must_use]
    pub fn learn<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut counts: FxHashMap<&str, u32> = FxHashMap::default();
        let mut read = 0;
        'texts: for text in texts {
            for stretch in stretches(text).into_iter().filter(|stretch| stretch.is_learned) {
                read += stretch.ends.len() * stretch.sizes().end();
                if read > MOST {
                    break 'texts;
                }
                for run in stretch.runs(text) {
                    *counts.entry(run).or_default() += 1;
                }
            }
        }
        counts.retain(|_, count| *count > 1);
        // What stands within longer ones alone, a longer one that is said as often says.
        let mut within: FxHashSet<&str> = FxHashSet::default();
        for (run, count) in &counts {
            let inner = [
                run.char_indices().nth(1).map(|(at, _)| &run[at..]),
                run.char_indices().next_back().map(|(at, _)| &run[..at]),
            ];
            within.extend(inner.into_iter().flatten().filter(|inner| counts.get(inner) == Some(count)));
        }
        let words = counts.keys().filter(|run| !within.contains(**run)).map(|run| (*run).into()).collect();
        Self { words }
    }

    /// Adds words that are known whether or not they come twice.
    pub fn add<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.words.extend(words.into_iter().filter(|word| word.starts_with(is_unspaced)).map(Box::from));
    }

    /// The words of a text with their offsets: of scripts without blanks those that were learned, the longest at each place,
    /// and what is left between them; all others as UAX #29 bounds them.
    #[must_use]
    pub fn split<'t>(&self, text: &'t str) -> Vec<(usize, &'t str)> {
        let mut found = Vec::new();
        for stretch in stretches(text) {
            if stretch.is_learned {
                self.split_stretch(text, &stretch, &mut found);
            } else {
                found.push((stretch.start, &text[stretch.start..stretch.end()]));
            }
        }
        found
    }

    fn split_stretch<'t>(&self, text: &'t str, stretch: &Stretch, found: &mut Vec<(usize, &'t str)>) {
        let bound = |at: usize| if at == 0 { stretch.start } else { stretch.ends[at - 1] };
        let (least, most) = (*stretch.sizes().start(), *stretch.sizes().end());
        let rest = |from: usize, to: usize| Rest {
            bounds: (from..=to).map(bound).collect(),
            is_ideographic: stretch.is_ideographic,
        };
        let length = stretch.ends.len();
        let (mut left, mut at) = (0, 0);
        while at < length {
            let longest = (least..=most.min(length - at))
                .rev()
                .find(|size| self.words.contains(&text[bound(at)..bound(at + size)]));
            match longest {
                Some(size) => {
                    rest(left, at).push(text, found);
                    found.push((bound(at), &text[bound(at)..bound(at + size)]));
                    at += size;
                    left = at;
                }
                None => at += 1,
            }
        }
        rest(left, at).push(text, found);
    }
}

/// What is left between words. Its characters lie between neighbouring bounds.
struct Rest {
    bounds: Vec<usize>,
    is_ideographic: bool,
}

impl Rest {
    /// Adds its words; of letters each is one by itself, without the marks on it.
    fn push<'t>(&self, text: &'t str, found: &mut Vec<(usize, &'t str)>) {
        let Self { bounds, is_ideographic } = self;
        if !is_ideographic {
            let letter = |pair: &[usize]| {
                let piece = &text[pair[0]..pair[1]];
                (pair[0], &piece[..piece.chars().next().map_or(0, char::len_utf8)])
            };
            found.extend(bounds.windows(2).map(letter));
            return;
        }
        let size = if bounds.len() <= LONGEST_ALONE + 1 { LONGEST_ALONE } else { 2 };
        let mut at = 0;
        while at + 1 < bounds.len() {
            let end = (at + size).min(bounds.len() - 1);
            found.push((bounds[at], &text[bounds[at]..bounds[end]]));
            at = end;
        }
    }
}

/// Characters of a script without blanks that stand together, or one other word.
struct Stretch {
    start: usize,
    /// Where each of its characters ends.
    ends: Vec<usize>,
    /// Whether words are looked for in it.
    is_learned: bool,
    /// Whether its characters are Chinese ones.
    is_ideographic: bool,
}

impl Stretch {
    fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or(self.start)
    }

    /// How many characters a word of it has.
    const fn sizes(&self) -> RangeInclusive<usize> {
        if self.is_ideographic { SIZES } else { SIZES_OF_LETTERS }
    }

    /// All runs of as many characters as a word has.
    fn runs<'s, 't: 's>(&'s self, text: &'t str) -> impl Iterator<Item = &'t str> + 's {
        (0..self.ends.len()).flat_map(move |first| {
            let start = if first == 0 { self.start } else { self.ends[first - 1] };
            self.ends[first..]
                .iter()
                .take(*self.sizes().end())
                .skip(self.sizes().start() - 1)
                .map(move |end| &text[start..*end])
        })
    }
}

fn stretches(text: &str) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    for (start, word) in text.unicode_word_indices() {
        let end = start + word.len();
        // Katakana come as whole words.
        let is_learned =
            word.starts_with(|c| is_unspaced(c) && !is_grammar(c)) && word.graphemes(true).nth(1).is_none();
        let is_ideographic = word.starts_with(is_ideograph);
        match found.last_mut() {
            Some(last)
                if is_learned && last.is_learned && last.is_ideographic == is_ideographic && last.end() == start =>
            {
                last.ends.push(end);
            }
            _ => found.push(Stretch { start, ends: vec![end], is_learned, is_ideographic }),
        }
    }
    found
}

/// Whether a character is a word of grammar: hiragana write little else.
fn is_grammar(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}') || PARTICLES.contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TALK: &str = "我们要决定项目预算。项目预算是五万元，项目经理同意这个预算。";

    fn words(text: &str) -> Vec<&str> {
        Lexicon::learn([text]).split(text).into_iter().map(|(_, word)| word).collect()
    }

    #[test]
    fn what_is_said_again_is_a_word() {
        let found = words(TALK);
        for word in ["项目预算", "项目", "预算"] {
            assert!(found.contains(&word), "{word}: {found:?}");
        }
        assert!(!found.contains(&"目预") && !found.contains(&"目预算"), "{found:?}");
    }

    #[test]
    fn japanese_words_end_where_its_grammar_begins() {
        assert_eq!(
            words("予算を決める。プロジェクトの予算"),
            ["予算", "を", "決", "め", "る", "プロジェクト", "の", "予算"]
        );
    }

    #[test]
    fn thai_words_are_what_is_said_again() {
        let found = words("งบประมาณไม่พอ ต้องขอเพิ่มงบประมาณ");
        assert_eq!(found.iter().filter(|word| **word == "งบประมาณ").count(), 2, "{found:?}");
        assert!(found.iter().all(|word| *word == "งบประมาณ" || word.chars().count() == 1), "{found:?}");
    }

    #[test]
    fn words_with_blanks_between_them_stay() {
        assert_eq!(words("The budget, 예산 бюджет"), ["The", "budget", "예산", "бюджет"]);
    }

    proptest! {
        #[test]
        fn words_are_in_order_and_lose_no_letter(text in "[ก-ฮ一-丏あ-おa-c ，]{0,60}") {
            let found = Lexicon::learn([text.as_str()]).split(&text);
            let mut end = 0;
            for (start, word) in &found {
                prop_assert!(*start >= end && !word.is_empty());
                prop_assert!(!text[end..*start].contains(char::is_alphanumeric));
                end = start + word.len();
            }
            prop_assert!(!text[end..].contains(char::is_alphanumeric));
        }
    }
}
