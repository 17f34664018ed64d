//! The trials of a search: their values and objectives, and those on the Pareto front.

use jackfield_plugin_api::{Dimension, Goal};
use serde_json::Value;

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        pareto_front::{add_unless_beaten, weakly_dominates},
        text::truncate,
        trials::{Trial, TrialState, Trials},
        units::{grouped_count, px, significant_digits, with_commas},
    },
    close_table,
    marks::point,
    number_cell, open_table,
    plot::{Axis, Plot},
};

/// The most trials that a drawing has a point for, apart from those on the Pareto front, and the most of the Pareto front.
const MAX_POINTS: usize = 600;
const MAX_SMALL_POINTS: usize = 150;
const MAX_FRONT_POINTS: usize = 200;
/// With no more than these on the Pareto front, each has its id beside it.
const MAX_NAMED_POINTS: usize = 24;
/// The most rows of the table, and the most columns of values.
const MAX_ROWS: usize = 50;
const MAX_VALUE_COLUMNS: usize = 12;
/// The most objectives and values that are drawn.
const MAX_GOALS: usize = 3;
const MAX_VALUES: usize = 12;

const LARGE_PLOT: (f64, f64) = (520.0, 380.0);
const WIDE_PLOT: (f64, f64) = (520.0, 230.0);
const SMALL_PLOT: (f64, f64) = (340.0, 190.0);

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let search = stats.run.plan.search.as_ref()?;
    Some(trials_section(&stats.trials, &search.extension.name, &search.study.space))
}

/// The section for trials over `space`.
fn trials_section(trials: &Trials, policy: &str, space: &[Dimension]) -> Html {
    let mut out = Html::new();
    write_summary(&mut out, trials, policy);
    if trials.goals.is_empty() {
        out.write_static("<p>No trial has its objectives yet.</p>\n");
        return out;
    }
    let drawn = Drawn::of(trials);
    if trials.goals.len() > 1 {
        write_legend(&mut out);
        write_scatter_plots(&mut out, &drawn);
    }
    write_table(&mut out, &drawn);
    write_over_time(&mut out, &drawn);
    write_values(&mut out, &drawn, space);
    out
}

/// The trials, with those on the Pareto front.
struct Drawn<'a> {
    trials: &'a Trials,
    /// The best first: for one objective those that are as good as any.
    front: Vec<&'a Trial>,
    /// The complete ones that are not on it, in order.
    beaten: Vec<&'a Trial>,
    reference: Vec<f64>,
}

impl<'a> Drawn<'a> {
    fn of(trials: &'a Trials) -> Self {
        let front = trials.pareto_front();
        let on_front: std::collections::BTreeSet<u64> = front.iter().map(|trial| trial.item).collect();
        let beaten = trials.complete().filter(|trial| !on_front.contains(&trial.item)).collect();
        Self { trials, front, beaten, reference: trials.reference() }
    }

    fn goals(&self) -> impl Iterator<Item = (usize, &'a Goal)> {
        self.trials.goals.iter().enumerate().take(MAX_GOALS)
    }

    /// The axis of an objective.
    fn axis(&self, (index, goal): (usize, &Goal)) -> Axis {
        Axis::of(named(goal), self.trials.complete().map(|trial| trial.objectives[index]))
    }

    /// So many of the trials, evenly spread, and after them, so that they are above, those on the Pareto front.
    fn points(&self, most: usize) -> impl Iterator<Item = (&'a Trial, bool)> {
        let every = self.beaten.len().div_ceil(most.max(1)).max(1);
        let beaten = self.beaten.iter().step_by(every).map(|trial| (*trial, false));
        beaten.chain(self.front.iter().take(MAX_FRONT_POINTS).map(|trial| (*trial, true)))
    }
}

/// An objective with the way in which it is better.
fn named(goal: &Goal) -> String {
    format!("{} {}", truncate(&goal.name, 40), if goal.minimize { "↓" } else { "↑" })
}

