//! A transcript prepared for analysis: its speakers, its sentences across interruptions, and its words as numbers.

use std::ops::Range;

use jackfield_text::{
    Evidence, Segment, Transcript, clean,
    clean::without_marks,
    language::Language,
    lexicon::Lexicon,
    names::Names,
    sentences::{is_question_mark, is_sentence_end, sentences},
    vocabulary::{TermId, Vocabulary, WordId},
    words,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::question_words::asks_without_mark;

/// A sentence goes on over so many turns of listeners.
const INTERRUPTIONS: usize = 3;
/// A sentence is put together of so many pieces at most.
const PIECES: usize = 4;
/// A turn of so few words, none of them a content word, is a sign of listening.
const LISTENING: usize = 3;
/// A sentence of more words is not continued.
const LONG: usize = 50;

/// A part of a sentence: a range of bytes in the text of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) segment: usize,
    pub(crate) range: Range<usize>,
}

/// What is said from one full stop to the next, by one speaker, over listeners' interruptions.
#[derive(Clone, Debug)]
pub(crate) struct Sentence {
    pub(crate) pieces: Vec<Piece>,
    /// Its words in [`Talk::tokens`].
    tokens: Range<usize>,
    pub(crate) question: bool,
    /// Whether it breaks off.
    pub(crate) broken: bool,
}

impl Sentence {
    /// Index of the segment where it starts.
    pub(crate) fn segment(&self) -> usize {
        self.pieces[0].segment
    }

    /// Index of the segment where it ends.
    pub(crate) fn last_segment(&self) -> usize {
        self.pieces[self.pieces.len() - 1].segment
    }
}

