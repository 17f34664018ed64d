//! The analyzer `actions`.

use std::sync::LazyLock;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Finding, Transcript, clean, clean::capitalised, logistic, phrases::Phrases, words};
use serde_json::json;

use crate::{
    best, check_share, dialogue,
    decisions::Candidate,
    due::due,
    readable,
    talk::{Findings, Talk},
};

/// A sentence that scores less is no action.
const THRESHOLD: f64 = 2.2;
/// One action in so many words is a lot.
const WORDS_PER_ACTION: usize = 400;

/// Who is to do it, as the words tell.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doer {
    Self_,
    Addressee,
    Group,
    Nobody,
}

/// How someone takes on or hands out a task; the weight is in units of log odds.
static CUES: LazyLock<Phrases<(f64, Doer)>> = LazyLock::new(|| {
    use Doer::{Addressee, Group, Nobody, Self_};
    Phrases::new(&[
        ("i ll", (1.6, Self_)), ("i will", (1.6, Self_)), ("i m going to", (1.2, Self_)), ("i m gonna", (1.0, Self_)),
        ("i am going to", (1.2, Self_)), ("i can", (0.6, Self_)), ("i need to", (1.0, Self_)), ("i have to", (0.8, Self_)),
        ("i ve got to", (0.8, Self_)), ("i shall", (1.5, Self_)), ("let me", (0.4, Self_)), ("i should", (0.7, Self_)),
        ("i ll have to", (1.2, Self_)), ("i promise to", (2.0, Self_)), ("i undertake to", (2.4, Self_)), ("my job is to", (1.6, Self_)),
        ("i ll try to", (1.3, Self_)), ("i d be happy to", (1.5, Self_)), ("i m happy to", (1.5, Self_)), ("i would be happy to", (1.5, Self_)),
        ("can you", (1.2, Addressee)), ("could you", (1.4, Addressee)), ("will you", (1.2, Addressee)), ("would you", (1.0, Addressee)),
        ("can you please", (1.6, Addressee)), ("could you please", (1.8, Addressee)), ("would you mind", (1.4, Addressee)),
        ("you need to", (1.2, Addressee)), ("you have to", (0.6, Addressee)), ("you should", (0.7, Addressee)), ("you ll", (0.8, Addressee)),
        ("you will", (0.7, Addressee)), ("you ll have to", (1.2, Addressee)), ("you ll need to", (1.4, Addressee)), ("please", (1.1, Addressee)),
        ("i want you to", (1.6, Addressee)), ("i d like you to", (1.6, Addressee)), ("i would like you to", (1.6, Addressee)),
        ("your task", (1.4, Addressee)), ("your job", (1.2, Addressee)), ("you two", (0.8, Addressee)), ("you guys", (0.4, Addressee)),
        ("you re going to", (0.9, Addressee)), ("you re gonna", (0.9, Addressee)), ("three of you", (0.7, Addressee)),
        ("we need to", (0.7, Group)), ("we have to", (0.7, Group)), ("we should", (0.6, Group)), ("we ll", (0.7, Group)),
        ("we must", (0.8, Group)), ("we will", (0.7, Group)), ("we ve got to", (0.7, Group)), ("we re going to", (0.4, Group)),
        ("we ll need to", (1.0, Group)), ("somebody should", (1.2, Group)), ("someone should", (1.2, Group)), ("somebody has to", (1.2, Group)),
        ("someone needs to", (1.4, Group)), ("somebody needs to", (1.4, Group)),
        ("action item", (3.0, Nobody)), ("action point", (3.0, Nobody)), ("to do list", (1.5, Nobody)), ("next step is to", (1.8, Nobody)),
        ("don't forget to", (1.6, Addressee)), ("make sure you", (1.4, Addressee)), ("make sure that you", (1.4, Addressee)),
    ])
});

