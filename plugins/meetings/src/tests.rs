use jackfield_plugin_api::{
    Kind, linked_extensions,
    testing::{self, FakeHost},
};
use jackfield_text::{Segment, Transcript, contains_quote};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod languages;
mod places;
mod topics;

const ALL: [&str; 7] = ["actions", "decisions", "key-points", "keyphrases", "participation", "questions", "topics"];

fn call(name: &str, config: &Value, input: &Value) -> Result<Value> {
    testing::call(Kind::Analyzer, name, config.clone(), input.clone(), &FakeHost::default())
}

fn transcript(turns: &[(&str, &str)]) -> Transcript {
    let segment = |(index, (speaker, text)): (usize, &(&str, &str))| Segment {
        id: format!("s{}", index + 1),
        speaker: (!speaker.is_empty()).then(|| (*speaker).to_owned()),
        text: (*text).to_owned(),
        start: None,
    };
    Transcript { title: None, segments: turns.iter().enumerate().map(segment).collect() }
}

fn answer(name: &str, turns: &[(&str, &str)]) -> Value {
    call(name, &json!({}), &serde_json::to_value(transcript(turns)).expect("JSON")).expect("answer")
}

fn texts(answer: &Value) -> Vec<&str> {
    answer["findings"].as_array().expect("findings").iter().filter_map(|finding| finding["text"].as_str()).collect()
}

