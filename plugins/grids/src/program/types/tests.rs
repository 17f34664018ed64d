//! What is claimed of calls, held against recorded ones: a call that is said to be safe did not fail, and what it gave is what
//! was said. Each record is looked at in several ways, by what may be known of its arguments.

use serde_json::Value as Json;

use super::{Analysis, CALLS, Closure, Known, Rows, Type};
use crate::primitives::Primitive;

fn analysis() -> Analysis {
    Analysis { calls: CALLS }
}

fn primitive(name: &Json) -> Primitive {
    Primitive::named(name.as_str().expect("a name")).expect("a primitive")
}

/// What may be known of a value: it is of each of these types, whatever else it may be.
fn types_of(value: &Json) -> Vec<Type> {
    if let Some(integer) = as_integer(value) {
        return vec![Type::integer(integer, integer), Type::INTEGER];
    }
    if value.get("big").is_some() {
        return vec![Type::INTEGER];
    }
    if value.get("g").is_some() {
        let rows = |filled, wide, even| Type::Rows(Rows { filled, wide, even });
        return vec![Type::GRID, rows(true, true, false), rows(true, false, true), rows(false, true, true)];
    }
    if let Some(items) = value["t"].as_array() {
        return types_of_tuple(items);
    }
    for (kind, member) in [("x", Type::pair()), ("o", Type::cell())] {
        if value.get(kind).is_some() {
            return vec![Type::set(member.clone(), true), Type::set(member, false)];
        }
    }
    if let Some(members) = value["s"].as_array() {
        if members.is_empty() {
            let objects = Type::set(Type::cell(), true);
            let members = [Type::pair(), Type::cell(), objects, Type::INTEGER, Type::GRID];
            return members.map(|member| Type::set(member, false)).to_vec();
        }
        let member = join(members);
        return vec![Type::set(member.clone(), true), Type::set(member, false)];
    }
    if value.get("fn").is_some() {
        let made = primitive(&value["fn"]);
        let Some(arguments) = value["args"].as_array() else {
            return vec![Type::function(Closure::Primitive(made))];
        };
        let arguments: Vec<Type> = arguments.iter().map(|argument| types_of(argument).remove(0)).collect();
        return vec![analysis().primitive(made, &arguments).result];
    }
    vec![Type::Any]
}

fn types_of_tuple(items: &[Json]) -> Vec<Type> {
    if items.is_empty() {
        let rows = |filled, wide, even| Type::Rows(Rows { filled, wide, even });
        let tuples = [Type::pair(), Type::GRID, Type::set(Type::cell(), true), Type::INTEGER];
        return [rows(false, true, true), rows(false, false, false)]
            .into_iter()
            .chain(tuples.map(|item| Type::tuple(item, false)))
            .collect();
    }
    let mut types = Vec::new();
    if let [first, second] = items {
        types.push(Type::two(types_of(first).remove(0), types_of(second).remove(0)));
    }
    let rows: Option<Vec<usize>> = items.iter().map(length_of_integers).collect();
    if let Some(rows) = rows {
        let even = rows.iter().all(|length| *length == rows[0]);
        types.push(Type::Rows(Rows { filled: true, wide: !rows.contains(&0), even }));
        types.push(Type::Rows(Rows { filled: false, wide: false, even: false }));
    } else {
        types.push(Type::tuple(join(items), true));
        types.push(Type::tuple(join(items), false));
    }
    types
}

fn length_of_integers(value: &Json) -> Option<usize> {
    let items = value["t"].as_array()?;
    items.iter().all(|item| as_integer(item).is_some()).then_some(items.len())
}

fn join(values: &[Json]) -> Type {
    let types = values.iter().map(|value| types_of(value).remove(0));
    types.reduce(|one, other| one.join(&other)).expect("at least one")
}

fn as_integer(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_bool().map(i64::from))
}

/// The slots of a tuple.
fn slots(value: &Json) -> Option<Vec<Json>> {
    if let Some(rows) = value["g"].as_array() {
        let row = |row: &Json| {
            let digits = row.as_str().unwrap_or_default().bytes().map(|digit| i64::from(digit - b'0'));
            serde_json::json!({ "t": digits.collect::<Vec<i64>>() })
        };
        return Some(rows.iter().map(row).collect());
    }
    value["t"].as_array().cloned()
}

