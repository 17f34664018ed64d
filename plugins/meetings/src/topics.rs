//! The analyzer `topics`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Finding, Transcript, clean::capitalised};
use serde_json::json;

use crate::{
    segment,
    talk::{Findings, Talk},
    terms,
};

/// A stretch of a transcript that is about one thing.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Topic {
    /// `t1`, `t2` and so on, in order.
    pub id: String,
    /// What it is about, in a few words.
    pub label: String,
    /// The phrases that tell it from the other topics, the most telling first.
    pub keyphrases: Vec<String>,
    /// Id of its first segment.
    pub from: String,
    /// Id of its last segment.
    pub to: String,
    /// Index of its first segment, from 0.
    pub first_index: usize,
    /// Index of its last segment, from 0.
    pub last_index: usize,
    /// How many segments it has.
    pub segments: usize,
}

/// What `topics` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct TopicList {
    /// The topics, in order; together they cover every segment.
    pub topics: Vec<Topic>,
    /// One finding of kind `topic` for each.
    pub findings: Vec<Finding>,
}

/// Divides a transcript into topics by lexical cohesion and labels each.
#[derive(Clone, Debug, Config)]
pub struct Topics {
    /// How many topics there are; 0 lets the length tell.
    #[config(default)]
    #[schemars(range(max = 200))]
    pub count: usize,
    /// How many keyphrases each topic gets at most.
    #[config(default = 6)]
    #[schemars(range(min = 1, max = 50))]
    pub keyphrases: usize,
}

impl Analyzer for Topics {
    const NAME: &str = "topics";
    const STABILITY: Stability = Stability::Beta;
    type Input = Transcript;
    type Output = TopicList;

    fn open(self) -> Result<Self> {
        if self.keyphrases == 0 {
            return Err(Failure::InvalidConfig("`keyphrases` is 0: a topic needs one for its label".to_owned()));
        }
        Ok(self)
    }

    async fn analyze(&self, transcript: Transcript, host: &Host<'_>) -> Result<TopicList> {
        let talk = Talk::new(&transcript);
        let mut findings = Findings::new(host);
        if talk.segments.is_empty() {
            return Ok(TopicList::default());
        }
        let count = if self.count == 0 { segment::likely_count(talk.word_count()) } else { self.count };
        let mut starts = vec![0];
        starts.extend(segment::boundaries(&talk, count));
        starts.push(talk.segments.len());
        let mut whole = vec![0usize; talk.vocabulary.term_count()];
        for sentence in 0..talk.sentences.len() {
            talk.terms(sentence).iter().for_each(|&term| whole[term as usize] += 1);
        }
        let nouns = terms::nounness(&talk);
        let mut topics = Vec::new();
        for pair in starts.windows(2) {
            let topic = self.topic(&talk, pair[0], pair[1], topics.len() + 1, (&whole, &nouns), &mut findings);
            topics.push(topic);
        }
        Ok(TopicList { topics, findings: findings.list })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "a division into two topics by number".to_owned(),
            config: json!({ "count": 2, "keyphrases": 2 }),
            input: json!({ "segments": [
                { "id": "s1", "speaker": "Ann", "text": "A solar battery costs more than a battery with a charger, a cable and a socket." },
                { "id": "s2", "speaker": "Ann", "text": "A battery charger needs a cable, the socket needs a battery, and solar power drains." },
                { "id": "s3", "speaker": "Bo", "text": "Customers in the survey prefer fashion, customers in Asia prefer colour." },
                { "id": "s4", "speaker": "Bo", "text": "The survey asks customers about price, fashion, colour and shops." },
            ] }),
            output: json!({
                "findings": [
                    {
                        "confidence": 0.6,
                        "evidence": [
                            {
                                "quote": "A solar battery costs more than a battery with a charger, a cable and a socket.",
                                "segment": "s1",
                                "speaker": "Ann",
                            },
                        ],
                        "id": "topics-1",
                        "kind": "topic",
                        "source": "topics",
                        "text": "Topic 1, 2 turns: battery, solar.",
                    },
                    {
                        "confidence": 0.55,
                        "evidence": [
                            {
                                "quote": "Customers in the survey prefer fashion, customers in Asia prefer colour.",
                                "segment": "s3",
                                "speaker": "Bo",
                            },
                        ],
                        "id": "topics-2",
                        "kind": "topic",
                        "source": "topics",
                        "text": "Topic 2, 2 turns: customers, survey.",
                    },
                ],
                "topics": [
                    {
                        "first_index": 0,
                        "from": "s1",
                        "id": "t1",
                        "keyphrases": ["battery", "solar"],
                        "label": "Battery and solar",
                        "last_index": 1,
                        "segments": 2,
                        "to": "s2",
                    },
                    {
                        "first_index": 2,
                        "from": "s3",
                        "id": "t2",
                        "keyphrases": ["customers", "survey"],
                        "label": "Customers and survey",
                        "last_index": 3,
                        "segments": 2,
                        "to": "s4",
                    },
                ],
            }),
        }]
    }
}

