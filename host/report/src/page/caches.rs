//! The hits of the caches, and about how much time and money they saved.

use std::collections::BTreeMap;

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        text::truncate,
        times::Times,
        units::{grouped_count, long_duration, microseconds, percent, share, usd, with_commas},
    },
    bars::share_bar,
    close_table, number_cell, open_table, stage_cell,
};

/// The most rows of a table.
const MAX_ROWS: usize = 200;

/// How one stage, or one model of a stage, used its cache.
struct CacheUse<'a> {
    stage: usize,
    /// The model whose answers are kept; none for the results of the stage itself.
    model: Option<&'a str>,
    /// Its cache, and for answers the tiers that had them.
    cache: String,
    hits: u64,
    misses: u64,
    hit: &'a Times,
    miss: &'a Times,
    /// About how much the hits would have cost, at what the misses cost.
    saved_usd: f64,
}

impl CacheUse<'_> {
    fn rate(&self) -> f64 {
        share(self.hits as f64, (self.hits + self.misses) as f64)
    }

    /// About how much longer the hits would have taken, in microseconds, at what the misses took.
    fn saved_us(&self) -> u64 {
        let each = self.miss.mean() - self.hit.mean();
        if self.miss.count() == 0 { 0 } else { (each.max(0.0) * self.hits as f64) as u64 }
    }
}

fn uses<'a>(stats: &'a RunStats<'_>) -> Vec<CacheUse<'a>> {
    let plan = &stats.run.plan;
    let cache = |at: Option<usize>| at.and_then(|at| plan.caches.get(at)).map(|cache| cache.name.as_str());
    let mut uses = Vec::new();
    for (number, stage, counts) in stats.each_stage() {
        let (hits, misses) = (counts.hits.count(), counts.made.count());
        if let Some(cache) = cache(stage.cache)
            && hits + misses > 0
        {
            let each = stats.spending.stage_usd(number - 1) / misses.max(1) as f64;
            uses.push(CacheUse {
                stage: number - 1,
                model: None,
                cache: truncate(cache, 40),
                hits,
                misses,
                hit: &counts.hits,
                miss: &counts.made,
                saved_usd: each * hits as f64,
            });
        }
    }
    for ((stage, model), spend) in &stats.spending.0 {
        let planned = plan.models.iter().find(|planned| planned.name == *model);
        if let Some(cache) = cache(planned.and_then(|planned| planned.cache)) {
            let (hits, misses) = (spend.cache_hits() + spend.shared, spend.calls);
            let each = spend.usd / misses.max(1) as f64;
            uses.push(CacheUse {
                stage: *stage as usize,
                model: Some(model),
                cache: tiers_of(cache, &spend.cached),
                hits,
                misses,
                hit: &spend.hits,
                miss: &spend.made,
                saved_usd: each * hits as f64,
            });
        }
    }
    uses
}

fn tiers_of(cache: &str, tiers: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> =
        tiers.iter().take(8).map(|(tier, count)| format!("{} {}", truncate(tier, 20), with_commas(*count))).collect();
    if counts.is_empty() { truncate(cache, 40) } else { format!("{} ({})", truncate(cache, 40), counts.join(", ")) }
}

