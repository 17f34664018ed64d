//! What a plugin's source file imports.

pub use jackfield_plugin_macros::{Config, Document};

pub use serde_json::json;

pub use crate::{
    Analyzer, Arm, Attempt, CacheBackend, CacheEntry, CacheSize, CacheValue, Completion, CompletionRequest,
    Config as _, Decision, DigestedPath, Example, Failure, FilePath, Finish, Host, HttpRequest, HttpResponse, Learns,
    Level, Message, Model, Objective, Outcome, PendingDecision, Permission, Question, Random, Result, Role,
    RoutingPolicy, Stability, Tensor, TextFile, Usage, WithTensors, export_plugin,
};
