//! Recorded runs of programs: every set is iterated in the order of CPython.
//!
//! A line of the fixture is a list of calls, `{"prim": …, "args": […], "out": …}`, in the encoding of golden records, but that the
//! members of a set in `out` stand in the order of its iteration, whatever they are; `{"ref": 0}` is what the first call gave.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::{
    machine::{Limits, Machine, Order},
    primitives::Primitive,
    value::Value,
};

/// The value with the members of its sets in the order of their iteration.
fn iterated(value: &Value) -> Json {
    let members = |value: &Value| value.members().map(|members| members.map(|member| iterated(&member)).collect());
    match value {
        value if value.is_set() => json!({ "s": members(value).unwrap_or(Vec::new()) }),
        value if value.is_tuple() && value.as_grid().is_none() => {
            json!({ "t": members(value).unwrap_or(Vec::new()) })
        }
        value => value.to_json(),
    }
}

/// Runs the calls of a line, and says which gives something else than was recorded.
fn wrong(calls: &[Json], seen: &mut BTreeSet<String>) -> Option<String> {
    let mut machine = Machine::new(Order::Cpython, Limits::default());
    let mut values: Vec<Value> = Vec::new();
    for call in calls {
        let name = call["prim"].as_str().expect("a call names its primitive");
        let argument = |argument: &Json| match argument["ref"].as_u64() {
            Some(at) => values[at as usize].clone(),
            None => Value::from_json(argument, &mut machine).expect("arguments are recorded as values"),
        };
        let arguments: Vec<Value> = call["args"].as_array().into_iter().flatten().map(argument).collect();
        let primitive = Value::Primitive(Primitive::named(name).expect("primitives are named as they are here"));
        let outcome = machine.call(&primitive, &arguments);
        match outcome {
            Ok(value) if iterated(&value) == call["out"] => values.push(value),
            Ok(value) => return Some(format!("{} of {call}", iterated(&value))),
            Err(fault) => return Some(format!("{fault}: {call}")),
        }
        seen.insert(name.to_owned());
    }
    None
}

#[test]
fn sets_that_primitives_make_are_iterated_as_recorded() {
    let recorded = include_str!("../../fixtures/cpython-programs.jsonl");
    let mut seen = BTreeSet::new();
    let mut all_wrong = Vec::new();
    for line in recorded.lines() {
        let calls: Vec<Json> = serde_json::from_str(line).expect("a line is a list of calls");
        all_wrong.extend(wrong(&calls, &mut seen));
    }
    assert!(seen.len() > 100, "{} primitives are called", seen.len());
    assert!(all_wrong.is_empty(), "{} wrong, the first: {}", all_wrong.len(), all_wrong[0]);
}
