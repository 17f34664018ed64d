//! The analyzer `topics`.

use std::ops::Range;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Finding, Transcript, clean::capitalised};
use serde_json::json;

use crate::{
    boundary_likeness, boundary_signals,
    embedding::embed,
    findings::Findings,
    segment,
    talk::Talk,
    terms::{self, ScoredPhrase},
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

/// Divides a transcript into topics by words, speakers and what a chair says to pass on, and labels each.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-languages" = ["en", "ar", "da", "de", "el", "es", "fi", "fr", "hu", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "tr", "zh"]))]
pub struct Topics {
    /// How many topics there are; 0 lets the length tell.
    #[config(default)]
    #[schemars(range(max = 200))]
    pub count: usize,
    /// How many keyphrases each topic gets at most.
    #[config(default = 6)]
    #[schemars(range(min = 1, max = 50))]
    pub keyphrases: usize,
    /// What tells how alike two stretches of talk are beside the words that both use.
    #[config(default)]
    pub embedder: TopicEmbedder,
}

/// How stretches of talk are compared.
#[derive(Clone, Debug, PartialEq, Document)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TopicEmbedder {
    /// By their words, and by the words of the stretches that they are like.
    Words {},
    /// By vectors of the model that the pipeline gives to the stage (`model = "name"`), which has to offer `embed`. It is
    /// asked once about every 60 words or so.
    #[schemars(extend("x-needs" = "model:embed"))]
    Model {},
}

impl Default for TopicEmbedder {
    fn default() -> Self {
        Self::Words {}
    }
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

    fn permissions() -> Vec<Permission> {
        let reason = "to have stretches of talk embedded, with `embedder = { kind = \"model\" }`".to_owned();
        vec![Permission { name: "model:embed".to_owned(), reason }]
    }

