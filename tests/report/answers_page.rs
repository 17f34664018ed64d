//! `jackfield report --answers`: the page of all items with what each stage answered.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use jackfield_engine::{Cancel, Silent};
use serde_json::{Value, json};

use super::{
    HOSTILE,
    browser::{View, look, pictures},
    loads_nothing,
    report_fixture::Place,
};
use crate::support::{jackfield, run_command};

const PIPELINE: &str = r#"
[pipeline]
name = "graded"
seed = 7

[input]
use = "jsonl"
path = "queries.jsonl"
id = "id"

[stages.say]
use = "report-fixture"
in = { text = "input.text" }
with = { role = "say", words = "It is" }

[stages.grade]
use = "report-fixture"
in = { text = "say.text" }
with = { role = "judge" }
"#;

/// Writes the page of a run, beside another if there is one, and gives its text.
#[track_caller]
fn answers_page(run: &Path, against: Option<&Path>) -> String {
    let mut command = jackfield();
    command.args(["report", "--answers"]).arg(run);
    if let Some(other) = against {
        command.arg("--against").arg(other);
    }
    let said = run_command(&mut command).expect_code(0);
    let file = run.join("answers.html");
    assert_eq!((said.stdout.trim_end(), said.stderr.as_str()), (&*file.to_string_lossy(), ""));
    fs::read_to_string(file).expect("a page")
}

/// What a page has for its script.
#[track_caller]
fn data(page: &str, id: &str) -> Value {
    let data = page.split(&format!("<script type=\"application/json\" id=\"{id}\">")).nth(1).expect("data");
    serde_json::from_str(data.split("</script>").next().expect("its end")).expect("JSON")
}

fn line(id: &str, text: &str) -> String {
    format!("{}\n", json!({ "id": id, "text": text }))
}

#[test]
fn a_page_has_the_input_and_what_each_stage_answered() {
    let lines = line("short", "red") + &line("long", "blue and green") + &line("odd", "impossible");
    let place = Place::with_pipeline(PIPELINE, &lines);
    let (run, _) = place.run();
    let page = answers_page(&run, None);
    loads_nothing(&page);
    assert!(!page.contains(&*place.path().to_string_lossy()), "where it was run is nobody else's business");
    let (columns, texts) = (data(&page, "columns"), data(&page, "texts"));
    let text = |id: &Value| id.as_u64().map(|id| texts["texts"][id as usize].as_str().expect("a text").to_owned());
    let column = |ids: &Value| ids.as_array().expect("a column").iter().map(text).collect::<Vec<_>>();
    let some = |words: [&str; 3]| words.map(|word| Some(word.to_owned())).to_vec();
    assert_eq!(column(&columns["id"]), some(["short", "long", "odd"]));
    assert_eq!(column(&columns["state"]), some(["ok", "ok", "partial"]));
    let [say, grade] = [&columns["stages"][0]["own"], &columns["stages"][1]["own"]];
    assert_eq!((say["status"].as_str(), grade["status"].as_str()), (Some("oof"), Some("ooo")));
    let said = column(&say["text"]);
    assert_eq!(said[..2], [Some("It is red".to_owned()), Some("It is blue and green".to_owned())]);
    assert_eq!(said[2].as_deref(), Some("invalid-input: nothing is to be said of impossible"));
    assert_eq!((&grade["score"], &grade["passed"]), (&json!([0.9, 0.9, 0.0]), &json!("110")));
    assert_eq!(column(&columns["input"])[0].as_deref(), Some("text\u{7f}red\nid\u{7f}short"));
    assert!(page.contains("<dd>67 % passed</dd>") && page.contains("mean score 0.6"));
    assert_eq!(page, answers_page(&run, None), "the same record is the same page");

    // The input is gone: what is on record is there nonetheless.
    fs::remove_file(place.path().join("queries.jsonl")).expect("removed");
    let said = run_command(jackfield().args(["report", "--answers"]).arg(&run)).expect_code(0);
    assert!(said.stderr.starts_with("note: the input of the run is not on the page: "), "{said:?}");
}

