//! Numbers, durations and sizes.

use super::{ShapeCheck, value::WrongText};
use crate::{
    diagnostics::{Diagnostic, Span},
    syntax::{
        tree::{Key, Node},
        values,
    },
};

impl ShapeCheck<'_> {
    /// Checks an integer against its bounds, both included.
    pub(crate) fn range(&mut self, key: &Key, span: Span, value: i128, min: u64, max: u64) {
        if value < i128::from(min) || value > i128::from(max) {
            let bounds = match (min, max) {
                (min, max) if max >= u64::from(u32::MAX) && value < i128::from(min) => {
                    format!("expected at least {min}")
                }
                (min, max) => format!("expected {min} to {max}"),
            };
            self.out_of_range(key, span, &bounds);
        }
    }

    /// A number of at least 0, and no more than an integer: sums, and products with counts, stay finite, and JSON holds
    /// nothing else.
    pub(crate) fn float(&mut self, key: &Key, node: &Node, value: f64) {
        self.range(key, node.span, if value >= 0.0 { value as i128 } else { -1 }, 0, u64::MAX);
    }

    /// An integer of either sign that a 64-bit float holds exactly.
    pub(crate) fn real_integer(&mut self, key: &Key, node: &Node, value: i128) {
        if value.unsigned_abs() > 1 << 53 {
            self.out_of_range(key, node.span, "expected -2^53 to 2^53");
        }
    }

    /// A float of either sign.
    pub(crate) fn real_float(&mut self, key: &Key, node: &Node, value: f64) {
        if !value.is_finite() {
            self.out_of_range(key, node.span, "expected a finite number");
        }
    }

    fn out_of_range(&mut self, key: &Key, span: Span, bounds: &str) {
        let message = format!("`{}` is out of range", key.text);
        self.diagnostics.push(Diagnostic::at("out-of-range", span, message).label(bounds));
    }

    pub(crate) fn duration(&mut self, key: &Key, node: &Node, text: &str) {
        if let Err(why) = values::duration(text) {
            let hint = "durations are written like `200ms`, `30s`, `1h 30m`";
            self.bad_text(key, node, WrongText { expected: "a duration", why: &why, hint });
        }
    }

    pub(crate) fn size(&mut self, key: &Key, node: &Node, text: &str) {
        if let Err(why) = values::size(text) {
            let hint = "sizes are written like `256MiB`, `10MB` or, in bytes, `4096`";
            self.bad_text(key, node, WrongText { expected: "a size", why: &why, hint });
        }
    }
}
