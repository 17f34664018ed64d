//! Direction extractors of Jackfield: for each layer, the unit direction in the residual stream of a model that separates the
//! prompts of a positive set from those of a negative set. They run no model and change none: the hidden states come from a
//! model of the pipeline, and edits by the directions are made elsewhere.
//!
//! | direction extractor | direction |
//! | --- | --- |
//! | `mean-difference` | from the mean of the negative prompts to the mean of the positive ones |
//! | `pca` | the first principal component of the paired differences, about the origin |
//! | `logistic` | the normal of an L2-regularised logistic probe |
//! | `random-direction` | drawn by chance, to compare with |
//!
//! The analyzer [`ReadResiduals`] (`residuals`) asks a model for the residuals of a list of prompts, [`ReadContrast`]
//! (`contrast-residuals`) for those of both sets, where the replies to them begin to differ.
//!
//! [`extract`] reads residuals through the trait [`Residuals`], a few layers at a time, so that the memory it needs is that
//! of one layer and not that of the tensor; [`Extractor::layer`] is the same without any reading, for a caller that has
//! the rows of a layer, or that must wait for them. Besides the direction, each layer has a
//! [`LayerDirection`](jackfield_plugin_api::LayerDirection) with [`LayerDetails`].
//!
//! A layer in which the prompts of both sets are alike, as the embeddings of chat prompts that end in the same token are,
//! does not have a direction: its direction is the zero vector, it is flagged `degenerate`, and its silhouette is undefined.
//!
//! All arithmetic is in `f64`, by additions, multiplications, divisions and square roots in a fixed order, and by `libm`
//! where more is needed. There are no threads and no fused operations. The results have the same bits on each platform, and
//! they do not depend on how many layers are read at a time.
#![forbid(unsafe_code)]

mod common_start;
mod contrast;
mod eigen;
mod error;
mod extensions;
mod extract;
mod extractor;
mod logistic;
mod options;
mod pca;
mod random;
mod residuals;
mod residuals_of_prompts;
mod rows;
mod silhouette;
mod vectors;

use jackfield_plugin_api::prelude::*;

pub use common_start::common_start;
pub use contrast::{ContrastPrompts, ContrastResiduals, ReadContrast};
pub use error::{ExtractError, PromptSet};
pub use extensions::{Logistic, MeanDifference, Pca, RandomDirection};
pub use extract::{Extraction, extract};
pub use extractor::{ExtractedLayer, Extractor, LayerDetails, Probe};
pub use options::{DEFAULT_L2, L2_RANGE, Method, Options};
pub use residuals::{LayerRows, ResidualSet, Residuals, Shape};
pub use residuals_of_prompts::{PromptResiduals, Prompts, ReadResiduals};

export_plugin!(ReadResiduals, ReadContrast);
export_plugin!(extractors: MeanDifference, Pca, Logistic, RandomDirection);
