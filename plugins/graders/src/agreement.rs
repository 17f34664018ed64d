//! The analyzer `agreement`: how far raters agree.

use std::cmp::Ordering;

use jackfield_plugin_api::prelude::*;
use jackfield_statistics::{
    Draws,
    agreement::{self as measures, cohen_kappa, krippendorff_alpha, raw_agreement},
    bootstrap::{percentile_interval, redraw},
};

use crate::plain::Plain;

/// What `agreement` reads: ratings of the same items by several raters.
#[derive(Clone, Debug, Default, Document)]
pub struct Ratings {
    /// The ratings of each rater, each with one element for each item, in the same order; null where an item was not rated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratings: Option<Vec<Vec<Option<Plain>>>>,
    /// The ratings of one rater, where there are two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a: Option<Vec<Option<Plain>>>,
    /// Those of the other one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<Vec<Option<Plain>>>,
}

/// What ratings mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Names: they are the same or not.
    #[default]
    Nominal,
    /// An order: how many ratings lie between two values counts.
    Ordinal,
    /// Numbers: the square of the difference counts.
    Interval,
}

/// How much a disagreement weighs in Cohen's kappa.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum KappaWeights {
    /// Every disagreement is as bad.
    #[default]
    None,
    /// By how many values apart it is.
    Linear,
    /// By the square of that.
    Quadratic,
}

/// How far raters agree beyond chance: Cohen's kappa of two, and Krippendorff's alpha of any number, where ratings may be missing.
///
/// Hold a judge against people with it before you trust it: `a = "all.judge.score"`, `b = "all.input.rating"`. 1 is agreement, 0
/// what chance would give; Krippendorff takes 0.8 for reliable, and 0.667 for the least from which to draw conclusions. A text
/// that is a number is that number.
#[derive(Clone, Debug, Config)]
pub struct Agreement {
    /// What ratings mean, for Krippendorff's alpha: `nominal`, `ordinal` or `interval`.
    #[config(default)]
    pub scale: Scale,
    /// How much a disagreement weighs, for Cohen's kappa: `none`, `linear` or `quadratic`, by the order of the values that occur.
    #[config(default)]
    pub weights: KappaWeights,
    /// The values in ascending order, where they are no numbers but have an order: `["bad", "fair", "good"]`.
    #[config(default)]
    pub order: Vec<String>,
    /// How often an interval holds the truth.
    #[config(default = 0.95)]
    #[schemars(range(min = 0.5, max = 0.9999))]
    pub level: f64,
    /// Draws of the bootstrap; 0 for no intervals. Of more than 100,000 items as many fewer as there are more items, but 100 at
    /// least. The seed is that of the run.
    #[config(default = 1_000)]
    #[schemars(range(min = 0, max = 100_000))]
    pub draws: u32,
}

/// What `agreement` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct AgreementOf {
    /// How many items have two ratings or more.
    pub items: u64,
    /// How many raters there are.
    pub raters: u64,
    /// The share of pairs of ratings of an item that are the same.
    pub raw: Measure,
    /// Cohen's kappa (1960; weighted, 1968), of the items that both have rated; null if there are not two raters.
    pub kappa: Option<Measure>,
    /// Krippendorff's alpha (2011).
    pub alpha: Measure,
}

/// How far raters agree.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
pub struct Measure {
    /// The figure; null where it is not defined, such as where all ratings are the same.
    pub value: Option<f64>,
    /// Its interval, by drawing items again (percentiles of the bootstrap).
    pub interval: Option<Interval>,
}

/// An interval.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
pub struct Interval {
    /// Its low end.
    pub low: f64,
    /// Its high end.
    pub high: f64,
    /// How often such an interval holds the truth.
    pub level: f64,
}

/// A value that a rating has.
#[derive(Clone, Debug, PartialEq)]
enum Rating {
    Number(f64),
    Text(String),
}

impl Rating {
    fn of(value: &Plain) -> Self {
        let text = value.to_text();
        match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Self::Number(number + 0.0),
            _ => Self::Text(text.trim().to_owned()),
        }
    }

    /// Numbers before texts.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
        }
    }
}

/// The ratings as numbers of values.
struct Coded {
    /// By rater, then by item.
    ratings: Vec<Vec<Option<u32>>>,
    /// What each value is as a number.
    values: Vec<f64>,
}

impl Agreement {
    fn has_order(&self) -> bool {
        self.scale != Scale::Nominal || self.weights != KappaWeights::None
    }

