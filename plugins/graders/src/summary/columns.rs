//! The columns that `summary` reads, and the tries that they hold.

use jackfield_plugin_api::prelude::*;
use rustc_hash::FxHashMap;

use crate::plain::Plain;

/// One value: a number, or yes or no, which count as 1 and 0.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
#[serde(untagged)]
pub enum Single {
    /// A number.
    Number(f64),
    /// Yes or no.
    Truth(bool),
}

impl Single {
    fn number(self) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Truth(truth) => f64::from(u8::from(truth)),
        }
    }
}

/// What an item measured: one value, or one of each try.
#[derive(Clone, Debug, PartialEq, Document)]
#[serde(untagged)]
pub enum Measured {
    /// One value.
    Once(Single),
    /// One of each try; null where there is none.
    Tries(Vec<Option<Single>>),
}

/// What `summary` reads: columns with one element for each item, in the same order.
#[derive(Clone, Debug, Default, Document)]
pub struct Columns {
    /// What is summed up: numbers, yes and no, or lists of them where an item was tried several times. Null is an item without
    /// a value. Without this column, it is whether `predicted` is what is `expected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Option<Measured>>>,
    /// To which group each item belongs, for figures of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Option<Plain>>>,
    /// What items have in common that are not independent, such as the id of a text that several questions are about. An item
    /// with null stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Vec<Option<Plain>>>,
    /// The label that each item should have, for the confusion matrix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Vec<Option<Plain>>>,
    /// The label that was predicted. Null where one is expected is a wrong prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<Vec<Option<Plain>>>,
}

/// All tries of all items.
pub(super) struct Tries {
    /// The values, item after item; NaN where there is none.
    pub(super) values: Vec<f64>,
    /// Where the tries of each item begin, and where those of the last one end.
    pub(super) starts: Vec<u32>,
    /// The cluster of each item.
    pub(super) clusters: Vec<u32>,
    /// Whether there are numbers among the values, and not yes and no alone.
    pub(super) have_numbers: bool,
    /// Whether all values are yes and no, or 1 and 0.
    pub(super) are_truths: bool,
    /// Whether all values are 0 to 1.
    pub(super) are_shares: bool,
    /// Whether each item is a cluster of its own and has one try.
    pub(super) are_independent: bool,
}

impl Tries {
    /// # Errors
    /// [`Failure::InvalidInput`] if there is no column of values, or columns differ in length.
    pub(super) fn of(columns: &Columns, count_missing: bool) -> Result<Self> {
        let compared;
        let measured = match (&columns.values, &columns.expected, &columns.predicted) {
            (Some(values), _, _) => values,
            (None, Some(expected), Some(predicted)) => {
                let equal = |(expected, predicted): (&Option<Plain>, &Option<Plain>)| {
                    let expected = expected.as_ref()?.to_text();
                    let right = predicted.as_ref().is_some_and(|predicted| predicted.to_text() == expected);
                    Some(Measured::Once(Single::Truth(right)))
                };
                compared = expected.iter().zip(predicted).map(equal).collect::<Vec<_>>();
                &compared
            }
            _ => {
                let hint = "wire `values`, or both `expected` and `predicted`";
                return Err(Failure::InvalidInput(format!("there is nothing to sum up: {hint}")));
            }
        };
        for (name, column) in [
            ("groups", &columns.groups),
            ("clusters", &columns.clusters),
            ("expected", &columns.expected),
            ("predicted", &columns.predicted),
        ] {
            if let Some(column) = column.as_ref().filter(|column| column.len() != measured.len()) {
                let (one, other) = (column.len(), measured.len());
                return Err(Failure::InvalidInput(format!(
                    "`{name}` has {one} elements, and `values` has {other}: both have one for each item"
                )));
            }
        }
        let missing = if count_missing { 0.0 } else { f64::NAN };
        let or_missing = |value: &Option<Single>| value.map_or(missing, Single::number);
        let (mut values, mut starts) = (Vec::with_capacity(measured.len()), Vec::with_capacity(measured.len() + 1));
        for item in measured {
            starts.push(values.len() as u32);
            match item {
                Some(Measured::Once(value)) => values.push(value.number()),
                Some(Measured::Tries(tries)) if !tries.is_empty() => values.extend(tries.iter().map(or_missing)),
                // An item without a try has no value either.
                Some(Measured::Tries(_)) | None => values.push(missing),
            }
        }
        if u32::try_from(values.len()).is_err() {
            return Err(Failure::InvalidInput("`values` has more than 4294967295 elements".to_owned()));
        }
        starts.push(values.len() as u32);
        let is_number = |value: &Single| matches!(value, Single::Number(_));
        let have_numbers = measured.iter().flatten().any(|item| match item {
            Measured::Once(value) => is_number(value),
            Measured::Tries(tries) => tries.iter().flatten().any(is_number),
        });
        let present = || values.iter().filter(|value| !value.is_nan());
        Ok(Self {
            have_numbers,
            are_truths: present().all(|value| *value == 0.0 || *value == 1.0),
            are_shares: present().all(|value| (0.0..=1.0).contains(value)),
            clusters: clusters_of(columns.clusters.as_deref(), measured.len()),
            // Each item has a value at least: as many values as items are one of each.
            are_independent: values.len() == measured.len() && columns.clusters.is_none(),
            values,
            starts,
        })
    }

    /// How many items there are.
    pub(super) fn items(&self) -> u32 {
        self.clusters.len() as u32
    }

    /// The tries of an item.
    pub(super) fn tries(&self, item: u32) -> &[f64] {
        let item = item as usize;
        &self.values[self.starts[item] as usize..self.starts[item + 1] as usize]
    }

    /// Whether Wilson's interval holds.
    pub(super) fn are_independent_truths(&self) -> bool {
        self.are_truths && self.are_independent
    }
}

/// The cluster of each item, by number: in order of appearance.
fn clusters_of(clusters: Option<&[Option<Plain>]>, items: usize) -> Vec<u32> {
    let Some(clusters) = clusters else { return (0..items as u32).collect() };
    let mut known: FxHashMap<String, u32> = FxHashMap::default();
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        next - 1
    };
    clusters
        .iter()
        .map(|cluster| match cluster {
            Some(name) => *known.entry(name.to_text()).or_insert_with(&mut fresh),
            None => fresh(),
        })
        .collect()
}