impl Topics {
    /// `of_terms`: how often each term is used in the whole talk, and how much it behaves as a noun.
    fn topic(
        &self,
        talk: &Talk<'_>,
        from: usize,
        end: usize,
        number: usize,
        of_terms: (&[usize], &[f64]),
        findings: &mut Findings,
    ) -> Topic {
        let (whole, nouns) = of_terms;
        let sentences = talk.sentences_of(from).start..talk.sentences_of(end - 1).end;
        let scored = terms::phrases(talk, sentences.clone())
            .into_iter()
            .map(|(phrase, of)| {
                // Often here, and seldom elsewhere.
                let share = share(&phrase, of.count, whole);
                let noun = nouns[phrase[phrase.len() - 1] as usize];
                let score = of.free as f64 * share.sqrt() * noun * noun;
                (score, phrase, of)
            })
            .collect();
        let chosen = terms::distinct(scored, self.keyphrases);
        let keyphrases: Vec<String> =
            chosen.iter().map(|(_, phrase, _)| terms::display(talk, phrase, sentences.clone())).collect();
        let label = label(talk, &chosen, &keyphrases);
        let bearer = chosen.first().and_then(|(_, phrase, _)| terms::bearer(talk, phrase, sentences.clone()));
        if let Some(sentence) = bearer {
            let segments = end - from;
            // Sure where the leading phrases are used often, and hardly anywhere else.
            let leading = &chosen[..chosen.len().min(3)];
            let used: usize = leading.iter().map(|(_, _, of)| of.free).sum();
            let own =
                leading.iter().map(|(_, phrase, of)| share(phrase, of.count, whole) / phrase.len() as f64).sum::<f64>();
            let own = own / leading.len() as f64;
            let sure = 0.3 + 0.6 * own.min(1.0) * (used as f64 / 12.0).min(1.0);
            let turns = if segments == 1 { "turn" } else { "turns" };
            let text = format!("Topic {number}, {segments} {turns}: {}.", keyphrases.join(", "));
            findings.add("topic", text, sure, talk.evidence(sentence));
        }
        Topic {
            id: format!("t{number}"),
            label,
            keyphrases,
            from: talk.segments[from].id.clone(),
            to: talk.segments[end - 1].id.clone(),
            first_index: from,
            last_index: end - 1,
            segments: end - from,
        }
    }
}

/// Sum over the phrase's terms of the share of their uses that falls on the phrase here; `whole` has all their uses.
fn share(phrase: &[u32], count: usize, whole: &[usize]) -> f64 {
    phrase.iter().map(|&term| count as f64 / whole[term as usize].max(1) as f64).sum()
}

/// Words that tell a reader little when they stand alone.
const WEAK: &[&str] = &[
    "bit", "bottom", "case", "euros", "example", "front", "group", "issue", "issues", "item", "level", "meeting",
    "meetings", "month", "months", "morning", "option", "options", "page", "project", "room", "side", "team", "today",
    "top", "young",
];

/// Up to three phrases as a heading: those of several words first, and no weak word where there are others.
fn label(talk: &Talk<'_>, chosen: &[(f64, terms::Phrase, terms::Use)], keyphrases: &[String]) -> String {
    const TOLD: usize = 4;
    let all = || chosen.iter().zip(keyphrases).take(TOLD);
    let strong = |phrase: &[u32], of: &terms::Use| match phrase {
        [term] => of.count > 1 && !WEAK.contains(&talk.vocabulary.usual_form(*term)),
        _ => true,
    };
    let mut told: Vec<&str> =
        all().filter(|((_, phrase, _), _)| phrase.len() > 1).map(|(_, text)| text.as_str()).collect();
    let single = all().filter(|((_, phrase, of), _)| phrase.len() == 1 && strong(phrase, of));
    told.extend(single.map(|(_, text)| text.as_str()));
    if told.is_empty() {
        told.extend(keyphrases.iter().take(2).map(String::as_str));
    }
    let text = match told[..] {
        [] => "small talk".to_owned(),
        [one] => one.to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three, ..] => format!("{one}, {two} and {three}"),
    };
    capitalised(&text)
}
