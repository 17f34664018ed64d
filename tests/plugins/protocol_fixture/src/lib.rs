//! A plugin that uses all of the contract. Compiled ones of each protocol version are kept in `tests/protocol`, and every
//! later host has to load them and get the same answers. Its extensions are called `witness…`, as the compiled ones are.

pub mod apart;
pub mod shelf;
pub mod turns;

use jackfield_plugin_api::prelude::*;

/// What `witness` reads.
#[derive(Document)]
pub struct FixtureInput {
    /// Any text.
    pub text: String,
    /// A question for the stage's model.
    pub question: Option<String>,
    /// A name under which the text is kept in the stage's cache, and what was there is told.
    pub keep: Option<String>,
    /// An address to fetch.
    pub fetch: Option<String>,
    /// Numbers to add up.
    #[schemars(extend("x-tensor" = { "shape": ["numbers"] }))]
    pub measured: Option<TensorRef>,
    /// The variant of failure to answer with.
    pub fail: Option<String>,
}

/// What `witness` answers.
#[derive(Document)]
pub struct FixtureOutput {
    /// The text, from its end.
    pub reversed: String,
    /// Numbers drawn from the seed of the call.
    pub drawn: Vec<u64>,
    /// What the model said.
    pub answer: Option<String>,
    /// What the model is.
    pub model: Option<String>,
    /// What was kept before.
    pub kept: Option<String>,
    /// The status of what was fetched.
    pub fetched: Option<u16>,
    /// The lengths of the words.
    #[schemars(extend("x-tensor" = { "shape": ["words"] }))]
    pub measured: TensorRef,
    /// The sum of the numbers, added up two at a time.
    pub sum: Option<f32>,
    /// Whether the answer was still wanted.
    pub wanted: bool,
}

/// Uses every call of the host, and answers with a tensor beside its answer and one by reference.
#[derive(Config)]
pub struct ProtocolFixture {
    /// How many numbers to draw.
    #[config(default = 2)]
    pub draws: usize,
}

impl Analyzer for ProtocolFixture {
    const NAME: &'static str = "witness";
    const STABILITY: Stability = Stability::Stable;
    type Input = FixtureInput;
    type Output = WithTensors<FixtureOutput>;

    fn permissions() -> Vec<Permission> {
        let of = |name: &str, reason: &str| Permission { name: name.to_owned(), reason: reason.to_owned() };
        vec![
            of("model", "to put the question to"),
            of("cache", "to keep the text"),
            of("http", "to fetch the address"),
            of("random", "to draw numbers"),
        ]
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "a text, from its end".to_owned(),
            config: json!({ "draws": 0 }),
            input: json!({ "text": "abc" }),
            output: json!({
                "reversed": "cba", "drawn": [], "answer": null, "model": "mock", "kept": null, "fetched": null,
                "measured": { "$tensor": THREE, "shape": [1], "dtype": "f32" }, "sum": null, "wanted": true,
            }),
        }]
    }

    async fn analyze(&self, input: FixtureInput, host: &Host<'_>) -> Result<WithTensors<FixtureOutput>> {
        host.log(Level::Info, "called");
        host.progress(1, Some(2), "half");
        let mut random = host.random();
        let answer = match input.question {
            Some(question) => Some(host.complete(CompletionRequest::new(vec![Message::user(question)])).await?.text),
            None => None,
        };
        let kept = match &input.keep {
            Some(name) => {
                let before = host.cache_get(name).await?;
                host.cache_put(name, input.text.as_bytes(), None).await?;
                before.map(|value| String::from_utf8_lossy(&value).into_owned())
            }
            None => None,
        };
        let fetched = match input.fetch {
            Some(url) => Some(host.fetch(HttpRequest::get(url)).await?.status),
            None => None,
        };
        if let Some(kind) = input.fail {
            let kinds = jackfield_plugin_api::FailureKind::ALL;
            let kind = kinds.into_iter().find(|known| known.name() == kind);
            let kind = kind.ok_or_else(|| Failure::InvalidInput("there is no such failure".to_owned()))?;
            return Err(Failure::new(kind, "as asked".to_owned()));
        }
        let sum = match &input.measured {
            Some(numbers) => Some(added_up(&host.tensor(numbers)?)?),
            None => None,
        };
        let lengths: Vec<f32> = input.text.split(' ').map(|word| word.chars().count() as f32).collect();
        let shape = vec![lengths.len() as u64];
        let mut measured = host.create_tensor(&shape)?;
        for length in &lengths {
            measured.write(&[*length])?;
        }
        let output = FixtureOutput {
            reversed: input.text.chars().rev().collect(),
            drawn: (0..self.draws).map(|_| random.next_u64() >> 11).collect(),
            answer,
            model: host.model_name(),
            kept,
            fetched,
            measured: measured.finish()?,
            sum,
            wanted: !host.cancelled(),
        };
        let tensors = vec![Tensor { name: "lengths".to_owned(), shape, data: lengths.into() }];
        Ok(WithTensors { value: output, tensors })
    }
}

/// SHA-256 of 3 as a float of 32 bits, little-endian.
const THREE: &str = "ea2845900b5856c9bf354b1aa9761b5aa6888e5ed61738fe9579ca42bc0f6054";

fn added_up(numbers: &TensorReader<'_>) -> Result<f32> {
    let count: u64 = numbers.shape().iter().product();
    let mut sum = 0.0;
    let mut two = [0.0; 2];
    for offset in (0..count).step_by(2) {
        let here = &mut two[..(count - offset).min(2) as usize];
        numbers.read(offset, here)?;
        sum += here.iter().sum::<f32>();
    }
    Ok(sum)
}

export_plugin!(ProtocolFixture);

/// Says what it was asked, from its end. Its tokens are words; the vector of a prompt is the lengths of the words.
#[derive(Config)]
pub struct Echo {}

impl Model for Echo {
    const NAME: &'static str = "witness-echo";
    const STABILITY: Stability = Stability::Stable;

    fn offers() -> Offers {
        Offers::always(&[Ability::Complete, Ability::Tokenize, Ability::Embed])
    }

    async fn complete(&self, request: CompletionRequest, host: &Host<'_>) -> Result<Completion> {
        if request.schema.is_some() {
            return Err(Failure::InvalidInput("it says what it was asked, and follows no schema".to_owned()));
        }
        let asked = request.messages.last().map_or("", |message| &*message.content);
        let words: Vec<&str> = asked.split(' ').collect();
        let token = |(word, id): (&&str, u32)| Token { id, text: (*word).to_owned() };
        let lengths: Vec<f32> = words.iter().map(|word| word.chars().count() as f32).collect();
        let embedding = match request.embed {
            true => Some(host.keep_tensor(&[lengths.len() as u64], lengths)?),
            false => None,
        };
        Ok(Completion {
            text: asked.chars().rev().collect(),
            usage: Some(Usage::new(1, 1)),
            tokens: request.tokenize.then(|| words.iter().zip(0..).map(token).collect()),
            embedding,
            ..Completion::default()
        })
    }
}

export_plugin!(models: Echo);
