use super::read;

fn found(text: &str) -> Vec<(Option<String>, String, Option<f64>)> {
    read(text).expect(text).turns.into_iter().map(|t| (t.speaker, t.text, t.start)).collect()
}

fn turn(speaker: &str, text: &str, start: f64) -> (Option<String>, String, Option<f64>) {
    (
        Some(speaker.to_owned()).filter(|name| !name.is_empty()),
        text.to_owned(),
        Some(start).filter(|start| *start >= 0.0),
    )
}

#[test]
fn a_list_of_segments_is_read() {
    let text =
        r#"[{"speaker": "Ann", "text": " hi ", "start": "00:01:02.5"}, {"name": "", "content": "x", "start": 3}]"#;
    let turns = read(text).expect("readable").turns;
    assert_eq!((turns[0].speaker.as_deref(), turns[0].text.as_str(), turns[0].start), (Some("Ann"), "hi", Some(62.5)));
    assert_eq!((turns[1].speaker.as_deref(), turns[1].start), (None, Some(3.0)));
}

#[test]
fn ids_of_a_meeting_follow_the_index_in_the_file() {
    let text = r#"{"topic_list": [], "meeting_transcripts": [{"speaker": "A", "content": ""}, {"speaker": "B", "content": "x"}]}"#;
    assert_eq!(read(text).expect("readable").turns[1].number, Some(2));
}

