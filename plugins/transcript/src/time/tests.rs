use super::*;

#[test]
fn clock_times_are_read() {
    assert_eq!(clock("00:12"), Some(12.0));
    assert_eq!(clock("01:02:03.5"), Some(3723.5));
    assert_eq!(clock("00:00:12,345"), Some(12.345));
    assert_eq!(clock("75:10"), Some(4510.0));
    assert_eq!(clock("00:00:01.25000000000000000001"), Some(1.25));
    assert_eq!(clock("00:00:60.000"), Some(60.0));
    assert_eq!(clock("00:00:01:500"), Some(1.5));
}

#[test]
fn other_texts_are_not_clock_times() {
    for text in ["12", "1:2:3:4", "10:75", "a:12", "", ":", "1:234", "00:12."] {
        assert_eq!(clock(text), None, "{text}");
    }
}

#[test]
fn bare_numbers_are_seconds() {
    assert_eq!(seconds(" 12.5 "), Some(12.5));
    assert_eq!(seconds("1.400s"), Some(1.4));
    assert_eq!(seconds("PT1M2.5S"), Some(62.5));
    assert_eq!(seconds("-1"), None);
    assert_eq!(seconds("inf"), None);
    assert_eq!(seconds("soon"), None);
}

#[test]
fn a_time_may_lead_a_line_in_many_guises() {
    for line in [
        "[00:12] x",
        "(00:12) x",
        "<00:12> x",
        "00:12 x",
        "00:12 - x",
        "00:12 | x",
        "00:12: x",
        "00:00:12 - 00:15 x",
        "[00:12 --> 00:15] x",
        "[00:12] - [00:15] x",
        "00:12 --> 00:15 x",
        "00:12 to 00:15 x",
        "00:12 – 00:15: x",
        "00:00:12:07 x",
        "00:00:12;07 x",
        "[12.00s -> 15.20s]  x",
        "[12.00 --> 15.20] x",
        "12.0s -> 15.2s x",
        "[12.0s - 15.2s] x",
        "[12s] x",
        "[12 sec] x",
        "[12.0 - 15.2] x",
        "[00:00:12.000,00:00:15.000] x",
        "[20260305 00:00:12] x",
        "[05-Mar-2026 00:00:12] x",
        "2026年3月5日 00:00:12 x",
        "[0m 12s] x",
        "【00:12】x",
        "12:00:12 AM x",
        "12:00:12am x",
        "[12:00:12 a.m.] x",
        "오전 12:00:12 x",
        "[2026-03-05 00:00:12] x",
        "[2026-03-05] 00:00:12 x",
        "2026-03-05T00:00:12Z x",
        "[2026-03-05T00:00:12+01:00] x",
        "2026-03-05 00:00:12 UTC x",
        "03/05/2026, 12:00:12 AM - x",
        "[5.3.26, 00:00:12] x",
        "[5 March 2026 00:00:12] x",
        "March 5, 2026 at 12:00:12 AM x",
        "[Thu, 5 Mar 2026, 00:00:12] x",
        "[Yesterday 12:00:12 AM] x",
        "[3/5 12:00:12 AM] x",
        "[12:00:12 AM, 03/05/2026] x",
        "[2026-03-05] [00:00:12] x",
        "00:00:12.000 x",
    ] {
        let found = leading(line).expect(line);
        assert_eq!((found.stamp.seconds, found.rest), (Some(12.0), "x"), "{line}");
    }
}

#[test]
fn words_and_numbers_at_the_head_of_a_line_are_no_time() {
    for line in [
        "[laughter] x",
        "12 people came",
        "[12] x",
        "3:1 odds",
        "10:75 x",
        "1.5 million x",
        "60s music",
        "90s - the best years",
        "2026-03-05 was a fine day",
        "May 5 of us come",
        "[1.5] x",
        "3/5 of it",
        "12:30x",
        "1-2 weeks",
        "5 - 6 people",
        "1.5 - 2.5 million people",
        "5 min - 10 min from here",
    ] {
        assert_eq!(leading(line), None, "{line}");
    }
}

