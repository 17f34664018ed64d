//! The configuration of the model `anthropic`, and its calls.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use serde_json::{Map, Value};

use super::{answer, body::Body, tool::Tool};
use crate::{
    http::{Api, ApiConfig, DefaultKeyHeader, body_of, opened, permissions, refuse_own_keys},
    parameter::Parameter,
};

/// Asks Anthropic's Messages API.
///
/// An answer that follows a JSON Schema is asked for as the input of a tool that the model must use. The API takes no
/// seed, so none is sent.
#[derive(Debug, Config)]
pub struct Anthropic {
    /// Address of the server up to and without `/messages`: `http` or `https`, without user and password.
    #[config(default = "https://api.anthropic.com/v1")]
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
    /// Header that holds the API key: `x-api-key` by default. In `authorization`, as some gateways have it, the word `Bearer`
    /// stands before the key.
    pub api_key_header: Option<String>,
    /// Further headers of every call, such as `anthropic-beta`. Secrets do not belong here, since they are part of the
    /// pipeline; their names do: in `Bearer ${secret:GATEWAY_KEY}`, the host puts in what that variable holds.
    #[config(default)]
    #[schemars(extend("x-secret" = "within"))]
    pub headers: BTreeMap<String, String>,
    /// The most tokens of an answer, where the request does not say it: the API requires a number.
    #[config(default = 4096)]
    #[schemars(range(min = 1))]
    pub max_tokens: u32,
    /// Parameters that are never sent, whatever the request says: some models refuse `temperature`.
    #[config(default)]
    pub omit: Vec<Parameter>,
    /// Further keys of every request's JSON, such as `top_k`; each replaces what would be sent under it.
    #[config(default)]
    pub body: Map<String, Value>,
    #[serde(skip)]
    api: Option<Api>,
}

/// Keys of a request without which the answer would not be what is read.
const OWN_KEYS: [&str; 5] = ["messages", "system", "stream", "tools", "tool_choice"];

impl Model for Anthropic {
    const NAME: &'static str = "anthropic";
    const STABILITY: Stability = Stability::Beta;

    fn open(mut self) -> Result<Self> {
        refuse_own_keys(&self.body, &OWN_KEYS)?;
        if self.max_tokens == 0 {
            return Err(Failure::InvalidConfig("`max_tokens` is 0".to_owned()));
        }
        if self.omit.contains(&Parameter::MaxTokens) {
            return Err(Failure::InvalidConfig("`omit` cannot name `max_tokens`: the API requires it".to_owned()));
        }
        self.api = Some(Api::open(&ApiConfig {
            base_url: &self.base_url,
            path: "messages",
            model: &self.name,
            api_key_env: self.api_key_env.as_deref(),
            api_key_file: self.api_key_file.as_ref(),
            api_key_header: self.api_key_header.as_deref(),
            default_key_header: DefaultKeyHeader::ApiKey,
            headers: &self.headers,
            fixed: &[("anthropic-version", "2023-06-01")],
        })?);
        Ok(self)
    }

    async fn complete(&self, request: CompletionRequest, host: &Host<'_>) -> Result<Completion> {
        let api = opened(self.api.as_ref())?;
        let tool = request.schema.as_deref().map(Tool::new);
        let body = Body {
            model: &self.name,
            request: &request,
            max_tokens: self.max_tokens,
            tool: tool.as_ref(),
            omit: &self.omit,
            extra: &self.body,
        };
        let answer = api.post(host, body_of(&request.messages, &body)?).await?;
        answer::parse(&answer, tool.as_ref(), api)
    }

    fn permissions() -> Vec<Permission> {
        permissions()
    }
}
