//! Programs that would take all there is: each reaches its limit, in every form, and harms no other.

use std::{fmt::Write as _, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    grids::{example, files, in_form, run, same},
    support::{Pipeline, result, results, same_outcome},
};

/// Lines of a program, made one from the other.
struct Lines {
    text: String,
    count: usize,
}

impl Lines {
    fn new() -> Lines {
        Lines { text: "def solve_deep(I):\n".to_owned(), count: 0 }
    }

    /// A line, in which `{}` is the name of another one. Gives its name.
    fn line(&mut self, call: &str, of: &str) -> String {
        self.count += 1;
        let name = format!("x{}", self.count);
        let _ = writeln!(self.text, "    {name} = {}", call.replace("{}", of));
        name
    }

    /// So many lines, each of the one before.
    fn lines(&mut self, call: &str, first: &str, count: usize) -> String {
        (0..count).fold(first.to_owned(), |of, _| self.line(call, &of))
    }

    fn end(mut self, call: &str) -> String {
        let _ = write!(self.text, "    O = {call}\n    return O\n");
        self.text
    }
}

/// Programs by name and outcome.
fn worst() -> Vec<(String, String, &'static str)> {
    let mut programs = Vec::new();
    let mut add = |name: &str, text: String, outcome| programs.push((name.to_owned(), text, outcome));

    let mut doubled = Lines::new();
    let last = doubled.lines("compose({}, {})", "vmirror", 60);
    add("loops", doubled.end(&format!("{last}(I)")), "limit:steps");
    let mut wide = Lines::new();
    let side = wide.lines("multiply({}, TEN)", "TEN", 7);
    let shape = wide.line("astuple({}, {})", &side);
    add("allocates", wide.end(&format!("canvas(ZERO, {shape})")), "limit:memory");
    let mut endless = Lines::new();
    let last = endless.line("power(vmirror, ZERO)", "");
    add("recurses", endless.end(&format!("{last}(I)")), "limit:depth");
    // A tree of this many leaves, all of them one value.
    let mut tree = Lines::new();
    let last = tree.lines("astuple({}, {})", "I", 60);
    add("branches", tree.end(&format!("first({last})")), "limit:memory");

    // Two trees that are equal, and never one: what compares them looks at all of both. Two trees fit in, and the time does not.
    for (name, asked, choice) in [
        ("matched", "rbind(sfilter, {m})", "both"),
        ("removed", "lbind(remove, {a})", "either"),
        ("contained", "lbind(contained, {a})", "both"),
        ("deduped", "dedupe", "both"),
        ("common", "mostcommon", "both"),
    ] {
        let mut trees = Lines::new();
        let a = trees.lines("astuple({}, {})", "I", 12);
        let other = trees.line("vmirror(I)", "");
        let other = trees.line("vmirror({})", &other);
        let b = trees.lines("astuple({}, {})", &other, 12);
        let both = trees.line(&format!("astuple({b}, {b})"), "");
        let m = trees.line(&format!("matcher(identity, {a})"), "");
        let asked = match asked.contains('(') {
            true => trees.line(&asked.replace("{m}", &m).replace("{a}", &a), ""),
            false => asked.to_owned(),
        };
        // What was found out is looked at, and the trees go on.
        let function = trees.line(&format!("fork({choice}, {asked}, identity)"), "");
        let last = trees.lines("compose({}, {})", &function, 60);
        add(&format!("equal-trees-{name}"), trees.end(&format!("{last}({both})")), "limit");
    }

    // Functions within functions, as deep as they may be called and deeper.
    for (name, call) in [
        ("fork", "fork(both, identity, {})"),
        ("fork-first", "fork(both, {}, identity)"),
        ("matcher", "matcher({}, T)"),
        ("left-bound", "lbind(either, ZERO)"),
    ] {
        let mut nested = Lines::new();
        let last = match name {
            "left-bound" => {
                let mut last = nested.line(call, "");
                for _ in 0..280 {
                    last = nested.line("fork(either, {}, {})", &last);
                }
                last
            }
            _ => nested.lines(call, "identity", 280),
        };
        add(&format!("{name}-of-functions"), nested.end(&format!("{last}(I)")), "limit:depth");
    }
    // What takes functions, within itself, on a value that is as deep.
    for (name, call) in [
        ("apply", "lbind(apply, {})"),
        ("mapply", "lbind(mapply, {})"),
        ("sfilter", "rbind(sfilter, {})"),
        ("mfilter", "rbind(mfilter, {})"),
        ("extract", "rbind(extract, {})"),
        ("order", "rbind(order, {})"),
        ("argmax", "rbind(argmax, {})"),
        ("argmin", "rbind(argmin, {})"),
        ("valmax", "rbind(valmax, {})"),
        ("valmin", "rbind(valmin, {})"),
    ] {
        let mut nested = Lines::new();
        let value = nested.lines("repeat({}, ONE)", "I", 280);
        let function = nested.lines(call, "identity", 280);
        add(&format!("{name}-within-itself"), nested.end(&format!("{function}({value})")), "limit:depth");
    }
    for (name, call) in
        [("papply", "lbind(papply, {})"), ("mpapply", "lbind(mpapply, {})"), ("prapply", "lbind(prapply, {})")]
    {
        let mut nested = Lines::new();
        let value = nested.lines("repeat({}, ONE)", "I", 280);
        let function = nested.lines(call, "astuple", 280);
        add(&format!("{name}-within-itself"), nested.end(&format!("{function}({value}, {value})")), "limit:depth");
    }

    // Values within values: too deep, and as deep as they may be, compared, sorted, put into sets.
    for (name, call) in [("tuples", "repeat({}, ONE)"), ("sets", "initset({})"), ("pairs", "astuple(ZERO, {})")] {
        let mut nested = Lines::new();
        let last = nested.lines(call, "I", 400);
        add(&format!("deep-{name}"), nested.end(&format!("first({last})")), "limit:depth");
        for (use_name, end) in [
            ("equal", "equality({a}, {b})"),
            ("contained", "contained({a}, {c})"),
            ("deduped", "dedupe({c})"),
            ("common", "mostcommon({c})"),
            ("sorted", "order({c}, identity)"),
            ("greatest", "argmax({c}, identity)"),
            ("removed", "remove({a}, {c})"),
            ("matched", "extract({c}, {m})"),
        ] {
            let mut nested = Lines::new();
            let a = nested.lines(call, "I", 290);
            // The same grid, made in another way.
            let other = nested.line("vmirror(I)", "");
            let other = nested.line("vmirror({})", &other);
            let b = nested.lines(call, &other, 290);
            let c = nested.line(&format!("astuple({a}, {b})"), "");
            let m = nested.line(&format!("matcher(identity, {b})"), "");
            let end = end.replace("{a}", &a).replace("{b}", &b).replace("{c}", &c).replace("{m}", &m);
            add(&format!("deep-{name}-{use_name}"), nested.end(&end), "not-a-grid");
        }
    }
    programs
}

