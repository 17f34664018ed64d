//! Programs that do much in few calls: each ends in a limit, and affects no other program.

use std::{fmt::Write as _, rc::Rc};

use super::{Forest, Options, Verdict};
use crate::{
    machine::Order,
    program::{canonical, parse},
    value::Grid,
};

/// Holds 300 functions, each with a tuple of 100,000 slots that it alone has.
const HOLDS: &str = "
    a = multiply(TEN, TEN)
    b = multiply(a, a)
    c = multiply(b, TEN)
    n = multiply(a, THREE)
    x1 = interval(ZERO, n, ONE)
    f = rbind(repeat, c)
    g = lbind(lbind, identity)
    h = compose(g, f)
    x8 = apply(h, x1)
    x9 = size(x8)
    y = astuple(x9, x9)
    O = canvas(ONE, y)";

/// Sorts, again and again, tuples that differ in their last slots.
const SORTS: &str = "
    a = multiply(TEN, TEN)
    n = multiply(a, FOUR)
    z = repeat(ZERO, n)
    i = interval(ZERO, n, ONE)
    f = rbind(repeat, ONE)
    g = lbind(combine, z)
    h = compose(g, f)
    big = apply(h, i)
    k = lbind(either, big)
    m = chain(size, mostcommon, k)
    ii = interval(ZERO, a, ONE)
    r = apply(m, ii)
    s = size(r)
    O = canvas(s, TWO_BY_TWO)";

/// Makes a set of members that all have one hash: -1 and -2 have.
const COLLIDES: &str = "
    s1 = initset(NEG_ONE)
    x1 = insert(NEG_TWO, s1)
    x2 = product(x1, x1)
    x3 = product(x2, x2)
    x4 = product(x3, x3)
    t = product(x3, x2)
    x5 = product(x4, t)
    s = size(x5)
    y = astuple(TWO, TWO)
    z = branch(s, y, y)
    O = canvas(ONE, z)";

/// Looks through many pairs, for a function that tells nothing of it.
const LOOKS: &str = "
    h = multiply(TEN, TEN)
    k = multiply(h, TEN)
    i = interval(ZERO, h, ONE)
    p = product(i, i)
    t = totuple(p)
    e = lbind(either, t)
    m = compose(corners, e)
    q = matcher(m, NEG_TWO)
    ii = interval(ZERO, k, ONE)
    out = apply(q, ii)
    O = astuple(out, I)";

fn outcomes(programs: &[&str], order: Order, shared: bool) -> Vec<String> {
    let mut forest = Forest::new(Options { order, shared, ..Options::default() });
    let add = |lines: &&str| {
        let text = format!("def solve(I):{lines}\n    return O\n");
        forest.add(&canonical(&parse(&text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))))
    };
    let numbers: Vec<usize> = programs.iter().map(add).collect();
    let input = Rc::new(Grid::new(2, 2, vec![1, 2, 3, 4]));
    forest.set_input(&input);
    let expected = Grid::new(2, 2, vec![3, 1, 4, 2]);
    let outcome = |number: &usize| Verdict::of(&forest.run(*number), &expected).outcome();
    numbers.iter().map(outcome).collect()
}

const RIGHT: &str = "\n    O = rot90(I)";

#[test]
fn what_does_much_in_few_calls_ends_in_a_limit_and_harms_no_other() {
    for shared in [true, false] {
        let found = outcomes(&[RIGHT, HOLDS, SORTS, LOOKS, RIGHT], Order::Ascending, shared);
        assert_eq!(found, ["equal", "limit:memory", "limit:steps", "limit:steps", "equal"]);
    }
}

#[test]
fn members_of_one_hash_are_counted_while_they_are_compared() {
    for shared in [true, false] {
        assert_eq!(outcomes(&[COLLIDES, RIGHT], Order::Cpython, shared), ["limit:steps", "equal"]);
    }
}

#[test]
fn a_function_of_one_function_holds_it_once() {
    let mut lines = String::from("\n    x0 = rbind(astuple, I)");
    for at in 0..60 {
        let _ = write!(lines, "\n    x{} = fork(either, x{at}, x{at})", at + 1);
    }
    lines += "\n    s = astuple(x60, ONE)\n    n = size(s)\n    y = astuple(n, n)\n    O = canvas(ONE, y)";
    let found = outcomes(&[&lines], Order::Ascending, true);
    assert!(found[0].starts_with("grid:"), "{found:?}");
}