#[test]
fn what_follows_a_time_is_left_whole() {
    for (line, rest) in [
        ("00:12 - 1.5 million", "1.5 million"),
        ("00:12 3/5 of us", "3/5 of us"),
        ("[00:12] to the point", "to the point"),
        ("00:12, 5 people", ", 5 people"),
    ] {
        assert_eq!(leading(line).expect(line).rest, rest);
    }
}

#[test]
fn a_bare_time_is_told_from_a_marked_one() {
    for line in ["[00:12] x", "00:12 --> 00:15 x", "2026-03-05 00:12 x"] {
        assert!(leading(line).expect(line).is_marked, "{line}");
    }
    for line in ["00:12 x", "10:30 to 11:00 is fine", "Friday 10:30 works"] {
        assert!(!leading(line).expect(line).is_marked, "{line}");
    }
}

#[test]
fn a_time_may_end_a_name() {
    for text in [
        "Ann Lee  0:12",
        "Ann Lee (00:12)",
        "Ann Lee [00:12 - 00:15]",
        "Ann Lee 00:12 - 00:15",
        "Ann Lee 12:00:12 AM",
        "Ann Lee Today at 12:00:12 AM",
        "Ann Lee 2026-03-05 00:00:12",
        "Ann Lee March 5, 2026 12:00:12 a.m.",
        "Ann Lee (12s)",
    ] {
        let (name, stamp) = trailing(text).expect(text);
        assert_eq!((name, stamp.seconds), ("Ann Lee", Some(12.0)), "{text}");
    }
    for text in ["Ann Lee", "Speaker 1", "Ann (chair)", "Room 4.2"] {
        assert_eq!(trailing(text), None, "{text}");
    }
}

#[test]
fn halves_of_the_day_count_from_midnight() {
    for (text, hours) in [
        ("2026-03-05 10:00", 10),
        ("14:00, 05/03/2026", 14),
        ("12:00 AM", 0),
        ("1:00 AM", 1),
        ("11:00 a.m.", 11),
        ("12:00 PM", 12),
        ("1:00pm", 13),
    ] {
        assert_eq!(whole(text).expect(text).seconds, Some(f64::from(hours * 3600)), "{text}");
    }
}

#[test]
fn timing_lines_are_read() {
    assert_eq!(cue_timing("00:01.000 --> 00:02.500 align:start"), Some((1.0, Some(2.5))));
    assert_eq!(cue_timing("00:00:01,2-->00:00:02"), Some((1.2, Some(2.0))));
    assert_eq!(cue_timing("-00:00:01,000 --> 00:00:02,000"), Some((0.0, Some(2.0))));
    assert_eq!(cue_timing("00:00:01,000 -->"), Some((1.0, None)));
    assert_eq!(cue_timing("at 00:01 --> 00:02"), None);
    assert_eq!(cue_timing("00:01 --> the end"), None);
    assert!(is_whole_cue_timing("00:01.000 --> 00:02.500 align:start position:0%"));
    assert!(is_whole_cue_timing("00:00:01,2-->00:00:02"));
    assert!(!is_whole_cue_timing("00:01.000 --> 00:02.500 Ann: one"));
    assert!(!is_whole_cue_timing("00:01.000 -->"));
    assert_eq!(sbv_timing("0:00:01.000,0:00:03.500"), Some((1.0, Some(3.5))));
    assert_eq!(sbv_timing("0:00:01.000,5 apples"), None);
}

#[test]
fn a_timeline_counts_on_over_midnight() {
    let mut timeline = Timeline::default();
    let mut at = |text: &str| timeline.seconds(whole(text).expect(text));
    assert_eq!(at("2026-03-05 23:59:59"), Some(86_399.0));
    assert_eq!(at("2026-03-06 00:00:01"), Some(86_401.0));
    assert_eq!(at("00:00:02"), Some(86_402.0));
}

#[test]
fn time_codes_of_dropped_frames_are_read() {
    assert_eq!(clock("01;00;02;15"), Some(3602.0));
    let found = leading("00;00;02;15 - 00;00;04;20 x").expect("a time");
    assert_eq!((found.stamp.seconds, found.rest), (Some(2.0), "x"));
    for text in ["00;00;02", "00;00;02;155", "00;75;02;15", "1;00;02;15"] {
        assert_eq!(clock(text), None, "{text}");
    }
}
