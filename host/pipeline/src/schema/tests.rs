//! Types of sample schemas, followed and compared.

use proptest::prelude::*;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use super::{
    fit::{Fit, MismatchReason},
    infer::infer,
    read::Reads,
    view::{Type, View},
    walk::PathErrorReason,
};
use crate::syntax::wire;

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Tree {
    name: String,
    size: u32,
    weight: Option<f64>,
    kind: Kind,
    children: Vec<Tree>,
    #[schemars(with = "std::collections::BTreeMap<String, Kind>")]
    by_name: (),
    pair: (String, u8),
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(rename_all = "kebab-case")]
enum Kind {
    Leaf,
    Branch,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(tag = "type")]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64, label: Option<String> },
    Nothing,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Flat {
    own: bool,
    #[schemars(flatten)]
    tree: Tree,
    #[schemars(flatten)]
    shape: Shape,
}

fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

fn fit(given: &Value, wanted: &Value) -> Fit {
    View::new(wanted).accepts(&Type::of_schema(given))
}

fn follow(schema: &Value, path: &str) -> Result<String, (usize, PathErrorReason)> {
    let wire = wire::parse(&format!("x{path}")).unwrap();
    Type::of_schema(schema)
        .follow(&wire.path)
        .map(|ty| ty.to_string())
        .map_err(|path_error| (path_error.step, path_error.reason))
}

#[test]
fn a_table_is_read_as_the_one_of_several_objects_that_its_fields_are_of() {
    let schema = json!({
        "type": "object",
        "properties": { "base": true, "edited": true, "prompts": true, "edits": true },
        "required": ["base"],
        "anyOf": [
            { "required": ["edited"], "properties": { "prompts": false, "edits": false } },
            { "required": ["prompts"], "properties": { "edited": false } },
        ],
    });
    let view = View::new(&schema);
    let read = |given: &[&str]| {
        let Reads::Known(object) = view.as_object_with(given) else { panic!("it is one of them") };
        let lacks: Vec<_> = given.iter().filter(|name| object.lacks(name)).map(|name| (*name).to_owned()).collect();
        (object.required().join(" "), object.names().join(" "), lacks.join(" "))
    };
    let expected = |required: &str, names: &str, lacks: &str| (required.to_owned(), names.to_owned(), lacks.to_owned());
    assert_eq!(read(&["base", "edited"]), expected("base edited", "base edited", ""));
    assert_eq!(read(&["base", "prompts", "edits"]), expected("base prompts", "base edits prompts", ""));
    assert_eq!(read(&["edits"]), expected("base prompts", "base edits prompts", ""));
    assert_eq!(read(&["base", "edited", "prompts"]), expected("base edited", "base edited", "prompts"));
    // What can be either, what may be another type as well, and what is none.
    let either = json!({ "anyOf": [{ "type": "object" }, { "type": "object", "properties": { "base": true } }] });
    assert!(matches!(View::new(&either).as_object_with(&["base"]), Reads::Unknown));
    let open = json!({ "anyOf": [{ "type": "object", "required": ["a"] }, { "required": ["b"] }] });
    assert!(matches!(View::new(&open).as_object_with(&["c"]), Reads::Unknown));
    assert!(matches!(View::new(&json!({ "type": "string" })).as_object_with(&[]), Reads::Never));
}

#[test]
fn a_type_fits_itself() {
    let samples =
        [schema::<Tree>(), schema::<Kind>(), schema::<Shape>(), schema::<Flat>(), schema::<Vec<Option<Tree>>>()];
    for sample in &samples {
        assert_eq!(fit(sample, sample), Fit::Fits, "{sample:#}");
        assert_eq!(View::new(&schema_list(sample)).accepts(&Type::of_schema(sample).list()), Fit::Fits);
    }
}

