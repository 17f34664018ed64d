//! The packages for Python and JavaScript say of each kind what Rust says of it: the schemas that the contract fixes are made
//! from the types of jackfield-plugin-api.

use std::fs;

use jackfield_plugin_api::{
    Completion, CompletionRequest, ContrastSet, Directions, FromDocument, IntoDocument, PolicyAnswer, PolicyRequest,
};
use serde_json::Value;

use crate::support::root;

/// The schemas that the contract fixes, by name.
fn fixed() -> [(&'static str, Value); 6] {
    [
        ("COMPLETION_REQUEST", <CompletionRequest as FromDocument>::schema()),
        ("COMPLETION", <Completion as IntoDocument>::schema()),
        ("CONTRAST_SET", <ContrastSet as FromDocument>::schema()),
        ("DIRECTIONS", <Directions as IntoDocument>::schema()),
        ("POLICY_REQUEST", <PolicyRequest as FromDocument>::schema()),
        ("POLICY_ANSWER", <PolicyAnswer as IntoDocument>::schema()),
    ]
}

/// A schema as JSON, a property or a definition a line.
fn by_lines(schema: &Value) -> String {
    /// An object with its entries on lines of their own.
    fn entries(value: &Value, indent: &str, each: &dyn Fn(&str, &Value) -> String) -> String {
        let object = value.as_object().expect("an object");
        let lines: Vec<_> =
            object.iter().map(|(key, value)| format!("{indent}{key:?}: {}", each(key, value))).collect();
        format!("{{\n{}\n{}}}", lines.join(",\n"), &indent[2..])
    }
    let plain = |_: &str, value: &Value| value.to_string();
    entries(schema, "  ", &|key, value| match key {
        "properties" | "$defs" => entries(value, "    ", &plain),
        _ => value.to_string(),
    })
}

fn python() -> String {
    let mut text = "\"\"\"Schemas that the contract fixes. Made from jackfield-plugin-api by tests/packages.rs.\"\"\"\n\nimport json\n"
        .to_owned();
    for (name, schema) in fixed() {
        let schema = by_lines(&schema);
        assert!(!schema.contains("'''"), "{name}");
        text += &format!("\n{name} = json.loads(r'''{schema}''')\n");
    }
    text
}

fn javascript() -> String {
    let mut text =
        "// Schemas that the contract fixes. Made from jackfield-plugin-api by tests/packages.rs.\n".to_owned();
    for (name, schema) in fixed() {
        text += &format!("\nexport const {name} = {};\n", by_lines(&schema));
    }
    text
}

#[test]
fn the_packages_hold_the_schemas_of_the_contract() {
    for (path, wanted) in [("python/jackfield/contract.py", python()), ("javascript/contract.js", javascript())] {
        let path = root().join("plugin-api").join(path);
        if std::env::var_os("JACKFIELD_BLESS").is_some() {
            fs::write(&path, &wanted).expect("written");
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{}: the contract has changed: run this test with JACKFIELD_BLESS=1", path.display());
    }
}
