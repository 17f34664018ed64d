//! Looks at the input of a pipeline before anything runs: what would keep a run from beginning, or make all its items fail, is a
//! fault of the pipeline like any other.

use std::{collections::BTreeSet, path::PathBuf};

use jackfield_engine::{EngineError, InputReader as _, read_first};
use jackfield_loader::{escape_untrusted, text_file};
use jackfield_pipeline::{Diagnostic, InputPlan, ParsedPipeline, SeenItems, hint_for};
use serde_json::Value;

use super::{
    BundledInputs, csv,
    expand::{expand, expand_folders},
    standard_input::is_standard_input,
};
use crate::options::InputLook;

/// The most items that are looked at, and the most bytes of them.
const MOST_ITEMS: usize = 1_000;
const MOST_BYTES: usize = 8 << 20;

/// The most bytes of JSON files that are looked at: such a file is read as a whole.
const MOST_JSON_BYTES: u64 = 64 << 20;

/// The most CSV files whose headers are looked at.
const MOST_HEADERS: usize = 64;

/// Separators of columns that people use.
const DELIMITERS: [(char, &str); 4] = [(';', ";"), ('\t', "\\t"), ('|', "|"), (',', ",")];

/// Looks at the input as far as asked, and tells the pipeline what there is and what is wrong.
pub(crate) fn look_at_input(parsed: &mut ParsedPipeline, look: InputLook) {
    let Some(input) = parsed.input_plan().filter(|_| look != InputLook::None && parsed.reads_items()) else { return };
    // It can be read once, by the run.
    if is_standard_input(&input) {
        return;
    }
    if let Err(error) = BundledInputs.check(&input) {
        if look == InputLook::All {
            let diagnostic = Diagnostic::new("bad-input", error.to_string());
            parsed.report_at_input("path", diagnostic.hint(error.hint()));
        }
        return;
    }
    if look == InputLook::All {
        warn_of_idle_patterns(&input);
        warn_of_what_is_missing(&input);
    }
    match &input {
        InputPlan::Csv { patterns, id, delimiter, max_item_size } => {
            // The files were there a moment ago. If they are gone, the run says so.
            let Ok(paths) = expand(patterns) else { return };
            look_at_columns(
                parsed,
                &Csv { paths, id: id.as_deref(), delimiter: *delimiter, most: *max_item_size },
                look,
            );
        }
        InputPlan::Json { patterns, .. } => {
            let Ok(paths) = expand_folders(patterns) else { return };
            let sizes = paths.iter().filter_map(|path| std::fs::metadata(path).ok());
            if sizes.map(|about| about.len()).sum::<u64>() <= MOST_JSON_BYTES {
                look_at_values(parsed, &input, &paths, look);
            }
        }
        InputPlan::Jsonl { patterns, .. } => {
            let Ok(paths) = expand(patterns) else { return };
            look_at_values(parsed, &input, &paths, look);
        }
        InputPlan::Files { .. } | InputPlan::Inline { .. } | InputPlan::Trials { .. } => {}
    }
}

/// Names the patterns that match nothing beside others that do.
fn warn_of_idle_patterns(input: &InputPlan) {
    let (InputPlan::Files { patterns, .. } | InputPlan::Jsonl { patterns, .. } | InputPlan::Csv { patterns, .. }) =
        input
    else {
        return;
    };
    for pattern in patterns.iter().filter(|_| patterns.len() > 1) {
        if let Err(error @ EngineError::NoInput { .. }) = expand(std::slice::from_ref(pattern)) {
            tracing::warn!("{error}: the items come from the other patterns alone");
        }
    }
}

/// Names what a run would do without: items, and the ids of those that the pipeline itself has.
fn warn_of_what_is_missing(input: &InputPlan) {
    if let InputPlan::Inline { items, id: Some(id) } = input
        && !items.is_empty()
        && items.iter().all(|item| item.get(id).is_none())
    {
        let id = escape_untrusted(id);
        tracing::warn!("none of the `items` of `[input]` has a field `{id}` that could be its id");
    }
    let is_large = matches!(input, InputPlan::Files { .. } | InputPlan::Json { .. } | InputPlan::Trials { .. });
    if !is_large && read_first(&BundledInputs, input, 1, 1).is_ok_and(|first| first.items.is_empty()) {
        tracing::warn!("the input has no items: a run would have nothing to do");
    }
}

/// Files of records, as the pipeline names them.
struct Csv<'a> {
    paths: Vec<PathBuf>,
    id: Option<&'a str>,
    delimiter: u8,
    most: u64,
}