fn schema_list(element: &Value) -> Value {
    let mut list = json!({ "type": "array", "items": element });
    // References are resolved from the root.
    list["$defs"] = element.get("$defs").cloned().unwrap_or(json!({}));
    if element.to_string().contains("\"#\"") {
        list["items"] = json!(true);
    }
    list
}

#[test]
fn follows_wires() {
    let tree = schema::<Tree>();
    assert_eq!(follow(&tree, ".name").unwrap(), "string");
    assert_eq!(follow(&tree, ".children[0].size").unwrap(), "integer");
    assert_eq!(follow(&tree, ".children[*].children[*].name").unwrap(), "[[string]]");
    assert_eq!(follow(&tree, ".kind").unwrap(), "\"leaf\" | \"branch\"");
    assert_eq!(follow(&tree, ".by_name.anything").unwrap(), "\"leaf\" | \"branch\"");
    assert_eq!(follow(&tree, ".pair[1]").unwrap(), "integer");
    assert_eq!(follow(&tree, ".name.x"), Err((1, PathErrorReason::NotAnObject)));
    assert_eq!(follow(&tree, ".children.x"), Err((1, PathErrorReason::NotAnObject)));
    assert_eq!(follow(&tree, "[0]"), Err((0, PathErrorReason::NotAList)));
    assert!(
        matches!(follow(&tree, ".children[*].nome"), Err((2, PathErrorReason::NoField(known))) if known.contains(&"name".to_owned()))
    );
    assert_eq!(follow(&schema::<Shape>(), ".radius").unwrap(), "number");
    assert!(matches!(follow(&schema::<Shape>(), ".colour"), Err((0, PathErrorReason::NoField(_)))));
    assert_eq!(follow(&schema::<Flat>(), ".name").unwrap(), "string");
    assert_eq!(follow(&schema::<Flat>(), ".side").unwrap(), "number");
    assert_eq!(follow(&json!({ "type": "object" }), ".anything").unwrap(), "anything");
    assert_eq!(follow(&json!(true), ".any[3].thing").unwrap(), "anything");
}

#[test]
fn finds_clashes() {
    let object = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required });
    let string = json!({ "type": "string" });
    let cases = [
        (string.clone(), json!({ "type": "number" }), ""),
        (
            json!({ "type": "array", "items": string }),
            json!({ "type": "array", "items": { "type": "integer" } }),
            "[*]",
        ),
        (json!({ "type": "array" }), json!({ "type": "object" }), ""),
        (json!({ "type": ["string", "null"] }), json!({ "type": ["integer", "null"] }), ""),
        (json!({ "enum": ["a", "b"] }), json!({ "enum": ["c"] }), ""),
        (json!({ "const": 1 }), json!({ "type": "string" }), ""),
        (
            object(
                json!({ "a": { "type": "array", "items": object(json!({ "b": string }), json!(["b"])) } }),
                json!(["a"]),
            ),
            object(
                json!({ "a": { "type": "array", "items": object(json!({ "b": false }), json!(["b"])) } }),
                json!(["a"]),
            ),
            ".a[*].b",
        ),
        (object(json!({ "a": string }), json!([])), object(json!({ "b": string }), json!(["b"])), ""),
    ];
    for (given, wanted, path) in cases {
        match fit(&given, &wanted) {
            Fit::TypeMismatch(mismatch) => assert_eq!(mismatch.path, path, "{given} {wanted}"),
            other => panic!("{given} into {wanted}: {other:?}"),
        }
    }
    let extra = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    assert!(matches!(
        fit(&object(json!({ "a": string }), json!(["a"])), &extra),
        Fit::TypeMismatch(mismatch) if matches!(mismatch.reason, MismatchReason::Extra { .. })
    ));
}

