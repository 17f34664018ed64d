//! What stands at the top of the page, and at its end.

use jackfield_store::RunState;

use super::{
    super::{
        gather::Facts,
        html::{Html, put},
        units::{grouped, long, many, moment, percent, px, share, us, usd},
    },
    close_table, open_table,
};

/// Name, state and the few numbers that matter most.
pub(super) fn header(facts: &Facts<'_>) -> Html {
    let run = facts.run;
    let mut out = Html::new();
    out.own("<header>\n<p class=\"brand\"><svg width=\"22\" height=\"22\" viewBox=\"0 0 22 22\" aria-hidden=\"true\">");
    out.own(
        "<circle cx=\"11\" cy=\"11\" r=\"8.5\" class=\"ring\"/><circle cx=\"11\" cy=\"11\" r=\"3.5\" class=\"hole\"/>",
    );
    out.own("</svg> Jackfield run report</p>\n");
    put!(out, "<h1>{}</h1>\n", run.pipeline);
    let (sign, class, about) = match run.state {
        RunState::Complete => ("●", "good", "complete"),
        RunState::Partial => ("◐", "part", "partial: some of it failed"),
        RunState::Failed => ("✕", "bad", "failed"),
        RunState::Interrupted => ("◌", "part", "interrupted: it can be resumed"),
        RunState::Running => ("◌", "part", "running or killed: this is what was on record"),
    };
    put!(out, "<p class=\"state {}\"><span aria-hidden=\"true\">{}</span> {}</p>\n", class, sign, about);
    put!(out, "<p class=\"run\"><code>{}</code></p>\n", run.run);
    if let Some(stopped) = run.summary.as_ref().and_then(|summary| summary.stopped.as_deref()) {
        put!(out, "<p class=\"note\">Stopped before its end: {}.</p>\n", stopped);
    }

    out.own("<dl class=\"facts\">\n");
    items(&mut out, facts);
    let sessions = &facts.flow.sessions;
    let worked = sessions.iter().map(|session| session.length_us).fold(0, u64::saturating_add);
    put!(out, "<div><dt>At work</dt><dd>{}</dd>", long(worked));
    put!(out, "<dd class=\"more\">from {}", moment(&run.began));
    if sessions.len() > 1 {
        put!(out, ", in {}", many(sessions.len() as u64, "session"));
    }
    out.own("</dd></div>\n");
    let calls: u64 = facts.stages.iter().map(|stage| stage.calls()).sum();
    put!(out, "<div><dt>Calls</dt><dd>{}</dd>", grouped(calls));
    put!(out, "<dd class=\"more\">of {}", many(facts.stages.len() as u64, "stage"));
    let failed: u64 = facts.stages.iter().map(|stage| stage.failed).sum();
    if failed > 0 {
        put!(out, ", <span class=\"bad\">✕ {} failed</span>", grouped(failed));
    }
    out.own("</dd></div>\n");
    if !facts.spending.0.is_empty() {
        let (read, written) = facts.spending.tokens();
        put!(out, "<div><dt>Tokens</dt><dd>{}</dd>", grouped(read.saturating_add(written)));
        put!(out, "<dd class=\"more\">{} read, {} written</dd></div>\n", grouped(read), grouped(written));
        put!(out, "<div><dt>Cost</dt><dd>{}</dd>", usd(facts.spending.usd()));
        let priced = run.plan.models.iter().any(|model| model.price.is_some());
        put!(
            out,
            "<dd class=\"more\">{}</dd></div>\n",
            if priced { "by the prices of the pipeline" } else { "no model has a price" }
        );
    }
    out.own("</dl>\n");
    glance(&mut out, facts);
    out.own("</header>\n");
    out
}

