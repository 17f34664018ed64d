//! Residuals for tests.

use jackfield_directions::{ExtractError, Extraction, LayerDetails, Method, Options, ResidualSet, Shape, extract};
use jackfield_plugin_api::{LayerDirection, Random};
use serde_json::Value;

/// A set of residuals that owns its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Set {
    pub(crate) shape: Shape,
    pub(crate) values: Vec<f32>,
}

impl Set {
    /// Values in [-1, 1), plus a shift of the component 0 in all layers.
    pub(crate) fn random(prompts: usize, layers: usize, width: usize, seed: u64, shift: f32) -> Self {
        let mut random = Random::new(seed);
        let shape = Shape { prompts, layers, width };
        let value = |index| {
            let value = (random.next_f64() * 2.0 - 1.0) as f32;
            if index % width == 0 { value + shift } else { value }
        };
        Self { shape, values: (0..prompts * layers * width).map(value).collect() }
    }

    /// Rows of a single layer.
    pub(crate) fn layer<const WIDTH: usize>(rows: &[[f32; WIDTH]]) -> Self {
        let shape = Shape { prompts: rows.len(), layers: 1, width: WIDTH };
        Self { shape, values: rows.concat() }
    }

    /// The values, each changed.
    pub(crate) fn map(&self, change: impl Fn(f32) -> f32) -> Self {
        Self { shape: self.shape, values: self.values.iter().map(|&x| change(x)).collect() }
    }

    /// The prompts in another order.
    pub(crate) fn in_order(&self, order: &[usize]) -> Self {
        let size = self.shape.layers * self.shape.width;
        let values = order.iter().flat_map(|prompt| self.values[prompt * size..(prompt + 1) * size].iter().copied());
        Self { shape: self.shape, values: values.collect() }
    }

    pub(crate) fn view(&self) -> ResidualSet<'_> {
        ResidualSet::new(self.shape, &self.values).unwrap()
    }
}

pub(crate) fn try_extract(positive: &Set, negative: &Set, options: &Options) -> Result<Extraction, ExtractError> {
    extract(&mut positive.view(), &mut negative.view(), options)
}

pub(crate) fn extract_sets(positive: &Set, negative: &Set, options: &Options) -> Extraction {
    try_extract(positive, negative, options).unwrap()
}

/// Each method with its defaults.
pub(crate) const METHODS: [Method; 3] =
    [Method::MeanDifference, Method::Pca { pairs: None }, Method::Logistic { l2: 0.01 }];

/// Each method with each combination of what is done before and after it.
pub(crate) fn all_options() -> Vec<Options> {
    let mut all = Vec::new();
    for method in METHODS {
        for winsorize in [1.0, 0.9] {
            for project in [false, true] {
                all.push(Options { method, winsorize, project });
            }
        }
    }
    all
}

/// The greatest difference between two vectors.
pub(crate) fn apart(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

/// What is said of a layer beyond the contract.
#[track_caller]
pub(crate) fn layer_details(known: &LayerDirection) -> LayerDetails {
    serde_json::from_value(Value::Object(known.extra.clone())).unwrap()
}
