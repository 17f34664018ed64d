//! The analyzer `residuals`: hidden states of the stage's model, as direction extractors read them.

use jackfield_plugin_api::prelude::*;

/// A prompt: a text that the user says, or a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Document)]
#[serde(untagged)]
pub enum Prompt {
    /// What the user says.
    Text(String),
    /// The conversation so far; at least one message.
    Conversation(Vec<Message>),
}

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
        let requests = requests(&input)?;
        let count = requests.len() as u64;
        let mut growing: Option<Growing<'_>> = None;
        for (prompt, request) in requests.into_iter().enumerate() {
            if host.cancelled() {
                return Err(Failure::Cancelled("the residuals are no longer wanted".to_owned()));
            }
            let completion = host.complete(request).await?;
            let captured = completion.captured.ok_or_else(|| {
                Failure::InvalidOutput(format!("the model answered prompt {prompt} without hidden states"))
            })?;
            let row = Row::read(prompt, &captured.hidden_states, host)?;
            let mut tensor = match growing.take() {
                Some(growing) => growing,
                None => Growing::begin(&row, count, host)?,
            };
            tensor.add(prompt, &row)?;
            growing = Some(tensor);
            host.progress(prompt as u64 + 1, Some(count), "prompts");
        }
        // There is a prompt, and so a row.
        let Some(Growing { tensor, .. }) = growing else { return Err(no_prompts()) };
        Ok(PromptResiduals { residuals: tensor.finish()? })
    }
}

fn no_prompts() -> Failure {
    Failure::InvalidInput("there are no prompts".to_owned())
}

/// A request for each prompt: nothing but the hidden states is asked for.
fn requests(input: &Prompts) -> Result<Vec<CompletionRequest>> {
    if input.prompts.is_empty() {
        return Err(no_prompts());
    }
    let request = |(index, prompt): (usize, &Prompt)| {
        let mut messages = match prompt {
            Prompt::Text(text) => vec![Message::user(text.clone())],
            Prompt::Conversation(messages) if messages.is_empty() => {
                return Err(Failure::InvalidInput(format!("prompt {index} has no messages")));
            }
            Prompt::Conversation(messages) => messages.clone(),
        };
        if let Some(append) = input.append.as_ref().filter(|append| !append.is_empty()) {
            messages.push(Message::assistant(append.clone()));
        }
        Ok(CompletionRequest {
            max_tokens: Some(0),
            capture: Some(Capture::default()),
            ..CompletionRequest::new(messages)
        })
    };
    input.prompts.iter().enumerate().map(request).collect()
}

/// The hidden states of one prompt.
struct Row {
    layers: u64,
    width: u64,
    elements: Vec<f32>,
}

impl Row {
    fn read(prompt: usize, tensor: &TensorRef, host: &Host<'_>) -> Result<Self> {
        let [1, layers, width] = tensor.shape[..] else {
            let shape = &tensor.shape;
            return Err(Failure::InvalidOutput(format!(
                "the model answered prompt {prompt} with hidden states of shape {shape:?}, not [1, layers, d]: one position \
                 was asked for"
            )));
        };
        let reader = host.tensor(tensor)?;
        // There are as many elements: the reader holds the shape to that.
        let mut elements = vec![0.0; (layers * width) as usize];
        reader.read(0, &mut elements)?;
        Ok(Self { layers, width, elements })
    }
}

/// The tensor of all prompts, as far as it is written.
struct Growing<'a> {
    tensor: TensorWriter<'a>,
    layers: u64,
    width: u64,
}

impl<'a> Growing<'a> {
    fn begin(first: &Row, prompts: u64, host: &Host<'a>) -> Result<Self> {
        let Row { layers, width, .. } = *first;
        Ok(Self { tensor: host.create_tensor(&[prompts, layers, width])?, layers, width })
    }

    fn add(&mut self, prompt: usize, row: &Row) -> Result<()> {
        if (row.layers, row.width) != (self.layers, self.width) {
            return Err(Failure::InvalidOutput(format!(
                "the model answered prompt {prompt} with hidden states of shape [1, {}, {}], and those before it with \
                 [1, {}, {}]",
                row.layers, row.width, self.layers, self.width
            )));
        }
        self.tensor.write(&row.elements)
    }
}
