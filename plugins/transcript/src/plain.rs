//! Reads plain text, with or without speakers and times.

use std::borrow::Cow;

use jackfield_text::sentences::sentences;

use crate::{
    Reading, Turn,
    clean::lines,
    court, footers,
    label::{Labelled, alone, before_colon, before_gap},
    marks::{self, Unmarked},
    names::{Labels, looks_like_name},
    time::{self, Stamp, Timeline},
};

/// A paragraph of text without speakers is cut into segments of about this many bytes.
const SEGMENT_BYTES: usize = 600;

pub(crate) fn read(text: &str) -> Reading {
    let text = footers::without_notes(text);
    if let Some(reading) = court::read(text) {
        return reading;
    }
    let found = survey(text);
    let mut reader = Reader { turns: Vec::new(), open: false, start: None, speaker: None };
    let mut timeline = Timeline::default();
    let has_speakers = !(found.inline_labels.is_empty() && found.alone_labels.is_empty());
    let mut after_blank = true;
    for line in lines(text) {
        let line = line.trim();
        if line.is_empty() {
            after_blank = true;
            reader.open = false;
            continue;
        }
        let mut head = Head::of(line);
        // A time of the day may begin what is said, where no other line begins with one.
        let said_time = head.is_bare && !found.times_lead_lines && !head.is_time_alone();
        let names_speaker = || {
            found.label(&head).is_some() || alone(&head.line).is_some_and(|(name, _)| found.alone_labels.is_name(&name))
        };
        if said_time && !names_speaker() {
            head = Head { stamp: None, is_bare: false, line: marks::strip(line), whole: line };
        }
        let is_stamped = head.stamp.is_some();
        if let Some(stamp) = head.stamp {
            reader.start = timeline.seconds(stamp).or(reader.start);
            reader.open = false;
        }
        let after_head = std::mem::replace(&mut after_blank, head.is_time_alone());
        if head.is_time_alone() {
            continue;
        }
        if let Some(labelled) = found.label(&head) {
            let start = labelled.stamp.and_then(|stamp| timeline.seconds(stamp));
            reader.start_turn(Some(labelled.name.into_owned()), labelled.said, start);
        } else if let Some((name, stamp)) = alone(&head.line)
            .filter(|(name, stamp)| (after_head || is_stamped || stamp.is_some()) && found.alone_labels.is_name(name))
        {
            let start = stamp.and_then(|stamp| timeline.seconds(stamp));
            reader.start_turn(Some(name.into_owned()), "", start);
        } else if head.line.changes_speaker {
            let said = if head.line.emphasis.is_empty() { head.line.rest } else { head.whole };
            reader.start_turn(None, marks::chevrons(said).unwrap_or(said), None);
        } else if reader.open {
            reader.continue_turn(head.whole, has_speakers);
        } else if is_stamped && has_speakers {
            reader.start_turn(None, head.whole, None);
        } else {
            // A new paragraph goes on with the speaker of the one before it.
            let speaker = reader.speaker.clone();
            reader.start_turn(speaker, head.whole, None);
        }
    }
    let turns = reader.turns.into_iter().filter(|turn| !turn.text.is_empty());
    Reading {
        title: None,
        turns: if has_speakers { turns.collect() } else { turns.flat_map(split_long_turn).collect() },
    }
}

/// A line, and what stands at its head.
struct Head<'a> {
    stamp: Option<Stamp<'a>>,
    /// Whether the stamp is a time without brackets or date, with which a sentence may begin too.
    is_bare: bool,
    /// The line after its stamp, without the marks at its head.
    line: Unmarked<'a>,
    /// The line after its stamp, with its marks, as it is said if it has no label.
    whole: &'a str,
}

impl<'a> Head<'a> {
    fn of(line: &'a str) -> Self {
        if let Some(seconds) = written_out(line) {
            let stamp = Stamp { seconds: Some(seconds), date: None };
            return Self { stamp: Some(stamp), is_bare: false, line: Unmarked::default(), whole: "" };
        }
        // `- [00:12] Ann: text`: the stamp may follow a mark.
        let marked = marks::strip(line);
        for (text, emphasis, changes_speaker) in
            [(line, "", false), (marked.rest, marked.emphasis, marked.changes_speaker)]
        {
            if let Some(found) = time::leading(text) {
                let mut rest = marks::strip(found.rest);
                rest.changes_speaker |= changes_speaker;
                let mut whole = found.rest;
                if !emphasis.is_empty() {
                    // `**[00:12] Ann:** text`, and `**[00:12]** Ann: text`.
                    match whole.strip_prefix(emphasis) {
                        Some(after) => {
                            whole = after.trim_start();
                            rest = marks::strip(whole);
                        }
                        None => rest.emphasis = emphasis,
                    }
                }
                return Self { stamp: Some(found.stamp), is_bare: !found.is_marked, line: rest, whole };
            }
        }
        Self { stamp: None, is_bare: false, line: marked, whole: line }
    }