fn look_at_columns(parsed: &mut ParsedPipeline, files: &Csv<'_>, look: InputLook) {
    let mut columns = BTreeSet::new();
    let mut hint = None;
    for path in files.paths.iter().take(MOST_HEADERS) {
        let header = match csv::columns_of(path, files.delimiter, files.most) {
            Ok(Some(header)) => header,
            // A file without a header has no items.
            Ok(None) => continue,
            Err(why) if look == InputLook::All => {
                let message = format!("cannot read `{}`: {why}", path.display());
                return parsed.report_at_input("path", Diagnostic::new("bad-input", message));
            }
            Err(_) => return,
        };
        if look == InputLook::All {
            csv::repeated_columns(&header)
                .iter()
                .for_each(|repeated| tracing::warn!("`{}` has {repeated}", path.display()));
        }
        hint = hint.or_else(|| other_delimiter(&header, files.delimiter));
        columns.extend(header);
    }
    if columns.is_empty() {
        return;
    }
    let lacking = format!("{} no column", has(&files.paths));
    if let Some(id) = files.id.filter(|id| !columns.contains(*id)) {
        let known = hint_for(id, "its columns", columns.iter().map(String::as_str));
        let message = format!("{lacking} `{id}` that could be the id of an item");
        parsed.report_at_input("id", Diagnostic::new("unknown-field", message).hint(hint.clone().or(known)));
    }
    parsed.see_items(SeenItems { fields: columns, schema: None, lacking, known: "its columns", hint });
}

/// What to do about a header of one column that looks as if it were several.
fn other_delimiter(header: &[String], delimiter: u8) -> Option<String> {
    let [only] = header else { return None };
    let (_, written) = DELIMITERS.iter().find(|(other, _)| only.contains(*other) && *other != char::from(delimiter))?;
    let only = escape_untrusted(only);
    Some(format!("the header is the one column `{only}`: set `delimiter = \"{written}\"` in `[input]`"))
}

/// Looks at the first items of files of JSON values: what they are like, and whether any can be read.
fn look_at_values(parsed: &mut ParsedPipeline, input: &InputPlan, paths: &[PathBuf], look: InputLook) {
    let first = match read_first(&BundledInputs, input, MOST_ITEMS, MOST_BYTES) {
        Ok(first) => first,
        Err(error) if look == InputLook::All => {
            let diagnostic = Diagnostic::new("bad-input", error.to_string());
            return parsed.report_at_input("path", diagnostic.hint(error.hint()));
        }
        Err(_) => return,
    };
    let documents: Vec<&String> = first.items.iter().filter_map(|(_, document)| document.as_ref().ok()).collect();
    if look == InputLook::All
        && documents.is_empty()
        && let Some((_, Err(why))) = first.items.first()
    {
        let count = first.items.len();
        let message =
            if count == 1 { why.clone() } else { format!("none of the first {count} items can be read: {why}") };
        return parsed.report_at_input("path", Diagnostic::new("bad-input", message));
    }
    let values: Vec<Value> = documents.iter().filter_map(|document| serde_json::from_str(document).ok()).collect();
    // What is nested too deeply for a value is let through.
    if values.is_empty() || values.len() < documents.len() {
        return;
    }
    let schema = first.are_all.then(|| SeenItems::schema_of(&values));
    let mut fields = BTreeSet::new();
    for value in &values {
        match value {
            Value::Object(members) => fields.extend(members.keys().cloned()),
            // Of the items behind these, nothing is known then.
            _ if schema.is_none() => return,
            _ => {}
        }
    }
    let subject = match (values.len(), paths) {
        (1, [path]) => format!("the first item of `{}` has", path.display()),
        (1, _) => "the first item has".to_owned(),
        (count, [path]) => format!("the first {count} items of `{}` have", path.display()),
        (count, _) => format!("the first {count} items have"),
    };
    let lacking = format!("{subject} no field");
    if let InputPlan::Jsonl { id: Some(id), .. } | InputPlan::Json { id: Some(id), .. } = input
        && look == InputLook::All
        && !fields.contains(id)
        && (matches!(input, InputPlan::Jsonl { .. }) || are_arrays(paths))
    {
        let known = hint_for(id, "their fields", fields.iter().map(String::as_str));
        let known = known.map_or_else(String::new, |known| format!("; {known}"));
        let id = escape_untrusted(id);
        tracing::warn!("{lacking} `{id}` that could be an id: items are called by their positions{known}");
    }
    parsed.see_items(SeenItems { fields, schema, lacking, known: "their fields", hint: None });
}

/// Whether the items of JSON files are the elements of arrays: members of objects have ids of their own.
fn are_arrays(paths: &[PathBuf]) -> bool {
    paths
        .iter()
        .all(|path| text_file::read(path, MOST_JSON_BYTES).is_ok_and(|text| text.trim_ascii_start().starts_with('[')))
}

/// The subject of a message about files.
fn has(paths: &[PathBuf]) -> String {
    match paths {
        [path] => format!("`{}` has", path.display()),
        _ => format!("the first {} files have", paths.len().min(MOST_HEADERS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_arrays_are_told_from_those_of_objects() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let (array, object) = (file("a.json", " [{\"key\": 1}]"), file("b.json", "{\"key\": []}"));
        assert!(are_arrays(std::slice::from_ref(&array)));
        assert!(!are_arrays(&[array, object]));
    }
}
