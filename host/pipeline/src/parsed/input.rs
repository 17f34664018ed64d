//! Where items come from, as it is written.

use std::path::{Path, PathBuf};

use super::fields::Fields;
use crate::{
    diagnostics::{Diagnostic, Sources, Span, Spanned},
    plan::{InputPlan, STANDARD_INPUT, max_item_size},
    syntax::{Node, Text, Value, overrides},
};

/// Where items come from.
#[derive(Clone, Debug)]
pub(crate) struct ParsedInput {
    pub(crate) source: Option<ItemSource>,
    /// Where its files are named, if they are.
    pub(crate) path_at: Option<Span>,
    /// Where the field that is an item's id is named, if it is.
    pub(crate) id_at: Option<Span>,
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
) -> ParsedInput {
    let fields = Fields::of_file_table(Some(node), "input");
    let at = |key: &str| fields.get(key).map(|node| node.span);
    ParsedInput { source: source(given, sources, node, diagnostics), path_at: at("path"), id_at: at("id") }
}

fn source(given: &Text<'_>, sources: &Sources, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<ItemSource> {
    let fields = Fields::of_file_table(Some(node), "input");
    let id = fields.text("id");
    let patterns = fields.texts("path").into_iter().map(|pattern| {
        if pattern.value == STANDARD_INPUT {
            return pattern.value;
        }
        let named_here = sources.get(pattern.span.source).name == overrides::INPUT;
        let base = if named_here { given.current } else { given.folder };
        if let Some(literal) = literal_pattern(base, &pattern.value) {
            return literal;
        }
        if pattern.value.len() > LONGEST_PATTERN {
            let message = format!("the glob pattern has {} bytes, more than any path", pattern.value.len());
            diagnostics.push(Diagnostic::at("bad-glob", pattern.span, message));
        } else if let Err(error) = glob::Pattern::new(&pattern.value) {
            let message = format!("`{}` is not a glob pattern", pattern.value);
            diagnostics.push(Diagnostic::at("bad-glob", pattern.span, message).label(error.msg.to_lowercase()));
        }
        absolute_pattern(base, &pattern.value)
    });
    let patterns: Vec<String> = patterns.collect();
    if patterns.len() > 1 && patterns.iter().any(|pattern| pattern == STANDARD_INPUT) {
        let at = fields.get("path").map_or(node.span, |node| node.span);
        let message = "standard input (`-`) is read alone, or not at all";
        let hint = "name one or the other, or pass the files on: `cat FILES | jackfield run ... --input -`";
        diagnostics.push(Diagnostic::at("bad-input", at, message).hint(hint.to_owned()));
    }
    let max_item_size = fields.size("max_item_size").unwrap_or(max_item_size());
    match fields.text("use")?.value.as_str() {
        "files" => Some(ItemSource::Files { patterns, max_item_size }),
        "jsonl" => Some(ItemSource::Jsonl { patterns, id: id.map(|id| id.value), max_item_size }),
        "json" => {
            let item_keys = fields.texts("item_keys").into_iter().map(|key| key.value).collect();
            Some(ItemSource::Json { patterns, item_keys, id: id.map(|id| id.value), max_item_size })
        }
        "csv" => {
            let delimiter = fields.text("delimiter").filter(|text| is_delimiter(&text.value));
            let delimiter = delimiter.and_then(|text| text.value.bytes().next()).unwrap_or(b',');
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

impl ItemSource {
    /// As it stands in a plan.
    pub(crate) fn lower(self) -> InputPlan {
        match self {
            Self::Files { patterns, max_item_size } => InputPlan::Files { patterns, max_item_size },
            Self::Jsonl { patterns, id, max_item_size } => InputPlan::Jsonl { patterns, id, max_item_size },
            Self::Json { patterns, item_keys, id, max_item_size } => {
                InputPlan::Json { patterns, item_keys, id, max_item_size }
            }
            Self::Csv { patterns, id, delimiter, max_item_size } => {
                InputPlan::Csv { patterns, id, delimiter, max_item_size }
            }
            Self::Inline { items, id } => InputPlan::Inline { items, id: id.map(|id| id.value) },
            Self::Trials { count } => InputPlan::Trials { count },
        }
    }
}

/// Whether a text is one ASCII character that can stand between two columns.
pub(crate) fn is_delimiter(text: &str) -> bool {
    text.len() == 1 && text.is_ascii() && !matches!(text, "\"" | "\n" | "\r")
}

/// The most bytes of a glob pattern: those of a path.
const LONGEST_PATTERN: usize = 4096;

/// The pattern of the one file or folder that is called like the pattern: a name may have brackets and other wildcards in it.
fn literal_pattern(base: &Path, pattern: &str) -> Option<String> {
    let named = base.join(pattern);
    let is_there = pattern.contains(['[', '?', '*']) && (named.is_file() || named.is_dir());
    is_there.then(|| glob::Pattern::escape(&named.to_string_lossy()))
}

/// The pattern, relative to a folder. The name of the folder is taken literally.
fn absolute_pattern(base: &Path, pattern: &str) -> String {
    if Path::new(pattern).is_absolute() {
        return pattern.to_owned();
    }
    PathBuf::from(glob::Pattern::escape(&base.to_string_lossy())).join(pattern).to_string_lossy().into_owned()
}