/// The example's pipeline with one task, `deep`, and these programs beside two good ones.
fn pipeline(programs: &[(String, String, &str)], form: Option<&str>) -> Pipeline {
    let toml = example("pipeline.toml", None);
    let toml = fs::read_to_string(toml.path().join("pipeline.toml")).expect("the example");
    let task = json!({
        "train": [{ "input": [[1, 2], [3, 4]], "output": [[2, 1], [4, 3]] }],
        "test": [{ "input": [[5, 6]], "output": [[6, 5]] }],
    });
    let mut pipeline = in_form(&toml, form)
        .with("tasks/deep.json", task.to_string())
        .with("programs/good.txt", "def solve_deep(I):\n    O = vmirror(I)\n    return O\n")
        .with("programs/zz-good.txt", "def solve_deep(I):\n    x1 = hmirror(I)\n    O = rot180(x1)\n    return O\n");
    for (name, text, _) in programs {
        pipeline = pipeline.with(&format!("programs/{name}.txt"), text);
    }
    pipeline
}

/// Outcomes on the demonstration, by program.
fn outcomes(folder: &Path) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let lines = results(folder);
    let scores = lines[0]["outputs"]["score"]["scores"].as_array().expect("scores");
    scores.iter().map(|score| (text(&score["name"]), text(&score["outcomes"][0]))).collect()
}

