//! Programs of the language, good and bad, from the text on.

use super::{Canonical, canonical, parse};

fn body(text: &str) -> Canonical {
    canonical(&parse(text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}")))
}

#[test]
fn a_program_is_read_as_it_is_printed() {
    let text = "def solve_67a3c6ac(I):\n    x1 = objects(I, T, F, T)\n    x2 = rbind(bordering, I)\n    x3 = mfilter(x1, x2)\n    x4 = x2(x3)\n    O = fill(I, ONE, x3)\n    return O\n";
    let program = parse(text).expect("parses");
    assert_eq!(program.task, "67a3c6ac");
    assert_eq!(program.lines.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
    assert_eq!(program.to_string(), text);
    assert_eq!(body(text).text.lines().next(), Some("def solve(I):"));
}

#[test]
fn names_order_and_repetition_do_not_show_in_the_body() {
    let one = body("def solve_a(I):\n    x1 = rot90(I)\n    x2 = hmirror(I)\n    O = hconcat(x1, x2)\n    return O\n");
    let other = body(
        "def solve_b(I):\n  b = hmirror(I)\n\n  again = rot90(I) # twice\n  a = rot90(I)\n  O = hconcat(again, b)\n  return O",
    );
    assert_eq!(one.text, other.text);
    assert_eq!(one.digest, other.digest);
    assert_eq!(one.size, 3);
}
