//! What the page says of a search.

use crate::{
    pareto_front::valley_of,
    report::{
        HOSTILE,
        browser::{View, look},
        loads_nothing, page, rows,
    },
    support::{jackfield, run_command},
};

const POLICY: &str = "count = 60\n[search]\nuse = \"tpe\"\nwith = { startup = 20, candidates = 24 }";
const SPACE: &str = "\"look.milliseconds\" = [0, 1, 2]\n\"look.depth\" = { min = 1, max = 8, integer = true }";
const LOOK: &str = "with = { x = 0.5, fail_at = [7] }";

#[test]
fn the_trials_of_a_search_are_drawn_with_the_pareto_front_among_them() {
    let search = "minimize = [\"look.loss\", \"look.cost\"]";
    let pipeline = valley_of(POLICY, search, SPACE, LOOK);
    let run = pipeline.run().expect_code(3);
    let page = page(&run.folder());
    loads_nothing(&page);
    assert!(page.contains("picked the values of 60 trials: 59 complete, 1 failed."), "the counts");
    let front = rows(&page, "Trials on the Pareto front");
    assert!(front.len() > 3, "{front:?}");
    // The best by the first objective comes first, and what is better there is worse in the other.
    let number = |row: &[String], at: usize| row[at].parse::<f64>().expect("a number");
    assert!(front.windows(2).all(|pair| number(&pair[0], 2) <= number(&pair[1], 2)), "{front:?}");
    assert!(front.windows(2).all(|pair| number(&pair[0], 3) >= number(&pair[1], 3)), "{front:?}");
    // A point a trial in each drawing: the front among them.
    let drawing =
        page.split("id=\"trials-0-1-t\"").nth(1).and_then(|rest| rest.split("</svg>").next()).expect("a drawing");
    assert_eq!(drawing.matches("class=\"on-front\"").count(), front.len());
    assert_eq!(drawing.matches("class=\"beaten\"").count(), 59 - front.len());
    for title in
        ["look.loss by trial", "Hypervolume by trial", "look.cost by look.depth", "look.loss by look.milliseconds"]
    {
        assert!(page.contains(&format!(">{title}</title>")), "{title}");
    }
    let file = run.folder().join("report.html");
    for (picture, is_dark) in [("search-light.png", false), ("search-dark.png", true)] {
        let dom = look(&file, &View { picture, window: (1240, 5200), is_dark });
        assert!(dom.contains("data-script=\"ready\"") && !dom.contains("data-violation"));
    }
}

#[test]
fn with_one_objective_the_best_are_listed_and_pruned_trials_counted() {
    let search = "minimize = [\"look.loss\"]\nreport = [\"first.loss\"]";
    let first = "[stages.first]\nuse = \"odd/landscape\"\nin = { trial = \"input.trial\" }\nwith = { x = 0.5 }";
    let stages = format!("{LOOK}\n{first}");
    let pipeline = valley_of(POLICY, search, "\"first.x\" = { min = 0.0, max = 1.0 }", &stages);
    let run = pipeline.run().expect_code(3);
    let page = page(&run.folder());
    let best = rows(&page, "The best trials");
    assert_eq!(best.len(), 10);
    let front = run_command(jackfield().arg("front").arg(run.folder()).arg("--json")).expect_code(0).json();
    let pruned = front["pruned"].as_u64().expect("a count");
    assert!(pruned > 0 && page.contains(&format!(", {pruned} pruned, {} failed.", front["failed"])), "{pruned}");
    // There is nothing of it to take out.
    let trial = front["trials"].as_array().and_then(|all| all.iter().find(|trial| trial["state"] == "pruned"));
    let item = trial.and_then(|trial| trial["item"].as_str()).expect("a pruned trial");
    let said = run_command(jackfield().arg("export").arg(run.folder()).args([item, "--to", "nowhere"])).expect_code(2);
    assert!(
        said.stderr.contains(&format!("item `{item}` of run ")) && said.stderr.contains(" is pruned, "),
        "{said:?}"
    );
    assert!(!page.contains("trials-0-1-t"), "there is nothing to draw it against");
}

#[test]
fn names_of_objectives_and_values_are_text() {
    let name = serde_json::json!(HOSTILE);
    let search = format!("minimize = {{ {name} = \"look.loss\", cost = \"look.cost\" }}");
    let pipeline = valley_of(POLICY, &search, "", LOOK);
    let run = pipeline.run().expect_code(3);
    let page = page(&run.folder());
    loads_nothing(&page.replace("img src=x", ""));
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.matches("&lt;/script&gt;").count() > 4);
}
