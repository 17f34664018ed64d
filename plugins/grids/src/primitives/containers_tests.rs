//! The results of primitives of containers do not depend on how members are stored, nor on the order of sets where it is not visible.

use proptest::prelude::*;

use super::Primitive;
use crate::{
    fault::{Fault, Limit, Outcome},
    machine::{Limits, Machine, Order},
    testing::{grids, indices, objects, plain},
    value::Value,
};

fn primitive(name: &str) -> Value {
    Value::Primitive(Primitive::named(name).expect("a primitive of this name"))
}

fn call(machine: &mut Machine, name: &str, arguments: &[Value]) -> Outcome {
    machine.call(&primitive(name), arguments)
}

fn fresh() -> Machine {
    Machine::new(Order::Ascending, Limits::default())
}

fn ints(integers: &[i64]) -> Value {
    Value::tuple(integers.iter().copied().map(Value::Integer).collect())
}

fn set(members: Vec<Value>) -> Value {
    Value::set(members)
}

/// Whether a function says yes to about half of all locations, cells or rows, and is quick to fail on nothing.
fn conditions() -> Vec<Value> {
    let mut machine = fresh();
    let is_first = call(&mut machine, "matcher", &[primitive("first"), Value::Integer(1)]);
    let is_even = call(&mut machine, "compose", &[primitive("even"), primitive("first")]);
    let has_one = call(&mut machine, "lbind", &[primitive("contained"), Value::Integer(1)]);
    let differs = call(&mut machine, "fork", &[primitive("equality"), primitive("first"), primitive("last")]);
    [is_first, is_even, has_one, differs].into_iter().map(|made| made.expect("a function")).collect()
}

fn containers() -> impl Strategy<Value = Value> {
    let sets = proptest::collection::vec(prop_oneof![indices(), objects()], 0..5);
    let like = prop_oneof![
        proptest::collection::vec(indices(), 1..5),
        proptest::collection::vec(objects(), 1..5),
        proptest::collection::vec(grids(4), 1..4),
    ];
    prop_oneof![
        indices(),
        objects(),
        grids(5),
        sets.clone().prop_map(Value::set),
        sets.prop_map(Value::tuple),
        like.clone().prop_map(Value::set),
        like.prop_map(Value::tuple),
        Just(Value::empty_set()),
        proptest::collection::vec(-4..9_i64, 0..6).prop_map(|integers| ints(&integers)),
        proptest::collection::vec(-4..9_i64, 0..6)
            .prop_map(|integers| set(integers.into_iter().map(Value::Integer).collect())),
    ]
}

const OF_ONE: &[&str] =
    &["merge", "size", "first", "last", "totuple", "dedupe", "mostcommon", "leastcommon", "maximum"];
const OF_TWO: &[&str] = &[
    "combine",
    "intersection",
    "difference",
    "product",
    "pair",
    "contained",
    "insert",
    "remove",
    "greater",
    "equality",
];
const WITH_CONDITION: &[&str] = &["sfilter", "mfilter", "extract", "order", "argmax", "argmin", "valmax", "valmin"];

