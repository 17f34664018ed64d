//! Detects the format of a text, and rejects input that is not text.

use jackfield_plugin_api::prelude::*;

use crate::{Format, clean::lines, json, table, time};

/// The accepted formats, for failure messages.
pub(crate) const ACCEPTED: &str = "plain text (`Speaker: text`, with times or without), WebVTT, SubRip, SBV, a table with a column `text`, \
    a JSON list of {speaker, text, start?}, a JSON object with `meeting_transcripts` ({speaker, content}) or `segments`, \
    or the JSON of a speech service";

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
    let head = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if head.strip_prefix("WEBVTT").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        return Format::Vtt;
    }
    if json::looks_like_json(head) {
        return Format::Json;
    }
    if let Some(table) = table::format(head) {
        return table;
    }
    // A timing line among the first few: SubRip, or WebVTT that lost its header.
    let first_lines = || lines(head).take(20).map(str::trim);
    match first_lines().find(|line| time::is_whole_cue_timing(line)) {
        Some(line) if line.contains(',') || !line.contains('.') => Format::Srt,
        Some(_) => Format::Vtt,
        None if first_lines().any(|line| time::sbv_timing(line).is_some()) => Format::Sbv,
        None => Format::Text,
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
        assert_eq!(format("00:01.000 --> 00:02.000 Ann: Hi\n"), Format::Text);
        assert_eq!(format("0:00:01.000,0:00:02.000\nHi\n"), Format::Sbv);
        assert_eq!(format("start\tend\ttext\n0\t1\tHi\n"), Format::Tsv);
        assert_eq!(format("start,end,text\n0,1,Hi\n"), Format::Csv);
        assert_eq!(format("\u{feff}WEBVTT\n"), Format::Vtt);
        assert_eq!(format("{\"segments\": [{\"text\": \"cut o"), Format::Json);
    }

    #[test]
    fn a_text_that_begins_like_json_is_a_text() {
        for text in [
            "[[inaudible]] and so on",
            "[{laughs}] Ann: hi",
            "[\"so\"] she said",
            "{\"so\"} she said",
            "WEBVTTs are fun",
            "[1] a note",
            "[]  Ann: hi",
            "{} Ann: hi",
        ] {
            assert_eq!(format(text), Format::Text, "{text}");
        }
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
