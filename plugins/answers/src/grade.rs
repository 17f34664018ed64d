//! The analyzer `grade`.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{language::Language, six_places};

use crate::{
    answer::Sentence,
    measures::{diversity, groundedness, recall},
    passage::{Hit, read_ids},
    ranking::{agreement, cited_early, ndcg, ranking},
    readability::reading_ease,
};

/// What is said of an answer in another language; in the same words of each, since the host counts them.
const NOT_ENGLISH: &str = "the readability of an answer in another language than English is not measured";

/// So many of the hits are held against the judgements by `ndcg`.
const JUDGED_DEPTH: usize = 10;

/// An answer, as far as it is measured: what `answer` answers.
#[derive(Clone, Debug, Document)]
pub struct Measured {
    /// The sentences, joined.
    pub text: String,
    /// The sentences, with what they cite.
    pub sentences: Vec<Sentence>,
    /// What it cost in USD.
    #[serde(default)]
    pub usd: f64,
}

/// What `grade` reads.
#[derive(Clone, Debug, Document)]
pub struct Graded {
    /// What was asked.
    #[serde(default)]
    pub query: String,
    /// The answer.
    pub answer: Measured,
    /// The passages that it was drawn from, best first.
    pub hits: Vec<Hit>,
    /// Ids of the documents that are relevant, where it is known. Numbers are read as the texts that they are written as.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_ids")]
    pub relevant: Option<Vec<String>>,
    /// How helpful users found such answers, 0 to 1, where they said so: what `feedback` answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub rating: Option<f64>,
}

/// What `grade` answers; null where something is not defined.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Grades {
    /// Share of the answer's sentences that the passages they cite bear out.
    pub groundedness: Option<f64>,
    /// Share of the relevant documents among the hits; null where none is known.
    pub recall: Option<f64>,
    /// How early the relevant documents come among the ten best hits, as normalised discounted cumulative gain, 0 to 1; null
    /// where none is known.
    pub ndcg: Option<f64>,
    /// How early the hits come that have the query's words or their like, 0 to 1: discounted gain over that of the same hits in
    /// the best order. A hit gains the cube of its support, which is the mean over the query's content words of 1 if the hit
    /// has the word, and else of the squared share of parts of three letters that the likest of its words has in common with it.
    /// It needs no judgements, and compares the hits of one query alone, so that how easy a query is does not count. Null where
    /// no hit has anything like a word of the query.
    pub ranking: Option<f64>,
    /// How early the hits come that the answer cites, 0 to 1, as `ndcg` with these as the relevant ones; null where it cites
    /// none.
    pub cited: Option<f64>,
    /// How far the two legs of the search agree on the order of the hits, 0 to 1: the share of pairs that `bm25` and `vector`
    /// put in the same order; null for fewer than two hits and where these scores are not there.
    pub agreement: Option<f64>,
    /// Flesch's reading ease: 60 to 70 is plain English, 0 is for scholars; null for an answer in another language.
    pub readability: Option<f64>,
    /// How unlike the cited passages are, 0 to 1; 0 for one passage.
    pub diversity: Option<f64>,
    /// What the answer cost in USD.
    pub usd: f64,
    /// Weighted mean of groundedness, recall and readability (its ease / 100, within 0 to 1), of those that there are.
    pub quality: Option<f64>,
    /// Weighted mean of all that there is, the measures of the ranking, cheapness (`1 - usd / dear`, at least 0), diversity and
    /// users' rating too; 0 for an answer that says nothing.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub reward: f64,
}

/// What each measure, 0 to 1, weighs in the reward. Those that say little of how good the ranking is weigh nothing by default.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Of groundedness.
    #[config(default = 0.4)]
    #[schemars(range(min = 0.0))]
    pub groundedness: f64,
    /// Of recall.
    #[config(default = 0.3)]
    #[schemars(range(min = 0.0))]
    pub recall: f64,
    /// Of how early the relevant documents come.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0))]
    pub ndcg: f64,
    /// Of how early the hits come that have the query's words.
    #[config(default = 1.0)]
    #[schemars(range(min = 0.0))]
    pub ranking: f64,
    /// Of how early the cited hits come.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0))]
    pub cited: f64,
    /// Of how far the legs of the search agree.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0))]
    pub agreement: f64,
    /// Of readability.
    #[config(default = 0.1)]
    #[schemars(range(min = 0.0))]
    pub readability: f64,
    /// Of diversity.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0))]
    pub diversity: f64,
    /// Of cheapness.
    #[config(default = 0.1)]
    #[schemars(range(min = 0.0))]
    pub cost: f64,
    /// Of users' rating.
    #[config(default = 0.2)]
    #[schemars(range(min = 0.0))]
    pub rating: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            groundedness: 0.4,
            recall: 0.3,
            ndcg: 0.5,
            ranking: 1.0,
            cited: 0.0,
            agreement: 0.0,
            readability: 0.1,
            diversity: 0.0,
            cost: 0.1,
            rating: 0.2,
        }
    }
}

