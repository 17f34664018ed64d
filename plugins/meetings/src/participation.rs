//! The analyzer `participation`.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Finding, Transcript, confidence, words};
use serde_json::json;

use crate::{candidates::check_share, findings::Findings, talk::Talk};

/// Among fewer words no one is said to dominate, or to be quiet.
const ENOUGH_WORDS: usize = 100;
/// In a larger group it is not a finding that someone says little.
const SMALL_GROUP: usize = 12;
/// So many quiet speakers are named, the quietest.
const MOST_QUIET: usize = 3;

/// One speaker's part in a talk.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Part {
    /// The speaker.
    pub speaker: String,
    /// How many turns: runs of segments by one speaker.
    pub turns: usize,
    /// How many words, marks such as `{vocalsound}` left out.
    pub words: usize,
    /// Share of all speakers' words, 0 to 1, rounded to three places.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// How many of the turns only show that the speaker listens, such as `Mm-hmm`.
    pub listening: usize,
    /// How many questions the speaker asks.
    pub questions: usize,
    /// How often the speaker takes the floor before the one who has it ends a sentence.
    pub interruptions: usize,
    /// How often others do that to the speaker.
    pub interrupted: usize,
}

/// How often one speaker follows another with more than a sign of listening.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Reply {
    /// Who follows.
    pub from: String,
    /// Who is followed.
    pub to: String,
    /// How often.
    pub count: usize,
}

/// What `participation` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct ParticipationReport {
    /// The speakers, the one with most words first.
    pub speakers: Vec<Part>,
    /// Who answers whom, the most frequent pair first.
    pub replies: Vec<Reply>,
    /// Findings of kind `dominant-speaker`, `quiet-speaker` and `frequent-interruptions`, where warranted.
    pub findings: Vec<Finding>,
}

/// Counts who speaks how much, who interrupts and who answers whom.
#[derive(Clone, Debug, Config)]
pub struct Participation {
    /// A speaker dominates from this share of the words on, and from 1.6 times an even share; 0 to 1.
    #[config(default = 0.35)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dominant: f64,
    /// A speaker is quiet below this part of an even share, 0 to 1.
    #[config(default = 0.35)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub quiet: f64,
}

impl Analyzer for Participation {
    const NAME: &str = "participation";
    const STABILITY: Stability = Stability::Beta;
    type Input = Transcript;
    type Output = ParticipationReport;

    fn open(self) -> Result<Self> {
        check_share("dominant", self.dominant)?;
        check_share("quiet", self.quiet)?;
        Ok(self)
    }

    async fn analyze(&self, transcript: Transcript, host: &Host<'_>) -> Result<ParticipationReport> {
        let talk = Talk::new(&transcript);
        let (parts, replies) = count(&talk);
        let mut findings = Findings::new(host);
        self.add_findings(&talk, &parts, &mut findings);
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|&speaker| (usize::MAX - parts[speaker].words, speaker));
        let mut replies: Vec<_> = replies.into_iter().collect();
        replies.sort_by_key(|&(pair, count)| (usize::MAX - count, pair));
        let name = |speaker: usize| talk.speakers[speaker].to_owned();
        Ok(ParticipationReport {
            speakers: order.into_iter().map(|speaker| parts[speaker].clone()).collect(),
            replies: replies
                .into_iter()
                .map(|((from, to), count)| Reply { from: name(from), to: name(to), count })
                .collect(),
            findings: findings.list,
        })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "two speakers, one of whom breaks in".to_owned(),
            config: json!({}),
            input: json!({ "segments": [
                { "id": "s1", "speaker": "Ann", "text": "I think that the price and" },
                { "id": "s2", "speaker": "Bo", "text": "But is the price not too high?" },
                { "id": "s3", "speaker": "Ann", "text": "Mm-hmm." },
            ] }),
            output: json!({
                "findings": [],
                "replies": [{"count": 1, "from": "Bo", "to": "Ann"}],
                "speakers": [
                    {
                        "interrupted": 1,
                        "interruptions": 0,
                        "listening": 1,
                        "questions": 0,
                        "share": 0.533,
                        "speaker": "Ann",
                        "turns": 2,
                        "words": 8,
                    },
                    {
                        "interrupted": 0,
                        "interruptions": 1,
                        "listening": 0,
                        "questions": 1,
                        "share": 0.467,
                        "speaker": "Bo",
                        "turns": 1,
                        "words": 7,
                    },
                ],
            }),
        }]
    }
}

/// How often a speaker, the first of the pair, follows another one.
type Replies = BTreeMap<(usize, usize), usize>;

