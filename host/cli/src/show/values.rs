//! Draws a value on a terminal: the parts that the schemas mark are drawn, and the rest is shown as JSON text, cut to the width.

use jackfield_loader::escape_untrusted;
use jackfield_pipeline::ViewMarks;
use jackfield_report::{
    counted,
    looks::{Drawing, Drawn, Looks, Outcome, Outcomes, Series},
    significant_digits,
};
use serde_json::Value;

use super::{
    MOST_DRAWINGS,
    block::{Block, BlockLine, Canvas, StyledLine, columns, cut, flow},
    grids::grids_block,
};

/// The most members of an object that is shown as text.
const MOST_MEMBERS: usize = 24;
/// The most reasons that are listed.
const MOST_REASONS: usize = 20;
/// The most columns of a name.
const LONGEST_NAME: usize = 32;
/// The most columns of a curve.
const LONGEST_CURVE: usize = 60;

/// The lines of a value, indented.
pub(super) fn value_lines(value: &Value, marks: &ViewMarks, canvas: Canvas) -> Vec<String> {
    let looks = Looks::of(value, marks, MOST_DRAWINGS);
    let width = canvas.width.saturating_sub(2);
    let canvas = Canvas { width, ..canvas };
    let mut lines = looks.rest.as_ref().map(|rest| text_lines(rest, width)).unwrap_or_default();
    let mut pending: Vec<Block> = Vec::new();
    for drawing in &looks.drawings {
        if let Drawn::Grids { grids, differences, more } = &drawing.drawn {
            let block = grids_block(grids, differences.as_ref(), canvas);
            pending.push(match heading(drawing, width) {
                Some(heading) => block.below(BlockLine::plain(heading)),
                None => block,
            });
            if *more == 0 {
                continue;
            }
            add_grids(&mut lines, &mut pending, width);
            lines.push(format!("and {}", counted(*more as u64, "more grid")));
            continue;
        }
        add_grids(&mut lines, &mut pending, width);
        lines.extend((!lines.is_empty()).then(String::new));
        lines.extend(drawing_lines(drawing, canvas));
    }
    add_grids(&mut lines, &mut pending, width);
    if looks.more > 0 {
        lines.push(format!("and {}", counted(looks.more as u64, "more drawing")));
    }
    lines.into_iter().map(|line| if line.is_empty() { line } else { format!("  {line}") }).collect()
}

/// Adds the grids that were collected, side by side as far as the width allows.
fn add_grids(lines: &mut Vec<String>, pending: &mut Vec<Block>, width: usize) {
    for row in flow(std::mem::take(pending), width, |_| "      ") {
        lines.extend((!lines.is_empty()).then(String::new));
        lines.extend(row.lines.iter().map(|line| line.trim_end().to_owned()));
    }
}

fn heading(drawing: &Drawing, width: usize) -> Option<String> {
    Some(cut(&escape_untrusted(&drawing.heading()), width)).filter(|heading| !heading.is_empty())
}

/// The text of a value that is not drawn. Each member of an object is a line.
fn text_lines(value: &Value, width: usize) -> Vec<String> {
    let text = |value: &Value| escape_untrusted(&value.to_string()).into_owned();
    match value {
        Value::Object(map) if !map.is_empty() => {
            let member =
                |(name, value): (&String, &Value)| cut(&format!("{}: {}", escape_untrusted(name), text(value)), width);
            let mut lines: Vec<String> = map.iter().take(MOST_MEMBERS).map(member).collect();
            if map.len() > MOST_MEMBERS {
                lines.push(format!("and {}", counted((map.len() - MOST_MEMBERS) as u64, "more member")));
            }
            lines
        }
        other => vec![cut(&text(other), width)],
    }
}

fn drawing_lines(drawing: &Drawing, canvas: Canvas) -> Vec<String> {
    let width = canvas.width;
    let mut lines: Vec<String> = heading(drawing, width).into_iter().collect();
    match &drawing.drawn {
        // Grids are laid out beside each other, by the caller.
        Drawn::Grids { .. } => {}
        Drawn::Outcomes(outcomes) => lines.extend(outcome_lines(outcomes, canvas)),
        Drawn::Series(series) => lines.extend(series_lines(series, width)),
        Drawn::Unfit { view, why } => {
            lines.push(cut(&format!("not drawn as {}: {}", view.name(), escape_untrusted(why)), width));
        }
    }
    lines
}

