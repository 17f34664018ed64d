//! Domains learned from examples.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::{
    embed::{Embedder, EmbedderConfig},
    scope::Scope,
    softmax::Softmax,
    vectors::Vectors,
};

/// The name of examples of no domain, and the label of a query that is of none.
pub const GENERAL: &str = "general";
/// The penalty on weights: see [`Softmax::fit`].
pub(crate) const L2: f64 = 1e-4;
/// The threshold where there is nothing to fit it on.
const THRESHOLD: f64 = 0.5;
/// Texts that are embedded together while examples are learned.
const BATCH: usize = 256;

/// Texts whose domains are known, to learn from.
#[derive(Clone, Debug)]
pub struct Examples {
    /// Names of the domains, and last [`GENERAL`] where there are examples of it.
    names: Vec<String>,
    domains: usize,
    /// Grouped by name.
    texts: Vec<String>,
    /// For each text, the index of its name.
    labels: Vec<usize>,
    threshold: Option<f64>,
}

/// Finds the domain of a text by its vector.
pub struct VectorClassifier {
    /// Names of the domains, and last [`GENERAL`] where there are examples of it.
    names: Vec<String>,
    domains: usize,
    softmax: Softmax,
    /// Whether a text is of any domain, where examples of none say what that looks like.
    scope: Option<Scope>,
    threshold: f64,
    dimensions: usize,
}

/// Finds the domain of a text, with an embedder in the process.
pub struct Classifier {
    embedder: Embedder,
    by_vector: VectorClassifier,
}

/// The domain of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The domain, or [`GENERAL`].
    pub label: String,
    /// Where there are examples of no domain: the probability that the text is of any. Else that of the best domain.
    pub confidence: f64,
    /// Domains with their probabilities, best first; of two alike, by name.
    pub scores: Vec<(String, f64)>,
}

impl Examples {
    /// Examples by domain; those named [`GENERAL`] are of no domain. Without a threshold it is fitted on those of no domain,
    /// or 0.5 where there are none.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if there are fewer than two domains, a domain has no examples, or the threshold is not
    /// within 0 to 1.
    pub fn new(examples: &BTreeMap<String, Vec<String>>, threshold: Option<f64>) -> Result<Self> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        if let Some(threshold) = threshold.filter(|threshold| !(0.0..=1.0).contains(threshold)) {
            return invalid(format!("`threshold` is {threshold}: it must be 0 to 1"));
        }
        let general = examples.get(GENERAL).filter(|texts| !texts.is_empty());
        let mut names: Vec<String> = examples.keys().filter(|name| *name != GENERAL).cloned().collect();
        if let Some(empty) = names.iter().find(|name| examples[*name].iter().all(|text| text.trim().is_empty())) {
            return invalid(format!("the domain `{empty}` has no examples: give it a few texts"));
        }
        let domains = names.len();
        if domains < 2 {
            let hint = "name at least two in `domains` or `domains_file`, each with a few texts";
            return invalid(format!("there are {domains} domains to tell apart: {hint}"));
        }
        names.extend(general.map(|_| GENERAL.to_owned()));
        let (mut texts, mut labels) = (Vec::new(), Vec::new());
        for (label, name) in names.iter().enumerate() {
            texts.extend(examples[name].iter().cloned());
            labels.resize(texts.len(), label);
        }
        Ok(Self { names, domains, texts, labels, threshold })
    }

    /// The texts, in an order of their own.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }
}

impl VectorClassifier {
    /// Learns domains from examples whose vectors these are, in order of [`Examples::texts`]. From those of no domain
    /// [`Scope`] learns what is of none, and fits the threshold unless it is given.
    #[must_use]
    pub fn learn(examples: &Examples, vectors: Vectors) -> Self {
        let Examples { names, domains, labels, threshold, .. } = examples;
        let dimensions = vectors.dimensions();
        let softmax = Softmax::fit(&vectors, labels, names.len(), L2);
        let fitted = (names.len() > *domains).then(|| Scope::learn(vectors, labels, *domains)).flatten();
        let threshold = threshold.or(fitted.as_ref().map(|(_, fitted)| *fitted)).unwrap_or(THRESHOLD);
        let scope = fitted.map(|(scope, _)| scope);
        Self { names: names.clone(), domains: *domains, softmax, scope, threshold, dimensions }
    }

