use proptest::prelude::*;
use serde_json::Value as Json;

use super::{OrderedSet, Work, hash::hash};
use crate::{
    fault::Fault,
    machine::{Limits, Machine, Order},
    primitives::Primitive,
    value::Value,
};

/// Work without an end.
fn work() -> Work {
    Work::up_to(usize::MAX)
}

/// The recorded list, in values of the machine: sets in it are ordered ones, or ascending ones.
fn values(json: &Json, order: Order) -> Vec<Value> {
    let mut machine = Machine::new(order, Limits::default());
    let list = json.as_array().expect("a list is recorded");
    list.iter().map(|value| Value::from_json(value, &mut machine).expect("values are recorded")).collect()
}

fn set(members: Vec<Value>) -> OrderedSet {
    OrderedSet::of(members, &mut work()).expect("a set without functions has an order")
}

fn check(vector: &Json, order: Order) -> Result<(), String> {
    let list = |name: &str| values(&vector[name], order);
    let op = vector["op"].as_str().expect("the operation is recorded");
    if op == "hash" {
        let value = values(&Json::from(vec![vector["value"].clone()]), order).remove(0);
        let found = hash(&value).map(|hash| (hash as i64).to_string());
        return if found.as_deref() == vector["hash"].as_str() {
            Ok(())
        } else {
            Err(format!("{found:?} is the hash of {vector}"))
        };
    }
    let a = set(list("a"));
    let result = match op {
        "build" => Ok(a),
        "set-of-set" => a.copied(&mut work()),
        "union" => a.union(&set(list("b")), &mut work()),
        "intersection" => a.intersection(&set(list("b")), &mut work()),
        "difference" => a.difference(&set(list("b")), &mut work()),
        "insert" => match list("b").pop() {
            Some(value) => a.inserted(value, &mut work()),
            None => a.union(&set(Vec::new()), &mut work()),
        },
        other => panic!("an unknown operation is recorded: {other}"),
    };
    let found: Vec<Value> = result.expect("no functions are recorded").iter().collect();
    if found == list("iter") { Ok(()) } else { Err(format!("{found:?} is the order of {vector}")) }
}

#[test]
fn recorded_sets_are_iterated_as_recorded() {
    let recorded = include_str!("../../fixtures/setorder.jsonl");
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in recorded.lines() {
        let vector = serde_json::from_str(line).expect("the fixture is JSON lines");
        for order in [Order::Ascending, Order::Cpython] {
            wrong.extend(check(&vector, order).err());
        }
        count += 1;
    }
    assert_eq!(count, 487);
    assert!(wrong.is_empty(), "{} wrong, the first: {}", wrong.len(), wrong[0]);
}

fn functions() -> [Value; 2] {
    ["rot90", "rot180"].map(|name| Value::Primitive(Primitive::named(name).expect("a primitive")))
}

#[test]
fn a_function_has_no_place_beside_another_member() {
    let [one, two] = functions();
    let within = Value::tuple(vec![Value::Integer(1), two.clone()]);
    for other in [Value::Integer(0), two.clone(), within.clone()] {
        assert_eq!(OrderedSet::of(vec![one.clone(), other.clone()], &mut work()).err(), Some(Fault::Order));
        assert_eq!(set(vec![one.clone()]).inserted(other.clone(), &mut work()).err(), Some(Fault::Order));
        assert_eq!(set(vec![other]).union(&set(vec![one.clone()]), &mut work()).err(), Some(Fault::Order));
    }
    let nested = |function: &Value| Value::Ordered(set(vec![function.clone()]).into());
    assert_eq!(OrderedSet::of(vec![nested(&one), Value::Integer(0)], &mut work()).err(), Some(Fault::Order));
}

#[test]
fn a_function_alone_is_a_set() {
    let [one, two] = functions();
    let (alone, other) = (set(vec![one.clone(), one.clone()]), set(vec![two.clone()]));
    assert_eq!(alone.iter().collect::<Vec<_>>(), vec![one.clone()]);
    assert!(alone.contains(&one) && !alone.contains(&two) && !alone.contains(&Value::Integer(0)));
    assert!(!set(vec![Value::Integer(0)]).contains(&one));
    assert_eq!(alone.inserted(one.clone(), &mut work()).as_ref(), Ok(&alone));
    assert_eq!(alone.intersection(&other, &mut work()).map(|set| set.len()), Ok(0));
    assert_eq!(alone.difference(&other, &mut work()).as_ref(), Ok(&alone));
    let empty = alone.difference(&set(vec![one]), &mut work()).expect("nothing is left");
    assert_eq!(empty, set(Vec::new()));
    assert_eq!(empty.inserted(Value::Integer(1), &mut work()).map(|set| set.len()), Ok(1));
}

