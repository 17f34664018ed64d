//! Splits a text into words, without the marks that transcribers leave, and knows fillers and stop words.

use std::{borrow::Cow, sync::LazyLock};

use rustc_hash::FxHashSet;
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    normal::{comparable, composed, push_folded},
    unspaced::is_unspaced,
};

/// Words in `[…]` or `(…)` that stand for a sound rather than for speech.
const SOUNDS: &[&str] = &[
    "applause",
    "background",
    "blank_audio",
    "breath",
    "chuckle",
    "chuckles",
    "cough",
    "coughs",
    "crosstalk",
    "foreign",
    "inaudible",
    "indistinct",
    "laugh",
    "laughing",
    "laughs",
    "laughter",
    "music",
    "noise",
    "overlapping",
    "pause",
    "sigh",
    "sighs",
    "silence",
    "unclear",
    "unintelligible",
];

/// Sounds of hesitation and of listening, which have no meaning for a reader.
const FILLERS: &[&str] = &[
    "ah", "aha", "äh", "ähm", "eh", "ehm", "em", "er", "erm", "euh", "gosh", "ha", "hm", "hmm", "huh", "mhm", "mm",
    "mmhmm", "mmm", "oh", "ooh", "oops", "pf", "tsk", "uh", "uhh", "uhm", "um", "umm", "whoa", "wow",
];

/// Words of conversation that say little about its subject, in addition to the stop words of written language.
const TALK: &str = "able actual actually afterwards ago ai alright also although always anybody anyone anything anyway apparently \
    around ask asked asking away back bad basically better big bit bring bye ca came cannot cause certain \
    certainly chair clearly come comes coming completely correct could couple course cuz day definitely different \
    done dunno either else em enough entirely especially essentially et even ever every everybody everyone \
    everything exactly fact far feel find fine first four gave general generally get gets getting give given gives \
    giving go god goes going gone gonna good got gotta great guess guy guys happen happened happening happens \
    happy hard hear heard hello help hi honestly hope hopefully however idea important indeed instead interesting \
    kay keep kind kinda knew know known knows last least left less let lets like likely little long look looked \
    looking looks lot lots made main make makes making many may maybe mean means member mention mentioned might \
    mine minute minutes mister moment mostly move mr mrs ms much must name near need needed needs never new next \
    nice nobody none nothing obviously often ok okay old one ones onto opposed otherwise part particular \
    particularly people perhaps person place plus point possible possibly pretty previous probably problem put \
    putting question questions quick quickly quite rather read real really reason regarding right said saw say \
    saying says second see seem seemed seems seen set several shall show simply since small somebody somehow \
    someone something sometimes somewhat somewhere soon sorry sort sorta speak speaking specific start started \
    still stuff suppose supposed sure take taken takes taking talk talked talking tell tend terms thank thanks \
    therefore thing things think thinking though thought three thus time times today together told took top \
    totally towards tried true truly try trying turn twice two uhhuh understand unless unto upon us use used using \
    usually various via wanna want wanted wants way ways week weeks well went whatever whether whole within \
    without won wonder word words work working works would wow wrong ya yeah year years yep yes yet yup";

/// Numbers and measures, which say how much but not what.
const NUMBERS: &str = "absolutely add billion call called cool day days eight eighteen eighty eleven fifteen fifth fifty five forty \
    fourteen fourth half hon honourable hour hours hundred hundreds million nine nineteen ninety number oh percent \
    quarter seven seventeen seventy six sixteen sixty ten third thirteen thirty thousand thousands twelve twenty \
    type zero";

static FUNCTION: LazyLock<FxHashSet<&'static str>> = LazyLock::new(|| {
    // The parts that are left of a contraction once it is split at its apostrophe.
    let clitics = ["d", "ll", "m", "re", "s", "t", "ve"];
    stop_words::get("en").iter().copied().chain(clitics).collect()
});

