//! Checks of this implementation against recorded calls of primitives.
//!
//! A record is one line of JSON: `prim` and `args`; `out`, or `raises` where the call fails, or `calls` where the result is a
//! function: what it gives for some arguments, each with an `out` or `raises` of its own. Values are encoded as
//! [`Value::to_json`] does. `cpython`, where there is one, is the outcome under the order of CPython.

use serde_json::Value as Json;

use crate::{
    fault::{Fault, Limit, Outcome},
    machine::{Limits, Machine, Order},
    primitives::Primitive,
    value::Value,
};

/// Runs a recorded call and compares.
///
/// # Errors
/// What differs, or what is wrong with the record.
pub fn check(record: &Json, order: Order) -> Result<(), String> {
    let name = record["prim"].as_str().ok_or("the record names no primitive")?;
    let primitive = Primitive::named(name).ok_or_else(|| format!("no primitive `{name}`"))?;
    let mut machine = Machine::new(order, Limits::default());
    let arguments = match arguments(&record["args"], &mut machine) {
        // A set of functions has no order there: no call takes one.
        Err(what) if order == Order::Cpython && what == Fault::Order.to_string() => return Ok(()),
        arguments => arguments?,
    };
    machine.reset();
    let outcome = machine.call(&Value::Primitive(primitive), &arguments);
    let expected = match (order, record.get("cpython")) {
        (Order::Cpython, Some(expected)) => expected,
        _ => record,
    };
    let Some(calls) = expected["calls"].as_array() else { return compare(&outcome, expected) };
    let function = outcome.map_err(|fault| format!("fails: {fault}"))?;
    for call in calls {
        let arguments = self::arguments(&call["args"], &mut machine)?;
        machine.reset();
        let outcome = machine.call(&function, &arguments);
        compare(&outcome, call).map_err(|what| format!("called with {}: {what}", call["args"]))?;
    }
    Ok(())
}

fn arguments(json: &Json, machine: &mut Machine) -> Result<Vec<Value>, String> {
    let arguments = json.as_array().ok_or("the record has no arguments")?;
    arguments.iter().map(|argument| Value::from_json(argument, machine)).collect()
}

fn compare(outcome: &Outcome, expected: &Json) -> Result<(), String> {
    if let Some(raises) = expected.get("raises") {
        let limit = matches!(raises.as_str(), Some("Limit" | "RecursionError"));
        return match outcome {
            Ok(value) => Err(format!("gives {}, and {raises} was recorded", value.to_json())),
            Err(Fault::Limit(_)) if limit => Ok(()),
            Err(Fault::Limit(Limit::Steps | Limit::Memory | Limit::Depth)) => Err("reaches a limit".to_owned()),
            Err(fault) if limit => Err(format!("fails ({fault}), and a limit was recorded")),
            Err(_) => Ok(()),
        };
    }
    let expected = expected.get("out").ok_or("the record has no outcome")?;
    match outcome {
        Ok(value) if Some(value.to_json()) == canonical(expected) => Ok(()),
        Ok(value) => Err(format!("gives {}, and {expected} was recorded", value.to_json())),
        Err(Fault::Overflow) if expected.to_string().contains("\"big\"") => Ok(()),
        Err(fault) => Err(format!("fails ({fault}), and {expected} was recorded")),
    }
}

/// The one text of a recorded value: with truth as 1 and 0, two rows of them are a grid. Nothing for integers beyond 64 bits.
fn canonical(json: &Json) -> Option<Json> {
    let mut machine = Machine::new(Order::Ascending, Limits::default());
    Value::from_json(json, &mut machine).ok().map(|value| value.to_json())
}
