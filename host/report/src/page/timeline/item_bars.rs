//! A row for each of a few items: its calls, one by one.

use std::collections::BTreeMap;

use jackfield_store::{CallEnd, OVER_ALL};

use super::{
    super::super::{
        aggregate::RunStats,
        flow::Bar,
        html::{Html, write_escaped},
        text::truncate,
        units::{grouped_count, microseconds, px},
    },
    close_drawing,
    geometry::{AXIS_WIDTH, DRAWING_WIDTH, ItemRow, LEFT, PlacedBar, TimeAxis, item_rows},
    open_drawing, write_time_axis,
};

/// `bars_by_item` has the calls by the position of their item, those of the run itself and of all items together included.
pub(super) fn write(out: &mut Html, stats: &RunStats<'_>, bars_by_item: &BTreeMap<i64, Vec<Bar>>) {
    out.write_static(
        "<h3>Item by item</h3>\n<p>Each bar is a call, with the number of its stage where there is room. ",
    );
    out.write_static("Solid: made. Hollow: taken from the cache. Crossed: failed.</p>\n");
    let axis = TimeAxis::of(&stats.flow);
    let items: Vec<&[Bar]> = bars_by_item.values().map(Vec::as_slice).collect();
    let (rows, height) = item_rows(&items, &axis);
    let calls = items.iter().map(|bars| bars.len()).sum::<usize>();
    let description =
        format!("{} with {}", grouped_count(stats.items.total(), "item"), grouped_count(calls as u64, "call"));
    open_drawing(out, "items", (DRAWING_WIDTH, height), "Calls of each item over time", &description);
    write_time_axis(out, &stats.flow, &axis, height);
    for (item, row) in bars_by_item.keys().zip(&rows) {
        let name = match *item {
            OVER_ALL => "all items".to_owned(),
            ..0 => "the run itself".to_owned(),
            item => stats.ids.get(&item).cloned().unwrap_or_default(),
        };
        write_row(out, stats, &name, row);
    }
    close_drawing(out);
}

fn write_row(out: &mut Html, stats: &RunStats<'_>, name: &str, row: &ItemRow<'_>) {
    write_escaped!(out, "<path class=\"ground\" d=\"M0 {}H{}\"/>", px(row.top), px(LEFT + AXIS_WIDTH));
    write_escaped!(
        out,
        "<text class=\"lane-name\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}<title>{}</title></text>",
        px(LEFT - 12.0),
        px(row.top + 16.0),
        truncate(name, 20),
        truncate(name, 200)
    );
    for placed in &row.bars {
        write_bar(out, stats, placed, row.lane_height);
    }
    out.write_static("\n");
}

fn write_bar(out: &mut Html, stats: &RunStats<'_>, placed: &PlacedBar<'_>, lane_height: f64) {
    let PlacedBar { bar, x, y, width } = placed;
    let class = match (bar.end, bar.hit) {
        (CallEnd::Failed, _) => "call failed",
        (_, true) => "call hit",
        (_, false) if bar.stage.is_multiple_of(2) => "call",
        (_, false) => "call odd",
    };
    write_escaped!(
        out,
        "<g class=\"{}\"><title>{} {}: {}</title>",
        class,
        bar.stage + 1,
        stats.stage_name(bar.stage),
        microseconds(bar.took_us)
    );
    write_escaped!(
        out,
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
        px(*x),
        px(*y),
        px(*width),
        px((lane_height - 1.0).max(1.0))
    );
    let has_room_for_number = *width > 20.0 && lane_height >= 13.0;
    if has_room_for_number {
        write_escaped!(
            out,
            "<text x=\"{}\" y=\"{}\">{}</text>",
            px(x + width / 2.0),
            px(y + lane_height - 4.0),
            bar.stage + 1
        );
    }
    out.write_static("</g>");
}
