//! The analyzer `risks`.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_plugin_api::prelude::*;
use jackfield_text::{
    Evidence, Finding, FindingSet, Transcript, confidence, cut::shortened, language::warn_unless_english, words::tokens,
};
use serde_json::json;

use crate::{
    agreements::sides_taken,
    concerns::{concerns, hedging, worry},
    markdown::{counted, names, short_name, unstopped},
    scene::{Scene, content_stems},
    shared::{Section, bounded, flatten, in_section, is_open, normal, number, position, priority_rank, title_of},
    stance::Reach,
};

/// What `risks` reads.
#[derive(Clone, Debug, Default, Document)]
pub struct RisksInput {
    /// The transcript. Without it, concerns are looked for in what the findings quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Transcript>,
    /// Answers of other stages: decisions, actions and questions are looked into.
    #[serde(default)]
    pub findings: Vec<FindingSet>,
}

/// Derives risks from what other stages found. English only: it knows the words by which doubts and concerns are voiced in
/// English.
///
/// A risk is a decision made against voiced disagreement, with an open question on the same matter, or in words that
/// hedge; an action that nobody took on or that has no date; and a concern voiced in the talk around decisions, actions
/// and questions. Every risk quotes what it is derived from.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-languages" = ["en"]))]
pub struct Risks {
    /// How many turns around a decision, an action or a question to look for concerns and for disagreement.
    #[config(default = 5)]
    #[schemars(range(max = 200))]
    pub reach: u64,
    /// A decision less sure than this may not be settled.
    #[config(default = 0.6)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub settled: f64,
    /// How plainly a concern must be voiced to count.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub plain: f64,
    /// At most so many risks of one sort, the gravest first: concerns, actions without an owner and so on.
    #[config(default = 12)]
    #[schemars(range(min = 1))]
    pub max_each: usize,
}

/// Longest part of a finding's text that a risk repeats, in characters.
const LONGEST: usize = 160;
/// Two texts are on the same matter if they share this many stems, or half of the shorter one's.
const SHARED_STEMS: usize = 3;

impl Analyzer for Risks {
    const NAME: &'static str = "risks";
    const STABILITY: Stability = Stability::Beta;
    type Input = RisksInput;
    type Output = FindingSet;

    async fn analyze(&self, input: RisksInput, host: &Host<'_>) -> Result<FindingSet> {
        let findings = flatten(input.findings);
        let scene = Scene::new(input.transcript, &findings);
        let warnings = warn_unless_english(host, scene.language());
        let mut known = BTreeSet::new();
        let mut risks = Vec::new();
        for mut risks_of_sort in [
            contested(&scene, &findings, self.reach),
            self.unsettled(&findings),
            questioned(&findings),
            unowned(&findings),
            undated(&findings),
            self.worried(&scene, &findings),
        ] {
            // A concern that already stands as an objection, or two risks in the same words, are one.
            risks_of_sort.retain(|risk| known.insert(normal(&risk.text)));
            risks_of_sort.sort_by(|a, b| {
                let by_priority = priority_rank(a.priority.as_deref()).cmp(&priority_rank(b.priority.as_deref()));
                by_priority
                    .then(b.confidence.total_cmp(&a.confidence))
                    .then(position(&a.evidence).cmp(&position(&b.evidence)))
            });
            risks_of_sort.truncate(self.max_each);
            risks.extend(risks_of_sort);
        }
        let stage = &host.context().stage;
        for risk in &mut risks {
            risk.source = stage.to_string();
        }
        number(&mut risks, stage);
        Ok(FindingSet { findings: risks, warnings })
    }

    fn examples() -> Vec<Example> {
        let said = |segment: &str, speaker: &str, quote: &str| json!({ "segment": segment, "speaker": speaker, "quote": quote });
        vec![Example {
            summary: "an action that nobody took on, and a concern near it".into(),
            config: json!({}),
            input: json!({
                "transcript": { "segments": [
                    { "id": "s1", "speaker": "Ann", "text": "Somebody should book the hall by May." },
                    { "id": "s2", "speaker": "Bo", "text": "I'm worried that it is too expensive for us." },
                ] },
                "findings": [{ "findings": [{
                    "id": "actions-1", "kind": "action", "text": "Book the hall.", "confidence": 0.7, "source": "actions",
                    "due": "May", "evidence": [said("s1", "Ann", "Somebody should book the hall by May.")],
                }] }],
            }),
            output: json!({ "findings": [
                {
                    "id": "risks-1", "kind": "risk", "text": "Nobody has taken this on: Book the hall.", "confidence": 0.62,
                    "source": "risks", "priority": "medium",
                    "evidence": [said("s1", "Ann", "Somebody should book the hall by May.")],
                },
                {
                    "id": "risks-2", "kind": "risk", "text": "Bo voices a concern: I'm worried that it is too expensive for us.",
                    "confidence": 0.8, "source": "risks", "priority": "high",
                    "evidence": [said("s2", "Bo", "I'm worried that it is too expensive for us.")],
                },
            ] }),
        }]
    }
}

