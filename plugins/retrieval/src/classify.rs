//! Domains learned from examples.

use jackfield_plugin_api::prelude::*;

use crate::{
    embed::{Embedder, EmbedderConfig},
    examples::Examples,
    linear::LinearClassifier,
    ngrams::Ngrams,
    rows::{Rows, entries_of},
    scope::Scope,
    softmax::Softmax,
    vectors::Vectors,
};

/// The name of examples of no domain, and the label of a query that is of none.
pub const GENERAL: &str = "general";
/// The penalty on weights: see [`Softmax::fit`].
pub(crate) const L2: f64 = 1e-4;
/// Texts that are embedded together while examples are learned.
const BATCH: usize = 256;

/// Finds the domain of a text by its vector.
pub struct VectorClassifier {
    dimensions: usize,
    learned: Learned,
}

/// What is learned from vectors.
enum Learned {
    /// With examples of no domain, which say what is of none.
    Scoped { names: Vec<String>, domains: usize, softmax: Softmax, scope: Scope, threshold: f64 },
    /// Without.
    Linear(LinearClassifier),
}

/// Finds the domain of a text, without a model outside the process.
pub enum Classifier {
    /// By its words, pairs of words and parts of words.
    Words(Ngrams, LinearClassifier),
    /// By the vector that an embedder makes of it.
    Embedded(Embedder, VectorClassifier),
}

/// The domain of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The domain, or [`GENERAL`].
    pub label: String,
    /// Where there are examples of no domain: the probability that the text is of any. Else that the best domain is right.
    pub confidence: f64,
    /// Domains with their probabilities, best first; of two alike, by name.
    pub scores: Vec<(String, f64)>,
}

impl VectorClassifier {
    /// Learns domains from examples whose vectors these are, in order of [`Examples::texts`]. From those of no domain
    /// [`Scope`] learns what is of none, and fits the threshold unless it is given; without them a [`LinearClassifier`] is
    /// learned.
    #[must_use]
    pub fn learn(examples: &Examples, vectors: Vectors) -> Self {
        let (names, domains, labels) = (examples.names(), examples.domains(), examples.labels());
        let dimensions = vectors.dimensions();
        let rows = Rows::of(&vectors);
        let softmax = (names.len() > domains).then(|| Softmax::fit(&vectors, labels, names.len(), L2));
        let scoped = softmax.and_then(|softmax| Some((softmax, Scope::learn(vectors, labels, domains)?)));
        let learned = match scoped {
            Some((softmax, (scope, fitted))) => {
                let threshold = examples.believing().threshold.unwrap_or(fitted);
                Learned::Scoped { names: names.to_vec(), domains, softmax, scope, threshold }
            }
            None => Learned::Linear(LinearClassifier::learn(examples, &rows)),
        };
        Self { dimensions, learned }
    }

    /// Length of the vectors.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Least confidence with which a domain is believed.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        match &self.learned {
            Learned::Scoped { threshold, .. } => *threshold,
            Learned::Linear(linear) => linear.threshold(),
        }
    }

    /// The domain of a text whose vector this is.
    #[must_use]
    pub fn verdict(&self, vector: &[f32]) -> Verdict {
        match &self.learned {
            Learned::Scoped { names, domains, softmax, scope, threshold } => {
                let probabilities = softmax.probabilities(vector);
                let confidence = scope.probability(&probabilities, vector);
                Verdict::new(names, probabilities.into_iter().take(*domains), confidence, confidence >= *threshold)
            }
            Learned::Linear(linear) => linear.verdict(&entries_of(vector).collect::<Vec<_>>()),
        }
    }
}

impl Verdict {
    /// The verdict by the probabilities of the domains, which have these names: the likeliest, if it is believed.
    pub(crate) fn new(
        names: &[String],
        probabilities: impl IntoIterator<Item = f64>,
        confidence: f64,
        is_believed: bool,
    ) -> Self {
        let mut scores: Vec<(String, f64)> = names.iter().cloned().zip(probabilities).collect();
        scores.sort_by(|left, right| right.1.total_cmp(&left.1));
        let label = scores.first().filter(|_| is_believed).map_or(GENERAL, |best| &best.0).to_owned();
        Self { label, confidence, scores }
    }
}