fn same(name: &str, arguments: &[Value]) -> Result<(), TestCaseError> {
    let plain_arguments: Vec<Value> = arguments.iter().map(plain).collect();
    let stored = call(&mut fresh(), name, arguments);
    let listed = call(&mut fresh(), name, &plain_arguments);
    prop_assert_eq!(stored, listed, "{} of {:?}", name, arguments);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn how_members_are_stored_does_not_show(one in containers(), other in containers()) {
        for name in OF_ONE {
            same(name, std::slice::from_ref(&one))?;
        }
        for name in OF_TWO {
            same(name, &[one.clone(), other.clone()])?;
        }
        for name in WITH_CONDITION {
            for condition in conditions() {
                same(name, &[one.clone(), condition])?;
            }
        }
        for function in ["first", "size", "totuple", "initset", "merge"] {
            same("apply", &[primitive(function), one.clone()])?;
            same("mapply", &[primitive(function), one.clone()])?;
        }
        for member in one.members().into_iter().flatten().take(3) {
            same("remove", &[member.clone(), one.clone()])?;
            same("contained", &[member.clone(), one.clone()])?;
            same("other", &[one.clone(), member.clone()])?;
            same("insert", &[member, other.clone()])?;
        }
    }

    #[test]
    fn sets_have_the_same_members_in_either_order(one in containers(), other in containers()) {
        let mut cpython = Machine::new(Order::Cpython, Limits::default());
        let json = |value: &Value| value.to_json();
        let ordered: Vec<Value> = [&one, &other]
            .into_iter()
            .map(|value| Value::from_json(&json(value), &mut cpython).expect("what was written is read"))
            .collect();
        for name in ["combine", "intersection", "difference", "product", "insert", "remove", "sizefilter", "merge"] {
            if !one.is_set() || !other.is_set() {
                continue;
            }
            let count = if name == "merge" { 1 } else { 2 };
            let ascending = call(&mut fresh(), name, &[one.clone(), other.clone()][..count]);
            let arranged = call(&mut cpython, name, &ordered[..count]);
            prop_assert_eq!(ascending.map(|value| json(&value)), arranged.map(|value| json(&value)), "{}", name);
        }
    }
}

#[test]
fn a_key_of_a_partial_order_is_kept_until_a_greater_one_comes() {
    let of = |integers: &[i64]| set(integers.iter().copied().map(Value::Integer).collect());
    let sets = Value::tuple(vec![of(&[1, 2]), of(&[5]), of(&[1]), of(&[1, 2, 3])]);
    let most = call(&mut fresh(), "argmax", &[sets.clone(), primitive("identity")]);
    assert_eq!(most, Ok(of(&[1, 2, 3])));
    let least = call(&mut fresh(), "argmin", &[sets, primitive("identity")]);
    assert_eq!(least, Ok(of(&[1])), "{{5}} is not less than {{1, 2}}, and {{1}} is");
}

#[test]
fn many_keys_of_a_partial_order_are_sorted_as_cpython_sorts_them() {
    // The places are those that `sorted` of CPython 3.11 gives for sets made in the same way.
    let mut state = 7_u64;
    let mut next = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let items = (0..300).map(|first_member| {
        let (low, length) = (next(3), next(12));
        let members = (low..low + length).map(|member| Value::Integer(member as i64)).collect();
        Value::couple(Value::Integer(first_member), Value::set(members))
    });
    let items = Value::tuple(items.collect());
    let sorted = call(&mut fresh(), "order", &[items, primitive("last")]).expect("sets can be compared");
    let sum = (1..).zip(sorted.members().into_iter().flatten()).map(|(at, item)| {
        let first_member = call(&mut fresh(), "first", &[item]);
        match first_member {
            Ok(Value::Integer(first_member)) => at * (first_member + 1) % 10_007,
            other => panic!("a place was put in, and {other:?} came out"),
        }
    });
    assert_eq!(sum.sum::<i64>(), SORTED_BY_CPYTHON);
}

const SORTED_BY_CPYTHON: i64 = 1408621;

#[test]
fn what_is_asked_of_nothing_or_of_the_wrong_kind_is_a_fault_of_its_kind() {
    let kind = |name: &str, arguments: &[Value]| call(&mut fresh(), name, arguments).map_err(Fault::kind);
    let empty = || Value::tuple(Vec::new());
    assert_eq!(kind("first", &[empty()]), Err("empty"));
    assert_eq!(kind("argmax", &[empty(), primitive("size")]), Err("empty"));
    assert_eq!(kind("mostcommon", &[empty()]), Err("empty"));
    assert_eq!(kind("extract", &[ints(&[1]), primitive("flip")]), Err("empty"));
    assert_eq!(kind("size", &[Value::Integer(3)]), Err("type"));
    assert_eq!(kind("mostcommon", &[set(vec![Value::Integer(1)])]), Err("type"));
    assert_eq!(kind("greater", &[ints(&[1]), Value::Integer(0)]), Err("type"));
    assert_eq!(kind("apply", &[primitive("add"), ints(&[1])]), Err("arity"));
    assert_eq!(kind("divide", &[Value::Integer(i64::MIN), Value::Integer(0)]), Err("arithmetic"));
    assert_eq!(kind("divide", &[Value::Integer(i64::MIN), Value::Integer(-1)]), Err("overflow"));
    assert_eq!(kind("interval", &[Value::Integer(0), Value::Integer(1), Value::Integer(0)]), Err("arithmetic"));
    assert_eq!(kind("increment", &[ints(&[1])]), Err("value"));
    assert_eq!(kind("product", &[Value::Integer(1), empty()]), Ok(Value::empty_set()), "nothing is asked of the first");
}

