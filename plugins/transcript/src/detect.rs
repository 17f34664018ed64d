//! Detects the format of a text, and rejects input that is not text.

use jackfield_plugin_api::prelude::*;

use crate::{Format, lines, time};

/// The accepted formats, for failure messages.
pub(crate) const ACCEPTED: &str = "plain text (`Speaker: text`, with times or without), WebVTT, SubRip, \
    a JSON list of {speaker, text, start?}, or a JSON object with `meeting_transcripts` ({speaker, content}) or `segments`";

/// Refuses input that is empty, binary or in another encoding.
pub(crate) fn check_is_text(text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Failure::InvalidInput(format!("`text` is empty or white space alone; accepted are {ACCEPTED}")));
    }
    if let Some(offset) = text.bytes().position(|byte| byte == 0) {
        return Err(Failure::InvalidInput(format!(
            "`text` is binary: there is a NUL at byte {offset}; accepted are {ACCEPTED}, in UTF-8"
        )));
    }
    let (mut characters, mut odd_characters, mut first_odd) = (0usize, 0usize, 0usize);
    for (offset, c) in text.char_indices() {
        characters += 1;
        if c == '\u{fffd}' || (c.is_control() && !c.is_whitespace()) {
            odd_characters += 1;
            if odd_characters == 1 {
                first_odd = offset;
            }
        }
    }
    if odd_characters * 10 > characters {
        return Err(Failure::InvalidInput(format!(
            "`text` is binary or in another encoding: {odd_characters} of {characters} characters are not text, the first at byte {first_odd}; \
             accepted are {ACCEPTED}, in UTF-8"
        )));
    }
    Ok(())
}

/// The format of a text.
pub(crate) fn format(text: &str) -> Format {
    let head = text.trim_start();
    if head.starts_with("WEBVTT") {
        return Format::Vtt;
    }
    if starts_like_json(head) {
        return Format::Json;
    }
    // A timing line among the first few: SubRip, or WebVTT that lost its header.
    let timing = lines(head).take(20).map(str::trim).find(|line| is_timing(line));
    match timing {
        Some(line) if line.contains(',') || !line.contains('.') => Format::Srt,
        Some(_) => Format::Vtt,
        None => Format::Text,
    }
}

/// `00:00:01,000 --> 00:00:02,000`, settings after it or not, and nothing before it.
pub(crate) fn is_timing(line: &str) -> bool {
    let Some((start, end)) = line.split_once("-->") else { return false };
    let end = end.split_whitespace().next().unwrap_or_default();
    time::clock(start.trim()).is_some() && time::clock(end).is_some()
}

/// `{"` or `{}`, `[{`, `["`, `[1` with a comma: not `[00:12]` and not `{laugh}`.
fn starts_like_json(head: &str) -> bool {
    let mut chars = head.chars().filter(|c| !c.is_whitespace());
    match (chars.next(), chars.next()) {
        (Some('{'), Some('"' | '}')) => true,
        (Some('['), Some('{' | '"' | ']' | '[')) => true,
        (Some('['), Some(_)) => serde_json::from_str::<serde::de::IgnoredAny>(head).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_distinguished() {
        assert_eq!(format("WEBVTT\n\n"), Format::Vtt);
        assert_eq!(format("1\n00:00:01,000 --> 00:00:02,000\nHi\n"), Format::Srt);
        assert_eq!(format("00:01.000 --> 00:02.000\nHi\n"), Format::Vtt);
        assert_eq!(format(" [ { \"text\": 1 } ]"), Format::Json);
        assert_eq!(format("[00:12] Ann: hi"), Format::Text);
        assert_eq!(format("{laugh} hi"), Format::Text);
    }

    #[test]
    fn binary_input_is_refused_with_the_offset() {
        let message = |text: &str| check_is_text(text).expect_err("refused").message().to_owned();
        assert!(message(" \n\t").contains("empty"));
        assert!(message("ab\0c").contains("NUL at byte 2"));
        assert!(message("\u{fffd}\u{fffd}ab").contains("2 of 4"));
        assert!(check_is_text("a word with one \u{fffd} in it").is_ok());
    }
}
