//! Templates in configurations, and answers whose schema stands there.

use std::path::Path;

use serde_json::{Value, json};

use super::{Linkage, Registry, check, entry, parsed, plugin, registry, syntax};
use crate::{Plan, SeenItems, Style};

/// Fills templates with its input; with `schema`, answers what that describes.
fn ask() -> super::ExtensionEntry {
    let template = json!({ "anyOf": [
        { "type": "string", "x-template": true },
        { "type": "object", "required": ["file"], "additionalProperties": false, "properties": {
            "file": { "type": "string", "format": "jackfield-text-file", "x-template": true } } },
    ] });
    let message = json!({ "type": "object", "properties": { "content": template } });
    let config = json!({ "type": "object", "additionalProperties": false, "properties": {
        "user": template, "system": template, "messages": { "type": "array", "items": message }, "n": { "type": "integer" },
        "schema": { "type": "object", "properties": { "file": { "type": "string", "format": "jackfield-text-file" } } },
    } });
    let answer = json!({ "x-from-config": "/schema", "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] });
    entry("ask", config, json!({ "type": "object" }), answer)
}

/// Answers more than the schema in its file says.
fn read() -> super::ExtensionEntry {
    let config =
        json!({ "type": "object", "properties": { "prompt": { "type": "string", "format": "jackfield-text-file" } } });
    let answer = json!({ "x-from-config": { "at": "/prompt", "loose": true }, "type": "object" });
    entry("read", config, json!(true), json!({ "type": "object", "properties": { "answer": answer } }))
}

fn compiled(folder: &Path, stages: &str, columns: Option<&[&str]>) -> Result<Plan, String> {
    let text = format!("[pipeline]\nname = \"a\"\n[input]\nuse = \"csv\"\npath = \"a.csv\"\n{stages}");
    let text = syntax::Text {
        name: "pipeline.toml",
        bytes: text.as_bytes(),
        folder,
        current: folder,
        set: &[],
        input: &[],
        environment: &|_| None,
    };
    let mut parsed = parsed::parse_text(&text).expect("a pipeline");
    if let Some(columns) = columns {
        parsed.see_items(SeenItems {
            fields: columns.iter().map(|field| (*field).to_owned()).collect(),
            schema: None,
            lacking: "`a.csv` has no column".to_owned(),
            known: "its columns",
            hint: None,
        });
    }
    let mut plugins = registry().plugins().to_vec();
    plugins.push(plugin("asking", Linkage::LinkedIn, vec![ask(), read()]));
    check(&parsed, &Registry::new(plugins)).map_err(|diagnostics| diagnostics.render(Style::PLAIN))
}

fn faults(stages: &str) -> String {
    compiled(Path::new("/some/p"), stages, None).err().unwrap_or_default()
}

#[test]
fn what_a_template_lacks_and_what_it_never_uses_is_reported_where_it_stands() {
    insta::assert_snapshot!(faults(
        "[stages.a]\nuse = \"ask\"\nin = { review = \"input.text\", stars = \"input.stars\", reviews = \"input.all\" }\n\
         [stages.a.with]\nsystem = \"You judge {{ what }}.\"\nuser = \"\"\"\nRead this:\n\"{{ review }}\" {{ revews | upper }}\n\"\"\"\n\
         [stages.b]\nuse = \"ask\"\nwith = { user = \"{{ text }}\" }\n"
    ));
}

#[test]
fn a_template_that_is_not_one_is_reported_with_its_line() {
    insta::assert_snapshot!(faults(
        "[stages.a]\nuse = \"ask\"\nin = { r = \"input.text\" }\nwith = { user = \"{{ r | shout }}\", system = '{% include \"x\" %}' }\n\
         [stages.b]\nuse = \"ask\"\nin = { r = \"input.text\" }\n[stages.b.with]\nuser = \"\"\"\nOne.\n{% if r %}{{ r }}\n\"\"\"\n"
    ));
}

#[test]
fn a_field_of_a_variable_is_held_against_the_type_of_its_wire() {
    insta::assert_snapshot!(faults(
        "[stages.count]\nuse = \"word-count\"\nin = { text = \"input.text\" }\n\
         [stages.a]\nuse = \"ask\"\nin = { count = \"count\", n = \"count.words\" }\n\
         with = { user = \"{{ count.wrods }} {{ n.size }} {{ count.words }}\" }\n\
         [stages.b]\nuse = \"ask\"\nin = \"count\"\nwith = { user = \"{{ words }} {{ wrods }}\" }\n"
    ));
}

#[test]
fn what_is_fine_is_let_through() {
    assert_eq!(
        faults(
            "[stages.a]\nuse = \"ask\"\nin = { rs = \"input.text\", o = \"input.o\", k = { const = 1 } }\n[stages.a.with]\n\
             messages = [{ content = \"{% for r in rs %}{{ r }} {{ loop.index }}{% endfor %}\" }, { content = \"{{ o }} {{ k }}\" }]\n\
             [stages.b]\nuse = \"ask\"\nin = \"input\"\nwith = { user = \"{{ anything }} {{ range(3) }}\" }\n"
        ),
        ""
    );
}

#[test]
fn the_templates_of_all_arms_count() {
    let arms = |second: &str| {
        faults(&format!(
            "[stages.score]\nuse = \"word-count\"\nin = {{ text = \"input.text\" }}\n[stages.a]\nuse = \"ask\"\n\
             in = {{ r = \"input.text\", s = \"input.s\" }}\nwith = {{ system = \"S\" }}\n\
             [stages.a.route]\nuse = \"bandit\"\nmaximize = [\"score.words\"]\n\
             arms = [{{ user = \"{{{{ r }}}}\" }}, {{ user = \"{second}\" }}]\n"
        ))
    };
    assert_eq!(arms("{{ s }}"), "");
    insta::assert_snapshot!(arms("{{ t }}"));
}

#[test]
fn a_column_that_a_template_needs_has_to_be_there() {
    let stages = |template: &str| {
        let stages =
            format!("[stages.a]\nuse = \"ask\"\nin = {{ r = \"input.txet\" }}\nwith = {{ user = \"{template}\" }}\n");
        compiled(Path::new("/some/p"), &stages, Some(&["text", "stars"])).err().unwrap_or_default()
    };
    insta::assert_snapshot!(stages("{{ r }}"));
    assert_eq!(stages("{% if r %}{{ r }}{% endif %}"), "");
}

const SENTIMENT: &str = "{ type = \"object\", required = [\"sentiment\"], properties = { sentiment = { enum = [\"good\", \"bad\"] }, \
                         why = { \"$ref\" = \"#/$defs/Why\" } }, \"$defs\" = { Why = { type = \"string\" } } }";

#[test]
fn a_schema_in_the_configuration_is_what_wires_into_the_stage_are_checked_against() {
    let stages = |wire: &str| {
        format!(
            "[stages.a]\nuse = \"ask\"\nin = {{ r = \"input.text\" }}\nwith = {{ user = \"{{{{ r }}}}\", schema = {SENTIMENT} }}\n\
             [stages.b]\nuse = \"word-count\"\nin = {{ text = \"{wire}\" }}\n"
        )
    };
    assert_eq!(faults(&stages("a.sentiment")), "");
    assert_eq!(faults(&stages("a.why")), "");
    insta::assert_snapshot!(faults(&stages("a.sentimnet")));
    let plan = compiled(Path::new("/some/p"), &stages("a.why"), None).expect("a plan");
    let schema = plan.stages[0].output.as_ref().expect("a schema");
    assert_eq!(schema["required"], json!(["sentiment"]));
    assert_eq!(plan.stages[1].output, None);
}

#[test]
fn without_a_schema_the_answer_is_what_the_extension_says() {
    let stages = |wire: &str| {
        format!(
            "[stages.a]\nuse = \"ask\"\nin = {{ r = \"input.text\" }}\nwith = {{ user = \"{{{{ r }}}}\" }}\n\
             [stages.b]\nuse = \"word-count\"\nin = {{ text = \"{wire}\" }}\n"
        )
    };
    assert_eq!(faults(&stages("a.text")), "");
    insta::assert_snapshot!(faults(&stages("a.sentiment")));
}

#[test]
fn a_schema_that_is_not_one_is_reported_where_it_is_wrong() {
    let with = |schema: &str| {
        faults(&format!(
            "[stages.a]\nuse = \"ask\"\nin = {{ r = \"input.text\" }}\nwith = {{ user = \"{{{{ r }}}}\", schema = {schema} }}\n"
        ))
    };
    insta::assert_snapshot!(
        [
            with("{ type = \"objekt\" }"),
            with("{ properties = { a = { type = \"string\", minLength = \"x\" } } }"),
            with("{ properties = { a = { \"$ref\" = \"#/$defs/None\" } } }"),
        ]
        .join("\n")
    );
}

#[test]
fn of_arms_with_schemas_of_their_own_any_may_be_the_answer() {
    let stages = |wire: &str| {
        format!(
            "[stages.score]\nuse = \"word-count\"\nin = {{ text = \"input.text\" }}\n[stages.a]\nuse = \"ask\"\n\
             in = {{ r = \"input.text\" }}\nwith = {{ user = \"{{{{ r }}}}\" }}\n\
             [stages.a.route]\nuse = \"bandit\"\nmaximize = [\"score.words\"]\n\
             arms = [{{ n = 1 }}, {{ n = 2, schema = {SENTIMENT} }}]\n\
             [stages.b]\nuse = \"bundled/echo\"\nin = {{ x = \"{wire}\" }}\n"
        )
    };
    let plan = compiled(Path::new("/some/p"), &stages("a.text"), None).expect("a plan");
    let schema = plan.stages.iter().find_map(|stage| stage.output.as_ref()).expect("a schema");
    assert_eq!(schema["anyOf"].as_array().map(Vec::len), Some(2));
    assert_eq!(faults(&stages("a.why")), "");
    assert!(faults(&stages("a.whi")).contains("has no field `whi`"), "{}", faults(&stages("a.whi")));
}

#[test]
fn files_hold_templates_and_schemas_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write("user.txt", "Judge this.\n\n{{ reveiw }}\n");
    write("bad.txt", "Judge this.\n{{ review");
    write("schema.json", "{ \"type\": \"object\", \"properties\": { \"good\": { \"type\": \"boolean\" } } }");
    write("bad.json", "{ \"type\":\n \"objekt\" }");
    write(
        "lens.md",
        "# A\n\nB\n\n## Answer\n\n```json\n{ \"type\": \"object\", \"properties\": { \"doubts\": {} } }\n```\n",
    );
    let faults = |stages: &str| compiled(folder.path(), stages, None).err().unwrap_or_default();
    insta::assert_snapshot!(
        [
            faults("[stages.a]\nuse = \"ask\"\nin = { review = \"input.text\" }\nwith = { user = { file = \"user.txt\" } }\n"),
            faults("[stages.a]\nuse = \"ask\"\nin = { review = \"input.text\" }\nwith = { user = { file = \"bad.txt\" } }\n"),
            faults("[stages.a]\nuse = \"ask\"\nwith = { user = \"U\", schema = { file = \"bad.json\" } }\n"),
            faults(
                "[stages.a]\nuse = \"ask\"\nwith = { user = \"U\", schema = { file = \"schema.json\" } }\n\
                 [stages.b]\nuse = \"bundled/echo\"\nin = [\"a.good\", \"a.bad\"]\n"
            ),
            faults(
                "[stages.a]\nuse = \"read\"\nin = \"input\"\nwith = { prompt = \"lens.md\" }\n\
                 [stages.b]\nuse = \"bundled/echo\"\nin = [\"a.answer.doubts\", \"a.answer.dobuts\"]\n"
            ),
        ]
        .join("\n")
        .replace(&folder.path().to_string_lossy().into_owned(), "/some/p")
    );
    let stages = "[stages.a]\nuse = \"read\"\nin = \"input\"\nwith = { prompt = \"lens.md\" }\n";
    let plan = compiled(folder.path(), stages, None).expect("a plan");
    let answer: Option<&Value> = plan.stages[0].output.as_ref().map(|schema| &schema["properties"]["answer"]);
    assert_eq!(answer.expect("a schema")["type"], "object");
}
