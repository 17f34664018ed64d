//! The configuration of the model `openai`, and its calls.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use serde_json::{Map, Value};

use super::{answer, body::Body};
use crate::http::{Api, ApiConfig, KeyHeader, body_of, refuse_own_keys};

/// How a server is asked for an answer that follows a JSON Schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum SchemaMode {
    /// `response_format` with the schema, in strict mode: the server makes sure of it.
    #[default]
    JsonSchema,
    /// `response_format` asks for any JSON object; the schema stands in the system message.
    JsonObject,
    /// The schema stands in the system message, and that is all: for servers that know no `response_format`.
    Prompt,
}

/// Asks any server that speaks OpenAI's chat completions.
///
/// A `seed` has the replicate added, so that replicates of a seeded request differ. `max_tokens` is sent as
/// `max_completion_tokens` to `api.openai.com`, whose newer models take nothing else.
#[derive(Debug, Config)]
pub struct OpenAi {
    /// Address of the server up to and without `/chat/completions`: `http` or `https`, without user and password.
    #[config(default = "https://api.openai.com/v1")]
    pub base_url: String,
    /// Name of the model, as the server calls it.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Environment variable that holds the API key. Without it and `api_key_file`, none is sent.
    pub api_key_env: Option<String>,
    /// File that holds the API key and nothing else.
    pub api_key_file: Option<FilePath>,
    /// Further headers of every call. Secrets do not belong here: they are part of the pipeline.
    #[config(default)]
    pub headers: BTreeMap<String, String>,
    /// How an answer that follows a JSON Schema is asked for.
    #[config(default)]
    pub schema: SchemaMode,
    /// Further keys of every request's JSON, such as `top_p`; each replaces what would be sent under it.
    #[config(default)]
    pub body: Map<String, Value>,
    #[serde(skip)]
    api: Option<Api>,
}

/// Keys of a request without which the answer would not be what is read.
const OWN_KEYS: [&str; 3] = ["messages", "stream", "n"];

impl Model for OpenAi {
    const NAME: &'static str = "openai";
    const STABILITY: Stability = Stability::Beta;

    fn open(mut self) -> Result<Self> {
        refuse_own_keys(&self.body, &OWN_KEYS)?;
        self.api = Some(Api::open(&ApiConfig {
            base_url: &self.base_url,
            path: "chat/completions",
            model: &self.name,
            api_key_env: self.api_key_env.as_deref(),
            api_key_file: self.api_key_file.as_ref(),
            key_header: KeyHeader::Bearer,
            headers: &self.headers,
            fixed: &[],
        })?);
        Ok(self)
    }

    async fn complete(&self, request: CompletionRequest, _host: &Host<'_>) -> Result<Completion> {
        let Some(api) = &self.api else {
            return Err(Failure::Internal("the model was not opened before it was called".to_owned()));
        };
        let body = Body {
            model: &self.name,
            request: &request,
            schema: self.schema,
            extra: &self.body,
            newer: api.host() == "api.openai.com",
        };
        let answer = api.post(body_of(&request.messages, &body)?).await?;
        answer::parse(&answer, request.schema.is_some(), api)
    }

    fn permissions() -> Vec<Permission> {
        vec![Permission { name: "http".to_owned(), reason: "to call the server at `base_url`".to_owned() }]
    }
}
