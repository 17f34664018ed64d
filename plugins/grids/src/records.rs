//! Recorded calls of primitives: does this implementation give what was recorded?
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
    let arguments = arguments(&record["args"], &mut machine)?;
    machine.reset();
    let outcome = machine.call(&Value::Primitive(primitive), &arguments);
    let Some(calls) = record["calls"].as_array() else {
        let expected = match (order, record.get("cpython")) {
            (Order::Cpython, Some(expected)) => expected,
            _ => record,
        };
        let expected = if expected.get("out").is_some() || expected.get("raises").is_some() {
            expected.clone()
        } else {
            serde_json::json!({ "out": expected })
        };
        return compare(&outcome, &expected);
    };
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
        Ok(value) if value.to_json() == encoded(expected) => Ok(()),
        Ok(value) => Err(format!("gives {}, and {expected} was recorded", value.to_json())),
        Err(Fault::Overflow) if expected.to_string().contains("\"big\"") => Ok(()),
        Err(fault) => Err(format!("fails ({fault}), and {expected} was recorded")),
    }
}

/// The same value with truth as 1 and 0, at any depth, in its one encoding: rows with truth in them are those of a grid then.
fn encoded(json: &Json) -> Json {
    let integers = as_integers(json);
    let mut machine = Machine::new(Order::Ascending, Limits::default());
    Value::from_json(&integers, &mut machine).map_or(integers, |value| value.to_json())
}

/// The same value with truth as 1 and 0, at any depth.
fn as_integers(json: &Json) -> Json {
    match json {
        Json::Bool(truth) => Json::from(i32::from(*truth)),
        Json::Array(items) => items.iter().map(as_integers).collect(),
        Json::Object(members) => members.iter().map(|(name, value)| (name.clone(), as_integers(value))).collect(),
        other => other.clone(),
    }
}
