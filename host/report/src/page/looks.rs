//! Drawings of inputs and results: grids, outcomes and series, first of the items that failed or did not reach what was wanted.

use jackfield_store::ItemState;

use super::{
    super::{
        aggregate::RunStats,
        drawn_items::{DrawnItem, ITEMS},
        html::{Html, write_escaped},
        looks::{Drawing, Drawn, Looks, Outcome, Outcomes, Series},
        text::truncate,
        units::{counted, grouped_count, significant_digits},
    },
    close_table,
    look_grids::{write_differences, write_grid},
    marks::{SERIES, key, mark},
    open_table,
    plot::{Axis, Plot},
};

/// The section ends with the drawing in which it gets beyond this, in bytes.
const LARGEST: usize = 1 << 20;
/// The most reasons that are listed below a table.
const REASONS: usize = 40;
const PLOT: (f64, f64) = (520.0, 230.0);
/// Numbers of a series share a drawing where the largest of them differ by less than this factor.
const ALIKE: f64 = 8.0;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let items = &stats.drawn_items.items;
    if items.is_empty() {
        return None;
    }
    let mut out = Html::new();
    let all = stats.items.total();
    if all > items.len() as u64 {
        write_escaped!(
            out,
            "<p>{} of {}: those first that failed or are unsolved. <code>jackfield show {} ITEM</code> draws any of them in a terminal.</p>\n",
            items.len().min(ITEMS),
            grouped_count(all, "item"),
            stats.run.run
        );
    }
    let mut left_out = 0;
    for (index, item) in items.iter().enumerate() {
        let open = if index == 0 { " open" } else { "" };
        write_escaped!(out, "<details class=\"look\"{}><summary>{}", open, truncate(&item.id, 80));
        let (class, state) = state_in_words(item);
        write_escaped!(out, " <span class=\"{}\">{}</span></summary>\n", class, state);
        let mut drawings = ItemDrawings { out: &mut out, id: format!("look-{index}"), count: 0, left_out: 0 };
        match &item.input {
            None => {}
            Some(Ok(looks)) => drawings.write("<h4>input</h4>\n", looks),
            Some(Err(())) => {
                drawings.out.write_static(
                    "<p class=\"note\">The input is not drawn: it cannot be read again, or is not what it was.</p>\n",
                );
            }
        }
        for (stage, looks) in &item.stages {
            let mut heading = Html::new();
            write_escaped!(
                heading,
                "<h4><b class=\"no\">{}</b> {}</h4>\n",
                stage + 1,
                truncate(stats.stage_name(*stage), 60)
            );
            drawings.write_under(&heading, looks);
        }
        left_out += drawings.left_out;
        out.write_static("</details>\n");
    }
    if left_out > 0 {
        write_escaped!(
            out,
            "<p class=\"note\">And {}, which the page has no room for.</p>\n",
            grouped_count(left_out as u64, "more drawing")
        );
    }
    Some(out)
}

/// The state of an item: a class and a word.
fn state_in_words(item: &DrawnItem) -> (&'static str, &'static str) {
    match (item.state, item.is_unsolved) {
        (ItemState::Failed, _) => ("bad", "failed"),
        (ItemState::Partial, _) => ("bad", "partial"),
        (_, true) => ("bad", "unsolved"),
        (_, false) => ("note", item.state.name()),
    }
}

/// Draws what is marked of an item, as long as the page has room.
struct ItemDrawings<'a> {
    out: &'a mut Html,
    id: String,
    count: usize,
    left_out: usize,
}

impl ItemDrawings<'_> {
    fn write(&mut self, heading: &'static str, looks: &Looks) {
        let mut html = Html::new();
        html.write_static(heading);
        self.write_under(&html, looks);
    }

    fn write_under(&mut self, heading: &Html, looks: &Looks) {
        self.left_out += looks.more;
        if !looks.drawings.is_empty() {
            self.out.append(heading);
        }
        for drawing in &looks.drawings {
            if self.out.len() > LARGEST {
                self.left_out += 1;
                continue;
            }
            self.count += 1;
            self.write_drawing(drawing);
        }
    }

    fn write_drawing(&mut self, drawing: &Drawing) {
        let heading = truncate(&drawing.heading(), 160);
        let out = &mut *self.out;
        let is_grids = matches!(drawing.drawn, Drawn::Grids { .. });
        out.write_static(if is_grids { "<div class=\"one\">" } else { "" });
        if !heading.is_empty() {
            write_escaped!(out, "<p class=\"at\">{}</p>\n", heading);
        }
        match &drawing.drawn {
            Drawn::Grids { grids, differences, more } => {
                out.write_static("<div class=\"grids\">");
                let mut previous = "";
                let mut left_out = *more;
                for (label, grid) in grids {
                    if out.len() > LARGEST {
                        left_out += 1;
                        continue;
                    }
                    if (previous, label.as_str()) == ("input", "output") {
                        out.write_static("<span class=\"to\" aria-hidden=\"true\">→</span>");
                    }
                    write_grid(out, label, grid.as_ref());
                    previous = label;
                }
                if let Some(differences) = differences {
                    write_differences(out, differences);
                }
                out.write_static("</div>\n");
                if left_out > 0 {
                    write_escaped!(out, "<p class=\"note\">And {}.</p>\n", grouped_count(left_out as u64, "more grid"));
                }
            }
            Drawn::Outcomes(found) => write_outcomes(out, found),
            Drawn::Series(found) => write_series(out, &format!("{}-{}", self.id, self.count), found),
            Drawn::Unfit { view, why } => {
                write_escaped!(out, "<p class=\"note\">Not drawn as {}: {}.</p>\n", view.name(), truncate(why, 200));
            }
        }
        out.write_static(if is_grids { "</div>\n" } else { "" });
    }
}

