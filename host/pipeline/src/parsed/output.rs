//! What is written for each item, as it is written in the pipeline.

use super::{
    expr::{WireRef, wire_ref},
    fields::Fields,
};
use crate::{
    plan::RecordedCalls,
    syntax::{Key, Node},
};

/// What is written for each item.
#[derive(Clone, Debug, Default)]
pub(crate) struct ParsedOutput {
    pub(crate) item_files: Option<bool>,
    pub(crate) files: Vec<(Key, WireRef)>,
    pub(crate) merged: Vec<(Key, WireRef)>,
    pub(crate) show: Vec<(Key, WireRef)>,
}

/// Which calls of models are on the record.
pub(crate) fn recorded_calls(node: Option<&Node>) -> RecordedCalls {
    match Fields::of_file_table(node, "record").text("calls").as_ref().map(|calls| calls.value.as_str()) {
        Some("full") => RecordedCalls::Full,
        Some("none") => RecordedCalls::None,
        _ => RecordedCalls::default(),
    }
}

pub(crate) fn output(node: Option<&Node>) -> ParsedOutput {
    let fields = Fields::of_file_table(node, "output");
    let wires = |key: &str| {
        let table = fields.get(key).and_then(Node::as_table);
        table.into_iter().flat_map(|table| &table.0).map(|(name, node)| (name.clone(), wire_ref(node))).collect()
    };
    ParsedOutput {
        item_files: fields.flag("item_files"),
        files: wires("files"),
        merged: wires("merged"),
        show: wires("show"),
    }
}
