//! The result of a primitive does not depend on how its arguments are stored.

use proptest::prelude::*;

use super::{Primitive, grids::any};
use crate::{
    fault::{Fault, Outcome},
    machine::{Limits, Machine, Order},
    testing,
    value::Value,
};

/// Some values of each type that the table knows.
#[derive(Clone, Debug)]
struct Sample {
    grids: [Value; 3],
    patches: [Value; 3],
    objects: [Value; 2],
    integers: Vec<i64>,
    pairs: Vec<(i64, i64)>,
}

fn samples() -> impl Strategy<Value = Sample> {
    let patches = || prop_oneof![testing::indices(), testing::objects()];
    (
        [testing::grids(9), testing::grids(9), testing::grids(3)],
        [patches(), patches(), patches()],
        [testing::objects(), testing::objects()],
        proptest::collection::vec(-2..6_i64, 4),
        proptest::collection::vec((-2..6_i64, -2..6_i64), 4),
    )
        .prop_map(|(grids, patches, objects, integers, pairs)| Sample { grids, patches, objects, integers, pairs })
}

impl Sample {
    /// An argument of a type; `turn` chooses among those there are.
    fn argument(&self, kind: &str, turn: usize) -> Value {
        let pick = |values: &[Value]| values[turn % values.len()].clone();
        let integer = || Value::Integer(self.integers[turn % self.integers.len()]);
        let pair = || self.pairs[turn % self.pairs.len()];
        match kind {
            "Grid" => pick(&self.grids),
            "Boolean" | "Integer" => integer(),
            "Pair" => Value::pair(pair().0, pair().1),
            "Numerical" if turn.is_multiple_of(2) => integer(),
            "Numerical" => Value::pair(pair().0, pair().1),
            "Object" => pick(&self.objects),
            "Patch" => pick(&self.patches),
            "Element" if turn.is_multiple_of(2) => pick(&self.grids),
            "Element" => pick(&self.objects),
            "Piece" if turn.is_multiple_of(2) => pick(&self.grids),
            "Piece" => pick(&self.patches),
            "Objects" => Value::set(self.objects.to_vec()),
            "Set" => pick(&self.patches),
            "Tuple" => {
                pick(&[self.grids[0].clone(), Value::tuple(self.grids.to_vec()), Value::tuple(self.objects.to_vec())])
            }
            "Callable" => {
                let names = ["size", "first", "identity", "toindices", "rot90", "height", "color", "totuple"];
                Value::Primitive(Primitive::named(names[turn % names.len()]).expect("the table has it"))
            }
            _ => pick(&[
                self.grids[0].clone(),
                self.patches[0].clone(),
                Value::set(self.patches.to_vec()),
                Value::tuple(self.objects.to_vec()),
            ]),
        }
    }
}

fn machine() -> Machine {
    Machine::new(Order::Ascending, Limits::default())
}

