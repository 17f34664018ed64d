use super::*;

fn found(text: &str, format: Format) -> Vec<(String, String, f64)> {
    let turns = read(text, format).turns;
    turns.into_iter().map(|t| (t.speaker.unwrap_or_default(), t.text, t.start.expect("a start"))).collect()
}

fn turn(speaker: &str, text: &str, start: f64) -> (String, String, f64) {
    (speaker.to_owned(), text.to_owned(), start)
}

#[test]
fn voices_ids_notes_and_styles_are_distinguished() {
    let text = "WEBVTT - a title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE ignore\nthis too\n\nintro\n\
        00:01.000 --> 00:04.000 align:start\n<v.loud Ann Lee>Hello, <i>all</i></v> <v Bo>hi\nthere &amp; here\n\n\
        00:00:05.500 --> 00:00:06.000\nno <00:05.600>voice 3 < 4\n";
    assert_eq!(
        found(text, Format::Vtt),
        [turn("Ann Lee", "Hello, all", 1.0), turn("Bo", "hi there & here", 1.0), turn("", "no voice 3 < 4", 5.5)]
    );
}

#[test]
fn a_dash_before_a_voice_is_not_said() {
    let text = "WEBVTT\n\n00:01.000 --> 00:02.000\n- <v Ann>One.</v>\n- <v Bo>Two.</v>\n";
    assert_eq!(found(text, Format::Vtt), [turn("Ann", "One.", 1.0), turn("Bo", "Two.", 1.0)]);
}

#[test]
fn names_before_a_colon_are_speakers_too() {
    let text = "WEBVTT\n\n00:01.000 --> 00:02.000\nAnn: one\nBo: two\n\n00:03.000 --> 00:04.000\nAnn: three\n";
    assert_eq!(found(text, Format::Vtt), [turn("Ann", "one", 1.0), turn("Bo", "two", 1.0), turn("Ann", "three", 3.0)]);
}

#[test]
fn a_header_may_be_followed_by_a_cue_at_once() {
    for header in [
        "WEBVTT",
        "WEBVTT\nKind: captions",
        "WEBVTT\n1",
        "WEBVTT\n\nNOTE a",
        "WEBVTT\n\nREGION\nid:a",
        "WEBVTT\n \nSTYLE\n \n7",
    ] {
        assert_eq!(
            found(&format!("{header}\n00:01.000 --> 00:02.000\nHi.\n"), Format::Vtt),
            [turn("", "Hi.", 1.0)],
            "{header}"
        );
    }
}

#[test]
fn blank_lines_inside_of_a_cue_take_nothing_from_it() {
    for gap in ["\n", " \n", "\t\n\n", "\u{a0}\n"] {
        let text = format!(
            "WEBVTT\n\na\n00:01.000 --> 00:02.000\n{gap}One.\n{gap}Two.\n\nb\n00:03.000 --> 00:04.000\n{gap}Three.\n"
        );
        assert_eq!(found(&text, Format::Vtt), [turn("", "One. Two.", 1.0), turn("", "Three.", 3.0)], "{gap:?}");
    }
}

#[test]
fn cues_need_no_blank_lines_between_them() {
    let vtt = "WEBVTT\n00:01.000 --> 00:02.000\nOne.\n00:03.000 --> 00:04.000\nTwo\nthree.\n12\n00:05.000 --> 00:06.000\nFour.";
    assert_eq!(found(vtt, Format::Vtt), [turn("", "One.", 1.0), turn("", "Two three.", 3.0), turn("", "Four.", 5.0)]);
    let srt = "1\n00:00:01,000 --> 00:00:02,000\nOne\n7\n2\n00:00:03,000 --> 00:00:04,000\nTwo.";
    assert_eq!(found(srt, Format::Srt), [turn("", "One 7", 1.0), turn("", "Two.", 3.0)]);
}

#[test]
fn numbers_of_cues_are_told_from_numbers_that_are_said() {
    // Each line followed by a blank one, as bad conversions of line ends leave it.
    let text = "1\n\n00:00:01,000 --> 00:00:02,000\n\n42\n\n2\n\n00:00:03,000 --> 00:00:04,000\n\nYes.\n";
    assert_eq!(found(text, Format::Srt), [turn("", "42", 1.0), turn("", "Yes.", 3.0)]);
    let unnumbered = "00:00:01,000 --> 00:00:02,000\n42\n\n00:00:03,000 --> 00:00:04,000\n43\n";
    assert_eq!(found(unnumbered, Format::Srt), [turn("", "42", 1.0), turn("", "43", 3.0)]);
}

