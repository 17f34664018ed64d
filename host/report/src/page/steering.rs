//! Directions in a model: how far they separate two sets of prompts, and what edits along them did.

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        steering::{Found, Kernel, ReplyTable, Residuals},
        text::truncate,
        units::{grouped_count, percent, significant_digits, with_commas},
    },
    close_table,
    marks::{key, mark},
    number_cell, open_table,
    plot::{Axis, Plot},
};

/// The most characters of a prompt, and of a reply.
const MAX_PROMPT: usize = 200;
const MAX_REPLY: usize = 300;

const WIDE_PLOT: (f64, f64) = (520.0, 230.0);
const SMALL_PLOT: (f64, f64) = (300.0, 240.0);
/// How the two sets are marked: a circle and a cross.
const SETS: [(usize, &str); 2] = [(0, "positive prompts"), (4, "negative prompts")];

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let steering = &stats.steering;
    if steering.found.is_empty() {
        return None;
    }
    let mut out = Html::new();
    for (index, found) in steering.found.iter().enumerate() {
        write_directions(&mut out, stats, index, found);
    }
    if !steering.kernels.is_empty() {
        out.write_static("<h3>How much is taken out</h3>\n<p>The weight of the edits by block: 1 takes all of the direction out of what a component adds.</p>\n");
        write_kernels(&mut out, &steering.kernels);
    }
    steering.replies.iter().for_each(|table| write_replies(&mut out, stats, table));
    Some(out)
}

fn write_directions(out: &mut Html, stats: &RunStats<'_>, index: usize, found: &Found) {
    let Some(stage) = stats.run.plan.stages.get(found.stage) else { return };
    write_escaped!(out, "<h3><b class=\"no\">{}</b> {}</h3>\n", found.stage + 1, truncate(&stage.name, 60));
    write_escaped!(out, "<p><code>{}</code> found a direction in each of {}", stage.extension.name, {
        grouped_count(found.layers.iter().filter(|layer| !layer.degenerate).count() as u64, "layer")
    });
    if let Ok(Residuals { positive, negative, .. }) = &found.residuals {
        write_escaped!(
            out,
            ", from the hidden states of {} positive and {} negative prompts",
            with_commas(*positive),
            with_commas(*negative)
        );
    }
    match &found.item {
        Some(item) => {
            write_escaped!(out, ". It differs from item to item; this is that of item {}.</p>\n", truncate(item, 40))
        }
        None => out.write_static(".</p>\n"),
    }
    out.write_static("<div class=\"cards wide\">\n");
    write_silhouettes(out, index, found);
    out.write_static("</div>\n");
    match &found.residuals {
        Ok(residuals) if residuals.planes.is_empty() => {
            out.write_static("<p>No layer tells prompts apart, so none is drawn.</p>\n");
        }
        Ok(residuals) => write_planes(out, index, residuals),
        Err(why) => write_escaped!(out, "<p class=\"note\">The prompts are not drawn: {}.</p>\n", truncate(why, 300)),
    }
    write_numbers(out, found);
}

/// How far apart the sets are, by layer.
fn write_silhouettes(out: &mut Html, index: usize, found: &Found) {
    let known = found
        .layers
        .iter()
        .enumerate()
        .filter_map(|(layer, stats)| Some((layer as f64, stats.silhouette.filter(|_| !stats.degenerate)?)));
    let points: Vec<(f64, f64)> = known.collect();
    if points.is_empty() {
        return;
    }
    let x = Axis::of("layer", [0.0, found.layers.len().saturating_sub(1) as f64].into_iter());
    let y = Axis::of("silhouette ↑", points.iter().map(|(_, value)| *value).chain([0.0, 1.0]));
    let plot = Plot { x: &x, y: &y, size: WIDE_PLOT };
    let best = points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    let description = format!(
        "1 for sets far apart, 0 for sets that overlap. It is greatest in layer {}: {}.",
        best.0,
        significant_digits(best.1)
    );
    plot.open(out, &format!("silhouette-{index}"), "Silhouette by layer", &description);
    plot.line(out, "line s0", &points);
    points.iter().for_each(|point| mark(out, 0, plot.position(*point)));
    Plot::close(out);
}

/// The prompts in the plane in which they differ most, by layer.
fn write_planes(out: &mut Html, index: usize, residuals: &Residuals) {
    out.write_static("<p>Each prompt by the first two principal components of the hidden states of a layer. Axes are of each drawing's own.</p>\n<ul class=\"legend\">");
    for (series, name) in SETS {
        out.write_static("<li>");
        out.write_static("<svg width=\"16\" height=\"16\" aria-hidden=\"true\">");
        mark(out, series, (8.0, 8.0));
        write_escaped!(out, "</svg> {}</li>", name);
    }
    out.write_static("</ul>\n<div class=\"cards\">\n");
    for (layer, plane) in &residuals.planes {
        let x = Axis::of(
            format!("1st, {} of the variance", percent(plane.shares[0])),
            plane.points.iter().map(|point| point.0),
        );
        let y = Axis::of(
            format!("layer {layer} · 2nd, {}", percent(plane.shares[1])),
            plane.points.iter().map(|point| point.1),
        );
        let plot = Plot { x: &x, y: &y, size: SMALL_PLOT };
        let title = format!("Prompts in layer {layer}");
        plot.open(out, &format!("plane-{index}-{layer}"), &title, "The table below says how far apart the sets are.");
        for (at, point) in plane.points.iter().enumerate() {
            mark(out, SETS[usize::from(at >= residuals.first)].0, plot.position(*point));
        }
        Plot::close(out);
    }
    out.write_static("</div>\n");
}