/// What is done after a meeting rather than in it.
static TASKS: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("send", 1.6), ("email", 1.5), ("mail", 1.3), ("e-mail", 1.5), ("write", 1.0), ("write up", 1.4), ("write to", 1.5), ("prepare", 1.5),
        ("check", 0.9), ("check with", 1.4), ("find out", 1.4), ("look into", 1.5), ("look up", 1.1), ("ask", 0.8), ("call", 0.7), ("contact", 1.4),
        ("get in touch", 1.5), ("arrange", 1.4), ("organise", 1.3), ("organize", 1.3), ("schedule", 1.2), ("set up", 1.2), ("book", 1.2),
        ("finish", 1.1), ("complete", 1.0), ("draft", 1.4), ("update", 1.1), ("review", 1.2), ("provide", 0.9), ("share", 1.0),
        ("follow up", 1.6), ("get back to", 1.7), ("come back to you", 1.4), ("report back", 1.8), ("submit", 1.4), ("circulate", 1.8),
        ("bring", 0.8), ("research", 0.8), ("compile", 1.4), ("collect", 1.0), ("record", 0.5), ("implement", 0.9), ("install", 1.1),
        ("talk to", 1.1), ("speak to", 1.1), ("talk with", 1.0), ("meet with", 1.1), ("confirm", 1.1), ("forward", 1.1), ("upload", 1.3),
        ("print", 1.0), ("put together", 1.3), ("work on", 1.4), ("take care of", 1.4), ("deal with", 0.8), ("read", 0.6), ("investigate", 1.4),
        ("document", 1.0), ("test", 0.7), ("fix", 1.0), ("build", 0.8), ("make a", 0.6), ("design", 0.5), ("fill in", 1.0), ("fill out", 1.0),
        ("think about", 0.6), ("come up with", 0.8), ("note that", 0.5), ("type up", 1.5), ("create", 0.7), ("add", 0.5),
        ("transcribe", 0.9), ("order", 0.7), ("buy", 0.5), ("ensure", 0.6), ("raise", 0.7), ("pass on", 1.0), ("pass that on", 1.3),
        ("let you know", 1.1), ("let us know", 1.0), ("let me know", 1.0), ("give me", 0.5), ("get it to", 0.8), ("hand in", 1.2), ("sign", 0.7),
        ("run", 0.5), ("make sure", 0.7), ("do that", 0.4), ("look at", 0.5), ("change", 0.5), ("take", 0.2), ("do the", 0.6), ("remind", 0.9),
        ("copy", 0.7), ("summarise", 1.0), ("summarize", 1.0), ("put it in", 0.6), ("put the", 0.5), ("put that", 0.5), ("come back with", 1.2),
        ("commit to", 0.8), ("commit", 0.5), ("table", 0.5), ("conduct", 0.8), ("evaluate", 0.7), ("meet", 0.6), ("continue", 0.3), ("invite", 1.0),
    ])
});

/// What is done in the meeting itself, or is only talk.
static NOT: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("i ll show", 1.5), ("i ll tell", 1.5), ("i ll start", 1.5), ("i ll go", 1.2), ("i ll just", 0.5), ("i ll be", 1.0), ("i ll bet", 2.0),
        ("i ll say", 1.5), ("i will say", 1.5), ("i ll give", 0.5), ("i ll ask", 0.4), ("i ll turn", 1.2), ("i ll explain", 1.2), ("i ll stop", 1.5),
        ("i can tell", 1.5), ("i can see", 2.0), ("i can say", 1.5), ("i can assure", 2.0), ("i have to say", 2.5), ("i must say", 2.5),
        ("i can imagine", 2.0), ("i can't", 1.5), ("i have to admit", 2.5), ("let me just", 0.6), ("let me tell", 1.5), ("let me say", 1.5),
        ("let me see", 1.5), ("can you see", 2.0), ("can you hear", 2.5), ("can you tell", 1.4), ("can you explain", 1.6), ("can you say", 1.6),
        ("could you tell", 1.4), ("could you explain", 1.6), ("could you say", 1.6), ("can you give", 0.8), ("can you confirm", 1.0),
        ("can you imagine", 2.0), ("can you repeat", 2.0), ("could you repeat", 2.0), ("you can see", 1.5), ("as you can", 1.2), ("you have to be", 0.8),
        ("would you say", 2.0), ("would you like", 1.5), ("would you want", 1.8), ("would you think", 2.0), ("would you agree", 2.0),
        ("will you be", 0.8), ("you ll see", 1.8), ("you ll notice", 1.8), ("you ll find", 1.2), ("you will see", 1.8), ("you ll get", 1.0), ("you ll be", 0.9),
        ("you ll have a", 0.8), ("you ll have the", 0.8), ("you ll never", 1.2), ("when you", 0.6), ("so that you", 0.6), ("we ll see", 2.0), ("we will see", 2.0),
        ("we have to be", 0.8), ("i will be", 0.7), ("i will not", 1.0), ("i will just", 0.4), ("please note", 2.5), ("look forward", 2.5), ("way i", 0.8), ("thing i", 0.6), ("what i", 0.6), ("i will remind", 1.2), ("i ll remind", 1.0), ("i would remind", 1.5), ("briefly describe", 1.0), ("response", 0.8), ("respond", 0.8), ("please mister", 1.5), ("please mr", 1.5), ("floor", 1.0),
        ("slide", 0.5), ("please go", 1.5), ("please proceed", 2.0), ("please continue", 2.0), ("yes please", 1.5), ("call on", 1.2), ("for example", 0.5),
        ("i ll read", 1.2), ("will ask", 0.8), ("ask you", 0.8), ("ask the", 0.5), ("ask a question", 1.5), ("i need to know", 1.5), ("tell me", 0.8), ("you can", 0.4), ("they ll", 0.8),
        ("i ll give you", 0.4), ("i ll have", 0.6), ("i ll move", 1.2), ("i ll come", 0.8), ("i will go", 1.0), ("we ll have", 0.4), ("draw", 0.8), ("i ll bring", 0.6), ("bring in", 0.8),
        ("questions", 0.5), ("question", 0.5), ("answer", 0.4), ("used to", 0.5), ("want to", 0.3), ("users", 0.5), ("people", 0.3), ("say", 0.4), ("i thought", 0.6),
    ])
});

