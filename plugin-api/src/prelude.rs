//! What a plugin's source file imports.

pub use jackfield_plugin_macros::{Config, Document};

pub use serde_json::json;

pub use crate::{
    Analyzer, CacheBackend, CacheEntry, CacheSize, CacheValue, Completion, CompletionRequest, Config as _, Example,
    Failure, FilePath, Finish, Host, HttpRequest, HttpResponse, Level, Message, Model, Permission, Random, Result,
    Role, Stability, Tensor, TextFile, Usage, WithTensors, export_plugin,
};
