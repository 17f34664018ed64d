//! The timeline: when stages were at work, and on which items. `geometry` computes where everything stands; the other modules
//! write it.

mod geometry;
mod item_bars;
mod item_map;
mod lanes;

use super::{
    super::{
        aggregate::RunStats,
        flow::{Flow, Lane},
        html::{Html, write_escaped},
        text::truncate,
        units::{grouped_count, px, readable_timestamp, tick_label},
    },
    close_drawing, close_table,
    marks::cross,
    number_cell, open_drawing, open_table, stage_cell,
};
use geometry::{AXIS_HEIGHT, TimeAxis};

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let mut out = Html::new();
    if stats.stages.iter().all(|stage| stage.calls() == 0) {
        out.write_static("<p>No call was answered.</p>\n");
        return Some(out);
    }
    lanes::write(&mut out, stats);
    match &stats.flow.bars {
        Some(bars) if !bars.is_empty() => item_bars::write(&mut out, stats, bars),
        _ => item_map::write(&mut out, stats),
    }
    Some(out)
}

/// A stage that has a lane.
struct StageLane<'a> {
    /// Its number on the page, from 1.
    number: usize,
    name: &'a str,
    lane: &'a Lane,
}

fn stage_lanes<'a>(stats: &'a RunStats<'_>) -> impl Iterator<Item = StageLane<'a>> {
    stats.each_stage().filter_map(|(number, plan, _)| {
        let lane = stats.flow.lane(number - 1)?;
        Some(StageLane { number, name: &plan.name, lane })
    })
}

/// Says how many stages were called that are not drawn.
fn write_omitted_stages(out: &mut Html, stats: &RunStats<'_>) {
    let called = stats.stages.iter().filter(|stage| stage.calls() > 0).count();
    let omitted = called.saturating_sub(stats.flow.lane_count());
    if omitted > 0 {
        write_escaped!(out, "<p class=\"note\">And {}.</p>\n", grouped_count(omitted as u64, "more stage"));
    }
}

/// The number and the name of a stage to the left of its lane, on a baseline at `y`.
fn write_lane_name(out: &mut Html, stage: &StageLane<'_>, y: f64) {
    write_escaped!(
        out,
        "<g transform=\"translate(0 {})\"><rect class=\"plate\" x=\"2\" y=\"-12.5\" width=\"24\" height=\"17\" rx=\"3\"/>",
        px(y)
    );
    write_escaped!(out, "<text class=\"plate-no\" x=\"14\" y=\"0\">{}</text>", stage.number);
    write_escaped!(
        out,
        "<text class=\"lane-name\" x=\"33\" y=\"0\">{}<title>{}</title></text></g>",
        truncate(stage.name, 22),
        stage.name
    );
}

/// The ticks of the time axis, and a line where each session began but the first, in a drawing of this height.
fn write_time_axis(out: &mut Html, flow: &Flow, axis: &TimeAxis, height: f64) {
    out.write_static("<g class=\"grid\">");
    for tick in axis.ticks() {
        let x = px(axis.x(tick));
        write_escaped!(out, "<path d=\"M{} {}V{}\"/>", x, px(AXIS_HEIGHT - 4.0), px(height));
        let label = if tick == 0.0 { "0".to_owned() } else { tick_label(tick, axis.length_us) };
        write_escaped!(out, "<text x=\"{}\" y=\"14\" text-anchor=\"middle\">{}</text>", x, label);
    }
    out.write_static("</g>\n");
    for (index, session) in flow.sessions.iter().enumerate().skip(1).take(40) {
        write_escaped!(
            out,
            "<path class=\"session\" d=\"M{} {}V{}\"><title>Session {} began {}</title></path>",
            px(axis.x(session.from_us as f64)),
            px(AXIS_HEIGHT - 4.0),
            px(height),
            index + 1,
            readable_timestamp(&session.began)
        );
    }
}
