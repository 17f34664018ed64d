use super::read;

/// Each turn as `speaker: text`.
fn turns(text: &str) -> Vec<String> {
    let reading = read(text).expect("a transcript of a court");
    let speaker = |speaker: Option<String>| speaker.unwrap_or_else(|| "-".to_owned());
    reading.turns.into_iter().map(|turn| format!("{}: {}", speaker(turn.speaker), turn.text)).collect()
}

#[test]
fn questions_and_answers_have_those_who_ask_and_answer() {
    let text = "\
                     DIRECT EXAMINATION

BY MS. REED:
     Q.   Good morning. Where do you
work, Mr. Okafor?
     A.   At the harbour office.

          MR. COLE:  Objection, leading.
          THE COURT:  Overruled.  You may answer.
          THE WITNESS:  Since May.
     Q.   And before that?
     A.   (Shakes head.)
          (Whereupon, a recess was taken
          from 10:05 to 10:20.)
                     CROSS-EXAMINATION
BY MR. COLE:
     Q.   You keep a log: is that right?
     A.   Yes: every day.
";
    assert_eq!(
        turns(text),
        [
            "MS. REED: Good morning. Where do you work, Mr. Okafor?",
            "THE WITNESS: At the harbour office.",
            "MR. COLE: Objection, leading.",
            "THE COURT: Overruled.  You may answer.",
            "THE WITNESS: Since May.",
            "MS. REED: And before that?",
            "THE WITNESS: (Shakes head.)",
            "MR. COLE: You keep a log: is that right?",
            "THE WITNESS: Yes: every day.",
        ]
    );
}

#[test]
fn numbers_of_lines_and_pages_are_not_said() {
    let text = "\
1               P R O C E E D I N G S
2          JO LEE, called as a witness by the defense,
3   having been first duly sworn, testified as follows:
4               EXAMINATION
5   BY MR. COLE:
6      Q    How many boats were there?
7      A    I counted 12
8   that night.
Page 17
1      Q    Are you sure?
2      A    Yes.
3      Q    (BY MS. REED)  Was it dark?
4      A    It was.
";
    assert_eq!(
        turns(text),
        [
            "MR. COLE: How many boats were there?",
            "THE WITNESS: I counted 12 that night.",
            "MR. COLE: Are you sure?",
            "THE WITNESS: Yes.",
            "MS. REED: Was it dark?",
            "THE WITNESS: It was.",
        ]
    );
}

#[test]
fn one_space_is_enough_where_no_wider_gap_is_used() {
    let text = "BY MR. COLE:\nQ Did you see it?\nA Yes, I did.\nQ When was that?\nA Monday. It was\nA grey day.\n";
    let found = turns(text);
    assert_eq!(found[..3], ["MR. COLE: Did you see it?", "THE WITNESS: Yes, I did.", "MR. COLE: When was that?"]);
    assert_eq!(found[3], "THE WITNESS: Monday. It was A grey day.");
}

#[test]
fn without_a_name_questions_and_answers_keep_their_letters() {
    let text = "Q. Where is it?\nA. Here.\nQ. Since when?\nA. Since May.\n";
    assert_eq!(turns(text), ["Q: Where is it?", "A: Here.", "Q: Since when?", "A: Since May."]);
}

#[test]
fn an_argument_has_headings_and_no_questions() {
    let text = "\
              ORAL ARGUMENT OF JO LEE
              ON BEHALF OF THE PETITIONER
    CHIEF JUSTICE ROE:  We will hear argument first
in the case of the harbour.
    MS. LEE:  Mr. Chief Justice, the log was kept.
    JUSTICE PARK:  Who kept it?
    MS. LEE:  The clerk did.
              REBUTTAL ARGUMENT OF JO LEE
    MS. LEE:  Two points.
";
    let found = turns(text);
    assert_eq!(found[0], "CHIEF JUSTICE ROE: We will hear argument first in the case of the harbour.");
    assert_eq!(found[3..], ["MS. LEE: The clerk did.", "MS. LEE: Two points."]);
}

#[test]
fn other_transcripts_are_not_in_this_style() {
    for text in [
        "Ann: Shall we start?\nBo: Yes.\nAnn: (laughs) Good.\n",
        "A. Reed: Shall we start?\nQ. Cole: Yes.\nA. Reed: Good.\nQ. Cole: Fine.\nA. Reed: So.\n",
        "A. Budget\nB. Staff\nC. Other business\n",
        "Q: Where is it?\nA: Here.\nQ: Since when?\nA: May.\n",
        "1 Ann: one\n2 Bo: two\n3 Ann: three\n4 Bo: four\n",
        "A dog came in.\nQuite so.\nA  cat too.\n",
        "",
    ] {
        assert!(read(text).is_none(), "{text}");
    }
}
