//! What a step takes at its most: `limits [cpython] [PRIMITIVE…]` calls every primitive with large values of every form, and lists
//! the calls whose steps take longest.
//!
//! Limits count steps, so that they hold for any program on any machine: this shows that no step takes much longer than others.
use std::{io::Write as _, time::Instant};

use jackfield_grids::{
    machine::{Limits, Machine, Order},
    primitives::Primitive,
    value::{Grid, Value},
};

/// As in the host.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Calls that take less than this, in nanoseconds, are left out: so little is done in the time of one step.
const LEAST_NS: f64 = 3_000.0;

/// The steps of a call end here: what comes later is like what came before.
const STEPS: u64 = 100_000;

/// A step that takes so many nanoseconds takes long.
const LONG_NS: f64 = 150.0;

/// So many of the worst calls are listed.
const LISTED: usize = 60;

/// A call of which the steps take long.
struct Worst {
    ns_a_step: f64,
    ms: f64,
    steps: u64,
    call: String,
}

struct Maker(Machine);

impl Maker {
    fn call(&mut self, name: &str, arguments: &[Value]) -> Value {
        self.0.reset();
        let primitive = Primitive::named(name).expect("the primitive is one");
        self.0.call(&Value::Primitive(primitive), arguments).expect("the value can be made")
    }

    fn function(name: &str) -> Value {
        Value::Primitive(Primitive::named(name).expect("the primitive is one"))
    }