#[test]
fn what_would_take_too_much_is_refused_before_it_is_made() {
    let limit = |name: &str, arguments: &[Value]| match call(&mut fresh(), name, arguments) {
        Err(Fault::Limit(limit)) => Some(limit),
        _ => None,
    };
    let (least, most) = (Value::Integer(i64::MIN), Value::Integer(i64::MAX));
    assert_eq!(limit("repeat", &[most.clone(), most.clone()]), Some(Limit::Memory));
    assert_eq!(limit("interval", &[least.clone(), most.clone(), Value::Integer(1)]), Some(Limit::Memory));
    assert_eq!(
        limit("multiply", &[Value::tuple(vec![ints(&[1, 2, 3]), ints(&[4])]), most.clone()]),
        Some(Limit::Memory)
    );
    let long = call(&mut fresh(), "interval", &[Value::Integer(0), Value::Integer(9_000), Value::Integer(1)]);
    let long = long.expect("nine thousand integers fit");
    assert_eq!(limit("product", &[long.clone(), long]), Some(Limit::Memory));
    assert_eq!(limit("power", &[primitive("rot90"), Value::Integer(0)]), Some(Limit::Depth));
    assert_eq!(limit("power", &[primitive("rot90"), most]), Some(Limit::Steps));
    assert_eq!(limit("power", &[primitive("rot90"), least]), Some(Limit::Depth));
}

#[test]
fn a_value_that_holds_itself_twice_over_and_over_reaches_the_limit() {
    let mut machine = fresh();
    let mut value = Value::Integer(1);
    let outcome = (0..100).try_for_each(|_| {
        value = call(&mut machine, "astuple", &[value.clone(), value.clone()])?;
        Ok(())
    });
    assert_eq!(outcome, Err(Fault::Limit(Limit::Memory)));
}

#[test]
fn values_within_values_reach_a_limit_before_the_stack_of_the_thread_ends() {
    for order in [Order::Ascending, Order::Cpython] {
        let mut machine = Machine::new(order, Limits::default());
        let mut function = primitive("initset");
        for _ in 0..2 {
            function = call(&mut machine, "power", &[function, Value::Integer(900)]).expect("not too often");
        }
        let outcome = machine.call(&function, &[Value::Integer(1)]);
        assert_eq!(outcome, Err(Fault::Limit(Limit::Depth)), "{order:?}");
        let mut function = primitive("flip");
        let outcome = (0..10_000).try_for_each(|_| {
            function = call(&mut machine, "compose", &[function.clone(), primitive("flip")])?;
            Ok(())
        });
        assert_eq!(outcome, Err(Fault::Limit(Limit::Depth)), "{order:?}");
    }
}

#[test]
fn members_are_compared_themselves_where_none_is_the_key() {
    let machine = &mut fresh();
    let numbers = ints(&[3, 1, 2]);
    assert_eq!(call(machine, "order", &[numbers.clone(), Value::None]), Ok(ints(&[1, 2, 3])));
    assert_eq!(call(machine, "argmax", &[numbers.clone(), Value::None]), Ok(Value::Integer(3)));
    assert_eq!(call(machine, "argmin", &[numbers.clone(), Value::None]), Ok(Value::Integer(1)));
    // The key of the member that is found is asked for, and none cannot be called.
    for name in ["valmax", "valmin"] {
        assert!(matches!(call(machine, name, &[numbers.clone(), Value::None]), Err(Fault::Type(_))), "{name}");
    }
}
