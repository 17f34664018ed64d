//! The body of a request.

use std::borrow::Cow;

use jackfield_plugin_api::prelude::*;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use super::SchemaMode;
use crate::parameter::Parameter;

/// The body of a call, written straight from the request.
pub(super) struct Body<'a> {
    /// Name of the model.
    pub(super) model: &'a str,
    /// What is asked.
    pub(super) request: &'a CompletionRequest,
    /// How the schema is asked for.
    pub(super) schema: SchemaMode,
    /// Keys that replace others.
    pub(super) extra: &'a Map<String, Value>,
    /// Key of the most tokens of an answer.
    pub(super) max_tokens_field: &'a str,
    /// What is not sent.
    pub(super) omit: &'a [Parameter],
}

/// Keys under which servers take the most tokens of an answer.
const LIMITS: [&str; 5] = ["max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "n_predict"];

#[derive(Serialize)]
struct Turn<'a> {
    role: jackfield_plugin_api::Role,
    content: Cow<'a, str>,
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<Named<'a>>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a Value,
}

impl Body<'_> {
    /// The conversation with the schema in its system message.
    fn messages_with_schema(&self, schema: &Value) -> Vec<Turn<'_>> {
        let instruction =
            format!("Answer with JSON alone, without any other text. It follows this JSON Schema:\n{schema}");
        let mut turns = Vec::with_capacity(self.request.messages.len() + 1);
        turns.extend(
            self.request
                .messages
                .iter()
                .map(|message| Turn { role: message.role, content: (&*message.content).into() }),
        );
        match turns.iter_mut().find(|turn| turn.role == Role::System) {
            Some(system) => system.content = format!("{}\n\n{instruction}", system.content).into(),
            None => turns.insert(0, Turn { role: Role::System, content: instruction.into() }),
        }
        turns
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        macro_rules! entry {
            ($key:expr, $value:expr) => {
                if self.extra.is_empty() || !self.extra.contains_key($key) {
                    map.serialize_entry($key, $value)?;
                }
            };
        }
        entry!("model", self.model);
        match (&self.request.schema, self.schema) {
            (Some(schema), SchemaMode::JsonObject | SchemaMode::Prompt) => {
                entry!("messages", &self.messages_with_schema(schema))
            }
            _ => entry!("messages", &self.request.messages),
        }
        match (&self.request.schema, self.schema) {
            (Some(schema), SchemaMode::JsonSchema) => entry!(
                "response_format",
                &Format { r#type: "json_schema", json_schema: Some(Named { name: "answer", strict: true, schema }) }
            ),
            (Some(_), SchemaMode::JsonObject) => {
                entry!("response_format", &Format { r#type: "json_object", json_schema: None });
            }
            _ => {}
        }
        let sends = |parameter| !self.omit.contains(&parameter);
        // Servers refuse two limits of one answer.
        let has_limit = LIMITS.iter().any(|key| self.extra.contains_key(*key));
        if let Some(max_tokens) = self.request.max_tokens.filter(|_| sends(Parameter::MaxTokens) && !has_limit) {
            entry!(self.max_tokens_field, &max_tokens);
        }
        if let Some(temperature) = self.request.temperature.filter(|_| sends(Parameter::Temperature)) {
            entry!("temperature", &temperature);
        }
        if !self.request.stop.is_empty() && sends(Parameter::Stop) {
            entry!("stop", &self.request.stop);
        }
        if let Some(seed) = self.request.seed.filter(|_| sends(Parameter::Seed)) {
            // Servers read it as a signed number.
            entry!("seed", &(seed.wrapping_add(u64::from(self.request.replicate)) & i64::MAX.unsigned_abs()));
        }
        for (key, value) in self.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::body_of;

    fn sent(request: &CompletionRequest, schema: SchemaMode, extra: Value) -> Value {
        sent_with(request, schema, extra, "max_tokens", &[])
    }

    fn sent_with(
        request: &CompletionRequest,
        schema: SchemaMode,
        extra: Value,
        max_tokens_field: &str,
        omit: &[Parameter],
    ) -> Value {
        let Value::Object(extra) = extra else { panic!() };
        let body = Body { model: "tiny", request, schema, extra: &extra, max_tokens_field, omit };
        serde_json::from_slice(&body_of(&request.messages, &body).unwrap()).unwrap()
    }

    fn asked() -> CompletionRequest {
        CompletionRequest::new(vec![Message::system("Be brief."), Message::user("Why \"so\"?\n")])
    }

    #[test]
    fn only_what_is_asked_is_sent() {
        let messages = json!([
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "Why \"so\"?\n" },
        ]);
        assert_eq!(sent(&asked(), SchemaMode::default(), json!({})), json!({ "model": "tiny", "messages": messages }));
        let full = CompletionRequest {
            max_tokens: Some(9),
            temperature: Some(0.5),
            stop: vec!["END".into()],
            seed: Some(u64::MAX),
            replicate: 3,
            ..asked()
        };
        assert_eq!(
            sent(&full, SchemaMode::default(), json!({})),
            json!({
                "model": "tiny", "messages": messages, "max_tokens": 9, "temperature": 0.5, "stop": ["END"], "seed": 2,
            })
        );
    }

    #[test]
    fn a_limit_may_have_another_name_and_stands_alone() {
        let request = CompletionRequest { max_tokens: Some(9), ..asked() };
        let keys = |extra: Value, field: &str| {
            let Value::Object(sent) = sent_with(&request, SchemaMode::default(), extra, field, &[]) else { panic!() };
            sent.into_iter().filter(|(_, value)| value.is_number()).collect::<Vec<_>>()
        };
        assert_eq!(keys(json!({}), "max_completion_tokens"), [("max_completion_tokens".to_owned(), json!(9))]);
        for own in ["max_tokens", "max_completion_tokens", "n_predict"] {
            for field in ["max_tokens", "max_completion_tokens"] {
                assert_eq!(keys(json!({ own: 700 }), field), [(own.to_owned(), json!(700))]);
            }
        }
    }

    #[test]
    fn what_is_omitted_is_not_sent() {
        use Parameter::{MaxTokens, Seed, Stop, Temperature};
        let request = CompletionRequest {
            max_tokens: Some(9),
            temperature: Some(0.5),
            stop: vec!["END".into()],
            seed: Some(7),
            ..asked()
        };
        let parameters = [(MaxTokens, "max_tokens"), (Temperature, "temperature"), (Stop, "stop"), (Seed, "seed")];
        for (omitted, name) in parameters {
            let sent = sent_with(&request, SchemaMode::default(), json!({}), "max_tokens", &[omitted]);
            for (_, other) in parameters {
                assert_eq!(sent.get(other).is_some(), other != name, "{other} without {name}");
            }
        }
    }

    #[test]
    fn keys_of_the_configuration_replace_others() {
        let request = CompletionRequest { temperature: Some(0.5), ..asked() };
        let sent = sent(&request, SchemaMode::default(), json!({ "temperature": 1, "top_p": 0.9 }));
        assert_eq!((&sent["temperature"], &sent["top_p"]), (&json!(1), &json!(0.9)));
    }

    #[test]
    fn a_schema_is_asked_for_in_three_ways() {
        let schema = json!({ "type": "object" });
        let request = asked().with_schema(schema.clone());
        assert_eq!(
            sent(&request, SchemaMode::JsonSchema, json!({}))["response_format"],
            json!({ "type": "json_schema", "json_schema": { "name": "answer", "strict": true, "schema": schema } })
        );
        let object = sent(&request, SchemaMode::JsonObject, json!({}));
        assert_eq!(object["response_format"], json!({ "type": "json_object" }));
        let prompt = sent(&request, SchemaMode::Prompt, json!({}));
        assert_eq!(prompt.get("response_format"), None);
        assert_eq!(prompt["messages"], object["messages"]);
        let system = prompt["messages"][0]["content"].as_str().unwrap();
        assert!(system.starts_with("Be brief.\n\nAnswer with JSON") && system.ends_with(r#"{"type":"object"}"#));

        let bare = CompletionRequest::new(vec![Message::user("Why?")]).with_schema(schema);
        let sent = sent(&bare, SchemaMode::Prompt, json!({}));
        assert_eq!((&sent["messages"][0]["role"], &sent["messages"][1]["content"]), (&json!("system"), &json!("Why?")));
    }
}
