//! Tokens and US dollars, by stage and model. `rows` computes what the tables show; this module writes it.

mod rows;

use jackfield_pipeline::{Budget, ModelPlan};

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        text::truncate,
        units::{grouped_count, microseconds, percent, usd, with_commas},
    },
    bars::share_bar,
    close_table, number_cell, open_table, stage_cell,
};
use rows::{BudgetUse, Counts, ShareOf, budget_uses, cost_rows};

/// The most rows of a table.
const MAX_ROWS: usize = 200;

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
    let share_of = ShareOf::choose(spending);
    write_escaped!(
        out,
        "<p>Bars are shares of all {}. Answers from a cache, or shared with an equal request that was under way, cost nothing.</p>\n",
        match share_of {
            ShareOf::Usd => "US dollars",
            ShareOf::Tokens => "tokens",
        }
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
    for row in cost_rows(spending, share_of).take(MAX_ROWS) {
        out.write_static("<tr>");
        stage_cell(&mut out, row.stage + 1, stats.stage_name(row.stage));
        write_escaped!(out, "<td>{}</td>", truncate(row.model, 60));
        write_counts(&mut out, row.counts);
        number_cell(&mut out, &usd(row.usd));
        number_cell(&mut out, &microseconds(row.median_us));
        write_share_cell(&mut out, row.share, 72.0);
        out.write_static("</tr>\n");
    }
    out.write_static("</tbody><tfoot><tr><th scope=\"row\">all</th><td></td>");
    write_counts(&mut out, Counts::of_all(spending));
    number_cell(&mut out, &usd(spending.usd()));
    out.write_static("<td></td><td></td></tr></tfoot></table></div>\n");
    if spending.0.len() > MAX_ROWS {
        write_escaped!(
            out,
            "<p class=\"note\">And {} more pairs of stage and model, which are in the sums.</p>\n",
            spending.0.len() - MAX_ROWS
        );
    }
    write_token_parts(&mut out, stats);
    write_budgets(&mut out, stats);
    Some(out)
}

/// What is known further of the tokens, where servers say it.
fn write_token_parts(out: &mut Html, stats: &RunStats<'_>) {
    let [cached, cache_write, reasoning] = stats.spending.token_parts();
    if cached > 0 || cache_write > 0 {
        write_escaped!(
            out,
            "<p>Of the tokens read, servers had {} in their own caches of prompts, and put {} there.</p>\n",
            with_commas(cached),
            with_commas(cache_write)
        );
    }
    if reasoning > 0 {
        write_escaped!(out, "<p>Of the tokens written, models thought in {}.</p>\n", with_commas(reasoning));
    }
}

fn write_counts(out: &mut Html, counts: Counts) {
    for count in counts.columns() {
        number_cell(out, &with_commas(count));
    }
}

/// A cell with a share from 0 to 1 as a bar of this width and as a number.
fn write_share_cell(out: &mut Html, share: f64, width: f64) {
    out.write_static("<td class=\"share\">");
    share_bar(out, share, width);
    write_escaped!(out, " {}</td>", percent(share));
}

fn write_budgets(out: &mut Html, stats: &RunStats<'_>) {
    let has_budget = |model: &&ModelPlan| model.budget != Budget::default();
    let mut models = stats.run.plan.models.iter().filter(has_budget).take(MAX_ROWS).peekable();
    if models.peek().is_none() {
        return;
    }
    out.write_static("<h3>Budgets</h3>\n");
    open_table(out, "Budgets by model", &[("model", false), ("budget", true), ("used", true), ("share", false)]);
    for model in models {
        for budget in budget_uses(&stats.spending, &model.name, model.budget) {
            write_escaped!(out, "<tr><th scope=\"row\">{}</th>", truncate(&model.name, 60));
            let (limit, used) = match budget {
                BudgetUse::Usd { limit, used } => (usd(limit), usd(used)),
                BudgetUse::Tokens { limit, used } => (grouped_count(limit, "token"), with_commas(used)),
            };
            number_cell(out, &limit);
            number_cell(out, &used);
            write_share_cell(out, budget.share(), 120.0);
            out.write_static("</tr>\n");
        }
    }
    close_table(out);
}
