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

/// Refuses a text of a known format that is none of those of transcripts, or that no reader is for.
pub(crate) fn check_is_no_other_format(text: &str) -> Result<()> {
    match other_format(head_of(text)) {
        Some(name) => {
            Err(Failure::InvalidInput(format!("`text` is {name}, which is not read; accepted are {ACCEPTED}")))
        }
        None => Ok(()),
    }
}

/// What a text is that begins like another format.
fn other_format(head: &str) -> Option<&'static str> {
    let after = |start: &str| {
        let found = head.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start));
        found.then(|| &head[start.len()..])
    };
    // `<Sami> hello` is what somebody says: a tag has attributes, or another tag below it.
    let is_tag = |rest: &str| {
        let Some((inside, behind)) = rest.split_once('>') else { return false };
        let behind = behind.trim_start();
        let has_attributes = inside.starts_with(|c: char| c.is_whitespace() || c == ':') && inside.contains('=');
        has_attributes || inside.trim().is_empty() && (behind.is_empty() || behind.starts_with('<'))
    };
    if after("<?xml").is_some() {
        Some("XML")
    } else if after("<tt").is_some_and(is_tag) {
        Some("TTML")
    } else if after("<html").is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == '>'))
        || after("<!DOCTYPE").is_some()
    {
        Some("HTML")
    } else if after("<SAMI").is_some_and(is_tag) {
        Some("SAMI")
    } else if after("{\\rtf").is_some() {
        Some("RTF")
    } else if after("[Script Info]").is_some() {
        Some("SubStation Alpha (ASS)")
    } else if after("@UTF8").is_some_and(|rest| lines(rest).next().is_none_or(|line| line.trim().is_empty())) {
        Some("CHAT")
    } else {
        None
    }
}

/// A text without the white space and the byte order mark at its head.
fn head_of(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// The format of a text.
pub(crate) fn format(text: &str) -> Format {
    let head = head_of(text);
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
    fn other_formats_are_refused_by_name() {
        for (text, name) in [
            ("\u{feff} <?xml version=\"1.0\"?>\n<tt/>", "XML"),
            ("<tt xmlns=\"http://www.w3.org/ns/ttml\">\n<body/></tt>", "TTML"),
            ("<HTML><body>Ann: hi</body></HTML>", "HTML"),
            ("\n<!doctype html>\n", "HTML"),
            ("<sami>\n<head>", "SAMI"),
            ("{\\rtf1 Ann: hi}", "RTF"),
            ("[script info]\nTitle: x", "ASS"),
            ("@UTF8\r\n@Begin\r\n", "CHAT"),
        ] {
            let failure = check_is_no_other_format(text).expect_err(text);
            assert!(failure.message().contains(name) && failure.message().contains(ACCEPTED), "{text}");
        }
        for text in ["<v Ann> hi", "<ann> hello", "<Sami> hello", "<ttl=3> x", "@utf8fan: hi", "[Script] x", "{x} y"] {
            assert!(check_is_no_other_format(text).is_ok(), "{text}");
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