/// What points beyond the meeting.
static LATER: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("later", 0.4), ("after the meeting", 1.0), ("after this", 0.6), ("next meeting", 0.9), ("next time", 0.5), ("next week", 0.9),
        ("tomorrow", 1.0), ("in the meantime", 0.9), ("offline", 0.8), ("afterwards", 0.6), ("when i get back", 0.8), ("by then", 0.7),
        ("for the next", 0.5), ("before we", 0.3), ("as soon as", 0.6), ("this afternoon", 0.8), ("tonight", 0.9),
    ])
});

static URGENT: LazyLock<Phrases<()>> = LazyLock::new(|| {
    let all = ["urgent", "urgently", "asap", "as soon as possible", "immediately", "right away", "critical", "crucial", "top priority",
        "high priority", "very important", "really important", "straight away", "today", "tonight"];
    Phrases::new(&all.map(|phrase| (phrase, ())))
});

static UNHURRIED: LazyLock<Phrases<()>> = LazyLock::new(|| {
    let all = ["eventually", "at some point", "no rush", "no hurry", "if you have time", "if i have time", "when you have time",
        "some day", "low priority", "if you get a chance", "if i get a chance", "sometime"];
    Phrases::new(&all.map(|phrase| (phrase, ())))
});

/// A task that someone took on or was given.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Action {
    /// What is to be done, as an instruction.
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
}

/// Finds the tasks that speakers took on or were given, with their owners and due dates.
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
        let candidates = (0..talk.sentences.len()).filter_map(|sentence| action(&talk, sentence));
        let candidates = candidates.filter(|found| found.sure >= self.min_confidence).collect();
        let most = if self.max == 0 { (talk.word_count() / WORDS_PER_ACTION).max(3) } else { self.max };
        let mut findings = Findings::new(host);
        let mut actions = Vec::new();
        for found in best(&talk, candidates, most) {
            let text = readable(&talk, found.sentence);
            let words = talk.words(found.sentence);
            let owner = owner(&talk, found.sentence, &words);
            let due = talk.raw(found.sentence);
            let due = due_words(&due);
            let priority = if !URGENT.find(&words).is_empty() {
                "high"
            } else if !UNHURRIED.find(&words).is_empty() {
                "low"
            } else {
                "medium"
            };
            let finding = findings.add("action", text.clone(), found.sure, talk.evidence(found.sentence));
            finding.owner.clone_from(&owner);
            finding.due.clone_from(&due);
            finding.priority = Some(priority.to_owned());
            let title = title(&text);
            actions.push(Action { title, owner, due, priority: priority.to_owned(), finding: finding.id.clone() });
        }
        Ok(ActionList { actions, findings: findings.list })
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
                        "title": "Send the minutes to everyone by Friday",
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
                        "text": "I'll send the minutes to everyone by Friday.",
                    },
                    {
                        "confidence": 0.612,
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
                        "text": "Bo, could you please check the price with the supplier?",
                    },
                ],
            }),
        }]
    }
}

fn action(talk: &Talk<'_>, sentence: usize) -> Option<Candidate> {
    let of = &talk.sentences[sentence];
    let words = talk.words(sentence);
    if !(4..=60).contains(&words.len()) || of.broken || talk.terms(sentence).is_empty() {
        return None;
    }
    let (cue, doer) = cue(talk, sentence, &words)?;
    let task = TASKS.find(&words).iter().map(|found| found.value).fold(0.0, f64::max);
    if task == 0.0 {
        return None;
    }
    let against: f64 = NOT.find(&words).iter().map(|found| found.value).sum();
    let later = LATER.find(&words).iter().map(|found| found.value).fold(0.0, f64::max);
    let reception = dialogue::reception(talk, sentence);
    let mut score = cue + task + later - against - 0.8 * dialogue::doubt(&words);
    if due_words(&talk.raw(sentence)).is_some() {
        score += 0.7;
    }
    score += match doer {
        Doer::Addressee => 0.6 * reception.agreement - 0.5 * reception.refusal,
        _ => 0.3 * reception.agreement - 0.3 * reception.refusal,
    };
    // A request is a question; any other question asks what is.
    if of.question && doer != Doer::Addressee {
        score -= 1.5;
    }
    if talk.terms(sentence).len() < 2 {
        score -= 0.7;
    }
    score -= (words.len() as f64 - 25.0).max(0.0) / 15.0;
    let place = of.segment() as f64 / talk.segments.len() as f64;
    score += 0.5 * (place - 0.5);
    Some(Candidate { sentence, sure: logistic(score - THRESHOLD), extra: None })
}

