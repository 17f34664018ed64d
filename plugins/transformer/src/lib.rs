//! Transformers of the Llama family and sentence encoders of the BERT family, run on the CPU in the process, with hidden states that
//! can be captured, edits that do not change the weights, log-probabilities, and replies. The crate trains no model and downloads
//! none: it reads a folder or a GGUF file.
//!
//! **A row's result has the same bits alone and in any batch, at any
//! number of threads, and whether a sequence is read at once or token by token.** Products are sums over the inputs, from the
//! first to the last; all else is computed row by row, in a fixed order, without the system's mathematics library. So results
//! of one [`Kernel`] also have the same bits on each processor that has it.
//!
//! | file | what it does |
//! | --- | --- |
//! | `load/` | reads files into weights, tokenizers and templates; everything in a file is checked before it is used |
//! | `matrix`, `kernels`, `lanes`, `team` | arithmetic, and threads |
//! | `forward`, `edits`, `sequence` | one pass of a batch: the only place that knows the architecture |
//! | `backend`, `cpu`, `attention` | the operations of a pass, and how the CPU does them |
//! | `reading`, `generate`, `sampling` | reading prompts, writing replies, and choosing tokens |
//! | `encoder/` | sentence encoders, on the same arithmetic |
//! | `export/` | a model with edits in its weights, as a folder |
//! | `plan`, `memory`, `admission` | how much memory a batch needs, whether it is available, and what happens to requests that do not fit |
//! | `model/` | the extensions: requests become passes, and their results become answers |
//!
//! Everything uses [`Transformer::forward`]: it reads tokens in any number of sequences, each under its own edits,
//! and shows an [`Observer`] the hidden states and logits asked for.

mod admission;
mod architecture;
mod attention;
mod backend;
mod cpu;
mod edits;
mod encoder;
mod error;
mod export;
mod forward;
mod generate;
mod kernels;
mod lanes;
mod load;
mod matrix;
mod memory;
#[cfg(feature = "model")]
mod model;
mod plan;
mod reading;
mod sampling;
mod sequence;
mod team;
mod transformer;
mod weights;

pub use admission::{Admission, Joining, RequestNeed};
pub use architecture::{Architecture, RopeScaling};
pub use edits::{EditSpec, Edits};
pub use encoder::SentenceEncoder;
pub use error::RunError;
pub use export::{ExportError, export};
pub use forward::{Observer, Positions, Step};
pub use generate::{Drawn, Ended, GenerateRequest, Reply};
pub use kernels::Kernel;
pub use load::{CHECKSUMS, ChatTemplate, LoadError, LoadFault, TextEnds, Tokenizer, checksums};
pub use memory::{MemoryBudget, MemoryShort, Reservation};
#[cfg(feature = "model")]
pub use model::{EditedWeights, EditsToWrite, KernelChoice, TransformerModel, WrittenModel};
pub use plan::{BatchShape, MemoryPlan};
pub use reading::{CaptureRequest, ScoreRequest};
pub use sampling::{Sampler, Sampling, likeliest, log_probabilities};
pub use sequence::Sequence;
pub use transformer::{RunOptions, Transformer};
