//! A transcript as parts that fit a call: whole, however long it is.

use std::ops::Range;

use jackfield_text::{Segment, cut::one_line, sentences::sentences};

/// How many tokens a text has in the tokenizer `o200k`.
pub(crate) fn tokens(text: &str) -> usize {
    jackfield_tokens::count(text)
}

/// The segments as lines `[id] Speaker: words`, in parts of at most `room` tokens.
///
/// A part ends where a segment does. A segment that is too long for a part is cut where a sentence ends, or failing that
/// a word, and each piece has the head of the segment. There are no more parts than needed, and they are about as long as
/// one another.
pub(crate) fn parts(segments: &[Segment], room: usize) -> Vec<String> {
    let lines: Vec<String> = segments.iter().flat_map(|segment| lines(segment, room)).collect();
    // The line break counts as a token.
    let costs: Vec<usize> = lines.iter().map(|line| tokens(line) + 1).collect();
    let fewest = filled(&costs, room).len();
    // The smallest size that needs no more parts makes them even.
    let (mut low, mut high) = (0, room);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let fits = costs.iter().all(|cost| *cost <= middle) && filled(&costs, middle).len() == fewest;
        if fits { high = middle } else { low = middle }
    }
    filled(&costs, high).into_iter().map(|part| lines[part].join("\n")).collect()
}

/// The indices that go in each part when one part after the other is filled.
fn filled(costs: &[usize], room: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut spent = 0;
    for (index, cost) in costs.iter().enumerate() {
        match parts.last_mut() {
            Some(part) if spent + cost <= room => {
                part.end = index + 1;
                spent += cost;
            }
            _ => {
                parts.push(index..index + 1);
                spent = *cost;
            }
        }
    }
    parts
}

/// A segment as one line, or as several where one would not fit.
fn lines(segment: &Segment, room: usize) -> Vec<String> {
    // A line break within a segment would look like the next segment.
    let text = one_line(&segment.text);
    let head = match segment.speaker.as_deref().map(str::trim).filter(|speaker| !speaker.is_empty()) {
        Some(speaker) => format!("[{}] {}: ", segment.id, one_line(speaker)),
        None => format!("[{}] ", segment.id),
    };
    let room = room.saturating_sub(tokens(&head) + 1).max(1);
    let mut pieces = Vec::new();
    split(&text, room, &mut pieces);
    pieces.into_iter().map(|piece| format!("{head}{piece}")).collect()
}

/// Cuts a text into pieces of at most `room` tokens, or single characters where one has more.
fn split<'a>(text: &'a str, room: usize, pieces: &mut Vec<&'a str>) {
    if text.is_empty() {
        return;
    }
    if tokens(text) <= room {
        pieces.push(text);
        return;
    }
    let units = units(text);
    if units.len() < 2 {
        pieces.push(text);
        return;
    }
    // A space may make a token of its own.
    let costs: Vec<usize> = units.iter().map(|unit| tokens(&text[unit.clone()]) + 1).collect();
    for run in filled(&costs, room) {
        let piece = text[units[run.start].start..units[run.end - 1].end].trim();
        // A unit too long by itself, or a run whose tokens do not add up.
        if piece.len() < text.len() { split(piece, room, pieces) } else { pieces.push(piece) }
    }
}

/// Sentences of a text; words, if it is one sentence; halves, if it is one word.
fn units(text: &str) -> Vec<Range<usize>> {
    let sentences = sentences(text);
    if sentences.len() > 1 {
        return sentences;
    }
    let mut words: Vec<Range<usize>> = Vec::new();
    for word in text.split_inclusive(' ') {
        let from = words.last().map_or(0, |word| word.end);
        words.push(from..from + word.len());
    }
    if words.len() > 1 {
        return words;
    }
    let middle = (text.len() / 2..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let middle = if middle == text.len() { text.char_indices().next_back().map_or(0, |(at, _)| at) } else { middle };
    [0..middle, middle..text.len()].into_iter().filter(|half| !half.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use jackfield_text::{Segment, quote::fold};
    use proptest::prelude::*;

    use super::{parts, tokens};
    use crate::testing::transcript;

    fn segment(text: &str) -> Segment {
        Segment { id: "s1".into(), speaker: Some("Ann".into()), text: text.into(), start: None }
    }

    #[test]
    fn a_short_transcript_is_one_part() {
        let talk = transcript(&[("Ann", "Shall we\nstart?"), ("", "Yes.")]);
        assert_eq!(parts(&talk.segments, 100), ["[s1] Ann: Shall we start?\n[s2] Yes."]);
        assert!(parts(&[], 100).is_empty());
    }

    #[test]
    fn parts_end_where_segments_do_and_are_even() {
        let turn = ("Ann", "One two three four five six seven eight nine ten.");
        let talk = transcript(&[turn; 11]);
        let parts = parts(&talk.segments, 180);
        let lines: Vec<usize> = parts.iter().map(|part| part.lines().count()).collect();
        assert_eq!(lines, [6, 5], "and not as many as fit, and the rest");
    }

    #[test]
    fn an_overlong_segment_is_cut_where_a_sentence_ends() {
        let text = "The bus is late again today. ".repeat(20);
        let parts = parts(&[segment(&text)], 40);
        assert!(parts.len() > 3);
        assert!(
            parts.iter().all(|part| part.starts_with("[s1] Ann: The bus") && part.ends_with("today.")),
            "{parts:#?}"
        );
    }

    #[test]
    fn a_sentence_too_long_is_cut_between_words_and_a_word_anywhere() {
        let words = parts(&[segment(&"mile ".repeat(200))], 30);
        assert!(words.len() > 6 && words.iter().all(|part| part.ends_with("mile")));
        let word = parts(&[segment(&"ü§x".repeat(200))], 30);
        assert!(word.len() > 6);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_part_fits(
            texts in prop::collection::vec("([a-z]{1,12}[ .?]{1,2}){0,60}|\\PC{0,120}", 0..12),
            room in 24_usize..200,
        ) {
            let turns: Vec<(&str, &str)> = texts.iter().map(|text| ("", text.as_str())).collect();
            let parts = parts(&transcript(&turns).segments, room);
            let mut read = String::new();
            for line in parts.iter().flat_map(|part| part.lines()) {
                read.push_str(line.split_once("] ").map_or("", |(_, words)| words));
            }
            prop_assert_eq!(fold(&read), fold(&texts.concat()));
            prop_assert!(parts.iter().all(|part| tokens(part) <= room));
        }
    }
}