fn items(out: &mut Html, facts: &Facts<'_>) {
    let items = facts.items;
    put!(out, "<div><dt>Items</dt><dd>{}</dd><dd class=\"more\">", grouped(items.total()));
    let kinds = [
        (items.ok, "ok", "ok"),
        (items.partial, "partial", "part"),
        (items.failed, "failed", "fail"),
        (items.open, "not done", "open"),
    ];
    let told: Vec<String> = kinds
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, name, _)| format!("{} {name}", grouped(*count)))
        .collect();
    put!(out, "{}</dd>", if told.is_empty() { "none was taken up".to_owned() } else { told.join(", ") });
    if items.total() > 0 {
        out.own("<dd aria-hidden=\"true\"><svg class=\"outcome\" width=\"150\" height=\"10\">");
        let mut x = 0.0;
        for (count, _, class) in kinds {
            let width = 150.0 * share(count as f64, items.total() as f64);
            if count > 0 {
                put!(
                    out,
                    "<rect class=\"o-{}\" x=\"{}\" width=\"{}\" height=\"10\"/>",
                    class,
                    px(x),
                    px(width.max(2.0))
                );
            }
            x += width;
        }
        out.own("</svg></dd>");
    }
    out.own("</div>\n");
}

/// What a reader would look for first, in sentences.
fn glance(out: &mut Html, facts: &Facts<'_>) {
    out.own("<ul class=\"glance\">\n");
    let total = facts.total_us();
    let mut stages: Vec<_> = facts.each_stage().filter(|(_, _, stage)| stage.total_us() > 0).collect();
    stages.sort_by_key(|(_, _, stage)| std::cmp::Reverse(stage.total_us()));
    if let Some((number, plan, stage)) = stages.first() {
        put!(
            out,
            "<li>Most of the time went into <b class=\"no\">{}</b> {}: {} of the <span class=\"nb\">{}</span> in all stages.</li>\n",
            number,
            plan.name,
            percent(share(stage.total_us() as f64, total as f64)),
            long(total)
        );
    }
    if let Some((number, plan, stage)) = facts.each_stage().max_by_key(|(_, _, stage)| stage.made.quantile(0.95))
        && stages.len() > 1
        && stage.made.count() > 1
    {
        put!(
            out,
            "<li>The slowest calls are those of <b class=\"no\">{}</b> {}: one in twenty takes longer than <span class=\"nb\">{}</span>.</li>\n",
            number,
            plan.name,
            us(stage.made.quantile(0.95))
        );
    }
    let causes = facts.failures.groups();
    if let Some(first) = causes.first() {
        let lead = if causes.len() == 1 { ": " } else { "; the most frequent is " };
        let count = facts.failures.count;
        put!(
            out,
            "<li>{} of {}{}<em>{}</em>, in ",
            many(count, "failure"),
            many(causes.len() as u64, "cause"),
            lead,
            first.kind
        );
        match first.stage {
            Some(stage) => {
                put!(out, "<b class=\"no\">{}</b> {}.</li>\n", stage as usize + 1, facts.stage_name(stage as usize))
            }
            None => out.own("the input.</li>\n"),
        }
    } else {
        out.own("<li>Nothing failed.</li>\n");
    }
    super::caches::glance(out, facts);
    out.own("</ul>\n");
}

/// What ran, so that it can be run again.
pub(super) fn colophon(facts: &Facts<'_>) -> Option<Html> {
    let run = facts.run;
    let short = |text: &str| text.chars().take(12).collect::<String>();
    let mut out = Html::new();
    put!(
        out,
        "<p>Jackfield {}, seed {}, plan <code>{}</code>. The times are those of the stages' calls as they are on record; the time between sessions is left out.</p>\n",
        run.version,
        run.plan.seed,
        short(run.digest.as_str())
    );
    let plan = &run.plan;
    let none = match (plan.models.is_empty(), plan.caches.is_empty()) {
        (true, true) => "<p>The pipeline has no model and no cache.</p>\n",
        (true, false) => "<p>The pipeline has no model.</p>\n",
        (false, true) => "<p>The pipeline has no cache.</p>\n",
        (false, false) => "",
    };
    out.own(none);
    open_table(&mut out, "Plugins", &[("plugin", false), ("form", false), ("digest", false)]);
    for plugin in run.plugins.iter().take(100) {
        let form = serde_json::to_value(plugin.form).ok();
        let form = form.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        put!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td><code>{}</code></td></tr>\n",
            plugin.alias,
            form,
            short(plugin.digest.as_str())
        );
    }
    close_table(&mut out);
    if run.plugins.len() > 100 {
        put!(out, "<p class=\"note\">And {} more.</p>\n", run.plugins.len() - 100);
    }
    Some(out)
}