static STOP: LazyLock<FxHashSet<&'static str>> = LazyLock::new(|| {
    let talk = TALK.split_whitespace().chain(NUMBERS.split_whitespace()).chain(FILLERS.iter().copied());
    FUNCTION.iter().copied().chain(talk).collect()
});

static FILLER: LazyLock<FxHashSet<&'static str>> = LazyLock::new(|| FILLERS.iter().copied().collect());

/// Whether a lower-case word is a sound of hesitation or of listening.
#[must_use]
pub fn is_filler(word: &str) -> bool {
    FILLER.contains(word)
}

/// Whether a lower-case word says nothing about the subject: a function word, a filler, or a word of conversation.
#[must_use]
pub fn is_stop_word(word: &str) -> bool {
    STOP.contains(word)
}

/// Whether a word of writing is on NLTK's list of English stop words, or left of a contraction. Lower-case.
#[must_use]
pub fn is_function_word(word: &str) -> bool {
    FUNCTION.contains(word)
}

/// Calls `visit` with each word of a written text in order: as UAX #29 bounds it, in the form in which words are
/// [compared](crate::normal), without a possessive `'s`.
pub fn written_words(text: &str, mut visit: impl FnMut(&str)) {
    let mut folded = String::new();
    for word in comparable(text).unicode_words() {
        folded.clear();
        push_folded(word, &mut folded);
        visit(folded.strip_suffix("'s").unwrap_or(&folded));
    }
}

/// Calls `visit` with each [written word](written_words) of a text that is searched, and behind each character of a script
/// that is written without blanks with the two characters that end there: of such a script, pairs are what words are of
/// others.
pub fn searched_words(text: &str, mut visit: impl FnMut(&str)) {
    let mut end_of_last = None;
    let (mut pair, mut folded) = (String::new(), String::new());
    for (start, word) in comparable(text).unicode_word_indices() {
        folded.clear();
        push_folded(word, &mut folded);
        visit(folded.strip_suffix("'s").unwrap_or(&folded));
        if !word.starts_with(is_unspaced) {
            end_of_last = None;
            continue;
        }
        if end_of_last == Some(start) {
            let first = pair.len();
            pair.push_str(&folded);
            visit(&pair);
            pair.drain(..first);
        } else {
            pair.clone_from(&folded);
        }
        end_of_last = Some(start + word.len());
    }
}

/// Whether there is any word in a written text.
#[must_use]
pub fn has_words(text: &str) -> bool {
    text.unicode_words().next().is_some()
}

/// Byte ranges of marks such as `{vocalsound}`, `<laugh>`, `[inaudible]`, in order.
#[must_use]
pub fn noise(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let (close, any_content) = match bytes[index] {
            b'{' => (b'}', true),
            b'<' => (b'>', true),
            b'[' => (b']', false),
            b'(' => (b')', false),
            _ => {
                index += 1;
                continue;
            }
        };
        // Bounded, so that an opening bracket without its partner costs no more than this.
        let window = &bytes[index + 1..bytes.len().min(index + 41)];
        match window.iter().position(|&byte| byte == close) {
            Some(length) if is_mark(&window[..length], any_content) => {
                found.push((index, index + length + 2));
                index += length + 2;
            }
            _ => index += 1,
        }
    }
    found
}

fn is_mark(inner: &[u8], any_content: bool) -> bool {
    let inner = std::str::from_utf8(inner).expect("the bytes between two ASCII brackets are whole characters");
    let is_plain = !inner.is_empty()
        && inner.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '/' | '.'));
    is_plain
        && (any_content
            || inner.split(' ').next().is_some_and(|first| SOUNDS.contains(&first.to_ascii_lowercase().as_str())))
}

/// Words with their byte offsets, marks left out.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    without_noise(text, text.unicode_word_indices())
}

