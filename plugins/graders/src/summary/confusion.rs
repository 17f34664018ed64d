//! What was predicted against what was expected.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_plugin_api::prelude::*;
use jackfield_statistics::confusion::Confusion;

use super::columns::Columns;

/// The most different labels that there may be.
const MOST_LABELS: usize = 1_000;

/// The label of an item for which nothing was predicted.
const MISSING: &str = "(missing)";

/// What was predicted against what was expected. Where there is nothing to divide by, a figure is 0, as in scikit-learn.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct ConfusionOf {
    /// The share of items whose label is right.
    pub accuracy: f64,
    /// Means over labels, each of the same weight (macro).
    #[serde(rename = "macro")]
    pub macro_average: MeanFigures,
    /// Means over items (micro): each is the accuracy, since an item has one label.
    #[serde(rename = "micro")]
    pub micro_average: MeanFigures,
    /// How well each label is predicted. `(missing)` is predicted where there is no prediction.
    pub labels: BTreeMap<String, LabelFigures>,
    /// How often each pair of an expected and a predicted label occurs, sorted; pairs that do not are left out.
    pub counts: Vec<ConfusionCount>,
}

/// Precision, recall and F1.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
pub struct MeanFigures {
    /// Of the predictions, the share that is right.
    pub precision: f64,
    /// Of what is expected, the share that is found.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// How well a label is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
pub struct LabelFigures {
    /// Of its predictions, the share that is right.
    pub precision: f64,
    /// Of the items that should have it, the share that is found.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// How many items should have it.
    pub expected: u64,
    /// How often it was predicted.
    pub predicted: u64,
}

/// How often a pair of labels occurs.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct ConfusionCount {
    /// The label that the items should have.
    pub expected: String,
    /// The label that was predicted.
    pub predicted: String,
    /// How many items there are.
    pub count: u64,
}

/// The confusion of two columns; none where they are not both there, or no item has an expected label.
///
/// # Errors
/// [`Failure::InvalidInput`] if there are too many labels, or columns differ in length.
pub(super) fn confusion_of(columns: &Columns) -> Result<Option<ConfusionOf>> {
    let (Some(expected), Some(predicted)) = (&columns.expected, &columns.predicted) else { return Ok(None) };
    if expected.len() != predicted.len() {
        let (one, other) = (expected.len(), predicted.len());
        return Err(Failure::InvalidInput(format!(
            "`expected` has {one} elements, and `predicted` has {other}: both have one for each item"
        )));
    }
    let text = |label: &crate::plain::Plain| label.to_text().trim().to_owned();
    let pairs: Vec<(String, String)> = expected
        .iter()
        .zip(predicted)
        .filter_map(|(expected, predicted)| {
            let predicted = predicted.as_ref().map_or_else(|| MISSING.to_owned(), text);
            Some((text(expected.as_ref()?), predicted))
        })
        .collect();
    let names: BTreeSet<&str> = pairs.iter().flat_map(|(one, other)| [&**one, other]).collect();
    if names.len() > MOST_LABELS {
        return Err(Failure::InvalidInput(format!(
            "`expected` and `predicted` have more than {MOST_LABELS} different labels: a confusion matrix is for a few"
        )));
    }
    let names: Vec<&str> = names.into_iter().collect();
    let number = |name: &str| names.binary_search(&name).expect("each label has been counted") as u32;
    let confusion = Confusion::new(names.len(), pairs.iter().map(|(one, other)| (number(one), number(other))));
    let (Some(accuracy), Some(average)) = (confusion.accuracy(), confusion.macro_average()) else { return Ok(None) };
    let labels = confusion.by_label().into_iter().zip(&names).map(|(scores, name)| {
        let figures = LabelFigures {
            precision: scores.precision,
            recall: scores.recall,
            f1: scores.f1,
            expected: scores.expected,
            predicted: scores.predicted,
        };
        ((*name).to_owned(), figures)
    });
    Ok(Some(ConfusionOf {
        accuracy,
        macro_average: MeanFigures { precision: average.precision, recall: average.recall, f1: average.f1 },
        micro_average: MeanFigures { precision: accuracy, recall: accuracy, f1: accuracy },
        labels: labels.collect(),
        counts: confusion
            .counts()
            .map(|((expected, predicted), count)| ConfusionCount {
                expected: names[expected as usize].to_owned(),
                predicted: names[predicted as usize].to_owned(),
                count,
            })
            .collect(),
    }))
}
