//! The answers of speech services whose shape is not a list of segments: words, phrases and alternatives become turns.

use super::{
    rows::{self, seconds, speaker_of, start_of, text_of, word_of},
    tree::Tree,
};
use crate::{Turn, time::Timeline};

/// The turns of an answer of a service whose shape is known.
pub(super) fn turns(root: &Tree) -> Option<Vec<Turn>> {
    let found = [deepgram(root), items(root), google(root), azure(root), rev(root), youtube(root)];
    found.into_iter().flatten().find(|turns| turns.iter().any(|turn| !turn.text.is_empty()))
}

/// Deepgram: `results` with `utterances`, or channels with paragraphs, words or a transcript.
fn deepgram(root: &Tree) -> Option<Vec<Turn>> {
    let results = root.get("results")?;
    let utterances = results.list_at("utterances");
    if !utterances.is_empty() {
        return rows::turns(utterances, false).ok();
    }
    let mut turns = Vec::new();
    for channel in results.get("channels")?.list()? {
        let Some(best) = channel.first_at("alternatives") else { continue };
        let paragraphs = best.at(&["paragraphs", "paragraphs"]).and_then(Tree::list).unwrap_or_default();
        if !paragraphs.is_empty() {
            for paragraph in paragraphs {
                let sentences = paragraph.list_at("sentences").iter().filter_map(text_of).collect::<Vec<_>>();
                turns.push(turn(
                    speaker_of(paragraph),
                    sentences.join(" "),
                    start_of(paragraph, &mut Timeline::default()),
                ));
            }
        } else if best.list_at("words").is_empty() {
            turns.push(turn(None, text_of(best)?, None));
        } else {
            turns.extend(of_words(best.list_at("words")));
        }
    }
    Some(turns)
}

/// Amazon Transcribe (`results.items`, `results.audio_segments`) and Speechmatics (`results` of words).
fn items(root: &Tree) -> Option<Vec<Turn>> {
    let results = root.get("results")?;
    let segments = results.list_at("audio_segments");
    if !segments.is_empty() {
        return rows::turns(segments, false).ok();
    }
    let items = results.get("items").unwrap_or(results).list().filter(|items| {
        items.first().is_some_and(|item| item.get("type").is_some() && item.first_at("alternatives").is_some())
    });
    let Some(items) = items else {
        let transcripts: Vec<_> = results.list_at("transcripts").iter().filter_map(text_of).collect();
        return (!transcripts.is_empty()).then(|| vec![turn(None, transcripts.join(" "), None)]);
    };
    // Who speaks may stand apart from the words, by the same times, in order of time too.
    let apart: Vec<(&str, String)> = results
        .at(&["speaker_labels", "segments"])
        .and_then(Tree::list)
        .unwrap_or_default()
        .iter()
        .flat_map(|segment| segment.list_at("items").iter().map(move |item| (segment, item)))
        .filter_map(|(segment, item)| {
            Some((item.text_at("start_time")?, speaker_of(item).or_else(|| speaker_of(segment))?))
        })
        .collect();
    let mut apart = apart.into_iter().peekable();
    let mut words = Words::default();
    for item in items {
        let best = item.first_at("alternatives")?;
        let is_punctuation =
            item.text_at("type") == Some("punctuation") || item.text_at("attaches_to") == Some("previous");
        let labelled =
            apart.next_if(|(start, _)| item.text_at("start_time") == Some(*start)).map(|(_, speaker)| speaker);
        let speaker = speaker_of(item).or_else(|| speaker_of(best)).or(labelled);
        let start = start_of(item, &mut Timeline::default());
        words.add(speaker, &word_of(best).unwrap_or_default(), start, is_punctuation);
    }
    Some(words.turns)
}

