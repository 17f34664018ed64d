//! Marks and line styles that differ in more than their colour.

use super::super::html::{Html, write_escaped};
use super::super::units::px;

/// How many series differ in shape and line style at a time.
pub(super) const SERIES: usize = 8;

/// Patterns that all drawings share.
pub(super) fn shared() -> Html {
    let mut out = Html::new();
    out.write_static(
        "<svg width=\"0\" height=\"0\" class=\"defs\" aria-hidden=\"true\" focusable=\"false\"><defs>\
         <pattern id=\"p-part\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"6\" height=\"6\" class=\"p-ground\"/><rect width=\"2.6\" height=\"6\" class=\"p-part\"/></pattern>\
         <pattern id=\"p-fail\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
         <rect width=\"5\" height=\"5\" class=\"p-ground\"/><path d=\"M0 0L5 5M5 0L0 5\" class=\"p-fail\"/></pattern>\
         <pattern id=\"p-open\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
         <rect width=\"5\" height=\"5\" class=\"p-ground\"/><circle cx=\"2.5\" cy=\"2.5\" r=\"1\" class=\"p-open\"/></pattern>\
         </defs></svg>\n",
    );
    out
}

/// The mark of a series at a point: each series has its own shape.
pub(super) fn mark(out: &mut Html, series: usize, (x, y): (f64, f64)) {
    let d = match series % SERIES {
        0 => "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
        1 => "M-3.7-3.7h7.4v7.4h-7.4z",
        2 => "M0-4.8L4.5 3.4h-9z",
        3 => "M0-5L5 0L0 5L-5 0z",
        4 => "M-4-4L4 4M4-4L-4 4",
        5 => "M0-5V5M-5 0H5",
        6 => "M0 4.8L4.5-3.4h-9z",
        _ => "M-5-1.6h10v3.2h-10z",
    };
    write_escaped!(
        out,
        "<path class=\"mark s{}\" transform=\"translate({} {})\" d=\"{}\"/>",
        series % SERIES,
        px(x),
        px(y),
        d
    );
}

/// A point: a filled diamond if it is on the Pareto front, a hollow circle if another dominates it.
pub(super) fn point(out: &mut Html, (x, y): (f64, f64), is_front: bool, title: Option<&str>) {
    write_escaped!(out, "<g transform=\"translate({} {})\">", px(x), px(y));
    out.write_static(if is_front {
        "<path class=\"on-front\" d=\"M0-7L7 0L0 7L-7 0z\"/>"
    } else {
        "<circle class=\"beaten\" r=\"3.6\"/>"
    });
    if let Some(title) = title {
        write_escaped!(out, "<title>{}</title>", title);
    }
    out.write_static("</g>");
}

/// A failure: a cross.
pub(super) fn cross(out: &mut Html, (x, y): (f64, f64), title: &str) {
    write_escaped!(
        out,
        "<path class=\"cross\" transform=\"translate({} {})\" d=\"M-3.5-3.5l7 7M3.5-3.5l-7 7\">",
        px(x),
        px(y)
    );
    write_escaped!(out, "<title>{}</title></path>", title);
}

/// A legend's entry with a series' line and mark.
pub(super) fn key(out: &mut Html, series: usize) {
    out.write_static("<svg class=\"key\" width=\"34\" height=\"14\" aria-hidden=\"true\">");
    write_escaped!(out, "<path class=\"line s{}\" d=\"M1 7H33\"/>", series % SERIES);
    mark(out, series, (17.0, 7.0));
    out.write_static("</svg>");
}
