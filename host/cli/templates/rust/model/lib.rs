//! The model `{{name}}`, which repeats what it is told, and the analyzer `ask`, which asks a model.

use jackfield_plugin_api::prelude::*;

/// Repeats the first words of the last message.
///
/// A token is a word here. Of the wishes of a request it heeds `max_tokens`.
#[derive(Config)]
pub struct Parrot {
    /// Most words of an answer.
    #[config(default = 8)]
    #[schemars(range(min = 1))]
    pub words: usize,
}

impl Model for Parrot {
    const NAME: &'static str = "{{name}}";

    fn open(self) -> Result<Self> {
        if self.words == 0 {
            return Err(Failure::InvalidConfig("`words`: 0 is less than 1".to_owned()));
        }
        Ok(self)
    }

    async fn complete(&self, request: CompletionRequest, _host: &Host<'_>) -> Result<Completion> {
        if request.schema.is_some() {
            return Err(Failure::InvalidInput("a parrot follows no schema".to_owned()));
        }
        let none = || Failure::InvalidInput("there is no message to answer".to_owned());
        let heard: Vec<&str> = request.messages.last().ok_or_else(none)?.content.split_whitespace().collect();
        let most = request.max_tokens.map_or(self.words, |most| self.words.min(most as usize));
        let said = &heard[..heard.len().min(most)];
        let read: usize = request.messages.iter().map(|message| message.content.split_whitespace().count()).sum();
        Ok(Completion {
            text: said.join(" "),
            finish: if said.len() < heard.len() { FinishReason::Length } else { FinishReason::Stop },
            usage: Some(Usage::new(read as u64, said.len() as u64)),
            ..Completion::default()
        })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "Two words at most".to_owned(),
            config: json!({ "words": 2 }),
            input: json!({ "messages": [{ "role": "user", "content": "Polly wants a cracker" }] }),
            output: json!({
                "text": "Polly wants",
                "finish": "length",
                "usage": { "input": 4, "output": 2 },
                "cached": false,
                "usd": 0.0,
            }),
        }]
    }
}

/// What `ask` reads.
#[derive(Document)]
pub struct Text {
    /// What to ask.
    pub text: String,
}

/// What `ask` answers.
#[derive(Document)]
pub struct Answer {
    /// What the model said.
    pub answer: String,
}

/// Puts a text to the stage's model.
#[derive(Config)]
pub struct Ask {}

impl Analyzer for Ask {
    const NAME: &'static str = "ask";
    type Input = Text;
    type Output = Answer;

    fn permissions() -> Vec<Permission> {
        vec![Permission { name: "model".to_owned(), reason: "to put the text to".to_owned() }]
    }

    async fn analyze(&self, Text { text }: Text, host: &Host<'_>) -> Result<Answer> {
        let completion = host.complete(CompletionRequest::new(vec![Message::user(text)])).await?;
        Ok(Answer { answer: completion.text })
    }
}

export_plugin!(models: Parrot);
export_plugin!(Ask);

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        prelude::*,
        testing::{FakeHost, call, check_examples},
    };

    /// What the model says, or why it says nothing.
    macro_rules! said {
        ($config:tt, $request:tt) => {
            call(Kind::Model, "{{name}}", json!($config), json!($request), &FakeHost::default())
        };
    }

    #[test]
    fn examples_hold() {
        check_examples(Kind::Model, "{{name}}", &FakeHost::default());
    }

    #[test]
    fn the_last_message_is_repeated() {
        let messages = [Message::user("one two"), Message::user("three  four")];
        let answer = said!({}, { "messages": messages }).unwrap();
        assert_eq!((&answer["text"], &answer["finish"]), (&json!("three four"), &json!("stop")));
        assert_eq!(answer["usage"], json!({ "input": 4, "output": 2 }));
    }

    #[test]
    fn max_tokens_is_heeded() {
        let answer = said!({}, { "messages": [Message::user("one two three")], "max_tokens": 1 }).unwrap();
        assert_eq!((&answer["text"], &answer["finish"]), (&json!("one"), &json!("length")));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |found: Result<_>, wanted: Failure| assert_eq!(found, Err(wanted));
        let message = Message::user("one");
        refused(
            said!({}, { "messages": [message], "schema": { "type": "object" } }),
            Failure::InvalidInput("a parrot follows no schema".to_owned()),
        );
        refused(said!({}, { "messages": [] }), Failure::InvalidInput("there is no message to answer".to_owned()));
        refused(
            said!({ "words": 0 }, { "messages": [message] }),
            Failure::InvalidConfig("`words`: 0 is less than 1".to_owned()),
        );
    }

    #[test]
    fn the_model_is_asked() {
        let host = FakeHost::default().with_model(|request| {
            Ok(Completion { text: request.messages[0].content.to_uppercase(), ..Completion::default() })
        });
        let answer = call(Kind::Analyzer, "ask", json!({}), json!({ "text": "hello" }), &host);
        assert_eq!(answer, Ok(json!({ "answer": "HELLO" })));
        assert_eq!(host.requests().len(), 1);
    }

    #[test]
    fn without_a_model_it_fails() {
        let answer = call(Kind::Analyzer, "ask", json!({}), json!({ "text": "hello" }), &FakeHost::default());
        assert!(matches!(answer, Err(Failure::InvalidConfig(why)) if why.contains("no model")));
    }
}