fn write_summary(out: &mut Html, trials: &Trials, policy: &str) {
    write_escaped!(
        out,
        "<p>The policy <code>{}</code> picked the values of {}: {} complete",
        policy,
        grouped_count(trials.done.len() as u64 + trials.open, "trial"),
        { with_commas(trials.count(TrialState::Complete)) }
    );
    for (state, name) in [(TrialState::Pruned, "pruned"), (TrialState::Failed, "failed")] {
        if trials.count(state) > 0 {
            write_escaped!(out, ", {} {}", with_commas(trials.count(state)), name);
        }
    }
    if trials.open > 0 {
        write_escaped!(out, ", {} not done", with_commas(trials.open));
    }
    out.write_static(".");
    if !trials.goals.is_empty() {
        let list = |minimize: bool| {
            let names = trials.goals.iter().filter(|goal| goal.minimize == minimize);
            names.map(|goal| truncate(&goal.name, 60)).collect::<Vec<_>>().join(", ")
        };
        for (minimize, does) in [(true, "less"), (false, "more")] {
            let names = list(minimize);
            if !names.is_empty() {
                write_escaped!(out, " Of {}, {} is better.", names, does);
            }
        }
    }
    out.write_static("</p>\n");
}

fn write_legend(out: &mut Html) {
    out.write_static("<ul class=\"legend\">");
    for (is_front, says) in
        [(true, "no other trial is at least as good in everything and better in something"), (false, "beaten")]
    {
        out.write_static("<li><svg width=\"16\" height=\"16\" aria-hidden=\"true\">");
        point(out, (8.0, 8.0), is_front, None);
        write_escaped!(out, "</svg> {}</li>", says);
    }
    out.write_static("</ul>\n");
}

/// The title of a trial's point.
fn point_title(trial: &Trial, goals: &[Goal]) -> String {
    let objectives = goals
        .iter()
        .zip(&trial.objectives)
        .map(|(goal, value)| format!("{} {}", goal.name, significant_digits(*value)));
    truncate(&format!("{}: {}", trial.id, objectives.collect::<Vec<_>>().join(", ")), 120)
}

/// Each objective against each other.
fn write_scatter_plots(out: &mut Html, drawn: &Drawn<'_>) {
    let goals = &drawn.trials.goals;
    out.write_static("<div class=\"cards wide\">\n");
    for (x_index, x_goal) in drawn.goals() {
        for (y_index, y_goal) in drawn.goals().skip(x_index + 1) {
            let (x, y) = (drawn.axis((x_index, x_goal)), drawn.axis((y_index, y_goal)));
            let plot = Plot { x: &x, y: &y, size: LARGE_PLOT };
            let title = format!("Trials by {} and {}", truncate(&x_goal.name, 40), truncate(&y_goal.name, 40));
            let description = format!(
                "{} on the Pareto front; the table has their numbers.",
                grouped_count(drawn.front.len() as u64, "trial")
            );
            plot.open(out, &format!("trials-{x_index}-{y_index}"), &title, &description);
            if goals.len() == 2 {
                let steps: Vec<(f64, f64)> =
                    drawn.front.iter().map(|trial| (trial.objectives[0], trial.objectives[1])).collect();
                plot.stairs(out, "average", &steps);
            }
            for (trial, is_front) in drawn.points(MAX_POINTS) {
                let at = plot.position((trial.objectives[x_index], trial.objectives[y_index]));
                point(out, at, is_front, Some(&point_title(trial, goals)));
                if is_front && drawn.front.len() <= MAX_NAMED_POINTS {
                    // To the left of a point that is far to the right.
                    let (x, anchor) =
                        if at.0 > LARGE_PLOT.0 * 0.8 { (at.0 - 10.0, "end") } else { (at.0 + 10.0, "start") };
                    let (y, id) = (at.1 - 5.0, truncate(&trial.id, 12));
                    write_escaped!(
                        out,
                        "<text x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>",
                        px(x),
                        px(y),
                        anchor,
                        id
                    );
                }
            }
            Plot::close(out);
        }
    }
    out.write_static("</div>\n");
    if goals.len() > MAX_GOALS {
        write_escaped!(
            out,
            "<p class=\"note\">{} more objectives are in the table alone.</p>\n",
            goals.len() - MAX_GOALS
        );
    }
}

