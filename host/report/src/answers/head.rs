//! The top of the page: which runs they are, and what all items come to.

use jackfield_pipeline::Scope;
use jackfield_store::{Answer, Db, OF_RUN, OVER_ALL, RunJson, RunState, StoreError};
use serde_json::Value;

use super::{
    readable::readable,
    totals::{GradeTotals, Totals},
    value_text::value_text,
};
use crate::{
    html::{Html, write_escaped},
    text::truncate,
    units::{counted, percent, significant_digits, with_commas},
};

/// The most lines of a value of all items.
const LINES: usize = 60;
/// The most characters of such a line.
const LINE: usize = 240;

pub(super) fn head(run: &RunJson, db: &Db, other: Option<&RunJson>, totals: &Totals) -> Result<Html, StoreError> {
    let mut out = Html::new();
    out.write_static(
        "<header>\n<p class=\"brand\"><svg width=\"22\" height=\"22\" viewBox=\"0 0 22 22\" aria-hidden=\"true\">\
         <circle cx=\"11\" cy=\"11\" r=\"8.5\" class=\"ring\"/><circle cx=\"11\" cy=\"11\" r=\"3.5\" class=\"hole\"/></svg> \
         Jackfield answers</p>\n",
    );
    write_escaped!(out, "<h1>{}</h1>\n<p class=\"run\"><code id=\"run\">{}</code>", run.pipeline, run.run);
    let (sign, class, state) = match run.state {
        RunState::Complete => ("●", "good", "complete"),
        RunState::Partial => ("◐", "part", "partial"),
        RunState::Failed => ("✕", "bad", "failed"),
        RunState::Interrupted => ("◌", "part", "interrupted"),
        RunState::Running => ("◌", "part", "running or killed"),
    };
    write_escaped!(out, " <span class=\"state {}\"><span aria-hidden=\"true\">{}</span> {}</span>", class, sign, state);
    if let Some(other) = other {
        write_escaped!(out, " <span class=\"versus\">compared with <code id=\"other\">{}</code></span>", other.run);
    }
    out.write_static("</p>\n<div class=\"overview\">\n<dl class=\"facts\">\n");
    write_items(&mut out, totals);
    if other.is_some() {
        write_changes(&mut out, totals);
    }
    for (stage, grades) in &totals.grades {
        write_grades(&mut out, (*stage, &run.plan.stages[*stage].name), grades);
    }
    write_failures(&mut out, run, totals);
    out.write_static("</dl>\n");
    write_values(&mut out, run, db)?;
    out.write_static("</div>\n</header>\n");
    Ok(out)
}

fn write_items(out: &mut Html, totals: &Totals) {
    let states: Vec<String> =
        totals.states.iter().map(|(state, count)| format!("{} {state}", with_commas(*count))).collect();
    let states = if states.is_empty() { "none was taken up".to_owned() } else { states.join(", ") };
    write_fact(out, "Items", &with_commas(totals.items), &states);
}

fn write_changes(out: &mut Html, totals: &Totals) {
    let mut more = vec!["items with another answer".to_owned()];
    if totals.other_input > 0 {
        more.push(format!("{} with another input", with_commas(totals.other_input)));
    }
    if totals.only_here > 0 {
        more.push(format!("{} only in this run", with_commas(totals.only_here)));
    }
    write_fact(out, "Changed", &with_commas(totals.changed), &more.join(", "));
}

fn write_grades(out: &mut Html, (stage, name): (usize, &str), grades: &GradeTotals) {
    write_escaped!(out, "<div><dt><b class=\"no\">{}</b> {}</dt>", stage + 1, truncate(name, 40));
    let own = &grades.own;
    write_escaped!(out, "<dd>{} passed</dd>", percent(own.pass_rate()));
    write_escaped!(
        out,
        "<dd class=\"more\">{} of {}, mean score {}</dd>",
        with_commas(own.passed),
        with_commas(own.count),
        significant_digits(own.mean())
    );
    if grades.other.count > 0 {
        write_escaped!(
            out,
            "<dd class=\"more\">before {}, mean {}: {} now passed, {} no longer</dd>",
            percent(grades.other.pass_rate()),
            significant_digits(grades.other.mean()),
            with_commas(grades.now_passed),
            with_commas(grades.no_longer_passed)
        );
    }
    out.write_static("</div>\n");
}

fn write_failures(out: &mut Html, run: &RunJson, totals: &Totals) {
    let failed: u64 = totals.failures.values().sum();
    if failed == 0 {
        return;
    }
    let mut stages: Vec<(&usize, &u64)> = totals.failures.iter().collect();
    stages.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let first: Vec<String> = stages
        .iter()
        .take(3)
        .map(|(stage, count)| format!("{} in {}", with_commas(**count), truncate(&run.plan.stages[**stage].name, 30)))
        .collect();
    let more = if stages.len() > 3 {
        format!(" and {}", counted(stages.len() as u64 - 3, "more stage"))
    } else {
        String::new()
    };
    write_fact(out, "Failures", &with_commas(failed), &format!("{}{more}", first.join(", ")));
}

fn write_fact(out: &mut Html, name: &str, value: &str, more: &str) {
    write_escaped!(out, "<div><dt>{}</dt><dd>{}</dd><dd class=\"more\">{}</dd></div>\n", name, value, more);
}

/// What the stages answered that do not run once an item.
fn write_values(out: &mut Html, run: &RunJson, db: &Db) -> Result<(), StoreError> {
    // Those over all items come first: they are what a reader wants to know of the items.
    let mut results = db.results(OVER_ALL)?;
    results.extend(db.results(OF_RUN)?);
    if results.is_empty() {
        return Ok(());
    }
    out.write_static("<div class=\"values\">\n");
    for result in &results {
        let Some(stage) = run.plan.stages.get(result.stage as usize) else { continue };
        let is_open = stage.scope != Scope::Run;
        out.write_static(if is_open { "<details open><summary>" } else { "<details><summary>" });
        write_escaped!(out, "<b class=\"no\">{}</b> {}", result.stage + 1, truncate(&stage.name, 60));
        out.write_static(if is_open {
            " <span class=\"note\">over all items</span>"
        } else {
            " <span class=\"note\">once a run</span>"
        });
        out.write_static("</summary>");
        match &result.answer {
            Answer::Ok { json, .. } => write_value(out, &serde_json::from_str(json).unwrap_or(Value::Null)),
            Answer::Failed { kind, message } => {
                write_escaped!(out, "<p class=\"bad\">{}: {}</p>", kind, truncate(message, 600));
            }
            Answer::Off { message } => write_escaped!(out, "<p class=\"note\">off: {}</p>", truncate(message, 600)),
            Answer::Skipped { message } => {
                write_escaped!(out, "<p class=\"note\">skipped: {}</p>", truncate(message, 600))
            }
        }
        out.write_static("</details>\n");
    }
    out.write_static("</div>\n");
    Ok(())
}

fn write_value(out: &mut Html, value: &Value) {
    let text = value_text(&readable(value));
    out.write_static("<pre>");
    for (place, (name, rest)) in text.lines().enumerate() {
        if place == LINES {
            out.write_static("…");
            break;
        }
        if let Some(name) = name {
            write_escaped!(out, "<span class=\"name\">{}</span> ", truncate(name, LINE));
        }
        write_escaped!(out, "{}", truncate(rest, LINE));
        out.write_static("\n");
    }
    out.write_static("</pre>");
}
