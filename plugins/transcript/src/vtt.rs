//! Reads WebVTT (W3C): cues with voice tags. Notes, styles and regions are left out.

use crate::{
    Reading,
    cues::{self, Cue},
    detect::is_timing,
    lines, time,
};

pub(crate) fn read(text: &str) -> Reading {
    let mut cues: Vec<Cue> = Vec::new();
    let mut state = State::Between;
    let mut voice: Option<String> = None;
    let mut is_first_line = true;
    for line in lines(text).map(str::trim) {
        let is_header = std::mem::take(&mut is_first_line) && line.starts_with("WEBVTT");
        if line.is_empty() {
            state = State::Between;
        } else if is_header {
            state = State::Skip;
        } else if is_timing(line) && !matches!(state, State::Skip) {
            let start = line.split_once("-->").and_then(|(start, _)| time::clock(start.trim()));
            cues.push(Cue { start, lines: Vec::new() });
            voice = None;
            state = State::Cue;
        } else {
            match state {
                State::Between if is_block(line) => state = State::Skip,
                // The cue's id, which the timing line follows.
                State::Between => state = State::Id,
                State::Id | State::Skip => {}
                State::Cue => {
                    let cue = cues.last_mut().expect("a line inside of a cue follows the timing line of that cue");
                    add_payload(line, &mut voice, cue);
                }
            }
        }
    }
    Reading { title: None, turns: cues::turns(cues) }
}

enum State {
    Between,
    Id,
    Skip,
    Cue,
}

fn is_block(line: &str) -> bool {
    ["NOTE", "STYLE", "REGION"]
        .iter()
        .any(|name| line.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))
}

fn add_payload(line: &str, voice: &mut Option<String>, cue: &mut Cue) {
    let mut pieces: Vec<(Option<String>, String)> = Vec::new();
    let rest = cues::untag(line, |before, name| {
        pieces.push((voice.clone(), before.trim().to_owned()));
        *voice = name.map(|name| cues::untag(name, |_, _| {}));
    });
    pieces.push((voice.clone(), rest.trim().to_owned()));
    cue.lines.extend(pieces.into_iter().filter(|(_, text)| !text.is_empty()));
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn voices_ids_notes_and_styles_are_distinguished() {
        let text = "WEBVTT - a title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE ignore\nthis too\n\nintro\n\
            00:01.000 --> 00:04.000 align:start\n<v.loud Ann Lee>Hello, <i>all</i></v> <v Bo>hi\nthere &amp; here\n\n\
            00:00:05.500 --> 00:00:06.000\nno <00:05.600>voice 3 < 4\n";
        let turns = read(text).turns;
        let found: Vec<_> = turns.iter().map(|t| (t.speaker.as_deref(), t.text.as_str(), t.start)).collect();
        assert_eq!(
            found,
            [
                (Some("Ann Lee"), "Hello, all", Some(1.0)),
                (Some("Bo"), "hi there & here", Some(1.0)),
                (None, "no voice 3 < 4", Some(5.5)),
            ]
        );
    }

    #[test]
    fn names_before_a_colon_are_speakers_too() {
        let turns =
            read("WEBVTT\n\n00:01.000 --> 00:02.000\nAnn: one\nBo: two\n\n00:03.000 --> 00:04.000\nAnn: three\n").turns;
        let found: Vec<_> = turns.iter().map(|t| (t.speaker.as_deref(), t.text.as_str())).collect();
        assert_eq!(found, [(Some("Ann"), "one"), (Some("Bo"), "two"), (Some("Ann"), "three")]);
    }
}