/// The trials on the Pareto front; the best ones, where there is one objective.
fn write_table(out: &mut Html, drawn: &Drawn<'_>) {
    let Drawn { trials, front, reference, .. } = drawn;
    let has_one = trials.goals.len() == 1;
    let mut best: Vec<&Trial> = trials.complete().collect();
    let rows: &[&Trial] = if has_one {
        trials.sort(&mut best);
        best.truncate(10);
        &best
    } else {
        front
    };
    let volume = trials.hypervolume(front.iter().copied(), reference);
    if let (Some(volume), false) = (volume, has_one) {
        let point: Vec<String> = reference.iter().map(|value| significant_digits(*value)).collect();
        write_escaped!(
            out,
            "<p>Hypervolume {}, up to the reference point ({}), which is a tenth of the spread beyond the worst of each objective.</p>\n",
            significant_digits(volume),
            point.join(", ")
        );
    }
    let rows = &rows[..rows.len().min(MAX_ROWS)];
    let names = Trials::differing(rows);
    let shown = &names[..names.len().min(MAX_VALUE_COLUMNS)];
    let mut head: Vec<(String, bool)> = vec![(String::new(), false), ("item".to_owned(), false)];
    head.extend(trials.goals.iter().map(|goal| (named(goal), true)));
    head.extend(shown.iter().map(|name| (truncate(name, 40), true)));
    let head: Vec<(&str, bool)> = head.iter().map(|(name, numeric)| (name.as_str(), *numeric)).collect();
    open_table(out, if has_one { "The best trials" } else { "Trials on the Pareto front" }, &head);
    let on_front: std::collections::BTreeSet<u64> = front.iter().map(|trial| trial.item).collect();
    for trial in rows {
        out.write_static("<tr><td><svg width=\"16\" height=\"16\" aria-hidden=\"true\">");
        point(out, (8.0, 8.0), on_front.contains(&trial.item), None);
        write_escaped!(out, "</svg></td><th scope=\"row\">{}</th>", truncate(&trial.id, 40));
        trial.objectives.iter().for_each(|value| number_cell(out, &significant_digits(*value)));
        for name in shown {
            number_cell(out, &trial.values.get(name).map_or_else(|| "-".to_owned(), value_in_words));
        }
        out.write_static("</tr>\n");
    }
    close_table(out);
    if !has_one && front.len() > rows.len() {
        write_escaped!(
            out,
            "<p class=\"note\">And {} on the Pareto front.</p>\n",
            grouped_count((front.len() - rows.len()) as u64, "more trial")
        );
    }
    if names.len() > shown.len() {
        write_escaped!(
            out,
            "<p class=\"note\">{} more values differ; <code>jackfield front</code> has them all.</p>\n",
            names.len() - shown.len()
        );
    }
}

/// A picked value as a cell has it.
fn value_in_words(value: &Value) -> String {
    match (value.as_f64(), value.as_str()) {
        (Some(number), _) => significant_digits(number),
        (None, Some(text)) => truncate(text, 40),
        (None, None) => truncate(&value.to_string(), 40),
    }
}

/// Each objective by the number of the trial, with the best so far; the hypervolume so far, of two objectives.
fn write_over_time(out: &mut Html, drawn: &Drawn<'_>) {
    let trials = drawn.trials;
    let last = trials.done.last().map_or(1.0, |trial| trial.item as f64);
    let x = Axis::of("trial", [0.0, last].into_iter());
    out.write_static("<h3>Over the trials</h3>\n<div class=\"cards wide\">\n");
    for (index, goal) in drawn.goals() {
        let y = drawn.axis((index, goal));
        let plot = Plot { x: &x, y: &y, size: WIDE_PLOT };
        let title = format!("{} by trial", truncate(&goal.name, 40));
        let mut best: Option<f64> = None;
        let mut line: Vec<(f64, f64)> = Vec::new();
        for trial in trials.complete() {
            let value = trial.objectives[index];
            let is_better = best.is_none_or(|best| if goal.minimize { value < best } else { value > best });
            if is_better {
                best = Some(value);
                line.push((trial.item as f64, value));
            }
        }
        let found = line.last().copied();
        line.extend(found.map(|(_, value)| (last, value)));
        let description = found.map_or_else(String::new, |(trial, value)| {
            format!("The line is the best so far: {} in the end, from trial {trial} on.", significant_digits(value))
        });
        plot.open(out, &format!("time-{index}"), &title, &description);
        for (trial, is_front) in drawn.points(MAX_POINTS / 2) {
            let at = plot.position((trial.item as f64, trial.objectives[index]));
            point(out, at, is_front, Some(&point_title(trial, &trials.goals)));
        }
        plot.stairs(out, "reward", &line);
        Plot::close(out);
    }
    if trials.goals.len() == 2 {
        write_hypervolume(out, drawn, (&x, last));
    }
    out.write_static("</div>\n");
}

