//! The page around its data: what is there before the script runs, and what it fills.

use jackfield_store::RunJson;

use super::{Notes, texts::PageTexts};
use crate::{
    html::{Html, write_escaped},
    page::{STYLE, digest},
    units::{counted, grouped_count},
};

/// The style of the table and of the large view, beside that of a report.
const ANSWERS_STYLE: &str = include_str!("answers.css");
/// The script, one idea after the other: no file of it is loaded from anywhere.
const SCRIPT: &str = concat!(
    include_str!("script/data.js"),
    include_str!("script/search.js"),
    include_str!("script/filter.js"),
    include_str!("script/difference.js"),
    include_str!("script/elements.js"),
    include_str!("script/table.js"),
    include_str!("script/item.js"),
    include_str!("script/keys.js"),
);

pub(super) fn page(run: &RunJson, head: &Html, notes: &Notes, columns: &Html, texts: &PageTexts) -> String {
    let mut out = Html::new();
    out.write_static("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // Nothing is loaded, and nothing runs but this one script: not even if something were not escaped.
    write_escaped!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}' 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n",
        digest(STYLE),
        digest(ANSWERS_STYLE),
        digest(SCRIPT),
    );
    out.write_static("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.write_static(
        "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n",
    );
    write_escaped!(out, "<title>{} · answers of {}</title>\n<style>", run.pipeline, run.run);
    out.write_static(STYLE);
    out.write_static("</style>\n<style>");
    out.write_static(ANSWERS_STYLE);
    out.write_static(
        "</style>\n</head>\n<body class=\"answers\">\n<a class=\"skip\" href=\"#search\">To the search</a>\n",
    );
    out.append(head);
    out.write_static(include_str!("body.html"));
    write_notes(&mut out, notes);
    out.write_static("<script type=\"application/json\" id=\"columns\">");
    out.append(columns);
    out.write_static("</script>\n<script type=\"application/json\" id=\"texts\">");
    out.write_json(texts);
    out.write_static("</script>\n<script>");
    out.write_static(SCRIPT);
    out.write_static("</script>\n</body>\n</html>\n");
    out.into_string()
}

fn write_notes(out: &mut Html, notes: &Notes) {
    out.write_static(
        "<footer>\n<p class=\"keys\"><kbd>/</kbd> search <kbd>j</kbd> <kbd>k</kbd> or arrows: next, previous ",
    );
    out.write_static("<kbd>Enter</kbd> one item large <kbd>p</kbd> prompts <kbd>Esc</kbd> back</p>\n");
    if notes.left_out > 0 {
        write_escaped!(
            out,
            "<p>{} of this run are not on the page: those that failed or did not pass are here first. <code>jackfield results</code> has all.</p>\n",
            grouped_count(notes.left_out, "item")
        );
    }
    if notes.cut > 0 {
        write_escaped!(
            out,
            "<p>{} cut, the longest first, so that the page stays small. <code>jackfield show RUN ITEM</code> prints an item whole.</p>\n",
            if notes.cut == 1 { "1 text is".to_owned() } else { format!("{} are", counted(notes.cut as u64, "text")) }
        );
    }
    if notes.has_exchanges == Some(false) {
        out.write_static(
            "<p>No prompt is on the record of this run. To keep prompts and answers, write <code>[record]</code> \
             <code>calls = \"full\"</code> into the pipeline file.</p>\n",
        );
    }
    out.write_static("</footer>\n");
}
