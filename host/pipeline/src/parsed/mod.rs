//! The parsed pipeline: a pipeline as it is written, in which every value has its type and span, and no name is resolved yet.

mod condition;
mod expr;
mod fields;
mod input;
mod output;
mod parse;
mod pipeline;
mod plugin;
mod route;
mod search;
mod seen_items;
mod service;
mod stage;
mod test;
mod trust;

pub(crate) use condition::{ParsedCondition, ParsedWhen};
pub(crate) use expr::{Expr, WireRef};
pub(crate) use input::ItemSource;
#[cfg(test)]
pub(crate) use parse::parse_text;
pub use parse::{Request, parse};
pub use pipeline::ParsedPipeline;
pub use plugin::PluginEntry;
pub(crate) use route::ParsedRoute;
pub(crate) use search::{ParsedDimension, ParsedSearch, number};
pub use seen_items::SeenItems;
pub(crate) use service::ParsedModel;
pub(crate) use stage::ParsedStage;
pub(crate) use test::ParsedTest;
