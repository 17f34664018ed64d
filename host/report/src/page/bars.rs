//! Small bars within text and tables.

use super::super::{
    html::{Html, write_escaped},
    units::px,
};

/// A bar of a share from 0 to 1.
pub(super) fn share_bar(out: &mut Html, share: f64, width: f64) {
    write_escaped!(out, "<svg class=\"bar\" width=\"{}\" height=\"10\" aria-hidden=\"true\">", px(width));
    write_escaped!(out, "<rect class=\"track\" width=\"{}\" height=\"10\" rx=\"2\"/>", px(width));
    let filled = if share > 0.0 { (share.min(1.0) * width).max(1.5) } else { 0.0 };
    write_escaped!(out, "<rect class=\"fill\" width=\"{}\" height=\"10\" rx=\"2\"/></svg>", px(filled));
}

/// A mean with its interval on an axis from `from` to `to`.
pub(super) fn interval(out: &mut Html, (from, to): (f64, f64), (low, mean, high): (f64, f64, f64), width: f64) {
    let span = if to > from { to - from } else { 1.0 };
    let x = |value: f64| 6.0 + ((value - from) / span).clamp(0.0, 1.0) * (width - 12.0);
    write_escaped!(out, "<svg class=\"interval\" width=\"{}\" height=\"16\" aria-hidden=\"true\">", px(width));
    write_escaped!(out, "<path class=\"axis\" d=\"M6 8H{}\"/>", px(width - 6.0));
    write_escaped!(
        out,
        "<path class=\"whisker\" d=\"M{} 8H{}M{} 4v8M{} 4v8\"/>",
        px(x(low)),
        px(x(high)),
        px(x(low)),
        px(x(high))
    );
    write_escaped!(out, "<circle class=\"mean\" cx=\"{}\" cy=\"8\" r=\"4\"/></svg>", px(x(mean)));
}
