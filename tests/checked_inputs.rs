//! `jackfield check` refuses what a run would refuse for its input, at the places where the pipeline is wrong.

use crate::support::{CommandOutput, Pipeline, jackfield, run_command};

fn pipeline(input: &str, wire: &str) -> Pipeline {
    Pipeline::new(&format!(
        "[pipeline]\nname = \"checked\"\n[input]\n{input}\n[stages.transcript]\nuse = \"transcript\"\n\
         in = {{ text = \"{wire}\", name = \"input.name\" }}\n"
    ))
}

fn check(pipeline: &Pipeline) -> CommandOutput {
    run_command(jackfield().current_dir(pipeline.path()).args(["check", "pipeline.toml"]))
}

/// What is said of a faulty pipeline by `check`, which `run` refuses just so.
fn refused(pipeline: &Pipeline) -> String {
    let said = pipeline.said(&check(pipeline).expect_code(2));
    pipeline.run().expect_code(2);
    assert!(!pipeline.out().exists());
    said
}

#[test]
fn columns_that_a_header_lacks_are_faults() {
    let input = "use = \"csv\"\npath = \"a.csv\"\nid = \"key\"";
    let pipeline = pipeline(input, "input.txet").with("a.csv", "kye,text\n1,Ann: Hi.\n");
    insta::assert_snapshot!(refused(&pipeline));
}

#[test]
fn another_delimiter_is_suggested_where_the_header_is_one_column() {
    for (delimiter, written) in [(";", ";"), ("\t", "\\t"), ("|", "|")] {
        let content = format!("id{delimiter}text\n1{delimiter}Ann: Hi.\n");
        let pipeline = pipeline("use = \"csv\"\npath = \"a.csv\"", "input.text").with("a.csv", content);
        let said = refused(&pipeline);
        assert!(said.contains(&format!("set `delimiter = \"{written}\"` in `[input]`")), "{said}");
    }
}

#[test]
fn fields_that_no_item_has_are_faults() {
    let jsonl = pipeline("use = \"jsonl\"\npath = \"a.jsonl\"", "input.txet")
        .with("a.jsonl", "{\"text\": \"Ann: Hi.\"}\nbroken\n{\"text\": \"Bo: Hi.\", \"more\": 1}\n");
    let json =
        pipeline("use = \"json\"\npath = \"data\"", "input.txet").with("data/a.json", "{\"a\": {\"text\": \"\"}}");
    insta::assert_snapshot!([refused(&jsonl), refused(&json)].join("\n"));
}

#[test]
fn a_field_that_some_item_has_or_that_nothing_needs_is_no_fault() {
    let some = pipeline("use = \"jsonl\"\npath = \"a.jsonl\"", "input.text")
        .with("a.jsonl", "{\"other\": 1}\n{\"text\": \"Ann: Hi.\"}\n");
    check(&some).expect_code(0);
    let nested = pipeline("use = \"jsonl\"\npath = \"a.jsonl\"", "input.m.text")
        .with("a.jsonl", "{\"m\": {}}\n{\"m\": {\"text\": \"Ann: Hi.\"}}\n");
    check(&nested).expect_code(0);
    let columns = pipeline("use = \"csv\"\npath = \"*.csv\"", "input.text")
        .with("a.csv", "id\n1\n")
        .with("b.csv", "id,text\n1,Ann: Hi.\n");
    check(&columns).expect_code(0);
    for empty in ["", "\n\n"] {
        check(&pipeline("use = \"csv\"\npath = \"a.csv\"", "input.text").with("a.csv", empty)).expect_code(0);
    }
}

#[test]
fn an_input_of_nothing_is_a_fault() {
    let said: Vec<String> = [
        ("use = \"files\"\npath = \"data/*.txt\"", "input.text"),
        ("use = \"jsonl\"\npath = [\"none.jsonl\", \"data/*.jsonl\"]", "input.text"),
        ("use = \"files\"\npath = \"data\"", "input.text"),
        ("use = \"files\"\npath = \"~/talks/*.txt\"", "input.text"),
    ]
    .into_iter()
    .map(|(input, wire)| refused(&pipeline(input, wire).with("data/a.md", "")))
    .collect();
    insta::assert_snapshot!(said.join("\n"));
    // What no stage reads is not needed.
    let constant = "[pipeline]\nname = \"once\"\n[input]\nuse = \"files\"\npath = \"none\"\n[stages.transcript]\n\
                    use = \"transcript\"\nin = { text = { const = \"Ann: Hi.\" } }\n";
    let constant = Pipeline::new(constant);
    check(&constant).expect_code(0);
    constant.run().expect_code(0);
}

