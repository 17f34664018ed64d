//! Parsing, printing and canonical forms of valid and invalid programs.

use proptest::prelude::*;

use super::{Canonical, LONGEST_NAME, LONGEST_TEXT, MOST_FAULTS, MOST_LINES, canonical, parse};

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
    assert_eq!(body(text).text().lines().next(), Some("def solve(I):"));
}

#[test]
fn names_order_and_repetition_do_not_show_in_the_body() {
    let one = body("def solve_a(I):\n    x1 = rot90(I)\n    x2 = hmirror(I)\n    O = hconcat(x1, x2)\n    return O\n");
    let other = body(
        "def solve_b(I):\n  b = hmirror(I)\n\n  again = rot90(I) # twice\n  a = rot90(I)\n  O = hconcat(again, b)\n  return O",
    );
    assert_eq!(one.text(), other.text());
    assert_eq!(one.digest(), other.digest());
    assert_eq!(one.size(), 3);
}

/// What is wrong with a text, a line each.
fn faults(text: &str) -> String {
    let faults = parse(text).expect_err("a fault");
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The same of the lines of a body.
fn faults_in(lines: &[&str]) -> String {
    faults(&format!("def solve_a(I):\n    {}\n    return O\n", lines.join("\n    ")))
}

#[test]
fn what_is_wrong_with_a_header_or_an_end_is_told_with_its_place() {
    insta::assert_snapshot!(faults(""), @"line 1, column 1: syntax: there is no program: it begins with `def solve_TASK(I):`");
    insta::assert_snapshot!(faults("define solve_a(I):\n    O = vmirror(I)\n    return O\n"), @"line 1, column 1: syntax: expected `def`, found `define`");
    insta::assert_snapshot!(faults("def solve_a(G):\n    O = vmirror(G)\n    return O\n"), @"line 1, column 13: syntax: the input is named `I`, and not `G`");
    insta::assert_snapshot!(faults("def answer(I):\n    O = vmirror(I)\n    return O\n"), @"line 1, column 5: syntax: a program is named `solve_` and its task, or `solve`, and not `answer`");
    insta::assert_snapshot!(faults("def solve_a(I, J)\n    O = vmirror(I)\n    return O\n"), @"line 1, column 14: syntax: a program has one parameter, `I`");
    insta::assert_snapshot!(faults("  def solve_a(I):\n    O = vmirror(I)\n    return O\n"), @"line 1, column 1: syntax: the line with `def` is not indented: remove the blanks before it");
    insta::assert_snapshot!(faults("def solve_a(I):\nO = vmirror(I)\nreturn O\n"), @"line 2, column 1: syntax: the lines below `def` are indented: put four spaces before this line");
    insta::assert_snapshot!(faults("def solve_a(I):\n    x1 = rot90(I)\n\tO = vmirror(x1)\n    return O\n"), @"line 3, column 1: syntax: this line is not indented as the line above it: use the same blanks for all lines");
    insta::assert_snapshot!(faults("def solve_a(I):\n    O = vmirror(I)\n\n"), @"line 3, column 1: syntax: the program ends without its result: add the line `    return O`");
    insta::assert_snapshot!(faults("def solve_a(I):\n    x1 = vmirror(I)\n    return x1\n"), @"line 3, column 12: syntax: the result is named `O`: write `return O`, and `O = …` in the line above, not `return x1`");
    insta::assert_snapshot!(faults("def solve_a(I):\n    x1 = vmirror(I)\n    return O\n"), @"line 3, column 12: unknown-name: `O` is never defined: the last line before `return O` is `O = …`");
    insta::assert_snapshot!(faults("def solve_a(I):\n    O = vmirror(I)\n    return O\n    x9 = rot90(O)\n"), @"line 4, column 5: syntax: nothing follows `return`: remove this line, or move it above");
    insta::assert_snapshot!(faults("def solve_a(I):\n    O = vmirror(I)\n    return O\ndef solve_b(I):\n"), @"line 4, column 1: syntax: a file holds one program: move this `def` to a file of its own");
    insta::assert_snapshot!(faults("def solve_a(I):\n    O = vmirror(I)\ndef solve_b(I):\n    return O\n"), @"line 3, column 1: syntax: a second `def` before the first program has its `return O`: a file holds one program");
}

#[test]
fn what_is_wrong_with_the_form_of_a_line_is_told_with_the_fix() {
    insta::assert_snapshot!(faults_in(&["x1 = vmirror(I", "O = rot90(x1)"]), @"line 2, column 19: syntax: expected `,` or `)`, found the end of the line");
    insta::assert_snapshot!(faults_in(&["O = vmirror(rot90(I))"]), @"line 2, column 17: syntax: an argument is a name, not a call: give `rot90(…)` a line of its own, and use that line's name here");
    insta::assert_snapshot!(faults_in(&["O = replace(I, 3, -2)"]), @"line 2, column 20: syntax: an argument is a name, not a number: write `THREE` for 3");
    insta::assert_snapshot!(faults_in(&["O = replace(I, THREE, 11)"]), @"line 2, column 27: syntax: an argument is a name, not a number: integers have the names `NEG_TWO` to `TEN`");
    insta::assert_snapshot!(faults_in(&["x1 = objects(I, univalued=T, diagonal=F, without_bg=T)", "O = paint(I, x1)"]), @"line 2, column 21: syntax: arguments are given by their places: remove `univalued =`");
    insta::assert_snapshot!(faults_in(&["x1 = __import__('os')", "O = vmirror(I)"]), @"line 2, column 21: syntax: an argument is a name: there are no strings");
    insta::assert_snapshot!(faults_in(&["O = fill(I, TWO, )"]), @"line 2, column 22: syntax: an argument is missing after the comma: remove the comma, or add the argument");
    insta::assert_snapshot!(faults_in(&["O = crop(I, (1, 2), UNITY)"]), @"line 2, column 17: syntax: an argument is a name: there are no tuples, lists or sets to write; `astuple(a, b)` makes a pair");
    insta::assert_snapshot!(faults_in(&["x1 = I", "O = rot90(x1)"]), @"line 2, column 10: syntax: `I` is not a call: write `x1 = identity(I)`, or use `I` itself below");
    insta::assert_snapshot!(faults_in(&["O = rot90(I) + x"]), @"line 2, column 18: syntax: nothing follows the call on its line, and `+` does: remove it");
    insta::assert_snapshot!(faults_in(&["if = rot90(I)", "O = rot90(I)"]), @"line 2, column 5: syntax: `if` is a word of Python: a line is `NAME = FUNCTION(…)`");
    insta::assert_snapshot!(faults_in(&["x1, x2 = hsplit(I, TWO)", "O = rot90(x1)"]), @"line 2, column 7: syntax: expected `=`, as in `NAME = FUNCTION(…)`, found `,`");
    insta::assert_snapshot!(faults_in(&["O = rot90(I)", "x1 = hmirror(O)"]), @"line 3, column 5: syntax: `O` is the result and the last line: move this line above line 2");
    insta::assert_snapshot!(faults_in(&["\u{1b}[31m = rot90(I)", "O = rot\u{202e}(I)"]), @r"
    line 2, column 5: syntax: expected `NAME = FUNCTION(…)`, found `\u{1b}`
    line 3, column 12: syntax: expected `(` and the arguments, found `\u{202e}`
    ");
}

#[test]
fn what_is_wrong_with_names_is_told_with_what_was_meant() {
    insta::assert_snapshot!(faults_in(&["x1 = vmirrror(I)", "O = rot90(x1)"]), @"line 2, column 10: unknown-name: `vmirrror` is not a primitive, a constant or a line above: did you mean `vmirror`?");
    insta::assert_snapshot!(faults_in(&["O = replace(I, ELEVEN, NEG_THREE)"]), @"
    line 2, column 20: unknown-name: there is no constant `ELEVEN`: integers have the names `NEG_TWO` to `TEN`; make others with `add` or `multiply`
    line 2, column 28: unknown-name: there is no constant `NEG_THREE`: integers have the names `NEG_TWO` to `TEN`; make others with `add` or `multiply`
    ");
    insta::assert_snapshot!(faults_in(&["O = replace(i, Two, THREE)"]), @"
    line 2, column 17: unknown-name: `i` is not a primitive, a constant or a line above: did you mean `I`?
    line 2, column 20: unknown-name: `Two` is not a primitive, a constant or a line above: did you mean `TWO`?
    ");
    insta::assert_snapshot!(faults_in(&["found = rot90(I)", "O = rot90(fuond)"]), @"line 3, column 15: unknown-name: `fuond` is not a primitive, a constant or a line above: did you mean `found`?");
    insta::assert_snapshot!(faults_in(&["O = rot90(x7)"]), @"line 2, column 15: unknown-name: `x7` is not defined: no line above begins with `x7 = `");
    insta::assert_snapshot!(faults_in(&["x1 = rot90(x2)", "x2 = vmirror(I)", "O = rot90(x1)"]), @"line 2, column 16: use-before-definition: `x2` is defined on line 3, below this line: move line 3 above it");
    insta::assert_snapshot!(faults_in(&["x1 = rot90(x1)", "O = rot90(x1)"]), @"line 2, column 16: use-before-definition: `x1` is used in the line that defines it, line 2: use a name of a line above");
    insta::assert_snapshot!(faults_in(&["x1 = rot90(I)", "x1 = vmirror(x1)", "O = rot90(x1)"]), @"line 3, column 5: redefinition: `x1` is already defined on line 2: give this line another name");
    insta::assert_snapshot!(faults_in(&["rot90 = vmirror(I)", "TWO = height(I)", "I = rot90(I)", "O = rot90(I)"]), @"
    line 2, column 5: redefinition: `rot90` is a primitive: give this line another name
    line 3, column 5: redefinition: `TWO` is a constant: give this line another name
    line 4, column 5: redefinition: `I` is the input: give this line another name
    ");
    insta::assert_snapshot!(faults_in(&["x1 = TWO(I)", "x2 = UP(I)", "O = I(x1)"]), @"
    line 2, column 10: type: `TWO` is an integer and cannot be called: a function stands before `(`
    line 3, column 10: type: `UP` is a pair and cannot be called: a function stands before `(`
    line 4, column 9: type: `I` is a grid and cannot be called
    ");
    insta::assert_snapshot!(faults_in(&["x1 = fill(I, TWO)", "x2 = vmirror(I, I)", "x3 = rot90()", "O = objects(I)"]), @"
    line 2, column 10: arity: `fill` takes 3 arguments, and 2 were given: write `fill(grid, value, patch)`
    line 3, column 10: arity: `vmirror` takes 1 argument, and 2 were given: write `vmirror(piece)`
    line 4, column 10: arity: `rot90` takes 1 argument, and 0 were given: write `rot90(grid)`
    line 5, column 9: arity: `objects` takes 4 arguments, and 1 was given: write `objects(grid, univalued, diagonal, without_bg)`
    ");
    insta::assert_snapshot!(faults_in(&["x1 = rbind(fill, I)", "x2 = x1()", "O = x1(I, I, I, I, I)"]), @"
    line 3, column 10: arity: `x1` is called without arguments, and every function takes some
    line 4, column 9: arity: `x1` is called with 5 arguments, and no function takes more than 4
    ");
}

#[test]
fn faults_that_do_not_depend_on_each_other_are_told_together_and_in_order() {
    let text = "def solve_a(G):\n    x1 = vmirrror(G)\n    x2 = fill(x1, 3)\n    x3 = rot90(x9)\n    O = TWO(x2)\n";
    let found: Vec<(&str, u32)> =
        parse(text).unwrap_err().iter().map(|fault| (fault.kind.name(), fault.line)).collect();
    assert_eq!(
        found,
        [("syntax", 1), ("unknown-name", 2), ("syntax", 3), ("unknown-name", 4), ("type", 5), ("syntax", 6)]
    );
}

#[test]
fn blanks_comments_line_ends_and_a_mark_at_the_start_make_no_difference() {
    let plain = parse("def solve_a(I):\n    x1 = fill(I, ONE, I)\n    O = rot90(x1)\n    return O\n").unwrap();
    for text in [
        "\u{feff}def solve_a(I):\r\n    x1 = fill(I, ONE, I)\r\n    O = rot90(x1)\r\n    return O\r\n",
        "def solve_a(I):\n\tx1 = fill(I, ONE, I)\n\tO = rot90(x1)\n\treturn O",
        "def  solve_a ( I ) :  # a\n    x1=fill( I ,ONE,\tI )# b \u{1f3c1}\n    O = rot90(x1)   \n    return  O  \n   \n# end\n\n",
    ] {
        assert_eq!(parse(text).as_ref(), Ok(&plain), "{text:?}");
    }
    let spaced =
        parse("# a\n\ndef solve_a(I):\n\n    # b\n    x1 = fill(I, ONE, I)\n  # c\n    O = rot90(x1)\n    return O\n")
            .unwrap();
    assert_eq!(spaced.lines.iter().map(|line| line.line).collect::<Vec<_>>(), [6, 8]);
    assert_eq!(spaced.to_string(), plain.to_string());
}

#[test]
fn what_is_too_long_is_refused_and_what_is_not_is_read_back() {
    let of_lines = |count: usize| {
        let lines: String =
            (1..count).map(|at| format!("v{at}=objects(I,centerofmass,centerofmass,centerofmass)\n ")).collect();
        format!("def solve_a(I):\n {lines}O=centerofmass(v{})\n return O", count - 1)
    };
    let longest = parse(&of_lines(MOST_LINES - 2)).expect("as long as can be");
    let body = canonical(&longest);
    assert_eq!(parse(&longest.to_string()).map(|program| program.lines.len()), Ok(MOST_LINES - 2));
    assert_eq!(canonical(&parse(&body.text()).unwrap()).digest(), body.digest());
    insta::assert_snapshot!(faults(&of_lines(MOST_LINES - 1)), @"line 1001, column 1: syntax: the text has more than 1000 lines: split the program, or drop what it does not need");
    insta::assert_snapshot!(faults(&" ".repeat(LONGEST_TEXT + 1)), @"line 1, column 1: syntax: the text has 100001 bytes, and a program has at most 100000");
    let name = "n".repeat(LONGEST_NAME + 1);
    insta::assert_snapshot!(faults_in(&[&format!("{name} = rot90(I)"), &format!("O = {name}({name})")]), @"
    line 2, column 5: syntax: the name `nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…` has 101 characters, and a name has at most 100
    line 3, column 9: syntax: the name `nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…` has 101 characters, and a name has at most 100
    ");
    let name = "n".repeat(LONGEST_NAME);
    insta::assert_snapshot!(faults_in(&[&format!("O = rot90({name})")]), @"line 2, column 15: unknown-name: `nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…` is not a primitive, a constant or a line above");
    let many = "    x = y(I)\n".repeat(500);
    assert_eq!(parse(&format!("def solve_a(I):\n{many}    return O\n")).unwrap_err().len(), MOST_FAULTS);
}

#[test]
fn lines_that_cannot_fail_and_do_not_matter_are_not_in_the_body() {
    let plain = body(
        "def solve_a(I):\n    x1 = objects(I, T, F, T)\n    x2 = merge(x1)\n    O = fill(I, TWO, x2)\n    return O\n",
    );
    for dead in [
        "rot90(I)",
        "height(I)",
        "double(TWO)",
        "palette(I)",
        "hsplit(I, THREE)",
        "compose(rot90, hmirror)",
        "objects(I, F, F, F)",
        "apply(size, x1)",
        "order(x1, height)",
        "sizefilter(x1, ONE)",
        "rbind(fill, I)",
        "canvas(ZERO, UNITY)",
        "asobject(I)",
        "size(I)",
        "upscale(I, TWO)",
        "vconcat(I, I)",
        "initset(I)",
        "mapply(toindices, x1)",
        "mostcolor(I)",
        "tophalf(I)",
        "colorfilter(x1, ONE)",
        "subtract(UNITY, TWO)",
        "divide(I_HEIGHT, TWO)",
        "repeat(I, TWO)",
        "frontiers(I)",
        "trim(I)",
        "shift(x2, DOWN)",
        "cover(I, x2)",
        "move(I, x2, UP)",
        "power(rot90, TWO)",
        "partition(I)",
        "branch(T, I, x1)",
    ] {
        let dead = dead.replace("I_HEIGHT", "x8");
        let text = format!(
            "def solve_a(I):\n    x8 = height(I)\n    x1 = objects(I, T, F, T)\n    x2 = merge(x1)\n    x9 = {dead}\n    \
             O = fill(I, TWO, x2)\n    return O\n"
        );
        assert_eq!(body(&text).text(), plain.text(), "{dead}");
    }
}

#[test]
fn lines_that_may_fail_are_guards_though_they_do_not_matter() {
    let plain = body("def solve_a(I):\n    x1 = ofcolor(I, TWO)\n    O = fill(I, TWO, x1)\n    return O\n");
    for dead in [
        "first(x1)",
        "divide(ONE, ZERO)",
        "uppermost(x1)",
        "rot90(TWO)",
        "subgrid(x1, I)",
        "rbind(I, I)",
        "power(rot90, ZERO)",
        "hsplit(I, ZERO)",
        "argmax(x1, first)",
        "apply(rot90, x1)",
        "hmirror(x1)",
        "interval(ONE, TWO, ZERO)",
        "mostcolor(x1)",
        "greater(I, ONE)",
        "downscale(I, ZERO)",
        "insert(ONE, I)",
        "cellwise(I, I, ONE)",
        "extract(I, identity)",
        "inbox(x1)",
        "increment(I)",
        "maximum(compose)",
        "valmax(x1, first)",
        "papply(rot90, I, I)",
        "x8(TWO)",
        "x8(x8)",
        "power(I, ONE)",
    ] {
        let text = format!(
            "def solve_a(I):\n    x8 = compose(rot90, identity)\n    x1 = ofcolor(I, TWO)\n    x9 = {dead}\n    \
             O = fill(I, TWO, x1)\n    return O\n"
        );
        let body = body(&text);
        assert_ne!(body.digest(), plain.digest(), "{dead}");
        let guards: Vec<u32> = body.nodes.iter().filter(|node| node.guard).map(|node| node.line).collect();
        assert_eq!(guards.last(), Some(&4), "{dead}");
        assert_eq!(body.nodes[body.output as usize].line, 5);
    }
}

#[test]
fn guards_come_in_one_order_and_what_they_need_comes_with_them() {
    let lines = ["x1 = ofcolor(I, TWO)", "x2 = first(x1)", "x3 = rot90(ONE)", "x4 = rot90(x3)", "x5 = hmirror(I)"];
    let orders = [[0, 1, 2, 3, 4], [2, 3, 4, 0, 1], [4, 2, 0, 3, 1], [0, 2, 4, 1, 3]];
    let bodies = orders.map(|order| {
        let lines: Vec<&str> = order.iter().map(|at| lines[*at]).collect();
        body(&format!("def solve_a(I):\n    {}\n    O = rot90(I)\n    return O\n", lines.join("\n    ")))
    });
    for other in &bodies[1..] {
        assert_eq!(other.text(), bodies[0].text());
    }
    assert_eq!(bodies[0].size(), 5);
    // What a guard needs may be the result itself.
    let needed =
        body("def solve_a(I):\n    x1 = rot90(I)\n    x2 = subtract(x1, ONE)\n    O = rot90(I)\n    return O\n");
    assert_eq!((needed.size(), needed.output), (2, 0));
    assert_eq!(body(&needed.text()).digest(), needed.digest());
}

#[test]
fn programs_that_say_something_else_have_another_body() {
    let texts = [
        "O = subtract(ONE, TWO)",
        "O = subtract(TWO, ONE)",
        "O = rot90(I)",
        "O = identity(rot90)",
        "O = astuple(ONE, ZERO)",
        "O = astuple(DOWN, ZERO)",
        "O = compose(rot90, I)",
        "O = compose(I, rot90)",
    ];
    let digests: std::collections::HashSet<String> =
        texts.iter().map(|text| body(&format!("def solve_a(I):\n    {text}\n    return O\n")).digest()).collect();
    assert_eq!(digests.len(), texts.len());
    // Truth is an integer, and so is another way to write one.
    let truth = body("def solve_a(I):\n    O = astuple(T, F)\n    return O\n");
    assert_eq!(truth.digest(), body("def solve_a(I):\n    O = astuple(ONE, ZERO)\n    return O\n").digest());
}

#[test]
fn functions_of_functions_are_reduced_in_no_time() {
    for line in [
        "compose(x{0}, x{0})",
        "fork(x{0}, x{0}, x{0})",
        "rbind(x{0}, x{0})",
        "astuple(x{0}, x{0})",
        "power(x{0}, TEN)",
    ] {
        let mut text = "def solve_a(I):\n    x0 = compose(rot90, rot90)\n".to_owned();
        for at in 0..900 {
            text += &format!("    x{} = {}\n", at + 1, line.replace("{0}", &at.to_string()));
        }
        let body = body(&format!("{text}    y = x900(I)\n    O = rot90(I)\n    return O\n"));
        assert!(body.size() >= 1);
    }
}

proptest! {
    #[test]
    fn no_text_is_too_odd_to_be_read_or_refused(text in "(?s).{0,200}") {
        check_any(&text)?;
    }

    #[test]
    fn no_text_of_the_words_of_the_language_is_too_odd(words in proptest::collection::vec(0..WORDS.len(), 0..60)) {
        check_any(&words.iter().map(|at| WORDS[*at]).collect::<String>())?;
    }

    #[test]
    fn a_good_text_with_slips_is_read_or_refused(seed: u64, slips in 1..4usize) {
        let mut random = jackfield_plugin_api::Random::new(seed);
        let mut text: Vec<char> = GOOD.chars().collect();
        for _ in 0..slips {
            let at = random.below(text.len() as u64) as usize;
            let word = WORDS[random.below(WORDS.len() as u64) as usize];
            let end = (at + random.below(6) as usize).min(text.len());
            text.splice(at..end, word.chars());
        }
        check_any(&text.into_iter().collect::<String>())?;
    }
}

const GOOD: &str = "def solve_a1(I):\n    x1 = objects(I, T, F, T)\n    x2 = rbind(bordering, I)\n    x3 = mfilter(x1, x2)\n    \
    x4 = chain(size, first, identity)\n    x5 = x4(x3)\n    O = fill(I, ONE, x3)\n    return O\n";

const WORDS: [&str; 32] = [
    "def ", "solve", "_", "a1", "(", ")", "I", ":", "\n", "    ", "x1", "x2", " = ", "rot90", "fill", ",", "TWO", "UP",
    "O", "return ", "#", "\t", "\r", "\u{feff}", "é", "9", "-", "\"", "\u{1b}", "fork", "\0", "if",
];

/// A text is read, and read again as it is printed, or refused where there is something to refuse.
fn check_any(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Ok(program) => {
            let printed = parse(&program.to_string()).expect("what is printed is read");
            prop_assert_eq!(printed.to_string(), program.to_string());
            let body = canonical(&program);
            prop_assert_eq!(canonical(&parse(&body.text()).expect("a body is read")).text(), body.text());
        }
        Err(faults) => {
            prop_assert!(!faults.is_empty() && faults.is_sorted_by_key(|fault| (fault.line, fault.column)));
            for fault in faults {
                let line = text.split('\n').nth(fault.line as usize - 1).unwrap_or_default();
                prop_assert!(fault.column as usize <= line.chars().count() + 1, "{}", fault);
                prop_assert!(!fault.message.chars().any(char::is_control) && fault.message.len() < 400);
            }
        }
    }
    Ok(())
}
