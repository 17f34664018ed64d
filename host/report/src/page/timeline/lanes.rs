//! A lane for each stage: how many of its calls were under way over time.

use super::{
    super::super::{
        aggregate::RunStats,
        flow::BINS,
        html::{Html, write_escaped},
        text::truncate,
        units::{grouped_count, microseconds, px, short_number},
    },
    StageLane, close_drawing, cross,
    geometry::{
        AXIS_HEIGHT, AXIS_WIDTH, DRAWING_WIDTH, LANE_HEIGHT, LEFT, TimeAxis, bin_middle, lane_outline, lane_top,
    },
    open_drawing, stage_lanes, write_lane_name, write_omitted_stages, write_time_axis,
};

pub(super) fn write(out: &mut Html, stats: &RunStats<'_>) {
    let flow = &stats.flow;
    let step_us = flow.step_us();
    write_escaped!(
        out,
        "<h3>Over time</h3>\n<p>How many calls of each stage were under way, in {} steps of {}; each lane is as high as its own peak. <span class=\"bad\">✕</span> marks failures.</p>\n",
        BINS,
        microseconds((step_us as u64).max(1))
    );
    let stages: Vec<StageLane<'_>> = stage_lanes(stats).collect();
    let height = AXIS_HEIGHT + LANE_HEIGHT * (stages.len() + 1) as f64 + 8.0;
    let description: Vec<String> = stages
        .iter()
        .map(|stage| {
            let peak = short_number(most_at_a_time(&stage.lane.busy, step_us));
            format!("{} at most {peak} at a time", truncate(stage.name, 60))
        })
        .collect();
    open_drawing(out, "lanes", (DRAWING_WIDTH, height), "Calls under way over time", &description.join("; "));
    write_time_axis(out, flow, &TimeAxis::of(flow), height);
    write_escaped!(out, "<text class=\"lane-name\" x=\"33\" y=\"{}\">items in work</text>", px(AXIS_HEIGHT + 22.0));
    write_lane(out, &flow.in_work, step_us, AXIS_HEIGHT, "lane items");
    for (index, stage) in stages.iter().enumerate() {
        let top = lane_top(index + 1);
        write_lane_name(out, stage, top + 22.0);
        write_lane(out, &stage.lane.busy, step_us, top, "lane");
        for (bin, count) in stage.lane.failed.iter().enumerate().filter(|(_, count)| **count > 0) {
            let title = format!("{} of {}", grouped_count(*count, "failure"), truncate(stage.name, 60));
            cross(out, (bin_middle(bin), top + 9.0), &title);
        }
    }
    close_drawing(out);
    write_omitted_stages(out, stats);
}

/// The most that was under way in one step of time, on average over the step.
fn most_at_a_time(bins: &[f64], step_us: f64) -> f64 {
    bins.iter().copied().fold(0.0, f64::max) / step_us
}

/// The area of a lane, and its peak in words.
fn write_lane(out: &mut Html, bins: &[f64], step_us: f64, top: f64, class: &str) {
    let outline = lane_outline(bins, top);
    let (left, right, ground) = (px(LEFT), px(LEFT + AXIS_WIDTH), px(outline.ground));
    write_escaped!(out, "<path class=\"ground\" d=\"M{} {}H{}\"/>", left, ground, right);
    if outline.corners.is_empty() {
        return;
    }
    write_escaped!(out, "<path class=\"{}\" d=\"M{} {}", class, left, ground);
    for (x, y) in outline.corners {
        write_escaped!(out, "H{}V{}", px(x), px(y));
    }
    write_escaped!(out, "H{}V{}z\"/>", right, ground);
    write_escaped!(
        out,
        "<text class=\"muted\" x=\"{}\" y=\"{}\">peak {}</text>\n",
        px(LEFT + AXIS_WIDTH + 10.0),
        px(outline.ground - 4.0),
        short_number(most_at_a_time(bins, step_us))
    );
}