#[test]
fn numbers_tags_and_times_are_not_text() {
    let text = "1\r\n00:00:01,500 --> 00:00:02,000\r\n<font color=\"red\">Ann: Hello</font>\r\nall\r\n\r\n2\r\n\
        00:00:03,000 --> 00:00:04,000\r\n{\\an8}Bo: 42\r\n7\r\n\r\n3\r\n00:00:05,000 --> 00:00:06,000\r\n- Yes.\r\n-No.\r\n";
    assert_eq!(
        found(text, Format::Srt),
        [turn("Ann", "Hello all", 1.5), turn("Bo", "42 7", 3.0), turn("", "Yes.", 5.0), turn("", "No.", 5.0)]
    );
}

#[test]
fn sbv_has_its_times_on_a_line() {
    let text = "0:00:01.000,0:00:03.500\nAnn: One[br]two.\n\n0:00:04.000,0:00:06.000\nBo: Three, 4.\n";
    assert_eq!(found(text, Format::Sbv), [turn("Ann", "One two.", 1.0), turn("Bo", "Three, 4.", 4.0)]);
}

#[test]
fn captions_that_roll_up_are_read_once() {
    let cue = |start: u32, end: u32, lines: &str| format!("00:{start:02}.000 --> 00:{end:02}.000\n{lines}\n\n");
    let three = [turn("", "one two", 1.0), turn("", "three four", 3.0), turn("", "five", 5.0)];
    let two_rows =
        ["WEBVTT\n\n", &cue(1, 3, "one two"), &cue(3, 5, "one two\nthree four"), &cue(5, 6, "three four\nfive")]
            .concat();
    assert_eq!(found(&two_rows, Format::Vtt), three);
    let painted = [
        "WEBVTT\n\n",
        &cue(1, 2, "one"),
        &cue(2, 3, "one two"),
        &cue(3, 4, "one two\nthree"),
        &cue(4, 5, "one two\nthree four"),
        &cue(5, 6, "three four\nfive"),
    ]
    .concat();
    assert_eq!(
        found(&painted, Format::Vtt).iter().map(|t| t.1.as_str()).collect::<Vec<_>>(),
        ["one two", "three four", "five"]
    );
}

#[test]
fn a_cue_that_only_flashes_up_says_nothing_again() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\none\n\n2\n00:00:02,000 --> 00:00:02,010\none\n\n\
        3\n00:00:02,010 --> 00:00:03,000\ntwo\n\n4\n00:00:03,000 --> 00:00:03,010\ntwo\n";
    assert_eq!(found(text, Format::Srt), [turn("", "one", 1.0), turn("", "two", 2.01)]);
}

#[test]
fn what_is_said_twice_is_kept_twice() {
    let text = "WEBVTT\n\n00:01.000 --> 00:02.000\nYes.\n\n00:02.000 --> 00:03.000\nYes.\n\n00:03.000 --> 00:04.000\nYes, we do.\n";
    assert_eq!(found(text, Format::Vtt).len(), 3);
}

#[test]
fn chevrons_mark_a_change_of_speakers() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\n&gt;&gt; ANN: One.\n\n2\n00:00:03,000 --> 00:00:04,000\nTwo. >> BO: Three.\n\n\
        3\n00:00:05,000 --> 00:00:06,000\n>> Four?\n\n4\n00:00:07,000 --> 00:00:08,000\n>> BO: Five.\n";
    assert_eq!(
        found(text, Format::Srt),
        [
            turn("ANN", "One.", 1.0),
            turn("ANN", "Two.", 3.0),
            turn("BO", "Three.", 3.0),
            turn("", "Four?", 5.0),
            turn("BO", "Five.", 7.0)
        ]
    );
}

#[test]
fn credits_at_the_end_are_not_said() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\nAnn: Bye.\n[end of transcript]\n\n2\n00:00:03,000 --> 00:00:04,000\nSubtitles by the Amara.org community\n";
    assert_eq!(found(text, Format::Srt), [turn("Ann", "Bye.", 1.0)]);
}

#[test]
fn an_id_may_name_the_speaker() {
    let text = "WEBVTT\n\n1 \"Ann Lee\" (1234567)\n00:01.000 --> 00:02.000\nOne.\n\n2 \"Bo\" (0)\n00:03.000 --> 00:04.000\nTwo.\n\n3 \"x\" y\n00:05.000 --> 00:06.000\nThree.\n";
    assert_eq!(
        found(text, Format::Vtt),
        [turn("Ann Lee", "One.", 1.0), turn("Bo", "Two.", 3.0), turn("", "Three.", 5.0)]
    );
}
