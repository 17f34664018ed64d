//! Checks that the schemas of a direction extractor are those of its kind: it reads a contrast set and answers directions. The
//! check is made when the plugin is loaded, so that a wrong schema is not found only by the stage that reads the answer.

use jackfield_plugin_api::{ContrastSet, Descriptor, ElementType, TensorRef};
use serde_json::Value;

use super::tensor_shape::{Dimension, TensorShape, X_TENSOR};

/// References deeper than this are not followed.
const MOST_REFERENCES: usize = 32;

/// Checks the schemas of a direction extractor.
///
/// # Errors
/// The first difference from the contract, as a message.
pub(super) fn check_extractor(descriptor: &Descriptor) -> Result<(), String> {
    let Descriptor { name, input, output, .. } = descriptor;
    let states = ["prompts", "layers", "d"];
    for set in ["positive", "negative"] {
        tensor_field(input, set, &states).map_err(|why| format!("the direction-extractor `{name}` reads {why}"))?;
    }
    let tensor = TensorRef { sha256: "0".repeat(64), shape: vec![2, 3, 4], dtype: ElementType::F32 };
    let contrast = serde_json::to_value(ContrastSet { positive: tensor.clone(), negative: tensor });
    let validator = jsonschema::validator_for(input).map_err(|error| error.to_string())?;
    if !contrast.is_ok_and(|contrast| validator.is_valid(&contrast)) {
        return Err(format!(
            "the direction-extractor `{name}` does not read a contrast set: its input schema refuses an object of two \
             tensors by reference, `positive` and `negative`"
        ));
    }
    tensor_field(output, "directions", &states[1..])
        .and_then(|()| required(output, "directions"))
        .and_then(|()| required(output, "layers"))
        .map_err(|why| format!("the direction-extractor `{name}` answers {why}"))
}

/// Checks that a field of an object is a tensor with these dimensions.
fn tensor_field(schema: &Value, field: &str, dimensions: &[&str]) -> Result<(), String> {
    let dimensions = dimensions.iter().map(|name| Dimension::Name((*name).to_owned()));
    let wanted = TensorShape(Some(dimensions.collect()));
    let found = parts(schema, schema, 0).into_iter().filter_map(|part| part.get("properties")?.get(field)).next();
    let Some(found) = found else {
        return Err(format!("no `{field}`: its schema has to list that field, a {wanted}"));
    };
    let keyword = parts(schema, found, 0).into_iter().find_map(|part| part.get(X_TENSOR));
    let Some(shape) = keyword.and_then(|keyword| TensorShape::read(keyword).ok()) else {
        return Err(format!("a `{field}` without `{X_TENSOR}` in its schema: it is a {wanted}"));
    };
    match shape.takes(&wanted) {
        Some(false) => Err(format!("a `{field}` that is a {shape}, where its kind has a {wanted}")),
        _ => Ok(()),
    }
}

/// Checks that an object always has a field.
fn required(schema: &Value, field: &str) -> Result<(), String> {
    let is_there = parts(schema, schema, 0).into_iter().any(|part| {
        let names = part.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|name| name == field))
    });
    if is_there {
        Ok(())
    } else {
        Err(format!("without `{field}` at times: its output schema has to require that field"))
    }
}

