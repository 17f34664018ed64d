//! The errors of residuals and of options.

use std::{error, fmt};

use jackfield_plugin_api::Failure;

use crate::Shape;

/// One of the two sets of prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PromptSet {
    /// The prompts that show what the direction points to.
    Positive,
    /// The prompts it points away from.
    Negative,
}

impl fmt::Display for PromptSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
        })
    }
}

/// Why no direction was extracted. Prompts, layers and components are counted from 0; layer 0 is the embeddings.
#[derive(Clone, Debug, PartialEq)]
pub enum ExtractError {
    /// A set has fewer prompts than a mean and a spread need.
    TooFewPrompts {
        /// Which set.
        set: PromptSet,
        /// How many prompts it has.
        prompts: usize,
    },
    /// A set's residuals have no layer.
    NoLayers {
        /// Which set.
        set: PromptSet,
    },
    /// A set's residuals have no component.
    ZeroWidth {
        /// Which set.
        set: PromptSet,
    },
    /// The two sets are not of one model: their layers or their widths differ.
    ShapesDiffer {
        /// The shape of the positive set.
        positive: Shape,
        /// The shape of the negative set.
        negative: Shape,
    },
    /// There are not as many values as the shape says.
    WrongLength {
        /// The shape.
        shape: Shape,
        /// How many values there are.
        values: usize,
    },
    /// One layer does not fit into memory.
    TooLarge {
        /// The shape of the positive set.
        positive: Shape,
        /// The shape of the negative set.
        negative: Shape,
    },
    /// A residual is not a finite number.
    NotFinite {
        /// Which set.
        set: PromptSet,
        /// Which prompt of it.
        prompt: usize,
        /// Which layer.
        layer: usize,
        /// Which component.
        component: usize,
        /// The value: an infinity or NaN.
        value: f32,
    },
    /// `pca` needs as many positive prompts as negative ones.
    Unpaired {
        /// How many positive prompts there are.
        positive: usize,
        /// How many negative prompts there are.
        negative: usize,
    },
    /// The number of pairs is below 2, or above the number of prompts of the smaller set.
    WrongPairs {
        /// The number asked for.
        pairs: usize,
        /// The most there can be.
        most: usize,
    },
    /// The quantile of winsorization is not above 0 and at most 1.
    WrongWinsorize {
        /// The value.
        value: f64,
    },
    /// The penalty of the probe is out of range.
    WrongL2 {
        /// The value.
        value: f64,
    },
    /// Residuals could not be read.
    Unreadable {
        /// Which set.
        set: PromptSet,
        /// Which prompt of it.
        prompt: usize,
        /// What the reader says.
        failure: Failure,
    },
}

impl fmt::Display for ExtractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewPrompts { set, prompts: 0 } => {
                write!(f, "the {set} set is empty: it needs 2 prompts or more")
            }
            Self::TooFewPrompts { set, prompts } => {
                let plural = if *prompts == 1 { "" } else { "s" };
                write!(f, "the {set} set has {prompts} prompt{plural}: it needs 2 or more")
            }
            Self::NoLayers { set } => write!(f, "the residuals of the {set} set have no layers"),
            Self::ZeroWidth { set } => write!(f, "the residuals of the {set} set have width 0"),
            Self::ShapesDiffer { positive, negative } => write!(
                f,
                "the residuals of the two sets differ in layers or width: {positive} for the positive set, {negative} for \
                 the negative set; capture both from one model"
            ),
            Self::WrongLength { shape, values } => {
                write!(f, "residuals of shape {shape} do not have {values} value")?;
                f.write_str(if *values == 1 { "" } else { "s" })
            }
            Self::TooLarge { positive, negative } => write!(
                f,
                "one layer of {positive} and {negative} residuals does not fit into memory; use fewer prompts"
            ),
            Self::NotFinite { set, prompt, layer, component, value } => write!(
                f,
                "the residual of prompt {prompt} of the {set} set at layer {layer} is not finite: component {component} is \
                 {value}"
            ),
            Self::Unpaired { positive, negative } => write!(
                f,
                "`pca` takes differences of pairs, and {positive} positive prompts cannot be paired with {negative} \
                 negative ones; make the sets equal, or set `pairs = {}` to use the first of each",
                positive.min(negative)
            ),
            Self::WrongPairs { pairs, most } => {
                write!(f, "`pairs` is {pairs}: it must be 2 to {most}, the size of the smaller set")
            }
            Self::WrongWinsorize { value } => {
                write!(f, "`winsorize` is {value}: it must be above 0 and at most 1, where 1 clamps nothing")
            }
            Self::WrongL2 { value } => {
                let range = crate::L2_RANGE;
                write!(f, "`l2` is {value}: it must be {} to {}", range.start(), range.end())
            }
            Self::Unreadable { set, prompt, failure } => {
                write!(f, "cannot read the residuals of prompt {prompt} of the {set} set: {}", failure.message())
            }
        }
    }
}

impl error::Error for ExtractError {}

impl From<ExtractError> for Failure {
    fn from(error: ExtractError) -> Self {
        let message = error.to_string();
        match error {
            ExtractError::WrongPairs { .. } | ExtractError::WrongWinsorize { .. } | ExtractError::WrongL2 { .. } => {
                Self::InvalidConfig(message)
            }
            // Whether it can be retried is the reader's to say.
            ExtractError::Unreadable { failure: Self::RateLimited { retry_after: after, .. }, .. } => {
                Self::RateLimited { message, retry_after: after }
            }
            ExtractError::Unreadable { failure, .. } => Self::new(failure.kind(), message),
            _ => Self::InvalidInput(message),
        }
    }
}