/// A transcript prepared for analysis.
pub(crate) struct Talk<'a> {
    pub(crate) segments: &'a [Segment],
    /// Labels of the speakers in order of first turn.
    pub(crate) speakers: Vec<&'a str>,
    /// Index of each segment's speaker.
    pub(crate) speaker_of: Vec<Option<usize>>,
    pub(crate) names: Names,
    pub(crate) language: Language,
    /// Stop words of a language other than English.
    stop_words: FxHashSet<String>,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) sentences: Vec<Sentence>,
    /// The first sentence of each segment, with one entry more for the end.
    first_sentence: Vec<usize>,
    /// Whether each segment only shows that its speaker listens (or holds no words at all).
    pub(crate) listening: Vec<bool>,
    tokens: Vec<WordId>,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(transcript: &'a Transcript) -> Self {
        let segments = &transcript.segments[..];
        let (speakers, speaker_of) = number_speakers(segments);
        let texts = || segments.iter().map(|segment| segment.text.as_str());
        let language = Language::of(texts());
        let is_english = language == Language::English;
        let mut talk = Self {
            segments,
            language,
            stop_words: if is_english { FxHashSet::default() } else { language.stop_words() },
            names: Names::new(&speakers),
            speakers,
            speaker_of,
            vocabulary: Vocabulary::new(
                language,
                if is_english { Lexicon::default() } else { Lexicon::learn(texts()) },
            ),
            sentences: Vec::new(),
            first_sentence: Vec::with_capacity(segments.len() + 1),
            listening: Vec::with_capacity(segments.len()),
            tokens: Vec::new(),
        };
        talk.split();
        let Self { sentences, tokens, vocabulary, .. } = &mut talk;
        for sentence in sentences {
            let start = tokens.len();
            for piece in &sentence.pieces {
                vocabulary.read(&segments[piece.segment].text[piece.range.clone()], tokens);
            }
            sentence.tokens = start..tokens.len();
        }
        talk
    }

    /// Finds the sentences, each over the interruptions of listeners.
    fn split(&mut self) {
        // The sentence that is not finished yet, and over how many turns it has waited.
        let mut open: Option<(usize, usize)> = None;
        for (index, segment) in self.segments.iter().enumerate() {
            self.first_sentence.push(self.sentences.len());
            let ranges = sentences(&segment.text);
            let listening = self.is_listening(&segment.text);
            self.listening.push(listening);
            let mut ranges = ranges.into_iter().peekable();
            if let Some((sentence, waited)) = open {
                let before = self.sentences[sentence].segment();
                if self.speaker_of[before] == self.speaker_of[index] && !listening {
                    if let Some(range) = ranges.next() {
                        let is_last = ranges.peek().is_none();
                        self.sentences[sentence].pieces.push(Piece { segment: index, range: range.clone() });
                        let text = &segment.text[range];
                        let pieces = self.sentences[sentence].pieces.len();
                        self.close(sentence, text);
                        let goes_on = is_last && goes_on(text) && pieces < PIECES && self.length(sentence) < LONG;
                        open = goes_on.then_some((sentence, 0));
                    }
                } else if listening && waited < INTERRUPTIONS {
                    open = Some((sentence, waited + 1));
                } else {
                    open = None;
                }
            }
            let mut last = None;
            for range in ranges {
                let text = &segment.text[range.clone()];
                let pieces = vec![Piece { segment: index, range: range.clone() }];
                self.sentences.push(Sentence { pieces, tokens: 0..0, question: false, broken: false });
                self.close(self.sentences.len() - 1, text);
                last = Some((self.sentences.len() - 1, goes_on(text) && words::count(text) < LONG));
            }
            if let Some((sentence, goes_on)) = last.filter(|_| !listening) {
                open = goes_on.then_some((sentence, 0));
            }
        }
        self.first_sentence.push(self.sentences.len());
    }

    /// `Mm-hmm`, `Okay, yeah`, laughter, nothing.
    fn is_listening(&self, text: &str) -> bool {
        let mut count = 0;
        for (_, word) in words::words(text).take(20) {
            let lower = word.to_lowercase();
            let is_stop_word = match self.language {
                Language::English => words::is_stop_word(&lower),
                _ => self.stop_words.contains(&lower),
            };
            if !words::is_filler(&lower) {
                count += 1;
                if count > LISTENING || !is_stop_word {
                    return false;
                }
            }
        }
        true
    }

    /// Notes how the last piece ends.
    fn close(&mut self, sentence: usize, text: &str) {
        let end = text.trim_end_matches(|c: char| {
            c.is_whitespace() || matches!(c, '"' | '”' | '»' | '」' | '』' | ')' | '）' | '\'')
        });
        let bare = without_end_marks(end);
        self.sentences[sentence].question = bare.ends_with(is_question_mark) || asks_without_mark(self.language, bare);
        self.sentences[sentence].broken =
            end.ends_with("{disfmarker}") || end.ends_with(['—', '–', '-']) || bare.ends_with("—.");
    }

    fn length(&self, sentence: usize) -> usize {
        self.sentences[sentence]
            .pieces
            .iter()
            .map(|piece| words::count(&self.segments[piece.segment].text[piece.range.clone()]))
            .sum()
    }

    /// Indices of the sentences that start in a segment.
    pub(crate) fn sentences_of(&self, segment: usize) -> Range<usize> {
        self.first_sentence[segment]..self.first_sentence[segment + 1]
    }

    pub(crate) fn speaker(&self, sentence: usize) -> Option<usize> {
        self.speaker_of[self.sentences[sentence].segment()]
    }

    /// The words as they are compared.
    pub(crate) fn words(&self, sentence: usize) -> Vec<&str> {
        self.tokens[self.sentences[sentence].tokens.clone()].iter().map(|&id| self.vocabulary.word(id)).collect()
    }

    pub(crate) fn word_ids(&self, sentence: usize) -> &[WordId] {
        &self.tokens[self.sentences[sentence].tokens.clone()]
    }

    /// The content words' stems, in order.
    pub(crate) fn terms(&self, sentence: usize) -> Vec<TermId> {
        self.word_ids(sentence).iter().filter_map(|&id| self.vocabulary.term(id)).collect()
    }

    /// The words said, pieces joined by a space.
    pub(crate) fn raw(&self, sentence: usize) -> String {
        let pieces = &self.sentences[sentence].pieces;
        let texts: Vec<_> =
            pieces.iter().map(|piece| &self.segments[piece.segment].text[piece.range.clone()]).collect();
        texts.join(" ")
    }

    /// The sentence for a reader: cleaned, and cut at a comma where it goes on and on.
    pub(crate) fn readable(&self, sentence: usize) -> String {
        const LONGEST: usize = 60;
        // What is a filler or a false start is known of English.
        let clean = if self.language == Language::English { clean } else { without_marks };
        let text = clean(&self.raw(sentence));
        let Some((limit, _)) = text.match_indices(' ').nth(LONGEST) else { return text };
        let head = &text[..limit];
        let end = head.rfind([',', ';', '–']).filter(|&mark| mark > limit / 2).unwrap_or(limit);
        format!("{} …", head[..end].trim_end())
    }

    /// The pieces of a sentence as evidence, but for those that hold punctuation alone.
    pub(crate) fn evidence(&self, sentence: usize) -> Vec<Evidence> {
        let pieces = self.sentences[sentence].pieces.iter();
        let spoken =
            |piece: &&Piece| self.segments[piece.segment].text[piece.range.clone()].contains(char::is_alphanumeric);
        pieces.filter(spoken).map(|piece| self.quote(piece.segment, piece.range.clone())).collect()
    }

    /// The words of a segment as evidence.
    pub(crate) fn quote(&self, segment: usize, range: Range<usize>) -> Evidence {
        let segment = &self.segments[segment];
        Evidence {
            segment: segment.id.clone(),
            speaker: segment.speaker.clone(),
            start: segment.start,
            quote: segment.text[range].to_owned(),
        }
    }

    /// Number of words said, over all.
    pub(crate) fn word_count(&self) -> usize {
        self.tokens.len()
    }
}

fn number_speakers(segments: &[Segment]) -> (Vec<&str>, Vec<Option<usize>>) {
    let mut speakers: Vec<&str> = Vec::new();
    let mut known: FxHashMap<&str, usize> = FxHashMap::default();
    let mut speaker_of = Vec::with_capacity(segments.len());
    for segment in segments {
        speaker_of.push(segment.speaker.as_deref().filter(|speaker| !speaker.trim().is_empty()).map(|speaker| {
            *known.entry(speaker).or_insert_with(|| {
                speakers.push(speaker);
                speakers.len() - 1
            })
        }));
    }
    (speakers, speaker_of)
}

/// The text without the marks at its end.
fn without_end_marks(text: &str) -> &str {
    let mut text = text;
    while let Some(&(start, end)) = words::noise(text).last()
        && end == text.len()
    {
        text = text[..start].trim_end();
    }
    text
}

/// Whether a sentence is not finished: it has no full stop and is not broken off.
fn goes_on(text: &str) -> bool {
    !text.ends_with("{disfmarker}")
        && !without_end_marks(text)
            .ends_with(|c| is_sentence_end(c) || matches!(c, '"' | '”' | '»' | '」' | '』' | '—' | ':' | '：'))
}