fn write_numbers(out: &mut Html, found: &Found) {
    out.write_static("<details><summary>As a table</summary>\n");
    let head =
        [("layer", false), ("silhouette", true), ("cosine of the means", true), ("norm of the difference", true)];
    open_table(out, "Directions by layer", &head);
    for (layer, stats) in found.layers.iter().enumerate().take(500) {
        write_escaped!(out, "<tr><th scope=\"row\">{}</th>", layer);
        if stats.degenerate {
            out.write_static("<td colspan=\"3\">the sets are alike</td></tr>\n");
            continue;
        }
        for value in [stats.silhouette, stats.cos_means, Some(stats.norm_difference)] {
            number_cell(out, &value.map_or_else(|| "-".to_owned(), significant_digits));
        }
        out.write_static("</tr>\n");
    }
    close_table(out);
    out.write_static("</details>\n");
}

/// The weights of edits by block, item by item. A component has the same line in all of them.
fn write_kernels(out: &mut Html, kernels: &[Kernel]) {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in kernels.iter().flat_map(|kernel| &kernel.components) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    out.write_static("<ul class=\"legend\">");
    for (series, name) in names.iter().enumerate() {
        out.write_static("<li>");
        key(out, series);
        write_escaped!(out, " {}</li>", name);
    }
    out.write_static("</ul>\n<div class=\"cards wide\">\n");
    kernels.iter().enumerate().for_each(|(index, kernel)| write_kernel(out, index, kernel, &names));
    out.write_static("</div>\n");
}

fn write_kernel(out: &mut Html, index: usize, kernel: &Kernel, names: &[&str]) {
    let blocks = kernel.components.iter().map(|(_, weights)| weights.len()).max().unwrap_or_default();
    let x = Axis::of("block", [0.0, blocks.saturating_sub(1) as f64].into_iter());
    let weights = kernel.components.iter().flat_map(|(_, weights)| weights.iter().copied());
    let y = Axis::of(format!("weight · item {}", truncate(&kernel.item, 24)), weights.chain([0.0]));
    let plot = Plot { x: &x, y: &y, size: WIDE_PLOT };
    let most = |weights: &[f64]| {
        let most = weights.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        most.map_or_else(String::new, |(block, weight)| format!("{} in block {block}", significant_digits(*weight)))
    };
    let description: Vec<String> =
        kernel.components.iter().map(|(name, weights)| format!("{name}: at the most {}", most(weights))).collect();
    let title = format!("Weights of item {}", truncate(&kernel.item, 40));
    plot.open(out, &format!("kernel-{index}"), &title, &description.join("; "));
    for (name, weights) in &kernel.components {
        let series = names.iter().position(|other| other == name).unwrap_or_default();
        let points: Vec<(f64, f64)> =
            weights.iter().enumerate().map(|(block, weight)| (block as f64, *weight)).collect();
        plot.line(out, if series == 0 { "line s0" } else { "line s1" }, &points);
        points.iter().filter(|point| point.1 != 0.0).for_each(|point| mark(out, series, plot.position(*point)));
    }
    Plot::close(out);
}

/// What the model says to prompts, before and after.
fn write_replies(out: &mut Html, stats: &RunStats<'_>, table: &ReplyTable) {
    let (before, after) = table.stages;
    write_escaped!(
        out,
        "<h3>Replies before and after: <b class=\"no\">{}</b> {}, <b class=\"no\">{}</b> {}</h3>\n",
        before + 1,
        truncate(stats.stage_name(before), 60),
        after + 1,
        truncate(stats.stage_name(after), 60)
    );
    let mut head: Vec<(String, bool)> = vec![("prompt".to_owned(), false), ("before".to_owned(), false)];
    head.extend(table.items.iter().map(|item| (format!("item {}", truncate(item, 24)), false)));
    let head: Vec<(&str, bool)> = head.iter().map(|(name, numeric)| (name.as_str(), *numeric)).collect();
    open_table(out, "Replies before and after", &head);
    for (prompt, before, after) in &table.rows {
        out.write_static("<tr>");
        write_text_cell(out, prompt, MAX_PROMPT);
        write_text_cell(out, before, MAX_REPLY);
        after.iter().for_each(|reply| write_text_cell(out, reply, MAX_REPLY));
        out.write_static("</tr>\n");
    }
    close_table(out);
    if table.prompts > table.rows.len() {
        write_escaped!(
            out,
            "<p class=\"note\">And {}.</p>\n",
            grouped_count((table.prompts - table.rows.len()) as u64, "more prompt")
        );
    }
}

/// A cell with a text that may have several lines.
fn write_text_cell(out: &mut Html, text: &str, most: usize) {
    out.write_static("<td class=\"said\">");
    for (index, line) in truncate(text.trim_end(), most).lines().enumerate() {
        out.write_static(if index > 0 { "<br>" } else { "" });
        write_escaped!(out, "{}", line);
    }
    out.write_static("</td>");
}
