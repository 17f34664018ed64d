//! The texts of the page: each is on it once, and together they have the size that the page has room for.
//!
//! Short texts stay whole. Long ones are cut to a length that is the same for all of them, and as large as there is room for.

use std::collections::HashMap;

use jackfield_loader::{escape_untrusted, escape_untrusted_lines};
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Stands in a text between the name of a member and its value. No text from outside has it: control characters are written out.
const AFTER_NAME: char = '\u{7f}';
/// The most bytes of one text that are held.
const MOST_HELD: usize = 256 << 10;
/// The most characters of a name.
const MOST_NAME: usize = 300;
/// What a text takes in JSON beside its characters: quotes, a comma, and its length if it is cut.
const AROUND: usize = 20;

/// The position of a text among those of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextId(u32);

impl Serialize for TextId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

/// A text in which all that comes from outside is as it is shown: characters that are not seen, or act on others, are written out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ShownText(String);

impl ShownText {
    /// Adds text from outside.
    pub(super) fn push(&mut self, text: &str) {
        if text.contains(['\r', '\t']) {
            self.0.push_str(&escape_untrusted_lines(&text.replace("\r\n", "\n").replace('\t', "    ")));
        } else {
            self.0.push_str(&escape_untrusted_lines(text));
        }
    }

    /// Adds the name of a member, before its value.
    pub(super) fn push_name(&mut self, name: &str) {
        self.0.push_str(&escape_untrusted(name));
        self.0.push(AFTER_NAME);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines, each with the name of a member if one begins there.
    pub(super) fn lines(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.0.split('\n').map(|line| match line.split_once(AFTER_NAME) {
            Some((name, value)) => (Some(name), value),
            None => (None, line),
        })
    }
}

/// The texts so far.
pub(super) struct Texts {
    texts: Vec<Text>,
    /// By the digest of the whole text, so that two texts are the same here only if they are the same to their ends.
    ids: HashMap<[u8; 32], TextId>,
    /// What the texts that are held take in JSON.
    held: usize,
    /// At most twice as much is held as this.
    budget: usize,
}

struct Text {
    held: String,
    /// The length of the whole text, in characters.
    characters: usize,
    /// What the held text takes in JSON.
    cost: usize,
    is_name: bool,
}

/// The texts as they are on the page.
#[derive(Serialize)]
pub(super) struct PageTexts {
    texts: Vec<String>,
    /// The texts that were cut, with the length of the whole text in characters.
    cut: Vec<(TextId, usize)>,
}

impl PageTexts {
    /// How many texts were cut.
    pub(super) fn cut(&self) -> usize {
        self.cut.len()
    }
}

impl Texts {
    /// For texts that take at most so many bytes of JSON in the end.
    pub(super) fn new(budget: usize) -> Self {
        Self { texts: Vec::new(), ids: HashMap::new(), held: 0, budget }
    }

    /// Adds a text from outside, which may be cut.
    pub(super) fn add(&mut self, text: &str) -> TextId {
        let mut shown = ShownText::default();
        shown.push(text);
        self.add_text(&shown, false)
    }

    /// Adds a text that may be cut.
    pub(super) fn add_shown(&mut self, text: &ShownText) -> TextId {
        self.add_text(text, false)
    }

    /// Adds a name, which is on the page whole unless it is longer than any reasonable name.
    pub(super) fn add_name(&mut self, text: &str) -> TextId {
        self.add_text(&ShownText(escape_untrusted(text).into_owned()), true)
    }

    fn add_text(&mut self, ShownText(shown): &ShownText, is_name: bool) -> TextId {
        // A name and a text of the same characters may be cut in different places.
        let digest = Sha256::new().chain_update([u8::from(is_name)]).chain_update(shown).finalize().into();
        if let Some(id) = self.ids.get(&digest) {
            return *id;
        }
        let most = if is_name { MOST_NAME } else { MOST_HELD };
        let characters = shown.chars().count();
        let mut added = Text { held: String::new(), characters, cost: 0, is_name };
        added.keep(shown, most + AROUND);
        self.held += added.cost;
        let id = TextId(u32::try_from(self.texts.len()).expect("fewer texts than would fit in memory"));
        self.ids.insert(digest, id);
        self.texts.push(added);
        if self.held > self.budget.saturating_mul(2) {
            self.cut_to(self.budget);
        }
        id
    }

