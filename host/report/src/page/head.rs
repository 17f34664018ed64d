//! The top of the page, and its end: what ran.

use jackfield_store::RunState;

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        text::short_digest,
        units::{grouped_count, long_duration, microseconds, percent, px, readable_timestamp, share, usd, with_commas},
    },
    close_table, open_table,
};

/// Name, state and the few numbers that matter most.
pub(super) fn header(stats: &RunStats<'_>) -> Html {
    let run = stats.run;
    let mut out = Html::new();
    out.write_static(
        "<header>\n<p class=\"brand\"><svg width=\"22\" height=\"22\" viewBox=\"0 0 22 22\" aria-hidden=\"true\">",
    );
    out.write_static(
        "<circle cx=\"11\" cy=\"11\" r=\"8.5\" class=\"ring\"/><circle cx=\"11\" cy=\"11\" r=\"3.5\" class=\"hole\"/>",
    );
    out.write_static("</svg> Jackfield run report</p>\n");
    write_escaped!(out, "<h1>{}</h1>\n", run.pipeline);
    let (sign, class, state) = match run.state {
        RunState::Complete => ("●", "good", "complete"),
        RunState::Partial => ("◐", "part", "partial: some of it failed"),
        RunState::Failed => ("✕", "bad", "failed"),
        RunState::Interrupted => ("◌", "part", "interrupted: it can be resumed"),
        RunState::Running => ("◌", "part", "running or killed: this is what was on record"),
    };
    write_escaped!(out, "<p class=\"state {}\"><span aria-hidden=\"true\">{}</span> {}</p>\n", class, sign, state);
    write_escaped!(out, "<p class=\"run\"><code>{}</code></p>\n", run.run);
    if let Some(stopped) = run.summary.as_ref().and_then(|summary| summary.stopped.as_deref()) {
        write_escaped!(out, "<p class=\"note\">Stopped before its end: {}.</p>\n", stopped);
    }

    out.write_static("<dl class=\"facts\">\n");
    items(&mut out, stats);
    let sessions = &stats.flow.sessions;
    let worked = sessions.iter().map(|session| session.length_us).fold(0, u64::saturating_add);
    write_escaped!(out, "<div><dt>At work</dt><dd>{}</dd>", long_duration(worked));
    write_escaped!(out, "<dd class=\"more\">from {}", readable_timestamp(&run.began));
    if sessions.len() > 1 {
        write_escaped!(out, ", in {}", grouped_count(sessions.len() as u64, "session"));
    }
    out.write_static("</dd></div>\n");
    let calls: u64 = stats.stages.iter().map(|stage| stage.calls()).sum();
    write_escaped!(out, "<div><dt>Calls</dt><dd>{}</dd>", with_commas(calls));
    write_escaped!(out, "<dd class=\"more\">of {}", grouped_count(stats.stages.len() as u64, "stage"));
    let failed: u64 = stats.stages.iter().map(|stage| stage.failed).sum();
    if failed > 0 {
        write_escaped!(out, ", <span class=\"bad\">✕ {} failed</span>", with_commas(failed));
    }
    out.write_static("</dd></div>\n");
    if !stats.spending.0.is_empty() {
        let (read, written) = stats.spending.tokens();
        write_escaped!(out, "<div><dt>Tokens</dt><dd>{}</dd>", with_commas(read.saturating_add(written)));
        write_escaped!(
            out,
            "<dd class=\"more\">{} read, {} written</dd></div>\n",
            with_commas(read),
            with_commas(written)
        );
        write_escaped!(out, "<div><dt>Cost</dt><dd>{}</dd>", usd(stats.spending.usd()));
        let priced = run.plan.models.iter().any(|model| model.price.is_some());
        write_escaped!(
            out,
            "<dd class=\"more\">{}</dd></div>\n",
            if priced { "by the prices of the pipeline" } else { "no model has a price" }
        );
    }
    out.write_static("</dl>\n");
    write_summary(&mut out, stats);
    out.write_static("</header>\n");
    out
}

fn items(out: &mut Html, stats: &RunStats<'_>) {
    let items = stats.items;
    write_escaped!(out, "<div><dt>Items</dt><dd>{}</dd><dd class=\"more\">", with_commas(items.total()));
    let kinds = [
        (items.ok, "ok", "ok"),
        (items.partial, "partial", "part"),
        (items.failed, "failed", "fail"),
        (items.open, "not done", "open"),
    ];
    let outcomes: Vec<String> = kinds
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, name, _)| format!("{} {name}", with_commas(*count)))
        .collect();
    write_escaped!(
        out,
        "{}</dd>",
        if outcomes.is_empty() { "none was taken up".to_owned() } else { outcomes.join(", ") }
    );
    if items.total() > 0 {
        out.write_static("<dd aria-hidden=\"true\"><svg class=\"outcome\" width=\"150\" height=\"10\">");
        let mut x = 0.0;
        for (count, _, class) in kinds {
            let width = 150.0 * share(count as f64, items.total() as f64);
            if count > 0 {
                write_escaped!(
                    out,
                    "<rect class=\"o-{}\" x=\"{}\" width=\"{}\" height=\"10\"/>",
                    class,
                    px(x),
                    px(width.max(2.0))
                );
            }
            x += width;
        }
        out.write_static("</svg></dd>");
    }
    out.write_static("</div>\n");
}

