//! A comparison, as tables, as Markdown and as JSON.

use jackfield_loader::escape_untrusted;
use serde_json::{Value, json};

use super::{
    measured::{Row, Thresholds},
    quality::{Change, Comparison, SharedItems},
};
use crate::table::{counted, ms, table};

/// So many columns are shown; JSON has all.
const MOST_COLUMNS: usize = 30;

/// What was found of two runs, or of one.
pub(super) struct Answer {
    /// The run that it is compared with.
    pub(super) before: String,
    /// What there is to say of two runs.
    pub(super) measured: Option<Measured>,
    pub(super) quality: Vec<Comparison>,
    pub(super) thresholds: Thresholds,
    pub(super) quality_threshold: f64,
    /// How many items are named.
    pub(super) named_items: usize,
}

/// What is said of two runs, and not of one.
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    pub(super) shared: SharedItems,
    /// The run that is judged.
    pub(super) after: String,
    pub(super) has_same_plan: bool,
    pub(super) pipelines: [String; 2],
}

/// How the parts of an answer are written.
trait Style {
    /// A text that is not ours.
    fn quoted(&self, text: &str) -> String;
    /// A table with a header.
    fn table(&self, header: &[&str], rows: Vec<Vec<String>>) -> String;
    /// A heading or the first line.
    fn title(&self, text: &str) -> String;
    /// One of several lines that follow each other.
    fn line(&self, text: &str) -> String;
}

/// For a terminal.
struct Plain;

/// For a page.
struct Markdown;

impl Style for Plain {
    fn quoted(&self, text: &str) -> String {
        escape_untrusted(text).into_owned()
    }

    fn table(&self, header: &[&str], rows: Vec<Vec<String>>) -> String {
        table(header, rows)
    }

    fn title(&self, text: &str) -> String {
        text.to_owned()
    }

    fn line(&self, text: &str) -> String {
        text.to_owned()
    }
}

impl Style for Markdown {
    fn quoted(&self, text: &str) -> String {
        let mut quoted = String::new();
        for char in escape_untrusted(text).chars() {
            match char {
                '<' => quoted.push_str("&lt;"),
                '>' => quoted.push_str("&gt;"),
                '&' => quoted.push_str("&amp;"),
                // Nobody is called.
                '@' => quoted.push_str("&#64;"),
                char if char.is_ascii_punctuation() && !"-.,/:".contains(char) => quoted.extend(['\\', char]),
                char => quoted.push(char),
            }
        }
        // Nothing is a link.
        quoted.replace("://", "&#58;//")
    }

    fn table(&self, header: &[&str], rows: Vec<Vec<String>>) -> String {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let header: Vec<String> = header.iter().map(ToString::to_string).collect();
        let rule: Vec<String> = (0..header.len()).map(|at| if at == 0 { "---" } else { "---:" }.to_owned()).collect();
        let rows = rows.iter().map(|row| line(row));
        [line(&header), line(&rule)].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    }

    fn title(&self, text: &str) -> String {
        format!("### {text}")
    }

    fn line(&self, text: &str) -> String {
        format!("- {text}")
    }
}

impl Answer {
    /// How many numbers and columns got worse beyond their thresholds.
    pub(super) fn regressions(&self) -> usize {
        let rows = self.measured.iter().flat_map(|measured| &measured.rows);
        rows.filter(|row| row.is_regression()).count()
            + self.quality.iter().filter(|comparison| comparison.is_regression()).count()
    }

    pub(super) fn table(&self) -> String {
        self.written(&Plain)
    }

    pub(super) fn markdown(&self) -> String {
        self.written(&Markdown)
    }

    fn written(&self, style: &impl Style) -> String {
        let mut parts = vec![style.title(&self.headline(style))];
        let notes = self.notes(style);
        if !notes.is_empty() {
            parts.push(lines(style, &notes));
        }
        if !self.quality.is_empty() {
            parts.push(self.quality_table(style));
            let changes: Vec<String> =
                self.shown_columns().flat_map(|comparison| self.change_lines(comparison, style)).collect();
            if !changes.is_empty() {
                parts.push(lines(style, &changes));
            }
        } else {
            parts.push("no numbers and no truth values to compare in what the stages answered".to_owned());
        }
        if let Some(measured) = &self.measured {
            parts.push(measured_table(&measured.rows, style));
            let not_compared: Vec<String> = not_compared(&measured.rows);
            if !not_compared.is_empty() {
                parts.push(lines(style, &not_compared));
            }
        }
        parts.push(match self.regressions() {
            0 => "no regression".to_owned(),
            count => {
                let Thresholds { usual, cost } = self.thresholds;
                let regressions = counted(count as u64, "regression");
                let quality = self.quality_threshold;
                format!("{regressions} beyond the thresholds: {usual} % (times, failures), {cost} % (costs), {quality} (quality)")
            }
        });
        parts.join("\n\n")
    }

