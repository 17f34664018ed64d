//! The analyzer `decisions`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Finding, Transcript, Warning, language::warn_unless_english, logistic};
use serde_json::json;

use crate::{
    candidates::{self, Candidate, check_share},
    decision_cues::{COUNTER_CUES, CUES, LEADS, PROPOSALS},
    dialogue,
    findings::Findings,
    talk::Talk,
};

/// A sentence that scores less is not a decision.
const THRESHOLD: f64 = 1.9;
/// One decision in so many words is a lot.
const WORDS_PER_DECISION: usize = 500;
/// From this weight on a cue states a decision by itself.
const STATED: f64 = 2.6;
/// A proposal to which nobody clearly agrees loses so much.
const NOT_TAKEN_UP: f64 = 1.2;

/// What `decisions` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct DecisionList {
    /// Findings of kind `decision`, in order of the transcript.
    pub findings: Vec<Finding>,
    /// What it could not read, and so may have missed; absent where there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Finds what the speakers decided: decisions stated, and proposals that others agreed to. English only: it knows the words by which
/// that is said in English.
#[derive(Clone, Debug, Config)]
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
        let talk = Talk::new(&transcript);
        let warnings = warn_unless_english(host, talk.language);
        let candidates = (0..talk.sentences.len()).filter_map(|sentence| decision(&talk, sentence));
        let candidates = candidates.filter(|candidate| candidate.confidence >= self.min_confidence).collect();
        let limit = candidates::limit(self.max, &talk, WORDS_PER_DECISION);
        let mut findings = Findings::new(host);
        for candidate in candidates::best(&talk, candidates, limit) {
            let mut evidence = talk.evidence(candidate.sentence);
            // Who agrees is part of what makes it a decision.
            if let Some(agreeing) = candidate.reply {
                evidence.extend(talk.evidence(agreeing).into_iter().take(1));
            }
            // `So we go with rubber?` is not a question any more once others say yes.
            let mut text = talk.readable(candidate.sentence);
            if text.ends_with('?') {
                text.pop();
                text.push('.');
            }
            findings.add("decision", text, candidate.confidence, evidence);
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
                        "confidence": 0.884,
                        "evidence": [
                            {
                                "quote": "Um, let's go with rubber for the case.",
                                "segment": "s2",
                                "speaker": "Bo",
                            },
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

/// The sentence as a candidate, if it states or proposes a decision.
fn decision(talk: &Talk<'_>, sentence: usize) -> Option<Candidate> {
    let sentence_parts = &talk.sentences[sentence];
    let words = talk.words(sentence);
    if !(4..=60).contains(&words.len()) || sentence_parts.broken {
        return None;
    }
    let ids = talk.word_ids(sentence);
    let is_content = |index: usize| talk.vocabulary.term(ids[index]).is_some();
    let mut cues = CUES.find(&words);
    // `the method we'll use`, `what we decided`: a relative clause states nothing.
    for cue in &mut cues {
        let relative = cue.start.checked_sub(1).is_some_and(|before| match words[before] {
            "which" | "what" | "how" | "way" | "where" | "whether" | "when" | "if" | "until" | "before" => true,
            "that" => before > 0 && is_content(before - 1),
            _ => is_content(before) && !LEADS.contains(&words[before]),
        });
        if relative && words[cue.start] == "we" {
            cue.value *= 0.4;
        }
    }
    let head = words.iter().take_while(|word| LEADS.contains(word)).count();
    let settling = head > 0 || follows_assent(talk, sentence);
    // `Okay. We release the features.`: what is done, said as it is.
    let plain = settling
        && words.get(head) == Some(&"we")
        && head + 1 < words.len()
        && is_content(head + 1)
        && !words[head + 1].ends_with("ed")
        && !words[head + 1].ends_with("ing");
    let stated = cues.iter().map(|cue| cue.value).fold(if plain { 1.4 } else { 0.0 }, f64::max);
    let proposed = PROPOSALS.find(&words).iter().map(|cue| cue.value).fold(0.0, f64::max);
    let strongest = stated.max(proposed);
    let terms = talk.terms(sentence).len();
    if strongest == 0.0 || terms == 0 || (terms < 2 && strongest < STATED) {
        return None;
    }
    let further_cues = (cues.iter().map(|cue| cue.value).sum::<f64>() - stated).clamp(0.0, 1.0);
    let against: f64 = COUNTER_CUES.find(&words).iter().map(|cue| cue.value).sum();
    let reception = dialogue::reception(talk, sentence);
    let mut score = strongest + 0.4 * further_cues - against - 0.8 * dialogue::doubt(&words);
    score += reception.agreement - 0.8 * reception.refusal;
    let early = cues.iter().any(|cue| cue.start <= head + 2 && cue.value == stated);
    if settling && stated >= proposed && (plain || early) {
        score += 0.7;
        // What others have just agreed to is settled by saying it again.
        score += if dialogue::agreed_before(talk, sentence) { 0.4 } else { 0.0 };
    }
    if proposed > stated && reception.agreement < 0.8 {
        score -= NOT_TAKEN_UP;
    }
    if sentence_parts.question {
        score -= 2.0;
    }
    // The end of a meeting is where things are settled.
    let position = sentence_parts.segment() as f64 / talk.segments.len() as f64;
    score += 0.4 * (position - 0.5);
    if terms < 3 && strongest < STATED {
        score -= 0.6;
    }
    // A long sentence mentions much in passing.
    score -= (words.len() as f64 - 30.0).max(0.0) / 20.0;
    Some(Candidate { sentence, confidence: logistic(score - THRESHOLD), reply: reception.agreeing })
}

/// Whether the sentence before it, by the same speaker in the same turn, is `Okay.` or the like.
fn follows_assent(talk: &Talk<'_>, sentence: usize) -> bool {
    let Some(before) = sentence.checked_sub(1) else { return false };
    let words = talk.words(before);
    talk.sentences[before].segment() == talk.sentences[sentence].segment()
        && (1..=3).contains(&words.len())
        && words.iter().all(|word| LEADS.contains(word))
}
