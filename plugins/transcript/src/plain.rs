//! Reads plain text, with or without speakers and times.

use jackfield_text::sentences::sentences;

use crate::{
    Reading, Turn, lines,
    speaker::{Labels, could_be_label, looks_like_name, split_label},
    time,
};

/// A paragraph of text without speakers is cut into segments of about this many bytes.
const SEGMENT_BYTES: usize = 600;

pub(crate) fn read(text: &str) -> Reading {
    let (inline_labels, alone_labels) = labels(text);
    let mut reader = Reader { turns: Vec::new(), open: false, start: None, speaker: None };
    let has_speakers = !(inline_labels.is_empty() && alone_labels.is_empty());
    let mut after_blank = true;
    for line in lines(text) {
        let line = line.trim();
        if line.is_empty() {
            after_blank = true;
            reader.open = false;
            continue;
        }
        let (start, rest) = split_time(line);
        if start.is_some() {
            reader.start = start;
            reader.open = false;
        }
        let after_head = std::mem::replace(&mut after_blank, rest.is_empty());
        if rest.is_empty() {
            continue;
        }
        if let Some((label, said)) = split_label(rest).filter(|(label, _)| inline_labels.is_name(label)) {
            reader.start_turn(Some(label.into_owned()), said, trailing_time(rest));
        } else if let Some((label, time)) = label_alone(rest)
            .filter(|(label, time)| (after_head || start.is_some() || time.is_some()) && alone_labels.is_name(label))
        {
            reader.start_turn(Some(label.to_owned()), "", time);
        } else if let Some((label, said)) =
            split_columns(rest).filter(|(label, _)| start.is_some() && inline_labels.is_name(label))
        {
            reader.start_turn(Some(label.to_owned()), said, None);
        } else if reader.open {
            reader.continue_turn(rest, has_speakers);
        } else if start.is_some() && has_speakers {
            reader.start_turn(None, rest, None);
        } else {
            // A new paragraph goes on with the speaker of the one before it.
            let speaker = reader.speaker.clone();
            reader.start_turn(speaker, rest, None);
        }
    }
    let turns = reader.turns.into_iter().filter(|turn| !turn.text.is_empty());
    Reading {
        title: None,
        turns: if has_speakers { turns.collect() } else { turns.flat_map(split_long_turn).collect() },
    }
}

struct Reader {
    turns: Vec<Turn>,
    /// Whether the next line may belong to the last turn.
    open: bool,
    /// A time whose turn has not started yet.
    start: Option<f64>,
    speaker: Option<String>,
}

impl Reader {
    fn start_turn(&mut self, speaker: Option<String>, text: &str, start: Option<f64>) {
        self.speaker.clone_from(&speaker);
        let start = start.or(self.start.take());
        self.start = None;
        self.turns.push(Turn { speaker, text: text.to_owned(), start, number: None });
        self.open = true;
    }

    fn continue_turn(&mut self, text: &str, has_speakers: bool) {
        let last = self.turns.last_mut().expect("a turn that can be continued has been started");
        // Without speakers, a line that follows a finished sentence is an utterance of its own.
        if !has_speakers && last.text.ends_with(['.', '?', '!', '…', '"', '”']) {
            self.start_turn(None, text, None);
            return;
        }
        if !last.text.is_empty() {
            last.text.push(' ');
        }
        last.text.push_str(text);
    }
}

/// A time at the head of the line, and the rest.
fn split_time(line: &str) -> (Option<f64>, &str) {
    match time::leading(line) {
        Some((start, rest)) => (Some(start), rest.strip_prefix(':').unwrap_or(rest).trim()),
        None => (None, line),
    }
}

/// The time in `Ann (00:12): text`.
fn trailing_time(line: &str) -> Option<f64> {
    let open = line.find(['(', '['])?;
    let close = line[open..].find([')', ']'])? + open;
    let colon = line.find(": ").or_else(|| line.strip_suffix(':').map(str::len))?;
    time::clock(&line[open + 1..close]).filter(|_| close < colon || colon > open)
}

/// A line that is a name and no more, but for a time: `Ann Lee`, `Ann Lee  00:12`, `Ann (00:12)`.
fn label_alone(line: &str) -> Option<(&str, Option<f64>)> {
    let (head, tail) = line.rsplit_once(char::is_whitespace).unwrap_or(("", line));
    let time = time::clock(tail.trim_matches(['(', ')', '[', ']']));
    let label = if time.is_some() { head.trim() } else { line };
    // `[Ann Lee] 10:00:01`, as chats have it.
    let in_brackets = label.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).filter(|_| time.is_some());
    let label = in_brackets.unwrap_or(label);
    let label = label.strip_suffix(':').unwrap_or(label).trim_end_matches([' ', '-', '–', '|']);
    let is_short =
        label.len() <= 60 && !label.ends_with(['.', ',', '?', '!', ':', '…']) || label.split_whitespace().count() == 1;
    (is_short && could_be_label(label) && looks_like_name(label)).then_some((label, time))
}

/// `Ann   text`, the two set apart by a tab or by more than one space.
fn split_columns(line: &str) -> Option<(&str, &str)> {
    let gap = line.find('\t').into_iter().chain(line.find("  ")).min()?;
    let (label, said) = (line[..gap].trim(), line[gap..].trim());
    (could_be_label(label) && !said.is_empty()).then_some((label, said))
}

/// The labels that the text uses before its turns, and on lines of their own.
fn labels(text: &str) -> (Labels<'_>, Labels<'_>) {
    let (mut inline_labels, mut alone_labels) = (Labels::default(), Labels::default());
    let (mut line_count, mut block_count) = (0, 0);
    let mut after_blank = true;
    let mut label_above: Option<&str> = None;
    for line in lines(text).map(str::trim) {
        if line.is_empty() {
            after_blank = true;
            label_above = None;
            continue;
        }
        let (start, rest) = split_time(line);
        let after_head = std::mem::replace(&mut after_blank, rest.is_empty());
        if rest.is_empty() {
            continue;
        }
        line_count += 1;
        // A name alone needs something said below it.
        if let Some(label) = label_above.take() {
            alone_labels.add(label.into());
        }
        block_count += usize::from(after_head || start.is_some());
        if let Some((label, _)) = split_label(rest) {
            inline_labels.add(label);
        } else if let Some((label, _)) = split_columns(rest).filter(|_| start.is_some()) {
            inline_labels.add(label.into());
        } else if let Some((label, time)) = label_alone(rest)
            && (after_head || start.is_some() || time.is_some())
        {
            block_count += usize::from(!after_head && start.is_none());
            label_above = Some(label);
        }
    }
    (inline_labels.retain_names(line_count), alone_labels.retain_names(block_count))
}

/// A long paragraph as segments of whole sentences.
fn split_long_turn(turn: Turn) -> Vec<Turn> {
    if turn.text.len() <= 2 * SEGMENT_BYTES {
        return vec![turn];
    }
    let mut pieces: Vec<Turn> = Vec::new();
    let mut segment_start = 0;
    let mut segment_end = 0;
    let mut push_segment = |segment_start: usize, segment_end: usize| {
        let start = if segment_start == 0 { turn.start } else { None };
        let text = turn.text[segment_start..segment_end].trim().to_owned();
        pieces.push(Turn { speaker: turn.speaker.clone(), text, start, number: None });
    };
    for sentence in sentences(&turn.text) {
        if sentence.end - segment_start > SEGMENT_BYTES && segment_end > segment_start {
            push_segment(segment_start, segment_end);
            segment_start = segment_end;
        }
        segment_end = sentence.end;
    }
    push_segment(segment_start, turn.text.len());
    pieces
}
