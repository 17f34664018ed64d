//! Objects, patches and lines: what is found on masks is what is found member by member.

use proptest::prelude::*;

use crate::{
    fault::{Fault, Limit, Outcome},
    machine::{Limits, Machine, Order},
    primitives::Primitive,
    testing,
    value::{Grid, Value},
};

fn run(order: Order, name: &str, arguments: &[Value]) -> Outcome {
    let mut machine = Machine::new(order, Limits::default());
    let arguments: Vec<Value> = arguments
        .iter()
        .map(|argument| Value::from_json(&argument.to_json(), &mut machine).expect("the text of a value"))
        .collect();
    machine.run(Primitive::named(name).expect("the table has it"), &arguments)
}

fn ascending(name: &str, arguments: &[Value]) -> Outcome {
    run(Order::Ascending, name, arguments)
}

/// The result as a text that is the same in both orders, or the kind of the fault.
fn text(outcome: &Outcome) -> String {
    match outcome {
        Ok(value) => value.to_json().to_string(),
        Err(fault) => fault.kind().to_owned(),
    }
}

fn grid(rows: &[&str]) -> Value {
    let cells: Vec<u8> = rows.iter().flat_map(|row| row.bytes().map(|digit| digit - b'0')).collect();
    Value::grid(Grid::new(rows.len() as u32, rows[0].len() as u32, cells))
}

/// Whether one colour is more frequent than each other: which of several is the background depends on the order.
fn has_one_background(grid: &Value) -> bool {
    let counts = grid.as_grid().expect("it is one").counts().to_owned();
    let most = counts.iter().max().copied();
    counts.iter().filter(|count| Some(**count) == most).count() == 1
}

const OF_ONE_PATCH: [&str; 26] = [
    "toindices",
    "normalize",
    "uppermost",
    "lowermost",
    "leftmost",
    "rightmost",
    "ulcorner",
    "urcorner",
    "llcorner",
    "lrcorner",
    "vline",
    "hline",
    "centerofmass",
    "center",
    "corners",
    "backdrop",
    "delta",
    "inbox",
    "outbox",
    "box",
    "hperiod",
    "vperiod",
    "height",
    "width",
    "square",
    "shape",
];
const OF_TWO_PATCHES: [&str; 6] = ["hmatching", "vmatching", "manhattan", "adjacent", "position", "gravitate"];
const OF_TWO_PAIRS: [&str; 2] = ["connect", "shoot"];
const OF_A_PAIR: [&str; 5] = ["dneighbors", "ineighbors", "neighbors", "vfrontier", "hfrontier"];