#[test]
fn a_file_of_many_items_that_cannot_be_read_is_a_fault() {
    for source in ["jsonl", "csv"] {
        let pipeline = pipeline(&format!("use = \"{source}\"\npath = \"a\""), "input.text").with("a", b"PK\x03\x04");
        let checked = check(&pipeline).expect_code(2);
        assert!(checked.stderr.contains("a`: it is a zip archive"), "{}", checked.stderr);
    }
}

#[test]
fn items_that_cannot_be_what_a_stage_reads_are_a_fault() {
    let said: Vec<String> = [
        ("{\"m\": {\"txt\": \"x\"}}\n", "input.m.text"),
        ("{\"text\": 7}\n", "input.text"),
        ("\"text\"\n", "input.text"),
    ]
    .into_iter()
    .map(|(line, wire)| refused(&pipeline("use = \"jsonl\"\npath = \"a.jsonl\"", wire).with("a.jsonl", line)))
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn an_input_none_of_whose_items_can_be_read_is_a_fault() {
    let said: Vec<String> = [
        ("use = \"jsonl\"\npath = \"a\"", "[\n{\"text\": \"x\"\n}\n"),
        ("use = \"json\"\npath = \"a\"", "{\"x\": {\"text\": NaN}}"),
    ]
    .into_iter()
    .map(|(input, content)| {
        let pipeline = pipeline(input, "input.text").with("a", content);
        pipeline.said(&check(&pipeline).expect_code(2))
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn what_is_odd_and_no_fault_is_told() {
    let repeated = pipeline("use = \"csv\"\npath = \"a.csv\"", "input.text").with("a.csv", "text,name,text\na,b,c\n");
    let said = check(&repeated).expect_code(0).stderr;
    assert!(said.contains("has the column `text` twice: the last one counts"), "{said}");
    let without_id = pipeline("use = \"jsonl\"\npath = \"a.jsonl\"\nid = \"key\"", "input.text")
        .with("a.jsonl", "{\"kye\": 1, \"text\": \"Ann: Hi.\"}\n");
    let said = check(&without_id).expect_code(0).stderr;
    assert!(said.contains("has no field `key` that could be an id"), "{said}");
    let input = "use = \"json\"\npath = \"a.json\"\nid = \"key\"";
    let without_id = pipeline(input, "input.text").with("a.json", "[{\"kye\": 1, \"text\": \"Ann: Hi.\"}]");
    let said = check(&without_id).expect_code(0).stderr;
    assert!(said.contains("has no field `key` that could be an id"), "{said}");
    let of_members = pipeline(input, "input.text").with("a.json", "{\"one\": {\"text\": \"Ann: Hi.\"}}");
    let said = check(&of_members).expect_code(0).stderr;
    assert!(!said.contains("that could be an id"), "{said}");
    let empty = pipeline("use = \"csv\"\npath = \"a.csv\"", "input.text").with("a.csv", "name,text\n");
    let said = check(&empty).expect_code(0).stderr;
    assert!(said.contains("the input has no items"), "{said}");
    let idle = pipeline("use = \"files\"\npath = [\"a.txt\", \"b.txt\"]", "input.text").with("a.txt", "Ann: Hi.");
    let said = check(&idle).expect_code(0).stderr;
    assert!(said.contains("b.txt: the items come from the other patterns alone"), "{said}");
}

#[test]
fn constants_reach_a_stage_and_are_drawn() {
    let pipeline = Pipeline::new(
        "[pipeline]\nname = \"constants\"\n[input]\nuse = \"inline\"\nitems = [{ text = \"Ann: Hi.\" }]\n\
         [stages.transcript]\nuse = \"transcript\"\nin = { text = \"input.text\", name = { const = \"talk.txt\" } }\n",
    );
    pipeline.run().expect_code(0);
    let drawn = run_command(jackfield().arg("graph").arg(pipeline.path())).expect_code(0);
    assert!(drawn.stdout.contains("name = \"talk.txt\""), "{}", drawn.stdout);
    let wrong = ["--set", "stages.transcript.in.name=7"];
    let said = run_command(jackfield().arg("check").arg(pipeline.path()).args(wrong)).expect_code(2).stderr;
    assert!(said.contains("`name` of stage `transcript` is a constant that `transcript` does not accept"), "{said}");
}
