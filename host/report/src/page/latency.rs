//! Latency percentiles, with a strip on a logarithmic axis.

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        times::Times,
        units::{grouped_count, long_duration, microseconds, power_label, px, with_commas},
    },
    number_cell, open_table, stage_cell,
};

const WIDTH: f64 = 320.0;
const MARGIN: f64 = 26.0;
/// The most rows.
const MAX_ROWS: usize = 500;
/// Steps of the histogram to a power of ten.
const STEPS_PER_POWER: f64 = 12.0;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let mut out = Html::new();
    let mut known: Vec<_> = stats.each_stage().filter(|(_, _, stage)| stage.made.count() > 0).collect();
    if known.is_empty() {
        out.write_static("<p>No call was made.</p>\n");
        return Some(out);
    }
    let least = known.iter().map(|(_, _, stage)| stage.made.quantile(0.0)).min().unwrap_or(1).max(1) as f64;
    let most = known.iter().map(|(_, _, stage)| stage.made.quantile(1.0)).max().unwrap_or(1).max(1) as f64;
    let axis = Axis { from: least.log10().floor(), to: most.log10().ceil().max(least.log10().floor() + 1.0) };
    // Where there are too many, those that took longest have a row.
    let mut rest = Vec::new();
    if known.len() > MAX_ROWS {
        known.sort_by_key(|(number, _, stage)| (std::cmp::Reverse(stage.made.total_us), *number));
        rest = known.split_off(MAX_ROWS);
        known.sort_by_key(|(number, ..)| *number);
    }
    out.write_static("<p>Times of the calls that were made, failed ones and tries included; results from a cache are not among them. ");
    out.write_static(
        "A strip shows how the calls are spread, on an axis where each step is ten times the one before.</p>\n",
    );
    write_legend(&mut out);
    let head = [
        ("stage", false),
        ("calls", true),
        ("p50", true),
        ("p90", true),
        ("p95", true),
        ("p99", true),
        ("max", true),
        ("spread", false),
    ];
    open_table(&mut out, "Latency by stage", &head);
    for (number, plan, stage) in &known {
        out.write_static("<tr>");
        stage_cell(&mut out, *number, &plan.name);
        number_cell(&mut out, &with_commas(stage.made.count()));
        for share in [0.5, 0.9, 0.95, 0.99, 1.0] {
            number_cell(&mut out, &microseconds(stage.made.quantile(share)));
        }
        out.write_static("<td class=\"strip\">");
        write_strip(&mut out, &axis, &stage.made);
        out.write_static("</td></tr>\n");
    }
    out.write_static("</tbody><tfoot><tr><td colspan=\"7\"></td><td class=\"strip\">");
    write_ticks(&mut out, &axis);
    out.write_static("</td></tr></tfoot></table></div>\n");
    if !rest.is_empty() {
        let total = rest.iter().map(|(_, _, stage)| stage.made.total_us).fold(0, u64::saturating_add);
        write_escaped!(
            out,
            "<p class=\"note\">And {} that took less time each, {} in all.</p>\n",
            grouped_count(rest.len() as u64, "more stage"),
            long_duration(total)
        );
    }
    let memo = stats.each_stage().filter(|(_, _, stage)| stage.made.count() == 0 && stage.hits.count() > 0).count();
    if memo > 0 {
        write_escaped!(
            out,
            "<p class=\"note\">All results of {} came from a cache: see Caches.</p>\n",
            grouped_count(memo as u64, "further stage")
        );
    }
    Some(out)
}

/// A logarithmic axis between two powers of ten, in microseconds.
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn x(&self, micros: f64) -> f64 {
        let along = (micros.max(1.0).log10() - self.from) / (self.to - self.from);
        MARGIN + along.clamp(0.0, 1.0) * (WIDTH - 2.0 * MARGIN)
    }
}

