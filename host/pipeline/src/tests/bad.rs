//! Bad pipelines and what is said of them. Each `bad/NAME.toml` has its message beside it, in `bad/NAME.snap`; lines that
//! start with `#: ` are arguments of the command line.

use std::{fs, path::Path};

use super::{compile, parsed, registry};
use crate::{Request, Style, check, parse};

/// Compares a message with the one on record.
fn on_record(name: &str, message: &str) {
    insta::with_settings!({ snapshot_path => "bad", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, message);
    });
}

fn message(text: impl AsRef<[u8]>) -> String {
    compile(text, &[], &[]).expect_err("a fault").render(Style::PLAIN)
}

#[test]
fn every_diagnostic_shows_its_lines_and_what_to_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/bad");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of bad pipelines")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 50, "only {} bad pipelines", names.len());
    for name in names {
        let text = fs::read_to_string(folder.join(format!("{name}.toml"))).expect("a pipeline");
        let arguments = |option: &str| -> Vec<String> {
            text.lines()
                .filter_map(|line| line.strip_prefix("#: ")?.strip_prefix(option))
                .map(|value| value.trim().to_owned())
                .collect()
        };
        let diagnostics = match compile(&text, &arguments("--set"), &arguments("--input")) {
            Ok(plan) => panic!("{name} has no fault: {plan:#?}"),
            Err(diagnostics) => diagnostics,
        };
        on_record(&name, &diagnostics.render(Style::PLAIN));
    }
}

#[test]
fn places_are_right_with_byte_order_mark_and_crlf() {
    let text = "\u{feff}[pipeline]\r\nname = \"ü\"\r\nsped = 1\r\n[stages.a]\r\nuse = \"merge\"\r\n";
    let diagnostics = compile(text, &[], &[]).unwrap_err();
    let records = diagnostics.records();
    assert_eq!((records[0].line, records[0].column, records[0].code), (Some(3), Some(1), "unknown-key"));
    on_record("byte-order-mark-and-crlf", &diagnostics.render(Style::PLAIN));
}

#[test]
fn no_text_at_all() {
    on_record("not-utf8", &message(b"[pipeline]\nname = \"\xff\"\n"));
    on_record("not-utf8-utf16", &message(b"\xff\xfe[\0p\0"));
    on_record("empty", &message(""));
    on_record("comment-only", &message("# nothing yet\n"));
    on_record(
        "control-characters",
        &message("[pipeline]\nname = \"a\"\n\"k\\u001b[31m\" = \"\u{202e}x\u{2028}\" # \u{202e}\n[stages]\n"),
    );
}

#[test]
fn no_file() {
    let folder = tempfile::tempdir().unwrap();
    let clean = |text: String| text.replace(&folder.path().display().to_string(), "/tmp/x");
    let fail = |path: &Path| clean(parse(Request { path, set: &[], input: &[] }).unwrap_err().to_string());
    on_record("missing-file", &fail(&folder.path().join("no.toml")));
    on_record("folder-without-pipeline", &fail(folder.path()));
    fs::write(folder.path().join("pipeline.toml"), "[pipeline]\nname = 1\n").unwrap();
    let parsed = parse(Request { path: folder.path(), set: &[], input: &[] }).unwrap();
    assert_eq!(parsed.folder(), folder.path());
    on_record("in-a-folder", &clean(check(&parsed, &registry()).unwrap_err().to_string()));
}

#[test]
fn plugins_that_fail_to_load_are_reported_with_the_other_diagnostics() {
    let text = r#"
[pipeline]
name = "a"
[plugins.mine]
path = "mine.so"
[stages.a]
use = "of-mine"
[stages.b]
use = "mine/whatever"
[stages.c]
use = "mrege"
"#;
    let mut parsed = parsed(text.as_bytes(), &[], &[]).unwrap();
    assert_eq!(parsed.plugins()[0].path, Path::new("/some/p/mine.so"));
    parsed.report_at_plugin("mine", "no such file", Some("build it first".to_owned()));
    on_record("plugin-fails", &check(&parsed, &registry()).unwrap_err().render(Style::PLAIN));
}

#[test]
fn colours_and_boxes_are_drawn_when_asked_for() {
    let diagnostics = compile("[pipeline]\nname = 1\n[stages.a]\nuse = \"mrege\"\n", &[], &[]).unwrap_err();
    let plain = diagnostics.render(Style::PLAIN);
    assert!(plain.is_ascii());
    let boxes = diagnostics.render(Style { color: false, unicode: true });
    assert!(boxes.contains('│') && !boxes.contains('\u{1b}'));
    let colour = diagnostics.render(Style { color: true, unicode: false });
    assert!(colour.contains("\u{1b}[31m") && colour.contains("hint:"));
}

#[test]
fn diagnostics_are_records_too() {
    let diagnostics =
        compile("[pipeline]\nname = \"a\"\nsede = 1\n[stages.a]\nuse = \"merge\"\n", &[], &[]).unwrap_err();
    insta::assert_snapshot!(serde_json::to_string_pretty(&diagnostics.records()).unwrap(), @r#"
    [
      {
        "code": "unknown-key",
        "message": "unknown key `sede` in `[pipeline]`",
        "file": "pipeline.toml",
        "line": 3,
        "column": 1,
        "hint": "did you mean `seed`?"
      }
    ]
    "#);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}", soup in prop_soup()) {
        for text in [text, soup] {
            if let Err(diagnostics) = compile(&text, &[], &[]) {
                let _ = (diagnostics.render(Style::PLAIN), diagnostics.render(Style { color: true, unicode: true }));
            }
        }
    }
}

/// Lines that are nearly a pipeline.
fn prop_soup() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let line = prop::sample::select(vec![
        "[pipeline]",
        "name = \"x\"",
        "name = 1",
        "[stages.a]",
        "[stages.b]",
        "[stages]",
        "[[stages.a]]",
        "use = \"merge\"",
        "use = \"brief\"",
        "use = \"\"",
        "in = \"b\"",
        "in = \"input.text\"",
        "in = { findings = [\"a\", [\"b\"]] }",
        "in = []",
        "for_each = \"b.items\"",
        "in = \"each.x[*]\"",
        "with = { a = 1e999, b = nan }",
        "with.x.y = 1979-05-27",
        "repeat = 0",
        "[input]",
        "use = \"inline\"",
        "items = [1, {a = 2}]",
        "path = []",
        "path = \"[\"",
        "[output.files]",
        "\"a.md\" = \"a\"",
        "timeout = \"5 years ago\"",
        "limits = { memory = \"1e9TiB\" }",
        "\"\" = 1",
        "= 3",
        "a.b.c = \"é",
        "\u{feff}",
        "in = '''",
        "[plugins.x]",
        "sha256 = \"ä\"",
        "0x = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        "count = -1",
        "count = 3",
        "use = \"trials\"",
        "[search]",
        "use = \"tpe\"",
        "minimize = [\"a\", \"b.x\"]",
        "report = \"a.x\"",
        "points = [{ \"a.b\" = 1 }, { c = nan }]",
        "[search.space]",
        "\"a.b\" = [1, 1.0, \"x\"]",
        "\"b.c.d\" = { min = -1, max = 1, when = { \"a.b\" = [1] } }",
        "\"a.c\" = { min = 5, max = 1e308, step = 1e-9, log = true }",
        "export = true",
    ]);
    prop::collection::vec(line, 0..14).prop_map(|lines| lines.join("\n"))
}
