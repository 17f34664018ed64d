//! What a plugin's source file imports.

pub use jackfield_plugin_macros::{Config, Document};

pub use crate::{
    Analyzer, Config as _, Example, Failure, Host, Level, Permission, Random, Result, Stability, Tensor, WithTensors,
    export_plugin,
};