#[test]
fn prompts_are_on_the_page_if_they_are_on_record() {
    let asks = "model = \"writer\"\nwith = { role = \"say\", asks = true }\n[model.writer]\nuse = \"mock\"";
    let pipeline = PIPELINE.replace("with = { role = \"say\", words = \"It is\" }", asks);
    let place = Place::with_pipeline(&pipeline, &line("one", "How are\u{202e} you?"));
    let (silent, _) = place.run();
    let page = answers_page(&silent, None);
    assert_eq!(data(&page, "columns")["exchanges"], json!([[]]));
    assert!(page.contains("No prompt is on the record of this run."));

    let (run, _) = place.run_with(&["record.calls=full"], &Cancel::default(), &mut Silent);
    let page = answers_page(&run, Some(&silent));
    assert!(!page.contains("No prompt is on the record of this run."));
    let (columns, texts) = (data(&page, "columns"), data(&page, "texts"));
    let text = |id: &Value| texts["texts"][id.as_u64().expect("a text") as usize].as_str().expect("a text").to_owned();
    let [exchange] = columns["exchanges"][0].as_array().expect("exchanges").as_slice() else { panic!("{columns}") };
    let messages = exchange["messages"].as_array().expect("messages");
    let messages: Vec<_> = messages.iter().map(|message| (text(&message[0]), text(&message[1]))).collect();
    let wanted = [("system", "Be short."), ("user", "How are\\u{202e} you?")];
    assert_eq!(messages, wanted.map(|(role, words)| (role.to_owned(), words.to_owned())));
    assert!(text(&exchange["note"]).starts_with("writer · ") && !text(&exchange["answer"]).is_empty());
    assert_eq!(text(&exchange["stage"]), "say");
}