/// Measures an answer and the passages that it cites, and makes one reward of it. Readability is measured of English only.
///
/// Support is lexical: a sentence is borne out if enough of its content words stand in the passages that it cites. What is
/// not defined (recall without judgements) is left out of the means rather than guessed.
#[derive(Clone, Debug, Config)]
pub struct Grade {
    /// Share of a sentence's distinct content words that the passages it cites must have, stemmed, to bear it out.
    #[config(default = 0.6)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub containment: f64,
    /// The cost in USD at which an answer is not cheap at all.
    #[config(default = 0.01)]
    #[schemars(range(min = 1e-9))]
    pub dear: f64,
    /// What each measure weighs in the reward.
    #[config(default)]
    pub weights: Weights,
}

impl Analyzer for Grade {
    const NAME: &'static str = "grade";
    const STABILITY: Stability = Stability::Experimental;
    type Input = Graded;
    type Output = Grades;

    fn open(self) -> Result<Self> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        let Self { containment, dear, weights } = &self;
        if !(0.0..=1.0).contains(containment) {
            return invalid(format!("`containment` is {containment}: it must be 0 to 1"));
        }
        if !(*dear >= 1e-9 && dear.is_finite()) {
            return invalid(format!("`dear` is {dear}: it must be a cost above 0"));
        }
        let Weights { groundedness, recall, ndcg, ranking, cited, agreement, readability, diversity, cost, rating } =
            *weights;
        for (name, weight) in [
            ("groundedness", groundedness),
            ("recall", recall),
            ("ndcg", ndcg),
            ("ranking", ranking),
            ("cited", cited),
            ("agreement", agreement),
            ("readability", readability),
            ("diversity", diversity),
            ("cost", cost),
            ("rating", rating),
        ] {
            if !(0.0..=1e6).contains(&weight) {
                return invalid(format!("`weights.{name}` is {weight}: it must be 0 to 1000000"));
            }
        }
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        let text = "The owl hunts mice at night.";
        let citation = json!({ "id": "owl", "quote": text });
        vec![Example {
            summary: "an answer that its passage bears out, from a search that found one of two relevant documents"
                .to_owned(),
            config: json!({}),
            input: json!({
                "query": "When do owls hunt?", "hits": [{ "id": "owl", "text": text }], "relevant": ["owl", "bat"],
                "answer": {
                    "text": text, "sentences": [{ "text": text, "citations": [citation] }], "mode": "extractive",
                    "tokens": { "input": 0, "output": 0 }, "usd": 0.0, "dropped_citations": 0, "misquoted": 0,
                },
            }),
            output: json!({
                "groundedness": 1.0, "recall": 0.5, "ndcg": 0.613_147, "ranking": 1.0, "cited": 1.0, "agreement": null,
                "readability": 116.145, "diversity": 0.0, "usd": 0.0, "quality": 0.8125, "reward": 0.856_906,
            }),
        }]
    }

    async fn analyze(&self, input: Graded, host: &Host<'_>) -> Result<Grades> {
        let Graded { query, answer, hits, relevant, rating } = &input;
        let relevant = relevant.as_deref().unwrap_or_default();
        let groundedness = groundedness(&answer.sentences, hits, self.containment);
        let recall = recall(hits, relevant);
        let ndcg = ndcg(hits, relevant, JUDGED_DEPTH);
        let ranking = ranking(query, hits);
        let cited = cited_early(&answer.sentences, hits);
        let agreement = agreement(hits);
        let language = Language::of([answer.text.as_str()]);
        if language != Language::English {
            host.log(Level::Warn, NOT_ENGLISH);
        }
        let readability = reading_ease(&answer.text).filter(|_| language == Language::English);
        let diversity = diversity(&answer.sentences, hits);
        let ease = readability.map(|ease| (ease / 100.0).clamp(0.0, 1.0));
        // A cost below 0 does not make an answer cheaper than free.
        let cheapness = answer.usd.is_finite().then(|| (1.0 - answer.usd.max(0.0) / self.dear).max(0.0));
        let weights = &self.weights;
        let quality_parts =
            [(weights.groundedness, groundedness), (weights.recall, recall), (weights.readability, ease)];
        let quality = mean(&quality_parts);
        let [weighted_groundedness, weighted_recall, weighted_readability] = quality_parts;
        let reward = mean(&[
            weighted_groundedness,
            weighted_recall,
            weighted_readability,
            (weights.ndcg, ndcg),
            (weights.ranking, ranking),
            (weights.cited, cited),
            (weights.agreement, agreement),
            (weights.diversity, diversity),
            (weights.cost, cheapness),
            (weights.rating, rating.filter(|rating| (0.0..=1.0).contains(rating))),
        ]);
        let reward = if answer.sentences.is_empty() { 0.0 } else { reward.unwrap_or(0.0) };
        Ok(Grades {
            groundedness: groundedness.map(six_places),
            recall: recall.map(six_places),
            ndcg: ndcg.map(six_places),
            ranking: ranking.map(six_places),
            cited: cited.map(six_places),
            agreement: agreement.map(six_places),
            readability: readability.map(six_places),
            diversity: diversity.map(six_places),
            usd: answer.usd,
            quality: quality.map(six_places),
            reward: six_places(reward),
        })
    }
}

