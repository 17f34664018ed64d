//! Checks which values a searched key may have.

use jackfield_plugin_api::Dimension;
use serde_json::Value;

use super::domain::is_same;
use crate::{
    check::checker::Checker,
    diagnostics::{Diagnostic, Span},
    parsed::{ParsedDimension, number},
};

impl Checker<'_> {
    /// What a key may be; none if it is neither a range nor a list, which is reported.
    pub(crate) fn check_dimension(&mut self, parsed: &ParsedDimension) -> Option<Dimension> {
        if parsed.is_malformed() {
            return None;
        }
        let name = &parsed.name.raw;
        let before = self.diagnostics.len();
        let choices: Option<Vec<Value>> =
            parsed.choices.as_ref().map(|list| list.iter().map(|node| node.to_json(&mut self.diagnostics)).collect());
        if self.diagnostics.len() > before {
            return None;
        }
        let diagnostic = |span: Span, message: String| Diagnostic::at("bad-search", span, message);
        let ranged = parsed.min.is_some() || parsed.max.is_some();
        let mut diagnostics = Vec::new();
        match (&parsed.choices, ranged) {
            (Some(_), true) => {
                let message = format!("`{name}` has both a range and choices");
                diagnostics.push(diagnostic(parsed.node.span, message).hint("keep one of them".to_owned()));
            }
            (None, false) => {
                let message = format!("`{name}` has neither a range nor choices");
                let hint = "write `{ min = 0.0, max = 1.0 }`, or a list of values";
                diagnostics.push(diagnostic(parsed.node.span, message).hint(hint.to_owned()));
            }
            (Some(list), false) if list.is_empty() => {
                let message = format!("`{name}` has no value to choose from");
                diagnostics
                    .push(diagnostic(parsed.node.span, message).hint(format!("such as `\"{name}\" = [0.95, 1.0]`")));
            }
            (Some(list), false) => {
                let values = choices.as_deref().unwrap_or_default();
                for (at, value) in values.iter().enumerate() {
                    if let Some(first) = values[..at].iter().position(|earlier| is_same(earlier, value)) {
                        let diagnostic =
                            Diagnostic::at("duplicate-name", list[at].span, format!("`{name}` has a choice twice"));
                        diagnostics.push(diagnostic.related(list[first].span, "the first one"));
                    }
                }
                if parsed.log || parsed.step.is_some() || parsed.integer {
                    let message = format!("`{name}` has choices, and `log`, `step` and `integer` are for ranges");
                    diagnostics.push(diagnostic(parsed.node.span, message).hint("leave them out".to_owned()));
                }
            }
            (None, true) => diagnostics = range_diagnostics(parsed),
        }
        let dimension = Dimension {
            name: name.clone(),
            min: parsed.min.as_ref().and_then(number),
            max: parsed.max.as_ref().and_then(number),
            log: parsed.log,
            step: parsed.step.as_ref().and_then(number),
            integer: parsed.integer,
            choices: choices.unwrap_or_default(),
            when: None,
        };
        // The rules of the contract cover everything else.
        if diagnostics.is_empty()
            && let Err(failure) = dimension.domain()
        {
            diagnostics.push(diagnostic(parsed.node.span, failure.message().replace("` of the space: ", "` ")));
        }
        let is_fine = diagnostics.is_empty();
        self.diagnostics.extend(diagnostics);
        is_fine.then_some(dimension)
    }
}

/// What is wrong with a range.
fn range_diagnostics(parsed: &ParsedDimension) -> Vec<Diagnostic> {
    let name = &parsed.name.raw;
    let diagnostic = |span: Span, message: String| Diagnostic::at("bad-search", span, message);
    let (Some(least), Some(greatest)) = (&parsed.min, &parsed.max) else {
        let missing = if parsed.min.is_none() { "min" } else { "max" };
        let message = format!("the range of `{name}` has no `{missing}`");
        return vec![diagnostic(parsed.node.span, message).hint(format!("add `{missing} = ...`"))];
    };
    let ends = number(least).zip(number(greatest));
    let Some((min, max)) = ends else { return Vec::new() };
    let mut diagnostics = Vec::new();
    if min > max {
        let message = format!("the range of `{name}` is empty: {min} is more than {max}");
        diagnostics.push(diagnostic(least.span, message).hint("`min` is the lesser end".to_owned()));
    }
    if parsed.log && min <= 0.0 {
        let message = format!("the range of `{name}` begins at {min}, which has no logarithm");
        diagnostics
            .push(diagnostic(least.span, message).hint("with `log`, `min` is above 0; or leave `log` out".to_owned()));
    }
    if let Some(step) = &parsed.step {
        if number(step).is_some_and(|step| step <= 0.0) {
            let diagnostic = diagnostic(step.span, format!("the step of `{name}` is not above 0"));
            diagnostics.push(diagnostic.hint("leave `step` out for any value of the range".to_owned()));
        } else if parsed.log {
            let message = format!("`{name}` has both `log` and `step`");
            diagnostics.push(diagnostic(step.span, message).hint("keep one of them".to_owned()));
        }
    }
    if parsed.integer {
        for (what, node) in [("min", Some(least)), ("max", Some(greatest)), ("step", parsed.step.as_ref())] {
            if let Some(node) = node.filter(|node| number(node).is_some_and(|number| number.fract() != 0.0)) {
                let message = format!("`{name}` takes integers, but its `{what}` is not an integer");
                diagnostics.push(diagnostic(node.span, message).hint("round it, or leave `integer` out".to_owned()));
            }
        }
    }
    diagnostics
}
