//! The analyzer `agreements`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Evidence, Finding, FindingSet, Transcript, Warning, confidence, language::warn_unless_english};
use serde_json::json;

use crate::{
    markdown::{names, unstopped},
    scene::Scene,
    shared::{Section, bounded, flatten, in_section, position},
    stance::{Limits, Reach, Sides, sides},
};

/// What `agreements` reads.
#[derive(Clone, Debug, Default, Document)]
pub struct AgreementsInput {
    /// The transcript. Without it, only what the findings quote is known of the talk around a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Transcript>,
    /// Answers of other stages; those of kind `decision` and `proposal` are looked into.
    #[serde(default)]
    pub findings: Vec<FindingSet>,
}

/// Who stands where on one decision.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Agreement {
    /// The same as the id of the finding that says it in a sentence.
    pub id: String,
    /// The decision, in its words.
    pub on: String,
    /// Id of the decision among the findings read.
    pub decision: String,
    /// Who is for it, the one who voiced it first.
    pub supporters: Vec<String>,
    /// Who spoke against it and did not come round.
    pub opponents: Vec<String>,
    /// Those supporters who spoke against it before.
    pub reserved: Vec<String>,
    /// What they said, in the order of the transcript.
    pub evidence: Vec<Evidence>,
}

/// What `agreements` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct AgreementsOutput {
    /// One for every decision that someone besides its voice took sides on, in the order of the transcript.
    pub agreements: Vec<Agreement>,
    /// The same as findings of kind `agreement`.
    pub findings: Vec<Finding>,
    /// What it could not read, and so may have missed; absent where there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Finds who sided with what. English only: it knows English words of assent and dissent.
///
/// For each decision the turns around it are searched for words of assent and dissent. What a speaker says last counts;
/// one who objected and then gave in is a supporter with reserve. A bare yes counts while the decision is the last thing
/// that was asked, plain words count wherever they are within reach and, before the decision, on the same matter.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-languages" = ["en"]))]
pub struct Agreements {
    /// How many turns before a decision to look for what was argued.
    #[config(default = 8)]
    #[schemars(range(max = 200))]
    pub before: u64,
    /// How many turns after a decision to look for answers to it.
    #[config(default = 6)]
    #[schemars(range(max = 200))]
    pub after: u64,
}

impl Analyzer for Agreements {
    const NAME: &'static str = "agreements";
    const STABILITY: Stability = Stability::Beta;
    type Input = AgreementsInput;
    type Output = AgreementsOutput;

    async fn analyze(&self, input: AgreementsInput, host: &Host<'_>) -> Result<AgreementsOutput> {
        let findings = flatten(input.findings);
        let scene = Scene::new(input.transcript, &findings);
        let stage = &host.context().stage;
        let warnings = warn_unless_english(host, scene.language());
        let mut output = AgreementsOutput { warnings, ..AgreementsOutput::default() };
        for (decision, sides) in sides_taken(&scene, &findings, Reach { before: self.before, after: self.after }) {
            if !sides.answered {
                continue;
            }
            let id = format!("{stage}-{}", output.findings.len() + 1);
            output.findings.push(Finding {
                id: id.clone(),
                kind: "agreement".into(),
                text: sentence(&decision.text, &sides),
                confidence: confidence_of(decision, &sides),
                source: stage.to_string(),
                evidence: sides.evidence.clone(),
                owner: None,
                due: None,
                priority: None,
            });
            output.agreements.push(Agreement {
                id,
                on: decision.text.clone(),
                decision: decision.id.clone(),
                supporters: sides.supporters,
                opponents: sides.opponents,
                reserved: sides.reserved,
                evidence: sides.evidence,
            });
        }
        Ok(output)
    }

