//! The analyzer `decisions`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Evidence, Finding, Transcript, Warning, language::warn_unless_english};
use serde_json::json;

use crate::{
    candidates::{self, check_share},
    findings::Findings,
    learning::Target,
    reading::Reading,
    shown::{self, Shown},
    weights::{DECISIONS, Weights},
};

/// One decision in so many words is a lot.
const WORDS_PER_DECISION: usize = 200;

/// What `decisions` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct DecisionList {
    /// Findings of kind `decision`, in order of the transcript.
    pub findings: Vec<Finding>,
    /// What it could not read, and so may have missed; absent where there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Finds what the speakers decided: decisions stated, and proposals that others took up or settled. It weighs what each turn
/// does and how the turns around take it, with weights learned from meetings in which readers marked the decisions; the
/// confidence is how likely a reader is to agree. English only: it knows the words by which that is said in English.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-languages" = ["en"]))]
pub struct Decisions {
    /// How many are answered at most; 0 lets the length tell.
    #[config(default = 0)]
    #[schemars(range(max = 1000))]
    pub max: usize,
    /// The least confidence that is answered, 0 to 1.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_confidence: f64,
}

impl Analyzer for Decisions {
    const NAME: &str = "decisions";
    const STABILITY: Stability = Stability::Beta;
    type Input = Transcript;
    type Output = DecisionList;

    fn open(self) -> Result<Self> {
        check_share("min_confidence", self.min_confidence)?;
        Ok(self)
    }

    async fn analyze(&self, transcript: Transcript, host: &Host<'_>) -> Result<DecisionList> {
        let reading = Reading::new(&transcript);
        let warnings = warn_unless_english(host, reading.talk.language);
        let limit = candidates::limit(self.max, &reading.talk, WORDS_PER_DECISION);
        let drafts = shown::surest(drafts(&reading, &DECISIONS, self.min_confidence), limit);
        let mut findings = Findings::new(host);
        for draft in drafts {
            // `So we go with rubber?` is not a question any more once others say yes.
            let mut text = reading.talk.readable(draft.sentence);
            if text.ends_with('?') && !reading.asks_for_information(draft.sentence) {
                text.pop();
                text.push('.');
            }
            findings.add("decision", text, draft.confidence, evidence(&reading, &draft));
        }
        Ok(DecisionList { findings: findings.list, warnings })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "a proposal that is agreed to".to_owned(),
            config: json!({}),
            input: json!({ "segments": [
                { "id": "s1", "speaker": "Ann", "text": "What about the case?" },
                { "id": "s2", "speaker": "Bo", "text": "Um, let's go with rubber for the case." },
                { "id": "s3", "speaker": "Ann", "text": "Yes, good idea." },
            ] }),
            output: json!({
                "findings": [
                    {
                        "confidence": 0.858,
                        "evidence": [
                            {
                                "quote": "Um, let's go with rubber for the case.",
                                "segment": "s2",
                                "speaker": "Bo",
                            },
                            { "quote": "What about the case?", "segment": "s1", "speaker": "Ann" },
                            { "quote": "Yes, good idea.", "segment": "s3", "speaker": "Ann" },
                        ],
                        "id": "decisions-1",
                        "kind": "decision",
                        "source": "decisions",
                        "text": "Let's go with rubber for the case.",
                    },
                ],
            }),
        }]
    }
}

/// The decisions of at least this confidence, in order.
fn drafts(reading: &Reading<'_>, weights: &Weights, least: f64) -> Vec<Shown> {
    shown::of_places(reading, Target::Decisions, weights, least)
}

fn evidence(reading: &Reading<'_>, draft: &Shown) -> Vec<Evidence> {
    draft.evidence(reading, Target::Decisions)
}

/// The turns of the evidence of each decision, and its confidence.
pub(crate) fn evidence_turns(reading: &Reading<'_>, weights: &Weights, least: f64) -> Vec<(Vec<usize>, f64)> {
    let limit = candidates::limit(0, &reading.talk, WORDS_PER_DECISION);
    let drafts = shown::surest(drafts(reading, weights, least), limit);
    drafts.iter().map(|draft| (reading.turns_of(&evidence(reading, draft)), draft.confidence)).collect()
}