    /// Length of the vectors.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The domain of a text whose vector this is.
    #[must_use]
    pub fn verdict(&self, vector: &[f32]) -> Verdict {
        let probabilities = self.softmax.probabilities(vector);
        let inside = self.scope.as_ref().map(|scope| scope.probability(&probabilities, vector));
        let mut scores: Vec<(String, f64)> = self.names.iter().cloned().zip(probabilities).take(self.domains).collect();
        scores.sort_by(|left, right| right.1.total_cmp(&left.1));
        let confidence = inside.unwrap_or_else(|| scores.first().map_or(0.0, |best| best.1));
        let label = scores.first().filter(|_| confidence >= self.threshold).map_or(GENERAL, |best| &best.0).to_owned();
        Verdict { label, confidence, scores }
    }
}

impl Classifier {
    /// Learns domains from their examples.
    ///
    /// # Errors
    /// As those of [`Examples::new`] and of [`Self::of`].
    pub fn learn(
        examples: &BTreeMap<String, Vec<String>>,
        embedder: &EmbedderConfig,
        threshold: Option<f64>,
    ) -> Result<Self> {
        Self::of(&Examples::new(examples, threshold)?, embedder)
    }

    /// Learns domains from examples.
    ///
    /// # Errors
    /// As those of [`Embedder::open`] and [`Embedder::embed`].
    pub fn of(examples: &Examples, embedder: &EmbedderConfig) -> Result<Self> {
        let embedder = Embedder::open(embedder, examples.texts())?;
        let mut vectors = embedder.embed(&[])?;
        for texts in examples.texts().collect::<Vec<_>>().chunks(BATCH) {
            vectors.append(&embedder.embed(texts)?);
        }
        Ok(Self { embedder, by_vector: VectorClassifier::learn(examples, vectors) })
    }

    /// The threshold that is applied.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.by_vector.threshold
    }

    /// Applies another threshold from now on.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f64) -> Self {
        self.by_vector.threshold = threshold;
        self
    }

    /// The domain of each text.
    ///
    /// # Errors
    /// As those of [`Embedder::embed`].
    pub fn classify(&self, texts: &[&str]) -> Result<Vec<Verdict>> {
        Ok(self.embedder.embed(texts)?.rows().map(|row| self.by_vector.verdict(row)).collect())
    }

    /// What makes vectors of texts.
    #[must_use]
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// The classifier of vectors.
    #[must_use]
    pub fn by_vector(&self) -> &VectorClassifier {
        &self.by_vector
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let classifier = Classifier::learn(&examples(false), &EmbedderConfig::default(), Some(0.5)).unwrap();
        let found = classifier.classify(&["please pay the bill", "flight to paris"]).unwrap();
        assert_eq!((&*found[0].label, &*found[1].label), ("banking", "travel"));
        assert!(found[0].confidence > 0.6 && found[0].scores[0].0 == "banking", "{found:?}");
    }

    #[test]
    fn a_query_below_the_threshold_is_general_and_keeps_its_scores() {
        let classifier = Classifier::learn(&examples(false), &EmbedderConfig::default(), Some(1.0)).unwrap();
        let found = &classifier.classify(&["flight to paris"]).unwrap()[0];
        assert_eq!((&*found.label, &*found.scores[0].0), (GENERAL, "travel"));
        assert!(found.confidence < 1.0);
    }

    #[test]
    fn with_examples_of_no_domain_the_threshold_is_fitted_and_applied() {
        let classifier = Classifier::learn(&examples(true), &EmbedderConfig::default(), None).unwrap();
        assert!(classifier.threshold() > 0.0 && classifier.threshold() < 1.0 && classifier.threshold() != THRESHOLD);
        let found = classifier.classify(&["why is the tree tall", "pay my bill"]).unwrap();
        assert_eq!((&*found[0].label, &*found[1].label), (GENERAL, "banking"), "{found:?} {}", classifier.threshold());
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused_by_name() {
        let learn =
            |all: &BTreeMap<_, _>, threshold| Classifier::learn(all, &EmbedderConfig::default(), threshold).err();
        let mut all = examples(true);
        assert!(learn(&all, Some(1.5)).unwrap().message().contains("`threshold` is 1.5"));
        all.insert("empty".to_owned(), vec![" ".to_owned()]);
        assert!(learn(&all, None).unwrap().message().contains("`empty`"));
        all.retain(|name, _| name == "travel" || name == GENERAL);
        assert!(learn(&all, None).unwrap().message().contains("there are 1 domains"));
    }
}
