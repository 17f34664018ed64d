//! Web addresses in a claim and in the answers to it.
//!
//! An address in an answer means that the model answered from a source, or pretends to. One that stands in the claim is
//! not: an answer that restates the claim restates it.

use std::collections::BTreeSet;

/// The addresses that a claim itself holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimAddresses(BTreeSet<String>);

impl ClaimAddresses {
    /// The addresses of `claim`, whole (`https://example.org/a`) or as a bare domain (`example.org`).
    #[must_use]
    pub fn of(claim: &str) -> Self {
        let words = claim.split(|letter: char| !stands_in_address(letter)).map(settled);
        let bare = words.filter(|word| word.contains('.'));
        Self(addresses(claim).chain(bare).collect())
    }

    /// Whether `text` holds an address that the claim does not. The same address may be written with and without its
    /// scheme, `www.`, a last slash, and in capitals or not.
    #[must_use]
    pub fn lack_one_of(&self, text: &str) -> bool {
        addresses(text).any(|address| !self.0.contains(&address))
    }
}

/// Whether there is a URL in a text: a scheme followed by `://`, or a word that starts with `www.`, in any case. A bare
/// domain is not one: it cannot be distinguished from a sentence that lacks a space.
#[must_use]
pub fn has_url(text: &str) -> bool {
    addresses(text).next().is_some()
}

/// The URLs in a text, each as [`settled`] writes it.
fn addresses(text: &str) -> impl Iterator<Item = String> {
    let bytes = text.as_bytes();
    let is_alphanumeric = move |index: usize| bytes.get(index).is_some_and(u8::is_ascii_alphanumeric);
    let after_scheme = text
        .match_indices("://")
        .filter(move |(at, _)| *at > 0 && is_alphanumeric(*at - 1))
        .map(|(at, scheme)| at + scheme.len());
    let at_www = (0..bytes.len()).filter(move |at| {
        let begins_word = *at == 0 || !is_alphanumeric(*at - 1);
        begins_word
            && bytes.get(*at..*at + 4).is_some_and(|start| start.eq_ignore_ascii_case(b"www."))
            && is_alphanumeric(*at + 4)
    });
    after_scheme.chain(at_www).map(|start| {
        let rest = &text[start..];
        settled(&rest[..rest.find(|letter| !stands_in_address(letter)).unwrap_or(rest.len())])
    })
}

/// An address as it is compared: without scheme, `www.` and punctuation around it, in small letters.
fn settled(address: &str) -> String {
    let small = address.to_ascii_lowercase();
    let bare = small.rsplit_once("://").map_or(&*small, |(_, rest)| rest);
    let bare = bare.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    bare.strip_prefix("www.").unwrap_or(bare).to_owned()
}

/// Whether a letter can be part of a URL (RFC 3986, without the brackets of numeric hosts).
const fn stands_in_address(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(
            letter,
            '-' | '.'
                | '_'
                | '~'
                | ':'
                | '/'
                | '?'
                | '#'
                | '@'
                | '!'
                | '$'
                | '&'
                | '\''
                | '('
                | ')'
                | '*'
                | '+'
                | ','
                | ';'
                | '='
                | '%'
        )
}

#[cfg(test)]
mod tests {
    use super::{ClaimAddresses, has_url};

    #[test]
    fn urls_are_told_from_words() {
        for text in ["https://example.org", "(WWW.example.org)", "see FTP://x.", "http://www.example.org/a?b=c"] {
            assert!(has_url(text), "{text}");
        }
        for text in ["the www. of old", "awww.right", "a :// b", "e.g. this.that", "www.", "ratio 3:1 // or so", ""] {
            assert!(!has_url(text), "{text}");
        }
    }

    #[test]
    fn an_address_of_the_claim_may_be_restated_in_any_spelling() {
        let claim = "The page https://www.Example.org/tea/ (see also tea.example) says that tea is wet.";
        let addresses = ClaimAddresses::of(claim);
        for text in [
            claim,
            "https://www.example.org/tea",
            "http://example.org/tea/, as claimed",
            "WWW.EXAMPLE.ORG/tea.",
            "<https://tea.example>",
            "https://www.example.org/tea\u{ff0c}\u{662f}",
        ] {
            assert!(!addresses.lack_one_of(text), "{text}");
        }
        for text in [
            "https://example.org",
            "https://example.org/tea/2",
            "https://other.example.org/tea",
            "https://example.org/tea and https://example.com",
            "http://",
        ] {
            assert!(addresses.lack_one_of(text), "{text}");
        }
    }

    #[test]
    fn a_claim_without_an_address_allows_none() {
        assert!(ClaimAddresses::of("Tea is wet.").lack_one_of("https://example.org"));
        assert!(!ClaimAddresses::of("Tea is wet.").lack_one_of("Tea is wet."));
    }
}
