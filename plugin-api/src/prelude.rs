//! What a plugin's source file imports.

pub use jackfield_plugin_macros::{Config, Document};

pub use serde_json::{Value, json};

pub use crate::{
    Ability, Analyzer, Arm, Attempt, CacheBackend, CacheEntry, CacheSize, CacheValue, Capture, Captured, Completion,
    CompletionRequest, Component, Condition, Config as _, ContrastSet, Decision, DigestedPath, Dimension,
    DirectionExtractor, Directions, Domain, Edit, Example, Failure, FilePath, FinishReason, Goal, Host, HttpRequest,
    HttpResponse, LayerDirection, Learns, Level, LogProbs, LogProbsOn, Message, Model, Objective, Offers, Outcome,
    PendingDecision, Permission, Question, Random, Result, Role, RoutingPolicy, RowNormalization, SearchPolicy,
    SearchQuestion, Stability, Study, Tensor, TensorReader, TensorRef, TensorWriter, TextFile, TextFiles, Token, Usage,
    Values, WithTensors, export_plugin,
};