#[test]
fn failures_name_the_position_and_the_accepted_formats() {
    let message = |text: &str| read(text).expect_err("refused").message().to_owned();
    assert!(message(r#"{"a": 1, "b": 2}"#).contains("keys `a`, `b`"));
    assert!(message("[{\"speaker\": \"A\"}]").contains("entry 1 has no `text`"));
    assert!(message("[{\"text\": \"x\"").contains("malformed JSON"));
    assert!(message("[1, 2]").contains("line 1 column 2"));
    assert!(message("[{\"text\": \"x\"").contains("meeting_transcripts"));
}

#[test]
fn an_odd_value_in_a_field_that_is_not_needed_counts_as_absent() {
    for odd in
        ["\"\"", "\" \"", "null", "true", "[]", "{}", "\"soon\"", "NaN", "-Infinity", "1e999", "{\"a\": {}}", "[[1]]"]
    {
        let text = format!(
            "[{{\"text\": \"x\", \"start\": {odd}, \"end\": {odd}, \"speaker\": null, \"words\": {odd}, \"more\": {odd}}}]"
        );
        assert_eq!(found(&text), [turn("", "x", -1.0)], "{odd}");
    }
    assert_eq!(found(r#"{"segments": [null, {"text": "x"}]}"#), [turn("", "x", -1.0)]);
    assert_eq!(found(r#"{"title": 7, "segments": [{"text": "x", "speaker": true}]}"#), [turn("", "x", -1.0)]);
}

#[test]
fn starts_are_read_in_many_spellings() {
    for (start, seconds) in [
        ("\"start\": -0.02", 0.0),
        ("\"start\": \"3.5\"", 3.5),
        ("\"start\": \"3.5s\"", 3.5),
        ("\"start\": \"0:03.5\"", 3.5),
        ("\"start\": \"00:00:03,500\"", 3.5),
        ("\"start\": \"PT3.5S\"", 3.5),
        ("\"startTime\": 3.5", 3.5),
        ("\"start_ms\": 3500", 3.5),
        ("\"timestamp\": [3.5, 4.0]", 3.5),
        ("\"startTime\": {\"seconds\": \"3\", \"nanos\": 500000000}", 3.5),
        ("\"start\": 3.5, \"start\": 4.5", 4.5),
        ("\"timestamps\": {\"from\": \"00:00:03,500\"}", 3.5),
        ("\"start\": \"2026-03-05T00:00:03.5Z\"", 3.5),
    ] {
        assert_eq!(found(&format!("[{{\"text\": \"x\", {start}}}]")), [turn("", "x", seconds)], "{start}");
    }
}

#[test]
fn of_several_fields_the_better_one_counts() {
    for (fields, speaker, said) in [
        (r#""speaker": "spk_0", "name": "Ann", "text": "a", "content": "b""#, "Ann", "a"),
        (r#""speaker": "Ann", "name": "segment", "text": "", "content": "b""#, "Ann", "b"),
        (r#""speaker": 3, "speaker_name": "", "text": null, "content": "b""#, "Speaker 3", "b"),
        (r#""speaker": {"id": 1, "name": "Ann"}, "text": ["a", {"text": "b"}]"#, "Ann", "a b"),
        (r#""speaker": "Ann\u00a0 Le\u0301e\u200f", "text": 42"#, "Ann Lée", "42"),
        (r#""role": "user", "content": [{"type": "text", "text": "a"}]"#, "user", "a"),
        (r#""Speaker": "Ann", "TEXT": "a""#, "Ann", "a"),
    ] {
        assert_eq!(found(&format!("[{{{fields}}}]")), [turn(speaker, said, -1.0)], "{fields}");
    }
}

#[test]
fn json_that_breaks_its_rules_is_read() {
    assert_eq!(found("\u{feff}[{\"text\": \"a \\ud83d\",}]"), [turn("", "a \u{fffd}", -1.0)]);
    assert_eq!(found("{\"segments\": [{\"text\": \"a\tb\", \"p\": NaN}]}"), [turn("", "a\tb", -1.0)]);
    assert_eq!(
        found("{\"text\": \"a\", \"start\": 1}\n{\"text\": \"b\", \"start\": 2}\n"),
        [turn("", "a", 1.0), turn("", "b", 2.0)]
    );
}

#[test]
fn whole_numbers_that_can_only_be_milliseconds_are() {
    let milliseconds = r#"{"utterances": [{"speaker": "A", "text": "One two.", "start": 250, "end": 1650}]}"#;
    assert_eq!(found(milliseconds), [turn("A", "One two.", 0.25)]);
    let seconds = r#"{"utterances": [{"speaker": "A", "text": "One two.", "start": 250, "end": 252}]}"#;
    assert_eq!(found(seconds), [turn("A", "One two.", 250.0)]);
}

#[test]
fn answers_of_speech_services_are_read() {
    let two = [turn("Speaker 0", "Hi there.", 0.5), turn("Speaker 1", "Yes.", 2.0)];
    for text in [
        r#"{"metadata": {}, "results": {"channels": [], "utterances": [{"start": 0.5, "transcript": "Hi there.", "speaker": 0}, {"start": 2.0, "transcript": "Yes.", "speaker": 1}]}}"#,
        r#"{"results": {"channels": [{"alternatives": [{"transcript": "hi there yes", "paragraphs": {"transcript": "x", "paragraphs": [
            {"sentences": [{"text": "Hi there.", "start": 0.5}], "speaker": 0, "start": 0.5}, {"sentences": [{"text": "Yes."}], "speaker": 1, "start": 2.0}]}}]}]}}"#,
        r#"{"results": {"channels": [{"alternatives": [{"words": [{"word": "hi", "punctuated_word": "Hi", "start": 0.5, "speaker": 0},
            {"word": "there", "punctuated_word": "there.", "start": 0.9, "speaker": 0}, {"word": "yes", "punctuated_word": "Yes.", "start": 2, "speaker": 1}]}]}]}}"#,
        r#"{"monologues": [{"speaker": 0, "elements": [{"type": "text", "value": "Hi", "ts": 0.5}, {"type": "punct", "value": " "}, {"type": "text", "value": "there"},
            {"type": "punct", "value": "."}]}, {"speaker": 1, "elements": [{"type": "text", "value": "Yes.", "ts": 2.0}]}]}"#,
        r#"{"recognizedPhrases": [{"speaker": 0, "offset": "PT0.5S", "offsetInTicks": 5000000, "nBest": [{"lexical": "hi there", "display": "Hi there."}]},
            {"speaker": 1, "offset": "PT2S", "nBest": [{"display": "Yes."}]}]}"#,
        r#"{"combinedPhrases": [], "phrases": [{"speaker": 0, "offsetMilliseconds": 500, "text": "Hi there."}, {"speaker": 1, "offsetMilliseconds": 2000, "text": "Yes."}]}"#,
        r#"{"results": [{"alternatives": [{"transcript": "hi there yes"}]}, {"alternatives": [{"words": [{"startTime": "0.500s", "word": "Hi", "speakerTag": 0},
            {"startTime": "0.9s", "word": "there.", "speakerTag": 0}, {"startTime": "2s", "word": "Yes.", "speakerTag": 1}]}]}]}"#,
    ] {
        assert_eq!(found(text), two, "{text}");
    }
    let aws = [turn("spk_0", "Hi there.", 0.5), turn("spk_1", "Yes.", 2.0)];
    for text in [
        r#"{"jobName": "x", "results": {"transcripts": [{"transcript": "Hi there. Yes."}], "speaker_labels": {"segments": [
            {"speaker_label": "spk_0", "start_time": "0.5", "items": [{"start_time": "0.5", "speaker_label": "spk_0"}, {"start_time": "0.9", "speaker_label": "spk_0"}]},
            {"speaker_label": "spk_1", "items": [{"start_time": "2.0", "speaker_label": "spk_1"}]}]},
            "items": [{"type": "pronunciation", "start_time": "0.5", "alternatives": [{"content": "Hi"}]}, {"type": "pronunciation", "start_time": "0.9", "alternatives": [{"content": "there"}]},
            {"type": "punctuation", "alternatives": [{"content": "."}]}, {"type": "pronunciation", "start_time": "2.0", "alternatives": [{"content": "Yes"}]}, {"type": "punctuation", "alternatives": [{"content": "."}]}]}}"#,
        r#"{"results": {"audio_segments": [{"id": 0, "transcript": "Hi there.", "start_time": "0.5", "speaker_label": "spk_0"}, {"transcript": "Yes.", "start_time": "2.0", "speaker_label": "spk_1"}]}}"#,
        r#"{"language_code": "eng", "text": "Hi there. Yes.", "words": [{"text": "Hi", "start": 0.5, "type": "word", "speaker_id": "spk_0"}, {"text": " ", "type": "spacing", "speaker_id": "spk_0"},
            {"text": "there.", "start": 0.9, "speaker_id": "spk_0"}, {"text": "Yes.", "start": 2.0, "speaker_id": "spk_1"}]}"#,
    ] {
        assert_eq!(found(text), aws, "{text}");
    }
    assert_eq!(
        found(
            r#"{"wireMagic": "pb3", "events": [{"tStartMs": 0, "id": 1}, {"tStartMs": 500, "segs": [{"utf8": "hi"}, {"utf8": " there", "tOffsetMs": 80}]}, {"tStartMs": 900, "aAppend": 1, "segs": [{"utf8": "\n"}]}]}"#
        ),
        [turn("", "hi there", 0.5)]
    );
    assert_eq!(
        found(
            r#"{"transcription": [{"timestamps": {"from": "00:00:00,500", "to": "x"}, "offsets": {"from": 500, "to": 900}, "text": " Hi."}]}"#
        ),
        [turn("", "Hi.", 0.5)]
    );
    assert_eq!(
        found(r#"{"text": "Hi.", "chunks": [{"timestamp": [0.5, null], "text": " Hi."}]}"#),
        [turn("", "Hi.", 0.5)]
    );
    assert_eq!(
        found(
            r#"{"version": "1.0.0", "segments": [{"speaker": "Ann", "startTime": 0.5, "endTime": 0.9, "body": "Hi."}]}"#
        ),
        [turn("Ann", "Hi.", 0.5)]
    );
    assert_eq!(found(r#"{"text": "Hi there."}"#), [turn("", "Hi there.", -1.0)]);
    assert_eq!(
        found(
            r#"{"type": "Transcript", "entries": [{"text": "Hi.", "speakerId": "1", "speakerDisplayName": "Ann", "startOffset": "00:00:00.5"}], "events": [{"type": "x"}]}"#
        ),
        [turn("Ann", "Hi.", 0.5)]
    );
}

#[test]
fn credits_are_not_said() {
    let text = r#"{"segments": [{"text": "Bye.", "start": 1}, {"text": " Subtitles by the Amara.org community", "start": 2}]}"#;
    assert_eq!(found(text), [turn("", "Bye.", 1.0)]);
}

#[test]
fn senders_and_starts_have_many_keys() {
    assert_eq!(
        found(
            r#"{"name": "Chat", "messages": [{"id": 1, "from": "Ann Lee", "text": "Hi."}, {"from": "0:05", "text": "Yes."}]}"#
        ),
        [turn("Ann Lee", "Hi.", -1.0), turn("", "Yes.", 5.0)]
    );
    assert_eq!(
        found(
            r#"[{"speaker": "Ann", "startDateTime": "2026-03-05T00:00:02Z", "text": "Hi."}, {"createdDateTime": "2026-03-05T00:00:04Z", "text": "Yes."}]"#
        ),
        [turn("Ann", "Hi.", 2.0), turn("", "Yes.", 4.0)]
    );
}

#[test]
fn a_row_without_a_start_begins_with_its_first_word() {
    assert_eq!(
        found(
            r#"[{"speaker": "Ann", "words": [{"text": "Hi", "data_start": 0.5}, {"text": "there.", "data_start": 0.75}]}, {"speaker": "Bo", "start": 3, "words": [{"text": "Yes.", "data_start": 4}]}]"#
        ),
        [turn("Ann", "Hi there.", 0.5), turn("Bo", "Yes.", 3.0)]
    );
    assert_eq!(
        found(
            r#"[{"words": [{"text": "Hi", "start": 500, "end": 900}, {"text": "all.", "start": 900, "end": 1300}]}]"#
        ),
        [turn("", "Hi all.", 0.5)]
    );
}