/// A table with a row for each program and a column for each case. A letter stands for the reason of each outcome that is not as it
/// should be; the reasons are listed below.
fn outcome_lines(outcomes: &Outcomes, Canvas { pen, width }: Canvas) -> Vec<String> {
    let names: Vec<String> =
        outcomes.rows.iter().map(|row| cut(&escape_untrusted(&row.name), LONGEST_NAME.min(width / 2))).collect();
    let name_width = names.iter().map(|name| columns(name)).max().unwrap_or_default();
    let case_width = outcomes.cases.to_string().len() + 1;
    let cases = outcomes.cases.min(width.saturating_sub(name_width + 1) / case_width);
    let mut head = " ".repeat(name_width + 1);
    (1..=cases).for_each(|case| head.push_str(&format!("{case:>case_width$}")));
    let mut lines = vec![head];
    for (name, row) in names.iter().zip(&outcomes.rows) {
        let mut line = StyledLine::new(pen);
        line.push(if row.is_solved { "32" } else { "" }, &format!("{name}{} ", " ".repeat(name_width - columns(name))));
        for outcome in row.outcomes.iter().take(cases) {
            let (style, mark) = match outcome {
                Outcome::Equal => ("32", '='),
                Outcome::Skipped => ("2", '-'),
                Outcome::Bad(reason) => ("31", Outcomes::letter(*reason)),
            };
            line.push("", &" ".repeat(case_width - 1));
            line.push(style, &mark.to_string());
        }
        lines.push(line.finish());
    }
    lines.push("= equal   - skipped".to_owned());
    for (index, reason) in outcomes.reasons.iter().enumerate().take(MOST_REASONS) {
        lines.push(cut(&format!("{} {}", Outcomes::letter(index), escape_untrusted(reason)), width));
    }
    if outcomes.reasons.len() > MOST_REASONS {
        lines.push(format!("and {}", counted((outcomes.reasons.len() - MOST_REASONS) as u64, "more reason")));
    }
    lines.extend(outcomes.cut());
    if cases < outcomes.cases {
        lines.push(format!("{} of {} cases are drawn", cases, outcomes.cases));
    }
    lines
}

/// A curve for each number of a series, with its first, last, least and greatest value.
fn series_lines(series: &Series, width: usize) -> Vec<String> {
    let first = series.at.first().copied().unwrap_or_default();
    let last = series.at.last().copied().unwrap_or_default();
    let mut lines = vec![format!(
        "{}, {} {} to {}",
        counted(series.count as u64, "point"),
        series.axis,
        significant_digits(first),
        significant_digits(last)
    )];
    let names: Vec<String> = series.lines.iter().map(|(name, _)| cut(&escape_untrusted(name), LONGEST_NAME)).collect();
    let name_width = names.iter().map(|name| columns(name)).max().unwrap_or_default();
    for (name, (_, values)) in names.iter().zip(&series.lines) {
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        let least = known.iter().copied().fold(f64::INFINITY, f64::min);
        let most = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let summary = match (known.first(), known.last()) {
            (Some(first), Some(last)) => {
                format!(
                    "{} → {}   least {}, most {}",
                    significant_digits(*first),
                    significant_digits(*last),
                    significant_digits(least),
                    significant_digits(most)
                )
            }
            _ => String::new(),
        };
        let curve_width = width.saturating_sub(name_width + columns(&summary) + 4).min(LONGEST_CURVE);
        lines.push(format!(
            "{name}{}  {}  {summary}",
            " ".repeat(name_width - columns(name)),
            curve(values, &Range { least, most }, curve_width)
        ));
    }
    lines.extend(series.cut());
    lines
}

/// The least and the greatest value of a curve.
struct Range {
    least: f64,
    most: f64,
}