impl Risks {
    /// Decisions that may not be settled.
    fn unsettled(&self, findings: &[Finding]) -> Vec<Finding> {
        let mut risks = Vec::new();
        for decision in in_section(findings, Section::Decision) {
            let hedge = decision.evidence.iter().map(|place| hedging(&place.quote)).fold(0.0, f64::max);
            let sure = bounded(decision.confidence);
            let reason = match (sure < self.settled, hedge >= 0.3) {
                (_, true) => "was put with reservations",
                (true, false) => "may not be settled",
                (false, false) => continue,
            };
            let text = format!("The decision {reason}: {}", shortened(&decision.text, LONGEST));
            let priority = if hedge >= 0.3 && sure >= self.settled { "medium" } else { "low" };
            risks.push(risk(text, priority, 0.3 + 0.4 * hedge.max(1.0 - sure), decision.evidence.clone()));
        }
        risks
    }

    /// Concerns voiced in the talk.
    fn worried(&self, scene: &Scene, findings: &[Finding]) -> Vec<Finding> {
        let found = concerns(scene, findings, self.reach, self.plain).into_iter();
        found
            .map(|concern| {
                let line = &scene.lines[concern.line];
                let topic = concern.about.name().map(|name| format!(" about {name}")).unwrap_or_default();
                let words = shortened(&concern.text, 2 * LONGEST);
                let text = match &line.speaker {
                    Some(speaker) => format!("{} voices a concern{topic}: {words}", short_name(speaker)),
                    None => format!("A concern was voiced{topic}: {words}"),
                };
                let priority = match concern.weight {
                    weight if weight >= 0.75 => "high",
                    weight if weight >= 0.58 => "medium",
                    _ => "low",
                };
                let said = concern.lead.into_iter().chain([concern.sentence]);
                risk(text, priority, concern.weight, said.map(|sentence| line.evidence(sentence)).collect())
            })
            .collect()
    }
}

/// Decisions made against voiced disagreement.
fn contested(scene: &Scene, findings: &[Finding], reach: u64) -> Vec<Finding> {
    let mut risks = Vec::new();
    for (decision, sides) in sides_taken(scene, findings, Reach { before: reach, after: reach }) {
        let against = sides.evidence.into_iter().filter(|place| {
            let speaker = place.speaker.as_ref();
            speaker.is_some_and(|name| sides.opponents.contains(name) || sides.reserved.contains(name))
        });
        let evidence: Vec<Evidence> = decision.evidence.iter().take(1).cloned().chain(against).collect();
        let what = shortened(&decision.text, LONGEST);
        let sure = bounded(decision.confidence);
        if !sides.opponents.is_empty() {
            let text = format!("Decided although {} spoke against it: {what}", names(&sides.opponents));
            risks.push(risk(text, "high", 0.55 + 0.3 * sure, evidence));
        } else if !sides.reserved.is_empty() {
            let text = format!("{} went along with reserve: {what}", names(&sides.reserved));
            risks.push(risk(text, "low", 0.4 + 0.3 * sure, evidence));
        }
    }
    risks
}

