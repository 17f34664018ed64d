//! Findings of other stages as a text within a budget of tokens.

use std::{collections::BTreeMap, fmt::Write as _};

use jackfield_text::{confidence as rounded, context_budget::select, cut::one_line};

use crate::{findings::LensFinding, parts::tokens};

/// Findings as a model reads them, under the names of their sources.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct FindingsText {
    pub(crate) text: String,
    /// How many findings of each source had no room; a source that is not named lost none.
    pub(crate) left_out: BTreeMap<String, u64>,
}

/// Writes as many findings as fit: all, or of every source those it is surest of, up to its fair share, and no more than
/// `max_per_source`. They stand in the order given, under the name of their source.
pub(crate) fn findings_text(
    findings: &[LensFinding],
    max_per_source: Option<usize>,
    budget: usize,
    floor: usize,
) -> FindingsText {
    let mut sources: Vec<(&str, Vec<&LensFinding>)> = Vec::new();
    for finding in findings {
        match sources.iter_mut().find(|(source, _)| *source == finding.source) {
            Some((_, of_source)) => of_source.push(finding),
            None => sources.push((&finding.source, vec![finding])),
        }
    }
    let mut room = budget;
    let mut entries: Vec<Vec<String>> = Vec::new();
    let mut ranked: Vec<Vec<usize>> = Vec::new();
    for (source, findings) in &sources {
        room = room.saturating_sub(tokens(&heading(source)) + 1);
        entries.push(findings.iter().map(|finding| entry(finding)).collect());
        let mut ranks: Vec<usize> = (0..findings.len()).collect();
        // Those that are supported first, and among those the surest.
        ranks.sort_by(|a, b| {
            let (a, b) = (findings[*a], findings[*b]);
            let by_confidence = rounded(b.confidence).total_cmp(&rounded(a.confidence));
            a.unsupported.cmp(&b.unsupported).then(by_confidence)
        });
        if let Some(most) = max_per_source {
            ranks.truncate(most);
        }
        ranked.push(ranks);
    }
    let costs_of =
        |(entries, ranks): (&Vec<String>, &Vec<usize>)| ranks.iter().map(|index| tokens(&entries[*index])).collect();
    let costs: Vec<Vec<usize>> = entries.iter().zip(&ranked).map(costs_of).collect();
    let chosen = select(room, floor, &costs);

    let mut whole = FindingsText::default();
    for (source_index, (source, findings)) in sources.iter().enumerate() {
        let mut fitting: Vec<usize> = ranked[source_index]
            .iter()
            .zip(&chosen[source_index])
            .filter(|(_, chosen)| **chosen)
            .map(|(index, _)| *index)
            .collect();
        fitting.sort_unstable();
        if fitting.len() < findings.len() {
            whole.left_out.insert((*source).to_owned(), (findings.len() - fitting.len()) as u64);
        }
        if !fitting.is_empty() {
            whole.text.push_str(&heading(source));
            for index in fitting {
                whole.text.push_str(&entries[source_index][index]);
            }
        }
    }
    whole
}

fn heading(source: &str) -> String {
    format!("\n## {}\n\n", one_line(source))
}

