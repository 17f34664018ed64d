//! The grader `text-overlap`, and its measures.

use jackfield_plugin_api::prelude::*;
use rustc_hash::FxHashMap;

use crate::{
    chrf::chrf,
    grade::{Answered, NO_ANSWER, check_share, six_places},
    plain::{expected_texts, quoted, text_of},
    squad,
};

/// How overlap is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// F1 of words, whatever their order, as the evaluation of SQuAD computes it: in lower case, without ASCII punctuation and
    /// the articles a, an and the.
    #[default]
    TokenF1,
    /// ROUGE-L (Lin 2004): F1 of the longest common subsequence of words, as `rouge-score` computes it without a stemmer. Only
    /// letters from a to z and digits count.
    RougeL,
    /// chrF (Popović 2015): runs of up to six characters, recall weighs twice what precision does, as sacreBLEU computes it.
    Chrf,
    /// chrF++ (Popović 2017): runs of one and two words as well.
    #[serde(rename = "chrf++")]
    ChrfPlusPlus,
}

/// How much of two texts is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Overlap {
    pub(crate) score: f64,
    /// The share of the answer that is expected.
    pub(crate) precision: f64,
    /// The share of what is expected that the answer has.
    pub(crate) recall: f64,
}

impl Overlap {
    /// F1 of so many matches.
    fn of(matches: usize, answer: usize, expected: usize) -> Self {
        if matches == 0 {
            return Self::default();
        }
        let (precision, recall) = (matches as f64 / answer as f64, matches as f64 / expected as f64);
        Self { score: 2.0 * precision * recall / (precision + recall), precision, recall }
    }
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::TokenF1 => "token F1",
            Self::RougeL => "ROUGE-L",
            Self::Chrf => "chrF",
            Self::ChrfPlusPlus => "chrF++",
        }
    }

    pub(crate) fn of(self, answer: &str, expected: &str) -> Overlap {
        match self {
            Self::TokenF1 => token_f1(answer, expected),
            Self::RougeL => rouge_l(answer, expected),
            Self::Chrf => chrf(answer, expected, false),
            Self::ChrfPlusPlus => chrf(answer, expected, true),
        }
    }
}

/// F1 of words, whatever their order. Two texts without words are the same, as in the evaluation of SQuAD 2.
fn token_f1(answer: &str, expected: &str) -> Overlap {
    let [answer, expected] = [answer, expected].map(squad::tokens);
    if answer.is_empty() && expected.is_empty() {
        return Overlap { score: 1.0, precision: 1.0, recall: 1.0 };
    }
    let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
    for word in &expected {
        *counts.entry(word).or_default() += 1;
    }
    let mut matches = 0;
    for word in &answer {
        if let Some(left) = counts.get_mut(&**word).filter(|left| **left > 0) {
            *left -= 1;
            matches += 1;
        }
    }
    Overlap::of(matches, answer.len(), expected.len())
}

/// F1 of the longest common subsequence of words.
fn rouge_l(answer: &str, expected: &str) -> Overlap {
    let [answer, expected] = [answer, expected].map(str::to_lowercase);
    let words = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (answer, expected): (Vec<String>, Vec<String>) = (words(&answer), words(&expected));
    Overlap::of(common_subsequence(&answer, &expected), answer.len(), expected.len())
}

/// The length of the longest common subsequence, by the rows of bits of Hyyrö (2004): 64 words of `one` at a time, so that texts
/// of ten thousand words take milliseconds.
fn common_subsequence(one: &[String], other: &[String]) -> usize {
    let blocks = one.len().div_ceil(64);
    let mut places: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (at, word) in one.iter().enumerate() {
        places.entry(word).or_default().push(at);
    }
    // A 0 is where the subsequence grows; a 1 of `here`, where the word stands.
    let (mut row, mut here) = (vec![u64::MAX; blocks], vec![0_u64; blocks]);
    for word in other {
        let Some(places) = places.get(&**word) else { continue };
        for at in places {
            here[at / 64] |= 1 << (at % 64);
        }
        let mut carry = false;
        for (bits, here) in row.iter_mut().zip(&mut here) {
            let matched = *bits & *here;
            let (sum, first) = bits.overflowing_add(matched);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            *bits = sum | (*bits & !*here);
            *here = 0;
        }
    }
    // The bits beyond the last word stay 1: a carry may run into them, and is undone by what did not match.
    row.iter().map(|bits| bits.count_zeros() as usize).sum()
}

/// An answer passes that has enough in common with the expected text, or with the one of several that it is most like.
#[derive(Clone, Debug, Config)]
pub struct TextOverlap {
    /// How overlap is measured: `token-f1`, `rouge-l`, `chrf` or `chrf++`.
    #[config(default)]
    pub measure: Measure,
    /// The least score that passes. Scores of the measures are not comparable: chrF of texts that have nothing to do with each
    /// other is 0.1 to 0.2.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: f64,
}

