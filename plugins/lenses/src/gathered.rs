//! Findings of other stages as a text within a budget of tokens.

use std::{cmp::Reverse, collections::BTreeMap, fmt::Write as _};

use jackfield_text::context_budget::select;

use crate::{findings::LensFinding, parts::tokens};

/// Findings as a model reads them, by source.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Gathered {
    pub(crate) text: String,
    /// How many findings of each source had no room; a source that is not named lost none.
    pub(crate) left_out: BTreeMap<String, u64>,
}

/// Writes as many findings as fit: all, or of every source those it is surest of, up to its fair share. They stand in the
/// order given, under the name of their source.
pub(crate) fn gather(findings: &[LensFinding], budget: usize, floor: usize) -> Gathered {
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
        ranks.sort_by(|a, b| {
            let worth = |at: &usize| (Reverse(findings[*at].unsupported), sane(findings[*at].confidence));
            let (a, b) = (worth(a), worth(b));
            b.0.cmp(&a.0).then(b.1.total_cmp(&a.1))
        });
        ranked.push(ranks);
    }
    let cost = |(entries, ranks): (&Vec<String>, &Vec<usize>)| ranks.iter().map(|at| tokens(&entries[*at])).collect();
    let costs: Vec<Vec<usize>> = entries.iter().zip(&ranked).map(cost).collect();
    let chosen = select(room, floor, &costs);

    let mut gathered = Gathered::default();
    for (at, (source, findings)) in sources.iter().enumerate() {
        let mut fitting: Vec<usize> =
            ranked[at].iter().zip(&chosen[at]).filter(|(_, chosen)| **chosen).map(|(index, _)| *index).collect();
        fitting.sort_unstable();
        if fitting.len() < findings.len() {
            gathered.left_out.insert((*source).to_owned(), (findings.len() - fitting.len()) as u64);
        }
        if !fitting.is_empty() {
            gathered.text.push_str(&heading(source));
            fitting.iter().for_each(|index| gathered.text.push_str(&entries[at][*index]));
        }
    }
    gathered
}

fn heading(source: &str) -> String {
    format!("\n## {}\n\n", in_a_line(source))
}

/// A finding and, below it, the words that bear it out.
fn entry(finding: &LensFinding) -> String {
    let given = [("owner", &finding.owner), ("due", &finding.due), ("priority", &finding.priority)];
    let given = given.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
    let details = finding.details.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let more: Vec<String> =
        given.chain(details).map(|(key, value)| format!("{}: {}", key.replace('_', " "), in_a_line(value))).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    let kind = &finding.kind;
    let mark = if finding.unsupported && !kind.contains("unsupported") { "unsupported " } else { "" };
    let (id, text, sure) = (&finding.id, in_a_line(&finding.text), sane(finding.confidence));
    let mut entry = format!("- {id}, {mark}{kind}, confidence {sure:.2}: {text}{more}\n");
    for place in &finding.evidence {
        let speaker = place.speaker.as_deref().map(|name| format!("{}: ", in_a_line(name))).unwrap_or_default();
        _ = writeln!(entry, "  [{}] {speaker}{}", place.segment, in_a_line(&place.quote));
    }
    entry
}

fn sane(confidence: f64) -> f64 {
    jackfield_text::confidence(confidence)
}

fn in_a_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::gather;
    use crate::{findings::LensFinding, parts::tokens, testing::finding};

    #[test]
    fn findings_stand_under_their_source_with_the_words_that_bear_them_out() {
        let mut second = finding("b", 2, "The bus is\nlate.");
        second.owner = Some("Bo".into());
        second.details.insert("rests_on".into(), "P1".into());
        let gathered = gather(&[finding("a", 1, "We take the bus."), second, finding("a", 3, "No.")], 1000, 500);
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
        let gathered = gather(&all, 200, 50);
        assert!(gathered.text.contains("short-1") && gathered.text.contains("wordy-20"));
        assert!(!gathered.text.contains("wordy-1,"));
        let shown = gathered.text.matches("- wordy-").count() as u64;
        assert_eq!(gathered.left_out.into_iter().collect::<Vec<_>>(), [("wordy".to_owned(), 20 - shown)]);
    }

    #[test]
    fn what_is_unsupported_says_so_and_goes_in_last() {
        let doubted = LensFinding { unsupported: true, confidence: 0.9, ..finding("a", 1, "They fly to the moon.") };
        let sound = LensFinding { confidence: 0.1, ..finding("a", 2, "They take the bus today.") };
        assert!(gather(std::slice::from_ref(&doubted), 100, 50).text.contains("- a-1, unsupported fact"));
        let one = gather(&[doubted, sound], 45, 0);
        assert!(one.text.contains("a-2") && !one.text.contains("a-1"), "{}", one.text);
    }

    #[test]
    fn no_findings_are_an_empty_text() {
        assert_eq!(gather(&[], 100, 50).text, "");
    }

    proptest! {
        #[test]
        fn what_goes_in_fits_and_all_is_counted(
            all in prop::collection::vec(("[ab]", 1_usize..30, "[a-z ]{0,90}"), 0..40),
            budget in 20_usize..900,
            floor in 0_usize..300,
        ) {
            let all: Vec<_> = all.iter().map(|(source, number, text)| finding(source, *number, text)).collect();
            let gathered = gather(&all, budget, floor);
            let shown = gathered.text.lines().filter(|line| line.starts_with("- ")).count();
            prop_assert_eq!(shown as u64 + gathered.left_out.values().sum::<u64>(), all.len() as u64);
            prop_assert!(tokens(&gathered.text) <= budget);
        }
    }
}