    fn headline(&self, style: &impl Style) -> String {
        let before = style.quoted(&self.before);
        match &self.measured {
            None => format!("{before}: two stages of one run"),
            Some(measured) => {
                let same = if measured.has_same_plan { "the same plan" } else { "different plans" };
                format!("{before} -> {} ({same})", style.quoted(&measured.after))
            }
        }
    }

    /// What is odd about the two runs.
    fn notes(&self, style: &impl Style) -> Vec<String> {
        let Some(measured) = &self.measured else { return Vec::new() };
        let mut notes = Vec::new();
        let [before, after] = measured.pipelines.each_ref().map(|name| style.quoted(name));
        if before != after {
            notes.push(format!(
                "the runs are of two pipelines, {before} and {after}: what is called the same in both is compared"
            ));
        }
        let shared = &measured.shared;
        for (ids, when) in [(&shared.only_before, "before"), (&shared.only_after, "after")] {
            if !ids.is_empty() {
                let named = self.named(ids.iter().map(|id| style.quoted(id)), ids.len());
                notes.push(format!("{} only {when}: {named}", counted(ids.len() as u64, "item")));
            }
        }
        if shared.both == 0 && !(shared.only_before.is_empty() && shared.only_after.is_empty()) {
            notes.push("no item is in both runs: there is nothing to compare item by item".to_owned());
        }
        notes
    }

    /// The columns that are shown: those that are judged, and those that differ.
    fn shown_columns(&self) -> impl Iterator<Item = &Comparison> {
        let differs = |comparison: &&Comparison| comparison.pair.is_judged || comparison.equal != comparison.items;
        self.quality.iter().filter(differs).take(MOST_COLUMNS)
    }

    fn quality_table(&self, style: &impl Style) -> String {
        let rows: Vec<Vec<String>> = self.shown_columns().map(|comparison| quality_row(comparison, style)).collect();
        let left_out = self.quality.len() - rows.len();
        let mut text = if rows.is_empty() {
            String::new()
        } else {
            let header =
                ["quality", "items", "before", "after", "change", "95 % interval", "p", "better", "worse", "equal", ""];
            style.table(&header, rows)
        };
        if left_out > 0 {
            let gap = if text.is_empty() { "" } else { "\n\n" };
            text.push_str(&format!(
                "{gap}{} of numbers not shown: equal for every item, or too many",
                counted(left_out as u64, "column")
            ));
        }
        text
    }

    /// Which items got worse and better, of a column that is judged.
    fn change_lines(&self, comparison: &Comparison, style: &impl Style) -> Vec<String> {
        let name = style.quoted(&name_of(comparison));
        let mut lines = Vec::new();
        if comparison.pair.is_judged {
            for (changes, what) in [(&comparison.worse, "worse"), (&comparison.better, "better")] {
                if changes.is_empty() {
                    continue;
                }
                let named = self.named(changes.iter().map(|change| changed(comparison, change, style)), changes.len());
                lines.push(format!("{name}: {} got {what}: {named}", counted(changes.len() as u64, "item")));
            }
        }
        for (count, when) in [(comparison.one_sided[0], "after"), (comparison.one_sided[1], "before")] {
            if count > 0 {
                lines.push(format!("{name}: {} without a value {when}, left out", counted(count, "item")));
            }
        }
        lines
    }

