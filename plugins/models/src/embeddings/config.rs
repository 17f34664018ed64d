//! The configuration of the model `openai-embeddings`, and its calls.

use std::collections::BTreeMap;

use jackfield_plugin_api::{Ability, Offers, prelude::*};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use super::answer;
use crate::http::{Api, ApiConfig, DefaultKeyHeader, body_of, opened, permissions, refuse_own_keys};

/// Gives vectors for texts, from any server that speaks OpenAI's embeddings.
///
/// It offers `embed` and answers no prompts: `retrieve`, `domain` and whatever else asks a model for vectors has them from it,
/// with the model's cache, budget and price. A request is one text; the texts of several messages are joined by blank lines.
#[derive(Debug, Config)]
pub struct OpenAiEmbeddings {
    /// Address of the server up to and without `/embeddings`: `http` or `https`, without user and password.
    #[config(default = "https://api.openai.com/v1")]
    #[schemars(extend("x-server" = true))]
    pub base_url: String,
    /// Name of the model, as the server calls it, such as `text-embedding-3-small`.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Environment variable that holds the API key. Without it and `api_key_file`, none is sent.
    #[schemars(extend("x-secret" = "name"))]
    pub api_key_env: Option<String>,
    /// File that holds the API key and nothing else.
    #[schemars(extend("x-secret" = "name"))]
    pub api_key_file: Option<FilePath>,
    /// Header that holds the API key: `authorization` by default, where the word `Bearer` stands before it. Any other, such as
    /// Azure's `api-key`, holds the key alone.
    pub api_key_header: Option<String>,
    /// Further headers of every call. Secrets do not belong here, since they are part of the pipeline; their
    /// names do: in `Bearer ${secret:GATEWAY_KEY}`, the host puts in what that variable holds.
    #[config(default)]
    #[schemars(extend("x-secret" = "within"))]
    pub headers: BTreeMap<String, String>,
    /// The number of elements of each vector, where the server lets one choose. It is sent, and an answer of another length is
    /// refused. Without it, vectors are as long as the server makes them.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub dimensions: Option<u32>,
    /// What stands before each text, such as `query: ` for models that were trained with it.
    #[config(default)]
    pub prefix: String,
    /// Further keys of every request's JSON, such as `user`; each replaces what would be sent under it.
    #[config(default)]
    pub body: Map<String, Value>,
    #[serde(skip)]
    api: Option<Api>,
}

/// Keys of a request without which the answer would not be what is read.
const OWN_KEYS: [&str; 3] = ["input", "encoding_format", "dimensions"];

impl Model for OpenAiEmbeddings {
    const NAME: &'static str = "openai-embeddings";
    const STABILITY: Stability = Stability::Beta;

    fn open(mut self) -> Result<Self> {
        refuse_own_keys(&self.body, &OWN_KEYS)?;
        if self.dimensions == Some(0) {
            return Err(Failure::InvalidConfig("`dimensions` is 0".to_owned()));
        }
        self.api = Some(Api::open(&ApiConfig {
            base_url: &self.base_url,
            path: "embeddings",
            model: &self.name,
            api_key_env: self.api_key_env.as_deref(),
            api_key_file: self.api_key_file.as_ref(),
            api_key_header: self.api_key_header.as_deref(),
            default_key_header: DefaultKeyHeader::Bearer,
            headers: &self.headers,
            fixed: &[],
        })?);
        Ok(self)
    }

    async fn complete(&self, request: CompletionRequest, host: &Host<'_>) -> Result<Completion> {
        let api = opened(self.api.as_ref())?;
        if !request.embed {
            return Err(Failure::InvalidInput(
                "the model answers with vectors alone: `embed` is not asked for".to_owned(),
            ));
        }
        let texts: Vec<&str> = request.messages.iter().map(|message| &*message.content).collect();
        let body = Body {
            model: &self.name,
            input: &format!("{}{}", self.prefix, texts.join("\n\n")),
            dimensions: self.dimensions,
            extra: &self.body,
        };
        let body = api.post(host, body_of(&request.messages, &body)?).await?;
        let answer = answer::parse(&body, self.dimensions, api)?;
        let embedding = host.keep_tensor(&[answer.vector.len() as u64], answer.vector)?;
        Ok(Completion {
            finish: FinishReason::Length,
            usage: answer.usage,
            model: answer.model,
            embedding: Some(embedding),
            ..Completion::default()
        })
    }

    fn offers() -> Offers {
        Offers::always(&[Ability::Embed])
    }

    fn permissions() -> Vec<Permission> {
        permissions()
    }
}