#[test]
fn ten_thousand_items_are_searched_filtered_and_compared_in_a_browser() {
    let mut lines = String::new();
    for place in 0..10_000 {
        let odd = if place % 500 == 7 { "impossible" } else { "question" };
        let rare = if place % 100 == 3 { "Needle" } else { "hay" };
        let text =
            format!("{odd} {place} {rare} {}", "a longer text, so that all of them do not fit. ".repeat(place % 60));
        let _ = write!(lines, "{}", line(&format!("item-{place}"), &text));
    }
    for place in 0..3 {
        let _ = write!(lines, "{}", line(&format!("{HOSTILE}{place}"), &format!("\u{202e}{HOSTILE}")));
    }
    let place = Place::with_pipeline(PIPELINE, &lines);
    let set = ["pipeline.max_in_flight=64"];
    let (before, _) = place.run_with(&set, &Cancel::default(), &mut Silent);
    let words = ["pipeline.max_in_flight=64", "stages.say.with.words=It was once"];
    let (run, _) = place.run_with(&words, &Cancel::default(), &mut Silent);
    let page = answers_page(&run, Some(&before));
    println!("{} bytes", page.len());
    assert!(page.len() < 15_000_000, "{}", page.len());
    loads_nothing(&page.replace("img src=x", ""));
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script>").count(), 3);
    assert!(!page.contains('\u{202e}'), "a character that turns text is written out");
    assert!(data(&page, "texts")["cut"].as_array().is_some_and(|cut| !cut.is_empty()));

    // What a reader does, done by a script that the page's own policy lets run by its nonce.
    let steps = r##"
        const report = {};
        const type = (words) => {
          const field = document.getElementById("search");
          field.value = words;
          const began = performance.now();
          field.dispatchEvent(new Event("input"));
          return [document.getElementById("count").textContent, performance.now() - began];
        };
        const choose = (id, value) => {
          const field = document.getElementById(id);
          field.value = value;
          field.dispatchEvent(new Event("change"));
          return document.getElementById("count").textContent;
        };
        const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        const rows = () => [...document.querySelectorAll("tr[data-item] a")].map((link) => link.textContent);
        report.rows = document.querySelectorAll("tr[data-item]").length;
        report.times = [];
        for (const word of ["needle", "e", "nothing of the kind", "\"it was once question 103 \"", "onerror"]) {
          const [count, time] = type(word);
          (report.found ??= []).push(count);
          report.times.push(time);
        }
        report.marked = document.querySelector("tr[data-item] mark").textContent;
        type("");
        report.partial = choose("state", "partial");
        choose("state", "");
        report.changed = choose("change", "changed");
        report.lost = choose("change", "no longer passed");
        choose("change", "");
        choose("order", "grade: score");
        report.lowest = document.querySelector("tr[data-item] .grade b").textContent;
        document.getElementById("clear").click();
        press("j");
        press("j");
        report.current = document.activeElement.textContent;
        location.hash = "#item=item-103";
        show();
        report.open = [document.getElementById("item").open, document.getElementById("item-name").textContent];
        report.ins = [...document.querySelectorAll("#item-body ins")].map((part) => part.textContent);
        report.del = [...document.querySelectorAll("#item-body del")].map((part) => part.textContent);
        location.hash = `#item=${encodeURIComponent(document.querySelector("#columns") && texts[columns.id[10000]])}`;
        show();
        report.hostile = document.getElementById("item-name").textContent;
        report.title = document.title.slice(0, 8);
        report.images = document.images.length;
        report.handlers = [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some(({ name }) => name.startsWith("on"))).length;
        report.labels = [...document.querySelectorAll("input, select, button")].filter((field) => !field.labels?.length && !field.textContent && !field.ariaLabel).length;
        document.documentElement.dataset.report = JSON.stringify(report);
    "##;
    let dom = look(
        &with_steps(&run, &page, steps),
        &View { picture: "many-answers.png", window: (1400, 900), is_dark: false },
    );
    assert!(dom.contains("data-script=\"ready\""), "{}", dom.chars().take(400).collect::<String>());
    assert!(!dom.contains("data-violation"), "the page breaks its own policy");
    let report = dom.split("data-report=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a report");
    let report: Value = serde_json::from_str(
        &report.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
    )
    .expect("JSON");
    println!("{report:#}");
    assert!(report["rows"].as_u64().is_some_and(|rows| (5..60).contains(&rows)), "only what is seen is there");
    assert_eq!(
        report["found"],
        json!(["100 of 10,003 items", "10,003 items", "0 of 10,003 items", "1 of 10,003 items", "3 of 10,003 items"])
    );
    assert_eq!(report["marked"], "onerror");
    assert_eq!(
        (&report["partial"], &report["changed"]),
        (&json!("20 of 10,003 items"), &json!("9,983 of 10,003 items"))
    );
    assert!(
        report["lost"].as_str().is_some_and(|count| count.ends_with(" of 10,003 items") && !count.starts_with("0 "))
    );
    assert_eq!((&report["lowest"], &report["current"]), (&json!("0"), &json!("item-1")));
    assert_eq!(report["open"], json!([true, "item-103"]));
    assert_eq!((&report["ins"][0], &report["del"][0]), (&json!("was once "), &json!("is")));
    assert_eq!(report["hostile"], format!("{HOSTILE}0"));
    assert_eq!((&report["title"], &report["images"], &report["handlers"]), (&json!("graded ·"), &json!(0), &json!(0)));
    assert_eq!(report["labels"], 0, "every control has a name");
    fs::copy(run.join("answers.html"), pictures().join("many-answers.html")).expect("copied");
}

/// The page with a script of the test's own behind its own script, and its policy, which lets that run.
fn with_steps(run: &Path, page: &str, steps: &str) -> PathBuf {
    let guarded = page.replacen("script-src ", "script-src 'nonce-steps' ", 1);
    let file = run.join("steps.html");
    fs::write(&file, guarded.replace("</body>", &format!("<script nonce=\"steps\">{steps}</script></body>")))
        .expect("written");
    file
}