/// Values as bars of eight heights, in at most `width` columns.
fn curve(values: &[Option<f64>], range: &Range, width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let width = width.min(values.len());
    let value = |column: usize| values[if width > 1 { column * (values.len() - 1) / (width - 1) } else { 0 }];
    let Range { least, most } = *range;
    let bar = |value: f64| {
        let part = if most > least { (value - least) / (most - least) } else { 0.5 };
        BARS[((part * 7.0).round() as usize).min(7)]
    };
    (0..width).map(|column| value(column).map_or(' ', bar)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::show::block::Pen;

    fn shown(value: &Value, marks: Value, width: usize) -> String {
        let marks: ViewMarks = serde_json::from_value(marks).expect("marks");
        value_lines(value, &marks, Canvas { pen: Pen { color: false }, width }).join("\n")
    }

    #[test]
    fn outcomes_are_a_table_with_a_letter_a_reason() {
        let value = json!([
            { "name": "solve_a", "outcomes": ["equal", "grid:0123456789abcdef", "skipped"] },
            { "name": "b", "outcomes": ["limit:steps", "equal", "grid:0123456789abcdef"] }
        ]);
        insta::assert_snapshot!(shown(&value, json!({ "view": "outcomes" }), 60), @r"
                   1 2 3
          solve_a  = a -
          b        b = a
          = equal   - skipped
          a grid:0123456789abcdef
          b limit:steps
        ");
    }

    #[test]
    fn a_series_is_a_curve_a_number() {
        let point = |at: u64| json!({ "generation": at, "best": at * at, "mean": if at == 3 { Value::Null } else { json!(7) } });
        let value = json!((0..9).map(point).collect::<Vec<_>>());
        insta::assert_snapshot!(shown(&value, json!({ "view": "series" }), 80), @r"
          9 points, generation 0 to 8
          best  ▁▁▁▂▃▄▅▆█  0 → 64   least 0, most 64
          mean  ▅▅▅ ▅▅▅▅▅  7 → 7   least 7, most 7
        ");
    }

    #[test]
    fn what_is_not_drawn_is_text_of_one_line_that_moves_no_terminal() {
        let value = json!({ "id": "a\u{1b}[2J\n", "long": "x".repeat(500), "list": [1, 2], "grid": [[12]] });
        insta::assert_snapshot!(shown(&value, json!({ "members": { "grid": { "view": "grid" } } }), 40), @r#"
          grid: [[12]]
          id: "a\u001b[2J\n"
          list: [1,2]
          long: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…

          grid
          not drawn as grid: [0][0] is not an i…
        "#);
        assert_eq!(shown(&json!([]), json!({}), 40), "  []");
        assert_eq!(shown(&json!({}), json!({}), 40), "  {}");
    }

    /// Values that are nearly what marks ask for, and others.
    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-2_i64..12).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "equal|skipped|\\PC{0,6}|\u{1b}\\[2J".prop_map(Value::from),
        ];
        let grid = (1_usize..40, 1_usize..40).prop_map(|(rows, columns)| json!(vec![vec![3; columns]; rows]));
        let name = "input|output|expected|got|name|outcomes|generation|best";
        prop_oneof![leaf, grid].prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_a_value_is_it_is_shown_and_moves_no_terminal(value in any_value(), width in 20_usize..120) {
            let kinds = ["grid", "outcomes", "series"].map(|view| json!({ "view": view }));
            let grids = json!({ "other_members": { "view": "grid" } });
            let marks = kinds.iter().cloned().chain([
                json!({ "elements": { "elements": { "view": "grid" } } }),
                json!({ "elements": grids, "other_members": { "elements": grids, "other_members": grids } }),
            ]);
            for marks in marks {
                let text = shown(&value, marks.clone(), width);
                prop_assert!(!text.chars().any(|char| char != '\n' && char.is_control()), "{text:?}");
                let marks: ViewMarks = serde_json::from_value(marks).expect("marks");
                let colored = value_lines(&value, &marks, Canvas { pen: Pen { color: true }, width }).join("\n");
                prop_assert!(!colored.contains("\u{1b}[2J"), "{colored:?}");
            }
        }
    }

    #[test]
    fn what_is_shown_fits_the_width() {
        let rows: Vec<Value> = (0..40)
            .map(|row| json!({ "name": format!("program-{row}-{}", "n".repeat(50)), "outcomes": vec!["error:type"; 60] }))
            .collect();
        let points: Vec<Value> = (0..1000).map(|at| json!({ "best": at })).collect();
        let value = json!({ "rows": rows, "points": points, "grids": [vec![vec![1; 30]; 2], vec![vec![2; 30]; 2]] });
        let marks = json!({ "members": {
            "rows": { "view": "outcomes" }, "points": { "view": "series" }, "grids": { "elements": { "view": "grid" } }
        } });
        for width in [20, 40, 80, 200] {
            let text = shown(&value, marks.clone(), width);
            let widest = text.lines().map(columns).max().unwrap_or_default();
            assert!(widest <= width.max(60), "{width}: {widest}\n{text}");
        }
    }
}
