//! The Pareto front of a route's arms, drawn by up to three of its objectives.

use jackfield_pipeline::RoutePlan;

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        learned::Context,
        pareto_front::{Measure, pareto_front_of_arms},
        text::truncate,
        units::{grouped_count, px, short_number, with_commas},
    },
    close_table,
    marks::point,
    number_cell, open_table,
};

/// The most contexts that are drawn, and the most arms.
const MAX_CONTEXTS: usize = 6;
const MAX_ARMS: usize = 40;
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 400.0;
/// Half the cube's edge.
const HALF_EDGE: f64 = 112.0;
const CENTRE: (f64, f64) = (230.0, 195.0);
/// How the cube is turned in the beginning: about the upright axis, and towards the reader, in radians. The script begins
/// with the same.
const INITIAL_TURN: (f64, f64) = (0.5, 0.36);

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let mut out = Html::new();
    let mut is_first = true;
    for learned in &stats.routes {
        let Some(stage) = stats.run.plan.stages.get(learned.stage) else { continue };
        let Some(route) = stage.route.as_ref().filter(|route| route.objectives.len() > 1) else { continue };
        if is_first {
            out.write_static("<p>Means of the objectives by arm. An arm is on the Pareto front when no other is at least as good in everything and better in something: ");
            out.write_static("a filled diamond. A hollow circle is beaten. The star is the ideal, the best of every objective at once. ");
            out.write_static("<span class=\"with-script\">Drag to turn, or use the arrow keys.</span></p>\n");
            is_first = false;
        }
        write_escaped!(out, "<h3><b class=\"no\">{}</b> {}</h3>\n", learned.stage + 1, truncate(&stage.name, 60));
        let mut contexts: Vec<(&String, &Context)> = learned.contexts.iter().collect();
        contexts.sort_by_key(|(_, context)| std::cmp::Reverse(context.outcomes));
        if contexts.is_empty() {
            out.write_static("<p>No item that was routed is done.</p>\n");
        }
        for (index, (name, context)) in contexts.iter().enumerate().take(MAX_CONTEXTS) {
            let id = format!("front-{}-{index}", learned.stage);
            write_context(&mut out, &id, name, context, route);
        }
        if contexts.len() > MAX_CONTEXTS {
            write_escaped!(
                out,
                "<p class=\"note\">And {}.</p>\n",
                grouped_count((contexts.len() - MAX_CONTEXTS) as u64, "more context")
            );
        }
    }
    (!is_first).then_some(out)
}

fn write_context(out: &mut Html, id: &str, name: &str, context: &Context, route: &RoutePlan) {
    let arms = route.arms.len().min(MAX_ARMS);
    let weighed = |measure: &Measure| weight(route, &measure.name).is_none_or(|weight| weight > 0.0);
    // Objectives without a weight in the preference do not count for the policy either.
    let (judged, rest): (Vec<Measure>, Vec<Measure>) = measures(context, route).into_iter().partition(weighed);
    let front = pareto_front_of_arms(&judged, route.arms.len());
    let all: Vec<Measure> = judged.into_iter().chain(rest).collect();
    if !name.is_empty() {
        write_escaped!(
            out,
            "<h4>{} <span class=\"note\">{}</span></h4>\n",
            truncate(name, 60),
            grouped_count(context.outcomes, "item")
        );
    }
    out.write_static("<div class=\"front\">\n");
    let axes: Vec<&Measure> = axes(&all);
    if axes.len() >= 2 {
        write_cube(out, id, &axes, (&front, arms));
    }
    out.write_static("<div class=\"beside\">\n");
    let mut head: Vec<(String, bool)> = vec![(String::new(), false), ("arm".to_owned(), false)];
    for measure in &all {
        head.push((format!("{} {}", truncate(&measure.name, 30), if measure.minimize { "↓" } else { "↑" }), true));
    }
    head.extend([("used".to_owned(), true), ("on the Pareto front".to_owned(), false)]);
    let head: Vec<(&str, bool)> = head.iter().map(|(name, numeric)| (name.as_str(), *numeric)).collect();
    open_table(out, "Objectives by arm", &head);
    for (index, arm) in route.arms.iter().enumerate().take(arms) {
        out.write_static("<tr><td><svg width=\"20\" height=\"18\" aria-hidden=\"true\">");
        point(out, (10.0, 9.0), front[index], None);
        write_escaped!(
            out,
            "</svg> <b class=\"no\">{}</b></td><th scope=\"row\">{}</th>",
            arm_letter(index),
            truncate(&arm.arm.name, 60)
        );
        for measure in &all {
            number_cell(out, &measure.values[index].map_or_else(|| "-".to_owned(), short_number));
        }
        number_cell(out, &with_commas(context.arms.get(index).map_or(0, |arm| arm.used)));
        write_escaped!(out, "<td>{}</td></tr>\n", if front[index] { "yes" } else { "no" });
    }
    close_table(out);
    out.write_static("<p class=\"note\">↓ less is better, ↑ more is better.");
    let weights: Vec<String> = all
        .iter()
        .filter_map(|measure| {
            Some(format!("{} {}", truncate(&measure.name, 30), short_number(weight(route, &measure.name)?)))
        })
        .collect();
    if !weights.is_empty() {
        write_escaped!(out, " Preference: {}.", weights.join(", "));
    }
    if route.arms.len() > MAX_ARMS {
        write_escaped!(out, " {} more arms are in the record.", route.arms.len() - MAX_ARMS);
    }
    out.write_static("</p></div></div>\n");
}

