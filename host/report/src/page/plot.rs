//! Points and lines in a frame with two axes.

use super::super::{
    html::{Html, write_escaped},
    text::truncate,
    units::{px, short_number},
};

/// Room for the labels of the upright axis, and for those below.
const LEFT: f64 = 58.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 26.0;
const BELOW: f64 = 40.0;
/// Room within the frame, so that no point lies on it.
const INSET: f64 = 9.0;
/// The most names of an axis that have a label.
const LABELS: usize = 6;

/// An axis: its name, and the values at its ends.
pub(super) struct Axis {
    name: String,
    low: f64,
    high: f64,
    is_log: bool,
    /// The names at 0, 1, …, if the values are names and not numbers.
    names: Vec<String>,
}

impl Axis {
    /// An axis for these values. If all of them are equal, they are in the middle.
    pub(super) fn of(name: impl Into<String>, values: impl Iterator<Item = f64> + Clone) -> Self {
        let known = values.filter(|value| value.is_finite());
        let (low, high) = (known.clone().fold(f64::INFINITY, f64::min), known.fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = match (low <= high, high - low) {
            (false, _) => (0.0, 1.0),
            (true, span) if span > 0.0 && span.is_finite() => (low, high),
            (true, _) => (low - 0.5, low + 0.5),
        };
        Self { name: name.into(), low, high, is_log: false, names: Vec::new() }
    }

    /// An axis of names instead of numbers.
    pub(super) fn named(name: impl Into<String>, names: Vec<String>) -> Self {
        let high = names.len().max(1) as f64 - 0.5;
        Self { name: name.into(), low: -0.5, high, is_log: false, names }
    }

    /// The same axis on a logarithmic scale, if all its values are above 0.
    pub(super) fn logarithmic(mut self, is_log: bool) -> Self {
        self.is_log = is_log && self.low > 0.0;
        self
    }

    /// Where a value lies on the axis, from 0 to 1.
    fn along(&self, value: f64) -> f64 {
        let part = if self.is_log {
            (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.5 }
    }

    /// Where labels stand, from 0 to 1, and what they say.
    fn labels(&self) -> Vec<(f64, String)> {
        if self.names.is_empty() {
            let middle = if self.is_log { (self.low * self.high).sqrt() } else { f64::midpoint(self.low, self.high) };
            return [self.low, middle, self.high].map(|value| (self.along(value), short_number(value))).to_vec();
        }
        let every = self.names.len().div_ceil(LABELS);
        let named = self.names.iter().enumerate().step_by(every);
        named.map(|(index, name)| (self.along(index as f64), truncate(name, 12))).collect()
    }
}

/// A drawing with a frame and two axes.
pub(super) struct Plot<'a> {
    pub(super) x: &'a Axis,
    pub(super) y: &'a Axis,
    pub(super) size: (f64, f64),
}

impl Plot<'_> {
    /// Opens the drawing, as a figure; `title` and `description` describe it to a reader who does not see it.
    pub(super) fn open(&self, out: &mut Html, id: &str, title: &str, description: &str) {
        let (wide, high) = self.size;
        write_escaped!(out, "<figure class=\"card\"><svg width=\"{}\" height=\"{}\" ", px(wide), px(high));
        write_escaped!(
            out,
            "viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{}-t {}-d\">",
            px(wide),
            px(high),
            id,
            id
        );
        write_escaped!(
            out,
            "<title id=\"{}-t\">{}</title><desc id=\"{}-d\">{}</desc>\n<g class=\"grid\">",
            id,
            title,
            id,
            description
        );
        let (left, right, bottom) = (LEFT, wide - RIGHT, high - BELOW);
        for (part, label) in self.y.labels() {
            let y = self.y_of(part);
            write_escaped!(out, "<path d=\"M{} {}H{}\"/>", px(left), px(y), px(right));
            write_escaped!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                px(left - 6.0),
                px(y + 4.0),
                label
            );
        }
        let labels = self.x.labels();
        let last = labels.len().saturating_sub(1);
        for (index, (part, label)) in labels.into_iter().enumerate() {
            let x = self.x_of(part);
            // Those at the ends stay within the drawing.
            let anchor = match index {
                _ if !self.x.names.is_empty() => "middle",
                0 => "start",
                index if index == last => "end",
                _ => "middle",
            };
            write_escaped!(out, "<path d=\"M{} {}V{}\"/>", px(x), px(TOP), px(bottom));
            write_escaped!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>",
                px(x),
                px(bottom + 15.0),
                anchor,
                label
            );
        }
        out.write_static("</g>\n");
        write_escaped!(out, "<text class=\"part\" x=\"{}\" y=\"14\">{}</text>", px(6.0), truncate(&self.y.name, 44));
        write_escaped!(
            out,
            "<text class=\"part\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
            px(right),
            px(high - 6.0),
            truncate(&self.x.name, 44)
        );
    }

    /// Closes it.
    pub(super) fn close(out: &mut Html) {
        out.write_static("</svg></figure>\n");
    }

    fn x_of(&self, part: f64) -> f64 {
        LEFT + INSET + part * (self.size.0 - LEFT - RIGHT - 2.0 * INSET)
    }

    fn y_of(&self, part: f64) -> f64 {
        TOP + INSET + (1.0 - part) * (self.size.1 - TOP - BELOW - 2.0 * INSET)
    }

    /// Where a point lies in the drawing.
    pub(super) fn position(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x_of(self.x.along(x)), self.y_of(self.y.along(y)))
    }

    /// A line through points.
    pub(super) fn line(&self, out: &mut Html, class: &str, points: &[(f64, f64)]) {
        let places = points.iter().map(|point| self.position(*point));
        write_path(out, class, places);
    }

    /// A line that keeps its height until the next point.
    pub(super) fn stairs(&self, out: &mut Html, class: &str, points: &[(f64, f64)]) {
        let mut before: Option<f64> = None;
        let corners = points.iter().map(|point| self.position(*point)).flat_map(|(x, y)| {
            let corner = before.replace(y).filter(|before| (before - y).abs() > 0.05).map(|before| (x, before));
            corner.into_iter().chain([(x, y)])
        });
        write_path(out, class, corners);
    }
}

