//! The configuration of the model `openai`, and its calls.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use serde_json::{Map, Value};

use super::{answer, body::Body};
use crate::{
    http::{Api, ApiConfig, DefaultKeyHeader, body_of, opened, permissions, refuse_own_keys},
    parameter::Parameter,
};

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
/// A `seed` has the replicate added, so that replicates of a seeded request differ. A model that refuses a parameter is asked
/// without it: `max_tokens_field` renames `max_tokens`, and `omit` names what is never sent.
#[derive(Debug, Config)]
pub struct OpenAi {
    /// Address of the server up to and without `/chat/completions`: `http` or `https`, without user and password.
    #[config(default = "https://api.openai.com/v1")]
    #[schemars(extend("x-server" = true))]
    pub base_url: String,
    /// Name of the model, as the server calls it.
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
    /// How an answer that follows a JSON Schema is asked for.
    #[config(default)]
    pub schema: SchemaMode,
    /// Key under which the most tokens of an answer are sent: by default `max_tokens`, and `max_completion_tokens` to
    /// `api.openai.com`, whose newer models take nothing else. Where `body` has a limit of its own, none is sent beside it.
    #[schemars(length(min = 1))]
    pub max_tokens_field: Option<String>,
    /// Parameters that are never sent, whatever the request says: the server has its own way with them.
    #[config(default)]
    pub omit: Vec<Parameter>,
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
        if let Some(field) = &self.max_tokens_field
            && (field.trim().is_empty() || field == "model" || OWN_KEYS.contains(&field.as_str()))
        {
            return Err(Failure::InvalidConfig(format!("`max_tokens_field` cannot be {field:?}")));
        }
        self.api = Some(Api::open(&ApiConfig {
            base_url: &self.base_url,
            path: "chat/completions",
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
        let body = Body {
            model: &self.name,
            request: &request,
            schema: self.schema,
            extra: &self.body,
            max_tokens_field: match &self.max_tokens_field {
                Some(field) => field,
                None if api.host() == "api.openai.com" => "max_completion_tokens",
                None => "max_tokens",
            },
            omit: &self.omit,
        };
        let answer = api.post(host, body_of(&request.messages, &body)?).await?;
        answer::parse(&answer, request.schema.is_some(), api)
    }

    fn permissions() -> Vec<Permission> {
        permissions()
    }
}
