//! Reads SubRip, which has numbered cues.

use crate::{
    Reading,
    cues::{self, Cue},
    detect::is_timing,
    lines, time,
};

pub(crate) fn read(text: &str) -> Reading {
    let mut cues: Vec<Cue> = Vec::new();
    let mut remaining = lines(text).map(str::trim).peekable();
    let mut after_blank = true;
    while let Some(line) = remaining.next() {
        if is_timing(line) {
            let start = line.split_once("-->").and_then(|(start, _)| time::clock(start.trim()));
            cues.push(Cue { start, lines: Vec::new() });
        } else if line.is_empty()
            || (is_number(line) && after_blank && remaining.peek().is_some_and(|next| is_timing(next)))
        {
            // Between cues, or a cue's number.
        } else if let Some(cue) = cues.last_mut() {
            let text = cues::untag(line, |_, _| {});
            // Positions of SubStation, such as `{\an8}`.
            let text =
                text.strip_prefix("{\\").and_then(|rest| rest.split_once('}')).map_or(text.as_str(), |(_, rest)| rest);
            cue.lines.push((None, text.trim().to_owned()));
        }
        after_blank = line.is_empty();
    }
    Reading { title: None, turns: cues::turns(cues) }
}

fn is_number(line: &str) -> bool {
    line.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn numbers_tags_and_times_are_not_text() {
        let text = "1\r\n00:00:01,500 --> 00:00:02,000\r\n<font color=\"red\">Ann: Hello</font>\r\nall\r\n\r\n2\r\n\
            00:00:03,000 --> 00:00:04,000\r\n{\\an8}Bo: 42\r\n7\r\n\r\n3\r\n00:00:05,000 --> 00:00:06,000\r\n- Yes.\r\n- No.\r\n";
        let turns = read(text).turns;
        let found: Vec<_> = turns.iter().map(|t| (t.speaker.as_deref(), t.text.as_str(), t.start)).collect();
        assert_eq!(
            found,
            [
                (Some("Ann"), "Hello all", Some(1.5)),
                (Some("Bo"), "42 7", Some(3.0)),
                (None, "Yes.", Some(5.0)),
                (None, "No.", Some(5.0)),
            ]
        );
    }
}