fn write_path(out: &mut Html, class: &str, places: impl Iterator<Item = (f64, f64)>) {
    write_escaped!(out, "<path class=\"{}\" d=\"", class);
    for (at, (x, y)) in places.enumerate() {
        write_escaped!(out, "{}{} {}", if at == 0 { "M" } else { "L" }, px(x), px(y));
    }
    out.write_static("\"/>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_on_their_axis_whatever_they_are() {
        let along = |axis: &Axis, values: [f64; 3]| values.map(|value| (axis.along(value) * 100.0).round() / 100.0);
        assert_eq!(along(&Axis::of("a", [2.0, 4.0].into_iter()), [2.0, 3.0, 9.0]), [0.0, 0.5, 1.0]);
        let powers = Axis::of("b", [0.01, 1.0].into_iter()).logarithmic(true);
        assert_eq!(along(&powers, [0.01, 0.1, -1.0]), [0.0, 0.5, 0.0]);
        assert_eq!(along(&Axis::of("c", [3.0, 3.0].into_iter()), [3.0, f64::NAN, f64::INFINITY]), [0.5, 0.5, 0.5]);
        assert_eq!(along(&Axis::of("d", [f64::NAN].into_iter()), [0.0, 0.5, 1.0]), [0.0, 0.5, 1.0]);
        // A logarithm of what is not above 0 is none.
        assert_eq!(along(&Axis::of("e", [0.0, 1.0].into_iter()).logarithmic(true), [0.0, 0.5, 1.0]), [0.0, 0.5, 1.0]);
        let named = Axis::named("f", ["x", "y"].map(str::to_owned).to_vec());
        assert_eq!(along(&named, [0.0, 1.0, 0.5]), [0.25, 0.75, 0.5]);
        assert_eq!(Axis::named("g", (0..100).map(|name| name.to_string()).collect()).labels().len(), 6);
    }
}
