//! Warnings in answers: what stages could not read, and so may have missed, though nothing failed.

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        text::truncate,
        units::{grouped_count, with_commas},
    },
    close_table,
    failures::items,
    number_cell, open_table, stage_cell,
};

/// The most warnings that are shown, and the most characters of each.
const MAX_WARNINGS: usize = 60;
const MAX_MESSAGE: usize = 600;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let groups = stats.warnings.groups();
    if groups.is_empty() {
        return None;
    }
    let mut out = Html::new();
    out.write_static("<p>Nothing failed here, but these answers say themselves that they may lack something.</p>\n");
    let head = [("stage", false), ("message", false), ("items", true), ("which", false)];
    open_table(&mut out, "Warnings in answers", &head);
    for group in groups.iter().take(MAX_WARNINGS) {
        let stage = group.stage.unwrap_or_default() as usize;
        out.write_static("<tr>");
        stage_cell(&mut out, stage + 1, stats.stage_name(stage));
        write_escaped!(out, "<td class=\"message\">{}</td>", truncate(&group.message, MAX_MESSAGE));
        number_cell(&mut out, &with_commas(group.item_count));
        items(&mut out, group);
        out.write_static("</tr>\n");
    }
    close_table(&mut out);
    let hidden: u64 = groups.iter().skip(MAX_WARNINGS).map(|group| group.count).sum::<u64>() + stats.warnings.others;
    if hidden > 0 {
        write_escaped!(
            out,
            "<p class=\"note\">And {}, which are in the answers.</p>\n",
            grouped_count(hidden, "more warning")
        );
    }
    Some(out)
}