    async fn analyze(&self, transcript: Transcript, host: &Host<'_>) -> Result<TopicList> {
        let talk = Talk::new(&transcript);
        let mut findings = Findings::new(host);
        if talk.segments.is_empty() {
            return Ok(TopicList::default());
        }
        let counts = segment::counts(&talk, self.count);
        let vectors = match self.embedder {
            TopicEmbedder::Model {} if !counts.is_one() => {
                let texts = boundary_likeness::unit_texts(&talk, &boundary_signals::words_before(&talk));
                Some(embed(&texts, host).await?)
            }
            _ => None,
        };
        let mut starts = vec![0];
        starts.extend(segment::boundaries(&talk, &counts, vectors.as_deref()));
        starts.push(talk.segments.len());
        let statistics = TermStatistics::new(&talk);
        let mut topics = Vec::new();
        for (pair, number) in starts.windows(2).zip(1..) {
            let place = TopicPlace { number, segments: pair[0]..pair[1] };
            topics.push(self.topic(&talk, &statistics, place, &mut findings));
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

/// What is known of each term over the whole talk.
struct TermStatistics {
    /// How often it is used.
    counts: Vec<usize>,
    /// How much it behaves as a noun, 0 to 1.
    nounness: Vec<f64>,
}

impl TermStatistics {
    fn new(talk: &Talk<'_>) -> Self {
        let mut counts = vec![0; talk.vocabulary.term_count()];
        for sentence in 0..talk.sentences.len() {
            for term in talk.terms(sentence) {
                counts[term as usize] += 1;
            }
        }
        Self { counts, nounness: terms::nounness(talk) }
    }

    /// Sum over the phrase's terms of the share of their uses in the whole talk that `count` uses of the phrase are.
    fn share(&self, phrase: &[u32], count: usize) -> f64 {
        phrase.iter().map(|&term| count as f64 / self.counts[term as usize].max(1) as f64).sum()
    }
}

/// Which of the topics it is.
struct TopicPlace {
    /// From 1.
    number: usize,
    /// Indices of its segments; there is one at least.
    segments: Range<usize>,
}

impl Topics {
    fn topic(&self, talk: &Talk<'_>, statistics: &TermStatistics, place: TopicPlace, findings: &mut Findings) -> Topic {
        let TopicPlace { number, segments } = place;
        let last = segments.end - 1;
        let sentences = talk.sentences_of(segments.start).start..talk.sentences_of(last).end;
        let scored = terms::phrases(talk, sentences.clone())
            .into_iter()
            .map(|(phrase, usage)| {
                // Often here, and seldom elsewhere.
                let share = statistics.share(&phrase, usage.count);
                let noun = statistics.nounness[terms::head(talk, &phrase)];
                let score = usage.free as f64 * share.sqrt() * noun * noun;
                ScoredPhrase { score, phrase, usage }
            })
            .collect();
        let chosen = terms::distinct(scored, self.keyphrases);
        let keyphrases: Vec<String> =
            chosen.iter().map(|scored| terms::display(talk, &scored.phrase, sentences.clone())).collect();
        let example = chosen.first().and_then(|first| terms::example_sentence(talk, &first.phrase, sentences.clone()));
        if let Some(sentence) = example {
            let turns = if segments.len() == 1 { "turn" } else { "turns" };
            let text = format!("Topic {number}, {} {turns}: {}.", segments.len(), keyphrases.join(", "));
            findings.add("topic", text, confidence(statistics, &chosen), talk.evidence(sentence));
        }
        Topic {
            id: format!("t{number}"),
            label: label(talk, &chosen, &keyphrases),
            keyphrases,
            from: talk.segments[segments.start].id.clone(),
            to: talk.segments[last].id.clone(),
            first_index: segments.start,
            last_index: last,
            segments: segments.len(),
        }
    }
}

/// How sure a topic is: where its leading phrases, one at least, are used often and hardly anywhere else.
fn confidence(statistics: &TermStatistics, chosen: &[ScoredPhrase]) -> f64 {
    let leading = &chosen[..chosen.len().min(3)];
    let uses: usize = leading.iter().map(|scored| scored.usage.free).sum();
    let shares: f64 = leading
        .iter()
        .map(|scored| statistics.share(&scored.phrase, scored.usage.count) / scored.phrase.len() as f64)
        .sum();
    let mean_share = shares / leading.len() as f64;
    0.3 + 0.6 * mean_share.min(1.0) * (uses as f64 / 12.0).min(1.0)
}

/// Words that say little when they are a heading alone.
const WEAK: &[&str] = &[
    "bit", "bottom", "case", "euros", "example", "front", "group", "issue", "issues", "item", "level", "meeting",
    "meetings", "month", "months", "morning", "option", "options", "page", "project", "room", "side", "team", "today",
    "top", "young",
];

/// Up to three phrases as a heading: those of several words first, and no weak word where there are others.
fn label(talk: &Talk<'_>, chosen: &[ScoredPhrase], keyphrases: &[String]) -> String {
    /// Only so many phrases, the first ones, may be in a heading.
    const CONSIDERED: usize = 4;
    let is_strong = |term: u32, uses: usize| uses > 1 && !WEAK.contains(&talk.vocabulary.usual_form(term));
    let (mut of_several_words, mut of_one_word) = (Vec::new(), Vec::new());
    for (scored, text) in chosen.iter().zip(keyphrases).take(CONSIDERED) {
        match scored.phrase[..] {
            [term] if is_strong(term, scored.usage.count) => of_one_word.push(text.as_str()),
            [_] => {}
            _ => of_several_words.push(text.as_str()),
        }
    }
    let mut phrases = of_several_words;
    phrases.append(&mut of_one_word);
    if phrases.is_empty() {
        phrases.extend(keyphrases.iter().take(2).map(String::as_str));
    }
    let text = match phrases[..] {
        [] => "small talk".to_owned(),
        [only] => only.to_owned(),
        [first, second] => format!("{first} and {second}"),
        [first, second, third, ..] => format!("{first}, {second} and {third}"),
    };
    capitalised(&text)
}
