//! The configuration of `transformer`, and a call from its beginning to its end.

use std::{num::NonZero, sync::Arc, thread};

use jackfield_plugin_api::{Ability, Level, Offers, parse_size, prelude::*};

use super::{
    answer,
    engine::{Engine, EngineOptions},
    job,
};
use crate::{Kernel, RunOptions, Sampling};

/// Runs a language model of the Llama family in the process: without a key, a server, or the network.
///
/// An answer depends on the model's files, the kernel, the request, and the keys below that say so; neither on what else is
/// asked at the same time nor on the number of threads. Requests that wait are computed side by side.
///
/// A conversation becomes what the model's own template makes of it; what a message says is text, also where it looks like
/// the end of a turn. If the last message is the assistant's, the answer goes on where it ends, and alone, such a message is
/// read as it is, without the template. A model that has no template reads the messages one after the other, with an empty
/// line between them. A schema stands in the system message: what the model says is then held to it by the host.
///
/// A vector that stands for a prompt is the mean of the last layer over its tokens, after the model's last norm, of length 1.
#[derive(Debug, Config)]
pub struct TransformerModel {
    /// Folder with `config.json`, `tokenizer.json` and weights in `.safetensors` files, or a GGUF file.
    pub path: DigestedPath,
    /// How products are summed: `fused` is faster and more accurate, and needs a processor with fused multiply-add;
    /// `portable` has the same results on each. By default what this processor can do best, which is part of what tells
    /// results from others.
    #[schemars(extend("x-machine-default" = Kernel::best().name()))]
    pub kernel: Option<KernelChoice>,
    /// How many threads compute, 1 to 1024; as many as there are cores by default. Results do not depend on it.
    #[schemars(range(min = 1, max = 1024), extend("x-no-effect" = true))]
    pub threads: Option<usize>,
    /// Most requests that are computed side by side. Results do not depend on it. More come to the model only if the
    /// pipeline lets them: see `concurrency`.
    #[config(default = 32)]
    #[schemars(range(min = 1, max = 1024), extend("x-no-effect" = true))]
    pub batch: usize,
    /// Most memory that it takes, weights and all, such as `8GiB`; by default as much as the machine, its control group and the
    /// limit on addresses (`ulimit -v`) leave. Requests that do not fit side by side wait for each other.
    #[schemars(extend("x-no-effect" = true))]
    pub memory: Option<String>,
    /// Most tokens of an answer where the request does not say.
    #[config(default = 512)]
    #[schemars(range(min = 1, max = 1_048_576))]
    pub max_tokens: usize,
    /// Most tokens of a prompt and its answer together; what the model can read by default.
    #[schemars(range(min = 1))]
    pub context: Option<usize>,
    /// Temperature of sampling, 0 to 2, where the request does not say. At 0, the likeliest token is taken each time, so
    /// several answers to one prompt are equal.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: f64,
    /// Only so many of the likeliest tokens are drawn from; all of them at 0.
    #[config(default = 0)]
    pub top_k: usize,
    /// Only the likeliest tokens are drawn from that together have this probability, above 0 to 1.
    #[config(default = 1.0)]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub top_p: f64,
    /// Seed of the draws, for requests that have none of their own.
    #[config(default = 0)]
    pub seed: u64,
    #[serde(skip)]
    pub(crate) engine: Option<Arc<Engine>>,
}

/// How products are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum KernelChoice {
    /// Product and sum are rounded once.
    Fused,
    /// Product and sum are rounded apart.
    Portable,
}

impl From<KernelChoice> for Kernel {
    fn from(choice: KernelChoice) -> Self {
        match choice {
            KernelChoice::Fused => Self::Fused,
            KernelChoice::Portable => Self::Portable,
        }
    }
}

impl TransformerModel {
    fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Failure::InvalidConfig(what));
        for (key, value, least, most) in [
            ("threads", self.threads.unwrap_or(1), 1, 1024),
            ("batch", self.batch, 1, 1024),
            ("max_tokens", self.max_tokens, 1, 1 << 20),
            ("context", self.context.unwrap_or(1), 1, usize::MAX),
        ] {
            if !(least..=most).contains(&value) {
                return wrong(format!("`{key}` is {value}: it must be {least} to {most}"));
            }
        }
        self.most_memory()?;
        if !(0.0..=2.0).contains(&self.temperature) {
            return wrong(format!("`temperature` is {}: it must be 0 to 2", self.temperature));
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return wrong(format!("`top_p` is {}: it must be above 0 and at most 1", self.top_p));
        }
        Ok(())
    }

    /// Most memory in bytes.
    fn most_memory(&self) -> Result<Option<u64>> {
        let wrong = |text: &str, why: String| {
            let text = text.escape_debug();
            Failure::InvalidConfig(format!("`memory` is `{text}`: {why}; it must be a size such as `8GiB`"))
        };
        let parse = |text: &String| match parse_size(text) {
            Ok(0) => Err(wrong(text, "nothing fits".to_owned())),
            parsed => parsed.map_err(|why| wrong(text, why)),
        };
        self.memory.as_ref().map(parse).transpose()
    }

    /// How tokens of an answer are drawn. Without a seed of its own, a request draws from what it asks and the seed here.
    fn sampling(&self, request: &CompletionRequest, host: &Host<'_>) -> Sampling {
        let own = if request.seed.is_some() { 0 } else { self.seed };
        Sampling {
            temperature: request.temperature.unwrap_or(self.temperature),
            top_k: self.top_k,
            top_p: self.top_p,
            seed: Random::new(host.context().seed).next_u64() ^ own,
        }
    }
}

impl Model for TransformerModel {
    const NAME: &'static str = "transformer";

    fn open(mut self) -> Result<Self> {
        self.check()?;
        let kernel = self.kernel.map_or_else(Kernel::best, Kernel::from);
        if !kernel.is_available() {
            let name = kernel.name();
            return Err(Failure::InvalidConfig(format!(
                "`kernel` is `{name}`, which this processor cannot run: `portable` runs on each"
            )));
        }
        let threads = self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get).min(1024));
        let options =
            EngineOptions { run: RunOptions { kernel, threads }, batch: self.batch, memory: self.most_memory()? };
        self.engine = Some(Engine::open(&self.path, options)?);
        Ok(self)
    }

    async fn complete(&self, request: CompletionRequest, host: &Host<'_>) -> Result<Completion> {
        let Some(engine) = &self.engine else {
            return Err(Failure::Internal("the model was not opened before it was called".to_owned()));
        };
        let text = engine.text();
        let context = self.context.unwrap_or(usize::MAX).min(text.architecture.context);
        let with_defaults = job::RequestWithDefaults {
            request: &request,
            sampling: self.sampling(&request, host),
            max_tokens: self.max_tokens,
            context,
        };
        let job = with_defaults.job(text, host)?;
        if !job.is_work() {
            return answer::of_tokens(&request, &job.prompt, text);
        }
        let shape = job.shape();
        let found = engine.ask(job).await;
        engine.take_warnings().iter().for_each(|warning| host.log(Level::Warn, warning));
        let found = found?;
        answer::answer(&request, found, &shape, text, host)
    }

    fn offers() -> Offers {
        Offers::always(&Ability::ALL)
    }
}
