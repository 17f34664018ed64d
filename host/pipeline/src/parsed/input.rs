//! Where items come from, as it is written.

use std::path::{Path, PathBuf};

use super::fields::Fields;
use crate::{
    diagnostics::{Diagnostic, Sources, Spanned},
    plan::max_item_size,
    syntax::{Node, Text, Value, overrides},
};

/// Where items come from.
#[derive(Clone, Debug)]
pub(crate) struct ParsedInput {
    pub(crate) source: Option<ItemSource>,
}

/// The item sources; a list of patterns is absolute.
#[derive(Clone, Debug)]
pub(crate) enum ItemSource {
    Files { patterns: Vec<String>, max_item_size: u64 },
    Jsonl { patterns: Vec<String>, id: Option<String>, max_item_size: u64 },
    Json { patterns: Vec<String>, item_keys: Vec<String>, id: Option<String>, max_item_size: u64 },
    Csv { patterns: Vec<String>, id: Option<String>, delimiter: u8, max_item_size: u64 },
    Inline { items: Vec<serde_json::Value>, id: Option<Spanned<String>> },
    Trials { count: u64 },
}

pub(crate) fn input(
    given: &Text<'_>,
    sources: &Sources,
    node: &Node,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<ItemSource> {
    let fields = Fields::of_file_table(Some(node), "input");
    let id = fields.text("id");
    let patterns = fields.texts("path").into_iter().map(|pattern| {
        if pattern.value.len() > LONGEST_PATTERN {
            let message = format!("the glob pattern has {} bytes, more than any path", pattern.value.len());
            diagnostics.push(Diagnostic::at("bad-glob", pattern.span, message));
        } else if let Err(error) = glob::Pattern::new(&pattern.value) {
            let message = format!("`{}` is not a glob pattern", pattern.value);
            diagnostics.push(Diagnostic::at("bad-glob", pattern.span, message).label(error.msg.to_lowercase()));
        }
        let named_here = sources.get(pattern.span.source).name == overrides::INPUT;
        let base = if named_here { given.current } else { given.folder };
        absolute_pattern(base, &pattern.value)
    });
    let patterns: Vec<String> = patterns.collect();
    let max_item_size = fields.size("max_item_size").unwrap_or(max_item_size());
    match fields.text("use")?.value.as_str() {
        "files" => Some(ItemSource::Files { patterns, max_item_size }),
        "jsonl" => Some(ItemSource::Jsonl { patterns, id: id.map(|id| id.value), max_item_size }),
        "json" => {
            let item_keys = fields.texts("item_keys").into_iter().map(|key| key.value).collect();
            Some(ItemSource::Json { patterns, item_keys, id: id.map(|id| id.value), max_item_size })
        }
        "csv" => {
            let delimiter = fields.text("delimiter").and_then(|text| text.value.bytes().next()).unwrap_or(b',');
            Some(ItemSource::Csv { patterns, id: id.map(|id| id.value), delimiter, max_item_size })
        }
        "inline" => {
            let Some(Node { value: Value::List(list), .. }) = fields.get("items") else { return None };
            Some(ItemSource::Inline { items: list.iter().map(|item| item.to_json(diagnostics)).collect(), id })
        }
        "trials" => fields.integer("count").map(|count| ItemSource::Trials { count }),
        _ => None,
    }
}

/// The most bytes of a glob pattern: those of a path.
const LONGEST_PATTERN: usize = 4096;

/// The pattern, relative to a folder. The name of the folder is taken literally, and so is the whole pattern if there is a
/// file or folder of that name.
fn absolute_pattern(base: &Path, pattern: &str) -> String {
    let named = base.join(pattern);
    if pattern.contains('[') && (named.is_file() || named.is_dir()) {
        return glob::Pattern::escape(&named.to_string_lossy());
    }
    if Path::new(pattern).is_absolute() {
        return pattern.to_owned();
    }
    PathBuf::from(glob::Pattern::escape(&base.to_string_lossy())).join(pattern).to_string_lossy().into_owned()
}
