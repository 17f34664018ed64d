//! The analyzer `questions`.

use std::sync::LazyLock;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{
    Finding, Transcript, Warning,
    language::{Language, warn_unless_read},
    phrases::Phrases,
    words,
};
use serde_json::json;

use crate::{
    candidates::{self, Candidate},
    findings::Findings,
    question_words,
    talk::Talk,
};

/// An answer begins within so many turns.
const REACH: usize = 8;
/// One question in so many words is a lot.
const WORDS_PER_QUESTION: usize = 250;
/// Who asks may add so many words and still waits for the answer.
const ADDED: usize = 20;
/// A question in another language than English has so many words at least: some say in two what English says in four.
const LEAST_WORDS: usize = 2;
/// Words that a question is asked with.
const ASKING: &[&str] = &["what", "why", "how", "who", "which", "where", "when", "whose", "whether"];
/// Verbs that stand before the subject in a question.
const INVERTED: &[&str] = &[
    "is", "are", "was", "were", "do", "does", "did", "can", "could", "will", "would", "should", "have", "has", "shall",
    "isn't", "aren't", "don't", "doesn't", "can't", "won't",
];

/// A question that was asked.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Question {
    /// The question.
    pub question: String,
    /// Id of the segment where it is asked.
    pub segment: String,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// Who answers, where somebody does and has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// Id of the segment where the answer begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Whether nobody answers.
    pub open: bool,
    /// Id of the finding that bears it out.
    pub finding: String,
}

/// What `questions` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct QuestionList {
    /// The questions, in order of the transcript.
    pub questions: Vec<Question>,
    /// One finding for each: of kind `question` if it is answered, else `open-question`.
    pub findings: Vec<Finding>,
    /// What it could not read, and so may have missed; absent where there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Finds the questions asked, by whom they were answered, and which were left open: by question marks, and by the
/// words of English and a dozen other languages.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-languages" = ["en", "ar", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "zh"]))]
pub struct Questions {
    /// How many are answered at most; 0 lets the length tell.
    #[config(default = 0)]
    #[schemars(range(max = 10000))]
    pub max: usize,
    /// Whether questions that are answered are left out.
    #[config(default)]
    pub open_only: bool,
}

impl Analyzer for Questions {
    const NAME: &str = "questions";
    const STABILITY: Stability = Stability::Beta;
    type Input = Transcript;
    type Output = QuestionList;

    async fn analyze(&self, transcript: Transcript, host: &Host<'_>) -> Result<QuestionList> {
        let talk = Talk::new(&transcript);
        let warnings = warn_unless_read(host, talk.language, &question_words::read_languages());
        let mut candidates: Vec<Candidate> =
            (0..talk.sentences.len()).filter_map(|sentence| question(&talk, sentence)).collect();
        if self.open_only {
            candidates.retain(|candidate| candidate.reply.is_none());
        }
        let limit = candidates::limit(self.max, &talk, WORDS_PER_QUESTION);
        let mut findings = Findings::new(host);
        let mut questions = Vec::new();
        for candidate in candidates::best(&talk, candidates, limit) {
            let text = talk.readable(candidate.sentence);
            let mut evidence = talk.evidence(candidate.sentence);
            let segment = &talk.segments[talk.sentences[candidate.sentence].segment()];
            let answer = candidate.reply.map(|answer| &talk.segments[talk.sentences[answer].segment()]);
            if let Some(answer) = candidate.reply {
                evidence.extend(talk.evidence(answer).into_iter().take(1));
            }
            let kind = if answer.is_some() { "question" } else { "open-question" };
            let finding = findings.add(kind, text.clone(), candidate.confidence, evidence);
            questions.push(Question {
                question: text,
                segment: segment.id.clone(),
                asked_by: segment.speaker.clone(),
                answered_by: answer.and_then(|answer| answer.speaker.clone()),
                answer: answer.map(|answer| answer.id.clone()),
                open: answer.is_none(),
                finding: finding.id.clone(),
            });
        }
        Ok(QuestionList { questions, findings: findings.list, warnings })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "one question answered, one left open".to_owned(),
            config: json!({}),
            input: json!({ "segments": [
                { "id": "s1", "speaker": "Ann", "text": "How much does the battery cost?" },
                { "id": "s2", "speaker": "Bo", "text": "The battery costs about two euros in bulk." },
                { "id": "s3", "speaker": "Bo", "text": "And which colour do customers in Asia prefer?" },
                { "id": "s4", "speaker": "Ann", "text": "I don't know." },
            ] }),
            output: json!({
                "findings": [
                    {
                        "confidence": 0.75,
                        "evidence": [
                            { "quote": "How much does the battery cost?", "segment": "s1", "speaker": "Ann" },
                            {
                                "quote": "The battery costs about two euros in bulk.",
                                "segment": "s2",
                                "speaker": "Bo",
                            },
                        ],
                        "id": "questions-1",
                        "kind": "question",
                        "source": "questions",
                        "text": "How much does the battery cost?",
                    },
                    {
                        "confidence": 0.85,
                        "evidence": [
                            {
                                "quote": "And which colour do customers in Asia prefer?",
                                "segment": "s3",
                                "speaker": "Bo",
                            },
                        ],
                        "id": "questions-2",
                        "kind": "open-question",
                        "source": "questions",
                        "text": "Which colour do customers in Asia prefer?",
                    },
                ],
                "questions": [
                    {
                        "answer": "s2",
                        "answered_by": "Bo",
                        "asked_by": "Ann",
                        "finding": "questions-1",
                        "open": false,
                        "question": "How much does the battery cost?",
                        "segment": "s1",
                    },
                    {
                        "asked_by": "Bo",
                        "finding": "questions-2",
                        "open": true,
                        "question": "Which colour do customers in Asia prefer?",
                        "segment": "s3",
                    },
                ],
            }),
        }]
    }
}