/// Counts the parts of all speakers, by index, and their replies.
fn count(talk: &Talk<'_>) -> (Vec<Part>, Replies) {
    let silent_part = |speaker: &&str| Part {
        speaker: (*speaker).to_owned(),
        turns: 0,
        words: 0,
        share: 0.0,
        listening: 0,
        questions: 0,
        interruptions: 0,
        interrupted: 0,
    };
    let mut parts: Vec<Part> = talk.speakers.iter().map(silent_part).collect();
    let mut replies = Replies::new();
    // Who spoke last, and who had the floor last: a sign of listening does not take it.
    let (mut last, mut floor) = (None, None::<(usize, usize)>);
    for segment in 0..talk.segments.len() {
        let Some(speaker) = talk.speaker_of[segment] else {
            (last, floor) = (None, None);
            continue;
        };
        let part = &mut parts[speaker];
        part.words += words::count(&talk.segments[segment].text);
        part.turns += usize::from(last != Some(speaker));
        part.listening += usize::from(talk.listening[segment]);
        part.questions += talk.sentences_of(segment).filter(|&sentence| talk.sentences[sentence].question).count();
        last = Some(speaker);
        if talk.listening[segment] {
            continue;
        }
        if let Some((other, other_segment)) = floor.filter(|&(other, _)| other != speaker) {
            *replies.entry((speaker, other)).or_default() += 1;
            if breaks_in(talk, other_segment, segment) {
                parts[speaker].interruptions += 1;
                parts[other].interrupted += 1;
            }
        }
        floor = Some((speaker, segment));
    }
    let total: usize = parts.iter().map(|part| part.words).sum();
    for part in &mut parts {
        part.share = confidence(part.words as f64 / total.max(1) as f64);
    }
    (parts, replies)
}

/// Whether `interrupted`, the segment before this one, ends within a sentence.
fn breaks_in(talk: &Talk<'_>, interrupted: usize, segment: usize) -> bool {
    if segment != interrupted + 1 {
        return false;
    }
    let text = talk.segments[interrupted].text.trim_end();
    text.ends_with("{disfmarker}")
        || text.ends_with(['—', '–', '-', '…'])
        || text.ends_with("...")
        || text.ends_with("—.")
        || text.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == ',')
}

impl Participation {
    /// Adds the findings that the counts warrant.
    fn add_findings(&self, talk: &Talk<'_>, parts: &[Part], findings: &mut Findings) {
        let group = parts.iter().filter(|part| part.words > 0).count();
        let words: usize = parts.iter().map(|part| part.words).sum();
        if group < 2 || words < ENOUGH_WORDS {
            return;
        }
        let even = 1.0 / group as f64;
        let longest = longest_sentences(talk);
        let mut quietest: Vec<usize> = (0..parts.len()).filter(|&speaker| parts[speaker].words > 0).collect();
        quietest.sort_by_key(|&speaker| (parts[speaker].words, speaker));
        quietest.truncate(MOST_QUIET);
        let mut add = |kind: &str, speaker: usize, text: String, confidence: f64| {
            let evidence = longest[speaker].map(|sentence| talk.evidence(sentence)).unwrap_or_default();
            if !evidence.is_empty() {
                findings.add(kind, text, confidence, evidence);
            }
        };
        for (speaker, part) in parts.iter().enumerate() {
            let Part { speaker: name, turns, share, .. } = part;
            let percent = (share * 100.0).round();
            let limit = self.dominant.max(1.6 * even);
            if *share >= limit {
                let confidence = 0.6 + (share - limit);
                let text =
                    format!("{name} speaks most: {percent} % of all words among {group} speakers, in {turns} turns.");
                add("dominant-speaker", speaker, text, confidence);
            } else if (3..=SMALL_GROUP).contains(&group) && quietest.contains(&speaker) && *share < self.quiet * even {
                let confidence = 0.5 + 0.4 * (1.0 - share / (self.quiet * even));
                let text =
                    format!("{name} says little: {percent} % of all words among {group} speakers, in {turns} turns.");
                add("quiet-speaker", speaker, text, confidence);
            }
        }
        let total: usize = parts.iter().map(|part| part.interruptions).sum();
        if let Some((speaker, part)) =
            parts.iter().enumerate().max_by_key(|(index, part)| (part.interruptions, usize::MAX - index))
            && part.interruptions >= 10
            && part.interruptions as f64 >= 0.4 * total as f64
        {
            let text = format!(
                "{} takes the floor before others have ended {} times, of {total} in all.",
                part.speaker, part.interruptions
            );
            add("frequent-interruptions", speaker, text, 0.3 + 0.6 * part.interruptions as f64 / total as f64);
        }
    }
}

/// A sentence by which each speaker can be known: the longest complete one.
fn longest_sentences(talk: &Talk<'_>) -> Vec<Option<usize>> {
    let mut longest: Vec<Option<usize>> = vec![None; talk.speakers.len()];
    for sentence in 0..talk.sentences.len() {
        let Some(speaker) = talk.speaker(sentence) else { continue };
        let length = |sentence: usize| talk.word_ids(sentence).len().min(40);
        if longest[speaker].is_none_or(|best| length(sentence) > length(best)) {
            longest[speaker] = Some(sentence);
        }
    }
    longest
}