/// The hypervolume of all trials so far.
fn write_hypervolume(out: &mut Html, drawn: &Drawn<'_>, (x, last): (&Axis, f64)) {
    let trials = drawn.trials;
    let mut front: Vec<&Trial> = Vec::new();
    let mut line: Vec<(f64, f64)> = Vec::new();
    for trial in trials.complete() {
        if !add_unless_beaten(&mut front, trial, |a, b| weakly_dominates(&trials.losses(a), &trials.losses(b))) {
            continue;
        }
        let Some(volume) = trials.hypervolume(front.iter().copied(), &drawn.reference) else { return };
        line.push((trial.item as f64, volume));
    }
    let end = line.last().map_or(0.0, |(_, volume)| *volume);
    line.push((last, end));
    let y = Axis::of("hypervolume ↑", line.iter().map(|(_, volume)| *volume).chain([0.0]));
    let plot = Plot { x, y: &y, size: WIDE_PLOT };
    plot.open(out, "time-volume", "Hypervolume by trial", &format!("It is {} in the end.", significant_digits(end)));
    plot.stairs(out, "reward", &line);
    Plot::close(out);
}

/// Each value against each objective.
fn write_values(out: &mut Html, drawn: &Drawn<'_>, space: &[Dimension]) {
    let complete: Vec<&Trial> = drawn.trials.complete().collect();
    let differing = Trials::differing(&complete);
    if differing.is_empty() {
        return;
    }
    // In the order of the space, as far as it is known.
    let index = |name: &String| space.iter().position(|dimension| dimension.name == *name).unwrap_or(space.len());
    let mut names = differing;
    names.sort_by_key(index);
    write_escaped!(out, "<h3>Values and what came of them</h3>\n<div class=\"cards\">\n");
    for (at, name) in names.iter().enumerate().take(MAX_VALUES) {
        let dimension = space.iter().find(|dimension| dimension.name == *name);
        let scale = Scale::of(name, dimension, &complete);
        for (index, goal) in drawn.goals() {
            let y = drawn.axis((index, goal));
            let plot = Plot { x: &scale.axis, y: &y, size: SMALL_PLOT };
            let title = format!("{} by {}", truncate(&goal.name, 40), truncate(name, 40));
            plot.open(out, &format!("value-{at}-{index}"), &title, "A point is a trial.");
            for (trial, is_front) in drawn.points(MAX_SMALL_POINTS) {
                if let Some(along) = trial.values.get(name).and_then(|value| scale.number(value)) {
                    point(out, plot.position((along, trial.objectives[index])), is_front, None);
                }
            }
            Plot::close(out);
        }
    }
    out.write_static("</div>\n");
    if names.len() > MAX_VALUES {
        write_escaped!(
            out,
            "<p class=\"note\">And {} that differ.</p>\n",
            grouped_count((names.len() - MAX_VALUES) as u64, "more value")
        );
    }
}

/// The axis of a value that is picked: of numbers, or of what there is to choose from.
struct Scale {
    axis: Axis,
    choices: Vec<Value>,
}

impl Scale {
    fn of(name: &str, dimension: Option<&Dimension>, trials: &[&Trial]) -> Self {
        let values = || trials.iter().filter_map(|trial| trial.values.get(name));
        let listed = dimension.map(|dimension| dimension.choices.clone()).unwrap_or_default();
        if listed.is_empty() && values().all(Value::is_number) {
            let ends = dimension.iter().flat_map(|dimension| [dimension.min, dimension.max]).flatten();
            let numbers: Vec<f64> = values().filter_map(Value::as_f64).chain(ends).collect();
            let is_log = dimension.is_some_and(|dimension| dimension.log);
            let axis = Axis::of(truncate(name, 44), numbers.into_iter()).logarithmic(is_log);
            return Self { axis, choices: Vec::new() };
        }
        let mut choices = listed;
        for value in values() {
            if !choices.contains(value) {
                choices.push(value.clone());
            }
        }
        let axis = Axis::named(truncate(name, 44), choices.iter().map(value_in_words).collect());
        Self { axis, choices }
    }

    fn number(&self, value: &Value) -> Option<f64> {
        if self.choices.is_empty() {
            return value.as_f64();
        }
        self.choices.iter().position(|choice| choice == value).map(|index| index as f64)
    }
}
