//! A table: how the arms of a route stand at the end.

use jackfield_pipeline::RoutePlan;

use super::super::{
    super::{
        beta,
        html::{Html, write_escaped},
        learned::{ArmStats, Context, posterior},
        text::truncate,
        units::{percent, share, short_number, with_commas},
    },
    bars::interval,
    close_table, number_cell, open_table,
};

/// The most arms of a context that have a row.
const MAX_ARMS: usize = 64;

/// The columns that not every route has.
#[derive(Clone, Copy)]
struct Columns {
    reward: bool,
    posterior: bool,
}

pub(super) fn write(out: &mut Html, route: &RoutePlan, contexts: &[(&String, &Context)]) {
    let arms = || contexts.iter().flat_map(|(_, context)| &context.arms);
    let columns = Columns {
        reward: arms().any(|arm| arm.reward.count > 0),
        posterior: arms().any(|arm| posterior(route, arm).is_some()),
    };
    let mut head = vec![
        ("context", false),
        ("arm", false),
        ("used", true),
        ("share", true),
        ("share at the end", true),
        ("failed", true),
    ];
    if columns.reward {
        head.extend([("mean reward", true), ("± 95 %", true)]);
    }
    if columns.posterior {
        head.extend([("posterior", false), ("95 % interval", false)]);
    }
    open_table(out, "How the arms stand at the end", &head);
    for (name, context) in contexts {
        write_context(out, route, name, context, columns);
    }
    close_table(out);
    if columns.posterior {
        out.write_static("<p class=\"note\">Posterior: what the policy believes of the mean reward at the end, a Beta distribution with its prior; the interval holds 95 % of it.</p>\n");
    }
    if route.arms.len() > MAX_ARMS {
        write_escaped!(out, "<p class=\"note\">{} more arms are in the record.</p>\n", route.arms.len() - MAX_ARMS);
    }
}

fn write_context(out: &mut Html, route: &RoutePlan, name: &str, context: &Context, columns: Columns) {
    let last = context.rolling().pop().unwrap_or_default();
    for (index, (arm, stats)) in route.arms.iter().zip(&context.arms).enumerate().take(MAX_ARMS) {
        out.write_static(if index == 0 { "<tr class=\"first\">" } else { "<tr>" });
        if index == 0 {
            let name = if name.is_empty() { "all".to_owned() } else { truncate(name, 60) };
            let rows = route.arms.len().min(MAX_ARMS);
            write_escaped!(out, "<th scope=\"rowgroup\" rowspan=\"{}\">{}</th>", rows, name);
        }
        write_escaped!(out, "<td>{}</td>", truncate(&arm.arm.name, 60));
        number_cell(out, &with_commas(stats.used));
        number_cell(out, &percent(share(stats.used as f64, context.outcomes as f64)));
        let used_last = last.used.get(index).copied().unwrap_or_default();
        number_cell(out, &percent(share(used_last as f64, last.items as f64)));
        number_cell(out, &with_commas(stats.failed));
        if columns.reward {
            write_reward_cells(out, stats);
        }
        if columns.posterior {
            write_posterior_cells(out, posterior(route, stats));
        }
        out.write_static("</tr>\n");
    }
}

fn write_reward_cells(out: &mut Html, stats: &ArmStats) {
    let reward = &stats.reward;
    number_cell(out, &if reward.count > 0 { short_number(reward.mean) } else { "-".to_owned() });
    let margin = reward.margin().filter(|margin| *margin > 0.0);
    number_cell(out, &margin.map_or_else(|| "-".to_owned(), |margin| format!("± {}", short_number(margin))));
}

/// The mean of a Beta distribution with these two parameters, and the interval that holds 95 % of it.
fn write_posterior_cells(out: &mut Html, posterior: Option<(f64, f64)>) {
    let Some((a, b)) = posterior else {
        out.write_static("<td>-</td><td>-</td>");
        return;
    };
    let [low, high] = beta::quantiles((a, b), [0.025, 0.975]);
    let mean = a / (a + b);
    out.write_static("<td class=\"share\">");
    interval(out, (0.0, 1.0), (low, mean, high), 150.0);
    write_escaped!(out, " {}</td><td>{} to {}</td>", short_number(mean), short_number(low), short_number(high));
}