    fn is_time_alone(&self) -> bool {
        self.whole.is_empty()
    }

    /// The label at the head of the line by its form, if it has one before something said.
    fn labelled(&self) -> Option<Labelled<'a>> {
        let before_gap = before_gap(&self.line).filter(|found| self.stamp.is_some() || found.stamp.is_some());
        match (before_colon(&self.line), before_gap) {
            // `00:12 Ann  One thing: this`: the colon belongs to what is said.
            (Some(colon), Some(gap))
                if gap.name != colon.name && looks_like_name(&gap.name) && !gap.said.starts_with(['(', '[']) =>
            {
                Some(gap)
            }
            (colon, gap) => colon.or(gap).map(|found| self.without_from(found)),
        }
    }

    /// `09:01:12 From Ann Lee : Hello`, as older chats are saved.
    fn without_from(&self, found: Labelled<'a>) -> Labelled<'a> {
        let sender = found.name.strip_prefix("From ").filter(|name| looks_like_name(name)).map(str::to_owned);
        match sender.filter(|_| self.stamp.is_some() && self.line.rest.contains(" :")) {
            Some(name) => Labelled { name: Cow::Owned(name), ..found },
            None => found,
        }
    }
}

/// Seconds of a line that is a time in words, as players write it beside the clock time: `1 minute, 12 seconds`. Minutes
/// alone are said.
fn written_out(line: &str) -> Option<f64> {
    if !line.ends_with("second") && !line.ends_with("seconds") {
        return None;
    }
    let (mut sum, mut unit_before) = (0.0, f64::INFINITY);
    let mut words = line.split_whitespace();
    while let Some(number) = words.next() {
        let unit = match words.next()?.trim_end_matches(',') {
            "hour" | "hours" => 3600.0,
            "minute" | "minutes" => 60.0,
            "second" | "seconds" => 1.0,
            _ => return None,
        };
        if unit >= unit_before || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        sum += f64::from(number.parse::<u32>().ok()?) * unit;
        unit_before = unit;
    }
    Some(sum)
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

/// What the lines of a text have in common.
struct Survey<'a> {
    /// The labels that the text uses before its turns.
    inline_labels: Labels<'a>,
    /// The labels that it has on lines of their own.
    alone_labels: Labels<'a>,
    /// Whether lines begin with bare times throughout.
    times_lead_lines: bool,
}

impl Survey<'_> {
    /// The label of a line, if it names a speaker of the text.
    fn label<'a>(&self, head: &Head<'a>) -> Option<Labelled<'a>> {
        let is_name =
            |found: &Labelled<'_>| self.inline_labels.is_name(&found.name) || self.alone_labels.is_name(&found.name);
        let found = head.labelled()?;
        // `00:12 Ann  Lee: text`, where other lines name Ann Lee with one space.
        let colon = before_colon(&head.line).filter(|colon| colon.name != found.name).filter(is_name);
        colon.or(Some(found)).filter(is_name)
    }
}

fn survey(text: &str) -> Survey<'_> {
    let (mut inline_labels, mut alone_labels) = (Labels::default(), Labels::default());
    let (mut line_count, mut block_count, mut bare_times) = (0_usize, 0_usize, 0_usize);
    let mut after_blank = true;
    // The label on the line above, and whether it has a time.
    let mut label_above: Option<(Cow<'_, str>, bool)> = None;
    let mut is_below_time = false;
    for line in lines(text).map(str::trim) {
        if line.is_empty() {
            after_blank = true;
            label_above = None;
            continue;
        }
        let head = Head::of(line);
        bare_times += usize::from(head.is_bare);
        let after_head = std::mem::replace(&mut after_blank, head.is_time_alone());
        let has_time_above = std::mem::replace(&mut is_below_time, head.is_time_alone());
        if head.is_time_alone() {
            // `00:05`, `Welcome`, `00:07`: what has a time above it and one below it is said.
            label_above = label_above.filter(|(_, has_time)| !*has_time);
            continue;
        }
        line_count += 1;
        let is_stamped = head.stamp.is_some();
        // A name alone needs something said below it, which has no time of its own if the name has one.
        if let Some((label, has_time)) = label_above.take()
            && !(has_time && is_stamped)
        {
            alone_labels.add(label);
        }
        block_count += usize::from(after_head || is_stamped);
        if let Some(labelled) = head.labelled() {
            inline_labels.add(labelled.name);
        } else if let Some((name, stamp)) = alone(&head.line)
            && (after_head || is_stamped || stamp.is_some())
        {
            block_count += usize::from(!after_head && !is_stamped);
            label_above = Some((name, is_stamped || has_time_above || stamp.is_some()));
        }
    }
    Survey {
        inline_labels: inline_labels.retain_names(line_count),
        alone_labels: alone_labels.retain_names(block_count),
        times_lead_lines: bare_times >= 2 && bare_times * 5 >= line_count || bare_times == line_count,
    }
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
