use super::*;
use crate::marks;

fn label(line: &str) -> Option<String> {
    before_colon(&marks::strip(line)).map(|found| found.name.into_owned())
}

#[test]
fn times_and_addresses_are_not_labels() {
    for line in
        ["00:12: hello", "12:30 we met", "http://example.org is it", "See: http://x", "Note: this", "[00:12]: x"]
    {
        assert!(label(line).is_none_or(|found| found == "See"), "{line}");
    }
}

#[test]
fn labels_lose_their_time_and_their_marks() {
    for line in [
        "Ann Lee: hi",
        "Ann Lee : hi",
        "Ann Lee (00:12): hi",
        "Ann Lee [00:00:12 - 00:00:15]: hi",
        "Ann Lee 00:12: hi",
        "Ann Lee, 10:02 AM: hi",
        "Ann Lee: [00:12] hi",
        "[Ann Lee]: hi",
        "[00:12 Ann Lee]: hi",
        "\"Ann Lee\": hi",
        "“Ann Lee”: hi",
        "**Ann Lee:** hi",
        "**Ann Lee**: hi",
        "**Ann Lee (00:12):** hi",
        "__Ann Lee:__ hi",
        "*Ann Lee*: hi",
        "- Ann Lee: hi",
        "–Ann Lee: hi",
        "1. **Ann Lee:** hi",
        ">> Ann Lee: hi",
        "&gt;&gt; Ann Lee: hi",
        "Ann  Lee： hi",
        "Ann\u{3000}Lee：hi",
        "From Ann Lee to Everyone: hi",
    ] {
        let found = before_colon(&marks::strip(line)).expect(line);
        assert_eq!((&*found.name, found.said), ("Ann Lee", "hi"), "{line}");
    }
}

#[test]
fn roles_pronouns_and_organisations_belong_to_the_name() {
    for name in [
        "Ann Lee (she/her)",
        "Ann Lee [she/her]",
        "Ann Lee (chair: finance)",
        "Ann Lee | Acme",
        "Ann \"Annie\" Lee",
        "Dr. A. Smith",
        "Smith, John",
        "Speaker 1",
        "SPEAKER_00",
        "Ann & Bo",
        "O'Neill-Smith",
        "李雷",
        "Александр Константинович Рождественский (председатель)",
    ] {
        assert_eq!(label(&format!("{name}: hi")).as_deref(), Some(name));
    }
}

#[test]
fn limits_count_characters() {
    assert!(label(&format!("{}: hi", "Ж".repeat(80))).is_some());
    assert!(label(&format!("{}: hi", "Ж".repeat(81))).is_none());
    let role = "Minister of Small Business, Export Promotion and International Trade and Industry";
    assert!(label(&format!("Ann Lee ({role}): hi")).is_some());
    assert!(label(&format!("Ann Lee ({role} {role}): hi")).is_none());
}

#[test]
fn sentences_are_not_labels() {
    for line in [
        "We met. Then we left: all of us.",
        "Why? Because: reasons.",
        "Look at https://example.org/a: there",
        "**Ann: important** things",
        "他说，我们要讨论：预算",
        "x = y: z",
        "At 10:30: the plan",
        "the ratio 3:1 is fine",
    ] {
        assert_eq!(label(line), None, "{line}");
    }
}

#[test]
fn a_gap_or_a_stamp_may_end_a_label() {
    for line in [
        "Ann Lee   hi",
        "Ann Lee\thi",
        "Ann Lee\t00:12\thi",
        "Ann Lee [00:12] hi",
        "Ann Lee (00:12 - 00:15) hi",
        "**Ann Lee** [00:12] hi",
    ] {
        let found = before_gap(&marks::strip(line)).expect(line);
        assert_eq!((&*found.name, found.said), ("Ann Lee", "hi"), "{line}");
    }
    assert_eq!(before_gap(&marks::strip("Ann [laughs] hi")), None);
}

#[test]
fn a_name_may_stand_alone() {
    for line in [
        "Ann Lee",
        "Ann Lee:",
        "Ann Lee  0:12",
        "Ann Lee (00:12)",
        "Ann Lee, 10:02 AM",
        "Ann Lee | 00:12",
        "[Ann Lee] 10:00:01",
        "**Ann Lee**",
        "**Ann Lee** 0:12",
        "**Ann Lee 0:12**",
        "## Ann Lee (00:12)",
        "Ann Lee — Today at 10:02 AM",
    ] {
        let (name, stamp) = alone(&marks::strip(line)).expect(line);
        assert_eq!(name, "Ann Lee", "{line}");
        assert_eq!(stamp.is_some(), line.contains(":1") || line.contains(":0"), "{line}");
    }
    for line in ["[laughter]", "Hello there.", "and then he said", "**Wow** they said", "00:12"] {
        assert_eq!(alone(&marks::strip(line)), None, "{line}");
    }
}

#[test]
fn speakers_in_brackets_need_no_colon() {
    assert_eq!(label("[SPEAKER_00] hi").as_deref(), Some("SPEAKER_00"));
    assert_eq!(label("(speaker 1) hi").as_deref(), Some("speaker 1"));
    assert_eq!(label("<Ann> hi").as_deref(), Some("Ann"));
    assert_eq!(label("[Ann Lee 00:12] hi").as_deref(), Some("Ann Lee"));
    assert_eq!(label("[laughs] hi"), None);
    assert_eq!(label("[[inaudible]] hi"), None);
}

#[test]
fn the_end_of_a_segment_is_not_said() {
    for line in ["Ann\t00:00:00.500\t00:00:01.200\tat 10:30", "Ann\t00:00:00.500\t00:00:01.200\t00:00:00.700\tat 10:30"]
    {
        let found = before_gap(&marks::strip(line)).expect(line);
        let seconds = found.stamp.and_then(|stamp| stamp.seconds);
        assert_eq!((&*found.name, found.said, seconds), ("Ann", "at 10:30", Some(0.5)), "{line}");
    }
}
