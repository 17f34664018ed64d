//! One list of turns, written in every format there is, is read as what it was written from.

use std::fmt::Write;

use super::*;

type Said = (String, String, u32);

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "Ann",
        "Bo Lee",
        "Dr. A. Smith",
        "Project Manager",
        "SPEAKER_00",
        "Speaker 1",
        "Zoë O'Neill-Smith",
        "Ann Lee (she/her)",
        "Ann Lee | Acme",
        "李雷",
        "Мария Иванова (председатель комитета)",
        "علي",
        "Jean de la Tour",
        "Smith, John",
    ])
    .prop_map(str::to_owned)
}

/// A sentence with much in it that looks like a time, a label or markup, but at its head.
fn sentence() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "don't",
        "10:30",
        "3:1",
        "so:",
        "Note:",
        "R&D",
        "[laughs]",
        "https://example.org/a?b=c",
        "50%",
        "“yes”",
        "42",
        "été",
        "(well)",
        "5,000",
        "a/b",
        "1.5",
        "Ann:",
        "00:00:12",
        "…",
        "–",
        "12.",
        "'em",
        "#3",
        "2026-03-05",
    ])
    .prop_map(str::to_owned);
    let word = prop_oneof![3 => "[a-z]{2,8}", 1 => odd];
    ("[a-z]{3,8}", prop::collection::vec(word, 1..9), "[a-z]{3,6}[.?!]")
        .prop_map(|(first, words, last)| format!("{first} {} {last}", words.join(" ")))
}

/// Turns in order of time, of which each begins on its own second and within one day.
fn transcript() -> impl Strategy<Value = Vec<Said>> {
    prop::collection::vec((name(), sentence(), 1u32..900), 2..12).prop_map(|turns| {
        let mut now = 0;
        turns
            .into_iter()
            .map(|(name, text, pause)| {
                now += pause;
                (name, text, now)
            })
            .collect()
    })
}

fn hms(seconds: u32) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The time on a 12-hour clock.
fn half_day(seconds: u32) -> String {
    let hour = seconds / 3600 % 12;
    let half = if seconds / 3600 < 12 { "AM" } else { "PM" };
    format!("{}:{:02}:{:02} {half}", if hour == 0 { 12 } else { hour }, seconds / 60 % 60, seconds % 60)
}

fn write(turns: &[Said], mut line: impl FnMut(&str, &str, u32) -> String) -> String {
    turns.iter().map(|(name, text, at)| line(name, text, *at)).collect()
}

fn reads_as(text: &str, turns: &[Said], has_names: bool, has_times: bool) -> Result<(), TestCaseError> {
    let want: Vec<_> = turns
        .iter()
        .map(|(name, text, at)| (has_names.then(|| name.clone()), text.clone(), has_times.then(|| f64::from(*at))))
        .collect();
    prop_assert_eq!(read(text), want, "{}", text);
    Ok(())
}