/// A finding and, below it, the words that bear it out.
fn entry(finding: &LensFinding) -> String {
    let given = [("owner", &finding.owner), ("due", &finding.due), ("priority", &finding.priority)];
    let given = given.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
    let details = finding.details.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let details: Vec<String> =
        given.chain(details).map(|(key, value)| format!("{}: {}", key.replace('_', " "), one_line(value))).collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    let kind = &finding.kind;
    let mark = if finding.unsupported && !kind.contains("unsupported") { "unsupported " } else { "" };
    let (id, text, confidence) = (&finding.id, one_line(&finding.text), rounded(finding.confidence));
    let mut entry = format!("- {id}, {mark}{kind}, confidence {confidence:.2}: {text}{details}\n");
    for place in &finding.evidence {
        let speaker = place.speaker.as_deref().map(|name| format!("{}: ", one_line(name))).unwrap_or_default();
        _ = writeln!(entry, "  [{}] {speaker}{}", place.segment, one_line(&place.quote));
    }
    entry
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::findings_text;
    use crate::{findings::LensFinding, parts::tokens, testing::finding};

    #[test]
    fn findings_stand_under_their_source_with_the_words_that_bear_them_out() {
        let mut second = finding("b", 2, "The bus is\nlate.");
        second.owner = Some("Bo".into());
        second.details.insert("rests_on".into(), "P1".into());
        let gathered =
            findings_text(&[finding("a", 1, "We take the bus."), second, finding("a", 3, "No.")], None, 1000, 500);
        assert_eq!(
            gathered.text,
            "\n## a\n\n- a-1, fact, confidence 0.50: We take the bus.\n  [s1] Ann: We take the bus.\n\
             - a-3, fact, confidence 0.50: No.\n  [s3] Ann: No.\n\
             \n## b\n\n- b-2, fact, confidence 0.50: The bus is late. (owner: Bo, rests on: P1)\n  [s2] Ann: The bus is late.\n"
        );
        assert!(gathered.left_out.is_empty());
    }

    #[test]
    fn where_room_is_short_the_surest_go_in_and_the_rest_is_counted() {
        let many = (1..=20).map(|n| LensFinding { confidence: n as f64 / 20.0, ..finding("wordy", n, "It is late.") });
        let all: Vec<_> = many.chain([finding("short", 1, "We take the bus.")]).collect();
        let gathered = findings_text(&all, None, 200, 50);
        assert!(gathered.text.contains("short-1") && gathered.text.contains("wordy-20"));
        assert!(!gathered.text.contains("wordy-1,"));
        let shown = gathered.text.matches("- wordy-").count() as u64;
        assert_eq!(gathered.left_out.into_iter().collect::<Vec<_>>(), [("wordy".to_owned(), 20 - shown)]);
    }

    #[test]
    fn what_is_unsupported_says_so_and_goes_in_last() {
        let doubted = LensFinding { unsupported: true, confidence: 0.9, ..finding("a", 1, "They fly to the moon.") };
        let sound = LensFinding { confidence: 0.1, ..finding("a", 2, "They take the bus today.") };
        assert!(findings_text(std::slice::from_ref(&doubted), None, 100, 50).text.contains("- a-1, unsupported fact"));
        let one = findings_text(&[doubted, sound], None, 45, 0);
        assert!(one.text.contains("a-2") && !one.text.contains("a-1"), "{}", one.text);
    }

    #[test]
    fn of_each_source_no_more_go_in_than_are_asked_for() {
        let many = (1..=5).map(|n| LensFinding { confidence: n as f64 / 5.0, ..finding("wordy", n, "It is late.") });
        let all: Vec<_> = many.chain([finding("short", 1, "We take the bus.")]).collect();
        let gathered = findings_text(&all, Some(2), 1000, 50);
        for (id, is_in) in [("wordy-5", true), ("wordy-4", true), ("wordy-3", false), ("short-1", true)] {
            assert_eq!(gathered.text.contains(id), is_in, "{id}: {}", gathered.text);
        }
        assert_eq!(gathered.left_out.into_iter().collect::<Vec<_>>(), [("wordy".to_owned(), 3)]);
    }

    #[test]
    fn no_findings_are_an_empty_text() {
        assert_eq!(findings_text(&[], None, 100, 50).text, "");
    }

    proptest! {
        #[test]
        fn what_goes_in_fits_and_all_is_counted(
            all in prop::collection::vec(("[ab]", 1_usize..30, "[a-z ]{0,90}"), 0..40),
            budget in 20_usize..900,
            floor in 0_usize..300,
        ) {
            let all: Vec<_> = all.iter().map(|(source, number, text)| finding(source, *number, text)).collect();
            let gathered = findings_text(&all, None, budget, floor);
            let shown = gathered.text.lines().filter(|line| line.starts_with("- ")).count();
            prop_assert_eq!(shown as u64 + gathered.left_out.values().sum::<u64>(), all.len() as u64);
            prop_assert!(tokens(&gathered.text) <= budget);
        }
    }
}