/// Of words of a text, in order and with their byte offsets, those that are no marks.
pub(crate) fn without_noise<'t>(
    text: &str,
    words: impl IntoIterator<Item = (usize, &'t str)>,
) -> impl Iterator<Item = (usize, &'t str)> {
    let noise = noise(text);
    let mut next = 0;
    words.into_iter().filter(move |&(start, _)| {
        while next < noise.len() && noise[next].1 <= start {
            next += 1;
        }
        next >= noise.len() || start < noise[next].0
    })
}

/// How many words are said: fillers count, marks do not.
#[must_use]
pub fn count(text: &str) -> usize {
    // The clitics of tokenised text (`there 's`) belong to the word before them.
    words(text).filter(|&(start, word)| !is_clitic(text, start, word)).count()
}

fn is_clitic(text: &str, start: usize, word: &str) -> bool {
    matches!(word, "s" | "ll" | "re" | "ve" | "d" | "m" | "t") && text[..start].ends_with(['\'', '’'])
}

/// Letters that transcribers spell out with underscores, together: `T_V_` is `TV`. Other words stay.
#[must_use]
pub fn spelled(word: &str) -> Cow<'_, str> {
    let is_letter_part = |part: &str| part.chars().count() <= 1 || part.starts_with(['\'', '’']);
    if word.len() > 1 && word.contains('_') && word.split('_').all(is_letter_part) {
        Cow::Owned(word.replace('_', ""))
    } else {
        Cow::Borrowed(word)
    }
}

/// Calls `visit` with each word in the form that is compared: composed, lower-case, contractions split at the apostrophe
/// (`I'll` gives `i`, `ll`) but for `n't`, which stays with its verb.
pub fn normal_forms(word: &str, mut visit: impl FnMut(&str)) {
    let lower = composed(&spelled(word)).to_lowercase().replace('’', "'");
    if let Some((head, tail)) = lower.rsplit_once('\'')
        && matches!(tail, "ll" | "re" | "ve" | "s" | "d" | "m")
        && !head.is_empty()
    {
        visit(head);
        visit(tail);
    } else {
        visit(&lower);
    }
}

/// The words of a text in the form that is compared, fillers and immediate repetitions left out: what cue phrases are
/// looked for in.
#[must_use]
pub fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for (_, word) in words(text) {
        normal_forms(word, |form| {
            if !is_filler(form) && tokens.last().is_none_or(|last| last != form) {
                tokens.push(form.to_owned());
            }
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_not_words() {
        let found: Vec<_> =
            words("{vocalsound} Um so [laughter] the <noise> T_V_ (inaudible) set (both)").map(|w| w.1).collect();
        assert_eq!(found, ["Um", "so", "the", "T_V_", "set", "both"]);
    }

    #[test]
    fn an_unclosed_bracket_is_not_a_mark() {
        assert_eq!(noise("a { b and <c, [d (e"), []);
    }

    #[test]
    fn contractions_compare_alike_however_they_are_written() {
        assert_eq!(tokens("We 'll see"), tokens("we’ll see"));
        assert_eq!(tokens("don't"), ["don't"]);
    }

    #[test]
    fn tokens_leave_out_fillers_and_repetitions() {
        assert_eq!(tokens("So we we uh we need {disfmarker} um need it"), ["so", "we", "need", "it"]);
    }

    #[test]
    fn a_script_without_blanks_is_searched_by_characters_and_pairs_of_them() {
        let mut found = Vec::new();
        searched_words("猫喝水，Tee 猫", |word| found.push(word.to_owned()));
        assert_eq!(found, ["猫", "喝", "猫喝", "水", "喝水", "tee", "猫"]);
        found.clear();
        searched_words("The CAFE\u{301}'s Straße", |word| found.push(word.to_owned()));
        assert_eq!(found, ["the", "café", "strasse"]);
    }

    #[test]
    fn detached_clitics_do_not_count_as_words() {
        assert_eq!(count("there 's a plan"), count("there's a plan"));
    }
}
