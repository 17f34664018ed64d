//! The analyzer `key-points`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{
    Finding, Transcript, rank,
    vectors::{Sparse, cosine, inverse_frequencies},
};
use serde_json::json;

use crate::{candidates::check_share, findings::Findings, talk::Talk};

/// Ranking compares every sentence of a chunk with every other one; a chunk has so many.
const CHUNK: usize = 200;
/// Two sentences more alike than this (cosine) say the same thing.
const SAME: f64 = 0.5;
/// Greetings fill the first part of a meeting, of this share: salience fades towards its beginning.
const HEAD: f64 = 0.05;
/// What matters is mostly brought up early: salience fades over a last part of this share.
const TAIL: f64 = 0.7;
/// Matter comes in stretches: a sentence counts by how much is said in so many turns on either side of it.
const STRETCH: usize = 30;
/// So many points are picked from a short talk too.
const LEAST: usize = 5;

/// What `key-points` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct KeyPointList {
    /// Findings of kind `key-point`, in order of the transcript.
    pub findings: Vec<Finding>,
}

/// Picks the sentences that say most of what a transcript says, by graph ranking.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-languages" = ["en", "ar", "da", "de", "el", "es", "fi", "fr", "hu", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "tr", "zh"]))]
pub struct KeyPoints {
    /// How many are picked, as a share of the number of turns, 0 to 1; from a short talk a few more.
    #[config(default = 0.1)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// How many are picked at most, however long the talk is.
    #[config(default = 30)]
    #[schemars(range(min = 1, max = 1000))]
    pub max: usize,
}

impl Analyzer for KeyPoints {
    const NAME: &str = "key-points";
    const STABILITY: Stability = Stability::Beta;
    type Input = Transcript;
    type Output = KeyPointList;

    fn open(self) -> Result<Self> {
        check_share("share", self.share)?;
        Ok(self)
    }

    async fn analyze(&self, transcript: Transcript, host: &Host<'_>) -> Result<KeyPointList> {
        let talk = Talk::new(&transcript);
        let mut findings = Findings::new(host);
        let fit: Vec<usize> = (0..talk.sentences.len()).filter(|&sentence| is_fit(&talk, sentence)).collect();
        let limit = ((talk.segments.len() as f64 * self.share).round() as usize).max(LEAST).min(self.max);
        let (scores, vectors) = scores(&talk, &fit);
        let mut order: Vec<usize> = (0..fit.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let mut picked: Vec<usize> = Vec::new();
        let mut taken = vec![false; talk.segments.len()];
        // Every turn has one sentence to give before any has a second one.
        for second_round in [false, true] {
            for &candidate in &order {
                let turn = talk.sentences[fit[candidate]].segment();
                if picked.len() == limit {
                    break;
                }
                let repeats = |&other: &usize| vectors[candidate].dot(&vectors[other]) >= SAME;
                if taken[turn] == second_round && !picked.iter().any(repeats) {
                    taken[turn] = true;
                    picked.push(candidate);
                }
            }
        }
        picked.sort_unstable();
        for candidate in picked {
            let sentence = fit[candidate];
            let confidence = scores[candidate] / (scores[candidate] + 1.0);
            findings.add("key-point", talk.readable(sentence), confidence, talk.evidence(sentence));
        }
        Ok(KeyPointList { findings: findings.list })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "the one key point of a short talk".to_owned(),
            config: json!({ "max": 1 }),
            input: json!({ "segments": [
                { "id": "s1", "speaker": "Ann", "text": "The new remote control must have fewer buttons and a longer battery life." },
                { "id": "s2", "speaker": "Bo", "text": "Mm-hmm." },
                { "id": "s3", "speaker": "Bo", "text": "Users said in the survey that the remote control has too many buttons." },
                { "id": "s4", "speaker": "Ann", "text": "Lunch is served in the kitchen upstairs from noon today." },
            ] }),
            output: json!({
                "findings": [
                    {
                        "confidence": 0.526,
                        "evidence": [
                            {
                                "quote": "The new remote control must have fewer buttons and a longer battery life.",
                                "segment": "s1",
                                "speaker": "Ann",
                            },
                        ],
                        "id": "key-points-1",
                        "kind": "key-point",
                        "source": "key-points",
                        "text": "The new remote control must have fewer buttons and a longer battery life.",
                    },
                ],
            }),
        }]
    }
}

/// Whether a sentence can be understood without those around it.
fn is_fit(talk: &Talk<'_>, sentence: usize) -> bool {
    let words = talk.word_ids(sentence).len();
    (8..=60).contains(&words)
        && !talk.sentences[sentence].broken
        && !talk.sentences[sentence].question
        && talk.terms(sentence).len() >= 3
}

/// Salience within the neighbourhood and against the whole, 1 being average.
fn scores(talk: &Talk<'_>, fit: &[usize]) -> (Vec<f64>, Vec<Sparse>) {
    let terms: Vec<Vec<u32>> = fit.iter().map(|&sentence| talk.terms(sentence)).collect();
    let weights = inverse_frequencies(terms.iter().map(|terms| &terms[..]), talk.vocabulary.term_count());
    let vectors: Vec<Sparse> =
        terms.iter().map(|terms| Sparse::counts(terms.iter().copied()).weighted(&weights).normalized()).collect();
    let mut local = Vec::with_capacity(fit.len());
    for chunk in vectors.chunks(CHUNK) {
        local.extend(rank::by_likeness(chunk).into_iter().map(|score| score * chunk.len() as f64));
    }
    let centroid = Sparse::sums(vectors.iter().flat_map(Sparse::iter));
    let global: Vec<f64> = vectors.iter().map(|vector| cosine(vector, &centroid)).collect();
    let mean = global.iter().sum::<f64>() / global.len().max(1) as f64;
    let segments = talk.segments.len().max(1) as f64;
    let density = content_density(talk);
    let scores = local.iter().zip(&global).zip(fit).map(|((local, global), &sentence)| {
        let segment = talk.sentences[sentence].segment();
        let position = (segment as f64 + 0.5) / segments;
        let by_position = (position / HEAD).min((1.0 - position) / TAIL).clamp(0.05, 1.0);
        // A sentence that was begun twice reads badly; another will say the same.
        let fluent = if talk.raw(sentence).contains("{disfmarker}") { 0.8 } else { 1.0 };
        // Where it is said matters more than how central it is: the root damps the latter.
        fluent * (by_position * density[segment]) * (local * global / mean.max(1e-9)).sqrt().sqrt()
    });
    (scores.collect(), vectors)
}

/// How many content words are said around each turn, 1 being average: presentations and discussions of substance stand
/// out from chat.
fn content_density(talk: &Talk<'_>) -> Vec<f64> {
    let turns = talk.segments.len();
    let mut before = vec![0.0; turns + 1];
    for turn in 0..turns {
        let said: usize = talk.sentences_of(turn).map(|sentence| talk.terms(sentence).len()).sum();
        before[turn + 1] = before[turn] + said as f64;
    }
    let mean = (before[turns] / turns.max(1) as f64).max(1e-9);
    let density_around = |turn: usize| {
        let (start, end) = (turn.saturating_sub(STRETCH), (turn + STRETCH + 1).min(turns));
        (before[end] - before[start]) / (end - start) as f64 / mean
    };
    (0..turns).map(density_around).collect()
}
