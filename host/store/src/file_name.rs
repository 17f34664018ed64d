//! Names of files and folders made from texts that are not ours: ids of items, names of stages and pipelines.

use std::fmt::Write as _;

use rustc_hash::{FxHashSet, FxHasher};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

/// The most bytes of such a name. File systems take 255, those that encrypt names 143; a number or `.tmp` may be added.
const MOST_BYTES: usize = 100;

/// Names that some systems keep for devices, whatever follows their first dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A text made fit for the name of a file or folder on any system: letters, digits, `-`, `_` and `.` stay as they are. A
/// text that is too long is cut, and gets some digits of its digest, which tell it from others with the same beginning.
pub fn file_name_of(text: &str) -> String {
    match fit(text) {
        fit if is_device(&fit) => with_digest(&format!("_{fit}"), text),
        fit if fit.is_empty() || fit.len() > MOST_BYTES => with_digest(&fit, text),
        fit => fit,
    }
}

/// Names for texts that come one after the other: no two get the same, nor two that only differ in case or in how their
/// characters are composed, as some file systems take those for the same.
#[derive(Default)]
pub struct FileNames {
    /// Hashes of the names, so that a million of them stay small.
    taken: FxHashSet<u64>,
}

impl FileNames {
    /// A name for the next text, which is to be none of those before.
    pub fn name(&mut self, text: &str) -> String {
        let name = file_name_of(text);
        if self.taken.insert(folded(&name)) { name } else { with_digest(&name, text) }
    }
}

fn fit(text: &str) -> String {
    let fit: String = text.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    // What begins with a dot is hidden on some systems; what ends with one loses it on others.
    fit.trim_start_matches('.').trim_end_matches('.').to_owned()
}

/// The name with digits of the digest of the text after a `~`, which no other name contains.
fn with_digest(name: &str, text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut end = name.len().min(MOST_BYTES - 13);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let mut name = if end == 0 { "item".to_owned() } else { name[..end].to_owned() };
    name.push('~');
    for byte in &digest[..6] {
        // A `String` takes everything.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

fn is_device(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|device| {
        first.strip_prefix(device).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    });
    numbered || DEVICES.contains(&first.as_str())
}

/// The same for names that some file system takes for the same.
fn folded(name: &str) -> u64 {
    use std::hash::Hasher as _;
    let mut hasher = FxHasher::default();
    if name.is_ascii() {
        name.bytes().for_each(|byte| hasher.write_u32(u32::from(byte.to_ascii_lowercase())));
    } else {
        let upper = name.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
        upper.nfkc().for_each(|c| hasher.write_u32(u32::from(c)));
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_text_that_is_fit_stays_as_it_is() {
        for text in ["product-planning", "a.b_c", "会议-纪要", "Überblick.v2", "7", "console"] {
            assert_eq!(file_name_of(text), text);
        }
        assert_eq!(file_name_of("a/b c:d"), "a_b_c_d");
    }

    #[test]
    fn a_name_is_cut_by_bytes_between_characters_and_keeps_texts_apart() {
        for (one, other) in [("会", "议"), ("a", "b"), ("🦀", "é")] {
            let (one, other) = (format!("{}{one}", "会".repeat(92)), format!("{}{other}", "会".repeat(92)));
            let (first, second) = (file_name_of(&one), file_name_of(&other));
            assert!(first.len() <= MOST_BYTES && first.starts_with("会会"), "{first}");
            assert_ne!(first, second);
        }
        for length in 90..110 {
            assert!(file_name_of(&"é".repeat(length)).len() <= MOST_BYTES);
            assert!(file_name_of(&"x".repeat(length)).len() <= MOST_BYTES);
        }
    }

    #[test]
    fn no_name_leads_elsewhere_or_means_a_device() {
        for text in ["", ".", "..", "...", "../..", "a/../b", "\0", "/etc/passwd", "~", "CON", "nul.txt", "com1", "a."]
        {
            let name = file_name_of(text);
            assert!(!name.is_empty() && !name.contains(['/', '\\', '\0']), "{text:?}: {name:?}");
            assert!(!name.starts_with('.') && !name.ends_with('.') && !is_device(&name), "{text:?}: {name:?}");
        }
    }

    #[test]
    fn texts_that_a_file_system_may_take_for_the_same_get_names_of_their_own() {
        let mut names = FileNames::default();
        // In turn: case, replaced characters, composed and decomposed, a sign and its letter, full width, syllable and parts.
        let texts = [
            "Minutes",
            "minutes",
            "a b",
            "a/b",
            "a_b",
            "\u{e9}t\u{e9}",
            "\u{c9}T\u{c9}",
            "\u{212b}",
            "\u{c5}",
            "\u{ff41}x",
            "ax",
            "\u{d55c}",
            "\u{1112}\u{1161}\u{11ab}",
            "stra\u{df}e",
            "STRASSE",
            ".",
            "..",
            "",
        ];
        let made: Vec<String> = texts.iter().map(|text| names.name(text)).collect();
        let folds: BTreeSet<String> = made.iter().map(|name| name.nfkc().collect::<String>().to_lowercase()).collect();
        assert_eq!(folds.len(), texts.len(), "{made:?}");
        assert_eq!((made[0].as_str(), made[2].as_str()), ("Minutes", "a_b"), "the first keeps its name");
    }

    #[test]
    fn names_depend_on_what_came_before_alone() {
        let made = || {
            let mut names = FileNames::default();
            ["a", "A", "b c", "b/c"].map(|text| names.name(text))
        };
        assert_eq!(made(), made());
    }
}