    /// Cuts the longest texts such that all together take at most `budget` bytes.
    fn cut_to(&mut self, budget: usize) {
        let names: usize = self.texts.iter().filter(|text| text.is_name).map(|text| text.cost).sum();
        let costs = self.texts.iter().filter(|text| !text.is_name).map(|text| text.cost).collect();
        let Some(most) = fair_share(costs, budget.saturating_sub(names)) else { return };
        for text in self.texts.iter_mut().filter(|text| !text.is_name && text.cost > most) {
            let whole = std::mem::take(&mut text.held);
            text.keep(&whole, most);
        }
        self.held = self.texts.iter().map(|text| text.cost).sum();
    }

    /// The texts as they are on the page, in at most `budget` bytes of JSON.
    pub(super) fn finish(mut self, budget: usize) -> PageTexts {
        self.cut_to(budget.saturating_sub(64));
        let mut page = PageTexts { texts: Vec::with_capacity(self.texts.len()), cut: Vec::new() };
        for (index, text) in self.texts.into_iter().enumerate() {
            if text.held.chars().count() < text.characters {
                page.cut.push((TextId(index as u32), text.characters));
            }
            page.texts.push(text.held);
        }
        page
    }
}

impl Text {
    /// Holds as much of a text as costs at most `most`.
    fn keep(&mut self, text: &str, most: usize) {
        self.cost = AROUND;
        let mut end = 0;
        for char in text.chars() {
            let cost = json_cost(char);
            if self.cost + cost > most {
                break;
            }
            self.cost += cost;
            end += char.len_utf8();
        }
        text[..end].clone_into(&mut self.held);
    }
}

/// The bytes that a character takes in JSON, as the page writes it.
const fn json_cost(char: char) -> usize {
    match char {
        '"' | '\\' | '\n' => 2,
        '<' => 6,
        char => char.len_utf8(),
    }
}

/// The largest cost that each may have so that all together cost at most `budget`; none if they do as they are.
fn fair_share(mut costs: Vec<usize>, budget: usize) -> Option<usize> {
    costs.sort_unstable();
    let mut left = budget;
    for (place, cost) in costs.iter().enumerate() {
        let share = left / (costs.len() - place);
        if *cost > share {
            return Some(share);
        }
        left -= cost;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_texts_are_cut_and_the_others_stay_whole() {
        assert_eq!(fair_share(vec![10, 200, 30, 300], 240), Some(100));
        assert_eq!(fair_share(vec![10, 20], 30), None);
        let mut texts = Texts::new(10_000);
        let (long, short) = ("long ".repeat(100), "short");
        let ids = [&long, short, &long, "long"].map(|text| texts.add(text).0);
        assert_eq!(ids, [0, 1, 0, 2]);
        let page = texts.finish(300);
        assert_eq!((page.texts[1].as_str(), &page.cut), ("short", &vec![(TextId(0), 500)]));
        assert!(long.starts_with(&page.texts[0]) && page.texts[0].len() > 100);
    }

    #[test]
    fn names_are_never_cut_for_want_of_room() {
        let mut texts = Texts::new(100);
        let name = "a name ".repeat(30);
        texts.add_name(&name);
        texts.add(&"text".repeat(300));
        let page = texts.finish(100);
        assert_eq!((page.texts[0].as_str(), page.texts[1].as_str()), (name.as_str(), ""));
    }

    #[test]
    fn characters_that_turn_or_hide_text_are_written_out() {
        let mut texts = Texts::new(1000);
        texts.add("one\r\ntwo\u{202e}\u{1b}[2J\u{7f}");
        assert_eq!(texts.finish(1000).texts, ["one\ntwo\\u{202e}\\u{1b}[2J\\u{7f}"]);
    }

    proptest! {
        #[test]
        fn texts_never_take_more_than_they_may(parts in prop::collection::vec("\\PC{0,80}", 0..30), budget in 64_usize..2000) {
            let mut texts = Texts::new(budget);
            for part in &parts {
                texts.add(part);
            }
            let page = texts.finish(budget);
            let json = serde_json::to_string(&page).expect("JSON").replace('<', "\\u003c");
            // What is around the texts is there even if nothing of them is.
            prop_assert!(json.len() <= budget.max(64 + parts.len() * AROUND), "{}: {json}", json.len());
        }
    }
}