/// The strongest cue that a task verb follows, or a named person's `will`.
fn cue(talk: &Talk<'_>, sentence: usize, words: &[&str]) -> Option<(f64, Doer)> {
    let tasks = TASKS.find(words);
    let near = |end: usize| tasks.iter().any(|task| task.start >= end && task.start <= end + 4);
    let strongest = CUES
        .find(words)
        .into_iter()
        .filter(|found| near(found.end) || matches!(found.value.1, Doer::Nobody))
        .map(|found| found.value)
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    let named = named(talk, sentence).map(|_| (1.6, Doer::Nobody));
    match (strongest, named) {
        (Some(cue), Some(named)) => Some(if named.0 > cue.0 { named } else { cue }),
        (cue, named) => cue.or(named),
    }
}

/// A speaker, or some other person by a capitalised name, of whom it is said that they will or should do something.
fn named(talk: &Talk<'_>, sentence: usize) -> Option<String> {
    let raw = talk.raw(sentence);
    let all: Vec<(usize, &str)> = words::words(&raw).collect();
    let modal = |at: usize| {
        let word = |at: usize| all.get(at).map_or("", |word| word.1);
        matches!(word(at), "will" | "should" | "shall" | "can") || (word(at) == "is" && word(at + 1) == "going") || (word(at) == "needs" && word(at + 1) == "to")
    };
    for mention in talk.names.mentions(&raw) {
        let Some(next) = all.iter().position(|&(at, _)| at >= mention.end) else { continue };
        // `The User Interface Designer will`: a label may be said with a word more.
        let longer = all[next].1.starts_with(char::is_uppercase) && modal(next + 1);
        if (modal(next) || longer) && talk.speaker(sentence) != Some(mention.speaker) {
            return Some(talk.speakers[mention.speaker].to_owned());
        }
    }
    None
}

fn owner(talk: &Talk<'_>, sentence: usize, words: &[&str]) -> Option<String> {
    let label = |speaker: usize| talk.speakers[speaker].to_owned();
    if let Some(person) = named(talk, sentence) {
        return Some(person);
    }
    match cue(talk, sentence, words)?.1 {
        Doer::Self_ => talk.speaker(sentence).map(label),
        Doer::Addressee => {
            let called = talk.names.addressed(&talk.raw(sentence)).filter(|&called| talk.speaker(sentence) != Some(called));
            // `You two` and `all of you` are more than the one who answers.
            let several = words.windows(2).any(|pair| matches!(pair, ["you", "two" | "three" | "guys" | "all"] | ["of", "you"]));
            let answering = || dialogue::reception(talk, sentence).next_speaker.or_else(|| dialogue::speaker_before(talk, sentence));
            called.or_else(|| if several { None } else { answering() }).map(label)
        }
        Doer::Group | Doer::Nobody => None,
    }
}

fn due_words(raw: &str) -> Option<String> {
    due(raw).map(|found| found.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The sentence as an instruction: from the task's verb to the end of the clause.
fn title(text: &str) -> String {
    let all: Vec<(usize, &str)> = words::words(text).collect();
    let mut forms: Vec<(usize, String)> = Vec::new();
    for &(at, word) in &all {
        words::normal_forms(word, |form| forms.push((at, form.to_owned())));
    }
    let tokens: Vec<&str> = forms.iter().map(|(_, form)| form.as_str()).collect();
    let tasks = TASKS.find(&tokens);
    let cues = CUES.find(&tokens);
    let start = cues
        .iter()
        .find_map(|cue| tasks.iter().find(|task| task.start >= cue.end && task.start <= cue.end + 4))
        .or(tasks.first())
        .map_or(0, |task| forms[task.start].0);
    let clause = &text[start..];
    // A new clause with a subject of its own is another matter.
    let end = [", and ", ", but ", ", so ", "; ", " – ", ". ", ", it's ", " and the ", " and then ", " and I ", " and you "].iter().filter_map(|mark| clause.find(mark)).filter(|&end| end > 20).min();
    let clause = &clause[..end.unwrap_or(clause.len())];
    let title = clean(clause).trim_end_matches(['.', '?', '!']).to_owned();
    if words::count(&title) < 3 { text.trim_end_matches(['.', '?', '!']).to_owned() } else { capitalised(&title) }
}
