//! The errors of requests to a model.

use std::{error, fmt};

use jackfield_plugin_api::{Failure, format_size};

/// Why a model was not run. Layers, positions and tokens are counted from 0.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RunError {
    /// The processor does not have the instructions of a kernel.
    KernelUnavailable {
        /// The kernel's name.
        kernel: &'static str,
    },
    /// The number of threads is not 1 to 1,024.
    WrongThreads {
        /// The number.
        threads: usize,
    },
    /// There is nothing to read.
    NoTokens,
    /// The vocabulary does not have a token.
    UnknownToken {
        /// The token.
        token: u32,
        /// How many tokens there are.
        vocabulary: usize,
    },
    /// A sequence would be longer than it may be.
    TooLong {
        /// How many tokens it would have.
        tokens: usize,
        /// The most it may have.
        most: usize,
    },
    /// A sequence was begun by a model of another shape.
    OtherModel,
    /// The model does not have a layer.
    UnknownLayer {
        /// The layer.
        layer: usize,
        /// How many there are.
        layers: usize,
    },
    /// A sequence does not have a position.
    UnknownPosition {
        /// The position.
        position: usize,
        /// How many there are.
        positions: usize,
    },
    /// A direction has more or fewer components than a hidden state.
    WrongDirection {
        /// How many it has.
        length: usize,
        /// Length of a hidden state.
        hidden: usize,
    },
    /// A direction does not have length 1.
    NotUnit {
        /// Its length.
        norm: f64,
    },
    /// The weight of an edit is not a finite number.
    WrongWeight {
        /// The weight.
        weight: f64,
    },
    /// Two edits of one component, of which one keeps the norms of rows: they depend on each other.
    EditedTwice {
        /// The layer.
        layer: usize,
    },
    /// A parameter of sampling is out of range.
    WrongSampling {
        /// Which, and how.
        why: &'static str,
    },
    /// A text does not become tokens.
    NotTokenized {
        /// What the tokenizer says.
        why: String,
    },
    /// A conversation does not become a text.
    NotRendered {
        /// What the template says.
        why: String,
    },
    /// The vector of a text is not made of numbers: the weights are too large for 32-bit floats.
    VectorNotFinite {
        /// Index of the text.
        text: usize,
    },
    /// The system does not give the memory for a sequence.
    OutOfMemory {
        /// How many bytes, of one block's keys or values.
        bytes: u64,
    },
    /// The logits of a position are not numbers: the weights are too large for 32-bit floats.
    NotFinite {
        /// The position.
        position: usize,
    },
    /// A hidden state is not finite: the weights are too large for 32-bit floats.
    StateNotFinite {
        /// The position.
        position: usize,
        /// The layer: 0 is the embeddings, n what the n-th block hands on.
        layer: usize,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KernelUnavailable { kernel } => {
                write!(f, "this processor cannot run the kernel `{kernel}`; `portable` runs on each")
            }
            Self::WrongThreads { threads } => write!(f, "`threads` is {threads}: it must be 1 to 1024"),
            Self::NoTokens => f.write_str("there are no tokens to read"),
            Self::UnknownToken { token, vocabulary } => {
                write!(f, "there is no token {token} in a vocabulary of {vocabulary}")
            }
            Self::TooLong { tokens, most } => {
                write!(f, "a sequence of {tokens} tokens is longer than {most}, the most there is room for")
            }
            Self::OtherModel => f.write_str("the sequence was begun by a model of another shape"),
            Self::UnknownLayer { layer, layers } => write!(f, "there is no layer {layer} among {layers}"),
            Self::UnknownPosition { position, positions } => {
                write!(f, "there is no position {position} among {positions}")
            }
            Self::WrongDirection { length, hidden } => {
                write!(f, "the direction has {length} components, and hidden states have {hidden}")
            }
            Self::NotUnit { norm } => write!(
                f,
                "the direction has length {norm}: it must be a unit vector (a layer whose direction is zero does not have \
                 one)"
            ),
            Self::WrongWeight { weight } => write!(f, "the weight of an edit is {weight}: it must be a number"),
            Self::EditedTwice { layer } => write!(
                f,
                "a component of layer {layer} is edited twice; where the norms of rows are kept, it can be edited once"
            ),
            Self::WrongSampling { why } => f.write_str(why),
            Self::NotTokenized { why } => write!(f, "the text cannot become tokens: {}", why.escape_debug()),
            Self::NotRendered { why } => {
                write!(f, "the model's template refuses the conversation: {}", why.escape_debug())
            }
            Self::VectorNotFinite { text } => {
                write!(f, "the vector of text {text} is not finite: the encoder's weights exceed 32-bit floats")
            }
            Self::OutOfMemory { bytes } => write!(
                f,
                "the system does not give {} of memory for what is remembered of a sequence",
                format_size(*bytes)
            ),
            Self::NotFinite { position } => write!(
                f,
                "the logits at position {position} are not finite: the weights, or the edits, exceed 32-bit floats"
            ),
            Self::StateNotFinite { position, layer } => write!(
                f,
                "the hidden state at position {position}, layer {layer} is not finite: the weights, or the edits, exceed \
                 32-bit floats"
            ),
        }
    }
}

impl error::Error for RunError {}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let message = error.to_string();
        match error {
            RunError::KernelUnavailable { .. } | RunError::WrongThreads { .. } => Self::InvalidConfig(message),
            RunError::NotFinite { .. } | RunError::StateNotFinite { .. } | RunError::VectorNotFinite { .. } => {
                Self::InvalidOutput(message)
            }
            RunError::OutOfMemory { .. } => Self::OverBudget(message),
            _ => Self::InvalidInput(message),
        }
    }
}
