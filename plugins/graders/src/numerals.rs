//! Numbers in texts.

use jackfield_plugin_api::prelude::*;

/// What separates the whole part of a number from the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Decimal {
    /// A point, as in English: 1,234.5.
    #[default]
    Point,
    /// A comma, as in most of Europe: 1.234,5.
    Comma,
}

/// How a number is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// What separates decimals; the other sign groups thousands.
    pub(crate) decimal: Decimal,
    /// Whether a percent sign divides by 100.
    pub(crate) hundredths: bool,
}

/// The numbers of a text, in order.
///
/// A number is digits that touch no letter and no underscore before them, with
///
/// - a sign (`+`, `-`, or the minus sign), where no letter or digit stands before that, and a sign of currency between;
/// - groups of three digits, separated by commas (or points), apostrophes, or spaces that do not break;
/// - decimals, also without digits before them: `.5`;
/// - an exponent: `1.5e-3`; a percent sign, also after a space;
/// - or a fraction of whole numbers, `3/4`, with a whole number before it, `1 1/2`. `1/2/2024` is three numbers.
pub(crate) fn numbers(text: &str, reading: Reading) -> Vec<f64> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let scanner = Scanner { characters: &characters, reading };
        match scanner.number(at) {
            Some((number, end)) => {
                found.extend(number.is_finite().then_some(number));
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

struct Scanner<'a> {
    characters: &'a [char],
    reading: Reading,
}

impl Scanner<'_> {
    fn character(&self, at: usize) -> Option<char> {
        self.characters.get(at).copied()
    }

    fn before(&self, at: usize) -> Option<char> {
        self.character(at.checked_sub(1)?)
    }

    fn is_digit(&self, at: usize) -> bool {
        self.character(at).is_some_and(|character| character.is_ascii_digit())
    }

    /// The end of the digits from here.
    fn digits(&self, at: usize) -> usize {
        (at..).find(|at| !self.is_digit(*at)).unwrap_or(at)
    }

    /// A number that begins here with its digits or its decimals, and where it ends.
    fn number(&self, start: usize) -> Option<(f64, usize)> {
        let (decimal, grouping) = match self.reading.decimal {
            Decimal::Point => ('.', ','),
            Decimal::Comma => (',', '.'),
        };
        let touches = self.before(start).is_some_and(|character| character.is_alphanumeric() || character == '_');
        if touches {
            return None;
        }
        let mut digits = String::new();
        let mut end = start;
        let mut is_whole = true;
        if self.is_digit(start) {
            end = self.digits(start);
            digits.extend(&self.characters[start..end]);
            let first_group = end - start;
            // Three digits, and not a fourth.
            while first_group <= 3
                && self.character(end).is_some_and(|sign| sign == grouping || "'’\u{a0}\u{202f}".contains(sign))
                && self.digits(end + 1) == end + 4
            {
                digits.extend(&self.characters[end + 1..end + 4]);
                end += 4;
            }
        }
        if self.character(end) == Some(decimal) && self.is_digit(end + 1) {
            // After `3.` of a list or a version such as 1.2.3 it goes on elsewhere.
            let decimals = self.digits(end + 1);
            digits.push('.');
            digits.extend(&self.characters[end + 1..decimals]);
            end = decimals;
            is_whole = false;
        }
        if end == start {
            return None;
        }
        if matches!(self.character(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.character(end + 1), Some('+' | '-')));
            let exponent = self.digits(end + 1 + sign);
            if self.is_digit(end + 1 + sign) && !self.character(exponent).is_some_and(char::is_alphabetic) {
                digits.extend(&self.characters[end..exponent]);
                end = exponent;
                is_whole = false;
            }
        }
        let mut number: f64 = digits.parse().ok()?;
        if is_whole {
            if let Some((fraction, after)) = self.fraction(start) {
                (number, end) = (fraction, after);
            } else if self.character(end) == Some(' ')
                && let Some((fraction, after)) = self.fraction(end + 1).filter(|(fraction, _)| *fraction < 1.0)
            {
                number += fraction;
                end = after;
            }
        }
        let space = usize::from(matches!(self.character(end), Some(' ' | '\u{a0}' | '\u{202f}')));
        if self.character(end + space) == Some('%') {
            end += space + 1;
            if self.reading.hundredths {
                number /= 100.0;
            }
        }
        Some((if self.is_negative(start) { -number } else { number }, end))
    }

    /// A fraction of two whole numbers that begins here, and where it ends.
    fn fraction(&self, start: usize) -> Option<(f64, usize)> {
        let slash = self.digits(start);
        let end = self.digits(slash + 1);
        let is_one = slash > start && self.character(slash) == Some('/') && end > slash + 1;
        let is_date = self.before(start) == Some('/') || self.character(end) == Some('/');
        let goes_on = matches!(self.character(end), Some('.' | ',')) && self.is_digit(end + 1);
        if !is_one || is_date || goes_on {
            return None;
        }
        let value = |range: std::ops::Range<usize>| self.characters[range].iter().collect::<String>().parse::<f64>();
        let (above, below) = (value(start..slash).ok()?, value(slash + 1..end).ok()?);
        (below > 0.0).then_some((above / below, end))
    }

    /// Whether a minus stands before the digits that begin here.
    fn is_negative(&self, start: usize) -> bool {
        let currency = usize::from(self.before(start).is_some_and(|character| "$€£¥₹".contains(character)));
        let sign = start - currency;
        let is_minus = matches!(self.before(sign), Some('-' | '\u{2212}'));
        // In `10-5` and `A-5` it joins, and does not negate.
        is_minus && !sign.checked_sub(2).and_then(|at| self.character(at)).is_some_and(char::is_alphanumeric)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_found_as_people_write_them() {
        let read = |text: &str| numbers(text, Reading { decimal: Decimal::Point, hundredths: true });
        for (text, expected) in [
            ("The answer is 42.", vec![42.0]),
            ("1,234,567.5 and 12,34", vec![1_234_567.5, 12.0, 34.0]),
            ("It fell from 10 to -3.5 degrees", vec![10.0, -3.5]),
            ("\u{2212}7, +8, -$5, $6", vec![-7.0, 8.0, -5.0, 6.0]),
            ("10-5, A-4, GPT4, x_2, H2O", vec![10.0, 5.0, 4.0]),
            ("50% or 12.5 %", vec![0.5, 0.125]),
            ("3/4 of 1 1/2", vec![0.75, 1.5]),
            ("-1/2", vec![-0.5]),
            ("1/2/2024", vec![1.0, 2.0, 2_024.0]),
            ("1.5e-3, 2E5, 3em", vec![0.0015, 200_000.0, 3.0]),
            (".5 and version 1.2.3", vec![0.5, 1.2, 3.0]),
            ("1 234 or 1\u{202f}234 or 1'234", vec![1.0, 234.0, 1_234.0, 1_234.0]),
            ("5 3/2", vec![5.0, 1.5]),
            ("1/0", vec![1.0, 0.0]),
            ("none", vec![]),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_comma_may_separate_decimals_and_percent_may_be_left_alone() {
        let reading = Reading { decimal: Decimal::Comma, hundredths: false };
        assert_eq!(numbers("1.234,5 Euro, 50 %", reading), [1_234.5, 50.0]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9.,/%e $a]{0,30}") {
            for hundredths in [true, false] {
                let found = numbers(&text, Reading { decimal: Decimal::Point, hundredths });
                prop_assert!(found.iter().all(|number| number.is_finite()));
            }
        }

        #[test]
        fn what_a_program_writes_is_read_back(number in -1e15_f64..1e15) {
            prop_assert_eq!(numbers(&format!("it is {number}, I think"), Reading::default()), [number]);
        }
    }
}