    /// The values, each with its name.
    fn values(&mut self) -> Vec<(&'static str, Value)> {
        let integer = Value::Integer;
        let many = self.call("interval", &[integer(0), integer(10_000), integer(1)]);
        let hundred = self.call("interval", &[integer(0), integer(10_000), integer(100)]);
        let near = self.call("interval", &[integer(0), integer(100), integer(1)]);
        let drawn = |height: u32, width: u32, colors: u32| {
            let cells = (0..height * width).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) % colors);
            Value::grid(Grid::new(height, width, cells.map(|color| color as u8).collect()))
        };
        let equal_row = Value::tuple(vec![integer(7); 300]);
        let sparse = self.call("product", &[hundred.clone(), hundred.clone()]);
        let dense = self.call("product", &[near.clone(), near.clone()]);
        let ints = self.call("apply", &[Maker::function("identity"), many.clone()]);
        let empty = self.empty();
        let set = self.call("combine", &[empty.clone(), ints.clone()]);
        let pairs = self.call("totuple", std::slice::from_ref(&sparse));
        let large = drawn(300, 300, 4);
        let small = drawn(64, 64, 10);
        let masks = self.call("asindices", std::slice::from_ref(&small));
        let colored = self.call("product", &[near.clone(), near.clone()]);
        let colored = self.call("totuple", &[colored]);
        let cells = self.call("pair", &[many.clone(), colored.clone()]);
        let many_colors = self.call("combine", &[empty.clone(), cells.clone()]);
        let objects = self.call("objects", &[small.clone(), integer(1), integer(0), integer(0)]);
        let rows: Vec<Value> =
            (0..100).map(|at| Value::tuple([vec![integer(1); 99], vec![integer(at % 9)]].concat())).collect();
        let nested = self.call("apply", &[Maker::function("initset"), many.clone()]);
        let nested = self.call("combine", &[empty.clone(), nested]);
        let mut deep = many.clone();
        for _ in 0..200 {
            deep = self.call("repeat", &[deep, integer(1)]);
        }
        let object = self.call("asobject", std::slice::from_ref(&small));
        let large_object = self.call("asobject", std::slice::from_ref(&large));
        let recolored = self.call("recolor", &[integer(1), sparse.clone()]);
        let collided = self.collided();
        vec![
            ("zero", integer(0)),
            ("seven", integer(7)),
            ("million", integer(1_000_000)),
            ("pair", Value::Pair(2, 3)),
            ("many", many),
            ("zeros", Value::tuple(vec![integer(0); 10_000])),
            ("set", set),
            ("pairs", pairs),
            ("cells", cells),
            ("many-colors", many_colors),
            ("masks", masks),
            ("sparse", sparse),
            ("dense", dense),
            ("object", object),
            ("large-object", large_object),
            ("recolored", recolored),
            ("objects", objects),
            ("small", small),
            ("large", large),
            ("larger", drawn(1000, 1000, 2)),
            ("flat", drawn(1000, 1000, 1)),
            ("tall", drawn(100_000, 1, 3)),
            ("wide", drawn(1, 100_000, 3)),
            ("equal-rows", Value::tuple(vec![equal_row; 300])),
            ("rows", Value::tuple(rows)),
            ("sets", nested),
            ("deep", Value::tuple(vec![deep; 3])),
            ("collided", collided),
            ("identity", Maker::function("identity")),
            ("first", Maker::function("first")),
            ("size", Maker::function("size")),
            ("astuple", Maker::function("astuple")),
            ("equality", Maker::function("equality")),
        ]
    }

    fn empty(&mut self) -> Value {
        let one = self.call("initset", &[Value::Integer(1)]);
        self.call("remove", &[Value::Integer(1), one])
    }

    /// A set whose members have one hash in the order of CPython: -1 and -2 have.
    fn collided(&mut self) -> Value {
        let ones = self.call("initset", &[Value::Integer(-1)]);
        let both = self.call("insert", &[Value::Integer(-2), ones]);
        let two = self.call("product", &[both.clone(), both]);
        let four = self.call("product", &[two.clone(), two.clone()]);
        self.call("product", &[four, two])
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let order = if names.iter().any(|name| name == "cpython") { Order::Cpython } else { Order::Ascending };
    names.retain(|name| name != "cpython");
    let values = Maker(Machine::new(order, Limits { memory: 1 << 30, ..Limits::default() })).values();
    let mut worst: Vec<Worst> = Vec::new();
    let mut machine = Machine::new(order, Limits { steps: STEPS, ..Limits::default() });
    for primitive in
        Primitive::all().filter(|primitive| names.is_empty() || names.iter().any(|name| *name == primitive.row().name))
    {
        let name = primitive.row().name;
        let arity = primitive.arity();
        let combinations = values.len().pow(arity.min(3) as u32);
        for number in 0..combinations {
            let mut rest = number;
            let mut picked: Vec<usize> = (0..arity.min(3))
                .map(|_| {
                    let at = rest % values.len();
                    rest /= values.len();
                    at
                })
                .collect();
            // Not every combination is worth its time.
            if number.wrapping_mul(2_654_435_761) >> 7 & 0xffff > [0xffff, 0xffff, 0x6000, 0x0800][arity.min(3)] {
                continue;
            }
            picked.resize(arity, 0);
            let arguments: Vec<Value> = picked.iter().map(|at| values[*at].1.clone()).collect();
            let mut once = || {
                machine.reset();
                let start = Instant::now();
                let outcome = machine.call(&Value::Primitive(primitive), &arguments);
                let word = outcome.as_ref().err().map_or("value".to_owned(), |fault| fault.outcome());
                drop(outcome);
                (start.elapsed().as_secs_f64() * 1e9, machine.steps(), word)
            };
            let (mut ns, steps, word) = once();
            if ns > LEAST_NS && ns / steps as f64 > LONG_NS {
                // What was slow for another reason is not slow again.
                ns = ns.min(once().0).min(once().0);
            }
            if ns > LEAST_NS {
                let called: Vec<&str> = picked.iter().map(|at| values[*at].0).collect();
                let call = format!("{name}({}) {word}", called.join(", "));
                worst.push(Worst { ns_a_step: ns / steps as f64, ms: ns / 1e6, steps, call });
            }
        }
    }
    worst.sort_by(|one, other| other.ns_a_step.total_cmp(&one.ns_a_step));
    let mut out = std::io::stdout().lock();
    for Worst { ns_a_step, ms, steps, call } in worst.iter().take(LISTED) {
        writeln!(out, "{ns_a_step:>9.0} ns a step {ms:>9.3} ms {steps:>9} steps  {call}")?;
    }
    let above = worst.iter().filter(|worst| worst.ns_a_step > LONG_NS).count();
    writeln!(out, "{} calls above 3 us, {above} of them above 150 ns a step", worst.len())?;
    Ok(())
}
