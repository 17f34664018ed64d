//! `jackfield report`: the page about a run.

mod answers_page;
pub mod browser;
mod directions;
mod report_fixture;
mod search;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use jackfield_engine::{Cancel, Event, Observer};
use jackfield_store::{RunFolder, RunJson, RunState};
use serde_json::json;

use self::{
    browser::{View, look, pictures},
    report_fixture::{Place, queries},
};
use crate::support::{Pipeline, jackfield, root, run_command};

/// Writes the page of a run and gives its text.
#[track_caller]
fn page(run: &Path) -> String {
    let said = run_command(jackfield().arg("report").arg(run)).expect_code(0);
    let file = run.join("report.html");
    assert_eq!((said.stdout.trim_end(), said.stderr.as_str()), (&*file.to_string_lossy(), ""));
    fs::read_to_string(file).expect("a page")
}

/// The rows of a table by its label: the texts of their cells.
#[track_caller]
fn rows(page: &str, label: &str) -> Vec<Vec<String>> {
    let table = page.split(&format!("aria-label=\"{label}\">")).nth(1).unwrap_or_else(|| panic!("no table `{label}`"));
    let body = table.split("<tbody>").nth(1).and_then(|body| body.split("</table>").next()).expect("a body");
    let text = |cell: &str| {
        let words: Vec<&str> =
            cell.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
        words.concat().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let cells = |row: &str| {
        let row = row.replace("<th", "<td");
        row.split("<td").skip(1).map(|cell| text(&format!("<{cell}"))).collect()
    };
    body.split("<tr").skip(1).map(cells).collect()
}

#[track_caller]
fn loads_nothing(page: &str) {
    for reference in ["http:", "https:", "src=", "@import", "//cdn", "<link", "<iframe", "<img", "<object", "<embed"] {
        let found = page.find(reference).map(|at| page[at.saturating_sub(40)..].chars().take(120).collect::<String>());
        assert!(found.is_none(), "{reference}: {found:?}");
    }
    assert_eq!(page.matches("url(").count(), page.matches("url(#").count());
}

#[test]
fn a_page_shows_what_is_on_record() {
    let place = Place::new(&queries(360, 120));
    let (run, summary) = place.run();
    assert_eq!(summary.state, RunState::Partial);
    let page = page(&run);
    loads_nothing(&page);
    // Where it was run is nobody else's business.
    assert!(!page.contains(&*place.path().to_string_lossy()));

    let latency = rows(&page, "Latency by stage");
    let stages: Vec<&str> = latency.iter().map(|row| row[0].as_str()).filter(|name| !name.is_empty()).collect();
    assert_eq!(stages, ["1 domain", "2 retrieve", "3 feedback", "4 answer", "5 explain", "6 grade"]);

    // Money: as the run itself counted it.
    let cost = rows(&page, "Tokens and cost by stage and model");
    let (small, large) = (&summary.models["small"], &summary.models["large"]);
    let of = |model: &str| cost.iter().find(|row| row[1] == model).expect("a row").clone();
    let digits = |text: &str| text.replace(',', "").parse::<u64>().expect("a number");
    assert_eq!((digits(&of("small")[3]), digits(&of("small")[8])), (small.calls, small.tokens_in));
    assert_eq!((digits(&of("large")[3]), digits(&of("large")[9])), (large.calls, large.tokens_out));
    assert_eq!(cost.last().expect("the sum")[10], format!("{:.4} USD", small.usd + large.usd));
    assert_eq!(rows(&page, "Budgets by model")[0][1], "0.0500 USD");

    // Caches: two of three queries have been asked before.
    let hits = rows(&page, "Hits and misses by stage");
    let feedback = hits.iter().find(|row| row[0] == "3 feedback").expect("a row");
    assert_eq!(digits(&feedback[3]) + digits(&feedback[4]), 360);
    assert!(digits(&feedback[3]) >= 180, "{feedback:?}");
    assert!(hits.iter().any(|row| row[1] == "answers of large" && row[2].contains("memory")), "{hits:?}");
    let tiers: Vec<(String, String)> =
        rows(&page, "Hits by cache and tier").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let wanted = [("evidence", "1. memory"), ("evidence", "2. sqlite"), ("explanations", "1. memory")];
    assert_eq!(tiers, wanted.map(|(cache, tier)| (cache.to_owned(), tier.to_owned())));

    // Failures: all that there were.
    let failed: u64 = summary.stages.values().map(|stage| stage.failed).sum();
    let told: u64 = rows(&page, "Failures by cause").iter().map(|row| digits(&row[3])).sum();
    assert!(failed > 0 && told == failed, "{told} of {failed}");

    // Routes: as many as the run counted, and it has learned.
    let arms = rows(&page, "How the arms stand at the end");
    let used = |context: &str, arm: &str| {
        // The first row of a context has its name, the others go on from there.
        let first = arms.iter().position(|row| row[0] == context).expect("the context");
        let row = arms[first..].iter().find(|row| row.iter().take(2).any(|cell| cell == arm)).expect("the arm");
        digits(row.iter().skip_while(|cell| *cell != arm).nth(1).expect("a count"))
    };
    for arm in ["alpha=0.2", "alpha=0.5", "alpha=0.8"] {
        let all: u64 = ["finance", "healthcare", "travel"].map(|context| used(context, arm)).iter().sum();
        assert_eq!(all, summary.routes["retrieve"].arms.get(arm).copied().unwrap_or_default());
    }
    assert!(used("finance", "alpha=0.8") > used("finance", "alpha=0.2"));
    assert!(used("healthcare", "alpha=0.2") > used("healthcare", "alpha=0.8"));
    // One passage is cheapest, and eight, wide, the most diverse: nothing beats them. A poor one is beaten by its like.
    let points = rows(&page, "Objectives by arm");
    let on_front = |arm: &str| points.iter().find(|row| row[1] == arm).and_then(|row| row.last()).map(String::as_str);
    assert_eq!(on_front("passages=1"), Some("yes"), "{points:?}");
    assert_eq!(on_front("passages=8,wide=true"), Some("yes"), "{points:?}");
    assert_eq!(on_front("passages=5,poor=true"), Some("no"), "{points:?}");

    assert_eq!(page, self::page(&run), "the same record is the same page");
    assert!(page.len() < 400_000, "{}", page.len());
}

#[test]
fn a_page_opens_in_a_browser_by_day_and_by_night_wide_and_narrow() {
    let place = Place::new(&queries(360, 120));
    let (run, _) = place.run();
    let page = page(&run);
    let file = run.join("report.html");
    fs::copy(&file, pictures().join("answers.html")).expect("copied");
    for (picture, window, is_dark) in [
        ("answers-light.png", (1240, 6800), false),
        ("answers-dark.png", (1240, 6800), true),
        ("answers-narrow.png", (500, 9000), false),
    ] {
        let dom = look(&file, &View { picture, window, is_dark });
        assert!(dom.contains("data-script=\"ready\""), "{}", dom.chars().take(400).collect::<String>());
        assert!(!dom.contains("data-violation"), "the page breaks its own policy");
        assert_eq!(dom.matches("class=\"turns\"").count(), page.matches("data-cube>").count());
    }

    // The keyboard turns it, and turns it back.
    let ideal = |dom: &str| {
        let at = dom.find("class=\"ideal\"").expect("an ideal point");
        dom[at..].split("transform=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a place").to_owned()
    };
    let press = |keys: &[&str]| {
        let script = "for (const key of KEYS) document.querySelector('[data-cube] svg')\
                      .dispatchEvent(new KeyboardEvent('keydown', { key }));";
        let file = unguarded(&run, &page, &script.replace("KEYS", &json!(keys).to_string()));
        ideal(&look(&file, &View { picture: "turned.png", window: (800, 600), is_dark: false }))
    };
    let (still, turned, back) =
        (press(&[]), press(&["ArrowLeft", "ArrowUp"]), press(&["ArrowLeft", "ArrowUp", "Home"]));
    assert_ne!(still, turned);
    assert_eq!(still, back);
}

/// The page with a script of the test's own, which its policy would not let run, and without the policy.
fn unguarded(run: &Path, page: &str, script: &str) -> PathBuf {
    let policy = page.split("<meta http-equiv").nth(1).and_then(|rest| rest.split_once('>')).expect("a policy").0;
    let text = page.replace(&format!("<meta http-equiv{policy}>"), "");
    let file = run.join("unguarded.html");
    fs::write(&file, text.replace("</body>", &format!("<script>{script}</script></body>"))).expect("written");
    file
}

/// What would run if it were not escaped: as text, in an attribute, in a script.
pub const HOSTILE: &str = r#"</script></title></style></svg><img src=x onerror="document.title='owned'">'" onload='x"#;

#[test]
fn what_comes_from_outside_is_escaped_text() {
    let mut lines = queries(6, 6);
    for place in 0..3 {
        let id = format!("{HOSTILE}{place}");
        let _ = writeln!(lines, "{}", json!({ "id": id, "text": format!("impossible {HOSTILE}"), "kind": HOSTILE }));
    }
    let place = Place::new(&lines);
    let hostile_arm =
        format!("stages.retrieve.route.arms=[{{ alpha = 0.2, note = {} }}, {{ alpha = 0.5 }}]", json!(HOSTILE));
    let (run, summary) = place.run_with(&[&hostile_arm], &Cancel::default(), &mut jackfield_engine::Silent);
    assert_eq!(summary.state, RunState::Partial);
    let page = page(&run);
    loads_nothing(&page.replace("img src=x", ""));
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("</script>").count(), 1);
    // It is there: as the item, as the message, as the context, as the arm.
    assert!(page.matches("&lt;/script&gt;").count() > 8);
    let failures = rows(&page, "Failures by cause");
    assert!(failures.iter().any(|row| row[2].contains("&lt;img src=x onerror=") && row[3] == "3"), "{failures:?}");

    let view = View { picture: "hostile.png", window: (1240, 3000), is_dark: false };
    let dom = look(&run.join("report.html"), &view);
    assert!(dom.contains("data-script=\"ready\"") && !dom.contains("data-violation"));
    // Not thanks to the page's policy alone.
    let count = "document.documentElement.dataset.odd = `${document.title.slice(0, 8)}, ${document.images.length} images, ${
        [...document.querySelectorAll('*')].filter((element) => [...element.attributes].some(({ name }) => name.startsWith('on'))).length
    } handlers`;";
    let dom = look(&unguarded(&run, &page, count), &view);
    assert!(
        dom.contains("data-odd=\"answers , 0 images, 0 handlers\""),
        "{}",
        dom.chars().take(300).collect::<String>()
    );
}

#[test]
fn ten_thousand_items_have_a_page_of_bounded_size() {
    // Each with an id and a failure of its own.
    let mut lines = String::new();
    for place in 0..10_000 {
        let text = format!("{} {}", if place % 2 == 0 { "impossible" } else { "question" }, "x".repeat(place % 300));
        let kind = format!("kind {}", place % 500);
        let query = json!({ "id": format!("{place}-{}", "i".repeat(120)), "text": text, "kind": kind });
        let _ = writeln!(lines, "{query}");
    }
    let place = Place::new(&lines);
    let fast = ["model.small.with.latency_ms=0", "model.large.with.latency_ms=0", "pipeline.max_in_flight=64"];
    let (run, summary) = place.run_with(&fast, &Cancel::default(), &mut jackfield_engine::Silent);
    assert_eq!(summary.items.total, 10_000);
    let began = std::time::Instant::now();
    let page = page(&run);
    println!("{} bytes in {:?}", page.len(), began.elapsed());
    assert!(page.len() < 1_000_000, "{}", page.len());
    assert_eq!(rows(&page, "Mean time of a call by quarter of the items").len(), 6);
    fs::copy(run.join("report.html"), pictures().join("many.html")).expect("copied");
    let dom = look(&run.join("report.html"), &View { picture: "many.png", window: (1240, 5200), is_dark: false });
    assert!(dom.contains("data-script=\"ready\"") && !dom.contains("data-violation"));
}

/// Interrupts after so many items.
struct Interrupt<'a>(u64, &'a Cancel);

impl Observer for Interrupt<'_> {
    fn on(&mut self, event: &Event<'_>) {
        if let Event::ItemDone { counts, .. } = event
            && counts.total == self.0
        {
            self.1.request();
        }
    }
}

#[test]
fn a_run_that_is_not_at_its_end_has_a_page_too() {
    let place = Place::new(&queries(60, 60));
    let cancel = Cancel::default();
    let (run, summary) = place.run_with(&[], &cancel, &mut Interrupt(20, &cancel));
    assert_eq!(summary.state, RunState::Interrupted);
    assert!(page(&run).contains("interrupted: it can be resumed"));

    // As a kill leaves it: no summary, no end.
    let held = RunFolder::hold(run.clone()).expect("the run");
    let record = held.read_run().expect("run.json");
    held.write_run(&RunJson { state: RunState::Running, summary: None, ended: None, ..record }).expect("written");
    let page = page(&run);
    assert!(page.contains("running or killed"));
    assert!(page.contains("is known when a session has ended"));
    assert!(!rows(&page, "How the arms stand at the end").is_empty());

    // Nothing done at all.
    let empty = Place::new("");
    let (run, _) = empty.run();
    let page = self::page(&run);
    assert!(page.contains("none was taken up") && page.contains("No call was answered"));
}

#[test]
fn runs_of_the_examples_have_pages() {
    let root = root();
    for (example, stages, section) in [
        ("transcripts", ["transcript", "key-points", "dashboard"], "The pipeline has no model and no cache."),
        ("claims", ["plan", "sample", "final"], "Budgets"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        copy(&root.join("examples").join(example), folder.path());
        let out = folder.path().join("runs");
        run_command(jackfield().arg("run").arg(folder.path()).arg("--out").arg(&out)).expect_code(0);
        let file = folder.path().join("page.html");
        let said =
            run_command(jackfield().args(["report", "last", "--out"]).arg(&out).arg("-o").arg(&file)).expect_code(0);
        assert_eq!(said.stdout.trim_end(), file.to_string_lossy());
        let page = fs::read_to_string(&file).expect("a page");
        loads_nothing(&page);
        assert!(page.contains(section) && page.contains("Nothing failed."));
        assert!(stages.iter().all(|stage| page.contains(&format!("</b> {stage}</th>"))), "{example}");
        let picture = format!("{example}.png");
        let dom = look(&file, &View { picture: &picture, window: (1240, 4200), is_dark: false });
        assert!(dom.contains("data-script=\"ready\"") && !dom.contains("data-violation"));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().expect("a name");
        if entry.is_dir() && name != "runs" {
            copy(&entry, &to.join(name));
        } else if entry.is_file() {
            fs::copy(&entry, to.join(name)).expect("copied");
        }
    }
}

#[test]
fn a_run_without_a_page_is_reported() {
    let pipeline = Pipeline::new(
        "[pipeline]\nname = \"short\"\n[input]\nuse = \"inline\"\nitems = [\"A: yes.\"]\n[stages.transcript]\nuse = \"transcript\"\nin = { text = \"input\" }\n",
    );
    let run: PathBuf = pipeline.run().expect_code(0).folder();
    let id = run.file_name().expect("a name").to_string_lossy().into_owned();
    let report = |arguments: &[&str], code: i32| {
        let mut command = jackfield();
        command.arg("report").args(arguments).arg("--out").arg(pipeline.out());
        let done = run_command(&mut command).expect_code(code);
        format!("{}{}", done.stdout, done.stderr)
            .replace(&*pipeline.path().to_string_lossy(), "[folder]")
            .replace(&id, "[run]")
    };
    let mut said = vec![report(&["last"], 0), report(&["nowhere"], 1)];
    let to = pipeline.path().join("no/such/folder/page.html");
    said.push(report(&["last", "-o", &to.to_string_lossy()], 1));
    fs::write(run.join("store.sqlite"), "no database, and long enough not to be an empty one".repeat(100))
        .expect("written");
    said.push(report(&["last"], 1));
    for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        let _ = fs::remove_file(run.join(name));
    }
    let before = fs::read(run.join("report.html")).expect("the first page");
    said.push(report(&["last"], 1));
    // What was there stays as it was, and nothing is made in passing.
    assert!(before == fs::read(run.join("report.html")).expect("the first page") && !run.join("store.sqlite").exists());
    insta::assert_snapshot!(said.join("\n"));
}
