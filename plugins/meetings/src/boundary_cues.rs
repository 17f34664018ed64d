//! Words by which a chair, or whoever takes the floor, passes from one topic to the next.
//!
//! The lists are of English. What is said in another language is divided by its words and its speakers alone.

use std::sync::LazyLock;

use jackfield_text::words::is_filler;
use rustc_hash::FxHashMap;

/// How many groups of phrases there are.
pub(crate) const GROUPS: usize = 9;
/// The groups whose phrases together make an announcement: these first ones.
pub(crate) const ANNOUNCING: usize = 6;
/// Only so many words of a turn are looked at: an announcement comes early in it.
const LOOKED_AT: usize = 50;

/// Names of the groups, in order.
pub(crate) const GROUP_NAMES: [&str; GROUPS] =
    ["floor", "order", "agenda", "move", "about", "intention", "thanks", "close", "time"];

/// The phrases of each group, as words are compared: a contraction is two words, such as `let s`.
const PHRASES: [&[&str]; GROUPS] = [
    // Who is to speak.
    &[
        "your turn",
        "my turn",
        "go first",
        "go ahead",
        "go next",
        "over to",
        "who s next",
        "who is next",
        "take over",
        "shall i",
        "should i",
        "can i start",
        "may i",
        "you want to",
        "you wanna",
        "would you like",
        "do you want",
        "presentation",
        "presentations",
        "present",
        "the floor",
    ],
    // Which of several it is.
    &["next", "first", "last", "final", "finally", "another", "second", "third", "other", "lastly", "secondly"],
    // What a meeting is divided into.
    &[
        "agenda",
        "item",
        "items",
        "topic",
        "topics",
        "subject",
        "issue",
        "issues",
        "point",
        "points",
        "slide",
        "question",
        "questions",
        "part",
    ],
    // To pass from one to another.
    &[
        "move",
        "moving",
        "go on",
        "get on",
        "come to",
        "coming to",
        "turn to",
        "turning to",
        "go to",
        "start",
        "starting",
        "started",
        "begin",
        "proceed",
        "continue",
        "resume",
        "get to",
        "back to",
        "return to",
        "jump",
    ],
    // What it is to be about.
    &[
        "talk",
        "talk about",
        "talking about",
        "discuss",
        "discussing",
        "discussion",
        "look at",
        "about the",
        "regarding",
        "in terms of",
        "with regard",
        "on to",
        "onto",
    ],
    // What is meant to be done now.
    &[
        "let s",
        "let us",
        "shall we",
        "should we",
        "we should",
        "we need to",
        "we have to",
        "we ll",
        "we re going to",
        "we re gonna",
        "we will",
        "we can",
        "i want to",
        "i wanted to",
        "i d like to",
        "i would like",
        "i ll",
        "i m going to",
        "i m gonna",
    ],
    // What was said before is over, and its speaker is thanked.
    &["thank you", "thanks"],
    // It is over.
    &[
        "that s it",
        "that s all",
        "that was it",
        "finished",
        "done",
        "any questions",
        "any other",
        "anything else",
        "minutes",
        "wrap",
        "end",
        "ending",
        "conclude",
        "close",
        "over",
    ],
    // The meeting and its time.
    &["today", "meeting", "minutes", "time", "now", "moment", "later", "schedule"],
];

/// Words that open a new stretch of talk (discourse markers, Schiffrin 1987).
const MARKERS: &[&str] = &[
    "okay", "ok", "alright", "all", "right", "so", "now", "then", "good", "great", "fine", "anyway", "anyways", "kay",
];
/// Words that may stand before such a word.
const BEFORE_MARKERS: &[&str] = &["yeah", "yes", "well", "and", "but", "oh", "ah"];

/// A phrase's group and its words after the first.
type Rest = (usize, Vec<&'static str>);

/// The phrases by their first word.
static BY_FIRST_WORD: LazyLock<FxHashMap<&'static str, Vec<Rest>>> = LazyLock::new(|| {
    let mut map: FxHashMap<&'static str, Vec<Rest>> = FxHashMap::default();
    for (group, phrases) in PHRASES.iter().enumerate() {
        for phrase in *phrases {
            let mut words = phrase.split(' ');
            if let Some(first) = words.next() {
                map.entry(first).or_default().push((group, words.collect()));
            }
        }
    }
    map
});

/// What one turn has of all this.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cues {
    /// Whether a phrase of each group is in it.
    pub(crate) groups: [bool; GROUPS],
    /// Whether it begins with a discourse marker, and says more than that.
    pub(crate) marked: bool,
    /// Whether `now` is among its first words.
    pub(crate) now: bool,
}

impl Cues {
    /// The cues in a turn's words, as they are compared.
    pub(crate) fn of(words: &[&str]) -> Self {
        let words: Vec<&str> = words.iter().copied().filter(|word| !is_filler(word)).take(LOOKED_AT).collect();
        let mut cues = Self::default();
        for (index, word) in words.iter().enumerate() {
            for (group, rest) in BY_FIRST_WORD.get(word).into_iter().flatten() {
                cues.groups[*group] |= words[index + 1..].starts_with(rest);
            }
        }
        let opening: Vec<&str> = words.iter().copied().filter(|word| !BEFORE_MARKERS.contains(word)).take(8).collect();
        let markers = opening.iter().take_while(|word| MARKERS.contains(word)).count();
        cues.marked = markers > 0 && words.len() > markers + 1;
        cues.now = opening.iter().take((markers + 1).max(2)).any(|word| *word == "now");
        cues
    }

    /// How many of the groups that announce something are in it.
    pub(crate) fn announcing(&self) -> usize {
        self.groups[..ANNOUNCING].iter().filter(|&&is_in| is_in).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cues(text: &str) -> Cues {
        Cues::of(&text.split(' ').collect::<Vec<_>>())
    }

    #[test]
    fn an_announcement_has_several_cues_and_a_remark_has_none() {
        let announced = cues("okay so um let s move on to the next item");
        assert!(announced.marked && announced.announcing() >= 3, "{announced:?}");
        assert_eq!(cues("the buttons are too small for old people"), Cues::default());
    }

    #[test]
    fn an_assent_alone_opens_nothing() {
        assert!(!cues("okay right").marked);
        assert!(cues("yeah well okay the price of it").marked);
        assert!(cues("so now the price").now && !cues("it is cheaper by now").now);
    }
}
