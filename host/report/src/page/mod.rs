//! FACTS -> PAGE: a file a section.

mod bars;
mod caches;
mod cost;
mod failures;
mod graph;
mod head;
mod latency;
mod layout;
mod look_grids;
mod looks;
mod marks;
mod pareto_front;
mod plot;
mod routes;
mod search;
mod steering;
mod timeline;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jackfield_store::{Db, RunJson, StoreError};
use sha2::{Digest as _, Sha256};

use super::{
    gather::gather,
    html::{Html, put},
    to_look_at::Inputs,
};

const STYLE: &str = include_str!("style.css");
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
    let facts = gather(run, db, inputs)?;
    let sections: Vec<Section> = [
        ("graph", "The graph", graph::section(&facts)),
        ("failures", "Failures", failures::section(&facts)),
        ("look", "To look at", looks::section(&facts)),
        ("timeline", "Timeline", timeline::section(&facts)),
        ("latency", "Latency", latency::section(&facts)),
        ("cost", "Tokens and cost", cost::section(&facts)),
        ("caches", "Caches", caches::section(&facts)),
        ("routes", "What the routes learned", routes::section(&facts)),
        ("front", "Pareto front", pareto_front::section(&facts)),
        ("search", "The search", search::section(&facts)),
        ("directions", "Directions", steering::section(&facts)),
        ("colophon", "What ran", head::colophon(&facts)),
    ]
    .into_iter()
    .filter_map(|(id, title, body)| Some(Section { id, title, body: body? }))
    .collect();

    let mut out = Html::new();
    out.own("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // Nothing is loaded, and nothing runs but this one script: not even if something were not escaped.
    let has_looks = !facts.to_look_at.items.is_empty();
    let looks_style = if has_looks { format!(" 'sha256-{}'", digest(LOOKS_STYLE)) } else { String::new() };
    put!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'{}; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n",
        digest(STYLE),
        looks_style,
        digest(SCRIPT),
    );
    out.own("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.own("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    put!(out, "<title>{} · {}</title>\n<style>", run.pipeline, run.run);
    out.own(STYLE);
    if has_looks {
        out.own("</style>\n<style>");
        out.own(LOOKS_STYLE);
    }
    out.own("</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the content</a>\n");
    out.add(&marks::shared());
    out.add(&head::header(&facts));
    out.own("<nav aria-label=\"Sections\"><ul>");
    for section in &sections {
        put!(out, "<li><a href=\"#{}\">{}</a></li>", section.id, section.title);
    }
    out.own("</ul></nav>\n<main id=\"main\">\n");
    for Section { id, title, body } in &sections {
        put!(out, "<section id=\"{}\" aria-labelledby=\"h-{}\">\n<h2 id=\"h-{}\">{}</h2>\n", id, id, id, title);
        out.add(body);
        out.own("</section>\n");
    }
    out.own("</main>\n<script>");
    out.own(SCRIPT);
    out.own("</script>\n</body>\n</html>\n");
    Ok(out.into_string())
}

/// A hash as a content security policy wants it.
fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

/// Opens a table that scrolls by itself where it is too wide, also by keyboard.
fn open_table(out: &mut Html, label: &str, head: &[(&str, bool)]) {
    put!(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">", label);
    out.own("<table>\n<thead><tr>");
    for (name, numeric) in head {
        if *numeric {
            put!(out, "<th scope=\"col\" class=\"n\">{}</th>", name);
        } else {
            put!(out, "<th scope=\"col\">{}</th>", name);
        }
    }
    out.own("</tr></thead>\n<tbody>\n");
}

fn close_table(out: &mut Html) {
    out.own("</tbody></table></div>\n");
}

/// A stage as the first cell of a row: its number and its name.
fn stage_cell(out: &mut Html, number: usize, name: &str) {
    put!(out, "<th scope=\"row\"><b class=\"no\">{}</b> {}</th>", number, super::units::clip(name, 60));
}

/// A cell with a number.
fn number_cell(out: &mut Html, text: &str) {
    put!(out, "<td class=\"n\">{}</td>", text);
}

/// A drawing that scrolls by itself where it is too wide. Its title and description say what it shows.
fn open_drawing(out: &mut Html, id: &str, (width, height): (f64, f64), title: &str, about: &str) {
    use super::units::px;
    put!(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">", title);
    put!(out, "<svg width=\"{}\" height=\"{}\" ", px(width), px(height));
    put!(out, "viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{}-t {}-d\">", px(width), px(height), id, id);
    put!(out, "<title id=\"{}-t\">{}</title><desc id=\"{}-d\">{}</desc>\n", id, title, id, about);
}

fn close_drawing(out: &mut Html) {
    out.own("</svg></div>\n");
}