impl Classifier {
    /// Learns domains from their examples; without an embedder, from the words and parts of words of the texts.
    ///
    /// # Errors
    /// As those of [`Embedder::open`] and [`Embedder::embed`].
    pub fn learn(examples: &Examples, embedder: Option<&EmbedderConfig>) -> Result<Self> {
        let Some(embedder) = embedder else {
            let (ngrams, rows) = Ngrams::learn(examples.texts());
            return Ok(Self::Words(ngrams, LinearClassifier::learn(examples, &rows)));
        };
        let embedder = Embedder::open(embedder, examples.texts())?;
        let mut vectors = embedder.embed(&[])?;
        for texts in examples.texts().collect::<Vec<_>>().chunks(BATCH) {
            vectors.append(&embedder.embed(texts)?);
        }
        Ok(Self::Embedded(embedder, VectorClassifier::learn(examples, vectors)))
    }

    /// The threshold that is applied.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        match self {
            Self::Words(_, linear) => linear.threshold(),
            Self::Embedded(_, by_vector) => by_vector.threshold(),
        }
    }

    /// The domain of each text.
    ///
    /// # Errors
    /// As those of [`Embedder::embed`].
    pub fn classify(&self, texts: &[&str]) -> Result<Vec<Verdict>> {
        match self {
            Self::Words(ngrams, linear) => Ok(texts.iter().map(|text| linear.verdict(&ngrams.vector(text))).collect()),
            Self::Embedded(embedder, by_vector) => {
                Ok(embedder.embed(texts)?.rows().map(|row| by_vector.verdict(row)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::examples::Believing;

    fn learned(
        all: &BTreeMap<String, Vec<String>>,
        threshold: Option<f64>,
        embedder: Option<&EmbedderConfig>,
    ) -> Result<Classifier> {
        Classifier::learn(&Examples::new(all, Believing { threshold, ..Believing::default() })?, embedder)
    }

    fn examples(general: bool) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::new();
        let mut add =
            |name: &str, texts: &[&str]| all.insert(name.to_owned(), texts.iter().map(|t| (*t).to_owned()).collect());
        add(
            "banking",
            &[
                "pay my bill",
                "what is my account balance",
                "transfer money to savings",
                "freeze my bank account",
                "pay a bill from my account",
            ],
        );
        add(
            "travel",
            &[
                "book a flight to rome",
                "is my flight on time",
                "find a hotel in paris",
                "which gate is my flight",
                "book a hotel near the airport",
            ],
        );
        if general {
            add(
                GENERAL,
                &[
                    "who won the game last night",
                    "why is the sky blue",
                    "tell me a story about dragons",
                    "how tall is that tree",
                    "what does this word mean",
                ],
            );
        }
        all
    }

    #[test]
    fn a_query_goes_to_the_domain_that_it_is_like() {
        let classifier = learned(&examples(false), Some(0.5), Some(&EmbedderConfig::default())).unwrap();
        let found = classifier.classify(&["please pay the bill", "flight to paris"]).unwrap();
        assert_eq!((&*found[0].label, &*found[1].label), ("banking", "travel"));
        assert!(found[0].confidence > 0.6 && found[0].scores[0].0 == "banking", "{found:?}");
    }

    #[test]
    fn a_query_below_the_threshold_is_general_and_keeps_its_scores() {
        let classifier = learned(&examples(false), Some(1.0), Some(&EmbedderConfig::default())).unwrap();
        let found = &classifier.classify(&["flight to paris"]).unwrap()[0];
        assert_eq!((&*found.label, &*found.scores[0].0), (GENERAL, "travel"));
        assert!(found.confidence < 1.0);
    }

    #[test]
    fn with_examples_of_no_domain_the_threshold_is_fitted_and_applied() {
        let classifier = learned(&examples(true), None, Some(&EmbedderConfig::default())).unwrap();
        assert!(classifier.threshold() > 0.0 && classifier.threshold() < 1.0);
        let found = classifier.classify(&["why is the tree tall", "pay my bill"]).unwrap();
        assert_eq!((&*found[0].label, &*found[1].label), (GENERAL, "banking"), "{found:?} {}", classifier.threshold());
    }

    #[test]
    fn without_an_embedder_words_and_their_parts_are_learned_from() {
        let classifier = learned(&examples(false), None, None).unwrap();
        let found = classifier.classify(&["please pay these bills", "flihgt to paris", "ъъъ", ""]).unwrap();
        let labels: Vec<&str> = found.iter().map(|verdict| &*verdict.label).collect();
        assert_eq!(labels, ["banking", "travel", GENERAL, GENERAL]);
        assert_eq!(found[2].confidence, 0.0);
        let sum: f64 = found[0].scores.iter().map(|score| score.1).sum();
        assert!((sum - 1.0).abs() < 1e-9);
        let scoped = learned(&examples(true), None, None).unwrap();
        let found = scoped.classify(&["why is the tree tall", "pay my bill"]).unwrap();
        assert_eq!((&*found[0].label, &*found[1].label), (GENERAL, "banking"), "{found:?} {}", scoped.threshold());
        assert!(found[0].confidence < found[1].confidence);
    }

    fn named(all: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        all.iter().map(|(name, texts)| ((*name).to_owned(), texts.iter().map(|t| (*t).to_owned()).collect())).collect()
    }

    #[test]
    fn a_few_examples_of_each_domain_keep_what_is_told_rightly() {
        // One, two and three, one of them twice, one empty.
        let all = named(&[
            ("banking", &["pay my bill"]),
            ("travel", &["book a flight", "book a flight", "find a hotel"]),
            ("weather", &["will it rain", "is it sunny", "", "how cold is it"]),
            (GENERAL, &["hello"]),
        ]);
        let classifier = learned(&all, None, None).unwrap();
        let found = classifier.classify(&["pay my bill", "book a hotel", "is it cold"]).unwrap();
        let labels: Vec<&str> = found.iter().map(|verdict| &*verdict.label).collect();
        assert_eq!(labels, ["banking", "travel", "weather"], "{found:?} {}", classifier.threshold());
    }

    #[test]
    fn forty_domains_are_believed_as_two_are() {
        let names: Vec<String> = (0..40).map(|at| format!("{}{}o", ["k", "v", "z", "q"][at % 4], at * 7919)).collect();
        let frames = ["where is my", "i lost the", "please send a", "what does it cost, the"];
        let all =
            names.iter().map(|name| (name.clone(), frames.map(|frame| format!("{frame} {name}")).to_vec())).collect();
        let classifier = learned(&all, None, None).unwrap();
        let asked: Vec<String> = names.iter().map(|name| format!("can you find the {name} for me")).collect();
        let found = classifier.classify(&asked.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        let kept = found.iter().zip(&names).filter(|(verdict, name)| verdict.label == **name).count();
        assert!(kept >= 36, "{kept} {}", classifier.threshold());
    }

    #[test]
    fn scripts_without_blanks_and_other_languages_are_told_apart() {
        let all = named(&[
            ("账单", &["我想付账单", "账单还没付", "怎么付水费账单"]),
            ("旅行", &["订一张机票", "机票多少钱", "帮我订酒店"]),
            ("Reise", &["Ich möchte einen Flug buchen", "Wann fährt der Zug?", "Hotelzimmer für zwei Nächte"]),
            ("Geld", &["Bitte die Rechnung bezahlen", "Wie hoch ist mein Kontostand?", "Geld überweisen"]),
        ]);
        let classifier = learned(&all, None, None).unwrap();
        let found =
            classifier.classify(&["付账单", "订机票", "FLÜGE und Züge buchen", "Kontostände, Rechnungen"]).unwrap();
        let best: Vec<&str> = found.iter().map(|verdict| &*verdict.scores[0].0).collect();
        assert_eq!(best, ["账单", "旅行", "Reise", "Geld"]);
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused_by_name() {
        let learn = |all: &BTreeMap<_, _>, threshold| learned(all, threshold, Some(&EmbedderConfig::default())).err();
        let mut all = examples(true);
        assert!(learn(&all, Some(1.5)).unwrap().message().contains("`threshold` is 1.5"));
        all.insert("empty".to_owned(), vec![" ".to_owned()]);
        assert!(learn(&all, None).unwrap().message().contains("`empty`"));
        all.retain(|name, _| name == "travel" || name == GENERAL);
        assert!(learn(&all, None).unwrap().message().contains("there are 1 domains"));
    }
}
