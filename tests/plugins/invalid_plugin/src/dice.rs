//! A model that draws its answers, and an analyzer that hands them on.

use jackfield_plugin_api::prelude::*;

/// Answers a number that it draws, and says what it knows of whoever asks.
#[derive(Config)]
pub struct Dice {
    /// Seed of all answers.
    #[config(default = 0)]
    pub seed: u64,
}

impl Model for Dice {
    const NAME: &'static str = "dice";

    async fn complete(&self, _request: CompletionRequest, host: &Host<'_>) -> Result<Completion> {
        let context = host.context();
        let drawn = Random::new(host.random().next_u64() ^ self.seed).next_u64();
        let text =
            format!("{drawn} for `{}` `{}` {} {}", context.stage, context.item, context.element, context.replicate);
        Ok(Completion { text, usage: Some(Usage::new(1, 1)), ..Completion::default() })
    }
}

/// What `ask` reads.
#[derive(Document)]
pub struct Asked {
    /// What to ask.
    pub text: String,
    /// Number of this answer among several.
    pub replicate: Option<u32>,
}

/// What `ask` answers.
#[derive(Document)]
pub struct Said {
    /// What the model answered.
    pub text: String,
}

/// Asks the stage's model.
#[derive(Config)]
pub struct Ask {}

impl Analyzer for Ask {
    const NAME: &'static str = "ask";
    type Input = Asked;
    type Output = Said;

    fn permissions() -> Vec<Permission> {
        vec![Permission { name: "model".to_owned(), reason: "to ask it".to_owned() }]
    }

    async fn analyze(&self, input: Asked, host: &Host<'_>) -> Result<Said> {
        let request = CompletionRequest {
            replicate: input.replicate.unwrap_or_default(),
            ..CompletionRequest::new(vec![Message::user(input.text)])
        };
        Ok(Said { text: host.complete(request).await?.text })
    }
}
