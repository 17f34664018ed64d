//! Finds the name that is nearest to a misspelled one.

/// Names longer than this are not compared: the time grows with the square of the length.
const LONGEST: usize = 24;

/// The name that was probably meant, if one is near enough. Names are of ASCII characters.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let wanted = name.to_ascii_lowercase();
    let allowed = (name.len() / 3).max(1);
    known
        .filter(|candidate| candidate.len() <= LONGEST && candidate.len().abs_diff(name.len()) <= allowed)
        .map(|candidate| (distance(wanted.as_bytes(), candidate.to_ascii_lowercase().as_bytes()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits between two names: a character more, fewer or another one, or two neighbours exchanged.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut before = vec![0; right.len() + 1];
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut current = vec![row; right.len() + 1];
        for column in 1..=right.len() {
            let replaced = above[column - 1] + usize::from(left[row - 1] != right[column - 1]);
            current[column] = replaced.min(above[column] + 1).min(current[column - 1] + 1);
            let exchanged =
                row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1];
            if exchanged {
                current[column] = current[column].min(before[column - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, current);
    }
    above[right.len()]
}

/// Whether the name is that of a number which no constant has.
pub(super) fn is_number_word(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "ELEVEN",
        "TWELVE",
        "THIRTEEN",
        "FOURTEEN",
        "FIFTEEN",
        "SIXTEEN",
        "SEVENTEEN",
        "EIGHTEEN",
        "NINETEEN",
        "TWENTY",
        "THIRTY",
        "FORTY",
        "FIFTY",
        "HUNDRED",
    ];
    let negative = name.strip_prefix("NEG_");
    WORDS.contains(&negative.unwrap_or(name))
        || negative
            .is_some_and(|rest| ["THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN"].contains(&rest))
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn finds_slips_and_nothing_far() {
        let known = ["vmirror", "hmirror", "rot90", "I", "TWO"];
        assert_eq!(nearest("vmirrror", known.into_iter()), Some("vmirror"));
        assert_eq!(nearest("rto90", known.into_iter()), Some("rot90"));
        assert_eq!(nearest("two", known.into_iter()), Some("TWO"));
        assert_eq!(nearest("colour", known.into_iter()), None);
        assert_eq!(nearest("G", known.into_iter()), None);
        assert_eq!(nearest(&"v".repeat(200), known.into_iter()), None);
    }

    #[test]
    fn an_exchange_of_neighbours_is_one_edit() {
        assert_eq!(distance(b"rto90", b"rot90"), 1);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"kitten", b"sitting"), 3);
    }
}
