use jackfield_plugin_api::{
    Document, Kind,
    testing::{FakeHost, call_with, test_context},
};
use proptest::prelude::*;

use super::*;

mod round_trips;

fn call(config: &str, input: String) -> Result<serde_json::Value> {
    let config = serde_json::from_str(config).expect("JSON");
    let document = Document::new(input);
    call_with(Kind::Analyzer, "transcript", &config, document, &test_context(), &FakeHost::default())
        .map(|(answer, _)| answer)
}

fn read(text: &str) -> Vec<(Option<String>, String, Option<f64>)> {
    let reader = ReadTranscript { format: Format::Auto, merge: false };
    reader.read(text).expect("readable").turns.into_iter().map(|t| (t.speaker, t.text, t.start)).collect()
}

fn speakers_and_texts(text: &str) -> Vec<(String, String)> {
    read(text).into_iter().map(|(speaker, text, _)| (speaker.unwrap_or_default(), text)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn the_worked_examples_are_exact() {
    for example in ReadTranscript::examples() {
        assert_eq!(call(&example.config.to_string(), example.input.to_string()).expect("answer"), example.output);
    }
}

#[test]
fn speakers_before_a_colon() {
    assert_eq!(
        speakers_and_texts("Ann: Hello.\nBo: Hi\nthere.\r\n\r\nAnn: Bye."),
        pairs(&[("Ann", "Hello."), ("Bo", "Hi there."), ("Ann", "Bye.")])
    );
    assert_eq!(speakers_and_texts("Ann: Hello"), pairs(&[("Ann", "Hello")]));
    assert_eq!(
        speakers_and_texts("project manager: a\rdesigner: b\rproject manager: c\rdesigner: d"),
        pairs(&[("project manager", "a"), ("designer", "b"), ("project manager", "c"), ("designer", "d"),])
    );
}

#[test]
fn times_before_speakers() {
    let text =
        "[00:12] Ann: one\n00:00:15 Bo  two\n(01:00:00) Ann: three: more\n00:20 Ann\tfour\n[00:30 - 00:40] Bo: five";
    let all = read(text);
    let starts: Vec<_> = all.iter().map(|turn| turn.2).collect();
    assert_eq!(starts, [Some(12.0), Some(15.0), Some(3600.0), Some(20.0), Some(30.0)]);
    assert_eq!(
        speakers_and_texts(text),
        pairs(&[("Ann", "one"), ("Bo", "two"), ("Ann", "three: more"), ("Ann", "four"), ("Bo", "five")])
    );
}

#[test]
fn speakers_on_a_line_of_their_own() {
    let text = "Ann Lee\nHello there.\nHow are you?\n\nBO\nFine.\n\nAnn Lee\nGood.";
    assert_eq!(
        speakers_and_texts(text),
        pairs(&[("Ann Lee", "Hello there. How are you?"), ("BO", "Fine."), ("Ann Lee", "Good.")])
    );
    let timed = "Ann Lee  0:05\nHello there.\n\nBo  1:02:03\nFine.\n";
    assert_eq!(
        read(timed),
        [(Some("Ann Lee".into()), "Hello there.".into(), Some(5.0)), (Some("Bo".into()), "Fine.".into(), Some(3723.0)),]
    );
    assert_eq!(speakers_and_texts("Ann:\nHello.\nBo:\nHi."), pairs(&[("Ann", "Hello."), ("Bo", "Hi.")]));
    assert_eq!(speakers_and_texts("00:01\nAnn\nHello.\n\n00:05\nBo\nHi."), pairs(&[("Ann", "Hello."), ("Bo", "Hi.")]));
}

#[test]
fn short_lines_between_times_are_said() {
    let text_of = |text: &str| read(text).into_iter().map(|(_, text, _)| text).collect::<Vec<_>>().join("|");
    assert_eq!(text_of("00:05 Ann: Start?\n00:07 Yes\n00:09 Bo: Good"), "Start?|Yes|Good");
    assert_eq!(
        text_of("[00:05] Welcome\n[00:07] Coffee\n[00:09] Thanks everyone for coming"),
        "Welcome|Coffee|Thanks everyone for coming"
    );
    assert_eq!(
        text_of("00:00:05\nWelcome\n00:00:07\nOkay\n00:00:09\nSo let us go on now."),
        "Welcome|Okay|So let us go on now."
    );
    assert_eq!(
        text_of("WEBVTT\n\n00:01.000 --> 00:02.000\n1\n\n00:02.000 --> 00:03.000\n2\n\n00:03.000 --> 00:04.000\nGo!"),
        "1|2|Go!"
    );
}

#[test]
fn a_time_zone_is_part_of_the_time() {
    for head in ["10:02 AM EST", "10:02:01 UTC", "10:02:01Z", "[10:02 AM PST]", "[2026-03-05 10:02:01 +0100]"] {
        let text = format!("{head} Ann: Hello.\n{head} Bo: Good.");
        assert_eq!(speakers_and_texts(&text), pairs(&[("Ann", "Hello."), ("Bo", "Good.")]), "{text}");
    }
}

#[test]
fn a_time_in_an_odd_spelling_is_no_part_of_a_name() {
    for (head, start) in [
        ("10h02", Some(36_120.0)),
        ("00h12m05s", Some(725.0)),
        ("00.12.05", Some(725.0)),
        ("12'05\"", Some(725.0)),
        ("[12.34]", None),
    ] {
        let all = read(&format!("{head} Ann: Hello.\n{head} Bo: Good.\n{head} Ann: Bye."));
        let speakers: Vec<_> = all.iter().map(|turn| turn.0.as_deref().unwrap_or_default()).collect();
        assert_eq!(speakers, ["Ann", "Bo", "Ann"], "{head}");
        assert!(start.is_none() || all[0].2 == start, "{head}: {:?}", all[0].2);
    }
}

#[test]
fn senders_of_chats_and_titles_are_names() {
    let chat = "10:02:01\t From  Ann Lee  to  Everyone : Hello\n10:02:05\t From  Bo  to  Ann Lee (Direct Message) : Hi";
    assert_eq!(speakers_and_texts(chat), pairs(&[("Ann Lee", "Hello"), ("Bo", "Hi")]));
    let titles = "Prof. Dr. med. K. Maier: Hi.\nBo: Good.\nProf. Dr. med. K. Maier: Bye.";
    assert_eq!(
        speakers_and_texts(titles),
        pairs(&[("Prof. Dr. med. K. Maier", "Hi."), ("Bo", "Good."), ("Prof. Dr. med. K. Maier", "Bye.")])
    );
    let ended = "Ann: Hello.\nBo: Good.\nMeeting ended after 00:48:00 👋";
    assert_eq!(speakers_and_texts(ended), pairs(&[("Ann", "Hello."), ("Bo", "Good.")]));
}

#[test]
fn a_timestamp_is_never_a_speaker() {
    let text = "00:12: we start\n00:15: we go on\n00:20: we end";
    assert_eq!(
        read(text).iter().map(|t| (t.0.clone(), t.2)).collect::<Vec<_>>(),
        [(None, Some(12.0)), (None, Some(15.0)), (None, Some(20.0))]
    );
    assert!(
        speakers_and_texts("At 10:30: the plan\nAt 10:45: the end")
            .iter()
            .all(|(speaker, _)| !speaker.contains(char::is_numeric))
    );
}

#[test]
fn prose_has_no_speakers() {
    let text = "It was a fine day. Note: nobody came.\nSee http://example.org for more.\nNote: this is prose.\n\nThe plan: we go home.\n\
        There is more to say about it, and the lines go on.\nhttps://example.org: a link.";
    assert!(speakers_and_texts(text).iter().all(|(speaker, _)| speaker.is_empty()), "{:?}", speakers_and_texts(text));
    let problem = "We met at noon.\nWe talked at length about what to do.\nProblem: no money.\nThen we went home.";
    assert!(speakers_and_texts(problem).iter().all(|(speaker, _)| speaker.is_empty()));
}

#[test]
fn text_without_speakers_is_cut_moderately() {
    let line = "This is a sentence of the talk. ".repeat(200);
    let all = speakers_and_texts(&line);
    assert!(all.len() > 5 && all.iter().all(|(_, text)| text.len() <= 700 && text.ends_with('.')));
    let joined: Vec<_> = all.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(joined.join(" "), line.trim());
}

#[test]
fn a_byte_order_mark_is_not_part_of_a_name() {
    assert_eq!(speakers_and_texts("\u{feff}Ann: a\nBo: b"), pairs(&[("Ann", "a"), ("Bo", "b")]));
}

#[test]
fn merged_segments_keep_their_first_time() {
    let output =
        call(r#"{"merge": true}"#, json!({"text": "[00:01] Ann: a\n[00:02] Ann: b\n[00:03] Bo: c"}).to_string());
    let segments = &output.expect("answer")["segments"];
    assert_eq!(segments[0], json!({"id": "s1", "speaker": "Ann", "text": "a b", "start": 1.0}));
    assert_eq!(segments[1]["id"], "s2");
}

#[test]
fn empty_text_and_binary_are_invalid_input() {
    for text in ["", " \n ", "a\0b", "\u{fffd}\u{fffd}"] {
        assert!(matches!(call("{}", json!({ "text": text }).to_string()), Err(Failure::InvalidInput(_))), "{text:?}");
    }
}

#[test]
fn an_unknown_format_is_an_invalid_config() {
    assert!(matches!(call(r#"{"format": "docx"}"#, "{}".to_owned()), Err(Failure::InvalidConfig(_))));
}

fn speaker() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["Ann", "Bo Lee", "Dr. Clark", "Project Manager", "SPEAKER 1", "Zoë"])
        .prop_map(str::to_owned)
}

fn turns() -> impl Strategy<Value = Vec<(String, String, u32)>> {
    let text = "[a-z]{1,8}( [a-z]{1,8}){0,6}[.?!]";
    prop::collection::vec((speaker(), text, 0u32..36000), 2..12)
}

fn clock(seconds: u32, mark: char) -> String {
    format!("{:02}:{:02}:{:02}{mark}000", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn check(text: &str, turns: &[(String, String, u32)], timed: bool) -> Result<(), TestCaseError> {
    let want: Vec<_> =
        turns.iter().map(|(s, t, at)| (Some(s.clone()), t.clone(), timed.then(|| f64::from(*at)))).collect();
    prop_assert_eq!(read(text), want);
    Ok(())
}

const FORMATS: [Format; 8] =
    [Format::Auto, Format::Text, Format::Vtt, Format::Srt, Format::Sbv, Format::Tsv, Format::Csv, Format::Json];

proptest! {
    #[test]
    fn plain_text_round_trips(turns in turns()) {
        let text: String = turns.iter().map(|(s, t, _)| format!("{s}: {t}\n")).collect();
        check(&text, &turns, false)?;
        let text: String = turns.iter().map(|(s, t, at)| format!("[{}] {s}: {t}\r\n", &clock(*at, '.')[..8])).collect();
        check(&text, &turns, true)?;
        let text: String = turns.iter().map(|(s, t, at)| format!("{} {s}  {t}\n", &clock(*at, '.')[..8])).collect();
        check(&text, &turns, true)?;
        let text: String = turns.iter().map(|(s, t, _)| format!("{s}\n{t}\n\n")).collect();
        check(&text, &turns, false)?;
    }

    #[test]
    fn webvtt_round_trips(turns in turns()) {
        let cue = |(s, t, at): &(String, String, u32)| format!("{} --> {}\n<v {s}>{t}</v>\n\n", clock(*at, '.'), clock(*at + 1, '.'));
        check(&format!("WEBVTT\n\n{}", turns.iter().map(cue).collect::<String>()), &turns, true)?;
    }

    #[test]
    fn subrip_round_trips(turns in turns()) {
        let cue = |(n, (s, t, at)): (usize, &(String, String, u32))| {
            format!("{}\n{} --> {}\n{s}: {t}\n\n", n + 1, clock(*at, ','), clock(*at + 1, ','))
        };
        check(&turns.iter().enumerate().map(cue).collect::<String>(), &turns, true)?;
    }

    #[test]
    fn json_round_trips(turns in turns()) {
        let list: Vec<_> = turns.iter().map(|(s, t, at)| json!({"speaker": s, "text": t, "start": at})).collect();
        check(&json!(list).to_string(), &turns, true)?;
        let meeting: Vec<_> = turns.iter().map(|(s, t, _)| json!({"speaker": s, "content": t})).collect();
        check(&json!({"meeting_transcripts": meeting}).to_string(), &turns, false)?;
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}", format in 0usize..8) {
        let format = FORMATS[format];
        let _ = ReadTranscript { format, merge: true }.read(&text);
    }

    #[test]
    fn no_mix_of_marks_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "\n", "\r", "\r\n", "00:12", "[00:12]", "(", ")", "[", "Ann", ":", "：", " ", "  ", "\t", "-->", "00:01.000 --> 00:02.000",
        "WEBVTT", "NOTE", "<v Ann>", "</v>", "<", ">", "&amp;", "**", "é", "{", "\"text\"", "}", "]", ",", "- ", "1", ".", "\u{fffd}",
    ]), 0..40), format in 0usize..8) {
        let format = FORMATS[format];
        let _ = ReadTranscript { format, merge: false }.read(&parts.concat());
    }
}

#[test]
fn interviews_and_exports_of_common_tools_are_read() {
    assert_eq!(
        speakers_and_texts("Q: Who are you?\nA: Nobody.\nQ: Why?\nA: Because: reasons."),
        pairs(&[("Q", "Who are you?"), ("A", "Nobody."), ("Q", "Why?"), ("A", "Because: reasons."),])
    );
    let zoom = "[Ann Lee] 10:00:01\nHello.\n\n[Bo] 10:00:05\nHi.\n\n[Ann Lee] 10:00:09\nBye.\n";
    assert_eq!(speakers_and_texts(zoom), pairs(&[("Ann Lee", "Hello."), ("Bo", "Hi."), ("Ann Lee", "Bye.")]));
    let otter = "Ann Lee  0:00\nHello there, all.\n\nBo  0:07\nHi: I am late.\nSorry.\n\nAnn Lee  1:00:09\nBye.\n";
    assert_eq!(
        speakers_and_texts(otter),
        pairs(&[("Ann Lee", "Hello there, all."), ("Bo", "Hi: I am late. Sorry."), ("Ann Lee", "Bye.")])
    );
    let whisper =
        r#"{"text": "all", "language": "en", "segments": [{"id": 0, "start": 1.5, "end": 2, "text": " Hello."}]}"#;
    assert_eq!(read(whisper), [(None, "Hello.".to_owned(), Some(1.5))]);
}

#[test]
fn a_colon_in_speech_starts_no_turn() {
    let text = "Ann: There is one problem: money.\nIt is this: we have none.\nNote: none at all.\nBo: Right.\nhttp://example.org: see there.\nAnn: Yes.\n";
    let speakers: Vec<_> = speakers_and_texts(text).into_iter().map(|(speaker, _)| speaker).collect();
    assert_eq!(speakers, ["Ann", "Bo", "Ann"]);
}

#[test]
fn a_transcript_reads_as_what_it_was_written_from() {
    let text = json!({"title": "T", "segments": [{"id": "s1", "speaker": "Ann", "text": "Hi.", "start": 1.0}]});
    let output = call("{}", json!({"text": text.to_string()}).to_string()).expect("answer");
    assert_eq!(output, text);
}

#[test]
fn senders_of_older_chats_are_names() {
    let chat = "09:01:12\t From Ann Lee : Hello\n09:01:15\t From Bo : Hi\n09:01:19\t From Ann Lee : Bye";
    assert_eq!(speakers_and_texts(chat), pairs(&[("Ann Lee", "Hello"), ("Bo", "Hi"), ("Ann Lee", "Bye")]));
}

#[test]
fn a_time_in_words_is_not_said() {
    assert_eq!(
        read(
            "Ann\n0 minutes 5 seconds\n0:05\nHello there.\n\nBo\n1 minute, 12 seconds\nYes.\n\nAnn\n75 seconds\n5 minutes"
        ),
        [
            (Some("Ann".into()), "Hello there.".into(), Some(5.0)),
            (Some("Bo".into()), "Yes.".into(), Some(72.0)),
            (Some("Ann".into()), "5 minutes".into(), Some(75.0)),
        ]
    );
}

#[test]
fn names_that_look_alike_are_one_speaker_in_every_format() {
    let odd = ["Zoë Lee", "Zoe\u{308} Lee", "Zoë\u{a0}Lee", "Zoë\u{2009}Lee", "Zoë  Lee", "Zoë\u{200b} Lee"];
    let each = |line: &dyn Fn(usize, &str) -> String| {
        odd.iter().enumerate().map(|(index, name)| line(index, name)).collect::<String>()
    };
    let json: Vec<_> = odd.iter().map(|name| json!({ "speaker": format!("{name}:"), "text": "Yes, I do." })).collect();
    for (format, text) in [
        ("text", each(&|_, name| format!("{name}: Yes, I do.\n"))),
        ("text", each(&|second, name| format!("[00:0{second}] {name}: Yes, I do.\n"))),
        (
            "vtt",
            format!("WEBVTT\n{}", each(&|s, name| format!("\n00:0{s}.000 --> 00:0{s}.900\n<v {name}>Yes, I do.\n"))),
        ),
        ("srt", each(&|s, name| format!("{}\n00:00:0{s},000 --> 00:00:0{s},900\n{name}: Yes, I do.\n\n", s + 1))),
        ("csv", format!("speaker,text\n{}", each(&|_, name| format!("{name},\"Yes, I do.\"\n")))),
        ("json", serde_json::to_string(&json).expect("JSON")),
    ] {
        let answer = call("{}", json!({ "text": text }).to_string()).expect("answer");
        let speakers: Vec<&str> =
            answer["segments"].as_array().expect("segments").iter().filter_map(|s| s["speaker"].as_str()).collect();
        assert_eq!(speakers, ["Zoë Lee"; 6], "{format}: {text}");
    }
}