/// A table with a row for each program and a column for each case. The reason of a bad outcome is the title of its cell, and is listed
/// below.
fn write_outcomes(out: &mut Html, outcomes: &Outcomes) {
    let mut head = vec![("name".to_owned(), false)];
    head.extend((1..=outcomes.cases).map(|case| (case.to_string(), true)));
    let head: Vec<(&str, bool)> = head.iter().map(|(name, numeric)| (name.as_str(), *numeric)).collect();
    open_table(out, "Outcomes by case", &head);
    for row in &outcomes.rows {
        write_escaped!(out, "<tr><th scope=\"row\">{}</th>", truncate(&row.name, 60));
        for outcome in &row.outcomes {
            match outcome {
                Outcome::Equal => out.write_static("<td class=\"n reached\" title=\"equal\">✓</td>"),
                Outcome::Skipped => out.write_static("<td class=\"n note\" title=\"skipped\">–</td>"),
                Outcome::Bad(reason) => {
                    let text = outcomes.reasons.get(*reason).map_or("", String::as_str);
                    write_escaped!(
                        out,
                        "<td class=\"n bad\" title=\"{}\">{}</td>",
                        truncate(text, 120),
                        Outcomes::letter(*reason)
                    );
                }
            }
        }
        out.write_static("</tr>\n");
    }
    close_table(out);
    out.write_static("<ul class=\"legend\"><li>✓ equal</li><li>– skipped</li>");
    for (index, reason) in outcomes.reasons.iter().enumerate().take(REASONS) {
        write_escaped!(out, "<li><b class=\"bad\">{}</b> {}</li>", Outcomes::letter(index), truncate(reason, 120));
    }
    if outcomes.reasons.len() > REASONS {
        write_escaped!(out, "<li>and {}</li>", counted((outcomes.reasons.len() - REASONS) as u64, "more reason"));
    }
    out.write_static("</ul>\n");
    if let Some(cut) = outcomes.cut() {
        write_escaped!(out, "<p class=\"note\">{}.</p>\n", cut);
    }
}

/// Numbers as lines: those of about the same size in one drawing.
fn write_series(out: &mut Html, id: &str, series: &Series) {
    let size = |values: &[Option<f64>]| values.iter().flatten().map(|value| value.abs()).fold(0.0, f64::max);
    let mut plots: Vec<(f64, Vec<usize>)> = Vec::new();
    for (index, (_, values)) in series.lines.iter().enumerate() {
        let largest = size(values);
        let alike = |other: f64| largest.max(other) < ALIKE * largest.min(other) || largest.total_cmp(&other).is_eq();
        match plots.iter_mut().find(|(other, _)| alike(*other)) {
            Some((_, lines)) => lines.push(index),
            None => plots.push((largest, vec![index])),
        }
    }
    out.write_static("<ul class=\"legend\">");
    for (index, (name, _)) in series.lines.iter().enumerate() {
        out.write_static("<li>");
        key(out, index);
        write_escaped!(out, " {}</li>", truncate(name, 40));
    }
    out.write_static("</ul>\n<div class=\"cards wide\">\n");
    for (index, (_, lines)) in plots.iter().enumerate() {
        let lines: Vec<Line<'_>> = lines
            .iter()
            .map(|line| {
                let (name, values) = &series.lines[*line];
                let points = series.at.iter().zip(values).filter_map(|(at, value)| Some((*at, (*value)?)));
                Line { series: *line, name, points: points.collect() }
            })
            .collect();
        let names: Vec<&str> = lines.iter().map(|line| line.name).collect();
        let title = truncate(&names.join(", "), 80);
        let x = Axis::of(series.axis, series.at.iter().copied());
        let values: Vec<f64> = lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)).collect();
        let y = Axis::of(title.clone(), values.iter().copied());
        let plot = Plot { x: &x, y: &y, size: PLOT };
        plot.open(out, &format!("{id}-{index}"), &title, &lines_in_words(&lines));
        for Line { series: line, points, .. } in &lines {
            plot.line(out, &format!("line s{}", line % SERIES), points);
            if points.len() <= 40 {
                points.iter().for_each(|point| mark(out, *line, plot.position(*point)));
            }
        }
        Plot::close(out);
    }
    out.write_static("</div>\n");
    write_escaped!(out, "<p class=\"note\">{}", grouped_count(series.count as u64, "point"));
    if let Some(cut) = series.cut() {
        write_escaped!(out, "; {}", cut);
    }
    out.write_static(".</p>\n");
}

/// One of the lines of a series.
struct Line<'a> {
    /// Position among the lines of the series.
    series: usize,
    name: &'a str,
    points: Vec<(f64, f64)>,
}

/// Lines in words.
fn lines_in_words(lines: &[Line<'_>]) -> String {
    let line = |Line { name, points, .. }: &Line<'_>| match (points.first(), points.last()) {
        (Some(first), Some(last)) => {
            format!("{} from {} to {}", truncate(name, 40), significant_digits(first.1), significant_digits(last.1))
        }
        _ => format!("{} has no values", truncate(name, 40)),
    };
    lines.iter().map(line).collect::<Vec<_>>().join("; ")
}