fn patches() -> impl Strategy<Value = Value> {
    prop_oneof![testing::indices(), testing::objects(), Just(Value::empty_set())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn patches_give_the_same_in_either_order(one in patches(), other in patches(), row in -9..9_i64, column in -50..50_i64) {
        let pair = Value::pair(row, column);
        let calls = OF_ONE_PATCH.iter().map(|name| (*name, vec![one.clone()]))
            .chain(OF_TWO_PATCHES.iter().map(|name| (*name, vec![one.clone(), other.clone()])))
            .chain(OF_TWO_PAIRS.iter().map(|name| (*name, vec![Value::pair(column, row), pair.clone()])))
            .chain(OF_TWO_PAIRS.iter().map(|name| (*name, vec![Value::pair(row - 3, column + 3), pair.clone()])))
            .chain(OF_A_PAIR.iter().map(|name| (*name, vec![pair.clone()])))
            .chain([("shift", vec![one.clone(), pair.clone()]), ("bordering", vec![one.clone(), grid(&["123", "456"])])]);
        for (name, arguments) in calls {
            let (on_masks, by_member) = (ascending(name, &arguments), run(Order::Cpython, name, &arguments));
            prop_assert_eq!(text(&on_masks), text(&by_member), "{} of {:?}", name, arguments);
        }
    }

    #[test]
    fn grids_give_the_same_objects_in_either_order(grid in testing::grids(9), from in any::<prop::sample::Index>(), part in testing::objects()) {
        let mut calls = vec![
            ("partition", vec![grid.clone()]),
            ("frontiers", vec![grid.clone()]),
            ("occurrences", vec![grid.clone(), part]),
            ("occurrences", vec![grid.clone(), Value::empty_set()]),
        ];
        for flags in 0..8 {
            let [one_color, diagonal, background] = [1, 2, 4].map(|bit| Value::truth(flags & bit != 0));
            if !background.is_true() || has_one_background(&grid) {
                calls.push(("objects", vec![grid.clone(), one_color, diagonal, background]));
            }
        }
        if has_one_background(&grid) {
            calls.push(("fgpartition", vec![grid.clone()]));
        }
        let all = ascending("objects", &[grid.clone(), Value::truth(false), Value::truth(true), Value::truth(true)]);
        let objects: Vec<Value> = all.iter().flat_map(|all| all.members().into_iter().flatten()).collect();
        if !objects.is_empty() {
            calls.push(("occurrences", vec![grid.clone(), from.get(&objects).clone()]));
        }
        for (name, arguments) in calls {
            let (on_masks, by_member) = (ascending(name, &arguments), run(Order::Cpython, name, &arguments));
            prop_assert_eq!(text(&on_masks), text(&by_member), "{} of {:?}", name, arguments);
        }
    }

    #[test]
    fn an_object_occurs_where_it_was_found(grid in testing::grids(9), from in any::<prop::sample::Index>()) {
        let all = ascending("objects", &[grid.clone(), Value::truth(true), Value::truth(false), Value::truth(false)]);
        let objects: Vec<Value> = all.iter().flat_map(|all| all.members().into_iter().flatten()).collect();
        let object = from.get(&objects);
        let corner = ascending("ulcorner", std::slice::from_ref(object)).expect("an object has a corner");
        let places = ascending("occurrences", &[grid, object.clone()]).expect("a set of places");
        prop_assert!(places.members().into_iter().flatten().any(|place| place == corner));
    }
}

#[test]
fn the_members_of_a_grid_larger_than_the_masks_are_found() {
    let mut cells = vec![0; 70 * 80];
    cells[3] = 5;
    cells[69 * 80 + 79] = 5;
    let large = Value::grid(Grid::new(70, 80, cells));
    let flags = [Value::truth(true), Value::truth(false), Value::truth(true)];
    let objects = ascending("objects", &[vec![large.clone()], flags.to_vec()].concat()).expect("objects");
    assert_eq!(objects.to_json().to_string(), r#"{"s":[{"o":[[5,0,3]]},{"o":[[5,69,79]]}]}"#);
    let parts = ascending("partition", std::slice::from_ref(&large)).expect("parts");
    assert_eq!(parts.size(), Some(2));
    let cell = Value::set(vec![Value::Cell(5, 0, 0)]);
    let places = ascending("occurrences", &[large, cell]).expect("places");
    assert_eq!(places.to_json().to_string(), r#"{"x":[[0,3],[69,79]]}"#);
}

#[test]
fn cells_that_only_touch_at_corners_are_of_one_object_where_diagonals_count() {
    let grid = grid(&["100", "021", "210"]);
    let count = |one_color, diagonal| {
        let flags = [one_color, diagonal, true].map(Value::truth);
        ascending("objects", &[vec![grid.clone()], flags.to_vec()].concat()).expect("objects").size()
    };
    assert_eq!(count(true, false), Some(5));
    assert_eq!(count(true, true), Some(3));
    assert_eq!(count(false, false), Some(2));
    assert_eq!(count(false, true), Some(1));
}

#[test]
fn gravity_ends_after_forty_two_steps() {
    let cell = |row, column| Value::set(vec![Value::Pair(row, column)]);
    assert_eq!(ascending("gravitate", &[cell(0, 0), cell(9, 0)]), Ok(Value::Pair(8, 0)));
    assert_eq!(ascending("gravitate", &[cell(0, 50), cell(0, 0)]), Ok(Value::Pair(0, -42)));
    assert_eq!(ascending("gravitate", &[cell(0, 0), cell(0, 0)]), Ok(Value::Pair(-1, 0)));
}

#[test]
fn what_would_not_fit_is_a_limit_before_it_is_made() {
    let far = Value::set(vec![Value::pair(0, 0), Value::pair(1 << 40, 1 << 40)]);
    let wide = Value::set(vec![Value::Pair(0, 0), Value::Pair(1 << 28, 1 << 28)]);
    for (name, arguments) in [
        ("backdrop", vec![far.clone()]),
        ("backdrop", vec![wide.clone()]),
        ("delta", vec![wide.clone()]),
        ("box", vec![far.clone()]),
        ("outbox", vec![wide]),
        ("inbox", vec![far]),
        ("connect", vec![Value::pair(0, i64::MIN), Value::pair(0, i64::MAX)]),
        ("shoot", vec![Value::pair(0, 0), Value::pair(i64::MAX, i64::MAX)]),
    ] {
        for order in [Order::Ascending, Order::Cpython] {
            let outcome = run(order, name, &arguments);
            assert!(matches!(outcome, Err(Fault::Limit(Limit::Memory | Limit::Steps))), "{name} gives {outcome:?}");
        }
    }
}

#[test]
fn integers_beyond_the_furthest_are_an_overflow_or_right() {
    let far = Value::set(vec![Value::pair(i64::MAX, i64::MIN)]);
    for name in ["toindices", "corners", "backdrop", "box", "vline", "uppermost"] {
        assert!(ascending(name, std::slice::from_ref(&far)).is_ok(), "{name}");
    }
    assert_eq!(ascending("shift", &[far.clone(), Value::pair(1, 0)]), Err(Fault::Overflow));
    assert_eq!(ascending("outbox", std::slice::from_ref(&far)), Err(Fault::Overflow));
    assert_eq!(ascending("neighbors", &[Value::pair(i64::MIN, 0)]), Err(Fault::Overflow));
    assert_eq!(ascending("normalize", &[far]), Ok(Value::set(vec![Value::Pair(0, 0)])));
}

#[test]
fn the_kind_of_a_fault_of_a_patch_says_what_is_wrong() {
    let nothing = Value::empty_set();
    let triple = Value::set(vec![Value::tuple(vec![Value::Integer(1), Value::Integer(2), Value::Integer(3)])]);
    for (name, arguments, kind) in [
        ("uppermost", vec![nothing.clone()], "empty"),
        ("inbox", vec![nothing.clone()], "empty"),
        ("manhattan", vec![nothing.clone(), nothing], "empty"),
        ("uppermost", vec![Value::Integer(3)], "type"),
        ("toindices", vec![Value::set(vec![Value::Integer(5)])], "type"),
        ("uppermost", vec![triple.clone()], "value"),
        ("urcorner", vec![triple], "value"),
        ("connect", vec![Value::pair(0, 0), Value::Integer(1)], "type"),
        ("neighbors", vec![Value::tuple(vec![Value::Integer(1)])], "value"),
        ("objects", vec![Value::Integer(1), Value::Integer(1), Value::Integer(1), Value::Integer(0)], "type"),
    ] {
        assert_eq!(text(&ascending(name, &arguments)), kind, "{name} of {arguments:?}");
    }
}