/// What a reader would look for first, in sentences.
fn write_summary(out: &mut Html, stats: &RunStats<'_>) {
    out.write_static("<ul class=\"glance\">\n");
    let total = stats.total_us();
    let mut stages: Vec<_> = stats.each_stage().filter(|(_, _, stage)| stage.total_us() > 0).collect();
    stages.sort_by_key(|(_, _, stage)| std::cmp::Reverse(stage.total_us()));
    if let Some((number, plan, stage)) = stages.first() {
        write_escaped!(
            out,
            "<li>Most of the time went into <b class=\"no\">{}</b> {}: {} of the <span class=\"nb\">{}</span> in all stages.</li>\n",
            number,
            plan.name,
            percent(share(stage.total_us() as f64, total as f64)),
            long_duration(total)
        );
    }
    if let Some((number, plan, stage)) = stats.each_stage().max_by_key(|(_, _, stage)| stage.made.quantile(0.95))
        && stages.len() > 1
        && stage.made.count() > 1
    {
        write_escaped!(
            out,
            "<li>The slowest calls are those of <b class=\"no\">{}</b> {}: one in twenty takes longer than <span class=\"nb\">{}</span>.</li>\n",
            number,
            plan.name,
            microseconds(stage.made.quantile(0.95))
        );
    }
    let causes = stats.failures.groups();
    if let Some(first) = causes.first() {
        let lead = if causes.len() == 1 { ": " } else { "; the most frequent is " };
        let count = stats.failures.count;
        write_escaped!(
            out,
            "<li>{} of {}{}<em>{}</em>, in ",
            grouped_count(count, "failure"),
            grouped_count(causes.len() as u64, "cause"),
            lead,
            first.kind
        );
        match first.stage {
            Some(stage) => {
                write_escaped!(
                    out,
                    "<b class=\"no\">{}</b> {}.</li>\n",
                    stage as usize + 1,
                    stats.stage_name(stage as usize)
                )
            }
            None => out.write_static("the input.</li>\n"),
        }
    } else {
        out.write_static("<li>Nothing failed.</li>\n");
    }
    let warnings = stats.warnings.groups();
    if let Some(first) = warnings.first() {
        write_escaped!(
            out,
            "<li>{} in answers, such as that of <b class=\"no\">{}</b> {}: <a href=\"#warnings\">what was not read</a>.</li>\n",
            grouped_count(stats.warnings.count, "warning"),
            first.stage.map_or(0, |stage| stage as usize + 1),
            first.stage.map_or("?", |stage| stats.stage_name(stage as usize))
        );
    }
    super::caches::write_summary(out, stats);
    out.write_static("</ul>\n");
}

/// The provenance of the results: which program, plan and plugins ran, so that they can be run again.
pub(super) fn provenance(stats: &RunStats<'_>) -> Option<Html> {
    let run = stats.run;
    let mut out = Html::new();
    write_escaped!(
        out,
        "<p>Jackfield {}, seed {}, plan <code>{}</code>. The times are those of the stages' calls as they are on record; the time between sessions is left out.</p>\n",
        run.version,
        run.plan.seed,
        short_digest(run.digest.as_str())
    );
    let plan = &run.plan;
    let none = match (plan.models.is_empty(), plan.caches.is_empty()) {
        (true, true) => "<p>The pipeline has no model and no cache.</p>\n",
        (true, false) => "<p>The pipeline has no model.</p>\n",
        (false, true) => "<p>The pipeline has no cache.</p>\n",
        (false, false) => "",
    };
    out.write_static(none);
    open_table(&mut out, "Plugins", &[("plugin", false), ("form", false), ("digest", false)]);
    for plugin in run.plugins.iter().take(100) {
        let form = serde_json::to_value(plugin.linkage).ok();
        let form = form.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        write_escaped!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td><code>{}</code></td></tr>\n",
            plugin.alias,
            form,
            short_digest(plugin.digest.as_str())
        );
    }
    close_table(&mut out);
    if run.plugins.len() > 100 {
        write_escaped!(out, "<p class=\"note\">And {} more.</p>\n", run.plugins.len() - 100);
    }
    Some(out)
}
