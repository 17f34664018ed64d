//! The analyzer `residuals`, which asks the stage's model for hidden states, as direction extractors read them.

use futures::future::join_all;
use jackfield_plugin_api::{Prompt, prelude::*};

/// How many prompts are sent to the model at a time; it computes as many of them together as it can.
const ASKED_AT_ONCE: usize = 128;

/// What `residuals` reads.
#[derive(Clone, Debug, PartialEq, Eq, Document)]
pub struct Prompts {
    /// The prompts; at least one.
    pub prompts: Vec<Prompt>,
    /// How the replies to all of them begin: appended to each as what the model has said so far, so that the position that is
    /// read is where replies begin to differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub append: Option<String>,
}

/// What `residuals` answers.
#[derive(Clone, Debug, PartialEq, Eq, Document)]
pub struct PromptResiduals {
    /// The residual stream at the last position of each prompt: layer 0 is the embeddings, layer n what the n-th block of the
    /// model hands on.
    #[schemars(extend("x-tensor" = { "shape": ["prompts", "layers", "d"] }))]
    pub residuals: TensorRef,
}

/// Asks the stage's model for the residual stream at the last position of each prompt, in all layers.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-needs" = "model:capture"))]
pub struct ReadResiduals {}

impl Analyzer for ReadResiduals {
    const NAME: &'static str = "residuals";
    type Input = Prompts;
    type Output = PromptResiduals;

    fn permissions() -> Vec<Permission> {
        let reason = "to get the hidden states of the stage's model, which are the answer".to_owned();
        vec![Permission { name: "model:capture".to_owned(), reason }]
    }

    async fn analyze(&self, input: Prompts, host: &Host<'_>) -> Result<PromptResiduals> {
        check_prompts("", &input.prompts)?;
        let residuals = residuals("", &input.prompts, input.append.as_deref().unwrap_or_default(), host).await?;
        Ok(PromptResiduals { residuals })
    }
}

/// Asks the model for the residual stream at the last position of each prompt of a set, whose name stands in messages where it
/// has one.
pub(crate) async fn residuals(
    set_prefix: &str,
    prompts: &[Prompt],
    append: &str,
    host: &Host<'_>,
) -> Result<TensorRef> {
    let count = prompts.len() as u64;
    let set_prefix = if set_prefix.is_empty() { String::new() } else { format!("{set_prefix} ") };
    let mut partial_tensor: Option<PartialTensor<'_>> = None;
    for (chunk, chunk_prompts) in prompts.chunks(ASKED_AT_ONCE).enumerate() {
        let first = chunk * ASKED_AT_ONCE;
        for (index, completion) in
            complete_prompts(chunk_prompts, append, &capture_request, host).await?.into_iter().enumerate()
        {
            let prompt = first + index;
            let captured = completion.captured.ok_or_else(|| {
                Failure::InvalidOutput(format!("the model answered {set_prefix}prompt {prompt} without hidden states"))
            })?;
            let hidden_states =
                HiddenStates::read(&format!("{set_prefix}prompt {prompt}"), &captured.hidden_states, host)?;
            let mut tensor = match partial_tensor.take() {
                Some(partial_tensor) => partial_tensor,
                None => PartialTensor::begin(&hidden_states, count, host)?,
            };
            tensor.add(&format!("{set_prefix}prompt {prompt}"), &hidden_states)?;
            partial_tensor = Some(tensor);
            host.progress(prompt as u64 + 1, Some(count), "prompts");
        }
    }
    match partial_tensor {
        Some(PartialTensor { tensor, .. }) => tensor.finish(),
        None => Err(no_prompts(&set_prefix)),
    }
}

/// A request for nothing but hidden states.
fn capture_request(messages: Vec<Message>) -> CompletionRequest {
    CompletionRequest { max_tokens: Some(0), capture: Some(Capture::default()), ..CompletionRequest::new(messages) }
}

/// What the model answers to each prompt, in order. `append` is what it has said so far.
pub(crate) async fn complete_prompts(
    prompts: &[Prompt],
    append: &str,
    request: &(dyn Fn(Vec<Message>) -> CompletionRequest + Sync),
    host: &Host<'_>,
) -> Result<Vec<Completion>> {
    if host.cancelled() {
        return Err(Failure::Cancelled("the residuals are no longer wanted".to_owned()));
    }
    let requests = prompts.iter().map(|prompt| {
        let mut messages = prompt.messages();
        match messages.last_mut() {
            _ if append.is_empty() => {}
            // The model goes on where it ended.
            Some(last) if last.role == Role::Assistant => last.content.push_str(append),
            _ => messages.push(Message::assistant(append)),
        }
        host.complete(request(messages))
    });
    join_all(requests).await.into_iter().collect()
}

/// Refuses a set without prompts, and a prompt that says nothing.
pub(crate) fn check_prompts(set: &str, prompts: &[Prompt]) -> Result<()> {
    let set = if set.is_empty() { String::new() } else { format!("{set} ") };
    if prompts.is_empty() {
        return Err(no_prompts(&set));
    }
    match prompts.iter().position(|prompt| prompt.messages().is_empty()) {
        Some(index) => Err(Failure::InvalidInput(format!("{set}prompt {index} has no messages"))),
        None => Ok(()),
    }
}

fn no_prompts(set: &str) -> Failure {
    Failure::InvalidInput(format!("there are no {set}prompts"))
}

/// The hidden states of one prompt.
struct HiddenStates {
    layers: u64,
    width: u64,
    elements: Vec<f32>,
}

impl HiddenStates {
    fn read(prompt: &str, tensor: &TensorRef, host: &Host<'_>) -> Result<Self> {
        let [1, layers, width] = tensor.shape[..] else {
            let shape = &tensor.shape;
            return Err(Failure::InvalidOutput(format!(
                "the model answered {prompt} with hidden states of shape {shape:?}, not [1, layers, d]: one position was \
                 asked for"
            )));
        };
        let reader = host.tensor(tensor)?;
        // There are as many elements: the reader holds the shape to that.
        let mut elements = vec![0.0; (layers * width) as usize];
        reader.read(0, &mut elements)?;
        Ok(Self { layers, width, elements })
    }
}

/// The tensor of all prompts, of which the first rows are written.
struct PartialTensor<'a> {
    tensor: TensorWriter<'a>,
    layers: u64,
    width: u64,
}

impl<'a> PartialTensor<'a> {
    fn begin(first: &HiddenStates, prompts: u64, host: &Host<'a>) -> Result<Self> {
        let HiddenStates { layers, width, .. } = *first;
        Ok(Self { tensor: host.create_tensor(&[prompts, layers, width])?, layers, width })
    }

    fn add(&mut self, prompt: &str, hidden_states: &HiddenStates) -> Result<()> {
        if (hidden_states.layers, hidden_states.width) != (self.layers, self.width) {
            return Err(Failure::InvalidOutput(format!(
                "the model answered {prompt} with hidden states of shape [1, {}, {}], and those before it with \
                 [1, {}, {}]",
                hidden_states.layers, hidden_states.width, self.layers, self.width
            )));
        }
        self.tensor.write(&hidden_states.elements)
    }
}