    /// The values of all ratings in order, and which of them each rating is.
    fn code(&self, raters: &[Vec<Option<Plain>>]) -> Result<Coded> {
        let mut values: Vec<Rating> = self.order.iter().map(|name| Rating::of(&Plain::Text(name.clone()))).collect();
        let coded: Vec<Vec<Option<Rating>>> =
            raters.iter().map(|ratings| ratings.iter().map(|value| value.as_ref().map(Rating::of)).collect()).collect();
        if self.order.is_empty() {
            values = coded.iter().flatten().flatten().cloned().collect();
            values.sort_unstable_by(Rating::compare);
            values.dedup();
            if let Some(Rating::Text(text)) = values.last().filter(|_| self.has_order()) {
                let hint = "list the values in ascending order in `order`";
                return Err(Failure::InvalidInput(format!("the rating {text:?} is not a number: {hint}")));
            }
        }
        // Sorted, so that a value is found by halves.
        let mut sorted: Vec<u32> = (0..values.len() as u32).collect();
        sorted.sort_unstable_by(|one, other| values[*one as usize].compare(&values[*other as usize]));
        let number = |rating: Rating| match sorted.binary_search_by(|at| values[*at as usize].compare(&rating)) {
            Ok(at) => Ok(sorted[at]),
            Err(_) => Err(Failure::InvalidInput(match rating {
                Rating::Number(number) => format!("the rating {number} is not in `order`"),
                Rating::Text(text) => format!("the rating {text:?} is not in `order`"),
            })),
        };
        let ratings = coded
            .into_iter()
            .map(|ratings| ratings.into_iter().map(|rating| rating.map(number).transpose()).collect())
            .collect::<Result<_>>()?;
        let place = |(at, value): (usize, &Rating)| match value {
            Rating::Number(number) if self.order.is_empty() => *number,
            _ => at as f64,
        };
        Ok(Coded { ratings, values: values.iter().enumerate().map(place).collect() })
    }

    fn draws(&self, items: usize, seed: u64) -> Draws {
        let most = (100_000_000 / items.max(1)).max(100);
        let count = if items > 100_000 { self.draws.min(u32::try_from(most).unwrap_or(u32::MAX)) } else { self.draws };
        Draws { count, level: self.level, seed }
    }
}

/// A figure of items, given by their numbers, with its interval.
fn measure(items: usize, draws: &Draws, statistic: impl Fn(&mut dyn Iterator<Item = usize>) -> Option<f64>) -> Measure {
    let value = statistic(&mut (0..items));
    if value.is_none() || items < 2 || draws.count == 0 {
        return Measure { value, interval: None };
    }
    let mut drawn =
        redraw(items, draws, |indices| statistic(&mut indices.iter().map(|index| *index as usize)).unwrap_or(f64::NAN));
    // A draw in which all ratings are the same has no figure.
    drawn.retain(|value| !value.is_nan());
    let enough = 2 * drawn.len() >= draws.count as usize;
    let interval = percentile_interval(&mut drawn, draws.level).filter(|_| enough);
    Measure { value, interval: interval.map(|ends| Interval { low: ends.low, high: ends.high, level: draws.level }) }
}

impl Analyzer for Agreement {
    const NAME: &'static str = "agreement";
    type Input = Ratings;
    type Output = AgreementOf;