#[test]
fn leaves_doubts_to_run_time() {
    let object = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required });
    let string = json!({ "type": "string" });
    let cases = [
        (json!(true), string.clone()),
        (json!({}), string.clone()),
        (json!({ "type": ["string", "integer"] }), string.clone()),
        (json!({ "type": "number" }), json!({ "type": "integer" })),
        (string.clone(), json!({ "type": "string", "pattern": "^a" })),
        (string.clone(), json!({ "enum": ["a"] })),
        (object(json!({ "a": string }), json!([])), object(json!({ "a": string }), json!(["a"]))),
        (json!({ "type": "object" }), object(json!({ "a": string }), json!(["a"]))),
        (json!({ "$ref": "https://example.org/schema" }), string.clone()),
        (
            json!({ "type": "object", "properties": { "a": true }, "additionalProperties": true }),
            object(json!({ "b": string }), json!(["b"])),
        ),
        (
            json!({ "type": "object", "properties": { "a": true }, "patternProperties": { "^b": true } }),
            object(json!({ "b": string }), json!(["b"])),
        ),
    ];
    for (given, wanted) in cases {
        assert_eq!(fit(&given, &wanted), Fit::Unknown, "{given} into {wanted}");
    }
    assert_eq!(fit(&json!({ "type": "integer" }), &json!({ "type": "number" })), Fit::Fits);
    assert_eq!(fit(&string, &json!(true)), Fit::Fits);
    assert_eq!(fit(&json!(true), &json!({})), Fit::Fits);
}

#[test]
fn tensors_fit_by_rank_and_length() {
    let tensor = |shape: Value| json!({ "type": "object", "x-tensor": { "shape": shape } });
    let any = json!({ "type": "object", "x-tensor": {} });
    let states = tensor(json!(["prompts", "layers", "d"]));
    let printed = |schema: &Value| Type::of_schema(schema).to_string();
    assert_eq!(printed(&states), "tensor[prompts, layers, d]");
    assert_eq!(printed(&json!({ "type": ["object", "null"], "x-tensor": { "shape": [4] } })), "tensor[4] | null");
    assert_eq!(printed(&json!({ "type": "array", "items": any })), "[tensor]");
    assert_eq!(printed(&schema::<jackfield_plugin_api::TensorRef>()), "tensor");
    assert_eq!(fit(&states, &tensor(json!([null, "rows", "columns"]))), Fit::Fits);
    assert_eq!(fit(&states, &any), Fit::Fits);
    assert_eq!(fit(&states, &json!({ "type": "object" })), Fit::Fits, "whoever takes anything");
    assert_eq!(fit(&any, &states), Fit::Unknown, "its shape shows when it is there");
    assert_eq!(fit(&states, &tensor(json!(["prompts", 31, "d"]))), Fit::Unknown);
    assert_eq!(fit(&json!({ "type": "object" }), &states), Fit::Unknown, "it may be one");
    assert_eq!(fit(&infer(&[&json!({ "$tensor": "00", "shape": [1], "dtype": "f32" })]), &states), Fit::Unknown);
    // A list of tensors, and one that may be absent.
    let list = |element: &Value| json!({ "type": "array", "items": element });
    assert_eq!(fit(&list(&states), &list(&any)), Fit::Fits);
    assert_eq!(fit(&states, &json!({ "anyOf": [states, { "type": "null" }] })), Fit::Fits);
    let mismatches = [
        (&states, tensor(json!(["layers", "d"]))),
        (&tensor(json!(["layers", 576])), tensor(json!(["layers", 32]))),
        (&states, list(&json!({ "type": "number" }))),
        (&states, json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] })),
        (&list(&json!({ "type": "number" })), states.clone()),
        (&json!({ "type": "number" }), states.clone()),
        (&json!({ "type": "object", "properties": { "a": { "type": "number" } } }), states.clone()),
        (&list(&states), states.clone()),
    ];
    for (given, wanted) in mismatches {
        let Fit::TypeMismatch(mismatch) = fit(given, &wanted) else { panic!("{given} into {wanted}") };
        let expected = MismatchReason::Type { found: printed(given), wanted: printed(&wanted) };
        assert_eq!((mismatch.path.as_str(), mismatch.reason), ("", expected));
    }
}

