//! Internal to Jackfield: use the crate `jackfield`.
//!
//! This crate turns a file that nobody trusts yet into a plugin that the rest of the host can call without knowing whether it
//! is linked in, a native library or a WebAssembly component. It is a crate of its own so that everything that stands between
//! foreign code and the machine is in one place: verification, loading, the sandbox with its grants and limits, and the
//! escaping of foreign text.
//!
//! - `artifact`, `load`, `registry`: a file is read, loaded, and registered with the extensions that it offers.
//! - `lock`: the lockfile and signatures, which decide whether a file is admitted.
//! - `native`, `wasm`, `linked_in`: the three linkages.
//! - `sandbox`: permissions, grants, limits, and the admission of calls.
//! - `tensor_shape`, `extractor_schemas`, `schema_cost`: checks of the schemas in descriptors.
//! - `escape_untrusted`, `secrets`: foreign text and secrets in messages. `regular_file`, `text_file`, `digest`, `threads`: helpers.
//!
//! Invariant: this is the only place with `unsafe` besides `jackfield-plugin-api`, and no file is executed before it is verified.
//!
//! See docs/architecture.md in the repository.

mod artifact;
mod digest;
mod error;
pub mod escape_untrusted;
mod extractor_schemas;
mod linked_in;
mod load;
pub mod lock;
#[expect(unsafe_code, reason = "loading native code: each block says why it is sound")]
mod native;
mod program;
mod registry;
pub mod regular_file;
pub mod sandbox;
mod schema_cost;
mod secrets;
mod tensor_shape;
pub mod text_file;
mod threads;
pub mod waits;
#[expect(unsafe_code, reason = "compiled components are native code: the block says why it is sound")]
mod wasm;

pub use artifact::Artifact;
pub use digest::Digest;
pub use error::LoadError;
pub use escape_untrusted::{
    escape_untrusted, escape_untrusted_but_style, escape_untrusted_json, escape_untrusted_lines, is_harmful,
};
pub use linked_in::{BUNDLED, linked_in_plugin};
pub use load::{Trust, load, load_artifact};
pub use native::Dependency;
pub use registry::{ExtensionEntry, ExtensionFactory, Linkage, Lookup, Plugin, Registry};
pub use secrets::{MASK, holds_secrets, is_secret_name, is_variable_name, mask_secrets, secret_ranges};
pub use tensor_shape::{Dimension, TensorShape, X_TENSOR};
pub use threads::{hint_for_threads, no_thread, start_runtime};
pub use wasm::{
    CompiledComponents, announce_compiling, compiled as compiled_components, imports, probe as probe_components,
};
