use std::collections::HashSet;

use jackfield_plugin_api::Random;
use proptest::prelude::*;

use super::{cross, mutate, tidy};
use crate::program::{Program, parse, types};

const SOLVERS: [&str; 3] = [
    "def solve_a(I):\n    x1 = objects(I, T, F, F)\n    x2 = colorfilter(x1, ZERO)\n    x3 = rbind(bordering, I)\n    \
     x4 = mfilter(x2, x3)\n    x5 = ofcolor(I, ZERO)\n    x6 = toindices(x4)\n    x7 = difference(x5, x6)\n    \
     O = fill(I, FOUR, x7)\n    return O\n",
    "def solve_b(I):\n    x1 = rbind(upscale, TWO)\n    x2 = asobject(I)\n    x3 = x1(x2)\n    x4 = shape(I)\n    \
     x5 = double(x4)\n    x6 = canvas(ZERO, x5)\n    O = paint(x6, x3)\n    return O\n",
    "def solve_c(I):\n    O = rot90(I)\n    return O\n",
];

fn solvers() -> Vec<Program> {
    SOLVERS.iter().map(|text| parse(text).unwrap()).collect()
}

/// Whether the text is that of the program.
fn is_read_back(program: &Program) -> bool {
    parse(&program.to_string()).as_ref() == Ok(program)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_is_read_back_whatever_it_grew_out_of(seed: u64) {
        let mut random = Random::new(seed);
        let mut pool = solvers();
        for _ in 0..40 {
            let draw = |random: &mut Random| random.below(pool.len() as u64) as usize;
            let (one, other) = (draw(&mut random), draw(&mut random));
            let made = match random.below(2) {
                0 => mutate(&pool[one], &mut random),
                _ => cross(&pool[one], &pool[other], &mut random),
            };
            prop_assert!(is_read_back(&made), "{made}");
            prop_assert_eq!(&made.task, &pool[one].task);
            pool.push(made);
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_programs() {
    let make = |seed| {
        let mut random = Random::new(seed);
        let solvers = solvers();
        let made: Vec<String> = (0..50)
            .map(|at| match at % 2 {
                0 => mutate(&solvers[at % 3], &mut random).to_string(),
                _ => cross(&solvers[at % 3], &solvers[(at + 1) % 3], &mut random).to_string(),
            })
            .collect();
        made
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
}

#[test]
fn a_mutant_is_another_program_and_mutants_are_many() {
    let mut random = Random::new(7);
    for solver in solvers() {
        let mutants: HashSet<String> = (0..200).map(|_| mutate(&solver, &mut random).to_string()).collect();
        assert!(!mutants.contains(&solver.to_string()));
        assert!(mutants.len() > 60, "{} different ones", mutants.len());
    }
}

#[test]
fn a_crossing_takes_something_of_both() {
    let mut random = Random::new(7);
    let solvers = solvers();
    let made = (0..100).map(|_| cross(&solvers[2], &solvers[0], &mut random).to_string());
    let of_both = made.filter(|text| text.contains("rot90") && (text.contains("objects") || text.contains("ofcolor")));
    assert!(of_both.count() > 20);
}

#[test]
fn most_of_what_is_made_fits_by_type() {
    let mut random = Random::new(7);
    let solvers = solvers();
    // A line that gives nothing known, where the solver's own give a grid, is one whose arguments do not fit.
    let is_grid = |program: &Program| matches!(types::of_lines(&program.lines).last(), Some(types::Type::Rows(_)));
    let made = (0..300).map(|at| mutate(&solvers[at % 3], &mut random));
    let fit = made.filter(is_grid).count();
    assert!(fit > 150, "{fit} of 300");
}

#[test]
fn lines_that_the_result_does_not_need_are_gone() {
    let text = "def solve_a(I):\n    a = rot90(I)\n    b = height(I)\n    O = hmirror(a)\n    return O\n";
    let tidied = tidy(parse(text).unwrap());
    assert_eq!(tidied.to_string(), "def solve_a(I):\n    x1 = rot90(I)\n    O = hmirror(x1)\n    return O\n");
}
