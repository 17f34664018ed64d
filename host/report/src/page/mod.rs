//! The page as HTML: one module for each of its sections.

mod all_items;
mod bars;
mod caches;
mod cost;
mod failures;
mod graph;
mod head;
mod latency;
mod look_grids;
mod looks;
mod marks;
mod pareto_front;
mod plot;
mod routes;
mod search;
mod steering;
mod timeline;
mod warnings;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jackfield_store::{Db, RunJson, StoreError};
use sha2::{Digest as _, Sha256};

use super::{
    aggregate::aggregate,
    drawn_items::Inputs,
    html::{Html, write_escaped},
};

pub(super) const STYLE: &str = include_str!("style.css");
/// The style of what is to be looked at, on a page that has any.
const LOOKS_STYLE: &str = include_str!("looks.css");
const SCRIPT: &str = include_str!("script.js");

/// A part of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Html,
}

/// The page about a run, as one HTML text. `inputs` reads items again whose input is drawn.
///
/// # Errors
/// If the record cannot be read.
pub fn page(run: &RunJson, db: &Db, inputs: &Inputs<'_>) -> Result<String, StoreError> {
    let stats = aggregate(run, db, inputs)?;
    let sections: Vec<Section> = [
        ("graph", "The graph", graph::section(&stats)),
        ("all-items", "Over all items", all_items::section(&stats)),
        ("failures", "Failures", failures::section(&stats)),
        ("warnings", "Warnings", warnings::section(&stats)),
        ("look", "To look at", looks::section(&stats)),
        ("timeline", "Timeline", timeline::section(&stats)),
        ("latency", "Latency", latency::section(&stats)),
        ("cost", "Tokens and cost", cost::section(&stats)),
        ("caches", "Caches", caches::section(&stats)),
        ("routes", "What the routes learned", routes::section(&stats)),
        ("front", "Pareto front", pareto_front::section(&stats)),
        ("search", "The search", search::section(&stats)),
        ("directions", "Directions", steering::section(&stats)),
        ("provenance", "What ran", head::provenance(&stats)),
    ]
    .into_iter()
    .filter_map(|(id, title, body)| Some(Section { id, title, body: body? }))
    .collect();

    let mut out = Html::new();
    out.write_static("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // Nothing is loaded, and nothing runs but this one script: not even if something were not escaped.
    let has_looks = !stats.drawn_items.items.is_empty();
    let looks_style = if has_looks { format!(" 'sha256-{}'", digest(LOOKS_STYLE)) } else { String::new() };
    write_escaped!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'{}; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n",
        digest(STYLE),
        looks_style,
        digest(SCRIPT),
    );
    out.write_static("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.write_static(
        "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n",
    );
    write_escaped!(out, "<title>{} · {}</title>\n<style>", run.pipeline, run.run);
    out.write_static(STYLE);
    if has_looks {
        out.write_static("</style>\n<style>");
        out.write_static(LOOKS_STYLE);
    }
    out.write_static("</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the content</a>\n");
    out.append(&marks::shared());
    out.append(&head::header(&stats));
    out.write_static("<nav aria-label=\"Sections\"><ul>");
    for section in &sections {
        write_escaped!(out, "<li><a href=\"#{}\">{}</a></li>", section.id, section.title);
    }
    out.write_static("</ul></nav>\n<main id=\"main\">\n");
    for Section { id, title, body } in &sections {
        write_escaped!(
            out,
            "<section id=\"{}\" aria-labelledby=\"h-{}\">\n<h2 id=\"h-{}\">{}</h2>\n",
            id,
            id,
            id,
            title
        );
        out.append(body);
        out.write_static("</section>\n");
    }
    out.write_static("</main>\n<script>");
    out.write_static(SCRIPT);
    out.write_static("</script>\n</body>\n</html>\n");
    Ok(out.into_string())
}

/// A hash as a content security policy wants it.
pub(super) fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

/// Opens a table that scrolls by itself where it is too wide, also by keyboard. `head` has the name of each column, and whether it
/// holds numbers.
fn open_table(out: &mut Html, label: &str, head: &[(&str, bool)]) {
    write_escaped!(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">", label);
    out.write_static("<table>\n<thead><tr>");
    for (name, numeric) in head {
        if *numeric {
            write_escaped!(out, "<th scope=\"col\" class=\"n\">{}</th>", name);
        } else {
            write_escaped!(out, "<th scope=\"col\">{}</th>", name);
        }
    }
    out.write_static("</tr></thead>\n<tbody>\n");
}

fn close_table(out: &mut Html) {
    out.write_static("</tbody></table></div>\n");
}

/// A stage as the first cell of a row: its number and its name.
fn stage_cell(out: &mut Html, number: usize, name: &str) {
    write_escaped!(out, "<th scope=\"row\"><b class=\"no\">{}</b> {}</th>", number, super::text::truncate(name, 60));
}

/// A cell with a number.
fn number_cell(out: &mut Html, text: &str) {
    write_escaped!(out, "<td class=\"n\">{}</td>", text);
}

/// A drawing that scrolls by itself where it is too wide. Its title and description say what it shows.
fn open_drawing(out: &mut Html, id: &str, (width, height): (f64, f64), title: &str, description: &str) {
    use super::units::px;
    write_escaped!(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">", title);
    write_escaped!(out, "<svg width=\"{}\" height=\"{}\" ", px(width), px(height));
    write_escaped!(
        out,
        "viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{}-t {}-d\">",
        px(width),
        px(height),
        id,
        id
    );
    write_escaped!(out, "<title id=\"{}-t\">{}</title><desc id=\"{}-d\">{}</desc>\n", id, title, id, description);
}

fn close_drawing(out: &mut Html) {
    out.write_static("</svg></div>\n");
}