fn write_strip(out: &mut Html, axis: &Axis, times: &Times) {
    write_escaped!(out, "<svg width=\"{}\" height=\"38\" aria-hidden=\"true\"><g class=\"grid\">", px(WIDTH));
    for power in axis.from as i32..=axis.to as i32 {
        write_escaped!(out, "<path d=\"M{} 0V38\"/>", px(axis.x(10_f64.powi(power))));
    }
    out.write_static("</g>");
    // The histogram, its tallest step as high as there is room.
    let steps = ((axis.to - axis.from) * STEPS_PER_POWER) as usize + 1;
    let mut counts = vec![0_u64; steps];
    for (micros, count) in times.counts() {
        let step = ((micros as f64).max(1.0).log10() - axis.from) * STEPS_PER_POWER;
        counts[(step.max(0.0) as usize).min(steps - 1)] += count;
    }
    let tallest = counts.iter().max().copied().unwrap_or(1).max(1) as f64;
    out.write_static("<path class=\"hill\" d=\"");
    let bar_width = (WIDTH - 2.0 * MARGIN) / ((axis.to - axis.from) * STEPS_PER_POWER);
    for (step, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (*count as f64 / tallest * 20.0).max(1.2);
        write_escaped!(
            out,
            "M{} 24v-{}h{}v{}z",
            px(MARGIN + step as f64 * bar_width),
            px(height),
            px(bar_width - 0.8),
            px(height)
        );
    }
    out.write_static("\"/>");
    let at = |share: f64| axis.x(times.quantile(share) as f64);
    write_escaped!(out, "<path class=\"whisker\" d=\"M{} 31H{}\"/>", px(at(0.5)), px(at(1.0)));
    write_escaped!(
        out,
        "<rect class=\"box\" x=\"{}\" y=\"28.5\" width=\"{}\" height=\"5\"/>",
        px(at(0.5)),
        px(at(0.9) - at(0.5))
    );
    write_escaped!(out, "<path class=\"whisker\" d=\"M{} 26v10\"/>", px(at(0.95)));
    write_escaped!(out, "<path class=\"p99\" d=\"M{} 26.5l4.5 4.5l-4.5 4.5l-4.5-4.5z\"/>", px(at(0.99)));
    write_escaped!(out, "<circle class=\"p50\" cx=\"{}\" cy=\"31\" r=\"4\"/>", px(at(0.5)));
    write_escaped!(out, "<path class=\"whisker\" d=\"M{} 27.5v7\"/></svg>", px(at(1.0)));
}

fn write_ticks(out: &mut Html, axis: &Axis) {
    write_escaped!(out, "<svg width=\"{}\" height=\"18\" aria-hidden=\"true\" class=\"ticks\">", px(WIDTH));
    let powers = (axis.to - axis.from) as i32;
    for power in axis.from as i32..=axis.to as i32 {
        // Not so many that they touch.
        if powers > 6 && (power - axis.from as i32) % 2 == 1 {
            continue;
        }
        let micros = 10_f64.powi(power);
        write_escaped!(
            out,
            "<text x=\"{}\" y=\"13\" text-anchor=\"middle\">{}</text>",
            px(axis.x(micros)),
            power_label(micros)
        );
    }
    out.write_static("</svg>");
}

fn write_legend(out: &mut Html) {
    out.write_static(
        "<ul class=\"legend\">\
         <li><svg width=\"16\" height=\"14\" aria-hidden=\"true\"><circle class=\"p50\" cx=\"8\" cy=\"7\" r=\"4\"/></svg> p50</li>\
         <li><svg width=\"26\" height=\"14\" aria-hidden=\"true\"><rect class=\"box\" x=\"1\" y=\"4.5\" width=\"24\" height=\"5\"/></svg> p50 to p90</li>\
         <li><svg width=\"10\" height=\"14\" aria-hidden=\"true\"><path class=\"whisker\" d=\"M5 2v10\"/></svg> p95</li>\
         <li><svg width=\"16\" height=\"14\" aria-hidden=\"true\"><path class=\"p99\" d=\"M8 2.5l4.5 4.5l-4.5 4.5l-4.5-4.5z\"/></svg> p99</li>\
         <li><svg width=\"26\" height=\"14\" aria-hidden=\"true\"><path class=\"whisker\" d=\"M1 7H24M24 3.5v7\"/></svg> up to the longest</li>\
         </ul>\n",
    );
}
