//! The analyzer `actions`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Evidence, Finding, Transcript, Warning, language::warn_unless_english, logistic, words};
use serde_json::json;

use crate::{
    action_cues::{COUNTER_CUES, CUES, Doer, TASKS},
    candidates::{self, Candidate, check_share},
    dialogue,
    due::due,
    findings::Findings,
    instruction::{instruction, title},
    talk::Talk,
    task::{Task, find_task, forms},
    when_cues::{LATER, UNHURRIED, URGENT},
};

/// A sentence that scores less is not an action.
const THRESHOLD: f64 = 2.2;
/// One action in so many words is a lot.
const WORDS_PER_ACTION: usize = 400;
/// A promise that answers a request comes within so many turns.
const ANSWERS: usize = 3;

/// A task that someone took on or was given.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Action {
    /// What is to be done, as an instruction, without the time at its end.
    pub title: String,
    /// Who is to do it, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When it is due, in the words used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// `high`, `medium` or `low`.
    pub priority: String,
    /// Id of the finding that bears it out.
    pub finding: String,
}

/// What `actions` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct ActionList {
    /// The tasks, in order of the transcript.
    pub actions: Vec<Action>,
    /// One finding of kind `action` for each.
    pub findings: Vec<Finding>,
    /// What it could not read, and so may have missed; absent where there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Finds the tasks that speakers took on or were given, with their owners and due dates. English only: it knows the words by which
/// that is said in English.
#[derive(Clone, Debug, Config)]
pub struct Actions {
    /// How many are answered at most; 0 lets the length tell.
    #[config(default = 0)]
    #[schemars(range(max = 1000))]
    pub max: usize,
    /// The least confidence that is answered, 0 to 1.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_confidence: f64,
}

impl Analyzer for Actions {
    const NAME: &str = "actions";
    const STABILITY: Stability = Stability::Beta;
    type Input = Transcript;
    type Output = ActionList;

    fn open(self) -> Result<Self> {
        check_share("min_confidence", self.min_confidence)?;
        Ok(self)
    }

    async fn analyze(&self, transcript: Transcript, host: &Host<'_>) -> Result<ActionList> {
        let talk = Talk::new(&transcript);
        let warnings = warn_unless_english(host, talk.language);
        let candidates = (0..talk.sentences.len()).filter_map(|sentence| action(&talk, sentence));
        let candidates = candidates.filter(|candidate| candidate.confidence >= self.min_confidence).collect();
        let limit = candidates::limit(self.max, &talk, WORDS_PER_ACTION);
        let mut drafts: Vec<Draft> = Vec::new();
        for candidate in candidates::best(&talk, candidates, limit) {
            let draft = Draft::new(&talk, &candidate);
            match drafts.iter_mut().rev().find(|request| request.is_answered_by(&draft)) {
                Some(request) => request.merge(draft),
                None => drafts.push(draft),
            }
        }
        let mut findings = Findings::new(host);
        let mut actions = Vec::new();
        for Draft { title, owner, due, priority, confidence, evidence, .. } in drafts {
            let text = instruction(&title, owner.as_deref(), due.as_deref());
            let finding = findings.add("action", text, confidence, evidence);
            finding.owner.clone_from(&owner);
            finding.due.clone_from(&due);
            finding.priority = Some(priority.to_owned());
            actions.push(Action { title, owner, due, priority: priority.to_owned(), finding: finding.id.clone() });
        }
        Ok(ActionList { actions, findings: findings.list, warnings })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "one task taken on, one handed out".to_owned(),
            config: json!({}),
            input: json!({ "segments": [
                { "id": "s1", "speaker": "Ann", "text": "I'll send the minutes to everyone by Friday." },
                { "id": "s2", "speaker": "Ann", "text": "Bo, could you please check the price with the supplier?" },
                { "id": "s3", "speaker": "Bo", "text": "Sure." },
            ] }),
            output: json!({
                "actions": [
                    {
                        "due": "by Friday",
                        "finding": "actions-1",
                        "owner": "Ann",
                        "priority": "medium",
                        "title": "Send the minutes to everyone",
                    },
                    {
                        "finding": "actions-2",
                        "owner": "Bo",
                        "priority": "medium",
                        "title": "Check the price with the supplier",
                    },
                ],
                "findings": [
                    {
                        "confidence": 0.836,
                        "due": "by Friday",
                        "evidence": [
                            {
                                "quote": "I'll send the minutes to everyone by Friday.",
                                "segment": "s1",
                                "speaker": "Ann",
                            },
                        ],
                        "id": "actions-1",
                        "kind": "action",
                        "owner": "Ann",
                        "priority": "medium",
                        "source": "actions",
                        "text": "Ann: send the minutes to everyone (by Friday)",
                    },
                    {
                        "confidence": 0.782,
                        "evidence": [
                            {
                                "quote": "Bo, could you please check the price with the supplier?",
                                "segment": "s2",
                                "speaker": "Ann",
                            },
                        ],
                        "id": "actions-2",
                        "kind": "action",
                        "owner": "Bo",
                        "priority": "medium",
                        "source": "actions",
                        "text": "Bo: check the price with the supplier",
                    },
                ],
            }),
        }]
    }
}