/// A question that can stand for itself, with the sentence that answers it.
fn question(talk: &Talk<'_>, sentence: usize) -> Option<Candidate> {
    if !talk.sentences[sentence].question {
        return None;
    }
    let words = talk.words(sentence);
    let terms = talk.terms(sentence);
    let least = if talk.language == Language::English { 4 } else { LEAST_WORDS };
    if !(least..=60).contains(&words.len()) || terms.is_empty() {
        return None;
    }
    // `Can I thank you?` asks nothing.
    let polite = |word: &&str| {
        matches!(*word, "welcome" | "remind" | "thank" | "note" | "say" | "start" | "begin" | "congratulate")
    };
    if matches!(words[..2], ["can" | "could" | "may", "i"]) && words.iter().take(5).any(polite) {
        return None;
    }
    // `…, right?` and `…, isn't it?` seek assent.
    let is_formed = is_formed(talk, sentence, &words);
    let answer = answer(talk, sentence);
    let mut confidence = 0.45 + 0.05 * (terms.len() as f64).min(5.0);
    confidence += if is_formed { 0.2 } else { -0.2 };
    // Who goes on without a pause did not wait for an answer.
    if answer.is_none() && !waits(talk, sentence) {
        confidence -= 0.3;
    }
    let confidence = confidence.clamp(0.05, 0.95);
    (confidence >= 0.4).then_some(Candidate { sentence, confidence, reply: answer })
}

/// Whether a sentence has the form of a question, rather than that of a statement that seeks assent: in English by its words;
/// in other languages, many of which have no such form, unless a tag shows that assent is sought.
fn is_formed(talk: &Talk<'_>, sentence: usize, words: &[&str]) -> bool {
    if talk.language == Language::English {
        return words.iter().take(6).any(|word| ASKING.contains(word))
            || words.iter().take(3).any(|word| INVERTED.contains(word));
    }
    question_words::of(talk.language).is_none_or(|language| !language.is_tagged(&talk.raw(sentence)))
}

/// Whether the asker waits for an answer: another speaker comes next, but for a few words that the asker adds.
fn waits(talk: &Talk<'_>, sentence: usize) -> bool {
    let segment = talk.sentences[sentence].last_segment();
    let rest = sentence + 1..talk.sentences_of(segment).end;
    let added: usize = rest.clone().map(|sentence| talk.word_ids(sentence).len()).sum();
    added <= ADDED || rest.clone().next().is_some_and(|next| talk.sentences[next].question)
}

