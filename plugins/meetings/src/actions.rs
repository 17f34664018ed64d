//! The analyzer `actions`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Evidence, Finding, Transcript, Warning, language::warn_unless_english, words};
use serde_json::json;

use crate::{
    action_cues::Doer,
    candidates::{self, check_share},
    dialogue,
    due::due_of_task,
    findings::Findings,
    instruction::{instruction, item_owner, plain_title, title},
    learning::Target,
    reading::Reading,
    shown::{self, Shown},
    stated_actions::addressee,
    talk::Talk,
    task::{Task, find_task, forms},
    weights::{ACTIONS, Weights},
    when_cues::{UNHURRIED, URGENT},
};

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

/// Finds the tasks that speakers took on or were given, with their owners and due dates. It weighs what each turn does and how
/// the turns around take it, with weights learned from meetings in which readers marked the tasks; the confidence is how likely
/// a reader is to agree. English only: it knows the words by which that is said in English.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-languages" = ["en"]))]
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
        let reading = Reading::new(&transcript);
        let warnings = warn_unless_english(host, reading.talk.language);
        let limit = candidates::limit(self.max, &reading.talk, WORDS_PER_ACTION);
        let mut findings = Findings::new(host);
        let mut actions = Vec::new();
        for draft in drafts(&reading, &ACTIONS, self.min_confidence, limit) {
            let Draft { title, owner, due, priority, confidence, evidence, .. } = draft;
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
                        "confidence": 0.95,
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
                        "confidence": 0.95,
                        "evidence": [
                            {
                                "quote": "Bo, could you please check the price with the supplier?",
                                "segment": "s2",
                                "speaker": "Ann",
                            },
                            { "quote": "Sure.", "segment": "s3", "speaker": "Bo" },
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
    fn new(reading: &Reading<'_>, shown: &Shown) -> Self {
        let talk = &reading.talk;
        let sentence = shown.sentence;
        let raw = talk.raw(sentence);
        let raw_forms = forms(&raw);
        let task = find_task(&raw, &raw_forms, &talk.names, talk.speaker(sentence));
        let due = due_of_task(&raw, task.as_ref().and_then(|task| raw_forms.get(task.verb)).map(|form| form.offset));
        let text = talk.readable(sentence);
        let text_forms = forms(&text);
        // What is cleaned away may have been the cue.
        let title = match find_task(&text, &text_forms, &talk.names, talk.speaker(sentence)) {
            Some(task) if item_owner(&raw).is_none() => title(&text, &text_forms, &task, due.as_deref()),
            _ => plain_title(&text),
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
            doer: task.as_ref().map_or(Doer::Unknown, |task| task.doer),
            title,
            owner: owner(talk, sentence, task.as_ref()),
            due,
            priority,
            confidence: shown.confidence,
            terms: talk.terms(sentence),
            evidence: shown.evidence(reading, Target::Actions),
        }
    }

    /// `Could you write it by Friday?`, `I'll write it by Friday`.
    fn is_answered_by(&self, promise: &Self) -> bool {
        self.doer != Doer::Speaker
            && promise.doer == Doer::Speaker
            && self.owner.is_some()
            && self.owner == promise.owner
            && promise.segment.checked_sub(self.segment).is_some_and(|turns| turns <= ANSWERS)
            && self.terms.iter().any(|term| promise.terms.contains(term))
    }

    /// The request and the promise to do it are one action.
    fn merge(&mut self, promise: Self) {
        if content_words(&promise.title) > content_words(&self.title) {
            self.title = promise.title;
        }
        self.due = promise.due.or(self.due.take());
        self.confidence = self.confidence.max(promise.confidence);
        for evidence in promise.evidence {
            if !self.evidence.contains(&evidence) {
                self.evidence.push(evidence);
            }
        }
    }
}

/// How many words of a title are not stop words.
fn content_words(title: &str) -> usize {
    words::tokens(title).iter().filter(|word| !words::is_stop_word(word)).count()
}

/// The tasks of at least this confidence, `limit` at most, in order.
fn drafts(reading: &Reading<'_>, weights: &Weights, least: f64, limit: usize) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let shown = shown::of_places(reading, Target::Actions, weights, least);
    for one in shown::surest(shown, limit) {
        let mut draft = Draft::new(reading, &one);
        // A request and the promise that answers it may be one place.
        for sentence in reading.sentences_of_others(&one.others) {
            let mut other = Draft::new(reading, &Shown { sentence, others: Vec::new(), ..one });
            if draft.is_answered_by(&other) {
                draft.merge(other);
            } else if other.is_answered_by(&draft) {
                other.merge(draft);
                draft = other;
            }
        }
        match drafts.iter_mut().rev().find(|request| request.is_answered_by(&draft)) {
            Some(request) => request.merge(draft),
            None => drafts.push(draft),
        }
    }
    drafts
}

/// The turns of the evidence of each task, and its confidence.
pub(crate) fn evidence_turns(reading: &Reading<'_>, weights: &Weights, least: f64) -> Vec<(Vec<usize>, f64)> {
    let limit = candidates::limit(0, &reading.talk, WORDS_PER_ACTION);
    let drafts = drafts(reading, weights, least, limit);
    drafts.iter().map(|draft| (reading.turns_of(&draft.evidence), draft.confidence)).collect()
}

/// Who is to do what a sentence says, as far as it tells.
fn owner(talk: &Talk<'_>, sentence: usize, task: Option<&Task>) -> Option<String> {
    let label = |speaker: usize| talk.speakers[speaker].to_owned();
    let raw = talk.raw(sentence);
    if let Some(name) = item_owner(&raw) {
        let mention = talk.names.mentions(name).first().copied();
        return Some(mention.map_or_else(|| name.to_owned(), |mention| label(mention.speaker)));
    }
    let Some(task) = task else { return named(talk, sentence).map(label) };
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

/// The one speaker whom the sentence names, but for its own.
fn named(talk: &Talk<'_>, sentence: usize) -> Option<usize> {
    let speaker = talk.speaker(sentence);
    let mentions = talk.names.mentions(&talk.raw(sentence)).into_iter().map(|mention| mention.speaker);
    let mut people: Vec<usize> = mentions.filter(|&person| Some(person) != speaker).collect();
    people.sort_unstable();
    people.dedup();
    (people.len() == 1).then(|| people[0])
}
