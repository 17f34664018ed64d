//! The words that answers are made of.

use jackfield_plugin_api::prelude::*;

/// A line of the form `[id] Speaker: text`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line<'a> {
    /// Id of the segment.
    pub(super) id: &'a str,
    /// Who speaks.
    pub(super) speaker: &'a str,
    /// What is said.
    pub(super) text: &'a str,
}

/// A message, taken apart.
#[derive(Debug)]
pub(super) struct Prompt<'a> {
    /// Its lines of the form `[id] Speaker: text`, those of at least four words if there are such.
    pub(super) lines: Vec<Line<'a>>,
    /// What is said in those lines, or every line with a word in it if there are none.
    texts: Vec<&'a str>,
}

/// Fewest words of a quote, where the line has as many.
const FEWEST: usize = 4;
/// Most words of a quote.
const MOST: usize = 12;
/// Longest sentence of a text, in words.
const LONGEST: usize = 40;
/// What is said when there are no words to say it with.
const NOTHING: &str = "nothing";

impl<'a> Prompt<'a> {
    /// Takes a message apart.
    pub(super) fn new(message: &'a str) -> Self {
        let spoken = message.lines().filter_map(Line::parse).filter(|line| !words(line.text).is_empty());
        let mut lines = spoken.collect::<Vec<_>>();
        if lines.iter().any(|line| words(line.text).len() >= FEWEST) {
            lines.retain(|line| words(line.text).len() >= FEWEST);
        }
        let texts = if lines.is_empty() {
            message.lines().map(str::trim).filter(|line| !words(line).is_empty()).collect()
        } else {
            lines.iter().map(|line| line.text).collect()
        };
        Self { lines, texts }
    }

    /// One to three sentences.
    pub(super) fn text(&self, random: &mut Random) -> String {
        let sentences = self.texts.iter().flat_map(|text| sentences(text)).collect::<Vec<_>>();
        if sentences.is_empty() {
            return NOTHING.to_owned();
        }
        let count = 1 + random.below(3) as usize;
        let from = random.below(sentences.len().saturating_sub(count - 1).max(1) as u64) as usize;
        let chosen = sentences[from..].iter().take(count).map(|sentence| run(sentence, 0, LONGEST));
        chosen.collect::<Vec<_>>().join(" ")
    }

    /// A verbatim run of 3 to 8 words.
    pub(super) fn phrase(&self, random: &mut Random) -> &'a str {
        let Some(text) = pick(&self.texts, random) else { return NOTHING };
        piece(text, 3 + random.below(6) as usize, random)
    }

    /// A verbatim run of 4 to 12 words of a line, or of any text if there is no line.
    pub(super) fn quote(&self, line: Option<Line<'a>>, random: &mut Random) -> &'a str {
        let text = line.map(|line| line.text).or_else(|| pick(&self.texts, random).copied());
        let Some(text) = text else { return NOTHING };
        piece(text, FEWEST + random.below((MOST - FEWEST + 1) as u64) as usize, random)
    }

    /// A single word in lower case.
    pub(super) fn word(&self, random: &mut Random) -> String {
        let Some(text) = pick(&self.texts, random) else { return NOTHING.to_owned() };
        let (from, to) = *pick(&words(text), random).unwrap_or(&(0, 0));
        text[from..to].to_lowercase()
    }
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (id, rest) = line.trim().strip_prefix('[')?.split_once(']')?;
        let (speaker, text) = rest.split_once(": ")?;
        let (speaker, text) = (speaker.trim(), text.trim());
        let plain = |name: &str, most: usize| !name.is_empty() && name.len() <= most && !name.contains('[');
        (plain(id, 60) && !id.contains(char::is_whitespace) && plain(speaker, 100)).then_some(Self {
            id,
            speaker,
            text,
        })
    }
}

/// Any of them.
pub(super) fn pick<'a, T>(from: &'a [T], random: &mut Random) -> Option<&'a T> {
    if from.is_empty() { None } else { from.get(random.below(from.len() as u64) as usize) }
}

/// A run of `count` words that starts anywhere; all of them if there are fewer.
fn piece<'a>(text: &'a str, count: usize, random: &mut Random) -> &'a str {
    let spare = words(text).len().saturating_sub(count);
    run(text, random.below(spare as u64 + 1) as usize, count)
}

/// The words from the one at `from`, with what is between them; and with what ends the text, if they end it.
fn run(text: &str, from: usize, count: usize) -> &str {
    let words = words(text);
    let Some(&(start, _)) = words.get(from) else { return text };
    let last = (from + count).min(words.len()) - 1;
    let end = if last + 1 == words.len() { text.trim_end().len() } else { words[last].1 };
    &text[start..end]
}

/// Where the words are: runs of letters and digits, with apostrophes and hyphens within.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut start = None;
    let mut end = 0;
    for (at, character) in text.char_indices() {
        if character.is_alphanumeric() {
            start.get_or_insert(at);
            end = at + character.len_utf8();
        } else if !matches!(character, '\'' | '’' | '-')
            && let Some(start) = start.take()
        {
            words.push((start, end));
        }
    }
    words.extend(start.map(|start| (start, end)));
    words
}

/// Parts that end in `.`, `!` or `?` before a space or the end.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let ends =
            matches!(character, '.' | '!' | '?') && characters.peek().is_none_or(|(_, next)| next.is_whitespace());
        if ends {
            sentences.push(&text[start..=at]);
            start = at + 1;
        }
    }
    sentences.push(&text[start..]);
    sentences.into_iter().map(str::trim).filter(|sentence| !words(sentence).is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_transcript_are_found() {
        let prompt =
            Prompt::new("Task: read.\n [s1] Ann (12:30): We'll take the early train. \n[s2] Bo: Ok.\n[x] no speaker");
        assert_eq!(prompt.lines, [Line { id: "s1", speaker: "Ann (12:30)", text: "We'll take the early train." }]);
        assert_eq!(Prompt::new("[s2] Bo: Ok.").lines.len(), 1);
        assert!(Prompt::new("[a b] Bo: Ok.\n[] Bo: x\n[s]: x").lines.is_empty());
    }

    #[test]
    fn quotes_are_verbatim_and_of_four_to_twelve_words() {
        let text = "Well, the well-known \"early\" train — it’s at 7, isn't it? We'd better be there by 6, I think, or not go.";
        let message = format!("[s1] Ann: {text}");
        let prompt = Prompt::new(&message);
        for seed in 0..200 {
            let quote = prompt.quote(Some(prompt.lines[0]), &mut Random::new(seed));
            assert!(text.contains(quote), "{quote}");
            assert!((4..=12).contains(&words(quote).len()), "{quote}");
        }
    }

    #[test]
    fn sentences_end_at_stops_before_spaces() {
        assert_eq!(sentences("It costs 3.50 now. Really?! Yes"), ["It costs 3.50 now.", "Really?!", "Yes"]);
        assert_eq!(sentences("… ."), Vec::<&str>::new());
    }
}
