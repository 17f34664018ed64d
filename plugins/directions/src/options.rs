//! The options of the extraction.

use std::ops::RangeInclusive;

use crate::ExtractError;

/// The penalty of a probe where none is given.
pub const DEFAULT_L2: f64 = 0.01;

/// The penalties a probe can be trained with.
pub const L2_RANGE: RangeInclusive<f64> = 1e-6..=1e6;

/// How the direction of a layer is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// The difference of the means: positive less negative.
    MeanDifference,
    /// The first principal component of the differences of pairs, each a positive prompt less the negative prompt of the
    /// same index. The differences are not centred, since their mean is a part of what is looked for. The direction points
    /// to where most of the differences do; where as many point one way as the other, to where their sum does.
    Pca {
        /// How many pairs to use, from the first; all without it, and then the sets must have the same size.
        pairs: Option<usize>,
    },
    /// The normal of a logistic probe with an intercept, pointing to the positive prompts: the minimum of the mean log loss
    /// over all prompts plus `l2 / 2` times the square of the norm of the weights.
    ///
    /// Before, residuals are moved to their common mean and divided by the root mean square of their distance to it: one
    /// number for the whole layer, so that a penalty means the same in each layer, and the normal is one of the residual
    /// space itself. Components are not standardised one by one.
    Logistic {
        /// The penalty, in [`L2_RANGE`]. A large one gives the direction of the mean difference, a small one the direction of
        /// the widest margin.
        l2: f64,
    },
    /// A unit vector drawn evenly from the sphere, another one in each layer, on the side of the difference of the means: what
    /// taking out any direction does, to compare with.
    Random {
        /// Where chance comes from.
        seed: u64,
    },
}

impl Method {
    /// The name a user writes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MeanDifference => "mean-difference",
            Self::Pca { .. } => "pca",
            Self::Logistic { .. } => "logistic",
            Self::Random { .. } => "random-direction",
        }
    }
}

/// The method, and what is done before and after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How the direction is found.
    pub method: Method,
    /// Clamps the components of each prompt's residual at each layer to plus and minus this quantile of their absolute
    /// values, before anything else; above 0, and 1 clamps nothing. The quantile is interpolated between order statistics.
    pub winsorize: f64,
    /// Removes from the direction its part along the mean of the negative prompts (clamped ones, where they are).
    pub project: bool,
}

impl Options {
    /// The method with its defaults: nothing is clamped, and the mean of the negatives is projected out of the mean
    /// difference, but not out of the other directions.
    #[must_use]
    pub const fn new(method: Method) -> Self {
        Self { method, winsorize: 1.0, project: matches!(method, Method::MeanDifference) }
    }

    /// Whether the values are in range.
    pub fn check(&self) -> Result<(), ExtractError> {
        // NaN is not in the range.
        if !(self.winsorize > 0.0 && self.winsorize <= 1.0) {
            return Err(ExtractError::WrongWinsorize { value: self.winsorize });
        }
        match self.method {
            Method::Logistic { l2 } if !L2_RANGE.contains(&l2) => Err(ExtractError::WrongL2 { value: l2 }),
            _ => Ok(()),
        }
    }
}