/// The sentence that begins the answer: of the turns of others before the asker asks again, the one that says most to
/// the matter. Who says not to know leaves the question open.
fn answer(talk: &Talk<'_>, sentence: usize) -> Option<usize> {
    let asker = talk.speaker(sentence);
    let last = talk.sentences[sentence].last_segment();
    let question_terms = talk.terms(sentence);
    if !waits(talk, sentence) {
        return None;
    }
    let addressee = talk.names.addressed(&talk.raw(sentence)).filter(|addressee| Some(*addressee) != asker);
    // `Who` is answered by a person.
    let asks_for_person = talk.words(sentence).iter().take(3).any(|word| matches!(*word, "who" | "whose"));
    let mut best: Option<(f64, usize)> = None;
    for segment in last + 1..(last + 1 + REACH).min(talk.segments.len()) {
        if talk.speaker_of[segment] == asker {
            // The asker takes the floor again: what comes later answers something else.
            if !talk.listening[segment] && best.is_some() {
                break;
            }
            continue;
        }
        let distance = (segment - last) as f64;
        let mut replies = talk.sentences_of(segment).filter(|&reply| !talk.sentences[reply].question);
        let Some(reply) = replies.next() else { continue };
        let second_reply = replies.next();
        let second = second_reply.map(|second| talk.words(second)).unwrap_or_default();
        let words = talk.words(reply);
        let is_open = match question_words::of(talk.language) {
            Some(language) => {
                language.is_unknowing(&talk.raw(reply))
                    || words.len() < 4 && second_reply.is_some_and(|second| language.is_unknowing(&talk.raw(second)))
            }
            None => is_unknowing(&words) || (words.len() < 4 && is_unknowing(&second)),
        };
        if is_open {
            best?;
            continue;
        }
        let by_addressee = addressee.is_some() && talk.speaker_of[segment] == addressee;
        let begins_straight = match question_words::of(talk.language) {
            Some(language) => language.is_straight(&talk.raw(reply)),
            None => words.first().is_some_and(|word| STRAIGHT.contains(word)),
        };
        let straight = by_addressee || begins_straight;
        let shared = talk.terms(reply).iter().filter(|term| question_terms.contains(term)).count();
        let word_count = words::count(&talk.segments[segment].text);
        let mut score =
            f64::from(u8::from(straight)) * 0.6 + (shared as f64).min(2.0) * 0.7 + (word_count as f64 / 10.0).min(1.0)
                - 0.25 * distance;
        if talk.listening[segment] && !straight {
            score -= 1.0;
        } else if segment == last + 1 {
            score += 0.4;
        }
        if by_addressee {
            score += 1.0;
        }
        if asks_for_person && !names_someone(&words) && talk.names.mentions(&talk.raw(reply)).is_empty() {
            score -= 1.5;
        }
        // It comes at once and to the point: what others add later is not better.
        if segment == last + 1
            && straight
            && score > 0.2
            && (by_addressee || !matches!(words[0], "yes" | "yeah" | "well"))
        {
            return Some(reply);
        }
        if score > best.map_or(0.2, |best| best.0) {
            best = Some((score, reply));
        }
    }
    best.map(|best| best.1)
}

/// Whether a reply names a person or speaks of one.
fn names_someone(words: &[&str]) -> bool {
    words.iter().take(12).any(|word| matches!(*word, "i" | "me" | "mine" | "my" | "he" | "she" | "you" | "they" | "it"))
}

/// What an answer often begins with.
const STRAIGHT: &[&str] = &[
    "about", "around", "because", "he", "i", "it", "no", "nope", "roughly", "she", "that", "there", "they", "we",
    "well", "yeah", "yep", "yes",
];

static UNKNOWING: LazyLock<Phrases<()>> = LazyLock::new(|| {
    let all = [
        "don't know",
        "don't * know",
        "no idea",
        "no clue",
        "not sure",
        "not certain",
        "can't say",
        "couldn't say",
        "couldn't tell you",
        "nobody at the moment",
        "nobody yet",
        "no one yet",
        "nobody knows",
        "no one knows",
        "nobody so far",
        "we ll see",
        "have to look that up",
        "have to look it up",
        "have to find out",
        "have to check",
        "have to ask",
        "need to check",
        "need to find out",
        "let s think about",
        "come back to that",
        "come back to it",
        "leave that open",
        "remains to be seen",
        "depends",
    ];
    Phrases::new(&all.map(|phrase| (phrase, ())))
});

/// `I don't know yet`, `Not sure`, `Nobody at the moment`, and no more to the matter.
fn is_unknowing(words: &[&str]) -> bool {
    const HEAD: usize = 9;
    let known = words.first().is_some_and(|word| matches!(*word, "yes" | "yeah" | "no" | "because"))
        || words.windows(3).any(|three| three == ["i", "think", "so"]);
    !known && words.len() < 20 && UNKNOWING.find(words).first().is_some_and(|found| found.start < HEAD)
}
