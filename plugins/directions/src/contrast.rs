//! The analyzer `contrast-residuals`, which reads the hidden states of two sets of prompts where the replies begin to differ.

use jackfield_plugin_api::{Prompt, prelude::*};

use crate::{
    common_start,
    residuals_of_prompts::{check_prompts, complete_prompts, residuals},
};

/// What `contrast-residuals` reads.
#[derive(Clone, Debug, PartialEq, Eq, Document)]
pub struct ContrastPrompts {
    /// The prompts that have what is looked for; at least one.
    pub positive: Vec<Prompt>,
    /// The prompts that do not; at least one. Pairs are best: prompts of the same index that differ in nothing else.
    pub negative: Vec<Prompt>,
}

/// What `contrast-residuals` answers: what a direction extractor reads.
#[derive(Clone, Debug, PartialEq, Eq, Document)]
pub struct ContrastResiduals {
    /// The residual stream at the last position of each positive prompt: layer 0 is the embeddings, layer n what the n-th
    /// block of the model hands on.
    #[schemars(extend("x-tensor" = { "shape": ["positive_prompts", "layers", "d"] }))]
    pub positive: TensorRef,
    /// The same of each negative prompt.
    #[schemars(extend("x-tensor" = { "shape": ["negative_prompts", "layers", "d"] }))]
    pub negative: TensorRef,
    /// How the replies to all prompts of both sets begin. It stands after each prompt as what the model has said so far;
    /// empty if they do not begin alike.
    pub common_start: String,
}

/// Asks the stage's model for the residual stream at the last position of each prompt of two sets, in all layers.
///
/// How the replies to all of them begin is found first, and appended to each prompt as what the model has said so far: the
/// position that is read is where the replies begin to differ. A direction extractor reads the whole answer, `in = "NAME"`.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-needs" = "model:capture"))]
pub struct ReadContrast {
    /// The first so many tokens of each reply are compared, 0 to 256, to find how all of them begin; 0 asks for no replies.
    #[config(default = 8)]
    #[schemars(range(min = 0, max = 256))]
    pub start_tokens: u32,
}

const MOST_START_TOKENS: u32 = 256;

impl Analyzer for ReadContrast {
    const NAME: &'static str = "contrast-residuals";
    type Input = ContrastPrompts;
    type Output = ContrastResiduals;

    fn open(self) -> Result<Self> {
        if self.start_tokens > MOST_START_TOKENS {
            let tokens = self.start_tokens;
            let what = format!("`start_tokens` is {tokens}: it must be 0 to {MOST_START_TOKENS}");
            return Err(Failure::InvalidConfig(what));
        }
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let permission = |name: &str, reason: &str| Permission { name: name.to_owned(), reason: reason.to_owned() };
        vec![
            permission("model", "to find how the replies to all prompts begin"),
            permission("model:capture", "to get the hidden states of the stage's model, which are the answer"),
        ]
    }

    async fn analyze(&self, input: ContrastPrompts, host: &Host<'_>) -> Result<ContrastResiduals> {
        let ContrastPrompts { positive, negative } = input;
        check_prompts("positive", &positive)?;
        check_prompts("negative", &negative)?;
        let mut start = String::new();
        if self.start_tokens > 0 {
            let prompts: Vec<Prompt> = positive.iter().chain(&negative).cloned().collect();
            let tokens = self.start_tokens;
            let request = move |messages| CompletionRequest {
                max_tokens: Some(tokens),
                temperature: Some(0.0),
                ..CompletionRequest::new(messages)
            };
            let replies = complete_prompts(&prompts, "", &request, host).await?;
            let texts: Vec<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
            start = common_start(&texts).to_owned();
        }
        Ok(ContrastResiduals {
            positive: residuals("positive", &positive, &start, host).await?,
            negative: residuals("negative", &negative, &start, host).await?,
            common_start: start,
        })
    }
}