#[test]
fn the_worst_programs_reach_their_limits_in_every_form_and_harm_no_other() {
    let programs = worst();
    let mut calm = Vec::new();
    for form in [None, Some("so"), Some("wasm")] {
        for (at, order) in ["ascending", "cpython"].into_iter().enumerate() {
            let pipeline = pipeline(&programs, form);
            let order = format!("params.order={order}");
            // However deep a user lets them go, the stack is never the limit.
            let depth =
                ["score", "validate"].map(|stage| format!("stages.{stage}.with.limits.depth={}", [1_000, 100_000][at]));
            let sets = [&*order, "params.steps=100000", "stages.canonical.with.most=1000", &depth[0], &depth[1]];
            let folder = run(&pipeline, &sets, &[]).expect_code(0).folder();
            let found = outcomes(&folder);
            let wanted =
                |name: &str| programs.iter().find(|(own, ..)| own == name).map_or("equal", |(.., outcome)| *outcome);
            for (name, outcome) in &found {
                // Which of the limits is not said where comparing and holding what is compared come to about the same.
                // In the order of CPython deep values are hashed too, which may be too much.
                let is_wanted = |wanted: &str| {
                    outcome == wanted
                        || (wanted == "limit" && outcome.starts_with("limit:"))
                        || (wanted == "not-a-grid" && at == 1 && outcome == "limit:steps")
                };
                assert!(is_wanted(wanted(name)), "{name}, {form:?}, {order}: {outcome}, not {}", wanted(name));
            }
            assert_eq!(found.len(), programs.len() + 2);
            match calm.get(at) {
                None => calm.push((pipeline, folder)),
                Some((_, calm)) => same(calm, &folder),
            }
        }
    }
    let alone = pipeline(&[], None);
    let folder = run(&alone, &["params.steps=100000"], &[]).expect_code(0).folder();
    for member in ["solved", "tests_right", "summary"] {
        let keep = |folder: &Path| results(folder)[0]["outputs"]["keep"][member].clone();
        assert_eq!(keep(&folder), keep(&calm[0].1), "{member}");
    }
    assert_eq!(results(&folder)[0]["outputs"]["keep"]["kept"][0], results(&calm[0].1)[0]["outputs"]["keep"]["kept"][0]);
}

/// All that the caches below a folder hold.
fn kept(folder: &Path) -> String {
    let mut kept = String::new();
    for file in glob::glob(&format!("{}/.jackfield/**/*", folder.display())).expect("a pattern") {
        let file = file.expect("a path");
        if file.is_file() {
            kept.push_str(&String::from_utf8_lossy(&fs::read(file).expect("read")));
        }
    }
    kept
}

#[test]
fn a_limit_is_never_kept_and_other_limits_orders_and_tasks_find_nothing_of_it() {
    let pipeline = example("pipeline.toml", None);
    let little = ["params.steps=12"];
    let limited =
        |folder: &Path| results(folder).iter().filter(|line| line.to_string().contains("limit:steps")).count();
    let first = run(&pipeline, &little, &[]).expect_code(0).folder();
    assert!(limited(&first) >= 3, "only {} tasks have a program that reaches its limit", limited(&first));
    let cached = kept(pipeline.path());
    assert!(cached.contains("equal") && !cached.contains("limit:"), "outcomes are kept, and a limit is none");
    same(&first, &run(&pipeline, &little, &[]).expect_code(0).folder());

    // Whatever is in the caches by now, a run comes out as it does without.
    let cpython = ["params.order=cpython"];
    for sets in [&[][..], &cpython, &little] {
        let fresh = example("pipeline.toml", None);
        let fresh = run(&fresh, sets, &[]).expect_code(0).folder();
        same(&fresh, &run(&pipeline, sets, &[]).expect_code(0).folder());
        assert_eq!(limited(&fresh) >= 3, sets == little, "{sets:?}");
    }
    // Another task of the same name.
    let mirror = files("tasks").into_iter().find(|(name, _)| name == "mirror.json").expect("a task").1;
    let mut mirror: Value = serde_json::from_str(&mirror).expect("a task");
    mirror["train"][0]["output"] = json!([[0]]);
    mirror["test"][0]["output"] = json!([[0]]);
    let pipeline = pipeline.with("tasks/mirror.json", mirror.to_string());
    let fresh = example("pipeline.toml", None).with("tasks/mirror.json", mirror.to_string());
    let fresh = run(&fresh, &[], &[]).expect_code(0).folder();
    let again = run(&pipeline, &[], &[]).expect_code(0).folder();
    same_outcome(&fresh, &again);
    assert_eq!(result(&again, "mirror")["outputs"]["keep"]["solved"], false);
}