proptest! {
    // Each list is written in dozens of ways.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn plain_text_without_times(turns in transcript()) {
        for (before, after) in [
            ("", ": "), ("", " : "), ("", ":\n"), ("", "："), ("**", ":** "), ("**", "**: "), ("*", ":* "), ("- ", ": "), ("* ", ": "),
            ("• **", ":** "), ("> ", ": "), (">> ", ": "), ("&gt;&gt; ", ": "), ("\"", "\": "), ("[", "]: "), ("\u{200f}", ":\u{200e} "),
            ("\u{2068}", "\u{2069}: "), ("## ", ":\n"), ("3. ", ": "),
        ] {
            let text = write(&turns, |name, text, _| format!("{before}{name}{after}{text}\n"));
            reads_as(&text, &turns, true, false)?;
            reads_as(&text.replace('\n', "\r\n\r\n").replace(":\r\n\r\n", ":\r\n"), &turns, true, false)?;
        }
        let alone = write(&turns, |name, text, _| format!("{name}\n{text}\n\n"));
        reads_as(&alone, &turns, true, false)?;
    }

    #[test]
    fn plain_text_with_times(turns in transcript()) {
        let styles: [fn(&str, &str, u32) -> String; 26] = [
            |name, text, at| format!("[{}] {name}: {text}\n", hms(at)),
            |name, text, at| format!("({}) {name}: {text}\n", hms(at)),
            |name, text, at| format!("<{}> {name}: {text}\n", hms(at)),
            |name, text, at| format!("{} {name}: {text}\n", hms(at)),
            |name, text, at| format!("{} - {name}: {text}\n", hms(at)),
            |name, text, at| format!("{} {name}  {text}\n", hms(at)),
            |name, text, at| format!("{}\t{name}\t{text}\n", hms(at)),
            |name, text, at| format!("{}.000 --> {}.5 {name}: {text}\n", hms(at), hms(at + 1)),
            |name, text, at| format!("[{} - {}] {name}: {text}\n", hms(at), hms(at + 1)),
            |name, text, at| format!("{}:07 {name}: {text}\n", hms(at)),
            |name, text, at| format!("{};07 {name}: {text}\n", hms(at)),
            |name, text, at| format!("[{at}.00s -> {}.20s] {name}: {text}\n", at + 1),
            |name, text, at| format!("[{}] {name}: {text}\n", half_day(at)),
            |name, text, at| format!("{} {name}: {text}\n", half_day(at).replace(' ', "\u{202f}")),
            |name, text, at| format!("[{}] {name}: {text}\n", half_day(at).replace("AM", "a.m.").replace("PM", "p.m.")),
            |name, text, at| format!("[2026-03-05 {}] {name}: {text}\n", hms(at)),
            |name, text, at| format!("2026-03-05T{}.000Z {name}: {text}\n", hms(at)),
            |name, text, at| format!("[05/03/2026, {}] {name}: {text}\n", hms(at)),
            |name, text, at| format!("3/5/26, {} - {name}: {text}\n", half_day(at)),
            |name, text, at| format!("{name} ({}): {text}\n", hms(at)),
            |name, text, at| format!("**{name} [{}]:** {text}\n", hms(at)),
            |name, text, at| format!("**[{}] {name}:** {text}\n", hms(at)),
            |name, text, at| format!("{name}: [{}] {text}\n", hms(at)),
            |name, text, at| format!("{name}  {}\n{text}\n\n", hms(at)),
            |name, text, at| format!("{name}, {}\n{text}\n\n", half_day(at)),
            |name, text, at| format!("{}\n{name}\n{text}\n\n", hms(at)),
        ];
        for style in styles {
            reads_as(&write(&turns, style), &turns, true, true)?;
        }
        let nameless = write(&turns, |_, text, at| format!("[{at}.00s -> {}.20s]  {text}\n", at + 1));
        reads_as(&nameless, &turns, false, true)?;
    }

    #[test]
    fn captions(turns in transcript()) {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#x27;");
        let mut number = 0;
        let mut next = || { number += 1; number };
        let vtt = [
            write(&turns, |name, text, at| format!("{}.000 --> {}.900 align:start\n<v {}>{}</v>\n\n", hms(at), hms(at), escaped(name), escaped(text))),
            write(&turns, |name, text, at| format!("id-{at}\n{}.0000000000000 --> {}.9\n<v.loud {name}>{text}\n\n", hms(at), hms(at))),
            write(&turns, |name, text, at| format!("{}.000 --> {}.900\n \n{name}: {text}\n\n", hms(at), hms(at))),
            write(&turns, |name, text, at| format!("{}.000 --> {}.900\n{name}: {text}\n", hms(at), hms(at))),
        ];
        for cues in vtt {
            for header in ["WEBVTT\n", "WEBVTT\n\n", "WEBVTT - x\nKind: captions\n\nSTYLE\n::cue { a: b }\n\nNOTE x\ny\n\n"] {
                reads_as(&format!("{header}{cues}"), &turns, true, true)?;
            }
        }
        let srt = [
            write(&turns, |name, text, at| format!("{}\n{},000 --> {},900\n{name}: {text}\n\n", next(), hms(at), hms(at))),
            write(&turns, |name, text, at| format!("{at}\n{},000 --> {},900\n{name}: {text}\n", hms(at), hms(at))),
            write(&turns, |name, text, at| format!("{},000 --> {},900\n{{\\an8}}<i>{name}:</i> {text}\n\n", hms(at), hms(at))),
            write(&turns, |name, text, at| format!("{at}\n{},000 --> {},900\n>> {name}: {}\n\n", hms(at), hms(at), text.replacen(' ', "<br/>", 1))),
        ];
        for text in srt {
            reads_as(&text, &turns, true, true)?;
            reads_as(&text.replace('\n', "\r\n"), &turns, true, true)?;
            reads_as(&text.replace('\n', "\r"), &turns, true, true)?;
        }
        let sbv = write(&turns, |name, text, at| format!("{}.000,{}.900\n{name}: {text}\n\n", hms(at), hms(at)));
        reads_as(&sbv, &turns, true, true)?;
    }

    #[test]
    fn tables(turns in transcript()) {
        let whisper = write(&turns, |_, text, at| format!("{}\t{}\t{text}\n", at * 1000, at * 1000 + 900));
        reads_as(&format!("start\tend\ttext\n{whisper}"), &turns, false, true)?;
        let named = write(&turns, |name, text, at| format!("{name}\t{}\t{text}\r\n", hms(at)));
        reads_as(&format!("Speaker\tTime\tText\r\n{named}"), &turns, true, true)?;
        let quoted = write(&turns, |name, text, at| format!("{}.0,\"{name}\",\"{}\"\n", at, text.replace('"', "\"\"")));
        reads_as(&format!("start,speaker,text\n{quoted}"), &turns, true, true)?;
    }

    #[test]
    fn json_of_many_shapes(turns in transcript()) {
        let rows = |start: &str, factor: u32| -> Vec<serde_json::Value> {
            let row = |(name, text, at): &Said| json!({"id": 0, "speaker": name, start: at * factor, "text": text, "words": [{"word": "x"}]});
            turns.iter().map(row).collect()
        };
        for text in [
            json!(rows("start", 1)),
            json!({"text": "all", "segments": rows("start", 1)}),
            json!({"language": null, "result": {"transcription": {"utterances": rows("start_time", 1)}}}),
            json!({"transcript": rows("start_ms", 1000)}),
        ] {
            reads_as(&text.to_string(), &turns, true, true)?;
            reads_as(&format!("\u{feff}{text:#}").replace("\"id\": 0", "\"id\": NaN, \"id\": 1"), &turns, true, true)?;
        }
        let mut lines = String::new();
        for row in rows("start", 1) {
            writeln!(lines, "{row}").expect("a string takes all");
        }
        reads_as(&lines, &turns, true, true)?;
    }

}