/// A schema with all schemas that apply together with it, by `$ref` and `allOf`.
fn parts<'a>(root: &'a Value, schema: &'a Value, depth: usize) -> Vec<&'a Value> {
    let mut found = vec![schema];
    if depth == MOST_REFERENCES {
        return found;
    }
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|to| root.pointer(to.strip_prefix('#')?));
    let all = schema.get("allOf").and_then(Value::as_array);
    for part in reference.into_iter().chain(all.into_iter().flatten()) {
        found.extend(parts(root, part, depth + 1));
    }
    found
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{Directions, FromDocument, IntoDocument, Kind, Stability};
    use serde_json::json;

    use super::*;

    fn descriptor() -> Descriptor {
        Descriptor {
            kind: Kind::DirectionExtractor,
            name: "mine".to_owned(),
            version: "1.0.0".to_owned(),
            summary: String::new(),
            config: json!({}),
            input: <ContrastSet as FromDocument>::schema(),
            output: <Directions as IntoDocument>::schema(),
            permissions: Vec::new(),
            examples: Vec::new(),
            stability: Stability::Experimental,
        }
    }

    fn error_after(change: impl FnOnce(&mut Descriptor)) -> String {
        let mut descriptor = descriptor();
        change(&mut descriptor);
        check_extractor(&descriptor).expect_err("it is another's")
    }

    #[test]
    fn the_schemas_of_the_contract_are_those_of_the_kind() {
        assert_eq!(check_extractor(&descriptor()), Ok(()));
        // Written by hand, with the parts elsewhere.
        let mut by_hand = descriptor();
        let tensor = json!({ "type": "object", "x-tensor": { "shape": [null, "layers", "d"] } });
        by_hand.input = json!({
            "allOf": [{ "$ref": "#/$defs/Sets" }],
            "$defs": { "Tensor": tensor, "Sets": { "type": "object", "properties": {
                "positive": { "$ref": "#/$defs/Tensor" }, "negative": { "$ref": "#/$defs/Tensor" }
            } } }
        });
        by_hand.output = json!({
            "type": "object", "required": ["directions", "layers", "more"],
            "properties": { "directions": { "x-tensor": {} }, "layers": { "type": "array" }, "more": true }
        });
        assert_eq!(check_extractor(&by_hand), Ok(()));
    }

    #[test]
    fn an_input_that_is_not_a_contrast_set_is_reported() {
        let all = [
            error_after(|descriptor| descriptor.input = json!(true)),
            error_after(|descriptor| {
                drop(descriptor.input["properties"].as_object_mut().expect("fields").remove("negative"))
            }),
            error_after(|descriptor| {
                descriptor.input["properties"]["positive"]["x-tensor"] = json!({ "shape": ["layers", "d"] })
            }),
            error_after(|descriptor| {
                drop(descriptor.input["properties"]["positive"].as_object_mut().expect("a schema").remove("x-tensor"))
            }),
            error_after(|descriptor| descriptor.input["required"] = json!(["positive", "negative", "labels"])),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        the direction-extractor `mine` reads no `positive`: its schema has to list that field, a tensor[prompts, layers, d]
        the direction-extractor `mine` reads no `negative`: its schema has to list that field, a tensor[prompts, layers, d]
        the direction-extractor `mine` reads a `positive` that is a tensor[layers, d], where its kind has a tensor[prompts, layers, d]
        the direction-extractor `mine` reads a `positive` without `x-tensor` in its schema: it is a tensor[prompts, layers, d]
        the direction-extractor `mine` does not read a contrast set: its input schema refuses an object of two tensors by reference, `positive` and `negative`
        ");
    }

    #[test]
    fn an_output_without_directions_is_reported() {
        let all = [
            error_after(|descriptor| descriptor.output = json!({ "type": "object" })),
            error_after(|descriptor| descriptor.output["properties"]["directions"] = json!({ "type": "array" })),
            error_after(|descriptor| {
                descriptor.output["properties"]["directions"]["x-tensor"] = json!({ "shape": ["d"] })
            }),
            error_after(|descriptor| descriptor.output["required"] = json!(["layers"])),
            error_after(|descriptor| descriptor.output["required"] = json!(["directions"])),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        the direction-extractor `mine` answers no `directions`: its schema has to list that field, a tensor[layers, d]
        the direction-extractor `mine` answers a `directions` without `x-tensor` in its schema: it is a tensor[layers, d]
        the direction-extractor `mine` answers a `directions` that is a tensor[d], where its kind has a tensor[layers, d]
        the direction-extractor `mine` answers without `directions` at times: its output schema has to require that field
        the direction-extractor `mine` answers without `layers` at times: its output schema has to require that field
        ");
    }
}