/// Weighted mean of the measures that are defined; none if none is, or if those that are have no weight.
fn mean(parts: &[(f64, Option<f64>)]) -> Option<f64> {
    let defined = || parts.iter().filter_map(|(weight, value)| value.map(|value| (weight, value)));
    let total_weight: f64 = defined().map(|(weight, _)| weight).sum();
    (total_weight > 0.0).then(|| defined().map(|(weight, value)| weight * value).sum::<f64>() / total_weight)
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, call, check_examples},
    };
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn grade(config: Value, text: &str, cited: &str, usd: f64, relevant: Value) -> Result<Value> {
        let answered = call(
            Kind::Analyzer,
            "answer",
            json!({}),
            json!({ "query": text, "hits": [{ "id": cited, "text": text }] }),
            &FakeHost::default(),
        );
        let mut answer = answered.unwrap();
        answer["usd"] = json!(usd);
        let input = json!({
            "answer": answer, "relevant": relevant,
            "hits": [{ "id": "owl", "text": "The owl hunts mice at night." }, { "id": "fox", "text": "Foxes sleep." }],
        });
        call(Kind::Analyzer, "grade", config, input, &FakeHost::default())
    }

    #[test]
    fn examples_hold() {
        check_examples(Kind::Analyzer, "grade", &FakeHost::default());
    }

    #[test]
    fn ids_may_be_numbers() {
        let answer = json!({ "text": "Mice hide.", "sentences": [{ "text": "Mice hide.", "citations": [] }] });
        let graded = json!({ "answer": answer, "hits": [{ "id": 7, "text": "Mice hide." }], "relevant": [7, "8"] });
        let grades = call(Kind::Analyzer, "grade", json!({}), graded, &FakeHost::default()).unwrap();
        assert_eq!(grades["recall"], 0.5);
    }

    #[test]
    fn the_readability_of_another_language_is_not_guessed_and_that_is_said() {
        let text = "Die Eule jagt in der Nacht, und die Maus ist nicht mehr da.";
        let answer = json!({ "text": text, "sentences": [{ "text": text, "citations": [] }] });
        let host = FakeHost::default();
        let grades = call(Kind::Analyzer, "grade", json!({}), json!({ "answer": answer, "hits": [] }), &host).unwrap();
        assert_eq!((&grades["readability"], &grades["groundedness"]), (&Value::Null, &json!(0.0)));
        assert_eq!(host.logged(), [(Level::Warn, NOT_ENGLISH.to_owned())]);
    }

    #[test]
    fn what_is_not_defined_is_null_and_not_in_the_reward() {
        let weights = json!({ "weights": { "readability": 0, "ndcg": 0, "ranking": 0, "cost": 0 } });
        let without = grade(weights.clone(), "Owls hunt.", "owl", 0.0, Value::Null).unwrap();
        assert_eq!((&without["recall"], &without["reward"]), (&Value::Null, &json!(1.0)));
        let with = grade(weights, "Owls hunt.", "owl", 0.0, json!(["fox", "cat"])).unwrap();
        assert_eq!(with["recall"], 0.5);
        assert_eq!(with["reward"], json!(six_places((0.4 + 0.3 * 0.5) / 0.7)));
    }

    #[test]
    fn a_dearer_answer_has_a_lower_reward_and_the_same_quality() {
        let [free, dear] = [0.0, 0.01].map(|usd| grade(json!({}), "Owls hunt.", "owl", usd, Value::Null).unwrap());
        assert_eq!(free["quality"], dear["quality"]);
        assert!(free["reward"].as_f64() > dear["reward"].as_f64());
    }

    #[test]
    fn the_order_of_the_passages_is_part_of_the_reward_and_judgements_are_too_where_there_are_any() {
        let [owl, fox] = [("owl", "The owl hunts mice at night."), ("fox", "Foxes sleep.")]
            .map(|(id, text)| json!({ "id": id, "text": text }));
        let answer = json!({ "text": "The owl hunts.", "sentences": [
            { "text": "The owl hunts.", "citations": [{ "id": "owl", "quote": "The owl hunts" }] },
        ] });
        let graded = |hits: Value, relevant: Value| {
            let input = json!({ "query": "when do owls hunt", "answer": answer, "hits": hits, "relevant": relevant });
            call(Kind::Analyzer, "grade", json!({}), input, &FakeHost::default()).unwrap()
        };
        let (good, bad) = (json!([owl, fox]), json!([fox, owl]));
        let reward = |grades: &Value| grades["reward"].as_f64().unwrap();
        let [first, second] = [&good, &bad].map(|hits| graded(hits.clone(), Value::Null));
        assert_eq!((&first["ranking"], &first["cited"], &first["ndcg"]), (&json!(1.0), &json!(1.0), &Value::Null));
        assert!(second["ranking"].as_f64() < Some(0.7) && reward(&second) < reward(&first) - 0.2, "{second}");
        // A judgement that says otherwise counts.
        let [judged, unjudged] = [json!(["fox"]), Value::Null].map(|relevant| reward(&graded(bad.clone(), relevant)));
        assert!(judged > unjudged);
    }

    #[test]
    fn what_users_say_of_it_is_part_of_the_reward_alone() {
        let answer = call(
            Kind::Analyzer,
            "answer",
            json!({}),
            json!({ "query": "Owls hunt.", "hits": [{ "id": "owl", "text": "Owls hunt." }] }),
            &FakeHost::default(),
        );
        let answer = answer.unwrap();
        let rated = |rating: Value| {
            let hits = json!([{ "id": "owl", "text": "Owls hunt." }]);
            let input = json!({ "answer": answer, "hits": hits, "relevant": ["owl", "bat"], "rating": rating });
            call(Kind::Analyzer, "grade", json!({}), input, &FakeHost::default()).unwrap()
        };
        let (good, bad, none) = (rated(json!(1.0)), rated(json!(0.0)), rated(Value::Null));
        assert_eq!((&good["quality"], &good["quality"]), (&bad["quality"], &none["quality"]));
        let reward = |grades: &Value| grades["reward"].as_f64().unwrap();
        assert!(reward(&good) > reward(&none) && reward(&none) > reward(&bad));
    }

    #[test]
    fn an_answer_that_says_nothing_earns_nothing() {
        let empty = grade(json!({}), "", "owl", 0.0, json!(["owl"])).unwrap();
        assert_eq!(
            (&empty["groundedness"], &empty["readability"], &empty["reward"]),
            (&Value::Null, &Value::Null, &json!(0.0))
        );
    }

    #[test]
    fn settings_that_mean_nothing_are_refused_by_name() {
        for (config, named) in [
            (json!({ "containment": 2 }), "`containment` is 2"),
            (json!({ "dear": 0 }), "`dear` is 0"),
            (json!({ "weights": { "cost": -1 } }), "`weights.cost` is -1"),
            (json!({ "weights": { "price": 1 } }), "price"),
        ] {
            assert!(grade(config, "x", "owl", 0.0, Value::Null).unwrap_err().message().contains(named), "{named}");
        }
    }

    proptest! {
        #[test]
        fn the_reward_stays_within_0_and_1(text in "\\PC{0,60}", usd in -1.0f64..10.0, some in any::<bool>()) {
            let relevant = if some { json!(["owl"]) } else { Value::Null };
            let reward = grade(json!({}), &text, "owl", usd, relevant).unwrap()["reward"].as_f64().unwrap();
            prop_assert!((0.0..=1.0).contains(&reward));
        }
    }
}