proptest! {
    #[test]
    fn no_word_is_lost(pieces in prop::collection::vec(prop_oneof![
        3 => Just("w"),
        2 => prop::sample::select(vec!["\n", "\n", "\n\n", "\nAnn: ", "\nBo: ", "\n- ", "\n>> ", "\n**", "**", ": ", "\n[00:12] ", "\n00:15 ", "\n1. ",
            "\"", "'", "\t", "  ", ", ", ". ", "[", "]", "<", ">", "{", "}", "&", "\u{200f}", "\u{feff}", "/", "|", "10:30 ", "…", "："]),
    ], 1..60)) {
        let mut text = String::from("Ann: Hello.\n");
        let mut words = Vec::new();
        for piece in pieces {
            if piece == "w" {
                words.push(format!("w{}x", words.len()));
                write!(text, " {} ", words[words.len() - 1]).expect("a string takes all");
            } else {
                text.push_str(piece);
            }
        }
        let found: String = read(&text).into_iter().map(|(name, text, _)| format!("{} {text} ", name.unwrap_or_default())).collect();
        for word in words {
            prop_assert!(found.contains(&word), "{} of {:?} is not in {:?}", word, text, found);
        }
    }
}

#[test]
fn long_lines_of_signs_are_read() {
    for sign in [
        "<",
        "<v ",
        "</",
        "{",
        "{\\",
        "[",
        "[[",
        "(",
        "&",
        "&#",
        "\\",
        ">>",
        " >>",
        ":",
        "00:",
        "0",
        "1.",
        "- ",
        "**",
        "*",
        "a: ",
        "a ",
        "\t",
        "  ",
        ",",
        "\"",
        "'",
        "é",
        "-->",
        "\r",
        "1\n",
        "\n ",
        "Ann:\n",
        "(00:12",
        "[00:12]",
        "May ",
        "{\"text\":",
        "[{\"text\": 1},",
        "“",
        "：",
    ] {
        let long = sign.repeat(1_000);
        for format in
            [Format::Auto, Format::Text, Format::Vtt, Format::Srt, Format::Sbv, Format::Tsv, Format::Csv, Format::Json]
        {
            let cues = format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{long}");
            let text = if format == Format::Vtt { &cues } else { &long };
            let _ = ReadTranscript { format, merge: false }.read(text);
        }
    }
}
