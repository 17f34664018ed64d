//! What values a searched key may have.

use jackfield_plugin_api::Dimension;
use serde_json::Value;

use super::domain::is_same;
use crate::{
    check::checker::Checker,
    diagnostics::{Fault, Span},
    draft::{DimensionDraft, number},
};

impl Checker<'_> {
    /// What a key may be; none if that is no range and no list, which is reported.
    pub(crate) fn dimension(&mut self, draft: &DimensionDraft) -> Option<Dimension> {
        if draft.is_malformed() {
            return None;
        }
        let name = &draft.name.raw;
        let before = self.faults.len();
        let choices: Option<Vec<Value>> =
            draft.choices.as_ref().map(|list| list.iter().map(|node| node.to_json(&mut self.faults)).collect());
        if self.faults.len() > before {
            return None;
        }
        let fault = |span: Span, message: String| Fault::at("bad-search", span, message);
        let ranged = draft.min.is_some() || draft.max.is_some();
        let mut faults = Vec::new();
        match (&draft.choices, ranged) {
            (Some(_), true) => {
                let message = format!("`{name}` has both a range and choices");
                faults.push(fault(draft.node.span, message).hint("keep one of them".to_owned()));
            }
            (None, false) => {
                let message = format!("`{name}` has neither a range nor choices");
                let hint = "write `{ min = 0.0, max = 1.0 }`, or a list of values";
                faults.push(fault(draft.node.span, message).hint(hint.to_owned()));
            }
            (Some(list), false) if list.is_empty() => {
                let message = format!("`{name}` has no value to choose from");
                faults.push(fault(draft.node.span, message).hint(format!("such as `\"{name}\" = [0.95, 1.0]`")));
            }
            (Some(list), false) => {
                let values = choices.as_deref().unwrap_or_default();
                for (at, value) in values.iter().enumerate() {
                    if let Some(first) = values[..at].iter().position(|earlier| is_same(earlier, value)) {
                        let fault = Fault::at("duplicate-name", list[at].span, format!("`{name}` has a choice twice"));
                        faults.push(fault.related(list[first].span, "the first one"));
                    }
                }
                if draft.log || draft.step.is_some() || draft.integer {
                    let message = format!("`{name}` has choices, and `log`, `step` and `integer` are for ranges");
                    faults.push(fault(draft.node.span, message).hint("leave them out".to_owned()));
                }
            }
            (None, true) => faults = range_faults(draft),
        }
        let dimension = Dimension {
            name: name.clone(),
            min: draft.min.as_ref().and_then(number),
            max: draft.max.as_ref().and_then(number),
            log: draft.log,
            step: draft.step.as_ref().and_then(number),
            integer: draft.integer,
            choices: choices.unwrap_or_default(),
            when: None,
        };
        // Whatever is left: the contract's own rule holds.
        if faults.is_empty()
            && let Err(failure) = dimension.domain()
        {
            faults.push(fault(draft.node.span, failure.message().replace("` of the space: ", "` ")));
        }
        let is_fine = faults.is_empty();
        self.faults.extend(faults);
        is_fine.then_some(dimension)
    }
}

/// What is wrong with a range.
fn range_faults(draft: &DimensionDraft) -> Vec<Fault> {
    let name = &draft.name.raw;
    let fault = |span: Span, message: String| Fault::at("bad-search", span, message);
    let (Some(least), Some(greatest)) = (&draft.min, &draft.max) else {
        let missing = if draft.min.is_none() { "min" } else { "max" };
        let message = format!("the range of `{name}` has no `{missing}`");
        return vec![fault(draft.node.span, message).hint(format!("add `{missing} = ...`"))];
    };
    let ends = number(least).zip(number(greatest));
    let Some((min, max)) = ends else { return Vec::new() };
    let mut faults = Vec::new();
    if min > max {
        let message = format!("the range of `{name}` is empty: {min} is more than {max}");
        faults.push(fault(least.span, message).hint("`min` is the lesser end".to_owned()));
    }
    if draft.log && min <= 0.0 {
        let message = format!("the range of `{name}` begins at {min}, which has no logarithm");
        faults.push(fault(least.span, message).hint("with `log`, `min` is above 0; or leave `log` out".to_owned()));
    }
    if let Some(step) = &draft.step {
        if number(step).is_some_and(|step| step <= 0.0) {
            let fault = fault(step.span, format!("the step of `{name}` is not above 0"));
            faults.push(fault.hint("leave `step` out for any value of the range".to_owned()));
        } else if draft.log {
            let message = format!("`{name}` has both `log` and `step`");
            faults.push(fault(step.span, message).hint("keep one of them".to_owned()));
        }
    }
    if draft.integer {
        for (what, node) in [("min", Some(least)), ("max", Some(greatest)), ("step", draft.step.as_ref())] {
            if let Some(node) = node.filter(|node| number(node).is_some_and(|number| number.fract() != 0.0)) {
                let message = format!("`{name}` is of integers, and its `{what}` is not one");
                faults.push(fault(node.span, message).hint("round it, or leave `integer` out".to_owned()));
            }
        }
    }
    faults
}