/// Google and Watson: `results` of alternatives, of which the last repeats all words where speakers are told apart.
fn google(root: &Tree) -> Option<Vec<Turn>> {
    let results = root.get("results")?.list()?;
    let has_speakers = |best: &Tree| best.list_at("words").iter().any(|word| speaker_of(word).is_some());
    let best: Vec<(&Tree, &Tree)> =
        results.iter().filter_map(|result| Some((result, result.first_at("alternatives")?))).collect();
    let (_, last) = best.last()?;
    let words_before: usize = best[..best.len() - 1].iter().map(|(_, best)| best.list_at("words").len()).sum();
    if has_speakers(last) && last.list_at("words").len() >= words_before {
        return Some(of_words(last.list_at("words")));
    }
    let mut turns = Vec::new();
    for (result, best) in best {
        if has_speakers(best) {
            turns.extend(of_words(best.list_at("words")));
            continue;
        }
        let first_word = best.first_at("words").or_else(|| best.first_at("timestamps"));
        let start = first_word.and_then(|word| match word {
            // Watson: `["word", 0.1, 0.4]`.
            Tree::List(parts) => parts.get(1).and_then(|start| seconds(start, &mut Timeline::default())),
            word => start_of(word, &mut Timeline::default()),
        });
        turns.push(turn(speaker_of(result), text_of(best)?, start));
    }
    Some(turns)
}

/// Azure: `recognizedPhrases` of a batch, `phrases` of a fast transcription.
fn azure(root: &Tree) -> Option<Vec<Turn>> {
    let phrases = root.get("recognizedPhrases").or_else(|| root.get("phrases"))?.list()?;
    let phrase = |phrase: &Tree| {
        let text = phrase.first_at("nBest").and_then(text_of).or_else(|| text_of(phrase))?;
        let ticks = phrase.number_at("offsetInTicks").map(|ticks| ticks.max(0.0) / 1e7);
        Some(turn(speaker_of(phrase), text, ticks.or_else(|| start_of(phrase, &mut Timeline::default()))))
    };
    phrases.iter().map(phrase).collect()
}

/// Rev.ai: `monologues` of elements, words and punctuation with its spaces.
fn rev(root: &Tree) -> Option<Vec<Turn>> {
    let monologue = |monologue: &Tree| {
        let elements = monologue.list_at("elements");
        let text: String = elements.iter().filter_map(|element| element.text_at("value")).collect();
        let start = elements.iter().find_map(|element| element.number_at("ts")).map(|start| start.max(0.0));
        turn(speaker_of(monologue), text, start)
    };
    Some(root.get("monologues")?.list()?.iter().map(monologue).collect())
}

/// YouTube's `json3`: `events` of pieces, in which a line break alone moves the rows up.
fn youtube(root: &Tree) -> Option<Vec<Turn>> {
    let events = root.get("events")?.list()?.iter().filter(|event| !event.list_at("segs").is_empty());
    let event = |event: &Tree| {
        let text: String = event.list_at("segs").iter().filter_map(|piece| piece.text_at("utf8")).collect();
        turn(None, text.split_whitespace().collect::<Vec<_>>().join(" "), start_of(event, &mut Timeline::default()))
    };
    Some(events.map(event).filter(|turn| !turn.text.is_empty()).collect())
}

/// The turns of a list of words, each with its start and perhaps its speaker.
pub(super) fn of_words(list: &[Tree]) -> Vec<Turn> {
    let mut words = Words::default();
    let mut timeline = Timeline::default();
    for word in list.iter().filter(|word| word.text_at("type") != Some("spacing")) {
        let Some(text) = word_of(word) else { continue };
        let is_punctuation = word.text_at("type") == Some("punctuation");
        words.add(speaker_of(word), &text, start_of(word, &mut timeline), is_punctuation);
    }
    if rows::are_milliseconds(list) {
        rows::count_as_milliseconds(&mut words.turns);
    }
    words.turns
}

/// Turns that grow word by word: a new one where the speaker changes or, without speakers, after a sentence.
#[derive(Default)]
struct Words {
    turns: Vec<Turn>,
}

impl Words {
    fn add(&mut self, speaker: Option<String>, word: &str, start: Option<f64>, is_punctuation: bool) {
        let word = word.trim();
        if let Some(last) = self.turns.last_mut() {
            let goes_on = match &speaker {
                Some(_) => speaker == last.speaker,
                None => last.speaker.is_some() || !last.text.ends_with(['.', '?', '!', '…', '。', '？', '！']),
            };
            if is_punctuation || goes_on {
                if !is_punctuation && !last.text.is_empty() && !word.is_empty() {
                    last.text.push(' ');
                }
                last.text.push_str(word);
                return;
            }
        }
        self.turns.push(turn(speaker, word.to_owned(), start));
    }
}

fn turn(speaker: Option<String>, text: String, start: Option<f64>) -> Turn {
    Turn { speaker, text: crate::clean::clean(&text).trim().to_owned(), start, number: None }
}
