//! What is to be warned of at every item is shown once, and counted.

use crate::support::{CommandOutput, Pipeline, jackfield, results, run_command, same_outcome};

const ITEMS: usize = 40;

/// A pipeline whose stages follow, with items of a file.
fn pipeline(input: &str, stages: &str, name: &str, items: &str) -> Pipeline {
    let toml = format!(
        "[pipeline]\nname = \"warnings\"\n[input]\nuse = \"{input}\"\npath = \"{name}\"\n\
         [stages.talk]\nuse = \"transcript\"\nin = {{ text = \"input.text\" }}\n{stages}"
    );
    Pipeline::new(&toml).with(name, items)
}

const ROUTED: &str = "[stages.phrases]\nuse = \"keyphrases\"\nin = \"talk\"\n\
     [stages.phrases.route]\nuse = \"ucb1\"\narms = [{ max = 3 }, { max = 9 }]\nreward = \"input.reward\"\n";

fn rewarded(reward: &str) -> CommandOutput {
    let items: String =
        (0..ITEMS).map(|_| format!("{{\"text\": \"Bo: The bus is late.\", \"reward\": {reward}}}\n")).collect();
    let run = pipeline("jsonl", ROUTED, "items.jsonl", &items).run().expect_code(0);
    assert_eq!(run.json()["items"]["ok"], ITEMS, "{reward}");
    run
}

fn warnings(run: &CommandOutput) -> Vec<&str> {
    run.stderr.lines().filter(|line| line.contains("WARN")).collect()
}

#[test]
fn rewards_that_a_policy_does_not_take_are_told_once_and_counted() {
    let run = rewarded("7");
    let warnings = warnings(&run);
    assert_eq!(warnings.len(), 2, "{}", run.stderr);
    assert!(
        warnings[0].contains("does not learn from an outcome: ")
            && warnings[0].contains("the reward 7 lies outside 0 to 1")
    );
    assert!(warnings[1].contains("did not learn from 40 of 40 outcomes"), "{}", run.stderr);
}

#[test]
fn rewards_that_are_not_numbers_are_told_once_and_counted() {
    for (reward, shown) in [("\"good\"", "`\"good\"`"), ("[1]", "`[1]`"), ("\"NaN\"", "`\"NaN\"`")] {
        let run = rewarded(reward);
        let warnings = warnings(&run);
        assert_eq!(warnings.len(), 2, "{}", run.stderr);
        assert!(warnings[0].contains(&format!("the reward of an item is not learned from: {shown} is not a number")));
        assert!(warnings[1].contains("the reward of 40 items is not a number"), "{}", run.stderr);
    }
    // Nobody has judged these.
    assert!(warnings(&rewarded("null")).is_empty() && warnings(&rewarded("\"\"")).is_empty());
}

#[test]
fn a_reward_of_a_csv_file_is_a_number() {
    let items = format!("text,reward\n{}", "Bo: The bus is late.,0.5\n".repeat(ITEMS));
    let run = pipeline("csv", ROUTED, "items.csv", &items).run().expect_code(0);
    assert!(warnings(&run).is_empty(), "{}", run.stderr);
    assert_eq!(run.json()["routes"]["phrases"]["rewarded"], ITEMS);
}

#[test]
fn a_reward_that_a_stage_never_gives_as_a_number_is_refused_before_anything_runs() {
    let stages = ROUTED.replace("input.reward", "talk.segments");
    let items = "{\"text\": \"Bo: The bus is late.\"}\n";
    let refused = pipeline("jsonl", &stages, "items.jsonl", items).run().expect_code(2);
    assert!(refused.stdout.contains("a reward is a number, and `talk.segments` is not one"), "{}", refused.stdout);
}

#[test]
fn an_analyzer_of_english_warns_once_of_texts_in_another_language_and_fails_none() {
    let stages =
        "[stages.tasks]\nuse = \"actions\"\nin = \"talk\"\n[stages.words]\nuse = \"keyphrases\"\nin = \"talk\"\n";
    let german = "Bo: Wir sprechen über das Budget.\\nAnn: Ja, und das Budget ist noch nicht fertig.";
    let items: String = (0..ITEMS).map(|_| format!("{{\"text\": \"{german}\"}}\n")).collect();
    let pipeline = pipeline("jsonl", stages, "items.jsonl", &items);
    let calm = run_command(pipeline.command().args(["--jobs", "1"])).expect_code(0);
    let told = warnings(&calm);
    assert_eq!(told.len(), 2, "{}", calm.stderr);
    assert!(
        told[0].contains("a text is in another language than English") && told[0].contains("tasks"),
        "{}",
        calm.stderr
    );
    assert!(told[1].contains("40 times in all: a text is in another language than English"), "{}", calm.stderr);
    let first = &results(&calm.folder())[0]["outputs"]["words"]["keyphrases"][0]["phrase"];
    assert_eq!(first, "Budget");
    let busy = run_command(pipeline.command().args(["--jobs", "16"])).expect_code(0);
    same_outcome(&calm.folder(), &busy.folder());
}

#[test]
fn what_stages_could_not_read_stands_at_the_end_of_a_run_and_on_its_page() {
    let toml = "[pipeline]\nname = \"unread\"\n[input]\nuse = \"files\"\npath = \"*.txt\"\n\
         [stages.talk]\nuse = \"transcript\"\nin = { text = \"input.text\" }\n\
         [stages.decisions]\nuse = \"decisions\"\nin = \"talk\"\n[stages.tasks]\nuse = \"actions\"\nin = \"talk\"\n";
    let german = "Bo: Wir sprechen über das Budget und den Plan.\nAnn: Ja, und das Budget ist noch nicht fertig.\n";
    let english = "Bo: We talk about the budget and the plan.\nAnn: Yes, and the budget is not ready yet.\n";
    let pipeline = Pipeline::new(toml).with("a.txt", german).with("b.txt", english).with("c.txt", german);
    let mut shown = jackfield();
    shown.arg("run").arg(pipeline.path()).arg("--out").arg(pipeline.out());
    let shown = run_command(&mut shown).expect_code(0);
    let run = run_command(pipeline.command().args(["--jobs", "1"])).expect_code(0);
    let told = "warning: the text is in German, which is not read here, so that little or nothing is found \
                (decisions, tasks; 2 items)";
    assert!(shown.stderr.contains(told), "{}", shown.stderr);
    let lines = results(&run.folder());
    let warned = |line: usize| lines[line]["outputs"]["decisions"]["warnings"][0]["source"].clone();
    assert_eq!((warned(0), warned(1)), ("decisions".into(), serde_json::Value::Null));
    let folder = run.folder();
    run_command(jackfield().arg("report").arg(&folder)).expect_code(0);
    let page = std::fs::read_to_string(folder.join("report.html")).expect("the page");
    assert!(page.contains("id=\"h-warnings\"") && page.contains("the text is in German"), "a section of warnings");
}
