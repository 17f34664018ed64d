//! Reads files of timed cues: WebVTT (W3C), SubRip and SBV, which differ in their timing lines and in what stands between
//! cues. The files that tools write break the rules of all three, so what a line is, is told from its neighbours.

use crate::{
    Format, Reading,
    clean::lines,
    cues::{self, Cue},
    footers, label, markup, time,
};

/// Reads a file of one of the formats of cues.
pub(crate) fn read(text: &str, format: Format) -> Reading {
    let mut reader = Reader {
        is_vtt: format == Format::Vtt,
        is_sbv: format == Format::Sbv,
        cues: Vec::new(),
        voice: None,
        skips_block: false,
        after_blank: true,
        pending: None,
        last_number: 0,
    };
    for line in lines(text) {
        reader.take(line);
    }
    reader.take_pending_as_text();
    drop_notes(&mut reader.cues);
    let mut turns = cues::turns(reader.cues);
    footers::drop_notes(&mut turns);
    Reading { title: None, turns }
}

/// Drops lines at the end that nobody said, unless nothing else is there.
fn drop_notes(cues: &mut Vec<Cue>) {
    if cues.iter().flat_map(|cue| &cue.lines).all(|(_, line)| footers::is_note(line)) {
        return;
    }
    while let Some(cue) = cues.last_mut() {
        match cue.lines.last() {
            None => {
                cues.pop();
            }
            Some((_, line)) if footers::is_note(line) => {
                cue.lines.pop();
            }
            Some(_) => break,
        }
    }
}

/// Beginning and end of the cue whose timing line this is.
fn timing(line: &str, is_sbv: bool) -> Option<(f64, Option<f64>)> {
    if is_sbv { time::sbv_timing(line) } else { time::cue_timing(line) }
}

struct Reader<'a> {
    is_vtt: bool,
    is_sbv: bool,
    cues: Vec<Cue>,
    /// Who the last voice tag of the cue names.
    voice: Option<String>,
    /// Whether the lines are those of a header, a note, a style or a region, up to the next blank or timing line.
    skips_block: bool,
    after_blank: bool,
    /// A line that is the number or the id of a cue if a timing line follows, and something said if not.
    pending: Option<Pending<'a>>,
    /// The number of the last cue that had one.
    last_number: u64,
}

struct Pending<'a> {
    line: &'a str,
    follows_blank: bool,
    /// Whether a blank line came after it.
    is_cut_off: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, raw_line: &'a str) {
        let line = raw_line.trim();
        if line.is_empty() {
            self.skips_block = false;
            // A line of blanks ends no cue, and one without text has not begun.
            self.after_blank |= raw_line.is_empty() || self.cues.last().is_none_or(|cue| !cue.lines.is_empty());
            if let Some(pending) = &mut self.pending {
                pending.is_cut_off = true;
            }
            return;
        }
        if let Some((start, end)) = timing(line, self.is_sbv) {
            self.voice = self.resolve_pending_before_timing();
            self.cues.push(Cue { start, end, lines: Vec::new() });
            self.skips_block = false;
            self.after_blank = false;
            return;
        }
        if self.skips_block {
            return;
        }
        self.take_pending_as_text();
        let follows_blank = std::mem::take(&mut self.after_blank);
        if self.is_vtt && follows_blank && is_block(line) {
            self.skips_block = true;
        } else if is_number(line) || self.is_vtt && follows_blank {
            self.pending = Some(Pending { line, follows_blank, is_cut_off: false });
        } else {
            self.add_text(line);
        }
    }

    /// A number or an id belongs to the timing line below it, and may name who speaks.
    fn resolve_pending_before_timing(&mut self) -> Option<String> {
        let pending = self.pending.as_ref()?;
        let speaker = speaker_of_id(pending.line);
        let number = is_number(pending.line).then(|| pending.line.parse::<u64>().unwrap_or(0));
        // Where the first cue has no number, the others have none: a number above a time is said.
        let is_numbered = self.last_number > 0 || self.cues.is_empty();
        let is_next_number = is_numbered && number.is_some_and(|number| number == self.last_number.saturating_add(1));
        let is_head = if pending.is_cut_off { is_next_number } else { number.is_some() || pending.follows_blank };
        if is_head {
            self.last_number = number.unwrap_or(self.last_number);
            self.pending = None;
            speaker
        } else {
            self.take_pending_as_text();
            None
        }
    }

    fn take_pending_as_text(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.add_text(pending.line);
        }
    }

    /// Adds a line to the last cue, in pieces where the voice changes.
    fn add_text(&mut self, line: &str) {
        // What stands before the first cue is not said.
        let Some(cue) = self.cues.last_mut() else { return };
        let voice = &mut self.voice;
        let mut pieces: Vec<(Option<String>, String)> = Vec::new();
        let rest = markup::text_of(line, |before, name| {
            pieces.push((voice.clone(), before.trim().to_owned()));
            *voice = name.and_then(|name| label::given_name(&markup::text_of(name, |_, _| {})));
        });
        pieces.push((voice.clone(), rest.trim().to_owned()));
        // The dash before a voice says no more than the voice does.
        cue.lines.extend(pieces.into_iter().filter(|(_, text)| !matches!(text.as_str(), "" | "-" | "–" | "—")));
    }
}

/// The name in an id that Webex writes: `1 "Ann Lee" (1234567)`.
fn speaker_of_id(id: &str) -> Option<String> {
    let (number, rest) = id.split_once(" \"")?;
    let (name, tail) = rest.rsplit_once('"')?;
    let tail = tail.trim().trim_start_matches('(').trim_end_matches(')');
    if is_number(number) && is_number(tail) { label::given_name(&markup::text_of(name, |_, _| {})) } else { None }
}

fn is_number(line: &str) -> bool {
    line.bytes().all(|byte| byte.is_ascii_digit())
}

/// A block of WebVTT that is no cue.
fn is_block(line: &str) -> bool {
    ["WEBVTT", "NOTE", "STYLE", "REGION"]
        .iter()
        .any(|name| line.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])))
}

#[cfg(test)]
mod tests;
