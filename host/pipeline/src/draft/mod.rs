//! The tree -> a draft: a pipeline as it is written, in which every value has its type and place, and nothing is looked up.

mod expr;
mod fields;
mod input;
mod output;
mod parse;
mod parsed_pipeline;
mod plugin;
mod route;
mod search;
mod service;
mod stage;
mod test;
mod trust;

pub(crate) use expr::{Expr, WireRef};
pub(crate) use input::ItemSource;
#[cfg(test)]
pub(crate) use parse::parse_text;
pub use parse::{Request, parse};
pub use parsed_pipeline::Draft;
pub use plugin::PluginEntry;
pub(crate) use route::RouteDraft;
pub(crate) use search::{DimensionDraft, SearchDraft, number};
pub(crate) use stage::StageDraft;
pub(crate) use test::TestDraft;
