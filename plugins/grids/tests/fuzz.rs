//! Programs that nobody wrote, on grids that nobody drew: whatever they say, they end within their limits, and what comes of one
//! does not depend on those beside it.

use std::rc::Rc;

use jackfield_grids::{
    evaluate::{Forest, Options, Result as Came},
    machine::{Limits, Order},
    primitives::Primitive,
    program::{Program, canonical, cross, mutate, parse},
    value::Grid,
};
use jackfield_plugin_api::Random;

/// Small limits, so that many programs reach them.
const LIMITS: Limits = Limits { steps: 20_000, memory: 1 << 20, depth: 100 };

fn grid(random: &mut Random) -> Rc<Grid> {
    let (height, width) = (1 + random.below(12) as u32, 1 + random.below(12) as u32);
    let colors = 1 + random.below(10);
    Rc::new(Grid::new(height, width, (0..height * width).map(|_| random.below(colors) as u8).collect()))
}

/// Programs that grow out of single primitives by many random changes.
fn programs(random: &mut Random, count: usize) -> Vec<Program> {
    let mut programs: Vec<Program> = Primitive::all()
        .filter(|primitive| primitive.arity() == 1)
        .filter_map(|primitive| {
            parse(&format!("def solve(I):\n    O = {}(I)\n    return O\n", primitive.row().name)).ok()
        })
        .collect();
    while programs.len() < count {
        let draw = |random: &mut Random| random.below(programs.len() as u64) as usize;
        let (one, other) = (draw(random), draw(random));
        let mut program = cross(&programs[one], &programs[other], random);
        for _ in 0..=random.below(6) {
            program = mutate(&program, random);
        }
        if program.lines.len() < 60 {
            programs.push(program);
        }
    }
    programs
}

fn word(came: &Came) -> String {
    match came {
        Came::Value(value) => value.to_json().to_string(),
        Came::Fault(fault, line) => format!("{} in line {line}", fault.outcome()),
    }
}

fn run(order: Order, seed: u64) {
    let mut random = Random::new(seed);
    let programs = programs(&mut random, 500);
    let bodies: Vec<_> = programs.iter().map(canonical).collect();
    let options = Options { order, limits: LIMITS, ..Options::default() };
    let mut together = Forest::new(options);
    let numbers: Vec<usize> = bodies.iter().map(|body| together.add(body)).collect();
    for _ in 0..3 {
        let input = grid(&mut random);
        together.set_input(&input);
        // Backwards, so that what a program finds known is what later ones left behind.
        for (body, number) in bodies.iter().zip(&numbers).rev() {
            let mut alone = Forest::new(Options { shared: false, kept_primitives: false, ..options });
            let only = alone.add(body);
            alone.set_input(&input);
            let (one, other) = (word(&together.run(*number)), word(&alone.run(only)));
            assert_eq!(one, other, "{}", body.text());
        }
    }
}

#[test]
fn what_comes_of_a_program_does_not_depend_on_the_programs_beside_it() {
    run(Order::Ascending, 1);
}

#[test]
fn nor_does_it_in_the_order_of_cpython() {
    run(Order::Cpython, 2);
}

#[test]
fn the_body_of_a_program_gives_what_the_program_gives() {
    let mut random = Random::new(3);
    let input = grid(&mut random);
    for program in programs(&mut random, 300) {
        let body = canonical(&program);
        let again = canonical(&parse(&body.text()).unwrap_or_else(|faults| panic!("{}: {faults:?}", body.text())));
        assert_eq!(body.digest(), again.digest(), "the body of the body is the body: {}", body.text());
        let mut forest = Forest::new(Options { limits: LIMITS, ..Options::default() });
        let both = [forest.add(&body), forest.add(&again)];
        forest.set_input(&input);
        let [one, other] = both.map(|number| forest.run(number));
        match (one, other) {
            (Came::Value(one), Came::Value(other)) => assert_eq!(one.to_json(), other.to_json(), "{}", body.text()),
            (Came::Fault(one, _), Came::Fault(other, _)) => assert_eq!(one, other, "{}", body.text()),
            _ => panic!("only one of them fails: {}", body.text()),
        }
    }
}
