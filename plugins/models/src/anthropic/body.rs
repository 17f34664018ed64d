//! What is sent.

use jackfield_plugin_api::prelude::*;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use super::tool::{self, Tool};
use crate::parameter::Parameter;

/// The body of a call, written straight from the request.
pub(super) struct Body<'a> {
    /// Name of the model.
    pub(super) model: &'a str,
    /// What is asked.
    pub(super) request: &'a CompletionRequest,
    /// The most tokens where the request does not say.
    pub(super) max_tokens: u32,
    /// The tool whose input is the answer, if there is a schema.
    pub(super) tool: Option<&'a Tool<'a>>,
    /// What is not sent.
    pub(super) omit: &'a [Parameter],
    /// Keys that replace others.
    pub(super) extra: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct ToolBody<'a> {
    name: &'static str,
    description: &'static str,
    input_schema: &'a Value,
}

#[derive(Serialize)]
struct ToolChoice {
    r#type: &'static str,
    name: &'static str,
}

impl Body<'_> {
    /// All system messages as one, since the API has a place for one.
    fn system(&self) -> String {
        let system = self.request.messages.iter().filter(|message| message.role == Role::System);
        system.map(|message| message.content.as_str()).collect::<Vec<_>>().join("\n\n")
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        macro_rules! entry {
            ($key:expr, $value:expr) => {
                if !self.extra.contains_key($key) {
                    map.serialize_entry($key, $value)?;
                }
            };
        }
        entry!("model", self.model);
        entry!("max_tokens", &self.request.max_tokens.unwrap_or(self.max_tokens));
        let system = self.system();
        if !system.is_empty() {
            entry!("system", &system);
        }
        entry!(
            "messages",
            &self.request.messages.iter().filter(|message| message.role != Role::System).collect::<Vec<_>>()
        );
        if let Some(tool) = self.tool {
            let description = "Gives the answer. Its input is the whole answer.";
            entry!("tools", &[ToolBody { name: tool::NAME, description, input_schema: &tool.input }]);
            entry!("tool_choice", &ToolChoice { r#type: "tool", name: tool::NAME });
        }
        let sends = |parameter| !self.omit.contains(&parameter);
        if let Some(temperature) = self.request.temperature.filter(|_| sends(Parameter::Temperature)) {
            entry!("temperature", &temperature);
        }
        if !self.request.stop.is_empty() && sends(Parameter::Stop) {
            entry!("stop_sequences", &self.request.stop);
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

    fn sent(request: &CompletionRequest, extra: Value) -> Value {
        sent_without(&[], request, extra)
    }

    fn sent_without(omit: &[Parameter], request: &CompletionRequest, extra: Value) -> Value {
        let Value::Object(extra) = extra else { panic!() };
        let tool = request.schema.as_deref().map(Tool::new);
        let body = Body { model: "tiny", request, max_tokens: 4096, tool: tool.as_ref(), omit, extra: &extra };
        serde_json::from_slice(&body_of(&request.messages, &body).unwrap()).unwrap()
    }

    #[test]
    fn system_messages_stand_apart() {
        let request = CompletionRequest {
            max_tokens: Some(9),
            temperature: Some(0.5),
            stop: vec!["END".into()],
            seed: Some(1),
            ..CompletionRequest::new(vec![
                Message::system("Be brief."),
                Message::user("Why?"),
                Message::assistant("So."),
                Message::system("Be kind."),
                Message::user("How?"),
            ])
        };
        assert_eq!(
            sent(&request, json!({ "top_k": 5 })),
            json!({
                "model": "tiny", "max_tokens": 9, "system": "Be brief.\n\nBe kind.",
                "messages": [
                    { "role": "user", "content": "Why?" },
                    { "role": "assistant", "content": "So." },
                    { "role": "user", "content": "How?" },
                ],
                "temperature": 0.5, "stop_sequences": ["END"], "top_k": 5,
            })
        );
    }

    #[test]
    fn what_is_omitted_is_not_sent() {
        let request = CompletionRequest {
            temperature: Some(0.5),
            stop: vec!["END".into()],
            ..CompletionRequest::new(vec![Message::user("Why?")])
        };
        let sent = sent_without(&[Parameter::Temperature, Parameter::Stop], &request, json!({}));
        assert_eq!((sent.get("temperature"), sent.get("stop_sequences")), (None, None));
    }

    #[test]
    fn a_schema_is_a_tool_that_must_be_used() {
        let schema = json!({ "type": "object" });
        let sent = sent(&CompletionRequest::new(vec![Message::user("Why?")]).with_schema(schema.clone()), json!({}));
        assert_eq!(sent["tool_choice"], json!({ "type": "tool", "name": "answer" }));
        assert_eq!((&sent["tools"][0]["name"], &sent["tools"][0]["input_schema"]), (&json!("answer"), &schema));
        assert_eq!((&sent["max_tokens"], sent.get("system")), (&json!(4096), None));
    }
}
