//! A map of many items in groups: how long the calls of each stage took, and where they failed.

use super::{
    super::super::{
        aggregate::RunStats,
        flow::{Cell, Lane},
        html::{Html, write_escaped},
        units::{grouped_count, long_duration, microseconds, px, with_commas},
    },
    StageLane, close_drawing, close_table, cross,
    geometry::{AXIS_HEIGHT, AXIS_WIDTH, DRAWING_WIDTH, LEFT, MAP_ROW_HEIGHT, TINTS, TintScale, group_ends},
    number_cell, open_drawing, open_table, stage_cell, stage_lanes, write_lane_name, write_omitted_stages,
};

pub(super) fn write(out: &mut Html, stats: &RunStats<'_>) {
    let flow = &stats.flow;
    let groups = flow.groups;
    let stages: Vec<StageLane<'_>> =
        stage_lanes(stats).filter(|stage| stage.lane.cells.iter().any(|cell| cell.calls > 0)).collect();
    let means = stages.iter().flat_map(|stage| (0..groups).filter_map(move |group| mean_us(stage.lane, group)));
    let Some(scale) = TintScale::of(means) else { return };
    write_escaped!(
        out,
        "<h3>Over items</h3>\n<p>The mean time of a call, from the first item on the left to the last on the right, {} in groups of up to {}. The stronger the tint the slower, on a logarithmic scale. <span class=\"bad\">✕</span> marks groups with failures.</p>\n",
        grouped_count(flow.items, "item"),
        with_commas(flow.items.div_ceil(groups.max(1) as u64))
    );
    write_legend(out, &scale);
    let height = AXIS_HEIGHT + MAP_ROW_HEIGHT * stages.len() as f64 + 4.0;
    let description = format!(
        "{}, {}; the table below has the means by quarters",
        grouped_count(stages.len() as u64, "stage"),
        grouped_count(flow.items, "item")
    );
    open_drawing(out, "map", (DRAWING_WIDTH, height), "Mean time of a call by stage and item", &description);
    write_item_axis(out, flow.items);
    let row_top = |row: usize| AXIS_HEIGHT + MAP_ROW_HEIGHT * row as f64;
    for level in 0..TINTS {
        write_escaped!(out, "<path class=\"t{}\" d=\"", level);
        for (row, stage) in stages.iter().enumerate() {
            let has_level = |group: &usize| mean_us(stage.lane, *group).is_some_and(|mean| scale.level(mean) == level);
            for group in (0..groups).filter(has_level) {
                let (left, right) = group_ends(flow, group);
                let width = px(right - left);
                write_escaped!(
                    out,
                    "M{} {}h{}v{}h-{}z",
                    px(left),
                    px(row_top(row)),
                    width,
                    px(MAP_ROW_HEIGHT - 2.0),
                    width
                );
            }
        }
        out.write_static("\"/>\n");
    }
    for (row, stage) in stages.iter().enumerate() {
        let top = row_top(row);
        write_lane_name(out, stage, top + 15.0);
        for group in (0..groups).filter(|group| stage.lane.cells[*group].failed > 0) {
            let (left, right) = group_ends(flow, group);
            let title = grouped_count(stage.lane.cells[group].failed, "failure");
            cross(out, ((left + right) / 2.0, top + 10.0), &title);
        }
    }
    close_drawing(out);
    write_omitted_stages(out, stats);
    write_quarters(out, &stages);
}

/// The mean time of a call of a group in microseconds, at least 1; none if it has no calls.
fn mean_us(lane: &Lane, group: usize) -> Option<f64> {
    let cell = &lane.cells[group];
    (cell.calls > 0).then(|| (cell.total_us as f64 / cell.calls as f64).max(1.0))
}

fn write_legend(out: &mut Html, scale: &TintScale) {
    out.write_static("<ul class=\"legend\">");
    for level in 0..TINTS {
        write_escaped!(
            out,
            "<li><svg width=\"22\" height=\"14\" aria-hidden=\"true\"><rect class=\"t{}\" width=\"22\" height=\"14\"/></svg> from {}</li>",
            level,
            microseconds(scale.begin(level) as u64)
        );
    }
    out.write_static("</ul>\n");
}

/// The numbers of the items at each quarter of the map.
fn write_item_axis(out: &mut Html, items: u64) {
    for quarter in 0..=4_u64 {
        let anchor = match quarter {
            0 => "start",
            4 => "end",
            _ => "middle",
        };
        write_escaped!(
            out,
            "<text class=\"muted\" x=\"{}\" y=\"14\" text-anchor=\"{}\">item {}</text>",
            px(LEFT + AXIS_WIDTH * quarter as f64 / 4.0),
            anchor,
            with_commas((items.saturating_mul(quarter) / 4).max(1))
        );
    }
}

/// The means as a table, by quarters of the items.
fn write_quarters(out: &mut Html, stages: &[StageLane<'_>]) {
    out.write_static("<details><summary>As a table</summary>\n");
    let head = [("stage", false), ("first quarter", true), ("second", true), ("third", true), ("last quarter", true)];
    open_table(out, "Mean time of a call by quarter of the items", &head);
    for stage in stages {
        let cells = &stage.lane.cells;
        out.write_static("<tr>");
        stage_cell(out, stage.number, stage.name);
        for quarter in 0..4 {
            let cells = &cells[cells.len() * quarter / 4..cells.len() * (quarter + 1) / 4];
            let sum = |count: fn(&Cell) -> u64| cells.iter().map(count).fold(0, u64::saturating_add);
            let (calls, total_us) = (sum(|cell| cell.calls), sum(|cell| cell.total_us));
            number_cell(out, &total_us.checked_div(calls).map_or_else(|| "-".to_owned(), long_duration));
        }
        out.write_static("</tr>\n");
    }
    close_table(out);
    out.write_static("</details>\n");
}