/// The weight of an objective in the preference of the policy, if there is a preference.
fn weight(route: &RoutePlan, objective: &str) -> Option<f64> {
    let preference = route.config.get("preference")?.as_object()?;
    Some(preference.get(objective).and_then(serde_json::Value::as_f64).unwrap_or_default())
}

/// The objectives, those that count most first.
fn measures(context: &Context, route: &RoutePlan) -> Vec<Measure> {
    let mut measures: Vec<Measure> = route
        .objectives
        .iter()
        .map(|objective| Measure {
            name: objective.name.clone(),
            minimize: objective.minimize,
            values: context.objective(&objective.name),
        })
        .collect();
    let weight = |measure: &Measure| weight(route, &measure.name).unwrap_or_default();
    measures.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    measures
}

/// The three that are drawn. The upright one is the first that is better for being more; cost goes to the right.
fn axes(measures: &[Measure]) -> Vec<&Measure> {
    let mut axes: Vec<&Measure> = measures.iter().take(3).collect();
    if let Some(up) = axes.iter().position(|measure| !measure.minimize) {
        let up = axes.remove(up);
        axes.sort_by_key(|measure| !measure.minimize);
        axes.insert(1.min(axes.len()), up);
    }
    axes
}

/// The name of an arm's mark: a letter, because stages have numbers.
fn arm_letter(index: usize) -> String {
    let letter = |index: usize| char::from(b'A' + (index % 26) as u8);
    if index < 26 { letter(index).to_string() } else { format!("{}{}", letter(index / 26 - 1), letter(index)) }
}

type Point = [f64; 3];

/// Where a point of the cube from -1 to 1 appears in the drawing, and how near it is: the upright axis is the second.
fn project([x, y, z]: Point) -> (f64, f64, f64) {
    let (turn, tilt) = INITIAL_TURN;
    let (along, away) = (x * turn.cos() + z * turn.sin(), z * turn.cos() - x * turn.sin());
    let (up, near) = (y * tilt.cos() + away * tilt.sin(), away * tilt.cos() - y * tilt.sin());
    (CENTRE.0 + HALF_EDGE * along, CENTRE.1 - HALF_EDGE * up, -near)
}

/// The coordinates of a point, for the script.
fn coordinates(point: Point) -> String {
    let [x, y, z] = point.map(|part| format!("{part:.4}"));
    format!("{x},{y},{z}")
}

fn write_edge(out: &mut Html, class: &str, from: Point, to: Point) {
    let ((x0, y0, _), (x1, y1, _)) = (project(from), project(to));
    write_escaped!(
        out,
        "<line class=\"{}\" data-from=\"{}\" data-to=\"{}\" ",
        class,
        coordinates(from),
        coordinates(to)
    );
    write_escaped!(out, "x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>", px(x0), px(y0), px(x1), px(y1));
}

fn open_group_at(out: &mut Html, class: &str, point: Point) {
    let (x, y, _) = project(point);
    write_escaped!(
        out,
        "<g class=\"{}\" data-at=\"{}\" transform=\"translate({} {})\">",
        class,
        coordinates(point),
        px(x),
        px(y)
    );
}

