//! What a model offers.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value};

use crate::{CompletionRequest, Failure, Result};

/// The key in the schema of a part of a configuration, or of a field of an input, that names what the extension needs of its
/// model if that part is configured, or that field is given: `"x-needs": "model:embed"`. A permission that stands in an
/// `x-needs` counts in that case alone, and the stage then has to have a model; any other permission counts however the
/// extension is configured. Of alternatives (`oneOf`, `anyOf`), the one counts whose constants the configuration has.
pub const X_NEEDS: &str = "x-needs";

/// Something that a model may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Ability {
    /// Answers prompts with text.
    Complete,
    /// Gives hidden states of the prompt: see [`Capture`](crate::Capture).
    Capture,
    /// Runs under edits: see [`Edit`](crate::Edit).
    Edits,
    /// Gives log-probabilities of tokens: see [`LogProbs`](crate::LogProbs).
    LogProbs,
    /// Gives the tokens of the prompt: see [`CompletionRequest::tokenize`](crate::CompletionRequest::tokenize).
    Tokenize,
    /// Gives a vector that stands for the prompt: see [`CompletionRequest::embed`](crate::CompletionRequest::embed).
    Embed,
    /// Runs in the process, or on this machine: as many calls run at a time as the pipeline says, the number is not adapted
    /// to latency, and a call has no time limit of its own.
    Local,
}

impl Ability {
    /// Every ability.
    pub const ALL: [Self; 7] =
        [Self::Complete, Self::Capture, Self::Edits, Self::LogProbs, Self::Tokenize, Self::Embed, Self::Local];

    /// The name in `x-offers` and, after `model:`, that of the permission.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Capture => "capture",
            Self::Edits => "edits",
            Self::LogProbs => "logprobs",
            Self::Tokenize => "tokenize",
            Self::Embed => "embed",
            Self::Local => "local",
        }
    }

    /// The ability of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ability| ability.name() == name)
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a model offers. In the input schema of its descriptor, at the root:
/// `"x-offers": {"complete": true, "capture": true, "local": "/local"}`, where a text is a JSON pointer into the model's
/// configuration: it offers that if there is `true` there. Without `x-offers`, a model offers `complete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offers(BTreeMap<Ability, Condition>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    /// A JSON pointer.
    If(String),
}

impl Default for Offers {
    fn default() -> Self {
        Self::always(&[Ability::Complete])
    }
}

impl Offers {
    /// Offers all of these, however the model is configured.
    #[must_use]
    pub fn always(abilities: &[Ability]) -> Self {
        Self(abilities.iter().map(|ability| (*ability, Condition::Always)).collect())
    }

    /// Offers this as well if there is `true` at a JSON pointer into the configuration.
    #[must_use]
    pub fn and_if(mut self, ability: Ability, pointer: &str) -> Self {
        self.0.insert(ability, Condition::If(pointer.to_owned()));
        self
    }

    /// Reads what an input schema declares. Unknown abilities are left out.
    #[must_use]
    pub fn from_schema(schema: &Value) -> Self {
        let Some(declared) = schema.get("x-offers").and_then(Value::as_object) else { return Self::default() };
        let read = declared.iter().filter_map(|(name, condition)| {
            let condition = match condition {
                Value::Bool(true) => Condition::Always,
                Value::String(pointer) => Condition::If(pointer.clone()),
                _ => return None,
            };
            Some((Ability::from_name(name)?, condition))
        });
        Self(read.collect())
    }

    /// Whether a model with this configuration offers the ability.
    #[must_use]
    pub fn has(&self, ability: Ability, config: &Value) -> bool {
        self.0.get(&ability).is_some_and(|condition| match condition {
            Condition::Always => true,
            Condition::If(pointer) => config.pointer(pointer) == Some(&Value::Bool(true)),
        })
    }

    /// Refuses a request for something that a model with this configuration does not offer.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`], which names it.
    pub(crate) fn check_request(&self, model: &str, config: &Value, request: &CompletionRequest) -> Result<()> {
        let asked = [
            (request.capture.is_some(), Ability::Capture),
            (!request.edits.is_empty(), Ability::Edits),
            (request.logprobs.is_some(), Ability::LogProbs),
            (request.tokenize, Ability::Tokenize),
            (request.embed, Ability::Embed),
        ];
        match asked.into_iter().find(|(is_asked, ability)| *is_asked && !self.has(*ability, config)) {
            Some((_, ability)) => Err(Failure::InvalidInput(format!(
                "the model `{model}` does not offer `{ability}`, which was asked for"
            ))),
            None => Ok(()),
        }
    }

    /// Adds what is offered to the root of an input schema.
    #[must_use]
    pub fn add_to_schema(&self, mut schema: Value) -> Value {
        let declared: Map<String, Value> = self
            .0
            .iter()
            .map(|(ability, condition)| {
                let condition = match condition {
                    Condition::Always => Value::Bool(true),
                    Condition::If(pointer) => Value::from(pointer.as_str()),
                };
                (ability.name().to_owned(), condition)
            })
            .collect();
        if let (Some(schema), true) = (schema.as_object_mut(), *self != Self::default()) {
            schema.insert("x-offers".to_owned(), Value::Object(declared));
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_depends_on_the_configuration_where_it_says_so() {
        let offers = Offers::always(&[Ability::Complete, Ability::Capture]).and_if(Ability::Local, "/runs/here");
        let schema = offers.add_to_schema(json!({ "type": "object" }));
        assert_eq!(schema["x-offers"], json!({ "complete": true, "capture": true, "local": "/runs/here" }));
        let read = Offers::from_schema(&schema);
        assert_eq!(read, offers);
        assert!(read.has(Ability::Capture, &json!({})) && !read.has(Ability::Edits, &json!({})));
        assert!(read.has(Ability::Local, &json!({ "runs": { "here": true } })));
        assert!(!read.has(Ability::Local, &json!({ "runs": { "here": false } })));
    }

    #[test]
    fn a_request_is_held_to_what_is_offered() {
        let offers = Offers::always(&[Ability::Complete]).and_if(Ability::Tokenize, "/reads");
        let tokens = CompletionRequest { tokenize: true, ..CompletionRequest::default() };
        let embedding = CompletionRequest { embed: true, ..CompletionRequest::default() };
        assert_eq!(offers.check_request("tiny", &json!({}), &CompletionRequest::default()), Ok(()));
        assert_eq!(offers.check_request("tiny", &json!({ "reads": true }), &tokens), Ok(()));
        let refused = Failure::InvalidInput("the model `tiny` does not offer `embed`, which was asked for".to_owned());
        assert_eq!(offers.check_request("tiny", &json!({ "reads": true }), &embedding), Err(refused));
        assert!(offers.check_request("tiny", &json!({ "reads": false }), &tokens).is_err());
    }

    #[test]
    fn a_model_that_says_nothing_completes_and_what_is_not_known_is_left_out() {
        assert_eq!(Offers::default().add_to_schema(json!({})), json!({}));
        assert!(Offers::from_schema(&json!({})).has(Ability::Complete, &json!({})));
        let read = Offers::from_schema(&json!({ "x-offers": { "fly": true, "edits": 1, "embed": true } }));
        assert_eq!(read, Offers::always(&[Ability::Embed]));
    }
}
