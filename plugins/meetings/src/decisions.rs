//! The analyzer `decisions`.

use std::sync::LazyLock;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Finding, Transcript, logistic, phrases::Phrases};
use serde_json::json;

use crate::{
    best, check_share, dialogue, readable,
    talk::{Findings, Talk},
};

/// A sentence that scores less is no decision.
const THRESHOLD: f64 = 1.9;
/// One decision in so many words is a lot.
const WORDS_PER_DECISION: usize = 500;

/// What states a decision, or proposes one that others may agree to. The weight is in units of log odds.
static CUES: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        // Stated.
        ("we decided", 3.2), ("we * decided", 2.8), ("we * agreed", 2.8), ("we agreed", 3.0), ("it was agreed", 3.2), ("it is agreed", 3.2),
        ("we re agreed", 3.2), ("we are agreed", 3.2), ("has been decided", 2.8), ("it s decided", 3.2), ("the decision is", 2.8),
        ("our decision", 2.2), ("final decision", 1.5), ("that s settled", 3.0), ("we settled on", 3.2), ("settled on", 2.2),
        ("we chose", 2.6), ("we ve chosen", 3.0), ("we have chosen", 3.0), ("motion is carried", 3.5), ("motion carried", 3.5),
        ("carried unanimously", 3.5), ("is adopted", 2.8), ("motion is agreed", 3.5), ("agreed to by", 3.0), ("resolved that", 3.0),
        ("it is resolved", 3.0), ("are we agreed", 2.4), ("is agreed to", 3.2), ("we have resolved", 2.8), ("i declare", 2.0),
        // Settled in talk.
        ("we re going with", 3.0), ("we re gonna go with", 3.0), ("we re going to go with", 3.0), ("we ll go with", 3.0),
        ("we ll go for", 3.0), ("let s go with", 3.0), ("let s go for", 2.8), ("let s stick with", 3.0), ("let s stick to", 3.0),
        ("we ll stick with", 3.0), ("we ll stick to", 3.0), ("we stick to", 2.4), ("we stick with", 2.4), ("we go for", 2.4),
        ("we go with", 2.2), ("go for the", 1.3), ("we ll use", 2.1), ("we ll have", 1.7), ("we ll keep", 2.2), ("we ll make", 1.9),
        ("we ll leave", 2.0), ("we ll take", 2.0), ("we ll do", 1.7), ("we ll put", 1.8), ("we will use", 2.2), ("we will have", 1.4),
        ("we will go", 2.0), ("we will do", 1.7), ("we will make", 1.7), ("we will not", 1.4), ("we won't", 1.2), ("let s use", 2.2),
        ("let s make", 1.8), ("let s keep", 2.1), ("let s have", 1.8), ("let s take", 1.8), ("let s do", 1.6), ("let s put", 1.8),
        ("let s leave", 1.7), ("let s drop", 2.4), ("let s forget", 1.8), ("let s skip", 2.0), ("let s decide", 0.8),
        ("we re going to use", 2.3), ("we re going to have", 1.7), ("we re gonna have", 1.7), ("we re gonna use", 2.3),
        ("we re going to make", 1.8), ("we re gonna make", 1.8), ("we re not going to", 1.6), ("we re not gonna", 1.6),
        ("we re using", 1.7), ("we re having", 1.5), ("we opt for", 2.6), ("opted for", 2.4), ("we take the", 1.5), ("so we have a", 0.9),
        // Proposed.
        ("we should", 1.1), ("i think we should", 1.5), ("i think we can", 0.9), ("i propose", 2.0), ("i would propose", 1.8),
        ("i suggest", 1.6), ("i would suggest", 1.5), ("i move that", 2.5), ("we could just", 0.8), ("i vote for", 1.8), ("how about", 0.6),
        ("what about", 0.2), ("we can just", 0.8), ("we better", 1.2), ("we d better", 1.2),
        ("i d go for", 1.6), ("i would go for", 1.6), ("we don't need", 1.3), ("it should be", 0.7), ("it will be", 0.6), ("it ll be", 0.6),
    ])
});

