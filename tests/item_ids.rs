//! Items are told apart: two of one id, and one file that many paths lead to.

use std::os::unix::fs::symlink;

use crate::support::{Pipeline, results, run_command, same_outcome};

fn lines(input: &str, name: &str, content: &str) -> Pipeline {
    let toml = format!(
        "[pipeline]\nname = \"ids\"\n[input]\n{input}\n[output]\nitem_files = true\n\
         [stages.transcript]\nuse = \"transcript\"\nin = {{ text = \"input.text\" }}\n"
    );
    Pipeline::new(&toml).with(name, content)
}

fn ids(folder: &std::path::Path) -> Vec<String> {
    results(folder).iter().map(|line| line["item"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn items_with_the_same_id_get_ids_of_their_own_and_a_warning() {
    let sources = [
        (
            "use = \"jsonl\"\npath = \"a\"\nid = \"n\"",
            "{\"n\": \"x\", \"text\": \"1\"}\n{\"n\": \"x\", \"text\": \"2\"}\n",
            "line 2 of",
        ),
        ("use = \"csv\"\npath = \"a\"\nid = \"n\"", "n,text\nx,1\nx,2\n", "line 3 of"),
        (
            "use = \"inline\"\nid = \"n\"\nitems = [{ n = \"x\", text = \"1\" }, { n = \"x\", text = \"2\" }]",
            "",
            "item 2 of",
        ),
    ];
    for (input, content, place) in sources {
        let pipeline = lines(input, "a", content);
        let run = pipeline.run().expect_code(0);
        assert_eq!(ids(&run.folder()), ["x", "x#2"], "{input}");
        assert!(run.stderr.contains(place), "{}", run.stderr);
        assert!(run.stderr.contains("has the same id as an earlier item, `x`: it is called `x#2`"), "{}", run.stderr);
        let texts: Vec<_> = results(&run.folder())
            .iter()
            .map(|line| line["outputs"]["transcript"]["segments"][0]["text"].as_str().expect("a text").to_owned())
            .collect();
        assert_eq!(texts, ["1", "2"], "{input}");
    }
}

#[test]
fn many_items_with_the_same_id_give_a_few_warnings_and_a_count() {
    let content: String = (0..100).map(|n| format!("{{\"n\": \"x\", \"text\": \"{n}\"}}\n")).collect();
    let pipeline = lines("use = \"jsonl\"\npath = \"a\"\nid = \"n\"", "a", &content);
    let calm = run_command(pipeline.command().args(["--jobs", "1"])).expect_code(0);
    assert_eq!(calm.stderr.matches("has the same id").count(), 3, "{}", calm.stderr);
    assert!(calm.stderr.contains("99 items in all have the same id as an earlier one"), "{}", calm.stderr);
    let busy = run_command(pipeline.command().args(["--jobs", "16"])).expect_code(0);
    same_outcome(&calm.folder(), &busy.folder());
}

#[test]
fn a_field_that_no_item_has_is_reported() {
    let content = "{\"n\": \"x\", \"text\": \"1\"}\n{\"n\": \"y\", \"text\": \"2\"}\n";
    let pipeline = lines("use = \"jsonl\"\npath = \"a\"\nid = \"nn\"", "a", content);
    let run = pipeline.run().expect_code(0);
    assert_eq!(ids(&run.folder()), ["1", "2"]);
    assert!(run.stderr.contains("has no field `nn` that could be its id"), "{}", run.stderr);
    assert!(run.stderr.contains("2 items in all have no field `nn`"), "{}", run.stderr);
}

#[test]
fn a_file_that_is_there_is_taken_as_it_is_whatever_brackets_it_and_its_folder_have() {
    let pipeline = lines("use = \"files\"\npath = \"[a]/b[2].txt\"", "[a]/b[2].txt", "Ann: Hi.").with("a/b2.txt", "no");
    assert_eq!(ids(&pipeline.run().expect_code(0).folder()), ["b[2]"]);
    let given = run_command(pipeline.command().current_dir(pipeline.path().join("[a]")).args(["--input", "b[2].txt"]));
    assert_eq!(ids(&given.expect_code(0).folder()), ["b[2]"]);
}

#[test]
fn a_file_that_links_lead_to_in_a_circle_is_one_item() {
    let pipeline =
        lines("use = \"files\"\npath = \"data/**/*.txt\"", "data/sub/a.txt", "Ann: Hi.").with("data/b.txt", "Ann: Hi.");
    let plain = pipeline.run().expect_code(0);
    // Two circles: there are more paths than could ever be walked.
    symlink(".", pipeline.path().join("data/loop")).expect("linked");
    symlink("..", pipeline.path().join("data/sub/up")).expect("linked");
    let looped = pipeline.run().expect_code(0);
    assert_eq!(ids(&looped.folder()), ["b", "a"]);
    same_outcome(&plain.folder(), &looped.folder());
}