fn members(value: &Json) -> Option<Vec<Json>> {
    let numbers = |member: &Json| member.as_array().cloned().unwrap_or_default();
    if let Some(pairs) = value["x"].as_array() {
        return Some(pairs.iter().map(|pair| serde_json::json!({ "t": numbers(pair) })).collect());
    }
    if let Some(cells) = value["o"].as_array() {
        let cell = |cell: &Json| serde_json::json!({ "t": [cell[0], { "t": [cell[1], cell[2]] }] });
        return Some(cells.iter().map(cell).collect());
    }
    value["s"].as_array().cloned()
}

/// Whether a value is of a type.
fn is_of(value: &Json, kind: &Type) -> bool {
    match kind {
        Type::Any => true,
        Type::Integer(least, most) => match as_integer(value) {
            Some(integer) => (*least..=*most).contains(&integer),
            None => value.get("big").is_some() && (*least == i64::MIN || *most == i64::MAX),
        },
        Type::Rows(rows) => slots(value).is_some_and(|found| {
            let lengths: Option<Vec<usize>> = found.iter().map(length_of_integers).collect();
            lengths.is_some_and(|lengths| {
                (!rows.filled || !lengths.is_empty())
                    && (!rows.wide || !lengths.contains(&0))
                    && (!rows.even || lengths.iter().all(|length| *length == lengths[0]))
            })
        }),
        Type::Tuple(of, filled) => {
            slots(value).is_some_and(|found| (!filled || !found.is_empty()) && found.iter().all(|slot| is_of(slot, of)))
        }
        Type::Two(first, second) => {
            slots(value).is_some_and(|found| found.len() == 2 && is_of(&found[0], first) && is_of(&found[1], second))
        }
        Type::Set(of, filled) => members(value)
            .is_some_and(|found| (!filled || !found.is_empty()) && found.iter().all(|member| is_of(member, of))),
        Type::Function(_) => value.get("fn").is_some(),
    }
}

/// All that may be known of some arguments together, or as much of it as is looked at in a test.
fn views(arguments: &Json) -> Vec<Vec<Type>> {
    let mut views = vec![Vec::new()];
    for argument in arguments.as_array().expect("arguments") {
        let types = types_of(argument);
        let longer = views.iter().flat_map(|view: &Vec<Type>| {
            types.iter().map(move |kind| view.iter().cloned().chain([kind.clone()]).collect())
        });
        views = longer.take(64).collect();
    }
    views
}

/// What is wrong with a claim on a recorded outcome.
fn differs(known: &Known, record: &Json) -> Option<String> {
    if let Some(raised) = record.get("raises") {
        return (known.is_safe && raised != "Limit").then(|| format!("said to be safe, and {raised}"));
    }
    let value = record.get("out")?;
    (!is_of(value, &known.result)).then(|| format!("said to give {:?}, and gave {value}", known.result))
}

#[test]
fn what_is_claimed_of_calls_is_true_of_recorded_ones() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/primitives.jsonl");
    let text = std::fs::read_to_string(path).expect("the records");
    let (mut wrong, mut safe, mut seen) = (Vec::new(), 0, 0);
    for line in text.lines() {
        let record: Json = serde_json::from_str(line).expect("a record");
        for arguments in views(&record["args"]) {
            let known = analysis().primitive(primitive(&record["prim"]), &arguments);
            seen += 1;
            safe += usize::from(known.is_safe);
            wrong.extend(differs(&known, &record).map(|what| format!("{}: {arguments:?}: {what}", record["id"])));
            for call in record["calls"].as_array().into_iter().flatten() {
                for arguments in views(&call["args"]) {
                    let called = analysis().call(&known.result, &arguments);
                    wrong.extend(differs(&called, call).map(|what| format!("{}: called: {what}", record["id"])));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {seen} differ: {wrong:#?}", wrong.len());
    // What is not known is no use.
    assert!(safe * 2 > seen, "{safe} of {seen} are known to be safe");
}
