//! What the stages over all items made of them, and what the pipeline requires of the run.

use jackfield_store::{AllItems, RequirementOutcome};

use super::{
    super::{
        aggregate::RunStats,
        flat_value::flat_value,
        html::{Html, write_escaped},
        text::truncate,
        units::grouped_count,
    },
    close_table, open_table, stage_cell,
};

/// The most parts of a result that are shown.
const MOST_PARTS: usize = 200;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let summary = stats.run.summary.as_ref()?;
    let mut out = Html::new();
    if let Some(all) = &summary.all_items {
        write_all(&mut out, stats, all);
    }
    if !summary.requirements.is_empty() {
        write_requirements(&mut out, &summary.requirements);
    }
    (out.len() > 0).then_some(out)
}

fn write_all(out: &mut Html, stats: &RunStats<'_>, all: &AllItems) {
    match all.stopped_before() {
        Some(of) => {
            write_escaped!(out, "<p>Over {} of {}, as the run stopped.</p>\n", all.over, grouped_count(of, "item"));
        }
        None => write_escaped!(out, "<p>Over {}.</p>\n", grouped_count(all.over, "item")),
    }
    open_table(out, "Results over all items", &[("stage", false), ("value", false), ("", false)]);
    let mut others = 0;
    for (number, plan, _) in stats.each_stage() {
        if let Some(value) = all.results.get(&plan.name) {
            let flat = flat_value(value, MOST_PARTS);
            others += flat.others;
            for (way, text) in &flat.parts {
                out.write_static("<tr>");
                stage_cell(out, number, &plan.name);
                write_escaped!(out, "<td>{}</td><td>{}</td></tr>\n", truncate(way, 200), text);
            }
        } else if let Some(why) = all.without.get(&plan.name) {
            out.write_static("<tr>");
            stage_cell(out, number, &plan.name);
            write_escaped!(out, "<td></td><td>no result: {}</td></tr>\n", why);
        }
    }
    close_table(out);
    if others > 0 {
        write_escaped!(
            out,
            "<p class=\"note\">And {} in the files of <code>run/</code>.</p>\n",
            grouped_count(others as u64, "more value")
        );
    }
}

fn write_requirements(out: &mut Html, requirements: &[RequirementOutcome]) {
    out.write_static("<h3>What is required</h3>\n");
    open_table(out, "Requirements", &[("value", false), ("required", false), ("found", false), ("", false)]);
    for requirement in requirements {
        let found = requirement
            .value
            .as_ref()
            .map_or_else(|| requirement.why.clone().unwrap_or_else(|| "nothing".to_owned()), ToString::to_string);
        write_escaped!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>",
            truncate(&requirement.wire, 200),
            truncate(&requirement.required, 200),
            truncate(&found, 200)
        );
        let met = if requirement.met {
            "<td>met</td></tr>\n"
        } else {
            "<td><span class=\"bad\">✕</span> not met</td></tr>\n"
        };
        out.write_static(met);
    }
    close_table(out);
}