    fn open(self) -> Result<Self> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        if !(0.5..=0.9999).contains(&self.level) {
            return invalid(format!("`level` is {}: it must be 0.5 to 0.9999", self.level));
        }
        if self.draws > 100_000 {
            return invalid(format!("`draws` is {}: it must be 0 to 100000", self.draws));
        }
        let twice = (1..self.order.len()).find(|at| self.order[..*at].contains(&self.order[*at]));
        if let Some(at) = twice {
            return invalid(format!("`order` has {:?} twice", self.order[at]));
        }
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        let ratings = json!(["yes", "no", "yes", "no"]);
        vec![Example {
            summary: "two raters who agree on three of four items".to_owned(),
            config: json!({ "draws": 0 }),
            input: json!({ "a": ratings, "b": ["yes", "no", "yes", "yes"] }),
            output: json!({
                "items": 4, "raters": 2, "raw": { "value": 0.75, "interval": null },
                "kappa": { "value": 0.5, "interval": null }, "alpha": { "value": 0.533_333_333_333_333_3, "interval": null },
            }),
        }]
    }

    async fn analyze(&self, input: Ratings, host: &Host<'_>) -> Result<AgreementOf> {
        let raters = match (input.ratings, input.a, input.b) {
            (Some(ratings), None, None) if ratings.len() > 1 => ratings,
            (None, Some(a), Some(b)) => vec![a, b],
            _ => {
                let hint = "wire `a` and `b`, or `ratings` as a list of two or more";
                return Err(Failure::InvalidInput(format!("there have to be two raters: {hint}")));
            }
        };
        let items = raters[0].len();
        if let Some(other) = raters.iter().find(|ratings| ratings.len() != items) {
            let other = other.len();
            return Err(Failure::InvalidInput(format!(
                "one rater has {items} ratings and another {other}: each has one for each item, or null"
            )));
        }
        let coded = self.code(&raters)?;
        // The ratings of each item, one after the other.
        let (mut flat, mut starts) = (Vec::new(), vec![0]);
        for item in 0..items {
            flat.extend(coded.ratings.iter().filter_map(|ratings| ratings[item]));
            starts.push(flat.len());
        }
        let pairable: Vec<&[u32]> =
            starts.windows(2).map(|ends| &flat[ends[0]..ends[1]]).filter(|unit| unit.len() > 1).collect();
        let seed = host.context().seed;
        let draws = self.draws(pairable.len(), seed);
        let of_items = |items: &mut dyn Iterator<Item = usize>| items.map(|item| pairable[item]).collect::<Vec<_>>();
        let level = match self.scale {
            Scale::Nominal => measures::Level::Nominal,
            Scale::Ordinal => measures::Level::Ordinal,
            Scale::Interval => measures::Level::Interval,
        };
        let raw = measure(pairable.len(), &draws, |items| raw_agreement(of_items(items)));
        let alpha = measure(pairable.len(), &draws, |items| krippendorff_alpha(of_items(items), &coded.values, level));
        let kappa = (raters.len() == 2).then(|| {
            let weights = match self.weights {
                KappaWeights::None => measures::Weights::None,
                KappaWeights::Linear => measures::Weights::Linear,
                KappaWeights::Quadratic => measures::Weights::Quadratic,
            };
            measure(pairable.len(), &draws, |items| {
                let (first, second): (Vec<u32>, Vec<u32>) =
                    items.map(|item| (pairable[item][0], pairable[item][1])).unzip();
                cohen_kappa(&first, &second, coded.values.len(), weights)
            })
        });
        Ok(AgreementOf { items: pairable.len() as u64, raters: raters.len() as u64, raw, kappa, alpha })
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, call, check_examples},
    };

    use super::*;

    fn agreement(config: Value, input: Value) -> Result<Value> {
        call(Kind::Analyzer, "agreement", config, input, &FakeHost::default())
    }

    #[test]
    fn examples_hold() {
        check_examples(Kind::Analyzer, "agreement", &FakeHost::default());
    }

    #[test]
    fn intervals_hold_the_figures_and_texts_may_be_numbers() {
        let a: Vec<u32> = (0..60).map(|at| 1 + at % 5).collect();
        let b: Vec<String> =
            (0..60).map(|at| if at % 4 == 0 { "3".to_owned() } else { (1 + at % 5).to_string() }).collect();
        let found =
            agreement(json!({ "scale": "interval", "weights": "quadratic" }), json!({ "a": a, "b": b })).unwrap();
        for name in ["raw", "kappa", "alpha"] {
            let [value, low, high] =
                [&found[name]["value"], &found[name]["interval"]["low"], &found[name]["interval"]["high"]]
                    .map(|number| number.as_f64().unwrap());
            assert!(low < value && value < high && value < 1.0 && value > 0.5, "{name}: {found}");
        }
    }

    #[test]
    fn words_have_an_order_if_it_is_given() {
        let input = json!({ "ratings": [["bad", "good", null, "fair"], ["bad", "fair", "good", "fair"], ["bad", "good", "good", null]] });
        let found = agreement(json!({ "scale": "ordinal", "order": ["bad", "fair", "good"] }), input.clone()).unwrap();
        assert_eq!((&found["items"], &found["raters"], &found["kappa"]), (&json!(4), &json!(3), &Value::Null));
        assert!(found["alpha"]["value"].as_f64().unwrap() > 0.5, "{found}");
        let failure = agreement(json!({ "scale": "ordinal" }), input.clone()).unwrap_err();
        assert!(failure.message().contains("in ascending order in `order`"), "{failure}");
        let failure = agreement(json!({ "order": ["bad", "good"] }), input).unwrap_err();
        assert_eq!(failure.message(), "the rating \"fair\" is not in `order`");
    }

    #[test]
    fn what_is_not_defined_is_null_and_what_is_missing_is_told() {
        let found = agreement(json!({}), json!({ "a": [1, 1], "b": [1, 1] })).unwrap();
        assert_eq!(found["kappa"], json!({ "value": null, "interval": null }));
        assert_eq!(found["raw"]["value"], 1.0);
        assert!(agreement(json!({}), json!({ "a": [1] })).unwrap_err().message().contains("two raters"));
        let failure = agreement(json!({}), json!({ "a": [1], "b": [1, 2] })).unwrap_err();
        assert!(failure.message().contains("one rater has 1 ratings and another 2"), "{failure}");
        assert!(agreement(json!({ "order": ["x", "x"] }), json!({})).unwrap_err().message().contains("twice"));
    }
}