/// What `text-overlap` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct OverlapGrade {
    /// The measure, 0 to 1. Six decimal places.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: f64,
    /// Whether it reaches the threshold.
    pub passed: bool,
    /// Why, in a few words.
    pub reason: String,
    /// The share of the answer that is expected.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub precision: f64,
    /// The share of what is expected that the answer has.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub recall: f64,
}

impl Analyzer for TextOverlap {
    const NAME: &'static str = "text-overlap";
    type Input = Answered;
    type Output = OverlapGrade;

    fn open(self) -> Result<Self> {
        check_share("threshold", self.threshold)?;
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "four of six words, and no other".to_owned(),
            config: json!({}),
            input: json!({ "answer": "The owl hunts at night.", "expected": "Owls: an owl hunts mice at night" }),
            output: json!({
                "score": 0.8, "passed": true, "reason": "token F1 with \"Owls: an owl hunts mice at night\" is 0.8",
                "precision": 1.0, "recall": 0.666_667,
            }),
        }]
    }

    async fn analyze(&self, input: Answered, _: &Host<'_>) -> Result<OverlapGrade> {
        let expected = expected_texts(input.expected.as_ref())?;
        let Some(answer) = text_of(&input.answer) else {
            let reason = NO_ANSWER.to_owned();
            return Ok(OverlapGrade { score: 0.0, passed: false, reason, precision: 0.0, recall: 0.0 });
        };
        // The first of those that are equally good.
        let mut best: Option<(Overlap, &String)> = None;
        for text in &expected {
            let overlap = self.measure.of(&answer, text);
            if best.is_none_or(|(best, _)| overlap.score > best.score) {
                best = Some((overlap, text));
            }
        }
        let (overlap, text) = best.expect("something is expected");
        let score = six_places(overlap.score);
        Ok(OverlapGrade {
            score,
            passed: score >= self.threshold,
            reason: format!("{} with {} is {score}", self.measure.name(), quoted(text)),
            precision: six_places(overlap.precision),
            recall: six_places(overlap.recall),
        })
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, check_examples},
    };
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::grade::testing::{run, verdict};

    /// `fixtures/overlap.json`, by `fixtures/make.py`.
    #[derive(Deserialize)]
    struct Case {
        answer: String,
        expected: String,
        token_f1: f64,
        /// Precision, recall, F1.
        rouge_l: (f64, f64, f64),
        chrf: f64,
        chrf_plus_plus: f64,
    }

    #[test]
    fn examples_hold() {
        check_examples(Kind::Analyzer, "text-overlap", &FakeHost::default());
    }

    #[test]
    fn measures_are_those_of_the_usual_implementations() {
        let made: Value = serde_json::from_str(include_str!("../fixtures/overlap.json")).unwrap();
        let cases: Vec<Case> = serde_json::from_value(made["cases"].clone()).unwrap();
        assert!(cases.len() > 200);
        let near = |found: f64, expected: f64, what: &str, case: &Case| {
            assert!(
                (found - expected).abs() < 1e-9,
                "{what} of {:?} and {:?}: {found} {expected}",
                case.answer,
                case.expected
            );
        };
        for case in &cases {
            let of = |measure: Measure| measure.of(&case.answer, &case.expected);
            near(of(Measure::TokenF1).score, case.token_f1, "token F1", case);
            let rouge = of(Measure::RougeL);
            near(rouge.precision, case.rouge_l.0, "precision", case);
            near(rouge.recall, case.rouge_l.1, "recall", case);
            near(rouge.score, case.rouge_l.2, "ROUGE-L", case);
            near(of(Measure::Chrf).score, case.chrf, "chrF", case);
            near(of(Measure::ChrfPlusPlus).score, case.chrf_plus_plus, "chrF++", case);
        }
    }

    #[test]
    fn the_expected_text_that_is_most_like_it_counts() {
        let input = json!({ "answer": "a red car", "expected": ["a blue car", "red car"] });
        let (passed, reason) = verdict("text-overlap", json!({ "threshold": 1 }), input);
        assert_eq!((passed, &*reason), (true, "token F1 with \"red car\" is 1"));
        assert_eq!(verdict("text-overlap", json!({}), json!({ "expected": "x" })), (false, NO_ANSWER.to_owned()));
        assert!(run("text-overlap", json!({ "threshold": 2 }), json!({})).unwrap_err().message().contains("threshold"));
    }

    /// The same by the table of the textbook.
    fn by_table(one: &[String], other: &[String]) -> usize {
        let mut row = vec![0; other.len() + 1];
        for word in one {
            let mut diagonal = 0;
            for at in 0..other.len() {
                let above = row[at + 1];
                row[at + 1] = if *word == other[at] { diagonal + 1 } else { above.max(row[at]) };
                diagonal = above;
            }
        }
        row[other.len()]
    }

    proptest! {
        #[test]
        fn bits_give_what_the_table_gives(
            one in prop::collection::vec("[a-d]", 0..150), other in prop::collection::vec("[a-d]", 0..150),
        ) {
            prop_assert_eq!(common_subsequence(&one, &other), by_table(&one, &other));
        }
    }
}