/// Questions left open on what was decided or is to be done.
fn questioned(findings: &[Finding]) -> Vec<Finding> {
    let settled: Vec<&Finding> =
        in_section(findings, Section::Decision).chain(in_section(findings, Section::Action)).collect();
    let places: Vec<u64> = settled.iter().map(|finding| position(&finding.evidence)).collect();
    let mut by_stem: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut stems = Vec::with_capacity(settled.len());
    for (index, finding) in settled.iter().enumerate() {
        let finding_stems = content_stems(&finding.text);
        for stem in &finding_stems {
            by_stem.entry(stem.clone()).or_default().push(index);
        }
        stems.push(finding_stems);
    }
    let questions: Vec<(&Finding, BTreeSet<String>)> =
        in_section(findings, Section::Question).map(|question| (question, content_stems(&question.text))).collect();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for stem in questions.iter().flat_map(|(_, own)| own).chain(stems.iter().flatten()) {
        *used.entry(stem).or_default() += 1;
    }
    // A word that is everywhere connects nothing, and would make the work quadratic.
    let common = ((settled.len() + questions.len()) / 12).max(4);
    let mut risks = Vec::new();
    for (question, own) in questions.iter().filter(|(question, _)| is_open(question)) {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for index in
            own.iter().filter(|stem| used[stem.as_str()] <= common).filter_map(|stem| by_stem.get(stem)).flatten()
        {
            // What was asked before it was settled, it has settled. What is to be done is on people's minds for a while.
            let reach = if settled[*index].kind == Section::Decision.name() { u64::MAX } else { 40 };
            let distance = position(&question.evidence).saturating_sub(places[*index]);
            if (1..=reach).contains(&distance) {
                *shared.entry(*index).or_default() += 1;
            }
        }
        let best = shared.into_iter().max_by_key(|(index, count)| (*count, std::cmp::Reverse(*index)));
        let Some((index, count)) = best else { continue };
        if count < SHARED_STEMS && (count < 2 || count * 2 < own.len().min(stems[index].len())) {
            continue;
        }
        let subject = settled[index];
        let decided = subject.kind == Section::Decision.name();
        let what = if decided { "what was decided" } else { "what is to be done" };
        let text = format!(
            "A question on {what} is open: {} – {}",
            shortened(&question.text, LONGEST),
            shortened(unstopped(&subject.text), LONGEST)
        );
        let evidence = question.evidence.iter().chain(subject.evidence.iter().take(1)).cloned().collect();
        let sure =
            0.35 + 0.3 * bounded(question.confidence).min(bounded(subject.confidence)) + 0.05 * count.min(4) as f64;
        risks.push(risk(text, if decided { "high" } else { "medium" }, sure, evidence));
    }
    risks
}

/// Actions without an owner.
fn unowned(findings: &[Finding]) -> Vec<Finding> {
    // `I'll call him` is taken on, though nobody knows by whom where the transcript has no speakers.
    let unknown = |action: &Finding| {
        let first_person = |quote: &str| tokens(quote).iter().any(|word| word == "i");
        action.evidence.iter().any(|place| place.speaker.is_none() && first_person(&place.quote))
    };
    let without = in_section(findings, Section::Action).filter(|action| action.owner.is_none() && !unknown(action));
    without
        .map(|action| {
            let urgent = action.evidence.iter().map(|place| worry(&place.quote).0).fold(0.0, f64::max) >= 0.4;
            let priority = match (urgent, action.due.is_some()) {
                (true, _) => "high",
                (false, true) => "medium",
                (false, false) => "low",
            };
            let text = format!("Nobody has taken this on: {}", shortened(&action.text, LONGEST));
            risk(text, priority, 0.2 + 0.6 * bounded(action.confidence), action.evidence.clone())
        })
        .collect()
}

/// Actions that have an owner but no date: one risk for all of them, since in many meetings no action has one.
fn undated(findings: &[Finding]) -> Vec<Finding> {
    const NAMED: usize = 3;

    let owned = in_section(findings, Section::Action).filter(|action| action.owner.is_some()).count();
    let mut without: Vec<&Finding> =
        in_section(findings, Section::Action).filter(|action| action.owner.is_some() && action.due.is_none()).collect();
    without.sort_by(|a, b| bounded(b.confidence).total_cmp(&bounded(a.confidence)));
    let named: Vec<&Finding> = without.iter().take(NAMED).copied().collect();
    let titles: Vec<_> = named
        .iter()
        .map(|action| {
            let owner = action.owner.as_deref().unwrap_or_default();
            format!("{} ({})", shortened(unstopped(&title_of(action)), 80), short_name(owner))
        })
        .collect();
    let text = match without.len() {
        0 => return Vec::new(),
        1 => format!("No date was set for: {}", titles[0]),
        count => {
            let others = count - named.len();
            let rest = if others > 0 { format!("; and {}", counted(others, "other", "others")) } else { String::new() };
            format!("{count} of {owned} actions that have an owner have no date: {}{rest}", titles.join("; "))
        }
    };
    let evidence = named.iter().flat_map(|action| action.evidence.first()).cloned().collect();
    let sure = named.iter().map(|action| bounded(action.confidence)).fold(0.0, f64::max);
    vec![risk(text, if without.len() >= 3 { "medium" } else { "low" }, 0.2 + 0.6 * sure, evidence)]
}