#[test]
fn survives_schemas_that_go_in_circles() {
    let circle =
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } });
    assert_ne!(fit(&circle, &json!({ "type": "string" })), Fit::Fits);
    let fan = json!({ "anyOf": vec![json!({ "$ref": "#" }); 8] });
    assert!(!matches!(fit(&fan, &json!({ "type": "string" })), Fit::Fits));
    // Twenty types, each with a field of each.
    let every: Value = (0..20)
        .map(|to| (format!("f{to}"), json!({ "$ref": format!("#/$defs/t{to}") })))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let web = |extra: &str| -> Value {
        let types = (0..20).map(|from| {
            let mut properties = every.clone();
            properties[extra] = json!({ "type": "string" });
            (format!("t{from}"), json!({ "type": "object", "properties": properties, "required": [extra] }))
        });
        json!({ "$ref": "#/$defs/t0", "$defs": types.collect::<serde_json::Map<_, _>>() })
    };
    assert_eq!(fit(&web("x"), &web("x")), Fit::Fits);
    assert!(matches!(fit(&web("x"), &web("y")), Fit::TypeMismatch(_)));
    let wide = json!({ "allOf": vec![json!({ "anyOf": vec![json!({ "type": "string" }); 8] }); 8] });
    assert!(!matches!(fit(&wide, &json!({ "type": "string" })), Fit::TypeMismatch(_)));
}

/// Schemas with references, alternatives and what is not understood.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!({})),
        Just(json!({ "type": "string" })),
        Just(json!({ "type": ["integer", "null"] })),
        Just(json!({ "enum": ["a", 1, null] })),
        Just(json!({ "$ref": "#" })),
        Just(json!({ "type": "string", "pattern": "x" })),
        Just(json!({ "not": { "type": "null" } })),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|any| json!({ "anyOf": any })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| json!({ "allOf": all })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|prefix| json!({ "type": "array", "prefixItems": prefix })),
            (prop::collection::btree_map("[a-c]", inner.clone(), 0..3), any::<bool>(), any::<bool>()).prop_map(
                |(properties, required, open)| {
                    let required: Vec<_> = properties.keys().filter(|_| required).cloned().collect();
                    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": open })
                }
            ),
        ]
    })
}

/// Values that are small enough to be valid now and then.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(null)), Just(json!("a")), Just(json!("x")), Just(json!(1)), Just(json!(1.5))];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn any_type_fits_itself(schema in any_schema()) {
        prop_assert_eq!(fit(&schema, &schema), Fit::Fits);
    }

    /// Items of a pipeline are typed by example, so the examples must be of the type.
    #[test]
    fn inferred_types_hold(values in prop::collection::vec(any_value(), 1..4)) {
        let schema = infer(&values.iter().collect::<Vec<_>>());
        let validator = jsonschema::validator_for(&schema).unwrap();
        for value in &values {
            prop_assert!(validator.is_valid(value), "{value} {schema}");
        }
        prop_assert_eq!(fit(&schema, &schema), Fit::Fits);
    }

    /// A fit that is promised holds for every value.
    #[test]
    fn promises_are_kept(given in any_schema(), wanted in any_schema(), values in prop::collection::vec(any_value(), 8)) {
        let (Ok(giver), Ok(reader)) = (jsonschema::validator_for(&given), jsonschema::validator_for(&wanted)) else {
            return Ok(());
        };
        if fit(&given, &wanted) == Fit::Fits && !given.to_string().contains("$ref") && !wanted.to_string().contains("$ref") {
            for value in values.iter().filter(|value| giver.is_valid(value)) {
                // A list of fields is taken to be whole, unlike in JSON Schema.
                let whole = !given.to_string().contains("\"additionalProperties\":true");
                prop_assert!(reader.is_valid(value) || whole, "{value}: {given} into {wanted}");
            }
        }
    }
}
