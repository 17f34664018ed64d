//! Makes turns of timed cues, which all formats of captions share.

use crate::{Turn, label::before_colon, marks, names::Labels};

/// Cues that follow each other by no more than this many seconds show parts of the same text, if they share lines.
const LONGEST_GAP: f64 = 0.5;
/// A cue that is shown for less seconds is not meant to be read.
const SHORTEST_READ: f64 = 0.05;
/// As many lines at once are shown by captions that roll up.
const MOST_ROWS: usize = 4;

/// A line of a cue, after the voice that a tag gives it.
type Line = (Option<String>, String);

/// A timed cue.
#[derive(Debug, Default)]
pub(crate) struct Cue {
    pub(crate) start: f64,
    pub(crate) end: Option<f64>,
    pub(crate) lines: Vec<Line>,
}

/// Makes turns of cues: a new one for each cue, and for each voice within it.
pub(crate) fn turns(mut cues: Vec<Cue>) -> Vec<Turn> {
    drop_lines_shown_twice(&mut cues);
    split_at_chevrons(&mut cues);
    let mut labels = Labels::default();
    let mut untagged_lines = 0;
    for (_, line) in cues.iter().flat_map(|cue| &cue.lines).filter(|(voice, _)| voice.is_none()) {
        untagged_lines += 1;
        if let Some(found) = before_colon(&marks::strip(marks::dash(line).unwrap_or(line))) {
            labels.add(found.name);
        }
    }
    let labels = labels.retain_names(untagged_lines);
    let mut turns: Vec<Turn> = Vec::with_capacity(cues.len());
    // Where `>>` marks each change of speakers, a cue without it goes on with the speaker.
    let mut speaker_goes_on: Option<String> = None;
    for cue in &cues {
        let mut continues_turn = false;
        for (voice, line) in &cue.lines {
            let undashed = marks::dash(line);
            let unmarked = marks::strip(undashed.unwrap_or(line));
            let labelled = before_colon(&unmarked).filter(|found| voice.is_none() && labels.is_name(&found.name));
            let starts_turn = undashed.is_some() || unmarked.changes_speaker;
            let (speaker, text) = match labelled {
                Some(found) => (Some(found.name.into_owned()), found.said),
                None if unmarked.changes_speaker => {
                    (voice.clone(), marks::chevrons(undashed.unwrap_or(line)).unwrap_or(unmarked.rest))
                }
                None => (voice.clone(), undashed.filter(|_| voice.is_none()).unwrap_or(line)),
            };
            if unmarked.changes_speaker || speaker.is_some() && speaker_goes_on.is_some() {
                speaker_goes_on.clone_from(&speaker);
            }
            match turns.last_mut().filter(|_| continues_turn) {
                Some(last) if !starts_turn && (speaker.is_none() || speaker == last.speaker) => {
                    if !last.text.is_empty() && !text.is_empty() {
                        last.text.push(' ');
                    }
                    last.text.push_str(text);
                }
                _ => {
                    let speaker = if starts_turn { speaker } else { speaker.or_else(|| speaker_goes_on.clone()) };
                    turns.push(Turn { speaker, text: text.to_owned(), start: Some(cue.start), number: None });
                    continues_turn = true;
                }
            }
        }
    }
    turns.retain_mut(|turn| {
        turn.text = turn.text.trim().to_owned();
        !turn.text.is_empty()
    });
    turns
}

/// Captions that roll up show each line in two or more cues, or word by word: each is kept once, where it first appears.
fn drop_lines_shown_twice(cues: &mut Vec<Cue>) {
    let is_next = |before: &Cue, cue: &Cue| {
        !before.lines.is_empty() && !cue.lines.is_empty() && before.end.is_none_or(|end| cue.start <= end + LONGEST_GAP)
    };
    let (mut neighbours, mut rolling) = (0_usize, 0_usize);
    let mut before: Option<&Cue> = None;
    for cue in cues.iter().filter(|cue| !cue.lines.is_empty()) {
        if let Some(before) = before {
            neighbours += 1;
            let rolls = shared_lines(&before.lines, &cue.lines).is_some_and(|shared| {
                shared.grows || shared.rows < cue.lines.len() || is_flash(before) || is_flash(cue)
            });
            rolling += usize::from(is_next(before, cue) && rolls);
        }
        before = Some(cue);
    }
    // In other captions, somebody says the same twice now and then.
    if rolling == 0 || rolling * 4 < neighbours {
        return;
    }
    cues.retain(|cue| !cue.lines.is_empty());
    // What the cue before showed, whole, and the cue that keeps the last line of it.
    let (mut shown, mut keeper): (Vec<Line>, usize) = (Vec::new(), 0);
    let mut shown_until = None;
    for index in 0..cues.len() {
        let now_shown = cues[index].lines.clone();
        let is_next = shown_until.is_none_or(|end| cues[index].start <= end + LONGEST_GAP);
        if let Some(shared) = shared_lines(&shown, &now_shown).filter(|_| is_next) {
            let last_shared = cues[index].lines.drain(..shared.rows).next_back();
            if let Some(line) = last_shared.filter(|_| shared.grows) {
                cues[keeper].lines.pop();
                cues[keeper].lines.push(line);
            }
        }
        if !cues[index].lines.is_empty() {
            keeper = index;
        }
        shown_until = cues[index].end;
        shown = now_shown;
    }
}

/// Whether a cue is shown too shortly to be read, as roll-up captions do between two rows.
fn is_flash(cue: &Cue) -> bool {
    cue.end.is_some_and(|end| end - cue.start < SHORTEST_READ)
}

/// Lines that a cue has in common with the one before it.
struct Shared {
    /// How many lines at the end of the one cue are those at the head of the next.
    rows: usize,
    /// Whether the last of them has more words in the next.
    grows: bool,
}

fn shared_lines(before: &[Line], cue: &[Line]) -> Option<Shared> {
    (1..=MOST_ROWS.min(before.len()).min(cue.len())).rev().find_map(|rows| {
        let (last_before, last) = (&before[before.len() - 1].1, &cue[rows - 1].1);
        let are_same = before[before.len() - rows..before.len() - 1].iter().zip(cue).all(|(a, b)| a.1 == b.1);
        let grows = last.strip_prefix(last_before.as_str()).is_some_and(|more| more.starts_with(' '));
        (are_same && (grows || last == last_before)).then_some(Shared { rows, grows })
    })
}

/// Cuts lines where `>>` marks another speaker in the middle of them.
fn split_at_chevrons(cues: &mut [Cue]) {
    for cue in cues {
        if !cue.lines.iter().any(|(_, line)| line.contains(" >>")) {
            continue;
        }
        for (voice, line) in std::mem::take(&mut cue.lines) {
            let mut piece_start = 0;
            for (at, _) in line.match_indices(" >>") {
                cue.lines.push((voice.clone(), line[piece_start..at].to_owned()));
                piece_start = at + 1;
            }
            cue.lines.push((voice, line[piece_start..].to_owned()));
        }
        cue.lines.retain(|(_, line)| !line.trim().is_empty());
    }
}