#[test]
fn the_worked_examples_are_exact() {
    let mut differing = Vec::new();
    for extension in linked_extensions() {
        let descriptor = extension.descriptor();
        if !ALL.contains(&descriptor.name.as_str()) {
            continue;
        }
        assert!(!descriptor.examples.is_empty(), "{} has no example", descriptor.name);
        for example in &descriptor.examples {
            let output = call(&descriptor.name, &example.config, &example.input).expect("answer");
            if output != example.output {
                differing.push(format!("{}: {output}", descriptor.name));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn transcripts_with_next_to_nothing_in_them_are_answered() {
    let odd: [&[(&str, &str)]; 6] = [
        &[],
        &[("", "")],
        &[("Ann", "Hello.")],
        &[("", "no speaker and no full stop")],
        &[("Ann", "{vocalsound}"), ("Bo", "Mm-hmm .")],
        &[("", "?"), ("Ann", "\u{feff}\u{200b}"), (" ", "…")],
    ];
    for turns in odd {
        for name in ALL {
            assert!(answer(name, turns)["findings"].is_array(), "{name}");
        }
    }
}

#[test]
fn topics_cover_every_segment_in_order() {
    let turns: Vec<(&str, &str)> = (0..300)
        .map(|at| match at / 100 {
            0 => ("Ann", "The battery needs a charger, and the charger needs a cable and a socket near the battery."),
            1 => ("Bo", "Customers like fashion, colours and fruit; the survey of customers shows fashion first."),
            _ => ("Cy", "The budget of the project covers salaries, travel and the rent of the office."),
        })
        .collect();
    let output = answer("topics", &turns);
    let topics = output["topics"].as_array().expect("topics");
    let firsts: Vec<_> = topics.iter().filter_map(|topic| topic["first_index"].as_u64()).collect();
    for begins in [100_u64, 200] {
        assert!(firsts.iter().any(|first| first.abs_diff(begins) <= 3), "{firsts:?}");
    }
    let mut next = 0;
    for topic in topics {
        assert_eq!(topic["first_index"], next);
        next = topic["last_index"].as_u64().expect("index") + 1;
    }
    assert_eq!(next, 300);
}

#[test]
fn decisions_are_stated_or_proposed_and_agreed_to() {
    let stated = answer("decisions", &[("Ann", "So we decided to use a rubber case for the remote control .")]);
    assert_eq!(texts(&stated), ["We decided to use a rubber case for the remote control."]);
    let proposed = [("Ann", "I think we should drop the speech recognition feature."), ("Bo", "Yeah, I agree.")];
    assert_eq!(texts(&answer("decisions", &proposed)).len(), 1);
    assert!(texts(&answer("decisions", &proposed[..1])).is_empty());
}

#[test]
fn what_is_only_considered_is_no_decision() {
    for text in [
        "We haven't decided on the colour of the case yet.",
        "Maybe we could use rubber if the price is not too high.",
        "Should we use rubber for the case?",
        "Let's see what the survey says about the colour.",
    ] {
        assert!(texts(&answer("decisions", &[("Ann", text), ("Bo", "Hmm.")])).is_empty(), "{text}");
    }
}

#[test]
fn tasks_belong_to_who_takes_them_on_or_is_asked() {
    let owner = |turns: &[(&str, &str)]| answer("actions", turns)["actions"][0]["owner"].clone();
    assert_eq!(owner(&[("Ann", "I'll send you the report tomorrow."), ("Bo", "Thanks.")]), "Ann");
    assert_eq!(owner(&[("Ann", "Could you please send me the report by Friday?"), ("Bo", "Sure.")]), "Bo");
    let called = [
        ("Cy", "Hi."),
        ("Ann", "Cy, can you email the supplier about the chips?"),
        ("Bo", "Good idea."),
        ("Cy", "Okay."),
    ];
    assert_eq!(owner(&called), "Cy");
    assert_eq!(owner(&[("Cy", "Hi."), ("Ann", "Cy will prepare the slides for the next meeting.")]), "Cy");
}

#[test]
fn due_dates_and_titles_use_the_words_said() {
    let output = answer("actions", &[("Ann", "Um , I 'll send the the minutes to everyone by the end of the week .")]);
    let action = &output["actions"][0];
    assert_eq!(action["due"], "by the end of the week");
    assert_eq!(action["title"], "Send the minutes to everyone");
    assert_eq!(output["findings"][0]["text"], "Ann: send the minutes to everyone (by the end of the week)");
}

#[test]
fn in_meeting_requests_are_no_tasks() {
    for text in [
        "Can you see the slide?",
        "Could you repeat the question, please?",
        "I'll show you the first slide.",
        "Let me see.",
    ] {
        assert!(texts(&answer("actions", &[("Ann", text), ("Bo", "Sure.")])).is_empty(), "{text}");
    }
}

#[test]
fn questions_are_answered_by_the_next_who_knows() {
    let turns = [
        ("Ann", "How much does the battery cost?"),
        ("Bo", "Hmm."),
        ("Cy", "The battery costs about two euros."),
        ("Ann", "Thanks. And when does the shop open?"),
        ("Bo", "I don't know."),
    ];
    let output = answer("questions", &turns);
    assert_eq!(output["questions"][0]["answered_by"], "Cy");
    assert_eq!(output["questions"][1]["open"], true);
    assert_eq!(output["findings"][1]["kind"], "open-question");
}

#[test]
fn a_sentence_goes_on_over_a_sign_of_listening() {
    let turns = [
        ("Ann", "The budget of the whole project ,"),
        ("Bo", "Mm-hmm ."),
        ("Ann", "has been decided to be five million euros ."),
    ];
    let output = answer("decisions", &turns);
    assert_eq!(texts(&output), ["The budget of the whole project, has been decided to be five million euros."]);
    assert_eq!(output["findings"][0]["evidence"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_speaker_of_most_words_dominates() {
    let long = "I think that the budget of this project is much too small for what we want to do with it.";
    let turns: Vec<_> =
        (0..10).map(|_| ("Ann", long)).chain([("Bo", "Yes, it is."), ("Cy", "It is too small.")]).collect();
    let output = answer("participation", &turns);
    assert_eq!(output["speakers"][0]["speaker"], "Ann");
    let kinds: Vec<_> = output["findings"].as_array().expect("findings").iter().map(|f| f["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("dominant-speaker"), Some("quiet-speaker"), Some("quiet-speaker")]);
}

#[test]
fn plain_statements_of_decisions_are_found() {
    for text in [
        "Then it's settled, we drive to the lake.",
        "So the price stays at thirty.",
        "Okay, we'll publish both reports with a note on the method.",
        "All right. We publish the figures but not the drawings.",
        "We've agreed that from now on a second guard is called.",
    ] {
        let turns = [("Bo", "Works for me."), ("Ann", text), ("Bo", "Good.")];
        assert_eq!(texts(&answer("decisions", &turns)).len(), 1, "{text}");
    }
    let looks = [("Ann", "It does look like the round shape of the melon."), ("Bo", "Mm-hmm.")];
    assert!(texts(&answer("decisions", &looks)).is_empty());
}

#[test]
fn tasks_read_as_instructions_with_owner_and_time() {
    for (text, told) in [
        (
            "I'll prolong the hosting contract by the end of this week.",
            "Ann: prolong the hosting contract (by the end of this week)",
        ),
        ("I'll ask the bank about the loan today.", "Ann: ask the bank about the loan (today)"),
        (
            "Bo, could you ask the school whether they lend us the hall?",
            "Bo: ask the school whether they lend us the hall",
        ),
        ("I'll paint the fence by the seventh of June.", "Ann: paint the fence (by the seventh of June)"),
        (
            "Bo, check the figures of the last fair by Thursday, and then we talk again.",
            "Bo: check the figures of the last fair (by Thursday)",
        ),
        ("Bo asks the landlord about the keys by Monday.", "Bo: ask the landlord about the keys (by Monday)"),
    ] {
        assert_eq!(texts(&answer("actions", &[("Bo", "Hi."), ("Ann", text), ("Bo", "Sure.")])), [told]);
    }
}

#[test]
fn a_request_and_the_promise_that_answers_it_are_one_task() {
    let turns = [("Ann", "Bo, can you repaint the old gate?"), ("Bo", "Yes, I'll repaint the gate by Friday.")];
    let output = answer("actions", &turns);
    assert_eq!(texts(&output), ["Bo: repaint the old gate (by Friday)"]);
    assert_eq!(output["findings"][0]["evidence"].as_array().map(Vec::len), Some(2));
}

#[test]
fn who_does_not_know_leaves_a_question_open() {
    for reply in
        ["I don't know yet, I need to look at it first.", "Nobody at the moment.", "Good question. I'm not sure."]
    {
        let turns =
            [("Ann", "Who looks after the boiler test?"), ("Bo", reply), ("Ann", "The boiler test needs a date.")];
        assert_eq!(answer("questions", &turns)["questions"][0]["open"], true, "{reply}");
    }
    let own = [("Ann", "Which colour does the gate get?"), ("Ann", "The gate could be green.")];
    assert_eq!(answer("questions", &own)["questions"][0]["open"], true);
}

#[test]
fn a_dense_meeting_is_not_cut_short() {
    let things = ["gate", "fence", "boiler", "window", "ladder", "kitchen", "cellar", "garage"];
    let said: Vec<String> =
        things.iter().map(|thing| format!("I'll repair the {thing} of neighbour {thing}son by Friday.")).collect();
    let turns: Vec<_> = said.iter().map(|text| ("Ann", text.as_str())).collect();
    assert_eq!(texts(&answer("actions", &turns)).len(), things.len());
}

#[test]
fn settings_out_of_range_are_invalid_config() {
    for (name, config) in [
        ("topics", json!({ "keyphrases": 0 })),
        ("key-points", json!({ "share": 2.0 })),
        ("decisions", json!({ "min_confidence": -1 })),
        ("actions", json!({ "min_confidence": 1.5 })),
        ("participation", json!({ "dominant": 3 })),
        ("actions", json!({ "unknown": 1 })),
    ] {
        let input = json!({ "segments": [] });
        assert!(matches!(call(name, &config, &input), Err(Failure::InvalidConfig(_))), "{name} {config}");
    }
}

/// Every finding has evidence that stands in its segment, a text, and a confidence in range.
fn check(transcript: &Transcript) -> std::result::Result<(), TestCaseError> {
    let input = serde_json::to_value(transcript).expect("JSON");
    for name in ALL {
        let output = call(name, &json!({}), &input).expect("answer");
        for (index, finding) in output["findings"].as_array().expect("findings").iter().enumerate() {
            prop_assert_eq!(&finding["id"], &format!("{name}-{}", index + 1));
            prop_assert_eq!(&finding["source"], name);
            prop_assert!(!finding["text"].as_str().unwrap_or_default().is_empty());
            prop_assert!((0.0..=1.0).contains(&finding["confidence"].as_f64().expect("number")));
            let evidence = finding["evidence"].as_array().expect("evidence");
            prop_assert!(!evidence.is_empty(), "{} has no evidence", finding);
            for one in evidence {
                let segment =
                    transcript.segments.iter().find(|segment| one["segment"] == segment.id).expect("known segment");
                let quote = one["quote"].as_str().expect("text");
                prop_assert!(
                    segment.text.contains(quote) && contains_quote(&segment.text, quote),
                    "{quote:?} in {:?}",
                    segment.text
                );
            }
        }
    }
    Ok(())
}

fn phrase() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "we decided to use",
        "the rubber case",
        "I'll send",
        "you the report",
        "by Friday",
        ".",
        "?",
        ",",
        "{disfmarker}",
        "{vocalsound}",
        "um",
        "can you check",
        "Ann",
        "Bo,",
        "the battery price",
        "let 's go with",
        "what is",
        "voice recognition",
        "okay",
        "Mm - hmm .",
        "no",
        "I agree",
        "—",
        "a remote control",
        "customers",
        "in two weeks",
        "T_V_",
        "\"",
        "é",
        "if",
    ]);
    prop::collection::vec(parts, 0..16).prop_map(|parts| parts.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn quotes_are_found_in_their_segments(turns in prop::collection::vec((prop::sample::select(vec!["Ann", "Bo", "Cy Lee", ""]), phrase()), 0..25)) {
        let turns: Vec<(&str, &str)> = turns.iter().map(|(speaker, text)| (*speaker, text.as_str())).collect();
        check(&transcript(&turns))?;
    }

    #[test]
    fn no_text_panics(turns in prop::collection::vec(("\\PC{0,12}", "\\PC{0,120}"), 0..8)) {
        let turns: Vec<(&str, &str)> = turns.iter().map(|(speaker, text)| (speaker.as_str(), text.as_str())).collect();
        check(&transcript(&turns))?;
    }
}

#[test]
fn names_that_look_alike_are_one_speaker() {
    let turns = [
        ("Zoë Lee", "We need the numbers for the new harbour."),
        ("Zoe\u{308}\u{a0}Lee", "They are due by the end of May."),
        ("Zoë  Lee:", "I will write them down tomorrow."),
    ];
    let speakers = answer("participation", &turns)["speakers"].as_array().expect("speakers").len();
    assert_eq!(speakers, 1);
    assert_eq!(answer("actions", &turns)["actions"][0]["owner"], "Zoë Lee");
}
