//! Directions in a model: how well two sets of prompts are told apart, and what edits along them did.

use super::{
    super::{
        gather::Facts,
        html::{Html, put},
        steering::{Found, Kernel, ReplyTable, Residuals},
        units::{clip, digits, grouped, many, percent},
    },
    close_table,
    marks::{key, mark},
    number_cell, open_table,
    plot::{Axis, Plot},
};

/// The most characters of a prompt, and of a reply.
const PROMPT: usize = 200;
const REPLY: usize = 300;

const WIDE: (f64, f64) = (520.0, 230.0);
const SMALL: (f64, f64) = (300.0, 240.0);
/// How the two sets are marked: a circle and a cross.
const SETS: [(usize, &str); 2] = [(0, "positive prompts"), (4, "negative prompts")];

pub(super) fn section(facts: &Facts<'_>) -> Option<Html> {
    let steering = &facts.steering;
    if steering.found.is_empty() {
        return None;
    }
    let mut out = Html::new();
    for (place, found) in steering.found.iter().enumerate() {
        directions(&mut out, facts, (place, found));
    }
    if !steering.kernels.is_empty() {
        out.own("<h3>How much is taken out</h3>\n<p>The weight of the edits by block: 1 takes all of the direction out of what a component adds.</p>\n");
        kernels(&mut out, &steering.kernels);
    }
    steering.replies.iter().for_each(|table| replies(&mut out, facts, table));
    Some(out)
}

fn directions(out: &mut Html, facts: &Facts<'_>, (place, found): (usize, &Found)) {
    let Some(stage) = facts.run.plan.stages.get(found.stage) else { return };
    put!(out, "<h3><b class=\"no\">{}</b> {}</h3>\n", found.stage + 1, clip(&stage.name, 60));
    put!(out, "<p><code>{}</code> found a direction in each of {}", stage.extension.name, {
        many(found.layers.iter().filter(|layer| !layer.degenerate).count() as u64, "layer")
    });
    if let Ok(Residuals { positive, negative, .. }) = &found.residuals {
        put!(
            out,
            ", from the hidden states of {} positive and {} negative prompts",
            grouped(*positive),
            grouped(*negative)
        );
    }
    match &found.item {
        Some(item) => put!(out, ". It differs from item to item; this is that of item {}.</p>\n", clip(item, 40)),
        None => out.own(".</p>\n"),
    }
    out.own("<div class=\"cards wide\">\n");
    silhouettes(out, place, found);
    out.own("</div>\n");
    match &found.residuals {
        Ok(residuals) if residuals.planes.is_empty() => {
            out.own("<p>No layer tells prompts apart, so none is drawn.</p>\n");
        }
        Ok(residuals) => planes(out, place, residuals),
        Err(why) => put!(out, "<p class=\"note\">The prompts are not drawn: {}.</p>\n", clip(why, 300)),
    }
    numbers(out, found);
}

/// How far apart the sets are, by layer.
fn silhouettes(out: &mut Html, place: usize, found: &Found) {
    let known = found
        .layers
        .iter()
        .enumerate()
        .filter_map(|(layer, facts)| Some((layer as f64, facts.silhouette.filter(|_| !facts.degenerate)?)));
    let points: Vec<(f64, f64)> = known.collect();
    if points.is_empty() {
        return;
    }
    let x = Axis::of("layer", [0.0, found.layers.len().saturating_sub(1) as f64].into_iter());
    let y = Axis::of("silhouette ↑", points.iter().map(|(_, value)| *value).chain([0.0, 1.0]));
    let plot = Plot { x: &x, y: &y, size: WIDE };
    let best = points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    let about = format!(
        "1 for sets far apart, 0 for sets that overlap. It is greatest in layer {}: {}.",
        best.0,
        digits(best.1)
    );
    plot.open(out, &format!("silhouette-{place}"), "Silhouette by layer", &about);
    plot.line(out, "line s0", &points);
    points.iter().for_each(|point| mark(out, 0, plot.place(*point)));
    Plot::close(out);
}

/// The prompts in the plane in which they differ most, by layer.
fn planes(out: &mut Html, place: usize, residuals: &Residuals) {
    out.own("<p>Each prompt by the first two principal components of the hidden states of a layer. Axes are of each drawing's own.</p>\n<ul class=\"legend\">");
    for (series, name) in SETS {
        out.own("<li>");
        out.own("<svg width=\"16\" height=\"16\" aria-hidden=\"true\">");
        mark(out, series, (8.0, 8.0));
        put!(out, "</svg> {}</li>", name);
    }
    out.own("</ul>\n<div class=\"cards\">\n");
    for (layer, plane) in &residuals.planes {
        let x = Axis::of(
            format!("1st, {} of the variance", percent(plane.shares[0])),
            plane.points.iter().map(|point| point.0),
        );
        let y = Axis::of(
            format!("layer {layer} · 2nd, {}", percent(plane.shares[1])),
            plane.points.iter().map(|point| point.1),
        );
        let plot = Plot { x: &x, y: &y, size: SMALL };
        let title = format!("Prompts in layer {layer}");
        plot.open(out, &format!("plane-{place}-{layer}"), &title, "The table below says how far apart the sets are.");
        for (at, point) in plane.points.iter().enumerate() {
            mark(out, SETS[usize::from(at >= residuals.first)].0, plot.place(*point));
        }
        Plot::close(out);
    }
    out.own("</div>\n");
}