/// Says where two outcomes differ. Functions are not compared: each is one of its own.
fn differ(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) if one.is_function() && other.is_function() => false,
        (Ok(one), Ok(other)) => one != other,
        (one, other) => one.is_ok() != other.is_ok(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_primitive_sees_how_its_arguments_are_stored(sample in samples(), turn in 0..1000_usize) {
        for primitive in Primitive::all() {
            let row = primitive.row();
            let arguments: Vec<Value> =
                row.arguments.iter().enumerate().map(|(at, (_, kind))| sample.argument(kind, turn / (at + 1))).collect();
            let plain: Vec<Value> = arguments.iter().map(testing::plain).collect();
            let outcome = machine().run(primitive, &arguments);
            let of_plain = machine().run(primitive, &plain);
            prop_assert!(
                !differ(&outcome, &of_plain),
                "{} of {arguments:?} gives {outcome:?}, and stored plainly {of_plain:?}",
                row.name,
            );
        }
    }

    #[test]
    fn grids_are_worked_on_as_what_only_stands_in_their_place(sample in samples(), turn in 0..1000_usize) {
        let (one, other) = (&sample.grids[0], &sample.grids[1]);
        let [a, b] = [0, 1].map(|at| Value::Integer(sample.integers[at]));
        let [start, size] = [0, 1].map(|at| Value::pair(sample.pairs[at].0, sample.pairs[at].1));
        type Any<'a> = Box<dyn Fn(&mut Machine) -> Outcome + 'a>;
        let all: [(&str, Vec<&Value>, Any<'_>); 14] = [
            ("rot90", vec![one], Box::new(|machine| any::rot90(machine, one))),
            ("rot180", vec![one], Box::new(|machine| any::rot180(machine, one))),
            ("rot270", vec![one], Box::new(|machine| any::rot270(machine, one))),
            ("hupscale", vec![one, &a], Box::new(|machine| any::hupscale(machine, one, &a))),
            ("vupscale", vec![one, &a], Box::new(|machine| any::vupscale(machine, one, &a))),
            ("downscale", vec![one, &a], Box::new(|machine| any::downscale(machine, one, &a))),
            ("hconcat", vec![one, other], Box::new(|machine| any::hconcat(machine, one, other))),
            ("cellwise", vec![one, other, &a], Box::new(|machine| any::cellwise(machine, one, other, &a))),
            ("replace", vec![one, &a, &b], Box::new(|machine| any::replace(machine, one, &a, &b))),
            ("switch", vec![one, &a, &b], Box::new(|machine| any::switch(machine, one, &a, &b))),
            ("crop", vec![one, &start, &size], Box::new(|machine| any::crop(machine, one, &start, &size))),
            ("trim", vec![one], Box::new(|machine| any::trim(machine, one))),
            ("compress", vec![one], Box::new(|machine| any::compress(machine, one))),
            ("bottomhalf", vec![one], Box::new(|machine| any::bottomhalf(machine, one))),
        ];
        let (name, arguments, any) = &all[turn % all.len()];
        let arguments: Vec<Value> = arguments.iter().map(|value| (*value).clone()).collect();
        let primitive = Primitive::named(name).expect("the table has it");
        let (outcome, expected) = (machine().run(primitive, &arguments), any(&mut machine()));
        prop_assert!(!differ(&outcome, &expected), "{name} of {arguments:?} gives {outcome:?}, not {expected:?}");
    }
}

fn run(name: &str, arguments: &[Value]) -> Outcome {
    machine().run(Primitive::named(name).expect("the table has it"), arguments)
}

/// A grid of rows of digits.
fn grid(rows: &[&str]) -> Value {
    let digits = |row: &&str| Value::tuple(row.bytes().map(|digit| Value::Integer((digit - b'0').into())).collect());
    Value::tuple(rows.iter().map(digits).collect())
}

#[test]
fn a_size_beyond_the_memory_is_a_limit_and_nothing_is_allocated() {
    let small = grid(&["12", "34"]);
    let huge = Value::Integer(i64::MAX);
    for (name, arguments) in [
        ("canvas", vec![Value::Integer(0), Value::pair(i64::MAX, i64::MAX)]),
        ("canvas", vec![Value::Integer(10), Value::pair(1 << 20, 1 << 20)]),
        ("canvas", vec![Value::Integer(0), Value::pair(i64::MAX, 0)]),
        ("upscale", vec![small.clone(), huge.clone()]),
        ("hupscale", vec![small.clone(), huge.clone()]),
        ("vupscale", vec![small.clone(), huge.clone()]),
        ("hupscale", vec![grid(&["1"]), Value::Integer(1 << 40)]),
        ("hsplit", vec![small.clone(), huge.clone()]),
        ("vsplit", vec![small.clone(), huge.clone()]),
        ("upscale", vec![Value::tuple(vec![Value::tuple(vec![Value::Integer(11)])]), huge.clone()]),
        ("upscale", vec![Value::set(vec![Value::Cell(1, 0, 0)]), huge.clone()]),
        ("upscale", vec![Value::set(vec![Value::Cell(1, 0, 0)]), Value::Integer(1 << 16)]),
    ] {
        let outcome = run(name, &arguments);
        assert!(matches!(outcome, Err(Fault::Limit(_))), "{name} of {arguments:?} gives {outcome:?}");
    }
}

#[test]
fn the_greatest_and_least_integers_do_no_harm() {
    let small = grid(&["12", "34"]);
    let corner = Value::pair(i64::MIN, i64::MAX);
    let far = Value::set(vec![Value::pair(i64::MIN, i64::MAX), Value::pair(0, 0)]);
    assert_eq!(run("crop", &[small.clone(), corner.clone(), corner.clone()]), Ok(Value::tuple(vec![])));
    assert_eq!(
        run("crop", &[small.clone(), Value::pair(0, 1), Value::pair(i64::MAX, i64::MAX)]),
        Ok(grid(&["2", "4"]))
    );
    assert_eq!(run("downscale", &[small.clone(), Value::Integer(i64::MIN)]), Ok(grid(&["1"])));
    assert_eq!(run("index", &[small.clone(), corner]), Ok(Value::None));
    assert_eq!(run("fill", &[small.clone(), Value::Integer(5), far.clone()]), Ok(grid(&["52", "34"])));
    assert_eq!(run("dmirror", std::slice::from_ref(&far)), Err(Fault::Overflow));
    assert_eq!(run("height", &[far]), Err(Fault::Overflow));
}

#[test]
fn the_kind_of_a_fault_says_what_is_wrong() {
    let small = grid(&["12", "34"]);
    let nothing = Value::empty_set();
    for (name, arguments, kind) in [
        ("rot90", vec![Value::Integer(1)], "type"),
        ("rot180", vec![Value::set(vec![Value::Integer(1)])], "type"),
        ("mostcolor", vec![nothing.clone()], "empty"),
        ("color", vec![nothing.clone()], "empty"),
        ("downscale", vec![small.clone(), Value::Integer(0)], "arithmetic"),
        ("hsplit", vec![small.clone(), Value::Integer(0)], "arithmetic"),
        ("cellwise", vec![small.clone(), grid(&["1"]), Value::Integer(0)], "value"),
        ("index", vec![small.clone(), Value::Integer(1)], "type"),
        ("paint", vec![small.clone(), Value::set(vec![Value::Pair(0, 0)])], "type"),
    ] {
        let fault = run(name, &arguments).expect_err(name);
        assert_eq!(fault.kind(), kind, "{name} of {arguments:?}: {fault}");
    }
}

#[test]
fn what_lies_outside_of_a_grid_is_left_alone() {
    let canvas = grid(&["000", "000"]);
    let object =
        Value::set(vec![Value::Cell(1, -1, 0), Value::Cell(2, 0, 2), Value::Cell(3, 1, 3), Value::Cell(4, 2, 0)]);
    assert_eq!(run("paint", &[canvas.clone(), object.clone()]), Ok(grid(&["002", "000"])));
    assert_eq!(run("toobject", &[object.clone(), canvas.clone()]), Ok(Value::set(vec![Value::Cell(0, 0, 2)])));
    assert_eq!(run("move", &[grid(&["002", "000"]), object, Value::pair(1, -2)]), Ok(grid(&["000", "200"])));
}

#[test]
fn the_later_of_two_cells_at_a_place_is_painted_over_the_earlier_and_never_under_it() {
    let object = Value::set(vec![Value::Cell(1, 0, 0), Value::Cell(2, 0, 0)]);
    assert_eq!(run("paint", &[grid(&["00"]), object.clone()]), Ok(grid(&["20"])));
    assert_eq!(run("underpaint", &[grid(&["00"]), object]), Ok(grid(&["10"])));
}
