//! What counts as a decision or a task in short talks.

use super::{answer, texts};

/// How often each talk has a decision.
fn decisions(talks: &[&[(&str, &str)]]) -> Vec<usize> {
    talks.iter().map(|talk| texts(&answer("decisions", talk)).len()).collect()
}

#[test]
fn a_proposal_that_others_take_up_is_a_decision() {
    let talks: [&[(&str, &str)]; 6] = [
        &[("Ann", "Let's lease three buses."), ("Bo", "I agree.")],
        &[("Ann", "So we go with linen then."), ("Bo", "Okay, linen it is.")],
        &[("Ann", "The timetable is approved.")],
        &[("Ann", "Maybe we should open the kiosk on Sundays."), ("Bo", "Yeah."), ("Cy", "Yeah, Sundays are good.")],
        &[("Ann", "How about slate for the path?"), ("Bo", "Slate, yes."), ("Cy", "Fine with me.")],
        &[("Ann", "So, to sum up, we're going with two tents, one stage and no fireworks."), ("Bo", "Right.")],
    ];
    assert_eq!(decisions(&talks), [1; 6]);
}

#[test]
fn what_is_turned_down_together_is_a_decision() {
    let talks: [&[(&str, &str)]; 3] = [
        &[
            ("Ann", "Shouldn't we leave out the speeches?"),
            ("Bo", "Yes, they are too long."),
            ("Ann", "Okay, no speeches."),
        ],
        &[
            ("Ann", "What about a marble floor?"),
            ("Bo", "No, that's too expensive."),
            ("Ann", "Okay, no marble floor then."),
        ],
        &[("Ann", "We leave the cellar for next year."), ("Bo", "Yes, next year is fine.")],
    ];
    assert_eq!(decisions(&talks), [1; 3]);
}

#[test]
fn open_points_tales_and_small_talk_are_no_decisions() {
    let talks: [&[(&str, &str)]; 11] = [
        &[("Ann", "We haven't settled the colour of the bench yet."), ("Bo", "No, not yet.")],
        &[("Ann", "We have not yet agreed on a printer."), ("Bo", "Right.")],
        &[("Ann", "Okay, let's get to our budget meeting."), ("Bo", "Okay.")],
        &[("Ann", "So let's start with the second slide."), ("Bo", "Sure.")],
        &[("Ann", "So, let's have a coffee."), ("Bo", "Yes!")],
        &[("Ann", "Two years ago we decided to sell the barn."), ("Bo", "Oh, I remember that.")],
        &[("Ann", "Let's have a drink first."), ("Bo", "Good idea.")],
        &[("Ann", "Okay, let's move on."), ("Bo", "Sure.")],
        &[
            ("Ann", "And then the train was late again."),
            ("Bo", "Mm-hmm."),
            ("Ann", "So I walked home."),
            ("Bo", "Mm-hmm."),
        ],
        &[("Ann", "We could build a second gate."), ("Bo", "Yeah, but where would it go?"), ("Ann", "I don't know.")],
        &[("Ann", "Is oak better than pine?"), ("Bo", "I don't know.")],
    ];
    assert_eq!(decisions(&talks), [0; 11]);
}

#[test]
fn what_is_left_out_by_a_let_us_is_a_decision() {
    let talk = [("Ann", "Then let's leave the fountain out."), ("Bo", "Yes, let's leave it out.")];
    assert_eq!(decisions(&[&talk]), [1]);
}

#[test]
fn whoever_is_named_in_the_turn_owns_the_task() {
    let told = |talk: &[(&str, &str)]| texts(&answer("actions", talk)).join("; ");
    assert_eq!(told(&[("Ann", "Action item for Dora: order the paint."), ("Bo", "Okay.")]), "Dora: order the paint");
    let parts = [("Bo", "Hi."), ("Ann", "Bo, you do the drawings for the next meeting."), ("Bo", "Okay.")];
    assert_eq!(told(&parts), "Bo: do the drawings for the next meeting");
    let volunteer = [("Ann", "Who writes to the mayor?"), ("Cy", "I'll write to the mayor."), ("Ann", "Thanks.")];
    assert_eq!(told(&volunteer), "Cy: write to the mayor");
}

#[test]
fn what_is_done_on_the_spot_is_no_task() {
    for text in ["I'll just open the door.", "Thank you for your time this afternoon.", "Let me show you the map."] {
        let talk = [("Ann", text), ("Bo", "Thanks.")];
        assert!(texts(&answer("actions", &talk)).is_empty(), "{text}");
    }
}

#[test]
fn what_is_decided_outright_needs_nobody_to_say_yes() {
    let talks: [&[(&str, &str)]; 5] = [
        &[("Ann", "We decided to paint the shed green."), ("Bo", "Good.")],
        &[("Ann", "We've agreed on the second of June for the fair.")],
        &[("Ann", "It's decided: the club moves to the old mill.")],
        &[("Ann", "Two winters ago we decided to paint the shed green."), ("Bo", "Good.")],
        &[("Ann", "We haven't decided on a colour for the shed."), ("Bo", "Okay.")],
    ];
    assert_eq!(decisions(&talks), [1, 1, 1, 0, 0]);
}

#[test]
fn what_is_shown_is_no_question_for_a_fact_where_anything_else_is_there() {
    let talk = [
        ("Ann", "What do the two tents cost?"),
        ("Bo", "Forty each, so I think we should take the tents."),
        ("Cy", "Yeah, let's take them."),
        ("Ann", "Okay, we take the tents."),
    ];
    let answered = answer("decisions", &talk);
    let shown = texts(&answered);
    assert!(!shown.is_empty() && shown.iter().all(|text| !text.starts_with("What")), "{shown:?}");
}