fn numbers(out: &mut Html, found: &Found) {
    out.own("<details><summary>As a table</summary>\n");
    let head =
        [("layer", false), ("silhouette", true), ("cosine of the means", true), ("norm of the difference", true)];
    open_table(out, "Directions by layer", &head);
    for (layer, facts) in found.layers.iter().enumerate().take(500) {
        put!(out, "<tr><th scope=\"row\">{}</th>", layer);
        if facts.degenerate {
            out.own("<td colspan=\"3\">the sets are alike</td></tr>\n");
            continue;
        }
        for value in [facts.silhouette, facts.cos_means, Some(facts.norm_difference)] {
            number_cell(out, &value.map_or_else(|| "-".to_owned(), digits));
        }
        out.own("</tr>\n");
    }
    close_table(out);
    out.own("</details>\n");
}

/// The weights of edits by block, item by item. A component has the same line in all of them.
fn kernels(out: &mut Html, kernels: &[Kernel]) {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in kernels.iter().flat_map(|kernel| &kernel.components) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    out.own("<ul class=\"legend\">");
    for (series, name) in names.iter().enumerate() {
        out.own("<li>");
        key(out, series);
        put!(out, " {}</li>", name);
    }
    out.own("</ul>\n<div class=\"cards wide\">\n");
    kernels.iter().enumerate().for_each(|(place, one)| kernel(out, place, (one, &names)));
    out.own("</div>\n");
}

fn kernel(out: &mut Html, place: usize, (kernel, names): (&Kernel, &[&str])) {
    let blocks = kernel.components.iter().map(|(_, weights)| weights.len()).max().unwrap_or_default();
    let x = Axis::of("block", [0.0, blocks.saturating_sub(1) as f64].into_iter());
    let weights = kernel.components.iter().flat_map(|(_, weights)| weights.iter().copied());
    let y = Axis::of(format!("weight · item {}", clip(&kernel.item, 24)), weights.chain([0.0]));
    let plot = Plot { x: &x, y: &y, size: WIDE };
    let most = |weights: &[f64]| {
        let most = weights.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        most.map_or_else(String::new, |(block, weight)| format!("{} in block {block}", digits(*weight)))
    };
    let about: Vec<String> =
        kernel.components.iter().map(|(name, weights)| format!("{name}: at the most {}", most(weights))).collect();
    let title = format!("Weights of item {}", clip(&kernel.item, 40));
    plot.open(out, &format!("kernel-{place}"), &title, &about.join("; "));
    for (name, weights) in &kernel.components {
        let series = names.iter().position(|other| other == name).unwrap_or_default();
        let points: Vec<(f64, f64)> =
            weights.iter().enumerate().map(|(block, weight)| (block as f64, *weight)).collect();
        plot.line(out, if series == 0 { "line s0" } else { "line s1" }, &points);
        points.iter().filter(|point| point.1 != 0.0).for_each(|point| mark(out, series, plot.place(*point)));
    }
    Plot::close(out);
}

/// What the model says to prompts, before and after.
fn replies(out: &mut Html, facts: &Facts<'_>, table: &ReplyTable) {
    let (before, after) = table.stages;
    put!(
        out,
        "<h3>Replies before and after: <b class=\"no\">{}</b> {}, <b class=\"no\">{}</b> {}</h3>\n",
        before + 1,
        clip(facts.stage_name(before), 60),
        after + 1,
        clip(facts.stage_name(after), 60)
    );
    let mut head: Vec<(String, bool)> = vec![("prompt".to_owned(), false), ("before".to_owned(), false)];
    head.extend(table.items.iter().map(|item| (format!("item {}", clip(item, 24)), false)));
    let head: Vec<(&str, bool)> = head.iter().map(|(name, numeric)| (name.as_str(), *numeric)).collect();
    open_table(out, "Replies before and after", &head);
    for (prompt, before, after) in &table.rows {
        out.own("<tr>");
        said(out, prompt, PROMPT);
        said(out, before, REPLY);
        after.iter().for_each(|reply| said(out, reply, REPLY));
        out.own("</tr>\n");
    }
    close_table(out);
    if table.prompts > table.rows.len() {
        put!(out, "<p class=\"note\">And {}.</p>\n", many((table.prompts - table.rows.len()) as u64, "more prompt"));
    }
}

/// A cell with a text that may have several lines.
fn said(out: &mut Html, text: &str, most: usize) {
    out.own("<td class=\"said\">");
    for (place, line) in clip(text.trim_end(), most).lines().enumerate() {
        out.own(if place > 0 { "<br>" } else { "" });
        put!(out, "{}", line);
    }
    out.own("</td>");
}
