//! The analyzer `domain`.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{normal::composed, six_places, words::has_words};

use crate::{
    classify::{Classifier, GENERAL, VectorClassifier, Verdict},
    embed::{self, EmbedderConfig, embed_by_model, embed_cached},
    examples::{Believing, Examples, RIGHT_ANSWERS_KEPT},
    learning::{LearnedOnce, embed_all},
};

/// How many domains are answered with their scores.
const SHOWN: usize = 3;

/// What `domain` reads.
#[derive(Clone, Debug, Document)]
pub struct Text {
    /// The query.
    pub text: String,
}

/// A domain and how likely it is.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Score {
    /// The domain.
    pub label: String,
    /// Its probability, 0 to 1.
    pub score: f64,
}

/// What `domain` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct DomainOf {
    /// The domain, or `general` where none is likely enough.
    pub label: String,
    /// With examples named `general`, the probability that the query is of any domain, 0 to 1; without, that the best domain
    /// is right, whether or not it is the label. Six decimal places.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: f64,
    /// The three likeliest domains, likeliest first, with their probabilities if the query is of one of all domains.
    pub scores: Vec<Score>,
}

/// Tells the domain of a query, from a few example texts of each domain.
///
/// What is learned from the examples, when the stage is opened, are their words, pairs of words and parts of words, by linear
/// support vector machines: no model and no file is needed, and misspelt words, compounds and scripts without blanks are told
/// too. With an `embedder` vectors are learned from instead, which know synonyms; where the stage's model makes them, when the
/// first document comes.
///
/// How sure the answer is follows from examples that are judged by what the others teach. Examples under the name `general`
/// are of no domain: from them it is learned what is of none, and the threshold is fitted, unless it is given. There the shares
/// of the examples count as those of the queries: with few `general` examples among many of domains little is withheld.
/// Without, the threshold is set so that answers that are right stay above it, whatever the number of domains. A query that
/// shares nothing with any example is `general`.
#[derive(Config)]
pub struct Domain {
    /// Example texts of each domain; those named `general` are of none.
    #[config(default)]
    pub domains: BTreeMap<String, Vec<String>>,
    /// A JSON file of the same shape, `{"name": ["text", …]}`, added to `domains`.
    pub domains_file: Option<TextFile>,
    /// What makes vectors of texts to learn from. By default there are none: domains are learned from the words of the examples,
    /// pairs of them, and parts of them.
    pub embedder: Option<EmbedderConfig>,
    /// Least confidence with which a domain is believed. By default fitted on examples named `general` so that F1 of what is
    /// withheld is greatest; without any, so that `right_answers_kept` is reached.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: Option<f64>,
    /// Where the threshold is fitted without examples named `general`: the share of right answers that it shall keep.
    #[config(default = RIGHT_ANSWERS_KEPT)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub right_answers_kept: f64,
    /// What was learned.
    #[serde(skip)]
    #[schemars(skip)]
    learned: Option<Learned>,
}

/// What was learned.
enum Learned {
    /// With an embedder in the process, when the stage was opened.
    Opened(Box<Classifier>),
    /// With the vectors of the stage's model, when the first document came.
    ByModel(Examples, LearnedOnce<VectorClassifier>),
}

impl Analyzer for Domain {
    const NAME: &'static str = "domain";
    const STABILITY: Stability = Stability::Experimental;
    type Input = Text;
    type Output = DomainOf;

