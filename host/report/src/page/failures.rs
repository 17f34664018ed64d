//! Failures with their causes.

use super::{
    super::{
        aggregate::RunStats,
        failures::Group,
        html::{Html, write_escaped},
        text::truncate,
        units::{grouped_count, with_commas},
    },
    close_table, number_cell, open_table, stage_cell,
};

/// The most causes that are shown, and the most characters of each.
const MAX_CAUSES: usize = 60;
/// The most causes that are shown at once; the others are folded away.
const MAX_OPEN_CAUSES: usize = 12;
const MAX_MESSAGE: usize = 600;
/// The most characters of the ids of its items, together.
const MAX_IDS_LENGTH: usize = 150;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let failures = &stats.failures;
    let mut out = Html::new();
    let groups = failures.groups();
    if groups.is_empty() {
        return None;
    }
    write_escaped!(
        out,
        "<p>{} of {}. Messages that differ in nothing but numbers are counted as one cause.</p>\n",
        grouped_count(failures.count, "failure"),
        grouped_count(groups.len() as u64, "cause")
    );
    let (open, more) = groups.split_at(groups.len().min(MAX_OPEN_CAUSES));
    table(&mut out, "Failures by cause", stats, open);
    let more = &more[..more.len().min(MAX_CAUSES - MAX_OPEN_CAUSES)];
    if !more.is_empty() {
        write_escaped!(out, "<details><summary>{}</summary>\n", grouped_count(more.len() as u64, "more cause"));
        table(&mut out, "Further failures by cause", stats, more);
        out.write_static("</details>\n");
    }
    let hidden: u64 = groups.iter().skip(MAX_CAUSES).map(|group| group.count).sum::<u64>() + failures.others;
    if hidden > 0 {
        write_escaped!(
            out,
            "<p class=\"note\">And {} of other causes, which are in the record.</p>\n",
            grouped_count(hidden, "failure")
        );
    }
    let skipped: u64 = stats.stages.iter().map(|stage| stage.skipped).sum();
    if skipped > 0 {
        write_escaped!(out, "<p>{} not made, because what it would have read had failed:", counted_were(skipped));
        let stages = stats.each_stage().filter(|(_, _, stage)| stage.skipped > 0);
        for (index, (number, plan, stage)) in stages.enumerate() {
            let before = if index == 0 { " " } else { ", " };
            write_escaped!(
                out,
                "{}<b class=\"no\">{}</b> {} ({})",
                before,
                number,
                truncate(&plan.name, 60),
                with_commas(stage.skipped)
            );
        }
        out.write_static(".</p>\n");
    }
    Some(out)
}

fn table(out: &mut Html, label: &str, stats: &RunStats<'_>, groups: &[&Group]) {
    let head = [("stage", false), ("kind", false), ("message", false), ("failures", true), ("items", false)];
    open_table(out, label, &head);
    for group in groups {
        out.write_static("<tr>");
        match group.stage {
            Some(stage) => stage_cell(out, stage as usize + 1, stats.stage_name(stage as usize)),
            None => out.write_static("<th scope=\"row\">the input</th>"),
        }
        write_escaped!(out, "<td><span class=\"bad\">✕</span> {}</td>", truncate(&group.kind, 60));
        write_escaped!(out, "<td class=\"message\">{}", truncate(&group.message, MAX_MESSAGE));
        if group.has_other_numbers {
            out.write_static(" <span class=\"note\">(and the same with other numbers)</span>");
        }
        out.write_static("</td>");
        number_cell(out, &with_commas(group.count));
        items(out, group);
        out.write_static("</tr>\n");
    }
    close_table(out);
}

fn counted_were(count: u64) -> String {
    format!("{} {}", grouped_count(count, "call"), if count == 1 { "was" } else { "were" })
}

/// A cell with the first items of a group, and how many more there are.
pub(super) fn items(out: &mut Html, group: &Group) {
    out.write_static("<td class=\"ids\">");
    let (mut shown, mut length) = (0, 0);
    for item in &group.items {
        let id = truncate(item, 48);
        length += id.chars().count();
        if shown > 0 && length > MAX_IDS_LENGTH {
            break;
        }
        write_escaped!(out, "{}<code>{}</code>", if shown == 0 { "" } else { ", " }, id);
        shown += 1;
    }
    let more = group.item_count.saturating_sub(shown);
    if more > 0 {
        write_escaped!(out, " and {} more", with_commas(more));
    }
    if group.item_count == 0 {
        out.write_static("<span class=\"note\">the run itself</span>");
    }
    out.write_static("</td>");
}
