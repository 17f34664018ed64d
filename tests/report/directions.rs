//! What the page says of directions in a model.

use std::fs;

use crate::{
    report::{
        browser::{View, look},
        copy, loads_nothing, page, rows,
    },
    support::{Pipeline, jackfield, root, run_command},
};

/// Residuals of two sets of prompts on a model that draws its hidden states, and the direction between them.
fn contrast() -> Pipeline {
    let prompts = |what: &str| {
        let all: Vec<String> = (0..12).map(|number| format!("\"{what} number {number}\"")).collect();
        all.join(", ")
    };
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "contrast"
[input]
use = "inline"
items = [{{ positive = [{}], negative = [{}] }}]
[model.small]
use = "mock"
with = {{ layers = 5, width = 16 }}
[stages.with]
use = "residuals"
in = {{ prompts = "input.positive" }}
model = "small"
[stages.without]
use = "residuals"
in = {{ prompts = "input.negative" }}
model = "small"
[stages.found]
use = "mean-difference"
in = {{ positive = "with.residuals", negative = "without.residuals" }}
"#,
        prompts("letter"),
        prompts("sum")
    ))
}

#[test]
fn prompts_are_drawn_by_layer_and_a_missing_tensor_is_reported() {
    let pipeline = contrast();
    let run = pipeline.run().expect_code(0).folder();
    let page = page(&run);
    loads_nothing(&page);
    assert_eq!(rows(&page, "Directions by layer").len(), 6);
    assert!(page.contains("from the hidden states of 12 positive and 12 negative prompts"));
    let planes = page.matches(">Prompts in layer ").count();
    assert!(planes >= 5, "{planes}");
    let drawing =
        page.split(">Prompts in layer 5<").nth(1).and_then(|rest| rest.split("</svg>").next()).expect("layer 5");
    assert_eq!([0, 4].map(|set| drawing.matches(&format!("class=\"mark s{set}\"")).count()), [12, 12]);
    let view = View { picture: "directions.png", window: (1240, 4200), is_dark: false };
    let dom = look(&run.join("report.html"), &view);
    assert!(dom.contains("data-script=\"ready\"") && !dom.contains("data-violation"));

    // The record is whole; what lies beside it was tampered with.
    let blobs: Vec<_> =
        fs::read_dir(run.join("blobs")).expect("tensors").map(|entry| entry.expect("one").path()).collect();
    for blob in &blobs {
        let mut bytes = fs::read(blob).expect("a tensor");
        bytes[0] ^= 1;
        fs::write(blob, bytes).expect("written");
    }
    let page = self::page(&run);
    assert!(page.contains("The prompts are not drawn: the hidden states cannot be read: "), "{page}");
    assert!(!page.contains(">Prompts in layer "));
}

#[test]
fn weights_and_replies_of_the_best_trials_are_shown_and_one_is_exported() {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&root().join("examples/steering"), folder.path());
    let out = folder.path().join("runs");
    // A few prompts and trials are enough to show something.
    let few = ["positive", "negative", "requests", "neutral"].map(|stage| format!("stages.{stage}.with.limit=3"));
    let few: Vec<&str> = few.iter().map(String::as_str).chain(["input.count=3"]).collect();
    let sets = few.iter().flat_map(|value| ["--set", *value]);
    let run =
        run_command(jackfield().arg("run").arg(folder.path()).args(sets.clone()).arg("--json").arg("--out").arg(&out));
    let run = run.expect_code(0).folder();
    let page = page(&run);
    loads_nothing(&page);
    let replies = rows(&page, "Replies before and after");
    assert_eq!(replies.len(), 3, "{replies:?}");
    assert!(replies.iter().all(|row| row.len() >= 3 && row[..2].iter().all(|text| !text.is_empty())), "{replies:?}");
    // Of the stage that asks for distributions alone, there are no replies to show.
    assert_eq!(page.matches("<h3>Replies before and after").count(), 1);
    assert!(page.matches(">Weights of item ").count() >= 1);
    assert!(page.contains("It differs from item to item"));

    let front = run_command(jackfield().arg("front").arg(&run).arg("--json")).expect_code(0).json();
    let best = front["front"][0].as_str().expect("a trial");
    let to = folder.path().join("exported");
    run_command(jackfield().arg("export").arg(&run).arg(best).args(sets).arg("--to").arg(&to)).expect_code(0);
    assert!(to.join("model.safetensors").is_file() && to.join("checksums.json").is_file());
}