    fn examples() -> Vec<Example> {
        let turn = |id: &str, speaker: &str, text: &str| json!({ "id": id, "speaker": speaker, "text": text });
        let said = |segment: &str, speaker: &str, quote: &str| json!({ "segment": segment, "speaker": speaker, "quote": quote });
        let shown = json!([
            said("s1", "Ann", "I propose that we take the train."),
            said("s2", "Bo", "I don't think we should, it is slow."),
            said("s3", "Cy", "I agree with Ann."),
        ]);
        vec![Example {
            summary: "one speaks for a decision and one against it".into(),
            config: json!({}),
            input: json!({
                "transcript": { "segments": [
                    turn("s1", "Ann", "I propose that we take the train."),
                    turn("s2", "Bo", "I don't think we should, it is slow."),
                    turn("s3", "Cy", "I agree with Ann."),
                ] },
                "findings": [{ "findings": [{
                    "id": "decisions-1", "kind": "decision", "text": "We take the train.", "confidence": 0.8,
                    "source": "decisions", "evidence": [said("s1", "Ann", "I propose that we take the train.")],
                }] }],
            }),
            output: json!({
                "agreements": [{
                    "id": "agreements-1", "on": "We take the train.", "decision": "decisions-1", "supporters": ["Ann", "Cy"],
                    "opponents": ["Bo"], "reserved": [], "evidence": shown,
                }],
                "findings": [{
                    "id": "agreements-1", "kind": "agreement", "confidence": 0.756, "source": "agreements",
                    "text": "Ann and Cy are for it, Bo is against it: We take the train.", "evidence": shown,
                }],
            }),
        }]
    }
}

/// The sides taken on every decision and proposal, in the order of the transcript.
pub(crate) fn sides_taken<'a>(scene: &Scene, findings: &'a [Finding], reach: Reach) -> Vec<(&'a Finding, Sides)> {
    let proposals = findings.iter().filter(|finding| finding.kind == "proposal");
    let mut decisions: Vec<&Finding> = in_section(findings, Section::Decision).chain(proposals).collect();
    decisions.sort_by_key(|decision| position(&decision.evidence));
    let spans: Vec<Option<(usize, usize)>> = decisions
        .iter()
        .map(|decision| {
            let lines = scene.lines_of(decision);
            Some((*lines.first()?, *lines.last()?))
        })
        .collect();
    let mut taken = Vec::with_capacity(decisions.len());
    for (index, decision) in decisions.iter().enumerate() {
        let Some((first, last)) = spans[index] else { continue };
        // Decisions side by side are mostly one, said twice: they share their answers.
        let earlier = spans[..index].iter().rev().flatten().map(|span| span.1).find(|end| end + 3 <= first);
        let later = spans[index + 1..].iter().flatten().map(|span| span.0).find(|start| *start >= last + 3);
        let limits = Limits { after: earlier, before: later };
        taken.push((*decision, sides(scene, decision, reach, limits)));
    }
    taken
}

fn sentence(decision: &str, sides: &Sides) -> String {
    let decision = unstopped(decision);
    let verb = |names: &[String]| if names.len() == 1 { "is" } else { "are" };
    let mut text = match (sides.supporters.as_slice(), sides.opponents.as_slice()) {
        (supporters, []) => format!("{} {}", names(supporters), if supporters.len() == 1 { "agrees" } else { "agree" }),
        ([], opponents) => format!("{} {} against it", names(opponents), verb(opponents)),
        (supporters, opponents) => {
            let (for_it, against) = (names(supporters), names(opponents));
            format!("{for_it} {} for it, {against} {} against it", verb(supporters), verb(opponents))
        }
    };
    if !sides.reserved.is_empty() {
        text.push_str(&format!(" ({} with reserve)", names(&sides.reserved)));
    }
    format!("{text}: {decision}.")
}

