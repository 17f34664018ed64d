//! Failures with their causes.

use super::{
    super::{
        failures::Group,
        gather::Facts,
        html::{Html, put},
        units::{clip, counted, grouped},
    },
    close_table, number_cell, open_table, stage_cell,
};

/// The most causes that are shown, and the most characters of each.
const MOST: usize = 60;
const LONGEST: usize = 600;

pub(super) fn section(facts: &Facts<'_>) -> Option<Html> {
    let failures = &facts.failures;
    let mut out = Html::new();
    let groups = failures.groups();
    if groups.is_empty() {
        out.own("<p>None: every call was answered, and every item could be read.</p>\n");
        return Some(out);
    }
    put!(
        out,
        "<p>{} of {}. Messages that differ in nothing but numbers are counted as one cause.</p>\n",
        counted(failures.count, "failure"),
        counted(groups.len() as u64, "cause")
    );
    let head = [("stage", false), ("kind", false), ("message", false), ("failures", true), ("items", false)];
    open_table(&mut out, "Failures by cause", &head);
    for group in groups.iter().take(MOST) {
        out.own("<tr>");
        match group.stage {
            Some(stage) => stage_cell(&mut out, stage as usize + 1, facts.stage_name(stage as usize)),
            None => out.own("<th scope=\"row\">the input</th>"),
        }
        put!(out, "<td><span class=\"bad\">✕</span> {}</td>", clip(&group.kind, 60));
        put!(out, "<td class=\"message\">{}", clip(&group.message, LONGEST));
        if group.several {
            out.own(" <span class=\"note\">(and the same with other numbers)</span>");
        }
        out.own("</td>");
        number_cell(&mut out, &grouped(group.count));
        items(&mut out, group);
        out.own("</tr>\n");
    }
    close_table(&mut out);
    let hidden: u64 = groups.iter().skip(MOST).map(|group| group.count).sum::<u64>() + failures.others;
    if hidden > 0 {
        put!(
            out,
            "<p class=\"note\">And {} of other causes, which are in the record.</p>\n",
            counted(hidden, "failure")
        );
    }
    let skipped: u64 = facts.stages.iter().map(|stage| stage.skipped).sum();
    if skipped > 0 {
        put!(out, "<p>{} not made, because what it would have read had failed:", counted_were(skipped));
        let stages = facts.each_stage().filter(|(_, _, stage)| stage.skipped > 0);
        for (place, (number, plan, stage)) in stages.enumerate() {
            let before = if place == 0 { " " } else { ", " };
            put!(out, "{}<b class=\"no\">{}</b> {} ({})", before, number, clip(&plan.name, 60), grouped(stage.skipped));
        }
        out.own(".</p>\n");
    }
    Some(out)
}

fn counted_were(count: u64) -> String {
    format!("{} {}", counted(count, "call"), if count == 1 { "was" } else { "were" })
}

fn items(out: &mut Html, group: &Group) {
    out.own("<td class=\"ids\">");
    for (place, item) in group.items.iter().enumerate() {
        put!(out, "{}<code>{}</code>", if place == 0 { "" } else { ", " }, clip(item, 80));
    }
    let more = group.item_count.saturating_sub(group.items.len() as u64);
    if more > 0 {
        put!(out, " and {} more", grouped(more));
    }
    if group.item_count == 0 {
        out.own("<span class=\"note\">the run itself</span>");
    }
    out.own("</td>");
}