    /// The first few of many.
    fn named(&self, all: impl Iterator<Item = String>, count: usize) -> String {
        let mut text = all.take(self.named_items).collect::<Vec<_>>().join(", ");
        let more = count.saturating_sub(self.named_items);
        if more > 0 {
            let comma = if text.is_empty() { "" } else { ", " };
            text.push_str(&format!("{comma}{more} more"));
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let quality: Vec<Value> = self.quality.iter().map(|comparison| self.quality_json(comparison)).collect();
        let mut answer = json!({
            "before": self.before, "after": self.before, "quality": quality,
            "quality_threshold": self.quality_threshold, "threshold_percent": self.thresholds.usual,
            "cost_threshold_percent": self.thresholds.cost, "regressions": self.regressions(), "rows": [],
        });
        if let Some(measured) = &self.measured {
            let rows = measured.rows.iter().map(|row| {
                json!({ "what": row.what, "before": row.before, "after": row.after, "unit": row.unit,
                        "change_percent": row.change(), "regression": row.is_regression(), "not_compared": row.not_compared })
            });
            answer["rows"] = rows.collect();
            answer["after"] = measured.after.as_str().into();
            answer["same_plan"] = measured.has_same_plan.into();
            answer["pipelines"] = json!(measured.pipelines);
            let shared = &measured.shared;
            let some = |ids: &[String]| ids.iter().take(self.named_items).cloned().collect::<Vec<_>>();
            answer["items"] = json!({
                "both": shared.both, "only_before": shared.only_before.len(), "only_after": shared.only_after.len(),
                "named_only_before": some(&shared.only_before), "named_only_after": some(&shared.only_after),
            });
        }
        answer
    }

    fn quality_json(&self, comparison: &Comparison) -> Value {
        let number = |value: f64| if comparison.is_bool { Value::from(value == 1.0) } else { Value::from(value) };
        let items = |changes: &[Change]| -> Value {
            let changes = changes.iter().take(self.named_items);
            changes
                .map(|change| json!({ "item": change.item, "before": number(change.before), "after": number(change.after) }))
                .collect()
        };
        json!({
            "before": comparison.pair.before, "after": comparison.pair.after,
            "type": if comparison.is_bool { "boolean" } else { "number" },
            "judged": comparison.pair.is_judged, "lower_is_better": comparison.pair.less_is_better,
            "items": comparison.items,
            "only_before": comparison.one_sided[0], "only_after": comparison.one_sided[1],
            "mean_before": comparison.means[0], "mean_after": comparison.means[1],
            "difference": comparison.difference, "interval_95": [comparison.interval.low, comparison.interval.high],
            "p_value": comparison.p, "significant": comparison.is_significant(),
            "better": comparison.better.len(), "worse": comparison.worse.len(), "equal": comparison.equal,
            "named_better": items(&comparison.better), "named_worse": items(&comparison.worse),
            "regression": comparison.is_regression(),
        })
    }
}

fn lines(style: &impl Style, lines: &[String]) -> String {
    lines.iter().map(|line| style.line(line)).collect::<Vec<_>>().join("\n")
}

fn name_of(comparison: &Comparison) -> String {
    let pair = &comparison.pair;
    if pair.before == pair.after { pair.before.clone() } else { format!("{} -> {}", pair.before, pair.after) }
}

fn quality_row(comparison: &Comparison, style: &impl Style) -> Vec<String> {
    let [before, after] = comparison.means;
    let note = match (comparison.is_regression(), comparison.pair.is_judged) {
        (true, _) => "worse",
        (false, true) if comparison.is_significant() && comparison.difference != 0.0 => "differs",
        _ => "",
    };
    vec![
        style.quoted(&name_of(comparison)),
        comparison.items.to_string(),
        decimal(before),
        decimal(after),
        signed(comparison.difference),
        format!("{} to {}", signed(comparison.interval.low), signed(comparison.interval.high)),
        comparison.p.map_or_else(String::new, |p| if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }),
        comparison.better.len().to_string(),
        comparison.worse.len().to_string(),
        comparison.equal.to_string(),
        note.to_owned(),
    ]
}

/// An item that changed; what it was and is, unless that is clear.
fn changed(comparison: &Comparison, change: &Change, style: &impl Style) -> String {
    let item = style.quoted(&change.item);
    if comparison.is_bool { item } else { format!("{item} ({} -> {})", decimal(change.before), decimal(change.after)) }
}

/// A number to three places, or to as many digits where it is large or small.
fn decimal(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (0.001..1e6).contains(&size) {
        let text = format!("{value:.3}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if text == "-0" { "0".to_owned() } else { text.to_owned() }
    } else {
        format!("{value:.2e}")
    }
}

fn signed(value: f64) -> String {
    let text = decimal(value);
    if text == "0" || text.starts_with('-') { text } else { format!("+{text}") }
}

fn measured_table(rows: &[Row], style: &impl Style) -> String {
    let shown = rows.iter().filter(|row| row.is_something()).map(|row| {
        let change = row.change().map_or_else(|| "new".to_owned(), |change| format!("{change:+.1} %"));
        let (change, note) = match &row.not_compared {
            Some(_) => ("-".to_owned(), "not compared"),
            None => (change, if row.is_regression() { "worse" } else { "" }),
        };
        vec![
            style.quoted(&row.what),
            number(row.before, row.unit),
            number(row.after, row.unit),
            change,
            note.to_owned(),
        ]
    });
    style.table(&["", "before", "after", "change", ""], shown.collect())
}

/// Why numbers are not compared: one line for each reason.
fn not_compared(rows: &[Row]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows.iter().filter(|row| row.is_something()) {
        let Some(reason) = row.not_compared.as_deref() else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(&row.what),
            None => reasons.push((reason, vec![&row.what])),
        }
    }
    reasons.into_iter().map(|(reason, names)| format!("not compared: {}: {reason}", names.join(", "))).collect()
}

fn number(value: f64, unit: &str) -> String {
    match unit {
        "ms" => ms(value),
        "USD" => format!("{value:.4} USD"),
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Markdown, Style as _, decimal, signed};

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let shown = [0.0, 0.14, -0.5, 1234.5678, 0.000_12, 3e9].map(decimal);
        assert_eq!(shown, ["0", "0.14", "-0.5", "1234.568", "1.20e-4", "3.00e9"]);
        assert_eq!([0.0, 0.14, -0.5].map(signed), ["0", "+0.14", "-0.5"]);
    }

    #[test]
    fn nothing_of_an_id_is_markdown() {
        let quoted = Markdown.quoted("a|b`c` <b> @you http://x [l](m) \u{1b}[31m");
        assert_eq!(quoted, r"a\|b\`c\` &lt;b&gt; &#64;you http&#58;//x \[l\]\(m\) \\u\{1b\}\[31m");
    }
}