/// A sentence for the top of the page.
pub(super) fn write_summary(out: &mut Html, stats: &RunStats<'_>) {
    let uses = uses(stats);
    let (hits, all) =
        uses.iter().fold((0, 0), |(hits, all), cache| (hits + cache.hits, all + cache.hits + cache.misses));
    if hits == 0 {
        return;
    }
    let (saved_us, saved_usd) =
        (uses.iter().map(CacheUse::saved_us).sum::<u64>(), uses.iter().map(|cache| cache.saved_usd).sum::<f64>());
    write_escaped!(out, "<li>Caches answered {} of what was asked of them", percent(share(hits as f64, all as f64)));
    if saved_us > 0 {
        write_escaped!(out, ", and saved about <span class=\"nb\">{}</span>", long_duration(saved_us));
        if saved_usd > 0.0 {
            write_escaped!(out, " and <span class=\"nb\">{}</span>", usd(saved_usd));
        }
    }
    out.write_static(".</li>\n");
}

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let mut out = Html::new();
    if stats.run.plan.caches.is_empty() {
        return None;
    }
    let uses = uses(stats);
    if !uses.is_empty() {
        out.write_static(
            "<p>What a hit saved is what the calls of the same stage took and cost that had to be made.</p>\n",
        );
        let head = [
            ("stage", false),
            ("kept", false),
            ("cache", false),
            ("hits", true),
            ("misses", true),
            ("hit rate", false),
            ("p50 hit", true),
            ("p50 miss", true),
            ("time saved", true),
            ("cost saved", true),
        ];
        open_table(&mut out, "Hits and misses by stage", &head);
        for cache_use in uses.iter().take(MAX_ROWS) {
            out.write_static("<tr>");
            stage_cell(&mut out, cache_use.stage + 1, stats.stage_name(cache_use.stage));
            let kept = cache_use
                .model
                .map_or_else(|| "its results".to_owned(), |model| format!("answers of {}", truncate(model, 40)));
            write_escaped!(out, "<td>{}</td><td>{}</td>", kept, cache_use.cache);
            number_cell(&mut out, &with_commas(cache_use.hits));
            number_cell(&mut out, &with_commas(cache_use.misses));
            rate_cell(&mut out, cache_use.rate());
            number_cell(&mut out, &microseconds(cache_use.hit.quantile(0.5)));
            number_cell(&mut out, &microseconds(cache_use.miss.quantile(0.5)));
            number_cell(
                &mut out,
                &if cache_use.saved_us() > 0 {
                    format!("≈ {}", long_duration(cache_use.saved_us()))
                } else {
                    "-".to_owned()
                },
            );
            number_cell(
                &mut out,
                &if cache_use.saved_usd > 0.0 { format!("≈ {}", usd(cache_use.saved_usd)) } else { "-".to_owned() },
            );
            out.write_static("</tr>\n");
        }
        close_table(&mut out);
    }
    write_tiers(&mut out, stats);
    Some(out)
}

fn rate_cell(out: &mut Html, rate: f64) {
    out.write_static("<td class=\"share\">");
    share_bar(out, rate, 90.0);
    write_escaped!(out, " {}</td>", percent(rate));
}

fn write_tiers(out: &mut Html, stats: &RunStats<'_>) {
    out.write_static("<h3>By cache and tier</h3>\n");
    let Some(summary) = &stats.run.summary else {
        out.write_static("<p>How often each tier was asked is known when a session has ended.</p>\n");
        return;
    };
    if stats.flow.sessions.len() > 1 {
        out.write_static("<p>Of the last session.</p>\n");
    }
    let head = [
        ("cache", false),
        ("tier", false),
        ("asked", true),
        ("hits", true),
        ("misses", true),
        ("errors", true),
        ("hit rate", false),
    ];
    open_table(out, "Hits by cache and tier", &head);
    let mut rows = 0;
    for (cache, tiers) in &summary.caches {
        for (index, tier) in tiers.iter().enumerate() {
            rows += 1;
            if rows > MAX_ROWS {
                continue;
            }
            let asked = tier.hits.saturating_add(tier.misses).saturating_add(tier.errors);
            write_escaped!(
                out,
                "<tr><th scope=\"row\">{}</th><td>{}. {}</td>",
                truncate(cache, 40),
                index + 1,
                truncate(&tier.tier, 40)
            );
            for count in [asked, tier.hits, tier.misses] {
                number_cell(out, &with_commas(count));
            }
            if tier.errors > 0 {
                write_escaped!(out, "<td class=\"n\"><span class=\"bad\">✕ {}</span></td>", with_commas(tier.errors));
            } else {
                number_cell(out, "0");
            }
            rate_cell(out, share(tier.hits as f64, asked as f64));
            out.write_static("</tr>\n");
        }
    }
    close_table(out);
    if rows > MAX_ROWS {
        write_escaped!(out, "<p class=\"note\">And {}.</p>\n", grouped_count((rows - MAX_ROWS) as u64, "more tier"));
    }
}