fn write_cube(out: &mut Html, id: &str, axes: &[&Measure], (front, arms): (&[bool], usize)) {
    let ranges: Vec<(f64, f64)> = axes.iter().map(|measure| range(&measure.values[..arms])).collect();
    let position = |arm: usize| -> Option<Point> {
        let mut point = [0.0; 3];
        for ((part, measure), (low, span)) in point.iter_mut().zip(axes).zip(&ranges) {
            *part = (measure.values[arm]? - low) / span * 2.0 - 1.0;
        }
        // Two objectives lie in the plane that is in front.
        if axes.len() == 2 {
            point[2] = -1.0;
        }
        Some(point)
    };
    let names: Vec<String> = axes.iter().map(|measure| truncate(&measure.name, 30)).collect();
    out.write_static("<figure class=\"cube\" data-cube>");
    write_escaped!(
        out,
        "<svg viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\" ",
        px(WIDTH),
        px(HEIGHT),
        px(WIDTH),
        px(HEIGHT)
    );
    write_escaped!(
        out,
        "aria-labelledby=\"{}-t {}-d\"><title id=\"{}-t\">Arms by {}</title>",
        id,
        id,
        id,
        names.join(", ")
    );
    write_escaped!(out, "<desc id=\"{}-d\">The table beside it has the numbers. On the Pareto front: ", id);
    let on: Vec<String> = (0..arms).filter(|arm| front[*arm]).map(arm_letter).collect();
    write_escaped!(out, "{}.</desc>\n", if on.is_empty() { "none".to_owned() } else { on.join(", ") });
    out.write_static("<g class=\"floor\">");
    for step in 0..=4 {
        let along = f64::from(step) * 0.5 - 1.0;
        write_edge(out, "mesh", [along, -1.0, -1.0], [along, -1.0, 1.0]);
        write_edge(out, "mesh", [-1.0, -1.0, along], [1.0, -1.0, along]);
    }
    out.write_static("</g>\n");
    let corner = [-1.0; 3];
    let ends = [[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]];
    for end in ends.iter().take(axes.len()) {
        write_edge(out, "axis", corner, *end);
    }
    for (index, ((measure, name), (low, span))) in axes.iter().zip(&names).zip(&ranges).enumerate() {
        let mut beyond = ends[index];
        beyond[index] = 1.16;
        open_group_at(out, "axis-name", beyond);
        write_escaped!(
            out,
            "<text text-anchor=\"middle\"><tspan class=\"name\">{} {}</tspan>",
            truncate(name, 16),
            if measure.minimize { "↓" } else { "↑" }
        );
        write_escaped!(
            out,
            "<tspan x=\"0\" dy=\"14\">{} to {}</tspan></text></g>\n",
            short_number(*low),
            short_number(low + span)
        );
    }
    let mut ideal = [0.0; 3];
    for (part, measure) in ideal.iter_mut().zip(axes) {
        *part = if measure.minimize { -1.0 } else { 1.0 };
    }
    if axes.len() == 2 {
        ideal[2] = -1.0;
    }
    out.write_static("<g class=\"points\">");
    open_group_at(out, "ideal", ideal);
    out.write_static("<path d=\"M0-9L2.6-2.9L9-2.6L4 1.6L5.6 8L0 4.4L-5.6 8L-4 1.6L-9-2.6L-2.6-2.9z\"/><text x=\"12\" y=\"4\">ideal</text></g>\n");
    let mut points: Vec<(usize, Point)> = (0..arms).filter_map(|arm| Some((arm, position(arm)?))).collect();
    points.sort_by(|a, b| project(a.1).2.total_cmp(&project(b.1).2));
    for (arm, point_at) in points {
        let [x, _, z] = point_at;
        write_edge(out, "stem", point_at, [x, -1.0, z]);
        open_group_at(out, "point", point_at);
        point(out, (0.0, 0.0), front[arm], None);
        write_escaped!(out, "<text x=\"10\" y=\"-6\">{}</text></g>\n", arm_letter(arm));
    }
    out.write_static("</g></svg>\n</figure>\n");
}

/// The lower end and the length of an axis for these values.
fn range(values: &[Option<f64>]) -> (f64, f64) {
    let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    match (low, high - low) {
        (low, _) if !low.is_finite() => (0.0, 1.0),
        (low, span) if span > 0.0 && span.is_finite() => (low, span),
        // All the same: in the middle.
        (low, _) => (low - 0.5, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_have_names_of_their_own() {
        let names: std::collections::BTreeSet<String> = (0..MAX_ARMS).map(arm_letter).collect();
        assert_eq!(names.len(), MAX_ARMS);
        assert_eq!((arm_letter(0), arm_letter(25), arm_letter(26)), ("A".to_owned(), "Z".to_owned(), "AA".to_owned()));
    }

    #[test]
    fn a_turned_cube_keeps_its_lengths() {
        let far = |a: Point, b: Point| {
            let ((ax, ay, an), (bx, by, bn)) = (project(a), project(b));
            ((ax - bx).powi(2) + (ay - by).powi(2) + ((an - bn) * HALF_EDGE).powi(2)).sqrt()
        };
        for (a, b) in [
            ([1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]),
            ([0.0, 1.0, 0.0], [0.0, -1.0, 0.0]),
            ([0.0, 0.0, 1.0], [0.0, 0.0, -1.0]),
        ] {
            assert!((far(a, b) - 2.0 * HALF_EDGE).abs() < 1e-9);
        }
    }
}
