//! An analyzer that looks into its model: it uses all that a model may offer.

use jackfield_plugin_api::prelude::*;

/// What `look` reads.
#[derive(Document)]
pub struct Pair {
    /// A prompt.
    pub text: String,
    /// A prompt that differs from it in what is looked for.
    pub other: String,
    /// A reply to have judged.
    pub reply: String,
    /// Something that makes no sense, or that `look` has not asked for, to be asked as well.
    pub amiss: Option<String>,
}

/// What `look` answers.
#[derive(Document)]
pub struct Looked {
    /// Tokens of the prompt.
    pub tokens: Vec<String>,
    /// The hidden states of its last token, `[1, layers, d]`.
    #[schemars(extend("x-tensor" = { "shape": [1, "layers", "d"] }))]
    pub states: TensorRef,
    /// The direction from the other prompt to this one, a row a layer.
    #[schemars(extend("x-tensor" = { "shape": ["layers", "d"] }))]
    pub directions: TensorRef,
    /// The vector that stands for the prompt.
    #[schemars(extend("x-tensor" = { "shape": ["embedding"] }))]
    pub embedding: TensorRef,
    /// What the model answers, and what it answers under edits along the direction.
    pub answers: Vec<String>,
    /// The log-probability of the reply, and the same under edits.
    pub logprobs: Vec<f64>,
    /// How far apart the distributions of the first token are: Kullback and Leibler's divergence, in nats.
    pub divergence: f64,
    /// The failure of what was asked amiss.
    pub refused: Option<String>,
}

/// Looks into the stage's model.
#[derive(Config)]
pub struct Look {
    /// The weight of the edits.
    #[config(default = 1.0)]
    pub weight: f64,
}

impl Analyzer for Look {
    const NAME: &'static str = "look";
    type Input = Pair;
    type Output = Looked;

    fn permissions() -> Vec<Permission> {
        let of = |name: &str, reason: &str| Permission { name: name.to_owned(), reason: reason.to_owned() };
        vec![
            of("model:capture", "to find a direction"),
            of("model:edits", "to see what the model does without it"),
            of("model:logprobs", "to see how much that changes"),
            of("model:tokenize", "to count"),
            of("model:embed", "to have a vector"),
        ]
    }

    async fn analyze(&self, input: Pair, host: &Host<'_>) -> Result<Looked> {
        let first = CompletionRequest {
            capture: Some(Capture::default()),
            tokenize: true,
            embed: true,
            ..nothing_but(&input.text)
        };
        let first = host.complete(first).await?;
        let other = CompletionRequest { capture: Some(Capture::default()), ..nothing_but(&input.other) };
        let other = captured(host.complete(other).await?)?;
        let one = captured(first.clone())?;
        let directions = direction(&one.hidden_states, &other.hidden_states, host)?;
        let [layers, _] = directions.dimensions()?;
        let edits: Vec<Edit> = (1..layers as u32)
            .map(|layer| Edit {
                component: Component::MlpDown,
                layer: layer - 1,
                direction: directions.clone(),
                row: layer,
                weight: self.weight,
                row_normalization: RowNormalization::Full,
            })
            .collect();
        let (mut answers, mut logprobs, mut distributions) = (Vec::new(), Vec::new(), Vec::new());
        for edits in [Vec::new(), edits] {
            let on = LogProbsOn::Reply(input.reply.clone());
            let request = CompletionRequest {
                logprobs: Some(LogProbs { top: 0, distribution: true, on }),
                edits,
                ..CompletionRequest::new(vec![Message::user(input.text.as_str())])
            };
            let answer = host.complete(request).await?;
            let found = answer.logprobs.ok_or_else(|| missing("log-probabilities"))?;
            answers.push(answer.text);
            logprobs.push(found.tokens.iter().filter_map(|token| token.logprob).sum());
            let distribution = found.distribution.ok_or_else(|| missing("distribution"))?;
            let [_, vocabulary] = distribution.dimensions()?;
            let mut row = vec![0.0; vocabulary as usize];
            host.tensor(&distribution)?.read(0, &mut row)?;
            distributions.push(row);
        }
        let refused = match &input.amiss {
            Some(amiss) => host.complete(amiss_of(amiss, &input.text)?).await.err().map(|failure| failure.to_string()),
            None => None,
        };
        Ok(Looked {
            tokens: first.tokens.into_iter().flatten().map(|token| token.text).collect(),
            states: one.hidden_states,
            directions,
            embedding: first.embedding.ok_or_else(|| missing("embedding"))?,
            answers,
            logprobs,
            divergence: divergence(&distributions[0], &distributions[1]),
            refused,
        })
    }
}

fn nothing_but(text: &str) -> CompletionRequest {
    CompletionRequest { max_tokens: Some(0), ..CompletionRequest::new(vec![Message::user(text)]) }
}

fn missing(what: &str) -> Failure {
    Failure::InvalidOutput(format!("the model answered no {what}"))
}

fn captured(answer: Completion) -> Result<Captured> {
    answer.captured.ok_or_else(|| missing("hidden states"))
}

/// What is asked amiss.
fn amiss_of(what: &str, text: &str) -> Result<CompletionRequest> {
    let layers = |layers: &[u32]| Some(Capture { layers: Some(layers.to_vec()), positions: None });
    match what {
        "twice" => Ok(CompletionRequest { capture: layers(&[1, 1]), ..nothing_but(text) }),
        "beyond" => Ok(CompletionRequest { capture: layers(&[999]), ..nothing_but(text) }),
        "nothing" => Ok(nothing_but(text)),
        other => Err(Failure::InvalidInput(format!("`{other}` is nothing that can be asked amiss"))),
    }
}

/// The unit vector from one state to another, in each layer; zero where there is none.
fn direction(to: &TensorRef, from: &TensorRef, host: &Host<'_>) -> Result<TensorRef> {
    let [_, layers, width] = to.dimensions()?;
    let (to, from) = (host.tensor(to)?, host.tensor(from)?);
    let mut writer = host.create_tensor(&[layers, width])?;
    let mut rows = [vec![0.0_f32; width as usize], vec![0.0_f32; width as usize]];
    for layer in 0..layers {
        to.read(layer * width, &mut rows[0])?;
        from.read(layer * width, &mut rows[1])?;
        let mut row: Vec<f32> = rows[0].iter().zip(&rows[1]).map(|(to, from)| to - from).collect();
        let norm = row.iter().map(|element| element * element).sum::<f32>().sqrt();
        if norm > 0.0 {
            row.iter_mut().for_each(|element| *element /= norm);
        }
        writer.write(&row)?;
    }
    writer.finish()
}

/// A polynomial is enough of an exponential here, and has the same bits everywhere.
fn divergence(one: &[f32], other: &[f32]) -> f64 {
    let power = |x: f64| (1..=16).rev().fold(1.0, |sum, n| 1.0 + sum * x / f64::from(n));
    let exp = |x: f64| (0..6).fold(power(x / 64.0), |value, _| value * value);
    let terms = one.iter().zip(other).map(|(one, other)| (f64::from(*one), f64::from(*other)));
    terms.map(|(one, other)| exp(one) * (one - other)).sum()
}