fn risk(text: String, priority: &str, sure: f64, evidence: Vec<Evidence>) -> Finding {
    Finding {
        id: String::new(),
        kind: Section::Risk.name().into(),
        text,
        confidence: confidence(sure),
        source: String::new(),
        evidence,
        owner: None,
        due: None,
        priority: Some(priority.into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FindingSet, Risks, RisksInput};
    use crate::testing::{any_findings, any_transcript, call, call_on, check_example, evidence, finding, transcript};
    use jackfield_plugin_api::{prelude::*, testing::FakeHost};
    use jackfield_text::{Finding, Transcript};

    const RISKS: Risks = Risks { reach: 5, settled: 0.6, plain: 0.5, max_each: 12 };

    fn risks(transcript: Option<Transcript>, findings: Vec<Finding>) -> Vec<(String, String)> {
        let input = RisksInput { transcript, findings: vec![FindingSet { findings, ..FindingSet::default() }] };
        let found = call(&RISKS, input).expect("an answer").findings;
        found.into_iter().map(|risk| (risk.priority.unwrap_or_default(), risk.text)).collect()
    }

    #[test]
    fn the_worked_example_is_exact() {
        check_example::<Risks>(Risks::examples().remove(0));
    }

    #[test]
    fn a_talk_in_another_language_is_said_not_to_be_understood() {
        let talk = |text: &str| RisksInput { transcript: Some(transcript(&[("Ann", text)])), ..RisksInput::default() };
        let host = FakeHost::default();
        for text in
            ["Ich habe Sorge, dass das zu teuer ist und nicht klappt.", "I'm worried that this is too dear for us."]
        {
            call_on(&RISKS, talk(text), &host).expect("an answer");
        }
        let warnings: Vec<_> = host.logged().into_iter().filter(|line| line.0 == Level::Warn).collect();
        assert!(warnings.len() == 1 && warnings[0].1.starts_with("a text is in another language"), "{warnings:?}");
    }

    #[test]
    fn nothing_found_is_no_risk() {
        assert!(risks(None, Vec::new()).is_empty());
    }

    #[test]
    fn a_decision_against_voiced_disagreement_is_a_grave_risk() {
        let turns = transcript(&[("Bo", "I'm against the bus."), ("Ann", "We take the bus.")]);
        let found = risks(Some(turns), vec![finding("decision", 2, "We take the bus.", 0.8)]);
        assert_eq!(found, [("high".into(), "Decided although Bo spoke against it: We take the bus.".into())]);
    }

    #[test]
    fn a_decision_put_with_hedges_is_a_risk() {
        let found = risks(None, vec![finding("decision", 1, "We may not take the bus, I don't know.", 0.8)]);
        assert_eq!(
            found[0],
            ("medium".into(), "The decision was put with reservations: We may not take the bus, I don't know.".into())
        );
    }

    #[test]
    fn a_question_open_on_a_decision_is_a_risk() {
        let decision = finding("decision", 1, "The bus company gets a deposit in April.", 0.8);
        let question = finding("question", 5, "Who pays the deposit of the bus company?", 0.8);
        let found = risks(None, vec![decision, question]);
        assert_eq!(found[0].0, "high");
        assert!(found[0].1.starts_with("A question on what was decided is open: Who pays"));
    }

    #[test]
    fn an_answered_question_is_none() {
        let mut question = finding("question", 5, "Who pays the deposit of the bus company?", 0.8);
        question.evidence.push(evidence("s6", None, "The parents pay it."));
        assert!(risks(None, vec![finding("decision", 1, "The bus company gets a deposit.", 0.8), question]).is_empty());
    }

    #[test]
    fn actions_without_a_date_are_one_risk() {
        let action =
            |n| Finding { owner: Some("Bo".into()), ..finding("action", n, &format!("Bo: call number {n}."), 0.8) };
        let found = risks(None, (1..6).map(action).collect());
        let text = "5 of 5 actions that have an owner have no date: Call number 1 (Bo); Call number 2 (Bo); Call number 3 (Bo); and 2 others";
        assert_eq!(found, [("medium".into(), text.into())]);
    }

    #[test]
    fn a_worry_far_from_any_finding_is_no_concern_of_the_minutes() {
        let mut turns = vec![("Bo", "I'm worried that the bus is far too expensive.")];
        turns.extend([("Ann", "Nice weather today, is it not."); 12]);
        turns.push(("Ann", "We take the train."));
        assert!(risks(Some(transcript(&turns)), vec![finding("decision", 14, "We take the train.", 0.8)]).is_empty());
    }

    proptest! {
        #[test]
        fn any_input_has_risks_that_quote_and_are_numbered(transcript in prop::option::of(any_transcript()), findings in any_findings()) {
            let input = RisksInput { transcript, findings: vec![FindingSet { findings, ..FindingSet::default() }] };
            let found = call(&RISKS, input).expect("an answer").findings;
            for (index, risk) in found.iter().enumerate() {
                prop_assert_eq!(&risk.id, &format!("risks-{}", index + 1));
                prop_assert!((0.0..=1.0).contains(&risk.confidence) && !risk.text.is_empty());
            }
        }
    }
}
