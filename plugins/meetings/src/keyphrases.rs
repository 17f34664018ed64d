//! The analyzer `keyphrases`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Finding, Transcript, clean::capitalised};
use serde_json::json;

use crate::{
    findings::Findings,
    talk::Talk,
    terms::{self, ScoredPhrase},
};

/// A phrase that carries a talk's matter.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Keyphrase {
    /// The phrase as it is mostly said, with capitals where it is mostly written so.
    pub phrase: String,
    /// How often it is used.
    pub count: usize,
    /// Its weight, the first one's being 1, rounded to three places.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight: f64,
}

/// What `keyphrases` answers.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct KeyphraseList {
    /// The phrases, the weightiest first.
    pub keyphrases: Vec<Keyphrase>,
    /// One finding of kind `keyphrase` for each.
    pub findings: Vec<Finding>,
}

/// Finds the phrases that carry a transcript's matter, by graph ranking of its words.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-languages" = ["en", "ar", "da", "de", "el", "es", "fi", "fr", "hu", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "tr", "zh"]))]
pub struct Keyphrases {
    /// How many phrases are answered at most.
    #[config(default = 15)]
    #[schemars(range(min = 1, max = 500))]
    pub max: usize,
}

impl Analyzer for Keyphrases {
    const NAME: &str = "keyphrases";
    const STABILITY: Stability = Stability::Beta;
    type Input = Transcript;
    type Output = KeyphraseList;

    async fn analyze(&self, transcript: Transcript, host: &Host<'_>) -> Result<KeyphraseList> {
        let talk = Talk::new(&transcript);
        let mut findings = Findings::new(host);
        let ranks = terms::term_ranks(&talk);
        let nouns = terms::nounness(&talk);
        let all = 0..talk.sentences.len();
        let scored = terms::phrases(&talk, all.clone())
            .into_iter()
            .map(|(phrase, usage)| {
                let rank: f64 = phrase.iter().map(|&term| ranks[term as usize]).sum();
                let noun = nouns[terms::head(&talk, &phrase)];
                // A phrase of several words must be used to count for more than its words do by chance.
                let score = rank * noun * noun / (phrase.len() as f64).sqrt() * libm::log(1.0 + usage.free as f64);
                ScoredPhrase { score, phrase, usage }
            })
            .filter(|scored| scored.score > 0.0)
            .collect();
        let chosen = terms::distinct(scored, self.max);
        let best_score = chosen.first().map_or(1.0, |first| first.score);
        let mut keyphrases = Vec::new();
        for ScoredPhrase { score, phrase, usage } in &chosen {
            let weight = jackfield_text::confidence(score / best_score);
            let text = terms::display(&talk, phrase, all.clone());
            if let Some(sentence) = terms::example_sentence(&talk, phrase, usage.first..talk.sentences.len()) {
                let times = match usage.count {
                    1 => "once".to_owned(),
                    2 => "twice".to_owned(),
                    count => format!("{count} times"),
                };
                let finding = format!("{}, said {times}.", capitalised(&text));
                findings.add("keyphrase", finding, 0.4 + 0.5 * weight, talk.evidence(sentence));
            }
            keyphrases.push(Keyphrase { phrase: text, count: usage.count, weight });
        }
        Ok(KeyphraseList { keyphrases, findings: findings.list })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "the one phrase of a short talk".to_owned(),
            config: json!({ "max": 1 }),
            input: json!({ "segments": [
                { "id": "s1", "speaker": "Ann", "text": "The remote control needs a case." },
                { "id": "s2", "speaker": "Bo", "text": "A remote control without a case is cheap." },
            ] }),
            output: json!({
                "findings": [
                    {
                        "confidence": 0.9,
                        "evidence": [{"quote": "The remote control needs a case.", "segment": "s1", "speaker": "Ann"}],
                        "id": "keyphrases-1",
                        "kind": "keyphrase",
                        "source": "keyphrases",
                        "text": "Remote control, said twice.",
                    },
                ],
                "keyphrases": [{"count": 2, "phrase": "remote control", "weight": 1.0}],
            }),
        }]
    }
}