/// The body of a call.
struct Body<'a> {
    model: &'a str,
    input: &'a str,
    dimensions: Option<u32>,
    extra: &'a Map<String, Value>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.extra.contains_key("model") {
            map.serialize_entry("model", self.model)?;
        }
        map.serialize_entry("input", self.input)?;
        if let Some(dimensions) = self.dimensions {
            map.serialize_entry("dimensions", &dimensions)?;
        }
        for (key, value) in self.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Context, FailureKind,
        testing::{FakeHost, test_context},
    };
    use serde_json::json;

    use super::*;
    use crate::testing::{ask, ask_server, json_of, reply};

    fn model(more: Value) -> OpenAiEmbeddings {
        let mut config = json!({ "base_url": "http://127.0.0.1:81/v1", "name": "tiny" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<OpenAiEmbeddings>(config).unwrap().open().unwrap()
    }

    fn asked(text: &str) -> CompletionRequest {
        CompletionRequest { embed: true, max_tokens: Some(0), ..CompletionRequest::new(vec![Message::user(text)]) }
    }

    const ANSWER: &str = r#"{"object": "list", "model": "tiny-1", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1e-3, 2]}],
        "usage": {"prompt_tokens": 4, "total_tokens": 4}}"#;

    #[tokio::test]
    async fn a_text_becomes_a_vector() {
        let host = FakeHost::default().with_server(|asked| {
            assert_eq!(asked.url, "http://127.0.0.1:81/v1/embeddings");
            assert!(asked.headers.contains(&("authorization".to_owned(), "Bearer ${secret:TINY_KEY}".to_owned())));
            let expected = json!({ "model": "tiny", "input": "query: Why?", "dimensions": 3, "user": "me" });
            assert_eq!(json_of(asked), expected);
            reply(200, &[], ANSWER)
        });
        let model = model(json!({
            "api_key_env": "TINY_KEY", "dimensions": 3, "prefix": "query: ", "body": { "user": "me" },
        }));
        let context: Context = test_context();
        let answer = model.complete(asked("Why?"), &Host::new(&host, &context, 0)).await.unwrap();
        let tensor = answer.embedding.clone().unwrap();
        assert_eq!(tensor.shape, [3]);
        assert_eq!(host.tensor(&tensor).as_deref(), Some([0.5, -0.001, 2.0].as_slice()));
        let expected = Completion {
            finish: FinishReason::Length,
            usage: Some(Usage::new(4, 0)),
            model: Some("tiny-1".into()),
            embedding: Some(tensor),
            ..Completion::default()
        };
        assert_eq!(answer, expected);
    }

    #[tokio::test]
    async fn whoever_asks_for_words_is_told() {
        let failure = ask(&model(json!({})), CompletionRequest::new(vec![Message::user("Why?")])).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::InvalidInput);
        assert!(OpenAiEmbeddings::offers().has(Ability::Embed, &Value::Null));
        assert!(!OpenAiEmbeddings::offers().has(Ability::Complete, &Value::Null));
    }

    #[tokio::test]
    async fn what_is_no_vector_is_told_apart() {
        use FailureKind::{InvalidInput, InvalidOutput, RateLimited, Unavailable};
        for (status, body, dimensions, kind, part) in [
            (200, ANSWER, Some(4), InvalidOutput, "a vector of 3 elements, not of 4"),
            (200, r#"{"data": []}"#, None, Unavailable, "answered without a vector"),
            (200, r#"{"data": [{"embedding": []}]}"#, None, Unavailable, "answered without a vector"),
            (200, r#"{"data": [{"embedding": [1, "x"]}]}"#, None, InvalidOutput, "an element that is no finite number"),
            (200, r#"{"data": [{"embedding": [1, NaN]}]}"#, None, InvalidOutput, "an element that is no finite number"),
            (200, r#"{"data": [{"embedding": [1e99]}]}"#, None, InvalidOutput, "an element that is no finite number"),
            (200, r#"{"choices": [{}]}"#, None, InvalidOutput, "of another form, without `data`"),
            (200, "<html>", None, InvalidOutput, "is not JSON"),
            (200, "", None, Unavailable, "answered nothing at all"),
            (200, r#"{"error": {"message": "slow", "code": 429}}"#, None, RateLimited, "slow"),
            (400, r#"{"error": {"message": "too long"}}"#, None, InvalidInput, "too long"),
        ] {
            let model = model(json!({ "dimensions": dimensions }));
            let failure = ask_server(&model, asked("Why?"), move |_| reply(status, &[], body)).await.unwrap_err();
            assert_eq!(failure.kind(), kind, "{body}: {failure}");
            assert!(failure.message().contains(part), "{body}: {failure}");
        }
    }

    #[test]
    fn what_means_nothing_fails_when_the_model_is_opened() {
        let open = |config| serde_json::from_value::<OpenAiEmbeddings>(config).unwrap().open();
        for config in [
            json!({ "name": "tiny", "dimensions": 0 }),
            json!({ "name": "tiny", "body": { "input": "x" } }),
            json!({ "name": " " }),
        ] {
            assert!(matches!(open(config), Err(Failure::InvalidConfig(_))));
        }
    }
}