/// What only looks like a decision.
static NOT: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("let s see", 2.0), ("let s say", 2.0), ("let s look", 1.2), ("let s start", 1.2), ("let s hope", 2.0), ("let s just say", 2.0),
        ("decide whether", 1.5), ("decide on", 0.8), ("to decide", 1.4), ("need to decide", 2.0), ("have to decide", 2.0),
        ("haven't decided", 3.5), ("not decided", 3.5), ("not yet decided", 3.5), ("haven't * decided", 3.5), ("decide if", 1.5), ("didn't decide", 3.0),
        ("should have", 1.2), ("could have", 0.8), ("we ll see", 2.5), ("we will see", 2.5), ("we ll have a", 0.8), ("when we", 0.5),
        ("we ll have to see", 2.5), ("we ll have to", 1.2), ("we will have to", 1.2), ("we re going to have to", 1.2),
        ("as we agreed", 0.5), ("we go to", 0.8), ("let s go to", 1.8), ("let s go back", 2.0), ("let s go on", 2.0), ("let s move", 2.0),
        ("let s have a look", 2.0), ("let s make sure", 0.6), ("i think we should see", 1.0), ("we should ask", 0.5), ("we should see", 1.0),
        ("we should think", 0.8), ("we should talk", 0.8), ("we should discuss", 1.0), ("let s do that later", 1.0), ("we ll do that later", 1.0),
        ("i don't think we", -0.6), ("we don't need", -0.6), ("we re not", -0.5), ("we will not", -0.5), ("would suggest", -0.5),
        ("would propose", -0.5), ("would go for", -0.5), ("we won't", -0.3), ("we thought", 1.5), ("at some point", 1.0), ("discussion", 0.8), ("should check", 0.8), ("don't we", 0.8), ("what we decided", 1.5), ("what we * decided", 1.5), ("presentation", 0.8), ("presentations", 0.8), ("had decided", 1.0), ("previous meeting", 1.0), ("last meeting", 0.8), ("meet", 0.6), ("members", 0.4),
    ])
});

/// What `decisions` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct DecisionList {
    /// Findings of kind `decision`, in order of the transcript.
    pub findings: Vec<Finding>,
}

/// Finds what the speakers decided: decisions stated, and proposals that others agreed to.
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
        let candidates = (0..talk.sentences.len()).filter_map(|sentence| decision(&talk, sentence));
        let candidates = candidates.filter(|found| found.sure >= self.min_confidence).collect();
        let most = if self.max == 0 { (talk.word_count() / WORDS_PER_DECISION).max(3) } else { self.max };
        let mut findings = Findings::new(host);
        for found in best(&talk, candidates, most) {
            let mut evidence = talk.evidence(found.sentence);
            // Who agrees is part of what makes it a decision.
            if let Some(agreeing) = found.extra {
                evidence.extend(talk.evidence(agreeing).into_iter().take(1));
            }
            findings.add("decision", readable(&talk, found.sentence), found.sure, evidence);
        }
        Ok(DecisionList { findings: findings.list })
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
                        "confidence": 0.807,
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

/// A candidate with its confidence.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) sentence: usize,
    pub(crate) sure: f64,
    pub(crate) extra: Option<usize>,
}

fn decision(talk: &Talk<'_>, sentence: usize) -> Option<Candidate> {
    let of = &talk.sentences[sentence];
    let words = talk.words(sentence);
    if !(5..=60).contains(&words.len()) || of.broken || talk.terms(sentence).len() < 2 {
        return None;
    }
    let mut found = CUES.find(&words);
    // `the method we'll use`, `what we decided`: a relative clause states nothing.
    let ids = talk.word_ids(sentence);
    for cue in &mut found {
        let before = cue.start.checked_sub(1).map(|at| ids[at]);
        let relative = before.is_some_and(|id| {
            let linked = matches!(talk.vocabulary.word(id), "that" | "which" | "what" | "how" | "way" | "where" | "whether" | "when" | "if" | "until");
            linked || talk.vocabulary.term(id).is_some()
        });
        if relative && words[cue.start] == "we" {
            cue.value *= 0.4;
        }
    }
    let strongest = found.iter().map(|found| found.value).fold(0.0, f64::max);
    if strongest == 0.0 {
        return None;
    }
    let more = (found.iter().map(|found| found.value).sum::<f64>() - strongest).min(1.0);
    let against: f64 = NOT.find(&words).iter().map(|found| found.value).sum();
    let reception = dialogue::reception(talk, sentence);
    let mut score = strongest + 0.4 * more - against - 0.8 * dialogue::doubt(&words);
    score += reception.agreement - 0.8 * reception.refusal;
    if of.question {
        score -= 2.0;
    }
    // The end of a meeting is where things are settled.
    let place = of.segment() as f64 / talk.segments.len() as f64;
    score += 0.4 * (place - 0.5);
    if talk.terms(sentence).len() < 3 {
        score -= 0.6;
    }
    // A long sentence mentions much in passing.
    score -= (words.len() as f64 - 30.0).max(0.0) / 20.0;
    Some(Candidate { sentence, sure: logistic(score - THRESHOLD), extra: reception.agreeing })
}