/// Values that are often equal, or have equal hashes, or differ in how they are represented.
fn value() -> impl Strategy<Value = Value> {
    let integer = prop_oneof![
        -3_i64..12,
        Just(i64::MIN),
        Just(i64::MAX),
        (0_i64..3).prop_map(|times| times * ((1 << 61) - 1)),
        (0_i64..40).prop_map(|times| times << 8),
    ];
    let leaf = prop_oneof![4 => integer.prop_map(Value::Integer), 1 => Just(Value::None)];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = prop::collection::vec(inner, 0..4);
        prop_oneof![
            list.clone().prop_map(Value::tuple),
            list.clone().prop_map(Value::set),
            list.prop_map(|members| Value::Ordered(set(members).into())),
        ]
    })
}

fn list() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        prop::collection::vec(value(), 0..12),
        prop::collection::vec((0_i64..300).prop_map(Value::Integer), 0..300),
    ]
}

fn model(members: &[Value]) -> Vec<Value> {
    let mut members = members.to_vec();
    members.sort();
    members.dedup();
    members
}

proptest! {
    #[test]
    fn sets_hold_what_was_added_and_nothing_twice(a in list(), b in list()) {
        let (one, two) = (set(a.clone()), set(b.clone()));
        let (a, b) = (model(&a), model(&b));
        let keep = |kept: bool| a.iter().filter(|member| b.contains(member) == kept).cloned().collect::<Vec<_>>();
        let all = model(&[a.clone(), b.clone()].concat());
        prop_assert_eq!(one.iter().count(), one.len());
        prop_assert_eq!(one.sorted(), a.clone());
        prop_assert_eq!(one.copied(&mut work()).unwrap().sorted().to_vec(), a.clone());
        for (result, expected) in [
            (one.union(&two, &mut work()), all),
            (one.intersection(&two, &mut work()), keep(true)),
            (one.difference(&two, &mut work()), keep(false)),
        ] {
            let result = result.expect("no functions are in it");
            prop_assert_eq!(result.iter().count(), expected.len());
            prop_assert_eq!(result.sorted(), expected.clone());
            // A set that had members removed takes new ones.
            let more = result.inserted(Value::Integer(-77), &mut work()).expect("no function was added");
            prop_assert_eq!(more.len(), expected.len() + 1);
            prop_assert_eq!(more.copied(&mut work()).unwrap(), more);
        }
        for member in &b {
            prop_assert_eq!(one.contains(member), a.contains(member));
        }
    }

    #[test]
    fn equal_values_hash_alike_however_they_are_represented(members in prop::collection::vec(value(), 0..6)) {
        let ordered = Value::Ordered(set(members.clone()).into());
        let ascending = Value::set(members.clone());
        prop_assert_eq!(&ordered, &ascending);
        prop_assert_eq!(hash(&ordered), hash(&ascending));
        let mut backwards = members.clone();
        backwards.reverse();
        prop_assert_eq!(&ordered, &Value::Ordered(set(backwards).into()));
        // A row of colours in a grid, and as a tuple.
        let grid = Value::tuple(vec![Value::tuple(vec![Value::Integer(3), Value::Integer(4)])]);
        let row = grid.as_grid().expect("one row of two colours is a grid");
        prop_assert_eq!(hash(&grid), hash(&Value::Grid(row)));
    }

    #[test]
    fn the_order_is_that_of_the_additions_alone(a in list(), b in list()) {
        let order = || {
            let (one, two) = (set(a.clone()), set(b.clone()));
            let both = one.union(&two, &mut work()).and_then(|both| both.difference(&two, &mut work())).expect("no functions are in it");
            both.iter().collect::<Vec<_>>()
        };
        prop_assert_eq!(order(), order());
    }
}

#[test]
fn a_large_set_grows_slower_and_takes_no_longer_for_each_member() {
    let members: Vec<Value> = (0..60_000).map(|at| Value::pair(at / 250, at % 250)).collect();
    let large = set(members.clone());
    assert_eq!(large.len(), members.len());
    let fewer = large.difference(&set(members[..1_000].to_vec()), &mut work()).expect("no functions are in it");
    assert_eq!(fewer.len(), 59_000);
    assert_eq!(fewer.intersection(&large, &mut work()).as_ref(), Ok(&fewer));
}