/// Plain words are worth more than a yes, and nobody can be surer of the sides than of the decision.
fn confidence_of(decision: &Finding, sides: &Sides) -> f64 {
    let others = (sides.supporters.len() + sides.opponents.len()).saturating_sub(1);
    let mut doubt = 1.0;
    for index in 0..others {
        doubt *= if index < sides.plain { 0.4 } else { 0.7 };
    }
    confidence((1.0 - doubt) * (0.5 + 0.5 * bounded(decision.confidence)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Agreement, Agreements, AgreementsInput, FindingSet};
    use crate::testing::{any_findings, any_transcript, call, check_example, finding, transcript};
    use jackfield_plugin_api::prelude::*;

    fn agreements(turns: &[(&str, &str)], decided_at: usize) -> Vec<Agreement> {
        let mut decision = finding("decision", decided_at, turns[decided_at - 1].1, 0.8);
        decision.evidence[0].speaker = Some(turns[decided_at - 1].0.into());
        let input = AgreementsInput {
            transcript: Some(transcript(turns)),
            findings: vec![FindingSet { findings: vec![decision], ..FindingSet::default() }],
        };
        call(&Agreements { before: 8, after: 6 }, input).expect("an answer").agreements
    }

    #[test]
    fn the_worked_example_is_exact() {
        check_example::<Agreements>(Agreements::examples().remove(0));
    }

    #[test]
    fn a_yes_after_another_question_is_no_support() {
        let found = agreements(&[("A", "We take the bus."), ("B", "Who drives?"), ("C", "Yes.")], 1);
        assert!(found.is_empty());
    }

    #[test]
    fn no_is_assent_where_objections_were_asked_for() {
        let found = agreements(&[("A", "We take the bus. Any objections?"), ("B", "No.")], 1);
        assert_eq!(found[0].supporters, ["A", "B"]);
    }

    #[test]
    fn whoever_gives_in_supports_with_reserve() {
        let found = agreements(
            &[("B", "I'm against the bus."), ("A", "So we take the bus."), ("B", "Well, I can live with it.")],
            2,
        );
        assert_eq!((found[0].reserved.as_slice(), found[0].opponents.len()), (["B".to_owned()].as_slice(), 0));
    }

    #[test]
    fn an_objection_to_something_else_is_none_to_this() {
        let found = agreements(&[("B", "I'm against the hotel."), ("A", "We take the bus."), ("C", "Agreed.")], 2);
        assert!(found[0].opponents.is_empty());
    }

    #[test]
    fn whoever_sides_with_a_speaker_takes_that_side() {
        let found = agreements(
            &[
                ("A", "I propose the bus."),
                ("B", "I disagree, the bus is slow."),
                ("C", "I'm with B on the bus."),
                ("D", "So we take the bus."),
            ],
            4,
        );
        assert_eq!(found[0].opponents, ["B", "C"]);
    }

    #[test]
    fn arguing_against_a_thing_is_not_arguing_against_leaving_it() {
        let found =
            agreements(&[("B", "I'm against the bus."), ("A", "Then we don't take the bus."), ("C", "Good.")], 2);
        assert_eq!(
            (found[0].supporters.as_slice(), found[0].opponents.len()),
            (["A".to_owned(), "C".into()].as_slice(), 0)
        );
    }

    #[test]
    fn what_is_said_after_the_next_question_is_on_that() {
        let found = agreements(
            &[
                ("A", "We take the bus."),
                ("C", "Okay."),
                ("B", "And who cooks on the first night?"),
                ("D", "I'm not convinced that Tom can."),
            ],
            1,
        );
        assert_eq!((found[0].supporters.len(), found[0].opponents.len()), (2, 0));
    }

    #[test]
    fn without_a_transcript_the_quotes_are_the_talk() {
        let mut answer = finding("key-point", 2, "I disagree, the bus is late.", 0.5);
        answer.evidence[0].speaker = Some("Bo".into());
        let findings = vec![FindingSet {
            findings: vec![finding("decision", 1, "We take the bus.", 0.8), answer],
            ..FindingSet::default()
        }];
        let found = call(&Agreements { before: 8, after: 6 }, AgreementsInput { transcript: None, findings })
            .expect("an answer");
        assert_eq!(found.agreements[0].opponents, ["Bo"]);
    }

    proptest! {
        #[test]
        fn any_input_has_an_answer_with_quotes_that_were_said(transcript in any_transcript(), findings in any_findings()) {
            let input = AgreementsInput { transcript: Some(transcript.clone()), findings: vec![FindingSet { findings: findings.clone(), ..FindingSet::default() }] };
            let found = call(&Agreements { before: 8, after: 6 }, input).expect("an answer");
            prop_assert_eq!(found.agreements.len(), found.findings.len());
            for place in found.findings.iter().flat_map(|finding| &finding.evidence) {
                let said = transcript.segments.iter().any(|segment| segment.id == place.segment && segment.text.contains(&place.quote));
                let quoted = findings.iter().flat_map(|finding| &finding.evidence).any(|known| known.quote == place.quote);
                prop_assert!(said || quoted);
            }
        }
    }
}
