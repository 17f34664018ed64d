//! The analyzer `key-points`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{
    Finding, Transcript, rank,
    vectors::{Sparse, cosine, inverse_frequencies},
};
use serde_json::json;

use crate::{
    check_share, readable,
    talk::{Findings, Talk},
};

/// Ranking compares every sentence of a chunk with every other one; a chunk has so many.
const CHUNK: usize = 200;
/// Two sentences more alike than this (cosine) say the same thing.
const SAME: f64 = 0.5;
/// Greetings and farewells fill the first and the last part of a meeting, of this share: salience fades towards them.
const EDGE: f64 = 0.1;

/// What `key-points` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct KeyPointList {
    /// Findings of kind `key-point`, in order of the transcript.
    pub findings: Vec<Finding>,
}

/// Picks the sentences that say most of what a transcript says, by graph ranking.
#[derive(Clone, Debug, Config)]
pub struct KeyPoints {
    /// Share of the sentences fit to be picked that is picked, 0 to 1.
    #[config(default = 0.2)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// How many are picked at most.
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
        let most = ((fit.len() as f64 * self.share).ceil() as usize).min(self.max);
        let (scores, vectors) = scores(&talk, &fit);
        let mut order: Vec<usize> = (0..fit.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let mut picked: Vec<usize> = Vec::new();
        for candidate in order {
            if picked.len() == most {
                break;
            }
            if picked.iter().all(|&other| cosine(&vectors[candidate], &vectors[other]) < SAME) {
                picked.push(candidate);
            }
        }
        picked.sort_unstable();
        for at in picked {
            let sure = scores[at] / (scores[at] + 1.0);
            findings.add("key-point", readable(&talk, fit[at]), sure, talk.evidence(fit[at]));
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
                        "confidence": 0.552,
                        "evidence": [
                            {
                                "quote": "Users said in the survey that the remote control has too many buttons.",
                                "segment": "s3",
                                "speaker": "Bo",
                            },
                        ],
                        "id": "key-points-1",
                        "kind": "key-point",
                        "source": "key-points",
                        "text": "Users said in the survey that the remote control has too many buttons.",
                    },
                ],
            }),
        }]
    }
}

/// Whether a sentence can stand for itself before a reader.
fn is_fit(talk: &Talk<'_>, sentence: usize) -> bool {
    let words = talk.word_ids(sentence).len();
    (8..=60).contains(&words) && !talk.sentences[sentence].broken && !talk.sentences[sentence].question && talk.terms(sentence).len() >= 4
}

/// Salience within the neighbourhood and against the whole, 1 being average.
fn scores(talk: &Talk<'_>, fit: &[usize]) -> (Vec<f64>, Vec<Sparse>) {
    let terms: Vec<Vec<u32>> = fit.iter().map(|&sentence| talk.terms(sentence)).collect();
    let weights = inverse_frequencies(terms.iter().map(|terms| &terms[..]), talk.vocabulary.term_count());
    let vectors: Vec<Sparse> = terms.iter().map(|terms| Sparse::counts(terms.iter().copied()).weighted(&weights).normalized()).collect();
    let mut local = Vec::with_capacity(fit.len());
    for chunk in vectors.chunks(CHUNK) {
        local.extend(rank::by_likeness(chunk).into_iter().map(|score| score * chunk.len() as f64));
    }
    let centroid = Sparse::sums(vectors.iter().flat_map(Sparse::iter));
    let global: Vec<f64> = vectors.iter().map(|vector| cosine(vector, &centroid)).collect();
    let mean = global.iter().sum::<f64>() / global.len().max(1) as f64;
    let last = talk.segments.len().max(1) as f64;
    let scores = local.iter().zip(&global).zip(fit).map(|((local, global), &sentence)| {
        let place = talk.sentences[sentence].segment() as f64 / last;
        let edge = (place.min(1.0 - place) / EDGE).clamp(0.05, 1.0);
        // A sentence that was begun twice reads badly; another will say the same.
        let fluent = if talk.raw(sentence).contains("{disfmarker}") { 0.8 } else { 1.0 };
        fluent * (local * edge * global / mean.max(1e-9)).sqrt()
    });
    (scores.collect(), vectors)
}