    fn open(mut self) -> Result<Self> {
        let mut examples = self.domains.clone();
        if let Some(file) = &self.domains_file {
            let domains: BTreeMap<String, Vec<String>> = serde_json::from_str(&file.text).map_err(|error| {
                let hint = "it has to hold `{\"name\": [\"text\", …], …}`";
                Failure::InvalidConfig(format!("cannot use the domains in `{}`: {error}; {hint}", file.path))
            })?;
            for (name, texts) in domains {
                examples.entry(name).or_default().extend(texts);
            }
        }
        let believing = Believing { threshold: self.threshold, right_answers_kept: self.right_answers_kept };
        let examples = Examples::new(&examples, believing)?;
        let embedder = self.embedder.as_ref();
        self.learned = Some(if embedder.is_some_and(EmbedderConfig::is_of_stage) {
            Learned::ByModel(examples, LearnedOnce::default())
        } else {
            Learned::Opened(Box::new(Classifier::learn(&examples, embedder)?))
        });
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "a query that is like an example of banking".to_owned(),
            config: json!({
                "domains": { "banking": ["pay my bill", "account balance"], "travel": ["book a flight", "find a hotel"] },
                "threshold": 0.6,
            }),
            input: json!({ "text": "pay my bill" }),
            output: json!({
                "label": "banking", "confidence": 0.876_685,
                "scores": [{ "label": "banking", "score": 0.832_585 }, { "label": "travel", "score": 0.167_415 }],
            }),
        }]
    }

    fn permissions() -> Vec<Permission> {
        embed::permissions()
    }

    async fn analyze(&self, input: Text, host: &Host<'_>) -> Result<DomainOf> {
        let mut answers = self.analyze_batch(vec![input], std::slice::from_ref(host)).await;
        answers.pop().expect("one verdict for one text")
    }

    async fn analyze_batch(&self, inputs: Vec<Text>, hosts: &[Host<'_>]) -> Vec<Result<DomainOf>> {
        let texts: Vec<_> = inputs.iter().map(|input| composed(&input.text)).collect();
        let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
        let hosts: Vec<&Host<'_>> = hosts.iter().collect();
        match self.verdicts(&texts, &hosts).await {
            Ok(verdicts) => {
                let answer = |(verdict, text): (Result<Verdict>, &&str)| verdict.map(|verdict| answer(verdict, text));
                verdicts.into_iter().zip(&texts).map(answer).collect()
            }
            Err(failure) => inputs.iter().map(|_| Err(failure.clone())).collect(),
        }
    }
}

impl Domain {
    /// A verdict for each text, unless all fail.
    async fn verdicts(&self, texts: &[&str], hosts: &[&Host<'_>]) -> Result<Vec<Result<Verdict>>> {
        match &self.learned {
            Some(Learned::Opened(classifier)) => {
                let verdicts = match &**classifier {
                    Classifier::Words(..) => classifier.classify(texts)?,
                    Classifier::Embedded(embedder, by_vector) => {
                        let vectors = embed_cached(embedder, texts, hosts).await?;
                        vectors.rows().map(|row| by_vector.verdict(row)).collect()
                    }
                };
                Ok(verdicts.into_iter().map(Ok).collect())
            }
            Some(Learned::ByModel(examples, learned)) => {
                let Some(host) = hosts.first() else { return Ok(Vec::new()) };
                let classifier = learned.get(|| learn(examples, host)).await?;
                let vectors = embed_by_model(texts, hosts, Some(classifier.dimensions())).await;
                Ok(vectors.into_iter().map(|row| row.map(|row| classifier.verdict(&row))).collect())
            }
            None => Err(Failure::Internal("`domain` was called before it was opened".to_owned())),
        }
    }
}

/// Learns from vectors of the stage's model.
async fn learn(examples: &Examples, host: &Host<'_>) -> Result<VectorClassifier> {
    let texts: Vec<&str> = examples.texts().collect();
    let vectors = embed_all(&texts, host, "examples", |index| format!("the example {:?}", texts[index])).await?;
    Ok(VectorClassifier::learn(examples, vectors))
}

fn answer(verdict: Verdict, text: &str) -> DomainOf {
    let scores = verdict.scores.into_iter().take(SHOWN);
    // A text without a word is like no example: what is likely then is only what is common.
    let label = if has_words(text) { verdict.label } else { GENERAL.to_owned() };
    DomainOf {
        label,
        confidence: six_places(verdict.confidence),
        scores: scores.map(|(label, score)| Score { label, score: six_places(score) }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, call, check_examples},
    };

    use super::*;

    #[test]
    fn examples_hold() {
        check_examples(Kind::Analyzer, "domain", &FakeHost::default());
    }

    #[test]
    fn a_file_adds_to_the_domains_of_the_table() {
        let file =
            json!({ "path": "d.json", "text": "{\"travel\": [\"book a flight\"], \"banking\": [\"wire money\"]}" });
        let config = json!({ "domains": { "banking": ["pay my bill"] }, "domains_file": file, "threshold": 0.0 });
        let ask = |text: &str| {
            call(Kind::Analyzer, "domain", config.clone(), json!({ "text": text }), &FakeHost::default()).unwrap()
        };
        assert_eq!((&ask("wire")["label"], &ask("flight")["label"]), (&json!("banking"), &json!("travel")));
        assert_eq!((&ask("")["label"], &ask(" ?!")["label"]), (&json!("general"), &json!("general")));
        let broken = json!({ "domains_file": { "path": "d.json", "text": "[]" } });
        let failure = call(Kind::Analyzer, "domain", broken, json!({ "text": "" }), &FakeHost::default()).unwrap_err();
        assert!(matches!(&failure, Failure::InvalidConfig(why) if why.contains("d.json")), "{failure}");
    }
}
