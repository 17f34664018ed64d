//! Failures with their causes.

use super::{
    super::{
        failures::Group,
        gather::Facts,
        html::{Html, put},
        units::{clip, grouped, many},
    },
    close_table, number_cell, open_table, stage_cell,
};

/// The most causes that are shown, and the most characters of each.
const MOST: usize = 60;
/// The most causes that are shown at once; the others are folded away.
const OPEN: usize = 12;
const LONGEST: usize = 600;
/// The most characters of the ids of its items, together.
const LONGEST_IDS: usize = 150;

pub(super) fn section(facts: &Facts<'_>) -> Option<Html> {
    let failures = &facts.failures;
    let mut out = Html::new();
    let groups = failures.groups();
    if groups.is_empty() {
        return None;
    }
    put!(
        out,
        "<p>{} of {}. Messages that differ in nothing but numbers are counted as one cause.</p>\n",
        many(failures.count, "failure"),
        many(groups.len() as u64, "cause")
    );
    let (open, more) = groups.split_at(groups.len().min(OPEN));
    table(&mut out, "Failures by cause", facts, open);
    let more = &more[..more.len().min(MOST - OPEN)];
    if !more.is_empty() {
        put!(out, "<details><summary>{}</summary>\n", many(more.len() as u64, "more cause"));
        table(&mut out, "Further failures by cause", facts, more);
        out.own("</details>\n");
    }
    let hidden: u64 = groups.iter().skip(MOST).map(|group| group.count).sum::<u64>() + failures.others;
    if hidden > 0 {
        put!(out, "<p class=\"note\">And {} of other causes, which are in the record.</p>\n", many(hidden, "failure"));
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

fn table(out: &mut Html, label: &str, facts: &Facts<'_>, groups: &[&Group]) {
    let head = [("stage", false), ("kind", false), ("message", false), ("failures", true), ("items", false)];
    open_table(out, label, &head);
    for group in groups {
        out.own("<tr>");
        match group.stage {
            Some(stage) => stage_cell(out, stage as usize + 1, facts.stage_name(stage as usize)),
            None => out.own("<th scope=\"row\">the input</th>"),
        }
        put!(out, "<td><span class=\"bad\">✕</span> {}</td>", clip(&group.kind, 60));
        put!(out, "<td class=\"message\">{}", clip(&group.message, LONGEST));
        if group.several {
            out.own(" <span class=\"note\">(and the same with other numbers)</span>");
        }
        out.own("</td>");
        number_cell(out, &grouped(group.count));
        items(out, group);
        out.own("</tr>\n");
    }
    close_table(out);
}

fn counted_were(count: u64) -> String {
    format!("{} {}", many(count, "call"), if count == 1 { "was" } else { "were" })
}

fn items(out: &mut Html, group: &Group) {
    out.own("<td class=\"ids\">");
    let (mut shown, mut length) = (0, 0);
    for item in &group.items {
        let id = clip(item, 48);
        length += id.chars().count();
        if shown > 0 && length > LONGEST_IDS {
            break;
        }
        put!(out, "{}<code>{}</code>", if shown == 0 { "" } else { ", " }, id);
        shown += 1;
    }
    let more = group.item_count.saturating_sub(shown);
    if more > 0 {
        put!(out, " and {} more", grouped(more));
    }
    if group.item_count == 0 {
        out.own("<span class=\"note\">the run itself</span>");
    }
    out.own("</td>");
}