/// An action before it is numbered.
struct Draft {
    segment: usize,
    doer: Doer,
    title: String,
    owner: Option<String>,
    due: Option<String>,
    priority: &'static str,
    confidence: f64,
    terms: Vec<u32>,
    evidence: Vec<Evidence>,
}

impl Draft {
    fn new(talk: &Talk<'_>, candidate: &Candidate) -> Self {
        let sentence = candidate.sentence;
        let raw = talk.raw(sentence);
        let task = find_task(&raw, &forms(&raw), &talk.names, talk.speaker(sentence)).expect("a candidate has a task");
        let due = due_words(&raw);
        let text = talk.readable(sentence);
        let text_forms = forms(&text);
        // What is cleaned away may have been the cue.
        let title = match find_task(&text, &text_forms, &talk.names, talk.speaker(sentence)) {
            Some(task) => title(&text, &text_forms, &task, due.as_deref()),
            None => text.trim_end_matches(['.', '?', '!']).to_owned(),
        };
        let words = talk.words(sentence);
        let priority = if !URGENT.find(&words).is_empty() {
            "high"
        } else if !UNHURRIED.find(&words).is_empty() {
            "low"
        } else {
            "medium"
        };
        Self {
            segment: talk.sentences[sentence].segment(),
            doer: task.doer,
            title,
            owner: owner(talk, sentence, &task),
            due,
            priority,
            confidence: candidate.confidence,
            terms: talk.terms(sentence),
            evidence: talk.evidence(sentence),
        }
    }

    /// `Could you write it by Friday?`, `I'll write it by Friday`.
    fn is_answered_by(&self, promise: &Self) -> bool {
        self.doer != Doer::Speaker
            && promise.doer == Doer::Speaker
            && self.owner.is_some()
            && self.owner == promise.owner
            && promise.segment - self.segment <= ANSWERS
            && self.terms.iter().any(|term| promise.terms.contains(term))
    }

    /// The request and the promise to do it are one action.
    fn merge(&mut self, promise: Self) {
        if content_words(&promise.title) > content_words(&self.title) {
            self.title = promise.title;
        }
        self.due = promise.due.or(self.due.take());
        self.confidence = self.confidence.max(promise.confidence);
        self.evidence.extend(promise.evidence);
    }
}

/// How many words of a title are not stop words.
fn content_words(title: &str) -> usize {
    words::tokens(title).iter().filter(|word| !words::is_stop_word(word)).count()
}

