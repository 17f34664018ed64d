//! Tokens and US dollars, by stage and model.

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        text::truncate,
        units::{grouped_count, microseconds, percent, share, usd, with_commas},
    },
    bars::share_bar,
    close_table, number_cell, open_table, stage_cell,
};

/// The most rows.
const MOST: usize = 200;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let mut out = Html::new();
    let spending = &stats.spending;
    if spending.0.is_empty() {
        if !stats.run.plan.models.is_empty() {
            out.write_static("<p>No model was asked.</p>\n");
            return Some(out);
        }
        return None;
    }
    let (read, written) = spending.tokens();
    let (tokens, total) = (read.saturating_add(written), spending.usd());
    let by_usd = total > 0.0;
    write_escaped!(
        out,
        "<p>Bars are shares of all {}. Answers from a cache, or shared with an equal request that was under way, cost nothing.</p>\n",
        if by_usd { "US dollars" } else { "tokens" }
    );
    let head = [
        ("stage", false),
        ("model", false),
        ("asked", true),
        ("called", true),
        ("cached", true),
        ("shared", true),
        ("failed", true),
        ("tries again", true),
        ("tokens read", true),
        ("written", true),
        ("cost", true),
        ("p50", true),
        ("share", false),
    ];
    open_table(&mut out, "Tokens and cost by stage and model", &head);
    for ((stage, model), spend) in spending.0.iter().take(MOST) {
        out.write_static("<tr>");
        stage_cell(&mut out, *stage as usize + 1, stats.stage_name(*stage as usize));
        write_escaped!(out, "<td>{}</td>", truncate(model, 60));
        number_cell(&mut out, &with_commas(spend.answered() + spend.failed));
        for count in [spend.calls, spend.cache_hits(), spend.shared, spend.failed, spend.retries] {
            number_cell(&mut out, &with_commas(count));
        }
        number_cell(&mut out, &with_commas(spend.tokens_in));
        number_cell(&mut out, &with_commas(spend.tokens_out));
        number_cell(&mut out, &usd(spend.usd));
        number_cell(&mut out, &microseconds(spend.made.quantile(0.5)));
        let part = if by_usd {
            share(spend.usd, total)
        } else {
            share(spend.tokens_in.saturating_add(spend.tokens_out) as f64, tokens as f64)
        };
        out.write_static("<td class=\"share\">");
        share_bar(&mut out, part, 72.0);
        write_escaped!(out, " {}</td></tr>\n", percent(part));
    }
    out.write_static("</tbody><tfoot><tr><th scope=\"row\">all</th><td></td>");
    let sum = |of: fn(&super::super::spend::Spend) -> u64| {
        with_commas(spending.0.values().map(of).fold(0, u64::saturating_add))
    };
    number_cell(&mut out, &sum(|spend| spend.answered() + spend.failed));
    number_cell(&mut out, &sum(|spend| spend.calls));
    number_cell(&mut out, &sum(super::super::spend::Spend::cache_hits));
    number_cell(&mut out, &sum(|spend| spend.shared));
    number_cell(&mut out, &sum(|spend| spend.failed));
    number_cell(&mut out, &sum(|spend| spend.retries));
    number_cell(&mut out, &with_commas(read));
    number_cell(&mut out, &with_commas(written));
    number_cell(&mut out, &usd(total));
    out.write_static("<td></td><td></td></tr></tfoot></table></div>\n");
    if spending.0.len() > MOST {
        write_escaped!(
            out,
            "<p class=\"note\">And {} more pairs of stage and model, which are in the sums.</p>\n",
            spending.0.len() - MOST
        );
    }
    budgets(&mut out, stats);
    Some(out)
}

fn budgets(out: &mut Html, stats: &RunStats<'_>) {
    let limited: Vec<_> = stats
        .run
        .plan
        .models
        .iter()
        .filter(|model| model.budget.usd.is_some() || model.budget.tokens.is_some())
        .take(MOST)
        .collect();
    if limited.is_empty() {
        return;
    }
    out.write_static("<h3>Budgets</h3>\n");
    open_table(out, "Budgets by model", &[("model", false), ("budget", true), ("used", true), ("share", false)]);
    for model in limited {
        let of_model = || stats.spending.0.iter().filter(|((_, name), _)| *name == model.name).map(|(_, spend)| spend);
        let mut row = |budget: String, used: String, part: f64| {
            write_escaped!(out, "<tr><th scope=\"row\">{}</th>", truncate(&model.name, 60));
            number_cell(out, &budget);
            number_cell(out, &used);
            out.write_static("<td class=\"share\">");
            share_bar(out, part, 120.0);
            write_escaped!(out, " {}</td></tr>\n", percent(part));
        };
        if let Some(limit) = model.budget.usd {
            let used: f64 = of_model().map(|spend| spend.usd).sum();
            row(usd(limit), usd(used), share(used, limit));
        }
        if let Some(limit) = model.budget.tokens {
            let used =
                of_model().map(|spend| spend.tokens_in.saturating_add(spend.tokens_out)).fold(0, u64::saturating_add);
            row(grouped_count(limit, "token"), with_commas(used), share(used as f64, limit as f64));
        }
    }
    close_table(out);
}
