//! This crate is all that a plugin of Jackfield depends on: one trait for each kind of extension, and the values and failures
//! that cross the boundary to the host. It narrows what a plugin can do to pure functions and calls of its [`Host`], so that
//! the same source serves linked into the host, as a native library (`.so`) and as a sandboxed WebAssembly component (`.wasm`),
//! with the same results.
//!
//! A plugin offers *extensions*, each of which has a kind and a name, such as the analyzer `word-count`:
//!
//! ```
//! use jackfield_plugin_api::prelude::*;
//!
//! /// What `word-count` reads.
//! #[derive(Document)]
//! pub struct Text {
//!     /// Any text.
//!     pub text: String,
//! }
//!
//! /// What `word-count` answers.
//! #[derive(Document)]
//! pub struct Counts {
//!     /// How many words there are.
//!     pub words: u64,
//! }
//!
//! /// Counts words.
//! #[derive(Config)]
//! pub struct WordCount {
//!     /// Ignore words of fewer characters.
//!     #[config(default = 1)]
//!     pub min_len: usize,
//! }
//!
//! impl Analyzer for WordCount {
//!     const NAME: &str = "word-count";
//!     type Input = Text;
//!     type Output = Counts;
//!
//!     async fn analyze(&self, input: Text, _host: &Host<'_>) -> Result<Counts> {
//!         let words = input.text.split_whitespace().filter(|word| word.chars().count() >= self.min_len).count();
//!         Ok(Counts { words: words as u64 })
//!     }
//! }
//!
//! export_plugin!(WordCount);
//! # fn main() {}
//! ```
//!
//! Models, cache backends, routing policies and direction extractors are traits of their own ([`Model`],
//! [`CacheBackend`], [`RoutingPolicy`], [`SearchPolicy`], [`DirectionExtractor`]), exported after their kind:
//! `export_plugin!(policies: Greedy);`.
//!
//! A plugin's crate is `crate-type = ["rlib", "cdylib"]` and depends on this crate alone. Whatever can differ between machines
//! (time, random numbers, models, files) comes from the [`Host`]; an extension is otherwise a pure function of its
//! configuration and its input. This crate knows nothing of the host but what the contract says, which is in the folder `wit`
//! and has a version of its own ([`PROTOCOL`]).

mod analyzer;
mod answer_text;
mod by_name;
mod cache;
mod cache_value;
mod calls;
mod catch_panic;
mod completion;
mod completion_request;
mod config;
mod descriptor;
mod direction;
mod document;
mod export;
mod extension;
mod failure;
mod file;
mod hex;
mod host;
mod host_calls;
mod http;
#[cfg(not(target_family = "wasm"))]
mod memory;
mod model;
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[expect(unsafe_code, reason = "the native ABI: each block says why it is sound")]
pub mod native;
mod offers;
mod policy;
mod policy_by_documents;
mod rng;
mod routing;
mod search;
mod search_policy;
mod search_state;
#[cfg(feature = "sources")]
pub mod sources;
mod space;
#[doc(hidden)]
pub mod sync;
mod tensors;
#[cfg(target_family = "wasm")]
#[allow(unsafe_code, clippy::allow_attributes)]
mod wasm;

pub mod prelude;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use analyzer::Analyzer;
pub use answer_text::{AnswerText, json_of_answer};
pub use cache::CacheBackend;
pub use cache_value::{CacheEntry, CacheSize, CacheValue};
pub use calls::{CacheCalls, ModelCalls, PolicyCalls, PolicyState, SearchCalls};
#[doc(hidden)]
pub use catch_panic::{CatchPanic, catch_panic};
pub use completion::{Captured, Completion, FinishReason, LikelyToken, Token, TokenLogProb, TokenLogProbs, Usage};
pub use completion_request::{
    Capture, CompletionRequest, Component, Edit, LogProbs, LogProbsOn, Message, Prompt, Role, RowNormalization,
};
pub use config::{
    Config, X_EXPORT_FOLDER, X_FROM_CONFIG, X_MACHINE_DEFAULT, X_NO_EFFECT, X_SECRET, X_SERVER, X_TEMPLATE,
};
pub use descriptor::{Descriptor, Example, Kind, Permission, Stability};
pub use direction::{ContrastSet, DirectionExtractor, Directions, LayerDirection};
pub use document::{Context, Document, FromDocument, IntoDocument, Request, Tensor, WithTensors};
pub use extension::{Extension, Instance, Registration, linked_extension, linked_extensions};
pub use failure::{Failure, FailureKind, Result};
pub use file::{
    DIGESTED_PATH_FORMAT, DigestedPath, FILE_PATH_FORMAT, FilePath, TEXT_FILE_FORMAT, TEXT_FILES_FORMAT, TextFile,
    TextFiles,
};
pub use hex::{from_hex, to_hex};
pub use host::Host;
pub use host_calls::{BoxFuture, HostCalls, Level};
pub use http::{HttpRequest, HttpResponse};
#[cfg(not(target_family = "wasm"))]
pub use memory::{
    MemoryBound, MemoryBoundKind, MemoryUse, address_space_limit, format_size, memory_bounds, memory_use, parse_size,
};
pub use model::Model;
pub use offers::{Ability, Offers, X_NEEDS};
pub use policy::RoutingPolicy;
pub use policy_by_documents::PolicyByDocuments;
pub use rng::Random;
pub use routing::{
    Arm, Attempt, Decision, Learns, Objective, Outcome, PendingDecision, PolicyAnswer, PolicyQuestion, PolicyRequest,
    Question,
};
pub use search::{Picks, SearchAnswer, SearchDecision, SearchQuestion, SearchRequest};
pub use search_policy::SearchPolicy;
pub use search_state::{LinkedInSearch, SearchByDocuments, SearchState};
pub use space::{Condition, Dimension, Domain, Goal, Study, Values, step_value};
pub use tensors::{
    ElementType, MAX_DIMENSIONS, ReadElements, TensorElements, TensorReader, TensorRef, TensorWriter, WriteElements,
    checked_shape, element_count,
};

/// Version of the contract, apart from the product's. A host serves every minor of its major.
pub const PROTOCOL: (u16, u16) = (0, 1);

/// What the macros of this crate expand to; no part of the contract.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use schemars;
    pub use serde;

    pub use crate::{
        analyzer::extension_of, by_name::ByName, cache::extension_of_cache, direction::extension_of_extractor,
        model::extension_of_model, policy::extension_of_policy, search_policy::extension_of_search,
    };
}
