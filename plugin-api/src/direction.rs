//! The kind `direction-extractor`.

use std::{future::Future, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    BoxFuture, Config, Descriptor, Document, Example, Extension, FromDocument, Host, HostCalls, Instance, IntoDocument,
    Kind, Permission, Request, Result, Stability, TensorRef,
    document::input_schema,
    extension::{Erased, config_of},
};

/// What a direction is extracted from: the hidden states of a model (its residual stream) at one position of each prompt
/// of two sets. Layer 0 is the embeddings, layer n what the n-th block of the model hands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContrastSet {
    /// Hidden states of the prompts that have what is looked for.
    #[schemars(extend("x-tensor" = { "shape": ["positive_prompts", "layers", "d"] }))]
    pub positive: TensorRef,
    /// Hidden states of the prompts that do not.
    #[schemars(extend("x-tensor" = { "shape": ["negative_prompts", "layers", "d"] }))]
    pub negative: TensorRef,
}

/// What is known of the direction of a layer. An extractor may add more, under names of its own. No number is NaN: one that
/// is undefined is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayerDirection {
    /// Whether the layer does not have a direction: the sets are alike in it. Its direction is the zero vector, and must
    /// not be used.
    pub degenerate: bool,
    /// Norm of the mean of the positive prompts.
    pub norm_mean_positive: f64,
    /// Norm of the mean of the negative prompts.
    pub norm_mean_negative: f64,
    /// Norm of the difference of the means.
    pub norm_difference: f64,
    /// Cosine between the means, -1 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cos_means: Option<f64>,
    /// Mean silhouette of the prompts with the two sets as clusters, -1 to 1: 1 for sets far apart, 0 for sets that overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silhouette: Option<f64>,
    /// What else the extractor states.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A direction a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Directions {
    /// A unit vector a layer; the zero vector where a layer is degenerate.
    #[schemars(extend("x-tensor" = { "shape": ["layers", "d"] }))]
    pub directions: TensorRef,
    /// What is known of each, in order of the layers.
    pub layers: Vec<LayerDirection>,
}

/// Finds, per layer of a model, the unit direction of the residual stream that sets two sets of prompts apart.
///
/// The type that implements it is the configuration (`#[derive(Config)]`), made anew from each stage's `with` table. A stage
/// uses an extractor as it does an analyzer: it reads a [`ContrastSet`] and answers [`Directions`], whose shapes the host
/// checks before and after the call. The tensors may be larger than the memory of a sandboxed plugin: it reads slices of
/// them, by [`Host::tensor`](crate::Host::tensor).
pub trait DirectionExtractor: Config {
    /// Lower-case words joined by hyphens, unique among direction extractors.
    const NAME: &'static str;
    /// What the author promises.
    const STABILITY: Stability = Stability::Experimental;

    /// Prepares the extractor once.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the configuration makes no sense.
    fn open(self) -> Result<Self> {
        Ok(self)
    }

    /// Extracts a direction a layer.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`](crate::Failure::InvalidInput) for sets that cannot be compared, or hidden states that are
    /// not numbers: the message names the set, the prompt and the layer.
    fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> impl Future<Output = Result<Directions>> + Send;

    /// Permissions asked for, with reasons.
    fn permissions() -> Vec<Permission> {
        Vec::new()
    }
}

/// The erased extension of a direction extractor; called by `export_plugin!`.
#[doc(hidden)]
#[must_use]
pub fn extension_of_extractor<D: DirectionExtractor>(version: &'static str) -> Arc<dyn Extension> {
    Erased::of(version, describe::<D>, |config| Ok(Arc::new(Opened(config_of::<D>(config)?.open()?))))
}

fn describe<D: DirectionExtractor>(version: &str) -> Descriptor {
    Descriptor {
        kind: Kind::DirectionExtractor,
        name: D::NAME.to_owned(),
        version: version.to_owned(),
        summary: D::SUMMARY.to_owned(),
        config: input_schema::<D>(),
        input: <ContrastSet as FromDocument>::schema(),
        output: <Directions as IntoDocument>::schema(),
        permissions: D::permissions(),
        examples: Vec::<Example>::new(),
        stability: D::STABILITY,
    }
}

struct Opened<D>(D);

impl<D: DirectionExtractor> Instance for Opened<D> {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let mut results = Vec::with_capacity(batch.len());
            for (index, request) in batch.iter().enumerate() {
                let host = Host::new(host, &request.context, index as u32);
                results.push(match ContrastSet::from_document(request.document.clone()) {
                    Ok(contrast) => self.0.extract(contrast, &host).await.and_then(IntoDocument::into_document),
                    Err(failure) => Err(failure),
                });
            }
            results
        })
    }
}