/// The sentence as a candidate, if it has a task.
fn action(talk: &Talk<'_>, sentence: usize) -> Option<Candidate> {
    let parts = &talk.sentences[sentence];
    let words = talk.words(sentence);
    if !(4..=60).contains(&words.len()) || parts.broken || talk.terms(sentence).is_empty() {
        return None;
    }
    let dated = words.iter().any(|word| matches!(*word, "by" | "before" | "until"));
    if TASKS.find(&words).is_empty() && CUES.find(&words).is_empty() && !dated {
        return None;
    }
    let raw = talk.raw(sentence);
    let task = find_task(&raw, &forms(&raw), &talk.names, talk.speaker(sentence))?;
    let against: f64 = COUNTER_CUES.find(&words).iter().map(|cue| cue.value).sum();
    let later = LATER.find(&words).iter().map(|cue| cue.value).fold(0.0, f64::max);
    let reception = dialogue::reception(talk, sentence);
    let mut score = task.cue_weight + task.task_weight + later - against - 0.8 * doubt(&words, &task);
    if due_words(&raw).is_some() {
        score += 0.7;
    }
    score += match task.doer {
        Doer::Addressee => 0.6 * reception.agreement - 0.5 * reception.refusal,
        _ => 0.3 * reception.agreement - 0.3 * reception.refusal,
    };
    // A request is a question; any other question asks what is.
    if parts.question && task.doer != Doer::Addressee {
        score -= 1.5;
    }
    if task.doer == Doer::Addressee && addressee(talk, sentence).is_some() {
        score += 0.5;
    }
    if talk.terms(sentence).len() < 2 {
        score -= 0.7;
    }
    score -= (words.len() as f64 - 25.0).max(0.0) / 15.0;
    let position = parts.segment() as f64 / talk.segments.len() as f64;
    score += 0.5 * (position - 0.5);
    Some(Candidate { sentence, confidence: logistic(score - THRESHOLD), reply: None })
}

/// Doubt about the task, but for the cue's own words (`could you`) and for what is to be found out (`ask whether`).
fn doubt(words: &[&str], task: &Task) -> f64 {
    let before = &words[..task.cue_start.min(words.len())];
    let after = &words[task.verb.min(words.len())..];
    let asks = after.first().is_some_and(|verb| matches!(*verb, "ask" | "check" | "find" | "see" | "test" | "confirm"));
    let after: Vec<&str> =
        after.iter().copied().filter(|word| !(asks && matches!(*word, "whether" | "if" | "they" | "can"))).collect();
    (dialogue::doubt(before) + dialogue::doubt(&after)).min(2.5)
}

/// Who is addressed by name, but for the speaker.
fn addressee(talk: &Talk<'_>, sentence: usize) -> Option<usize> {
    talk.names.addressed(&talk.raw(sentence)).filter(|&person| talk.speaker(sentence) != Some(person))
}

fn owner(talk: &Talk<'_>, sentence: usize, task: &Task) -> Option<String> {
    let label = |speaker: usize| talk.speakers[speaker].to_owned();
    if let Some(person) = task.named {
        return Some(label(person));
    }
    match task.doer {
        Doer::Speaker => talk.speaker(sentence).map(label),
        Doer::Addressee => {
            let words = talk.words(sentence);
            // `You two` and `all of you` are more than the one who answers.
            let several =
                words.windows(2).any(|pair| matches!(pair, ["you", "two" | "three" | "guys" | "all"] | ["of", "you"]));
            let answering = || {
                dialogue::reception(talk, sentence).next_speaker.or_else(|| dialogue::speaker_before(talk, sentence))
            };
            match addressee(talk, sentence) {
                Some(person) => Some(person),
                None if several => None,
                None => answering(),
            }
            .map(label)
        }
        Doer::Group | Doer::Unknown => None,
    }
}

fn due_words(raw: &str) -> Option<String> {
    due(raw).map(|time| time.split_whitespace().collect::<Vec<_>>().join(" "))
}
